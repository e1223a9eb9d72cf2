//! Floats from and to text, and rounding in decimal.
//!
//! Every conversion is correctly rounded. Digits come from Rust's formatter, which is exact; what is added here is
//! CPython's layout of them.

use num_bigint::BigInt;

use super::int::{TrimSpace, to_ascii_number};
use super::view::StrView;

/// The layout of a float: the conversion characters of `%` and `format`, in small letters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// `e`: always an exponent.
    Exponent,
    /// `f`: never an exponent.
    Fixed,
    /// `g`: whichever is shorter, without trailing zeros.
    General,
    /// The shortest digits that read back as the same float.
    Repr,
}

/// Options of `format_float`.
#[derive(Clone, Copy, Default, Debug)]
pub struct Options {
    /// `#`: keeps the point and the zeros.
    pub alternate: bool,
    /// Marks a whole number with `.0` where there is no exponent.
    pub add_dot_zero: bool,
    /// Drops the sign of what rounds to zero.
    pub no_negative_zero: bool,
    pub upper: bool,
    /// Writes the `+` of a positive number.
    pub plus: bool,
}

/// `repr(value)`.
#[must_use]
pub fn repr_float(value: f64) -> String {
    format_float(
        value,
        Layout::Repr,
        0,
        Options {
            add_dot_zero: true,
            ..Options::default()
        },
    )
}

/// No float has more digits than this after the point, or more that matter in all.
const MAX_DIGITS: usize = 1100;

/// Decimal digits of a magnitude: the value is `0.digits * 10 ** point`.
struct Digits {
    digits: Vec<u8>,
    point: i32,
}

impl Digits {
    /// Reads a plain number, with a point or an exponent or neither; zeros in front do not count.
    fn read(text: &str) -> Digits {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let whole = mantissa.find('.').unwrap_or(mantissa.len());
        let mut digits = Vec::with_capacity(mantissa.len());
        let mut zeros = 0;
        for byte in mantissa.bytes().filter(u8::is_ascii_digit) {
            if byte == b'0' && digits.is_empty() {
                zeros += 1;
            } else {
                digits.push(byte);
            }
        }
        let shift = whole as i32 - zeros;
        let point = if digits.is_empty() {
            1
        } else {
            exponent.parse::<i32>().unwrap_or(0) + shift
        };
        Digits { digits, point }
    }

    fn shortest(value: f64) -> Digits {
        Digits::read(zmij::Buffer::new().format_finite(value))
    }

    /// `count` digits, or all there are where that is less; at least one.
    fn significant(value: f64, count: usize) -> Digits {
        let more = count.clamp(1, MAX_DIGITS) - 1;
        Digits::read(&format!("{value:.more$e}"))
    }

    /// Digits down to `places` after the point.
    fn fixed(value: f64, places: usize) -> Digits {
        let places = places.min(MAX_DIGITS);
        Digits::read(&format!("{value:.places$}"))
    }

    fn drop_zeros(&mut self) {
        while self.digits.last() == Some(&b'0') {
            self.digits.pop();
        }
    }

    /// Appends the digits at `from..to`, zeros where there are none.
    fn push(&self, from: i64, to: i64, out: &mut Vec<u8>) {
        let count = self.digits.len() as i64;
        let zeros = |count: i64| usize::try_from(count).unwrap_or(0);
        out.resize(out.len() + zeros(to.min(0) - from), b'0');
        let (start, end) = (from.clamp(0, count) as usize, to.clamp(0, count) as usize);
        if start < end {
            out.extend_from_slice(&self.digits[start..end]);
        }
        out.resize(out.len() + zeros(to - from.max(count)), b'0');
    }
}

/// Formats a float, with its sign. `precision` counts what its layout counts: places for `Exponent` and `Fixed`, digits
/// for `General`, nothing for `Repr`. The caller bounds it by the memory it is ready to spend.
#[must_use]
pub fn format_float(value: f64, layout: Layout, precision: usize, options: Options) -> String {
    if !value.is_finite() {
        let name = match (value.is_nan(), options.upper) {
            (true, false) => "nan",
            (true, true) => "NAN",
            (false, false) => "inf",
            (false, true) => "INF",
        };
        let sign = if value < 0.0 {
            "-"
        } else if options.plus {
            "+"
        } else {
            ""
        };
        return format!("{sign}{name}");
    }
    if layout == Layout::Fixed && precision <= MAX_DIGITS && !options.alternate && !options.no_negative_zero {
        // Rust's own layout is the same.
        return if options.plus {
            format!("{value:+.precision$}")
        } else {
            format!("{value:.precision$}")
        };
    }
    let magnitude = value.abs();
    let precision = if layout == Layout::General {
        precision.max(1)
    } else {
        precision
    };
    let mut digits = match layout {
        Layout::Exponent => Digits::significant(magnitude, precision.saturating_add(1)),
        Layout::Fixed => Digits::fixed(magnitude, precision),
        Layout::General => Digits::significant(magnitude, precision),
        Layout::Repr => Digits::shortest(magnitude),
    };
    let negative = value.is_sign_negative() && !(options.no_negative_zero && digits.digits.is_empty());
    if matches!(layout, Layout::General | Layout::Repr) {
        digits.drop_zeros();
    }
    let precision = i64::try_from(precision).unwrap_or(i64::MAX);
    let point = i64::from(digits.point);
    let count = (digits.digits.len() as i64).max(1);
    // Where the digits end, counted from their start; zeros fill what they do not reach.
    let (exponent_form, end) = match layout {
        Layout::Exponent => (true, precision.saturating_add(1)),
        Layout::Fixed => (false, precision.saturating_add(point)),
        Layout::General => (
            point <= -4 || point > precision - i64::from(options.add_dot_zero),
            if options.alternate { precision } else { count },
        ),
        Layout::Repr => (point <= -4 || point > 16, count),
    };
    let mut out = Vec::with_capacity(32);
    if negative {
        out.push(b'-');
    } else if options.plus {
        out.push(b'+');
    }
    // The point as laid out: after the first digit where an exponent follows.
    let shown = if exponent_form { 1 } else { point };
    let mut places = (end - shown).max(0);
    if options.add_dot_zero && !exponent_form && places == 0 {
        places = 1;
    }
    if shown <= 0 {
        out.push(b'0');
    } else {
        digits.push(0, shown, &mut out);
    }
    if places > 0 || options.alternate {
        out.push(b'.');
        digits.push(shown, shown + places, &mut out);
    }
    if exponent_form {
        let exponent = point - 1;
        out.push(if options.upper { b'E' } else { b'e' });
        out.push(if exponent < 0 { b'-' } else { b'+' });
        let size = exponent.unsigned_abs();
        if size >= 100 {
            out.push(b'0' + (size / 100) as u8);
        }
        out.extend([b'0' + (size / 10 % 10) as u8, b'0' + (size % 10) as u8]);
    }
    // Only ASCII was put in.
    String::from_utf8(out).unwrap_or_default()
}

/// `float(text)`; `None` where the text is no float.
#[must_use]
pub fn parse_float(text: StrView<'_>) -> Option<f64> {
    parse_float_bytes(&to_ascii_number(text)?)
}

/// `float(bytes)`; `None` where the text is no float.
#[must_use]
pub fn parse_float_bytes(text: &[u8]) -> Option<f64> {
    let text = text.trim_ascii_with_vt();
    if !text.contains(&b'_') {
        return plain_float(text);
    }
    plain_float(&without_underscores(text)?)
}

/// Drops underscores, each of which must stand between two digits.
pub(super) fn without_underscores(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    for (i, &byte) in text.iter().enumerate() {
        if byte != b'_' {
            out.push(byte);
        } else if i == 0 || !text[i - 1].is_ascii_digit() || !text.get(i + 1).is_some_and(u8::is_ascii_digit) {
            return None;
        }
    }
    Some(out)
}

/// Reads a float that takes up the whole text. Rust and CPython agree on the grammar.
fn plain_float(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The length of the longest float that `text` starts with, 0 where it starts with none.
pub(super) fn float_prefix(text: &[u8]) -> usize {
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let body = &text[sign..];
    for word in ["infinity", "inf", "nan"] {
        if body
            .get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
        {
            return sign + word.len();
        }
    }
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(body);
    let mut end = whole;
    let mut fraction = 0;
    if body.get(end) == Some(&b'.') {
        fraction = digits(&body[end + 1..]);
        end += 1 + fraction;
    }
    if whole + fraction == 0 {
        return 0;
    }
    if matches!(body.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(body.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(&body[end + 1 + sign..]);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    sign + end
}

/// `round(value, places)`; `None` where the result overflows.
#[must_use]
pub fn round_float(value: f64, places: i64) -> Option<f64> {
    if !value.is_finite() || value == 0.0 || places > 323 {
        return Some(value);
    }
    if places < -308 {
        return Some(0.0 * value);
    }
    let rounded = if let Ok(places) = usize::try_from(places) {
        format!("{value:.places$}").parse().unwrap_or(value)
    } else {
        round_to_power(value, places.unsigned_abs() as i32)
    };
    rounded.is_finite().then_some(rounded)
}

/// The nearest multiple of 10 ** `power`, ties to even.
fn round_to_power(value: f64, power: i32) -> f64 {
    let all = Digits::read(&format!("{:.800e}", value.abs()));
    let Ok(kept) = usize::try_from(all.point - power) else {
        return 0.0 * value;
    };
    let (head, tail) = all.digits.split_at(kept.min(all.digits.len()));
    let odd = head.last().is_some_and(|digit| digit % 2 == 1);
    let up = match tail.split_first() {
        Some((b'5', more)) => odd || more.iter().any(|&b| b != b'0'),
        Some((first, _)) => *first > b'5',
        None => false,
    };
    let mut head = head.to_vec();
    if up {
        match head.iter().rposition(|&b| b != b'9') {
            Some(at) => {
                head[at] += 1;
                head[at + 1..].fill(b'0');
            }
            None => {
                head.fill(b'0');
                head.insert(0, b'1');
            }
        }
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let head = String::from_utf8(head).unwrap_or_default();
    format!("{sign}0{head}e{power}").parse().unwrap_or(value)
}

/// A finite float as `mantissa * 2 ** exponent`.
#[must_use]
pub fn decompose(value: f64) -> (i64, i32) {
    let bits = value.to_bits();
    let biased = (bits >> 52 & 0x7ff) as i32;
    let fraction = (bits & ((1 << 52) - 1)) as i64;
    let (mantissa, exponent) = if biased == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, biased - 1075)
    };
    (if value.is_sign_negative() { -mantissa } else { mantissa }, exponent)
}

/// `value.as_integer_ratio()` of a finite float: lowest terms, the denominator positive.
#[must_use]
pub fn integer_ratio(value: f64) -> (BigInt, BigInt) {
    let (mut mantissa, mut exponent) = decompose(value);
    if mantissa == 0 {
        return (BigInt::from(0), BigInt::from(1));
    }
    let zeros = mantissa.trailing_zeros() as i32;
    mantissa >>= zeros;
    exponent += zeros;
    let shift = exponent.unsigned_abs();
    if exponent >= 0 {
        (BigInt::from(mantissa) << shift, BigInt::from(1))
    } else {
        (BigInt::from(mantissa), BigInt::from(1) << shift)
    }
}

/// The integer part of a finite float.
#[must_use]
pub fn truncate(value: f64) -> BigInt {
    let (mantissa, exponent) = decompose(value.trunc());
    if exponent >= 0 {
        BigInt::from(mantissa) << exponent.unsigned_abs()
    } else {
        // What is shifted out of a whole number is zeros.
        BigInt::from(mantissa >> exponent.unsigned_abs().min(63))
    }
}

/// `value.hex()`.
#[must_use]
pub fn to_hex(value: f64) -> String {
    if !value.is_finite() {
        return repr_float(value);
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let bits = value.to_bits();
    let biased = (bits >> 52 & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    if biased == 0 && fraction == 0 {
        return format!("{sign}0x0.0p+0");
    }
    let (lead, exponent) = if biased == 0 { (0, -1022) } else { (1, biased - 1023) };
    format!("{sign}0x{lead}.{fraction:013x}p{exponent:+}")
}

/// Why `float.fromhex` fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HexError {
    /// `ValueError`.
    Invalid,
    /// `OverflowError`.
    TooLarge,
}

impl HexError {
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            HexError::Invalid => "invalid hexadecimal floating-point string",
            HexError::TooLarge => "hexadecimal value too large to represent as a float",
        }
    }
}

/// `float.fromhex(text)`, rounded half to even.
///
/// # Errors
/// See `HexError`.
pub fn from_hex(text: StrView<'_>) -> Result<f64, HexError> {
    let StrView::Ascii(text) = text else {
        return Err(HexError::Invalid);
    };
    let text = text.trim_ascii_with_vt();
    let (negative, body) = match text {
        [b'-', body @ ..] => (true, body),
        [b'+', body @ ..] => (false, body),
        body => (false, body),
    };
    let sign = if negative { -1.0 } else { 1.0 };
    if body.eq_ignore_ascii_case(b"inf") || body.eq_ignore_ascii_case(b"infinity") {
        return Ok(f64::INFINITY * sign);
    }
    if body.eq_ignore_ascii_case(b"nan") {
        return Ok(f64::NAN.copysign(sign));
    }
    let body = match body {
        [b'0', b'x' | b'X', body @ ..] => body,
        body => body,
    };
    let hex = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let whole = hex(body);
    let mut digits = body[..whole].to_vec();
    let mut rest = &body[whole..];
    let mut places = 0;
    if let [b'.', tail @ ..] = rest {
        places = hex(tail);
        digits.extend_from_slice(&tail[..places]);
        rest = &tail[places..];
    }
    if digits.is_empty() {
        return Err(HexError::Invalid);
    }
    let mut exponent: i64 = 0;
    if let [b'p' | b'P', tail @ ..] = rest {
        let (minus, tail) = match tail {
            [b'-', tail @ ..] => (true, tail),
            [b'+', tail @ ..] => (false, tail),
            tail => (false, tail),
        };
        if tail.is_empty() || !tail.iter().all(u8::is_ascii_digit) {
            return Err(HexError::Invalid);
        }
        // Far beyond every exponent that matters, however many digits a program has memory for.
        let size = tail
            .iter()
            .fold(0i64, |n, b| (n * 10 + i64::from(b - b'0')).min(i64::MAX / 32));
        exponent = if minus { -size } else { size };
    } else if !rest.is_empty() {
        return Err(HexError::Invalid);
    }
    // The first 64 bits, with one more that says whether anything was cut off.
    let mut mantissa: u64 = 0;
    let mut dropped = 0i64;
    let mut sticky = false;
    for &digit in &digits {
        let digit = u64::from(char::from(digit).to_digit(16).unwrap_or(0));
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | digit;
        } else {
            dropped += 1;
            sticky |= digit != 0;
        }
    }
    if mantissa == 0 {
        return Ok(0.0 * sign);
    }
    let exponent = exponent.saturating_add(4 * (dropped - places as i64));
    Ok(scale(mantissa, sticky, exponent)? * sign)
}

/// `mantissa * 2 ** exponent`, a little more where `sticky`, rounded half to even.
fn scale(mantissa: u64, sticky: bool, exponent: i64) -> Result<f64, HexError> {
    let bits = 64 - i64::from(mantissa.leading_zeros());
    let top = exponent.saturating_add(bits);
    if top > 1024 {
        return Err(HexError::TooLarge);
    }
    if top < -1075 {
        return Ok(0.0);
    }
    // How many low bits do not fit: 53 stay, fewer below the smallest normal.
    let kept = (top + 1074).min(53);
    let cut = bits - kept;
    let (mut kept_bits, low_exponent) = if cut <= 0 {
        (mantissa, exponent)
    } else {
        let wide = u128::from(mantissa);
        let (half, rest) = (1u128 << (cut - 1), wide & ((1 << cut) - 1));
        let head = (wide >> cut) as u64;
        let up = rest > half || rest == half && (sticky || head & 1 == 1);
        (head + u64::from(up), exponent + cut)
    };
    if kept_bits == 1 << 53 && low_exponent == 971 {
        return Err(HexError::TooLarge);
    }
    // Both factors are exact: the product of the mantissa and a power of two that is a normal float, in two steps.
    let mut left = low_exponent as i32;
    let mut result = 0.0;
    if kept_bits != 0 {
        let zeros = kept_bits.trailing_zeros();
        kept_bits >>= zeros;
        left += zeros as i32;
        result = kept_bits as f64;
        while left != 0 {
            let step = left.clamp(-1000, 1000);
            // A step down could round twice; it does not, for the bits that are left all fit.
            result *= 2f64.powi(step);
            left -= step;
        }
    }
    if result.is_finite() {
        Ok(result)
    } else {
        Err(HexError::TooLarge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The quick shortest digits against the standard library's, and back.
    #[test]
    fn shortest_digits() {
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        for i in 0..50_000u64 {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            // Every power of two comes along: there the gaps to the neighbours differ.
            let value = if i < 2047 {
                f64::from_bits(i << 52)
            } else {
                f64::from_bits(bits)
            }
            .abs();
            if !value.is_finite() || value == 0.0 {
                continue;
            }
            let mut digits = Digits::shortest(value);
            digits.drop_zeros();
            // Of two that are equally near CPython takes the even one, the standard library the larger.
            let standard = Digits::read(&format!("{value:e}"));
            assert_eq!(
                (digits.digits.len(), digits.point),
                (standard.digits.len(), standard.point),
                "{value:e}"
            );
            assert_eq!(parse_float_bytes(repr_float(value).as_bytes()), Some(value));
            assert_eq!(from_hex(StrView::Ascii(to_hex(value).as_bytes())), Ok(value));
        }
    }

    /// What CPython prints for floats that lie halfway between two of the shortest texts that read back.
    #[test]
    fn halfway_is_even() {
        for (value, text) in [
            (0.500_007_629_394_531_25, "0.5000076293945312"),
            (1_048_576.000_488_281_25, "1048576.0004882812"),
            (1_186_851_129_859_294.25, "1186851129859294.2"),
            (-1_033_443_741_855_945.75, "-1033443741855945.8"),
            (12_450_966_116_225.562_5, "12450966116225.562"),
            (0.1, "0.1"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(repr_float(value), text);
        }
    }

    #[test]
    fn parts() {
        assert_eq!(integer_ratio(0.75), (BigInt::from(3), BigInt::from(4)));
        assert_eq!(integer_ratio(-8.0), (BigInt::from(-8), BigInt::from(1)));
        assert_eq!(integer_ratio(5e-324).1, BigInt::from(1) << 1074);
        assert_eq!(truncate(-3.9), BigInt::from(-3));
        assert_eq!(truncate(0.5), BigInt::from(0));
        assert_eq!(truncate(1e23).to_string(), "99999999999999991611392");
        assert_eq!(format_float(2.5, Layout::Fixed, 1200, Options::default()).len(), 1202);
    }
}
