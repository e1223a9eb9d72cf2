//! Typed object pointers: `Py<T>` owns a reference to a heap object whose payload is a `T`.
//!
//! Invariant: a `T` behind a `Py<T>` is shared between threads, so its fields are atomics, [`super::slot::Slot`]s, cells guarded by
//! the object's lock, or immutable.

use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{
    AtomicPtr,
    Ordering::{Acquire, Relaxed, Release},
};

use super::types::{Type, TypeFlags};
use super::value::Value;
use crate::memory::header::Header;
use crate::memory::trace::{Trace, Visitor};
use crate::native::NativeMethods;

/// A heap object: header, payload, and behind them what the type adds (see [`super::attrs`]).
#[repr(C)]
pub struct Obj<T> {
    pub header: Header,
    pub data: T,
}

/// What the runtime must know of a payload type.
pub struct PayloadInfo {
    /// Name of the Rust type, for messages about the runtime itself.
    pub name: &'static str,
    /// Size of `Obj<T>` in bytes.
    pub size: usize,
    /// The payload this one begins with (a `#[repr(C)]` first field), if any: such an object can be used as one of that type.
    pub base: Option<&'static PayloadInfo>,
    /// Whether objects with only this payload can be part of a reference cycle.
    pub gc: bool,
    /// [`Native::LATE_END`].
    pub late_end: bool,
    /// Drops the payload in place.
    pub drop: unsafe fn(NonNull<Header>),
    /// Visits the payload's references.
    pub traverse: unsafe fn(NonNull<Header>, &mut Visitor<'_>),
    /// Moves the payload's references out.
    pub clear: unsafe fn(NonNull<Header>, &mut Vec<Value>),
}

/// Where the type object of a native type is found: by all threads once it is complete, by the one that makes it from the start.
pub struct TypeCell {
    complete: AtomicPtr<Obj<Type>>,
    made: AtomicPtr<Obj<Type>>,
}

impl TypeCell {
    #[expect(clippy::new_without_default, reason = "only for statics")]
    pub const fn new() -> TypeCell {
        TypeCell {
            complete: AtomicPtr::new(std::ptr::null_mut()),
            made: AtomicPtr::new(std::ptr::null_mut()),
        }
    }

    /// The type object, which may be incomplete. Only the holder of the lock under which types are made looks here.
    pub(crate) fn raw(&self) -> &AtomicPtr<Obj<Type>> {
        &self.made
    }

    /// The type object, if it is complete.
    #[inline(always)]
    pub fn get(&'static self) -> Option<&'static Py<Type>> {
        TypeCell::read(&self.complete)
    }

    /// Where the type object is, once there is one; for comparisons.
    #[inline(always)]
    pub(crate) fn address(&self) -> *mut Obj<Type> {
        self.made.load(Relaxed)
    }

    /// The type object, if there is one, complete or not; see [`TypeCell::raw`].
    pub(crate) fn get_made(&'static self) -> Option<&'static Py<Type>> {
        TypeCell::read(&self.made)
    }

    /// Shows the type, now complete, to all threads.
    pub(crate) fn publish(&self) {
        self.complete.store(self.made.load(Acquire), Release);
    }

    #[inline(always)]
    fn read(place: &'static AtomicPtr<Obj<Type>>) -> Option<&'static Py<Type>> {
        if place.load(Acquire).is_null() {
            return None;
        }
        // SAFETY: a place that is not null holds an immortal type object and never changes again; `Py<Type>` is one pointer word.
        Some(unsafe { &*std::ptr::from_ref(place).cast::<Py<Type>>() })
    }
}

/// A type implemented in Rust. Implemented by `#[pyclass]`.
///
/// # Safety
/// `type_cell` is a static of this type alone, and `payload_base` names the payload of a `#[repr(C)]` first field.
pub unsafe trait Native: Trace + NativeMethods + Send + Sync + Sized + 'static {
    /// `__name__`.
    const NAME: &'static str;
    /// `__module__`.
    const MODULE: &'static str;
    /// `__doc__`.
    const DOC: Option<&'static str>;
    const FLAGS: TypeFlags;
    /// Whether the payload can be part of a cycle.
    const GC: bool = Self::FLAGS.has(TypeFlags::GC);
    /// Whether nobody but memory notices when an object with this payload ends, so that it may end late; see `memory::leases`. What it refers to may
    /// end late with it.
    const LATE_END: bool = false;
    /// The base class; `Self` for `object` alone.
    type Base: Native;

    fn type_cell() -> &'static TypeCell;

    /// The payload which this one begins with.
    fn payload_base() -> Option<&'static PayloadInfo> {
        if size_of::<Self::Base>() == 0 {
            None
        } else {
            Some(Self::Base::info())
        }
    }

    /// The payload's description.
    fn info() -> &'static PayloadInfo {
        Info::<Self>::get()
    }

    /// The type object, made on first use.
    #[inline(always)]
    fn ty() -> &'static Py<Type> {
        match Self::type_cell().get() {
            Some(ty) => ty,
            None => super::types::make_native::<Self>(),
        }
    }
}

struct Info<T>(PhantomData<T>);

impl<T: Native> Info<T> {
    const WITHOUT_BASE: PayloadInfo = PayloadInfo {
        name: T::NAME,
        size: size_of::<Obj<T>>(),
        base: None,
        gc: T::GC,
        late_end: T::LATE_END,
        drop: drop_payload::<T>,
        traverse: traverse_payload::<T>,
        clear: clear_payload::<T>,
    };

    fn get() -> &'static PayloadInfo {
        T::type_info_cell()
    }
}

/// One description a payload type, found by its type cell so that its address is unique.
trait InfoCell: Native {
    fn type_info_cell() -> &'static PayloadInfo;
}

impl<T: Native> InfoCell for T {
    fn type_info_cell() -> &'static PayloadInfo {
        if let Some(ty) = T::type_cell().get() {
            return ty.info;
        }
        let info = PayloadInfo {
            base: T::payload_base(),
            ..Info::<T>::WITHOUT_BASE
        };
        super::types::payload_info(std::ptr::from_ref(T::type_cell()) as usize, info)
    }
}

unsafe fn drop_payload<T>(header: NonNull<Header>) {
    // SAFETY: the caller passes an object whose payload is a `T` that nobody will use again.
    unsafe { std::ptr::drop_in_place(&raw mut (*header.as_ptr().cast::<Obj<T>>()).data) }
}

unsafe fn traverse_payload<T: Trace>(header: NonNull<Header>, visit: &mut Visitor<'_>) {
    // SAFETY: the caller passes a live object whose payload is a `T`.
    unsafe { (*header.as_ptr().cast::<Obj<T>>()).data.traverse(visit) }
}

unsafe fn clear_payload<T: Trace>(header: NonNull<Header>, out: &mut Vec<Value>) {
    // SAFETY: the caller passes a live object whose payload is a `T`.
    unsafe { (*header.as_ptr().cast::<Obj<T>>()).data.clear(out) }
}

/// An owned reference to an object with payload `T`.
#[repr(transparent)]
pub struct Py<T>(NonNull<Obj<T>>);

impl<T> Py<T> {
    /// # Safety
    /// `ptr` is a live object with payload `T`, and its reference moves to the result.
    #[inline(always)]
    pub unsafe fn from_raw(ptr: NonNull<Obj<T>>) -> Py<T> {
        Py(ptr)
    }

    #[inline(always)]
    pub fn as_ptr(&self) -> *mut Obj<T> {
        self.0.as_ptr()
    }

    /// The object's header.
    #[inline(always)]
    pub fn header(&self) -> &Header {
        // SAFETY: the reference keeps the object alive.
        unsafe { &(*self.0.as_ptr()).header }
    }

    /// The same reference as a value.
    #[inline(always)]
    pub fn as_value(&self) -> &Value {
        // SAFETY: both are one pointer word to the object.
        unsafe { &*std::ptr::from_ref(self).cast::<Value>() }
    }

    #[inline(always)]
    pub fn into_value(self) -> Value {
        let bits = self.0.as_ptr() as u64;
        std::mem::forget(self);
        // SAFETY: the reference moves over.
        unsafe { Value::from_bits(bits) }
    }

    #[inline(always)]
    pub fn to_value(&self) -> Value {
        self.as_value().clone()
    }

    /// Identity.
    #[inline(always)]
    pub fn is<U>(&self, other: &Py<U>) -> bool {
        std::ptr::addr_eq(self.0.as_ptr(), other.0.as_ptr())
    }

    /// The type, borrowed.
    #[inline(always)]
    pub fn class(&self) -> &Py<Type> {
        self.as_value().ty()
    }
}

impl<T: Native> Py<T> {
    /// The same reference as one to an object of the base class.
    #[inline(always)]
    pub fn as_base(&self) -> &Py<T::Base> {
        // SAFETY: the payload begins with that of the base, by the contract of `Native`.
        unsafe { self.as_value().downcast_unchecked() }
    }

    /// A new object of `T`'s own type.
    ///
    /// # Panics
    /// When the system has no memory left for an object of fixed size: nothing can go on then.
    #[inline]
    pub fn new(data: T) -> Py<T> {
        super::alloc_native(T::ty(), data)
    }

    /// A new object of `cls`, which is `T`'s type or a subclass.
    #[inline]
    pub fn with_class(cls: &Py<Type>, data: T) -> Py<T> {
        super::alloc_with_class(cls, data)
    }
}

impl<T> Deref for Py<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the reference keeps the object alive.
        unsafe { &(*self.0.as_ptr()).data }
    }
}

impl<T> Clone for Py<T> {
    #[inline(always)]
    fn clone(&self) -> Py<T> {
        self.header().incref();
        Py(self.0)
    }
}

impl<T> Drop for Py<T> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: the reference moves to the value, which drops it.
        drop(unsafe { Value::from_bits(self.0.as_ptr() as u64) });
    }
}

// SAFETY: as for `Value`.
unsafe impl<T> Send for Py<T> {}
// SAFETY: as for `Value`.
unsafe impl<T> Sync for Py<T> {}

impl<T> Trace for Py<T> {
    #[inline]
    fn traverse(&self, visit: &mut Visitor<'_>) {
        visit.object(self.0.cast());
    }
}

impl<T> From<Py<T>> for Value {
    fn from(py: Py<T>) -> Value {
        py.into_value()
    }
}
