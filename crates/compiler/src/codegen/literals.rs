//! String and bytes literals: escapes, lone surrogates.
//!
//! The parser's values are used where they are exact; literals with a backslash are decoded here, since the parser cannot
//! represent lone surrogates.

use lisle_bytecode::Text;
use ruff_python_ast::{self as ast, StringLiteral};
use ruff_text_size::{TextRange, TextSize};

use super::Codegen;
use crate::errors::{Res, fault};
use crate::fold::concat;

impl Codegen<'_> {
    /// The value of a string literal, implicitly concatenated parts together.
    pub(crate) fn string_literal(&mut self, e: &ast::ExprStringLiteral) -> Res<Text> {
        match e.value.as_slice() {
            [one] => self.string_part(one),
            parts => {
                let mut texts = Vec::with_capacity(parts.len());
                for part in parts {
                    texts.push(self.string_part(part)?);
                }
                Ok(concat(&texts))
            }
        }
    }

    pub(crate) fn string_part(&mut self, part: &StringLiteral) -> Res<Text> {
        let raw = part.flags.prefix().is_raw();
        self.text_of(&part.value, part.content_range(), raw, false)
    }

    /// `value` as the parser decoded it from the source at `range`.
    pub(crate) fn text_of(&mut self, value: &str, range: TextRange, raw: bool, interpolated: bool) -> Res<Text> {
        let source = self.source;
        let content = source
            .get(range.start().to_usize()..range.end().to_usize())
            .unwrap_or_default();
        if raw || !content.contains('\\') {
            return Ok(Text::Utf8(value.into()));
        }
        self.decode(content, range.start(), interpolated)
    }

    fn decode(&mut self, content: &str, start: TextSize, interpolated: bool) -> Res<Text> {
        let mut points: Vec<u32> = Vec::with_capacity(content.len());
        let mut chars = content.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if interpolated && (c == '{' || c == '}') {
                // Doubled braces stand for one.
                chars.next_if(|&(_, next)| next == c);
                points.push(c.into());
                continue;
            }
            if c != '\\' {
                points.push(c.into());
                continue;
            }
            let Some((_, escape)) = chars.next() else {
                points.push('\\'.into());
                break;
            };
            let simple = match escape {
                '\n' => continue,
                '\\' | '\'' | '"' => escape as u32,
                'a' => 7,
                'b' => 8,
                'f' => 12,
                'n' => 10,
                'r' => 13,
                't' => 9,
                'v' => 11,
                '0'..='7' => {
                    let mut value = escape as u32 - 48;
                    for _ in 0..2 {
                        match chars.next_if(|&(_, d)| ('0'..='7').contains(&d)) {
                            Some((_, d)) => value = value * 8 + (d as u32 - 48),
                            None => break,
                        }
                    }
                    value
                }
                'x' | 'u' | 'U' => {
                    let digits = match escape {
                        'x' => 2,
                        'u' => 4,
                        _ => 8,
                    };
                    let mut value = 0;
                    for _ in 0..digits {
                        let digit = chars.next().and_then(|(_, d)| d.to_digit(16));
                        value = value * 16 + digit.unwrap_or_default();
                    }
                    value
                }
                'N' => {
                    let rest = &content[at..];
                    let end = rest.find('}').map_or(rest.len(), |end| end + 1);
                    let name = &rest[..end];
                    while chars.next_if(|&(i, _)| i < at + end).is_some() {}
                    points.extend(named_character(name, start)?.chars().map(u32::from));
                    continue;
                }
                other => {
                    points.push('\\'.into());
                    if !(interpolated && (other == '{' || other == '}')) {
                        points.push(other.into());
                        continue;
                    }
                    // `\{{`: a backslash and one brace.
                    chars.next_if(|&(_, next)| next == other);
                    other as u32
                }
            };
            points.push(simple);
        }
        Ok(text_from_points(points))
    }

    /// The value of a bytes literal.
    pub(crate) fn bytes_literal(&mut self, e: &ast::ExprBytesLiteral) -> Res<Box<[u8]>> {
        let mut value = Vec::new();
        for part in &e.value {
            value.extend_from_slice(part.as_slice());
        }
        Ok(value.into())
    }
}

/// The character of `\N{...}`, by way of the parser, which knows the names.
fn named_character(escape: &str, start: TextSize) -> Res<String> {
    let parsed = ruff_python_parser::parse_expression(&format!("\"{escape}\""));
    match parsed.as_ref().map(|parsed| parsed.expr()) {
        Ok(ast::Expr::StringLiteral(s)) => Ok(s.value.to_str().to_string()),
        _ => fault(
            TextRange::at(start, TextSize::new(escape.len() as u32)),
            "(unicode error) 'unicodeescape' codec can't decode bytes in position 0-1: unknown Unicode character name",
        ),
    }
}

/// Code points as text, in the plain form where there are no surrogates.
fn text_from_points(points: Vec<u32>) -> Text {
    let plain: Option<String> = points.iter().map(|&p| char::from_u32(p)).collect();
    match plain {
        Some(plain) => Text::Utf8(plain.into()),
        None => Text::Points(points.into()),
    }
}
