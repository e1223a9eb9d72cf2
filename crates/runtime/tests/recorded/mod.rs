//! Reads tables recorded from CPython: tab-separated fields, text as `unicode_escape`.

use lisle_runtime::text::codec::{DecodeFault, DecodeFix, decode_unicode_escape, encode_unicode_escape};
use lisle_runtime::text::{StrBuf, StrView};

pub fn text(field: &str) -> StrBuf {
    let fail = &mut |fault: DecodeFault<'_>| -> Result<DecodeFix, String> { Err(format!("{fault:?}")) };
    decode_unicode_escape(field.as_bytes(), true, &|_| None, fail)
        .unwrap()
        .0
        .text
}

pub fn escaped(text: StrView<'_>) -> String {
    String::from_utf8(encode_unicode_escape(text)).unwrap()
}

/// Compares `answer` with the last field of each line, and shows the first lines that differ.
pub fn check(table: &str, answer: impl Fn(&[&str]) -> Option<String>) {
    let mut failed = Vec::new();
    let mut count = 0;
    for line in table.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let (expected, fields) = fields.split_last().unwrap();
        let Some(got) = answer(fields) else {
            continue;
        };
        count += 1;
        if got != *expected {
            failed.push(format!("{fields:?}\n  CPython {expected}\n  here    {got}"));
        }
    }
    assert!(count > 0, "no line asks anything");
    let shown = failed.iter().take(30).cloned().collect::<Vec<_>>().join("\n");
    assert!(failed.is_empty(), "{} of {count} differ\n{shown}", failed.len());
}
