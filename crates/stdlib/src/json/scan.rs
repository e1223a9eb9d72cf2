//! Reading JSON: `make_scanner` and `scanstring`.
//!
//! Invariant: the text is immutable and borrowed for the whole scan; hooks run with nothing locked.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

use lisle_runtime::intern;
use lisle_runtime::native::*;
use lisle_runtime::text::StrBuilder;
use lisle_runtime::text::float::parse_float_bytes;
use lisle_runtime::text::view::{StrView, Unit};
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::list::List;
use lisle_runtime::types::number_text::parse_int_str;
use lisle_runtime::types::str::hash_bytes;
use lisle_runtime::types::tuple::Tuple;
use smallvec::SmallVec;

/// `json.JSONDecodeError(message, text, position)`.
fn fault(vm: &Vm, message: &str, text: &Py<Str>, at: usize) -> Exc {
    let make = || {
        let module = vm.import_module("json.decoder")?;
        let class = vm.getattr(&module, intern!("JSONDecodeError"))?;
        vm.call(&class, &[Value::from(message), text.to_value(), Value::usize(at)])
    };
    match make() {
        Ok(exc) => match Exc::try_from_value(exc) {
            Ok(exc) => exc,
            Err(_) => vm.value_error(message),
        },
        Err(exc) => exc,
    }
}

fn stop(vm: &Vm, at: usize) -> Exc {
    vm.stop_iteration_with(Value::usize(at))
}

/// `scanstring`: the string that began before `end`, and where it ends.
pub fn scan_string(vm: &Vm, text: &Py<Str>, end: isize, strict: bool) -> Res<(Value, usize)> {
    let Ok(at) = usize::try_from(end) else {
        return Err(vm.value_error("end is out of bounds"));
    };
    if at > text.len() {
        return Err(vm.value_error("end is out of bounds"));
    }
    match text.view() {
        StrView::Ascii(units) | StrView::Latin1(units) => read_string(vm, text, units, at, strict),
        StrView::Ucs2(units) => read_string(vm, text, units, at, strict),
        StrView::Ucs4(units) => read_string(vm, text, units, at, strict),
    }
}

fn read_string<U: Unit>(vm: &Vm, text: &Py<Str>, units: &[U], begin: usize, strict: bool) -> Res<(Value, usize)> {
    let view = text.view();
    let unterminated = || fault(vm, "Unterminated string starting at", text, begin.saturating_sub(1));
    let mut out: Option<StrBuilder> = None;
    let mut at = begin;
    loop {
        let start = at;
        let special = units[at..].iter().position(|u| {
            let c = u.code();
            c == 0x22 || c == 0x5c || strict && c < 0x20
        });
        let Some(length) = special else {
            return Err(unterminated());
        };
        at += length;
        let c = units[at].code();
        if c == 0x22 && out.is_none() {
            let found = match view {
                StrView::Ascii(bytes) => Str::try_from_view(StrView::Ascii(&bytes[start..at])),
                view => Str::try_from_view(view.slice(start..at).to_buf().view()),
            };
            let found = found.ok_or_else(|| vm.memory_error())?;
            return Ok((found.into_value(), at + 1));
        }
        let built = out.get_or_insert_with(StrBuilder::new);
        if at > start {
            built.push_view(view.slice(start..at));
        }
        if c == 0x22 {
            break;
        }
        if c != 0x5c {
            return Err(fault(vm, "Invalid control character at", text, at));
        }
        at += 1;
        let Some(letter) = units.get(at).map(|u| u.code()) else {
            return Err(unterminated());
        };
        at += 1;
        let plain = match char::from_u32(letter) {
            Some(c @ ('"' | '\\' | '/')) => u32::from(c),
            Some('b') => 8,
            Some('f') => 12,
            Some('n') => 10,
            Some('r') => 13,
            Some('t') => 9,
            Some('u') => {
                let Some(unit) = read_unit(units, at) else {
                    return Err(fault(vm, "Invalid \\uXXXX escape", text, at - 1));
                };
                at += 4;
                let low = match (unit, units.get(at..at + 2)) {
                    (0xd800..0xdc00, Some([a, b])) if a.code() == 0x5c && b.code() == 0x75 => {
                        read_unit(units, at + 2).filter(|low| (0xdc00..0xe000).contains(low))
                    }
                    _ => None,
                };
                match low {
                    Some(low) => {
                        at += 6;
                        0x1_0000 + ((unit & 0x3ff) << 10 | low & 0x3ff)
                    }
                    None => unit,
                }
            }
            _ => return Err(fault(vm, "Invalid \\escape", text, at - 2)),
        };
        built.push(plain);
    }
    let text = out.unwrap_or_default().finish();
    let found = Str::try_from_view(text.view()).ok_or_else(|| vm.memory_error())?;
    Ok((found.into_value(), at + 1))
}

/// Four hexadecimal digits.
fn read_unit<U: Unit>(units: &[U], at: usize) -> Option<u32> {
    units
        .get(at..at + 4)?
        .iter()
        .try_fold(0, |unit, u| Some(unit << 4 | char::from_u32(u.code())?.to_digit(16)?))
}

/// JSON scanner object
#[pyclass(name = "Scanner", module = "_json", basetype, doc = "JSON scanner object")]
pub struct Scanner {
    strict: bool,
    object_hook: Value,
    object_pairs_hook: Value,
    parse_float: Value,
    parse_int: Value,
    parse_constant: Value,
}

#[pymethods]
impl Scanner {
    #[slot(sig = "(context)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, context: &Value) -> Res<Value> {
        let strict = vm.getattr(context, intern!("strict"))?;
        let this = Scanner {
            strict: vm.truth(&strict)?,
            object_hook: vm.getattr(context, intern!("object_hook"))?,
            object_pairs_hook: vm.getattr(context, intern!("object_pairs_hook"))?,
            parse_float: vm.getattr(context, intern!("parse_float"))?,
            parse_int: vm.getattr(context, intern!("parse_int"))?,
            parse_constant: vm.getattr(context, intern!("parse_constant"))?,
        };
        Ok(Py::with_class(cls, this).into_value())
    }

    #[slot(sig = "(string, idx)")]
    fn __call__(vm: &Vm, this: &Py<Scanner>, string: &Value, idx: isize) -> Res<(Value, usize)> {
        let Some(text) = string.downcast::<Str>() else {
            let name = string.ty().name();
            return Err(vm.type_error(format!("first argument must be a string, not {name}")));
        };
        let Ok(at) = usize::try_from(idx) else {
            return Err(vm.value_error("idx cannot be negative"));
        };
        match text.view() {
            StrView::Ascii(units) | StrView::Latin1(units) => Scan::new(vm, this, text, units).value(at),
            StrView::Ucs2(units) => Scan::new(vm, this, text, units).value(at),
            StrView::Ucs4(units) => Scan::new(vm, this, text, units).value(at),
        }
    }

    /// strict
    #[getter]
    fn strict(_vm: &Vm, this: &Py<Scanner>) -> bool {
        this.strict
    }

    /// object_hook
    #[getter]
    fn object_hook(_vm: &Vm, this: &Py<Scanner>) -> Value {
        this.object_hook.clone()
    }

    #[getter]
    fn object_pairs_hook(_vm: &Vm, this: &Py<Scanner>) -> Value {
        this.object_pairs_hook.clone()
    }

    /// parse_float
    #[getter]
    fn parse_float(_vm: &Vm, this: &Py<Scanner>) -> Value {
        this.parse_float.clone()
    }

    /// parse_int
    #[getter]
    fn parse_int(_vm: &Vm, this: &Py<Scanner>) -> Value {
        this.parse_int.clone()
    }

    /// parse_constant
    #[getter]
    fn parse_constant(_vm: &Vm, this: &Py<Scanner>) -> Value {
        this.parse_constant.clone()
    }
}

/// One scan of a text.
struct Scan<'a, U: Unit> {
    vm: &'a Vm,
    scanner: &'a Scanner,
    text: &'a Py<Str>,
    units: &'a [U],
    /// Keys that were read, by their hashes, so that equal ones are one object.
    keys: HashMap<i64, Value, BuildHasherDefault<SameHash>>,
}

/// What is hashed is a hash already.
#[derive(Default)]
struct SameHash(u64);

impl Hasher for SameHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_i64(&mut self, hash: i64) {
        self.0 = hash as u64;
    }
}

impl<'a, U: Unit> Scan<'a, U> {
    fn new(vm: &'a Vm, scanner: &'a Scanner, text: &'a Py<Str>, units: &'a [U]) -> Scan<'a, U> {
        Scan {
            vm,
            scanner,
            text,
            units,
            keys: HashMap::default(),
        }
    }

    fn get(&self, at: usize) -> Option<u8> {
        self.units.get(at).and_then(|u| u8::try_from(u.code()).ok())
    }

    fn skip_space(&self, mut at: usize) -> usize {
        while matches!(self.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            at += 1;
        }
        at
    }

    fn fault(&self, message: &str, at: usize) -> Exc {
        fault(self.vm, message, self.text, at)
    }

    fn has(&self, at: usize, word: &str) -> bool {
        self.units
            .get(at..at + word.len())
            .is_some_and(|part| part.iter().zip(word.bytes()).all(|(u, b)| u.code() == u32::from(b)))
    }

    /// The value at a place, and where it ends. `StopIteration` if there is none.
    fn value(&mut self, at: usize) -> Res<(Value, usize)> {
        let Some(c) = self.get(at) else {
            return Err(stop(self.vm, at));
        };
        match c {
            b'"' => read_string(self.vm, self.text, self.units, at + 1, self.scanner.strict),
            b'{' => {
                let vm = self.vm;
                let _guard = vm.enter_recursive(" while decoding a JSON object from a unicode string")?;
                self.object(at + 1)
            }
            b'[' => {
                let vm = self.vm;
                let _guard = vm.enter_recursive(" while decoding a JSON array from a unicode string")?;
                self.array(at + 1)
            }
            b'n' if self.has(at, "null") => Ok((Value::NONE, at + 4)),
            b't' if self.has(at, "true") => Ok((Value::TRUE, at + 4)),
            b'f' if self.has(at, "false") => Ok((Value::FALSE, at + 5)),
            b'N' if self.has(at, "NaN") => self.constant("NaN", at),
            b'I' if self.has(at, "Infinity") => self.constant("Infinity", at),
            b'-' if self.has(at, "-Infinity") => self.constant("-Infinity", at),
            _ => self.number(at),
        }
    }

    fn constant(&self, name: &str, at: usize) -> Res<(Value, usize)> {
        let value = self.vm.call(&self.scanner.parse_constant, &[Value::from(name)])?;
        Ok((value, at + name.len()))
    }

    fn digits(&self, mut at: usize) -> usize {
        while self.get(at).is_some_and(|c| c.is_ascii_digit()) {
            at += 1;
        }
        at
    }

    fn number(&self, start: usize) -> Res<(Value, usize)> {
        let vm = self.vm;
        let first = start + usize::from(self.get(start) == Some(b'-'));
        let mut at = match self.get(first) {
            Some(b'0') => first + 1,
            Some(b'1'..=b'9') => self.digits(first),
            _ => return Err(stop(vm, start)),
        };
        let mut is_float = false;
        if self.get(at) == Some(b'.') && self.get(at + 1).is_some_and(|c| c.is_ascii_digit()) {
            is_float = true;
            at = self.digits(at + 1);
        }
        if matches!(self.get(at), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.get(at + 1), Some(b'+' | b'-')));
            let end = self.digits(at + 1 + sign);
            if end > at + 1 + sign {
                is_float = true;
                at = end;
            }
        }
        if !is_float
            && at - first <= 17
            && self
                .scanner
                .parse_int
                .is(lisle_runtime::types::int::Int::ty().as_value())
        {
            let digits = self.units[first..at].iter();
            let n = digits.fold(0, |n: i64, u| n * 10 + i64::from(u.code()) - 0x30);
            return Ok((Value::int(if first > start { -n } else { n }), at));
        }
        let bytes: SmallVec<[u8; 32]> = self.units[start..at].iter().map(|u| u.code() as u8).collect();
        let text = || Str::from_view(StrView::Ascii(&bytes));
        let parse = if is_float {
            &self.scanner.parse_float
        } else {
            &self.scanner.parse_int
        };
        let value = if is_float && parse.is(lisle_runtime::types::float::Float::ty().as_value()) {
            Value::float(parse_float_bytes(&bytes).unwrap_or(f64::NAN))
        } else if !is_float && parse.is(lisle_runtime::types::int::Int::ty().as_value()) {
            match std::str::from_utf8(&bytes)
                .ok()
                .and_then(|text| text.parse::<i64>().ok())
            {
                Some(small) => Value::int(small),
                None => parse_int_str(vm, &text(), 10)?,
            }
        } else {
            vm.call(parse, &[text().into_value()])?
        };
        Ok((value, at))
    }

    fn array(&mut self, at: usize) -> Res<(Value, usize)> {
        let mut at = self.skip_space(at);
        let mut items = Vec::new();
        if self.get(at) == Some(b']') {
            return Ok((List::new(items).into_value(), at + 1));
        }
        loop {
            let (item, end) = self.value(at)?;
            items.push(item);
            at = self.skip_space(end);
            match self.get(at) {
                Some(b']') => return Ok((List::new(items).into_value(), at + 1)),
                Some(b',') => {}
                _ => return Err(self.fault("Expecting ',' delimiter", at)),
            }
            let comma = at;
            at = self.skip_space(at + 1);
            if self.get(at) == Some(b']') {
                return Err(self.fault("Illegal trailing comma before end of array", comma));
            }
        }
    }

    fn object(&mut self, at: usize) -> Res<(Value, usize)> {
        let vm = self.vm;
        let mut at = self.skip_space(at);
        let mut pairs: SmallVec<[(Value, Value); 8]> = SmallVec::new();
        if self.get(at) != Some(b'}') {
            loop {
                if self.get(at) != Some(b'"') {
                    return Err(self.fault("Expecting property name enclosed in double quotes", at));
                }
                let (key, end) = self.key(at + 1)?;
                at = self.skip_space(end);
                if self.get(at) != Some(b':') {
                    return Err(self.fault("Expecting ':' delimiter", at));
                }
                at = self.skip_space(at + 1);
                let (value, end) = self.value(at)?;
                pairs.push((key, value));
                at = self.skip_space(end);
                match self.get(at) {
                    Some(b'}') => break,
                    Some(b',') => {}
                    _ => return Err(self.fault("Expecting ',' delimiter", at)),
                }
                let comma = at;
                at = self.skip_space(at + 1);
                if self.get(at) == Some(b'}') {
                    return Err(self.fault("Illegal trailing comma before end of object", comma));
                }
            }
        }
        at += 1;
        if !self.scanner.object_pairs_hook.is_none() {
            let pairs = pairs.into_iter().map(|(k, v)| Tuple::pair(k, v).into_value()).collect();
            let value = vm.call(&self.scanner.object_pairs_hook, &[List::new(pairs).into_value()])?;
            return Ok((value, at));
        }
        let dict = Dict::with_capacity(pairs.len());
        for (key, value) in pairs {
            dict.set(vm, &key, value)?;
        }
        if self.scanner.object_hook.is_none() {
            return Ok((dict.into_value(), at));
        }
        Ok((vm.call(&self.scanner.object_hook, &[dict.into_value()])?, at))
    }

    /// The key that begins at a place, and where it ends. What was read before is not made again.
    fn key(&mut self, begin: usize) -> Res<(Value, usize)> {
        if let StrView::Ascii(bytes) = self.text.view()
            && let Some(rest) = bytes.get(begin..)
            && let Some(length) = rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..0x20))
            && rest[length] == b'"'
            && let Some(known) = self.keys.get(&hash_bytes(&rest[..length]))
            && known.downcast::<Str>().and_then(|known| known.ascii_bytes()) == Some(&rest[..length])
        {
            return Ok((known.clone(), begin + length + 1));
        }
        let (key, end) = read_string(self.vm, self.text, self.units, begin, self.scanner.strict)?;
        Ok((self.known(key), end))
    }

    /// The key as it was read before, if it was.
    fn known(&mut self, key: Value) -> Value {
        let Some(text) = key.downcast::<Str>() else { return key };
        match self.keys.entry(text.hash()) {
            Entry::Occupied(known) => match known.get().downcast::<Str>() {
                Some(same) if same.text_eq(text) => known.get().clone(),
                _ => key,
            },
            Entry::Vacant(place) => place.insert(key).clone(),
        }
    }
}
