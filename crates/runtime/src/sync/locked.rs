//! Mutable data of an object, guarded by the object's lock byte.
//!
//! Invariant: the data is only reached through [`Locked::with`], which holds the lock (or, under the GIL, the GIL); the closure runs no
//! Python code, drops no values and does not block, so it cannot be entered twice by one thread.

use std::cell::UnsafeCell;

use super::lock_object;
use crate::memory::header::Header;
use crate::memory::trace::{Trace, Visitor};
use crate::object::Value;

/// See the module.
pub struct Locked<T>(UnsafeCell<T>);

// SAFETY: access is serialised by the object's lock, or by the GIL.
unsafe impl<T: Send> Sync for Locked<T> {}

impl<T> Locked<T> {
    pub const fn new(data: T) -> Locked<T> {
        Locked(UnsafeCell::new(data))
    }

    /// Calls `f` with the data. `header` is that of the object the data is a field of.
    #[inline(always)]
    pub fn with<R>(&self, header: &Header, f: impl FnOnce(&mut T) -> R) -> R {
        let _guard = lock_object(header);
        // SAFETY: the lock is held, and by the contract on `f` this thread is not inside already.
        f(unsafe { &mut *self.0.get() })
    }

    /// The data, while the caller holds the object's lock by other means (two objects locked at once).
    ///
    /// # Safety
    /// The lock of the object is held, and no other reference to the data is live.
    #[expect(clippy::mut_from_ref, reason = "the lock makes it unique")]
    pub unsafe fn assume_locked(&self) -> &mut T {
        // SAFETY: by contract.
        unsafe { &mut *self.0.get() }
    }

    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: Trace> Trace for Locked<T> {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        // SAFETY: traversal happens with the world stopped, and no lock is held at a safepoint.
        unsafe { &*self.0.get() }.traverse(visit);
    }

    fn clear(&self, out: &mut Vec<Value>) {
        // SAFETY: as above.
        unsafe { &mut *self.0.get() }.clear_mut(out);
    }
}
