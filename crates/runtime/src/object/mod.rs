//! The object model: values, typed pointers, slots, types, attributes; making and freeing objects.
//!
//! Invariant: an object is made whole before it is shared, and freed by the one who dropped the last reference, never under a lock.

pub mod attrs;
pub mod py;
mod rewrites;
pub mod slot;
pub mod slotdefs;
pub mod slots;
pub mod types;
pub mod value;

use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, Release};

pub use py::{Native, Obj, Py, TypeCell};
pub use slot::{PySlot, Slot};
pub use types::{Type, TypeFlags};
pub use value::Value;

use crate::memory::alloc;
use crate::memory::header::{
    Dropped, FLAG_ATTRS, FLAG_DYING, FLAG_FINALIZED, FLAG_NEAR, FLAG_WEAKREFS, GC_TRACKED, Header, INLINE_SHIFT,
};
use crate::memory::trace::Visitor;
use crate::vm::Vm;

#[cold]
#[inline(never)]
fn out_of_memory(size: usize) -> ! {
    std::alloc::handle_alloc_error(
        std::alloc::Layout::from_size_align(size, 8).unwrap_or(std::alloc::Layout::new::<u64>()),
    )
}

/// A new object of a native type, without attribute store unless the type says so.
#[inline]
pub(crate) fn alloc_native<T: Native>(ty: &'static Py<Type>, data: T) -> Py<T> {
    if ty.attr_offset() != 0 {
        return alloc_with_class(ty, data);
    }
    let size = size_of::<Obj<T>>();
    let Some(block) = alloc::alloc(size, T::GC) else {
        out_of_memory(size)
    };
    let object = block.cast::<Obj<T>>();
    // SAFETY: the block is fresh and large enough; the header is initialised before anyone can see it. Native types are immortal,
    // so their reference need not be counted.
    unsafe {
        (&raw mut (*object.as_ptr()).data).write(data);
        (*object.as_ptr())
            .header
            .init(ty.as_ptr(), 0, if T::GC { GC_TRACKED } else { 0 });
        Py::from_raw(object)
    }
}

/// As [`alloc_native`], of a type without attribute store; a large payload is made where it stays. `make` runs no Python code.
#[inline]
pub(crate) fn alloc_native_with<T: Native>(ty: &'static Py<Type>, make: impl FnOnce() -> T) -> Py<T> {
    debug_assert!(ty.attr_offset() == 0, "the type has an attribute store");
    let size = size_of::<Obj<T>>();
    let Some(block) = alloc::alloc(size, T::GC) else {
        out_of_memory(size)
    };
    let object = block.cast::<Obj<T>>();
    // SAFETY: as in `alloc_native`; there is no safepoint before the header is initialised.
    unsafe {
        (&raw mut (*object.as_ptr()).data).write(make());
        (*object.as_ptr())
            .header
            .init(ty.as_ptr(), 0, if T::GC { GC_TRACKED } else { 0 });
        Py::from_raw(object)
    }
}

/// A new object of `cls` with everything that class adds to the payload.
#[inline]
pub(crate) fn alloc_with_class<T: Native>(cls: &Py<Type>, data: T) -> Py<T> {
    debug_assert!(
        size_of::<T>() == 0 || cls.has_payload(T::info()),
        "the class's instances have another payload"
    );
    let fixed = cls.fixed_size();
    let has_attrs = cls.attr_offset() != 0;
    let inline = if has_attrs { cls.inline_slots() } else { 0 };
    let size = if has_attrs { fixed + 16 + inline * 8 } else { fixed };
    let gc = T::GC || has_attrs || cls.members() != 0 || cls.has_flag(TypeFlags::HEAP);
    let Some(block) = alloc::alloc(size, gc) else {
        out_of_memory(size)
    };
    let object = block.cast::<Obj<T>>();
    let flags = if has_attrs {
        let near = if fixed == size_of::<Header>() { FLAG_NEAR } else { 0 };
        FLAG_ATTRS | near | (inline as u16) << INLINE_SHIFT
    } else {
        0
    };
    // SAFETY: as in `alloc_native`; members and store lie within the block, by the sizes the type computed.
    unsafe {
        (&raw mut (*object.as_ptr()).data).write(data);
        for i in 0..cls.members() {
            block
                .byte_add(cls.members_offset() + i * 8)
                .cast::<AtomicU64>()
                .write(AtomicU64::new(0));
        }
        if has_attrs {
            attrs::Attrs::at(&(*object.as_ptr()).header, fixed).init(cls.root_shape(), inline);
        }
        (*object.as_ptr()).header.init(
            cls.clone().into_value().into_bits() as *mut _,
            flags,
            if gc { GC_TRACKED } else { 0 },
        );
        Py::from_raw(object)
    }
}

/// A new object of a native type, without attribute store, that is followed by `words` words, which `make` fills, given their place, before it
/// makes the payload. It runs no Python code.
#[inline(always)]
pub(crate) fn alloc_followed<T: Native>(
    ty: &'static Py<Type>,
    words: usize,
    make: impl FnOnce(*mut u64) -> T,
) -> Py<T> {
    debug_assert!(ty.attr_offset() == 0, "the type has an attribute store");
    let size = size_of::<Obj<T>>() + words * 8;
    let Some(block) = alloc::alloc(size, T::GC) else {
        out_of_memory(size)
    };
    let object = block.cast::<Obj<T>>();
    // SAFETY: as in `alloc_native`; there is no safepoint before the header is initialised.
    unsafe {
        (&raw mut (*object.as_ptr()).data).write(make(object.add(1).cast::<u64>().as_ptr()));
        (*object.as_ptr())
            .header
            .init(ty.as_ptr(), 0, if T::GC { GC_TRACKED } else { 0 });
        Py::from_raw(object)
    }
}

/// A variable-sized object of a native type: the payload is followed by bytes that `make` fills, given the object, before it makes the payload.
/// It runs no Python code. `None` when there is no memory. (A payload that is made before the block would be put together on the stack and copied: a
/// field of a byte is then written alone and read with its neighbours, for which the processor waits.)
#[inline(always)]
pub(crate) fn alloc_var<T: Native>(
    ty: &'static Py<Type>,
    size: usize,
    make: impl FnOnce(NonNull<Obj<T>>) -> T,
) -> Option<Py<T>> {
    let block = alloc::alloc(size, T::GC)?;
    let object = block.cast::<Obj<T>>();
    // SAFETY: as in `alloc_native`; the caller's `size` covers `Obj<T>` and what `make` writes.
    unsafe {
        let data = make(object);
        (&raw mut (*object.as_ptr()).data).write(data);
        (*object.as_ptr())
            .header
            .init(ty.as_ptr(), 0, if T::GC { GC_TRACKED } else { 0 });
        Some(Py::from_raw(object))
    }
}

/// The memory of a type that is implemented in Rust; immortal, entered in `cell` at once for the thread that makes it.
pub(crate) fn alloc_bootstrap_type(data: Type, cell: &'static TypeCell, meta: &'static TypeCell) -> NonNull<Obj<Type>> {
    let has_attrs_room = 0;
    let size = size_of::<Obj<Type>>() + has_attrs_room;
    let Some(block) = alloc::alloc(size, true) else {
        out_of_memory(size)
    };
    let object = block.cast::<Obj<Type>>();
    // SAFETY: fresh block of the right size. The metatype may still be unmade only when this is `type` itself or what it is made of:
    // `type` is made first (see `bootstrap`).
    unsafe {
        (&raw mut (*object.as_ptr()).data).write(data);
        let meta_ptr = if std::ptr::eq(cell, meta) {
            object.as_ptr()
        } else {
            meta.raw().load(Relaxed)
        };
        (*object.as_ptr()).header.init(meta_ptr, 0, GC_TRACKED);
        (*object.as_ptr()).header.make_immortal();
    }
    cell.raw().store(object.as_ptr(), Release);
    object
}

/// Makes the types everything else needs; once, before anything else.
pub fn bootstrap() {
    Type::ty();
    types::complete_bootstrap();
}

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Whether there is something in `LATER`.
    static WAITING: Cell<bool> = const { Cell::new(false) };
    static LATER: RefCell<Vec<NonNull<Header>>> = const { RefCell::new(Vec::new()) };
}

/// Freeing nests at most this deep; deeper structures are freed from a list.
const MAX_DEPTH: u32 = 50;

/// Frees an object whose last reference was dropped.
///
/// # Safety
/// `header` is in the dead state (see [`Header`]), and this call alone was told so.
#[inline(never)]
pub(crate) unsafe fn dealloc(header: NonNull<Header>) {
    let depth = DEPTH.get();
    if depth >= MAX_DEPTH {
        LATER.with_borrow_mut(|later| later.push(header));
        WAITING.set(true);
        return;
    }
    DEPTH.set(depth + 1);
    // SAFETY: passed on.
    unsafe { dealloc_now(header) };
    if depth == 0 && WAITING.get() {
        // SAFETY: they were put off above, and nobody else has them.
        unsafe { dealloc_waiting() };
    }
    DEPTH.set(depth);
}

#[cold]
unsafe fn dealloc_waiting() {
    while let Some(next) = LATER.with_borrow_mut(Vec::pop) {
        // SAFETY: by the caller.
        unsafe { dealloc_now(next) };
    }
    WAITING.set(false);
}

#[inline(always)]
unsafe fn dealloc_now(header: NonNull<Header>) {
    // SAFETY: the object is ours alone until its memory is given back.
    unsafe {
        let head = header.as_ref();
        let ty = &*head.type_ptr();
        let plain = ty.data.frees_plainly() || crate::types::generator::ends_plainly(ty, header);
        if plain && !head.flag(FLAG_WEAKREFS) {
            (ty.data.info.drop)(header);
            alloc::free(header.cast());
        } else {
            dealloc_fully(header);
        }
    }
}

/// Frees an object with all that its type may ask for.
#[inline(never)]
unsafe fn dealloc_fully(header: NonNull<Header>) {
    // SAFETY: the object is ours alone until its memory is given back.
    unsafe {
        let head = header.as_ref();
        let ty = &*head.type_ptr();
        if let Some(finalize) = ty.data.slots().finalize
            && !head.flag(FLAG_FINALIZED)
            && !crate::types::generator::is_settled(ty, header)
        {
            head.revive();
            head.set_flag(FLAG_FINALIZED);
            let value = Value::from_bits(header.as_ptr() as u64);
            let vm = Vm::current();
            vm.run_finalizer(finalize, &value);
            if head.decref_forget(value) == Dropped::Alive {
                return;
            }
        }
        if head.flag(FLAG_WEAKREFS) {
            head.revive();
            head.set_flag(FLAG_DYING);
            let value = Value::from_bits(header.as_ptr() as u64);
            crate::types::weakref::clear_for(&value);
            if head.decref_forget(value) == Dropped::Alive {
                return;
            }
        }
        if let Some(attrs) = attrs::of_header(head, ty) {
            attrs.drop_all();
        }
        for i in 0..ty.data.members() {
            let slot = header.byte_add(ty.data.members_offset() + i * 8).cast::<Slot>();
            drop(slot.as_ref().take());
        }
        if std::ptr::eq(ty.data.info, Type::info()) {
            let as_type = std::mem::ManuallyDrop::new(Py::<Type>::from_raw(header.cast()));
            as_type.unlink_from_bases();
        }
        (ty.data.info.drop)(header);
        let ty = Py::<Type>::from_raw(NonNull::new_unchecked(head.type_ptr()));
        alloc::free(header.cast());
        drop(ty);
    }
}

impl Header {
    /// Gives up the reference that `value` holds without freeing anything.
    fn decref_forget(&self, value: Value) -> Dropped {
        std::mem::forget(value);
        self.decref()
    }
}

/// Visits everything an object refers to: payload, members, attribute store and type.
///
/// # Safety
/// `header` is a live object and the world is stopped.
pub(crate) unsafe fn traverse(header: NonNull<Header>, visit: &mut Visitor<'_>) {
    // SAFETY: passed on.
    unsafe {
        let head = header.as_ref();
        let ty_ptr = head.type_ptr();
        let ty = &(*ty_ptr).data;
        (ty.info.traverse)(header, visit);
        for i in 0..ty.members() {
            use crate::memory::trace::Trace;
            header
                .byte_add(ty.members_offset() + i * 8)
                .cast::<Slot>()
                .as_ref()
                .traverse(visit);
        }
        if let Some(attrs) = attrs::of_header(head, &*ty_ptr) {
            attrs.traverse(visit);
        }
        visit.object(NonNull::new_unchecked(ty_ptr.cast()));
    }
}

/// Moves out what an object refers to, to break cycles; the caller drops it when nothing is locked.
///
/// # Safety
/// `header` is a live object that the collector found unreachable.
pub(crate) unsafe fn clear(header: NonNull<Header>, out: &mut Vec<Value>) {
    // SAFETY: passed on.
    unsafe {
        let head = header.as_ref();
        let ty_ptr = head.type_ptr();
        let ty = &(*ty_ptr).data;
        (ty.info.clear)(header, out);
        for i in 0..ty.members() {
            out.extend(
                header
                    .byte_add(ty.members_offset() + i * 8)
                    .cast::<Slot>()
                    .as_ref()
                    .take(),
            );
        }
        if let Some(attrs) = attrs::of_header(head, &*ty_ptr) {
            out.extend(attrs.tear_down());
        }
    }
}
