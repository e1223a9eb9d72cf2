//! Signals at the C level: remember what came, and make the main thread notice.
//!
//! Invariant: everything the handler touches is an atomic or a system call that is safe in a handler. The handler
//! only records; Python handlers run in the main thread, at a safepoint, from [`take_pending`].
//! A signal that lands in another thread is forwarded to the main one with a mark, so that its system call returns
//! EINTR and the signal is not counted twice. System calls are not restarted unless [`set_restart`] says so.

use super::state::{ThreadState, poll};
use crate::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, Ordering};
use crate::sync::os_linux;
pub use crate::sync::os_linux::Action;
use std::io;

/// One more than the highest signal number.
pub const NSIG: i32 = 65;

static PENDING: [AtomicBool; NSIG as usize] = [const { AtomicBool::new(false) }; NSIG as usize];
static RESTART: [AtomicBool; NSIG as usize] = [const { AtomicBool::new(false) }; NSIG as usize];
static ANY_PENDING: AtomicBool = AtomicBool::new(false);
/// The main thread's state: set at its registration, null after its end.
static MAIN: AtomicPtr<ThreadState> = AtomicPtr::new(std::ptr::null_mut());
static MAIN_TID: AtomicU32 = AtomicU32::new(0);
static WAKEUP_FD: AtomicI32 = AtomicI32::new(-1);
static WARN_ON_FULL: AtomicBool = AtomicBool::new(true);
/// errno of a failed write to the wakeup descriptor, to be reported from a safepoint.
static WAKEUP_ERROR: AtomicI32 = AtomicI32::new(0);

pub(crate) fn set_main(state: Option<&ThreadState>) {
    MAIN.store(
        state.map_or(std::ptr::null_mut(), |s| std::ptr::from_ref(s).cast_mut()),
        Ordering::SeqCst,
    );
    MAIN_TID.store(state.map_or(0, ThreadState::native_id), Ordering::SeqCst);
}

/// Makes `signum` default, ignored or recorded (`Action::Handler`).
pub fn set_action(signum: i32, action: Action) -> io::Result<()> {
    let restart = usize::try_from(signum)
        .ok()
        .and_then(|i| RESTART.get(i))
        .is_some_and(|r| r.load(Ordering::Relaxed));
    os_linux::set_action(signum, action, handler, restart)
}

/// Records `signum` when it comes, or puts the default back.
pub fn install(signum: i32, enabled: bool) -> io::Result<()> {
    set_action(signum, if enabled { Action::Handler } else { Action::Default })
}

/// What `signum` does now.
pub fn action(signum: i32) -> io::Result<Action> {
    os_linux::get_action(signum, handler)
}

/// `siginterrupt`, the other way round: whether system calls go on after `signum`.
pub fn set_restart(signum: i32, restart: bool) -> io::Result<()> {
    let action = action(signum)?;
    if let Some(flag) = usize::try_from(signum).ok().and_then(|i| RESTART.get(i)) {
        flag.store(restart, Ordering::Relaxed);
    }
    if action == Action::Handler {
        set_action(signum, action)
    } else {
        Ok(())
    }
}

/// The descriptor that gets a byte for each signal, -1 for none; returns the one before. It must not block.
pub fn set_wakeup_fd(fd: i32, warn_on_full: bool) -> i32 {
    WARN_ON_FULL.store(warn_on_full, Ordering::SeqCst);
    WAKEUP_FD.swap(fd, Ordering::SeqCst)
}

/// The errno of a failed write to the wakeup descriptor since the last call.
pub fn take_wakeup_error() -> Option<i32> {
    match WAKEUP_ERROR.swap(0, Ordering::Relaxed) {
        0 => None,
        errno => Some(errno),
    }
}

/// Does as if `signum` had come: `_thread.interrupt_main`. False if there is no such signal.
pub fn interrupt_main(signum: i32) -> bool {
    if !(1..NSIG).contains(&signum) {
        return false;
    }
    trip(signum);
    true
}

/// Whether a signal waits for [`take_pending`].
#[inline]
pub fn any_pending() -> bool {
    ANY_PENDING.load(Ordering::Relaxed)
}

/// The signals that came, lowest number first; main thread only. What is not taken before the iterator is dropped
/// (a handler raised) stays pending and is asked for again.
pub fn take_pending() -> PendingSignals {
    let next = if ANY_PENDING.swap(false, Ordering::AcqRel) {
        1
    } else {
        NSIG
    };
    PendingSignals { next }
}

/// See [`take_pending`].
pub struct PendingSignals {
    next: i32,
}

impl Iterator for PendingSignals {
    type Item = i32;

    fn next(&mut self) -> Option<i32> {
        while self.next < NSIG {
            let signum = self.next;
            self.next += 1;
            if PENDING[signum as usize].swap(false, Ordering::AcqRel) {
                return Some(signum);
            }
        }
        None
    }
}

impl Drop for PendingSignals {
    fn drop(&mut self) {
        let left = (self.next..NSIG).any(|s| PENDING[s as usize].load(Ordering::Relaxed));
        if left {
            ANY_PENDING.store(true, Ordering::Release);
            if let Some(main) = main_state() {
                main.set_poll(poll::SIGNAL);
            }
        }
    }
}

/// Forgets what came: in the child of a fork, signals were the parent's.
pub(crate) fn clear_pending() {
    ANY_PENDING.store(false, Ordering::Relaxed);
    for flag in &PENDING {
        flag.store(false, Ordering::Relaxed);
    }
    if let Some(main) = main_state() {
        main.clear_poll(poll::SIGNAL);
    }
}

fn main_state() -> Option<&'static ThreadState> {
    // SAFETY: null, or the main thread's state, which lives until the process ends but for the moment of its own
    // unregistering, after which nothing is recorded any more.
    unsafe { MAIN.load(Ordering::SeqCst).as_ref() }
}

fn trip(signum: i32) {
    PENDING[signum as usize].store(true, Ordering::Relaxed);
    ANY_PENDING.store(true, Ordering::SeqCst);
    if let Some(main) = main_state() {
        main.interrupt(poll::SIGNAL);
    }
    let fd = WAKEUP_FD.load(Ordering::SeqCst);
    if fd >= 0
        && let Err(errno) = os_linux::write_byte(fd, signum as u8)
        && (errno != libc::EAGAIN || WARN_ON_FULL.load(Ordering::Relaxed))
    {
        WAKEUP_ERROR.store(errno, Ordering::Relaxed);
        // The main thread may have looked already.
        if let Some(main) = main_state() {
            main.interrupt(poll::SIGNAL);
        }
    }
}

extern "C" fn handler(signum: i32, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    let saved = os_linux::errno();
    // SAFETY: `info` comes from the kernel.
    if (1..NSIG).contains(&signum) && !unsafe { os_linux::is_forwarded(info) } {
        trip(signum);
        let main = MAIN_TID.load(Ordering::Relaxed);
        if main != 0 && main != os_linux::gettid() {
            os_linux::forward_signal(main, signum);
        }
    }
    os_linux::set_errno(saved);
}
