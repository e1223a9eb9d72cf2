//! The command line: arguments, start, the program, the end.
//!
//! Invariant: whatever a program does, its output is flushed, its threads are waited for, and the exit code is that of `python`.

mod args;
mod config;
mod finish;
mod help;
mod interactive;
mod locale;
mod program;
mod start;

use std::ffi::OsString;
use std::io::Write;

pub use config::{Config, config};
pub use finish::exit_code;
pub use interactive::plain_session;
use lisle_runtime::vm::Vm;

pub use program::{module, register_text};

use crate::sys::hooks;

/// Runs what the arguments ask for (the first is the program's own name); gives the exit code.
pub fn run_command_line(args: Vec<OsString>) -> u8 {
    let mut config = match args::parse(args) {
        args::Request::Run(config) => config,
        args::Request::Print(text) => {
            let printed = std::io::stdout().write_all(text.as_bytes());
            return u8::from(printed.is_err());
        }
        args::Request::Wrong(text) => {
            hooks::write_fd(2, &text);
            return 2;
        }
    };
    if let Err(message) = config.complete() {
        hooks::write_fd(
            2,
            &format!("Fatal Python error: {message}\nPython runtime state: preinitialized\n\n"),
        );
        return 1;
    }
    config::set(*config);
    let vm: &'static Vm = match start::start() {
        Ok(vm) => vm,
        Err(code) => return code,
    };
    let code = program::run(vm);
    let code = finish::finish(vm, code);
    finish::leave(code)
}
