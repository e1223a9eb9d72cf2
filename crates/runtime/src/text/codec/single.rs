//! One byte a character: ASCII, Latin-1, and the tables of the charmap codecs.

use super::{DecodeFault, EncodeFault, OnDecodeFault, OnEncodeFault, encode_loop};
use crate::text::builder::StrBuilder;
use crate::text::view::{StrBuf, StrView, Unit, with_units};

/// Decodes ASCII.
///
/// # Errors
/// Whatever `on_fault` answers.
pub fn decode_ascii<E>(input: &[u8], on_fault: OnDecodeFault<'_, E>) -> Result<StrBuf, E> {
    if input.is_ascii() {
        return Ok(StrBuf::Ascii(input.to_vec()));
    }
    let mut out = StrBuilder::with_capacity(input.len());
    let mut at = 0;
    while at < input.len() {
        let plain = input[at..]
            .iter()
            .position(|b| !b.is_ascii())
            .unwrap_or(input.len() - at);
        out.push_ascii(&input[at..at + plain]);
        at += plain;
        if at < input.len() {
            let reason = "ordinal not in range(128)";
            let fix = on_fault(DecodeFault {
                encoding: "ascii",
                input,
                start: at,
                end: at + 1,
                reason,
            })?;
            out.push_view(fix.text.view());
            at = fix.resume.min(input.len());
            if fix.stop {
                break;
            }
        }
    }
    Ok(out.finish())
}

/// Decodes Latin-1, which every byte string is.
#[must_use]
pub fn decode_latin1(input: &[u8]) -> StrBuf {
    Unit::into_buf(input.to_vec())
}

/// Encodes ASCII.
///
/// # Errors
/// Whatever `on_fault` answers.
pub fn encode_ascii<E>(text: StrView<'_>, on_fault: OnEncodeFault<'_, E>) -> Result<Vec<u8>, E> {
    if let StrView::Ascii(s) = text {
        return Ok(s.to_vec());
    }
    encode_below(text, 0x80, "ascii", "ordinal not in range(128)", on_fault)
}

/// Encodes Latin-1.
///
/// # Errors
/// Whatever `on_fault` answers.
pub fn encode_latin1<E>(text: StrView<'_>, on_fault: OnEncodeFault<'_, E>) -> Result<Vec<u8>, E> {
    if let StrView::Ascii(s) | StrView::Latin1(s) = text {
        return Ok(s.to_vec());
    }
    encode_below(text, 0x100, "latin-1", "ordinal not in range(256)", on_fault)
}

fn encode_below<E>(
    text: StrView<'_>,
    limit: u32,
    encoding: &'static str,
    reason: &'static str,
    on_fault: OnEncodeFault<'_, E>,
) -> Result<Vec<u8>, E> {
    let fault = EncodeFault {
        encoding,
        text,
        start: 0,
        end: 0,
        reason,
        fatal: false,
    };
    let mut out = Vec::with_capacity(text.len());
    let lookup = |c: u32| (c < limit).then_some(c as u8);
    with_units!(text, s => encode_loop(
        fault,
        1,
        |at, out| run(s, at, out, lookup),
        |text, out| text.chars().all(|c| lookup(c).map(|b| out.push(b)).is_some()),
        &mut out,
        on_fault,
    ))?;
    Ok(out)
}

/// Appends from `at` up to the first run of characters that `lookup` has no byte for.
fn run<U: Unit>(
    text: &[U],
    at: usize,
    out: &mut Vec<u8>,
    lookup: impl Fn(u32) -> Option<u8>,
) -> Option<std::ops::Range<usize>> {
    for (i, u) in text.iter().enumerate().skip(at) {
        match lookup(u.code()) {
            Some(byte) => out.push(byte),
            None => {
                let more = text[i..].iter().take_while(|u| lookup(u.code()).is_none()).count();
                return Some(i..i + more);
            }
        }
    }
    None
}

/// Decodes by a table of up to 256 characters, in which U+FFFE stands for "none".
///
/// # Errors
/// Whatever `on_fault` answers.
pub fn charmap_decode<E>(input: &[u8], table: StrView<'_>, on_fault: OnDecodeFault<'_, E>) -> Result<StrBuf, E> {
    let mut map = [0xfffe; 256];
    map.iter_mut().zip(table.chars()).for_each(|(slot, c)| *slot = c);
    let mut out = StrBuilder::with_capacity(input.len());
    let mut at = 0;
    while at < input.len() {
        match map[usize::from(input[at])] {
            0xfffe => {
                let reason = "character maps to <undefined>";
                let fix = on_fault(DecodeFault {
                    encoding: "charmap",
                    input,
                    start: at,
                    end: at + 1,
                    reason,
                })?;
                out.push_view(fix.text.view());
                at = fix.resume.min(input.len());
                if fix.stop {
                    break;
                }
            }
            c => {
                out.push(c);
                at += 1;
            }
        }
    }
    Ok(out.finish())
}

/// Encodes by a function that has a byte for some characters.
///
/// # Errors
/// Whatever `on_fault` answers.
pub fn charmap_encode<E>(
    text: StrView<'_>,
    lookup: impl Fn(u32) -> Option<u8>,
    on_fault: OnEncodeFault<'_, E>,
) -> Result<Vec<u8>, E> {
    let reason = "character maps to <undefined>";
    let fault = EncodeFault {
        encoding: "charmap",
        text,
        start: 0,
        end: 0,
        reason,
        fatal: false,
    };
    let mut out = Vec::with_capacity(text.len());
    with_units!(text, s => encode_loop(
        fault,
        1,
        |at, out| run(s, at, out, &lookup),
        |text, out| text.chars().all(|c| lookup(c).map(|b| out.push(b)).is_some()),
        &mut out,
        on_fault,
    ))?;
    Ok(out)
}
