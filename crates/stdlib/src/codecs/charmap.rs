//! Charmap codecs: tables as strings, as dicts, as any mapping.
//!
//! Invariant: a mapping is asked with nothing locked; the answers are checked each time.

use std::collections::HashMap;

use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::text::codec::{
    DecodeFault, EncodeFault, OnDecodeFault, OnEncodeFault, Patch, charmap_decode, charmap_encode,
};
use lisle_runtime::text::view::StrView;
use lisle_runtime::text::{StrBuf, StrBuilder};
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions;

const UNDEFINED: &str = "character maps to <undefined>";

/// The inverse of a decoding table.
#[pyclass(name = "EncodingMap", module = "builtins", gc = false, no_new)]
pub struct EncodingMap {
    bytes: Opaque<HashMap<u32, u8>>,
}

#[pymethods]
impl EncodingMap {
    /// Return the size (in bytes) of this object
    #[pymethod(sig = "($self, /)")]
    fn size(_vm: &Vm, this: &Py<EncodingMap>) -> usize {
        size_of::<EncodingMap>() + this.bytes.0.capacity() * size_of::<(u32, u8)>()
    }
}

/// The encoding table of a decoding table; a dict where the table is an unusual one.
pub fn build(vm: &Vm, table: StrView<'_>) -> Res<Value> {
    let unusual = table
        .chars()
        .enumerate()
        .any(|(at, c)| (at == 0) != (c == 0) || c > 0xffff);
    if table.is_empty() || unusual {
        let dict = Dict::new_empty();
        for (byte, c) in table.chars().enumerate() {
            dict.set(vm, &Value::int(c.into()), Value::usize(byte))?;
        }
        return Ok(dict.into_value());
    }
    let bytes = table
        .chars()
        .take(256)
        .zip(0..=255)
        .filter(|(c, _)| *c != 0xfffe)
        .collect();
    Ok(Py::new(EncodingMap { bytes: Opaque(bytes) }).into_value())
}

/// What a mapping has for a key; `None` where it has nothing.
fn ask(vm: &Vm, mapping: &Value, key: u32) -> Res<Option<Value>> {
    match vm.getitem(mapping, &Value::int(key.into())) {
        Ok(found) => Ok(Some(found).filter(|found| !found.is_none())),
        Err(exc) if exc.is(&exceptions::LOOKUP_ERROR) => Ok(None),
        Err(exc) => Err(exc),
    }
}

pub fn decode(vm: &Vm, input: &[u8], mapping: &Value, on_fault: OnDecodeFault<'_, Exc>) -> Res<(StrBuf, usize)> {
    if let Some(table) = mapping.downcast_exact::<Str>() {
        return Ok((charmap_decode(input, table.view(), on_fault)?, input.len()));
    }
    let mut out = StrBuilder::new();
    if !out.try_reserve(input.len()) {
        return Err(vm.memory_error());
    }
    let mut at = 0;
    while let Some(&byte) = input.get(at) {
        if let Some(found) = ask(vm, mapping, byte.into())? {
            if vm.int_value(&found).is_some() {
                let code = vm.int_value(&found).and_then(|i| i.to_i64()).unwrap_or(-1);
                if !(0..0x11_0000).contains(&code) {
                    return Err(vm.type_error("character mapping must be in range(0x110000)"));
                }
                if code != 0xfffe {
                    out.push(code as u32);
                    at += 1;
                    continue;
                }
            } else if let Some(text) = found.downcast::<Str>() {
                if text.len() != 1 || text.view().get(0) != Some(0xfffe) {
                    out.push_view(text.view());
                    at += 1;
                    continue;
                }
            } else {
                return Err(vm.type_error("character mapping must return integer, None or str"));
            }
        }
        let fix = on_fault(DecodeFault {
            encoding: "charmap",
            input,
            start: at,
            end: at + 1,
            reason: UNDEFINED,
        })?;
        out.push_view(fix.text.view());
        at = fix.resume.min(input.len());
        if fix.stop {
            break;
        }
    }
    Ok((out.finish(), at))
}

/// Appends what the mapping has for a character, or says that it has nothing.
fn put(vm: &Vm, mapping: &Value, code: u32, out: &mut Vec<u8>) -> Res<bool> {
    let Some(found) = ask(vm, mapping, code)? else {
        return Ok(false);
    };
    if vm.int_value(&found).is_some() {
        let byte = vm.int_value(&found).and_then(|i| i.to_i64());
        match byte.and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) => out.push(byte),
            None => return Err(vm.type_error("character mapping must be in range(256)")),
        }
    } else if let Some(bytes) = found.downcast::<Bytes>() {
        lisle_runtime::memory::room::append(out, bytes.as_slice())?;
    } else {
        let name = found.ty().name();
        return Err(vm.type_error(format!(
            "character mapping must return integer, bytes or None, not {name}"
        )));
    }
    Ok(true)
}

pub fn encode(vm: &Vm, text: StrView<'_>, mapping: &Value, on_fault: OnEncodeFault<'_, Exc>) -> Res<Vec<u8>> {
    if let Some(map) = mapping.downcast_exact::<EncodingMap>() {
        return charmap_encode(text, |c| map.bytes.0.get(&c).copied(), on_fault);
    }
    let mut out = Vec::new();
    out.try_reserve(text.len())?;
    let mut at = 0;
    while let Some(code) = text.get(at) {
        if put(vm, mapping, code, &mut out)? {
            at += 1;
            continue;
        }
        let mut end = at + 1;
        while let Some(next) = text.get(end) {
            if ask(vm, mapping, next)?.is_some() {
                break;
            }
            end += 1;
        }
        let mut fault = EncodeFault {
            encoding: "charmap",
            text,
            start: at,
            end,
            reason: UNDEFINED,
            fatal: false,
        };
        let fix = on_fault(fault)?;
        match &fix.patch {
            Patch::Bytes(bytes) => out.extend_from_slice(bytes),
            Patch::Text(replacement) => {
                for code in replacement.view().chars() {
                    if !put(vm, mapping, code, &mut out)? {
                        fault.fatal = true;
                        on_fault(fault)?;
                    }
                }
            }
        }
        at = fix.resume.min(text.len());
    }
    Ok(out)
}
