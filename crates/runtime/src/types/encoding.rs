//! `str.encode` and `bytes.decode`: between objects and the codecs of [`crate::text::codec`].
//!
//! Invariant: the encodings listed in [`native`] and the builtin error handlers never need the codec registry;
//! every other encoding and handler is looked up there ([`registry`]).

pub mod handlers;
pub mod registry;

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::intern;
use crate::object::Py;
use crate::object::Value;
use crate::text::codec::{
    DecodeFault, DecodeFix, EncodeFault, EncodeFix, Endian, OnDecodeFault, OnEncodeFault, decode_ascii, decode_latin1,
    decode_utf8, decode_utf16, decode_utf32, encode_ascii, encode_latin1, encode_utf8, encode_utf16, encode_utf32,
};
use crate::text::{StrBuf, StrBuilder, StrView, room_for};
use crate::types::bytes::Bytes;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Exc, Res, Vm};

pub use handlers::{fix_decoding, fix_encoding};

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
    match encoding {
        "utf-8" | "utf8" => return Some(Codec::Utf8),
        "ascii" => return Some(Codec::Ascii),
        "latin-1" | "latin1" => return Some(Codec::Latin1),
        _ => {}
    }
    Some(match registry::normalized(encoding).as_str() {
        "utf_8" | "utf8" | "u8" => Codec::Utf8,
        "latin_1" | "latin1" | "iso_8859_1" | "iso8859_1" | "l1" => Codec::Latin1,
        "ascii" | "us_ascii" => Codec::Ascii,
        "utf_16" | "utf16" => Codec::Utf16(None),
        "utf_16_le" | "utf_16le" => Codec::Utf16(Some(Endian::Little)),
        "utf_16_be" | "utf_16be" => Codec::Utf16(Some(Endian::Big)),
        "utf_32" | "utf32" => Codec::Utf32(None),
        "utf_32_le" | "utf_32le" => Codec::Utf32(Some(Endian::Little)),
        "utf_32_be" | "utf_32be" => Codec::Utf32(Some(Endian::Big)),
        _ => return None,
    })
}

/// Whether names of encodings and error handlers are looked up even where they are not needed: the development mode.
static CHECKED: AtomicBool = AtomicBool::new(false);

/// Turns the checks of names on.
pub fn check_names() {
    CHECKED.store(true, Relaxed);
}

/// An error if there is no such encoding or handler, in the development mode.
fn check(vm: &Vm, encoding: &str, errors: &str) -> Res<()> {
    if CHECKED.load(Relaxed) {
        if native(encoding).is_none() {
            registry::lookup(vm, encoding)?;
        }
        registry::lookup_error(vm, errors)?;
    }
    Ok(())
}

/// `text.encode(encoding, errors)`: always a `bytes`.
pub fn encode(vm: &Vm, text: &Py<Str>, encoding: &str, errors: &str) -> Res<Value> {
    check(vm, encoding, errors)?;
    let Some(codec) = native(encoding) else {
        return encode_by_registry(vm, text, encoding, errors);
    };
    if let (StrView::Ascii(ascii), Codec::Utf8 | Codec::Latin1 | Codec::Ascii) = (text.view(), codec) {
        return Ok(Bytes::new_value(ascii));
    }
    let bytes = encode_with(vm, text, errors, |text, on_fault| {
        Ok(match codec {
            Codec::Utf8 => encode_utf8(text, on_fault)?.into_owned(),
            Codec::Latin1 => encode_latin1(text, on_fault)?,
            Codec::Ascii => encode_ascii(text, on_fault)?,
            Codec::Utf16(order) => encode_utf16(text, order, on_fault)?,
            Codec::Utf32(order) => encode_utf32(text, order, on_fault)?,
        })
    })?;
    Ok(Bytes::new_value(bytes))
}

/// Runs an encoder with the error handler of that name.
pub fn encode_with(
    vm: &Vm,
    text: &Py<Str>,
    errors: &str,
    run: impl FnOnce(StrView<'_>, OnEncodeFault<'_, Exc>) -> Res<Vec<u8>>,
) -> Res<Vec<u8>> {
    let mut on_fault = |fault: EncodeFault<'_>| -> Res<EncodeFix> { fix_encoding(vm, text, &fault, errors) };
    run(text.view(), &mut on_fault)
}

/// The text of `bytes`, which are those of `object`: always a `str`.
pub fn decode(vm: &Vm, object: &Value, bytes: &[u8], encoding: &str, errors: &str) -> Res<Value> {
    check(vm, encoding, errors)?;
    let Some(codec) = native(encoding) else {
        return decode_by_registry(vm, object, encoding, errors);
    };
    if matches!(codec, Codec::Utf8 | Codec::Latin1 | Codec::Ascii) && bytes.is_ascii() {
        let text = Str::try_from_view(StrView::Ascii(bytes)).ok_or_else(|| vm.memory_error())?;
        return Ok(text.into_value());
    }
    let (text, _) = decode_with(vm, Some(object), bytes, errors, |bytes, on_fault| {
        Ok(match codec {
            Codec::Utf8 => (decode_utf8(bytes, true, on_fault)?.text, bytes.len()),
            Codec::Latin1 => (decode_latin1(bytes), bytes.len()),
            Codec::Ascii => (decode_ascii(bytes, on_fault)?, bytes.len()),
            Codec::Utf16(order) => (decode_utf16(bytes, order, true, on_fault)?.0.text, bytes.len()),
            Codec::Utf32(order) => (decode_utf32(bytes, order, true, on_fault)?.0.text, bytes.len()),
        })
    })?;
    let text = Str::try_from_view(text.view()).ok_or_else(|| vm.memory_error())?;
    Ok(text.into_value())
}

/// Runs a decoder with the error handler of that name: the text and how many bytes it covers.
///
/// A handler may put other bytes in place of those that are decoded; then the decoder is stopped and run again on what
/// comes after the place where the handler wants to go on. `object` is the `bytes` that holds the input, if it is one.
pub fn decode_with(
    vm: &Vm,
    object: Option<&Value>,
    input: &[u8],
    errors: &str,
    mut run: impl FnMut(&[u8], OnDecodeFault<'_, Exc>) -> Res<(StrBuf, usize)>,
) -> Res<(StrBuf, usize)> {
    if !room_for(input.len()) {
        return Err(vm.memory_error());
    }
    // What errors show as their object: made when the first is raised.
    let holder: RefCell<Option<Value>> =
        RefCell::new(object.filter(|o| o.downcast_exact::<Bytes>().is_some()).cloned());
    let mut replaced: Option<(Value, usize)> = None;
    let mut done = StrBuilder::new();
    loop {
        let current = replaced.clone();
        let (bytes, base): (&[u8], usize) = match &current {
            None => (input, 0),
            Some((value, at)) => (value.downcast::<Bytes>().map_or(&[][..], |b| b.as_slice()), *at),
        };
        let mut changed = false;
        let mut on_fault = |fault: DecodeFault<'_>| -> Res<DecodeFix> {
            let whole = DecodeFault {
                input: bytes,
                start: fault.start + base,
                end: fault.end + base,
                ..fault
            };
            let held = holder.borrow().clone();
            let held = held.unwrap_or_else(|| {
                let made = Bytes::new_value(bytes);
                *holder.borrow_mut() = Some(made.clone());
                made
            });
            let (mut fix, other) = handlers::fix_decoding_of(vm, &whole, errors, &held)?;
            if let Some(other) = other {
                *holder.borrow_mut() = Some(other.clone());
                replaced = Some((other, fix.resume));
                changed = true;
                fix.stop = true;
                return Ok(fix);
            }
            if let Some(resume) = fix.resume.checked_sub(base) {
                fix.resume = resume;
                return Ok(fix);
            }
            // Back before what this run began with.
            replaced = Some((held, fix.resume));
            changed = true;
            fix.stop = true;
            Ok(fix)
        };
        let (text, consumed) = run(bytes.get(base..).unwrap_or_default(), &mut on_fault)?;
        if !changed && replaced.is_none() {
            return Ok((text, consumed));
        }
        done.push_view(text.view());
        if !changed {
            return Ok((done.finish(), base + consumed));
        }
        vm.safepoint()?;
    }
}

/// `Err` if the codec is one of those that only `codecs.encode` and `codecs.decode` may use.
fn check_text_encoding(vm: &Vm, info: &Value, encoding: &str, way: &str) -> Res<()> {
    if info.downcast_exact::<Tuple>().is_none()
        && let Some(flag) = vm.getattr_opt(info, intern!("_is_text_encoding"))?
        && !vm.truth(&flag)?
    {
        return Err(vm.lookup_error(format!(
            "'{encoding}' is not a text encoding; use {way} to handle arbitrary codecs"
        )));
    }
    Ok(())
}

/// The codec if it is one of text; `way` is what the message advises instead: `codecs.open()`.
pub fn lookup_text_encoding(vm: &Vm, encoding: &str, way: &str) -> Res<Value> {
    let info = registry::lookup(vm, encoding)?;
    check_text_encoding(vm, &info, encoding, way)?;
    Ok(info)
}

fn encode_by_registry(vm: &Vm, text: &Py<Str>, encoding: &str, errors: &str) -> Res<Value> {
    let info = lookup_text_encoding(vm, encoding, "codecs.encode()")?;
    let result = registry::run_codec(vm, &info, true, text.as_value(), encoding, Some(errors))?;
    if result.downcast::<Bytes>().is_some() {
        return Ok(result);
    }
    let name = result.ty().name();
    if let Some(array) = result.downcast::<crate::types::bytearray::ByteArray>() {
        let message = format!(
            "encoder {encoding} returned bytearray instead of bytes; use codecs.encode() to encode to arbitrary types"
        );
        vm.warn(crate::types::exceptions::RUNTIME_WARNING.get(), &message, 1)?;
        return Ok(Bytes::new_value(array.snapshot()?));
    }
    Err(vm.type_error(format!(
        "'{encoding}' encoder returned '{name}' instead of 'bytes'; use codecs.encode() to encode to arbitrary types"
    )))
}

fn decode_by_registry(vm: &Vm, object: &Value, encoding: &str, errors: &str) -> Res<Value> {
    let info = lookup_text_encoding(vm, encoding, "codecs.decode()")?;
    let result = registry::run_codec(vm, &info, false, object, encoding, Some(errors))?;
    if result.downcast::<Str>().is_none() {
        let name = result.ty().name();
        return Err(vm.type_error(format!(
            "'{encoding}' decoder returned '{name}' instead of 'str'; use codecs.decode() to decode to arbitrary types"
        )));
    }
    Ok(result)
}

/// An encoding or error handler argument as Rust text, with its default; `ValueError` for a name that C could not hold.
pub fn checked_name<'a>(vm: &Vm, name: Option<&'a Py<Str>>, default: &'a str) -> Res<Cow<'a, str>> {
    let Some(name) = name else {
        return Ok(Cow::Borrowed(default));
    };
    let text = match name.as_ascii() {
        Some(text) => Cow::Borrowed(text),
        None => {
            if let Some(at) = name.view().chars().position(|c| (0xd800..0xe000).contains(&c)) {
                return Err(vm.unicode_encode_error("utf-8", name.to_value(), at, at + 1, "surrogates not allowed"));
            }
            Cow::Owned(name.to_string_lossy())
        }
    };
    if text.contains('\0') {
        return Err(vm.value_error("embedded null character"));
    }
    Ok(text)
}
