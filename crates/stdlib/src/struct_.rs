//! The `_struct` module: values packed as C structs.
//!
//! Invariant: a compiled [`Layout`] never changes; its offsets lie within its size. Bytes are packed into memory of our own
//! and copied to where they go, so no lock is held while a value is converted. Compiled formats are kept in a short list.

use std::borrow::Cow;

use lisle_runtime::memory::room;
use lisle_runtime::native::*;
use lisle_runtime::types::exceptions;
use num_bigint::BigInt;

use crate::exception::ExceptionClass;

pub static ERROR: ExceptionClass = ExceptionClass::new("struct", "error", &exceptions::EXCEPTION);

/// A member, or several of the same kind in a row. Of `s` and `p`, `size` is the length and `count` is 1.
#[derive(Clone, Debug, PartialEq)]
struct Member {
    code: u8,
    offset: usize,
    size: usize,
    count: usize,
}

/// A compiled format.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    little: bool,
    /// Native sizes and alignment.
    native: bool,
    members: Vec<Member>,
    pub size: usize,
    /// How many values there are.
    items: usize,
}

/// Size and native alignment of a member.
fn measure(code: u8, native: bool) -> Option<(usize, usize)> {
    Some(match code {
        b'x' | b'c' | b'b' | b'B' | b'?' | b's' | b'p' => (1, 1),
        b'h' | b'H' | b'e' => (2, 2),
        b'i' | b'I' | b'f' => (4, 4),
        b'l' | b'L' if !native => (4, 4),
        b'l' | b'L' | b'q' | b'Q' | b'd' => (8, 8),
        b'n' | b'N' | b'P' if native => (8, 8),
        b'F' => (8, 4),
        b'D' => (16, 8),
        _ => return None,
    })
}

impl Layout {
    pub fn parse(vm: &Vm, format: &[u8]) -> Res<Layout> {
        let too_long = || ERROR.error(vm, "total struct size too long");
        let (little, native, rest) = match format.split_first() {
            Some((b'<', rest)) => (true, false, rest),
            Some((b'>' | b'!', rest)) => (false, false, rest),
            Some((b'=', rest)) => (cfg!(target_endian = "little"), false, rest),
            Some((b'@', rest)) => (cfg!(target_endian = "little"), true, rest),
            _ => (cfg!(target_endian = "little"), true, format),
        };
        let mut layout = Layout {
            little,
            native,
            members: Vec::new(),
            size: 0,
            items: 0,
        };
        let mut at = 0;
        while let Some(&byte) = rest.get(at) {
            at += 1;
            if byte.is_ascii_whitespace() || byte == 0x0b {
                continue;
            }
            let mut code = byte;
            let mut count = 1usize;
            if byte.is_ascii_digit() {
                count = usize::from(byte - b'0');
                loop {
                    let Some(&next) = rest.get(at) else {
                        return Err(ERROR.error(vm, "repeat count given without format specifier"));
                    };
                    at += 1;
                    if !next.is_ascii_digit() {
                        code = next;
                        break;
                    }
                    count = count
                        .checked_mul(10)
                        .and_then(|n| n.checked_add(usize::from(next - b'0')))
                        .filter(|n| *n <= isize::MAX as usize)
                        .ok_or_else(too_long)?;
                }
            }
            if code == 0 {
                return Err(ERROR.error(vm, "embedded null character"));
            }
            let Some((size, align)) = measure(code, native) else {
                return Err(ERROR.error(vm, "bad char in struct format"));
            };
            if native {
                layout.size = layout.size.checked_next_multiple_of(align).ok_or_else(too_long)?;
            }
            let offset = layout.size;
            let total = size.checked_mul(count).ok_or_else(too_long)?;
            layout.size = offset
                .checked_add(total)
                .filter(|n| *n <= isize::MAX as usize)
                .ok_or_else(too_long)?;
            match code {
                b'x' => {}
                b's' | b'p' => {
                    layout.members.push(Member {
                        code,
                        offset,
                        size: count,
                        count: 1,
                    });
                    layout.items += 1;
                }
                _ if count > 0 => {
                    layout.members.push(Member {
                        code,
                        offset,
                        size,
                        count,
                    });
                    layout.items += count;
                }
                _ => {}
            }
        }
        Ok(layout)
    }

    /// Packs values, of which there must be as many as the format has.
    pub fn pack(&self, vm: &Vm, name: &str, values: &[Value]) -> Res<Vec<u8>> {
        if values.len() != self.items {
            return Err(ERROR.error(
                vm,
                format!(
                    "{name} expected {} items for packing (got {})",
                    self.items,
                    values.len()
                ),
            ));
        }
        let mut out = Vec::new();
        out.try_reserve_exact(self.size).map_err(|_| vm.memory_error())?;
        out.resize(self.size, 0);
        let mut values = values.iter();
        for member in &self.members {
            for index in 0..member.count {
                let Some(value) = values.next() else { break };
                let start = member.offset + index * member.size;
                let Some(place) = out.get_mut(start..start + member.size) else {
                    break;
                };
                self.put(vm, member.code, value, place).map_err(|exc| {
                    let too_large = exc.is(&exceptions::OVERFLOW_ERROR) && int_view(value).is_some();
                    match too_large && !matches!(member.code, b's' | b'p') {
                        true => ERROR.error(vm, "int too large to convert"),
                        false => exc,
                    }
                })?;
            }
        }
        Ok(out)
    }

    /// The values in `bytes`, which are as many as the struct has.
    pub fn unpack(&self, vm: &Vm, bytes: &[u8]) -> Res<Vec<Value>> {
        const PAUSE: usize = 1 << 16;
        let mut values = Vec::new();
        values.try_reserve_exact(self.items)?;
        for member in &self.members {
            for index in 0..member.count {
                let start = member.offset + index * member.size;
                let place = bytes.get(start..start + member.size).unwrap_or_default();
                values.push(self.take(vm, member.code, place)?);
                if values.len().is_multiple_of(PAUSE) {
                    vm.safepoint()?;
                }
            }
        }
        Ok(values)
    }

    /// Stores the low bytes of a number.
    fn store(&self, number: u64, place: &mut [u8]) {
        let bytes = number.to_le_bytes();
        let len = place.len();
        for (at, slot) in place.iter_mut().enumerate() {
            let from = if self.little { at } else { len - 1 - at };
            *slot = bytes.get(from).copied().unwrap_or(0);
        }
    }

    fn load(&self, place: &[u8]) -> u64 {
        let fold = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if self.little {
            place.iter().rev().fold(0, fold)
        } else {
            place.iter().fold(0, fold)
        }
    }

    fn put(&self, vm: &Vm, code: u8, value: &Value, place: &mut [u8]) -> Res<()> {
        match code {
            b'c' => match value
                .downcast::<lisle_runtime::types::bytes::Bytes>()
                .map(|b| b.as_slice())
            {
                Some(&[byte]) => place.fill(byte),
                _ => return Err(ERROR.error(vm, "char format requires a bytes object of length 1")),
            },
            b's' | b'p' => {
                let is_text = value.downcast::<lisle_runtime::types::bytes::Bytes>().is_some()
                    || value.downcast::<lisle_runtime::types::bytearray::ByteArray>().is_some();
                let bytes: Cow<'_, [u8]> = match lisle_runtime::types::buffer::bytes_of(value).filter(|_| is_text) {
                    Some(bytes) => bytes,
                    None => {
                        let code = char::from(code);
                        return Err(ERROR.error(vm, format!("argument for '{code}' must be a bytes object")));
                    }
                };
                let place = match (code, place) {
                    (b'p', []) => return Ok(()),
                    (b'p', [length, rest @ ..]) => {
                        *length = bytes.len().min(rest.len()).min(255) as u8;
                        rest
                    }
                    (_, place) => place,
                };
                let n = bytes.len().min(place.len());
                for (slot, byte) in place.iter_mut().zip(bytes.iter().take(n)) {
                    *slot = *byte;
                }
            }
            b'?' => place.fill(u8::from(vm.truth(value)?)),
            b'e' | b'f' | b'd' => {
                let number = vm
                    .to_f64(value)
                    .map_err(|_| ERROR.error(vm, "required argument is not a float"))?;
                self.put_float(vm, code, number, place)?;
            }
            b'F' | b'D' => {
                let (re, im) =
                    to_complex(vm, value).map_err(|_| ERROR.error(vm, "required argument is not a complex"))?;
                let half = place.len() / 2;
                let part = if code == b'F' { b'f' } else { b'd' };
                let (first, second) = place.split_at_mut(half);
                self.put_float(vm, part, re, first)?;
                self.put_float(vm, part, im, second)?;
            }
            _ => self.put_int(vm, code, value, place)?,
        }
        Ok(())
    }

    fn put_float(&self, vm: &Vm, code: u8, number: f64, place: &mut [u8]) -> Res<()> {
        let bits = match code {
            b'e' => {
                u64::from(to_half(number).ok_or_else(|| vm.overflow_error("float too large to pack with e format"))?)
            }
            b'f' => {
                let single = number as f32;
                if single.is_infinite() && number.is_finite() && !self.native {
                    return Err(vm.overflow_error("float too large to pack with f format"));
                }
                u64::from(single.to_bits())
            }
            _ => number.to_bits(),
        };
        self.store(bits, place);
        Ok(())
    }

    fn put_int(&self, vm: &Vm, code: u8, value: &Value, place: &mut [u8]) -> Res<()> {
        let index;
        let int = match int_view(value) {
            Some(int) => int,
            None => {
                if value.ty().slots().index.is_none() {
                    return Err(ERROR.error(vm, "required argument is not an integer"));
                }
                index = vm.index(value)?;
                int_view(&index).unwrap_or(IntRef::Small(0))
            }
        };
        let bits = place.len() * 8;
        let number: Option<i128> = match int.to_i64() {
            Some(small) => Some(small.into()),
            None => int.to_u64().map(i128::from),
        };
        let (low, high): (i128, i128) = if code == b'P' {
            (-(1 << 63), (1 << 64) - 1)
        } else if code.is_ascii_uppercase() {
            (0, (1 << bits) - 1)
        } else {
            (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
        };
        match number.filter(|n| (low..=high).contains(n)) {
            Some(number) => {
                self.store(number as u64, place);
                Ok(())
            }
            None if code == b'P' => Err(ERROR.error(vm, "int too large to convert")),
            None => {
                let code = char::from(code);
                Err(ERROR.error(vm, format!("'{code}' format requires {low} <= number <= {high}")))
            }
        }
    }

    fn take(&self, _vm: &Vm, code: u8, place: &[u8]) -> Res<Value> {
        use lisle_runtime::types::bytes::Bytes;
        let float = |code: u8, place: &[u8]| {
            let bits = self.load(place);
            match code {
                b'e' => from_half(bits as u16),
                b'f' => f64::from(f32::from_bits(bits as u32)),
                _ => f64::from_bits(bits),
            }
        };
        Ok(match code {
            b'c' | b's' => Bytes::new_value(room::copied(place)?),
            b'p' => {
                let text = match place {
                    [] => place,
                    [length, rest @ ..] => rest.get(..usize::from(*length)).unwrap_or(rest),
                };
                Bytes::new_value(text)
            }
            b'?' => Value::from_bool(place.iter().any(|b| *b != 0)),
            b'e' | b'f' | b'd' => Value::float(float(code, place)),
            b'F' | b'D' => {
                let (re, im) = place.split_at(place.len() / 2);
                let part = if code == b'F' { b'f' } else { b'd' };
                complex_value((float(part, re), float(part, im)))
            }
            _ => {
                let number = self.load(place);
                if code.is_ascii_uppercase() {
                    match i64::try_from(number) {
                        Ok(small) => Value::int(small),
                        Err(_) => Value::bigint(BigInt::from(number)),
                    }
                } else {
                    let unused = 64 - place.len() as u32 * 8;
                    Value::int((number << unused) as i64 >> unused)
                }
            }
        })
    }
}

/// IEEE half precision, rounded half to even; `None` where it is too large.
pub fn to_half(x: f64) -> Option<u16> {
    let bits = x.to_bits();
    let sign = (bits >> 48) as u16 & 0x8000;
    if x.is_nan() {
        return Some(sign | 0x7e00 | (bits >> 42) as u16 & 0x3ff);
    }
    if x.is_infinite() {
        return Some(sign | 0x7c00);
    }
    let magnitude = x.abs();
    // The unit in the last place: that of the smallest normal number for subnormal ones.
    let exponent = ((bits >> 52 & 0x7ff) as i32 - 1023).max(-14);
    let units = magnitude * 2f64.powi(10 - exponent);
    let rounded = units.round_ties_even() as u32;
    let encoded = if exponent == -14 {
        rounded
    } else {
        rounded + ((exponent + 14) as u32) * 0x400
    };
    (encoded < 0x7c00).then_some(sign | encoded as u16)
}

/// The value of a half precision number.
pub fn from_half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 != 0 { -1.0 } else { 1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff);
    match exponent {
        0 => sign * fraction * 2f64.powi(-24),
        31 if bits & 0x3ff == 0 => sign * f64::INFINITY,
        31 => f64::from_bits(u64::from(bits & 0x8000) << 48 | 0x7ff8 << 48 | u64::from(bits & 0x3ff) << 42),
        _ => sign * (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}

/// The bytes of a format: `str` or `bytes`.
fn format_bytes<'a>(vm: &Vm, format: &'a Value) -> Res<Cow<'a, [u8]>> {
    if let Some(text) = format.downcast::<Str>() {
        return match text.as_ascii() {
            Some(ascii) => Ok(Cow::Borrowed(ascii.as_bytes())),
            None => {
                let encoded = lisle_runtime::types::encoding::encode(vm, text, "ascii", "strict")?;
                Ok(Cow::Owned(
                    lisle_runtime::types::buffer::get_bytes(vm, &encoded)?.into_owned(),
                ))
            }
        };
    }
    match format.downcast::<lisle_runtime::types::bytes::Bytes>() {
        Some(bytes) => Ok(Cow::Borrowed(bytes.as_slice())),
        None => {
            let name = format.ty().name();
            Err(vm.type_error(format!("Struct() argument 1 must be a str or bytes object, not {name}")))
        }
    }
}

#[pymodule(
    name = "_struct",
    doc = "Functions to convert between Python values and C structs.\nPython bytes objects are used to hold the data representing the C struct\nand also as format strings (explained below) to describe the layout of data\nin the C struct.\n\nThe optional first format char indicates byte order, size and alignment:\n  @: native order, size & alignment (default)\n  =: native order, std. size & alignment\n  <: little-endian, std. size & alignment\n  >: big-endian, std. size & alignment\n  !: same as >\n\nThe remaining chars indicate types of args and must match exactly;\nthese can be preceded by a decimal repeat count:\n  x: pad byte (no data); c:char; b:signed byte; B:unsigned byte;\n  ?: _Bool (requires C99; if not available, char is used instead)\n  h:short; H:unsigned short; i:int; I:unsigned int;\n  l:long; L:unsigned long; f:float; d:double; e:half-float.\nSpecial cases (preceding decimal count indicates length):\n  s:string (array of char); p: pascal string (with count byte).\nSpecial cases (only available in native format):\n  n:ssize_t; N:size_t;\n  P:an integer type that is wide enough to hold a pointer.\nSpecial case (not in native mode unless 'long long' in platform C):\n  q:long long; Q:unsigned long long\nWhitespace between formats is ignored.\n\nThe variable struct.error is an exception raised on errors.\n",
    types(Struct)
)]
pub mod module {
    use std::cell::RefCell;
    use std::sync::Arc;
    use std::sync::atomic::{
        AtomicPtr, AtomicU32, AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    };

    use super::{ERROR, Layout, format_bytes};
    use lisle_runtime::memory::room;
    use lisle_runtime::memory::trace::Opaque;
    use lisle_runtime::native::*;
    use lisle_runtime::sync::Mutex;
    use lisle_runtime::types::buffer::{get_buffer, get_writable};
    use lisle_runtime::types::bytes::Bytes;
    use lisle_runtime::types::memoryview::MemoryView;
    use lisle_runtime::types::tuple::Tuple;
    use std::borrow::Cow;

    /// Compiled formats of a thread: threads that share them would write to their counts in turns.
    struct Cache {
        layouts: Vec<(Box<[u8]>, Arc<Layout>)>,
        /// What [`CLEARED`] was.
        cleared: u32,
    }

    thread_local! {
        static CACHE: RefCell<Cache> = const { RefCell::new(Cache { layouts: Vec::new(), cleared: 0 }) };
    }
    const CACHED: usize = 100;
    /// How often the caches were cleared.
    static CLEARED: AtomicU32 = AtomicU32::new(0);

    impl Cache {
        fn find(&mut self, format: &[u8]) -> Option<Arc<Layout>> {
            let cleared = CLEARED.load(Relaxed);
            if self.cleared != cleared {
                self.cleared = cleared;
                self.layouts.clear();
            }
            let at = self.layouts.iter().rposition(|(known, _)| **known == *format)?;
            let hit = self.layouts[at].1.clone();
            let last = self.layouts.len() - 1;
            if last - at > 8 {
                self.layouts.swap(at, last);
            }
            Some(hit)
        }

        fn add(&mut self, format: &[u8], layout: Arc<Layout>) {
            if self.layouts.len() >= CACHED {
                self.layouts.clear();
            }
            self.layouts.push((format.into(), layout));
        }
    }

    #[pyattr(name = "error")]
    fn error_class(vm: &Vm) -> Res<Value> {
        Ok(ERROR.get(vm)?.to_value())
    }

    fn layout_of(vm: &Vm, format: &Value) -> Res<Arc<Layout>> {
        if let Some(compiled) = format.downcast::<Struct>() {
            return compiled.shared(vm);
        }
        let format = format_bytes(vm, format)?;
        if let Some(found) = CACHE.with_borrow_mut(|cache| cache.find(&format)) {
            return Ok(found);
        }
        let layout = Arc::new(Layout::parse(vm, &format)?);
        CACHE.with_borrow_mut(|cache| cache.add(&format, layout.clone()));
        Ok(layout)
    }

    /// Clear the internal cache.
    #[pyfunction(sig = "()")]
    fn _clearcache(_vm: &Vm) {
        CLEARED.fetch_add(1, Relaxed);
    }

    /// Return size in bytes of the struct described by the format string.
    #[pyfunction(sig = "(format, /)")]
    fn calcsize(vm: &Vm, format: &Value) -> Res<usize> {
        Ok(layout_of(vm, format)?.size)
    }

    fn first<'a>(vm: &Vm, args: Args<'a>, name: &str) -> Res<(Arc<Layout>, &'a [Value])> {
        let values = args.no_keywords(vm, name)?;
        match values.split_first() {
            Some((format, rest)) => Ok((layout_of(vm, format)?, rest)),
            None => Err(vm.type_error("missing format argument")),
        }
    }

    /// pack(format, v1, v2, ...) -> bytes
    ///
    /// Return a bytes object containing the values v1, v2, ... packed according
    /// to the format string.  See help(struct) for more on format strings.
    #[pyfunction]
    fn pack(vm: &Vm, args: Args<'_>) -> Res<Value> {
        let (layout, values) = first(vm, args, "_struct.pack")?;
        Ok(Bytes::new_value(layout.pack(vm, "pack", values)?))
    }

    /// pack_into(format, buffer, offset, v1, v2, ...)
    ///
    /// Pack the values v1, v2, ... according to the format string and write
    /// the packed bytes into the writable buffer buf starting at offset.  Note
    /// that the offset is a required argument.  See help(struct) for more
    /// on format strings.
    #[pyfunction]
    fn pack_into(vm: &Vm, args: Args<'_>) -> Res<()> {
        let (layout, values) = first(vm, args, "_struct.pack_into")?;
        pack_to(vm, &layout, values)
    }

    fn pack_to(vm: &Vm, layout: &Layout, values: &[Value]) -> Res<()> {
        let (buffer, offset, rest) = match values {
            [] => return Err(ERROR.error(vm, "pack_into expected buffer argument")),
            [_] => return Err(ERROR.error(vm, "pack_into expected offset argument")),
            [buffer, offset, rest @ ..] => (buffer, offset, rest),
        };
        if rest.len() != layout.items {
            let (items, given) = (layout.items, rest.len());
            return Err(ERROR.error(
                vm,
                format!("pack_into expected {items} items for packing (got {given})"),
            ));
        }
        let held = get_writable(vm, buffer)?;
        let len = held.len;
        let size = layout.size;
        let given = vm.index_to_isize(offset)?;
        let mut offset = given;
        if offset < 0 {
            if offset + size as isize > 0 {
                return Err(ERROR.error(vm, format!("no space to pack {size} bytes at offset {given}")));
            }
            if offset.saturating_add_unsigned(len) < 0 {
                return Err(ERROR.error(vm, format!("offset {given} out of range for {len}-byte buffer")));
            }
            offset += len as isize;
        }
        let offset = offset as usize;
        if len < offset || len - offset < size {
            let least = size.saturating_add(offset);
            return Err(ERROR.error(
                vm,
                format!(
                    "pack_into requires a buffer of at least {least} bytes for packing {size} bytes at offset {offset} (actual buffer size is {len})"
                ),
            ));
        }
        let bytes = layout.pack(vm, "pack_into", rest)?;
        if held.write(offset, &bytes) {
            Ok(())
        } else {
            Err(vm.buffer_error("the exported memory is no longer there"))
        }
    }

    /// Return a tuple containing values unpacked according to the format string.
    ///
    /// The buffer's size in bytes must be calcsize(format).
    ///
    /// See help(struct) for more on format strings.
    #[pyfunction(sig = "(format, buffer, /)")]
    fn unpack(vm: &Vm, format: &Value, buffer: &Value) -> Res<Value> {
        unpack_all(vm, &*layout_of(vm, format)?, buffer)
    }

    /// The bytes of an argument, of which a part is read at a time.
    enum Source<'a> {
        Bytes(&'a [u8]),
        Held(Buffer),
    }

    impl<'a> Source<'a> {
        fn of(vm: &Vm, value: &'a Value) -> Res<Source<'a>> {
            match value.downcast::<Bytes>() {
                Some(bytes) => Ok(Source::Bytes(bytes.as_slice())),
                None => get_buffer(vm, value, BufferFlags::SIMPLE).map(Source::Held),
            }
        }

        fn len(&self) -> usize {
            match self {
                Source::Bytes(bytes) => bytes.len(),
                Source::Held(buffer) => buffer.len,
            }
        }

        /// Bytes within the length.
        fn part(&self, vm: &Vm, at: usize, size: usize) -> Res<Cow<'a, [u8]>> {
            let gone = || vm.buffer_error("the exported memory is no longer there");
            match self {
                Source::Bytes(bytes) => {
                    let part = bytes.get(at..).and_then(|rest| rest.get(..size));
                    part.map(Cow::Borrowed).ok_or_else(gone)
                }
                Source::Held(buffer) => {
                    let mut part = room::zeroed(size)?;
                    match buffer.read(at, &mut part) {
                        true => Ok(Cow::Owned(part)),
                        false => Err(gone()),
                    }
                }
            }
        }

        /// What keeps the bytes of `value`, which this was made of.
        fn into_held(self, value: &Value) -> Value {
            match self {
                Source::Bytes(_) => value.clone(),
                Source::Held(buffer) => MemoryView::over(buffer).into_value(),
            }
        }
    }

    fn unpack_all(vm: &Vm, layout: &Layout, buffer: &Value) -> Res<Value> {
        let source = Source::of(vm, buffer)?;
        if source.len() != layout.size {
            let size = layout.size;
            return Err(ERROR.error(vm, format!("unpack requires a buffer of {size} bytes")));
        }
        let bytes = source.part(vm, 0, layout.size)?;
        Ok(Tuple::new(layout.unpack(vm, &bytes)?).into_value())
    }

    /// Return a tuple containing values unpacked according to the format string.
    ///
    /// The buffer's size, minus offset, must be at least calcsize(format).
    ///
    /// See help(struct) for more on format strings.
    #[pyfunction(sig = "(format, /, buffer, offset=0)")]
    fn unpack_from(vm: &Vm, format: &Value, buffer: &Value, offset: Option<isize>) -> Res<Value> {
        unpack_part(vm, &*layout_of(vm, format)?, buffer, offset.unwrap_or(0))
    }

    fn unpack_part(vm: &Vm, layout: &Layout, buffer: &Value, given: isize) -> Res<Value> {
        let source = Source::of(vm, buffer)?;
        let (size, len) = (layout.size, source.len());
        let mut offset = given;
        if offset < 0 {
            if offset + size as isize > 0 {
                return Err(ERROR.error(vm, format!("not enough data to unpack {size} bytes at offset {given}")));
            }
            if offset.saturating_add_unsigned(len) < 0 {
                return Err(ERROR.error(vm, format!("offset {given} out of range for {len}-byte buffer")));
            }
            offset += len as isize;
        }
        let offset = offset as usize;
        match offset <= len && size <= len - offset {
            true => {
                let part = source.part(vm, offset, size)?;
                Ok(Tuple::new(layout.unpack(vm, &part)?).into_value())
            }
            false => {
                let least = size.saturating_add(offset);
                Err(ERROR.error(
                    vm,
                    format!(
                        "unpack_from requires a buffer of at least {least} bytes for unpacking {size} bytes at offset {offset} (actual buffer size is {len})"
                    ),
                ))
            }
        }
    }

    /// Return an iterator yielding tuples unpacked from the given bytes.
    ///
    /// The bytes are unpacked according to the format string, like
    /// a repeated invocation of unpack_from().
    ///
    /// Requires that the bytes length be a multiple of the format struct size.
    #[pyfunction(sig = "(format, buffer, /)")]
    fn iter_unpack(vm: &Vm, format: &Value, buffer: &Value) -> Res<Value> {
        iterate(vm, layout_of(vm, format)?, buffer)
    }

    fn iterate(vm: &Vm, layout: Arc<Layout>, buffer: &Value) -> Res<Value> {
        if layout.size == 0 {
            return Err(ERROR.error(vm, "cannot iteratively unpack with a struct of length 0"));
        }
        let source = Source::of(vm, buffer)?;
        let len = source.len();
        if !len.is_multiple_of(layout.size) {
            let size = layout.size;
            return Err(ERROR.error(
                vm,
                format!("iterative unpacking requires a buffer of a multiple of {size} bytes"),
            ));
        }
        Ok(Py::new(UnpackIterator {
            layout: Opaque(layout),
            buffer: Slot::new(source.into_held(buffer)),
            len,
            at: AtomicUsize::new(0),
        })
        .into_value())
    }

    #[pyclass(name = "unpack_iterator", module = "_struct", no_new)]
    pub struct UnpackIterator {
        layout: Opaque<Arc<Layout>>,
        /// Bytes, or a view of what has to stay as long as it is; empty at the end.
        buffer: Slot,
        len: usize,
        at: AtomicUsize,
    }

    #[pymethods]
    impl UnpackIterator {
        #[slot]
        fn __iter__(_vm: &Vm, this: &Py<UnpackIterator>) -> Value {
            this.to_value()
        }

        #[slot]
        fn __next__(vm: &Vm, this: &Py<UnpackIterator>) -> Res<Option<Value>> {
            let Some(buffer) = this.buffer.get() else {
                return Ok(None);
            };
            let size = this.layout.0.size;
            // Not beyond the end for ever: a count that wraps would begin anew.
            let at = match this.at.load(Relaxed) {
                at if at >= this.len => at,
                _ => this.at.fetch_add(size, Relaxed),
            };
            // Other threads may have counted beyond the end as well.
            if at > this.len || size > this.len - at {
                drop(this.buffer.take());
                return Ok(None);
            }
            let part = Source::of(vm, &buffer)?;
            let part = part.part(vm, at, size)?;
            Ok(Some(Tuple::new(this.layout.0.unpack(vm, &part)?).into_value()))
        }

        /// Private method returning an estimate of len(list(it)).
        #[pymethod(sig = "($self, /)")]
        fn __length_hint__(_vm: &Vm, this: &Py<UnpackIterator>) -> usize {
            if this.buffer.is_empty() {
                return 0;
            }
            this.len.saturating_sub(this.at.load(Relaxed)) / this.layout.0.size.max(1)
        }
    }

    #[pyclass(
        name = "Struct",
        late_end,
        module = "_struct",
        basetype,
        weakref,
        doc = "Struct(fmt) --> compiled struct object\n\n"
    )]
    pub struct Struct {
        layouts: Opaque<Layouts>,
        format: Slot,
    }

    /// The layouts that a [`Struct`] was made with: `__init__` may be called again, while threads use the one before.
    #[derive(Default)]
    struct Layouts {
        current: AtomicPtr<Layout>,
        all: Mutex<Vec<Arc<Layout>>>,
    }

    impl Layouts {
        fn current(&self) -> Option<&Layout> {
            // SAFETY: what was current once is among `all`, which loses none.
            unsafe { self.current.load(Acquire).as_ref() }
        }

        fn shared(&self) -> Option<Arc<Layout>> {
            let current = self.current.load(Acquire).cast_const();
            let all = self.all.lock();
            all.iter()
                .find(|layout| std::ptr::eq(Arc::as_ptr(layout), current))
                .cloned()
        }

        fn set(&self, layout: Layout) {
            let mut all = self.all.lock();
            let known = all.iter().position(|known| **known == layout);
            let at = known.unwrap_or_else(|| {
                all.push(Arc::new(layout));
                all.len() - 1
            });
            self.current.store(Arc::as_ptr(&all[at]).cast_mut(), Release);
        }
    }

    impl Struct {
        fn layout(&self, vm: &Vm) -> Res<&Layout> {
            self.layouts.0.current().ok_or_else(|| not_initialized(vm))
        }

        fn shared(&self, vm: &Vm) -> Res<Arc<Layout>> {
            self.layouts.0.shared().ok_or_else(|| not_initialized(vm))
        }
    }

    fn not_initialized(vm: &Vm) -> Exc {
        vm.runtime_error("Struct object is not initialized")
    }

    #[pymethods]
    impl Struct {
        #[slot]
        fn __new__(_vm: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
            let this = Struct {
                layouts: Opaque(Layouts::default()),
                format: Slot::empty(),
            };
            Ok(Py::with_class(cls, this).into_value())
        }

        #[slot(sig = "(format)")]
        fn __init__(vm: &Vm, this: &Py<Struct>, format: &Value) -> Res<()> {
            let bytes = format_bytes(vm, format)?;
            let layout = Layout::parse(vm, &bytes)?;
            let text: String = bytes.iter().map(|&b| char::from(b)).collect();
            this.layouts.0.set(layout);
            this.format.set(Value::from(text.as_str()));
            Ok(())
        }

        #[slot]
        fn __repr__(vm: &Vm, this: &Py<Struct>) -> Res<Value> {
            this.layout(vm)?;
            let format = vm.repr(&this.format.get().unwrap_or(Value::NONE))?;
            let name = this.class().short_name();
            Ok(Value::from(format!("{name}({})", format.to_string_lossy()).as_str()))
        }

        /// S.pack(v1, v2, ...) -> bytes
        ///
        /// Return a bytes object containing values v1, v2, ... packed according
        /// to the format string S.format.  See help(struct) for more on format
        /// strings.
        #[pymethod(sig = "($self, /, *values)")]
        fn pack(vm: &Vm, this: &Py<Struct>, values: &[Value]) -> Res<Value> {
            Ok(Bytes::new_value(this.layout(vm)?.pack(vm, "pack", values)?))
        }

        /// S.pack_into(buffer, offset, v1, v2, ...)
        ///
        /// Pack the values v1, v2, ... according to the format string S.format
        /// and write the packed bytes into the writable buffer buf starting at
        /// offset.  Note that the offset is a required argument.  See
        /// help(struct) for more on format strings.
        #[pymethod(sig = "($self, /, *values)")]
        fn pack_into(vm: &Vm, this: &Py<Struct>, values: &[Value]) -> Res<()> {
            pack_to(vm, this.layout(vm)?, values)
        }

        /// Return a tuple containing unpacked values.
        ///
        /// Unpack according to the format string Struct.format. The buffer's size
        /// in bytes must be Struct.size.
        ///
        /// See help(struct) for more on format strings.
        #[pymethod(sig = "($self, buffer, /)")]
        fn unpack(vm: &Vm, this: &Py<Struct>, buffer: &Value) -> Res<Value> {
            unpack_all(vm, this.layout(vm)?, buffer)
        }

        /// Return a tuple containing unpacked values.
        ///
        /// Values are unpacked according to the format string Struct.format.
        ///
        /// The buffer's size in bytes, starting at position offset, must be
        /// at least Struct.size.
        ///
        /// See help(struct) for more on format strings.
        #[pymethod(sig = "($self, /, buffer, offset=0)")]
        fn unpack_from(vm: &Vm, this: &Py<Struct>, buffer: &Value, offset: Option<isize>) -> Res<Value> {
            unpack_part(vm, this.layout(vm)?, buffer, offset.unwrap_or(0))
        }

        /// Return an iterator yielding tuples.
        ///
        /// Tuples are unpacked from the given bytes source, like a repeated
        /// invocation of unpack_from().
        ///
        /// Requires that the bytes length be a multiple of the struct size.
        #[pymethod(sig = "($self, buffer, /)")]
        fn iter_unpack(vm: &Vm, this: &Py<Struct>, buffer: &Value) -> Res<Value> {
            iterate(vm, this.shared(vm)?, buffer)
        }

        /// S.__sizeof__() -> size of S in memory, in bytes
        #[pymethod(sig = "($self, /)")]
        fn __sizeof__(vm: &Vm, this: &Py<Struct>) -> Res<usize> {
            let members = this.layout(vm)?.members.len();
            Ok(64 + members * 32)
        }

        /// struct format string
        #[getter]
        fn format(vm: &Vm, this: &Py<Struct>) -> Res<Value> {
            this.layout(vm)?;
            Ok(this.format.get().unwrap_or(Value::NONE))
        }

        /// struct size in bytes
        #[getter]
        fn size(vm: &Vm, this: &Py<Struct>) -> Res<usize> {
            Ok(this.layout(vm)?.size)
        }
    }
}
