//! Embeds the shared contracts of the repository, so that the binary knows them where a project ships none.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = Path::new(&required("CARGO_MANIFEST_DIR")?).join("../../schemas");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    for sector in directories(&root)? {
        println!("cargo::rerun-if-changed={}", sector.display());
        for entry in fs::read_dir(&sector)? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    let mut code = String::from("&[\n");
    for path in files {
        println!("cargo::rerun-if-changed={}", path.display());
        let (sector, table) = (stem(path.parent().unwrap_or(&root)), stem(&path));
        let full = fs::canonicalize(&path)?;
        code.push_str(&format!(
            "    (\"{sector}\", \"{table}\", include_str!({full:?})),\n"
        ));
    }
    code.push_str("]\n");
    fs::write(PathBuf::from(required("OUT_DIR")?).join("builtin.rs"), code)
}

fn required(name: &str) -> io::Result<String> {
    env::var(name).map_err(|error| io::Error::other(format!("{name}: {error}")))
}

fn directories(root: &Path) -> io::Result<Vec<PathBuf>> {
    if !root.is_dir() {
        return Ok(Vec::new());
    }
    let mut found: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
