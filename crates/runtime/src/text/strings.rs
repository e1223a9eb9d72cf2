//! The methods of `str` that search, split, strip and pad, over `StrView`.
//!
//! Arguments are views of any kind; results are ranges into the receiver or canonical text.
//! `None` for text means "unchanged" where the name says so, else that memory is short.

use std::ops::Range;

use super::builder::StrBuilder;
use super::search::{self, CharSet, Justify, Strip};
use super::unicode::{is_line_break, is_space};
use super::view::{Kind, StrBuf, StrView, Unit, cast, extend, with_units};

/// The answer of a method that may leave its receiver as it is.
#[derive(Debug, PartialEq, Eq)]
pub enum Edit {
    Unchanged,
    Text(StrBuf),
    /// The result does not fit into memory.
    NoMemory,
}

impl Edit {
    fn of<U: Unit>(units: Option<Option<Vec<U>>>) -> Edit {
        match units {
            None => Edit::Unchanged,
            Some(None) => Edit::NoMemory,
            Some(Some(units)) => Edit::Text(U::into_buf(units)),
        }
    }
}

/// Runs `$body` with `$h` and `$n` bound to units of one width; `$none` where the needle cannot be in the text.
macro_rules! with_needle {
    ($hay:expr, $needle:expr, ($h:ident, $n:ident) => $body:expr, else $none:expr) => {
        with_units!($hay, $h => match $needle.coerce() {
            Some(needle) => {
                let $n = &*needle;
                $body
            }
            None => $none,
        })
    };
}

impl StrView<'_> {
    #[must_use]
    pub fn find(self, needle: StrView<'_>) -> Option<usize> {
        with_needle!(self, needle, (h, n) => search::find(h, n), else None)
    }

    #[must_use]
    pub fn rfind(self, needle: StrView<'_>) -> Option<usize> {
        with_needle!(self, needle, (h, n) => search::rfind(h, n), else None)
    }

    #[must_use]
    pub fn find_char(self, code: u32) -> Option<usize> {
        fn find<U: Unit>(hay: &[U], code: u32) -> Option<usize> {
            if code > U::MAX {
                None
            } else {
                U::position(hay, U::truncate(code))
            }
        }
        with_units!(self, s => find(s, code))
    }

    #[must_use]
    pub fn contains(self, needle: StrView<'_>) -> bool {
        self.find(needle).is_some()
    }

    #[must_use]
    pub fn count(self, needle: StrView<'_>) -> usize {
        with_needle!(self, needle, (h, n) => search::count(h, n), else 0)
    }

    #[must_use]
    pub fn starts_with(self, prefix: StrView<'_>) -> bool {
        prefix.len() <= self.len() && self.slice(0..prefix.len()) == prefix
    }

    #[must_use]
    pub fn ends_with(self, suffix: StrView<'_>) -> bool {
        suffix.len() <= self.len() && self.slice(self.len() - suffix.len()..self.len()) == suffix
    }

    /// `replace`, all matches where `max` is `None`.
    #[must_use]
    pub fn replace(self, old: StrView<'_>, new: StrView<'_>, max: Option<usize>) -> Edit {
        if max == Some(0) || old.len() > self.len() {
            return Edit::Unchanged;
        }
        match self.kind().max(new.kind()) {
            Kind::Ascii | Kind::Latin1 => replace::<u8>(self, old, new, max),
            Kind::Ucs2 => replace::<u16>(self, old, new, max),
            Kind::Ucs4 => replace::<u32>(self, old, new, max),
        }
    }

    /// `split(sep, max)`; the separator is not empty.
    #[must_use]
    pub fn split(self, sep: StrView<'_>, max: Option<usize>) -> Option<Vec<Range<usize>>> {
        let all = 0..self.len();
        with_needle!(self, sep, (h, n) => search::split(h, n, max), else Some(vec![all]))
    }

    /// `rsplit(sep, max)`; the separator is not empty.
    #[must_use]
    pub fn rsplit(self, sep: StrView<'_>, max: Option<usize>) -> Option<Vec<Range<usize>>> {
        let all = 0..self.len();
        with_needle!(self, sep, (h, n) => search::rsplit(h, n, max), else Some(vec![all]))
    }

    /// `split(None, max)`.
    #[must_use]
    pub fn split_whitespace(self, max: Option<usize>) -> Option<Vec<Range<usize>>> {
        with_units!(self, s => search::split_space(s, max, |u| is_space(u.code())))
    }

    /// `rsplit(None, max)`.
    #[must_use]
    pub fn rsplit_whitespace(self, max: Option<usize>) -> Option<Vec<Range<usize>>> {
        with_units!(self, s => search::rsplit_space(s, max, |u| is_space(u.code())))
    }

    #[must_use]
    pub fn split_lines(self, keep_ends: bool) -> Option<Vec<Range<usize>>> {
        with_units!(self, s => search::split_lines(s, keep_ends, |u| is_line_break(u.code())))
    }

    /// Where the separator stands first; the two other parts are what lies around it.
    #[must_use]
    pub fn partition(self, sep: StrView<'_>) -> Option<Range<usize>> {
        self.find(sep).map(|at| at..at + sep.len())
    }

    /// Where the separator stands last.
    #[must_use]
    pub fn rpartition(self, sep: StrView<'_>) -> Option<Range<usize>> {
        self.rfind(sep).map(|at| at..at + sep.len())
    }

    /// `strip()` of white space.
    #[must_use]
    pub fn strip_space(self, ends: Strip) -> Range<usize> {
        with_units!(self, s => search::strip(s, ends, |u| is_space(u.code())))
    }

    /// `strip(chars)`.
    #[must_use]
    pub fn strip_chars(self, ends: Strip, chars: StrView<'_>) -> Range<usize> {
        let set = CharSet::new(chars.chars());
        with_units!(self, s => search::strip(s, ends, |u| set.contains(u.code())))
    }

    /// What `removeprefix` leaves.
    #[must_use]
    pub fn remove_prefix(self, prefix: StrView<'_>) -> Range<usize> {
        if self.starts_with(prefix) {
            prefix.len()..self.len()
        } else {
            0..self.len()
        }
    }

    /// What `removesuffix` leaves.
    #[must_use]
    pub fn remove_suffix(self, suffix: StrView<'_>) -> Range<usize> {
        if self.ends_with(suffix) {
            0..self.len() - suffix.len()
        } else {
            0..self.len()
        }
    }

    /// `expandtabs`; `None` where memory is short.
    #[must_use]
    pub fn expand_tabs(self, tab_size: usize) -> Option<StrBuf> {
        with_units!(self, s => search::expand_tabs(s, tab_size).map(Unit::into_buf))
    }

    /// `ljust`, `rjust` and `center`.
    #[must_use]
    pub fn justify(self, how: Justify, width: usize, fill: u32) -> Edit {
        match how.padding(self.len(), width) {
            None => Edit::Unchanged,
            Some((before, after)) => match self.pad(before, after, fill) {
                Some(text) => Edit::Text(text),
                None => Edit::NoMemory,
            },
        }
    }

    /// `fill` `before` times, the text, `fill` `after` times; `None` where memory is short.
    #[must_use]
    pub fn pad(self, before: usize, after: usize, fill: u32) -> Option<StrBuf> {
        fn run<U: Unit>(view: StrView<'_>, before: usize, after: usize, fill: u32) -> Option<StrBuf> {
            let units = view.coerce::<U>()?;
            search::pad(&units, before, after, U::truncate(fill)).map(U::into_buf)
        }
        match self.kind().max(Kind::of_code(fill)) {
            Kind::Ascii | Kind::Latin1 => run::<u8>(self, before, after, fill),
            Kind::Ucs2 => run::<u16>(self, before, after, fill),
            Kind::Ucs4 => run::<u32>(self, before, after, fill),
        }
    }

    #[must_use]
    pub fn zfill(self, width: usize) -> Edit {
        with_units!(self, s => Edit::of(search::zfill(s, width)))
    }

    /// `translate`: each distinct character is looked up once while the text is ASCII.
    ///
    /// # Errors
    /// Whatever `lookup` answers.
    pub fn translate<E>(self, mut lookup: impl FnMut(u32) -> Result<Translation, E>) -> Result<StrBuf, E> {
        let mut out = StrBuilder::with_capacity(self.len());
        if let StrView::Ascii(s) = self {
            let mut cache: [Option<Translation>; 128] = [const { None }; 128];
            for &b in s {
                let slot = &mut cache[usize::from(b & 0x7f)];
                let known = match slot {
                    Some(known) => known,
                    None => slot.insert(lookup(u32::from(b))?),
                };
                known.push(u32::from(b), &mut out);
            }
        } else {
            for c in self.chars() {
                lookup(c)?.push(c, &mut out);
            }
        }
        Ok(out.finish())
    }

    /// `str.maketrans`-free case: `join` of parts with this separator; `None` where memory is short.
    #[must_use]
    pub fn join<'p>(self, parts: impl Iterator<Item = StrView<'p>> + Clone) -> Option<StrBuf> {
        fn run<'p, U: Unit>(
            sep: StrView<'_>,
            parts: impl Iterator<Item = StrView<'p>>,
            total: usize,
        ) -> Option<Vec<U>> {
            let mut out = Vec::new();
            out.try_reserve_exact(total).ok()?;
            let sep = sep.coerce::<U>()?;
            for (i, part) in parts.enumerate() {
                if i > 0 {
                    out.extend_from_slice(&sep);
                }
                extend(&mut out, part);
            }
            Some(out)
        }
        let mut kind = Kind::Ascii;
        let (mut total, mut count) = (0usize, 0usize);
        for part in parts.clone() {
            kind = kind.max(part.kind());
            total = total.checked_add(part.len())?;
            count += 1;
        }
        if count > 1 {
            kind = kind.max(self.kind());
            total = total.checked_add(self.len().checked_mul(count - 1)?)?;
        }
        let sep = if count > 1 { self } else { StrView::Ascii(b"") };
        Some(match kind {
            Kind::Ascii => StrBuf::Ascii(run(sep, parts, total)?),
            Kind::Latin1 => Unit::into_buf(run::<u8>(sep, parts, total)?),
            Kind::Ucs2 => Unit::into_buf(run::<u16>(sep, parts, total)?),
            Kind::Ucs4 => Unit::into_buf(run::<u32>(sep, parts, total)?),
        })
    }
}

/// What `translate` does with a character.
#[derive(Clone, Debug)]
pub enum Translation {
    Keep,
    Drop,
    Char(u32),
    Text(StrBuf),
}

impl Translation {
    fn push(&self, c: u32, out: &mut StrBuilder) {
        match self {
            Translation::Keep => out.push(c),
            Translation::Drop => {}
            Translation::Char(to) => out.push(*to),
            Translation::Text(text) => out.push_view(text.view()),
        }
    }
}

fn replace<U: Unit>(hay: StrView<'_>, old: StrView<'_>, new: StrView<'_>, max: Option<usize>) -> Edit {
    let (Some(old), Some(new)) = (old.coerce::<U>(), new.coerce::<U>()) else {
        return Edit::Unchanged;
    };
    if let Some(units) = U::of_view(hay) {
        return Edit::of(search::replace(units, &old, &new, max));
    }
    // The text is narrower than what is put in: look before widening it.
    let found = with_units!(hay, h => {
        let narrow_old: Option<Vec<_>> = old.iter().all(|u| u.code() <= max_of(h)).then(|| cast(&old));
        narrow_old.is_some_and(|old| search::contains(h, &old))
    });
    if !found {
        return Edit::Unchanged;
    }
    match hay.coerce::<U>() {
        Some(units) => Edit::of(search::replace(&units, &old, &new, max)),
        None => Edit::Unchanged,
    }
}

fn max_of<U: Unit>(_: &[U]) -> u32 {
    U::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buf(text: &str) -> StrBuf {
        StrBuf::from(text)
    }

    #[test]
    fn mixed_kinds() {
        let wide = buf("a\u{ac00}b\u{ac00}\u{1f600}b");
        let v = wide.view();
        assert_eq!(v.find(buf("b").view()), Some(2));
        assert_eq!(v.rfind(buf("b").view()), Some(5));
        assert_eq!(v.count(buf("\u{ac00}").view()), 2);
        assert_eq!(v.find_char(0x1f600), Some(4));
        assert_eq!(buf("abc").view().find_char(0x161), None);
        assert_eq!(buf("abc").view().find(buf("\u{161}").view()), None);
        assert_eq!(v.split(buf("\u{ac00}").view(), None).unwrap(), [0..1, 2..3, 4..6]);
        assert_eq!(
            buf("abc").view().split(buf("\u{ac00}").view(), None).unwrap(),
            vec![0..3]
        );
        assert_eq!(
            v.replace(buf("\u{1f600}").view(), buf("").view(), None),
            Edit::Text(buf("a\u{ac00}b\u{ac00}b"))
        );
        let narrow = buf("abab");
        assert_eq!(
            narrow.view().replace(buf("b").view(), buf("\u{e9}").view(), Some(1)),
            Edit::Text(buf("a\u{e9}ab"))
        );
        let same = narrow.view().replace(buf("b").view(), buf("\u{1f600}").view(), None);
        assert_eq!(same, Edit::Text(buf("a\u{1f600}a\u{1f600}")));
        assert_eq!(
            narrow
                .view()
                .replace(buf("\u{ac00}").view(), buf("\u{1f600}").view(), None),
            Edit::Unchanged
        );
        assert_eq!(
            narrow.view().replace(buf("").view(), buf("\u{e9}").view(), Some(1)),
            Edit::Text(buf("\u{e9}abab"))
        );
        assert_eq!(
            buf("").view().replace(buf("").view(), buf("x").view(), None),
            Edit::Text(buf("x"))
        );
        assert_eq!(
            buf("e\u{301}")
                .view()
                .replace(buf("\u{301}").view(), buf("").view(), None),
            Edit::Text(buf("e"))
        );
        assert!(v.starts_with(buf("a").view()) && v.ends_with(buf("b").view()) && !v.ends_with(buf("\u{161}b").view()));
    }

    #[test]
    fn joins() {
        let parts = [buf("a"), buf("\u{ac00}"), buf("")];
        let views = parts.iter().map(StrBuf::view);
        assert_eq!(buf(", ").view().join(views.clone()).unwrap(), "a, \u{ac00}, ");
        assert_eq!(buf("\u{1f600}").view().join(views.take(1)).unwrap(), "a");
        assert_eq!(buf("\u{1f600}").view().join(std::iter::empty()).unwrap(), "");
    }

    #[test]
    fn pads_with_wide_fill() {
        assert_eq!(
            buf("ab").view().justify(Justify::Center, 5, 0xac00),
            Edit::Text(buf("\u{ac00}\u{ac00}ab\u{ac00}"))
        );
        assert_eq!(buf("ab").view().justify(Justify::Left, 2, 0xac00), Edit::Unchanged);
        assert_eq!(buf("-\u{e9}").view().zfill(4), Edit::Text(buf("-00\u{e9}")));
    }

    #[test]
    fn lines_and_space() {
        let text = buf("a\u{2028}b\x1cc\u{85}\r\n");
        assert_eq!(text.view().split_lines(false).unwrap(), [0..1, 2..3, 4..5, 6..6]);
        assert_eq!(buf("\u{3000}x\u{a0}").view().strip_space(Strip::Both), 1..2);
        assert_eq!(buf("x\u{2003}y").view().split_whitespace(None).unwrap(), [0..1, 2..3]);
    }

    #[test]
    fn translates() {
        let out = buf("abcab").view().translate(|c| {
            Ok::<_, ()>(match c {
                0x61 => Translation::Text(buf("\u{ac00}!")),
                0x62 => Translation::Drop,
                _ => Translation::Keep,
            })
        });
        assert_eq!(out.unwrap(), "\u{ac00}!c\u{ac00}!");
    }
}
