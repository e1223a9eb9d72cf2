//! Running programs in the modes, for the tests that do.

#![allow(dead_code, reason = "each test program uses a part of this module")]

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// With the GIL, without it, with switches at any instruction.
pub const MODES: [&[&str]; 3] = [&[], &["-X", "gil=0"], &["-X", "switch=any"]];

/// The program under test: the one that cargo built with the tests, or what `LISLE_UNDER_TEST` names, of another build or for another processor.
static PROGRAM: LazyLock<String> =
    LazyLock::new(|| std::env::var("LISLE_UNDER_TEST").unwrap_or_else(|_| env!("CARGO_BIN_EXE_lisle").into()));

/// Where the program under test is.
pub fn program() -> &'static str {
    &PROGRAM
}

/// A program that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(240);

pub struct Run {
    pub status: Option<ExitStatus>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn success(&self) -> bool {
        self.status.is_some_and(|s| s.success())
    }
}

fn reader(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Runs `lisle` with these arguments; without a status if it had to be killed.
pub fn lisle(args: &[&str]) -> Run {
    lisle_with_input(args, b"")
}

/// As [`lisle`], with standard input.
pub fn lisle_with_input(args: &[&str], input: &[u8]) -> Run {
    command_with_input(program(), args, input)
}

/// Lets Ctrl-C end the program even where these tests run in the background of a shell, which ignores it for its jobs.
pub fn take_interrupts(command: &mut Command) {
    // SAFETY: `signal` may be called between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            Ok(())
        });
    }
}

/// Runs a command with standard input.
pub fn command_with_input(command: &str, args: &[&str], input: &[u8]) -> Run {
    let mut program = Command::new(command);
    program
        .args(args)
        .env_remove("PYTHONPATH")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHON_COLORS", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    take_interrupts(&mut program);
    let mut child = program.spawn().expect("the command can be started");
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = std::io::Write::write_all(&mut stdin, &input);
    });
    let stdout = reader(child.stdout.take().expect("stdout is a pipe"));
    let stderr = reader(child.stderr.take().expect("stderr is a pipe"));
    let start = Instant::now();
    let status = loop {
        match child.try_wait().expect("the child can be waited for") {
            Some(status) => break Some(status),
            None if start.elapsed() > LIMIT => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let _ = writer.join();
    Run {
        status,
        stdout: stdout.join().unwrap_or_default(),
        stderr: stderr.join().unwrap_or_default(),
    }
}

/// Calls `f` with each item, on as many threads as there are cores; what it returns are failures.
pub fn in_parallel<T: Sync>(items: &[T], f: impl Fn(&T) -> Option<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get());
    let work = || {
        let mut failures = Vec::new();
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            failures.extend(f(item));
        }
        failures
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|w| w.join().expect("a worker does not panic"))
            .collect()
    })
}

/// The programs (`*.py`) of a folder below `tests`, sorted.
pub fn programs(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder is part of the repository")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "py"))
        .filter_map(|path| path.to_str().map(str::to_owned))
        .collect();
    found.sort();
    found
}
