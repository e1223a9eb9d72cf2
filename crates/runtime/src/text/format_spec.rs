//! The format mini-language: `[[fill]align][sign][z][#][0][width][grouping][.precision[grouping]][type]`.
//!
//! A spec is parsed once for the kind of value it is for, and then applied. Errors carry CPython 3.14's words.
//! The type `n` follows the C locale, that is, it is `d` or `g`.

use super::builder::StrBuilder;
use super::float::{Layout, Options, format_float};
use super::huge::{Pause, Stop};
use super::int::{IntRef, exceeds_digits, magnitude_digits};
use super::room_for;
use super::unicode::decimal_value;
use super::view::{Kind, StrBuf, StrView};

/// The Python exception that an error becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    Value,
    Overflow,
    Memory,
    /// The caller's pause ended it; the caller knows the exception.
    Stopped,
}

impl From<Stop> for FormatError {
    fn from(_: Stop) -> FormatError {
        FormatError::stopped()
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FormatError {
    pub kind: ErrorKind,
    pub message: String,
}

impl FormatError {
    #[must_use]
    pub fn value(message: impl Into<String>) -> FormatError {
        FormatError {
            kind: ErrorKind::Value,
            message: message.into(),
        }
    }

    #[must_use]
    pub fn overflow(message: impl Into<String>) -> FormatError {
        FormatError {
            kind: ErrorKind::Overflow,
            message: message.into(),
        }
    }

    #[must_use]
    pub fn memory() -> FormatError {
        FormatError {
            kind: ErrorKind::Memory,
            message: String::new(),
        }
    }

    /// The caller's pause ended it.
    fn stopped() -> FormatError {
        FormatError {
            kind: ErrorKind::Stopped,
            message: String::new(),
        }
    }

    /// An integer of more than `limit` digits.
    #[must_use]
    pub fn too_many_digits(limit: usize) -> FormatError {
        FormatError::value(format!(
            "Exceeds the limit ({limit} digits) for integer string conversion; \
             use sys.set_int_max_str_digits() to increase the limit"
        ))
    }
}

/// What a spec is parsed for: it decides the defaults.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    Int,
    Float,
    Complex,
    Str,
}

/// A separator of digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grouping {
    Comma,
    Underscore,
}

impl Grouping {
    fn char(self) -> char {
        match self {
            Grouping::Comma => ',',
            Grouping::Underscore => '_',
        }
    }
}

/// A parsed spec.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FormatSpec {
    pub fill: u32,
    /// One of `<`, `>`, `=`, `^`.
    pub align: u8,
    /// One of `+`, `-`, space.
    pub sign: Option<u8>,
    pub no_negative_zero: bool,
    pub alternate: bool,
    pub width: Option<usize>,
    pub grouping: Option<Grouping>,
    pub precision: Option<usize>,
    pub fraction_grouping: Option<Grouping>,
    /// The type's character; `d` and `s` are filled in where they are the default, else 0 stands for none.
    pub code: u32,
}

const fn code(c: char) -> u32 {
    c as u32
}

impl FormatSpec {
    /// Parses a spec for a value of the type named `type_name`.
    ///
    /// # Errors
    /// `ValueError` with CPython's message.
    pub fn parse(spec: StrView<'_>, target: Target, type_name: &str) -> Result<FormatSpec, FormatError> {
        let at = |i: usize| spec.get(i);
        let is = |i: usize, c: char| spec.get(i) == Some(code(c));
        let align_at = |i: usize| at(i).and_then(|c| u8::try_from(c).ok()).filter(|c| b"<>=^".contains(c));
        let mut out = FormatSpec {
            fill: code(' '),
            align: if target == Target::Str { b'<' } else { b'>' },
            sign: None,
            no_negative_zero: false,
            alternate: false,
            width: None,
            grouping: None,
            precision: None,
            fraction_grouping: None,
            code: match target {
                Target::Int => code('d'),
                Target::Str => code('s'),
                Target::Float | Target::Complex => 0,
            },
        };
        let mut pos = 0;
        let mut aligned = true;
        let mut filled = false;
        if let Some(align) = align_at(1) {
            out.fill = at(0).unwrap_or(code(' '));
            out.align = align;
            filled = true;
            pos = 2;
        } else if let Some(align) = align_at(0) {
            out.align = align;
            pos = 1;
        } else {
            aligned = false;
        }
        if let Some(sign) = at(pos)
            .and_then(|c| u8::try_from(c).ok())
            .filter(|c| b"+- ".contains(c))
        {
            out.sign = Some(sign);
            pos += 1;
        }
        if is(pos, 'z') {
            out.no_negative_zero = true;
            pos += 1;
        }
        if is(pos, '#') {
            out.alternate = true;
            pos += 1;
        }
        if !filled && is(pos, '0') {
            out.fill = code('0');
            if !aligned && target != Target::Str {
                out.align = b'=';
            }
            pos += 1;
        }
        out.width = read_number(spec, &mut pos)?;
        out.grouping = read_grouping(spec, &mut pos)?;
        if is(pos, '.') {
            pos += 1;
            out.precision = read_number(spec, &mut pos)?;
            out.fraction_grouping = read_grouping(spec, &mut pos)?;
            if out.precision.is_none() && out.fraction_grouping.is_none() {
                return Err(FormatError::value("Format specifier missing precision"));
            }
        }
        if spec.len() > pos + 1 {
            return Err(FormatError::value(format!(
                "Invalid format specifier '{}' for object of type '{type_name}'",
                spec.to_string_lossy()
            )));
        }
        if let Some(c) = at(pos) {
            out.code = c;
        }
        let separator = out.grouping.filter(|&grouping| match char::from_u32(out.code) {
            Some('d' | 'e' | 'f' | 'g' | 'E' | 'G' | '%' | 'F' | '\0') => false,
            Some('b' | 'o' | 'x' | 'X') => grouping != Grouping::Underscore,
            _ => true,
        });
        let fraction = out.fraction_grouping.filter(|_| out.code == code('n'));
        if let Some(grouping) = separator.or(fraction) {
            return Err(separator_not_allowed(grouping, out.code));
        }
        Ok(out)
    }

    /// `format(int, spec)` for a spec parsed for `Target::Int`; `max_digits` of 0 is no limit.
    ///
    /// # Errors
    /// `ValueError` or `OverflowError` with CPython's message.
    pub fn format_int(
        &self,
        value: IntRef<'_>,
        type_name: &str,
        max_digits: usize,
        pause: &mut Pause<'_>,
    ) -> Result<StrBuf, FormatError> {
        let base = match char::from_u32(self.code) {
            Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') => {
                let float = value
                    .to_f64()
                    .ok_or_else(|| FormatError::overflow("int too large to convert to float"))?;
                return self.format_float(float, type_name);
            }
            Some('b') => 2,
            Some('o') => 8,
            Some('x' | 'X') => 16,
            Some('d' | 'n' | 'c') => 10,
            _ => return Err(self.unknown_code(type_name)),
        };
        if self.precision.is_some() {
            return Err(FormatError::value("Precision not allowed in integer format specifier"));
        }
        if self.no_negative_zero {
            let message = "Negative zero coercion (z) not allowed in integer format specifier";
            return Err(FormatError::value(message));
        }
        if self.code == code('c') {
            return self.format_char(value);
        }
        if let IntRef::Big(big) = value
            && base == 10
            && exceeds_digits(big, max_digits)
        {
            return Err(FormatError::too_many_digits(max_digits));
        }
        let mut digits = magnitude_digits(value, base, pause)?;
        let mut prefix = match (self.alternate, base) {
            (true, 2) => "0b",
            (true, 8) => "0o",
            (true, 16) => "0x",
            _ => "",
        };
        if self.code == code('X') {
            digits.make_ascii_uppercase();
            prefix = if self.alternate { "0X" } else { "" };
        }
        let group = if base == 10 { 3 } else { 4 };
        self.lay_out(&Number {
            negative: value.is_negative(),
            prefix,
            digits: &digits,
            group,
            ..Number::default()
        })
    }

    fn format_char(&self, value: IntRef<'_>) -> Result<StrBuf, FormatError> {
        if self.sign.is_some() {
            return Err(FormatError::value("Sign not allowed with integer format specifier 'c'"));
        }
        if self.alternate {
            return Err(FormatError::value(
                "Alternate form (#) not allowed with integer format specifier 'c'",
            ));
        }
        let value = value
            .to_i64()
            .ok_or_else(|| FormatError::overflow("Python int too large to convert to C long"))?;
        match u32::try_from(value) {
            Ok(c @ 0..=0x10_ffff) => self.lay_out(&Number {
                rest: StrBuf::from_code(c).view(),
                ..Number::default()
            }),
            _ => Err(FormatError::overflow("%c arg not in range(0x110000)")),
        }
    }

    /// `format(float, spec)`, also of an integer by a code of floats.
    ///
    /// # Errors
    /// `ValueError` with CPython's message.
    pub fn format_float(&self, value: f64, type_name: &str) -> Result<StrBuf, FormatError> {
        let (layout, upper) = match char::from_u32(self.code) {
            Some('\0') => (
                if self.precision.is_some() {
                    Layout::General
                } else {
                    Layout::Repr
                },
                false,
            ),
            Some('e') => (Layout::Exponent, false),
            Some('E') => (Layout::Exponent, true),
            Some('f' | '%') => (Layout::Fixed, false),
            Some('F') => (Layout::Fixed, true),
            Some('g' | 'n') => (Layout::General, false),
            Some('G') => (Layout::General, true),
            _ => return Err(self.unknown_code(type_name)),
        };
        let percent = self.code == code('%');
        let value = if percent { value * 100.0 } else { value };
        let text = self.float_text(value, layout, upper, self.code == 0)?;
        let rest = if percent { "%" } else { "" };
        self.lay_out_float(&text, rest, self.sign)
    }

    /// The bare number, without `plus` and padding.
    fn float_text(&self, value: f64, layout: Layout, upper: bool, add_dot_zero: bool) -> Result<String, FormatError> {
        let precision = self.precision.unwrap_or(6);
        if precision > i32::MAX as usize {
            return Err(FormatError::value("precision too big"));
        }
        // For the digits, and for as many copies as laying them out makes.
        if !room_for(precision.saturating_mul(6)) {
            return Err(FormatError::memory());
        }
        let options = Options {
            alternate: self.alternate,
            add_dot_zero,
            no_negative_zero: self.no_negative_zero,
            upper,
            plus: false,
        };
        Ok(format_float(value, layout, precision, options))
    }

    fn lay_out_float(&self, text: &str, suffix: &str, sign: Option<u8>) -> Result<StrBuf, FormatError> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let digits_end = text.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = text.split_at(digits_end);
        let (point, rest) = match rest.strip_prefix('.') {
            Some(rest) => (".", rest),
            None => ("", rest),
        };
        let fraction_end = if point.is_empty() {
            0
        } else {
            rest.bytes().take_while(u8::is_ascii_digit).count()
        };
        let (fraction, rest) = rest.split_at(fraction_end);
        let fraction = match self.fraction_grouping {
            None => fraction.to_owned(),
            Some(grouping) => {
                let mut out = String::with_capacity(fraction.len() * 4 / 3 + 1);
                for (i, c) in fraction.chars().enumerate() {
                    if i > 0 && i % 3 == 0 {
                        out.push(grouping.char());
                    }
                    out.push(c);
                }
                out
            }
        };
        let rest = format!("{point}{fraction}{rest}{suffix}");
        let rest = StrView::Ascii(rest.as_bytes());
        let spec = FormatSpec { sign, ..self.clone() };
        spec.lay_out(&Number {
            negative,
            digits,
            group: 3,
            rest,
            ..Number::default()
        })
    }

    /// `format(complex, spec)`.
    ///
    /// # Errors
    /// `ValueError` with CPython's message.
    pub fn format_complex(&self, real: f64, imag: f64, type_name: &str) -> Result<StrBuf, FormatError> {
        let (layout, upper) = match char::from_u32(self.code) {
            Some('\0') => (
                if self.precision.is_some() {
                    Layout::General
                } else {
                    Layout::Repr
                },
                false,
            ),
            Some('e') => (Layout::Exponent, false),
            Some('E') => (Layout::Exponent, true),
            Some('f') => (Layout::Fixed, false),
            Some('F') => (Layout::Fixed, true),
            Some('g' | 'n') => (Layout::General, false),
            Some('G') => (Layout::General, true),
            _ => return Err(self.unknown_code(type_name)),
        };
        if self.fill == code('0') {
            return Err(FormatError::value(
                "Zero padding is not allowed in complex format specifier",
            ));
        }
        if self.align == b'=' {
            return Err(FormatError::value(
                "'=' alignment flag is not allowed in complex format specifier",
            ));
        }
        // Without a code the parts look as in repr: parentheses, and no real part that is +0.
        let only_imag = self.code == 0 && real == 0.0 && real.is_sign_positive();
        let parentheses = self.code == 0 && !only_imag;
        let part = FormatSpec {
            width: None,
            fill: code(' '),
            align: b'<',
            ..self.clone()
        };
        let mut out = StrBuilder::new();
        if parentheses {
            out.push(code('('));
        }
        if !only_imag {
            let text = self.float_text(real, layout, upper, false)?;
            out.push_view(part.lay_out_float(&text, "", self.sign)?.view());
        }
        let text = self.float_text(imag, layout, upper, false)?;
        let sign = if only_imag { self.sign } else { Some(b'+') };
        out.push_view(part.lay_out_float(&text, "", sign)?.view());
        out.push(code('j'));
        if parentheses {
            out.push(code(')'));
        }
        self.pad(out.finish())
    }

    /// `format(str, spec)` for a spec parsed for `Target::Str`.
    ///
    /// # Errors
    /// `ValueError` with CPython's message.
    pub fn format_str(&self, text: StrView<'_>, type_name: &str) -> Result<StrBuf, FormatError> {
        if self.code != code('s') {
            return Err(self.unknown_code(type_name));
        }
        let refused = match self.sign {
            Some(b' ') => Some("Space not allowed in string format specifier"),
            Some(_) => Some("Sign not allowed in string format specifier"),
            None if self.no_negative_zero => Some("Negative zero coercion (z) not allowed in string format specifier"),
            None if self.alternate => Some("Alternate form (#) not allowed in string format specifier"),
            None if self.align == b'=' => Some("'=' alignment not allowed in string format specifier"),
            None => None,
        };
        if let Some(message) = refused {
            return Err(FormatError::value(message));
        }
        let text = match self.precision {
            Some(most) if most < text.len() => text.slice(0..most),
            _ => text,
        };
        self.pad(text.to_buf())
    }

    /// Pads a whole text; `=` does not occur here.
    fn pad(&self, text: StrBuf) -> Result<StrBuf, FormatError> {
        let Some(fill) = self
            .width
            .and_then(|width| width.checked_sub(text.len()))
            .filter(|&fill| fill > 0)
        else {
            return Ok(text);
        };
        let before = match self.align {
            b'<' => 0,
            b'^' => fill / 2,
            _ => fill,
        };
        text.view()
            .pad(before, fill - before, self.fill)
            .ok_or_else(FormatError::memory)
    }

    fn unknown_code(&self, type_name: &str) -> FormatError {
        let shown = match self.code {
            c @ 0x21..0x80 => char::from(c as u8).to_string(),
            c => format!("\\x{c:x}"),
        };
        FormatError::value(format!(
            "Unknown format code '{shown}' for object of type '{type_name}'"
        ))
    }

    fn lay_out(&self, number: &Number<'_>) -> Result<StrBuf, FormatError> {
        let sign = match (number.negative, self.sign) {
            (true, _) => Some(b'-'),
            (false, Some(sign @ (b'+' | b' '))) => Some(sign),
            _ => None,
        };
        let width = self.width.unwrap_or(0);
        let fixed = usize::from(sign.is_some()) + number.prefix.len() + number.rest.len();
        // With zeros between sign and digits the zeros are digits, and are grouped like them.
        let zeros = self.fill == code('0') && self.align == b'=' && !number.digits.is_empty();
        let least = if zeros { width.saturating_sub(fixed) } else { 0 };
        let digits = group(number.digits, least, self.grouping, number.group).ok_or_else(FormatError::memory)?;
        let fill = width.saturating_sub(fixed + digits.len());
        let (before, inside) = match self.align {
            b'<' => (0, 0),
            b'^' => (fill / 2, 0),
            b'=' => (0, fill),
            _ => (fill, 0),
        };
        let mut out = StrBuilder::new();
        if !out.try_reserve(width.max(fixed + digits.len())) || width > (isize::MAX / 4) as usize {
            return Err(FormatError::memory());
        }
        if Kind::of_code(self.fill) > Kind::Latin1 && !crate::memory::room::is_there_for(width.saturating_mul(4)) {
            return Err(FormatError::memory());
        }
        out.push_repeat(self.fill, before);
        if let Some(sign) = sign {
            out.push(u32::from(sign));
        }
        out.push_ascii(number.prefix.as_bytes());
        out.push_repeat(self.fill, inside);
        out.push_ascii(&digits);
        out.push_view(number.rest);
        out.push_repeat(self.fill, fill - before - inside);
        Ok(out.finish())
    }
}

/// A number taken apart: `[-]prefix digits rest`.
struct Number<'a> {
    negative: bool,
    prefix: &'a str,
    digits: &'a str,
    /// How many digits make a group.
    group: usize,
    rest: StrView<'a>,
}

impl Default for Number<'_> {
    fn default() -> Self {
        Number {
            negative: false,
            prefix: "",
            digits: "",
            group: 3,
            rest: StrView::Ascii(b""),
        }
    }
}

/// Digits with separators between groups from the right, filled up with zeros to `least` characters; one more where the
/// field would begin with a separator. `None` where memory is short.
fn group(digits: &str, least: usize, grouping: Option<Grouping>, size: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    if digits.is_empty() {
        return Some(out);
    }
    out.try_reserve(digits.len().max(least).checked_mul(2)?).ok()?;
    let Some(grouping) = grouping else {
        out.resize(least.saturating_sub(digits.len()), b'0');
        out.extend_from_slice(digits.as_bytes());
        return Some(out);
    };
    let mut rest = digits.bytes().rev();
    let mut in_group = 0;
    while rest.len() > 0 || out.len() < least {
        if in_group == size {
            out.push(grouping.char() as u8);
            in_group = 0;
        }
        out.push(rest.next().unwrap_or(b'0'));
        in_group += 1;
    }
    out.reverse();
    Some(out)
}

fn read_number(spec: StrView<'_>, pos: &mut usize) -> Result<Option<usize>, FormatError> {
    let mut value: Option<usize> = None;
    while let Some(digit) = spec.get(*pos).and_then(decimal_value) {
        value = Some(
            value
                .unwrap_or(0)
                .checked_mul(10)
                .and_then(|value| value.checked_add(digit as usize))
                .filter(|&value| value <= isize::MAX as usize)
                .ok_or_else(|| FormatError::value("Too many decimal digits in format string"))?,
        );
        *pos += 1;
    }
    Ok(value)
}

fn read_grouping(spec: StrView<'_>, pos: &mut usize) -> Result<Option<Grouping>, FormatError> {
    let comma = |pos| spec.get(pos) == Some(code(','));
    let both = || FormatError::value("Cannot specify both ',' and '_'.");
    let mut found = None;
    if comma(*pos) {
        found = Some(Grouping::Comma);
        *pos += 1;
    }
    if spec.get(*pos) == Some(code('_')) {
        if found.is_some() {
            return Err(both());
        }
        found = Some(Grouping::Underscore);
        *pos += 1;
    }
    if comma(*pos) && found == Some(Grouping::Underscore) {
        return Err(both());
    }
    Ok(found)
}

fn separator_not_allowed(grouping: Grouping, code: u32) -> FormatError {
    let shown = match code {
        c @ 0x21..0x80 => char::from(c as u8).to_string(),
        c => format!("\\x{c:x}"),
    };
    FormatError::value(format!("Cannot specify '{}' with '{shown}'.", grouping.char()))
}

/// `format(int, spec)`.
///
/// # Errors
/// See `FormatSpec`.
pub fn format_int(
    value: IntRef<'_>,
    spec: StrView<'_>,
    type_name: &str,
    max_digits: usize,
    pause: &mut Pause<'_>,
) -> Result<StrBuf, FormatError> {
    FormatSpec::parse(spec, Target::Int, type_name)?.format_int(value, type_name, max_digits, pause)
}

/// `format(float, spec)`.
///
/// # Errors
/// See `FormatSpec`.
pub fn format_float_spec(value: f64, spec: StrView<'_>, type_name: &str) -> Result<StrBuf, FormatError> {
    FormatSpec::parse(spec, Target::Float, type_name)?.format_float(value, type_name)
}

/// `format(complex, spec)`.
///
/// # Errors
/// See `FormatSpec`.
pub fn format_complex(real: f64, imag: f64, spec: StrView<'_>, type_name: &str) -> Result<StrBuf, FormatError> {
    FormatSpec::parse(spec, Target::Complex, type_name)?.format_complex(real, imag, type_name)
}

/// `format(str, spec)`.
///
/// # Errors
/// See `FormatSpec`.
pub fn format_str(text: StrView<'_>, spec: StrView<'_>, type_name: &str) -> Result<StrBuf, FormatError> {
    FormatSpec::parse(spec, Target::Str, type_name)?.format_str(text, type_name)
}
