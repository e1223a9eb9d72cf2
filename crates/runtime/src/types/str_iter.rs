//! Iterators over `str`, `bytes` and `bytearray`.
//!
//! Invariant: as in `seq_iter`: the container is taken out of its slot once, when the iterator is exhausted.

use super::bytearray::ByteArray;
use super::bytes::Bytes;
use super::common::{builtin, with_held};
use super::tuple::Tuple;
use crate::intern;
use crate::native::{pyclass, pymethods};
use crate::object::{Py, PySlot, Value};
use crate::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use crate::types::str::Str;
use crate::vm::{Res, Vm};

macro_rules! iterator {
    ($name:ident, $python:literal, $of:ident, $doc:literal, $empty:expr, $get:expr) => {
        #[doc = $doc]
        #[pyclass(name = $python, no_new)]
        pub struct $name {
            over: PySlot<$of>,
            at: AtomicUsize,
        }

        impl $name {
            pub fn over(object: &Py<$of>) -> Py<$name> {
                Py::new($name {
                    over: PySlot::new(object.clone()),
                    at: AtomicUsize::new(0),
                })
            }
        }

        #[pymethods]
        impl $name {
            #[slot]
            fn __iter__(_vm: &Vm, this: &Py<$name>) -> Res<Value> {
                Ok(this.to_value())
            }

            #[slot]
            fn __next__(_vm: &Vm, this: &Py<$name>) -> Res<Option<Value>> {
                let at = this.at.load(Relaxed);
                let get: fn(&Py<$of>, usize) -> Option<Value> = $get;
                match with_held(&this.over, |object| get(object, at)) {
                    Some(Some(item)) => {
                        this.at.store(at + 1, Relaxed);
                        Ok(Some(item))
                    }
                    Some(None) => {
                        drop(this.over.swap(None));
                        Ok(None)
                    }
                    None => Ok(None),
                }
            }

            /// Private method returning an estimate of len(list(it)).
            #[pymethod(sig = "($self, /)")]
            fn __length_hint__(_vm: &Vm, this: &Py<$name>) -> Res<usize> {
                Ok(this
                    .over
                    .get()
                    .map_or(0, |object| object.len().saturating_sub(this.at.load(Relaxed))))
            }

            /// Return state information for pickling.
            #[pymethod(sig = "($self, /)")]
            fn __reduce__(vm: &Vm, this: &Py<$name>) -> Res<Value> {
                let iter = builtin(vm, intern!("iter"))?;
                Ok(match this.over.get() {
                    Some(object) => {
                        let args = Tuple::from_array([object.into_value()]).into_value();
                        Tuple::from_array([iter, args, Value::usize(this.at.load(Relaxed))]).into_value()
                    }
                    None => Tuple::pair(iter, Tuple::from_array([$empty]).into_value()).into_value(),
                })
            }

            /// Set state information for unpickling.
            #[pymethod(sig = "($self, object, /)")]
            fn __setstate__(_vm: &Vm, this: &Py<$name>, object: isize) -> Res<()> {
                if let Some(over) = this.over.get() {
                    this.at
                        .store(object.clamp(0, over.len() as isize) as usize, Relaxed);
                }
                Ok(())
            }
        }
    };
}

iterator!(
    StrIter,
    "str_iterator",
    Str,
    "`iter(str)`",
    Str::empty().into_value(),
    |text, at| text.view().get(at).map(|code| Str::from_char(code).into_value())
);
iterator!(
    StrAsciiIter,
    "str_ascii_iterator",
    Str,
    "`iter(str)` for a string of ASCII characters",
    Str::empty().into_value(),
    |text, at| text.view().get(at).map(|code| Str::from_char(code).into_value())
);
iterator!(
    BytesIter,
    "bytes_iterator",
    Bytes,
    "`iter(bytes)`",
    Tuple::empty().into_value(),
    |bytes, at| bytes.as_slice().get(at).map(|&byte| Value::int(byte.into()))
);
iterator!(
    ByteArrayIter,
    "bytearray_iterator",
    ByteArray,
    "`iter(bytearray)`",
    Tuple::empty().into_value(),
    |array, at| array.get_byte(at).map(|byte| Value::int(byte.into()))
);
