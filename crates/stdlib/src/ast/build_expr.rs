//! Expressions and patterns, from the parser's tree to nodes.

use lisle_bytecode::{Const, Text};
use lisle_compiler::nodes::{
    self, BoolOp, CmpOp, Expr, ExprContext, Number, Operator, Pattern, Ranged, TextRange, UnaryOp,
};
use lisle_runtime::native::{Res, Str, Value};
use lisle_runtime::text::builder::from_codes;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::complex;

use super::build::{Builder, list};
use super::schema::Kind;

/// A `str` that may hold lone surrogates.
pub fn text_value(text: &Text) -> Value {
    match text {
        Text::Utf8(text) => Str::from_str(text).into_value(),
        Text::Points(points) => Str::from_buf(from_codes(points)).into_value(),
    }
}

impl Builder<'_> {
    pub fn operator(&self, op: Operator) -> Value {
        self.classes.singleton(match op {
            Operator::Add => Kind::Add,
            Operator::Sub => Kind::Sub,
            Operator::Mult => Kind::Mult,
            Operator::MatMult => Kind::MatMult,
            Operator::Div => Kind::Div,
            Operator::Mod => Kind::Mod,
            Operator::Pow => Kind::Pow,
            Operator::LShift => Kind::LShift,
            Operator::RShift => Kind::RShift,
            Operator::BitOr => Kind::BitOr,
            Operator::BitXor => Kind::BitXor,
            Operator::BitAnd => Kind::BitAnd,
            Operator::FloorDiv => Kind::FloorDiv,
        })
    }

    fn context(&self, ctx: ExprContext) -> Value {
        self.classes.singleton(match ctx {
            ExprContext::Store => Kind::Store,
            ExprContext::Del => Kind::Del,
            ExprContext::Load | ExprContext::Invalid => Kind::Load,
        })
    }

    fn constant(&mut self, range: TextRange, value: Value, kind: Value) -> Res<Value> {
        self.at(Kind::Constant, range, vec![value, kind])
    }

    pub fn expr(&mut self, e: &Expr) -> Res<Value> {
        let range = e.range();
        match e {
            Expr::BoolOp(e) => {
                let op = self.classes.singleton(match e.op {
                    BoolOp::And => Kind::And,
                    BoolOp::Or => Kind::Or,
                });
                let values = self.exprs(&e.values)?;
                self.at(Kind::BoolOp, range, vec![op, values])
            }
            Expr::Named(e) => {
                let target = self.expr(&e.target)?;
                let value = self.expr(&e.value)?;
                self.at(Kind::NamedExpr, range, vec![target, value])
            }
            Expr::BinOp(e) => {
                let left = self.expr(&e.left)?;
                let op = self.operator(e.op);
                let right = self.expr(&e.right)?;
                self.at(Kind::BinOp, range, vec![left, op, right])
            }
            Expr::UnaryOp(e) => {
                let op = self.classes.singleton(match e.op {
                    UnaryOp::Invert => Kind::Invert,
                    UnaryOp::Not => Kind::Not,
                    UnaryOp::UAdd => Kind::UAdd,
                    UnaryOp::USub => Kind::USub,
                });
                let operand = self.expr(&e.operand)?;
                self.at(Kind::UnaryOp, range, vec![op, operand])
            }
            Expr::Lambda(e) => {
                let args = match &e.parameters {
                    Some(parameters) => self.arguments(parameters)?,
                    None => {
                        let empty = || list(Vec::new());
                        let values = vec![empty(), empty(), Value::NONE, empty(), empty(), Value::NONE, empty()];
                        self.plain(Kind::arguments, values)?
                    }
                };
                let body = self.expr(&e.body)?;
                self.at(Kind::Lambda, range, vec![args, body])
            }
            Expr::If(e) => {
                let test = self.expr(&e.test)?;
                let body = self.expr(&e.body)?;
                let orelse = self.expr(&e.orelse)?;
                self.at(Kind::IfExp, range, vec![test, body, orelse])
            }
            Expr::Dict(e) => {
                let mut keys = Vec::new();
                let mut values = Vec::new();
                for item in &e.items {
                    keys.push(match &item.key {
                        Some(key) => self.expr(key)?,
                        None => Value::NONE,
                    });
                    values.push(self.expr(&item.value)?);
                }
                self.at(Kind::Dict, range, vec![list(keys), list(values)])
            }
            Expr::Set(e) => {
                let elts = self.exprs(&e.elts)?;
                self.at(Kind::Set, range, vec![elts])
            }
            Expr::ListComp(e) => self.comprehension(Kind::ListComp, range, None, &e.elt, &e.generators),
            Expr::SetComp(e) => self.comprehension(Kind::SetComp, range, None, &e.elt, &e.generators),
            Expr::DictComp(e) => self.comprehension(Kind::DictComp, range, e.key.as_deref(), &e.value, &e.generators),
            Expr::Generator(e) => self.comprehension(Kind::GeneratorExp, range, None, &e.elt, &e.generators),
            Expr::Await(e) => {
                let value = self.expr(&e.value)?;
                self.at(Kind::Await, range, vec![value])
            }
            Expr::Yield(e) => {
                let value = self.optional(&e.value)?;
                self.at(Kind::Yield, range, vec![value])
            }
            Expr::YieldFrom(e) => {
                let value = self.expr(&e.value)?;
                self.at(Kind::YieldFrom, range, vec![value])
            }
            Expr::Compare(e) => {
                let left = self.expr(&e.left)?;
                let ops = e.ops.iter().map(|&op| self.comparison(op)).collect();
                let comparators = self.exprs(&e.comparators)?;
                self.at(Kind::Compare, range, vec![left, list(ops), comparators])
            }
            Expr::Call(e) => {
                let func = self.expr(&e.func)?;
                let args = match &*e.arguments.args {
                    // The parentheses of the call are the generator's as well.
                    [Expr::Generator(g)] if !g.parenthesized && e.arguments.keywords.is_empty() => {
                        let range = e.arguments.range;
                        let only = self.comprehension(Kind::GeneratorExp, range, None, &g.elt, &g.generators)?;
                        list(vec![only])
                    }
                    args => self.exprs(args)?,
                };
                let keywords = self.keywords(&e.arguments.keywords)?;
                self.at(Kind::Call, range, vec![func, args, keywords])
            }
            Expr::FString(e) => self.fstring(e),
            Expr::TString(e) => self.tstring(e),
            Expr::StringLiteral(e) => {
                let mut texts = Vec::new();
                for part in &e.value {
                    texts.push(self.literals.string(part));
                }
                let value = text_value(&joined(&texts));
                let kind = match e.value.iter().next() {
                    Some(first) if first.flags.prefix().is_unicode() => Value::from("u"),
                    _ => Value::NONE,
                };
                self.constant(range, value, kind)
            }
            Expr::BytesLiteral(e) => {
                let value = Bytes::new_value(self.literals.bytes(e));
                self.constant(range, value, Value::NONE)
            }
            Expr::NumberLiteral(e) => {
                let value = match &e.value {
                    Number::Int(int) => match int.as_i64() {
                        Some(int) => Value::int(int),
                        None => {
                            let text = self.tree.source().get(range.to_std_range()).unwrap_or_default();
                            int_value(&lisle_compiler::Literals::big_int(text))
                        }
                    },
                    Number::Float(x) => Value::float(*x),
                    Number::Complex { real, imag } => complex::boxed(*real, *imag),
                };
                self.constant(range, value, Value::NONE)
            }
            Expr::BooleanLiteral(e) => self.constant(range, Value::from_bool(e.value), Value::NONE),
            Expr::NoneLiteral(_) => self.constant(range, Value::NONE, Value::NONE),
            Expr::EllipsisLiteral(_) | Expr::IpyEscapeCommand(_) => self.constant(range, Value::ELLIPSIS, Value::NONE),
            Expr::Attribute(e) => {
                let value = self.expr(&e.value)?;
                let ctx = self.context(e.ctx);
                self.at(Kind::Attribute, range, vec![value, Builder::name(e.attr.as_str()), ctx])
            }
            Expr::Subscript(e) => {
                let value = self.expr(&e.value)?;
                let slice = self.expr(&e.slice)?;
                let ctx = self.context(e.ctx);
                self.at(Kind::Subscript, range, vec![value, slice, ctx])
            }
            Expr::Starred(e) => {
                let value = self.expr(&e.value)?;
                let ctx = self.context(e.ctx);
                self.at(Kind::Starred, range, vec![value, ctx])
            }
            Expr::Name(e) => {
                let ctx = self.context(e.ctx);
                self.at(Kind::Name, range, vec![Builder::name(e.id.as_str()), ctx])
            }
            Expr::List(e) => {
                let elts = self.exprs(&e.elts)?;
                let ctx = self.context(e.ctx);
                self.at(Kind::List, range, vec![elts, ctx])
            }
            Expr::Tuple(e) => {
                let elts = self.exprs(&e.elts)?;
                let ctx = self.context(e.ctx);
                self.at(Kind::Tuple, range, vec![elts, ctx])
            }
            Expr::Slice(e) => {
                let lower = self.optional(&e.lower)?;
                let upper = self.optional(&e.upper)?;
                let step = self.optional(&e.step)?;
                self.at(Kind::Slice, range, vec![lower, upper, step])
            }
        }
    }

    fn comparison(&self, op: CmpOp) -> Value {
        self.classes.singleton(match op {
            CmpOp::Eq => Kind::Eq,
            CmpOp::NotEq => Kind::NotEq,
            CmpOp::Lt => Kind::Lt,
            CmpOp::LtE => Kind::LtE,
            CmpOp::Gt => Kind::Gt,
            CmpOp::GtE => Kind::GtE,
            CmpOp::Is => Kind::Is,
            CmpOp::IsNot => Kind::IsNot,
            CmpOp::In => Kind::In,
            CmpOp::NotIn => Kind::NotIn,
        })
    }

    fn comprehension(
        &mut self,
        kind: Kind,
        range: TextRange,
        key: Option<&Expr>,
        value: &Expr,
        generators: &[nodes::Comprehension],
    ) -> Res<Value> {
        let mut values = Vec::new();
        if kind == Kind::DictComp {
            values.push(match key {
                Some(key) => self.expr(key)?,
                None => Value::NONE,
            });
        }
        values.push(self.expr(value)?);
        let mut items = Vec::new();
        for generator in generators {
            let target = self.expr(&generator.target)?;
            let iter = self.expr(&generator.iter)?;
            let ifs = self.exprs(&generator.ifs)?;
            let is_async = Value::int(generator.is_async.into());
            items.push(self.plain(Kind::comprehension, vec![target, iter, ifs, is_async])?);
        }
        values.push(list(items));
        self.at(kind, range, values)
    }

    pub fn pattern(&mut self, p: &Pattern) -> Res<Value> {
        let range = p.range();
        match p {
            Pattern::MatchValue(p) => {
                let value = self.expr(&p.value)?;
                self.at(Kind::MatchValue, range, vec![value])
            }
            Pattern::MatchSingleton(p) => {
                let value = match p.value {
                    nodes::Singleton::None => Value::NONE,
                    nodes::Singleton::True => Value::TRUE,
                    nodes::Singleton::False => Value::FALSE,
                };
                self.at(Kind::MatchSingleton, range, vec![value])
            }
            Pattern::MatchSequence(p) => {
                let patterns = self.patterns(&p.patterns)?;
                self.at(Kind::MatchSequence, range, vec![patterns])
            }
            Pattern::MatchMapping(p) => {
                let keys = self.exprs(&p.keys)?;
                let patterns = self.patterns(&p.patterns)?;
                let rest = Builder::optional_name(&p.rest);
                self.at(Kind::MatchMapping, range, vec![keys, patterns, rest])
            }
            Pattern::MatchClass(p) => {
                let cls = self.expr(&p.cls)?;
                let patterns = self.patterns(&p.arguments.patterns)?;
                let keywords = &p.arguments.keywords;
                let names = keywords.iter().map(|k| Builder::name(k.attr.as_str())).collect();
                let keyword_patterns = self.patterns(keywords.iter().map(|k| &k.pattern))?;
                self.at(
                    Kind::MatchClass,
                    range,
                    vec![cls, patterns, list(names), keyword_patterns],
                )
            }
            Pattern::MatchStar(p) => self.at(Kind::MatchStar, range, vec![Builder::optional_name(&p.name)]),
            Pattern::MatchAs(p) => {
                let pattern = match &p.pattern {
                    Some(pattern) => self.pattern(pattern)?,
                    None => Value::NONE,
                };
                self.at(Kind::MatchAs, range, vec![pattern, Builder::optional_name(&p.name)])
            }
            Pattern::MatchOr(p) => {
                let patterns = self.patterns(&p.patterns)?;
                self.at(Kind::MatchOr, range, vec![patterns])
            }
        }
    }

    fn patterns<'p>(&mut self, patterns: impl IntoIterator<Item = &'p Pattern>) -> Res<Value> {
        let mut items = Vec::new();
        for pattern in patterns {
            items.push(self.pattern(pattern)?);
        }
        Ok(list(items))
    }
}

/// An int constant of the compiler.
fn int_value(constant: &Const) -> Value {
    match constant {
        Const::Int(int) => Value::int(*int),
        Const::BigInt { negative, magnitude } => {
            let sign = if *negative {
                num_bigint::Sign::Minus
            } else {
                num_bigint::Sign::Plus
            };
            Value::bigint(num_bigint::BigInt::from_bytes_le(sign, magnitude))
        }
        _ => Value::int(0),
    }
}

/// Texts one after the other.
pub fn joined(texts: &[Text]) -> Text {
    if let [one] = texts {
        return one.clone();
    }
    if texts.iter().all(|text| matches!(text, Text::Utf8(_))) {
        let mut all = String::new();
        for text in texts {
            if let Text::Utf8(text) = text {
                all.push_str(text);
            }
        }
        return Text::Utf8(all.into());
    }
    let mut points: Vec<u32> = Vec::new();
    for text in texts {
        match text {
            Text::Utf8(text) => points.extend(text.chars().map(u32::from)),
            Text::Points(more) => points.extend(more.iter()),
        }
    }
    Text::Points(points.into())
}

/// Whether there is nothing in it.
pub fn is_empty(text: &Text) -> bool {
    match text {
        Text::Utf8(text) => text.is_empty(),
        Text::Points(points) => points.is_empty(),
    }
}

/// A node, or a piece of text with where it lies.
pub enum Piece {
    Text(Text, TextRange),
    Node(Value),
}

/// Adds text, joining it to text before it.
pub fn add_text(pieces: &mut Vec<Piece>, text: Text, range: TextRange) {
    if let Some(Piece::Text(last, at)) = pieces.last_mut() {
        *last = joined(&[last.clone(), text]);
        *at = TextRange::new(at.start(), range.end());
    } else {
        pieces.push(Piece::Text(text, range));
    }
}

impl Builder<'_> {
    /// The `values` of a JoinedStr or TemplateStr.
    pub fn finish_pieces(&mut self, pieces: Vec<Piece>) -> Res<Value> {
        let mut values = Vec::new();
        for piece in pieces {
            values.push(match piece {
                Piece::Text(text, _) if is_empty(&text) => continue,
                Piece::Text(text, range) => self.constant(range, text_value(&text), Value::NONE)?,
                Piece::Node(node) => node,
            });
        }
        Ok(list(values))
    }
}
