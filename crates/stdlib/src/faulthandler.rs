//! `faulthandler`: tracebacks when all else fails: on fatal signals, after a time, on a signal of the program's choice.
//!
//! Invariant: what runs in a signal handler reads atomics and the frames of threads that do not run, and writes with system
//! calls only. Without the GIL a handler shows its own thread; the functions that programs call stop the world and show
//! all. Left out: stacks of native code.

mod dump;

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicU32,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};
use std::time::{Duration, Instant};

use lisle_runtime::intern;
use lisle_runtime::native::{Res, Value, Vm, pymodule};
use lisle_runtime::sync::{Mutex, futex};
use lisle_runtime::threads::signals::NSIG;
use lisle_runtime::vm::stacks::{visit_stopped_threads, visit_threads_from_handler};

use crate::syscall::{c, int_arg, zeroed};
use dump::Out;

/// What is done about one signal.
struct Watch {
    enabled: AtomicBool,
    fd: AtomicI32,
    all_threads: AtomicBool,
    /// Whether what was there before is called as well.
    chain: AtomicBool,
    /// What was there before; written while not enabled, by the holder of `FILES`.
    previous: UnsafeCell<Option<libc::sigaction>>,
}

// SAFETY: `previous` is written under a lock, before `enabled` is set, and read by handlers that saw it set.
unsafe impl Sync for Watch {}

impl Watch {
    const fn new() -> Watch {
        Watch {
            enabled: AtomicBool::new(false),
            fd: AtomicI32::new(2),
            all_threads: AtomicBool::new(true),
            chain: AtomicBool::new(false),
            previous: UnsafeCell::new(None),
        }
    }

    /// Puts the previous action back.
    fn restore(&self, signum: i32) -> bool {
        if !self.enabled.swap(false, AcqRel) {
            return false;
        }
        // SAFETY: written before `enabled` was set, and not again before it is set the next time.
        if let Some(previous) = unsafe { &*self.previous.get() } {
            c!(sigaction(signum, previous, std::ptr::null_mut()));
        }
        true
    }

    fn install(&self, signum: i32, handler: extern "C" fn(i32), flags: i32) -> bool {
        // SAFETY: plain data.
        let mut new: libc::sigaction = unsafe { zeroed() };
        new.sa_sigaction = handler as *const () as usize;
        new.sa_flags = libc::SA_ONSTACK | flags;
        c!(sigemptyset(&mut new.sa_mask));
        // SAFETY: plain data.
        let mut old: libc::sigaction = unsafe { zeroed() };
        if self.enabled.load(Acquire) {
            return true;
        }
        if c!(sigaction(signum, std::ptr::null(), &mut old)) != 0 {
            return false;
        }
        // SAFETY: not enabled, and the caller holds the lock.
        unsafe { *self.previous.get() = Some(old) };
        self.enabled.store(true, Release);
        if c!(sigaction(signum, &new, std::ptr::null_mut())) != 0 {
            self.enabled.store(false, Release);
            return false;
        }
        true
    }
}

const FATAL: [(i32, &str); 5] = [
    (libc::SIGBUS, "Bus error"),
    (libc::SIGILL, "Illegal instruction"),
    (libc::SIGFPE, "Floating-point exception"),
    (libc::SIGABRT, "Aborted"),
    (libc::SIGSEGV, "Segmentation fault"),
];

static WATCHES: [Watch; NSIG as usize] = [const { Watch::new() }; NSIG as usize];
static FATAL_ENABLED: AtomicBool = AtomicBool::new(false);

/// The files that descriptors belong to, so that they stay open: by signal, 0 for the fatal ones.
static FILES: Mutex<Vec<(i32, Value)>> = Mutex::new(Vec::new());

fn watch(signum: i32) -> Option<&'static Watch> {
    usize::try_from(signum).ok().and_then(|at| WATCHES.get(at))
}

/// What was there before the signal was watched; `None` if it is not.
pub(crate) fn action_before(signum: i32) -> Option<libc::sighandler_t> {
    let _files = FILES.lock();
    let watch = watch(signum).filter(|watch| watch.enabled.load(Acquire))?;
    // SAFETY: written before `enabled` was set, by holders of the lock.
    unsafe { &*watch.previous.get() }
        .as_ref()
        .map(|action| action.sa_sigaction)
}

/// Threads from within a handler: all of them if that is safe, else its own.
fn dump_from_handler(out: &Out, all_threads: bool) {
    let me = Vm::try_current();
    let mut first = true;
    let all = all_threads
        && visit_threads_from_handler(|vm| {
            if !std::mem::take(&mut first) {
                out.text("\n");
            }
            dump::thread(out, vm, me.is_some_and(|me| std::ptr::eq(me, vm)));
        });
    if all {
        return;
    }
    match me {
        Some(me) => dump::frames(out, me, if all_threads { Some("Current thread") } else { None }),
        None => out.text("<no Python frame>\n"),
    }
}

extern "C" fn fatal(signum: i32) {
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    if let Some(watch) = watch(signum)
        && watch.restore(signum)
    {
        let out = Out(watch.fd.load(Relaxed));
        out.text("Fatal Python error: ");
        let name = FATAL.iter().find(|(n, _)| *n == signum);
        out.text(name.map_or("unknown", |(_, name)| name));
        out.text("\n\n");
        dump_from_handler(&out, watch.all_threads.load(Relaxed));
    }
    // SAFETY: the location of this thread's errno.
    unsafe { *libc::__errno_location() = errno };
    // What was there before decides. If it lets the program go on (the Rust library's handler does, for a signal that was sent),
    // the system does.
    c!(raise(signum));
    c!(signal(signum, libc::SIG_DFL));
    c!(raise(signum));
}

extern "C" fn on_user_signal(signum: i32) {
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    if let Some(watch) = watch(signum)
        && watch.enabled.load(Acquire)
    {
        let out = Out(watch.fd.load(Relaxed));
        dump_from_handler(&out, watch.all_threads.load(Relaxed));
        if watch.chain.load(Relaxed) {
            // SAFETY: written before `enabled` was set.
            if let Some(previous) = unsafe { &*watch.previous.get() } {
                // SAFETY: plain data.
                let mut mine: libc::sigaction = unsafe { zeroed() };
                c!(sigaction(signum, previous, &mut mine));
                // SAFETY: the location of this thread's errno.
                unsafe { *libc::__errno_location() = errno };
                c!(raise(signum));
                c!(sigaction(signum, &mine, std::ptr::null_mut()));
            }
        }
    }
    // SAFETY: the location of this thread's errno.
    unsafe { *libc::__errno_location() = errno };
}

/// The descriptor of a file argument, and the object that keeps it open.
fn file_of(vm: &Vm, file: Option<&Value>) -> Res<(i32, Option<Value>)> {
    let file = match file.filter(|f| !f.is_none()) {
        Some(file) => file.clone(),
        None => match lisle_runtime::interp::sys_attr(vm, intern!("stderr")) {
            None => return Err(vm.runtime_error("unable to get sys.stderr")),
            Some(stderr) if stderr.is_none() => return Err(vm.runtime_error("sys.stderr is None")),
            Some(stderr) => stderr,
        },
    };
    if vm.int_value(&file).is_some() {
        if file.is_bool() {
            let category = lisle_runtime::types::exceptions::RUNTIME_WARNING.get();
            vm.warn(category, "bool is used as a file descriptor", 1)?;
        }
        return match int_arg(vm, &file) {
            Ok(fd) if fd >= 0 => Ok((fd, None)),
            Ok(_) => Err(vm.value_error("file is not a valid file descriptor")),
            Err(exc) => Err(exc),
        };
    }
    let fd = vm.call_method(&file, intern!("fileno"), &[])?;
    let fd = vm
        .int_value(&fd)
        .and_then(|n| n.to_i64())
        .and_then(|n| i32::try_from(n).ok());
    let Some(fd) = fd.filter(|fd| *fd >= 0) else {
        return Err(vm.runtime_error("file.fileno() is not a valid file descriptor"));
    };
    // What was written before comes first; whether it can be is not the question here.
    let _ = vm.call_method(&file, intern!("flush"), &[]);
    Ok((fd, Some(file)))
}

/// Remembers the file of a signal; the old one is dropped unlocked.
fn keep_file(signum: i32, file: Option<Value>) {
    let mut files = FILES.lock();
    let old: Vec<_> = files.extract_if(.., |(n, _)| *n == signum).collect();
    files.extend(file.map(|file| (signum, file)));
    drop(files);
    drop(old);
}

/// A timer that has not been cancelled: 0 waits, 1 cancelled.
static WATCHDOG: Mutex<Option<Arc<AtomicU32>>> = Mutex::new(None);

fn cancel_watchdog() {
    let old = WATCHDOG.lock().take();
    if let Some(flag) = old {
        flag.store(1, Release);
        futex::wake_all(&*flag);
    }
}

/// Waits, dumps, and waits again if it is to be repeated.
fn watchdog(flag: &AtomicU32, length: Duration, repeat: bool, fd: i32, exit: bool, header: &str) {
    loop {
        let Some(until) = Instant::now().checked_add(length) else {
            return;
        };
        while flag.load(Acquire) == 0 && Instant::now() < until {
            futex::wait(flag, 0, Some(futex::deadline_ns(until)));
        }
        if flag.load(Acquire) != 0 {
            return;
        }
        let vm = Vm::enter_thread(false);
        let out = Out(fd);
        out.text(header);
        dump_all(&out, vm, true);
        vm.leave_thread();
        if exit {
            c!(_exit(1));
        }
        if !repeat {
            return;
        }
    }
}

/// All threads, with the world stopped; `hide` leaves out the caller's own.
fn dump_all(out: &Out, me: &Vm, hide: bool) {
    let mut first = true;
    visit_stopped_threads(|vm| {
        let own = std::ptr::eq(vm, me);
        if own && hide {
            return;
        }
        if !std::mem::take(&mut first) {
            out.text("\n");
        }
        dump::thread(out, vm, own);
    });
}

/// Installs the handlers of fatal signals; false if the system refuses.
fn enable_fatal(fd: i32, all_threads: bool) -> bool {
    let _held = FILES.lock();
    for (signum, _) in FATAL {
        let Some(watch) = watch(signum) else { continue };
        watch.fd.store(fd, Relaxed);
        watch.all_threads.store(all_threads, Relaxed);
        if !watch.install(signum, fatal, libc::SA_NODEFER) {
            return false;
        }
    }
    FATAL_ENABLED.store(true, Release);
    true
}

/// `-X faulthandler`: to the standard error stream, whatever `sys.stderr` is going to be.
pub fn enable_at_start() {
    // Without the handlers the program runs as well.
    let _ = enable_fatal(libc::STDERR_FILENO, true);
}

fn user_signal(vm: &Vm, signum: i32) -> Res<&'static Watch> {
    if FATAL.iter().any(|(n, _)| *n == signum) {
        let message = format!("signal {signum} cannot be registered, use enable() instead");
        return Err(vm.runtime_error(message));
    }
    match watch(signum).filter(|_| signum >= 1) {
        Some(watch) => Ok(watch),
        None => Err(vm.value_error("signal number out of range")),
    }
}

#[pymodule(name = "faulthandler", doc = "faulthandler module.")]
pub mod module {
    use super::*;

    /// Enable the fault handler.
    #[pyfunction(sig = "(file=sys.stderr, all_threads=True, c_stack=True)")]
    fn enable(vm: &Vm, file: Option<&Value>, all_threads: Option<bool>, c_stack: Option<bool>) -> Res<()> {
        let _ = c_stack;
        let (fd, file) = file_of(vm, file)?;
        keep_file(0, file);
        if enable_fatal(fd, all_threads.unwrap_or(true)) {
            Ok(())
        } else {
            Err(vm.runtime_error("Failed to install a signal handler"))
        }
    }

    /// Disable the fault handler.
    #[pyfunction(sig = "()")]
    fn disable(_vm: &Vm) -> bool {
        let was = FATAL_ENABLED.swap(false, AcqRel);
        for (signum, _) in FATAL {
            if let Some(watch) = watch(signum) {
                watch.restore(signum);
            }
        }
        keep_file(0, None);
        was
    }

    /// Check if the handler is enabled.
    #[pyfunction(sig = "()")]
    fn is_enabled(_vm: &Vm) -> bool {
        FATAL_ENABLED.load(Acquire)
    }

    /// Dump the traceback of the current thread into file.
    ///
    /// Dump the traceback of all threads if all_threads is true. into file
    #[pyfunction(sig = "(file=sys.stderr, all_threads=True)")]
    fn dump_traceback(vm: &Vm, file: Option<&Value>, all_threads: Option<bool>) -> Res<()> {
        let (fd, _file) = file_of(vm, file)?;
        let out = Out(fd);
        if all_threads.unwrap_or(true) {
            dump_all(&out, vm, false);
        } else {
            dump::frames(&out, vm, Some("Stack"));
        }
        vm.safepoint()
    }

    /// Dump the C stack of the current thread.
    #[pyfunction(sig = "(file=sys.stderr)")]
    fn dump_c_stack(vm: &Vm, file: Option<&Value>) -> Res<()> {
        let (fd, _file) = file_of(vm, file)?;
        dump::native_stack(&Out(fd));
        vm.safepoint()
    }

    /// Dump the traceback of all threads in timeout seconds.
    ///
    /// If repeat is true, the tracebacks of all threads are dumped every timeout
    /// seconds. If exit is true, call _exit(1) which is not safe.
    #[pyfunction(sig = "(timeout, repeat=False, file=sys.stderr, exit=False)")]
    fn dump_traceback_later(vm: &Vm, timeout: &Value, repeat: bool, file: Option<&Value>, exit: bool) -> Res<()> {
        let ns = crate::timeout::nanoseconds(vm, timeout, 1_000_000_000)?;
        if ns <= 0 {
            return Err(vm.value_error("timeout must be greater than 0"));
        }
        let (fd, file) = file_of(vm, file)?;
        let header = header(ns);
        cancel_watchdog();
        keep_file(-1, file);
        let flag = Arc::new(AtomicU32::new(0));
        let mine = flag.clone();
        let length = Duration::from_nanos(ns as u64);
        let started = lisle_runtime::threads::spawn(0, Default::default(), move || {
            watchdog(&mine, length, repeat, fd, exit, &header);
        });
        if started.is_err() {
            return Err(vm.runtime_error("unable to start watchdog thread"));
        }
        *WATCHDOG.lock() = Some(flag);
        Ok(())
    }

    /// "Timeout (0:00:01.500000)!"
    fn header(ns: i64) -> String {
        let us = ns / 1000 + i64::from(ns % 1000 != 0);
        let (seconds, us) = (us / 1_000_000, us % 1_000_000);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        if us == 0 {
            format!("Timeout ({hours}:{minutes:02}:{seconds:02})!\n")
        } else {
            format!("Timeout ({hours}:{minutes:02}:{seconds:02}.{us:06})!\n")
        }
    }

    /// Cancel the previous call to dump_traceback_later().
    #[pyfunction(sig = "()")]
    fn cancel_dump_traceback_later(_vm: &Vm) {
        cancel_watchdog();
        keep_file(-1, None);
    }

    /// Register a handler for the signal 'signum'.
    ///
    /// Dump the traceback of the current thread, or of all threads if
    /// all_threads is True, into file.
    #[pyfunction(sig = "(signum, file=sys.stderr, all_threads=True, chain=False)")]
    fn register(vm: &Vm, signum: i32, file: Option<&Value>, all_threads: Option<bool>, chain: bool) -> Res<()> {
        let watch = user_signal(vm, signum)?;
        let (fd, file) = file_of(vm, file)?;
        keep_file(signum, file);
        let _held = FILES.lock();
        watch.fd.store(fd, Relaxed);
        watch.all_threads.store(all_threads.unwrap_or(true), Relaxed);
        watch.chain.store(chain, Relaxed);
        let flags = if chain { libc::SA_NODEFER } else { libc::SA_RESTART };
        if watch.install(signum, on_user_signal, flags) {
            Ok(())
        } else {
            Err(vm.os_error(crate::syscall::Errno::last().0, None))
        }
    }

    /// Unregister the handler of the signal 'signum' registered by register().
    #[pyfunction(sig = "(signum, /)")]
    fn unregister(vm: &Vm, signum: i32) -> Res<bool> {
        let watch = user_signal(vm, signum)?;
        let was = watch.restore(signum);
        keep_file(signum, None);
        Ok(was)
    }

    /// Raise a SIGSEGV signal.
    #[pyfunction(sig = "(release_gil=False, /)")]
    fn _sigsegv(vm: &Vm, release_gil: bool) {
        if release_gil {
            vm.detached(|| c!(raise(libc::SIGSEGV)));
        } else {
            c!(raise(libc::SIGSEGV));
        }
    }

    /// Read from NULL, or raise a SIGSEGV signal depending on the platform.
    #[pyfunction(sig = "()")]
    fn _read_null(_vm: &Vm) {
        c!(raise(libc::SIGSEGV));
    }

    /// Raise a SIGABRT signal.
    #[pyfunction(sig = "()")]
    fn _sigabrt(_vm: &Vm) {
        c!(abort())
    }

    /// Raise a SIGFPE signal.
    #[pyfunction(sig = "()")]
    fn _sigfpe(_vm: &Vm) {
        c!(raise(libc::SIGFPE));
    }
}
