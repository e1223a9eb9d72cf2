//! The codecs against CPython: the table is written by `data/text/record_codecs.py`.

use std::borrow::Cow;

use lisle_runtime::text::codec::*;
use lisle_runtime::text::{StrBuf, StrView};

mod recorded;

fn endian(codec: &str) -> Option<Endian> {
    if codec.ends_with("le") {
        Some(Endian::Little)
    } else if codec.ends_with("be") {
        Some(Endian::Big)
    } else {
        None
    }
}

fn decode(codec: &str, errors: Errors, input: &[u8]) -> Result<StrBuf, String> {
    let mut handler = |fault: DecodeFault<'_>| {
        let error = || format!("!{} {} {}: {}", fault.start, fault.end, fault.encoding, fault.reason);
        errors.decode(&fault).ok_or_else(error)
    };
    let on_fault = &mut handler;
    Ok(match codec {
        "utf-8" => decode_utf8(input, true, on_fault)?.text,
        "utf-7" => decode_utf7(input, true, on_fault)?.text,
        "ascii" => decode_ascii(input, on_fault)?,
        "unicode_escape" => decode_unicode_escape(input, true, &|_| None, on_fault)?.0.text,
        "raw_unicode_escape" => decode_raw_unicode_escape(input, true, on_fault)?.text,
        _ if codec.starts_with("utf-16") => decode_utf16(input, endian(codec), true, on_fault)?.0.text,
        _ if codec.starts_with("utf-32") => decode_utf32(input, endian(codec), true, on_fault)?.0.text,
        _ => panic!("unknown codec {codec}"),
    })
}

fn encode(codec: &str, errors: Errors, text: StrView<'_>) -> Result<Vec<u8>, String> {
    let mut handler = |fault: EncodeFault<'_>| {
        let error = || format!("!{} {} {}: {}", fault.start, fault.end, fault.encoding, fault.reason);
        errors.encode(&fault, &|_| None).ok_or_else(error)
    };
    let on_fault = &mut handler;
    Ok(match codec {
        "utf-8" => encode_utf8(text, on_fault).map(Cow::into_owned)?,
        "utf-7" => encode_utf7(text),
        "ascii" => encode_ascii(text, on_fault)?,
        "latin-1" => encode_latin1(text, on_fault)?,
        "unicode_escape" => encode_unicode_escape(text),
        "raw_unicode_escape" => encode_raw_unicode_escape(text),
        _ if codec.starts_with("utf-16") => encode_utf16(text, endian(codec), on_fault)?,
        _ if codec.starts_with("utf-32") => encode_utf32(text, endian(codec), on_fault)?,
        _ => panic!("unknown codec {codec}"),
    })
}

fn from_hex(digits: &str) -> Vec<u8> {
    (0..digits.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap())
        .collect()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn as_cpython() {
    recorded::check(include_str!("data/text/codecs.txt"), |fields| {
        let errors = Errors::from_name(fields[2]).unwrap();
        Some(match fields[0] {
            "decode" => match decode(fields[1], errors, &from_hex(fields[3])) {
                Ok(text) => format!("={}", recorded::escaped(text.view())),
                Err(error) => error,
            },
            _ => match encode(fields[1], errors, recorded::text(fields[3]).view()) {
                Ok(bytes) => format!("={}", to_hex(&bytes)),
                Err(error) => error,
            },
        })
    });
}
