//! `marshal`: values and code objects to bytes and back.
//!
//! Values are written in CPython's format (version 5); a code object is the type code `c`, a length and the form of
//! [`lisle_bytecode::serialize`]. Invariant: bytes from anywhere give a value or a Python exception; sizes are checked against what is left before anything is
//! allocated, and depth is bounded.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use num_bigint::{BigInt, BigUint, Sign};

use super::code_data;
use crate::audit::audit;
use crate::intern;
use crate::native::pymodule;
use crate::object::{Py, Value};
use crate::text::StrBuilder;
use crate::types::bytearray::ByteArray;
use crate::types::bytes::Bytes;
use crate::types::code::Code;
use crate::types::complex::{self, Complex};
use crate::types::dict::Dict;
use crate::types::exceptions;
use crate::types::int::{Int, IntRef};
use crate::types::list::List;
use crate::types::number_text::bytes_like;
use crate::types::set::{FrozenSet, Set};
use crate::types::slice::Slice;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Exc, Res, Vm};

/// The version that is written unless another is asked for.
const VERSION: i32 = 5;
/// Values inside each other.
const MAX_DEPTH: u32 = 2000;
/// Set in a type code: the value gets a number, by which `r` names it again.
const FLAG_REF: u8 = 0x80;
/// Bits of a digit of a large int.
const DIGIT_BITS: usize = 15;

#[pymodule(
    name = "marshal",
    doc = "This module contains functions that can read and write Python values in\na binary format. The format is specific to Python, but independent of\nmachine architecture issues.\n\nNot all Python object types are supported; in general, only objects\nwhose value is independent from a particular invocation of Python can be\nwritten and read. The following types are supported: None, integers,\nfloating-point numbers, strings, bytes, bytearrays, tuples, lists, sets,\ndictionaries, and code objects, where it should be understood that\ntuples, lists and dictionaries are only supported as long as the values\ncontained therein are themselves supported; and recursive lists and\ndictionaries should not be written (they will cause infinite loops)."
)]
pub mod module {
    use super::*;

    #[pyattr]
    fn version(_vm: &Vm) -> Res<Value> {
        Ok(Value::int(VERSION.into()))
    }

    /// Return the bytes object that would be written to a file by dump(value, file).
    ///
    ///   value
    ///     Must be a supported type.
    ///   version
    ///     Indicates the data format that dumps should use.
    ///   allow_code
    ///     Allow to write code objects.
    ///
    /// Raise a ValueError exception if value has (or contains an object that has) an
    /// unsupported type.
    #[pyfunction(sig = "(value, version=5, /, *, allow_code=True)")]
    fn dumps(vm: &Vm, value: &Value, version: i32, allow_code: bool) -> Res<Value> {
        audit(vm, "marshal.dumps", || [value.clone(), Value::int(version.into())])?;
        write(vm, value, version, allow_code).map(Bytes::new_value)
    }

    /// Write the value on the open file.
    ///
    ///   value
    ///     Must be a supported type.
    ///   file
    ///     Must be a writeable binary file.
    ///   version
    ///     Indicates the data format that dump should use.
    ///   allow_code
    ///     Allow to write code objects.
    ///
    /// If the value has (or contains an object that has) an unsupported type, a
    /// ValueError exception is raised - but garbage data will also be written to the
    /// file. The object will not be properly read back by load().
    #[pyfunction(sig = "(value, file, version=5, /, *, allow_code=True)")]
    fn dump(vm: &Vm, value: &Value, file: &Value, version: i32, allow_code: bool) -> Res<Value> {
        audit(vm, "marshal.dumps", || [value.clone(), Value::int(version.into())])?;
        let bytes = write(vm, value, version, allow_code)?;
        vm.call_method(file, intern!("write"), &[Bytes::new_value(bytes)])
    }

    /// Convert the bytes-like object to a value.
    ///
    ///   allow_code
    ///     Allow to load code objects.
    ///
    /// If no valid value is found, raise EOFError, ValueError or TypeError.  Extra
    /// bytes in the input are ignored.
    #[pyfunction(sig = "(bytes, /, *, allow_code=True)")]
    fn loads(vm: &Vm, bytes: &Value, allow_code: bool) -> Res<Value> {
        let Some(data) = bytes_like(vm, bytes)? else {
            let got = bytes.ty().name();
            return Err(vm.type_error(format!("a bytes-like object is required, not '{got}'")));
        };
        audit(vm, "marshal.loads", || [Bytes::new_value(&*data)])?;
        read(vm, Source::Bytes(&data), allow_code)
    }

    /// Read one value from the open file and return it.
    ///
    ///   file
    ///     Must be readable binary file.
    ///   allow_code
    ///     Allow to load code objects.
    ///
    /// If no valid value is read (e.g. because the data has a different Python
    /// version's incompatible marshal format), raise EOFError, ValueError or
    /// TypeError.
    ///
    /// Note: If an object containing an unsupported type was marshalled with
    /// dump(), load() will substitute None for the unmarshallable type.
    #[pyfunction(sig = "(file, /, *, allow_code=True)")]
    fn load(vm: &Vm, file: &Value, allow_code: bool) -> Res<Value> {
        audit(vm, "marshal.load", || [])?;
        // Whether it is a file of bytes.
        let data = vm.call_method(file, intern!("read"), &[Value::int(0)])?;
        if data.downcast::<Bytes>().is_none() {
            let got = data.ty().name();
            return Err(vm.type_error(format!("file.read() returned not bytes but {got}")));
        }
        read(vm, Source::File(file), allow_code)
    }
}

/// The bytes of `value`.
pub fn write(vm: &Vm, value: &Value, version: i32, allow_code: bool) -> Res<Vec<u8>> {
    let mut writer = Writer {
        vm,
        out: Vec::new(),
        refs: HashMap::new(),
        version,
        allow_code,
        depth: 0,
        dumps: Rc::default(),
    };
    writer.value(value)?;
    Ok(writer.out)
}

fn read(vm: &Vm, source: Source<'_>, allow_code: bool) -> Res<Value> {
    let mut reader = Reader {
        vm,
        source,
        refs: Vec::new(),
        allow_code,
        depth: 0,
    };
    match reader.value()? {
        Some(value) => Ok(value),
        None => Err(vm.type_error("NULL object in marshal data for object")),
    }
}

struct Writer<'a> {
    vm: &'a Vm,
    out: Vec<u8>,
    /// Numbers of the heap values written so far, by their words: they live as long as the value that holds them.
    refs: HashMap<u64, u32>,
    version: i32,
    allow_code: bool,
    depth: u32,
    /// What elements of sets are by themselves, by their words: sets within sets are written once for their order.
    dumps: Rc<RefCell<HashMap<u64, Rc<[u8]>>>>,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value) -> Res<()> {
        if self.depth >= MAX_DEPTH {
            return Err(self.vm.value_error("object too deeply nested to marshal"));
        }
        self.vm.check_stack()?;
        self.depth += 1;
        let result = self.any(value);
        self.depth -= 1;
        result
    }

    fn any(&mut self, value: &Value) -> Res<()> {
        if value.is_none() {
            self.out.push(b'N');
        } else if value.is_bool() {
            self.out.push(if value.is_true() { b'T' } else { b'F' });
        } else if value.is(&Value::ELLIPSIS) {
            self.out.push(b'.');
        } else if value.is(exceptions::STOP_ITERATION.get().as_value()) {
            self.out.push(b'S');
        } else if let Some(i) = value.as_small_int() {
            self.int(IntRef::Small(i), 0);
        } else if let Some(x) = value.as_exact_float() {
            self.float(x, 0);
        } else {
            let flag = match self.reference(value) {
                Some(flag) => flag,
                None => return Ok(()),
            };
            self.heap(value, flag)?;
        }
        Ok(())
    }

    /// Elements of a set in the order of their bytes, so that equal sets are written alike.
    fn in_order(&self, items: Vec<Value>) -> Res<Vec<Value>> {
        if items.len() < 2 {
            return Ok(items);
        }
        let mut pairs = Vec::with_capacity(items.len());
        for item in items {
            let known = self.dumps.borrow().get(&item.bits()).cloned();
            if let Some(known) = known {
                pairs.push((known, item));
                continue;
            }
            let mut writer = Writer {
                vm: self.vm,
                out: Vec::new(),
                refs: HashMap::new(),
                version: self.version,
                allow_code: self.allow_code,
                depth: self.depth + 1,
                dumps: self.dumps.clone(),
            };
            writer.value(&item)?;
            let dump: Rc<[u8]> = writer.out.into();
            self.dumps.borrow_mut().insert(item.bits(), dump.clone());
            pairs.push((dump, item));
        }
        pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(pairs.into_iter().map(|(_, item)| item).collect())
    }

    /// Writes a reference if the value was written before; else gives the flag for its type code.
    fn reference(&mut self, value: &Value) -> Option<u8> {
        if self.version < 3 {
            return Some(0);
        }
        let next = self.refs.len() as u32;
        match self.refs.entry(value.bits()) {
            std::collections::hash_map::Entry::Occupied(seen) => {
                let index = *seen.get();
                self.out.push(b'r');
                self.long(index);
                None
            }
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(next);
                Some(FLAG_REF)
            }
        }
    }

    fn heap(&mut self, value: &Value, flag: u8) -> Res<()> {
        if let Some(s) = value.downcast_exact::<Str>() {
            self.text(s, flag)
        } else if let Some(bytes) = value.downcast_exact::<Bytes>() {
            self.blob(b's' | flag, bytes.as_slice())
        } else if let Some(tuple) = value.downcast_exact::<Tuple>() {
            let items = tuple.as_slice();
            match u8::try_from(items.len()) {
                Ok(n) if self.version >= 4 => self.out.extend([b')' | flag, n]),
                _ => self.size(b'(' | flag, items.len())?,
            }
            items.iter().try_for_each(|item| self.value(item))
        } else if let Some(code) = value.downcast_exact::<Code>() {
            if !self.allow_code {
                return Err(self.vm.value_error("marshalling code objects is disallowed"));
            }
            let plain = code_data::plain(self.vm, code)?;
            self.blob(b'c' | flag, &lisle_bytecode::serialize(&plain))
        } else if let Some(list) = value.downcast_exact::<List>() {
            self.items(b'[' | flag, &list.snapshot())
        } else if let Some(dict) = value.downcast_exact::<Dict>() {
            self.out.push(b'{' | flag);
            for (key, item) in dict.snapshot() {
                self.value(&key)?;
                self.value(&item)?;
            }
            self.out.push(b'0');
            Ok(())
        } else if let Some(set) = value.downcast_exact::<Set>() {
            let items = self.in_order(set.snapshot())?;
            self.items(b'<' | flag, &items)
        } else if let Some(set) = value.downcast_exact::<FrozenSet>() {
            let items = self.in_order(set.snapshot())?;
            self.items(b'>' | flag, &items)
        } else if let Some(int) = value.downcast_exact::<Int>() {
            self.int(IntRef::of(&int.value), flag);
            Ok(())
        } else if let Some(z) = value.downcast_exact::<Complex>() {
            self.complex(z.re, z.im, flag);
            Ok(())
        } else if let Some(slice) = value.downcast_exact::<Slice>()
            && self.version >= 5
        {
            self.out.push(b':' | flag);
            [&slice.start, &slice.stop, &slice.step]
                .into_iter()
                .try_for_each(|part| self.value(part))
        } else if let Some(bytes) = bytes_like(self.vm, value)? {
            self.blob(b's' | flag, &bytes)
        } else {
            Err(self.vm.value_error("unmarshallable object"))
        }
    }

    fn items(&mut self, code: u8, items: &[Value]) -> Res<()> {
        self.size(code, items.len())?;
        items.iter().try_for_each(|item| self.value(item))
    }

    fn long(&mut self, x: u32) {
        self.out.extend(x.to_le_bytes());
    }

    fn size(&mut self, code: u8, n: usize) -> Res<()> {
        let Ok(n) = i32::try_from(n) else {
            return Err(self.vm.value_error("unmarshallable object"));
        };
        self.out.push(code);
        self.long(n as u32);
        Ok(())
    }

    fn blob(&mut self, code: u8, bytes: &[u8]) -> Res<()> {
        self.size(code, bytes.len())?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn text(&mut self, s: &Py<Str>, flag: u8) -> Res<()> {
        let interned = s.is_interned() && self.version >= 3;
        if self.version >= 4
            && let Some(ascii) = s.as_ascii()
        {
            return match u8::try_from(ascii.len()) {
                Ok(n) => {
                    self.out.extend([if interned { b'Z' } else { b'z' } | flag, n]);
                    self.out.extend_from_slice(ascii.as_bytes());
                    Ok(())
                }
                Err(_) => self.blob(if interned { b'A' } else { b'a' } | flag, ascii.as_bytes()),
            };
        }
        let mut utf8 = Vec::new();
        s.view().chars().for_each(|c| push_utf8(&mut utf8, c));
        self.blob(if interned { b't' } else { b'u' } | flag, &utf8)
    }

    fn int(&mut self, n: IntRef<'_>, flag: u8) {
        if let IntRef::Small(i) = n
            && let Ok(i) = i32::try_from(i)
        {
            self.out.push(b'i' | flag);
            self.long(i as u32);
            return;
        }
        let n = n.to_bigint();
        let digits = regroup(&n.magnitude().to_bytes_le());
        let count = digits.len() as i32;
        self.out.push(b'l' | flag);
        self.long(if n.sign() == Sign::Minus { -count } else { count } as u32);
        digits.iter().for_each(|d| self.out.extend(d.to_le_bytes()));
    }

    fn float(&mut self, x: f64, flag: u8) {
        if self.version > 1 {
            self.out.push(b'g' | flag);
            self.out.extend(x.to_le_bytes());
        } else {
            self.out.push(b'f' | flag);
            self.float_text(x);
        }
    }

    fn complex(&mut self, re: f64, im: f64, flag: u8) {
        if self.version > 1 {
            self.out.push(b'y' | flag);
            self.out.extend(re.to_le_bytes());
            self.out.extend(im.to_le_bytes());
        } else {
            self.out.push(b'x' | flag);
            self.float_text(re);
            self.float_text(im);
        }
    }

    fn float_text(&mut self, x: f64) {
        let text = crate::text::float::repr_float(x);
        self.out.push(text.len() as u8);
        self.out.extend_from_slice(text.as_bytes());
    }
}

/// Bytes, lowest first, to digits of 15 bits.
fn regroup(bytes: &[u8]) -> Vec<u16> {
    let mut digits = Vec::with_capacity(bytes.len() * 8 / DIGIT_BITS + 1);
    let (mut bits, mut count) = (0u32, 0);
    for &byte in bytes {
        bits |= u32::from(byte) << count;
        count += 8;
        if count >= DIGIT_BITS {
            digits.push((bits & 0x7fff) as u16);
            bits >>= DIGIT_BITS;
            count -= DIGIT_BITS;
        }
    }
    if bits != 0 {
        digits.push(bits as u16);
    }
    digits
}

/// UTF-8 in which lone surrogates are encoded like other characters.
fn push_utf8(out: &mut Vec<u8>, c: u32) {
    let tail = |shift: u32| 0x80 | (c >> shift & 0x3f) as u8;
    match c {
        0..0x80 => out.push(c as u8),
        0x80..0x800 => out.extend([0xc0 | (c >> 6) as u8, tail(0)]),
        0x800..0x1_0000 => out.extend([0xe0 | (c >> 12) as u8, tail(6), tail(0)]),
        _ => out.extend([0xf0 | (c >> 18) as u8, tail(12), tail(6), tail(0)]),
    }
}

/// Where marshalled bytes come from.
enum Source<'a> {
    Bytes(&'a [u8]),
    /// An object with a method `readinto`.
    File(&'a Value),
}

struct Reader<'a> {
    vm: &'a Vm,
    source: Source<'a>,
    /// What has a number; `None` while it is being read.
    refs: Vec<Option<Value>>,
    allow_code: bool,
    depth: u32,
}

impl<'a> Reader<'a> {
    fn bad(&self, what: &str) -> Exc {
        self.vm.value_error(format!("bad marshal data ({what})"))
    }

    fn take(&mut self, n: usize) -> Res<std::borrow::Cow<'a, [u8]>> {
        match &mut self.source {
            Source::Bytes(bytes) => match bytes.split_at_checked(n) {
                Some((head, rest)) => {
                    *bytes = rest;
                    Ok(head.into())
                }
                None => Err(self.vm.eof_error("marshal data too short")),
            },
            Source::File(file) => {
                let mut room = Vec::new();
                room.try_reserve_exact(n)?;
                room.resize(n, 0);
                let buffer = ByteArray::new_value(room);
                let read = self
                    .vm
                    .call_method(file, intern!("readinto"), std::slice::from_ref(&buffer))?;
                match self.vm.index_to_isize(&read)? {
                    read if read == n as isize => {}
                    read if read > n as isize => {
                        return Err(self.vm.value_error(format!(
                            "read() returned too much data: {n} bytes requested, {read} returned"
                        )));
                    }
                    _ => return Err(self.vm.eof_error("EOF read where not expected")),
                }
                match bytes_like(self.vm, &buffer)? {
                    Some(bytes) if bytes.len() == n => Ok(bytes.to_vec().into()),
                    _ => Err(self.vm.eof_error("EOF read where not expected")),
                }
            }
        }
    }

    fn byte(&mut self) -> Res<u8> {
        if matches!(self.source, Source::Bytes([])) {
            return Err(self.vm.eof_error("EOF read where not expected"));
        }
        let bytes = self.take(1)?;
        bytes
            .first()
            .copied()
            .ok_or_else(|| self.vm.eof_error("EOF read where not expected"))
    }

    fn array<const N: usize>(&mut self) -> Res<[u8; N]> {
        let bytes = self.take(N)?;
        bytes
            .first_chunk()
            .copied()
            .ok_or_else(|| self.vm.eof_error("EOF read where not expected"))
    }

    fn long(&mut self) -> Res<i32> {
        self.array().map(i32::from_le_bytes)
    }

    /// A size, which cannot be more than the bytes that are left allow when they are known.
    fn size(&mut self, what: &str) -> Res<usize> {
        let n = self.long()?;
        let Ok(n) = usize::try_from(n) else {
            return Err(self.bad(&format!("{what} size out of range")));
        };
        match &self.source {
            Source::Bytes(bytes) if n > bytes.len() => Err(self.vm.eof_error("marshal data too short")),
            _ => Ok(n),
        }
    }

    fn value(&mut self) -> Res<Option<Value>> {
        if self.depth >= MAX_DEPTH {
            return Err(self.vm.value_error("recursion limit exceeded"));
        }
        self.vm.check_stack()?;
        let first = match self.byte() {
            Ok(byte) => byte,
            Err(exc) if exc.is(&exceptions::EOF_ERROR) => {
                return Err(self.vm.eof_error("EOF read where object expected"));
            }
            Err(exc) => return Err(exc),
        };
        self.depth += 1;
        let place = (first & FLAG_REF != 0).then(|| {
            self.refs.push(None);
            self.refs.len() - 1
        });
        let result = self.any(first & !FLAG_REF, place);
        self.depth -= 1;
        let value = result?;
        if let (Some(place), Some(value)) = (place, &value) {
            self.refs[place] = Some(value.clone());
        }
        Ok(value)
    }

    /// A value inside of a `what`.
    fn inner(&mut self, what: &str) -> Res<Value> {
        match self.value()? {
            Some(value) => Ok(value),
            None => Err(self.vm.type_error(format!("NULL object in marshal data for {what}"))),
        }
    }

    fn any(&mut self, code: u8, place: Option<usize>) -> Res<Option<Value>> {
        Ok(Some(match code {
            b'0' => return Ok(None),
            b'N' => Value::NONE,
            b'F' => Value::FALSE,
            b'T' => Value::TRUE,
            b'.' => Value::ELLIPSIS,
            b'S' => exceptions::STOP_ITERATION.get().to_value(),
            b'i' => Value::int(self.long()?.into()),
            b'I' => Value::int(i64::from_le_bytes(self.array()?)),
            b'l' => self.big_int()?,
            b'g' => Value::float(f64::from_le_bytes(self.array()?)),
            b'f' => Value::float(self.float_text()?),
            b'y' => complex::boxed(f64::from_le_bytes(self.array()?), f64::from_le_bytes(self.array()?)),
            b'x' => complex::boxed(self.float_text()?, self.float_text()?),
            b's' => {
                let n = self.size("bytes object")?;
                Bytes::new_value(self.take(n)?.into_owned())
            }
            b'a' | b'A' => {
                let n = self.size("string")?;
                self.ascii(n, code == b'A')?
            }
            b'z' | b'Z' => {
                let n = self.byte()?.into();
                self.ascii(n, code == b'Z')?
            }
            b'u' | b't' => {
                let n = self.size("string")?;
                let bytes = self.take(n)?;
                let Some(s) = decode_utf8(&bytes) else {
                    let bytes = Bytes::new_value(bytes.into_owned());
                    return Err(self.vm.unicode_decode_error("utf-8", bytes, 0, 1, "invalid start byte"));
                };
                if code == b't' {
                    s.intern_new().into_value()
                } else {
                    s.into_value()
                }
            }
            b')' => {
                let n = self.byte()?.into();
                self.tuple(n)?
            }
            b'(' => {
                let n = self.size("tuple")?;
                self.tuple(n)?
            }
            b'[' => {
                let n = self.size("list")?;
                let list = List::new(Vec::new());
                self.announce(place, &list);
                for _ in 0..n {
                    let item = self.inner("list")?;
                    list.push(self.vm, item)?;
                }
                list.into_value()
            }
            b'{' => {
                let dict = Dict::new_empty();
                self.announce(place, &dict);
                while let Some(key) = self.value()? {
                    let Some(item) = self.value()? else { break };
                    dict.set(self.vm, &key, item)?;
                }
                dict.into_value()
            }
            b'<' => {
                let n = self.size("set")?;
                let set = Set::new_empty();
                self.announce(place, &set);
                for _ in 0..n {
                    let item = self.inner("set")?;
                    set.add(self.vm, &item)?;
                }
                set.into_value()
            }
            b'>' => {
                let n = self.size("set")?;
                let items = self.many(n, "set")?;
                FrozenSet::from_values(self.vm, items)?
            }
            b':' => Slice::new_value(self.inner("slice")?, self.inner("slice")?, self.inner("slice")?),
            b'c' => self.code()?,
            b'r' => {
                let index = self.long()?;
                let known = usize::try_from(index).ok().and_then(|i| self.refs.get(i)?.clone());
                known.ok_or_else(|| self.bad("invalid reference"))?
            }
            _ => return Err(self.bad("unknown type code")),
        }))
    }

    /// Gives a container its number before its items are read: they may refer to it.
    fn announce<T>(&mut self, place: Option<usize>, container: &Py<T>) {
        if let Some(place) = place {
            self.refs[place] = Some(container.to_value());
        }
    }

    fn many(&mut self, n: usize, what: &str) -> Res<Vec<Value>> {
        let mut items = Vec::with_capacity(n.min(4096));
        for _ in 0..n {
            items.push(self.inner(what)?);
        }
        Ok(items)
    }

    fn tuple(&mut self, n: usize) -> Res<Value> {
        self.many(n, "tuple").map(|items| Tuple::new(items).into_value())
    }

    fn ascii(&mut self, n: usize, interned: bool) -> Res<Value> {
        let bytes = self.take(n)?;
        // CPython takes any byte here and reads it as Latin-1.
        let text: String = bytes.iter().map(|&b| char::from(b)).collect();
        Ok(if interned {
            Str::intern(&text).into_value()
        } else {
            Str::from_str(&text).into_value()
        })
    }

    fn float_text(&mut self) -> Res<f64> {
        let n = self.byte()?.into();
        let bytes = self.take(n)?;
        let text = std::str::from_utf8(&bytes).ok();
        let parsed = text.and_then(|t| t.parse::<f64>().ok());
        parsed.ok_or_else(|| self.vm.value_error("could not convert string to float"))
    }

    fn big_int(&mut self) -> Res<Value> {
        let n = self.long()?;
        let count = n.unsigned_abs() as usize;
        if n == i32::MIN {
            return Err(self.bad("long size out of range"));
        }
        let bytes = self.take(count * 2)?;
        let mut packed = Vec::with_capacity(count * 2);
        let (mut bits, mut have) = (0u32, 0);
        for pair in bytes.chunks_exact(2) {
            let digit = u16::from_le_bytes([pair[0], pair[1]]);
            if digit > 0x7fff {
                return Err(self.bad("digit out of range in long"));
            }
            bits |= u32::from(digit) << have;
            have += DIGIT_BITS;
            while have >= 8 {
                packed.push(bits as u8);
                bits >>= 8;
                have -= 8;
            }
        }
        packed.push(bits as u8);
        if count > 0 && bytes.ends_with(&[0, 0]) {
            return Err(self.bad("unnormalized long data"));
        }
        let sign = if n < 0 { Sign::Minus } else { Sign::Plus };
        Ok(Value::bigint(BigInt::from_biguint(
            sign,
            BigUint::from_bytes_le(&packed),
        )))
    }

    fn code(&mut self) -> Res<Value> {
        if !self.allow_code {
            return Err(self.vm.value_error("unmarshalling code objects is disallowed"));
        }
        let n = self.size("code object")?;
        let bytes = self.take(n)?;
        match lisle_bytecode::deserialize(&bytes) {
            Ok(code) => Code::new(self.vm, code).map(Py::into_value),
            Err(error) => Err(self.bad(&error.to_string())),
        }
    }
}

/// Text from UTF-8 in which lone surrogates may be encoded like other characters.
fn decode_utf8(bytes: &[u8]) -> Option<Py<Str>> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(Str::from_str(text));
    }
    let mut builder = StrBuilder::new();
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let (n, mut c) = match first {
            0..0x80 => (1, u32::from(first)),
            0xc2..0xe0 => (2, u32::from(first & 0x1f)),
            0xe0..0xf0 => (3, u32::from(first & 0x0f)),
            0xf0..0xf5 => (4, u32::from(first & 0x07)),
            _ => return None,
        };
        for &byte in rest.get(1..n)? {
            if byte & 0xc0 != 0x80 {
                return None;
            }
            c = c << 6 | u32::from(byte & 0x3f);
        }
        let least = [0, 0x80, 0x800, 0x1_0000][n - 1];
        if c < least || c > 0x10_ffff {
            return None;
        }
        builder.push(c);
        rest = &rest[n..];
    }
    Some(Str::from_buf(builder.finish()))
}
