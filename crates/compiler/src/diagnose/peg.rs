//! A second parser, for sources that did not parse: it walks the grammar in the order of CPython's, so that the first report it meets is
//! the one that CPython makes.
//!
//! Invariant: as there, a first pass leaves out the rules of invalid syntax and finds how far the source is Python; the second tries them. Only
//! the statement with the error and the one before it are walked. Left out: trees; a node is the rule that made it and its parts.

use ruff_text_size::{TextRange, TextSize};
use rustc_hash::FxHashMap;

use super::grammar::{Action, Alt, GRAMMAR, Grammar, Item, Kind, RuleId, SOFT, WordId};
use super::syntax;
use crate::errors::{End, Fault, SyntaxErrorKind};

/// Rules inside each other at which CPython's parser gives up.
const MAX_DEPTH: u32 = 4000;
/// There is room for as many more before the stack is looked at again.
const LEVELS: u32 = 32;
/// Stack for these, generously.
const ROOM: usize = 512 << 10;
const STACK: usize = 4 << 20;
/// Rules tried in all, so that no source takes forever.
const MAX_STEPS: u64 = 200_000_000;

/// A token of the source; ranges are bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    pub word: Option<WordId>,
    pub start: u32,
    pub end: u32,
    /// Open brackets behind it.
    pub level: u32,
}

pub(super) type NodeId = u32;
/// Nothing was there, or it was only looked at.
pub(super) const NOTHING: NodeId = NodeId::MAX;
/// The rule of a list of parts.
pub(super) const LIST: RuleId = RuleId::MAX;

pub(super) struct Node {
    pub rule: RuleId,
    pub alt: u8,
    /// Tokens.
    pub start: u32,
    pub end: u32,
    pub parts: Box<[NodeId]>,
}

/// Why the walk ends early.
pub(super) enum Halt {
    Report(Box<Fault>),
    /// Beyond the parser's limits: no report can be given.
    Limit,
}

pub(super) type Walk<T> = Result<T, Halt>;
pub(super) type Parts = [NodeId; 2];

pub(super) struct Parser<'s> {
    pub source: &'s str,
    pub tokens: &'s [Token],
    pub grammar: &'static Grammar,
    nodes: Vec<Node>,
    /// By rule, token and whether it was below an `apart` rule.
    memo: FxHashMap<(RuleId, u32, bool), Option<(NodeId, u32)>>,
    /// How many tokens have been asked for.
    pub filled: u32,
    invalid: bool,
    apart: bool,
    depth: u32,
    steps: u64,
    stop: Option<&'s Fault>,
}

/// What the parser says of a source.
pub(super) struct Verdict {
    pub fault: Fault,
    /// The last token that it asked for.
    pub last: Token,
    /// The source ends where more could follow.
    pub at_end: bool,
}

/// The report on a source whose tokens are in order, from the statement at the token `first` on; `None` if there is none to make. `stop` is
/// the error that ends the tokens.
pub(super) fn explain(
    source: &str,
    tokens: &[Token],
    stop: Option<&Fault>,
    first: usize,
    expression: bool,
) -> Option<Verdict> {
    let mut parser = Parser {
        source,
        tokens,
        grammar: &GRAMMAR,
        nodes: Vec::new(),
        memo: FxHashMap::default(),
        filled: first as u32,
        invalid: false,
        apart: false,
        depth: 0,
        steps: 0,
        stop,
    };
    stacker::maybe_grow(ROOM, STACK, || parser.explain(first as u32, expression))
}

impl Parser<'_> {
    fn explain(&mut self, first: u32, expression: bool) -> Option<Verdict> {
        let outcome = self.program(first, expression);
        let reached = self.filled.saturating_sub(1);
        let last = self.token(reached);
        // Blocks that end with the source end where more could follow.
        let mut behind = self.tokens.iter().skip(reached as usize).map(|token| token.kind);
        let at_end = matches!(
            behind.find(|kind| *kind != Kind::Dedent),
            Some(Kind::End | Kind::Stop) | None
        );
        let verdict = |parser: &Self, fault: Fault| {
            Some(Verdict {
                fault,
                last: parser.token(parser.filled.saturating_sub(1)),
                at_end,
            })
        };
        match outcome {
            Ok(true) | Err(Halt::Limit) => return None,
            Err(Halt::Report(fault)) => return verdict(self, *fault),
            Ok(false) => {}
        }
        self.invalid = true;
        self.memo.clear();
        match self.program(first, expression) {
            Err(Halt::Report(fault)) => return verdict(self, *fault),
            Err(Halt::Limit) => return None,
            Ok(_) => {}
        }
        let fault = match last.kind {
            Kind::Indent | Kind::Dedent => {
                let what = if last.kind == Kind::Indent {
                    "indent"
                } else {
                    "unindent"
                };
                Fault {
                    kind: SyntaxErrorKind::Indentation,
                    ..self.at_token(last, format!("unexpected {what}"))
                }
            }
            Kind::End => Fault {
                end: End::Line,
                ..self.at_known(last, "invalid syntax")
            },
            _ => self.at_known(last, "invalid syntax"),
        };
        verdict(self, fault)
    }

    /// Whether the tokens from `first` on are a program.
    fn program(&mut self, first: u32, expression: bool) -> Walk<bool> {
        let mut at = first;
        if expression {
            let Some((_, end)) = self.rule(self.grammar.rule("expressions"), at)? else {
                return Ok(false);
            };
            at = end;
            while self.peek(at)?.kind == Kind::Newline {
                at += 1;
            }
            return Ok(self.peek(at)?.kind == Kind::End);
        }
        let statement = self.grammar.rule("statement");
        loop {
            self.memo.clear();
            self.nodes.clear();
            match self.rule(statement, at)? {
                Some((_, end)) => at = end,
                None => return Ok(self.peek(at)?.kind == Kind::End),
            }
        }
    }

    pub(super) fn token(&self, i: u32) -> Token {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens.get((i as usize).min(last)).copied().unwrap_or(Token {
            kind: Kind::End,
            word: None,
            start: self.source.len() as u32,
            end: self.source.len() as u32,
            level: 0,
        })
    }

    fn peek(&mut self, i: u32) -> Walk<Token> {
        let token = self.token(i);
        self.filled = self.filled.max((i + 1).min(self.tokens.len() as u32));
        if token.kind == Kind::Stop
            && let Some(fault) = self.stop
        {
            return Err(Halt::Report(Box::new(fault.clone())));
        }
        Ok(token)
    }

    pub(super) fn text(&self, token: Token) -> &str {
        self.source
            .get(token.start as usize..token.end as usize)
            .unwrap_or_default()
    }

    // ---- nodes ----

    /// The node, unless it is a token.
    pub(super) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get((id as usize).checked_sub(self.tokens.len())?)
    }

    /// The first token of a node, and the one behind it.
    pub(super) fn span(&self, id: NodeId) -> (u32, u32) {
        self.node(id).map_or((id, id + 1), |node| (node.start, node.end))
    }

    fn make(&mut self, rule: RuleId, alt: usize, start: u32, end: u32, parts: Vec<NodeId>) -> NodeId {
        let id = (self.tokens.len() + self.nodes.len()) as NodeId;
        self.nodes.push(Node {
            rule,
            alt: alt as u8,
            start,
            end,
            parts: parts.into(),
        });
        id
    }

    // ---- walking ----

    fn rule(&mut self, id: RuleId, at: u32) -> Walk<Option<(NodeId, u32)>> {
        let grammar = self.grammar;
        let Some(rule) = grammar.rules.get(id as usize) else {
            return Ok(None);
        };
        if (rule.memo || rule.left)
            && let Some(&known) = self.memo.get(&(id, at, self.apart))
        {
            // What was kept was looked at when it was found.
            return Ok(known);
        }
        self.steps += 1;
        if self.depth >= MAX_DEPTH || self.steps > MAX_STEPS {
            return Err(Halt::Limit);
        }
        self.depth += 1;
        let (invalid, apart) = (self.invalid, self.apart);
        self.invalid &= !rule.plain;
        self.apart |= rule.apart;
        let walk = |parser: &mut Self| match rule.left {
            true => parser.left_recursive(id, at),
            false => parser.alts(id, &rule.alts, at, &mut [NOTHING; 2]),
        };
        let result = match self.depth % LEVELS {
            0 => stacker::maybe_grow(ROOM, STACK, || walk(self))?,
            _ => walk(self)?,
        };
        (self.invalid, self.apart) = (invalid, apart);
        self.depth -= 1;
        if rule.memo {
            self.memo.insert((id, at, apart), result);
        }
        Ok(result)
    }

    /// A rule that begins with itself: each round may take what the one before found for its beginning.
    fn left_recursive(&mut self, id: RuleId, at: u32) -> Walk<Option<(NodeId, u32)>> {
        let grammar = self.grammar;
        let mut best: Option<(NodeId, u32)> = None;
        loop {
            self.memo.insert((id, at, self.apart), best);
            let found = self.alts(id, &grammar.rules[id as usize].alts, at, &mut [NOTHING; 2])?;
            match found {
                Some((_, end)) if best.is_none_or(|(_, old)| end > old) => best = found,
                _ => break,
            }
        }
        self.memo.insert((id, at, self.apart), best);
        Ok(best)
    }

    fn alts(&mut self, rule: RuleId, alts: &'static [Alt], at: u32, parts: &mut Parts) -> Walk<Option<(NodeId, u32)>> {
        for (number, alt) in alts.iter().enumerate() {
            if alt.invalid && !self.invalid {
                continue;
            }
            let mut own = [NOTHING; 2];
            // Groups name parts of the alternative around them.
            let parts = if rule == LIST { &mut *parts } else { &mut own };
            let mut found = Vec::new();
            let (mut end, mut cut, mut whole) = (at, false, true);
            for item in &alt.items {
                if matches!(item, Item::Cut) {
                    cut = true;
                    continue;
                }
                match self.item(item, end, parts)? {
                    Some((node, next)) => {
                        end = next;
                        if node != NOTHING {
                            found.push(node);
                        }
                    }
                    None => {
                        whole = false;
                        break;
                    }
                }
            }
            if whole {
                return match &alt.action {
                    Action::Plain if found.len() == 1 => Ok(Some((found[0], end))),
                    Action::Plain | Action::Node => Ok(Some((self.make(rule, number, at, end, found), end))),
                    Action::Part(part) => Ok(Some((parts[*part], end))),
                    Action::Report(name, which, text) => {
                        let parts = *parts;
                        match self.report(name, which, text, &parts, end)? {
                            true => Ok(Some((self.make(rule, number, at, end, found), end))),
                            // As if the rule did not match at all.
                            false => Ok(None),
                        }
                    }
                };
            }
            if cut {
                return Ok(None);
            }
        }
        Ok(None)
    }

    fn item(&mut self, item: &'static Item, at: u32, parts: &mut Parts) -> Walk<Option<(NodeId, u32)>> {
        let token = |found: bool| Ok(found.then_some((at, at + 1)));
        match item {
            Item::Word(word) => token(self.peek(at)?.word == Some(*word)),
            Item::Soft(text) => {
                let here = self.peek(at)?;
                token(here.kind == Kind::Name && here.word.is_none() && self.text(here) == *text)
            }
            Item::AnySoft => {
                let here = self.peek(at)?;
                token(here.kind == Kind::Name && SOFT.contains(&self.text(here)))
            }
            Item::Kind(kind) => {
                let here = self.peek(at)?;
                token(here.kind == *kind && (here.word.is_none() || *kind != Kind::Name))
            }
            Item::Rule(rule) => self.rule(*rule, at),
            Item::Optional(alts) => Ok(Some(self.alts(LIST, alts, at, parts)?.unwrap_or((NOTHING, at)))),
            Item::Group(alts) => self.alts(LIST, alts, at, parts),
            Item::Star(inner) => self.repeat(inner, at, at, Vec::new(), parts),
            Item::Plus(inner) => match self.item(inner, at, parts)? {
                Some((node, end)) => self.repeat(inner, at, end, vec![node], parts),
                None => Ok(None),
            },
            Item::Gather(separator, inner) => {
                let Some((node, mut end)) = self.item(inner, at, parts)? else {
                    return Ok(None);
                };
                let mut found = vec![node];
                while let Some((_, next)) = self.item(separator, end, parts)? {
                    let Some((node, next)) = self.item(inner, next, parts)? else {
                        break;
                    };
                    found.push(node);
                    end = next;
                }
                Ok(Some((self.make(LIST, 0, at, end, found), end)))
            }
            Item::And(inner) => Ok(self.item(inner, at, parts)?.map(|_| (NOTHING, at))),
            Item::Not(inner) => Ok(match self.item(inner, at, parts)? {
                Some(_) => None,
                None => Some((NOTHING, at)),
            }),
            Item::Forced(word, text) => {
                let here = self.peek(at)?;
                if here.word == Some(*word) {
                    return token(true);
                }
                Err(Halt::Report(Box::new(
                    self.at_known(here, format!("expected '{text}'")),
                )))
            }
            Item::Cut => Ok(Some((NOTHING, at))),
            Item::Named(part, inner) => {
                let found = self.item(inner, at, parts)?;
                if let Some((node, _)) = found {
                    parts[*part] = node;
                }
                Ok(found)
            }
        }
    }

    fn repeat(
        &mut self,
        inner: &'static Item,
        at: u32,
        mut end: u32,
        mut found: Vec<NodeId>,
        parts: &mut Parts,
    ) -> Walk<Option<(NodeId, u32)>> {
        while let Some((node, next)) = self.item(inner, end, parts)? {
            if next == end {
                break;
            }
            if node != NOTHING {
                found.push(node);
            }
            end = next;
        }
        if found.is_empty() {
            return Ok(Some((NOTHING, end)));
        }
        Ok(Some((self.make(LIST, 0, at, end, found), end)))
    }

    // ---- places ----

    /// At a token, as reports that say no place have it: an indent has no beginning, only where the tokenizer stands.
    pub(super) fn at_token(&self, token: Token, message: impl Into<String>) -> Fault {
        let mut fault = self.at_known(token, message);
        if matches!(token.kind, Kind::Indent | Kind::Dedent | Kind::End) {
            fault.range = Some(TextRange::empty(TextSize::new(token.end)));
            // At the end of the source it stands behind the last line.
            let rest = self.source.get(token.end as usize..).unwrap_or_default();
            fault.end = if matches!(rest, "" | "\n") {
                End::Minus
            } else {
                End::Cursor
            };
        }
        fault
    }

    /// From the beginning of a token to its end.
    pub(super) fn at_known(&self, token: Token, message: impl Into<String>) -> Fault {
        syntax(range(token.start, token.end), message)
    }
}

pub(super) fn range(start: u32, end: u32) -> TextRange {
    TextRange::new(TextSize::new(start), TextSize::new(end.max(start)))
}

/// "'(' was never closed"
pub(super) fn never_closed(at: usize, bracket: char) -> Fault {
    Fault {
        kind: SyntaxErrorKind::Syntax,
        message: format!("'{bracket}' was never closed"),
        range: Some(TextRange::empty(TextSize::new(at as u32))),
        end: End::Zero,
    }
}
