//! Escapes in string literals that stand for nothing, in CPython's words.

use ruff_python_ast::Mod;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::Parsed;
use ruff_text_size::{Ranged as _, TextRange};

use super::syntax;
use crate::errors::Fault;

/// The tokens of a source with a bad escape.
struct Failure<'p> {
    source: &'p str,
    tokens: Vec<(TokenKind, TextRange)>,
}

/// The error about the bad escape at `location`.
pub(super) fn explain(parsed: &Parsed<Mod>, location: TextRange, source: &str) -> Fault {
    let tokens = parsed.tokens().iter().map(|t| (t.kind(), t.range())).collect();
    Failure { source, tokens }.bad_escape(location)
}

impl<'p> Failure<'p> {
    fn kind(&self, i: usize) -> TokenKind {
        self.tokens.get(i).map_or(TokenKind::EndOfFile, |t| t.0)
    }

    fn range(&self, i: usize) -> TextRange {
        self.tokens.get(i).map_or_else(TextRange::default, |t| t.1)
    }

    fn text(&self, range: TextRange) -> &'p str {
        self.source
            .get(range.start().to_usize()..range.end().to_usize())
            .unwrap_or_default()
    }

    fn bad_escape(&self, location: TextRange) -> Fault {
        // The literal around the escape.
        let found = self
            .tokens
            .iter()
            .position(|t| t.1.start() <= location.start() && location.start() < t.1.end());
        // The place may be that of the string's end.
        let found = found.map(|i| match (self.kind(i), i.checked_sub(1)) {
            (TokenKind::FStringEnd | TokenKind::TStringEnd, Some(before))
                if matches!(self.kind(before), TokenKind::FStringMiddle | TokenKind::TStringMiddle) =>
            {
                before
            }
            _ => i,
        });
        if let Some(i) = found
            && matches!(self.kind(i), TokenKind::FStringMiddle | TokenKind::TStringMiddle)
        {
            // Reported at the end of the whole string.
            let (_, message) = bad_escape(self.text(self.range(i)), false);
            let mut depth = 0usize;
            let end = (i..self.tokens.len()).find(|&j| match self.kind(j) {
                TokenKind::FStringStart | TokenKind::TStringStart => {
                    depth += 1;
                    false
                }
                TokenKind::FStringEnd | TokenKind::TStringEnd if depth == 0 => true,
                TokenKind::FStringEnd | TokenKind::TStringEnd => {
                    depth -= 1;
                    false
                }
                _ => false,
            });
            return syntax(
                end.map_or(location, |end| self.range(end)),
                format!("(unicode error) 'unicodeescape' codec can't decode bytes in {message}"),
            );
        }
        let literal = found.map_or(location, |i| self.range(i));
        let text = self.text(literal);
        let prefix_len = text.find(['\'', '"']).unwrap_or(0);
        let prefix = text[..prefix_len].to_ascii_lowercase();
        let quotes = if text[prefix_len..].starts_with("\"\"\"") || text[prefix_len..].starts_with("'''") {
            3
        } else {
            1
        };
        let content = &text[(prefix_len + quotes).min(text.len())..];
        let content = content.get(..content.len().saturating_sub(quotes)).unwrap_or(content);
        if prefix.contains('b') {
            let (at, _) = bad_escape(content, true);
            return syntax(literal, format!("(value error) invalid \\x escape at position {at}"));
        }
        let (_, message) = bad_escape(content, false);
        syntax(
            literal,
            format!("(unicode error) 'unicodeescape' codec can't decode bytes in {message}"),
        )
    }
}

/// Where an escape sequence goes wrong, and CPython's text about it.
fn bad_escape(content: &str, bytes: bool) -> (usize, String) {
    let mut at = 0;
    let raw = content.as_bytes();
    while at + 1 < raw.len() {
        if raw[at] != b'\\' {
            at += 1;
            continue;
        }
        let (digits, name) = match raw[at + 1] {
            b'x' => (2, "truncated \\xXX escape"),
            b'u' if !bytes => (4, "truncated \\uXXXX escape"),
            b'U' if !bytes => (8, "truncated \\UXXXXXXXX escape"),
            b'N' if !bytes => {
                let rest = &content[at + 2..];
                let close = rest.find('}').filter(|_| rest.starts_with('{'));
                match close {
                    Some(close) if close > 1 => {
                        let known = ruff_python_parser::parse_expression(&format!("'\\N{}'", &rest[..=close])).is_ok();
                        if known {
                            at += 2 + close;
                            continue;
                        }
                        let end = at + 2 + close;
                        return (at, format!("position {at}-{end}: unknown Unicode character name"));
                    }
                    _ => {
                        // As far as it could be a name.
                        let name = rest.find('}').map_or(rest.len(), |close| close + 1);
                        let end = match rest.starts_with('{') {
                            true if name > 2 => at + 1 + name,
                            true => at + 2,
                            false => at + 1,
                        };
                        return (at, format!("position {at}-{end}: malformed \\N character escape"));
                    }
                }
            }
            _ => {
                at += 2;
                continue;
            }
        };
        let good = raw[at + 2..]
            .iter()
            .take(digits)
            .take_while(|b| b.is_ascii_hexdigit())
            .count();
        if good < digits {
            return (at, format!("position {at}-{}: {name}", at + 1 + good));
        }
        let value = u32::from_str_radix(&content[at + 2..at + 2 + digits], 16).unwrap_or(0);
        if value > 0x10_ffff {
            return (
                at,
                format!("position {at}-{}: illegal Unicode character", at + 1 + digits),
            );
        }
        at += 2 + digits;
    }
    (0, "position 0-1: truncated escape".into())
}
