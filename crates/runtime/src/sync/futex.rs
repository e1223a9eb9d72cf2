//! Futex: sleep while a word holds a value, wake its sleepers.
//!
//! Invariant: every wait may come back for no reason; callers look at their word again.
//! Under `cfg(loom)` one lock and one condition stand in for the kernel.

#[cfg(not(loom))]
pub use super::os_linux::{WaitResult, monotonic_ns};

#[cfg(not(loom))]
mod imp {
    use super::super::atomic::AtomicU32;
    use super::super::os_linux;
    use super::WaitResult;

    /// Sleeps while `*word == expected`, at most until `deadline_ns` (absolute, CLOCK_MONOTONIC). EINTR is reported.
    #[inline]
    pub fn wait(word: &AtomicU32, expected: u32, deadline_ns: Option<u64>) -> WaitResult {
        os_linux::futex_wait(word, expected, deadline_ns)
    }

    /// Wakes one sleeper; a stale address is harmless.
    #[inline]
    pub fn wake_one(word: *const AtomicU32) {
        os_linux::futex_wake(word, 1);
    }

    /// Wakes all sleepers; a stale address is harmless.
    #[inline]
    pub fn wake_all(word: *const AtomicU32) {
        os_linux::futex_wake(word, i32::MAX);
    }
}

#[cfg(loom)]
mod imp {
    use super::super::atomic::{AtomicU32, AtomicU64, Ordering};
    use loom::sync::{Condvar, Mutex};

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum WaitResult {
        Woken,
        TimedOut,
        Interrupted,
    }

    loom::lazy_static! {
        static ref KERNEL: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());
    }

    /// A clock that jumps: a wait may be old or not by the time it ends.
    pub fn monotonic_ns() -> u64 {
        loom::lazy_static! {
            static ref NOW: AtomicU64 = AtomicU64::new(1);
        }
        NOW.fetch_add(1_000_000, Ordering::Relaxed)
    }

    pub fn deadline_ns(_deadline: std::time::Instant) -> u64 {
        0
    }

    /// A deadline in the model means "it has passed": the wait gives up at once.
    pub fn wait(word: &AtomicU32, expected: u32, deadline_ns: Option<u64>) -> WaitResult {
        if deadline_ns.is_some() {
            return WaitResult::TimedOut;
        }
        let guard = KERNEL.0.lock().unwrap();
        if word.load(Ordering::SeqCst) == expected {
            drop(KERNEL.1.wait(guard).unwrap());
        }
        WaitResult::Woken
    }

    pub fn wake_one(word: *const AtomicU32) {
        wake_all(word);
    }

    pub fn wake_all(_word: *const AtomicU32) {
        let _guard = KERNEL.0.lock().unwrap();
        KERNEL.1.notify_all();
    }
}

pub use imp::*;

/// The absolute monotonic time of `deadline`, as the futex call wants it.
#[cfg(not(loom))]
pub fn deadline_ns(deadline: std::time::Instant) -> u64 {
    let left = deadline.saturating_duration_since(std::time::Instant::now());
    monotonic_ns()
        .saturating_add(u64::try_from(left.as_nanos()).unwrap_or(u64::MAX / 2))
        .min(u64::MAX / 2)
}
