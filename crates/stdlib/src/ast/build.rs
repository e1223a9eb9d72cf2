//! From the parser's tree to nodes.
//!
//! Invariant: positions are CPython's: lines from 1, columns in bytes of UTF-8 from 0, without parentheses around expressions.

use lisle_bytecode::Location;
use lisle_compiler::nodes::{self, Mod, Ranged, Stmt, Suite, TextRange, TextSize};
use lisle_compiler::{Mode, Tree};
use lisle_runtime::native::{Res, Str, Value, Vm};
use lisle_runtime::types::list::List;
use lisle_runtime::vm::attributes::generic_setattr;

use super::classes::{Ast, Classes};
use super::schema::Kind;
use lisle_runtime::intern;
use lisle_runtime::native::Py;

/// What nodes are made with.
pub struct Builder<'t> {
    pub vm: &'t Vm,
    pub classes: &'static Classes,
    pub tree: &'t Tree<'t>,
    pub literals: lisle_compiler::Literals<'t>,
}

/// The root node of a parsed source.
pub fn root(b: &mut Builder<'_>, mode: Mode) -> Res<Value> {
    match b.tree.program() {
        Mod::Module(module) => {
            let body = b.stmts(&module.body)?;
            if mode == Mode::Single {
                return b.plain(Kind::Interactive, vec![body]);
            }
            let mut ignores = Vec::new();
            for (line, tag) in b.tree.type_ignores() {
                let values = vec![Value::int(i64::from(*line)), Value::from(*tag)];
                ignores.push(b.plain(Kind::TypeIgnore, values)?);
            }
            b.plain(Kind::Module, vec![body, list(ignores)])
        }
        Mod::Expression(expression) => {
            let body = b.expr(&expression.body)?;
            b.plain(Kind::Expression, vec![body])
        }
    }
}

pub fn list(items: Vec<Value>) -> Value {
    List::new(items).into_value()
}

impl<'t> Builder<'t> {
    /// A node without position.
    pub fn plain(&mut self, kind: Kind, values: Vec<Value>) -> Res<Value> {
        let class = self.classes.kind(kind);
        debug_assert_eq!(class.fields.len(), values.len(), "one value a field");
        let node = Py::with_class(&class.class, Ast {}).into_value();
        for (name, value) in class.fields.iter().zip(&values) {
            generic_setattr(self.vm, &node, name, Some(value))?;
        }
        Ok(node)
    }

    /// A node with position.
    pub fn at(&mut self, kind: Kind, range: TextRange, values: Vec<Value>) -> Res<Value> {
        let location = self.tree.location(range);
        self.located(kind, location, values)
    }

    pub fn located(&mut self, kind: Kind, location: Location, values: Vec<Value>) -> Res<Value> {
        let node = self.plain(kind, values)?;
        for (name, number) in [
            (intern!("lineno"), location.line),
            (intern!("col_offset"), location.col),
            (intern!("end_lineno"), location.end_line),
            (intern!("end_col_offset"), location.end_col),
        ] {
            generic_setattr(self.vm, &node, name, Some(&Value::int(number.into())))?;
        }
        Ok(node)
    }

    pub fn exprs<'e>(&mut self, exprs: impl IntoIterator<Item = &'e nodes::Expr>) -> Res<Value> {
        let mut items = Vec::new();
        for e in exprs {
            items.push(self.expr(e)?);
        }
        Ok(list(items))
    }

    pub fn optional(&mut self, e: &Option<Box<nodes::Expr>>) -> Res<Value> {
        match e {
            Some(e) => self.expr(e),
            None => Ok(Value::NONE),
        }
    }

    pub fn name(text: &str) -> Value {
        Str::intern(text).into_value()
    }

    pub fn optional_name(name: &Option<nodes::Identifier>) -> Value {
        name.as_ref().map_or(Value::NONE, |name| Builder::name(name.as_str()))
    }

    /// The annotation in a comment, if there is one.
    fn type_comment(&self, start: TextSize) -> Value {
        self.tree.type_comment(start).map_or(Value::NONE, Value::from)
    }

    fn names(names: &[nodes::Identifier]) -> Value {
        list(names.iter().map(|name| Builder::name(name.as_str())).collect())
    }

    pub fn stmts(&mut self, body: &Suite) -> Res<Value> {
        let mut items = Vec::new();
        for s in body {
            items.push(self.stmt(s)?);
        }
        Ok(list(items))
    }

    /// The range of a definition without its decorators.
    fn definition(&self, decorators: &[nodes::Decorator], range: TextRange) -> TextRange {
        let Some(last) = decorators.last() else { return range };
        let source = self.tree.source().as_bytes();
        let mut at = last.range.end().to_usize();
        while at < range.end().to_usize() {
            match source.get(at) {
                Some(b'#') => {
                    while source.get(at).is_some_and(|&c| c != b'\n') {
                        at += 1;
                    }
                }
                Some(b' ' | b'\t' | b'\n' | b'\x0c' | b'\\') => at += 1,
                _ => break,
            }
        }
        TextRange::new(TextSize::new(at as u32).min(range.end()), range.end())
    }

    fn stmt(&mut self, s: &Stmt) -> Res<Value> {
        let range = s.range();
        match s {
            Stmt::FunctionDef(s) => {
                let args = self.arguments(&s.parameters)?;
                let body = self.stmts(&s.body)?;
                let decorators = self.exprs(s.decorator_list.iter().map(|d| &d.expression))?;
                let returns = self.optional(&s.returns)?;
                let params = self.type_params(&s.type_params)?;
                let kind = if s.is_async {
                    Kind::AsyncFunctionDef
                } else {
                    Kind::FunctionDef
                };
                let comment = self.type_comment(range.start());
                let range = self.definition(&s.decorator_list, range);
                let name = Builder::name(s.name.as_str());
                self.at(
                    kind,
                    range,
                    vec![name, args, body, decorators, returns, comment, params],
                )
            }
            Stmt::ClassDef(s) => {
                let (bases, keywords) = match &s.arguments {
                    Some(arguments) => (self.exprs(&arguments.args)?, self.keywords(&arguments.keywords)?),
                    None => (list(Vec::new()), list(Vec::new())),
                };
                let body = self.stmts(&s.body)?;
                let decorators = self.exprs(s.decorator_list.iter().map(|d| &d.expression))?;
                let params = self.type_params(&s.type_params)?;
                let range = self.definition(&s.decorator_list, range);
                let name = Builder::name(s.name.as_str());
                self.at(
                    Kind::ClassDef,
                    range,
                    vec![name, bases, keywords, body, decorators, params],
                )
            }
            Stmt::Return(s) => {
                let value = self.optional(&s.value)?;
                self.at(Kind::Return, range, vec![value])
            }
            Stmt::Delete(s) => {
                let targets = self.exprs(&s.targets)?;
                self.at(Kind::Delete, range, vec![targets])
            }
            Stmt::TypeAlias(s) => {
                let name = self.expr(&s.name)?;
                let params = self.type_params(&s.type_params)?;
                let value = self.expr(&s.value)?;
                self.at(Kind::TypeAlias, range, vec![name, params, value])
            }
            Stmt::Assign(s) => {
                let targets = self.exprs(&s.targets)?;
                let value = self.expr(&s.value)?;
                let comment = self.type_comment(range.start());
                self.at(Kind::Assign, range, vec![targets, value, comment])
            }
            Stmt::AugAssign(s) => {
                let target = self.expr(&s.target)?;
                let op = self.operator(s.op);
                let value = self.expr(&s.value)?;
                self.at(Kind::AugAssign, range, vec![target, op, value])
            }
            Stmt::AnnAssign(s) => {
                let target = self.expr(&s.target)?;
                let annotation = self.expr(&s.annotation)?;
                let value = self.optional(&s.value)?;
                let simple = Value::int(s.simple.into());
                self.at(Kind::AnnAssign, range, vec![target, annotation, value, simple])
            }
            Stmt::For(s) => {
                let target = self.expr(&s.target)?;
                let iter = self.expr(&s.iter)?;
                let body = self.stmts(&s.body)?;
                let orelse = self.stmts(&s.orelse)?;
                let kind = if s.is_async { Kind::AsyncFor } else { Kind::For };
                let comment = self.type_comment(range.start());
                self.at(kind, range, vec![target, iter, body, orelse, comment])
            }
            Stmt::While(s) => {
                let test = self.expr(&s.test)?;
                let body = self.stmts(&s.body)?;
                let orelse = self.stmts(&s.orelse)?;
                self.at(Kind::While, range, vec![test, body, orelse])
            }
            Stmt::If(s) => self.if_chain(s),
            Stmt::With(s) => {
                let mut items = Vec::new();
                for item in &s.items {
                    let context = self.expr(&item.context_expr)?;
                    let vars = self.optional(&item.optional_vars)?;
                    items.push(self.plain(Kind::withitem, vec![context, vars])?);
                }
                let body = self.stmts(&s.body)?;
                let kind = if s.is_async { Kind::AsyncWith } else { Kind::With };
                let comment = self.type_comment(range.start());
                self.at(kind, range, vec![list(items), body, comment])
            }
            Stmt::Match(s) => {
                let subject = self.expr(&s.subject)?;
                let mut cases = Vec::new();
                for case in &s.cases {
                    let pattern = self.pattern(&case.pattern)?;
                    let guard = self.optional(&case.guard)?;
                    let body = self.stmts(&case.body)?;
                    cases.push(self.plain(Kind::match_case, vec![pattern, guard, body])?);
                }
                self.at(Kind::Match, range, vec![subject, list(cases)])
            }
            Stmt::Raise(s) => {
                let exc = self.optional(&s.exc)?;
                let cause = self.optional(&s.cause)?;
                self.at(Kind::Raise, range, vec![exc, cause])
            }
            Stmt::Try(s) => {
                let body = self.stmts(&s.body)?;
                let mut handlers = Vec::new();
                for handler in &s.handlers {
                    let nodes::ExceptHandler::ExceptHandler(h) = handler;
                    let ty = self.optional(&h.type_)?;
                    let name = Builder::optional_name(&h.name);
                    let body = self.stmts(&h.body)?;
                    handlers.push(self.at(Kind::ExceptHandler, h.range, vec![ty, name, body])?);
                }
                let orelse = self.stmts(&s.orelse)?;
                let finalbody = self.stmts(&s.finalbody)?;
                let kind = if s.is_star { Kind::TryStar } else { Kind::Try };
                self.at(kind, range, vec![body, list(handlers), orelse, finalbody])
            }
            Stmt::Assert(s) => {
                let test = self.expr(&s.test)?;
                let msg = self.optional(&s.msg)?;
                self.at(Kind::Assert, range, vec![test, msg])
            }
            Stmt::Import(s) => {
                let names = self.aliases(&s.names)?;
                self.at(Kind::Import, range, vec![names])
            }
            Stmt::ImportFrom(s) => {
                let module = Builder::optional_name(&s.module);
                let names = self.aliases(&s.names)?;
                self.at(Kind::ImportFrom, range, vec![module, names, Value::int(s.level.into())])
            }
            Stmt::Global(s) => self.at(Kind::Global, range, vec![Builder::names(&s.names)]),
            Stmt::Nonlocal(s) => self.at(Kind::Nonlocal, range, vec![Builder::names(&s.names)]),
            Stmt::Expr(s) => {
                let value = self.expr(&s.value)?;
                self.at(Kind::Expr, range, vec![value])
            }
            Stmt::Pass(_) | Stmt::IpyEscapeCommand(_) => self.at(Kind::Pass, range, vec![]),
            Stmt::Break(_) => self.at(Kind::Break, range, vec![]),
            Stmt::Continue(_) => self.at(Kind::Continue, range, vec![]),
        }
    }

    /// An `if` and its `elif`s, each within the one before.
    fn if_chain(&mut self, s: &nodes::StmtIf) -> Res<Value> {
        let mut orelse = list(Vec::new());
        for clause in s.elif_else_clauses.iter().rev() {
            let body = self.stmts(&clause.body)?;
            orelse = match &clause.test {
                None => body,
                Some(test) => {
                    let test = self.expr(test)?;
                    let range = TextRange::new(clause.range.start(), s.range.end());
                    let nested = self.at(Kind::If, range, vec![test, body, orelse])?;
                    list(vec![nested])
                }
            };
        }
        let test = self.expr(&s.test)?;
        let body = self.stmts(&s.body)?;
        self.at(Kind::If, s.range, vec![test, body, orelse])
    }

    fn aliases(&mut self, names: &[nodes::Alias]) -> Res<Value> {
        let mut items = Vec::new();
        for alias in names {
            let name = Builder::name(alias.name.as_str());
            let asname = Builder::optional_name(&alias.asname);
            items.push(self.at(Kind::alias, alias.range, vec![name, asname])?);
        }
        Ok(list(items))
    }

    pub fn keywords<'k>(&mut self, keywords: impl IntoIterator<Item = &'k nodes::Keyword>) -> Res<Value> {
        let mut items = Vec::new();
        for keyword in keywords {
            let arg = Builder::optional_name(&keyword.arg);
            let value = self.expr(&keyword.value)?;
            items.push(self.at(Kind::keyword, keyword.range, vec![arg, value])?);
        }
        Ok(list(items))
    }

    fn type_params(&mut self, params: &Option<Box<nodes::TypeParams>>) -> Res<Value> {
        let mut items = Vec::new();
        for param in params.iter().flat_map(|params| &params.type_params) {
            let item = match param {
                nodes::TypeParam::TypeVar(p) => {
                    let bound = self.optional(&p.bound)?;
                    let default = self.optional(&p.default)?;
                    let name = Builder::name(p.name.as_str());
                    self.at(Kind::TypeVar, p.range, vec![name, bound, default])?
                }
                nodes::TypeParam::ParamSpec(p) => {
                    let default = self.optional(&p.default)?;
                    let name = Builder::name(p.name.as_str());
                    self.at(Kind::ParamSpec, p.range, vec![name, default])?
                }
                nodes::TypeParam::TypeVarTuple(p) => {
                    let default = self.optional(&p.default)?;
                    let name = Builder::name(p.name.as_str());
                    self.at(Kind::TypeVarTuple, p.range, vec![name, default])?
                }
            };
            items.push(item);
        }
        Ok(list(items))
    }

    fn parameter(&mut self, parameter: &nodes::Parameter) -> Res<Value> {
        let annotation = self.optional(&parameter.annotation)?;
        // The star is not part of it.
        let range = TextRange::new(parameter.name.range.start(), parameter.range.end());
        let name = Builder::name(parameter.name.as_str());
        let comment = self.type_comment(parameter.range.start());
        self.at(Kind::arg, range, vec![name, annotation, comment])
    }

    fn optional_parameter(&mut self, parameter: &Option<Box<nodes::Parameter>>) -> Res<Value> {
        match parameter {
            Some(parameter) => self.parameter(parameter),
            None => Ok(Value::NONE),
        }
    }

    pub fn arguments(&mut self, p: &nodes::Parameters) -> Res<Value> {
        let mut defaults = Vec::new();
        let mut posonly = Vec::new();
        let mut args = Vec::new();
        for (group, out) in [(&p.posonlyargs, &mut posonly), (&p.args, &mut args)] {
            for with_default in group {
                out.push(self.parameter(&with_default.parameter)?);
                if let Some(default) = &with_default.default {
                    defaults.push(self.expr(default)?);
                }
            }
        }
        let vararg = self.optional_parameter(&p.vararg)?;
        let mut kwonly = Vec::new();
        let mut kw_defaults = Vec::new();
        for with_default in &p.kwonlyargs {
            kwonly.push(self.parameter(&with_default.parameter)?);
            kw_defaults.push(self.optional(&with_default.default)?);
        }
        let kwarg = self.optional_parameter(&p.kwarg)?;
        let values = vec![
            list(posonly),
            list(args),
            vararg,
            list(kwonly),
            list(kw_defaults),
            kwarg,
            list(defaults),
        ];
        self.plain(Kind::arguments, values)
    }
}
