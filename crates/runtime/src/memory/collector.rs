//! The cycle collector: finds groups of objects that refer to each other alone.
//!
//! Method: for each object that can be part of a cycle, its reference count less the references that come from other such
//! objects; what is left above zero is held from outside, and so is all it reaches. The rest is garbage: weak references are
//! cleared, finalizers run, and what they did not bring back to life is cleared, which frees it by reference counting.
//!
//! Invariant: the search runs while the world is stopped and runs no Python code; callbacks, finalizers and clearing run after it, on
//! objects that are kept alive by references of the collector's own. Generations: the young one is the pages
//! that handed out objects since the last collection; without the GIL every collection is a full one.

use std::collections::HashMap;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU64, AtomicUsize, Ordering::Relaxed};

use super::alloc;
use super::header::{FLAG_FINALIZED, GC_TRACKED, Header};
use super::trace::Visitor;
use crate::object::Value;
use crate::sync::{Mutex, mode::free_threaded};
use crate::threads;
use crate::vm::Vm;

static ENABLED: AtomicBool = AtomicBool::new(true);
static RUNNING: AtomicBool = AtomicBool::new(false);
static THRESHOLDS: [AtomicIsize; 3] = [AtomicIsize::new(2000), AtomicIsize::new(10), AtomicIsize::new(10)];
static YOUNG_SINCE_FULL: AtomicUsize = AtomicUsize::new(0);
static LIVE_AT_FULL: AtomicUsize = AtomicUsize::new(0);
static YOUNG_SURVIVORS: AtomicUsize = AtomicUsize::new(0);
/// Collections, objects collected, objects uncollectable; by generation.
static STATS: [[AtomicU64; 3]; 3] = [const { [const { AtomicU64::new(0) }; 3] }; 3];
/// `gc.garbage` with DEBUG_SAVEALL.
static SAVED: Mutex<Vec<Value>> = Mutex::new(Vec::new());
static SAVE_ALL: AtomicBool = AtomicBool::new(false);

/// `gc.isenabled()`.
pub fn is_enabled() -> bool {
    ENABLED.load(Relaxed)
}

/// `gc.enable()`, `gc.disable()`.
pub fn set_enabled(on: bool) {
    ENABLED.store(on, Relaxed);
}

/// `gc.get_threshold()`.
pub fn thresholds() -> [isize; 3] {
    [0, 1, 2].map(|i| THRESHOLDS[i].load(Relaxed))
}

/// `gc.set_threshold()`.
pub fn set_threshold(i: usize, value: isize) {
    THRESHOLDS[i].store(value, Relaxed);
}

/// Collections, collected and uncollectable objects of a generation.
pub fn stats(generation: usize) -> [u64; 3] {
    [0, 1, 2].map(|i| STATS[generation][i].load(Relaxed))
}

/// Whether unreachable objects are kept for `gc.garbage` (DEBUG_SAVEALL).
pub fn set_save_all(on: bool) {
    SAVE_ALL.store(on, Relaxed);
}

/// What DEBUG_SAVEALL kept since the last call.
pub fn take_saved() -> Vec<Value> {
    std::mem::take(&mut *SAVED.lock())
}

/// Asks for a collection when enough objects were made; called where objects are made in numbers, and at safepoints.
#[inline]
pub fn poll_pressure(vm: &Vm) {
    let threshold = THRESHOLDS[0].load(Relaxed);
    if alloc::gc_alloc_pressure() > threshold && threshold > 0 {
        vm.thread.set_poll(threads::poll::GC);
    }
}

/// At a safepoint that was asked for.
#[cold]
pub fn run_automatic(vm: &Vm) {
    if super::reclaim_wanted() {
        threads::stop_the_world(|| {
            // SAFETY: the world is stopped.
            unsafe { super::reclaim_stopped() }
        });
    }
    let threshold = THRESHOLDS[0].load(Relaxed);
    if !ENABLED.load(Relaxed) || threshold <= 0 || alloc::gc_alloc_pressure() <= threshold {
        return;
    }
    if free_threaded() {
        // Full collections only: as often as the heap has grown by a quarter.
        let live = LIVE_AT_FULL.load(Relaxed) as isize;
        if alloc::gc_alloc_pressure() > (live / 4).max(threshold) {
            collect(vm, 2);
        }
        return;
    }
    let young = YOUNG_SINCE_FULL.fetch_add(1, Relaxed) as isize;
    let often = THRESHOLDS[1].load(Relaxed).max(1) * THRESHOLDS[2].load(Relaxed).max(1);
    let survivors = YOUNG_SURVIVORS.load(Relaxed);
    if young >= often && survivors > LIVE_AT_FULL.load(Relaxed) / 4 {
        collect(vm, 2);
    } else {
        collect(vm, 0);
    }
}

struct Candidate {
    header: NonNull<Header>,
    /// References not accounted for; reachable objects are marked with `REACHABLE`.
    external: i64,
}

const REACHABLE: i64 = i64::MIN;

/// Collects: generation 0 and 1 are the young pages, 2 everything. Returns how many unreachable objects were found.
pub fn collect(vm: &Vm, generation: usize) -> usize {
    if RUNNING.swap(true, Relaxed) {
        return 0;
    }
    let young_only = generation < 2 && !free_threaded();
    let mut garbage: Vec<Value> = Vec::new();
    let mut live = 0;
    threads::stop_the_world(|| {
        garbage = find(young_only, &mut live);
        // SAFETY: the world is stopped.
        unsafe {
            alloc::end_young_collection();
            super::reclaim_stopped();
        }
        alloc::reset_gc_pressure();
    });
    if young_only {
        YOUNG_SURVIVORS.fetch_add(live, Relaxed);
    } else {
        YOUNG_SINCE_FULL.store(0, Relaxed);
        YOUNG_SURVIVORS.store(0, Relaxed);
        LIVE_AT_FULL.store(live, Relaxed);
    }
    let found = garbage.len();
    if found > 0 {
        dispose(vm, garbage);
    }
    let stats = &STATS[generation.min(2)];
    stats[0].fetch_add(1, Relaxed);
    stats[1].fetch_add(found as u64, Relaxed);
    RUNNING.store(false, Relaxed);
    found
}

/// The unreachable objects, each with a reference of the collector's. The world is stopped.
fn find(young_only: bool, live: &mut usize) -> Vec<Value> {
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut index: HashMap<usize, usize, BuildAddressHasher> = HashMap::default();
    alloc::for_each_gc_object(young_only, &mut |block| {
        let header = block.cast::<Header>();
        // SAFETY: the allocator visits live objects.
        let head = unsafe { header.as_ref() };
        if head.gc.load(Relaxed) & GC_TRACKED == 0 || head.refcount() <= 0 {
            return;
        }
        let external = if head.is_immortal() {
            i64::MAX / 2
        } else {
            head.refcount()
        };
        index.insert(header.as_ptr() as usize, candidates.len());
        candidates.push(Candidate { header, external });
    });
    for i in 0..candidates.len() {
        let header = candidates[i].header;
        let mut visit = |child: NonNull<Header>| {
            if let Some(&j) = index.get(&(child.as_ptr() as usize)) {
                candidates[j].external -= 1;
            }
        };
        // SAFETY: live objects, the world is stopped.
        unsafe { crate::object::traverse(header, &mut Visitor::new(&mut visit)) };
    }
    let mut queue: Vec<usize> = Vec::new();
    for (i, c) in candidates.iter_mut().enumerate() {
        if c.external > 0 {
            c.external = REACHABLE;
            queue.push(i);
        }
    }
    while let Some(i) = queue.pop() {
        let header = candidates[i].header;
        let mut visit = |child: NonNull<Header>| {
            if let Some(&j) = index.get(&(child.as_ptr() as usize))
                && candidates[j].external != REACHABLE
            {
                candidates[j].external = REACHABLE;
                queue.push(j);
            }
        };
        // SAFETY: as above.
        unsafe { crate::object::traverse(header, &mut Visitor::new(&mut visit)) };
    }
    let mut garbage = Vec::new();
    for c in &candidates {
        if c.external == REACHABLE {
            *live += 1;
        } else {
            // SAFETY: the object is alive (its references are those of other garbage); the count is the result's.
            unsafe {
                c.header.as_ref().incref();
                garbage.push(Value::from_bits(c.header.as_ptr() as u64));
            }
        }
    }
    garbage
}

/// Weak references, finalizers, then the cycles themselves. The world runs.
fn dispose(vm: &Vm, garbage: Vec<Value>) {
    crate::types::weakref::clear_for_garbage(&garbage);
    let mut finalized = false;
    for value in &garbage {
        if let (Some(finalize), Some(head)) = (value.ty().slots().finalize, value.header())
            && !head.flag(FLAG_FINALIZED)
        {
            head.set_flag(FLAG_FINALIZED);
            finalized = true;
            vm.run_finalizer(finalize, value);
        }
    }
    let garbage = if finalized { still_garbage(garbage) } else { garbage };
    if SAVE_ALL.load(Relaxed) {
        SAVED.lock().extend(garbage);
        return;
    }
    let mut drops = Vec::new();
    for value in &garbage {
        if let Some(header) = value.heap_header() {
            // SAFETY: unreachable but for the collector's reference.
            unsafe { crate::object::clear(header, &mut drops) };
        }
        drops.clear();
    }
    drop(garbage);
}

/// What finalizers did not make reachable again: the same count over the garbage alone, under a second stop.
fn still_garbage(garbage: Vec<Value>) -> Vec<Value> {
    let mut keep = vec![false; garbage.len()];
    threads::stop_the_world(|| {
        let index: HashMap<usize, usize, BuildAddressHasher> = garbage
            .iter()
            .enumerate()
            .map(|(i, v)| (v.bits() as usize, i))
            .collect();
        // One reference is the collector's.
        let mut external: Vec<i64> = garbage
            .iter()
            .map(|v| v.header().map_or(0, |h| h.refcount() - 1))
            .collect();
        for value in &garbage {
            let Some(header) = value.heap_header() else { continue };
            let mut visit = |child: NonNull<Header>| {
                if let Some(&j) = index.get(&(child.as_ptr() as usize)) {
                    external[j] -= 1;
                }
            };
            // SAFETY: live objects, the world is stopped.
            unsafe { crate::object::traverse(header, &mut Visitor::new(&mut visit)) };
        }
        let mut queue: Vec<usize> = (0..garbage.len()).filter(|&i| external[i] > 0).collect();
        for &i in &queue {
            keep[i] = true;
        }
        while let Some(i) = queue.pop() {
            let Some(header) = garbage[i].heap_header() else {
                continue;
            };
            let mut visit = |child: NonNull<Header>| {
                if let Some(&j) = index.get(&(child.as_ptr() as usize))
                    && !keep[j]
                {
                    keep[j] = true;
                    queue.push(j);
                }
            };
            // SAFETY: as above.
            unsafe { crate::object::traverse(header, &mut Visitor::new(&mut visit)) };
        }
    });
    let mut iter = keep.into_iter();
    let mut garbage = garbage;
    garbage.retain(|_| !iter.next().unwrap_or(false));
    garbage
}

/// All tracked objects, for `gc.get_objects` and `gc.get_referrers`.
pub fn all_objects(filter: &dyn Fn(&Value) -> bool) -> Vec<Value> {
    let mut out = Vec::new();
    threads::stop_the_world(|| {
        alloc::for_each_gc_object(false, &mut |block| {
            let header = block.cast::<Header>();
            // SAFETY: live objects; the world is stopped. The reference is not kept unless counted.
            unsafe {
                if header.as_ref().gc.load(Relaxed) & GC_TRACKED == 0 || header.as_ref().refcount() <= 0 {
                    return;
                }
                let value = std::mem::ManuallyDrop::new(Value::from_bits(header.as_ptr() as u64));
                if filter(&value) {
                    out.push((*value).clone());
                }
            }
        });
    });
    out
}

/// What `value` refers to directly.
pub fn referents(value: &Value) -> Vec<Value> {
    let Some(header) = value.heap_header() else {
        return Vec::new();
    };
    let mut out = Vec::new();
    threads::stop_the_world(|| {
        let mut visit = |child: NonNull<Header>| {
            // SAFETY: a child of a live object is alive; the count is the result's.
            let child = std::mem::ManuallyDrop::new(unsafe { Value::from_bits(child.as_ptr() as u64) });
            out.push((*child).clone());
        };
        // SAFETY: the value is alive, the world is stopped.
        unsafe { crate::object::traverse(header, &mut Visitor::new(&mut visit)) };
    });
    out
}

#[derive(Default, Clone, Copy)]
struct AddressHasher(u64);

impl std::hash::Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {}
    fn write_usize(&mut self, address: usize) {
        self.0 = (address as u64 >> 3).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

type BuildAddressHasher = std::hash::BuildHasherDefault<AddressHasher>;
