//! Blobs that are read and written in place.
//! Invariant: offsets and lengths are checked against the blob's size, which does not change.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};

use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::types::buffer::Readable;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::slice::Slice;

use super::connection::Connection;
use super::db::{BlobHandle, OrRaise};
use super::programming_error;

#[pyclass(name = "Blob", module = "sqlite3", no_new, mapping)]
pub struct Blob {
    connection: Py<Connection>,
    handle: Opaque<Arc<BlobHandle>>,
    offset: AtomicUsize,
}

type This = Py<Blob>;

pub fn new(connection: &Py<Connection>, handle: Arc<BlobHandle>) -> Value {
    let blob = Blob {
        connection: connection.clone(),
        handle: Opaque(handle),
        offset: AtomicUsize::new(0),
    };
    Py::new(blob).into_value()
}

fn check<'a>(vm: &Vm, this: &'a This) -> Res<&'a Arc<BlobHandle>> {
    this.connection.check_thread(vm)?;
    this.connection.db(vm)?;
    let handle = &this.handle.0;
    if !handle.is_open() {
        return Err(programming_error(vm, "Cannot operate on a closed blob."));
    }
    Ok(handle)
}

fn length(vm: &Vm, handle: &Arc<BlobHandle>) -> usize {
    handle.db.run(vm, |_| handle.len())
}

fn read(vm: &Vm, handle: &Arc<BlobHandle>, offset: usize, len: usize) -> Res<Vec<u8>> {
    handle.db.run(vm, |_| handle.read(offset, len)).or_raise(vm)
}

fn write(vm: &Vm, handle: &Arc<BlobHandle>, offset: usize, data: &[u8]) -> Res<()> {
    if data.len() > length(vm, handle).saturating_sub(offset) {
        return Err(vm.value_error("data longer than blob length"));
    }
    handle.db.run(vm, |_| handle.write(offset, data)).or_raise(vm)
}

/// The index of a byte.
fn index(vm: &Vm, key: &Value, len: usize) -> Res<usize> {
    let given = vm
        .index_to_i64(key)
        .map_err(|_| vm.index_error("Blob index out of range"))?;
    let at = if given < 0 {
        given.saturating_add(len as i64)
    } else {
        given
    };
    usize::try_from(at)
        .ok()
        .filter(|at| *at < len)
        .ok_or_else(|| vm.index_error("Blob index out of range"))
}

/// The offsets that a slice names.
fn offsets(vm: &Vm, slice: &Value, len: usize) -> Res<Vec<usize>> {
    let indices = vm.call_method(slice, lisle_runtime::intern!("indices"), &[Value::usize(len)])?;
    let parts = vm.collect(&indices)?;
    let [start, stop, step] = parts.as_slice() else {
        return Err(vm.type_error("Blob indices must be integers"));
    };
    let (mut at, stop, step) = (vm.index_to_i64(start)?, vm.index_to_i64(stop)?, vm.index_to_i64(step)?);
    let mut found = Vec::new();
    while step > 0 && at < stop || step < 0 && at > stop {
        found.push(at as usize);
        at += step;
    }
    Ok(found)
}

#[pymethods]
impl Blob {
    /// Close the blob.
    #[pymethod(sig = "($self, /)")]
    fn close(vm: &Vm, this: &This) -> Res<()> {
        this.connection.check_thread(vm)?;
        this.connection.db(vm)?;
        let handle = &this.handle.0;
        handle.db.run(vm, |_| handle.close());
        Ok(())
    }

    /// Read data at the current offset position.
    ///
    ///   length
    ///     Read length in bytes.
    ///
    /// If the end of the blob is reached, the data up to end of file will be returned.
    /// When length is not specified, or is negative, Blob.read() will read until the
    /// end of the blob.
    #[pymethod(sig = "($self, length=-1, /)")]
    fn read(vm: &Vm, this: &This, length: Option<i32>) -> Res<Value> {
        let handle = check(vm, this)?;
        let offset = this.offset.load(Acquire);
        let left = self::length(vm, handle).saturating_sub(offset);
        let len = usize::try_from(length.unwrap_or(-1)).map_or(left, |len| len.min(left));
        let data = self::read(vm, handle, offset, len)?;
        this.offset.store(offset + len, Release);
        Ok(Bytes::new_value(data))
    }

    /// Write data at the current offset.
    ///
    /// This function cannot change the blob length.  Writing beyond the end of the
    /// blob will result in an exception being raised.
    #[pymethod(sig = "($self, data, /)")]
    fn write(vm: &Vm, this: &This, data: Readable<'_>) -> Res<()> {
        let handle = check(vm, this)?;
        let offset = this.offset.load(Acquire);
        self::write(vm, handle, offset, &data.0)?;
        this.offset.store(offset + data.0.len(), Release);
        Ok(())
    }

    /// Set the current access position to offset.
    ///
    /// The origin argument defaults to os.SEEK_SET (absolute blob positioning).
    /// Other values for origin are os.SEEK_CUR (seek relative to the current position)
    /// and os.SEEK_END (seek relative to the blob's end).
    #[pymethod(sig = "($self, offset, origin=0, /)")]
    fn seek(vm: &Vm, this: &This, offset: i32, origin: Option<i32>) -> Res<()> {
        let handle = check(vm, this)?;
        let len = length(vm, handle) as i64;
        let base = match origin.unwrap_or(0) {
            0 => 0,
            1 => this.offset.load(Acquire) as i64,
            2 => len,
            _ => return Err(vm.value_error("'origin' should be os.SEEK_SET, os.SEEK_CUR, or os.SEEK_END")),
        };
        let target = base + i64::from(offset);
        if offset > 0 && target > i64::from(i32::MAX) {
            return Err(vm.overflow_error("seek offset results in offset overflow"));
        }
        if !(0..=len).contains(&target) {
            return Err(vm.value_error("offset out of blob range"));
        }
        this.offset.store(target as usize, Release);
        Ok(())
    }

    /// Return the current access position for the blob.
    #[pymethod(sig = "($self, /)")]
    fn tell(vm: &Vm, this: &This) -> Res<usize> {
        check(vm, this)?;
        Ok(this.offset.load(Acquire))
    }

    #[pymethod(sig = "($self, /)")]
    fn __enter__(vm: &Vm, this: &This) -> Res<Value> {
        check(vm, this)?;
        Ok(this.to_value())
    }

    #[pymethod(sig = "($self, type, val, tb, /)")]
    fn __exit__(vm: &Vm, this: &This, _type: &Value, _val: &Value, _tb: &Value) -> Res<bool> {
        let handle = check(vm, this)?;
        handle.db.run(vm, |_| handle.close());
        Ok(false)
    }

    #[slot]
    fn __iter__(vm: &Vm, _: &This) -> Res<Value> {
        Err(vm.type_error("'sqlite3.Blob' object is not iterable"))
    }

    #[slot]
    fn __len__(vm: &Vm, this: &This) -> Res<usize> {
        let handle = check(vm, this)?;
        Ok(length(vm, handle))
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &This, key: &Value) -> Res<Value> {
        let handle = check(vm, this)?;
        let len = length(vm, handle);
        if key.downcast::<Slice>().is_some() {
            let offsets = offsets(vm, key, len)?;
            let all = self::read(vm, handle, 0, len)?;
            let part: Vec<u8> = offsets.into_iter().filter_map(|at| all.get(at).copied()).collect();
            return Ok(Bytes::new_value(part));
        }
        if vm.int_value(key).is_none() && key.ty().slots().index.is_none() {
            return Err(vm.type_error("Blob indices must be integers"));
        }
        let at = index(vm, key, len)?;
        let byte = self::read(vm, handle, at, 1)?;
        Ok(Value::int(byte.first().copied().unwrap_or(0).into()))
    }

    #[slot]
    fn __setitem__(vm: &Vm, this: &This, key: &Value, value: Option<&Value>) -> Res<()> {
        let handle = check(vm, this)?;
        let slice = key.downcast::<Slice>().is_some();
        let Some(value) = value else {
            let what = if slice { "slice" } else { "item" };
            return Err(vm.type_error(format!("Blob doesn't support {what} deletion")));
        };
        let len = length(vm, handle);
        if slice {
            let offsets = offsets(vm, key, len)?;
            let data = lisle_runtime::types::buffer::get_bytes(vm, value)?;
            if data.len() != offsets.len() {
                return Err(vm.index_error("Blob slice assignment is wrong size"));
            }
            for (at, byte) in offsets.into_iter().zip(data.iter()) {
                self::write(vm, handle, at, &[*byte])?;
            }
            return Ok(());
        }
        if vm.int_value(key).is_none() && key.ty().slots().index.is_none() {
            return Err(vm.type_error("Blob indices must be integers"));
        }
        if vm.int_value(value).is_none() {
            let found = value.ty().name();
            return Err(vm.type_error(format!("'{found}' object cannot be interpreted as an integer")));
        }
        let at = index(vm, key, len)?;
        let byte = vm.index_to_i64(value).ok().and_then(|byte| u8::try_from(byte).ok());
        let Some(byte) = byte else {
            return Err(vm.value_error("byte must be in range(0, 256)"));
        };
        self::write(vm, handle, at, &[byte])
    }
}
