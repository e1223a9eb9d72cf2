//! Tokens of content and of the prolog.
//!
//! Invariant: lexing looks at the text alone; a token is found only when all of it is there.

use super::text::{
    Lex, bad_char, char_ref, is_char, is_name_char, is_name_start, is_space, name, normalized, plain_len, predefined,
};

/// A name or a piece of text: short ones need no allocation.
pub type Word = compact_str::CompactString;

/// An attribute as it is written: name, value, and where its name is.
pub struct RawAttribute {
    pub name: Word,
    pub value: Word,
    pub at: usize,
}

pub enum Token {
    Start {
        name: Word,
        attributes: Vec<RawAttribute>,
        empty: bool,
    },
    End(Word),
    Comment(String),
    Instruction(String, String),
    CdataStart,
    CdataEnd,
    Reference(String),
    /// A character of a reference.
    Char(Option<char>),
    Text(Word),
    Space,
    Doctype,
    Declaration,
    ParameterReference(String),
    SubsetEnd,
    Conditional,
    ConditionalEnd,
    Other,
}

/// Text up to `end`: its contents, checked, with the length of all of it.
fn until(text: &str, from: usize, end: &str) -> Lex<usize> {
    let body = &text[from..];
    let found = body.find(end);
    match bad_char(&body[..found.unwrap_or(body.len())]) {
        Some(at) => Lex::Bad(from + at),
        None => match found {
            Some(at) => Lex::Found(from + at, from + at + end.len()),
            None => Lex::More,
        },
    }
}

/// Whether `text` may go on as `whole`.
fn may_become(text: &str, whole: &str) -> bool {
    text.len() < whole.len() && whole.starts_with(text)
}

fn comment(text: &str) -> Lex<Token> {
    match until(text, 4, "--") {
        Lex::Found(end, len) => match text[len..].chars().next() {
            Some('>') => Lex::Found(Token::Comment(normalized(&text[4..end])), len + 1),
            Some(_) => Lex::Bad(len),
            None => Lex::More,
        },
        Lex::More => Lex::More,
        Lex::Bad(at) => Lex::Bad(at),
    }
}

fn instruction(text: &str, namespaces: bool) -> Lex<Token> {
    let (target, after) = match name(&text[2..], namespaces) {
        Lex::Found((), len) => (&text[2..2 + len], 2 + len),
        Lex::More => return Lex::More,
        Lex::Bad(at) => return Lex::Bad(2 + at),
    };
    if target.eq_ignore_ascii_case("xml") && target != "xml" || target.contains(':') && namespaces {
        return Lex::Bad(2);
    }
    match text[after..].chars().next() {
        None => return Lex::More,
        Some(c) if is_space(c) => {}
        Some('?') => {
            return match text[after + 1..].chars().next() {
                Some('>') => Lex::Found(Token::Instruction(target.to_owned(), String::new()), after + 2),
                Some(_) => Lex::Bad(after + 1),
                None => Lex::More,
            };
        }
        Some(_) => return Lex::Bad(after),
    }
    match until(text, after, "?>") {
        Lex::Found(end, len) => {
            let data = normalized(text[after..end].trim_start_matches(is_space));
            Lex::Found(Token::Instruction(target.to_owned(), data), len)
        }
        Lex::More => Lex::More,
        Lex::Bad(at) => Lex::Bad(at),
    }
}

/// `&..;` at the front.
fn reference(text: &str, namespaces: bool) -> Lex<Token> {
    let body = &text[1..];
    if let Some(digits) = body.strip_prefix('#') {
        let (hex, start) = match digits.strip_prefix('x') {
            Some(_) => (true, 1),
            None => (false, 0),
        };
        let digit = |c: char| if hex { c.is_ascii_hexdigit() } else { c.is_ascii_digit() };
        let count = digits[start..].chars().take_while(|c| digit(*c)).count();
        let end = start + count;
        return match digits[end..].chars().next() {
            None => Lex::More,
            Some(';') if count > 0 => Lex::Found(Token::Char(char_ref(&body[..=end])), end + 3),
            Some(_) => Lex::Bad(end + 2),
        };
    }
    match name(body, namespaces) {
        Lex::Found((), len) => match body[len..].chars().next() {
            Some(';') => {
                let name = &body[..len];
                let token = match predefined(name) {
                    Some(c) => Token::Char(Some(c)),
                    None => Token::Reference(name.to_owned()),
                };
                Lex::Found(token, len + 2)
            }
            Some(_) => Lex::Bad(len + 1),
            None => Lex::More,
        },
        Lex::More => Lex::More,
        Lex::Bad(at) => Lex::Bad(at + 1),
    }
}

fn start_tag(text: &str, namespaces: bool) -> Lex<Token> {
    let named = |at: usize| match name(&text[at..], namespaces) {
        Lex::Found((), len) => Lex::Found((), at + len),
        Lex::More => Lex::More,
        Lex::Bad(bad) => Lex::Bad(at + bad),
    };
    let mut at = match named(1) {
        Lex::Found((), end) => end,
        Lex::More => return Lex::More,
        Lex::Bad(at) => return Lex::Bad(at),
    };
    let tag = Word::new(&text[1..at]);
    let mut attributes = Vec::new();
    let skip_space = |at: usize| at + text[at..].find(|c| !is_space(c)).unwrap_or(text.len() - at);
    loop {
        let spaced = skip_space(at);
        match text[spaced..].chars().next() {
            None => return Lex::More,
            Some('>') => {
                let token = Token::Start {
                    name: tag,
                    attributes,
                    empty: false,
                };
                return Lex::Found(token, spaced + 1);
            }
            Some('/') => {
                return match text[spaced + 1..].chars().next() {
                    Some('>') => {
                        let token = Token::Start {
                            name: tag,
                            attributes,
                            empty: true,
                        };
                        Lex::Found(token, spaced + 2)
                    }
                    Some(_) => Lex::Bad(spaced + 1),
                    None => Lex::More,
                };
            }
            Some(_) if spaced == at => return Lex::Bad(at),
            Some(_) => {}
        }
        let end = match named(spaced) {
            Lex::Found((), end) => end,
            Lex::More => return Lex::More,
            Lex::Bad(at) => return Lex::Bad(at),
        };
        let equals = skip_space(end);
        match text[equals..].chars().next() {
            Some('=') => {}
            Some(_) => return Lex::Bad(equals),
            None => return Lex::More,
        }
        let open = skip_space(equals + 1);
        let quote = match text[open..].chars().next() {
            Some(quote @ ('"' | '\'')) => quote,
            Some(_) => return Lex::Bad(open),
            None => return Lex::More,
        };
        let mut inner = open + 1;
        loop {
            inner += plain_len(&text.as_bytes()[inner..], &[quote as u8, b'<', b'&']);
            let Some(c) = text[inner..].chars().next() else {
                return Lex::More;
            };
            match c {
                _ if c == quote => break,
                '<' => return Lex::Bad(inner),
                '&' => match reference(&text[inner..], namespaces) {
                    Lex::Found(_, len) => inner += len,
                    Lex::More => return Lex::More,
                    Lex::Bad(at) => return Lex::Bad(inner + at),
                },
                c if is_char(c) => inner += c.len_utf8(),
                _ => return Lex::Bad(inner),
            }
        }
        attributes.push(RawAttribute {
            name: Word::new(&text[spaced..end]),
            value: Word::new(&text[open + 1..inner]),
            at: spaced,
        });
        at = inner + 1;
    }
}

fn end_tag(text: &str, namespaces: bool) -> Lex<Token> {
    match name(&text[2..], namespaces) {
        Lex::Found((), len) => {
            let end = 2 + len;
            let close = end + text[end..].find(|c| !is_space(c)).unwrap_or(text.len() - end);
            match text[close..].chars().next() {
                Some('>') => Lex::Found(Token::End(Word::new(&text[2..end])), close + 1),
                Some(_) => Lex::Bad(close),
                None => Lex::More,
            }
        }
        Lex::More => Lex::More,
        Lex::Bad(at) => Lex::Bad(2 + at),
    }
}

/// A run of text: to the next line end, or that line end alone.
fn run(text: &str, last: bool, cdata: bool) -> Lex<Token> {
    if text.starts_with('\n') {
        return Lex::Found(Token::Text(Word::const_new("\n")), 1);
    }
    if text.starts_with('\r') {
        return match text.as_bytes().get(1) {
            None if !last => Lex::More,
            Some(b'\n') => Lex::Found(Token::Text(Word::const_new("\n")), 2),
            _ => Lex::Found(Token::Text(Word::const_new("\n")), 1),
        };
    }
    let mut end = 0;
    loop {
        let stops: &[u8] = if cdata { b"]" } else { b"<&]" };
        end += plain_len(&text.as_bytes()[end..], stops);
        let Some(c) = text[end..].chars().next() else { break };
        let stop = match c {
            '\n' | '\r' => true,
            '<' | '&' if !cdata => true,
            ']' => {
                let rest = &text[end..];
                if rest.starts_with("]]>") {
                    if !cdata && end == 0 {
                        return Lex::Bad(2);
                    }
                    true
                } else {
                    // The end of the text may cut "]]>" in two.
                    !last && may_become(rest, "]]>")
                }
            }
            c => !is_char(c),
        };
        if stop {
            break;
        }
        end += c.len_utf8();
    }
    if end > 0 {
        return Lex::Found(Token::Text(Word::new(&text[..end])), end);
    }
    match text.chars().next() {
        Some(c) if !is_char(c) => Lex::Bad(0),
        _ => Lex::More,
    }
}

/// The next token of content. `last` says that no more text follows.
pub fn content(text: &str, last: bool, namespaces: bool) -> Lex<Token> {
    let mut chars = text.chars();
    match chars.next() {
        None => Lex::More,
        Some('&') => reference(text, namespaces),
        Some('<') => match chars.next() {
            None => Lex::More,
            Some('/') => end_tag(text, namespaces),
            Some('?') => instruction(text, namespaces),
            Some('!') if text.starts_with("<!--") => comment(text),
            Some('!') if text.starts_with("<![CDATA[") => Lex::Found(Token::CdataStart, 9),
            Some('!') if may_become(text, "<!--") || may_become(text, "<![CDATA[") => Lex::More,
            Some('!') => Lex::Bad(2),
            Some(_) => start_tag(text, namespaces),
        },
        Some(_) => run(text, last, false),
    }
}

/// The next token of a CDATA section.
pub fn cdata(text: &str, last: bool) -> Lex<Token> {
    if text.starts_with("]]>") {
        return Lex::Found(Token::CdataEnd, 3);
    }
    if text.is_empty() || !last && may_become(text, "]]>") {
        return Lex::More;
    }
    run(text, last, true)
}

/// To the `>` that ends a declaration, past literals; with `stop_at_bracket` to a `[` as well.
fn declaration_end(text: &str, from: usize, stop_at_bracket: bool) -> Lex<()> {
    let mut quote = None;
    for (at, c) in text[from..].char_indices() {
        match (quote, c) {
            (_, c) if !is_char(c) => return Lex::Bad(from + at),
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '>') => return Lex::Found((), from + at + 1),
            (None, '[') if stop_at_bracket => return Lex::Found((), from + at + 1),
            (None, '<') => return Lex::Bad(from + at),
            _ => {}
        }
    }
    Lex::More
}

/// The next token outside of elements; `subset` says that it is in a document type, `last` that no more text follows.
pub fn prolog(text: &str, last: bool, subset: bool, namespaces: bool) -> Lex<Token> {
    let mut chars = text.chars();
    match chars.next() {
        None => Lex::More,
        Some(c) if is_space(c) => {
            let end = text.find(|c| !is_space(c)).unwrap_or(text.len());
            Lex::Found(Token::Space, end)
        }
        Some('<') => match chars.next() {
            None => Lex::More,
            Some('?') => instruction(text, namespaces),
            Some('!') if text.starts_with("<!--") => comment(text),
            Some('!') if may_become(text, "<!--") => Lex::More,
            Some('!') if subset && text.starts_with("<![") => Lex::Found(Token::Conditional, 3),
            Some('!') if subset => match declaration_end(text, 2, false) {
                Lex::Found((), len) => Lex::Found(Token::Declaration, len),
                Lex::More => Lex::More,
                Lex::Bad(at) => Lex::Bad(at),
            },
            Some('!') if text.starts_with("<!DOCTYPE") => match declaration_end(text, 9, true) {
                Lex::Found((), len) => Lex::Found(Token::Doctype, len),
                Lex::More => Lex::More,
                Lex::Bad(at) => Lex::Bad(at),
            },
            Some('!') if may_become(text, "<!DOCTYPE") => Lex::More,
            Some('!') => {
                let word = text[2..].find(|c: char| !c.is_ascii_uppercase());
                match word {
                    None => Lex::More,
                    Some(0) => Lex::Bad(2),
                    Some(_) => Lex::Found(Token::Other, 0),
                }
            }
            Some(c) if is_name_start(c) && !subset => Lex::Found(
                Token::Start {
                    name: Word::const_new(""),
                    attributes: Vec::new(),
                    empty: false,
                },
                0,
            ),
            Some(_) => Lex::Bad(1),
        },
        Some('%') if subset => match name(&text[1..], namespaces) {
            Lex::Found((), len) => match text[1 + len..].chars().next() {
                Some(';') => Lex::Found(Token::ParameterReference(text[1..=len].to_owned()), len + 2),
                Some(_) => Lex::Bad(1 + len),
                None => Lex::More,
            },
            Lex::More => Lex::More,
            Lex::Bad(at) => Lex::Bad(1 + at),
        },
        Some(']') if subset => {
            if text.starts_with("]]>") {
                return Lex::Found(Token::ConditionalEnd, 3);
            }
            if text == "]" || text == "]]" {
                return Lex::More;
            }
            let close = 1 + text[1..].find(|c| !is_space(c)).unwrap_or(text.len() - 1);
            match text[close..].chars().next() {
                Some('>') => Lex::Found(Token::SubsetEnd, close + 1),
                Some(_) => Lex::Bad(close),
                None => Lex::More,
            }
        }
        // What could begin a token elsewhere is out of place here; the rest begins none.
        Some(c) if is_name_start(c) || c.is_ascii_digit() => {
            let end = text.find(|c| !is_name_char(c));
            match end.and_then(|end| Some((end, text[end..].chars().next()?))) {
                None if last => Lex::Found(Token::Other, 0),
                None => Lex::More,
                Some((_, c)) if is_space(c) || "[]()|,*+?>%".contains(c) => Lex::Found(Token::Other, 0),
                Some((end, _)) => Lex::Bad(end),
            }
        }
        Some(c) if "-.[]()|,*+?>%#".contains(c) => Lex::Found(Token::Other, 0),
        Some(quote @ ('"' | '\'')) => match text[1..].find(quote) {
            Some(_) => Lex::Found(Token::Other, 0),
            None => Lex::More,
        },
        Some(_) => Lex::Bad(0),
    }
}

/// Where the token begins that the end of the document cuts off, in a declaration that it cuts off; `None` if it does so between two.
pub fn unfinished(declaration: &str) -> Option<usize> {
    let bytes = declaration.as_bytes();
    let mut at = 0;
    while let Some(&first) = bytes.get(at) {
        let rest = &bytes[at + 1..];
        let behind = match first {
            b'<' => {
                let keyword = rest.strip_prefix(b"!")?;
                1 + keyword
                    .iter()
                    .position(|c| !c.is_ascii_alphabetic())
                    .unwrap_or(rest.len())
            }
            b'"' | b'\'' => rest
                .iter()
                .position(|c| *c == first)
                .map_or(rest.len() + 1, |end| end + 1),
            b'%' if rest.first().is_none_or(|c| !c.is_ascii_whitespace()) => rest
                .iter()
                .position(|c| *c == b';')
                .map_or(rest.len() + 1, |end| end + 1),
            b'#' if rest.is_empty() => 1,
            _ => 0,
        };
        if behind > rest.len() {
            return Some(at);
        }
        at += 1 + behind;
    }
    None
}
