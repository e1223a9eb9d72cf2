//! Ctrl-C ends whatever the main thread does with a `KeyboardInterrupt`, and the process by the signal, in each mode.

mod support;

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::MODES;

/// What the program does after it has said that it is ready.
const PROGRAMS: &[&str] = &[
    "while True: pass",
    "import time; time.sleep(100)",
    "import threading; l = threading.Lock(); l.acquire(); l.acquire()",
    "import threading; threading.Event().wait()",
    "import threading, time; t = threading.Thread(target=time.sleep, args=(30,), daemon=True); t.start(); t.join()",
    "input()",
    "import os; r, w = os.pipe(); os.read(r, 1)",
    "sum(iter(int, 1))",
    "import queue; queue.Queue().get()",
    "import queue; queue.SimpleQueue().get()",
    "import select; select.select([], [], [])",
    "[i for i in iter(int, 1)]",
    "max(iter(int, 1))",
    "set(map(abs, iter(int, 1)))",
    "def g():\n while True: yield 1\nfor x in g(): pass",
    "import threading\ndef f():\n while True: pass\nfor _ in range(3): threading.Thread(target=f, daemon=True).start()\nf()",
    // A deadlock.
    "import threading\na, b, both = threading.Lock(), threading.Lock(), threading.Barrier(2)\ndef f(x, y):\n with x:\n  both.wait()\n  y.acquire()\n\
     ts = [threading.Thread(target=f, args=p, daemon=True) for p in ((a, b), (b, a))]\nfor t in ts: t.start()\nfor t in ts: t.join()",
];

#[test]
fn an_interrupt_ends_each_program() {
    let runs: Vec<_> = PROGRAMS.iter().flat_map(|p| MODES.map(|mode| (p, mode))).collect();
    let failures = support::in_parallel(&runs, |(program, mode)| {
        let text = format!("print('ready', flush=True)\n{program}");
        let mut command = Command::new(support::program());
        command
            .args(*mode)
            .args(["-c", &text])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        support::take_interrupts(&mut command);
        let mut child = command.spawn().expect("the binary can be started");
        let mut ready = [0; 6];
        let said = child.stdout.as_mut().expect("stdout is a pipe").read_exact(&mut ready);
        std::thread::sleep(Duration::from_millis(150));
        // SAFETY: sends a signal to the child, which has not been waited for.
        unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
        let start = Instant::now();
        while child.try_wait().expect("the child can be waited for").is_none() {
            if start.elapsed() > Duration::from_secs(60) {
                let _ = child.kill();
                return Some(format!("{program:?} {mode:?}: hangs"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let output = child.wait_with_output().expect("the child has ended");
        let errors = String::from_utf8_lossy(&output.stderr);
        let last = errors.trim_end().lines().last().unwrap_or("");
        let good = said.is_ok() && output.status.signal() == Some(libc::SIGINT) && last == "KeyboardInterrupt";
        (!good).then(|| format!("{program:?} {mode:?}: {}\n{errors}", output.status))
    });
    assert!(failures.is_empty(), "{}", failures.join("\n----\n"));
}
