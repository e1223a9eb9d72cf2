//! Why a source did not parse, in CPython's words.
//!
//! The tokenizer's errors come first, wherever they are; then what the parser's first error and the tokens around it say;
//! what has no text of its own is "invalid syntax" at the token that did not fit.

mod syntax;
mod targets;
mod tokenizer;

use ruff_python_ast::Mod;
use ruff_python_parser::{ParseError, ParseErrorType, Parsed};

use crate::errors::{End, Fault, Res, SyntaxErrorKind, fault};
use crate::source::LineIndex;
use crate::{Mode, Options};

/// The tokenizer's error, for a source that is only cut into tokens.
pub(crate) fn scan_tokens(source: &str, lines: &LineIndex) -> Option<Fault> {
    let scan = tokenizer::scan(source, lines);
    let end = ruff_text_size::TextSize::of(source);
    scan.error.or_else(|| {
        scan.open.map(|_| Fault {
            kind: SyntaxErrorKind::Syntax,
            message: "unexpected EOF in multi-line statement".into(),
            range: Some(ruff_text_size::TextRange::empty(end)),
            end: End::Zero,
        })
    })
}

/// The error of a source that did not parse.
pub(crate) fn check(parsed: &Parsed<Mod>, source: &str, lines: &LineIndex, mode: Mode, options: &Options) -> Res {
    let Some(error) = first_error(parsed) else {
        return Ok(());
    };
    let scan = tokenizer::scan(source, lines);
    // What the parser sees before the tokenizer gets to its error: only an unexpected indent is final.
    let indent_first = matches!(error.error, ParseErrorType::UnexpectedIndentation)
        && scan
            .error
            .as_ref()
            .and_then(|f| f.range)
            .is_some_and(|range| error.location.start() < range.start());
    if let Some(mut fault) = scan.error
        && !indent_first
    {
        if options.allow_incomplete_input && incomplete(&fault) {
            fault.kind = SyntaxErrorKind::Incomplete;
        }
        return Err(Box::new(fault));
    }
    let mut found = syntax::explain(parsed, error, source, lines, mode);
    if let Some((at, bracket)) = scan.open {
        // An open bracket explains an error on a later line.
        let error_line = found.range.map_or(0, |range| lines.line(range.start()));
        let at = ruff_text_size::TextSize::new(at as u32);
        let whole = found
            .range
            .is_none_or(|range| usize::from(range.start()) >= source.trim_end().len());
        let itself = found.message == "invalid syntax" && found.range.is_some_and(|range| range.start() == at);
        if whole || itself || error_line > lines.line(at) {
            found = Fault {
                kind: SyntaxErrorKind::Syntax,
                message: format!("'{bracket}' was never closed"),
                range: Some(ruff_text_size::TextRange::empty(at)),
                end: End::Zero,
            };
            if options.allow_incomplete_input {
                found.kind = SyntaxErrorKind::Incomplete;
            }
        }
    }
    let at_end = found
        .range
        .is_some_and(|range| usize::from(range.start()) >= source.trim_end().len());
    if options.allow_incomplete_input && at_end && scan.open.is_none() {
        found.kind = SyntaxErrorKind::Incomplete;
    }
    match found.range {
        Some(_) => Err(Box::new(found)),
        None => fault(error.location, found.message),
    }
}

/// The error to explain: the parser's first, unless it found a bad target before it afterwards.
fn first_error(parsed: &Parsed<Mod>) -> Option<&ParseError> {
    let first = parsed.errors().first()?;
    let target = parsed.errors().iter().find(|e| {
        matches!(
            e.error,
            ParseErrorType::InvalidAssignmentTarget | ParseErrorType::InvalidAugmentedAssignmentTarget
        ) && e.location.start() < first.location.start()
    });
    Some(target.unwrap_or(first))
}

fn incomplete(fault: &Fault) -> bool {
    fault.message.starts_with("unterminated triple-quoted") || fault.message.starts_with("unexpected EOF")
}
