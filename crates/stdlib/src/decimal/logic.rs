//! Operations on the representation of numbers: logical ones, shifts, neighbours, extremes, the total order.
//!
//! Invariant: as in [`super::number`].

use std::cmp::Ordering;

use lisle_runtime::native::Res;

use super::coef::Coef;
use super::number::{
    self, CLAMPED, Dec, Env, INEXACT, INVALID_OPERATION, Kind, OVERFLOW, ROUNDED, Rounding, SUBNORMAL, UNDERFLOW,
    check_nans, compare, compare_magnitudes, finalize,
};

/// Which of two numbers is wanted.
#[derive(Clone, Copy)]
pub enum Extreme {
    Max,
    Min,
    MaxMagnitude,
    MinMagnitude,
}

pub fn extreme(a: &Dec, b: &Dec, which: Extreme, env: &mut Env) -> Res<Dec> {
    match (a.kind, b.kind) {
        // A quiet NaN gives way to a number.
        (Kind::Quiet, Kind::Finite | Kind::Infinite) => return finalize(b.clone(), env),
        (Kind::Finite | Kind::Infinite, Kind::Quiet) => return finalize(a.clone(), env),
        _ => {}
    }
    if let Some(nan) = check_nans(a, Some(b), env)? {
        return Ok(nan);
    }
    let order = match which {
        Extreme::Max | Extreme::Min => compare(a, b)?,
        Extreme::MaxMagnitude | Extreme::MinMagnitude => compare_magnitudes(a, b)?.then(compare(a, b)?),
    };
    let order = match order {
        Ordering::Equal => total_order(a, b)?,
        order => order,
    };
    let larger = if order.is_lt() { b } else { a };
    let smaller = if order.is_lt() { a } else { b };
    let chosen = match which {
        Extreme::Max | Extreme::MaxMagnitude => larger,
        Extreme::Min | Extreme::MinMagnitude => smaller,
    };
    finalize(chosen.clone(), env)
}

/// The order of representations.
pub fn total_order(a: &Dec, b: &Dec) -> Res<Ordering> {
    if a.negative != b.negative {
        return Ok(b.negative.cmp(&a.negative));
    }
    let rank = |d: &Dec| match d.kind {
        Kind::Finite | Kind::Infinite => 0,
        Kind::Signaling => 1,
        Kind::Quiet => 2,
    };
    let order = match rank(a).cmp(&rank(b)) {
        Ordering::Equal if a.is_nan() => a.coef.cmp(&b.coef),
        Ordering::Equal => compare_magnitudes(a, b)?.then(a.exp.cmp(&b.exp)),
        order => order,
    };
    Ok(if a.negative { order.reverse() } else { order })
}

fn ordering(order: Ordering) -> Dec {
    Dec::int(order as i64)
}

pub fn compare_total(a: &Dec, b: &Dec) -> Res<Dec> {
    total_order(a, b).map(ordering)
}

pub fn compare_total_magnitude(a: &Dec, b: &Dec) -> Res<Dec> {
    total_order(&a.magnitude(), &b.magnitude()).map(ordering)
}

/// The order as a number; with `signals`, NaNs are invalid even if they are quiet.
pub fn compare_value(a: &Dec, b: &Dec, signals: bool, env: &mut Env) -> Res<Dec> {
    if let Some(nan) = check_nans(a, Some(b), env)? {
        if signals {
            env.status |= INVALID_OPERATION;
        }
        return Ok(nan);
    }
    compare(a, b).map(ordering)
}

pub fn same_quantum(a: &Dec, b: &Dec) -> bool {
    if a.is_finite() && b.is_finite() {
        return a.exp == b.exp;
    }
    a.is_nan() && b.is_nan() || a.is_infinite() && b.is_infinite()
}

fn is_logical(d: &Dec) -> bool {
    d.is_finite() && !d.negative && d.exp == 0 && d.coef.is_logical()
}

pub fn logical(a: &Dec, b: &Dec, rule: impl Fn(u8, u8) -> u8, env: &mut Env) -> Res<Dec> {
    if !is_logical(a) || !is_logical(b) {
        return Ok(env.invalid(INVALID_OPERATION));
    }
    let digits = a.coef.digits().max(b.coef.digits()).min(env.prec);
    Ok(Dec::finite(false, a.coef.combine(&b.coef, digits, rule)?, 0))
}

pub fn logical_invert(a: &Dec, env: &mut Env) -> Res<Dec> {
    if !is_logical(a) {
        return Ok(env.invalid(INVALID_OPERATION));
    }
    let coef = a.coef.combine(&Coef::zero(), env.prec, |digit, _| 1 - digit)?;
    Ok(Dec::finite(false, coef, 0))
}

/// The second operand of shifts, if it is a whole number within `limit`.
fn places(b: &Dec, limit: i64) -> Option<i64> {
    if !b.is_finite() || b.exp != 0 {
        return None;
    }
    let n = b.coef.to_i64()?;
    if n > limit {
        return None;
    }
    Some(if b.negative { -n } else { n })
}

pub fn shift(a: &Dec, b: &Dec, env: &mut Env) -> Res<Dec> {
    if let Some(nan) = check_nans(a, Some(b), env)? {
        return Ok(nan);
    }
    let Some(n) = places(b, env.prec) else {
        return Ok(env.invalid(INVALID_OPERATION));
    };
    if a.is_infinite() {
        return Ok(a.clone());
    }
    let coef = if n < 0 {
        a.coef.last_digits(env.prec)?.shr_floor(-n)?
    } else {
        // What will be shifted out need not be shifted.
        a.coef.last_digits(env.prec - n)?.shl(n)?
    };
    Ok(Dec::finite(a.negative, coef, a.exp))
}

pub fn rotate(a: &Dec, b: &Dec, env: &mut Env) -> Res<Dec> {
    if let Some(nan) = check_nans(a, Some(b), env)? {
        return Ok(nan);
    }
    let Some(n) = places(b, env.prec) else {
        return Ok(env.invalid(INVALID_OPERATION));
    };
    if a.is_infinite() {
        return Ok(a.clone());
    }
    let n = if n < 0 { n + env.prec } else { n };
    let coef = a.coef.last_digits(env.prec)?;
    let left = coef.last_digits(env.prec - n)?.shl(n)?;
    let right = coef.shr_floor(env.prec - n)?;
    Ok(Dec::finite(a.negative, left.add(&right)?, a.exp))
}

pub fn scaleb(a: &Dec, b: &Dec, env: &mut Env) -> Res<Dec> {
    if let Some(nan) = check_nans(a, Some(b), env)? {
        return Ok(nan);
    }
    let limit = 2i64.saturating_mul(env.emax.saturating_add(env.prec));
    let Some(n) = places(b, limit) else {
        return Ok(env.invalid(INVALID_OPERATION));
    };
    if a.is_infinite() {
        return Ok(a.clone());
    }
    finalize(Dec::finite(a.negative, a.coef.clone(), a.exp.saturating_add(n)), env)
}

/// The largest finite number.
fn largest(negative: bool, env: &Env) -> Res<Dec> {
    Ok(Dec::finite(negative, Coef::nines(env.prec)?, env.etop()))
}

/// The next number above, or below with `down`. Signals nothing but for NaNs.
fn next(a: &Dec, down: bool, env: &mut Env) -> Res<Dec> {
    if let Some(nan) = check_nans(a, None, env)? {
        return Ok(nan);
    }
    if a.is_infinite() {
        return if a.negative == down {
            Ok(a.clone())
        } else {
            largest(a.negative, env)
        };
    }
    let mut inner = env.with_rounding(if down { Rounding::Floor } else { Rounding::Ceiling });
    let rounded = finalize(a.clone(), &mut inner)?;
    if compare(&rounded, a)?.is_ne() {
        return Ok(rounded);
    }
    let step = Dec::finite(down, Coef::from(1), env.etiny() - 1);
    number::add(a, &step, &mut inner)
}

pub fn next_plus(a: &Dec, env: &mut Env) -> Res<Dec> {
    next(a, false, env)
}

pub fn next_minus(a: &Dec, env: &mut Env) -> Res<Dec> {
    next(a, true, env)
}

pub fn next_toward(a: &Dec, b: &Dec, env: &mut Env) -> Res<Dec> {
    if let Some(nan) = check_nans(a, Some(b), env)? {
        return Ok(nan);
    }
    let order = compare(a, b)?;
    if order.is_eq() {
        return Ok(a.clone().with_sign(b.negative));
    }
    let result = next(a, order.is_gt(), env)?;
    if result.is_infinite() {
        env.status |= OVERFLOW | INEXACT | ROUNDED;
    } else if result.adjusted() < env.emin {
        env.status |= UNDERFLOW | SUBNORMAL | INEXACT | ROUNDED;
        if result.is_zero() {
            env.status |= CLAMPED;
        }
    }
    Ok(result)
}

/// The class of a number, as `number_class` names it.
pub fn class_name(a: &Dec, env: &Env) -> &'static str {
    match a.kind {
        Kind::Quiet => "NaN",
        Kind::Signaling => "sNaN",
        Kind::Infinite if a.negative => "-Infinity",
        Kind::Infinite => "+Infinity",
        Kind::Finite => match (a.negative, a.is_zero(), a.is_subnormal(env)) {
            (true, true, _) => "-Zero",
            (false, true, _) => "+Zero",
            (true, _, true) => "-Subnormal",
            (false, _, true) => "+Subnormal",
            (true, ..) => "-Normal",
            (false, ..) => "+Normal",
        },
    }
}
