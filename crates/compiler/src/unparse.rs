//! Expressions back to text, as CPython prints string annotations (`from __future__ import annotations`).

use ruff_python_ast::{
    self as ast, BoolOp, Comprehension, Expr, FStringPart, InterpolatedStringElement, Number, Operator, Parameters,
    UnaryOp,
};

/// Binding strength, weakest first.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Level {
    Tuple,
    Named,
    Test,
    Or,
    And,
    Not,
    Compare,
    BitOr,
    BitXor,
    BitAnd,
    Shift,
    Arith,
    Term,
    Factor,
    Power,
    Await,
    Atom,
}

impl Level {
    fn next(self) -> Level {
        use Level::*;
        match self {
            Tuple => Named,
            Named => Test,
            Test => Or,
            Or => And,
            And => Not,
            Not => Compare,
            Compare => BitOr,
            BitOr => BitXor,
            BitXor => BitAnd,
            BitAnd => Shift,
            Shift => Arith,
            Arith => Term,
            Term => Factor,
            Factor => Power,
            Power => Await,
            Await | Atom => Atom,
        }
    }
}

/// The text of `e`.
pub(crate) fn unparse(e: &Expr, source: &str) -> String {
    unparse_at(e, source, Level::Test)
}

fn unparse_at(e: &Expr, source: &str, level: Level) -> String {
    let mut printer = Printer {
        out: String::new(),
        source,
    };
    printer.expr(e, level);
    printer.out
}

struct Printer<'s> {
    out: String,
    source: &'s str,
}

impl Printer<'_> {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn parens(&mut self, when: bool, body: impl FnOnce(&mut Self)) {
        if when {
            self.put("(");
        }
        body(self);
        if when {
            self.put(")");
        }
    }

    fn list(&mut self, elts: &[Expr]) {
        for (i, e) in elts.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            self.expr(e, Level::Test);
        }
    }

    fn expr(&mut self, e: &Expr, level: Level) {
        match e {
            Expr::BoolOp(b) => {
                let (own, word) = match b.op {
                    BoolOp::And => (Level::And, " and "),
                    BoolOp::Or => (Level::Or, " or "),
                };
                self.parens(level > own, |p| {
                    for (i, value) in b.values.iter().enumerate() {
                        if i > 0 {
                            p.put(word);
                        }
                        p.expr(value, own.next());
                    }
                });
            }
            Expr::Named(n) => {
                self.put("(");
                self.expr(&n.target, Level::Atom);
                self.put(" := ");
                self.expr(&n.value, Level::Test);
                self.put(")");
            }
            Expr::BinOp(b) => {
                let own = operator_level(b.op);
                let (left, right) = match b.op {
                    Operator::Pow => (own.next(), Level::Factor),
                    _ => (own, own.next()),
                };
                self.parens(level > own, |p| {
                    p.expr(&b.left, left);
                    p.put(" ");
                    p.put(b.op.as_str());
                    p.put(" ");
                    p.expr(&b.right, right);
                });
            }
            Expr::UnaryOp(u) => {
                let own = if u.op == UnaryOp::Not {
                    Level::Not
                } else {
                    Level::Factor
                };
                self.parens(level > own, |p| {
                    p.put(match u.op {
                        UnaryOp::Not => "not ",
                        UnaryOp::Invert => "~",
                        UnaryOp::UAdd => "+",
                        UnaryOp::USub => "-",
                    });
                    p.expr(&u.operand, own);
                });
            }
            Expr::Lambda(l) => self.parens(level > Level::Test, |p| {
                p.put("lambda");
                if let Some(params) = &l.parameters
                    && !params.is_empty()
                {
                    p.put(" ");
                    p.parameters(params);
                }
                p.put(": ");
                p.expr(&l.body, Level::Test);
            }),
            Expr::If(i) => self.parens(level > Level::Test, |p| {
                p.expr(&i.body, Level::Or);
                p.put(" if ");
                p.expr(&i.test, Level::Or);
                p.put(" else ");
                p.expr(&i.orelse, Level::Test);
            }),
            Expr::Dict(d) => {
                self.put("{");
                for (i, item) in d.items.iter().enumerate() {
                    if i > 0 {
                        self.put(", ");
                    }
                    match &item.key {
                        Some(key) => {
                            self.expr(key, Level::Test);
                            self.put(": ");
                            self.expr(&item.value, Level::Test);
                        }
                        None => {
                            self.put("**");
                            self.expr(&item.value, Level::BitOr);
                        }
                    }
                }
                self.put("}");
            }
            Expr::Set(s) => {
                self.put("{");
                self.list(&s.elts);
                self.put("}");
            }
            Expr::List(l) => {
                self.put("[");
                self.list(&l.elts);
                self.put("]");
            }
            Expr::Tuple(t) => self.tuple(t, level),
            Expr::ListComp(c) => self.comprehension("[", None, &c.elt, &c.generators, "]"),
            Expr::SetComp(c) => self.comprehension("{", None, &c.elt, &c.generators, "}"),
            Expr::DictComp(c) => self.comprehension("{", c.key.as_deref(), &c.value, &c.generators, "}"),
            Expr::Generator(c) => self.comprehension("(", None, &c.elt, &c.generators, ")"),
            Expr::Await(a) => self.parens(level > Level::Await, |p| {
                p.put("await ");
                p.expr(&a.value, Level::Atom);
            }),
            Expr::Yield(y) => {
                self.put("(yield");
                if let Some(value) = &y.value {
                    self.put(" ");
                    self.expr(value, Level::Test);
                }
                self.put(")");
            }
            Expr::YieldFrom(y) => {
                self.put("(yield from ");
                self.expr(&y.value, Level::Test);
                self.put(")");
            }
            Expr::Compare(c) => self.parens(level > Level::Compare, |p| {
                p.expr(&c.left, Level::Compare.next());
                for (op, right) in c.ops.iter().zip(&c.comparators) {
                    p.put(" ");
                    p.put(op.as_str());
                    p.put(" ");
                    p.expr(right, Level::Compare.next());
                }
            }),
            Expr::Call(c) => self.call(c),
            Expr::FString(f) => self.fstring(f),
            Expr::TString(t) => {
                let source = self.source;
                self.put(&source[t.range]);
            }
            Expr::StringLiteral(s) => {
                if s.value.is_unicode() {
                    self.put("u");
                }
                let text = repr(s.value.to_str());
                self.put(&text);
            }
            Expr::BytesLiteral(b) => {
                let bytes: Vec<u8> = b
                    .value
                    .iter()
                    .flat_map(|part| part.as_slice().iter().copied())
                    .collect();
                let text = bytes_repr(&bytes);
                self.put(&text);
            }
            Expr::NumberLiteral(n) => self.number(n),
            Expr::BooleanLiteral(b) => self.put(if b.value { "True" } else { "False" }),
            Expr::NoneLiteral(_) => self.put("None"),
            Expr::EllipsisLiteral(_) => self.put("..."),
            Expr::Attribute(a) => {
                self.expr(&a.value, Level::Atom);
                // `1 .real`: the dot must not become part of the number.
                if let Expr::NumberLiteral(n) = &*a.value
                    && matches!(n.value, Number::Int(_))
                {
                    self.put(" ");
                }
                self.put(".");
                self.put(a.attr.as_str());
            }
            Expr::Subscript(s) => {
                self.expr(&s.value, Level::Atom);
                self.put("[");
                self.expr(&s.slice, Level::Tuple);
                self.put("]");
            }
            Expr::Starred(s) => {
                self.put("*");
                self.expr(&s.value, Level::BitOr);
            }
            Expr::Name(n) => self.put(&n.id),
            Expr::Slice(s) => {
                for (i, bound) in [&s.lower, &s.upper].into_iter().enumerate() {
                    if i > 0 {
                        self.put(":");
                    }
                    if let Some(bound) = bound {
                        self.expr(bound, Level::Test);
                    }
                }
                if let Some(step) = &s.step {
                    self.put(":");
                    self.expr(step, Level::Test);
                }
            }
            Expr::IpyEscapeCommand(_) => {}
        }
    }

    fn tuple(&mut self, t: &ast::ExprTuple, level: Level) {
        self.parens(level > Level::Tuple || t.elts.is_empty(), |p| {
            p.list(&t.elts);
            if t.elts.len() == 1 {
                p.put(",");
            }
        });
    }

    fn comprehension(&mut self, open: &str, key: Option<&Expr>, elt: &Expr, generators: &[Comprehension], close: &str) {
        self.put(open);
        if let Some(key) = key {
            self.expr(key, Level::Test);
            self.put(": ");
        }
        self.expr(elt, Level::Test);
        for generator in generators {
            self.put(if generator.is_async { " async for " } else { " for " });
            self.expr(&generator.target, Level::Tuple);
            self.put(" in ");
            self.expr(&generator.iter, Level::Or);
            for condition in &generator.ifs {
                self.put(" if ");
                self.expr(condition, Level::Or);
            }
        }
        self.put(close);
    }

    fn call(&mut self, c: &ast::ExprCall) {
        self.expr(&c.func, Level::Atom);
        if let ([Expr::Generator(_)], []) = (&*c.arguments.args, &*c.arguments.keywords) {
            self.expr(&c.arguments.args[0], Level::Atom);
            return;
        }
        self.put("(");
        self.list(&c.arguments.args);
        for (i, keyword) in c.arguments.keywords.iter().enumerate() {
            if i > 0 || !c.arguments.args.is_empty() {
                self.put(", ");
            }
            match &keyword.arg {
                Some(name) => {
                    self.put(name.as_str());
                    self.put("=");
                }
                None => self.put("**"),
            }
            self.expr(&keyword.value, Level::Test);
        }
        self.put(")");
    }

    fn parameters(&mut self, params: &Parameters) {
        let mut first = true;
        let mut separate = |p: &mut Self| {
            if !std::mem::take(&mut first) {
                p.put(", ");
            }
        };
        for (i, param) in params.posonlyargs.iter().chain(&params.args).enumerate() {
            if i == params.posonlyargs.len() && i > 0 {
                separate(self);
                self.put("/");
            }
            separate(self);
            self.parameter(param);
        }
        if !params.posonlyargs.is_empty() && params.args.is_empty() {
            separate(self);
            self.put("/");
        }
        if let Some(star) = &params.vararg {
            separate(self);
            self.put("*");
            self.put(star.name.as_str());
        } else if !params.kwonlyargs.is_empty() {
            separate(self);
            self.put("*");
        }
        for param in &params.kwonlyargs {
            separate(self);
            self.parameter(param);
        }
        if let Some(star) = &params.kwarg {
            separate(self);
            self.put("**");
            self.put(star.name.as_str());
        }
    }

    fn parameter(&mut self, param: &ast::ParameterWithDefault) {
        self.put(param.parameter.name.as_str());
        if let Some(default) = &param.default {
            self.put("=");
            self.expr(default, Level::Test);
        }
    }

    fn number(&mut self, n: &ast::ExprNumberLiteral) {
        match &n.value {
            Number::Int(i) => match i.as_u64() {
                Some(i) => self.put(&i.to_string()),
                None => {
                    let source = self.source;
                    self.put(&source[n.range]);
                }
            },
            Number::Float(f) => {
                let text = float_repr(*f);
                self.put(&text);
            }
            Number::Complex { imag, .. } => {
                let text = float_repr(*imag);
                self.put(text.strip_suffix(".0").unwrap_or(&text));
                self.put("j");
            }
        }
    }

    fn fstring(&mut self, f: &ast::ExprFString) {
        let mut body = String::new();
        for part in &f.value {
            match part {
                FStringPart::Literal(literal) => body.push_str(&literal.value.replace('{', "{{").replace('}', "}}")),
                FStringPart::FString(f) => self.elements(&f.elements, &mut body),
            }
        }
        let text = repr(&body);
        self.put("f");
        self.put(&text);
    }

    fn elements(&self, elements: &[InterpolatedStringElement], body: &mut String) {
        for element in elements {
            match element {
                InterpolatedStringElement::Literal(literal) => {
                    body.push_str(&literal.value.replace('{', "{{").replace('}', "}}"));
                }
                InterpolatedStringElement::Interpolation(value) => {
                    if let Some(debug) = &value.debug_text {
                        body.push_str(debug.as_str());
                    }
                    let text = unparse_at(&value.expression, self.source, Level::Or);
                    body.push('{');
                    if text.starts_with('{') {
                        body.push(' ');
                    }
                    body.push_str(&text);
                    if let Some(conversion) = value.conversion.to_char() {
                        body.push('!');
                        body.push(conversion);
                    } else if value.debug_text.is_some() && value.format_spec.is_none() {
                        body.push_str("!r");
                    }
                    if let Some(spec) = &value.format_spec {
                        body.push(':');
                        self.elements(&spec.elements, body);
                    }
                    body.push('}');
                }
            }
        }
    }
}

fn operator_level(op: Operator) -> Level {
    match op {
        Operator::Add | Operator::Sub => Level::Arith,
        Operator::Mult | Operator::MatMult | Operator::Div | Operator::Mod | Operator::FloorDiv => Level::Term,
        Operator::Pow => Level::Power,
        Operator::LShift | Operator::RShift => Level::Shift,
        Operator::BitOr => Level::BitOr,
        Operator::BitXor => Level::BitXor,
        Operator::BitAnd => Level::BitAnd,
    }
}

/// `repr` of a str.
pub(crate) fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if (c as u32) < 0x20 || c as u32 == 0x7f => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

fn bytes_repr(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        b'"'
    } else {
        b'\''
    };
    let mut out = format!("b{}", quote as char);
    for &b in bytes {
        match b {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'\\' => out.push_str("\\\\"),
            b if b == quote => {
                out.push('\\');
                out.push(b as char);
            }
            0x20..0x7f => out.push(b as char),
            b => out.push_str(&format!("\\x{b:02x}")),
        }
    }
    out.push(quote as char);
    out
}

/// `repr` of a float; infinity as a literal that overflows.
fn float_repr(f: f64) -> String {
    if f.is_infinite() {
        return "1e309".into();
    }
    let short = format!("{f:?}");
    let exponent = format!("{f:e}");
    let power: i32 = exponent.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    if f != 0.0 && !(-4..16).contains(&power) {
        let (mantissa, _) = exponent.split_once('e').unwrap_or((&exponent, ""));
        let sign = if power < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", power.abs());
    }
    if short.contains('e') {
        // Rust switches to exponents later than Python: write the digits out.
        return format!("{f:.1}");
    }
    short
}
