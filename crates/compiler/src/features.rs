//! Syntax that is newer than the version a source is said to be of (`ast.parse(feature_version=...)`).
//!
//! Left out: what CPython takes in any version, as parenthesized context managers and f-strings.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{self as ast, Comprehension, Expr, Mod, Operator, Parameters, Stmt, TypeParam, TypeParams};
use ruff_text_size::{Ranged, TextRange};

use crate::errors::{Res, fault};

/// Refuses what Python 3.`minor` does not have.
pub(crate) fn check(program: &Mod, source: &str, minor: u8) -> Res {
    let mut walk = Walk {
        source,
        minor,
        found: None,
    };
    match program {
        Mod::Module(module) => walk.visit_body(&module.body),
        Mod::Expression(e) => walk.visit_expr(&e.body),
    }
    match walk.found {
        Some((range, what, since)) => fault(range, format!("{what} only supported in Python 3.{since} and greater")),
        None => Ok(()),
    }
}

struct Walk<'s> {
    source: &'s str,
    minor: u8,
    /// The first that was found, what it is, and since when.
    found: Option<(TextRange, &'static str, u8)>,
}

impl Walk<'_> {
    fn need(&mut self, since: u8, range: TextRange, what: &'static str) {
        if self.minor < since && self.found.is_none() {
            self.found = Some((range, what, since));
        }
    }

    fn parameters(&mut self, parameters: &Parameters) {
        if let Some(first) = parameters.posonlyargs.first() {
            self.need(8, first.range(), "Positional-only parameters are");
        }
    }

    fn type_params(&mut self, params: Option<&TypeParams>) {
        let Some(params) = params else { return };
        self.need(12, params.range, "Type parameter lists are");
        for param in &params.type_params {
            let default = match param {
                TypeParam::TypeVar(p) => &p.default,
                TypeParam::ParamSpec(p) => &p.default,
                TypeParam::TypeVarTuple(p) => &p.default,
            };
            if let Some(default) = default {
                self.need(13, default.range(), "Type parameter defaults are");
            }
        }
    }
}

impl<'a> Visitor<'a> for Walk<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let range = stmt.range();
        match stmt {
            Stmt::FunctionDef(s) => {
                if s.is_async {
                    self.need(5, range, "Async functions are");
                }
                self.type_params(s.type_params.as_deref());
                self.parameters(&s.parameters);
            }
            Stmt::ClassDef(s) => self.type_params(s.type_params.as_deref()),
            Stmt::TypeAlias(s) => {
                self.need(12, range, "Type statement is");
                self.type_params(s.type_params.as_deref());
            }
            Stmt::AnnAssign(_) => self.need(6, range, "Variable annotation syntax is"),
            Stmt::For(s) if s.is_async => self.need(5, range, "Async for loops are"),
            Stmt::With(s) if s.is_async => self.need(5, range, "Async with statements are"),
            Stmt::Match(_) => self.need(10, range, "Pattern matching is"),
            Stmt::Try(s) if s.is_star => self.need(11, range, "Exception groups are"),
            Stmt::AugAssign(s) if s.op == Operator::MatMult => self.need(5, range, "The '@' operator is"),
            _ => {}
        }
        visitor::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        let range = expr.range();
        match expr {
            Expr::Named(_) => self.need(8, range, "Assignment expressions are"),
            Expr::Await(_) => self.need(5, range, "Await expressions are"),
            Expr::NumberLiteral(_) if self.source[range].contains('_') => {
                self.need(6, range, "Underscores in numeric literals are");
            }
            Expr::TString(_) => self.need(14, range, "t-strings are"),
            Expr::Lambda(ast::ExprLambda {
                parameters: Some(parameters),
                ..
            }) => self.parameters(parameters),
            Expr::BinOp(e) if e.op == Operator::MatMult => self.need(5, range, "The '@' operator is"),
            _ => {}
        }
        visitor::walk_expr(self, expr);
    }

    fn visit_comprehension(&mut self, comprehension: &'a Comprehension) {
        if comprehension.is_async {
            self.need(6, comprehension.range(), "Async comprehensions are");
        }
        visitor::walk_comprehension(self, comprehension);
    }
}
