//! `for` and `while`.

use lisle_bytecode::Op;
use ruff_python_ast as ast;
use ruff_text_size::Ranged;

use super::Codegen;
use super::blocks::BlockKind;
use crate::errors::Res;

impl<'a> Codegen<'a> {
    pub(super) fn while_stmt(&mut self, s: &'a ast::StmtWhile) -> Res {
        let (brk, orelse) = (self.label(), self.label());
        let always = self.is_true(&s.test)?;
        self.note_constant(&s.test)?;
        if always == Some(false) {
            // The body is walked for its errors only.
            let reachable = std::mem::replace(&mut self.u().reachable, false);
            let cont = self.label();
            self.push_block(BlockKind::Loop { brk, cont, iter: None }, None);
            self.conditional_stmts(&s.body)?;
            self.pop_block();
            self.u().reachable = reachable;
            self.conditional_stmts(&s.orelse)?;
            self.place(brk);
            return Ok(());
        }
        // The test stands before the loop and again at its end, so that a turn takes one jump.
        let (top, cont) = (self.label(), self.label());
        self.u().range = s.test.range();
        self.jump_if(&s.test, orelse, false)?;
        self.place_loop(top);
        self.push_block(BlockKind::Loop { brk, cont, iter: None }, None);
        self.conditional_stmts(&s.body)?;
        self.pop_block();
        self.place(cont);
        self.u().range = s.test.range();
        self.jump_if(&s.test, orelse, false)?;
        self.jump_back(top);
        self.place(orelse);
        self.conditional_stmts(&s.orelse)?;
        self.place(brk);
        Ok(())
    }

    pub(super) fn for_stmt(&mut self, s: &'a ast::StmtFor) -> Res {
        if s.is_async {
            return self.async_for(s);
        }
        let saved = self.top();
        let (brk, orelse, head) = (self.label(), self.label(), self.label());
        let iter = self.temp();
        let source = self.operand_in(&s.iter, iter)?;
        self.u().range = s.iter.range();
        self.emit2(Op::GetIter, iter, source);
        self.set_top(iter.index() + 1);
        self.place_loop(head);
        let cont = head;
        let kind = BlockKind::Loop {
            brk,
            cont,
            iter: Some(iter),
        };
        self.for_iter(&s.target, iter, orelse)?;
        self.push_block(kind, None);
        self.conditional_stmts(&s.body)?;
        self.pop_block();
        self.jump_silently(Op::JumpBack, head);
        self.place(orelse);
        self.set_top(saved);
        self.conditional_stmts(&s.orelse)?;
        self.place(brk);
        Ok(())
    }

    /// The next item of `iter` into a target, or to `end`.
    pub(super) fn for_iter(&mut self, target: &'a ast::Expr, iter: super::Reg, end: super::Label) -> Res {
        let top = self.top();
        if let ast::Expr::Name(name) = target
            && let Some(reg) = self.store_register(&name.id)
        {
            self.jump_op(Op::ForIter, 0, reg.0, iter.0, end);
            self.mark_bound(reg);
            return Ok(());
        }
        let item = self.temp();
        self.jump_op(Op::ForIter, 0, item.0, iter.0, end);
        self.store(target, item)?;
        self.set_top(top);
        Ok(())
    }

    fn async_for(&mut self, s: &'a ast::StmtFor) -> Res {
        self.require_async(s.range, "'async for' outside async function")?;
        let saved = self.top();
        let (brk, head) = (self.label(), self.label());
        let iter = self.temp();
        let source = self.operand_in(&s.iter, iter)?;
        self.u().range = s.iter.range();
        self.emit2(Op::GetAIter, iter, source);
        self.set_top(iter.index() + 1);
        self.place_loop(head);
        let bound = self.unit().bound.clone();
        let exhausted = self.label();
        let used = self.async_next(&s.target, iter, exhausted)?;
        let kind = BlockKind::Loop {
            brk,
            cont: head,
            iter: Some(iter),
        };
        self.push_block(kind, None);
        self.conditional_stmts(&s.body)?;
        self.pop_block();
        self.jump_silently(Op::JumpBack, head);
        self.u().range = s.iter.range();
        self.async_end(iter, exhausted, used, bound);
        self.set_top(saved);
        self.conditional_stmts(&s.orelse)?;
        self.place(brk);
        Ok(())
    }

    /// Awaits the next item of `iter` into a target; exhaustion is an exception that goes to `exhausted`.
    pub(super) fn async_next(&mut self, target: &'a ast::Expr, iter: super::Reg, exhausted: super::Label) -> Res<bool> {
        let top = self.top();
        let item = self.temp();
        let depth = super::Reg::temp(top);
        let used = self.protect(exhausted, depth, |this| {
            let awaitable = this.temp();
            this.emit2(Op::GetANext, awaitable, iter);
            this.send_loop(item, awaitable);
            Ok(())
        })?;
        self.set_top(item.index() + 1);
        self.store(target, item)?;
        self.set_top(top);
        Ok(used)
    }

    /// The handler at the end of an `async for`.
    pub(super) fn async_end(&mut self, iter: super::Reg, exhausted: super::Label, used: bool, bound: super::Bits) {
        self.place_handler(exhausted, used, bound);
        let top = self.top();
        let exc = self.temps(2);
        let error = self.temp();
        self.emit1(Op::PushExc, exc);
        self.emit2(Op::Move, error, exc.plus(1));
        self.emit1(Op::PopExc, exc);
        self.emit2(Op::EndAsyncFor, error, iter);
        self.set_top(top);
    }
}
