//! From bytes to text, and the character classes of XML.
//!
//! Invariant: decoded text is valid UTF-8; bytes that decode to nothing stop the decoder where they are.

/// How the bytes of a document stand for characters.
#[derive(Clone)]
pub enum Encoding {
    Utf8,
    Utf16 {
        big: bool,
    },
    Latin1,
    Ascii,
    /// A character a byte.
    Map(Box<[u32; 256]>),
}

impl Encoding {
    /// Those that are known by name.
    pub fn named(name: &str) -> Option<Encoding> {
        Some(match name.to_ascii_lowercase().as_str() {
            "utf-8" => Encoding::Utf8,
            "utf-16" | "utf-16be" => Encoding::Utf16 { big: true },
            "utf-16le" => Encoding::Utf16 { big: false },
            "iso-8859-1" => Encoding::Latin1,
            "us-ascii" => Encoding::Ascii,
            _ => return None,
        })
    }

    pub fn is_utf8(&self) -> bool {
        matches!(self, Encoding::Utf8)
    }

    /// How many bytes the text came from.
    pub fn raw_len(&self, text: &str) -> usize {
        match self {
            Encoding::Utf8 => text.len(),
            Encoding::Utf16 { .. } => text.encode_utf16().count() * 2,
            _ => text.chars().count(),
        }
    }

    /// Takes characters from the front of `raw`; whether the bytes behind them are at fault.
    pub fn decode(&self, raw: &mut Vec<u8>, out: &mut String) -> bool {
        match self {
            Encoding::Utf8 => match std::str::from_utf8(raw) {
                Ok(text) => {
                    out.push_str(text);
                    raw.clear();
                    false
                }
                Err(error) => {
                    let good = error.valid_up_to();
                    out.push_str(&String::from_utf8_lossy(&raw[..good]));
                    raw.drain(..good);
                    error.error_len().is_some()
                }
            },
            Encoding::Utf16 { big } => {
                let mut at = 0;
                let mut bad = false;
                while at + 1 < raw.len() {
                    let unit = |at: usize| -> u16 {
                        let pair = [raw[at], raw[at + 1]];
                        if *big {
                            u16::from_be_bytes(pair)
                        } else {
                            u16::from_le_bytes(pair)
                        }
                    };
                    let first = unit(at);
                    if (0xD800..0xDC00).contains(&first) && at + 3 >= raw.len() {
                        break;
                    }
                    let second = if at + 3 < raw.len() { unit(at + 2) } else { 0 };
                    match char::decode_utf16([first, second]).next() {
                        Some(Ok(c)) => {
                            out.push(c);
                            at += c.len_utf16() * 2;
                        }
                        _ => {
                            bad = true;
                            break;
                        }
                    }
                }
                raw.drain(..at);
                bad
            }
            Encoding::Latin1 => {
                out.extend(raw.drain(..).map(char::from));
                false
            }
            Encoding::Ascii => {
                let good = raw.iter().take_while(|byte| byte.is_ascii()).count();
                out.extend(raw.drain(..good).map(char::from));
                !raw.is_empty()
            }
            Encoding::Map(map) => {
                let decoded = |byte: &u8| char::from_u32(map[usize::from(*byte)]);
                let good = raw.iter().take_while(|byte| decoded(byte).is_some()).count();
                out.extend(raw[..good].iter().filter_map(decoded));
                raw.drain(..good);
                !raw.is_empty()
            }
        }
    }
}

pub fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

pub fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

pub fn is_name_start(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '_' | ':' => true,
        _ if c.is_ascii() => false,
        _ => matches!(c,
            '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
            | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
            | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'),
    }
}

pub fn is_name_char(c: char) -> bool {
    is_name_start(c) || matches!(c, '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// What was found at the front of a text: something of this length, not enough text, or a fault at this offset.
pub enum Lex<T> {
    Found(T, usize),
    More,
    Bad(usize),
}

/// The length of the name at the front; `None` if the text ends within it.
pub fn name(text: &str, namespaces: bool) -> Lex<()> {
    // Most names are ASCII without a colon.
    let bytes = text.as_bytes();
    if bytes.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_') {
        let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        match bytes.iter().position(|b| !plain(b)) {
            None => return Lex::More,
            Some(at) if bytes[at].is_ascii() && bytes[at] != b':' => return Lex::Found((), at),
            Some(_) => {}
        }
    }
    let mut colons = 0;
    for (at, c) in text.char_indices() {
        let good = if at == 0 { is_name_start(c) } else { is_name_char(c) };
        if !good {
            return if at == 0 { Lex::Bad(0) } else { Lex::Found((), at) };
        }
        if namespaces {
            // A prefix and a local part, neither of them empty.
            let after_colon = at > 0 && text.as_bytes()[at - 1] == b':';
            if c == ':' && (colons == 1 || at == 0) || after_colon && !is_name_start(c) {
                return Lex::Bad(at);
            }
            colons += usize::from(c == ':');
        }
    }
    Lex::More
}

/// The offset of the first character that no document may contain.
pub fn bad_char(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        at += plain_len(&text.as_bytes()[at..], &[]);
        let c = text[at..].chars().next()?;
        if !is_char(c) {
            return Some(at);
        }
        at += c.len_utf8();
    }
}

/// How many bytes at the front are those of characters that documents may contain, but for control characters and those in `stop`.
pub fn plain_len(bytes: &[u8], stop: &[u8]) -> usize {
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let ends = match byte {
            0..0x20 => true,
            0xEF => matches!(bytes.get(at + 1..at + 3), Some([0xBF, 0xBE | 0xBF])),
            _ => stop.contains(byte),
        };
        if ends {
            break;
        }
        at += 1;
    }
    at
}

/// Line ends as one character.
pub fn normalized(text: &str) -> String {
    if !text.contains('\r') {
        return text.to_owned();
    }
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The character of a reference without `&` and `;`: `#38`, `#x26`.
pub fn char_ref(reference: &str) -> Option<char> {
    let digits = reference.strip_prefix('#')?;
    let code = match digits.strip_prefix('x') {
        Some(hex) if !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit()) => {
            u32::from_str_radix(hex, 16).ok()?
        }
        None if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
        _ => return None,
    };
    char::from_u32(code).filter(|c| is_char(*c))
}

pub fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}
