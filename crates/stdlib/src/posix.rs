//! `posix`: the operating system's interface, by subject.
//!
//! Invariant: no system call that can block runs attached, and none with an object locked. Left out: what only other
//! systems have.

pub mod conf;
mod dirs;
mod env;
pub mod exec;
pub mod files;
pub mod fork;
mod ids;
mod names;
pub mod packed;
pub mod path;
pub mod process;
mod sched;
mod spawn;
pub mod stat;
pub mod terminals;
mod wait;

use lisle_runtime::native::pymodule;

#[pymodule(
    name = "posix",
    doc = "This module provides access to operating system functionality that is\nstandardized by the C Standard and the POSIX standard (a thinly\ndisguised Unix interface).  Refer to the library manual and\ncorresponding Unix manual entries for more information on calls.",
    parts(
        conf::module::DEF,
        dirs::module::DEF,
        env::module::DEF,
        exec::module::DEF,
        files::module::DEF,
        fork::module::DEF,
        ids::module::DEF,
        names::module::DEF,
        process::module::DEF,
        sched::module::DEF,
        spawn::module::DEF,
        stat::module::DEF,
        terminals::module::DEF,
        wait::module::DEF
    )
)]
pub mod module {
    use lisle_runtime::native::{Value, Vm};
    use lisle_runtime::types::list::List;

    use super::{conf, dirs, env, exec, files, fork, ids, names, process, sched, spawn, stat, terminals, wait};

    /// What `os` derives `supports_fd` and its like from.
    const FUNCTIONS: &[&str] = &[
        "HAVE_EVENTFD",
        "HAVE_TIMERFD_CREATE",
        "HAVE_FACCESSAT",
        "HAVE_FCHDIR",
        "HAVE_FCHMOD",
        "HAVE_FCHMODAT",
        "HAVE_FCHOWN",
        "HAVE_FCHOWNAT",
        "HAVE_FEXECVE",
        "HAVE_FDOPENDIR",
        "HAVE_FPATHCONF",
        "HAVE_FSTATAT",
        "HAVE_FSTATVFS",
        "HAVE_FTRUNCATE",
        "HAVE_FUTIMENS",
        "HAVE_FUTIMES",
        "HAVE_FUTIMESAT",
        "HAVE_LINKAT",
        "HAVE_LCHOWN",
        "HAVE_LSTAT",
        "HAVE_LUTIMES",
        "HAVE_MEMFD_CREATE",
        "HAVE_MKDIRAT",
        "HAVE_MKFIFOAT",
        "HAVE_MKNODAT",
        "HAVE_OPENAT",
        "HAVE_READLINKAT",
        "HAVE_RENAMEAT",
        "HAVE_SYMLINKAT",
        "HAVE_UNLINKAT",
        "HAVE_UTIMENSAT",
        "HAVE_PTSNAME_R",
    ];

    #[pyattr]
    fn _have_functions(_vm: &Vm) -> Value {
        List::new(FUNCTIONS.iter().map(|name| Value::from(*name)).collect()).into_value()
    }
}
