//! Conditional jumps: `and`, `or`, `not` and comparisons without a bool being made.

use lisle_bytecode::Op;
use ruff_python_ast::{self as ast, BoolOp, Expr, UnaryOp};
use ruff_text_size::Ranged;

use super::expr::rich;
use super::{Codegen, Label, Reg};
use crate::errors::Res;
use crate::fold;

impl<'a> Codegen<'a> {
    /// Jumps to `target` if the truth of `e` is `when`; falls through otherwise.
    pub(super) fn jump_if(&mut self, e: &'a Expr, target: Label, when: bool) -> Res {
        let top = self.top();
        let old = std::mem::replace(&mut self.u().range, e.range());
        self.jump_if_inner(e, target, when)?;
        self.u().range = old;
        self.set_top(top);
        Ok(())
    }

    fn jump_if_inner(&mut self, e: &'a Expr, target: Label, when: bool) -> Res {
        if let Some(value) = self.constant(e)? {
            if fold::truth(&value) == when {
                self.jump(target);
            }
            return Ok(());
        }
        match e {
            Expr::UnaryOp(u) if u.op == UnaryOp::Not => {
                // Chains of `not` without recursion.
                let (mut operand, mut when) = (&*u.operand, !when);
                while let Expr::UnaryOp(inner) = operand
                    && inner.op == UnaryOp::Not
                {
                    operand = &inner.operand;
                    when = !when;
                }
                self.jump_if(operand, target, when)
            }
            Expr::BoolOp(b) => {
                let decides = b.op == BoolOp::Or;
                let Some((last, rest)) = b.values.split_last() else {
                    return Ok(());
                };
                if decides == when {
                    rest.iter().try_for_each(|value| self.jump_if(value, target, when))?;
                    self.jump_if(last, target, when)
                } else {
                    let through = self.label();
                    rest.iter()
                        .try_for_each(|value| self.jump_if(value, through, decides))?;
                    self.jump_if(last, target, when)?;
                    self.place(through);
                    Ok(())
                }
            }
            Expr::Compare(c) => {
                self.check_compare(c);
                self.jump_compare(c, target, when)
            }
            Expr::If(i) => {
                let (otherwise, end) = (self.label(), self.label());
                self.jump_if(&i.test, otherwise, false)?;
                self.jump_if(&i.body, target, when)?;
                self.jump(end);
                self.place(otherwise);
                self.jump_if(&i.orelse, target, when)?;
                self.place(end);
                Ok(())
            }
            _ => {
                let value = self.operand(e)?;
                self.jump_truth(value, target, when);
                Ok(())
            }
        }
    }

    pub(super) fn jump_truth(&mut self, value: Reg, target: Label, when: bool) {
        let op = if when { Op::JumpIfTrue } else { Op::JumpIfFalse };
        self.jump_op(op, 0, value.0, 0, target);
    }

    fn jump_compare(&mut self, e: &'a ast::ExprCompare, target: Label, when: bool) -> Res {
        let left = self.operand(&e.left)?;
        if let [op] = *e.ops {
            return self.jump_single(op, left, &e.comparators[0], target, when);
        }
        // A chain fails as soon as one link does.
        let (fail, end) = (self.label(), self.label());
        let last = e.ops.len() - 1;
        let mut left = left;
        let middles = [self.temp(), self.temp()];
        let mut fails = Vec::new();
        for (i, (&op, comparator)) in e.ops.iter().zip(&e.comparators).enumerate() {
            let top = self.top();
            if i == last {
                self.jump_single(op, left, comparator, if when { target } else { fail }, when)?;
                self.set_top(top);
                break;
            }
            let middle = self.operand_in(comparator, middles[i % 2])?;
            let right = self.second_use(middle);
            let this_fail = if middle.is_temp() {
                let label = self.label();
                fails.push((label, middle));
                label
            } else {
                fail
            };
            self.jump_compared(op, left, right, this_fail, false);
            self.set_top(top);
            left = middle;
        }
        self.jump(end);
        for (label, middle) in fails {
            self.place(label);
            self.emit1(Op::Clear, middle);
            self.jump(fail);
        }
        self.place(fail);
        if !when {
            self.jump(target);
        }
        self.place(end);
        Ok(())
    }

    fn jump_single(&mut self, op: ast::CmpOp, left: Reg, right: &'a Expr, target: Label, when: bool) -> Res {
        if let (ast::CmpOp::Is | ast::CmpOp::IsNot, Expr::NoneLiteral(_)) = (op, right) {
            let none = (op == ast::CmpOp::Is) == when;
            let op = if none { Op::JumpIfNone } else { Op::JumpIfNotNone };
            self.jump_op(op, 0, left.0, 0, target);
            return Ok(());
        }
        if let Some(rich) = rich(op)
            && let Some(imm) = self.small_int(right)?
        {
            let k = rich as u8 | if when { 0 } else { 8 };
            self.jump_op(Op::JumpCmpImm, k, left.0, imm, target);
            return Ok(());
        }
        let right = self.compare_operand(op, right)?;
        self.jump_compared(op, left, right, target, when);
        Ok(())
    }

    fn jump_compared(&mut self, op: ast::CmpOp, left: Reg, right: Reg, target: Label, when: bool) {
        if let Some(rich) = rich(op) {
            let k = rich as u8 | if when { 0 } else { 8 };
            self.jump_op(Op::JumpCmp, k, left.0, right.0, target);
            return;
        }
        let top = self.top();
        let result = self.temp();
        self.compare_op(op, result, left, right);
        self.jump_truth(result, target, when);
        self.set_top(top);
    }
}
