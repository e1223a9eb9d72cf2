//! Stands for the runtime's `threads`: its queues and locks, with threads numbered by the model.

#[path = "../../../runtime/src/threads/locks.rs"]
pub mod locks;
#[path = "../../../runtime/src/threads/lot.rs"]
pub mod lot;
pub mod parking;
#[path = "../../../runtime/src/threads/spawn/places.rs"]
pub mod places;
#[path = "../../../runtime/src/threads/sleep.rs"]
pub mod sleep;

use std::cell::Cell;

use loom::sync::{Mutex, MutexGuard};

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

/// Owners that models know.
const OWNERS: usize = 4;

loom::lazy_static! {
    /// Held by each owner while it is attached.
    static ref ATTACHED: [Mutex<()>; OWNERS] = std::array::from_fn(|_| Mutex::new(()));
}

/// The calling thread's id as an owner of counts: its number.
pub fn owner_id() -> u32 {
    serial() as u32
}

/// Makes the calling thread the owner `number`, attached until the result is dropped.
pub fn attach(number: u32) -> MutexGuard<'static, ()> {
    set_serial(u64::from(number));
    ATTACHED[number as usize].lock().unwrap()
}

/// Runs `f` while `owner` is kept from running, if it does not run now.
pub fn act_for_owner(owner: u32, f: impl FnOnce()) -> bool {
    if owner == owner_id() {
        f();
        return true;
    }
    match ATTACHED[owner as usize].try_lock() {
        Ok(_kept) => {
            f();
            true
        }
        Err(_) => false,
    }
}
