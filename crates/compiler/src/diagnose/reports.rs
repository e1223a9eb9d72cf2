//! The reports of the grammar: what they say, and where.
//!
//! `at a`: a part. `range a b`: from one to another. `from a`: from a part to where the tokenizer stands. `last`: the last token that was asked
//! for. `next`: the token behind the match. In texts `%s` is what a part is called, `%t` its text, `%d` its line.

use super::grammar::Kind;
use super::peg::{Halt, LIST, NOTHING, NodeId, Parser, Parts, Walk, range};
use super::syntax;
use crate::errors::{End, Fault, SyntaxErrorKind};

/// The names of the old statements.
const LEGACY: &[&str] = &["print", "exec"];

/// What a target is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    Assign,
    Delete,
    For,
}

impl Parser<'_> {
    /// What a matching alternative says. `Ok`: whether it matches after all.
    pub(super) fn report(&mut self, name: &str, which: &[usize], text: &str, parts: &Parts, end: u32) -> Walk<bool> {
        let part = |i: usize| which.get(i).map_or(NOTHING, |&p| parts[p]);
        let (a, b) = (part(0), part(1));
        let text = text.replace("\\\"", "\"");
        let raise = |fault: Fault| Err(Halt::Report(Box::new(fault)));
        match name {
            "at" => raise(self.between(a, a, &text)),
            "range" => raise(self.between(a, b_or(b, a), &text)),
            "items" => raise(self.between(a, self.last_item(b), &text)),
            "from" => raise(self.from(a, &text)),
            "last" => {
                let last = self.token(self.filled.saturating_sub(1));
                raise(self.at_token(last, text))
            }
            "next" => {
                let next = self.token(end);
                raise(self.at_token(next, text))
            }
            "indent" => {
                let last = self.token(self.filled.saturating_sub(1));
                let text = self.filled_in(a, &text);
                raise(Fault {
                    kind: SyntaxErrorKind::Indentation,
                    ..self.at_token(last, text)
                })
            }
            "key" => {
                // The last column of the key.
                let (_, end) = self.span(a);
                let end = self.token(end.saturating_sub(1)).end;
                let start = end.saturating_sub(1);
                let mut fault = syntax(range(start, end), text);
                fault.end = End::Zero;
                raise(fault)
            }
            "legacy" => match self.is_legacy(a) {
                true => raise(self.between(a, b, &text)),
                false => Ok(false),
            },
            "comma" => {
                let level = self.token(end.saturating_sub(1)).level;
                match self.is_legacy(a) || level == 0 {
                    true => Ok(false),
                    false => raise(self.between(a, b, &text)),
                }
            }
            "bound" => {
                let tuple = self.name_of(b) == "tuple";
                let what = if tuple { "constraints" } else { "bound" };
                raise(self.from(a, &format!("cannot use {what} with {text}")))
            }
            "clauses" => raise(self.between(a, self.last_expression(b), &text)),
            "genexp_in_call" => {
                let arguments = self.arguments(a);
                match arguments.last() {
                    Some(&last) if arguments.len() > 1 => raise(self.between(last, self.last_expression(b), &text)),
                    _ => Ok(false),
                }
            }
            "argument_order" => {
                let what = if self.has_keyword_unpacking(a) {
                    " unpacking"
                } else {
                    ""
                };
                let last = self.token(self.filled.saturating_sub(1));
                raise(self.at_token(last, format!("positional argument follows keyword argument{what}")))
            }
            "target assign" => self.bad_target(Target::Assign, a),
            "target delete" => self.bad_target(Target::Delete, a),
            "target for" => self.bad_target(Target::For, a),
            "real" | "imaginary" => {
                let imaginary = self.text(self.token(a)).ends_with(['j', 'J']);
                if imaginary == (name == "imaginary") {
                    return Ok(true);
                }
                raise(self.between(a, a, &format!("{name} number required in complex literal")))
            }
            "conversion" => self.conversion(a, b),
            "letter" => self.conversion_letter(a),
            "strings" => {
                let items: Vec<NodeId> = match self.node(a) {
                    Some(node) if node.rule == LIST => node.parts.to_vec(),
                    _ => vec![a],
                };
                let bytes = |&item: &NodeId| {
                    let token = self.token(item);
                    let prefix = self.text(token).split(['\'', '"']).next().unwrap_or_default();
                    self.node(item).is_none() && prefix.contains(['b', 'B'])
                };
                let count = items.iter().filter(|item| bytes(item)).count();
                if count != 0 && count != items.len() {
                    let last = self.token(self.filled.saturating_sub(1));
                    return raise(self.at_token(last, "cannot mix bytes and nonbytes literals"));
                }
                Ok(true)
            }
            _ => Ok(true),
        }
    }

    fn between(&self, a: NodeId, b: NodeId, text: &str) -> Fault {
        let (first, _) = self.span(a);
        let (_, end) = self.span(b);
        let start = self.token(first).start;
        let end = self.token(end.saturating_sub(1)).end;
        syntax(range(start, end), self.filled_in(a, text))
    }

    fn from(&self, a: NodeId, text: &str) -> Fault {
        let start = self.token(self.span(a).0).start;
        let last = self.token(self.filled.saturating_sub(1));
        // The column counts from 0.
        syntax(range(start, last.end.saturating_sub(1)), text)
    }

    fn filled_in(&self, a: NodeId, text: &str) -> String {
        if !text.contains('%') {
            return text.to_owned();
        }
        let token = self.token(self.span(a).0);
        let line = self.source.get(..token.start as usize).unwrap_or_default();
        let line = line.bytes().filter(|&b| b == b'\n').count() + 1;
        text.replace("%s", self.name_of(a))
            .replace("%t", self.text(token))
            .replace("%d", &line.to_string())
    }

    /// The letter of the innermost f-string or t-string around a token.
    fn string_letter(&self, at: NodeId) -> char {
        let before = self.tokens.get(..at as usize).unwrap_or_default();
        let mut depth = 0usize;
        for token in before.iter().rev() {
            match token.kind {
                Kind::FStringEnd | Kind::TStringEnd => depth += 1,
                Kind::FStringStart | Kind::TStringStart if depth > 0 => depth -= 1,
                Kind::FStringStart => break,
                Kind::TStringStart => return 't',
                _ => {}
            }
        }
        'f'
    }

    fn conversion(&self, mark: NodeId, name: NodeId) -> Walk<bool> {
        if self.token(mark).end == self.token(name).start {
            return Ok(true);
        }
        let text = "conversion type must come right after the exclamation mark";
        let text = format!("{}-string: {text}", self.string_letter(mark));
        Err(Halt::Report(Box::new(self.between(mark, name, &text))))
    }

    /// Looked at when the whole field is there.
    fn conversion_letter(&self, conversion: NodeId) -> Walk<bool> {
        let Some(&name) = self.node(conversion).and_then(|node| node.parts.last()) else {
            return Ok(true);
        };
        let shown = self.text(self.token(name));
        if matches!(shown, "s" | "r" | "a") {
            return Ok(true);
        }
        let text = format!(
            "{}-string: invalid conversion character '{shown}': expected 's', 'r', or 'a'",
            self.string_letter(name)
        );
        Err(Halt::Report(Box::new(self.between(name, name, &text))))
    }

    fn bad_target(&self, target: Target, a: NodeId) -> Walk<bool> {
        let Some(bad) = self.invalid_target(target, a) else {
            return Ok(false);
        };
        let verb = if target == Target::Delete {
            "delete"
        } else {
            "assign to"
        };
        let text = format!("cannot {verb} {}", self.name_of(bad));
        Err(Halt::Report(Box::new(self.between(bad, bad, &text))))
    }

    /// The innermost expression that cannot be a target.
    fn invalid_target(&self, target: Target, a: NodeId) -> Option<NodeId> {
        match self.name_of(a) {
            "list" | "tuple" => self
                .elements(a)
                .into_iter()
                .find_map(|element| self.invalid_target(target, element)),
            "starred" if target == Target::Delete => Some(a),
            "starred" => self.invalid_target(target, *self.node(a)?.parts.last()?),
            "comparison" if target == Target::For => {
                // `for x in y` looks like a comparison.
                let node = self.node(a)?;
                let (&left, &pairs) = (node.parts.first()?, node.parts.last()?);
                let operator = self.token(self.span(pairs).0);
                (self.text(operator) == "in").then(|| self.invalid_target(target, left))?
            }
            "name" | "subscript" | "attribute" => None,
            _ => Some(a),
        }
    }

    /// The expressions of a display.
    fn elements(&self, a: NodeId) -> Vec<NodeId> {
        let mut found = Vec::new();
        let Some(node) = self.node(a) else {
            return found;
        };
        for &part in &node.parts {
            self.add_elements(part, &mut found);
        }
        found
    }

    fn add_elements(&self, part: NodeId, found: &mut Vec<NodeId>) {
        match self.node(part) {
            Some(node) if node.rule == LIST || self.rule_name(node.rule) == "star_named_expressions" => {
                for &inner in &node.parts {
                    self.add_elements(inner, found);
                }
            }
            Some(_) => found.push(part),
            None => {
                let token = self.token(part);
                let operator = token.kind == Kind::Operator && self.text(token) != "...";
                if part != NOTHING && !operator {
                    found.push(part);
                }
            }
        }
    }

    fn rule_name(&self, rule: u16) -> &'static str {
        self.grammar.rules.get(rule as usize).map_or("", |rule| rule.name)
    }

    fn last_item(&self, id: NodeId) -> NodeId {
        self.elements(id).last().copied().unwrap_or(id)
    }

    /// The last expression of `for` clauses.
    fn last_expression(&self, id: NodeId) -> NodeId {
        match self.node(id) {
            Some(node) if node.rule == LIST || self.rule_name(node.rule) == "for_if_clause" => {
                node.parts.last().map_or(id, |&last| self.last_expression(last))
            }
            _ => id,
        }
    }

    /// The positional arguments, stars among them.
    fn arguments(&self, args: NodeId) -> Vec<NodeId> {
        let mut found = Vec::new();
        self.add_arguments(args, &mut found);
        found
    }

    fn add_arguments(&self, id: NodeId, found: &mut Vec<NodeId>) {
        match self.node(id) {
            Some(node) if node.rule == LIST => {
                for &part in &node.parts {
                    self.add_arguments(part, found);
                }
            }
            Some(node) => match self.rule_name(node.rule) {
                "args" | "kwargs" => {
                    for &part in &node.parts {
                        self.add_arguments(part, found);
                    }
                }
                "kwarg_or_starred" | "kwarg_or_double_starred" => {}
                _ => found.push(id),
            },
            None if id == NOTHING || self.token(id).kind == Kind::Operator => {}
            None => found.push(id),
        }
    }

    fn has_keyword_unpacking(&self, id: NodeId) -> bool {
        self.node(id).is_some_and(|node| match self.rule_name(node.rule) {
            "args" | "kwargs" | "" => node.parts.iter().any(|&part| self.has_keyword_unpacking(part)),
            "kwarg_or_double_starred" => self.text(self.token(node.start)) == "**",
            _ => false,
        })
    }

    fn is_legacy(&self, a: NodeId) -> bool {
        self.node(a).is_none() && LEGACY.contains(&self.text(self.token(a)))
    }

    /// What an expression is called.
    fn name_of(&self, id: NodeId) -> &'static str {
        let Some(node) = self.node(id) else {
            let token = self.token(id);
            return match token.kind {
                Kind::Number | Kind::String => "literal",
                _ => match self.text(token) {
                    "None" => "None",
                    "True" => "True",
                    "False" => "False",
                    "..." => "ellipsis",
                    _ => "name",
                },
            };
        };
        match (self.rule_name(node.rule), node.alt) {
            ("tuple" | "star_expressions" | "expressions", _) => "tuple",
            ("list", _) => "list",
            ("set", _) => "set display",
            ("dict", _) => "dict literal",
            ("genexp", _) => "generator expression",
            ("listcomp", _) => "list comprehension",
            ("setcomp", _) => "set comprehension",
            ("dictcomp", _) => "dict comprehension",
            ("primary" | "t_primary" | "target_with_star_atom" | "single_subscript_attribute_target", 0) => "attribute",
            ("primary", 3) | ("t_primary" | "target_with_star_atom" | "single_subscript_attribute_target", 1) => {
                "subscript"
            }
            ("primary" | "t_primary", _) => "function call",
            ("await_primary", _) => "await expression",
            ("comparison", _) => "comparison",
            ("expression" | "expression_without_invalid", _) => "conditional expression",
            ("lambdef", _) => "lambda",
            ("star_expression" | "star_named_expression" | "starred_expression" | "star_target", _) => "starred",
            ("assignment_expression", _) => "named expression",
            ("yield_expr", _) => "yield expression",
            ("strings", _) => {
                let strings = self
                    .tokens
                    .get(node.start as usize..node.end as usize)
                    .unwrap_or_default();
                if strings.iter().any(|token| token.kind == Kind::TStringStart) {
                    "t-string expression"
                } else if strings.iter().any(|token| token.kind == Kind::FStringStart) {
                    "f-string expression"
                } else {
                    "literal"
                }
            }
            _ => "expression",
        }
    }
}

fn b_or(b: NodeId, a: NodeId) -> NodeId {
    if b == NOTHING { a } else { b }
}
