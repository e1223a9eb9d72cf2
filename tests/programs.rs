//! Runs each Python program of `tests/programs` with the GIL, without it, and with switches at any instruction, and compares
//! what it prints with the output recorded from CPython (`<program>.out`; to refresh: `python3.13 X.py > X.out`).

mod support;

use support::{MODES, in_parallel, lisle, programs};

#[test]
fn programs_print_what_cpython_prints() {
    let programs = programs("programs");
    assert!(!programs.is_empty(), "there are programs to run");
    let runs: Vec<(&String, &[&str])> = programs.iter().flat_map(|p| MODES.map(|mode| (p, mode))).collect();
    let failures = in_parallel(&runs, |(program, mode)| {
        let recorded = program.replace(".py", ".out");
        let expected = std::fs::read_to_string(recorded).expect("each program has its output");
        let run = lisle(&[*mode, &[program.as_str()]].concat());
        if run.success() && run.stdout == expected {
            return None;
        }
        let printed: String = run.stdout.chars().take(3000).collect();
        Some(format!(
            "{program} {mode:?}: {:?}\n{printed}\n{}",
            run.status, run.stderr
        ))
    });
    assert!(failures.is_empty(), "{}", failures.join("\n----\n"));
}
