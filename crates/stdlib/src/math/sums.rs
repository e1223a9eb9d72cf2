//! Sums of floats in more than double precision: `fsum`, `sumprod`, `hypot`, `dist`.
//!
//! Invariant: nothing here depends on the order of evaluation beyond what the algorithms fix; no multiplication is fused with an
//! addition by the compiler. Sources: Shewchuk, "Adaptive Precision Floating-Point Arithmetic"; Ogita, Rump, Oishi, "Accurate sum and
//! dot product"; Borges, "An Improved Algorithm for hypot(a,b)".

/// A sum or product together with what rounding lost.
#[derive(Clone, Copy)]
struct Double {
    hi: f64,
    lo: f64,
}

/// `a + b`, where `abs(a) >= abs(b)`.
fn fast_sum(a: f64, b: f64) -> Double {
    let hi = a + b;
    Double { hi, lo: (a - hi) + b }
}

/// `a + b`.
fn sum(a: f64, b: f64) -> Double {
    let hi = a + b;
    let part = hi - a;
    Double {
        hi,
        lo: (a - (hi - part)) + (b - part),
    }
}

/// `a * b`.
fn product(a: f64, b: f64) -> Double {
    let hi = a * b;
    Double {
        hi,
        lo: a.mul_add(b, -hi),
    }
}

/// A dot product in about three times double precision.
#[derive(Clone, Copy, Default)]
pub struct Dot {
    hi: f64,
    lo: f64,
    tiny: f64,
}

impl Dot {
    /// Adds `a * b`.
    #[must_use]
    pub fn plus(self, a: f64, b: f64) -> Dot {
        let product = product(a, b);
        let high = sum(self.hi, product.hi);
        let low = sum(self.lo, product.lo);
        let rest = sum(low.hi, high.lo);
        Dot {
            hi: high.hi,
            lo: rest.hi,
            tiny: self.tiny + low.lo + rest.lo,
        }
    }

    /// The sum, if no step went out of range.
    pub fn finite(self) -> Option<f64> {
        let low = sum(self.lo, self.tiny);
        let total = sum(self.hi, low.hi);
        let result = total.hi + (total.lo + low.lo);
        result.is_finite().then_some(result)
    }

    pub fn is_finite(&self) -> bool {
        self.hi.is_finite()
    }
}

/// The Euclidean norm. The coordinates are absolute values and are overwritten.
pub fn norm(coordinates: &mut [f64]) -> f64 {
    let mut max = 0.0f64;
    let mut nan = false;
    for &x in coordinates.iter() {
        nan |= x.is_nan();
        if x > max {
            max = x;
        }
    }
    if max.is_infinite() {
        return max;
    }
    if nan {
        return f64::NAN;
    }
    if max == 0.0 || coordinates.len() <= 1 {
        return max;
    }
    if max < f64::MIN_POSITIVE {
        // Subnormal: the scale below would overflow. Dividing by a power of two is exact here.
        coordinates.iter_mut().for_each(|x| *x /= f64::MIN_POSITIVE);
        return f64::MIN_POSITIVE * scaled_norm(coordinates, max / f64::MIN_POSITIVE);
    }
    scaled_norm(coordinates, max)
}

fn scaled_norm(coordinates: &[f64], max: f64) -> f64 {
    let (_, exponent) = super::special::frexp(max);
    let scale = super::special::ldexp(1.0, -exponent);
    // Squares are below 1, so the running sum starts at 1 to be the larger operand of each sum.
    let (mut total, mut rest_products, mut rest_sums) = (1.0, 0.0, 0.0);
    for &x in coordinates {
        let x = x * scale;
        let square = product(x, x);
        let next = fast_sum(total, square.hi);
        total = next.hi;
        rest_products += square.lo;
        rest_sums += next.lo;
    }
    let root = (total - 1.0 + (rest_products + rest_sums)).sqrt();
    // One Newton step on the exact residue.
    let square = product(-root, root);
    let next = fast_sum(total, square.hi);
    rest_products += square.lo;
    rest_sums += next.lo;
    let residue = next.hi - 1.0 + (rest_products + rest_sums);
    (root + residue / (2.0 * root)) / scale
}

/// An exact sum as floats that do not overlap, in increasing order of size.
#[derive(Default)]
pub struct Partials {
    partials: Vec<f64>,
    special: f64,
    infinities: f64,
}

/// Why `fsum` has no result.
pub enum SumError {
    IntermediateOverflow,
    OppositeInfinities,
}

impl Partials {
    /// Adds `x` exactly.
    pub fn add(&mut self, x: f64) -> Result<(), SumError> {
        let original = x;
        let mut x = x;
        let mut kept = 0;
        for at in 0..self.partials.len() {
            let mut y = self.partials[at];
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let two = fast_sum(x, y);
            if two.lo != 0.0 {
                self.partials[kept] = two.lo;
                kept += 1;
            }
            x = two.hi;
        }
        self.partials.truncate(kept);
        if x != 0.0 {
            if x.is_finite() {
                self.partials.push(x);
            } else {
                if original.is_finite() {
                    return Err(SumError::IntermediateOverflow);
                }
                if original.is_infinite() {
                    self.infinities += original;
                }
                self.special += original;
                self.partials.clear();
            }
        }
        Ok(())
    }

    /// The sum, rounded once.
    pub fn finish(mut self) -> Result<f64, SumError> {
        if self.special != 0.0 {
            if self.infinities.is_nan() {
                return Err(SumError::OppositeInfinities);
            }
            return Ok(self.special);
        }
        let Some(mut hi) = self.partials.pop() else {
            return Ok(0.0);
        };
        let mut lo = 0.0;
        while let Some(y) = self.partials.pop() {
            let two = fast_sum(hi, y);
            hi = two.hi;
            lo = two.lo;
            if lo != 0.0 {
                break;
            }
        }
        // Half-way cases are decided by the next partial's sign.
        if let Some(&next) = self.partials.last()
            && ((lo < 0.0 && next < 0.0) || (lo > 0.0 && next > 0.0))
        {
            let y = lo * 2.0;
            let x = hi + y;
            if y == x - hi {
                hi = x;
            }
        }
        Ok(hi)
    }
}
