//! The codecs that Python must have before it can import any: UTF-8, -16, -32, -7, ASCII, Latin-1, charmap and
//! the escape codecs.
//!
//! What cannot be decoded or encoded is handed to a function of the caller, which answers with a replacement and
//! where to go on, or with an error that ends the call. Ranges and reasons of faults are CPython's. The builtin
//! error handlers are plain functions of `Errors`; looking up registered ones is the caller's part.

mod escape;
mod handlers;
mod single;
mod utf16;
mod utf32;
mod utf7;
mod utf8;

pub use escape::{
    EscapeError, InvalidEscape, decode_bytes_escape, decode_raw_unicode_escape, decode_unicode_escape,
    encode_bytes_escape, encode_raw_unicode_escape, encode_unicode_escape,
};
pub use handlers::Errors;
pub use single::{charmap_decode, charmap_encode, decode_ascii, decode_latin1, encode_ascii, encode_latin1};
pub use utf7::{decode_utf7, encode_utf7};
pub use utf8::{decode_utf8, encode_utf8, is_utf8};
pub use utf16::{decode_utf16, encode_utf16};
pub use utf32::{decode_utf32, encode_utf32};

use super::view::{StrBuf, StrView};

/// Bytes that do not decode: the fields of a `UnicodeDecodeError`.
#[derive(Clone, Copy, Debug)]
pub struct DecodeFault<'a> {
    pub encoding: &'a str,
    pub input: &'a [u8],
    pub start: usize,
    pub end: usize,
    pub reason: &'static str,
}

/// What stands for the faulty bytes, and where decoding goes on (an offset into the input).
#[derive(Clone, Debug)]
pub struct DecodeFix {
    pub text: StrBuf,
    pub resume: usize,
    /// End here: the handler has put other bytes in place of the input, and the caller goes on with those.
    pub stop: bool,
}

pub type OnDecodeFault<'f, E> = &'f mut dyn FnMut(DecodeFault<'_>) -> Result<DecodeFix, E>;

/// Decoded text, and how many bytes of the input it covers: fewer than all only where the input was not final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    pub text: StrBuf,
    pub consumed: usize,
}

/// Text that does not encode: the fields of a `UnicodeEncodeError`.
#[derive(Clone, Copy, Debug)]
pub struct EncodeFault<'a> {
    pub encoding: &'a str,
    pub text: StrView<'a>,
    pub start: usize,
    pub end: usize,
    pub reason: &'static str,
    /// The replacement for this fault did not encode either: the handler must answer with an error now.
    pub fatal: bool,
}

/// What stands for the faulty text: text to be encoded, or bytes as they are.
#[derive(Clone, Debug)]
pub enum Patch {
    Text(StrBuf),
    Bytes(Vec<u8>),
}

/// A replacement, and the index in the text where encoding goes on.
#[derive(Clone, Debug)]
pub struct EncodeFix {
    pub patch: Patch,
    pub resume: usize,
}

pub type OnEncodeFault<'f, E> = &'f mut dyn FnMut(EncodeFault<'_>) -> Result<EncodeFix, E>;

/// Byte order of UTF-16 and UTF-32.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Endian {
    Little,
    Big,
}

impl Endian {
    pub const NATIVE: Endian = if cfg!(target_endian = "big") {
        Endian::Big
    } else {
        Endian::Little
    };
}

/// Encodes by turns of `run`, which appends from an index up to the first fault and answers its range, and of the handler.
/// `put` appends a replacement text or says that it cannot; replacement bytes come in multiples of `width`.
fn encode_loop<'a, E>(
    mut fault: EncodeFault<'a>,
    width: usize,
    mut run: impl FnMut(usize, &mut Vec<u8>) -> Option<std::ops::Range<usize>>,
    mut put: impl FnMut(StrView<'_>, &mut Vec<u8>) -> bool,
    out: &mut Vec<u8>,
    on_fault: OnEncodeFault<'_, E>,
) -> Result<(), E> {
    let mut at = 0;
    while let Some(range) = run(at, out) {
        fault.start = range.start;
        fault.end = range.end;
        let fix = on_fault(fault)?;
        let done = match &fix.patch {
            Patch::Text(text) => put(text.view(), out),
            Patch::Bytes(bytes) => {
                out.extend_from_slice(bytes);
                bytes.len().is_multiple_of(width)
            }
        };
        if !done {
            fault.fatal = true;
            on_fault(fault)?;
            fault.fatal = false;
        }
        at = fix.resume.min(fault.text.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
