//! `bytearray`: the object and the operations that change it. Its methods are bound in `bytes_methods`.
//!
//! Invariant: the bytes are only reached under the object's lock; arguments are read before it is taken. Left out: exports that
//! forbid resizing (views hold copies).

use super::buffer::bytes_of;
use super::bytes_methods::{byte_of, from_iterable, item_index};
use super::slice::{Slice, adjust_bounds, clamp_range};
use crate::native::pyclass;
use crate::object::{Py, Value};
use crate::sync::Locked;
use crate::types::str::Str;
use crate::vm::{Res, Vm};

/// Mutable bytes.
#[pyclass(
    name = "bytearray",
    basetype,
    sequence,
    unhashable,
    gc = false,
    doc = "Mutable bytes.\n\nThe content is that of bytes with the same arguments."
)]
pub struct ByteArray {
    pub data: Locked<Vec<u8>>,
}

impl ByteArray {
    pub fn new_value(data: Vec<u8>) -> Value {
        Py::new(ByteArray {
            data: Locked::new(data),
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
    pub fn snapshot(&self) -> Vec<u8> {
        self.with(|bytes| bytes.clone())
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

    /// Appends bytes.
    pub fn extend_bytes(&self, vm: &Vm, more: &[u8]) -> Res<()> {
        let fits = self.with(|bytes| {
            let fits = bytes.try_reserve(more.len()).is_ok();
            if fits {
                bytes.extend_from_slice(more);
            }
            fits
        });
        if fits { Ok(()) } else { Err(vm.memory_error()) }
    }

    /// `self.extend(iterable)`
    pub(super) fn extend_from(&self, vm: &Vm, iterable: &Value) -> Res<()> {
        if let Some(more) = bytes_of(iterable) {
            return self.extend_bytes(vm, &more);
        }
        if iterable.downcast::<Str>().is_some() {
            return Err(vm.type_error("expected iterable of integers; got: 'str'"));
        }
        let slots = iterable.ty().slots();
        if slots.iter.is_none() && slots.getitem.is_none() {
            let found = iterable.ty().name();
            return Err(vm.type_error(format!("can't extend bytearray with {found}")));
        }
        let more = from_iterable(vm, iterable, "bytearray")?;
        self.extend_bytes(vm, &more)
    }

    /// `self *= n`
    pub(super) fn repeat_in_place(&self, vm: &Vm, n: usize) -> Res<()> {
        let fits = self.with(|bytes| match crate::text::view::repeat(bytes, n) {
            Some(repeated) => {
                *bytes = repeated;
                true
            }
            None => false,
        });
        if fits { Ok(()) } else { Err(vm.memory_error()) }
    }

    /// `self.insert(index, item)`
    pub(super) fn insert_byte(&self, vm: &Vm, index: isize, item: &Value) -> Res<()> {
        let byte = byte_of(vm, item)?;
        let fits = self.with(|bytes| {
            let fits = bytes.try_reserve(1).is_ok();
            if fits {
                let at = clamp_range(index, isize::MAX, bytes.len()).start;
                bytes.insert(at, byte);
            }
            fits
        });
        if fits { Ok(()) } else { Err(vm.memory_error()) }
    }

    /// `self.pop(index)`
    pub(super) fn pop_byte(&self, vm: &Vm, index: isize) -> Res<u8> {
        let popped = self.with(|bytes| {
            let at = if index < 0 {
                index.wrapping_add_unsigned(bytes.len())
            } else {
                index
            };
            match usize::try_from(at) {
                Ok(at) if at < bytes.len() => Ok(bytes.remove(at)),
                _ => Err(bytes.is_empty()),
            }
        });
        popped.map_err(|empty| {
            vm.index_error(if empty {
                "pop from empty bytearray"
            } else {
                "pop index out of range"
            })
        })
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
        let done = self.with(|bytes| {
            let Some(at) = at.filter(|&at| at < bytes.len()) else {
                return false;
            };
            match byte {
                Some(byte) => bytes[at] = byte,
                None => {
                    bytes.remove(at);
                }
            }
            true
        });
        if done {
            Ok(())
        } else {
            Err(vm.index_error("bytearray index out of range"))
        }
    }

    fn set_slice(&self, vm: &Vm, bounds: (Option<isize>, Option<isize>, isize), new: Option<Vec<u8>>) -> Res<()> {
        /// What can go wrong under the lock.
        enum Fault {
            Size(usize, usize),
            Memory,
        }
        let done = self.with(|bytes| {
            let range = adjust_bounds(bounds, bytes.len());
            if let Some(part) = range.contiguous() {
                let new = new.unwrap_or_default();
                let more = new.len().saturating_sub(part.len());
                if bytes.try_reserve(more).is_err() {
                    return Err(Fault::Memory);
                }
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
        });
        done.map_err(|fault| match fault {
            Fault::Memory => vm.memory_error(),
            Fault::Size(given, wanted) => vm.value_error(format!(
                "attempt to assign bytes of size {given} to extended slice of size {wanted}"
            )),
        })
    }
}

/// The bytes that are assigned to a slice.
fn assigned(vm: &Vm, value: &Value) -> Res<Vec<u8>> {
    if let Some(bytes) = bytes_of(value) {
        return Ok(bytes.into_owned());
    }
    let slots = value.ty().slots();
    let iterable = slots.iter.is_some() || slots.getitem.is_some();
    if vm.int_value(value).is_some() || value.downcast::<Str>().is_some() || !iterable {
        let message = "can assign only bytes, buffers, or iterables of ints in range(0, 256)";
        return Err(vm.type_error(message));
    }
    from_iterable(vm, value, "bytearray")
}
