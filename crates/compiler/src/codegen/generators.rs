//! `yield`, `yield from` and `await`.

use lisle_bytecode::{CodeFlags, Const, Op};
use ruff_python_ast as ast;
use ruff_text_size::TextRange;

use super::{Codegen, Reg};
use crate::errors::Res;
use crate::symtable::ScopeKind;

impl<'a> Codegen<'a> {
    pub(super) fn yield_expr(&mut self, e: &'a ast::ExprYield, dst: Reg) -> Res {
        self.require_function(e.range, "'yield' outside function")?;
        let value = match &e.value {
            Some(value) => self.operand_in(value, dst)?,
            None => {
                let work = self.work(dst);
                self.load_const(work, Const::None);
                work
            }
        };
        self.yield_value(dst, value);
        Ok(())
    }

    /// Yields `value`; what is sent in arrives in `dst`.
    pub(super) fn yield_value(&mut self, dst: Reg, value: Reg) {
        if self.unit().flags & CodeFlags::ASYNC_GENERATOR != 0 {
            let wrapped = self.work(dst);
            self.emit2(Op::AsyncGenWrap, wrapped, value);
            self.emit2(Op::Yield, dst, wrapped);
        } else {
            self.emit2(Op::Yield, dst, value);
        }
    }

    pub(super) fn yield_from(&mut self, e: &'a ast::ExprYieldFrom, dst: Reg) -> Res {
        self.require_function(e.range, "'yield from' outside function")?;
        if self.current_scope().coroutine {
            return self.fail(e.range, "'yield from' inside async function");
        }
        let work = self.work(dst);
        let iter = self.temp();
        let source = self.operand_in(&e.value, iter)?;
        self.emit2(Op::GetYieldFromIter, iter, source);
        self.send_loop_to(work, iter);
        self.move_to(dst, work);
        Ok(())
    }

    pub(super) fn await_expr(&mut self, e: &'a ast::ExprAwait, dst: Reg) -> Res {
        let scope = self.current_scope();
        if !scope.is_function_like() && !self.top_level_await {
            return self.fail(e.range, "'await' outside function");
        }
        self.require_async(e.range, "'await' outside async function")?;
        let work = self.work(dst);
        let awaitable = self.temp();
        let source = self.operand_in(&e.value, awaitable)?;
        self.await_value(work, awaitable, source, 0);
        self.move_to(dst, work);
        Ok(())
    }

    /// Awaits `source`; the result goes to `dst`, a temporary below `awaitable`.
    pub(super) fn await_value(&mut self, dst: Reg, awaitable: Reg, source: Reg, kind: u8) {
        self.emit(Op::GetAwaitable, kind, awaitable.0, source.0, 0);
        self.send_loop_to(dst, awaitable);
    }

    pub(super) fn send_loop(&mut self, dst: Reg, iter: Reg) {
        self.send_loop_to(dst, iter);
    }

    /// Hands on what `iter` yields until it returns; the value goes to `dst`. The `Yield` follows its `Send` directly: the
    /// runtime finds the iterator through it.
    fn send_loop_to(&mut self, dst: Reg, iter: Reg) {
        self.load_const(dst, Const::None);
        let (again, done) = (self.label(), self.label());
        let unit = self.u();
        unit.labels[again.index()] = Some(unit.code.len());
        self.jump_op(Op::Send, 0, dst.0, iter.0, done);
        self.emit(Op::Yield, 1, dst.0, dst.0, 0);
        self.jump_back(again);
        self.place(done);
    }

    fn require_function(&self, range: TextRange, message: &str) -> Res {
        match self.current_scope().kind {
            ScopeKind::Module | ScopeKind::Class => self.fail(range, message),
            _ => Ok(()),
        }
    }

    /// In a coroutine, or where one may be made of the module.
    pub(super) fn require_async(&mut self, range: TextRange, message: &str) -> Res {
        let scope = self.current_scope();
        if scope.coroutine {
            return Ok(());
        }
        if scope.kind == ScopeKind::Module && self.top_level_await {
            self.u().flags |= CodeFlags::COROUTINE;
            return Ok(());
        }
        self.fail(range, message)
    }
}

impl super::Label {
    fn index(self) -> usize {
        self.0 as usize
    }
}
