//! Runs each Python program of `tests/programs` with the GIL, without it, and with switches at any instruction, and compares
//! what it prints with the output recorded from CPython (`<program>.out`; to refresh: `python3.13 X.py > X.out`).

use std::path::{Path, PathBuf};
use std::process::Command;

const MODES: [&[&str]; 3] = [&[], &["-X", "gil=0"], &["-X", "switch=any"]];

fn programs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder is part of the repository")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "py"))
        .collect();
    found.sort();
    found
}

#[test]
fn programs_print_what_cpython_prints() {
    let programs = programs();
    assert!(!programs.is_empty(), "there are programs to run");
    let mut failures = Vec::new();
    for program in &programs {
        let expected = std::fs::read_to_string(program.with_extension("out")).expect("each program has its output");
        for mode in MODES {
            let output = Command::new(env!("CARGO_BIN_EXE_lisle"))
                .args(mode)
                .arg(program)
                .output()
                .expect("the binary can be started");
            let printed = String::from_utf8_lossy(&output.stdout);
            if !output.status.success() || printed != expected {
                let errors = String::from_utf8_lossy(&output.stderr);
                failures.push(format!(
                    "{} {mode:?}: {}\n{printed}\n{errors}",
                    program.display(),
                    output.status
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n----\n"));
}
