//! Unpickling.
//!
//! Invariant: nothing that a pickle says is trusted: lengths are checked against what is there, the stack against its marks, numbers of
//! the memo cost no more than themselves.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::*};

use lisle_runtime::intern;
use lisle_runtime::memory::room;
use lisle_runtime::native::*;
use lisle_runtime::object::attrs::Attrs;
use lisle_runtime::sync::Locked;
use lisle_runtime::text::StrView;
use lisle_runtime::types::buffer::get_bytes;
use lisle_runtime::types::bytearray::ByteArray;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::list::List;
use lisle_runtime::types::memoryview::MemoryView;
use lisle_runtime::types::number_text::{parse_float_bytes, parse_int_bytes};
use lisle_runtime::types::set::{FrozenSet, Set};
use lisle_runtime::types::tuple::Tuple;
use num_bigint::BigInt;

use super::memo::{self, LoadMemo, UnpicklerMemoProxy};
use super::{HIGHEST_PROTOCOL, op, unpickling_error};

#[pyclass(
    name = "Unpickler",
    module = "_pickle",
    basetype,
    doc = "This takes a binary file for reading a pickle data stream.\n\nThe protocol version of the pickle is detected automatically, so no\nprotocol argument is needed.  Bytes past the pickled object's\nrepresentation are ignored."
)]
pub struct Unpickler {
    pub memo: Locked<LoadMemo>,
    read: Slot,
    readline: Slot,
    buffers: Slot,
    encoding: Slot,
    errors: Slot,
    fix_imports: AtomicBool,
    ready: AtomicBool,
    /// Of the last load.
    protocol: AtomicI64,
}

impl Unpickler {
    fn empty() -> Unpickler {
        Unpickler {
            memo: Locked::new(LoadMemo::default()),
            read: Slot::empty(),
            readline: Slot::empty(),
            buffers: Slot::empty(),
            encoding: Slot::empty(),
            errors: Slot::empty(),
            fix_imports: AtomicBool::new(true),
            ready: AtomicBool::new(false),
            protocol: AtomicI64::new(0),
        }
    }

    pub fn make() -> Py<Unpickler> {
        Py::new(Unpickler::empty())
    }
}

/// Sets an unpickler's options.
pub fn prepare(
    vm: &Vm,
    this: &Py<Unpickler>,
    fix_imports: bool,
    encoding: Option<&Py<Str>>,
    errors: Option<&Py<Str>>,
    buffers: Option<&Value>,
) -> Res<()> {
    let buffers = buffers.filter(|buffers| !buffers.is_none());
    let buffers = buffers.map(|buffers| vm.iter(buffers)).transpose()?;
    drop(this.buffers.swap(buffers));
    let text =
        |given: Option<&Py<Str>>, default: &str| given.map_or_else(|| Value::from(default), |text| text.to_value());
    drop(this.encoding.swap(Some(text(encoding, "ASCII"))));
    drop(this.errors.swap(Some(text(errors, "strict"))));
    this.fix_imports.store(fix_imports, Release);
    drop(this.memo.with(this.header(), std::mem::take));
    this.ready.store(true, Release);
    Ok(())
}

pub fn set_file(vm: &Vm, this: &Py<Unpickler>, file: &Value) -> Res<()> {
    let read = vm.getattr_opt(file, intern!("read"))?;
    let readline = vm.getattr_opt(file, intern!("readline"))?;
    if read.is_none() || readline.is_none() {
        return Err(vm.type_error("file must have 'read' and 'readline' attributes"));
    }
    drop(this.read.swap(read));
    drop(this.readline.swap(readline));
    Ok(())
}

/// Loads one object, from the file or from `data`.
pub fn load(vm: &Vm, this: &Py<Unpickler>, data: &[u8]) -> Res<Value> {
    if !this.ready.load(Acquire) {
        let name = this.class().name();
        let message = format!("Unpickler.__init__() was not called by {name}.__init__()");
        return Err(unpickling_error(vm, message));
    }
    this.protocol.store(0, Release);
    let mut loader = Loader {
        vm,
        this,
        exact: this.class().is(Unpickler::ty()),
        input: Cow::Borrowed(data),
        at: 0,
        read: this.read.get(),
        stack: Vec::new(),
        marks: Vec::new(),
        protocol: 0,
    };
    loader.run()
}

struct Loader<'a> {
    vm: &'a Vm,
    this: &'a Py<Unpickler>,
    exact: bool,
    /// What was read and not used up from `at` on.
    input: Cow<'a, [u8]>,
    at: usize,
    read: Option<Value>,
    stack: Vec<Value>,
    marks: Vec<usize>,
    protocol: i64,
}

/// What the C library's `strtol` makes of a whole line, if it is a number to it: zeros in front mean octal digits.
fn c_long(line: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(line)
        .ok()?
        .trim_start_matches([' ', '\t', '\x0b', '\x0c', '\r']);
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (&text[..1], digits),
        None => ("", text),
    };
    let hex = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let (digits, base) = match hex {
        Some(digits) => (digits, 16),
        None if digits.starts_with('0') => (digits, 8),
        None => (digits, 10),
    };
    if digits.starts_with(['-', '+']) {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{digits}"), base).ok()
}

fn uint(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte))
}

impl<'a> Loader<'a> {
    // Input.

    #[cold]
    fn truncated(&self) -> Exc {
        unpickling_error(self.vm, "pickle data was truncated")
    }

    /// Reads from the file so that `count` bytes are there; whether they are.
    #[inline(always)]
    fn fill(&mut self, count: usize) -> Res<bool> {
        if self.input.len() - self.at >= count {
            return Ok(true);
        }
        self.fill_from_file(count)
    }

    #[inline(never)]
    fn fill_from_file(&mut self, count: usize) -> Res<bool> {
        let have = self.input.len() - self.at;
        let Some(read) = &self.read else { return Ok(false) };
        let wanted = count - have;
        let data = self.vm.call(read, &[Value::usize(wanted)])?;
        let bytes = get_bytes(self.vm, &data)?;
        if have == 0 {
            self.input = Cow::Owned(room::copied(&bytes)?);
        } else {
            let mut input = Vec::new();
            input.try_reserve_exact(have + bytes.len())?;
            input.extend_from_slice(&self.input[self.at..]);
            input.extend_from_slice(&bytes);
            self.input = Cow::Owned(input);
        }
        self.at = 0;
        Ok(self.input.len() >= count)
    }

    #[inline(always)]
    fn bytes<const N: usize>(&mut self) -> Res<[u8; N]> {
        if !self.fill(N)? {
            return Err(self.truncated());
        }
        let mut out = [0; N];
        out.copy_from_slice(&self.input[self.at..self.at + N]);
        self.at += N;
        Ok(out)
    }

    #[inline(always)]
    fn byte(&mut self) -> Res<u8> {
        self.bytes::<1>().map(|[byte]| byte)
    }

    /// A payload of that length.
    fn payload(&mut self, len: u64, what: &str) -> Res<&[u8]> {
        // What is added to a place in the input must not overflow.
        const LARGEST: usize = isize::MAX as usize - (1 << 32);
        let Some(len) = usize::try_from(len).ok().filter(|len| *len <= LARGEST) else {
            let message = format!("{what} exceeds system's maximum size of {} bytes", isize::MAX);
            return Err(self.vm.overflow_error(message));
        };
        if !self.fill(len)? {
            return Err(self.truncated());
        }
        let start = self.at;
        self.at += len;
        Ok(&self.input[start..start + len])
    }

    /// A line without its end.
    fn line(&mut self) -> Res<Vec<u8>> {
        let rest = &self.input[self.at..];
        if let Some(len) = memchr::memchr(b'\n', rest) {
            let line = room::copied(&rest[..len])?;
            self.at += len + 1;
            return Ok(line);
        }
        let mut line = room::copied(rest)?;
        let readline = match (&self.read, self.this.readline.get()) {
            (Some(_), Some(readline)) => readline,
            _ => return Err(self.truncated()),
        };
        self.at = self.input.len();
        let data = self.vm.call(&readline, &[])?;
        room::append(&mut line, &get_bytes(self.vm, &data)?)?;
        if line.pop() != Some(b'\n') {
            return Err(self.truncated());
        }
        Ok(line)
    }

    /// A line that is not empty.
    fn name_line(&mut self) -> Res<Vec<u8>> {
        let line = self.line()?;
        if line.is_empty() {
            Err(self.truncated())
        } else {
            Ok(line)
        }
    }

    // The stack.

    #[inline(always)]
    fn fence(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    #[cold]
    fn underflow(&self) -> Exc {
        let message = match self.marks.is_empty() {
            false => "unexpected MARK found",
            true => "unpickling stack underflow",
        };
        unpickling_error(self.vm, message)
    }

    #[inline(always)]
    fn pop(&mut self) -> Res<Value> {
        if self.stack.len() <= self.fence() {
            return Err(self.underflow());
        }
        self.stack.pop().ok_or_else(|| self.underflow())
    }

    #[inline(always)]
    fn top(&self) -> Res<&Value> {
        match self.stack.last() {
            Some(top) if self.stack.len() > self.fence() => Ok(top),
            _ => Err(self.underflow()),
        }
    }

    #[inline(always)]
    fn mark(&mut self) -> Res<usize> {
        match self.marks.pop() {
            Some(mark) => Ok(mark),
            None => Err(unpickling_error(self.vm, "could not find MARK")),
        }
    }

    fn pop_mark(&mut self) -> Res<Vec<Value>> {
        let mark = self.mark()?;
        Ok(self.stack.split_off(mark))
    }

    #[inline(always)]
    fn pop_array<const N: usize>(&mut self) -> Res<()> {
        if self.stack.len() < self.fence() + N {
            return Err(self.underflow());
        }
        // From the last one to the first.
        let mut items = [const { Value::NONE }; N];
        for at in (0..N).rev() {
            items[at] = self.pop()?;
        }
        self.stack.push(Tuple::from_array(items).into_value());
        Ok(())
    }

    #[inline(always)]
    fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    // The memo.

    fn put(&mut self, at: usize) -> Res<()> {
        let value = self.top()?.clone();
        drop(self.this.memo.with(self.this.header(), |memo| memo.put(at, value)));
        Ok(())
    }

    fn get(&mut self, at: usize) -> Res<()> {
        match self.this.memo.with(self.this.header(), |memo| memo.get(at)) {
            Some(value) => {
                self.push(value);
                Ok(())
            }
            None => Err(self.not_in_memo(at)),
        }
    }

    #[cold]
    fn not_in_memo(&self, at: usize) -> Exc {
        unpickling_error(self.vm, format!("Memo value not found at index {at}"))
    }

    fn number_line(&mut self) -> Res<Value> {
        let line = self.name_line()?;
        self.parse_line(&line, 10)
    }

    /// The int of a line; an error shows it as text, with its end.
    fn parse_line(&self, line: &[u8], base: u32) -> Res<Value> {
        if let [b'1'..=b'9', ..] | [b'0'] = line
            && line.len() < 19
            && let Some(n) = std::str::from_utf8(line).ok().and_then(|text| text.parse::<i64>().ok())
        {
            return Ok(Value::int(n));
        }
        parse_int_bytes(self.vm, &Value::NONE, line, base).or_else(|_| {
            let shown = self.decoded([line, b"\n"].concat(), "utf-8")?;
            // The error names the base that the line seems to have.
            let digits = line.trim_ascii_start();
            let base = match digits.strip_prefix(b"-").unwrap_or(digits) {
                [b'0', b'x' | b'X', ..] => 16,
                [b'0', b'o' | b'O', ..] => 8,
                [b'0', b'b' | b'B', ..] => 2,
                [b'0', ..] => base,
                _ => 10,
            };
            parse_int_bytes(self.vm, &shown, line, base)
        })
    }

    fn run(&mut self) -> Res<Value> {
        let mut steps = 0_u32;
        loop {
            if !self.fill(1)? {
                return Err(self.vm.eof_error("Ran out of input"));
            }
            let opcode = self.input[self.at];
            self.at += 1;
            if opcode == op::STOP {
                return self.pop();
            }
            self.step(opcode)?;
            steps = steps.wrapping_add(1);
            if steps.is_multiple_of(4096) {
                self.vm.safepoint()?;
            }
        }
    }

    #[inline(always)]
    fn step(&mut self, opcode: u8) -> Res<()> {
        let vm = self.vm;
        match opcode {
            op::NONE => self.push(Value::NONE),
            op::NEWTRUE => self.push(Value::TRUE),
            op::NEWFALSE => self.push(Value::FALSE),
            op::BININT => {
                let n = i32::from_le_bytes(self.bytes()?);
                self.push(Value::int(n.into()));
            }
            op::BININT1 => {
                let n = self.byte()?;
                self.push(Value::int(n.into()));
            }
            op::BININT2 => {
                let n = u16::from_le_bytes(self.bytes()?);
                self.push(Value::int(n.into()));
            }
            op::INT => self.load_int()?,
            op::LONG => {
                let line = self.name_line()?;
                let value = self.parse_line(line.strip_suffix(b"L").unwrap_or(&line), 0)?;
                self.push(value);
            }
            op::LONG1 => {
                let len = self.byte()?;
                self.load_long(len.into())?;
            }
            op::LONG4 => {
                let Ok(len) = u64::try_from(i32::from_le_bytes(self.bytes()?)) else {
                    return Err(unpickling_error(vm, "LONG pickle has negative byte count"));
                };
                self.load_long(len)?;
            }
            op::FLOAT => {
                let line = self.name_line()?;
                self.load_float(&line)?;
            }
            op::BINFLOAT => {
                let x = f64::from_be_bytes(self.bytes()?);
                self.push(Value::float(x));
            }
            op::SHORT_BINBYTES | op::BINBYTES | op::BINBYTES8 => {
                let (len, name) = match opcode {
                    op::SHORT_BINBYTES => (u64::from(self.byte()?), "SHORT_BINBYTES"),
                    op::BINBYTES => (uint(&self.bytes::<4>()?), "BINBYTES"),
                    _ => (uint(&self.bytes::<8>()?), "BINBYTES8"),
                };
                let value = Bytes::new_value(room::copied(self.payload(len, name)?)?);
                self.push(value);
            }
            op::BYTEARRAY8 => {
                let len = uint(&self.bytes::<8>()?);
                let value = ByteArray::new_value(room::copied(self.payload(len, "BYTEARRAY8")?)?);
                self.push(value);
            }
            op::SHORT_BINUNICODE | op::BINUNICODE | op::BINUNICODE8 => {
                let (len, name) = match opcode {
                    op::SHORT_BINUNICODE => (u64::from(self.byte()?), "SHORT_BINUNICODE"),
                    op::BINUNICODE => (uint(&self.bytes::<4>()?), "BINUNICODE"),
                    _ => (uint(&self.bytes::<8>()?), "BINUNICODE8"),
                };
                self.load_text(len, name)?;
            }
            op::UNICODE => {
                let line = Bytes::new_value(self.line()?);
                let text = vm.call_method(&line, intern!("decode"), &[Value::from("raw-unicode-escape")])?;
                self.push(text);
            }
            op::STRING => self.load_string()?,
            op::SHORT_BINSTRING => {
                let len = self.byte()?;
                self.load_old_string(len.into())?;
            }
            op::BINSTRING => {
                let Ok(len) = u64::try_from(i32::from_le_bytes(self.bytes()?)) else {
                    return Err(unpickling_error(vm, "BINSTRING pickle has negative byte count"));
                };
                self.load_old_string(len)?;
            }
            op::EMPTY_TUPLE => self.push(Tuple::empty().into_value()),
            op::TUPLE1 => self.pop_array::<1>()?,
            op::TUPLE2 => self.pop_array::<2>()?,
            op::TUPLE3 => self.pop_array::<3>()?,
            op::TUPLE => {
                let items = self.pop_mark()?;
                self.push(Tuple::new(items).into_value());
            }
            op::EMPTY_LIST => self.push(List::new(Vec::new()).into_value()),
            op::LIST => {
                let items = self.pop_mark()?;
                self.push(List::new(items).into_value());
            }
            op::EMPTY_DICT => self.push(Dict::new_empty().into_value()),
            op::DICT => {
                let items = self.pop_mark()?;
                let dict = Dict::new_empty();
                if items.len() % 2 != 0 {
                    return Err(unpickling_error(vm, "odd number of items for DICT"));
                }
                for pair in items.chunks_exact(2) {
                    dict.set(vm, &pair[0], pair[1].clone())?;
                }
                self.push(dict.into_value());
            }
            op::EMPTY_SET => self.push(Set::new_empty().into_value()),
            op::FROZENSET => {
                let items = self.pop_mark()?;
                let set = FrozenSet::from_values(vm, items)?;
                self.push(set);
            }
            op::APPEND => {
                let item = self.pop()?;
                match self.top()?.downcast_exact::<List>() {
                    Some(list) => list.push(vm, item)?,
                    None => self.append(vec![item])?,
                }
            }
            op::APPENDS => {
                let items = self.pop_mark()?;
                self.append(items)?;
            }
            op::SETITEM => {
                let value = self.pop()?;
                let key = self.pop()?;
                match self.top()?.downcast_exact::<Dict>() {
                    Some(dict) => dict.set(vm, &key, value)?,
                    None => vm.setitem(self.top()?, &key, &value)?,
                }
            }
            op::SETITEMS => {
                let mark = self.mark()?;
                self.set_items(mark)?;
            }
            op::ADDITEMS => {
                let items = self.pop_mark()?;
                let set = self.top()?.clone();
                match set.downcast_exact::<Set>() {
                    Some(set) => {
                        for item in &items {
                            set.add(vm, item)?;
                        }
                    }
                    None => {
                        let add = vm.getattr(&set, intern!("add"))?;
                        for item in items {
                            vm.call(&add, &[item])?;
                        }
                    }
                }
            }
            op::MARK => self.marks.push(self.stack.len()),
            op::POP => {
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                } else {
                    drop(self.pop()?);
                }
            }
            op::POP_MARK => drop(self.pop_mark()?),
            op::DUP => {
                let top = self.top()?.clone();
                self.push(top);
            }
            op::BINGET => {
                let at = self.byte()?;
                self.get(at.into())?;
            }
            op::LONG_BINGET => {
                let at = uint(&self.bytes::<4>()?);
                self.get(at as usize)?;
            }
            op::GET => {
                let at = self.number_line()?;
                match vm.index_to_isize(&at).ok().and_then(|at| usize::try_from(at).ok()) {
                    Some(at) => self.get(at)?,
                    None => {
                        let shown = vm.str(&at)?.to_string_lossy();
                        let message = format!("Memo value not found at index {shown}");
                        return Err(unpickling_error(vm, message));
                    }
                }
            }
            op::BINPUT => {
                let at = self.byte()?;
                self.put(at.into())?;
            }
            op::LONG_BINPUT => {
                let at = uint(&self.bytes::<4>()?);
                self.put(at as usize)?;
            }
            op::PUT => {
                let at = self.number_line()?;
                let Ok(at) = usize::try_from(vm.index_to_isize(&at)?) else {
                    return Err(vm.value_error("negative PUT argument"));
                };
                self.put(at)?;
            }
            op::MEMOIZE => {
                let value = self.top()?.clone();
                let old = self.this.memo.with(self.this.header(), |memo| {
                    let at = memo.count();
                    memo.put(at, value)
                });
                if old.is_some() {
                    drop(old);
                }
            }
            op::GLOBAL => {
                let module = self.name_line()?;
                let module = self.decoded(module, "utf-8")?;
                let name = self.name_line()?;
                let name = self.decoded(name, "utf-8")?;
                let found = self.find_class(&module, &name)?;
                self.push(found);
            }
            op::STACK_GLOBAL => {
                let name = self.pop()?;
                let module = self.pop()?;
                if !vm.is_exact::<Str>(&name) || !vm.is_exact::<Str>(&module) {
                    return Err(unpickling_error(vm, "STACK_GLOBAL requires str"));
                }
                let found = self.find_class(&module, &name)?;
                self.push(found);
            }
            op::INST => {
                if self.marks.is_empty() {
                    return Err(unpickling_error(vm, "could not find MARK"));
                }
                let module = self.name_line()?;
                let module = self.decoded(module, "ascii")?;
                let name = self.name_line()?;
                let name = self.decoded(name, "ascii")?;
                let class = self.find_class(&module, &name)?;
                let args = self.pop_mark()?;
                self.instantiate(&class, &args)?;
            }
            op::OBJ => {
                let mut args = self.pop_mark()?;
                if args.is_empty() {
                    return Err(self.underflow());
                }
                let class = args.remove(0);
                self.instantiate(&class, &args)?;
            }
            op::NEWOBJ => self.new_object(false)?,
            op::NEWOBJ_EX => self.new_object(true)?,
            op::REDUCE => {
                let args = self.pop()?;
                let function = self.pop()?;
                let Some(args) = args.downcast::<Tuple>() else {
                    return Err(vm.type_error("argument list must be a tuple"));
                };
                let value = vm.call(&function, args.as_slice())?;
                self.push(value);
            }
            op::BUILD => self.build()?,
            op::EXT1 => {
                let code = i64::from(self.byte()?);
                self.extension(code)?;
            }
            op::EXT2 => {
                let code = u16::from_le_bytes(self.bytes()?).into();
                self.extension(code)?;
            }
            op::EXT4 => {
                let code = i32::from_le_bytes(self.bytes()?).into();
                self.extension(code)?;
            }
            op::PERSID => {
                let line = self.line()?;
                if !line.is_ascii() {
                    return Err(unpickling_error(
                        vm,
                        "persistent IDs in protocol 0 must be ASCII strings",
                    ));
                }
                let id = self.decoded(line, "ascii")?;
                self.persistent(&id)?;
            }
            op::BINPERSID => {
                let id = self.pop()?;
                self.persistent(&id)?;
            }
            op::PROTO => {
                let protocol = i64::from(self.byte()?);
                if protocol > HIGHEST_PROTOCOL {
                    return Err(vm.value_error(format!("unsupported pickle protocol: {protocol}")));
                }
                self.protocol = protocol;
                self.this.protocol.store(protocol, Release);
            }
            op::FRAME => {
                let len = uint(&self.bytes::<8>()?);
                let Some(len) = usize::try_from(len).ok().filter(|len| *len <= isize::MAX as usize) else {
                    let message = format!("FRAME length exceeds system's maximum of {} bytes", isize::MAX);
                    return Err(vm.overflow_error(message));
                };
                if !self.fill(len)? {
                    return Err(self.truncated());
                }
            }
            op::NEXT_BUFFER => {
                let Some(buffers) = self.this.buffers.get() else {
                    let message = "pickle stream refers to out-of-band data but no *buffers* argument was given";
                    return Err(unpickling_error(vm, message));
                };
                match vm.next(&buffers)? {
                    Some(buffer) => self.push(buffer),
                    None => return Err(unpickling_error(vm, "not enough out-of-band buffers")),
                }
            }
            op::READONLY_BUFFER => {
                let buffer = self.top()?.clone();
                let view = MemoryView::of(vm, &buffer)?.into_value();
                let readonly = vm.getattr(&view, intern!("readonly"))?;
                if !vm.truth(&readonly)? {
                    drop(self.pop()?);
                    let view = vm.call_method(&view, intern!("toreadonly"), &[])?;
                    self.push(view);
                }
            }
            other => {
                let shown = match char::from(other) {
                    c @ (' '..='~') if c != '\'' && c != '\\' => c.to_string(),
                    _ => format!("\\x{other:02x}"),
                };
                return Err(unpickling_error(vm, format!("invalid load key, '{shown}'.")));
            }
        }
        Ok(())
    }

    fn load_int(&mut self) -> Res<()> {
        let line = self.name_line()?;
        let value = match c_long(&line) {
            Some(n @ (0 | 1)) if line.len() == 2 => Value::from_bool(n == 1),
            Some(n) => Value::int(n),
            None => parse_int_bytes(self.vm, &Value::NONE, &line, 0)
                .map_err(|_| self.vm.value_error("could not convert string to int"))?,
        };
        self.push(value);
        Ok(())
    }

    fn load_float(&mut self, line: &[u8]) -> Res<()> {
        let vm = self.vm;
        let strict = !line.iter().any(|c| c.is_ascii_whitespace() || *c == b'_');
        let value = match parse_float_bytes(vm, &Value::NONE, line) {
            Ok(value) if strict => value,
            _ => {
                // Numbers with something behind them are told of in other words.
                let begins = (1..line.len()).any(|end| parse_float_bytes(vm, &Value::NONE, &line[..end]).is_ok());
                let message = "could not convert string to float";
                return Err(vm.value_error(if begins && !line[0].is_ascii_whitespace() {
                    message.to_owned()
                } else {
                    format!("{message}: '{}\n'", String::from_utf8_lossy(line))
                }));
            }
        };
        if value.is_infinite() && line.iter().any(u8::is_ascii_digit) {
            let shown = String::from_utf8_lossy(line);
            return Err(vm.overflow_error(format!("value too large to convert to float: '{shown}\n'")));
        }
        self.push(Value::float(value));
        Ok(())
    }

    fn load_long(&mut self, len: u64) -> Res<()> {
        let value = BigInt::from_signed_bytes_le(self.payload(len, "LONG")?);
        self.push(Value::bigint(value));
        Ok(())
    }

    fn load_text(&mut self, len: u64, name: &str) -> Res<()> {
        let vm = self.vm;
        let payload = self.payload(len, name)?;
        if payload.is_ascii() {
            let text = Str::from_view(StrView::Ascii(payload)).into_value();
            self.push(text);
            return Ok(());
        }
        let text = match std::str::from_utf8(payload) {
            Ok(text) => Value::from(text),
            Err(_) => {
                let bytes = Bytes::new_value(payload);
                let args = [Value::from("utf-8"), Value::from("surrogatepass")];
                vm.call_method(&bytes, intern!("decode"), &args)?
            }
        };
        self.push(text);
        Ok(())
    }

    /// A string of Python 2, as the options want it.
    fn push_old_string(&mut self, bytes: Value) -> Res<()> {
        let encoding = self.this.encoding.get().unwrap_or(Value::NONE);
        let raw = encoding
            .downcast::<Str>()
            .is_some_and(|encoding| encoding.is_text("bytes"));
        let value = if raw {
            bytes
        } else {
            let errors = self.this.errors.get().unwrap_or(Value::NONE);
            self.vm.call_method(&bytes, intern!("decode"), &[encoding, errors])?
        };
        self.push(value);
        Ok(())
    }

    fn load_old_string(&mut self, len: u64) -> Res<()> {
        let bytes = Bytes::new_value(self.payload(len, "BINSTRING")?);
        self.push_old_string(bytes)
    }

    fn load_string(&mut self) -> Res<()> {
        let line = self.line()?;
        let body = match line.as_slice() {
            [quote @ (b'"' | b'\''), body @ .., end] if quote == end => body,
            _ => {
                let message = "the STRING opcode argument must be quoted";
                return Err(unpickling_error(self.vm, message));
            }
        };
        let codecs = self.vm.import_module("_codecs")?;
        let decoded = self
            .vm
            .call_method(&codecs, intern!("escape_decode"), &[Bytes::new_value(body)])?;
        let decoded = self.vm.getitem(&decoded, &Value::int(0))?;
        self.push_old_string(decoded)
    }

    fn decoded(&self, line: Vec<u8>, encoding: &str) -> Res<Value> {
        let line = Bytes::new_value(line);
        self.vm.call_method(&line, intern!("decode"), &[Value::from(encoding)])
    }

    fn append(&mut self, items: Vec<Value>) -> Res<()> {
        let vm = self.vm;
        let list = self.top()?.clone();
        if let Some(list) = list.downcast_exact::<List>() {
            return list.extend_vec(vm, items);
        }
        if items.len() != 1
            && let Some(extend) = vm.getattr_opt(&list, intern!("extend"))?
        {
            vm.call(&extend, &[List::new(items).into_value()])?;
            return Ok(());
        }
        let append = vm.getattr(&list, intern!("append"))?;
        for item in items {
            vm.call(&append, &[item])?;
        }
        Ok(())
    }

    /// Sets the keys and values on the stack from `mark` on.
    fn set_items(&mut self, mark: usize) -> Res<()> {
        let vm = self.vm;
        let Some(target) = mark.checked_sub(1).filter(|_| mark > self.fence()) else {
            return Err(self.underflow());
        };
        if !(self.stack.len() - mark).is_multiple_of(2) {
            return Err(unpickling_error(vm, "odd number of items for SETITEMS"));
        }
        let target = self.stack[target].clone();
        let dict = target.downcast_exact::<Dict>();
        let mut items = self.stack.drain(mark..);
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            match dict {
                Some(dict) => dict.set(vm, &key, value)?,
                None => vm.setitem(&target, &key, &value)?,
            }
        }
        Ok(())
    }

    fn find_class(&mut self, module: &Value, name: &Value) -> Res<Value> {
        if self.exact {
            return find_class(self.vm, self.this, self.protocol, module, name);
        }
        self.vm.call_method(
            self.this.as_value(),
            intern!("find_class"),
            &[module.clone(), name.clone()],
        )
    }

    fn instantiate(&mut self, class: &Value, args: &[Value]) -> Res<()> {
        let vm = self.vm;
        let plain = args.is_empty()
            && class.downcast::<Type>().is_some()
            && vm.getattr_opt(class, intern!("__getinitargs__"))?.is_none();
        let value = if plain {
            vm.call_method(class, intern!("__new__"), std::slice::from_ref(class))?
        } else {
            vm.call(class, args)?
        };
        self.push(value);
        Ok(())
    }

    fn new_object(&mut self, keywords: bool) -> Res<()> {
        let vm = self.vm;
        let what = if keywords { "NEWOBJ_EX" } else { "NEWOBJ" };
        let kwargs = if keywords { Some(self.pop()?) } else { None };
        let args = self.pop()?;
        let class = self.pop()?;
        let found = |value: &Value| value.ty().name();
        let Some(cls) = class.downcast::<Type>() else {
            let message = format!("{what} class argument must be a type, not {}", found(&class));
            return Err(unpickling_error(vm, message));
        };
        let Some(new) = cls.slots().new else {
            let message = format!("{what} class argument '{}' doesn't have __new__", cls.name());
            return Err(unpickling_error(vm, message));
        };
        let Some(args) = args.downcast::<Tuple>() else {
            let message = format!("{what} args argument must be a tuple, not {}", found(&args));
            return Err(unpickling_error(vm, message));
        };
        let value = match kwargs {
            None => new(vm, cls, Args::new(args.as_slice()))?,
            Some(kwargs) => {
                let Some(kwargs) = kwargs.downcast::<Dict>() else {
                    let message = format!("NEWOBJ_EX kwargs argument must be a dict, not {}", found(&kwargs));
                    return Err(unpickling_error(vm, message));
                };
                vm.check_keywords(kwargs)?;
                let mut values = args.to_vec();
                let mut names = Vec::new();
                for (name, value) in kwargs.snapshot() {
                    names.push(name);
                    values.push(value);
                }
                let names = Tuple::new(names);
                new(vm, cls, Args::with_names(&values, &names))?
            }
        };
        self.push(value);
        Ok(())
    }

    fn build(&mut self) -> Res<()> {
        let vm = self.vm;
        let mut state = self.pop()?;
        let object = self.top()?.clone();
        if let Some(setstate) = vm.getattr_opt(&object, intern!("__setstate__"))? {
            vm.call(&setstate, &[state])?;
            return Ok(());
        }
        let mut slots = None;
        if let Some([first, second]) = state.downcast_exact::<Tuple>().map(|pair| pair.as_slice()) {
            let (first, second) = (first.clone(), second.clone());
            state = first;
            slots = Some(second);
        }
        if !state.is_none() {
            let Some(attributes) = state.downcast::<Dict>() else {
                return Err(unpickling_error(vm, "state is not a dictionary"));
            };
            set_attributes(vm, &object, &attributes.snapshot())?;
        }
        if let Some(slots) = slots.filter(|slots| !slots.is_none()) {
            let Some(slots) = slots.downcast::<Dict>() else {
                return Err(unpickling_error(vm, "slot state is not a dictionary"));
            };
            for (name, value) in slots.snapshot() {
                vm.setattr(&object, vm.attribute_name(&name)?, &value)?;
            }
        }
        Ok(())
    }

    fn extension(&mut self, code: i64) -> Res<()> {
        let vm = self.vm;
        if code <= 0 {
            return Err(unpickling_error(vm, "EXT specifies code <= 0"));
        }
        let key = Value::int(code);
        let copyreg = vm.import_module("copyreg")?;
        let cache = vm.getattr(&copyreg, intern!("_extension_cache"))?;
        let lookup = |dict: &Value| match dict.downcast::<Dict>() {
            Some(dict) => dict.get(vm, &key),
            None => Ok(None),
        };
        if let Some(known) = lookup(&cache)? {
            self.push(known);
            return Ok(());
        }
        let registry = vm.getattr(&copyreg, intern!("_inverted_registry"))?;
        let Some(pair) = lookup(&registry)? else {
            return Err(vm.value_error(format!("unregistered extension code {code}")));
        };
        let (module, name) = match pair.downcast::<Tuple>().map(|pair| pair.as_slice()) {
            Some([module, name]) if module.downcast::<Str>().is_some() && name.downcast::<Str>().is_some() => {
                (module.clone(), name.clone())
            }
            _ => {
                let message = format!("_inverted_registry[{code}] isn't a 2-tuple of strings");
                return Err(vm.value_error(message));
            }
        };
        let found = self.find_class(&module, &name)?;
        vm.setitem(&cache, &key, &found)?;
        self.push(found);
        Ok(())
    }

    fn persistent(&mut self, id: &Value) -> Res<()> {
        let load = intern!("persistent_load");
        let value = self
            .vm
            .call_method(self.this.as_value(), load, std::slice::from_ref(id))?;
        self.push(value);
        Ok(())
    }
}

/// Puts attributes into an instance, past `__setattr__`.
fn set_attributes(vm: &Vm, object: &Value, attributes: &[(Value, Value)]) -> Res<()> {
    let names_only = attributes.iter().all(|(name, _)| vm.is_exact::<Str>(name));
    if names_only && let Some(attrs) = Attrs::of(object) {
        for (name, value) in attributes {
            let Some(name) = name.downcast::<Str>() else { continue };
            let name = name.clone().intern_new();
            if let Err((value, dict)) = attrs.set(object.ty(), &name, value.clone()) {
                dict.set_str(&name, value);
            }
        }
        return Ok(());
    }
    let dict = vm.getattr(object, intern!("__dict__"))?;
    for (name, value) in attributes {
        match name.downcast_exact::<Str>() {
            Some(name) => vm.setitem(&dict, name.clone().intern_new().as_value(), value)?,
            None => vm.setitem(&dict, name, value)?,
        }
    }
    Ok(())
}

/// What a pickle names: an attribute of a module, which is imported.
fn find_class(vm: &Vm, this: &Py<Unpickler>, protocol: i64, module: &Value, name: &Value) -> Res<Value> {
    crate::sys::audit(vm, "pickle.find_class", &[module.clone(), name.clone()])?;
    let (mut module, mut name) = (module.clone(), name.clone());
    if protocol < 3 && this.fix_imports.load(Acquire) {
        let compat = vm.import_module("_compat_pickle")?;
        let names = vm.getattr(&compat, intern!("NAME_MAPPING"))?;
        let imports = vm.getattr(&compat, intern!("IMPORT_MAPPING"))?;
        let key = Tuple::pair(module.clone(), name.clone()).into_value();
        if vm.contains(&names, &key)? {
            let pair = vm.getitem(&names, &key)?;
            match pair.downcast::<Tuple>().map(|pair| pair.as_slice()) {
                Some([new_module, new_name]) => (module, name) = (new_module.clone(), new_name.clone()),
                _ => return Err(vm.runtime_error("_compat_pickle.NAME_MAPPING values should be 2-tuples")),
            }
        } else if vm.contains(&imports, &module)? {
            module = vm.getitem(&imports, &module)?;
        }
    }
    let (Some(module_name), Some(attribute)) = (module.downcast::<Str>(), name.downcast::<Str>()) else {
        return Err(vm.type_error("the names of a global must be strings"));
    };
    if module_name.is_empty() {
        return Err(vm.value_error("Empty module name"));
    }
    let sys = vm.import_module("sys")?;
    let modules = vm.getattr(&sys, intern!("modules"))?;
    let loaded = match modules.downcast::<Dict>() {
        Some(dict) => dict.get(vm, &module)?.filter(|loaded| !loaded.is_none()),
        None => None,
    };
    let loaded = match loaded {
        // Another thread may still be importing it: an import waits for that.
        Some(loaded) if !is_initializing(vm, &loaded)? => loaded,
        _ => {
            vm.import_module(&module_name.to_string_lossy())?;
            vm.getitem(&modules, &module)?
        }
    };
    let text = attribute.to_string_lossy();
    if protocol < 4 || !text.contains('.') {
        return vm.getattr(&loaded, &attribute.clone().intern_new());
    }
    let mut found = loaded;
    for part in text.split('.') {
        found = match vm.getattr_opt(&found, &Str::intern(part))? {
            Some(next) => next,
            None => {
                let (path, module) = (vm.repr(&name)?.to_string_lossy(), vm.repr(&module)?.to_string_lossy());
                return Err(vm.attribute_error(format!("Can't resolve path {path} on module {module}")));
            }
        };
    }
    Ok(found)
}

/// Whether a module is being imported.
fn is_initializing(vm: &Vm, module: &Value) -> Res<bool> {
    let Some(spec) = vm.getattr_opt(module, intern!("__spec__"))? else {
        return Ok(false);
    };
    match vm.getattr_opt(&spec, intern!("_initializing"))? {
        Some(flag) => vm.truth(&flag),
        None => Ok(false),
    }
}

#[pymethods]
impl Unpickler {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(cls, Unpickler::empty()).into_value())
    }

    #[slot(sig = "(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())")]
    fn __init__(
        vm: &Vm,
        this: &Py<Unpickler>,
        file: &Value,
        fix_imports: Option<bool>,
        encoding: Option<&Py<Str>>,
        errors: Option<&Py<Str>>,
        buffers: Option<&Value>,
    ) -> Res<()> {
        set_file(vm, this, file)?;
        prepare(vm, this, fix_imports.unwrap_or(true), encoding, errors, buffers)
    }

    #[pymethod(sig = "($self, pid, /)")]
    fn persistent_load(vm: &Vm, _: &Py<Unpickler>, _pid: &Value) -> Res<Value> {
        Err(unpickling_error(
            vm,
            "A load persistent id instruction was encountered, but no persistent_load function was specified.",
        ))
    }

    /// Load a pickle.
    ///
    /// Read a pickled object representation from the open file object given
    /// in the constructor, and return the reconstituted object hierarchy
    /// specified therein.
    #[pymethod(sig = "($self, /)")]
    fn load(vm: &Vm, this: &Py<Unpickler>) -> Res<Value> {
        self::load(vm, this, &[])
    }

    /// Return an object from a specified module.
    ///
    /// If necessary, the module will be imported. Subclasses may override
    /// this method (e.g. to restrict unpickling of arbitrary classes and
    /// functions).
    ///
    /// This method is called whenever a class or a function object is
    /// needed.  Both arguments passed are str objects.
    #[pymethod(sig = "($self, module_name, global_name, /)")]
    fn find_class(vm: &Vm, this: &Py<Unpickler>, module_name: &Value, global_name: &Value) -> Res<Value> {
        let protocol = this.protocol.load(Acquire);
        self::find_class(vm, this, protocol, module_name, global_name)
    }

    #[getter]
    fn memo(_: &Vm, this: &Py<Unpickler>) -> Py<UnpicklerMemoProxy> {
        Py::new(UnpicklerMemoProxy { owner: this.clone() })
    }

    #[setter(name = "memo")]
    fn set_memo(vm: &Vm, this: &Py<Unpickler>, value: Option<&Value>) -> Res<()> {
        match value {
            Some(value) => memo::set_loaded(vm, this, value),
            None => Err(vm.type_error("attribute deletion is not supported")),
        }
    }
}
