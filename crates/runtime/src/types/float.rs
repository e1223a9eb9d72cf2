//! float: boxed floats, arithmetic slots, hashing.
//!
//! Invariant: an exact float that the value word can hold is never boxed; instances of subclasses always are.

use std::cmp::Ordering;

use lisle_bytecode::opcode::{BinOp, CmpOp};
use lisle_macros::{pyclass, pymethods};

use super::int::{self, HASH_MODULUS, signed_hash};
use super::number_ops;
use crate::object::slots::UnaryFn;
use crate::object::{Native, Py, Type, Value};
use crate::text::float::{decompose, repr_float};
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// The payload of a float that is no immediate.
#[pyclass(
    name = "float",
    late_end,
    doc = "Convert a string or number to a floating-point number, if possible.",
    basetype,
    gc = false
)]
pub struct Float {
    pub value: f64,
}

/// A heap float of exactly type float; `x` does not fit the value word.
pub fn boxed(x: f64) -> Value {
    Py::new(Float { value: x }).into_value()
}

/// An instance of `cls`, which is float or a subclass of it.
pub fn with_class(cls: &Py<Type>, x: f64) -> Value {
    if cls.is(Float::ty()) {
        Value::float(x)
    } else {
        Py::with_class(cls, Float { value: x }).into_value()
    }
}

/// The number, if `value` is a float or an instance of a subclass.
#[inline]
pub fn view(value: &Value) -> Option<f64> {
    match value.as_exact_float() {
        Some(x) => Some(x),
        None => value.downcast::<Float>().map(|f| f.value),
    }
}

/// As [`view`], for a value that is known to be a float.
#[inline]
pub(super) fn known(value: &Value) -> f64 {
    view(value).unwrap_or(0.0)
}

/// An operand of float arithmetic: a float, or an int converted; `None` for anything else.
#[inline]
pub fn operand(vm: &Vm, value: &Value) -> Res<Option<f64>> {
    if let Some(x) = view(value) {
        return Ok(Some(x));
    }
    int::view(value).map(|n| n.to_float(vm)).transpose()
}

#[inline]
fn binary(vm: &Vm, op: BinOp, a: &Value, b: &Value) -> Res<Value> {
    match (operand(vm, a)?, operand(vm, b)?) {
        (Some(a), Some(b)) => number_ops::binary_float(vm, op, a, b),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

/// The hash of a number; equal to that of an equal int. A nan has its object's.
pub fn hash(x: f64) -> Option<i64> {
    if x.is_nan() {
        return None;
    }
    if x.is_infinite() {
        return Some(if x > 0.0 { 314_159 } else { -314_159 });
    }
    let (mantissa, exponent) = decompose(x);
    // Multiplying by 2 modulo 2**61 - 1 rotates the 61 bits.
    let turn = exponent.rem_euclid(61) as u32;
    let m = mantissa.unsigned_abs() % HASH_MODULUS;
    let turned = ((m << turn) & HASH_MODULUS) | (m >> (61 - turn));
    Some(signed_hash(
        if turned == HASH_MODULUS { 0 } else { turned },
        mantissa < 0,
    ))
}

/// The hash of an object by its identity.
pub fn hash_identity(bits: u64) -> i64 {
    (bits.rotate_right(4) & (i64::MAX as u64)) as i64
}

/// The result of a type's `__float__`, checked.
fn call_float(vm: &Vm, value: &Value, convert: UnaryFn) -> Res<f64> {
    let result = convert(vm, value)?;
    if let Some(x) = result.as_exact_float() {
        return Ok(x);
    }
    let (owner, found) = (value.ty().name(), result.ty().name());
    let Some(x) = view(&result) else {
        return Err(vm.type_error(format!("{owner}.__float__ returned non-float (type {found})")));
    };
    vm.warn(
        crate::types::exceptions::DEPRECATION_WARNING.get(),
        &format!(
            "{owner}.__float__ returned non-float (type {found}).  The ability to return an instance of a strict subclass of float is deprecated, and may not be allowed in a future version of Python."
        ),
        1,
    )?;
    Ok(x)
}

/// The number that `__float__` or `__index__` gives; `None` if `value` has neither.
pub fn from_number_opt(vm: &Vm, value: &Value) -> Res<Option<f64>> {
    if let Some(x) = value.as_exact_float() {
        return Ok(Some(x));
    }
    if let Some(i) = value.as_small_int() {
        return Ok(Some(i as f64));
    }
    if let Some(convert) = value.ty().slots().float {
        return call_float(vm, value, convert).map(Some);
    }
    if value.ty().slots().index.is_some() {
        let n = vm.index(value)?;
        return int::view(&n).map(|n| n.to_float(vm)).transpose();
    }
    Ok(None)
}

/// A real number as a native function takes it: a float of any kind, or what converts by `__float__` or `__index__`.
pub fn to_f64(vm: &Vm, value: &Value) -> Res<f64> {
    if let Some(x) = view(value) {
        return Ok(x);
    }
    match from_number_opt(vm, value)? {
        Some(x) => Ok(x),
        None => Err(vm.type_error(format!("must be real number, not {}", value.ty().name()))),
    }
}

impl Vm {
    /// A real number as a native function takes it; see [`to_f64`].
    pub fn to_f64(&self, value: &Value) -> Res<f64> {
        to_f64(self, value)
    }
}

#[pymethods(parts(define_methods))]
impl Float {
    #[slot]
    fn __repr__(_vm: &Vm, this: &Value) -> Res<Value> {
        Ok(Str::from_str(&repr_float(known(this))).into_value())
    }

    #[slot]
    fn __hash__(_vm: &Vm, this: &Value) -> Res<i64> {
        Ok(hash(known(this)).unwrap_or_else(|| hash_identity(this.bits())))
    }

    #[slot]
    fn __bool__(_vm: &Vm, this: &Value) -> Res<bool> {
        Ok(known(this) != 0.0)
    }

    #[slot]
    fn __richcompare__(_vm: &Vm, this: &Value, other: &Value, op: CmpOp) -> Res<Value> {
        let x = known(this);
        let ordering = if let Some(y) = view(other) {
            x.partial_cmp(&y)
        } else if let Some(n) = int::view(other) {
            number_ops::compare_int_float(&n, x).map(Ordering::reverse)
        } else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        Ok(Value::from_bool(number_ops::compare(ordering, op)))
    }

    #[slot]
    fn __neg__(_vm: &Vm, this: &Value) -> Res<Value> {
        Ok(Value::float(-known(this)))
    }

    #[slot]
    fn __pos__(_vm: &Vm, this: &Value) -> Res<Value> {
        Ok(exact(this))
    }

    #[slot]
    fn __abs__(_vm: &Vm, this: &Value) -> Res<Value> {
        Ok(Value::float(known(this).abs()))
    }

    #[slot]
    fn __int__(vm: &Vm, this: &Value) -> Res<Value> {
        truncate(vm, known(this))
    }

    #[slot]
    fn __float__(_vm: &Vm, this: &Value) -> Res<Value> {
        Ok(exact(this))
    }

    #[slot]
    fn __add__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, BinOp::Add, a, b)
    }

    #[slot]
    fn __sub__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, BinOp::Sub, a, b)
    }

    #[slot]
    fn __mul__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, BinOp::Mul, a, b)
    }

    #[slot]
    fn __truediv__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, BinOp::TrueDiv, a, b)
    }

    #[slot]
    fn __floordiv__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, BinOp::FloorDiv, a, b)
    }

    #[slot]
    fn __mod__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, BinOp::Mod, a, b)
    }

    #[slot]
    fn __divmod__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        match (operand(vm, a)?, operand(vm, b)?) {
            (Some(a), Some(b)) => {
                let (q, r) = number_ops::divmod_float(vm, a, b)?;
                Ok(Tuple::new(vec![Value::float(q), Value::float(r)]).into_value())
            }
            _ => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    #[slot]
    fn __pow__(vm: &Vm, a: &Value, b: &Value, modulus: Option<&Value>) -> Res<Value> {
        if modulus.is_some_and(|m| !m.is_none()) {
            return Err(vm.type_error("pow() 3rd argument not allowed unless all arguments are integers"));
        }
        binary(vm, BinOp::Pow, a, b)
    }
}

/// The number of a float of any kind as an exact float, the same object where it is one.
pub(super) fn exact(value: &Value) -> Value {
    if value.as_exact_float().is_some() {
        value.clone()
    } else {
        Value::float(known(value))
    }
}

/// `int(x)`.
pub fn truncate(vm: &Vm, x: f64) -> Res<Value> {
    if x.is_nan() {
        return Err(vm.value_error("cannot convert float NaN to integer"));
    }
    if x.is_infinite() {
        return Err(vm.overflow_error("cannot convert float infinity to integer"));
    }
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if x.abs() < LIMIT {
        Ok(Value::int(x as i64))
    } else {
        Ok(Value::bigint(crate::text::float::truncate(x)))
    }
}
