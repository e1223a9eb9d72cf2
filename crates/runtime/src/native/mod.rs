//! The binding API: how modules, classes and functions written in Rust appear to Python.
//!
//! Invariant: a native function is a plain typed Rust function; arguments are checked, named and converted by code that
//! `lisle_macros` generates against the items of this module, and every error of theirs reads as CPython's.
//! This is the only part of the runtime that `lisle-stdlib` and generated code refer to. Left out: the descriptors that make
//! a [`FnDef`] callable from Python (`types::native_function`).

pub mod args;
pub mod convert;
pub mod def;
pub mod numbers;
pub mod suggest;

#[cfg(test)]
mod tests;

pub use args::{ArgCtx, ArgLabel, Args, Char, FromArg, FromThis, KwArgs, Param, ParamKind, Signature, Style};
pub use args::{init_ignores_keywords, new_ignores_keywords};
pub use convert::{IntoRes, IntoValue, into_next};
pub use def::{AttrFn, FnDef, FnKind, GetSetDef, Known, ModuleDef, NativeFn, NativeMethods, TypeFn};
pub use numbers::{
    IntRef, bigint_to_f64, check_int_bits, complex_divide, complex_value, div_mod_big, float_repr, huge, int_view,
    interruptible_work, mul_big, to_complex, truncate,
};

pub use crate::object::py::PayloadInfo;
pub use crate::object::types::TypeDef;
pub use crate::object::{Native, Py, PySlot, Slot, Type, TypeCell, TypeFlags, Value};
pub use crate::types::buffer::{Buffer, BufferFlags};
pub use crate::types::object::Object;
pub use crate::types::str::Str;
pub use crate::vm::{Exc, Res, Vm};
pub use lisle_bytecode::opcode::CmpOp;
pub use lisle_macros::{Trace, pyclass, pyfunction, pymethods, pymodule, signature};

/// `left.right`, for constants; `N` is the length of the result.
pub const fn join<const N: usize>(left: &str, right: &str) -> [u8; N] {
    let mut joined = [b'.'; N];
    let (mut at, start) = (0, left.len() + 1);
    while at < left.len() {
        joined[at] = left.as_bytes()[at];
        at += 1;
    }
    at = 0;
    while at < right.len() {
        joined[start + at] = right.as_bytes()[at];
        at += 1;
    }
    joined
}

/// Whether the value is `None`.
#[inline(always)]
pub fn is_none(value: &Value) -> bool {
    value.is_none()
}
