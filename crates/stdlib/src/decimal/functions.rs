//! Square roots, exponentials, logarithms and powers.
//!
//! Invariant: results are rounded correctly. What is irrational is computed with fixed-point numbers of `k` limbs behind the point, so that scaling by a
//! power of the base moves limbs, and again with more of them while the digits behind the last one do not decide how to round.

use std::cmp::Ordering;
use std::sync::Mutex;

use lisle_runtime::native::{Res, Vm};
use num_bigint::BigUint;
use num_integer::Integer;
use num_traits::{One, ToPrimitive, Zero};

use super::coef::Coef;
use super::limbs::WIDTH;
use super::number::{
    self, DIVISION_BY_ZERO, Dec, Env, INEXACT, INVALID_OPERATION, ROUNDED, Rounding, SUBNORMAL, UNDERFLOW, check_nans,
    finalize, nan_result,
};

const LIMB: i64 = WIDTH as i64;
/// Digits at the end of fixed-point results that may be wrong.
const DOUBT: i64 = 6;

pub fn sqrt(a: &Dec, env: &mut Env) -> Res<Dec> {
    if let Some(nan) = check_nans(a, None, env)? {
        return Ok(nan);
    }
    if a.is_infinite() && !a.negative {
        return Ok(a.clone());
    }
    if a.is_zero() {
        return finalize(Dec::zero(a.negative, a.exp.div_euclid(2)), env);
    }
    if a.negative {
        return Ok(env.invalid(INVALID_OPERATION));
    }
    // a = c * 100**e
    let ideal = a.exp.div_euclid(2);
    let c = a.coef.shl(a.exp.rem_euclid(2))?;
    let digits = (c.digits() + 1) / 2;
    let shift = env.prec + 1 - digits;
    if shift > digits + 200 {
        // An exact root has no more digits; the precision may be beyond all memory.
        let root = c.sqrt()?;
        if root.mul(&root)? == c {
            return rounded_half_even(Dec::finite(false, root, ideal), env);
        }
    }
    let (scaled, cut) = if shift >= 0 {
        (c.shl(2 * shift)?, false)
    } else {
        let (scaled, rest) = c.shr(-2 * shift)?;
        (scaled, rest != super::coef::Rest::Zero)
    };
    let mut root = scaled.sqrt()?;
    let exact = !cut && root.mul(&root)? == scaled;
    let result = if exact && shift >= 0 {
        Dec::finite(false, root.shr_floor(shift)?, ideal)
    } else if exact {
        Dec::finite(false, root.shl(-shift)?, ideal)
    } else {
        // The digit that is one too many says that there are more.
        if matches!(root.digit(0), 0 | 5) {
            root.increment()?;
        }
        Dec::finite(false, root, ideal - shift)
    };
    rounded_half_even(result, env)
}

fn rounded_half_even(d: Dec, env: &mut Env) -> Res<Dec> {
    let mut half_even = env.with_rounding(Rounding::HalfEven);
    let result = finalize(d, &mut half_even)?;
    env.status |= half_even.status;
    Ok(result)
}

/// `10**(19 * k)`: one.
fn one(k: i64) -> Res<Coef> {
    Coef::power_of_ten(LIMB * k)
}

/// The product of two fixed-point numbers.
fn fixed_mul(a: &Coef, b: &Coef, k: i64) -> Res<Coef> {
    a.mul(b)?.shr_floor(LIMB * k)
}

fn fixed_div(a: &Coef, b: &Coef, k: i64) -> Res<Coef> {
    Ok(a.shl(LIMB * k)?.div_rem(b)?.0)
}

/// `atanh(1/n)`, too small by less than a unit for each of its terms.
fn atanh_inverse(n: u64, k: i64) -> Res<Coef> {
    let vm = Vm::current();
    let mut term = one(k)?.div_small(n);
    let mut sum = term.clone();
    let mut at = 1;
    while !term.is_zero() {
        if at % 512 == 1 {
            vm.safepoint()?;
        }
        term = term.div_small(n * n);
        at += 2;
        sum = sum.add(&term.clone().div_small(at))?;
    }
    Ok(sum)
}

/// `ln(10)` with `k` limbs behind the point, of which the last digits may be wrong.
fn ln_ten(k: i64) -> Res<Coef> {
    static KNOWN: Mutex<Option<(i64, Coef)>> = Mutex::new(None);
    let cut = |(known, value): (i64, Coef)| value.shr_floor(LIMB * (known - k));
    let known = KNOWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
    if let Some(known) = known.filter(|known| known.0 >= k) {
        return cut(known);
    }
    let known = k + k / 4 + 2;
    let sum = atanh_inverse(31, known)?
        .mul_small(46)?
        .add(&atanh_inverse(49, known)?.mul_small(34)?)?
        .add(&atanh_inverse(161, known)?.mul_small(20)?)?;
    // The limb that the errors of all terms stay in.
    let value = (known - 1, sum.shr_floor(LIMB)?);
    if value.1.heap_bytes() < 1 << 20 {
        let mut shared = KNOWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if shared.as_ref().is_none_or(|shared| shared.0 < value.0) {
            *shared = Some(value.clone());
        }
    }
    cut(value)
}

/// `e**r` for `0 <= r < 4`.
fn fixed_exp(r: &Coef, k: i64) -> Res<Coef> {
    let vm = Vm::current();
    let bits = k * 64;
    let halvings = (bits.isqrt() * 3 / 4).clamp(4, 60) as u32;
    // Squaring doubles the error each time: 60 bits are a limb.
    let k = k + 1;
    let unit = one(k)?;
    let r = r.shl(LIMB)?.div_small(1 << halvings);
    let mut sum = unit.add(&r)?;
    let mut term = r.clone();
    let mut at = 1;
    while !term.is_zero() {
        if k > 64 {
            vm.safepoint()?;
        }
        at += 1;
        term = fixed_mul(&term, &r, k)?.div_small(at);
        sum = sum.add(&term)?;
    }
    for _ in 0..halvings {
        sum = fixed_mul(&sum, &sum, k)?;
    }
    sum.shr_floor(LIMB)
}

/// `ln(m)` for `1 <= m < 10`.
fn fixed_ln(m: &Coef, k: i64) -> Res<Coef> {
    // 17 digits are enough for a float.
    let start = m.shr_floor(LIMB * k - 17)?.to_i64().unwrap_or(0);
    let guess = (start as f64 / 1e17).ln().max(0.0);
    let mut value = Coef::from((guess * 1e17) as u64);
    let mut place = 17;
    // Each step of Halley's iteration triples the digits that are right.
    let mut steps = vec![k];
    while let Some(last) = steps.last().copied()
        && last > 2
    {
        steps.push((last + 5) / 3);
    }
    for step in steps.into_iter().rev() {
        value = if LIMB * step >= place {
            value.shl(LIMB * step - place)?
        } else {
            value.shr_floor(place - LIMB * step)?
        };
        place = LIMB * step;
        let near = m.shr_floor(LIMB * (k - step))?;
        let power = fixed_exp(&value, step)?;
        let sum = near.add(&power)?;
        let (difference, up) = match near.cmp(&power) {
            Ordering::Less => (power.sub(&near)?, false),
            _ => (near.sub(&power)?, true),
        };
        let change = fixed_div(&difference.mul_small(2)?, &sum, step)?;
        value = if up {
            value.add(&change)?
        } else if change > value {
            Coef::zero()
        } else {
            value.sub(&change)?
        };
    }
    Ok(value)
}

/// A number with a sign.
struct Signed {
    negative: bool,
    size: Coef,
}

impl Signed {
    fn sum(a: Signed, b: Signed) -> Res<Signed> {
        if a.negative == b.negative {
            return Ok(Signed {
                negative: a.negative,
                size: a.size.add(&b.size)?,
            });
        }
        Ok(match a.size.cmp(&b.size) {
            Ordering::Less => Signed {
                negative: b.negative,
                size: b.size.sub(&a.size)?,
            },
            _ => Signed {
                negative: a.negative,
                size: a.size.sub(&b.size)?,
            },
        })
    }
}

/// The natural logarithm of what is positive, with `k` limbs behind the point.
fn fixed_log(a: &Dec, k: i64) -> Res<Signed> {
    let power = a.adjusted();
    // 1 <= m < 10
    let places = LIMB * k - (a.coef.digits() - 1);
    let m = if places >= 0 {
        a.coef.shl(places)?
    } else {
        a.coef.shr_floor(-places)?
    };
    let first = Signed {
        negative: false,
        size: fixed_ln(&m, k)?,
    };
    // Exponents have up to 19 digits, with which the error of ln(10) is multiplied.
    let second = Signed {
        negative: power < 0,
        size: ln_ten(k + 1)?.mul(&Coef::from(power.unsigned_abs()))?.shr_floor(LIMB)?,
    };
    Signed::sum(first, second)
}

/// `e**x` of a fixed-point number: a coefficient and its exponent.
fn exp_of_fixed(x: &Signed, k: i64) -> Res<(Coef, i64)> {
    // The whole part has up to 20 digits.
    let wide = k + 2;
    let x_wide = x.size.shl(LIMB * 2)?;
    let ten = ln_ten(wide)?;
    let (mut quotient, mut rest) = x_wide.div_rem(&ten)?;
    let mut power = quotient.to_i64().unwrap_or(i64::MAX / 4);
    if x.negative {
        if rest.is_zero() {
            power = -power;
        } else {
            quotient.increment()?;
            power = -quotient.to_i64().unwrap_or(i64::MAX / 4);
            rest = ten.sub(&rest)?;
        }
    }
    let rest = rest.shr_floor(LIMB * 2)?;
    Ok((fixed_exp(&rest, k)?, power - LIMB * k))
}

/// Whether a coefficient whose last `doubt` digits may be wrong is rounded to `prec` digits in the same way whatever they are.
fn decides(coef: &Coef, prec: i64, doubt: i64) -> Res<bool> {
    let extra = coef.digits() - prec;
    if extra <= doubt + 1 {
        return Ok(false);
    }
    // What is behind the digits that stay must not be near 0, a half or 1.
    let tail = coef.last_digits(extra)?.shr_floor(doubt)?;
    let places = extra - doubt;
    let half = Coef::power_of_ten(places)?.div_small(2);
    let low = Coef::from(1);
    let high = Coef::nines(places)?;
    let near = tail <= low || tail.add(&low)? >= high || tail <= half.add(&low)? && tail.add(&low)?.add(&low)? >= half;
    Ok(!near)
}

fn finish(coef: Coef, exp: i64, negative: bool, env: &mut Env) -> Res<Dec> {
    finalize(Dec::finite(negative, coef, exp), env)
}

/// Limbs behind the point for so many digits there.
fn limbs_for(places: i64) -> i64 {
    (places + DOUBT).max(20) / LIMB + 1
}

fn decimal_length(mut n: i64) -> i64 {
    let mut length = 1;
    while n >= 10 {
        n /= 10;
        length += 1;
    }
    length
}

pub fn exp(a: &Dec, env: &mut Env) -> Res<Dec> {
    if let Some(nan) = check_nans(a, None, env)? {
        return Ok(nan);
    }
    if a.is_infinite() {
        return Ok(if a.negative {
            Dec::zero(false, 0)
        } else {
            Dec::infinity(false)
        });
    }
    if a.is_zero() {
        return Ok(Dec::int(1));
    }
    let mut inner = env.with_rounding(Rounding::HalfEven);
    let result = exp_inexact(a, &mut inner)?;
    env.status |= inner.status;
    Ok(result)
}

fn exp_inexact(a: &Dec, env: &mut Env) -> Res<Dec> {
    let (prec, adjusted) = (env.prec, a.adjusted());
    if !a.negative && adjusted > decimal_length((env.emax + 1) * 3) {
        return finish(Coef::from(1), env.emax + 1, false, env);
    }
    if a.negative && adjusted > decimal_length((1 - env.etiny()) * 3) {
        return finish(Coef::from(1), env.etiny() - 1, false, env);
    }
    if adjusted < -prec - 1 {
        return near_one(!a.negative, prec, env);
    }
    let mut extra = 3;
    loop {
        let k = limbs_for(prec + extra);
        let (coef, exp) = exp_of_fixed(&fixed(a, k)?, k)?;
        if decides(&coef, prec, DOUBT)? {
            return finish(coef, exp, false, env);
        }
        extra += LIMB;
    }
}

/// What is just above or below 1.
fn near_one(above: bool, prec: i64, env: &mut Env) -> Res<Dec> {
    if above {
        let mut coef = Coef::power_of_ten(prec + 1)?;
        coef.increment()?;
        return finish(coef, -prec - 1, false, env);
    }
    finish(Coef::nines(prec + 2)?, -prec - 2, false, env)
}

/// A finite number as a fixed-point number, cut off.
fn fixed(a: &Dec, k: i64) -> Res<Signed> {
    let places = a.exp + LIMB * k;
    let size = if places >= 0 {
        a.coef.shl(places)?
    } else {
        a.coef.shr_floor(-places)?
    };
    Ok(Signed {
        negative: a.negative,
        size,
    })
}

/// What logarithms have in common: `None` if there is something to compute.
fn special_log(a: &Dec, env: &mut Env) -> Res<Option<Dec>> {
    if let Some(nan) = check_nans(a, None, env)? {
        return Ok(Some(nan));
    }
    if a.is_zero() {
        return Ok(Some(Dec::infinity(true)));
    }
    if a.is_infinite() && !a.negative {
        return Ok(Some(Dec::infinity(false)));
    }
    if a.negative {
        return Ok(Some(env.invalid(INVALID_OPERATION)));
    }
    Ok(None)
}

/// Whether the value is 1.
fn is_one(a: &Dec) -> bool {
    a.is_finite() && !a.negative && a.adjusted() == 0 && a.coef.is_power_of_ten()
}

/// Zeros behind the point of the logarithm of a number that is not 1, at most.
fn zeros_of_log(a: &Dec) -> Res<i64> {
    // |ln(a)| is at least half of |a - 1| between 1/2 and 2.
    match a.adjusted() {
        0 => {
            let distance = a.coef.sub(&Coef::power_of_ten(-a.exp)?)?;
            Ok((-(a.exp + distance.digits() - 1) + 1).max(0))
        }
        -1 => {
            let distance = Coef::power_of_ten(-a.exp)?.sub(&a.coef)?;
            Ok((-(a.exp + distance.digits() - 1) + 1).max(0))
        }
        _ => Ok(0),
    }
}

pub fn ln(a: &Dec, env: &mut Env) -> Res<Dec> {
    if let Some(special) = special_log(a, env)? {
        return Ok(special);
    }
    if is_one(a) {
        return Ok(Dec::int(0));
    }
    let mut inner = env.with_rounding(Rounding::HalfEven);
    let zeros = zeros_of_log(a)?;
    let mut extra = 3;
    let result = loop {
        let k = limbs_for(inner.prec + zeros + extra);
        let log = fixed_log(a, k)?;
        if decides(&log.size, inner.prec, DOUBT)? {
            break finish(log.size, -LIMB * k, log.negative, &mut inner)?;
        }
        extra += LIMB;
    };
    env.status |= inner.status;
    Ok(result)
}

pub fn log10(a: &Dec, env: &mut Env) -> Res<Dec> {
    if let Some(special) = special_log(a, env)? {
        return Ok(special);
    }
    let mut inner = env.with_rounding(Rounding::HalfEven);
    let result = if a.coef.is_power_of_ten() {
        finalize(Dec::int(a.adjusted()), &mut inner)?
    } else {
        let zeros = zeros_of_log(a)? + 1;
        let mut extra = 3;
        loop {
            let k = limbs_for(inner.prec + zeros + extra);
            let log = fixed_log(a, k + 1)?;
            let size = fixed_div(&log.size, &ln_ten(k + 1)?, k + 1)?.shr_floor(LIMB)?;
            if decides(&size, inner.prec, DOUBT)? {
                break finish(size, -LIMB * k, log.negative, &mut inner)?;
            }
            extra += LIMB;
        }
    };
    env.status |= inner.status;
    Ok(result)
}

pub fn logb(a: &Dec, env: &mut Env) -> Res<Dec> {
    if let Some(nan) = check_nans(a, None, env)? {
        return Ok(nan);
    }
    if a.is_infinite() {
        return Ok(Dec::infinity(false));
    }
    if a.is_zero() {
        env.status |= DIVISION_BY_ZERO;
        return Ok(Dec::infinity(true));
    }
    finalize(Dec::int(a.adjusted()), env)
}

/// `a**b`.
pub fn power(a: &Dec, b: &Dec, env: &mut Env) -> Res<Dec> {
    if let Some(nan) = check_nans(a, Some(b), env)? {
        return Ok(nan);
    }
    if b.is_zero() {
        return Ok(match a.is_zero() {
            true => env.invalid(INVALID_OPERATION),
            false => Dec::int(1),
        });
    }
    let whole = b.is_integer();
    let mut negative = false;
    if a.negative {
        if whole {
            negative = b.is_odd_integer();
        } else if !a.is_zero() {
            return Ok(env.invalid(INVALID_OPERATION));
        }
    }
    let a = &a.magnitude();
    if a.is_zero() || a.is_infinite() {
        return Ok(match a.is_zero() != b.negative {
            true => Dec::zero(negative, 0),
            false => Dec::infinity(negative),
        });
    }
    if is_one(a) {
        return power_of_one(a, b, negative, env);
    }
    let below_one = a.adjusted() < 0;
    if b.is_infinite() {
        return Ok(match b.negative != below_one {
            true => Dec::zero(negative, 0),
            false => Dec::infinity(negative),
        });
    }
    // Far beyond all limits.
    let bound = log10_bound(a)? + b.adjusted();
    if below_one == b.negative {
        if bound >= decimal_length(env.emax) {
            return finish(Coef::from(1), env.emax + 1, negative, env);
        }
    } else if bound >= decimal_length(-env.etiny()) {
        return finish(Coef::from(1), env.etiny() - 1, negative, env);
    }
    let whole_part = if whole && b.exp <= 0 && b.exp > -64 {
        b.coef.shr_floor(-b.exp)?.to_i64()
    } else {
        None
    };
    if let (Some(n), false) = (whole_part, b.negative)
        && let Some(result) = power_whole(a, n, false, negative, env)?
    {
        return Ok(result);
    }
    if let Some(exact) = power_exact(a, b, env.prec + 1)? {
        let exact = exact.with_sign(negative);
        return if whole {
            finalize(exact, env)
        } else {
            finish_exact_root(exact, env)
        };
    }
    if let (Some(n), true) = (whole_part, b.negative)
        && let Some(result) = power_whole(a, n, true, negative, env)?
    {
        return Ok(result);
    }
    power_inexact(a, b, negative, env)
}

/// A lower bound of the adjusted exponent of `log10(a)`.
fn log10_bound(a: &Dec) -> Res<i64> {
    match a.adjusted() {
        adjusted @ 1.. => Ok(decimal_length(adjusted) - 1),
        adjusted @ ..=-2 => Ok(decimal_length(-1 - adjusted) - 1),
        // |log10(a)| is more than |a - 1| / 24 here.
        _ => Ok(-zeros_of_log(a)? - 2),
    }
}

fn power_of_one(a: &Dec, b: &Dec, negative: bool, env: &mut Env) -> Res<Dec> {
    let lowest = 1 - env.prec;
    if !b.is_integer() {
        env.status |= INEXACT | ROUNDED;
        return Ok(Dec::finite(negative, Coef::power_of_ten(-lowest)?, lowest));
    }
    let times = if b.negative {
        0
    } else if b.adjusted() > 18 {
        env.prec
    } else {
        let n = number::to_integral(b, false, &mut env.quiet())?;
        n.coef.shl(n.exp)?.to_i64().unwrap_or(i64::MAX).min(env.prec)
    };
    let mut exp = a.exp.saturating_mul(times);
    if exp < lowest {
        exp = lowest;
        env.status |= ROUNDED;
    }
    Ok(Dec::finite(negative, Coef::power_of_ten(-exp.min(0))?, exp))
}

/// An exact power with an exponent that is not whole is said to be inexact all the same.
fn finish_exact_root(exact: Dec, env: &mut Env) -> Res<Dec> {
    let missing = env.prec + 1 - exact.coef.digits();
    let exact = if missing > 0 {
        Dec::finite(exact.negative, exact.coef.shl(missing)?, exact.exp - missing)
    } else {
        exact
    };
    let mut inner = env.quiet();
    let result = finalize(exact, &mut inner)?;
    inner.status |= INEXACT | ROUNDED;
    if inner.status & SUBNORMAL != 0 {
        inner.status |= UNDERFLOW;
    }
    env.status |= inner.status;
    Ok(result)
}

/// Powers with whole exponents by squaring, each product cut off; `None` if that does not decide how to round.
fn power_whole(a: &Dec, n: i64, reciprocal: bool, negative: bool, env: &mut Env) -> Res<Option<Dec>> {
    let digits = env.prec + decimal_length(n) + 10;
    let mut exact = !reciprocal;
    let mut cut = |coef: Coef, exp: i64| -> Res<(Coef, i64)> {
        let extra = coef.digits() - digits;
        if extra <= 0 {
            return Ok((coef, exp));
        }
        exact = false;
        Ok((coef.shr_floor(extra)?, exp + extra))
    };
    let zeros = a.coef.trailing_zeros();
    let base = cut(a.coef.shr_floor(zeros)?, a.exp + zeros)?;
    let (mut coef, mut exp) = (base.0.clone(), base.1);
    for bit in (0..n.ilog2()).rev() {
        let Some(twice) = exp.checked_mul(2) else {
            return Ok(None);
        };
        (coef, exp) = cut(coef.mul(&coef)?, twice)?;
        if n >> bit & 1 == 1 {
            let Some(sum) = exp.checked_add(base.1) else {
                return Ok(None);
            };
            (coef, exp) = cut(coef.mul(&base.0)?, sum)?;
        }
        if exp.abs() > i64::MAX / 8 {
            return Ok(None);
        }
    }
    if reciprocal {
        let shift = coef.digits() + digits;
        coef = Coef::power_of_ten(shift)?.div_rem(&coef)?.0;
        exp = -exp - shift;
    }
    if exact {
        // As near as can be to the exponent that many products would have.
        let ideal = i128::from(a.exp) * i128::from(n);
        let most = (env.prec + 1 - coef.digits()).max(0);
        let zeros = (i128::from(exp) - ideal).clamp(0, i128::from(most)) as i64;
        return finish(coef.shl(zeros)?, exp - zeros, negative, env).map(Some);
    }
    // The relative error is less than 4 * n units of the last of `digits` digits.
    let doubt = (coef.digits() - digits).max(0) + decimal_length(n) + 2;
    if !decides(&coef, env.prec, doubt)? {
        return Ok(None);
    }
    finish(coef, exp, negative, env).map(Some)
}

fn power_inexact(a: &Dec, b: &Dec, negative: bool, env: &mut Env) -> Res<Dec> {
    let prec = env.prec;
    // The error of the logarithm is multiplied with b.
    let weight = b.adjusted().max(0) + 1;
    let mut extra = 3;
    loop {
        let k = limbs_for(prec + extra);
        let more = k + weight / LIMB + 1;
        let log = fixed_log(a, more)?;
        // log * b with k limbs behind the point.
        let places = b.exp + LIMB * (k - more);
        let product = log.size.mul(&b.coef)?;
        let size = if places >= 0 {
            product.shl(places)?
        } else {
            product.shr_floor(-places)?
        };
        let x = Signed {
            negative: log.negative != b.negative,
            size,
        };
        if x.size.digits() <= LIMB * k - prec - 2 {
            let mut result = near_one(!x.negative, prec, env)?;
            result.negative = negative;
            return Ok(result);
        }
        let (coef, exp) = exp_of_fixed(&x, k)?;
        if decides(&coef, prec, DOUBT)? {
            return finish(coef, exp, negative, env);
        }
        extra += LIMB;
    }
}

/// `n * 10**exp` if that is whole.
fn shifted(n: &BigUint, exp: i64) -> Option<BigUint> {
    if n.is_zero() {
        return Some(BigUint::zero());
    }
    if exp >= 0 {
        return Some(n * BigUint::from(10u32).pow(u32::try_from(exp).ok()?));
    }
    let (quotient, rest) = n.div_rem(&BigUint::from(10u32).pow(u32::try_from(-exp).ok()?));
    rest.is_zero().then_some(quotient)
}

/// `a**b` if it has at most `prec` digits. `a` is positive and not 1, `b` not 0.
fn power_exact(a: &Dec, b: &Dec, prec: i64) -> Res<Option<Dec>> {
    let vm = Vm::current();
    // a = xc * 10**xe and |b| = yc * 10**ye, without trailing zeros.
    let zeros = a.coef.trailing_zeros();
    let (xc, mut xe) = (a.coef.shr_floor(zeros)?, i128::from(a.exp + zeros));
    let zeros = b.coef.trailing_zeros();
    let (yc, ye) = (b.coef.shr_floor(zeros)?, b.exp + zeros);
    let ideal = || -> Option<i128> {
        // The exponent that a power with a positive whole exponent should have.
        if b.negative || ye < 0 {
            return None;
        }
        let n = yc.to_i64()?.checked_mul(10i64.checked_pow(u32::try_from(ye).ok()?)?)?;
        Some(i128::from(a.exp) * i128::from(n))
    };
    let made = |coef: Coef, exp: i128| -> Res<Option<Dec>> {
        let Ok(exp) = i64::try_from(exp) else { return Ok(None) };
        if exp.abs() > i64::MAX / 2 {
            return Ok(None);
        }
        let zeros = match ideal() {
            Some(ideal) => (i128::from(exp) - ideal).clamp(0, i128::from((prec - coef.digits()).max(0))) as i64,
            None => 0,
        };
        Ok(Some(Dec::finite(false, coef.shl(zeros)?, exp - zeros)))
    };
    if xc.is_one() {
        // 10**(xe * y)
        let product = xc_times(&yc, xe.unsigned_abs(), vm)?;
        let Some(exponent) = shifted_few(&product, ye) else {
            return Ok(None);
        };
        let Some(exponent) = exponent.to_i128() else {
            return Ok(None);
        };
        let negative = (xe < 0) != b.negative;
        return made(Coef::from(1), if negative { -exponent } else { exponent });
    }
    if b.negative {
        return reciprocal_exact(&xc, xe, &yc, ye, prec, vm, made);
    }
    // b = m / n
    let bits = if ye >= 0 { 0 } else { xc.to_biguint(vm)?.bits() };
    let (m, n) = if ye >= 0 {
        if yc.digits() + ye > 18 {
            // xc is at least 2.
            return Ok(None);
        }
        let Some(m) = yc.shl(ye)?.to_i64() else { return Ok(None) };
        (m as u64, 1)
    } else {
        let few = |n: &BigUint| n.to_string().len() as i64 <= -ye;
        let y = yc.to_biguint(vm)?;
        if xe != 0 && few(&(&y * xe.unsigned_abs())) || few(&(&y * bits)) {
            return Ok(None);
        }
        if -ye > 4000 {
            return Ok(None);
        }
        let denominator = BigUint::from(10u32).pow(-ye as u32);
        let divisor = y.gcd(&denominator);
        let (m, n) = (y / &divisor, denominator / divisor);
        let (Some(m), Some(n)) = (m.to_u64(), n.to_u64()) else {
            return Ok(None);
        };
        (m, n)
    };
    let mut root = xc;
    if n > 1 {
        if bits <= n || xe.rem_euclid(i128::from(n)) != 0 {
            return Ok(None);
        }
        xe /= i128::from(n);
        let Ok(n) = u32::try_from(n) else { return Ok(None) };
        let radicand = root.to_biguint(vm)?;
        let found = radicand.nth_root(n);
        if found.pow(n) != radicand {
            return Ok(None);
        }
        root = Coef::from_biguint(vm, &found)?;
    }
    // root**m has at least (digits - 1) * m digits, and no zeros at the end.
    let least = (i128::from(root.digits()) - 1) * i128::from(m);
    let small = root.small().is_some_and(|n| n < 10);
    if least >= i128::from(prec) || small && i128::from(m) * 3 / 10 > i128::from(prec) + 1 {
        return Ok(None);
    }
    let mut result = Coef::from(1);
    for bit in (0..=m.checked_ilog2().unwrap_or(0)).rev() {
        result = result.mul(&result)?;
        if m >> bit & 1 == 1 {
            result = result.mul(&root)?;
        }
        if result.digits() > prec {
            return Ok(None);
        }
    }
    made(result, xe * i128::from(m))
}

fn xc_times(coef: &Coef, factor: u128, vm: &Vm) -> Res<BigUint> {
    Ok(coef.to_biguint(vm)? * factor)
}

/// As [`shifted`], for results that are exponents: `None` too if they are beyond all limits.
fn shifted_few(n: &BigUint, exp: i64) -> Option<BigUint> {
    if exp.unsigned_abs() > 4000 {
        return n.is_zero().then(BigUint::zero);
    }
    shifted(n, exp)
}

/// `(xc * 10**xe) ** -(yc * 10**ye)` if it is exact: then `xc` is a power of 2 or of 5.
fn reciprocal_exact(
    xc: &Coef,
    xe: i128,
    yc: &Coef,
    ye: i64,
    prec: i64,
    vm: &Vm,
    made: impl Fn(Coef, i128) -> Res<Option<Dec>>,
) -> Res<Option<Dec>> {
    let x = xc.to_biguint(vm)?;
    let (e, base, most) = if xc.digit(0) == 5 {
        let mut power = BigUint::from(5u32);
        let mut e = 1u64;
        // 5**e has about e / 1.43 digits.
        e += x.bits().saturating_sub(3) * 28 / 65;
        power = if e > 1 {
            BigUint::from(5u32).pow(u32::try_from(e).unwrap_or(u32::MAX))
        } else {
            power
        };
        while power < x {
            power *= 5u32;
            e += 1;
        }
        while power > x && e > 0 {
            power /= 5u32;
            e -= 1;
        }
        if power != x {
            return Ok(None);
        }
        (e, 2u64, i128::from(prec) * 10 / 3)
    } else if x.count_ones() == 1 {
        (x.bits() - 1, 5u64, i128::from(prec) * 93 / 65)
    } else {
        return Ok(None);
    };
    let (Some(e), Some(xe_times)) = (
        shifted_few(&xc_times(yc, e.into(), vm)?, ye),
        shifted_few(&xc_times(yc, xe.unsigned_abs(), vm)?, ye),
    ) else {
        return Ok(None);
    };
    let (Some(e), Some(xe_times)) = (e.to_i128(), xe_times.to_i128()) else {
        return Ok(None);
    };
    if e > most {
        return Ok(None);
    }
    let mut coef = Coef::from(1);
    let factor = Coef::from(base);
    for bit in (0..=e.checked_ilog2().unwrap_or(0)).rev() {
        coef = coef.mul(&coef)?;
        if e >> bit & 1 == 1 {
            coef = coef.mul(&factor)?;
        }
    }
    if coef.digits() > prec {
        return Ok(None);
    }
    // 2**-e is 5**e * 10**-e.
    let exponent = if xe < 0 { xe_times } else { -xe_times };
    made(coef, exponent - e)
}

/// `a**b % m`, exactly.
pub fn power_modulo(a: &Dec, b: &Dec, m: &Dec, env: &mut Env) -> Res<Dec> {
    if a.is_nan() || b.is_nan() || m.is_nan() {
        return nan_result(&[Some(a), Some(b), Some(m)], env);
    }
    if !(a.is_integer() && b.is_integer() && m.is_integer())
        || b.negative && !b.is_zero()
        || m.is_zero()
        || m.adjusted() >= env.prec
        || a.is_zero() && b.is_zero()
    {
        return Ok(env.invalid(INVALID_OPERATION));
    }
    let vm = Vm::current();
    let negative = a.negative && b.is_odd_integer();
    let whole = |d: &Dec| -> Res<(BigUint, i64)> {
        if d.exp >= 0 {
            return Ok((d.coef.to_biguint(vm)?, d.exp));
        }
        Ok((d.coef.shr_floor(-d.exp)?.to_biguint(vm)?, 0))
    };
    let (modulus, exp) = whole(m)?;
    let modulus = modulus * BigUint::from(10u32).pow(u32::try_from(exp).map_err(|_| vm.memory_error())?);
    if modulus.is_one() {
        return finalize(Dec::zero(negative, 0), env);
    }
    let power = |base: &BigUint, exponent: &BigUint| {
        lisle_runtime::native::interruptible_work(vm, |pause| {
            lisle_runtime::native::huge::pow_mod(base, exponent, &modulus, pause)
        })
    };
    let (base, exp) = whole(a)?;
    let mut base = base % &modulus * power(&BigUint::from(10u32), &BigUint::from(exp.unsigned_abs()))? % &modulus;
    let (exponent, exp) = whole(b)?;
    let ten = BigUint::from(10u32);
    for at in 0..exp {
        if at % 256 == 0 {
            vm.safepoint()?;
        }
        base = power(&base, &ten)?;
    }
    let result = power(&base, &exponent)?;
    finalize(Dec::finite(negative, Coef::from_biguint(vm, &result)?, 0), env)
}
