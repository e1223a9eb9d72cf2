//! Character tests and case mappings against CPython, over every character it knows.
//!
//! The answers come from `data/text/record_unicode.py`, run by CPython 3.13 (Unicode 15.1). Of what 3.14's Unicode 16
//! changed since, only characters new in it differ, and those are not asked about.

use lisle_runtime::text::builder::from_codes;
use lisle_runtime::text::repr::repr;
use lisle_runtime::text::unicode::decimal_value;
use lisle_runtime::text::{StrBuf, StrView};

const RECORDED: &str = include_str!("data/text/unicode.txt");

struct Crc(u32);

impl Crc {
    fn new() -> Crc {
        Crc(!0)
    }

    fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 ^= u32::from(byte);
            for _ in 0..8 {
                self.0 = (self.0 >> 1) ^ (0xedb8_8320 & (self.0 & 1).wrapping_neg());
            }
        }
    }

    fn finish(self) -> String {
        format!("{:08x}", !self.0)
    }
}

fn predicate(name: &str) -> Option<fn(StrView<'_>) -> bool> {
    Some(match name {
        "isalpha" => |v| v.is_alpha(),
        "isalnum" => |v| v.is_alnum(),
        "isdecimal" => |v| v.is_decimal(),
        "isdigit" => |v| v.is_digit(),
        "isnumeric" => |v| v.is_numeric(),
        "isspace" => |v| v.is_space(),
        "isprintable" => |v| v.is_printable(),
        "isidentifier" => |v| v.is_identifier(),
        "islower" => |v| v.is_lower(),
        "isupper" => |v| v.is_upper(),
        "istitle" => |v| v.is_title(),
        _ => return None,
    })
}

fn mapping(name: &str) -> Option<fn(StrView<'_>) -> StrBuf> {
    Some(match name {
        "upper" => |v| v.to_upper(),
        "lower" => |v| v.to_lower(),
        "title" => |v| v.to_title(),
        "capitalize" => |v| v.capitalize(),
        "swapcase" => |v| v.swap_case(),
        "casefold" => |v| v.case_fold(),
        "repr" => repr,
        _ => return None,
    })
}

#[test]
fn every_character() {
    let mut lines = RECORDED.lines().map(|line| line.split_once(' ').unwrap());
    let (_, ranges) = lines.next().unwrap();
    let known: Vec<u32> = ranges
        .split(',')
        .flat_map(|range| {
            let (a, b) = range.split_once('-').unwrap();
            let hex = |digits| u32::from_str_radix(digits, 16).unwrap();
            hex(a)..=hex(b)
        })
        .collect();
    let mut failed = Vec::new();
    for (name, expected) in lines {
        let mut crc = Crc::new();
        for &c in &known {
            if let Some(test) = predicate(name) {
                crc.feed(&[u8::from(test(from_codes(&[c]).view()))]);
            } else if let Some(map) = mapping(name) {
                for text in [&[c][..], &[0x41, c, 0x3a3]] {
                    let text = from_codes(text);
                    let mapped = map(text.view());
                    for out in mapped.view().chars() {
                        crc.feed(&out.to_le_bytes());
                    }
                    crc.feed(b"\n");
                }
            } else if name == "continue" {
                crc.feed(&[u8::from(from_codes(&[0x61, c]).view().is_identifier())]);
            } else if name == "decimal" {
                crc.feed(&[decimal_value(c).map_or(255, |digit| digit as u8)]);
            } else {
                panic!("unknown question {name}");
            }
        }
        if crc.finish() != expected {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "differs from CPython: {failed:?}");
}
