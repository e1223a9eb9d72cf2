//! `unicode_escape`, `raw_unicode_escape`, and the escapes of byte strings.

use super::{DecodeFault, Decoded, OnDecodeFault};
use crate::text::builder::StrBuilder;
use crate::text::repr::push_hex_escape;
use crate::text::view::{StrView, with_units};

/// The first escape that means nothing, or an octal one above `\377`: worth a warning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidEscape {
    /// Where the character after the backslash stands.
    pub at: usize,
    pub octal: bool,
}

/// Decodes `unicode_escape`: Latin-1 with the escapes of string literals. `lookup` finds the character of a name.
/// An unfinished escape at the end is left unconsumed where the input is not `last`.
///
/// # Errors
/// Whatever `on_fault` answers.
pub fn decode_unicode_escape<E>(
    input: &[u8],
    last: bool,
    lookup: &dyn Fn(&str) -> Option<u32>,
    on_fault: OnDecodeFault<'_, E>,
) -> Result<(Decoded, Option<InvalidEscape>), E> {
    let mut out = StrBuilder::with_capacity(input.len());
    let mut warn = None;
    let mut at = 0;
    while at < input.len() {
        let plain = memchr::memchr(b'\\', &input[at..]).unwrap_or(input.len() - at);
        out.push_view(StrView::Latin1(&input[at..at + plain]));
        at += plain;
        if at == input.len() {
            break;
        }
        let start = at;
        let Some(&letter) = input.get(at + 1) else {
            if !last {
                break;
            }
            let reason = "\\ at end of string";
            let fix = on_fault(DecodeFault {
                encoding: "unicodeescape",
                input,
                start,
                end: at + 1,
                reason,
            })?;
            out.push_view(fix.text.view());
            at = fix.resume.min(input.len());
            if fix.stop {
                break;
            }
            continue;
        };
        at += 2;
        // What goes wrong, and whether more input might mend it.
        let fault: Option<(&'static str, bool)> = match letter {
            b'\n' => None,
            b'0'..=b'7' => {
                let (code, end) = read_octal(input, at - 1);
                if code > 0o377 && warn.is_none() {
                    warn = Some(InvalidEscape {
                        at: at - 1,
                        octal: true,
                    });
                }
                at = end;
                out.push(code);
                None
            }
            b'x' | b'u' | b'U' => {
                let (digits, reason) = match letter {
                    b'x' => (2, "truncated \\xXX escape"),
                    b'u' => (4, "truncated \\uXXXX escape"),
                    _ => (8, "truncated \\UXXXXXXXX escape"),
                };
                let (code, end) = read_hex(input, at, digits);
                let whole = end - at == digits;
                at = end;
                if !whole {
                    Some((reason, end == input.len()))
                } else if code > 0x10_ffff {
                    Some(("illegal Unicode character", false))
                } else {
                    out.push(code);
                    None
                }
            }
            b'N' => read_name(input, &mut at, lookup, &mut out),
            _ => {
                if let Some(code) = simple_escape(letter) {
                    out.push(u32::from(code));
                } else {
                    warn = warn.or(Some(InvalidEscape {
                        at: at - 1,
                        octal: false,
                    }));
                    out.push(u32::from(b'\\'));
                    out.push(u32::from(letter));
                }
                None
            }
        };
        if let Some((reason, unfinished)) = fault {
            if unfinished && !last {
                at = start;
                break;
            }
            let fix = on_fault(DecodeFault {
                encoding: "unicodeescape",
                input,
                start,
                end: at,
                reason,
            })?;
            out.push_view(fix.text.view());
            at = fix.resume.min(input.len());
            if fix.stop {
                break;
            }
        }
    }
    Ok((
        Decoded {
            text: out.finish(),
            consumed: at,
        },
        warn,
    ))
}

/// Reads `{NAME}` after `\N`.
fn read_name(
    input: &[u8],
    at: &mut usize,
    lookup: &dyn Fn(&str) -> Option<u32>,
    out: &mut StrBuilder,
) -> Option<(&'static str, bool)> {
    let malformed = "malformed \\N character escape";
    match input.get(*at) {
        None => return Some((malformed, true)),
        Some(b'{') => *at += 1,
        Some(_) => return Some((malformed, false)),
    }
    let Some(length) = memchr::memchr(b'}', &input[*at..]) else {
        *at = input.len();
        return Some((malformed, true));
    };
    if length == 0 {
        return Some((malformed, false));
    }
    let name = std::str::from_utf8(&input[*at..*at + length]).ok();
    *at += length + 1;
    match name.and_then(lookup) {
        Some(code) => {
            out.push(code);
            None
        }
        None => Some(("unknown Unicode character name", false)),
    }
}

/// Decodes `raw_unicode_escape`: Latin-1 with `\u` and `\U` only.
///
/// # Errors
/// Whatever `on_fault` answers.
pub fn decode_raw_unicode_escape<E>(input: &[u8], last: bool, on_fault: OnDecodeFault<'_, E>) -> Result<Decoded, E> {
    let mut out = StrBuilder::with_capacity(input.len());
    let mut at = 0;
    while at < input.len() {
        let plain = memchr::memchr(b'\\', &input[at..]).unwrap_or(input.len() - at);
        out.push_view(StrView::Latin1(&input[at..at + plain]));
        at += plain;
        let start = at;
        let (digits, truncated) = match input.get(at + 1) {
            Some(b'u') => (4, "truncated \\uXXXX escape"),
            Some(b'U') => (8, "truncated \\UXXXXXXXX escape"),
            Some(_) => {
                out.push_view(StrView::Latin1(&input[at..at + 2]));
                at += 2;
                continue;
            }
            None => {
                if at < input.len() && last {
                    out.push(u32::from(b'\\'));
                    at += 1;
                }
                break;
            }
        };
        let (code, end) = read_hex(input, at + 2, digits);
        let reason = if end - at - 2 < digits {
            if end == input.len() && !last {
                break;
            }
            truncated
        } else if code > 0x10_ffff {
            "\\Uxxxxxxxx out of range"
        } else {
            out.push(code);
            at = end;
            continue;
        };
        let fix = on_fault(DecodeFault {
            encoding: "rawunicodeescape",
            input,
            start,
            end,
            reason,
        })?;
        out.push_view(fix.text.view());
        at = fix.resume.min(input.len());
        if fix.stop {
            break;
        }
    }
    Ok(Decoded {
        text: out.finish(),
        consumed: at,
    })
}

/// Encodes `unicode_escape`; every text can be.
#[must_use]
pub fn encode_unicode_escape(text: StrView<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    with_units!(text, s => for u in s {
        match Into::<u32>::into(*u) {
            0x09 => out.extend(b"\\t"),
            0x0a => out.extend(b"\\n"),
            0x0d => out.extend(b"\\r"),
            0x5c => out.extend(b"\\\\"),
            c @ 0x20..0x7f => out.push(c as u8),
            c => push_hex_escape(c, &mut out),
        }
    });
    out
}

/// Encodes `raw_unicode_escape`; every text can be.
#[must_use]
pub fn encode_raw_unicode_escape(text: StrView<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    with_units!(text, s => for u in s {
        match Into::<u32>::into(*u) {
            c @ 0..0x100 => out.push(c as u8),
            c => push_hex_escape(c, &mut out),
        }
    });
    out
}

/// Why an escaped byte string does not decode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EscapeError {
    /// A backslash ends the input.
    Trailing,
    /// The offset of a `\x` without two digits.
    Hex(usize),
    /// Such an escape under an error handler that this codec does not know.
    UnknownHandler,
}

impl EscapeError {
    /// The message of the `ValueError`; `errors` is the handler's name.
    #[must_use]
    pub fn message(&self, errors: &str) -> String {
        match self {
            EscapeError::Trailing => "Trailing \\ in string".into(),
            EscapeError::Hex(at) => format!("invalid \\x escape at position {at}"),
            EscapeError::UnknownHandler => {
                let shown: String = errors.chars().take(400).collect();
                format!("decoding error; unknown error handling code: {shown}")
            }
        }
    }
}

/// Decodes the escapes of a byte string literal (`codecs.escape_decode`).
///
/// # Errors
/// See `EscapeError`.
pub fn decode_bytes_escape(input: &[u8], errors: &str) -> Result<(Vec<u8>, Option<InvalidEscape>), EscapeError> {
    let mut out = Vec::with_capacity(input.len());
    let mut warn = None;
    let mut at = 0;
    while at < input.len() {
        let plain = memchr::memchr(b'\\', &input[at..]).unwrap_or(input.len() - at);
        out.extend_from_slice(&input[at..at + plain]);
        at += plain;
        if at == input.len() {
            break;
        }
        let start = at;
        let Some(&letter) = input.get(at + 1) else {
            return Err(EscapeError::Trailing);
        };
        at += 2;
        match letter {
            b'\n' => {}
            b'0'..=b'7' => {
                let (code, end) = read_octal(input, at - 1);
                if code > 0o377 && warn.is_none() {
                    warn = Some(InvalidEscape {
                        at: at - 1,
                        octal: true,
                    });
                }
                out.push(code as u8);
                at = end;
            }
            b'x' => {
                let (code, end) = read_hex(input, at, 2);
                if end - at == 2 {
                    out.push(code as u8);
                } else {
                    match errors {
                        "strict" => return Err(EscapeError::Hex(start)),
                        "replace" => out.push(b'?'),
                        "ignore" => {}
                        _ => return Err(EscapeError::UnknownHandler),
                    }
                }
                at = end;
            }
            _ => match simple_escape(letter) {
                Some(code) => out.push(code),
                None => {
                    warn = warn.or(Some(InvalidEscape {
                        at: at - 1,
                        octal: false,
                    }));
                    out.extend([b'\\', letter]);
                }
            },
        }
    }
    Ok((out, warn))
}

/// Encodes bytes with the escapes of a literal (`codecs.escape_encode`).
#[must_use]
pub fn encode_bytes_escape(input: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(input.len());
    for &byte in input {
        match byte {
            b'\t' => out.extend(b"\\t"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\'' | b'\\' => out.extend([b'\\', byte]),
            0x20..0x7f => out.push(byte),
            _ => push_hex_escape(u32::from(byte), &mut out),
        }
    }
    out
}

fn simple_escape(letter: u8) -> Option<u8> {
    Some(match letter {
        b'\\' | b'\'' | b'"' => letter,
        b'a' => 0x07,
        b'b' => 0x08,
        b't' => 0x09,
        b'n' => 0x0a,
        b'v' => 0x0b,
        b'f' => 0x0c,
        b'r' => 0x0d,
        _ => return None,
    })
}

/// Reads up to three octal digits from `at`.
fn read_octal(input: &[u8], at: usize) -> (u32, usize) {
    let digits = input[at..]
        .iter()
        .take(3)
        .take_while(|b| (b'0'..=b'7').contains(b))
        .count();
    let code = input[at..at + digits]
        .iter()
        .fold(0, |code, b| code * 8 + u32::from(b - b'0'));
    (code, at + digits)
}

/// Reads up to `digits` hexadecimal digits from `at`; answers where it stopped too.
fn read_hex(input: &[u8], at: usize, digits: usize) -> (u32, usize) {
    let mut code = 0u32;
    let mut end = at;
    while end < at + digits {
        let Some(digit) = input.get(end).and_then(|&b| char::from(b).to_digit(16)) else {
            break;
        };
        code = code << 4 | digit;
        end += 1;
    }
    (code, end)
}
