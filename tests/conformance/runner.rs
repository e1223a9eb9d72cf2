//! Runs one test file in processes of its own: as many as it takes to get past tests that crash or hang.
//!
//! Invariant: each process has its own group, which is killed as a whole when it hangs, takes too much memory, or ends.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::baseline::{Outcome, Status};

/// Resident memory, in KiB, of a process that is taken for broken.
const MEMORY_LIMIT: u64 = 3 << 20;
/// How many times a file is begun again.
const MAX_STARTS: usize = 12;

/// What all runs have in common.
pub struct Setup {
    /// That of an environment which has the package `test`.
    pub lisle: PathBuf,
    pub driver: PathBuf,
    /// For reports and working folders.
    pub scratch: PathBuf,
    /// Seconds for a whole file, and for a single test.
    pub file_limit: Duration,
    pub test_limit: Duration,
}

/// Outcome, and the tests that failed and were skipped, with the reasons.
pub struct Run {
    pub outcome: Outcome,
    pub failures: Vec<(String, String)>,
    pub skips: Vec<(String, String)>,
    pub seconds: f64,
}

enum End {
    Exited,
    Hung,
    Memory,
}

/// Options of a mode.
pub fn mode_options(mode: &str) -> &'static [&'static str] {
    match mode {
        "free" => &["-X", "gil=0"],
        "any" => &["-X", "gil=1", "-X", "switch=any"],
        _ => &["-X", "gil=1"],
    }
}

/// Options of a file: its tests of 3.13 know nothing of filters that are a thread's own, nor of threads that begin with a copy of their
/// starter's context, as they are without the GIL since 3.14.
fn file_options(name: &str) -> &'static [&'static str] {
    match name {
        "test_decimal" => &["-X", "thread_inherit_context=0"],
        "test_warnings" => &["-X", "context_aware_warnings=0"],
        _ => &[],
    }
}

/// Runs `test.<name>`.
pub fn run(setup: &Setup, name: &str, mode: &str) -> std::io::Result<Run> {
    let begin = Instant::now();
    let folder = setup.scratch.join(format!("{name}-{mode}"));
    fs::create_dir_all(&folder)?;
    let (report, done) = (folder.join("report"), folder.join("done"));
    File::create(&report)?;
    let mut status = Status::Ok;
    let mut results: BTreeMap<String, (String, String)> = BTreeMap::new();
    for start in 0..MAX_STARTS {
        let known: Vec<&str> = results.keys().map(String::as_str).collect();
        fs::write(&done, known.join("\n"))?;
        let before = results.len();
        let left = setup.file_limit.saturating_sub(begin.elapsed());
        let work = folder.join(format!("work{start}"));
        fs::create_dir_all(&work)?;
        let end = run_process(setup, name, mode, &folder, &work, left)?;
        let text = fs::read(&report).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())?;
        let (current, complete) = parse(&text, &mut results);
        match end {
            End::Exited if complete => break,
            End::Exited => status = status.max(Status::Crash),
            End::Hung => status = status.max(Status::Hang),
            End::Memory => status = status.max(Status::Memory),
        }
        match current {
            Some(test) => {
                results.insert(test, ("fail".into(), format!("ended the process: {status}")));
            }
            None if results.is_empty() => {
                status = Status::Import;
                break;
            }
            None if results.len() == before => break,
            None => {}
        }
        if begin.elapsed() >= setup.file_limit {
            break;
        }
    }
    let count = |word: &str| results.values().filter(|(found, _)| found == word).count();
    if results.keys().all(|id| id.contains("unittest.loader._FailedTest")) && !results.is_empty() {
        status = Status::Import;
    }
    let tests = |word: &str| {
        let found = results.iter().filter(|(_, (found, _))| found == word);
        found.map(|(id, (_, why))| (id.clone(), why.clone())).collect()
    };
    // Working folders of tests can be large.
    let _ = fs::remove_dir_all(&folder);
    Ok(Run {
        outcome: Outcome {
            passed: count("ok"),
            failed: count("fail"),
            skipped: count("skip"),
            status,
        },
        failures: tests("fail"),
        skips: tests("skip"),
        seconds: begin.elapsed().as_secs_f64(),
    })
}

/// Reads a report: the test that was begun and not ended, and whether all were run.
fn parse(text: &str, results: &mut BTreeMap<String, (String, String)>) -> (Option<String>, bool) {
    let mut current = None;
    let mut complete = false;
    let mut last: Option<String> = None;
    for line in text.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "start" => current = Some(rest.to_owned()),
            "ok" | "fail" | "skip" => {
                if current.as_deref() == Some(rest) {
                    current = None;
                }
                let known = results.entry(rest.to_owned()).or_default();
                if known.0 != "fail" {
                    known.0 = word.to_owned();
                }
                last = Some(rest.to_owned());
            }
            "why" => {
                if let Some((_, why)) = last.as_ref().and_then(|id| results.get_mut(id)) {
                    *why = rest.to_owned();
                }
            }
            "end" => complete = true,
            _ => {}
        }
    }
    let current = current.filter(|id| !results.contains_key(id));
    (current, complete)
}

fn run_process(
    setup: &Setup,
    name: &str,
    mode: &str,
    folder: &Path,
    work: &Path,
    limit: Duration,
) -> std::io::Result<End> {
    let output = File::create(folder.join("output"))?;
    let mut command = Command::new(&setup.lisle);
    command
        .args(mode_options(mode))
        .args(file_options(name))
        .arg(&setup.driver)
        .arg(format!("test.{name}"))
        .args([folder.join("report"), folder.join("done")])
        .env_remove("PYTHONPATH")
        .env_remove("PYTHONUNBUFFERED")
        .env_remove("PYTHONDONTWRITEBYTECODE")
        .env("PYTHONHASHSEED", "0")
        .env("RUST_BACKTRACE", "0")
        .env("TMPDIR", work)
        .current_dir(work)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0);
    // Shells let their background jobs ignore Ctrl-C, which tests send to themselves.
    // SAFETY: `signal` may be called between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            Ok(())
        });
    }
    let mut child = command.spawn()?;
    let end = watch(setup, &mut child, &folder.join("report"), limit)?;
    kill_group(child.id());
    child.wait()?;
    Ok(end)
}

/// Waits until the process ends or has to be ended.
fn watch(setup: &Setup, child: &mut Child, report: &Path, limit: Duration) -> std::io::Result<End> {
    let begin = Instant::now();
    let mut progress = (0, Instant::now());
    loop {
        if child.try_wait()?.is_some() {
            return Ok(End::Exited);
        }
        std::thread::sleep(Duration::from_millis(50));
        let size = fs::metadata(report).map_or(0, |data| data.len());
        if size != progress.0 {
            progress = (size, Instant::now());
        }
        if begin.elapsed() > limit || progress.1.elapsed() > setup.test_limit {
            return Ok(End::Hung);
        }
        if resident(child.id()) > MEMORY_LIMIT {
            return Ok(End::Memory);
        }
    }
}

/// Resident memory in KiB.
fn resident(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

fn kill_group(pid: u32) {
    let _ = Command::new("kill")
        .args(["-9", "--", &format!("-{pid}")])
        .stderr(Stdio::null())
        .status();
}
