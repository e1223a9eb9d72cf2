//! Statements.

use lisle_bytecode::opcode::{Common, Intrinsic1};
use lisle_bytecode::{Const, Op};
use ruff_python_ast::{self as ast, Expr, Stmt};
use ruff_text_size::{Ranged, TextRange};

use super::{Codegen, str_const};
use crate::errors::Res;
use crate::fold;
use crate::symtable::ScopeKind;

impl<'a> Codegen<'a> {
    pub(super) fn stmts(&mut self, body: &'a [Stmt]) -> Res {
        body.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    /// Statements that may not be executed.
    pub(super) fn conditional_stmts(&mut self, body: &'a [Stmt]) -> Res {
        self.u().conditional_depth += 1;
        self.stmts(body)?;
        self.u().conditional_depth -= 1;
        Ok(())
    }

    pub(super) fn stmt(&mut self, stmt: &'a Stmt) -> Res {
        (self.u().range, self.u().silent) = (stmt.range(), false);
        match stmt {
            Stmt::FunctionDef(s) => self.function_def(s),
            Stmt::ClassDef(s) => self.class_def(s),
            Stmt::Return(s) => self.return_stmt(s),
            Stmt::Delete(s) => s.targets.iter().try_for_each(|target| self.delete(target)),
            Stmt::TypeAlias(s) => self.type_alias(s),
            Stmt::Assign(s) => self.assign(s),
            Stmt::AugAssign(s) => self.aug_assign(s),
            Stmt::AnnAssign(s) => self.ann_assign(s),
            Stmt::For(s) => self.for_stmt(s),
            Stmt::While(s) => self.while_stmt(s),
            Stmt::If(s) => self.if_stmt(s),
            Stmt::With(s) => self.with_stmt(s),
            Stmt::Match(s) => self.match_stmt(s),
            Stmt::Raise(s) => self.raise(s),
            Stmt::Try(s) => self.try_stmt(s),
            Stmt::Assert(s) => self.assert_stmt(s),
            Stmt::Import(s) => self.import(s),
            Stmt::ImportFrom(s) => self.import_from(s),
            Stmt::Expr(s) => self.expr_stmt(s),
            Stmt::Break(s) => self.leave_loop(s.range, true),
            Stmt::Continue(s) => self.leave_loop(s.range, false),
            Stmt::Pass(_) => {
                self.emit(Op::Nop, 0, 0, 0, 0);
                Ok(())
            }
            Stmt::Global(_) | Stmt::Nonlocal(_) => Ok(()),
            Stmt::IpyEscapeCommand(s) => self.fail(s.range, "invalid syntax"),
        }
    }

    fn expr_stmt(&mut self, s: &'a ast::StmtExpr) -> Res {
        if self.interactive && self.units.len() == 1 {
            let top = self.top();
            let value = self.operand(&s.value)?;
            let result = self.temp();
            self.emit(Op::Intrinsic1, Intrinsic1::Print as u8, result.0, value.0, 0);
            self.discard(result);
            self.set_top(top);
            return Ok(());
        }
        if self.constant(&s.value)?.is_some() {
            self.emit(Op::Nop, 0, 0, 0, 0);
            return Ok(());
        }
        let before = self.unit().code.len();
        self.effect(&s.value)?;
        if self.unit().code.len() == before {
            self.emit(Op::Nop, 0, 0, 0, 0);
        }
        Ok(())
    }

    fn return_stmt(&mut self, s: &'a ast::StmtReturn) -> Res {
        let scope = self.current_scope();
        if !(scope.kind == ScopeKind::Function) {
            return self.fail(s.range, "'return' outside function");
        }
        let Some(value) = &s.value else {
            return self.return_value(None, Const::None);
        };
        if scope.generator && scope.coroutine {
            return self.fail(s.range, "'return' with value in async generator");
        }
        if let Some(constant) = self.constant(value)? {
            return self.return_value(None, constant);
        }
        let top = self.top();
        let leaving = self.leaving_runs_code();
        let value = if leaving {
            self.expr_temp(value)?
        } else {
            self.operand(value)?
        };
        self.return_value(Some(value), Const::None)?;
        self.set_top(top);
        Ok(())
    }

    fn if_stmt(&mut self, s: &'a ast::StmtIf) -> Res {
        let end = self.label();
        let mut next = self.label();
        self.note_constant(&s.test)?;
        self.jump_if(&s.test, next, false)?;
        self.conditional_stmts(&s.body)?;
        for clause in &s.elif_else_clauses {
            self.jump_silently(Op::Jump, end);
            self.place(next);
            next = self.label();
            if let Some(test) = &clause.test {
                self.u().range = test.range();
                self.note_constant(test)?;
                self.jump_if(test, next, false)?;
            }
            self.conditional_stmts(&clause.body)?;
        }
        self.place(next);
        self.place(end);
        Ok(())
    }

    fn raise(&mut self, s: &'a ast::StmtRaise) -> Res {
        let top = self.top();
        match (&s.exc, &s.cause) {
            (None, _) => self.emit(Op::Raise, 0, 0, 0, 0),
            (Some(exc), None) => {
                let exc = self.operand(exc)?;
                self.emit(Op::Raise, 1, exc.0, 0, 0);
            }
            (Some(exc), Some(cause)) => {
                let exc = self.operand(exc)?;
                let cause = self.operand(cause)?;
                self.emit(Op::Raise, 2, exc.0, cause.0, 0);
            }
        }
        self.u().reachable = false;
        self.set_top(top);
        Ok(())
    }

    fn assert_stmt(&mut self, s: &'a ast::StmtAssert) -> Res {
        if let Expr::Tuple(tuple) = &*s.test
            && !tuple.elts.is_empty()
        {
            self.warn(s.range, "assertion is always true, perhaps remove parentheses?".into());
        }
        if self.optimize > 0 {
            return Ok(());
        }
        let end = self.label();
        self.jump_if(&s.test, end, true)?;
        let top = self.top();
        let error = self.temp();
        // CPython's caret is under the test.
        self.u().range = s.test.range();
        self.emit(Op::LoadCommon, Common::AssertionError as u8, error.0, 0, 0);
        if let Some(message) = &s.msg {
            self.temp();
            self.expr_temp(message)?;
            self.u().range = s.test.range();
            self.emit(Op::Call, 0, error.0, 1, error.0);
        }
        self.emit(Op::Raise, 1, error.0, 0, 0);
        self.u().reachable = false;
        self.set_top(top);
        self.place(end);
        Ok(())
    }

    // ---- imports ----

    fn import_module(&mut self, name: &str, level: u32, fromlist: Const) -> Res<super::Reg> {
        let top = self.top();
        let first = self.temps(2);
        self.load_const(first, Const::Int(level.into()));
        self.load_const(first.plus(1), fromlist);
        let index = self.near_name(name)?;
        self.emit(Op::ImportName, 0, first.0, index, first.0);
        self.set_top(top + 1);
        Ok(first)
    }

    fn import(&mut self, s: &'a ast::StmtImport) -> Res {
        for alias in &s.names {
            let top = self.top();
            let name = alias.name.as_str();
            let module = self.import_module(name, 0, Const::None)?;
            match &alias.asname {
                None => {
                    let first = name.split('.').next().unwrap_or_default();
                    self.store_name(first, module, alias.range)?;
                }
                Some(asname) => {
                    let mut value = module;
                    for part in name.split('.').skip(1) {
                        let next = self.temp();
                        let index = self.near_name(part)?;
                        self.emit(Op::ImportFrom, 0, next.0, value.0, index);
                        self.emit1(Op::Clear, value);
                        value = next;
                    }
                    self.store_name(asname.as_str(), value, alias.range)?;
                }
            }
            self.set_top(top);
        }
        Ok(())
    }

    fn import_from(&mut self, s: &'a ast::StmtImportFrom) -> Res {
        let top = self.top();
        let names = s.names.iter().map(|alias| str_const(alias.name.as_str()));
        let fromlist = Const::Tuple(names.collect());
        let module = s.module.as_ref().map_or("", |m| m.as_str());
        let module = self.import_module(module, s.level, fromlist)?;
        for alias in &s.names {
            if alias.name.as_str() == "*" {
                self.emit1(Op::ImportStar, module);
                self.set_top(top);
                return Ok(());
            }
            let value = self.temp();
            let index = self.near_name(alias.name.as_str())?;
            self.emit(Op::ImportFrom, 0, value.0, module.0, index);
            let name = alias.asname.as_ref().unwrap_or(&alias.name);
            self.store_name(name.as_str(), value, alias.range)?;
            self.set_top(value.index());
        }
        self.emit1(Op::Clear, module);
        self.set_top(top);
        Ok(())
    }

    // ---- docstrings ----

    /// The docstring that starts a body, and the rest of the body.
    pub(super) fn take_docstring(&mut self, body: &'a [Stmt]) -> Res<(Option<Const>, &'a [Stmt])> {
        if let Some(Stmt::Expr(first)) = body.first()
            && let Expr::StringLiteral(literal) = &*first.value
        {
            let text = self.string_literal(literal)?;
            let doc = (self.optimize < 2).then(|| Const::Str(clean_docstring(text)));
            return Ok((doc, &body[1..]));
        }
        Ok((None, body))
    }

    /// Stores the docstring of a module or class; gives the statements after it.
    pub(super) fn docstring_of_body(&mut self, body: &'a [Stmt]) -> Res<&'a [Stmt]> {
        let (doc, rest) = self.take_docstring(body)?;
        if let Some(doc) = doc {
            let top = self.top();
            self.u().range = body[0].range();
            let value = self.temp();
            self.load_const(value, doc);
            self.store_var("__doc__", value);
            self.set_top(top);
        }
        Ok(rest)
    }

    pub(super) fn start_of(&self, range: TextRange) -> TextRange {
        TextRange::empty(range.start())
    }

    pub(super) fn is_true(&mut self, e: &Expr) -> Res<Option<bool>> {
        Ok(self.constant(e)?.as_ref().map(fold::truth))
    }
}

/// Removes the common indentation of the lines after the first, and the first line's own, as CPython does since 3.13.
fn clean_docstring(text: lisle_bytecode::Text) -> lisle_bytecode::Text {
    let lisle_bytecode::Text::Utf8(text) = text else {
        return text;
    };
    let expanded = if text.contains('\t') {
        expand_tabs(&text)
    } else {
        text.to_string()
    };
    let first = expanded.trim_start_matches(' ');
    let (_, rest) = first.split_once('\n').unwrap_or((first, ""));
    let margin = rest
        .split('\n')
        .filter(|line| line.chars().any(|c| c != ' '))
        .map(|line| line.len() - line.trim_start_matches(' ').len())
        .min();
    // With no line to measure, blanks stay.
    let margin = margin.unwrap_or(0);
    lisle_bytecode::Text::Utf8(strip_lines(first, margin).into())
}

fn strip_lines(text: &str, margin: usize) -> String {
    let mut lines = text.split('\n');
    let mut out = lines.next().unwrap_or_default().to_string();
    for line in lines {
        out.push('\n');
        let indent = line.len() - line.trim_start_matches(' ').len();
        out.push_str(&line[indent.min(margin)..]);
    }
    out
}

fn expand_tabs(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut col = 0;
    for c in text.chars() {
        match c {
            '\t' => {
                let pad = 8 - col % 8;
                out.extend(std::iter::repeat_n(' ', pad));
                col += pad;
            }
            '\n' => {
                out.push(c);
                col = 0;
            }
            _ => {
                out.push(c);
                col += 1;
            }
        }
    }
    out
}
