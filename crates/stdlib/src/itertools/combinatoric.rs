//! `product`, `permutations`, `combinations` and `combinations_with_replacement`.
//!
//! Invariant: the pools never change; a step moves the indices and reads the pools under the object's lock, which runs no Python code, so
//! threads that share an iterator get each result exactly once.

use lisle_runtime::native::{Py, Res, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::no_trace;
use lisle_runtime::sync::Locked;
use lisle_runtime::types::tuple::Tuple;

use super::as_tuple;

/// Where an iterator stands.
struct Position {
    indices: Vec<usize>,
    /// How many values each place of a permutation still has to go through; unused by the others.
    cycles: Vec<usize>,
    started: bool,
    ended: bool,
}

no_trace!(Position);

impl Position {
    fn new(indices: Vec<usize>, ended: bool) -> Locked<Position> {
        Locked::new(Position {
            indices,
            cycles: Vec::new(),
            started: false,
            ended,
        })
    }

    /// Moves on: the first time not at all, later by `advance`, which says whether there is a next position.
    fn step<T>(&mut self, advance: impl FnOnce(&mut Position) -> bool, read: impl FnOnce(&Position) -> T) -> Option<T> {
        if self.ended {
            return None;
        }
        if self.started && !advance(self) {
            self.ended = true;
            return None;
        }
        self.started = true;
        Some(read(self))
    }
}

/// The number of items to choose.
fn count(vm: &Vm, r: isize) -> Res<usize> {
    usize::try_from(r).map_err(|_| vm.value_error("r must be non-negative"))
}

/// `r` numbers by `number`; fails without memory.
fn numbers(vm: &Vm, r: usize, number: impl Fn(usize) -> usize) -> Res<Vec<usize>> {
    let mut numbers = Vec::new();
    if numbers.try_reserve_exact(r).is_err() {
        return Err(vm.memory_error());
    }
    numbers.extend((0..r).map(number));
    Ok(numbers)
}

fn chosen(pool: &[Value], indices: &[usize]) -> Value {
    Tuple::new(indices.iter().filter_map(|&at| pool.get(at).cloned()).collect()).into_value()
}

/// The Cartesian product.
#[pyclass(
    name = "product",
    module = "itertools",
    basetype,
    doc = "Cartesian product of input iterables.  Equivalent to nested for-loops.\n\nFor example, product(A, B) returns the same as:  ((x,y) for x in A for y in B).\nThe leftmost iterators are in the outermost for-loop, so the output tuples\ncycle in a manner similar to an odometer (with the rightmost element changing\non every iteration).\n\nTo compute the product of an iterable with itself, specify the number\nof repetitions with the optional repeat keyword argument. For example,\nproduct(A, repeat=4) means the same as product(A, A, A, A).\n\nproduct('ab', range(3)) --> ('a',0) ('a',1) ('a',2) ('b',0) ('b',1) ('b',2)\nproduct((0,1), (0,1), (0,1)) --> (0,0,0) (0,0,1) (0,1,0) (0,1,1) (1,0,0) ..."
)]
pub struct Product {
    pools: Vec<Py<Tuple>>,
    position: Locked<Position>,
}

#[pymethods]
impl Product {
    #[slot(sig = "(*iterables, repeat=1)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, iterables: &[Value], repeat: isize) -> Res<Value> {
        let Ok(repeat) = usize::try_from(repeat) else {
            return Err(vm.value_error("repeat argument cannot be negative"));
        };
        let mut pools = Vec::new();
        if repeat > 0 {
            let too_large = || vm.overflow_error("repeat argument too large");
            let count = iterables.len().checked_mul(repeat).ok_or_else(too_large)?;
            if count > isize::MAX as usize / 16 {
                return Err(too_large());
            }
            if pools.try_reserve_exact(count).is_err() {
                return Err(vm.memory_error());
            }
            for iterable in iterables {
                pools.push(as_tuple(vm, iterable)?);
            }
            for at in pools.len()..count {
                pools.push(pools[at - iterables.len()].clone());
            }
        }
        let ended = pools.iter().any(|pool| pool.is_empty());
        let position = Position::new(numbers(vm, pools.len(), |_| 0)?, ended);
        Ok(Py::with_class(cls, Product { pools, position }).into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Product>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(_vm: &Vm, this: &Py<Product>) -> Res<Option<Value>> {
        let pools = &this.pools;
        let advance = |position: &mut Position| {
            for (index, pool) in position.indices.iter_mut().zip(pools).rev() {
                *index += 1;
                if *index < pool.len() {
                    return true;
                }
                *index = 0;
            }
            false
        };
        let read = |position: &Position| {
            let items = position.indices.iter().zip(pools);
            Tuple::new(items.filter_map(|(&at, pool)| pool.get(at).cloned()).collect()).into_value()
        };
        Ok(this
            .position
            .with(this.header(), |position| position.step(advance, read)))
    }
}

/// Subsequences of a given length.
#[pyclass(
    name = "combinations",
    module = "itertools",
    basetype,
    doc = "Return successive r-length combinations of elements in the iterable.\n\ncombinations(range(4), 3) --> (0,1,2), (0,1,3), (0,2,3), (1,2,3)"
)]
pub struct Combinations {
    pool: Py<Tuple>,
    position: Locked<Position>,
}

#[pymethods]
impl Combinations {
    #[slot(sig = "(iterable, r)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, iterable: &Value, r: isize) -> Res<Value> {
        let pool = as_tuple(vm, iterable)?;
        let r = count(vm, r)?;
        let ended = r > pool.len();
        let position = Position::new(numbers(vm, if ended { 0 } else { r }, |at| at)?, ended);
        Ok(Py::with_class(cls, Combinations { pool, position }).into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Combinations>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(_vm: &Vm, this: &Py<Combinations>) -> Res<Option<Value>> {
        let n = this.pool.len();
        let advance = |position: &mut Position| {
            let indices = &mut position.indices;
            let r = indices.len();
            // The rightmost index that is not at its end goes up, those behind it follow it.
            let Some(at) = (0..r).rev().find(|&at| indices[at] != at + n - r) else {
                return false;
            };
            let first = indices[at] + 1;
            for (offset, index) in indices[at..].iter_mut().enumerate() {
                *index = first + offset;
            }
            true
        };
        let read = |position: &Position| chosen(&this.pool, &position.indices);
        Ok(this
            .position
            .with(this.header(), |position| position.step(advance, read)))
    }
}

/// Subsequences of a given length in which items may repeat.
#[pyclass(
    name = "combinations_with_replacement",
    module = "itertools",
    basetype,
    doc = "Return successive r-length combinations of elements in the iterable allowing individual elements to have successive repeats.\n\ncombinations_with_replacement('ABC', 2) --> ('A','A'), ('A','B'), ('A','C'), ('B','B'), ('B','C'), ('C','C')"
)]
pub struct CombinationsWithReplacement {
    pool: Py<Tuple>,
    position: Locked<Position>,
}

#[pymethods]
impl CombinationsWithReplacement {
    #[slot(sig = "(iterable, r)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, iterable: &Value, r: isize) -> Res<Value> {
        let pool = as_tuple(vm, iterable)?;
        let r = count(vm, r)?;
        let ended = pool.is_empty() && r > 0;
        let position = Position::new(numbers(vm, r, |_| 0)?, ended);
        Ok(Py::with_class(cls, CombinationsWithReplacement { pool, position }).into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<CombinationsWithReplacement>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(_vm: &Vm, this: &Py<CombinationsWithReplacement>) -> Res<Option<Value>> {
        let n = this.pool.len();
        let advance = |position: &mut Position| {
            let indices = &mut position.indices;
            let Some(at) = indices.iter().rposition(|&index| index + 1 != n) else {
                return false;
            };
            let next = indices[at] + 1;
            indices[at..].fill(next);
            true
        };
        let read = |position: &Position| chosen(&this.pool, &position.indices);
        Ok(this
            .position
            .with(this.header(), |position| position.step(advance, read)))
    }
}

/// Arrangements of a given length.
#[pyclass(
    name = "permutations",
    module = "itertools",
    basetype,
    doc = "Return successive r-length permutations of elements in the iterable.\n\npermutations(range(3), 2) --> (0,1), (0,2), (1,0), (1,2), (2,0), (2,1)"
)]
pub struct Permutations {
    pool: Py<Tuple>,
    position: Locked<Position>,
}

#[pymethods]
impl Permutations {
    #[slot(sig = "(iterable, r=None)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, iterable: &Value, r: Option<&Value>) -> Res<Value> {
        let pool = as_tuple(vm, iterable)?;
        let n = pool.len();
        let r = match r {
            Some(r) if !r.is_none() => {
                if vm.int_value(r).is_none() {
                    return Err(vm.type_error("Expected int as r"));
                }
                let Ok(r) = vm.index_to_i64(r) else {
                    return Err(vm.overflow_error("Python int too large to convert to C ssize_t"));
                };
                count(vm, r as isize)?
            }
            _ => n,
        };
        let ended = r > n;
        let cycles = numbers(vm, if ended { 0 } else { r }, |at| n - at)?;
        let position = Locked::new(Position {
            indices: numbers(vm, n, |at| at)?,
            cycles,
            started: false,
            ended,
        });
        Ok(Py::with_class(cls, Permutations { pool, position }).into_value())
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Permutations>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(_vm: &Vm, this: &Py<Permutations>) -> Res<Option<Value>> {
        let n = this.pool.len();
        let advance = |position: &mut Position| {
            let Position { indices, cycles, .. } = position;
            for at in (0..cycles.len()).rev() {
                cycles[at] -= 1;
                if cycles[at] == 0 {
                    indices[at..].rotate_left(1);
                    cycles[at] = n - at;
                } else {
                    indices.swap(at, n - cycles[at]);
                    return true;
                }
            }
            false
        };
        let read = |position: &Position| chosen(&this.pool, &position.indices[..position.cycles.len()]);
        Ok(this
            .position
            .with(this.header(), |position| position.step(advance, read)))
    }
}
