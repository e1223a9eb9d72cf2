//! `tuple`: an immutable sequence.
//!
//! Invariant: the items never change once the object is shared, so they can be borrowed for as long as the tuple is. Those of an
//! exact tuple lie behind the payload; those of a subclass instance, whose attributes go there, in a block of their own.

use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::OnceLock;

use super::common::{class_getitem, full_name, hash_of, holds, repr_items};
use super::list::List;
use super::seq_iter::TupleIter;
use super::slice::{Slice, clamp_range, index_argument};
use crate::memory::trace::{Trace, Visitor};
use crate::native::{CmpOp, pyclass, pymethods};
use crate::object::{Native, Obj, Py, Type, TypeFlags, Value};
use crate::sync::atomic::{AtomicI64, Ordering::Relaxed};
use crate::types::str::Str;
use crate::vm::{Res, Vm};

/// An immutable sequence.
#[pyclass(
    name = "tuple",
    late_end,
    basetype,
    sequence,
    flags = TypeFlags::TUPLE_SUBCLASS,
    doc = "Built-in immutable sequence.\n\nIf no argument is given, the constructor returns an empty tuple.\nIf iterable is specified the tuple is initialized from iterable's items.\n\nIf the argument is a tuple, the return value is the same object."
)]
pub struct Tuple {
    items: Items,
    /// [`NO_HASH`] until computed.
    hash: AtomicI64,
}

/// No hash is -1.
const NO_HASH: i64 = -1;

struct Items {
    at: NonNull<Value>,
    len: usize,
    /// The block was allocated as a boxed slice.
    boxed: bool,
}

// SAFETY: the items never change and are themselves `Send` and `Sync`.
unsafe impl Send for Items {}
// SAFETY: as above.
unsafe impl Sync for Items {}

impl Items {
    #[inline(always)]
    fn as_slice(&self) -> &[Value] {
        // SAFETY: `len` initialised values lie at `at` as long as the object lives.
        unsafe { std::slice::from_raw_parts(self.at.as_ptr(), self.len) }
    }
}

impl Trace for Items {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        visit.values(self.as_slice());
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        // SAFETY: the tuple owns its items and, if it was made from one, the boxed slice.
        unsafe {
            if self.boxed {
                drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(
                    self.at.as_ptr(),
                    self.len,
                )));
            } else {
                Value::drop_all(self.at.as_ptr(), self.len);
            }
        }
    }
}

static EMPTY: OnceLock<Py<Tuple>> = OnceLock::new();

impl Tuple {
    /// An exact tuple of `len` items that `fill` writes; `None` without memory.
    #[inline(always)]
    fn alloc(len: usize, fill: impl FnOnce(*mut Value)) -> Option<Py<Tuple>> {
        let size = len
            .checked_mul(size_of::<Value>())?
            .checked_add(size_of::<Obj<Tuple>>())?;
        if size > isize::MAX as usize {
            return None;
        }
        crate::object::alloc_var(Tuple::ty(), size, |object: NonNull<Obj<Tuple>>| {
            // SAFETY: the block has room for `len` values behind the payload, which nobody else knows yet.
            let at = unsafe { object.add(1).cast::<Value>() };
            fill(at.as_ptr());
            Tuple {
                items: Items { at, len, boxed: false },
                hash: AtomicI64::new(NO_HASH),
            }
        })
    }

    fn or_abort(made: Option<Py<Tuple>>) -> Py<Tuple> {
        made.unwrap_or_else(|| std::alloc::handle_alloc_error(std::alloc::Layout::new::<u64>()))
    }

    /// `()`
    pub fn empty() -> Py<Tuple> {
        // The type first: making it makes empty tuples.
        Tuple::ty();
        EMPTY
            .get_or_init(|| {
                let empty = Tuple::or_abort(Tuple::alloc(0, |_| {}));
                empty.header().make_immortal();
                empty
            })
            .clone()
    }

    /// A tuple of the items.
    ///
    /// # Panics
    /// Without memory: sizes that a program chooses go through [`Tuple::try_new`].
    pub fn new(items: Vec<Value>) -> Py<Tuple> {
        Tuple::or_abort(Tuple::try_new(items))
    }

    /// A tuple of the items; `None` without memory.
    pub fn try_new(mut items: Vec<Value>) -> Option<Py<Tuple>> {
        if items.is_empty() {
            return Some(Tuple::empty());
        }
        let len = items.len();
        let made = Tuple::alloc(len, |to| {
            // SAFETY: there is room for `len` values.
            unsafe { std::ptr::copy_nonoverlapping(items.as_ptr(), to, len) }
        })?;
        // SAFETY: the values have moved to the tuple.
        unsafe { items.set_len(0) };
        Some(made)
    }

    /// A tuple of the items, without a detour through a `Vec`.
    #[inline]
    pub fn from_array<const N: usize>(items: [Value; N]) -> Py<Tuple> {
        if N == 0 {
            return Tuple::empty();
        }
        // SAFETY: there is room for `N` values.
        Tuple::or_abort(Tuple::alloc(N, |to| unsafe { to.cast::<[Value; N]>().write(items) }))
    }

    /// `(a, b)`
    #[inline]
    pub fn pair(a: Value, b: Value) -> Py<Tuple> {
        Tuple::from_array([a, b])
    }

    /// A tuple of the values in `n` registers, which are left empty.
    ///
    /// # Safety
    /// `at` are `n` words of values that the caller owns and gives up.
    #[inline(never)]
    pub(crate) unsafe fn from_registers(at: *mut u64, n: usize) -> Py<Tuple> {
        if n == 0 {
            return Tuple::empty();
        }
        Tuple::or_abort(Tuple::alloc(n, |to| {
            for i in 0..n {
                // SAFETY: there is room for `n` values, and by contract as many words.
                unsafe { to.add(i).cast::<u64>().write(at.add(i).replace(0)) };
            }
        }))
    }

    /// A tuple of further references to the items.
    pub fn from_slice_clone(items: &[Value]) -> Py<Tuple> {
        Tuple::or_abort(Tuple::try_from_slice(items))
    }

    /// As [`Tuple::from_slice_clone`]; `None` without memory.
    pub fn try_from_slice(items: &[Value]) -> Option<Py<Tuple>> {
        if items.is_empty() {
            return Some(Tuple::empty());
        }
        // SAFETY: there is room for `items.len()` values.
        Tuple::alloc(items.len(), |to| unsafe { Value::clone_all(items, to) })
    }

    /// A tuple of what a list holds; `None` without memory.
    pub fn of_list(list: &Py<List>) -> Option<Py<Tuple>> {
        list.with(|items| Tuple::try_from_slice(items))
    }

    /// The payload of an instance of a subclass.
    pub fn payload(items: Vec<Value>) -> Tuple {
        let items = Box::leak(items.into_boxed_slice());
        let (at, len) = (NonNull::from(&mut *items).cast::<Value>(), items.len());
        Tuple {
            items: Items { at, len, boxed: true },
            hash: AtomicI64::new(NO_HASH),
        }
    }

    /// A tuple of class `cls`.
    fn new_of(vm: &Vm, cls: &Py<Type>, items: Vec<Value>) -> Res<Value> {
        if cls.is(Tuple::ty()) {
            Tuple::try_new(items)
                .map(Py::into_value)
                .ok_or_else(|| vm.memory_error())
        } else {
            Ok(Py::with_class(cls, Tuple::payload(items)).into_value())
        }
    }

    #[inline(always)]
    pub fn as_slice(&self) -> &[Value] {
        self.items.as_slice()
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.items.len
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.items.len == 0
    }
}

impl Deref for Tuple {
    type Target = [Value];
    #[inline(always)]
    fn deref(&self) -> &[Value] {
        self.as_slice()
    }
}

impl Py<Tuple> {
    #[inline(always)]
    fn is_exact(&self) -> bool {
        self.class().as_ptr() == Tuple::ty().as_ptr()
    }

    /// Leaves the tuple without its items, whose references are the caller's: they lie where they were as long as the tuple lives.
    ///
    /// # Safety
    /// Nobody else has a reference to the tuple, which is an exact one.
    #[inline(always)]
    pub(crate) unsafe fn disown_items(&self) {
        debug_assert!(self.header().is_unique() && self.is_exact());
        // SAFETY: by contract nobody looks at the field meanwhile; no reference to it is held here.
        unsafe { (*self.as_ptr()).data.items.len = 0 };
    }

    /// `self + other`
    pub(crate) fn concatenated(&self, vm: &Vm, other: &Py<Tuple>) -> Res<Value> {
        if self.is_empty() && other.is_exact() {
            return Ok(other.to_value());
        }
        if other.is_empty() && self.is_exact() {
            return Ok(self.to_value());
        }
        let (a, b) = (self.as_slice(), other.as_slice());
        // SAFETY: there is room for the items of both.
        let made = Tuple::alloc(a.len() + b.len(), |to| unsafe {
            Value::clone_all(a, to);
            Value::clone_all(b, to.add(a.len()));
        });
        made.map(Py::into_value).ok_or_else(|| vm.memory_error())
    }

    /// `self[start:stop:step]`
    fn sliced(&self, vm: &Vm, slice: &Py<Slice>) -> Res<Value> {
        let range = slice.adjust(vm, self.len())?;
        if range.count == self.len() && range.step == 1 && self.is_exact() {
            return Ok(self.to_value());
        }
        let made = match range.contiguous() {
            Some(part) => Tuple::try_from_slice(&self[part]),
            None => {
                let mut items = Vec::new();
                items.try_reserve_exact(range.count).map_err(|_| vm.memory_error())?;
                items.extend(range.indices().map(|at| self[at].clone()));
                Tuple::try_new(items)
            }
        };
        made.map(Py::into_value).ok_or_else(|| vm.memory_error())
    }
}

#[pymethods]
impl Tuple {
    #[slot(sig = "(iterable=(), /)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, iterable: Option<&Value>) -> Res<Value> {
        let exact = cls.is(Tuple::ty());
        let Some(iterable) = iterable else {
            return Tuple::new_of(vm, cls, Vec::new());
        };
        if exact && iterable.downcast_exact::<Tuple>().is_some() {
            return Ok(iterable.clone());
        }
        Tuple::new_of(vm, cls, vm.collect(iterable)?)
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Tuple>) -> Res<Value> {
        if this.is_empty() {
            return Ok(Value::from("()"));
        }
        let Some(_guard) = vm.repr_enter(this.as_value()) else {
            return Ok(Value::from("(...)"));
        };
        repr_items(vm, "(", this, if this.len() == 1 { ",)" } else { ")" })
    }

    #[slot]
    fn __len__(_vm: &Vm, this: &Py<Tuple>) -> Res<usize> {
        Ok(this.len())
    }

    #[slot]
    fn __hash__(vm: &Vm, this: &Py<Tuple>) -> Res<i64> {
        let known = this.hash.load(Relaxed);
        if known != NO_HASH {
            return Ok(known);
        }
        let hash = hash_items(vm, this)?;
        this.hash.store(hash, Relaxed);
        Ok(hash)
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Tuple>) -> Res<Value> {
        Ok(TupleIter::over(this).into_value())
    }

    #[slot]
    fn __contains__(vm: &Vm, this: &Py<Tuple>, item: &Value) -> Res<bool> {
        for mine in this.iter() {
            if vm.eq(mine, item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<Tuple>, key: &Value) -> Res<Value> {
        if let Some(slice) = key.downcast_exact::<Slice>() {
            return this.sliced(vm, slice);
        }
        let index = match key.as_small_int() {
            Some(i) => i as isize,
            None if key.ty().slots().index.is_some() => vm.index_to_isize(key)?,
            None => {
                let message = format!("tuple indices must be integers or slices, not {}", key.ty().name());
                return Err(vm.type_error(message));
            }
        };
        let at = if index < 0 {
            index.wrapping_add_unsigned(this.len())
        } else {
            index
        };
        match usize::try_from(at).ok().and_then(|at| this.get(at)) {
            Some(item) => Ok(item.clone()),
            None => Err(vm.index_error("tuple index out of range")),
        }
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<Tuple>, other: &Value, op: CmpOp) -> Res<Value> {
        match other.downcast::<Tuple>() {
            Some(other) => compare_items(vm, this, other, op),
            None => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    #[slot]
    fn __concat__(vm: &Vm, this: &Py<Tuple>, other: &Value) -> Res<Value> {
        let Some(theirs) = other.downcast::<Tuple>() else {
            let message = format!(
                "can only concatenate tuple (not \"{}\") to tuple",
                full_name(other.ty())
            );
            return Err(vm.type_error(message));
        };
        this.concatenated(vm, theirs)
    }

    #[slot]
    fn __repeat__(vm: &Vm, this: &Py<Tuple>, n: isize) -> Res<Value> {
        if (this.is_empty() || n == 1) && this.is_exact() {
            return Ok(this.to_value());
        }
        let n = usize::try_from(n).unwrap_or(0);
        if n == 0 || this.is_empty() {
            return Ok(Tuple::empty().into_value());
        }
        let Some(len) = this.len().checked_mul(n) else {
            return Err(vm.memory_error());
        };
        let made = Tuple::alloc(len, |to| {
            for (at, item) in this.iter().enumerate() {
                for turn in 0..n {
                    // SAFETY: there is room for `len` values, and `turn * this.len() + at < len`.
                    unsafe { to.add(turn * this.len() + at).write(item.clone()) };
                }
            }
        });
        made.map(Py::into_value).ok_or_else(|| vm.memory_error())
    }

    #[pymethod(sig = "($self, /)")]
    fn __getnewargs__(_vm: &Vm, this: &Py<Tuple>) -> Res<Value> {
        let plain = if this.is_exact() {
            this.clone()
        } else {
            Tuple::from_slice_clone(this)
        };
        Ok(Tuple::from_array([plain.into_value()]).into_value())
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        class_getitem(vm, cls, object)
    }

    /// Return first index of value.
    ///
    /// Raises ValueError if the value is not present.
    #[pymethod(sig = "($self, value, start=0, stop=sys.maxsize, /)")]
    fn index(vm: &Vm, this: &Py<Tuple>, value: &Value, start: Option<&Value>, stop: Option<&Value>) -> Res<usize> {
        let (start, stop) = (index_argument(vm, start, 0)?, index_argument(vm, stop, isize::MAX)?);
        for at in clamp_range(start, stop, this.len()) {
            if vm.eq(&this[at], value)? {
                return Ok(at);
            }
        }
        Err(vm.value_error("tuple.index(x): x not in tuple"))
    }

    /// Return number of occurrences of value.
    #[pymethod(sig = "($self, value, /)")]
    fn count(vm: &Vm, this: &Py<Tuple>, value: &Value) -> Res<usize> {
        let mut count = 0;
        for item in this.iter() {
            count += usize::from(vm.eq(item, value)?);
        }
        Ok(count)
    }
}

const PRIME_5: u64 = 2_870_177_450_012_600_261;

/// xxHash's 64-bit rounds over the hashes of the items, as CPython combines them.
pub(crate) fn hash_rounds(vm: &Vm, items: &[Value]) -> Res<u64> {
    const PRIME_1: u64 = 11_400_714_785_074_694_791;
    const PRIME_2: u64 = 14_029_467_366_897_019_727;
    let mut sum = PRIME_5;
    for item in items {
        // Only objects other than strings can nest.
        let nests = item.is_heap() && item.downcast_exact::<Str>().is_none();
        let guard = if nests {
            Some(vm.enter_recursive(" while hashing an object")?)
        } else {
            None
        };
        let lane = hash_of(vm, item)? as u64;
        drop(guard);
        sum = sum
            .wrapping_add(lane.wrapping_mul(PRIME_2))
            .rotate_left(31)
            .wrapping_mul(PRIME_1);
    }
    Ok(sum)
}

/// No hash is -1.
pub(crate) fn finish_hash(sum: u64) -> i64 {
    if sum == u64::MAX { 1_546_275_796 } else { sum as i64 }
}

/// The hash of a tuple with these items.
pub(crate) fn hash_items(vm: &Vm, items: &[Value]) -> Res<i64> {
    Ok(finish_hash(
        hash_rounds(vm, items)?.wrapping_add(items.len() as u64 ^ (PRIME_5 ^ 3_527_539)),
    ))
}

/// Compares two sequences of items that cannot change.
pub fn compare_items(vm: &Vm, a: &[Value], b: &[Value], op: CmpOp) -> Res<Value> {
    let _guard = vm.enter_recursive(" in comparison")?;
    for (mine, theirs) in a.iter().zip(b) {
        if vm.eq(mine, theirs)? {
            continue;
        }
        return match op {
            CmpOp::Eq => Ok(Value::FALSE),
            CmpOp::Ne => Ok(Value::TRUE),
            _ => match Vm::compare_plainly(mine, theirs, op) {
                Some(known) => Ok(Value::from_bool(known)),
                None => vm.rich_compare(mine, theirs, op),
            },
        };
    }
    Ok(Value::from_bool(holds(op, a.len(), b.len())))
}
