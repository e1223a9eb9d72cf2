//! Decimal numbers, what operations are made under, and rounding.
//!
//! Invariant: of infinities the coefficient is 0, of NaNs it is the payload; both have the exponent 0. Signals are collected as bits of
//! [`Env::status`]; what they lead to is the caller's affair. The rules are those of the General Decimal Arithmetic Specification.

use std::cmp::Ordering;

use lisle_runtime::native::Res;

use super::coef::{Coef, Rest};
use super::quick;

pub const MAX_PREC: i64 = 999_999_999_999_999_999;
pub const MAX_EMAX: i64 = 999_999_999_999_999_999;
pub const MIN_EMIN: i64 = -999_999_999_999_999_999;
pub const MIN_ETINY: i64 = MIN_EMIN - (MAX_PREC - 1);

pub const CLAMPED: u32 = 1;
pub const CONVERSION_SYNTAX: u32 = 1 << 1;
pub const DIVISION_BY_ZERO: u32 = 1 << 2;
pub const DIVISION_IMPOSSIBLE: u32 = 1 << 3;
pub const DIVISION_UNDEFINED: u32 = 1 << 4;
pub const INEXACT: u32 = 1 << 6;
pub const INVALID_CONTEXT: u32 = 1 << 7;
pub const INVALID_OPERATION: u32 = 1 << 8;
pub const FLOAT_OPERATION: u32 = 1 << 10;
pub const OVERFLOW: u32 = 1 << 11;
pub const ROUNDED: u32 = 1 << 12;
pub const SUBNORMAL: u32 = 1 << 13;
pub const UNDERFLOW: u32 = 1 << 14;
/// All that are the signal `InvalidOperation`.
pub const ANY_INVALID: u32 =
    CONVERSION_SYNTAX | DIVISION_IMPOSSIBLE | DIVISION_UNDEFINED | INVALID_CONTEXT | INVALID_OPERATION;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rounding {
    Up,
    Down,
    Ceiling,
    Floor,
    HalfUp,
    HalfDown,
    HalfEven,
    ZeroFiveUp,
}

impl Rounding {
    pub const ALL: [Rounding; 8] = [
        Rounding::Up,
        Rounding::Down,
        Rounding::Ceiling,
        Rounding::Floor,
        Rounding::HalfUp,
        Rounding::HalfDown,
        Rounding::HalfEven,
        Rounding::ZeroFiveUp,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Rounding::Up => "ROUND_UP",
            Rounding::Down => "ROUND_DOWN",
            Rounding::Ceiling => "ROUND_CEILING",
            Rounding::Floor => "ROUND_FLOOR",
            Rounding::HalfUp => "ROUND_HALF_UP",
            Rounding::HalfDown => "ROUND_HALF_DOWN",
            Rounding::HalfEven => "ROUND_HALF_EVEN",
            Rounding::ZeroFiveUp => "ROUND_05UP",
        }
    }

    /// Whether the magnitude `kept`, from which `rest` was cut, becomes one more.
    fn away(self, negative: bool, kept: &Coef, rest: Rest) -> bool {
        let last = match self {
            Rounding::HalfEven | Rounding::ZeroFiveUp => kept.digit(0),
            _ => 0,
        };
        self.away_from(negative, last, rest)
    }

    /// As `away`, by the last digit that was kept, which matters for two of the modes.
    pub fn away_from(self, negative: bool, last: u8, rest: Rest) -> bool {
        if rest == Rest::Zero {
            return false;
        }
        match self {
            Rounding::Up => true,
            Rounding::Down => false,
            Rounding::Ceiling => !negative,
            Rounding::Floor => negative,
            Rounding::HalfUp => matches!(rest, Rest::Half | Rest::AboveHalf),
            Rounding::HalfDown => rest == Rest::AboveHalf,
            Rounding::HalfEven => rest == Rest::AboveHalf || rest == Rest::Half && last & 1 == 1,
            Rounding::ZeroFiveUp => matches!(last, 0 | 5),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Finite,
    Infinite,
    Quiet,
    Signaling,
}

/// What operations are made under, and the signals they gave.
#[derive(Clone, Copy, Debug)]
pub struct Env {
    pub prec: i64,
    pub emin: i64,
    pub emax: i64,
    pub rounding: Rounding,
    pub clamp: bool,
    pub status: u32,
}

impl Env {
    /// All that a number can be, exactly.
    pub const MAX: Env = Env {
        prec: MAX_PREC,
        emin: MIN_EMIN,
        emax: MAX_EMAX,
        rounding: Rounding::HalfEven,
        clamp: false,
        status: 0,
    };

    pub fn etiny(&self) -> i64 {
        self.emin - (self.prec - 1)
    }

    pub fn etop(&self) -> i64 {
        self.emax - (self.prec - 1)
    }

    /// Signals an invalid operation; what it results in.
    pub fn invalid(&mut self, status: u32) -> Dec {
        self.status |= status;
        Dec::nan()
    }

    /// The same without what was signalled.
    pub fn quiet(&self) -> Env {
        Env { status: 0, ..*self }
    }

    pub fn with_rounding(&self, rounding: Rounding) -> Env {
        Env {
            rounding,
            status: 0,
            ..*self
        }
    }
}

#[derive(Clone, Debug)]
pub struct Dec {
    pub negative: bool,
    pub kind: Kind,
    pub exp: i64,
    pub coef: Coef,
}

impl Dec {
    #[inline]
    pub fn finite(negative: bool, coef: Coef, exp: i64) -> Dec {
        Dec {
            negative,
            kind: Kind::Finite,
            exp,
            coef,
        }
    }

    pub fn zero(negative: bool, exp: i64) -> Dec {
        Dec::finite(negative, Coef::zero(), exp)
    }

    pub fn int(n: i64) -> Dec {
        Dec::finite(n < 0, Coef::from(n.unsigned_abs()), 0)
    }

    pub fn nan() -> Dec {
        Dec {
            negative: false,
            kind: Kind::Quiet,
            exp: 0,
            coef: Coef::zero(),
        }
    }

    pub fn infinity(negative: bool) -> Dec {
        Dec {
            negative,
            kind: Kind::Infinite,
            exp: 0,
            coef: Coef::zero(),
        }
    }

    #[inline(always)]
    pub fn is_finite(&self) -> bool {
        self.kind == Kind::Finite
    }

    pub fn is_infinite(&self) -> bool {
        self.kind == Kind::Infinite
    }

    #[inline(always)]
    pub fn is_nan(&self) -> bool {
        matches!(self.kind, Kind::Quiet | Kind::Signaling)
    }

    #[inline(always)]
    pub fn is_zero(&self) -> bool {
        self.kind == Kind::Finite && self.coef.is_zero()
    }

    /// The exponent of the first digit.
    pub fn adjusted(&self) -> i64 {
        self.exp + self.coef.digits() - 1
    }

    pub fn with_sign(mut self, negative: bool) -> Dec {
        self.negative = negative;
        self
    }

    pub fn negated(self) -> Dec {
        let negative = !self.negative;
        self.with_sign(negative)
    }

    pub fn magnitude(&self) -> Dec {
        self.clone().with_sign(false)
    }

    pub fn is_subnormal(&self, env: &Env) -> bool {
        self.is_finite() && !self.is_zero() && self.adjusted() < env.emin
    }

    pub fn is_normal(&self, env: &Env) -> bool {
        self.is_finite() && !self.is_zero() && self.adjusted() >= env.emin
    }

    /// Whether the value is a whole number.
    pub fn is_integer(&self) -> bool {
        self.is_finite() && (self.exp >= 0 || self.coef.is_zero() || self.coef.trailing_zeros() >= -self.exp)
    }

    /// Whether a whole number is odd.
    pub fn is_odd_integer(&self) -> bool {
        self.exp <= 0 && self.coef.digit(-self.exp) & 1 == 1
    }

    /// With the exponent `exp`: zeros are appended, or digits rounded. Signals nothing; what was cut off is the second.
    pub fn rescaled(&self, exp: i64, rounding: Rounding) -> Res<(Dec, Rest)> {
        if !self.is_finite() {
            return Ok((self.clone(), Rest::Zero));
        }
        if self.coef.is_zero() {
            return Ok((Dec::zero(self.negative, exp), Rest::Zero));
        }
        if self.exp >= exp {
            let coef = self.coef.shl(self.exp - exp)?;
            return Ok((Dec::finite(self.negative, coef, exp), Rest::Zero));
        }
        let (mut coef, rest) = self.coef.shr(exp - self.exp)?;
        if rounding.away(self.negative, &coef, rest) {
            coef.increment()?;
        }
        Ok((Dec::finite(self.negative, coef, exp), rest))
    }
}

/// What too large a number becomes.
fn overflowed(negative: bool, env: &mut Env) -> Res<Dec> {
    env.status |= OVERFLOW | INEXACT | ROUNDED;
    let infinite = match env.rounding {
        Rounding::Up | Rounding::HalfUp | Rounding::HalfDown | Rounding::HalfEven => true,
        Rounding::Ceiling => !negative,
        Rounding::Floor => negative,
        Rounding::Down | Rounding::ZeroFiveUp => false,
    };
    if infinite {
        return Ok(Dec::infinity(negative));
    }
    Ok(Dec::finite(negative, Coef::nines(env.prec)?, env.etop()))
}

/// The NaN with as much of its payload as there is room for.
fn fit_payload(mut nan: Dec, env: &Env) -> Res<Dec> {
    let most = env.prec - i64::from(env.clamp);
    if nan.coef.digits() > most {
        nan.coef = nan.coef.last_digits(most)?;
    }
    Ok(nan)
}

/// Rounds a result to precision and range.
#[inline]
pub fn finalize(d: Dec, env: &mut Env) -> Res<Dec> {
    if d.is_finite() && !d.coef.is_zero() && d.coef.digits() <= env.prec {
        let adjusted = d.adjusted();
        if adjusted >= env.emin && adjusted <= env.emax && (!env.clamp || d.exp <= env.etop()) {
            return Ok(d);
        }
    }
    finalize_slow(d, env)
}

fn finalize_slow(d: Dec, env: &mut Env) -> Res<Dec> {
    match d.kind {
        Kind::Finite => {}
        Kind::Infinite => return Ok(d),
        _ => return fit_payload(d, env),
    }
    let (etiny, etop) = (env.etiny(), env.etop());
    if d.coef.is_zero() {
        let most = if env.clamp { etop } else { env.emax };
        let exp = d.exp.clamp(etiny, most.max(etiny));
        if exp != d.exp {
            env.status |= CLAMPED;
        }
        return Ok(Dec::zero(d.negative, exp));
    }
    let mut exp_min = d.coef.digits() + d.exp - env.prec;
    if exp_min > etop {
        return overflowed(d.negative, env);
    }
    let subnormal = exp_min < etiny;
    if subnormal {
        exp_min = etiny;
    }
    if d.exp < exp_min {
        let (mut coef, rest) = d.coef.shr(exp_min - d.exp)?;
        if env.rounding.away(d.negative, &coef, rest) {
            coef.increment()?;
            if coef.digits() > env.prec {
                coef = coef.shr_floor(1)?;
                exp_min += 1;
            }
        }
        if exp_min > etop {
            return overflowed(d.negative, env);
        }
        env.status |= ROUNDED;
        if rest != Rest::Zero {
            env.status |= INEXACT;
            if subnormal {
                env.status |= UNDERFLOW;
            }
        }
        if subnormal {
            env.status |= SUBNORMAL;
        }
        if coef.is_zero() {
            env.status |= CLAMPED;
        }
        return Ok(Dec::finite(d.negative, coef, exp_min));
    }
    if subnormal {
        env.status |= SUBNORMAL;
    }
    if env.clamp && d.exp > etop {
        env.status |= CLAMPED;
        let coef = d.coef.shl(d.exp - etop)?;
        return Ok(Dec::finite(d.negative, coef, etop));
    }
    Ok(d)
}

/// What an operation on NaNs results in; `None` if there are none.
#[inline(always)]
pub fn check_nans(a: &Dec, b: Option<&Dec>, env: &mut Env) -> Res<Option<Dec>> {
    if !a.is_nan() && !b.is_some_and(Dec::is_nan) {
        return Ok(None);
    }
    nan_result(&[Some(a), b], env).map(Some)
}

/// The first signaling NaN, else the first quiet one.
#[cold]
pub fn nan_result(operands: &[Option<&Dec>], env: &mut Env) -> Res<Dec> {
    let find = |kind| operands.iter().flatten().find(|d| d.kind == kind);
    let mut nan = match find(Kind::Signaling) {
        Some(nan) => {
            env.status |= INVALID_OPERATION;
            (**nan).clone()
        }
        None => find(Kind::Quiet).map_or_else(Dec::nan, |nan| (**nan).clone()),
    };
    nan.kind = Kind::Quiet;
    fit_payload(nan, env)
}

/// The order of two values that are no NaNs.
pub fn compare(a: &Dec, b: &Dec) -> Res<Ordering> {
    let sign = |d: &Dec| match (d.is_zero(), d.negative) {
        (true, _) => 0,
        (_, true) => -1,
        (_, false) => 1,
    };
    let (first, second) = (sign(a), sign(b));
    if first != second || first == 0 {
        return Ok(first.cmp(&second));
    }
    let order = compare_magnitudes(a, b)?;
    Ok(if a.negative { order.reverse() } else { order })
}

/// The order of two magnitudes that are no NaNs.
pub fn compare_magnitudes(a: &Dec, b: &Dec) -> Res<Ordering> {
    match (a.is_infinite(), b.is_infinite()) {
        (false, false) => {}
        (x, y) => return Ok(x.cmp(&y)),
    }
    match (a.coef.is_zero(), b.coef.is_zero()) {
        (false, false) => {}
        (x, y) => return Ok(y.cmp(&x)),
    }
    if a.exp == b.exp {
        return Ok(a.coef.cmp(&b.coef));
    }
    let order = a.adjusted().cmp(&b.adjusted());
    if order.is_ne() {
        return Ok(order);
    }
    // The first digits stand at the same place, so the shorter is filled up to the length of the other.
    if a.exp > b.exp {
        Ok(a.coef.shl(a.exp - b.exp)?.cmp(&b.coef))
    } else {
        Ok(a.coef.cmp(&b.coef.shl(b.exp - a.exp)?))
    }
}

pub fn add(a: &Dec, b: &Dec, env: &mut Env) -> Res<Dec> {
    add_signed(a, b, b.negative, env)
}

pub fn sub(a: &Dec, b: &Dec, env: &mut Env) -> Res<Dec> {
    if b.is_nan() {
        // The sign of a NaN stays.
        return add(a, b, env);
    }
    add_signed(a, b, !b.negative, env)
}

/// `a + b` where `b` has the sign `negative`.
fn add_signed(a: &Dec, b: &Dec, negative: bool, env: &mut Env) -> Res<Dec> {
    if a.is_finite() && b.is_finite() {
        return add_finite(a, b, negative, env);
    }
    if let Some(nan) = check_nans(a, Some(b), env)? {
        return Ok(nan);
    }
    match (a.is_infinite(), b.is_infinite()) {
        (true, true) if a.negative != negative => Ok(env.invalid(INVALID_OPERATION)),
        (true, _) => Ok(Dec::infinity(a.negative)),
        _ => Ok(Dec::infinity(negative)),
    }
}

fn add_finite(a: &Dec, b: &Dec, negative: bool, env: &mut Env) -> Res<Dec> {
    if let Some(sum) = quick::add(a, b, negative, env) {
        return Ok(sum);
    }
    let exp = a.exp.min(b.exp);
    let zero_sign = if a.negative == negative {
        negative
    } else {
        env.rounding == Rounding::Floor
    };
    match (a.coef.is_zero(), b.coef.is_zero()) {
        (false, false) => {}
        (true, true) => return finalize(Dec::zero(zero_sign, exp), env),
        (true, false) => return padded(b, negative, a.exp, env),
        (false, true) => return padded(a, a.negative, b.exp, env),
    }
    let (mut x, mut y, mut exp) = (&a.coef, &b.coef, exp);
    let (shifted, stand_in);
    if a.exp != b.exp {
        let (high, low) = if a.exp > b.exp { (a, b) } else { (b, a) };
        // A number that far below the last digit only matters by being there.
        let lowest = high.exp + (high.coef.digits() - env.prec - 2).min(-1);
        let (low_coef, low_exp) = if low.adjusted() < lowest {
            stand_in = Coef::from(1);
            (&stand_in, lowest)
        } else {
            (&low.coef, low.exp)
        };
        exp = low_exp.min(high.exp);
        shifted = high.coef.shl(high.exp - low_exp)?;
        (x, y) = if a.exp > b.exp {
            (&shifted, low_coef)
        } else {
            (low_coef, &shifted)
        };
    }
    let result = if a.negative == negative {
        Dec::finite(negative, x.add(y)?, exp)
    } else {
        match x.cmp(y) {
            Ordering::Equal => Dec::zero(zero_sign, exp),
            Ordering::Greater => Dec::finite(a.negative, x.sub(y)?, exp),
            Ordering::Less => Dec::finite(negative, y.sub(x)?, exp),
        }
    };
    finalize(result, env)
}

/// The sum of `d`, which is not 0, and a zero with the exponent `exp`.
fn padded(d: &Dec, negative: bool, exp: i64, env: &mut Env) -> Res<Dec> {
    let exp = exp.max(d.exp - env.prec - 1).min(d.exp);
    let exp = exp.max(d.adjusted() - env.prec - 1).min(d.exp);
    finalize(Dec::finite(negative, d.coef.shl(d.exp - exp)?, exp), env)
}

pub fn mul(a: &Dec, b: &Dec, env: &mut Env) -> Res<Dec> {
    if a.is_finite()
        && b.is_finite()
        && let Some(product) = quick::mul(a, b, env)
    {
        return Ok(product);
    }
    match mul_exact(a, b, env)? {
        Ok(product) => finalize(product, env),
        Err(special) => Ok(special),
    }
}

/// The product without rounding, or what is none.
pub fn mul_exact(a: &Dec, b: &Dec, env: &mut Env) -> Res<Result<Dec, Dec>> {
    let negative = a.negative != b.negative;
    if a.is_finite() && b.is_finite() {
        return Ok(Ok(Dec::finite(negative, a.coef.mul(&b.coef)?, a.exp + b.exp)));
    }
    if let Some(nan) = check_nans(a, Some(b), env)? {
        return Ok(Err(nan));
    }
    if a.is_zero() || b.is_zero() {
        return Ok(Err(env.invalid(INVALID_OPERATION)));
    }
    Ok(Err(Dec::infinity(negative)))
}

pub fn div(a: &Dec, b: &Dec, env: &mut Env) -> Res<Dec> {
    let negative = a.negative != b.negative;
    if !a.is_finite() || !b.is_finite() {
        if let Some(nan) = check_nans(a, Some(b), env)? {
            return Ok(nan);
        }
        if a.is_infinite() && b.is_infinite() {
            return Ok(env.invalid(INVALID_OPERATION));
        }
        if a.is_infinite() {
            return Ok(Dec::infinity(negative));
        }
        env.status |= CLAMPED;
        return Ok(Dec::zero(negative, env.etiny()));
    }
    if b.coef.is_zero() {
        if a.coef.is_zero() {
            return Ok(env.invalid(DIVISION_UNDEFINED));
        }
        env.status |= DIVISION_BY_ZERO;
        return Ok(Dec::infinity(negative));
    }
    if let Some(quotient) = quick::div(a, b, env) {
        return Ok(quotient);
    }
    let ideal = a.exp - b.exp;
    if a.coef.is_zero() {
        return finalize(Dec::zero(negative, ideal), env);
    }
    let shift = b.coef.digits() - a.coef.digits() + env.prec + 1;
    // An exact quotient needs no more digits behind those of the dividend than the divisor has factors of 2 or 5.
    let enough = 4 * b.coef.digits() + 4;
    let (mut coef, exp, exact) = match shift > enough * 2 + 200 {
        true => match quotient(a, b, enough)? {
            (coef, true) => (coef, ideal - enough, true),
            _ => {
                let (coef, exact) = quotient(a, b, shift)?;
                (coef, ideal - shift, exact)
            }
        },
        false => {
            let (coef, exact) = quotient(a, b, shift)?;
            (coef, ideal - shift, exact)
        }
    };
    let mut exp = exp;
    if exact {
        let zeros = coef.trailing_zeros().min(ideal - exp);
        if zeros > 0 {
            coef = coef.shr_floor(zeros)?;
            exp += zeros;
        }
    } else if matches!(coef.digit(0), 0 | 5) {
        coef.increment()?;
    }
    finalize(Dec::finite(negative, coef, exp), env)
}

/// The quotient of the coefficients times `10**shift`, rounded down, and whether that is exact.
fn quotient(a: &Dec, b: &Dec, shift: i64) -> Res<(Coef, bool)> {
    let (quotient, rest) = if shift >= 0 {
        a.coef.shl(shift)?.div_rem(&b.coef)?
    } else {
        a.coef.div_rem(&b.coef.shl(-shift)?)?
    };
    Ok((quotient, rest.is_zero()))
}

/// Whole quotient and remainder of finite numbers, the divisor not 0; `None` if the quotient has too many digits.
fn div_rem_finite(a: &Dec, b: &Dec, env: &Env) -> Res<Option<(Dec, Dec)>> {
    let negative = a.negative != b.negative;
    let ideal = if b.is_infinite() { a.exp } else { a.exp.min(b.exp) };
    if a.coef.is_zero() || b.is_infinite() || a.adjusted() - b.adjusted() <= -2 {
        let (rest, _) = a.rescaled(ideal, env.rounding)?;
        return Ok(Some((Dec::zero(negative, 0), rest)));
    }
    if a.adjusted() - b.adjusted() > env.prec {
        return Ok(None);
    }
    let (quotient, rest) = if a.exp >= b.exp {
        a.coef.shl(a.exp - b.exp)?.div_rem(&b.coef)?
    } else {
        a.coef.div_rem(&b.coef.shl(b.exp - a.exp)?)?
    };
    if quotient.digits() > env.prec {
        return Ok(None);
    }
    let quotient = Dec::finite(negative, quotient, 0);
    Ok(Some((quotient, Dec::finite(a.negative, rest, ideal))))
}

pub fn floor_div(a: &Dec, b: &Dec, env: &mut Env) -> Res<Dec> {
    if let Some(nan) = check_nans(a, Some(b), env)? {
        return Ok(nan);
    }
    let negative = a.negative != b.negative;
    if a.is_infinite() {
        return Ok(match b.is_infinite() {
            true => env.invalid(INVALID_OPERATION),
            false => Dec::infinity(negative),
        });
    }
    if b.is_zero() {
        return Ok(divided_by_zero(a, negative, env));
    }
    Ok(match div_rem_finite(a, b, env)? {
        Some((quotient, _)) => finalize(quotient, env)?,
        None => env.invalid(DIVISION_IMPOSSIBLE),
    })
}

fn divided_by_zero(a: &Dec, negative: bool, env: &mut Env) -> Dec {
    if a.is_zero() {
        return env.invalid(DIVISION_UNDEFINED);
    }
    env.status |= DIVISION_BY_ZERO;
    Dec::infinity(negative)
}

/// What there is instead of a remainder: a NaN where an operand is one, nothing can be left of the first, or the second is zero.
fn no_remainder(a: &Dec, b: &Dec, env: &mut Env) -> Res<Option<Dec>> {
    if let Some(nan) = check_nans(a, Some(b), env)? {
        return Ok(Some(nan));
    }
    if a.is_infinite() {
        return Ok(Some(env.invalid(INVALID_OPERATION)));
    }
    if !b.is_zero() {
        return Ok(None);
    }
    let status = if a.is_zero() {
        DIVISION_UNDEFINED
    } else {
        INVALID_OPERATION
    };
    Ok(Some(env.invalid(status)))
}

pub fn remainder(a: &Dec, b: &Dec, env: &mut Env) -> Res<Dec> {
    if let Some(nan) = no_remainder(a, b, env)? {
        return Ok(nan);
    }
    match div_rem_finite(a, b, env)? {
        Some((_, rest)) => finalize(rest, env),
        None => Ok(env.invalid(DIVISION_IMPOSSIBLE)),
    }
}

pub fn div_mod(a: &Dec, b: &Dec, env: &mut Env) -> Res<(Dec, Dec)> {
    if let Some(nan) = check_nans(a, Some(b), env)? {
        return Ok((nan.clone(), nan));
    }
    let negative = a.negative != b.negative;
    if a.is_infinite() {
        let rest = env.invalid(INVALID_OPERATION);
        return Ok((
            if b.is_infinite() {
                Dec::nan()
            } else {
                Dec::infinity(negative)
            },
            rest,
        ));
    }
    if b.is_zero() {
        if a.is_zero() {
            return Ok((env.invalid(DIVISION_UNDEFINED), Dec::nan()));
        }
        env.status |= DIVISION_BY_ZERO;
        return Ok((Dec::infinity(negative), env.invalid(INVALID_OPERATION)));
    }
    match div_rem_finite(a, b, env)? {
        Some((quotient, rest)) => Ok((finalize(quotient, env)?, finalize(rest, env)?)),
        None => Ok((env.invalid(DIVISION_IMPOSSIBLE), Dec::nan())),
    }
}

pub fn remainder_near(a: &Dec, b: &Dec, env: &mut Env) -> Res<Dec> {
    if let Some(nan) = no_remainder(a, b, env)? {
        return Ok(nan);
    }
    if b.is_infinite() {
        return finalize(a.clone(), env);
    }
    let ideal = a.exp.min(b.exp);
    if a.coef.is_zero() {
        return finalize(Dec::zero(a.negative, ideal), env);
    }
    let gap = a.adjusted() - b.adjusted();
    if gap > env.prec {
        return Ok(env.invalid(DIVISION_IMPOSSIBLE));
    }
    if gap <= -2 {
        let (rest, _) = a.rescaled(ideal, env.rounding)?;
        return finalize(rest, env);
    }
    let (x, y) = if a.exp >= b.exp {
        (a.coef.shl(a.exp - b.exp)?, b.coef.clone())
    } else {
        (a.coef.clone(), b.coef.shl(b.exp - a.exp)?)
    };
    let (mut quotient, rest) = x.div_rem(&y)?;
    let twice = rest.add(&rest)?;
    let mut result = Dec::finite(a.negative, rest, ideal);
    let order = twice.cmp(&y);
    if order.is_gt() || order.is_eq() && quotient.is_odd() {
        result = Dec::finite(!a.negative, y.sub(&result.coef)?, ideal);
        quotient.increment()?;
    }
    if quotient.digits() > env.prec {
        return Ok(env.invalid(DIVISION_IMPOSSIBLE));
    }
    finalize(result, env)
}

pub fn fma(a: &Dec, b: &Dec, c: &Dec, env: &mut Env) -> Res<Dec> {
    if a.is_nan() || b.is_nan() || c.is_nan() {
        if a.kind == Kind::Signaling || b.kind == Kind::Signaling {
            return nan_result(&[Some(a), Some(b)], env);
        }
        if a.kind != Kind::Quiet
            && b.kind != Kind::Quiet
            && (a.is_zero() && b.is_infinite() || a.is_infinite() && b.is_zero())
        {
            return Ok(env.invalid(INVALID_OPERATION));
        }
        return nan_result(&[Some(a), Some(b), Some(c)], env);
    }
    match mul_exact(a, b, env)? {
        Ok(product) => add(&product, c, env),
        Err(special) if special.is_nan() => Ok(special),
        Err(infinity) => add(&infinity, c, env),
    }
}

/// `-0` becomes `0`, but where one rounds down.
pub fn plus(a: &Dec, env: &mut Env) -> Res<Dec> {
    if let Some(nan) = check_nans(a, None, env)? {
        return Ok(nan);
    }
    let mut result = a.clone();
    if a.is_zero() && env.rounding != Rounding::Floor {
        result.negative = false;
    }
    finalize(result, env)
}

pub fn minus(a: &Dec, env: &mut Env) -> Res<Dec> {
    if let Some(nan) = check_nans(a, None, env)? {
        return Ok(nan);
    }
    let mut result = a.clone().negated();
    if a.is_zero() {
        result.negative = !a.negative && env.rounding == Rounding::Floor;
    }
    finalize(result, env)
}

pub fn abs(a: &Dec, env: &mut Env) -> Res<Dec> {
    if a.negative { minus(a, env) } else { plus(a, env) }
}

pub fn quantize(a: &Dec, b: &Dec, env: &mut Env) -> Res<Dec> {
    if let Some(nan) = check_nans(a, Some(b), env)? {
        return Ok(nan);
    }
    match (a.is_infinite(), b.is_infinite()) {
        (false, false) => quantize_to(a, b.exp, env),
        (true, true) => Ok(a.clone()),
        _ => Ok(env.invalid(INVALID_OPERATION)),
    }
}

/// A finite number with the exponent `exp`.
pub fn quantize_to(a: &Dec, exp: i64, env: &mut Env) -> Res<Dec> {
    if exp < env.etiny() || exp > env.emax {
        return Ok(env.invalid(INVALID_OPERATION));
    }
    if a.coef.is_zero() {
        return finalize(Dec::zero(a.negative, exp), env);
    }
    let adjusted = a.adjusted();
    if adjusted > env.emax || adjusted - exp + 1 > env.prec {
        return Ok(env.invalid(INVALID_OPERATION));
    }
    let (result, rest) = a.rescaled(exp, env.rounding)?;
    if result.adjusted() > env.emax || result.coef.digits() > env.prec {
        return Ok(env.invalid(INVALID_OPERATION));
    }
    if result.is_subnormal(env) {
        env.status |= SUBNORMAL;
    }
    if exp > a.exp {
        env.status |= ROUNDED;
        if rest != Rest::Zero {
            env.status |= INEXACT;
        }
    }
    finalize(result, env)
}

/// The nearest whole number; `signals` whether it says that it was rounded.
pub fn to_integral(a: &Dec, signals: bool, env: &mut Env) -> Res<Dec> {
    if let Some(nan) = check_nans(a, None, env)? {
        return Ok(nan);
    }
    if !a.is_finite() || a.exp >= 0 {
        return Ok(a.clone());
    }
    let zero = a.coef.is_zero();
    let (result, rest) = a.rescaled(0, env.rounding)?;
    if signals && !zero {
        env.status |= ROUNDED;
        if rest != Rest::Zero {
            env.status |= INEXACT;
        }
    }
    Ok(result)
}

/// Without trailing zeros.
pub fn reduce(a: &Dec, env: &mut Env) -> Res<Dec> {
    if let Some(nan) = check_nans(a, None, env)? {
        return Ok(nan);
    }
    let d = finalize(a.clone(), env)?;
    if !d.is_finite() {
        return Ok(d);
    }
    if d.coef.is_zero() {
        return Ok(Dec::zero(d.negative, 0));
    }
    let most = if env.clamp { env.etop() } else { env.emax };
    let zeros = d.coef.trailing_zeros().min((most - d.exp).max(0));
    Ok(Dec::finite(d.negative, d.coef.shr_floor(zeros)?, d.exp + zeros))
}
