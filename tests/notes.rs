//! What the study of Python's threads must show, in each mode: lost updates where a switch can fall between reading and writing and
//! nowhere else, exact totals under a lock, waits that overlap, counts of references, log lines in order.

mod support;

use support::{MODES, lisle};

const GIL: &[&str] = MODES[0];
const FREE: &[&str] = MODES[1];
const ANY: &[&str] = MODES[2];

fn path(program: &str) -> String {
    format!("{}/tests/notes/{program}.py", env!("CARGO_MANIFEST_DIR"))
}

/// What the program prints in the mode.
fn printed(mode: &[&str], program: &str) -> String {
    let run = lisle(&[mode, &[path(program).as_str()]].concat());
    assert!(
        run.success(),
        "{program} {mode:?}: {:?}\n{}\n{}",
        run.status,
        run.stdout,
        run.stderr
    );
    run.stdout
}

fn numbers(text: &str) -> Vec<u64> {
    text.split_whitespace().map(|n| n.parse().expect("a number")).collect()
}

#[test]
fn gil_with_switches_at_calls_and_jumps_loses_no_update() {
    let numbers = numbers(&printed(GIL, "race_two_threads"));
    assert_eq!(numbers[0], numbers[1]);
}

/// A race need not show in every run; in ten runs of 600,000 steps it does.
fn loses_updates(mode: &[&str]) {
    for _ in 0..10 {
        let numbers = numbers(&printed(mode, "race_two_threads"));
        assert!(numbers[0] <= numbers[1], "an update was counted twice");
        if numbers[0] < numbers[1] {
            return;
        }
    }
    panic!("no update was lost");
}

#[test]
fn switches_at_any_instruction_lose_updates() {
    loses_updates(ANY);
}

#[test]
fn threads_without_the_gil_lose_updates() {
    if std::thread::available_parallelism().map_or(1, |n| n.get()) > 1 {
        loses_updates(FREE);
    }
}

#[test]
fn a_lock_keeps_every_update() {
    for mode in MODES {
        let numbers = numbers(&printed(mode, "locked_seventy_threads"));
        assert_eq!(numbers[0], numbers[1], "{mode:?}");
    }
}

#[test]
fn references_are_counted_as_cpython_counts() {
    for mode in MODES {
        assert_eq!(printed(mode, "counts_references"), "3\n2\n", "{mode:?}");
    }
}

#[test]
fn log_lines_come_in_order() {
    let expected = "MainThread: before the thread is made\nMainThread: before the thread runs\nworker: thread one starts\n\
                    worker: thread one ends\nMainThread: the thread has ended\n";
    for mode in MODES {
        assert_eq!(printed(mode, "logs_in_order"), expected, "{mode:?}");
    }
}

#[test]
fn waits_overlap() {
    for mode in MODES {
        assert_eq!(printed(mode, "sleeps_overlap"), "True True True\n", "{mode:?}");
    }
}

#[test]
fn threads_sum_halves() {
    for mode in MODES {
        assert_eq!(
            printed(mode, "sum_in_threads"),
            "499999500000 499999500000 499999500000\n",
            "{mode:?}"
        );
    }
}
