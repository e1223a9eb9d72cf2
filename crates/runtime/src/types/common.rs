//! What the container types share: locking an object, borrowing from a slot, hashing keys, error texts.
//!
//! Invariant: nothing here runs Python code while it holds a lock.

use std::mem::ManuallyDrop;

use num_bigint::BigInt;

use crate::memory::header::Header;
use crate::object::{Py, PySlot, Slot, Type, Value};
use crate::sync::{ObjectGuard, lock_object, parallel};
use crate::text::StrBuilder;
use crate::threads;
use crate::types::exceptions;
use crate::types::str::Str;
use crate::vm::{Exc, Res, Vm};

/// Locks an object until the guard is dropped.
#[inline(always)]
pub(crate) fn lock(header: &Header) -> ObjectGuard<'_> {
    lock_object(header)
}

/// Calls `f` with what the slot holds. `f` runs no Python code and drops no values.
#[inline(always)]
pub(crate) fn with_held<T: crate::object::Native, R>(slot: &PySlot<T>, f: impl FnOnce(&Py<T>) -> R) -> Option<R> {
    if parallel() {
        return slot.get().map(|held| f(&held));
    }
    let bits = slot.raw().peek_bits();
    if bits == 0 {
        return None;
    }
    // SAFETY: the slot holds a reference to an object with payload `T`. Under the GIL, and since `f` runs no Python code, nobody
    // replaces it before `f` returns; the copy of the reference is not dropped.
    let held = ManuallyDrop::new(unsafe { Value::from_bits(bits) });
    // SAFETY: as above.
    Some(f(unsafe { held.downcast_unchecked() }))
}

/// Puts a value in a slot that the interpreter's loop reads without counting what it finds: what was there may go after a stop of the world alone.
pub(crate) fn replace_shared(slot: &Slot, value: Option<Value>) {
    let value = match value {
        Some(value) if parallel() => match slot.set_if_empty(value) {
            Ok(()) => return,
            Err(value) => Some(value),
        },
        value => value,
    };
    let old = if parallel() {
        threads::stop_the_world(|| slot.swap(value))
    } else {
        slot.swap(value)
    };
    drop(old);
}

/// Hash of an immediate int: its value modulo 2^61 - 1, sign kept.
#[inline(always)]
pub(crate) fn hash_small_int(i: i64) -> i64 {
    const MODULUS: i64 = (1 << 61) - 1;
    let hash = if -MODULUS < i && i < MODULUS { i } else { i % MODULUS };
    if hash == -1 { -2 } else { hash }
}

/// As `vm.hash`, with the common kinds of keys inline.
#[inline(always)]
pub(crate) fn hash_of(vm: &Vm, key: &Value) -> Res<i64> {
    if let Some(key) = key.downcast_exact::<Str>() {
        return Ok(key.hash());
    }
    if let Some(i) = key.as_small_int() {
        return Ok(hash_small_int(i));
    }
    vm.hash(key)
}

/// Says what the unhashable key was to be used as: "a dict key", "a set element".
#[cold]
#[inline(never)]
pub(crate) fn unhashable(vm: &Vm, exc: Exc, key: &Value, role: &str) -> Exc {
    if !exc.as_value().has_type(exceptions::TYPE_ERROR.get()) {
        return exc;
    }
    let message = vm
        .str(exc.as_value())
        .map(|s| s.to_string_lossy().to_string())
        .unwrap_or_default();
    vm.type_error(format!("cannot use '{}' as {role} ({message})", full_name(key.ty())))
}

/// `module.qualname` for messages, without the module for builtins and the program's own classes.
pub fn full_name(ty: &Py<Type>) -> String {
    let qualname = ty
        .qualname
        .get()
        .map_or_else(|| ty.short_name(), |name| name.to_string_lossy());
    let module = ty.dict().get_str(crate::intern!("__module__"));
    match module.as_ref().and_then(|module| module.downcast::<Str>()) {
        Some(module) if !module.is_text("builtins") && !module.is_text("__main__") => {
            format!("{}.{qualname}", module.to_string_lossy())
        }
        _ => qualname,
    }
}

/// `cls[item]` for classes that take type parameters.
pub(crate) fn class_getitem(vm: &Vm, cls: &Py<Type>, item: &Value) -> Res<Value> {
    Ok(crate::types::generic_alias::GenericAlias::new_value(
        vm,
        cls.as_value(),
        item,
    ))
}

/// `open`, the reprs of the items with commas between, `close`.
pub fn repr_items(vm: &Vm, open: &str, items: &[Value], close: &str) -> Res<Value> {
    let mut text = StrBuilder::new();
    text.push_str(open);
    for (at, item) in items.iter().enumerate() {
        if at != 0 {
            text.push_str(", ");
        }
        text.push_view(vm.repr(item)?.view());
    }
    text.push_str(close);
    finish_text(vm, text)
}

/// The string in the builder; `MemoryError` when there is no memory for it.
pub(crate) fn finish_text(vm: &Vm, text: StrBuilder) -> Res<Value> {
    match Str::try_from_view(text.finish().view()) {
        Some(text) => Ok(text.into_value()),
        None => Err(vm.memory_error()),
    }
}

/// Whether `a <op> b` of what Rust can compare: numbers, or the lengths of sequences with a common beginning.
#[inline]
pub(crate) fn holds<T: PartialOrd>(op: crate::native::CmpOp, a: T, b: T) -> bool {
    use crate::native::CmpOp;
    match op {
        CmpOp::Lt => a < b,
        CmpOp::Le => a <= b,
        CmpOp::Eq => a == b,
        CmpOp::Ne => a != b,
        CmpOp::Gt => a > b,
        CmpOp::Ge => a >= b,
    }
}

/// A function of `builtins`, for the `__reduce__` of iterators.
pub(crate) fn builtin(vm: &Vm, name: &'static Py<Str>) -> Res<Value> {
    vm.frame_builtin(name)
}

/// Whether the exception says that a sequence or an iterator has ended.
pub(crate) fn is_end(exc: &Exc) -> bool {
    exc.is_instance(exceptions::INDEX_ERROR.get()) || exc.is_instance(exceptions::STOP_ITERATION.get())
}

/// An int of any size.
pub(crate) fn to_bigint(vm: &Vm, int: &Value) -> BigInt {
    match int.as_small_int() {
        Some(i) => BigInt::from(i),
        None => vm.int_value(int).map(|i| i.to_bigint()).unwrap_or_default(),
    }
}

/// `operator.index(value)` as an int that is no instance of a subclass.
pub fn exact_index(vm: &Vm, value: &Value) -> Res<Value> {
    let int = vm.index(value)?;
    if int.is_small_int() || int.has_type(<crate::types::int::Int as crate::object::Native>::ty()) {
        return Ok(int);
    }
    Ok(Value::bigint(to_bigint(vm, &int)))
}
