//! UTF-32.

use super::{DecodeFault, Decoded, EncodeFault, Endian, OnDecodeFault, OnEncodeFault, encode_loop};
use crate::text::builder::StrBuilder;
use crate::text::unicode::is_surrogate;
use crate::text::view::{StrView, Unit, with_units};

/// Decodes UTF-32. Without an order the byte order mark decides and is dropped; the order found is answered too.
///
/// # Errors
/// Whatever `on_fault` answers.
pub fn decode_utf32<E>(
    input: &[u8],
    order: Option<Endian>,
    last: bool,
    on_fault: OnDecodeFault<'_, E>,
) -> Result<(Decoded, Option<Endian>), E> {
    let (start, order) = match (order, input) {
        (Some(endian), _) => (0, Some(endian)),
        (None, [0xff, 0xfe, 0, 0, ..]) => (4, Some(Endian::Little)),
        (None, [0, 0, 0xfe, 0xff, ..]) => (4, Some(Endian::Big)),
        (None, _) => (0, None),
    };
    let endian = order.unwrap_or(Endian::NATIVE);
    let mut out = StrBuilder::with_capacity(input.len() / 4);
    let mut at = start;
    while at < input.len() {
        let code = input[at..].first_chunk().map(|&bytes| match endian {
            Endian::Little => u32::from_le_bytes(bytes),
            Endian::Big => u32::from_be_bytes(bytes),
        });
        let (end, reason) = match code {
            None => {
                if !last {
                    break;
                }
                (input.len(), "truncated data")
            }
            Some(c) if is_surrogate(c) => (at + 4, "code point in surrogate code point range(0xd800, 0xe000)"),
            Some(c) if c > 0x10_ffff => (at + 4, "code point not in range(0x110000)"),
            Some(c) => {
                out.push(c);
                at += 4;
                continue;
            }
        };
        let encoding = match endian {
            Endian::Little => "utf-32-le",
            Endian::Big => "utf-32-be",
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

/// Encodes UTF-32; without an order in the native one, after a byte order mark.
///
/// # Errors
/// Whatever `on_fault` answers.
pub fn encode_utf32<E>(text: StrView<'_>, order: Option<Endian>, on_fault: OnEncodeFault<'_, E>) -> Result<Vec<u8>, E> {
    let encoding = match order {
        None => "utf-32",
        Some(Endian::Little) => "utf-32-le",
        Some(Endian::Big) => "utf-32-be",
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
    let mut out = Vec::with_capacity(text.len() * 4 + 4);
    if order.is_none() {
        out.extend(0xfeff_u32.to_ne_bytes());
    }
    let result = match order.unwrap_or(Endian::NATIVE) {
        Endian::Little => encode(fault, u32::to_le_bytes, &mut out, on_fault),
        Endian::Big => encode(fault, u32::to_be_bytes, &mut out, on_fault),
    };
    result.map(|()| out)
}

fn encode<E>(
    fault: EncodeFault<'_>,
    bytes: impl Fn(u32) -> [u8; 4],
    out: &mut Vec<u8>,
    on_fault: OnEncodeFault<'_, E>,
) -> Result<(), E> {
    fn run<U: Unit>(
        text: &[U],
        at: usize,
        bytes: &impl Fn(u32) -> [u8; 4],
        out: &mut Vec<u8>,
    ) -> Option<std::ops::Range<usize>> {
        for (i, u) in text.iter().enumerate().skip(at) {
            if is_surrogate(u.code()) {
                return Some(i..i + 1);
            }
            out.extend(bytes(u.code()));
        }
        None
    }
    let put = |text: StrView<'_>, out: &mut Vec<u8>| match text {
        StrView::Ascii(s) => {
            out.extend(s.iter().flat_map(|&b| bytes(u32::from(b))));
            true
        }
        _ => false,
    };
    with_units!(fault.text, s => encode_loop(fault, 4, |at, out| run(s, at, &bytes, out), put, out, on_fault))
}
