//! Bodies that break off, from sources that cannot give the rest alone.

use std::time::Duration;

use super::*;
use crate::kit::{Exchange, Fault};

/// Larger than what one packet or buffer brings.
pub(super) fn long(seed: u8) -> Vec<u8> {
    (0..3_000_000u32)
        .map(|index| (index >> 8) as u8 ^ index as u8 ^ seed)
        .collect()
}

async fn recorded(body: Vec<u8>) -> crate::kit::Server {
    let exchange = vec![Exchange::new("/a", body)];
    crate::kit::Server::start(exchange).await.unwrap()
}

#[tokio::test]
async fn a_body_that_breaks_off_goes_on_behind_what_was_given() {
    let server = recorded(long(1)).await;
    server.fail(Fault::Truncated, 3);
    let read = plain().read(&format!("{}/a", server.url())).await.unwrap();
    assert!(read == long(1), "other bytes");
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn a_body_that_changed_meanwhile_is_not_patched_together() {
    for other in [long(2), long(1)[..10].to_vec()] {
        let server = recorded(long(1)).await;
        server.fail(Fault::Truncated, 1);
        let body = plain()
            .open(&format!("{}/a", server.url()))
            .await
            .unwrap()
            .body;
        server.play(vec![Exchange::new("/a", other)]);
        let error = body.try_collect::<Vec<Bytes>>().await.unwrap_err();
        assert_eq!((error.kind, error.retryable), (ErrorKind::Changed, false));
        assert!(
            error
                .to_string()
                .ends_with("the source changed while it was read"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_source_may_not_make_us_wait_for_ever() {
    let server = Server::start(|_, _| answer(429, &["Retry-After: 86400"], "")).await;
    let bench = plain();
    let error = bench.fails(&server.url("/a")).await;
    assert!(
        error.to_string().ends_with("; it asks us to wait 86400 s"),
        "{error}"
    );
    assert_eq!(server.asked().len(), 1);
    assert_eq!(bench.pace.slept(), [Duration::ZERO; 0]);
}

#[tokio::test]
async fn nobody_there_is_told_after_the_last_attempt() {
    let server = Server::start(|_, _| answer(200, &[], "")).await;
    let url = server.url("/a");
    drop(server);
    let error = plain().fails(&url).await;
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.to_string().ends_with("; asked 5 times"), "{error}");
}

#[tokio::test]
async fn a_length_that_is_wrong_is_seen() {
    let server = Server::start(|_, _| answer(200, &["Content-Length: 9"], "12345")).await;
    let error = plain().fails(&server.url("/a")).await;
    assert_eq!(error.kind, ErrorKind::Truncated);
    assert_eq!(server.asked().len(), 5);
    // An answer in pieces without its last one is cut short too.
    let chunked = "5\r\n12345\r\n";
    let server =
        Server::start(move |_, _| answer(200, &["Transfer-Encoding: chunked"], chunked)).await;
    assert_eq!(
        plain().fails(&server.url("/a")).await.kind,
        ErrorKind::Truncated
    );
}

#[tokio::test]
async fn what_is_larger_than_the_bound_is_not_read() {
    let bench = bench(json!({ "allow_private": true, "max_size": "1MB" }));
    let told = Server::start(|_, _| {
        Reply::Hold(b"HTTP/1.1 200 X\r\nContent-Length: 1000001\r\n\r\n".to_vec())
    })
    .await;
    let endless = Server::start(|_, _| {
        let head = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        Reply::Endless(
            head,
            b"400\r\n"
                .iter()
                .chain(&[b'x'; 0x400])
                .chain(b"\r\n")
                .copied()
                .collect(),
        )
    })
    .await;
    for server in [&told, &endless] {
        let error = bench.fails(&server.url("/a")).await;
        assert_eq!(error.kind, ErrorKind::TooLarge);
        assert_eq!(
            said(&error, server),
            "http://SERVER/a: the answer is larger than 1000000 bytes / if that is meant, write a larger `max_size:` under `source:`"
        );
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn silence_is_called_off() {
    let limits = Limits {
        attempts_max: 2,
        ..Limits::default()
    };
    let bench = bench_within(
        limits,
        json!({ "allow_private": true, "timeouts": { "idle": "50ms" } }),
    );
    let silent = Server::start(|_, _| Reply::Hold(Vec::new())).await;
    assert_eq!(
        bench.fails(&silent.url("/a")).await.kind,
        ErrorKind::Timeout
    );
    let half = Server::start(|_, _| {
        Reply::Hold(b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n12345".to_vec())
    })
    .await;
    assert_eq!(bench.fails(&half.url("/a")).await.kind, ErrorKind::Timeout);
    let total = bench_within(
        Limits {
            attempts_max: 1,
            ..Limits::default()
        },
        json!({ "allow_private": true, "timeouts": { "total": "50ms" } }),
    );
    let endless = Server::start(|_, _| {
        let head = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        Reply::Endless(head, b"1\r\nx\r\n".to_vec())
    })
    .await;
    assert_eq!(
        total.fails(&endless.url("/a")).await.kind,
        ErrorKind::Timeout
    );
}

/// Every look at the clock takes ten seconds.
#[derive(Default)]
struct Hasty(TestPace);

#[async_trait::async_trait]
impl Pace for Hasty {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        futures::FutureExt::now_or_never(self.0.sleep(Duration::from_secs(10)));
        self.0.now()
    }

    async fn sleep(&self, time: Duration) {
        self.0.sleep(time).await;
    }

    fn jitter(&self) -> f64 {
        1.0
    }
}

#[tokio::test]
async fn a_slow_drip_is_called_off() {
    let server = Server::start(|_, _| {
        let head = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        Reply::Endless(head, b"1\r\nx\r\n".to_vec())
    })
    .await;
    let limits = Limits {
        attempts_max: 1,
        ..Limits::default()
    };
    let http = Http::new(limits, Arc::new(Hasty::default())).unwrap();
    let config = config(json!({ "allow_private": true })).unwrap();
    let http = http.configured(&Arc::new(config)).unwrap();
    let asked = http.get(&Request::get(source(&server.url("/a")))).await;
    let error = asked.map(drop).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert_eq!(
        said(&error, &server),
        "http://SERVER/a: only 6 bytes came in 60 s; asked 1 times / run the pipeline again later; if the source needs longer, write `timeouts:` under `source:`"
    );
}
