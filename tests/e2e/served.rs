//! A server on this machine that gives recorded answers, and projects that are loaded from it or from files.

use serde_json::Value;
use tokio::runtime::Runtime;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::harness::{Project, repository};

/// A server with its runtime.
pub(crate) struct Served {
    _runtime: Runtime,
    server: MockServer,
}

impl Served {
    /// Gives each body where its path and query are asked for.
    pub(crate) fn start(answers: Vec<(String, Vec<u8>)>) -> Self {
        let (runtime, server) = server();
        for (target, body) in answers {
            let is_asked = move |request: &Request| {
                let query = request.url.query().map(|query| format!("?{query}"));
                format!("{}{}", request.url.path(), query.unwrap_or_default()) == target
            };
            let answer = ResponseTemplate::new(200).set_body_raw(body, "application/octet-stream");
            runtime.block_on(Mock::given(is_asked).respond_with(answer).mount(&server));
        }
        Self {
            _runtime: runtime,
            server,
        }
    }

    pub(crate) fn url(&self) -> String {
        self.server.uri()
    }
}

/// A server that answers nothing yet, and the runtime that it lives in.
pub(crate) fn server() -> (Runtime, MockServer) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(MockServer::start());
    (runtime, server)
}

/// A file of `tests/recordings`.
pub(crate) fn recording(name: &str) -> Vec<u8> {
    std::fs::read(repository().join("tests/recordings").join(name)).unwrap()
}

/// A project with one pipeline of this file, run; `TESTS` stands for the folder of the tests.
pub(crate) fn loaded(sector: &str, pipeline: &str) -> Project {
    let project = Project::empty();
    let tests = repository().join("tests");
    let pipeline = pipeline.replace("TESTS", &tests.display().to_string());
    project.file(&format!("pipelines/{sector}/demo.yaml"), pipeline);
    project.run(&["demo"]).ok();
    project
}

/// A project with a pipeline of each example that a crate of connectors ships, and how many there are.
pub(crate) fn examples(sector: &str) -> (Project, usize) {
    let project = Project::empty();
    let mut found = 0;
    let sources = repository().join(format!("crates/connector-{sector}/src"));
    for entry in std::fs::read_dir(sources).unwrap() {
        let path = entry.unwrap().path();
        let Ok(example) = std::fs::read(path.join("example.yaml")) else {
            continue;
        };
        let name = path.file_name().unwrap().to_string_lossy();
        let name = name.replace('_', "-");
        project.file(&format!("pipelines/{sector}/{name}.yaml"), example);
        found += 1;
    }
    (project, found)
}

/// The values of an answer's rows, `|` between them.
pub(crate) fn lines(project: &Project, statement: &str) -> String {
    let value = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let line = |row: &Value| {
        let values = row.as_object().unwrap().values();
        values.map(value).collect::<Vec<_>>().join(" | ")
    };
    let rows = project.sql(statement);
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
