//! Sums, products and quotients of numbers of few digits, in 128 bits.
//!
//! Invariant: what is returned is what the general operations of `number` result in, signals included; `None` leaves it to them: operands that are special,
//! zero or long, and results out of range.

use super::coef::{Coef, Rest};
use super::number::{Dec, Env, INEXACT, ROUNDED, Rounding};

/// As many digits surely fit into 128 bits.
const DIGITS: i64 = 38;

const POWERS: [u128; 39] = {
    let mut powers = [1; 39];
    let mut n = 1;
    while n < 39 {
        powers[n] = powers[n - 1] * 10;
        n += 1;
    }
    powers
};

/// How many digits a number that is not 0 has.
#[inline]
fn digits(n: u128) -> i64 {
    let bits = 128 - n.leading_zeros() as usize;
    // 1233 / 4096 is the logarithm of 2, to the few bits that matter here.
    let least = (bits * 1233) >> 12;
    (least + usize::from(POWERS.get(least).is_some_and(|power| n >= *power))) as i64
}

/// `n * 10**shift`, if that has few digits; `width` is how many `n` has.
#[inline]
fn shifted(n: u128, width: i64, shift: i64) -> Option<u128> {
    if !(0..=DIGITS - width).contains(&shift) {
        return None;
    }
    Some(n * POWERS[shift as usize])
}

/// A coefficient other than 0 and how many digits it has.
#[inline]
fn short(coef: &Coef) -> Option<(u128, i64)> {
    let n = coef.two_limbs()?;
    (n != 0).then(|| (n, digits(n)))
}

/// `n * 10**exp`, rounded.
#[inline]
fn rounded(negative: bool, n: u128, exp: i64, env: &mut Env) -> Option<Dec> {
    let width = digits(n);
    let adjusted = exp.checked_add(width - 1)?;
    if adjusted < env.emin || adjusted >= env.emax || env.clamp {
        return None;
    }
    let cut = width - env.prec;
    if cut <= 0 {
        return Some(Dec::finite(negative, Coef::from_u128(n), exp));
    }
    let power = *POWERS.get(cut as usize)?;
    let (mut kept, rest) = (n / power, n % power);
    let mut exp = exp + cut;
    let rest = match rest {
        0 => Rest::Zero,
        _ => match (rest * 2).cmp(&power) {
            std::cmp::Ordering::Less => Rest::BelowHalf,
            std::cmp::Ordering::Equal => Rest::Half,
            std::cmp::Ordering::Greater => Rest::AboveHalf,
        },
    };
    let last = match env.rounding {
        Rounding::HalfEven | Rounding::ZeroFiveUp => (kept % 10) as u8,
        _ => 0,
    };
    if env.rounding.away_from(negative, last, rest) {
        kept += 1;
        if digits(kept) > env.prec {
            kept /= 10;
            exp += 1;
        }
    }
    env.status |= if rest == Rest::Zero { ROUNDED } else { ROUNDED | INEXACT };
    Some(Dec::finite(negative, Coef::from_u128(kept), exp))
}

/// `a + b` of finite numbers, where `b` has the sign `negative`.
#[inline]
pub fn add(a: &Dec, b: &Dec, negative: bool, env: &mut Env) -> Option<Dec> {
    let ((mut x, x_width), (mut y, y_width)) = (short(&a.coef)?, short(&b.coef)?);
    let exp = a.exp.min(b.exp);
    if a.exp > b.exp {
        x = shifted(x, x_width, a.exp.checked_sub(b.exp)?)?;
    } else if b.exp > a.exp {
        y = shifted(y, y_width, b.exp.checked_sub(a.exp)?)?;
    }
    if a.negative == negative {
        return rounded(negative, x + y, exp, env);
    }
    match x.cmp(&y) {
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Greater => rounded(a.negative, x - y, exp, env),
        std::cmp::Ordering::Less => rounded(negative, y - x, exp, env),
    }
}

/// `a * b` of finite numbers.
#[inline]
pub fn mul(a: &Dec, b: &Dec, env: &mut Env) -> Option<Dec> {
    let ((x, x_width), (y, y_width)) = (short(&a.coef)?, short(&b.coef)?);
    if x_width + y_width > DIGITS {
        return None;
    }
    rounded(a.negative != b.negative, x * y, a.exp.checked_add(b.exp)?, env)
}

/// `a / b` of finite numbers.
#[inline]
pub fn div(a: &Dec, b: &Dec, env: &mut Env) -> Option<Dec> {
    let ((x, x_width), (y, y_width)) = (short(&a.coef)?, short(&b.coef)?);
    let ideal = a.exp.checked_sub(b.exp)?;
    let shift = y_width - x_width + env.prec.min(DIGITS) + 1;
    if env.prec > DIGITS {
        return None;
    }
    let dividend = shifted(x, x_width, shift)?;
    let (mut quotient, rest) = match u64::try_from(y) {
        // Mostly so, and quicker.
        Ok(y) => (dividend / u128::from(y), dividend % u128::from(y)),
        Err(_) => (dividend / y, dividend % y),
    };
    let mut exp = ideal.checked_sub(shift)?;
    if rest != 0 {
        if matches!(quotient % 10, 0 | 5) {
            quotient += 1;
        }
    } else {
        while exp < ideal && quotient.is_multiple_of(10) {
            quotient /= 10;
            exp += 1;
        }
    }
    rounded(a.negative != b.negative, quotient, exp, env)
}
