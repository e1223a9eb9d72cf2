//! Arithmetic of magnitudes so large that one operation takes noticeable time.
//!
//! Invariant: no step between two calls of the caller's `pause` takes long, whatever the size of the numbers, so that a signal is
//! acted upon soon. Products are split by Karatsuba's method and quotients by Burnikel's and Ziegler's until the parts are of a size
//! that `num_bigint` does at once; conversions from and to decimal halve the number of digits at each level.

use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;
use num_traits::{One, Zero};

/// The caller wants no result any more; it knows why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stop;

/// Called between the steps.
pub type Pause<'a> = dyn FnMut() -> Result<(), Stop> + 'a;

/// Bits of a factor up to which products are made at once.
const PRODUCT: u64 = 1 << 18;
/// Bits of a quotient up to which divisions are made at once.
const QUOTIENT: u64 = 1 << 14;
/// Bits of a divisor above which it does not matter how long the quotient is.
const DIVISOR: u64 = 1 << 14;
/// Bits of numbers whose digits are made at once.
const DIGITS: u64 = 1 << 13;

/// Whether operations on a number of `bits` bits are worth being split.
#[must_use]
pub fn is_huge(bits: u64) -> bool {
    bits > DIVISOR
}

/// `a * b`.
///
/// # Errors
/// When `pause` does.
pub fn mul(a: &BigUint, b: &BigUint, pause: &mut Pause<'_>) -> Result<BigUint, Stop> {
    let (long, short) = if a.bits() >= b.bits() { (a, b) } else { (b, a) };
    let (n, m) = (long.bits(), short.bits());
    if m == 0 || n.saturating_mul(m) <= PRODUCT * PRODUCT {
        return Ok(long * short);
    }
    pause()?;
    let half = n.div_ceil(128) * 64;
    let (high, low) = split(long, half);
    if m <= half {
        let high = mul(&high, short, pause)?;
        return Ok((high << half) + mul(&low, short, pause)?);
    }
    let (short_high, short_low) = split(short, half);
    let top = mul(&high, &short_high, pause)?;
    let bottom = mul(&low, &short_low, pause)?;
    let middle = mul(&(high + low), &(short_high + short_low), pause)? - &top - &bottom;
    Ok((((top << half) + middle) << half) + bottom)
}

/// The bits from `at` on, and those below.
fn split(n: &BigUint, at: u64) -> (BigUint, BigUint) {
    let high = n >> at;
    let low = n - (&high << at);
    (high, low)
}

/// `a / b` and `a % b` of numbers of any size at once; `b` is not zero. Short quotients of long numbers take one product and one difference.
#[must_use]
pub fn div_rem_at_once(a: &BigUint, b: &BigUint) -> (BigUint, BigUint) {
    /// The bits from `at` on, which fit.
    fn top(n: &BigUint, at: u64) -> u128 {
        let words = n.iter_u64_digits();
        let skipped = (at / 64) as usize;
        let kept = words.len().saturating_sub(skipped);
        let mut bits = 0u128;
        for (place, word) in words.rev().take(kept).enumerate() {
            let at_bit = (kept - 1 - place) as u64 * 64;
            let word = u128::from(word);
            bits |= match at_bit.checked_sub(at % 64) {
                Some(left) => word << left,
                None => word >> (at % 64),
            };
        }
        bits
    }
    let (n, m) = (a.bits(), b.bits());
    if m < 256 || n < m || n - m > 60 {
        return a.div_rem(b);
    }
    // By the divisor's first 64 bits, rounded up, so that the quotient is at most two too small.
    let high = top(a, m - 64);
    let mut quotient = (high / (top(b, m - 64) + 1)) as u64;
    let mut rest = a - b * quotient;
    while rest >= *b {
        rest -= b;
        quotient += 1;
    }
    (BigUint::from(quotient), rest)
}

/// `a / b` and `a % b`; `b` is not zero.
///
/// # Errors
/// When `pause` does.
pub fn div_rem(a: &BigUint, b: &BigUint, pause: &mut Pause<'_>) -> Result<(BigUint, BigUint), Stop> {
    let (n, m) = (a.bits(), b.bits());
    if n < m + QUOTIENT || (m <= DIVISOR && n <= DIVISOR * DIVISOR / 64) {
        return Ok(div_rem_at_once(a, b));
    }
    // The dividend in pieces of the divisor's length, or of some length where the divisor is short.
    let (shift, divisor) = match DIVISOR.checked_sub(m) {
        Some(shift) => (shift, b << shift),
        None => (0, b.clone()),
    };
    let m = m + shift;
    let a = a << shift;
    let mut rest = BigUint::zero();
    let mut quotient = Vec::new();
    for piece in pieces(&a, m).into_iter().rev() {
        let (q, r) = half_division(&((rest << m) | piece), &divisor, m, pause)?;
        quotient.push(q);
        rest = r;
    }
    quotient.reverse();
    Ok((join(&quotient, m), rest >> shift))
}

/// Pieces of `length` bits each, the lowest first.
fn pieces(n: &BigUint, length: u64) -> Vec<BigUint> {
    fn cut(n: BigUint, count: u64, length: u64, out: &mut Vec<BigUint>) {
        if count <= 1 {
            out.push(n);
            return;
        }
        let lower = count / 2;
        let (high, low) = split(&n, lower * length);
        cut(low, lower, length, out);
        cut(high, count - lower, length, out);
    }
    let mut out = Vec::new();
    cut(n.clone(), n.bits().div_ceil(length), length, &mut out);
    out
}

/// The number with these pieces.
fn join(pieces: &[BigUint], length: u64) -> BigUint {
    match pieces {
        [] => BigUint::zero(),
        [one] => one.clone(),
        _ => {
            let (low, high) = pieces.split_at(pieces.len() / 2);
            (join(high, length) << (length * low.len() as u64)) + join(low, length)
        }
    }
}

/// `a` of less than `2 * n` bits by `b` of `n`, where the quotient has at most `n`.
fn half_division(a: &BigUint, b: &BigUint, n: u64, pause: &mut Pause<'_>) -> Result<(BigUint, BigUint), Stop> {
    if a.bits() <= n + QUOTIENT {
        pause()?;
        return Ok(a.div_rem(b));
    }
    let pad = n & 1;
    let (a, b, half) = (a << pad, b << pad, n.div_ceil(2));
    let (high, low) = split(&b, half);
    let (a_high, a_low) = split(&a, 2 * half);
    let (upper, lower) = split(&a_low, half);
    let (q1, rest) = third_division(a_high, &upper, &b, &high, &low, half, pause)?;
    let (q2, rest) = third_division(rest, &lower, &b, &high, &low, half, pause)?;
    Ok(((q1 << half) | q2, rest >> pad))
}

/// `a12 * 2**n + a3` by `b`, whose halves of `n` bits are `b1` and `b2`.
fn third_division(
    a12: BigUint,
    a3: &BigUint,
    b: &BigUint,
    b1: &BigUint,
    b2: &BigUint,
    n: u64,
    pause: &mut Pause<'_>,
) -> Result<(BigUint, BigUint), Stop> {
    let (mut q, rest) = if &a12 >> n == *b1 {
        let q = (BigUint::one() << n) - 1u32;
        let rest = a12 - (b1 << n) + b1;
        (q, rest)
    } else {
        half_division(&a12, b1, n, pause)?
    };
    let high = (rest << n) | a3;
    let excess = mul(&q, b2, pause)?;
    let mut rest = BigInt::from_biguint(Sign::Plus, high) - BigInt::from_biguint(Sign::Plus, excess);
    let divisor = BigInt::from_biguint(Sign::Plus, b.clone());
    while rest.sign() == Sign::Minus {
        q -= 1u32;
        rest += &divisor;
    }
    Ok((q, rest.into_parts().1))
}

/// `base ** exponent`.
///
/// # Errors
/// When `pause` does.
pub fn pow(base: &BigUint, exponent: u64, pause: &mut Pause<'_>) -> Result<BigUint, Stop> {
    if exponent == 0 {
        return Ok(BigUint::one());
    }
    // Zeros at the end cost nothing.
    let zeros = base.trailing_zeros().unwrap_or(0);
    let odd = base >> zeros;
    let mut result = odd.clone();
    for bit in (0..exponent.ilog2()).rev() {
        result = mul(&result, &result, pause)?;
        if exponent >> bit & 1 == 1 {
            result = mul(&result, &odd, pause)?;
        }
    }
    Ok(result << (zeros * exponent))
}

/// `base ** exponent % modulus`; the modulus is not zero.
///
/// # Errors
/// When `pause` does.
pub fn pow_mod(base: &BigUint, exponent: &BigUint, modulus: &BigUint, pause: &mut Pause<'_>) -> Result<BigUint, Stop> {
    // Up to here a power takes some milliseconds.
    let words = modulus.bits() / 64 + 1;
    if exponent.bits().saturating_mul(words).saturating_mul(words) < 1 << 24 {
        return Ok(base.modpow(exponent, modulus));
    }
    const WINDOW: u64 = 5;
    let (_, base) = div_rem(base, modulus, pause)?;
    let mut powers = vec![BigUint::one() % modulus];
    for i in 1..1 << WINDOW {
        let next = mul(&powers[i - 1], &base, pause)?;
        powers.push(div_rem(&next, modulus, pause)?.1);
    }
    let mut result = BigUint::one() % modulus;
    for window in pieces(exponent, WINDOW).into_iter().rev() {
        for _ in 0..WINDOW {
            let square = mul(&result, &result, pause)?;
            result = div_rem(&square, modulus, pause)?.1;
        }
        let digit = window.iter_u64_digits().next().unwrap_or(0) as usize;
        if let Some(power) = powers.get(digit).filter(|_| digit != 0) {
            let product = mul(&result, power, pause)?;
            result = div_rem(&product, modulus, pause)?.1;
        }
        pause()?;
    }
    Ok(result)
}

/// The integer part of the square root: each step doubles the bits of the approximation.
///
/// # Errors
/// When `pause` does.
pub fn sqrt(n: &BigUint, pause: &mut Pause<'_>) -> Result<BigUint, Stop> {
    if n.bits() <= DIVISOR {
        return Ok(n.sqrt());
    }
    let last = (n.bits() - 1) / 2;
    let mut root = BigUint::one();
    let mut known = 0;
    for level in (0..64 - last.leading_zeros()).rev() {
        let before = known;
        known = last >> level;
        let part = n >> (2 * last - before - known + 1);
        root = (&root << (known - before - 1)) + div_rem(&part, &root, pause)?.0;
    }
    if mul(&root, &root, pause)? > *n {
        root -= 1u32;
    }
    Ok(root)
}

/// The decimal digits.
///
/// # Errors
/// When `pause` does.
pub fn to_decimal(n: &BigUint, pause: &mut Pause<'_>) -> Result<String, Stop> {
    if n.bits() <= DIGITS {
        return Ok(n.to_str_radix(10));
    }
    // powers[k] is 10 ** (FEW << k).
    const FEW: usize = 1024;
    let mut powers = vec![BigUint::from(10u32).pow(FEW as u32)];
    while let Some(last) = powers.last()
        && last.bits() * 2 <= n.bits() + 1
    {
        let next = mul(last, last, pause)?;
        powers.push(next);
    }
    let mut out = String::new();
    write_decimal(n, &powers, false, FEW, &mut out, pause)?;
    Ok(out)
}

/// Writes `n`, which is less than the square of the last power, with leading zeros if it is not the number's beginning.
fn write_decimal(
    n: &BigUint,
    powers: &[BigUint],
    inner: bool,
    few: usize,
    out: &mut String,
    pause: &mut Pause<'_>,
) -> Result<(), Stop> {
    let Some((power, lower)) = powers.split_last() else {
        pause()?;
        let digits = n.to_str_radix(10);
        if inner {
            out.extend(std::iter::repeat_n('0', few.saturating_sub(digits.len())));
        } else if n.is_zero() {
            return Ok(());
        }
        out.push_str(&digits);
        return Ok(());
    };
    let (high, low) = div_rem(n, power, pause)?;
    let begun = inner || !high.is_zero();
    if begun {
        write_decimal(&high, lower, inner, few, out, pause)?;
    }
    write_decimal(&low, lower, begun, few, out, pause)
}

/// The number with these digits (values, the most significant first) in a base up to 36.
///
/// # Errors
/// When `pause` does.
pub fn from_digits(digits: &[u8], base: u32, pause: &mut Pause<'_>) -> Result<BigUint, Stop> {
    const FEW: usize = 512;
    let plain = |digits: &[u8]| BigUint::from_radix_be(digits, base).unwrap_or_default();
    if digits.len() <= FEW || base.is_power_of_two() {
        return Ok(plain(digits));
    }
    // powers[k] is base ** (FEW << k): the halves at level k are joined by it, which costs a product of halves.
    let mut powers = vec![BigUint::from(base).pow(FEW as u32)];
    while FEW << powers.len() < digits.len() {
        let last = &powers[powers.len() - 1];
        powers.push(mul(last, last, pause)?);
    }
    fn join(
        digits: &[u8],
        powers: &[BigUint],
        plain: &impl Fn(&[u8]) -> BigUint,
        pause: &mut Pause<'_>,
    ) -> Result<BigUint, Stop> {
        let Some((power, lower)) = powers.split_last() else {
            return Ok(plain(digits));
        };
        let low = FEW << lower.len();
        if digits.len() <= low {
            return join(digits, lower, plain, pause);
        }
        let (high, low) = digits.split_at(digits.len() - low);
        let high = join(high, lower, plain, pause)?;
        Ok(mul(&high, power, pause)? + join(low, lower, plain, pause)?)
    }
    join(digits, &powers, &plain, pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number of about `bits` bits without pattern.
    fn number(bits: u64, seed: u32) -> BigUint {
        let mut state = seed | 1;
        let words: Vec<u32> = (0..bits / 32)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                state
            })
            .collect();
        BigUint::new(words)
    }

    fn go() -> Result<(), Stop> {
        Ok(())
    }

    #[test]
    fn products_and_quotients() {
        for (n, m) in [
            (700_000, 600_000),
            (900_000, 300_000),
            (1_500_000, 40_000),
            (300_000, 1000),
        ] {
            let (a, b) = (number(n, 3), number(m, 7));
            let product = mul(&a, &b, &mut go).unwrap();
            assert_eq!(product, &a * &b);
            let more = &product + &b - 1u32;
            let (q, r) = div_rem(&more, &b, &mut go).unwrap();
            assert!(q == a && r == &b - 1u32, "{n} by {m}");
            let (q, r) = div_rem(&more, &a, &mut go).unwrap();
            assert_eq!((q, r), more.div_rem(&a));
        }
        let ones = (BigUint::one() << 200_000u32) - 1u32;
        for d in [&ones >> 50_000u32, &ones >> 100_001u32, (&ones >> 150_001u32) + 1u32] {
            assert_eq!(div_rem(&ones, &d, &mut go).unwrap(), ones.div_rem(&d));
        }
    }

    #[test]
    fn short_quotients() {
        for m in [256, 257, 300, 319, 320, 321, 1000, 5000] {
            for (bits, step) in [(1, 3), (7, 5), (31, 1), (59, 9), (60, 11), (61, 2), (64, 7)] {
                let (b, q) = (number(m, step), number(bits, step + 1));
                for (a, rest) in [(&b * &q, 0u32), (&b * &q + 5u32, 5)] {
                    assert_eq!(div_rem_at_once(&a, &b), (q.clone(), rest.into()), "{m} {bits}");
                }
                let most = &b * &q + &b - 1u32;
                assert_eq!(div_rem_at_once(&most, &b), (q.clone(), &b - 1u32), "{m} {bits}");
            }
            let ones = (BigUint::one() << m) - 1u32;
            let half = BigUint::one() << (m - 1);
            for a in [
                &ones << 60u32,
                (&ones << 61u32) - 1u32,
                &half << 60u32,
                (&half << 61u32) - 1u32,
            ] {
                for b in [&ones, &half, &(&half + 1u32)] {
                    assert_eq!(div_rem_at_once(&a, b), a.div_rem(b), "{m}");
                }
            }
        }
    }

    #[test]
    fn powers_and_roots() {
        assert_eq!(
            pow(&BigUint::from(12u32), 5000, &mut go).unwrap(),
            BigUint::from(12u32).pow(5000)
        );
        let (base, exponent, modulus) = (number(4000, 5), number(2000, 9), number(8000, 11));
        let expected = base.modpow(&exponent, &modulus);
        assert_eq!(pow_mod(&base, &exponent, &modulus, &mut go).unwrap(), expected);
        let n = number(100_000, 13);
        assert_eq!(sqrt(&n, &mut go).unwrap(), n.sqrt());
        let square = &n * &n;
        assert_eq!(sqrt(&square, &mut go).unwrap(), n);
        assert_eq!(sqrt(&(square - 1u32), &mut go).unwrap(), n - 1u32);
    }

    #[test]
    fn decimal_both_ways() {
        for bits in [100, 8000, 8192, 9000, 40_000, 300_000] {
            let n = number(bits, 17);
            let text = to_decimal(&n, &mut go).unwrap();
            assert_eq!(text, n.to_str_radix(10));
            let digits: Vec<u8> = text.bytes().map(|b| b - b'0').collect();
            assert_eq!(from_digits(&digits, 10, &mut go).unwrap(), n);
        }
        let zeros = BigUint::from(10u32).pow(20_000);
        assert_eq!(to_decimal(&zeros, &mut go).unwrap(), zeros.to_str_radix(10));
    }

    #[test]
    fn stops() {
        let n = number(2_000_000, 19);
        let mut left = 3;
        let mut pause = || {
            left -= 1;
            if left == 0 { Err(Stop) } else { Ok(()) }
        };
        assert_eq!(mul(&n, &n, &mut pause), Err(Stop));
    }
}
