//! The folder as a store: what is durable when, and what a kill or a full disk leaves.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::ErrorKind;

use futures::TryStreamExt;
use object_store::{Error, MultipartUpload, ObjectStoreExt, PutMode, PutPayload};

use super::*;
use crate::layout;

fn store() -> (tempfile::TempDir, DurableStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = DurableStore::new(folder.path()).unwrap();
    (folder, store)
}

async fn names(store: &DurableStore) -> Vec<String> {
    let mut names: Vec<String> = store
        .list(None)
        .map_ok(|file| file.location.to_string())
        .try_collect()
        .await
        .unwrap();
    names.sort();
    names
}

#[tokio::test]
async fn of_two_creators_one_wins_and_nothing_is_left_over() {
    let (folder, store) = store();
    let path = Path::from("snapshots/1.json");
    let puts = (0..8).map(|n: u8| {
        let (store, path) = (&store, &path);
        async move {
            store
                .put_opts(path, vec![n].into(), PutMode::Create.into())
                .await
                .is_ok()
        }
    });
    let won = futures::future::join_all(puts).await;
    assert_eq!(won.iter().filter(|&&won| won).count(), 1);
    let winner = won.iter().position(|&won| won).unwrap();
    let bytes = store.get(&path).await.unwrap().bytes().await.unwrap();
    assert_eq!(usize::from(bytes[0]), winner);
    let files = std::fs::read_dir(folder.path().join("snapshots"))
        .unwrap()
        .count();
    assert_eq!(files, 1, "no staged file is left");
}

#[tokio::test]
async fn data_files_wait_for_the_flush_and_others_do_not() {
    let (_folder, store) = store();
    let data = Path::from("tables/transport/stops/a.parquet");
    let log = Path::from("tables/transport/stops/_delta_log/0.json");
    store
        .put(&data, PutPayload::from_static(b"rows"))
        .await
        .unwrap();
    store
        .put(&log, PutPayload::from_static(b"{}"))
        .await
        .unwrap();
    assert!(store.syncs.is_pending(&data));
    assert!(!store.syncs.is_pending(&log));
    store.flush().await.unwrap();
    assert!(!store.syncs.is_pending(&data));
}

#[tokio::test]
async fn pieces_make_one_file_that_is_there_whole_or_not_at_all() {
    let (folder, store) = store();
    let path = Path::from("raw/bus/parts/a.bin");
    let mut upload = store.put_multipart(&path).await.unwrap();
    let second = upload.put_part(PutPayload::from_static(b"one "));
    let first = upload.put_part(PutPayload::from_static(b"two"));
    // Parts may be written in any order.
    first.await.unwrap();
    second.await.unwrap();
    assert!(names(&store).await.is_empty());
    upload.complete().await.unwrap();
    store.flush().await.unwrap();
    let bytes = store.get(&path).await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes.as_ref(), b"one two");

    let mut given_up = store
        .put_multipart(&Path::from("raw/bus/parts/b.bin"))
        .await
        .unwrap();
    given_up
        .put_part(PutPayload::from_static(b"x"))
        .await
        .unwrap();
    given_up.abort().await.unwrap();
    assert_eq!(
        std::fs::read_dir(folder.path().join("raw/bus/parts"))
            .unwrap()
            .count(),
        1
    );
    assert!(given_up.complete().await.is_err());
}

#[tokio::test]
async fn what_a_killed_process_left_is_invisible_and_swept() {
    let (folder, store) = store();
    let path = Path::from("raw/bus/parts/r1-a.bin");
    store
        .put(&path, PutPayload::from_static(b"whole"))
        .await
        .unwrap();
    let left = folder.path().join("raw/bus/parts/r0-b.bin#7");
    let alive = folder.path().join("raw/bus/parts/r1-c.bin#8");
    std::fs::write(&left, "half").unwrap();
    std::fs::write(&alive, "half").unwrap();
    assert_eq!(names(&store).await, [path.to_string()]);
    // A name that is taken by a leftover is passed over.
    store
        .put(&Path::from("raw/bus/parts/r0-b.bin"), PutPayload::default())
        .await
        .unwrap();

    let dead = |to: &str, _| to.starts_with("raw/bus/parts/r0-");
    assert_eq!(
        store.sweep_staged(&Path::from("raw"), dead).await.unwrap(),
        1
    );
    assert!(!left.exists() && alive.exists());
    assert_eq!(
        store
            .sweep_staged(&Path::from("nowhere"), |_, _| true)
            .await
            .unwrap(),
        0
    );
}

#[tokio::test]
async fn a_file_in_the_way_of_a_folder_is_named() {
    let (folder, store) = store();
    std::fs::write(folder.path().join("snapshots"), "not a folder").unwrap();
    let error = store
        .put(&layout::snapshot(1), PutPayload::default())
        .await
        .unwrap_err();
    let error = LakeError::store("write", &layout::snapshot(1), error);
    assert!(matches!(&error, LakeError::Store { .. }), "{error}");
    let place = folder.path().canonicalize().unwrap().join("snapshots");
    assert!(
        error.to_string().contains(&place.display().to_string()),
        "{error}"
    );
}

#[test]
fn a_disk_that_refuses_is_told_with_the_mend() {
    let told: Vec<String> = [
        ErrorKind::StorageFull,
        ErrorKind::QuotaExceeded,
        ErrorKind::ReadOnlyFilesystem,
        ErrorKind::PermissionDenied,
        ErrorKind::TimedOut,
    ]
    .into_iter()
    .map(|kind| {
        let path = PathBuf::from("/data/lake/tables/transport/stops/a.parquet");
        let fault = LocalFault {
            action: "write",
            path,
            source: kind.into(),
        };
        let path = Path::from("tables/transport/stops/a.parquet");
        let error = LakeError::store("write", &path, fault.into());
        format!("{error}\n  help: {}", error.help().unwrap_or_default())
    })
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_refusal_is_found_inside_what_wraps_it() {
    let fault = LocalFault {
        action: "write",
        path: "/data/lake/a".into(),
        source: ErrorKind::StorageFull.into(),
    };
    let store: Error = fault.into();
    let wrapped = parquet::errors::ParquetError::External(Box::new(store));
    let wrapped = datafusion::error::DataFusionError::ParquetError(Box::new(wrapped));
    let refused = LakeError::refused("write", "a", &wrapped).unwrap();
    assert_eq!(
        refused.to_string(),
        "cannot write /data/lake/a: no space is left"
    );
    // object_store turns its errors into io errors where a reader or writer asks for those.
    let fault = LocalFault {
        action: "write",
        path: "/data/lake/b".into(),
        source: ErrorKind::ReadOnlyFilesystem.into(),
    };
    let wrapped = std::io::Error::from(Error::from(fault));
    let refused = LakeError::refused("write", "b", &wrapped).unwrap();
    assert!(matches!(refused, LakeError::ReadOnly { path, .. } if path == "/data/lake/b"));
}

#[cfg(unix)]
#[tokio::test]
async fn the_folder_of_personal_data_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let (folder, store) = store();
    let mode = |name: &str| {
        let found = std::fs::metadata(folder.path().join(name)).unwrap();
        found.permissions().mode() & 0o777
    };
    let closed = Path::from("restricted/raw/exams/parts/a.csv");
    let mut upload = store.put_multipart(&closed).await.unwrap();
    upload
        .put_part(PutPayload::from_static(b"x"))
        .await
        .unwrap();
    upload.complete().await.unwrap();
    assert_eq!(mode("restricted"), 0o700);

    // Whom the owner lets in stays in.
    let restricted = folder.path().join("restricted");
    std::fs::set_permissions(&restricted, PermissionsExt::from_mode(0o750)).unwrap();
    store
        .put(&Path::from("restricted/b"), PutPayload::from_static(b"x"))
        .await
        .unwrap();
    assert_eq!(mode("restricted"), 0o750);
    assert_eq!(names(&store).await.len(), 2);
}
