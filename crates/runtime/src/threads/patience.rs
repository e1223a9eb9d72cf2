//! How long a thread that waits looks before it sleeps.
//!
//! Waking a thread takes its waker a system call, and the thread 5 to 30 µs until it runs, on a core that had gone to sleep. Threads that
//! hand work to one another in turns wait for less than that. So each thread looks for up to [`MOST_NS`], as long as that is of use: where
//! it was not, the next look is half as long, and soon there is none but for a try now and then. That a wait was short is not enough:
//! whom the thread waits for may need the processor that it looks on. A look that took much longer than it should tells that others need the
//! processors: then nobody looks for a while. A thread that sleeps gets a processor sooner than one that has used up its time with looking.
//!
//! Invariant: with one processor nobody looks, and otherwise no more threads at once than [`lookers`] says (those aside that wait for the GIL),
//! so that those they wait for can run.

use std::cell::Cell;

use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use crate::sync::{free_threaded, futex, os_linux};

/// The longest look: about what sleeping and being woken costs.
const MOST_NS: u32 = 30_000;
/// What a thread begins with.
const FIRST_NS: u32 = 10_000;
/// Shorter looks are not worth it.
const LEAST_NS: u32 = 2_000;
/// A thread that has given up looking tries it again once in so many waits.
const TRY_AGAIN: u32 = 32;
/// The clock is read once in so many looks: each pauses for 4 to 60 ns.
const LOOKS_A_TIME: u32 = 8;

/// A look that ends so late was interrupted: by the system, for another thread, or by the machine below it.
const LATE_NS: u64 = 200_000;
/// How long nobody looks after the system did so: twice as long each time, as long as it happens soon again.
const FIRST_REST_NS: u64 = 10_000_000;
const MOST_REST_NS: u64 = 160_000_000;

/// How many processors the process may use, once somebody asked.
static PROCESSORS: AtomicU32 = AtomicU32::new(0);
/// How many threads look at this moment.
static LOOKING: AtomicU32 = AtomicU32::new(0);
/// Until when nobody looks, and how long that was.
static REST_END_NS: AtomicU64 = AtomicU64::new(0);
static REST_NS: AtomicU64 = AtomicU64::new(FIRST_REST_NS);

/// A thread's memory of its waits. Only the thread itself uses it.
#[derive(Debug)]
pub(crate) struct Patience {
    limit_ns: AtomicU32,
    /// Waits without a look.
    waits: AtomicU32,
}

impl Patience {
    pub(crate) const fn new() -> Self {
        Self {
            limit_ns: AtomicU32::new(FIRST_NS),
            waits: AtomicU32::new(0),
        }
    }

    /// Looks whether `done`, as long as it is worth it, at most until `deadline_ns`; whether it was.
    pub(crate) fn look(&self, deadline_ns: Option<u64>, done: impl Fn() -> bool) -> bool {
        let limit = self.limit();
        if limit == 0 {
            return done();
        }
        let seen = if LOOKING.fetch_add(1, Relaxed) < lookers() {
            self.look_for(limit, deadline_ns, &done)
        } else {
            done()
        };
        LOOKING.fetch_sub(1, Relaxed);
        seen
    }

    /// [`Patience::look`] however many others do, as long as there are several processors.
    pub(crate) fn look_anyway(&self, deadline_ns: Option<u64>, done: impl Fn() -> bool) -> bool {
        let limit = self.limit();
        if limit == 0 || lookers() == 0 {
            return done();
        }
        self.look_for(limit, deadline_ns, done)
    }

    /// How long to look this time.
    fn limit(&self) -> u32 {
        let limit = self.limit_ns.load(Relaxed);
        if limit > 0 {
            return limit;
        }
        let waits = self.waits.load(Relaxed).wrapping_add(1);
        self.waits.store(waits, Relaxed);
        if waits.is_multiple_of(TRY_AGAIN) { MOST_NS } else { 0 }
    }

    fn look_for(&self, limit: u32, deadline_ns: Option<u64>, done: impl Fn() -> bool) -> bool {
        let begin = futex::monotonic_ns();
        if begin < REST_END_NS.load(Relaxed) {
            return done();
        }
        let end = (begin + u64::from(limit)).min(deadline_ns.unwrap_or(u64::MAX));
        let seen = look(begin, end, done);
        let new = match limit {
            _ if seen => limit.saturating_mul(2).min(MOST_NS),
            0..LEAST_NS => 0,
            _ => limit / 2,
        };
        // A try that comes to nothing changes nothing.
        if seen || self.limit_ns.load(Relaxed) > 0 {
            self.limit_ns.store(new, Relaxed);
        }
        seen
    }
}

/// Looks until `done` or `end_ns`, however often that was of use; `false` if it is no time for looking.
pub(crate) fn look_until(end_ns: u64, done: impl Fn() -> bool) -> bool {
    let begin = futex::monotonic_ns();
    if lookers() == 0 || begin < REST_END_NS.load(Relaxed) {
        return false;
    }
    look(begin, end_ns, done);
    true
}

/// Whether it was done before `end_ns`.
fn look(begin_ns: u64, end_ns: u64, done: impl Fn() -> bool) -> bool {
    let mut now = begin_ns;
    let seen = 'look: loop {
        for _ in 0..LOOKS_A_TIME {
            if done() {
                break 'look true;
            }
            std::hint::spin_loop();
        }
        now = futex::monotonic_ns();
        if now >= end_ns {
            break false;
        }
    };
    if seen && now != begin_ns {
        now = futex::monotonic_ns();
    }
    if now > end_ns.max(begin_ns) + LATE_NS {
        rest(now);
    }
    seen
}

/// A look ended late: if the thread had to give its processor to another since the last one that did, others need the processors.
#[cold]
fn rest(now: u64) {
    thread_local! {
        static SWITCHES: Cell<u64> = const { Cell::new(u64::MAX) };
    }
    let switches = os_linux::involuntary_switches();
    if SWITCHES.replace(switches) >= switches {
        return;
    }
    let before = REST_NS.load(Relaxed);
    let soon = now < REST_END_NS.load(Relaxed) + 8 * before;
    let length = if soon {
        (2 * before).min(MOST_REST_NS)
    } else {
        FIRST_REST_NS
    };
    REST_NS.store(length, Relaxed);
    REST_END_NS.store(now + length, Relaxed);
}

/// Looks how many processors there are: at first, and when that may have changed.
pub(crate) fn count_processors() -> u32 {
    let processors = os_linux::processors();
    PROCESSORS.store(processors, Relaxed);
    processors
}

/// In the child of a fork: the others are gone.
pub(crate) fn after_fork_child() {
    LOOKING.store(0, Relaxed);
}

/// How many threads may look at once: with the GIL just the one that the holder may be about to wake.
fn lookers() -> u32 {
    let processors = match PROCESSORS.load(Relaxed) {
        0 => count_processors(),
        known => known,
    };
    match processors {
        1 => 0,
        _ if free_threaded() => processors / 2,
        _ => 1,
    }
}
