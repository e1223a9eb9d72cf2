//! `range` and its iterators.
//!
//! Invariant: start, stop, step and length are exact ints and never change. A range whose numbers and length fit in 64 bits has the fast
//! iterator, of any size the other one.

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, Signed, Zero};

use super::common::{builtin, exact_index, to_bigint};
use super::slice::Slice;
use super::tuple::{Tuple, hash_items};
use crate::native::{Args, CmpOp, pyclass, pymethods};
use crate::object::{Native, Py, Slot, Type, Value};
use crate::sync::atomic::{AtomicI64, Ordering::Relaxed};
use crate::text::StrBuilder;
use crate::vm::{Res, Vm};

/// An arithmetic progression.
#[pyclass(
    name = "range",
    late_end,
    sequence,
    doc = "range(stop) -> range object\nrange(start, stop[, step]) -> range object\n\nReturn an object that produces a sequence of integers from start (inclusive)\nto stop (exclusive) by step.  range(i, j) produces i, i+1, i+2, ..., j-1.\nstart defaults to 0, and stop is omitted!  range(4) produces 0, 1, 2, 3.\nThese are exactly the valid indices for a list of 4 elements.\nWhen step is given, it specifies the increment (or decrement)."
)]
pub struct Range {
    start: Value,
    stop: Value,
    step: Value,
    len: Value,
}

/// The count of numbers from `start` to `stop`; `step` is not 0.
fn length(start: &BigInt, stop: &BigInt, step: &BigInt) -> BigInt {
    let (low, high, step) = if step.is_negative() {
        (stop, start, -step)
    } else {
        (start, stop, step.clone())
    };
    if low >= high {
        BigInt::zero()
    } else {
        (high - low - 1) / step + 1
    }
}

fn small_length(start: i64, stop: i64, step: i64) -> u64 {
    let (low, high) = if step < 0 { (stop, start) } else { (start, stop) };
    if low >= high {
        0
    } else if step == 1 {
        high.wrapping_sub(low) as u64
    } else {
        (high.wrapping_sub(low) as u64 - 1) / step.unsigned_abs() + 1
    }
}

impl Range {
    /// A range of ints; `step` is not 0.
    pub fn new(vm: &Vm, start: Value, stop: Value, step: Value) -> Py<Range> {
        let small = (start.as_small_int(), stop.as_small_int(), step.as_small_int());
        let len = match small {
            (Some(start), Some(stop), Some(step)) if step != 0 => {
                Value::usize(small_length(start, stop, step) as usize)
            }
            _ => Value::bigint(length(
                &to_bigint(vm, &start),
                &to_bigint(vm, &stop),
                &to_bigint(vm, &step),
            )),
        };
        Py::new(Range { start, stop, step, len })
    }

    /// The iterator of a range with these arguments, of which there are one to three, if they are immediate ints, and the step is not 0.
    pub fn iterator_of(args: &[Value]) -> Option<Py<RangeIterator>> {
        let small = |i: usize| args[i].as_small_int();
        let (start, stop, step) = match args.len() {
            1 => (0, small(0)?, 1),
            2 => (small(0)?, small(1)?, 1),
            3 => (small(0)?, small(1)?, small(2).filter(|step| *step != 0)?),
            _ => return None,
        };
        let len = i64::try_from(small_length(start, stop, step)).ok()?;
        Some(RangeIterator::new(start, step, len))
    }

    /// Start, step and length, if they are immediate ints.
    #[inline]
    pub fn small(&self) -> Option<(i64, i64, i64)> {
        Some((
            self.start.as_small_int()?,
            self.step.as_small_int()?,
            self.len.as_small_int()?,
        ))
    }

    /// Number `at` of the sequence, which need not exist.
    fn nth(&self, vm: &Vm, at: &BigInt) -> Value {
        Value::bigint(to_bigint(vm, &self.start) + at * to_bigint(vm, &self.step))
    }

    /// The position of an int in the sequence.
    fn position(&self, vm: &Vm, int: &Value) -> Option<Value> {
        if let (Some((start, step, len)), Some(int)) = (self.small(), int.as_small_int()) {
            let (at, rest) = (int.wrapping_sub(start) / step, int.wrapping_sub(start) % step);
            return (rest == 0 && (0..len).contains(&at)).then(|| Value::int(at));
        }
        let step = to_bigint(vm, &self.step);
        let (at, rest) = (to_bigint(vm, int) - to_bigint(vm, &self.start)).div_rem(&step);
        (rest.is_zero() && !at.is_negative() && at < to_bigint(vm, &self.len)).then(|| Value::bigint(at))
    }

    fn iterator(&self, vm: &Vm) -> Value {
        if let (Some(start), Some(step), Some(len)) =
            (as_i64(vm, &self.start), as_i64(vm, &self.step), as_i64(vm, &self.len))
            && let Some(stop) = as_i64(vm, &self.stop)
            // One step beyond the end must not overflow either.
            && (len == 0 || stop.checked_add(step - step.signum()).is_some())
        {
            return RangeIterator::new(start, step, len).into_value();
        }
        LongRangeIterator::new(self.start.clone(), self.step.clone(), self.len.clone()).into_value()
    }

    fn reverse_iterator(&self, vm: &Vm) -> Value {
        if let (Some(start), Some(step), Some(len)) =
            (as_i64(vm, &self.start), as_i64(vm, &self.step), as_i64(vm, &self.len))
            && let Some(stop) = as_i64(vm, &self.stop)
            && stop.checked_sub(step).is_some()
            && let Some(back) = step.checked_neg()
        {
            let last = start.wrapping_add(step.wrapping_mul(len.wrapping_sub(1)));
            return RangeIterator::new(last, back, len).into_value();
        }
        let last = self.nth(vm, &(to_bigint(vm, &self.len) - 1));
        LongRangeIterator::new(last, Value::bigint(-to_bigint(vm, &self.step)), self.len.clone()).into_value()
    }

    fn sliced(&self, vm: &Vm, slice: &Slice) -> Res<Value> {
        if let Some((start, stop, step)) = self.sliced_small(slice) {
            return Ok(Range::new(vm, start, stop, step).into_value());
        }
        // Bounds of any size: as `slice.indices` computes them.
        let (start, stop, step) = slice.big_indices(vm, &to_bigint(vm, &self.len))?;
        let substep = Value::bigint(to_bigint(vm, &self.step) * step);
        Ok(Range::new(vm, self.nth(vm, &start), self.nth(vm, &stop), substep).into_value())
    }

    /// Start, stop and step of a slice, if all numbers on the way are small.
    fn sliced_small(&self, slice: &Slice) -> Option<(Value, Value, Value)> {
        let (first, stride, len) = self.small()?;
        let given = |bound: &Value| match bound.is_none() {
            true => Some(None),
            false => bound.as_small_int().map(Some),
        };
        let step = given(&slice.step)?.unwrap_or(1);
        if step == 0 {
            return None;
        }
        let (low, high) = if step < 0 { (-1, len - 1) } else { (0, len) };
        // Small ints leave room for a sum of two.
        let fit = |bound: i64| {
            if bound < 0 {
                (bound + len).max(low)
            } else {
                bound.min(high)
            }
        };
        let (from, to) = if step < 0 { (high, low) } else { (low, high) };
        let start = given(&slice.start)?.map_or(from, fit);
        let stop = given(&slice.stop)?.map_or(to, fit);
        let nth = |at: i64| Some(Value::int(at.checked_mul(stride)?.checked_add(first)?));
        Some((nth(start)?, nth(stop)?, Value::int(stride.checked_mul(step)?)))
    }

    /// Whether both produce the same numbers.
    fn same(&self, vm: &Vm, other: &Range) -> bool {
        let equal = |a: &Value, b: &Value| a.is(b) || to_bigint(vm, a) == to_bigint(vm, b);
        if !equal(&self.len, &other.len) {
            return false;
        }
        match self.len.as_small_int() {
            Some(0) => true,
            Some(1) => equal(&self.start, &other.start),
            _ => equal(&self.start, &other.start) && equal(&self.step, &other.step),
        }
    }
}

fn as_i64(vm: &Vm, int: &Value) -> Option<i64> {
    match int.as_small_int() {
        Some(i) => Some(i),
        None => i64::try_from(to_bigint(vm, int)).ok(),
    }
}

/// Whether the value is exactly an int or a bool, whose comparison nobody can have overridden.
fn plain_int(vm: &Vm, value: &Value) -> Option<Value> {
    if value.is_small_int() {
        return Some(value.clone());
    }
    if value.is_bool() {
        return Some(Value::int(i64::from(value.is_true())));
    }
    (value.has_type(crate::types::int::Int::ty())).then(|| Value::bigint(to_bigint(vm, value)))
}

#[pymethods]
impl Range {
    #[slot]
    fn __new__(vm: &Vm, _cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        args.no_keywords(vm, "range")?;
        let one = || Value::int(1);
        let (start, stop, step) = match args.check_positional(vm, "range", 1, 3)? {
            [stop] => (Value::int(0), exact_index(vm, stop)?, one()),
            [start, stop] => (exact_index(vm, start)?, exact_index(vm, stop)?, one()),
            [start, stop, step, ..] => (exact_index(vm, start)?, exact_index(vm, stop)?, exact_index(vm, step)?),
            [] => (Value::int(0), Value::int(0), one()),
        };
        if step.as_small_int() == Some(0) {
            return Err(vm.value_error("range() arg 3 must not be zero"));
        }
        Ok(Range::new(vm, start, stop, step).into_value())
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Range>) -> Res<Value> {
        let mut text = StrBuilder::new();
        text.push_str("range(");
        text.push_view(vm.repr(&this.start)?.view());
        text.push_str(", ");
        text.push_view(vm.repr(&this.stop)?.view());
        if this.step.as_small_int() != Some(1) {
            text.push_str(", ");
            text.push_view(vm.repr(&this.step)?.view());
        }
        text.push_str(")");
        super::common::finish_text(vm, text)
    }

    #[slot]
    fn __len__(vm: &Vm, this: &Py<Range>) -> Res<usize> {
        match as_i64(vm, &this.len) {
            Some(len) => Ok(len as usize),
            None => Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
        }
    }

    #[slot]
    fn __bool__(_vm: &Vm, this: &Py<Range>) -> Res<bool> {
        Ok(this.len.as_small_int() != Some(0))
    }

    #[slot]
    fn __hash__(vm: &Vm, this: &Py<Range>) -> Res<i64> {
        let parts = match this.len.as_small_int() {
            Some(0) => [this.len.clone(), Value::NONE, Value::NONE],
            Some(1) => [this.len.clone(), this.start.clone(), Value::NONE],
            _ => [this.len.clone(), this.start.clone(), this.step.clone()],
        };
        hash_items(vm, &parts)
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<Range>, other: &Value, op: CmpOp) -> Res<Value> {
        let Some(other) = other.downcast::<Range>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        match op {
            CmpOp::Eq => Ok(Value::from_bool(this.same(vm, other))),
            CmpOp::Ne => Ok(Value::from_bool(!this.same(vm, other))),
            _ => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    #[slot]
    fn __iter__(vm: &Vm, this: &Py<Range>) -> Res<Value> {
        Ok(this.iterator(vm))
    }

    #[slot]
    fn __contains__(vm: &Vm, this: &Py<Range>, item: &Value) -> Res<bool> {
        if let Some(int) = plain_int(vm, item) {
            return Ok(this.position(vm, &int).is_some());
        }
        let iterator = this.iterator(vm);
        while let Some(number) = vm.next(&iterator)? {
            if vm.eq(&number, item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<Range>, key: &Value) -> Res<Value> {
        if let Some(slice) = key.downcast_exact::<Slice>() {
            return this.sliced(vm, slice);
        }
        if key.ty().slots().index.is_none() {
            let message = format!("range indices must be integers or slices, not {}", key.ty().name());
            return Err(vm.type_error(message));
        }
        let index = vm.index(key)?;
        let out_of_range = || vm.index_error("range object index out of range");
        if let (Some((start, step, len)), Some(index)) = (this.small(), index.as_small_int()) {
            let at = if index < 0 { index + len } else { index };
            if !(0..len).contains(&at) {
                return Err(out_of_range());
            }
            // The number lies between start and stop.
            return Ok(Value::int(start.wrapping_add(at.wrapping_mul(step))));
        }
        let (mut at, len) = (to_bigint(vm, &index), to_bigint(vm, &this.len));
        if at.is_negative() {
            at += &len;
        }
        if at.is_negative() || at >= len {
            return Err(out_of_range());
        }
        Ok(this.nth(vm, &at))
    }

    #[getter(member)]
    fn start(_vm: &Vm, this: &Py<Range>) -> Value {
        this.start.clone()
    }

    #[setter]
    fn set_start(vm: &Vm, _this: &Py<Range>, _value: Option<&Value>) -> Res<()> {
        Err(vm.attribute_error("readonly attribute"))
    }

    #[getter(member)]
    fn stop(_vm: &Vm, this: &Py<Range>) -> Value {
        this.stop.clone()
    }

    #[setter]
    fn set_stop(vm: &Vm, _this: &Py<Range>, _value: Option<&Value>) -> Res<()> {
        Err(vm.attribute_error("readonly attribute"))
    }

    #[getter(member)]
    fn step(_vm: &Vm, this: &Py<Range>) -> Value {
        this.step.clone()
    }

    #[setter]
    fn set_step(vm: &Vm, _this: &Py<Range>, _value: Option<&Value>) -> Res<()> {
        Err(vm.attribute_error("readonly attribute"))
    }

    /// Return a reverse iterator.
    #[pymethod(sig = "($self, /)")]
    fn __reversed__(vm: &Vm, this: &Py<Range>) -> Res<Value> {
        Ok(this.reverse_iterator(vm))
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_vm: &Vm, this: &Py<Range>) -> Res<Value> {
        let bounds = Tuple::from_array([this.start.clone(), this.stop.clone(), this.step.clone()]);
        Ok(Tuple::pair(Range::ty().to_value(), bounds.into_value()).into_value())
    }

    /// rangeobject.count(value) -> integer -- return number of occurrences of value
    #[pymethod(sig = "($self, object, /)")]
    fn count(vm: &Vm, this: &Py<Range>, object: &Value) -> Res<usize> {
        if let Some(int) = plain_int(vm, object) {
            return Ok(usize::from(this.position(vm, &int).is_some()));
        }
        let (iterator, mut count) = (this.iterator(vm), 0);
        while let Some(number) = vm.next(&iterator)? {
            count += usize::from(vm.eq(&number, object)?);
        }
        Ok(count)
    }

    /// rangeobject.index(value) -> integer -- return index of value.
    /// Raise ValueError if the value is not present.
    #[pymethod(sig = "($self, object, /)")]
    fn index(vm: &Vm, this: &Py<Range>, object: &Value) -> Res<Value> {
        if let Some(int) = plain_int(vm, object) {
            return match this.position(vm, &int) {
                Some(at) => Ok(at),
                None => Err(vm.value_error(format!("{} is not in range", vm.repr(object)?.to_string_lossy()))),
            };
        }
        let (iterator, mut at) = (this.iterator(vm), 0i64);
        while let Some(number) = vm.next(&iterator)? {
            if vm.eq(&number, object)? {
                return Ok(Value::int(at));
            }
            at += 1;
        }
        Err(vm.value_error("sequence.index(x): x not in sequence"))
    }
}

/// Iterator over numbers that fit in 64 bits.
#[pyclass(name = "range_iterator", no_new, gc = false)]
pub struct RangeIterator {
    next: AtomicI64,
    step: i64,
    left: AtomicI64,
}

impl RangeIterator {
    /// `len` numbers from `start` on.
    pub fn new(start: i64, step: i64, len: i64) -> Py<RangeIterator> {
        Py::new(RangeIterator {
            next: AtomicI64::new(start),
            step,
            left: AtomicI64::new(len),
        })
    }

    /// The next number. Threads that share the iterator may skip or repeat numbers, but see none outside of the range.
    #[inline(always)]
    pub fn next_small(&self) -> Option<i64> {
        let left = self.left.load(Relaxed);
        if left <= 0 {
            return None;
        }
        let number = self.next.load(Relaxed);
        self.left.store(left - 1, Relaxed);
        self.next.store(number.wrapping_add(self.step), Relaxed);
        Some(number)
    }

    /// All numbers that are left, which are then used up; `None` without memory.
    pub fn take_rest(&self) -> Option<Vec<Value>> {
        let left = self.left.swap(0, Relaxed);
        let start = self.next.load(Relaxed);
        self.next
            .store(start.wrapping_add(self.step.wrapping_mul(left)), Relaxed);
        let mut numbers = Vec::new();
        numbers.try_reserve_exact(usize::try_from(left).unwrap_or(0)).ok()?;
        numbers.extend((0..left).map(|n| Value::int(start.wrapping_add(self.step.wrapping_mul(n)))));
        Some(numbers)
    }
}

#[pymethods]
impl RangeIterator {
    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<RangeIterator>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(_vm: &Vm, this: &Py<RangeIterator>) -> Res<Option<Value>> {
        Ok(this.next_small().map(Value::int))
    }

    /// Private method returning an estimate of len(list(it)).
    #[pymethod(sig = "($self, /)")]
    fn __length_hint__(_vm: &Vm, this: &Py<RangeIterator>) -> Res<i64> {
        Ok(this.left.load(Relaxed))
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<RangeIterator>) -> Res<Value> {
        let (start, left) = (this.next.load(Relaxed), this.left.load(Relaxed));
        let stop = BigInt::from(start) + BigInt::from(this.step) * left;
        rest_of(vm, Value::int(start), Value::bigint(stop), Value::int(this.step))
    }

    /// Set state information for unpickling.
    #[pymethod(sig = "($self, object, /)")]
    fn __setstate__(_vm: &Vm, this: &Py<RangeIterator>, object: i64) -> Res<()> {
        let left = this.left.load(Relaxed);
        let skip = object.clamp(0, left.max(0));
        this.next.store(
            this.next.load(Relaxed).wrapping_add(this.step.wrapping_mul(skip)),
            Relaxed,
        );
        this.left.store(left - skip, Relaxed);
        Ok(())
    }
}

/// `(iter, (range(start, stop, step),), None)`
fn rest_of(vm: &Vm, start: Value, stop: Value, step: Value) -> Res<Value> {
    let args = Tuple::from_array([Range::new(vm, start, stop, step).into_value()]);
    Ok(Tuple::from_array([builtin(vm, crate::intern!("iter"))?, args.into_value(), Value::NONE]).into_value())
}

/// Iterator over numbers of any size.
#[pyclass(name = "longrange_iterator", no_new)]
pub struct LongRangeIterator {
    start: Value,
    step: Value,
    len: Value,
    /// How many numbers have been produced.
    done: Slot,
}

impl LongRangeIterator {
    fn new(start: Value, step: Value, len: Value) -> Py<LongRangeIterator> {
        Py::new(LongRangeIterator {
            start,
            step,
            len,
            done: Slot::new(Value::int(0)),
        })
    }

    fn done(&self, vm: &Vm) -> BigInt {
        self.done.get().map(|done| to_bigint(vm, &done)).unwrap_or_default()
    }

    fn nth(&self, vm: &Vm, at: &BigInt) -> Value {
        Value::bigint(to_bigint(vm, &self.start) + at * to_bigint(vm, &self.step))
    }
}

#[pymethods]
impl LongRangeIterator {
    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<LongRangeIterator>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<LongRangeIterator>) -> Res<Option<Value>> {
        let at = this.done(vm);
        if at >= to_bigint(vm, &this.len) {
            return Ok(None);
        }
        let number = this.nth(vm, &at);
        this.done.set(Value::bigint(at + BigInt::one()));
        Ok(Some(number))
    }

    /// Private method returning an estimate of len(list(it)).
    #[pymethod(sig = "($self, /)")]
    fn __length_hint__(vm: &Vm, this: &Py<LongRangeIterator>) -> Res<Value> {
        Ok(Value::bigint(to_bigint(vm, &this.len) - this.done(vm)))
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<LongRangeIterator>) -> Res<Value> {
        let stop = this.nth(vm, &to_bigint(vm, &this.len));
        rest_of(vm, this.nth(vm, &this.done(vm)), stop, this.step.clone())
    }

    /// Set state information for unpickling.
    #[pymethod(sig = "($self, object, /)")]
    fn __setstate__(vm: &Vm, this: &Py<LongRangeIterator>, object: &Value) -> Res<()> {
        let state = to_bigint(vm, &vm.index(object)?);
        let state = state.max(BigInt::zero()).min(to_bigint(vm, &this.len));
        this.done.set(Value::bigint(state));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_agree() {
        let numbers = [i64::MIN, -7, -3, -1, 0, 1, 2, 5, 11, i64::MAX];
        for start in numbers {
            for stop in numbers {
                for step in numbers.into_iter().filter(|&step| step != 0) {
                    let big = length(&BigInt::from(start), &BigInt::from(stop), &BigInt::from(step));
                    assert_eq!(
                        BigInt::from(small_length(start, stop, step)),
                        big,
                        "range({start}, {stop}, {step})"
                    );
                }
            }
        }
    }
}
