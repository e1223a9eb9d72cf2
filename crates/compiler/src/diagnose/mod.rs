//! Why a source did not parse, in CPython's words.
//!
//! The tokenizer's errors come first, wherever they are, but for those that count only where the parser gets to them; then what a walk of the
//! grammar as CPython's parser does it finds (`peg`). Left out: errors of the compiler proper, which stand where they are found.

mod escapes;
mod grammar;
mod peg;
mod reports;
mod tokenizer;

use std::borrow::Cow;

use lisle_bytecode::CodeFlags;
use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, Mod, PythonVersion, Stmt};
use ruff_python_parser::{LexicalErrorType, ParseErrorType, ParseOptions, Parsed, parse_unchecked};
use ruff_text_size::{Ranged, TextRange, TextSize};

use crate::errors::{End, Fault, Res, SyntaxErrorKind};
use crate::source::LineIndex;
use crate::tokens::INCOMPLETE;
use crate::{Mode, Options};

/// With `from __future__ import barry_as_FLUFL`, `<>` is the operator and `!=` an error. Gives the source in the usual spelling.
pub(crate) fn flufl<'s>(source: &'s str, lines: &LineIndex, options: &Options) -> Res<Cow<'s, str>> {
    const FEATURE: &str = "barry_as_FLUFL";
    let inherited = options.future_flags & CodeFlags::FUTURE_BARRY_AS_BDFL != 0;
    if !inherited && !source.contains(FEATURE) {
        return Ok(source.into());
    }
    let scan = tokenizer::scan(source, lines);
    let text = |token: &peg::Token| source.get(token.start as usize..token.end as usize).unwrap_or_default();
    let mut spelled = source.to_owned();
    let mut on = inherited;
    let mut before = "";
    for token in &scan.tokens {
        let here = text(token);
        on |= here == FEATURE && matches!(before, "import" | "," | "(");
        before = here;
        let range = TextRange::new(TextSize::new(token.start), TextSize::new(token.end));
        match here {
            "!=" if on => return Err(Box::new(syntax(range, "with Barry as BDFL, use '<>' instead of '!='"))),
            "<>" if on => spelled.replace_range(token.start as usize..token.end as usize, "!="),
            _ => {}
        }
    }
    Ok(spelled.into())
}

/// The error of a source that did not parse.
pub(crate) fn check(parsed: &Parsed<Mod>, source: &str, lines: &LineIndex, mode: Mode, options: &Options) -> Res {
    let Some(error) = parsed.errors().first() else {
        return Ok(());
    };
    let scan = tokenizer::scan(source, lines);
    let report = |mut fault: Fault, at_end: bool| {
        let unfinished = |start: &str| fault.message.starts_with(start);
        let at_end = at_end && !unfinished("unterminated f-string") && !unfinished("unterminated t-string");
        if options.allow_incomplete_input
            && (at_end || unfinished("unterminated triple-quoted") || unfinished("unexpected EOF"))
        {
            fault = Fault {
                kind: SyntaxErrorKind::Incomplete,
                message: INCOMPLETE.into(),
                ..fault
            };
        }
        Err(Box::new(fault))
    };
    // No newline follows the one line of an expression.
    let broken = "unexpected character after line continuation character";
    let scan = match mode {
        Mode::Eval if source.ends_with('\\') => tokenizer::Scan {
            error: scan.error.map(|fault| Fault {
                message: broken.into(),
                ..fault
            }),
            stop: scan.stop.map(|fault| Fault {
                message: broken.into(),
                ..fault
            }),
            ..scan
        },
        _ => scan,
    };
    // An unexpected indent is final; whatever else the parser says gives way to an error of a later token.
    let indent_first = matches!(error.error, ParseErrorType::UnexpectedIndentation);
    if let Some(fault) = scan.error
        && !(indent_first && fault.range.is_some_and(|range| error.location.start() < range.start()))
    {
        return report(fault, scan.ended_in_string);
    }
    if let ParseErrorType::Lexical(
        LexicalErrorType::UnicodeError
        | LexicalErrorType::MissingUnicodeLbrace
        | LexicalErrorType::MissingUnicodeRbrace
        | LexicalErrorType::StringError
        | LexicalErrorType::OtherError(_),
    ) = error.error
    {
        return report(escapes::explain(parsed, error.location, source), false);
    }
    let expression = matches!(mode, Mode::Eval | Mode::FuncType);
    let first = match expression {
        true => 0,
        false => first_token(&scan.tokens, source, usize::from(error.location.start())),
    };
    let Some(verdict) = peg::explain(source, &scan.tokens, scan.stop.as_ref(), first, expression) else {
        return report(syntax(error.location, "invalid syntax"), false);
    };
    if let Some((at, bracket)) = scan.open
        && lines.line(TextSize::new(verdict.last.start)) > lines.line(TextSize::new(at as u32))
    {
        // The bracket that is open at the end explains an error on a later line.
        return report(peg::never_closed(at, bracket), verdict.at_end);
    }
    report(verdict.fault, verdict.at_end)
}

/// What an error about a word that may be a misspelled keyword needs to be explained: the last statement before it, and the source.
pub(crate) fn context(fault: &Fault, source: &str, lines: &LineIndex) -> Option<Box<(u32, u32, String)>> {
    let range = fault.range?;
    if lines.is_made_up() || fault.message != "invalid syntax" && !fault.message.contains("Perhaps you forgot a comma")
    {
        return None;
    }
    struct Last<'l> {
        lines: &'l LineIndex,
        line: u32,
        found: (u32, u32),
    }
    impl<'a> Visitor<'a> for Last<'_> {
        fn visit_stmt(&mut self, stmt: &'a Stmt) {
            let (start, end) = (self.lines.location(stmt.range()), self.lines.line(stmt.range().end()));
            if end < self.line && start.line >= self.found.0 {
                self.found = (start.line, start.col);
            }
            visitor::walk_stmt(self, stmt);
        }

        fn visit_expr(&mut self, _: &'a Expr) {}
    }
    let mut last = Last {
        lines,
        line: lines.line(range.start()),
        found: (0, 0),
    };
    let options = ParseOptions::from(ruff_python_parser::Mode::Module).with_target_version(PythonVersion::PY314);
    if let Mod::Module(module) = parse_unchecked(source, options).syntax() {
        last.visit_body(&module.body);
    }
    Some(Box::new((last.found.0, last.found.1, source.to_owned())))
}

/// The token that begins the statement at the outermost level before the one with the error at `offset`.
fn first_token(tokens: &[peg::Token], source: &str, offset: usize) -> usize {
    const GO_ON: &[&str] = &["elif", "else", "except", "finally"];
    let (mut depth, mut fresh) = (0usize, true);
    let mut last = [0, 0];
    for (i, token) in tokens.iter().enumerate() {
        match token.kind {
            grammar::Kind::Indent => depth += 1,
            grammar::Kind::Dedent => depth = depth.saturating_sub(1),
            grammar::Kind::Newline => fresh = true,
            _ => {
                let text = source.get(token.start as usize..token.end as usize).unwrap_or_default();
                if fresh && depth == 0 && !GO_ON.contains(&text) {
                    if token.start as usize > offset {
                        break;
                    }
                    last = [last[1], i];
                }
                fresh = false;
            }
        }
    }
    last[0]
}

fn syntax(range: TextRange, message: impl Into<String>) -> Fault {
    Fault {
        kind: SyntaxErrorKind::Syntax,
        message: message.into(),
        range: Some(range),
        end: End::Range,
    }
}
