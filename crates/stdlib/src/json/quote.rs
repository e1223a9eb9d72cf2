//! JSON string literals.
//!
//! Invariant: what is written can be read back by any JSON parser; with `ascii` it is ASCII only.

use lisle_runtime::native::{Res, Str, Value, Vm};
use lisle_runtime::text::StrBuilder;
use lisle_runtime::text::view::StrView;

fn escape(c: u32) -> Option<&'static str> {
    Some(match c {
        0x22 => "\\\"",
        0x5c => "\\\\",
        0x08 => "\\b",
        0x09 => "\\t",
        0x0a => "\\n",
        0x0c => "\\f",
        0x0d => "\\r",
        _ => return None,
    })
}

fn push_unit(out: &mut StrBuilder, unit: u32) {
    out.push_str(&format!("\\u{unit:04x}"));
}

/// Appends the literal of a text.
pub fn push_quoted(out: &mut StrBuilder, text: StrView<'_>, ascii: bool) {
    out.push(0x22);
    if let StrView::Ascii(bytes) = text {
        push_escaped(out, bytes, ascii);
        out.push(0x22);
        return;
    }
    let plain = |c: u32| match c {
        0x20..=0x7e => c != 0x22 && c != 0x5c,
        0x7f => !ascii,
        _ => c > 0x7f && !ascii,
    };
    let mut start = 0;
    for (at, c) in text.chars().enumerate() {
        if plain(c) {
            continue;
        }
        if start < at {
            out.push_view(text.slice(start..at));
        }
        start = at + 1;
        match (escape(c), c) {
            (Some(text), _) => out.push_str(text),
            (None, 0x1_0000..) => {
                let c = c - 0x1_0000;
                push_unit(out, 0xd800 | c >> 10);
                push_unit(out, 0xdc00 | c & 0x3ff);
            }
            (None, _) => push_unit(out, c),
        }
    }
    if start < text.len() {
        out.push_view(text.slice(start..text.len()));
    }
    out.push(0x22);
}

/// Appends ASCII text with what has to be escaped escaped.
fn push_escaped(out: &mut StrBuilder, bytes: &[u8], ascii: bool) {
    let special = |b: &u8| matches!(b, 0..0x20 | b'"' | b'\\') || ascii && *b == 0x7f;
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(special) {
        out.push_ascii(&rest[..at]);
        match escape(rest[at].into()) {
            Some(text) => out.push_str(text),
            None => push_unit(out, rest[at].into()),
        }
        rest = &rest[at + 1..];
    }
    out.push_ascii(rest);
}

/// The literal of a text as a `str`.
pub fn quoted(vm: &Vm, text: StrView<'_>, ascii: bool) -> Res<Value> {
    let mut out = StrBuilder::with_capacity(text.len() + 2);
    push_quoted(&mut out, text, ascii);
    match Str::try_from_view(out.finish().view()) {
        Some(text) => Ok(text.into_value()),
        None => Err(vm.memory_error()),
    }
}
