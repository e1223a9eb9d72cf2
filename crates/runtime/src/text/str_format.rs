//! Templates of `str.format`: the parser behind `_string.formatter_parser` and `_string.formatter_field_name_split`.
//!
//! Nested specs come out as ranges to be parsed again by the caller, who also looks values up.

use std::ops::Range;

use super::format_spec::FormatError;
use super::unicode::decimal_value;
use super::view::StrView;

/// A replacement field: ranges into the template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReplacementField {
    pub name: Range<usize>,
    pub spec: Range<usize>,
    pub conversion: Option<u32>,
    /// Whether the spec holds fields of its own.
    pub nested: bool,
}

/// Text that stands for itself, then perhaps a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Markup {
    pub literal: Range<usize>,
    pub field: Option<ReplacementField>,
}

/// Walks a template.
#[derive(Clone, Debug)]
pub struct MarkupParser<'a> {
    template: StrView<'a>,
    at: usize,
}

const OPEN: u32 = '{' as u32;
const CLOSE: u32 = '}' as u32;

impl<'a> MarkupParser<'a> {
    #[must_use]
    pub fn new(template: StrView<'a>) -> MarkupParser<'a> {
        MarkupParser { template, at: 0 }
    }

    /// The next piece, `None` at the end. A doubled brace ends its literal, which holds it once.
    ///
    /// # Errors
    /// `ValueError` with CPython's message.
    #[expect(
        clippy::should_implement_trait,
        reason = "a parser that stops at its first error is no iterator"
    )]
    pub fn next(&mut self) -> Result<Option<Markup>, FormatError> {
        if self.at >= self.template.len() {
            return Ok(None);
        }
        let start = self.at;
        let mut brace = None;
        while let Some(c) = self.template.get(self.at) {
            self.at += 1;
            if c == OPEN || c == CLOSE {
                brace = Some(c);
                break;
            }
        }
        let Some(brace) = brace else {
            return Ok(Some(Markup {
                literal: start..self.at,
                field: None,
            }));
        };
        if self.template.get(self.at) == Some(brace) {
            self.at += 1;
            return Ok(Some(Markup {
                literal: start..self.at - 1,
                field: None,
            }));
        }
        if brace == CLOSE {
            return Err(FormatError::value("Single '}' encountered in format string"));
        }
        if self.at >= self.template.len() {
            return Err(FormatError::value("Single '{' encountered in format string"));
        }
        let literal = start..self.at - 1;
        let field = self.field()?;
        Ok(Some(Markup {
            literal,
            field: Some(field),
        }))
    }

    fn field(&mut self) -> Result<ReplacementField, FormatError> {
        let start = self.at;
        let mut in_brackets = false;
        // What ends the name; inside brackets only a closing one counts.
        let end = loop {
            let Some(c) = self.template.get(self.at) else {
                return Err(FormatError::value("expected '}' before end of string"));
            };
            self.at += 1;
            match char::from_u32(c) {
                Some('{') if !in_brackets => return Err(FormatError::value("unexpected '{' in field name")),
                Some('[') => in_brackets = true,
                Some(']') => in_brackets = false,
                Some('}' | ':' | '!') if !in_brackets => break c,
                _ => {}
            }
        };
        let name = start..self.at - 1;
        let mut conversion = None;
        if end == CLOSE {
            return Ok(ReplacementField {
                name,
                spec: self.at - 1..self.at - 1,
                conversion,
                nested: false,
            });
        }
        if end == u32::from(b'!') {
            let Some(c) = self.template.get(self.at) else {
                return Err(FormatError::value(
                    "end of string while looking for conversion specifier",
                ));
            };
            conversion = Some(c);
            self.at += 1;
            match self.template.get(self.at) {
                Some(CLOSE) => {
                    self.at += 1;
                    return Ok(ReplacementField {
                        name,
                        spec: self.at - 1..self.at - 1,
                        conversion,
                        nested: false,
                    });
                }
                Some(0x3a) => self.at += 1,
                Some(_) => return Err(FormatError::value("expected ':' after conversion specifier")),
                None => return Err(FormatError::value("unmatched '{' in format spec")),
            }
        }
        let start = self.at;
        let mut depth = 1;
        let mut nested = false;
        while let Some(c) = self.template.get(self.at) {
            self.at += 1;
            if c == OPEN {
                nested = true;
                depth += 1;
            } else if c == CLOSE {
                depth -= 1;
                if depth == 0 {
                    return Ok(ReplacementField {
                        name,
                        spec: start..self.at - 1,
                        conversion,
                        nested,
                    });
                }
            }
        }
        Err(FormatError::value("unmatched '{' in format spec"))
    }
}

/// The first part of a field name, or the subscript of a later one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    Index(usize),
    Name(Range<usize>),
}

/// A step from a value to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    Attribute(Range<usize>),
    Item(Key),
}

/// A field name: what to start from (`Name` of an empty range where it is left to numbering), then the steps.
#[derive(Clone, Debug)]
pub struct FieldName<'a> {
    name: StrView<'a>,
    pub first: Key,
    at: usize,
}

impl<'a> FieldName<'a> {
    /// Splits off the first part. Ranges count within `name`.
    ///
    /// # Errors
    /// `ValueError` of a number that is too large.
    pub fn new(name: StrView<'a>) -> Result<FieldName<'a>, FormatError> {
        let end = name
            .chars()
            .position(|c| c == '.' as u32 || c == '[' as u32)
            .unwrap_or(name.len());
        Ok(FieldName {
            name,
            first: key(name, 0..end)?,
            at: end,
        })
    }

    /// The next step, `None` at the end.
    ///
    /// # Errors
    /// `ValueError` with CPython's message.
    pub fn next_step(&mut self) -> Result<Option<Step>, FormatError> {
        let Some(c) = self.name.get(self.at) else {
            return Ok(None);
        };
        self.at += 1;
        let start = self.at;
        let find = |end: fn(u32) -> bool| {
            self.name
                .slice(start..self.name.len())
                .chars()
                .position(end)
                .map(|offset| start + offset)
        };
        let step = match char::from_u32(c) {
            Some('.') => {
                self.at = find(|c| c == '.' as u32 || c == '[' as u32).unwrap_or(self.name.len());
                Step::Attribute(start..self.at)
            }
            Some('[') => {
                let end =
                    find(|c| c == ']' as u32).ok_or_else(|| FormatError::value("Missing ']' in format string"))?;
                self.at = end + 1;
                Step::Item(key(self.name, start..end)?)
            }
            _ => {
                let message = "Only '.' or '[' may follow ']' in format field specifier";
                return Err(FormatError::value(message));
            }
        };
        if matches!(&step, Step::Attribute(range) | Step::Item(Key::Name(range)) if range.is_empty()) {
            return Err(FormatError::value("Empty attribute in format string"));
        }
        Ok(Some(step))
    }
}

/// A range of digits as a number, anything else as a name.
fn key(name: StrView<'_>, range: Range<usize>) -> Result<Key, FormatError> {
    if range.is_empty() {
        return Ok(Key::Name(range));
    }
    let mut index = 0usize;
    for c in name.slice(range.clone()).chars() {
        let Some(digit) = decimal_value(c) else {
            return Ok(Key::Name(range));
        };
        index = index
            .checked_mul(10)
            .and_then(|index| index.checked_add(digit as usize))
            .filter(|&index| index <= isize::MAX as usize)
            .ok_or_else(|| FormatError::value("Too many decimal digits in format string"))?;
    }
    Ok(Key::Index(index))
}

/// Numbering of fields without a name: all or none of a template's.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Numbering {
    #[default]
    Undecided,
    Manual,
    Automatic(usize),
}

impl Numbering {
    /// The index for a field without a name.
    ///
    /// # Errors
    /// `ValueError` after a field with a number.
    pub fn automatic(&mut self) -> Result<usize, FormatError> {
        let index = match self {
            Numbering::Undecided => 0,
            Numbering::Automatic(next) => *next,
            Numbering::Manual => {
                let message = "cannot switch from manual field specification to automatic field numbering";
                return Err(FormatError::value(message));
            }
        };
        *self = Numbering::Automatic(index + 1);
        Ok(index)
    }

    /// Notes a field with a number.
    ///
    /// # Errors
    /// `ValueError` after a field without a name.
    pub fn manual(&mut self) -> Result<(), FormatError> {
        if matches!(self, Numbering::Automatic(_)) {
            let message = "cannot switch from automatic field numbering to manual field specification";
            return Err(FormatError::value(message));
        }
        *self = Numbering::Manual;
        Ok(())
    }
}
