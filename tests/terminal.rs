//! Interactive sessions on a terminal of the tests' own: editing, several lines, completion, history, Ctrl-C, errors in colour.

mod support;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use support::MODES;

const LIMIT: Duration = Duration::from_secs(60);

/// A process with a terminal, and what it has written that no expectation has taken yet.
struct Session {
    child: Child,
    terminal: File,
    text: String,
    home: std::path::PathBuf,
}

/// The two ends of a new terminal of 100 columns.
fn open_terminal() -> (OwnedFd, OwnedFd) {
    let (mut ours, mut theirs) = (0, 0);
    let size = libc::winsize {
        ws_row: 30,
        ws_col: 100,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: fills two integers; name and attributes are not asked for.
    let made = unsafe {
        libc::openpty(
            &mut ours,
            &mut theirs,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            &size,
        )
    };
    assert_eq!(made, 0, "the system has a terminal to give");
    // SAFETY: descriptors opened just now, owned by nobody else.
    unsafe { (OwnedFd::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs)) }
}

/// Text without escape sequences and carriage returns.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            if c != '\r' {
                out.push(c);
            }
            continue;
        }
        match chars.next() {
            Some('[') => while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
            Some('(') => drop(chars.next()),
            _ => {}
        }
    }
    out
}

impl Session {
    fn start(name: &str, mode: &[&str], environment: &[(&str, &str)]) -> Session {
        let (ours, theirs) = open_terminal();
        let home = std::env::temp_dir().join(format!("lisle-terminal-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&home).expect("a folder can be made");
        let mut command = Command::new(support::program());
        let copy = || theirs.try_clone().expect("a descriptor can be copied");
        command
            .args(mode)
            .args(["-q"])
            .current_dir(&home)
            .env("HOME", &home)
            .env("TERM", "xterm-256color")
            .env_remove("PYTHONPATH")
            .env_remove("NO_COLOR")
            .envs(environment.iter().copied())
            .stdin(copy())
            .stdout(copy())
            .stderr(copy());
        support::take_interrupts(&mut command);
        // SAFETY: both calls may be made between fork and exec; descriptor 0 is the terminal.
        unsafe {
            command.pre_exec(|| {
                libc::setsid();
                libc::ioctl(0, libc::TIOCSCTTY, 0);
                Ok(())
            });
        }
        let child = command.spawn().expect("the binary can be started");
        drop(theirs);
        Session {
            child,
            terminal: File::from(ours),
            text: String::new(),
            home,
        }
    }

    fn send(&mut self, keys: &str) {
        self.terminal
            .write_all(keys.as_bytes())
            .expect("the terminal takes keys");
    }

    /// Reads what comes within a short time. Whether the other end is still there.
    fn read_some(&mut self) -> bool {
        let mut ready = libc::pollfd {
            fd: self.terminal.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one descriptor of ours.
        if unsafe { libc::poll(&mut ready, 1, 50) } <= 0 {
            return true;
        }
        let mut bytes = [0; 4096];
        match self.terminal.read(&mut bytes) {
            Ok(n) if n > 0 => {
                self.text.push_str(&String::from_utf8_lossy(&bytes[..n]));
                true
            }
            // The terminal reports an error when nobody has it open any more.
            _ => false,
        }
    }

    /// Waits for `expected` in what the session shows, and takes it and all before it.
    fn expect(&mut self, expected: &str) -> String {
        let start = Instant::now();
        loop {
            let shown = plain(&self.text);
            if let Some(at) = shown.find(expected) {
                let end = at + expected.len();
                // Rough, but what was matched is never seen again: the raw text is kept from its last plain part on.
                self.text = shown[end..].to_owned();
                return shown[..end].to_owned();
            }
            let there = self.read_some();
            assert!(
                there && start.elapsed() < LIMIT,
                "{expected:?} does not come; there is {:?}",
                plain(&self.text)
            );
        }
    }

    fn end(mut self) -> i32 {
        let start = Instant::now();
        loop {
            self.read_some();
            if let Some(status) = self.child.try_wait().expect("the child can be waited for") {
                let _ = std::fs::remove_dir_all(&self.home);
                return status.code().unwrap_or(-1);
            }
            assert!(start.elapsed() < LIMIT, "the session does not end");
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_session_with_editing() {
    for mode in MODES {
        let mut s = Session::start("editing", mode, &[]);
        s.expect(">>> ");
        s.send("6*7\r");
        s.expect("\n42");
        s.expect(">>> ");
        // Several lines, indented by the editor.
        s.send("def twice(x):\r");
        s.expect("... ");
        s.send("return x*2\r\r");
        s.expect(">>> ");
        s.send("twice(50)\r");
        s.expect("\n100");
        s.expect(">>> ");
        // Ctrl-A, then text at the start of the line; Ctrl-E back to its end.
        s.send("5)\u{1}print(\u{5}\r");
        s.expect("\n5");
        s.expect(">>> ");
        s.send("1/0\r");
        s.expect("ZeroDivisionError: division by zero");
        s.expect(">>> ");
        // The line before the last, by two steps up in the history.
        s.send("\u{1b}OA\u{1b}OA\r");
        s.expect("\n5");
        s.expect(">>> ");
        s.send("import math\r");
        s.expect(">>> ");
        s.send("math.fact\t5)\r");
        s.expect("\n120");
        s.expect(">>> ");
        // Ctrl-C gives the line up, Ctrl-D ends the session.
        s.send("nothing of this\u{3}");
        s.expect("KeyboardInterrupt");
        s.expect(">>> ");
        s.send("\u{4}");
        assert_eq!(s.end(), 0);
    }
}

#[test]
fn history_is_kept_between_sessions() {
    let home = std::env::temp_dir().join(format!("lisle-history-{}", std::process::id()));
    let file = home.with_extension("txt");
    let _ = std::fs::remove_file(&file);
    let history = file.to_string_lossy().into_owned();
    let mut s = Session::start("history1", &[], &[("PYTHON_HISTORY", history.as_str())]);
    s.expect(">>> ");
    s.send("x = 'kept by the file'\r");
    s.expect(">>> ");
    s.send("exit\r");
    assert_eq!(s.end(), 0);
    let kept = std::fs::read_to_string(&file).expect("the history was written");
    assert!(kept.contains("kept by the file"), "{kept:?}");
    let mut s = Session::start("history2", &[], &[("PYTHON_HISTORY", history.as_str())]);
    s.expect(">>> ");
    s.send("\u{1b}OA\u{1b}OA\r");
    s.expect(">>> ");
    s.send("print(x)\r");
    s.expect("\nkept by the file");
    s.expect(">>> ");
    s.send("raise SystemExit(3)\r");
    assert_eq!(s.end(), 3);
    let _ = std::fs::remove_file(&file);
}

#[test]
fn a_session_without_an_editor() {
    let mut s = Session::start("basic", &[], &[("PYTHON_BASIC_REPL", "1")]);
    s.expect(">>> ");
    s.send("for i in range(2):\n");
    s.expect("... ");
    s.send("    print('i is', i)\n\n");
    s.expect("i is 1");
    s.expect(">>> ");
    s.send("import time; time.sleep(100)\n");
    std::thread::sleep(Duration::from_millis(500));
    s.send("\u{3}");
    s.expect("KeyboardInterrupt");
    s.expect(">>> ");
    s.send("\u{4}");
    assert_eq!(s.end(), 0);
}

#[test]
fn a_terminal_without_abilities() {
    let mut s = Session::start("dumb", &[], &[("TERM", "dumb")]);
    s.expect("can't use pyrepl");
    s.expect(">>> ");
    s.send("print('sum', 1 + 1)\n");
    s.expect("sum 2");
    s.expect(">>> ");
    s.send("\u{4}");
    assert_eq!(s.end(), 0);
}
