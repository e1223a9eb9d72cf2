//! The three-state futex lock under [`super::Mutex`], the parking lot's buckets and the GIL's queues.
//!
//! Invariant: 0 free, 1 locked, 2 locked and somebody may sleep. Held for a few instructions only, never across a
//! safepoint or a system call that blocks; a waiter therefore stays attached (see [`super::Mutex`]).

use super::atomic::{AtomicU32, Ordering};
use super::futex;

const FREE: u32 = 0;
const LOCKED: u32 = 1;
const CONTENDED: u32 = 2;

/// A word-sized lock without data.
#[derive(Debug)]
pub struct RawMutex {
    word: AtomicU32,
}

impl RawMutex {
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self {
            word: AtomicU32::new(FREE),
        }
    }

    #[cfg(loom)]
    pub fn new() -> Self {
        Self {
            word: AtomicU32::new(FREE),
        }
    }

    #[inline]
    pub fn lock(&self) {
        if self
            .word
            .compare_exchange(FREE, LOCKED, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            self.lock_slow();
        }
    }

    #[inline]
    pub fn try_lock(&self) -> bool {
        self.word
            .compare_exchange(FREE, LOCKED, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Unlocks; the caller holds the lock.
    #[inline]
    pub fn unlock(&self) {
        if self.word.swap(FREE, Ordering::Release) == CONTENDED {
            futex::wake_one(&self.word);
        }
    }

    pub fn is_locked(&self) -> bool {
        self.word.load(Ordering::Relaxed) != FREE
    }

    /// Makes the lock free whoever held it: for the child of a fork, where that thread does not exist.
    pub fn reset_after_fork(&self) {
        self.word.store(FREE, Ordering::Relaxed);
    }

    #[cold]
    fn lock_slow(&self) {
        #[cfg(not(loom))]
        for _ in 0..100 {
            if self.word.load(Ordering::Relaxed) == FREE && self.try_lock() {
                return;
            }
            std::hint::spin_loop();
        }
        #[cfg(not(loom))]
        let saved = super::os_linux::errno();
        while self.word.swap(CONTENDED, Ordering::Acquire) != FREE {
            futex::wait(&self.word, CONTENDED, None);
        }
        #[cfg(not(loom))]
        super::os_linux::set_errno(saved);
    }
}

impl Default for RawMutex {
    fn default() -> Self {
        Self::new()
    }
}
