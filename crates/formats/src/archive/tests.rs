#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::testing::{archive, block_on, options, part, read};

fn list(bytes: Vec<u8>, options: &ReadOptions) -> Result<Vec<Member>, FormatError> {
    block_on(async { members(&part("a.zip", bytes).await, options).await })
}

#[test]
fn members_in_their_order() {
    let bytes = archive(&[
        ("stops.txt", b"stop_id\n1\n"),
        ("sub/dir/", b""),
        ("sub/a.csv", b"a\n"),
    ]);
    let found = list(bytes, &ReadOptions::default()).unwrap();
    let names: Vec<_> = found
        .iter()
        .map(|member| (member.name.as_str(), member.size))
        .collect();
    assert_eq!(names, [("stops.txt", 10), ("sub/a.csv", 2)]);
    assert!(
        list(archive(&[]), &ReadOptions::default())
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_member_streams() {
    let text: String = (0..5000).map(|row| format!("{row},name {row}\n")).collect();
    let bytes = archive(&[
        ("a.csv", format!("id,name\n{text}").as_bytes()),
        ("empty.csv", b""),
    ]);
    block_on(async {
        let part = part("a.zip", bytes).await;
        let all = read(&part, Some("a.csv"), None, &options(100, 3, 64))
            .await
            .unwrap();
        assert_eq!(all.rows.len(), 5000);
        assert_eq!(all.rows[&5000][1].as_deref(), Some("name 4999"));
        let empty = read(&part, Some("empty.csv"), None, &ReadOptions::default())
            .await
            .unwrap_err();
        assert_eq!(empty.to_string(), "a.zip!empty.csv is empty");
    });
}

#[test]
fn names_that_climb() {
    for name in [
        "../a",
        "a/../../b",
        "/etc/passwd",
        "a\\..\\b",
        "C:evil",
        "..",
        "a/..",
    ] {
        assert!(climbs(name), "{name}");
    }
    for name in ["a", "a/b", "a..b", "...", "a/..b/c", "xi:name"] {
        assert!(!climbs(name), "{name}");
    }
}

#[test]
fn what_is_declared_need_not_be_true() {
    let mut bytes = archive(&[("a.csv", &[b'a'; 1000])]);
    let at = bytes
        .windows(4)
        .position(|window| window == b"PK\x01\x02")
        .unwrap();
    bytes[at + 24..at + 28].copy_from_slice(&10_u32.to_le_bytes());
    let bounds = ReadOptions {
        unpacked_bytes_max: 500,
        ..ReadOptions::default()
    };
    block_on(async {
        let part = part("a.zip", bytes).await;
        assert!(read(&part, Some("a.csv"), None, &bounds).await.is_err());
    });
}

#[test]
fn damage_is_told() {
    let mut bytes = archive(&[("a.csv", b"a,b\n1,2\n3,4\n5,6\n7,8\n9,10\n1,2\n3,4\n5,6\n")]);
    bytes[45] ^= 0x55;
    block_on(async {
        let part = part("a.zip", bytes).await;
        let error = read(&part, Some("a.csv"), None, &ReadOptions::default())
            .await
            .unwrap_err();
        assert!(matches!(error, FormatError::Zip { .. }), "{error}");
    });
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..150) {
        drop(list(bytes.clone(), &ReadOptions::default()));
        let mut damaged = archive(&[("a.csv", b"a,b\n1,2\n"), ("b.csv", b"c\n")]);
        for (index, byte) in bytes.iter().take(4).enumerate() {
            let at = (at + index * 37) % damaged.len();
            damaged[at] = *byte;
        }
        block_on(async {
            let part = part("a.zip", damaged).await;
            drop(read(&part, Some("a.csv"), None, &ReadOptions::default()).await);
        });
    }
}
