//! `OnceBox<T>`: a value made on first use.
//!
//! Invariant: racing initialisers may each run; one value is published, the others are dropped. Nobody waits, so
//! an initialiser may detach, run Python code or come back here without a deadlock.

use super::atomic::{AtomicPtr, Ordering};
use std::marker::PhantomData;

/// A lazily made, heap-allocated value, freed with the cell.
pub struct OnceBox<T> {
    ptr: AtomicPtr<T>,
    owns: PhantomData<Option<Box<T>>>,
}

// SAFETY: the value is shared by reference and dropped by the last owner of the cell.
unsafe impl<T: Send + Sync> Sync for OnceBox<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for OnceBox<T> {}

impl<T> OnceBox<T> {
    pub const fn new() -> Self {
        Self {
            ptr: AtomicPtr::new(std::ptr::null_mut()),
            owns: PhantomData,
        }
    }

    #[inline]
    pub fn get(&self) -> Option<&T> {
        let ptr = self.ptr.load(Ordering::Acquire);
        // SAFETY: non-null only after `get_or_init` published a box that lives as long as `self`.
        unsafe { ptr.as_ref() }
    }

    #[inline]
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        match self.get() {
            Some(value) => value,
            None => self.init(make()),
        }
    }

    /// Publishes `value` unless another came first; returns the one in force.
    #[cold]
    pub fn init(&self, value: T) -> &T {
        let new = Box::into_raw(Box::new(value));
        match self
            .ptr
            .compare_exchange(std::ptr::null_mut(), new, Ordering::AcqRel, Ordering::Acquire)
        {
            // SAFETY: just published by us, freed only with `self`.
            Ok(_) => unsafe { &*new },
            Err(winner) => {
                // SAFETY: `new` was not published; `winner` lives as long as `self`.
                unsafe {
                    drop(Box::from_raw(new));
                    &*winner
                }
            }
        }
    }
}

impl<T> Default for OnceBox<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for OnceBox<T> {
    fn drop(&mut self) {
        let ptr = *self.ptr.get_mut();
        if !ptr.is_null() {
            // SAFETY: published by `init`, and no reference outlives `self`.
            unsafe { drop(Box::from_raw(ptr)) };
        }
    }
}
