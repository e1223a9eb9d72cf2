//! The methods that `bytes` and `bytearray` share, and those of `bytes` alone.
//!
//! Invariant: arguments are read before the receiver's bytes are looked at, and what looks at them runs no Python code: those of a
//! `bytearray` are locked meanwhile.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::AtomicUsize;

use super::buffer::{self, Buffer, BufferFlags, bytes_of, get_bytes, is_bytes_like, read_all};
use super::bytearray::ByteArray;
use super::bytes::Bytes;
use super::encoding;
use super::exceptions;
use super::int::Int;
use super::list::List;
use super::str_iter::{ByteArrayIter, BytesIter};
use super::str_methods::{bounds, format_error, limit};
use super::tuple::Tuple;
use crate::memory::room::{self, NoMemory};
use crate::native::{Args, CmpOp, pymethods};
use crate::object::{Native, Py, Type, Value};
use crate::sync::Locked;
use crate::text::case::bytes as case;
use crate::text::search::{self, CharSet, Justify, Strip};
use crate::text::{hex, repr};
use crate::types::str::Str;
use crate::vm::{Res, Vm};
use crate::{intern, interp};

/// A type whose payload is bytes.
pub(crate) trait ByteString: Native {
    /// Calls `f`, which runs no Python code, with the bytes.
    fn read<R>(this: &Py<Self>, f: impl FnOnce(&[u8]) -> R) -> R;
    /// A new object of exactly this type.
    fn make(bytes: Vec<u8>) -> Value;
    /// The receiver's content as an object of exactly this type: itself where it cannot change.
    fn same(this: &Py<Self>) -> Res<Value>;
}

impl ByteString for Bytes {
    fn read<R>(this: &Py<Bytes>, f: impl FnOnce(&[u8]) -> R) -> R {
        f(this.as_slice())
    }

    fn make(bytes: Vec<u8>) -> Value {
        Bytes::new_value(bytes)
    }

    fn same(this: &Py<Bytes>) -> Res<Value> {
        if this.class().is(Bytes::ty()) {
            Ok(this.to_value())
        } else {
            Ok(Bytes::new_value(room::copied(this.as_slice())?))
        }
    }
}

impl ByteString for ByteArray {
    fn read<R>(this: &Py<ByteArray>, f: impl FnOnce(&[u8]) -> R) -> R {
        this.with(|bytes| f(bytes))
    }

    fn make(bytes: Vec<u8>) -> Value {
        ByteArray::new_value(bytes)
    }

    fn same(this: &Py<ByteArray>) -> Res<Value> {
        Ok(ByteArray::new_value(this.snapshot()?))
    }
}

/// A new object of the bytes; `MemoryError` where there was no memory for them.
pub(crate) fn made<T: ByteString>(vm: &Vm, bytes: Option<Vec<u8>>) -> Res<Value> {
    bytes.map(T::make).ok_or_else(|| vm.memory_error())
}

/// A new object of a part of the bytes.
fn copied<T: ByteString>(this: &Py<T>, range: impl FnOnce(&[u8]) -> Range<usize>) -> Res<Value> {
    if let Some(bytes) = this.as_value().downcast::<Bytes>() {
        let part = range(bytes.as_slice());
        return match part.len() == bytes.len() {
            true => T::same(this),
            false => Ok(Bytes::copy_of(&bytes.as_slice()[part])?),
        };
    }
    let part = T::read(this, |bytes| {
        let range = range(bytes);
        if range.len() == bytes.len() {
            None
        } else {
            Some(room::copied(&bytes[range]))
        }
    });
    match part {
        None => T::same(this),
        Some(part) => Ok(T::make(part?)),
    }
}

fn copies<T: ByteString>(this: &Py<T>, ranges: impl FnOnce(&[u8]) -> Option<Vec<Range<usize>>>) -> Res<Value> {
    let parts = T::read(this, |bytes| {
        let ranges = ranges(bytes).ok_or(NoMemory)?;
        let mut parts = Vec::new();
        parts.try_reserve_exact(ranges.len())?;
        for range in ranges {
            parts.push(room::copied(&bytes[range])?);
        }
        Ok::<_, NoMemory>(parts)
    })?;
    let mut made = Vec::new();
    made.try_reserve_exact(parts.len())?;
    made.extend(parts.into_iter().map(T::make));
    Ok(List::new(made).into_value())
}

/// An int as a byte.
pub(crate) fn byte_of(vm: &Vm, value: &Value) -> Res<u8> {
    let index = vm.index(value)?;
    vm.int_value(&index)
        .and_then(|int| int.to_i64())
        .and_then(|int| u8::try_from(int).ok())
        .ok_or_else(|| vm.value_error("byte must be in range(0, 256)"))
}

/// What `find` and its like look for: a byte or bytes.
fn needle<'a>(vm: &Vm, value: &'a Value) -> Res<Cow<'a, [u8]>> {
    if let Some(bytes) = bytes_of(value) {
        return Ok(bytes);
    }
    if value.is_small_int() || value.ty().slots().index.is_some() {
        return Ok(Cow::Owned(vec![byte_of(vm, value)?]));
    }
    let found = value.ty().name();
    Err(vm.type_error(format!(
        "argument should be integer or bytes-like object, not '{found}'"
    )))
}

pub(crate) fn contains<T: ByteString>(vm: &Vm, this: &Py<T>, item: &Value) -> Res<bool> {
    let wanted = if bytes_of(item).is_none() && (item.is_small_int() || item.ty().slots().index.is_some()) {
        Cow::Owned(vec![byte_of(vm, item)?])
    } else {
        get_bytes(vm, item)?
    };
    Ok(T::read(this, |bytes| search::contains(bytes, &wanted)))
}

fn find_in<T: ByteString>(
    vm: &Vm,
    this: &Py<T>,
    sub: &Value,
    start: Option<&Value>,
    end: Option<&Value>,
    last: bool,
) -> Res<Option<usize>> {
    let len = T::read(this, <[u8]>::len);
    let range = bounds(vm, start, end, len)?;
    let wanted = needle(vm, sub)?;
    let Some(range) = range else {
        return Ok(None);
    };
    Ok(T::read(this, |bytes| {
        let hay = bytes.get(range.clone())?;
        let found = if last {
            search::rfind(hay, &wanted)
        } else {
            search::find(hay, &wanted)
        };
        found.map(|at| range.start + at)
    }))
}

fn count_in<T: ByteString>(
    vm: &Vm,
    this: &Py<T>,
    sub: &Value,
    start: Option<&Value>,
    end: Option<&Value>,
) -> Res<usize> {
    let len = T::read(this, <[u8]>::len);
    let range = bounds(vm, start, end, len)?;
    let wanted = needle(vm, sub)?;
    let Some(range) = range else {
        return Ok(0);
    };
    Ok(T::read(this, |bytes| {
        bytes.get(range).map_or(0, |hay| search::count(hay, &wanted))
    }))
}

fn index_or_minus_one(found: Option<usize>) -> Value {
    found.map_or_else(|| Value::int(-1), Value::usize)
}

fn affix<T: ByteString>(
    vm: &Vm,
    this: &Py<T>,
    affix: &Value,
    start: Option<&Value>,
    end: Option<&Value>,
    suffix: bool,
) -> Res<bool> {
    let len = T::read(this, <[u8]>::len);
    let range = bounds(vm, start, end, len)?;
    let matches = |wanted: &[u8]| {
        T::read(this, |bytes| {
            let part = range.clone().and_then(|range| bytes.get(range));
            part.is_some_and(|part| {
                if suffix {
                    part.ends_with(wanted)
                } else {
                    part.starts_with(wanted)
                }
            })
        })
    };
    if let Some(choices) = affix.downcast::<Tuple>() {
        for choice in choices.as_slice() {
            if matches(&get_bytes(vm, choice)?) {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    match bytes_of(affix) {
        Some(wanted) => Ok(matches(&wanted)),
        None => {
            let name = if suffix { "endswith" } else { "startswith" };
            let found = affix.ty().name();
            Err(vm.type_error(format!(
                "{name} first arg must be bytes or a tuple of bytes, not {found}"
            )))
        }
    }
}

fn strip<T: ByteString>(vm: &Vm, this: &Py<T>, chars: Option<&Value>, ends: Strip) -> Res<Value> {
    match chars {
        None => copied(this, |bytes| search::strip(bytes, ends, case::is_space_byte)),
        Some(chars) => {
            let chars = get_bytes(vm, chars)?;
            let set = CharSet::new(chars.iter().map(|&byte| u32::from(byte)));
            copied(this, |bytes| {
                search::strip(bytes, ends, |byte| set.contains(u32::from(byte)))
            })
        }
    }
}

fn split<T: ByteString>(vm: &Vm, this: &Py<T>, sep: Option<&Value>, max: isize, right: bool) -> Res<Value> {
    let max = limit(max);
    let Some(sep) = sep else {
        return copies(this, |bytes| {
            if right {
                search::rsplit_space(bytes, max, case::is_space_byte)
            } else {
                search::split_space(bytes, max, case::is_space_byte)
            }
        });
    };
    let sep = get_bytes(vm, sep)?;
    if sep.is_empty() {
        return Err(vm.value_error("empty separator"));
    }
    copies(this, |bytes| {
        if right {
            search::rsplit(bytes, &sep, max)
        } else {
            search::split(bytes, &sep, max)
        }
    })
}

fn partition<T: ByteString>(vm: &Vm, this: &Py<T>, sep: &Value, right: bool) -> Res<Value> {
    let sep = get_bytes(vm, sep)?;
    if sep.is_empty() {
        return Err(vm.value_error("empty separator"));
    }
    let parts = T::read(this, |bytes| {
        let found = if right {
            search::rpartition(bytes, &sep)
        } else {
            search::partition(bytes, &sep)
        };
        found.map(|found| Ok((room::copied(&bytes[..found.start])?, room::copied(&bytes[found.end..])?)))
    });
    let parts: Result<_, NoMemory> = parts.transpose();
    let items = match parts? {
        Some((before, after)) => [T::make(before), T::make(sep.into_owned()), T::make(after)],
        None if right => [T::make(Vec::new()), T::make(Vec::new()), T::same(this)?],
        None => [T::same(this)?, T::make(Vec::new()), T::make(Vec::new())],
    };
    Ok(Tuple::from_array(items).into_value())
}

fn justify<T: ByteString>(
    vm: &Vm,
    this: &Py<T>,
    width: isize,
    fill: Option<&Value>,
    how: Justify,
    name: &str,
) -> Res<Value> {
    let fill = match fill {
        None => b' ',
        Some(fill) => match bytes_of(fill).as_deref() {
            Some([byte]) => *byte,
            Some(other) => {
                let (kind, len) = (fill.ty().name(), other.len());
                return Err(vm.type_error(format!(
                    "{name}(): argument 2 must be a byte string of length 1, not a {kind} object of length {len}"
                )));
            }
            None => {
                let found = fill.ty().name();
                return Err(vm.type_error(format!(
                    "{name}() argument 2 must be a byte string of length 1, not {found}"
                )));
            }
        },
    };
    let width = usize::try_from(width).unwrap_or(0);
    let padded = T::read(this, |bytes| {
        how.padding(bytes.len(), width)
            .map(|(before, after)| search::pad(bytes, before, after, fill))
    });
    match padded {
        None => T::same(this),
        Some(padded) => made::<T>(vm, padded),
    }
}

/// A new object of what `map` makes of the bytes, which is no more than they are.
fn mapped<T: ByteString>(this: &Py<T>, map: impl FnOnce(&[u8]) -> Vec<u8>) -> Res<Value> {
    let made = T::read(this, |bytes| {
        // What is small is made by code that cannot fail.
        if bytes.len() > 1 << 16 && !room::is_there_for(bytes.len()) {
            return Err(NoMemory);
        }
        Ok::<_, NoMemory>(map(bytes))
    });
    Ok(T::make(made?))
}

fn replace<T: ByteString>(vm: &Vm, this: &Py<T>, old: &Value, new: &Value, count: isize) -> Res<Value> {
    let (old, new) = (get_bytes(vm, old)?, get_bytes(vm, new)?);
    match T::read(this, |bytes| search::replace(bytes, &old, &new, limit(count))) {
        None => T::same(this),
        Some(bytes) => made::<T>(vm, bytes),
    }
}

fn translate<T: ByteString>(vm: &Vm, this: &Py<T>, table: &Value, delete: Option<&Value>) -> Res<Value> {
    let table = if table.is_none() {
        None
    } else {
        let table = get_bytes(vm, table)?;
        if table.len() != 256 {
            return Err(vm.value_error("translation table must be 256 characters long"));
        }
        Some(table)
    };
    let delete = match delete {
        Some(delete) => get_bytes(vm, delete)?,
        None => Cow::Borrowed(&[][..]),
    };
    if delete.is_empty()
        && let Some(Ok(table)) = table.as_ref().map(|table| <&[u8; 256]>::try_from(&**table))
    {
        return mapped(this, |bytes| {
            bytes.iter().map(|&byte| table[usize::from(byte)]).collect()
        });
    }
    let dropped = CharSet::new(delete.iter().map(|&byte| u32::from(byte)));
    mapped(this, |bytes| {
        bytes
            .iter()
            .filter(|&&byte| !dropped.contains(u32::from(byte)))
            .map(|&byte| table.as_ref().map_or(byte, |table| table[usize::from(byte)]))
            .collect()
    })
}

/// `bytes.maketrans`
fn table(vm: &Vm, from: &Value, to: &Value) -> Res<Value> {
    let (from, to) = (get_bytes(vm, from)?, get_bytes(vm, to)?);
    if from.len() != to.len() {
        return Err(vm.value_error("maketrans arguments must have same length"));
    }
    let mut table: Vec<u8> = (0..=255).collect();
    for (&from, &to) in from.iter().zip(to.iter()) {
        table[usize::from(from)] = to;
    }
    Ok(Bytes::new_value(table))
}

fn join<T: ByteString>(vm: &Vm, this: &Py<T>, iterable: &Value) -> Res<Value> {
    // The separator may not change its size while the parts are fetched.
    let _held = match this.as_value().downcast::<ByteArray>() {
        Some(_) => Some(super::buffer::get_buffer(
            vm,
            this.as_value(),
            super::buffer::BufferFlags::SIMPLE,
        )?),
        None => None,
    };
    let items = super::list_methods::collect_or(vm, iterable, "can only join an iterable")?;
    let mut parts = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let Some(part) = bytes_of(item) else {
            let found = item.ty().name();
            return Err(vm.type_error(format!(
                "sequence item {at}: expected a bytes-like object, {found} found"
            )));
        };
        parts.push(part);
    }
    if let [one] = items.as_slice()
        && one.downcast_exact::<Bytes>().is_some()
        && T::ty().is(Bytes::ty())
    {
        return Ok(one.clone());
    }
    let joined = T::read(this, |separator| {
        let total = parts.iter().try_fold(
            separator.len().checked_mul(parts.len().saturating_sub(1))?,
            |total, part| total.checked_add(part.len()),
        )?;
        let mut out = Vec::new();
        out.try_reserve_exact(total).ok()?;
        for (at, part) in parts.iter().enumerate() {
            if at != 0 {
                out.extend_from_slice(separator);
            }
            out.extend_from_slice(part);
        }
        Some(out)
    });
    made::<T>(vm, joined)
}

/// `bytes.hex` and its like.
pub(crate) fn to_hex(vm: &Vm, bytes: &[u8], sep: Option<&Value>, group: isize) -> Res<Value> {
    let sep = match sep {
        None => None,
        Some(sep) => {
            let code = match sep.downcast::<Str>() {
                Some(text) if text.len() == 1 => text.view().get(0).unwrap_or(0),
                Some(_) => return Err(vm.value_error("sep must be length 1.")),
                None => match bytes_of(sep).as_deref() {
                    Some([byte]) => u32::from(*byte),
                    Some(_) => return Err(vm.value_error("sep must be length 1.")),
                    None if vm.len(sep)? != 1 => return Err(vm.value_error("sep must be length 1.")),
                    None => return Err(vm.type_error("sep must be str or bytes.")),
                },
            };
            match u8::try_from(code) {
                Ok(byte) if byte.is_ascii() => Some(byte),
                _ => return Err(vm.value_error("sep must be ASCII.")),
            }
        }
    };
    let digits = hex::bytes_to_hex(bytes, sep, group).ok_or_else(|| vm.memory_error())?;
    let text = Str::try_from_view(crate::text::StrView::Ascii(&digits)).ok_or_else(|| vm.memory_error())?;
    Ok(text.into_value())
}

/// `cls.fromhex(text)`
fn from_hex<T: ByteString>(vm: &Vm, cls: &Py<Type>, text: &Value) -> Res<Value> {
    let bytes = match text.downcast::<Str>() {
        Some(text) => hex::bytes_from_hex(text.view()),
        None => match bytes_of(text) {
            Some(bytes) => hex::bytes_from_hex(crate::text::StrView::Latin1(&bytes)),
            None => {
                let found = text.ty().name();
                return Err(vm.type_error(format!("fromhex() argument must be str or bytes-like, not {found}")));
            }
        },
    };
    let bytes = bytes.map_err(|error| format_error(vm, error))?;
    if cls.is(T::ty()) {
        return Ok(T::make(bytes));
    }
    vm.call(cls.as_value(), &[Bytes::new_value(bytes)])
}

fn compare<T: ByteString>(vm: &Vm, this: &Py<T>, other: &Value, op: CmpOp) -> Res<Value> {
    // The comparison of bytes with others is left to those.
    let comparable = T::ty().is(ByteArray::ty()) || other.downcast::<Bytes>().is_some();
    let Some(other) = bytes_of(other).filter(|_| comparable) else {
        if interp::bytes_warning() && matches!(op, CmpOp::Eq | CmpOp::Ne) {
            warn_of_comparison(vm, T::ty(), other)?;
        }
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let order = T::read(this, |bytes| bytes.cmp(&*other));
    Ok(Value::from_bool(match op {
        CmpOp::Eq => order.is_eq(),
        CmpOp::Ne => order.is_ne(),
        CmpOp::Lt => order.is_lt(),
        CmpOp::Le => order.is_le(),
        CmpOp::Gt => order.is_gt(),
        CmpOp::Ge => order.is_ge(),
    }))
}

/// The warning of `-b` for a comparison of a byte string with text or a number.
#[cold]
fn warn_of_comparison(vm: &Vm, class: &Py<Type>, other: &Value) -> Res<()> {
    let with = match other {
        text if text.downcast::<Str>().is_some() => "string",
        number if class.is(Bytes::ty()) && number.ty().is_subclass(Int::ty()) => "int",
        _ => return Ok(()),
    };
    let message = format!("Comparison between {} and {with}", class.name());
    vm.warn(exceptions::BYTES_WARNING.get(), &message, 1)
}

/// The warning of `-b` for text that is the source of a byte string.
fn warn_of_text(vm: &Vm, class: &str) -> Res<()> {
    if !interp::bytes_warning() {
        return Ok(());
    }
    vm.warn(
        exceptions::BYTES_WARNING.get(),
        &format!("str() on a {class} instance"),
        1,
    )
}

fn concat<T: ByteString>(vm: &Vm, this: &Py<T>, other: &Value) -> Res<Value> {
    if let (Some(mine), Some(theirs)) = (this.as_value().downcast::<Bytes>(), other.downcast::<Bytes>())
        && let Some(both) = Bytes::joined(mine.as_slice(), theirs.as_slice())
    {
        return Ok(both);
    }
    if !is_bytes_like(other) {
        let found = other.ty().name();
        return Err(vm.type_error(format!("can't concat {found} to {}", this.class().short_name())));
    }
    let theirs = get_bytes(vm, other)?;
    let joined = T::read(this, |mine| {
        let mut out = Vec::new();
        out.try_reserve_exact(mine.len().checked_add(theirs.len())?).ok()?;
        out.extend_from_slice(mine);
        out.extend_from_slice(&theirs);
        Some(out)
    });
    made::<T>(vm, joined)
}

/// The index of an item that a key names; `what` is the type for messages.
pub(crate) fn item_index(vm: &Vm, key: &Value, len: usize, what: &str) -> Res<Option<usize>> {
    let index = match key.as_small_int() {
        Some(index) => index as isize,
        None if key.ty().slots().index.is_some() => vm.index_to_isize(key)?,
        None => {
            let found = key.ty().name();
            return Err(vm.type_error(format!("{what} indices must be integers or slices, not {found}")));
        }
    };
    let at = if index < 0 {
        index.wrapping_add_unsigned(len)
    } else {
        index
    };
    Ok(usize::try_from(at).ok().filter(|&at| at < len))
}

/// The bytes that `bytes(source, encoding, errors)` holds.
pub(crate) fn from_source(
    vm: &Vm,
    source: Option<&Value>,
    encoding: Option<&Py<Str>>,
    errors: Option<&Py<Str>>,
    name: &str,
) -> Res<Vec<u8>> {
    let Some(source) = source else {
        if encoding.is_some() || errors.is_some() {
            let given = if encoding.is_some() { "encoding" } else { "errors" };
            return Err(vm.type_error(format!("{given} without a string argument")));
        }
        return Ok(Vec::new());
    };
    let plain = encoding.is_none() && errors.is_none() && source.downcast_exact::<Bytes>().is_none();
    if name == "bytes"
        && plain
        && let Some(made) = from_method(vm, source)?
    {
        return Ok(room::owned(get_bytes(vm, &made)?)?);
    }
    if let Some(text) = source.downcast::<Str>() {
        if encoding.is_none() {
            return Err(vm.type_error("string argument without an encoding"));
        }
        let encoding = encoding::checked_name(vm, encoding, "utf-8")?;
        let errors = encoding::checked_name(vm, errors, "strict")?;
        let made = encoding::encode(vm, text, &encoding, &errors)?;
        return Ok(room::owned(get_bytes(vm, &made)?)?);
    }
    if encoding.is_some() || errors.is_some() {
        let given = if encoding.is_some() { "encoding" } else { "errors" };
        return Err(vm.type_error(format!("{given} without a string argument")));
    }
    if is_bytes_like(source) {
        return Ok(room::owned(read_all(vm, source)?)?);
    }
    if source.is_small_int() || source.ty().slots().index.is_some() {
        let index = vm.index(source)?;
        let Some(size) = vm.int_value(&index).and_then(|int| int.to_i64()) else {
            return Err(vm.overflow_error("cannot fit 'int' into an index-sized integer"));
        };
        let Ok(size) = usize::try_from(size) else {
            return Err(vm.value_error("negative count"));
        };
        let mut bytes = Vec::new();
        if bytes.try_reserve_exact(size).is_err() {
            return Err(vm.memory_error());
        }
        bytes.resize(size, 0);
        return Ok(bytes);
    }
    from_iterable(vm, source, name)
}

/// The bytes of an iterable of ints.
pub(crate) fn from_iterable(vm: &Vm, source: &Value, name: &str) -> Res<Vec<u8>> {
    let slots = source.ty().slots();
    if slots.iter.is_none() && slots.getitem.is_none() {
        let found = source.ty().name();
        return Err(vm.type_error(format!("cannot convert '{found}' object to {name}")));
    }
    let mut bytes = Vec::new();
    let range = if name == "bytes" {
        "bytes must be in range(0, 256)"
    } else {
        "byte must be in range(0, 256)"
    };
    vm.for_each(source, |item| {
        let index = vm.index(&item)?;
        let byte = vm
            .int_value(&index)
            .and_then(|int| int.to_i64())
            .and_then(|int| u8::try_from(int).ok())
            .ok_or_else(|| vm.value_error(range))?;
        if bytes.try_reserve(1).is_err() {
            return Err(vm.memory_error());
        }
        bytes.push(byte);
        Ok(())
    })?;
    Ok(bytes)
}

/// `this[key]`
pub(crate) fn picked(bytes: &[u8], range: super::slice::SliceRange) -> Result<Vec<u8>, NoMemory> {
    let mut out = Vec::new();
    out.try_reserve_exact(range.count)?;
    out.extend(range.indices().map(|at| bytes[at]));
    Ok(out)
}

fn get_item<T: ByteString>(vm: &Vm, this: &Py<T>, key: &Value, name: &str, message: &str) -> Res<Value> {
    if let Some(slice) = key.downcast_exact::<super::slice::Slice>() {
        let bounds = slice.unpack(vm)?;
        if let Some(bytes) = this.as_value().downcast::<Bytes>() {
            let range = super::slice::adjust_bounds(bounds, bytes.len());
            if let Some(part) = range.contiguous()
                && part.len() != bytes.len()
            {
                return Ok(Bytes::copy_of(&bytes.as_slice()[part])?);
            }
        }
        let part = T::read(this, |bytes| {
            let range = super::slice::adjust_bounds(bounds, bytes.len());
            match range.contiguous() {
                Some(part) if part.len() == bytes.len() => None,
                Some(part) => Some(room::copied(&bytes[part])),
                None => Some(picked(bytes, range)),
            }
        });
        return match part {
            None => T::same(this),
            Some(part) => Ok(T::make(part?)),
        };
    }
    let len = T::read(this, <[u8]>::len);
    let at = item_index(vm, key, len, name)?;
    match at.and_then(|at| T::read(this, |bytes| bytes.get(at).copied())) {
        Some(byte) => Ok(Value::int(byte.into())),
        None => Err(vm.index_error(message)),
    }
}

/// `#[pymethods]` of a byte string type: what both have, then what is given.
macro_rules! byte_string {
    ($ty:ident { $($own:tt)* }) => {
        #[pymethods]
        impl $ty {
            $($own)*

            #[slot]
            fn __len__(_vm: &Vm, this: &Py<$ty>) -> Res<usize> {
                Ok(<$ty as ByteString>::read(this, <[u8]>::len))
            }

            #[slot]
            fn __contains__(vm: &Vm, this: &Py<$ty>, item: &Value) -> Res<bool> {
                contains(vm, this, item)
            }

            #[slot]
            fn __richcompare__(vm: &Vm, this: &Py<$ty>, other: &Value, op: CmpOp) -> Res<Value> {
                compare(vm, this, other, op)
            }

            #[slot]
            fn __concat__(vm: &Vm, this: &Py<$ty>, other: &Value) -> Res<Value> {
                concat(vm, this, other)
            }

            #[slot]
            fn __repeat__(vm: &Vm, this: &Py<$ty>, n: isize) -> Res<Value> {
                let n = usize::try_from(n).unwrap_or(0);
                if n == 1 {
                    return <$ty as ByteString>::same(this);
                }
                made::<$ty>(vm, <$ty as ByteString>::read(this, |bytes| crate::text::view::repeat(bytes, n)))
            }

            #[slot]
            fn __mod__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
                match a.downcast::<$ty>() {
                    Some(template) => {
                        let template = <$ty as ByteString>::read(template, <[u8]>::to_vec);
                        super::str_format::percent_bytes(vm, &template, b).map(<$ty as ByteString>::make)
                    }
                    None => Ok(Value::NOT_IMPLEMENTED),
                }
            }

            /// Decode the bytes using the codec registered for encoding.
            #[pymethod(sig = "($self, /, encoding='utf-8', errors='strict')")]
            fn decode(vm: &Vm, this: &Py<$ty>, encoding: Option<&Py<Str>>, errors: Option<&Py<Str>>) -> Res<Value> {
                let encoding = encoding::checked_name(vm, encoding, "utf-8")?;
                let errors = encoding::checked_name(vm, errors, "strict")?;
                let bytes = get_bytes(vm, this.as_value())?;
                encoding::decode(vm, this.as_value(), &bytes, &encoding, &errors)
            }

            /// Concatenate any number of bytes objects, with this one between them.
            #[pymethod(sig = "($self, iterable_of_bytes, /)")]
            fn join(vm: &Vm, this: &Py<$ty>, iterable_of_bytes: &Value) -> Res<Value> {
                join(vm, this, iterable_of_bytes)
            }

            /// Return a list of the sections between separators.
            #[pymethod(sig = "($self, /, sep=None, maxsplit=-1)")]
            fn split(vm: &Vm, this: &Py<$ty>, sep: Option<&Value>, maxsplit: isize) -> Res<Value> {
                split(vm, this, sep, maxsplit, false)
            }

            /// As split, with the splits counted from the right.
            #[pymethod(sig = "($self, /, sep=None, maxsplit=-1)")]
            fn rsplit(vm: &Vm, this: &Py<$ty>, sep: Option<&Value>, maxsplit: isize) -> Res<Value> {
                split(vm, this, sep, maxsplit, true)
            }

            /// Return a list of the lines, without their ends unless keepends is true.
            #[pymethod(sig = "($self, /, keepends=False)")]
            fn splitlines(_vm: &Vm, this: &Py<$ty>, keepends: bool) -> Res<Value> {
                copies(this, |bytes| {
                    search::split_lines(bytes, keepends, |byte| matches!(byte, b'\n' | b'\r'))
                })
            }

            /// Strip leading and trailing bytes of the argument, or white space.
            #[pymethod(sig = "($self, bytes=None, /)")]
            fn strip(vm: &Vm, this: &Py<$ty>, bytes: Option<&Value>) -> Res<Value> {
                strip(vm, this, bytes, Strip::Both)
            }

            /// Strip leading bytes of the argument, or white space.
            #[pymethod(sig = "($self, bytes=None, /)")]
            fn lstrip(vm: &Vm, this: &Py<$ty>, bytes: Option<&Value>) -> Res<Value> {
                strip(vm, this, bytes, Strip::Left)
            }

            /// Strip trailing bytes of the argument, or white space.
            #[pymethod(sig = "($self, bytes=None, /)")]
            fn rstrip(vm: &Vm, this: &Py<$ty>, bytes: Option<&Value>) -> Res<Value> {
                strip(vm, this, bytes, Strip::Right)
            }

            /// Return a copy with occurrences of old replaced by new.
            #[pymethod(sig = "($self, old, new, count=-1, /)")]
            fn replace(vm: &Vm, this: &Py<$ty>, old: &Value, new: &Value, count: isize) -> Res<Value> {
                replace(vm, this, old, new, count)
            }

            /// Return the lowest index of sub in B[start:end], or -1.
            #[pymethod(sig = "($self, sub, start=None, end=None, /)")]
            fn find(vm: &Vm, this: &Py<$ty>, sub: &Value, start: Option<&Value>, end: Option<&Value>) -> Res<Value> {
                Ok(index_or_minus_one(find_in(vm, this, sub, start, end, false)?))
            }

            /// Return the highest index of sub in B[start:end], or -1.
            #[pymethod(sig = "($self, sub, start=None, end=None, /)")]
            fn rfind(vm: &Vm, this: &Py<$ty>, sub: &Value, start: Option<&Value>, end: Option<&Value>) -> Res<Value> {
                Ok(index_or_minus_one(find_in(vm, this, sub, start, end, true)?))
            }

            /// Return the lowest index of sub in B[start:end]; ValueError if there is none.
            #[pymethod(sig = "($self, sub, start=None, end=None, /)")]
            fn index(vm: &Vm, this: &Py<$ty>, sub: &Value, start: Option<&Value>, end: Option<&Value>) -> Res<usize> {
                find_in(vm, this, sub, start, end, false)?.ok_or_else(|| vm.value_error("subsection not found"))
            }

            /// Return the highest index of sub in B[start:end]; ValueError if there is none.
            #[pymethod(sig = "($self, sub, start=None, end=None, /)")]
            fn rindex(vm: &Vm, this: &Py<$ty>, sub: &Value, start: Option<&Value>, end: Option<&Value>) -> Res<usize> {
                find_in(vm, this, sub, start, end, true)?.ok_or_else(|| vm.value_error("subsection not found"))
            }

            /// Return the number of occurrences of sub in B[start:end] that do not overlap.
            #[pymethod(sig = "($self, sub, start=None, end=None, /)")]
            fn count(vm: &Vm, this: &Py<$ty>, sub: &Value, start: Option<&Value>, end: Option<&Value>) -> Res<usize> {
                count_in(vm, this, sub, start, end)
            }

            /// Whether B[start:end] starts with the prefix, or with one of a tuple of prefixes.
            #[pymethod(sig = "($self, prefix, start=None, end=None, /)")]
            fn startswith(vm: &Vm, this: &Py<$ty>, prefix: &Value, start: Option<&Value>, end: Option<&Value>) -> Res<bool> {
                affix(vm, this, prefix, start, end, false)
            }

            /// Whether B[start:end] ends with the suffix, or with one of a tuple of suffixes.
            #[pymethod(sig = "($self, suffix, start=None, end=None, /)")]
            fn endswith(vm: &Vm, this: &Py<$ty>, suffix: &Value, start: Option<&Value>, end: Option<&Value>) -> Res<bool> {
                affix(vm, this, suffix, start, end, true)
            }

            /// Return what stands before the first separator, the separator, and what follows it.
            #[pymethod(sig = "($self, sep, /)")]
            fn partition(vm: &Vm, this: &Py<$ty>, sep: &Value) -> Res<Value> {
                partition(vm, this, sep, false)
            }

            /// Return what stands before the last separator, the separator, and what follows it.
            #[pymethod(sig = "($self, sep, /)")]
            fn rpartition(vm: &Vm, this: &Py<$ty>, sep: &Value) -> Res<Value> {
                partition(vm, this, sep, true)
            }

            /// Return a copy without the prefix, if it has it.
            #[pymethod(sig = "($self, prefix, /)")]
            fn removeprefix(vm: &Vm, this: &Py<$ty>, prefix: &Value) -> Res<Value> {
                let prefix = get_bytes(vm, prefix)?;
                copied(this, |bytes| {
                    let start = if bytes.starts_with(&prefix) { prefix.len() } else { 0 };
                    start..bytes.len()
                })
            }

            /// Return a copy without the suffix, if it has it.
            #[pymethod(sig = "($self, suffix, /)")]
            fn removesuffix(vm: &Vm, this: &Py<$ty>, suffix: &Value) -> Res<Value> {
                let suffix = get_bytes(vm, suffix)?;
                copied(this, |bytes| {
                    let cut = if bytes.ends_with(&suffix) { suffix.len() } else { 0 };
                    0..bytes.len() - cut
                })
            }

            /// Return a centered copy of length width, padded with the fill byte.
            #[pymethod(sig = "($self, width, fillchar=b' ', /)")]
            fn center(vm: &Vm, this: &Py<$ty>, width: isize, fillchar: Option<&Value>) -> Res<Value> {
                justify(vm, this, width, fillchar, Justify::Center, "center")
            }

            /// Return a left-justified copy of length width, padded with the fill byte.
            #[pymethod(sig = "($self, width, fillchar=b' ', /)")]
            fn ljust(vm: &Vm, this: &Py<$ty>, width: isize, fillchar: Option<&Value>) -> Res<Value> {
                justify(vm, this, width, fillchar, Justify::Left, "ljust")
            }

            /// Return a right-justified copy of length width, padded with the fill byte.
            #[pymethod(sig = "($self, width, fillchar=b' ', /)")]
            fn rjust(vm: &Vm, this: &Py<$ty>, width: isize, fillchar: Option<&Value>) -> Res<Value> {
                justify(vm, this, width, fillchar, Justify::Right, "rjust")
            }

            /// Pad a numeric byte string with zeros on the left, after its sign.
            #[pymethod(sig = "($self, width, /)")]
            fn zfill(vm: &Vm, this: &Py<$ty>, width: isize) -> Res<Value> {
                let width = usize::try_from(width).unwrap_or(0);
                match <$ty as ByteString>::read(this, |bytes| search::zfill(bytes, width)) {
                    None => <$ty as ByteString>::same(this),
                    Some(bytes) => made::<$ty>(vm, bytes),
                }
            }

            /// Return a copy in which each tab is replaced by spaces up to the next column of tabsize.
            #[pymethod(sig = "($self, /, tabsize=8)")]
            fn expandtabs(vm: &Vm, this: &Py<$ty>, tabsize: i32) -> Res<Value> {
                let size = usize::try_from(tabsize).unwrap_or(0);
                made::<$ty>(vm, <$ty as ByteString>::read(this, |bytes| search::expand_tabs(bytes, size)))
            }

            /// Replace each byte by the table's for it; bytes of delete are removed first.
            #[pymethod(sig = "($self, table, /, delete=b'')")]
            fn translate(vm: &Vm, this: &Py<$ty>, table: &Value, delete: Option<&Value>) -> Res<Value> {
                translate(vm, this, table, delete)
            }

            /// Return a translation table that maps each byte of frm to the one at its place in to.
            #[staticmethod(sig = "(frm, to, /)")]
            fn maketrans(vm: &Vm, frm: &Value, to: &Value) -> Res<Value> {
                table(vm, frm, to)
            }

            /// Return the bytes as a string of hexadecimal digits, with sep after each bytes_per_sep bytes.
            #[pymethod(sig = "($self, /, sep=<unrepresentable>, bytes_per_sep=1)")]
            fn hex(vm: &Vm, this: &Py<$ty>, sep: Option<&Value>, bytes_per_sep: i32) -> Res<Value> {
                let bytes = get_bytes(vm, this.as_value())?;
                to_hex(vm, &bytes, sep, bytes_per_sep as isize)
            }

            /// Create an object from a string of hexadecimal numbers.
            #[classmethod(sig = "($type, string, /)")]
            fn fromhex(vm: &Vm, cls: &Py<Type>, string: &Value) -> Res<Value> {
                from_hex::<$ty>(vm, cls, string)
            }

            /// Return a copy with all ASCII letters in upper case.
            #[pymethod(sig = "($self, /)")]
            fn upper(_vm: &Vm, this: &Py<$ty>) -> Res<Value> {
                mapped(this, <[u8]>::to_ascii_uppercase)
            }

            /// Return a copy with all ASCII letters in lower case.
            #[pymethod(sig = "($self, /)")]
            fn lower(_vm: &Vm, this: &Py<$ty>) -> Res<Value> {
                mapped(this, <[u8]>::to_ascii_lowercase)
            }

            /// Return a copy in which ASCII words start in upper case and go on in lower case.
            #[pymethod(sig = "($self, /)")]
            fn title(_vm: &Vm, this: &Py<$ty>) -> Res<Value> {
                mapped(this, case::title)
            }

            /// Return a copy whose first byte is in upper case and the rest in lower case.
            #[pymethod(sig = "($self, /)")]
            fn capitalize(_vm: &Vm, this: &Py<$ty>) -> Res<Value> {
                mapped(this, case::capitalize)
            }

            /// Return a copy with upper and lower case exchanged.
            #[pymethod(sig = "($self, /)")]
            fn swapcase(_vm: &Vm, this: &Py<$ty>) -> Res<Value> {
                mapped(this, case::swap_case)
            }

            /// Whether there are bytes and all of them are ASCII letters.
            #[pymethod(sig = "($self, /)")]
            fn isalpha(_vm: &Vm, this: &Py<$ty>) -> bool {
                <$ty as ByteString>::read(this, case::is_alpha)
            }

            /// Whether there are bytes and all of them are ASCII letters or digits.
            #[pymethod(sig = "($self, /)")]
            fn isalnum(_vm: &Vm, this: &Py<$ty>) -> bool {
                <$ty as ByteString>::read(this, case::is_alnum)
            }

            /// Whether all bytes are ASCII; true of the empty object.
            #[pymethod(sig = "($self, /)")]
            fn isascii(_vm: &Vm, this: &Py<$ty>) -> bool {
                <$ty as ByteString>::read(this, <[u8]>::is_ascii)
            }

            /// Whether there are bytes and all of them are ASCII digits.
            #[pymethod(sig = "($self, /)")]
            fn isdigit(_vm: &Vm, this: &Py<$ty>) -> bool {
                <$ty as ByteString>::read(this, case::is_digit)
            }

            /// Whether there are ASCII letters and all of them are in lower case.
            #[pymethod(sig = "($self, /)")]
            fn islower(_vm: &Vm, this: &Py<$ty>) -> bool {
                <$ty as ByteString>::read(this, case::is_lower)
            }

            /// Whether there are ASCII letters and all of them are in upper case.
            #[pymethod(sig = "($self, /)")]
            fn isupper(_vm: &Vm, this: &Py<$ty>) -> bool {
                <$ty as ByteString>::read(this, case::is_upper)
            }

            /// Whether the bytes are in title case.
            #[pymethod(sig = "($self, /)")]
            fn istitle(_vm: &Vm, this: &Py<$ty>) -> bool {
                <$ty as ByteString>::read(this, case::is_title)
            }

            /// Whether there are bytes and all of them are ASCII white space.
            #[pymethod(sig = "($self, /)")]
            fn isspace(_vm: &Vm, this: &Py<$ty>) -> bool {
                <$ty as ByteString>::read(this, case::is_space)
            }
        }
    };
}

/// What `__bytes__` returns, if there is such a method.
fn from_method(vm: &Vm, source: &Value) -> Res<Option<Value>> {
    match vm.call_special_opt(source, intern!("__bytes__"), &[])? {
        Some(made) if made.downcast::<Bytes>().is_none() => {
            let found = made.ty().name();
            Err(vm.type_error(format!("__bytes__ returned non-bytes (type {found})")))
        }
        made => Ok(made),
    }
}

/// How a bytearray is pickled: before protocol 3 there are no bytes.
fn reduce(vm: &Vm, this: &Py<ByteArray>, protocol: i64) -> Res<Value> {
    let data = this.snapshot()?;
    let args = if data.is_empty() {
        Tuple::empty()
    } else if protocol < 3 {
        let text = Str::from_buf(crate::text::codec::decode_latin1(&data));
        Tuple::from_array([text.into_value(), Value::from("latin-1")])
    } else {
        Tuple::from_array([Bytes::new_value(data)])
    };
    let state = vm.call_method(this.as_value(), intern!("__getstate__"), &[])?;
    Ok(Tuple::from_array([this.class().to_value(), args.into_value(), state]).into_value())
}

byte_string!(Bytes {
    #[slot(sig = "(source=b'', encoding='utf-8', errors='strict')")]
    fn __new__(
        vm: &Vm,
        cls: &Py<Type>,
        source: Option<&Value>,
        encoding: Option<&Py<Str>>,
        errors: Option<&Py<Str>>,
    ) -> Res<Value> {
        if cls.is(Bytes::ty())
            && encoding.is_none()
            && errors.is_none()
            && let Some(source) = source
        {
            if source.downcast_exact::<Bytes>().is_some() {
                return Ok(source.clone());
            }
            if let Some(made) = from_method(vm, source)? {
                return Ok(made);
            }
        }
        let data = from_source(vm, source, encoding, errors, "bytes")?;
        if cls.is(Bytes::ty()) {
            return Ok(Bytes::new_value(data));
        }
        let data = data.into_boxed_slice();
        Ok(Py::with_class(cls, Bytes::payload(data)).into_value())
    }

    #[slot]
    fn __str__(vm: &Vm, this: &Py<Bytes>) -> Res<Value> {
        warn_of_text(vm, "bytes")?;
        Self::__repr__(vm, this)
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Bytes>) -> Res<Value> {
        let shown = repr::repr_bytes(this.as_slice());
        let text = Str::try_from_view(crate::text::StrView::Ascii(&shown));
        text.map(Py::into_value).ok_or_else(|| vm.memory_error())
    }

    #[slot]
    fn __hash__(_vm: &Vm, this: &Py<Bytes>) -> Res<i64> {
        Ok(super::str::hash_bytes(this.as_slice()))
    }

    #[slot]
    fn __buffer__(_vm: &Vm, this: &Py<Bytes>, _flags: BufferFlags) -> Res<Buffer> {
        Ok(buffer::of_bytes(this))
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Bytes>) -> Res<Value> {
        Ok(BytesIter::over(this).into_value())
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<Bytes>, key: &Value) -> Res<Value> {
        get_item(vm, this, key, "byte", "index out of range")
    }

    #[pymethod(sig = "($self, /)")]
    fn __getnewargs__(_vm: &Vm, this: &Py<Bytes>) -> Res<Value> {
        let copy = Bytes::new_value(room::copied(this.as_slice())?);
        Ok(Tuple::from_array([copy]).into_value())
    }

    /// Convert this value to exact type bytes.
    #[pymethod(sig = "($self, /)")]
    fn __bytes__(_vm: &Vm, this: &Py<Bytes>) -> Res<Value> {
        <Bytes as ByteString>::same(this)
    }

    /// Return the size of the object in memory, in bytes.
    #[pymethod(sig = "($self, /)")]
    fn __sizeof__(_vm: &Vm, this: &Py<Bytes>) -> Res<usize> {
        Ok(size_of::<crate::object::Obj<Bytes>>() + this.as_slice().len())
    }
});

byte_string!(ByteArray {
    #[slot]
    fn __new__(_vm: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        let data = Locked::new(Vec::new());
        let exports = AtomicUsize::new(0);
        Ok(Py::with_class(cls, ByteArray { data, exports }).into_value())
    }

    #[slot(sig = "(source=b'', encoding='utf-8', errors='strict')")]
    fn __init__(
        vm: &Vm,
        this: &Py<ByteArray>,
        source: Option<&Value>,
        encoding: Option<&Py<Str>>,
        errors: Option<&Py<Str>>,
    ) -> Res<()> {
        let data = from_source(vm, source, encoding, errors, "bytearray")?;
        this.replace_all(vm, data)
    }

    #[slot]
    fn __str__(vm: &Vm, this: &Py<ByteArray>) -> Res<Value> {
        warn_of_text(vm, "bytearray")?;
        Self::__repr__(vm, this)
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<ByteArray>) -> Res<Value> {
        let mut shown = this.class().short_name().into_bytes();
        shown.push(b'(');
        shown.extend(this.with(|bytes| repr::repr_bytes(bytes)));
        shown.push(b')');
        let text = String::from_utf8(shown).map_err(|_| vm.system_error("a repr is not UTF-8"))?;
        Ok(Str::from_str(&text).into_value())
    }

    #[slot]
    fn __buffer__(_vm: &Vm, this: &Py<ByteArray>, _flags: BufferFlags) -> Res<Buffer> {
        Ok(buffer::of_bytearray(this))
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<ByteArray>) -> Res<Value> {
        Ok(ByteArrayIter::over(this).into_value())
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<ByteArray>, key: &Value) -> Res<Value> {
        get_item(vm, this, key, "bytearray", "bytearray index out of range")
    }

    #[slot]
    fn __setitem__(vm: &Vm, this: &Py<ByteArray>, key: &Value, value: Option<&Value>) -> Res<()> {
        this.set_item(vm, key, value)
    }

    #[slot]
    fn __inplace_concat__(vm: &Vm, this: &Py<ByteArray>, other: &Value) -> Res<Value> {
        if !is_bytes_like(other) {
            let found = other.ty().name();
            return Err(vm.type_error(format!("can't concat {found} to {}", this.class().short_name())));
        }
        this.extend_bytes(vm, &get_bytes(vm, other)?)?;
        Ok(this.to_value())
    }

    #[slot]
    fn __inplace_repeat__(vm: &Vm, this: &Py<ByteArray>, n: isize) -> Res<Value> {
        this.repeat_in_place(vm, usize::try_from(n).unwrap_or(0))?;
        Ok(this.to_value())
    }

    /// Release the buffer object that exposes the underlying memory of the object.
    #[pymethod(sig = "($self, buffer, /)")]
    fn __release_buffer__(vm: &Vm, this: &Py<ByteArray>, buffer: &Value) -> Res<()> {
        super::memoryview::release_buffer(vm, this.as_value(), buffer)
    }

    /// Append a single item to the end of the bytearray.
    #[pymethod(sig = "($self, item, /)")]
    fn append(vm: &Vm, this: &Py<ByteArray>, item: &Value) -> Res<()> {
        let byte = byte_of(vm, item)?;
        this.extend_bytes(vm, &[byte])
    }

    /// Append all the items of an iterable of integers, or of a bytes-like object.
    #[pymethod(sig = "($self, iterable_of_ints, /)")]
    fn extend(vm: &Vm, this: &Py<ByteArray>, iterable_of_ints: &Value) -> Res<()> {
        this.extend_from(vm, iterable_of_ints)
    }

    /// Insert a single item before index.
    #[pymethod(sig = "($self, index, item, /)")]
    fn insert(vm: &Vm, this: &Py<ByteArray>, index: isize, item: &Value) -> Res<()> {
        this.insert_byte(vm, index, item)
    }

    /// Remove and return the item at index (default last).
    #[pymethod(sig = "($self, index=-1, /)")]
    fn pop(vm: &Vm, this: &Py<ByteArray>, index: isize) -> Res<u8> {
        this.pop_byte(vm, index)
    }

    /// Remove the first occurrence of a value.
    #[pymethod(sig = "($self, value, /)")]
    fn remove(vm: &Vm, this: &Py<ByteArray>, value: &Value) -> Res<()> {
        let byte = byte_of(vm, value)?;
        let found = this.remove_byte(vm, byte)?;
        if found {
            Ok(())
        } else {
            Err(vm.value_error("value not found in bytearray"))
        }
    }

    /// Reverse the order of the bytes in place.
    #[pymethod(sig = "($self, /)")]
    fn reverse(_vm: &Vm, this: &Py<ByteArray>) -> Res<()> {
        this.with(|bytes| bytes.reverse());
        Ok(())
    }

    /// Remove all items.
    #[pymethod(sig = "($self, /)")]
    fn clear(vm: &Vm, this: &Py<ByteArray>) -> Res<()> {
        this.replace_all(vm, Vec::new())
    }

    /// Return a copy.
    #[pymethod(sig = "($self, /)")]
    fn copy(_vm: &Vm, this: &Py<ByteArray>) -> Res<Value> {
        Ok(ByteArray::new_value(this.snapshot()?))
    }

    /// Change the length to size; new bytes are zero.
    #[pymethod(sig = "($self, size, /)")]
    fn resize(vm: &Vm, this: &Py<ByteArray>, size: isize) -> Res<()> {
        let Ok(size) = usize::try_from(size) else {
            let message = format!("bytearray.resize(): new size must be >= 0, got {size}");
            return Err(vm.value_error(message));
        };
        this.resize_to(vm, size)
    }

    /// Return the number of bytes allocated.
    #[pymethod(sig = "($self, /)")]
    fn __alloc__(_vm: &Vm, this: &Py<ByteArray>) -> Res<usize> {
        // As in CPython with one byte more than the content, unless nothing was ever put in.
        Ok(this.with(|bytes| match bytes.capacity() {
            0 => 0,
            capacity => capacity.max(bytes.len() + 1),
        }))
    }

    /// Return the size of the object in memory, in bytes.
    #[pymethod(sig = "($self, /)")]
    fn __sizeof__(_vm: &Vm, this: &Py<ByteArray>) -> Res<usize> {
        Ok(size_of::<crate::object::Obj<ByteArray>>() + this.with(|bytes| bytes.capacity()))
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<ByteArray>) -> Res<Value> {
        reduce(vm, this, 2)
    }

    /// Return state information for pickling.
    #[pymethod(sig = "($self, proto=0, /)")]
    fn __reduce_ex__(vm: &Vm, this: &Py<ByteArray>, proto: i64) -> Res<Value> {
        reduce(vm, this, proto)
    }
});
