//! `try` with all its clauses.
//!
//! A handler owns two registers from its region's depth up: what `sys.exception()` was before, and the exception. While it
//! runs, `cleanup` covers it: an exception that leaves the handler first restores both levels.

use lisle_bytecode::Op;
use ruff_python_ast::{self as ast, ExceptHandler, Identifier, Stmt};
use ruff_text_size::Ranged;

use super::blocks::BlockKind;
use super::{Bits, Codegen, Label, Reg};
use crate::errors::Res;

impl<'a> Codegen<'a> {
    pub(super) fn try_stmt(&mut self, s: &'a ast::StmtTry) -> Res {
        let top = self.top();
        self.emit(Op::Nop, 0, 0, 0, 0);
        if s.finalbody.is_empty() {
            self.try_except(s)?;
        } else {
            self.try_finally(s)?;
        }
        self.set_top(top);
        Ok(())
    }

    fn try_finally(&mut self, s: &'a ast::StmtTry) -> Res {
        let bound = self.unit().bound.clone();
        let (handler, end) = (self.label(), self.label());
        let depth = Reg::temp(self.top());
        self.push_block(BlockKind::Finally(&s.finalbody), Some((handler, depth)));
        if s.handlers.is_empty() {
            self.conditional_stmts(&s.body)?;
            self.conditional_stmts(&s.orelse)?;
        } else {
            self.try_except(s)?;
        }
        let used = self.pop_block();
        self.conditional_stmts(&s.finalbody)?;
        self.jump_over(end);
        self.place_handler(handler, used, bound);
        self.final_handler(&s.finalbody)?;
        self.place(end);
        Ok(())
    }

    /// Runs `body` for an exception that goes on afterwards.
    fn final_handler(&mut self, body: &'a [Stmt]) -> Res {
        let top = self.top();
        let exc = self.temps(2);
        self.silently(|this| this.emit1(Op::PushExc, exc));
        let bound = self.unit().bound.clone();
        let cleanup = self.label();
        self.push_block(BlockKind::Handler { exc, name: None }, Some((cleanup, exc.plus(2))));
        self.conditional_stmts(body)?;
        let used = self.pop_block();
        self.reraise(exc, false);
        self.cleanup(cleanup, used, bound, exc, None);
        self.set_top(top);
        Ok(())
    }

    /// Leaves a handler with its own exception; `back`: the frame then shows the place where that was raised.
    pub(super) fn reraise(&mut self, exc: Reg, back: bool) {
        let top = self.top();
        let error = self.temp();
        self.silently(|this| {
            this.emit2(Op::Move, error, exc.plus(1));
            this.emit1(Op::PopExc, exc);
            this.emit(Op::Reraise, u8::from(back), error.0, 0, 0);
        });
        self.u().reachable = false;
        self.set_top(top);
    }

    /// The handler of a handler: an exception in it goes on once the state before both is restored.
    pub(super) fn cleanup(&mut self, label: Label, used: bool, bound: Bits, exc: Reg, name: Option<&str>) {
        self.place_handler(label, used, bound);
        self.set_top(exc.index() + 2);
        let inner = self.temps(2);
        self.silently(|this| {
            this.emit1(Op::PushExc, inner);
            if let Some(name) = name {
                this.unbind_name(name);
            }
            let error = this.temp();
            this.emit2(Op::Move, error, inner.plus(1));
            this.emit1(Op::PopExc, inner);
            this.emit1(Op::PopExc, exc);
            this.emit(Op::Reraise, 1, error.0, 0, 0);
        });
        self.u().reachable = false;
        self.set_top(exc.index() + 2);
    }

    fn try_except(&mut self, s: &'a ast::StmtTry) -> Res {
        let bound = self.unit().bound.clone();
        let top = self.top();
        let (handler, end) = (self.label(), self.label());
        let depth = Reg::temp(top);
        self.push_block(BlockKind::Try, Some((handler, depth)));
        self.conditional_stmts(&s.body)?;
        let used = self.pop_block();
        self.conditional_stmts(&s.orelse)?;
        self.jump_over(end);
        self.place_handler(handler, used, bound);
        if let Some(first) = s.handlers.first() {
            self.u().range = first.range();
        }
        let exc = self.temps(2);
        self.emit1(Op::PushExc, exc);
        if s.is_star {
            self.star_handlers(s, exc, end)?;
        } else {
            self.handlers(s, exc, end)?;
        }
        self.place(end);
        self.set_top(top);
        Ok(())
    }

    fn handlers(&mut self, s: &'a ast::StmtTry, exc: Reg, end: Label) -> Res {
        let bound = self.unit().bound.clone();
        let cleanup = self.label();
        let mut cleanup_used = false;
        let mut named = Vec::new();
        let depth = exc.plus(2);
        for (i, handler) in s.handlers.iter().enumerate() {
            let ExceptHandler::ExceptHandler(handler) = handler;
            self.u().range = handler.range;
            let next = self.label();
            match &handler.type_ {
                Some(type_) => {
                    cleanup_used |= self.protect(cleanup, depth, |this| {
                        let top = this.top();
                        this.u().range = type_.range();
                        let matches = this.temp();
                        let type_ = this.operand_in(type_, matches)?;
                        this.emit3(Op::CheckExcMatch, matches, exc.plus(1), type_);
                        this.jump_truth(matches, next, false);
                        this.set_top(top);
                        Ok(())
                    })?;
                }
                None if i + 1 < s.handlers.len() => {
                    return self.fail(handler.range, "default 'except:' must be last");
                }
                None => {}
            }
            let name = handler.name.as_ref().map(Identifier::as_str);
            let own = self.label();
            if let Some(identifier) = &handler.name {
                let top = self.top();
                let copy = self.temp();
                self.u().range = handler.range;
                self.emit2(Op::Copy, copy, exc.plus(1));
                self.store_name(identifier.as_str(), copy, identifier.range)?;
                self.set_top(top);
            }
            let target = if name.is_some() { own } else { cleanup };
            self.push_block(BlockKind::Handler { exc, name }, Some((target, depth)));
            self.conditional_stmts(&handler.body)?;
            let used = self.pop_block();
            match name {
                Some(name) => named.push((own, used, name)),
                None => cleanup_used |= used,
            }
            self.silently(|this| {
                this.emit1(Op::PopExc, exc);
                if let Some(name) = name {
                    this.unbind_name(name);
                }
                this.jump_over(end);
            });
            self.place(next);
        }
        // Nothing matched.
        if let Some(ExceptHandler::ExceptHandler(last)) = s.handlers.last() {
            self.u().range = last.type_.as_ref().map_or(last.range, |t| t.range());
        }
        self.reraise(exc, false);
        self.cleanup(cleanup, cleanup_used, bound.clone(), exc, None);
        for (label, used, name) in named {
            self.cleanup(label, used, bound.clone(), exc, Some(name));
        }
        Ok(())
    }

    /// `except*`: every clause takes its part of the group; what they raise and what is left is raised at the end.
    fn star_handlers(&mut self, s: &'a ast::StmtTry, exc: Reg, end: Label) -> Res {
        let bound = self.unit().bound.clone();
        let cleanup = self.label();
        let depth = exc.plus(2);
        let raised = self.temp();
        // The rest of the group, and behind it the part that a clause takes.
        let rest = self.temps(2);
        let part = rest.plus(1);
        self.push_block(BlockKind::Star, Some((cleanup, depth)));
        self.emit(Op::BuildList, 0, raised.0, raised.0, 0);
        self.emit2(Op::Copy, rest, exc.plus(1));
        for handler in &s.handlers {
            let ExceptHandler::ExceptHandler(handler) = handler;
            self.u().range = handler.range;
            let Some(type_) = &handler.type_ else {
                return self.fail(handler.range, "expected one or more exception types");
            };
            let top = self.top();
            let next = self.label();
            let type_ = self.operand(type_)?;
            self.emit3(Op::CheckEgMatch, rest, rest, type_);
            self.set_top(top);
            self.jump_op(Op::JumpIfNone, 1, part.0, 0, next);
            if let Some(name) = &handler.name {
                let copy = self.temp();
                self.emit2(Op::Copy, copy, part);
                self.store_name(name.as_str(), copy, name.range)?;
                self.set_top(top);
            }
            let inner_bound = self.unit().bound.clone();
            let caught = self.label();
            self.push_block(BlockKind::Star, Some((caught, Reg::temp(top))));
            self.conditional_stmts(&handler.body)?;
            let used = self.pop_block();
            let done = self.label();
            let name = handler.name.as_ref().map(Identifier::as_str);
            self.u().silent = true;
            if let Some(name) = name {
                self.unbind_name(name);
            }
            self.jump(done);
            self.place_handler(caught, used, inner_bound);
            let inner = self.temps(2);
            self.emit1(Op::PushExc, inner);
            let error = self.temp();
            self.emit2(Op::Copy, error, inner.plus(1));
            self.emit2(Op::ListAppend, raised, error);
            if let Some(name) = name {
                self.unbind_name(name);
            }
            self.emit1(Op::PopExc, inner);
            self.set_top(top);
            self.place(done);
            self.place(next);
            self.emit1(Op::Clear, part);
            self.u().silent = false;
        }
        self.u().silent = true;
        self.u().range = s.handlers.first().map_or(s.range, Ranged::range);
        self.emit2(Op::ListAppend, raised, rest);
        let original = self.temp();
        self.emit2(Op::Copy, original, exc.plus(1));
        let error = self.temp();
        self.emit3(Op::PrepReraiseStar, error, original, raised);
        let used = self.pop_block();
        let nothing = self.label();
        self.jump_op(Op::JumpIfNone, 1, error.0, 0, nothing);
        self.emit1(Op::PopExc, exc);
        self.emit1(Op::Reraise, error);
        self.u().reachable = false;
        self.place(nothing);
        self.emit1(Op::Clear, error);
        self.emit1(Op::PopExc, exc);
        self.jump_over(end);
        self.cleanup(cleanup, used, bound, exc, None);
        self.u().silent = false;
        Ok(())
    }
}
