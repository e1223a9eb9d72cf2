//! The builtin iterators that work on other iterators: `enumerate`, `zip`, `map`, `filter`.
//!
//! Invariant: the iterators inside never change, so they can be borrowed; the only state is a counter.

use num_bigint::BigInt;

use super::common::{class_getitem, exact_index, to_bigint};
use super::tuple::Tuple;
use crate::native::{pyclass, pymethods};
use crate::object::{Py, Slot, Type, Value};
use crate::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};
use crate::sync::parallel;
use crate::vm::{Res, Vm};

/// `enumerate(iterable, start)`
#[pyclass(
    name = "enumerate",
    basetype,
    doc = "Return an enumerate object.\n\n  iterable\n    an object supporting iteration\n\nThe enumerate object yields pairs containing a count (from start, which\ndefaults to zero) and a value yielded by the iterable argument.\n\nenumerate is useful for obtaining an indexed list:\n    (0, seq[0]), (1, seq[1]), (2, seq[2]), ..."
)]
pub struct Enumerate {
    iterator: Value,
    count: AtomicI64,
    /// The count, once it no longer fits.
    big: Slot,
}

impl Enumerate {
    fn number(&self, vm: &Vm) -> Value {
        let big = self.big.get();
        if big.is_none() {
            let count = if parallel() {
                self.count
                    .fetch_update(Relaxed, Relaxed, |count| count.checked_add(1))
                    .unwrap_or(i64::MAX)
            } else {
                let count = self.count.load(Relaxed);
                self.count.store(count.saturating_add(1), Relaxed);
                count
            };
            if count < i64::MAX {
                return Value::int(count);
            }
        }
        let count = big.unwrap_or_else(|| Value::int(i64::MAX));
        self.big.set(Value::bigint(to_bigint(vm, &count) + BigInt::from(1)));
        count
    }
}

impl Enumerate {
    /// The next count and item.
    #[inline]
    pub(crate) fn next_pair(&self, vm: &Vm) -> Res<Option<(Value, Value)>> {
        Ok(vm.next(&self.iterator)?.map(|item| (self.number(vm), item)))
    }
}

#[pymethods]
impl Enumerate {
    #[slot(sig = "(iterable, start=0)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, iterable: &Value, start: Option<&Value>) -> Res<Value> {
        let start = match start {
            Some(start) => exact_index(vm, start)?,
            None => Value::int(0),
        };
        let iterator = vm.iter(iterable)?;
        let count = start.as_small_int();
        let big = if count.is_some() {
            Slot::empty()
        } else {
            Slot::new(start)
        };
        Ok(Py::with_class(
            cls,
            Enumerate {
                iterator,
                count: AtomicI64::new(count.unwrap_or(i64::MAX)),
                big,
            },
        )
        .into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Enumerate>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<Enumerate>) -> Res<Option<Value>> {
        let pair = this.next_pair(vm)?;
        Ok(pair.map(|(count, item)| Tuple::pair(count, item).into_value()))
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_vm: &Vm, this: &Py<Enumerate>) -> Res<Value> {
        let count = this.big.get().unwrap_or_else(|| Value::int(this.count.load(Relaxed)));
        let args = Tuple::pair(this.iterator.clone(), count);
        Ok(Tuple::pair(this.class().to_value(), args.into_value()).into_value())
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        class_getitem(vm, cls, object)
    }
}

/// One item of each iterator; `None` when one has ended. With `strict` all must end together.
fn step(vm: &Vm, iterators: &[Value], strict: bool, name: &str) -> Res<Option<Vec<Value>>> {
    let mut items = Vec::with_capacity(iterators.len());
    for iterator in iterators {
        match vm.next(iterator)? {
            Some(item) => items.push(item),
            None => {
                if strict {
                    check_all_ended(vm, iterators, items.len(), name)?;
                }
                return Ok(None);
            }
        }
    }
    Ok(Some(items))
}

/// Iterator number `ended` was the first to end.
#[cold]
fn check_all_ended(vm: &Vm, iterators: &[Value], ended: usize, name: &str) -> Res<()> {
    let before = |n: usize| if n == 1 { " 1".to_owned() } else { format!("s 1-{n}") };
    if ended > 0 {
        let message = format!(
            "{name}() argument {} is shorter than argument{}",
            ended + 1,
            before(ended)
        );
        return Err(vm.value_error(message));
    }
    for (n, iterator) in iterators.iter().enumerate().skip(1) {
        if vm.next(iterator)?.is_some() {
            let message = format!("{name}() argument {} is longer than argument{}", n + 1, before(n));
            return Err(vm.value_error(message));
        }
    }
    Ok(())
}

/// `zip(*iterables, strict=False)`
#[pyclass(
    name = "zip",
    basetype,
    doc = "The zip object yields n-length tuples, where n is the number of iterables\npassed as positional arguments to zip().  The i-th element in every tuple\ncomes from the i-th iterable argument to zip().  This continues until the\nshortest argument is exhausted.\n\nIf strict is true and one of the arguments is exhausted before the others,\nraise a ValueError.\n\n   >>> list(zip('abcdefg', range(3), range(4)))\n   [('a', 0, 0), ('b', 1, 1), ('c', 2, 2)]"
)]
pub struct Zip {
    iterators: Py<Tuple>,
    strict: AtomicBool,
}

impl Zip {
    /// Whether it gives pairs and need not look whether both end together.
    #[inline]
    pub(crate) fn gives_pairs(&self) -> bool {
        self.iterators.len() == 2 && !self.strict.load(Relaxed)
    }

    /// The next items of the first two.
    #[inline]
    pub(crate) fn next_pair(&self, vm: &Vm) -> Res<Option<(Value, Value)>> {
        let [a, b, ..] = self.iterators.as_slice() else {
            return Ok(None);
        };
        let Some(a) = vm.next(a)? else { return Ok(None) };
        Ok(vm.next(b)?.map(|b| (a, b)))
    }
}

#[pymethods]
impl Zip {
    #[slot(sig = "(*iterables, strict=False)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, iterables: &[Value], strict: bool) -> Res<Value> {
        let iterators = iterables
            .iter()
            .map(|iterable| vm.iter(iterable))
            .collect::<Res<Vec<Value>>>()?;
        let zip = Zip {
            iterators: Tuple::new(iterators),
            strict: AtomicBool::new(strict),
        };
        Ok(Py::with_class(cls, zip).into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Zip>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<Zip>) -> Res<Option<Value>> {
        let iterators = this.iterators.as_slice();
        if iterators.is_empty() {
            return Ok(None);
        }
        // The usual case without a detour.
        if this.gives_pairs() {
            let pair = this.next_pair(vm)?;
            return Ok(pair.map(|(a, b)| Tuple::pair(a, b).into_value()));
        }
        let items = step(vm, iterators, this.strict.load(Relaxed), "zip")?;
        Ok(items.map(|items| Tuple::new(items).into_value()))
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_vm: &Vm, this: &Py<Zip>) -> Res<Value> {
        let (class, args) = (this.class().to_value(), this.iterators.to_value());
        Ok(if this.strict.load(Relaxed) {
            Tuple::from_array([class, args, Value::TRUE]).into_value()
        } else {
            Tuple::pair(class, args).into_value()
        })
    }

    /// Set state information for unpickling.
    #[pymethod(sig = "($self, object, /)")]
    fn __setstate__(_vm: &Vm, this: &Py<Zip>, object: bool) -> Res<()> {
        this.strict.store(object, Relaxed);
        Ok(())
    }
}

/// `map(function, iterable, *iterables, strict=False)`
#[pyclass(
    name = "map",
    basetype,
    doc = "Make an iterator that computes the function using arguments from\neach of the iterables.  Stops when the shortest iterable is exhausted.\n\nIf strict is true and one of the arguments is exhausted before the others,\nraise a ValueError."
)]
pub struct Map {
    function: Value,
    iterators: Py<Tuple>,
    strict: AtomicBool,
}

#[pymethods]
impl Map {
    #[slot(sig = "(*iterables, strict=False)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, iterables: &[Value], strict: bool) -> Res<Value> {
        let [function, iterables @ ..] = iterables else {
            return Err(vm.type_error("map() must have at least two arguments."));
        };
        if iterables.is_empty() {
            return Err(vm.type_error("map() must have at least two arguments."));
        }
        let iterators = iterables
            .iter()
            .map(|iterable| vm.iter(iterable))
            .collect::<Res<Vec<Value>>>()?;
        let map = Map {
            function: function.clone(),
            iterators: Tuple::new(iterators),
            strict: AtomicBool::new(strict),
        };
        Ok(Py::with_class(cls, map).into_value())
    }

    #[classattr]
    fn __text_signature__(_vm: &Vm) -> Value {
        Value::from("(function, iterable, /, *iterables, strict=False)")
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Map>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<Map>) -> Res<Option<Value>> {
        if let [iterator] = this.iterators.as_slice() {
            return match vm.next(iterator)? {
                Some(item) => vm.call(&this.function, &[item]).map(Some),
                None => Ok(None),
            };
        }
        match step(vm, &this.iterators, this.strict.load(Relaxed), "map")? {
            Some(items) => vm.call(&this.function, &items).map(Some),
            None => Ok(None),
        }
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_vm: &Vm, this: &Py<Map>) -> Res<Value> {
        let args = std::iter::once(&this.function)
            .chain(this.iterators.iter())
            .cloned()
            .collect();
        let (class, args) = (this.class().to_value(), Tuple::new(args).into_value());
        Ok(if this.strict.load(Relaxed) {
            Tuple::from_array([class, args, Value::TRUE]).into_value()
        } else {
            Tuple::pair(class, args).into_value()
        })
    }

    /// Set state information for unpickling.
    #[pymethod(sig = "($self, object, /)")]
    fn __setstate__(_vm: &Vm, this: &Py<Map>, object: bool) -> Res<()> {
        this.strict.store(object, Relaxed);
        Ok(())
    }
}

/// `filter(function, iterable)`
#[pyclass(
    name = "filter",
    basetype,
    doc = "Return an iterator yielding those items of iterable for which function(item)\nis true. If function is None, return the items that are true."
)]
pub struct Filter {
    function: Value,
    iterator: Value,
}

#[pymethods]
impl Filter {
    #[slot(sig = "(function, iterable, /)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, function: &Value, iterable: &Value) -> Res<Value> {
        let iterator = vm.iter(iterable)?;
        Ok(Py::with_class(
            cls,
            Filter {
                function: function.clone(),
                iterator,
            },
        )
        .into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Filter>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<Filter>) -> Res<Option<Value>> {
        use crate::object::Native;
        let function = &this.function;
        let by_truth = function.is_none() || function.is(crate::types::int::Bool::ty().as_value());
        while let Some(item) = vm.next(&this.iterator)? {
            let keep = if by_truth {
                vm.truth(&item)?
            } else {
                vm.truth(&vm.call(function, std::slice::from_ref(&item))?)?
            };
            if keep {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_vm: &Vm, this: &Py<Filter>) -> Res<Value> {
        let args = Tuple::pair(this.function.clone(), this.iterator.clone());
        Ok(Tuple::pair(this.class().to_value(), args.into_value()).into_value())
    }
}
