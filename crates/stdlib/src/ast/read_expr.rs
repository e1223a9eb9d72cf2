//! Expressions and patterns, from nodes to the compiler's tree.

use lisle_compiler::nodes::str_prefix::{ByteStringPrefix, FStringPrefix, StringLiteralPrefix, TStringPrefix};
use lisle_compiler::nodes::{
    self, BoolOp, CmpOp, Expr, ExprContext, Identifier, Number, Operator, Pattern, TextRange, UnaryOp,
};
use lisle_runtime::intern;
use lisle_runtime::native::{Py, Res, Str, Value};
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::complex;
use lisle_runtime::types::set::FrozenSet;
use lisle_runtime::types::tuple::Tuple;

use super::read::{NO_INDEX, Node, Reader, kind_name};
use super::schema::{Kind, Sum};

fn context_name(ctx: ExprContext) -> &'static str {
    match ctx {
        ExprContext::Store => "Store",
        ExprContext::Del => "Del",
        ExprContext::Load | ExprContext::Invalid => "Load",
    }
}

impl Reader<'_> {
    /// Expressions of a list.
    pub fn exprs(&mut self, items: &[Value], ctx: ExprContext) -> Res<Vec<Expr>> {
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            if item.is_none() {
                return Err(self.value_error("None disallowed in expression list"));
            }
            out.push(self.expr(item, ctx)?);
        }
        Ok(out)
    }

    fn expr_items(&mut self, node: Node<'_>, name: &Py<Str>) -> Res<Vec<Expr>> {
        let items = self.items(node, name)?;
        self.exprs(&items, ExprContext::Load)
    }

    /// A field that holds an expression.
    pub fn expr_field(&mut self, node: Node<'_>, name: &Py<Str>) -> Res<Box<Expr>> {
        let value = self.required(node, name)?;
        Ok(Box::new(self.expr(&value, ExprContext::Load)?))
    }

    /// A field that holds an expression or None.
    pub fn optional_expr(&mut self, node: Node<'_>, name: &Py<Str>) -> Res<Option<Box<Expr>>> {
        match self.optional(node, name)? {
            Some(value) => Ok(Some(Box::new(self.expr(&value, ExprContext::Load)?))),
            None => Ok(None),
        }
    }

    pub fn operator(&mut self, node: Node<'_>) -> Res<Operator> {
        let value = self.field(node, intern!("op"))?;
        Ok(match self.kind_of(&value, Sum::Operator)? {
            Kind::Add => Operator::Add,
            Kind::Sub => Operator::Sub,
            Kind::Mult => Operator::Mult,
            Kind::MatMult => Operator::MatMult,
            Kind::Div => Operator::Div,
            Kind::Mod => Operator::Mod,
            Kind::Pow => Operator::Pow,
            Kind::LShift => Operator::LShift,
            Kind::RShift => Operator::RShift,
            Kind::BitOr => Operator::BitOr,
            Kind::BitXor => Operator::BitXor,
            Kind::BitAnd => Operator::BitAnd,
            _ => Operator::FloorDiv,
        })
    }

    /// Checks the context that the node says it has.
    fn check_context(&mut self, node: Node<'_>, wanted: ExprContext) -> Res<()> {
        let value = self.field(node, intern!("ctx"))?;
        let found = match self.kind_of(&value, Sum::ExprContext)? {
            Kind::Store => ExprContext::Store,
            Kind::Del => ExprContext::Del,
            _ => ExprContext::Load,
        };
        if found != wanted {
            return Err(self.value_error(format!(
                "expression must have {} context but has {} instead",
                context_name(wanted),
                context_name(found)
            )));
        }
        Ok(())
    }

    /// An expression that is used in this way.
    pub fn expr(&mut self, value: &Value, ctx: ExprContext) -> Res<Expr> {
        let kind = self.kind_of(value, Sum::Expr)?;
        let _guard = self.vm.enter_recursive(" while traversing 'expr' node")?;
        let node = Node { value, kind };
        let node_index = NO_INDEX;
        match kind {
            Kind::Attribute | Kind::Subscript | Kind::Starred | Kind::Name | Kind::List | Kind::Tuple => {
                self.check_context(node, ctx)?;
            }
            _ if ctx != ExprContext::Load => {
                return Err(self.value_error(format!(
                    "expression which can't be assigned to in {} context",
                    context_name(ctx)
                )));
            }
            _ => {}
        }
        if kind == Kind::Constant {
            return self.constant_node(node);
        }
        let range = self.region_of(node, "")?;
        Ok(match kind {
            Kind::BoolOp => {
                let op = self.field(node, intern!("op"))?;
                let op = match self.kind_of(&op, Sum::BoolOp)? {
                    Kind::And => BoolOp::And,
                    _ => BoolOp::Or,
                };
                let values = self.expr_items(node, intern!("values"))?;
                if values.len() < 2 {
                    return Err(self.value_error("BoolOp with less than 2 values"));
                }
                Expr::BoolOp(nodes::ExprBoolOp {
                    node_index,
                    range,
                    op,
                    values,
                })
            }
            Kind::NamedExpr => {
                let target = self.required(node, intern!("target"))?;
                if self.classes.kind_of(&target) != Some(Kind::Name) {
                    return Err(self.vm.type_error("NamedExpr target must be a Name"));
                }
                let target = Box::new(self.expr(&target, ExprContext::Store)?);
                Expr::Named(nodes::ExprNamed {
                    node_index,
                    range,
                    target,
                    value: self.expr_field(node, intern!("value"))?,
                })
            }
            Kind::BinOp => Expr::BinOp(nodes::ExprBinOp {
                node_index,
                range,
                left: self.expr_field(node, intern!("left"))?,
                op: self.operator(node)?,
                right: self.expr_field(node, intern!("right"))?,
            }),
            Kind::UnaryOp => {
                let op = self.field(node, intern!("op"))?;
                let op = match self.kind_of(&op, Sum::UnaryOp)? {
                    Kind::Invert => UnaryOp::Invert,
                    Kind::Not => UnaryOp::Not,
                    Kind::UAdd => UnaryOp::UAdd,
                    _ => UnaryOp::USub,
                };
                Expr::UnaryOp(nodes::ExprUnaryOp {
                    node_index,
                    range,
                    op,
                    operand: self.expr_field(node, intern!("operand"))?,
                })
            }
            Kind::Lambda => {
                let args = self.required(node, intern!("args"))?;
                Expr::Lambda(nodes::ExprLambda {
                    node_index,
                    range,
                    parameters: Some(Box::new(self.parameters(&args)?)),
                    body: self.expr_field(node, intern!("body"))?,
                })
            }
            Kind::IfExp => Expr::If(nodes::ExprIf {
                node_index,
                range,
                test: self.expr_field(node, intern!("test"))?,
                body: self.expr_field(node, intern!("body"))?,
                orelse: self.expr_field(node, intern!("orelse"))?,
            }),
            Kind::Dict => self.dict(node, range)?,
            Kind::Set => Expr::Set(nodes::ExprSet {
                node_index,
                range,
                elts: self.expr_items(node, intern!("elts"))?,
            }),
            Kind::ListComp => {
                let generators = self.generators(node)?;
                Expr::ListComp(nodes::ExprListComp {
                    node_index,
                    range,
                    elt: self.expr_field(node, intern!("elt"))?,
                    generators,
                })
            }
            Kind::SetComp => {
                let generators = self.generators(node)?;
                Expr::SetComp(nodes::ExprSetComp {
                    node_index,
                    range,
                    elt: self.expr_field(node, intern!("elt"))?,
                    generators,
                })
            }
            Kind::DictComp => {
                let generators = self.generators(node)?;
                Expr::DictComp(nodes::ExprDictComp {
                    node_index,
                    range,
                    key: Some(self.expr_field(node, intern!("key"))?),
                    value: self.expr_field(node, intern!("value"))?,
                    generators,
                })
            }
            Kind::GeneratorExp => {
                let generators = self.generators(node)?;
                Expr::Generator(nodes::ExprGenerator {
                    node_index,
                    range,
                    elt: self.expr_field(node, intern!("elt"))?,
                    generators,
                    parenthesized: true,
                })
            }
            Kind::Await => Expr::Await(nodes::ExprAwait {
                node_index,
                range,
                value: self.expr_field(node, intern!("value"))?,
            }),
            Kind::Yield => Expr::Yield(nodes::ExprYield {
                node_index,
                range,
                value: self.optional_expr(node, intern!("value"))?,
            }),
            Kind::YieldFrom => Expr::YieldFrom(nodes::ExprYieldFrom {
                node_index,
                range,
                value: self.expr_field(node, intern!("value"))?,
            }),
            Kind::Compare => self.comparison(node, range)?,
            Kind::Call => {
                let func = self.expr_field(node, intern!("func"))?;
                let args = self.items(node, intern!("args"))?;
                Expr::Call(nodes::ExprCall {
                    node_index,
                    range_start: range.start(),
                    func,
                    arguments: self.call_arguments(node, &args, range)?,
                })
            }
            Kind::FormattedValue | Kind::Interpolation => {
                // Outside of a string: one with nothing else in it.
                let element = self.interpolated(node, range)?;
                string_of(range, vec![element], kind == Kind::Interpolation)
            }
            Kind::JoinedStr | Kind::TemplateStr => {
                let values = self.items(node, intern!("values"))?;
                let elements = self.elements(&values, node)?;
                string_of(range, elements, kind == Kind::TemplateStr)
            }
            Kind::Attribute => Expr::Attribute(nodes::ExprAttribute {
                node_index,
                range,
                value: self.expr_field(node, intern!("value"))?,
                attr: self.identifier(node, intern!("attr"), range)?,
                ctx,
            }),
            Kind::Subscript => Expr::Subscript(nodes::ExprSubscript {
                node_index,
                range,
                value: self.expr_field(node, intern!("value"))?,
                slice: self.expr_field(node, intern!("slice"))?,
                ctx,
            }),
            Kind::Starred => {
                let value = self.required(node, intern!("value"))?;
                Expr::Starred(nodes::ExprStarred {
                    node_index,
                    range,
                    value: Box::new(self.expr(&value, ctx)?),
                    ctx,
                })
            }
            Kind::Name => {
                let id = self.required(node, intern!("id"))?;
                Expr::Name(nodes::ExprName {
                    node_index,
                    range,
                    id: self.name_text(&id)?.into(),
                    ctx,
                })
            }
            Kind::List => {
                let items = self.items(node, intern!("elts"))?;
                Expr::List(nodes::ExprList {
                    node_index,
                    range,
                    elts: self.exprs(&items, ctx)?,
                    ctx,
                })
            }
            Kind::Tuple => {
                let items = self.items(node, intern!("elts"))?;
                Expr::Tuple(nodes::ExprTuple {
                    node_index,
                    range,
                    elts: self.exprs(&items, ctx)?,
                    ctx,
                    parenthesized: true,
                })
            }
            _ => Expr::Slice(nodes::ExprSlice {
                node_index,
                range,
                lower: self.optional_expr(node, intern!("lower"))?,
                upper: self.optional_expr(node, intern!("upper"))?,
                step: self.optional_expr(node, intern!("step"))?,
            }),
        })
    }

    fn dict(&mut self, node: Node<'_>, range: TextRange) -> Res<Expr> {
        let keys = self.items(node, intern!("keys"))?;
        let values = self.items(node, intern!("values"))?;
        if keys.len() != values.len() {
            return Err(self.value_error("Dict doesn't have the same number of keys as values"));
        }
        let mut items = Vec::new();
        for (key, value) in keys.iter().zip(&values) {
            let key = if key.is_none() {
                None
            } else {
                Some(self.expr(key, ExprContext::Load)?)
            };
            if value.is_none() {
                return Err(self.value_error("None disallowed in expression list"));
            }
            items.push(nodes::DictItem {
                key,
                value: self.expr(value, ExprContext::Load)?,
            });
        }
        Ok(Expr::Dict(nodes::ExprDict {
            node_index: NO_INDEX,
            range,
            items,
        }))
    }

    fn comparison(&mut self, node: Node<'_>, range: TextRange) -> Res<Expr> {
        let left = self.expr_field(node, intern!("left"))?;
        let mut ops = Vec::new();
        for op in self.items(node, intern!("ops"))? {
            ops.push(match self.kind_of(&op, Sum::CmpOp)? {
                Kind::Eq => CmpOp::Eq,
                Kind::NotEq => CmpOp::NotEq,
                Kind::Lt => CmpOp::Lt,
                Kind::LtE => CmpOp::LtE,
                Kind::Gt => CmpOp::Gt,
                Kind::GtE => CmpOp::GtE,
                Kind::Is => CmpOp::Is,
                Kind::IsNot => CmpOp::IsNot,
                Kind::In => CmpOp::In,
                _ => CmpOp::NotIn,
            });
        }
        let comparators = self.expr_items(node, intern!("comparators"))?;
        if comparators.is_empty() {
            return Err(self.value_error("Compare with no comparators"));
        }
        if comparators.len() != ops.len() {
            return Err(self.value_error("Compare has a different number of comparators and operands"));
        }
        Ok(Expr::Compare(nodes::ExprCompare {
            node_index: NO_INDEX,
            range,
            left,
            ops: ops.into(),
            comparators: comparators.into(),
        }))
    }

    fn generators(&mut self, node: Node<'_>) -> Res<Vec<nodes::Comprehension>> {
        let items = self.items(node, intern!("generators"))?;
        if items.is_empty() {
            return Err(self.value_error("comprehension with no generators"));
        }
        let mut out = Vec::new();
        for item in &items {
            let item = self.alone(item, Kind::comprehension)?;
            let target = self.required(item, intern!("target"))?;
            let target = self.expr(&target, ExprContext::Store)?;
            let iter = self.required(item, intern!("iter"))?;
            let iter = self.expr(&iter, ExprContext::Load)?;
            let ifs = self.expr_items(item, intern!("ifs"))?;
            out.push(nodes::Comprehension {
                range: nodes::Ranged::range(&target),
                node_index: NO_INDEX,
                target,
                iter,
                ifs,
                is_async: self.number(item, intern!("is_async"))? != 0,
            });
        }
        Ok(out)
    }

    /// Positional arguments, and the field `keywords`.
    pub fn call_arguments(&mut self, node: Node<'_>, args: &[Value], range: TextRange) -> Res<nodes::Arguments> {
        let args = self.exprs(args, ExprContext::Load)?;
        let mut keywords = Vec::new();
        for item in self.items(node, intern!("keywords"))? {
            let item = self.alone(&item, Kind::keyword)?;
            let range = self.region_of(item, "")?;
            let arg = self.optional_identifier(item, intern!("arg"), range)?;
            let value = self.required(item, intern!("value"))?;
            keywords.push(nodes::Keyword {
                range,
                node_index: NO_INDEX,
                arg,
                value: self.expr(&value, ExprContext::Load)?,
            });
        }
        Ok(nodes::Arguments {
            range,
            node_index: NO_INDEX,
            args: args.into(),
            keywords: keywords.into_iter().collect(),
        })
    }

    fn elements(&mut self, values: &[Value], node: Node<'_>) -> Res<Vec<Element>> {
        let mut out = Vec::new();
        for value in values {
            if value.is_none() {
                return Err(self.value_error("None disallowed in expression list"));
            }
            let kind = self.kind_of(value, Sum::Expr)?;
            let part = Node { value, kind };
            match kind {
                Kind::FormattedValue | Kind::Interpolation => {
                    let range = self.region_of(part, "")?;
                    out.push(self.interpolated(part, range)?);
                }
                Kind::JoinedStr => {
                    let inner = self.items(part, intern!("values"))?;
                    let inner = self.elements(&inner, part)?;
                    out.extend(inner);
                }
                _ => match self.expr(value, ExprContext::Load)? {
                    Expr::StringLiteral(literal) => out.push(Element::Text(literal)),
                    // Anything else is formatted.
                    other if node.kind != Kind::TemplateStr => {
                        let range = nodes::Ranged::range(&other);
                        out.push(Element::Value(nodes::InterpolatedElement {
                            range,
                            node_index: NO_INDEX,
                            expression: Box::new(other),
                            debug_text: None,
                            conversion: nodes::ConversionFlag::None,
                            format_spec: None,
                        }));
                    }
                    _ => {
                        let found = kind_name(kind);
                        return Err(self.vm.type_error(format!(
                            "TemplateStr values must be Constant or Interpolation, not {found}"
                        )));
                    }
                },
            }
        }
        Ok(out)
    }

    fn interpolated(&mut self, node: Node<'_>, range: TextRange) -> Res<Element> {
        let range = match node.kind {
            Kind::Interpolation => {
                let text = self.field(node, intern!("str"))?;
                let text = self.vm.str(&text)?.to_string_lossy();
                self.region_of(node, &text)?
            }
            _ => range,
        };
        let conversion = match self.number(node, intern!("conversion"))? {
            -1 => nodes::ConversionFlag::None,
            115 => nodes::ConversionFlag::Str,
            114 => nodes::ConversionFlag::Repr,
            97 => nodes::ConversionFlag::Ascii,
            other => {
                return Err(self
                    .vm
                    .system_error(format!("Unrecognized conversion character {other}")));
            }
        };
        let expression = self.expr_field(node, intern!("value"))?;
        let format_spec = match self.optional(node, intern!("format_spec"))? {
            None => None,
            Some(spec) => {
                let kind = self.kind_of(&spec, Sum::Expr)?;
                let spec_node = Node { value: &spec, kind };
                let range = self.region_of(spec_node, "")?;
                let elements = match kind {
                    Kind::JoinedStr => {
                        let values = self.items(spec_node, intern!("values"))?;
                        self.elements(&values, spec_node)?
                    }
                    _ => self.elements(std::slice::from_ref(&spec), spec_node)?,
                };
                Some(Box::new(nodes::InterpolatedStringFormatSpec {
                    range,
                    node_index: NO_INDEX,
                    elements: spec_elements(elements),
                }))
            }
        };
        Ok(Element::Value(nodes::InterpolatedElement {
            range,
            node_index: NO_INDEX,
            expression,
            debug_text: None,
            conversion,
            format_spec,
        }))
    }

    fn constant_node(&mut self, node: Node<'_>) -> Res<Expr> {
        let value = self.field(node, intern!("value"))?;
        self.constant(node, &value)
    }

    fn constant(&mut self, node: Node<'_>, value: &Value) -> Res<Expr> {
        let node_index = NO_INDEX;
        if let Some(text) = value.downcast_exact::<Str>() {
            return self.string(node, text);
        }
        if let Some(int) = self.vm.int_value(value).filter(|_| !value.is_bool()) {
            let int = int.to_bigint();
            let negative = int.sign() == num_bigint::Sign::Minus;
            let digits = int.magnitude().to_string();
            let range = self.region_of(node, &digits)?;
            let Ok(int) = digits.parse::<nodes::Int>() else {
                return Err(self.value_error("invalid integer value"));
            };
            let number = Expr::NumberLiteral(nodes::ExprNumberLiteral {
                node_index: NO_INDEX,
                range,
                value: Number::Int(int),
            });
            if !negative {
                return Ok(number);
            }
            return Ok(Expr::UnaryOp(nodes::ExprUnaryOp {
                node_index,
                range: self.region_of(node, "")?,
                op: UnaryOp::USub,
                operand: Box::new(number),
            }));
        }
        let number = value
            .as_exact_float()
            .map(Number::Float)
            .or_else(|| complex::view(value).map(|(real, imag)| Number::Complex { real, imag }));
        if let Some(number) = number {
            let text = self.vm.repr(value)?.to_string_lossy();
            let range = self.region_of(node, &text)?;
            return Ok(Expr::NumberLiteral(nodes::ExprNumberLiteral {
                node_index,
                range,
                value: number,
            }));
        }
        let range = self.region_of(node, "")?;
        if value.is_none() {
            return Ok(Expr::NoneLiteral(nodes::ExprNoneLiteral { node_index, range }));
        }
        if value.is_bool() {
            let value = value.is_true();
            return Ok(Expr::BooleanLiteral(nodes::ExprBooleanLiteral {
                node_index,
                range,
                value,
            }));
        }
        if value.is(&Value::ELLIPSIS) {
            return Ok(Expr::EllipsisLiteral(nodes::ExprEllipsisLiteral { node_index, range }));
        }
        if let Some(bytes) = value.downcast_exact::<Bytes>() {
            let flags = nodes::BytesLiteralFlags::empty().with_prefix(ByteStringPrefix::Raw { uppercase_r: false });
            return Ok(Expr::BytesLiteral(nodes::ExprBytesLiteral {
                node_index,
                range,
                value: nodes::BytesLiteralValue::single(nodes::BytesLiteral {
                    range,
                    node_index: NO_INDEX,
                    value: bytes.as_slice().into(),
                    flags,
                }),
            }));
        }
        if let Some(tuple) = value.downcast_exact::<Tuple>() {
            return self.constants(node, tuple.as_slice(), range);
        }
        if let Some(set) = value.downcast_exact::<FrozenSet>() {
            // There is no literal for it: `frozenset((...))`.
            let items = self.constants(node, &set.snapshot(), range)?;
            let func = Expr::Name(nodes::ExprName {
                node_index: NO_INDEX,
                range,
                id: "frozenset".into(),
                ctx: ExprContext::Load,
            });
            return Ok(Expr::Call(nodes::ExprCall {
                node_index,
                range_start: range.start(),
                func: Box::new(func),
                arguments: nodes::Arguments {
                    range,
                    node_index: NO_INDEX,
                    args: vec![items].into(),
                    keywords: Default::default(),
                },
            }));
        }
        Err(self
            .vm
            .type_error(format!("got an invalid type in Constant: {}", value.ty().name())))
    }

    fn constants(&mut self, node: Node<'_>, items: &[Value], range: TextRange) -> Res<Expr> {
        let _guard = self.vm.enter_recursive(" during compilation")?;
        let mut elts = Vec::new();
        for item in items {
            elts.push(self.constant(node, item)?);
        }
        Ok(Expr::Tuple(nodes::ExprTuple {
            node_index: NO_INDEX,
            range,
            elts,
            ctx: ExprContext::Load,
            parenthesized: true,
        }))
    }

    /// A string literal: raw, so that its value is taken as it is; with lone surrogates it is spelt out in escapes.
    fn string(&mut self, node: Node<'_>, text: &Py<Str>) -> Res<Expr> {
        let plain = text.view().to_utf8();
        let (range, value, prefix) = match plain {
            // The prefix and the quotes of a literal have to fit in.
            Some(plain) => (
                self.region_of(node, "r''")?,
                plain.into_owned(),
                StringLiteralPrefix::Raw { uppercase: false },
            ),
            None => {
                let mut spelt = String::from("\"");
                for code in text.view().chars() {
                    spelt.push_str(&format!("\\U{code:08x}"));
                }
                spelt.push('"');
                (
                    self.region_of(node, &spelt)?,
                    text.to_string_lossy(),
                    StringLiteralPrefix::Empty,
                )
            }
        };
        Ok(Expr::StringLiteral(nodes::ExprStringLiteral {
            node_index: NO_INDEX,
            range,
            value: nodes::StringLiteralValue::single(nodes::StringLiteral {
                range,
                node_index: NO_INDEX,
                value: value.into(),
                flags: nodes::StringLiteralFlags::empty().with_prefix(prefix),
            }),
        }))
    }

    /// A pattern; `star` says whether a starred one may stand here.
    pub fn pattern(&mut self, value: &Value, star: bool) -> Res<Pattern> {
        let kind = self.kind_of(value, Sum::Pattern)?;
        let _guard = self.vm.enter_recursive(" while traversing 'pattern' node")?;
        let node = Node { value, kind };
        let range = self.region_of(node, "")?;
        let node_index = NO_INDEX;
        Ok(match kind {
            Kind::MatchValue => {
                let value = self.expr_field(node, intern!("value"))?;
                self.check_pattern_value(&value)?;
                Pattern::MatchValue(nodes::PatternMatchValue {
                    node_index,
                    range,
                    value,
                })
            }
            Kind::MatchSingleton => {
                let value = self.field(node, intern!("value"))?;
                let value = if value.is_none() {
                    nodes::Singleton::None
                } else if value.is_true() {
                    nodes::Singleton::True
                } else if value.is_false() {
                    nodes::Singleton::False
                } else {
                    return Err(self.value_error("MatchSingleton can only contain True, False and None"));
                };
                Pattern::MatchSingleton(nodes::PatternMatchSingleton {
                    node_index,
                    range,
                    value,
                })
            }
            Kind::MatchSequence => Pattern::MatchSequence(nodes::PatternMatchSequence {
                node_index,
                range,
                patterns: self.patterns(node, intern!("patterns"), true)?,
            }),
            Kind::MatchMapping => {
                let keys = self.expr_items(node, intern!("keys"))?;
                let patterns = self.patterns(node, intern!("patterns"), false)?;
                if keys.len() != patterns.len() {
                    return Err(self.value_error("MatchMapping doesn't have the same number of keys as patterns"));
                }
                for key in &keys {
                    // None, True and False may be keys.
                    if !matches!(key, Expr::NoneLiteral(_) | Expr::BooleanLiteral(_)) {
                        self.check_pattern_value(key)?;
                    }
                }
                Pattern::MatchMapping(nodes::PatternMatchMapping {
                    node_index,
                    range,
                    keys: keys.into_iter().collect(),
                    patterns: patterns.into_iter().collect(),
                    rest: self.capture(node, intern!("rest"), range)?,
                })
            }
            Kind::MatchClass => self.class_pattern(node, range)?,
            Kind::MatchStar => {
                if !star {
                    return Err(self.value_error("can't use MatchStar here"));
                }
                Pattern::MatchStar(nodes::PatternMatchStar {
                    node_index,
                    range,
                    name: self.capture(node, intern!("name"), range)?,
                })
            }
            Kind::MatchAs => {
                let name = self.capture(node, intern!("name"), range)?;
                let pattern = match self.optional(node, intern!("pattern"))? {
                    Some(pattern) => Some(Box::new(self.pattern(&pattern, false)?)),
                    None => None,
                };
                if pattern.is_some() && name.is_none() {
                    return Err(self.value_error("MatchAs must specify a target name if a pattern is given"));
                }
                Pattern::MatchAs(nodes::PatternMatchAs {
                    node_index,
                    range,
                    pattern,
                    name,
                })
            }
            _ => {
                let patterns = self.patterns(node, intern!("patterns"), false)?;
                if patterns.len() < 2 {
                    return Err(self.value_error("MatchOr requires at least 2 patterns"));
                }
                Pattern::MatchOr(nodes::PatternMatchOr {
                    node_index,
                    range,
                    patterns,
                })
            }
        })
    }

    fn class_pattern(&mut self, node: Node<'_>, range: TextRange) -> Res<Pattern> {
        let names = self.items(node, intern!("kwd_attrs"))?;
        let keyword_patterns = self.patterns(node, intern!("kwd_patterns"), false)?;
        if names.len() != keyword_patterns.len() {
            let message = "MatchClass doesn't have the same number of keyword attributes as patterns";
            return Err(self.value_error(message));
        }
        let cls = self.expr_field(node, intern!("cls"))?;
        let mut part = &*cls;
        while let Expr::Attribute(attribute) = part {
            part = &attribute.value;
        }
        if !matches!(part, Expr::Name(_)) {
            return Err(self.value_error("MatchClass cls field can only contain Name or Attribute nodes."));
        }
        let patterns = self.patterns(node, intern!("patterns"), false)?;
        let mut keywords = Vec::new();
        for (name, pattern) in names.iter().zip(keyword_patterns) {
            keywords.push(nodes::PatternKeyword {
                range: nodes::Ranged::range(&pattern),
                node_index: NO_INDEX,
                attr: Identifier::new(self.name_text(name)?, range),
                pattern,
            });
        }
        Ok(Pattern::MatchClass(nodes::PatternMatchClass {
            node_index: NO_INDEX,
            range,
            cls,
            arguments: nodes::PatternArguments {
                range,
                node_index: NO_INDEX,
                patterns: patterns.into_iter().collect(),
                keywords,
            },
        }))
    }

    /// Checks what a pattern compares with.
    fn check_pattern_value(&self, value: &Expr) -> Res<()> {
        let negative = |e: &Expr| matches!(e, Expr::UnaryOp(u) if u.op == UnaryOp::USub && matches!(*u.operand, Expr::NumberLiteral(_)));
        match value {
            Expr::Attribute(_)
            | Expr::FString(_)
            | Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::NumberLiteral(_) => Ok(()),
            e if negative(e) => Ok(()),
            Expr::BinOp(e)
                if matches!(e.op, Operator::Add | Operator::Sub)
                    && (negative(&e.left) || matches!(*e.left, Expr::NumberLiteral(_)))
                    && matches!(&*e.right, Expr::NumberLiteral(n) if matches!(n.value, Number::Complex { .. })) =>
            {
                Ok(())
            }
            Expr::NoneLiteral(_) | Expr::BooleanLiteral(_) | Expr::EllipsisLiteral(_) | Expr::Tuple(_) => {
                Err(self.value_error("unexpected constant inside of a literal pattern"))
            }
            _ => Err(self.value_error("patterns may only match literals and attribute lookups")),
        }
    }

    /// A name to be bound; "_" is none.
    fn capture(&mut self, node: Node<'_>, name: &Py<Str>, range: TextRange) -> Res<Option<Identifier>> {
        let found = self.optional_identifier(node, name, range)?;
        if found.as_ref().is_some_and(|name| name.as_str() == "_") {
            return Err(self.value_error("can't capture name '_' in patterns"));
        }
        Ok(found)
    }

    fn patterns(&mut self, node: Node<'_>, name: &Py<Str>, star: bool) -> Res<Vec<Pattern>> {
        let mut out = Vec::new();
        for item in self.items(node, name)? {
            out.push(self.pattern(&item, star)?);
        }
        Ok(out)
    }
}

/// A piece of an f-string or t-string.
pub enum Element {
    Text(nodes::ExprStringLiteral),
    Value(nodes::InterpolatedElement),
}

fn spec_elements(elements: Vec<Element>) -> nodes::InterpolatedStringElements {
    elements.into_iter().map(as_element).collect::<Vec<_>>().into()
}

fn as_element(element: Element) -> nodes::InterpolatedStringElement {
    match element {
        Element::Value(value) => nodes::InterpolatedStringElement::Interpolation(value),
        Element::Text(literal) => nodes::InterpolatedStringElement::Literal(nodes::InterpolatedStringLiteralElement {
            range: literal.range,
            node_index: NO_INDEX,
            value: literal.value.to_str().into(),
        }),
    }
}

/// An f-string, of parts of which each is text alone or one value; or a t-string.
fn string_of(range: TextRange, elements: Vec<Element>, template: bool) -> Expr {
    if template {
        let flags = nodes::TStringFlags::empty().with_prefix(TStringPrefix::Raw { uppercase_r: false });
        return Expr::TString(nodes::ExprTString {
            node_index: NO_INDEX,
            range,
            value: nodes::TStringValue::single(nodes::TString {
                range,
                node_index: NO_INDEX,
                elements: spec_elements(elements),
                flags,
            }),
        });
    }
    let flags = nodes::FStringFlags::empty().with_prefix(FStringPrefix::Raw { uppercase_r: false });
    let fstring = |elements: Vec<nodes::InterpolatedStringElement>| nodes::FString {
        range,
        node_index: NO_INDEX,
        elements: elements.into(),
        flags,
    };
    let mut parts = Vec::new();
    for element in elements {
        match element {
            Element::Text(literal) => {
                let parts_of = literal.value.iter().cloned();
                parts.extend(parts_of.map(nodes::FStringPart::Literal));
            }
            value @ Element::Value(_) => parts.push(nodes::FStringPart::FString(fstring(vec![as_element(value)]))),
        }
    }
    let value = if parts.len() < 2 {
        match parts.pop() {
            Some(nodes::FStringPart::FString(only)) => nodes::FStringValue::single(only),
            Some(literal) => {
                nodes::FStringValue::concatenated(vec![literal, nodes::FStringPart::FString(fstring(Vec::new()))])
            }
            None => nodes::FStringValue::single(fstring(Vec::new())),
        }
    } else {
        nodes::FStringValue::concatenated(parts)
    };
    Expr::FString(nodes::ExprFString {
        node_index: NO_INDEX,
        range,
        value,
    })
}
