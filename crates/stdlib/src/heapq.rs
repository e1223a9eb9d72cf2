//! `_heapq`: heaps in lists.
//!
//! Invariant: items are exchanged in place, so a list always has all of them. What needs no Python code to compare (numbers, strings and
//! tuples of them) is done in one step under the list's lock; otherwise the lock is released for each comparison, and
//! the search goes on if the list still has its size.

use lisle_runtime::native::{CmpOp, Py, Res, Value, Vm, pymodule};
use lisle_runtime::types::list::List;
use lisle_runtime::types::list_items::Items;

use crate::order::less;

/// An item on its way through the heap.
struct Sift {
    /// Not further up than here.
    start: usize,
    at: usize,
    /// On its way down to a leaf, from where it goes up again; fewer comparisons than to stop in between.
    down: bool,
    /// The largest item is on top.
    max: bool,
}

/// What is to be compared: whether the first belongs above the second.
struct Question {
    first: usize,
    second: usize,
}

impl Sift {
    fn up(at: usize, max: bool) -> Sift {
        Sift {
            start: 0,
            at,
            down: false,
            max,
        }
    }

    fn down(at: usize, max: bool) -> Sift {
        Sift {
            start: at,
            at,
            down: true,
            max,
        }
    }

    /// Moves the item until it is in place, or until Python has to compare.
    fn advance(&mut self, items: &mut Items<'_>) -> Option<Question> {
        loop {
            let question = self.question(items.len())?;
            let (first, second) = (&items[question.first], &items[question.second]);
            let above = if self.max {
                less(second, first)
            } else {
                less(first, second)
            };
            match above {
                Some(above) => {
                    if !self.answer(&question, above, items) {
                        return None;
                    }
                }
                None => return Some(question),
            }
        }
    }

    /// The next comparison; `None` when the item is in place.
    fn question(&mut self, len: usize) -> Option<Question> {
        if self.down {
            let child = 2 * self.at + 1;
            if child + 1 < len {
                return Some(Question {
                    first: child,
                    second: child + 1,
                });
            }
            // The caller's answer to this moves the only child up, whatever it is.
            if child < len {
                return Some(Question {
                    first: child,
                    second: child,
                });
            }
            self.down = false;
        }
        if self.at <= self.start || self.at >= len {
            return None;
        }
        Some(Question {
            first: self.at,
            second: (self.at - 1) / 2,
        })
    }

    /// Acts on the answer; `false` when the item is in place.
    fn answer(&mut self, question: &Question, above: bool, items: &mut Items<'_>) -> bool {
        if self.down {
            let child = if above { question.first } else { question.second };
            items.swap(self.at, child);
            self.at = child;
            return true;
        }
        if above {
            items.swap(question.first, question.second);
            self.at = question.second;
        }
        above
    }
}

/// Changes the list with `begin`, and moves the item that this names to its place.
fn sift<R>(vm: &Vm, heap: &Py<List>, begin: impl FnOnce(&mut Items<'_>) -> (R, Option<Sift>)) -> Res<R> {
    let (result, mut sift, mut question, mut len) = heap.with(|items| {
        let (result, mut sift) = begin(items);
        let question = sift.as_mut().and_then(|sift| sift.advance(items));
        (result, sift, question, items.len())
    });
    while let (Some(moving), Some(asked)) = (&mut sift, &question) {
        // An only child is not compared with itself.
        let above = if asked.first == asked.second {
            true
        } else {
            let pair = heap.with(|items| Some((items.get(asked.first)?.clone(), items.get(asked.second)?.clone())));
            let Some((first, second)) = pair else {
                return Err(vm.runtime_error("list changed size during iteration"));
            };
            if moving.max {
                vm.compare_bool(&second, &first, CmpOp::Lt)?
            } else {
                vm.compare_bool(&first, &second, CmpOp::Lt)?
            }
        };
        let next = heap.with(|items| {
            if items.len() != len {
                return Err(());
            }
            Ok(if moving.answer(asked, above, items) {
                moving.advance(items)
            } else {
                None
            })
        });
        match next {
            Ok(next) => question = next,
            Err(()) => return Err(vm.runtime_error("list changed size during iteration")),
        }
        len = heap.len();
    }
    Ok(result)
}

fn push(vm: &Vm, heap: &Py<List>, item: &Value, max: bool) -> Res<()> {
    let pushed = sift(vm, heap, |items| {
        let pushed = items.push(item.clone());
        let sift = pushed.is_ok().then(|| Sift::up(items.len() - 1, max));
        (pushed, sift)
    })?;
    pushed.map_err(|_| vm.memory_error())
}

fn pop(vm: &Vm, heap: &Py<List>, max: bool) -> Res<Value> {
    let top = sift(vm, heap, |items| {
        let Some(last) = items.pop() else {
            return (None, None);
        };
        if items.is_empty() {
            return (Some(last), None);
        }
        (Some(items.replace(0, last)), Some(Sift::down(0, max)))
    })?;
    top.ok_or_else(|| vm.index_error("index out of range"))
}

fn replace(vm: &Vm, heap: &Py<List>, item: &Value, max: bool) -> Res<Value> {
    let top = sift(vm, heap, |items| {
        if items.is_empty() {
            return (None, None);
        }
        (Some(items.replace(0, item.clone())), Some(Sift::down(0, max)))
    })?;
    top.ok_or_else(|| vm.index_error("index out of range"))
}

fn push_pop(vm: &Vm, heap: &Py<List>, item: &Value, max: bool) -> Res<Value> {
    let Some(top) = heap.get(0) else {
        return Ok(item.clone());
    };
    let (above, below) = if max { (item, &top) } else { (&top, item) };
    let stays = match less(above, below) {
        Some(stays) => stays,
        None => vm.compare_bool(above, below, CmpOp::Lt)?,
    };
    if !stays {
        return Ok(item.clone());
    }
    replace(vm, heap, item, max)
}

fn heapify_list(vm: &Vm, heap: &Py<List>, max: bool) -> Res<()> {
    let mut at = heap.len() / 2;
    while at > 0 {
        // As many items as can be placed without Python in one go.
        let (next, ()) = sift(vm, heap, |items| {
            let mut next = at.min(items.len() / 2);
            while next > 0 {
                next -= 1;
                let mut moving = Sift::down(next, max);
                if moving.advance(items).is_some() {
                    return ((next, ()), Some(moving));
                }
            }
            ((0, ()), None)
        })?;
        at = next;
    }
    Ok(())
}

#[pymodule(
    name = "_heapq",
    doc = "Heap queue algorithm (a.k.a. priority queue).\n\nHeaps are arrays for which a[k] <= a[2*k+1] and a[k] <= a[2*k+2] for\nall k, counting elements from 0.  For the sake of comparison,\nnon-existing elements are considered to be infinite.  The interesting\nproperty of a heap is that a[0] is always its smallest element."
)]
pub mod module {
    use super::*;

    #[pyattr]
    fn __about__(_vm: &Vm) -> &'static str {
        "Heap queues: see the documentation of heapq."
    }

    /// Push item onto heap, maintaining the heap invariant.
    #[pyfunction(sig = "(heap, item, /)")]
    fn heappush(vm: &Vm, heap: &Py<List>, item: &Value) -> Res<()> {
        push(vm, heap, item, false)
    }

    /// Pop the smallest item off the heap, maintaining the heap invariant.
    #[pyfunction(sig = "(heap, /)")]
    fn heappop(vm: &Vm, heap: &Py<List>) -> Res<Value> {
        pop(vm, heap, false)
    }

    /// Pop and return the current smallest value, and add the new item.
    ///
    /// This is more efficient than heappop() followed by heappush(), and can be
    /// more appropriate when using a fixed-size heap.  Note that the value
    /// returned may be larger than item!  That constrains reasonable uses of
    /// this routine unless written as part of a conditional replacement:
    ///
    ///     if item > heap[0]:
    ///         item = heapreplace(heap, item)
    #[pyfunction(sig = "(heap, item, /)")]
    fn heapreplace(vm: &Vm, heap: &Py<List>, item: &Value) -> Res<Value> {
        replace(vm, heap, item, false)
    }

    /// Push item on the heap, then pop and return the smallest item from the heap.
    ///
    /// The combined action runs more efficiently than heappush() followed by
    /// a separate call to heappop().
    #[pyfunction(sig = "(heap, item, /)")]
    fn heappushpop(vm: &Vm, heap: &Py<List>, item: &Value) -> Res<Value> {
        push_pop(vm, heap, item, false)
    }

    /// Transform list into a heap, in-place, in O(len(heap)) time.
    #[pyfunction(sig = "(heap, /)")]
    fn heapify(vm: &Vm, heap: &Py<List>) -> Res<()> {
        heapify_list(vm, heap, false)
    }

    /// Push item onto max heap, maintaining the heap invariant.
    #[pyfunction(sig = "(heap, item, /)")]
    fn heappush_max(vm: &Vm, heap: &Py<List>, item: &Value) -> Res<()> {
        push(vm, heap, item, true)
    }

    /// Maxheap variant of heappop.
    #[pyfunction(sig = "(heap, /)")]
    fn heappop_max(vm: &Vm, heap: &Py<List>) -> Res<Value> {
        pop(vm, heap, true)
    }

    /// Maxheap variant of heapreplace.
    #[pyfunction(sig = "(heap, item, /)")]
    fn heapreplace_max(vm: &Vm, heap: &Py<List>, item: &Value) -> Res<Value> {
        replace(vm, heap, item, true)
    }

    /// Maxheap variant of heappushpop.
    ///
    /// The combined action runs more efficiently than heappush_max() followed by a
    /// separate call to heappop_max().
    #[pyfunction(sig = "(heap, item, /)")]
    fn heappushpop_max(vm: &Vm, heap: &Py<List>, item: &Value) -> Res<Value> {
        push_pop(vm, heap, item, true)
    }

    /// Maxheap variant of heapify.
    #[pyfunction(sig = "(heap, /)")]
    fn heapify_max(vm: &Vm, heap: &Py<List>) -> Res<()> {
        heapify_list(vm, heap, true)
    }
}
