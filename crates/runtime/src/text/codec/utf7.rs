//! UTF-7 (RFC 2152).

use super::{DecodeFault, Decoded, OnDecodeFault};
use crate::text::builder::StrBuilder;
use crate::text::view::{StrView, with_units};

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64_value(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

/// A shift sequence that is being read.
struct Shift {
    /// Where its `+` stands in the input, and how much text came before it.
    start: usize,
    out_start: usize,
    bits: u32,
    buffer: u32,
    /// A high surrogate that waits for its other half.
    high: u32,
}

/// Decodes UTF-7; an unfinished shift sequence at the end is left unconsumed where the input is not `last`.
///
/// # Errors
/// Whatever `on_fault` answers.
pub fn decode_utf7<E>(input: &[u8], last: bool, on_fault: OnDecodeFault<'_, E>) -> Result<Decoded, E> {
    let mut out = StrBuilder::with_capacity(input.len());
    let mut shift: Option<Shift> = None;
    let mut at = 0;
    loop {
        let fault = match input.get(at) {
            Some(&byte) => match shift.take() {
                Some(mut open) => match base64_value(byte) {
                    Some(value) => {
                        at += 1;
                        open.feed(value, &mut out);
                        shift = Some(open);
                        None
                    }
                    None => open.close(byte, &mut at, &mut out),
                },
                None if byte == b'+' => {
                    let start = at;
                    at += 1;
                    match input.get(at) {
                        Some(b'-') => {
                            at += 1;
                            out.push(u32::from(b'+'));
                            None
                        }
                        Some(&next) if base64_value(next).is_none() => {
                            at += 1;
                            Some((start, "ill-formed sequence"))
                        }
                        _ => {
                            shift = Some(Shift {
                                start,
                                out_start: out.len(),
                                bits: 0,
                                buffer: 0,
                                high: 0,
                            });
                            None
                        }
                    }
                }
                None => {
                    at += 1;
                    if byte.is_ascii() {
                        out.push(u32::from(byte));
                        None
                    } else {
                        Some((at - 1, "unexpected special character"))
                    }
                }
            },
            None => match shift.take() {
                None => break,
                Some(open) if !last => {
                    let text = out.finish();
                    let text = text.view().slice(0..open.out_start).to_buf();
                    return Ok(Decoded {
                        text,
                        consumed: open.start,
                    });
                }
                Some(open) if open.high != 0 || open.bits >= 6 || open.bits > 0 && open.buffer != 0 => {
                    Some((open.start, "unterminated shift sequence"))
                }
                Some(_) => break,
            },
        };
        if let Some((start, reason)) = fault {
            let fix = on_fault(DecodeFault {
                encoding: "utf7",
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
    Ok(Decoded {
        text: out.finish(),
        consumed: at,
    })
}

impl Shift {
    /// Takes six more bits, and puts out the sixteen of a unit once they are there.
    fn feed(&mut self, value: u32, out: &mut StrBuilder) {
        self.buffer = self.buffer << 6 | value;
        self.bits += 6;
        if self.bits < 16 {
            return;
        }
        self.bits -= 16;
        let unit = self.buffer >> self.bits & 0xffff;
        self.buffer &= (1 << self.bits) - 1;
        if self.high != 0 {
            let high = std::mem::take(&mut self.high);
            if (0xdc00..0xe000).contains(&unit) {
                out.push(0x1_0000 + ((high & 0x3ff) << 10 | unit & 0x3ff));
                return;
            }
            out.push(high);
        }
        if (0xd800..0xdc00).contains(&unit) {
            self.high = unit;
        } else {
            out.push(unit);
        }
    }

    /// Ends the sequence at `byte`; only a hyphen is swallowed.
    fn close(self, byte: u8, at: &mut usize, out: &mut StrBuilder) -> Option<(usize, &'static str)> {
        if self.bits >= 6 {
            *at += 1;
            return Some((self.start, "partial character in shift sequence"));
        }
        if self.bits > 0 && self.buffer != 0 {
            *at += 1;
            return Some((self.start, "non-zero padding bits in shift sequence"));
        }
        if self.high != 0 && byte.is_ascii() {
            out.push(self.high);
        }
        if byte == b'-' {
            *at += 1;
        }
        None
    }
}

/// Encodes UTF-7, which holds any text.
#[must_use]
pub fn encode_utf7(text: StrView<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut shifted = false;
    let (mut bits, mut buffer) = (0, 0u32);
    with_units!(text, s => for u in s {
        let c = Into::<u32>::into(*u);
        if is_direct(c) {
            let byte = c as u8;
            if shifted {
                if bits > 0 {
                    out.push(BASE64[(buffer << (6 - bits) & 63) as usize]);
                    (bits, buffer) = (0, 0);
                }
                shifted = false;
                if base64_value(byte).is_some() || byte == b'-' {
                    out.push(b'-');
                }
            }
            out.push(byte);
            continue;
        }
        if !shifted {
            out.push(b'+');
            if c == u32::from(b'+') {
                out.push(b'-');
                continue;
            }
            shifted = true;
        }
        let mut put = |unit: u32| {
            buffer = buffer << 16 | unit;
            bits += 16;
            while bits >= 6 {
                bits -= 6;
                out.push(BASE64[(buffer >> bits & 63) as usize]);
            }
            buffer &= (1 << bits) - 1;
        };
        if c < 0x1_0000 {
            put(c);
        } else {
            let c = c - 0x1_0000;
            put(0xd800 | c >> 10);
            put(0xdc00 | c & 0x3ff);
        }
    });
    if bits > 0 {
        out.push(BASE64[(buffer << (6 - bits) & 63) as usize]);
    }
    if shifted {
        out.push(b'-');
    }
    out
}

/// A character that stands for itself.
fn is_direct(c: u32) -> bool {
    match c {
        0x09 | 0x0a | 0x0d => true,
        0x20..0x7f => !matches!(c as u8, b'+' | b'\\' | b'~'),
        _ => false,
    }
}
