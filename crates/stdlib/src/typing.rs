//! `_typing`: the parts of `typing` that the runtime implements.
//!
//! Left out: everything that `typing` itself does in Python.

use lisle_runtime::native::{Native, Value, Vm, pymodule};
use lisle_runtime::types::type_params::{
    Generic, NoDefaultType, ParamSpec, ParamSpecArgs, ParamSpecKwargs, TypeAliasType, TypeVar, TypeVarTuple,
};
use lisle_runtime::types::union_type;

/// The module.
#[pymodule(
    name = "_typing",
    doc = "Primitives and accelerators for the typing module.\n",
    types(
        TypeVar,
        TypeVarTuple,
        ParamSpec,
        ParamSpecArgs,
        ParamSpecKwargs,
        TypeAliasType,
        Generic
    )
)]
pub mod module {
    use super::*;
    /// Return the value.
    #[pyfunction(sig = "(x, /)")]
    fn _idfunc(_: &Vm, x: Value) -> Value {
        x
    }

    #[pyattr]
    fn NoDefault(_: &Vm) -> Value {
        NoDefaultType::value()
    }

    #[pyattr]
    fn Union(_: &Vm) -> Value {
        union_type::Union::ty().to_value()
    }
}
