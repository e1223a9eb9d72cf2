//! Native threads whose function has returned, and which wait a moment for another one.
//!
//! A thread that is used again does not show: it has a new serial number, the signal mask of the thread that calls it, and the system's name for
//! it from before its first function; and while somebody may look at the system's number for what it ran ([`Number`]), it is not used again. What else a thread has of its own cannot be undone
//! (the processors it may use, its priority, the variables of a library): who changes such a thing says so,
//! by [`end_thread_with_function`] or, if threads that are started from then on would inherit it, [`stop_reuse`].
//!
//! With all signals blocked an idle thread takes none from threads that wait for them.

use std::cell::Cell;
use std::sync::Weak;

use super::Main;
use super::places::{Idle, Places};
use crate::sync::futex;
use crate::sync::os_linux::{self, SignalMask};
use crate::threads::patience::Patience;

/// How long a thread waits for another function.
const STAY_NS: u64 = 500_000_000;

/// See [`super::spawn`].
pub type Number = Weak<()>;

/// Functions come with the signal mask that they begin with.
static PLACES: Places<(Main, SignalMask), 8> = Places::new();

thread_local! {
    static REUSABLE: Cell<bool> = const { Cell::new(true) };
    /// All signals are blocked, by [`end_signals`].
    static DEAF: Cell<bool> = const { Cell::new(false) };
    static PATIENCE: Patience = const { Patience::new() };
}

/// The calling thread has something that another function must not find: it ends with the one that it runs.
pub fn end_thread_with_function() {
    REUSABLE.set(false);
}

/// The calling thread takes no signals any more: it is about to tell others that its function is done, who may then send one that is for them.
pub fn end_signals() {
    os_linux::block_signals();
    DEAF.set(true);
}

/// The process or the calling thread has something that new threads inherit from it: threads are no longer used again.
pub fn stop_reuse() {
    crate::threads::patience::count_processors();
    PLACES.close();
}

/// Has an idle thread with a stack of this size run a function; returns its ident, or the function if there is none.
pub(super) fn call(stack_size: usize, main: Main) -> Result<u64, Main> {
    PLACES.call(stack_size, main, |main| (main, os_linux::signal_mask()))
}

/// Waits for another function, after one with this number; none if the thread is to end.
pub(super) fn wait(stack_size: usize, number: Number) -> Option<Main> {
    if !REUSABLE.get() || !PLACES.are_open() {
        return None;
    }
    if !DEAF.replace(false) {
        os_linux::block_signals();
    }
    os_linux::restore_thread_name();
    crate::threads::forget_serial();
    let idle = Idle::new(os_linux::thread_ident(), number, stack_size);
    let look = |called: &dyn Fn() -> bool| PATIENCE.with(|patience| patience.look(None, called));
    let (main, mask) = PLACES.wait(idle, look, || Some(futex::monotonic_ns() + STAY_NS))?;
    mask.put_in_force();
    Some(main)
}

/// In the child of a fork: the other threads are gone.
pub(in crate::threads) fn after_fork_child() {
    PLACES.forget();
}
