//! Source text: decoding of bytes (BOM, PEP 263), newline translation, and the index from offsets to lines.
//!
//! Invariant: text that has passed `normalize` holds no `\r`.

use ruff_text_size::{TextRange, TextSize};

use lisle_bytecode::Location;

use crate::errors::{SyntaxError, SyntaxErrorKind};

/// Start offsets of the lines of a text; or, for a tree that has no source, the regions its nodes were given.
pub(crate) struct LineIndex {
    starts: Vec<u32>,
    regions: Option<Vec<Region>>,
}

/// Where a node of a tree without source seems to lie. Regions do not touch, so that each offset belongs to one node.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    pub start: u32,
    /// Behind the last byte, which is not before `start + 1`.
    pub end: u32,
    pub location: Location,
}

impl LineIndex {
    pub(crate) fn new(source: &str) -> LineIndex {
        let newlines = source.bytes().enumerate().filter(|&(_, b)| b == b'\n');
        let starts = std::iter::once(0).chain(newlines.map(|(i, _)| i as u32 + 1)).collect();
        LineIndex { starts, regions: None }
    }

    /// An index of made-up offsets; the regions are in ascending order.
    pub(crate) fn of_regions(regions: Vec<Region>) -> LineIndex {
        LineIndex {
            starts: vec![0],
            regions: Some(regions),
        }
    }

    /// Whether offsets are made up, and the source holds nothing but literals.
    pub(crate) fn is_made_up(&self) -> bool {
        self.regions.is_some()
    }

    /// The line from 1 and the column in bytes from 0.
    pub(crate) fn line_and_byte(&self, offset: TextSize) -> (u32, u32) {
        let offset = u32::from(offset);
        if let Some(regions) = &self.regions {
            let after = regions.partition_point(|region| region.start <= offset);
            return match regions.get(after.saturating_sub(1)) {
                Some(region) if offset >= region.end => (region.location.end_line, region.location.end_col),
                Some(region) => (region.location.line, region.location.col),
                None => (1, 0),
            };
        }
        let line = self.starts.partition_point(|&start| start <= offset).max(1);
        (line as u32, offset - self.starts[line - 1])
    }

    /// The line from 1 and the column in characters from 0.
    pub(crate) fn line_and_char(&self, source: &str, offset: TextSize) -> (u32, u32) {
        let (line, byte) = self.line_and_byte(offset);
        if self.is_made_up() {
            return (line, byte);
        }
        let start = self.starts[line as usize - 1] as usize;
        let end = (start + byte as usize).min(source.len());
        let chars = source
            .get(start..end)
            .map_or(byte as usize, |text| text.chars().count());
        (line, chars as u32)
    }

    pub(crate) fn line(&self, offset: TextSize) -> u32 {
        self.line_and_byte(offset).0
    }

    /// The text of a line with its newline.
    pub(crate) fn line_text(&self, source: &str, line: u32) -> String {
        let line = (line.max(1) as usize - 1).min(self.starts.len() - 1);
        let start = self.starts[line] as usize;
        let end = self.starts.get(line + 1).map_or(source.len(), |&next| next as usize);
        source.get(start..end).unwrap_or_default().to_string()
    }

    pub(crate) fn location(&self, range: TextRange) -> Location {
        let (line, col) = self.line_and_byte(range.start());
        let (end_line, end_col) = self.line_and_byte(range.end());
        Location {
            line,
            end_line,
            col,
            end_col,
        }
    }
}

/// Translates `\r\n` and `\r` to `\n`.
pub(crate) fn normalize(source: &str) -> std::borrow::Cow<'_, str> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    if !source.contains('\r') {
        return source.into();
    }
    source.replace("\r\n", "\n").replace('\r', "\n").into()
}

fn plain(message: String) -> SyntaxError {
    SyntaxError {
        kind: SyntaxErrorKind::Syntax,
        message,
        line: 0,
        col: 0,
        end_line: 0,
        end_col: 0,
        text: None,
        warnings: Vec::new(),
        context: None,
    }
}

/// Decodes a source file: UTF-8 unless a PEP 263 cookie in its first two lines says otherwise.
pub fn decode_source(bytes: &[u8]) -> Result<String, SyntaxError> {
    let (bytes, bom) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => (rest, true),
        None => (bytes, false),
    };
    if bytes.contains(&0) {
        return Err(plain("source code string cannot contain null bytes".into()));
    }
    let cookie = encoding_cookie(bytes);
    let encoding = cookie.as_deref().map(normal_encoding);
    if bom && let Some(name) = &cookie {
        // Only this spelling goes with a mark.
        let plain_name = name.to_ascii_lowercase().replace('_', "-");
        if plain_name != "utf-8" && !plain_name.starts_with("utf-8-") {
            let known = encoding.as_deref().filter(|known| *known == "iso-8859-1");
            return Err(plain(format!("encoding problem: {} with BOM", known.unwrap_or(name))));
        }
    }
    match encoding.as_deref() {
        None | Some("utf-8") => {
            String::from_utf8(bytes.to_vec()).map_err(|e| undecodable(bytes, e.utf8_error().valid_up_to(), cookie))
        }
        Some("iso-8859-1") => Ok(bytes.iter().map(|&b| b as char).collect()),
        Some("ascii" | "us-ascii") => match bytes.iter().position(|&b| b >= 0x80) {
            None => Ok(bytes.iter().map(|&b| b as char).collect()),
            Some(at) => Err(plain(format!(
                "'ascii' codec can't decode byte 0x{:02x} in position {at}: ordinal not in range(128)",
                bytes[at]
            ))),
        },
        Some(_) => Err(plain(format!("unknown encoding: {}", cookie.unwrap_or_default()))),
    }
}

/// The encoding that a PEP 263 comment in the first two lines declares, if any.
pub fn encoding_cookie(bytes: &[u8]) -> Option<String> {
    for line in bytes.split(|&b| b == b'\n').take(2) {
        let text = line.trim_ascii_start();
        if text.first() != Some(&b'#') {
            if text.is_empty() || text == b"\x0c" {
                continue;
            }
            return None;
        }
        let Some(at) = text.windows(6).position(|w| w == b"coding") else {
            continue;
        };
        let rest = &text[at + 6..];
        let Some(rest) = rest.strip_prefix(b":").or_else(|| rest.strip_prefix(b"=")) else {
            continue;
        };
        let rest = rest.trim_ascii_start();
        let name: String = rest
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
            .map(|&b| b as char)
            .collect();
        if !name.is_empty() {
            return Some(name);
        }
    }
    None
}

fn normal_encoding(name: &str) -> String {
    let lower = name.to_ascii_lowercase().replace('_', "-");
    let is = |base: &str| lower == base || lower.starts_with(&format!("{base}-"));
    if is("utf-8") || lower == "utf8" || lower == "u8" || lower == "cp65001" {
        "utf-8".into()
    } else if is("latin-1") || is("iso-8859-1") || is("iso-latin-1") || lower == "latin1" || lower == "l1" {
        "iso-8859-1".into()
    } else {
        lower
    }
}

fn undecodable(bytes: &[u8], at: usize, cookie: Option<String>) -> SyntaxError {
    let line = bytes[..at].iter().filter(|&&b| b == b'\n').count() + 1;
    let byte = bytes.get(at).copied().unwrap_or_default();
    let message = match cookie {
        Some(_) => {
            format!("(unicode error) 'utf-8' codec can't decode byte 0x{byte:02x} in position {at}: invalid start byte")
        }
        None => format!(
            "Non-UTF-8 code starting with '\\x{byte:02x}' on line {line}, but no encoding declared; see https://peps.python.org/pep-0263/ for details"
        ),
    };
    let mut error = plain(message);
    let begin = bytes[..at]
        .iter()
        .rposition(|&b| b == b'\n')
        .map_or(0, |newline| newline + 1);
    error.line = line as u32;
    error.col = (at - begin) as u32;
    error
}
