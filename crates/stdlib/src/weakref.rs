//! `_weakref`: what `weakref` is built on. The types are the runtime's (`types::weakref`).
//!
//! Invariant: none of its own. Left out: nothing.

use lisle_runtime::native::{Native, Res, Value, Vm, pymodule};
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::list::List;
use lisle_runtime::types::weakref::{self, CallableProxy, Proxy, Ref};

#[pymodule(name = "_weakref", doc = "Weak-reference support module.")]
pub mod module {
    use super::*;

    /// Return the number of weak references to 'object'.
    #[pyfunction(sig = "(object, /)")]
    fn getweakrefcount(_: &Vm, object: &Value) -> usize {
        weakref::count(object)
    }

    /// Atomically remove key from dict if it points to a dead weakref.
    #[pyfunction(sig = "(dct, key, /)")]
    fn _remove_dead_weakref(vm: &Vm, dct: &Value, key: &Value) -> Res<()> {
        let Some(dict) = dct.downcast::<Dict>() else {
            return Err(vm.type_error(format!(
                "_remove_dead_weakref() argument 1 must be dict, not {}",
                dct.ty().name()
            )));
        };
        dict.remove_if(vm, key, weakref::is_dead_ref).map(drop)
    }

    /// Return a list of all weak reference objects pointing to 'object'.
    #[pyfunction(sig = "(object, /)")]
    fn getweakrefs(_: &Vm, object: &Value) -> Value {
        List::new(weakref::references(object)).into_value()
    }

    /// Create a proxy object that weakly references 'object'.
    ///
    /// 'callback', if given, is called with a reference to the
    /// proxy when 'object' is about to be finalized.
    #[pyfunction(sig = "(object, callback=None, /)")]
    fn proxy(vm: &Vm, object: &Value, callback: Option<&Value>) -> Res<Value> {
        weakref::new_proxy(vm, object, callback.filter(|callback| !callback.is_none()))
    }

    #[pyattr(name = "ref")]
    fn reference(_: &Vm) -> Value {
        Ref::ty().to_value()
    }

    #[pyattr]
    fn ReferenceType(_: &Vm) -> Value {
        Ref::ty().to_value()
    }

    #[pyattr]
    fn ProxyType(_: &Vm) -> Value {
        Proxy::ty().to_value()
    }

    #[pyattr]
    fn CallableProxyType(_: &Vm) -> Value {
        CallableProxy::ty().to_value()
    }
}
