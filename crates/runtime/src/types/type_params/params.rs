//! `TypeVar`, `ParamSpec` and `TypeVarTuple`.

use super::{Lazy, NoDefaultType, call_typing, set_module};
use crate::intern;
use crate::native::{CmpOp, pyclass, pymethods};
use crate::object::{Py, Type, Value};
use crate::types::exceptions::text;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// What a parameter is declared to allow.
#[derive(Clone, Copy, Default)]
struct Variance {
    covariant: bool,
    contravariant: bool,
    infer: bool,
}

crate::no_trace!(Variance);

impl Variance {
    const INFERRED: Variance = Variance {
        covariant: false,
        contravariant: false,
        infer: true,
    };

    fn checked(vm: &Vm, covariant: bool, contravariant: bool, infer: bool) -> Res<Variance> {
        if covariant && contravariant {
            return Err(vm.value_error("Bivariant types are not supported."));
        }
        if infer && (covariant || contravariant) {
            return Err(vm.value_error("Variance cannot be specified with infer_variance."));
        }
        Ok(Variance {
            covariant,
            contravariant,
            infer,
        })
    }

    fn sign(self) -> &'static str {
        match (self.infer, self.covariant, self.contravariant) {
            (true, ..) => "",
            (_, true, _) => "+",
            (_, _, true) => "-",
            _ => "~",
        }
    }
}

fn name_of(name: &Value) -> Py<Str> {
    name.downcast::<Str>().cloned().unwrap_or_else(Str::empty)
}

/// The bound, checked to be a type.
fn checked_bound(vm: &Vm, bound: Option<&Value>) -> Res<Option<Value>> {
    match bound.filter(|bound| !bound.is_none()) {
        None => Ok(None),
        Some(bound) => {
            let message = Value::from("Bound must be a type.");
            call_typing(vm, intern!("_type_check"), &[bound.clone(), message]).map(Some)
        }
    }
}

/// The default, if one is given.
fn given_default(default: Option<&Value>) -> Lazy {
    Lazy::known(default.filter(|default| !default.is(&NoDefaultType::value())).cloned())
}

fn default_of(vm: &Vm, default: &Lazy) -> Res<Value> {
    Ok(default.get(vm)?.unwrap_or_else(NoDefaultType::value))
}

fn no_subclass(vm: &Vm, name: &str) -> Res<Value> {
    Err(vm.type_error(format!("Cannot subclass an instance of {name}")))
}

/// A type variable.
#[pyclass(
    name = "TypeVar",
    module = "typing",
    weakref,
    dict,
    doc = "Type variable.\n\nThe preferred way to construct a type variable is via the dedicated\nsyntax for generic functions, classes, and type aliases::\n\n    class Sequence[T]:  # T is a TypeVar\n        ..."
)]
pub struct TypeVar {
    name: Py<Str>,
    bound: Lazy,
    constraints: Lazy,
    pub(super) default: Lazy,
    variance: Variance,
}

impl TypeVar {
    pub(super) fn inferred(name: &Value, bound: Lazy, constraints: Lazy) -> Value {
        Py::new(TypeVar {
            name: name_of(name),
            bound,
            constraints,
            default: Lazy::default(),
            variance: Variance::INFERRED,
        })
        .into_value()
    }
}

#[pymethods]
impl TypeVar {
    #[slot(
        sig = "(name, *constraints, bound=None, default=typing.NoDefault, covariant=False, contravariant=False, infer_variance=False)"
    )]
    fn __new__(
        vm: &Vm,
        _cls: &Py<Type>,
        name: &Py<Str>,
        constraints: &[Value],
        bound: Option<&Value>,
        default: Option<&Value>,
        covariant: Option<bool>,
        contravariant: Option<bool>,
        infer_variance: Option<bool>,
    ) -> Res<Value> {
        let variance = Variance::checked(
            vm,
            covariant.unwrap_or(false),
            contravariant.unwrap_or(false),
            infer_variance.unwrap_or(false),
        )?;
        let bound = checked_bound(vm, bound)?;
        let constraints = match constraints.len() {
            0 => None,
            1 => return Err(vm.type_error("A single constraint is not allowed")),
            _ if bound.is_some() => {
                return Err(vm.type_error("Constraints cannot be combined with bound=..."));
            }
            _ => Some(Tuple::new(constraints.to_vec()).into_value()),
        };
        let this = Py::new(TypeVar {
            name: name.clone(),
            bound: Lazy::known(bound),
            constraints: Lazy::known(constraints),
            default: given_default(default),
            variance,
        });
        set_module(vm, this.as_value())?;
        Ok(this.into_value())
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<TypeVar>) -> Value {
        text::join(&[&this.variance.sign(), &this.name]).into_value()
    }

    #[slot]
    fn __or__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        crate::types::union_type::union_of(vm, a, b)
    }

    #[pymethod(sig = "($self, arg, /)")]
    fn __typing_subst__(vm: &Vm, this: &Py<TypeVar>, arg: &Value) -> Res<Value> {
        call_typing(vm, intern!("_typevar_subst"), &[this.to_value(), arg.clone()])
    }

    #[pymethod(sig = "($self, alias, args, /)")]
    fn __typing_prepare_subst__(vm: &Vm, this: &Py<TypeVar>, alias: &Value, args: &Value) -> Res<Value> {
        let params = vm.getattr(alias, intern!("__parameters__"))?;
        let given = vm.len(args)?;
        let index = vm.call_method(&params, intern!("index"), &[this.to_value()])?;
        let index = vm.index_to_isize(&index)?;
        if index < given as isize {
            return Ok(args.clone());
        }
        let default = default_of(vm, &this.default)?;
        if index == given as isize && !default.is(&NoDefaultType::value()) {
            let mut args = vm.collect(args)?;
            args.push(default);
            return Ok(Tuple::new(args).into_value());
        }
        let shown = vm.str(alias)?.to_string_lossy();
        Err(vm.type_error(format!("Too few arguments for {shown}")))
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_: &Vm, this: &Py<TypeVar>) -> Py<Str> {
        this.name.clone()
    }

    #[pymethod(sig = "($self, /)")]
    fn has_default(_: &Vm, this: &Py<TypeVar>) -> bool {
        this.default.is_set()
    }

    #[pymethod(sig = "($self, object, /)")]
    fn __mro_entries__(vm: &Vm, _this: &Py<TypeVar>, _object: &Value) -> Res<Value> {
        no_subclass(vm, "TypeVar")
    }

    #[getter]
    fn __name__(_: &Vm, this: &Py<TypeVar>) -> Py<Str> {
        this.name.clone()
    }
    #[getter]
    fn __covariant__(_: &Vm, this: &Py<TypeVar>) -> bool {
        this.variance.covariant
    }
    #[getter]
    fn __contravariant__(_: &Vm, this: &Py<TypeVar>) -> bool {
        this.variance.contravariant
    }
    #[getter]
    fn __infer_variance__(_: &Vm, this: &Py<TypeVar>) -> bool {
        this.variance.infer
    }
    #[getter]
    fn __bound__(vm: &Vm, this: &Py<TypeVar>) -> Res<Option<Value>> {
        this.bound.get(vm)
    }
    #[getter]
    fn evaluate_bound(_: &Vm, this: &Py<TypeVar>) -> Option<Value> {
        this.bound.evaluator()
    }
    #[getter]
    fn __constraints__(vm: &Vm, this: &Py<TypeVar>) -> Res<Value> {
        Ok(this.constraints.get(vm)?.unwrap_or_else(|| Tuple::empty().into_value()))
    }
    #[getter]
    fn evaluate_constraints(_: &Vm, this: &Py<TypeVar>) -> Option<Value> {
        this.constraints.evaluator()
    }
    #[getter]
    fn __default__(vm: &Vm, this: &Py<TypeVar>) -> Res<Value> {
        default_of(vm, &this.default)
    }
    #[getter]
    fn evaluate_default(_: &Vm, this: &Py<TypeVar>) -> Option<Value> {
        this.default.evaluator()
    }
}

/// A parameter specification.
#[pyclass(
    name = "ParamSpec",
    module = "typing",
    weakref,
    dict,
    doc = "Parameter specification variable.\n\nThe preferred way to construct a parameter specification is via the\ndedicated syntax for generic functions, classes, and type aliases,\nwhere the use of '**' creates a parameter specification::\n\n    type IntFunc[**P] = Callable[P, int]"
)]
pub struct ParamSpec {
    name: Py<Str>,
    bound: Option<Value>,
    pub(super) default: Lazy,
    variance: Variance,
}

impl ParamSpec {
    pub(super) fn inferred(name: &Value) -> Value {
        Py::new(ParamSpec {
            name: name_of(name),
            bound: None,
            default: Lazy::default(),
            variance: Variance::INFERRED,
        })
        .into_value()
    }
}

#[pymethods]
impl ParamSpec {
    #[slot(
        sig = "(name, *, bound=None, default=typing.NoDefault, covariant=False, contravariant=False, infer_variance=False)"
    )]
    fn __new__(
        vm: &Vm,
        _cls: &Py<Type>,
        name: &Py<Str>,
        bound: Option<&Value>,
        default: Option<&Value>,
        covariant: Option<bool>,
        contravariant: Option<bool>,
        infer_variance: Option<bool>,
    ) -> Res<Value> {
        let variance = Variance::checked(
            vm,
            covariant.unwrap_or(false),
            contravariant.unwrap_or(false),
            infer_variance.unwrap_or(false),
        )?;
        let this = Py::new(ParamSpec {
            name: name.clone(),
            bound: checked_bound(vm, bound)?,
            default: given_default(default),
            variance,
        });
        set_module(vm, this.as_value())?;
        Ok(this.into_value())
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<ParamSpec>) -> Value {
        text::join(&[&this.variance.sign(), &this.name]).into_value()
    }

    #[slot]
    fn __or__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        crate::types::union_type::union_of(vm, a, b)
    }

    #[pymethod(sig = "($self, arg, /)")]
    fn __typing_subst__(vm: &Vm, this: &Py<ParamSpec>, arg: &Value) -> Res<Value> {
        call_typing(vm, intern!("_paramspec_subst"), &[this.to_value(), arg.clone()])
    }

    #[pymethod(sig = "($self, alias, args, /)")]
    fn __typing_prepare_subst__(vm: &Vm, this: &Py<ParamSpec>, alias: &Value, args: &Value) -> Res<Value> {
        let args = [this.to_value(), alias.clone(), args.clone()];
        call_typing(vm, intern!("_paramspec_prepare_subst"), &args)
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_: &Vm, this: &Py<ParamSpec>) -> Py<Str> {
        this.name.clone()
    }

    #[pymethod(sig = "($self, /)")]
    fn has_default(_: &Vm, this: &Py<ParamSpec>) -> bool {
        this.default.is_set()
    }

    #[pymethod(sig = "($self, object, /)")]
    fn __mro_entries__(vm: &Vm, _this: &Py<ParamSpec>, _object: &Value) -> Res<Value> {
        no_subclass(vm, "ParamSpec")
    }

    #[getter]
    fn __name__(_: &Vm, this: &Py<ParamSpec>) -> Py<Str> {
        this.name.clone()
    }
    #[getter]
    fn __bound__(_: &Vm, this: &Py<ParamSpec>) -> Option<Value> {
        this.bound.clone()
    }
    #[getter]
    fn __covariant__(_: &Vm, this: &Py<ParamSpec>) -> bool {
        this.variance.covariant
    }
    #[getter]
    fn __contravariant__(_: &Vm, this: &Py<ParamSpec>) -> bool {
        this.variance.contravariant
    }
    #[getter]
    fn __infer_variance__(_: &Vm, this: &Py<ParamSpec>) -> bool {
        this.variance.infer
    }
    #[getter]
    fn __default__(vm: &Vm, this: &Py<ParamSpec>) -> Res<Value> {
        default_of(vm, &this.default)
    }
    #[getter]
    fn evaluate_default(_: &Vm, this: &Py<ParamSpec>) -> Option<Value> {
        this.default.evaluator()
    }
    /// Represents positional arguments.
    #[getter]
    fn args(_: &Vm, this: &Py<ParamSpec>) -> Value {
        let origin = this.to_value();
        Py::new(ParamSpecArgs { origin }).into_value()
    }
    /// Represents keyword arguments.
    #[getter]
    fn kwargs(_: &Vm, this: &Py<ParamSpec>) -> Value {
        let origin = this.to_value();
        Py::new(ParamSpecKwargs { origin }).into_value()
    }
}

macro_rules! part {
    ($name:ident, $python:literal, $suffix:literal, $doc:literal) => {
        #[doc = $doc]
        #[pyclass(name = $python, module = "typing", weakref, doc = $doc)]
        pub struct $name {
            origin: Value,
        }

        #[pymethods]
        impl $name {
            #[slot(sig = "(origin)")]
            fn __new__(_: &Vm, _cls: &Py<Type>, origin: Value) -> Value {
                Py::new($name { origin }).into_value()
            }

            #[slot]
            fn __repr__(vm: &Vm, this: &Py<$name>) -> Res<Value> {
                let origin = match this.origin.downcast_exact::<ParamSpec>() {
                    Some(origin) => origin.name.clone(),
                    None => vm.repr(&this.origin)?,
                };
                Ok(text::join(&[&origin, &$suffix]).into_value())
            }

            #[slot]
            fn __richcompare__(vm: &Vm, this: &Py<$name>, other: &Value, op: CmpOp) -> Res<Value> {
                let Some(other) = other.downcast_exact::<$name>() else {
                    return Ok(Value::NOT_IMPLEMENTED);
                };
                match op {
                    CmpOp::Eq | CmpOp::Ne => vm.rich_compare(&this.origin, &other.origin, op),
                    _ => Ok(Value::NOT_IMPLEMENTED),
                }
            }

            #[pymethod(sig = "($self, object, /)")]
            fn __mro_entries__(vm: &Vm, _this: &Py<$name>, _object: &Value) -> Res<Value> {
                no_subclass(vm, $python)
            }

            #[getter]
            fn __origin__(_: &Vm, this: &Py<$name>) -> Value {
                this.origin.clone()
            }
        }
    };
}

part!(
    ParamSpecArgs,
    "ParamSpecArgs",
    ".args",
    "The args for a ParamSpec object."
);
part!(
    ParamSpecKwargs,
    "ParamSpecKwargs",
    ".kwargs",
    "The kwargs for a ParamSpec object."
);

/// A type variable tuple.
#[pyclass(
    name = "TypeVarTuple",
    module = "typing",
    weakref,
    dict,
    doc = "Type variable tuple. A specialized form of type variable that enables\nvariadic generics.\n\nThe preferred way to construct a type variable tuple is via the\ndedicated syntax for generic functions, classes, and type aliases,\nwhere a single '*' indicates a type variable tuple::\n\n    def move_first_element_to_last[T, *Ts](tup: tuple[T, *Ts]) -> tuple[*Ts, T]:\n        return (*tup[1:], tup[0])"
)]
pub struct TypeVarTuple {
    name: Py<Str>,
    pub(super) default: Lazy,
}

impl TypeVarTuple {
    pub(super) fn inferred(name: &Value) -> Value {
        Py::new(TypeVarTuple {
            name: name_of(name),
            default: Lazy::default(),
        })
        .into_value()
    }
}

#[pymethods]
impl TypeVarTuple {
    #[slot(sig = "(name, *, default=typing.NoDefault)")]
    fn __new__(vm: &Vm, _cls: &Py<Type>, name: &Py<Str>, default: Option<&Value>) -> Res<Value> {
        let this = Py::new(TypeVarTuple {
            name: name.clone(),
            default: given_default(default),
        });
        set_module(vm, this.as_value())?;
        Ok(this.into_value())
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<TypeVarTuple>) -> Py<Str> {
        this.name.clone()
    }

    #[slot]
    fn __iter__(vm: &Vm, this: &Py<TypeVarTuple>) -> Res<Value> {
        let unpacked = super::unpack(vm, this.as_value())?;
        vm.iter(Tuple::new(vec![unpacked]).as_value())
    }

    #[pymethod(sig = "($self, arg, /)")]
    fn __typing_subst__(vm: &Vm, _this: &Py<TypeVarTuple>, _arg: &Value) -> Res<Value> {
        Err(vm.type_error("Substitution of bare TypeVarTuple is not supported"))
    }

    #[pymethod(sig = "($self, alias, args, /)")]
    fn __typing_prepare_subst__(vm: &Vm, this: &Py<TypeVarTuple>, alias: &Value, args: &Value) -> Res<Value> {
        let args = [this.to_value(), alias.clone(), args.clone()];
        call_typing(vm, intern!("_typevartuple_prepare_subst"), &args)
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_: &Vm, this: &Py<TypeVarTuple>) -> Py<Str> {
        this.name.clone()
    }

    #[pymethod(sig = "($self, /)")]
    fn has_default(_: &Vm, this: &Py<TypeVarTuple>) -> bool {
        this.default.is_set()
    }

    #[pymethod(sig = "($self, object, /)")]
    fn __mro_entries__(vm: &Vm, _this: &Py<TypeVarTuple>, _object: &Value) -> Res<Value> {
        no_subclass(vm, "TypeVarTuple")
    }

    #[getter]
    fn __name__(_: &Vm, this: &Py<TypeVarTuple>) -> Py<Str> {
        this.name.clone()
    }
    #[getter]
    fn __default__(vm: &Vm, this: &Py<TypeVarTuple>) -> Res<Value> {
        default_of(vm, &this.default)
    }
    #[getter]
    fn evaluate_default(_: &Vm, this: &Py<TypeVarTuple>) -> Option<Value> {
        this.default.evaluator()
    }
}
