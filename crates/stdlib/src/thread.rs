//! `_thread`: locks, threads, thread-locals.
//!
//! Invariant: everything that waits does so in `threads::parking`, interruptible by signals in the main thread.
//! Left out: `_excepthook` details belong to `threading`; the low-level one prints through `sys.unraisablehook`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use lisle_runtime::intern;
use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::{Args, Py, Res, Slot, Str, Type, Value, Vm, pyclass, pymethods, pymodule};
use lisle_runtime::object::Native;
use lisle_runtime::threads::spawn::Number;
use lisle_runtime::threads::{AcquireResult, HandleDone, RawLock, RawRLock};
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::struct_seq::StructSeqDef;
use lisle_runtime::types::tuple::Tuple;
use lisle_runtime::vm::frames::FrameStack;
use lisle_runtime::vm::locals::PerThread;

/// What `threading.excepthook` gets.
static HOOK_ARGS: StructSeqDef = StructSeqDef::new(
    "_ExceptHookArgs",
    "_thread",
    "ExceptHookArgs\n\nType used to pass arguments to threading.excepthook.",
    &[
        ("exc_type", "Exception type"),
        ("exc_value", "Exception value"),
        ("exc_traceback", "Exception traceback"),
        ("thread", "Thread"),
    ],
    4,
);

/// The longest timeout, in seconds.
pub const TIMEOUT_MAX: f64 = 9_223_372_036.0;

static STACK_SIZE: AtomicUsize = AtomicUsize::new(0);
static RUNNING: AtomicI64 = AtomicI64::new(0);
/// Threads that the end of the program waits for.
static WAITED_FOR: lisle_runtime::sync::Mutex<Vec<Arc<Shared>>> = lisle_runtime::sync::Mutex::new(Vec::new());

/// The deadline for `blocking` and `timeout` of an `acquire`: `Ok(None)` for no limit, `Ok(Some(None))` for not waiting.
fn deadline(vm: &Vm, blocking: bool, timeout: Option<&Value>) -> Res<Option<Option<Instant>>> {
    let seconds = match timeout {
        None => -1.0,
        Some(v) => match v.as_exact_float() {
            Some(x) => x,
            None => match v.as_small_int() {
                Some(i) => i as f64,
                None => {
                    let f = vm.call_special(v, intern!("__float__"), &[])?;
                    f.as_exact_float().unwrap_or(-1.0)
                }
            },
        },
    };
    if !blocking && seconds != -1.0 {
        return Err(vm.value_error("can't specify a timeout for a non-blocking call"));
    }
    if seconds < 0.0 && seconds != -1.0 {
        return Err(vm.value_error("timeout value must be a non-negative number"));
    }
    if seconds.is_nan() {
        return Err(vm.value_error("Invalid value NaN (not a number)"));
    }
    if seconds > TIMEOUT_MAX {
        return Err(vm.overflow_error("timeout value is too large"));
    }
    Ok(if !blocking {
        Some(None)
    } else if seconds == -1.0 {
        None
    } else {
        Some(Some(Instant::now() + Duration::from_secs_f64(seconds)))
    })
}

/// Waits with `acquire` until it succeeds or times out, running signal handlers in between.
fn acquire(
    vm: &Vm,
    limit: Option<Option<Instant>>,
    try_it: impl Fn() -> bool,
    wait: impl Fn(Option<Instant>) -> AcquireResult,
) -> Res<bool> {
    if try_it() {
        return Ok(true);
    }
    let until = match limit {
        Some(None) => return Ok(false),
        Some(some) => some,
        None => None,
    };
    loop {
        match wait(until) {
            AcquireResult::Acquired => return Ok(true),
            AcquireResult::TimedOut => return Ok(false),
            AcquireResult::Interrupted => vm.safepoint()?,
        }
    }
}

/// A lock object is a synchronization primitive.
#[pyclass(
    name = "lock",
    late_end,
    module = "_thread",
    weakref,
    gc = false,
    doc = "A lock object is a synchronization primitive.  To create a lock,\ncall threading.Lock()."
)]
pub struct Lock {
    raw: RawLock,
}

#[pymethods]
impl Lock {
    #[slot(sig = "()")]
    fn __new__(_vm: &Vm, cls: &Py<Type>) -> Res<Value> {
        Ok(Py::with_class(cls, Lock { raw: RawLock::new() }).into_value())
    }

    /// Lock the lock.
    #[pymethod(sig = "($self, /, blocking=True, timeout=-1)")]
    fn acquire(vm: &Vm, this: &Py<Lock>, blocking: Option<bool>, timeout: Option<&Value>) -> Res<bool> {
        let blocking = blocking.unwrap_or(true);
        if blocking && timeout.is_none() && this.raw.try_acquire() {
            return Ok(true);
        }
        let limit = deadline(vm, blocking, timeout)?;
        acquire(
            vm,
            limit,
            || this.raw.try_acquire(),
            |until| this.raw.acquire(until, true),
        )
    }

    /// An obsolete synonym of acquire().
    #[pymethod(sig = "($self, /, blocking=True, timeout=-1)")]
    fn acquire_lock(vm: &Vm, this: &Py<Lock>, blocking: Option<bool>, timeout: Option<&Value>) -> Res<bool> {
        Lock::acquire(vm, this, blocking, timeout)
    }

    /// Release the lock, allowing another thread that is blocked waiting for
    /// the lock to acquire the lock.  The lock must be in the locked state,
    /// but it needn't be locked by the same thread that unlocks it.
    #[pymethod(sig = "($self, /)")]
    fn release(vm: &Vm, this: &Py<Lock>) -> Res<()> {
        if this.raw.release() {
            Ok(())
        } else {
            Err(vm.runtime_error("release unlocked lock"))
        }
    }

    /// An obsolete synonym of release().
    #[pymethod(sig = "($self, /)")]
    fn release_lock(vm: &Vm, this: &Py<Lock>) -> Res<()> {
        Lock::release(vm, this)
    }

    /// Return whether the lock is in the locked state.
    #[pymethod(sig = "($self, /)")]
    fn locked(_: &Vm, this: &Py<Lock>) -> bool {
        this.raw.is_locked()
    }

    /// An obsolete synonym of locked().
    #[pymethod(sig = "($self, /)")]
    fn locked_lock(_: &Vm, this: &Py<Lock>) -> bool {
        this.raw.is_locked()
    }

    /// Lock the lock.
    #[pymethod(sig = "($self, /)")]
    fn __enter__(vm: &Vm, this: &Py<Lock>) -> Res<bool> {
        acquire(
            vm,
            None,
            || this.raw.try_acquire(),
            |until| this.raw.acquire(until, true),
        )
    }

    /// Release the lock.
    #[pymethod(sig = "($self, /, *exc_info)")]
    fn __exit__(vm: &Vm, this: &Py<Lock>, _exc_info: &[Value]) -> Res<()> {
        Lock::release(vm, this)
    }

    #[pymethod(sig = "($self, /)")]
    fn _at_fork_reinit(_: &Vm, this: &Py<Lock>) {
        this.raw.reset_after_fork();
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<Lock>) -> String {
        let state = if this.raw.is_locked() { "locked" } else { "unlocked" };
        format!("<{state} _thread.lock object at {:#x}>", this.as_ptr() as usize)
    }
}

/// A lock that its owner may take again.
#[pyclass(name = "RLock", late_end, module = "_thread", basetype, weakref, gc = false)]
pub struct RLock {
    raw: RawRLock,
}

#[pymethods]
impl RLock {
    #[slot]
    fn __new__(_vm: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(cls, RLock { raw: RawRLock::new() }).into_value())
    }

    /// Lock the lock.
    #[pymethod(sig = "($self, /, blocking=True, timeout=-1)")]
    fn acquire(vm: &Vm, this: &Py<RLock>, blocking: Option<bool>, timeout: Option<&Value>) -> Res<bool> {
        let limit = deadline(vm, blocking.unwrap_or(true), timeout)?;
        acquire(
            vm,
            limit,
            || this.raw.try_acquire(),
            |until| this.raw.acquire(until, true),
        )
    }

    /// Release the lock.
    #[pymethod(sig = "($self, /)")]
    fn release(vm: &Vm, this: &Py<RLock>) -> Res<()> {
        if this.raw.release() {
            Ok(())
        } else {
            Err(vm.runtime_error("cannot release un-acquired lock"))
        }
    }

    /// Return a boolean indicating whether this object is locked right now.
    #[pymethod(sig = "($self, /)")]
    fn locked(_: &Vm, this: &Py<RLock>) -> bool {
        this.raw.is_locked()
    }

    /// Lock the lock.
    #[pymethod(sig = "($self, /)")]
    fn __enter__(vm: &Vm, this: &Py<RLock>) -> Res<bool> {
        acquire(
            vm,
            None,
            || this.raw.try_acquire(),
            |until| this.raw.acquire(until, true),
        )
    }

    /// Release the lock.
    #[pymethod(sig = "($self, /, *exc_info)")]
    fn __exit__(vm: &Vm, this: &Py<RLock>, _exc_info: &[Value]) -> Res<()> {
        RLock::release(vm, this)
    }

    /// For internal use by `threading.Condition`.
    #[pymethod(sig = "($self, /)")]
    fn _is_owned(_: &Vm, this: &Py<RLock>) -> bool {
        this.raw.is_owned()
    }

    /// For internal use by reentrancy tests.
    #[pymethod(sig = "($self, /)")]
    fn _recursion_count(_: &Vm, this: &Py<RLock>) -> usize {
        if this.raw.is_owned() { this.raw.count() } else { 0 }
    }

    /// For internal use by `threading.Condition`.
    #[pymethod(sig = "($self, /)")]
    fn _release_save(vm: &Vm, this: &Py<RLock>) -> Res<Value> {
        let owner = this.raw.holder().unwrap_or(0);
        match this.raw.save() {
            Some(count) => Ok(Tuple::new(vec![Value::usize(count), Value::usize(owner as usize)]).into_value()),
            None => Err(vm.runtime_error("cannot release un-acquired lock")),
        }
    }

    /// For internal use by `threading.Condition`.
    #[pymethod(sig = "($self, state, /)")]
    fn _acquire_restore(vm: &Vm, this: &Py<RLock>, state: &Value) -> Res<()> {
        let count = match state.downcast::<Tuple>().map(|t| t.as_slice().to_vec()).as_deref() {
            Some([count, _]) => vm.index_to_isize(count)?,
            _ => return Err(vm.type_error("_acquire_restore() argument 1 must be a 2-item tuple")),
        };
        acquire(
            vm,
            None,
            || this.raw.try_acquire(),
            |until| this.raw.acquire(until, true),
        )?;
        for _ in 1..count.max(1) {
            this.raw.try_acquire();
        }
        Ok(())
    }

    #[pymethod(sig = "($self, /)")]
    fn _at_fork_reinit(_: &Vm, this: &Py<RLock>) {
        this.raw.reset_after_fork();
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<RLock>) -> String {
        let state = if this.raw.is_locked() { "locked" } else { "unlocked" };
        format!(
            "<{state} {} object owner={} count={} at {:#x}>",
            lisle_runtime::types::object::qualified_name(this.class()),
            this.raw.holder().unwrap_or(0),
            this.raw.count(),
            this.as_ptr() as usize
        )
    }
}

/// What a handle and its thread share.
struct Shared {
    done: HandleDone,
    ident: AtomicU64,
    /// 0 not started, 1 starting, 2 running, 3 done.
    state: AtomicU64,
}

/// A joinable thread.
#[pyclass(name = "_ThreadHandle", module = "_thread", weakref, gc = false)]
pub struct ThreadHandle {
    shared: Opaque<Arc<Shared>>,
    /// While it is held, the native id is not another thread's: `threading.Thread` keeps both.
    number: Opaque<Arc<()>>,
}

fn new_shared() -> Arc<Shared> {
    Arc::new(Shared {
        done: HandleDone::new(),
        ident: AtomicU64::new(0),
        state: AtomicU64::new(0),
    })
}

#[pymethods]
impl ThreadHandle {
    #[slot(sig = "()")]
    fn __new__(_vm: &Vm, cls: &Py<Type>) -> Res<Value> {
        Ok(Py::with_class(
            cls,
            ThreadHandle {
                shared: Opaque(new_shared()),
                number: Opaque(Arc::default()),
            },
        )
        .into_value())
    }

    #[getter]
    fn ident(_: &Vm, this: &Py<ThreadHandle>) -> Option<Value> {
        match this.shared.ident.load(Relaxed) {
            0 => None,
            n => Some(Value::usize(n as usize)),
        }
    }

    #[pymethod(sig = "($self, timeout=None, /)")]
    fn join(vm: &Vm, this: &Py<ThreadHandle>, timeout: Option<&Value>) -> Res<()> {
        let shared = &this.shared;
        if shared.state.load(Relaxed) == 0 {
            return Err(vm.runtime_error("thread not started"));
        }
        // The system gives the ident of a thread that has ended to another.
        if shared.ident.load(Relaxed) == vm.thread.ident() && !shared.done.is_done() {
            return Err(vm.runtime_error("Cannot join current thread"));
        }
        let limit = match timeout {
            Some(t) if t.as_exact_float().is_some_and(|x| x < 0.0) || t.as_small_int().is_some_and(|x| x < 0) => None,
            other => deadline(vm, true, other)?,
        };
        let until = limit.flatten();
        loop {
            match shared.done.join(shared.ident.load(Relaxed), until, true) {
                AcquireResult::Interrupted => vm.safepoint()?,
                _ => return Ok(()),
            }
        }
    }

    #[pymethod(sig = "($self, /)")]
    fn is_done(_: &Vm, this: &Py<ThreadHandle>) -> bool {
        this.shared.done.is_done()
    }

    #[pymethod(sig = "($self, /)")]
    fn _set_done(vm: &Vm, this: &Py<ThreadHandle>) -> Res<()> {
        if this.shared.state.load(Relaxed) == 0 {
            return Err(vm.runtime_error("thread not started"));
        }
        this.shared.done.set();
        Ok(())
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<ThreadHandle>) -> String {
        format!("<_ThreadHandle object: ident={}>", this.shared.ident.load(Relaxed))
    }
}

/// Starts a thread that calls `function(*args, **kwargs)`; its native id is not another's while `number` is held.
fn start(
    vm: &Vm,
    function: Value,
    args: Vec<Value>,
    kwargs: Option<Py<Dict>>,
    shared: Arc<Shared>,
    number: Number,
    daemon: bool,
) -> Res<u64> {
    let mine = shared.clone();
    if shared.state.compare_exchange(0, 1, Relaxed, Relaxed).is_err() {
        return Err(vm.runtime_error("thread already started"));
    }
    if lisle_runtime::threads::is_finalizing() {
        shared.state.store(0, Relaxed);
        return Err(vm.exception_with(
            &lisle_runtime::types::exceptions::PYTHON_FINALIZATION_ERROR,
            "can't create new thread at interpreter shutdown",
        ));
    }
    let Some(frames) = FrameStack::try_new() else {
        shared.state.store(0, Relaxed);
        return Err(vm.runtime_error("can't start new thread"));
    };
    RUNNING.fetch_add(1, Relaxed);
    keep(&shared);
    if !daemon {
        WAITED_FOR.lock().push(shared.clone());
    }
    let spawned = lisle_runtime::threads::spawn(STACK_SIZE.load(Relaxed), number, move || {
        let vm = Vm::enter_thread_on(frames, false);
        vm.thread.set_daemon(daemon);
        mine.ident.store(vm.thread.ident(), Relaxed);
        mine.state.store(2, Relaxed);
        let result = match &kwargs {
            Some(kwargs) => vm.call_with_dict(&function, &args, kwargs),
            None => vm.call(&function, &args),
        };
        if let Err(exc) = result
            && !exc.is_instance(lisle_runtime::types::exceptions::SYSTEM_EXIT.get())
        {
            let what = vm.repr(&function).map_or_else(|_| "?".into(), |r| r.to_string_lossy());
            vm.unraisable(
                exc,
                Some(&format!("Exception ignored in thread started by {what}")),
                None,
            );
        }
        drop((function, args, kwargs));
        RUNNING.fetch_sub(1, Relaxed);
        vm.leave_thread();
        lisle_runtime::threads::end_signals();
        mine.state.store(3, Relaxed);
        mine.done.set();
        if !daemon {
            WAITED_FOR.lock().retain(|s| !Arc::ptr_eq(s, &mine));
        }
    });
    match spawned {
        Ok(ident) => {
            let _ = shared.ident.compare_exchange(0, ident, Relaxed, Relaxed);
            Ok(ident)
        }
        Err(_) => {
            RUNNING.fetch_sub(1, Relaxed);
            forget(&shared);
            shared.state.store(0, Relaxed);
            Err(vm.runtime_error("can't start new thread"))
        }
    }
}

/// Threads that may not have ended, by their handles: a thread is done when it has let go of the interpreter, and until then a fork must find it
/// here. Locked by attached threads alone, so that it is free at a fork.
static ALIVE: lisle_runtime::sync::Mutex<Vec<Arc<Shared>>> = lisle_runtime::sync::Mutex::new(Vec::new());
/// Threads that have ended leave `ALIVE` when it has grown to this length.
static ALIVE_LIMIT: AtomicUsize = AtomicUsize::new(16);

fn keep(shared: &Arc<Shared>) {
    let mut alive = ALIVE.lock();
    if alive.len() >= ALIVE_LIMIT.load(Relaxed) {
        alive.retain(|s| !s.done.is_done());
        ALIVE_LIMIT.store(alive.len() * 2 + 16, Relaxed);
    }
    alive.push(shared.clone());
}

/// Handles that were made for threads which this module did not start: the main thread's.
static MADE: lisle_runtime::sync::Mutex<Vec<std::sync::Weak<Shared>>> = lisle_runtime::sync::Mutex::new(Vec::new());

/// In the child of a fork: all threads but the calling one are done.
pub fn after_fork_child(vm: &Vm) {
    crate::queue::after_fork_child();
    let me = vm.thread.ident();
    let mut gone: Vec<Arc<Shared>> = MADE.lock().iter().filter_map(std::sync::Weak::upgrade).collect();
    gone.retain(|s| s.ident.load(Relaxed) != me);
    let started: Vec<Arc<Shared>> = {
        let mut alive = ALIVE.lock();
        let (mine, gone) = std::mem::take(&mut *alive)
            .into_iter()
            .partition(|s| s.ident.load(Relaxed) == me && !s.done.is_done());
        *alive = mine;
        gone
    };
    gone.extend(started);
    RUNNING.store(ALIVE.lock().len() as i64, Relaxed);
    // SAFETY: this is the only thread, and what another may have been changing is replaced, not looked at.
    unsafe { WAITED_FOR.reset_after_fork() };
    std::mem::forget(std::mem::take(&mut *WAITED_FOR.lock()));
    for shared in gone {
        shared.state.store(3, Relaxed);
        shared.done.set();
    }
}

fn forget(shared: &Arc<Shared>) {
    ALIVE.lock().retain(|s| !Arc::ptr_eq(s, shared));
    WAITED_FOR.lock().retain(|s| !Arc::ptr_eq(s, shared));
}

/// Thread-local data.
#[pyclass(name = "_local", module = "_thread", basetype, weakref, doc = "Thread-local data")]
pub struct Local {
    args: Slot,
    kwargs: Slot,
    /// The attributes, a dict a thread.
    dicts: PerThread,
}

/// The attributes of `this` in the calling thread, made by `__init__` on first use.
fn local_dict(vm: &Vm, this: &Py<Local>) -> Res<Py<Dict>> {
    if let Some(known) = this.dicts.get(vm, this.header())
        && let Ok(dict) = known.try_into_py::<Dict>()
    {
        return Ok(dict);
    }
    let dict = Dict::new_empty();
    this.dicts.set(vm, this, dict.to_value());
    if let Some(init) = this.class().lookup(vm, intern!("__init__"))
        && !Local::ty()
            .lookup(vm, intern!("__init__"))
            .is_some_and(|own| own.is(&init))
    {
        let args: Vec<Value> = this
            .args
            .get()
            .and_then(|a| a.downcast::<Tuple>().map(|t| t.as_slice().to_vec()))
            .unwrap_or_default();
        let all: Vec<Value> = std::iter::once(this.to_value()).chain(args).collect();
        let kwargs = this.kwargs.get().and_then(|k| k.try_into_py::<Dict>().ok());
        let result = match kwargs {
            Some(kwargs) => vm.call_with_dict(&init, &all, &kwargs),
            None => vm.call(&init, &all),
        };
        if let Err(exc) = result {
            drop(this.dicts.remove(vm, this.header()));
            return Err(exc);
        }
    }
    Ok(dict)
}

#[pymethods]
impl Local {
    #[slot]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        let own_init = cls.slots().init.map(|f| f as usize) != Local::ty().slots().init.map(|f| f as usize);
        if !args.values.is_empty() && !own_init {
            return Err(vm.type_error("Initialization arguments are not supported"));
        }
        let kwargs = args.has_keywords().then(|| {
            let dict = Dict::new_empty();
            for (k, v) in args.keywords() {
                drop(dict.replace_str(k, v.clone()));
            }
            dict.into_value()
        });
        let local = Local {
            args: Slot::new(Tuple::new(args.positional().to_vec()).into_value()),
            kwargs: Slot::from_option(kwargs),
            dicts: PerThread::new(),
        };
        let local = Py::with_class(cls, local);
        local.dicts.set(vm, &local, Dict::new_empty().into_value());
        Ok(local.into_value())
    }

    #[slot]
    fn __getattribute__(vm: &Vm, this: &Py<Local>, name: &Py<Str>) -> Res<Value> {
        let dict = local_dict(vm, this)?;
        if name.is_text("__dict__") {
            return Ok(dict.into_value());
        }
        let found = this.class().lookup(vm, name);
        if let Some(d) = &found
            && let (Some(get), Some(_)) = (d.ty().slots().descr_get, d.ty().slots().descr_set)
        {
            return get(vm, d, Some(this.as_value()), Some(this.class().as_value()));
        }
        if let Some(value) = dict.get_str(name) {
            return Ok(value);
        }
        match found {
            Some(d) => match d.ty().slots().descr_get {
                Some(get) => get(vm, &d, Some(this.as_value()), Some(this.class().as_value())),
                None => Ok(d),
            },
            None => Err(vm.attribute_error_for(this.as_value(), name)),
        }
    }

    #[slot]
    fn __setattr__(vm: &Vm, this: &Py<Local>, name: &Py<Str>, value: Option<&Value>) -> Res<()> {
        let dict = local_dict(vm, this)?;
        if name.is_text("__dict__") {
            let class = this.class().name();
            return Err(vm.attribute_error(format!("'{class}' object attribute '__dict__' is read-only")));
        }
        if let Some(d) = this.class().lookup(vm, name)
            && let Some(set) = d.ty().slots().descr_set
        {
            return set(vm, &d, this.as_value(), value);
        }
        match value {
            Some(value) => drop(dict.replace_str(name, value.clone())),
            None => {
                if dict.remove_str(name).is_none() {
                    return Err(vm.attribute_error_for(this.as_value(), name));
                }
            }
        }
        Ok(())
    }
}

#[pymodule(
    name = "_thread",
    doc = "This module provides primitive operations to write multi-threaded programs.\nThe 'threading' module provides a more convenient interface.",
    types(Lock, RLock, ThreadHandle, Local)
)]
pub mod module {
    use super::*;

    #[pyattr]
    const TIMEOUT_MAX: f64 = super::TIMEOUT_MAX;

    #[pyattr]
    fn error(_vm: &Vm) -> Value {
        lisle_runtime::types::exceptions::RUNTIME_ERROR.get().to_value()
    }

    #[pyattr]
    fn LockType(_vm: &Vm) -> Value {
        Lock::ty().to_value()
    }

    /// Create a new lock object.
    #[pyfunction(sig = "()")]
    fn allocate_lock(_vm: &Vm) -> Value {
        Py::new(Lock { raw: RawLock::new() }).into_value()
    }

    /// An obsolete synonym of allocate_lock().
    #[pyfunction(sig = "()")]
    fn allocate(_vm: &Vm) -> Value {
        Py::new(Lock { raw: RawLock::new() }).into_value()
    }

    /// Return a non-zero integer that uniquely identifies the current thread
    /// amongst other threads that exist simultaneously.
    #[pyfunction(sig = "()")]
    fn get_ident(vm: &Vm) -> Value {
        Value::usize(vm.thread.ident() as usize)
    }

    /// Return a non-negative integer identifying the thread as reported by the OS (kernel).
    #[pyfunction(sig = "()")]
    fn get_native_id(vm: &Vm) -> u32 {
        vm.thread.native_id()
    }

    /// Return the number of running threads that were started by this module.
    #[pyfunction(sig = "()")]
    fn _count(_vm: &Vm) -> i64 {
        RUNNING.load(Relaxed)
    }

    /// Start a new thread and return its identifier.
    #[pyfunction(sig = "(function, args, kwargs=<unrepresentable>, /)")]
    fn start_new_thread(vm: &Vm, function: &Value, args: &Value, kwargs: Option<&Value>) -> Res<Value> {
        if !vm.is_callable(function) {
            return Err(vm.type_error("first arg must be callable"));
        }
        let Some(args) = args.downcast::<Tuple>() else {
            return Err(vm.type_error("2nd arg must be a tuple"));
        };
        crate::syscall::audit!(
            vm,
            "_thread.start_new_thread",
            function.clone(),
            args.to_value(),
            kwargs.cloned().unwrap_or(Value::NONE)
        );
        let kwargs = match kwargs {
            None => None,
            Some(k) => Some(
                k.clone()
                    .try_into_py::<Dict>()
                    .map_err(|_| vm.type_error("optional 3rd arg must be a dictionary"))?,
            ),
        };
        let ident = start(
            vm,
            function.clone(),
            args.as_slice().to_vec(),
            kwargs,
            new_shared(),
            Number::default(),
            true,
        )?;
        Ok(Value::usize(ident as usize))
    }

    /// An obsolete synonym of start_new_thread().
    #[pyfunction(sig = "(function, args, kwargs=<unrepresentable>, /)")]
    fn start_new(vm: &Vm, function: &Value, args: &Value, kwargs: Option<&Value>) -> Res<Value> {
        start_new_thread(vm, function, args, kwargs)
    }

    /// Start a new thread that can be joined through the handle.
    #[pyfunction(sig = "(function, handle=None, daemon=True)")]
    fn start_joinable_thread(vm: &Vm, function: &Value, handle: Option<&Value>, daemon: Option<bool>) -> Res<Value> {
        if !vm.is_callable(function) {
            return Err(vm.type_error("thread function must be callable"));
        }
        crate::syscall::audit!(
            vm,
            "_thread.start_joinable_thread",
            function.clone(),
            Value::int(daemon.unwrap_or(true).into()),
            handle.cloned().unwrap_or(Value::NONE)
        );
        let handle = match handle {
            None => Py::new(ThreadHandle {
                shared: Opaque(new_shared()),
                number: Opaque(Arc::default()),
            }),
            Some(h) => match h.downcast::<ThreadHandle>() {
                Some(h) => h.clone(),
                None => return Err(vm.type_error("'handle' must be a _ThreadHandle")),
            },
        };
        start(
            vm,
            function.clone(),
            Vec::new(),
            None,
            handle.shared.0.clone(),
            Arc::downgrade(&handle.number.0),
            daemon.unwrap_or(true),
        )?;
        Ok(handle.into_value())
    }

    /// A handle of the calling thread, which was not started through one.
    #[pyfunction(sig = "(ident, /)")]
    fn _make_thread_handle(vm: &Vm, ident: &Value) -> Res<Value> {
        let shared = new_shared();
        shared.ident.store(vm.index_to_i64(ident)? as u64, Relaxed);
        shared.state.store(2, Relaxed);
        MADE.lock().push(Arc::downgrade(&shared));
        let handle = ThreadHandle {
            shared: Opaque(shared),
            number: Opaque(Arc::default()),
        };
        Ok(Py::new(handle).into_value())
    }

    #[pyfunction(sig = "()")]
    fn _get_main_thread_ident(vm: &Vm) -> Value {
        let mut ident = vm.thread.ident();
        lisle_runtime::threads::for_each_thread(|t| {
            if t.is_main() {
                ident = t.ident();
            }
        });
        Value::usize(ident as usize)
    }

    #[pyfunction(sig = "()")]
    fn _is_main_interpreter(_vm: &Vm) -> bool {
        true
    }

    #[pyfunction(sig = "()")]
    fn daemon_threads_allowed(_vm: &Vm) -> bool {
        true
    }

    /// Wait for all non-daemon threads (other than the calling thread) to stop.
    #[pyfunction(sig = "()")]
    fn _shutdown(vm: &Vm) -> Res<()> {
        loop {
            let me = vm.thread.ident();
            let next = WAITED_FOR.lock().iter().find(|s| s.ident.load(Relaxed) != me).cloned();
            let Some(shared) = next else { return Ok(()) };
            match shared.done.join(shared.ident.load(Relaxed), None, true) {
                AcquireResult::Interrupted => vm.safepoint()?,
                _ => forget(&shared),
            }
        }
    }

    #[pyattr]
    fn _ExceptHookArgs(_vm: &Vm) -> Value {
        HOOK_ARGS.ty().to_value()
    }

    /// Handle uncaught Thread.run() exception.
    #[pyfunction(sig = "(args, /)")]
    fn _excepthook(vm: &Vm, args: &Value) -> Res<()> {
        if !args.ty().is(HOOK_ARGS.ty()) {
            return Err(vm.type_error("_thread.excepthook argument type must be ExceptHookArgs"));
        }
        let get = |name: &'static str| vm.getattr(args, &Str::intern(name));
        let (class, value, thread) = (get("exc_type")?, get("exc_value")?, get("thread")?);
        if class.is(lisle_runtime::types::exceptions::SYSTEM_EXIT.get().as_value()) {
            return Ok(());
        }
        let name = match vm.getattr_opt(&thread, intern!("name"))? {
            Some(name) if !thread.is_none() => vm.str(&name)?.to_string_lossy(),
            _ => vm.thread.ident().to_string(),
        };
        let mut file = lisle_runtime::interp::sys_attr(vm, intern!("stderr")).filter(|f| !f.is_none());
        if file.is_none() && !thread.is_none() {
            file = vm.getattr_opt(&thread, intern!("_stderr"))?.filter(|f| !f.is_none());
        }
        let Some(file) = file else { return Ok(()) };
        let head = format!("Exception in thread {name}:\n");
        vm.call_method(&file, intern!("write"), &[Value::from(head.as_str())])?;
        let traceback = vm.import_module("traceback")?;
        let print = vm.getattr(&traceback, intern!("print_exception"))?;
        let values = [class, value, get("exc_traceback")?, file.clone()];
        let names = Tuple::new(vec![intern!("file").to_value()]);
        vm.call_args(&print, Args::with_names(&values, &names))?;
        vm.call_method(&file, intern!("flush"), &[]).map(drop)
    }

    /// Return the thread stack size used when creating new threads, and set it.
    #[pyfunction(sig = "(size=0, /)")]
    fn stack_size(vm: &Vm, size: i64) -> Res<Value> {
        let Ok(size) = usize::try_from(size) else {
            return Err(vm.value_error("size must be 0 or a positive value"));
        };
        if size != 0 && size < 32 * 1024 {
            return Err(vm.value_error(format!("size not valid: {size} bytes")));
        }
        Ok(Value::usize(STACK_SIZE.swap(size, Relaxed)))
    }

    /// Simulate the arrival of the given signal in the main thread.
    #[pyfunction(sig = "(signum=2, /)")]
    fn interrupt_main(vm: &Vm, signum: i64) -> Res<()> {
        match i32::try_from(signum) {
            Ok(n) if (1..65).contains(&n) => {
                use lisle_runtime::threads::signals::{Action, action, interrupt_main};
                // A signal that is ignored, or has its default action, has no handler to run. At the end that is reported.
                if action(n).is_ok_and(|a| a == Action::Handler) || lisle_runtime::threads::is_finalizing() {
                    interrupt_main(n);
                }
                Ok(())
            }
            _ => Err(vm.value_error("signal number out of range")),
        }
    }

    /// This is synonymous to ``raise SystemExit''.
    #[pyfunction(sig = "()")]
    fn exit(vm: &Vm) -> Res<()> {
        Err(vm.system_exit(Value::NONE))
    }

    /// An obsolete synonym of exit().
    #[pyfunction(sig = "()")]
    fn exit_thread(vm: &Vm) -> Res<()> {
        Err(vm.system_exit(Value::NONE))
    }

    /// Sets the name of the current thread, as the system shows it.
    #[pyfunction(sig = "(name)")]
    fn set_name(_vm: &Vm, name: &Py<Str>) {
        lisle_runtime::threads::set_name(name.to_string_lossy().as_bytes());
    }
}
