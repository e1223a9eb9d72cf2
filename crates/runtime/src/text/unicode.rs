//! Character properties and case mappings of Unicode 16, as CPython 3.14 sees them.
//!
//! Every question is two table lookups; code points are `u32` so that lone surrogates need no
//! special case (they have no property and map to themselves). The tables are generated; names,
//! decompositions and the other data of `unicodedata` are not here.

use super::unicode_tables::{BLOCKS, INDEX, RECORDS, SHIFT, SPECIALS};

/// What is known of one class of characters. Mappings are offsets, so that classes are few.
pub(super) struct Record {
    pub(super) flags: u16,
    pub(super) lower: i32,
    pub(super) upper: i32,
    pub(super) title: i32,
    /// Index of the full mappings, or 0 where the simple ones are complete.
    pub(super) special: u16,
    pub(super) digit: u8,
}

/// Full case mappings of one character.
pub(super) struct Special {
    pub(super) lower: &'static [u32],
    pub(super) upper: &'static [u32],
    pub(super) title: &'static [u32],
    pub(super) fold: &'static [u32],
}

const ALPHA: u16 = 1;
const DECIMAL: u16 = 1 << 1;
const DIGIT: u16 = 1 << 2;
const NUMERIC: u16 = 1 << 3;
const LOWER: u16 = 1 << 4;
const UPPER: u16 = 1 << 5;
const TITLE: u16 = 1 << 6;
const SPACE: u16 = 1 << 7;
const PRINTABLE: u16 = 1 << 8;
const XID_START: u16 = 1 << 9;
const XID_CONTINUE: u16 = 1 << 10;
const CASED: u16 = 1 << 11;
const CASE_IGNORABLE: u16 = 1 << 12;

#[inline]
fn record(c: u32) -> &'static Record {
    let block = INDEX.get((c >> SHIFT) as usize).copied().unwrap_or(0) as usize;
    let entry = BLOCKS[(block << SHIFT) | (c as usize & ((1 << SHIFT) - 1))];
    &RECORDS[entry as usize]
}

macro_rules! predicates {
    ($($(#[$doc:meta])* $name:ident = $flags:expr;)*) => {
        $($(#[$doc])* #[inline] #[must_use] pub fn $name(c: u32) -> bool { record(c).flags & ($flags) != 0 })*
    };
}

predicates! {
    /// A letter of any kind: `str.isalpha` of one character.
    is_alpha = ALPHA;
    /// A decimal digit of any script.
    is_decimal = DECIMAL;
    /// A digit, superscripts and the like included.
    is_digit = DIGIT;
    /// Anything with a numeric value.
    is_numeric = NUMERIC;
    /// A letter or a number.
    is_alnum = ALPHA | NUMERIC;
    /// The derived property Lowercase.
    is_lower = LOWER;
    /// The derived property Uppercase.
    is_upper = UPPER;
    /// A titlecase letter such as U+01C5.
    is_title = TITLE;
    /// What `repr` shows unescaped.
    is_printable = PRINTABLE;
    /// May open an identifier; the underscore is the caller's.
    is_xid_start = XID_START;
    /// May continue an identifier.
    is_xid_continue = XID_CONTINUE;
    /// The derived property Cased.
    is_cased = CASED;
    /// The derived property Case_Ignorable.
    is_case_ignorable = CASE_IGNORABLE;
}

/// White space for `str.split`, `str.strip` and `str.isspace`.
#[inline]
#[must_use]
pub fn is_space(c: u32) -> bool {
    if c < 0x80 {
        is_ascii_space(c)
    } else {
        record(c).flags & SPACE != 0
    }
}

/// White space among ASCII for `str`: unlike for `bytes`, the four separators 0x1c..0x1f count.
#[inline]
#[must_use]
pub fn is_ascii_space(c: u32) -> bool {
    matches!(c, 0x09..=0x0d | 0x1c..=0x20)
}

/// A character at which `str.splitlines` breaks.
#[inline]
#[must_use]
pub fn is_line_break(c: u32) -> bool {
    matches!(c, 0x0a..=0x0d | 0x1c..=0x1e | 0x85 | 0x2028 | 0x2029)
}

/// A code unit of UTF-16 surrogates, which no valid UTF-8 can hold.
#[inline]
#[must_use]
pub fn is_surrogate(c: u32) -> bool {
    c & 0xffff_f800 == 0xd800
}

/// The value 0..=9 of a decimal digit of any script.
#[inline]
#[must_use]
pub fn decimal_value(c: u32) -> Option<u32> {
    if c < 0x80 {
        return (c.wrapping_sub(u32::from(b'0')) < 10).then(|| c - u32::from(b'0'));
    }
    let record = record(c);
    (record.flags & DECIMAL != 0).then(|| u32::from(record.digit))
}

/// The lower case of one character where it is a single one (`re`'s folding, for one).
#[must_use]
pub fn simple_lower(c: u32) -> u32 {
    c.wrapping_add_signed(record(c).lower)
}

/// The upper case of one character as a single one.
#[must_use]
pub fn simple_upper(c: u32) -> u32 {
    c.wrapping_add_signed(record(c).upper)
}

/// The title case of one character as a single one.
#[must_use]
pub fn simple_title(c: u32) -> u32 {
    c.wrapping_add_signed(record(c).title)
}

/// A case mapping into one to three characters.
#[derive(Clone, Copy)]
pub enum CaseMap {
    Lower,
    Upper,
    Title,
    Fold,
}

/// Calls `push` for each character of the full mapping of `c`; the final sigma is the caller's.
#[inline]
pub fn map_case(c: u32, map: CaseMap, mut push: impl FnMut(u32)) {
    let record = record(c);
    if record.special == 0 {
        let offset = match map {
            CaseMap::Lower | CaseMap::Fold => record.lower,
            CaseMap::Upper => record.upper,
            CaseMap::Title => record.title,
        };
        push(c.wrapping_add_signed(offset));
        return;
    }
    let special = &SPECIALS[record.special as usize];
    let full = match map {
        CaseMap::Lower => special.lower,
        CaseMap::Upper => special.upper,
        CaseMap::Title => special.title,
        CaseMap::Fold => special.fold,
    };
    for &c in full {
        push(c);
    }
}
