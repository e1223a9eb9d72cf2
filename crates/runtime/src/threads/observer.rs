//! The hook for a timeline or a controlled scheduler: told when threads block and when the GIL changes hands.
//!
//! Invariant: absent by default; looked up on slow paths only, so it costs nothing when absent. An observer is
//! never freed and must not block, allocate Python objects or attach.

use super::parking::WaitFor;
use super::state::ThreadState;
use crate::sync::atomic::{AtomicPtr, Ordering};

/// What happened to the GIL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GilEvent {
    /// The thread starts to wait for the GIL.
    Wait,
    /// The thread got it after waiting.
    Acquired,
    /// The thread gave it to a waiter.
    Released,
    /// The thread was asked to give it up and does.
    Dropped,
}

/// Implemented by an upper crate. Called on the thread concerned.
pub trait Observer: Sync {
    /// `thread` is about to sleep.
    fn on_block(&self, thread: &ThreadState, wait: WaitFor);
    /// `thread` woke up and is attached again.
    fn on_unblock(&self, thread: &ThreadState, wait: WaitFor);
    /// The GIL changes hands.
    fn on_switch(&self, thread: &ThreadState, event: GilEvent);
}

static OBSERVER: AtomicPtr<&'static dyn Observer> = AtomicPtr::new(std::ptr::null_mut());

/// Puts an observer in place, or takes it away. The small cell that holds each one is never freed: another
/// thread may be inside a call.
pub fn set_observer(observer: Option<&'static dyn Observer>) {
    let cell = match observer {
        Some(o) => Box::into_raw(Box::new(o)),
        None => std::ptr::null_mut(),
    };
    OBSERVER.store(cell, Ordering::Release);
}

/// The observer in force.
#[inline]
pub fn observer() -> Option<&'static dyn Observer> {
    let cell = OBSERVER.load(Ordering::Acquire);
    // SAFETY: null, or a box leaked by `set_observer`.
    unsafe { cell.as_ref().copied() }
}
