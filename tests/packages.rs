//! Programs that need packages of other people: pages fetched by a pool of threads with `requests`, tasks that Celery hands to workers
//! through Redis. And examples of work beyond one machine that need none.
//!
//! pip installs the packages where its configuration points; an installation of an earlier run serves as well. On a machine where they cannot be
//! had, a test says NOT RUN on standard error, past what the test program captures; with LISLE_PACKAGES=required it fails instead.

mod support;

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::{MODES, command_with_input, lisle, take_interrupts};

fn root(path: &str) -> String {
    format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))
}

/// Tells that a test could not be run here.
fn not_run(what: &str, why: &str) {
    assert!(
        std::env::var_os("LISLE_PACKAGES").is_none_or(|wanted| wanted != "required"),
        "{what}: {why}"
    );
    // Not `eprintln`, which is captured.
    let _ = writeln!(std::io::stderr(), "NOT RUN: {what}: {why}");
}

/// The interpreter of an environment that has the packages; says so if there is none.
fn with_packages(test: &str, packages: &[&str]) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("packages-{}", packages.join("-")));
    let python = folder.join("bin/lisle");
    if !folder.join("bin/pip").exists() {
        let made = lisle(&["-m", "venv", "--clear", folder.to_str()?]);
        assert!(made.success(), "{}\n{}", made.stdout, made.stderr);
    }
    let options = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--retries=1",
        "--timeout=20",
    ];
    let run = command_with_input(python.to_str()?, &[&options, packages].concat(), b"");
    if run.success() {
        return Some(python);
    }
    let why = run.stderr.lines().last().unwrap_or("pip failed").to_owned();
    not_run(test, &format!("pip cannot install {}: {why}", packages.join(", ")));
    None
}

/// The machine's `redis-server`, if there is one.
fn redis_server() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join("redis-server"))
        .find(|program| program.is_file())
}

/// A process that is ended, with those that it started, when the test is over.
struct Background(Child);

impl Background {
    fn start(command: &mut Command) -> Background {
        take_interrupts(command);
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Background(command.spawn().expect("the program can be started"))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // SAFETY: sends a signal to the group of processes that this test started.
        unsafe { libc::kill(-(self.0.id() as i32), libc::SIGKILL) };
        let _ = self.0.wait();
    }
}

#[test]
fn a_pool_of_threads_fetches_pages_with_requests() {
    let Some(python) = with_packages("pages with requests", &["requests"]) else {
        return;
    };
    for mode in MODES {
        let program = root("tests/notes/pages_with_requests.py");
        let run = command_with_input(
            python.to_str().expect("the path is text"),
            &[mode, &[program.as_str()]].concat(),
            b"",
        );
        assert!(
            run.success(),
            "{mode:?}: {:?}\n{}\n{}",
            run.status,
            run.stdout,
            run.stderr
        );
        assert_eq!(
            run.stdout, "100 pages, each its own: True\nby several threads: True\nwaits overlap: True\n",
            "{mode:?}"
        );
    }
}

#[test]
fn celery_hands_tasks_to_workers() {
    let Some(server) = redis_server() else {
        return not_run("tasks with Celery", "redis-server is not installed");
    };
    let Some(python) = with_packages("tasks with Celery", &["celery", "redis", "packaging"]) else {
        return;
    };
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        listener.local_addr().expect("it is bound").port()
    };
    let _server = Background::start(Command::new(server).args([
        "--port",
        &port.to_string(),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
    ]));
    let start = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "redis-server does not answer"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    for (database, (mode, pool)) in MODES.into_iter().zip(["prefork", "threads", "solo"]).enumerate() {
        let url = format!("redis://127.0.0.1:{port}/{database}");
        let command = |args: &[&str]| {
            let mut command = Command::new(&python);
            command
                .args(mode)
                .args(args)
                .env("REDIS_URL", &url)
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .current_dir(root("examples"));
            command
        };
        let worker = [
            "-m",
            "celery",
            "-A",
            "celery_tasks",
            "worker",
            "--concurrency=3",
            "--pool",
        ];
        let _worker = Background::start(command(&worker).arg(pool));
        let output = command(&["celery_tasks.py"])
            .output()
            .expect("the example can be started");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "each: [303, 247, 233, 224, 222, 209, 214, 210, 202, 198]\nprimes below 20000 : 2262\nafter retries: 2\n\
             the worker's exception: no\n",
            "{mode:?} {pool}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn a_manager_shares_work_over_tcp() {
    for mode in MODES {
        let run = lisle(&[mode, &[root("examples/managers_over_tcp.py").as_str()]].concat());
        assert!(
            run.success(),
            "{mode:?}: {:?}\n{}\n{}",
            run.status,
            run.stdout,
            run.stderr
        );
        assert_eq!(run.stdout, "primes below 20000 : 2262\n", "{mode:?}");
        assert_eq!(run.stderr, "", "{mode:?}");
    }
}
