//! Tests and mappings of single characters, by the ASCII, locale and Unicode rules.
//!
//! Invariant: total for any `u32`.

use super::codes::{MAXREPEAT, op};
use lisle_runtime::text::unicode::{self, CaseMap};

pub fn lower_ascii(c: u32) -> u32 {
    if c.wrapping_sub(0x41) < 26 { c + 32 } else { c }
}

/// The lower case as `re` sees it: the first character of the full mapping.
pub fn lower_unicode(c: u32) -> u32 {
    if c < 0x80 {
        return lower_ascii(c);
    }
    first_of(c, CaseMap::Lower)
}

/// The upper case as `re` sees it.
pub fn upper_unicode(c: u32) -> u32 {
    first_of(c, CaseMap::Upper)
}

fn first_of(c: u32, map: CaseMap) -> u32 {
    let mut first = None;
    unicode::map_case(c, map, |mapped| first = first.or(Some(mapped)));
    first.unwrap_or(c)
}

fn lower_locale(c: u32) -> u32 {
    if c < 256 {
        // SAFETY: defined for every value of an unsigned char.
        unsafe { libc::tolower(c as i32) as u32 }
    } else {
        c
    }
}

fn upper_locale(c: u32) -> u32 {
    if c < 256 {
        // SAFETY: defined for every value of an unsigned char.
        unsafe { libc::toupper(c as i32) as u32 }
    } else {
        c
    }
}

fn ascii(c: u32, test: impl FnOnce(&u8) -> bool) -> bool {
    u8::try_from(c).is_ok_and(|byte| test(&byte))
}

pub fn is_word_ascii(c: u32) -> bool {
    c == 0x5f || ascii(c, u8::is_ascii_alphanumeric)
}

pub fn is_word_locale(c: u32) -> bool {
    // SAFETY: defined for every value of an unsigned char.
    c == 0x5f || c < 256 && unsafe { libc::isalnum(c as i32) } != 0
}

pub fn is_word_unicode(c: u32) -> bool {
    if c < 0x80 {
        return is_word_ascii(c);
    }
    unicode::is_alnum(c)
}

pub fn is_line_break(c: u32) -> bool {
    c == 0x0a
}

fn is_space_ascii(c: u32) -> bool {
    matches!(c, 9..=13 | 32)
}

/// Whether a character belongs to a category of `re._constants.CHCODES`.
pub fn in_category(category: u32, c: u32) -> bool {
    let yes = match category & !1 {
        0 => ascii(c, u8::is_ascii_digit),
        2 => is_space_ascii(c),
        4 => is_word_ascii(c),
        6 => is_line_break(c),
        8 => is_word_locale(c),
        10 => unicode::is_decimal(c),
        12 => unicode::is_space(c),
        14 => is_word_unicode(c),
        16 => unicode::is_line_break(c),
        _ => return false,
    };
    yes == (category & 1 == 0)
}

/// The word of the program at `pc`; `FAILURE` past its end.
#[inline(always)]
pub fn word(code: &[u32], pc: usize) -> u32 {
    code.get(pc).copied().unwrap_or(op::FAILURE)
}

/// Whether a character belongs to the set whose description begins at `pc`.
pub fn in_charset(code: &[u32], mut pc: usize, c: u32) -> bool {
    let mut ok = true;
    loop {
        let operator = word(code, pc);
        pc += 1;
        match operator {
            op::LITERAL => {
                if c == word(code, pc) {
                    return ok;
                }
                pc += 1;
            }
            op::CATEGORY => {
                if in_category(word(code, pc), c) {
                    return ok;
                }
                pc += 1;
            }
            op::CHARSET => {
                if c < 256 && word(code, pc + (c >> 5) as usize) >> (c & 31) & 1 != 0 {
                    return ok;
                }
                pc += 8;
            }
            op::RANGE => {
                if word(code, pc) <= c && c <= word(code, pc + 1) {
                    return ok;
                }
                pc += 2;
            }
            op::RANGE_UNI_IGNORE => {
                let range = word(code, pc)..=word(code, pc + 1);
                if range.contains(&c) || range.contains(&upper_unicode(c)) {
                    return ok;
                }
                pc += 2;
            }
            op::NEGATE => ok = !ok,
            op::BIGCHARSET => {
                let count = word(code, pc) as usize;
                pc += 1;
                if c < 0x1_0000 {
                    let high = (c >> 8) as usize;
                    let block = word(code, pc + high / 4).to_ne_bytes()[high & 3];
                    let bit = (usize::from(block) << 8) + (c & 0xff) as usize;
                    if word(code, pc + 64 + bit / 32) >> (bit & 31) & 1 != 0 {
                        return ok;
                    }
                }
                pc = pc.saturating_add(64 + count.min(MAXREPEAT as usize) * 8);
            }
            // `FAILURE` ends the set.
            _ => return !ok,
        }
    }
}

/// Whether a character is a case variant of one in a set by the rules of the locale.
fn in_charset_locale(code: &[u32], pc: usize, c: u32) -> bool {
    let lower = lower_locale(c);
    in_charset(code, pc, lower) || {
        let upper = upper_locale(c);
        upper != lower && in_charset(code, pc, upper)
    }
}

/// Whether a character equals a literal by the rules of the locale, ignoring case.
fn is_literal_locale(literal: u32, c: u32) -> bool {
    c == literal || lower_locale(c) == literal || upper_locale(c) == literal
}

/// Whether the operator at `pc`, one that takes a single character, takes this one.
#[inline]
pub fn takes(code: &[u32], pc: usize, c: u32) -> bool {
    let argument = || word(code, pc + 1);
    match word(code, pc) {
        op::ANY => !is_line_break(c),
        op::ANY_ALL => true,
        op::LITERAL => c == argument(),
        op::NOT_LITERAL => c != argument(),
        op::IN => in_charset(code, pc + 2, c),
        op::CATEGORY => in_category(argument(), c),
        op::LITERAL_IGNORE => lower_ascii(c) == argument(),
        op::NOT_LITERAL_IGNORE => lower_ascii(c) != argument(),
        op::IN_IGNORE => in_charset(code, pc + 2, lower_ascii(c)),
        op::LITERAL_UNI_IGNORE => lower_unicode(c) == argument(),
        op::NOT_LITERAL_UNI_IGNORE => lower_unicode(c) != argument(),
        op::IN_UNI_IGNORE => in_charset(code, pc + 2, lower_unicode(c)),
        op::LITERAL_LOC_IGNORE => is_literal_locale(argument(), c),
        op::NOT_LITERAL_LOC_IGNORE => !is_literal_locale(argument(), c),
        op::IN_LOC_IGNORE => in_charset_locale(code, pc + 2, c),
        _ => false,
    }
}

/// How a back reference compares.
pub fn fold(operator: u32) -> fn(u32) -> u32 {
    match operator {
        op::GROUPREF_IGNORE => lower_ascii,
        op::GROUPREF_UNI_IGNORE => lower_unicode,
        op::GROUPREF_LOC_IGNORE => lower_locale,
        _ => |c| c,
    }
}
