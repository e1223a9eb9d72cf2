//! The standard library: native modules, one file each, and the packed Python files.
//!
//! Invariant: modules know of the runtime only its binding API (`lisle_runtime::native`) and the types they make; a module is
//! one file and one line in [`MODULES`].

mod abc;
pub mod atexit;
mod cli;
mod cmath;
mod codecs;
mod collections;
mod contextvars;
mod errno;
mod gc;
mod itertools;
mod math;
mod opcode;
pub mod packed;
mod posix;
mod random;
mod sre;
mod suggestions;
mod resource;
mod sigset;
mod sys;
mod syscall;
mod thread;
mod time;
mod tracemalloc;
mod types;
mod warnings;
mod weakref;

pub use cli::run_command_line;
use lisle_runtime::native::ModuleDef;

/// Every native module of this crate.
pub static MODULES: &[&ModuleDef] = &[
    &abc::module::DEF,
    &atexit::module::DEF,
    &cmath::module::DEF,
    &collections::module::DEF,
    &contextvars::module::DEF,
    &itertools::module::DEF,
    &codecs::module::DEF,
    &contextvars::module::DEF,
    &gc::module::DEF,
    &errno::module::DEF,
    &math::module::DEF,
    &posix::module::DEF,
    &random::module::DEF,
    &sre::module::DEF,
    &itertools::module::DEF,
    &math::module::DEF,
    &opcode::module::DEF,
    &random::module::DEF,
    &suggestions::module::DEF,
    &resource::module::DEF,
    &thread::module::DEF,
    &time::module::DEF,
    &tracemalloc::module::DEF,
    &types::module::DEF,
    &warnings::module::DEF,
    &weakref::module::DEF,
];

/// What the interpreter does with signals from the start.
pub(crate) fn install_signal_handlers(_vm: &lisle_runtime::vm::Vm) {}
