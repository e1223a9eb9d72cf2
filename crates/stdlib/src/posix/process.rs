//! `posix`: the process and others: signals to them, their times, how this one ends, the system's name.

use lisle_runtime::native::{Res, Value, Vm, pymodule};
use lisle_runtime::threads::ParkReason;
use lisle_runtime::types::struct_seq::StructSeqDef;

use super::path::{fs_decode_c, fs_encode};
use crate::syscall::{Fd, OrRaise, audit, blocking, c, check, detached, zeroed};

static TIMES_RESULT: StructSeqDef = StructSeqDef::new(
    "times_result",
    "posix",
    "times_result: Result from os.times().\n\nThis object may be accessed either as a tuple of\n  (user, system, children_user, children_system, elapsed),\nor via the attributes user, system, children_user, children_system,\nand elapsed.\n\nSee os.times for more information.",
    &[
        ("user", "user time"),
        ("system", "system time"),
        ("children_user", "user time of children"),
        ("children_system", "system time of children"),
        ("elapsed", "elapsed time since an arbitrary point in the past"),
    ],
    5,
);

static UNAME_RESULT: StructSeqDef = StructSeqDef::new(
    "uname_result",
    "posix",
    "uname_result: Result from os.uname().\n\nThis object may be accessed either as a tuple of\n  (sysname, nodename, release, version, machine),\nor via the attributes sysname, nodename, release, version, and machine.\n\nSee os.uname for more information.",
    &[
        ("sysname", "operating system name"),
        ("nodename", "name of machine on network (implementation-defined)"),
        ("release", "operating system release"),
        ("version", "operating system version"),
        ("machine", "hardware identifier"),
    ],
    5,
);

#[pymodule(name = "posix")]
pub mod module {
    use super::*;

    #[pyattr]
    fn times_result(_vm: &Vm) -> Value {
        TIMES_RESULT.ty().to_value()
    }

    #[pyattr]
    fn uname_result(_vm: &Vm) -> Value {
        UNAME_RESULT.ty().to_value()
    }

    #[pyattr]
    const TMP_MAX: i32 = 238_328;

    #[pyattr]
    use libc::{
        CLONE_FILES, CLONE_FS, CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER,
        CLONE_NEWUTS, CLONE_SIGHAND, CLONE_SYSVSEM, CLONE_THREAD, CLONE_VM,
    };

    #[pyattr]
    const CLONE_NEWTIME: i32 = 0x80;

    #[pyattr]
    use libc::{RTLD_DEEPBIND, RTLD_GLOBAL, RTLD_LAZY, RTLD_LOCAL, RTLD_NODELETE, RTLD_NOLOAD, RTLD_NOW};

    #[pyattr]
    const PIDFD_NONBLOCK: i32 = libc::O_NONBLOCK;

    #[pyattr]
    const EX_OK: i32 = 0;
    #[pyattr]
    const EX_USAGE: i32 = 64;
    #[pyattr]
    const EX_DATAERR: i32 = 65;
    #[pyattr]
    const EX_NOINPUT: i32 = 66;
    #[pyattr]
    const EX_NOUSER: i32 = 67;
    #[pyattr]
    const EX_NOHOST: i32 = 68;
    #[pyattr]
    const EX_UNAVAILABLE: i32 = 69;
    #[pyattr]
    const EX_SOFTWARE: i32 = 70;
    #[pyattr]
    const EX_OSERR: i32 = 71;
    #[pyattr]
    const EX_OSFILE: i32 = 72;
    #[pyattr]
    const EX_CANTCREAT: i32 = 73;
    #[pyattr]
    const EX_IOERR: i32 = 74;
    #[pyattr]
    const EX_TEMPFAIL: i32 = 75;
    #[pyattr]
    const EX_PROTOCOL: i32 = 76;
    #[pyattr]
    const EX_NOPERM: i32 = 77;
    #[pyattr]
    const EX_CONFIG: i32 = 78;

    /// Exit to the system with specified status, without normal exit processing.
    #[pyfunction(sig = "(status)")]
    fn _exit(_vm: &Vm, status: i32) {
        c!(_exit(status))
    }

    /// Abort the interpreter immediately.
    ///
    /// This function 'dumps core' or otherwise fails in the hardest way possible
    /// on the hosting operating system.  This function never returns.
    #[pyfunction(sig = "()")]
    fn abort(_vm: &Vm) {
        c!(abort())
    }

    /// Kill a process with a signal.
    #[pyfunction(sig = "(pid, signal, /)")]
    fn kill(vm: &Vm, pid: i32, signal: i32) -> Res<()> {
        audit!(vm, "os.kill", Value::int(pid.into()), Value::int(signal.into()));
        check(c!(kill(pid, signal))).or_raise(vm)?;
        // If it was this process that got it, its handler runs before the call returns.
        vm.safepoint()
    }

    /// Kill a process group with a signal.
    #[pyfunction(sig = "(pgid, signal, /)")]
    fn killpg(vm: &Vm, pgid: i32, signal: i32) -> Res<()> {
        audit!(vm, "os.killpg", Value::int(pgid.into()), Value::int(signal.into()));
        check(c!(killpg(pgid, signal))).or_raise(vm)?;
        vm.safepoint()
    }

    /// Return a file descriptor referring to the process *pid*.
    ///
    /// The descriptor can be used to perform process management without races and
    /// signals.
    #[pyfunction(sig = "(pid, flags=0)")]
    fn pidfd_open(vm: &Vm, pid: i32, flags: u32) -> Res<i64> {
        check(c!(syscall(libc::SYS_pidfd_open, pid, flags))).or_raise(vm)
    }

    /// Move the calling thread into different namespaces.
    #[pyfunction(sig = "(fd, nstype=0)")]
    fn setns(vm: &Vm, fd: Fd, nstype: i32) -> Res<()> {
        lisle_runtime::threads::stop_reuse();
        detached(vm, || c!(setns(fd.0, nstype))).or_raise(vm).map(drop)
    }

    /// Disassociate parts of a process (or thread) execution context.
    #[pyfunction(sig = "(flags)")]
    fn unshare(vm: &Vm, flags: i32) -> Res<()> {
        lisle_runtime::threads::stop_reuse();
        detached(vm, || c!(unshare(flags))).or_raise(vm).map(drop)
    }

    /// Set the current numeric umask and return the previous umask.
    #[pyfunction(sig = "(mask, /)")]
    fn umask(_vm: &Vm, mask: i32) -> u32 {
        c!(umask(mask as libc::mode_t))
    }

    /// Return a collection containing process timing information.
    ///
    /// The object returned behaves like a named tuple with these fields:
    ///   (utime, stime, cutime, cstime, elapsed_time)
    /// All fields are floating-point numbers.
    #[pyfunction(sig = "()")]
    fn times(vm: &Vm) -> Res<Value> {
        // SAFETY: plain data.
        let mut t: libc::tms = unsafe { zeroed() };
        // SAFETY: the location of this thread's errno.
        unsafe { *libc::__errno_location() = 0 };
        let elapsed = c!(times(&mut t));
        if elapsed == -1 {
            check(elapsed).or_raise(vm)?;
        }
        let ticks = c!(sysconf(libc::_SC_CLK_TCK)) as f64;
        let all = [t.tms_utime, t.tms_stime, t.tms_cutime, t.tms_cstime, elapsed];
        Ok(TIMES_RESULT.make(all.iter().map(|n| Value::float(*n as f64 / ticks)).collect()))
    }

    /// Return an object identifying the current operating system.
    ///
    /// The object behaves like a named tuple with the following fields:
    ///   (sysname, nodename, release, version, machine)
    #[pyfunction(sig = "()")]
    fn uname(vm: &Vm) -> Res<Value> {
        // SAFETY: plain data.
        let mut u: libc::utsname = unsafe { zeroed() };
        check(c!(uname(&mut u))).or_raise(vm)?;
        let all = [&u.sysname, &u.nodename, &u.release, &u.version, &u.machine];
        let text = |name: &[libc::c_char; 65]| {
            // SAFETY: the system terminates each name.
            fs_decode_c(vm, unsafe { std::ffi::CStr::from_ptr(name.as_ptr()) })
        };
        Ok(UNAME_RESULT.make(all.into_iter().map(text).collect::<Res<_>>()?))
    }

    /// Execute the command in a subshell.
    #[pyfunction(sig = "(command)")]
    fn system(vm: &Vm, command: &Value) -> Res<i32> {
        let given = command;
        let command = fs_encode(vm, command)?;
        audit!(vm, "os.system", given.clone());
        // The C library goes on waiting by itself; its only failure is that no process could be made.
        blocking(vm, ParkReason::Process, || c!(system(command.as_ptr())))
    }
}
