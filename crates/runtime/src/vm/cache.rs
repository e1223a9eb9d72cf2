//! The per-thread cache of attribute lookups on types.
//!
//! Invariant: an entry is right as long as its version is the type's: the value is then held by the dict of the type or of a
//! base, so it can be borrowed until it is counted, before the next safepoint. Entries are the thread's own: no races.

use std::cell::Cell;

use crate::object::{Py, Type, Value};
use crate::types::str::Str;

const SIZE: usize = 1024;

#[derive(Clone, Copy)]
struct Entry {
    version: u32,
    name: usize,
    /// Word of the value found, 0 for none.
    bits: u64,
}

#[inline(always)]
fn place(version: u32, name: &Py<Str>) -> usize {
    (version as usize ^ (name.as_ptr() as usize >> 5)) & (SIZE - 1)
}

/// See the module.
pub struct MethodCache {
    entries: Box<[Cell<Entry>]>,
}

impl Default for MethodCache {
    fn default() -> MethodCache {
        let empty = Entry {
            version: 0,
            name: 0,
            bits: 0,
        };
        MethodCache {
            entries: (0..SIZE).map(|_| Cell::new(empty)).collect(),
        }
    }
}

impl MethodCache {
    /// The attribute `name` of `ty` or its bases, if it was found lately. The name is interned.
    #[inline(always)]
    pub fn probe(&self, ty: &Py<Type>, name: &Py<Str>) -> Option<Value> {
        let version = ty.version();
        let at = place(version, name);
        // SAFETY: `place` is below the size of the table.
        let Entry {
            version: v,
            name: n,
            bits,
        } = unsafe { self.entries.get_unchecked(at) }.get();
        if v != version || n != name.as_ptr() as usize || bits == 0 {
            return None;
        }
        // SAFETY: the version matches, so the type's dict holds the value; it is counted here and the borrow forgotten.
        let borrowed = std::mem::ManuallyDrop::new(unsafe { Value::from_bits(bits) });
        Some((*borrowed).clone())
    }

    /// The attribute `name` of `ty` or its bases.
    #[inline]
    pub fn lookup(&self, ty: &Py<Type>, name: &Py<Str>) -> Option<Value> {
        let version = ty.version();
        if version == 0 || !name.is_interned() {
            return ty.lookup_uncached(name);
        }
        let at = place(version, name);
        let entry = &self.entries[at];
        let Entry {
            version: v,
            name: n,
            bits,
        } = entry.get();
        if v == version && n == name.as_ptr() as usize {
            if bits == 0 {
                return None;
            }
            // SAFETY: the version matches, so the type's dict holds the value; it is counted here and the borrow forgotten.
            let borrowed = std::mem::ManuallyDrop::new(unsafe { Value::from_bits(bits) });
            return Some((*borrowed).clone());
        }
        let found = ty.lookup_uncached(name);
        // Only if nothing changed meanwhile is what was found what the version means.
        if ty.version() == version {
            entry.set(Entry {
                version,
                name: name.as_ptr() as usize,
                bits: found.as_ref().map_or(0, Value::bits),
            });
        }
        found
    }
}
