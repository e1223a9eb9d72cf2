//! Threads of the runtime: their states, the GIL, stopping the world, parking, locks, signals, fork.
//!
//! Invariant: a thread touches Python objects only while attached. Other threads look at a [`ThreadState`] only under
//! the registry's lock, under the GIL's queue lock while it holds the GIL, or while the world is stopped.
//! Left out: what a thread runs (`vm`) and the Python objects around locks and threads (`stdlib`).

pub mod fork;
pub mod gil;
pub mod locks;
mod lot;
pub mod observer;
pub mod parking;
mod patience;
pub mod registry;
pub mod signals;
mod sleep;
pub mod spawn;
pub mod stack;
pub mod state;
pub mod stop;

pub use crate::sync::os_linux::set_thread_name as set_name;
pub use locks::{AcquireResult, HandleDone, RawEvent, RawLock, RawRLock};
pub use lot::UnparkResult;
pub use parking::{ParkOutcome, ParkReason, WaitFor, park, sleep_for, unpark_all, unpark_newest, unpark_one};
pub(crate) use registry::FIRST_OWNER;
pub use registry::{act_for_owner, begin_finalization, for_each_thread, is_finalizing};
pub use spawn::{end_signals, end_thread_with_function, spawn, stop_reuse};
pub use stack::{stack_limit, stack_remaining_ok};
pub use state::{SafepointActions, ThreadState, ThreadStatus, poll};
pub use stop::stop_the_world;

use std::cell::Cell;

thread_local! {
    static SERIAL: Cell<u64> = const { Cell::new(0) };
    pub(crate) static OWNER: Cell<u32> = const { Cell::new(0) };
}

/// The calling thread's id as an owner of reference counts; 0 without a registered state.
#[inline(always)]
pub fn owner_id() -> u32 {
    OWNER.get()
}

/// A number for the calling thread that no other thread of this process ever has; kept over a fork.
#[inline]
pub fn serial() -> u64 {
    let serial = SERIAL.get();
    if serial != 0 { serial } else { new_serial() }
}

/// The calling thread gets a new number when it is asked for: it begins to run something else.
fn forget_serial() {
    SERIAL.set(0);
}

#[cold]
fn new_serial() -> u64 {
    use crate::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let serial = NEXT.fetch_add(1, Ordering::Relaxed);
    SERIAL.set(serial);
    serial
}
