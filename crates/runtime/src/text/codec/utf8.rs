//! UTF-8.

use std::borrow::Cow;

use super::{DecodeFault, Decoded, EncodeFault, OnDecodeFault, OnEncodeFault, encode_loop};
use crate::text::builder::{StrBuilder, from_utf8_str};
use crate::text::unicode::is_surrogate;
use crate::text::view::{StrView, Unit, with_units};

/// Whether bytes are valid UTF-8.
#[must_use]
pub fn is_utf8(input: &[u8]) -> bool {
    std::str::from_utf8(input).is_ok()
}

/// Decodes UTF-8; an unfinished character at the end is left unconsumed where the input is not `last`.
///
/// # Errors
/// Whatever `on_fault` answers.
pub fn decode_utf8<E>(input: &[u8], last: bool, on_fault: OnDecodeFault<'_, E>) -> Result<Decoded, E> {
    if let Ok(text) = std::str::from_utf8(input) {
        return Ok(Decoded {
            text: from_utf8_str(text),
            consumed: input.len(),
        });
    }
    let mut out = StrBuilder::with_capacity(input.len());
    let mut at = 0;
    while let Some(chunk) = input[at..].utf8_chunks().next() {
        out.push_str(chunk.valid());
        at += chunk.valid().len();
        let bad = chunk.invalid();
        let Some(&lead) = bad.first() else {
            continue;
        };
        let reason = if !(0xc2..=0xf4).contains(&lead) {
            "invalid start byte"
        } else if at + bad.len() == input.len() {
            if !last {
                break;
            }
            "unexpected end of data"
        } else {
            // The first two bytes of a surrogate may be all there is yet.
            if !last && lead == 0xed && matches!(input[at + 1..], [0xa0..=0xbf]) {
                break;
            }
            "invalid continuation byte"
        };
        let fix = on_fault(DecodeFault {
            encoding: "utf-8",
            input,
            start: at,
            end: at + bad.len(),
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

/// Encodes UTF-8. ASCII text is its own encoding and is not copied.
///
/// # Errors
/// Whatever `on_fault` answers.
pub fn encode_utf8<'a, E>(text: StrView<'a>, on_fault: OnEncodeFault<'_, E>) -> Result<Cow<'a, [u8]>, E> {
    if let StrView::Ascii(s) = text {
        return Ok(Cow::Borrowed(s));
    }
    let fault = EncodeFault {
        encoding: "utf-8",
        text,
        start: 0,
        end: 0,
        reason: "surrogates not allowed",
        fatal: false,
    };
    let mut out = Vec::with_capacity(text.len() * if matches!(text, StrView::Ucs2(_)) { 3 } else { 2 });
    with_units!(text, s => encode_loop(fault, 1, |at, out| run(s, at, out), put_ascii, &mut out, on_fault))?;
    Ok(Cow::Owned(out))
}

/// Appends from `at` up to the first run of surrogates, whose range it answers.
fn run<U: Unit>(text: &[U], at: usize, out: &mut Vec<u8>) -> Option<std::ops::Range<usize>> {
    for (i, u) in text.iter().enumerate().skip(at) {
        match u.code() {
            c @ 0..0x80 => out.push(c as u8),
            c @ 0x80..0x800 => out.extend([0xc0 | (c >> 6) as u8, 0x80 | (c & 63) as u8]),
            c @ 0x800..0x1_0000 => {
                if is_surrogate(c) {
                    let more = text[i..].iter().take_while(|u| is_surrogate(u.code())).count();
                    return Some(i..i + more);
                }
                out.extend([
                    0xe0 | (c >> 12) as u8,
                    0x80 | (c >> 6 & 63) as u8,
                    0x80 | (c & 63) as u8,
                ]);
            }
            c => out.extend([
                0xf0 | (c >> 18) as u8,
                0x80 | (c >> 12 & 63) as u8,
                0x80 | (c >> 6 & 63) as u8,
                0x80 | (c & 63) as u8,
            ]),
        }
    }
    None
}

/// A replacement text must be ASCII.
fn put_ascii(text: StrView<'_>, out: &mut Vec<u8>) -> bool {
    match text {
        StrView::Ascii(s) => {
            out.extend_from_slice(s);
            true
        }
        _ => false,
    }
}
