//! The methods of `set` and `frozenset`, and their iterator.
//!
//! Invariant: a method that both types have is a function over [`AnySet`] here, and each type's method only calls it.

use super::common::{builtin, class_getitem, finish_text};
use super::list::List;
use super::set::{AnySet, FrozenSet, Set, is_exact_frozen};
use super::set_table::SetTable;
use super::tuple::Tuple;
use crate::native::{Args, CmpOp, pyclass, pymethods};
use crate::object::{Native, Obj, Py, Slot, Type, Value};
use crate::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use crate::sync::parallel;
use crate::text::StrBuilder;
use crate::vm::{Res, Vm};

/// Both operands of an operator as sets, or `NotImplemented`.
macro_rules! operands {
    ($a:ident, $b:ident) => {
        match (AnySet::of($a), AnySet::of($b)) {
            (Some(a), Some(b)) => (a, b),
            _ => return Ok(Value::NOT_IMPLEMENTED),
        }
    };
}

fn repr(vm: &Vm, set: AnySet<'_>) -> Res<Value> {
    let name = set.value.ty().name();
    let Some(_guard) = vm.repr_enter(set.value) else {
        return Ok(Value::from(format!("{name}(...)").as_str()));
    };
    let keys = set.keys(vm)?;
    if keys.is_empty() {
        return Ok(Value::from(format!("{name}()").as_str()));
    }
    let plain = set.value.has_type(Set::ty());
    let mut text = StrBuilder::new();
    if !plain {
        text.push_str(&name);
        text.push_str("(");
    }
    for (at, key) in keys.iter().enumerate() {
        text.push_str(if at == 0 { "{" } else { ", " });
        text.push_view(vm.repr(key)?.view());
    }
    text.push_str(if plain { "}" } else { "})" });
    finish_text(vm, text)
}

fn compare(vm: &Vm, a: AnySet<'_>, b: &Value, op: CmpOp) -> Res<Value> {
    let Some(b) = AnySet::of(b) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let (mine, theirs) = (a.len(), b.len());
    let result = match op {
        CmpOp::Eq => mine == theirs && a.is_subset(vm, b)?,
        CmpOp::Ne => !(mine == theirs && a.is_subset(vm, b)?),
        CmpOp::Lt => mine < theirs && a.is_subset(vm, b)?,
        CmpOp::Le => a.is_subset(vm, b)?,
        CmpOp::Gt => mine > theirs && b.is_subset(vm, a)?,
        CmpOp::Ge => b.is_subset(vm, a)?,
    };
    Ok(Value::from_bool(result))
}

fn or(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
    let (a, b) = operands!(a, b);
    let result = a.like(a.copied_table(vm)?);
    if let (Some(set), false) = (AnySet::of(&result), a.is_same(&b)) {
        set.update(vm, b.value)?;
    }
    Ok(result)
}

fn and(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
    let (a, b) = operands!(a, b);
    Ok(a.like(a.intersection(vm, b.value)?))
}

fn sub(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
    let (a, b) = operands!(a, b);
    Ok(a.like(a.difference(vm, b.value)?))
}

fn xor(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
    let (a, b) = operands!(a, b);
    symmetric_difference(vm, a, b.value)
}

fn symmetric_difference(vm: &Vm, set: AnySet<'_>, other: &Value) -> Res<Value> {
    let result = Set::new_empty();
    result.update(vm, other)?;
    result.symmetric_difference_update(vm, set.value)?;
    Ok(set.like(result.any().take_table()))
}

fn union(vm: &Vm, set: AnySet<'_>, others: &[Value]) -> Res<Value> {
    let result = set.like(set.copied_table(vm)?);
    if let Some(all) = AnySet::of(&result) {
        others
            .iter()
            .filter(|other| !other.is(set.value))
            .try_for_each(|other| all.update(vm, other))?;
    }
    Ok(result)
}

fn intersection(vm: &Vm, set: AnySet<'_>, others: &[Value]) -> Res<SetTable> {
    let Some((first, rest)) = others.split_first() else {
        return set.copied_table(vm);
    };
    let mut result = Set::from_table(set.intersection(vm, first)?);
    for other in rest {
        result = Set::from_table(result.any().intersection(vm, other)?);
    }
    Ok(result.any().take_table())
}

fn difference(vm: &Vm, set: AnySet<'_>, others: &[Value]) -> Res<Value> {
    let Some((first, rest)) = others.split_first() else {
        return Ok(set.like(set.copied_table(vm)?));
    };
    let result = set.like(set.difference(vm, first)?);
    if let Some(left) = AnySet::of(&result) {
        rest.iter().try_for_each(|other| left.difference_update(vm, other))?;
    }
    Ok(result)
}

fn is_subset(vm: &Vm, set: AnySet<'_>, other: &Value) -> Res<bool> {
    match AnySet::of(other) {
        Some(other) => set.is_subset(vm, other),
        None => Ok(Set::from_table(set.intersection(vm, other)?).len() == set.len()),
    }
}

fn is_superset(vm: &Vm, set: AnySet<'_>, other: &Value) -> Res<bool> {
    if let Some(other) = AnySet::of(other) {
        return other.is_subset(vm, set);
    }
    let iterator = vm.iter(other)?;
    while let Some(item) = vm.next(&iterator)? {
        if !set.contains(vm, &item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn reduce(vm: &Vm, set: AnySet<'_>) -> Res<Value> {
    let state = vm.call_method(set.value, crate::intern!("__getstate__"), &[])?;
    let args = Tuple::from_array([List::new(set.keys(vm)?).into_value()]);
    Ok(Tuple::from_array([set.value.ty().to_value(), args.into_value(), state]).into_value())
}

#[pymethods(parts(define_shared))]
impl Set {
    #[slot]
    fn __new__(_vm: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        Ok(Set::empty_of(cls).into_value())
    }

    #[slot(text = "(iterable=(), /)")]
    fn __init__(vm: &Vm, this: &Py<Set>, args: Args<'_>) -> Res<()> {
        let own = Set::ty().slots().init.map(|f| f as usize);
        if args.has_keywords() && this.class().slots().init.map(|f| f as usize) == own {
            return Err(vm.type_error("set() takes no keyword arguments"));
        }
        let iterable = args.check_positional(vm, "set", 0, 1)?.first();
        drop(this.any().take_table());
        iterable.map_or(Ok(()), |iterable| Py::<Set>::update(this, vm, iterable))
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Set>) -> Res<Value> {
        repr(vm, this.any())
    }

    #[slot]
    fn __len__(_vm: &Vm, this: &Py<Set>) -> Res<usize> {
        Ok(this.len())
    }

    #[slot]
    fn __contains__(vm: &Vm, this: &Py<Set>, item: &Value) -> Res<bool> {
        this.contains(vm, item)
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Set>) -> Res<Value> {
        Ok(SetIter::over(this.any()).into_value())
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<Set>, other: &Value, op: CmpOp) -> Res<Value> {
        compare(vm, this.any(), other, op)
    }

    #[slot]
    fn __or__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        or(vm, a, b)
    }

    #[slot]
    fn __and__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        and(vm, a, b)
    }

    #[slot]
    fn __sub__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        sub(vm, a, b)
    }

    #[slot]
    fn __xor__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        xor(vm, a, b)
    }

    #[slot]
    fn __ior__(vm: &Vm, this: &Py<Set>, other: &Value) -> Res<Value> {
        if AnySet::of(other).is_none() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        Py::<Set>::update(this, vm, other)?;
        Ok(this.to_value())
    }

    #[slot]
    fn __iand__(vm: &Vm, this: &Py<Set>, other: &Value) -> Res<Value> {
        if AnySet::of(other).is_none() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        drop(this.any().replace_table(this.any().intersection(vm, other)?));
        Ok(this.to_value())
    }

    #[slot]
    fn __isub__(vm: &Vm, this: &Py<Set>, other: &Value) -> Res<Value> {
        if AnySet::of(other).is_none() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        Py::<Set>::difference_update(this, vm, other)?;
        Ok(this.to_value())
    }

    #[slot]
    fn __ixor__(vm: &Vm, this: &Py<Set>, other: &Value) -> Res<Value> {
        if AnySet::of(other).is_none() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        Py::<Set>::symmetric_difference_update(this, vm, other)?;
        Ok(this.to_value())
    }

    /// Add an element to a set.
    ///
    /// This has no effect if the element is already present.
    #[pymethod(sig = "($self, object, /)")]
    fn add(vm: &Vm, this: &Py<Set>, object: &Value) -> Res<()> {
        Py::<Set>::add(this, vm, object).map(drop)
    }

    /// Remove all elements from this set.
    #[pymethod(sig = "($self, /)")]
    fn clear(_vm: &Vm, this: &Py<Set>) -> Res<()> {
        drop(this.any().take_table());
        Ok(())
    }

    /// Return a shallow copy of a set.
    #[pymethod(sig = "($self, /)")]
    fn copy(vm: &Vm, this: &Py<Set>) -> Res<Value> {
        Ok(this.any().like(this.any().copied_table(vm)?))
    }

    /// Remove an element from a set if it is a member.
    ///
    /// Unlike set.remove(), the discard() method does not raise
    /// an exception when an element is missing from the set.
    #[pymethod(sig = "($self, object, /)")]
    fn discard(vm: &Vm, this: &Py<Set>, object: &Value) -> Res<()> {
        this.any().discard(vm, object).map(drop)
    }

    /// Remove an element from a set; it must be a member.
    ///
    /// If the element is not a member, raise a KeyError.
    #[pymethod(sig = "($self, object, /)")]
    fn remove(vm: &Vm, this: &Py<Set>, object: &Value) -> Res<()> {
        if this.any().discard(vm, object)? {
            Ok(())
        } else {
            Err(vm.key_error(object.clone()))
        }
    }

    /// Remove and return an arbitrary set element.
    ///
    /// Raises KeyError if the set is empty.
    #[pymethod(sig = "($self, /)")]
    fn pop(vm: &Vm, this: &Py<Set>) -> Res<Value> {
        this.any()
            .pop()
            .ok_or_else(|| vm.key_error(Value::from("pop from an empty set")))
    }

    /// Update the set, adding elements from all others.
    #[pymethod(sig = "($self, /, *others)")]
    fn update(vm: &Vm, this: &Py<Set>, others: &[Value]) -> Res<()> {
        others.iter().try_for_each(|other| Py::<Set>::update(this, vm, other))
    }

    /// Update the set, keeping only elements found in it and all others.
    #[pymethod(sig = "($self, /, *others)")]
    fn intersection_update(vm: &Vm, this: &Py<Set>, others: &[Value]) -> Res<()> {
        drop(this.any().replace_table(intersection(vm, this.any(), others)?));
        Ok(())
    }

    /// Update the set, removing elements found in others.
    #[pymethod(sig = "($self, /, *others)")]
    fn difference_update(vm: &Vm, this: &Py<Set>, others: &[Value]) -> Res<()> {
        others
            .iter()
            .try_for_each(|other| Py::<Set>::difference_update(this, vm, other))
    }

    /// Update the set, keeping only elements found in either set, but not in both.
    #[pymethod(sig = "($self, other, /)")]
    fn symmetric_difference_update(vm: &Vm, this: &Py<Set>, other: &Value) -> Res<()> {
        Py::<Set>::symmetric_difference_update(this, vm, other)
    }
}

#[pymethods(parts(define_shared))]
impl FrozenSet {
    #[slot(sig = "(iterable=(), /)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, iterable: Option<&Value>) -> Res<Value> {
        if let Some(iterable) = iterable
            && cls.is(FrozenSet::ty())
            && is_exact_frozen(iterable)
        {
            return Ok(iterable.clone());
        }
        let set = Set::new_empty();
        if let Some(iterable) = iterable {
            set.update(vm, iterable)?;
        }
        Ok(FrozenSet::of_class(cls, set.any().take_table()).into_value())
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<FrozenSet>) -> Res<Value> {
        repr(vm, this.any())
    }

    #[slot]
    fn __hash__(_vm: &Vm, this: &Py<FrozenSet>) -> Res<i64> {
        let known = this.hash.load(Relaxed);
        if known != -1 {
            return Ok(known);
        }
        let hash = this.any().frozen_hash();
        this.hash.store(hash, Relaxed);
        Ok(hash)
    }

    #[slot]
    fn __len__(_vm: &Vm, this: &Py<FrozenSet>) -> Res<usize> {
        Ok(this.len())
    }

    #[slot]
    fn __contains__(vm: &Vm, this: &Py<FrozenSet>, item: &Value) -> Res<bool> {
        this.contains(vm, item)
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<FrozenSet>) -> Res<Value> {
        Ok(SetIter::over(this.any()).into_value())
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<FrozenSet>, other: &Value, op: CmpOp) -> Res<Value> {
        compare(vm, this.any(), other, op)
    }

    #[slot]
    fn __or__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        or(vm, a, b)
    }

    #[slot]
    fn __and__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        and(vm, a, b)
    }

    #[slot]
    fn __sub__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        sub(vm, a, b)
    }

    #[slot]
    fn __xor__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        xor(vm, a, b)
    }

    /// Return a shallow copy of a set.
    #[pymethod(sig = "($self, /)")]
    fn copy(vm: &Vm, this: &Py<FrozenSet>) -> Res<Value> {
        if is_exact_frozen(this.as_value()) {
            return Ok(this.to_value());
        }
        Ok(this.any().like(this.any().copied_table(vm)?))
    }
}

/// Methods that read only, for both types.
macro_rules! shared_methods {
    ($name:ident) => {
        #[pymethods(part = define_shared)]
        impl $name {
            /// Return a new set with elements in the set that are not in the others.
            #[pymethod(sig = "($self, /, *others)")]
            fn difference(vm: &Vm, this: &Py<$name>, others: &[Value]) -> Res<Value> {
                difference(vm, this.any(), others)
            }

            /// Return a new set with elements common to the set and all others.
            #[pymethod(sig = "($self, /, *others)")]
            fn intersection(vm: &Vm, this: &Py<$name>, others: &[Value]) -> Res<Value> {
                Ok(this.any().like(intersection(vm, this.any(), others)?))
            }

            /// Return True if two sets have a null intersection.
            #[pymethod(sig = "($self, other, /)")]
            fn isdisjoint(vm: &Vm, this: &Py<$name>, other: &Value) -> Res<bool> {
                this.any().is_disjoint(vm, other)
            }

            /// Report whether another set contains this set.
            #[pymethod(sig = "($self, other, /)")]
            fn issubset(vm: &Vm, this: &Py<$name>, other: &Value) -> Res<bool> {
                is_subset(vm, this.any(), other)
            }

            /// Report whether this set contains another set.
            #[pymethod(sig = "($self, other, /)")]
            fn issuperset(vm: &Vm, this: &Py<$name>, other: &Value) -> Res<bool> {
                is_superset(vm, this.any(), other)
            }

            /// Return a new set with elements in either the set or other but not both.
            #[pymethod(sig = "($self, other, /)")]
            fn symmetric_difference(vm: &Vm, this: &Py<$name>, other: &Value) -> Res<Value> {
                symmetric_difference(vm, this.any(), other)
            }

            /// Return a new set with elements from the set and all others.
            #[pymethod(sig = "($self, /, *others)")]
            fn union(vm: &Vm, this: &Py<$name>, others: &[Value]) -> Res<Value> {
                union(vm, this.any(), others)
            }

            /// Return state information for pickling.
            #[pymethod(sig = "($self, /)")]
            fn __reduce__(vm: &Vm, this: &Py<$name>) -> Res<Value> {
                reduce(vm, this.any())
            }

            /// S.__sizeof__() -> size of S in memory, in bytes.
            #[pymethod(sig = "($self, /)")]
            fn __sizeof__(_vm: &Vm, this: &Py<$name>) -> Res<usize> {
                Ok(size_of::<Obj<$name>>() + this.any().with(|table| table.size()))
            }

            /// See PEP 585
            #[classmethod(sig = "($type, object, /)")]
            fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
                class_getitem(vm, cls, object)
            }
        }
    };
}

shared_methods!(Set);
shared_methods!(FrozenSet);

/// `used` of an iterator whose set has changed its size: every further step fails.
const BROKEN: usize = usize::MAX;

/// `iter(set)`
#[pyclass(name = "set_iterator", no_new)]
pub struct SetIter {
    set: Slot,
    /// The next cell to look at.
    at: AtomicUsize,
    /// The set's size at the start, or [`BROKEN`].
    used: AtomicUsize,
    left: AtomicUsize,
}

impl SetIter {
    fn over(set: AnySet<'_>) -> Py<SetIter> {
        let len = set.len();
        Py::new(SetIter {
            set: Slot::new(set.value.clone()),
            at: AtomicUsize::new(0),
            used: AtomicUsize::new(len),
            left: AtomicUsize::new(len),
        })
    }

    #[inline]
    fn next(&self, vm: &Vm) -> Res<Option<Value>> {
        if !parallel() {
            // SAFETY: no other thread runs, and what follows does not change the slot before it is done with the set.
            let held = unsafe { &*std::ptr::from_ref(&self.set).cast::<Option<Value>>() };
            let Some(set) = held.as_ref().and_then(AnySet::of) else {
                return Ok(None);
            };
            if let Some(known) = set.with(|table| self.step(table)) {
                return Ok(Some(known));
            }
        }
        self.next_or_end(vm)
    }

    /// The next element, if there is one and the set has not changed its size.
    #[inline(always)]
    fn step(&self, table: &SetTable) -> Option<Value> {
        if table.len() != self.used.load(Relaxed) {
            return None;
        }
        let (at, key) = table.next_from(self.at.load(Relaxed))?;
        self.at.store(at + 1, Relaxed);
        self.left.store(self.left.load(Relaxed).saturating_sub(1), Relaxed);
        Some(key.clone())
    }

    #[inline(never)]
    fn next_or_end(&self, vm: &Vm) -> Res<Option<Value>> {
        let Some(held) = self.set.get() else { return Ok(None) };
        let Some(set) = AnySet::of(&held) else { return Ok(None) };
        let used = self.used.load(Relaxed);
        let at = self.at.load(Relaxed);
        let step = set.with(|table| {
            if table.len() != used {
                return Err(());
            }
            Ok(table.next_from(at).map(|(at, key)| (at, key.clone())))
        });
        match step {
            Ok(Some((at, key))) => {
                self.at.store(at + 1, Relaxed);
                self.left.store(self.left.load(Relaxed).saturating_sub(1), Relaxed);
                Ok(Some(key))
            }
            Ok(None) => {
                drop(self.set.take());
                Ok(None)
            }
            Err(()) => {
                self.used.store(BROKEN, Relaxed);
                Err(vm.runtime_error("Set changed size during iteration"))
            }
        }
    }
}

#[pymethods]
impl SetIter {
    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<SetIter>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<SetIter>) -> Res<Option<Value>> {
        this.next(vm)
    }

    /// Private method returning an estimate of len(list(it)).
    #[pymethod(sig = "($self, /)")]
    fn __length_hint__(_vm: &Vm, this: &Py<SetIter>) -> Res<usize> {
        let Some(held) = this.set.get() else { return Ok(0) };
        let same = AnySet::of(&held).is_some_and(|set| set.len() == this.used.load(Relaxed));
        Ok(if same { this.left.load(Relaxed) } else { 0 })
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<SetIter>) -> Res<Value> {
        let copy = |word: &AtomicUsize| AtomicUsize::new(word.load(Relaxed));
        let rest = SetIter {
            set: Slot::from_option(this.set.get()),
            at: copy(&this.at),
            used: copy(&this.used),
            left: copy(&this.left),
        };
        let mut items = Vec::new();
        while let Some(item) = rest.next(vm)? {
            items.push(item);
        }
        let args = Tuple::from_array([List::new(items).into_value()]);
        Ok(Tuple::pair(builtin(vm, crate::intern!("iter"))?, args.into_value()).into_value())
    }
}
