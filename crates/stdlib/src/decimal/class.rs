//! `Decimal`: construction, conversions, operators.
//!
//! Invariant: operands are decimals and ints, and in comparisons also floats, complex numbers and rationals; anything else is the other operand's affair.

use std::ops::Deref;

use lisle_runtime::intern;
use lisle_runtime::native::*;
use lisle_runtime::types::float;
use lisle_runtime::types::int::Int;
use lisle_runtime::types::list::List;
use lisle_runtime::types::object::identity_hash;
use lisle_runtime::types::tuple::Tuple;
use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{One, Zero};

use super::coef::Coef;
use super::context::{self, Context, ssize};
use super::number::{
    self, CLAMPED, CONVERSION_SYNTAX, Dec, Env, FLOAT_OPERATION, INEXACT, INVALID_OPERATION, Kind, ROUNDED, Rounding,
    SUBNORMAL,
};
use super::{Shared, functions, text};
use crate::order::ordered;

#[pyclass(
    name = "Decimal",
    late_end,
    module = "decimal",
    basetype,
    gc = false,
    doc = "Construct a new Decimal object. 'value' can be an integer, string, tuple, or another Decimal object. If no value is given, return Decimal('0')."
)]
pub struct Decimal {
    pub dec: Dec,
}

impl Deref for Decimal {
    type Target = Dec;
    fn deref(&self) -> &Dec {
        &self.dec
    }
}

/// A number as an object.
#[inline]
pub fn wrap(dec: Dec) -> Value {
    Py::new(Decimal { dec }).into_value()
}

fn wrap_as(cls: &Py<Type>, dec: Dec) -> Value {
    Py::with_class(cls, Decimal { dec }).into_value()
}

/// An operand as a number.
pub enum Operand<'a> {
    Own(&'a Dec),
    Made(Dec),
}

impl Deref for Operand<'_> {
    type Target = Dec;
    #[inline(always)]
    fn deref(&self) -> &Dec {
        match self {
            Operand::Own(dec) => dec,
            Operand::Made(dec) => dec,
        }
    }
}

/// The number of a decimal or an int.
#[inline]
pub fn operand<'a>(vm: &Vm, value: &'a Value) -> Res<Option<Operand<'a>>> {
    if let Some(decimal) = value.downcast::<Decimal>() {
        return Ok(Some(Operand::Own(&decimal.dec)));
    }
    Ok(from_int(vm, value)?.map(Operand::Made))
}

/// As [`operand`], for arguments of methods.
#[inline]
pub fn argument<'a>(vm: &Vm, value: &'a Value) -> Res<Operand<'a>> {
    match operand(vm, value)? {
        Some(operand) => Ok(operand),
        None => Err(unsupported(vm, value)),
    }
}

#[cold]
fn unsupported(vm: &Vm, value: &Value) -> Exc {
    let found = value.ty().name();
    vm.type_error(format!("conversion from {found} to Decimal is not supported"))
}

fn from_int(vm: &Vm, value: &Value) -> Res<Option<Dec>> {
    Ok(match int_view(value) {
        None => None,
        Some(IntRef::Small(n)) => Some(Dec::int(n)),
        Some(IntRef::Big(n)) => {
            let coef = Coef::from_biguint(vm, n.magnitude())?;
            Some(Dec::finite(n.sign() == Sign::Minus, coef, 0))
        }
    })
}

/// The exact value of a float.
pub fn from_f64(vm: &Vm, x: f64) -> Res<Dec> {
    let negative = x.is_sign_negative();
    if x.is_nan() {
        return Ok(Dec::nan().with_sign(negative));
    }
    if x.is_infinite() {
        return Ok(Dec::infinity(negative));
    }
    let bits = x.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i64;
    let fraction = bits & ((1 << 52) - 1);
    let (mut mantissa, mut power) = match exponent {
        0 => (fraction, -1074),
        _ => (fraction | 1 << 52, exponent - 1075),
    };
    if mantissa == 0 {
        return Ok(Dec::zero(negative, 0));
    }
    let zeros = i64::from(mantissa.trailing_zeros());
    mantissa >>= zeros;
    power += zeros;
    let mantissa = BigUint::from(mantissa);
    if power >= 0 {
        let coef = Coef::from_biguint(vm, &(mantissa << power as u64))?;
        return Ok(Dec::finite(negative, coef, 0));
    }
    let coef = Coef::from_biguint(vm, &(mantissa * BigUint::from(5u32).pow(-power as u32)))?;
    Ok(Dec::finite(negative, coef, power))
}

/// The number that a tuple `(sign, digits, exponent)` stands for.
fn from_tuple(vm: &Vm, items: &[Value]) -> Res<Dec> {
    let [sign, digits, exponent] = items else {
        return Err(vm.value_error("argument must be a sequence of length 3"));
    };
    let (kind, exp) = match exponent.downcast::<Str>() {
        Some(name) if name.is_text("F") => (Kind::Infinite, 0),
        Some(name) if name.is_text("n") => (Kind::Quiet, 0),
        Some(name) if name.is_text("N") => (Kind::Signaling, 0),
        Some(_) => return Err(vm.value_error("string argument in the third position must be 'F', 'n' or 'N'")),
        None if int_view(exponent).is_none() => return Err(vm.value_error("exponent must be an integer")),
        None => (Kind::Finite, ssize(vm, exponent)?),
    };
    let negative = match int_view(sign).and_then(|n| n.to_i64()) {
        Some(0) => false,
        Some(1) => true,
        _ => return Err(vm.value_error("sign must be an integer with the value 0 or 1")),
    };
    let wrong = || vm.value_error("coefficient must be a tuple of digits");
    let digits = match (digits.downcast::<Tuple>(), digits.downcast::<List>()) {
        (Some(tuple), _) => tuple.as_slice().to_vec(),
        (_, Some(list)) => list.snapshot(),
        _ => return Err(wrong()),
    };
    let mut text = Vec::with_capacity(digits.len());
    for digit in &digits {
        match int_view(digit).and_then(|n| n.to_i64()) {
            Some(n @ 0..=9) => text.push(b'0' + n as u8),
            _ => return Err(wrong()),
        }
    }
    let coef = match kind {
        Kind::Infinite => Coef::zero(),
        _ => Coef::from_digits(&text)?,
    };
    // Far beyond all limits in either direction is as good as anywhere there.
    let far = 4 * number::MAX_EMAX;
    Ok(Dec {
        negative,
        kind,
        exp: exp.clamp(-far, far),
        coef,
    })
}

/// What the constructor makes of a value before it is rounded, or not.
fn converted(vm: &Vm, ctx: &Context, value: &Value, exact: bool) -> Res<Dec> {
    if let Some(decimal) = value.downcast::<Decimal>() {
        return Ok(decimal.dec.clone());
    }
    if let Some(literal) = value.downcast::<Str>() {
        let parsed = match text::ascii_literal(literal, exact) {
            Some(ascii) => text::parse(&ascii)?,
            None => None,
        };
        return match parsed {
            Some(dec) => Ok(dec),
            None => {
                ctx.signal(vm, CONVERSION_SYNTAX)?;
                Ok(Dec::nan())
            }
        };
    }
    if let Some(dec) = from_int(vm, value)? {
        return Ok(dec);
    }
    if let Some(tuple) = value.downcast::<Tuple>() {
        return from_tuple(vm, tuple.as_slice());
    }
    if let Some(list) = value.downcast::<List>() {
        return from_tuple(vm, &list.snapshot());
    }
    if let Some(x) = float::view(value) {
        ctx.signal(vm, FLOAT_OPERATION)?;
        return from_f64(vm, x);
    }
    Err(unsupported(vm, value))
}

/// Refuses what no decimal can be.
fn checked(vm: &Vm, ctx: &Context, dec: Dec) -> Res<Dec> {
    if dec.is_finite() && dec.exp >= -number::MAX_EMAX && dec.exp <= 0 {
        return Ok(dec);
    }
    if !dec.is_finite() {
        return Ok(dec);
    }
    let mut env = Env::MAX;
    let result = number::finalize(dec, &mut env)?;
    if env.status & (INEXACT | ROUNDED | CLAMPED) != 0 || !result.is_finite() {
        ctx.signal(vm, INVALID_OPERATION)?;
        return Ok(Dec::nan());
    }
    ctx.note(env.status & SUBNORMAL);
    Ok(result)
}

/// `Decimal(value)`: exact.
pub fn exactly(vm: &Vm, ctx: &Context, value: &Value) -> Res<Dec> {
    checked(vm, ctx, converted(vm, ctx, value, true)?)
}

/// `Context.create_decimal(value)`: rounded.
pub fn rounded(vm: &Vm, ctx: &Context, value: &Value) -> Res<Dec> {
    let dec = converted(vm, ctx, value, false)?;
    let mut env = ctx.env();
    if dec.is_nan() && !dec.coef.is_zero() && dec.coef.digits() > env.prec - i64::from(env.clamp) {
        ctx.signal(vm, CONVERSION_SYNTAX)?;
        return Ok(Dec::nan());
    }
    let result = number::finalize(dec, &mut env)?;
    ctx.signal(vm, env.status)?;
    Ok(result)
}

/// Runs an operation in a context.
#[inline(always)]
pub fn run(vm: &Vm, ctx: &Context, operation: impl FnOnce(&mut Env) -> Res<Dec>) -> Res<Value> {
    let mut env = ctx.env();
    let result = operation(&mut env)?;
    ctx.signal(vm, env.status)?;
    Ok(wrap(result))
}

#[inline(always)]
fn binary(vm: &Vm, a: &Value, b: &Value, operation: impl FnOnce(&Dec, &Dec, &mut Env) -> Res<Dec>) -> Res<Value> {
    let (Some(a), Some(b)) = (operand(vm, a)?, operand(vm, b)?) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let ctx = context::current(vm)?;
    run(vm, &ctx, |env| operation(&a, &b, env))
}

#[inline(always)]
fn unary(vm: &Vm, a: &Dec, operation: impl FnOnce(&Dec, &mut Env) -> Res<Dec>) -> Res<Value> {
    let ctx = context::current(vm)?;
    run(vm, &ctx, |env| operation(a, env))
}

/// A whole number as an int; `rounding` makes it whole.
fn to_int(vm: &Vm, a: &Dec, rounding: Rounding) -> Res<Value> {
    match a.kind {
        Kind::Finite => {}
        Kind::Infinite => return Err(vm.overflow_error("cannot convert Infinity to integer")),
        _ => return Err(vm.value_error("cannot convert NaN to integer")),
    }
    let whole = if a.exp < 0 {
        a.rescaled(0, rounding)?.0
    } else {
        a.clone()
    };
    let coef = whole.coef.shl(whole.exp)?;
    if let Some(n) = coef.to_i64() {
        return Ok(Value::int(if whole.negative { -n } else { n }));
    }
    let sign = if whole.negative { Sign::Minus } else { Sign::Plus };
    Ok(Value::bigint(BigInt::from_biguint(sign, coef.to_biguint(vm)?)))
}

pub fn to_f64(vm: &Vm, a: &Dec) -> Res<f64> {
    match a.kind {
        Kind::Signaling => return Err(vm.value_error("cannot convert signaling NaN to float")),
        Kind::Quiet => return Ok(if a.negative { -f64::NAN } else { f64::NAN }),
        Kind::Infinite => return Ok(if a.negative { f64::NEG_INFINITY } else { f64::INFINITY }),
        Kind::Finite => {}
    }
    // Both are exact, and so is rounding their quotient or product once.
    if let Some(n) = a.coef.small()
        && n < 1 << 53
        && (-22..=22).contains(&a.exp)
    {
        let power = 10f64.powi(a.exp.unsigned_abs() as i32);
        let size = if a.exp < 0 { n as f64 / power } else { n as f64 * power };
        return Ok(if a.negative { -size } else { size });
    }
    let mut digits = Vec::new();
    if a.negative {
        digits.push(b'-');
    }
    digits.extend_from_slice(&a.coef.to_digits()?);
    let exp = format!("e{}", a.exp.clamp(-1 << 40, 1 << 40));
    digits.extend_from_slice(exp.as_bytes());
    Ok(std::str::from_utf8(&digits)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(f64::NAN))
}

/// The other side of a comparison, and the decimal's where both have to change.
struct Comparison<'a> {
    own: Operand<'a>,
    other: Operand<'a>,
}

fn comparison<'a>(vm: &Vm, ctx: &Context, a: &'a Dec, b: &'a Value, op: CmpOp) -> Res<Option<Comparison<'a>>> {
    let own = Operand::Own(a);
    if let Some(other) = operand(vm, b)? {
        return Ok(Some(Comparison { own, other }));
    }
    let equality = matches!(op, CmpOp::Eq | CmpOp::Ne);
    let complex = lisle_runtime::types::complex::view(b);
    let real = match complex {
        Some((re, im)) if equality && im == 0.0 => Some(re),
        Some(_) => return Ok(None),
        None => float::view(b),
    };
    if let Some(x) = real {
        if equality {
            ctx.note(FLOAT_OPERATION);
        } else {
            ctx.signal(vm, FLOAT_OPERATION)?;
        }
        let other = Operand::Made(from_f64(vm, x)?);
        return Ok(Some(Comparison { own, other }));
    }
    if !vm.isinstance(b, &Shared::get(vm)?.rational)? {
        return Ok(None);
    }
    // a and n / d compare as a * d and n.
    let part = |name| -> Res<Dec> {
        let part = vm.getattr(b, name)?;
        match from_int(vm, &part)? {
            Some(dec) => Ok(dec),
            None => Err(unsupported(vm, &part)),
        }
    };
    let (numerator, denominator) = (part(intern!("numerator"))?, part(intern!("denominator"))?);
    let own = if a.is_finite() {
        let mut env = Env::MAX;
        match number::mul_exact(a, &denominator, &mut env)? {
            Ok(product) | Err(product) => Operand::Made(product),
        }
    } else {
        own
    };
    Ok(Some(Comparison {
        own,
        other: Operand::Made(numerator),
    }))
}

fn hash(a: &Dec) -> Option<i64> {
    const MODULUS: u64 = (1 << 61) - 1;
    let times = |a: u64, b: u64| (u128::from(a) * u128::from(b) % u128::from(MODULUS)) as u64;
    let power = |mut base: u64, mut exponent: u64| {
        let mut result = 1;
        while exponent != 0 {
            if exponent & 1 == 1 {
                result = times(result, base);
            }
            base = times(base, base);
            exponent >>= 1;
        }
        result
    };
    match a.kind {
        Kind::Infinite => return Some(if a.negative { -314_159 } else { 314_159 }),
        Kind::Quiet | Kind::Signaling => return None,
        Kind::Finite => {}
    }
    // The inverse of 10.
    let base = if a.exp >= 0 { 10 } else { power(10, MODULUS - 2) };
    let size = times(a.coef.hash(), power(base, a.exp.unsigned_abs())) as i64;
    Some(match if a.negative { -size } else { size } {
        -1 => -2,
        hash => hash,
    })
}

type This = Py<Decimal>;

#[pymethods(parts(define_decimal_one, define_decimal_two, define_decimal_tests, define_decimal_more))]
impl Decimal {
    #[slot(sig = "(value='0', context=None)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, value: Option<&Value>, context: Option<&Value>) -> Res<Value> {
        let plain = cls.is(Decimal::ty());
        let ctx = match context {
            Some(given) if !given.is_none() => Some(context::optional(vm, Some(given))?),
            _ => None,
        };
        let Some(value) = value else {
            return Ok(wrap_as(cls, Dec::int(0)));
        };
        if plain && value.downcast_exact::<Decimal>().is_some() {
            return Ok(value.clone());
        }
        let ctx = match ctx {
            Some(ctx) => ctx,
            None => context::current(vm)?,
        };
        Ok(wrap_as(cls, exactly(vm, &ctx, value)?))
    }

    /// Class method that converts a float to a decimal number, exactly.
    #[classmethod(sig = "($type, f, /)")]
    fn from_float(vm: &Vm, cls: &Py<Type>, f: &Value) -> Res<Value> {
        let dec = match (from_int(vm, f)?, float::view(f)) {
            (Some(dec), _) => dec,
            (None, Some(x)) => from_f64(vm, x)?,
            _ => return Err(vm.type_error("argument must be int or float")),
        };
        as_class(vm, cls, dec)
    }

    /// Class method that converts a real number to a decimal number, exactly.
    #[classmethod(sig = "($type, number, /)")]
    fn from_number(vm: &Vm, cls: &Py<Type>, number: &Value) -> Res<Value> {
        if number.downcast::<Decimal>().is_none() && int_view(number).is_none() && float::view(number).is_none() {
            let shown = vm.repr(number)?.to_string_lossy();
            return Err(vm.type_error(format!("Cannot convert {shown} to Decimal")));
        }
        let ctx = context::current(vm)?;
        let dec = match float::view(number) {
            Some(x) => from_f64(vm, x)?,
            None => exactly(vm, &ctx, number)?,
        };
        as_class(vm, cls, dec)
    }

    #[slot]
    fn __add__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, a, b, number::add)
    }

    #[slot]
    fn __sub__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, a, b, number::sub)
    }

    #[slot]
    fn __mul__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, a, b, number::mul)
    }

    #[slot]
    fn __truediv__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, a, b, number::div)
    }

    #[slot]
    fn __floordiv__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, a, b, number::floor_div)
    }

    #[slot]
    fn __mod__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, a, b, number::remainder)
    }

    #[slot]
    fn __divmod__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        let (Some(a), Some(b)) = (operand(vm, a)?, operand(vm, b)?) else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        div_mod(vm, &*context::current(vm)?, &a, &b)
    }

    #[slot]
    fn __pow__(vm: &Vm, a: &Value, b: &Value, modulus: Option<&Value>) -> Res<Value> {
        let (Some(a), Some(b)) = (operand(vm, a)?, operand(vm, b)?) else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        let ctx = context::current(vm)?;
        match modulus {
            Some(modulus) if !modulus.is_none() => {
                let Some(modulus) = operand(vm, modulus)? else {
                    return Ok(Value::NOT_IMPLEMENTED);
                };
                run(vm, &ctx, |env| functions::power_modulo(&a, &b, &modulus, env))
            }
            _ => run(vm, &ctx, |env| functions::power(&a, &b, env)),
        }
    }

    #[slot]
    fn __neg__(vm: &Vm, this: &This) -> Res<Value> {
        unary(vm, this, number::minus)
    }

    #[slot]
    fn __pos__(vm: &Vm, this: &This) -> Res<Value> {
        unary(vm, this, number::plus)
    }

    #[slot]
    fn __abs__(vm: &Vm, this: &This) -> Res<Value> {
        unary(vm, this, number::abs)
    }

    #[slot]
    fn __bool__(_: &Vm, this: &This) -> Res<bool> {
        Ok(!this.is_zero())
    }

    #[slot]
    fn __int__(vm: &Vm, this: &This) -> Res<Value> {
        to_int(vm, this, Rounding::Down)
    }

    #[slot]
    fn __float__(vm: &Vm, this: &This) -> Res<f64> {
        to_f64(vm, this)
    }

    #[slot]
    fn __hash__(vm: &Vm, this: &This) -> Res<i64> {
        if this.kind == Kind::Signaling {
            return Err(vm.type_error("Cannot hash a signaling NaN value"));
        }
        Ok(hash(this).unwrap_or_else(|| identity_hash(this.as_value())))
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &This, other: &Value, op: CmpOp) -> Res<Value> {
        if let Some(other) = other.downcast::<Decimal>()
            && !this.is_nan()
            && !other.is_nan()
        {
            return Ok(ordered(number::compare(this, other)?, op));
        }
        let ctx = context::current(vm)?;
        let Some(Comparison { own, other }) = comparison(vm, &ctx, this, other, op)? else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        if own.is_nan() || other.is_nan() {
            let signaling = own.kind == Kind::Signaling || other.kind == Kind::Signaling;
            if signaling || !matches!(op, CmpOp::Eq | CmpOp::Ne) {
                ctx.signal(vm, INVALID_OPERATION)?;
            }
            return Ok(Value::from_bool(op == CmpOp::Ne));
        }
        Ok(ordered(number::compare(&own, &other)?, op))
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &This) -> Res<String> {
        let capitals = context::current(vm)?.capitals();
        Ok(format!("Decimal('{}')", text::to_string(this, false, capitals)?))
    }

    #[slot]
    fn __str__(vm: &Vm, this: &This) -> Res<String> {
        let capitals = context::current(vm)?.capitals();
        text::to_string(this, false, capitals)
    }

    #[getter]
    fn real(_: &Vm, this: &This) -> Value {
        this.to_value()
    }

    #[getter]
    fn imag(_: &Vm, _this: &This) -> Value {
        wrap(Dec::int(0))
    }

    /// Return self.
    #[pymethod(sig = "($self, /)")]
    fn conjugate(_: &Vm, this: &This) -> Value {
        this.to_value()
    }

    #[pymethod(sig = "($self, /)")]
    fn __copy__(_: &Vm, this: &This) -> Value {
        this.to_value()
    }

    #[pymethod(sig = "($self, memo, /)")]
    fn __deepcopy__(_: &Vm, this: &This, _memo: &Value) -> Value {
        this.to_value()
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_: &Vm, this: &This) -> Res<Py<Tuple>> {
        let shown = Value::from(text::to_string(this, false, true)?.as_str());
        Ok(Tuple::pair(
            this.class().to_value(),
            Tuple::from_array([shown]).into_value(),
        ))
    }

    #[pymethod(sig = "($self, /)")]
    fn __complex__(vm: &Vm, this: &This) -> Res<Value> {
        Ok(complex_value((to_f64(vm, this)?, 0.0)))
    }

    #[pymethod(sig = "($self, /)")]
    fn __trunc__(vm: &Vm, this: &This) -> Res<Value> {
        to_int(vm, this, Rounding::Down)
    }

    #[pymethod(sig = "($self, /)")]
    fn __floor__(vm: &Vm, this: &This) -> Res<Value> {
        to_int(vm, this, Rounding::Floor)
    }

    #[pymethod(sig = "($self, /)")]
    fn __ceil__(vm: &Vm, this: &This) -> Res<Value> {
        to_int(vm, this, Rounding::Ceiling)
    }

    /// Return the Integral closest to self, rounding half toward even.
    #[pymethod(sig = "($self, ndigits=<unrepresentable>, /)")]
    fn __round__(vm: &Vm, this: &This, ndigits: Option<&Value>) -> Res<Value> {
        let Some(ndigits) = ndigits else {
            return to_int(vm, this, Rounding::HalfEven);
        };
        if !ndigits.has_type(Int::ty()) && ndigits.downcast::<Int>().is_none() && !ndigits.is_bool() {
            return Err(vm.type_error("optional arg must be an integer"));
        }
        let exp = ssize(vm, ndigits)?.checked_neg().unwrap_or(i64::MAX);
        let ctx = context::current(vm)?;
        run(vm, &ctx, |env| {
            let exp = exp.clamp(-4 * number::MAX_EMAX, 4 * number::MAX_EMAX);
            number::quantize(this, &Dec::finite(false, Coef::from(1), exp), env)
        })
    }

    #[pymethod(sig = "($self, /)")]
    fn __sizeof__(_: &Vm, this: &This) -> usize {
        size_of::<Decimal>() + 16 + this.coef.heap_limbs() * 8
    }

    #[pymethod(sig = "($self, fmtarg, override=None, /)")]
    fn __format__(vm: &Vm, this: &This, fmtarg: &Value, r#override: Option<&Value>) -> Res<Value> {
        super::format::format(vm, this, fmtarg, r#override)
    }

    /// Return a tuple representation of the number.
    #[pymethod(sig = "($self, /)")]
    fn as_tuple(vm: &Vm, this: &This) -> Res<Value> {
        let digits: Vec<Value> = match (this.kind, this.coef.is_zero()) {
            (Kind::Quiet | Kind::Signaling, true) => Vec::new(),
            _ => this
                .coef
                .to_digits()?
                .iter()
                .map(|digit| Value::int((digit - b'0').into()))
                .collect(),
        };
        let exp = match this.kind {
            Kind::Finite => Value::int(this.exp),
            Kind::Infinite => Value::from("F"),
            Kind::Quiet => Value::from("n"),
            Kind::Signaling => Value::from("N"),
        };
        let fields = [Value::int(this.negative.into()), Tuple::new(digits).into_value(), exp];
        vm.call(&Shared::get(vm)?.tuple, &fields)
    }

    /// Return a pair of integers whose ratio is exactly equal to the original.
    #[pymethod(sig = "($self, /)")]
    fn as_integer_ratio(vm: &Vm, this: &This) -> Res<Py<Tuple>> {
        match this.kind {
            Kind::Finite => {}
            Kind::Infinite => return Err(vm.overflow_error("cannot convert Infinity to integer ratio")),
            _ => return Err(vm.value_error("cannot convert NaN to integer ratio")),
        }
        let one = Value::int(1);
        if this.is_zero() {
            return Ok(Tuple::pair(Value::int(0), one));
        }
        if this.exp >= 0 {
            return Ok(Tuple::pair(to_int(vm, this, Rounding::Down)?, one));
        }
        // Without the factors that are in both.
        let zeros = this.coef.trailing_zeros().min(-this.exp);
        let mut numerator = this.coef.shr_floor(zeros)?.to_biguint(vm)?;
        let places = (-this.exp - zeros) as u64;
        check_int_bits(vm, places.saturating_mul(4))?;
        let (mut fives, five) = (places, BigUint::from(5u32));
        while fives > 0 && (&numerator % &five).is_zero() {
            numerator /= &five;
            fives -= 1;
        }
        let shift = numerator.trailing_zeros().unwrap_or(0).min(places);
        numerator >>= shift;
        let powers = interruptible_work(vm, |pause| huge::pow(&five, fives, pause))?;
        let denominator = if fives == 0 { BigUint::one() } else { powers } << (places - shift);
        let sign = if this.negative { Sign::Minus } else { Sign::Plus };
        Ok(Tuple::pair(
            Value::bigint(BigInt::from_biguint(sign, numerator)),
            Value::bigint(denominator.into()),
        ))
    }
}

fn as_class(vm: &Vm, cls: &Py<Type>, dec: Dec) -> Res<Value> {
    let made = wrap(dec);
    if cls.is(Decimal::ty()) {
        return Ok(made);
    }
    vm.call(cls.as_value(), &[made])
}

pub fn div_mod(vm: &Vm, ctx: &Context, a: &Dec, b: &Dec) -> Res<Value> {
    let mut env = ctx.env();
    let (quotient, rest) = number::div_mod(a, b, &mut env)?;
    ctx.signal(vm, env.status)?;
    Ok(Tuple::pair(wrap(quotient), wrap(rest)).into_value())
}
