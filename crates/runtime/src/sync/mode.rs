//! The mode of the process: with or without the GIL, and where a GIL switch may happen.
//!
//! Invariant: written once, by [`init_mode`], before a second thread exists; afterwards constant, so Relaxed loads suffice.

use super::atomic::{AtomicBool, Ordering};

/// Where the holder of the GIL may be asked to give it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchPoints {
    /// At calls and backward jumps, as CPython since 3.10.
    Calls,
    /// Between any two instructions, as CPython before 3.10 could.
    Any,
}

static FREE: AtomicBool = AtomicBool::new(false);
/// Whether threads may be running in parallel at this moment.
static PARALLEL: AtomicBool = AtomicBool::new(false);
static SWITCH_ANY: AtomicBool = AtomicBool::new(false);

/// Chooses the mode; call once, before any thread is started.
pub fn init_mode(free: bool, switch_any: bool) {
    FREE.store(free, Ordering::Relaxed);
    PARALLEL.store(free, Ordering::Relaxed);
    SWITCH_ANY.store(switch_any, Ordering::Relaxed);
}

/// Whether the process runs without the GIL.
#[inline(always)]
pub fn free_threaded() -> bool {
    FREE.load(Ordering::Relaxed)
}

/// Whether threads may be running in parallel now: without the GIL, once a second thread was started. Until then locks of objects
/// and the like need not be taken. It becomes true when the only thread starts another, holding no lock, and never false again.
#[inline(always)]
pub fn parallel() -> bool {
    PARALLEL.load(Ordering::Relaxed)
}

/// Puts a flag's new state in and returns the old one; what was done before is visible to whoever finds it.
#[inline(always)]
pub fn swap_flag(flag: &AtomicBool, to: bool) -> bool {
    if parallel() {
        return flag.swap(to, Ordering::AcqRel);
    }
    let old = flag.load(Ordering::Relaxed);
    flag.store(to, Ordering::Relaxed);
    old
}

/// Declares that the calling thread is the only one, and that others are started by [`crate::threads::spawn`] alone.
pub fn begin_alone() {
    PARALLEL.store(false, Ordering::Relaxed);
}

/// A second thread is about to start. Whether that changed anything.
pub(crate) fn end_alone() -> bool {
    let changes = free_threaded() && !parallel();
    if changes {
        PARALLEL.store(true, Ordering::SeqCst);
    }
    changes
}

/// Whether a switch may happen between any two instructions.
#[inline]
pub fn switch_any() -> bool {
    SWITCH_ANY.load(Ordering::Relaxed)
}

/// The switch points in force.
pub fn switch_points() -> SwitchPoints {
    if switch_any() {
        SwitchPoints::Any
    } else {
        SwitchPoints::Calls
    }
}
