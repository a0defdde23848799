//! Where the binary is, and how it is started: with nothing of the caller's own settings.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The checkout.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The binary under test.
pub(crate) fn ours() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let path = std::env::var_os("SECTORLAKE_BIN").map_or_else(beside_this_test, PathBuf::from);
        assert!(
            path.is_file(),
            "no binary at {}: run `make build` first, or name it in SECTORLAKE_BIN",
            path.display()
        );
        path
    })
}

/// `<target>/debug/deps/e2e-…` stands two folders below `<target>/debug/sectorlake`.
fn beside_this_test() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("sectorlake")
}

/// The binary, told nothing by the environment of whoever runs the tests.
pub(crate) fn command() -> Command {
    let mut command = Command::new(ours());
    for name in [
        "SECTORLAKE_LAKE",
        "SECTORLAKE_LOG",
        "RUST_LOG",
        "CLICOLOR_FORCE",
        "FORCE_COLOR",
    ] {
        command.env_remove(name);
    }
    command.env("NO_COLOR", "1").env("COLUMNS", "100");
    command
}
