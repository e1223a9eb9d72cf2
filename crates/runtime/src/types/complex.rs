//! complex: arithmetic, comparison, hashing.
//!
//! Invariant: immutable. Arithmetic of two complex numbers follows C99 Annex G where CPython does (products and quotients
//! recover infinities), and a real operand stays real instead of getting a zero imaginary part.

use lisle_bytecode::opcode::CmpOp;
use lisle_macros::{pyclass, pymethods};

use super::number_ops::{self, DIVISION_BY_ZERO};
use super::{float, int};
use crate::object::{Native, Py, Type, Value};
use crate::text::complex::repr_complex;
use crate::types::str::Str;
use crate::vm::{Res, Vm};

/// A complex number: real and imaginary part.
pub type Pair = (f64, f64);

#[pyclass(
    name = "complex",
    late_end,
    doc = "Create a complex number from a string or numbers.\n\nIf a string is given, parse it as a complex number.\nIf a single number is given, convert it to a complex number.\nIf the 'real' or 'imag' arguments are given, create a complex number\nwith the specified real and imaginary components.",
    basetype,
    gc = false
)]
pub struct Complex {
    pub re: f64,
    pub im: f64,
}

/// A complex of exactly type complex.
pub fn boxed(re: f64, im: f64) -> Value {
    Py::new(Complex { re, im }).into_value()
}

/// An instance of `cls`, which is complex or a subclass of it.
pub fn with_class(cls: &Py<Type>, (re, im): Pair) -> Value {
    Py::with_class(cls, Complex { re, im }).into_value()
}

/// The parts, if `value` is a complex or an instance of a subclass.
#[inline]
pub fn view(value: &Value) -> Option<Pair> {
    value.downcast::<Complex>().map(|c| (c.re, c.im))
}

/// An operand of complex arithmetic.
#[derive(Clone, Copy)]
enum Operand {
    Complex(Pair),
    Real(f64),
}

impl Operand {
    fn of(vm: &Vm, value: &Value) -> Res<Option<Operand>> {
        match view(value) {
            Some(pair) => Ok(Some(Operand::Complex(pair))),
            None => Ok(float::operand(vm, value)?.map(Operand::Real)),
        }
    }

    fn pair(self) -> Pair {
        match self {
            Operand::Complex(pair) => pair,
            Operand::Real(x) => (x, 0.0),
        }
    }
}

fn operands(vm: &Vm, a: &Value, b: &Value) -> Res<Option<(Operand, Operand)>> {
    Ok(Operand::of(vm, a)?.zip(Operand::of(vm, b)?))
}

fn value((re, im): Pair) -> Value {
    boxed(re, im)
}

/// 1 for an infinity and 0 for the rest, with the sign of `x`.
fn as_unit(x: f64) -> f64 {
    let size: f64 = if x.is_infinite() { 1.0 } else { 0.0 };
    size.copysign(x)
}

/// `a * b`.
pub fn multiply((a, b): Pair, (c, d): Pair) -> Pair {
    let (re, im) = (a * c - b * d, a * d + b * c);
    if !(re.is_nan() && im.is_nan()) {
        return (re, im);
    }
    // An infinite operand makes an infinite product, which the formula lost in inf - inf or inf * 0.
    let no_nan = |x: f64| if x.is_nan() { 0.0f64.copysign(x) } else { x };
    let (mut a, mut b, mut c, mut d) = (a, b, c, d);
    let mut again = false;
    if a.is_infinite() || b.is_infinite() {
        (a, b, c, d) = (as_unit(a), as_unit(b), no_nan(c), no_nan(d));
        again = true;
    }
    if c.is_infinite() || d.is_infinite() {
        (a, b, c, d) = (no_nan(a), no_nan(b), as_unit(c), as_unit(d));
        again = true;
    }
    if !again && [a * c, b * d, a * d, b * c].iter().any(|x| x.is_infinite()) {
        (a, b, c, d) = (no_nan(a), no_nan(b), no_nan(c), no_nan(d));
        again = true;
    }
    if again {
        (f64::INFINITY * (a * c - b * d), f64::INFINITY * (a * d + b * c))
    } else {
        (re, im)
    }
}

/// `a / b`; `None` for division by zero.
pub fn divide((a, b): Pair, (c, d): Pair) -> Option<Pair> {
    let (re, im) = if c.abs() >= d.abs() {
        if c == 0.0 {
            return None;
        }
        let ratio = d / c;
        let denominator = c + d * ratio;
        ((a + b * ratio) / denominator, (b - a * ratio) / denominator)
    } else if d.abs() >= c.abs() {
        let ratio = c / d;
        let denominator = c * ratio + d;
        ((a * ratio + b) / denominator, (b * ratio - a) / denominator)
    } else {
        (f64::NAN, f64::NAN)
    };
    if re.is_nan() && im.is_nan() {
        if (a.is_infinite() || b.is_infinite()) && c.is_finite() && d.is_finite() {
            let (x, y) = (as_unit(a), as_unit(b));
            return Some((f64::INFINITY * (x * c + y * d), f64::INFINITY * (y * c - x * d)));
        }
        if (c.is_infinite() || d.is_infinite()) && a.is_finite() && b.is_finite() {
            let (x, y) = (as_unit(c), as_unit(d));
            return Some((0.0 * (a * x + b * y), 0.0 * (b * x - a * y)));
        }
    }
    Some((re, im))
}

/// `a ** b`.
pub fn pow(vm: &Vm, a: Pair, b: Pair) -> Res<Pair> {
    let result = if b == (0.0, 0.0) {
        (1.0, 0.0)
    } else if a == (0.0, 0.0) {
        if b.1 != 0.0 || b.0 < 0.0 {
            return Err(vm.zero_division_error("zero to a negative or complex power"));
        }
        (0.0, 0.0)
    } else if b.1 == 0.0 && b.0 == b.0.floor() && b.0.abs() <= 100.0 {
        match pow_whole(a, b.0 as i32) {
            Some(result) => result,
            None => return Err(vm.zero_division_error("zero to a negative or complex power")),
        }
    } else {
        let size = a.0.hypot(a.1);
        let mut length = size.powf(b.0);
        let angle = a.1.atan2(a.0);
        let mut phase = angle * b.0;
        if b.1 != 0.0 {
            length *= (-angle * b.1).exp();
            phase += b.1 * size.ln();
        }
        (length * phase.cos(), length * phase.sin())
    };
    if result.0.is_infinite() || result.1.is_infinite() {
        return Err(vm.overflow_error("complex exponentiation"));
    }
    Ok(result)
}

fn pow_whole(a: Pair, n: i32) -> Option<Pair> {
    let mut result = (1.0, 0.0);
    let mut power = a;
    let mut rest = n.unsigned_abs();
    while rest > 0 {
        if rest & 1 == 1 {
            result = multiply(result, power);
        }
        rest >>= 1;
        if rest > 0 {
            power = multiply(power, power);
        }
    }
    if n >= 0 {
        Some(result)
    } else {
        divide((1.0, 0.0), result)
    }
}

#[pymethods(parts(define_methods))]
impl Complex {
    #[slot]
    fn __repr__(_vm: &Vm, this: &Py<Complex>) -> Res<Value> {
        Ok(Str::from_str(&repr_complex(this.re, this.im)).into_value())
    }

    #[slot]
    fn __hash__(_vm: &Vm, this: &Py<Complex>) -> Res<i64> {
        let identity = || float::hash_identity(this.as_value().bits());
        let re = float::hash(this.re).unwrap_or_else(identity);
        let im = float::hash(this.im).unwrap_or_else(identity);
        let hash = re.wrapping_add(im.wrapping_mul(1_000_003));
        Ok(if hash == -1 { -2 } else { hash })
    }

    #[slot]
    fn __bool__(_vm: &Vm, this: &Py<Complex>) -> Res<bool> {
        Ok(this.re != 0.0 || this.im != 0.0)
    }

    #[slot]
    fn __richcompare__(_vm: &Vm, this: &Py<Complex>, other: &Value, op: CmpOp) -> Res<Value> {
        if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let equal = if let Some((re, im)) = view(other) {
            this.re == re && this.im == im
        } else if let Some(x) = float::view(other) {
            this.re == x && this.im == 0.0
        } else if let Some(n) = int::view(other) {
            this.im == 0.0 && number_ops::compare_int_float(&n, this.re).is_some_and(|o| o.is_eq())
        } else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        Ok(Value::from_bool(equal == (op == CmpOp::Eq)))
    }

    #[slot]
    fn __neg__(_vm: &Vm, this: &Py<Complex>) -> Res<Value> {
        Ok(boxed(-this.re, -this.im))
    }

    #[slot]
    fn __pos__(_vm: &Vm, this: &Py<Complex>) -> Res<Value> {
        Ok(exact(this))
    }

    #[slot]
    fn __abs__(vm: &Vm, this: &Py<Complex>) -> Res<Value> {
        let size = this.re.hypot(this.im);
        if size.is_infinite() && this.re.is_finite() && this.im.is_finite() {
            return Err(vm.overflow_error("absolute value too large"));
        }
        Ok(Value::float(size))
    }

    #[slot]
    fn __add__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        let Some(operands) = operands(vm, a, b)? else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        Ok(value(match operands {
            (Operand::Complex((re, im)), Operand::Real(x)) | (Operand::Real(x), Operand::Complex((re, im))) => {
                (re + x, im)
            }
            (a, b) => (a.pair().0 + b.pair().0, a.pair().1 + b.pair().1),
        }))
    }

    #[slot]
    fn __sub__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        let Some(operands) = operands(vm, a, b)? else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        Ok(value(match operands {
            (Operand::Complex((re, im)), Operand::Real(x)) => (re - x, im),
            (Operand::Real(x), Operand::Complex((re, im))) => (x - re, -im),
            (a, b) => (a.pair().0 - b.pair().0, a.pair().1 - b.pair().1),
        }))
    }

    #[slot]
    fn __mul__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        let Some(operands) = operands(vm, a, b)? else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        Ok(value(match operands {
            (Operand::Complex((re, im)), Operand::Real(x)) | (Operand::Real(x), Operand::Complex((re, im))) => {
                (re * x, im * x)
            }
            (a, b) => multiply(a.pair(), b.pair()),
        }))
    }

    #[slot]
    fn __truediv__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        let Some(operands) = operands(vm, a, b)? else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        let quotient = match operands {
            (Operand::Complex((re, im)), Operand::Real(x)) => (x != 0.0).then(|| (re / x, im / x)),
            (Operand::Real(x), Operand::Complex(b)) => divide_real(x, b),
            (a, b) => divide(a.pair(), b.pair()),
        };
        quotient
            .map(value)
            .ok_or_else(|| vm.zero_division_error(DIVISION_BY_ZERO))
    }

    #[slot]
    fn __pow__(vm: &Vm, a: &Value, b: &Value, modulus: Option<&Value>) -> Res<Value> {
        let Some((a, b)) = operands(vm, a, b)? else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        if modulus.is_some_and(|m| !m.is_none()) {
            return Err(vm.value_error("complex modulo"));
        }
        pow(vm, a.pair(), b.pair()).map(value)
    }
}

/// `x / b` with a real dividend; `None` for division by zero.
fn divide_real(x: f64, (c, d): Pair) -> Option<Pair> {
    let (re, im) = if c.abs() >= d.abs() {
        if c == 0.0 {
            return None;
        }
        let ratio = d / c;
        let denominator = c + d * ratio;
        (x / denominator, (-x * ratio) / denominator)
    } else if d.abs() >= c.abs() {
        let ratio = c / d;
        let denominator = c * ratio + d;
        ((x * ratio) / denominator, (-x) / denominator)
    } else {
        (f64::NAN, f64::NAN)
    };
    if re.is_nan() && im.is_nan() && x.is_finite() && (c.is_infinite() || d.is_infinite()) {
        let (u, v) = (as_unit(c), as_unit(d));
        return Some((0.0 * (x * u), 0.0 * (-x * v)));
    }
    Some((re, im))
}

pub(super) fn exact(this: &Py<Complex>) -> Value {
    if this.class().is(Complex::ty()) {
        this.to_value()
    } else {
        boxed(this.re, this.im)
    }
}
