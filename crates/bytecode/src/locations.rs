//! The source positions of instructions, packed: most are never asked for.
//!
//! Layout, in the integers of the serial form: for each run of equal positions, by how many code words it starts behind the one before, by how
//! many lines, how many lines it spans, its first column, and by how much the end column lies behind that.
//! Invariant: what is packed here was made by [`Locations::pack`] or passed [`Locations::check`]; reading damaged bytes ends early.

use std::borrow::Cow;
use std::fmt;

use crate::Location;

/// Runs of equal position: `(first code word, position)`, sorted.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Locations(Cow<'static, [u8]>);

impl Locations {
    pub fn pack(rows: impl IntoIterator<Item = (u32, Location)>) -> Locations {
        let mut bytes = Vec::new();
        let (mut pc, mut line) = (0, 0);
        for (start, at) in rows {
            let (this, end) = (i64::from(at.line), i64::from(at.end_line));
            write(&mut bytes, u64::from(start.wrapping_sub(pc)));
            write(&mut bytes, zigzag(this - line));
            write(&mut bytes, zigzag(end - this));
            write(&mut bytes, at.col.into());
            write(&mut bytes, zigzag(i64::from(at.end_col) - i64::from(at.col)));
            (pc, line) = (start, this);
        }
        bytes.shrink_to_fit();
        Locations(Cow::Owned(bytes))
    }

    /// What [`Locations::bytes`] gave.
    pub(crate) fn unpacked(bytes: Cow<'static, [u8]>) -> Locations {
        Locations(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether every run is whole and they are in order.
    pub(crate) fn check(&self) -> bool {
        let mut runs = self.iter();
        let mut last = None;
        for (start, _) in runs.by_ref() {
            if last.is_some_and(|last| start <= last) {
                return false;
            }
            last = Some(start);
        }
        runs.bytes.is_empty()
    }

    pub fn iter(&self) -> Runs<'_> {
        Runs {
            bytes: &self.0,
            pc: 0,
            line: 0,
        }
    }

    /// The position of the instruction at code word `pc`.
    pub fn at(&self, pc: u32) -> Location {
        // The runs before it are passed over without looking at their columns.
        let (mut runs, mut found) = (self.iter(), None);
        loop {
            let before = runs.clone();
            match runs.pass() {
                Some(start) if start <= pc => found = Some(before),
                _ => break,
            }
        }
        let found = found.and_then(|mut runs| runs.next());
        found.map_or_else(Location::default, |(_, location)| location)
    }
}

impl fmt::Debug for Locations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Unpacks [`Locations`].
#[derive(Clone)]
pub struct Runs<'a> {
    bytes: &'a [u8],
    pc: u32,
    line: i64,
}

impl Runs<'_> {
    /// Goes past a run: where it starts.
    #[inline]
    fn pass(&mut self) -> Option<u32> {
        let mut rest = self.bytes;
        // Mostly all five are a byte each.
        if let [pc, line, a, b, c, ..] = *rest
            && pc | line | a | b | c < 0x80
        {
            self.pc = self.pc.checked_add(pc.into())?;
            self.line = self.line.checked_add(unzigzag(line.into()))?;
            self.bytes = &rest[5..];
            return Some(self.pc);
        }
        let pc = self.pc.checked_add(u32::try_from(read(&mut rest)?).ok()?)?;
        let line = self.line.checked_add(unzigzag(read(&mut rest)?))?;
        for _ in 0..3 {
            let last = rest.iter().position(|byte| *byte < 0x80)?;
            rest = &rest[last + 1..];
        }
        (self.bytes, self.pc, self.line) = (rest, pc, line);
        Some(pc)
    }
}

impl Iterator for Runs<'_> {
    type Item = (u32, Location);

    fn next(&mut self) -> Option<(u32, Location)> {
        let mut rest = self.bytes;
        let pc = self.pc.checked_add(u32::try_from(read(&mut rest)?).ok()?)?;
        let line = self.line.checked_add(unzigzag(read(&mut rest)?))?;
        let end_line = line.checked_add(unzigzag(read(&mut rest)?))?;
        let col = u32::try_from(read(&mut rest)?).ok()?;
        let end_col = i64::from(col).checked_add(unzigzag(read(&mut rest)?))?;
        let location = Location {
            line: u32::try_from(line).ok()?,
            end_line: u32::try_from(end_line).ok()?,
            col,
            end_col: u32::try_from(end_col).ok()?,
        };
        (self.bytes, self.pc, self.line) = (rest, pc, line);
        Some((pc, location))
    }
}

pub(crate) fn zigzag(x: i64) -> u64 {
    (x << 1 ^ x >> 63) as u64
}

pub(crate) fn unzigzag(x: u64) -> i64 {
    (x >> 1) as i64 ^ -((x & 1) as i64)
}

pub(crate) fn write(bytes: &mut Vec<u8>, mut x: u64) {
    while x >= 0x80 {
        bytes.push(x as u8 | 0x80);
        x >>= 7;
    }
    bytes.push(x as u8);
}

/// The next integer; `None` where there is none, or one of more than 64 bits.
#[inline]
fn read(bytes: &mut &[u8]) -> Option<u64> {
    if let Some((&byte, rest)) = bytes.split_first()
        && byte < 0x80
    {
        *bytes = rest;
        return Some(byte.into());
    }
    let (mut x, mut shift) = (0, 0);
    loop {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if shift == 63 && byte > 1 {
            return None;
        }
        x |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(x);
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back() {
        let at = |line, col| Location {
            line,
            end_line: line + 1,
            col,
            end_col: col / 2,
        };
        let rows = vec![
            (0, at(9, 100)),
            (3, Location::default()),
            (4, at(70_000, 3)),
            (300, at(2, 0)),
        ];
        let packed = Locations::pack(rows.iter().copied());
        assert!(packed.check());
        assert_eq!(packed.iter().collect::<Vec<_>>(), rows);
        assert_eq!(packed.at(2), at(9, 100));
        assert_eq!(packed.at(299), at(70_000, 3));
        assert_eq!(packed.at(9999), at(2, 0));
    }

    #[test]
    fn damage_is_noticed() {
        let packed = Locations::pack([(0, Location::default()), (5, Location::default())]);
        let cut = packed.bytes()[..packed.bytes().len() - 1].to_vec();
        assert!(!Locations::unpacked(Cow::Owned(cut)).check());
        assert!(!Locations::unpacked(Cow::Owned(vec![0xff; 40])).check());
    }
}
