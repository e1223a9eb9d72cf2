//! Base64 (RFC 4648), uuencode, quoted-printable (RFC 2045) and hexadecimal.
//!
//! Invariant: errors are the messages of `binascii.Error`.

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// No digit of base64.
const NO_DIGIT: u8 = 0xff;

/// The values of the digits, by byte.
const BASE64_VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut i = 0;
    while i < 64 {
        values[BASE64[i] as usize] = i as u8;
        i += 1;
    }
    values
};

fn base64_value(byte: u8) -> Option<u8> {
    Some(BASE64_VALUES[byte as usize]).filter(|&value| value != NO_DIGIT)
}

/// Decodes whole groups of four digits up to the first that has another byte; how many bytes were read.
fn base64_decode_groups(input: &[u8], out: &mut Vec<u8>) -> usize {
    let (groups, _) = input.as_chunks::<4>();
    let begin = out.len();
    out.resize(begin + groups.len() * 3, 0);
    let (places, _) = out[begin..].as_chunks_mut::<3>();
    let mut done = 0;
    for (group, place) in groups.iter().zip(places) {
        let [a, b, c, d] = group.map(|byte| BASE64_VALUES[byte as usize]);
        if (a | b | c | d) & 0x80 != 0 {
            break;
        }
        *place = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
        done += 1;
    }
    out.truncate(begin + done * 3);
    done * 4
}

/// Decodes base64. Unless `strict`, what is no digit is passed over, and all after a complete padding.
pub fn base64_decode(input: &[u8], strict: bool) -> Result<Vec<u8>, String> {
    if strict && input.first() == Some(&b'=') {
        return Err("Leading padding not allowed".into());
    }
    let mut out = Vec::with_capacity(input.len() / 4 * 3 + 3);
    // How many digits of a group of four there are, and the bits that make no byte yet.
    let (mut place, mut left, mut pads, mut padding) = (0u8, 0u8, 0u8, false);
    let begin = base64_decode_groups(input, &mut out);
    for (at, &byte) in input.iter().enumerate().skip(begin) {
        if byte == b'=' {
            padding = true;
            if strict && place == 0 {
                return Err("Excess padding not allowed".into());
            }
            if place >= 2 {
                pads = pads.saturating_add(1);
                if place.saturating_add(pads) >= 4 {
                    if strict && at + 1 < input.len() {
                        return Err("Excess data after padding".into());
                    }
                    return Ok(out);
                }
            }
            continue;
        }
        let Some(value) = base64_value(byte) else {
            if strict {
                return Err("Only base64 data is allowed".into());
            }
            continue;
        };
        if strict && padding {
            return Err("Discontinuous padding not allowed".into());
        }
        pads = 0;
        (place, left) = match place {
            0 => (1, value),
            1 => {
                out.push(left << 2 | value >> 4);
                (2, value & 15)
            }
            2 => {
                out.push(left << 4 | value >> 2);
                (3, value & 3)
            }
            _ => {
                out.push(left << 6 | value);
                (0, 0)
            }
        };
    }
    match place {
        0 => Ok(out),
        1 => Err(format!(
            "Invalid base64-encoded string: number of data characters ({}) cannot be 1 more than a multiple of 4",
            out.len() / 3 * 4 + 1
        )),
        _ => Err("Incorrect padding".into()),
    }
}

pub fn base64_encode(input: &[u8], newline: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(input.len().div_ceil(3) * 4 + usize::from(newline));
    let digit = |bits: u32| BASE64[(bits & 63) as usize];
    let (groups, rest) = input.as_chunks::<3>();
    out.resize(groups.len() * 4, 0);
    let (places, _) = out.as_chunks_mut::<4>();
    for (&[a, b, c], place) in groups.iter().zip(places) {
        let bits = u32::from(a) << 16 | u32::from(b) << 8 | u32::from(c);
        *place = [digit(bits >> 18), digit(bits >> 12), digit(bits >> 6), digit(bits)];
    }
    match *rest {
        [a, b] => {
            let bits = u32::from(a) << 16 | u32::from(b) << 8;
            out.extend_from_slice(&[digit(bits >> 18), digit(bits >> 12), digit(bits >> 6), b'=']);
        }
        [a] => {
            let bits = u32::from(a) << 16;
            out.extend_from_slice(&[digit(bits >> 18), digit(bits >> 12), b'=', b'=']);
        }
        _ => {}
    }
    if newline {
        out.push(b'\n');
    }
    out
}

pub fn hex_decode(input: &[u8]) -> Result<Vec<u8>, String> {
    if !input.len().is_multiple_of(2) {
        return Err("Odd-length string".into());
    }
    input
        .chunks_exact(2)
        .map(|pair| match (hex_value(pair[0]), hex_value(pair[1])) {
            (Some(high), Some(low)) => Ok(high << 4 | low),
            _ => Err("Non-hexadecimal digit found".to_owned()),
        })
        .collect()
}

fn hex_value(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// Decodes a line of uuencoded data: its length, then four digits for three bytes. Missing ones are spaces.
pub fn uu_decode(line: &[u8]) -> Result<Vec<u8>, String> {
    let (first, mut rest) = line.split_first().map_or((0, line), |(first, rest)| (*first, rest));
    let mut missing = usize::from(first.wrapping_sub(b' ') & 63);
    let mut out = Vec::with_capacity(missing);
    let (mut bits, mut buffer) = (0, 0u32);
    while missing > 0 {
        let digit = match rest.split_first() {
            None => 0,
            Some((byte, after)) => {
                rest = after;
                match *byte {
                    b'\n' | b'\r' => 0,
                    b' '..=b'`' => (byte - b' ') & 63,
                    _ => return Err("Illegal char".into()),
                }
            }
        };
        buffer = buffer << 6 | u32::from(digit);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((buffer >> bits) as u8);
            buffer &= (1 << bits) - 1;
            missing -= 1;
        }
    }
    if rest.iter().any(|byte| !matches!(byte, b' ' | b'`' | b'\n' | b'\r')) {
        return Err("Trailing garbage".into());
    }
    Ok(out)
}

pub fn uu_encode(input: &[u8], backtick: bool) -> Result<Vec<u8>, String> {
    if input.len() > 45 {
        return Err("At most 45 bytes at once".into());
    }
    let digit = |value: u8| if backtick && value == 0 { b'`' } else { value + b' ' };
    let mut out = vec![digit(input.len() as u8)];
    for group in input.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        out.extend([18, 12, 6, 0].map(|shift| digit((bits >> shift & 63) as u8)));
    }
    out.push(b'\n');
    Ok(out)
}

pub fn qp_decode(input: &[u8], header: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(input.len());
    let mut at = 0;
    while let Some(&byte) = input.get(at) {
        at += 1;
        match byte {
            b'=' => match input.get(at) {
                None => break,
                // A line that goes on.
                Some(b'\n' | b'\r') => {
                    let end = input[at..].iter().position(|b| *b == b'\n');
                    at = end.map_or(input.len(), |end| at + end + 1);
                }
                Some(b'=') => {
                    out.push(b'=');
                    at += 1;
                }
                Some(&high) => {
                    let low = input.get(at + 1).copied().unwrap_or(0);
                    match (hex_value(high), hex_value(low)) {
                        (Some(high), Some(low)) => {
                            out.push(high << 4 | low);
                            at += 2;
                        }
                        _ => out.push(b'='),
                    }
                }
            },
            b'_' if header => out.push(b' '),
            other => out.push(other),
        }
    }
    out
}

pub fn qp_encode(input: &[u8], quote_tabs: bool, is_text: bool, header: bool) -> Vec<u8> {
    const MAX_LINE: usize = 76;
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let escape = |byte: u8| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
    let first_break = input.iter().position(|b| *b == b'\n');
    let crlf = first_break.is_some_and(|at| at > 0 && input[at - 1] == b'\r');
    let line_break: &[u8] = if crlf { b"\r\n" } else { b"\n" };
    let mut out = Vec::with_capacity(input.len() * 2);
    let (mut at, mut line) = (0, 0);
    while let Some(&byte) = input.get(at) {
        let next = input.get(at + 1).copied();
        let quoted = byte > 126
            || byte == b'='
            || header && byte == b'_'
            || byte == b'.' && line == 0 && matches!(next, None | Some(b'\n' | b'\r' | 0))
            || !is_text && matches!(byte, b'\r' | b'\n')
            || matches!(byte, b'\t' | b' ') && next.is_none()
            || byte < 33 && !matches!(byte, b'\r' | b'\n') && (quote_tabs || !matches!(byte, b'\t' | b' '));
        if quoted {
            if line + 3 >= MAX_LINE {
                out.push(b'=');
                out.extend_from_slice(line_break);
                line = 0;
            }
            out.push(b'=');
            out.extend(escape(byte));
            at += 1;
            line += 3;
        } else if is_text && (byte == b'\n' || byte == b'\r' && next == Some(b'\n')) {
            line = 0;
            // White space at the end of a line would be lost.
            if let Some(&space @ (b' ' | b'\t')) = out.last() {
                out.pop();
                out.push(b'=');
                out.extend(escape(space));
            }
            out.extend_from_slice(line_break);
            at += if byte == b'\r' { 2 } else { 1 };
        } else {
            if next.is_some_and(|next| next != b'\n') && line + 1 >= MAX_LINE {
                out.push(b'=');
                out.extend_from_slice(line_break);
                line = 0;
            }
            line += 1;
            out.push(if header && byte == b' ' { b'_' } else { byte });
            at += 1;
        }
    }
    out
}
