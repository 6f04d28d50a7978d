//! `tieout log`: verified, copied, folded again.

use std::fs;

use crate::program::{Sandbox, installed, tieout};

#[test]
fn the_log_is_verified_copied_and_its_views_are_folded_again_to_the_same_rows() {
    let sandbox = Sandbox::start();
    // Nothing is certified, so a cycle captures and posts nothing; that is enough of a log.
    let run = sandbox.tieout(&["sync"]);
    assert!(run.status <= 1, "{}", run.stderr);
    let before = sandbox.tieout(&["reports"]).ended_with(0).json();
    let rebuilt = sandbox.tieout(&["log", "rebuild"]).ended_with(0).json();
    let view = &rebuilt["views"][0];
    assert_eq!(
        view["rows"].as_u64().unwrap(),
        before.as_array().unwrap().len() as u64
    );
    assert!(
        view["rows"].as_u64() > Some(100) && view["events"].as_u64() >= view["rows"].as_u64(),
        "{view}"
    );
    assert_eq!(view["position"].as_array().unwrap().len(), 2);
    assert_eq!(sandbox.tieout(&["reports"]).ended_with(0).json(), before);

    let verified = sandbox.tieout(&["log", "verify"]).ended_with(0).json();
    let copied = sandbox.tieout(&["log", "copy", "copy.db"]).ended_with(0).json();
    assert_eq!(
        (&copied["events"], &copied["streams"]),
        (&verified["events"], &verified["streams"])
    );
    let run = sandbox.tieout(&["log", "copy", "copy.db"]).ended_with(2);
    assert!(run.stderr.contains("a copy replaces nothing"), "{}", run.stderr);
    // The copy takes the log's place.
    fs::rename(
        sandbox.folder.path().join("copy.db"),
        sandbox.folder.path().join("home/tieout.db"),
    )
    .unwrap();
    for rest in ["-wal", "-shm"] {
        let _ = fs::remove_file(sandbox.folder.path().join(format!("home/tieout.db{rest}")));
    }
    assert_eq!(sandbox.tieout(&["reports"]).ended_with(0).json(), before);

    // Bytes that someone, or the disk, changed in the middle of it: found, said, and left as they are.
    let db = sandbox.folder.path().join("home/tieout.db");
    let mut bytes = fs::read(&db).unwrap();
    let page = 8_192;
    let middle = bytes.len() / page / 2 * page;
    bytes[middle..middle + page].fill(0xA5);
    fs::write(&db, &bytes).unwrap();
    let found = sandbox.tieout(&["log", "verify"]).ended_with(1).json();
    assert_eq!(found["sound"], false);
    assert!(found["fault"].as_str().unwrap().contains("tieout.db"), "{found}");
}

#[test]
fn a_log_that_was_cut_is_not_opened() {
    let folder = installed();
    let db = folder.path().join("tieout.db");
    let bytes = fs::read(&db).unwrap();
    fs::write(&db, &bytes[..bytes.len() / 2]).unwrap();
    let run = tieout(folder.path(), &["log", "verify"], &[], "").ended_with(2);
    assert!(run.stderr.contains("tieout.db"), "{}", run.stderr);
}
