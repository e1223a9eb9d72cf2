//! The per-thread cache of attribute lookups on types.
//!
//! Invariant: an entry is right as long as its version is the type's: the value is then held by the dict of the type or of a
//! base, so it can be borrowed until it is counted, before the next safepoint. Entries are the thread's own: no races.
//! Methods are also found by the ids of shapes, which change with the versions of their types: an instruction's cache has the id, so that what is
//! loaded does not wait for the object's type.

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

/// Where an entry goes. The one that was there before goes to the place beside it (`place ^ 1`), so that two that are wanted in turns both stay.
#[inline(always)]
fn place(version: u32, name: &Py<Str>) -> usize {
    (version as usize ^ (name.as_ptr() as usize >> 5)) & (SIZE - 1)
}

/// See the module.
pub struct MethodCache {
    entries: Box<[Cell<Entry>]>,
    attributes: Box<[Cell<Attribute>]>,
    uses: Cell<u16>,
}

/// What an inline cache would hold for a shape and a name: for code that sees objects of more than one class.
#[derive(Clone, Copy)]
struct Attribute {
    /// Address of the name, with the use in its low bits.
    name: usize,
    /// As in inline caches: the lower half is the shape's id or the type's version, neither of which is used twice.
    word: u64,
}

const ATTRIBUTES: usize = 512;

/// What is done to an attribute.
#[derive(Clone, Copy)]
#[repr(usize)]
pub enum Use {
    Load,
    Store,
    Call,
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
            attributes: (0..ATTRIBUTES)
                .map(|_| Cell::new(Attribute { name: 0, word: 0 }))
                .collect(),
            uses: Cell::new(0),
        }
    }
}

impl MethodCache {
    #[inline(always)]
    fn attribute(&self, id: u32, name: &Py<Str>, how: Use) -> (&Cell<Attribute>, usize) {
        let name = name.as_ptr() as usize | how as usize;
        let at = (id as usize).wrapping_mul(37) ^ name >> 4 ^ name << 3;
        (&self.attributes[at & (ATTRIBUTES - 1)], name)
    }

    /// What [`MethodCache::learn`] was told for the shape or type; 0 for nothing.
    #[inline(always)]
    pub fn known(&self, id: u32, name: &Py<Str>, how: Use) -> u64 {
        let (entry, name) = self.attribute(id, name, how);
        let Attribute { name: known, word } = entry.get();
        if known == name && word as u32 == id { word } else { 0 }
    }

    /// Notes the word of an inline cache, whose lower half is the shape's or type's id.
    pub fn learn(&self, name: &Py<Str>, how: Use, word: u64) {
        let (entry, name) = self.attribute(word as u32, name, how);
        entry.set(Attribute { name, word });
    }

    /// True now and then: an inline cache that is wrong all the time should not be written all the time, least of all while another thread,
    /// with a class of its own, reads it.
    #[inline]
    pub fn now_and_then(&self) -> bool {
        let uses = self.uses.get().wrapping_add(1);
        self.uses.set(uses);
        uses.is_multiple_of(512)
    }

    /// The attribute `name` of `ty` or its bases, if it was found lately. The name is interned.
    #[inline(always)]
    pub fn probe(&self, ty: &Py<Type>, name: &Py<Str>) -> Option<Value> {
        let bits = self.probe_word(ty, name);
        if bits == 0 {
            return None;
        }
        // SAFETY: a value's word, see `probe_word`; it is counted here and the borrow forgotten.
        let borrowed = std::mem::ManuallyDrop::new(unsafe { Value::from_bits(bits) });
        Some((*borrowed).clone())
    }

    /// As [`MethodCache::probe`], the word, not counted; 0 for none. The version matches, so the type's dict or a base's holds the value.
    #[inline(always)]
    pub fn probe_word(&self, ty: &Py<Type>, name: &Py<Str>) -> u64 {
        self.method_word(ty.version(), name)
    }

    /// The entry, if there is one.
    #[inline(always)]
    fn find(&self, key: u32, name: &Py<Str>) -> Option<Entry> {
        let (at, wanted) = (place(key, name), name.as_ptr() as usize);
        // SAFETY: `place` is below the size of the table, which is even.
        let entry = unsafe { self.entries.get_unchecked(at) }.get();
        if entry.version == key && entry.name == wanted {
            return Some(entry);
        }
        std::hint::cold_path();
        // SAFETY: as above.
        let entry = unsafe { self.entries.get_unchecked(at ^ 1) }.get();
        (entry.version == key && entry.name == wanted).then_some(entry)
    }

    fn enter(&self, entry: Entry, at: usize) {
        self.entries[at ^ 1].set(self.entries[at].replace(entry));
    }

    /// The word of the method `name` that was entered for the key of an inline cache, not counted; 0 for none. As long as the key is that of an
    /// object, its class or a base holds the method.
    #[inline(always)]
    pub fn method_word(&self, key: u32, name: &Py<Str>) -> u64 {
        self.find(key, name).map_or(0, |entry| entry.bits)
    }

    /// Enters what [`MethodCache::method_word`] is to find. The key is a shape's id.
    pub fn enter_method(&self, key: u32, name: &Py<Str>, bits: u64) {
        let entry = Entry {
            version: key,
            name: name.as_ptr() as usize,
            bits,
        };
        self.enter(entry, place(key, name));
    }

    /// Whether it was found lately that `ty` and its bases have no attribute `name`.
    #[inline(always)]
    pub fn knows_none(&self, ty: &Py<Type>, name: &Py<Str>) -> bool {
        let version = ty.version();
        version != 0 && self.find(version, name).is_some_and(|entry| entry.bits == 0)
    }

    /// The attribute `name` of `ty` or its bases.
    #[inline]
    pub fn lookup(&self, ty: &Py<Type>, name: &Py<Str>) -> Option<Value> {
        let version = ty.version();
        if version == 0 || !name.is_interned() {
            return ty.lookup_uncached(name);
        }
        if let Some(Entry { bits, .. }) = self.find(version, name) {
            if bits == 0 {
                return None;
            }
            // SAFETY: the version matches, so the type's dict holds the value; it is counted here and the borrow forgotten.
            let borrowed = std::mem::ManuallyDrop::new(unsafe { Value::from_bits(bits) });
            return Some((*borrowed).clone());
        }
        let (found, keep) = ty.lookup_to_cache(name);
        // Only if nothing changed meanwhile is what was found what the version means.
        if keep && ty.version() == version {
            let entry = Entry {
                version,
                name: name.as_ptr() as usize,
                bits: found.as_ref().map_or(0, Value::bits),
            };
            self.enter(entry, place(version, name));
        }
        found
    }
}
