//! `_tracemalloc`: where memory was allocated, by what the runtime's `memory::watch` notes.
//!
//! Invariant: tracebacks with the same lines are one tuple in what `_get_traces` returns. There is one domain, 0.

use std::collections::HashMap;

use lisle_runtime::memory::watch::{self, Traceback};
use lisle_runtime::native::{Py, Res, Str, Value, Vm, pymodule};
use lisle_runtime::types::list::List;
use lisle_runtime::types::tuple::Tuple;

/// The most frames that are kept.
pub const MOST_FRAMES: i64 = 65535;

/// The frames as `((filename, line), ...)`.
fn frames(traceback: &Traceback) -> Value {
    let pairs = traceback.sites.iter().map(|site| {
        let line = Value::int(i64::from(site.line));
        Tuple::pair(site.code.filename.to_value(), line).into_value()
    });
    let mut pairs: Vec<Value> = pairs.collect();
    if pairs.is_empty() {
        pairs.push(Tuple::pair(Value::from("<unknown>"), Value::int(0)).into_value());
    }
    Tuple::new(pairs).into_value()
}

/// What `_get_traces` returns.
fn traces(blocks: Vec<(usize, u32)>, tracebacks: &[Traceback]) -> Value {
    // Different instructions of a line are one place.
    let mut known: HashMap<Vec<(u64, u32)>, Value> = HashMap::new();
    let tuples: Vec<Value> = tracebacks
        .iter()
        .map(|traceback| {
            let key = traceback.sites.iter().map(|site| {
                let filename: &Py<Str> = &site.code.filename;
                (filename.as_value().bits(), site.line)
            });
            known.entry(key.collect()).or_insert_with(|| frames(traceback)).clone()
        })
        .collect();
    let mut traces = Vec::with_capacity(blocks.len());
    for (size, number) in blocks {
        let number = number as usize;
        if let (Some(tuple), Some(traceback)) = (tuples.get(number), tracebacks.get(number)) {
            let depth = Value::int(i64::from(traceback.depth.max(1)));
            let trace = [Value::int(0), Value::usize(size), tuple.clone(), depth];
            traces.push(Tuple::from_array(trace).into_value());
        }
    }
    List::new(traces).into_value()
}

/// Begins to trace when the program starts, if the command line says so.
pub fn enable_at_start(vm: &Vm) {
    if let Some(frames) = crate::cli::config().tracemalloc {
        watch::start(vm, frames);
    }
}

#[pymodule(
    name = "_tracemalloc",
    doc = "Debug module to trace memory blocks allocated by Python."
)]
pub mod module {
    use super::*;

    /// Return True if the tracemalloc module is tracing Python memory allocations.
    #[pyfunction(sig = "()")]
    fn is_tracing(_: &Vm) -> bool {
        watch::is_on()
    }

    /// Clear traces of memory blocks allocated by Python.
    #[pyfunction(sig = "()")]
    fn clear_traces(_: &Vm) {
        watch::clear();
    }

    /// Get traces of all memory blocks allocated by Python.
    ///
    /// Return a list of (size: int, traceback: tuple) tuples.
    /// traceback is a tuple of (filename: str, lineno: int) tuples.
    ///
    /// Return an empty list if the tracemalloc module is disabled.
    #[pyfunction(sig = "()")]
    fn _get_traces(_: &Vm) -> Value {
        let (blocks, tracebacks) = watch::snapshot();
        watch::unwatched(|| super::traces(blocks, &tracebacks))
    }

    /// Get the traceback where the Python object obj was allocated.
    ///
    /// Return a tuple of (filename: str, lineno: int) tuples.
    /// Return None if the tracemalloc module is disabled or did not
    /// trace the allocation of the object.
    #[pyfunction(sig = "(obj, /)")]
    fn _get_object_traceback(_: &Vm, obj: &Value) -> Option<Value> {
        watch::traceback_of(obj).map(|traceback| frames(&traceback))
    }

    /// Start tracing Python memory allocations.
    ///
    /// Also set the maximum number of frames stored in the traceback of a
    /// trace to nframe.
    #[pyfunction(sig = "(nframe=1, /)")]
    fn start(vm: &Vm, nframe: Option<i32>) -> Res<()> {
        let nframe = i64::from(nframe.unwrap_or(1));
        if !(1..=MOST_FRAMES).contains(&nframe) {
            return Err(vm.value_error("the number of frames must be in range [1; 65535]"));
        }
        if !watch::is_on() {
            watch::start(vm, nframe as usize);
        }
        Ok(())
    }

    /// Stop tracing Python memory allocations.
    ///
    /// Also clear traces of memory blocks allocated by Python.
    #[pyfunction(sig = "()")]
    fn stop(vm: &Vm) {
        if watch::is_on() {
            watch::stop(vm);
        }
    }

    /// Get the maximum number of frames stored in the traceback of a trace.
    ///
    /// By default, a trace of an allocated memory block only stores
    /// the most recent frame: the limit is 1.
    #[pyfunction(sig = "()")]
    fn get_traceback_limit(_: &Vm) -> usize {
        watch::limit().unwrap_or(1)
    }

    /// Get the memory usage in bytes of the tracemalloc module.
    ///
    /// This memory is used internally to trace memory allocations.
    #[pyfunction(sig = "()")]
    fn get_tracemalloc_memory(_: &Vm) -> usize {
        watch::own_memory()
    }

    /// Get the current size and peak size of memory blocks traced by tracemalloc.
    ///
    /// Returns a tuple: (current: int, peak: int).
    #[pyfunction(sig = "()")]
    fn get_traced_memory(_: &Vm) -> Value {
        let (current, peak) = watch::traced();
        Tuple::pair(Value::usize(current), Value::usize(peak)).into_value()
    }

    /// Set the peak size of memory blocks traced by tracemalloc to the current size.
    ///
    /// Do nothing if the tracemalloc module is not tracing memory allocations.
    #[pyfunction(sig = "()")]
    fn reset_peak(_: &Vm) {
        watch::reset_peak();
    }
}
