//! Runs CPython's own tests and compares what passes with the committed baseline, which may only rise.
//!
//! `cargo run --release --bin conformance -- [group or test ...] [--mode gil|free|any|all] [--update] [--failures] [--skips] [--jobs N]
//! [--limit SECONDS] [--test-limit SECONDS] [--no-build]`
//!
//! Groups: language, threads, library. Without words all of them are run; the modes are gil and free unless told otherwise.
//! The tests are those of a CPython installation (its `test` package alone is on the path; the library is Lisle's): LISLE_CPYTHON_TEST names
//! the package, else one is looked for. On a machine without one there is nothing to do.
//!
//! `--update` writes the baseline, in which no entry gets worse: a file that did worse keeps its entry, is named, and makes the run fail.

mod baseline;
mod runner;
mod suite;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::time::Duration;

use baseline::Baseline;
use runner::{Run, Setup};
use suite::Suite;

struct Options {
    words: Vec<String>,
    modes: Vec<String>,
    update: bool,
    failures: bool,
    skips: bool,
    build: bool,
    jobs: usize,
    limit: u64,
    test_limit: u64,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        words: Vec::new(),
        modes: vec!["gil".into(), "free".into()],
        update: false,
        failures: false,
        skips: false,
        build: true,
        jobs: 2,
        limit: 600,
        test_limit: 90,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || -> Result<u64, String> {
            let value = args.next().ok_or_else(|| format!("{arg} needs a number"))?;
            value.parse().map_err(|_| format!("{arg} needs a number, not {value}"))
        };
        match arg.as_str() {
            "--update" => options.update = true,
            "--failures" => options.failures = true,
            "--skips" => options.skips = true,
            "--no-build" => options.build = false,
            "--jobs" => options.jobs = number()?.max(1) as usize,
            "--limit" => options.limit = number()?,
            "--test-limit" => options.test_limit = number()?,
            "--mode" => {
                options.modes = match args.next().as_deref() {
                    Some("all") => vec!["gil".into(), "free".into(), "any".into()],
                    Some(mode @ ("gil" | "free" | "any")) => vec![mode.to_owned()],
                    other => return Err(format!("no mode: {}", other.unwrap_or("(nothing)"))),
                };
            }
            option if option.starts_with('-') => return Err(format!("no option: {option}")),
            _ => options.words.push(arg),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let Some(suite) = Suite::find() else {
        println!(
            "No CPython 3.13 or later with its test package was found (LISLE_CPYTHON_TEST can name one): nothing was run."
        );
        return ExitCode::SUCCESS;
    };
    match run_all(&options, &suite) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

/// The runtime to test: that of the same profile, brought up to date.
fn runtime(build: bool) -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os("LISLE") {
        return Ok(PathBuf::from(path));
    }
    if let Some(cargo) = std::env::var_os("CARGO").filter(|_| build) {
        let mut command = Command::new(cargo);
        command.args(["build", "--quiet", "--bin", "lisle"]);
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        let built = command.status().map_err(|error| error.to_string())?;
        if !built.success() {
            return Err("lisle does not build".into());
        }
    }
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    Ok(own.with_file_name("lisle"))
}

/// A virtual environment in which the `test` package is installed, so that isolated children of tests find it too. Returns its runtime.
fn environment(folder: &Path, lisle: &Path, suite: &Suite) -> std::io::Result<PathBuf> {
    use std::os::unix::fs::symlink;
    let (bin, packages) = (folder.join("bin"), folder.join("lib/python3.14/site-packages"));
    std::fs::create_dir_all(&bin)?;
    std::fs::create_dir_all(&packages)?;
    let home = lisle.parent().unwrap_or(Path::new("/"));
    std::fs::write(folder.join("pyvenv.cfg"), format!("home = {}\n", home.display()))?;
    symlink(&suite.folder, packages.join("test"))?;
    let link = bin.join("lisle");
    symlink(lisle, &link)?;
    Ok(link)
}

fn run_all(options: &Options, suite: &Suite) -> Result<bool, String> {
    let text = |error: std::io::Error| error.to_string();
    let names = suite::chosen(&options.words, suite)?;
    let lisle = runtime(options.build)?;
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let scratch = std::env::temp_dir().join(format!("lisle-conformance-{}", std::process::id()));
    let lisle = environment(&scratch.join("environment"), &lisle, suite).map_err(text)?;
    let setup = Setup {
        lisle,
        driver: here.join("driver.py"),
        scratch: scratch.clone(),
        file_limit: Duration::from_secs(options.limit),
        test_limit: Duration::from_secs(options.test_limit),
    };
    println!(
        "CPython {}: {} files, modes {}",
        suite.version,
        names.len(),
        options.modes.join(", ")
    );
    let jobs: Vec<(String, String)> = names
        .iter()
        .flat_map(|name| options.modes.iter().map(move |mode| (name.clone(), mode.clone())))
        .collect();
    let file = here.join("baseline.txt");
    let mut baseline = Baseline::read(&file);
    let comparable = baseline.version.is_empty() || baseline.version == suite.version;
    if !comparable {
        println!("The baseline is of CPython {}: nothing is compared.", baseline.version);
    }
    let queue = Mutex::new(jobs.into_iter());
    let finished: Mutex<Vec<((String, String), Run)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                loop {
                    let Some((name, mode)) = lock(&queue).next() else {
                        return;
                    };
                    match runner::run(&setup, &name, &mode) {
                        Ok(run) => {
                            report(
                                &name,
                                &mode,
                                &run,
                                options,
                                baseline.outcomes.get(&(name.clone(), mode.clone())),
                            );
                            lock(&finished).push(((name, mode), run));
                        }
                        Err(error) => eprintln!("{name} ({mode}): {error}"),
                    }
                }
            });
        }
    });
    let _ = std::fs::remove_dir_all(&scratch);
    let finished = finished.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    let mut good = true;
    for mode in &options.modes {
        let of_mode = || {
            finished
                .iter()
                .filter(|((_, found), _)| found == mode)
                .map(|(_, run)| run.outcome)
        };
        let sum = |field: fn(&baseline::Outcome) -> usize| of_mode().map(|outcome| field(&outcome)).sum::<usize>();
        let clean = of_mode()
            .filter(|o| o.failed == 0 && o.status == baseline::Status::Ok)
            .count();
        println!(
            "{mode}: {} passed, {} failed, {} skipped; {clean} of {} files without failure",
            sum(|o| o.passed),
            sum(|o| o.failed),
            sum(|o| o.skipped),
            of_mode().count()
        );
    }
    let outcomes = finished.into_iter().map(|(key, run)| (key, run.outcome));
    if !comparable && !options.update {
        return Ok(good);
    }
    if !comparable {
        // Another suite: what was known of the old one says nothing.
        baseline.outcomes.clear();
    }
    for (key, found, known) in baseline.raise(outcomes) {
        good = false;
        println!(
            "WORSE: {} ({}): {} passed, {}; the baseline has {} passed, {}",
            key.0, key.1, found.passed, found.status, known.passed, known.status
        );
    }
    if options.update {
        baseline.version = suite.version.clone();
        baseline.write(&file).map_err(text)?;
    }
    Ok(good)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn report(name: &str, mode: &str, run: &Run, options: &Options, known: Option<&baseline::Outcome>) {
    let outcome = run.outcome;
    let change = match known {
        Some(known) if outcome.passed != known.passed => {
            format!(" ({:+})", outcome.passed as i64 - known.passed as i64)
        }
        _ => String::new(),
    };
    let mut text = format!(
        "{name} {mode}: {} passed{change}, {} failed, {} skipped, {} [{:.1} s]",
        outcome.passed, outcome.failed, outcome.skipped, outcome.status, run.seconds
    );
    for (wanted, word, tests) in [
        (options.failures, "", &run.failures),
        (options.skips, "skipped ", &run.skips),
    ] {
        for (id, why) in tests.iter().filter(|_| wanted) {
            text.push_str(&format!("\n    {word}{id}: {why}"));
        }
    }
    println!("{text}");
}
