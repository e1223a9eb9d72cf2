//! `_functools`: `partial`, `reduce`, `cmp_to_key` and the cache under `lru_cache`.
//!
//! Invariant: what can be replaced (the state of a partial, the cached results) is replaced in one step.

mod lru_cache;
mod partial;

use lisle_runtime::native::{CmpOp, Py, Res, Slot, Value, Vm, pyclass, pymethods, pymodule};
use lisle_runtime::types::exceptions;

pub use lru_cache::LruCache;
pub use partial::{Partial, Placeholder};

/// An object compared by a function of two arguments.
#[pyclass(name = "KeyWrapper", module = "functools", no_new, unhashable)]
pub struct KeyWrapper {
    compare: Value,
    object: Slot,
}

#[pymethods]
impl KeyWrapper {
    #[slot(sig = "(obj)")]
    fn __call__(_vm: &Vm, this: &Py<KeyWrapper>, obj: &Value) -> Value {
        Py::new(KeyWrapper {
            compare: this.compare.clone(),
            object: Slot::new(obj.clone()),
        })
        .into_value()
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<KeyWrapper>, other: &Value, op: CmpOp) -> Res<Value> {
        let Some(other) = other.downcast::<KeyWrapper>() else {
            return Err(vm.type_error("other argument must be K instance"));
        };
        let (Some(mine), Some(theirs)) = (this.object.get(), other.object.get()) else {
            return Err(vm.attribute_error("object"));
        };
        let order = vm.call(&this.compare, &[mine, theirs])?;
        vm.rich_compare(&order, &Value::int(0), op)
    }

    /// Value wrapped by a key function.
    #[getter]
    fn obj(vm: &Vm, this: &Py<KeyWrapper>) -> Res<Value> {
        this.object.get().ok_or_else(|| vm.attribute_error("obj"))
    }

    #[setter(name = "obj")]
    fn set_obj(_vm: &Vm, this: &Py<KeyWrapper>, value: Option<&Value>) -> Res<()> {
        drop(this.object.swap(value.cloned()));
        Ok(())
    }
}

#[pymodule(
    name = "_functools",
    doc = "Tools that operate on functions.",
    types(KeyWrapper, LruCache, Partial, Placeholder)
)]
pub mod module {
    use super::*;

    #[pyattr(name = "Placeholder")]
    fn placeholder(_vm: &Vm) -> Value {
        Placeholder::value()
    }

    /// Convert a cmp= function into a key= function.
    ///
    ///   mycmp
    ///     Function that compares two objects.
    #[pyfunction(sig = "(mycmp)")]
    fn cmp_to_key(_vm: &Vm, mycmp: &Value) -> Value {
        Py::new(KeyWrapper {
            compare: mycmp.clone(),
            object: Slot::empty(),
        })
        .into_value()
    }

    /// Apply a function of two arguments cumulatively to the items of an iterable, from left to right.
    ///
    /// This effectively reduces the iterable to a single value.  If initial is present,
    /// it is placed before the items of the iterable in the calculation, and serves as
    /// a default when the iterable is empty.
    ///
    /// For example, reduce(lambda x, y: x+y, [1, 2, 3, 4, 5])
    /// calculates ((((1 + 2) + 3) + 4) + 5).
    #[pyfunction(sig = "(function, iterable, /, initial=<unrepresentable>)")]
    fn reduce(vm: &Vm, function: &Value, iterable: &Value, initial: Option<&Value>) -> Res<Value> {
        let iterator = vm.iter(iterable).map_err(|exc| {
            if exc.is(&exceptions::TYPE_ERROR) {
                vm.type_error("reduce() arg 2 must support iteration")
            } else {
                exc
            }
        })?;
        let first = match initial {
            Some(initial) => Some(initial.clone()),
            None => vm.next(&iterator)?,
        };
        let Some(mut result) = first else {
            return Err(vm.type_error("reduce() of empty iterable with no initial value"));
        };
        while let Some(item) = vm.next(&iterator)? {
            result = vm.call(function, &[result, item])?;
        }
        Ok(result)
    }
}
