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

/// The code object as a Python expression, for tools.
fn literal(code: &CodeObject) -> String {
    let names = |names: &[Box<str>]| format!("{names:?}");
    let rows: Vec<_> = code
        .exceptions
        .iter()
        .map(|e| (e.start, e.end, e.target, e.depth))
        .collect();
    let lines: Vec<_> = code.locations.iter().map(|(pc, l)| (pc, l.line)).collect();
    let consts: Vec<_> = code.consts.iter().map(constant).collect();
    format!(
        "Code(name={:?}, qualname={:?}, firstlineno={}, flags={}, argcount={}, posonly={}, kwonly={}, varnames={}, \
         cellvars={}, freevars={}, names={}, consts=[{}], code={:?}, lines={lines:?}, exceptions={rows:?}, nregs={})",
        code.name,
        code.qualname,
        code.first_line,
        code.flags.0,
        code.argcount,
        code.posonlyargcount,
        code.kwonlyargcount,
        names(&code.varnames),
        names(&code.cellvars),
        names(&code.freevars),
        names(&code.names),
        consts.join(", "),
        code.code,
        code.nregs
    )
}

fn constant(value: &Const) -> String {
    let items = |items: &[Const]| items.iter().map(|i| constant(i) + ", ").collect::<String>();
    match value {
        Const::None => "None".into(),
        Const::True => "True".into(),
        Const::False => "False".into(),
        Const::Ellipsis => "...".into(),
        Const::Int(i) => format!("{i}"),
        Const::BigInt { negative, magnitude } => {
            let sign = if *negative { "-" } else { "" };
            format!("{sign}int.from_bytes({magnitude:?}, 'little')")
        }
        Const::Float(f) => format!("float('{f:?}')"),
        Const::Complex(re, im) => format!("complex(float('{re:?}'), float('{im:?}'))"),
        Const::Str(lisle_bytecode::Text::Utf8(s)) => {
            let points: Vec<u32> = s.chars().map(u32::from).collect();
            format!("text({points:?})")
        }
        Const::Str(lisle_bytecode::Text::Points(points)) => format!("text({points:?})"),
        Const::Bytes(b) => format!("bytes({b:?})"),
        Const::Tuple(t) => format!("({})", items(t)),
        Const::FrozenSet(t) => format!("frozenset([{}])", items(t)),
        Const::Slice(parts) => format!("slice({})", items(&**parts)),
        Const::Code(code) => literal(code),
        Const::Packed(_) => "<code>".into(),
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
    let mut dump = false;
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
            "--dump" => {
                dump = true;
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
                if dump {
                    println!("{}", literal(&code));
                } else if !quiet {
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
