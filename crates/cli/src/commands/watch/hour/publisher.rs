//! The agency's server: a new message each half minute, and what such servers do now and then.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use sectorlake_lake::{Clock as _, ManualClock};

use super::fleet;

/// Serves until the test's process ends.
pub(super) struct Publisher {
    pub(super) url: String,
    place: String,
    given: Arc<Mutex<Vec<i64>>>,
}

struct Desk {
    vehicles: i64,
    clock: Arc<ManualClock>,
    /// When each message was made that was given in full.
    given: Arc<Mutex<Vec<i64>>>,
    /// Half minutes that went wrong once already.
    wrong: Mutex<BTreeSet<i64>>,
}

impl Publisher {
    pub(super) fn start(vehicles: i64, clock: Arc<ManualClock>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = listener.local_addr().unwrap().to_string();
        let url = format!("http://{place}/vehicles.pb");
        let given = Arc::<Mutex<Vec<i64>>>::default();
        let desk = Desk {
            vehicles,
            clock,
            given: Arc::clone(&given),
            wrong: Mutex::default(),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that died is no fault of the server's.
                let _ = desk.serve(stream.unwrap());
            }
        });
        Self { url, place, given }
    }

    /// When each message was made that was given in full, in the order in which they were given, whoever is still being served among
    /// them.
    pub(super) async fn given(&self) -> Vec<i64> {
        let place = self.place.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(place)?;
            stream.write_all(b"GET /after-all-others HTTP/1.1\r\n\r\n")?;
            stream.read_to_end(&mut Vec::new())
        });
        asked.await.unwrap().unwrap();
        self.given.lock().unwrap().clone()
    }
}

impl Desk {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        if !head.starts_with("get /vehicles.pb ") {
            return stream.write_all(b"HTTP/1.1 204 None\r\nConnection: close\r\n\r\n");
        }
        let turn = self.clock.now().timestamp() / 30;
        let is_first = self.wrong.lock().unwrap().insert(turn);
        if turn % 17 == 11 && is_first {
            return stream.write_all(b"HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
        // Now and then the publisher stands still, and says so or not.
        let made = match turn % 8 {
            5 => (turn - 1) * 30,
            _ => turn * 30,
        };
        let etag = format!("\"{made}\"");
        if turn % 16 == 5 && head.contains(&format!("if-none-match: {etag}")) {
            return stream.write_all(b"HTTP/1.1 304 Same\r\nConnection: close\r\n\r\n");
        }
        let body = fleet::message(self.vehicles, made);
        let length = body.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nETag: {etag}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes())?;
        if turn % 13 == 7 && is_first {
            return stream.write_all(&body[..length / 2]);
        }
        stream.write_all(&body)?;
        self.given.lock().unwrap().push(made);
        Ok(())
    }
}
