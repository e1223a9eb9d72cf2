//! `bytes.hex` and `bytes.fromhex`.

use super::format_spec::FormatError;
use super::view::StrView;

/// `hex(sep, group)`: lower case digits, `sep` between groups of bytes that are counted from the right, or from the left
/// where `group` is negative. `None` where memory is short.
#[must_use]
pub fn bytes_to_hex(bytes: &[u8], sep: Option<u8>, group: isize) -> Option<Vec<u8>> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let size = group.unsigned_abs();
    let sep = sep.filter(|_| size > 0);
    let seps = if sep.is_some() {
        bytes.len().saturating_sub(1) / size
    } else {
        0
    };
    let mut out = Vec::new();
    out.try_reserve_exact(bytes.len().checked_mul(2)?.checked_add(seps)?)
        .ok()?;
    for (i, &byte) in bytes.iter().enumerate() {
        if let Some(sep) = sep {
            let counted = if group < 0 { i } else { bytes.len() - i };
            if i > 0 && counted.is_multiple_of(size) {
                out.push(sep);
            }
        }
        out.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    Some(out)
}

/// `fromhex(text)`: pairs of digits with white space between them.
///
/// # Errors
/// `ValueError` with CPython 3.14's message.
pub fn bytes_from_hex(text: StrView<'_>) -> Result<Vec<u8>, FormatError> {
    let wrong = |at: usize| {
        FormatError::value(format!(
            "non-hexadecimal number found in fromhex() arg at position {at}"
        ))
    };
    let digit = |at: usize| text.get(at).and_then(char::from_u32).and_then(|c| c.to_digit(16));
    let mut out = Vec::with_capacity(text.len() / 2);
    let mut at = 0;
    while let Some(c) = text.get(at) {
        if matches!(c, 0x09..=0x0d | 0x20) {
            at += 1;
            continue;
        }
        let high = digit(at).ok_or_else(|| wrong(at))?;
        if at + 1 == text.len() {
            let message = "fromhex() arg must contain an even number of hexadecimal digits";
            return Err(FormatError::value(message));
        }
        let low = digit(at + 1).ok_or_else(|| wrong(at + 1))?;
        out.push((high << 4 | low) as u8);
        at += 2;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        let run = |sep, group| String::from_utf8(bytes_to_hex(b"\xb9\x01\xef\x00\x7f", sep, group).unwrap()).unwrap();
        assert_eq!(run(None, 1), "b901ef007f");
        assert_eq!(run(Some(b':'), 1), "b9:01:ef:00:7f");
        assert_eq!(run(Some(b':'), 2), "b9:01ef:007f");
        assert_eq!(run(Some(b':'), -2), "b901:ef00:7f");
        assert_eq!(run(Some(b':'), 9), "b901ef007f");
        assert_eq!(run(Some(b':'), 0), "b901ef007f");
        let from = |text: &str| bytes_from_hex(crate::text::StrBuf::from(text).view()).map_err(|error| error.message);
        assert_eq!(from("B9 01\tef "), Ok(vec![0xb9, 0x01, 0xef]));
        assert_eq!(from(""), Ok(vec![]));
        assert_eq!(
            from("1 2"),
            Err("non-hexadecimal number found in fromhex() arg at position 1".into())
        );
        assert_eq!(
            from("12\u{e9}"),
            Err("non-hexadecimal number found in fromhex() arg at position 2".into())
        );
        assert_eq!(
            from("123"),
            Err("fromhex() arg must contain an even number of hexadecimal digits".into())
        );
    }
}
