//! Native threads whose function has returned, and which wait a moment for another one.
//!
//! A thread that is used again does not show: it has a new serial number, the signal mask of the thread that calls it, and the system's name for
//! it from before its first function; and while somebody may look at the system's number for what it ran ([`Number`]), it is not used again. What else a thread has of its own cannot be undone
//! (the processors it may use, its priority, the variables of a library): who changes such a thing says so,
//! by [`end_thread_with_function`] or, if threads that are started from then on would inherit it, [`stop_reuse`].
//!
//! Invariant: an idle thread is in at most one place, and waits until whoever took it out of there has called it or put it back; only the thread that
//! took it out writes `function`. With all signals blocked it takes none from threads that wait for them.

use std::cell::{Cell, UnsafeCell};
use std::ptr;
use std::sync::Weak;

use super::Main;
use crate::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use crate::sync::futex;
use crate::sync::os_linux::{self, SignalMask, WaitResult};
use crate::threads::patience::Patience;

/// How long a thread waits for another function.
const STAY_NS: u64 = 500_000_000;

/// The thread looks for work.
const AWAKE: u32 = 0;
const ASLEEP: u32 = 1;
/// What it is to do next is in `function`.
const CALLED: u32 = 2;

struct Idle {
    word: AtomicU32,
    /// With the signal mask that it begins with; none tells the thread to end.
    function: UnsafeCell<Option<(Main, SignalMask)>>,
    ident: u64,
    /// Held by who may show the system's number of the thread as that of the function that it ran last.
    number: Number,
    stack_size: usize,
}

/// See [`super::spawn`].
pub type Number = Weak<()>;

/// Each null or a thread that waits. The first are taken first: they wait for the shortest time.
static PLACES: [AtomicPtr<Idle>; 8] = [const { AtomicPtr::new(ptr::null_mut()) }; 8];
static REUSE: AtomicBool = AtomicBool::new(true);

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
    if REUSE.load(Ordering::Relaxed) && REUSE.swap(false, Ordering::SeqCst) {
        for place in &PLACES {
            if let Some(idle) = take(place) {
                idle.call(None);
            }
        }
    }
}

/// Has an idle thread with a stack of this size run a function; returns its ident, or the function if there is none.
pub(super) fn call(stack_size: usize, main: Main) -> Result<u64, Main> {
    for place in &PLACES {
        let Some(idle) = take(place) else { continue };
        if idle.stack_size != stack_size || !REUSE.load(Ordering::SeqCst) {
            idle.call(None);
        } else if idle.number.strong_count() == 0 {
            let ident = idle.ident;
            idle.call(Some((main, os_linux::signal_mask())));
            return Ok(ident);
        } else {
            // It may be of use later.
            let back = ptr::from_ref(idle).cast_mut();
            let free = place.compare_exchange(ptr::null_mut(), back, Ordering::SeqCst, Ordering::Relaxed);
            if free.is_err() {
                idle.call(None);
            }
        }
    }
    Err(main)
}

/// Waits for another function, after one with this number; none if the thread is to end.
pub(super) fn wait(stack_size: usize, number: Number) -> Option<Main> {
    if !REUSABLE.get() || !REUSE.load(Ordering::SeqCst) {
        return None;
    }
    if !DEAF.replace(false) {
        os_linux::block_signals();
    }
    os_linux::restore_thread_name();
    crate::threads::forget_serial();
    let idle = Idle {
        word: AtomicU32::new(AWAKE),
        function: UnsafeCell::new(None),
        ident: os_linux::thread_ident(),
        number,
        stack_size,
    };
    let address = ptr::from_ref(&idle).cast_mut();
    let stay = |place: &&AtomicPtr<Idle>| {
        let free = place.compare_exchange(ptr::null_mut(), address, Ordering::SeqCst, Ordering::Relaxed);
        free.is_ok()
    };
    let place = PLACES.iter().find(stay)?;
    let leave = || {
        place
            .compare_exchange(address, ptr::null_mut(), Ordering::SeqCst, Ordering::Relaxed)
            .is_ok()
    };
    // `stop_reuse` may have looked at the place before.
    if !REUSE.load(Ordering::SeqCst) && leave() {
        return None;
    }
    let called = || idle.word.load(Ordering::Acquire) == CALLED;
    if !PATIENCE.with(|patience| patience.look(None, called)) {
        let mut deadline = futex::monotonic_ns() + STAY_NS;
        while !called() {
            let slept = idle
                .word
                .compare_exchange(AWAKE, ASLEEP, Ordering::Relaxed, Ordering::Relaxed);
            if slept == Err(CALLED) {
                break;
            }
            if futex::wait(&idle.word, ASLEEP, Some(deadline)) == WaitResult::TimedOut {
                if leave() {
                    return None;
                }
                // Somebody has taken it out, and is about to call, or to put it back.
                deadline = futex::monotonic_ns() + STAY_NS;
            }
        }
    }
    // SAFETY: CALLED was stored, by the one that wrote the function, after that.
    let (main, mask) = unsafe { &mut *idle.function.get() }.take()?;
    mask.put_in_force();
    Some(main)
}

/// In the child of a fork: the other threads are gone.
pub(in crate::threads) fn after_fork_child() {
    for place in &PLACES {
        place.store(ptr::null_mut(), Ordering::Relaxed);
    }
}

/// Takes the thread that waits at `place` out of there; it waits until it is called or, having been put back, leaves.
fn take(place: &AtomicPtr<Idle>) -> Option<&'static Idle> {
    if place.load(Ordering::Relaxed).is_null() {
        return None;
    }
    // SAFETY: what lies at a place stays until it is called, and this thread alone can do that, or put it back, now.
    unsafe { place.swap(ptr::null_mut(), Ordering::SeqCst).as_ref() }
}

impl Idle {
    /// Called once. The thread may be gone when this returns.
    fn call(&self, function: Option<(Main, SignalMask)>) {
        let word = ptr::from_ref(&self.word);
        // SAFETY: the caller took the thread out of its place, and the thread does not look before CALLED.
        unsafe { *self.function.get() = function };
        // SAFETY: the thread waits for this.
        if unsafe { (*word).swap(CALLED, Ordering::AcqRel) } == ASLEEP {
            futex::wake_all(word);
        }
    }
}
