//! Cuts a source into tokens as CPython's tokenizer does, one token at a time, reading a line only when it is needed.
//!
//! Invariant: positions are indices into the text read so far, which only grows. With `extra`, what only the parser would refuse
//! (unmatched brackets, numbers that run into names, characters of no identifier) is a token like any other.

use lisle_runtime::native::{Exc, Res};
use lisle_runtime::text::unicode;

/// Indentation and brackets may go this deep.
const MAX_INDENT: usize = 100;
const MAX_LEVEL: usize = 200;
const MAX_STRINGS: usize = 150;
const MAX_EXPRESSIONS: i32 = 3;

/// The kinds of tokens; operators are told apart by their text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    EndMarker,
    Name,
    Number,
    String,
    Newline,
    Indent,
    Dedent,
    Operator,
    /// Parts of f-strings, or with the letter `t` of t-strings.
    StringStart(char),
    StringMiddle(char),
    StringEnd(char),
    Comment,
    BlankNewline,
}

/// A token: its text lies between two positions, unless it has none.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    pub kind: Kind,
    pub span: Option<(usize, usize)>,
}

/// Why there is no next token.
#[derive(Debug)]
pub enum Fault {
    /// A `SyntaxError` at a column of the current line, and its end.
    Syntax(String, usize, usize),
    /// The source ends inside of brackets or behind a backslash.
    Unfinished,
    /// An `IndentationError` or a `TabError`.
    Dedent,
    TooDeep,
    Tabs,
    /// Something follows a backslash.
    Continuation,
}

/// What a step of the lexer ends with: an exception of the program's, or a fault of the source.
pub enum Stop {
    Raised(Exc),
    Fault(Fault),
}

impl From<Exc> for Stop {
    fn from(exc: Exc) -> Stop {
        Stop::Raised(exc)
    }
}

type Found<T> = Result<T, Stop>;

/// Gives the next line, or nothing at the end.
pub type Lines<'a> = &'a mut dyn FnMut() -> Res<Option<String>>;

/// An f-string that is open.
struct Open {
    letter: char,
    quote: char,
    size: usize,
    raw: bool,
    /// Where it begins: position, start of the line, line.
    start: (usize, usize, u32),
    /// In an expression rather than in text.
    in_expression: bool,
    /// Braces that are open, and at how many of them the innermost expression began; -1 outside of expressions.
    depth: i32,
    expression: i32,
    in_format: bool,
    in_debug: bool,
}

/// The state between two tokens.
pub struct Lexer {
    text: Vec<char>,
    at: usize,
    /// Where the current line begins, and its number.
    pub line_start: usize,
    pub line: u32,
    /// The same for the line on which the current string begins.
    pub string_line_start: usize,
    pub string_line: u32,
    /// No newline ended the last line: one was added.
    pub implicit_newline: bool,
    pub at_end: bool,
    extra: bool,
    at_line_start: bool,
    indents: Vec<(usize, usize)>,
    pending: i32,
    comment_newline: bool,
    brackets: Vec<(char, u32)>,
    strings: Vec<Open>,
    start: usize,
}

impl Lexer {
    pub fn new(extra: bool) -> Lexer {
        Lexer {
            text: Vec::new(),
            at: 0,
            line_start: 0,
            line: 0,
            string_line_start: 0,
            string_line: 0,
            implicit_newline: false,
            at_end: false,
            extra,
            at_line_start: true,
            indents: vec![(0, 0)],
            pending: 0,
            comment_newline: false,
            brackets: Vec::new(),
            strings: Vec::new(),
            start: 0,
        }
    }

    pub fn slice(&self, start: usize, end: usize) -> String {
        self.text.get(start..end).unwrap_or_default().iter().collect()
    }

    /// From a position to the end of what was read, without an added newline.
    pub fn lines_from(&self, start: usize) -> String {
        let end = self.text.len() - usize::from(self.implicit_newline && self.text.len() > start);
        self.slice(start, end)
    }

    /// The column of the current position.
    pub fn column(&self) -> usize {
        self.at.saturating_sub(self.line_start)
    }

    pub fn char_at(&self, position: usize) -> Option<char> {
        self.text.get(position).copied()
    }

    /// The next token. After the end marker and after a fault there are none.
    pub fn next(&mut self, lines: Lines<'_>) -> Found<Token> {
        match self.strings.last() {
            Some(open) if !open.in_expression => self.string_part(lines),
            _ => self.token(lines),
        }
    }

    // ---- characters ----

    /// The next character; none at the end.
    fn take(&mut self, lines: Lines<'_>) -> Found<Option<char>> {
        if self.at == self.text.len() && !self.read_line(lines)? {
            return Ok(None);
        }
        let c = self.text[self.at];
        self.at += 1;
        Ok(Some(c))
    }

    fn read_line(&mut self, lines: Lines<'_>) -> Found<bool> {
        if self.at_end {
            return Ok(false);
        }
        let Some(line) = lines()? else {
            self.at_end = true;
            return Ok(false);
        };
        self.line_start = self.text.len();
        self.text.extend(line.chars());
        self.implicit_newline = self.text.last() != Some(&'\n');
        if self.implicit_newline {
            self.text.push('\n');
        }
        self.line += 1;
        Ok(true)
    }

    fn back(&mut self, c: Option<char>) {
        if c.is_some() {
            self.at -= 1;
        }
    }

    /// The next character, which stays where it is. It must be on a line that was read.
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, expected: impl Fn(char) -> bool) -> bool {
        let found = self.peek().is_some_and(expected);
        self.at += usize::from(found);
        found
    }

    // ---- tokens ----

    fn make(&self, kind: Kind, start: usize) -> Found<Token> {
        Ok(Token {
            kind,
            span: Some((start, self.at)),
        })
    }

    /// A fault at the current column.
    fn fault<T>(&self, message: impl Into<String>) -> Found<T> {
        let column = self.column();
        Err(Stop::Fault(Fault::Syntax(message.into(), column, column)))
    }

    fn stop<T>(&mut self, fault: Fault) -> Found<T> {
        if !matches!(fault, Fault::Continuation) {
            self.at = self.text.len();
        }
        Err(Stop::Fault(fault))
    }

    fn indentation(&mut self, lines: Lines<'_>) -> Found<bool> {
        let (mut column, mut other) = (0, 0);
        let mut continued = 0;
        let c = loop {
            match self.take(lines)? {
                Some(' ') => (column, other) = (column + 1, other + 1),
                Some('\t') => (column, other) = ((column / 8 + 1) * 8, other + 1),
                Some('\x0c') => (column, other) = (0, 0),
                // The first line's blanks are those that count.
                Some('\\') => {
                    if continued == 0 {
                        continued = column;
                    }
                    self.continuation(lines)?;
                }
                c => break c,
            }
        };
        self.back(c);
        let blank = matches!(c, Some('#' | '\n' | '\r'));
        if blank || !self.brackets.is_empty() {
            return Ok(blank);
        }
        if continued != 0 {
            (column, other) = (continued, continued);
        }
        let (last, last_other) = self.indents.last().copied().unwrap_or((0, 0));
        if column == last {
            if other != last_other {
                return self.stop(Fault::Tabs);
            }
        } else if column > last {
            if self.indents.len() >= MAX_INDENT {
                return self.stop(Fault::TooDeep);
            }
            if other <= last_other {
                return self.stop(Fault::Tabs);
            }
            self.pending += 1;
            self.indents.push((column, other));
        } else {
            while self.indents.len() > 1 && self.indents.last().is_some_and(|&(c, _)| column < c) {
                self.pending -= 1;
                self.indents.pop();
            }
            let (found, found_other) = self.indents.last().copied().unwrap_or((0, 0));
            if column != found {
                return self.stop(Fault::Dedent);
            }
            if other != found_other {
                return self.stop(Fault::Tabs);
            }
        }
        Ok(false)
    }

    /// Behind a backslash.
    fn continuation(&mut self, lines: Lines<'_>) -> Found<()> {
        let mut c = self.take(lines)?;
        if c == Some('\r') {
            c = self.take(lines)?;
        }
        if c != Some('\n') {
            return self.stop(Fault::Continuation);
        }
        let c = self.take(lines)?;
        if c.is_none() {
            return self.stop(Fault::Unfinished);
        }
        self.back(c);
        Ok(())
    }

    fn token(&mut self, lines: Lines<'_>) -> Found<Token> {
        loop {
            let mut blank = false;
            if self.at_line_start {
                self.at_line_start = false;
                blank = self.indentation(lines)?;
            }
            if self.pending != 0 {
                let (kind, start) = match self.pending < 0 {
                    true => (Kind::Dedent, self.at),
                    false => (Kind::Indent, self.line_start),
                };
                self.pending -= self.pending.signum();
                let span = self.extra.then_some((start, self.at));
                return Ok(Token { kind, span });
            }
            if let Some(token) = self.in_line(blank, lines)? {
                return Ok(token);
            }
        }
    }

    /// A token of a line that was begun; none when a newline counts for nothing.
    fn in_line(&mut self, blank: bool, lines: Lines<'_>) -> Found<Option<Token>> {
        let mut c;
        loop {
            c = self.take(lines)?;
            if matches!(c, Some(' ' | '\t' | '\x0c')) {
                continue;
            }
            self.start = self.at - usize::from(c.is_some());
            if c != Some('\\') {
                break;
            }
            self.continuation(lines)?;
        }
        if c == Some('#') {
            while !matches!(c, None | Some('\n' | '\r')) {
                c = self.take(lines)?;
            }
            if self.extra {
                self.back(c);
                self.comment_newline = blank;
                return self.make(Kind::Comment, self.start).map(Some);
            }
        }
        let Some(first) = c else {
            if !self.brackets.is_empty() {
                return self.stop(Fault::Unfinished);
            }
            return Ok(Some(Token {
                kind: Kind::EndMarker,
                span: None,
            }));
        };
        if first.is_ascii_alphabetic() || first == '_' || !first.is_ascii() {
            return self.name(first, lines).map(Some);
        }
        let first = match first {
            '\r' => match self.take(lines)? {
                Some(c) => c,
                None => return self.fault("invalid non-printable character U+000D"),
            },
            other => other,
        };
        if first == '\n' {
            self.at_line_start = true;
            if blank || !self.brackets.is_empty() {
                self.comment_newline = false;
                return match self.extra {
                    true => self.make(Kind::BlankNewline, self.start).map(Some),
                    false => Ok(None),
                };
            }
            if self.comment_newline && self.extra {
                self.comment_newline = false;
                return self.make(Kind::BlankNewline, self.start).map(Some);
            }
            return Ok(Some(Token {
                kind: Kind::Newline,
                span: Some((self.start, self.at - 1)),
            }));
        }
        if first == '.' {
            if self.peek().is_some_and(|c| c.is_ascii_digit()) {
                self.fraction()?;
                return self.make(Kind::Number, self.start).map(Some);
            }
            if self.peek() == Some('.') && self.char_at(self.at + 1) == Some('.') {
                self.at += 2;
            }
            return self.make(Kind::Operator, self.start).map(Some);
        }
        if first.is_ascii_digit() {
            self.number(first)?;
            return self.make(Kind::Number, self.start).map(Some);
        }
        if matches!(first, '\'' | '"') {
            return self.string(first, lines).map(Some);
        }
        self.operator(first).map(Some)
    }

    fn name(&mut self, first: char, lines: Lines<'_>) -> Found<Token> {
        let (mut b, mut r, mut u, mut f, mut t) = (false, false, false, false, false);
        let mut c = Some(first);
        loop {
            match c.map(|c| c.to_ascii_lowercase()) {
                Some('b') if !(b || u || f || t) => b = true,
                Some('u') if !(b || u || r || f || t) => u = true,
                Some('r') if !(r || u) => r = true,
                Some('f') if !(f || b || u || t) => f = true,
                Some('t') if !(t || b || u || f) => t = true,
                _ => break,
            }
            c = self.take(lines)?;
            if let Some(quote @ ('\'' | '"')) = c {
                return match (f, t) {
                    (true, _) => self.string_start(quote, 'f', r),
                    (_, true) => self.string_start(quote, 't', r),
                    _ => self.string(quote, lines),
                };
            }
        }
        while c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()) {
            c = self.take(lines)?;
        }
        self.back(c);
        if !self.extra {
            self.check_identifier()?;
        }
        self.make(Kind::Name, self.start)
    }

    /// Refuses characters that no identifier may have.
    fn check_identifier(&mut self) -> Found<()> {
        let good = |at: usize| match self.text[at] {
            '_' => true,
            c if at == self.start => unicode::is_xid_start(c.into()),
            c => unicode::is_xid_continue(c.into()),
        };
        let Some(bad) = (self.start..self.at).find(|&at| !good(at)) else {
            return Ok(());
        };
        self.at = bad + 1;
        let c = self.text[bad];
        let number = u32::from(c);
        match unicode::is_printable(number) {
            true => self.fault(format!("invalid character '{c}' (U+{number:04X})")),
            false => self.fault(format!("invalid non-printable character U+{number:04X}")),
        }
    }

    fn operator(&mut self, first: char) -> Found<Token> {
        let mut format = false;
        if let Some(open) = self.strings.last_mut()
            && open.in_expression
            && first == ':'
            && open.depth - 1 == open.expression
        {
            (open.in_expression, open.in_format) = (false, true);
            format = true;
        }
        if format {
            return self.make(Kind::Operator, self.start);
        }
        let second = self.peek().unwrap_or('\n');
        let two = matches!(
            (first, second),
            (
                '!' | '%' | '&' | '*' | '+' | '-' | '/' | ':' | '<' | '=' | '>' | '@' | '^' | '|',
                '='
            ) | ('*', '*')
                | ('/', '/')
                | ('-' | '<', '>')
                | ('<', '<')
                | ('>', '>')
        );
        if two {
            self.at += 1;
            if matches!((first, second), ('*', '*') | ('/', '/') | ('<', '<') | ('>', '>')) {
                self.eat(|c| c == '=');
            }
            return self.make(Kind::Operator, self.start);
        }
        match first {
            '(' | '[' | '{' => {
                if self.brackets.len() >= MAX_LEVEL {
                    return self.fault("too many nested parentheses");
                }
                self.brackets.push((first, self.line));
                if let Some(open) = self.strings.last_mut() {
                    open.depth += 1;
                }
            }
            ')' | ']' | '}' => self.close(first)?,
            _ => {}
        }
        if !unicode::is_printable(first.into()) {
            return self.fault(format!("invalid non-printable character U+{:04X}", u32::from(first)));
        }
        if first == '='
            && let Some(open) = self.strings.last_mut()
            && open.expression >= 0
        {
            open.in_debug = true;
        }
        self.make(Kind::Operator, self.start)
    }

    fn close(&mut self, c: char) -> Found<()> {
        if let Some(open) = self.strings.last()
            && open.depth == 0
            && c == '}'
        {
            return self.fault(format!("{}-string: single '}}' is not allowed", open.letter));
        }
        match self.brackets.pop() {
            None if !self.extra => return self.fault(format!("unmatched '{c}'")),
            Some((opening, line)) if !self.extra && !matches!((opening, c), ('(', ')') | ('[', ']') | ('{', '}')) => {
                if let Some(open) = self.strings.last()
                    && opening == '{'
                    && open.depth - 1 == open.expression
                {
                    return self.fault(format!("{}-string: unmatched '{c}'", open.letter));
                }
                let mut text = format!("closing parenthesis '{c}' does not match opening parenthesis '{opening}'");
                if line != self.line {
                    text.push_str(&format!(" on line {line}"));
                }
                return self.fault(text);
            }
            _ => {}
        }
        if let Some(open) = self.strings.last_mut() {
            open.depth -= 1;
            if open.depth < 0 {
                let letter = open.letter;
                return self.fault(format!("{letter}-string: unmatched '{c}'"));
            }
            if c == '}' && open.depth == open.expression {
                open.expression -= 1;
                (open.in_expression, open.in_format, open.in_debug) = (false, open.expression >= 0, false);
            }
        }
        Ok(())
    }

    // ---- numbers: behind the first digit, on a line that was read ----

    fn number(&mut self, first: char) -> Found<()> {
        if first != '0' {
            self.decimal_tail()?;
            return self.after_digits();
        }
        let (name, radix) = match self.peek() {
            Some('x' | 'X') => ("hexadecimal", 16),
            Some('o' | 'O') => ("octal", 8),
            Some('b' | 'B') => ("binary", 2),
            _ => ("", 10),
        };
        if radix != 10 {
            self.at += 1;
            return self.radix_digits(name, radix);
        }
        loop {
            if self.peek() == Some('_') {
                self.at += 1;
                if !self.peek().is_some_and(|c| c.is_ascii_digit()) {
                    return self.fault("invalid decimal literal");
                }
            }
            if !self.eat(|c| c == '0') {
                break;
            }
        }
        let zeros_end = self.at;
        if self.eat(|c| c.is_ascii_digit()) {
            self.decimal_tail()?;
            if !self.extra && !matches!(self.peek(), Some('.' | 'e' | 'E' | 'j' | 'J')) {
                let column = |at: usize| at - self.line_start;
                return Err(Stop::Fault(Fault::Syntax(
                    "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers"
                        .into(),
                    column(self.start) + 1,
                    column(zeros_end) + 1,
                )));
            }
        }
        self.after_digits()
    }

    fn radix_digits(&mut self, name: &str, radix: u32) -> Found<()> {
        loop {
            self.eat(|c| c == '_');
            if !self.eat(|c| c.is_digit(radix)) {
                return match self.peek() {
                    Some(c) if c.is_ascii_digit() => {
                        self.at += 1;
                        self.fault(format!("invalid digit '{c}' in {name} literal"))
                    }
                    _ => self.fault(format!("invalid {name} literal")),
                };
            }
            while self.eat(|c| c.is_digit(radix)) {}
            if self.peek() != Some('_') {
                break;
            }
        }
        if let Some(c) = self.peek().filter(char::is_ascii_digit) {
            self.at += 1;
            return self.fault(format!("invalid digit '{c}' in {name} literal"));
        }
        self.end_of_number(name)
    }

    fn decimal_tail(&mut self) -> Found<()> {
        loop {
            while self.eat(|c| c.is_ascii_digit()) {}
            if !self.eat(|c| c == '_') {
                return Ok(());
            }
            if !self.peek().is_some_and(|c| c.is_ascii_digit()) {
                return self.fault("invalid decimal literal");
            }
        }
    }

    fn after_digits(&mut self) -> Found<()> {
        match self.eat(|c| c == '.') {
            true => self.fraction(),
            false => self.exponent(),
        }
    }

    fn fraction(&mut self) -> Found<()> {
        if self.eat(|c| c.is_ascii_digit()) {
            self.decimal_tail()?;
        }
        self.exponent()
    }

    fn exponent(&mut self) -> Found<()> {
        if matches!(self.peek(), Some('e' | 'E')) {
            let begin = self.at;
            self.at += 1;
            let sign = self.eat(|c| matches!(c, '+' | '-'));
            if !self.eat(|c| c.is_ascii_digit()) {
                if sign {
                    return self.fault("invalid decimal literal");
                }
                self.at = begin;
                return self.end_of_number("decimal");
            }
            self.decimal_tail()?;
        }
        match self.eat(|c| matches!(c, 'j' | 'J')) {
            true => self.end_of_number("imaginary"),
            false => self.end_of_number("decimal"),
        }
    }

    /// A number must not run into a name, but a keyword may follow it.
    fn end_of_number(&mut self, kind: &str) -> Found<()> {
        if self.extra {
            return Ok(());
        }
        let word = |c: &char| c.is_ascii_alphanumeric() || *c == '_' || !c.is_ascii();
        let name: String = self.text[self.at..].iter().take_while(|c| word(c)).collect();
        let keywords = ["and", "else", "for", "if", "in", "is", "or", "not"];
        if name.is_empty() || keywords.iter().any(|keyword| name.starts_with(keyword)) {
            return Ok(());
        }
        self.fault(format!("invalid {kind} literal"))
    }

    // ---- strings ----

    /// Behind the first quote of a string that is no f-string.
    fn string(&mut self, quote: char, lines: Lines<'_>) -> Found<Token> {
        (self.string_line_start, self.string_line) = (self.line_start, self.line);
        let mut size = 1;
        if self.eat(|c| c == quote) {
            if !self.eat(|c| c == quote) {
                return self.make(Kind::String, self.start);
            }
            size = 3;
        }
        let (mut end, mut escaped) = (0, false);
        while end != size {
            match self.take(lines)? {
                None => return self.unterminated(quote, size, escaped),
                Some('\n') if size == 1 => return self.unterminated(quote, size, escaped),
                Some(c) if c == quote => end += 1,
                Some('\\') => {
                    end = 0;
                    let c = self.take(lines)?;
                    escaped |= c == Some(quote);
                    if c == Some('\r') {
                        self.take(lines)?;
                    }
                }
                Some(_) => end = 0,
            }
        }
        self.make(Kind::String, self.start)
    }

    fn unterminated(&mut self, quote: char, size: usize, escaped: bool) -> Found<Token> {
        let line = self.line;
        self.at = self.start + 1;
        (self.line_start, self.line) = (self.string_line_start, self.string_line);
        if let Some(open) = self.strings.last()
            && (open.quote, open.size) == (quote, size)
        {
            return self.fault(format!("{}-string: expecting '}}'", open.letter));
        }
        let triple = if size == 3 { "triple-quoted " } else { "" };
        let mut text = format!("unterminated {triple}string literal (detected at line {line})");
        if size == 1 && escaped {
            text.push_str("; perhaps you escaped the end quote?");
        }
        self.fault(text)
    }

    fn string_start(&mut self, quote: char, letter: char, raw: bool) -> Found<Token> {
        (self.string_line_start, self.string_line) = (self.line_start, self.line);
        let triple = self.peek() == Some(quote) && self.char_at(self.at + 1) == Some(quote);
        self.at += if triple { 2 } else { 0 };
        if self.strings.len() >= MAX_STRINGS {
            return self.fault("too many nested f-strings or t-strings");
        }
        self.strings.push(Open {
            letter,
            quote,
            size: if triple { 3 } else { 1 },
            raw,
            start: (self.start, self.line_start, self.line),
            in_expression: false,
            depth: 0,
            expression: -1,
            in_format: false,
            in_debug: false,
        });
        self.make(Kind::StringStart(letter), self.start)
    }

    /// Inside of an f-string, where no expression is.
    fn string_part(&mut self, lines: Lines<'_>) -> Found<Token> {
        self.start = self.at;
        let Some(open) = self.strings.last_mut() else {
            return self.token(lines);
        };
        let (quote, size, letter, raw) = (open.quote, open.size, open.letter, open.raw);
        let middle = Kind::StringMiddle(letter);
        let in_format = open.in_format && open.expression >= 0;
        let text = &self.text;
        let here = |n: usize| text.get(self.at + n).copied();
        if here(0) == Some('{') && here(1) != Some('{') {
            open.expression += 1;
            open.in_expression = true;
            if open.expression >= MAX_EXPRESSIONS {
                return self.fault(format!("{letter}-string: expressions nested too deeply"));
            }
            return self.token(lines);
        }
        (self.string_line_start, self.string_line) = (self.line_start, self.line);
        if (0..size).all(|n| here(n) == Some(quote)) {
            self.at += size;
            self.strings.pop();
            return self.make(Kind::StringEnd(letter), self.start);
        }
        let (mut end, mut escape) = (0, false);
        while end != size {
            let c = self.take(lines)?;
            if c.is_none() || (size == 1 && c == Some('\n')) {
                return self.unterminated_part(in_format && c.is_some());
            }
            if c == Some(quote) {
                end += 1;
                continue;
            }
            end = 0;
            match c {
                Some('{') => {
                    if self.peek() == Some('{') && !in_format {
                        self.at += 1;
                        return Ok(Token {
                            kind: middle,
                            span: Some((self.start, self.at - 1)),
                        });
                    }
                    self.at -= 1;
                    let too_deep = self.strings.last_mut().is_some_and(|open| {
                        open.expression += 1;
                        open.in_expression = true;
                        open.expression >= MAX_EXPRESSIONS
                    });
                    if too_deep {
                        return self.fault(format!("{letter}-string: expressions nested too deeply"));
                    }
                    return self.make(middle, self.start);
                }
                Some('}') if escape => return self.make(middle, self.start),
                Some('}') => {
                    let top = self.strings.last().is_some_and(|open| open.depth == 0);
                    if self.peek() == Some('}') && !in_format && top {
                        self.at += 1;
                        return Ok(Token {
                            kind: middle,
                            span: Some((self.start, self.at - 1)),
                        });
                    }
                    self.at -= 1;
                    if let Some(open) = self.strings.last_mut() {
                        open.in_expression = true;
                    }
                    return self.make(middle, self.start);
                }
                Some('\\') => {
                    let mut next = self.take(lines)?;
                    if next == Some('\r') {
                        next = self.take(lines)?;
                    }
                    if matches!(next, Some('{' | '}')) {
                        self.back(next);
                    } else if next == Some('N') && !raw && self.eat(|c| c == '{') {
                        escape = true;
                    }
                }
                _ => {}
            }
        }
        self.at -= size;
        self.make(middle, self.start)
    }

    fn unterminated_part(&mut self, in_format: bool) -> Found<Token> {
        let Some(open) = self.strings.last_mut() else {
            return self.fault("invalid syntax");
        };
        let (letter, size) = (open.letter, open.size);
        if in_format {
            // The newline ends the format; what follows is an expression again.
            self.at -= 1;
            (open.in_expression, open.in_format) = (true, false);
            return self.make(Kind::StringMiddle(letter), self.start);
        }
        let line = self.line;
        let (start, line_start, first) = open.start;
        self.at = start + 1;
        (self.line_start, self.line) = (line_start, first);
        let triple = if size == 3 { "triple-quoted " } else { "" };
        self.fault(format!(
            "unterminated {triple}{letter}-string literal (detected at line {line})"
        ))
    }
}
