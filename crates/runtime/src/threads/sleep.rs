//! How a queued thread sleeps until it is unparked, interrupted or its time is up.
//!
//! Invariant: nobody sleeps through a change of its word: who changes it from `ASLEEP` wakes the thread, and the thread becomes `ASLEEP` only from
//! `WAITING`. A waiter that an unparker took out of the queue reports that, whatever else came. The interrupter first sets what
//! [`Sleeper::is_interrupted`] looks at, then changes the word; the sleeper first has its word changed back, then looks.

use super::lot::{self, Bucket, Waiter};
use crate::sync::atomic::{AtomicU32, Ordering, fence};
use crate::sync::futex::{self, WaitResult};

/// The thread that sleeps.
pub trait Sleeper {
    /// Whether it is to give up.
    fn is_interrupted(&self) -> bool;
    /// May look for a while whether `done` before it sleeps; whether it was.
    fn look(&self, deadline_ns: Option<u64>, done: impl Fn() -> bool) -> bool;
}

/// What ended a sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Unparked,
    TimedOut,
    Interrupted,
}

/// Sleeps on the word of a waiter that is in `bucket`'s queue; it is out of there when this returns. `on_cancel(have_more)` runs under the queue's
/// lock when the thread gives up.
pub fn sleep(
    bucket: &Bucket,
    waiter: &Waiter,
    word: &AtomicU32,
    sleeper: &impl Sleeper,
    deadline_ns: Option<u64>,
    on_cancel: impl FnOnce(bool),
) -> End {
    let mut looked = false;
    let gave_up = loop {
        fence(Ordering::SeqCst);
        if sleeper.is_interrupted() {
            break End::Interrupted;
        }
        match word.load(Ordering::SeqCst) {
            lot::UNPARKED => return End::Unparked,
            lot::INTERRUPTED => {
                // An unparker may come in between: its UNPARKED must stay.
                let _ = word.compare_exchange(lot::INTERRUPTED, lot::WAITING, Ordering::SeqCst, Ordering::SeqCst);
                continue;
            }
            _ => {}
        }
        if !looked {
            looked = true;
            if sleeper.look(deadline_ns, || word.load(Ordering::Relaxed) != lot::WAITING) {
                continue;
            }
        }
        if word
            .compare_exchange(lot::WAITING, lot::ASLEEP, Ordering::SeqCst, Ordering::SeqCst)
            .is_err()
        {
            continue;
        }
        let result = futex::wait(word, lot::ASLEEP, deadline_ns);
        // Unless somebody has changed it meanwhile.
        let _ = word.compare_exchange(lot::ASLEEP, lot::WAITING, Ordering::SeqCst, Ordering::SeqCst);
        if result == WaitResult::TimedOut {
            break End::TimedOut;
        }
    };
    if bucket.cancel(waiter, on_cancel) {
        return gave_up;
    }
    debug_assert_eq!(word.load(Ordering::SeqCst), lot::UNPARKED);
    End::Unparked
}

/// Has the thread that may sleep on the word look whether it is interrupted, which the caller has seen to. Safe in a signal handler.
pub fn interrupt(word: &AtomicU32) {
    fence(Ordering::SeqCst);
    let mut state = word.load(Ordering::SeqCst);
    while matches!(state, lot::WAITING | lot::ASLEEP) {
        match word.compare_exchange(state, lot::INTERRUPTED, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(lot::ASLEEP) => {
                futex::wake_all(word);
                break;
            }
            Ok(_) => break,
            Err(now) => state = now,
        }
    }
}
