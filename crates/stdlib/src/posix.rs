//! `posix`: the operating system's interface, by subject.
//!
//! Invariant: no system call that can block runs attached, and none with an object locked. Left out: what only other
//! systems have.

mod dirs;
mod env;
pub mod files;
mod names;
pub mod path;
mod stat;
pub mod terminals;

use lisle_runtime::native::pymodule;

#[pymodule(
    name = "posix",
    doc = "This module provides access to operating system functionality that is\nstandardized by the C Standard and the POSIX standard (a thinly\ndisguised Unix interface).  Refer to the library manual and\ncorresponding Unix manual entries for more information on calls.",
    parts(
        dirs::module::DEF,
        env::module::DEF,
        files::module::DEF,
        names::module::DEF,
        stat::module::DEF,
        terminals::module::DEF
    )
)]
pub mod module {
    use lisle_runtime::native::{Value, Vm};
    use lisle_runtime::types::list::List;

    use super::{dirs, env, files, names, stat, terminals};

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
