//! Type objects: layout, method resolution order, attribute lookup, versions.
//!
//! Invariants: `info`, sizes and offsets never change. `version` names one state of the type and its bases: whoever changes an attribute
//! of a type does so with the world stopped (free-threaded mode; but for `rewrites`) and gives it and its subclasses new versions and
//! shape ids, so that between two safepoints a matching version proves that what was looked up is still there.

use std::cell::UnsafeCell;
use std::collections::{HashMap, HashSet};
use std::ptr::NonNull;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize};

use super::attrs::{Shape, fresh_id};
use super::py::{Native, Obj, PayloadInfo, Py};
use super::rewrites::{Rewrites, is_plain};
use super::slot::PySlot;
use super::slots::Slots;
use super::value::Value;
use crate::memory::header::FLAG_OF_CLASS;
use crate::memory::trace::{Trace, Visitor};
use crate::native::{AttrFn, FnDef, FnKind, GetSetDef};
use crate::sync::Mutex;
use crate::threads;
use crate::types::dict::Dict;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// Bits of `__flags__`, with CPython's values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TypeFlags(pub u32);

impl TypeFlags {
    pub const NONE: TypeFlags = TypeFlags(0);
    pub const MANAGED_DICT: TypeFlags = TypeFlags(1 << 4);
    pub const SEQUENCE: TypeFlags = TypeFlags(1 << 5);
    pub const MAPPING: TypeFlags = TypeFlags(1 << 6);
    pub const DISALLOW_INSTANTIATION: TypeFlags = TypeFlags(1 << 7);
    pub const IMMUTABLE: TypeFlags = TypeFlags(1 << 8);
    pub const HEAP: TypeFlags = TypeFlags(1 << 9);
    pub const BASETYPE: TypeFlags = TypeFlags(1 << 10);
    pub const READY: TypeFlags = TypeFlags(1 << 12);
    /// Instances can be part of a cycle.
    pub const GC: TypeFlags = TypeFlags(1 << 14);
    pub const METHOD_DESCRIPTOR: TypeFlags = TypeFlags(1 << 17);
    pub const ABSTRACT: TypeFlags = TypeFlags(1 << 20);
    pub const INT_SUBCLASS: TypeFlags = TypeFlags(1 << 24);
    pub const LIST_SUBCLASS: TypeFlags = TypeFlags(1 << 25);
    pub const TUPLE_SUBCLASS: TypeFlags = TypeFlags(1 << 26);
    pub const BYTES_SUBCLASS: TypeFlags = TypeFlags(1 << 27);
    pub const STR_SUBCLASS: TypeFlags = TypeFlags(1 << 28);
    pub const DICT_SUBCLASS: TypeFlags = TypeFlags(1 << 29);
    pub const EXCEPTION_SUBCLASS: TypeFlags = TypeFlags(1 << 30);
    pub const TYPE_SUBCLASS: TypeFlags = TypeFlags(1 << 31);
    /// Lisle's own, not shown: instances of the native type have an attribute store (functions, exceptions, modules).
    pub const NATIVE_DICT: TypeFlags = TypeFlags(1 << 1);
    /// Lisle's own, not shown: instances can be weakly referenced.
    pub const WEAKREF: TypeFlags = TypeFlags(1 << 2);
    /// Lisle's own, not shown: hash is None.
    pub const UNHASHABLE: TypeFlags = TypeFlags(1 << 3);
    /// Lisle's own: a native type that `__flags__` shows as one made at run time, as it is in CPython.
    pub const LIKE_HEAP: TypeFlags = TypeFlags(1);
    /// What `__flags__` hides.
    pub const HIDDEN: TypeFlags = TypeFlags(0b1111);
    /// What a subclass has from its base.
    pub const INHERITED: TypeFlags = TypeFlags(1 << 5 | 1 << 6 | 1 << 2 | (0xff << 24));

    pub const fn union(self, other: TypeFlags) -> TypeFlags {
        TypeFlags(self.0 | other.0)
    }

    pub const fn has(self, bits: TypeFlags) -> bool {
        self.0 & bits.0 != 0
    }
}

/// A class.
#[repr(C)]
pub struct Type {
    /// The native payload of instances.
    pub info: &'static PayloadInfo,
    /// `__name__`.
    pub name: PySlot<Str>,
    /// `__qualname__`.
    pub qualname: PySlot<Str>,
    pub base: PySlot<Type>,
    pub bases: PySlot<Tuple>,
    pub mro: PySlot<Tuple>,
    /// The class's own attributes; of a native type, once `pending` is null.
    dict: PySlot<Dict>,
    /// What the dict of a native type is still to be filled with; null when nothing is.
    pending: AtomicPtr<Pending>,
    pub flags: AtomicU32,
    /// See the module.
    version: AtomicU32,
    /// The version for which `__class__` of instances is known to be that of `object`: their type.
    usual_class: AtomicU32,
    /// Bytes of an instance up to its attribute store: header, payload and `__slots__` members.
    fixed_size: u32,
    /// Offset of the attribute store; 0 for none.
    attr_offset: u32,
    /// `__slots__` members of this class and its bases; the first lies at `info.size` rounded up to 8.
    members: u32,
    /// Inline attribute slots of new instances.
    inline: AtomicU32,
    root_shape: AtomicPtr<Shape>,
    /// [`READS`], [`WRITES`] and [`HOOKED`], as the slots have it.
    generic: AtomicU32,
    /// How the instruction loop calls instances.
    call_kind: CallKind,
    /// See [`Type::frees_plainly`].
    plain_free: AtomicBool,
    /// Written by the creator, or with the world stopped.
    slots: UnsafeCell<Slots>,
    /// Types that have this one in their bases; a type takes itself out when it is freed.
    subclasses: Mutex<Vec<TypePtr>>,
    rewrites: Rewrites,
}

/// The kinds of callables that the instruction loop knows, each exactly one type.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum CallKind {
    Other,
    Function,
    NativeFunction,
    MethodDescriptor,
    Method,
    Type,
}

impl CallKind {
    pub(crate) const COUNT: usize = CallKind::Type as usize + 1;

    fn of(cell: &'static super::py::TypeCell) -> CallKind {
        use crate::types::function::Function;
        use crate::types::method::Method;
        use crate::types::native_function::{MethodDescriptor, NativeFunction};
        let kinds = [
            (Function::type_cell(), CallKind::Function),
            (NativeFunction::type_cell(), CallKind::NativeFunction),
            (MethodDescriptor::type_cell(), CallKind::MethodDescriptor),
            (Method::type_cell(), CallKind::Method),
            (Type::type_cell(), CallKind::Type),
        ];
        let found = kinds.iter().find(|(of, _)| std::ptr::eq(*of, cell));
        found.map_or(CallKind::Other, |(_, kind)| *kind)
    }
}

/// Attributes are read by `object.__getattribute__`.
const READS: u32 = 1;
/// Attributes are written by `object.__setattr__`.
const WRITES: u32 = 2;
/// Attributes are read by `object.__getattribute__`, and those that are not there by a `__getattr__`.
const HOOKED: u32 = 4;

/// Addresses of the slots of `object` that `READS` and `WRITES` mean.
static OBJECT_ACCESS: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

struct TypePtr(NonNull<Obj<Type>>);
// SAFETY: only used under the `subclasses` lock, which a dying type takes to remove itself.
unsafe impl Send for TypePtr {}

// SAFETY: `slots` is written with the world stopped or before the type is shared; the rest is atomic or locked.
unsafe impl Sync for Type {}
// SAFETY: as above.
unsafe impl Send for Type {}

impl Trace for Type {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        self.name.traverse(visit);
        self.qualname.traverse(visit);
        self.base.traverse(visit);
        self.bases.traverse(visit);
        self.mro.traverse(visit);
        self.dict.traverse(visit);
    }

    fn clear(&self, out: &mut Vec<Value>) {
        // The bases stay: a dying type takes itself out of their lists of subclasses.
        self.mro.clear(out);
        self.dict.clear(out);
    }
}

impl Drop for Type {
    fn drop(&mut self) {
        if let Some(shape) = NonNull::new(*self.root_shape.get_mut()) {
            // SAFETY: instances hold a reference to their type, so none is left.
            crate::memory::retire(move || unsafe { Shape::free(shape) });
        }
    }
}

/// What `Native::define` fills in.
#[derive(Default)]
pub struct TypeDef {
    pub slots: Slots,
    pub methods: Vec<&'static FnDef>,
    pub getsets: Vec<&'static GetSetDef>,
    /// Further class attributes, made when the type is.
    pub attrs: Vec<(&'static str, AttrFn)>,
    /// `__text_signature__` of the constructor, without the parentheses' markers.
    pub text_signature: Option<&'static str>,
}

impl TypeDef {
    pub fn method(&mut self, def: &'static FnDef) {
        self.methods.push(def);
    }

    pub fn getset(&mut self, def: &'static GetSetDef) {
        self.getsets.push(def);
    }

    pub fn attr(&mut self, name: &'static str, make: AttrFn) {
        self.attrs.push((name, make));
    }
}

/// Fills the dict of a native type, when something looks there for the first time: most types of a process are never asked.
struct Pending {
    define: fn(&mut TypeDef),
    module: &'static str,
    doc: Option<&'static str>,
}

/// Stands in `Type::pending` while the thread that holds `MAKING` fills the dict.
static FILLING: Pending = Pending {
    define: |_| {},
    module: "",
    doc: None,
};

/// What makes a new class; see [`Type::new_heap`].
pub struct HeapSpec {
    pub name: Py<Str>,
    pub qualname: Py<Str>,
    pub bases: Vec<Py<Type>>,
    /// The base whose payload and members the class extends.
    pub best_base: Py<Type>,
    pub dict: Py<Dict>,
    /// Count of members that `__slots__` adds.
    pub new_members: u32,
    pub has_dict: bool,
    pub weakref: bool,
    pub inline: u32,
}

impl Type {
    /// The class's own attributes. Readers only: changes go through [`Type::set_own`].
    pub fn dict(&self) -> Py<Dict> {
        if !self.pending.load(Acquire).is_null() {
            self.fill();
        }
        self.dict.get().unwrap_or_else(Dict::new_empty)
    }

    /// Fills the dict with what is pending. Other threads wait; the filling thread finds what is there so far.
    #[cold]
    #[inline(never)]
    fn fill(&self) {
        acquire_making();
        let pending = self.pending.load(Relaxed);
        if !pending.is_null() && !std::ptr::eq(pending, &FILLING) {
            self.pending.store((&raw const FILLING).cast_mut(), Relaxed);
            // SAFETY: types are the payloads of type objects; native ones are immortal, so that the reference made here may be forgotten.
            let ty = std::mem::ManuallyDrop::new(unsafe {
                let object = std::ptr::from_ref(self).byte_sub(std::mem::offset_of!(Obj<Type>, data));
                Py::from_raw(NonNull::new_unchecked(object.cast::<Obj<Type>>().cast_mut()))
            });
            // SAFETY: a box from `prepare_static`, taken out of its place just now.
            let pending = unsafe { Box::from_raw(pending) };
            let mut def = TypeDef::default();
            (pending.define)(&mut def);
            fill_dict(&ty, &pending, def);
            self.pending.store(std::ptr::null_mut(), Release);
        }
        MAKING.release();
    }

    /// The operations.
    #[inline(always)]
    pub fn slots(&self) -> &Slots {
        // SAFETY: written only before the type is shared or with the world stopped; callers copy the entry out at once.
        unsafe { &*self.slots.get() }
    }

    /// Whether nothing is to be done when an instance is freed but to drop its payload: instances have no `__del__`, attributes or
    /// members, and the type is immortal. Whether there are weak references to it is another matter.
    #[inline(always)]
    pub(crate) fn frees_plainly(&self) -> bool {
        self.plain_free.load(Relaxed)
    }

    #[inline(always)]
    pub(crate) fn call_kind(&self) -> CallKind {
        self.call_kind
    }

    #[inline(always)]
    pub fn version(&self) -> u32 {
        self.version.load(Relaxed)
    }

    #[inline(always)]
    pub fn has_flag(&self, bits: TypeFlags) -> bool {
        self.flags.load(Relaxed) & bits.0 != 0
    }

    pub fn set_flag(&self, bits: TypeFlags) {
        self.flags.fetch_or(bits.0, Relaxed);
    }

    pub fn clear_flag(&self, bits: TypeFlags) {
        self.flags.fetch_and(!bits.0, Relaxed);
    }

    /// Whether attributes of instances are read by `object.__getattribute__`.
    #[inline(always)]
    pub fn reads_generically(&self) -> bool {
        self.generic.load(Relaxed) & READS != 0
    }

    /// Whether attributes that instances have are read by `object.__getattribute__`; one that they have not may be made by `__getattr__`.
    #[inline(always)]
    pub fn finds_generically(&self) -> bool {
        self.generic.load(Relaxed) & (READS | HOOKED) != 0
    }

    /// Whether attributes of instances are written by `object.__setattr__`.
    #[inline(always)]
    pub fn writes_generically(&self) -> bool {
        self.generic.load(Relaxed) & WRITES != 0
    }

    /// Offset of the attribute store; 0 for none.
    #[inline(always)]
    pub fn attr_offset(&self) -> u32 {
        self.attr_offset
    }

    /// Bytes of an instance before its attribute store.
    #[inline(always)]
    pub fn fixed_size(&self) -> usize {
        self.fixed_size as usize
    }

    /// Offset of the first `__slots__` member.
    pub fn members_offset(&self) -> usize {
        self.info.size.next_multiple_of(8)
    }

    /// Count of `__slots__` members, those of bases included.
    pub fn members(&self) -> usize {
        self.members as usize
    }

    #[inline(always)]
    pub fn inline_slots(&self) -> usize {
        self.inline.load(Relaxed) as usize
    }

    /// New instances get room for `n` attributes.
    pub fn learn_inline(&self, n: usize) {
        let n = n.min(32) as u32;
        if n > self.inline.load(Relaxed) {
            self.inline.store(n, Relaxed);
        }
    }

    /// The layout of instances without attributes.
    #[inline(always)]
    pub fn root_shape(&self) -> *mut Shape {
        let shape = self.root_shape.load(Acquire);
        if shape.is_null() { self.make_root_shape() } else { shape }
    }

    #[cold]
    fn make_root_shape(&self) -> *mut Shape {
        let shape = Shape::root();
        match self
            .root_shape
            .compare_exchange(std::ptr::null_mut(), shape.as_ptr(), Release, Acquire)
        {
            Ok(_) => shape.as_ptr(),
            Err(other) => {
                // SAFETY: never published.
                unsafe { Shape::free(shape) };
                other
            }
        }
    }

    /// Whether instances have a payload that is, or begins with, the one described by `info`.
    #[inline]
    pub fn has_payload(&self, info: &'static PayloadInfo) -> bool {
        let mut at = self.info;
        loop {
            if std::ptr::eq(at, info) {
                return true;
            }
            match at.base {
                Some(base) => at = base,
                None => return false,
            }
        }
    }

    /// Text of `__name__`.
    pub fn short_name(&self) -> String {
        self.name
            .get()
            .map_or_else(|| self.info.name.to_string(), |n| n.to_string_lossy())
    }

    /// What messages call the type: with the module, unless it is of `builtins` or of a program.
    pub fn name(&self) -> String {
        let name = self.short_name();
        if self.has_flag(TypeFlags::HEAP) && !self.has_flag(TypeFlags::IMMUTABLE) {
            return name;
        }
        let module = self.dict().get_str(crate::intern!("__module__"));
        match module.as_ref().and_then(|module| module.downcast::<Str>()) {
            Some(module) if !module.is_text("builtins") => format!("{}.{name}", module.to_string_lossy()),
            _ => name,
        }
    }

    /// Whether `__class__` of instances is known to be their type.
    #[inline(always)]
    pub fn has_usual_class(&self) -> bool {
        let version = self.version();
        version != 0 && self.usual_class.load(Relaxed) == version
    }

    /// `__class__` of instances is their type, as long as the type has this version.
    pub fn set_usual_class(&self, version: u32) {
        self.usual_class.store(version, Relaxed);
    }

    /// As [`Type::is_subclass`], of a type that is not `other`.
    #[inline(always)]
    pub fn has_base(&self, other: &Py<Type>) -> bool {
        // SAFETY: orders are replaced with the world stopped alone (`replace_shared`), and there is no safepoint here.
        let mro = unsafe { self.mro.peek() };
        mro.is_some_and(|mro| mro.iter().any(|t| t.bits() == other.as_value().bits()))
    }

    /// Whether `self` is `other` or a subclass of it (by method resolution order).
    pub fn is_subclass(&self, other: &Py<Type>) -> bool {
        std::ptr::eq(self, &**other) || self.has_base(other)
    }

    /// The attribute `name` of the class or its bases, by method resolution order, uncached.
    pub fn lookup_uncached(&self, name: &Py<Str>) -> Option<Value> {
        let Some(mro) = self.mro.get() else {
            return self.dict().get_str(name);
        };
        for class in mro.iter() {
            if let Some(class) = class.downcast::<Type>()
                && let Some(value) = class.dict().get_str(name)
            {
                return Some(value);
            }
        }
        None
    }

    /// As [`Type::lookup_uncached`], of an interned name, and whether a cache may keep what was found.
    pub(crate) fn lookup_to_cache(&self, name: &Py<Str>) -> (Option<Value>, bool) {
        let Some(mro) = self.mro.get() else {
            return (self.dict().get_str(name), false);
        };
        for class in mro.iter() {
            if let Some(class) = class.downcast::<Type>()
                && let Some(value) = class.dict().get_str(name)
            {
                return (Some(value), !class.rewrites.has(name));
            }
        }
        (None, true)
    }

    /// The attribute `name` of the class or its bases, and the class it was found in.
    pub fn lookup_where(&self, name: &Py<Str>) -> Option<(Value, Py<Type>)> {
        let mro = self.mro.get()?;
        for class in mro.iter() {
            if let Some(class) = class.downcast::<Type>()
                && let Some(value) = class.dict().get_str(name)
            {
                return Some((value, class.clone()));
            }
        }
        None
    }
}

impl Py<Type> {
    /// The dict of the type, which is native and private to its maker, is filled when it is needed.
    fn set_pending(&self, define: fn(&mut TypeDef), module: &'static str, doc: Option<&'static str>) {
        let pending = Box::into_raw(Box::new(Pending { define, module, doc }));
        self.pending.store(pending, Release);
    }

    /// The attribute `name` of the class or its bases.
    #[inline]
    pub fn lookup(&self, vm: &Vm, name: &Py<Str>) -> Option<Value> {
        vm.method_cache.lookup(self, name)
    }

    /// As [`Py::lookup`], by text.
    pub fn lookup_name(&self, vm: &Vm, name: &str) -> Option<Value> {
        self.lookup(vm, &Str::intern(name))
    }

    /// Sets or deletes an attribute of the class itself: `Ok(false)` when there was none to delete.
    pub fn set_own(&self, vm: &Vm, name: &Py<Str>, value: Option<Value>) -> Res<bool> {
        let mut old = None;
        let mut found = true;
        // Filled before the stop, if it still has to be: that waits for a lock.
        let dict = self.dict();
        let rewrites = crate::sync::free_threaded()
            && crate::sync::parallel()
            && name.is_interned()
            && !name.is_dunder()
            && value.as_ref().is_some_and(is_plain);
        if rewrites && self.rewrites.has(name) && dict.get_str(name).is_some_and(|old| is_plain(&old)) {
            old = value.and_then(|value| dict.replace_str(name, value));
            if !old.as_ref().is_some_and(is_plain) {
                // Meanwhile somebody else deleted it or put a descriptor there.
                threads::stop_the_world(|| self.modified());
            }
            return Ok(true);
        }
        threads::stop_the_world(|| {
            match value {
                Some(value) => old = dict.replace_str(name, value),
                None => {
                    old = dict.remove_str(name);
                    found = old.is_some();
                }
            }
            if found {
                if rewrites && old.as_ref().is_some_and(is_plain) {
                    self.rewrites.note(name);
                }
                self.modified();
                if name.is_dunder() {
                    super::slotdefs::update(vm, self, name);
                }
            }
        });
        drop(old);
        Ok(found)
    }

    /// Gives the type and its subclasses new versions and shape ids. The world is stopped, or the type is private.
    pub fn modified(&self) {
        self.for_each_in_tree(&mut |ty| {
            ty.version.store(fresh_id(), Release);
            // SAFETY: shapes live as long as the type.
            if let Some(root) = unsafe { ty.root_shape.load(Acquire).as_ref() } {
                root.renew();
            }
        });
    }

    /// Calls `f` with the type and all its subclasses.
    pub fn for_each_in_tree(&self, f: &mut dyn FnMut(&Py<Type>)) {
        let mut queue = vec![self.clone()];
        let mut seen: HashSet<usize> = HashSet::new();
        while let Some(ty) = queue.pop() {
            if !seen.insert(ty.as_ptr() as usize) {
                continue;
            }
            f(&ty);
            queue.extend(ty.subclasses());
        }
    }

    /// The living direct subclasses.
    pub fn subclasses(&self) -> Vec<Py<Type>> {
        let list = self.subclasses.lock();
        list.iter()
            .filter_map(|p| {
                // SAFETY: a dying type removes itself under this lock before its memory goes away.
                let header = unsafe { &(*p.0.as_ptr()).header };
                // SAFETY: the count was taken.
                header.try_incref().then(|| unsafe { Py::from_raw(p.0) })
            })
            .collect()
    }

    /// Enters the type in its bases' lists.
    pub fn link_to_bases(&self) {
        if let Some(bases) = self.bases.get() {
            for base in bases.iter() {
                if let Some(base) = base.downcast::<Type>() {
                    // SAFETY: `self` is a live object.
                    base.subclasses
                        .lock()
                        .push(TypePtr(unsafe { NonNull::new_unchecked(self.as_ptr()) }));
                }
            }
        }
    }

    /// Takes the type out of its bases' lists; when it is freed, or its bases change.
    pub fn unlink_from_bases(&self) {
        if let Some(bases) = self.bases.get() {
            for base in bases.iter() {
                if let Some(base) = base.downcast::<Type>() {
                    base.subclasses.lock().retain(|p| p.0.as_ptr() != self.as_ptr());
                }
            }
        }
    }

    /// Replaces the operations. The world is stopped, or the type is private to its creator.
    pub(crate) fn set_slots(&self, slots: Slots) {
        let addresses = [
            slots.getattro.map_or(0, |f| f as usize),
            slots.setattro.map_or(0, |f| f as usize),
        ];
        if self.base.is_empty() {
            for (own, address) in OBJECT_ACCESS.iter().zip(addresses) {
                own.store(address, Relaxed);
            }
        }
        let is = |n: usize| addresses[n] == OBJECT_ACCESS[n].load(Relaxed);
        let hooked = addresses[0] == super::slotdefs::getattr_hook as *const () as usize;
        let generic = if is(0) { READS } else { 0 } | if is(1) { WRITES } else { 0 } | if hooked { HOOKED } else { 0 };
        // SAFETY: see the contract above.
        unsafe { *self.slots.get() = slots };
        self.generic.store(generic, Relaxed);
    }

    /// A class made by Python code; its mro and slots are still to be set by the caller.
    pub fn new_heap(metaclass: &Py<Type>, spec: HeapSpec) -> Py<Type> {
        let base = &spec.best_base;
        let members = base.members + spec.new_members;
        let fixed = base.info.size.next_multiple_of(8) as u32 + members * 8;
        let flags = TypeFlags::HEAP.0
            | TypeFlags::BASETYPE.0
            | TypeFlags::READY.0
            | TypeFlags::GC.0
            | (base.flags.load(Relaxed) & TypeFlags::INHERITED.0)
            | if spec.has_dict { TypeFlags::MANAGED_DICT.0 } else { 0 }
            | if spec.weakref { TypeFlags::WEAKREF.0 } else { 0 };
        let ty = Type {
            info: base.info,
            name: PySlot::new(spec.name),
            qualname: PySlot::new(spec.qualname),
            base: PySlot::new(base.clone()),
            bases: PySlot::new(Tuple::new(spec.bases.iter().map(|b| b.to_value()).collect())),
            mro: PySlot::empty(),
            dict: PySlot::new(of_class(spec.dict)),
            pending: AtomicPtr::default(),
            flags: AtomicU32::new(flags),
            version: AtomicU32::new(fresh_id()),
            usual_class: AtomicU32::new(0),
            fixed_size: fixed,
            attr_offset: if spec.has_dict { fixed } else { 0 },
            members,
            inline: AtomicU32::new(spec.inline.clamp(1, 30)),
            root_shape: AtomicPtr::default(),
            generic: AtomicU32::new(0),
            call_kind: CallKind::Other,
            plain_free: AtomicBool::new(false),
            slots: UnsafeCell::new(Slots::default()),
            subclasses: Mutex::new(Vec::new()),
            rewrites: Rewrites::new(),
        };
        let ty = Py::with_class(metaclass, ty);
        if crate::sync::parallel() {
            crate::memory::distributed::distribute(ty.header());
        }
        ty
    }
}

static INFOS: Mutex<Option<HashMap<usize, &'static PayloadInfo>>> = Mutex::new(None);

/// The one description of the payload whose type cell is at `key`.
pub(crate) fn payload_info(key: usize, info: PayloadInfo) -> &'static PayloadInfo {
    let mut infos = INFOS.lock();
    infos
        .get_or_insert_default()
        .entry(key)
        .or_insert_with(|| Box::leak(Box::new(info)))
}

static MAKING: threads::locks::RawRLock = threads::locks::RawRLock::new();

fn acquire_making() {
    while MAKING.acquire(None, false) != threads::AcquireResult::Acquired {}
}

/// What a native type says of itself.
struct NativeSpec {
    cell: &'static super::py::TypeCell,
    name: &'static str,
    module: &'static str,
    doc: Option<&'static str>,
    flags: TypeFlags,
    info: &'static PayloadInfo,
    /// The base class; `None` of `object`.
    base: Option<fn() -> &'static Py<Type>>,
    define: fn(&mut TypeDef),
}

/// Makes the type object of `T`. The making thread finds it before it is complete, since its dict and strings need types themselves;
/// other threads come here and wait for the lock.
#[cold]
#[inline(never)]
pub fn make_native<T: Native>() -> &'static Py<Type> {
    let is_object = std::ptr::eq(T::type_cell(), <T::Base as Native>::type_cell());
    make_of_spec(&NativeSpec {
        cell: T::type_cell(),
        name: T::NAME,
        module: T::MODULE,
        doc: T::DOC,
        flags: T::FLAGS,
        info: T::info(),
        base: (!is_object).then_some(T::Base::ty as fn() -> &'static Py<Type>),
        define: T::define,
    })
}

fn make_of_spec(spec: &NativeSpec) -> &'static Py<Type> {
    acquire_making();
    if spec.cell.get_made().is_none() {
        make_native_locked(spec);
    }
    MAKING.release();
    spec.cell.get_made().expect("the cell was filled above")
}

/// The types that `object` itself is made of were made before it was complete: they get what they could not inherit then.
pub(super) fn complete_bootstrap() {
    crate::types::object::Object::ty().for_each_in_tree(&mut |ty| {
        let Some(base) = ty.base.get() else { return };
        let rest = base.mro.get();
        let mro = std::iter::once(ty.to_value()).chain(rest.iter().flat_map(|mro| mro.iter().cloned()));
        ty.mro.set(Tuple::new(mro.collect()));
        let mut slots = *ty.slots();
        slots.inherit(base.slots());
        ty.set_slots(slots);
    });
}

fn make_native_locked(spec: &NativeSpec) {
    let info = spec.info;
    let fixed = info.size.next_multiple_of(8) as u32;
    let has_dict = spec.flags.has(TypeFlags::NATIVE_DICT);
    let data = Type {
        info,
        name: PySlot::empty(),
        qualname: PySlot::empty(),
        base: PySlot::empty(),
        bases: PySlot::empty(),
        mro: PySlot::empty(),
        dict: PySlot::empty(),
        pending: AtomicPtr::default(),
        flags: AtomicU32::new(spec.flags.union(TypeFlags::IMMUTABLE).union(TypeFlags::READY).0),
        version: AtomicU32::new(fresh_id()),
        usual_class: AtomicU32::new(0),
        fixed_size: fixed,
        attr_offset: if has_dict { fixed } else { 0 },
        members: 0,
        inline: AtomicU32::new(1),
        root_shape: AtomicPtr::default(),
        generic: AtomicU32::new(0),
        call_kind: CallKind::of(spec.cell),
        plain_free: AtomicBool::new(false),
        slots: UnsafeCell::new(Slots::default()),
        subclasses: Mutex::new(Vec::new()),
        rewrites: Rewrites::new(),
    };
    let ptr = super::alloc_bootstrap_type(data, spec.cell, Type::type_cell());
    // SAFETY: just made and immortal.
    let ty = unsafe { Py::from_raw(ptr) };
    let base = spec.base.map(|base| base().clone());
    let mut def = TypeDef::default();
    (spec.define)(&mut def);
    if let Some(base) = &base {
        ty.flags
            .fetch_or(base.flags.load(Relaxed) & TypeFlags::INHERITED.0, Relaxed);
    }
    prepare_static(&ty, spec.name, base, def.slots, def.text_signature);
    let plain = !has_dict && ty.slots().finalize.is_none() && !std::ptr::eq(info, Type::info());
    ty.plain_free.store(plain, Relaxed);
    ty.set_pending(spec.define, spec.module, spec.doc);
    std::mem::forget(ty);
    spec.cell.publish();
}

/// Docstrings of native types in whose dict `__doc__` is a descriptor for instances, by address.
static NATIVE_DOCS: Mutex<Vec<(usize, &'static str)>> = Mutex::new(Vec::new());

/// The docstring of a native type in whose dict `__doc__` is a descriptor for instances.
pub(crate) fn native_doc(ty: &Py<Type>) -> Option<&'static str> {
    drop(ty.dict());
    let docs = NATIVE_DOCS.lock();
    docs.iter()
        .find(|(at, _)| *at == ty.as_ptr() as usize)
        .map(|(_, doc)| *doc)
}

/// Signatures of native types' constructors, by address. They are no class attributes: instances have none.
static NATIVE_SIGNATURES: Mutex<Vec<(usize, &'static str)>> = Mutex::new(Vec::new());

/// `__text_signature__` of a native type.
pub(crate) fn native_signature(ty: &Py<Type>) -> Option<&'static str> {
    let signatures = NATIVE_SIGNATURES.lock();
    signatures
        .iter()
        .find(|(at, _)| *at == ty.as_ptr() as usize)
        .map(|(_, text)| *text)
}

/// Whether instances of a native type with these slots of its own have no hash.
fn is_unhashable(ty: &Py<Type>, slots: &Slots) -> bool {
    ty.has_flag(TypeFlags::UNHASHABLE) || (slots.richcompare.is_some() && slots.hash.is_none())
}

/// Fills in names, bases and slots of a native type.
fn prepare_static(
    ty: &Py<Type>,
    name: &'static str,
    base: Option<Py<Type>>,
    mut slots: Slots,
    text_signature: Option<&'static str>,
) {
    let short = name.rsplit('.').next().unwrap_or(name);
    ty.name.set(Str::intern(short));
    ty.qualname.set(Str::intern(name));
    ty.dict.set(of_class(Dict::new_empty()));
    let mro: Vec<Value> = match &base {
        Some(base) => {
            ty.bases.set(Tuple::new(vec![base.to_value()]));
            ty.base.set(base.clone());
            let rest = base.mro.get();
            [ty.to_value()]
                .into_iter()
                .chain(rest.iter().flat_map(|m| m.iter().cloned()))
                .collect()
        }
        None => {
            ty.bases.set(Tuple::new(Vec::new()));
            vec![ty.to_value()]
        }
    };
    ty.mro.set(Tuple::new(mro));
    if is_unhashable(ty, &slots) {
        slots.hash = Some(super::slotdefs::hash_not_implemented);
    }
    if let Some(text) = text_signature {
        NATIVE_SIGNATURES.lock().push((ty.as_ptr() as usize, text));
    }
    if let Some(base) = &base {
        slots.inherit(base.slots());
    }
    ty.set_slots(slots);
    ty.link_to_bases();
}

/// Puts the attributes of a native type into its dict.
fn fill_dict(ty: &Py<Type>, pending: &Pending, def: TypeDef) {
    let dict = ty.dict.get().unwrap_or_else(Dict::new_empty);
    let set = |name: &str, value: Value| {
        share(&value);
        drop(dict.replace_str(&Str::intern(name), value));
    };
    for method in &def.methods {
        let value = match method.kind {
            FnKind::Method | FnKind::Function => crate::types::native_function::method_descriptor(ty, method),
            FnKind::ClassMethod => crate::types::native_function::classmethod_descriptor(ty, method),
            FnKind::StaticMethod => crate::types::native_function::static_method(ty, method),
        };
        set(method.name, value);
    }
    for getset in &def.getsets {
        set(getset.name, crate::types::descriptors::getset(ty, getset));
    }
    for (name, make) in def.attrs {
        // A class attribute that cannot be made shows as a missing one; none of them runs Python code.
        let Ok(value) = make(Vm::current()) else { continue };
        set(name, value);
    }
    super::slotdefs::add_wrappers(ty, &def.slots, &dict);
    let base = ty.base.get();
    if ty.attr_offset() != 0 && base.is_some_and(|base| base.attr_offset() == 0) {
        let getset = crate::types::object::dict_getset(ty);
        drop(dict.set_default_str(&Str::intern("__dict__"), getset));
    }
    if is_unhashable(ty, &def.slots) {
        set("__hash__", Value::NONE);
    }
    let text = pending.doc.map_or(Value::NONE, |doc| Str::from_str(doc).into_value());
    let shown = dict.set_default_str(&Str::intern("__doc__"), text);
    if let Some(doc) = pending.doc
        && shown.downcast::<Str>().is_none()
    {
        // Instances have docstrings of their own: the descriptor stays, and the class's is kept aside.
        NATIVE_DOCS.lock().push((ty.as_ptr() as usize, doc));
    }
    if pending.module != "builtins" {
        set("__module__", Str::intern(pending.module).into_value());
    }
}

/// The dict becomes that of a class.
fn of_class(dict: Py<Dict>) -> Py<Dict> {
    dict.header().set_flag(FLAG_OF_CLASS);
    dict
}

/// What is made when threads run already is counted as what was made before.
fn share(value: &Value) {
    if crate::sync::parallel()
        && let Some(header) = value.header()
    {
        crate::memory::distributed::distribute(header);
    }
}

/// A further type with the payload of `T` (exception classes); `cell` is its home.
pub fn make_static_variant<T: Native>(
    cell: &'static super::py::TypeCell,
    name: &'static str,
    module: &'static str,
    doc: Option<&'static str>,
    base: &Py<Type>,
) -> &'static Py<Type> {
    let flags = TypeFlags(base.flags.load(Relaxed));
    make_static_variant_with::<T>(cell, name, module, doc, base, flags, None)
}

/// As [`make_static_variant`], with flags, methods and slots of its own.
pub fn make_static_variant_with<T: Native>(
    cell: &'static super::py::TypeCell,
    name: &'static str,
    module: &'static str,
    doc: Option<&'static str>,
    base: &Py<Type>,
    flags: TypeFlags,
    def: Option<TypeDef>,
) -> &'static Py<Type> {
    acquire_making();
    if cell.get_made().is_none() {
        let info = T::info();
        let fixed = info.size.next_multiple_of(8) as u32;
        let flags = flags.0;
        let data = Type {
            info,
            name: PySlot::empty(),
            qualname: PySlot::empty(),
            base: PySlot::empty(),
            bases: PySlot::empty(),
            mro: PySlot::empty(),
            dict: PySlot::empty(),
            pending: AtomicPtr::default(),
            flags: AtomicU32::new(flags),
            version: AtomicU32::new(fresh_id()),
            usual_class: AtomicU32::new(0),
            fixed_size: fixed,
            attr_offset: if base.attr_offset != 0 { fixed } else { 0 },
            members: 0,
            inline: AtomicU32::new(1),
            root_shape: AtomicPtr::default(),
            generic: AtomicU32::new(0),
            call_kind: CallKind::Other,
            plain_free: AtomicBool::new(false),
            slots: UnsafeCell::new(Slots::default()),
            subclasses: Mutex::new(Vec::new()),
            rewrites: Rewrites::new(),
        };
        let ptr = super::alloc_bootstrap_type(data, cell, Type::type_cell());
        // SAFETY: just made and immortal.
        let ty = unsafe { Py::from_raw(ptr) };
        let slots = def.as_ref().map_or_else(Slots::default, |def| def.slots);
        let text_signature = def.as_ref().and_then(|def| def.text_signature);
        prepare_static(&ty, name, Some(base.clone()), slots, text_signature);
        let define = |_: &mut TypeDef| {};
        match def {
            None => ty.set_pending(define, module, doc),
            Some(def) => fill_dict(&ty, &Pending { define, module, doc }, def),
        }
        std::mem::forget(ty);
        cell.publish();
    }
    MAKING.release();
    cell.get_made().expect("the cell was filled above")
}
