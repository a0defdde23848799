//! `sectorlake init`: a small working project.

use std::fs;
use std::io;
use std::path::Path;

use crate::answer::say;
use crate::args::InitArgs;
use crate::exit::{Exit, Failure};

/// What a new project holds. The sample has one value that breaks the contract, so that `rejected` has something to show.
const FILES: [(&str, &str); 4] = [
    (
        "schemas/environment/rainfall.json",
        include_str!("init/contract.json"),
    ),
    (
        "pipelines/environment/rainfall.yaml",
        include_str!("init/pipeline.yaml"),
    ),
    ("data/rainfall.csv", include_str!("init/sample.csv")),
    (".gitignore", include_str!("init/gitignore")),
];

/// Makes the project and says what to do with it.
///
/// # Errors
/// The folder is not empty or cannot be written.
pub(crate) fn run(args: &InitArgs) -> Result<Exit, Failure> {
    make(&args.dir)?;
    say(&next_steps(&args.dir))?;
    Ok(Exit::Ok)
}

fn make(dir: &Path) -> Result<(), Failure> {
    match fs::read_dir(dir).map(|mut entries| entries.next().is_none()) {
        Ok(true) => {}
        Ok(false) => {
            return Err(
                Failure::new(Exit::Usage, format!("{} is not empty", dir.display()))
                    .help("name a folder that does not exist yet, or an empty one"),
            );
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(cannot_write(dir, &error)),
    }
    for (name, text) in FILES {
        let path = dir.join(name);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| cannot_write(&path, &error))?;
    }
    Ok(())
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        Exit::Usage,
        format!("cannot write {}: {error}", path.display()),
    )
    .help("name a folder that may be written")
}

fn next_steps(dir: &Path) -> String {
    let width = FILES
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or_default();
    let about = [
        "what the table promises",
        "where its rows come from",
        "a made-up sample",
        "keeps the lake out of Git",
    ];
    let mut text = format!("A project in {}:\n\n", dir.display());
    for ((name, _), about) in FILES.iter().zip(about) {
        text.push_str(&format!("  {name:width$}  {about}\n"));
    }
    text.push_str(&format!(
        "\nTry:\n\n  cd {}\n  sectorlake run --all\n  sectorlake rejected\n  sectorlake sql 'SELECT gauge_id, round(sum(rain), 1) AS rain FROM environment.rainfall GROUP BY gauge_id ORDER BY gauge_id'\n",
        shell_word(&dir.display().to_string())
    ));
    text
}

/// The word as a shell takes it.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '~' | '+');
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_project_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("my city");
        make(&dir).unwrap();
        for (name, text) in FILES {
            assert_eq!(fs::read_to_string(dir.join(name)).unwrap(), text);
        }
        let refused = make(&dir).unwrap_err();
        assert_eq!(refused.exit, Exit::Usage);
        assert!(
            refused.message.ends_with("my city is not empty"),
            "{refused}"
        );
        assert!(
            make(&dir.join("data/rainfall.csv"))
                .unwrap_err()
                .message
                .contains("cannot write")
        );
    }

    #[test]
    fn what_to_do_next() {
        insta::assert_snapshot!(next_steps(Path::new("my city")), @"
        A project in my city:

          schemas/environment/rainfall.json    what the table promises
          pipelines/environment/rainfall.yaml  where its rows come from
          data/rainfall.csv                    a made-up sample
          .gitignore                           keeps the lake out of Git

        Try:

          cd 'my city'
          sectorlake run --all
          sectorlake rejected
          sectorlake sql 'SELECT gauge_id, round(sum(rain), 1) AS rain FROM environment.rainfall GROUP BY gauge_id ORDER BY gauge_id'
        ");
    }
}
