//! Integers from and to text.
//!
//! Values are `i64` where they fit and `BigInt` elsewhere. The limit on the number of digits is the caller's number;
//! it is applied before any costly work.

use std::borrow::Cow;

use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{ToPrimitive, Zero};

use super::huge::{self, Pause, Stop};
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
    /// The caller's pause ended it.
    Stopped,
}

impl From<Stop> for IntError {
    fn from(_: Stop) -> IntError {
        IntError::Stopped
    }
}

/// Reads `int(text, base)` for base 0 or 2..=36; `max_digits` of 0 is no limit.
///
/// # Errors
/// See `IntError`.
pub fn parse_int(text: StrView<'_>, base: u32, max_digits: usize, pause: &mut Pause<'_>) -> Result<Int, IntError> {
    let ascii = to_ascii_number(text).ok_or(IntError::Invalid)?;
    parse_int_bytes(&ascii, base, max_digits, pause)
}

/// Reads `int(bytes, base)`.
///
/// # Errors
/// See `IntError`.
pub fn parse_int_bytes(text: &[u8], base: u32, max_digits: usize, pause: &mut Pause<'_>) -> Result<Int, IntError> {
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
    let magnitude = huge::from_digits(&digits, base, pause)?;
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

/// The digits of the magnitude in base 2..=36, in small letters.
///
/// # Errors
/// When `pause` does.
pub fn magnitude_digits(value: IntRef<'_>, base: u32, pause: &mut Pause<'_>) -> Result<String, Stop> {
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
            Ok(buffer[at..].iter().map(|&b| char::from(b)).collect())
        }
        IntRef::Big(value) if base == 10 => huge::to_decimal(value.magnitude(), pause),
        IntRef::Big(value) => Ok(value.magnitude().to_str_radix(base)),
    }
}

/// `str(value)`.
///
/// # Errors
/// When `pause` does.
pub fn to_decimal(value: IntRef<'_>, pause: &mut Pause<'_>) -> Result<String, Stop> {
    match value {
        IntRef::Small(value) => Ok(value.to_string()),
        IntRef::Big(big) => {
            let mut digits = huge::to_decimal(big.magnitude(), pause)?;
            if value.is_negative() {
                digits.insert(0, '-');
            }
            Ok(digits)
        }
    }
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

    fn go() -> Result<(), Stop> {
        Ok(())
    }

    fn binary(value: i64) -> String {
        let digits = magnitude_digits(IntRef::Small(value), 2, &mut go).unwrap();
        format!("{}0b{digits}", if value < 0 { "-" } else { "" })
    }

    #[test]
    fn long_numbers_both_ways() {
        for length in [20, 511, 512, 513, 1024, 1025, 5000, 40_000] {
            let digits: String = (0..length).map(|i| char::from(b'1' + (i * i % 9) as u8)).collect();
            let Ok(Int::Big(value)) = parse_int_bytes(digits.as_bytes(), 10, 0, &mut go) else {
                panic!("{length} digits");
            };
            assert_eq!(to_decimal(IntRef::Big(&value), &mut go), Ok(digits));
            assert!(exceeds_digits(&value, length - 1) && !exceeds_digits(&value, length));
            let again = parse_int_bytes(format!("{value:#x}").as_bytes(), 0, 10, &mut go);
            assert_eq!(again, Ok(Int::Big(value)));
        }
        let nines = parse_int_bytes(&[b'9'; 4300], 10, 4300, &mut go).unwrap();
        let Int::Big(nines) = nines else { panic!() };
        assert!(!exceeds_digits(&nines, 4300) && exceeds_digits(&(nines + 1), 4300));
        assert_eq!(
            parse_int_bytes(&[b'0'; 5000], 10, 4300, &mut go),
            Err(IntError::TooManyDigits(5000))
        );
    }

    #[test]
    fn edges_of_small() {
        for value in [i64::MIN, i64::MAX, 0, -1] {
            assert_eq!(
                parse_int(StrBuf::from(value.to_string()).view(), 10, 0, &mut go),
                Ok(Int::Small(value))
            );
            assert_eq!(
                parse_int(StrBuf::from(binary(value)).view(), 0, 0, &mut go),
                Ok(Int::Small(value))
            );
        }
        assert!(matches!(
            parse_int_bytes(b"9223372036854775808", 10, 0, &mut go),
            Ok(Int::Big(_))
        ));
    }
}
