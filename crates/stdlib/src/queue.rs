//! `_queue`: `SimpleQueue`.
//!
//! Putters and getters have a lock each, and a part of the queue: a getter that finds nothing in its part exchanges the two, so that a stream of items
//! does not have the threads at both ends wait for each other.
//!
//! Invariant: the items of `front`, guarded by the object's lock, came before those of `back`. `front_len` and `back_len` say how many there are
//! whenever the lock is free; in an exchange the first is raised before the second is taken back, and who looks reads them the other way round. A getter
//! counts itself as waiting before it looks for items for the last time, a putter raises `back_len` before it looks whether anybody waits; so no
//! item stays while a getter sleeps. While a getter that was woken is on its way (`woken`), putters wake no other: it sees their items, and wakes the next one
//! if there is more than it takes. Getters are woken last come, first served, so that those who have much to do stay awake.
//! No Python code runs in any of the methods, so they can be called from signal handlers and finalizers.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::{Py, Res, Type, Value, Vm, pyclass, pymethods, pymodule};
use lisle_runtime::sync::atomic::{
    AtomicU32, AtomicUsize,
    Ordering::{Relaxed, SeqCst},
};
use lisle_runtime::sync::{Locked, OwnLocked, free_threaded};
use lisle_runtime::threads::{ParkOutcome, ParkReason, WaitFor, park, unpark_newest};
use lisle_runtime::types::exceptions::{self, ExcType};
use lisle_runtime::types::generic_alias::GenericAlias;

/// `_queue.Empty`
static EMPTY: ExcType = ExcType::library(
    "_queue",
    "Empty",
    "Exception raised by Queue.get(block=0)/get_nowait().",
    &exceptions::EXCEPTION,
);

/// The longest timeout in seconds.
const TIMEOUT_MAX: f64 = 9_223_372_036.0;
/// How often a getter looks for an item before it sleeps, without the GIL.
const SPINS: u32 = 200;

/// An unbounded queue between threads.
#[pyclass(
    name = "SimpleQueue",
    late_end,
    module = "_queue",
    basetype,
    weakref,
    doc = "Simple, unbounded, reentrant FIFO queue."
)]
#[repr(C)]
pub struct SimpleQueue {
    front: Locked<VecDeque<Value>>,
    front_len: AtomicUsize,
    /// What getters write to lies in another cache line than what putters do, and what both read when they wait in a third.
    _apart: Opaque<[u64; 7]>,
    back: OwnLocked<VecDeque<Value>>,
    _apart_too: Opaque<[u64; 7]>,
    back_len: AtomicUsize,
    /// How many getters sleep or are about to.
    waiting: AtomicUsize,
    /// The number of the process (see `FORKS`) in which a getter that was woken is on its way.
    woken: AtomicU32,
}

/// How many forks led to this process, and one: getters that were on their way at a fork do not exist in the child.
static FORKS: AtomicU32 = AtomicU32::new(1);

/// In the child of a fork.
pub fn after_fork_child() {
    FORKS.fetch_add(1, Relaxed);
}

impl SimpleQueue {
    fn key(&self) -> usize {
        std::ptr::from_ref(&self.waiting) as usize
    }

    #[inline]
    fn push(vm: &Vm, this: &Py<SimpleQueue>, item: Value) -> Res<()> {
        let pushed = this.back.with(|items| {
            if items.len() == items.capacity() && items.try_reserve(1).is_err() {
                return Err(item);
            }
            items.push_back(item);
            this.back_len.store(items.len(), SeqCst);
            Ok(())
        });
        if pushed.is_err() {
            return Err(vm.memory_error());
        }
        this.wake();
        Ok(())
    }

    /// Wakes a getter, if one waits and none is on its way.
    #[inline]
    fn wake(&self) {
        if self.waiting.load(SeqCst) > 0 && self.woken.load(SeqCst) != FORKS.load(Relaxed) {
            unpark_newest(self.key(), |found| {
                if found.unparked.is_some() {
                    self.woken.store(FORKS.load(Relaxed), SeqCst);
                }
                0
            });
        }
    }

    #[inline]
    fn pop(this: &Py<SimpleQueue>) -> Option<Value> {
        if this.is_empty() {
            return None;
        }
        this.front.with(this.header(), |items| {
            if items.is_empty() && this.back_len.load(SeqCst) > 0 {
                this.back.with_inside(|newer| {
                    std::mem::swap(items, newer);
                    this.front_len.store(items.len(), SeqCst);
                    this.back_len.store(0, SeqCst);
                });
            }
            let item = items.pop_front();
            this.front_len.store(items.len(), SeqCst);
            item
        })
    }

    fn is_empty(&self) -> bool {
        self.back_len.load(SeqCst) == 0 && self.front_len.load(SeqCst) == 0
    }

    #[cold]
    fn wait(vm: &Vm, this: &Py<SimpleQueue>, deadline: Option<Instant>) -> Res<Value> {
        if free_threaded() {
            for _ in 0..SPINS {
                std::hint::spin_loop();
                if let Some(item) = SimpleQueue::pop(this) {
                    return Ok(item);
                }
            }
        }
        let what = WaitFor::new(ParkReason::Queue, this.key() as u64);
        loop {
            this.waiting.fetch_add(1, SeqCst);
            let outcome = park(this.key(), what, deadline, || this.is_empty(), || {});
            this.waiting.fetch_sub(1, SeqCst);
            let woken = matches!(outcome, ParkOutcome::Unparked(_));
            if woken {
                this.woken.store(0, SeqCst);
            }
            // Whatever ended the wait: an item that is there is taken, since its putter may have woken this thread alone.
            let item = SimpleQueue::pop(this);
            if woken && !this.is_empty() {
                this.wake();
            }
            if let Some(item) = item {
                return Ok(item);
            }
            match outcome {
                ParkOutcome::TimedOut => return Err(empty(vm)),
                ParkOutcome::Interrupted => vm.safepoint()?,
                _ => {}
            }
        }
    }
}

#[cold]
fn empty(vm: &Vm) -> lisle_runtime::native::Exc {
    vm.new_exception(EMPTY.get(), Vec::new())
}

#[pymethods]
impl SimpleQueue {
    #[slot(sig = "()")]
    fn __new__(_vm: &Vm, cls: &Py<Type>) -> Res<Value> {
        let queue = SimpleQueue {
            front: Locked::new(VecDeque::new()),
            front_len: AtomicUsize::new(0),
            _apart: Opaque([0; 7]),
            back: OwnLocked::new(VecDeque::new()),
            _apart_too: Opaque([0; 7]),
            back_len: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            woken: AtomicU32::new(0),
        };
        Ok(Py::with_class(cls, queue).into_value())
    }

    /// Put the item on the queue.
    ///
    /// The optional 'block' and 'timeout' arguments are ignored, as this method
    /// never blocks.  They are provided for compatibility with the Queue class.
    #[pymethod(sig = "($self, /, item, block=True, timeout=None)")]
    fn put(vm: &Vm, this: &Py<SimpleQueue>, item: &Value, _block: Option<&Value>, _timeout: Option<&Value>) -> Res<()> {
        SimpleQueue::push(vm, this, item.clone())
    }

    /// Put an item into the queue without blocking.
    ///
    /// This is exactly equivalent to `put(item)` and is only provided
    /// for compatibility with the Queue class.
    #[pymethod(sig = "($self, /, item)")]
    fn put_nowait(vm: &Vm, this: &Py<SimpleQueue>, item: &Value) -> Res<()> {
        SimpleQueue::push(vm, this, item.clone())
    }

    /// Remove and return an item from the queue.
    ///
    /// If optional args 'block' is true and 'timeout' is None (the default),
    /// block if necessary until an item is available. If 'timeout' is
    /// a non-negative number, it blocks at most 'timeout' seconds and raises
    /// the Empty exception if no item was available within that time.
    /// Otherwise ('block' is false), return an item if one is immediately
    /// available, else raise the Empty exception ('timeout' is ignored
    /// in that case).
    #[pymethod(sig = "($self, /, block=True, timeout=None)")]
    fn get(vm: &Vm, this: &Py<SimpleQueue>, block: Option<bool>, timeout: Option<&Value>) -> Res<Value> {
        let block = block.unwrap_or(true);
        let deadline = match timeout.filter(|timeout| block && !timeout.is_none()) {
            None => None,
            Some(timeout) => {
                let seconds = vm.to_f64(timeout)?;
                if seconds.is_nan() {
                    return Err(vm.value_error("Invalid value NaN (not a number)"));
                }
                if seconds < 0.0 {
                    return Err(vm.value_error("'timeout' must be a non-negative number"));
                }
                if seconds > TIMEOUT_MAX {
                    return Err(vm.overflow_error("timeout value is too large"));
                }
                Instant::now().checked_add(Duration::from_secs_f64(seconds))
            }
        };
        match SimpleQueue::pop(this) {
            Some(item) => Ok(item),
            None if block => SimpleQueue::wait(vm, this, deadline),
            None => Err(empty(vm)),
        }
    }

    /// Remove and return an item from the queue without blocking.
    ///
    /// Only get an item if one is immediately available. Otherwise
    /// raise the Empty exception.
    #[pymethod(sig = "($self, /)")]
    fn get_nowait(vm: &Vm, this: &Py<SimpleQueue>) -> Res<Value> {
        SimpleQueue::pop(this).ok_or_else(|| empty(vm))
    }

    /// Return True if the queue is empty, False otherwise (not reliable!).
    #[pymethod(sig = "($self, /)")]
    fn empty(_vm: &Vm, this: &Py<SimpleQueue>) -> bool {
        this.is_empty()
    }

    /// Return the approximate size of the queue (not reliable!).
    #[pymethod(sig = "($self, /)")]
    fn qsize(_vm: &Vm, this: &Py<SimpleQueue>) -> usize {
        // Nobody exchanges the parts meanwhile.
        this.front
            .with(this.header(), |items| items.len() + this.back_len.load(SeqCst))
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        Ok(GenericAlias::new_value(vm, cls.as_value(), object))
    }
}

#[pymodule(
    name = "_queue",
    doc = "C implementation of the Python queue module.\nThis module is an implementation detail, please do not use it directly.",
    types(SimpleQueue)
)]
pub mod module {
    use super::*;

    #[pyattr]
    fn Empty(_vm: &Vm) -> Value {
        EMPTY.get().to_value()
    }
}
