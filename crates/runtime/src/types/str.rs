//! `str`: the object. Its methods are in `str_methods`.
//!
//! Invariant: code points in the narrowest of three widths, stored behind the payload, never changed; the hash is computed once.
//! Interned strings are immortal and unique, so that pointer equality decides between two of them.

use std::cell::UnsafeCell;
use std::collections::HashMap;
use std::hash::Hasher;
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};

use siphasher::sip::SipHasher13;

use crate::native::pyclass;
use crate::object::{Native, Obj, Py, TypeFlags, Value};
use crate::sync::{Mutex, parallel};
use crate::text::{StrBuf, StrBuilder, StrView};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Kind {
    Ascii,
    Latin1,
    Ucs2,
    Ucs4,
}

/// Text.
#[pyclass(name = "str", late_end, basetype, sequence, gc = false, flags = TypeFlags::STR_SUBCLASS, doc = "str(object='') -> str\nstr(bytes_or_buffer[, encoding[, errors]]) -> str\n\nCreate a new string object from the given object. If encoding or\nerrors is specified, then the object must expose a data buffer\nthat will be decoded using the given encoding and error handler.\nOtherwise, returns the result of object.__str__() (if defined)\nor repr(object).\nencoding defaults to 'utf-8'.\nerrors defaults to 'strict'.")]
pub struct Str {
    /// 0 until computed (a hash that is 0 is stored as such and computed again).
    hash: AtomicU64,
    /// Count of code points.
    len: usize,
    kind: Kind,
    interned: AtomicBool,
    /// Where the code points are: behind the payload, or on the heap for subclass instances, whose layout continues there.
    heap: Option<crate::memory::trace::Opaque<Box<StrBuf>>>,
    #[expect(dead_code, reason = "marks where the code points begin")]
    data: crate::memory::trace::Opaque<UnsafeCell<[u64; 0]>>,
}

crate::no_trace!(Kind);

// SAFETY: the code points behind `data` never change after construction.
unsafe impl Sync for Str {}

/// Copies bytes, few of them without a call. Returns the place behind them.
///
/// # Safety
/// There is room at `to`.
#[inline(always)]
unsafe fn put_bytes(to: *mut u8, bytes: &[u8]) -> *mut u8 {
    let n = bytes.len();
    let from = bytes.as_ptr();
    /// The words at the start and at the end, which may overlap.
    macro_rules! ends {
        ($word:ty) => {{
            let last = n - size_of::<$word>();
            let (a, b) = (
                from.cast::<$word>().read_unaligned(),
                from.add(last).cast::<$word>().read_unaligned(),
            );
            to.cast::<$word>().write_unaligned(a);
            to.add(last).cast::<$word>().write_unaligned(b);
        }};
    }
    // SAFETY: by contract; each way reads and writes within the `n` bytes.
    unsafe {
        match n {
            17.. => std::ptr::copy_nonoverlapping(from, to, n),
            8.. => ends!(u64),
            4.. => ends!(u32),
            2.. => ends!(u16),
            1 => to.write(bytes[0]),
            _ => {}
        }
        to.add(n)
    }
}

/// Whether two texts of one length are the same; short ones are compared without a call.
#[inline(always)]
fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    let n = a.len();
    if n != b.len() || n > 16 {
        return a == b;
    }
    /// The words at the start and at the end, which may overlap.
    macro_rules! ends {
        ($word:ty) => {{
            const SIZE: usize = size_of::<$word>();
            let at = |of: &[u8], i: usize| <$word>::from_ne_bytes(of[i..i + SIZE].try_into().unwrap_or_default());
            (at(a, 0) ^ at(b, 0)) | (at(a, n - SIZE) ^ at(b, n - SIZE)) == 0
        }};
    }
    match n {
        8.. => ends!(u64),
        4.. => ends!(u32),
        2.. => ends!(u16),
        1 => a[0] == b[0],
        _ => true,
    }
}

/// The key of the string hash.
static HASH_KEY: OnceLock<(u64, u64)> = OnceLock::new();

/// Sets the key from `PYTHONHASHSEED`: `None` for a random one. Before the first hash.
pub fn set_hash_seed(seed: Option<u32>) {
    let key = match seed {
        None => {
            let mut bytes = [0u8; 16];
            // SAFETY: the buffer has the length given.
            unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), 16, 0) };
            (
                u64::from_le_bytes(bytes[..8].try_into().unwrap_or_default()),
                u64::from_le_bytes(bytes[8..].try_into().unwrap_or_default()),
            )
        }
        Some(0) => (0, 0),
        Some(seed) => {
            // CPython's linear congruential generator for a fixed seed.
            let mut x = seed;
            let mut bytes = [0u8; 16];
            for b in &mut bytes {
                x = x.wrapping_mul(214_013).wrapping_add(2_531_011);
                *b = (x >> 16) as u8;
            }
            (
                u64::from_le_bytes(bytes[..8].try_into().unwrap_or_default()),
                u64::from_le_bytes(bytes[8..].try_into().unwrap_or_default()),
            )
        }
    };
    let _ = HASH_KEY.set(key);
}

/// Hash of raw bytes, as `str` and `bytes` use it (SipHash-1-3).
pub fn hash_bytes(bytes: &[u8]) -> i64 {
    if bytes.is_empty() {
        return 0;
    }
    let (k0, k1) = *HASH_KEY.get_or_init(|| (0, 0));
    let mut hasher = SipHasher13::new_with_keys(k0, k1);
    hasher.write(bytes);
    match hasher.finish() as i64 {
        -1 => -2,
        h => h,
    }
}

struct InternKey(Py<Str>);

impl PartialEq for InternKey {
    fn eq(&self, other: &InternKey) -> bool {
        self.0.text_eq(&other.0)
    }
}
impl Eq for InternKey {}
impl std::hash::Hash for InternKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_i64(self.0.hash());
    }
}

#[derive(Default, Clone, Copy)]
struct PassThrough(u64);
impl Hasher for PassThrough {
    fn write(&mut self, _: &[u8]) {}
    fn write_i64(&mut self, i: i64) {
        self.0 = i as u64;
    }
    fn finish(&self) -> u64 {
        self.0
    }
}
impl std::hash::BuildHasher for PassThrough {
    type Hasher = PassThrough;
    fn build_hasher(&self) -> PassThrough {
        PassThrough(0)
    }
}

static INTERNED: Mutex<Option<HashMap<InternKey, (), PassThrough>>> = Mutex::new(None);
static LATIN1: OnceLock<Vec<Py<Str>>> = OnceLock::new();
static EMPTY: OnceLock<Py<Str>> = OnceLock::new();

impl Str {
    /// The payload of a string whose code points lie behind it.
    #[inline(always)]
    fn payload_of(kind: Kind, len: usize) -> Str {
        Str {
            hash: AtomicU64::new(0),
            len,
            kind,
            interned: AtomicBool::new(false),
            heap: None,
            data: crate::memory::trace::Opaque(UnsafeCell::new([])),
        }
    }

    fn make(kind: Kind, len: usize, bytes: &[u8]) -> Option<Py<Str>> {
        let size = size_of::<Obj<Str>>().checked_add(bytes.len())?;
        crate::object::alloc_var(Str::ty(), size, |object: NonNull<Obj<Str>>| {
            // SAFETY: the block has `bytes.len()` bytes behind the payload.
            unsafe {
                let to = object.as_ptr().add(1).cast::<u8>();
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
            }
            Str::payload_of(kind, len)
        })
    }

    /// An ASCII string of `len` characters, at least two, which `fill` writes; `None` without memory.
    ///
    /// # Safety
    /// `fill` writes `len` bytes below 128 at the place that it is given.
    #[inline]
    pub(crate) unsafe fn fill_ascii(len: usize, fill: impl FnOnce(*mut u8)) -> Option<Py<Str>> {
        let size = size_of::<Obj<Str>>().checked_add(len)?;
        crate::object::alloc_var(Str::ty(), size, |object: NonNull<Obj<Str>>| {
            // SAFETY: the block has `len` bytes behind the payload.
            fill(unsafe { object.as_ptr().add(1).cast::<u8>() });
            Str::payload_of(Kind::Ascii, len)
        })
    }

    /// Both, one after the other, if both are ASCII and not empty.
    pub(crate) fn concat_ascii(a: &Str, b: &Str) -> Option<Py<Str>> {
        let (StrView::Ascii(a), StrView::Ascii(b)) = (a.view(), b.view()) else {
            return None;
        };
        let len = a.len().checked_add(b.len())?;
        if a.is_empty() || b.is_empty() {
            return None;
        }
        // SAFETY: there is place for both.
        unsafe {
            Str::fill_ascii(len, |to| {
                put_bytes(put_bytes(to, a), b);
            })
        }
    }

    /// The parts, one after the other with `separator` in between, if all are plain ASCII strings and there are two characters at least.
    pub(crate) fn join_ascii(separator: &[u8], parts: &[Value]) -> Option<Py<Str>> {
        let mut len = separator.len().checked_mul(parts.len().checked_sub(1)?)?;
        for part in parts {
            len = len.checked_add(part.downcast_exact::<Str>()?.ascii_bytes()?.len())?;
        }
        // One part is the result itself.
        if len < 2 || parts.len() < 2 {
            return None;
        }
        // SAFETY: the parts, whose lengths were added up, never change.
        unsafe {
            Str::fill_ascii(len, |mut to| {
                for (n, part) in parts.iter().enumerate() {
                    if n > 0 {
                        to = put_bytes(to, separator);
                    }
                    if let Some(bytes) = part.downcast_exact::<Str>().and_then(|part| part.ascii_bytes()) {
                        to = put_bytes(to, bytes);
                    }
                }
            })
        }
    }

    /// The bytes of an ASCII string.
    #[inline]
    pub fn ascii_bytes(&self) -> Option<&[u8]> {
        match self.view() {
            StrView::Ascii(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// As `make`, with the units of two texts and room for more; see [`Str::append_in_place`].
    fn make_grown(kind: Kind, first: &[u8], second: &[u8], len: usize) -> Option<Py<Str>> {
        let bytes = first.len().checked_add(second.len())?;
        let size = size_of::<Obj<Str>>().checked_add(bytes)?.checked_add(bytes / 4)?;
        crate::object::alloc_var(Str::ty(), size, |object: NonNull<Obj<Str>>| {
            // SAFETY: the block has room for both behind the payload.
            unsafe {
                let to = object.as_ptr().add(1).cast::<u8>();
                std::ptr::copy_nonoverlapping(first.as_ptr(), to, first.len());
                std::ptr::copy_nonoverlapping(second.as_ptr(), to.add(first.len()), second.len());
            }
            Str::payload_of(kind, len)
        })
    }

    /// Appends `more` to the string in `place`, if nobody else has a reference to it and both are of one width: in its block as long as
    /// there is room, else in a larger one with room for more. So `s += x` in a loop takes time in proportion to the text.
    pub(crate) fn append_in_place(place: &mut Value, more: &Py<Str>) -> bool {
        let Some(text) = place.downcast_exact::<Str>() else {
            return false;
        };
        if !text.header().is_unique() || text.kind != more.kind || text.is_interned() || more.is_empty() {
            return false;
        }
        if text.heap.is_some() || more.heap.is_some() || text.is(more) {
            return false;
        }
        let (old, new) = (text.raw_bytes(), more.raw_bytes());
        let Some(len) = text.len.checked_add(more.len) else {
            return false;
        };
        // SAFETY: a live block of the allocator.
        let room = unsafe { crate::memory::alloc::usable_size(NonNull::new_unchecked(text.as_ptr().cast())) };
        if size_of::<Obj<Str>>() + old.len() + new.len() <= room {
            // SAFETY: the caller has the only reference, so nobody reads the string meanwhile; the units fit behind those there are.
            unsafe {
                let object = text.as_ptr();
                let to = object.add(1).cast::<u8>().add(old.len());
                std::ptr::copy_nonoverlapping(new.as_ptr(), to, new.len());
                (&raw mut (*object).data.len).write(len);
                (*object).data.hash.store(0, Relaxed);
            }
            return true;
        }
        match Str::make_grown(text.kind, old, new, len) {
            Some(grown) => {
                *place = grown.into_value();
                true
            }
            None => false,
        }
    }

    /// A new string of the text; `None` when there is no memory for it.
    pub fn try_from_view(view: StrView<'_>) -> Option<Py<Str>> {
        match view {
            StrView::Ascii(b) => match b {
                [] => Some(Str::empty()),
                [one] => Some(Str::latin1_char(*one)),
                _ => Str::make(Kind::Ascii, b.len(), b),
            },
            StrView::Latin1(b) => match b {
                [one] => Some(Str::latin1_char(*one)),
                _ => Str::make(Kind::Latin1, b.len(), b),
            },
            // SAFETY: any initialised integers can be seen as bytes.
            StrView::Ucs2(u) => Str::make(Kind::Ucs2, u.len(), unsafe {
                std::slice::from_raw_parts(u.as_ptr().cast(), u.len() * 2)
            }),
            // SAFETY: as above.
            StrView::Ucs4(u) => Str::make(Kind::Ucs4, u.len(), unsafe {
                std::slice::from_raw_parts(u.as_ptr().cast(), u.len() * 4)
            }),
        }
    }

    /// A new string of the text, which is in its narrowest form.
    ///
    /// # Panics
    /// Without memory for it: sizes that a program chooses go through [`Str::try_from_view`].
    pub fn from_view(view: StrView<'_>) -> Py<Str> {
        match Str::try_from_view(view) {
            Some(s) => s,
            None => std::alloc::handle_alloc_error(std::alloc::Layout::new::<u64>()),
        }
    }

    pub fn from_buf(buf: StrBuf) -> Py<Str> {
        Str::from_view(buf.view())
    }

    #[expect(clippy::should_implement_trait, reason = "the natural name; there is no failure")]
    pub fn from_str(text: &str) -> Py<Str> {
        if text.is_ascii() {
            return Str::from_view(StrView::Ascii(text.as_bytes()));
        }
        let mut builder = StrBuilder::new();
        builder.push_str(text);
        Str::from_buf(builder.finish())
    }

    /// `''`.
    pub fn empty() -> Py<Str> {
        EMPTY
            .get_or_init(|| {
                let s = Str::make(Kind::Ascii, 0, &[]).unwrap_or_else(|| std::process::abort());
                s.intern_new()
            })
            .clone()
    }

    /// The one-character string.
    pub fn latin1_char(c: u8) -> Py<Str> {
        LATIN1.get_or_init(|| {
            (0..=255u8)
                .map(|c| {
                    let kind = if c < 128 { Kind::Ascii } else { Kind::Latin1 };
                    let s = Str::make(kind, 1, &[c]).unwrap_or_else(|| std::process::abort());
                    s.intern_new()
                })
                .collect()
        })[c as usize]
            .clone()
    }

    /// The one-character string of a code point.
    pub fn from_char(c: u32) -> Py<Str> {
        match c {
            0..=0xff => Str::latin1_char(c as u8),
            0x100..=0xffff => Str::from_view(StrView::Ucs2(&[c as u16])),
            _ => Str::from_view(StrView::Ucs4(&[c])),
        }
    }

    /// Text from the system, UTF-8 with each byte that is none as a lone surrogate (`os.fsdecode`).
    pub fn from_os_bytes(bytes: &[u8]) -> Py<Str> {
        if !bytes.is_ascii() && crate::interp::system_encoding() == "ascii" {
            let mut builder = StrBuilder::new();
            for &byte in bytes {
                builder.push(u32::from(byte) + if byte < 0x80 { 0 } else { 0xdc00 });
            }
            return Str::from_buf(builder.finish());
        }
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Str::from_str(text);
        }
        let mut builder = StrBuilder::new();
        for chunk in bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                builder.push(c.into());
            }
            for byte in chunk.invalid() {
                builder.push(0xdc00 + u32::from(*byte));
            }
        }
        Str::from_buf(builder.finish())
    }

    /// The unique, immortal string of the text.
    pub fn intern(text: &str) -> Py<Str> {
        Str::from_str(text).intern_new()
    }

    /// A string subclass instance's payload.
    pub fn subclass_payload(view: StrView<'_>) -> Str {
        let mut builder = StrBuilder::new();
        builder.push_view(view);
        let buf = builder.finish();
        let (kind, len) = match &buf {
            StrBuf::Ascii(v) => (Kind::Ascii, v.len()),
            StrBuf::Latin1(v) => (Kind::Latin1, v.len()),
            StrBuf::Ucs2(v) => (Kind::Ucs2, v.len()),
            StrBuf::Ucs4(v) => (Kind::Ucs4, v.len()),
        };
        Str {
            hash: AtomicU64::new(0),
            len,
            kind,
            interned: AtomicBool::new(false),
            heap: Some(crate::memory::trace::Opaque(Box::new(buf))),
            data: crate::memory::trace::Opaque(UnsafeCell::new([])),
        }
    }

    /// Count of code points.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline(always)]
    pub fn is_interned(&self) -> bool {
        self.interned.load(Relaxed)
    }

    pub fn is_ascii(&self) -> bool {
        self.kind == Kind::Ascii
    }

    /// The code points.
    #[inline(always)]
    pub fn view(&self) -> StrView<'_> {
        if let Some(heap) = &self.heap {
            return heap.view();
        }
        let at = std::ptr::from_ref(self).wrapping_add(1);
        // SAFETY: a string without heap text was made by `make`, which put `len` units of the kind's width behind the payload;
        // the payload's size is a multiple of 8.
        unsafe {
            match self.kind {
                Kind::Ascii => StrView::Ascii(std::slice::from_raw_parts(at.cast(), self.len)),
                Kind::Latin1 => StrView::Latin1(std::slice::from_raw_parts(at.cast(), self.len)),
                Kind::Ucs2 => StrView::Ucs2(std::slice::from_raw_parts(at.cast(), self.len)),
                Kind::Ucs4 => StrView::Ucs4(std::slice::from_raw_parts(at.cast(), self.len)),
            }
        }
    }

    /// The text's units as raw bytes.
    pub fn raw_bytes(&self) -> &[u8] {
        match self.view() {
            StrView::Ascii(b) | StrView::Latin1(b) => b,
            // SAFETY: any initialised integers can be seen as bytes.
            StrView::Ucs2(u) => unsafe { std::slice::from_raw_parts(u.as_ptr().cast(), u.len() * 2) },
            // SAFETY: as above.
            StrView::Ucs4(u) => unsafe { std::slice::from_raw_parts(u.as_ptr().cast(), u.len() * 4) },
        }
    }

    /// The hash.
    #[inline(always)]
    pub fn hash(&self) -> i64 {
        match self.hash.load(Relaxed) {
            0 => self.hash_slow(),
            h => h as i64,
        }
    }

    #[cold]
    fn hash_slow(&self) -> i64 {
        let h = hash_bytes(self.raw_bytes());
        self.hash.store(h as u64, Relaxed);
        h
    }

    /// Whether both have the same code points, if that takes no call.
    #[inline(always)]
    pub(crate) fn plainly_equal(&self, other: &Str) -> Option<bool> {
        /// Bytes that are compared without a call.
        const FEW: usize = 16;
        if std::ptr::eq(self, other) {
            return Some(true);
        }
        if self.len != other.len || self.kind != other.kind {
            return Some(false);
        }
        if self.len > FEW
            || self.heap.is_some()
            || other.heap.is_some()
            || !matches!(self.kind, Kind::Ascii | Kind::Latin1)
        {
            return None;
        }
        let at = |text: &Str| std::ptr::from_ref(text).wrapping_add(1).cast::<u8>();
        // SAFETY: as in `view`; the lengths are the same.
        let bytes = |text| unsafe { std::slice::from_raw_parts(at(text), self.len) };
        Some(same_bytes(bytes(self), bytes(other)))
    }

    /// Whether both have the same code points.
    #[inline]
    pub fn text_eq(&self, other: &Str) -> bool {
        if std::ptr::eq(self, other) {
            return true;
        }
        if self.len != other.len || self.kind != other.kind {
            return false;
        }
        let (a, b) = (self.hash.load(Relaxed), other.hash.load(Relaxed));
        if a != 0 && b != 0 && a != b {
            return false;
        }
        if self.heap.is_none() && other.heap.is_none() && matches!(self.kind, Kind::Ascii | Kind::Latin1) {
            let at = |text: &Str| std::ptr::from_ref(text).wrapping_add(1).cast::<u8>();
            // SAFETY: as in `view`; the lengths are the same.
            let bytes = |text| unsafe { std::slice::from_raw_parts(at(text), self.len) };
            return same_bytes(bytes(self), bytes(other));
        }
        self.raw_bytes() == other.raw_bytes()
    }

    /// The text as Rust text, lone surrogates replaced.
    pub fn to_string_lossy(&self) -> String {
        self.view().to_string_lossy().into_owned()
    }

    /// The text if it is ASCII.
    pub fn as_ascii(&self) -> Option<&str> {
        match self.view() {
            // SAFETY: the bytes of an ASCII string are below 128.
            StrView::Ascii(b) => Some(unsafe { std::str::from_utf8_unchecked(b) }),
            _ => None,
        }
    }

    /// Whether the text is this ASCII text.
    pub fn is_text(&self, text: &str) -> bool {
        match self.view() {
            StrView::Ascii(b) => b == text.as_bytes(),
            _ => false,
        }
    }

    /// Whether the name is `__x__`.
    pub fn is_dunder(&self) -> bool {
        match self.view() {
            StrView::Ascii(b) => b.len() > 4 && b.starts_with(b"__") && b.ends_with(b"__"),
            _ => false,
        }
    }
}

/// How many strings are interned.
pub fn interned_count() -> usize {
    INTERNED.lock().as_ref().map_or(0, |table| table.len())
}

impl Py<Str> {
    /// The unique, immortal string with this text. A subclass instance stands for its text, and so does the string of another thread, which may be
    /// counting its references at this moment, and would undo that the string is immortal.
    pub fn intern_new(self) -> Py<Str> {
        if self.is_interned() {
            return self;
        }
        let exact = if self.heap.is_some() || parallel() && !self.header().is_counted_here() {
            Str::from_view(self.view())
        } else {
            self
        };
        let mut table = INTERNED.lock();
        let table = table.get_or_insert_with(HashMap::default);
        let key = InternKey(exact);
        if let Some((found, ())) = table.get_key_value(&key) {
            return found.0.clone();
        }
        let InternKey(exact) = key;
        exact.hash();
        exact.interned.store(true, Release);
        exact.header().make_immortal();
        table.insert(InternKey(exact.clone()), ());
        exact
    }

    /// The interned string with this text, if there is one.
    pub fn find_interned(&self) -> Option<Py<Str>> {
        if self.is_interned() {
            return Some(self.clone());
        }
        let table = INTERNED.lock();
        let key = InternKey(self.clone());
        let found = table.as_ref()?.get_key_value(&key).map(|(k, ())| k.0.clone());
        drop(table);
        found
    }

    /// Equality of text.
    pub fn text_is(&self, other: &Py<Str>) -> bool {
        self.text_eq(other)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Str::from_str(text).into_value()
    }
}

/// A cell behind `intern!`.
pub struct InternCell(OnceLock<Py<Str>>);

impl InternCell {
    #[expect(clippy::new_without_default, reason = "only for statics")]
    pub const fn new() -> InternCell {
        InternCell(OnceLock::new())
    }

    #[inline(always)]
    pub fn get(&'static self, text: &'static str) -> &'static Py<Str> {
        self.0.get_or_init(|| Str::intern(text))
    }
}

/// The interned string of a literal, made once.
#[macro_export]
macro_rules! intern {
    ($text:expr) => {{
        static CELL: $crate::types::str::InternCell = $crate::types::str::InternCell::new();
        CELL.get($text)
    }};
}
