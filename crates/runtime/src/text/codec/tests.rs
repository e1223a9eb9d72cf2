use super::*;

/// A fault as the tests write it: start, end, reason.
type Seen = Vec<(usize, usize, &'static str)>;

fn marks(seen: &mut Seen) -> impl FnMut(DecodeFault<'_>) -> Result<DecodeFix, ()> {
    |fault| {
        seen.push((fault.start, fault.end, fault.reason));
        Ok(DecodeFix {
            text: StrBuf::from("?"),
            resume: fault.end,
            stop: false,
        })
    }
}

#[test]
fn partial_input_waits() {
    let utf8 = |input: &[u8]| decode_utf8(input, false, &mut marks(&mut Vec::new())).unwrap().consumed;
    assert_eq!(utf8(b"ab\xe2\x82"), 2);
    assert_eq!(utf8(b"ab\xed\xa0"), 2);
    assert_eq!(utf8(b"ab\xed\xa0\x80"), 5);
    assert_eq!(utf8(b"ab\xf0\x9f\x98"), 2);
    assert_eq!(utf8(b"ab\xff"), 3);
    let utf16 = |input: &[u8]| decode_utf16(input, None, false, &mut marks(&mut Vec::new())).unwrap();
    assert_eq!(utf16(b"\xff").0.consumed, 0);
    assert_eq!(utf16(b"\xff\xfea\0b").0.consumed, 4);
    assert_eq!(
        utf16(b"\xfe\xff\xd8\x3d"),
        (
            Decoded {
                text: StrBuf::new(),
                consumed: 2
            },
            Some(Endian::Big)
        )
    );
    let utf32 = |input: &[u8]| {
        decode_utf32(input, None, false, &mut marks(&mut Vec::new()))
            .unwrap()
            .0
            .consumed
    };
    assert_eq!(utf32(b"a\0\0\0b\0"), 4);
    let escape = |input: &[u8]| {
        decode_unicode_escape(input, false, &|_| None, &mut marks(&mut Vec::new()))
            .unwrap()
            .0
            .consumed
    };
    assert_eq!(escape(b"a\\"), 1);
    assert_eq!(escape(b"a\\x1"), 1);
    assert_eq!(escape(b"a\\N{DIG"), 1);
    let raw = |input: &[u8]| {
        decode_raw_unicode_escape(input, false, &mut marks(&mut Vec::new()))
            .unwrap()
            .consumed
    };
    assert_eq!(raw(b"a\\u12"), 1);
    assert_eq!(raw(b"a\\"), 1);
    let utf7 = decode_utf7(b"a+AGE", false, &mut marks(&mut Vec::new())).unwrap();
    assert_eq!(
        utf7,
        Decoded {
            text: StrBuf::from("a"),
            consumed: 1
        }
    );
}

#[test]
fn escapes_warn_once() {
    let run = |input: &[u8]| {
        decode_unicode_escape(input, true, &|_| None, &mut marks(&mut Vec::new()))
            .unwrap()
            .1
    };
    assert_eq!(run(b"\\n"), None);
    assert_eq!(run(b"ab\\q\\w"), Some(InvalidEscape { at: 3, octal: false }));
    assert_eq!(run(b"\\777"), Some(InvalidEscape { at: 1, octal: true }));
    assert_eq!(decode_bytes_escape(b"a\\x4\\q", "strict"), Err(EscapeError::Hex(1)));
    assert_eq!(decode_bytes_escape(b"a\\x4!\\101\\n", "replace").unwrap().0, b"a?!A\n");
    assert_eq!(decode_bytes_escape(b"a\\", "strict"), Err(EscapeError::Trailing));
    assert_eq!(encode_bytes_escape(b"a'\"\\\n\xff"), b"a\\'\"\\\\\\n\\xff");
}

#[test]
fn replacement_must_encode() {
    let text = StrBuf::from("a\u{ac00}b");
    let mut fatal = 0;
    let mut handler = |fault: EncodeFault<'_>| {
        if fault.fatal {
            fatal += 1;
            return Err("raised");
        }
        Ok(EncodeFix {
            patch: Patch::Text(StrBuf::from("\u{e9}")),
            resume: fault.end,
        })
    };
    assert_eq!(encode_latin1(text.view(), &mut handler), Ok(b"a\xe9b".to_vec()));
    assert_eq!(encode_ascii(text.view(), &mut handler), Err("raised"));
    assert_eq!(fatal, 1);
}
