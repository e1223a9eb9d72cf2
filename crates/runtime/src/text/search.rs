//! Searching, splitting, stripping and padding over code units of any width.
//!
//! These functions serve `bytes` as they stand (`U = u8`) and are the ground of the methods of `StrView`
//! in `strings.rs`. Results are ranges into the input wherever they can be. Nothing is quadratic.
//! Where a result may need more memory than there is, the answer is `None`.

use std::ops::Range;

use smallvec::SmallVec;

use super::view::Unit;

/// The part `start..end` of `len` units as methods such as `find` read it: negative counts from the end.
/// `None` where it is not even an empty part, so that nothing at all can match in it.
#[must_use]
pub fn adjust_range(start: isize, end: isize, len: usize) -> Option<Range<usize>> {
    let wrap = |at: isize| match usize::try_from(at) {
        Ok(at) => at,
        Err(_) => len.saturating_sub(at.unsigned_abs()),
    };
    let (start, end) = (wrap(start), wrap(end).min(len));
    (start <= end).then_some(start..end)
}

#[must_use]
pub fn find<U: Unit>(hay: &[U], needle: &[U]) -> Option<usize> {
    U::find(hay, needle)
}

#[must_use]
pub fn rfind<U: Unit>(hay: &[U], needle: &[U]) -> Option<usize> {
    U::rfind(hay, needle)
}

#[must_use]
pub fn contains<U: Unit>(hay: &[U], needle: &[U]) -> bool {
    U::find(hay, needle).is_some()
}

/// How many matches there are, none overlapping; an empty needle matches around every unit.
#[must_use]
pub fn count<U: Unit>(hay: &[U], needle: &[U]) -> usize {
    if needle.is_empty() {
        return hay.len() + 1;
    }
    let mut count = 0;
    U::find_each(hay, needle, |_| {
        count += 1;
        true
    });
    count
}

/// `replace`; `None` in the outer place where nothing changes, in the inner where memory is short.
#[must_use]
pub fn replace<U: Unit>(hay: &[U], old: &[U], new: &[U], max: Option<usize>) -> Option<Option<Vec<U>>> {
    let max = max.unwrap_or(usize::MAX);
    if max == 0 {
        return None;
    }
    if old.is_empty() {
        return Some(interleave(hay, new, max));
    }
    let mut starts: SmallVec<[usize; 16]> = SmallVec::new();
    U::find_each(hay, old, |at| {
        starts.push(at);
        starts.len() < max
    });
    if starts.is_empty() {
        return None;
    }
    let total = new
        .len()
        .checked_mul(starts.len())
        .and_then(|n| n.checked_add(hay.len() - starts.len() * old.len()));
    Some(total.and_then(|total| {
        let mut out = Vec::new();
        out.try_reserve_exact(total).ok()?;
        let mut from = 0;
        for at in starts {
            out.extend_from_slice(&hay[from..at]);
            out.extend_from_slice(new);
            from = at + old.len();
        }
        out.extend_from_slice(&hay[from..]);
        Some(out)
    }))
}

/// `new` before each of the first `max` places between units.
fn interleave<U: Unit>(hay: &[U], new: &[U], max: usize) -> Option<Vec<U>> {
    let places = max.min(hay.len() + 1);
    let mut out = Vec::new();
    out.try_reserve_exact(new.len().checked_mul(places)?.checked_add(hay.len())?)
        .ok()?;
    for i in 0..places {
        out.extend_from_slice(new);
        out.extend(hay.get(i));
    }
    if places < hay.len() {
        out.extend_from_slice(&hay[places..]);
    }
    Some(out)
}

/// Adds a part if there is memory for it.
#[inline]
fn add(parts: &mut Vec<Range<usize>>, part: Range<usize>) -> Option<()> {
    if parts.len() == parts.capacity() {
        parts.try_reserve(1).ok()?;
    }
    parts.push(part);
    Some(())
}

/// `split(sep, max)` with a separator, which is not empty.
#[must_use]
pub fn split<U: Unit>(hay: &[U], sep: &[U], max: Option<usize>) -> Option<Vec<Range<usize>>> {
    let max = max.unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let mut from = 0;
    if max > 0 && !sep.is_empty() {
        let mut room = Some(());
        U::find_each(hay, sep, |at| {
            room = add(&mut parts, from..at);
            from = at + sep.len();
            room.is_some() && parts.len() < max
        });
        room?;
    }
    add(&mut parts, from..hay.len())?;
    Some(parts)
}

/// `rsplit(sep, max)` with a separator, which is not empty.
#[must_use]
pub fn rsplit<U: Unit>(hay: &[U], sep: &[U], max: Option<usize>) -> Option<Vec<Range<usize>>> {
    let max = max.unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let mut end = hay.len();
    while parts.len() < max && !sep.is_empty() {
        let Some(at) = U::rfind(&hay[..end], sep) else {
            break;
        };
        add(&mut parts, at + sep.len()..end)?;
        end = at;
    }
    add(&mut parts, 0..end)?;
    parts.reverse();
    Some(parts)
}

/// `split(None, max)`: runs of units that are not `space`.
#[must_use]
pub fn split_space<U: Unit>(hay: &[U], max: Option<usize>, space: impl Fn(U) -> bool) -> Option<Vec<Range<usize>>> {
    let max = max.unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let mut at = 0;
    loop {
        while at < hay.len() && space(hay[at]) {
            at += 1;
        }
        if at == hay.len() {
            return Some(parts);
        }
        if parts.len() >= max {
            // The far end of what is left stays as it is.
            add(&mut parts, at..hay.len())?;
            return Some(parts);
        }
        let start = at;
        while at < hay.len() && !space(hay[at]) {
            at += 1;
        }
        add(&mut parts, start..at)?;
    }
}

/// `rsplit(None, max)`.
#[must_use]
pub fn rsplit_space<U: Unit>(hay: &[U], max: Option<usize>, space: impl Fn(U) -> bool) -> Option<Vec<Range<usize>>> {
    let max = max.unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let mut end = hay.len();
    loop {
        while end > 0 && space(hay[end - 1]) {
            end -= 1;
        }
        if end == 0 {
            break;
        }
        if parts.len() >= max {
            add(&mut parts, 0..end)?;
            break;
        }
        let stop = end;
        while end > 0 && !space(hay[end - 1]) {
            end -= 1;
        }
        add(&mut parts, end..stop)?;
    }
    parts.reverse();
    Some(parts)
}

/// `splitlines(keepends)`; `is_break` says where a line ends, and `\r\n` is one end.
#[must_use]
pub fn split_lines<U: Unit>(hay: &[U], keep_ends: bool, is_break: impl Fn(U) -> bool) -> Option<Vec<Range<usize>>> {
    let mut lines = Vec::new();
    let mut start = 0;
    while start < hay.len() {
        let Some(offset) = position_by(&hay[start..], &is_break) else {
            add(&mut lines, start..hay.len())?;
            break;
        };
        let stop = start + offset;
        let crlf = hay[stop].code() == 0x0d && hay.get(stop + 1).is_some_and(|u| u.code() == 0x0a);
        let next = stop + if crlf { 2 } else { 1 };
        add(&mut lines, start..if keep_ends { next } else { stop })?;
        start = next;
    }
    Some(lines)
}

/// The first unit that `test` picks. A whole chunk is tested without branches, which makes vector code.
fn position_by<U: Unit>(hay: &[U], test: impl Fn(U) -> bool) -> Option<usize> {
    let mut at = 0;
    for chunk in hay.chunks_exact(16) {
        if chunk.iter().fold(false, |hit, &u| hit | test(u)) {
            break;
        }
        at += 16;
    }
    hay[at..].iter().position(|&u| test(u)).map(|offset| at + offset)
}

/// Which ends a strip works on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strip {
    Left,
    Right,
    Both,
}

/// What is left after units that `drop` picks are taken off the ends.
#[must_use]
pub fn strip<U: Unit>(hay: &[U], ends: Strip, drop: impl Fn(U) -> bool) -> Range<usize> {
    let start = if ends == Strip::Right {
        0
    } else {
        strip_start(hay, &drop)
    };
    let end = if ends == Strip::Left {
        hay.len()
    } else {
        start + strip_end(&hay[start..], &drop)
    };
    start..end
}

fn strip_start<U: Unit>(hay: &[U], drop: impl Fn(U) -> bool) -> usize {
    hay.iter().position(|&u| !drop(u)).unwrap_or(hay.len())
}

fn strip_end<U: Unit>(hay: &[U], drop: impl Fn(U) -> bool) -> usize {
    hay.iter().rposition(|&u| !drop(u)).map_or(0, |i| i + 1)
}

/// A set of characters for `strip(chars)`.
pub struct CharSet {
    low: [u64; 4],
    /// Those above 0xff, sorted.
    high: Vec<u32>,
}

impl CharSet {
    #[must_use]
    pub fn new(chars: impl Iterator<Item = u32>) -> CharSet {
        let mut set = CharSet {
            low: [0; 4],
            high: Vec::new(),
        };
        for c in chars {
            match set.low.get_mut((c >> 6) as usize) {
                Some(word) => *word |= 1 << (c & 63),
                None => set.high.push(c),
            }
        }
        set.high.sort_unstable();
        set
    }

    #[inline]
    #[must_use]
    pub fn contains(&self, c: u32) -> bool {
        match self.low.get((c >> 6) as usize) {
            Some(word) => word >> (c & 63) & 1 != 0,
            None => self.high.binary_search(&c).is_ok(),
        }
    }
}

/// The part of `partition`: the range of the first match, `None` where there is none.
#[must_use]
pub fn partition<U: Unit>(hay: &[U], sep: &[U]) -> Option<Range<usize>> {
    U::find(hay, sep).map(|at| at..at + sep.len())
}

/// The part of `rpartition`: the range of the last match, `None` where there is none.
#[must_use]
pub fn rpartition<U: Unit>(hay: &[U], sep: &[U]) -> Option<Range<usize>> {
    U::rfind(hay, sep).map(|at| at..at + sep.len())
}

/// `expandtabs`; a tab size below one drops the tabs. `None` where memory is short.
#[must_use]
pub fn expand_tabs<U: Unit>(hay: &[U], tab_size: usize) -> Option<Vec<U>> {
    // The room for all of it is asked for at once: what cannot be had is not begun.
    let (mut len, mut column) = (0_usize, 0_usize);
    for &u in hay {
        let step = match u.code() {
            0x09 if tab_size > 0 => tab_size - column % tab_size,
            0x09 => 0,
            _ => 1,
        };
        column = match u.code() {
            0x0a | 0x0d => 0,
            _ => column.checked_add(step)?,
        };
        len = len.checked_add(step)?;
    }
    let mut out = Vec::new();
    out.try_reserve_exact(len).ok()?;
    let mut column = 0;
    for &u in hay {
        match u.code() {
            0x09 => {
                if tab_size > 0 {
                    let fill = tab_size - column % tab_size;
                    column += fill;
                    out.resize(out.len() + fill, U::truncate(0x20));
                }
            }
            c => {
                column = if c == 0x0a || c == 0x0d { 0 } else { column + 1 };
                out.push(u);
            }
        }
    }
    Some(out)
}

/// Where padding goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Justify {
    Left,
    Right,
    Center,
}

impl Justify {
    /// The padding before and after `len` units in a field of `width`; `None` where there is none to add.
    #[must_use]
    pub fn padding(self, len: usize, width: usize) -> Option<(usize, usize)> {
        let fill = width.checked_sub(len).filter(|&fill| fill > 0)?;
        let before = match self {
            Justify::Left => 0,
            Justify::Right => fill,
            // An odd unit goes before the text where the width is odd.
            Justify::Center => fill / 2 + (fill & width & 1),
        };
        Some((before, fill - before))
    }
}

/// `before` and `after` copies of `fill` around `hay`; `None` where memory is short.
#[must_use]
pub fn pad<U: Unit>(hay: &[U], before: usize, after: usize, fill: U) -> Option<Vec<U>> {
    let mut out = Vec::new();
    out.try_reserve_exact(hay.len().checked_add(before)?.checked_add(after)?)
        .ok()?;
    out.resize(before, fill);
    out.extend_from_slice(hay);
    out.resize(out.len() + after, fill);
    Some(out)
}

/// `zfill`: zeros after a leading sign. `None` in the outer place where nothing changes, in the inner where memory is short.
#[must_use]
pub fn zfill<U: Unit>(hay: &[U], width: usize) -> Option<Option<Vec<U>>> {
    let (before, _) = Justify::Right.padding(hay.len(), width)?;
    Some(pad(hay, before, 0, U::truncate(u32::from(b'0'))).map(|mut out| {
        if hay.first().is_some_and(|u| matches!(u.code(), 0x2b | 0x2d)) {
            out.swap(0, before);
        }
        out
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts<'a>(hay: &'a [u8], ranges: &[Range<usize>]) -> Vec<&'a str> {
        ranges
            .iter()
            .map(|r| std::str::from_utf8(&hay[r.clone()]).unwrap())
            .collect()
    }

    #[test]
    fn ranges_of_find() {
        assert_eq!(adjust_range(0, isize::MAX, 5), Some(0..5));
        assert_eq!(adjust_range(-3, -1, 5), Some(2..4));
        assert_eq!(adjust_range(-9, -9, 5), Some(0..0));
        assert_eq!(adjust_range(5, 9, 5), Some(5..5));
        assert_eq!(adjust_range(6, 9, 5), None);
        assert_eq!(adjust_range(3, 2, 5), None);
        assert_eq!(adjust_range(isize::MIN, isize::MAX, 5), Some(0..5));
    }

    #[test]
    fn splits() {
        let b = b"a,b,,c".as_slice();
        assert_eq!(parts(b, &split(b, b",", None).unwrap()), ["a", "b", "", "c"]);
        assert_eq!(parts(b, &split(b, b",", Some(1)).unwrap()), ["a", "b,,c"]);
        assert_eq!(parts(b, &split(b, b",", Some(0)).unwrap()), ["a,b,,c"]);
        assert_eq!(parts(b, &rsplit(b, b",", Some(2)).unwrap()), ["a,b", "", "c"]);
        assert_eq!(parts(b, &rsplit(b, b",", None).unwrap()), ["a", "b", "", "c"]);
        let b = b"  a  b c ".as_slice();
        let space = |u| u == b' ';
        assert_eq!(parts(b, &split_space(b, None, space).unwrap()), ["a", "b", "c"]);
        assert_eq!(parts(b, &split_space(b, Some(1), space).unwrap()), ["a", "b c "]);
        assert_eq!(parts(b, &split_space(b, Some(0), space).unwrap()), ["a  b c "]);
        assert_eq!(parts(b, &rsplit_space(b, Some(1), space).unwrap()), ["  a  b", "c"]);
        assert_eq!(parts(b, &rsplit_space(b, Some(0), space).unwrap()), ["  a  b c"]);
        assert!(split_space(b"   ", Some(0), space).unwrap().is_empty());
        assert!(rsplit_space(b"", None, space).unwrap().is_empty());
        let b = b"a\r\nb\rc\n\nd".as_slice();
        let eol = |u| u == b'\n' || u == b'\r';
        assert_eq!(parts(b, &split_lines(b, false, eol).unwrap()), ["a", "b", "c", "", "d"]);
        assert_eq!(
            parts(b, &split_lines(b, true, eol).unwrap()),
            ["a\r\n", "b\r", "c\n", "\n", "d"]
        );
        assert!(split_lines(b"", false, eol).unwrap().is_empty());
    }

    #[test]
    fn replaces() {
        let run = |h: &str, o: &str, n: &str, max| {
            replace(h.as_bytes(), o.as_bytes(), n.as_bytes(), max).map(|v| String::from_utf8(v.unwrap()).unwrap())
        };
        assert_eq!(run("aXbXc", "X", "--", None).unwrap(), "a--b--c");
        assert_eq!(run("aXbXc", "X", "", Some(1)).unwrap(), "abXc");
        assert_eq!(run("abc", "", "-", None).unwrap(), "-a-b-c-");
        assert_eq!(run("abc", "", "-", Some(2)).unwrap(), "-a-bc");
        assert_eq!(run("", "", "-", None).unwrap(), "-");
        assert_eq!(run("abc", "", "-", Some(3)).unwrap(), "-a-b-c");
        assert!(run("abc", "x", "-", None).is_none());
        assert!(run("abc", "a", "-", Some(0)).is_none());
    }

    #[test]
    fn pads() {
        // str.center of CPython puts the odd blank left where the width is odd, right where it is even.
        assert_eq!(Justify::Center.padding(2, 5), Some((2, 1)));
        assert_eq!(Justify::Center.padding(1, 4), Some((1, 2)));
        assert_eq!(Justify::Center.padding(4, 4), None);
        assert_eq!(zfill(b"-42", 6).unwrap().unwrap(), b"-00042");
        assert_eq!(zfill(b"+", 3).unwrap().unwrap(), b"+00");
        assert_eq!(zfill(b"42", 5).unwrap().unwrap(), b"00042");
        assert!(zfill(b"42", 2).is_none());
        assert_eq!(expand_tabs(b"a\tbc\td\n\tx", 4).unwrap(), b"a   bc  d\n    x");
        assert_eq!(expand_tabs(b"a\tb", 0).unwrap(), b"ab");
        assert!(pad(b"a", usize::MAX, 1, b' ').is_none());
    }

    #[test]
    fn strips() {
        let set = CharSet::new("ab\u{ac00}".chars().map(u32::from));
        let b = b"abxba".as_slice();
        assert_eq!(strip(b, Strip::Both, |u| set.contains(u.into())), 2..3);
        assert_eq!(strip(b, Strip::Left, |u| set.contains(u.into())), 2..5);
        assert_eq!(strip(b, Strip::Right, |u| set.contains(u.into())), 0..3);
        assert_eq!(strip(b"abab", Strip::Both, |u| set.contains(u.into())), 4..4);
        assert!(set.contains(0xac00) && !set.contains(0xac01));
    }
}
