//! Stands for the runtime's `threads`: its queues and locks, with threads numbered by the model.

#[path = "../../../runtime/src/threads/locks.rs"]
pub mod locks;
#[path = "../../../runtime/src/threads/lot.rs"]
pub mod lot;
pub mod parking;

use std::cell::Cell;

loom::thread_local! {
    static SERIAL: Cell<u64> = Cell::new(0);
}

/// Numbers the calling thread of a model.
pub fn set_serial(serial: u64) {
    SERIAL.with(|s| s.set(serial));
}

pub fn serial() -> u64 {
    SERIAL.with(|s| s.get())
}
