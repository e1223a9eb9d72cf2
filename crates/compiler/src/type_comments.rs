//! Comments that are annotations (`# type: int`), as PEP 484 has them and `ast.parse(type_comments=True)` shows them.
//!
//! Invariant: what begins with `# type: ` belongs to an assignment, a loop, a `with`, a function or a parameter, or is an error; comments
//! with `ignore` may stand anywhere.

use std::collections::{HashMap, HashSet};

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, Mod, Parameter, Stmt, StmtFunctionDef};
use ruff_python_parser::{Mode, ParseOptions, Parsed, parse_unchecked};
use ruff_text_size::{Ranged, TextRange, TextSize};

use crate::errors::{Res, fault};
use crate::source::LineIndex;

/// Those of a source.
#[derive(Default)]
pub(crate) struct TypeComments<'a> {
    /// By the start of the statement or parameter.
    pub of: HashMap<TextSize, &'a str>,
    /// Lines of those with `ignore`, and what follows the word.
    pub ignores: Vec<(u32, &'a str)>,
}

/// Finds all; an error names the first one that stands where none may.
pub(crate) fn find<'a>(parsed: &Parsed<Mod>, source: &'a str, lines: &LineIndex) -> Res<TypeComments<'a>> {
    let mut found = TypeComments::default();
    let mut walk = Walk {
        tokens: Vec::new(),
        claimed: HashMap::new(),
        wrong: None,
    };
    for token in parsed.tokens().iter() {
        match token.kind() {
            TokenKind::NonLogicalNewline => {}
            TokenKind::Comment => {
                let Some((start, is_ignore)) = annotation(&source[token.range()]) else {
                    continue;
                };
                let range = TextRange::new(token.start() + TextSize::new(start as u32), token.end());
                if is_ignore {
                    found.ignores.push((lines.location(range).line, &source[range]));
                } else {
                    walk.tokens.push((TokenKind::Comment, range));
                }
            }
            kind => walk.tokens.push((kind, token.range())),
        }
    }
    if let Mod::Module(module) = parsed.syntax() {
        walk.visit_body(&module.body);
    }
    if let Some((range, message)) = walk.wrong {
        return fault(range, message);
    }
    let claimed: HashSet<TextRange> = walk.claimed.values().copied().collect();
    let mut comments = walk.tokens.iter().filter(|(kind, _)| *kind == TokenKind::Comment);
    if let Some((_, range)) = comments.find(|(_, range)| !claimed.contains(range)) {
        return fault(*range, "invalid syntax");
    }
    found.of = walk
        .claimed
        .iter()
        .map(|(key, range)| (*key, &source[*range]))
        .collect();
    Ok(found)
}

/// Where a signature (`(int, str) -> bool`) has the parentheses of its arguments, and what it returns.
pub fn signature(source: &str) -> Option<(TextRange, TextRange)> {
    // The arrow is an error to the parser, not to the tokens, which go on behind it.
    let parsed = parse_unchecked(source, ParseOptions::from(Mode::Module));
    let mut tokens = parsed.tokens().iter().filter(|token| {
        !matches!(
            token.kind(),
            TokenKind::NonLogicalNewline | TokenKind::Newline | TokenKind::Comment
        )
    });
    let first = tokens.next().filter(|token| token.kind() == TokenKind::Lpar)?;
    let mut depth = 1;
    for token in tokens.by_ref() {
        match token.kind() {
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth += 1,
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let arrow = tokens.next().filter(|token| token.kind() == TokenKind::Rarrow)?;
            return Some((
                TextRange::new(first.start(), token.end()),
                TextRange::new(arrow.end(), TextSize::of(source)),
            ));
        }
    }
    None
}

/// Where the annotation of a comment begins, and whether it is an `ignore`; None for another comment.
fn annotation(comment: &str) -> Option<(usize, bool)> {
    let blank = |text: &str| text.trim_start_matches([' ', '\t']).len();
    let rest = comment.strip_prefix('#')?;
    let rest = rest[rest.len() - blank(rest)..].strip_prefix("type:")?;
    let rest = &rest[rest.len() - blank(rest)..];
    let start = comment.len() - rest.len();
    match rest.strip_prefix("ignore") {
        Some(tag) if !tag.starts_with(|c: char| !c.is_ascii() || c.is_ascii_alphanumeric()) => {
            Some((comment.len() - tag.len(), true))
        }
        _ => Some((start, false)),
    }
}

struct Walk {
    /// All but other comments and line ends within a line of the language.
    tokens: Vec<(TokenKind, TextRange)>,
    /// Annotations by what they belong to.
    claimed: HashMap<TextSize, TextRange>,
    /// The first that is wrong for another reason than its place.
    wrong: Option<(TextRange, &'static str)>,
}

impl Walk {
    /// The number of the first token that begins at a place or behind it.
    fn at(&self, place: TextSize) -> usize {
        self.tokens.partition_point(|(_, range)| range.start() < place)
    }

    fn kind(&self, number: usize) -> Option<TokenKind> {
        self.tokens.get(number).map(|(kind, _)| *kind)
    }

    /// Whether a token is an annotation, which then belongs to `owner`.
    fn claim(&mut self, number: usize, owner: TextSize) -> bool {
        let Some((TokenKind::Comment, range)) = self.tokens.get(number).copied() else {
            return false;
        };
        self.claimed.insert(owner, range);
        true
    }

    /// An error at a token, unless there is one already.
    fn refuse(&mut self, number: usize, message: &'static str) {
        let token = self.tokens.get(number).map(|(_, range)| (*range, message));
        self.wrong = self.wrong.or(token);
    }

    /// The number of the token behind the colon that ends a head.
    fn behind_colon(&self, end: TextSize) -> usize {
        let mut number = self.at(end);
        while !matches!(self.kind(number), Some(TokenKind::Colon) | None) {
            number += 1;
        }
        number + 1
    }

    fn function(&mut self, s: &StmtFunctionDef) {
        let head = s.returns.as_ref().map_or(s.parameters.range().end(), |e| e.end());
        let first = self.behind_colon(head);
        if self.claim(first, s.range.start()) {
            if self.kind(first + 1) == Some(TokenKind::Newline)
                && self.kind(first + 2) == Some(TokenKind::Comment)
                && self.kind(first + 3) == Some(TokenKind::Indent)
            {
                self.refuse(first + 3, "Cannot have two type comments on def");
            }
        } else if self.kind(first) == Some(TokenKind::Newline) && self.kind(first + 2) == Some(TokenKind::Indent) {
            self.claim(first + 1, s.range.start());
        }
        let parameters = &s.parameters;
        let plain = parameters.posonlyargs.iter().chain(&parameters.args);
        for parameter in plain.chain(&parameters.kwonlyargs) {
            self.parameter(&parameter.parameter, parameter.range.end());
        }
        for parameter in [&parameters.vararg, &parameters.kwarg].into_iter().flatten() {
            self.parameter(parameter, parameter.range.end());
        }
    }

    fn parameter(&mut self, parameter: &Parameter, end: TextSize) {
        let next = self.at(end);
        if self.kind(next) == Some(TokenKind::Comma) {
            self.claim(next + 1, parameter.range.start());
        } else if self.claim(next, parameter.range.start()) && self.kind(next + 1) != Some(TokenKind::Rpar) {
            self.refuse(next + 1, "invalid syntax");
        }
    }
}

impl<'a> Visitor<'a> for Walk {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let start = stmt.range().start();
        match stmt {
            Stmt::FunctionDef(s) => self.function(s),
            Stmt::Assign(s) => {
                let next = self.at(s.range.end());
                self.claim(next, start);
            }
            Stmt::For(s) => {
                let next = self.behind_colon(s.iter.end());
                self.claim(next, start);
            }
            Stmt::With(s) => {
                let end = s.items.last().map_or(start, |item| item.range.end());
                let next = self.behind_colon(end);
                self.claim(next, start);
            }
            _ => {}
        }
        visitor::walk_stmt(self, stmt);
    }

    /// Expressions have no annotations.
    fn visit_expr(&mut self, _: &'a Expr) {}
}
