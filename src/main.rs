//! The command line: arguments and wiring only.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(lisle_stdlib::run_command_line(std::env::args_os().collect()))
}
