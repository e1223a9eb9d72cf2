//! Integers from and to text.
//!
//! Values are `i64` where they fit and `BigInt` elsewhere. The limit on the number of digits is the caller's number;
//! it is applied before any costly work.

use std::borrow::Cow;

use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{ToPrimitive, Zero};

use super::unicode::{decimal_value, is_space};
use super::view::{StrView, Unit, with_units};

/// An integer; `Big` never holds what fits into `i64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Int {
    Small(i64),
    Big(BigInt),
}

/// A borrowed integer; here `Big` may hold anything.
#[derive(Clone, Copy, Debug)]
pub enum IntRef<'a> {
    Small(i64),
    Big(&'a BigInt),
}

impl From<BigInt> for Int {
    fn from(value: BigInt) -> Int {
        match value.to_i64() {
            Some(small) => Int::Small(small),
            None => Int::Big(value),
        }
    }
}

impl Int {
    #[must_use]
    pub fn as_ref(&self) -> IntRef<'_> {
        match self {
            Int::Small(value) => IntRef::Small(*value),
            Int::Big(value) => IntRef::Big(value),
        }
    }
}

impl IntRef<'_> {
    #[must_use]
    pub fn is_negative(self) -> bool {
        match self {
            IntRef::Small(value) => value < 0,
            IntRef::Big(value) => value.sign() == Sign::Minus,
        }
    }

    /// The nearest float, ties to even; `None` where it would be infinite.
    #[must_use]
    pub fn to_f64(self) -> Option<f64> {
        match self {
            IntRef::Small(value) => Some(value as f64),
            IntRef::Big(value) => value.to_f64().filter(|float| float.is_finite()),
        }
    }

    #[must_use]
    pub fn to_i64(self) -> Option<i64> {
        match self {
            IntRef::Small(value) => Some(value),
            IntRef::Big(value) => value.to_i64(),
        }
    }
}

/// Why a text is no integer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntError {
    /// Not a literal of that base.
    Invalid,
    /// More digits (this many) than the limit, in a base that is no power of two.
    TooManyDigits(usize),
}

/// Reads `int(text, base)` for base 0 or 2..=36; `max_digits` of 0 is no limit.
///
/// # Errors
/// See `IntError`.
pub fn parse_int(text: StrView<'_>, base: u32, max_digits: usize) -> Result<Int, IntError> {
    let ascii = to_ascii_number(text).ok_or(IntError::Invalid)?;
    parse_int_bytes(&ascii, base, max_digits)
}

/// Reads `int(bytes, base)`.
///
/// # Errors
/// See `IntError`.
pub fn parse_int_bytes(text: &[u8], base: u32, max_digits: usize) -> Result<Int, IntError> {
    let mut rest = text.trim_ascii_with_vt();
    let mut negative = false;
    if let Some((sign @ (b'+' | b'-'), tail)) = rest.split_first() {
        negative = *sign == b'-';
        rest = tail;
    }
    if base == 10 && rest.len() <= 18 && !rest.is_empty() && rest.iter().all(u8::is_ascii_digit) {
        let value = rest.iter().fold(0i64, |value, b| value * 10 + i64::from(b - b'0'));
        return Ok(Int::Small(if negative { -value } else { value }));
    }
    let prefixed = match rest {
        [b'0', letter, ..] => match letter.to_ascii_lowercase() {
            b'x' => Some(16),
            b'o' => Some(8),
            b'b' => Some(2),
            _ => None,
        },
        _ => None,
    };
    // Without a prefix base 0 is 10, where only zero may start with a zero.
    let mut zero_only = false;
    let base = match (base, prefixed) {
        (0, Some(prefix)) => prefix,
        (0, None) => {
            zero_only = rest.first() == Some(&b'0');
            10
        }
        (base, _) => base,
    };
    if prefixed == Some(base) {
        rest = &rest[2..];
        rest = rest.strip_prefix(b"_").unwrap_or(rest);
    }
    let mut digits = Vec::with_capacity(rest.len());
    let mut after_digit = false;
    for &byte in rest {
        if byte == b'_' {
            if !after_digit {
                return Err(IntError::Invalid);
            }
            after_digit = false;
        } else {
            let digit = char::from(byte)
                .to_digit(36)
                .filter(|&digit| digit < base)
                .ok_or(IntError::Invalid)?;
            digits.push(digit as u8);
            after_digit = true;
        }
    }
    if !after_digit {
        return Err(IntError::Invalid);
    }
    if max_digits != 0 && digits.len() > max_digits && !base.is_power_of_two() {
        return Err(IntError::TooManyDigits(digits.len()));
    }
    let magnitude = from_digits(&digits, base);
    if zero_only && !magnitude.is_zero() {
        return Err(IntError::Invalid);
    }
    let sign = if negative { Sign::Minus } else { Sign::Plus };
    Ok(BigInt::from_biguint(sign, magnitude).into())
}

/// The text with digits and spaces of other scripts turned into ASCII, or `None` where something else is not ASCII.
/// This is the common start of all readers of numbers.
pub(super) fn to_ascii_number(text: StrView<'_>) -> Option<Cow<'_, [u8]>> {
    if let StrView::Ascii(s) = text {
        return Some(Cow::Borrowed(s));
    }
    with_units!(text, s => {
        let map = |c: u32| match c {
            0..0x80 => Some(c as u8),
            _ if is_space(c) => Some(b' '),
            _ => decimal_value(c).map(|digit| b'0' + digit as u8),
        };
        s.iter().map(|&u| map(u.code())).collect::<Option<Vec<u8>>>().map(Cow::Owned)
    })
}

pub(super) trait TrimSpace {
    fn trim_ascii_with_vt(&self) -> &[u8];
}

impl TrimSpace for [u8] {
    /// C's white space, which has the vertical tab that Rust's lacks.
    fn trim_ascii_with_vt(&self) -> &[u8] {
        let space = |b: &u8| matches!(b, 0x09..=0x0d | 0x20);
        let start = self.iter().position(|b| !space(b)).unwrap_or(self.len());
        let end = self.iter().rposition(|b| !space(b)).map_or(start, |i| i + 1);
        &self[start..end]
    }
}

/// Digits that a chunk of the recursive conversion has: below it the plain one is faster.
const CHUNK: usize = 512;

/// The number of digits (values, most significant first) of a base.
fn from_digits(digits: &[u8], base: u32) -> BigUint {
    let plain = |digits: &[u8]| BigUint::from_radix_be(digits, base).unwrap_or_default();
    if digits.len() <= CHUNK || base.is_power_of_two() {
        return plain(digits);
    }
    // powers[k] is base ** (CHUNK << k): the halves at level k are joined by it, which costs a product of halves.
    let mut powers = vec![BigUint::from(base).pow(CHUNK as u32)];
    while CHUNK << powers.len() < digits.len() {
        let last = &powers[powers.len() - 1];
        powers.push(last * last);
    }
    fn join(digits: &[u8], powers: &[BigUint], plain: &impl Fn(&[u8]) -> BigUint) -> BigUint {
        let Some((power, lower)) = powers.split_last() else {
            return plain(digits);
        };
        let low = CHUNK << lower.len();
        if digits.len() <= low {
            return join(digits, lower, plain);
        }
        let (high, low) = digits.split_at(digits.len() - low);
        join(high, lower, plain) * power + join(low, lower, plain)
    }
    join(digits, &powers, &plain)
}

/// The digits of the magnitude in base 2..=36, in small letters.
#[must_use]
pub fn magnitude_digits(value: IntRef<'_>, base: u32) -> String {
    match value {
        IntRef::Small(value) => {
            let mut rest = value.unsigned_abs();
            let mut buffer = [0; 64];
            let mut at = buffer.len();
            let base = u64::from(base.clamp(2, 36));
            loop {
                at -= 1;
                buffer[at] = char::from_digit((rest % base) as u32, 36).map_or(b'?', |c| c as u8);
                rest /= base;
                if rest == 0 {
                    break;
                }
            }
            buffer[at..].iter().map(|&b| char::from(b)).collect()
        }
        IntRef::Big(value) => value.magnitude().to_str_radix(base),
    }
}

/// `str(value)`.
#[must_use]
pub fn to_decimal(value: IntRef<'_>) -> String {
    match value {
        IntRef::Small(value) => value.to_string(),
        IntRef::Big(value) => value.to_str_radix(10),
    }
}

/// `bin`, `oct` and `hex`: sign, prefix, digits.
#[must_use]
pub fn to_prefixed(value: IntRef<'_>, base: u32) -> String {
    let prefix = match base {
        2 => "0b",
        8 => "0o",
        16 => "0x",
        _ => "",
    };
    let sign = if value.is_negative() { "-" } else { "" };
    format!("{sign}{prefix}{}", magnitude_digits(value, base))
}

/// Whether `value` has more than `limit` decimal digits (0 is no limit), told without converting it where it is far off.
#[must_use]
pub fn exceeds_digits(value: &BigInt, limit: usize) -> bool {
    if limit == 0 {
        return false;
    }
    // A number of d digits has between (d - 1) * log2(10) and d * log2(10) bits.
    let bits = value.bits() as f64;
    let log2_10 = std::f64::consts::LOG2_10;
    if bits < (limit as f64) * log2_10 - 2.0 {
        return false;
    }
    if bits > (limit as f64) * log2_10 + 2.0 {
        return true;
    }
    *value.magnitude() >= BigUint::from(10u32).pow(u32::try_from(limit).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::StrBuf;

    #[test]
    fn long_numbers_both_ways() {
        for length in [20, 511, 512, 513, 1024, 1025, 5000, 40_000] {
            let digits: String = (0..length).map(|i| char::from(b'1' + (i * i % 9) as u8)).collect();
            let Ok(Int::Big(value)) = parse_int_bytes(digits.as_bytes(), 10, 0) else {
                panic!("{length} digits");
            };
            assert_eq!(to_decimal(IntRef::Big(&value)), digits);
            assert!(exceeds_digits(&value, length - 1) && !exceeds_digits(&value, length));
            let again = parse_int_bytes(to_prefixed(IntRef::Big(&value), 16).as_bytes(), 0, 10);
            assert_eq!(again, Ok(Int::Big(value)));
        }
        let nines = parse_int_bytes(&[b'9'; 4300], 10, 4300).unwrap();
        let Int::Big(nines) = nines else { panic!() };
        assert!(!exceeds_digits(&nines, 4300) && exceeds_digits(&(nines + 1), 4300));
        assert_eq!(
            parse_int_bytes(&[b'0'; 5000], 10, 4300),
            Err(IntError::TooManyDigits(5000))
        );
    }

    #[test]
    fn edges_of_small() {
        for value in [i64::MIN, i64::MAX, 0, -1] {
            assert_eq!(
                parse_int(StrBuf::from(value.to_string()).view(), 10, 0),
                Ok(Int::Small(value))
            );
            assert_eq!(
                parse_int(StrBuf::from(to_prefixed(IntRef::Small(value), 2)).view(), 0, 0),
                Ok(Int::Small(value))
            );
        }
        assert!(matches!(
            parse_int_bytes(b"9223372036854775808", 10, 0),
            Ok(Int::Big(_))
        ));
    }
}
