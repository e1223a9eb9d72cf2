//! Pickling.
//!
//! Invariant: output is collected in frames of about 64 KiB (from protocol 4 on); with a file, whole frames are written as they are done.
//! What an object consists of is looked at item by item, since saving one may change it.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::*};

use lisle_runtime::intern;
use lisle_runtime::memory::room::{self, NoMemory};
use lisle_runtime::native::*;
use lisle_runtime::sync::Locked;
use lisle_runtime::types::bytearray::ByteArray;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::function::Function;
use lisle_runtime::types::int::Int;
use lisle_runtime::types::list::List;
use lisle_runtime::types::set::{FrozenSet, Set};
use lisle_runtime::types::tuple::Tuple;

use super::buffer::{PickleBuffer, flat};
use super::memo::{self, PicklerMemoProxy, SaveMemo};
use super::{HIGHEST_PROTOCOL, op, pickling_error};

const FRAME_TARGET: usize = 64 * 1024;
const FRAME_MIN: usize = 4;
const FRAME_HEADER: usize = 9;
/// What is asked for at once, at least.
const FIRST_ROOM: usize = 256;
const BATCH: usize = 1000;

#[pyclass(
    name = "Pickler",
    module = "_pickle",
    basetype,
    doc = "This takes a binary file for writing a pickle data stream.\n\nThe optional *protocol* argument tells the pickler to use the given\nprotocol; supported protocols are 0, 1, 2, 3, 4 and 5.  The default\nprotocol is 5. It was introduced in Python 3.8, and is incompatible\nwith previous versions.\n\nSpecifying a negative protocol version selects the highest protocol\nversion supported.  The higher the protocol used, the more recent the\nversion of Python needed to read the pickle produced."
)]
pub struct Pickler {
    pub memo: Locked<SaveMemo>,
    write: Slot,
    buffer_callback: Slot,
    dispatch_table: Slot,
    protocol: AtomicI64,
    bin: AtomicI64,
    fast: AtomicI64,
    fix_imports: AtomicBool,
    ready: AtomicBool,
}

impl Pickler {
    fn empty() -> Pickler {
        Pickler {
            memo: Locked::new(SaveMemo::default()),
            write: Slot::empty(),
            buffer_callback: Slot::empty(),
            dispatch_table: Slot::empty(),
            protocol: AtomicI64::new(4),
            bin: AtomicI64::new(1),
            fast: AtomicI64::new(0),
            fix_imports: AtomicBool::new(false),
            ready: AtomicBool::new(false),
        }
    }

    pub fn make() -> Py<Pickler> {
        Py::new(Pickler::empty())
    }
}

/// Sets a pickler's options.
pub fn prepare(
    vm: &Vm,
    this: &Py<Pickler>,
    protocol: Option<&Value>,
    fix_imports: bool,
    buffer_callback: Option<&Value>,
) -> Res<()> {
    let mut number = match protocol.filter(|protocol| !protocol.is_none()) {
        Some(protocol) => vm.index_to_i64(protocol)?,
        None => HIGHEST_PROTOCOL,
    };
    if number < 0 {
        number = HIGHEST_PROTOCOL;
    }
    if number > HIGHEST_PROTOCOL {
        return Err(vm.value_error(format!("pickle protocol must be <= {HIGHEST_PROTOCOL}")));
    }
    let callback = buffer_callback.filter(|callback| !callback.is_none());
    if callback.is_some() && number < 5 {
        return Err(vm.value_error("buffer_callback needs protocol >= 5"));
    }
    drop(this.buffer_callback.swap(callback.cloned()));
    this.protocol.store(number, Release);
    this.bin.store(i64::from(number >= 1), Release);
    this.fast.store(0, Release);
    this.fix_imports.store(fix_imports && number < 3, Release);
    this.ready.store(true, Release);
    Ok(())
}

pub fn set_file(vm: &Vm, this: &Py<Pickler>, file: &Value) -> Res<()> {
    match vm.getattr_opt(file, intern!("write"))? {
        Some(write) => {
            drop(this.write.swap(Some(write)));
            Ok(())
        }
        None => Err(vm.type_error("file must have a 'write' attribute")),
    }
}

/// Pickles an object: the bytes that were not written to a file.
pub fn dump(vm: &Vm, this: &Py<Pickler>, object: &Value) -> Res<Vec<u8>> {
    if !this.ready.load(Acquire) {
        let name = this.class().name();
        return Err(pickling_error(
            vm,
            format!("Pickler.__init__() was not called by {name}.__init__()"),
        ));
    }
    let protocol = this.protocol.load(Acquire);
    let exact = this.class().is(Pickler::ty());
    let mut saver = Saver {
        vm,
        this,
        out: Vec::new(),
        frame: None,
        no_memory: false,
        framing: false,
        write: this.write.get(),
        protocol,
        bin: this.bin.load(Acquire) != 0,
        fast: this.fast.load(Acquire) != 0,
        fix_imports: this.fix_imports.load(Acquire),
        persistent_id: None,
        reducer_override: None,
        dispatch_table: None,
        copyreg: None,
    };
    if exact {
        saver.dispatch_table = this.dispatch_table.get();
    } else {
        let own = this.class().lookup(vm, intern!("persistent_id"));
        let inherited = Pickler::ty().lookup(vm, intern!("persistent_id"));
        let in_instance = lisle_runtime::vm::attributes::instance_attr(vm, this.as_value(), intern!("persistent_id"))?;
        let overridden = match (&own, &inherited) {
            (Some(own), Some(inherited)) => !own.is(inherited),
            _ => true,
        };
        if overridden || in_instance.is_some() {
            saver.persistent_id = vm.getattr_opt(this.as_value(), intern!("persistent_id"))?;
        }
        saver.reducer_override = vm.getattr_opt(this.as_value(), intern!("reducer_override"))?;
        saver.dispatch_table = vm.getattr_opt(this.as_value(), intern!("dispatch_table"))?;
    }
    if protocol >= 2 {
        saver.out.extend([op::PROTO, protocol as u8]);
    }
    saver.framing = protocol >= 4;
    saver.save(object)?;
    saver.put(&[op::STOP]);
    saver.check_room()?;
    saver.end_frame();
    if saver.write.is_some() {
        saver.flush()?;
    }
    Ok(saver.out)
}

struct Saver<'a> {
    vm: &'a Vm,
    this: &'a Py<Pickler>,
    out: Vec<u8>,
    /// Where the header of the open frame is.
    frame: Option<usize>,
    no_memory: bool,
    framing: bool,
    write: Option<Value>,
    protocol: i64,
    bin: bool,
    fast: bool,
    fix_imports: bool,
    persistent_id: Option<Value>,
    reducer_override: Option<Value>,
    dispatch_table: Option<Value>,
    copyreg: Option<Value>,
}

/// An opcode with the length of what follows.
struct Header {
    bytes: [u8; 9],
    len: usize,
}

impl Header {
    fn new(opcode: u8, length: &[u8]) -> Header {
        let mut bytes = [opcode; 9];
        bytes[1..=length.len()].copy_from_slice(length);
        let len = length.len() + 1;
        Header { bytes, len }
    }
}

impl std::ops::Deref for Header {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The name of an object's class, as messages show it.
fn shown(object: &Value) -> String {
    lisle_runtime::types::object::qualified_name(object.ty())
}

impl<'a> Saver<'a> {
    // Output.

    /// Writes bytes. Where there is no memory for them, [`Saver::check_room`] says so.
    #[inline(always)]
    fn put(&mut self, bytes: &[u8]) {
        if self.make_room(bytes.len()) {
            self.out.extend_from_slice(bytes);
        }
    }

    /// Opens a frame if one is due, and sees to it that so many bytes fit; whether they do.
    #[inline(always)]
    fn make_room(&mut self, len: usize) -> bool {
        if self.framing && self.frame.is_none() || self.out.capacity() - self.out.len() < len {
            return self.make_more_room(len);
        }
        true
    }

    #[inline(never)]
    fn make_more_room(&mut self, len: usize) -> bool {
        let more = (len + FRAME_HEADER).max(FIRST_ROOM);
        if self.out.try_reserve(more).is_err() {
            self.no_memory = true;
            return false;
        }
        if self.framing && self.frame.is_none() {
            self.frame = Some(self.out.len());
            self.out.extend([0; FRAME_HEADER]);
        }
        true
    }

    #[inline(always)]
    fn check_room(&self) -> Result<(), NoMemory> {
        if self.no_memory { Err(NoMemory) } else { Ok(()) }
    }

    fn end_frame(&mut self) {
        let Some(start) = self.frame.take() else { return };
        let len = self.out.len() - start - FRAME_HEADER;
        if len < FRAME_MIN {
            self.out.drain(start..start + FRAME_HEADER);
            return;
        }
        self.out[start] = op::FRAME;
        self.out[start + 1..start + FRAME_HEADER].copy_from_slice(&(len as u64).to_le_bytes());
    }

    fn flush(&mut self) -> Res<()> {
        let Some(write) = &self.write else { return Ok(()) };
        if !self.out.is_empty() {
            let bytes = Bytes::new_value(std::mem::take(&mut self.out));
            self.vm.call(write, &[bytes])?;
        }
        Ok(())
    }

    /// Between two opcodes: a frame that is long enough ends.
    #[inline(always)]
    fn boundary(&mut self) -> Res<()> {
        self.check_room()?;
        if let Some(start) = self.frame
            && self.out.len() - start - FRAME_HEADER >= FRAME_TARGET
        {
            self.end_frame();
            self.flush()?;
        }
        Ok(())
    }

    /// Writes an opcode with its payload; a long one outside of frames.
    #[inline(always)]
    fn put_payload(&mut self, header: &[u8], payload: &[u8], object: Option<&Value>) -> Res<()> {
        if payload.len() < FRAME_TARGET {
            if self.make_room(header.len() + payload.len()) {
                self.out.extend_from_slice(header);
                self.out.extend_from_slice(payload);
            }
            return Ok(());
        }
        self.put_long_payload(header, payload, object)
    }

    fn put_long_payload(&mut self, header: &[u8], payload: &[u8], object: Option<&Value>) -> Res<()> {
        self.end_frame();
        let framing = std::mem::replace(&mut self.framing, false);
        self.put(header);
        if let Some(write) = self.write.clone() {
            self.flush()?;
            let payload = match object {
                Some(object) => object.clone(),
                None => Bytes::new_value(room::copied(payload)?),
            };
            self.vm.call(&write, &[payload])?;
        } else {
            self.put(payload);
        }
        self.framing = framing;
        Ok(())
    }

    // The memo.

    #[inline(always)]
    fn memo_number(&self, object: &Value) -> Option<usize> {
        self.this.memo.with(self.this.header(), |memo| memo.get(object))
    }

    fn memoize(&mut self, object: &Value) {
        if self.fast {
            return;
        }
        let number = self.this.memo.with(self.this.header(), |memo| {
            let number = memo.len();
            memo.insert(object, number).map(|()| number)
        });
        let Ok(number) = number else {
            self.no_memory = true;
            return;
        };
        if self.protocol >= 4 {
            self.put(&[op::MEMOIZE]);
        } else if !self.bin {
            let text = format!("p{number}\n");
            self.put(text.as_bytes());
        } else if let Ok(number) = u8::try_from(number) {
            self.put(&[op::BINPUT, number]);
        } else {
            let [a, b, c, d] = (number as u32).to_le_bytes();
            self.put(&[op::LONG_BINPUT, a, b, c, d]);
        }
    }

    fn get(&mut self, number: usize) {
        if !self.bin {
            let text = format!("g{number}\n");
            self.put(text.as_bytes());
        } else if let Ok(number) = u8::try_from(number) {
            self.put(&[op::BINGET, number]);
        } else {
            let [a, b, c, d] = (number as u32).to_le_bytes();
            self.put(&[op::LONG_BINGET, a, b, c, d]);
        }
    }

    /// Adds to an exception what was being pickled.
    #[inline(always)]
    fn noted<T>(&self, result: Res<T>, note: impl FnOnce() -> Res<String>) -> Res<T> {
        match result {
            Ok(value) => Ok(value),
            Err(exc) => Err(self.with_note(exc, note())),
        }
    }

    #[cold]
    fn with_note(&self, exc: Exc, note: Res<String>) -> Exc {
        let note = match note {
            Ok(note) => Value::from(note.as_str()),
            Err(other) => return other,
        };
        match self.vm.call_method(exc.as_value(), intern!("add_note"), &[note]) {
            Ok(_) => exc,
            Err(other) => other,
        }
    }

    fn noting<T>(&self, result: Res<T>, object: Option<&Value>, what: &str) -> Res<T> {
        self.noted(result, || {
            let none = Value::NONE;
            Ok(format!("when serializing {} {what}", shown(object.unwrap_or(&none))))
        })
    }

    // Objects.

    fn save(&mut self, object: &Value) -> Res<()> {
        self.save_object(object, true)
    }

    fn save_object(&mut self, object: &Value, ask: bool) -> Res<()> {
        self.boundary()?;
        if ask && let Some(persistent) = self.persistent_id.clone() {
            let id = self.vm.call(&persistent, std::slice::from_ref(object))?;
            if !id.is_none() {
                return self.save_persistent(&id);
            }
        }
        if !object.is_heap() {
            return self.save_immediate(object);
        }
        if let Some(number) = self.memo_number(object) {
            self.get(number);
            return Ok(());
        }
        if let Some(text) = object.downcast_exact::<Str>() {
            return self.save_str(object, text);
        }
        if let Some(bytes) = object.downcast_exact::<Bytes>() {
            return self.save_bytes(object, bytes);
        }
        if object.has_type(Int::ty()) {
            return self.save_int(object);
        }
        if let Some(x) = object.as_exact_float() {
            self.save_float(x);
            return Ok(());
        }
        let vm = self.vm;
        let _guard = vm.enter_recursive(" while pickling an object")?;
        if let Some(dict) = object.downcast_exact::<Dict>() {
            return self.save_dict(object, dict);
        }
        if let Some(tuple) = object.downcast_exact::<Tuple>() {
            return self.save_tuple(object, tuple);
        }
        if let Some(list) = object.downcast_exact::<List>() {
            return self.save_list(object, list);
        }
        if let Some(set) = object.downcast_exact::<Set>() {
            return self.save_set(object, set);
        }
        if let Some(set) = object.downcast_exact::<FrozenSet>() {
            return self.save_frozenset(object, set);
        }
        if let Some(array) = object.downcast_exact::<ByteArray>() {
            return self.save_bytearray(object, array);
        }
        if let Some(buffer) = object.downcast_exact::<PickleBuffer>() {
            return self.save_buffer(object, buffer);
        }
        self.save_other(object)
    }

    /// Saves what is no object in memory: None, a bool, a small int, a float, another singleton.
    #[inline(always)]
    fn save_immediate(&mut self, object: &Value) -> Res<()> {
        if let Some(n) = object.as_small_int() {
            if self.bin
                && let Ok(n) = u8::try_from(n)
            {
                self.put(&[op::BININT1, n]);
                return Ok(());
            }
            return self.save_int(object);
        }
        if let Some(x) = object.as_exact_float() {
            self.save_float(x);
            return Ok(());
        }
        if object.is_none() {
            self.put(&[op::NONE]);
            return Ok(());
        }
        if object.is_bool() {
            let text: &[u8] = match (self.protocol >= 2, object.is_true()) {
                (true, true) => &[op::NEWTRUE],
                (true, false) => &[op::NEWFALSE],
                (false, true) => b"I01\n",
                (false, false) => b"I00\n",
            };
            self.put(text);
            return Ok(());
        }
        if let Some(number) = self.memo_number(object) {
            self.get(number);
            return Ok(());
        }
        let _guard = self.vm.enter_recursive(" while pickling an object")?;
        self.save_other(object)
    }

    fn save_float(&mut self, x: f64) {
        if self.bin {
            let mut bytes = [op::BINFLOAT; 9];
            bytes[1..].copy_from_slice(&x.to_be_bytes());
            self.put(&bytes);
        } else {
            let text = format!("F{}\n", float_repr(x));
            self.put(text.as_bytes());
        }
    }

    fn save_persistent(&mut self, id: &Value) -> Res<()> {
        if self.bin {
            self.save_object(id, false)?;
            self.put(&[op::BINPERSID]);
            return Ok(());
        }
        let text = self.vm.str(id)?;
        let Some(text) = text.as_ascii() else {
            return Err(pickling_error(
                self.vm,
                "persistent IDs in protocol 0 must be ASCII strings",
            ));
        };
        let line = format!("P{text}\n");
        self.put(line.as_bytes());
        Ok(())
    }

    fn save_int(&mut self, object: &Value) -> Res<()> {
        let small = object.as_small_int().and_then(|n| i32::try_from(n).ok());
        if let Some(n) = small {
            if !self.bin {
                let line = format!("I{n}\n");
                self.put(line.as_bytes());
            } else if let Ok(n) = u8::try_from(n) {
                self.put(&[op::BININT1, n]);
            } else if let Ok(n) = u16::try_from(n) {
                let [a, b] = n.to_le_bytes();
                self.put(&[op::BININT2, a, b]);
            } else {
                let [a, b, c, d] = n.to_le_bytes();
                self.put(&[op::BININT, a, b, c, d]);
            }
            return Ok(());
        }
        if self.protocol < 2 {
            let digits = self.vm.repr(object)?;
            let line = format!("L{}L\n", digits.to_string_lossy());
            self.put(line.as_bytes());
            return Ok(());
        }
        let int = self.vm.int_value(object);
        let bytes = int.map(|int| int.to_bigint().to_signed_bytes_le()).unwrap_or_default();
        let header = match u8::try_from(bytes.len()) {
            Ok(len) => vec![op::LONG1, len],
            Err(_) => {
                let Ok(len) = i32::try_from(bytes.len()) else {
                    return Err(self.vm.overflow_error("int too large to pickle"));
                };
                [&[op::LONG4][..], &len.to_le_bytes()].concat()
            }
        };
        self.put(&header);
        self.put(&bytes);
        Ok(())
    }

    fn save_str(&mut self, object: &Value, text: &Py<Str>) -> Res<()> {
        if !self.bin {
            let line = raw_unicode_escape(text)?;
            self.put(&[op::UNICODE]);
            self.put(&line);
            self.put(b"\n");
            self.memoize(object);
            return Ok(());
        }
        if let Some(text) = text.ascii_bytes()
            && let Ok(len) = u8::try_from(text.len())
            && self.protocol >= 4
        {
            if self.make_room(text.len() + 3) {
                self.out.extend_from_slice(&[op::SHORT_BINUNICODE, len]);
                self.out.extend_from_slice(text);
            }
            self.memoize(object);
            return Ok(());
        }
        let held;
        let kept;
        let encoded: &[u8] = match text.view().to_utf8() {
            Some(utf8) => {
                held = utf8;
                held.as_bytes()
            }
            None => {
                let args = [Value::from("utf-8"), Value::from("surrogatepass")];
                kept = self.vm.call_method(object, intern!("encode"), &args)?;
                kept.downcast::<Bytes>().map_or(&[][..], |bytes| bytes.as_slice())
            }
        };
        let header = self.length(
            encoded.len(),
            self.protocol >= 4,
            [op::SHORT_BINUNICODE, op::BINUNICODE, op::BINUNICODE8],
        )?;
        self.put_payload(&header, encoded, None)?;
        self.memoize(object);
        Ok(())
    }

    /// The opcode for a payload of that length.
    fn length(&self, len: usize, short: bool, [one, four, eight]: [u8; 3]) -> Res<Header> {
        if short && let Ok(len) = u8::try_from(len) {
            return Ok(Header::new(one, &[len]));
        }
        if let Ok(len) = u32::try_from(len) {
            return Ok(Header::new(four, &len.to_le_bytes()));
        }
        if self.protocol < 4 {
            let message = "serializing a bytes object larger than 4 GiB requires pickle protocol 4 or higher";
            return Err(self.vm.overflow_error(message));
        }
        Ok(Header::new(eight, &(len as u64).to_le_bytes()))
    }

    fn put_bytes(&mut self, bytes: &[u8], object: Option<&Value>) -> Res<()> {
        let header = self.length(bytes.len(), true, [op::SHORT_BINBYTES, op::BINBYTES, op::BINBYTES8])?;
        self.put_payload(&header, bytes, object)
    }

    fn put_bytearray(&mut self, bytes: &[u8], object: Option<&Value>) -> Res<()> {
        let header = Header::new(op::BYTEARRAY8, &(bytes.len() as u64).to_le_bytes());
        self.put_payload(&header, bytes, object)
    }

    fn save_bytes(&mut self, object: &Value, bytes: &Py<Bytes>) -> Res<()> {
        if self.protocol >= 3 {
            self.put_bytes(bytes.as_slice(), Some(object))?;
            self.memoize(object);
            return Ok(());
        }
        if bytes.is_empty() {
            return self.reduce_to(Bytes::ty().as_value(), vec![], object);
        }
        let text: Vec<u32> = bytes.as_slice().iter().map(|byte| u32::from(*byte)).collect();
        let text = Str::from_buf(lisle_runtime::text::builder::from_codes(&text)).into_value();
        let codecs = self.vm.import_module("_codecs")?;
        let encode = self.vm.getattr(&codecs, intern!("encode"))?;
        self.reduce_to(&encode, vec![text, Value::from("latin1")], object)
    }

    fn save_bytearray(&mut self, object: &Value, array: &Py<ByteArray>) -> Res<()> {
        let bytes = array.snapshot()?;
        if self.protocol >= 5 {
            self.put_bytearray(&bytes, None)?;
            self.memoize(object);
            return Ok(());
        }
        let args = if bytes.is_empty() {
            vec![]
        } else {
            vec![Bytes::new_value(bytes)]
        };
        self.reduce_to(ByteArray::ty().as_value(), args, object)
    }

    fn save_buffer(&mut self, object: &Value, buffer: &Py<PickleBuffer>) -> Res<()> {
        let vm = self.vm;
        if self.protocol < 5 {
            return Err(pickling_error(
                vm,
                "PickleBuffer can only be pickled with protocol >= 5",
            ));
        }
        let Some(flat) = flat(vm, buffer)? else {
            let message = "PickleBuffer can not be pickled when pointing to a non-contiguous buffer";
            return Err(pickling_error(vm, message));
        };
        let inside = match self.this.buffer_callback.get() {
            Some(callback) => {
                let answer = vm.call(&callback, std::slice::from_ref(object))?;
                vm.truth(&answer)?
            }
            None => true,
        };
        if !inside {
            self.put(&[op::NEXT_BUFFER]);
            if flat.readonly {
                self.put(&[op::READONLY_BUFFER]);
            }
            return Ok(());
        }
        let bytes = flat.to_vec(vm)?;
        if flat.readonly {
            self.put_bytes(&bytes, None)?;
        } else {
            self.put_bytearray(&bytes, None)?;
        }
        self.memoize(object);
        Ok(())
    }

    fn save_tuple(&mut self, object: &Value, tuple: &Py<Tuple>) -> Res<()> {
        let count = tuple.len();
        if count == 0 {
            let text: &[u8] = if self.bin {
                &[op::EMPTY_TUPLE]
            } else {
                &[op::MARK, op::TUPLE]
            };
            self.put(text);
            return Ok(());
        }
        let short = count <= 3 && self.protocol >= 2;
        if !short {
            self.put(&[op::MARK]);
        }
        for (at, item) in tuple.iter().enumerate() {
            let result = self.save(item);
            self.noted(result, || Ok(format!("when serializing tuple item {at}")))?;
        }
        if let Some(number) = self.memo_number(object) {
            // The tuple contains itself, and is there already.
            let pops = match (short, self.bin) {
                (true, _) => vec![op::POP; count],
                (false, true) => vec![op::POP_MARK],
                (false, false) => vec![op::POP; count + 1],
            };
            self.put(&pops);
            self.get(number);
            return Ok(());
        }
        self.put(&[match (short, count) {
            (true, 1) => op::TUPLE1,
            (true, 2) => op::TUPLE2,
            (true, _) => op::TUPLE3,
            (false, _) => op::TUPLE,
        }]);
        self.memoize(object);
        Ok(())
    }

    fn save_list(&mut self, object: &Value, list: &Py<List>) -> Res<()> {
        let text: &[u8] = if self.bin {
            &[op::EMPTY_LIST]
        } else {
            &[op::MARK, op::LIST]
        };
        self.put(text);
        self.memoize(object);
        let mut at = 0;
        if !self.bin {
            return self.append_batches(object, &mut || {
                let item = list.get(at);
                at += 1;
                Ok(item)
            });
        }
        let one = list.len() == 1;
        while at < list.len() {
            let stop = at + BATCH;
            if !one {
                self.put(&[op::MARK]);
            }
            while at < stop
                && let Some(item) = list.get(at)
            {
                let result = self.save(&item);
                self.noted(result, || Ok(format!("when serializing {} item {at}", shown(object))))?;
                at += 1;
            }
            self.put(&[if one { op::APPEND } else { op::APPENDS }]);
        }
        Ok(())
    }

    /// Appends what `next` gives, a thousand at a time.
    fn append_batches(&mut self, object: &Value, next: &mut dyn FnMut() -> Res<Option<Value>>) -> Res<()> {
        let mut at = 0;
        let mut item = next()?;
        while let Some(first) = item.take() {
            let mut count = 0;
            let mut current = Some(first);
            let mut marked = false;
            while let Some(value) = current.take() {
                let following = next()?;
                if self.bin && count == 0 && following.is_some() {
                    self.put(&[op::MARK]);
                    marked = true;
                }
                let result = self.save(&value);
                self.noted(result, || Ok(format!("when serializing {} item {at}", shown(object))))?;
                at += 1;
                count += 1;
                if !self.bin {
                    self.put(&[op::APPEND]);
                }
                if self.bin && count == BATCH {
                    item = following;
                    break;
                }
                current = following;
            }
            if self.bin {
                self.put(&[if marked { op::APPENDS } else { op::APPEND }]);
            }
        }
        Ok(())
    }

    fn save_dict(&mut self, object: &Value, dict: &Py<Dict>) -> Res<()> {
        let text: &[u8] = if self.bin {
            &[op::EMPTY_DICT]
        } else {
            &[op::MARK, op::DICT]
        };
        self.put(text);
        self.memoize(object);
        if !self.bin {
            let mut items = dict.snapshot().into_iter();
            return self.set_batches(object, &mut || Ok(items.next()));
        }
        let (size, mut at) = (dict.len(), 0);
        let mut full = size > 0;
        while full {
            if size > 1 {
                self.put(&[op::MARK]);
            }
            let mut count = 0;
            while count < BATCH
                && let Some((_, key, value)) = dict.next_entry(&mut at)
            {
                self.save(&key)?;
                let result = self.save(&value);
                self.noted_item(result, object, &key)?;
                count += 1;
                if dict.len() != size {
                    return Err(self.vm.runtime_error("dictionary changed size during iteration"));
                }
            }
            self.put(&[if size == 1 { op::SETITEM } else { op::SETITEMS }]);
            full = count == BATCH;
        }
        Ok(())
    }

    #[inline(always)]
    fn noted_item<T>(&self, result: Res<T>, object: &Value, key: &Value) -> Res<T> {
        self.noted(result, || {
            let key = self.vm.repr(key)?.to_string_lossy();
            Ok(format!("when serializing {} item {key}", shown(object)))
        })
    }

    fn set_batches(&mut self, object: &Value, next: &mut dyn FnMut() -> Res<Option<(Value, Value)>>) -> Res<()> {
        let mut item = next()?;
        while let Some(first) = item.take() {
            let mut count = 0;
            let mut current = Some(first);
            let mut marked = false;
            while let Some((key, value)) = current.take() {
                let following = next()?;
                if self.bin && count == 0 && following.is_some() {
                    self.put(&[op::MARK]);
                    marked = true;
                }
                self.save(&key)?;
                let result = self.save(&value);
                self.noted_item(result, object, &key)?;
                count += 1;
                if !self.bin {
                    self.put(&[op::SETITEM]);
                }
                if self.bin && count == BATCH {
                    item = following;
                    break;
                }
                current = following;
            }
            if self.bin {
                self.put(&[if marked { op::SETITEMS } else { op::SETITEM }]);
            }
        }
        Ok(())
    }

    fn save_set(&mut self, object: &Value, set: &Py<Set>) -> Res<()> {
        let items = set.snapshot();
        if self.protocol < 4 {
            let list = List::new(items).into_value();
            return self.reduce_to(Set::ty().as_value(), vec![list], object);
        }
        self.put(&[op::EMPTY_SET]);
        self.memoize(object);
        for batch in items.chunks(BATCH) {
            self.put(&[op::MARK]);
            for item in batch {
                let result = self.save(item);
                self.noting(result, Some(object), "element")?;
            }
            self.put(&[op::ADDITEMS]);
        }
        Ok(())
    }

    fn save_frozenset(&mut self, object: &Value, set: &Py<FrozenSet>) -> Res<()> {
        let items = set.snapshot();
        if self.protocol < 4 {
            let list = List::new(items).into_value();
            return self.reduce_to(FrozenSet::ty().as_value(), vec![list], object);
        }
        self.put(&[op::MARK]);
        for item in &items {
            let result = self.save(item);
            self.noting(result, Some(object), "element")?;
        }
        if let Some(number) = self.memo_number(object) {
            self.put(&[op::POP_MARK]);
            self.get(number);
            return Ok(());
        }
        self.put(&[op::FROZENSET]);
        self.memoize(object);
        Ok(())
    }

    /// Saves an object as a call.
    fn reduce_to(&mut self, function: &Value, args: Vec<Value>, object: &Value) -> Res<()> {
        let reduced = [function.clone(), Tuple::new(args).into_value()];
        self.save_reduced(&reduced, Some(object))
    }

    fn copyreg(&mut self, name: &'static Py<Str>) -> Res<Value> {
        let module = match &self.copyreg {
            Some(module) => module.clone(),
            None => {
                let module = self.vm.import_module("copyreg")?;
                self.copyreg = Some(module.clone());
                module
            }
        };
        self.vm.getattr(&module, name)
    }

    fn save_other(&mut self, object: &Value) -> Res<()> {
        let vm = self.vm;
        let ty = object.ty().clone();
        let mut reduced = None;
        if let Some(reducer) = self.reducer_override.clone() {
            let answer = vm.call(&reducer, std::slice::from_ref(object))?;
            reduced = Some(answer).filter(|answer| !answer.is_not_implemented());
        }
        if reduced.is_none() {
            if ty.is(Type::ty()) {
                return self.save_type(object);
            }
            if vm.is_exact::<Function>(object) {
                return self.save_global(object, None);
            }
            reduced = match self.reduce_function(&ty)? {
                Some(function) => Some(vm.call(&function, std::slice::from_ref(object))?),
                None if ty.is_subclass(Type::ty()) => return self.save_global(object, None),
                None => Some(self.call_reduce(object)?),
            };
        }
        let Some(reduced) = reduced else { return Ok(()) };
        if reduced.downcast::<Str>().is_some() {
            return self.save_global(object, Some(&reduced));
        }
        let result = match reduced.downcast::<Tuple>() {
            None => {
                let message = format!("__reduce__ must return a string or tuple, not {}", shown(&reduced));
                Err(pickling_error(vm, message))
            }
            Some(tuple) if !(2..=6).contains(&tuple.len()) => Err(pickling_error(
                vm,
                "tuple returned by __reduce__ must contain 2 through 6 elements",
            )),
            Some(tuple) => self.save_reduced(tuple.as_slice(), Some(object)),
        };
        self.noting(result, Some(object), "object")
    }

    /// The function that a table has for the class.
    fn reduce_function(&mut self, ty: &Py<Type>) -> Res<Option<Value>> {
        let table = match &self.dispatch_table {
            Some(table) => table.clone(),
            None => self.copyreg(intern!("dispatch_table"))?,
        };
        if let Some(dict) = table.downcast_exact::<Dict>() {
            return dict.get(self.vm, ty.as_value());
        }
        match self.vm.getitem(&table, ty.as_value()) {
            Ok(function) => Ok(Some(function)),
            Err(exc) if exc.is(&exceptions::KEY_ERROR) => Ok(None),
            Err(exc) => Err(exc),
        }
    }

    fn call_reduce(&mut self, object: &Value) -> Res<Value> {
        let vm = self.vm;
        if let Some(method) = vm.getattr_opt(object, intern!("__reduce_ex__"))? {
            return vm.call(&method, &[Value::int(self.protocol)]);
        }
        match vm.getattr_opt(object, intern!("__reduce__"))? {
            Some(method) => vm.call(&method, &[]),
            None => Err(pickling_error(vm, format!("Can't pickle {} object", shown(object)))),
        }
    }

    fn save_type(&mut self, object: &Value) -> Res<()> {
        for single in [Value::NONE, Value::NOT_IMPLEMENTED, Value::ELLIPSIS] {
            if object.is(single.ty().as_value()) {
                return self.reduce_to(Type::ty().as_value(), vec![single], object);
            }
        }
        self.save_global(object, None)
    }

    fn save_reduced(&mut self, reduced: &[Value], object: Option<&Value>) -> Res<()> {
        let vm = self.vm;
        let part = |at: usize| reduced.get(at).filter(|part| !part.is_none());
        let (function, args) = (&reduced[0], &reduced[1]);
        if !vm.is_callable(function) {
            let found = shown(function);
            let message = format!("first item of the tuple returned by __reduce__ must be callable, not {found}");
            return Err(pickling_error(vm, message));
        }
        let Some(args) = args.downcast::<Tuple>() else {
            let found = shown(args);
            let message = format!("second item of the tuple returned by __reduce__ must be a tuple, not {found}");
            return Err(pickling_error(vm, message));
        };
        let name = match vm.getattr_opt(function, intern!("__name__"))? {
            Some(name) if self.protocol >= 2 => name.downcast::<Str>().map(|name| name.to_string_lossy()),
            _ => None,
        };
        match name.as_deref() {
            Some("__newobj_ex__") => self.save_new_ex(args, object)?,
            Some("__newobj__") => self.save_new(args, object)?,
            _ => {
                let result = self.save(function);
                self.noting(result, object, "reconstructor")?;
                let result = self.save(args.as_value());
                self.noting(result, object, "reconstructor arguments")?;
                self.put(&[op::REDUCE]);
            }
        }
        if let Some(object) = object {
            match self.memo_number(object) {
                // The object contains itself, and is there already.
                Some(number) => {
                    self.put(&[op::POP]);
                    self.get(number);
                }
                None => self.memoize(object),
            }
        }
        let none = Value::NONE;
        let shown_object = object.unwrap_or(&none);
        for (at, nth) in [(3, "fourth"), (4, "fifth")] {
            if let Some(items) = part(at)
                && items.ty().slots().next.is_none()
            {
                let found = shown(items);
                let message =
                    format!("{nth} item of the tuple returned by __reduce__ must be an iterator, not {found}");
                return Err(pickling_error(vm, message));
            }
        }
        if let Some(items) = part(3) {
            let items = vm.iter(items)?;
            self.append_batches(shown_object, &mut || vm.next(&items))?;
        }
        if let Some(items) = part(4) {
            let items = vm.iter(items)?;
            self.set_batches(shown_object, &mut || {
                let Some(pair) = vm.next(&items)? else { return Ok(None) };
                match pair.downcast::<Tuple>().map(|pair| pair.as_slice()) {
                    Some([key, value]) => Ok(Some((key.clone(), value.clone()))),
                    _ => Err(vm.type_error("dict items iterator must return 2-tuples")),
                }
            })?;
        }
        let Some(state) = part(2) else { return Ok(()) };
        match part(5) {
            None => {
                let result = self.save(state);
                self.noting(result, object, "state")?;
                self.put(&[op::BUILD]);
            }
            Some(setter) if !vm.is_callable(setter) => {
                let found = shown(setter);
                let message = format!("sixth item of the tuple returned by __reduce__ must be callable, not {found}");
                return Err(pickling_error(vm, message));
            }
            Some(setter) => {
                let result = self.save(setter);
                self.noting(result, object, "state setter")?;
                self.save(shown_object)?;
                let result = self.save(state);
                self.noting(result, object, "state")?;
                self.put(&[op::TUPLE2, op::REDUCE, op::POP]);
            }
        }
        Ok(())
    }

    /// Checks the class of `__newobj__`: it must be the object's.
    fn check_new(&self, what: &str, cls: &Value, object: Option<&Value>) -> Res<()> {
        let vm = self.vm;
        if vm.getattr_opt(cls, intern!("__new__"))?.is_none() {
            let message = format!("first argument to {what}() has no __new__");
            return Err(pickling_error(vm, message));
        }
        let Some(object) = object else { return Ok(()) };
        let class = vm.getattr(object, intern!("__class__"))?;
        if class.is(cls) {
            return Ok(());
        }
        let (wanted, given) = (vm.repr(&class)?.to_string_lossy(), vm.repr(cls)?.to_string_lossy());
        let message = format!("first argument to {what}() must be {wanted}, not {given}");
        Err(pickling_error(vm, message))
    }

    fn save_new(&mut self, args: &Py<Tuple>, object: Option<&Value>) -> Res<()> {
        let vm = self.vm;
        let Some((cls, rest)) = args.split_first() else {
            return Err(vm.index_error("tuple index out of range"));
        };
        self.check_new("__newobj__", cls, object)?;
        let result = self.save(cls);
        self.noting(result, object, "class")?;
        let rest = Tuple::from_slice_clone(rest).into_value();
        let result = self.save(&rest);
        self.noting(result, object, "__new__ arguments")?;
        self.put(&[op::NEWOBJ]);
        Ok(())
    }

    fn save_new_ex(&mut self, args: &Py<Tuple>, object: Option<&Value>) -> Res<()> {
        let vm = self.vm;
        let [cls, args, kwargs] = args.as_slice() else {
            let message = format!("not enough values to unpack (expected 3, got {})", args.len());
            return Err(vm.value_error(message));
        };
        self.check_new("__newobj_ex__", cls, object)?;
        for (value, good, what) in [
            (
                args,
                args.downcast::<Tuple>().is_some(),
                "second argument to __newobj_ex__() must be a tuple",
            ),
            (
                kwargs,
                kwargs.downcast::<Dict>().is_some(),
                "third argument to __newobj_ex__() must be a dict",
            ),
        ] {
            if !good {
                let message = format!("{what}, not {}", shown(value));
                return Err(pickling_error(vm, message));
            }
        }
        if self.protocol >= 4 {
            let result = self.save(cls);
            self.noting(result, object, "class")?;
            let result = self.save(args).and_then(|()| self.save(kwargs));
            self.noting(result, object, "__new__ arguments")?;
            self.put(&[op::NEWOBJ_EX]);
            return Ok(());
        }
        let (Some(args), Some(kwargs)) = (args.downcast::<Tuple>(), kwargs.downcast::<Dict>()) else {
            return Err(pickling_error(
                vm,
                "the arguments of __newobj_ex__() must be a tuple and a dict",
            ));
        };
        let functools = vm.import_module("functools")?;
        let partial = vm.getattr(&functools, intern!("partial"))?;
        let mut values = vec![vm.getattr(cls, intern!("__new__"))?, cls.clone()];
        values.extend(args.iter().cloned());
        let function = vm.call_with_dict(&partial, &values, kwargs)?;
        let result = self.save(&function);
        self.noting(result, object, "reconstructor")?;
        self.save(Tuple::empty().as_value())?;
        self.put(&[op::REDUCE]);
        Ok(())
    }

    fn save_global(&mut self, object: &Value, name: Option<&Value>) -> Res<()> {
        let vm = self.vm;
        let name = match name {
            Some(name) => name.clone(),
            None => match vm.getattr_opt(object, intern!("__qualname__"))? {
                Some(name) if !name.is_none() => name,
                _ => vm.getattr(object, intern!("__name__"))?,
            },
        };
        let Some(name) = name.downcast::<Str>() else {
            let found = name.ty().name();
            return Err(vm.type_error(format!("the name of a global must be str, not {found}")));
        };
        let module = self.module_of(object, name)?;
        if self.protocol >= 2 {
            let registry = self.copyreg(intern!("_extension_registry"))?;
            let key = Tuple::pair(module.to_value(), name.to_value()).into_value();
            let code = match registry.downcast::<Dict>() {
                Some(registry) => registry.get(vm, &key)?,
                None => None,
            };
            if let Some(code) = code {
                let code = vm.index_to_i64(&code)?;
                if code <= 0 {
                    return Err(vm.runtime_error(format!("extension code {code} is out of range")));
                }
                let bytes = (code as u32).to_le_bytes();
                match code {
                    1..=0xFF => self.put(&[op::EXT1, bytes[0]]),
                    0x100..=0xFFFF => self.put(&[op::EXT2, bytes[0], bytes[1]]),
                    _ => self.put(&[op::EXT4, bytes[0], bytes[1], bytes[2], bytes[3]]),
                }
                return Ok(());
            }
        }
        let text = name.to_string_lossy();
        if self.protocol >= 4 {
            self.save(module.as_value())?;
            self.save(name.as_value())?;
            self.put(&[op::STACK_GLOBAL]);
        } else if text.contains('.') {
            let mut path = text.split('.');
            let top = Str::from_str(path.next().unwrap_or(""));
            let rest: Vec<&str> = path.collect();
            let builtins = vm.import_module("builtins")?;
            let getattr = vm.getattr(&builtins, intern!("getattr"))?;
            for _ in &rest {
                self.save(&getattr)?;
                if self.protocol < 2 {
                    self.put(&[op::MARK]);
                }
            }
            self.put_global(&module, &top)?;
            for attribute in rest {
                self.save(&Value::from(attribute))?;
                self.put(&[if self.protocol < 2 { op::TUPLE } else { op::TUPLE2 }, op::REDUCE]);
            }
        } else {
            self.put_global(&module, name)?;
        }
        self.memoize(object);
        Ok(())
    }

    /// Writes the opcode that names an object of a module.
    fn put_global(&mut self, module: &Py<Str>, name: &Py<Str>) -> Res<()> {
        let vm = self.vm;
        let (mut module, mut name) = (module.clone(), name.clone());
        if self.fix_imports {
            let compat = vm.import_module("_compat_pickle")?;
            let names = vm.getattr(&compat, intern!("REVERSE_NAME_MAPPING"))?;
            let imports = vm.getattr(&compat, intern!("REVERSE_IMPORT_MAPPING"))?;
            let key = Tuple::pair(module.to_value(), name.to_value()).into_value();
            if vm.contains(&names, &key)? {
                let pair = vm.getitem(&names, &key)?;
                if let Some([new_module, new_name]) = pair.downcast::<Tuple>().map(|pair| pair.as_slice())
                    && let (Some(new_module), Some(new_name)) =
                        (new_module.downcast::<Str>(), new_name.downcast::<Str>())
                {
                    (module, name) = (new_module.clone(), new_name.clone());
                }
            } else if vm.contains(&imports, module.as_value())?
                && let Some(new) = vm.getitem(&imports, module.as_value())?.downcast::<Str>()
            {
                module = new.clone();
            }
        }
        let mut line = vec![op::GLOBAL];
        for (text, what) in [(&module, "module"), (&name, "global")] {
            let encoded = match text.view().to_utf8() {
                Some(utf8) if self.protocol >= 3 || utf8.is_ascii() => utf8.into_owned(),
                _ => {
                    let shown = vm.repr(text.as_value())?.to_string_lossy();
                    let message = format!(
                        "can't pickle {what} identifier {shown} using pickle protocol {}",
                        self.protocol
                    );
                    return Err(pickling_error(vm, message));
                }
            };
            line.extend(encoded.as_bytes());
            line.push(b'\n');
        }
        self.put(&line);
        Ok(())
    }

    /// The module that an object is found in by its name.
    fn module_of(&mut self, object: &Value, name: &Py<Str>) -> Res<Py<Str>> {
        let vm = self.vm;
        let text = name.to_string_lossy();
        let path: Vec<&str> = text.split('.').collect();
        let module = match vm.getattr(object, intern!("__module__")) {
            Ok(module) => Some(module),
            Err(exc) if exc.is_attribute_error() => None,
            Err(exc) => return Err(exc),
        };
        let shown = || -> Res<String> { Ok(vm.repr(object)?.to_string_lossy()) };
        if path.contains(&"<locals>") {
            return Err(pickling_error(vm, format!("Can't pickle local object {}", shown()?)));
        }
        let sys = vm.import_module("sys")?;
        let modules = vm.getattr(&sys, intern!("modules"))?;
        let follow = |module: &Value| -> Res<Option<Value>> {
            let mut at = module.clone();
            for part in &path {
                match vm.getattr_opt(&at, &Str::intern(part))? {
                    Some(next) => at = next,
                    None => return Ok(None),
                }
            }
            Ok(Some(at))
        };
        let module = match module.filter(|module| !module.is_none()) {
            Some(module) => module,
            None => {
                let mut found = Value::from("__main__");
                let all = modules.downcast::<Dict>().map_or_else(Vec::new, |dict| dict.snapshot());
                for (name, module) in all {
                    let own = name
                        .downcast::<Str>()
                        .is_some_and(|n| n.is_text("__main__") || n.is_text("__mp_main__"));
                    if own || module.is_none() {
                        continue;
                    }
                    if follow(&module)?.is_some_and(|value| value.is(object)) {
                        found = name;
                        break;
                    }
                }
                found
            }
        };
        let Some(module_name) = module.downcast::<Str>() else {
            let found = module.ty().name();
            return Err(vm.type_error(format!("module name must be a string, not {found}")));
        };
        let loaded = match modules.downcast::<Dict>() {
            Some(dict) => dict.get(vm, &module)?.filter(|loaded| !loaded.is_none()),
            None => None,
        };
        let loaded = match loaded {
            Some(loaded) => loaded,
            None => {
                let result = vm
                    .import_module(&module_name.to_string_lossy())
                    .and_then(|_| vm.getitem(&modules, &module));
                match result {
                    Ok(loaded) => loaded,
                    Err(exc)
                        if exc.is(&exceptions::IMPORT_ERROR)
                            || exc.is(&exceptions::VALUE_ERROR)
                            || exc.is(&exceptions::KEY_ERROR) =>
                    {
                        let why = vm.str(exc.as_value())?.to_string_lossy();
                        let message = format!("Can't pickle {}: {why}", shown()?);
                        return Err(pickling_error(vm, message).with_context(Some(exc.into_value())));
                    }
                    Err(exc) => return Err(exc),
                }
            }
        };
        let place = format!("{}.{text}", module_name.to_string_lossy());
        match follow(&loaded)? {
            Some(found) if found.is(object) => Ok(module_name.clone()),
            Some(_) => Err(pickling_error(
                vm,
                format!("Can't pickle {}: it's not the same object as {place}", shown()?),
            )),
            None => Err(pickling_error(
                vm,
                format!("Can't pickle {}: it's not found as {place}", shown()?),
            )),
        }
    }
}

/// Text of protocol 0, in one line.
fn raw_unicode_escape(text: &Py<Str>) -> Result<Vec<u8>, NoMemory> {
    let mut out = Vec::new();
    for code in text.view().chars() {
        out.try_reserve(10)?;
        let plain = code <= 0xFF && !matches!(code, 0 | 0x0A | 0x0D | 0x1A | 0x5C);
        if plain {
            out.push(code as u8);
        } else if code <= 0xFFFF {
            out.extend(format!("\\u{code:04x}").into_bytes());
        } else {
            out.extend(format!("\\U{code:08x}").into_bytes());
        }
    }
    Ok(out)
}

#[pymethods]
impl Pickler {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(cls, Pickler::empty()).into_value())
    }

    #[slot(sig = "(file, protocol=None, fix_imports=True, buffer_callback=None)")]
    fn __init__(
        vm: &Vm,
        this: &Py<Pickler>,
        file: &Value,
        protocol: Option<&Value>,
        fix_imports: Option<bool>,
        buffer_callback: Option<&Value>,
    ) -> Res<()> {
        prepare(vm, this, protocol, fix_imports.unwrap_or(true), buffer_callback)?;
        set_file(vm, this, file)
    }

    #[pymethod(sig = "($self, obj, /)")]
    fn persistent_id(_: &Vm, _: &Py<Pickler>, _obj: &Value) -> Value {
        Value::NONE
    }

    /// Write a pickled representation of the given object to the open file.
    #[pymethod(sig = "($self, obj, /)")]
    fn dump(vm: &Vm, this: &Py<Pickler>, obj: &Value) -> Res<()> {
        self::dump(vm, this, obj).map(|_| ())
    }

    /// Clears the pickler's "memo".
    ///
    /// The memo is the data structure that remembers which objects the
    /// pickler has already seen, so that shared or recursive objects are
    /// pickled by reference and not by value.  This method is useful when
    /// re-using picklers.
    #[pymethod(sig = "($self, /)")]
    fn clear_memo(_: &Vm, this: &Py<Pickler>) {
        memo::clear_saved(this);
    }

    #[getter]
    fn memo(_: &Vm, this: &Py<Pickler>) -> Py<PicklerMemoProxy> {
        Py::new(PicklerMemoProxy { owner: this.clone() })
    }

    #[setter(name = "memo")]
    fn set_memo(vm: &Vm, this: &Py<Pickler>, value: Option<&Value>) -> Res<()> {
        match value {
            Some(value) => memo::set_saved(vm, this, value),
            None => Err(vm.type_error("attribute deletion is not supported")),
        }
    }

    #[getter]
    fn bin(_: &Vm, this: &Py<Pickler>) -> i64 {
        this.bin.load(Acquire)
    }

    #[setter(name = "bin")]
    fn set_bin(vm: &Vm, this: &Py<Pickler>, value: Option<&Value>) -> Res<()> {
        set_number(vm, &this.bin, value)
    }

    #[getter]
    fn fast(_: &Vm, this: &Py<Pickler>) -> i64 {
        this.fast.load(Acquire)
    }

    #[setter(name = "fast")]
    fn set_fast(vm: &Vm, this: &Py<Pickler>, value: Option<&Value>) -> Res<()> {
        set_number(vm, &this.fast, value)
    }

    #[getter]
    fn dispatch_table(vm: &Vm, this: &Py<Pickler>) -> Res<Value> {
        match this.dispatch_table.get() {
            Some(table) => Ok(table),
            None => Err(vm.attribute_error_for(this.as_value(), intern!("dispatch_table"))),
        }
    }

    #[setter(name = "dispatch_table")]
    fn set_dispatch_table(_: &Vm, this: &Py<Pickler>, value: Option<&Value>) -> Res<()> {
        drop(this.dispatch_table.swap(value.cloned()));
        Ok(())
    }
}

fn set_number(vm: &Vm, number: &AtomicI64, value: Option<&Value>) -> Res<()> {
    match value {
        Some(value) => {
            number.store(vm.index_to_i64(value)?, Release);
            Ok(())
        }
        None => Err(vm.type_error("can't delete numeric/char attribute")),
    }
}
