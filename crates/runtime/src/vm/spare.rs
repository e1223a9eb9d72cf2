//! Stacks and caches of threads that have ended, for threads that begin: mapping them anew is a good part of what starting a thread costs.
//!
//! Invariant: a place holds a box of its own or null, and whoever takes it out owns it. No lock: a fork may happen at any moment here.

use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{AcqRel, Relaxed};

use super::cache::MethodCache;
use super::frames::FrameStack;

pub static STACKS: Spares<FrameStack> = Spares::new();
pub static CACHES: Spares<MethodCache> = Spares::new();

/// Room for some things of one kind.
pub struct Spares<T>([AtomicPtr<T>; 8]);

impl<T> Spares<T> {
    const fn new() -> Spares<T> {
        Spares([const { AtomicPtr::new(std::ptr::null_mut()) }; 8])
    }

    /// What a thread left.
    pub fn take(&self) -> Option<T> {
        self.0.iter().find_map(|place| {
            if place.load(Relaxed).is_null() {
                return None;
            }
            let kept = place.swap(std::ptr::null_mut(), AcqRel);
            // SAFETY: a box from `put`, taken out of its place just now.
            (!kept.is_null()).then(|| *unsafe { Box::from_raw(kept) })
        })
    }

    /// Keeps what a thread leaves, if there is room.
    pub fn put(&self, left: T) {
        let left = Box::into_raw(Box::new(left));
        for place in &self.0 {
            let null = std::ptr::null_mut();
            if place.load(Relaxed).is_null() && place.compare_exchange(null, left, AcqRel, Relaxed).is_ok() {
                return;
            }
        }
        // SAFETY: put nowhere.
        drop(unsafe { Box::from_raw(left) });
    }
}
