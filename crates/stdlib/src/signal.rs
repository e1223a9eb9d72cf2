//! `_signal`: handlers of signals, and what the system offers besides.
//!
//! Invariant: what a signal does is what the system says; the table of `lisle_runtime::interp` holds the Python handlers.
//! Handlers run in the main thread, at a safepoint. SIGINT without a Python handler raises `KeyboardInterrupt`.

mod constants;

use std::time::{Duration, Instant};

use lisle_runtime::intern;
use lisle_runtime::interp;
use lisle_runtime::native::{Py, Res, Value, Vm, pymodule};
use lisle_runtime::threads::ParkReason;
use lisle_runtime::threads::registry::with_thread;
use lisle_runtime::threads::signals::{self, Action, NSIG};
use lisle_runtime::types::exceptions;
use lisle_runtime::types::module::Module;
use lisle_runtime::types::set::Set;
use lisle_runtime::types::struct_seq::StructSeqDef;

use crate::exception::ExceptionClass;
use crate::sigset::{members, sigset_of};
use crate::syscall::{Errno, OrRaise, Sys, blocking, c, check, retrying, zeroed};

const SIG_DFL: i64 = 0;
const SIG_IGN: i64 = 1;

static ITIMER_ERROR: ExceptionClass = ExceptionClass::new("signal", "itimer_error", &exceptions::OS_ERROR);

static STRUCT_SIGINFO: StructSeqDef = StructSeqDef::new(
    "struct_siginfo",
    "signal",
    "struct_siginfo: Result from sigwaitinfo or sigtimedwait.\n\nThis object may be accessed either as a tuple of\n(si_signo, si_code, si_errno, si_pid, si_uid, si_status, si_band),\nor via the attributes si_signo, si_code, and so on.",
    &[
        ("si_signo", "signal number"),
        ("si_code", "signal code"),
        ("si_errno", "errno associated with this signal"),
        ("si_pid", "sending process ID"),
        ("si_uid", "real user ID of sending process"),
        ("si_status", "exit value or signal"),
        ("si_band", "band event for SIGPOLL"),
    ],
    7,
);

/// What a program starts with: Ctrl-C interrupts; a write that nobody reads, and a file that grows too large, are errors.
pub fn install_defaults(_vm: &Vm) {
    // Rust's runtime waits for a stack overflow with a handler that survives the first signal which is none: a crash is to end the process.
    for signum in [libc::SIGSEGV, libc::SIGBUS] {
        if signals::action(signum).is_ok_and(|a| a == Action::Foreign) {
            let _ = signals::set_action(signum, Action::Default);
        }
    }
    if crate::cli::config().faulthandler {
        crate::faulthandler::enable_at_start();
    }
    // What cannot be set stays as it is; there is no reason why it should fail.
    for signum in [libc::SIGPIPE, libc::SIGXFSZ] {
        let _ = signals::set_action(signum, Action::Ignore);
    }
    if signals::action(libc::SIGINT).is_ok_and(|a| a == Action::Default) {
        let _ = signals::set_action(libc::SIGINT, Action::Handler);
    }
}

/// The program ends: no Python handler runs any more, and a signal does what it does by default.
pub fn finish() {
    for signum in 1..NSIG {
        if signals::action(signum).is_ok_and(|a| a == Action::Handler) {
            let _ = signals::set_action(signum, Action::Default);
        }
        drop(interp::set_signal_handler(signum, None));
    }
}

fn check_number(vm: &Vm, signum: i32) -> Res<i32> {
    if (1..NSIG).contains(&signum) {
        Ok(signum)
    } else {
        Err(vm.value_error("signal number out of range"))
    }
}

/// What `getsignal` returns; `None` for a handler that is not Python's.
fn current_handler(vm: &Vm, signum: i32) -> Res<Option<Value>> {
    Ok(match signals::action(signum) {
        Ok(Action::Ignore) => Some(Value::int(SIG_IGN)),
        Ok(Action::Handler) => match interp::signal_handler(signum) {
            None if signum == libc::SIGINT => {
                let module = vm.import_module("_signal")?;
                Some(vm.getattr(&module, intern!("default_int_handler"))?)
            }
            handler => handler,
        },
        Ok(Action::Default) => Some(Value::int(SIG_DFL)),
        // The Rust library's own, which tells overflows of the stack apart.
        Ok(Action::Foreign) if matches!(signum, libc::SIGSEGV | libc::SIGBUS) => Some(Value::int(SIG_DFL)),
        // `faulthandler` stands before what there is.
        Ok(Action::Foreign) => match crate::faulthandler::action_before(signum) {
            Some(libc::SIG_DFL) => Some(Value::int(SIG_DFL)),
            Some(libc::SIG_IGN) => Some(Value::int(SIG_IGN)),
            Some(_) => interp::signal_handler(signum),
            None => None,
        },
        // The C library keeps some numbers for itself.
        Err(_) => None,
    })
}

fn set_value(vm: &Vm, set: &libc::sigset_t) -> Res<Value> {
    let numbers: Vec<Value> = members(set).into_iter().map(|n| Value::int(n.into())).collect();
    Set::from_values(vm, &numbers).map(Py::into_value)
}

fn siginfo_value(info: &libc::siginfo_t) -> Value {
    #[repr(C)]
    struct Poll {
        head: [i32; 4],
        band: i64,
    }
    // SAFETY: the kernel filled the structure in; which of its fields mean something depends on the signal, but all are
    // plain numbers within it.
    let (pid, uid, status, band) = unsafe {
        (
            info.si_pid(),
            info.si_uid(),
            info.si_status(),
            (*std::ptr::from_ref(info).cast::<Poll>()).band,
        )
    };
    let uid = crate::posix::path::id_value(uid);
    STRUCT_SIGINFO.make(vec![
        Value::int(info.si_signo.into()),
        Value::int(info.si_code.into()),
        Value::int(info.si_errno.into()),
        Value::int(pid.into()),
        uid,
        Value::int(status.into()),
        Value::int(band),
    ])
}

fn seconds_of(t: &libc::timeval) -> f64 {
    t.tv_sec as f64 + t.tv_usec as f64 * 1e-6
}

fn timer_value(t: &libc::itimerval) -> (f64, f64) {
    (seconds_of(&t.it_value), seconds_of(&t.it_interval))
}

/// Seconds as a `timeval`, rounded up, so that a short time does not become "never".
fn timeval_of(vm: &Vm, value: &Value) -> Res<libc::timeval> {
    let mut spec = crate::posix::stat::timespec_of(vm, value)?;
    let mut usec = (spec.tv_nsec + 999) / 1000;
    if usec >= 1_000_000 {
        usec -= 1_000_000;
        spec.tv_sec += 1;
    }
    Ok(libc::timeval {
        tv_sec: spec.tv_sec,
        tv_usec: usec,
    })
}

fn timer_result<T>(vm: &Vm, result: Sys<T>) -> Res<T> {
    result.map_err(|e| {
        let text = exceptions::os_error::strerror(e.0);
        ITIMER_ERROR.exception(vm, vec![Value::int(e.0.into()), Value::from(text.as_str())])
    })
}

/// Waits for one of the signals, for some time or for ever; `None` when the time is up.
fn wait_info(vm: &Vm, set: &libc::sigset_t, until: Option<Instant>) -> Res<Option<Value>> {
    // SAFETY: plain data.
    let mut info: libc::siginfo_t = unsafe { zeroed() };
    let result = retrying(vm, ParkReason::Other, || match until {
        None => c!(sigwaitinfo(set, &mut info)),
        Some(until) => {
            let left = until.saturating_duration_since(Instant::now());
            let spec = libc::timespec {
                tv_sec: left.as_secs() as i64,
                tv_nsec: left.subsec_nanos().into(),
            };
            c!(sigtimedwait(set, &mut info, &spec))
        }
    })?;
    match result {
        Err(Errno(libc::EAGAIN)) if until.is_some() => Ok(None),
        result => {
            result.or_raise(vm)?;
            Ok(Some(siginfo_value(&info)))
        }
    }
}

#[pymodule(
    name = "_signal",
    doc = "This module provides mechanisms to use signal handlers in Python.\n\nFunctions:\n\nalarm() -- cause SIGALRM after a specified time [Unix only]\nsetitimer() -- cause a signal (described below) after a specified\n               float time and the timer may restart then [Unix only]\ngetitimer() -- get current value of timer [Unix only]\nsignal() -- set the action for a given signal\ngetsignal() -- get the signal action for a given signal\npause() -- wait until a signal arrives [Unix only]\ndefault_int_handler() -- default SIGINT handler",
    parts(constants::module::DEF)
)]
pub mod module {
    use super::constants;
    use super::*;

    #[pyattr]
    fn struct_siginfo(_vm: &Vm) -> Value {
        STRUCT_SIGINFO.ty().to_value()
    }

    #[pyattr]
    const SIG_DFL: i64 = super::SIG_DFL;
    #[pyattr]
    const SIG_IGN: i64 = super::SIG_IGN;

    /// The default handler for SIGINT installed by Python.
    ///
    /// It raises KeyboardInterrupt.
    #[pyfunction(sig = "(signalnum, frame, /)")]
    fn default_int_handler(vm: &Vm, _signalnum: i32, _frame: &Value) -> Res<()> {
        Err(vm.keyboard_interrupt())
    }

    /// Set the action for the given signal.
    ///
    /// The action can be SIG_DFL, SIG_IGN, or a callable Python object.
    /// The previous action is returned.  See getsignal() for possible return values.
    ///
    /// *** IMPORTANT NOTICE ***
    /// A signal handler function is called with two arguments:
    /// the first is the signal number, the second is the interrupted stack frame.
    #[pyfunction(sig = "(signalnum, handler, /)")]
    fn signal(vm: &Vm, signalnum: i32, handler: &Value) -> Res<Option<Value>> {
        if !vm.thread.is_main() {
            return Err(vm.value_error("signal only works in main thread of the main interpreter"));
        }
        check_number(vm, signalnum)?;
        let number = vm.int_value(handler).and_then(|n| n.to_i64());
        let (action, function) = match number {
            Some(super::SIG_DFL) => (Action::Default, None),
            Some(super::SIG_IGN) => (Action::Ignore, None),
            _ if vm.is_callable(handler) => (Action::Handler, Some(handler.clone())),
            _ => {
                return Err(
                    vm.type_error("signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object")
                );
            }
        };
        // What has come already belongs to the handler that is there.
        vm.safepoint()?;
        let old = current_handler(vm, signalnum)?;
        if action == Action::Handler {
            drop(interp::set_signal_handler(signalnum, function));
            signals::set_action(signalnum, action).map_err(|e| vm.os_error_from(&e))?;
        } else {
            signals::set_action(signalnum, action).map_err(|e| vm.os_error_from(&e))?;
            drop(interp::set_signal_handler(signalnum, None));
        }
        Ok(old)
    }

    /// Return the current action for the given signal.
    ///
    /// The return value can be:
    ///   SIG_IGN -- if the signal is being ignored
    ///   SIG_DFL -- if the default action for the signal is in effect
    ///   None    -- if an unknown handler is in effect
    ///   anything else -- the callable Python object used as a handler
    #[pyfunction(sig = "(signalnum, /)")]
    fn getsignal(vm: &Vm, signalnum: i32) -> Res<Option<Value>> {
        current_handler(vm, check_number(vm, signalnum)?)
    }

    /// Send a signal to the executing process.
    #[pyfunction(sig = "(signalnum, /)")]
    fn raise_signal(vm: &Vm, signalnum: i32) -> Res<()> {
        check(match c!(raise(signalnum)) {
            0 => 0,
            _ => -1,
        })
        .or_raise(vm)?;
        vm.safepoint()
    }

    /// Change system call restart behaviour.
    ///
    /// If flag is False, system calls will be restarted when interrupted by
    /// signal sig, else system calls will be interrupted.
    #[pyfunction(sig = "(signalnum, flag, /)")]
    fn siginterrupt(vm: &Vm, signalnum: i32, flag: i32) -> Res<()> {
        check_number(vm, signalnum)?;
        signals::set_restart(signalnum, flag == 0).map_err(|e| vm.os_error_from(&e))
    }

    /// Sets the fd to be written to (with the signal number) when a signal comes in.
    ///
    /// A library can use this to wakeup select or poll.
    /// The previous fd or -1 is returned.
    ///
    /// The fd must be non-blocking.
    #[pyfunction(sig = "(fd, /, *, warn_on_full_buffer=True)")]
    fn set_wakeup_fd(vm: &Vm, fd: i32, warn_on_full_buffer: bool) -> Res<i32> {
        if !vm.thread.is_main() {
            return Err(vm.value_error("set_wakeup_fd only works in main thread of the main interpreter"));
        }
        if fd != -1 {
            crate::posix::stat::stat_fd(vm, fd).or_raise(vm)?;
            let flags = check(c!(fcntl(fd, libc::F_GETFL))).or_raise(vm)?;
            if flags & libc::O_NONBLOCK == 0 {
                return Err(vm.value_error(format!("the fd {fd} must be in non-blocking mode")));
            }
        }
        Ok(signals::set_wakeup_fd(fd, warn_on_full_buffer))
    }

    /// Arrange for SIGALRM to arrive after the given number of seconds.
    #[pyfunction(sig = "(seconds, /)")]
    fn alarm(_vm: &Vm, seconds: i32) -> u32 {
        c!(alarm(seconds as u32))
    }

    /// Wait until a signal arrives.
    #[pyfunction(sig = "()")]
    fn pause(vm: &Vm) -> Res<()> {
        vm.thread.detached_for(ParkReason::Other, || c!(pause()));
        vm.safepoint()
    }

    #[pyattr]
    fn ItimerError(vm: &Vm) -> Res<Value> {
        ITIMER_ERROR.get(vm).map(|class| class.to_value())
    }

    /// Sets given itimer (one of ITIMER_REAL, ITIMER_VIRTUAL or ITIMER_PROF).
    ///
    /// The timer will fire after value seconds and after that every interval seconds.
    /// The itimer can be cleared by setting seconds to zero.
    ///
    /// Returns old values as a tuple: (delay, interval).
    #[pyfunction(sig = "(which, seconds, interval=0.0, /)")]
    fn setitimer(vm: &Vm, which: i32, seconds: &Value, interval: Option<&Value>) -> Res<(f64, f64)> {
        let none = libc::timeval { tv_sec: 0, tv_usec: 0 };
        let new = libc::itimerval {
            it_value: timeval_of(vm, seconds)?,
            it_interval: interval.map_or(Ok(none), |i| timeval_of(vm, i))?,
        };
        // SAFETY: plain data.
        let mut old: libc::itimerval = unsafe { zeroed() };
        timer_result(vm, check(c!(setitimer(which as _, &new, &mut old))))?;
        Ok(timer_value(&old))
    }

    /// Returns current value of given itimer.
    #[pyfunction(sig = "(which, /)")]
    fn getitimer(vm: &Vm, which: i32) -> Res<(f64, f64)> {
        // SAFETY: plain data.
        let mut now: libc::itimerval = unsafe { zeroed() };
        timer_result(vm, check(c!(getitimer(which as _, &mut now))))?;
        Ok(timer_value(&now))
    }

    /// Fetch and/or change the signal mask of the calling thread.
    #[pyfunction(sig = "(how, mask, /)")]
    fn pthread_sigmask(vm: &Vm, how: i32, mask: &Value) -> Res<Value> {
        let mask = sigset_of(vm, mask)?;
        // SAFETY: plain data.
        let mut old: libc::sigset_t = unsafe { zeroed() };
        match c!(pthread_sigmask(how, &mask, &mut old)) {
            0 => {}
            errno => return Err(vm.os_error(errno, None)),
        }
        vm.safepoint()?;
        set_value(vm, &old)
    }

    /// Examine pending signals.
    ///
    /// Returns a set of signal numbers that are pending for delivery to
    /// the calling thread.
    #[pyfunction(sig = "()")]
    fn sigpending(vm: &Vm) -> Res<Value> {
        // SAFETY: plain data.
        let mut set: libc::sigset_t = unsafe { zeroed() };
        check(c!(sigpending(&mut set))).or_raise(vm)?;
        set_value(vm, &set)
    }

    /// Wait for a signal.
    ///
    /// Suspend execution of the calling thread until the delivery of one of the
    /// signals specified in the signal set sigset.  The function accepts the signal
    /// and returns the signal number.
    #[pyfunction(sig = "(sigset, /)")]
    fn sigwait(vm: &Vm, sigset: &Value) -> Res<i32> {
        let set = sigset_of(vm, sigset)?;
        blocking(vm, ParkReason::Other, || c!(sigwaitinfo(&set, std::ptr::null_mut())))
    }

    /// Wait synchronously until one of the signals in *sigset* is delivered.
    ///
    /// Returns a struct_siginfo containing information about the signal.
    #[pyfunction(sig = "(sigset, /)")]
    fn sigwaitinfo(vm: &Vm, sigset: &Value) -> Res<Option<Value>> {
        wait_info(vm, &sigset_of(vm, sigset)?, None)
    }

    /// Like sigwaitinfo(), but with a timeout.
    ///
    /// The timeout is specified in seconds, with floating-point numbers allowed.
    #[pyfunction(sig = "(sigset, timeout, /)")]
    fn sigtimedwait(vm: &Vm, sigset: &Value, timeout: &Value) -> Res<Option<Value>> {
        let time = crate::posix::stat::timespec_of(vm, timeout)?;
        let set = sigset_of(vm, sigset)?;
        if time.tv_sec < 0 {
            return Err(vm.value_error("timeout must be non-negative"));
        }
        let length = Duration::new(time.tv_sec as u64, time.tv_nsec as u32);
        let until = Instant::now().checked_add(length);
        wait_info(vm, &set, until)
    }

    /// Send a signal to a thread.
    #[pyfunction(sig = "(thread_id, signalnum, /)")]
    fn pthread_kill(vm: &Vm, thread_id: u64, signalnum: i32) -> Res<()> {
        crate::syscall::audit!(
            vm,
            "signal.pthread_kill",
            Value::usize(thread_id as usize),
            Value::int(signalnum.into())
        );
        // A thread that is not known here may be gone, and its id mean nothing.
        let result = with_thread(thread_id, |_| c!(pthread_kill(thread_id as libc::pthread_t, signalnum)));
        match result {
            Some(0) => vm.safepoint(),
            Some(errno) => Err(vm.os_error(errno, None)),
            None => Err(vm.os_error(libc::ESRCH, None)),
        }
    }

    /// Send a signal to a process referred to by a pid file descriptor.
    #[pyfunction(sig = "(pidfd, signalnum, siginfo=None, flags=0, /)")]
    fn pidfd_send_signal(vm: &Vm, pidfd: i32, signalnum: i32, siginfo: Option<&Value>, flags: i32) -> Res<()> {
        if siginfo.is_some_and(|info| !info.is_none()) {
            return Err(vm.type_error("siginfo must be None"));
        }
        let none = std::ptr::null::<libc::siginfo_t>();
        check(c!(syscall(libc::SYS_pidfd_send_signal, pidfd, signalnum, none, flags))).or_raise(vm)?;
        vm.safepoint()
    }

    /// Return the system description of the given signal.
    ///
    /// Returns the description of signal *signalnum*, such as "Interrupt"
    /// for :const:`SIGINT`. Returns :const:`None` if *signalnum* has no
    /// description. Raises :exc:`ValueError` if *signalnum* is invalid.
    #[pyfunction(sig = "(signalnum, /)")]
    fn strsignal(vm: &Vm, signalnum: i32) -> Res<Option<Value>> {
        check_number(vm, signalnum)?;
        let text = c!(strsignal(signalnum));
        if text.is_null() {
            return Ok(None);
        }
        // SAFETY: terminated text, valid until this thread's next call.
        let text = unsafe { std::ffi::CStr::from_ptr(text) };
        if text.to_bytes().starts_with(b"Unknown signal") {
            return Ok(None);
        }
        crate::posix::path::fs_decode_c(vm, text).map(Some)
    }

    /// Return a set of valid signal numbers on this platform.
    ///
    /// The signal numbers returned by this function can be safely passed to
    /// functions like `pthread_kill`.
    #[pyfunction(sig = "()")]
    fn valid_signals(vm: &Vm) -> Res<Value> {
        // SAFETY: plain data.
        let mut set: libc::sigset_t = unsafe { zeroed() };
        c!(sigfillset(&mut set));
        set_value(vm, &set)
    }

    #[init]
    fn init(_vm: &Vm, module: &Py<Module>) -> Res<()> {
        module.set("SIGRTMIN", Value::int(libc::SIGRTMIN().into()));
        module.set("SIGRTMAX", Value::int(libc::SIGRTMAX().into()));
        Ok(())
    }
}
