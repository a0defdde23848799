//! The client against a server that fails, hand in hand with a clock that moves when someone sleeps.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;

use super::*;
use crate::address::UrlSetting;
use crate::kit::{Exchange, Fault, Server, TestPace};
use crate::registry::MakeContext;

struct Bench {
    server: Server,
    pace: Arc<TestPace>,
    http: Http,
}

/// Larger than what one packet or buffer brings.
fn long(seed: u8) -> Vec<u8> {
    (0..3_000_000u32)
        .map(|index| (index >> 8) as u8 ^ index as u8 ^ seed)
        .collect()
}

async fn bench(body: Vec<u8>) -> Bench {
    let server = Server::start(vec![Exchange::new("/a", body)])
        .await
        .unwrap();
    let pace = Arc::new(TestPace::default());
    let http = Http::new(crate::kit::limits(), Arc::clone(&pace) as Arc<dyn Pace>).unwrap();
    Bench { server, pace, http }
}

impl Bench {
    async fn open(&self) -> Result<Response, ConnectorError> {
        let context = MakeContext::new(".", "demo", |_| None);
        let url = UrlSetting::new(&format!("{}/a", self.server.url()));
        let request = Request::get(url.resolve(&["url"], &context).unwrap());
        match self.http.get(&request).await? {
            Answer::Fresh(response) => Ok(response),
            Answer::Unchanged => unreachable!("no validators were sent"),
        }
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_goes_on_behind_what_was_given() {
    let bench = bench(long(1)).await;
    bench.server.fail(Fault::Truncated, 3);
    let body = bench.open().await.unwrap().body;
    let chunks: Vec<Bytes> = body.try_collect().await.unwrap();
    assert!(chunks.concat() == long(1), "other bytes");
    assert_eq!(bench.server.asked().len(), 4);
}

#[tokio::test]
async fn a_body_that_changed_meanwhile_is_not_patched_together() {
    for other in [long(2), long(1)[..10].to_vec()] {
        let bench = bench(long(1)).await;
        bench.server.fail(Fault::Truncated, 1);
        let body = bench.open().await.unwrap().body;
        bench.server.play(vec![Exchange::new("/a", other)]);
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
    let bench = bench(vec![1]).await;
    let wait = vec![("Retry-After".to_owned(), "86400".to_owned())];
    bench.server.fail(Fault::Status(429, wait), 1);
    let error = bench.open().await.unwrap_err();
    assert!(
        error.to_string().ends_with("; it asks us to wait 86400 s"),
        "{error}"
    );
    assert_eq!(bench.server.asked().len(), 1);
    assert_eq!(bench.pace.slept(), [Duration::ZERO; 0]);
}

#[tokio::test]
async fn nobody_there_is_told_after_the_last_attempt() {
    let bench = bench(vec![1]).await;
    let http = bench.http.clone();
    let url = bench.server.url().to_owned();
    drop(bench);
    let context = MakeContext::new(".", "demo", |_| None);
    let url = UrlSetting::new(&url).resolve(&["url"], &context).unwrap();
    let error = http.get(&Request::get(url)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.to_string().ends_with("; asked 5 times"), "{error}");
}
