//! `_posixsubprocess`: starting a program as `subprocess` wants it.
//!
//! Invariant: the child allocates nothing and touches no object: all it needs was made before, and it makes system calls
//! only. Without `preexec_fn` it shares the parent's memory until it executes the program (as with `vfork`, on a stack
//! of its own) with all signals blocked; with it, it is a full fork.

use std::ffi::CString;

use lisle_runtime::native::{Py, Res, Value, Vm, pymodule};
use lisle_runtime::types::tuple::Tuple;

use crate::posix::exec::{Strings, arguments};
use crate::posix::fork::{check_can_fork, forking, warn_of_threads};
use crate::posix::path::{fs_encode, gid_of, list_or_tuple, uid_of};
use crate::syscall::{Errno, OrRaise, Sys, c, check, zeroed};

/// Everything the child does.
struct Plan {
    argv: Strings,
    /// `None`: what the process has when it executes the program.
    env: Option<Strings>,
    executables: Vec<CString>,
    cwd: Option<CString>,
    close_fds: bool,
    /// Ascending.
    keep: Vec<i32>,
    p2cread: i32,
    p2cwrite: i32,
    c2pread: i32,
    c2pwrite: i32,
    errread: i32,
    errwrite: i32,
    errpipe_read: i32,
    errpipe_write: i32,
    restore_signals: bool,
    setsid: bool,
    pgid: i32,
    groups: Option<Vec<u32>>,
    gid: Option<u32>,
    uid: Option<u32>,
    umask: i32,
    /// The signals that are to be blocked in the program; `None` leaves them, and their handlers, alone.
    mask: Option<libc::sigset_t>,
}

/// Where the child failed.
enum Failure {
    /// Before anything that has to do with the program.
    Setup(Errno),
    Chdir(Errno),
    Preexec,
    Exec(Errno),
}

/// A system call without the C library's wrapper, which for ids would reach for the other threads.
macro_rules! raw {
    ($($arg:expr),+) => { check(c!(syscall($($arg),+))) };
}

impl Plan {
    /// All up to `preexec_fn`.
    fn prepare(&self) -> Result<(), Failure> {
        self.files().map_err(Failure::Setup)?;
        if let Some(cwd) = &self.cwd {
            check(c!(chdir(cwd.as_ptr()))).map_err(Failure::Chdir)?;
        }
        self.process().map_err(Failure::Setup)
    }

    fn files(&self) -> Sys<()> {
        for fd in &self.keep {
            if *fd != self.errpipe_write {
                inherit(*fd)?;
            }
        }
        for fd in [self.p2cwrite, self.c2pread, self.errread, self.errpipe_read] {
            if fd != -1 {
                check(c!(close(fd)))?;
            }
        }
        // What is to become 1 or 2 must not be overwritten by what becomes 0 or 1.
        let (mut out, mut err) = (self.c2pwrite, self.errwrite);
        if out == 0 {
            out = check(c!(dup(out)))?;
            inherit_not(out);
        }
        while err == 0 || err == 1 {
            err = check(c!(dup(err)))?;
            inherit_not(err);
        }
        for (from, to) in [(self.p2cread, 0), (out, 1), (err, 2)] {
            if from == to {
                inherit(to)?;
            } else if from != -1 {
                check(c!(dup2(from, to)))?;
            }
        }
        Ok(())
    }

    fn process(&self) -> Sys<()> {
        if self.umask >= 0 {
            c!(umask(self.umask as libc::mode_t));
        }
        if let Some(mask) = &self.mask {
            reset_handlers();
            check(c!(sigprocmask(libc::SIG_SETMASK, mask, std::ptr::null_mut())))?;
        }
        if self.restore_signals {
            for signum in [libc::SIGPIPE, libc::SIGXFSZ] {
                c!(signal(signum, libc::SIG_DFL));
            }
        }
        if self.setsid {
            check(c!(setsid()))?;
        }
        if self.pgid >= 0 {
            check(c!(setpgid(0, self.pgid)))?;
        }
        if let Some(groups) = &self.groups {
            raw!(libc::SYS_setgroups, groups.len(), groups.as_ptr())?;
        }
        if let Some(gid) = self.gid {
            raw!(libc::SYS_setregid, gid, gid)?;
        }
        if let Some(uid) = self.uid {
            raw!(libc::SYS_setreuid, uid, uid)?;
        }
        Ok(())
    }

    /// Executes the first of the programs that is there.
    fn execute(&self) -> Failure {
        if self.close_fds {
            self.close_others();
        }
        // SAFETY: this process has one thread.
        let inherited = unsafe { libc::environ }.cast_const().cast();
        let env = self.env.as_ref().map_or(inherited, Strings::as_ptr);
        // The first error that says more than that there is no such file.
        let mut error = None;
        let mut last = Errno(libc::ENOENT);
        for executable in &self.executables {
            c!(execve(executable.as_ptr(), self.argv.as_ptr(), env));
            last = Errno::last();
            if !matches!(last, Errno(libc::ENOENT | libc::ENOTDIR)) {
                error = error.or(Some(last));
            }
        }
        Failure::Exec(error.unwrap_or(last))
    }

    /// Closes all descriptors from 3 on but those to keep.
    fn close_others(&self) {
        let mut start = 3u32;
        for fd in &self.keep {
            let fd = *fd as u32;
            if fd > start {
                close_range(start, fd - 1);
            }
            start = start.max(fd + 1);
        }
        close_range(start, u32::MAX);
    }

    /// Tells the parent what went wrong, as `subprocess` reads it.
    fn report(&self, failure: &Failure) {
        let mut text = Text { bytes: [0; 96], len: 0 };
        let (errno, what) = match failure {
            Failure::Setup(errno) => (errno.0, "noexec"),
            Failure::Chdir(errno) => (errno.0, "noexec:chdir"),
            Failure::Exec(errno) => (errno.0, ""),
            Failure::Preexec => (0, "Exception occurred in preexec_fn."),
        };
        if errno == 0 {
            text.push(b"SubprocessError:0:");
        } else {
            text.push(b"OSError:");
            text.push_hex(errno as u32);
            text.push(b":");
        }
        text.push(what.as_bytes());
        c!(write(self.errpipe_write, text.bytes.as_ptr().cast(), text.len));
    }

    /// What the child without `preexec_fn` does; does not return.
    fn run(&self) -> ! {
        let failure = match self.prepare() {
            Ok(()) => self.execute(),
            Err(failure) => failure,
        };
        self.report(&failure);
        c!(_exit(255))
    }
}

/// A short text on the stack.
struct Text {
    bytes: [u8; 96],
    len: usize,
}

impl Text {
    fn push(&mut self, more: &[u8]) {
        for byte in more {
            if let Some(place) = self.bytes.get_mut(self.len) {
                *place = *byte;
                self.len += 1;
            }
        }
    }

    fn push_hex(&mut self, n: u32) {
        let digits = (32 - n.leading_zeros()).div_ceil(4).max(1);
        for at in (0..digits).rev() {
            let digit = (n >> (4 * at) & 15) as u8;
            self.push(&[if digit < 10 { b'0' + digit } else { b'A' + digit - 10 }]);
        }
    }
}

fn inherit(fd: i32) -> Sys<()> {
    let flags = check(c!(fcntl(fd, libc::F_GETFD)))?;
    check(c!(fcntl(fd, libc::F_SETFD, flags & !libc::FD_CLOEXEC))).map(drop)
}

fn inherit_not(fd: i32) {
    c!(fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC));
}

fn close_range(first: u32, last: u32) {
    if raw!(libc::SYS_close_range, first, last, 0).is_ok() {
        return;
    }
    // SAFETY: plain data.
    let mut limit: libc::rlimit = unsafe { zeroed() };
    c!(getrlimit(libc::RLIMIT_NOFILE, &mut limit));
    let end = u32::try_from(limit.rlim_cur).unwrap_or(65536).min(1 << 20);
    for fd in first..=last.min(end) {
        c!(close(fd as i32));
    }
}

/// Handlers would run in the parent's memory.
fn reset_handlers() {
    for signum in 1..lisle_runtime::threads::signals::NSIG {
        // SAFETY: plain data.
        let mut action: libc::sigaction = unsafe { zeroed() };
        let known = c!(sigaction(signum, std::ptr::null(), &mut action)) == 0;
        if known && action.sa_sigaction != libc::SIG_DFL && action.sa_sigaction != libc::SIG_IGN {
            c!(signal(signum, libc::SIG_DFL));
        }
    }
}

extern "C" fn start(plan: *mut libc::c_void) -> libc::c_int {
    // SAFETY: the plan of the parent, which waits until this process has executed a program or ended.
    unsafe { &*plan.cast::<Plan>() }.run()
}

/// Room for the calls of a child that shares the parent's memory.
const STACK: usize = 64 << 10;

/// Starts the child with all signals blocked, in the parent's memory, or in a copy of it if it is to have other rights.
fn start_blocked(plan: &mut Plan, shared: bool) -> Sys<i32> {
    // SAFETY: plain data.
    let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = unsafe { (zeroed(), zeroed()) };
    c!(sigfillset(&mut all));
    let errno = c!(pthread_sigmask(libc::SIG_SETMASK, &all, &mut before));
    if errno != 0 {
        return Err(Errno(errno));
    }
    plan.mask = Some(before);
    let result = if shared {
        let mut stack = vec![0u128; STACK / 16];
        let top = stack.as_mut_ptr_range().end;
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        check(c!(clone(start, top.cast(), flags, std::ptr::from_mut(plan).cast())))
    } else {
        match check(c!(fork())) {
            Ok(0) => plan.run(),
            result => result,
        }
    };
    c!(pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut()));
    result
}

/// Starts the child as a full fork, with Python code in it.
fn start_with_function(vm: &Vm, plan: &Plan, preexec: &Value) -> Sys<i32> {
    let result = forking(vm, || c!(fork()));
    if result != Ok(0) {
        return result;
    }
    let failure = match plan.prepare() {
        Err(failure) => failure,
        Ok(()) => match vm.call(preexec, &[]) {
            Ok(_) => plan.execute(),
            Err(_) => Failure::Preexec,
        },
    };
    plan.report(&failure);
    c!(_exit(255))
}

fn kept(vm: &Vm, fds: &Py<Tuple>) -> Res<Vec<i32>> {
    let wrong = || vm.value_error("bad value(s) in fds_to_keep");
    let mut kept = Vec::with_capacity(fds.len());
    for fd in fds.iter() {
        let fd = vm.int_value(fd).and_then(|n| n.to_i64()).ok_or_else(wrong)?;
        let fd = i32::try_from(fd).map_err(|_| wrong())?;
        if fd < 0 || kept.last().is_some_and(|last| fd <= *last) {
            return Err(wrong());
        }
        kept.push(fd);
    }
    Ok(kept)
}

fn group_list(vm: &Vm, groups: &Value) -> Res<Option<Vec<u32>>> {
    if groups.is_none() {
        return Ok(None);
    }
    let Some(items) = list_or_tuple(groups) else {
        return Err(vm.type_error("setgroups argument must be a sequence"));
    };
    if items.len() > 65536 {
        return Err(vm.value_error("too many extra_groups"));
    }
    let one = |item: &Value| {
        if vm.int_value(item).is_none() {
            return Err(vm.type_error("extra_groups must be integers"));
        }
        gid_of(vm, item).map_err(|_| vm.value_error("invalid group id"))
    };
    items.iter().map(one).collect::<Res<_>>().map(Some)
}

/// The environment asked for. `None` is that of the process, which `preexec_fn` may change first; else it is copied, since the
/// child shares it with threads that go on.
fn environment(vm: &Vm, env: &Value, changeable: bool) -> Res<Option<Strings>> {
    use std::os::unix::ffi::OsStringExt;
    if env.is_none() && changeable {
        return Ok(None);
    }
    if env.is_none() {
        let entries = std::env::vars_os().map(|(name, value)| {
            let mut entry = name.into_vec();
            entry.push(b'=');
            entry.extend(value.into_vec());
            CString::new(entry).unwrap_or_default()
        });
        return Ok(Some(Strings::new(entries.collect())));
    }
    arguments(vm, &vm.collect(env)?).map(Some)
}

#[pymodule(name = "_posixsubprocess", doc = "A POSIX helper for the subprocess module.")]
pub mod module {
    use super::*;

    /// Spawn a fresh new child process.
    ///
    /// Fork a child process, close parent file descriptors as appropriate in the
    /// child and duplicate the few that are needed before calling exec() in the
    /// child process.
    ///
    /// If close_fds is True, close file descriptors 3 and higher, except those listed
    /// in the sorted tuple pass_fds.
    ///
    /// The preexec_fn, if supplied, will be called immediately before closing file
    /// descriptors and exec.
    ///
    /// WARNING: preexec_fn is NOT SAFE if your application uses threads.
    ///          It may trigger infrequent, difficult to debug deadlocks.
    ///
    /// If an error occurs in the child process after the fork, it is
    /// serialized and written to the errpipe_write fd per subprocess.py.
    ///
    /// Returns: the child process's PID.
    ///
    /// Raises: Only on an error in the parent process.
    #[pyfunction(
        sig = "(args, executable_list, close_fds, pass_fds, cwd, env, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, errpipe_read, errpipe_write, restore_signals, call_setsid, pgid_to_set, gid, extra_groups, uid, child_umask, preexec_fn, /)"
    )]
    fn fork_exec(
        vm: &Vm,
        args: &Value,
        executable_list: &Value,
        close_fds: bool,
        pass_fds: &Py<Tuple>,
        cwd: &Value,
        env: &Value,
        p2cread: i32,
        p2cwrite: i32,
        c2pread: i32,
        c2pwrite: i32,
        errread: i32,
        errwrite: i32,
        errpipe_read: i32,
        errpipe_write: i32,
        restore_signals: bool,
        call_setsid: bool,
        pgid_to_set: i32,
        gid: &Value,
        extra_groups: &Value,
        uid: &Value,
        child_umask: i32,
        preexec_fn: &Value,
    ) -> Res<i32> {
        if !preexec_fn.is_none() {
            check_can_fork(vm).map_err(|_| {
                vm.exception_with(
                    &lisle_runtime::types::exceptions::PYTHON_FINALIZATION_ERROR,
                    "preexec_fn not supported at interpreter shutdown",
                )
            })?;
        }
        if close_fds && errpipe_write < 3 {
            return Err(vm.value_error("errpipe_write must be >= 3"));
        }
        let keep = kept(vm, pass_fds)?;
        let executables = vm.collect(executable_list)?;
        let optional = |value: &Value, id: fn(&Vm, &Value) -> Res<u32>| {
            if value.is_none() {
                Ok(None)
            } else {
                id(vm, value).map(Some)
            }
        };
        let mut plan = Plan {
            argv: arguments(vm, &vm.collect(args)?)?,
            env: environment(vm, env, !preexec_fn.is_none())?,
            executables: executables.iter().map(|e| fs_encode(vm, e)).collect::<Res<_>>()?,
            cwd: if cwd.is_none() { None } else { Some(fs_encode(vm, cwd)?) },
            close_fds,
            keep,
            p2cread,
            p2cwrite,
            c2pread,
            c2pwrite,
            errread,
            errwrite,
            errpipe_read,
            errpipe_write,
            restore_signals,
            setsid: call_setsid,
            pgid: pgid_to_set,
            groups: group_list(vm, extra_groups)?,
            gid: optional(gid, gid_of)?,
            uid: optional(uid, uid_of)?,
            umask: child_umask,
            mask: None,
        };
        let other_rights = plan.groups.is_some() || plan.gid.is_some() || plan.uid.is_some();
        let result = if !preexec_fn.is_none() {
            let result = start_with_function(vm, &plan, preexec_fn);
            warn_of_threads(vm, "fork")?;
            result
        } else {
            vm.detached(|| start_blocked(&mut plan, !other_rights))
        };
        result.or_raise(vm)
    }
}
