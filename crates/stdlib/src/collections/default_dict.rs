//! `defaultdict`.
//!
//! Invariant: without the GIL a missing key gets one default for all threads: whoever comes second gets the first one's.

use lisle_runtime::intern;
use lisle_runtime::native::{Args, Py, Res, Slot, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::object::Native;
use lisle_runtime::sync::free_threaded;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::tuple::Tuple;

/// A dict that makes values for missing keys.
#[pyclass(
    name = "defaultdict",
    late_end,
    module = "collections",
    base = Dict,
    basetype,
    doc = "defaultdict(default_factory=None, /, [...]) --> dict with default factory\n\nThe default factory is called without arguments to produce\na new value when a key is not present, in __getitem__ only.\nA defaultdict compares equal to a dict with the same items.\nAll remaining arguments are treated the same as if they were\npassed to the dict constructor, including keyword arguments."
)]
pub struct DefaultDict {
    dict: Dict,
    factory: Slot,
}

impl DefaultDict {
    /// The factory, `None` if it is None.
    fn factory(&self) -> Option<Value> {
        self.factory.get().filter(|factory| !factory.is_none())
    }

    /// `type(self)(self.default_factory, source)`
    fn like(vm: &Vm, this: &Py<DefaultDict>, source: Value) -> Res<Value> {
        let factory = this.factory().unwrap_or(Value::NONE);
        vm.call(this.class().as_value(), &[factory, source])
    }
}

#[pymethods]
impl DefaultDict {
    #[slot]
    fn __new__(_vm: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        let made = DefaultDict {
            dict: Dict::empty_payload(),
            factory: Slot::empty(),
        };
        Ok(Py::with_class(cls, made).into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Py<DefaultDict>, args: Args<'_>) -> Res<()> {
        let mut rest = args;
        let mut factory = None;
        if let Some((first, others)) = args.split_receiver() {
            if !first.is_none() && !vm.is_callable(first) {
                return Err(vm.type_error("first argument must be callable or None"));
            }
            factory = Some(first.clone());
            rest = others;
        }
        drop(this.factory.swap(factory));
        this.as_base().update_from_args(vm, "dict", rest)
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<DefaultDict>) -> Res<String> {
        let items = match Dict::ty().slots().repr {
            Some(repr) => vm.str(&repr(vm, this.as_value())?)?.to_string_lossy(),
            None => String::new(),
        };
        let factory = match this.factory() {
            None => "None".to_owned(),
            Some(factory) => match vm.repr_enter(&factory) {
                Some(_guard) => vm.repr(&factory)?.to_string_lossy(),
                None => "...".to_owned(),
            },
        };
        Ok(format!("{}({factory}, {items})", this.class().short_name()))
    }

    #[slot]
    fn __or__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        let (this, other) = match (a.downcast::<DefaultDict>(), b.downcast::<DefaultDict>()) {
            (Some(this), _) => (this, b),
            (None, Some(this)) => (this, a),
            (None, None) => return Ok(Value::NOT_IMPLEMENTED),
        };
        if other.downcast::<Dict>().is_none() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let merged = DefaultDict::like(vm, this, a.clone())?;
        if let Some(merged) = merged.downcast::<Dict>() {
            merged.update_from(vm, b)?;
        }
        Ok(merged)
    }

    /// Factory for default value called by __missing__().
    #[getter]
    fn default_factory(_vm: &Vm, this: &Py<DefaultDict>) -> Option<Value> {
        this.factory()
    }

    #[setter]
    fn set_default_factory(_vm: &Vm, this: &Py<DefaultDict>, value: Option<&Value>) -> Res<()> {
        drop(this.factory.swap(value.cloned()));
        Ok(())
    }

    /// __missing__(key) # Called by __getitem__ for missing key; pseudo-code:
    /// if self.default_factory is None: raise KeyError((key,))
    /// self[key] = value = self.default_factory()
    /// return value
    #[pymethod(sig = "($self, key, /)")]
    fn __missing__(vm: &Vm, this: &Py<DefaultDict>, key: &Value) -> Res<Value> {
        let Some(factory) = this.factory() else {
            return Err(vm.key_error(key.clone()));
        };
        let value = vm.call(&factory, &[])?;
        let setitem = |ty: &Py<Type>| ty.slots().setitem.map(|f| f as usize);
        if setitem(this.class()) != setitem(Dict::ty()) {
            vm.setitem(this.as_value(), key, &value)?;
        } else if free_threaded() {
            return this.as_base().set_default(vm, key, &value);
        } else {
            this.as_base().set(vm, key, value.clone())?;
        }
        Ok(value)
    }

    /// D.copy() -> a shallow copy of D.
    #[pymethod(sig = "($self, /)")]
    fn copy(vm: &Vm, this: &Py<DefaultDict>) -> Res<Value> {
        DefaultDict::like(vm, this, this.to_value())
    }

    /// D.copy() -> a shallow copy of D.
    #[pymethod(sig = "($self, /)")]
    fn __copy__(vm: &Vm, this: &Py<DefaultDict>) -> Res<Value> {
        DefaultDict::like(vm, this, this.to_value())
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<DefaultDict>) -> Res<Value> {
        let args = match this.factory() {
            Some(factory) => Tuple::from_array([factory]),
            None => Tuple::empty(),
        };
        let items = vm.call_method(this.as_value(), intern!("items"), &[])?;
        let items = vm.iter(&items)?;
        let class = this.class().to_value();
        Ok(Tuple::from_array([class, args.into_value(), Value::NONE, Value::NONE, items]).into_value())
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        Ok(lisle_runtime::types::generic_alias::GenericAlias::new_value(
            vm,
            cls.as_value(),
            object,
        ))
    }
}
