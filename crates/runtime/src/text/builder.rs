//! Grows text of unknown width: narrow until a character needs more.
//!
//! The buffer is canonical at every moment, so `finish` costs nothing.

use std::fmt;

use super::view::{Kind, StrBuf, StrView, Unit, cast, extend, widest, with_units};

#[derive(Debug, Default)]
pub struct StrBuilder {
    buf: StrBuf,
}

impl StrBuilder {
    #[must_use]
    pub const fn new() -> StrBuilder {
        StrBuilder { buf: StrBuf::new() }
    }

    #[must_use]
    pub fn with_capacity(units: usize) -> StrBuilder {
        StrBuilder {
            buf: StrBuf::Ascii(Vec::with_capacity(units)),
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.buf.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buf.is_empty()
    }

    #[must_use]
    pub fn view(&self) -> StrView<'_> {
        self.buf.view()
    }

    pub fn reserve(&mut self, more: usize) {
        match &mut self.buf {
            StrBuf::Ascii(s) | StrBuf::Latin1(s) => s.reserve(more),
            StrBuf::Ucs2(s) => s.reserve(more),
            StrBuf::Ucs4(s) => s.reserve(more),
        }
    }

    /// Reserves room, or says `false` where there is no memory for it: for sizes that a program picks.
    #[must_use]
    pub fn try_reserve(&mut self, more: usize) -> bool {
        match &mut self.buf {
            StrBuf::Ascii(s) | StrBuf::Latin1(s) => s.try_reserve(more).is_ok(),
            StrBuf::Ucs2(s) => s.try_reserve(more).is_ok(),
            StrBuf::Ucs4(s) => s.try_reserve(more).is_ok(),
        }
    }

    #[inline]
    pub fn push(&mut self, code: u32) {
        match &mut self.buf {
            StrBuf::Ascii(s) if code < 0x80 => s.push(code as u8),
            StrBuf::Latin1(s) if code < 0x100 => s.push(code as u8),
            StrBuf::Ucs2(s) if code < 0x1_0000 => s.push(code as u16),
            StrBuf::Ucs4(s) => s.push(code),
            _ => {
                self.widen(Kind::of_code(code));
                self.push(code);
            }
        }
    }

    /// Appends bytes that are ASCII.
    pub fn push_ascii(&mut self, text: &[u8]) {
        debug_assert!(text.is_ascii());
        self.append(StrView::Ascii(text));
    }

    pub fn push_str(&mut self, text: &str) {
        if text.is_ascii() {
            self.push_ascii(text.as_bytes());
        } else {
            self.reserve(text.len());
            self.widen(kind_of_utf8(text.as_bytes()));
            text.chars().for_each(|c| self.push(u32::from(c)));
        }
    }

    pub fn push_view(&mut self, view: StrView<'_>) {
        if view.kind() > self.buf.view().kind() {
            // A view cut out of a wider text may hold less than its kind allows.
            let kind = with_units!(view, s => widest(s));
            self.widen(kind);
        }
        self.append(view);
    }

    /// Appends `code` `count` times.
    pub fn push_repeat(&mut self, code: u32, count: usize) {
        if count == 0 {
            return;
        }
        self.widen(Kind::of_code(code));
        match &mut self.buf {
            StrBuf::Ascii(s) | StrBuf::Latin1(s) => s.resize(s.len() + count, code as u8),
            StrBuf::Ucs2(s) => s.resize(s.len() + count, code as u16),
            StrBuf::Ucs4(s) => s.resize(s.len() + count, code),
        }
    }

    #[must_use]
    pub fn finish(self) -> StrBuf {
        self.buf
    }

    /// Appends a view that is known to fit.
    fn append(&mut self, view: StrView<'_>) {
        match &mut self.buf {
            StrBuf::Ascii(s) | StrBuf::Latin1(s) => extend(s, view),
            StrBuf::Ucs2(s) => extend(s, view),
            StrBuf::Ucs4(s) => extend(s, view),
        }
    }

    fn widen(&mut self, kind: Kind) {
        if kind <= self.buf.view().kind() {
            return;
        }
        let spare = match &self.buf {
            StrBuf::Ascii(s) | StrBuf::Latin1(s) => s.capacity() - s.len(),
            StrBuf::Ucs2(s) => s.capacity() - s.len(),
            StrBuf::Ucs4(s) => s.capacity() - s.len(),
        };
        self.buf = match (std::mem::take(&mut self.buf), kind) {
            (StrBuf::Ascii(s), Kind::Latin1) => StrBuf::Latin1(s),
            (buf, Kind::Ucs2) => StrBuf::Ucs2(widened(buf.view(), spare)),
            (buf, Kind::Ucs4) => StrBuf::Ucs4(widened(buf.view(), spare)),
            (buf, _) => buf,
        };
    }
}

fn widened<U: Unit>(view: StrView<'_>, spare: usize) -> Vec<U> {
    let mut out = Vec::with_capacity(view.len() + spare.max(1));
    extend(&mut out, view);
    out
}

impl fmt::Write for StrBuilder {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

/// The kind that the characters of valid UTF-8 need, told from the lead bytes alone.
pub(super) fn kind_of_utf8(bytes: &[u8]) -> Kind {
    match bytes.iter().copied().max().unwrap_or(0) {
        0..0x80 => Kind::Ascii,
        0x80..0xc4 => Kind::Latin1,
        0xc4..0xf0 => Kind::Ucs2,
        _ => Kind::Ucs4,
    }
}

/// Valid UTF-8 as canonical text.
#[must_use]
pub fn from_utf8_str(text: &str) -> StrBuf {
    fn decode<U: Unit>(text: &str) -> Vec<U> {
        // Counting first is cheap, and a loop over slots needs no check for room.
        let mut out = vec![U::truncate(0); text.chars().count()];
        out.iter_mut()
            .zip(text.chars())
            .for_each(|(slot, c)| *slot = U::truncate(u32::from(c)));
        out
    }
    match kind_of_utf8(text.as_bytes()) {
        Kind::Ascii => StrBuf::Ascii(text.as_bytes().to_vec()),
        Kind::Latin1 => StrBuf::Latin1(decode(text)),
        Kind::Ucs2 => StrBuf::Ucs2(decode(text)),
        Kind::Ucs4 => StrBuf::Ucs4(decode(text)),
    }
}

/// Code points as canonical text.
#[must_use]
pub fn from_codes(codes: &[u32]) -> StrBuf {
    match widest(codes) {
        Kind::Ascii => StrBuf::Ascii(cast(codes)),
        Kind::Latin1 => StrBuf::Latin1(cast(codes)),
        Kind::Ucs2 => StrBuf::Ucs2(cast(codes)),
        Kind::Ucs4 => StrBuf::Ucs4(codes.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widens_as_late_as_it_can() {
        let mut b = StrBuilder::new();
        b.push_str("abc");
        assert!(matches!(b.view(), StrView::Ascii(_)));
        b.push(0xe9);
        assert!(matches!(b.view(), StrView::Latin1(_)));
        let wide = from_utf8_str("\u{1f600}q");
        b.push_view(wide.view().slice(1..2));
        assert!(matches!(b.view(), StrView::Latin1(_)));
        b.push_str("\u{ac00}");
        b.push_repeat(0x2d, 3);
        assert!(matches!(b.view(), StrView::Ucs2(_)));
        b.push_view(wide.view());
        let buf = b.finish();
        assert!(matches!(buf, StrBuf::Ucs4(_)));
        assert_eq!(buf, "abc\u{e9}q\u{ac00}---\u{1f600}q");
    }
}
