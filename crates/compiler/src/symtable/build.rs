//! First pass: walks the AST in evaluation order and records what each scope defines and uses.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use ruff_python_ast::{
    self as ast, Comprehension, ExceptHandler, Expr, ExprContext, Identifier, InterpolatedStringElement, Parameters,
    Pattern, Stmt, TypeParam, TypeParams,
};
use ruff_text_size::{Ranged, TextRange};

use super::{CompKind, Place, Role, Scope, ScopeId, ScopeKind, Symbol, Symtable, address, analyze, def};
use crate::errors::{Res, fault};

/// Keywords of a call among which repeated ones are looked for (more give a TypeError when they run).
const MAX_CHECKED_KEYWORDS: usize = 2_000;

/// Makes the symbol table of a program whose root node is `root`.
pub(crate) fn build<'a, T>(
    root: &T,
    body: &'a [Stmt],
    expr: Option<&'a Expr>,
    future_annotations: bool,
) -> Res<Symtable> {
    let table = Symtable {
        scopes: Vec::new(),
        by_node: HashMap::new(),
        future_annotations,
    };
    let mut builder = Builder {
        table,
        current: ScopeId(0),
        private: None,
    };
    builder.enter(address(root), Role::Module, ScopeKind::Module);
    builder.stmts(body)?;
    if let Some(expr) = expr {
        builder.expr(expr)?;
    }
    let mut table = builder.table;
    analyze::analyze(&mut table, ScopeId(0))?;
    Ok(table)
}

struct Builder {
    table: Symtable,
    current: ScopeId,
    private: Option<Rc<str>>,
}

impl Builder {
    fn enter(&mut self, node: usize, role: Role, kind: ScopeKind) -> ScopeId {
        let id = ScopeId(self.table.scopes.len() as u32);
        let parent = (role != Role::Module).then_some(self.current);
        let nested = parent.is_some_and(|p| {
            let parent = self.table.scope(p);
            parent.nested || parent.is_function_like()
        });
        self.table.scopes.push(Scope {
            kind,
            name: match role {
                Role::Module => "top",
                Role::Lambda => "lambda",
                Role::Annotations => "__annotate__",
                _ => "",
            }
            .into(),
            range: TextRange::default(),
            what: match kind {
                ScopeKind::Annotation => "an annotation",
                ScopeKind::TypeParams => "the definition of a generic",
                ScopeKind::TypeAlias => "a type alias",
                _ => "a TypeVar bound",
            },
            parent,
            children: Vec::new(),
            order: Vec::new(),
            symbols: HashMap::new(),
            params: Vec::new(),
            private: self.private.clone(),
            mangled_names: match kind {
                // All names of a class are mangled.
                ScopeKind::Class => None,
                _ => parent.and_then(|p| self.table.scope(p).mangled_names.clone()),
            },
            nested,
            generator: false,
            coroutine: false,
            comp: None,
            inlined: false,
            can_see_class: false,
            needs_class_cell: false,
            needs_classdict: false,
            conditional_annotations: false,
            annotations_used: false,
            annotation_scope: None,
            returns_value: None,
            comp_target: false,
            comp_iter: parent.map_or(0, |p| self.table.scope(p).comp_iter),
            in_conditional: false,
            directives: Vec::new(),
        });
        if let Some(parent) = parent {
            self.table.scope_mut(parent).children.push(id);
        }
        self.table.by_node.insert((node, role), id);
        self.current = id;
        id
    }

    /// Says what the scope that was just entered is called.
    fn call_it(&mut self, name: &str, range: TextRange) {
        let scope = self.scope();
        if scope.name.is_empty() {
            scope.name = name.into();
        }
        scope.range = range;
    }

    fn leave(&mut self) {
        if let Some(parent) = self.table.scope(self.current).parent {
            self.current = parent;
        }
    }

    fn scope(&mut self) -> &mut Scope {
        let current = self.current;
        self.table.scope_mut(current)
    }

    fn mangle(&self, name: &str) -> Rc<str> {
        self.table.scope(self.current).mangle(self.private.as_deref(), name)
    }

    fn add(&mut self, name: &str, flag: u32, range: TextRange) -> Res {
        let current = self.current;
        self.add_in(current, name, flag, range)
    }

    fn add_in(&mut self, id: ScopeId, name: &str, flag: u32, range: TextRange) -> Res {
        let written = name;
        let name = self.mangle(name);
        if flag & def::GLOBAL != 0 && id != ScopeId(0) {
            // A name that any function declares global is a global of the module, whatever its namespace.
            self.add_in(ScopeId(0), &name, def::GLOBAL, range)?;
        }
        let scope = self.table.scope_mut(id);
        let old = scope.flags(&name);
        if flag & def::PARAM != 0 {
            if old & def::PARAM != 0 {
                return fault(range, format!("duplicate argument '{name}' in function definition"));
            }
            scope.params.push(name.clone());
        }
        if flag & def::TYPE_PARAM != 0 && old & def::TYPE_PARAM != 0 {
            return fault(range, format!("duplicate type parameter '{name}'"));
        }
        let mut flags = old | flag;
        if scope.comp_target && flag & def::BOUND != 0 {
            if old & (def::GLOBAL | def::NONLOCAL) != 0 {
                let text = "comprehension inner loop cannot rebind assignment expression target";
                return fault(range, format!("{text} '{written}'"));
            }
            flags |= def::COMP_ITER;
        }
        if !scope.symbols.contains_key(&name) {
            scope.order.push(name.clone());
        }
        let symbol = scope.symbols.entry(name).or_insert(Symbol {
            flags: 0,
            place: Place::Unresolved,
            free_through_class: false,
        });
        symbol.flags = flags;
        Ok(())
    }

    fn bind(&mut self, name: &Identifier, flag: u32) -> Res {
        self.check_name(name.as_str(), name.range)?;
        self.add(name.as_str(), flag, name.range)
    }

    fn check_name(&self, name: &str, range: TextRange) -> Res {
        if name == "__debug__" {
            return fault(range, "cannot assign to __debug__");
        }
        Ok(())
    }

    // ---- statements ----

    fn stmts(&mut self, body: &[Stmt]) -> Res {
        body.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    /// Statements that may not be executed (for conditional annotations).
    fn conditional(&mut self, body: &[Stmt]) -> Res {
        let old = std::mem::replace(&mut self.scope().in_conditional, true);
        self.stmts(body)?;
        self.scope().in_conditional = old;
        Ok(())
    }

    fn stmt(&mut self, stmt: &Stmt) -> Res {
        match stmt {
            Stmt::FunctionDef(f) => self.function(f),
            Stmt::ClassDef(c) => self.class(c),
            Stmt::Return(r) => {
                if let Some(value) = &r.value {
                    self.expr(value)?;
                    self.scope().returns_value = Some(r.range);
                }
                Ok(())
            }
            Stmt::Delete(d) => d.targets.iter().try_for_each(|t| self.expr(t)),
            Stmt::TypeAlias(t) => self.type_alias(t),
            Stmt::Assign(a) => {
                a.targets.iter().try_for_each(|t| self.expr(t))?;
                self.expr(&a.value)
            }
            Stmt::AugAssign(a) => {
                self.expr(&a.target)?;
                self.expr(&a.value)
            }
            Stmt::AnnAssign(a) => self.ann_assign(a),
            Stmt::For(f) => {
                self.expr(&f.target)?;
                self.expr(&f.iter)?;
                self.conditional(&f.body)?;
                self.conditional(&f.orelse)
            }
            Stmt::While(w) => {
                self.expr(&w.test)?;
                self.conditional(&w.body)?;
                self.conditional(&w.orelse)
            }
            Stmt::If(i) => {
                self.expr(&i.test)?;
                self.conditional(&i.body)?;
                for clause in &i.elif_else_clauses {
                    if let Some(test) = &clause.test {
                        self.expr(test)?;
                    }
                    self.conditional(&clause.body)?;
                }
                Ok(())
            }
            Stmt::With(w) => {
                for item in &w.items {
                    self.expr(&item.context_expr)?;
                    if let Some(vars) = &item.optional_vars {
                        self.expr(vars)?;
                    }
                }
                self.conditional(&w.body)
            }
            Stmt::Match(m) => {
                self.expr(&m.subject)?;
                for case in &m.cases {
                    self.pattern(&case.pattern)?;
                    if let Some(guard) = &case.guard {
                        self.expr(guard)?;
                    }
                    self.conditional(&case.body)?;
                }
                Ok(())
            }
            Stmt::Raise(r) => {
                self.maybe(r.exc.as_deref())?;
                self.maybe(r.cause.as_deref())
            }
            Stmt::Try(t) => {
                self.conditional(&t.body)?;
                for handler in &t.handlers {
                    let ExceptHandler::ExceptHandler(handler) = handler;
                    self.maybe(handler.type_.as_deref())?;
                    if let Some(name) = &handler.name {
                        self.bind(name, def::LOCAL | def::DELETED)?;
                    }
                    self.conditional(&handler.body)?;
                }
                self.conditional(&t.orelse)?;
                self.conditional(&t.finalbody)
            }
            Stmt::Assert(a) => {
                self.expr(&a.test)?;
                self.maybe(a.msg.as_deref())
            }
            Stmt::Import(i) => i.names.iter().try_for_each(|alias| self.alias(alias)),
            Stmt::ImportFrom(i) => {
                for alias in &i.names {
                    if alias.name.as_str() == "*" {
                        if self.scope().kind != ScopeKind::Module {
                            return fault(alias.range, "import * only allowed at module level");
                        }
                        continue;
                    }
                    self.alias(alias)?;
                }
                Ok(())
            }
            Stmt::Global(g) => g
                .names
                .iter()
                .try_for_each(|name| self.declare(name, g.range, def::GLOBAL, "global")),
            Stmt::Nonlocal(n) => n
                .names
                .iter()
                .try_for_each(|name| self.declare(name, n.range, def::NONLOCAL, "nonlocal")),
            Stmt::Expr(e) => self.expr(&e.value),
            Stmt::Pass(_) | Stmt::Break(_) | Stmt::Continue(_) | Stmt::IpyEscapeCommand(_) => Ok(()),
        }
    }

    fn declare(&mut self, name: &Identifier, range: TextRange, flag: u32, word: &str) -> Res {
        let mangled = self.mangle(name.as_str());
        let old = self.scope().flags(&mangled);
        let problem = if old & def::PARAM != 0 {
            Some(format!("name '{name}' is parameter and {word}"))
        } else if old & def::USE != 0 {
            Some(format!("name '{name}' is used prior to {word} declaration"))
        } else if old & def::ANNOT != 0 {
            Some(format!("annotated name '{name}' can't be {word}"))
        } else if old & def::LOCAL != 0 {
            Some(format!("name '{name}' is assigned to before {word} declaration"))
        } else {
            None
        };
        if let Some(problem) = problem {
            return fault(range, problem);
        }
        self.check_name(name.as_str(), range)?;
        self.add(name.as_str(), flag, range)?;
        self.scope().directives.push((mangled, range));
        Ok(())
    }

    fn alias(&mut self, alias: &ast::Alias) -> Res {
        let name = match &alias.asname {
            Some(name) => name.as_str(),
            None => alias.name.as_str().split('.').next().unwrap_or_default(),
        };
        self.check_name(name, alias.range)?;
        self.add(name, def::IMPORT, alias.range)
    }

    fn ann_assign(&mut self, a: &ast::StmtAnnAssign) -> Res {
        self.scope().annotations_used = true;
        if let Expr::Name(target) = &*a.target {
            let mangled = self.mangle(&target.id);
            let old = self.scope().flags(&mangled);
            let module = self.scope().kind == ScopeKind::Module;
            if old & (def::GLOBAL | def::NONLOCAL) != 0 && !module && a.simple {
                let word = if old & def::GLOBAL != 0 { "global" } else { "nonlocal" };
                return fault(a.range, format!("annotated name '{}' can't be {word}", target.id));
            }
            self.check_name(&target.id, target.range)?;
            if a.simple {
                self.add(&target.id, def::ANNOT | def::LOCAL, target.range)?;
            } else if a.value.is_some() {
                self.add(&target.id, def::LOCAL, target.range)?;
            }
        } else {
            self.expr(&a.target)?;
        }
        self.annotation(&a.annotation)?;
        self.maybe(a.value.as_deref())
    }

    /// An annotation of a variable: evaluated in the `__annotate__` of the class or module.
    fn annotation(&mut self, annotation: &Expr) -> Res {
        let parent = self.current;
        let scope = self.table.scope(parent);
        let kind = scope.kind;
        if scope.is_function_like() {
            // Never evaluated: names in it must not influence the scope.
            let outer = self.enter(address(annotation), Role::Annotations, ScopeKind::Annotation);
            self.expr(annotation)?;
            self.leave();
            // Detached, so that it captures nothing.
            self.table.scope_mut(parent).children.retain(|&c| c != outer);
            return Ok(());
        }
        let conditional = kind == ScopeKind::Module || scope.in_conditional;
        if conditional && !scope.conditional_annotations && !self.table.future_annotations {
            self.scope().conditional_annotations = true;
            let flags = if kind == ScopeKind::Class {
                def::USE | def::LOCAL
            } else {
                def::USE
            };
            self.add("__conditional_annotations__", flags, annotation.range())?;
        }
        match self.table.scope(parent).annotation_scope {
            Some(existing) => self.current = existing,
            None => {
                let id = self.enter(address(annotation), Role::Annotations, ScopeKind::Annotation);
                self.call_it("", annotation.range());
                self.table.scope_mut(parent).annotation_scope = Some(id);
                self.add(".format", def::PARAM | def::USE, annotation.range())?;
                if kind == ScopeKind::Class && !self.table.future_annotations {
                    self.see_class(annotation.range())?;
                }
            }
        }
        if self.table.scope(parent).conditional_annotations {
            self.add("__conditional_annotations__", def::USE, annotation.range())?;
        }
        self.expr(annotation)?;
        self.current = parent;
        Ok(())
    }

    /// The current scope looks names up in the class around it.
    fn see_class(&mut self, range: TextRange) -> Res {
        self.scope().can_see_class = true;
        self.add("__classdict__", def::USE, range)
    }

    fn function(&mut self, f: &ast::StmtFunctionDef) -> Res {
        self.bind(&f.name, def::LOCAL)?;
        self.defaults(&f.parameters)?;
        for decorator in &f.decorator_list {
            self.expr(&decorator.expression)?;
        }
        if let Some(params) = &f.type_params {
            self.enter_type_params(params, (f.name.as_str(), f.range), false)?;
            let range = f.name.range;
            if f.parameters
                .iter_non_variadic_params()
                .any(|p| p.default.is_some() && !is_kwonly(&f.parameters, p))
            {
                self.add(".defaults", def::PARAM, range)?;
            }
            if f.parameters.kwonlyargs.iter().any(|p| p.default.is_some()) {
                self.add(".kwdefaults", def::PARAM, range)?;
            }
            self.type_params(params)?;
        }
        self.function_annotations(address(f), &f.parameters, f.returns.as_deref(), f.range)?;
        self.enter(address(f), Role::Function, ScopeKind::Function);
        self.call_it(f.name.as_str(), f.range);
        self.scope().coroutine = f.is_async;
        self.parameters(&f.parameters)?;
        self.stmts(&f.body)?;
        self.leave();
        if f.type_params.is_some() {
            self.leave();
        }
        Ok(())
    }

    fn function_annotations(
        &mut self,
        node: usize,
        params: &Parameters,
        returns: Option<&Expr>,
        range: TextRange,
    ) -> Res {
        let annotated = params.iter().any(|p| p.annotation().is_some());
        if !annotated && returns.is_none() {
            return Ok(());
        }
        let in_class = {
            let scope = self.scope();
            scope.kind == ScopeKind::Class || scope.can_see_class
        };
        self.enter(node, Role::Annotations, ScopeKind::Annotation);
        self.call_it("", range);
        self.add(".format", def::PARAM | def::USE, range)?;
        if in_class && !self.table.future_annotations {
            self.see_class(range)?;
        }
        for annotation in annotation_order(params) {
            self.expr(annotation.1)?;
        }
        self.maybe(returns)?;
        self.leave();
        Ok(())
    }

    fn defaults(&mut self, params: &Parameters) -> Res {
        for param in params.posonlyargs.iter().chain(&params.args).chain(&params.kwonlyargs) {
            self.maybe(param.default.as_deref())?;
        }
        Ok(())
    }

    fn parameters(&mut self, params: &Parameters) -> Res {
        for param in params.iter_non_variadic_params() {
            self.bind(&param.parameter.name, def::PARAM)?;
        }
        for param in [&params.vararg, &params.kwarg].into_iter().flatten() {
            self.bind(&param.name, def::PARAM)?;
        }
        Ok(())
    }

    fn class(&mut self, c: &ast::StmtClassDef) -> Res {
        self.bind(&c.name, def::LOCAL)?;
        for decorator in &c.decorator_list {
            self.expr(&decorator.expression)?;
        }
        let old = self.private.clone();
        if let Some(params) = &c.type_params {
            self.enter_type_params(params, (c.name.as_str(), c.range), true)?;
            self.private = Some(c.name.as_str().into());
            let names: HashSet<Rc<str>> = params.iter().map(|p| p.name().as_str().into()).collect();
            let scope = self.scope();
            scope.private = Some(c.name.as_str().into());
            scope.mangled_names = Some(Rc::new(names));
            self.type_params(params)?;
        }
        if let Some(arguments) = &c.arguments {
            self.arguments(arguments)?;
        }
        self.enter(address(c), Role::Class, ScopeKind::Class);
        self.call_it(c.name.as_str(), c.range);
        self.private = Some(c.name.as_str().into());
        self.scope().private = Some(c.name.as_str().into());
        if c.type_params.is_some() {
            self.add("__type_params__", def::LOCAL, c.range)?;
            self.add(".type_params", def::USE, c.range)?;
        }
        self.stmts(&c.body)?;
        self.leave();
        if c.type_params.is_some() {
            self.leave();
        }
        self.private = old;
        Ok(())
    }

    fn arguments(&mut self, arguments: &ast::Arguments) -> Res {
        // Symbols do not depend on the order of positional and keyword arguments.
        let mut names: Vec<&str> = Vec::new();
        arguments.args.iter().try_for_each(|arg| self.expr(arg))?;
        for keyword in &arguments.keywords {
            if let Some(name) = &keyword.arg {
                self.check_name(name.as_str(), keyword.range)?;
                if name.range.start() > keyword.range.start() {
                    // `f((x)=1)`, which the parser lets through.
                    let text = "expression cannot contain assignment, perhaps you meant \"==\"?";
                    return fault(TextRange::new(name.range.start(), keyword.range.end()), text);
                }
                if arguments.keywords.len() <= MAX_CHECKED_KEYWORDS && names.contains(&name.as_str()) {
                    return fault(keyword.range, format!("keyword argument repeated: {name}"));
                }
                names.push(name.as_str());
            }
            self.expr(&keyword.value)?;
        }
        Ok(())
    }

    fn enter_type_params(&mut self, params: &TypeParams, owner: (&str, TextRange), class: bool) -> Res {
        let in_class = self.scope().kind == ScopeKind::Class || self.scope().can_see_class;
        self.enter(address(params), Role::TypeParams, ScopeKind::TypeParams);
        self.call_it(owner.0, owner.1);
        if in_class {
            self.see_class(params.range)?;
        }
        if class {
            self.add(".type_params", def::LOCAL | def::USE, params.range)?;
            self.add(".generic_base", def::LOCAL | def::USE, params.range)?;
        }
        Ok(())
    }

    fn type_params(&mut self, params: &TypeParams) -> Res {
        let mut default_seen = false;
        for param in params {
            let name = param.name();
            self.check_name(name.as_str(), name.range)?;
            self.add(name.as_str(), def::TYPE_PARAM | def::LOCAL, param.range())?;
            if let TypeParam::TypeVar(var) = param
                && let Some(bound) = &var.bound
            {
                let what = if bound.is_tuple_expr() {
                    "a TypeVar constraint"
                } else {
                    "a TypeVar bound"
                };
                let owner = (name.as_str(), param.range());
                self.lazy(address(param), Role::Bound, ScopeKind::TypeVariable, owner, what, bound)?;
            }
            if let Some(default) = param.default() {
                default_seen = true;
                let what = match param {
                    TypeParam::TypeVar(_) => "a TypeVar default",
                    TypeParam::TypeVarTuple(_) => "a TypeVarTuple default",
                    TypeParam::ParamSpec(_) => "a ParamSpec default",
                };
                let owner = (name.as_str(), param.range());
                self.lazy(
                    address(param),
                    Role::Default,
                    ScopeKind::TypeVariable,
                    owner,
                    what,
                    default,
                )?;
            } else if default_seen {
                return fault(
                    param.range(),
                    format!("non-default type parameter '{name}' follows default type parameter"),
                );
            }
        }
        Ok(())
    }

    /// A scope of its own for a lazily evaluated expression.
    fn lazy(
        &mut self,
        node: usize,
        role: Role,
        kind: ScopeKind,
        owner: (&str, TextRange),
        what: &'static str,
        value: &Expr,
    ) -> Res {
        let in_class = self.scope().kind == ScopeKind::Class || self.scope().can_see_class;
        self.enter(node, role, kind);
        self.call_it(owner.0, owner.1);
        self.scope().what = what;
        self.add(".format", def::PARAM | def::USE, value.range())?;
        if in_class {
            self.see_class(value.range())?;
        }
        self.expr(value)?;
        self.leave();
        Ok(())
    }

    fn type_alias(&mut self, t: &ast::StmtTypeAlias) -> Res {
        if !t.name.is_name_expr() {
            return fault(t.name.range(), "invalid syntax");
        }
        self.expr(&t.name)?;
        let name = t.name.as_name_expr().map_or("", |name| name.id.as_str());
        let owner = (name, t.range);
        if let Some(params) = &t.type_params {
            self.enter_type_params(params, owner, false)?;
            self.type_params(params)?;
        }
        self.lazy(
            address(t),
            Role::TypeAlias,
            ScopeKind::TypeAlias,
            owner,
            "a type alias",
            &t.value,
        )?;
        if t.type_params.is_some() {
            self.leave();
        }
        Ok(())
    }

    fn pattern(&mut self, pattern: &Pattern) -> Res {
        match pattern {
            Pattern::MatchValue(p) => self.expr(&p.value),
            Pattern::MatchSingleton(_) => Ok(()),
            Pattern::MatchSequence(p) => p.patterns.iter().try_for_each(|p| self.pattern(p)),
            Pattern::MatchMapping(p) => {
                p.keys.iter().try_for_each(|k| self.expr(k))?;
                p.patterns.iter().try_for_each(|p| self.pattern(p))?;
                p.rest.iter().try_for_each(|name| self.bind(name, def::LOCAL))
            }
            Pattern::MatchClass(p) => {
                self.expr(&p.cls)?;
                p.arguments.patterns.iter().try_for_each(|p| self.pattern(p))?;
                for keyword in &p.arguments.keywords {
                    self.check_name(keyword.attr.as_str(), keyword.range)?;
                    self.pattern(&keyword.pattern)?;
                }
                Ok(())
            }
            Pattern::MatchStar(p) => p.name.iter().try_for_each(|name| self.bind(name, def::LOCAL)),
            Pattern::MatchAs(p) => {
                if let Some(pattern) = &p.pattern {
                    self.pattern(pattern)?;
                }
                p.name.iter().try_for_each(|name| self.bind(name, def::LOCAL))
            }
            Pattern::MatchOr(p) => p.patterns.iter().try_for_each(|p| self.pattern(p)),
        }
    }

    // ---- expressions ----

    fn maybe(&mut self, expr: Option<&Expr>) -> Res {
        expr.map_or(Ok(()), |expr| self.expr(expr))
    }

    fn exprs(&mut self, exprs: &[Expr]) -> Res {
        exprs.iter().try_for_each(|e| self.expr(e))
    }

    fn expr(&mut self, expr: &Expr) -> Res {
        match expr {
            Expr::BoolOp(e) => self.exprs(&e.values),
            Expr::Named(e) => self.named(e),
            Expr::BinOp(e) => {
                // Long chains lean to the left: walk them without recursion.
                let mut rights = vec![&e.right];
                let mut left = &e.left;
                while let Expr::BinOp(inner) = &**left {
                    rights.push(&inner.right);
                    left = &inner.left;
                }
                self.expr(left)?;
                rights.into_iter().rev().try_for_each(|right| self.expr(right))
            }
            Expr::UnaryOp(e) => self.expr(&e.operand),
            Expr::Lambda(e) => {
                if let Some(params) = &e.parameters {
                    self.defaults(params)?;
                }
                self.enter(address(e), Role::Lambda, ScopeKind::Function);
                self.call_it("lambda", e.range);
                if let Some(params) = &e.parameters {
                    self.parameters(params)?;
                }
                self.expr(&e.body)?;
                self.leave();
                Ok(())
            }
            Expr::If(e) => {
                self.expr(&e.test)?;
                self.expr(&e.body)?;
                self.expr(&e.orelse)
            }
            Expr::Dict(e) => {
                for item in &e.items {
                    self.maybe(item.key.as_ref())?;
                    self.expr(&item.value)?;
                }
                Ok(())
            }
            Expr::Set(e) => self.exprs(&e.elts),
            Expr::ListComp(e) => self.comprehension(address(e), CompKind::List, &e.generators, None, &e.elt, e.range),
            Expr::SetComp(e) => self.comprehension(address(e), CompKind::Set, &e.generators, None, &e.elt, e.range),
            Expr::DictComp(e) => {
                let key = e.key.as_deref();
                self.comprehension(address(e), CompKind::Dict, &e.generators, key, &e.value, e.range)
            }
            Expr::Generator(e) => {
                self.comprehension(address(e), CompKind::Generator, &e.generators, None, &e.elt, e.range)
            }
            Expr::Await(e) => {
                self.not_in_lazy_scope("await", e.range)?;
                self.expr(&e.value)?;
                // Only in a comprehension: a function says itself what it is.
                if self.scope().comp.is_some() {
                    self.scope().coroutine = true;
                }
                Ok(())
            }
            Expr::Yield(e) => {
                self.not_in_lazy_scope("yield", e.range)?;
                self.maybe(e.value.as_deref())?;
                self.yields(e.range)
            }
            Expr::YieldFrom(e) => {
                self.not_in_lazy_scope("yield", e.range)?;
                self.expr(&e.value)?;
                self.yields(e.range)
            }
            Expr::Compare(e) => {
                self.expr(&e.left)?;
                self.exprs(&e.comparators)
            }
            Expr::Call(e) => {
                self.expr(&e.func)?;
                self.arguments(&e.arguments)
            }
            Expr::FString(e) => {
                for part in e.value.f_strings() {
                    self.elements(&part.elements)?;
                }
                Ok(())
            }
            Expr::TString(e) => {
                for part in &e.value {
                    self.elements(&part.elements)?;
                }
                Ok(())
            }
            Expr::Attribute(e) => {
                if e.ctx != ExprContext::Load {
                    self.check_name(e.attr.as_str(), e.range)?;
                }
                self.expr(&e.value)
            }
            Expr::Subscript(e) => {
                self.expr(&e.value)?;
                self.expr(&e.slice)
            }
            Expr::Starred(e) => self.expr(&e.value),
            Expr::Name(e) => self.name(e),
            Expr::List(e) => self.exprs(&e.elts),
            Expr::Tuple(e) => self.exprs(&e.elts),
            Expr::Slice(e) => {
                self.maybe(e.lower.as_deref())?;
                self.maybe(e.upper.as_deref())?;
                self.maybe(e.step.as_deref())
            }
            Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::NumberLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_)
            | Expr::IpyEscapeCommand(_) => Ok(()),
        }
    }

    fn elements(&mut self, elements: &[InterpolatedStringElement]) -> Res {
        for element in elements {
            if let InterpolatedStringElement::Interpolation(element) = element {
                self.expr(&element.expression)?;
                if let Some(spec) = &element.format_spec {
                    self.elements(&spec.elements)?;
                }
            }
        }
        Ok(())
    }

    fn name(&mut self, e: &ast::ExprName) -> Res {
        match e.ctx {
            ExprContext::Load | ExprContext::Invalid => {
                self.add(&e.id, def::USE, e.range)?;
                if e.id.as_str() == "super" && self.scope().is_function_like() {
                    self.add("__class__", def::USE, e.range)?;
                }
                Ok(())
            }
            ExprContext::Store => {
                self.check_name(&e.id, e.range)?;
                self.add(&e.id, def::LOCAL, e.range)
            }
            ExprContext::Del => {
                if e.id.as_str() == "__debug__" {
                    return fault(e.range, "cannot delete __debug__");
                }
                self.add(&e.id, def::LOCAL | def::DELETED, e.range)
            }
        }
    }

    /// `yield`, `await` and `:=` cannot stand in annotations, type parameters and the like.
    fn not_in_lazy_scope(&mut self, what: &str, range: TextRange) -> Res {
        let place = match self.scope().kind {
            ScopeKind::Module | ScopeKind::Class | ScopeKind::Function => return Ok(()),
            _ => self.scope().what,
        };
        let subject = match what {
            "yield" => "yield expression",
            "await" => "await expression",
            other => other,
        };
        fault(range, format!("{subject} cannot be used within {place}"))
    }

    fn yields(&mut self, range: TextRange) -> Res {
        if let Some(kind) = self.scope().comp {
            return fault(range, format!("'yield' inside {}", kind.text()));
        }
        self.scope().generator = true;
        Ok(())
    }

    fn named(&mut self, e: &ast::ExprNamed) -> Res {
        self.not_in_lazy_scope("named expression", e.range)?;
        if self.scope().comp_iter > 0 {
            return fault(
                e.range,
                "assignment expression cannot be used in a comprehension iterable expression",
            );
        }
        let Expr::Name(target) = &*e.target else {
            return fault(e.target.range(), "cannot use assignment expressions here");
        };
        if self.scope().comp.is_some() {
            self.named_in_comprehension(target)?;
        }
        self.expr(&e.value)?;
        self.check_name(&target.id, target.range)?;
        self.add(&target.id, def::LOCAL | def::WALRUS, target.range)
    }

    /// A walrus in a comprehension binds in the scope around all comprehensions.
    fn named_in_comprehension(&mut self, target: &ast::ExprName) -> Res {
        let name = self.mangle(&target.id);
        let range = target.range;
        let mut id = self.current;
        loop {
            let scope = self.table.scope(id);
            if scope.comp.is_some() {
                if scope.flags(&name) & def::COMP_ITER != 0 {
                    let text = "assignment expression cannot rebind comprehension iteration variable";
                    return fault(range, format!("{text} '{}'", target.id));
                }
            } else {
                let problem = match scope.kind {
                    ScopeKind::Function => {
                        let global = scope.flags(&name) & def::GLOBAL != 0;
                        self.add(&target.id, if global { def::GLOBAL } else { def::NONLOCAL }, range)?;
                        self.scope().directives.push((name.clone(), range));
                        return self.add_in(id, &target.id, def::LOCAL | def::WALRUS, range);
                    }
                    ScopeKind::Module => {
                        self.add(&target.id, def::GLOBAL, range)?;
                        self.scope().directives.push((name.clone(), range));
                        return self.add_in(id, &target.id, def::GLOBAL, range);
                    }
                    ScopeKind::Class => "in a class body",
                    ScopeKind::TypeParams => "within the definition of a generic",
                    ScopeKind::TypeAlias => "in a type alias",
                    ScopeKind::TypeVariable => "in a TypeVar bound",
                    ScopeKind::Annotation => "in an annotation",
                };
                let text = "assignment expression within a comprehension cannot be used";
                return fault(range, format!("{text} {problem}"));
            }
            match scope.parent {
                Some(parent) => id = parent,
                None => return Ok(()),
            }
        }
    }

    fn comprehension(
        &mut self,
        node: usize,
        kind: CompKind,
        generators: &[Comprehension],
        key: Option<&Expr>,
        elt: &Expr,
        range: TextRange,
    ) -> Res {
        let Some(first) = generators.first() else {
            return fault(range, "invalid syntax");
        };
        self.scope().comp_iter += 1;
        self.expr(&first.iter)?;
        self.scope().comp_iter -= 1;
        let inlined = kind != CompKind::Generator && !self.scope().can_see_class;
        self.enter(node, Role::Comprehension, ScopeKind::Function);
        let name = match kind {
            CompKind::List => "listcomp",
            CompKind::Set => "setcomp",
            CompKind::Dict => "dictcomp",
            CompKind::Generator => "genexpr",
        };
        self.call_it(name, range);
        let scope = self.scope();
        scope.comp = Some(kind);
        scope.coroutine = first.is_async;
        scope.inlined = inlined;
        scope.generator = kind == CompKind::Generator;
        if !inlined {
            self.add(".0", def::PARAM, range)?;
        }
        for (i, generator) in generators.iter().enumerate() {
            self.scope().comp_target = true;
            self.expr(&generator.target)?;
            self.scope().comp_target = false;
            if i > 0 {
                self.scope().comp_iter += 1;
                self.expr(&generator.iter)?;
                self.scope().comp_iter -= 1;
                if generator.is_async {
                    self.scope().coroutine = true;
                }
            }
            self.exprs(&generator.ifs)?;
        }
        // The value of a dict before its key.
        self.expr(elt)?;
        self.maybe(key)?;
        let coroutine = self.scope().coroutine;
        self.leave();
        if coroutine && kind != CompKind::Generator && self.scope().comp.is_some() {
            self.scope().coroutine = true;
        }
        Ok(())
    }
}

fn is_kwonly(params: &Parameters, param: &ast::ParameterWithDefault) -> bool {
    params.kwonlyargs.iter().any(|p| std::ptr::eq(p, param))
}

/// Annotated parameters in the order in which `__annotate__` evaluates them.
pub(crate) fn annotation_order(params: &Parameters) -> Vec<(&Identifier, &Expr)> {
    let mut order = Vec::new();
    let plain = params.posonlyargs.iter().chain(&params.args).map(|p| &p.parameter);
    let star = params.vararg.as_deref();
    let keyword = params.kwonlyargs.iter().map(|p| &p.parameter);
    for param in plain.chain(star).chain(keyword).chain(params.kwarg.as_deref()) {
        if let Some(annotation) = &param.annotation {
            order.push((&param.name, &**annotation));
        }
    }
    order
}
