//! The functions of one complex number.
//!
//! Invariant: for every combination of zeros, infinities and nan the result is that of C99, Annex G; elsewhere no intermediate
//! result overflows or cancels where the result does not. Source: W. Kahan, "Branch Cuts for Complex Elementary Functions".

use crate::math::special::{Failure, asinh, ldexp};

pub type Pair = (f64, f64);
type Res = Result<Pair, Failure>;

const INF: f64 = f64::INFINITY;
const N: f64 = f64::NAN;
const LN_2: f64 = std::f64::consts::LN_2;
const E: f64 = std::f64::consts::E;
const P: f64 = std::f64::consts::PI;
const P12: f64 = 0.5 * P;
const P14: f64 = 0.25 * P;
const P34: f64 = 0.75 * P;

/// Above this, sums of two numbers can overflow.
const LARGE: f64 = f64::MAX / 4.0;
/// `ln(LARGE)`.
const LN_LARGE: f64 = 708.396_418_532_264_1;
/// `sqrt(LARGE)`.
const SQRT_LARGE: f64 = 6.703_903_964_971_298e153;
/// `sqrt(f64::MIN_POSITIVE)`.
const SQRT_MIN: f64 = 1.491_668_146_240_041_3e-154;
/// Scaling by this power of two makes subnormal numbers normal; half of it, rounded up, takes it out of a square root.
const SCALE_UP: i32 = 53;
const SCALE_DOWN: i32 = -27;

/// What a function gives for arguments that are not both finite and, for some, not both nonzero: rows by real part, columns by
/// imaginary part, both in the order -inf, negative, -0, 0, positive, inf, nan. [`U`] marks what the formulas handle.
type Table = [[Pair; 7]; 7];

/// Handled elsewhere.
const U: Pair = (-1.0, -1.0);

fn class(x: f64) -> usize {
    if x.is_nan() {
        return 6;
    }
    let negative = x.is_sign_negative();
    match (x.is_finite(), x != 0.0) {
        (false, _) => {
            if negative {
                0
            } else {
                5
            }
        }
        (true, true) => {
            if negative {
                1
            } else {
                4
            }
        }
        (true, false) => {
            if negative {
                2
            } else {
                3
            }
        }
    }
}

fn look_up(table: &Table, (re, im): Pair) -> Pair {
    table[class(re)][class(im)]
}

fn is_finite((re, im): Pair) -> bool {
    re.is_finite() && im.is_finite()
}

/// Overflow, if the result of finite arguments has an infinity.
fn ranged(z: Pair) -> Res {
    if z.0.is_infinite() || z.1.is_infinite() {
        Err(Failure::Range)
    } else {
        Ok(z)
    }
}

static ACOS: Table = [
    [
        (P34, INF),
        (P, INF),
        (P, INF),
        (P, -INF),
        (P, -INF),
        (P34, -INF),
        (N, INF),
    ],
    [(P12, INF), U, U, U, U, (P12, -INF), (N, N)],
    [(P12, INF), U, (P12, 0.0), (P12, -0.0), U, (P12, -INF), (P12, N)],
    [(P12, INF), U, (P12, 0.0), (P12, -0.0), U, (P12, -INF), (P12, N)],
    [(P12, INF), U, U, U, U, (P12, -INF), (N, N)],
    [
        (P14, INF),
        (0.0, INF),
        (0.0, INF),
        (0.0, -INF),
        (0.0, -INF),
        (P14, -INF),
        (N, INF),
    ],
    [(N, INF), (N, N), (N, N), (N, N), (N, N), (N, -INF), (N, N)],
];

static ACOSH: Table = [
    [
        (INF, -P34),
        (INF, -P),
        (INF, -P),
        (INF, P),
        (INF, P),
        (INF, P34),
        (INF, N),
    ],
    [(INF, -P12), U, U, U, U, (INF, P12), (N, N)],
    [(INF, -P12), U, (0.0, -P12), (0.0, P12), U, (INF, P12), (N, N)],
    [(INF, -P12), U, (0.0, -P12), (0.0, P12), U, (INF, P12), (N, N)],
    [(INF, -P12), U, U, U, U, (INF, P12), (N, N)],
    [
        (INF, -P14),
        (INF, -0.0),
        (INF, -0.0),
        (INF, 0.0),
        (INF, 0.0),
        (INF, P14),
        (INF, N),
    ],
    [(INF, N), (N, N), (N, N), (N, N), (N, N), (INF, N), (N, N)],
];

static ASINH: Table = [
    [
        (-INF, -P14),
        (-INF, -0.0),
        (-INF, -0.0),
        (-INF, 0.0),
        (-INF, 0.0),
        (-INF, P14),
        (-INF, N),
    ],
    [(-INF, -P12), U, U, U, U, (-INF, P12), (N, N)],
    [(-INF, -P12), U, (-0.0, -0.0), (-0.0, 0.0), U, (-INF, P12), (N, N)],
    [(INF, -P12), U, (0.0, -0.0), (0.0, 0.0), U, (INF, P12), (N, N)],
    [(INF, -P12), U, U, U, U, (INF, P12), (N, N)],
    [
        (INF, -P14),
        (INF, -0.0),
        (INF, -0.0),
        (INF, 0.0),
        (INF, 0.0),
        (INF, P14),
        (INF, N),
    ],
    [(INF, N), (N, N), (N, -0.0), (N, 0.0), (N, N), (INF, N), (N, N)],
];

static ATANH: Table = [
    [
        (-0.0, -P12),
        (-0.0, -P12),
        (-0.0, -P12),
        (-0.0, P12),
        (-0.0, P12),
        (-0.0, P12),
        (-0.0, N),
    ],
    [(-0.0, -P12), U, U, U, U, (-0.0, P12), (N, N)],
    [(-0.0, -P12), U, (-0.0, -0.0), (-0.0, 0.0), U, (-0.0, P12), (-0.0, N)],
    [(0.0, -P12), U, (0.0, -0.0), (0.0, 0.0), U, (0.0, P12), (0.0, N)],
    [(0.0, -P12), U, U, U, U, (0.0, P12), (N, N)],
    [
        (0.0, -P12),
        (0.0, -P12),
        (0.0, -P12),
        (0.0, P12),
        (0.0, P12),
        (0.0, P12),
        (0.0, N),
    ],
    [(0.0, -P12), (N, N), (N, N), (N, N), (N, N), (0.0, P12), (N, N)],
];

static COSH: Table = [
    [(INF, N), U, (INF, 0.0), (INF, -0.0), U, (INF, N), (INF, N)],
    [(N, N), U, U, U, U, (N, N), (N, N)],
    [(N, 0.0), U, (1.0, 0.0), (1.0, -0.0), U, (N, 0.0), (N, 0.0)],
    [(N, 0.0), U, (1.0, -0.0), (1.0, 0.0), U, (N, 0.0), (N, 0.0)],
    [(N, N), U, U, U, U, (N, N), (N, N)],
    [(INF, N), U, (INF, -0.0), (INF, 0.0), U, (INF, N), (INF, N)],
    [(N, N), (N, N), (N, 0.0), (N, 0.0), (N, N), (N, N), (N, N)],
];

static EXP: Table = [
    [(0.0, 0.0), U, (0.0, -0.0), (0.0, 0.0), U, (0.0, 0.0), (0.0, 0.0)],
    [(N, N), U, U, U, U, (N, N), (N, N)],
    [(N, N), U, (1.0, -0.0), (1.0, 0.0), U, (N, N), (N, N)],
    [(N, N), U, (1.0, -0.0), (1.0, 0.0), U, (N, N), (N, N)],
    [(N, N), U, U, U, U, (N, N), (N, N)],
    [(INF, N), U, (INF, -0.0), (INF, 0.0), U, (INF, N), (INF, N)],
    [(N, N), (N, N), (N, -0.0), (N, 0.0), (N, N), (N, N), (N, N)],
];

static LOG: Table = [
    [
        (INF, -P34),
        (INF, -P),
        (INF, -P),
        (INF, P),
        (INF, P),
        (INF, P34),
        (INF, N),
    ],
    [(INF, -P12), U, U, U, U, (INF, P12), (N, N)],
    [(INF, -P12), U, (-INF, -P), (-INF, P), U, (INF, P12), (N, N)],
    [(INF, -P12), U, (-INF, -0.0), (-INF, 0.0), U, (INF, P12), (N, N)],
    [(INF, -P12), U, U, U, U, (INF, P12), (N, N)],
    [
        (INF, -P14),
        (INF, -0.0),
        (INF, -0.0),
        (INF, 0.0),
        (INF, 0.0),
        (INF, P14),
        (INF, N),
    ],
    [(INF, N), (N, N), (N, N), (N, N), (N, N), (INF, N), (N, N)],
];

static SINH: Table = [
    [(INF, N), U, (-INF, -0.0), (-INF, 0.0), U, (INF, N), (INF, N)],
    [(N, N), U, U, U, U, (N, N), (N, N)],
    [(0.0, N), U, (-0.0, -0.0), (-0.0, 0.0), U, (0.0, N), (0.0, N)],
    [(0.0, N), U, (0.0, -0.0), (0.0, 0.0), U, (0.0, N), (0.0, N)],
    [(N, N), U, U, U, U, (N, N), (N, N)],
    [(INF, N), U, (INF, -0.0), (INF, 0.0), U, (INF, N), (INF, N)],
    [(N, N), (N, N), (N, -0.0), (N, 0.0), (N, N), (N, N), (N, N)],
];

static SQRT: Table = [
    [
        (INF, -INF),
        (0.0, -INF),
        (0.0, -INF),
        (0.0, INF),
        (0.0, INF),
        (INF, INF),
        (N, INF),
    ],
    [(INF, -INF), U, U, U, U, (INF, INF), (N, N)],
    [(INF, -INF), U, (0.0, -0.0), (0.0, 0.0), U, (INF, INF), (N, N)],
    [(INF, -INF), U, (0.0, -0.0), (0.0, 0.0), U, (INF, INF), (N, N)],
    [(INF, -INF), U, U, U, U, (INF, INF), (N, N)],
    [
        (INF, -INF),
        (INF, -0.0),
        (INF, -0.0),
        (INF, 0.0),
        (INF, 0.0),
        (INF, INF),
        (INF, N),
    ],
    [(INF, -INF), (N, N), (N, N), (N, N), (N, N), (INF, INF), (N, N)],
];

static TANH: Table = [
    [(-1.0, 0.0), U, (-1.0, -0.0), (-1.0, 0.0), U, (-1.0, 0.0), (-1.0, 0.0)],
    [(N, N), U, U, U, U, (N, N), (N, N)],
    [(-0.0, N), U, (-0.0, -0.0), (-0.0, 0.0), U, (-0.0, N), (N, N)],
    [(0.0, N), U, (0.0, -0.0), (0.0, 0.0), U, (0.0, N), (N, N)],
    [(N, N), U, U, U, U, (N, N), (N, N)],
    [(1.0, 0.0), U, (1.0, -0.0), (1.0, 0.0), U, (1.0, 0.0), (1.0, 0.0)],
    [(N, N), (N, N), (N, -0.0), (N, 0.0), (N, N), (N, N), (N, N)],
];

static RECT: Table = [
    [(INF, N), U, (-INF, 0.0), (-INF, -0.0), U, (INF, N), (INF, N)],
    [(N, N), U, U, U, U, (N, N), (N, N)],
    [(0.0, 0.0), U, (-0.0, 0.0), (-0.0, -0.0), U, (0.0, 0.0), (0.0, 0.0)],
    [(0.0, 0.0), U, (0.0, -0.0), (0.0, 0.0), U, (0.0, 0.0), (0.0, 0.0)],
    [(N, N), U, U, U, U, (N, N), (N, N)],
    [(INF, N), U, (INF, -0.0), (INF, 0.0), U, (INF, N), (INF, N)],
    [(N, N), (N, N), (N, 0.0), (N, 0.0), (N, N), (N, N), (N, N)],
];

/// `ln(abs(z))` for parts near the overflow threshold.
fn ln_large((re, im): Pair) -> f64 {
    (re / 2.0).hypot(im / 2.0).ln() + LN_2 * 2.0
}

fn is_large((re, im): Pair) -> bool {
    re.abs() > LARGE || im.abs() > LARGE
}

pub fn acos(z: Pair) -> Res {
    if !is_finite(z) {
        return Ok(look_up(&ACOS, z));
    }
    let (re, im) = z;
    if is_large(z) {
        let size = (re / 2.0).hypot(im / 2.0).ln() + LN_2 * 2.0;
        let imag = if re < 0.0 {
            -size.copysign(im)
        } else {
            size.copysign(-im)
        };
        return Ok((im.abs().atan2(re), imag));
    }
    let s1 = square_root((1.0 - re, -im));
    let s2 = square_root((1.0 + re, im));
    Ok((2.0 * s1.0.atan2(s2.0), asinh(s2.0 * s1.1 - s2.1 * s1.0)))
}

pub fn acosh(z: Pair) -> Res {
    if !is_finite(z) {
        return Ok(look_up(&ACOSH, z));
    }
    let (re, im) = z;
    if is_large(z) {
        return Ok((ln_large(z), im.atan2(re)));
    }
    let s1 = square_root((re - 1.0, im));
    let s2 = square_root((re + 1.0, im));
    Ok((asinh(s1.0 * s2.0 + s1.1 * s2.1), 2.0 * s1.1.atan2(s2.0)))
}

pub fn asin((re, im): Pair) -> Res {
    asinh_complex((-im, re)).map(|(a, b)| (b, -a))
}

pub fn asinh_complex(z: Pair) -> Res {
    if !is_finite(z) {
        return Ok(look_up(&ASINH, z));
    }
    let (re, im) = z;
    if is_large(z) {
        let size = ln_large(z);
        let real = if im >= 0.0 {
            size.copysign(re)
        } else {
            -size.copysign(-re)
        };
        return Ok((real, im.atan2(re.abs())));
    }
    let s1 = square_root((1.0 + im, -re));
    let s2 = square_root((1.0 - im, re));
    Ok((asinh(s1.0 * s2.1 - s2.0 * s1.1), im.atan2(s1.0 * s2.0 - s1.1 * s2.1)))
}

pub fn atan((re, im): Pair) -> Res {
    atanh((-im, re)).map(|(a, b)| (b, -a))
}

pub fn atanh(z: Pair) -> Res {
    if !is_finite(z) {
        return Ok(look_up(&ATANH, z));
    }
    let (re, im) = z;
    if re.is_sign_negative() {
        return atanh((-re, -im)).map(|(a, b)| (-a, -b));
    }
    let size = im.abs();
    if re > SQRT_LARGE || size > SQRT_LARGE {
        let h = (re / 2.0).hypot(im / 2.0);
        return Ok((re / 4.0 / h / h, -P12.copysign(-im)));
    }
    if re == 1.0 && size < SQRT_MIN {
        if size == 0.0 {
            return Err(Failure::Domain);
        }
        let real = -(size.sqrt() / size.hypot(2.0).sqrt()).ln();
        return Ok((real, (2.0f64.atan2(-size) / 2.0).copysign(im)));
    }
    let real = (4.0 * re / ((1.0 - re) * (1.0 - re) + size * size)).ln_1p() / 4.0;
    Ok((real, -(-2.0 * im).atan2((1.0 - re) * (1.0 + re) - size * size) / 2.0))
}

pub fn cos((re, im): Pair) -> Res {
    cosh((-im, re))
}

pub fn cosh(z: Pair) -> Res {
    let (re, im) = z;
    if !is_finite(z) {
        if re.is_infinite() && im.is_finite() && im != 0.0 {
            let imag = INF.copysign(im.sin());
            return Ok((INF.copysign(im.cos()), if re > 0.0 { imag } else { -imag }));
        }
        if im.is_infinite() && !re.is_nan() {
            return Err(Failure::Domain);
        }
        return Ok(look_up(&COSH, z));
    }
    ranged(if re.abs() > LN_LARGE {
        let x = re - 1.0f64.copysign(re);
        (im.cos() * x.cosh() * E, im.sin() * x.sinh() * E)
    } else {
        (im.cos() * re.cosh(), im.sin() * re.sinh())
    })
}

pub fn exp(z: Pair) -> Res {
    let (re, im) = z;
    if !is_finite(z) {
        if re.is_infinite() && im.is_finite() && im != 0.0 {
            let size = if re > 0.0 { INF } else { 0.0 };
            return Ok((size.copysign(im.cos()), size.copysign(im.sin())));
        }
        if im.is_infinite() && (re.is_finite() || re > 0.0) {
            return Err(Failure::Domain);
        }
        return Ok(look_up(&EXP, z));
    }
    ranged(if re > LN_LARGE {
        let size = (re - 1.0).exp();
        (size * im.cos() * E, size * im.sin() * E)
    } else {
        let size = re.exp();
        (size * im.cos(), size * im.sin())
    })
}

pub fn log(z: Pair) -> Res {
    if !is_finite(z) {
        return Ok(look_up(&LOG, z));
    }
    let (re, im) = z;
    let (ax, ay) = (re.abs(), im.abs());
    let real = if ax > LARGE || ay > LARGE {
        (ax / 2.0).hypot(ay / 2.0).ln() + LN_2
    } else if ax < f64::MIN_POSITIVE && ay < f64::MIN_POSITIVE {
        if ax == 0.0 && ay == 0.0 {
            return Err(Failure::Domain);
        }
        ldexp(ax, SCALE_UP).hypot(ldexp(ay, SCALE_UP)).ln() - f64::from(SCALE_UP) * LN_2
    } else {
        let h = ax.hypot(ay);
        if (0.71..=1.73).contains(&h) {
            let (most, least) = if ax > ay { (ax, ay) } else { (ay, ax) };
            ((most - 1.0) * (most + 1.0) + least * least).ln_1p() / 2.0
        } else {
            h.ln()
        }
    };
    Ok((real, im.atan2(re)))
}

pub fn log10(z: Pair) -> Res {
    let (re, im) = log(z)?;
    Ok((re / std::f64::consts::LN_10, im / std::f64::consts::LN_10))
}

pub fn sin((re, im): Pair) -> Res {
    sinh((-im, re)).map(|(a, b)| (b, -a))
}

pub fn sinh(z: Pair) -> Res {
    let (re, im) = z;
    if !is_finite(z) {
        if re.is_infinite() && im.is_finite() && im != 0.0 {
            let real = INF.copysign(im.cos());
            return Ok((if re > 0.0 { real } else { -real }, INF.copysign(im.sin())));
        }
        if im.is_infinite() && !re.is_nan() {
            return Err(Failure::Domain);
        }
        return Ok(look_up(&SINH, z));
    }
    ranged(if re.abs() > LN_LARGE {
        let x = re - 1.0f64.copysign(re);
        (im.cos() * x.sinh() * E, im.sin() * x.cosh() * E)
    } else {
        (im.cos() * re.sinh(), im.sin() * re.cosh())
    })
}

pub fn sqrt(z: Pair) -> Res {
    Ok(square_root(z))
}

fn square_root(z: Pair) -> Pair {
    if !is_finite(z) {
        return look_up(&SQRT, z);
    }
    let (re, im) = z;
    if re == 0.0 && im == 0.0 {
        return (0.0, im);
    }
    let (ax, ay) = (re.abs(), im.abs());
    let s = if ax < f64::MIN_POSITIVE && ay < f64::MIN_POSITIVE {
        let ax = ldexp(ax, SCALE_UP);
        ldexp((ax + ax.hypot(ldexp(ay, SCALE_UP))).sqrt(), SCALE_DOWN)
    } else {
        let ax = ax / 8.0;
        2.0 * (ax + ax.hypot(ay / 8.0)).sqrt()
    };
    let d = ay / (2.0 * s);
    if re >= 0.0 {
        (s, d.copysign(im))
    } else {
        (d, s.copysign(im))
    }
}

pub fn tan((re, im): Pair) -> Res {
    tanh((-im, re)).map(|(a, b)| (b, -a))
}

pub fn tanh(z: Pair) -> Res {
    let (re, im) = z;
    if !is_finite(z) {
        if re.is_infinite() && im.is_finite() && im != 0.0 {
            return Ok((1.0f64.copysign(re), 0.0f64.copysign(2.0 * im.sin() * im.cos())));
        }
        if im.is_infinite() && re.is_finite() {
            return Err(Failure::Domain);
        }
        return Ok(look_up(&TANH, z));
    }
    if re.abs() > LN_LARGE {
        return Ok((1.0f64.copysign(re), 4.0 * im.sin() * im.cos() * (-2.0 * re.abs()).exp()));
    }
    let (tx, ty, cx) = (re.tanh(), im.tan(), 1.0 / re.cosh());
    let product = tx * ty;
    let denominator = 1.0 + product * product;
    Ok((tx * (1.0 + ty * ty) / denominator, ((ty / denominator) * cx) * cx))
}

/// From polar coordinates.
pub fn rect(r: f64, phi: f64) -> Res {
    if !is_finite((r, phi)) {
        if r.is_infinite() && phi.is_finite() && phi != 0.0 {
            let (re, im) = (INF.copysign(phi.cos()), INF.copysign(phi.sin()));
            return Ok(if r > 0.0 { (re, im) } else { (-re, -im) });
        }
        if r != 0.0 && !r.is_nan() && phi.is_infinite() {
            return Err(Failure::Domain);
        }
        return Ok(look_up(&RECT, (r, phi)));
    }
    if phi == 0.0 {
        return Ok((r, r * phi));
    }
    Ok((r * phi.cos(), r * phi.sin()))
}
