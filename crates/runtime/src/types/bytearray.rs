//! `bytearray`: the object and the operations that change it. Its methods are bound in `bytes_methods`.
//!
//! Invariant: the bytes are only reached under the object's lock; arguments are read before it is taken. While buffers are exported
//! (`exports`, counted up under the lock) the length does not change.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Acquire;

use super::buffer::{is_bytes_like, read_all};
use super::bytes_methods::{byte_of, from_iterable, item_index};
use super::slice::{Slice, adjust_bounds, clamp_range};
use crate::memory::room::{NoMemory, copied, owned};
use crate::native::pyclass;
use crate::object::{Py, Value};
use crate::sync::Locked;
use crate::types::str::Str;
use crate::vm::{Exc, Res, Vm};

/// Mutable bytes.
#[pyclass(
    name = "bytearray",
    basetype,
    sequence,
    unhashable,
    gc = false,
    doc = "bytearray(iterable_of_ints) -> bytearray\nbytearray(string, encoding[, errors]) -> bytearray\nbytearray(bytes_or_buffer) -> mutable copy of bytes_or_buffer\nbytearray(int) -> bytes array of size given by the parameter initialized with null bytes\nbytearray() -> empty bytes array"
)]
pub struct ByteArray {
    pub data: Locked<Vec<u8>>,
    /// Buffers that are exported.
    pub exports: AtomicUsize,
}

/// What can go wrong under the lock.
pub(super) enum Fault {
    Exported,
    Memory,
    /// The sizes of a slice and of what is assigned to it.
    Size(usize, usize),
    NoItem,
}

impl Fault {
    #[cold]
    fn raise(self, vm: &Vm, message: &str) -> Exc {
        match self {
            Fault::Exported => vm.buffer_error("Existing exports of data: object cannot be re-sized"),
            Fault::Memory => vm.memory_error(),
            Fault::Size(given, wanted) => vm.value_error(format!(
                "attempt to assign bytes of size {given} to extended slice of size {wanted}"
            )),
            Fault::NoItem => vm.index_error(message),
        }
    }
}

impl ByteArray {
    pub fn new_value(data: Vec<u8>) -> Value {
        Py::new(ByteArray {
            data: Locked::new(data),
            exports: AtomicUsize::new(0),
        })
        .into_value()
    }
}

impl Py<ByteArray> {
    /// Calls `f` with the bytes while they are locked. `f` runs no Python code.
    #[inline]
    pub fn with<R>(&self, f: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        self.data.with(self.header(), f)
    }

    /// A copy of the bytes.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn snapshot(&self) -> Result<Vec<u8>, NoMemory> {
        self.with(|bytes| copied(bytes))
    }

    pub fn len(&self) -> usize {
        self.with(|bytes| bytes.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get_byte(&self, at: usize) -> Option<u8> {
        self.with(|bytes| bytes.get(at).copied())
    }

    /// Writes bytes over those from `offset` on; false if there are too few.
    pub fn overwrite(&self, offset: usize, new: &[u8]) -> bool {
        self.with(
            |bytes| match bytes.get_mut(offset..).and_then(|rest| rest.get_mut(..new.len())) {
                Some(place) => {
                    place.copy_from_slice(new);
                    true
                }
                None => false,
            },
        )
    }

    /// Calls `f`, which may change the length, with the bytes while they are locked. `message` is that of an IndexError.
    pub(super) fn resizing<R>(
        &self,
        vm: &Vm,
        message: &str,
        f: impl FnOnce(&mut Vec<u8>) -> Result<R, Fault>,
    ) -> Res<R> {
        let done = self.with(|bytes| match self.exports.load(Acquire) {
            0 => f(bytes),
            _ => Err(Fault::Exported),
        });
        done.map_err(|fault| fault.raise(vm, message))
    }

    /// Appends bytes.
    pub fn extend_bytes(&self, vm: &Vm, more: &[u8]) -> Res<()> {
        if more.is_empty() {
            return Ok(());
        }
        self.resizing(vm, "", |bytes| {
            bytes.try_reserve(more.len()).map_err(|_| Fault::Memory)?;
            bytes.extend_from_slice(more);
            Ok(())
        })
    }

    /// `self.extend(iterable)`
    pub(super) fn extend_from(&self, vm: &Vm, iterable: &Value) -> Res<()> {
        if is_bytes_like(iterable) {
            return self.extend_bytes(vm, &read_all(vm, iterable)?);
        }
        if iterable.downcast::<Str>().is_some() {
            return Err(vm.type_error("expected iterable of integers; got: 'str'"));
        }
        let slots = iterable.ty().slots();
        if slots.iter.is_none() && slots.getitem.is_none() {
            let found = iterable.ty().name();
            return Err(vm.type_error(format!("can't extend bytearray with {found}")));
        }
        // A hint that cannot be had is an error, whatever comes.
        vm.length_hint(iterable, 32)?;
        let more = from_iterable(vm, iterable, "bytearray")?;
        self.extend_bytes(vm, &more)
    }

    /// `self *= n`
    pub(super) fn repeat_in_place(&self, vm: &Vm, n: usize) -> Res<()> {
        if n == 1 {
            return Ok(());
        }
        self.resizing(vm, "", |bytes| {
            *bytes = crate::text::view::repeat(bytes, n).ok_or(Fault::Memory)?;
            Ok(())
        })
    }

    /// `self.insert(index, item)`
    pub(super) fn insert_byte(&self, vm: &Vm, index: isize, item: &Value) -> Res<()> {
        let byte = byte_of(vm, item)?;
        self.resizing(vm, "", |bytes| {
            bytes.try_reserve(1).map_err(|_| Fault::Memory)?;
            let at = clamp_range(index, isize::MAX, bytes.len()).start;
            bytes.insert(at, byte);
            Ok(())
        })
    }

    /// `self.pop(index)`
    pub(super) fn pop_byte(&self, vm: &Vm, index: isize) -> Res<u8> {
        if self.is_empty() {
            return Err(vm.index_error("pop from empty bytearray"));
        }
        self.resizing(vm, "pop index out of range", |bytes| {
            let at = if index < 0 {
                index.wrapping_add_unsigned(bytes.len())
            } else {
                index
            };
            match usize::try_from(at) {
                Ok(at) if at < bytes.len() => Ok(bytes.remove(at)),
                _ => Err(Fault::NoItem),
            }
        })
    }

    /// `self.remove(value)`: whether it was there.
    pub(super) fn remove_byte(&self, vm: &Vm, byte: u8) -> Res<bool> {
        self.resizing(vm, "", |bytes| {
            let at = memchr::memchr(byte, bytes);
            Ok(at.map(|at| bytes.remove(at)).is_some())
        })
    }

    /// `self.resize(size)`
    pub(super) fn resize_to(&self, vm: &Vm, size: usize) -> Res<()> {
        self.resizing(vm, "", |bytes| {
            let more = size.saturating_sub(bytes.len());
            bytes.try_reserve(more).map_err(|_| Fault::Memory)?;
            bytes.resize(size, 0);
            Ok(())
        })
    }

    /// Replaces the content.
    pub(super) fn replace_all(&self, vm: &Vm, data: Vec<u8>) -> Res<()> {
        self.resizing(vm, "", |bytes| {
            *bytes = data;
            Ok(())
        })
    }

    /// Sets a byte; `false` if index or value are no plain numbers that fit: nothing was done.
    pub(crate) fn set_byte(&self, key: &Value, value: &Value) -> bool {
        let (Some(at), Some(byte)) = (key.as_small_int(), value.as_small_int()) else {
            return false;
        };
        let (Ok(at), Ok(byte)) = (usize::try_from(at), u8::try_from(byte)) else {
            return false;
        };
        self.with(|bytes| bytes.get_mut(at).map(|place| *place = byte).is_some())
    }

    /// `self[key] = value`, or `del self[key]`.
    pub(super) fn set_item(&self, vm: &Vm, key: &Value, value: Option<&Value>) -> Res<()> {
        if let Some(slice) = key.downcast_exact::<Slice>() {
            let new = match value {
                None => None,
                Some(value) => Some(assigned(vm, value)?),
            };
            let bounds = slice.unpack(vm)?;
            return self.set_slice(vm, bounds, new);
        }
        let byte = match value {
            // The index is read first.
            Some(value) => {
                item_index(vm, key, self.len(), "bytearray")?;
                Some(byte_of(vm, value)?)
            }
            None => None,
        };
        let at = item_index(vm, key, self.len(), "bytearray")?;
        let change = |bytes: &mut Vec<u8>| {
            let at = at.filter(|&at| at < bytes.len()).ok_or(Fault::NoItem)?;
            match byte {
                Some(byte) => bytes[at] = byte,
                None if self.exports.load(Acquire) != 0 => return Err(Fault::Exported),
                None => drop(bytes.remove(at)),
            }
            Ok(())
        };
        self.with(change)
            .map_err(|fault| fault.raise(vm, "bytearray index out of range"))
    }

    fn set_slice(&self, vm: &Vm, bounds: (Option<isize>, Option<isize>, isize), new: Option<Vec<u8>>) -> Res<()> {
        let change = |bytes: &mut Vec<u8>| {
            let exported = self.exports.load(Acquire) != 0;
            let range = adjust_bounds(bounds, bytes.len());
            if let Some(part) = range.contiguous() {
                let new = new.unwrap_or_default();
                if exported && new.len() != part.len() {
                    return Err(Fault::Exported);
                }
                let more = new.len().saturating_sub(part.len());
                bytes.try_reserve(more).map_err(|_| Fault::Memory)?;
                drop(bytes.splice(part, new));
                return Ok(());
            }
            match new {
                // A slice with a step takes an empty value as a deletion.
                Some(new) if !new.is_empty() => {
                    if new.len() != range.count {
                        return Err(Fault::Size(new.len(), range.count));
                    }
                    for (at, byte) in range.indices().zip(new) {
                        bytes[at] = byte;
                    }
                }
                _ if exported && range.count != 0 => return Err(Fault::Exported),
                _ => {
                    let mut at = 0;
                    let mut gone = range.ascending().indices().peekable();
                    bytes.retain(|_| {
                        let drop = gone.next_if_eq(&at).is_some();
                        at += 1;
                        !drop
                    });
                }
            }
            Ok(())
        };
        self.with(change).map_err(|fault| fault.raise(vm, ""))
    }
}

/// The bytes that are assigned to a slice.
fn assigned(vm: &Vm, value: &Value) -> Res<Vec<u8>> {
    if is_bytes_like(value) {
        return Ok(owned(read_all(vm, value)?)?);
    }
    let slots = value.ty().slots();
    let iterable = slots.iter.is_some() || slots.getitem.is_some();
    if vm.int_value(value).is_some() || value.downcast::<Str>().is_some() || !iterable {
        let message = "can assign only bytes, buffers, or iterables of ints in range(0, 256)";
        return Err(vm.type_error(message));
    }
    from_iterable(vm, value, "bytearray")
}
