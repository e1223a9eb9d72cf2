//! `sys`: what the interpreter tells of itself, its limits and its hooks.
//!
//! Invariant: the state behind each function lives in the runtime; `sys`'s dict holds what programs may replace (`stdout`,
//! `excepthook`, ...).

pub mod hooks;
pub mod info;
mod jit;
mod monitoring;
mod stacks;

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use lisle_runtime::intern;
use lisle_runtime::interp;
use lisle_runtime::native::{Py, Res, Slot, Str, Type, TypeFlags, Value, Vm, pymodule};
use lisle_runtime::sync::Mutex;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::module::Module;
use lisle_runtime::types::tuple::Tuple;

use crate::cli::config;

static DLOPEN_FLAGS: AtomicI64 = AtomicI64::new(libc::RTLD_NOW as i64);
/// The functions of `sys.addaudithook`; in no object that a program could find.
static AUDIT_HOOKS: Mutex<Vec<Value>> = Mutex::new(Vec::new());
static AUDITED: AtomicBool = AtomicBool::new(false);

/// Whether anybody listens.
pub fn is_audited() -> bool {
    AUDITED.load(Relaxed)
}

/// Raises an auditing event.
pub fn audit(vm: &Vm, event: &str, args: &[Value]) -> Res<()> {
    if !is_audited() {
        return Ok(());
    }
    let hooks = AUDIT_HOOKS.lock().clone();
    let args = [Value::from(event), Tuple::from_slice_clone(args).into_value()];
    for hook in hooks {
        // Nobody is told of what a hook does, unless it says so.
        let traced = match vm.getattr_opt(&hook, intern!("__cantrace__"))? {
            Some(says) => vm.truth(&says)?,
            None => false,
        };
        if traced {
            vm.call(&hook, &args)?;
        } else {
            vm.without_observation(|| vm.call(&hook, &args))?;
        }
    }
    Ok(())
}

fn names(list: Vec<&'static str>) -> Vec<Value> {
    list.into_iter().map(|name| Str::intern(name).into_value()).collect()
}

#[pymodule(
    name = "sys",
    doc = "This module provides access to some objects used or maintained by the\ninterpreter and to functions that interact strongly with the interpreter.",
    parts(super::hooks::module::DEF, super::stacks::module::DEF)
)]
pub mod module {
    use super::*;

    /// Append a callback to the audit hooks.
    #[pyfunction(sig = "(hook)")]
    fn addaudithook(vm: &Vm, hook: &Value) -> Res<()> {
        lisle_runtime::audit::listen(audit);
        match audit(vm, "sys.addaudithook", &[]) {
            Err(e) if e.is_instance(exceptions::EXCEPTION.get()) => return Ok(()),
            other => other?,
        }
        AUDIT_HOOKS.lock().push(hook.clone());
        AUDITED.store(true, Relaxed);
        Ok(())
    }

    /// Passes the event to any hooks that are attached.
    #[pyfunction(sig = "(event, /, *args)", name = "audit")]
    fn audit_event(vm: &Vm, event: &Value, args: &[Value]) -> Res<()> {
        let Some(event) = event.downcast::<Str>() else {
            let got = event.ty().name();
            return Err(vm.type_error(format!("audit() argument 1 must be str, not {got}")));
        };
        audit(vm, &event.to_string_lossy(), args)
    }

    /// Return the current default encoding used by the Unicode implementation.
    #[pyfunction(sig = "()")]
    fn getdefaultencoding(_: &Vm) -> Value {
        intern!("utf-8").to_value()
    }

    /// Return the encoding used to convert Unicode filenames to OS filenames.
    #[pyfunction(sig = "()")]
    fn getfilesystemencoding(_: &Vm) -> Value {
        Str::intern(lisle_runtime::interp::system_encoding()).into_value()
    }

    /// Return the error mode used for Unicode to OS filename conversion.
    #[pyfunction(sig = "()")]
    fn getfilesystemencodeerrors(_: &Vm) -> Value {
        intern!("surrogateescape").to_value()
    }

    /// Return the current value of the flags that are used for dlopen calls.
    #[pyfunction(sig = "()")]
    fn getdlopenflags(_: &Vm) -> i64 {
        DLOPEN_FLAGS.load(Relaxed)
    }

    /// Set the flags used by the interpreter for dlopen calls.
    #[pyfunction(sig = "(flags, /)")]
    fn setdlopenflags(_: &Vm, flags: i32) {
        DLOPEN_FLAGS.store(flags.into(), Relaxed);
    }

    /// Return the number of memory blocks currently allocated.
    #[pyfunction(sig = "()")]
    fn getallocatedblocks(_: &Vm) -> usize {
        lisle_runtime::memory::alloc::stats().live_blocks
    }

    /// Return the number of elements of the unicode interned dictionary
    #[pyfunction(sig = "(*, _only_immortal=False)")]
    fn getunicodeinternedsize(_: &Vm, _only_immortal: Option<bool>) -> usize {
        lisle_runtime::types::str::interned_count()
    }

    /// Return the current value of the recursion limit.
    #[pyfunction(sig = "()")]
    fn getrecursionlimit(_: &Vm) -> usize {
        interp::recursion_limit()
    }

    /// Set the maximum depth of the Python interpreter stack to n.
    ///
    /// This limit prevents infinite recursion from causing an overflow of the C
    /// stack and crashing Python.  The highest possible limit is platform-
    /// dependent.
    #[pyfunction(sig = "(limit, /)")]
    fn setrecursionlimit(vm: &Vm, limit: i32) -> Res<()> {
        if limit < 1 {
            return Err(vm.value_error("recursion limit must be greater or equal than 1"));
        }
        let depth = vm.python_depth();
        if depth >= limit as usize {
            let message = format!(
                "cannot set the recursion limit to {limit} at the recursion depth {depth}: the limit is too low"
            );
            return Err(vm.recursion_error(message));
        }
        interp::set_recursion_limit(limit as usize);
        Ok(())
    }

    /// Return the reference count of object.
    ///
    /// The count returned is generally one higher than you might expect,
    /// because it includes the (temporary) reference as an argument to
    /// getrefcount().
    #[pyfunction(sig = "(object, /)")]
    fn getrefcount(_: &Vm, object: &Value) -> i64 {
        /// What CPython reports for objects that are never freed.
        const IMMORTAL: i64 = 3_221_225_472;
        match object.header() {
            Some(header) if !header.is_immortal() => header.refcount(),
            _ => IMMORTAL,
        }
    }

    /// Return the size of object in bytes.
    #[pyfunction(sig = "(object, default=<unrepresentable>)")]
    fn getsizeof(vm: &Vm, object: &Value, default: Option<&Value>) -> Res<Value> {
        let size = match vm.call_special(object, intern!("__sizeof__"), &[]) {
            Ok(size) => size,
            Err(e) => {
                return match default {
                    Some(default) if e.is(&exceptions::TYPE_ERROR) => Ok(default.clone()),
                    _ => Err(e),
                };
            }
        };
        if vm.index_to_isize(&size)? < 0 {
            return Err(vm.value_error("__sizeof__() should return >= 0"));
        }
        Ok(size)
    }

    /// Return the current thread switch interval; see sys.setswitchinterval().
    #[pyfunction(sig = "()")]
    fn getswitchinterval(_: &Vm) -> f64 {
        // By way of microseconds, so that 0.005 comes back as it was set.
        lisle_runtime::threads::gil::switch_interval().as_micros() as f64 * 1e-6
    }

    /// Set the ideal thread switching delay inside the Python interpreter.
    ///
    /// The actual frequency of switching threads can be lower if the
    /// interpreter executes long sequences of uninterruptible code
    /// (this is implementation-specific and workload-dependent).
    ///
    /// The parameter must represent the desired switching delay in seconds
    /// A typical value is 0.005 (5 milliseconds).
    #[pyfunction(sig = "(interval, /)")]
    fn setswitchinterval(vm: &Vm, interval: f64) -> Res<()> {
        if interval.is_nan() || interval <= 0.0 {
            return Err(vm.value_error("switch interval must be strictly positive"));
        }
        let micros = (interval * 1e6).clamp(1.0, 1e15) as u64;
        lisle_runtime::threads::gil::set_switch_interval(Duration::from_micros(micros));
        Ok(())
    }

    /// Return True if the GIL is currently enabled and False if the GIL is disabled.
    #[pyfunction(sig = "()")]
    fn _is_gil_enabled(_: &Vm) -> bool {
        !lisle_runtime::sync::free_threaded()
    }

    /// ``Intern'' the given string.
    ///
    /// This enters the string in the (global) table of interned strings whose
    /// purpose is to speed up dictionary lookups. Return the string itself or
    /// the previously interned string object with the same value.
    #[pyfunction(sig = "(string, /)", name = "intern")]
    fn intern_string(vm: &Vm, string: &Value) -> Res<Value> {
        match string.downcast_exact::<Str>() {
            Some(text) => Ok(text.clone().intern_new().into_value()),
            None if string.downcast::<Str>().is_some() => {
                let name = string.ty().name();
                Err(vm.type_error(format!("can't intern {name}")))
            }
            None => {
                let name = string.ty().name();
                Err(vm.type_error(format!("intern() argument must be str, not {name}")))
            }
        }
    }

    /// Return True if the given string is "interned".
    #[pyfunction(sig = "(string, /)")]
    fn _is_interned(_: &Vm, string: &Py<Str>) -> bool {
        string.is_interned()
    }

    /// Return True if the given object is "immortal" per PEP 683.
    #[pyfunction(sig = "(op, /)")]
    fn _is_immortal(_: &Vm, op: &Value) -> bool {
        op.header().is_none_or(|h| h.is_immortal())
    }

    /// Return True if Python is exiting.
    #[pyfunction(sig = "()")]
    fn is_finalizing(_: &Vm) -> bool {
        lisle_runtime::threads::registry::is_finalizing()
    }

    /// Return whether a stack profiler trampoline is active.
    #[pyfunction(sig = "()")]
    fn is_stack_trampoline_active(_: &Vm) -> bool {
        false
    }

    /// Activate stack profiler trampoline *backend*.
    #[pyfunction(sig = "(backend, /)")]
    fn activate_stack_trampoline(vm: &Vm, _backend: &Value) -> Res<()> {
        Err(vm.value_error("perf trampoline not available"))
    }

    /// Deactivate the current stack profiler trampoline backend.
    #[pyfunction(sig = "()")]
    fn deactivate_stack_trampoline(_: &Vm) {}

    /// Executes a file containing Python code in a given remote Python process.
    #[pyfunction(sig = "(pid, script)")]
    fn remote_exec(vm: &Vm, _pid: i64, _script: &Value) -> Res<()> {
        Err(vm.runtime_error("Remote debugging is not enabled"))
    }

    /// Return whether remote debugging is enabled.
    #[pyfunction(sig = "()")]
    fn is_remote_debug_enabled(_: &Vm) -> bool {
        false
    }

    /// Return the maximum string digits limit for non-binary int<->str conversions.
    #[pyfunction(sig = "()")]
    fn get_int_max_str_digits(_: &Vm) -> u32 {
        lisle_runtime::types::int::max_str_digits()
    }

    /// Set the maximum string digits limit for non-binary int<->str conversions.
    #[pyfunction(sig = "(maxdigits)")]
    fn set_int_max_str_digits(vm: &Vm, maxdigits: i32) -> Res<()> {
        if lisle_runtime::types::int::set_max_str_digits(maxdigits.into()) {
            Ok(())
        } else {
            Err(vm.value_error("maxdigits must be 0 or larger than 640"))
        }
    }

    /// Set the global debug tracing function.
    ///
    /// It will be called on each function call.  See the debugger chapter
    /// in the library manual.
    #[pyfunction(sig = "(function, /)")]
    fn settrace(vm: &Vm, function: &Value) -> Res<()> {
        audit(vm, "sys.settrace", &[])?;
        vm.set_trace_function(Some(function.clone()).filter(|f| !f.is_none()));
        Ok(())
    }

    /// Return the global debug tracing function set with sys.settrace.
    #[pyfunction(sig = "()")]
    fn gettrace(vm: &Vm) -> Option<Value> {
        vm.trace_function()
    }

    /// Set the profiling function.
    ///
    /// It will be called on each function call and return.  See the profiler
    /// chapter in the library manual.
    #[pyfunction(sig = "(function, /)")]
    fn setprofile(vm: &Vm, function: &Value) -> Res<()> {
        audit(vm, "sys.setprofile", &[])?;
        vm.set_profile_function(Some(function.clone()).filter(|f| !f.is_none()));
        Ok(())
    }

    /// Return the profiling function set with sys.setprofile.
    #[pyfunction(sig = "()")]
    fn getprofile(vm: &Vm) -> Option<Value> {
        vm.profile_function()
    }

    /// Set the global debug tracing function in all running threads belonging to the current interpreter.
    ///
    /// It will be called on each function call. See the debugger chapter
    /// in the library manual.
    #[pyfunction(sig = "(function, /)")]
    fn _settraceallthreads(vm: &Vm, function: &Value) {
        vm.set_for_all_threads(Some(function).filter(|f| !f.is_none()), false);
    }

    /// Set the profiling function in all running threads belonging to the current interpreter.
    ///
    /// It will be called on each function call and return.  See the profiler
    /// chapter in the library manual.
    #[pyfunction(sig = "(function, /)")]
    fn _setprofileallthreads(vm: &Vm, function: &Value) {
        vm.set_for_all_threads(Some(function).filter(|f| !f.is_none()), true);
    }

    /// Call func(*args), while tracing is enabled.
    #[pyfunction(sig = "(func, args, /)")]
    fn call_tracing(vm: &Vm, func: &Value, args: &Py<Tuple>) -> Res<Value> {
        vm.with_observation(|| vm.call(func, args.as_slice()))
    }

    /// Check status of origin tracking for coroutine objects in this thread.
    #[pyfunction(sig = "()")]
    fn get_coroutine_origin_tracking_depth(vm: &Vm) -> usize {
        vm.origin_depth.get()
    }

    /// Enable or disable origin tracking for coroutine objects in this thread.
    #[pyfunction(sig = "(depth)")]
    fn set_coroutine_origin_tracking_depth(vm: &Vm, depth: i32) -> Res<()> {
        let depth = usize::try_from(depth).map_err(|_| vm.value_error("depth must be >= 0"))?;
        vm.origin_depth.set(depth);
        Ok(())
    }

    /// Return the installed asynchronous generators hooks.
    #[pyfunction(sig = "()")]
    fn get_asyncgen_hooks(vm: &Vm) -> Value {
        let [first, last] = &vm.asyncgen_hooks;
        let hook = |slot: &Slot| slot.get().unwrap_or(Value::NONE);
        info::ASYNCGEN_HOOKS.make(vec![hook(first), hook(last)])
    }

    /// set_asyncgen_hooks([firstiter] [, finalizer])
    #[pyfunction(sig = "(firstiter=<unrepresentable>, finalizer=<unrepresentable>)")]
    fn set_asyncgen_hooks(vm: &Vm, firstiter: Option<&Value>, finalizer: Option<&Value>) -> Res<()> {
        for (name, value) in [("finalizer", finalizer), ("firstiter", firstiter)] {
            if let Some(v) = value
                && !v.is_none()
                && !vm.is_callable(v)
            {
                let got = v.ty().name();
                return Err(vm.type_error(format!("callable {name} expected, got {got}")));
            }
        }
        for (slot, value) in vm.asyncgen_hooks.iter().zip([firstiter, finalizer]) {
            if let Some(v) = value {
                drop(slot.swap(Some(v.clone()).filter(|v| !v.is_none())));
            }
        }
        Ok(())
    }

    #[pyfunction(sig = "()")]
    fn _clear_type_cache(_: &Vm) {}

    #[pyfunction(sig = "()")]
    fn _clear_internal_caches(_: &Vm) {}

    /// Clear the internal type descriptors of a class.
    #[pyfunction(sig = "(type, /)")]
    fn _clear_type_descriptors(vm: &Vm, r#type: &Py<Type>) -> Res<()> {
        if r#type.has_flag(TypeFlags::IMMUTABLE) {
            return Err(vm.type_error("argument is immutable"));
        }
        for name in [intern!("__dict__"), intern!("__weakref__")] {
            r#type.set_own(vm, name, None)?;
        }
        Ok(())
    }

    /// Read statements from standard input and run them, without a line editor.
    #[pyfunction(sig = "()")]
    fn _baserepl(vm: &Vm) -> Res<()> {
        crate::cli::plain_session(vm)
    }

    #[pyfunction(sig = "()")]
    fn _debugmallocstats(_: &Vm) {
        let stats = lisle_runtime::memory::alloc::stats();
        super::hooks::write_fd(2, &format!("{stats:#?}\n"));
    }

    #[pyfunction(sig = "()")]
    fn _get_cpu_count_config(_: &Vm) -> i64 {
        config().cpu_count
    }

    #[pyfunction(sig = "(arg=None, /)")]
    fn _dump_tracelets(vm: &Vm, _arg: Option<&Value>) -> Res<()> {
        Err(vm.not_implemented_error("No JIT available"))
    }

    #[init]
    fn init(vm: &Vm, module: &Py<Module>) -> Res<()> {
        interp::set_sys(module);
        info::fill(vm, module)?;
        module.set("modules", interp::modules().into_value());
        let builtin = names(lisle_runtime::import::builtin_module_names());
        module.set("builtin_module_names", Tuple::new(builtin).into_value());
        Ok(())
    }
}
