//! `Generic`, `NoDefault`, and functions that evaluate to a known value.

use super::call_typing;
use crate::intern;
use crate::memory::trace::{Trace, Visitor};
use crate::native::{Args, KwArgs, PayloadInfo, pyclass, pymethods};
use crate::object::{Native, Py, Type, TypeCell, TypeFlags, Value};
use crate::types::object::Object;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// Abstract base class for generic types. It adds nothing to what `object` is made of, so it can stand among any bases.
pub struct Generic {}

impl Trace for Generic {
    fn traverse(&self, _: &mut Visitor<'_>) {}
}

// SAFETY: the cell is this type's alone; instances have the payload of `object`.
unsafe impl Native for Generic {
    const NAME: &'static str = "Generic";
    const MODULE: &'static str = "typing";
    const DOC: Option<&'static str> = Some(
        "Abstract base class for generic types.\n\nOn Python 3.12 and newer, generic classes implicitly inherit from\nGeneric when they declare a parameter list after the class's name::\n\n    class Mapping[KT, VT]:\n        def __getitem__(self, key: KT) -> VT:\n            ...\n            # Etc.\n\nOn older versions of Python, however, generic classes have to\nexplicitly inherit from Generic.\n\nAfter a class has been declared to be generic, it can then be used as\nfollows::\n\n    def lookup_name[KT, VT](mapping: Mapping[KT, VT], key: KT, default: VT) -> VT:\n        try:\n            return mapping[key]\n        except KeyError:\n            return default\n",
    );
    const FLAGS: TypeFlags = TypeFlags::LIKE_HEAP.union(TypeFlags::BASETYPE);
    type Base = Object;

    fn type_cell() -> &'static TypeCell {
        static CELL: TypeCell = TypeCell::new();
        &CELL
    }

    fn info() -> &'static PayloadInfo {
        Object::info()
    }
}

fn call_helper(vm: &Vm, name: &'static Py<Str>, cls: &Py<Type>, args: &[Value], kwargs: KwArgs<'_>) -> Res<Value> {
    let typing = vm.import_module("typing")?;
    let helper = vm.getattr(&typing, name)?;
    let mut values = vec![cls.to_value()];
    values.extend_from_slice(args);
    let mut names = Vec::new();
    for (name, value) in kwargs.iter() {
        names.push(name.to_value());
        values.push(value.clone());
    }
    if names.is_empty() {
        return vm.call(&helper, &values);
    }
    let names = Tuple::new(names);
    vm.call_args(&helper, Args::with_names(&values, &names))
}

#[pymethods]
impl Generic {
    /// Parameterizes a generic class.
    #[classmethod(sig = "($type, *args, **kwargs)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, args: &[Value], kwargs: KwArgs<'_>) -> Res<Value> {
        call_helper(vm, intern!("_generic_class_getitem"), cls, args, kwargs)
    }

    /// Function to initialize subclasses.
    #[classmethod(sig = "($type, *args, **kwargs)")]
    fn __init_subclass__(vm: &Vm, cls: &Py<Type>, args: &[Value], kwargs: KwArgs<'_>) -> Res<Value> {
        call_helper(vm, intern!("_generic_init_subclass"), cls, args, kwargs)
    }
}

/// The type of `NoDefault`.
#[pyclass(name = "NoDefaultType", doc = "The type of the NoDefault singleton.")]
pub struct NoDefaultType {}

static NO_DEFAULT: crate::object::Slot = crate::object::Slot::empty();

impl NoDefaultType {
    /// `typing.NoDefault`
    pub fn value() -> Value {
        if let Some(value) = NO_DEFAULT.get() {
            return value;
        }
        // The first to come is kept.
        let _ = NO_DEFAULT.set_if_empty(Py::new(NoDefaultType {}).into_value());
        NO_DEFAULT.get().unwrap_or(Value::NONE)
    }
}

#[pymethods]
impl NoDefaultType {
    #[slot]
    fn __new__(vm: &Vm, _cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        if !args.values.is_empty() {
            return Err(vm.type_error("NoDefaultType takes no arguments"));
        }
        Ok(NoDefaultType::value())
    }

    #[slot]
    fn __repr__(_: &Vm, _this: &Py<NoDefaultType>) -> &'static str {
        "typing.NoDefault"
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_: &Vm, _this: &Py<NoDefaultType>) -> &'static str {
        "NoDefault"
    }
}

/// A function that evaluates to a known value, for `evaluate_bound` and its like.
#[pyclass(name = "_ConstEvaluator", module = "_typing", no_new)]
pub struct ConstEvaluator {
    value: Value,
}

impl ConstEvaluator {
    pub fn new_value(value: Value) -> Value {
        Py::new(ConstEvaluator { value }).into_value()
    }
}

#[pymethods]
impl ConstEvaluator {
    #[slot]
    fn __repr__(vm: &Vm, this: &Py<ConstEvaluator>) -> Res<String> {
        let shown = vm.repr(&this.value)?.to_string_lossy();
        Ok(format!("<constevaluator {shown}>"))
    }

    #[slot(sig = "(format)")]
    fn __call__(vm: &Vm, this: &Py<ConstEvaluator>, format: i64) -> Res<Value> {
        const STRING: i64 = 4;
        if format != STRING {
            return Ok(this.value.clone());
        }
        let show = |value: &Value| call_repr(vm, value);
        match this.value.downcast_exact::<Tuple>() {
            None => show(&this.value).map(Py::into_value),
            Some(items) => {
                let shown = items.as_slice().iter().map(show).collect::<Res<Vec<_>>>()?;
                let mut text = String::from("(");
                for (at, item) in shown.iter().enumerate() {
                    if at > 0 {
                        text.push_str(", ");
                    }
                    text.push_str(&item.to_string_lossy());
                }
                text.push(')');
                Ok(Str::from_str(&text).into_value())
            }
        }
    }
}

/// A type as annotations show it.
fn call_repr(vm: &Vm, value: &Value) -> Res<Py<Str>> {
    let shown = call_typing(vm, intern!("_type_repr"), std::slice::from_ref(value))?;
    vm.str(&shown)
}
