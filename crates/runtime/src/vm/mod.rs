//! The interpreter: per-thread context, object protocol, calls, the instruction loop.
//!
//! Invariant: a [`Vm`] belongs to one thread; `&Vm` is only had by that thread while it is attached. Everything shared
//! is in objects or in [`crate::interp`].

pub mod attributes;
pub mod cache;
pub mod call;
pub mod each;
pub mod errors;
pub mod frames;
pub mod interp;
pub mod intrinsics;
pub mod locals;
pub mod memo;
pub mod observe;
pub mod protocol;
mod spare;
pub mod stacks;
pub mod unwind;

use std::cell::{Cell, RefCell};

pub use errors::{Exc, Res};

use crate::object::{Slot, Value};
use crate::threads::ThreadState;
use cache::MethodCache;
use frames::FrameStack;

/// The context of one thread.
pub struct Vm {
    /// The thread as the scheduler sees it.
    pub thread: ThreadState,
    /// Registers and frames.
    pub(crate) frames: FrameStack,
    /// The exception being handled: `sys.exception()`.
    pub(crate) handled: Slot,
    pub(crate) method_cache: MethodCache,
    /// Depth of nested native calls that can recurse.
    pub(crate) recursion: Cell<usize>,
    pub(crate) repr_stack: RefCell<Vec<u64>>,
    /// Where this thread's values of `threading.local` objects are.
    pub(crate) locals: RefCell<locals::Words>,
    /// The current `contextvars.Context`.
    pub context: Slot,
    /// What was looked up there last.
    pub context_memo: memo::ContextMemo,
    /// Asynchronous generator hooks: first iteration, finalizer.
    pub asyncgen_hooks: [Slot; 2],
    /// Where the globals of the last function that was made have `__builtins__` and `__name__`: the dict's version, and the entries.
    pub(crate) globals_seen: Cell<(u32, [u32; 2])>,
    /// `sys.set_coroutine_origin_tracking_depth`.
    pub origin_depth: Cell<usize>,
    /// An exception that another thread asked this one to raise.
    pub async_exc: Slot,
    /// Set when the loop ends because a generator yielded.
    pub(crate) yielded: Cell<bool>,
    /// State of the pseudo-random choice of switch points (`-X switch=any`).
    pub(crate) switch_seed: Cell<u64>,
    pub(crate) switch_countdown: Cell<u32>,
    /// The instruction loop's own.
    pub(crate) running: interp::Running,
    /// Who traces, profiles or monitors the thread.
    pub(crate) observers: observe::Observers,
}

thread_local! {
    static CURRENT: Cell<*const Vm> = const { Cell::new(std::ptr::null()) };
}

impl Vm {
    /// Makes a context for the calling thread, registers and attaches the thread. It ends with [`Vm::leave_thread`].
    pub fn enter_thread(main: bool) -> &'static Vm {
        Vm::enter_thread_on(FrameStack::new(), main)
    }

    /// As [`Vm::enter_thread`], with a stack that was made before the thread.
    pub fn enter_thread_on(frames: FrameStack, main: bool) -> &'static Vm {
        let method_cache = spare::CACHES.take().unwrap_or_default();
        let vm: &'static Vm = Box::leak(Box::new(Vm {
            thread: ThreadState::new(),
            frames,
            handled: Slot::empty(),
            method_cache,
            recursion: Cell::new(0),
            repr_stack: RefCell::default(),
            locals: RefCell::default(),
            context: Slot::empty(),
            context_memo: memo::ContextMemo::default(),
            asyncgen_hooks: [Slot::empty(), Slot::empty()],
            globals_seen: Cell::new((0, [0; 2])),
            origin_depth: Cell::new(0),
            async_exc: Slot::empty(),
            yielded: Cell::new(false),
            switch_seed: Cell::new(0x9e37_79b9_7f4a_7c15),
            switch_countdown: Cell::new(1),
            running: interp::Running::default(),
            observers: observe::Observers::default(),
        }));
        // SAFETY: the context is leaked, and freed by `leave_thread` after `unregister`.
        unsafe { vm.thread.register_current(main) };
        vm.thread.set_context(std::ptr::from_ref(vm).cast_mut().cast());
        CURRENT.set(vm);
        vm.thread.attach();
        vm.refresh_watch();
        if main {
            crate::memory::collector::start();
        }
        vm
    }

    /// Ends the calling thread's context: drops what it held, merges its counts, detaches.
    pub fn leave_thread(&'static self) {
        loop {
            let mut dropped = locals::leave(self);
            dropped |= self.context_memo.forget();
            for slot in self
                .asyncgen_hooks
                .iter()
                .chain([&self.handled, &self.context, &self.async_exc])
                .chain(self.observers.slots())
            {
                let old = slot.take();
                dropped |= old.is_some();
                drop(old);
            }
            if crate::memory::leases::has_some() {
                dropped = true;
                crate::memory::leases::return_all();
            }
            crate::memory::merge::drain(self.thread.owner());
            if !dropped {
                break;
            }
        }
        crate::memory::leases::thread_exit();
        crate::memory::distributed::thread_exit();
        crate::memory::alloc::thread_exit();
        self.thread.unregister();
        CURRENT.set(std::ptr::null());
        // SAFETY: made by `Box::leak` in `enter_thread`; the thread state is unregistered and nothing refers to the context any more.
        let vm = unsafe { Box::from_raw(std::ptr::from_ref(self).cast_mut()) };
        let Vm {
            frames, method_cache, ..
        } = *vm;
        if frames.recycle() {
            spare::STACKS.put(frames);
        }
        spare::CACHES.put(method_cache);
    }

    /// The calling thread's context.
    ///
    /// # Panics
    /// On a thread that has none: only attached threads run code that needs one.
    #[inline(always)]
    pub fn current() -> &'static Vm {
        match Vm::try_current() {
            Some(vm) => vm,
            None => panic!("the thread has no interpreter context"),
        }
    }

    /// The calling thread's context, if it has one.
    #[inline(always)]
    pub fn try_current() -> Option<&'static Vm> {
        // SAFETY: set by `enter_thread`, reset by `leave_thread`, visible to this thread alone.
        unsafe { CURRENT.get().as_ref() }
    }

    /// `sys.getrecursionlimit()`.
    #[inline(always)]
    pub fn recursion_limit(&self) -> usize {
        crate::interp::recursion_limit()
    }

    /// What a finalizer must not disturb.
    pub(crate) fn take_current_error_state(&self) -> Option<Value> {
        self.handled.take()
    }

    pub(crate) fn restore_current_error_state(&self, saved: Option<Value>) {
        drop(self.handled.swap(saved));
    }

    /// Acts on what a safepoint found: signals, collection, merges, pending exceptions.
    #[cold]
    #[inline(never)]
    pub fn safepoint_slow(&self) -> Res<()> {
        use crate::threads::poll;
        let actions = self.thread.safepoint_slow();
        if actions.is_empty() {
            return Ok(());
        }
        if actions.contains(poll::MERGE) {
            self.thread.clear_poll(poll::MERGE);
            crate::memory::leases::return_all();
            crate::memory::merge::drain(self.thread.owner());
        }
        if actions.contains(poll::GC) {
            self.thread.clear_poll(poll::GC);
            crate::memory::collector::run_automatic(self);
        }
        if actions.contains(poll::OBSERVE) {
            self.refresh_watch();
        }
        if actions.contains(poll::REFILL) && crate::memory::reserve::refill() {
            self.thread.clear_poll(poll::REFILL);
        }
        if actions.contains(poll::MEMORY) {
            self.thread.clear_poll(poll::MEMORY);
            return Err(self.memory_error());
        }
        if actions.contains(poll::PENDING_CALL) {
            self.thread.clear_poll(poll::PENDING_CALL);
        }
        if actions.contains(poll::ASYNC_EXC) {
            self.thread.clear_poll(poll::ASYNC_EXC);
            if let Some(exc) = self.async_exc.take() {
                return Err(self.exception_from_class_or_instance(&exc)?);
            }
        }
        if actions.contains(poll::SIGNAL) {
            self.thread.clear_poll(poll::SIGNAL);
            crate::interp::handle_signals(self)?;
        }
        Ok(())
    }

    /// The check at backward jumps, calls and returns from detached regions.
    #[inline(always)]
    pub fn safepoint(&self) -> Res<()> {
        if self.thread.poll_bits() != 0 {
            self.safepoint_slow()
        } else {
            Ok(())
        }
    }

    /// Runs `f` detached: for whatever blocks or computes long without objects.
    pub fn detached<R>(&self, f: impl FnOnce() -> R) -> R {
        self.thread.detached(f)
    }
}
