//! Case mappings and character tests of `str` and of `bytes`.
//!
//! The functions of the module `bytes` know only ASCII; those of `StrView` follow Unicode, with the
//! Greek final sigma as the only rule that looks at neighbours.

use super::unicode::{self, CaseMap, map_case};
use super::view::{StrBuf, StrView, Unit, with_units};

const CAPITAL_SIGMA: u32 = 0x3a3;

impl StrView<'_> {
    #[must_use]
    pub fn to_upper(self) -> StrBuf {
        match self {
            StrView::Ascii(s) => StrBuf::Ascii(s.to_ascii_uppercase()),
            other => with_units!(other, s => map_all(s, |_, c, out| push_map(c, CaseMap::Upper, out))),
        }
    }

    #[must_use]
    pub fn to_lower(self) -> StrBuf {
        match self {
            StrView::Ascii(s) => StrBuf::Ascii(s.to_ascii_lowercase()),
            other => with_units!(other, s => map_all(s, |i, c, out| lower(s, i, c, out))),
        }
    }

    #[must_use]
    pub fn to_title(self) -> StrBuf {
        match self {
            StrView::Ascii(s) => StrBuf::Ascii(bytes::title(s)),
            other => with_units!(other, s => {
                let mut after_cased = false;
                map_all(s, |i, c, out| {
                    if after_cased {
                        lower(s, i, c, out);
                    } else {
                        push_map(c, CaseMap::Title, out);
                    }
                    after_cased = unicode::is_cased(c);
                })
            }),
        }
    }

    #[must_use]
    pub fn capitalize(self) -> StrBuf {
        match self {
            StrView::Ascii(s) => StrBuf::Ascii(bytes::capitalize(s)),
            other => with_units!(other, s => map_all(s, |i, c, out| {
                if i == 0 {
                    push_map(c, CaseMap::Title, out);
                } else {
                    lower(s, i, c, out);
                }
            })),
        }
    }

    #[must_use]
    pub fn swap_case(self) -> StrBuf {
        match self {
            StrView::Ascii(s) => StrBuf::Ascii(bytes::swap_case(s)),
            other => with_units!(other, s => map_all(s, |i, c, out| {
                if unicode::is_upper(c) {
                    lower(s, i, c, out);
                } else if unicode::is_lower(c) {
                    push_map(c, CaseMap::Upper, out);
                } else {
                    out.push(c);
                }
            })),
        }
    }

    #[must_use]
    pub fn case_fold(self) -> StrBuf {
        match self {
            StrView::Ascii(s) => StrBuf::Ascii(s.to_ascii_lowercase()),
            other => with_units!(other, s => map_all(s, |_, c, out| push_map(c, CaseMap::Fold, out))),
        }
    }

    #[must_use]
    pub fn is_alpha(self) -> bool {
        match self {
            StrView::Ascii(s) => bytes::is_alpha(s),
            other => all(other, unicode::is_alpha),
        }
    }

    #[must_use]
    pub fn is_alnum(self) -> bool {
        match self {
            StrView::Ascii(s) => bytes::is_alnum(s),
            other => all(other, unicode::is_alnum),
        }
    }

    #[must_use]
    pub fn is_decimal(self) -> bool {
        match self {
            StrView::Ascii(s) => bytes::is_digit(s),
            other => all(other, unicode::is_decimal),
        }
    }

    #[must_use]
    pub fn is_digit(self) -> bool {
        match self {
            StrView::Ascii(s) => bytes::is_digit(s),
            other => all(other, unicode::is_digit),
        }
    }

    #[must_use]
    pub fn is_numeric(self) -> bool {
        match self {
            StrView::Ascii(s) => bytes::is_digit(s),
            other => all(other, unicode::is_numeric),
        }
    }

    #[must_use]
    pub fn is_space(self) -> bool {
        all(self, unicode::is_space)
    }

    /// Whether `repr` shows every character as it is; true of the empty text.
    #[must_use]
    pub fn is_printable(self) -> bool {
        match self {
            StrView::Ascii(s) => s.iter().all(|b| (0x20..0x7f).contains(b)),
            other => other.is_empty() || all(other, unicode::is_printable),
        }
    }

    #[must_use]
    pub fn is_identifier(self) -> bool {
        let Some(first) = self.get(0) else {
            return false;
        };
        (first == u32::from(b'_') || unicode::is_xid_start(first)) && all(self, unicode::is_xid_continue)
    }

    #[must_use]
    pub fn is_lower(self) -> bool {
        match self {
            StrView::Ascii(s) => bytes::is_lower(s),
            other => with_units!(other, s => {
                let mut found = false;
                for c in s.iter().map(|u| u.code()) {
                    if unicode::is_upper(c) || unicode::is_title(c) {
                        return false;
                    }
                    found |= unicode::is_lower(c);
                }
                found
            }),
        }
    }

    #[must_use]
    pub fn is_upper(self) -> bool {
        match self {
            StrView::Ascii(s) => bytes::is_upper(s),
            other => with_units!(other, s => {
                let mut found = false;
                for c in s.iter().map(|u| u.code()) {
                    if unicode::is_lower(c) || unicode::is_title(c) {
                        return false;
                    }
                    found |= unicode::is_upper(c);
                }
                found
            }),
        }
    }

    #[must_use]
    pub fn is_title(self) -> bool {
        match self {
            StrView::Ascii(s) => bytes::is_title(s),
            other => with_units!(other, s => is_title(s.iter().map(|u| {
                let c = u.code();
                (unicode::is_upper(c) || unicode::is_title(c), unicode::is_lower(c))
            }))),
        }
    }
}

fn all(view: StrView<'_>, test: impl Fn(u32) -> bool) -> bool {
    with_units!(view, s => !s.is_empty() && s.iter().all(|u| test(u.code())))
}

/// Whether capitals follow what has no case, and small letters what has; over (capital, small) of each character.
fn is_title(chars: impl Iterator<Item = (bool, bool)>) -> bool {
    let mut found = false;
    let mut after_cased = false;
    for (capital, small) in chars {
        if capital && after_cased || small && !after_cased && !capital {
            return false;
        }
        after_cased = capital || small;
        found |= after_cased;
    }
    found
}

fn map_all<U: Unit>(text: &[U], mut map: impl FnMut(usize, u32, &mut Vec<u32>)) -> StrBuf {
    let mut out: Vec<u32> = Vec::with_capacity(text.len());
    for (i, u) in text.iter().enumerate() {
        map(i, u.code(), &mut out);
    }
    Unit::into_buf(out)
}

#[inline]
fn push_map(c: u32, map: CaseMap, out: &mut Vec<u32>) {
    map_case(c, map, |c| out.push(c));
}

fn lower<U: Unit>(text: &[U], at: usize, c: u32, out: &mut Vec<u32>) {
    if c == CAPITAL_SIGMA {
        out.push(if is_final_sigma(text, at) { 0x3c2 } else { 0x3c3 });
    } else {
        push_map(c, CaseMap::Lower, out);
    }
}

/// A sigma is final where a cased letter precedes it and none follows, ignorable characters aside.
fn is_final_sigma<U: Unit>(text: &[U], at: usize) -> bool {
    let cased = |c: Option<u32>| c.is_some_and(unicode::is_cased);
    let weighs = |c: &u32| !unicode::is_case_ignorable(*c);
    let before = text[..at].iter().rev().map(|u| u.code()).find(weighs);
    let after = text[at + 1..].iter().map(|u| u.code()).find(weighs);
    cased(before) && !cased(after)
}

/// The same methods for `bytes`: ASCII letters only.
pub mod bytes {
    #[must_use]
    pub fn title(text: &[u8]) -> Vec<u8> {
        let mut after_letter = false;
        text.iter()
            .map(|b| {
                let mapped = if after_letter {
                    b.to_ascii_lowercase()
                } else {
                    b.to_ascii_uppercase()
                };
                after_letter = b.is_ascii_alphabetic();
                mapped
            })
            .collect()
    }

    #[must_use]
    pub fn capitalize(text: &[u8]) -> Vec<u8> {
        let mut out = text.to_ascii_lowercase();
        if let Some(first) = out.first_mut() {
            first.make_ascii_uppercase();
        }
        out
    }

    #[must_use]
    pub fn swap_case(text: &[u8]) -> Vec<u8> {
        text.iter()
            .map(|b| if b.is_ascii_alphabetic() { b ^ 0x20 } else { *b })
            .collect()
    }

    #[must_use]
    pub fn is_alpha(text: &[u8]) -> bool {
        !text.is_empty() && text.iter().all(u8::is_ascii_alphabetic)
    }

    #[must_use]
    pub fn is_alnum(text: &[u8]) -> bool {
        !text.is_empty() && text.iter().all(u8::is_ascii_alphanumeric)
    }

    #[must_use]
    pub fn is_digit(text: &[u8]) -> bool {
        !text.is_empty() && text.iter().all(u8::is_ascii_digit)
    }

    /// White space for `bytes`: the six of C, not the separators that `str` counts too.
    #[inline]
    #[must_use]
    pub fn is_space_byte(b: u8) -> bool {
        matches!(b, 0x09..=0x0d | 0x20)
    }

    #[must_use]
    pub fn is_space(text: &[u8]) -> bool {
        !text.is_empty() && text.iter().all(|&b| is_space_byte(b))
    }

    #[must_use]
    pub fn is_lower(text: &[u8]) -> bool {
        !text.iter().any(u8::is_ascii_uppercase) && text.iter().any(u8::is_ascii_lowercase)
    }

    #[must_use]
    pub fn is_upper(text: &[u8]) -> bool {
        !text.iter().any(u8::is_ascii_lowercase) && text.iter().any(u8::is_ascii_uppercase)
    }

    #[must_use]
    pub fn is_title(text: &[u8]) -> bool {
        super::is_title(text.iter().map(|b| (b.is_ascii_uppercase(), b.is_ascii_lowercase())))
    }
}
