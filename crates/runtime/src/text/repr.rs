//! `repr` and `ascii` of text, `repr` of bytes.

use super::builder::StrBuilder;
use super::unicode::is_printable;
use super::view::{StrBuf, StrView, Unit, with_units};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// `repr(text)`.
#[must_use]
pub fn repr(text: StrView<'_>) -> StrBuf {
    match text {
        StrView::Ascii(s) => StrBuf::Ascii(repr_ascii(s)),
        other => with_units!(other, s => repr_units(s, is_printable)),
    }
}

/// `ascii(text)`: what is not ASCII is escaped.
#[must_use]
pub fn ascii(text: StrView<'_>) -> StrBuf {
    match text {
        StrView::Ascii(s) => StrBuf::Ascii(repr_ascii(s)),
        other => with_units!(other, s => repr_units(s, |_| false)),
    }
}

/// `repr(bytes)`; the answer is ASCII.
#[must_use]
pub fn repr_bytes(bytes: &[u8]) -> Vec<u8> {
    let quote = pick_quote(bytes);
    let mut out = Vec::with_capacity(bytes.len() + 3);
    out.extend([b'b', quote]);
    escape_bytes(bytes, quote, &mut out);
    out.push(quote);
    out
}

/// Appends `\xhh`, `\uhhhh` or `\Uhhhhhhhh`, whichever is the shortest.
pub fn push_hex_escape(c: u32, out: &mut Vec<u8>) {
    let (letter, digits) = match c {
        0..0x100 => (b'x', 2),
        0x100..0x1_0000 => (b'u', 4),
        _ => (b'U', 8),
    };
    out.extend([b'\\', letter]);
    for i in (0..digits).rev() {
        out.push(HEX[(c >> (4 * i) & 15) as usize]);
    }
}

fn pick_quote<U: Unit>(text: &[U]) -> u8 {
    let has = |c: u8| U::position(text, U::truncate(u32::from(c))).is_some();
    if has(b'\'') && !has(b'"') { b'"' } else { b'\'' }
}

fn repr_ascii(text: &[u8]) -> Vec<u8> {
    let quote = pick_quote(text);
    let mut out = Vec::with_capacity(text.len() + 2);
    out.push(quote);
    escape_bytes(text, quote, &mut out);
    out.push(quote);
    out
}

fn escape_bytes(bytes: &[u8], quote: u8, out: &mut Vec<u8>) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let plain = rest
            .iter()
            .position(|&b| !(0x20..0x7f).contains(&b) || b == b'\\' || b == quote);
        let Some(at) = plain else {
            break;
        };
        out.extend_from_slice(&rest[..at]);
        escape_one(u32::from(rest[at]), out);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// The escape of a character that cannot stand for itself.
fn escape_one(c: u32, out: &mut Vec<u8>) {
    match c {
        0x09 => out.extend(b"\\t"),
        0x0a => out.extend(b"\\n"),
        0x0d => out.extend(b"\\r"),
        0x22 | 0x27 | 0x5c => out.extend([b'\\', c as u8]),
        _ => push_hex_escape(c, out),
    }
}

fn repr_units<U: Unit>(text: &[U], show: impl Fn(u32) -> bool) -> StrBuf {
    let quote = u32::from(pick_quote(text));
    let mut out = StrBuilder::with_capacity(text.len() + 2);
    out.push(quote);
    let mut escape = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest.iter().position(|u| match u.code() {
            c @ 0x20..0x7f => c == quote || c == 0x5c,
            0..0x80 => true,
            c => !show(c),
        });
        let (run, tail) = rest.split_at(plain.unwrap_or(rest.len()));
        out.push_view(U::view(run));
        rest = tail;
        if let Some((u, tail)) = rest.split_first() {
            escape.clear();
            escape_one(u.code(), &mut escape);
            out.push_ascii(&escape);
            rest = tail;
        }
    }
    out.push(quote);
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_escapes() {
        let run = |text: &str| repr(StrBuf::from(text).view()).view().to_string_lossy().into_owned();
        assert_eq!(run(""), "''");
        assert_eq!(run("it's"), "\"it's\"");
        assert_eq!(run("'\""), r#"'\'"'"#);
        assert_eq!(run("\""), "'\"'");
        assert_eq!(run("a\\\t\n\r\x00\x1b\x7f"), r"'a\\\t\n\r\x00\x1b\x7f'");
        assert_eq!(
            run("\u{e9}\u{a0}\u{ad}\u{378}\u{2028}\u{ac00}'"),
            "\"\u{e9}\\xa0\\xad\\u0378\\u2028\u{ac00}'\""
        );
        assert_eq!(run("\u{1f600}\u{e0001}\u{10ffff}"), "'\u{1f600}\\U000e0001\\U0010ffff'");
        assert_eq!(repr(StrBuf::from_code(0xdc80).view()), "'\\udc80'");
        assert_eq!(
            ascii(StrBuf::from("\u{e9}\u{ac00}\u{1f600}'").view()),
            r#""\xe9\uac00\U0001f600'""#
        );
        assert_eq!(repr_bytes(b"a'\x00\xff\n"), br#"b"a'\x00\xff\n""#);
        assert_eq!(repr_bytes(b"\"'"), br#"b'"\''"#);
    }
}
