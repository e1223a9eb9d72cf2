//! Runs the programs of `benches/programs` on Lisle, with and without the GIL, and on the other Pythons found on this machine, and
//! prints how they compare: `cargo bench`, or `cargo bench -- <part of a name> ... [--runs N]`. With `--pyperformance`, the programs are those
//! of an installed pyperformance.
//!
//! A program prints its figures, one a line, as `<name> <number>`; less is better. The figure `seconds` is replaced by the processor time
//! of the process less that of an empty program, which other work on the machine disturbs least. Runs of the interpreters alternate;
//! what is shown is the median. Left out: any judgement; see the table, or `out/results.json`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// An interpreter under test.
struct Python {
    name: &'static str,
    command: PathBuf,
    args: &'static [&'static str],
}

/// What one process used.
struct Usage {
    output: String,
    wall: f64,
    cpu: f64,
    /// Kilobytes resident at most.
    memory: f64,
}

fn run(python: &Python, program: &Path) -> Option<Usage> {
    let begin = Instant::now();
    let mut child = Command::new(&python.command)
        .args(python.args)
        .arg(program)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut output = String::new();
    child.stdout.take()?.read_to_string(&mut output).ok()?;
    let mut status = 0;
    // SAFETY: zero is a valid value of every field.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the child has not been waited for, and both places are writable.
    let pid = unsafe { libc::wait4(child.id() as libc::pid_t, &mut status, 0, &mut usage) };
    let wall = begin.elapsed().as_secs_f64();
    if pid < 0 || status != 0 {
        return None;
    }
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 * 1e-6;
    Some(Usage {
        output,
        wall,
        cpu: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        memory: usage.ru_maxrss as f64,
    })
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The first that answers of `PYTHON`, `python3.14`, `python3.13` and pyenv's; CPython alone.
fn find_cpython() -> Option<PathBuf> {
    let mut candidates: Vec<PathBuf> = std::env::var_os("PYTHON").map(PathBuf::from).into_iter().collect();
    if let Some(home) = std::env::var_os("HOME") {
        let mut versions: Vec<PathBuf> = std::fs::read_dir(Path::new(&home).join(".pyenv/versions"))
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                let name = path
                    .file_name()
                    .map(|n| n.to_string_lossy().into_owned())
                    .unwrap_or_default();
                name.starts_with("3.14") || name.starts_with("3.13")
            })
            .collect();
        versions.sort();
        candidates.extend(versions.into_iter().rev().map(|path| path.join("bin/python3")));
    }
    candidates.extend(["python3.14", "python3.13", "python3"].map(PathBuf::from));
    candidates.into_iter().find(|command| answers(command, "cpython"))
}

fn answers(command: &Path, implementation: &str) -> bool {
    let output = Command::new(command)
        .args(["-c", "import sys; print(sys.implementation.name)"])
        .stderr(Stdio::null())
        .output();
    output.is_ok_and(|o| String::from_utf8_lossy(&o.stdout).trim() == implementation)
}

/// Runs the programs of an installed pyperformance, see `pyperformance/run.py`, which gets the other arguments.
fn pyperformance() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/pyperformance/run.py");
    let mut command = Command::new("python3");
    command.arg(script).args(["--lisle", env!("CARGO_BIN_EXE_lisle")]).args(
        std::env::args()
            .skip(1)
            .filter(|arg| arg != "--bench" && arg != "--pyperformance"),
    );
    if let Some(cpython) = find_cpython() {
        command.arg("--cpython").arg(cpython);
    }
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => eprintln!("python3: {error}"),
    }
}

fn main() {
    let mut runs = 5;
    let mut wanted = Vec::new();
    if std::env::args().any(|arg| arg == "--pyperformance") {
        return pyperformance();
    }
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--runs" => runs = args.next().and_then(|n| n.parse().ok()).unwrap_or(runs),
            // What cargo adds.
            "--bench" => {}
            _ => wanted.push(arg),
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches");
    let lisle = PathBuf::from(env!("CARGO_BIN_EXE_lisle"));
    let mut pythons = Vec::new();
    if let Some(command) = find_cpython() {
        println!("cpython: {}", command.display());
        pythons.push(Python {
            name: "cpython",
            command,
            args: &[],
        });
    }
    let pypy = PathBuf::from("pypy3");
    if answers(&pypy, "pypy") {
        pythons.push(Python {
            name: "pypy",
            command: pypy,
            args: &[],
        });
    }
    for (name, args) in [("gil", &["-X", "gil=1"]), ("free", &["-X", "gil=0"])] {
        pythons.push(Python {
            name,
            command: lisle.clone(),
            args,
        });
    }
    let mut programs: Vec<PathBuf> = std::fs::read_dir(folder.join("programs"))
        .expect("the programs are part of the repository")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "py"))
        .collect();
    programs.sort();

    // Figure -> interpreter -> median.
    let mut results: BTreeMap<String, BTreeMap<&str, f64>> = BTreeMap::new();
    let empty = programs.iter().find(|p| stem(p) == "empty").cloned();
    let mut start_up = BTreeMap::new();
    if let Some(empty) = &empty {
        let mut measured: BTreeMap<&str, [Vec<f64>; 3]> = BTreeMap::new();
        for _ in 0..runs * 3 {
            for python in &pythons {
                if let Some(usage) = run(python, empty) {
                    let kept = measured.entry(python.name).or_default();
                    kept[0].push(usage.wall);
                    kept[1].push(usage.cpu);
                    kept[2].push(usage.memory);
                }
            }
        }
        for (name, mut kept) in measured {
            let figures = [
                "start-up: seconds",
                "start-up: processor seconds",
                "start-up: kilobytes",
            ];
            for (figure, values) in figures.iter().zip(&mut kept) {
                if let Some(value) = median(values) {
                    results.entry((*figure).to_owned()).or_default().insert(name, value);
                    if figure.contains("processor") {
                        start_up.insert(name, value);
                    }
                }
            }
        }
    }
    print_head(&pythons);
    for figure in results.keys() {
        print_row(figure, &results[figure], &pythons);
    }
    for program in &programs {
        let name = stem(program);
        if name == "empty" || !wanted.is_empty() && !wanted.iter().any(|w| name.contains(w.as_str())) {
            continue;
        }
        let mut measured: BTreeMap<String, BTreeMap<&str, Vec<f64>>> = BTreeMap::new();
        for _ in 0..runs {
            for python in &pythons {
                let Some(usage) = run(python, program) else {
                    println!("{name}: failed on {}", python.name);
                    continue;
                };
                for line in usage.output.lines() {
                    let Some((figure, number)) = line.rsplit_once(' ') else {
                        continue;
                    };
                    let Ok(mut number) = number.parse::<f64>() else {
                        continue;
                    };
                    let shown = if figure == "seconds" {
                        number = (usage.cpu - start_up.get(python.name).copied().unwrap_or(0.0)).max(1e-4);
                        name.clone()
                    } else {
                        format!("{name}: {figure}")
                    };
                    let kept = measured.entry(shown).or_default();
                    kept.entry(python.name).or_default().push(number);
                }
            }
        }
        for (figure, by_python) in measured {
            let medians: BTreeMap<&str, f64> = by_python
                .into_iter()
                .filter_map(|(python, mut values)| Some((python, median(&mut values)?)))
                .collect();
            print_row(&figure, &medians, &pythons);
            results.insert(figure, medians);
        }
    }
    let out = folder.join("out");
    let json = to_json(&results);
    let written = std::fs::create_dir_all(&out).and_then(|()| std::fs::write(out.join("results.json"), json));
    if let Err(error) = written {
        eprintln!("results.json: {error}");
    }
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .map(|s| s.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn print_head(pythons: &[Python]) {
    let mut line = format!("{:34}", "");
    for python in pythons {
        let _ = write!(line, "{:>12}", python.name);
    }
    println!("{line}   gil/cpython  free/cpython  free/gil");
}

fn print_row(figure: &str, values: &BTreeMap<&str, f64>, pythons: &[Python]) {
    let mut line = format!("{figure:34}");
    for python in pythons {
        match values.get(python.name) {
            Some(value) => drop(write!(line, "{value:12.4}")),
            None => drop(write!(line, "{:>12}", "-")),
        }
    }
    for (over, under) in [("gil", "cpython"), ("free", "cpython"), ("free", "gil")] {
        match (values.get(over), values.get(under)) {
            (Some(a), Some(b)) => drop(write!(line, "{:14.2}", a / b)),
            _ => drop(write!(line, "{:>14}", "-")),
        }
    }
    println!("{line}");
}

fn to_json(results: &BTreeMap<String, BTreeMap<&str, f64>>) -> String {
    let mut json = String::from("{\n");
    for (n, (figure, values)) in results.iter().enumerate() {
        let _ = write!(json, "{}  {figure:?}: {{", if n == 0 { "" } else { ",\n" });
        for (n, (python, value)) in values.iter().enumerate() {
            let _ = write!(json, "{}{python:?}: {value}", if n == 0 { "" } else { ", " });
        }
        json.push('}');
    }
    json.push_str("\n}\n");
    json
}
