//! `%` formatting of `str` and `bytes`: the parser of templates and the rendering of numbers.
//!
//! Fetching arguments, and thus the errors about their number and types, is the caller's part. Templates are views;
//! bytes are read as Latin-1.

use std::ops::Range;

use super::float::{Layout, Options, format_float};
use super::format_spec::FormatError;
use super::huge::Pause;
use super::int::{IntRef, exceeds_digits, magnitude_digits};
use super::room_for;
use super::view::{StrBuf, StrView};

/// A width or a precision: written out, or the next argument's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Size {
    Fixed(usize),
    Star,
}

/// The flags of a directive.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Flags {
    pub left: bool,
    pub plus: bool,
    pub blank: bool,
    pub alternate: bool,
    pub zero: bool,
}

/// What follows a `%`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Directive {
    /// The mapping key, without its parentheses.
    pub key: Option<Range<usize>>,
    pub flags: Flags,
    pub width: Option<Size>,
    pub precision: Option<Size>,
    /// The conversion character, known or not.
    pub conversion: u32,
    /// Where it stands, for messages.
    pub index: usize,
}

impl Directive {
    /// The error of a conversion character that means nothing; to be raised once the argument has been fetched.
    #[must_use]
    pub fn unsupported(&self) -> FormatError {
        let c = self.conversion;
        let shown = if (0x20..0x80).contains(&c) {
            char::from(c as u8)
        } else {
            '?'
        };
        FormatError::value(format!(
            "unsupported format character '{shown}' (0x{c:x}) at index {}",
            self.index
        ))
    }

    /// The conversion as a byte, 0 where it is no ASCII character.
    #[must_use]
    pub fn letter(&self) -> u8 {
        if self.conversion < 0x80 {
            self.conversion as u8
        } else {
            0
        }
    }
}

/// A part of a template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// Text that stands for itself, a `%%` reduced to one sign by the range.
    Literal(Range<usize>),
    Directive(Directive),
    /// A `(` after the sign whose `)` is missing: `incomplete format key`, but where the argument is no mapping
    /// that error comes first, as it does for every key.
    BadKey,
}

/// Walks a template. The mapping check of a key comes before errors in its directive: ask `next_has_key` first.
#[derive(Clone, Debug)]
pub struct PercentParser<'a> {
    template: StrView<'a>,
    at: usize,
    bytes: bool,
}

impl<'a> PercentParser<'a> {
    #[must_use]
    pub fn new(template: StrView<'a>) -> PercentParser<'a> {
        PercentParser {
            template,
            at: 0,
            bytes: false,
        }
    }

    #[must_use]
    pub fn for_bytes(template: &'a [u8]) -> PercentParser<'a> {
        PercentParser {
            template: StrView::Latin1(template),
            at: 0,
            bytes: true,
        }
    }

    fn peek(&self) -> Option<u32> {
        self.template.get(self.at)
    }

    /// Whether a directive with a key comes next: then an argument that is no mapping is a `TypeError` at once.
    #[must_use]
    pub fn next_has_key(&self) -> bool {
        self.peek() == Some(0x25) && self.template.get(self.at + 1) == Some(0x28)
    }

    /// The next piece, `None` at the end.
    ///
    /// # Errors
    /// `ValueError` of a malformed directive.
    #[expect(
        clippy::should_implement_trait,
        reason = "a parser that stops at its first error is no iterator"
    )]
    pub fn next(&mut self) -> Result<Option<Piece>, FormatError> {
        let Some(c) = self.peek() else {
            return Ok(None);
        };
        if c == 0x25 && self.template.get(self.at + 1) != Some(0x25) {
            self.at += 1;
            return self.directive().map(Some);
        }
        // A doubled sign is the literal that starts at its second half.
        let start = if c == 0x25 { self.at + 1 } else { self.at };
        let rest = self.template.slice(start + 1..self.template.len());
        let end = start + 1 + rest.find_char(0x25).unwrap_or(rest.len());
        self.at = end;
        Ok(Some(Piece::Literal(start..end)))
    }

    fn directive(&mut self) -> Result<Piece, FormatError> {
        let mut key = None;
        if self.peek() == Some(0x28) {
            let start = self.at + 1;
            let mut depth = 1;
            self.at = start;
            while depth > 0 {
                match self.peek() {
                    Some(0x28) => depth += 1,
                    Some(0x29) => depth -= 1,
                    Some(_) => {}
                    None => return Ok(Piece::BadKey),
                }
                self.at += 1;
            }
            key = Some(start..self.at - 1);
        }
        let mut flags = Flags::default();
        loop {
            let flag = match self.peek() {
                Some(0x2d) => &mut flags.left,
                Some(0x2b) => &mut flags.plus,
                Some(0x20) => &mut flags.blank,
                Some(0x23) => &mut flags.alternate,
                Some(0x30) => &mut flags.zero,
                _ => break,
            };
            *flag = true;
            self.at += 1;
        }
        let width = self.size(isize::MAX as usize, "width too big")?;
        let mut precision = None;
        if self.peek() == Some(0x2e) {
            self.at += 1;
            let message = if self.bytes {
                "prec too big"
            } else {
                "precision too big"
            };
            precision = Some(self.size(i32::MAX as usize, message)?.unwrap_or(Size::Fixed(0)));
        }
        if matches!(self.peek(), Some(0x68 | 0x6c | 0x4c)) {
            self.at += 1;
        }
        let Some(conversion) = self.peek() else {
            return Err(FormatError::value("incomplete format"));
        };
        let index = self.at;
        self.at += 1;
        Ok(Piece::Directive(Directive {
            key,
            flags,
            width,
            precision,
            conversion,
            index,
        }))
    }

    fn size(&mut self, most: usize, message: &str) -> Result<Option<Size>, FormatError> {
        if self.peek() == Some(0x2a) {
            self.at += 1;
            return Ok(Some(Size::Star));
        }
        let mut size: Option<usize> = None;
        while let Some(digit @ 0x30..=0x39) = self.peek() {
            let digit = (digit - 0x30) as usize;
            let next = size
                .unwrap_or(0)
                .checked_mul(10)
                .and_then(|size| size.checked_add(digit));
            size = Some(
                next.filter(|&size| size <= most)
                    .ok_or_else(|| FormatError::value(message))?,
            );
            self.at += 1;
        }
        Ok(size.map(Size::Fixed))
    }
}

/// A directive with its stars resolved.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Field {
    pub flags: Flags,
    pub width: usize,
    pub precision: Option<usize>,
}

impl Field {
    /// The field of a directive, its stars answered by the arguments' values: a negative width means left, a negative
    /// precision is none of the kind it was (0).
    #[must_use]
    pub fn new(directive: &Directive, star_width: i64, star_precision: i64) -> Field {
        let mut flags = directive.flags;
        let width = match directive.width {
            None => 0,
            Some(Size::Fixed(width)) => width,
            Some(Size::Star) => {
                flags.left |= star_width < 0;
                usize::try_from(star_width.unsigned_abs()).unwrap_or(usize::MAX)
            }
        };
        let precision = directive.precision.map(|precision| match precision {
            Size::Fixed(precision) => precision,
            Size::Star => usize::try_from(star_precision).unwrap_or(0),
        });
        Field {
            flags,
            width,
            precision,
        }
    }

    /// `%d`, `%i`, `%u`, `%o`, `%x` and `%X`; `max_digits` of 0 is no limit.
    ///
    /// # Errors
    /// `ValueError` above the limit, `MemoryError`.
    pub fn render_int(
        &self,
        value: IntRef<'_>,
        letter: u8,
        max_digits: usize,
        pause: &mut Pause<'_>,
    ) -> Result<StrBuf, FormatError> {
        let (base, prefix) = match letter {
            b'o' => (8, "0o"),
            b'x' => (16, "0x"),
            b'X' => (16, "0X"),
            _ => (10, ""),
        };
        if let IntRef::Big(big) = value
            && base == 10
            && exceeds_digits(big, max_digits)
        {
            return Err(FormatError::too_many_digits(max_digits));
        }
        let mut digits = magnitude_digits(value, base, pause)?;
        if letter == b'X' {
            digits.make_ascii_uppercase();
        }
        if let Some(missing) = self.precision.and_then(|precision| precision.checked_sub(digits.len())) {
            let filled = StrView::Ascii(digits.as_bytes()).pad(missing, 0, u32::from(b'0'));
            let Some(StrBuf::Ascii(filled)) = filled else {
                return Err(FormatError::memory());
            };
            digits = String::from_utf8(filled).unwrap_or_default();
        }
        let prefix = if self.flags.alternate { prefix } else { "" };
        self.lay_out(value.is_negative(), prefix, &digits)
    }

    /// `%e`, `%f` and `%g` in either case.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn render_float(&self, value: f64, letter: u8) -> Result<StrBuf, FormatError> {
        let layout = match letter.to_ascii_lowercase() {
            b'e' => Layout::Exponent,
            b'f' => Layout::Fixed,
            _ => Layout::General,
        };
        let precision = self.precision.unwrap_or(6);
        // For the digits, and for the copy that is laid out.
        if !room_for(precision.saturating_mul(3)) {
            return Err(FormatError::memory());
        }
        let options = Options {
            alternate: self.flags.alternate,
            upper: letter.is_ascii_uppercase(),
            ..Options::default()
        };
        let text = format_float(value, layout, precision, options);
        match text.strip_prefix('-') {
            Some(text) => self.lay_out(true, "", text),
            None => self.lay_out(false, "", &text),
        }
    }

    /// `%s`, `%r`, `%a` and `%c` of a text; a precision cuts it.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn render_text(&self, text: StrView<'_>) -> Result<StrBuf, FormatError> {
        let text = match self.precision {
            Some(most) if most < text.len() => text.slice(0..most),
            _ => text,
        };
        let fill = self.width.saturating_sub(text.len());
        if fill == 0 {
            return Ok(text.to_buf());
        }
        let (before, after) = if self.flags.left { (0, fill) } else { (fill, 0) };
        text.pad(before, after, u32::from(b' ')).ok_or_else(FormatError::memory)
    }

    /// The same for `bytes`.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn render_bytes(&self, bytes: &[u8]) -> Result<Vec<u8>, FormatError> {
        let bytes = &bytes[..self.precision.map_or(bytes.len(), |most| most.min(bytes.len()))];
        let fill = self.width.saturating_sub(bytes.len());
        let (before, after) = if self.flags.left { (0, fill) } else { (fill, 0) };
        super::search::pad(bytes, before, after, b' ').ok_or_else(FormatError::memory)
    }

    fn lay_out(&self, negative: bool, prefix: &str, digits: &str) -> Result<StrBuf, FormatError> {
        let sign = match (negative, self.flags.plus, self.flags.blank) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        };
        let fill = self.width.saturating_sub(sign.len() + prefix.len() + digits.len());
        let mut out = Vec::new();
        if out
            .try_reserve_exact(fill + sign.len() + prefix.len() + digits.len())
            .is_err()
        {
            return Err(FormatError::memory());
        }
        let zeros = self.flags.zero && !self.flags.left;
        if !zeros && !self.flags.left {
            out.resize(fill, b' ');
        }
        out.extend_from_slice(sign.as_bytes());
        out.extend_from_slice(prefix.as_bytes());
        if zeros {
            out.resize(out.len() + fill, b'0');
        }
        out.extend_from_slice(digits.as_bytes());
        if self.flags.left {
            out.resize(out.len() + fill, b' ');
        }
        Ok(StrBuf::Ascii(out))
    }
}
