//! The builtin error handlers.

use super::{DecodeFault, DecodeFix, EncodeFault, EncodeFix, Endian, Patch};
use crate::text::builder::StrBuilder;
use crate::text::repr::push_hex_escape;
use crate::text::unicode::is_surrogate;
use crate::text::view::StrBuf;

/// A builtin error handler by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Errors {
    Strict,
    Ignore,
    Replace,
    BackslashReplace,
    XmlCharRefReplace,
    NameReplace,
    SurrogateEscape,
    SurrogatePass,
}

impl Errors {
    #[must_use]
    pub fn from_name(name: &str) -> Option<Errors> {
        Some(match name {
            "strict" => Errors::Strict,
            "ignore" => Errors::Ignore,
            "replace" => Errors::Replace,
            "backslashreplace" => Errors::BackslashReplace,
            "xmlcharrefreplace" => Errors::XmlCharRefReplace,
            "namereplace" => Errors::NameReplace,
            "surrogateescape" => Errors::SurrogateEscape,
            "surrogatepass" => Errors::SurrogatePass,
            _ => return None,
        })
    }

    /// Whether the handler knows what to do with a decoding error at all; the others raise `TypeError`.
    #[must_use]
    pub fn decodes(self) -> bool {
        !matches!(self, Errors::XmlCharRefReplace | Errors::NameReplace)
    }

    /// The replacement, or `None` where the fault is to be raised.
    #[must_use]
    pub fn decode(self, fault: &DecodeFault<'_>) -> Option<DecodeFix> {
        let fix = |text, resume| {
            Some(DecodeFix {
                text,
                resume,
                stop: false,
            })
        };
        let bytes = fault.input.get(fault.start..fault.end)?;
        match self {
            Errors::Strict | Errors::XmlCharRefReplace | Errors::NameReplace => None,
            Errors::Ignore => fix(StrBuf::new(), fault.end),
            Errors::Replace => fix(StrBuf::from_code(0xfffd), fault.end),
            Errors::BackslashReplace => {
                let mut out = Vec::with_capacity(bytes.len() * 4);
                bytes.iter().for_each(|&b| push_hex_escape(u32::from(b), &mut out));
                fix(StrBuf::Ascii(out), fault.end)
            }
            Errors::SurrogateEscape => {
                let mut text = StrBuilder::new();
                for &byte in bytes.iter().take(4).take_while(|b| !b.is_ascii()) {
                    text.push(0xdc00 + u32::from(byte));
                }
                let count = text.len();
                if count == 0 {
                    None
                } else {
                    fix(text.finish(), fault.start + count)
                }
            }
            Errors::SurrogatePass => {
                let layout = Layout::of(fault.encoding)?;
                let bytes = fault.input.get(fault.start..)?.get(..layout.width())?;
                let code = layout.decode(bytes)?;
                fix(StrBuf::from_code(code), fault.start + layout.width())
            }
        }
    }

    /// The replacement, or `None` where the fault is to be raised. `name` gives the name of a character, for `namereplace`.
    #[must_use]
    pub fn encode(self, fault: &EncodeFault<'_>, name: &dyn Fn(u32) -> Option<String>) -> Option<EncodeFix> {
        if fault.fatal || fault.end > fault.text.len() || fault.start > fault.end {
            return None;
        }
        let codes = fault.text.slice(fault.start..fault.end).chars();
        let ascii = |bytes| {
            Some(EncodeFix {
                patch: Patch::Text(StrBuf::Ascii(bytes)),
                resume: fault.end,
            })
        };
        let raw = |bytes| {
            Some(EncodeFix {
                patch: Patch::Bytes(bytes),
                resume: fault.end,
            })
        };
        let mut out = Vec::new();
        match self {
            Errors::Strict => None,
            Errors::Ignore => ascii(out),
            Errors::Replace => ascii(vec![b'?'; codes.len()]),
            Errors::BackslashReplace => {
                codes.for_each(|c| push_hex_escape(c, &mut out));
                ascii(out)
            }
            Errors::XmlCharRefReplace => {
                codes.for_each(|c| out.extend_from_slice(format!("&#{c};").as_bytes()));
                ascii(out)
            }
            Errors::NameReplace => {
                for c in codes {
                    match name(c) {
                        Some(name) => out.extend_from_slice(format!("\\N{{{name}}}").as_bytes()),
                        None => push_hex_escape(c, &mut out),
                    }
                }
                ascii(out)
            }
            Errors::SurrogateEscape => {
                // What follows the escaped bytes of the range is a fault of its own.
                out.extend(codes.map_while(|c| (0xdc80..=0xdcff).contains(&c).then(|| (c - 0xdc00) as u8)));
                let resume = fault.start + out.len();
                (!out.is_empty()).then_some(EncodeFix {
                    patch: Patch::Bytes(out),
                    resume,
                })
            }
            Errors::SurrogatePass => {
                let layout = Layout::of(fault.encoding)?;
                for c in codes {
                    if !is_surrogate(c) {
                        return None;
                    }
                    layout.encode(c, &mut out);
                }
                raw(out)
            }
        }
    }
}

/// How an encoding would write a surrogate if it were let.
#[derive(Clone, Copy)]
enum Layout {
    Utf8,
    Utf16(Endian),
    Utf32(Endian),
}

impl Layout {
    /// Reads the name of an encoding as loosely as CPython does here: any case, `-` and `_` alike.
    fn of(encoding: &str) -> Option<Layout> {
        let name = encoding.to_ascii_lowercase().replace('_', "-");
        if name == "cp65001" {
            return Some(Layout::Utf8);
        }
        let rest = name.strip_prefix("utf")?;
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        let (width, order) = rest.split_at_checked(2).unwrap_or((rest, ""));
        let endian = match order.strip_prefix('-').unwrap_or(order) {
            "" => Endian::NATIVE,
            "le" => Endian::Little,
            "be" => Endian::Big,
            _ => return None,
        };
        match width {
            "8" => Some(Layout::Utf8),
            "16" => Some(Layout::Utf16(endian)),
            "32" => Some(Layout::Utf32(endian)),
            _ => None,
        }
    }

    fn width(self) -> usize {
        match self {
            Layout::Utf8 => 3,
            Layout::Utf16(_) => 2,
            Layout::Utf32(_) => 4,
        }
    }

    fn decode(self, bytes: &[u8]) -> Option<u32> {
        let code = match (self, bytes) {
            (Layout::Utf8, &[a @ 0xe0..=0xef, b @ 0x80..=0xbf, c @ 0x80..=0xbf]) => {
                u32::from(a & 15) << 12 | u32::from(b & 63) << 6 | u32::from(c & 63)
            }
            (Layout::Utf16(Endian::Little), &[a, b]) => u32::from(u16::from_le_bytes([a, b])),
            (Layout::Utf16(Endian::Big), &[a, b]) => u32::from(u16::from_be_bytes([a, b])),
            (Layout::Utf32(Endian::Little), &[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
            (Layout::Utf32(Endian::Big), &[a, b, c, d]) => u32::from_be_bytes([a, b, c, d]),
            _ => return None,
        };
        is_surrogate(code).then_some(code)
    }

    fn encode(self, code: u32, out: &mut Vec<u8>) {
        match self {
            Layout::Utf8 => {
                out.extend([
                    0xe0 | (code >> 12) as u8,
                    0x80 | (code >> 6 & 63) as u8,
                    0x80 | (code & 63) as u8,
                ]);
            }
            Layout::Utf16(Endian::Little) => out.extend((code as u16).to_le_bytes()),
            Layout::Utf16(Endian::Big) => out.extend((code as u16).to_be_bytes()),
            Layout::Utf32(Endian::Little) => out.extend(code.to_le_bytes()),
            Layout::Utf32(Endian::Big) => out.extend(code.to_be_bytes()),
        }
    }
}
