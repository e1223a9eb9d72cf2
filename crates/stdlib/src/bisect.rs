//! `_bisect`: binary search in sorted sequences.
//!
//! Invariant: the sequence may change under the search; its items are read one at a time.

use lisle_runtime::intern;
use lisle_runtime::native::{CmpOp, Res, Value, Vm, pymodule};
use lisle_runtime::types::list::List;

use crate::order::less;

/// Where to look, and how.
struct Search<'a> {
    sequence: &'a Value,
    lo: isize,
    hi: Option<&'a Value>,
    key: Option<&'a Value>,
}

impl Search<'_> {
    /// The place of `x`: before the items that are equal to it, or after them.
    fn run(&self, vm: &Vm, x: &Value, after: bool) -> Res<usize> {
        let Ok(mut lo) = usize::try_from(self.lo) else {
            return Err(vm.value_error("lo must be non-negative"));
        };
        let hi = match self.hi.filter(|hi| !hi.is_none()) {
            Some(hi) => vm.index_to_isize(hi)?,
            None => -1,
        };
        let mut hi = match usize::try_from(hi) {
            Ok(hi) => hi,
            Err(_) if hi == -1 => vm.len(self.sequence)?,
            Err(_) => return Ok(lo),
        };
        let list = self.sequence.downcast_exact::<List>();
        let key = self.key.filter(|key| !key.is_none());
        while lo < hi {
            let mid = lo + (hi - lo) / 2;
            let item = match list {
                Some(list) => list.get(mid).ok_or_else(|| vm.index_error("list index out of range"))?,
                None => vm.getitem(self.sequence, &Value::usize(mid))?,
            };
            let item = match key {
                Some(key) => vm.call(key, &[item])?,
                None => item,
            };
            let (a, b) = if after { (x, &item) } else { (&item, x) };
            let is_less = match less(a, b) {
                Some(is_less) => is_less,
                None => vm.compare_bool(a, b, CmpOp::Lt)?,
            };
            if is_less == after {
                hi = mid;
            } else {
                lo = mid + 1;
            }
        }
        Ok(lo)
    }

    fn insert(&self, vm: &Vm, x: &Value, after: bool) -> Res<()> {
        let at = match self.key.filter(|key| !key.is_none()) {
            Some(key) => self.run(vm, &vm.call(key, std::slice::from_ref(x))?, after)?,
            None => self.run(vm, x, after)?,
        };
        if let Some(list) = self.sequence.downcast_exact::<List>() {
            let inserted = list.with(|items| items.insert(at.min(items.len()), x.clone()));
            return inserted.map_err(|_| vm.memory_error());
        }
        vm.call_method(self.sequence, intern!("insert"), &[Value::usize(at), x.clone()])
            .map(drop)
    }
}

#[pymodule(
    name = "_bisect",
    doc = "Bisection algorithms.\n\nThis module provides support for maintaining a list in sorted order without\nhaving to sort the list after each insertion. For long lists of items with\nexpensive comparison operations, this can be an improvement over the more\ncommon approach.\n"
)]
pub mod module {
    use super::*;

    #[rustfmt::skip]
    macro_rules! search {
        ($a:ident $lo:ident $hi:ident $key:ident) => {
            Search { sequence: $a, lo: $lo, hi: $hi, key: $key }
        };
    }

    /// Return the index where to insert item x in list a, assuming a is sorted.
    ///
    /// The return value i is such that all e in a[:i] have e <= x, and all e in
    /// a[i:] have e > x.  So if x already appears in the list, a.insert(i, x) will
    /// insert just after the rightmost x already there.
    ///
    /// Optional args lo (default 0) and hi (default len(a)) bound the
    /// slice of a to be searched.
    ///
    /// A custom key function can be supplied to customize the sort order.
    #[pyfunction(sig = "(a, x, lo=0, hi=None, *, key=None)")]
    fn bisect_right(vm: &Vm, a: &Value, x: &Value, lo: isize, hi: Option<&Value>, key: Option<&Value>) -> Res<usize> {
        search!(a lo hi key).run(vm, x, true)
    }

    /// Return the index where to insert item x in list a, assuming a is sorted.
    ///
    /// The return value i is such that all e in a[:i] have e < x, and all e in
    /// a[i:] have e >= x.  So if x already appears in the list, a.insert(i, x) will
    /// insert just before the leftmost x already there.
    ///
    /// Optional args lo (default 0) and hi (default len(a)) bound the
    /// slice of a to be searched.
    ///
    /// A custom key function can be supplied to customize the sort order.
    #[pyfunction(sig = "(a, x, lo=0, hi=None, *, key=None)")]
    fn bisect_left(vm: &Vm, a: &Value, x: &Value, lo: isize, hi: Option<&Value>, key: Option<&Value>) -> Res<usize> {
        search!(a lo hi key).run(vm, x, false)
    }

    /// Insert item x in list a, and keep it sorted assuming a is sorted.
    ///
    /// If x is already in a, insert it to the right of the rightmost x.
    ///
    /// Optional args lo (default 0) and hi (default len(a)) bound the
    /// slice of a to be searched.
    ///
    /// A custom key function can be supplied to customize the sort order.
    #[pyfunction(sig = "(a, x, lo=0, hi=None, *, key=None)")]
    fn insort_right(vm: &Vm, a: &Value, x: &Value, lo: isize, hi: Option<&Value>, key: Option<&Value>) -> Res<()> {
        search!(a lo hi key).insert(vm, x, true)
    }

    /// Insert item x in list a, and keep it sorted assuming a is sorted.
    ///
    /// If x is already in a, insert it to the left of the leftmost x.
    ///
    /// Optional args lo (default 0) and hi (default len(a)) bound the
    /// slice of a to be searched.
    ///
    /// A custom key function can be supplied to customize the sort order.
    #[pyfunction(sig = "(a, x, lo=0, hi=None, *, key=None)")]
    fn insort_left(vm: &Vm, a: &Value, x: &Value, lo: isize, hi: Option<&Value>, key: Option<&Value>) -> Res<()> {
        search!(a lo hi key).insert(vm, x, false)
    }
}
