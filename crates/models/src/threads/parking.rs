//! Parking without thread states: the runtime's queues under one bucket, and a sleep without interrupts.

use super::lot::{self, Bucket, UnparkResult, Waiter};
use crate::sync::atomic::{AtomicU32, Ordering};
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
    let waiter = Waiter::new(key, &word, super::serial(), wait.fair_after_ns);
    // SAFETY: the waiter stays on this frame until it is unparked or cancelled.
    if !unsafe { LOT.enqueue(&waiter, validate) } {
        return ParkOutcome::Invalid;
    }
    before_sleep();
    while word.load(Ordering::SeqCst) != lot::UNPARKED {
        if word
            .compare_exchange(lot::WAITING, lot::ASLEEP, Ordering::SeqCst, Ordering::SeqCst)
            .is_err()
        {
            continue;
        }
        let result = futex::wait(&word, lot::ASLEEP, deadline_ns);
        let _ = word.compare_exchange(lot::ASLEEP, lot::WAITING, Ordering::SeqCst, Ordering::SeqCst);
        if result == futex::WaitResult::TimedOut {
            if LOT.cancel(&waiter, on_cancel) {
                return ParkOutcome::TimedOut;
            }
            break;
        }
    }
    assert_eq!(word.load(Ordering::SeqCst), lot::UNPARKED);
    ParkOutcome::Unparked(waiter.token())
}

pub fn unpark_one(key: usize, callback: impl FnOnce(UnparkResult) -> usize) -> UnparkResult {
    LOT.unpark_one(key, callback)
}

pub fn unpark_all(key: usize) -> usize {
    LOT.unpark_all(key, 0, || {})
}

pub fn debug_assert_attached() {}
