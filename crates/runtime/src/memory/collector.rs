//! The cycle collector: finds groups of objects that refer to each other alone.
//!
//! Method: for each object that can be part of a cycle, its reference count less the references that come from other such
//! objects; what is left above zero is held from outside, and so is all it reaches. The rest is garbage: weak references are
//! cleared, finalizers run, and what they did not bring back to life is cleared, which frees it by reference counting.
//!
//! Invariant: the search runs while the world is stopped, runs no Python code and counts no references, since a number stands in the place
//! of the count of each object considered. Weak references are cut before the world goes on, so that nobody comes by garbage; callbacks,
//! finalizers and clearing run after it, on objects that are kept alive by references of the collector's own.
//!
//! Generations: new objects are of generation 0, survivors of the next ones. A young collection looks at the pages that handed out objects
//! since the last one. Automatic collections are young or full; while threads run in parallel young ones wait until more objects were made, since
//! each stops them all.

use std::collections::HashMap;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU64, AtomicUsize, Ordering::Relaxed};

use super::alloc;
use super::header::{FLAG_FINALIZED, GC_FROZEN, GC_TRACKED, Header};
use super::search::{Found, find};
use super::trace::Visitor;
use crate::native::Args;
use crate::object::{PySlot, TypeFlags, Value};
use crate::sync::mode::{free_threaded, parallel};
use crate::threads;
use crate::types::dict::Dict;
use crate::types::list::List;
use crate::types::mappingproxy::MappingProxy;
use crate::types::set::{FrozenSet, Set};
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::Vm;

/// When there are so many objects more than the last full collection left, and no fewer than those, a full one is due: it costs no more than in
/// proportion to making them.
const MOST_MORE: usize = 50_000;

/// While threads run in parallel, a collection waits for so many times the threshold of objects that one of them made.
const STOP_COST: isize = 4;

static ENABLED: AtomicBool = AtomicBool::new(true);
static RUNNING: AtomicBool = AtomicBool::new(false);
static THRESHOLDS: [AtomicIsize; 3] = [AtomicIsize::new(2000), AtomicIsize::new(10), AtomicIsize::new(10)];
/// Collections of generation 0 since one of 1, and of 1 since one of 2.
static COUNTS: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
static YOUNG_SINCE_FULL: AtomicUsize = AtomicUsize::new(0);
static LIVE_AT_FULL: AtomicUsize = AtomicUsize::new(0);
static YOUNG_SURVIVORS: AtomicUsize = AtomicUsize::new(0);
/// Collectable objects that the last full collection left.
static OBJECTS_AT_FULL: AtomicUsize = AtomicUsize::new(0);
/// How many objects the last young collection looked at that were no garbage.
static YOUNG_SIZE: AtomicUsize = AtomicUsize::new(0);
/// Collections, objects collected, objects uncollectable; by generation.
static STATS: [[AtomicU64; 3]; 3] = [const { [const { AtomicU64::new(0) }; 3] }; 3];
static SAVE_ALL: AtomicBool = AtomicBool::new(false);
/// `gc.callbacks` and `gc.garbage`.
static CALLBACKS: PySlot<List> = PySlot::empty();
static GARBAGE: PySlot<List> = PySlot::empty();

/// `gc.isenabled()`.
pub fn is_enabled() -> bool {
    ENABLED.load(Relaxed)
}

/// `gc.enable()`, `gc.disable()`.
pub fn set_enabled(on: bool) {
    ENABLED.store(on, Relaxed);
    // Programs that say when to collect begin with the threshold again.
    YOUNG_SIZE.store(0, Relaxed);
    update_limit();
}

/// `gc.get_threshold()`.
pub fn thresholds() -> [isize; 3] {
    [0, 1, 2].map(|i| THRESHOLDS[i].load(Relaxed))
}

/// `gc.set_threshold()`.
pub fn set_threshold(i: usize, value: isize) {
    THRESHOLDS[i].store(value, Relaxed);
    update_limit();
}

/// `gc.get_count()`.
pub fn counts() -> [usize; 3] {
    let new = usize::try_from(alloc::gc_alloc_pressure()).unwrap_or(0);
    [new, COUNTS[0].load(Relaxed), COUNTS[1].load(Relaxed)]
}

/// Collections, collected and uncollectable objects of a generation.
pub fn stats(generation: usize) -> [u64; 3] {
    [0, 1, 2].map(|i| STATS[generation][i].load(Relaxed))
}

/// Whether unreachable objects are kept in `gc.garbage` (DEBUG_SAVEALL).
pub fn set_save_all(on: bool) {
    SAVE_ALL.store(on, Relaxed);
}

/// Set when the program's modules go: what callbacks need is no longer there.
static QUIET: AtomicBool = AtomicBool::new(false);

/// From here on collections call no `gc.callbacks`.
pub fn silence() {
    QUIET.store(true, Relaxed);
}

/// `gc.callbacks`: called before and after each collection.
pub fn callbacks() -> crate::object::Py<List> {
    list_in(&CALLBACKS)
}

/// `gc.garbage`.
pub fn garbage() -> crate::object::Py<List> {
    list_in(&GARBAGE)
}

fn list_in(slot: &PySlot<List>) -> crate::object::Py<List> {
    slot.get().unwrap_or_else(|| {
        let list = List::new(Vec::new());
        slot.set(list.clone());
        list
    })
}

/// Sets from which pressure on the allocator asks for a collection: when as many objects were made as the collection will have to look at
/// besides them, so that collecting costs no more than in proportion to making them.
fn update_limit() {
    let threshold = THRESHOLDS[0].load(Relaxed);
    let limit = if !ENABLED.load(Relaxed) || threshold <= 0 {
        isize::MAX
    } else {
        let least = if parallel() {
            threshold.saturating_mul(STOP_COST)
        } else {
            threshold
        };
        least.max(YOUNG_SIZE.load(Relaxed) as isize)
    };
    alloc::PRESSURE_LIMIT.store(limit, Relaxed);
}

/// Automatic collections begin; once the runtime is set up.
pub fn start() {
    update_limit();
}

/// Whether a collection is under way; safe in a signal handler.
pub fn is_running() -> bool {
    RUNNING.load(Relaxed)
}

/// A thread made many objects: the next safepoint collects.
#[cold]
pub(crate) fn ask_for_collection() {
    if let Some(thread) = threads::ThreadState::current() {
        thread.set_poll(threads::poll::GC);
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
    if alloc::gc_alloc_pressure() <= alloc::PRESSURE_LIMIT.load(Relaxed) {
        return;
    }
    let young = YOUNG_SINCE_FULL.fetch_add(1, Relaxed) as isize;
    let often = THRESHOLDS[1].load(Relaxed).max(1) * THRESHOLDS[2].load(Relaxed).max(1);
    let survivors = YOUNG_SURVIVORS.load(Relaxed);
    let live = LIVE_AT_FULL.load(Relaxed);
    let more = alloc::gc_objects().saturating_sub(OBJECTS_AT_FULL.load(Relaxed));
    if young >= often && survivors > live / 4 || more > live.max(MOST_MORE) {
        collect(vm, 2);
    } else {
        collect(vm, 0);
    }
}

/// Collects a generation and the younger ones. Returns how many unreachable objects were found.
pub fn collect(vm: &Vm, generation: usize) -> usize {
    if RUNNING.swap(true, Relaxed) {
        return 0;
    }
    notify(vm, "start", generation, 0);
    merge_all();
    let young_only = generation < 2;
    let mut found = None;
    let mut pending = None;
    threads::stop_the_world(|| {
        found = find(if young_only { generation } else { 2 });
        pending = found
            .as_ref()
            .map(|found| crate::types::weakref::detach_garbage(&found.garbage));
        // SAFETY: the world is stopped.
        unsafe {
            alloc::end_young_collection();
            super::reclaim_stopped();
        }
        alloc::reset_gc_pressure();
    });
    let Some(Found {
        garbage,
        examined,
        visited,
    }) = found
    else {
        RUNNING.store(false, Relaxed);
        notify(vm, "stop", generation, 0);
        return 0;
    };
    let survivors = examined - garbage.len();
    if young_only {
        YOUNG_SURVIVORS.fetch_add(survivors, Relaxed);
        YOUNG_SIZE.store(visited.saturating_sub(garbage.len()), Relaxed);
    } else {
        YOUNG_SINCE_FULL.store(0, Relaxed);
        YOUNG_SURVIVORS.store(0, Relaxed);
        // The next young one finds new objects alone.
        YOUNG_SIZE.store(0, Relaxed);
        LIVE_AT_FULL.store(survivors, Relaxed);
        OBJECTS_AT_FULL.store(alloc::gc_objects().saturating_sub(garbage.len()), Relaxed);
    }
    match generation {
        0 => {
            COUNTS[0].fetch_add(1, Relaxed);
        }
        1 => {
            COUNTS[0].store(0, Relaxed);
            COUNTS[1].fetch_add(1, Relaxed);
        }
        _ => COUNTS.iter().for_each(|count| count.store(0, Relaxed)),
    }
    update_limit();
    if let Some(pending) = pending {
        pending.run();
    }
    let count = if garbage.is_empty() {
        0
    } else {
        alloc::without_gc_pressure(|| dispose(vm, garbage))
    };
    let stats = &STATS[generation.min(2)];
    stats[0].fetch_add(1, Relaxed);
    stats[1].fetch_add(count as u64, Relaxed);
    RUNNING.store(false, Relaxed);
    notify(vm, "stop", generation, count);
    count
}

/// Calls `gc.callbacks`.
fn notify(vm: &Vm, phase: &str, generation: usize, collected: usize) {
    let heard = !QUIET.load(Relaxed);
    let Some(callbacks) = CALLBACKS.get().filter(|list| heard && !list.is_empty()) else {
        return;
    };
    for callback in callbacks.snapshot() {
        let info = Dict::new_empty();
        for (name, number) in [
            ("generation", generation),
            ("collected", collected),
            ("uncollectable", 0),
        ] {
            info.set_str(&Str::intern(name), Value::usize(number));
        }
        let args = [Value::from(phase), info.into_value()];
        if let Err(exc) = vm.call_args(&callback, Args::new(&args)) {
            vm.unraisable_while(exc, "calling GC callback", &callback);
        }
    }
}

/// Merges counts that wait for their owners, so that dropped references are no longer counted.
fn merge_all() {
    if !free_threaded() || !super::merge::is_pending() && !super::leases::exist() {
        return;
    }
    let mut dead = Vec::new();
    threads::stop_the_world(|| {
        // SAFETY: the world is stopped. What is returned may leave counts to merge.
        unsafe {
            dead = super::leases::return_stopped();
            dead.append(&mut super::merge::drain_stopped());
        }
    });
    for header in dead {
        // SAFETY: the merge found no reference left, and told nobody else.
        unsafe { crate::object::dealloc(header) }
    }
}

/// Finalizers, then the cycles themselves. The world runs. Returns how many objects no finalizer brought back.
fn dispose(vm: &Vm, garbage: Vec<Value>) -> usize {
    let mut finalized = false;
    // Programs' own classes first: what they do with the native objects that they own (to take the exception of a future, to close a file)
    // makes those end in silence.
    for own in [true, false] {
        for value in &garbage {
            let ty = value.ty();
            if ty.has_flag(TypeFlags::HEAP) == own
                && let (Some(finalize), Some(head)) = (ty.slots().finalize, value.header())
                && !head.flag(FLAG_FINALIZED)
            {
                head.set_flag(FLAG_FINALIZED);
                finalized = true;
                vm.run_finalizer(finalize, value);
            }
        }
    }
    let garbage = if finalized { still_garbage(garbage) } else { garbage };
    let count = garbage.len();
    if SAVE_ALL.load(Relaxed) {
        // Without memory for the list there is nothing that could be done about it here.
        let shown = garbage.into_iter().map(MappingProxy::shown).collect();
        let _ = self::garbage().extend_vec(vm, shown);
        return count;
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
    count
}

/// What finalizers did not make reachable again: the same count over the garbage alone, under a second stop.
fn still_garbage(garbage: Vec<Value>) -> Vec<Value> {
    let n = garbage.len();
    let mut keep: Vec<bool> = Vec::new();
    let mut index: HashMap<usize, usize, BuildAddressHasher> = HashMap::default();
    let mut external: Vec<i64> = Vec::new();
    let mut queue: Vec<usize> = Vec::new();
    let room = keep.try_reserve(n).is_ok()
        && index.try_reserve(n).is_ok()
        && external.try_reserve(n).is_ok()
        && queue.try_reserve(n).is_ok();
    if !room {
        // As if all of them had been brought back: a later collection finds them again.
        return Vec::new();
    }
    keep.resize(n, false);
    threads::stop_the_world(|| {
        index.extend(garbage.iter().enumerate().map(|(i, v)| (v.bits() as usize, i)));
        // One reference is the collector's.
        external.extend(garbage.iter().map(|v| v.header().map_or(0, |h| h.refcount() - 1)));
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
        queue.extend((0..n).filter(|&i| external[i] > 0));
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

/// Calls `f` with each live object that the collector knows, while the world is stopped. `f` may count references and allocate memory, but
/// runs no Python code.
fn with_all(young_only: bool, f: &mut dyn FnMut(NonNull<Header>)) {
    threads::stop_the_world(|| {
        let mut all = Vec::new();
        // The walk itself holds the allocator's lock.
        alloc::for_each_gc_object(young_only, &mut |block| all.push(block.cast::<Header>()));
        for header in all {
            // SAFETY: nothing was freed since the walk.
            let head = unsafe { header.as_ref() };
            if head.gc.load(Relaxed) & GC_TRACKED != 0 && head.refcount() > 0 {
                f(header);
            }
        }
    });
}

/// A reference to a live object.
///
/// # Safety
/// The object is alive.
unsafe fn counted(header: NonNull<Header>) -> Value {
    // SAFETY: by contract; the count is the result's.
    unsafe {
        header.as_ref().incref();
        Value::from_bits(header.as_ptr() as u64)
    }
}

/// The tracked objects, all or those of one generation: `gc.get_objects`.
pub fn objects(generation: Option<usize>) -> Vec<Value> {
    let mut out = Vec::new();
    with_all(generation == Some(0), &mut |header| {
        // SAFETY: live objects; the world is stopped.
        unsafe {
            let head = header.as_ref();
            let frozen = head.gc.load(Relaxed) & GC_FROZEN != 0;
            if generation.is_none_or(|wanted| !frozen && usize::from(head.generation()) == wanted) {
                out.push(counted(header));
            }
        }
    });
    out
}

/// The tracked objects that refer to one of `targets` directly.
pub fn referrers(targets: &[Value]) -> Vec<Value> {
    let wanted: std::collections::HashSet<u64> = targets.iter().map(Value::bits).collect();
    let mut out = Vec::new();
    with_all(false, &mut |header| {
        let mut hit = false;
        let mut visit = |child: NonNull<Header>| hit |= wanted.contains(&(child.as_ptr() as u64));
        // SAFETY: live objects; the world is stopped.
        unsafe {
            crate::object::traverse(header, &mut Visitor::new(&mut visit));
            if hit {
                out.push(counted(header));
            }
        }
    });
    out
}

/// `gc.freeze()`, `gc.unfreeze()`.
pub fn set_frozen(frozen: bool) {
    with_all(false, &mut |header| {
        // SAFETY: live objects; the world is stopped.
        let head = unsafe { header.as_ref() };
        let bits = head.gc.load(Relaxed);
        head.gc
            .store(if frozen { bits | GC_FROZEN } else { bits & !GC_FROZEN }, Relaxed);
    });
}

/// `gc.get_freeze_count()`.
pub fn frozen_count() -> usize {
    let mut count = 0;
    with_all(false, &mut |header| {
        // SAFETY: live objects; the world is stopped.
        count += usize::from(unsafe { header.as_ref() }.gc.load(Relaxed) & GC_FROZEN != 0);
    });
    count
}

/// Whether the collector knows the object: `gc.is_tracked`.
pub fn is_tracked(value: &Value) -> bool {
    value
        .header()
        .is_some_and(|head| head.gc.load(Relaxed) & GC_TRACKED != 0)
}

/// Whether `__del__` has run: `gc.is_finalized`.
pub fn is_finalized(value: &Value) -> bool {
    value.header().is_some_and(|head| head.flag(FLAG_FINALIZED))
}

/// What `value` refers to directly.
pub fn referents(value: &Value) -> Vec<Value> {
    // Containers by their contents, since a traversal does not see ints and the like.
    // CPython visits sequences from the end.
    if let Some(list) = value.downcast_exact::<List>() {
        return list.snapshot().into_iter().rev().collect();
    }
    if let Some(tuple) = value.downcast_exact::<Tuple>() {
        return tuple.as_slice().iter().rev().cloned().collect();
    }
    if let Some(dict) = value.downcast_exact::<Dict>() {
        let pairs = dict.snapshot().into_iter();
        return pairs.flat_map(|(key, value)| [key, value]).collect();
    }
    if let Some(set) = value.downcast_exact::<Set>() {
        return set.snapshot();
    }
    if let Some(set) = value.downcast_exact::<FrozenSet>() {
        return set.snapshot();
    }
    let Some(header) = value.heap_header() else {
        return Vec::new();
    };
    if !is_tracked(value) {
        return Vec::new();
    }
    let mut out = Vec::new();
    threads::stop_the_world(|| {
        // SAFETY: a child of a live object is alive.
        let mut visit = |child: NonNull<Header>| out.push(unsafe { counted(child) });
        // SAFETY: the value is alive, the world is stopped.
        unsafe { crate::object::traverse(header, &mut Visitor::new(&mut visit)) };
    });
    // The type comes last; native types are no business of their instances.
    if !value.ty().has_flag(TypeFlags::HEAP) {
        let ty = out.pop();
        drop(ty);
    }
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
