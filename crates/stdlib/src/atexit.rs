//! `atexit`: functions to be called when the interpreter ends.
//!
//! Invariant: the list is locked only to copy or change it; functions are called and dropped outside.

use std::collections::TryReserveError;

use lisle_runtime::native::{Args, Res, Value, Vm, pymodule};
use lisle_runtime::sync::Mutex;
use lisle_runtime::types::tuple::Tuple;

/// A function with the arguments it is to be called with.
#[derive(Clone)]
struct Callback {
    function: Value,
    /// Positional arguments, then those of keywords.
    values: Vec<Value>,
    /// Names of keywords.
    names: Option<Value>,
}

static CALLBACKS: Mutex<Vec<Callback>> = Mutex::new(Vec::new());

/// Calls what was registered, the latest first, and forgets it. Exceptions are reported; what is registered meanwhile is forgotten too.
pub fn run_exit_functions(vm: &Vm) {
    // Without memory for a copy, the list itself.
    let callbacks = copy().unwrap_or_else(|_| std::mem::take(&mut *CALLBACKS.lock()));
    for callback in callbacks.iter().rev() {
        let names = callback.names.as_ref().and_then(|names| names.downcast::<Tuple>());
        let args = match names {
            Some(names) => Args::with_names(&callback.values, names),
            None => Args::new(&callback.values),
        };
        if let Err(exc) = vm.call_args(&callback.function, args) {
            let shown = vm
                .repr(&callback.function)
                .map_or_else(|_| "?".to_owned(), |text| text.to_string_lossy());
            vm.unraisable(
                exc,
                Some(&format!("Exception ignored in atexit callback {shown}")),
                None,
            );
        }
    }
    forget_all();
}

fn copy() -> Result<Vec<Callback>, TryReserveError> {
    let callbacks = CALLBACKS.lock();
    let mut copy = Vec::new();
    copy.try_reserve_exact(callbacks.len())?;
    copy.extend(callbacks.iter().cloned());
    Ok(copy)
}

fn forget_all() {
    let callbacks = std::mem::take(&mut *CALLBACKS.lock());
    drop(callbacks);
}

#[pymodule(
    name = "atexit",
    doc = "allow programmer to define multiple exit functions to be executed\nupon normal program termination.\n\nTwo public functions, register and unregister, are defined.\n"
)]
pub mod module {
    use super::*;

    /// Register a function to be executed upon normal program termination
    ///
    ///     func - function to be called at exit
    ///     args - optional arguments to pass to func
    ///     kwargs - optional keyword arguments to pass to func
    ///
    ///     func is returned to facilitate usage as a decorator.
    #[pyfunction]
    fn register(vm: &Vm, args: Args<'_>) -> Res<Value> {
        let Some((function, rest)) = args.split_receiver() else {
            return Err(vm.type_error("register() takes at least 1 argument (0 given)"));
        };
        if !vm.is_callable(function) {
            return Err(vm.type_error("the first argument must be callable"));
        }
        let callback = Callback {
            function: function.clone(),
            values: rest.values.to_vec(),
            names: rest.kwnames.map(|names| names.to_value()),
        };
        let room = {
            let mut callbacks = CALLBACKS.lock();
            let room = callbacks.try_reserve(1);
            if room.is_ok() {
                callbacks.push(callback);
            }
            room
        };
        room?;
        Ok(function.clone())
    }

    /// Clear the list of previously registered exit functions.
    #[pyfunction(sig = "()")]
    fn _clear(_: &Vm) {
        forget_all();
    }

    /// Unregister an exit function which was previously registered using
    /// atexit.register
    ///
    ///     func - function to be unregistered
    #[pyfunction(sig = "(func, /)")]
    fn unregister(vm: &Vm, func: &Value) -> Res<()> {
        for callback in copy()? {
            if !vm.eq(&callback.function, func)? {
                continue;
            }
            // The comparison may have changed the list: only this very function goes.
            let mut removed = Vec::new();
            CALLBACKS.lock().retain(|other| {
                let keep = !other.function.is(&callback.function);
                if !keep {
                    removed.push(other.clone());
                }
                keep
            });
            drop(removed);
        }
        Ok(())
    }

    /// Run all registered exit functions.
    ///
    /// If a callback raises an exception, it is logged with sys.unraisablehook.
    #[pyfunction(sig = "()")]
    fn _run_exitfuncs(vm: &Vm) {
        run_exit_functions(vm);
    }

    /// Return the number of registered exit functions.
    #[pyfunction(sig = "()")]
    fn _ncallbacks(_: &Vm) -> usize {
        CALLBACKS.lock().len()
    }
}
