//! The errors of CPython's tokenizer, with its texts and positions: brackets, strings, numbers, characters, indentation.
//!
//! Runs only over sources that did not parse.

use ruff_text_size::{TextRange, TextSize};

use super::grammar::{GRAMMAR, Kind};
use super::peg::{Token, never_closed};
use crate::errors::{End, Fault, SyntaxErrorKind};
use crate::source::LineIndex;

/// Operators of more than one character, the longest first.
const OPERATORS: &[&str] = &[
    "**=", "//=", ">>=", "<<=", "...", "!=", "->", ":=", "==", "<=", ">=", "<>", "+=", "-=", "*=", "/=", "%=", "@=",
    "&=", "|=", "^=", "**", "//", ">>", "<<",
];

/// What the tokenizer finds.
pub(super) struct Scan {
    pub error: Option<Fault>,
    /// The innermost bracket that is open at the end: its offset and character.
    pub open: Option<(usize, char)>,
    /// The error where the tokens end, for who gets there.
    pub stop: Option<Fault>,
    /// A string literal of one line has no end since the source ends, behind a backslash.
    pub ended_in_string: bool,
    /// The tokens, up to the end or the error.
    pub tokens: Vec<Token>,
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
    /// Where the comment of this line begins.
    comment: Option<usize>,
    tokens: Vec<Token>,
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
        comment: None,
        tokens: Vec::new(),
    };
    let error = scanner.run().err().map(|fault| *fault);
    let ended_in_string = scanner.done()
        && error
            .as_ref()
            .is_some_and(|fault| fault.message.starts_with("unterminated string"));
    let open = scanner.brackets.last().map(|b| (b.at, b.open));
    // Errors that count only where the parser gets to them: of indentation and continuation, and inside of f-strings.
    let in_string = !scanner.strings.is_empty();
    let late = |fault: &Fault| {
        in_string
            || fault.kind != SyntaxErrorKind::Syntax
            || fault.message.ends_with("continuation character")
            || fault.message.starts_with("unexpected EOF")
            || fault.message.ends_with("was never closed")
    };
    let whole = error.is_none();
    let (stop, error) = match error {
        Some(fault) if late(&fault) => {
            scanner.push_to(Kind::Stop, scanner.at, scanner.at);
            (Some(fault), None)
        }
        None => {
            scanner.end();
            (open.map(|(at, bracket)| never_closed(at, bracket)), None)
        }
        Some(fault) => {
            scanner.push_to(Kind::Stop, scanner.at, scanner.at);
            (Some(fault.clone()), Some(fault))
        }
    };
    Scan {
        error,
        open: open.filter(|_| whole),
        stop,
        ended_in_string,
        tokens: scanner.tokens,
    }
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

    /// Notes a token that ends here.
    fn push(&mut self, kind: Kind, start: usize) {
        self.push_to(kind, start, self.at);
    }

    fn push_to(&mut self, kind: Kind, start: usize, end: usize) {
        let text = match kind {
            Kind::Name | Kind::Operator => self.source.get(start..end),
            _ => None,
        };
        self.tokens.push(Token {
            kind,
            word: text.and_then(|text| GRAMMAR.word(text)),
            start: start as u32,
            end: end as u32,
            level: self.brackets.len() as u32,
        });
    }

    /// The tokens at the end of the source.
    fn end(&mut self) {
        let len = self.bytes.len();
        // Behind the last line.
        let end = len - usize::from(self.source.ends_with('\n'));
        if !self.brackets.is_empty() {
            self.push_to(Kind::Stop, end, end);
            return;
        }
        if self.in_line() {
            self.push_to(Kind::Newline, self.comment.unwrap_or(len), len + 1);
        }
        for _ in 1..self.indents.len() {
            self.push_to(Kind::Dedent, end, end);
        }
        self.push_to(Kind::End, end, end);
    }

    /// Whether the last token belongs to a line that goes on.
    fn in_line(&self) -> bool {
        let last = self.tokens.last().map(|token| token.kind);
        !matches!(last, None | Some(Kind::Newline | Kind::Indent | Kind::Dedent))
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
        let mut first_line = None;
        loop {
            match self.peek() {
                // Of blanks before a backslash those of the first line count.
                b'\\' if self.peek_at(1) == b'\n' => {
                    first_line = first_line.or(Some((col, alt)).filter(|columns| columns.0 > 0));
                    self.at += 1;
                }
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
        if let Some(columns) = first_line {
            (col, alt) = columns;
        }
        if self.done() || matches!(self.peek(), b'#' | b'\n' | b'\\') {
            return Ok(());
        }
        let (last, last_alt) = self.indents.last().copied().unwrap_or((0, 0));
        let line_end = self.bytes[self.at..].iter().position(|&b| b == b'\n');
        let end = line_end.map_or(self.bytes.len(), |n| self.at + n);
        let inconsistent = || {
            Err(Box::new(Fault {
                kind: SyntaxErrorKind::Tab,
                message: "inconsistent use of tabs and spaces in indentation".into(),
                range: Some(range(start, start)),
                end: End::Zero,
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
            self.push(Kind::Indent, start);
        } else {
            let levels = self.indents.len();
            while self.indents.last().is_some_and(|&(c, _)| col < c) {
                self.indents.pop();
            }
            let (found, found_alt) = self.indents.last().copied().unwrap_or((0, 0));
            if col != found {
                return Err(Box::new(Fault {
                    kind: SyntaxErrorKind::Indentation,
                    message: "unindent does not match any outer indentation level".into(),
                    range: Some(range(end, end)),
                    end: End::Minus,
                }));
            }
            if alt != found_alt {
                return inconsistent();
            }
            for _ in self.indents.len()..levels {
                self.push(Kind::Dedent, self.at);
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
                if self.brackets.is_empty() && self.in_line() {
                    // A comment before it is part of it.
                    let start = self.comment.unwrap_or(self.at - 1);
                    self.push(Kind::Newline, start);
                }
                self.comment = None;
            }
            b' ' | b'\t' | b'\x0c' => self.at += 1,
            b'#' => {
                self.comment = Some(self.at);
                while !self.done() && self.peek() != b'\n' {
                    self.at += 1;
                }
            }
            b'\\' => self.continuation()?,
            b'\'' | b'"' => self.string(self.at)?,
            b'0'..=b'9' => self.counted()?,
            b'.' if self.peek_at(1).is_ascii_digit() => self.counted()?,
            b'(' | b'[' | b'{' => {
                self.brackets.push(Bracket {
                    at: self.at,
                    open: c as char,
                    string: None,
                    in_spec: false,
                });
                self.at += 1;
                self.push(Kind::Operator, self.at - 1);
            }
            b')' | b']' | b'}' => self.close(c as char)?,
            b':' if self.brackets.last().is_some_and(|bracket| bracket.string.is_some()) => {
                // `:` right inside the braces of an f-string starts the format; `:=` does as well.
                if let Some(bracket) = self.brackets.last_mut() {
                    bracket.in_spec = true;
                }
                self.at += 1;
                self.push(Kind::Operator, self.at - 1);
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.name()?,
            0..0x80 => {
                if c < 0x20 || c == 0x7f {
                    return found(self.at, format!("invalid non-printable character U+{:04X}", c));
                }
                let rest = &self.source[self.at..];
                let long = OPERATORS.iter().find(|operator| rest.starts_with(**operator));
                let start = self.at;
                self.at += long.map_or(1, |operator| operator.len());
                self.push(Kind::Operator, start);
            }
            _ => self.name()?,
        }
        Ok(())
    }

    fn counted(&mut self) -> Found {
        let start = self.at;
        self.number()?;
        self.push(Kind::Number, start);
        Ok(())
    }

    fn continuation(&mut self) -> Found {
        self.at += 1;
        let behind = self.at;
        if self.done() {
            return self.ends_with_backslash(behind);
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
            return self.ends_with_backslash(behind);
        }
        Ok(())
    }

    fn ends_with_backslash(&self, at: usize) -> Found {
        if let Some(bracket) = self.brackets.last() {
            return Err(Box::new(never_closed(bracket.at, bracket.open)));
        }
        Err(Box::new(Fault {
            kind: SyntaxErrorKind::Syntax,
            message: "unexpected EOF while parsing".into(),
            range: Some(range(at, at)),
            end: End::Minus,
        }))
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
        self.push(Kind::Operator, self.at - 1);
        if let Some(string) = bracket.string {
            self.fstring_text(string, self.brackets.last().is_some_and(|b| b.in_spec))?;
        }
        Ok(())
    }

    fn name(&mut self) -> Found {
        let start = self.at;
        for (i, c) in self.source[start..].char_indices() {
            let goes_on = if i == 0 {
                unicode_ident::is_xid_start(c)
            } else {
                unicode_ident::is_xid_continue(c)
            };
            if goes_on || c == '_' {
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
        if matches!(self.peek(), b'\'' | b'"') {
            if prefix {
                return self.string(start);
            }
            if let Some((one, other)) = incompatible_prefixes(&word) {
                let message = format!("'{one}' and '{other}' prefixes are incompatible");
                return found_range(start, self.at, message);
            }
        }
        self.push(Kind::Name, start);
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
            let kind = if letter == 'f' {
                Kind::FStringStart
            } else {
                Kind::TStringStart
            };
            self.push(kind, start);
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
                    return found(start, format!("{}-string: expecting '}}'", outer.letter));
                }
                let line = self.line_of(self.at.min(self.bytes.len()));
                let line = if self.done() && self.source.ends_with('\n') {
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
        self.push(Kind::String, start);
        Ok(())
    }

    /// The text part of an f-string, from here to its end or to the next expression.
    fn fstring_text(&mut self, string: usize, spec: bool) -> Found {
        let f = self.strings[string];
        let begin = self.at;
        let (middle, end) = match f.letter {
            'f' => (Kind::FStringMiddle, Kind::FStringEnd),
            _ => (Kind::TStringMiddle, Kind::TStringEnd),
        };
        loop {
            let newline = !f.triple && self.peek() == b'\n';
            if self.done() || newline {
                if spec && newline {
                    // A format may go over lines only in triple quotes; the parser says so.
                    if let Some(bracket) = self.brackets.last_mut() {
                        bracket.in_spec = false;
                    }
                    self.push(middle, begin);
                    return Ok(());
                }
                if spec && self.done() {
                    return Ok(());
                }
                let line = self.line_of(self.at.min(self.bytes.len()));
                let line = if self.done() && self.source.ends_with('\n') {
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
            if self.at > begin && (ends || matches!(c, b'{' | b'}')) {
                let doubled = self.peek_at(1) == c && !(spec && c == b'{');
                if ends || !doubled || (spec && c == b'}') {
                    self.push(middle, begin);
                }
            } else if spec && c == b'}' {
                // The end of a format has its text even where that is empty.
                self.push(middle, begin);
            }
            if ends {
                if spec && let Some(bracket) = self.brackets.last_mut() {
                    // The brace stays open.
                    (bracket.string, bracket.in_spec) = (None, false);
                }
                let start = self.at;
                self.at += if f.triple { 3 } else { 1 };
                self.push(end, start);
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
                    self.push(Kind::Operator, self.at - 1);
                    return Ok(());
                }
                b'}' if spec => {
                    self.brackets.pop();
                    self.at += 1;
                    self.push(Kind::Operator, self.at - 1);
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
        let keyword = ["and", "else", "for", "if", "in", "is", "or", "not"].contains(&word);
        if !word.starts_with(|c: char| c.is_ascii()) || keyword {
            return Ok(());
        }
        found(self.at - 1, format!("invalid {kind} literal"))
    }
}

/// Two letters of a prefix that no string has, if the word is made of letters of prefixes.
fn incompatible_prefixes(word: &str) -> Option<(char, char)> {
    let twice = word.char_indices().any(|(at, c)| word[..at].contains(c));
    if twice || !word.chars().all(|c| matches!(c, 'b' | 'r' | 'u' | 'f' | 't')) {
        return None;
    }
    let pairs = [
        ('u', 'b'),
        ('u', 'r'),
        ('u', 'f'),
        ('u', 't'),
        ('b', 'f'),
        ('b', 't'),
        ('f', 't'),
    ];
    pairs
        .into_iter()
        .find(|(one, other)| word.contains(*one) && word.contains(*other))
}

/// Format, separator, private and unassigned characters, by their main ranges.
fn is_unprintable(c: char) -> bool {
    let c = c as u32;
    matches!(c, 0xa0 | 0xad | 0x1680 | 0x2000..=0x200f | 0x2028..=0x202f | 0x205f..=0x206f | 0x3000 | 0xe000..=0xf8ff | 0xfeff | 0xfff9..=0xfffb | 0xe0001..=0xe007f | 0xf0000..=0x10ffff)
}
