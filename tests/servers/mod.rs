//! Real servers on loopback, for the tests of whoever includes this file. Each is started once a test process and ends with it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// A server that listens on 127.0.0.1: user `owner`, password `s3cr3t`, database `city`.
pub(crate) struct Server {
    /// Its port.
    pub(crate) port: u16,
    /// Its folder, with `server.crt`.
    pub(crate) dir: PathBuf,
    // It ends when this end of its standard input is closed, be it because we were killed.
    _child: Child,
}

/// The PostgreSQL of this process; `None` where none is installed, which is told loudly.
pub(crate) fn postgres() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| start("postgres")).as_ref()
}

/// The MariaDB of this process; `None` where none is installed, which is told loudly.
pub(crate) fn mariadb() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| start("mariadb")).as_ref()
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
