//! Numbers from and to Python's text: what stands between `str` and bytes objects and the algorithms in [`crate::text`].
//!
//! Invariant: the algorithms know no objects, so every exception about a number's text is made here, with the object as the
//! program gave it.

use std::borrow::Cow;

use super::complex::{Complex, Pair};
use super::{float, int, int_methods, number_ops};
use crate::object::{Native, Py, Value};
use crate::text::complex::{ComplexError, parse_complex as read_complex};
use crate::text::float::{HexError, from_hex, parse_float, parse_float_bytes as read_float_bytes};
use crate::text::format_spec::{self, ErrorKind, FormatError};
use crate::text::huge::{Pause, Stop};
use crate::text::int::{Int, IntError, parse_int, parse_int_bytes as read_int_bytes};
use crate::text::{StrBuf, StrView};
use crate::types::buffer::bytes_of;
use crate::types::bytearray::ByteArray;
use crate::types::bytes::Bytes;
use crate::types::str::Str;
use crate::vm::{Exc, Res, Vm};

/// The bytes of a bytes-like object; `None` if `value` is none.
pub fn bytes_like<'a>(_vm: &Vm, value: &'a Value) -> Res<Option<Cow<'a, [u8]>>> {
    Ok(bytes_of(value))
}

/// The types that `int(x, base)` takes besides str.
pub fn is_bytes_or_bytearray(value: &Value) -> bool {
    value.downcast::<Bytes>().is_some() || value.downcast::<ByteArray>().is_some()
}

/// What `bytes(value)` would hold, with its errors.
pub fn bytes_from(vm: &Vm, value: &Value) -> Res<Vec<u8>> {
    if let Some(bytes) = bytes_of(value) {
        return Ok(bytes.into_owned());
    }
    if value.downcast::<Str>().is_some() || int::view(value).is_some() {
        return Err(vm.type_error(format!("cannot convert '{}' object to bytes", value.ty().name())));
    }
    let made = vm.call(Bytes::ty().as_value(), std::slice::from_ref(value))?;
    Ok(bytes_of(&made).map(Cow::into_owned).unwrap_or_default())
}

fn int_value(n: Int) -> Value {
    match n {
        Int::Small(i) => Value::int(i),
        Int::Big(n) => Value::bigint(n),
    }
}

/// The first characters of the repr, as `%.200R` gives them.
fn short_repr(vm: &Vm, value: &Value) -> Res<String> {
    Ok(vm.repr(value)?.to_string_lossy().chars().take(200).collect())
}

fn int_error(vm: &Vm, error: IntError, base: u32, value: &Value) -> Exc {
    match error {
        IntError::TooManyDigits(digits) => int_methods::too_many_digits(vm, digits),
        IntError::Stopped => vm.system_error("stopped without an exception"),
        IntError::Invalid => match short_repr(vm, value) {
            Ok(shown) => vm.value_error(format!("invalid literal for int() with base {base}: {shown}")),
            Err(exc) => exc,
        },
    }
}

/// Reads with safepoints, and makes exceptions of errors.
fn read_int(
    vm: &Vm,
    source: &Value,
    base: u32,
    read: impl FnOnce(usize, &mut Pause<'_>) -> Result<Int, IntError>,
) -> Res<Value> {
    let limit = int_methods::max_str_digits() as usize;
    // What is wrong with the text comes out as a result of the work.
    let result = number_ops::interruptible(vm, |pause| match read(limit, pause) {
        Err(IntError::Stopped) => Err(Stop),
        other => Ok(other),
    })?;
    result
        .map(int_value)
        .map_err(|error| int_error(vm, error, base, source))
}

/// `int(text, base)`.
pub fn parse_int_str(vm: &Vm, text: &Py<Str>, base: u32) -> Res<Value> {
    read_int(vm, text.as_value(), base, |limit, pause| {
        parse_int(text.view(), base, limit, pause)
    })
}

/// `int(bytes, base)`, where `bytes` are those of `value`.
pub fn parse_int_bytes(vm: &Vm, value: &Value, bytes: &[u8], base: u32) -> Res<Value> {
    read_int(vm, value, base, |limit, pause| {
        read_int_bytes(bytes, base, limit, pause)
    })
}

fn not_a_float(vm: &Vm, value: &Value) -> Exc {
    match vm.repr(value) {
        Ok(shown) => vm.value_error(format!(
            "could not convert string to float: {}",
            shown.to_string_lossy()
        )),
        Err(exc) => exc,
    }
}

/// `float(text)`.
pub fn parse_float_str(vm: &Vm, text: &Py<Str>) -> Res<f64> {
    parse_float(text.view()).ok_or_else(|| not_a_float(vm, text.as_value()))
}

/// `float(bytes)`, where `bytes` are those of `value`.
pub fn parse_float_bytes(vm: &Vm, value: &Value, bytes: &[u8]) -> Res<f64> {
    read_float_bytes(bytes).ok_or_else(|| not_a_float(vm, value))
}

/// `float.fromhex(text)`.
pub fn parse_hex(vm: &Vm, text: &Py<Str>) -> Res<f64> {
    from_hex(text.view()).map_err(|error| match error {
        HexError::Invalid => vm.value_error(error.message()),
        HexError::TooLarge => vm.overflow_error(error.message()),
    })
}

/// `complex(text)`.
pub fn parse_complex(vm: &Vm, text: &Py<Str>) -> Res<Pair> {
    read_complex(text.view()).map_err(|error| match error {
        ComplexError::Malformed => vm.value_error("complex() arg is a malformed string"),
        ComplexError::Underscore => match vm.repr(text.as_value()) {
            Ok(shown) => vm.value_error(format!(
                "could not convert string to complex: {}",
                shown.to_string_lossy()
            )),
            Err(exc) => exc,
        },
    })
}

fn format_error(vm: &Vm, error: FormatError) -> Exc {
    match error.kind {
        ErrorKind::Overflow => vm.overflow_error(error.message),
        ErrorKind::Memory => vm.memory_error(),
        ErrorKind::Stopped => vm.system_error("stopped without an exception"),
        _ => vm.value_error(error.message),
    }
}

/// A result for [`number_ops::interruptible`].
pub fn unless_stopped<T>(result: Result<T, FormatError>) -> Result<Result<T, FormatError>, Stop> {
    match result {
        Err(error) if error.kind == ErrorKind::Stopped => Err(Stop),
        other => Ok(other),
    }
}

fn formatted(
    vm: &Vm,
    value: &Value,
    spec: &Py<Str>,
    format: impl FnOnce(&str) -> Result<StrBuf, FormatError>,
) -> Res<Value> {
    if spec.is_empty() {
        return vm.str(value).map(Py::into_value);
    }
    let buf = format(&value.ty().name()).map_err(|error| format_error(vm, error))?;
    Ok(Str::from_buf(buf).into_value())
}

/// `format(int, spec)`.
pub fn format_int(vm: &Vm, value: &Value, spec: &Py<Str>) -> Res<Value> {
    let limit = int_methods::max_str_digits() as usize;
    if spec.is_empty() {
        return vm.str(value).map(Py::into_value);
    }
    let name = value.ty().name();
    let result = number_ops::interruptible(vm, |pause| {
        unless_stopped(format_spec::format_int(
            int::known(value),
            spec.view(),
            &name,
            limit,
            pause,
        ))
    })?;
    let buf = result.map_err(|error| format_error(vm, error))?;
    Ok(Str::from_buf(buf).into_value())
}

/// `format` of immediate numbers by specs that are nothing but a width, a precision and `d` or `f`; `None` for the general way.
pub fn format_plain(value: &Value, spec: &Py<Str>) -> Option<Py<Str>> {
    let (mut spec, mut width) = (spec.ascii_bytes()?, 0);
    if let [first, ..] = spec
        && *first == b'0'
    {
        // Zeros in front, and no width if there is only this one.
        return None;
    }
    while let [digit @ b'0'..=b'9', rest @ ..] = spec {
        width = width * 10 + usize::from(digit - b'0');
        spec = rest;
        if width > 100 {
            return None;
        }
    }
    let mut buffer = [b' '; 160];
    let mut digits = DigitWriter::new(&mut buffer);
    if let Some(int) = value.as_small_int() {
        if !matches!(spec, [] | [b'd']) {
            return None;
        }
        digits.put_number(int.unsigned_abs(), 1);
        digits.put_sign(int < 0);
    } else if value.is_tagged_float() {
        let precision = match spec {
            [b'.', digit @ b'0'..=b'9', b'f'] => usize::from(digit - b'0'),
            [b'f'] => 6,
            _ => return None,
        };
        let float = value.tagged_float();
        let scaled = scaled(float, precision)?;
        let unit = 10u64.pow(precision as u32);
        if precision > 0 {
            digits.put_number(scaled % unit, precision);
            digits.put(b'.');
        }
        digits.put_number(scaled / unit, 1);
        digits.put_sign(float < 0.0);
    } else {
        return None;
    }
    let text = digits.finish(width);
    Some(Str::from_view(StrView::Ascii(text)))
}

/// `abs(value) * 10 ** precision`, correctly rounded to an integer, a tie to the even one; `None` if it is large.
fn scaled(value: f64, precision: usize) -> Option<u64> {
    let bits = value.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    if exponent == 0 || exponent >= 1075 {
        return None;
    }
    // abs(value) is mantissa / 2 ** shift; the product has at most 83 bits.
    let mantissa = u128::from(bits & ((1 << 52) - 1) | 1 << 52);
    let shift = (1075 - exponent) as u32;
    let product = mantissa * 10u128.pow(precision as u32);
    if shift >= 100 {
        return Some(0);
    }
    let (whole, rest, half) = (product >> shift, product & ((1 << shift) - 1), 1u128 << (shift - 1));
    let up = rest > half || rest == half && whole & 1 != 0;
    u64::try_from(whole + u128::from(up)).ok()
}

/// An int in decimal.
pub fn decimal(int: i64) -> Py<Str> {
    Str::from_view(StrView::Ascii(decimal_digits(int, &mut [0; 20])))
}

/// The sign, if it is minus, and the decimal digits of an int.
pub fn decimal_digits(int: i64, buffer: &mut [u8; 20]) -> &[u8] {
    let (mut at, mut rest) = (buffer.len(), int.unsigned_abs());
    loop {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if int < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    &buffer[at..]
}

/// Writes a number from its end.
struct DigitWriter<'a> {
    buffer: &'a mut [u8; 160],
    at: usize,
}

impl<'a> DigitWriter<'a> {
    fn new(buffer: &'a mut [u8; 160]) -> DigitWriter<'a> {
        let at = buffer.len();
        DigitWriter { buffer, at }
    }

    fn put(&mut self, byte: u8) {
        self.at -= 1;
        self.buffer[self.at] = byte;
    }

    fn put_sign(&mut self, negative: bool) {
        if negative {
            self.put(b'-');
        }
    }

    /// At least `count` digits.
    fn put_number(&mut self, mut number: u64, count: usize) {
        let mut written = 0;
        while number > 0 || written < count {
            self.put(b'0' + (number % 10) as u8);
            number /= 10;
            written += 1;
        }
    }

    /// The text, with the blanks of the buffer before it up to `width`.
    fn finish(self, width: usize) -> &'a [u8] {
        let end = self.buffer.len();
        &self.buffer[self.at.min(end - width)..]
    }
}

/// `template % operands` where the template is ASCII text with nothing but `%s`, `%d` and `%%`, and the operands are plain ASCII strings and
/// immediate ints; `None` for the general way.
pub fn percent_plain(template: &[u8], operands: &[Value]) -> Option<Py<Str>> {
    let mut out: smallvec::SmallVec<[u8; 128]> = smallvec::SmallVec::new();
    let mut operands = operands.iter();
    let mut rest = template;
    while let Some(at) = rest.iter().position(|&byte| byte == b'%') {
        out.extend_from_slice(&rest[..at]);
        let letter = *rest.get(at + 1)?;
        rest = &rest[at + 2..];
        if letter == b'%' {
            out.push(b'%');
            continue;
        }
        let operand = operands.next()?;
        match (letter, operand.as_small_int()) {
            (b's' | b'd', Some(int)) => out.extend_from_slice(decimal_digits(int, &mut [0; 20])),
            (b's', None) => out.extend_from_slice(operand.downcast_exact::<Str>()?.ascii_bytes()?),
            _ => return None,
        }
    }
    out.extend_from_slice(rest);
    operands.next().is_none().then(|| Str::from_view(StrView::Ascii(&out)))
}

/// `format(float, spec)`.
pub fn format_float(vm: &Vm, value: &Value, spec: &Py<Str>) -> Res<Value> {
    formatted(vm, value, spec, |name| {
        format_spec::format_float_spec(float::known(value), spec.view(), name)
    })
}

/// `format(complex, spec)`.
pub fn format_complex(vm: &Vm, value: &Py<Complex>, spec: &Py<Str>) -> Res<Value> {
    formatted(vm, value.as_value(), spec, |name| {
        format_spec::format_complex(value.re, value.im, spec.view(), name)
    })
}
