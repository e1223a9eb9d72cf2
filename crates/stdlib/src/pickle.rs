//! The `_pickle` module: pickling and unpickling.
//!
//! Invariant: a dump or a load keeps what it works on to itself; only the memo is the pickler's, under its lock. Opcodes are those of protocol 5.

mod buffer;
mod load;
mod memo;
mod save;

use lisle_runtime::native::*;
use lisle_runtime::types::exceptions;

use crate::exception::ExceptionClass;

pub static PICKLE_ERROR: ExceptionClass = ExceptionClass::new("_pickle", "PickleError", &exceptions::EXCEPTION);
pub static PICKLING_ERROR: ExceptionClass =
    ExceptionClass::new("_pickle", "PicklingError", &exceptions::EXCEPTION).derived_from(&PICKLE_ERROR);
pub static UNPICKLING_ERROR: ExceptionClass =
    ExceptionClass::new("_pickle", "UnpicklingError", &exceptions::EXCEPTION).derived_from(&PICKLE_ERROR);

/// The opcodes.
pub mod op {
    pub const MARK: u8 = b'(';
    pub const STOP: u8 = b'.';
    pub const POP: u8 = b'0';
    pub const POP_MARK: u8 = b'1';
    pub const DUP: u8 = b'2';
    pub const FLOAT: u8 = b'F';
    pub const INT: u8 = b'I';
    pub const BININT: u8 = b'J';
    pub const BININT1: u8 = b'K';
    pub const LONG: u8 = b'L';
    pub const BININT2: u8 = b'M';
    pub const NONE: u8 = b'N';
    pub const PERSID: u8 = b'P';
    pub const BINPERSID: u8 = b'Q';
    pub const REDUCE: u8 = b'R';
    pub const STRING: u8 = b'S';
    pub const BINSTRING: u8 = b'T';
    pub const SHORT_BINSTRING: u8 = b'U';
    pub const UNICODE: u8 = b'V';
    pub const BINUNICODE: u8 = b'X';
    pub const APPEND: u8 = b'a';
    pub const BUILD: u8 = b'b';
    pub const GLOBAL: u8 = b'c';
    pub const DICT: u8 = b'd';
    pub const EMPTY_DICT: u8 = b'}';
    pub const APPENDS: u8 = b'e';
    pub const GET: u8 = b'g';
    pub const BINGET: u8 = b'h';
    pub const INST: u8 = b'i';
    pub const LONG_BINGET: u8 = b'j';
    pub const LIST: u8 = b'l';
    pub const EMPTY_LIST: u8 = b']';
    pub const OBJ: u8 = b'o';
    pub const PUT: u8 = b'p';
    pub const BINPUT: u8 = b'q';
    pub const LONG_BINPUT: u8 = b'r';
    pub const SETITEM: u8 = b's';
    pub const TUPLE: u8 = b't';
    pub const EMPTY_TUPLE: u8 = b')';
    pub const SETITEMS: u8 = b'u';
    pub const BINFLOAT: u8 = b'G';
    pub const PROTO: u8 = 0x80;
    pub const NEWOBJ: u8 = 0x81;
    pub const EXT1: u8 = 0x82;
    pub const EXT2: u8 = 0x83;
    pub const EXT4: u8 = 0x84;
    pub const TUPLE1: u8 = 0x85;
    pub const TUPLE2: u8 = 0x86;
    pub const TUPLE3: u8 = 0x87;
    pub const NEWTRUE: u8 = 0x88;
    pub const NEWFALSE: u8 = 0x89;
    pub const LONG1: u8 = 0x8A;
    pub const LONG4: u8 = 0x8B;
    pub const BINBYTES: u8 = b'B';
    pub const SHORT_BINBYTES: u8 = b'C';
    pub const SHORT_BINUNICODE: u8 = 0x8C;
    pub const BINUNICODE8: u8 = 0x8D;
    pub const BINBYTES8: u8 = 0x8E;
    pub const EMPTY_SET: u8 = 0x8F;
    pub const ADDITEMS: u8 = 0x90;
    pub const FROZENSET: u8 = 0x91;
    pub const NEWOBJ_EX: u8 = 0x92;
    pub const STACK_GLOBAL: u8 = 0x93;
    pub const MEMOIZE: u8 = 0x94;
    pub const FRAME: u8 = 0x95;
    pub const BYTEARRAY8: u8 = 0x96;
    pub const NEXT_BUFFER: u8 = 0x97;
    pub const READONLY_BUFFER: u8 = 0x98;
}

pub const HIGHEST_PROTOCOL: i64 = 5;

fn pickling_error(vm: &Vm, message: impl AsRef<str>) -> Exc {
    PICKLING_ERROR.error(vm, message)
}

fn unpickling_error(vm: &Vm, message: impl AsRef<str>) -> Exc {
    UNPICKLING_ERROR.error(vm, message)
}

#[pymodule(
    name = "_pickle",
    doc = "Optimized C implementation for the Python pickle module.",
    types(save::Pickler, load::Unpickler, buffer::PickleBuffer)
)]
pub mod module {
    use super::*;
    use lisle_runtime::types::buffer::Readable;
    use lisle_runtime::types::bytes::Bytes;

    #[pyattr(name = "PickleError")]
    fn pickle_error(vm: &Vm) -> Res<Value> {
        Ok(PICKLE_ERROR.get(vm)?.to_value())
    }

    #[pyattr(name = "PicklingError")]
    fn pickling_error_class(vm: &Vm) -> Res<Value> {
        Ok(PICKLING_ERROR.get(vm)?.to_value())
    }

    #[pyattr(name = "UnpicklingError")]
    fn unpickling_error_class(vm: &Vm) -> Res<Value> {
        Ok(UNPICKLING_ERROR.get(vm)?.to_value())
    }

    /// Write a pickled representation of obj to the open file object file.
    ///
    /// This is equivalent to ``Pickler(file, protocol).dump(obj)``, but may
    /// be more efficient.
    #[pyfunction(sig = "(obj, file, protocol=None, *, fix_imports=True, buffer_callback=None)")]
    fn dump(
        vm: &Vm,
        obj: &Value,
        file: &Value,
        protocol: Option<&Value>,
        fix_imports: Option<bool>,
        buffer_callback: Option<&Value>,
    ) -> Res<()> {
        let pickler = save::Pickler::make();
        save::prepare(vm, &pickler, protocol, fix_imports.unwrap_or(true), buffer_callback)?;
        save::set_file(vm, &pickler, file)?;
        save::dump(vm, &pickler, obj).map(|_| ())
    }

    /// Return the pickled representation of the object as a bytes object.
    #[pyfunction(sig = "(obj, protocol=None, *, fix_imports=True, buffer_callback=None)")]
    fn dumps(
        vm: &Vm,
        obj: &Value,
        protocol: Option<&Value>,
        fix_imports: Option<bool>,
        buffer_callback: Option<&Value>,
    ) -> Res<Value> {
        let pickler = save::Pickler::make();
        save::prepare(vm, &pickler, protocol, fix_imports.unwrap_or(true), buffer_callback)?;
        save::dump(vm, &pickler, obj).map(Bytes::new_value)
    }

    /// Read and return an object from the pickle data stored in a file.
    ///
    /// This is equivalent to ``Unpickler(file).load()``, but may be more
    /// efficient.
    #[pyfunction(sig = "(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())")]
    fn load(
        vm: &Vm,
        file: &Value,
        fix_imports: Option<bool>,
        encoding: Option<&Py<Str>>,
        errors: Option<&Py<Str>>,
        buffers: Option<&Value>,
    ) -> Res<Value> {
        let unpickler = load::Unpickler::make();
        load::prepare(vm, &unpickler, fix_imports.unwrap_or(true), encoding, errors, buffers)?;
        load::set_file(vm, &unpickler, file)?;
        load::load(vm, &unpickler, &[])
    }

    /// Read and return an object from the given pickle data.
    ///
    /// The protocol version of the pickle is detected automatically, so no
    /// protocol argument is needed.  Bytes past the pickled object's
    /// representation are ignored.
    #[pyfunction(sig = "(data, /, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())")]
    fn loads(
        vm: &Vm,
        data: Readable<'_>,
        fix_imports: Option<bool>,
        encoding: Option<&Py<Str>>,
        errors: Option<&Py<Str>>,
        buffers: Option<&Value>,
    ) -> Res<Value> {
        let unpickler = load::Unpickler::make();
        load::prepare(vm, &unpickler, fix_imports.unwrap_or(true), encoding, errors, buffers)?;
        load::load(vm, &unpickler, &data.0)
    }
}
