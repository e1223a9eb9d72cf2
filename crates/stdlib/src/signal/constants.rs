//! `_signal`: numbers of signals and of what can be asked for.

use lisle_runtime::native::pymodule;

#[pymodule(name = "_signal")]
pub mod module {
    #[pyattr]
    const NSIG: i32 = lisle_runtime::threads::signals::NSIG;

    #[pyattr]
    use libc::{
        SIGABRT, SIGALRM, SIGBUS, SIGCHLD, SIGCONT, SIGFPE, SIGHUP, SIGILL, SIGINT, SIGIO, SIGKILL, SIGPIPE, SIGPOLL,
        SIGPROF, SIGPWR, SIGQUIT, SIGSEGV, SIGSTKFLT, SIGSTOP, SIGSYS, SIGTERM, SIGTRAP, SIGTSTP, SIGTTIN, SIGTTOU,
        SIGURG, SIGUSR1, SIGUSR2, SIGVTALRM, SIGWINCH, SIGXCPU, SIGXFSZ,
    };

    #[pyattr]
    const SIGIOT: i32 = libc::SIGABRT;
    #[pyattr]
    const SIGCLD: i32 = libc::SIGCHLD;

    #[pyattr]
    use libc::{SIG_BLOCK, SIG_SETMASK, SIG_UNBLOCK};

    #[pyattr]
    const ITIMER_REAL: i32 = 0;
    #[pyattr]
    const ITIMER_VIRTUAL: i32 = 1;
    #[pyattr]
    const ITIMER_PROF: i32 = 2;
}
