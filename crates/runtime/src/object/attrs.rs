//! Instance attributes: shapes (layouts shared by instances) and the attribute store behind an object's payload.
//!
//! Layout of a store, at the type's `attr_offset`: a word with the shape pointer, a word `more` (a tagged pointer to the block of overflow slots, or
//! a dict once the instance is in dict mode), then `inline` slots (the count is in the header's flags).
//!
//! Invariants: a shape never changes but for its id and its transitions. A store's shape only grows along transitions, or changes once to
//! *dict mode* (null), whereafter its slots stay empty: so a reader that sees the same shape before and after reading slot `i` has
//! read the attribute it meant. Writers hold the object's lock (free-threaded mode). The shape becomes null before `more` becomes the dict, so
//! who reads one and then the other must expect to find them from different times: the tag tells a block from a dict, and who finds a null
//! shape without a dict waits for it. A slot of a block is only believed while the block is the store's.
//! A shape id is valid for one state of its type: when an attribute of the type or of a base changes, its shapes get new ids, so
//! one comparison of an id in an inline cache checks type, layout and that the class does not override.

use std::alloc::Layout;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ptr::NonNull;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64};

use super::py::{Obj, Py};
use super::slot::Slot;
use super::types::Type;
use super::value::Value;
use crate::memory::header::{FLAG_ATTRS, FLAG_NEAR, Header, INLINE_BITS, INLINE_SHIFT};
use crate::memory::trace::{Trace, Visitor};
use crate::sync::{Mutex, lock_object, parallel};
use crate::types::dict::Dict;
use crate::types::str::Str;

/// More attributes than this go to a dict.
pub const MAX_SHAPE: usize = 64;

static NEXT_ID: AtomicU32 = AtomicU32::new(1);

/// A fresh id for a shape or for the version of a type or dict; 0 when they are used up (nothing is cached then).
pub fn fresh_id() -> u32 {
    let id = NEXT_ID.fetch_add(1, Relaxed);
    if id > u32::MAX - 1024 {
        NEXT_ID.store(u32::MAX - 1023, Relaxed);
        return 0;
    }
    id
}

/// Hashes the address of an object.
#[derive(Default)]
pub struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }
    fn write_usize(&mut self, address: usize) {
        self.write_u64(address as u64);
    }
    fn write_u64(&mut self, address: u64) {
        // Tables look at the lowest and the highest bits: those of the product are few below and good in the middle.
        self.0 = (address >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(20);
    }
}

/// A layout: which attribute is in which slot.
pub struct Shape {
    /// See the module; 0 is valid for nothing.
    pub id: AtomicU32,
    /// Attribute names (interned, immortal) in slot order.
    pub names: Box<[Py<Str>]>,
    /// Slot by address of the name; only for shapes with more than [`LINEAR`] names.
    index: Option<HashMap<usize, u16, BuildHasherDefault<AddressHasher>>>,
    transitions: Mutex<Vec<(usize, NonNull<Shape>)>>,
    /// How many more layouts may grow from the first one of the type; only that one's is used.
    budget: AtomicU32,
    /// The first layout, which lives as long as this one; null in itself.
    root: *const Shape,
    /// The first few transitions, for inline caches: set once each, in order.
    quick: [AtomicPtr<Shape>; QUICK],
}

/// Layouts that may grow from one, and in all from the first one of a type. Beyond, instances have dicts: layouts pay where many instances
/// share them, and these live as long as the type.
const MAX_TRANSITIONS: usize = 64;
const MAX_SHAPES: u32 = 1024;
const QUICK: usize = 4;
const LINEAR: usize = 8;

// SAFETY: shapes are immutable but for atomics and the locked transitions.
unsafe impl Send for Shape {}
// SAFETY: as above.
unsafe impl Sync for Shape {}

impl Shape {
    fn new(names: Box<[Py<Str>]>, root: *const Shape) -> NonNull<Shape> {
        let index = (names.len() > LINEAR).then(|| {
            names
                .iter()
                .enumerate()
                .map(|(i, n)| (n.as_ptr() as usize, i as u16))
                .collect()
        });
        let shape = Shape {
            id: AtomicU32::new(fresh_id()),
            names,
            index,
            transitions: Mutex::new(Vec::new()),
            budget: AtomicU32::new(MAX_SHAPES),
            root,
            quick: Default::default(),
        };
        NonNull::from(Box::leak(Box::new(shape)))
    }

    /// A layout without attributes.
    pub fn root() -> NonNull<Shape> {
        Shape::new(Box::default(), std::ptr::null())
    }

    /// The slot of the interned `name`.
    #[inline]
    pub fn find(&self, name: &Py<Str>) -> Option<usize> {
        let key = name.as_ptr();
        match &self.index {
            None => self.names.iter().position(|n| n.as_ptr() == key),
            Some(index) => index.get(&(key as usize)).map(|&i| i.into()),
        }
    }

    /// The layout with `name` added, unless there are too many.
    fn with(&self, name: &Py<Str>) -> Option<NonNull<Shape>> {
        let mut transitions = self.transitions.lock();
        let key = name.as_ptr() as usize;
        if let Some((_, next)) = transitions.iter().find(|(n, _)| *n == key) {
            return Some(*next);
        }
        // SAFETY: null, or the first layout, which is freed with this one.
        let root = unsafe { self.root.as_ref() }.unwrap_or(self);
        let budget = &root.budget;
        if transitions.len() >= MAX_TRANSITIONS
            || budget
                .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1))
                .is_err()
        {
            return None;
        }
        let names = self.names.iter().cloned().chain([name.clone()]).collect();
        let next = Shape::new(names, root);
        if let Some(place) = self.quick.get(transitions.len()) {
            place.store(next.as_ptr(), Release);
        }
        transitions.push((key, next));
        Some(next)
    }

    /// The number of the transition that adds `name`, for [`Attrs::add_cached`].
    pub fn transition_number(&self, name: &Py<Str>) -> Option<usize> {
        let key = name.as_ptr() as usize;
        let transitions = self.transitions.lock();
        transitions.iter().take(QUICK).position(|(n, _)| *n == key)
    }

    /// Gives this layout and all that grow from it new ids.
    pub fn renew(&self) {
        // Collect first: the tree may be deep, and `renew` must not recurse without bound.
        let mut queue: Vec<NonNull<Shape>> = vec![NonNull::from(self)];
        while let Some(shape) = queue.pop() {
            // SAFETY: shapes live as long as their type, which the caller holds.
            let shape = unsafe { shape.as_ref() };
            shape.id.store(fresh_id(), Release);
            queue.extend(shape.transitions.lock().iter().map(|(_, s)| *s));
        }
    }

    /// Frees the layout and all that grow from it.
    ///
    /// # Safety
    /// No object has any of these shapes.
    pub unsafe fn free(root: NonNull<Shape>) {
        let mut queue = vec![root];
        while let Some(shape) = queue.pop() {
            // SAFETY: made by `Box::leak` in `new`, and freed once: the tree has one parent for each.
            let shape = unsafe { Box::from_raw(shape.as_ptr()) };
            queue.extend(shape.transitions.lock().iter().map(|(_, s)| *s));
        }
    }
}

/// The overflow block: capacity, then slots.
#[repr(C)]
struct More {
    capacity: usize,
}

/// In `more`: a pointer to a block, not the word of a dict. Read as a value it would be an immediate one, which owns nothing.
const BLOCK: u64 = 1;

impl More {
    fn word(block: NonNull<More>) -> u64 {
        block.as_ptr() as u64 | BLOCK
    }

    fn of(word: u64) -> Option<NonNull<More>> {
        if word & BLOCK == 0 {
            return None;
        }
        NonNull::new((word & !BLOCK) as *mut More)
    }

    fn layout(capacity: usize) -> Layout {
        Layout::from_size_align(size_of::<More>() + capacity * 8, 8).expect("at most MAX_SHAPE slots")
    }

    fn alloc(capacity: usize) -> NonNull<More> {
        let layout = More::layout(capacity);
        // SAFETY: the layout is not empty; zeroed slots are empty slots.
        let block = unsafe { std::alloc::alloc_zeroed(layout) }.cast::<More>();
        let Some(block) = NonNull::new(block) else {
            std::alloc::handle_alloc_error(layout)
        };
        // SAFETY: freshly allocated and large enough.
        unsafe { (*block.as_ptr()).capacity = capacity };
        block
    }

    fn slot(block: NonNull<More>, i: usize) -> NonNull<Slot> {
        // SAFETY: callers pass `i < capacity`.
        unsafe { block.add(1).cast::<Slot>().add(i) }
    }

    unsafe fn free(block: NonNull<More>) {
        // SAFETY: allocated by `alloc` with this capacity.
        unsafe { std::alloc::dealloc(block.as_ptr().cast(), More::layout(block.as_ref().capacity)) }
    }
}

/// A view of an object's attribute store.
#[derive(Clone, Copy)]
pub struct Attrs<'a> {
    header: &'a Header,
    /// The shape; null in dict mode.
    shape: &'a AtomicPtr<Shape>,
    /// Overflow block, or the dict's value word in dict mode.
    more: &'a AtomicU64,
}

/// What slot `i` of the overflow block holds that `more` names. The caller needs no place in memory for a view then.
#[inline(never)]
fn read_overflow(more: &AtomicU64, i: usize) -> Option<Value> {
    loop {
        let word = more.load(Acquire);
        // SAFETY: a block that is the store's has the slots of its shapes; it only grows, and is retired, not freed, while
        // readers may be inside.
        let value = unsafe { More::slot(More::of(word)?, i).as_ref() }.get();
        // A slot of a block that was replaced may name what is gone.
        if !parallel() || more.load(Acquire) == word {
            return value;
        }
        drop(value);
    }
}

/// Makes room for slot `i` in an overflow block, where `inline` slots lie in the object, which is locked.
#[inline(never)]
fn grow(more: &AtomicU64, inline: usize, ty: &Type, i: usize) {
    if i < inline {
        return;
    }
    ty.learn_inline(i + 1);
    let need = i - inline + 1;
    let old = More::of(more.load(Acquire));
    // SAFETY: the block is live.
    let have = old.map_or(0, |b| unsafe { b.as_ref() }.capacity);
    if need <= have {
        return;
    }
    let block = More::alloc((have * 2).clamp(4, MAX_SHAPE).max(need));
    if let Some(old) = old {
        for j in 0..have {
            // SAFETY: both slots exist; the reference moves over.
            unsafe {
                let bits = More::slot(old, j).as_ref().peek_bits();
                More::slot(block, j).cast::<u64>().write(bits);
            }
        }
    }
    more.store(More::word(block), Release);
    if let Some(old) = old {
        if parallel() {
            // Readers must not look for ever for a word to change whose object has died since.
            for j in 0..have {
                // SAFETY: the slot exists; its reference has moved.
                unsafe { More::slot(old, j).cast::<AtomicU64>().as_ref() }.store(0, Release);
            }
        }
        // SAFETY: replaced above; readers that still use it are waited for.
        crate::memory::retire(move || unsafe { More::free(old) });
    }
}

/// What a store says of an attribute.
pub enum Found {
    Value(Value),
    Missing,
    /// Look in the instance's dict.
    Dict(Py<Dict>),
}

impl<'a> Attrs<'a> {
    /// The store of `value`, if it has one.
    #[inline(always)]
    pub fn of(value: &'a Value) -> Option<Attrs<'a>> {
        let header = value.header()?;
        if !header.flag(FLAG_ATTRS) {
            return None;
        }
        Some(Attrs::at(header, value.ty().attr_offset() as usize))
    }

    /// The same of a store that lies directly behind the header, as that of most instances of Python's classes: found without a look at the type.
    #[inline(always)]
    pub fn near(value: &'a Value) -> Option<Attrs<'a>> {
        let header = value.header()?;
        header.flag(FLAG_NEAR).then(|| Attrs::at(header, size_of::<Header>()))
    }

    #[inline(always)]
    pub(crate) fn at(header: &'a Header, offset: usize) -> Attrs<'a> {
        let base = std::ptr::from_ref(header).cast::<u8>();
        // SAFETY: an object with FLAG_ATTRS was allocated with a store at its type's offset; `__class__` assignment demands equal offsets.
        unsafe {
            Attrs {
                header,
                shape: &*base.add(offset).cast(),
                more: &*base.add(offset + 8).cast(),
            }
        }
    }

    /// The shape pointer, for inline caches; null in dict mode.
    #[inline(always)]
    pub fn shape(&self) -> *mut Shape {
        self.shape.load(Acquire)
    }

    /// The id of the current shape; 0 in dict mode.
    #[inline(always)]
    pub fn shape_id(&self) -> u32 {
        let shape = self.shape.load(Acquire);
        if shape.is_null() {
            return 0;
        }
        // SAFETY: shapes live as long as their type, which the object holds.
        unsafe { (*shape).id.load(Relaxed) }
    }

    /// In which slot the layout with this id has the interned `name`; `None` if the store has another layout.
    pub fn slot_of(&self, id: u32, name: &Py<Str>) -> Option<Option<usize>> {
        // SAFETY: null, or a shape, which lives as long as its type, which the object holds.
        let shape = unsafe { self.shape.load(Acquire).as_ref() }?;
        (shape.id.load(Relaxed) == id).then(|| shape.find(name))
    }

    #[inline(always)]
    fn inline_slots(&self) -> usize {
        (self.header.flags.load(Relaxed) >> INLINE_SHIFT) as usize & ((1 << INLINE_BITS) - 1)
    }

    /// Inline slot `i`, which exists.
    #[inline(always)]
    fn inline_slot(&self, i: usize) -> &'a Slot {
        // SAFETY: by contract.
        unsafe { &*std::ptr::from_ref(self.more).cast::<Slot>().add(1 + i) }
    }

    /// Slot `i` of the current shape, which cannot change: the caller has locked the object, or stopped the world, or is the last to see it.
    #[inline(always)]
    fn slot(&self, i: usize) -> &'a Slot {
        let inline = self.inline_slots();
        if i < inline {
            return self.inline_slot(i);
        }
        // SAFETY: the caller took `i` from the store's shape, so it exists in the overflow block, which is not replaced meanwhile.
        unsafe {
            let block = More::of(self.more.load(Acquire)).unwrap_unchecked();
            &*More::slot(block, i - inline).as_ptr()
        }
    }

    /// Slot `i` of the current shape, if it lies in the object.
    #[inline(always)]
    pub fn place(&self, i: usize) -> Option<&'a Slot> {
        (i < self.inline_slots()).then(|| self.inline_slot(i))
    }

    /// What slot `i` of a shape that the store has, or had, holds; `None` also when the store has gone over to a dict.
    #[inline(always)]
    pub fn read(&self, i: usize) -> Option<Value> {
        let inline = self.inline_slots();
        if i < inline {
            self.inline_slot(i).get()
        } else {
            read_overflow(self.more, i - inline)
        }
    }

    /// As [`Attrs::read`], when no other thread can write meanwhile.
    #[inline(always)]
    pub fn read_alone(&self, i: usize) -> Option<Value> {
        let inline = self.inline_slots();
        if i < inline {
            self.inline_slot(i).get_locked()
        } else {
            read_overflow(self.more, i - inline)
        }
    }

    /// As [`Attrs::dict`], not counted.
    ///
    /// # Safety
    /// No other thread can run, and the instance is left alone as long as the result is used.
    #[inline]
    pub(crate) unsafe fn dict_alone(&self) -> Option<&'a Py<Dict>> {
        if !self.shape.load(Relaxed).is_null() {
            return None;
        }
        // SAFETY: in dict mode `more` is a slot that holds the dict, which is there, since nobody is about to put it there.
        let value = unsafe { &*std::ptr::from_ref(self.more).cast::<Option<Value>>() };
        value.as_ref()?.downcast_exact::<Dict>()
    }

    /// As [`Attrs::dict`], not counted, of an object that is given no other dict than the first one, as modules are.
    #[inline]
    pub(crate) fn lasting_dict(&self) -> Option<&'a Py<Dict>> {
        if !self.shape.load(Acquire).is_null() || self.more.load(Acquire) & BLOCK != 0 {
            return None;
        }
        // SAFETY: in dict mode `more` is a slot that holds the dict, or nothing until that is put there; it stays as long as the object.
        let value = unsafe { &*std::ptr::from_ref(self.more).cast::<Option<Value>>() };
        value.as_ref()?.downcast_exact::<Dict>()
    }

    /// The instance's dict, if it is in dict mode.
    pub fn dict(&self) -> Option<Py<Dict>> {
        if !self.shape.load(Acquire).is_null() {
            return None;
        }
        // The shape becomes null a moment before the dict is in place.
        let mut word = self.more.load(Acquire);
        let mut looks = 0;
        while word == 0 || word & BLOCK != 0 {
            looks += 1;
            if looks < 100 {
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
            word = self.more.load(Acquire);
        }
        // SAFETY: in dict mode `more` is a slot that holds the dict.
        let slot = unsafe { &*std::ptr::from_ref(self.more).cast::<Slot>() };
        let value = slot.get()?;
        value.try_into_py::<Dict>().ok()
    }

    /// Reads the interned `name`.
    pub fn get(&self, name: &Py<Str>) -> Found {
        loop {
            let shape = self.shape.load(Acquire);
            if shape.is_null() {
                return self.dict().map_or(Found::Missing, Found::Dict);
            }
            // SAFETY: shapes live as long as the type.
            let found = unsafe { (*shape).find(name) };
            let value = found.and_then(|i| self.read(i));
            // In dict mode slots are empty; a value read before the change is still right.
            if self.shape.load(Acquire).is_null() && value.is_none() {
                continue;
            }
            return value.map_or(Found::Missing, Found::Value);
        }
    }

    /// Stores the interned `name`. `Err` gives the value back with the dict to store it in.
    pub fn set(&self, ty: &Type, name: &Py<Str>, value: Value) -> Result<(), (Value, Py<Dict>)> {
        let guard = lock_object(self.header);
        let shape = self.shape.load(Acquire);
        if shape.is_null() {
            drop(guard);
            let dict = self.dict().unwrap_or_else(|| self.materialize());
            return Err((value, dict));
        }
        // SAFETY: shapes live as long as the type.
        let shape = unsafe { &*shape };
        if let Some(i) = shape.find(name) {
            let old = self.slot(i).swap_locked(Some(value));
            drop(guard);
            drop(old);
            return Ok(());
        }
        let i = shape.names.len();
        if i >= MAX_SHAPE {
            drop(guard);
            return Err((value, self.materialize()));
        }
        let Some(next) = shape.with(name) else {
            drop(guard);
            return Err((value, self.materialize()));
        };
        grow(self.more, self.inline_slots(), ty, i);
        let old = self.slot(i).swap_locked(Some(value));
        debug_assert!(old.is_none(), "a slot beyond the shape is empty");
        self.shape.store(next.as_ptr(), Release);
        drop(guard);
        drop(old);
        Ok(())
    }

    /// The inline cache's way to add an attribute, by the transition numbered `n` of the shape with the id `from`.
    /// `Err` gives the value back when the object is not as the cache expects.
    #[inline(always)]
    pub fn add_cached<const FREE: bool>(&self, ty: &Type, from: u32, n: usize, value: Value) -> Result<(), Value> {
        let guard = FREE.then(|| lock_object(self.header));
        let old = self.shape.load(Acquire);
        // SAFETY: shapes live as long as their type.
        let Some(shape) = (unsafe { old.as_ref() }).filter(|shape| shape.id.load(Relaxed) == from) else {
            drop(guard);
            return Err(value);
        };
        let next = match shape.quick.get(n) {
            Some(next) => next.load(Acquire),
            None => std::ptr::null_mut(),
        };
        if next.is_null() {
            drop(guard);
            return Err(value);
        }
        let i = shape.names.len();
        if i >= self.inline_slots() {
            grow(self.more, self.inline_slots(), ty, i);
        }
        let old = self.slot(i).swap_locked(Some(value));
        self.shape.store(next, Release);
        drop(guard);
        drop(old);
        Ok(())
    }

    /// As [`Attrs::add_cached`], of an attribute that goes into the object itself: the slot for it, which is empty, and the shape that the object has
    /// with it, for [`Attrs::take_shape`].
    #[inline(always)]
    pub fn place_to_add(&self, from: u32, n: usize) -> Option<(&'a Slot, *mut Shape)> {
        // SAFETY: shapes live as long as their type.
        let shape = unsafe { self.shape.load(Relaxed).as_ref() }?;
        if shape.id.load(Relaxed) != from || from == 0 {
            return None;
        }
        let next = shape.quick.get(n)?.load(Acquire);
        if next.is_null() {
            return None;
        }
        Some((self.place(shape.names.len())?, next))
    }

    /// The object has what [`Attrs::place_to_add`] told of.
    #[inline(always)]
    pub fn take_shape(&self, shape: *mut Shape) {
        self.shape.store(shape, Release);
    }

    /// The inline cache's way to write slot `i` of the shape with the id `id`; `Err` as above.
    #[inline(always)]
    pub fn set_cached<const FREE: bool>(&self, id: u32, i: usize, value: Value) -> Result<(), Value> {
        let guard = FREE.then(|| lock_object(self.header));
        if self.shape_id() != id {
            drop(guard);
            return Err(value);
        }
        let old = self.slot(i).swap_locked(Some(value));
        drop(guard);
        drop(old);
        Ok(())
    }

    /// Removes the interned `name`: `Some(true)` if it was there, `None` if the dict must be asked.
    pub fn delete(&self, name: &Py<Str>) -> Option<bool> {
        // SAFETY: shapes live as long as the type.
        let shape = unsafe { self.shape.load(Acquire).as_ref() }?;
        match shape.find(name) {
            Some(i) if self.read(i).is_some() => {
                // Slots cannot be closed up under readers: the instance goes on with a dict.
                self.materialize();
                None
            }
            _ => Some(false),
        }
    }

    /// The instance's dict, which from now on holds the attributes (dict mode).
    pub fn materialize(&self) -> Py<Dict> {
        if let Some(dict) = self.dict() {
            return dict;
        }
        // SAFETY: shapes live as long as the type.
        let expected = unsafe { self.shape.load(Acquire).as_ref() }.map_or(0, |shape| shape.names.len());
        let dict = Dict::with_capacity(expected);
        let guard = lock_object(self.header);
        let shape = self.shape.load(Acquire);
        if shape.is_null() {
            drop(guard);
            return self.dict().unwrap_or(dict);
        }
        // SAFETY: shapes live as long as the type.
        let names = unsafe { &(*shape).names };
        for (i, name) in names.iter().enumerate() {
            if let Some(value) = self.slot(i).get() {
                // Nobody else knows the dict yet, so this takes no lock but its own and runs no Python code: the keys are interned.
                dict.insert_new_interned(name, value);
            }
        }
        let drops = self.install_dict(Some(dict.clone()), names.len());
        drop(guard);
        drop(drops);
        dict
    }

    /// Replaces the attributes by `dict` (`obj.__dict__ = d`), `None` for a dict to be made when asked for.
    pub fn replace_dict(&self, dict: Option<Py<Dict>>) {
        let dict = dict.unwrap_or_else(Dict::new_empty);
        let guard = lock_object(self.header);
        let shape = self.shape.load(Acquire);
        if shape.is_null() {
            // SAFETY: in dict mode `more` is a slot that holds the dict.
            let slot = unsafe { &*std::ptr::from_ref(self.more).cast::<Slot>() };
            let old = slot.swap(Some(dict.into_value()));
            drop(guard);
            drop(old);
            return;
        }
        // SAFETY: shapes live as long as the type.
        let names: &[Py<Str>] = unsafe { &(*shape).names };
        let n = names.len();
        let drops = self.install_dict(Some(dict), n);
        drop(guard);
        drop(drops);
    }

    /// To dict mode; the object is locked. Returns what the slots held.
    fn install_dict(&self, dict: Option<Py<Dict>>, n: usize) -> Vec<Value> {
        let drops: Vec<Value> = {
            let slots: Vec<&Slot> = (0..n).map(|i| self.slot(i)).collect();
            let block = More::of(self.more.load(Acquire));
            // The null shape goes first: a reader that sees an empty slot afterwards looks again. It waits for the dict, so nothing here may
            // wait, or drop a value.
            self.shape.store(std::ptr::null_mut(), Release);
            let drops = slots.into_iter().filter_map(|slot| slot.swap_locked(None)).collect();
            self.more.store(dict.map_or(0, |d| d.into_value().into_bits()), Release);
            if let Some(block) = block {
                // SAFETY: replaced above, its slots were emptied; readers that still use it are waited for.
                crate::memory::retire(move || unsafe { More::free(block) });
            }
            drops
        };
        drops
    }

    /// Names and values in order, for `dir`, `copy` and the like; `None` in dict mode.
    pub fn snapshot(&self) -> Option<Vec<(Py<Str>, Value)>> {
        let _guard = lock_object(self.header);
        // SAFETY: shapes live as long as the type.
        let shape = unsafe { self.shape.load(Acquire).as_ref() }?;
        Some(
            shape
                .names
                .iter()
                .enumerate()
                .filter_map(|(i, n)| Some((n.clone(), self.slot(i).get()?)))
                .collect(),
        )
    }

    pub(crate) fn init(&self, shape: *mut Shape, inline: usize) {
        self.more.store(0, Relaxed);
        for i in 0..inline {
            // SAFETY: the object was allocated with room for `inline` slots; nothing is there yet.
            unsafe {
                std::ptr::from_ref(self.more)
                    .cast::<AtomicU64>()
                    .add(1 + i)
                    .as_ref()
                    .unwrap_unchecked()
            }
            .store(0, Relaxed);
        }
        self.shape.store(shape, Relaxed);
    }

    /// Takes everything out, for freeing.
    pub(crate) fn tear_down(&self) -> Vec<Value> {
        // SAFETY: shapes live as long as the type.
        match unsafe { self.shape.load(Acquire).as_ref() } {
            Some(shape) => {
                let n = shape.names.len();
                let drops: Vec<Value> = (0..n).filter_map(|i| self.slot(i).swap_locked(None)).collect();
                self.shape.store(std::ptr::null_mut(), Release);
                if let Some(block) = More::of(self.more.load(Relaxed)) {
                    self.more.store(0, Relaxed);
                    // SAFETY: replaced; readers that still use it are waited for.
                    crate::memory::retire(move || unsafe { More::free(block) });
                }
                drops
            }
            None => {
                // SAFETY: in dict mode `more` is a slot.
                let slot = unsafe { &*std::ptr::from_ref(self.more).cast::<Slot>() };
                slot.take().into_iter().collect()
            }
        }
    }

    /// Drops everything, when the object is being freed: nobody can reach it any more.
    pub(crate) fn drop_all(&self) {
        // SAFETY: shapes live as long as the type.
        match unsafe { self.shape.load(Acquire).as_ref() } {
            Some(shape) => {
                for i in 0..shape.names.len() {
                    drop(self.slot(i).take_last());
                }
                if let Some(block) = More::of(self.more.load(Relaxed)) {
                    self.more.store(0, Relaxed);
                    // SAFETY: nobody can be reading it: who reads holds a reference to the object.
                    unsafe { More::free(block) };
                }
            }
            None => drop(self.tear_down()),
        }
    }

    pub(crate) fn traverse(&self, visit: &mut Visitor<'_>) {
        // SAFETY: shapes live as long as the type.
        match unsafe { self.shape.load(Acquire).as_ref() } {
            Some(shape) => (0..shape.names.len()).for_each(|i| self.slot(i).traverse(visit)),
            None => {
                // SAFETY: in dict mode `more` is a slot.
                let slot = unsafe { &*std::ptr::from_ref(self.more).cast::<Slot>() };
                slot.traverse(visit);
            }
        }
    }

    /// Moves to the layout of another class with the same offsets (`__class__` assignment): through a dict.
    pub(crate) fn rebind_class(&self) {
        self.materialize();
    }
}

/// The header and offset of an object's store, for code that has no `Value` at hand.
pub(crate) fn of_header<'a>(header: &'a Header, ty: &Obj<Type>) -> Option<Attrs<'a>> {
    header
        .flag(FLAG_ATTRS)
        .then(|| Attrs::at(header, ty.data.attr_offset() as usize))
}
