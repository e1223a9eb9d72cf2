//! Rolls: lists of objects that hold no references to them.
//!
//! Invariant: an object on a roll has its [`Place`] in its payload. Place and roll change together, under the roll's lock, and the place leaves the roll
//! when the payload is dropped, which is before the object's memory is given back: so whoever holds the lock may touch the headers of what is listed.
//! Rolls live for ever.

use std::ptr::{self, NonNull};

use super::header::{FLAG_FINALIZED, Header};
use crate::object::{Native, Obj, Py, Value};
use crate::sync::Mutex;
use crate::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::sync::atomic::{AtomicPtr, AtomicUsize};

/// Objects that are listed until they leave or are freed.
#[derive(Default)]
pub struct Roll {
    entries: Mutex<Vec<Entry>>,
}

struct Entry {
    object: NonNull<Header>,
    place: NonNull<Place>,
}

// SAFETY: the pointers are only followed under the roll's lock, where the objects cannot be freed (see the module).
unsafe impl Send for Entry {}

/// Where on which roll an object is: a field of its payload.
#[derive(Default)]
pub struct Place {
    /// Null: on none.
    roll: AtomicPtr<Roll>,
    /// Means something while `roll` is set, under its lock.
    at: AtomicUsize,
}

crate::no_trace!(Place);

impl Place {
    /// Takes the object off its roll, if it is on one.
    pub fn leave(&self) {
        loop {
            let roll = self.roll.load(Acquire);
            // SAFETY: rolls live for ever.
            let Some(listed) = (unsafe { roll.as_ref() }) else {
                return;
            };
            let mut entries = listed.entries.lock();
            if self.roll.load(Relaxed) != roll {
                continue;
            }
            let at = self.at.load(Relaxed);
            entries.swap_remove(at);
            if let Some(moved) = entries.get(at) {
                // SAFETY: the lock is held, and the object is listed.
                unsafe { moved.place.as_ref() }.at.store(at, Relaxed);
            }
            self.roll.store(ptr::null_mut(), Release);
            return;
        }
    }

    /// Whether the object is on a roll.
    pub fn is_listed(&self) -> bool {
        !self.roll.load(Relaxed).is_null()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Roll {
    /// Lists an object, unless it is on a roll already. `place` finds the place in its payload.
    ///
    /// # Panics
    /// When the place lies somewhere else.
    pub fn enter<T: Native>(&'static self, object: &Py<T>, place: impl FnOnce(&T) -> &Place) {
        let place = place(object);
        let inside = ptr::from_ref(place) as usize - object.as_ptr() as usize;
        assert!(inside < size_of::<Obj<T>>(), "the place is a field of the payload");
        let mut entries = self.entries.lock();
        let this = ptr::from_ref(self).cast_mut();
        if place
            .roll
            .compare_exchange(ptr::null_mut(), this, Release, Relaxed)
            .is_err()
        {
            return;
        }
        place.at.store(entries.len(), Relaxed);
        entries.push(Entry {
            object: NonNull::from(object.header()),
            place: NonNull::from(place),
        });
    }

    /// References to what is listed and neither dying nor, as garbage, handed to its finalizer.
    pub fn members(&self) -> Vec<Value> {
        let entries = self.entries.lock();
        let counted = |entry: &Entry| {
            // SAFETY: the lock is held, so the object's memory is its own; a count that was taken is the result's.
            unsafe {
                let header = entry.object.as_ref();
                // The collector sets this flag before it looks again at what is still garbage.
                let gone = header.flag(FLAG_FINALIZED) || !header.try_incref();
                (!gone).then(|| Value::from_bits(entry.object.as_ptr() as u64))
            }
        };
        entries.iter().filter_map(counted).collect()
    }
}
