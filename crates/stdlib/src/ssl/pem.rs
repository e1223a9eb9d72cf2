//! PEM: what stands between BEGIN and END lines, and Base64 in both directions.
//!
//! Invariant: text outside of the blocks is ignored, as by OpenSSL.

/// One block.
pub struct Block {
    pub label: String,
    /// `Name: value` lines before the data.
    pub headers: Vec<(String, String)>,
    pub data: Vec<u8>,
}

/// What is wrong with a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    Base64,
    NoEnd,
}

/// All blocks of a text, in order.
pub fn blocks(text: &[u8]) -> Result<Vec<Block>, Malformed> {
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let Some(label) = framed(line, "-----BEGIN ") else {
            continue;
        };
        let label = label.to_owned();
        let mut headers = Vec::new();
        let mut body = String::new();
        loop {
            let Some(line) = lines.next() else {
                return Err(Malformed::NoEnd);
            };
            if let Some(end) = framed(line, "-----END ") {
                if end != label {
                    return Err(Malformed::NoEnd);
                }
                break;
            }
            match line.split_once(':') {
                Some((name, value)) => headers.push((name.trim().to_owned(), value.trim().to_owned())),
                None => body.push_str(line.trim()),
            }
        }
        let data = decode(&body).ok_or(Malformed::Base64)?;
        found.push(Block { label, headers, data });
    }
    Ok(found)
}

fn framed<'a>(line: &'a str, prefix: &str) -> Option<&'a str> {
    line.trim_end().strip_prefix(prefix)?.strip_suffix("-----")
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    let mut padding = 0;
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        if byte == b'=' {
            padding += 1;
            continue;
        }
        if padding > 0 {
            return None;
        }
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(digit);
        count += 1;
        if count % 4 == 0 {
            out.extend([(bits >> 16) as u8, (bits >> 8) as u8, bits as u8]);
        }
    }
    match count % 4 {
        0 if padding == 0 => {}
        2 if padding == 2 => out.push((bits >> 4) as u8),
        3 if padding == 1 => out.extend([(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => return None,
    }
    Some(out)
}

/// A block as text.
pub fn encode(label: &str, data: &[u8]) -> String {
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut column = 0;
    for chunk in data.chunks(3) {
        let mut bits = 0u32;
        for at in 0..3 {
            bits = bits << 8 | u32::from(chunk.get(at).copied().unwrap_or(0));
        }
        for at in 0..4 {
            let digit = (bits >> (18 - 6 * at) & 63) as usize;
            out.push(if at <= chunk.len() {
                char::from(ALPHABET[digit])
            } else {
                '='
            });
        }
        column += 4;
        if column == 64 {
            out.push('\n');
            column = 0;
        }
    }
    if column > 0 {
        out.push('\n');
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}
