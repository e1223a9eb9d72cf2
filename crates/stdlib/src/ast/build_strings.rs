//! f-strings and t-strings, from the parser's tree to nodes.
//!
//! Invariant: text that lies side by side is one Constant, also across the parts of an implicit concatenation.

use lisle_bytecode::Text;
use lisle_compiler::nodes::{
    self, ConversionFlag, FStringPart, InterpolatedElement, InterpolatedStringElement, Ranged, TextRange, TextSize,
};
use lisle_runtime::native::{Res, Str, Value};

use super::build::Builder;
use super::build_expr::{Piece, add_text};
use super::schema::Kind;

impl Builder<'_> {
    pub fn fstring(&mut self, e: &nodes::ExprFString) -> Res<Value> {
        let mut pieces = Vec::new();
        for part in &e.value {
            match part {
                FStringPart::Literal(literal) => {
                    let text = self.literals.string(literal);
                    add_text(&mut pieces, text, literal.range);
                }
                FStringPart::FString(f) => {
                    let raw = f.flags.prefix().is_raw();
                    self.elements(&f.elements, raw, false, &mut pieces)?;
                }
            }
        }
        let values = self.finish_pieces(pieces)?;
        self.at(Kind::JoinedStr, e.range, vec![values])
    }

    pub fn tstring(&mut self, e: &nodes::ExprTString) -> Res<Value> {
        let mut pieces = Vec::new();
        for part in &e.value {
            let raw = part.flags.prefix().is_raw();
            self.elements(&part.elements, raw, true, &mut pieces)?;
        }
        let values = self.finish_pieces(pieces)?;
        self.at(Kind::TemplateStr, e.range, vec![values])
    }

    fn elements(
        &mut self,
        elements: &[InterpolatedStringElement],
        raw: bool,
        template: bool,
        pieces: &mut Vec<Piece>,
    ) -> Res<()> {
        for element in elements {
            match element {
                InterpolatedStringElement::Literal(literal) => {
                    let text = self.literals.piece(literal, raw);
                    add_text(pieces, text, literal.range);
                }
                InterpolatedStringElement::Interpolation(value) => {
                    if let Some(debug) = &value.debug_text {
                        let start = value.range.start() + TextSize::new(1);
                        let range = TextRange::at(start, TextSize::new(debug.as_str().len() as u32));
                        let text = lisle_compiler::Literals::debug_text(debug);
                        add_text(pieces, Text::Utf8(text.into()), range);
                    }
                    let node = self.interpolated(value, raw, template)?;
                    pieces.push(Piece::Node(node));
                }
            }
        }
        Ok(())
    }

    fn interpolated(&mut self, e: &InterpolatedElement, raw: bool, template: bool) -> Res<Value> {
        let value = self.expr(&e.expression)?;
        let conversion = match e.conversion {
            ConversionFlag::None if e.debug_text.is_some() && e.format_spec.is_none() => i64::from(b'r'),
            ConversionFlag::None => -1,
            ConversionFlag::Str => i64::from(b's'),
            ConversionFlag::Repr => i64::from(b'r'),
            ConversionFlag::Ascii => i64::from(b'a'),
        };
        let spec = match &e.format_spec {
            None => Value::NONE,
            Some(spec) => {
                let mut pieces = Vec::new();
                self.elements(&spec.elements, raw, false, &mut pieces)?;
                let values = self.finish_pieces(pieces)?;
                // The colon belongs to it.
                let start = spec.range.start().to_u32().saturating_sub(1);
                let range = TextRange::new(TextSize::new(start), spec.range.end());
                self.at(Kind::JoinedStr, range, vec![values])?
            }
        };
        let conversion = Value::int(conversion);
        if template {
            let text = Str::from_str(self.expression_text(e)).into_value();
            return self.at(Kind::Interpolation, e.range, vec![value, text, conversion, spec]);
        }
        self.at(Kind::FormattedValue, e.range, vec![value, conversion, spec])
    }

    /// The text of the expression between the braces.
    fn expression_text(&self, e: &InterpolatedElement) -> &str {
        let source = self.tree.source();
        let start = e.range.start().to_usize() + 1;
        let end = e.expression.range().end().to_usize();
        let stop = match &e.format_spec {
            Some(spec) => spec.range.start().to_usize(),
            None => e.range.end().to_usize(),
        };
        // Closing parentheses belong to the expression.
        let rest = source.get(end..stop).unwrap_or_default();
        let parens = rest.rfind(')').map_or(0, |at| at + 1);
        source.get(start..end + parens).unwrap_or_default().trim()
    }
}
