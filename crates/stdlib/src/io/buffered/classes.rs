//! The classes `BufferedReader`, `BufferedWriter`, `BufferedRandom` and `BufferedRWPair`.
//!
//! Invariant: the methods do no more than convert; the work is in the parent module. A pair owns a reader and a writer and forwards.

use lisle_runtime::intern;
use lisle_runtime::native::{Args, Native, Py, Res, Slot, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::types::buffer::{Readable, Writable};
use lisle_runtime::types::bytes::Bytes;

use super::{Buf, Buffered, HasBuffer, READABLE, WRITABLE};
use crate::io::base::{BufferedIOBase, check_readable, check_seekable, check_writable, finalize};
use crate::io::common::{DEFAULT_BUFFER_SIZE, Size, both, call0, joined, name_of, size_or_all};

macro_rules! buffered_class {
    ($ty:ident, $name:literal, $doc:literal, $flags:expr) => {
        #[doc = $doc]
        #[pyclass(name = $name, module = "_io", base = BufferedIOBase, basetype, dict, weakref, doc = $doc)]
        pub struct $ty {
            base: BufferedIOBase,
            inner: Buffered,
        }

        impl HasBuffer for $ty {
            #[inline(always)]
            fn buffered(&self) -> &Buffered {
                &self.inner
            }
        }

        impl $ty {
            fn empty() -> $ty {
                $ty {
                    base: BufferedIOBase::payload(),
                    inner: Buffered::empty($flags),
                }
            }

            /// A buffer of the given size on a raw stream.
            pub fn new(vm: &Vm, raw: &Value, size: usize) -> Res<Py<$ty>> {
                let this = Py::new($ty::empty());
                Buf::new(vm, &this).init(raw, isize::try_from(size).unwrap_or(isize::MAX))?;
                Ok(this)
            }
        }

        #[pymethods(part = define_common)]
        impl $ty {
            #[slot]
            fn __new__(_: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
                Ok(Py::with_class(cls, $ty::empty()).into_value())
            }

            #[slot]
            fn __repr__(vm: &Vm, this: &Py<$ty>) -> Res<Value> {
                repr(vm, this.as_value())
            }

            #[slot]
            fn __del__(vm: &Vm, this: &Py<$ty>) -> Res<()> {
                // Nothing to close.
                if this.inner.raw().is_none() {
                    return Ok(());
                }
                finalize(vm, this.as_value())
            }

            #[pymethod(sig = "($self, /)")]
            fn close(vm: &Vm, this: &Py<$ty>) -> Res<()> {
                Buf::new(vm, this).close()
            }

            #[pymethod(sig = "($self, /)")]
            fn detach(vm: &Vm, this: &Py<$ty>) -> Res<Value> {
                Buf::new(vm, this).detach()
            }

            #[pymethod(sig = "($self, /)")]
            fn seekable(vm: &Vm, this: &Py<$ty>) -> Res<Value> {
                Buf::new(vm, this).forward(intern!("seekable"))
            }

            #[pymethod(sig = "($self, /)")]
            fn fileno(vm: &Vm, this: &Py<$ty>) -> Res<Value> {
                Buf::new(vm, this).forward(intern!("fileno"))
            }

            #[pymethod(sig = "($self, /)")]
            fn isatty(vm: &Vm, this: &Py<$ty>) -> Res<Value> {
                Buf::new(vm, this).forward(intern!("isatty"))
            }

            #[pymethod(sig = "($self, source, /)")]
            fn _dealloc_warn(vm: &Vm, this: &Py<$ty>, source: &Value) {
                Buf::new(vm, this).warn_unclosed(source);
            }

            #[pymethod(sig = "($self, target, whence=0, /)")]
            fn seek(vm: &Vm, this: &Py<$ty>, target: &Value, whence: Option<i32>) -> Res<i64> {
                Buf::new(vm, this).seek(target, whence.unwrap_or(0))
            }

            #[pymethod(sig = "($self, /)")]
            fn tell(vm: &Vm, this: &Py<$ty>) -> Res<i64> {
                Buf::new(vm, this).tell()
            }

            #[pymethod(sig = "($self, pos=None, /)")]
            fn truncate(vm: &Vm, this: &Py<$ty>, pos: Option<&Value>) -> Res<Value> {
                Buf::new(vm, this).truncate(pos)
            }

            #[pymethod(sig = "($self, /)")]
            fn __sizeof__(vm: &Vm, this: &Py<$ty>) -> usize {
                std::mem::size_of::<$ty>() + Buf::new(vm, this).buffer_size()
            }

            #[pymethod(sig = "($self, /)")]
            fn __reduce__(vm: &Vm, this: &Py<$ty>) -> Res<Value> {
                Err(crate::io::cannot_pickle(vm, this.as_value()))
            }

            #[pymethod(sig = "($self, protocol, /)")]
            fn __reduce_ex__(vm: &Vm, this: &Py<$ty>, _protocol: &Value) -> Res<Value> {
                Err(crate::io::cannot_pickle(vm, this.as_value()))
            }

            #[getter]
            fn raw(_: &Vm, this: &Py<$ty>) -> Option<Value> {
                this.inner.raw()
            }

            #[getter]
            fn closed(vm: &Vm, this: &Py<$ty>) -> Res<Value> {
                let raw = Buf::new(vm, this).raw()?;
                vm.getattr(&raw, intern!("closed"))
            }

            #[getter]
            fn name(vm: &Vm, this: &Py<$ty>) -> Res<Value> {
                let raw = Buf::new(vm, this).raw()?;
                vm.getattr(&raw, intern!("name"))
            }

            #[getter]
            fn mode(vm: &Vm, this: &Py<$ty>) -> Res<Value> {
                let raw = Buf::new(vm, this).raw()?;
                vm.getattr(&raw, intern!("mode"))
            }

            #[getter]
            fn _finalizing(vm: &Vm, this: &Py<$ty>) -> bool {
                Buf::new(vm, this).is_finalizing()
            }
            #[setter(name = "_finalizing")]
            fn set_finalizing(vm: &Vm, this: &Py<$ty>, value: Option<&Value>) -> Res<()> {
                let on = crate::io::flag_value(vm, value)?;
                Buf::new(vm, this).set_finalizing(on);
                Ok(())
            }
        }
    };
}

macro_rules! reading_methods {
    ($ty:ident) => {
        #[pymethods(part = define_reading)]
        impl $ty {
            #[slot]
            fn __next__(vm: &Vm, this: &Py<$ty>) -> Res<Option<Value>> {
                if this.class().is(<$ty>::ty()) {
                    let line = Buf::new(vm, this).readline(-1)?;
                    return Ok((!line.is_empty()).then(|| Bytes::new_value(line)));
                }
                let line = call0(vm, this.as_value(), intern!("readline"))?;
                let Some(bytes) = line.downcast::<Bytes>() else {
                    let found = line.ty().name();
                    let message = format!("readline() should have returned a bytes object, not '{found}'");
                    return Err(vm.os_error_message(message));
                };
                Ok(if bytes.is_empty() { None } else { Some(line) })
            }

            #[pymethod(sig = "($self, /)")]
            fn readable(vm: &Vm, this: &Py<$ty>) -> Res<Value> {
                Buf::new(vm, this).forward(intern!("readable"))
            }

            #[pymethod(sig = "($self, size=-1, /)")]
            fn read(vm: &Vm, this: &Py<$ty>, size: Option<Size>) -> Res<Value> {
                Buf::new(vm, this).read(size_or_all(size))
            }

            #[pymethod(sig = "($self, size=-1, /)")]
            fn read1(vm: &Vm, this: &Py<$ty>, size: Option<isize>) -> Res<Value> {
                Buf::new(vm, this).read1(size.unwrap_or(-1)).map(Bytes::new_value)
            }

            #[pymethod(sig = "($self, buffer, /)")]
            fn readinto(vm: &Vm, this: &Py<$ty>, buffer: Writable) -> Res<Option<usize>> {
                Buf::new(vm, this).read_into(&buffer.0, false)
            }

            #[pymethod(sig = "($self, buffer, /)")]
            fn readinto1(vm: &Vm, this: &Py<$ty>, buffer: Writable) -> Res<Option<usize>> {
                Buf::new(vm, this).read_into(&buffer.0, true)
            }

            #[pymethod(sig = "($self, size=-1, /)")]
            fn readline(vm: &Vm, this: &Py<$ty>, size: Option<Size>) -> Res<Value> {
                Buf::new(vm, this)
                    .readline(size_or_all(size))
                    .map(Bytes::new_value)
            }

            #[pymethod(sig = "($self, size=0, /)")]
            fn peek(vm: &Vm, this: &Py<$ty>, _size: Option<isize>) -> Res<Value> {
                Buf::new(vm, this).peek().map(Bytes::new_value)
            }
        }
    };
}

macro_rules! writing_methods {
    ($ty:ident) => {
        #[pymethods(part = define_writing)]
        impl $ty {
            #[pymethod(sig = "($self, /)")]
            fn writable(vm: &Vm, this: &Py<$ty>) -> Res<Value> {
                Buf::new(vm, this).forward(intern!("writable"))
            }

            #[pymethod(sig = "($self, buffer, /)")]
            fn write(vm: &Vm, this: &Py<$ty>, buffer: Readable<'_>) -> Res<usize> {
                Buf::new(vm, this).write(&buffer.0)
            }

            #[pymethod(sig = "($self, /)")]
            fn flush(vm: &Vm, this: &Py<$ty>) -> Res<()> {
                Buf::new(vm, this).flush()
            }
        }
    };
}

buffered_class!(
    BufferedReader,
    "BufferedReader",
    "Create a new buffered reader using the given readable raw IO object.",
    READABLE
);
buffered_class!(
    BufferedWriter,
    "BufferedWriter",
    "A buffer for a writeable sequential RawIO object.\n\nThe constructor creates a BufferedWriter for the given writeable raw\nstream. If the buffer_size is not given, it defaults to\nDEFAULT_BUFFER_SIZE.",
    WRITABLE
);
buffered_class!(
    BufferedRandom,
    "BufferedRandom",
    "A buffered interface to random access streams.\n\nThe constructor creates a reader and writer for a seekable stream,\nraw, given in the first argument. If the buffer_size is omitted it\ndefaults to DEFAULT_BUFFER_SIZE.",
    READABLE | WRITABLE
);
reading_methods!(BufferedReader);
reading_methods!(BufferedRandom);
writing_methods!(BufferedWriter);
writing_methods!(BufferedRandom);

const DEFAULT_SIZE: isize = DEFAULT_BUFFER_SIZE as isize;

#[pymethods(parts(define_common, define_reading))]
impl BufferedReader {
    #[slot(sig = "(raw, buffer_size=131072)")]
    fn __init__(vm: &Vm, this: &Py<BufferedReader>, raw: &Value, buffer_size: Option<isize>) -> Res<()> {
        check_readable(vm, raw)?;
        Buf::new(vm, this).init(raw, buffer_size.unwrap_or(DEFAULT_SIZE))
    }

    #[pymethod(sig = "($self, /)")]
    fn flush(vm: &Vm, this: &Py<BufferedReader>) -> Res<Value> {
        Buf::new(vm, this).forward(intern!("flush"))
    }
}

#[pymethods(parts(define_common, define_writing))]
impl BufferedWriter {
    #[slot(sig = "(raw, buffer_size=131072)")]
    fn __init__(vm: &Vm, this: &Py<BufferedWriter>, raw: &Value, buffer_size: Option<isize>) -> Res<()> {
        check_writable(vm, raw)?;
        Buf::new(vm, this).init(raw, buffer_size.unwrap_or(DEFAULT_SIZE))
    }
}

#[pymethods(parts(define_common, define_reading, define_writing))]
impl BufferedRandom {
    #[slot(sig = "(raw, buffer_size=131072)")]
    fn __init__(vm: &Vm, this: &Py<BufferedRandom>, raw: &Value, buffer_size: Option<isize>) -> Res<()> {
        check_seekable(vm, raw)?;
        check_readable(vm, raw)?;
        check_writable(vm, raw)?;
        Buf::new(vm, this).init(raw, buffer_size.unwrap_or(DEFAULT_SIZE))
    }
}

/// `<_io.BufferedReader name='x'>`
fn repr(vm: &Vm, this: &Value) -> Res<Value> {
    let class = name_of(this);
    let name = match vm.getattr_opt(this, intern!("name")) {
        Ok(name) => name,
        Err(exc) if exc.is(&lisle_runtime::types::exceptions::VALUE_ERROR) => None,
        Err(exc) => return Err(exc),
    };
    let Some(name) = name else {
        return Ok(Value::from(format!("<{class}>").as_str()));
    };
    let Some(_guard) = vm.repr_enter(this) else {
        return Err(vm.runtime_error(format!("reentrant call inside {class}.__repr__")));
    };
    let name = vm.repr(&name)?;
    Ok(joined(&[&"<", &class, &" name=", &name, &">"]))
}

/// A buffered reader and writer object together.
#[pyclass(
    name = "BufferedRWPair",
    module = "_io",
    base = BufferedIOBase,
    basetype,
    dict,
    weakref,
    doc = "A buffered reader and writer object together.\n\nA buffered reader object and buffered writer object put together to\nform a sequential IO object that can read and write. This is typically\nused with a socket or two-way pipe.\n\nreader and writer are RawIOBase objects that are readable and\nwriteable respectively. If the buffer_size is omitted it defaults to\nDEFAULT_BUFFER_SIZE."
)]
pub struct BufferedRWPair {
    base: BufferedIOBase,
    reader: Slot,
    writer: Slot,
}

impl BufferedRWPair {
    fn half(vm: &Vm, half: &Slot) -> Res<Value> {
        half.get()
            .ok_or_else(|| vm.value_error("I/O operation on uninitialized object"))
    }

    fn read_by(
        vm: &Vm,
        this: &Py<BufferedRWPair>,
        name: &Py<lisle_runtime::native::Str>,
        args: &[Value],
    ) -> Res<Value> {
        let reader = BufferedRWPair::half(vm, &this.reader)?;
        vm.call_method(&reader, name, args)
    }
}

#[pymethods]
impl BufferedRWPair {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        let payload = BufferedRWPair {
            base: BufferedIOBase::payload(),
            reader: Slot::empty(),
            writer: Slot::empty(),
        };
        Ok(Py::with_class(cls, payload).into_value())
    }

    #[slot(sig = "(reader, writer, buffer_size=131072, /)")]
    fn __init__(
        vm: &Vm,
        this: &Py<BufferedRWPair>,
        reader: &Value,
        writer: &Value,
        buffer_size: Option<isize>,
    ) -> Res<()> {
        check_readable(vm, reader)?;
        check_writable(vm, writer)?;
        let size = buffer_size.unwrap_or(DEFAULT_SIZE);
        let half = Py::new(BufferedReader::empty());
        Buf::new(vm, &half).init(reader, size)?;
        this.reader.set(half.into_value());
        let half = Py::new(BufferedWriter::empty());
        Buf::new(vm, &half).init(writer, size)?;
        this.writer.set(half.into_value());
        Ok(())
    }

    #[slot]
    fn __del__(vm: &Vm, this: &Py<BufferedRWPair>) -> Res<()> {
        if this.writer.is_empty() {
            return Ok(());
        }
        finalize(vm, this.as_value())
    }

    #[pymethod(sig = "($self, size=-1, /)")]
    fn read(vm: &Vm, this: &Py<BufferedRWPair>, size: Option<&Value>) -> Res<Value> {
        let size = size.cloned().unwrap_or(Value::int(-1));
        BufferedRWPair::read_by(vm, this, intern!("read"), &[size])
    }

    #[pymethod(sig = "($self, size=0, /)")]
    fn peek(vm: &Vm, this: &Py<BufferedRWPair>, size: Option<&Value>) -> Res<Value> {
        let size = size.cloned().unwrap_or(Value::int(0));
        BufferedRWPair::read_by(vm, this, intern!("peek"), &[size])
    }

    #[pymethod(sig = "($self, size=-1, /)")]
    fn read1(vm: &Vm, this: &Py<BufferedRWPair>, size: Option<&Value>) -> Res<Value> {
        let size = size.cloned().unwrap_or(Value::int(-1));
        BufferedRWPair::read_by(vm, this, intern!("read1"), &[size])
    }

    #[pymethod(sig = "($self, buffer, /)")]
    fn readinto(vm: &Vm, this: &Py<BufferedRWPair>, buffer: &Value) -> Res<Value> {
        BufferedRWPair::read_by(vm, this, intern!("readinto"), std::slice::from_ref(buffer))
    }

    #[pymethod(sig = "($self, buffer, /)")]
    fn readinto1(vm: &Vm, this: &Py<BufferedRWPair>, buffer: &Value) -> Res<Value> {
        BufferedRWPair::read_by(vm, this, intern!("readinto1"), std::slice::from_ref(buffer))
    }

    #[pymethod(sig = "($self, b, /)")]
    fn write(vm: &Vm, this: &Py<BufferedRWPair>, b: &Value) -> Res<Value> {
        let writer = BufferedRWPair::half(vm, &this.writer)?;
        vm.call_method(&writer, intern!("write"), std::slice::from_ref(b))
    }

    #[pymethod(sig = "($self, /)")]
    fn flush(vm: &Vm, this: &Py<BufferedRWPair>) -> Res<Value> {
        call0(vm, &BufferedRWPair::half(vm, &this.writer)?, intern!("flush"))
    }

    #[pymethod(sig = "($self, /)")]
    fn readable(vm: &Vm, this: &Py<BufferedRWPair>) -> Res<Value> {
        call0(vm, &BufferedRWPair::half(vm, &this.reader)?, intern!("readable"))
    }

    #[pymethod(sig = "($self, /)")]
    fn writable(vm: &Vm, this: &Py<BufferedRWPair>) -> Res<Value> {
        call0(vm, &BufferedRWPair::half(vm, &this.writer)?, intern!("writable"))
    }

    #[pymethod(sig = "($self, /)")]
    fn close(vm: &Vm, this: &Py<BufferedRWPair>) -> Res<()> {
        let close = |half: &Slot| -> Res<()> {
            let half = BufferedRWPair::half(vm, half)?;
            call0(vm, &half, intern!("close")).map(drop)
        };
        let written = close(&this.writer);
        both(written, close(&this.reader))
    }

    #[pymethod(sig = "($self, /)")]
    fn isatty(vm: &Vm, this: &Py<BufferedRWPair>) -> Res<Value> {
        let answer = call0(vm, &BufferedRWPair::half(vm, &this.writer)?, intern!("isatty"))?;
        if !answer.is_false() {
            return Ok(answer);
        }
        call0(vm, &BufferedRWPair::half(vm, &this.reader)?, intern!("isatty"))
    }

    #[getter]
    fn closed(vm: &Vm, this: &Py<BufferedRWPair>) -> Res<Value> {
        let Some(writer) = this.writer.get() else {
            return Err(vm.runtime_error("the BufferedRWPair object is being garbage-collected"));
        };
        vm.getattr(&writer, intern!("closed"))
    }
}
