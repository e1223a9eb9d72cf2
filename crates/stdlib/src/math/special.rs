//! Functions of one float beyond the C library's ordinary ones: gamma, log-gamma, error functions, inverse hyperbolics.
//!
//! Invariant: [`Failure`] is what C's `errno` would say; the caller turns it into Python's error.
//! gamma and lgamma use Lanczos' approximation with the 13-term rational function computed for Boost (g = 6.0246...).

use std::f64::consts::PI;

/// Why there is no result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    Domain,
    Range,
}

mod c {
    unsafe extern "C" {
        pub safe fn acosh(x: f64) -> f64;
        pub safe fn asinh(x: f64) -> f64;
        pub safe fn atanh(x: f64) -> f64;
        pub safe fn erf(x: f64) -> f64;
        pub safe fn erfc(x: f64) -> f64;
        pub safe fn remainder(x: f64, y: f64) -> f64;
        pub safe fn ldexp(x: f64, exponent: i32) -> f64;
    }
}

pub use c::{acosh, asinh, atanh, erf, erfc, ldexp, remainder};

const G: f64 = 6.024_680_040_776_729_583_740_234_375;
const G_MINUS_HALF: f64 = 5.524_680_040_776_729_583_740_234_375;

const NUMERATOR: [f64; 13] = [
    23531376880.410759688572007674451636754734846804940,
    42919803642.649098768957899047001988850926355848959,
    35711959237.355668049440185451547166705960488635843,
    17921034426.037209699919755754458931112671403265390,
    6039542586.3520280050642916443072979210699388420708,
    1439720407.3117216736632230727949123939715485786372,
    248874557.86205415651146038641322942321632125127801,
    31426415.585400194380614231628318205362874684987640,
    2876370.6289353724412254090516208496135991145378768,
    186056.26539522349504029498971604569928220784236328,
    8071.6720023658162106380029022722506138218516325024,
    210.82427775157934587250973392071336271166969580291,
    2.5066282746310002701649081771338373386264310793408,
];

const DENOMINATOR: [f64; 13] = [
    0.0,
    39916800.0,
    120543840.0,
    150917976.0,
    105258076.0,
    45995730.0,
    13339535.0,
    2637558.0,
    357423.0,
    32670.0,
    1925.0,
    66.0,
    1.0,
];

/// Factorials that a float holds exactly: `gamma(n)` is entry `n - 1`.
fn small_factorial(n: u32) -> f64 {
    (2..=n).fold(1.0, |product, k| product * f64::from(k))
}

fn lanczos_sum(x: f64) -> f64 {
    let (mut num, mut den) = (0.0, 0.0);
    // Powers of x overflow for large x, powers of 1/x do not.
    if x < 5.0 {
        for i in (0..NUMERATOR.len()).rev() {
            num = num * x + NUMERATOR[i];
            den = den * x + DENOMINATOR[i];
        }
    } else {
        for i in 0..NUMERATOR.len() {
            num = num / x + NUMERATOR[i];
            den = den / x + DENOMINATOR[i];
        }
    }
    num / den
}

/// `sin(pi * x)`, accurate near integers.
fn sin_pi(x: f64) -> f64 {
    let y = x.abs() % 2.0;
    let value = match (2.0 * y).round() as u32 {
        0 => (PI * y).sin(),
        1 => (PI * (y - 0.5)).cos(),
        2 => (PI * (1.0 - y)).sin(),
        3 => -(PI * (y - 1.5)).cos(),
        _ => (PI * (y - 2.0)).sin(),
    };
    1.0f64.copysign(x) * value
}

/// The gamma function.
pub fn gamma(x: f64) -> Result<f64, Failure> {
    if x.is_nan() || x == f64::INFINITY {
        return Ok(x);
    }
    if x == f64::NEG_INFINITY || x == 0.0 {
        return Err(Failure::Domain);
    }
    if x == x.floor() {
        if x < 0.0 {
            return Err(Failure::Domain);
        }
        if x <= 23.0 {
            return Ok(small_factorial(x as u32 - 1));
        }
    }
    let size = x.abs();
    if size < 1e-20 {
        let r = 1.0 / x;
        return if r.is_infinite() { Err(Failure::Range) } else { Ok(r) };
    }
    if size > 200.0 {
        return if x < 0.0 {
            Ok(0.0 / sin_pi(x))
        } else {
            Err(Failure::Range)
        };
    }
    let y = size + G_MINUS_HALF;
    // What rounding took away from y.
    let z = if size > G_MINUS_HALF {
        (y - size) - G_MINUS_HALF
    } else {
        (y - G_MINUS_HALF) - size
    };
    let z = z * G / y;
    let power = |r: f64, up: bool| {
        let apply = |r: f64, p: f64| if up { r * p } else { r / p };
        if size < 140.0 {
            apply(r, y.powf(size - 0.5))
        } else {
            let root = y.powf(size / 2.0 - 0.25);
            apply(apply(r, root), root)
        }
    };
    let r = if x < 0.0 {
        let r = -PI / sin_pi(size) / size * y.exp() / lanczos_sum(size);
        power(r - z * r, false)
    } else {
        let r = lanczos_sum(size) / y.exp();
        power(r + z * r, true)
    };
    if r.is_infinite() { Err(Failure::Range) } else { Ok(r) }
}

/// The logarithm of the gamma function's absolute value.
pub fn lgamma(x: f64) -> Result<f64, Failure> {
    const LN_PI: f64 = 1.144729885849400174143427351353058711647;
    if x.is_nan() {
        return Ok(x);
    }
    if x.is_infinite() {
        return Ok(f64::INFINITY);
    }
    if x == x.floor() && x <= 2.0 {
        return if x <= 0.0 { Err(Failure::Domain) } else { Ok(0.0) };
    }
    let size = x.abs();
    if size < 1e-20 {
        return Ok(-size.ln());
    }
    let mut r = lanczos_sum(size).ln() - G;
    r += (size - 0.5) * ((size + G - 0.5).ln() - 1.0);
    if x < 0.0 {
        r = LN_PI - sin_pi(size).abs().ln() - size.ln() - r;
    }
    if r.is_infinite() { Err(Failure::Range) } else { Ok(r) }
}

/// `(m, e)` with `x == m * 2**e` and `0.5 <= abs(m) < 1`; zeros, infinities and nan give themselves and 0.
pub fn frexp(x: f64) -> (f64, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    let bits = x.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    if exponent == 0 {
        let (m, e) = frexp(x * (1u64 << 54) as f64);
        return (m, e - 54);
    }
    (f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52), exponent - 1022)
}

/// A float's place among all floats: consecutive floats have consecutive places.
fn place(x: f64) -> i64 {
    let bits = x.to_bits() as i64;
    if bits < 0 { i64::MIN - bits } else { bits }
}

fn at_place(place: i64) -> f64 {
    if place < 0 {
        f64::from_bits((i64::MIN - place) as u64)
    } else {
        f64::from_bits(place as u64)
    }
}

/// `steps` floats from `x` towards `y`, not past it.
pub fn next_after(x: f64, y: f64, steps: u64) -> f64 {
    if steps == 0 || x.is_nan() {
        return x;
    }
    if y.is_nan() || x == y {
        return y;
    }
    let (from, to) = (place(x), place(y));
    let distance = from.abs_diff(to);
    if steps >= distance {
        return y;
    }
    // steps < distance, so this cannot leave the range.
    let result = if from < to {
        i128::from(from) + i128::from(steps)
    } else {
        i128::from(from) - i128::from(steps)
    };
    let result = at_place(result as i64);
    if result == 0.0 { result.copysign(x) } else { result }
}

/// The distance from `abs(x)` to the next float.
pub fn ulp(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    let x = x.abs();
    if x.is_infinite() {
        return x;
    }
    let next = next_after(x, f64::INFINITY, 1);
    if next.is_infinite() {
        x - next_after(x, f64::NEG_INFINITY, 1)
    } else {
        next - x
    }
}
