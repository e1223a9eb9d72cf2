//! Arithmetic of int and float beyond what the interpreter does inline.
//!
//! Invariant: results are canonical values; what would not fit in memory is `MemoryError` or `OverflowError` before anything of
//! that size is allocated. Division and modulo round down, true division of ints is correctly rounded, and ints compare with floats
//! by their exact values. The types' slots decide on operand types; here both are known.

use std::cmp::Ordering;

use lisle_bytecode::opcode::{BinOp, CmpOp};
use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{One, Signed, Zero};

use crate::object::Value;
use crate::text::huge::{self, Pause, Stop};
use crate::types::int::IntRef;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// Message of every division by zero.
pub const DIVISION_BY_ZERO: &str = "division by zero";

/// An int from an `i128`, as sums and products of two `i64` give.
#[inline]
fn wide(n: i128) -> Value {
    match i64::try_from(n) {
        Ok(i) => Value::int(i),
        Err(_) => Value::bigint(BigInt::from(n)),
    }
}

/// `a op b` for ints. `MatMul` is `NotImplemented`.
pub fn binary_int(vm: &Vm, op: BinOp, a: &IntRef<'_>, b: &IntRef<'_>) -> Res<Value> {
    match op {
        BinOp::Add => add(vm, a, b),
        BinOp::Sub => sub(vm, a, b),
        BinOp::Mul => mul(vm, a, b),
        BinOp::TrueDiv => true_divide(vm, a, b).map(Value::float),
        BinOp::FloorDiv => floor_divide(vm, a, b),
        BinOp::Mod => modulo(vm, a, b),
        BinOp::Pow => pow_int(vm, a, b, None),
        BinOp::LShift => shift_left(vm, a, b),
        BinOp::RShift => shift_right(vm, a, b),
        BinOp::And | BinOp::Or | BinOp::Xor => bitwise(vm, op, a, b),
        BinOp::MatMul => Ok(Value::NOT_IMPLEMENTED),
    }
}

/// `a op b` for floats. Operators that float lacks are `NotImplemented`.
pub fn binary_float(vm: &Vm, op: BinOp, a: f64, b: f64) -> Res<Value> {
    let result = match op {
        BinOp::Add => a + b,
        BinOp::Sub => a - b,
        BinOp::Mul => a * b,
        BinOp::TrueDiv if b == 0.0 => return Err(vm.zero_division_error(DIVISION_BY_ZERO)),
        BinOp::TrueDiv => a / b,
        BinOp::FloorDiv => divmod_float(vm, a, b)?.0,
        BinOp::Mod => modulo_float(vm, a, b)?,
        BinOp::Pow => return pow_float(vm, a, b),
        _ => return Ok(Value::NOT_IMPLEMENTED),
    };
    Ok(Value::float(result))
}

/// Runs work on large numbers with a safepoint at each of its pauses.
pub fn interruptible<T>(vm: &Vm, work: impl FnOnce(&mut Pause<'_>) -> Result<T, Stop>) -> Res<T> {
    let mut raised = None;
    let done = work(&mut || {
        vm.safepoint().map_err(|exc| {
            raised = Some(exc);
            Stop
        })
    });
    done.map_err(|Stop| raised.unwrap_or_else(|| vm.system_error("stopped without an exception")))
}

/// `a + b`.
pub fn add(vm: &Vm, a: &IntRef<'_>, b: &IntRef<'_>) -> Res<Value> {
    Ok(match (a, b) {
        (IntRef::Small(a), IntRef::Small(b)) => wide(i128::from(*a) + i128::from(*b)),
        (IntRef::Big(big), IntRef::Small(b)) | (IntRef::Small(b), IntRef::Big(big)) => {
            check_bits(vm, big.bits())?;
            Value::bigint(*big + *b)
        }
        (IntRef::Big(a), IntRef::Big(b)) => {
            check_bits(vm, a.bits().max(b.bits()))?;
            Value::bigint(*a + *b)
        }
    })
}

/// `a - b`.
pub fn sub(vm: &Vm, a: &IntRef<'_>, b: &IntRef<'_>) -> Res<Value> {
    if let (IntRef::Small(a), IntRef::Small(b)) = (a, b) {
        return Ok(wide(i128::from(*a) - i128::from(*b)));
    }
    check_bits(vm, a.bits().max(b.bits()))?;
    Ok(Value::bigint(match (a, b) {
        (IntRef::Big(a), IntRef::Small(b)) => *a - *b,
        (IntRef::Small(a), IntRef::Big(b)) => *a - *b,
        _ => &*a.as_bigint() - &*b.as_bigint(),
    }))
}

/// `a * b`.
pub fn mul(vm: &Vm, a: &IntRef<'_>, b: &IntRef<'_>) -> Res<Value> {
    Ok(match (a, b) {
        (IntRef::Small(a), IntRef::Small(b)) => wide(i128::from(*a) * i128::from(*b)),
        (IntRef::Big(big), IntRef::Small(b)) | (IntRef::Small(b), IntRef::Big(big)) => {
            check_bits(vm, big.bits())?;
            Value::bigint(*big * *b)
        }
        (IntRef::Big(a), IntRef::Big(b)) => Value::bigint(mul_big(vm, a, b)?),
    })
}

/// `a * b`, with safepoints.
pub fn mul_big(vm: &Vm, a: &BigInt, b: &BigInt) -> Res<BigInt> {
    let bits = a.bits().saturating_add(b.bits());
    if !huge::is_huge(bits) {
        return Ok(a * b);
    }
    check_bits(vm, bits)?;
    let product = interruptible(vm, |pause| huge::mul(a.magnitude(), b.magnitude(), pause))?;
    Ok(BigInt::from_biguint(a.sign() * b.sign(), product))
}

/// Refuses results of `bits` bits that memory could not hold; the arithmetic crate would abort the process.
pub fn check_bits(vm: &Vm, bits: u64) -> Res<()> {
    const SURE: u64 = 1 << 28;
    if bits <= SURE {
        return Ok(());
    }
    // What no machine of this size holds; systems that promise memory they do not have would end the process later.
    if bits / 8 > crate::memory::alloc::physical_memory() {
        return Err(vm.memory_error());
    }
    // Working space included, which for products and quotients is several times the result.
    let mut probe: Vec<u64> = Vec::new();
    let words = usize::try_from(bits / 64 * 6).map_err(|_| vm.memory_error())?;
    probe.try_reserve_exact(words).map_err(|_| vm.memory_error())
}

/// Quotient and remainder of the magnitudes, with safepoints.
fn div_rem_magnitudes(vm: &Vm, a: &BigUint, b: &BigUint) -> Res<(BigUint, BigUint)> {
    if !huge::is_huge(a.bits()) {
        return Ok(huge::div_rem_at_once(a, b));
    }
    check_bits(vm, a.bits())?;
    interruptible(vm, |pause| huge::div_rem(a, b, pause))
}

/// `a // b` and `a % b`; `b` is not zero.
pub fn div_mod_big(vm: &Vm, a: &BigInt, b: &BigInt) -> Res<(BigInt, BigInt)> {
    let (q, r) = div_rem_magnitudes(vm, a.magnitude(), b.magnitude())?;
    let mut q = BigInt::from_biguint(a.sign() * b.sign(), q);
    let mut r = BigInt::from_biguint(a.sign(), r);
    if !r.is_zero() && a.sign() != b.sign() {
        q -= 1;
        r += b;
    }
    Ok((q, r))
}

/// `a // b` and `a % b` of `i64`: `None` on overflow.
#[inline]
fn divmod_small(a: i64, b: i64) -> Option<(i64, i64)> {
    let (q, r) = (a.checked_div(b)?, a.checked_rem(b)?);
    Some(if r != 0 && (r < 0) != (b < 0) {
        (q - 1, r + b)
    } else {
        (q, r)
    })
}

/// `a // b`.
pub fn floor_divide(vm: &Vm, a: &IntRef<'_>, b: &IntRef<'_>) -> Res<Value> {
    if b.is_zero() {
        return Err(vm.zero_division_error(DIVISION_BY_ZERO));
    }
    if let (IntRef::Small(a), IntRef::Small(b)) = (a, b)
        && let Some((q, _)) = divmod_small(*a, *b)
    {
        return Ok(Value::int(q));
    }
    Ok(Value::bigint(div_mod_big(vm, &a.as_bigint(), &b.as_bigint())?.0))
}

/// `a % b`.
pub fn modulo(vm: &Vm, a: &IntRef<'_>, b: &IntRef<'_>) -> Res<Value> {
    if b.is_zero() {
        return Err(vm.zero_division_error(DIVISION_BY_ZERO));
    }
    if let (IntRef::Small(a), IntRef::Small(b)) = (a, b)
        && let Some((_, r)) = divmod_small(*a, *b)
    {
        return Ok(Value::int(r));
    }
    Ok(Value::bigint(div_mod_big(vm, &a.as_bigint(), &b.as_bigint())?.1))
}

/// `divmod(a, b)` as a tuple.
pub fn divmod_int(vm: &Vm, a: &IntRef<'_>, b: &IntRef<'_>) -> Res<Value> {
    if b.is_zero() {
        return Err(vm.zero_division_error(DIVISION_BY_ZERO));
    }
    let (q, r) = match (a, b) {
        (IntRef::Small(a), IntRef::Small(b)) if let Some((q, r)) = divmod_small(*a, *b) => {
            (Value::int(q), Value::int(r))
        }
        _ => {
            let (q, r) = div_mod_big(vm, &a.as_bigint(), &b.as_bigint())?;
            (Value::bigint(q), Value::bigint(r))
        }
    };
    Ok(Tuple::new(vec![q, r]).into_value())
}

fn bitwise(vm: &Vm, op: BinOp, a: &IntRef<'_>, b: &IntRef<'_>) -> Res<Value> {
    if let (IntRef::Small(a), IntRef::Small(b)) = (a, b) {
        return Ok(Value::int(match op {
            BinOp::And => a & b,
            BinOp::Or => a | b,
            _ => a ^ b,
        }));
    }
    check_bits(vm, a.bits().max(b.bits()))?;
    let (a, b) = (a.as_bigint(), b.as_bigint());
    Ok(Value::bigint(match op {
        BinOp::And => &*a & &*b,
        BinOp::Or => &*a | &*b,
        _ => &*a ^ &*b,
    }))
}

/// `a << b`.
pub fn shift_left(vm: &Vm, a: &IntRef<'_>, b: &IntRef<'_>) -> Res<Value> {
    if b.is_negative() {
        return Err(vm.value_error("negative shift count"));
    }
    if a.is_zero() {
        return Ok(Value::int(0));
    }
    let Some(count) = b.to_u64() else {
        return Err(too_many_digits(vm, b));
    };
    if let IntRef::Small(a) = a
        && count < 64
    {
        return Ok(wide(i128::from(*a) << count));
    }
    check_bits(vm, a.bits().saturating_add(count))?;
    Ok(Value::bigint(&*a.as_bigint() << count))
}

/// The error for a result of `bits` bits, more than 64 can count: CPython counts digits of 30 bits, four bytes each.
fn too_many_digits(vm: &Vm, bits: &IntRef<'_>) -> crate::vm::Exc {
    if bits.as_bigint().bits() <= 65 {
        return vm.memory_error();
    }
    vm.overflow_error("too many digits in integer")
}

/// `a >> b`.
pub fn shift_right(vm: &Vm, a: &IntRef<'_>, b: &IntRef<'_>) -> Res<Value> {
    if b.is_negative() {
        return Err(vm.value_error("negative shift count"));
    }
    let count = match b.to_i64() {
        Some(count) if (count as u64) < a.bits().max(1) => count,
        _ => return Ok(Value::int(if a.is_negative() { -1 } else { 0 })),
    };
    Ok(match a {
        IntRef::Small(a) => Value::int(a >> count.min(63)),
        IntRef::Big(a) => Value::bigint(*a >> count),
    })
}

/// `a / b` for ints, correctly rounded.
pub fn true_divide(vm: &Vm, a: &IntRef<'_>, b: &IntRef<'_>) -> Res<f64> {
    if b.is_zero() {
        return Err(vm.zero_division_error(DIVISION_BY_ZERO));
    }
    const EXACT: u64 = 1 << 53;
    if let (IntRef::Small(a), IntRef::Small(b)) = (a, b)
        && a.unsigned_abs() <= EXACT
        && b.unsigned_abs() <= EXACT
    {
        return Ok(*a as f64 / *b as f64);
    }
    let negative = a.is_negative() != b.is_negative();
    let (a, b) = (a.as_bigint(), b.as_bigint());
    let magnitude = divide_magnitudes(vm, a.magnitude(), b.magnitude())?;
    if magnitude.is_infinite() {
        return Err(vm.overflow_error("integer division result too large for a float"));
    }
    Ok(if negative { -magnitude } else { magnitude })
}

/// The float nearest to `a / b`; infinite if that is too large. `b` is not zero.
fn divide_magnitudes(vm: &Vm, a: &BigUint, b: &BigUint) -> Res<f64> {
    if a.is_zero() {
        return Ok(0.0);
    }
    // Scale such that the quotient has 63 to 65 bits, more than a float keeps; the remainder only matters as a sticky bit.
    let shift = b.bits() as i128 - a.bits() as i128 + 64;
    if shift > 1200 {
        return Ok(0.0);
    }
    if shift < -1200 {
        return Ok(f64::INFINITY);
    }
    let shift = shift as i64;
    let (q, r) = if shift >= 0 {
        div_rem_magnitudes(vm, &(a << shift as u64), b)?
    } else {
        div_rem_magnitudes(vm, a, &(b << shift.unsigned_abs()))?
    };
    let mut q = q
        .iter_u64_digits()
        .rev()
        .fold(0u128, |acc, digit| acc << 64 | u128::from(digit));
    if !r.is_zero() {
        q |= 1;
    }
    Ok(scale_rounded(q, -shift))
}

/// The float nearest to `m * 2**exponent`, where the lowest bit of `m` may be a sticky bit if `m` has at least 56 bits.
pub fn scale_rounded(m: u128, exponent: i64) -> f64 {
    if m == 0 {
        return 0.0;
    }
    let bits = i64::from(128 - m.leading_zeros());
    // Position of the result's lowest bit: 53 bits below the top, or the smallest subnormal.
    let low = (bits + exponent - 53).max(-1074);
    let drop = low - exponent;
    let mut kept = if drop <= 0 {
        m << (-drop).min(127)
    } else if drop > 127 {
        0
    } else {
        let half = 1u128 << (drop - 1);
        let rest = m & ((half << 1) - 1);
        let kept = m >> drop;
        if rest > half || (rest == half && kept & 1 == 1) {
            kept + 1
        } else {
            kept
        }
    };
    let mut low = low;
    if kept == 1 << 53 {
        kept >>= 1;
        low += 1;
    }
    if kept == 0 {
        return 0.0;
    }
    if kept >> 52 == 0 {
        // Subnormal: `low` is -1074.
        return f64::from_bits(kept as u64);
    }
    let biased = low + 1075;
    if biased >= 2047 {
        return f64::INFINITY;
    }
    f64::from_bits((biased as u64) << 52 | (kept as u64 & ((1 << 52) - 1)))
}

/// The float nearest to `n`, ties to even; `None` if it is too large.
pub fn bigint_to_f64(n: &BigInt) -> Option<f64> {
    let bits = n.bits();
    if bits > 1024 {
        return None;
    }
    let mut top: u128 = 0;
    let mut sticky = false;
    let mut taken = 0;
    let magnitude = n.magnitude();
    let digits = magnitude.iter_u64_digits();
    let skipped = (digits.len() as i64 - 2).max(0) * 64;
    for digit in digits.rev() {
        if taken < 2 {
            top = top << 64 | u128::from(digit);
            taken += 1;
        } else {
            sticky |= digit != 0;
        }
    }
    let result = scale_rounded(top | u128::from(sticky), skipped);
    if result.is_infinite() {
        return None;
    }
    Some(if n.is_negative() { -result } else { result })
}

/// `a ** b`, or `pow(a, b, modulus)`.
pub fn pow_int(vm: &Vm, a: &IntRef<'_>, b: &IntRef<'_>, modulus: Option<&IntRef<'_>>) -> Res<Value> {
    if let Some(modulus) = modulus {
        return pow_mod(vm, a, b, modulus);
    }
    if b.is_negative() {
        return pow_float(vm, a.to_float(vm)?, b.to_float(vm)?);
    }
    if b.is_zero() {
        return Ok(Value::int(1));
    }
    if let Some(base @ -1..=1) = a.to_i64() {
        return Ok(Value::int(if base == -1 && !b.is_odd() { 1 } else { base }));
    }
    let Some(exponent) = b.to_i64() else {
        return Err(too_many_digits(vm, b));
    };
    if let IntRef::Small(base) = a
        && let Some(result) = u32::try_from(exponent).ok().and_then(|e| base.checked_pow(e))
    {
        return Ok(Value::int(result));
    }
    check_bits(vm, a.bits().saturating_sub(1).saturating_mul(exponent as u64))?;
    let base = a.as_bigint();
    let exponent = exponent as u64;
    let power = interruptible(vm, |pause| huge::pow(base.magnitude(), exponent, pause))?;
    let negative = base.is_negative() && exponent & 1 == 1;
    let sign = if negative { Sign::Minus } else { Sign::Plus };
    Ok(Value::bigint(BigInt::from_biguint(sign, power)))
}

fn pow_mod(vm: &Vm, a: &IntRef<'_>, b: &IntRef<'_>, modulus: &IntRef<'_>) -> Res<Value> {
    if modulus.is_zero() {
        return Err(vm.value_error("pow() 3rd argument cannot be 0"));
    }
    if let (IntRef::Small(a), IntRef::Small(b), IntRef::Small(m)) = (a, b, modulus)
        && *b >= 0
        && *m > 0
    {
        return Ok(Value::int(pow_mod_small(*a, *b as u64, *m as u64) as i64));
    }
    let m = modulus.as_bigint();
    let mut base = a.as_bigint();
    let mut exponent = b.as_bigint();
    if exponent.is_negative() {
        let size = m.abs();
        let inverse = if size.is_one() {
            Some(BigInt::zero())
        } else {
            base.modinv(&size)
        };
        let Some(inverse) = inverse else {
            return Err(vm.value_error("base is not invertible for the given modulus"));
        };
        base = std::borrow::Cow::Owned(inverse);
        exponent = std::borrow::Cow::Owned(-exponent.into_owned());
    }
    // Of the sign of the modulus, as all remainders.
    let (_, base) = div_mod_big(vm, &base, &m.abs())?;
    let power = interruptible(vm, |pause| {
        huge::pow_mod(base.magnitude(), exponent.magnitude(), m.magnitude(), pause)
    })?;
    let power = BigInt::from(power);
    Ok(Value::bigint(if m.is_negative() && !power.is_zero() {
        power + &*m
    } else {
        power
    }))
}

fn pow_mod_small(a: i64, mut b: u64, m: u64) -> u64 {
    let wide = u128::from(m);
    let mut base = (i128::from(a)).rem_euclid(i128::from(m)) as u128;
    let mut result = 1 % wide;
    while b != 0 {
        if b & 1 == 1 {
            result = result * base % wide;
        }
        base = base * base % wide;
        b >>= 1;
    }
    result as u64
}

/// `a ** b` for floats; a negative base with a fractional exponent gives a complex.
pub fn pow_float(vm: &Vm, a: f64, b: f64) -> Res<Value> {
    if a == 0.0 && b < 0.0 && b.is_finite() {
        return Err(vm.zero_division_error("zero to a negative power"));
    }
    if a < 0.0 && a.is_finite() && b.is_finite() && b != b.floor() {
        return crate::types::complex::pow(vm, (a, 0.0), (b, 0.0)).map(|(re, im)| crate::types::complex::boxed(re, im));
    }
    let result = a.powf(b);
    if result.is_infinite() && a.is_finite() && b.is_finite() && a != 0.0 {
        return Err(vm.overflow_error("(34, 'Numerical result out of range')"));
    }
    Ok(Value::float(result))
}

/// `a // b` and `a % b` for floats.
pub fn divmod_float(vm: &Vm, a: f64, b: f64) -> Res<(f64, f64)> {
    if b == 0.0 {
        return Err(vm.zero_division_error(DIVISION_BY_ZERO));
    }
    let mut r = a % b;
    let mut q = (a - r) / b;
    if r != 0.0 {
        if (b < 0.0) != (r < 0.0) {
            r += b;
            q -= 1.0;
        }
    } else {
        r = 0.0f64.copysign(b);
    }
    let q = if q != 0.0 {
        let floor = q.floor();
        if q - floor > 0.5 { floor + 1.0 } else { floor }
    } else {
        0.0f64.copysign(a / b)
    };
    Ok((q, r))
}

/// `a % b` for floats.
pub fn modulo_float(vm: &Vm, a: f64, b: f64) -> Res<f64> {
    if b == 0.0 {
        return Err(vm.zero_division_error(DIVISION_BY_ZERO));
    }
    let r = a % b;
    Ok(if r == 0.0 {
        0.0f64.copysign(b)
    } else if (b < 0.0) != (r < 0.0) {
        r + b
    } else {
        r
    })
}

/// `a op b` from an ordering; `None` is "unordered" (a nan).
#[inline]
pub fn compare(ordering: Option<Ordering>, op: CmpOp) -> bool {
    match op {
        CmpOp::Lt => ordering == Some(Ordering::Less),
        CmpOp::Le => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
        CmpOp::Eq => ordering == Some(Ordering::Equal),
        CmpOp::Ne => ordering != Some(Ordering::Equal),
        CmpOp::Gt => ordering == Some(Ordering::Greater),
        CmpOp::Ge => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
    }
}

/// Order of an int and a float by their exact values.
pub fn compare_int_float(a: &IntRef<'_>, b: f64) -> Option<Ordering> {
    if b.is_nan() {
        return None;
    }
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if let IntRef::Small(a) = a {
        if b >= LIMIT {
            return Some(Ordering::Less);
        }
        if b < -LIMIT {
            return Some(Ordering::Greater);
        }
        let whole = b.trunc();
        return Some(
            a.cmp(&(whole as i64))
                .then_with(|| whole.partial_cmp(&b).unwrap_or(Ordering::Equal)),
        );
    }
    if b.is_infinite() || (b < LIMIT && b >= -LIMIT) {
        // Beyond 64 bits only the sign matters against a smaller float.
        let sign = if b.is_infinite() { b < 0.0 } else { !a.is_negative() };
        return Some(if sign { Ordering::Greater } else { Ordering::Less });
    }
    Some(a.as_bigint().as_ref().cmp(&crate::text::float::truncate(b)))
}
