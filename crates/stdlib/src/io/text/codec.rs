//! The encodings of text streams: UTF-8, Latin-1 and ASCII natively, all others by the incremental codecs of `codecs`.
//!
//! Invariant: the state of a native decoder is the bytes of an unfinished character and a `\r` held back, as Python's decoders have it.

use std::borrow::Cow;
use std::sync::atomic::Ordering::Relaxed;

use lisle_runtime::intern;
use lisle_runtime::native::{Py, Res, Str, Value, Vm};
use lisle_runtime::text::codec::{
    DecodeFault, DecodeFix, EncodeFault, EncodeFix, decode_ascii, decode_latin1, decode_utf8, encode_ascii,
    encode_latin1, encode_utf8,
};
use lisle_runtime::text::{StrBuf, StrView};
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::encoding::{fix_decoding, fix_encoding};
use lisle_runtime::types::tuple::Tuple;

use super::{Below, CAN_READ, CAN_WRITE, SEEKABLE, TextIOWrapper};
use crate::io::common::{Newline, call0, name_of};
use crate::io::newline::{NewlineDecoder, NewlineState};

/// The native encodings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Codec {
    Other,
    Utf8,
    Latin1,
    Ascii,
}

impl Codec {
    pub fn from_bits(bits: u8) -> Codec {
        match bits {
            1 => Codec::Utf8,
            2 => Codec::Latin1,
            3 => Codec::Ascii,
            _ => Codec::Other,
        }
    }

    /// The native encoding of this name, by the usual spellings.
    fn named(name: &str) -> Codec {
        let name: String = name
            .chars()
            .map(|c| match c {
                '_' | ' ' => '-',
                other => other.to_ascii_lowercase(),
            })
            .collect();
        match name.as_str() {
            "utf-8" | "utf8" => Codec::Utf8,
            "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" => Codec::Latin1,
            "ascii" | "us-ascii" => Codec::Ascii,
            _ => Codec::Other,
        }
    }
}

/// The state of a native decoder.
#[derive(Clone, Default)]
pub struct DecodeState {
    pub input: Vec<u8>,
    pub newline: NewlineState,
}

impl DecodeState {
    /// What a decoder's `getstate` gives.
    pub fn flags(&self, newline: Newline) -> i64 {
        i64::from(newline.universal() && self.newline.pending_cr)
    }

    /// What `setstate((input, flags))` does.
    pub fn set(&mut self, input: &[u8], flags: i64, newline: Newline) {
        self.input = input.to_vec();
        if newline.universal() {
            self.newline.pending_cr = flags & 1 != 0;
        }
    }
}

/// How a stream decodes: what does not change while it does.
#[derive(Clone, Copy)]
pub struct Decoding<'a> {
    pub vm: &'a Vm,
    pub codec: Codec,
    pub newline: Newline,
    pub stream: &'a TextIOWrapper,
}

impl Decoding<'_> {
    /// Decodes a piece natively.
    pub fn run(self, state: &mut DecodeState, bytes: Vec<u8>, last: bool) -> Res<StrBuf> {
        let bytes = if state.input.is_empty() {
            bytes
        } else {
            let mut all = std::mem::take(&mut state.input);
            all.extend_from_slice(&bytes);
            all
        };
        let text = if bytes.is_ascii() {
            StrBuf::Ascii(bytes)
        } else {
            let mut on_fault = |fault: DecodeFault<'_>| -> Res<DecodeFix> {
                fix_decoding(self.vm, &fault, &self.stream.errors_text())
            };
            match self.codec {
                Codec::Latin1 => decode_latin1(&bytes),
                Codec::Ascii => decode_ascii(&bytes, &mut on_fault)?,
                _ => {
                    let decoded = decode_utf8(&bytes, last, &mut on_fault)?;
                    state.input = bytes.get(decoded.consumed..).unwrap_or_default().to_vec();
                    decoded.text
                }
            }
        };
        Ok(if self.newline.universal() {
            state.newline.feed(text, self.newline.translates(), last)
        } else {
            text
        })
    }
}

/// `decoder.decode(bytes, last)` of a Python decoder.
pub fn decode_by(vm: &Vm, decoder: &Value, bytes: &Value, last: bool) -> Res<Value> {
    let text = match decoder.downcast_exact::<NewlineDecoder>() {
        Some(decoder) => NewlineDecoder::decode_value(vm, decoder, bytes, last)?,
        None => vm.call_method(decoder, intern!("decode"), &[bytes.clone(), Value::from_bool(last)])?,
    };
    if text.downcast::<Str>().is_none() {
        let found = name_of(&text);
        return Err(vm.type_error(format!("decoder should return a string result, not '{found}'")));
    }
    Ok(text)
}

/// `decoder.getstate()` of a Python decoder.
pub fn decoder_state(vm: &Vm, decoder: &Value) -> Res<(Vec<u8>, i64)> {
    let state = call0(vm, decoder, intern!("getstate"))?;
    let Some([input, flags]) = state.downcast::<Tuple>().map(|parts| parts.as_slice()) else {
        return Err(vm.type_error("illegal decoder state"));
    };
    let Some(bytes) = input.downcast::<Bytes>() else {
        let found = name_of(input);
        return Err(vm.type_error(format!(
            "illegal decoder state: the first item should be a bytes object, not '{found}'"
        )));
    };
    if vm.int_value(flags).is_none() {
        return Err(vm.type_error("illegal decoder state"));
    }
    Ok((bytes.as_slice().to_vec(), vm.index_to_i64(flags)?))
}

/// `decoder.setstate((input, flags))`
pub fn set_decoder_state(vm: &Vm, decoder: &Value, input: &[u8], flags: i64) -> Res<()> {
    let state = Tuple::pair(Bytes::new_value(input), Value::int(flags)).into_value();
    vm.call_method(decoder, intern!("setstate"), &[state]).map(drop)
}

/// `codecs.lookup(name)`, of a text encoding.
fn lookup(vm: &Vm, name: &Py<Str>) -> Res<Value> {
    let codecs = vm.import_module("codecs")?;
    let info = vm.call_method(&codecs, intern!("lookup"), &[name.to_value()])?;
    if let Some(flag) = vm.getattr_opt(&info, intern!("_is_text_encoding"))?
        && !vm.truth(&flag)?
    {
        let name = name.to_string_lossy();
        return Err(vm.lookup_error(format!(
            "'{name}' is not a text encoding; use codecs.open() to handle arbitrary codecs"
        )));
    }
    Ok(info)
}

impl TextIOWrapper {
    /// Finds the codec, and makes decoder and encoder as far as the layer below can be read and written.
    pub(super) fn set_codec(&self, vm: &Vm, below: &Below, encoding: &Py<Str>, errors: &Py<Str>) -> Res<()> {
        let codec = Codec::named(&encoding.to_string_lossy());
        let info = if codec == Codec::Other {
            Some(lookup(vm, encoding)?)
        } else {
            None
        };
        let able = |name: &Py<Str>| -> Res<bool> {
            let answer = call0(vm, below.value(), name)?;
            vm.truth(&answer)
        };
        let (read, write) = match below {
            Below::Reader(_) => (true, false),
            Below::Writer(_) => (false, true),
            _ => (able(intern!("readable"))?, able(intern!("writable"))?),
        };
        let make = |name: &Py<Str>, wanted: bool| -> Res<Option<Value>> {
            match &info {
                Some(info) if wanted => {
                    let function = vm.getattr(info, name)?;
                    vm.call(&function, std::slice::from_ref(errors.as_value())).map(Some)
                }
                _ => Ok(None),
            }
        };
        let mut decoder = make(intern!("incrementaldecoder"), read)?;
        let encoder = make(intern!("incrementalencoder"), write)?;
        let newline = self.newline_kind();
        if newline.universal() {
            decoder = decoder.map(|decoder| NewlineDecoder::new_value(decoder, newline.translates()));
        }
        drop(self.decoder.swap(decoder));
        drop(self.encoder.swap(encoder));
        self.encoding.set(encoding.to_value());
        self.errors.set(errors.to_value());
        self.codec.store(codec as u8, Relaxed);
        self.set(CAN_READ, read);
        self.set(CAN_WRITE, write);
        Ok(())
    }

    /// Tells the encoder that it does not start at the beginning, if so.
    pub(super) fn fix_encoder(&self, vm: &Vm, below: &Below) -> Res<()> {
        let Some(encoder) = self.encoder.get().filter(|_| self.has(SEEKABLE)) else {
            return Ok(());
        };
        let position = call0(vm, below.value(), intern!("tell"))?;
        if vm.truth(&position)? {
            vm.call_method(&encoder, intern!("setstate"), &[Value::int(0)])?;
        }
        Ok(())
    }

    /// The bytes of the text, which is `view`.
    pub(super) fn encode<'a>(&self, vm: &Vm, text: &'a Py<Str>, view: StrView<'a>) -> Res<Cow<'a, [u8]>> {
        let codec = self.codec();
        if codec == Codec::Other {
            let Some(encoder) = self.encoder.get() else {
                return Err(crate::io::common::unsupported(vm, "not writable"));
            };
            let whole = if view.len() == text.len() && view == text.view() {
                text.to_value()
            } else {
                Str::from_view(view).into_value()
            };
            let result = vm.call_method(&encoder, intern!("encode"), &[whole])?;
            return match result.downcast::<Bytes>() {
                Some(bytes) => Ok(Cow::Owned(bytes.as_slice().to_vec())),
                None => {
                    let found = name_of(&result);
                    Err(vm.type_error(format!("encoder should return a bytes object, not '{found}'")))
                }
            };
        }
        if let StrView::Ascii(bytes) = view {
            return Ok(Cow::Borrowed(bytes));
        }
        let mut on_fault = |fault: EncodeFault<'_>| -> Res<EncodeFix> {
            let whole = Str::from_buf(view.to_buf());
            fix_encoding(vm, &whole, &fault, &self.errors_text())
        };
        match codec {
            Codec::Latin1 => match view {
                StrView::Latin1(bytes) => Ok(Cow::Borrowed(bytes)),
                other => encode_latin1(other, &mut on_fault).map(Cow::Owned),
            },
            Codec::Ascii => encode_ascii(view, &mut on_fault).map(Cow::Owned),
            _ => encode_utf8(view, &mut on_fault),
        }
    }
}
