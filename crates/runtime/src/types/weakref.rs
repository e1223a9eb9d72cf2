//! Weak references: `weakref.ref` and proxies.
//!
//! Invariant: a table, in shards by address, knows for each referent the links that point to it. A link's target and the table are changed
//! together under the shard's lock, and a dying referent (flagged `FLAG_WEAKREFS`) goes through that lock before its memory is freed: so
//! whoever holds the lock and sees a target may touch its header. In the same way a link leaves the table before its own memory is freed.
//! Callbacks and drops happen when the lock is released.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI64, AtomicU64};

use lisle_bytecode::opcode::{BinOp, CmpOp};
use smallvec::SmallVec;

use crate::intern;
use crate::memory::header::{FLAG_DYING, FLAG_WEAKREFS, Header};
use crate::native::{Args, Trace, pyclass, pymethods};
use crate::object::attrs::AddressHasher;
use crate::object::{Native, Py, Slot, Type, TypeFlags, Value};
use crate::sync::{Mutex, MutexGuard, parallel};
use crate::types::exceptions::text;
use crate::types::float::Float;
use crate::types::int::Int;
use crate::types::str::Str;
use crate::vm::{Exc, Res, Vm};

/// What every weak reference object begins with.
#[derive(Trace)]
#[repr(C)]
pub struct Link {
    /// Word of the referent, which is not counted; 0 once it is gone. Changed under the shard's lock.
    target: AtomicU64,
    /// Called with the weak reference when the referent goes.
    callback: Slot,
    /// The referent's hash; -1 until asked for.
    hash: AtomicI64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ref,
    Proxy,
}

/// A link in the table.
struct Entry {
    link: NonNull<Link>,
    object: NonNull<Header>,
    kind: Kind,
    /// No callback and no subclass: given to all who ask for such a reference.
    shared: bool,
}

// SAFETY: the pointers are only followed under the shard's lock, where the objects cannot be freed (see the module).
unsafe impl Send for Entry {}

/// Mostly an object has one.
type Entries = SmallVec<[Entry; 1]>;

type Shard = Option<HashMap<u64, Entries, BuildHasherDefault<AddressHasher>>>;

const SHARDS: usize = 64;
static TABLE: [Mutex<Shard>; SHARDS] = [const { Mutex::new(None) }; SHARDS];

fn shard(target: u64) -> MutexGuard<'static, Shard> {
    // Objects lie 16 bytes apart at least.
    TABLE[(target >> 4 ^ target >> 12) as usize % SHARDS].lock()
}

/// A counted reference to an object in the table, unless it is dying.
///
/// # Safety
/// The caller holds the lock of the shard through which the object must go before it is freed.
unsafe fn try_count(object: NonNull<Header>) -> Option<Value> {
    // SAFETY: by contract the memory is still the object's; the count taken is the result's.
    unsafe {
        object
            .as_ref()
            .try_incref()
            .then(|| Value::from_bits(object.as_ptr() as u64))
    }
}

impl Link {
    fn to(target: &Value, callback: Option<&Value>) -> Link {
        Link {
            target: AtomicU64::new(target.bits()),
            callback: Slot::from_option(callback.cloned()),
            hash: AtomicI64::new(-1),
        }
    }

    /// The referent, if it is still there.
    pub fn get(&self) -> Option<Value> {
        let bits = self.target.load(Acquire);
        let object = NonNull::new(bits as *mut Header)?;
        if !parallel() {
            // SAFETY: under the GIL the target cannot be freed between the load and the count.
            return unsafe { try_count(object) };
        }
        let _shard = shard(bits);
        if self.target.load(Relaxed) != bits {
            return None;
        }
        // SAFETY: the lock is held and the target is in the table.
        unsafe { try_count(object) }
    }

    /// Whether the referent is gone. Takes no lock and no reference.
    fn is_dead(&self) -> bool {
        self.target.load(Acquire) == 0
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let bits = self.target.load(Acquire);
        if bits == 0 {
            return;
        }
        let this = NonNull::from(&*self);
        let mut shard = shard(bits);
        if let Some(map) = shard.as_mut()
            && let Some(entries) = map.get_mut(&bits)
        {
            entries.retain(|entry| entry.link != this);
            if entries.is_empty() {
                map.remove(&bits);
            }
        }
    }
}

/// An error unless the object can be weakly referenced.
fn check_target(vm: &Vm, target: &Value) -> Res<()> {
    if target.is_heap() && target.ty().has_flag(TypeFlags::WEAKREF) {
        return Ok(());
    }
    Err(vm.type_error(format!(
        "cannot create weak reference to '{}' object",
        target.ty().name()
    )))
}

/// The reference of that kind without callback that exists already.
fn find_shared(target: &Value, kind: Kind) -> Option<Value> {
    let shard = shard(target.bits());
    let entry = shard
        .as_ref()?
        .get(&target.bits())?
        .iter()
        .find(|entry| entry.shared && entry.kind == kind)?;
    // SAFETY: the lock is held, and the link is in the table.
    unsafe { try_count(entry.object) }
}

/// Enters a new weak reference object in the table.
fn register(target: &Value, link: &Link, object: &Value, kind: Kind, shared: bool) {
    let (Some(head), Some(object)) = (target.header(), object.heap_header()) else {
        return;
    };
    head.set_flag(FLAG_WEAKREFS);
    let entry = Entry {
        link: NonNull::from(link),
        object,
        kind,
        shared,
    };
    let mut shard = shard(target.bits());
    let entries = shard.get_or_insert_default().entry(target.bits()).or_default();
    match shared {
        // Where it is found at once.
        true => entries.insert(0, entry),
        false => entries.push(entry),
    }
}

/// Callbacks to be called, with the references they are called with.
pub struct Pending {
    calls: Vec<(Value, Value)>,
    /// References that were counted on the way, to be dropped outside of the lock.
    _held: Vec<Value>,
}

impl Pending {
    /// Calls the callbacks.
    pub fn run(self) {
        let vm = Vm::current();
        for (reference, callback) in self.calls {
            if let Err(exc) = vm.call(&callback, std::slice::from_ref(&reference)) {
                let shown = vm
                    .repr(&callback)
                    .map_or_else(|_| String::new(), |text| text.to_string_lossy());
                vm.unraisable(
                    exc,
                    Some(&format!("Exception ignored while calling weakref callback {shown}")),
                    None,
                );
            }
        }
    }
}

/// Cuts the links to the object. `wanted` says of which references the callback is to be called.
fn cut(target: u64, shard: &mut Shard, pending: &mut Pending, wanted: &dyn Fn(NonNull<Header>) -> bool) {
    let Some(entries) = shard.as_mut().and_then(|map| map.remove(&target)) else {
        return;
    };
    // The latest first, as CPython calls them.
    for entry in entries.iter().rev() {
        // SAFETY: the lock is held, so the link's memory is its own until its target is reset, which is the last thing done with it here
        // unless a reference to it is held.
        unsafe {
            let link = entry.link.as_ref();
            let reference = if link.callback.is_empty() {
                None
            } else {
                try_count(entry.object)
            };
            link.target.store(0, Release);
            if let Some(reference) = reference {
                match entry.link.as_ref().callback.take() {
                    Some(callback) if wanted(entry.object) => pending.calls.push((reference, callback)),
                    other => {
                        pending._held.push(reference);
                        pending._held.extend(other);
                    }
                }
            }
        }
    }
}

/// Cuts the links to an object that is being freed, and calls the callbacks. `value` holds the only reference.
pub fn clear_for(value: &Value) {
    let Some(header) = value.header() else { return };
    let mut pending = Pending {
        calls: Vec::new(),
        _held: Vec::new(),
    };
    {
        let mut shard = shard(value.bits());
        if !header.is_unique() {
            // Another thread came by a weak reference just in time: the object lives on, and so do its weak references.
            header.clear_flag(FLAG_DYING);
            return;
        }
        cut(value.bits(), &mut shard, &mut pending, &|_| true);
    }
    if !pending.calls.is_empty() {
        pending.run();
    }
}

/// Cuts the links to objects that the collector found unreachable. To be called while the world is stopped, so that no thread can come by
/// one of them afterwards. The callbacks of references that are garbage themselves are not called.
pub fn detach_garbage(garbage: &[Value]) -> Pending {
    let mut pending = Pending {
        calls: Vec::new(),
        _held: Vec::new(),
    };
    let mut addresses: Option<std::collections::HashSet<u64>> = None;
    for value in garbage {
        if value.header().is_some_and(|header| header.flag(FLAG_WEAKREFS)) {
            let addresses = addresses.get_or_insert_with(|| garbage.iter().map(Value::bits).collect());
            let wanted = |object: NonNull<Header>| !addresses.contains(&(object.as_ptr() as u64));
            cut(value.bits(), &mut shard(value.bits()), &mut pending, &wanted);
        }
    }
    pending
}

/// As [`detach_garbage`], and calls the callbacks.
pub fn clear_for_garbage(garbage: &[Value]) {
    detach_garbage(garbage).run();
}

/// `weakref.getweakrefcount(obj)`.
pub fn count(value: &Value) -> usize {
    if !value.is_heap() {
        return 0;
    }
    shard(value.bits())
        .as_ref()
        .and_then(|map| map.get(&value.bits()))
        .map_or(0, |entries| entries.len())
}

/// `weakref.getweakrefs(obj)`: the shared ones first, then the latest first.
pub fn references(value: &Value) -> Vec<Value> {
    if !value.is_heap() {
        return Vec::new();
    }
    let shard = shard(value.bits());
    let Some(entries) = shard.as_ref().and_then(|map| map.get(&value.bits())) else {
        return Vec::new();
    };
    let shared = entries.iter().filter(|entry| entry.shared && entry.kind == Kind::Ref);
    let proxies = entries.iter().filter(|entry| entry.shared && entry.kind == Kind::Proxy);
    let others = entries.iter().rev().filter(|entry| !entry.shared);
    // SAFETY: the lock is held, and the links are in the table.
    shared
        .chain(proxies)
        .chain(others)
        .filter_map(|entry| unsafe { try_count(entry.object) })
        .collect()
}

/// `weakref.ref(target, callback)`.
pub fn new_ref(vm: &Vm, cls: &Py<Type>, target: &Value, callback: Option<&Value>) -> Res<Value> {
    check_target(vm, target)?;
    let shared = callback.is_none() && cls.is(Ref::ty());
    if shared && let Some(found) = find_shared(target, Kind::Ref) {
        return Ok(found);
    }
    let new = Py::with_class(
        cls,
        Ref {
            link: Link::to(target, callback),
        },
    );
    register(target, &new.link, new.as_value(), Kind::Ref, shared);
    Ok(new.into_value())
}

/// The runtime's own weak reference, to any object.
pub struct Watch(Py<Ref>);

impl Watch {
    pub fn new(target: &Value) -> Watch {
        let new = Py::new(Ref {
            link: Link::to(target, None),
        });
        register(target, &new.link, new.as_value(), Kind::Ref, false);
        Watch(new)
    }

    /// The object, if it is still there.
    pub fn get(&self) -> Option<Value> {
        self.0.link.get()
    }
}

/// `weakref.proxy(target, callback)`.
pub fn new_proxy(vm: &Vm, target: &Value, callback: Option<&Value>) -> Res<Value> {
    check_target(vm, target)?;
    if callback.is_none()
        && let Some(found) = find_shared(target, Kind::Proxy)
    {
        return Ok(found);
    }
    let link = Link::to(target, callback);
    if vm.is_callable(target) {
        let new = Py::new(CallableProxy { link });
        register(target, &new.link, new.as_value(), Kind::Proxy, callback.is_none());
        return Ok(new.into_value());
    }
    let new = Py::new(Proxy { link });
    register(target, &new.link, new.as_value(), Kind::Proxy, callback.is_none());
    Ok(new.into_value())
}

/// `weakref.ref`.
#[pyclass(name = "ReferenceType", module = "weakref", basetype)]
#[repr(C)]
pub struct Ref {
    pub link: Link,
}

/// Referent and callback of `ref(target, callback=None)`.
fn ref_arguments<'a>(vm: &Vm, name: &str, args: Args<'a>) -> Res<(&'a Value, Option<&'a Value>)> {
    let values = args.check_positional(vm, name, 1, 2)?;
    Ok((&values[0], values.get(1).filter(|callback| !callback.is_none())))
}

#[pymethods]
impl Ref {
    #[slot]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        let (target, callback) = ref_arguments(vm, "__new__", args)?;
        new_ref(vm, cls, target, callback)
    }

    #[slot]
    fn __init__(vm: &Vm, _this: &Py<Ref>, args: Args<'_>) -> Res<()> {
        args.no_keywords(vm, "ref")?;
        ref_arguments(vm, "__init__", args).map(drop)
    }

    #[slot]
    fn __call__(vm: &Vm, this: &Py<Ref>, args: Args<'_>) -> Res<Value> {
        if !args.values.is_empty() {
            args.no_keywords(vm, "weakref")?;
            args.check_positional(vm, "weakref", 0, 0)?;
        }
        Ok(this.link.get().unwrap_or(Value::NONE))
    }

    #[slot]
    fn __hash__(vm: &Vm, this: &Py<Ref>) -> Res<i64> {
        let known = this.link.hash.load(Relaxed);
        if known != -1 {
            return Ok(known);
        }
        let Some(target) = this.link.get() else {
            return Err(vm.type_error("weak object has gone away"));
        };
        let hash = vm.hash(&target)?;
        this.link.hash.store(hash, Relaxed);
        Ok(hash)
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<Ref>, other: &Value, op: CmpOp) -> Res<Value> {
        let Some(second) = other.downcast::<Ref>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        match (this.link.get(), second.link.get()) {
            (Some(a), Some(b)) => vm.rich_compare(&a, &b, op),
            _ => Ok(Value::from_bool(this.as_value().is(other) == (op == CmpOp::Eq))),
        }
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Ref>) -> Res<Value> {
        let at = format!("<weakref at {:#x}; ", this.as_value().bits());
        let Some(target) = this.link.get() else {
            return Ok(text::joined(&[&at, &"dead>"]));
        };
        let what = format!("to '{}' at {:#x}", target.ty().name(), target.bits());
        // A name that the class provides, as those of functions and classes; not one in the instance.
        let name = match vm.lookup_special(&target, intern!("__name__")) {
            Ok(Some((name, _))) => name.try_into_py::<Str>().ok(),
            _ => None,
        };
        Ok(match name {
            Some(name) => text::joined(&[&at, &what, &" (", &name, &")>"]),
            None => text::joined(&[&at, &what, &">"]),
        })
    }

    #[getter(member)]
    fn __callback__(_: &Vm, this: &Py<Ref>) -> Option<Value> {
        this.link.callback.get()
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        Ok(crate::types::generic_alias::GenericAlias::new_value(
            vm,
            cls.as_value(),
            object,
        ))
    }
}

/// `weakref.ProxyType`.
#[pyclass(name = "ProxyType", module = "weakref", no_new, unhashable)]
#[repr(C)]
pub struct Proxy {
    pub link: Link,
}

/// `weakref.CallableProxyType`.
#[pyclass(name = "CallableProxyType", module = "weakref", no_new, unhashable)]
#[repr(C)]
pub struct CallableProxy {
    pub link: Link,
}

#[cold]
fn gone(vm: &Vm) -> Exc {
    vm.reference_error("weakly-referenced object no longer exists")
}

/// The link of a proxy of either class.
fn proxy_link(value: &Value) -> Option<&Link> {
    match value.downcast_exact::<Proxy>() {
        Some(proxy) => Some(&proxy.link),
        None => value.downcast_exact::<CallableProxy>().map(|proxy| &proxy.link),
    }
}

/// What a proxy stands for; other values stand for themselves.
fn unwrap(vm: &Vm, value: &Value) -> Res<Value> {
    match proxy_link(value) {
        Some(link) => link.get().ok_or_else(|| gone(vm)),
        None => Ok(value.clone()),
    }
}

fn proxy_repr(this: &Value) -> String {
    let at = this.bits();
    match proxy_link(this).and_then(Link::get) {
        Some(target) => format!(
            "<weakproxy at {at:#x}; to '{}' at {:#x}>",
            target.ty().name(),
            target.bits()
        ),
        None => format!("<weakproxy at {at:#x}; dead>"),
    }
}

fn proxy_binary(vm: &Vm, op: BinOp, a: &Value, b: &Value) -> Res<Value> {
    let (a, b) = (unwrap(vm, a)?, unwrap(vm, b)?);
    vm.binary(op, &a, &b)
}

fn proxy_inplace(vm: &Vm, op: BinOp, a: &Value, b: &Value) -> Res<Value> {
    let (a, b) = (unwrap(vm, a)?, unwrap(vm, b)?);
    vm.inplace(op, &a, &b)
}

/// The operations of both proxy classes; `$call` is what only one of them has.
macro_rules! proxy_methods {
    ($proxy:ident { $($call:tt)* }) => {
        #[pymethods]
        impl $proxy {
            $($call)*

            #[slot]
            fn __repr__(_: &Vm, this: &Value) -> String {
                proxy_repr(this)
            }
            #[slot]
            fn __str__(vm: &Vm, this: &Value) -> Res<Py<Str>> {
                vm.str(&unwrap(vm, this)?)
            }
            #[slot]
            fn __getattribute__(vm: &Vm, this: &Value, name: &Py<Str>) -> Res<Value> {
                vm.getattr(&unwrap(vm, this)?, name)
            }
            #[slot]
            fn __setattr__(vm: &Vm, this: &Value, name: &Py<Str>, value: Option<&Value>) -> Res<()> {
                vm.set_or_del_attr(&unwrap(vm, this)?, name, value)
            }
            #[slot]
            fn __richcompare__(vm: &Vm, this: &Value, other: &Value, op: CmpOp) -> Res<Value> {
                vm.rich_compare(&unwrap(vm, this)?, &unwrap(vm, other)?, op)
            }
            #[slot]
            fn __iter__(vm: &Vm, this: &Value) -> Res<Value> {
                vm.iter(&unwrap(vm, this)?)
            }
            #[slot]
            fn __next__(vm: &Vm, this: &Value) -> Res<Option<Value>> {
                let target = unwrap(vm, this)?;
                if target.ty().slots().next.is_none() {
                    let class = target.ty().name();
                    return Err(vm.type_error(format!("Weakref proxy referenced a non-iterator '{class}' object")));
                }
                vm.next(&target)
            }
            #[slot]
            fn __bool__(vm: &Vm, this: &Value) -> Res<bool> {
                vm.truth(&unwrap(vm, this)?)
            }
            #[slot]
            fn __len__(vm: &Vm, this: &Value) -> Res<usize> {
                vm.len(&unwrap(vm, this)?)
            }
            #[slot]
            fn __contains__(vm: &Vm, this: &Value, item: &Value) -> Res<bool> {
                vm.contains(&unwrap(vm, this)?, item)
            }
            #[slot]
            fn __getitem__(vm: &Vm, this: &Value, key: &Value) -> Res<Value> {
                vm.getitem(&unwrap(vm, this)?, key)
            }
            #[slot]
            fn __setitem__(vm: &Vm, this: &Value, key: &Value, value: Option<&Value>) -> Res<()> {
                let target = unwrap(vm, this)?;
                match value {
                    Some(value) => vm.setitem(&target, key, value),
                    None => vm.delitem(&target, key),
                }
            }
            #[slot]
            fn __neg__(vm: &Vm, this: &Value) -> Res<Value> {
                vm.unary(&unwrap(vm, this)?, |s| s.neg, "-")
            }
            #[slot]
            fn __pos__(vm: &Vm, this: &Value) -> Res<Value> {
                vm.unary(&unwrap(vm, this)?, |s| s.pos, "+")
            }
            #[slot]
            fn __invert__(vm: &Vm, this: &Value) -> Res<Value> {
                vm.unary(&unwrap(vm, this)?, |s| s.invert, "~")
            }
            #[slot]
            fn __abs__(vm: &Vm, this: &Value) -> Res<Value> {
                let target = unwrap(vm, this)?;
                match target.ty().slots().abs {
                    Some(abs) => abs(vm, &target),
                    None => Err(vm.type_error(format!("bad operand type for abs(): '{}'", target.ty().name()))),
                }
            }
            #[slot]
            fn __int__(vm: &Vm, this: &Value) -> Res<Value> {
                vm.call(Int::ty().as_value(), &[unwrap(vm, this)?])
            }
            #[slot]
            fn __float__(vm: &Vm, this: &Value) -> Res<Value> {
                vm.call(Float::ty().as_value(), &[unwrap(vm, this)?])
            }
            #[slot]
            fn __index__(vm: &Vm, this: &Value) -> Res<Value> {
                vm.index(&unwrap(vm, this)?)
            }
            #[slot]
            fn __add__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
                proxy_binary(vm, BinOp::Add, a, b)
            }
            #[slot]
            fn __sub__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
                proxy_binary(vm, BinOp::Sub, a, b)
            }
            #[slot]
            fn __mul__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
                proxy_binary(vm, BinOp::Mul, a, b)
            }
            #[slot]
            fn __matmul__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
                proxy_binary(vm, BinOp::MatMul, a, b)
            }
            #[slot]
            fn __truediv__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
                proxy_binary(vm, BinOp::TrueDiv, a, b)
            }
            #[slot]
            fn __floordiv__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
                proxy_binary(vm, BinOp::FloorDiv, a, b)
            }
            #[slot]
            fn __mod__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
                proxy_binary(vm, BinOp::Mod, a, b)
            }
            #[slot]
            fn __divmod__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
                vm.divmod(&unwrap(vm, a)?, &unwrap(vm, b)?)
            }
            #[slot]
            fn __pow__(vm: &Vm, a: &Value, b: &Value, modulus: Option<&Value>) -> Res<Value> {
                let modulus = modulus.map(|m| unwrap(vm, m)).transpose()?;
                vm.pow(&unwrap(vm, a)?, &unwrap(vm, b)?, modulus.as_ref())
            }
            #[slot]
            fn __lshift__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
                proxy_binary(vm, BinOp::LShift, a, b)
            }
            #[slot]
            fn __rshift__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
                proxy_binary(vm, BinOp::RShift, a, b)
            }
            #[slot]
            fn __and__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
                proxy_binary(vm, BinOp::And, a, b)
            }
            #[slot]
            fn __or__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
                proxy_binary(vm, BinOp::Or, a, b)
            }
            #[slot]
            fn __xor__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
                proxy_binary(vm, BinOp::Xor, a, b)
            }
            #[slot]
            fn __iadd__(vm: &Vm, this: &Value, other: &Value) -> Res<Value> {
                proxy_inplace(vm, BinOp::Add, this, other)
            }
            #[slot]
            fn __isub__(vm: &Vm, this: &Value, other: &Value) -> Res<Value> {
                proxy_inplace(vm, BinOp::Sub, this, other)
            }
            #[slot]
            fn __imul__(vm: &Vm, this: &Value, other: &Value) -> Res<Value> {
                proxy_inplace(vm, BinOp::Mul, this, other)
            }
            #[slot]
            fn __imatmul__(vm: &Vm, this: &Value, other: &Value) -> Res<Value> {
                proxy_inplace(vm, BinOp::MatMul, this, other)
            }
            #[slot]
            fn __itruediv__(vm: &Vm, this: &Value, other: &Value) -> Res<Value> {
                proxy_inplace(vm, BinOp::TrueDiv, this, other)
            }
            #[slot]
            fn __ifloordiv__(vm: &Vm, this: &Value, other: &Value) -> Res<Value> {
                proxy_inplace(vm, BinOp::FloorDiv, this, other)
            }
            #[slot]
            fn __imod__(vm: &Vm, this: &Value, other: &Value) -> Res<Value> {
                proxy_inplace(vm, BinOp::Mod, this, other)
            }
            #[slot]
            fn __ipow__(vm: &Vm, this: &Value, other: &Value) -> Res<Value> {
                proxy_inplace(vm, BinOp::Pow, this, other)
            }
            #[slot]
            fn __ilshift__(vm: &Vm, this: &Value, other: &Value) -> Res<Value> {
                proxy_inplace(vm, BinOp::LShift, this, other)
            }
            #[slot]
            fn __irshift__(vm: &Vm, this: &Value, other: &Value) -> Res<Value> {
                proxy_inplace(vm, BinOp::RShift, this, other)
            }
            #[slot]
            fn __iand__(vm: &Vm, this: &Value, other: &Value) -> Res<Value> {
                proxy_inplace(vm, BinOp::And, this, other)
            }
            #[slot]
            fn __ior__(vm: &Vm, this: &Value, other: &Value) -> Res<Value> {
                proxy_inplace(vm, BinOp::Or, this, other)
            }
            #[slot]
            fn __ixor__(vm: &Vm, this: &Value, other: &Value) -> Res<Value> {
                proxy_inplace(vm, BinOp::Xor, this, other)
            }
        }
    };
}

proxy_methods!(Proxy {
    #[pymethod(sig = "($self, /)")]
    fn __bytes__(vm: &Vm, this: &Value) -> Res<Value> {
        vm.call_method(&unwrap(vm, this)?, intern!("__bytes__"), &[])
    }
    #[pymethod(sig = "($self, /)")]
    fn __reversed__(vm: &Vm, this: &Value) -> Res<Value> {
        vm.call_method(&unwrap(vm, this)?, intern!("__reversed__"), &[])
    }
});

proxy_methods!(CallableProxy {
    #[slot]
    fn __call__(vm: &Vm, this: &Value, args: Args<'_>) -> Res<Value> {
        vm.call_args(&unwrap(vm, this)?, args)
    }
});

/// Whether the value is a weak reference whose referent is gone.
pub fn is_dead_ref(value: &Value) -> bool {
    value
        .downcast::<Ref>()
        .is_some_and(|reference| reference.link.is_dead())
}
