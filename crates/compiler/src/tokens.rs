//! The tokens of a source, as `tokenize` shows them.
//!
//! Invariant: tokens come in source order and lie inside the source. Errors are those of CPython's tokenizer.

use std::sync::Arc;

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{Mod, PythonVersion, Stmt};
use ruff_python_parser::{ParseOptions, Parsed, parse_unchecked};
use ruff_text_size::{Ranged, TextRange};

use crate::errors::{End, Fault, SyntaxError, SyntaxErrorKind, Warning, WarningCategory, fault};
use crate::source::LineIndex;
use crate::{diagnose, limits};

/// The kinds of tokens that `tokenize` tells apart; operators are told apart by their text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenClass {
    EndMarker,
    Name,
    Number,
    String,
    Newline,
    Indent,
    Dedent,
    Operator,
    FStringStart,
    FStringMiddle,
    FStringEnd,
    TStringStart,
    TStringMiddle,
    TStringEnd,
    Comment,
    BlankNewline,
}

/// A token and its place: lines from 1, columns in characters from 0.
#[derive(Clone, Debug)]
pub struct Token {
    pub class: TokenClass,
    pub text: String,
    pub start: (u32, u32),
    pub end: (u32, u32),
    /// The lines that the token stands on, whole. Neighbours on the same lines share them.
    pub lines: Arc<str>,
}

fn class_of(kind: TokenKind) -> TokenClass {
    match kind {
        TokenKind::EndOfFile => TokenClass::EndMarker,
        TokenKind::Int | TokenKind::Float | TokenKind::Complex => TokenClass::Number,
        TokenKind::String => TokenClass::String,
        TokenKind::FStringStart => TokenClass::FStringStart,
        TokenKind::FStringMiddle => TokenClass::FStringMiddle,
        TokenKind::FStringEnd => TokenClass::FStringEnd,
        TokenKind::TStringStart => TokenClass::TStringStart,
        TokenKind::TStringMiddle => TokenClass::TStringMiddle,
        TokenKind::TStringEnd => TokenClass::TStringEnd,
        TokenKind::Comment => TokenClass::Comment,
        TokenKind::Newline => TokenClass::Newline,
        TokenKind::NonLogicalNewline => TokenClass::BlankNewline,
        TokenKind::Indent => TokenClass::Indent,
        TokenKind::Dedent => TokenClass::Dedent,
        // CPython's tokenizer calls `$`, `?` and the back quote operators as well.
        TokenKind::Name => TokenClass::Name,
        kind if kind.is_keyword() => TokenClass::Name,
        _ => TokenClass::Operator,
    }
}

/// The warnings that depend on tokens alone: a number that runs into a keyword.
pub(crate) fn warnings(parsed: &Parsed<Mod>, source: &str, lines: &LineIndex) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut last: Option<(TokenKind, TextRange)> = None;
    for token in parsed.tokens().iter() {
        let here = (token.kind(), token.range());
        if let Some((kind, range)) = last.replace(here)
            && matches!(kind, TokenKind::Int | TokenKind::Float | TokenKind::Complex)
            && range.end() == here.1.start()
            && here.0.is_keyword()
        {
            let text = source
                .get(usize::from(range.start())..usize::from(range.end()))
                .unwrap_or_default();
            let what = match text.get(..2) {
                _ if kind == TokenKind::Complex => "imaginary",
                Some("0x" | "0X") => "hexadecimal",
                Some("0o" | "0O") => "octal",
                Some("0b" | "0B") => "binary",
                _ => "decimal",
            };
            found.push(Warning::new(
                WarningCategory::Syntax,
                source,
                lines,
                range,
                format!("invalid {what} literal"),
            ));
        }
    }
    found
}

/// Ints that are too long to be read.
pub(crate) fn check_numbers(parsed: &Parsed<Mod>, source: &str, limit: usize) -> Result<(), Box<Fault>> {
    if limit == 0 {
        return Ok(());
    }
    for token in parsed.tokens().iter() {
        if token.kind() != TokenKind::Int || usize::from(token.range().len()) <= limit {
            continue;
        }
        let (start, end) = (usize::from(token.start()), usize::from(token.end()));
        let text = source.get(start..end).unwrap_or_default();
        let radix = text.starts_with('0') && text.contains(|c: char| c.is_ascii_alphabetic());
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        if !radix && digits > limit {
            return Err(Box::new(Fault {
                kind: SyntaxErrorKind::Syntax,
                message: format!(
                    "Exceeds the limit ({limit} digits) for integer string conversion: value has {digits} digits; use \
                     sys.set_int_max_str_digits() to increase the limit - Consider hexadecimal for huge integer literals \
                     to avoid decimal conversion limits."
                ),
                range: Some(token.range()),
                end: End::Line,
            }));
        }
    }
    Ok(())
}

/// An interactive source has one statement, or several simple ones on one line.
pub(crate) fn check_single(parsed: &Parsed<Mod>) -> Result<(), Box<Fault>> {
    let Mod::Module(module) = parsed.syntax() else {
        return Ok(());
    };
    let [first, rest @ ..] = &*module.body else {
        return Ok(());
    };
    let (mut comment, mut newline) = (None, None);
    for token in parsed.tokens().iter().filter(|token| token.start() >= first.end()) {
        match token.kind() {
            TokenKind::Comment => comment = Some(token.start()),
            TokenKind::Newline => {
                newline = Some(TextRange::new(comment.unwrap_or(token.start()), token.end()));
                break;
            }
            _ => comment = None,
        }
    }
    let simple = matches!(
        first,
        Stmt::Return(_)
            | Stmt::Delete(_)
            | Stmt::TypeAlias(_)
            | Stmt::Assign(_)
            | Stmt::AugAssign(_)
            | Stmt::AnnAssign(_)
            | Stmt::Raise(_)
            | Stmt::Assert(_)
            | Stmt::Import(_)
            | Stmt::ImportFrom(_)
            | Stmt::Global(_)
            | Stmt::Nonlocal(_)
            | Stmt::Expr(_)
            | Stmt::Pass(_)
            | Stmt::Break(_)
            | Stmt::Continue(_)
    );
    match (newline, rest.first()) {
        (_, Some(next)) if !simple => {
            let token = parsed.tokens().iter().find(|token| token.start() >= next.start());
            fault(token.map_or(next.range(), |token| token.range()), "invalid syntax")
        }
        (Some(newline), Some(_)) if rest.iter().any(|stmt| stmt.start() > newline.start()) => {
            fault(newline, "multiple statements found while compiling a single statement")
        }
        _ => Ok(()),
    }
}

/// The tokens of `source`, up to and with the end marker.
pub fn tokens(source: &str) -> Result<Vec<Token>, SyntaxError> {
    let lines = LineIndex::new(source);
    let result = limits::with_stack_for_source(source, || find(source, &lines));
    result.map_err(|fault: Box<Fault>| fault.into_error(source, &lines))
}

fn find(source: &str, lines: &LineIndex) -> Result<Vec<Token>, Box<Fault>> {
    if let Some(error) = diagnose::scan_tokens(source, lines) {
        return Err(Box::new(error));
    }
    let options = ParseOptions::from(ruff_python_parser::Mode::Module).with_target_version(PythonVersion::PY314);
    let parsed = parse_unchecked(source, options);
    let mut found = Vec::with_capacity(parsed.tokens().len() + 1);
    let nothing: Arc<str> = Arc::from("");
    let mut shown = ((0, 0), nothing.clone());
    let last_line = lines.line_and_byte(ruff_text_size::TextSize::of(source)).0;
    for token in parsed.tokens().iter() {
        let class = class_of(token.kind());
        let (start, end) = (token.range().start(), token.range().end());
        let text = source.get(usize::from(start)..usize::from(end)).unwrap_or_default();
        let from = lines.line_and_char(source, start);
        let mut to = lines.line_and_char(source, end);
        let (text, from) = match class {
            TokenClass::EndMarker => break,
            // The newline itself is one column wide; at the end of the source there may be none.
            TokenClass::Newline | TokenClass::BlankNewline => {
                to = (from.0, from.1 + 1);
                (text.to_owned(), from)
            }
            TokenClass::FStringMiddle | TokenClass::TStringMiddle => (text.replace("{{", "{").replace("}}", "}"), from),
            _ => (text.to_owned(), from),
        };
        if shown.0 != (from.0, to.0) {
            let text: String = (from.0..=to.0).map(|line| lines.line_text(source, line)).collect();
            shown = ((from.0, to.0), text.into());
        }
        found.push(Token {
            class,
            text,
            start: from,
            end: to,
            lines: shown.1.clone(),
        });
    }
    let end = if source.is_empty() || source.ends_with('\n') {
        last_line
    } else {
        last_line + 1
    };
    for token in found.iter_mut().rev().take_while(|t| t.class == TokenClass::Dedent) {
        (token.start, token.end, token.lines) = ((end, 0), (end, 0), nothing.clone());
    }
    found.push(Token {
        class: TokenClass::EndMarker,
        text: String::new(),
        start: (end, 0),
        end: (end, 0),
        lines: nothing,
    });
    Ok(found)
}
