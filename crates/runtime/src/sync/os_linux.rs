//! What the runtime asks of Linux itself: futex, thread ids, signals to a thread, native stack bounds.
//!
//! Invariant: the only file of `sync` and `threads` with system calls or assembly; x86-64 and aarch64.
//! Left out: policy of any kind.

use super::atomic::AtomicU32;
use std::io;
use std::mem::MaybeUninit;

/// Why a futex wait came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitResult {
    /// Woken, or the word did not hold the expected value: look again.
    Woken,
    TimedOut,
    /// A signal handler ran in this thread.
    Interrupted,
}

/// Nanoseconds of CLOCK_MONOTONIC.
pub fn monotonic_ns() -> u64 {
    let mut ts = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: `ts` is a valid out pointer; CLOCK_MONOTONIC always exists on Linux, so it is filled.
    let ts = unsafe {
        libc::clock_gettime(libc::CLOCK_MONOTONIC, ts.as_mut_ptr());
        ts.assume_init()
    };
    (ts.tv_sec as u64)
        .wrapping_mul(1_000_000_000)
        .wrapping_add(ts.tv_nsec as u64)
}

/// Sleeps while `*word == expected`, until woken or past `deadline_ns` (absolute, monotonic).
pub fn futex_wait(word: &AtomicU32, expected: u32, deadline_ns: Option<u64>) -> WaitResult {
    let ts = deadline_ns.map(|ns| libc::timespec {
        tv_sec: (ns / 1_000_000_000) as libc::time_t,
        tv_nsec: (ns % 1_000_000_000) as libc::c_long,
    });
    let ts_ptr = ts.as_ref().map_or(std::ptr::null(), |t| t as *const libc::timespec);
    // SAFETY: `word` is a live u32, `ts_ptr` is null or points to a timespec on this frame.
    let rc = unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG,
            expected,
            ts_ptr,
            std::ptr::null::<u32>(),
            u32::MAX,
        )
    };
    if rc == 0 {
        return WaitResult::Woken;
    }
    match errno() {
        libc::ETIMEDOUT => WaitResult::TimedOut,
        libc::EINTR => WaitResult::Interrupted,
        _ => WaitResult::Woken,
    }
}

/// Wakes up to `count` sleepers of the word at `addr`, which may be gone by now: a stale address wakes nobody,
/// or somebody who looks again.
pub fn futex_wake(addr: *const AtomicU32, count: i32) -> usize {
    // SAFETY: FUTEX_WAKE does not write to memory; an unmapped address gives an error, ignored here.
    let rc = unsafe {
        libc::syscall(
            libc::SYS_futex,
            addr,
            libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG,
            count,
        )
    };
    usize::try_from(rc).unwrap_or(0)
}

pub fn errno() -> i32 {
    // SAFETY: points to this thread's errno.
    unsafe { *libc::__errno_location() }
}

pub fn set_errno(value: i32) {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = value }
}

/// The kernel's id of the calling thread.
pub fn gettid() -> u32 {
    // SAFETY: no arguments, cannot fail.
    unsafe { libc::syscall(libc::SYS_gettid) as u32 }
}

/// `pthread_self` as an integer: the `ident` that Python shows.
pub fn thread_ident() -> u64 {
    // SAFETY: no arguments, cannot fail.
    unsafe { libc::pthread_self() as u64 }
}

/// Commands of membarrier(2).
const MEMBARRIER_PRIVATE_EXPEDITED: i32 = 1 << 3;
const MEMBARRIER_REGISTER_PRIVATE_EXPEDITED: i32 = 1 << 4;

/// Asks for the right to [`membarrier`]; whether it was given. Quick while the process has one thread.
pub fn register_membarrier() -> bool {
    // SAFETY: no pointers.
    unsafe { libc::syscall(libc::SYS_membarrier, MEMBARRIER_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 }
}

/// A memory barrier in every running thread of the process, and in this one. [`register_membarrier`] was successful.
pub fn membarrier() {
    // SAFETY: no pointers.
    while unsafe { libc::syscall(libc::SYS_membarrier, MEMBARRIER_PRIVATE_EXPEDITED, 0, 0) } != 0 {
        // Without memory for a set of processors, for the moment.
        sched_yield();
    }
}

/// How often the system took the processor from the calling thread while it had something to do.
pub fn involuntary_switches() -> u64 {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the call writes to `usage` at most, for which all zero bits are a value.
    unsafe {
        libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr());
        usage.assume_init().ru_nivcsw as u64
    }
}

/// How many processors the calling thread may use; at least 1.
pub fn processors() -> u32 {
    let mut set = MaybeUninit::<libc::cpu_set_t>::zeroed();
    // SAFETY: the call writes no more than the size it is given; a set of zeros is a valid one.
    let count = unsafe {
        if libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), set.as_mut_ptr()) == 0 {
            libc::CPU_COUNT(set.assume_init_ref())
        } else {
            libc::sysconf(libc::_SC_NPROCESSORS_ONLN) as i32
        }
    };
    u32::try_from(count).unwrap_or(1).max(1)
}

pub fn sched_yield() {
    // SAFETY: no arguments.
    unsafe { libc::sched_yield() };
}

/// The current stack pointer.
#[inline(always)]
pub fn stack_pointer() -> usize {
    let sp: usize;
    // SAFETY: reads a register, touches nothing.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        std::arch::asm!("mov {}, rsp", out(reg) sp, options(nomem, nostack, preserves_flags));
        #[cfg(target_arch = "aarch64")]
        std::arch::asm!("mov {}, sp", out(reg) sp, options(nomem, nostack, preserves_flags));
    }
    sp
}

/// The largest main stack taken for granted where the limit is "unlimited".
const UNLIMITED_STACK: usize = 64 << 20;

/// Lowest and highest address of the calling thread's stack, guard excluded.
pub fn stack_bounds() -> Option<(usize, usize)> {
    // SAFETY: getpid takes no arguments.
    if gettid() == unsafe { libc::getpid() } as u32 {
        return main_stack_bounds();
    }
    let mut attr = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let (mut addr, mut size, mut guard) = (std::ptr::null_mut::<libc::c_void>(), 0usize, 0usize);
    // SAFETY: `attr` is initialised by pthread_getattr_np when it returns 0, and destroyed once.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attr.as_mut_ptr()) != 0 {
            return None;
        }
        let ok = libc::pthread_attr_getstack(attr.as_ptr(), &mut addr, &mut size) == 0;
        libc::pthread_attr_getguardsize(attr.as_ptr(), &mut guard);
        libc::pthread_attr_destroy(attr.as_mut_ptr());
        if !ok {
            return None;
        }
    }
    let high = (addr as usize).checked_add(size)?;
    let low = (addr as usize).checked_add(guard)?;
    Some((low, high))
}

/// The bounds of the main thread's stack, which grows on demand up to the soft limit. The name of the program lies at its end.
fn main_stack_bounds() -> Option<(usize, usize)> {
    // SAFETY: getauxval takes no pointer.
    let end = unsafe { libc::getauxval(libc::AT_EXECFN) } as usize;
    let high = end.checked_next_multiple_of(4096).filter(|_| end != 0)?;
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a valid out pointer.
    let rc = unsafe { libc::getrlimit(libc::RLIMIT_STACK, &mut limit) };
    let cap = if rc != 0 || limit.rlim_cur == libc::RLIM_INFINITY {
        UNLIMITED_STACK
    } else {
        usize::try_from(limit.rlim_cur).unwrap_or(UNLIMITED_STACK)
    };
    Some((high.saturating_sub(cap), high))
}

/// Starts a detached native thread that runs `main(arg)`.
pub fn create_thread(
    stack_size: usize,
    main: extern "C" fn(*mut libc::c_void) -> *mut libc::c_void,
    arg: *mut libc::c_void,
) -> io::Result<u64> {
    let mut attr = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let mut thread = MaybeUninit::<libc::pthread_t>::uninit();
    let check = |rc: i32| {
        if rc == 0 {
            Ok(())
        } else {
            Err(io::Error::from_raw_os_error(rc))
        }
    };
    // SAFETY: `attr` is initialised before use and destroyed once; `thread` is filled when pthread_create returns 0.
    unsafe {
        check(libc::pthread_attr_init(attr.as_mut_ptr()))?;
        let mut result = check(libc::pthread_attr_setstacksize(attr.as_mut_ptr(), stack_size));
        if result.is_ok() {
            result = check(libc::pthread_attr_setdetachstate(
                attr.as_mut_ptr(),
                libc::PTHREAD_CREATE_DETACHED,
            ));
        }
        if result.is_ok() {
            result = check(libc::pthread_create(thread.as_mut_ptr(), attr.as_ptr(), main, arg));
        }
        libc::pthread_attr_destroy(attr.as_mut_ptr());
        result?;
        Ok(thread.assume_init())
    }
}

/// Fresh memory of zeros, straight from the system.
pub fn map(size: usize) -> Option<std::ptr::NonNull<u8>> {
    // SAFETY: a new private mapping, where the system chooses.
    let start = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            size,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    (start != libc::MAP_FAILED)
        .then(|| std::ptr::NonNull::new(start.cast()))
        .flatten()
}

/// Gives back what [`map`] gave.
///
/// # Safety
/// All of one mapping, which nobody uses any more.
pub unsafe fn unmap(start: std::ptr::NonNull<u8>, size: usize) {
    // SAFETY: by contract.
    unsafe { libc::munmap(start.as_ptr().cast(), size) };
}

/// A set of blocked signals.
#[derive(Clone, Copy)]
pub struct SignalMask(libc::sigset_t);

impl SignalMask {
    /// Makes it that of the calling thread.
    pub fn put_in_force(&self) {
        // SAFETY: a whole set.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, std::ptr::null_mut()) };
    }
}

/// Which signals the calling thread blocks.
pub fn signal_mask() -> SignalMask {
    let mut mask = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: `mask` is a valid out pointer, and a set of zeros is a whole one.
    unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, std::ptr::null(), mask.as_mut_ptr());
        SignalMask(mask.assume_init())
    }
}

/// Blocks all signals in the calling thread; returns which it blocked.
pub fn block_signals() -> SignalMask {
    let (mut all, mut before) = (
        MaybeUninit::<libc::sigset_t>::zeroed(),
        MaybeUninit::<libc::sigset_t>::zeroed(),
    );
    // SAFETY: as above.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
        SignalMask(before.assume_init())
    }
}

/// What the system calls a thread: at most 15 bytes and a null.
type ThreadName = [libc::c_char; 16];

thread_local! {
    /// What the calling thread was called before [`set_thread_name`].
    static NAME_BEFORE: std::cell::Cell<Option<ThreadName>> = const { std::cell::Cell::new(None) };
}

/// Gives the calling thread a name, cut to what the system keeps of it.
pub fn set_thread_name(name: &[u8]) {
    let mut new: ThreadName = [0; 16];
    for (to, byte) in new.iter_mut().take(15).zip(name.iter().filter(|byte| **byte != 0)) {
        *to = *byte as libc::c_char;
    }
    // SAFETY: both names are 16 bytes long and end with a null.
    unsafe {
        if NAME_BEFORE.get().is_none() {
            let mut old: ThreadName = [0; 16];
            if libc::pthread_getname_np(libc::pthread_self(), old.as_mut_ptr(), old.len()) == 0 {
                NAME_BEFORE.set(Some(old));
            }
        }
        libc::pthread_setname_np(libc::pthread_self(), new.as_ptr());
    }
}

/// Gives the calling thread the name that it had before the first [`set_thread_name`].
pub fn restore_thread_name() {
    if let Some(old) = NAME_BEFORE.take() {
        // SAFETY: as above.
        unsafe { libc::pthread_setname_np(libc::pthread_self(), old.as_ptr()) };
    }
}

/// The marker that tells a forwarded signal from one sent by anybody else.
static FORWARD_MARK: u8 = 0;

#[repr(C)]
struct QueuedInfo {
    signo: i32,
    errno: i32,
    code: i32,
    pad: i32,
    pid: i32,
    uid: u32,
    value: usize,
    // siginfo_t is 128 bytes on every 64-bit Linux.
    rest: [u8; 128 - 32],
}

const _: () = assert!(size_of::<QueuedInfo>() == size_of::<libc::siginfo_t>());

/// Sends `signum` to the thread `tid` of this process so that its system call returns EINTR;
/// [`is_forwarded`] recognises it. Safe in a signal handler.
pub fn forward_signal(tid: u32, signum: i32) {
    // SAFETY: getpid, getuid take no arguments; `info` is a complete siginfo the kernel only reads.
    unsafe {
        let info = QueuedInfo {
            signo: signum,
            errno: 0,
            code: libc::SI_QUEUE,
            pad: 0,
            pid: libc::getpid(),
            uid: libc::getuid(),
            value: &raw const FORWARD_MARK as usize,
            rest: [0; 96],
        };
        libc::syscall(libc::SYS_rt_tgsigqueueinfo, info.pid, tid, signum, &raw const info);
    }
}

/// Whether a handler was entered because of [`forward_signal`].
///
/// # Safety
/// `info` is null or the siginfo the kernel passed to the handler.
pub unsafe fn is_forwarded(info: *const libc::siginfo_t) -> bool {
    if info.is_null() {
        return false;
    }
    // SAFETY: the kernel passes a full siginfo_t, of the same size and leading layout.
    let info = unsafe { &*info.cast::<QueuedInfo>() };
    // SAFETY: no arguments.
    let own = unsafe { libc::getpid() };
    info.code == libc::SI_QUEUE && info.pid == own && info.value == &raw const FORWARD_MARK as usize
}

pub type SignalHandler = extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void);

/// What a signal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Default,
    Ignore,
    /// A handler other than the runtime's: put in place by someone else.
    Foreign,
    Handler,
}

/// Sets what `signum` does; `restart` asks that system calls go on after the handler.
pub fn set_action(signum: i32, action: Action, handler: SignalHandler, restart: bool) -> io::Result<()> {
    // SAFETY: an all-zero sigaction is valid; every field that matters is set below.
    let mut new: libc::sigaction = unsafe { std::mem::zeroed() };
    new.sa_sigaction = match action {
        Action::Default | Action::Foreign => libc::SIG_DFL,
        Action::Ignore => libc::SIG_IGN,
        Action::Handler => handler as *const () as usize,
    };
    new.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    if restart {
        new.sa_flags |= libc::SA_RESTART;
    }
    // SAFETY: `new` is valid; the old action is not asked for.
    let rc = unsafe {
        libc::sigemptyset(&mut new.sa_mask);
        libc::sigaction(signum, &new, std::ptr::null_mut())
    };
    if rc == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// What `signum` does now.
pub fn get_action(signum: i32, handler: SignalHandler) -> io::Result<Action> {
    // SAFETY: an all-zero sigaction is valid and only written by the call.
    let mut old: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: `old` is a valid out pointer.
    if unsafe { libc::sigaction(signum, std::ptr::null(), &mut old) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(match old.sa_sigaction {
        libc::SIG_DFL => Action::Default,
        libc::SIG_IGN => Action::Ignore,
        h if h == handler as *const () as usize => Action::Handler,
        _ => Action::Foreign,
    })
}

/// Writes one byte; returns errno on failure. Safe in a signal handler.
pub fn write_byte(fd: i32, byte: u8) -> Result<(), i32> {
    loop {
        // SAFETY: one byte from a live variable.
        let rc = unsafe { libc::write(fd, (&raw const byte).cast(), 1) };
        if rc == 1 {
            return Ok(());
        }
        match errno() {
            libc::EINTR => {}
            other => return Err(other),
        }
    }
}
