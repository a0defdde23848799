//! Real servers on loopback, for the tests of whoever includes this file. Each is started once a test process and ends with it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

/// A server that listens on 127.0.0.1; its script says who may enter.
pub(crate) struct Server {
    /// Its port.
    pub(crate) port: u16,
    /// Its folder: with `server.crt`, keys, or the files that it serves.
    pub(crate) dir: PathBuf,
    // It ends when this end of its standard input is closed, be it because we were killed.
    _child: Child,
}

/// The server of that name of this process (`tests/servers/NAME.sh`); `None` where it is not installed, which is told loudly.
pub(crate) fn server(name: &'static str) -> Option<&'static Server> {
    type Started = &'static OnceLock<Option<Server>>;
    static SERVERS: Mutex<BTreeMap<&str, Started>> = Mutex::new(BTreeMap::new());
    let started = *SERVERS
        .lock()
        .unwrap()
        .entry(name)
        .or_insert_with(|| Box::leak(Box::default()));
    started.get_or_init(|| start(name)).as_ref()
}

fn start(name: &str) -> Option<Server> {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .find(|dir| dir.join("tests/servers").is_dir());
    let script = scripts.unwrap().join(format!("tests/servers/{name}.sh"));
    // The port is free now; if somebody else takes it before the server does, another one is tried.
    for tried in 1.. {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut child = Command::new("bash")
            .arg(&script)
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        if !line.trim().is_empty() {
            return Some(Server {
                port,
                dir: line.trim().into(),
                _child: child,
            });
        }
        if child.wait().unwrap().code() == Some(3) {
            let is_ci =
                std::env::var("CI").is_ok_and(|it| !it.is_empty() && it != "false" && it != "0");
            assert!(!is_ci, "no {name} server is installed: make deps");
            let _ = writeln!(
                std::io::stderr(),
                "!! SKIPPED: {name}: no server is installed (make deps)"
            );
            return None;
        }
        assert!(tried < 3, "{name} does not start");
    }
    None
}
