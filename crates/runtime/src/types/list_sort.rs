//! `list.sort`: a stable, adaptive merge sort in the manner of timsort.
//!
//! Invariant: what is sorted is an array of positions, so that whatever a comparison does (raise, lie, change the list) it stays a
//! permutation and every item goes back into the list. While Python code can run, the list is empty; what it puts in meanwhile is
//! an error. Keys that are all int, all float without NaN, or all str are compared without Python code by Rust's stable sort.

use std::cmp::Ordering;

use super::list::List;
use crate::native::CmpOp;
use crate::object::{Py, Value};
use crate::types::str::Str;
use crate::vm::{Res, Vm};

/// `list.sort(key=key, reverse=reverse)`
pub fn sort_list(vm: &Vm, list: &Py<List>, key: Option<&Value>, reverse: bool) -> Res<()> {
    let mut items = list.with(|place| place.take_to_sort()).map_err(|_| vm.memory_error())?;
    let result = sort_values(vm, &mut items, key, reverse);
    let intruders = list.with(|place| {
        let modified = !place.is_sorting();
        let old = place.replace_all(items);
        modified.then_some(old)
    });
    result?;
    match intruders {
        Some(_) => Err(vm.value_error("list modified during sort")),
        None => Ok(()),
    }
}

/// Sorts values. After an error they are all there, in some order.
pub fn sort_values(vm: &Vm, items: &mut Vec<Value>, key: Option<&Value>, reverse: bool) -> Res<()> {
    // For keys, positions and what merging takes.
    if !crate::text::room_for(items.len().saturating_mul(4 * size_of::<Value>())) {
        return Err(vm.memory_error());
    }
    let Some(key) = key else {
        if items.len() < 2 || sort_plain(items, reverse) {
            return Ok(());
        }
        let keys = items.clone();
        return sort_by_keys(vm, &keys, items, reverse);
    };
    let mut keys = Vec::new();
    if keys.try_reserve_exact(items.len()).is_err() {
        return Err(vm.memory_error());
    }
    for item in items.iter() {
        keys.push(vm.call(key, std::slice::from_ref(item))?);
    }
    if items.len() < 2 {
        return Ok(());
    }
    match positions_by_plain_keys(&keys, reverse) {
        Some(order) => {
            permute(items, &order);
            Ok(())
        }
        None => sort_by_keys(vm, &keys, items, reverse),
    }
}

/// Turns an order round without giving up stability: equal elements stay in the order they had.
#[inline(always)]
fn directed(order: Ordering, reverse: bool) -> Ordering {
    if reverse { order.reverse() } else { order }
}

/// What all the values are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plain {
    Int,
    Float,
    Str,
}

fn plain_kind(values: &[Value]) -> Option<Plain> {
    let kind_of = |value: &Value| {
        if value.is_small_int() {
            Some(Plain::Int)
        } else if let Some(x) = value.as_exact_float() {
            // A NaN has no place in an order.
            (!x.is_nan()).then_some(Plain::Float)
        } else {
            value.downcast_exact::<Str>().map(|_| Plain::Str)
        }
    };
    let kind = kind_of(values.first()?)?;
    values.iter().all(|value| kind_of(value) == Some(kind)).then_some(kind)
}

fn int(value: &Value) -> i64 {
    value.as_small_int().unwrap_or_default()
}

fn float(value: &Value) -> f64 {
    value.as_exact_float().unwrap_or_default()
}

fn compare_text(a: &Value, b: &Value) -> Ordering {
    match (a.downcast_exact::<Str>(), b.downcast_exact::<Str>()) {
        (Some(a), Some(b)) => a.view().cmp(&b.view()),
        _ => Ordering::Equal,
    }
}

fn compare_floats(a: f64, b: f64, reverse: bool) -> Ordering {
    directed(a.partial_cmp(&b).unwrap_or(Ordering::Equal), reverse)
}

/// Sorts values of one plain kind; `false` if they are not.
fn sort_plain(items: &mut [Value], reverse: bool) -> bool {
    match plain_kind(items) {
        Some(Plain::Int) => {
            let mut ints: Vec<i64> = items.iter().map(int).collect();
            if reverse {
                ints.sort_unstable_by(|a, b| b.cmp(a));
            } else {
                ints.sort_unstable();
            }
            for (item, int) in items.iter_mut().zip(ints) {
                *item = Value::int(int);
            }
        }
        Some(Plain::Float) => items.sort_by(|a, b| compare_floats(float(a), float(b), reverse)),
        Some(Plain::Str) => items.sort_by(|a, b| directed(compare_text(a, b), reverse)),
        None => return false,
    }
    true
}

/// The order of keys of one plain kind.
fn positions_by_plain_keys(keys: &[Value], reverse: bool) -> Option<Vec<usize>> {
    match plain_kind(keys)? {
        Plain::Int => {
            let mut pairs: Vec<(i64, usize)> = keys.iter().map(int).zip(0..).collect();
            pairs.sort_by(|a, b| directed(a.0.cmp(&b.0), reverse));
            Some(pairs.into_iter().map(|(_, at)| at).collect())
        }
        Plain::Float => {
            let mut pairs: Vec<(f64, usize)> = keys.iter().map(float).zip(0..).collect();
            pairs.sort_by(|a, b| compare_floats(a.0, b.0, reverse));
            Some(pairs.into_iter().map(|(_, at)| at).collect())
        }
        Plain::Str => {
            let mut order: Vec<usize> = (0..keys.len()).collect();
            order.sort_by(|&a, &b| directed(compare_text(&keys[a], &keys[b]), reverse));
            Some(order)
        }
    }
}

/// Puts item number `order[n]` at place `n`.
fn permute(items: &mut Vec<Value>, order: &[usize]) {
    let mut from: Vec<Option<Value>> = std::mem::take(items).into_iter().map(Some).collect();
    items.extend(order.iter().filter_map(|&at| from[at].take()));
}

fn sort_by_keys(vm: &Vm, keys: &[Value], items: &mut Vec<Value>, reverse: bool) -> Res<()> {
    let less = |a: usize, b: usize| vm.compare_bool(&keys[a], &keys[b], CmpOp::Lt);
    let mut order: Vec<usize> = (0..keys.len()).collect();
    // Reversed before and after, the sort keeps equal elements in their order.
    if reverse {
        order.reverse();
    }
    let result = Sorter::new(less).sort(&mut order);
    if reverse {
        order.reverse();
    }
    permute(items, &order);
    result
}

/// Runs shorter than this are sorted by insertion.
const SMALL: usize = 64;
/// As many wins of one side in a row start galloping.
const GALLOP: usize = 7;

/// A run of sorted positions.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    len: usize,
}

/// Sorts positions by a comparison that can fail.
struct Sorter<F> {
    less: F,
    runs: Vec<Run>,
    spare: Vec<usize>,
    gallop: usize,
}

impl<E, F: FnMut(usize, usize) -> Result<bool, E>> Sorter<F> {
    fn new(less: F) -> Sorter<F> {
        Sorter {
            less,
            runs: Vec::new(),
            spare: Vec::new(),
            gallop: GALLOP,
        }
    }

    fn sort(&mut self, order: &mut [usize]) -> Result<(), E> {
        let shortest = shortest_run(order.len());
        let mut start = 0;
        while start < order.len() {
            let mut len = self.natural_run(&mut order[start..])?;
            if len < shortest {
                let wanted = shortest.min(order.len() - start);
                self.insert_rest(&mut order[start..start + wanted], len)?;
                len = wanted;
            }
            self.runs.push(Run { start, len });
            self.collapse(order)?;
            start += len;
        }
        while self.runs.len() > 1 {
            let n = self.runs.len();
            let at = if n > 2 && self.runs[n - 3].len < self.runs[n - 1].len {
                n - 3
            } else {
                n - 2
            };
            self.merge_at(order, at)?;
        }
        Ok(())
    }

    /// The length of the sorted run at the start; a strictly descending one is turned round.
    fn natural_run(&mut self, order: &mut [usize]) -> Result<usize, E> {
        if order.len() < 2 {
            return Ok(order.len());
        }
        let descending = (self.less)(order[1], order[0])?;
        let mut len = 2;
        while len < order.len() && (self.less)(order[len], order[len - 1])? == descending {
            len += 1;
        }
        if descending {
            order[..len].reverse();
        }
        Ok(len)
    }

    /// Inserts the positions from `sorted` on into those before it.
    fn insert_rest(&mut self, order: &mut [usize], sorted: usize) -> Result<(), E> {
        for next in sorted..order.len() {
            let pivot = order[next];
            let (mut low, mut high) = (0, next);
            while low < high {
                let middle = low + (high - low) / 2;
                if (self.less)(pivot, order[middle])? {
                    high = middle
                } else {
                    low = middle + 1
                }
            }
            order.copy_within(low..next, low + 1);
            order[low] = pivot;
        }
        Ok(())
    }

    /// Merges until each run is longer than the two after it together, so that merges stay balanced.
    fn collapse(&mut self, order: &mut [usize]) -> Result<(), E> {
        loop {
            let n = self.runs.len();
            let len = |back: usize| self.runs[n - back].len;
            if n >= 3 && len(3) <= len(2) + len(1) || n >= 4 && len(4) <= len(3) + len(2) {
                let at = if len(3) < len(1) { n - 3 } else { n - 2 };
                self.merge_at(order, at)?;
            } else if n >= 2 && len(2) <= len(1) {
                self.merge_at(order, n - 2)?;
            } else {
                return Ok(());
            }
        }
    }

    fn merge_at(&mut self, order: &mut [usize], at: usize) -> Result<(), E> {
        let (a, b) = (self.runs[at], self.runs[at + 1]);
        self.runs[at].len = a.len + b.len;
        self.runs.remove(at + 1);
        let part = &mut order[a.start..b.start + b.len];
        // What is in its place already is left alone.
        let skip = self.after_equals(part[a.len], &part[..a.len])?;
        let (part, left) = (&mut part[skip..], a.len - skip);
        if left == 0 {
            return Ok(());
        }
        let right = self.before_equals(part[left - 1], &part[left..])?;
        let part = &mut part[..left + right];
        if left <= right {
            self.merge_low(part, left)
        } else {
            self.merge_high(part, left)
        }
    }

    /// How many of the sorted `run` are not greater than `key`; quick if few are.
    fn after_equals(&mut self, key: usize, run: &[usize]) -> Result<usize, E> {
        let mut bound = 1;
        while bound < run.len() && !(self.less)(key, run[bound])? {
            bound = bound * 2 + 1;
        }
        let (mut low, mut high) = (bound / 2, bound.min(run.len()));
        while low < high {
            let middle = low + (high - low) / 2;
            if (self.less)(key, run[middle])? {
                high = middle
            } else {
                low = middle + 1
            }
        }
        Ok(low)
    }

    /// How many of the sorted `run` are less than `key`; quick if nearly all are.
    fn before_equals(&mut self, key: usize, run: &[usize]) -> Result<usize, E> {
        let mut back = 1;
        while back <= run.len() && !(self.less)(run[run.len() - back], key)? {
            back *= 2;
        }
        let (mut low, mut high) = (run.len() - back.min(run.len()), run.len() - back / 2);
        while low < high {
            let middle = low + (high - low) / 2;
            if (self.less)(run[middle], key)? {
                low = middle + 1
            } else {
                high = middle
            }
        }
        Ok(low)
    }

    /// Merges the first `left` positions with the others, from the front; the left ones are the fewer.
    fn merge_low(&mut self, part: &mut [usize], left: usize) -> Result<(), E> {
        let mut spare = std::mem::take(&mut self.spare);
        spare.clear();
        spare.extend_from_slice(&part[..left]);
        let (mut a, mut b, mut to) = (0, left, 0);
        let result = self.merge_forward(part, &spare, &mut a, &mut b, &mut to);
        // Whatever happened, the gap is exactly as wide as what is left of the spare copy.
        part[to..to + (spare.len() - a)].copy_from_slice(&spare[a..]);
        self.spare = spare;
        result
    }

    fn merge_forward(
        &mut self,
        part: &mut [usize],
        spare: &[usize],
        a: &mut usize,
        b: &mut usize,
        to: &mut usize,
    ) -> Result<(), E> {
        let (mut a_wins, mut b_wins) = (0, 0);
        while *a < spare.len() && *b < part.len() {
            if a_wins < self.gallop && b_wins < self.gallop {
                if (self.less)(part[*b], spare[*a])? {
                    part[*to] = part[*b];
                    (*b, a_wins, b_wins) = (*b + 1, 0, b_wins + 1);
                } else {
                    part[*to] = spare[*a];
                    (*a, a_wins, b_wins) = (*a + 1, a_wins + 1, 0);
                }
                *to += 1;
                continue;
            }
            // One side wins again and again: look how far it does.
            let count = self.after_equals(part[*b], &spare[*a..])?;
            part[*to..*to + count].copy_from_slice(&spare[*a..*a + count]);
            (*a, *to) = (*a + count, *to + count);
            if *a == spare.len() {
                break;
            }
            let more = self.first_not_less(spare[*a], &part[*b..])?;
            part.copy_within(*b..*b + more, *to);
            (*b, *to) = (*b + more, *to + more);
            if count < GALLOP && more < GALLOP {
                (a_wins, b_wins) = (0, 0);
                self.gallop += 2;
            } else {
                self.gallop = self.gallop.saturating_sub(1).max(1);
            }
        }
        Ok(())
    }

    /// How many of the sorted `run` are less than `key`; quick if few are.
    fn first_not_less(&mut self, key: usize, run: &[usize]) -> Result<usize, E> {
        let mut bound = 1;
        while bound < run.len() && (self.less)(run[bound], key)? {
            bound = bound * 2 + 1;
        }
        let (mut low, mut high) = (bound / 2, bound.min(run.len()));
        while low < high {
            let middle = low + (high - low) / 2;
            if (self.less)(run[middle], key)? {
                low = middle + 1
            } else {
                high = middle
            }
        }
        Ok(low)
    }

    /// As `merge_low`, from the back; the right positions are the fewer.
    fn merge_high(&mut self, part: &mut [usize], left: usize) -> Result<(), E> {
        let mut spare = std::mem::take(&mut self.spare);
        spare.clear();
        spare.extend_from_slice(&part[left..]);
        // Ends of what is left of either side.
        let (mut a, mut b) = (left, spare.len());
        let mut result = Ok(());
        while a > 0 && b > 0 {
            match (self.less)(spare[b - 1], part[a - 1]) {
                Ok(true) => {
                    part[a + b - 1] = part[a - 1];
                    a -= 1;
                }
                Ok(false) => {
                    part[a + b - 1] = spare[b - 1];
                    b -= 1;
                }
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        part[a..a + b].copy_from_slice(&spare[..b]);
        self.spare = spare;
        result
    }
}

/// A length for the shortest runs with which the count of runs is a power of two or a little less.
fn shortest_run(mut len: usize) -> usize {
    let mut odd = 0;
    while len >= SMALL {
        odd |= len & 1;
        len >>= 1;
    }
    len + odd
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(len: usize, seed: u64, distinct: u64) -> Vec<u64> {
        let mut x = seed | 1;
        let mut next = || {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            x % distinct
        };
        (0..len).map(|_| next()).collect()
    }

    fn sorted(keys: &[u64]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..keys.len()).collect();
        let result: Result<(), ()> = Sorter::new(|a: usize, b: usize| Ok(keys[a] < keys[b])).sort(&mut order);
        assert!(result.is_ok());
        order
    }

    #[test]
    fn sorts_stably() {
        for len in [0, 1, 2, 3, 10, 63, 64, 65, 200, 1000, 5000] {
            for distinct in [1, 2, 10, 1 << 40] {
                let mut keys = numbers(len, 77 + len as u64, distinct);
                for shape in 0..4 {
                    match shape {
                        1 => keys.sort_unstable(),
                        2 => keys.reverse(),
                        3 => keys.extend_from_within(..len / 2),
                        _ => {}
                    }
                    let mut expected: Vec<usize> = (0..keys.len()).collect();
                    expected.sort_by_key(|&at| keys[at]);
                    assert_eq!(
                        sorted(&keys),
                        expected,
                        "{len} keys, {distinct} distinct, shape {shape}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_comparison_that_fails_or_lies_loses_nothing() {
        let keys = numbers(3000, 5, 1 << 30);
        for limit in (0..40_000).step_by(997) {
            let mut order: Vec<usize> = (0..keys.len()).collect();
            let mut count = 0;
            let lies = limit % 2 == 0;
            let result = Sorter::new(|a: usize, b: usize| {
                count += 1;
                if count > limit {
                    Err(())
                } else {
                    Ok((keys[a] < keys[b]) != (lies && count % 3 == 0))
                }
            })
            .sort(&mut order);
            assert!(result.is_err() || count <= limit);
            order.sort_unstable();
            assert!(order.into_iter().eq(0..keys.len()));
        }
    }
}
