//! The state of one thread: attached or not, its poll word, what it waits for.
//!
//! Invariant: `status` goes Detached <-> Attached by the thread itself; only a stop-the-world (or a merge on the
//! thread's behalf) makes it Suspended, and only that undoes it. In GIL mode the status only mirrors the GIL.
//! `poll` bits are set by anyone who may look at the state, and cleared by the thread, except STOP, which goes
//! under the registry's lock, and GIL_DROP, which goes under the GIL's.

use super::gil::{self, GilNode};
use super::observer::observer;
use super::parking::{ParkReason, WaitFor};
use super::patience::Patience;
use super::{lot, registry, sleep};
use crate::memory::header::Hand;
use crate::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use crate::sync::biased::{self, Seat};
use crate::sync::{free_threaded, futex, mutex::held, os_linux, spin_hint};
use std::cell::Cell;
use std::marker::PhantomPinned;

/// The bits of a thread's poll word.
pub mod poll {
    /// Give up the GIL.
    pub const GIL_DROP: u32 = 1 << 0;
    /// A signal waits for its Python handler (main thread only).
    pub const SIGNAL: u32 = 1 << 1;
    /// A collection is due.
    pub const GC: u32 = 1 << 2;
    /// Stop for a stop-the-world.
    pub const STOP: u32 = 1 << 3;
    /// Reference counts wait to be merged by their owner.
    pub const MERGE: u32 = 1 << 4;
    /// An exception was set for this thread.
    pub const ASYNC_EXC: u32 = 1 << 5;
    /// A call waits to be made by this thread.
    pub const PENDING_CALL: u32 = 1 << 6;
    /// The thread is traced, profiled or runs under a controlled scheduler; stays set.
    pub const OBSERVE: u32 = 1 << 7;
    /// The interpreter is finalizing: hang.
    pub const EXIT: u32 = 1 << 8;
    /// The system refused memory: raise `MemoryError`.
    pub const MEMORY: u32 = 1 << 9;
    /// The reserve of memory is to be taken again; stays set until it could be.
    pub const REFILL: u32 = 1 << 10;

    /// What ends an interruptible wait.
    pub const INTERRUPTS: u32 = SIGNAL | ASYNC_EXC;
    /// What `safepoint_slow` handles itself.
    pub(crate) const OWN: u32 = GIL_DROP | STOP | EXIT;
}

/// Poll bits the interpreter must act upon; each stays set until [`ThreadState::clear_poll`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SafepointActions(pub u32);

impl SafepointActions {
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[inline]
    pub fn contains(self, bit: u32) -> bool {
        self.0 & bit != 0
    }
}

/// Whether a thread may touch objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ThreadStatus {
    Detached = 0,
    Attached = 1,
    Suspended = 2,
}

pub(crate) const DETACHED: u32 = ThreadStatus::Detached as u32;
pub(crate) const ATTACHED: u32 = ThreadStatus::Attached as u32;
pub(crate) const SUSPENDED: u32 = ThreadStatus::Suspended as u32;

/// So often a suspended thread looks whether it may attach before it sleeps.
const SPINS: u32 = 128;

/// One thread, as the runtime sees it. Embedded in the per-thread context; registered in place.
#[derive(Debug)]
pub struct ThreadState {
    poll: AtomicU32,
    /// Also a futex: a suspended thread that wants to attach sleeps on it.
    pub(crate) status: AtomicU32,
    /// Whether it may be sleeping there.
    sleeps: AtomicBool,
    /// The futex word of `parking`; see `lot` for its states.
    pub(crate) park_word: AtomicU32,
    /// Its owner id is set at registration.
    pub(crate) hand: Hand,
    /// The thread's seat for the locks of its own objects, where handlers read it without a call.
    seat: AtomicPtr<Seat>,
    /// Set at registration, constant afterwards (`native_id` changes over a fork).
    serial: AtomicU64,
    ident: AtomicU64,
    native_id: AtomicU32,
    is_main: AtomicBool,
    is_daemon: AtomicBool,
    registered: AtomicBool,
    /// What the thread waits for: written by the thread, read by anyone who may look at the state.
    wait_reason: AtomicU32,
    wait_object: AtomicU64,
    wait_since_ns: AtomicU64,
    /// For whoever embeds the state: a way back to the whole.
    context: AtomicPtr<()>,
    pub(crate) gil: GilNode,
    /// How long the thread looks before it sleeps in a park; its own.
    pub(crate) patience: Patience,
    _pinned: PhantomPinned,
}

thread_local! {
    static CURRENT: Cell<*const ThreadState> = const { Cell::new(std::ptr::null()) };
}

impl ThreadState {
    pub const fn new() -> Self {
        Self {
            poll: AtomicU32::new(0),
            status: AtomicU32::new(DETACHED),
            sleeps: AtomicBool::new(false),
            park_word: AtomicU32::new(lot::IDLE),
            hand: Hand::new(),
            seat: AtomicPtr::new(std::ptr::from_ref(biased::NOWHERE).cast_mut()),
            serial: AtomicU64::new(0),
            ident: AtomicU64::new(0),
            native_id: AtomicU32::new(0),
            is_main: AtomicBool::new(false),
            is_daemon: AtomicBool::new(false),
            registered: AtomicBool::new(false),
            wait_reason: AtomicU32::new(0),
            wait_object: AtomicU64::new(0),
            wait_since_ns: AtomicU64::new(0),
            context: AtomicPtr::new(std::ptr::null_mut()),
            gil: GilNode::new(),
            patience: Patience::new(),
            _pinned: PhantomPinned,
        }
    }

    /// The calling thread's state, if it is registered.
    #[inline(always)]
    pub fn current() -> Option<&'static ThreadState> {
        let ptr = CURRENT.get();
        // SAFETY: set by `register_current`, whose caller keeps the state in place until `unregister`, and only
        // visible to this thread; nobody keeps the reference past `unregister`.
        unsafe { ptr.as_ref() }
    }

    /// Makes this the calling thread's state, detached; waits for a stop-the-world under way to end.
    ///
    /// # Safety
    /// The state stays in place until `unregister` was called by this thread. No reference from [`ThreadState::current`] is
    /// kept past that.
    pub unsafe fn register_current(&self, main: bool) {
        assert!(CURRENT.get().is_null(), "a thread registers one state");
        assert!(
            !self.registered.swap(true, Ordering::Relaxed),
            "a state is registered once"
        );
        self.serial.store(super::serial(), Ordering::Relaxed);
        self.ident.store(os_linux::thread_ident(), Ordering::Relaxed);
        self.native_id.store(os_linux::gettid(), Ordering::Relaxed);
        self.is_main.store(main, Ordering::Relaxed);
        self.status.store(DETACHED, Ordering::Relaxed);
        let owner = registry::insert(self);
        self.hand.set_owner(owner);
        // SAFETY: there are none.
        unsafe { self.hand.set_entries(None) };
        super::OWNER.set(owner);
        self.take_seat();
        CURRENT.set(self);
        super::stack::stack_limit();
        if main {
            super::signals::set_main(Some(self));
        }
    }

    /// Ends the calling thread's life as a Python thread, attached (the GIL is released) or detached.
    /// Its reference counts must have been merged: the owner id may go to a new thread.
    pub fn unregister(&self) {
        assert!(std::ptr::eq(CURRENT.get(), self), "a thread unregisters its own state");
        held::assert_none("unregister");
        if self.is_main() {
            super::signals::set_main(None);
        }
        self.seat
            .store(std::ptr::from_ref(biased::NOWHERE).cast_mut(), Ordering::Relaxed);
        biased::leave();
        registry::remove(self);
        CURRENT.set(std::ptr::null());
        super::OWNER.set(0);
        self.registered.store(false, Ordering::Relaxed);
    }

    #[inline]
    pub fn owner(&self) -> u32 {
        self.hand.owner()
    }

    /// Takes a seat for the locks of the calling thread's own objects, if there is one and threads run in parallel.
    pub(super) fn take_seat(&self) {
        let seat = biased::take(self.owner());
        self.seat.store(std::ptr::from_ref(seat).cast_mut(), Ordering::Relaxed);
    }

    /// The calling thread's seat.
    #[inline(always)]
    pub(crate) fn seat(&self) -> &'static Seat {
        // SAFETY: one of the seats, which are static.
        unsafe { &*self.seat.load(Ordering::Relaxed) }
    }

    #[inline]
    pub fn serial(&self) -> u64 {
        self.serial.load(Ordering::Relaxed)
    }

    /// `threading.get_ident()`.
    #[inline]
    pub fn ident(&self) -> u64 {
        self.ident.load(Ordering::Relaxed)
    }

    /// `threading.get_native_id()`.
    #[inline]
    pub fn native_id(&self) -> u32 {
        self.native_id.load(Ordering::Relaxed)
    }

    pub(crate) fn refresh_native_id(&self) {
        self.native_id.store(os_linux::gettid(), Ordering::Relaxed);
        self.ident.store(os_linux::thread_ident(), Ordering::Relaxed);
    }

    #[inline]
    pub fn is_main(&self) -> bool {
        self.is_main.load(Ordering::Relaxed)
    }

    /// In the child of a fork the forking thread is the main one.
    pub(crate) fn make_main(&self) {
        self.is_main.store(true, Ordering::Relaxed);
        super::signals::set_main(Some(self));
    }

    pub fn is_daemon(&self) -> bool {
        self.is_daemon.load(Ordering::Relaxed)
    }

    pub fn set_daemon(&self, daemon: bool) {
        self.is_daemon.store(daemon, Ordering::Relaxed);
    }

    /// The embedder's pointer; null until set.
    pub fn context(&self) -> *mut () {
        self.context.load(Ordering::Acquire)
    }

    pub fn set_context(&self, context: *mut ()) {
        self.context.store(context, Ordering::Release);
    }

    pub fn status(&self) -> ThreadStatus {
        match self.status.load(Ordering::Acquire) {
            ATTACHED => ThreadStatus::Attached,
            SUSPENDED => ThreadStatus::Suspended,
            _ => ThreadStatus::Detached,
        }
    }

    #[inline]
    pub fn is_attached(&self) -> bool {
        self.status.load(Ordering::Relaxed) == ATTACHED
    }

    /// The poll word itself, for the interpreter's loop: non-zero means call [`ThreadState::safepoint_slow`].
    #[inline(always)]
    pub fn poll_word(&self) -> &AtomicU32 {
        &self.poll
    }

    #[inline(always)]
    pub fn poll_bits(&self) -> u32 {
        self.poll.load(Ordering::Relaxed)
    }

    /// Asks for something at the thread's next safepoint.
    #[inline]
    pub fn set_poll(&self, bits: u32) {
        self.poll.fetch_or(bits, Ordering::SeqCst);
    }

    /// Takes bits back: before acting upon them, so that a new request is not lost.
    #[inline]
    pub fn clear_poll(&self, bits: u32) {
        self.poll.fetch_and(!bits, Ordering::AcqRel);
    }

    /// Sets bits and wakes the thread from an interruptible park. Safe in a signal handler.
    pub fn interrupt(&self, bits: u32) {
        self.set_poll(bits);
        sleep::interrupt(&self.park_word);
    }

    /// What the thread waits for, and since when (monotonic nanoseconds).
    pub fn waiting_for(&self) -> Option<(ParkReason, u64, u64)> {
        match self.wait_reason.load(Ordering::Acquire) {
            0 => None,
            reason => Some((
                ParkReason::from_u32(reason),
                self.wait_object.load(Ordering::Relaxed),
                self.wait_since_ns.load(Ordering::Relaxed),
            )),
        }
    }

    /// Whether the thread waits, or comes back from waiting, for another thread of the program.
    pub(crate) fn waits_for_thread(&self) -> bool {
        use ParkReason::*;
        matches!(
            ParkReason::from_u32(self.wait_reason.load(Ordering::Relaxed)),
            Lock | RLock | Condition | Event | Semaphore | Barrier | Join | Queue
        )
    }

    /// Puts a wait on record; returns what was there, for [`ThreadState::restore_wait`]: a park that ends may have
    /// to wait for the GIL.
    pub(crate) fn set_wait(&self, wait: WaitFor) -> (u32, u64, u64) {
        let before = (
            self.wait_reason.load(Ordering::Relaxed),
            self.wait_object.load(Ordering::Relaxed),
            self.wait_since_ns.load(Ordering::Relaxed),
        );
        self.wait_object.store(wait.object, Ordering::Relaxed);
        self.wait_since_ns.store(futex::monotonic_ns(), Ordering::Relaxed);
        self.wait_reason.store(wait.reason as u32, Ordering::Release);
        before
    }

    pub(crate) fn restore_wait(&self, (reason, object, since): (u32, u64, u64)) {
        self.wait_object.store(object, Ordering::Relaxed);
        self.wait_since_ns.store(since, Ordering::Relaxed);
        self.wait_reason.store(reason, Ordering::Release);
    }

    pub(crate) fn clear_wait(&self) {
        self.wait_reason.store(0, Ordering::Release);
    }

    /// Makes the calling thread one that may touch objects; takes the GIL. Keeps errno. Never returns to a thread
    /// other than the finalizing one once the interpreter finalizes.
    #[inline]
    pub fn attach(&self) {
        if free_threaded() {
            if self
                .status
                .compare_exchange(DETACHED, ATTACHED, Ordering::Acquire, Ordering::Relaxed)
                .is_err()
            {
                self.attach_slow();
            }
        } else {
            gil::acquire(self);
            self.status.store(ATTACHED, Ordering::Relaxed);
            if registry::must_hang(self) {
                self.hang_attached();
            }
        }
    }

    /// Gives up the right to touch objects; releases the GIL. Keeps errno.
    #[inline]
    pub fn detach(&self) {
        held::assert_none("detach");
        debug_assert!(self.is_attached(), "only an attached thread detaches");
        if free_threaded() {
            self.status.store(DETACHED, Ordering::SeqCst);
            // A stopper sets STOP, then looks at the status; we set the status, then look at STOP.
            if self.poll.load(Ordering::SeqCst) & poll::STOP != 0 {
                registry::stopped_by_detaching(self);
            }
        } else {
            self.status.store(DETACHED, Ordering::Relaxed);
            gil::release(self);
        }
    }

    /// Runs `f` detached: for whatever blocks or computes long without objects.
    #[inline]
    pub fn detached<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Reattach<'a>(&'a ThreadState);
        impl Drop for Reattach<'_> {
            fn drop(&mut self) {
                self.0.attach();
            }
        }
        if crate::memory::leases::has_some() {
            crate::memory::leases::return_all();
        }
        self.detach();
        if self.poll.load(Ordering::SeqCst) & poll::MERGE != 0 {
            self.merge_before_blocking();
        }
        let _reattach = Reattach(self);
        f()
    }

    /// Merges the counts that others asked for before the thread detached; from then on they do it on its behalf. May run finalizers.
    #[cold]
    fn merge_before_blocking(&self) {
        while self.poll.load(Ordering::SeqCst) & poll::MERGE != 0 {
            self.attach();
            self.clear_poll(poll::MERGE);
            crate::memory::merge::drain(self.owner());
            self.detach();
        }
    }

    /// [`ThreadState::detached`] with a reason on record, for a blocking system call.
    pub fn detached_for<R>(&self, wait: impl Into<WaitFor>, f: impl FnOnce() -> R) -> R {
        let wait = wait.into();
        self.set_wait(wait);
        if let Some(o) = observer() {
            o.on_block(self, wait);
        }
        let result = self.detached(f);
        self.clear_wait();
        if let Some(o) = observer() {
            o.on_unblock(self, wait);
        }
        result
    }

    /// The check at backward jumps, calls and returns from detached regions.
    #[inline(always)]
    pub fn safepoint(&self) -> SafepointActions {
        if self.poll.load(Ordering::Relaxed) == 0 {
            SafepointActions(0)
        } else {
            self.safepoint_slow()
        }
    }

    /// Gives up the GIL or stops if asked to; returns the bits left for the interpreter to act upon.
    #[cold]
    #[inline(never)]
    pub fn safepoint_slow(&self) -> SafepointActions {
        held::assert_none("safepoint");
        loop {
            let bits = self.poll.load(Ordering::Acquire);
            if bits & poll::OWN == 0 {
                return SafepointActions(bits);
            }
            if registry::must_hang(self) {
                self.hang_attached();
            }
            if bits & poll::EXIT != 0 {
                self.clear_poll(poll::EXIT);
            }
            if bits & poll::STOP != 0 {
                registry::stop_at_safepoint(self);
            }
            if bits & poll::GIL_DROP != 0 {
                gil::yield_to_waiter(self);
            }
        }
    }

    /// Lets other threads run now, if any wants to: `time.sleep(0)` and the like.
    pub fn yield_now(&self) {
        if free_threaded() {
            self.detached(os_linux::sched_yield);
        } else {
            gil::yield_to_waiter(self);
            if registry::must_hang(self) {
                self.hang_attached();
            }
        }
    }

    /// Lets the thread, which another has suspended, attach again.
    pub(crate) fn end_suspension(&self) {
        let suspended = self
            .status
            .compare_exchange(SUSPENDED, DETACHED, Ordering::SeqCst, Ordering::Relaxed)
            .is_ok();
        // The thread says that it sleeps before it looks at the status, in one order with this: `attach_slow`.
        if suspended && self.sleeps.load(Ordering::SeqCst) {
            futex::wake_all(&self.status);
        }
    }

    fn try_attach(&self) -> Result<u32, u32> {
        self.status
            .compare_exchange(DETACHED, ATTACHED, Ordering::SeqCst, Ordering::SeqCst)
    }

    #[cold]
    fn attach_slow(&self) {
        // Who acts for this thread alone does so for a moment.
        for _ in 0..SPINS {
            if self.try_attach().is_ok() {
                return;
            }
            spin_hint();
        }
        let saved = os_linux::errno();
        let wait = WaitFor::new(ParkReason::StopTheWorld, 0).uninterruptible();
        let before = self.set_wait(wait);
        if let Some(o) = observer() {
            o.on_block(self, wait);
        }
        self.sleeps.store(true, Ordering::SeqCst);
        loop {
            match self.try_attach() {
                Ok(_) => break,
                Err(ATTACHED) => unreachable!("a thread attaches once"),
                Err(now) => {
                    futex::wait(&self.status, now, None);
                }
            }
        }
        self.sleeps.store(false, Ordering::Relaxed);
        self.restore_wait(before);
        if let Some(o) = observer() {
            o.on_unblock(self, wait);
        }
        os_linux::set_errno(saved);
    }

    /// A daemon thread at the end of the program: it lets go of the GIL and sleeps until the process is gone. It
    /// is never unwound, so nothing it holds is dropped under a runtime that is being taken down.
    #[cold]
    fn hang_attached(&self) -> ! {
        if free_threaded() {
            registry::hang_free(self);
        } else {
            self.status.store(DETACHED, Ordering::Relaxed);
            gil::release(self);
        }
        hang_forever()
    }
}

impl Default for ThreadState {
    fn default() -> Self {
        Self::new()
    }
}

/// Sleeps until the process ends.
pub(crate) fn hang_forever() -> ! {
    static NEVER: AtomicU32 = AtomicU32::new(0);
    loop {
        futex::wait(&NEVER, 0, None);
    }
}

/// Runs `f` detached if the calling thread is attached, as it is otherwise.
pub fn detached<R>(f: impl FnOnce() -> R) -> R {
    match ThreadState::current() {
        Some(t) if t.is_attached() => t.detached(f),
        _ => f(),
    }
}
