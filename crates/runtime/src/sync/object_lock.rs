//! The one-byte lock in every object's header, for objects that threads share; see [`super::biased`] for the way to lock an object.
//!
//! Invariant: bit 0 locked, bit 1 somebody is parked. In GIL mode every operation is a no-op, chosen by
//! [`parallel`]. Held for a short stretch of native code: never at a safepoint, never while Python code can run. A
//! waiter holds no other object lock: it parks detached, attaches again, and only then takes the byte, so no lock is
//! owned by a thread that a stop-the-world has suspended.

use super::atomic::{AtomicU8, Ordering};
use super::mode::parallel;
use super::mutex::held;
use crate::threads::parking::{self, ParkReason, WaitFor};

const LOCKED: u8 = 1;
const PARKED: u8 = 2;
const SPINS: u32 = if cfg!(loom) { 1 } else { 64 };

/// The lock byte of an object.
#[repr(transparent)]
#[derive(Debug)]
pub struct ObjectLock(AtomicU8);

impl ObjectLock {
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self(AtomicU8::new(0))
    }

    #[cfg(loom)]
    pub fn new() -> Self {
        Self(AtomicU8::new(0))
    }

    /// The lock whose byte lives in a header.
    #[inline(always)]
    pub fn from_byte(byte: &AtomicU8) -> &Self {
        // SAFETY: `repr(transparent)` over the same type.
        unsafe { &*std::ptr::from_ref(byte).cast::<Self>() }
    }

    /// Locks; pair with [`ObjectLock::unlock`], or use [`ObjectLock::guard`].
    #[inline(always)]
    pub fn lock(&self) {
        if parallel() {
            self.lock_free();
        }
    }

    /// Unlocks what this thread locked.
    #[inline(always)]
    pub fn unlock(&self) {
        if parallel() {
            self.unlock_free();
        }
    }

    /// Locks if nobody holds the lock.
    #[inline(always)]
    pub fn try_lock(&self) -> bool {
        !parallel() || self.try_lock_free()
    }

    /// Locks until the guard is dropped.
    #[inline(always)]
    pub fn guard(&self) -> ByteGuard<'_> {
        self.lock();
        ByteGuard(self)
    }

    pub fn is_locked(&self) -> bool {
        self.0.load(Ordering::Relaxed) & LOCKED != 0
    }

    /// Frees the lock: in the child of a fork, for an object whose holder is gone.
    pub fn reset_after_fork(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn lock_free(&self) {
        if self
            .0
            .compare_exchange(0, LOCKED, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            self.lock_slow();
        }
        held::enter();
    }

    #[inline]
    pub(super) fn try_lock_free(&self) -> bool {
        let mut byte = self.0.load(Ordering::Relaxed);
        while byte & LOCKED == 0 {
            match self
                .0
                .compare_exchange_weak(byte, byte | LOCKED, Ordering::Acquire, Ordering::Relaxed)
            {
                Ok(_) => {
                    held::enter();
                    return true;
                }
                Err(now) => byte = now,
            }
        }
        false
    }

    #[inline]
    pub(super) fn unlock_free(&self) {
        held::leave();
        if self
            .0
            .compare_exchange(LOCKED, 0, Ordering::Release, Ordering::Relaxed)
            .is_err()
        {
            self.unlock_slow();
        }
    }

    fn key(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    #[cold]
    fn lock_slow(&self) {
        held::assert_none("waiting for an object's lock");
        let mut spins = 0;
        loop {
            let byte = self.0.load(Ordering::Relaxed);
            if byte & LOCKED == 0 {
                if self
                    .0
                    .compare_exchange_weak(byte, byte | LOCKED, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok()
                {
                    return;
                }
                continue;
            }
            if spins < SPINS && byte & PARKED == 0 {
                spins += 1;
                std::hint::spin_loop();
                continue;
            }
            if byte & PARKED == 0
                && self
                    .0
                    .compare_exchange_weak(byte, byte | PARKED, Ordering::Relaxed, Ordering::Relaxed)
                    .is_err()
            {
                continue;
            }
            parking::park(
                self.key(),
                WaitFor::new(ParkReason::ObjectLock, self.key() as u64).uninterruptible(),
                None,
                || self.0.load(Ordering::Relaxed) == LOCKED | PARKED,
                || {},
            );
            spins = 0;
        }
    }

    #[cold]
    fn unlock_slow(&self) {
        debug_assert!(self.is_locked(), "an object's lock was released twice");
        parking::unpark_one(self.key(), |found| {
            self.0
                .store(if found.have_more { PARKED } else { 0 }, Ordering::Release);
            0
        });
    }
}

impl Default for ObjectLock {
    fn default() -> Self {
        Self::new()
    }
}

/// Unlocks an object's lock when dropped.
#[must_use]
pub struct ByteGuard<'a>(&'a ObjectLock);

impl Drop for ByteGuard<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.unlock();
    }
}
