//! Text as Python's `str` holds it: code points in units of 1, 2 or 4 bytes.
//!
//! `StrView` borrows, `StrBuf` owns. A `StrBuf` is canonical: its kind is the narrowest that fits, so
//! that equal texts have equal kinds. A view cut out of another may be wider than it need be; every
//! function here accepts that, and `to_buf` makes it canonical. Lone surrogates are ordinary units.
//! Nothing here knows of Python objects.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use super::unicode::is_surrogate;

/// Borrowed text. `Ascii` promises units below 0x80; `Latin1` alone does not promise one above.
#[derive(Clone, Copy, Debug)]
pub enum StrView<'a> {
    Ascii(&'a [u8]),
    Latin1(&'a [u8]),
    Ucs2(&'a [u16]),
    Ucs4(&'a [u32]),
}

/// Owned text of the narrowest kind.
#[derive(Clone, Debug)]
pub enum StrBuf {
    Ascii(Vec<u8>),
    Latin1(Vec<u8>),
    Ucs2(Vec<u16>),
    Ucs4(Vec<u32>),
}

/// A code unit. Loops over text are written once over `U: Unit` and compiled for each width.
pub trait Unit: Copy + Ord + std::fmt::Debug + Send + Sync + 'static {
    /// The largest value a unit holds.
    const MAX: u32;

    fn code(self) -> u32;

    /// The unit of `code`, cut off where it does not fit.
    fn truncate(code: u32) -> Self;

    /// The text of units that may be wider than they need be.
    fn view(units: &[Self]) -> StrView<'_>;

    /// The units of a view that has this width.
    fn of_view(view: StrView<'_>) -> Option<&[Self]>;

    /// Makes text of units, narrowing it where it can be.
    fn into_buf(units: Vec<Self>) -> StrBuf;

    fn position(hay: &[Self], unit: Self) -> Option<usize> {
        // A whole chunk is tested without branches, which the compiler turns into vector code.
        let mut chunks = hay.chunks_exact(32);
        let mut at = 0;
        for chunk in &mut chunks {
            if chunk.iter().fold(false, |hit, &u| hit | (u == unit)) {
                break;
            }
            at += 32;
        }
        hay[at..].iter().position(|&u| u == unit).map(|i| at + i)
    }

    fn rposition(hay: &[Self], unit: Self) -> Option<usize> {
        let mut end = hay.len();
        for chunk in hay.rchunks_exact(32) {
            if chunk.iter().fold(false, |hit, &u| hit | (u == unit)) {
                break;
            }
            end -= 32;
        }
        hay[..end].iter().rposition(|&u| u == unit)
    }

    fn find(hay: &[Self], needle: &[Self]) -> Option<usize> {
        super::two_way::find(hay, needle)
    }

    fn rfind(hay: &[Self], needle: &[Self]) -> Option<usize> {
        super::two_way::rfind(hay, needle)
    }

    /// Calls `visit` with the start of each match from the left, none overlapping, until it says `false`.
    /// The needle is not empty.
    fn find_each(hay: &[Self], needle: &[Self], mut visit: impl FnMut(usize) -> bool) {
        let mut at = 0;
        while let Some(i) = Self::find(&hay[at..], needle) {
            if !visit(at + i) {
                return;
            }
            at += i + needle.len();
        }
    }
}

impl Unit for u8 {
    const MAX: u32 = 0xff;

    #[inline]
    fn code(self) -> u32 {
        u32::from(self)
    }

    #[inline]
    fn truncate(code: u32) -> u8 {
        code as u8
    }

    fn view(units: &[u8]) -> StrView<'_> {
        StrView::Latin1(units)
    }

    fn of_view(view: StrView<'_>) -> Option<&[u8]> {
        match view {
            StrView::Ascii(s) | StrView::Latin1(s) => Some(s),
            _ => None,
        }
    }

    fn into_buf(units: Vec<u8>) -> StrBuf {
        if units.is_ascii() {
            StrBuf::Ascii(units)
        } else {
            StrBuf::Latin1(units)
        }
    }

    fn position(hay: &[u8], unit: u8) -> Option<usize> {
        memchr::memchr(unit, hay)
    }

    fn rposition(hay: &[u8], unit: u8) -> Option<usize> {
        memchr::memrchr(unit, hay)
    }

    fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
        match needle {
            [] => Some(0),
            [unit] => memchr::memchr(*unit, hay),
            _ if hay.len() <= SHORT => find_short(hay, needle),
            _ => memchr::memmem::find(hay, needle),
        }
    }

    fn rfind(hay: &[u8], needle: &[u8]) -> Option<usize> {
        match needle {
            [] => Some(hay.len()),
            [unit] => memchr::memrchr(*unit, hay),
            _ if hay.len() <= SHORT => rfind_short(hay, needle),
            _ => memchr::memmem::rfind(hay, needle),
        }
    }

    fn find_each(hay: &[u8], needle: &[u8], mut visit: impl FnMut(usize) -> bool) {
        match needle {
            [unit] => {
                for at in memchr::memchr_iter(*unit, hay) {
                    if !visit(at) {
                        return;
                    }
                }
            }
            // A searcher is worth its making in long texts alone.
            _ if hay.len() <= SHORT => {
                let mut at = 0;
                while let Some(i) = find_short(&hay[at..], needle) {
                    if !visit(at + i) {
                        return;
                    }
                    at += i + needle.len();
                }
            }
            _ => {
                for at in memchr::memmem::find_iter(hay, needle) {
                    if !visit(at) {
                        return;
                    }
                }
            }
        }
    }
}

/// A searcher takes a thousand instructions to make: in texts up to here it is not worth that.
const SHORT: usize = 256;

/// Where `needle`, which is not empty, is first.
fn find_short(hay: &[u8], needle: &[u8]) -> Option<usize> {
    let starts = &hay[..(hay.len() + 1).checked_sub(needle.len())?];
    let (&first, rest) = needle.split_first()?;
    let mut at = 0;
    loop {
        at += memchr::memchr(first, &starts[at..])?;
        if hay[at + 1..].starts_with(rest) {
            return Some(at);
        }
        at += 1;
    }
}

/// Where `needle`, which is not empty, is last.
fn rfind_short(hay: &[u8], needle: &[u8]) -> Option<usize> {
    let mut starts = &hay[..(hay.len() + 1).checked_sub(needle.len())?];
    let (&first, rest) = needle.split_first()?;
    loop {
        let at = memchr::memrchr(first, starts)?;
        if hay[at + 1..].starts_with(rest) {
            return Some(at);
        }
        starts = &starts[..at];
    }
}

impl Unit for u16 {
    const MAX: u32 = 0xffff;

    #[inline]
    fn code(self) -> u32 {
        u32::from(self)
    }

    #[inline]
    fn truncate(code: u32) -> u16 {
        code as u16
    }

    fn view(units: &[u16]) -> StrView<'_> {
        StrView::Ucs2(units)
    }

    fn of_view(view: StrView<'_>) -> Option<&[u16]> {
        match view {
            StrView::Ucs2(s) => Some(s),
            _ => None,
        }
    }

    fn into_buf(units: Vec<u16>) -> StrBuf {
        match widest(&units) {
            Kind::Ascii => StrBuf::Ascii(cast(&units)),
            Kind::Latin1 => StrBuf::Latin1(cast(&units)),
            _ => StrBuf::Ucs2(units),
        }
    }
}

impl Unit for u32 {
    const MAX: u32 = u32::MAX;

    #[inline]
    fn code(self) -> u32 {
        self
    }

    #[inline]
    fn truncate(code: u32) -> u32 {
        code
    }

    fn view(units: &[u32]) -> StrView<'_> {
        StrView::Ucs4(units)
    }

    fn of_view(view: StrView<'_>) -> Option<&[u32]> {
        match view {
            StrView::Ucs4(s) => Some(s),
            _ => None,
        }
    }

    fn into_buf(units: Vec<u32>) -> StrBuf {
        match widest(&units) {
            Kind::Ascii => StrBuf::Ascii(cast(&units)),
            Kind::Latin1 => StrBuf::Latin1(cast(&units)),
            Kind::Ucs2 => StrBuf::Ucs2(cast(&units)),
            Kind::Ucs4 => StrBuf::Ucs4(units),
        }
    }
}

/// The width a text needs, in the order of widths.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    Ascii,
    Latin1,
    Ucs2,
    Ucs4,
}

impl Kind {
    #[inline]
    #[must_use]
    pub fn of_code(code: u32) -> Kind {
        match code {
            0..0x80 => Kind::Ascii,
            0x80..0x100 => Kind::Latin1,
            0x100..0x1_0000 => Kind::Ucs2,
            _ => Kind::Ucs4,
        }
    }
}

/// The narrowest kind that holds `units`; stops at the first chunk that needs them all.
pub(super) fn widest<U: Unit>(units: &[U]) -> Kind {
    let full = if U::MAX > 0xffff {
        Kind::Ucs4
    } else {
        Kind::of_code(U::MAX)
    };
    let mut kind = Kind::Ascii;
    for chunk in units.chunks(256) {
        let bits = chunk.iter().fold(0, |bits, u| bits | u.code());
        kind = kind.max(Kind::of_code(bits));
        if kind == full {
            break;
        }
    }
    kind
}

/// Copies units into another width, which must be known to hold them.
pub(super) fn cast<F: Unit, T: Unit>(units: &[F]) -> Vec<T> {
    units.iter().map(|u| T::truncate(u.code())).collect()
}

/// Runs `$body` with `$s` bound to the units of `$view`, compiled for each width.
macro_rules! with_units {
    ($view:expr, $s:ident => $body:expr) => {
        match $view {
            $crate::text::view::StrView::Ascii($s) | $crate::text::view::StrView::Latin1($s) => $body,
            $crate::text::view::StrView::Ucs2($s) => $body,
            $crate::text::view::StrView::Ucs4($s) => $body,
        }
    };
}
pub(crate) use with_units;

impl<'a> StrView<'a> {
    /// The view of a Rust string where it is ASCII.
    #[must_use]
    pub fn from_ascii(text: &'a str) -> Option<StrView<'a>> {
        text.is_ascii().then_some(StrView::Ascii(text.as_bytes()))
    }

    #[inline]
    #[must_use]
    pub fn len(self) -> usize {
        with_units!(self, s => s.len())
    }

    #[inline]
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    #[inline]
    #[must_use]
    pub fn get(self, index: usize) -> Option<u32> {
        with_units!(self, s => s.get(index).map(|u| u.code()))
    }

    /// Whether the units are laid out as ASCII. Canonical text is ASCII exactly then; `isascii` asks the units.
    #[must_use]
    pub fn is_ascii(self) -> bool {
        match self {
            StrView::Ascii(_) => true,
            other => with_units!(other, s => widest(s) == Kind::Ascii),
        }
    }

    /// The kind the units are laid out in.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            StrView::Ascii(_) => Kind::Ascii,
            StrView::Latin1(_) => Kind::Latin1,
            StrView::Ucs2(_) => Kind::Ucs2,
            StrView::Ucs4(_) => Kind::Ucs4,
        }
    }

    /// The code points. For hot loops prefer one compiled for each width.
    #[must_use]
    pub fn chars(self) -> Chars<'a> {
        Chars {
            view: self,
            front: 0,
            back: self.len(),
        }
    }

    /// The part `range`, which must lie inside. It may be wider than it need be.
    #[must_use]
    pub fn slice(self, range: Range<usize>) -> StrView<'a> {
        match self {
            StrView::Ascii(s) => StrView::Ascii(&s[range]),
            StrView::Latin1(s) => StrView::Latin1(&s[range]),
            StrView::Ucs2(s) => StrView::Ucs2(&s[range]),
            StrView::Ucs4(s) => StrView::Ucs4(&s[range]),
        }
    }

    /// Units `start`, `start + step`, ... `count` of them, as an extended slice picks them; all must lie inside.
    #[must_use]
    pub fn slice_step(self, start: usize, step: isize, count: usize) -> StrBuf {
        if step == 1 {
            return self.slice(start..start + count).to_buf();
        }
        fn pick<U: Unit>(s: &[U], start: usize, step: isize, count: usize) -> Vec<U> {
            (0..count)
                .map(|i| s[start.wrapping_add_signed(step.wrapping_mul(i as isize))])
                .collect()
        }
        match self {
            StrView::Ascii(s) => StrBuf::Ascii(pick(s, start, step, count)),
            other => with_units!(other, s => Unit::into_buf(pick(s, start, step, count))),
        }
    }

    /// A canonical copy.
    #[must_use]
    pub fn to_buf(self) -> StrBuf {
        match self {
            StrView::Ascii(s) => StrBuf::Ascii(s.to_vec()),
            StrView::Latin1(s) => Unit::into_buf(s.to_vec()),
            StrView::Ucs2(s) => match widest(s) {
                Kind::Ascii => StrBuf::Ascii(cast(s)),
                Kind::Latin1 => StrBuf::Latin1(cast(s)),
                _ => StrBuf::Ucs2(s.to_vec()),
            },
            StrView::Ucs4(s) => match widest(s) {
                Kind::Ascii => StrBuf::Ascii(cast(s)),
                Kind::Latin1 => StrBuf::Latin1(cast(s)),
                Kind::Ucs2 => StrBuf::Ucs2(cast(s)),
                Kind::Ucs4 => StrBuf::Ucs4(s.to_vec()),
            },
        }
    }

    /// The units in the width `U`, or `None` where one does not fit.
    pub(super) fn coerce<U: Unit>(self) -> Option<Cow<'a, [U]>> {
        if let Some(units) = U::of_view(self) {
            return Some(Cow::Borrowed(units));
        }
        with_units!(self, s => {
            let fits = s.iter().all(|u| u.code() <= U::MAX);
            fits.then(|| Cow::Owned(cast(s)))
        })
    }

    /// UTF-8, or `None` where there is a lone surrogate.
    #[must_use]
    pub fn to_utf8(self) -> Option<Cow<'a, str>> {
        match self {
            StrView::Ascii(s) => std::str::from_utf8(s).ok().map(Cow::Borrowed),
            other => with_units!(other, s => {
                let mut out = String::with_capacity(s.len() + s.len() / 2);
                for u in s {
                    out.push(char::from_u32(u.code())?);
                }
                Some(Cow::Owned(out))
            }),
        }
    }

    /// UTF-8 with U+FFFD for lone surrogates: for messages only.
    #[must_use]
    pub fn to_string_lossy(self) -> Cow<'a, str> {
        match self {
            StrView::Ascii(s) => String::from_utf8_lossy(s),
            other => Cow::Owned(other.chars().map(|c| char::from_u32(c).unwrap_or('\u{fffd}')).collect()),
        }
    }

    #[must_use]
    pub fn has_surrogates(self) -> bool {
        match self {
            StrView::Ascii(_) | StrView::Latin1(_) => false,
            other => with_units!(other, s => s.iter().any(|u| is_surrogate(u.code()))),
        }
    }

    /// The bytes to hash, in pieces. Canonical texts that are equal feed equal bytes.
    pub fn feed_bytes(self, mut feed: impl FnMut(&[u8])) {
        match self {
            StrView::Ascii(s) | StrView::Latin1(s) => feed(s),
            StrView::Ucs2(s) => {
                let mut bytes = [0; 512];
                for chunk in s.chunks(256) {
                    for (to, unit) in bytes.chunks_exact_mut(2).zip(chunk) {
                        to.copy_from_slice(&unit.to_ne_bytes());
                    }
                    feed(&bytes[..chunk.len() * 2]);
                }
            }
            StrView::Ucs4(s) => {
                let mut bytes = [0; 512];
                for chunk in s.chunks(128) {
                    for (to, unit) in bytes.chunks_exact_mut(4).zip(chunk) {
                        to.copy_from_slice(&unit.to_ne_bytes());
                    }
                    feed(&bytes[..chunk.len() * 4]);
                }
            }
        }
    }

    /// The two texts one after the other, or `None` where there is no memory for them.
    #[must_use]
    pub fn concat(self, other: StrView<'_>) -> Option<StrBuf> {
        fn join<U: Unit>(a: StrView<'_>, b: StrView<'_>) -> Option<Vec<U>> {
            let mut out = Vec::new();
            out.try_reserve_exact(a.len().checked_add(b.len())?).ok()?;
            extend(&mut out, a);
            extend(&mut out, b);
            Some(out)
        }
        Some(match self.kind().max(other.kind()) {
            Kind::Ascii => StrBuf::Ascii(join(self, other)?),
            Kind::Latin1 => Unit::into_buf(join::<u8>(self, other)?),
            Kind::Ucs2 => Unit::into_buf(join::<u16>(self, other)?),
            Kind::Ucs4 => Unit::into_buf(join::<u32>(self, other)?),
        })
    }

    /// The text `count` times, or `None` where there is no memory for it.
    #[must_use]
    pub fn repeat(self, count: usize) -> Option<StrBuf> {
        Some(match self {
            StrView::Ascii(s) => StrBuf::Ascii(repeat(s, count)?),
            other => with_units!(other, s => Unit::into_buf(repeat(s, count)?)),
        })
    }
}

/// `units` `count` times, or `None` where there is no memory for it.
#[must_use]
pub fn repeat<U: Unit>(units: &[U], count: usize) -> Option<Vec<U>> {
    let total = units.len().checked_mul(count)?;
    let mut out = Vec::new();
    out.try_reserve_exact(total).ok()?;
    if let [unit] = units {
        out.resize(count, *unit);
        return Some(out);
    }
    if total == 0 {
        return Some(out);
    }
    out.extend_from_slice(units);
    while out.len() <= total / 2 {
        out.extend_from_within(..);
    }
    out.extend_from_within(..total - out.len());
    Some(out)
}

/// Appends the units of `view`, which must fit into the width `U`.
pub(super) fn extend<U: Unit>(out: &mut Vec<U>, view: StrView<'_>) {
    match U::of_view(view) {
        Some(units) => out.extend_from_slice(units),
        None => with_units!(view, s => out.extend(s.iter().map(|u| U::truncate(u.code())))),
    }
}

impl PartialEq for StrView<'_> {
    fn eq(&self, other: &StrView<'_>) -> bool {
        match (*self, *other) {
            (StrView::Ascii(a) | StrView::Latin1(a), StrView::Ascii(b) | StrView::Latin1(b)) => a == b,
            (StrView::Ucs2(a), StrView::Ucs2(b)) => a == b,
            (StrView::Ucs4(a), StrView::Ucs4(b)) => a == b,
            (a, b) => {
                a.len() == b.len()
                    && with_units!(a, x => with_units!(b, y => x.iter().zip(y).all(|(x, y)| x.code() == y.code())))
            }
        }
    }
}

impl Eq for StrView<'_> {}

impl PartialOrd for StrView<'_> {
    fn partial_cmp(&self, other: &StrView<'_>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for StrView<'_> {
    fn cmp(&self, other: &StrView<'_>) -> Ordering {
        match (*self, *other) {
            (StrView::Ascii(a) | StrView::Latin1(a), StrView::Ascii(b) | StrView::Latin1(b)) => a.cmp(b),
            (a, b) => with_units!(a, x => with_units!(b, y => {
                x.iter().map(|u| u.code()).cmp(y.iter().map(|u| u.code()))
            })),
        }
    }
}

impl PartialEq<str> for StrView<'_> {
    fn eq(&self, other: &str) -> bool {
        match self {
            StrView::Ascii(s) => *s == other.as_bytes(),
            view => view.chars().eq(other.chars().map(u32::from)),
        }
    }
}

/// The code points of a view.
#[derive(Clone, Debug)]
pub struct Chars<'a> {
    view: StrView<'a>,
    front: usize,
    back: usize,
}

impl Iterator for Chars<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        if self.front >= self.back {
            return None;
        }
        self.front += 1;
        self.view.get(self.front - 1)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.back - self.front, Some(self.back - self.front))
    }
}

impl DoubleEndedIterator for Chars<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<u32> {
        if self.front >= self.back {
            return None;
        }
        self.back -= 1;
        self.view.get(self.back)
    }
}

impl ExactSizeIterator for Chars<'_> {}

impl StrBuf {
    #[must_use]
    pub const fn new() -> StrBuf {
        StrBuf::Ascii(Vec::new())
    }

    #[inline]
    #[must_use]
    pub fn view(&self) -> StrView<'_> {
        match self {
            StrBuf::Ascii(s) => StrView::Ascii(s),
            StrBuf::Latin1(s) => StrView::Latin1(s),
            StrBuf::Ucs2(s) => StrView::Ucs2(s),
            StrBuf::Ucs4(s) => StrView::Ucs4(s),
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.view().len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The one-character text of `code`.
    #[must_use]
    pub fn from_code(code: u32) -> StrBuf {
        match Kind::of_code(code) {
            Kind::Ascii => StrBuf::Ascii(vec![code as u8]),
            Kind::Latin1 => StrBuf::Latin1(vec![code as u8]),
            Kind::Ucs2 => StrBuf::Ucs2(vec![code as u16]),
            Kind::Ucs4 => StrBuf::Ucs4(vec![code]),
        }
    }
}

impl Default for StrBuf {
    fn default() -> StrBuf {
        StrBuf::new()
    }
}

impl From<&str> for StrBuf {
    fn from(text: &str) -> StrBuf {
        super::builder::from_utf8_str(text)
    }
}

impl From<String> for StrBuf {
    fn from(text: String) -> StrBuf {
        if text.is_ascii() {
            return StrBuf::Ascii(text.into_bytes());
        }
        super::builder::from_utf8_str(&text)
    }
}

impl PartialEq for StrBuf {
    fn eq(&self, other: &StrBuf) -> bool {
        self.view() == other.view()
    }
}

impl Eq for StrBuf {}

impl PartialEq<str> for StrBuf {
    fn eq(&self, other: &str) -> bool {
        self.view() == *other
    }
}

impl PartialEq<&str> for StrBuf {
    fn eq(&self, other: &&str) -> bool {
        self.view() == **other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buf(text: &str) -> StrBuf {
        StrBuf::from(text)
    }

    #[test]
    fn kinds_are_the_narrowest() {
        assert!(matches!(buf("abc"), StrBuf::Ascii(_)));
        assert!(matches!(buf("caf\u{e9}"), StrBuf::Latin1(_)));
        assert!(matches!(buf("\u{ac00}\u{e9}a"), StrBuf::Ucs2(_)));
        assert!(matches!(buf("a\u{1f600}"), StrBuf::Ucs4(_)));
        let wide = buf("a\u{1f600}\u{ac00}\u{e9}");
        assert!(matches!(wide.view().slice(0..1).to_buf(), StrBuf::Ascii(_)));
        assert!(matches!(wide.view().slice(2..4).to_buf(), StrBuf::Ucs2(_)));
        assert!(matches!(wide.view().slice(3..4).to_buf(), StrBuf::Latin1(_)));
        assert_eq!(wide.view().slice_step(3, -1, 4), "\u{e9}\u{ac00}\u{1f600}a");
    }

    #[test]
    fn order_is_by_code_point() {
        let list = [
            "",
            "a",
            "ab",
            "b",
            "\u{e9}",
            "\u{e9}a",
            "\u{ac00}",
            "\u{ffff}",
            "\u{10000}",
        ];
        for (i, a) in list.iter().enumerate() {
            for (j, b) in list.iter().enumerate() {
                assert_eq!(buf(a).view().cmp(&buf(b).view()), i.cmp(&j), "{a:?} {b:?}");
                assert_eq!(buf(a) == buf(b), i == j);
            }
        }
        let wide = buf("xy\u{1f600}");
        assert_eq!(wide.view().slice(0..2), buf("xy").view());
    }

    #[test]
    fn concat_and_repeat() {
        assert_eq!(buf("a").view().concat(buf("\u{ac00}").view()).unwrap(), "a\u{ac00}");
        assert_eq!(buf("ab").view().repeat(5).unwrap(), "ababababab");
        assert_eq!(buf("ab\u{e9}").view().repeat(3).unwrap(), "ab\u{e9}ab\u{e9}ab\u{e9}");
        assert_eq!(buf("").view().repeat(7).unwrap(), "");
        assert_eq!(buf("ab").view().repeat(0).unwrap(), "");
        assert!(buf("ab").view().repeat(usize::MAX).is_none());
    }

    #[test]
    fn utf8_needs_whole_characters() {
        assert_eq!(buf("h\u{e9}\u{1f600}").view().to_utf8().unwrap(), "h\u{e9}\u{1f600}");
        assert!(StrBuf::from_code(0xd800).view().to_utf8().is_none());
        assert_eq!(StrBuf::from_code(0xd800).view().to_string_lossy(), "\u{fffd}");
    }
}
