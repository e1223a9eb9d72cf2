//! Complex numbers from and to text.

use super::float::{Layout, Options, float_prefix, format_float, without_underscores};
use super::int::{TrimSpace, to_ascii_number};
use super::view::StrView;

/// `repr(complex(real, imag))`.
#[must_use]
pub fn repr_complex(real: f64, imag: f64) -> String {
    let imag_text = |plus| {
        format_float(
            imag,
            Layout::Repr,
            0,
            Options {
                plus,
                ..Options::default()
            },
        )
    };
    if real == 0.0 && real.is_sign_positive() {
        return format!("{}j", imag_text(false));
    }
    let real = format_float(real, Layout::Repr, 0, Options::default());
    format!("({real}{}j)", imag_text(true))
}

/// Why a text is no complex number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ComplexError {
    /// `complex() arg is a malformed string`.
    Malformed,
    /// An underscore out of place: `could not convert string to complex: ...` with the repr of the text.
    Underscore,
}

/// `complex(text)`.
///
/// # Errors
/// See `ComplexError`.
pub fn parse_complex(text: StrView<'_>) -> Result<(f64, f64), ComplexError> {
    let ascii = to_ascii_number(text).ok_or(ComplexError::Malformed)?;
    let text = ascii.trim_ascii_with_vt();
    let parsed = if text.contains(&b'_') {
        parse(&without_underscores(text).ok_or(ComplexError::Underscore)?)
    } else {
        parse(text)
    };
    parsed.ok_or(ComplexError::Malformed)
}

fn parse(text: &[u8]) -> Option<(f64, f64)> {
    let inner = match text {
        [b'(', inner @ .., b')'] => inner.trim_ascii_with_vt(),
        text => text,
    };
    let (first, rest) = take_float(inner);
    match (first, rest) {
        (Some(real), []) => Some((real, 0.0)),
        (Some(imag), [b'j' | b'J']) => Some((0.0, imag)),
        (Some(real), [b'+' | b'-', ..]) => imaginary(rest).map(|imag| (real, imag)),
        (Some(_), _) => None,
        (None, rest) => imaginary(rest).map(|imag| (0.0, imag)),
    }
}

/// Reads a whole imaginary part, whose number may be a bare sign or missing.
fn imaginary(text: &[u8]) -> Option<f64> {
    let text = match text {
        [text @ .., b'j' | b'J'] => text,
        _ => return None,
    };
    match text {
        [] | [b'+'] => Some(1.0),
        [b'-'] => Some(-1.0),
        text => match take_float(text) {
            (Some(value), []) => Some(value),
            _ => None,
        },
    }
}

fn take_float(text: &[u8]) -> (Option<f64>, &[u8]) {
    let (number, rest) = text.split_at(float_prefix(text));
    (
        std::str::from_utf8(number).ok().and_then(|number| number.parse().ok()),
        rest,
    )
}
