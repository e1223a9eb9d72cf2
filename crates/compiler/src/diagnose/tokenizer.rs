//! The errors of CPython's tokenizer, with its texts and positions: brackets, strings, numbers, characters, indentation.
//!
//! Runs only over sources that did not parse; it finds errors and makes no tokens.

use ruff_text_size::{TextRange, TextSize};

use crate::errors::{End, Fault, SyntaxErrorKind};
use crate::source::LineIndex;

/// What the tokenizer finds.
pub(super) struct Scan {
    pub error: Option<Fault>,
    /// The innermost bracket that is open at the end: its offset and character.
    pub open: Option<(usize, char)>,
}

#[derive(Clone, Copy)]
struct Bracket {
    at: usize,
    open: char,
    /// It starts an expression of the f-string at this index of `strings`.
    string: Option<usize>,
    /// The expression is over: the format follows.
    in_spec: bool,
}

#[derive(Clone, Copy)]
struct FString {
    start: usize,
    quote: u8,
    triple: bool,
    letter: char,
}

struct Scanner<'s> {
    source: &'s str,
    bytes: &'s [u8],
    lines: &'s LineIndex,
    at: usize,
    brackets: Vec<Bracket>,
    strings: Vec<FString>,
    indents: Vec<(usize, usize)>,
    at_line_start: bool,
}

type Found<T = ()> = Result<T, Box<Fault>>;

/// Scans a whole source.
pub(super) fn scan(source: &str, lines: &LineIndex) -> Scan {
    let mut scanner = Scanner {
        source,
        bytes: source.as_bytes(),
        lines,
        at: 0,
        brackets: Vec::new(),
        strings: Vec::new(),
        indents: vec![(0, 0)],
        at_line_start: true,
    };
    let error = scanner.run().err().map(|fault| *fault);
    let open = scanner.brackets.last().map(|b| (b.at, b.open));
    Scan { error, open }
}

fn range(start: usize, end: usize) -> TextRange {
    TextRange::new(TextSize::new(start as u32), TextSize::new(end.max(start) as u32))
}

fn found<T>(at: usize, message: impl Into<String>) -> Found<T> {
    found_range(at, at, message)
}

fn found_range<T>(start: usize, end: usize, message: impl Into<String>) -> Found<T> {
    Err(Box::new(Fault {
        kind: SyntaxErrorKind::Syntax,
        message: message.into(),
        range: Some(range(start, end)),
        end: End::Range,
    }))
}

impl Scanner<'_> {
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn peek_at(&self, n: usize) -> u8 {
        self.bytes.get(self.at + n).copied().unwrap_or(0)
    }

    fn done(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn line_of(&self, at: usize) -> u32 {
        self.lines.line(TextSize::new(at as u32))
    }

    fn run(&mut self) -> Found {
        while !self.done() {
            if self.at_line_start && self.brackets.is_empty() {
                self.indentation()?;
                if self.done() {
                    break;
                }
            }
            self.at_line_start = false;
            let spec = self.brackets.last().filter(|b| b.in_spec).and_then(|b| b.string);
            match spec {
                Some(string) => self.fstring_text(string, true)?,
                None => self.token()?,
            }
        }
        Ok(())
    }

    fn indentation(&mut self) -> Found {
        let start = self.at;
        let (mut col, mut alt) = (0, 0);
        loop {
            match self.peek() {
                b' ' => {
                    col += 1;
                    alt += 1;
                }
                b'\t' => {
                    col = (col / 8 + 1) * 8;
                    alt += 1;
                }
                b'\x0c' => {
                    col = 0;
                    alt = 0;
                }
                _ => break,
            }
            self.at += 1;
        }
        if self.done() || matches!(self.peek(), b'#' | b'\n' | b'\\') {
            return Ok(());
        }
        let _ = start;
        let (last, last_alt) = self.indents.last().copied().unwrap_or((0, 0));
        let inconsistent = || {
            let end = self.bytes[self.at..]
                .iter()
                .position(|&b| b == b'\n')
                .map_or(self.bytes.len(), |n| self.at + n);
            Err(Box::new(Fault {
                kind: SyntaxErrorKind::Tab,
                message: "inconsistent use of tabs and spaces in indentation".into(),
                range: Some(range(end, end)),
                end: End::Range,
            }))
        };
        if col == last {
            if alt != last_alt {
                return inconsistent();
            }
        } else if col > last {
            if alt <= last_alt {
                return inconsistent();
            }
            self.indents.push((col, alt));
        } else {
            while self.indents.last().is_some_and(|&(c, _)| col < c) {
                self.indents.pop();
            }
            let (found, found_alt) = self.indents.last().copied().unwrap_or((0, 0));
            if col != found {
                let end = self.bytes[self.at..].iter().position(|&b| b == b'\n');
                let end = end.map_or(self.bytes.len(), |n| self.at + n);
                return Err(Box::new(Fault {
                    kind: SyntaxErrorKind::Indentation,
                    message: "unindent does not match any outer indentation level".into(),
                    range: Some(range(end, end)),
                    end: End::Range,
                }));
            }
            if alt != found_alt {
                return inconsistent();
            }
        }
        Ok(())
    }

    fn token(&mut self) -> Found {
        let c = self.peek();
        match c {
            b'\n' => {
                self.at += 1;
                self.at_line_start = true;
            }
            b' ' | b'\t' | b'\x0c' => self.at += 1,
            b'#' => {
                while !self.done() && self.peek() != b'\n' {
                    self.at += 1;
                }
            }
            b'\\' => self.continuation()?,
            b'\'' | b'"' => self.string(self.at)?,
            b'0'..=b'9' => self.number()?,
            b'.' if self.peek_at(1).is_ascii_digit() => self.number()?,
            b'(' | b'[' | b'{' => {
                self.brackets.push(Bracket {
                    at: self.at,
                    open: c as char,
                    string: None,
                    in_spec: false,
                });
                self.at += 1;
            }
            b')' | b']' | b'}' => self.close(c as char)?,
            b':' => {
                // `:` right inside the braces of an f-string starts the format; `:=` does as well.
                if let Some(bracket) = self.brackets.last_mut()
                    && bracket.string.is_some()
                {
                    bracket.in_spec = true;
                }
                self.at += 1;
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.name()?,
            0..0x80 => {
                if c < 0x20 || c == 0x7f {
                    return found(self.at, format!("invalid non-printable character U+{:04X}", c));
                }
                self.at += 1;
            }
            _ => self.name()?,
        }
        Ok(())
    }

    fn continuation(&mut self) -> Found {
        self.at += 1;
        if self.done() {
            return found(self.at.saturating_sub(1), "unexpected EOF while parsing");
        }
        if self.peek() != b'\n' {
            return Err(Box::new(Fault {
                kind: SyntaxErrorKind::Syntax,
                message: "unexpected character after line continuation character".into(),
                range: Some(range(self.at, self.at)),
                end: End::Zero,
            }));
        }
        self.at += 1;
        if self.done() {
            return found(self.at, "unexpected EOF while parsing");
        }
        Ok(())
    }

    fn close(&mut self, c: char) -> Found {
        let in_string = self.brackets.iter().rev().find_map(|b| b.string);
        let Some(bracket) = self.brackets.last().copied() else {
            return found(self.at, format!("unmatched '{c}'"));
        };
        let expected = match bracket.open {
            '(' => ')',
            '[' => ']',
            _ => '}',
        };
        if c != expected {
            if let (Some(string), Some(_)) = (in_string, bracket.string) {
                let letter = self.strings[string].letter;
                return found(self.at, format!("{letter}-string: unmatched '{c}'"));
            }
            let (here, there) = (self.line_of(self.at), self.line_of(bracket.at));
            let mut text = format!(
                "closing parenthesis '{c}' does not match opening parenthesis '{}'",
                bracket.open
            );
            if here != there {
                text.push_str(&format!(" on line {there}"));
            }
            return found(self.at, text);
        }
        self.brackets.pop();
        self.at += 1;
        if let Some(string) = bracket.string {
            self.fstring_text(string, self.brackets.last().is_some_and(|b| b.in_spec))?;
        }
        Ok(())
    }

    fn name(&mut self) -> Found {
        let start = self.at;
        for (i, c) in self.source[start..].char_indices() {
            if c.is_alphanumeric() || c == '_' || is_identifier_mark(c) {
                self.at = start + i + c.len_utf8();
                continue;
            }
            if (c as u32) < 0x80 {
                break;
            }
            let at = start + i;
            if c.is_control() || is_unprintable(c) {
                return found(at, format!("invalid non-printable character U+{:04X}", c as u32));
            }
            return found(at, format!("invalid character '{c}' (U+{:04X})", c as u32));
        }
        if self.at == start {
            self.at += 1;
            return Ok(());
        }
        let word = self.source[start..self.at].to_ascii_lowercase();
        let prefix = matches!(
            &*word,
            "r" | "b" | "u" | "f" | "t" | "br" | "rb" | "fr" | "rf" | "tr" | "rt"
        );
        if prefix && matches!(self.peek(), b'\'' | b'"') {
            return self.string(start);
        }
        Ok(())
    }

    /// A string whose prefix starts at `start` and whose quote is here.
    fn string(&mut self, start: usize) -> Found {
        let quote = self.peek();
        let prefix = self.source[start..self.at].to_ascii_lowercase();
        let triple = self.peek_at(1) == quote && self.peek_at(2) == quote;
        self.at += if triple { 3 } else { 1 };
        let letter = ['f', 't'].into_iter().find(|&l| prefix.contains(l));
        if let Some(letter) = letter {
            self.strings.push(FString {
                start,
                quote,
                triple,
                letter,
            });
            return self.fstring_text(self.strings.len() - 1, false);
        }
        let mut escaped_quote = false;
        loop {
            if self.done() || (!triple && self.peek() == b'\n') {
                // The quote that should end the f-string around: its braces were not closed.
                if let Some(outer) = self.strings.last()
                    && outer.quote == quote
                    && outer.triple == triple
                {
                    return found_range(start, start + 1, format!("{}-string: expecting '}}'", outer.letter));
                }
                let line = self.line_of(self.at.min(self.bytes.len()));
                let line = if triple && self.source.ends_with('\n') {
                    line.saturating_sub(1).max(1)
                } else {
                    line
                };
                let kind = if triple { "triple-quoted string" } else { "string" };
                let mut text = format!("unterminated {kind} literal (detected at line {line})");
                if escaped_quote && !triple {
                    text.push_str("; perhaps you escaped the end quote?");
                }
                return found(start, text);
            }
            let c = self.peek();
            self.at += 1;
            if c == b'\\' {
                escaped_quote |= self.peek() == quote;
                self.at += 1;
            } else if c == quote && (!triple || (self.peek() == quote && self.peek_at(1) == quote)) {
                self.at += if triple { 2 } else { 0 };
                break;
            }
        }
        if prefix.contains('b')
            && let Some(bad) = self.source[start..self.at].chars().position(|c| !c.is_ascii())
        {
            let _ = bad;
            return found_range(start, self.at, "bytes can only contain ASCII literal characters");
        }
        Ok(())
    }

    /// The text part of an f-string, from here to its end or to the next expression.
    fn fstring_text(&mut self, string: usize, spec: bool) -> Found {
        let f = self.strings[string];
        loop {
            let newline = !f.triple && self.peek() == b'\n';
            if self.done() || newline {
                if spec && newline {
                    // A format may go over lines only in triple quotes; the parser says so.
                    if let Some(bracket) = self.brackets.last_mut() {
                        bracket.in_spec = false;
                    }
                    return Ok(());
                }
                if spec && self.done() {
                    return Ok(());
                }
                let line = self.line_of(self.at.min(self.bytes.len()));
                let line = if f.triple && self.source.ends_with('\n') {
                    line.saturating_sub(1).max(1)
                } else {
                    line
                };
                let triple = if f.triple { "triple-quoted " } else { "" };
                let text = format!(
                    "unterminated {triple}{}-string literal (detected at line {line})",
                    f.letter
                );
                return found(f.start, text);
            }
            let c = self.peek();
            let ends = c == f.quote && (!f.triple || (self.peek_at(1) == f.quote && self.peek_at(2) == f.quote));
            if ends {
                if spec {
                    let text = format!("{}-string: expecting '}}', or format specs", f.letter);
                    return found_range(self.at, self.at + 1, text);
                }
                self.at += if f.triple { 3 } else { 1 };
                self.strings.pop();
                return Ok(());
            }
            match c {
                b'\\' => {
                    self.at += 1;
                    if self.peek() == b'N' && self.peek_at(1) == b'{' {
                        while !self.done() && self.peek() != b'}' && self.peek() != f.quote {
                            self.at += 1;
                        }
                    } else if !matches!(self.peek(), b'{' | b'}') {
                        self.at += 1;
                    }
                    continue;
                }
                b'{' if self.peek_at(1) == b'{' && !spec => self.at += 1,
                b'{' => {
                    self.brackets.push(Bracket {
                        at: self.at,
                        open: '{',
                        string: Some(string),
                        in_spec: false,
                    });
                    self.at += 1;
                    return Ok(());
                }
                b'}' if spec => {
                    self.brackets.pop();
                    self.at += 1;
                    let outer = self.brackets.last().is_some_and(|b| b.in_spec);
                    return self.fstring_text(string, outer);
                }
                b'}' if self.peek_at(1) == b'}' => self.at += 1,
                b'}' => {
                    let text = format!("{}-string: single '}}' is not allowed", f.letter);
                    return found(self.at, text);
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    // ---- numbers ----

    fn number(&mut self) -> Found {
        let start = self.at;
        if self.peek() == b'0' {
            let (name, radix) = match self.peek_at(1) {
                b'x' | b'X' => ("hexadecimal", 16),
                b'o' | b'O' => ("octal", 8),
                b'b' | b'B' => ("binary", 2),
                _ => ("", 10),
            };
            if radix != 10 {
                self.at += 2;
                return self.radix_digits(name, radix);
            }
            while matches!(self.peek(), b'0' | b'_') {
                if self.peek() == b'_' && !self.peek_at(1).is_ascii_digit() {
                    return found(self.at, "invalid decimal literal");
                }
                self.at += 1;
            }
            let zeros_end = self.at;
            let mut nonzero = false;
            if self.peek().is_ascii_digit() {
                nonzero = true;
                self.decimal_digits()?;
            }
            if !matches!(self.peek(), b'.' | b'e' | b'E' | b'j' | b'J') {
                if nonzero {
                    return found_range(
                        start,
                        zeros_end,
                        "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers",
                    );
                }
                return self.end_of_number("decimal");
            }
        } else if self.peek() != b'.' {
            self.decimal_digits()?;
        }
        if self.peek() == b'.' {
            self.at += 1;
            if self.peek().is_ascii_digit() {
                self.decimal_digits()?;
            }
        }
        if matches!(self.peek(), b'e' | b'E') {
            let sign = matches!(self.peek_at(1), b'+' | b'-') as usize;
            if self.peek_at(1 + sign).is_ascii_digit() {
                self.at += 1 + sign;
                self.decimal_digits()?;
            } else if sign == 1 {
                self.at += 1;
                return found(self.at, "invalid decimal literal");
            } else {
                return self.end_of_number("decimal");
            }
        }
        if matches!(self.peek(), b'j' | b'J') {
            self.at += 1;
            return self.end_of_number("imaginary");
        }
        self.end_of_number("decimal")
    }

    fn decimal_digits(&mut self) -> Found {
        loop {
            while self.peek().is_ascii_digit() {
                self.at += 1;
            }
            if self.peek() != b'_' {
                return Ok(());
            }
            self.at += 1;
            if !self.peek().is_ascii_digit() {
                return found(self.at - 1, "invalid decimal literal");
            }
        }
    }

    fn radix_digits(&mut self, name: &str, radix: u32) -> Found {
        loop {
            if self.peek() == b'_' {
                self.at += 1;
            }
            let c = self.peek();
            if !(c as char).is_digit(radix) {
                if c.is_ascii_digit() {
                    return found(self.at, format!("invalid digit '{}' in {name} literal", c as char));
                }
                return found(self.at - 1, format!("invalid {name} literal"));
            }
            while (self.peek() as char).is_digit(radix) {
                self.at += 1;
            }
            if self.peek() != b'_' {
                break;
            }
        }
        if self.peek().is_ascii_digit() {
            return found(
                self.at,
                format!("invalid digit '{}' in {name} literal", self.peek() as char),
            );
        }
        self.end_of_number(name)
    }

    /// A number must not run into a name, but a keyword may follow it.
    fn end_of_number(&mut self, kind: &str) -> Found {
        let rest = &self.source[self.at..];
        let word: &str = rest
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .next()
            .unwrap_or_default();
        let keyword = ["and", "else", "for", "if", "in", "is", "or", "not"]
            .iter()
            .any(|k| word.starts_with(k));
        if !word.starts_with(|c: char| c.is_ascii()) || keyword {
            return Ok(());
        }
        found(self.at - 1, format!("invalid {kind} literal"))
    }
}

/// Characters that go on in an identifier without being letters or digits.
fn is_identifier_mark(c: char) -> bool {
    let c = c as u32;
    matches!(c, 0x300..=0x36f | 0x483..=0x487 | 0x591..=0x5bd | 0x64b..=0x669 | 0x900..=0x903 | 0x93a..=0x94f | 0x203f | 0x2040 | 0x20d0..=0x20dc | 0xb7 | 0x2118 | 0x212e | 0xfe00..=0xfe0f | 0xe0100..=0xe01ef)
}

/// Format, separator, private and unassigned characters, by their main ranges.
fn is_unprintable(c: char) -> bool {
    let c = c as u32;
    matches!(c, 0xa0 | 0xad | 0x1680 | 0x2000..=0x200f | 0x2028..=0x202f | 0x205f..=0x206f | 0x3000 | 0xe000..=0xf8ff | 0xfeff | 0xfff9..=0xfffb | 0xe0001..=0xe007f | 0xf0000..=0x10ffff)
}
