//! Places where threads without work wait to be called.
//!
//! Invariant: an idle thread is in at most one place, and waits until whoever took it out of there has called it or put it back; only the thread that
//! took it out writes `function`.

use std::cell::UnsafeCell;
use std::ptr;
use std::sync::Weak;

use crate::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering, fence};
use crate::sync::futex;

#[cfg(not(loom))]
use crate::sync::os_linux::WaitResult;
#[cfg(loom)]
use futex::WaitResult;

/// The thread looks for work.
const AWAKE: u32 = 0;
const ASLEEP: u32 = 1;
/// What it is to do next is in `function`.
const CALLED: u32 = 2;

/// A thread that waits for a function of the type `F`.
pub struct Idle<F> {
    word: AtomicU32,
    /// None tells the thread to end.
    function: UnsafeCell<Option<F>>,
    ident: u64,
    /// Held by who may show the system's number of the thread as that of the function that it ran last.
    number: Weak<()>,
    stack_size: usize,
}

impl<F> Idle<F> {
    pub fn new(ident: u64, number: Weak<()>, stack_size: usize) -> Idle<F> {
        Idle {
            word: AtomicU32::new(AWAKE),
            function: UnsafeCell::new(None),
            ident,
            number,
            stack_size,
        }
    }

    /// Called once. The thread may be gone when this returns.
    fn call(&self, function: Option<F>) {
        let word = ptr::from_ref(&self.word);
        // SAFETY: the caller took the thread out of its place, and the thread does not look before CALLED.
        unsafe { *self.function.get() = function };
        // SAFETY: the thread waits for this.
        if unsafe { (*word).swap(CALLED, Ordering::AcqRel) } == ASLEEP {
            futex::wake_all(word);
        }
    }
}

/// See the module.
pub struct Places<F, const N: usize> {
    /// Each null or a thread that waits. The first are taken first: they wait for the shortest time.
    places: [AtomicPtr<Idle<F>>; N],
    /// Whether threads may be used again.
    reuse: AtomicBool,
}

impl<F: 'static, const N: usize> Places<F, N> {
    #[cfg(not(loom))]
    pub const fn new() -> Places<F, N> {
        Places {
            places: [const { AtomicPtr::new(ptr::null_mut()) }; N],
            reuse: AtomicBool::new(true),
        }
    }

    #[cfg(loom)]
    pub fn new() -> Places<F, N> {
        Places {
            places: std::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
            reuse: AtomicBool::new(true),
        }
    }

    pub fn are_open(&self) -> bool {
        self.reuse.load(Ordering::SeqCst)
    }

    /// Threads are no longer used again: those that wait end.
    pub fn close(&self) {
        if self.reuse.load(Ordering::Relaxed) && self.reuse.swap(false, Ordering::SeqCst) {
            // Who enters a place that is seen to be empty here sees in turn that nobody is used again.
            fence(Ordering::SeqCst);
            for place in &self.places {
                if let Some(idle) = take(place) {
                    idle.call(None);
                }
            }
        }
    }

    /// Has an idle thread with a stack of this size run a function, made of `main`; returns its ident, or what was given if there is none.
    pub fn call<M>(&self, stack_size: usize, main: M, function: impl FnOnce(M) -> F) -> Result<u64, M> {
        for place in &self.places {
            let Some(idle) = take(place) else { continue };
            if idle.stack_size != stack_size || !self.are_open() {
                idle.call(None);
            } else if idle.number.strong_count() == 0 {
                let ident = idle.ident;
                idle.call(Some(function(main)));
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

    /// The calling thread, which `idle` stands for, waits to be called, each time until `deadline`; none if it is to end. `look` is given what tells
    /// whether it was called, and may look at that for a while before the thread sleeps.
    pub fn wait(
        &self,
        idle: Idle<F>,
        look: impl FnOnce(&dyn Fn() -> bool) -> bool,
        deadline: impl Fn() -> Option<u64>,
    ) -> Option<F> {
        let address = ptr::from_ref(&idle).cast_mut();
        let stay = |place: &&AtomicPtr<Idle<F>>| {
            let free = place.compare_exchange(ptr::null_mut(), address, Ordering::SeqCst, Ordering::Relaxed);
            free.is_ok()
        };
        let place = self.places.iter().find(stay)?;
        let leave = || {
            place
                .compare_exchange(address, ptr::null_mut(), Ordering::SeqCst, Ordering::Relaxed)
                .is_ok()
        };
        // `close` may have looked at the place before.
        fence(Ordering::SeqCst);
        if !self.are_open() && leave() {
            return None;
        }
        let called = || idle.word.load(Ordering::Acquire) == CALLED;
        if !look(&called) {
            let mut until = deadline();
            while !called() {
                let slept = idle
                    .word
                    .compare_exchange(AWAKE, ASLEEP, Ordering::Relaxed, Ordering::Acquire);
                if slept == Err(CALLED) {
                    break;
                }
                if futex::wait(&idle.word, ASLEEP, until) == WaitResult::TimedOut {
                    if leave() {
                        return None;
                    }
                    // Somebody has taken it out, and is about to call, or to put it back.
                    until = deadline();
                    crate::sync::spin_hint();
                }
            }
        }
        // SAFETY: CALLED was stored, by the one that wrote the function, after that.
        unsafe { &mut *idle.function.get() }.take()
    }

    /// In the child of a fork: the other threads are gone.
    pub fn forget(&self) {
        for place in &self.places {
            place.store(ptr::null_mut(), Ordering::Relaxed);
        }
    }
}

/// Takes the thread that waits at `place` out of there; it waits until it is called or, having been put back, leaves.
fn take<F: 'static>(place: &AtomicPtr<Idle<F>>) -> Option<&'static Idle<F>> {
    if place.load(Ordering::Relaxed).is_null() {
        return None;
    }
    // SAFETY: what lies at a place stays until it is called, and this thread alone can do that, or put it back, now.
    unsafe { place.swap(ptr::null_mut(), Ordering::SeqCst).as_ref() }
}
