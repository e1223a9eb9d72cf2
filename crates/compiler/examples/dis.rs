//! Compiles files and prints their bytecode or the error; `-q` prints only errors and how many files were good; `--batch` takes
//! files of snippets.

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

/// One line a snippet of a file of snippets separated by null bytes: "ok" or the error, its fields separated by tabs.
fn compile_snippets(text: &str, mode: Mode) {
    for snippet in text.split('\0') {
        match compile(snippet, mode, &Options::default()) {
            Ok((code, _)) => match verify(&code) {
                Ok(()) => println!("ok"),
                Err(problem) => println!("BAD CODE {problem:?}"),
            },
            Err(e) => {
                let message = e.message.replace('\n', "\\n");
                println!(
                    "{:?}\t{}\t{}\t{}\t{}\t{message}",
                    e.kind, e.line, e.col, e.end_line, e.end_col
                );
            }
        }
    }
}

fn main() {
    let mut quiet = false;
    let mut good = 0;
    let mut bad = 0;
    let mut mode = Mode::Exec;
    let mut batch = false;
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
            "--batch" => {
                batch = true;
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
        if batch {
            compile_snippets(&String::from_utf8_lossy(&bytes), mode);
            continue;
        }
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
