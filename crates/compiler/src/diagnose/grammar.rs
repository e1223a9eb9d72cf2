//! The grammar of `python.peg` as rules that `peg` walks; its notation is explained there.
//!
//! Invariant: rules are told apart by their numbers, words and operators by theirs; both are made once, when the first source does not parse.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The number of a rule.
pub(super) type RuleId = u16;
/// The number of a word or operator.
pub(super) type WordId = u16;

pub(super) struct Grammar {
    pub rules: Vec<Rule>,
    words: HashMap<&'static str, WordId>,
    numbers: HashMap<&'static str, RuleId>,
}

pub(super) struct Rule {
    pub name: &'static str,
    pub alts: Vec<Alt>,
    pub memo: bool,
    /// It begins with itself.
    pub left: bool,
    /// Without rules of invalid syntax below it.
    pub plain: bool,
    /// What is kept below it counts only there.
    pub apart: bool,
}

pub(super) struct Alt {
    pub items: Vec<Item>,
    pub action: Action,
    /// Counts in the second pass only.
    pub invalid: bool,
}

/// Kinds of tokens that the grammar names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Name,
    Number,
    String,
    Newline,
    Indent,
    Dedent,
    FStringStart,
    FStringMiddle,
    FStringEnd,
    TStringStart,
    TStringMiddle,
    TStringEnd,
    Operator,
    End,
    /// Where the tokenizer gives up.
    Stop,
}

pub(super) enum Item {
    Word(WordId),
    /// A name that is a word only here.
    Soft(&'static str),
    /// Any of the names that are words somewhere.
    AnySoft,
    Kind(Kind),
    Rule(RuleId),
    Optional(Vec<Alt>),
    Group(Vec<Alt>),
    Star(Box<Item>),
    Plus(Box<Item>),
    /// One or more items with separators between them.
    Gather(Box<Item>, Box<Item>),
    And(Box<Item>),
    Not(Box<Item>),
    /// What has to follow, or it is an error.
    Forced(WordId, &'static str),
    Cut,
    Named(usize, Box<Item>),
}

/// What becomes of an alternative that matches. Parts are numbered `a`, `b`.
pub(super) enum Action {
    /// The one part, or a node.
    Plain,
    Node,
    Part(usize),
    /// A report: its name, the parts and the text.
    Report(&'static str, Vec<usize>, &'static str),
}

/// The words that are names elsewhere.
pub(super) const SOFT: &[&str] = &["_", "case", "match", "type"];

pub(super) static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| Grammar::read(include_str!("python.peg")));

impl Grammar {
    pub(super) fn rule(&self, name: &str) -> RuleId {
        self.numbers.get(name).copied().unwrap_or_default()
    }

    /// The number of a word or operator of the grammar.
    pub(super) fn word(&self, text: &str) -> Option<WordId> {
        self.words.get(text).copied()
    }

    fn read(text: &'static str) -> Grammar {
        let lines = || text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let heads = lines().filter(|line| !line.starts_with(' '));
        let mut numbers = HashMap::new();
        for (number, head) in heads.enumerate() {
            let name = head.split(' ').next().unwrap_or_default();
            numbers.insert(name, number as RuleId);
        }
        let mut grammar = Grammar {
            rules: Vec::new(),
            words: HashMap::new(),
            numbers,
        };
        for line in lines() {
            match line.trim_start().strip_prefix("| ") {
                None => {
                    let mut words = line.split(' ');
                    let name = words.next().unwrap_or_default();
                    let has = |flag: &str| line.split(' ').any(|word| word == flag);
                    grammar.rules.push(Rule {
                        name,
                        alts: Vec::new(),
                        memo: has("memo"),
                        left: has("left"),
                        plain: has("plain"),
                        apart: has("apart"),
                    });
                }
                Some(body) => {
                    let (items, action) = match body.split_once(" => ") {
                        Some((items, action)) => (items, read_action(action)),
                        None => (body, Action::Plain),
                    };
                    let mut reader = Reader {
                        text: items,
                        grammar: &mut grammar,
                    };
                    let mut alt = reader.alt();
                    alt.action = action;
                    if let Some(rule) = grammar.rules.last_mut() {
                        rule.alts.push(alt);
                    }
                }
            }
        }
        grammar
    }
}

fn read_action(text: &'static str) -> Action {
    let (head, message) = match text.split_once(" \"") {
        Some((head, message)) => (head, message.trim_end_matches('"')),
        None => (text, ""),
    };
    // An escaped quotation mark at the end has lost its own with the closing one.
    let mut words = head.split(' ');
    let name = words.next().unwrap_or_default();
    let parts: Vec<&str> = words.collect();
    let number = |part: &&str| usize::from(*part == "b");
    match name {
        "=" => Action::Part(parts.first().map_or(0, number)),
        "node" => Action::Node,
        "target" => {
            let name = match parts.first() {
                Some(&"delete") => "target delete",
                Some(&"for") => "target for",
                _ => "target assign",
            };
            Action::Report(name, vec![0], message)
        }
        _ => Action::Report(name, parts.iter().map(number).collect(), message),
    }
}

struct Reader<'g> {
    text: &'static str,
    grammar: &'g mut Grammar,
}

impl Reader<'_> {
    fn skip(&mut self) {
        self.text = self.text.trim_start_matches(' ');
    }

    fn eat(&mut self, c: char) -> bool {
        self.skip();
        match self.text.strip_prefix(c) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    /// Items up to the end of a group or of the line.
    fn alt(&mut self) -> Alt {
        let mut items = Vec::new();
        loop {
            self.skip();
            if self.text.is_empty() || self.text.starts_with([')', ']', '}', '/']) {
                break;
            }
            items.push(self.repeated());
        }
        let invalid = items.iter().any(|item| self.is_invalid(item));
        Alt {
            items,
            action: Action::Plain,
            invalid,
        }
    }

    fn is_invalid(&self, item: &Item) -> bool {
        match item {
            Item::Rule(rule) => self
                .grammar
                .numbers
                .iter()
                .any(|(name, number)| number == rule && name.starts_with("bad_")),
            Item::Named(_, item) => self.is_invalid(item),
            _ => false,
        }
    }

    fn alts(&mut self) -> Vec<Alt> {
        let mut alts = vec![self.alt()];
        while self.eat('/') {
            alts.push(self.alt());
        }
        alts
    }

    fn repeated(&mut self) -> Item {
        let item = self.item();
        if self.text.starts_with('*') {
            self.text = &self.text[1..];
            return Item::Star(Box::new(item));
        }
        if self.text.starts_with('+') {
            self.text = &self.text[1..];
            return Item::Plus(Box::new(item));
        }
        item
    }

    fn item(&mut self) -> Item {
        let bytes = self.text.as_bytes();
        if bytes.len() > 2 && bytes[1] == b':' && matches!(bytes[0], b'a' | b'b') {
            let part = usize::from(bytes[0] == b'b');
            self.text = &self.text[2..];
            return Item::Named(part, Box::new(self.repeated()));
        }
        if self.eat('~') {
            return Item::Cut;
        }
        if self.text.starts_with("&&") {
            self.text = &self.text[2..];
            let text = self.quoted('\'');
            return Item::Forced(self.word(text), text);
        }
        if self.eat('&') {
            return Item::And(Box::new(self.item()));
        }
        if self.eat('!') {
            return Item::Not(Box::new(self.item()));
        }
        if self.eat('(') {
            let alts = self.alts();
            self.eat(')');
            return Item::Group(alts);
        }
        if self.eat('[') {
            let alts = self.alts();
            self.eat(']');
            return Item::Optional(alts);
        }
        if self.eat('{') {
            self.skip();
            let separator = self.item();
            let alt = self.alt();
            self.eat('}');
            return Item::Gather(Box::new(separator), Box::new(Item::Group(vec![alt])));
        }
        if self.text.starts_with('\'') {
            let text = self.quoted('\'');
            return Item::Word(self.word(text));
        }
        if self.text.starts_with('"') {
            return Item::Soft(self.quoted('"'));
        }
        let end = self
            .text
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(self.text.len())
            .max(1);
        let (name, rest) = self.text.split_at(end.min(self.text.len()));
        self.text = rest;
        match name {
            "NAME" => Item::Kind(Kind::Name),
            "NUMBER" => Item::Kind(Kind::Number),
            "STRING" => Item::Kind(Kind::String),
            "NEWLINE" => Item::Kind(Kind::Newline),
            "INDENT" => Item::Kind(Kind::Indent),
            "DEDENT" => Item::Kind(Kind::Dedent),
            "FSTRING_START" => Item::Kind(Kind::FStringStart),
            "FSTRING_MIDDLE" => Item::Kind(Kind::FStringMiddle),
            "FSTRING_END" => Item::Kind(Kind::FStringEnd),
            "TSTRING_START" => Item::Kind(Kind::TStringStart),
            "TSTRING_MIDDLE" => Item::Kind(Kind::TStringMiddle),
            "TSTRING_END" => Item::Kind(Kind::TStringEnd),
            "SOFT_KEYWORD" => Item::AnySoft,
            rule => Item::Rule(self.grammar.rule(rule)),
        }
    }

    fn quoted(&mut self, quote: char) -> &'static str {
        let rest = &self.text[1..];
        let (inside, after) = rest.split_once(quote).unwrap_or((rest, ""));
        self.text = after;
        inside
    }

    fn word(&mut self, text: &'static str) -> WordId {
        let next = self.grammar.words.len() as WordId;
        *self.grammar.words.entry(text).or_insert(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_rule() {
        let text = include_str!("python.peg");
        let grammar = &GRAMMAR;
        for rule in &grammar.rules {
            assert!(!rule.alts.is_empty(), "{}", rule.name);
            assert!(rule.alts.iter().all(|alt| !alt.items.is_empty()), "{}", rule.name);
        }
        // Names in small letters outside of quotes and reports.
        for line in text.lines().filter(|line| line.starts_with("  | ")) {
            let items = line.split(" => ").next().unwrap_or_default();
            let mut quoted = false;
            let plain: String = items
                .chars()
                .map(|c| {
                    quoted ^= matches!(c, '\'' | '"');
                    if quoted { ' ' } else { c }
                })
                .collect();
            for name in plain.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
                if name.len() > 1 && name.chars().next().is_some_and(|c| c.is_ascii_lowercase()) {
                    assert!(grammar.numbers.contains_key(name), "{name}");
                }
            }
        }
    }
}
