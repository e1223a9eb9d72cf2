//! The one place where a thread of the runtime blocks in a way Python can see.
//!
//! Invariant: a thread sleeps here detached, with its reason, the object and the time on record in its state, and
//! leaves attached if it came attached. Keys are addresses (or other words unique to what is waited for).
//! Fork-safe: the child starts with empty queues. EINTR is never retried behind the caller's back when a signal
//! or an asynchronous exception is due for this thread: the outcome is `Interrupted`, and the caller decides.

use super::lot::{self, Bucket, UnparkResult, Waiter};
use super::observer::observer;
use super::sleep::{End, Sleeper, sleep};
use super::state::{ThreadState, poll};
use crate::memory::leases;
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::futex;
use std::time::{Duration, Instant};

/// What kind of thing a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum ParkReason {
    None = 0,
    Lock,
    RLock,
    Condition,
    Event,
    Semaphore,
    Barrier,
    Join,
    Sleep,
    Queue,
    Io,
    Select,
    Process,
    Gil,
    StopTheWorld,
    ObjectLock,
    Import,
    Once,
    Finalizing,
    Scheduler,
    Other,
}

impl ParkReason {
    const ALL: [Self; 21] = [
        Self::None,
        Self::Lock,
        Self::RLock,
        Self::Condition,
        Self::Event,
        Self::Semaphore,
        Self::Barrier,
        Self::Join,
        Self::Sleep,
        Self::Queue,
        Self::Io,
        Self::Select,
        Self::Process,
        Self::Gil,
        Self::StopTheWorld,
        Self::ObjectLock,
        Self::Import,
        Self::Once,
        Self::Finalizing,
        Self::Scheduler,
        Self::Other,
    ];

    pub(crate) fn from_u32(value: u32) -> Self {
        Self::ALL.get(value as usize).copied().unwrap_or(Self::Other)
    }
}

/// What a thread waits for, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitFor {
    pub reason: ParkReason,
    /// The object waited for, as an opaque word (an address, a descriptor, a thread's serial number).
    pub object: u64,
    /// Whether a pending signal or asynchronous exception ends the wait.
    pub interruptible: bool,
    /// Monotonic time from which the waiter should be handed what it waits for; 0: never.
    pub fair_after_ns: u64,
}

impl WaitFor {
    pub const fn new(reason: ParkReason, object: u64) -> Self {
        Self {
            reason,
            object,
            interruptible: true,
            fair_after_ns: 0,
        }
    }

    pub const fn uninterruptible(mut self) -> Self {
        self.interruptible = false;
        self
    }
}

impl From<ParkReason> for WaitFor {
    fn from(reason: ParkReason) -> Self {
        Self::new(reason, 0)
    }
}

/// How a park ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParkOutcome {
    /// Woken by an unpark, with its token.
    Unparked(usize),
    /// `validate` said no: nothing was waited for.
    Invalid,
    TimedOut,
    /// A signal handler must run in this thread, or an exception was set for it.
    Interrupted,
}

const BUCKETS: usize = 128;
static LOT: [Bucket; BUCKETS] = [const { Bucket::new() }; BUCKETS];

fn bucket(key: usize) -> &'static Bucket {
    // Fibonacci hashing: keys are addresses, whose low bits say little.
    let hash = (key as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    &LOT[(hash >> (64 - BUCKETS.trailing_zeros())) as usize]
}

/// Parks the calling thread on `key` until it is unparked, the deadline passes or it is interrupted.
/// `validate` runs under the queue's lock and may refuse; `before_sleep` runs once the thread is queued. First of all, an interruptible wait
/// returns the thread's leases, which may run finalizers.
pub fn park(
    key: usize,
    wait: impl Into<WaitFor>,
    deadline: Option<Instant>,
    validate: impl FnOnce() -> bool,
    before_sleep: impl FnOnce(),
) -> ParkOutcome {
    park_ns(
        key,
        wait.into(),
        deadline.map(futex::deadline_ns),
        validate,
        before_sleep,
        |_| {},
    )
}

/// [`park`] with an absolute monotonic deadline in nanoseconds; `on_cancel(have_more)` runs under the queue's lock,
/// detached, when the thread gives up.
pub fn park_ns(
    key: usize,
    wait: WaitFor,
    deadline_ns: Option<u64>,
    validate: impl FnOnce() -> bool,
    before_sleep: impl FnOnce(),
    on_cancel: impl FnOnce(bool),
) -> ParkOutcome {
    let thread = ThreadState::current();
    if wait.interruptible && leases::has_some() && thread.is_some_and(ThreadState::is_attached) {
        leases::return_all();
    }
    let local = AtomicU32::new(lot::IDLE);
    let word = thread.map_or(&local, |t| &t.park_word);
    let waiter = Waiter::new(key, word, super::serial(), wait.fair_after_ns);
    let bucket = bucket(key);
    // SAFETY: the waiter stays on this frame until `sleep` saw UNPARKED or cancelled it.
    if !unsafe { bucket.enqueue(&waiter, validate) } {
        return ParkOutcome::Invalid;
    }
    if let Some(t) = thread {
        t.set_wait(wait);
        if let Some(o) = observer() {
            o.on_block(t, wait);
        }
    }
    before_sleep();
    let attached = thread.filter(|t| t.is_attached());
    if let Some(t) = attached {
        t.detach();
    }
    let outcome = match sleep(bucket, &waiter, word, &Parked(thread, wait), deadline_ns, on_cancel) {
        End::Unparked => ParkOutcome::Unparked(waiter.token()),
        End::TimedOut => ParkOutcome::TimedOut,
        End::Interrupted => ParkOutcome::Interrupted,
    };
    word.store(lot::IDLE, Ordering::Relaxed);
    if let Some(t) = attached {
        t.attach();
    }
    if let Some(t) = thread {
        t.clear_wait();
        if let Some(o) = observer() {
            o.on_unblock(t, wait);
        }
    }
    outcome
}

/// The calling thread, if it is one of the runtime's, and what it waits for.
struct Parked<'a>(Option<&'a ThreadState>, WaitFor);

impl Sleeper for Parked<'_> {
    #[inline]
    fn is_interrupted(&self) -> bool {
        // Counts that were to be merged before the thread detached: who asked does not do it on its behalf any more.
        let reasons = poll::INTERRUPTS | poll::MERGE;
        self.1.interruptible && self.0.is_some_and(|t| t.poll_bits() & reasons != 0)
    }

    #[inline]
    fn look(&self, deadline_ns: Option<u64>, done: impl Fn() -> bool) -> bool {
        match self.0 {
            Some(t) if self.1.reason != ParkReason::Sleep => t.patience.look(deadline_ns, done),
            _ => false,
        }
    }
}

/// Wakes the thread that has waited longest on `key`. `callback` runs under the queue's lock, also when nobody waits,
/// and returns the token for the woken thread.
pub fn unpark_one(key: usize, callback: impl FnOnce(UnparkResult) -> usize) -> UnparkResult {
    bucket(key).unpark_one(key, callback)
}

/// Wakes the thread that has begun to wait on `key` last: it is the quickest to go on. The others may wait for ever, so this is for
/// threads that all do the same.
pub fn unpark_newest(key: usize, callback: impl FnOnce(UnparkResult) -> usize) -> UnparkResult {
    bucket(key).unpark_newest(key, callback)
}

/// Wakes every thread that waits on `key`; returns how many.
pub fn unpark_all(key: usize) -> usize {
    bucket(key).unpark_all(key, 0, || {})
}

/// [`unpark_all`] with a token, and a callback that runs under the queue's lock first.
pub fn unpark_all_with(key: usize, token: usize, callback: impl FnOnce()) -> usize {
    bucket(key).unpark_all(key, token, callback)
}

/// Sleeps until `deadline`; `None` sleeps until interrupted.
pub fn sleep_until(deadline: Option<Instant>, wait: impl Into<WaitFor>) -> ParkOutcome {
    let here = 0u8;
    park(&raw const here as usize, wait, deadline, || true, || {})
}

/// Sleeps for `duration` unless interrupted.
pub fn sleep_for(duration: Duration) -> ParkOutcome {
    sleep_until(Instant::now().checked_add(duration), ParkReason::Sleep)
}

/// In GIL mode, that the calling thread is attached.
#[inline(always)]
pub(crate) fn debug_assert_attached() {
    debug_assert!(
        ThreadState::current().is_some_and(ThreadState::is_attached),
        "with the GIL, Python's locks are used attached"
    );
}

/// In the child of a fork: nobody else waits.
pub(crate) fn after_fork_child() {
    for bucket in &LOT {
        bucket.reset_after_fork();
    }
    super::patience::after_fork_child();
    super::spawn::after_fork_child();
}
