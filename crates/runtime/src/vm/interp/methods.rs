//! Attributes and global names by inline caches, and how the caches are filled.
//!
//! Layout of an attribute cache word: the key in the lower half, a slot or transition number in bits 32..48, the kind in bits 48..64. The key is
//! the id of the instance's shape (which stands for the state of its class too), or for objects without attributes the version of
//! their type. A cache never holds a pointer: a method that it vouches for is found in the thread's method cache.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::object::attrs::Attrs;
use crate::object::{Py, TypeFlags, Value};
use crate::types::dict::Dict;
use crate::types::str::Str;
use crate::vm::attributes::{generic_getattr, instance_attr};
use crate::vm::cache::Use;
use crate::vm::{Res, Vm};

/// The attribute is in the slot.
const IN_SLOT: u64 = 0;
/// The class has the method, and instances of the shape have no attribute of the name.
const METHOD: u64 = METHOD_KIND as u64;
const METHOD_KIND: u16 = 1;
/// The class has the method, and instances have no attributes.
const METHOD_BARE: u64 = 2;
/// Storing the attribute takes the shape's transition of this number.
const ADD: u64 = 3;

#[inline(always)]
fn word(kind: u64, number: usize, key: u32) -> u64 {
    kind << 48 | (number as u64) << 32 | u64::from(key)
}

#[inline(always)]
fn number(word: u64) -> usize {
    (word >> 32) as usize & 0xffff
}

impl Vm {
    /// The attribute, if the object is as the cache expects.
    #[inline(always)]
    pub(super) fn load_attr_cached<const FREE: bool>(&self, obj: &Value, word: u64) -> Option<Value> {
        let attrs = Attrs::of(obj)?;
        // SAFETY: shapes live as long as their type, which the object holds.
        let shape = unsafe { attrs.shape().as_ref() }?;
        if word as u32 != shape.id.load(Relaxed) || word as u32 == 0 {
            return None;
        }
        if !FREE || !crate::sync::parallel() {
            return attrs.read_alone(number(word));
        }
        let value = attrs.read(number(word))?;
        if !std::ptr::eq(attrs.shape(), shape) {
            return None;
        }
        Some(value)
    }

    #[inline(never)]
    pub(super) fn load_attr_slow<const FREE: bool>(
        &self,
        obj: &Value,
        name: &Py<Str>,
        cached: &AtomicU64,
    ) -> Res<Value> {
        let known = self.known_attribute(obj, name, Use::Load, cached);
        if known != 0
            && let Some(value) = self.load_attr_cached::<FREE>(obj, known)
        {
            if self.method_cache.now_and_then() {
                cached.store(known, Relaxed);
            }
            return Ok(value);
        }
        let ty = obj.ty();
        if ty.reads_generically()
            && let Some(attrs) = Attrs::of(obj)
            // SAFETY: shapes live as long as their type.
            && let Some(shape) = unsafe { attrs.shape().as_ref() }
        {
            let id = shape.id.load(Relaxed);
            if let Some(i) = shape.find(name)
                && let Some(value) = attrs.read(i)
            {
                let overridden = ty
                    .lookup(self, name)
                    .is_some_and(|d| d.ty().slots().descr_set.is_some() && d.ty().slots().descr_get.is_some());
                if !overridden {
                    if id != 0 && shape.id.load(Relaxed) == id {
                        self.fill(cached, name, Use::Load, word(IN_SLOT, i, id));
                    }
                    return Ok(value);
                }
            }
        }
        self.getattr(obj, name)
    }

    /// The method for `obj.name(...)`, which takes the receiver, if the object is as the cache expects.
    #[inline(always)]
    pub(super) fn load_method_cached(&self, obj: &Value, name: &Py<Str>, word: u64) -> Option<Value> {
        let key = word as u32;
        if key == 0 {
            return None;
        }
        let ty = obj.ty();
        match (word >> 48) as u16 {
            METHOD_KIND => {
                let attrs = Attrs::of(obj)?;
                // SAFETY: shapes live as long as their type, which the object holds.
                if unsafe { attrs.shape().as_ref() }?.id.load(Relaxed) != key {
                    return None;
                }
            }
            _ => {
                if ty.version() != key {
                    return None;
                }
            }
        }
        self.method_cache.probe(ty, name)
    }

    /// The special method number `k`, which takes the receiver, if it was found lately.
    #[inline(always)]
    pub(super) fn special_cached(&self, obj: &Value, k: u8) -> Option<Value> {
        let name = crate::vm::intrinsics::special_name(k);
        let function = self.method_cache.probe(obj.ty(), name)?;
        function.ty().has_flag(TypeFlags::METHOD_DESCRIPTOR).then_some(function)
    }

    /// The function for `obj.name(...)`, and whether the receiver is to be passed.
    /// What the thread knows of the attribute of objects like this, as an inline cache would have it; 0 for nothing.
    #[inline]
    fn known_attribute(&self, obj: &Value, name: &Py<Str>, how: Use, cached: &AtomicU64) -> u64 {
        if cached.load(Relaxed) == 0 {
            // The place has never seen what can be cached.
            return 0;
        }
        let id = match Attrs::of(obj) {
            Some(attrs) => attrs.shape_id(),
            None => obj.ty().version(),
        };
        if id == 0 {
            0
        } else {
            self.method_cache.known(id, name, how)
        }
    }

    /// Fills an inline cache, and the thread's own for places that see other objects too.
    fn fill(&self, cached: &AtomicU64, name: &Py<Str>, how: Use, word: u64) {
        cached.store(word, Relaxed);
        self.method_cache.learn(name, how, word);
    }

    #[inline(never)]
    pub(super) fn load_method(&self, obj: &Value, name: &Py<Str>, cached: &AtomicU64) -> Res<(Value, bool)> {
        let known = self.known_attribute(obj, name, Use::Call, cached);
        if known != 0
            && let Some(function) = self.load_method_cached(obj, name, known)
        {
            if self.method_cache.now_and_then() {
                cached.store(known, Relaxed);
            }
            return Ok((function, true));
        }
        let ty = obj.ty();
        if !ty.reads_generically() {
            return Ok((self.getattr(obj, name)?, false));
        }
        let version = ty.version();
        if let Some(found) = ty.lookup(self, name)
            && found.ty().has_flag(TypeFlags::METHOD_DESCRIPTOR)
        {
            let Some(attrs) = Attrs::of(obj) else {
                if ty.attr_offset() == 0 && version != 0 {
                    self.fill(cached, name, Use::Call, word(METHOD_BARE, 0, version));
                }
                return Ok((found, true));
            };
            // SAFETY: shapes live as long as their type.
            let shape = unsafe { attrs.shape().as_ref() };
            if let Some(shape) = shape
                && shape.find(name).is_none()
            {
                let id = shape.id.load(Relaxed);
                if id != 0 && ty.version() == version {
                    self.fill(cached, name, Use::Call, word(METHOD, 0, id));
                }
                return Ok((found, true));
            }
            return match instance_attr(self, obj, name)? {
                Some(own) => Ok((own, false)),
                None => Ok((found, true)),
            };
        }
        Ok((generic_getattr(self, obj, name)?, false))
    }

    /// Stores the attribute, if the object is as the cache expects; gives the value back otherwise.
    #[inline(always)]
    pub(super) fn store_attr_cached<const FREE: bool>(
        &self,
        obj: &Value,
        value: Value,
        word: u64,
    ) -> Result<(), Value> {
        let Some(attrs) = Attrs::of(obj) else { return Err(value) };
        if word as u32 == 0 {
            return Err(value);
        }
        if word >> 48 == ADD {
            return attrs.add_cached::<FREE>(obj.ty(), word as u32, number(word), value);
        }
        attrs.set_cached::<FREE>(word as u32, number(word), value)
    }

    #[inline(never)]
    pub(super) fn store_attr<const FREE: bool>(
        &self,
        obj: &Value,
        name: &Py<Str>,
        mut value: Value,
        cached: &AtomicU64,
    ) -> Res<()> {
        let known = self.known_attribute(obj, name, Use::Store, cached);
        if known != 0 {
            match self.store_attr_cached::<FREE>(obj, value, known) {
                Ok(()) => {
                    if self.method_cache.now_and_then() {
                        cached.store(known, Relaxed);
                    }
                    return Ok(());
                }
                Err(back) => value = back,
            }
        }
        let ty = obj.ty();
        if ty.writes_generically()
            && let Some(attrs) = Attrs::of(obj)
            // SAFETY: shapes live as long as their type.
            && let Some(shape) = unsafe { attrs.shape().as_ref() }
        {
            let id = shape.id.load(Relaxed);
            let overridden = ty
                .lookup(self, name)
                .is_some_and(|d| d.ty().slots().descr_set.is_some());
            if !overridden {
                let found = shape.find(name);
                if let Err((value, dict)) = attrs.set(ty, name, value) {
                    drop(dict.replace_str(name, value));
                } else if id != 0 && shape.id.load(Relaxed) == id {
                    match found {
                        Some(i) => self.fill(cached, name, Use::Store, word(IN_SLOT, i, id)),
                        None => {
                            if let Some(n) = shape.transition_number(name) {
                                self.fill(cached, name, Use::Store, word(ADD, n, id));
                            }
                        }
                    }
                }
                return Ok(());
            }
        }
        self.setattr(obj, name, &value)
    }

    /// `globals[name] = value`, where the cache does not know the name's place.
    #[inline(never)]
    pub(super) fn store_global_slow(&self, globals: &Py<Dict>, name: &Py<Str>, value: Value, cached: &AtomicU64) {
        let old = globals.replace_str(name, value);
        let version = globals.version();
        if let Some(at) = globals.find_entry_for_cache(name)
            && globals.version() == version
        {
            cached.store(u64::from(at) << 32 | u64::from(version), Relaxed);
        }
        drop(old);
    }
}
