//! Error handlers of codecs: the builtin ones, natively and as the functions `codecs.lookup_error` returns, and calls of
//! registered ones.
//!
//! Invariant: a position that a handler answers lies in the text or in the bytes that it was answered for.

use std::sync::OnceLock;
use std::sync::atomic::Ordering::Relaxed;

use super::registry;
use crate::native::{FnDef, pyfunction};
use crate::object::{Py, Slot, Value};
use crate::text::codec::{DecodeFault, DecodeFix, EncodeFault, EncodeFix, Errors, Patch};
use crate::text::names::name_of;
use crate::text::repr::push_hex_escape;
use crate::text::{StrBuf, StrBuilder};
use crate::types::bytes::Bytes;
use crate::types::exceptions::{BaseException, UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError};
use crate::types::native_function::NativeFunction;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Exc, Res, Vm};

/// What the error handler `errors` makes of text that does not encode.
pub fn fix_encoding(vm: &Vm, text: &Py<Str>, fault: &EncodeFault<'_>, errors: &str) -> Res<EncodeFix> {
    let raise = || vm.unicode_encode_error(fault.encoding, text.to_value(), fault.start, fault.end, fault.reason);
    if fault.fatal {
        return Err(raise());
    }
    if let Some(handler) = Errors::from_name(errors) {
        return handler.encode(fault, &name_of).ok_or_else(raise);
    }
    let handler = registry::lookup_error(vm, errors)?;
    let (replacement, resume) = call_handler(vm, &handler, &raise(), || text.len(), "encoding", "(str/bytes, int)")?;
    let patch = if let Some(text) = replacement.downcast::<Str>() {
        Patch::Text(text.view().to_buf())
    } else if let Some(bytes) = replacement.downcast::<Bytes>() {
        Patch::Bytes(bytes.as_slice().to_vec())
    } else {
        return Err(vm.type_error("encoding error handler must return (str/bytes, int) tuple"));
    };
    Ok(EncodeFix { patch, resume })
}

/// What the error handler `errors` makes of bytes that do not decode. Other bytes that it puts in their place are not seen.
pub fn fix_decoding(vm: &Vm, fault: &DecodeFault<'_>, errors: &str) -> Res<DecodeFix> {
    let object = Bytes::new_value(fault.input);
    fix_decoding_of(vm, fault, errors, &object).map(|(fix, _)| fix)
}

/// As [`fix_decoding`], with the object of the exception; the other bytes are answered too.
pub fn fix_decoding_of(
    vm: &Vm,
    fault: &DecodeFault<'_>,
    errors: &str,
    object: &Value,
) -> Res<(DecodeFix, Option<Value>)> {
    let raise = || vm.unicode_decode_error(fault.encoding, object.clone(), fault.start, fault.end, fault.reason);
    if let Some(handler) = Errors::from_name(errors) {
        if !handler.decodes() {
            let message = "don't know how to handle UnicodeDecodeError in error callback";
            return Err(vm.type_error(message));
        }
        return handler.decode(fault).map(|fix| (fix, None)).ok_or_else(raise);
    }
    let handler = registry::lookup_error(vm, errors)?;
    let exc = raise();
    let held = || {
        let held = exc.value().downcast::<UnicodeDecodeError>()?.object.get()?;
        held.downcast::<Bytes>().is_some().then_some(held)
    };
    let length = || held().map_or(0, |b| b.downcast::<Bytes>().map_or(0, |b| b.len()));
    let (replacement, resume) = call_handler(vm, &handler, &exc, length, "decoding", "(str, int)")?;
    let Some(text) = replacement.downcast::<Str>() else {
        return Err(vm.type_error("decoding error handler must return (str, int) tuple"));
    };
    let Some(held) = held() else {
        return Err(vm.type_error("object attribute must be bytes"));
    };
    let fix = DecodeFix {
        text: text.view().to_buf(),
        resume,
        stop: false,
    };
    Ok((fix, Some(held).filter(|held| !held.is(object))))
}

/// Calls a registered error handler: the replacement, and where to go on. `len` is asked after the call.
fn call_handler(
    vm: &Vm,
    handler: &Value,
    exc: &Exc,
    len: impl FnOnce() -> usize,
    what: &str,
    shape: &str,
) -> Res<(Value, usize)> {
    let answer = vm.call(handler, std::slice::from_ref(exc.as_value()))?;
    let parts = answer.downcast::<Tuple>().map(|tuple| tuple.as_slice());
    let Some([replacement, position]) = parts else {
        return Err(vm.type_error(format!("{what} error handler must return {shape} tuple")));
    };
    if replacement.downcast::<Str>().is_none() && replacement.downcast::<Bytes>().is_none() {
        return Err(vm.type_error(format!("{what} error handler must return {shape} tuple")));
    }
    let position = vm.index_to_isize(position)?;
    let len = len();
    let at = if position < 0 {
        position.saturating_add_unsigned(len)
    } else {
        position
    };
    match usize::try_from(at) {
        Ok(at) if at <= len => Ok((replacement.clone(), at)),
        _ => Err(vm.index_error(format!("position {at} from error handler out of bounds"))),
    }
}

/// The function of a builtin error handler.
pub fn builtin(name: &str) -> Option<Value> {
    static FUNCTIONS: OnceLock<Vec<Value>> = OnceLock::new();
    const DEFS: [(Errors, &FnDef); 8] = [
        (Errors::Strict, &STRICT_ERRORS_DEF),
        (Errors::Ignore, &IGNORE_ERRORS_DEF),
        (Errors::Replace, &REPLACE_ERRORS_DEF),
        (Errors::BackslashReplace, &BACKSLASHREPLACE_ERRORS_DEF),
        (Errors::XmlCharRefReplace, &XMLCHARREFREPLACE_ERRORS_DEF),
        (Errors::NameReplace, &NAMEREPLACE_ERRORS_DEF),
        (Errors::SurrogateEscape, &SURROGATEESCAPE_DEF),
        (Errors::SurrogatePass, &SURROGATEPASS_DEF),
    ];
    let which = Errors::from_name(name)?;
    let at = DEFS.iter().position(|(errors, _)| *errors == which)?;
    let functions = FUNCTIONS.get_or_init(|| {
        DEFS.iter()
            .map(|(_, def)| NativeFunction::new_value(def, None, None))
            .collect()
    });
    functions.get(at).cloned()
}

/// Implements the 'strict' error handling, which raises a UnicodeError on coding errors.
#[pyfunction(sig = "(exc, /)")]
fn strict_errors(vm: &Vm, exc: &Value) -> Res<Value> {
    match exc.downcast::<BaseException>() {
        Some(exc) => Err(Exc::from_py(exc.clone())),
        None => Err(vm.type_error("codec must pass exception instance")),
    }
}

/// Implements the 'ignore' error handling, which ignores malformed data and continues.
#[pyfunction(sig = "(exc, /)")]
fn ignore_errors(vm: &Vm, exc: &Value) -> Res<Value> {
    handle(vm, Errors::Ignore, exc)
}

/// Implements the 'replace' error handling, which replaces malformed data with a replacement marker.
#[pyfunction(sig = "(exc, /)")]
fn replace_errors(vm: &Vm, exc: &Value) -> Res<Value> {
    handle(vm, Errors::Replace, exc)
}

/// Implements the 'xmlcharrefreplace' error handling, which replaces an unencodable character with the appropriate XML character reference.
#[pyfunction(sig = "(exc, /)")]
fn xmlcharrefreplace_errors(vm: &Vm, exc: &Value) -> Res<Value> {
    handle(vm, Errors::XmlCharRefReplace, exc)
}

/// Implements the 'backslashreplace' error handling, which replaces malformed data with a backslashed escape sequence.
#[pyfunction(sig = "(exc, /)")]
fn backslashreplace_errors(vm: &Vm, exc: &Value) -> Res<Value> {
    handle(vm, Errors::BackslashReplace, exc)
}

/// Implements the 'namereplace' error handling, which replaces an unencodable character with a \N{...} escape sequence.
#[pyfunction(sig = "(exc, /)")]
fn namereplace_errors(vm: &Vm, exc: &Value) -> Res<Value> {
    handle(vm, Errors::NameReplace, exc)
}

/// surrogatepass
#[pyfunction(sig = "(exc, /)", name = "surrogatepass")]
fn surrogatepass(vm: &Vm, exc: &Value) -> Res<Value> {
    handle(vm, Errors::SurrogatePass, exc)
}

/// surrogateescape
#[pyfunction(sig = "(exc, /)", name = "surrogateescape")]
fn surrogateescape(vm: &Vm, exc: &Value) -> Res<Value> {
    handle(vm, Errors::SurrogateEscape, exc)
}

/// `start` and `end` of an exception, moved into the object.
fn clamped(start: i64, end: i64, len: usize) -> (usize, usize) {
    let start = usize::try_from(start).unwrap_or(0).min(len.saturating_sub(1));
    let end = usize::try_from(end).unwrap_or(0).max(1).min(len);
    (start, end)
}

fn text_attribute(vm: &Vm, slot: &Slot, name: &str) -> Res<Py<Str>> {
    match slot.get() {
        None => Err(vm.type_error(format!("{name} attribute not set"))),
        Some(value) => value
            .try_into_py::<Str>()
            .map_err(|_| vm.type_error(format!("{name} attribute must be unicode"))),
    }
}

/// What a builtin handler answers to an exception: the replacement and the position.
fn handle(vm: &Vm, errors: Errors, exc: &Value) -> Res<Value> {
    let unknown = || {
        let name = exc.ty().name();
        vm.type_error(format!("don't know how to handle {name} in error callback"))
    };
    let reraise = || match exc.downcast::<BaseException>() {
        Some(exc) => Exc::from_py(exc.clone()),
        None => unknown(),
    };
    let answer = |text: Value, at: usize| Ok(Tuple::pair(text, Value::usize(at)).into_value());
    if let Some(this) = exc.downcast::<UnicodeEncodeError>() {
        let object = text_attribute(vm, &this.object, "object")?;
        let (start, end) = clamped(this.start.load(Relaxed), this.end.load(Relaxed), object.len());
        let encoding = match errors {
            Errors::SurrogatePass => text_attribute(vm, &this.encoding, "encoding")?.to_string_lossy(),
            _ => String::new(),
        };
        if end <= start && errors != Errors::SurrogateEscape && errors != Errors::SurrogatePass {
            return answer(Str::empty().into_value(), end);
        }
        let fault = EncodeFault {
            encoding: &encoding,
            text: object.view(),
            start,
            end,
            reason: "",
            fatal: false,
        };
        // As a function, this handler answers for the whole range or not at all.
        let fix = errors.encode(&fault, &name_of).filter(|fix| fix.resume == end);
        let fix = fix.ok_or_else(reraise)?;
        let patch = match fix.patch {
            Patch::Text(text) => Str::from_buf(text).into_value(),
            Patch::Bytes(bytes) => Bytes::new_value(bytes),
        };
        return answer(patch, fix.resume);
    }
    if let Some(this) = exc.downcast::<UnicodeDecodeError>() {
        if !errors.decodes() {
            return Err(unknown());
        }
        let object = this.object.get();
        let Some(bytes) = object.as_ref().and_then(|object| object.downcast::<Bytes>()) else {
            let what = if object.is_some() { "must be bytes" } else { "not set" };
            return Err(vm.type_error(format!("object attribute {what}")));
        };
        let (start, end) = clamped(this.start.load(Relaxed), this.end.load(Relaxed), bytes.len());
        let encoding = match errors {
            Errors::SurrogatePass => text_attribute(vm, &this.encoding, "encoding")?.to_string_lossy(),
            _ => String::new(),
        };
        let fault = DecodeFault {
            encoding: &encoding,
            input: bytes.as_slice(),
            start: start.min(end),
            end,
            reason: "",
        };
        let fix = errors.decode(&fault).ok_or_else(reraise)?;
        return answer(Str::from_buf(fix.text).into_value(), fix.resume);
    }
    if let Some(this) = exc.downcast::<UnicodeTranslateError>() {
        let object = text_attribute(vm, &this.object, "object")?;
        let (start, end) = clamped(this.start.load(Relaxed), this.end.load(Relaxed), object.len());
        let range = start.min(end)..end;
        let text = match errors {
            Errors::Ignore => StrBuf::new(),
            Errors::Replace => {
                let mut out = StrBuilder::new();
                out.push_repeat(0xfffd, range.len());
                out.finish()
            }
            Errors::BackslashReplace => {
                let mut out = Vec::new();
                object
                    .view()
                    .slice(range)
                    .chars()
                    .for_each(|c| push_hex_escape(c, &mut out));
                StrBuf::Ascii(out)
            }
            _ => return Err(unknown()),
        };
        return answer(Str::from_buf(text).into_value(), end);
    }
    Err(unknown())
}
