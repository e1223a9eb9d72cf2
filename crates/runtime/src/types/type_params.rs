//! Type parameters: `TypeVar`, `ParamSpec`, `TypeVarTuple`, `type` aliases, and what the compiler's instructions make of them.
//!
//! Bounds, constraints, defaults and values are evaluated when they are first asked for. Invariant: a lazy value is computed outside
//! of any lock and stored once; threads that race for it may each compute it. The rules of substitution are those of the
//! module `typing`, which is called for them.

mod alias;
mod generic;
mod params;

pub use alias::TypeAliasType;
pub use generic::{ConstEvaluator, Generic, NoDefaultType};
pub use params::{ParamSpec, ParamSpecArgs, ParamSpecKwargs, TypeVar, TypeVarTuple};

use crate::intern;
use crate::memory::trace::{Trace, Visitor};
use crate::object::{Py, Slot, Value};
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// A value that may still be a function to be called.
#[derive(Default)]
pub(crate) struct Lazy {
    value: Slot,
    evaluate: Slot,
}

impl Trace for Lazy {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        self.value.traverse(visit);
        self.evaluate.traverse(visit);
    }

    fn clear(&self, out: &mut Vec<Value>) {
        self.value.clear(out);
        self.evaluate.clear(out);
    }
}

impl Lazy {
    fn known(value: Option<Value>) -> Lazy {
        Lazy {
            value: Slot::from_option(value),
            evaluate: Slot::empty(),
        }
    }

    fn later(evaluate: Option<&Value>) -> Lazy {
        Lazy {
            value: Slot::empty(),
            evaluate: Slot::from_option(evaluate.cloned()),
        }
    }

    /// The value, `None` if there is none.
    fn get(&self, vm: &Vm) -> Res<Option<Value>> {
        if let Some(value) = self.value.get() {
            return Ok(Some(value));
        }
        let Some(evaluate) = self.evaluate.get() else {
            return Ok(None);
        };
        let value = vm.call(&evaluate, &[Value::int(1)])?;
        self.value.set(value.clone());
        Ok(Some(value))
    }

    /// The function that evaluates it: the compiler's, or one that gives the known value.
    fn evaluator(&self) -> Option<Value> {
        if let Some(evaluate) = self.evaluate.get() {
            return Some(evaluate);
        }
        self.value.get().map(ConstEvaluator::new_value)
    }

    fn is_set(&self) -> bool {
        !self.value.is_empty() || !self.evaluate.is_empty()
    }
}

/// Calls a helper of the module `typing`.
pub(crate) fn call_typing(vm: &Vm, name: &'static Py<Str>, args: &[Value]) -> Res<Value> {
    let typing = vm.import_module("typing")?;
    let helper = vm.getattr(&typing, name)?;
    vm.call(&helper, args)
}

/// `__name__` of the module whose code is running.
fn calling_module(vm: &Vm) -> Option<Value> {
    let frame = vm.frames.current()?;
    frame.globals().get_str(intern!("__name__"))
}

/// Gives an instance the attribute `__module__`.
fn set_module(vm: &Vm, object: &Value) -> Res<()> {
    // Code without a module leaves none.
    let module = calling_module(vm).unwrap_or(Value::NONE);
    vm.setattr(object, intern!("__module__"), &module)
}

/// The parameters with each TypeVarTuple as `Unpack[Ts]`.
fn unpacked(vm: &Vm, params: &Py<Tuple>) -> Res<Py<Tuple>> {
    if !params
        .as_slice()
        .iter()
        .any(|p| p.downcast_exact::<TypeVarTuple>().is_some())
    {
        return Ok(params.clone());
    }
    let mut out = Vec::new();
    for param in params.as_slice() {
        out.push(match param.downcast_exact::<TypeVarTuple>() {
            Some(_) => unpack(vm, param)?,
            None => param.clone(),
        });
    }
    Ok(Tuple::new(out))
}

/// `typing.Unpack[value]`
fn unpack(vm: &Vm, value: &Value) -> Res<Value> {
    let typing = vm.import_module("typing")?;
    let special = vm.getattr(&typing, intern!("Unpack"))?;
    vm.getitem(&special, value)
}

// ---- what the compiler's instructions do ----

/// `TypeVar(name)`, with a lazily evaluated bound or constraints.
pub fn type_var(_: &Vm, name: &Value, bound: Option<&Value>, constraints: Option<&Value>) -> Res<Value> {
    Ok(TypeVar::inferred(name, Lazy::later(bound), Lazy::later(constraints)))
}

/// `ParamSpec(name)`
pub fn param_spec(_: &Vm, name: &Value) -> Res<Value> {
    Ok(ParamSpec::inferred(name))
}

/// `TypeVarTuple(name)`
pub fn type_var_tuple(_: &Vm, name: &Value) -> Res<Value> {
    Ok(TypeVarTuple::inferred(name))
}

/// `Generic[params]`
pub fn subscript_generic(vm: &Vm, params: &Value) -> Res<Value> {
    let Some(params) = params.downcast::<Tuple>() else {
        return Err(vm.type_error("type parameters must be a tuple"));
    };
    let params = unpacked(vm, params)?;
    let generic = <Generic as crate::object::Native>::ty().to_value();
    call_typing(vm, intern!("_GenericAlias"), &[generic, params.into_value()])
}

/// `TypeAliasType` from a tuple of name, parameters or None, and the function that evaluates the value.
pub fn type_alias(vm: &Vm, parts: &Value) -> Res<Value> {
    match parts.downcast::<Tuple>().map(|parts| parts.as_slice()) {
        Some([name, params, evaluate]) => {
            let params = params.downcast::<Tuple>().cloned();
            Ok(TypeAliasType::lazy(name, params, evaluate, calling_module(vm)))
        }
        _ => Err(vm.system_error("a type alias needs three parts")),
    }
}

/// Sets the function that evaluates the default of a type parameter.
pub fn set_default(vm: &Vm, param: &Value, evaluate: &Value) -> Res<Value> {
    let default = if let Some(param) = param.downcast_exact::<TypeVar>() {
        &param.default
    } else if let Some(param) = param.downcast_exact::<ParamSpec>() {
        &param.default
    } else if let Some(param) = param.downcast_exact::<TypeVarTuple>() {
        &param.default
    } else {
        let found = param.ty().name();
        return Err(vm.type_error(format!("Expected a type param, got {found}")));
    };
    default.evaluate.set(evaluate.clone());
    Ok(param.clone())
}
