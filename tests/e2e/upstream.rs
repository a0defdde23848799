//! A server on this machine that answers each question as a test says, to the byte.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What is answered: told how many were asked before, and the target.
type Script = dyn Fn(usize, &str) -> Vec<u8> + Send + Sync;

/// The server; when it is dropped, nobody answers any more.
pub(crate) struct Upstream {
    /// `127.0.0.1:PORT`
    pub(crate) place: String,
    asked: Arc<Mutex<Vec<String>>>,
    is_over: Arc<Mutex<bool>>,
}

impl Upstream {
    pub(crate) fn start(script: impl Fn(usize, &str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = listener.local_addr().unwrap().to_string();
        let (asked, is_over) = (Arc::default(), Arc::new(Mutex::new(false)));
        let (heard, over): (Arc<Mutex<Vec<String>>>, _) =
            (Arc::clone(&asked), Arc::clone(&is_over));
        let script: Arc<Script> = Arc::new(script);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if *over.lock().unwrap() {
                    return;
                }
                // A client that goes away is no fault of the server's.
                let _ = serve(stream.unwrap(), &heard, script.as_ref());
            }
        });
        Self {
            place,
            asked,
            is_over,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.place)
    }

    pub(crate) fn port(&self) -> &str {
        self.place.rsplit(':').next().unwrap()
    }

    /// The head of each question.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        *self.is_over.lock().unwrap() = true;
        // The thread waits for one more.
        let _ = TcpStream::connect(&self.place);
    }
}

fn serve(
    mut stream: TcpStream,
    heard: &Mutex<Vec<String>>,
    script: &Script,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let before = {
        let mut heard = heard.lock().unwrap();
        heard.push(head);
        heard.len() - 1
    };
    stream.write_all(&script(before, &target))
}

/// An answer with these header lines.
pub(crate) fn answer(status: u16, headers: &[&str], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut head = format!(
        "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for line in headers {
        head.push_str(&format!("{line}\r\n"));
    }
    [head.as_bytes(), b"\r\n", body].concat()
}
