//! `_tracemalloc`: Lisle does not trace allocations. `start` says so; everything else answers as if tracing had not been started, so that
//! `tracemalloc` imports and programs that only ask go on working.
//!
//! Invariant: tracing is off.

use lisle_runtime::native::{Res, Value, Vm, pymodule};
use lisle_runtime::types::list::List;
use lisle_runtime::types::tuple::Tuple;

#[pymodule(
    name = "_tracemalloc",
    doc = "Debug module to trace memory blocks allocated by Python."
)]
pub mod module {
    use super::*;

    /// Return True if the tracemalloc module is tracing Python memory allocations.
    #[pyfunction(sig = "()")]
    fn is_tracing(_: &Vm) -> bool {
        false
    }

    /// Clear traces of memory blocks allocated by Python.
    #[pyfunction(sig = "()")]
    fn clear_traces(_: &Vm) {}

    /// Get traces of all memory blocks allocated by Python.
    ///
    /// Return a list of (size: int, traceback: tuple) tuples.
    /// traceback is a tuple of (filename: str, lineno: int) tuples.
    ///
    /// Return an empty list if the tracemalloc module is disabled.
    #[pyfunction(sig = "()")]
    fn _get_traces(_: &Vm) -> Value {
        List::new(Vec::new()).into_value()
    }

    /// Get the traceback where the Python object obj was allocated.
    ///
    /// Return a tuple of (filename: str, lineno: int) tuples.
    /// Return None if the tracemalloc module is disabled or did not
    /// trace the allocation of the object.
    #[pyfunction(sig = "(obj, /)")]
    fn _get_object_traceback(_: &Vm, _obj: &Value) {}

    /// Start tracing Python memory allocations; not supported by Lisle.
    ///
    /// Also set the maximum number of frames stored in the traceback of a
    /// trace to nframe.
    #[pyfunction(sig = "(nframe=1, /)")]
    fn start(vm: &Vm, nframe: Option<i32>) -> Res<()> {
        let nframe = nframe.unwrap_or(1);
        if !(1..=65535).contains(&nframe) {
            return Err(vm.value_error("the number of frames must be in range [1; 65535]"));
        }
        Err(vm.runtime_error("tracemalloc is not supported: Lisle does not trace memory allocations"))
    }

    /// Stop tracing Python memory allocations.
    ///
    /// Also clear traces of memory blocks allocated by Python.
    #[pyfunction(sig = "()")]
    fn stop(_: &Vm) {}

    /// Get the maximum number of frames stored in the traceback of a trace.
    ///
    /// By default, a trace of an allocated memory block only stores
    /// the most recent frame: the limit is 1.
    #[pyfunction(sig = "()")]
    fn get_traceback_limit(_: &Vm) -> i32 {
        1
    }

    /// Get the memory usage in bytes of the tracemalloc module.
    ///
    /// This memory is used internally to trace memory allocations.
    #[pyfunction(sig = "()")]
    fn get_tracemalloc_memory(_: &Vm) -> i32 {
        0
    }

    /// Get the current size and peak size of memory blocks traced by tracemalloc.
    ///
    /// Returns a tuple: (current: int, peak: int).
    #[pyfunction(sig = "()")]
    fn get_traced_memory(_: &Vm) -> Value {
        Tuple::pair(Value::int(0), Value::int(0)).into_value()
    }

    /// Set the peak size of memory blocks traced by tracemalloc to the current size.
    ///
    /// Do nothing if the tracemalloc module is not tracing memory allocations.
    #[pyfunction(sig = "()")]
    fn reset_peak(_: &Vm) {}
}
