//! `slice`: the object behind `a[i:j:k]`, and the arithmetic of slices.
//!
//! Invariant: a [`SliceRange`] only names indices that exist in the sequence whose length it was adjusted to.

use std::ops::Range;

use num_bigint::BigInt;
use num_traits::{One, Signed, Zero};

use super::tuple::{Tuple, compare_items, finish_hash, hash_rounds};
use crate::native::{Args, CmpOp, pyclass, pymethods};
use crate::object::{Native, Py, Type, Value};
use crate::text::StrBuilder;
use crate::vm::{Res, Vm};

/// The bounds of an extended subscript.
#[pyclass(
    name = "slice",
    late_end,
    doc = "slice(stop)\nslice(start, stop[, step])\n\nCreate a slice object.  This is used for extended slicing (e.g. a[0:10:2])."
)]
pub struct Slice {
    pub start: Value,
    pub stop: Value,
    pub step: Value,
}

/// The indices a slice selects from a sequence of known length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceRange {
    /// The first index; an insertion point if `count` is 0 and `step` is 1.
    pub start: isize,
    pub step: isize,
    pub count: usize,
}

impl SliceRange {
    /// The part of the sequence, if the step is 1.
    #[inline]
    pub fn contiguous(&self) -> Option<Range<usize>> {
        (self.step == 1).then(|| self.start as usize..self.start as usize + self.count)
    }

    /// The indices in the slice's order.
    #[inline]
    pub fn indices(self) -> impl Iterator<Item = usize> + Clone {
        (0..self.count).map(move |n| (self.start + n as isize * self.step) as usize)
    }

    /// The same indices in ascending order.
    pub fn ascending(self) -> SliceRange {
        if self.step > 0 || self.count == 0 {
            return self;
        }
        let last = self.start + (self.count as isize - 1) * self.step;
        SliceRange {
            start: last,
            step: -self.step,
            count: self.count,
        }
    }
}

/// Adjusts bounds that may lie outside to a length, as Python does.
fn adjust(start: Option<isize>, stop: Option<isize>, step: isize, len: usize) -> SliceRange {
    let len = len as isize;
    let (low, high) = if step < 0 { (-1, len - 1) } else { (0, len) };
    let fit = |bound: isize| {
        if bound < 0 {
            (bound + len).max(low)
        } else {
            bound.min(high)
        }
    };
    let start = start.map_or(if step < 0 { high } else { low }, fit);
    let stop = stop.map_or(if step < 0 { low } else { high }, fit);
    let count = if step < 0 {
        if stop < start {
            (start - stop - 1) / -step + 1
        } else {
            0
        }
    } else if start < stop {
        (stop - start - 1) / step + 1
    } else {
        0
    };
    SliceRange {
        start,
        step,
        count: count as usize,
    }
}

/// A slice bound as a number; bounds too large for one mean the same as the largest.
#[inline]
fn bound(vm: &Vm, value: &Value) -> Res<Option<isize>> {
    if let Some(i) = value.as_small_int() {
        return Ok(Some(i as isize));
    }
    if value.is_none() {
        return Ok(None);
    }
    if value.ty().slots().index.is_none() {
        return Err(vm.type_error("slice indices must be integers or None or have an __index__ method"));
    }
    Ok(Some(clamped(&vm.index(value)?, vm)))
}

/// An int as an `isize`, saturated.
fn clamped(int: &Value, vm: &Vm) -> isize {
    if let Some(i) = int.as_small_int() {
        return i as isize;
    }
    let Some(int) = vm.int_value(int) else { return 0 };
    let big = int.to_bigint();
    match i64::try_from(&big) {
        Ok(i) => i as isize,
        Err(_) if big.is_negative() => isize::MIN,
        Err(_) => isize::MAX,
    }
}

/// The `start` and `stop` arguments of `index` methods: like slice bounds, but not None.
pub fn index_argument(vm: &Vm, value: Option<&Value>, default: isize) -> Res<isize> {
    let Some(value) = value else { return Ok(default) };
    if value.is_none() || value.ty().slots().index.is_none() {
        return Err(vm.type_error("slice indices must be integers or have an __index__ method"));
    }
    Ok(clamped(&vm.index(value)?, vm))
}

/// The part of a sequence of length `len` that `index(x, start, stop)` looks at.
pub fn clamp_range(start: isize, stop: isize, len: usize) -> Range<usize> {
    let fit = |bound: isize| {
        let bound = if bound < 0 {
            bound.saturating_add_unsigned(len).max(0)
        } else {
            bound
        };
        (bound as usize).min(len)
    };
    let (start, stop) = (fit(start), fit(stop));
    start..stop.max(start)
}

impl Slice {
    #[inline]
    pub fn new(start: Value, stop: Value, step: Value) -> Py<Slice> {
        Py::new(Slice { start, stop, step })
    }

    #[inline]
    pub fn new_value(start: Value, stop: Value, step: Value) -> Value {
        Slice::new(start, stop, step).into_value()
    }

    /// The indices this selects from a sequence of length `len`. The bounds' `__index__` may run.
    #[inline]
    pub fn adjust(&self, vm: &Vm, len: usize) -> Res<SliceRange> {
        let (start, stop, step) = self.unpack(vm)?;
        Ok(adjust(start, stop, step, len))
    }

    /// The bounds as numbers, before they are adjusted to a length (see [`adjust_bounds`]).
    #[inline]
    pub fn unpack(&self, vm: &Vm) -> Res<(Option<isize>, Option<isize>, isize)> {
        let step = match bound(vm, &self.step)? {
            None => 1,
            Some(0) => return Err(vm.value_error("slice step cannot be zero")),
            // So that the step can be negated.
            Some(step) => step.max(-isize::MAX),
        };
        let start = bound(vm, &self.start)?;
        let stop = bound(vm, &self.stop)?;
        Ok((start, stop, step))
    }

    /// The bounds adjusted to a length of any size.
    pub(super) fn big_indices(&self, vm: &Vm, len: &BigInt) -> Res<(BigInt, BigInt, BigInt)> {
        let step = if self.step.is_none() {
            BigInt::one()
        } else {
            big_bound(vm, &self.step)?
        };
        if step.is_zero() {
            return Err(vm.value_error("slice step cannot be zero"));
        }
        let backwards = step.is_negative();
        let (low, high) = if backwards {
            (-BigInt::one(), len - 1)
        } else {
            (BigInt::zero(), len.clone())
        };
        let fit = |value: &Value, default: &BigInt| -> Res<BigInt> {
            if value.is_none() {
                return Ok(default.clone());
            }
            let bound = big_bound(vm, value)?;
            Ok(if bound.is_negative() {
                (bound + len).max(low.clone())
            } else {
                bound.min(high.clone())
            })
        };
        let start = fit(&self.start, if backwards { &high } else { &low })?;
        let stop = fit(&self.stop, if backwards { &low } else { &high })?;
        Ok((start, stop, step))
    }

    fn as_triple(&self) -> [Value; 3] {
        [self.start.clone(), self.stop.clone(), self.step.clone()]
    }
}

/// Adjusts the result of [`Slice::unpack`] to a length: for sequences whose length Python code in `__index__` may change.
#[inline]
pub fn adjust_bounds(bounds: (Option<isize>, Option<isize>, isize), len: usize) -> SliceRange {
    adjust(bounds.0, bounds.1, bounds.2, len)
}

/// A bound of any size for `slice.indices`.
fn big_bound(vm: &Vm, value: &Value) -> Res<BigInt> {
    if value.ty().slots().index.is_none() {
        return Err(vm.type_error("slice indices must be integers or None or have an __index__ method"));
    }
    let int = vm.index(value)?;
    Ok(vm.int_value(&int).map(|i| i.to_bigint()).unwrap_or_default())
}

#[pymethods]
impl Slice {
    #[slot]
    fn __new__(vm: &Vm, _cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        args.no_keywords(vm, "slice")?;
        let none = || Value::NONE;
        let (start, stop, step) = match args.check_positional(vm, "slice", 1, 3)? {
            [stop] => (none(), stop.clone(), none()),
            [start, stop] => (start.clone(), stop.clone(), none()),
            [start, stop, step, ..] => (start.clone(), stop.clone(), step.clone()),
            [] => (none(), none(), none()),
        };
        Ok(Slice::new(start, stop, step).into_value())
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Slice>) -> Res<Value> {
        let mut text = StrBuilder::new();
        text.push_str("slice(");
        for (at, part) in [&this.start, &this.stop, &this.step].into_iter().enumerate() {
            if at != 0 {
                text.push_str(", ");
            }
            text.push_view(vm.repr(part)?.view());
        }
        text.push_str(")");
        super::common::finish_text(vm, text)
    }

    #[slot]
    fn __hash__(vm: &Vm, this: &Py<Slice>) -> Res<i64> {
        // As a tuple's, but without the length at the end.
        Ok(finish_hash(hash_rounds(vm, &this.as_triple())?))
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<Slice>, other: &Value, op: CmpOp) -> Res<Value> {
        let Some(theirs) = other.downcast_exact::<Slice>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        if this.as_value().is(other) {
            return Ok(Value::from_bool(matches!(op, CmpOp::Eq | CmpOp::Le | CmpOp::Ge)));
        }
        compare_items(vm, &this.as_triple(), &theirs.as_triple(), op)
    }

    #[getter(member)]
    fn start(_vm: &Vm, this: &Py<Slice>) -> Value {
        this.start.clone()
    }

    #[setter]
    fn set_start(vm: &Vm, _this: &Py<Slice>, _value: Option<&Value>) -> Res<()> {
        Err(vm.attribute_error("readonly attribute"))
    }

    #[getter(member)]
    fn stop(_vm: &Vm, this: &Py<Slice>) -> Value {
        this.stop.clone()
    }

    #[setter]
    fn set_stop(vm: &Vm, _this: &Py<Slice>, _value: Option<&Value>) -> Res<()> {
        Err(vm.attribute_error("readonly attribute"))
    }

    #[getter(member)]
    fn step(_vm: &Vm, this: &Py<Slice>) -> Value {
        this.step.clone()
    }

    #[setter]
    fn set_step(vm: &Vm, _this: &Py<Slice>, _value: Option<&Value>) -> Res<()> {
        Err(vm.attribute_error("readonly attribute"))
    }

    /// S.indices(len) -> (start, stop, stride)
    ///
    /// Assuming a sequence of length len, calculate the start and stop
    /// indices, and the stride length of the extended slice described by
    /// S. Out of bounds indices are clipped in a manner consistent with the
    /// handling of normal slices.
    #[pymethod(sig = "($self, object, /)")]
    fn indices(vm: &Vm, this: &Py<Slice>, object: &Value) -> Res<Value> {
        let len = vm.index(object)?;
        let len = vm.int_value(&len).map(|i| i.to_bigint()).unwrap_or_default();
        if len.is_negative() {
            return Err(vm.value_error("length should not be negative"));
        }
        let (start, stop, step) = this.big_indices(vm, &len)?;
        Ok(Tuple::from_array([start, stop, step].map(Value::bigint)).into_value())
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_vm: &Vm, this: &Py<Slice>) -> Res<Value> {
        let state = Tuple::from_array(this.as_triple());
        Ok(Tuple::pair(Slice::ty().to_value(), state.into_value()).into_value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjusts_bounds_to_the_length() {
        let check = |start: Option<isize>, stop: Option<isize>, step: isize, len: usize, expected: &[usize]| {
            let range = adjust(start, stop, step, len);
            assert_eq!(
                range.indices().collect::<Vec<_>>(),
                expected,
                "[{start:?}:{stop:?}:{step}] of {len}"
            );
            let mut sorted = expected.to_vec();
            sorted.sort_unstable();
            assert_eq!(range.ascending().indices().collect::<Vec<_>>(), sorted);
        };
        check(None, None, 1, 3, &[0, 1, 2]);
        check(None, None, -1, 3, &[2, 1, 0]);
        check(Some(-2), None, 1, 3, &[1, 2]);
        check(Some(isize::MIN), Some(isize::MAX), isize::MAX, 3, &[0]);
        check(Some(isize::MAX), Some(isize::MIN), -isize::MAX, 3, &[2]);
        check(Some(5), Some(1), 1, 3, &[]);
        check(Some(0), Some(10), 2, 5, &[0, 2, 4]);
        check(Some(4), Some(0), -3, 5, &[4, 1]);
        check(None, None, -2, 0, &[]);
    }
}
