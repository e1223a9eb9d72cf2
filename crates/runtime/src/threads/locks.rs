//! The algorithms under Python's locks, without the objects: a lock, a reentrant lock, an event.
//!
//! Invariant: one word says locked or not, whether somebody is parked, and who holds the lock. Uncontended work is one
//! compare-and-swap. Whoever comes by may take a free lock (barging); a thread that waited a millisecond is handed it.
//! With the GIL nobody spins: the holder cannot run while we do. Nor does a lock need atomic instructions then: its word
//! only changes in attached threads, so with the GIL [`RawLock`]s are used attached only, and a load and a store do.

use super::parking;
use crate::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use crate::sync::{free_threaded, futex};
use parking::{ParkOutcome, ParkReason, WaitFor};
use std::time::Instant;

/// How an acquire or a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcquireResult {
    Acquired,
    TimedOut,
    /// Run the pending handlers, then try again or raise.
    Interrupted,
}

const LOCKED: u64 = 1;
const PARKED: u64 = 2;
const SERIAL_SHIFT: u32 = 2;
const SPINS: u32 = if cfg!(loom) { 0 } else { 40 };
/// A waiter older than this is handed the lock.
const FAIR_AFTER_NS: u64 = 1_000_000;
const HANDED_OVER: usize = 1;

/// The lock under `threading.Lock`: any thread may release it.
#[derive(Debug)]
pub struct RawLock {
    /// LOCKED, PARKED, and the serial number of the thread that acquired it.
    word: AtomicU64,
}

impl RawLock {
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self {
            word: AtomicU64::new(0),
        }
    }

    #[cfg(loom)]
    pub fn new() -> Self {
        Self {
            word: AtomicU64::new(0),
        }
    }

    #[inline]
    fn mine() -> u64 {
        super::serial() << SERIAL_SHIFT | LOCKED
    }

    /// Changes the word from `current` to `new`, unless it is something else.
    #[inline(always)]
    fn change(&self, current: u64, new: u64, order: Ordering) -> bool {
        if free_threaded() {
            return self
                .word
                .compare_exchange(current, new, order, Ordering::Relaxed)
                .is_ok();
        }
        parking::debug_assert_attached();
        let same = self.word.load(Ordering::Relaxed) == current;
        if same {
            self.word.store(new, Ordering::Relaxed);
        }
        same
    }

    /// Takes the lock if it is free.
    #[inline]
    pub fn try_acquire(&self) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        word & LOCKED == 0 && self.change(word, Self::mine() | word & PARKED, Ordering::Acquire)
    }

    /// Waits for the lock, at most until `deadline`.
    #[inline]
    pub fn acquire(&self, deadline: Option<Instant>, interruptible: bool) -> AcquireResult {
        self.acquire_for(ParkReason::Lock, deadline, interruptible)
    }

    /// [`RawLock::acquire`] for a lock that is part of something else.
    #[inline]
    pub fn acquire_for(&self, reason: ParkReason, deadline: Option<Instant>, interruptible: bool) -> AcquireResult {
        if self.change(0, Self::mine(), Ordering::Acquire) {
            return AcquireResult::Acquired;
        }
        self.acquire_slow(reason, deadline, interruptible)
    }

    /// Frees the lock; false if it was not locked.
    #[inline]
    pub fn release(&self) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        if word & (LOCKED | PARKED) == LOCKED && self.change(word, 0, Ordering::Release) {
            return true;
        }
        self.release_slow()
    }

    #[inline]
    pub fn is_locked(&self) -> bool {
        self.word.load(Ordering::Relaxed) & LOCKED != 0
    }

    /// Serial number of the thread that acquired the lock.
    #[inline]
    pub fn holder(&self) -> Option<u64> {
        let word = self.word.load(Ordering::Relaxed);
        (word & LOCKED != 0).then_some(word >> SERIAL_SHIFT)
    }

    #[inline]
    pub fn held_by_me(&self) -> bool {
        self.word.load(Ordering::Relaxed) & !PARKED == Self::mine()
    }

    /// Makes the lock free: `_at_fork_reinit`.
    pub fn reset_after_fork(&self) {
        self.word.store(0, Ordering::Relaxed);
    }

    fn key(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    #[cold]
    fn acquire_slow(&self, reason: ParkReason, deadline: Option<Instant>, interruptible: bool) -> AcquireResult {
        let deadline_ns = deadline.map(futex::deadline_ns);
        let mut wait = WaitFor::new(reason, self.key() as u64);
        wait.interruptible = interruptible;
        let mut spins = if free_threaded() { SPINS } else { 0 };
        loop {
            let word = self.word.load(Ordering::Relaxed);
            if word & LOCKED == 0 {
                if self.try_acquire() {
                    return AcquireResult::Acquired;
                }
                continue;
            }
            if spins > 0 && word & PARKED == 0 {
                spins -= 1;
                std::hint::spin_loop();
                continue;
            }
            if word & PARKED == 0 && !self.change(word, word | PARKED, Ordering::Relaxed) {
                continue;
            }
            if wait.fair_after_ns == 0 {
                wait.fair_after_ns = futex::monotonic_ns() + FAIR_AFTER_NS;
            }
            let outcome = parking::park_ns(
                self.key(),
                wait,
                deadline_ns,
                || self.word.load(Ordering::Relaxed) & (LOCKED | PARKED) == LOCKED | PARKED,
                || {},
                |have_more| {
                    // Runs detached: with the GIL a stale PARKED stays, and costs the next release a look.
                    if !have_more && free_threaded() {
                        self.word.fetch_and(!PARKED, Ordering::Relaxed);
                    }
                },
            );
            match outcome {
                ParkOutcome::Unparked(HANDED_OVER) => return AcquireResult::Acquired,
                ParkOutcome::Unparked(_) | ParkOutcome::Invalid => {}
                ParkOutcome::TimedOut => return AcquireResult::TimedOut,
                ParkOutcome::Interrupted => return AcquireResult::Interrupted,
            }
        }
    }

    #[cold]
    fn release_slow(&self) -> bool {
        loop {
            let word = self.word.load(Ordering::Relaxed);
            if word & LOCKED == 0 {
                return false;
            }
            if word & PARKED == 0 {
                if self.change(word, 0, Ordering::Release) {
                    return true;
                }
                continue;
            }
            let mut released = false;
            parking::unpark_one(self.key(), |found| {
                let parked = if found.have_more { PARKED } else { 0 };
                let (next, token) = match found.unparked {
                    Some(serial) if found.be_fair => (serial << SERIAL_SHIFT | LOCKED | parked, HANDED_OVER),
                    _ => (parked, 0),
                };
                // Another thread may release the lock first, or set PARKED for a park that then finds it gone.
                let mut now = self.word.load(Ordering::Relaxed);
                while now & LOCKED != 0 {
                    if self.change(now, next, Ordering::Release) {
                        released = true;
                        return token;
                    }
                    now = self.word.load(Ordering::Relaxed);
                }
                0
            });
            return released;
        }
    }
}

#[cfg(not(loom))]
impl Default for RawLock {
    fn default() -> Self {
        Self::new()
    }
}

/// The lock under `threading.RLock`: its holder may acquire it again.
#[derive(Debug)]
pub struct RawRLock {
    lock: RawLock,
    /// Depth; touched by the holder alone.
    count: AtomicUsize,
}

impl RawRLock {
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self {
            lock: RawLock::new(),
            count: AtomicUsize::new(0),
        }
    }

    #[cfg(loom)]
    pub fn new() -> Self {
        Self {
            lock: RawLock::new(),
            count: AtomicUsize::new(0),
        }
    }

    /// Waits for the lock, at most until `deadline`; at once if the calling thread holds it.
    #[inline]
    pub fn acquire(&self, deadline: Option<Instant>, interruptible: bool) -> AcquireResult {
        if self.reenter() {
            return AcquireResult::Acquired;
        }
        let result = self.lock.acquire_for(ParkReason::RLock, deadline, interruptible);
        if result == AcquireResult::Acquired {
            self.count.store(1, Ordering::Relaxed);
        }
        result
    }

    #[inline]
    pub fn try_acquire(&self) -> bool {
        if self.reenter() {
            return true;
        }
        let acquired = self.lock.try_acquire();
        if acquired {
            self.count.store(1, Ordering::Relaxed);
        }
        acquired
    }

    #[inline]
    fn reenter(&self) -> bool {
        let mine = self.lock.held_by_me();
        if mine {
            self.count
                .store(self.count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
        mine
    }

    /// Undoes one acquire; false if the calling thread does not hold the lock.
    #[inline]
    pub fn release(&self) -> bool {
        if !self.lock.held_by_me() {
            return false;
        }
        let count = self.count.load(Ordering::Relaxed) - 1;
        self.count.store(count, Ordering::Relaxed);
        count > 0 || self.lock.release()
    }

    /// Frees the lock whatever its depth and returns that, for [`RawRLock::restore`]; none if the caller does not hold it.
    pub fn save(&self) -> Option<usize> {
        if !self.lock.held_by_me() {
            return None;
        }
        let count = self.count.swap(0, Ordering::Relaxed);
        self.lock.release();
        Some(count)
    }

    /// Waits for the lock without interruption and puts a saved depth back.
    pub fn restore(&self, count: usize) {
        let result = self.lock.acquire_for(ParkReason::RLock, None, false);
        debug_assert_eq!(result, AcquireResult::Acquired);
        self.count.store(count, Ordering::Relaxed);
    }

    #[inline]
    pub fn is_owned(&self) -> bool {
        self.lock.held_by_me()
    }

    #[inline]
    pub fn is_locked(&self) -> bool {
        self.lock.is_locked()
    }

    /// Serial number of the holder.
    pub fn holder(&self) -> Option<u64> {
        self.lock.holder()
    }

    /// How deep the holder is in; 0 if the lock is free.
    pub fn count(&self) -> usize {
        if self.lock.is_locked() {
            self.count.load(Ordering::Relaxed)
        } else {
            0
        }
    }

    pub fn reset_after_fork(&self) {
        self.count.store(0, Ordering::Relaxed);
        self.lock.reset_after_fork();
    }
}

#[cfg(not(loom))]
impl Default for RawRLock {
    fn default() -> Self {
        Self::new()
    }
}

const SET: u32 = 1;
const WAITERS: u32 = 2;

/// A flag that threads can wait for.
#[derive(Debug)]
pub struct RawEvent {
    word: AtomicU32,
}

impl RawEvent {
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self {
            word: AtomicU32::new(0),
        }
    }

    #[cfg(loom)]
    pub fn new() -> Self {
        Self {
            word: AtomicU32::new(0),
        }
    }

    #[inline]
    pub fn is_set(&self) -> bool {
        self.word.load(Ordering::Acquire) & SET != 0
    }

    /// Sets the flag and wakes everyone who waits.
    pub fn set(&self) {
        // The event may be freed by a waiter as soon as the flag is seen: only its address is used afterwards.
        let key = self.key();
        if self.word.swap(SET, Ordering::AcqRel) & WAITERS != 0 {
            parking::unpark_all(key);
        }
    }

    pub fn clear(&self) {
        self.word.fetch_and(!SET, Ordering::AcqRel);
    }

    /// Waits for the flag, at most until `deadline`. A set that is cleared at once still ends the wait.
    pub fn wait(&self, deadline: Option<Instant>, interruptible: bool) -> AcquireResult {
        self.wait_for(ParkReason::Event, self.key() as u64, deadline, interruptible)
    }

    /// [`RawEvent::wait`] with what it stands for.
    pub fn wait_for(
        &self,
        reason: ParkReason,
        object: u64,
        deadline: Option<Instant>,
        interruptible: bool,
    ) -> AcquireResult {
        if self.is_set() {
            return AcquireResult::Acquired;
        }
        let deadline_ns = deadline.map(futex::deadline_ns);
        let mut wait = WaitFor::new(reason, object);
        wait.interruptible = interruptible;
        loop {
            if self.word.fetch_or(WAITERS, Ordering::AcqRel) & SET != 0 {
                return AcquireResult::Acquired;
            }
            let valid = || self.word.load(Ordering::Relaxed) & (SET | WAITERS) == WAITERS;
            match parking::park_ns(self.key(), wait, deadline_ns, valid, || {}, |_| {}) {
                ParkOutcome::Unparked(_) => return AcquireResult::Acquired,
                ParkOutcome::Invalid => {}
                ParkOutcome::TimedOut => return AcquireResult::TimedOut,
                ParkOutcome::Interrupted => return AcquireResult::Interrupted,
            }
        }
    }

    pub fn reset_after_fork(&self) {
        self.word.fetch_and(SET, Ordering::Relaxed);
    }

    fn key(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }
}

#[cfg(not(loom))]
impl Default for RawEvent {
    fn default() -> Self {
        Self::new()
    }
}

/// Set once, when a thread is done; joiners wait for it.
#[derive(Debug)]
pub struct HandleDone {
    event: RawEvent,
}

impl HandleDone {
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self { event: RawEvent::new() }
    }

    #[cfg(loom)]
    pub fn new() -> Self {
        Self { event: RawEvent::new() }
    }

    /// The thread is done.
    pub fn set(&self) {
        self.event.set();
    }

    #[inline]
    pub fn is_done(&self) -> bool {
        self.event.is_set()
    }

    /// Waits for the thread `serial` to be done.
    pub fn join(&self, serial: u64, deadline: Option<Instant>, interruptible: bool) -> AcquireResult {
        if self.event.is_set() {
            return AcquireResult::Acquired;
        }
        self.event.wait_for(ParkReason::Join, serial, deadline, interruptible)
    }
}

#[cfg(not(loom))]
impl Default for HandleDone {
    fn default() -> Self {
        Self::new()
    }
}
