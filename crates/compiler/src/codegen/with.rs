//! `with` and `async with`.

use lisle_bytecode::opcode::Special;
use lisle_bytecode::{Const, Op};
use ruff_python_ast::{self as ast, Stmt, WithItem};
use ruff_text_size::Ranged;

use super::blocks::BlockKind;
use super::{Codegen, Reg};
use crate::errors::Res;

impl<'a> Codegen<'a> {
    pub(super) fn with_stmt(&mut self, s: &'a ast::StmtWith) -> Res {
        if s.is_async {
            self.require_async(s.range, "'async with' outside async function")?;
        }
        self.with_items(&s.items, &s.body, s.is_async)
    }

    fn with_items(&mut self, items: &'a [WithItem], body: &'a [Stmt], is_async: bool) -> Res {
        let Some((item, rest)) = items.split_first() else {
            return self.conditional_stmts(body);
        };
        let saved = self.top();
        let range = item.context_expr.range();
        self.u().range = range;
        let (enter_kind, exit_kind) = if is_async {
            (Special::AEnter, Special::AExit)
        } else {
            (Special::Enter, Special::Exit)
        };
        let exit = self.temps(2);
        let enter = self.temp();
        let context = self.operand_in(&item.context_expr, enter)?;
        self.u().range = range;
        self.set_top(enter.index() + 2);
        self.temps(0);
        let entered = self.label();
        if !is_async {
            self.jump_op(Op::EnterNative, 0, exit.0, context.0, entered);
        }
        self.emit(Op::LoadSpecial, exit_kind as u8, exit.0, context.0, 0);
        self.emit(Op::LoadSpecial, enter_kind as u8, enter.0, context.0, 0);
        self.u().max_top = self.unit().max_top.max(enter.index() + 4);
        self.emit(Op::Call, 1, enter.0, 0, enter.0);
        if is_async {
            let awaitable = enter.plus(1);
            self.await_value(enter, awaitable, enter, 1);
        }
        self.place(entered);
        self.set_top(enter.index());
        let (handler, end) = (self.label(), self.label());
        let bound = self.unit().bound.clone();
        self.push_block(BlockKind::With { exit, is_async, range }, Some((handler, enter)));
        self.set_top(enter.index() + 1);
        match &item.optional_vars {
            Some(target) => self.store(target, enter)?,
            None => self.emit1(Op::Clear, enter),
        }
        self.set_top(enter.index());
        self.with_items(rest, body, is_async)?;
        let used = self.pop_block();
        self.u().range = range;
        self.call_exit(exit, is_async)?;
        self.jump_over(end);
        self.place_handler(handler, used, bound);
        self.exceptional_exit(exit, is_async)?;
        self.place(end);
        self.set_top(saved);
        Ok(())
    }

    /// `__exit__(None, None, None)` on the way out.
    pub(super) fn call_exit(&mut self, exit: Reg, is_async: bool) -> Res {
        let top = self.top();
        let base = if top == exit.index() + 2 {
            exit
        } else {
            let base = self.temps(2);
            self.emit2(Op::Move, base, exit);
            self.emit2(Op::Move, base.plus(1), exit.plus(1));
            base
        };
        let args = self.temps(3);
        let left = self.label();
        if !is_async {
            self.jump_op(Op::ExitNative, 0, base.0, 0, left);
        }
        for i in 0..3 {
            self.load_const(args.plus(i), Const::None);
        }
        self.emit(Op::Call, 1, base.0, 3, base.0);
        if is_async {
            self.await_value(base, base.plus(1), base, 2);
        }
        self.emit1(Op::Clear, base);
        self.place(left);
        self.set_top(top);
        Ok(())
    }

    /// The handler of a `with` body: `__exit__` may swallow the exception.
    fn exceptional_exit(&mut self, exit: Reg, is_async: bool) -> Res {
        let exc = self.temps(2);
        self.emit1(Op::PushExc, exc);
        let bound = self.unit().bound.clone();
        let (cleanup, swallowed) = (self.label(), self.label());
        let result = self.temp();
        let used = self.protect(cleanup, exc.plus(2), |this| {
            this.emit3(Op::WithExceptStart, result, exit, exc.plus(1));
            if is_async {
                let awaitable = this.temp();
                this.await_value(result, awaitable, result, 2);
            }
            this.jump_truth(result, swallowed, true);
            Ok(())
        })?;
        self.set_top(exc.index() + 2);
        self.reraise(exc, true);
        self.cleanup(cleanup, used, bound, exc, None);
        self.place(swallowed);
        self.emit1(Op::PopExc, exc);
        self.emit1(Op::Clear, exit);
        self.emit1(Op::Clear, exit.plus(1));
        Ok(())
    }
}
