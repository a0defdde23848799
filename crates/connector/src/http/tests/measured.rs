//! Figures of politeness, measured at an upstream that misbehaves, on a clock that stands still while anything moves.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::io::Validators;
use crate::pace::spread;

/// Turns that others get before nothing moves any more.
const TURNS: usize = 300;

/// Time passes only when all wait: then it is the time that the first of the sleepers waits for.
#[derive(Default)]
struct Still {
    passed: Mutex<Duration>,
    sleepers: Mutex<BTreeSet<(Duration, u64)>>,
    /// Counts whatever moves.
    moves: AtomicU64,
    chance: AtomicU64,
}

impl Still {
    fn passed(&self) -> Duration {
        *self.passed.lock().unwrap()
    }

    fn moves(&self) -> u64 {
        self.moves.fetch_add(1, Ordering::Relaxed)
    }
}

#[async_trait]
impl Pace for Still {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::from_std(self.passed()).unwrap()
    }

    async fn sleep(&self, time: Duration) {
        let me = (self.passed() + time, self.moves());
        self.sleepers.lock().unwrap().insert(me);
        while self.passed() < me.0 {
            let before = self.moves.load(Ordering::Relaxed);
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            let is_still = self.moves.load(Ordering::Relaxed) == before;
            let is_first = self.sleepers.lock().unwrap().first() == Some(&me);
            if is_still && is_first {
                *self.passed.lock().unwrap() = me.0;
            }
        }
        self.sleepers.lock().unwrap().remove(&me);
        self.moves();
    }

    fn jitter(&self) -> f64 {
        spread(&self.chance)
    }
}

/// What the upstream saw.
#[derive(Debug, Default)]
struct Seen {
    /// When each question came, and what it was answered with.
    asked: Vec<(Duration, u16)>,
    inside: usize,
    most_inside: usize,
    conditional: usize,
    body_bytes: usize,
}

/// An upstream that takes its time, and answers as told by how many were asked before.
struct Upstream {
    url: String,
    seen: Arc<Mutex<Seen>>,
    pace: Arc<Still>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

const SERVICE: Duration = Duration::from_millis(700);

impl Upstream {
    async fn start(status: impl Fn(usize) -> (u16, &'static str) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (seen, pace) = (
            Arc::new(Mutex::new(Seen::default())),
            Arc::new(Still::default()),
        );
        let (saw, clock, status) = (Arc::clone(&seen), Arc::clone(&pace), Arc::new(status));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (saw, clock, status) =
                    (Arc::clone(&saw), Arc::clone(&clock), Arc::clone(&status));
                tokio::spawn(async move { serve(stream, &saw, &clock, status.as_ref()).await });
            }
        });
        Self {
            url,
            seen,
            pace,
            task,
        }
    }

    fn http(&self, settings: serde_json::Value) -> Http {
        let pace = Arc::clone(&self.pace) as Arc<dyn Pace>;
        let http = Http::new(crate::kit::limits(), pace).unwrap();
        http.configured(&Arc::new(config(settings).unwrap()))
            .unwrap()
    }

    /// So many partitions, side by side, each with so many questions, one after the other.
    async fn ask(&self, http: &Http, partitions: usize, questions: usize) {
        let all = (0..partitions).map(|partition| async move {
            for question in 0..questions {
                let url = source(&format!("{}/{partition}/{question}", self.url));
                if let Ok(Answer::Fresh(answer)) = http.get(&Request::get(url)).await {
                    answer.read(1000).await.unwrap();
                }
                self.pace.moves();
            }
        });
        futures::future::join_all(all).await;
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Seen>,
    pace: &Still,
    status: &(dyn Fn(usize) -> (u16, &'static str) + Send + Sync),
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else {
            return;
        };
        head.push(byte);
    }
    pace.moves();
    let is_known = String::from_utf8_lossy(&head).contains("if-none-match: \"v1\"");
    let (status, line) = {
        let mut seen = seen.lock().unwrap();
        let (status, line) = match is_known {
            true => (304, ""),
            false => status(seen.asked.len()),
        };
        seen.asked.push((pace.passed(), status));
        seen.inside += 1;
        seen.most_inside = seen.most_inside.max(seen.inside);
        seen.conditional += usize::from(is_known);
        seen.body_bytes += usize::from(status == 200);
        (status, line)
    };
    pace.sleep(SERVICE).await;
    let length = usize::from(status == 200);
    let answer = format!(
        "HTTP/1.1 {status} X\r\nConnection: close\r\nETag: \"v1\"\r\n{line}Content-Length: {length}\r\n\r\n{}",
        &"1"[..length]
    );
    seen.lock().unwrap().inside -= 1;
    // A client that goes away is no fault of ours.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
    pace.moves();
}

/// The most questions that came within a second.
fn most_per_second(asked: &[(Duration, u16)]) -> usize {
    let within = |from: Duration| {
        let all = asked.iter().map(|(at, _)| *at);
        all.filter(|at| (from..from + Duration::from_secs(1)).contains(at))
            .count()
    };
    asked.iter().map(|(at, _)| within(*at)).max().unwrap()
}

#[tokio::test]
async fn partitions_side_by_side_never_exceed_the_rate_nor_the_places() {
    let mut figures = Vec::new();
    for (rate, gap_ms, concurrent) in [
        (json!({ "per_second": 4, "concurrent": 3 }), 250, 3),
        (json!({ "per_second": 0.5 }), 2000, 2),
        (json!({ "per_second": 20, "concurrent": 1 }), 50, 1),
        (json!({}), 100, 2),
    ] {
        let upstream = Upstream::start(|_| (200, "")).await;
        let http = upstream.http(json!({ "rate": rate }));
        upstream.ask(&http, 6, 10).await;
        let seen = upstream.seen.lock().unwrap();
        assert_eq!(seen.asked.len(), 60);
        let most = most_per_second(&seen.asked);
        let gap = seen
            .asked
            .windows(2)
            .map(|pair| pair[1].0 - pair[0].0)
            .min();
        let gap = gap.unwrap().as_millis();
        assert!(gap >= gap_ms, "{rate}: {gap} ms apart");
        assert!(
            most as u128 <= 1000_u128.div_ceil(gap_ms),
            "{rate}: {most} in a second"
        );
        assert!(
            seen.most_inside <= concurrent,
            "{rate}: {} at once",
            seen.most_inside
        );
        figures.push(format!(
            "{rate}: at most {most} in a second and {} at once, {} ms apart at least, 60 in {:.1} s",
            seen.most_inside,
            gap,
            upstream.pace.passed().as_secs_f64()
        ));
    }
    insta::assert_snapshot!(figures.join("\n"), @r#"
    {"concurrent":3,"per_second":4}: at most 4 in a second and 3 at once, 250 ms apart at least, 60 in 15.4 s
    {"per_second":0.5}: at most 1 in a second and 1 at once, 2000 ms apart at least, 60 in 118.7 s
    {"concurrent":1,"per_second":20}: at most 2 in a second and 1 at once, 700 ms apart at least, 60 in 42.0 s
    {}: at most 4 in a second and 2 at once, 100 ms apart at least, 60 in 21.1 s
    "#);
}

#[tokio::test]
async fn retry_after_keeps_every_partition_away_to_the_second() {
    // Every tenth question is refused.
    let upstream = Upstream::start(|before| match before % 10 {
        9 => (429, "Retry-After: 7\r\n"),
        _ => (200, ""),
    })
    .await;
    let http = upstream.http(json!({ "rate": { "per_second": 10, "concurrent": 3 } }));
    upstream.ask(&http, 4, 10).await;
    let seen = upstream.seen.lock().unwrap();
    let wait = Duration::from_secs(7);
    let mut waits = Vec::new();
    for (at, status) in &seen.asked {
        if *status != 429 {
            continue;
        }
        // The refusal is there when it has been served; what was asked before is under way.
        let told = *at + SERVICE;
        let early: Vec<_> = seen
            .asked
            .iter()
            .filter(|(at, _)| (told..told + wait).contains(at))
            .collect();
        assert_eq!(early, Vec::<&(Duration, u16)>::new(), "refused at {at:?}");
        let next = seen
            .asked
            .iter()
            .map(|(at, _)| *at)
            .filter(|at| *at >= told)
            .min();
        waits.extend(next.map(|next| (next - told).as_millis()));
    }
    let loaded = seen
        .asked
        .iter()
        .filter(|(_, status)| *status == 200)
        .count();
    insta::assert_snapshot!(format!(
        "{} questions, {loaded} answered, {} refused; the next after each refusal came after {waits:?} ms",
        seen.asked.len(),
        seen.asked.len() - loaded
    ), @"44 questions, 40 answered, 4 refused; the next after each refusal came after [7000, 7000, 7000, 7000] ms");
}

#[tokio::test]
async fn what_is_unchanged_costs_one_question_each_and_no_body() {
    let upstream = Upstream::start(|_| (200, "")).await;
    let http = upstream.http(json!({}));
    upstream.ask(&http, 2, 10).await;
    let before = upstream.seen.lock().unwrap().body_bytes;
    for number in 0..20 {
        let url = source(&format!("{}/{}/{}", upstream.url, number / 10, number % 10));
        let known = Validators {
            etag: Some("\"v1\"".to_owned()),
            last_modified: None,
        };
        let asked = http
            .get(&Request::get(url).if_changed_since(Some(known)))
            .await;
        assert!(matches!(asked.unwrap(), Answer::Unchanged));
        upstream.pace.moves();
    }
    let seen = upstream.seen.lock().unwrap();
    let (asked, bytes) = (seen.asked.len() - 20, seen.body_bytes - before);
    assert_eq!((asked, seen.conditional, bytes), (20, 20, 0));
}
