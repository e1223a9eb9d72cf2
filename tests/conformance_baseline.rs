//! The baseline of the conformance runs may only rise.

#[path = "conformance/baseline.rs"]
mod baseline;

use baseline::{Baseline, Outcome, Status};

fn outcome(passed: usize, failed: usize, status: Status) -> Outcome {
    Outcome {
        passed,
        failed,
        skipped: 0,
        status,
    }
}

fn key(name: &str) -> (String, String) {
    (name.into(), "gil".into())
}

#[test]
fn what_is_worse_is_kept_and_named() {
    let mut baseline = Baseline::default();
    let before = [
        ("test_fewer", outcome(10, 2, Status::Ok)),
        ("test_crash", outcome(10, 2, Status::Ok)),
        ("test_more", outcome(10, 2, Status::Hang)),
        ("test_same", outcome(10, 2, Status::Ok)),
    ];
    assert!(baseline.raise(before.map(|(name, o)| (key(name), o))).is_empty());
    let after = [
        ("test_fewer", outcome(9, 3, Status::Ok)),
        ("test_crash", outcome(11, 1, Status::Crash)),
        ("test_more", outcome(11, 1, Status::Ok)),
        ("test_same", outcome(10, 1, Status::Ok)),
        ("test_new", outcome(1, 5, Status::Import)),
    ];
    let worse = baseline.raise(after.map(|(name, o)| (key(name), o)));
    let named: Vec<&str> = worse.iter().map(|((name, _), _, _)| name.as_str()).collect();
    assert_eq!(named, ["test_fewer", "test_crash"]);
    assert_eq!(worse[0].1, outcome(9, 3, Status::Ok));
    assert_eq!(worse[0].2, outcome(10, 2, Status::Ok));

    let file = std::env::temp_dir().join(format!("lisle-baseline-{}", std::process::id()));
    baseline.version = "3.13.0".into();
    baseline.write(&file).expect("the temporary folder can be written to");
    let read = Baseline::read(&file);
    let _ = std::fs::remove_file(&file);
    assert_eq!(read.version, "3.13.0");
    assert_eq!(read.outcomes, baseline.outcomes);
    assert_eq!(read.outcomes[&key("test_fewer")], outcome(10, 2, Status::Ok));
    assert_eq!(read.outcomes[&key("test_crash")], outcome(10, 2, Status::Ok));
    assert_eq!(read.outcomes[&key("test_more")], outcome(11, 1, Status::Ok));
    assert_eq!(read.outcomes[&key("test_same")], outcome(10, 1, Status::Ok));
    assert_eq!(read.outcomes[&key("test_new")], outcome(1, 5, Status::Import));
}
