//! UTF-16.

use super::{DecodeFault, Decoded, EncodeFault, Endian, OnDecodeFault, OnEncodeFault, encode_loop};
use crate::text::builder::StrBuilder;
use crate::text::unicode::is_surrogate;
use crate::text::view::{StrBuf, StrView, Unit, with_units};

/// Decodes UTF-16. Without an order the byte order mark decides and is dropped; the order found is answered too,
/// so that the next part of a stream can be decoded with it.
///
/// # Errors
/// Whatever `on_fault` answers.
pub fn decode_utf16<E>(
    input: &[u8],
    order: Option<Endian>,
    last: bool,
    on_fault: OnDecodeFault<'_, E>,
) -> Result<(Decoded, Option<Endian>), E> {
    let (start, order) = match (order, input) {
        (Some(endian), _) => (0, Some(endian)),
        (None, [0xff, 0xfe, ..]) => (2, Some(Endian::Little)),
        (None, [0xfe, 0xff, ..]) => (2, Some(Endian::Big)),
        (None, _) => (0, None),
    };
    let endian = order.unwrap_or(Endian::NATIVE);
    let units = |bytes: &[u8]| -> Vec<u16> {
        let pairs = bytes.chunks_exact(2);
        match endian {
            Endian::Little => pairs.map(|p| u16::from_le_bytes([p[0], p[1]])).collect(),
            Endian::Big => pairs.map(|p| u16::from_be_bytes([p[0], p[1]])).collect(),
        }
    };
    let body = &input[start..];
    let whole = units(body);
    let plain = !whole.iter().fold(false, |any, &u| any | is_surrogate(u32::from(u)));
    if plain && (body.len().is_multiple_of(2) || !last) {
        let consumed = start + whole.len() * 2;
        return Ok((
            Decoded {
                text: Unit::into_buf(whole),
                consumed,
            },
            order,
        ));
    }
    let mut out = StrBuilder::with_capacity(whole.len());
    let unit_at = |at: usize| -> Option<u32> {
        let pair = [*input.get(at)?, *input.get(at + 1)?];
        Some(u32::from(match endian {
            Endian::Little => u16::from_le_bytes(pair),
            Endian::Big => u16::from_be_bytes(pair),
        }))
    };
    let mut at = start;
    while at < input.len() {
        let (end, reason) = match unit_at(at) {
            None => {
                if !last {
                    break;
                }
                (input.len(), "truncated data")
            }
            Some(c) if !is_surrogate(c) => {
                out.push(c);
                at += 2;
                continue;
            }
            Some(low) if low >= 0xdc00 => (at + 2, "illegal encoding"),
            Some(high) => match unit_at(at + 2) {
                None => {
                    if !last {
                        break;
                    }
                    (input.len(), "unexpected end of data")
                }
                Some(low @ 0xdc00..0xe000) => {
                    out.push(0x1_0000 + ((high & 0x3ff) << 10 | low & 0x3ff));
                    at += 4;
                    continue;
                }
                Some(_) => (at + 2, "illegal UTF-16 surrogate"),
            },
        };
        let encoding = match endian {
            Endian::Little => "utf-16-le",
            Endian::Big => "utf-16-be",
        };
        let fix = on_fault(DecodeFault {
            encoding,
            input,
            start: at,
            end,
            reason,
        })?;
        out.push_view(fix.text.view());
        at = fix.resume.min(input.len());
        if fix.stop {
            break;
        }
    }
    Ok((
        Decoded {
            text: out.finish(),
            consumed: at,
        },
        order,
    ))
}

/// Encodes UTF-16; without an order in the native one, after a byte order mark.
///
/// # Errors
/// Whatever `on_fault` answers.
pub fn encode_utf16<E>(text: StrView<'_>, order: Option<Endian>, on_fault: OnEncodeFault<'_, E>) -> Result<Vec<u8>, E> {
    let encoding = match order {
        None => "utf-16",
        Some(Endian::Little) => "utf-16-le",
        Some(Endian::Big) => "utf-16-be",
    };
    let reason = "surrogates not allowed";
    let fault = EncodeFault {
        encoding,
        text,
        start: 0,
        end: 0,
        reason,
        fatal: false,
    };
    let mut out = Vec::with_capacity(text.len() * 2 + 2);
    if order.is_none() {
        out.extend(0xfeff_u16.to_ne_bytes());
    }
    let result = match order.unwrap_or(Endian::NATIVE) {
        Endian::Little => encode(fault, u16::to_le_bytes, &mut out, on_fault),
        Endian::Big => encode(fault, u16::to_be_bytes, &mut out, on_fault),
    };
    result.map(|()| out)
}

fn encode<E>(
    fault: EncodeFault<'_>,
    bytes: impl Fn(u16) -> [u8; 2],
    out: &mut Vec<u8>,
    on_fault: OnEncodeFault<'_, E>,
) -> Result<(), E> {
    fn run<U: Unit>(
        text: &[U],
        at: usize,
        bytes: &impl Fn(u16) -> [u8; 2],
        out: &mut Vec<u8>,
    ) -> Option<std::ops::Range<usize>> {
        for (i, u) in text.iter().enumerate().skip(at) {
            match u.code() {
                c if is_surrogate(c) => return Some(i..i + 1),
                c @ 0..0x1_0000 => out.extend(bytes(c as u16)),
                c => {
                    let c = c - 0x1_0000;
                    out.extend(bytes(0xd800 | (c >> 10) as u16));
                    out.extend(bytes(0xdc00 | (c & 0x3ff) as u16));
                }
            }
        }
        None
    }
    let put = |text: StrView<'_>, out: &mut Vec<u8>| match text {
        StrView::Ascii(s) => {
            out.extend(s.iter().flat_map(|&b| bytes(u16::from(b))));
            true
        }
        _ => false,
    };
    with_units!(fault.text, s => encode_loop(fault, 2, |at, out| run(s, at, &bytes, out), put, out, on_fault))
}

impl From<Decoded> for StrBuf {
    fn from(decoded: Decoded) -> StrBuf {
        decoded.text
    }
}
