//! Bodies that break off, from sources that give the rest alone.

use std::time::Duration;

use super::breaking::long;
use super::*;

/// What a source says of its file.
const ETAG: &str = "ETag: \"v1\"";

/// Half of the body, then the rest as `rest` answers.
async fn halved(
    headers: &'static [&'static str],
    rest: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
) -> Server {
    Server::start(move |before, asked| {
        if before > 0 {
            return rest(asked);
        }
        let Reply::Bytes(mut whole) = answer(200, headers, long(1)) else {
            unreachable!("an answer is bytes")
        };
        whole.truncate(whole.len() - 1_500_000);
        Reply::Bytes(whole)
    })
    .await
}

fn from(asked: &Asked) -> usize {
    let range = asked.header("range").unwrap_or("bytes=0-");
    let from = range.trim_start_matches("bytes=").trim_end_matches('-');
    from.parse().unwrap()
}

/// A well-behaved answer of the rest.
fn rest_of(asked: &Asked, headers: &[&str]) -> Reply {
    let (body, from) = (long(1), from(asked));
    let range = format!(
        "Content-Range: bytes {from}-{}/{}",
        body.len() - 1,
        body.len()
    );
    let lines: Vec<&str> = headers.iter().copied().chain([range.as_str()]).collect();
    answer(206, &lines, &body[from..])
}

#[tokio::test]
async fn only_the_rest_is_asked_for() {
    const DATE: &str = "Last-Modified: Wed, 01 Jan 2025 00:00:00 GMT";
    for (header, validator) in [(ETAG, "\"v1\""), (DATE, &DATE[15..])] {
        let headers: &'static [&'static str] = Box::leak(Box::new([header]));
        let server = halved(headers, move |asked| rest_of(asked, &[header])).await;
        let read = plain().read(&server.url("/a")).await.unwrap();
        assert!(read == long(1), "other bytes");
        let asked = &server.asked()[1];
        assert_eq!(asked.header("if-range"), Some(validator));
        // Every byte came once.
        assert!(
            from(asked) > 0 && from(asked) <= 1_500_000,
            "{}",
            from(asked)
        );
        assert_eq!(server.asked().len(), 2);
    }
}

#[tokio::test]
async fn a_weak_tag_or_none_is_no_ground_for_a_rest() {
    let all: [&'static [&'static str]; 3] =
        [&["ETag: W/\"v1\""], &[], &[ETAG, "Accept-Ranges: none"]];
    for headers in all {
        let server = halved(headers, move |_| answer(200, headers, long(1))).await;
        assert!(
            plain().read(&server.url("/a")).await.unwrap() == long(1),
            "other bytes"
        );
        assert_eq!(server.asked()[1].header("range"), None);
    }
}

#[tokio::test]
async fn a_source_that_gives_the_whole_instead_is_read_up_to_there() {
    let server = halved(&[ETAG], |_| answer(200, &[ETAG], long(1))).await;
    assert!(
        plain().read(&server.url("/a")).await.unwrap() == long(1),
        "other bytes"
    );
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_rest_of_another_version_is_refused() {
    let rests: [fn(&Asked) -> Reply; 4] = [
        // If-Range says: no longer the same, so here is the new one, whole.
        |_| answer(200, &["ETag: \"v2\""], long(2)),
        |asked| rest_of(asked, &["ETag: \"v2\""]),
        |_| answer(416, &["Content-Range: bytes */10"], ""),
        |_| answer(200, &["ETag: \"v1\""], long(2)),
    ];
    for rest in rests {
        let server = halved(&[ETAG], rest).await;
        let error = plain().fails(&server.url("/a")).await;
        assert_eq!(error.kind, ErrorKind::Changed);
    }
}

#[tokio::test]
async fn a_wrong_content_range_is_refused_and_the_whole_is_read() {
    let wrong: [&'static str; 4] = [
        "Content-Range: bytes 0-1499999/3000000",
        "Content-Range: bytes 1500000-2999999/4000000",
        "Content-Range: bytes 9-1/2",
        "X-No: range",
    ];
    for line in wrong {
        let server = halved(&[ETAG], move |asked| match asked.header("range") {
            Some(_) => answer(206, &[ETAG, line], &long(2)[..1_500_000]),
            None => answer(200, &[ETAG], long(1)),
        })
        .await;
        assert!(
            plain().read(&server.url("/a")).await.unwrap() == long(1),
            "{line}"
        );
        let ranges: Vec<bool> = server
            .asked()
            .iter()
            .map(|asked| asked.header("range").is_some())
            .collect();
        assert_eq!(ranges, [false, true, false], "{line}");
    }
}

#[tokio::test]
async fn a_rest_of_another_length_than_it_tells_is_refused_and_the_whole_is_read() {
    // By how many bytes the body and its Content-Length differ from the range.
    for (body_more, length_more, is_chunked) in [
        (100, 100, false),
        (-100, -100, false),
        (0, 100, false),
        (100, 0, true),
    ] {
        let server = halved(&[ETAG], move |asked| {
            let whole = long(1);
            if asked.header("range").is_none() {
                return answer(200, &[ETAG], whole);
            }
            let from = from(asked);
            let range = format!(
                "Content-Range: bytes {from}-{}/{}",
                whole.len() - 1,
                whole.len()
            );
            let mut rest = [&whole[from..], &[b'x'; 200]].concat();
            rest.truncate((whole.len() - from).saturating_add_signed(body_more));
            if is_chunked {
                let mut sent = format!("{:x}\r\n", rest.len()).into_bytes();
                sent.extend_from_slice(&rest);
                sent.extend_from_slice(b"\r\n0\r\n\r\n");
                return answer(206, &[ETAG, &range, "Transfer-Encoding: chunked"], sent);
            }
            let length = (whole.len() - from).saturating_add_signed(length_more);
            answer(
                206,
                &[ETAG, &range, &format!("Content-Length: {length}")],
                rest,
            )
        })
        .await;
        let read = plain().read(&server.url("/a")).await.unwrap();
        assert!(read == long(1), "{body_more} {length_more}: other bytes");
        assert_eq!(
            server.asked()[2].header("range"),
            None,
            "{body_more} {length_more}"
        );
        assert_eq!(server.asked().len(), 3, "{body_more} {length_more}");
    }
}

#[tokio::test]
async fn a_file_that_breaks_off_over_and_over_comes_through_as_long_as_it_moves() {
    // 8 pieces of 5 MB, where five attempts are allowed.
    let body: Arc<Vec<u8>> = Arc::new(
        (0..40_000_000u32)
            .map(|index| (index >> 12) as u8)
            .collect(),
    );
    let sent = Arc::clone(&body);
    let server = Server::start(move |_, asked| {
        let from = from(asked);
        let range = format!(
            "Content-Range: bytes {from}-{}/{}",
            sent.len() - 1,
            sent.len()
        );
        let length = format!("Content-Length: {}", sent.len() - from);
        let piece = &sent[from..sent.len().min(from + 5_000_000)];
        match from {
            0 => answer(200, &[ETAG, &length], piece),
            _ => answer(206, &[ETAG, &range, &length], piece),
        }
    })
    .await;
    let read = plain().read(&server.url("/a")).await.unwrap();
    assert!(read == *body, "other bytes");
    assert!(server.asked().len() >= 8);
}

/// A source that gives so many bytes of its file at a time, and then hangs up.
async fn stingy(piece: usize) -> Server {
    Server::start(move |_, asked| {
        let (body, from) = (long(1), from(asked));
        let length = format!("Content-Length: {}", body.len() - from);
        let range = format!(
            "Content-Range: bytes {from}-{}/{}",
            body.len() - 1,
            body.len()
        );
        let piece = &body[from..body.len().min(from + piece)];
        match from {
            0 => answer(200, &[ETAG, &length], piece),
            _ => answer(206, &[ETAG, &range, &length], piece),
        }
    })
    .await
}

#[tokio::test]
async fn attempts_that_win_a_little_do_not_count() {
    let server = stingy(150_000).await;
    let bench = bench(json!({ "allow_private": true, "attempts": 3 }));
    let read = bench.read(&server.url("/a")).await.unwrap();
    assert!(read == long(1), "other bytes");
    assert_eq!(server.asked().len(), 20);
    // No byte was asked for twice.
    let ranges: Vec<usize> = server.asked().iter().map(from).collect();
    let expected: Vec<usize> = (0..20).map(|piece| piece * 150_000).collect();
    assert_eq!(ranges, expected);
    // As none of them failed, no pause was longer than the first.
    let longest = bench.pace.slept().into_iter().max().unwrap();
    assert!(longest <= Duration::from_millis(500), "{longest:?}");
}

#[tokio::test]
async fn they_count_once_the_time_for_an_answer_is_over() {
    let server = stingy(10_000).await;
    let settings = json!({ "allow_private": true, "attempts": 3, "timeouts": { "total": "10s" } });
    let bench = bench(settings);
    let error = bench.fails(&server.url("/a")).await;
    assert_eq!(error.kind, ErrorKind::Truncated);
    let slept: Duration = bench.pace.slept().into_iter().sum();
    assert!(slept >= Duration::from_secs(10), "{slept:?}");
    assert!(slept < Duration::from_secs(13), "{slept:?}");
}

#[tokio::test]
async fn mere_drops_are_failures() {
    let server = stingy(1000).await;
    let error = plain().fails(&server.url("/a")).await;
    assert_eq!(error.kind, ErrorKind::Truncated);
    assert_eq!(server.asked().len(), 5);
}

#[tokio::test]
async fn attempts_that_win_nothing_count_as_ever() {
    let server = Server::start(|_, asked| {
        let (body, from) = (long(1), from(asked));
        let length = format!("Content-Length: {}", body.len() - from);
        let range = format!(
            "Content-Range: bytes {from}-{}/{}",
            body.len() - 1,
            body.len()
        );
        match from {
            0 => answer(200, &[ETAG, &length], &body[..1_500_000]),
            _ => answer(206, &[ETAG, &range, &length], ""),
        }
    })
    .await;
    let error = plain().fails(&server.url("/a")).await;
    assert_eq!(error.kind, ErrorKind::Truncated);
    assert_eq!(server.asked().len(), 5);
}

#[tokio::test]
async fn checksums_are_checked_over_all_that_came() {
    let right = "Repr-Digest: sha-256=:DIGEST:";
    let digest = {
        use base64::Engine as _;
        use sha2::Digest as _;
        base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(long(1)))
    };
    let line: &'static str = Box::leak(right.replace("DIGEST", &digest).into_boxed_str());
    let headers: &'static [&'static str] = Box::leak(Box::new([ETAG, line]));
    let server = halved(headers, |asked| rest_of(asked, &[ETAG])).await;
    assert!(plain().read(&server.url("/a")).await.unwrap() == long(1));
    // A rest that is not of the same bytes is found out at the end.
    let server = halved(headers, |asked| {
        let (body, from) = (long(2), from(asked));
        let range = format!("Content-Range: bytes {from}-2999999/3000000");
        answer(206, &[ETAG, &range], &body[from..])
    })
    .await;
    let error = plain().fails(&server.url("/a")).await;
    assert_eq!(error.kind, ErrorKind::Corrupt);
    assert_eq!(
        said(&error, &server),
        "http://SERVER/a: the bytes are not those whose checksum Repr-Digest tells / run the pipeline again; if it stays, something between here and the publisher changes the file"
    );
}

#[tokio::test]
async fn the_settings_may_tell_the_checksum() {
    let server = Server::start(|_, _| answer(200, &[], "hello world")).await;
    let sha256 = "sha256:b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
    for (checksum, kind) in [
        (sha256.to_owned(), None),
        (sha256.replace("b94d", "aaaa"), Some(ErrorKind::Corrupt)),
    ] {
        let bench = bench(json!({ "allow_private": true, "checksum": checksum }));
        let read = bench.read(&server.url("/a")).await;
        assert_eq!(read.err().map(|error| error.kind), kind);
    }
    let error = config(json!({ "url": ["a", "b"], "checksum": sha256 })).unwrap_err();
    assert_eq!(error.to_string(), "checksum: does not fit several files");
}
