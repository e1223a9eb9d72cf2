//! Attributes of classes that threads in parallel write again and again: counters, settings.
//!
//! Invariant: a name is entered with the world stopped, and the class's version is renewed with that. From then on no cache holds what
//! the class has by this name, so that plain data can take the place of plain data without a stop and without a new version: what the
//! caches hold besides (that the class has the name, and no descriptor by it) stays right.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize};

use super::py::Py;
use super::value::Value;
use crate::types::str::Str;

/// How often the world is stopped for a name before it is entered.
const PATIENCE: u32 = 8;
const NAMES: usize = 6;

struct Table {
    /// Addresses of interned names, which are immortal; written with the world stopped.
    names: [AtomicUsize; NAMES],
    /// How often each was written.
    writes: [AtomicU32; NAMES],
}

/// See the module.
#[derive(Default)]
pub struct Rewrites {
    /// Made by the first write that is noted, freed with the class.
    table: AtomicPtr<Table>,
}

/// Whether reading the attribute of an instance gives the value itself, and writing it is not for the value to decide.
pub fn is_plain(value: &Value) -> bool {
    let slots = value.ty().slots();
    slots.descr_get.is_none() && slots.descr_set.is_none()
}

impl Rewrites {
    pub const fn new() -> Rewrites {
        Rewrites {
            table: AtomicPtr::new(std::ptr::null_mut()),
        }
    }

    fn table(&self) -> Option<&Table> {
        // SAFETY: null or a box that is freed with the class.
        unsafe { self.table.load(Acquire).as_ref() }
    }

    /// Whether the interned name was entered: what the class has by it may not be cached.
    #[inline]
    pub fn has(&self, name: &Py<Str>) -> bool {
        let Some(table) = self.table() else { return false };
        let at = table
            .names
            .iter()
            .position(|known| known.load(Relaxed) == name.as_ptr() as usize);
        at.is_some_and(|at| table.writes[at].load(Relaxed) >= PATIENCE)
    }

    /// Notes a write of plain data in the place of plain data. The world is stopped, and the class gets a new version in the same stop.
    pub fn note(&self, name: &Py<Str>) {
        let table = match self.table() {
            Some(table) => table,
            None => {
                let made = Box::into_raw(Box::new(Table {
                    names: [const { AtomicUsize::new(0) }; NAMES],
                    writes: [const { AtomicU32::new(0) }; NAMES],
                }));
                self.table.store(made, Release);
                // SAFETY: made just now; nobody else runs.
                unsafe { &*made }
            }
        };
        let address = name.as_ptr() as usize;
        let place = |wanted| table.names.iter().position(|known| known.load(Relaxed) == wanted);
        // A full table stays as it is: the other names are written with the world stopped.
        if let Some(at) = place(address).or_else(|| place(0)) {
            table.names[at].store(address, Relaxed);
            let writes = table.writes[at].load(Relaxed);
            table.writes[at].store(writes.saturating_add(1), Relaxed);
        }
    }
}

impl Drop for Rewrites {
    fn drop(&mut self) {
        let table = *self.table.get_mut();
        if !table.is_null() {
            // SAFETY: a box of `note`, and nobody has the class any more.
            drop(unsafe { Box::from_raw(table) });
        }
    }
}
