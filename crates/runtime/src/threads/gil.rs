//! The global interpreter lock.
//!
//! Invariant: [`WORD`] is 0 or the address of the holder's state, with bit 0 set while somebody is queued. While that bit
//! is set the GIL is released under the queue's lock only, so the holder's state cannot go away under a waiter that has
//! the lock. A holder that was *asked* to let go hands the GIL to a chosen waiter: it cannot get it straight back. A holder
//! that lets go by itself, for a system call, frees it and wakes the next waiter, and whoever comes by first may take
//! it: handing it over each time would leave it idle while the waiter wakes up.
//!
//! Two queues. *Computing* threads gave the GIL up when asked; they take turns of one switch interval. *Returning*
//! threads come back from a detached region; they are served first, and ask a holder that goes on to let go
//! after [`RETURN_DELAY_NS`], one that is known to compute after [`COMPUTING_DELAY_NS`], one that keeps coming back before them after [`PATIENCE_NS`]. While others compute, returning
//! threads, together and each alone, spend a credit that grows with a share of the time, so that computation goes on.
//! There is no timer thread: the first waiter of each queue sleeps until the holder's time is up and sets its poll bit.
//!
//! An uncontended take or release is one compare-and-swap. Taking it also releases, in the memory model's sense: a waiter
//! that reads the address may then look at the state.

use super::observer::{GilEvent, observer};
use super::parking::{ParkReason, WaitFor};
use super::patience::{self, Patience};
use super::state::{ATTACHED, DETACHED, ThreadState, poll};
use crate::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard, futex, os_linux};
use std::collections::VecDeque;
use std::time::Duration;

/// How long a returning thread lets the holder go on. Timer slack adds about as much again.
const RETURN_DELAY_NS: u64 = 50_000;
/// How long it lets one go on that is known to compute, and will not let go by itself.
const COMPUTING_DELAY_NS: u64 = 20_000;
/// How long it does so that was woken by another thread, which is likely to have more for it to do: a switch for each task would cost more than
/// the task.
const WOKEN_DELAY_NS: u64 = 200_000;
/// What changing the holder twice costs.
const SWITCHES_NS: u64 = 5_000;
/// How late the new head of a queue may be to look at the clock before it is woken to set its alarm anew.
const ALARM_SLACK_NS: u64 = 1_500_000;
/// Returning threads behind the head look at the clock this often for each place.
const RETURN_STEP_NS: u64 = 1_000_000;
/// The most one stay of a returning thread costs the common credit.
const MAX_CHARGE_NS: i64 = 1_000_000;
/// Returning threads may have 1 / SHARE of the time.
const SHARE: u64 = 2;
/// What is left of a turn is not worth less than this.
const MIN_TURN_NS: u64 = 100_000;
/// How long a returning thread lets others come back before it.
const PATIENCE_NS: u64 = 500_000;
/// A waiter that asked the holder looks this often before it sleeps.
const ASKED_SPINS: u32 = 200;

const GIL_WAIT: WaitFor = WaitFor::new(ParkReason::Gil, 0).uninterruptible();

/// Bit 0 of [`WORD`]: the queues are not empty.
const QUEUED: usize = 1;

static WORD: AtomicUsize = AtomicUsize::new(0);
/// The address of the thread that computed when it got the GIL, until it lets go by itself.
static COMPUTING: AtomicUsize = AtomicUsize::new(0);
static INTERVAL_NS: AtomicU64 = AtomicU64::new(5_000_000);
static QUEUE: Mutex<Queue> = Mutex::new(Queue::new());

/// The waiter is on its way to look at the queue.
const AWAKE: u32 = 0;
/// It has been handed the GIL.
const GRANTED: u32 = 1;
/// It sleeps, or is about to.
const ASLEEP: u32 = 2;
/// It has to look at the queue again.
const NUDGED: u32 = 3;

/// A thread's part in the queue for the GIL.
#[derive(Debug)]
pub(crate) struct GilNode {
    /// The thread's futex: AWAKE, ASLEEP, NUDGED or GRANTED. Written under the queue's lock, but for AWAKE to ASLEEP.
    granted: AtomicU32,
    /// The thread's own credit for returning early, and when it was reckoned. Under the queue's lock.
    credit: AtomicI64,
    credit_at: AtomicU64,
    /// How long the thread looks before it queues; its own.
    patience: Patience,
}

impl GilNode {
    pub(crate) const fn new() -> Self {
        Self {
            granted: AtomicU32::new(AWAKE),
            credit: AtomicI64::new(1),
            credit_at: AtomicU64::new(0),
            patience: Patience::new(),
        }
    }
}

struct Entry {
    state: *const ThreadState,
    since: u64,
    /// When the waiter looks at the clock again.
    alarm: u64,
    /// What is left of its turn; 0: a whole one.
    turn: u64,
    /// It waited for another thread, not for the system.
    woken: bool,
}

/// Counters of the contended paths.
#[derive(Clone, Copy, Debug, Default)]
pub struct GilStats {
    /// Takes that had to queue.
    pub waits: u64,
    /// Hand-offs to a thread that returned from a detached region.
    pub to_returning: u64,
    /// Hand-offs to a computing thread.
    pub to_computing: u64,
    /// Times the holder was asked to let go because its turn was over.
    pub drops_for_computing: u64,
    /// Times it was asked to on behalf of a returning thread.
    pub drops_for_returning: u64,
    /// The longest wait, in nanoseconds.
    pub longest_wait_ns: u64,
}

struct Queue {
    returning: VecDeque<Entry>,
    computing: VecDeque<Entry>,
    /// When the holder's turn is over, if somebody computes besides.
    turn_end: u64,
    /// When the holder got the GIL (the one before let go of it), or the first waiter came.
    held_since: u64,
    /// When the GIL last went to somebody out of the queues.
    switched_at: u64,
    holder_returned: bool,
    /// Common credit of the returning threads.
    credit: i64,
    credit_at: u64,
    stats: GilStats,
}

// SAFETY: the pointers are to states whose threads sleep in `wait_granted`; states are Sync.
unsafe impl Send for Queue {}

/// Sets how long a computing thread goes on while others wait.
pub fn set_switch_interval(interval: Duration) {
    let ns = u64::try_from(interval.as_nanos())
        .unwrap_or(u64::MAX)
        .clamp(1_000, u64::MAX / 1024);
    INTERVAL_NS.store(ns, Ordering::Relaxed);
    // Those who wait under the old interval set their alarms anew.
    let mut queue = QUEUE.lock();
    queue.turn_end = queue.turn_end.min(futex::monotonic_ns() + ns);
    let words: Vec<_> = queue
        .returning
        .iter()
        .chain(&queue.computing)
        .filter_map(nudge)
        .collect();
    drop(queue);
    words.into_iter().for_each(futex::wake_all);
}

/// `sys.getswitchinterval()`.
pub fn switch_interval() -> Duration {
    Duration::from_nanos(interval())
}

/// Counters for tests and tools.
pub fn stats() -> GilStats {
    QUEUE.lock().stats
}

/// Whether the calling thread holds the GIL.
pub fn held_by(state: &ThreadState) -> bool {
    WORD.load(Ordering::Relaxed) & !QUEUED == address(state)
}

/// Takes the GIL, as a thread that comes back from a detached region.
#[inline]
pub(crate) fn acquire(state: &ThreadState) {
    if WORD
        .compare_exchange(0, address(state), Ordering::AcqRel, Ordering::Relaxed)
        .is_err()
    {
        acquire_slow(state);
    }
}

/// Releases the GIL; hands it to the next waiter if there is one.
#[inline]
pub(crate) fn release(state: &ThreadState) {
    if COMPUTING.load(Ordering::Relaxed) == address(state) {
        COMPUTING.store(0, Ordering::Relaxed);
    }
    if WORD
        .compare_exchange(address(state), 0, Ordering::Release, Ordering::Relaxed)
        .is_err()
    {
        release_slow(state);
    }
}

/// The holder gives the GIL to whoever is next and waits for its own next turn. Does nothing if nobody waits.
#[cold]
pub(crate) fn yield_to_waiter(state: &ThreadState) {
    let saved = os_linux::errno();
    let mut queue = QUEUE.lock();
    let asked = state.poll_bits() & poll::GIL_DROP != 0;
    state.clear_poll(poll::GIL_DROP);
    let now = futex::monotonic_ns();
    queue.charge(state, now);
    let Some((next, returning)) = queue.pick(now) else {
        return;
    };
    let left = queue.turn_end.saturating_sub(now);
    let brief = queue.holder_returned && now.saturating_sub(queue.held_since) < 4 * RETURN_DELAY_NS;
    let entry = Entry {
        state,
        since: now,
        alarm: 0,
        turn: 0,
        woken: false,
    };
    if asked && brief && state.gil.credit(now) > 0 {
        // It keeps coming back for a moment, and gives way to others that do.
        queue.returning.push_back(entry);
    } else if asked && !queue.holder_returned && left >= MIN_TURN_NS {
        // Interrupted by a returning thread: the rest of the turn comes before the others' turns.
        queue.computing.push_front(Entry { turn: left, ..entry });
    } else {
        queue.computing.push_back(entry);
    }
    state.gil.granted.store(AWAKE, Ordering::Relaxed);
    state.status.store(DETACHED, Ordering::Relaxed);
    if let Some(o) = observer() {
        o.on_switch(state, GilEvent::Dropped);
    }
    let wake = queue.hand_off(next, returning, now);
    drop(queue);
    wake.run();
    let before = state.set_wait(GIL_WAIT);
    wait_granted(None, state);
    state.restore_wait(before);
    state.status.store(ATTACHED, Ordering::Relaxed);
    if let Some(o) = observer() {
        o.on_switch(state, GilEvent::Acquired);
    }
    os_linux::set_errno(saved);
}

/// In the child of a fork: nobody waits, the caller holds the GIL if it did.
pub(crate) fn after_fork_child(state: &ThreadState) {
    // SAFETY: the child has one thread, and the data is replaced at once.
    unsafe { QUEUE.reset_after_fork() };
    let old = std::mem::replace(&mut *QUEUE.lock(), Queue::new());
    // A thread that is gone may have been changing it.
    std::mem::forget(old);
    state.clear_poll(poll::GIL_DROP);
    COMPUTING.store(0, Ordering::Relaxed);
    if held_by(state) {
        WORD.store(address(state), Ordering::Relaxed);
    }
}

fn address(state: &ThreadState) -> usize {
    std::ptr::from_ref(state) as usize
}

fn interval() -> u64 {
    INTERVAL_NS.load(Ordering::Relaxed)
}

#[cold]
fn acquire_slow(state: &ThreadState) {
    let saved = os_linux::errno();
    // The holder may be about to wait for this very thread.
    if !holder_computes()
        && state.gil.patience.look_anyway(
            None,
            || matches!(WORD.load(Ordering::Relaxed), word if word == 0 || word & QUEUED != 0),
        )
        && take_if_free(state)
    {
        return;
    }
    let mut queue = QUEUE.lock();
    loop {
        if take_if_free(state) {
            return;
        }
        let word = WORD.load(Ordering::Relaxed);
        if word & !QUEUED != 0
            && (word & QUEUED != 0
                || WORD
                    .compare_exchange(word, word | QUEUED, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok())
        {
            break;
        }
    }
    debug_assert_ne!(
        WORD.load(Ordering::Relaxed) & !QUEUED,
        address(state),
        "a thread takes the GIL once"
    );
    let now = futex::monotonic_ns();
    if queue.is_empty() {
        // Without waiters nobody kept the books: the holder starts a turn now.
        if !holder_computes() {
            queue.held_since = now;
        }
        queue.switched_at = now;
        queue.turn_end = now + interval();
        queue.holder_returned = false;
    }
    let entry = Entry {
        state,
        since: now,
        alarm: 0,
        turn: 0,
        woken: state.waits_for_thread(),
    };
    if state.gil.credit(now) > 0 {
        queue.push_returning(entry);
    } else {
        queue.computing.push_back(entry);
    }
    queue.stats.waits += 1;
    state.gil.granted.store(AWAKE, Ordering::Relaxed);
    if let Some(o) = observer() {
        o.on_switch(state, GilEvent::Wait);
    }
    let before = state.set_wait(GIL_WAIT);
    wait_granted(Some(queue), state);
    state.restore_wait(before);
    if let Some(o) = observer() {
        o.on_switch(state, GilEvent::Acquired);
    }
    os_linux::set_errno(saved);
}

#[cold]
fn release_slow(state: &ThreadState) {
    let saved = os_linux::errno();
    let mut queue = QUEUE.lock();
    debug_assert_eq!(
        WORD.load(Ordering::Relaxed) & !QUEUED,
        address(state),
        "only the holder releases the GIL"
    );
    let asked = state.poll_bits() & poll::GIL_DROP != 0;
    state.clear_poll(poll::GIL_DROP);
    let now = futex::monotonic_ns();
    queue.charge(state, now);
    let wake = if asked && let Some((next, returning)) = queue.pick(now) {
        queue.hand_off(next, returning, now)
    } else {
        queue.set_free(now)
    };
    drop(queue);
    wake.run();
    if let Some(o) = observer() {
        o.on_switch(state, GilEvent::Released);
    }
    os_linux::set_errno(saved);
}

/// Whether the holder has computed since it got the GIL out of the queue.
fn holder_computes() -> bool {
    let computing = COMPUTING.load(Ordering::Relaxed);
    computing != 0 && WORD.load(Ordering::Relaxed) & !QUEUED == computing
}

/// Takes the GIL if nobody has it, whether or not others are queued.
fn take_if_free(state: &ThreadState) -> bool {
    let word = WORD.load(Ordering::Relaxed);
    word & !QUEUED == 0
        && WORD
            .compare_exchange(word, address(state) | word, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
}

/// Sleeps until the GIL is handed over or found free, and asks the holder for it when its time is up.
fn wait_granted(queue: Option<MutexGuard<'_, Queue>>, state: &ThreadState) {
    let mut guard = queue;
    let word = &state.gil.granted;
    // Who gave the GIL to another may have it back soon.
    let mut looks = guard.is_none();
    loop {
        let mut queue = guard.take().unwrap_or_else(|| QUEUE.lock());
        if word.load(Ordering::Acquire) == GRANTED {
            return;
        }
        word.store(AWAKE, Ordering::Relaxed);
        let now = futex::monotonic_ns();
        if let Some(wake) = queue.take_as_head(state, now) {
            drop(queue);
            wake.run();
            return;
        }
        let (alarm, asked) = queue.plan(state, now);
        drop(queue);
        let changed = || word.load(Ordering::Relaxed) != AWAKE;
        if alarm <= now + COMPUTING_DELAY_NS && patience::look_until(alarm, changed) {
            // Too short for sleeping.
            continue;
        }
        if std::mem::take(&mut looks) {
            state.gil.patience.look_anyway(Some(alarm), changed);
        }
        if asked {
            for _ in 0..ASKED_SPINS {
                if word.load(Ordering::Relaxed) != AWAKE {
                    break;
                }
                std::hint::spin_loop();
            }
        }
        if word
            .compare_exchange(AWAKE, ASLEEP, Ordering::Acquire, Ordering::Acquire)
            .is_ok()
        {
            futex::wait(word, ASLEEP, Some(alarm));
        }
        if word.load(Ordering::Acquire) == GRANTED {
            return;
        }
    }
}

impl GilNode {
    /// The thread's credit at `now`.
    fn credit(&self, now: u64) -> i64 {
        let grown = grow(
            self.credit.load(Ordering::Relaxed),
            self.credit_at.load(Ordering::Relaxed),
            now,
        );
        self.credit.store(grown, Ordering::Relaxed);
        self.credit_at.store(now, Ordering::Relaxed);
        grown
    }
}

/// A credit after the time from `since` to `now`: it grows with a share of it, up to one interval.
fn grow(credit: i64, since: u64, now: u64) -> i64 {
    let cap = interval() as i64;
    let earned = (now.saturating_sub(since) / SHARE).min(4 * cap as u64) as i64;
    credit.saturating_add(earned).min(cap)
}

/// Futex words to wake once the queue's lock is released.
#[derive(Clone, Copy, Default)]
struct Wake([Option<*const AtomicU32>; 3]);

impl Queue {
    const fn new() -> Self {
        Self {
            returning: VecDeque::new(),
            computing: VecDeque::new(),
            turn_end: 0,
            held_since: 0,
            switched_at: 0,
            holder_returned: false,
            credit: 1,
            credit_at: 0,
            stats: GilStats {
                waits: 0,
                to_returning: 0,
                to_computing: 0,
                drops_for_computing: 0,
                drops_for_returning: 0,
                longest_wait_ns: 0,
            },
        }
    }

    fn is_empty(&self) -> bool {
        self.returning.is_empty() && self.computing.is_empty()
    }

    /// Queues a returning thread: one that comes from the system before those that have just been woken by others, and do not ask the holder yet.
    fn push_returning(&mut self, entry: Entry) {
        let patient = |e: &&Entry| e.woken && entry.since.saturating_sub(e.since) < WOKEN_DELAY_NS;
        let behind = match entry.woken {
            true => 0,
            false => self.returning.iter().rev().take_while(patient).count(),
        };
        self.returning.insert(self.returning.len() - behind, entry);
    }

    /// Takes the next to hold the GIL out of its queue; true if it returns from a detached region.
    fn pick(&mut self, now: u64) -> Option<(Entry, bool)> {
        self.refresh_credit(now);
        if !self.returning.is_empty() && (self.credit > 0 || self.computing.is_empty()) {
            return self.returning.pop_front().map(|e| (e, true));
        }
        self.computing.pop_front().map(|e| (e, false))
    }

    /// Makes `next` the holder, in place of the caller.
    fn hand_off(&mut self, next: Entry, returning: bool, now: u64) -> Wake {
        // SAFETY: the thread of a queued state waits until it is granted, below.
        let state = unsafe { &*next.state };
        WORD.store(address(state) | self.queued_bit(), Ordering::Release);
        let mut wake = self.settle(&next, returning, now);
        let word = &state.gil.granted;
        if word.swap(GRANTED, Ordering::Release) == ASLEEP {
            wake.0[2] = Some(word);
        }
        wake
    }

    /// The holder lets go by itself: the GIL is free for anyone, the next in the queue is told.
    fn set_free(&mut self, now: u64) -> Wake {
        self.held_since = now;
        // Whoever takes it past the queue comes back from somewhere.
        self.holder_returned = true;
        self.refresh_credit(now);
        WORD.store(self.queued_bit(), Ordering::Release);
        let next = if self.credit > 0 || self.computing.is_empty() {
            self.returning.front().or(self.computing.front())
        } else {
            self.computing.front()
        };
        Wake([next.and_then(nudge), None, None])
    }

    /// Takes the GIL for a waiter that is the first of its queue and finds it free.
    fn take_as_head(&mut self, state: &ThreadState, now: u64) -> Option<Wake> {
        let is_me = |e: Option<&Entry>| e.is_some_and(|e| std::ptr::eq(e.state, state));
        let returning = is_me(self.returning.front());
        if !returning && !is_me(self.computing.front()) || !take_if_free(state) {
            return None;
        }
        let queue = if returning {
            &mut self.returning
        } else {
            &mut self.computing
        };
        let entry = queue.pop_front()?;
        // Nobody else changes the word now: it has a holder, us, and the lock is ours.
        WORD.store(address(state) | self.queued_bit(), Ordering::Release);
        Some(self.settle(&entry, returning, now))
    }

    fn queued_bit(&self) -> usize {
        if self.is_empty() { 0 } else { QUEUED }
    }

    /// Opens the books on a new holder, out of the queue.
    fn settle(&mut self, holder: &Entry, returning: bool, now: u64) -> Wake {
        self.held_since = now;
        self.switched_at = now;
        self.turn_end = now + if holder.turn != 0 { holder.turn } else { interval() };
        self.holder_returned = returning;
        COMPUTING.store(if returning { 0 } else { holder.state as usize }, Ordering::Relaxed);
        if returning {
            self.stats.to_returning += 1;
        } else {
            self.stats.to_computing += 1;
        }
        self.stats.longest_wait_ns = self.stats.longest_wait_ns.max(now.saturating_sub(holder.since));
        // The new heads may have set their alarms for a later time than they now should.
        let late = |head: Option<&Entry>, due: u64| head.filter(|e| e.alarm > due + ALARM_SLACK_NS).and_then(nudge);
        Wake([
            late(self.returning.front(), now + RETURN_DELAY_NS),
            late(self.computing.front(), self.turn_end + interval() / 4),
            None,
        ])
    }

    /// The stay of the holder ends: what it costs those who return.
    fn charge(&mut self, holder: &ThreadState, now: u64) {
        if !self.holder_returned || self.computing.is_empty() {
            return;
        }
        self.refresh_credit(now);
        let used = i64::try_from(now.saturating_sub(self.held_since) + SWITCHES_NS).unwrap_or(i64::MAX);
        self.credit -= used.min(MAX_CHARGE_NS);
        let own = holder.gil.credit(now).saturating_sub(used).max(-(interval() as i64));
        holder.gil.credit.store(own, Ordering::Relaxed);
    }

    fn refresh_credit(&mut self, now: u64) {
        self.credit = grow(self.credit, self.credit_at, now);
        self.credit_at = now;
    }

    /// What a waiter does now: asks the holder to let go if it is time; returns when to look again,
    /// and whether it asked.
    fn plan(&mut self, waiter: &ThreadState, now: u64) -> (u64, bool) {
        let interval = interval();
        let mut asked = false;
        let is_me = |e: &Entry| std::ptr::eq(e.state, waiter);
        let alarm = if let Some(place) = self.returning.iter().position(is_me) {
            let alarm = if place > 0 {
                now + place as u64 * RETURN_STEP_NS
            } else {
                self.refresh_credit(now);
                let since = self.returning[0].since;
                let mut due = if self.returning[0].woken {
                    since.max(self.held_since) + WOKEN_DELAY_NS
                } else if holder_computes() {
                    since.max(self.held_since + COMPUTING_DELAY_NS)
                } else {
                    since.max(self.held_since) + RETURN_DELAY_NS
                };
                due = due.min(since.max(self.switched_at) + PATIENCE_NS);
                if self.credit <= 0 && !self.computing.is_empty() {
                    due = due.max(now + self.credit.unsigned_abs() * SHARE + RETURN_DELAY_NS);
                }
                let due = due.min(self.turn_end.max(since + RETURN_DELAY_NS));
                if now >= due {
                    self.stats.drops_for_returning += 1;
                    asked = ask_holder();
                    now + RETURN_STEP_NS
                } else {
                    due
                }
            };
            self.returning[place].alarm = alarm;
            alarm
        } else if let Some(place) = self.computing.iter().position(is_me) {
            let alarm = if place > 0 {
                self.turn_end
                    .max(now)
                    .saturating_add((place as u64).saturating_mul(interval))
            } else if now >= self.turn_end {
                self.stats.drops_for_computing += 1;
                asked = ask_holder();
                now + interval.max(100_000)
            } else {
                self.turn_end
            };
            self.computing[place].alarm = alarm;
            alarm
        } else {
            debug_assert!(false, "a waiter for the GIL is queued");
            now + interval
        };
        (alarm.min(u64::MAX / 4), asked)
    }
}

impl Wake {
    fn run(self) {
        for word in self.0.into_iter().flatten() {
            futex::wake_all(word);
        }
    }
}

/// Tells a waiter to look at the queue; gives its futex if it sleeps. Under the queue's lock.
fn nudge(entry: &Entry) -> Option<*const AtomicU32> {
    // SAFETY: the thread of a queued state waits until it is granted or takes the GIL, both under the queue's lock.
    let word = unsafe { &(*entry.state).gil.granted };
    (word.swap(NUDGED, Ordering::Relaxed) == ASLEEP).then_some(std::ptr::from_ref(word))
}

/// Sets the holder's GIL_DROP; under the queue's lock, with the caller queued. False if there is no holder.
fn ask_holder() -> bool {
    let holder = (WORD.load(Ordering::Acquire) & !QUEUED) as *const ThreadState;
    // SAFETY: QUEUED is set, so the holder cannot release without the queue's lock, which we hold; its state is alive.
    let holder = unsafe { holder.as_ref() };
    if let Some(holder) = holder {
        holder.set_poll(poll::GIL_DROP);
    }
    holder.is_some()
}
