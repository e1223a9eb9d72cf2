//! `str.encode` and `bytes.decode`: between objects and the codecs of [`crate::text::codec`].
//!
//! Invariant: the encodings listed in [`native`] never need the `codecs` module, except for error handlers a program registered;
//! every other encoding is that module's.

use crate::intern;
use crate::object::Py;
use crate::object::Value;
use crate::text::codec::{
    DecodeFault, DecodeFix, EncodeFault, EncodeFix, Endian, Errors, Patch, decode_ascii, decode_latin1, decode_utf8,
    decode_utf16, decode_utf32, encode_ascii, encode_latin1, encode_utf8, encode_utf16, encode_utf32,
};
use crate::text::{StrBuf, StrView};
use crate::types::bytes::Bytes;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Exc, Res, Vm};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Codec {
    Utf8,
    Latin1,
    Ascii,
    Utf16(Option<Endian>),
    Utf32(Option<Endian>),
}

/// The encodings done here, by any of the usual spellings.
fn native(encoding: &str) -> Option<Codec> {
    let name: String = encoding
        .chars()
        .map(|c| match c {
            '_' | ' ' => '-',
            other => other.to_ascii_lowercase(),
        })
        .collect();
    Some(match name.as_str() {
        "utf-8" | "utf8" | "u8" => Codec::Utf8,
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" => Codec::Latin1,
        "ascii" | "us-ascii" => Codec::Ascii,
        "utf-16" | "utf16" => Codec::Utf16(None),
        "utf-16-le" | "utf-16le" => Codec::Utf16(Some(Endian::Little)),
        "utf-16-be" | "utf-16be" => Codec::Utf16(Some(Endian::Big)),
        "utf-32" | "utf32" => Codec::Utf32(None),
        "utf-32-le" | "utf-32le" => Codec::Utf32(Some(Endian::Little)),
        "utf-32-be" | "utf-32be" => Codec::Utf32(Some(Endian::Big)),
        _ => return None,
    })
}

/// `text.encode(encoding, errors)`: always a `bytes`.
pub fn encode(vm: &Vm, text: &Py<Str>, encoding: &str, errors: &str) -> Res<Value> {
    let Some(codec) = native(encoding) else {
        return encode_by_module(vm, text, encoding, errors);
    };
    if let (StrView::Ascii(ascii), Codec::Utf8 | Codec::Latin1 | Codec::Ascii) = (text.view(), codec) {
        return Ok(Bytes::new_value(ascii));
    }
    let mut on_fault = |fault: EncodeFault<'_>| -> Res<EncodeFix> { fix_encoding(vm, text, &fault, errors) };
    let bytes = match codec {
        Codec::Utf8 => encode_utf8(text.view(), &mut on_fault)?.into_owned(),
        Codec::Latin1 => encode_latin1(text.view(), &mut on_fault)?,
        Codec::Ascii => encode_ascii(text.view(), &mut on_fault)?,
        Codec::Utf16(order) => encode_utf16(text.view(), order, &mut on_fault)?,
        Codec::Utf32(order) => encode_utf32(text.view(), order, &mut on_fault)?,
    };
    Ok(Bytes::new_value(bytes))
}

/// The text of `bytes`, which are those of `object`: always a `str`.
pub fn decode(vm: &Vm, object: &Value, bytes: &[u8], encoding: &str, errors: &str) -> Res<Value> {
    let Some(codec) = native(encoding) else {
        return decode_by_module(vm, object, encoding, errors);
    };
    if matches!(codec, Codec::Utf8 | Codec::Latin1 | Codec::Ascii) && bytes.is_ascii() {
        let text = Str::try_from_view(StrView::Ascii(bytes)).ok_or_else(|| vm.memory_error())?;
        return Ok(text.into_value());
    }
    let mut on_fault = |fault: DecodeFault<'_>| -> Res<DecodeFix> { fix_decoding(vm, &fault, errors) };
    let text: StrBuf = match codec {
        Codec::Utf8 => decode_utf8(bytes, true, &mut on_fault)?.text,
        Codec::Latin1 => decode_latin1(bytes),
        Codec::Ascii => decode_ascii(bytes, &mut on_fault)?,
        Codec::Utf16(order) => decode_utf16(bytes, order, true, &mut on_fault)?.0.text,
        Codec::Utf32(order) => decode_utf32(bytes, order, true, &mut on_fault)?.0.text,
    };
    let text = Str::try_from_view(text.view()).ok_or_else(|| vm.memory_error())?;
    Ok(text.into_value())
}

/// What the error handler `errors` makes of text that does not encode.
pub fn fix_encoding(vm: &Vm, text: &Py<Str>, fault: &EncodeFault<'_>, errors: &str) -> Res<EncodeFix> {
    let raise = || vm.unicode_encode_error(fault.encoding, text.to_value(), fault.start, fault.end, fault.reason);
    if fault.fatal {
        return Err(raise());
    }
    if let Some(handler) = Errors::from_name(errors) {
        return handler.encode(fault, &|_| None).ok_or_else(raise);
    }
    let (replacement, resume) = call_handler(vm, errors, &raise(), text.len(), "encoding", "(str/bytes, int)")?;
    let patch = if let Some(text) = replacement.downcast::<Str>() {
        Patch::Text(text.view().to_buf())
    } else if let Some(bytes) = replacement.downcast::<Bytes>() {
        Patch::Bytes(bytes.as_slice().to_vec())
    } else {
        return Err(vm.type_error("encoding error handler must return (str/bytes, int) tuple"));
    };
    Ok(EncodeFix { patch, resume })
}

/// What the error handler `errors` makes of bytes that do not decode.
pub fn fix_decoding(vm: &Vm, fault: &DecodeFault<'_>, errors: &str) -> Res<DecodeFix> {
    let raise = || {
        let object = Bytes::new_value(fault.input);
        vm.unicode_decode_error(fault.encoding, object, fault.start, fault.end, fault.reason)
    };
    if let Some(handler) = Errors::from_name(errors) {
        if !handler.decodes() {
            let message = "don't know how to handle UnicodeDecodeError in error callback";
            return Err(vm.type_error(message));
        }
        return handler.decode(fault).ok_or_else(raise);
    }
    let len = fault.input.len();
    let (replacement, resume) = call_handler(vm, errors, &raise(), len, "decoding", "(str, int)")?;
    let Some(text) = replacement.downcast::<Str>() else {
        return Err(vm.type_error("decoding error handler must return (str, int) tuple"));
    };
    Ok(DecodeFix {
        text: text.view().to_buf(),
        resume,
    })
}

/// Calls a registered error handler: the replacement, and where to go on.
fn call_handler(vm: &Vm, errors: &str, exc: &Exc, len: usize, what: &str, shape: &str) -> Res<(Value, usize)> {
    let codecs = vm.import_module("codecs")?;
    let handler = vm.call_method(&codecs, intern!("lookup_error"), &[Value::from(errors)])?;
    let answer = vm.call(&handler, std::slice::from_ref(exc.as_value()))?;
    let parts = answer.downcast::<Tuple>().map(|tuple| tuple.as_slice());
    let Some([replacement, position]) = parts else {
        return Err(vm.type_error(format!("{what} error handler must return {shape} tuple")));
    };
    if vm.int_value(position).is_none() {
        return Err(vm.type_error(format!("{what} error handler must return {shape} tuple")));
    }
    let position = vm.index_clamped(position)?;
    let at = if position < 0 {
        position.saturating_add_unsigned(len)
    } else {
        position
    };
    match usize::try_from(at) {
        Ok(at) if at <= len => Ok((replacement.clone(), at)),
        _ => Err(vm.index_error(format!("position {position} from error handler out of bounds"))),
    }
}

/// The `encode` or `decode` of a codec of the `codecs` module, called: the first item of what it returns.
fn by_module(vm: &Vm, object: &Value, encoding: &str, errors: &str, way: &'static str) -> Res<Value> {
    let codecs = vm.import_module("codecs")?;
    let info = vm.call_method(&codecs, intern!("lookup"), &[Value::from(encoding)])?;
    if let Some(flag) = vm.getattr_opt(&info, intern!("_is_text_encoding"))?
        && !vm.truth(&flag)?
    {
        return Err(vm.lookup_error(format!(
            "'{encoding}' is not a text encoding; use codecs.{way}() to handle arbitrary codecs"
        )));
    }
    let function = vm.getattr(&info, &Str::intern(way))?;
    let answer = vm.call(&function, &[object.clone(), Value::from(errors)])?;
    match answer.downcast::<Tuple>().map(|tuple| tuple.as_slice()) {
        Some([result, _]) => Ok(result.clone()),
        _ => Err(vm.type_error(format!("{way}r must return a tuple (object, integer)"))),
    }
}

fn encode_by_module(vm: &Vm, text: &Py<Str>, encoding: &str, errors: &str) -> Res<Value> {
    let result = by_module(vm, text.as_value(), encoding, errors, "encode")?;
    if result.downcast::<Bytes>().is_none() {
        let name = result.ty().name();
        return Err(vm.type_error(format!(
            "'{encoding}' encoder returned '{name}' instead of 'bytes'; use codecs.encode() to encode to arbitrary types"
        )));
    }
    Ok(result)
}

fn decode_by_module(vm: &Vm, object: &Value, encoding: &str, errors: &str) -> Res<Value> {
    let result = by_module(vm, object, encoding, errors, "decode")?;
    if result.downcast::<Str>().is_none() {
        let name = result.ty().name();
        return Err(vm.type_error(format!(
            "'{encoding}' decoder returned '{name}' instead of 'str'; use codecs.decode() to decode to arbitrary types"
        )));
    }
    Ok(result)
}

/// An encoding or error handler argument as Rust text, with its default.
pub fn name_or(name: Option<&Py<Str>>, default: &str) -> String {
    name.map_or_else(|| default.to_owned(), |name| name.to_string_lossy())
}
