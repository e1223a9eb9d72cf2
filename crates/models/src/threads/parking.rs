//! Parking without thread states: the runtime's queues under one bucket, and its sleep.

use super::lot::{self, Bucket, UnparkResult, Waiter};
use super::sleep::{End, Sleeper, sleep};
use crate::sync::atomic::AtomicU32;
use crate::sync::futex;
use std::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParkReason {
    Lock,
    RLock,
    Event,
    Join,
    ObjectLock,
}

#[derive(Clone, Copy, Debug)]
pub struct WaitFor {
    pub interruptible: bool,
    pub fair_after_ns: u64,
}

impl WaitFor {
    pub fn new(_reason: ParkReason, _object: u64) -> Self {
        Self {
            interruptible: true,
            fair_after_ns: 0,
        }
    }

    pub fn uninterruptible(self) -> Self {
        self
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParkOutcome {
    Unparked(usize),
    Invalid,
    TimedOut,
    Interrupted,
}

loom::lazy_static! {
    static ref LOT: Bucket = Bucket::new();
}

pub fn park(
    key: usize,
    wait: WaitFor,
    deadline: Option<Instant>,
    validate: impl FnOnce() -> bool,
    before_sleep: impl FnOnce(),
) -> ParkOutcome {
    park_ns(
        key,
        wait,
        deadline.map(futex::deadline_ns),
        validate,
        before_sleep,
        |_| {},
    )
}

pub fn park_ns(
    key: usize,
    wait: WaitFor,
    deadline_ns: Option<u64>,
    validate: impl FnOnce() -> bool,
    before_sleep: impl FnOnce(),
    on_cancel: impl FnOnce(bool),
) -> ParkOutcome {
    let word = AtomicU32::new(lot::IDLE);
    park_on(
        &word,
        key,
        wait,
        &Undisturbed,
        deadline_ns,
        validate,
        before_sleep,
        on_cancel,
    )
}

/// Looks once, and is never interrupted.
struct Undisturbed;

impl Sleeper for Undisturbed {
    fn is_interrupted(&self) -> bool {
        false
    }

    fn look(&self, _deadline_ns: Option<u64>, done: impl Fn() -> bool) -> bool {
        done()
    }
}

/// Parks on a word that others may know, to interrupt the thread.
#[expect(clippy::too_many_arguments, reason = "as in the runtime, and what the model chooses")]
pub fn park_on(
    word: &AtomicU32,
    key: usize,
    wait: WaitFor,
    sleeper: &impl Sleeper,
    deadline_ns: Option<u64>,
    validate: impl FnOnce() -> bool,
    before_sleep: impl FnOnce(),
    on_cancel: impl FnOnce(bool),
) -> ParkOutcome {
    let waiter = Waiter::new(key, word, super::serial(), wait.fair_after_ns);
    // SAFETY: the waiter stays on this frame until it is unparked or cancelled.
    if !unsafe { LOT.enqueue(&waiter, validate) } {
        return ParkOutcome::Invalid;
    }
    before_sleep();
    match sleep(&LOT, &waiter, word, sleeper, deadline_ns, on_cancel) {
        End::Unparked => ParkOutcome::Unparked(waiter.token()),
        End::TimedOut => ParkOutcome::TimedOut,
        End::Interrupted => ParkOutcome::Interrupted,
    }
}

pub fn unpark_one(key: usize, callback: impl FnOnce(UnparkResult) -> usize) -> UnparkResult {
    LOT.unpark_one(key, callback)
}

pub fn unpark_all(key: usize) -> usize {
    LOT.unpark_all(key, 0, || {})
}

pub fn debug_assert_attached() {}
