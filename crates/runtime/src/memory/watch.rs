//! Which memory was allocated where: what `tracemalloc` shows.
//!
//! Nothing of this costs anything while it is off: objects of a thread that is watched come by way of the allocator's slow paths
//! ([`super::alloc::set_watched`]); buffers are told of by the program's global allocator, which asks [`is_on`].
//! Invariant: what is done here, tables included, is not watched ([`INSIDE`]); no reference is dropped and no Python code runs under the lock.
//! A place is a code object, which is kept, and a code word; lines are looked up when somebody asks.
//! Left out: what detached threads allocate, and what was allocated before the thread came to its first safepoint under observation.

use std::cell::{Cell, UnsafeCell};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::object::{Py, Value};
use crate::types::code::Code;
use crate::vm::Vm;

static ON: AtomicBool = AtomicBool::new(false);

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether memory is watched.
#[inline(always)]
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// A frame: the address of its code and the code word.
type Place = (usize, u32);

/// The frames of an allocation, the innermost first.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Trace {
    places: Box<[Place]>,
    /// How many frames there were, those left out included.
    depth: u32,
}

#[derive(Default)]
struct State {
    limit: usize,
    /// Size and number of the trace, by address.
    blocks: HashMap<usize, (usize, u32)>,
    traces: Vec<Trace>,
    numbers: HashMap<Trace, u32>,
    codes: HashMap<usize, Py<Code>>,
    current: usize,
    peak: usize,
}

/// A lock that never sleeps: it is taken inside the allocator, also by threads that are detached.
struct Guarded {
    taken: AtomicBool,
    state: UnsafeCell<Option<State>>,
}

// SAFETY: the state is used by the holder of the lock alone; what it holds may be used by any thread.
unsafe impl Sync for Guarded {}

static STATE: Guarded = Guarded {
    taken: AtomicBool::new(false),
    state: UnsafeCell::new(None),
};

/// Runs `f` with the state, unwatched; `None` if this thread is in here already.
fn with<R>(f: impl FnOnce(&mut Option<State>) -> R) -> Option<R> {
    let inside = INSIDE.try_with(|inside| inside.replace(true)).unwrap_or(true);
    if inside {
        return None;
    }
    while STATE
        .taken
        .compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed)
        .is_err()
    {
        std::thread::yield_now();
    }
    // SAFETY: the lock is held, and `f` cannot come here again.
    let result = f(unsafe { &mut *STATE.state.get() });
    STATE.taken.store(false, Ordering::Release);
    let _ = INSIDE.try_with(|inside| inside.set(false));
    Some(result)
}

/// Runs `f` without watching what this thread allocates meanwhile.
pub fn unwatched<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            let _ = INSIDE.try_with(|inside| inside.set(self.0));
        }
    }
    let _restore = Restore(INSIDE.try_with(|inside| inside.replace(true)).unwrap_or(true));
    f()
}

impl State {
    fn forget(&mut self, address: usize) {
        if let Some((size, _)) = self.blocks.remove(&address) {
            self.current -= size;
        }
    }

    fn note(&mut self, vm: &Vm, address: usize, size: usize) {
        let depth = vm.frames.depth.get();
        let mut places = Vec::with_capacity(self.limit.min(depth));
        for frame in (0..self.limit.min(depth)).filter_map(|n| vm.frames.nth(n)) {
            let code = frame.code();
            let key = std::ptr::from_ref(code) as usize;
            self.codes.entry(key).or_insert_with(|| code.to_object());
            places.push((key, frame.pc().saturating_sub(1)));
        }
        let trace = Trace {
            places: places.into(),
            depth: depth as u32,
        };
        let number = match self.numbers.get(&trace) {
            Some(number) => *number,
            None => {
                let number = self.traces.len() as u32;
                self.traces.push(trace.clone());
                self.numbers.insert(trace, number);
                number
            }
        };
        self.forget(address);
        self.blocks.insert(address, (size, number));
        self.current += size;
        self.peak = self.peak.max(self.current);
    }
}

/// A block was allocated by this thread. Nothing is noted of threads that may not touch objects now.
#[cold]
pub fn allocated(block: *const u8, size: usize) {
    let Some(vm) = Vm::try_current().filter(|vm| vm.thread.is_attached()) else {
        return;
    };
    with(|state| {
        if let Some(state) = state {
            state.note(vm, block as usize, size);
        }
    });
}

/// A block was freed.
#[cold]
pub fn freed(block: *const u8) {
    with(|state| {
        if let Some(state) = state {
            state.forget(block as usize);
        }
    });
}

/// Begins to watch, with the innermost `limit` frames of each allocation; what is watched already goes on as it is.
pub fn start(vm: &Vm, limit: usize) {
    with(|state| {
        state.get_or_insert_with(|| State {
            limit,
            ..State::default()
        });
    });
    ON.store(true, Ordering::Relaxed);
    vm.refresh_watch_everywhere();
}

/// Forgets all, and watches no longer.
pub fn stop(vm: &Vm) {
    ON.store(false, Ordering::Relaxed);
    vm.refresh_watch_everywhere();
    // Dropped when the lock is not held any more.
    drop(with(Option::take));
}

/// Forgets all that was allocated so far.
pub fn clear() {
    let old = with(|state| {
        state.as_mut().map(|state| {
            let limit = state.limit;
            std::mem::replace(
                state,
                State {
                    limit,
                    ..State::default()
                },
            )
        })
    });
    drop(old);
}

/// How many frames are kept of an allocation.
pub fn limit() -> Option<usize> {
    with(|state| state.as_ref().map(|state| state.limit)).flatten()
}

/// Bytes that are allocated now, and the most there were.
pub fn traced() -> (usize, usize) {
    with(|state| state.as_ref().map_or((0, 0), |state| (state.current, state.peak))).unwrap_or_default()
}

/// The most there were is what there is.
pub fn reset_peak() {
    with(|state| {
        if let Some(state) = state {
            state.peak = state.current;
        }
    });
}

/// Bytes that the tables take, about.
pub fn own_memory() -> usize {
    with(|state| {
        state.as_ref().map_or(0, |state| {
            let traces: usize = state
                .traces
                .iter()
                .map(|trace| 2 * (size_of::<Trace>() + 8 + trace.places.len() * 16))
                .sum();
            traces + state.blocks.capacity() * 25 + state.codes.capacity() * 17
        })
    })
    .unwrap_or(0)
}

/// A frame of an allocation.
pub struct Site {
    pub code: Py<Code>,
    pub line: u32,
}

/// The frames of an allocation, the innermost first, and how many there were.
pub struct Traceback {
    pub sites: Vec<Site>,
    pub depth: u32,
}

fn resolved(trace: &Trace, codes: &HashMap<usize, Py<Code>>) -> Traceback {
    let sites = trace.places.iter().filter_map(|(code, word)| {
        let code = codes.get(code)?.clone();
        let line = code.location(*word).line;
        Some(Site { code, line })
    });
    Traceback {
        sites: sites.collect(),
        depth: trace.depth,
    }
}

/// The traceback of an object's block.
pub fn traceback_of(value: &Value) -> Option<Traceback> {
    let address = value.heap_header()?.as_ptr() as usize;
    with(|state| {
        let state = state.as_ref()?;
        let (_, number) = state.blocks.get(&address)?;
        Some(resolved(state.traces.get(*number as usize)?, &state.codes))
    })
    .flatten()
}

/// The sizes of all blocks, each with the number of its traceback, and the tracebacks.
pub fn snapshot() -> (Vec<(usize, u32)>, Vec<Traceback>) {
    with(|state| {
        let state = state.as_ref()?;
        let blocks = state.blocks.values().copied().collect();
        Some((
            blocks,
            state.traces.iter().map(|trace| resolved(trace, &state.codes)).collect(),
        ))
    })
    .flatten()
    .unwrap_or_default()
}

/// Puts the lock in order in the child of a fork, where whoever held it does not exist: what it was about to change is given up.
pub(crate) fn after_fork_child() {
    if !STATE.taken.load(Ordering::Relaxed) {
        return;
    }
    // SAFETY: the one thread of the process. The tables may be half changed, and are left alone.
    unsafe {
        let old = (*STATE.state.get()).take();
        let limit = old.as_ref().map_or(1, |state| state.limit);
        std::mem::forget(old);
        *STATE.state.get() = Some(State {
            limit,
            ..State::default()
        });
    }
    STATE.taken.store(false, Ordering::Relaxed);
}
