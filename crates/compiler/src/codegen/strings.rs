//! f-strings and t-strings.

use lisle_bytecode::{Const, Op, Text};
use ruff_python_ast::{self as ast, ConversionFlag, FStringPart, InterpolatedElement, InterpolatedStringElement};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::expr::CHUNK;
use super::{Codegen, Reg, str_const};
use crate::errors::Res;
use crate::fold::concat;

/// Formats with expressions inside each other.
const MAX_SPECS: u32 = 2;

/// A piece of an f-string, literal pieces merged.
enum Piece<'a> {
    Text(Text),
    Value(&'a InterpolatedElement, bool),
}

impl<'a> Codegen<'a> {
    pub(super) fn fstring(&mut self, e: &'a ast::ExprFString, dst: Reg) -> Res {
        let mut pieces = Vec::new();
        for part in &e.value {
            match part {
                FStringPart::Literal(literal) => {
                    let text = self.string_part(literal)?;
                    add_text(&mut pieces, text);
                }
                FStringPart::FString(f) => {
                    let raw = f.flags.prefix().is_raw();
                    self.pieces(&f.elements, raw, &mut pieces)?;
                }
            }
        }
        self.build_string(pieces, dst)
    }

    fn pieces(&mut self, elements: &'a [InterpolatedStringElement], raw: bool, pieces: &mut Vec<Piece<'a>>) -> Res {
        for element in elements {
            match element {
                InterpolatedStringElement::Literal(literal) => {
                    let text = self.text_of(&literal.value, literal.range, raw, true)?;
                    add_text(pieces, text);
                }
                InterpolatedStringElement::Interpolation(value) => {
                    if let Some(debug) = &value.debug_text {
                        add_text(pieces, Text::Utf8(debug_text(debug.as_str()).into()));
                    }
                    pieces.push(Piece::Value(value, raw));
                }
            }
        }
        Ok(())
    }

    fn build_string(&mut self, pieces: Vec<Piece<'a>>, dst: Reg) -> Res {
        match &*pieces {
            [] => {
                self.load_const(dst, str_const(""));
                return Ok(());
            }
            [Piece::Text(text)] => {
                self.load_const(dst, Const::Str(text.clone()));
                return Ok(());
            }
            [Piece::Value(value, raw)] => return self.formatted(value, *raw, dst),
            _ => {}
        }
        let top = self.top();
        let first = Reg::temp(top);
        let mut count = 0;
        for piece in pieces {
            if count == CHUNK as u32 {
                // What is there so far becomes one piece.
                self.set_top(top + 1);
                self.emit(Op::BuildString, 0, first.0, first.0, count);
                count = 1;
            }
            let at = self.temp();
            match piece {
                Piece::Text(text) => self.load_const(at, Const::Str(text)),
                Piece::Value(value, raw) => self.formatted(value, raw, at)?,
            }
            count += 1;
        }
        self.set_top(top);
        self.emit(Op::BuildString, 0, dst.0, first.0, count);
        Ok(())
    }

    /// `{value!conversion:spec}` as a str.
    fn formatted(&mut self, e: &'a InterpolatedElement, raw: bool, dst: Reg) -> Res {
        let top = self.top();
        let old = std::mem::replace(&mut self.u().range, e.range);
        let work = self.work(dst);
        let mut value = self.operand_in(&e.expression, work)?;
        let conversion = effective_conversion(e);
        if conversion != 0 {
            self.emit(Op::Convert, conversion, work.0, value.0, 0);
            value = work;
        }
        match &e.format_spec {
            None => self.emit2(Op::FormatSimple, dst, value),
            Some(spec) => {
                self.spec_depth += 1;
                if let Some(inner) = spec.elements.interpolations().next()
                    && self.spec_depth > MAX_SPECS
                {
                    let before = inner.range.start().checked_sub(TextSize::new(1)).unwrap_or_default();
                    return self.fail(TextRange::empty(before), "f-string: expressions nested too deeply");
                }
                let mut pieces = Vec::new();
                self.pieces(&spec.elements, raw, &mut pieces)?;
                let spec = self.temp();
                self.build_string(pieces, spec)?;
                self.emit3(Op::FormatSpec, dst, value, spec);
                self.spec_depth -= 1;
            }
        }
        self.u().range = old;
        self.set_top(top);
        Ok(())
    }

    pub(super) fn tstring(&mut self, e: &'a ast::ExprTString, dst: Reg) -> Res {
        // Strings and interpolations alternate, with a string at both ends.
        let mut strings: Vec<Text> = vec![Text::Utf8("".into())];
        let mut values = Vec::new();
        for part in &e.value {
            let raw = part.flags.prefix().is_raw();
            for element in &part.elements {
                match element {
                    InterpolatedStringElement::Literal(literal) => {
                        let text = self.text_of(&literal.value, literal.range, raw, true)?;
                        append(&mut strings, text);
                    }
                    InterpolatedStringElement::Interpolation(value) => {
                        if let Some(debug) = &value.debug_text {
                            append(&mut strings, Text::Utf8(debug_text(debug.as_str()).into()));
                        }
                        values.push((value, raw));
                        strings.push(Text::Utf8("".into()));
                    }
                }
            }
        }
        let range = self.unit().range;
        let (left, right) = (self.temp(), self.temp());
        self.load_const(left, Const::Tuple(strings.into_iter().map(Const::Str).collect()));
        let top = self.top();
        let small = values.len() <= CHUNK;
        if !small {
            self.emit(Op::BuildList, 0, right.0, right.0, 0);
        }
        let first = Reg::temp(top);
        let count = values.len() as u32;
        for (value, raw) in values {
            let at = self.temp();
            self.interpolation(value, raw, at)?;
            if !small {
                self.emit2(Op::ListAppend, right, at);
                self.set_top(top);
            }
        }
        self.u().range = range;
        if small {
            self.emit(Op::BuildTuple, 0, right.0, first.0, count);
        } else {
            self.emit2(Op::ListToTuple, right, right);
        }
        self.emit3(Op::BuildTemplate, dst, left, right);
        Ok(())
    }

    fn interpolation(&mut self, e: &'a InterpolatedElement, raw: bool, dst: Reg) -> Res {
        let top = self.top();
        let old = std::mem::replace(&mut self.u().range, e.range);
        let first = self.temps(3);
        self.expr(&e.expression, first)?;
        let source = self.source;
        let text = match &e.debug_text {
            Some(debug) => debug.expression().trim(),
            None if self.lines.is_made_up() => source.get(e.range.to_std_range()).unwrap_or_default(),
            None => expression_source(source, e),
        };
        self.load_str(first.plus(1), text);
        match &e.format_spec {
            None => self.load_str(first.plus(2), ""),
            Some(spec) => {
                let mut pieces = Vec::new();
                self.pieces(&spec.elements, raw, &mut pieces)?;
                self.build_string(pieces, first.plus(2))?;
            }
        }
        let conversion = effective_conversion(e);
        self.emit(Op::BuildInterpolation, conversion, dst.0, first.0, 0);
        self.u().range = old;
        self.set_top(top);
        Ok(())
    }
}

/// The text between the brace and what follows the expression.
fn expression_source<'s>(source: &'s str, e: &InterpolatedElement) -> &'s str {
    let start = e.range.start().to_usize() + 1;
    let end = e.expression.range().end().to_usize();
    // Closing parentheses belong to the expression.
    let stop = e
        .format_spec
        .as_ref()
        .map_or(e.range.end().to_usize(), |spec| spec.range.start().to_usize());
    let rest = source.get(end..stop).unwrap_or_default();
    let parens = rest.rfind(')').map_or(0, |at| at + 1);
    source.get(start..end + parens).unwrap_or_default().trim()
}

/// The text that `{x=}` shows: without comments.
pub(crate) fn debug_text(text: &str) -> String {
    if !text.contains('#') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut quote = None;
    let mut in_comment = false;
    for c in text.chars() {
        match quote {
            _ if in_comment => in_comment = c != '\n',
            Some(open) => quote = (c != open).then_some(open),
            None if c == '#' => in_comment = true,
            None if c == '"' || c == '\'' => quote = Some(c),
            None => {}
        }
        if !in_comment {
            out.push(c);
        }
    }
    out
}

/// As `Convert`'s `k`; `{x=}` alone means repr.
fn effective_conversion(e: &InterpolatedElement) -> u8 {
    match e.conversion {
        ConversionFlag::None if e.debug_text.is_some() && e.format_spec.is_none() => 2,
        ConversionFlag::None => 0,
        ConversionFlag::Str => 1,
        ConversionFlag::Repr => 2,
        ConversionFlag::Ascii => 3,
    }
}

fn add_text(pieces: &mut Vec<Piece>, text: Text) {
    if let Text::Utf8(text) = &text
        && text.is_empty()
    {
        return;
    }
    if let Some(Piece::Text(last)) = pieces.last_mut() {
        *last = concat(&[last.clone(), text]);
    } else {
        pieces.push(Piece::Text(text));
    }
}

fn append(strings: &mut [Text], text: Text) {
    if let Some(last) = strings.last_mut() {
        *last = concat(&[last.clone(), text]);
    }
}
