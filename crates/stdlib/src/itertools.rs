//! `itertools`: iterators that work on other iterators. Those that count are in `itertools/counting.rs`, the combinatoric ones in
//! `combinatoric.rs`, `groupby` in `groups.rs`, `tee` in `tee.rs`.
//!
//! Invariant: what never changes is borrowed; an iterator that is given up at the end is in a slot and taken out once; positions are
//! atomics or under the object's lock. No lock is held while an inner iterator runs, so threads that share an iterator may see
//! items in any order, but none is lost by `chain`, `tee` and the combinatoric iterators.
//! Left out: pickling and copying, which Python 3.14 has removed.

mod combinatoric;
mod counting;
mod groups;
mod tee;

use lisle_runtime::native::{Args, Py, Res, Slot, Type, Value, Vm, pyclass, pymethods, pymodule};
use lisle_runtime::object::Native;
use lisle_runtime::sync::Locked;
use lisle_runtime::sync::atomic::{
    AtomicBool, AtomicI64, AtomicUsize,
    Ordering::{AcqRel, Relaxed},
};
use lisle_runtime::types::generic_alias::GenericAlias;
use lisle_runtime::types::tuple::Tuple;

pub use combinatoric::{Combinations, CombinationsWithReplacement, Permutations, Product};
pub use counting::{Count, Cycle, Repeat};
pub use groups::{GroupBy, Grouper};
pub use tee::{Tee, TeeData};

/// The items of an iterable as a tuple, which is the same object if it is one already.
fn as_tuple(vm: &Vm, iterable: &Value) -> Res<Py<Tuple>> {
    if let Some(tuple) = iterable.downcast_exact::<Tuple>() {
        return Ok(tuple.clone());
    }
    Ok(Tuple::new(vm.collect(iterable)?))
}

/// The running totals of an iterable.
#[pyclass(
    name = "accumulate",
    module = "itertools",
    basetype,
    doc = "Return series of accumulated sums (or other binary function results)."
)]
pub struct Accumulate {
    iterator: Value,
    function: Option<Value>,
    initial: Slot,
    total: Slot,
}

#[pymethods]
impl Accumulate {
    #[slot(sig = "(iterable, func=None, *, initial=None)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, iterable: &Value, func: Option<&Value>, initial: Option<&Value>) -> Res<Value> {
        let given = |value: Option<&Value>| value.filter(|value| !value.is_none()).cloned();
        let iterator = vm.iter(iterable)?;
        let accumulate = Accumulate {
            iterator,
            function: given(func),
            initial: Slot::from_option(given(initial)),
            total: Slot::empty(),
        };
        Ok(Py::with_class(cls, accumulate).into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Accumulate>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<Accumulate>) -> Res<Option<Value>> {
        if !this.initial.is_empty()
            && let Some(first) = this.initial.take()
        {
            this.total.set(first.clone());
            return Ok(Some(first));
        }
        let Some(item) = vm.next(&this.iterator)? else {
            return Ok(None);
        };
        let total = match this.total.get() {
            None => item,
            Some(total) => match &this.function {
                None => vm.binary(lisle_bytecode::opcode::BinOp::Add, &total, &item)?,
                Some(function) => vm.call(function, &[total, item])?,
            },
        };
        this.total.set(total.clone());
        Ok(Some(total))
    }
}

/// Items in groups of `n`.
#[pyclass(
    name = "batched",
    module = "itertools",
    basetype,
    doc = "Batch data into tuples of length n. The last batch may be shorter than n.\n\nLoops over the input iterable and accumulates data into tuples\nup to size n.  The input is consumed lazily, just enough to\nfill a batch.  The result is yielded as soon as a batch is full\nor when the input iterable is exhausted.\n\n    >>> for batch in batched('ABCDEFG', 3):\n    ...     print(batch)\n    ...\n    ('A', 'B', 'C')\n    ('D', 'E', 'F')\n    ('G',)\n\nIf \"strict\" is True, raises a ValueError if the final batch is shorter\nthan n."
)]
pub struct Batched {
    iterator: Slot,
    size: usize,
    strict: bool,
}

#[pymethods]
impl Batched {
    #[slot(sig = "(iterable, n, *, strict=False)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, iterable: &Value, n: isize, strict: bool) -> Res<Value> {
        let size = match usize::try_from(n) {
            Ok(size) if size > 0 => size,
            _ => return Err(vm.value_error("n must be at least one")),
        };
        let iterator = Slot::new(vm.iter(iterable)?);
        Ok(Py::with_class(cls, Batched { iterator, size, strict }).into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Batched>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<Batched>) -> Res<Option<Value>> {
        let Some(iterator) = this.iterator.get() else {
            return Ok(None);
        };
        let mut batch = Vec::with_capacity(this.size.min(1024));
        while batch.len() < this.size {
            match vm.next(&iterator) {
                Ok(Some(item)) => {
                    batch.try_reserve(1)?;
                    batch.push(item);
                }
                Ok(None) => {
                    drop(this.iterator.take());
                    if batch.is_empty() {
                        return Ok(None);
                    }
                    if this.strict {
                        return Err(vm.value_error("batched(): incomplete batch"));
                    }
                    break;
                }
                Err(exc) => {
                    drop(this.iterator.take());
                    return Err(exc);
                }
            }
        }
        Ok(Some(Tuple::new(batch).into_value()))
    }
}

/// One iterable after the other.
#[pyclass(
    name = "chain",
    module = "itertools",
    basetype,
    doc = "Return a chain object whose .__next__() method returns elements from the\nfirst iterable until it is exhausted, then elements from the next\niterable, until all of the iterables are exhausted."
)]
pub struct Chain {
    /// Iterator over the iterables.
    source: Slot,
    /// Iterator over the current one.
    active: Slot,
    /// Iterators that a thread took from the source while another put its own in `active`.
    waiting: Locked<Vec<Value>>,
}

impl Chain {
    fn over(cls: &Py<Type>, source: Value) -> Value {
        let chain = Chain {
            source: Slot::new(source),
            active: Slot::empty(),
            waiting: Locked::new(Vec::new()),
        };
        Py::with_class(cls, chain).into_value()
    }
}

#[pymethods]
impl Chain {
    #[slot(sig = "(*iterables)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, iterables: &[Value]) -> Res<Value> {
        let source = vm.iter(Tuple::from_slice_clone(iterables).as_value())?;
        Ok(Chain::over(cls, source))
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Chain>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<Chain>) -> Res<Option<Value>> {
        loop {
            if let Some(active) = this.active.get() {
                if let Some(item) = vm.next(&active)? {
                    return Ok(Some(item));
                }
                drop(this.active.take_if(&active));
                continue;
            }
            let waiting = this.waiting.with(this.header(), Vec::pop);
            let next = match waiting {
                Some(waiting) => waiting,
                None => {
                    let Some(source) = this.source.get() else {
                        return Ok(None);
                    };
                    let next = vm.next(&source).and_then(|iterable| match iterable {
                        Some(iterable) => vm.iter(&iterable).map(Some),
                        None => Ok(None),
                    });
                    match next {
                        Ok(Some(next)) => next,
                        Ok(None) => {
                            drop(this.source.take());
                            // Another thread may have put its iterator aside meanwhile.
                            if this.active.is_empty() && this.waiting.with(this.header(), |w| w.is_empty()) {
                                return Ok(None);
                            }
                            continue;
                        }
                        Err(exc) => {
                            drop(this.source.take());
                            return Err(exc);
                        }
                    }
                }
            };
            if let Err(next) = this.active.set_if_empty(next) {
                this.waiting.with(this.header(), |waiting| waiting.push(next));
            }
        }
    }

    /// Alternative chain() constructor taking a single iterable argument that evaluates lazily.
    #[classmethod(sig = "($type, iterable, /)")]
    fn from_iterable(vm: &Vm, cls: &Py<Type>, iterable: &Value) -> Res<Value> {
        Ok(Chain::over(cls, vm.iter(iterable)?))
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        Ok(GenericAlias::new_value(vm, cls.as_value(), object))
    }
}

/// Items whose selector is true.
#[pyclass(
    name = "compress",
    module = "itertools",
    basetype,
    doc = "Return data elements corresponding to true selector elements.\n\nForms a shorter iterator from selected data elements using the selectors to\nchoose the data elements."
)]
pub struct Compress {
    data: Value,
    selectors: Value,
}

#[pymethods]
impl Compress {
    #[slot(sig = "(data, selectors)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, data: &Value, selectors: &Value) -> Res<Value> {
        let (data, selectors) = (vm.iter(data)?, vm.iter(selectors)?);
        Ok(Py::with_class(cls, Compress { data, selectors }).into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Compress>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<Compress>) -> Res<Option<Value>> {
        loop {
            let Some(item) = vm.next(&this.data)? else {
                return Ok(None);
            };
            let Some(selector) = vm.next(&this.selectors)? else {
                return Ok(None);
            };
            if vm.truth(&selector)? {
                return Ok(Some(item));
            }
            vm.safepoint()?;
        }
    }
}

/// Whether `function(item)` is true.
#[inline]
fn holds(vm: &Vm, function: &Value, item: &Value) -> Res<bool> {
    vm.truth(&vm.call(function, std::slice::from_ref(item))?)
}

/// Items from the first on for which the function is false.
#[pyclass(
    name = "dropwhile",
    module = "itertools",
    basetype,
    doc = "Drop items from the iterable while predicate(item) is true.\n\nAfterwards, return every element until the iterable is exhausted."
)]
pub struct DropWhile {
    function: Value,
    iterator: Value,
    started: AtomicBool,
}

#[pymethods]
impl DropWhile {
    #[slot(sig = "(predicate, iterable, /)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, predicate: &Value, iterable: &Value) -> Res<Value> {
        let iterator = vm.iter(iterable)?;
        let dropwhile = DropWhile {
            function: predicate.clone(),
            iterator,
            started: AtomicBool::new(false),
        };
        Ok(Py::with_class(cls, dropwhile).into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<DropWhile>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<DropWhile>) -> Res<Option<Value>> {
        while let Some(item) = vm.next(&this.iterator)? {
            if this.started.load(Relaxed) {
                return Ok(Some(item));
            }
            if !holds(vm, &this.function, &item)? {
                this.started.store(true, Relaxed);
                return Ok(Some(item));
            }
        }
        Ok(None)
    }
}

/// Items up to the first for which the function is false.
#[pyclass(
    name = "takewhile",
    module = "itertools",
    basetype,
    doc = "Return successive entries from an iterable as long as the predicate evaluates to true for each entry."
)]
pub struct TakeWhile {
    function: Value,
    iterator: Value,
    stopped: AtomicBool,
}

#[pymethods]
impl TakeWhile {
    #[slot(sig = "(predicate, iterable, /)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, predicate: &Value, iterable: &Value) -> Res<Value> {
        let iterator = vm.iter(iterable)?;
        let takewhile = TakeWhile {
            function: predicate.clone(),
            iterator,
            stopped: AtomicBool::new(false),
        };
        Ok(Py::with_class(cls, takewhile).into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<TakeWhile>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<TakeWhile>) -> Res<Option<Value>> {
        if this.stopped.load(Relaxed) {
            return Ok(None);
        }
        let Some(item) = vm.next(&this.iterator)? else {
            return Ok(None);
        };
        if holds(vm, &this.function, &item)? {
            return Ok(Some(item));
        }
        this.stopped.store(true, Relaxed);
        Ok(None)
    }
}

/// Items for which the function is false.
#[pyclass(
    name = "filterfalse",
    module = "itertools",
    basetype,
    doc = "Return those items of iterable for which function(item) is false.\n\nIf function is None, return the items that are false."
)]
pub struct FilterFalse {
    function: Value,
    iterator: Value,
}

#[pymethods]
impl FilterFalse {
    #[slot(sig = "(function, iterable, /)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, function: &Value, iterable: &Value) -> Res<Value> {
        let iterator = vm.iter(iterable)?;
        let function = function.clone();
        Ok(Py::with_class(cls, FilterFalse { function, iterator }).into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<FilterFalse>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<FilterFalse>) -> Res<Option<Value>> {
        let function = &this.function;
        let by_truth = function.is_none() || function.is(lisle_runtime::types::int::Bool::ty().as_value());
        while let Some(item) = vm.next(&this.iterator)? {
            let good = if by_truth {
                vm.truth(&item)?
            } else {
                holds(vm, function, &item)?
            };
            if !good {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }
}

/// `stop` of a slice without end.
const NO_STOP: i64 = -1;

/// A slice of an iterator.
#[pyclass(
    name = "islice",
    module = "itertools",
    basetype,
    doc = "islice(iterable, stop) --> islice object\nislice(iterable, start, stop[, step]) --> islice object\n\nReturn an iterator whose next() method returns selected values from an\niterable.  If start is specified, will skip all preceding elements;\notherwise, start defaults to zero.  Step defaults to one.  If\nspecified as another value, step determines how many values are\nskipped between successive calls.  Works like a slice() on a list\nbut returns an iterator."
)]
pub struct ISlice {
    iterator: Slot,
    /// Number of the next item to give out.
    next: AtomicI64,
    stop: i64,
    step: i64,
    /// How many items were taken from the iterator.
    taken: AtomicI64,
}

impl ISlice {
    fn end(&self) -> Option<Value> {
        drop(self.iterator.take());
        None
    }
}

/// A bound of a slice; `None` if it is no integer that fits.
fn bound(vm: &Vm, value: &Value, default: i64) -> Option<i64> {
    if value.is_none() {
        return Some(default);
    }
    vm.index_to_i64(value).ok()
}

#[pymethods]
impl ISlice {
    #[slot]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        if args.has_keywords() && !lisle_runtime::native::new_ignores_keywords::<ISlice>(cls) {
            return Err(vm.type_error("islice() takes no keyword arguments"));
        }
        let values = args.check_positional(vm, "islice", 2, 4)?;
        let bad_stop =
            || vm.value_error("Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.");
        let (start, stop) = match values {
            [_, stop] => (0, stop),
            [_, start, stop, ..] => (bound(vm, start, 0).unwrap_or(-1), stop),
            _ => (0, &Value::NONE),
        };
        let stop = match bound(vm, stop, NO_STOP) {
            Some(NO_STOP) if !stop.is_none() => return Err(bad_stop()),
            Some(stop) => stop,
            None => return Err(bad_stop()),
        };
        if start < 0 || stop < NO_STOP {
            return Err(vm.value_error("Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize."));
        }
        let step = values.get(3).map_or(Some(1), |step| bound(vm, step, 1)).unwrap_or(-1);
        if step < 1 {
            return Err(vm.value_error("Step for islice() must be a positive integer or None."));
        }
        let iterator = vm.iter(&values[0])?;
        let islice = ISlice {
            iterator: Slot::new(iterator),
            next: AtomicI64::new(start),
            stop,
            step,
            taken: AtomicI64::new(0),
        };
        Ok(Py::with_class(cls, islice).into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<ISlice>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<ISlice>) -> Res<Option<Value>> {
        let Some(iterator) = this.iterator.get() else {
            return Ok(None);
        };
        let take = || match vm.next(&iterator) {
            Ok(Some(item)) => {
                this.taken.store(this.taken.load(Relaxed).saturating_add(1), Relaxed);
                Ok(Some(item))
            }
            Ok(None) => Ok(this.end()),
            Err(exc) => {
                this.end();
                Err(exc)
            }
        };
        while this.taken.load(Relaxed) < this.next.load(Relaxed) {
            if take()?.is_none() {
                return Ok(None);
            }
            vm.safepoint()?;
        }
        if this.stop != NO_STOP && this.taken.load(Relaxed) >= this.stop {
            return Ok(this.end());
        }
        let Some(item) = take()? else { return Ok(None) };
        let next = this.next.load(Relaxed).saturating_add(this.step);
        let next = if this.stop == NO_STOP {
            next
        } else {
            next.min(this.stop)
        };
        this.next.store(next, Relaxed);
        Ok(Some(item))
    }
}

/// Overlapping pairs.
#[pyclass(
    name = "pairwise",
    module = "itertools",
    basetype,
    doc = "Return an iterator of overlapping pairs taken from the input iterator.\n\n    s -> (s0,s1), (s1,s2), (s2, s3), ..."
)]
pub struct Pairwise {
    iterator: Slot,
    previous: Slot,
}

impl Pairwise {
    fn end(&self) -> Option<Value> {
        drop(self.iterator.take());
        drop(self.previous.take());
        None
    }
}

#[pymethods]
impl Pairwise {
    #[slot(sig = "(iterable, /)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, iterable: &Value) -> Res<Value> {
        let pairwise = Pairwise {
            iterator: Slot::new(vm.iter(iterable)?),
            previous: Slot::empty(),
        };
        Ok(Py::with_class(cls, pairwise).into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Pairwise>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<Pairwise>) -> Res<Option<Value>> {
        let Some(iterator) = this.iterator.get() else {
            return Ok(None);
        };
        let take = || vm.next(&iterator).inspect_err(|_| drop(this.end()));
        let previous = match this.previous.get() {
            Some(previous) => previous,
            None => {
                let Some(first) = take()? else {
                    return Ok(this.end());
                };
                this.previous.set(first.clone());
                // The iterator itself may have used up this object.
                if this.iterator.is_empty() {
                    return Ok(this.end());
                }
                first
            }
        };
        let Some(item) = take()? else {
            return Ok(this.end());
        };
        this.previous.set(item.clone());
        Ok(Some(Tuple::pair(previous, item).into_value()))
    }
}

/// `function(*item)` for each item.
#[pyclass(
    name = "starmap",
    module = "itertools",
    basetype,
    doc = "Return an iterator whose values are returned from the function evaluated with an argument tuple taken from the given sequence."
)]
pub struct StarMap {
    function: Value,
    iterator: Value,
}

#[pymethods]
impl StarMap {
    #[slot(sig = "(function, iterable, /)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, function: &Value, iterable: &Value) -> Res<Value> {
        let iterator = vm.iter(iterable)?;
        let function = function.clone();
        Ok(Py::with_class(cls, StarMap { function, iterator }).into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<StarMap>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<StarMap>) -> Res<Option<Value>> {
        let Some(args) = vm.next(&this.iterator)? else {
            return Ok(None);
        };
        if let Some(args) = args.downcast_exact::<Tuple>() {
            return vm.call(&this.function, args).map(Some);
        }
        vm.call(&this.function, &vm.collect(&args)?).map(Some)
    }
}

/// Tuples of one item of each iterable, as long as any has one.
#[pyclass(
    name = "zip_longest",
    module = "itertools",
    basetype,
    doc = "Return a zip_longest object whose .__next__() method returns a tuple where\nthe i-th element comes from the i-th iterable argument.  The .__next__()\nmethod continues until the longest iterable in the argument sequence\nis exhausted and then it raises StopIteration.  When the shorter iterables\nare exhausted, the fillvalue is substituted in their place.  The fillvalue\ndefaults to None or can be specified by a keyword argument."
)]
pub struct ZipLongest {
    iterators: Vec<Slot>,
    /// How many are not exhausted.
    active: AtomicUsize,
    fill: Value,
}

#[pymethods]
impl ZipLongest {
    #[slot(sig = "(*iterables, fillvalue=None)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, iterables: &[Value], fillvalue: Option<&Value>) -> Res<Value> {
        let iterators = iterables
            .iter()
            .map(|iterable| vm.iter(iterable).map(Slot::new))
            .collect::<Res<Vec<Slot>>>()?;
        let zip = ZipLongest {
            active: AtomicUsize::new(iterators.len()),
            iterators,
            fill: fillvalue.cloned().unwrap_or(Value::NONE),
        };
        Ok(Py::with_class(cls, zip).into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<ZipLongest>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<ZipLongest>) -> Res<Option<Value>> {
        if this.active.load(Relaxed) == 0 {
            return Ok(None);
        }
        let mut items = Vec::with_capacity(this.iterators.len());
        for slot in &this.iterators {
            let Some(iterator) = slot.get() else {
                items.push(this.fill.clone());
                continue;
            };
            match vm.next(&iterator) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => {
                    // Whoever takes the iterator out counts it.
                    if slot.take().is_some() && this.active.fetch_sub(1, AcqRel) == 1 {
                        return Ok(None);
                    }
                    if this.active.load(Relaxed) == 0 {
                        return Ok(None);
                    }
                    items.push(this.fill.clone());
                }
                Err(exc) => {
                    this.active.store(0, Relaxed);
                    return Err(exc);
                }
            }
        }
        Ok(Some(Tuple::new(items).into_value()))
    }
}

#[pymodule(
    name = "itertools",
    doc = "Functional tools for creating and using iterators.\n\nInfinite iterators:\ncount(start=0, step=1) --> start, start+step, start+2*step, ...\ncycle(p) --> p0, p1, ... plast, p0, p1, ...\nrepeat(elem [,n]) --> elem, elem, elem, ... endlessly or up to n times\n\nIterators terminating on the shortest input sequence:\naccumulate(p[, func]) --> p0, p0+p1, p0+p1+p2\nbatched(p, n) --> [p0, p1, ..., p_n-1], [p_n, p_n+1, ..., p_2n-1], ...\nchain(p, q, ...) --> p0, p1, ... plast, q0, q1, ...\nchain.from_iterable([p, q, ...]) --> p0, p1, ... plast, q0, q1, ...\ncompress(data, selectors) --> (d[0] if s[0]), (d[1] if s[1]), ...\ndropwhile(predicate, seq) --> seq[n], seq[n+1], starting when predicate fails\ngroupby(iterable[, keyfunc]) --> sub-iterators grouped by value of keyfunc(v)\nfilterfalse(predicate, seq) --> elements of seq where pred(elem) is False\nislice(seq, [start,] stop [, step]) --> elements from\n       seq[start:stop:step]\npairwise(s) --> (s[0],s[1]), (s[1],s[2]), (s[2], s[3]), ...\nstarmap(fun, seq) --> fun(*seq[0]), fun(*seq[1]), ...\ntee(it, n) --> (it1, it2 , ... itn) splits one iterator into n\ntakewhile(predicate, seq) --> seq[0], seq[1], until predicate fails\nzip_longest(p, q, ...) --> (p[0], q[0]), (p[1], q[1]), ...\n\nCombinatoric generators:\nproduct(p, q, ... [repeat=1]) --> cartesian product\npermutations(p[, r])\ncombinations(p, r)\ncombinations_with_replacement(p, r)",
    types(
        Accumulate,
        Batched,
        Chain,
        Combinations,
        CombinationsWithReplacement,
        Compress,
        Count,
        Cycle,
        DropWhile,
        FilterFalse,
        GroupBy,
        Grouper,
        ISlice,
        Pairwise,
        Permutations,
        Product,
        Repeat,
        StarMap,
        TakeWhile,
        Tee,
        TeeData,
        ZipLongest
    )
)]
pub mod module {
    use super::*;

    /// Returns a tuple of n independent iterators.
    #[pyfunction(sig = "(iterable, n=2, /)")]
    fn tee(vm: &Vm, iterable: &Value, n: Option<isize>) -> Res<Value> {
        super::tee::tee(vm, iterable, n.unwrap_or(2))
    }
}
