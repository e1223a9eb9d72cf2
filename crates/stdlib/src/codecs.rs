//! The `_codecs` module: the codec registry, and the codecs of the runtime as functions.
//!
//! Invariant: the registry and the builtin codecs are those of the runtime (`types::encoding`); here are only their Python faces.
//! The charmap codecs, which ask Python mappings, are in [`charmap`]. Left out: the code pages of Windows.

mod charmap;

use std::borrow::Cow;

use lisle_runtime::native::{Exc, Py, Res, Str, Value, Vm, pymodule};
use lisle_runtime::text::StrBuf;
use lisle_runtime::text::codec::{Endian, OnDecodeFault, OnEncodeFault};
use lisle_runtime::text::view::StrView;
use lisle_runtime::types::buffer::get_bytes;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::encoding::{decode_with, encode_with};
use lisle_runtime::types::tuple::Tuple;

/// What decoders answer: the text and how many bytes it covers.
fn decoded(vm: &Vm, text: &StrBuf, consumed: usize) -> Res<Value> {
    let text = Str::try_from_view(text.view()).ok_or_else(|| vm.memory_error())?;
    Ok(Tuple::pair(text.into_value(), Value::usize(consumed)).into_value())
}

/// What encoders answer: the bytes and how many characters they stand for.
fn encoded(bytes: Vec<u8>, len: usize) -> Value {
    Tuple::pair(Bytes::new_value(bytes), Value::usize(len)).into_value()
}

fn errors_name(errors: Option<&Py<Str>>) -> Cow<'static, str> {
    errors.map_or(Cow::Borrowed("strict"), |errors| Cow::Owned(errors.to_string_lossy()))
}

fn decode(
    vm: &Vm,
    data: &Value,
    errors: Option<&Py<Str>>,
    run: impl FnMut(&[u8], OnDecodeFault<'_, Exc>) -> Res<(StrBuf, usize)>,
) -> Res<Value> {
    let bytes = get_bytes(vm, data)?;
    let (text, consumed) = decode_with(vm, Some(data), &bytes, &errors_name(errors), run)?;
    decoded(vm, &text, consumed)
}

fn encode(
    vm: &Vm,
    text: &Py<Str>,
    errors: Option<&Py<Str>>,
    run: impl FnOnce(StrView<'_>, OnEncodeFault<'_, Exc>) -> Res<Vec<u8>>,
) -> Res<Value> {
    Ok(encoded(encode_with(vm, text, &errors_name(errors), run)?, text.len()))
}

/// The bytes of a bytes-like object, or the UTF-8 of a string.
fn bytes_or_text<'a>(vm: &Vm, data: &'a Value) -> Res<Cow<'a, [u8]>> {
    let Some(text) = data.downcast::<Str>() else {
        return get_bytes(vm, data);
    };
    encode_with(vm, text, "strict", |text, on_fault| {
        Ok(lisle_runtime::text::codec::encode_utf8(text, on_fault)?.into_owned())
    })
    .map(Cow::Owned)
}

/// 1 for big, -1 for little endian, 0 for the native order and a byte order mark.
fn order(byteorder: i32) -> Option<Endian> {
    match byteorder {
        0 => None,
        i32::MIN..0 => Some(Endian::Little),
        _ => Some(Endian::Big),
    }
}

fn order_number(order: Option<Endian>) -> i64 {
    match order {
        None => 0,
        Some(Endian::Little) => -1,
        Some(Endian::Big) => 1,
    }
}

#[pymodule(name = "_codecs")]
pub mod module {
    use super::charmap;
    use super::{
        bytes_or_text, decode as run_decoder, encode as run_encoder, encoded, errors_name, order, order_number,
    };
    use lisle_runtime::native::*;
    use lisle_runtime::text::codec::{
        Endian, InvalidEscape, decode_ascii, decode_bytes_escape, decode_latin1, decode_raw_unicode_escape,
        decode_unicode_escape, decode_utf7, decode_utf8, decode_utf16, decode_utf32, encode_ascii, encode_bytes_escape,
        encode_latin1, encode_raw_unicode_escape, encode_unicode_escape, encode_utf7, encode_utf8, encode_utf16,
        encode_utf32,
    };
    use lisle_runtime::text::names::by_name;
    use lisle_runtime::types::buffer::get_bytes;
    use lisle_runtime::types::bytes::Bytes;
    use lisle_runtime::types::encoding::{checked_name, decode_with, registry};
    use lisle_runtime::types::exceptions;
    use lisle_runtime::types::tuple::Tuple;

    /// Register a codec search function.
    ///
    /// Search functions are expected to take one argument, the encoding name in
    /// all lower case letters, and either return None, or a tuple of functions
    /// (encoder, decoder, stream_reader, stream_writer) (or a CodecInfo object).
    #[pyfunction(sig = "(search_function, /)")]
    fn register(vm: &Vm, search_function: &Value) -> Res<()> {
        registry::register(vm, search_function)
    }

    /// Unregister a codec search function and clear the registry's cache.
    ///
    /// If the search function is not registered, do nothing.
    #[pyfunction(sig = "(search_function, /)")]
    fn unregister(_vm: &Vm, search_function: &Value) {
        registry::unregister(search_function);
    }

    /// Looks up a codec tuple in the Python codec registry and returns a CodecInfo object.
    #[pyfunction(sig = "(encoding, /)")]
    fn lookup(vm: &Vm, encoding: &Py<Str>) -> Res<Value> {
        registry::lookup(vm, &checked_name(vm, Some(encoding), "")?)
    }

    /// Encodes obj using the codec registered for encoding.
    ///
    /// The default encoding is 'utf-8'.  errors may be given to set a
    /// different error handling scheme.  Default is 'strict' meaning that encoding
    /// errors raise a ValueError.  Other possible values are 'ignore', 'replace'
    /// and 'backslashreplace' as well as any other name registered with
    /// codecs.register_error that can handle ValueErrors.
    #[pyfunction(sig = "(obj, encoding='utf-8', errors='strict')")]
    fn encode(vm: &Vm, obj: &Value, encoding: Option<&Py<Str>>, errors: Option<&Py<Str>>) -> Res<Value> {
        convert(vm, true, obj, encoding, errors)
    }

    /// Decodes obj using the codec registered for encoding.
    ///
    /// Default encoding is 'utf-8'.  errors may be given to set a
    /// different error handling scheme.  Default is 'strict' meaning that encoding
    /// errors raise a ValueError.  Other possible values are 'ignore', 'replace'
    /// and 'backslashreplace' as well as any other name registered with
    /// codecs.register_error that can handle ValueErrors.
    #[pyfunction(sig = "(obj, encoding='utf-8', errors='strict')")]
    fn decode(vm: &Vm, obj: &Value, encoding: Option<&Py<Str>>, errors: Option<&Py<Str>>) -> Res<Value> {
        convert(vm, false, obj, encoding, errors)
    }

    fn convert(vm: &Vm, encode: bool, obj: &Value, encoding: Option<&Py<Str>>, errors: Option<&Py<Str>>) -> Res<Value> {
        let encoding = checked_name(vm, encoding, "utf-8")?;
        let errors = errors.map(|errors| checked_name(vm, Some(errors), "")).transpose()?;
        let info = registry::lookup(vm, &encoding)?;
        registry::run_codec(vm, &info, encode, obj, &encoding, errors.as_deref())
    }

    #[pyfunction(sig = "(data, errors=None, /)")]
    fn escape_decode(vm: &Vm, data: &Value, errors: Option<&Py<Str>>) -> Res<Value> {
        let bytes = bytes_or_text(vm, data)?;
        let errors = errors_name(errors);
        let (out, warning) =
            decode_bytes_escape(&bytes, &errors).map_err(|error| vm.value_error(error.message(&errors)))?;
        warn_of_escape(vm, &bytes, warning)?;
        Ok(Tuple::pair(Bytes::new_value(out), Value::usize(bytes.len())).into_value())
    }

    #[pyfunction(sig = "(data, errors=None, /)")]
    fn escape_encode(_vm: &Vm, data: &Py<Bytes>, errors: Option<&Py<Str>>) -> Value {
        let _ = errors;
        encoded(encode_bytes_escape(data.as_slice()), data.len())
    }

    fn warn_of_escape(vm: &Vm, input: &[u8], warning: Option<InvalidEscape>) -> Res<()> {
        let Some(warning) = warning else { return Ok(()) };
        let rest = input.get(warning.at..).unwrap_or_default();
        let (shown, kind) = if warning.octal {
            (
                String::from_utf8_lossy(rest.get(..3).unwrap_or(rest)).into_owned(),
                "octal ",
            )
        } else {
            (rest.first().map(|&b| char::from(b)).into_iter().collect(), "")
        };
        let message =
            format!("\"\\{shown}\" is an invalid {kind}escape sequence. Such sequences will not work in the future. ");
        vm.warn(exceptions::DEPRECATION_WARNING.get(), &message, 1)
    }

    #[pyfunction(sig = "(data, errors=None, final=False, /)", name = "utf_7_decode")]
    fn utf_7_decode(vm: &Vm, data: &Value, errors: Option<&Py<Str>>, r#final: Option<bool>) -> Res<Value> {
        let last = r#final.unwrap_or(false);
        run_decoder(vm, data, errors, |bytes, on_fault| {
            decode_utf7(bytes, last, on_fault).map(|d| (d.text, d.consumed))
        })
    }

    #[pyfunction(sig = "(data, errors=None, final=False, /)")]
    fn utf_8_decode(vm: &Vm, data: &Value, errors: Option<&Py<Str>>, r#final: Option<bool>) -> Res<Value> {
        let last = r#final.unwrap_or(false);
        run_decoder(vm, data, errors, |bytes, on_fault| {
            decode_utf8(bytes, last, on_fault).map(|d| (d.text, d.consumed))
        })
    }

    /// The text, how far it goes, and the byte order that was found.
    fn wide(
        vm: &Vm,
        data: &Value,
        errors: Option<&Py<Str>>,
        width: usize,
        mut order: Option<Endian>,
        last: bool,
    ) -> Res<(Value, Value, Option<Endian>)> {
        let bytes = get_bytes(vm, data)?;
        let (text, consumed) = decode_with(vm, Some(data), &bytes, &errors_name(errors), |bytes, on_fault| {
            let (d, found) = if width == 2 {
                decode_utf16(bytes, order, last, on_fault)?
            } else {
                decode_utf32(bytes, order, last, on_fault)?
            };
            order = found;
            Ok((d.text, d.consumed))
        })?;
        let text = Str::try_from_view(text.view()).ok_or_else(|| vm.memory_error())?;
        Ok((text.into_value(), Value::usize(consumed), order))
    }

    #[pyfunction(sig = "(data, errors=None, final=False, /)")]
    fn utf_16_decode(vm: &Vm, data: &Value, errors: Option<&Py<Str>>, r#final: Option<bool>) -> Res<(Value, Value)> {
        let (text, consumed, _) = wide(vm, data, errors, 2, None, r#final.unwrap_or(false))?;
        Ok((text, consumed))
    }

    #[pyfunction(sig = "(data, errors=None, final=False, /)")]
    fn utf_16_le_decode(vm: &Vm, data: &Value, errors: Option<&Py<Str>>, r#final: Option<bool>) -> Res<(Value, Value)> {
        let (text, consumed, _) = wide(vm, data, errors, 2, Some(Endian::Little), r#final.unwrap_or(false))?;
        Ok((text, consumed))
    }

    #[pyfunction(sig = "(data, errors=None, final=False, /)")]
    fn utf_16_be_decode(vm: &Vm, data: &Value, errors: Option<&Py<Str>>, r#final: Option<bool>) -> Res<(Value, Value)> {
        let (text, consumed, _) = wide(vm, data, errors, 2, Some(Endian::Big), r#final.unwrap_or(false))?;
        Ok((text, consumed))
    }

    #[pyfunction(sig = "(data, errors=None, byteorder=0, final=False, /)")]
    fn utf_16_ex_decode(
        vm: &Vm,
        data: &Value,
        errors: Option<&Py<Str>>,
        byteorder: Option<i32>,
        r#final: Option<bool>,
    ) -> Res<(Value, Value, i64)> {
        let given = order(byteorder.unwrap_or(0));
        let (text, consumed, found) = wide(vm, data, errors, 2, given, r#final.unwrap_or(false))?;
        Ok((text, consumed, order_number(found)))
    }

    #[pyfunction(sig = "(data, errors=None, final=False, /)")]
    fn utf_32_decode(vm: &Vm, data: &Value, errors: Option<&Py<Str>>, r#final: Option<bool>) -> Res<(Value, Value)> {
        let (text, consumed, _) = wide(vm, data, errors, 4, None, r#final.unwrap_or(false))?;
        Ok((text, consumed))
    }

    #[pyfunction(sig = "(data, errors=None, final=False, /)")]
    fn utf_32_le_decode(vm: &Vm, data: &Value, errors: Option<&Py<Str>>, r#final: Option<bool>) -> Res<(Value, Value)> {
        let (text, consumed, _) = wide(vm, data, errors, 4, Some(Endian::Little), r#final.unwrap_or(false))?;
        Ok((text, consumed))
    }

    #[pyfunction(sig = "(data, errors=None, final=False, /)")]
    fn utf_32_be_decode(vm: &Vm, data: &Value, errors: Option<&Py<Str>>, r#final: Option<bool>) -> Res<(Value, Value)> {
        let (text, consumed, _) = wide(vm, data, errors, 4, Some(Endian::Big), r#final.unwrap_or(false))?;
        Ok((text, consumed))
    }

    #[pyfunction(sig = "(data, errors=None, byteorder=0, final=False, /)")]
    fn utf_32_ex_decode(
        vm: &Vm,
        data: &Value,
        errors: Option<&Py<Str>>,
        byteorder: Option<i32>,
        r#final: Option<bool>,
    ) -> Res<(Value, Value, i64)> {
        let given = order(byteorder.unwrap_or(0));
        let (text, consumed, found) = wide(vm, data, errors, 4, given, r#final.unwrap_or(false))?;
        Ok((text, consumed, order_number(found)))
    }

    #[pyfunction(sig = "(data, errors=None, /)")]
    fn latin_1_decode(vm: &Vm, data: &Value, errors: Option<&Py<Str>>) -> Res<Value> {
        run_decoder(vm, data, errors, |bytes, _| Ok((decode_latin1(bytes), bytes.len())))
    }

    #[pyfunction(sig = "(data, errors=None, /)")]
    fn ascii_decode(vm: &Vm, data: &Value, errors: Option<&Py<Str>>) -> Res<Value> {
        run_decoder(vm, data, errors, |bytes, on_fault| {
            Ok((decode_ascii(bytes, on_fault)?, bytes.len()))
        })
    }

    #[pyfunction(sig = "(data, errors=None, final=True, /)")]
    fn unicode_escape_decode(vm: &Vm, data: &Value, errors: Option<&Py<Str>>, r#final: Option<bool>) -> Res<Value> {
        let last = r#final.unwrap_or(true);
        let bytes = bytes_or_text(vm, data)?;
        let mut warning = None;
        let (text, consumed) = decode_with(vm, Some(data), &bytes, &errors_name(errors), |bytes, on_fault| {
            let (d, warn) = decode_unicode_escape(bytes, last, &by_name, on_fault)?;
            warning = warning.or(warn);
            Ok((d.text, d.consumed))
        })?;
        warn_of_escape(vm, &bytes, warning)?;
        super::decoded(vm, &text, consumed)
    }

    #[pyfunction(sig = "(data, errors=None, final=True, /)")]
    fn raw_unicode_escape_decode(vm: &Vm, data: &Value, errors: Option<&Py<Str>>, r#final: Option<bool>) -> Res<Value> {
        let last = r#final.unwrap_or(true);
        let bytes = bytes_or_text(vm, data)?;
        let (text, consumed) = decode_with(vm, Some(data), &bytes, &errors_name(errors), |bytes, on_fault| {
            decode_raw_unicode_escape(bytes, last, on_fault).map(|d| (d.text, d.consumed))
        })?;
        super::decoded(vm, &text, consumed)
    }

    #[pyfunction(sig = "(data, errors=None, mapping=None, /)")]
    fn charmap_decode(vm: &Vm, data: &Value, errors: Option<&Py<Str>>, mapping: Option<&Value>) -> Res<Value> {
        match mapping.filter(|mapping| !mapping.is_none()) {
            None => latin_1_decode(vm, data, errors),
            Some(mapping) => run_decoder(vm, data, errors, |bytes, on_fault| {
                charmap::decode(vm, bytes, mapping, on_fault)
            }),
        }
    }

    #[pyfunction(sig = "(data, errors=None, /)")]
    fn readbuffer_encode(vm: &Vm, data: &Value, errors: Option<&Py<Str>>) -> Res<Value> {
        let _ = errors;
        let bytes = bytes_or_text(vm, data)?.into_owned();
        let len = bytes.len();
        Ok(encoded(bytes, len))
    }

    #[pyfunction(sig = "(str, errors=None, /)")]
    fn utf_7_encode(vm: &Vm, str: &Py<Str>, errors: Option<&Py<Str>>) -> Res<Value> {
        run_encoder(vm, str, errors, |text, _| Ok(encode_utf7(text)))
    }

    #[pyfunction(sig = "(str, errors=None, /)")]
    fn utf_8_encode(vm: &Vm, str: &Py<Str>, errors: Option<&Py<Str>>) -> Res<Value> {
        run_encoder(vm, str, errors, |text, on_fault| {
            Ok(encode_utf8(text, on_fault)?.into_owned())
        })
    }

    #[pyfunction(sig = "(str, errors=None, byteorder=0, /)")]
    fn utf_16_encode(vm: &Vm, str: &Py<Str>, errors: Option<&Py<Str>>, byteorder: Option<i32>) -> Res<Value> {
        let order = order(byteorder.unwrap_or(0));
        run_encoder(vm, str, errors, |text, on_fault| encode_utf16(text, order, on_fault))
    }

    #[pyfunction(sig = "(str, errors=None, /)")]
    fn utf_16_le_encode(vm: &Vm, str: &Py<Str>, errors: Option<&Py<Str>>) -> Res<Value> {
        utf_16_encode(vm, str, errors, Some(-1))
    }

    #[pyfunction(sig = "(str, errors=None, /)")]
    fn utf_16_be_encode(vm: &Vm, str: &Py<Str>, errors: Option<&Py<Str>>) -> Res<Value> {
        utf_16_encode(vm, str, errors, Some(1))
    }

    #[pyfunction(sig = "(str, errors=None, byteorder=0, /)")]
    fn utf_32_encode(vm: &Vm, str: &Py<Str>, errors: Option<&Py<Str>>, byteorder: Option<i32>) -> Res<Value> {
        let order = order(byteorder.unwrap_or(0));
        run_encoder(vm, str, errors, |text, on_fault| encode_utf32(text, order, on_fault))
    }

    #[pyfunction(sig = "(str, errors=None, /)")]
    fn utf_32_le_encode(vm: &Vm, str: &Py<Str>, errors: Option<&Py<Str>>) -> Res<Value> {
        utf_32_encode(vm, str, errors, Some(-1))
    }

    #[pyfunction(sig = "(str, errors=None, /)")]
    fn utf_32_be_encode(vm: &Vm, str: &Py<Str>, errors: Option<&Py<Str>>) -> Res<Value> {
        utf_32_encode(vm, str, errors, Some(1))
    }

    #[pyfunction(sig = "(str, errors=None, /)")]
    fn unicode_escape_encode(vm: &Vm, str: &Py<Str>, errors: Option<&Py<Str>>) -> Res<Value> {
        run_encoder(vm, str, errors, |text, _| Ok(encode_unicode_escape(text)))
    }

    #[pyfunction(sig = "(str, errors=None, /)")]
    fn raw_unicode_escape_encode(vm: &Vm, str: &Py<Str>, errors: Option<&Py<Str>>) -> Res<Value> {
        run_encoder(vm, str, errors, |text, _| Ok(encode_raw_unicode_escape(text)))
    }

    #[pyfunction(sig = "(str, errors=None, /)")]
    fn latin_1_encode(vm: &Vm, str: &Py<Str>, errors: Option<&Py<Str>>) -> Res<Value> {
        run_encoder(vm, str, errors, encode_latin1)
    }

    #[pyfunction(sig = "(str, errors=None, /)")]
    fn ascii_encode(vm: &Vm, str: &Py<Str>, errors: Option<&Py<Str>>) -> Res<Value> {
        run_encoder(vm, str, errors, encode_ascii)
    }

    #[pyfunction(sig = "(str, errors=None, mapping=None, /)")]
    fn charmap_encode(vm: &Vm, str: &Py<Str>, errors: Option<&Py<Str>>, mapping: Option<&Value>) -> Res<Value> {
        match mapping.filter(|mapping| !mapping.is_none()) {
            None => latin_1_encode(vm, str, errors),
            Some(mapping) => run_encoder(vm, str, errors, |text, on_fault| {
                charmap::encode(vm, text, mapping, on_fault)
            }),
        }
    }

    #[pyfunction(sig = "(map, /)")]
    fn charmap_build(vm: &Vm, map: &Py<Str>) -> Res<Value> {
        charmap::build(vm, map.view())
    }

    /// Register the specified error handler under the name errors.
    ///
    /// handler must be a callable object, that
    /// will be called with an exception instance containing
    /// information about the location of the encoding/decoding
    /// error and must return a (replacement, new position) tuple.
    #[pyfunction(sig = "(errors, handler, /)")]
    fn register_error(vm: &Vm, errors: &Py<Str>, handler: &Value) -> Res<()> {
        registry::register_error(vm, errors, handler)
    }

    /// Un-register the specified error handler for the error handling `errors'.
    ///
    /// Only custom error handlers can be un-registered. An exception is raised
    /// if the error handling is a built-in one (e.g., 'strict'), or if an error
    /// occurs.
    ///
    /// Otherwise, this returns True if a custom handler has been successfully
    /// un-registered, and False if no custom handler for the specified error
    /// handling exists.
    #[pyfunction(sig = "(errors, /)")]
    fn _unregister_error(vm: &Vm, errors: &Py<Str>) -> Res<bool> {
        registry::unregister_error(vm, errors)
    }

    /// lookup_error(errors) -> handler
    ///
    /// Return the error handler for the specified error handling name or raise a
    /// LookupError, if no handler exists under this name.
    #[pyfunction(sig = "(name, /)")]
    fn lookup_error(vm: &Vm, name: &Py<Str>) -> Res<Value> {
        registry::lookup_error(vm, &checked_name(vm, Some(name), "strict")?)
    }
}
