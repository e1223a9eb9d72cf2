//! Attributes and global names by inline caches, and how the caches are filled.
//!
//! Layout of an attribute cache word: the key in the lower half, a slot or transition number in bits 32..48, the kind in bits 48..64. The key is
//! the id of the instance's shape (which stands for the state of its class too), or for objects without attributes the version of
//! their type; for instances whose attributes are in a dict also that. A cache never holds a pointer: a method that it vouches for is found in the thread's method cache.
//! The first cache word of an instruction has the kinds that its first handler knows, the second one the others; for calls that is also an
//! attribute in a slot.

use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use lisle_bytecode::opcode::Special;

use super::{Ip, Regs, is_object};
use crate::intern;
use crate::memory::header::Header;
use crate::native::Args;
use crate::object::attrs::{Attrs, Shape};
use crate::object::{Native, Py, Slot, Type, TypeFlags, Value};
use crate::sync::parallel;
use crate::types::classmethod::{ClassMethod, StaticMethod};
use crate::types::descriptors::Member;
use crate::types::dict::Dict;
use crate::types::function::Function;
use crate::types::module::Module;
use crate::types::native_function::MethodDescriptor;
use crate::types::property::Property;
use crate::types::str::Str;
use crate::vm::attributes::instance_attr;
use crate::vm::cache::Use;
use crate::vm::frames::FrameData;
use crate::vm::{Res, Vm};

/// The attribute is in the slot.
const IN_SLOT: u64 = 0;
/// The class has the method, and instances of the shape have no attribute of the name.
const METHOD: u64 = 1;
/// The class has the method, and instances have no attributes.
const METHOD_BARE: u64 = 2;
/// Storing the attribute takes the shape's transition of this number.
const ADD: u64 = 3;
/// The attribute is the `__slots__` member that lies this many words into the object.
const MEMBER: u64 = 4;
/// The attribute is the class's and no descriptor, and instances of the shape have none of the name.
const OF_INSTANCE: u64 = 5;
/// The attribute is a property, read by a Python function.
const PROPERTY: u64 = 6;
/// The object is a class that reads attributes as `type` does; its version is the key. The attribute is no descriptor, or a function or native
/// method, and the metaclass, which the number tells, has none of the name that goes first.
const OF_CLASS: u64 = 7;
/// The object is a module; its dict has the attribute in the entry of this number as long as the dict's version is the key.
const OF_MODULE: u64 = 8;
/// The class has the method, and instances of the shape have no attribute of the name: what is read is the method bound to the object.
const BOUND: u64 = 9;
/// The class has a data descriptor of a native type, other than the kinds above.
const DATA: u64 = 10;
/// `__class__`, which is the type.
const TYPE: u64 = 11;
/// Instances have their attributes in a dict, which the name is to be looked for in; if it is not there, the class may have it. What the class has
/// is no data descriptor.
const IN_DICT: u64 = 12;
/// The class has the method, and instances have their attributes in a dict, which the name is to be looked for in first.
const METHOD_DICT: u64 = 13;
/// The class has a descriptor of a class of the program's, read by a Python function: a data descriptor, or (the number is 1) instances of the
/// shape have no attribute of the name.
const DESCRIPTOR: u64 = 14;
/// The attribute is a static method: of the class of an instance, as `OF_INSTANCE`, or of a class, as `OF_CLASS`; the number tells.
const STATIC: u64 = 15;
/// The same of a class method.
const CLASS_METHOD: u64 = 16;

// Numbers of the kinds above.

/// The object is an instance.
const INSTANCE: usize = 0;
/// The object is a class of `type`, which cannot change: that it has none of the name is known.
const CLASS: usize = 1;
/// The object is a class of another metaclass.
const CLASS_OF_OTHER: usize = 2;

/// Where a second cache word says that the attribute is.
pub(super) enum Place {
    Member,
    Instance,
    Class,
    ClassOfOther,
    Module,
    Property,
    Data,
    Type,
    Dict,
    Static,
    Other,
}

#[inline(always)]
pub(super) fn place_of(word: u64) -> Place {
    match word >> 48 {
        MEMBER => Place::Member,
        OF_INSTANCE => Place::Instance,
        OF_CLASS if number(word) == CLASS => Place::Class,
        OF_CLASS => Place::ClassOfOther,
        OF_MODULE => Place::Module,
        PROPERTY => Place::Property,
        DATA => Place::Data,
        TYPE => Place::Type,
        IN_DICT => Place::Dict,
        STATIC => Place::Static,
        _ => Place::Other,
    }
}

/// Whether the second cache word of a call is for what instances have in a slot.
#[inline(always)]
pub(super) fn is_in_slot(word: u64) -> bool {
    word >> 48 == IN_SLOT
}

/// Whether the first cache word of a call is for methods of instances with dicts.
#[inline(always)]
pub(super) fn is_in_dict(word: u64) -> bool {
    word >> 48 == METHOD_DICT
}

#[inline(always)]
fn word(kind: u64, number: usize, key: u32) -> u64 {
    kind << 48 | (number as u64) << 32 | u64::from(key)
}

#[inline(always)]
fn number(word: u64) -> usize {
    (word >> 32) as usize & 0xffff
}

/// The key of caches for objects like this; 0 for none.
#[inline(always)]
fn key_of(obj: &Value) -> u32 {
    let shape = Attrs::of(obj).map_or(std::ptr::null_mut(), |attrs| attrs.shape());
    // SAFETY: shapes live as long as their type, which the object holds.
    match unsafe { shape.as_ref() } {
        Some(shape) => shape.id.load(Relaxed),
        None => obj.ty().version(),
    }
}

/// As [`key_of`]; 0 also for an immediate.
#[inline(always)]
fn key_of_object(obj: &Value) -> u32 {
    if let Some(attrs) = Attrs::near(obj)
        // SAFETY: as above.
        && let Some(shape) = unsafe { attrs.shape().as_ref() }
    {
        return shape.id.load(Relaxed);
    }
    if !obj.is_heap() {
        return 0;
    }
    key_of(obj)
}

/// Whether reading the attribute gives the value itself.
#[inline]
fn is_plain(value: &Value) -> bool {
    value.ty().slots().descr_get.is_none()
}

/// The same of the word of a value that a class, or a property of one, holds; false of 0.
#[inline(always)]
fn is_plain_word(bits: u64) -> bool {
    if !is_object(bits) {
        return bits != 0;
    }
    // SAFETY: callers found the word there, and no other thread takes it out before the world is stopped.
    is_plain(&ManuallyDrop::new(unsafe { Value::from_bits(bits) }))
}

/// The word of what a static or class method that a class holds wraps, if that is a function; else 0.
#[inline(always)]
fn wrapped_word(bits: u64) -> u64 {
    if !is_object(bits) {
        return 0;
    }
    // SAFETY: as above.
    let wrapper = ManuallyDrop::new(unsafe { Value::from_bits(bits) });
    let wrapped = match wrapped_of(&wrapper) {
        Some((slot, _)) => slot.peek_bits(),
        None => 0,
    };
    if is_function_word(wrapped) { wrapped } else { 0 }
}

/// What a static or class method wraps, and the kind of caches for it.
#[inline(always)]
fn wrapped_of(wrapper: &Value) -> Option<(&Slot, u64)> {
    if let Some(method) = wrapper.downcast_exact::<StaticMethod>() {
        return Some((&method.callable, STATIC));
    }
    wrapper
        .downcast_exact::<ClassMethod>()
        .map(|method| (&method.callable, CLASS_METHOD))
}

#[inline(always)]
fn is_function_word(bits: u64) -> bool {
    // SAFETY: as above.
    bits != 0
        && ManuallyDrop::new(unsafe { Value::from_bits(bits) })
            .downcast_exact::<Function>()
            .is_some()
}

/// The same for an attribute that is read from the class.
#[inline]
fn is_plain_of_class(value: &Value) -> bool {
    // A method that is read from a class is itself.
    let ty = value.ty();
    is_plain(value) || ty.has_flag(TypeFlags::METHOD_DESCRIPTOR) && !ty.has_flag(TypeFlags::HEAP)
}

/// The same of the word of a value that a class holds; false of 0.
#[inline(always)]
fn is_plain_word_of_class(bits: u64) -> bool {
    if !is_object(bits) {
        return bits != 0;
    }
    // SAFETY: as above.
    is_plain_of_class(&ManuallyDrop::new(unsafe { Value::from_bits(bits) }))
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

    /// The word of the attribute, not counted, if the object is as the cache expects and the slot lies in it; else 0.
    #[inline(always)]
    pub(super) fn attr_word_cached<const FREE: bool>(obj: &Value, word: u64) -> u64 {
        let Some(attrs) = Attrs::of(obj) else { return 0 };
        let shape = attrs.shape();
        // SAFETY: shapes live as long as their type, which the object holds.
        match unsafe { shape.as_ref() } {
            Some(shape) if word as u32 == shape.id.load(Relaxed) && word as u32 != 0 => {}
            _ => return 0,
        }
        let Some(slot) = attrs.place(number(word)) else {
            return 0;
        };
        let bits = slot.peek_bits();
        if FREE && crate::sync::parallel() && !std::ptr::eq(attrs.shape(), shape) {
            return 0;
        }
        bits
    }

    /// As [`Vm::attr_word_cached`], of an object whose store lies behind its header.
    #[inline(always)]
    pub(super) fn attr_word_near<const FREE: bool>(obj: &Value, word: u64) -> u64 {
        match Vm::place_near(obj, word) {
            Some((attrs, slot)) => {
                let bits = slot.peek_bits();
                if FREE && crate::sync::parallel() && attrs.shape_id() != word as u32 {
                    return 0;
                }
                bits
            }
            None => 0,
        }
    }

    /// The store, which lies behind the object's header, and the slot in it, if the object is as the cache expects.
    #[inline(always)]
    fn place_near(obj: &Value, word: u64) -> Option<(Attrs<'_>, &Slot)> {
        let attrs = Attrs::near(obj)?;
        if attrs.shape_id() != word as u32 || word as u32 == 0 {
            return None;
        }
        Some((attrs, attrs.place(number(word))?))
    }

    /// As [`Vm::attr_place_cached`], of an attribute in an object whose store lies behind its header.
    #[inline(always)]
    pub(super) fn attr_place_near<const FREE: bool>(obj: &Value, word: u64) -> Option<&Slot> {
        if FREE && crate::sync::parallel() || word >> 48 != IN_SLOT {
            return None;
        }
        Vm::place_near(obj, word).map(|(_, slot)| slot)
    }

    /// Where an attribute goes that the object, whose store lies behind its header, gets by the transition that the cache tells, if it is as the cache
    /// expects and no other thread runs meanwhile.
    #[inline(always)]
    pub(super) fn place_to_add<const FREE: bool>(obj: &Value, word: u64) -> Option<(Attrs<'_>, &Slot, *mut Shape)> {
        if FREE && crate::sync::parallel() || word >> 48 != ADD {
            return None;
        }
        let attrs = Attrs::near(obj)?;
        let (slot, shape) = attrs.place_to_add(word as u32, number(word))?;
        Some((attrs, slot, shape))
    }

    /// Where an attribute goes that the object, whose store lies behind its header and which is locked, has in a slot or, then with the shape
    /// for it, gets there; `None` if the object is not as the cache expects.
    #[inline(always)]
    pub(super) fn place_to_store(obj: &Value, word: u64) -> Option<(Attrs<'_>, &Slot, *mut Shape)> {
        match word >> 48 {
            IN_SLOT => Vm::place_near(obj, word).map(|(attrs, slot)| (attrs, slot, std::ptr::null_mut())),
            ADD => {
                let attrs = Attrs::near(obj)?;
                let (slot, shape) = attrs.place_to_add(word as u32, number(word))?;
                Some((attrs, slot, shape))
            }
            _ => None,
        }
    }

    /// The place of the `__slots__` member, if the object is as the cache expects.
    #[inline(always)]
    pub(super) fn member_place(obj: &Value, word: u64) -> Option<&Slot> {
        if word as u32 == 0 || word >> 48 != MEMBER || key_of_object(obj) != word as u32 {
            return None;
        }
        // SAFETY: the key stands for a class whose instances have the member there.
        Some(unsafe { Member::slot_at(obj, number(word)) })
    }

    /// The slot to store the attribute in, if the object is as the cache expects, the slot lies in it, and no other thread runs meanwhile.
    #[inline(always)]
    pub(super) fn attr_place_cached<const FREE: bool>(obj: &Value, word: u64) -> Option<&Slot> {
        let key = word as u32;
        if FREE && crate::sync::parallel() || key == 0 {
            return None;
        }
        match word >> 48 {
            IN_SLOT => {
                let attrs = Attrs::of(obj)?;
                if attrs.shape_id() != key {
                    return None;
                }
                attrs.place(number(word))
            }
            MEMBER => Vm::member_place(obj, word),
            _ => None,
        }
    }

    /// The word of the `__slots__` member, not counted, if the object is as the cache expects; else 0.
    #[inline(always)]
    pub(super) fn member_word_cached(obj: &Value, word: u64) -> u64 {
        Vm::member_place(obj, word).map_or(0, Slot::peek_bits)
    }

    /// Whether the object is as the first word of a cache expects.
    #[inline(always)]
    pub(super) fn is_cached(obj: &Value, word: u64) -> bool {
        word as u32 != 0 && key_of(obj) == word as u32
    }

    /// The word of the attribute, not counted, if the object is as the second word of a cache expects; else 0. What needs a call is not found.
    #[inline(always)]
    pub(super) fn placed_word<const FREE: bool>(&self, obj: &Value, name: &Py<Str>, word: u64) -> u64 {
        let key = word as u32;
        if key == 0 || !obj.is_heap() {
            return 0;
        }
        match word >> 48 {
            IN_SLOT => self.own_word::<FREE>(Vm::attr_word_cached::<FREE>(obj, word)),
            MEMBER => self.own_word::<FREE>(Vm::member_word_cached(obj, word)),
            OF_INSTANCE => self.word_of_instance(obj, name, word),
            OF_CLASS => self.word_of_class(obj, name, word),
            OF_MODULE => self.own_word::<FREE>(Vm::word_of_module::<FREE>(obj, word)),
            STATIC => self.word_of_wrapped(obj, name, word),
            IN_DICT => self.word_of_dict::<FREE>(obj, name, word),
            _ => 0,
        }
    }

    /// The word of what was in a place that other threads may write to, 0 where it would have to be looked for there again after it was counted.
    #[inline(always)]
    fn own_word<const FREE: bool>(&self, bits: u64) -> u64 {
        if FREE && parallel() && is_object(bits) {
            // SAFETY: it was the word of a value a moment ago: the memory is that of an object block until the world was stopped.
            let owner = unsafe { &*(bits as *const Header) }.owner();
            return if owner == self.thread.owner() { bits } else { 0 };
        }
        bits
    }

    /// What the dict of an instance says of a name, if the object is of the type of this version and its attributes are in a dict: the word of the
    /// value, not counted, 0 if there is none of the name. `None` also where keys would have to be asked.
    ///
    /// # Safety
    /// No other thread runs.
    #[inline(always)]
    unsafe fn dict_word(obj: &Value, name: &Py<Str>, version: u32) -> Option<u64> {
        let attrs = Attrs::of(obj)?;
        if obj.ty().version() != version {
            return None;
        }
        // SAFETY: by contract; nothing runs as long as the dict is used.
        unsafe { attrs.dict_alone()?.word_alone(name.as_value()) }
    }

    /// The word of what an instance with a dict, or its class, has, if the object is as the cache expects; else 0.
    #[inline(always)]
    pub(super) fn word_of_dict<const FREE: bool>(&self, obj: &Value, name: &Py<Str>, word: u64) -> u64 {
        if FREE && crate::sync::parallel() {
            return 0;
        }
        // SAFETY: as was asked.
        match unsafe { Vm::dict_word(obj, name, word as u32) } {
            Some(0) => {
                let bits = self.method_cache.probe_word(obj.ty(), name);
                if is_plain_word(bits) { bits } else { 0 }
            }
            Some(bits) => bits,
            None => 0,
        }
    }

    /// The word of the method of an object that has its attributes in a dict, if the object is as the cache expects and no other thread runs; else 0.
    #[inline(always)]
    pub(super) fn method_word_of_dict(&self, obj: &Value, name: &Py<Str>, word: u64) -> u64 {
        // SAFETY: as is asked.
        if word >> 48 != METHOD_DICT || parallel() || unsafe { Vm::dict_word(obj, name, word as u32) } != Some(0) {
            return 0;
        }
        self.method_cache.probe_word(obj.ty(), name)
    }

    /// The word of what the class of an instance has and is no descriptor, if the object is as the cache expects; else 0. What a class has
    /// others take out of it with the world stopped alone, or no cache keeps it (`Py::<Type>::set_own`).
    #[inline(always)]
    pub(super) fn word_of_instance(&self, obj: &Value, name: &Py<Str>, word: u64) -> u64 {
        if key_of_object(obj) != word as u32 {
            return 0;
        }
        let bits = self.method_cache.probe_word(obj.ty(), name);
        if is_plain_word(bits) { bits } else { 0 }
    }

    /// The same of what a class has.
    #[inline(always)]
    pub(super) fn word_of_class(&self, obj: &Value, name: &Py<Str>, word: u64) -> u64 {
        let bits = self.class_word(obj, name, word);
        if is_plain_word_of_class(bits) { bits } else { 0 }
    }

    /// As [`Vm::word_of_class`], where the cache expects a class of `type`.
    #[inline(always)]
    pub(super) fn word_of_plain_class(&self, obj: &Value, name: &Py<Str>, word: u64) -> u64 {
        match obj.downcast_exact::<Type>() {
            Some(class) if class.version() == word as u32 => {
                let bits = self.method_cache.probe_word(class, name);
                if is_plain_word_of_class(bits) { bits } else { 0 }
            }
            _ => 0,
        }
    }

    /// The word of what a class has, if it is the one that the cache expects and its metaclass has none of the name; else 0.
    #[inline(always)]
    fn class_word(&self, obj: &Value, name: &Py<Str>, word: u64) -> u64 {
        let class = if number(word) == CLASS {
            obj.downcast_exact::<Type>()
        } else {
            obj.downcast::<Type>().filter(|class| self.is_known_plain(class, name))
        };
        match class {
            Some(class) if class.version() == word as u32 => self.method_cache.probe_word(class, name),
            _ => 0,
        }
    }

    /// The word of the function that a static or class method wraps, if the object is as the cache for one expects; else 0.
    #[inline(always)]
    fn word_of_wrapped(&self, obj: &Value, name: &Py<Str>, word: u64) -> u64 {
        if number(word) != INSTANCE {
            return wrapped_word(self.class_word(obj, name, word));
        }
        if key_of_object(obj) != word as u32 {
            return 0;
        }
        wrapped_word(self.method_cache.probe_word(obj.ty(), name))
    }

    /// The word of the function that a class method wraps, if the object is as the cache expects; else 0.
    #[inline(always)]
    pub(super) fn class_method_word(&self, obj: &Value, name: &Py<Str>, word: u64) -> u64 {
        if word >> 48 != CLASS_METHOD {
            return 0;
        }
        self.word_of_wrapped(obj, name, word)
    }

    /// The function that a static or class method wraps, if the object is as the cache for one expects.
    fn load_wrapped(&self, obj: &Value, name: &Py<Str>, word: u64) -> Option<Value> {
        let wrapper = if number(word) == INSTANCE {
            (key_of(obj) == word as u32).then(|| self.method_cache.probe(obj.ty(), name))?
        } else {
            let class = obj.downcast::<Type>()?;
            (class.version() == word as u32 && self.is_plain_class(class, name))
                .then(|| self.method_cache.probe(class, name))?
        }?;
        let (slot, kind) = wrapped_of(&wrapper)?;
        slot.get().filter(|_| kind == word >> 48)
    }

    /// The dict of a module, and the word of its cache for what the second word of an instruction's cache says that the module has.
    #[inline(always)]
    pub(super) fn dict_of_module(obj: &Value, word: u64) -> Option<(&Py<Dict>, u64)> {
        obj.downcast_exact::<Module>()?;
        let dict = Attrs::of(obj)?.lasting_dict()?;
        Some((dict, (number(word) as u64) << 32 | u64::from(word as u32)))
    }

    /// The same of what a module has.
    #[inline(always)]
    fn word_of_module<const FREE: bool>(obj: &Value, word: u64) -> u64 {
        Vm::dict_of_module(obj, word)
            .and_then(|(dict, cached)| dict.cached_place::<FREE>(cached))
            .map_or(0, |(word, _)| word)
    }

    /// As [`Vm::placed_word`]; and if the thread knows where objects like this have the attribute.
    #[inline(always)]
    pub(super) fn attr_word_known<const FREE: bool>(
        &self,
        obj: &Value,
        name: &Py<Str>,
        cached: &AtomicU64,
        more: &AtomicU64,
    ) -> u64 {
        let (first, second) = (cached.load(Relaxed), more.load(Relaxed));
        let bits = self.placed_word::<FREE>(obj, name, second);
        // A place that has never seen what can be cached is not worth a search.
        if bits != 0 || first | second == 0 || !obj.is_heap() {
            return bits;
        }
        let key = match obj.downcast_exact::<Type>() {
            Some(class) => class.version(),
            None => key_of(obj),
        };
        if key == 0 {
            return 0;
        }
        let word = self.method_cache.known(key, name, Use::Load);
        let bits = match word >> 48 {
            _ if word == 0 => return 0,
            _ => self.placed_word::<FREE>(obj, name, word),
        };
        if bits != 0 && self.method_cache.now_and_then() {
            let at = if word >> 48 == IN_SLOT { cached } else { more };
            at.store(word, Relaxed);
        }
        bits
    }

    /// The word of the attribute, not counted, if the object's store lies behind its header and the thread knows the slot for objects like this;
    /// else 0. `cached` is the first cache word of an instruction that has seen others.
    #[inline(always)]
    pub(super) fn attr_word_of_several<const FREE: bool>(
        &self,
        obj: &Value,
        name: &Py<Str>,
        cached: &AtomicU64,
    ) -> u64 {
        let Some(attrs) = Attrs::near(obj) else { return 0 };
        let id = attrs.shape_id();
        let word = self.method_cache.known(id, name, Use::Load);
        if word == 0 || word >> 48 != IN_SLOT || cached.load(Relaxed) == 0 {
            return 0;
        }
        let Some(slot) = attrs.place(number(word)) else {
            return 0;
        };
        let bits = slot.peek_bits();
        if FREE && crate::sync::parallel() && attrs.shape_id() != id {
            return 0;
        }
        if self.method_cache.now_and_then() {
            cached.store(word, Relaxed);
        }
        self.own_word::<FREE>(bits)
    }

    /// The word of the method for `obj.name(...)`, not counted, if the thread knows it of objects like this; else 0.
    #[inline(always)]
    pub(super) fn method_word_known(&self, obj: &Value, name: &Py<Str>, cached: &AtomicU64) -> u64 {
        if cached.load(Relaxed) == 0 || !obj.is_heap() {
            return 0;
        }
        let key = key_of(obj);
        if key == 0 {
            return 0;
        }
        let word = self.method_cache.known(key, name, Use::Call);
        let bits = self.method_word_cached(obj, name, word);
        if bits != 0 && self.method_cache.now_and_then() {
            cached.store(word, Relaxed);
        }
        bits
    }

    /// Whether the class reads the attribute as `type` does, and the thread knows that its metaclass has none of the name.
    #[inline(always)]
    fn is_known_plain(&self, class: &Py<Type>, name: &Py<Str>) -> bool {
        let meta = class.as_value().ty();
        let reads = |ty: &Py<Type>| ty.slots().getattro.map(|f| f as usize);
        reads(meta) == reads(Type::ty()) && self.method_cache.knows_none(meta, name)
    }

    /// The attribute, if the object is as the second word of a cache expects.
    fn load_attr_known<const FREE: bool>(&self, obj: &Value, name: &Py<Str>, word: u64) -> Option<Value> {
        let key = word as u32;
        if key == 0 {
            return None;
        }
        match word >> 48 {
            IN_SLOT => self.load_attr_cached::<FREE>(obj, word),
            // SAFETY: the key stands for a class whose instances have the member there.
            MEMBER if key_of(obj) == key => unsafe { Member::slot_at(obj, number(word)) }.get(),
            OF_INSTANCE if key_of(obj) == key => self.method_cache.probe(obj.ty(), name).filter(is_plain),
            IN_DICT => {
                let dict = Attrs::of(obj)?.dict().filter(|_| obj.ty().version() == key)?;
                let class_has = || self.method_cache.probe(obj.ty(), name).filter(is_plain);
                dict.get_str(name)
                    .or_else(|| if dict.asks_no_keys() { class_has() } else { None })
            }
            BOUND if key_of(obj) == key => self.bound(&self.method_cache.probe(obj.ty(), name)?, obj)?.ok(),
            OF_CLASS => {
                let class = obj.downcast::<Type>()?;
                if class.version() != key || !self.is_plain_class(class, name) {
                    return None;
                }
                self.method_cache.probe(class, name).filter(is_plain_of_class)
            }
            STATIC => self.load_wrapped(obj, name, word),
            OF_MODULE => {
                obj.downcast_exact::<Module>()?;
                let (attrs, entry) = (Attrs::of(obj)?, (number(word) as u64) << 32 | u64::from(key));
                attrs.lasting_dict()?.cached_value::<FREE>(entry)
            }
            _ => None,
        }
    }

    /// `R[a] = R[b].name`, where the first cache word does not help. `None`: the frame of a property's getter was pushed.
    ///
    /// # Safety
    /// `frame` is the innermost record with registers `regs`, and executes `i`.
    #[inline(never)]
    pub(super) unsafe fn load_attr_slow<const FREE: bool>(
        &self,
        frame: *mut FrameData,
        regs: Regs,
        i: Ip,
        name: &Py<Str>,
        caches: (&AtomicU64, &AtomicU64),
    ) -> Res<Option<Value>> {
        let obj = regs.get(i.b());
        let (cached, more) = caches;
        let mut word = more.load(Relaxed);
        if let Some(found) = self.load_data(obj, name, word) {
            return found.map(Some);
        }
        if let Some(value) = self.load_attr_known::<FREE>(obj, name, word) {
            return Ok(Some(value));
        }
        if word == 0 || word as u32 != key_of(obj) {
            word = self.known_attribute(obj, name, Use::Load, cached.load(Relaxed) | word);
            if word != 0 {
                let (found, cached) = if word >> 48 == IN_SLOT {
                    (self.load_attr_cached::<FREE>(obj, word), cached)
                } else {
                    (self.load_attr_known::<FREE>(obj, name, word), more)
                };
                if self.method_cache.now_and_then() {
                    cached.store(word, Relaxed);
                }
                if let Some(value) = found {
                    return Ok(Some(value));
                }
                if let Some(found) = self.load_data(obj, name, word) {
                    return found.map(Some);
                }
            }
        }
        // SAFETY: by contract.
        let pushed = match word >> 48 {
            PROPERTY => unsafe { self.push_getter(frame, regs, i, name) },
            DESCRIPTOR if key_of(obj) == word as u32 => unsafe {
                self.push_get(frame, regs, i, name, number(word) != 0)
            },
            _ => false,
        };
        if pushed {
            return Ok(None);
        }
        self.find_attr(obj, name, cached, more).map(Some)
    }

    /// The attribute, if the object is as the cache expects, and its class has a data descriptor of a native type.
    #[inline]
    pub(super) fn load_data(&self, obj: &Value, name: &Py<Str>, word: u64) -> Option<Res<Value>> {
        if word >> 48 != DATA || key_of(obj) != word as u32 {
            return None;
        }
        let ty = obj.ty();
        let found = self.method_cache.probe(ty, name)?;
        let get = found.ty().slots().descr_get?;
        Some(get(self, &found, Some(obj), Some(ty.as_value())))
    }

    /// The word of the type of an object, not counted, if that is its `__class__` and the object is as the cache expects; else 0.
    #[inline(always)]
    pub(super) fn type_word(obj: &Value, word: u64) -> u64 {
        if word >> 48 == TYPE && key_of(obj) == word as u32 {
            obj.ty().as_value().bits()
        } else {
            0
        }
    }

    /// Reads an attribute the general way, and notes how it can be found the next time.
    fn find_attr(&self, obj: &Value, name: &Py<Str>, cached: &AtomicU64, more: &AtomicU64) -> Res<Value> {
        let ty = obj.ty();
        if !ty.finds_generically() {
            let value = self.getattr(obj, name)?;
            self.note_place(obj, name, &value, more);
            return Ok(value);
        }
        // With a `__getattr__`, an error of what is called to read the attribute is not the last word.
        let hooked = !ty.reads_generically();
        let (key, version) = (key_of(obj), ty.version());
        let note = |kind, number, at| {
            if key != 0 && key_of(obj) == key && ty.version() == version && number <= 0xffff {
                self.fill(at, name, Use::Load, word(kind, number, key));
            }
        };
        let found = ty.lookup(self, name);
        let slots = found.as_ref().map(|found| found.ty().slots());
        if let Some(found) = &found
            && slots.is_some_and(|slots| slots.descr_get.is_some() && slots.descr_set.is_some())
        {
            if let Some(member) = found.downcast_exact::<Member>()
                && let Some(slot) = member.slot(obj)
                && let Some(value) = slot.get()
            {
                note(MEMBER, Member::number(obj, slot), more);
                return Ok(value);
            }
            if name.is_text("__class__") && self.is_usual_class(found) {
                note(TYPE, 0, more);
            } else if hooked {
            } else if found.downcast_exact::<Property>().is_some() {
                note(PROPERTY, 0, more);
            } else if !found.ty().has_flag(TypeFlags::HEAP) {
                // What its type does never changes.
                note(DATA, 0, more);
            } else if self.has_python_get(found) {
                note(DESCRIPTOR, 0, more);
            }
            return self.getattr(obj, name);
        }
        // SAFETY: shapes live as long as their type.
        let shape = Attrs::of(obj).map(|attrs| (attrs, unsafe { attrs.shape().as_ref() }));
        match shape {
            Some((attrs, Some(shape))) => {
                if let Some(i) = shape.find(name)
                    && let Some(value) = attrs.read(i)
                {
                    note(IN_SLOT, i, cached);
                    return Ok(value);
                }
                if shape.find(name).is_some() {
                    return self.getattr(obj, name);
                }
            }
            Some((attrs, None)) => {
                if let Some(dict) = attrs.dict()
                    && dict.asks_no_keys()
                {
                    let own = dict.get_str(name);
                    if let Some(value) = own.or_else(|| found.filter(is_plain)) {
                        note(IN_DICT, 0, more);
                        return Ok(value);
                    }
                }
                return self.getattr(obj, name);
            }
            None => {}
        }
        if let Some(found) = &found
            && is_plain(found)
        {
            note(OF_INSTANCE, 0, more);
            return Ok(found.clone());
        }
        if let Some(found) = &found
            && let Some(bound) = self.bound(found, obj)
        {
            note(BOUND, 0, more);
            return bound;
        }
        if let Some((_, kind)) = found.as_ref().and_then(wrapped_of) {
            note(kind, INSTANCE, more);
        }
        if let Some(found) = &found
            && !hooked
            && self.has_python_get(found)
        {
            note(DESCRIPTOR, 1, more);
        }
        self.getattr(obj, name)
    }

    /// Whether a descriptor is read by a Python function.
    fn has_python_get(&self, descriptor: &Value) -> bool {
        descriptor
            .ty()
            .lookup(self, intern!("__get__"))
            .is_some_and(|get| get.downcast_exact::<Function>().is_some())
    }

    /// A method that the object's class has, bound to the object; `None` of anything else.
    #[inline]
    fn bound(&self, method: &Value, obj: &Value) -> Option<Res<Value>> {
        if !method.is_heap() || !method.ty().has_flag(TypeFlags::METHOD_DESCRIPTOR) {
            return None;
        }
        let bind = method.ty().slots().descr_get?;
        Some(bind(self, method, Some(obj), Some(obj.ty().as_value())))
    }

    /// Whether the class reads the attribute as `type` does, and its metaclass has none of the name; `type` may have one that is no data descriptor,
    /// as most of its methods are.
    fn is_plain_class(&self, class: &Py<Type>, name: &Py<Str>) -> bool {
        let meta = class.as_value().ty();
        if meta.is(Type::ty()) {
            let own = meta.lookup(self, name);
            return own.is_none_or(|own| own.ty().slots().descr_set.is_none());
        }
        let reads = |ty: &Py<Type>| ty.slots().getattro.map(|f| f as usize);
        reads(meta) == reads(Type::ty()) && meta.lookup(self, name).is_none()
    }

    /// Notes where the attribute of a class or module was found.
    fn note_place(&self, obj: &Value, name: &Py<Str>, value: &Value, more: &AtomicU64) {
        if let Some(class) = obj.downcast::<Type>() {
            let (meta, version) = (class.as_value().ty(), class.version());
            let own = meta.version();
            if let Some(found) = meta.lookup(self, name)
                && let slots = found.ty().slots()
                && slots.descr_get.is_some()
                && slots.descr_set.is_some()
            {
                let reads = |ty: &Py<Type>| ty.slots().getattro.map(|f| f as usize);
                if reads(meta) == reads(Type::ty())
                    && !found.ty().has_flag(TypeFlags::HEAP)
                    && own != 0
                    && key_of(obj) == own
                {
                    more.store(word(DATA, 0, own), Relaxed);
                }
                return;
            }
            let found = class.lookup(self, name);
            let kind = match found.as_ref().and_then(wrapped_of) {
                Some((_, kind)) => Some(kind),
                None => found
                    .is_some_and(|found| found.is(value) && is_plain_of_class(&found))
                    .then_some(OF_CLASS),
            };
            if let Some(kind) = kind
                && self.is_plain_class(class, name)
                && version != 0
                && class.version() == version
            {
                let which = if meta.is(Type::ty()) { CLASS } else { CLASS_OF_OTHER };
                self.fill(more, name, Use::Load, word(kind, which, version));
            }
        } else if let Some(module) = obj.downcast_exact::<Module>()
            && let Some(dict) = Attrs::of(obj).and_then(|attrs| attrs.dict())
        {
            let version = dict.version();
            // What `module` itself has goes first if it is a data descriptor, such as `__dict__`.
            if Module::ty().lookup(self, name).is_none()
                && let Some(at) = dict.find_entry_for_cache(name)
                && at <= 0xffff
                && version != 0
                && dict.version() == version
                && module.as_value().ty().is(Module::ty())
            {
                more.store(word(OF_MODULE, at as usize, version), Relaxed);
            }
        }
    }

    /// Pushes the frame of a property's getter, if that is a Python function without more ado.
    ///
    /// # Safety
    /// As for [`Vm::load_attr_slow`].
    unsafe fn push_getter(&self, frame: *mut FrameData, regs: Regs, i: Ip, name: &Py<Str>) -> bool {
        let obj = regs.get(i.b());
        if let Some(found) = self.method_cache.probe(obj.ty(), name)
            && let Some(property) = found.downcast_exact::<Property>()
            && let Some(getter) = property.getter.get()
        {
            // SAFETY: by contract; two cache words follow the instruction.
            let (pushed, nlocals) = unsafe {
                let next = i.next().add(2);
                let pushed = self.push_special(frame, getter, &[obj], i.a(), next);
                (pushed, (*frame).body().nlocals)
            };
            if pushed && i.b() >= nlocals {
                // The getter's frame holds the object.
                regs.clear(i.b());
            }
            return pushed;
        }
        false
    }

    /// Pushes the frame of the `__get__` of a descriptor that the class has, if that is a Python function without more ado, and the descriptor is one
    /// of data, or `alone`.
    ///
    /// # Safety
    /// As for [`Vm::load_attr_slow`].
    unsafe fn push_get(&self, frame: *mut FrameData, regs: Regs, i: Ip, name: &Py<Str>, alone: bool) -> bool {
        let obj = regs.get(i.b());
        let Some(found) = self.method_cache.probe(obj.ty(), name) else {
            return false;
        };
        if !alone && found.ty().slots().descr_set.is_none() {
            return false;
        }
        let Some(get) = self.method_cache.probe(found.ty(), intern!("__get__")) else {
            return false;
        };
        let owner = obj.ty().clone();
        // SAFETY: by contract; two cache words follow the instruction.
        let (pushed, nlocals) = unsafe {
            let next = i.next().add(2);
            let pushed = self.push_special(frame, get, &[&found, obj, owner.as_value()], i.a(), next);
            (pushed, (*frame).body().nlocals)
        };
        if pushed && i.b() >= nlocals {
            // The frame holds the object.
            regs.clear(i.b());
        }
        pushed
    }

    /// The word of the getter of the property that the class of an instance has, if the object is as the cache expects, and the getter is a Python
    /// function; else 0.
    #[inline(always)]
    pub(super) fn getter_word(&self, obj: &Value, name: &Py<Str>, word: u64) -> u64 {
        if key_of_object(obj) != word as u32 {
            return 0;
        }
        let bits = self.method_cache.probe_word(obj.ty(), name);
        if bits == 0 {
            return 0;
        }
        // SAFETY: the class holds the property, and that the function, until the world is stopped (`types::common::replace_shared`).
        let property = ManuallyDrop::new(unsafe { Value::from_bits(bits) });
        let getter = property
            .downcast_exact::<Property>()
            .map_or(0, |property| property.getter.peek_bits());
        if is_function_word(getter) { getter } else { 0 }
    }

    /// The method for `obj.name(...)`, which takes the receiver, if the object is as the cache expects.
    #[inline(always)]
    pub(super) fn load_method_cached(&self, obj: &Value, name: &Py<Str>, word: u64) -> Option<Value> {
        let bits = self.method_word_cached(obj, name, word);
        if bits == 0 {
            return None;
        }
        // SAFETY: the word of a value that the class holds; it is counted here and the borrow forgotten.
        let borrowed = std::mem::ManuallyDrop::new(unsafe { Value::from_bits(bits) });
        Some((*borrowed).clone())
    }

    /// As [`Vm::load_method_cached`], the word, not counted; 0 for none.
    #[inline(always)]
    pub(super) fn method_word_cached(&self, obj: &Value, name: &Py<Str>, word: u64) -> u64 {
        let key = word as u32;
        if key == 0 {
            return 0;
        }
        if word >> 48 == METHOD_DICT {
            return self.method_word_of_dict(obj, name, word);
        }
        if word >> 48 != METHOD {
            return if obj.ty().version() == key {
                self.method_cache.method_word(key, name)
            } else {
                0
            };
        }
        match Attrs::of(obj) {
            Some(attrs) if attrs.shape_id() == key => {}
            _ => return 0,
        }
        match self.method_cache.method_word(key, name) {
            0 => {
                let bits = self.method_cache.probe_word(obj.ty(), name);
                if bits != 0 {
                    self.method_cache.enter_method(key, name, bits);
                }
                bits
            }
            bits => bits,
        }
    }

    /// As [`Vm::method_word_cached`], of an object with its store elsewhere than behind its header, and if the thread knows the method by the
    /// cache's key.
    #[inline(always)]
    pub(super) fn method_word_far(&self, obj: &Value, name: &Py<Str>, word: u64) -> u64 {
        match Attrs::of(obj) {
            Some(attrs) if word >> 48 == METHOD && attrs.shape_id() == word as u32 => {
                self.method_cache.method_word(word as u32, name)
            }
            _ => 0,
        }
    }

    /// As [`Vm::method_word_cached`], of an object that has no attributes, or its store behind its header, and if the thread knows the method by
    /// the cache's key.
    #[inline(always)]
    pub(super) fn method_word_near(&self, obj: &Value, name: &Py<Str>, word: u64) -> u64 {
        match Attrs::near(obj) {
            // What was entered for a shape is a method: the instruction's cache need not say so.
            Some(attrs) => self.method_cache.method_word(attrs.shape_id(), name),
            None if obj.is_heap() && obj.ty().version() == word as u32 && word as u32 != 0 => {
                self.method_cache.method_word(word as u32, name)
            }
            None => 0,
        }
    }

    /// The special method number `k`, which takes the receiver, if it was found lately.
    #[inline(always)]
    pub(super) fn special_cached(&self, obj: &Value, k: u8) -> Option<Value> {
        let name = crate::vm::intrinsics::special_name(k);
        let function = self.method_cache.probe(obj.ty(), name)?;
        function.ty().has_flag(TypeFlags::METHOD_DESCRIPTOR).then_some(function)
    }

    /// The word of the Python function `name` of a class, if it was found lately: the class or a base holds it.
    #[inline(always)]
    pub(super) fn special_function(&self, ty: &Py<Type>, name: &Py<Str>) -> Option<u64> {
        let word = self.method_cache.probe_word(ty, name);
        is_function_word(word).then_some(word)
    }

    /// The native method that is the special method number `k` of `obj`, if it was found lately.
    #[inline(always)]
    fn native_special(&self, obj: &Value, k: Special) -> Option<Value> {
        let found = self.special_cached(obj, k as u8)?;
        found.downcast_exact::<MethodDescriptor>()?.takes(obj).then_some(found)
    }

    /// `EnterNative`; `None` where it does nothing.
    #[inline(never)]
    pub(super) fn enter_native(&self, regs: Regs, i: Ip) -> Option<Res<()>> {
        let obj = regs.get(i.b());
        let exit = self.native_special(obj, Special::Exit)?;
        let enter = self.native_special(obj, Special::Enter)?;
        let enter = enter.downcast_exact::<MethodDescriptor>()?.def;
        let this = obj.clone();
        regs.set(i.a(), exit);
        regs.set(i.a() + 1, this);
        Some((enter.func)(self, Args::new(regs.slice(i.a() + 1, 1))).map(|entered| regs.set(i.a() + 2, entered)))
    }

    /// `ExitNative`; `None` where it does nothing.
    #[inline(never)]
    pub(super) fn exit_native(&self, regs: Regs, i: Ip) -> Option<Res<()>> {
        let exit = regs.get(i.a()).downcast_exact::<MethodDescriptor>()?;
        if !exit.takes(regs.opt(i.a() + 1)?) {
            return None;
        }
        for n in 2..5 {
            regs.set(i.a() + n, Value::NONE);
        }
        let result = (exit.def.func)(self, Args::new(regs.slice(i.a() + 1, 4)));
        Some(result.map(|ignored| {
            drop(ignored);
            regs.clear_objects(i.a(), 2);
        }))
    }

    /// What the thread knows of the attribute of objects like this, as an inline cache would have it; 0 for nothing.
    #[inline]
    fn known_attribute(&self, obj: &Value, name: &Py<Str>, how: Use, cached: u64) -> u64 {
        if cached == 0 {
            // The place has never seen what can be cached.
            return 0;
        }
        match key_of(obj) {
            0 => 0,
            key => self.method_cache.known(key, name, how),
        }
    }

    /// Fills an inline cache, and the thread's own for places that see other objects too.
    fn fill(&self, cached: &AtomicU64, name: &Py<Str>, how: Use, word: u64) {
        cached.store(word, Relaxed);
        self.method_cache.learn(name, how, word);
    }

    /// The function for `obj.name(...)`, and whether the receiver is to be passed.
    #[inline(never)]
    pub(super) fn load_method<const FREE: bool>(
        &self,
        obj: &Value,
        name: &Py<Str>,
        cached: &AtomicU64,
        more: &AtomicU64,
    ) -> Res<(Value, bool)> {
        let second = more.load(Relaxed);
        if let Some(value) = self.load_attr_known::<FREE>(obj, name, second) {
            return Ok((value, false));
        }
        if second >> 48 == CLASS_METHOD
            && number(second) != INSTANCE
            && let Some(function) = self.load_wrapped(obj, name, second)
        {
            return Ok((function, true));
        }
        let known = self.known_attribute(obj, name, Use::Call, cached.load(Relaxed));
        if known != 0
            && let Some(function) = self.load_method_cached(obj, name, known)
        {
            if self.method_cache.now_and_then() {
                cached.store(known, Relaxed);
            }
            return Ok((function, true));
        }
        let ty = obj.ty();
        if !ty.finds_generically() {
            return Ok((self.find_attr(obj, name, cached, more)?, false));
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
            if let Some(own) = instance_attr(self, obj, name)? {
                return Ok((own, false));
            }
            // The first handler takes the version of a type whose store is elsewhere for that of one without any.
            if version != 0 && shape.is_none() && key_of(obj) == version && Attrs::near(obj).is_some() {
                self.fill(cached, name, Use::Call, word(METHOD_DICT, 0, version));
            }
            return Ok((found, true));
        }
        // The second word is as those of reading attributes.
        Ok((self.find_attr(obj, name, more, more)?, false))
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
        match word >> 48 {
            IN_SLOT => attrs.set_cached::<FREE>(word as u32, number(word), value),
            ADD => attrs.add_cached::<FREE>(obj.ty(), word as u32, number(word), value),
            _ => Err(value),
        }
    }

    #[inline(never)]
    pub(super) fn store_attr<const FREE: bool>(
        &self,
        obj: &Value,
        name: &Py<Str>,
        mut value: Value,
        cached: &AtomicU64,
    ) -> Res<()> {
        let seen = cached.load(Relaxed);
        if seen >> 48 == MEMBER && seen as u32 == key_of(obj) {
            // SAFETY: the key stands for a class whose instances have the member there.
            drop(unsafe { Member::slot_at(obj, number(seen)) }.swap(Some(value)));
            return Ok(());
        }
        let known = self.known_attribute(obj, name, Use::Store, seen);
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
        if ty.writes_generically() {
            let (key, version) = (key_of(obj), ty.version());
            if let Some(found) = ty.lookup(self, name)
                && let Some(member) = found.downcast_exact::<Member>()
                && let Some(slot) = member.slot(obj)
            {
                let number = Member::number(obj, slot);
                if key != 0 && ty.version() == version && key_of(obj) == key && number <= 0xffff {
                    cached.store(word(MEMBER, number, key), Relaxed);
                }
                drop(slot.swap(Some(value)));
                return Ok(());
            }
        }
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
