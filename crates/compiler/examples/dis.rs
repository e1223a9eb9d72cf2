//! Compiles files and prints their bytecode or the error; `-q` prints only errors and how many files were good.

use lisle_bytecode::{CodeObject, Const, disassemble};
use lisle_compiler::{Mode, Options, compile, decode_source, verify};

fn show(code: &CodeObject) {
    println!(
        "== {} (line {}, {} registers)",
        code.qualname, code.first_line, code.nregs
    );
    print!("{}", disassemble(code));
    for value in &code.consts {
        if let Const::Code(inner) = value {
            show(inner);
        }
    }
}

fn main() {
    let mut quiet = false;
    let mut good = 0;
    let mut bad = 0;
    let mut mode = Mode::Exec;
    for path in std::env::args().skip(1) {
        match &*path {
            "-q" => {
                quiet = true;
                continue;
            }
            "--eval" => {
                mode = Mode::Eval;
                continue;
            }
            "--single" => {
                mode = Mode::Single;
                continue;
            }
            _ => {}
        }
        let Ok(bytes) = std::fs::read(&path) else {
            println!("{path}: cannot be read");
            continue;
        };
        let options = Options {
            filename: path.clone(),
            ..Options::default()
        };
        match decode_source(&bytes).and_then(|source| compile(&source, mode, &options)) {
            Ok((code, warnings)) => {
                good += 1;
                if let Err(problem) = verify(&code) {
                    bad += 1;
                    println!("{path}: BAD CODE: {problem}");
                }
                if !quiet {
                    for warning in warnings {
                        println!("{path}:{}: {:?}: {}", warning.line, warning.category, warning.message);
                    }
                    show(&code);
                }
            }
            Err(e) => {
                bad += 1;
                println!(
                    "{path}:{}:{}-{}:{}: {:?}: {}",
                    e.line, e.col, e.end_line, e.end_col, e.kind, e.message
                );
            }
        }
    }
    if quiet {
        println!("{good} compiled, {bad} bad");
    }
}
