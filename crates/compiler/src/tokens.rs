//! What the tokens of a source alone say: warnings of numbers and escapes, numbers that are too long, the end of an interactive source.

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{Mod, Stmt, StringFlags as _};
use ruff_python_parser::Parsed;
use ruff_text_size::{Ranged, TextRange, TextSize};

use crate::errors::{End, Fault, SyntaxErrorKind, Warning, WarningCategory, fault};
use crate::source::LineIndex;
use crate::{Mode, Options};

/// The warnings of the parser, about the tokens before `until`: numbers that run into a keyword, escapes that stand for nothing (the first of
/// each literal).
pub(crate) fn warnings(parsed: &Parsed<Mod>, source: &str, lines: &LineIndex, until: TextSize) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut last: Option<(TokenKind, TextRange)> = None;
    for token in parsed.tokens().iter().take_while(|token| token.end() <= until) {
        let here = (token.kind(), token.range());
        if let Some(flags) = token.string_flags()
            && !flags.is_raw_string()
            && let Some((content, interpolated)) = match here.0 {
                TokenKind::String => Some((
                    TextRange::new(here.1.start() + flags.opener_len(), here.1.end() - flags.closer_len()),
                    false,
                )),
                TokenKind::FStringMiddle | TokenKind::TStringMiddle => Some((here.1, true)),
                _ => None,
            }
            && let Some(text) = source.get(usize::from(content.start())..usize::from(content.end()))
            && let Some((at, escape)) = invalid_escape(text, flags.is_byte_string(), interpolated)
        {
            let kind = if escape.len() == 3 && escape.is_ascii() {
                "octal "
            } else {
                ""
            };
            let start = content.start() + TextSize::new(at as u32);
            found.push(Warning::new(
                WarningCategory::Syntax,
                source,
                lines,
                TextRange::at(start, TextSize::new(1 + escape.len() as u32)),
                format!(
                    "\"\\{escape}\" is an invalid {kind}escape sequence. Such sequences will not work in the future. \
                     Did you mean \"\\\\{escape}\"? A raw string is also an option."
                ),
            ));
        }
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

/// The first escape in a literal that stands for nothing: where its backslash is, and what follows.
fn invalid_escape(content: &str, bytes: bool, interpolated: bool) -> Option<(usize, &str)> {
    let mut chars = content.char_indices();
    while let Some((at, c)) = chars.next() {
        if c != '\\' {
            continue;
        }
        let Some((start, escape)) = chars.next() else {
            // Before the brace of an expression.
            return interpolated.then_some((at, "{"));
        };
        match escape {
            '\n' | '\\' | '\'' | '"' | 'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | 'x' => {}
            'u' | 'U' | 'N' if !bytes => {}
            '0'..='7' => {
                let digits = content.get(start..start + 3).unwrap_or_default();
                if escape > '3' && digits.len() == 3 && digits.bytes().all(|d| (b'0'..=b'7').contains(&d)) {
                    return Some((at, digits));
                }
            }
            other => return Some((at, &content[start..start + other.len_utf8()])),
        }
    }
    None
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

/// An expression or an interactive statement is more than blanks.
pub(crate) fn check_not_blank(source: &str, mode: Mode) -> Result<(), Box<Fault>> {
    let (kind, message, end) = match mode {
        Mode::Eval | Mode::Single if source.is_empty() => (SyntaxErrorKind::Syntax, "invalid syntax", End::Nothing),
        Mode::Eval | Mode::Single if source.bytes().all(|c| matches!(c, b' ' | b'\t' | b'\x0c')) => {
            (SyntaxErrorKind::Indentation, "unexpected indent", End::Minus)
        }
        _ => return Ok(()),
    };
    Err(Box::new(Fault {
        kind,
        message: message.into(),
        range: Some(TextRange::default()),
        end,
    }))
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
    match (newline, rest.first()) {
        (_, Some(next)) if !is_simple(first) => {
            let token = parsed.tokens().iter().find(|token| token.start() >= next.start());
            fault(token.map_or(next.range(), |token| token.range()), "invalid syntax")
        }
        (Some(newline), Some(_)) if rest.iter().any(|stmt| stmt.start() > newline.start()) => {
            fault(newline, "multiple statements found while compiling a single statement")
        }
        _ => Ok(()),
    }
}

/// A statement of one line.
fn is_simple(stmt: &Stmt) -> bool {
    matches!(
        stmt,
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
    )
}

/// A compound statement of an interactive source ends with a newline of its own: more lines may follow what stands there. Only blocks at the
/// end are over with the source, unless their end must not be implied.
pub(crate) fn check_end(parsed: &Parsed<Mod>, source: &str, options: &Options) -> Result<(), Box<Fault>> {
    let Mod::Module(module) = parsed.syntax() else {
        return Ok(());
    };
    if source.ends_with('\n') || module.body.first().is_none_or(is_simple) {
        return Ok(());
    }
    let last = source.rsplit('\n').next().unwrap_or_default().trim_start();
    let blank = last.is_empty() || last.starts_with('#');
    let end = ruff_text_size::TextSize::of(source);
    let indented = parsed
        .tokens()
        .iter()
        .rev()
        .take_while(|token| token.end() == end)
        .any(|token| token.kind() == TokenKind::Dedent);
    if indented && !blank && !options.dont_imply_dedent {
        return Ok(());
    }
    let (kind, message) = match options.allow_incomplete_input {
        true => (SyntaxErrorKind::Incomplete, INCOMPLETE),
        false => (SyntaxErrorKind::Syntax, "invalid syntax"),
    };
    Err(Box::new(Fault {
        kind,
        message: message.into(),
        range: Some(TextRange::empty(end)),
        end: End::Cursor,
    }))
}

/// What is said of a source that may go on.
pub(crate) const INCOMPLETE: &str = "incomplete input";
