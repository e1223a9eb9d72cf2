//! Blobs that are read and written in place.
//! Invariant: offsets and lengths are checked against the blob's size, which does not change.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};

use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::types::buffer::Readable;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::slice::{Slice, SliceRange, adjust_bounds};

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

/// The first byte that a slice names and the bytes up to the last one, with the offsets in these.
fn part(
    vm: &Vm,
    handle: &Arc<BlobHandle>,
    range: SliceRange,
) -> Res<(usize, Vec<u8>, impl Iterator<Item = usize> + Clone)> {
    let ends = range.ascending();
    let first = ends.start.max(0) as usize;
    let len = match range.count {
        0 => 0,
        count => (count - 1) * ends.step.unsigned_abs() + 1,
    };
    let bytes = read(vm, handle, first, len)?;
    Ok((first, bytes, range.indices().map(move |at| at - first)))
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
        if let Some(slice) = key.downcast::<Slice>() {
            let range = adjust_bounds(slice.unpack(vm)?, len);
            let (_, bytes, offsets) = part(vm, handle, range)?;
            if range.contiguous().is_some() {
                return Ok(Bytes::new_value(bytes));
            }
            let mut picked = Vec::new();
            picked.try_reserve_exact(range.count)?;
            picked.extend(offsets.filter_map(|at| bytes.get(at).copied()));
            return Ok(Bytes::new_value(picked));
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
        let slice = key.downcast::<Slice>();
        let Some(value) = value else {
            let what = if slice.is_some() { "slice" } else { "item" };
            return Err(vm.type_error(format!("Blob doesn't support {what} deletion")));
        };
        let len = length(vm, handle);
        if let Some(slice) = slice {
            let range = adjust_bounds(slice.unpack(vm)?, len);
            let data = lisle_runtime::types::buffer::get_bytes(vm, value)?;
            if data.len() != range.count {
                return Err(vm.index_error("Blob slice assignment is wrong size"));
            }
            if data.is_empty() {
                return Ok(());
            }
            if let Some(part) = range.contiguous() {
                return self::write(vm, handle, part.start, &data);
            }
            let (first, mut bytes, offsets) = part(vm, handle, range)?;
            for (at, byte) in offsets.zip(data.iter()) {
                if let Some(place) = bytes.get_mut(at) {
                    *place = *byte;
                }
            }
            return self::write(vm, handle, first, &bytes);
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
