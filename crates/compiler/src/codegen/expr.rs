//! Expressions.
//!
//! `operand` gives a register that holds the value: a local's own register, or a temporary on top of the stack.
//! `expr` puts the value into a given register; one that is a local is written by the last instruction alone, so that
//! an exception on the way leaves it as it was.

use lisle_bytecode::opcode::{BinOp, CmpOp, INPLACE};
use lisle_bytecode::{Const, Op};
use ruff_python_ast::{self as ast, BoolOp, Expr, Operator, UnaryOp};
use ruff_text_size::{Ranged, TextRange};

use super::names::Var;
use super::{Codegen, Reg};
use crate::errors::Res;
use crate::fold;

/// Items of a display that are built at once.
pub(super) const CHUNK: usize = 64;

impl<'a> Codegen<'a> {
    /// The value of `e` in a local's register or in a new temporary.
    pub(super) fn operand(&mut self, e: &'a Expr) -> Res<Reg> {
        if let Some(reg) = self.local_operand(e) {
            return Ok(reg);
        }
        let dst = self.temp();
        self.expr(e, dst)?;
        Ok(dst)
    }

    /// As `operand`; a temporary is taken from `hint` if that is one.
    pub(super) fn operand_in(&mut self, e: &'a Expr, hint: Reg) -> Res<Reg> {
        if let Some(reg) = self.local_operand(e) {
            return Ok(reg);
        }
        let dst = self.work(hint);
        self.expr(e, dst)?;
        Ok(dst)
    }

    /// The register of a local that no other part of the expression can rebind.
    fn local_operand(&mut self, e: &Expr) -> Option<Reg> {
        let Expr::Name(name) = e else { return None };
        let mangled = self.mangle(&name.id);
        match self.lookup(&mangled) {
            Var::Local { reg, stable: true } => Some(self.at(name.range, |this| this.checked(reg))),
            _ => None,
        }
    }

    /// The value of `e` in a new temporary.
    pub(super) fn expr_temp(&mut self, e: &'a Expr) -> Res<Reg> {
        let dst = self.temp();
        self.expr(e, dst)?;
        Ok(dst)
    }

    /// Evaluates `e` and drops the value.
    pub(super) fn effect(&mut self, e: &'a Expr) -> Res {
        let top = self.top();
        match e {
            Expr::Name(_) if self.local_operand(e).is_some() => {}
            _ => {
                let value = self.expr_temp(e)?;
                self.discard(value);
            }
        }
        self.set_top(top);
        Ok(())
    }

    /// Evaluates `e` into `dst`.
    pub(super) fn expr(&mut self, e: &'a Expr, dst: Reg) -> Res {
        let top = self.top();
        let old = std::mem::replace(&mut self.u().range, e.range());
        self.expr_inner(e, dst)?;
        self.u().range = old;
        self.set_top(top);
        Ok(())
    }

    fn expr_inner(&mut self, e: &'a Expr, dst: Reg) -> Res {
        if let Some(value) = self.constant(e)? {
            self.load_const(dst, value);
            return Ok(());
        }
        match e {
            Expr::BoolOp(e) => self.bool_op(e, dst),
            Expr::Named(e) => self.named(e, dst),
            Expr::BinOp(e) => self.bin_op(e, dst),
            Expr::UnaryOp(e) => self.unary(e, dst),
            Expr::Lambda(e) => self.lambda(e, dst),
            Expr::If(e) => {
                let (otherwise, end) = (self.label(), self.label());
                self.jump_if(&e.test, otherwise, false)?;
                self.expr(&e.body, dst)?;
                self.jump(end);
                self.place(otherwise);
                self.expr(&e.orelse, dst)?;
                self.place(end);
                Ok(())
            }
            Expr::Dict(e) => self.dict(e, dst),
            Expr::Set(e) => self.display(&e.elts, Op::BuildSet, dst),
            Expr::List(e) => self.display(&e.elts, Op::BuildList, dst),
            Expr::Tuple(e) => self.display(&e.elts, Op::BuildTuple, dst),
            Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::Generator(_) => self.comprehension(e, dst),
            Expr::Await(e) => self.await_expr(e, dst),
            Expr::Yield(e) => self.yield_expr(e, dst),
            Expr::YieldFrom(e) => self.yield_from(e, dst),
            Expr::Compare(e) => self.compare(e, dst),
            Expr::Call(e) => self.call(e, dst),
            Expr::FString(e) => self.fstring(e, dst),
            Expr::TString(e) => self.tstring(e, dst),
            Expr::Attribute(e) => self.attribute(e, dst),
            Expr::Subscript(e) => self.subscript(e, dst),
            Expr::Name(e) => self.load_name(&e.id, dst),
            Expr::Slice(e) => self.slice(e, dst),
            Expr::Starred(e) => self.fail(e.range, "can't use starred expression here"),
            Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::NumberLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_) => self.fail(e.range(), "invalid syntax"),
            Expr::IpyEscapeCommand(e) => self.fail(e.range, "invalid syntax"),
        }
    }

    /// The value of a constant expression.
    pub(super) fn constant(&mut self, e: &Expr) -> Res<Option<Const>> {
        fold::constant(e, self)
    }

    /// A constant int that fits an immediate operand.
    pub(super) fn small_int(&mut self, e: &Expr) -> Res<Option<u32>> {
        if !matches!(e, Expr::NumberLiteral(_) | Expr::UnaryOp(_)) {
            return Ok(None);
        }
        Ok(match self.constant(e)? {
            Some(Const::Int(i)) => i16::try_from(i).ok().map(|i| u32::from(i as u16)),
            _ => None,
        })
    }

    fn bool_op(&mut self, e: &'a ast::ExprBoolOp, dst: Reg) -> Res {
        let work = self.work(dst);
        let end = self.label();
        let op = match e.op {
            BoolOp::And => Op::JumpIfFalse,
            BoolOp::Or => Op::JumpIfTrue,
        };
        let Some((last, rest)) = e.values.split_last() else {
            return Ok(());
        };
        for value in rest {
            // A constant that decides nothing is dropped; one that decides ends the chain.
            if let Some(constant) = self.constant(value)? {
                if fold::truth(&constant) == (e.op == BoolOp::Or) {
                    self.load_const(work, constant);
                    self.jump(end);
                }
                continue;
            }
            self.expr(value, work)?;
            self.jump_op(op, 1, work.0, 0, end);
        }
        self.expr(last, work)?;
        self.place(end);
        self.move_to(dst, work);
        Ok(())
    }

    fn named(&mut self, e: &'a ast::ExprNamed, dst: Reg) -> Res {
        let Expr::Name(target) = &*e.target else {
            return self.fail(e.target.range(), "cannot use assignment expressions here");
        };
        let work = self.work(dst);
        self.expr(&e.value, work)?;
        let top = self.top();
        let copy = self.temp();
        self.emit2(Op::Copy, copy, work);
        self.at(target.range, |this| this.store_name(&target.id, copy, target.range))?;
        self.set_top(top);
        self.move_to(dst, work);
        Ok(())
    }

    fn bin_op(&mut self, e: &'a ast::ExprBinOp, dst: Reg) -> Res {
        // The left spine of a chain without recursion.
        let mut chain = vec![e];
        let mut left = &*e.left;
        while let Expr::BinOp(inner) = left {
            if self.constant(left)?.is_some() {
                break;
            }
            chain.push(inner);
            left = &inner.left;
        }
        let work = self.work(dst);
        let mut left = self.operand_in(left, work)?;
        while let Some(op) = chain.pop() {
            let target = if chain.is_empty() { dst } else { work };
            self.u().range = op.range;
            self.binary(op.op, false, target, left, &op.right)?;
            left = target;
        }
        Ok(())
    }

    /// `dst = left <op> right`.
    pub(super) fn binary(&mut self, op: Operator, inplace: bool, dst: Reg, left: Reg, right: &'a Expr) -> Res {
        let flag = if inplace { INPLACE } else { 0 };
        let number = bin_op_number(op);
        if let Some(imm) = self.small_int(right)? {
            let (code, k) = match op {
                Operator::Add => (Op::AddImm, flag),
                Operator::Sub => (Op::SubImm, flag),
                _ => (Op::BinaryImm, number as u8 | flag),
            };
            self.emit(code, k, dst.0, left.0, imm);
            return Ok(());
        }
        let top = self.top();
        let right = self.operand(right)?;
        self.set_top(top);
        let (code, k) = match op {
            Operator::Add => (Op::Add, flag),
            Operator::Sub => (Op::Sub, flag),
            Operator::Mult => (Op::Mul, flag),
            _ => (Op::Binary, number as u8 | flag),
        };
        self.emit(code, k, dst.0, left.0, right.0);
        Ok(())
    }

    fn unary(&mut self, e: &'a ast::ExprUnaryOp, dst: Reg) -> Res {
        if e.op == UnaryOp::Not
            && let Expr::Compare(compare) = &*e.operand
            && compare.ops.len() == 1
            && let ast::CmpOp::Is | ast::CmpOp::IsNot | ast::CmpOp::In | ast::CmpOp::NotIn = compare.ops[0]
        {
            return self.at(compare.range, |this| {
                this.single_compare(compare, compare.ops[0].negate(), dst)
            });
        }
        // Chains of operators without recursion.
        let mut ops = vec![(e.op, e.range)];
        let mut operand = &*e.operand;
        while let Expr::UnaryOp(inner) = operand {
            if self.constant(operand)?.is_some() {
                break;
            }
            ops.push((inner.op, inner.range));
            operand = &inner.operand;
        }
        let work = self.work(dst);
        let mut value = self.operand_in(operand, work)?;
        while let Some((op, range)) = ops.pop() {
            let target = if ops.is_empty() { dst } else { work };
            let op = match op {
                UnaryOp::Invert => Op::Invert,
                UnaryOp::Not => Op::Not,
                UnaryOp::UAdd => Op::Pos,
                UnaryOp::USub => Op::Neg,
            };
            self.u().range = range;
            self.emit2(op, target, value);
            value = target;
        }
        Ok(())
    }

    // ---- comparisons ----

    fn single_compare(&mut self, e: &'a ast::ExprCompare, op: ast::CmpOp, dst: Reg) -> Res {
        let left = self.operand_in(&e.left, dst)?;
        let right = self.compare_operand(op, &e.comparators[0])?;
        self.compare_op(op, dst, left, right);
        Ok(())
    }

    /// The right operand of a comparison; displays after `in` become constants.
    pub(super) fn compare_operand(&mut self, op: ast::CmpOp, e: &'a Expr) -> Res<Reg> {
        if matches!(op, ast::CmpOp::In | ast::CmpOp::NotIn)
            && let Some(value) = fold::membership(e, self)?
        {
            let dst = self.temp();
            self.load_const(dst, value);
            return Ok(dst);
        }
        self.operand(e)
    }

    pub(super) fn compare_op(&mut self, op: ast::CmpOp, dst: Reg, left: Reg, right: Reg) {
        let (code, k) = match op {
            ast::CmpOp::Is => (Op::Is, 0),
            ast::CmpOp::IsNot => (Op::Is, 1),
            ast::CmpOp::In => (Op::Contains, 0),
            ast::CmpOp::NotIn => (Op::Contains, 1),
            other => (Op::Compare, rich(other).map_or(0, |op| op as u8)),
        };
        self.emit(code, k, dst.0, left.0, right.0);
    }

    fn compare(&mut self, e: &'a ast::ExprCompare, dst: Reg) -> Res {
        self.check_compare(e);
        let [op] = *e.ops else {
            return self.compare_chain(e, dst);
        };
        self.single_compare(e, op, dst)
    }

    fn compare_chain(&mut self, e: &'a ast::ExprCompare, dst: Reg) -> Res {
        let work = self.work(dst);
        let end = self.label();
        let mut fails = Vec::new();
        let mut left = self.operand_in(&e.left, work)?;
        // Two registers take turns as the shared middle operand.
        let middles = [self.temp(), self.temp()];
        let last = e.ops.len() - 1;
        for (i, (&op, comparator)) in e.ops.iter().zip(&e.comparators).enumerate() {
            let top = self.top();
            if i == last {
                let right = self.compare_operand(op, comparator)?;
                self.compare_op(op, work, left, right);
                self.set_top(top);
                break;
            }
            let middle = self.operand_in(comparator, middles[i % 2])?;
            let right = self.second_use(middle);
            self.compare_op(op, work, left, right);
            self.set_top(top);
            if middle.is_temp() {
                let fail = self.label();
                self.jump_op(Op::JumpIfFalse, 1, work.0, 0, fail);
                fails.push((fail, middle));
            } else {
                self.jump_op(Op::JumpIfFalse, 1, work.0, 0, end);
            }
            left = middle;
        }
        if !fails.is_empty() {
            self.jump(end);
        }
        for (fail, middle) in fails {
            self.place(fail);
            self.emit1(Op::Clear, middle);
            self.jump(end);
        }
        self.place(end);
        self.move_to(dst, work);
        Ok(())
    }

    /// A value that is needed twice: a copy of it if reading would consume it.
    pub(super) fn second_use(&mut self, value: Reg) -> Reg {
        if !value.is_temp() {
            return value;
        }
        let copy = self.temp();
        self.emit2(Op::Copy, copy, value);
        copy
    }

    // ---- displays ----

    /// A list, set or tuple.
    pub(super) fn display(&mut self, elts: &'a [Expr], build: Op, dst: Reg) -> Res {
        let starred = elts.iter().any(Expr::is_starred_expr);
        if elts.len() <= CHUNK && !starred {
            return self.build(elts, build, dst);
        }
        let tuple = build == Op::BuildTuple;
        let (build, append, extend) = match build {
            Op::BuildSet => (Op::BuildSet, Op::SetAdd, Op::SetUpdate),
            _ => (Op::BuildList, Op::ListAppend, Op::ListExtend),
        };
        let range = self.unit().range;
        let work = self.work(dst);
        let first = elts.iter().take_while(|e| !e.is_starred_expr()).count().min(CHUNK);
        self.build(&elts[..first], build, work)?;
        for e in &elts[first..] {
            let top = self.top();
            if let Expr::Starred(e) = e {
                let value = self.operand(&e.value)?;
                self.emit(extend, u8::from(extend == Op::ListExtend), work.0, value.0, 0);
            } else {
                let value = self.operand(e)?;
                self.emit2(append, work, value);
            }
            self.set_top(top);
        }
        self.u().range = range;
        if tuple {
            self.emit2(Op::ListToTuple, dst, work);
        } else {
            self.move_to(dst, work);
        }
        Ok(())
    }

    /// Values in adjacent temporaries.
    pub(super) fn values(&mut self, elts: &'a [Expr]) -> Res<Reg> {
        let first = Reg::temp(self.top());
        for e in elts {
            self.expr_temp(e)?;
        }
        Ok(first)
    }

    fn build(&mut self, elts: &'a [Expr], build: Op, dst: Reg) -> Res {
        let top = self.top();
        // Constant lists and sets come out of one constant tuple.
        if elts.len() >= 3
            && build != Op::BuildTuple
            && let Some(items) = fold::constants(elts, self)?
        {
            let (extend, items) = match build {
                Op::BuildSet => (Op::SetUpdate, Const::FrozenSet(fold::unique(items))),
                _ => (Op::ListExtend, Const::Tuple(items.into())),
            };
            let work = self.work(dst);
            self.emit(build, 0, work.0, work.0, 0);
            let tuple = self.temp();
            self.load_const(tuple, items);
            self.emit2(extend, work, tuple);
            self.set_top(top);
            self.move_to(dst, work);
            return Ok(());
        }
        let first = self.values(elts)?;
        self.set_top(top);
        self.emit(build, 0, dst.0, first.0, elts.len() as u32);
        Ok(())
    }

    fn dict(&mut self, e: &'a ast::ExprDict, dst: Reg) -> Res {
        let plain = e.items.iter().take_while(|item| item.key.is_some()).count();
        let first = plain.min(CHUNK / 2);
        let whole = first == e.items.len();
        let work = if whole { dst } else { self.work(dst) };
        let top = self.top();
        let base = Reg::temp(top);
        for item in &e.items[..first] {
            if let Some(key) = &item.key {
                self.expr_temp(key)?;
            }
            self.expr_temp(&item.value)?;
        }
        self.set_top(top);
        self.emit(Op::BuildMap, 0, work.0, base.0, first as u32);
        for item in &e.items[first..] {
            let top = self.top();
            match &item.key {
                Some(key) => {
                    let key = self.operand(key)?;
                    let value = self.operand(&item.value)?;
                    self.emit3(Op::MapAdd, work, key, value);
                }
                None => {
                    let value = self.operand(&item.value)?;
                    self.emit2(Op::DictUpdate, work, value);
                }
            }
            self.set_top(top);
        }
        self.move_to(dst, work);
        Ok(())
    }

    // ---- attributes and items ----

    fn attribute(&mut self, e: &'a ast::ExprAttribute, dst: Reg) -> Res {
        if let Expr::Call(call) = &*e.value
            && let Some(base) = self.super_call(call, dst)?
        {
            let name = self.mangle(e.attr.as_str());
            let index = self.near_name(&name)?;
            let k = u8::from(!call.arguments.args.is_empty());
            self.emit(Op::LoadSuperAttr, k, dst.0, base.0, index);
            return Ok(());
        }
        // Long chains lean to the left: without recursion.
        let mut chain = vec![e];
        let mut object = &*e.value;
        while let Expr::Attribute(inner) = object {
            if matches!(&*inner.value, Expr::Call(_)) {
                break;
            }
            chain.push(inner);
            object = &inner.value;
        }
        let work = self.work(dst);
        let mut value = self.operand_in(object, work)?;
        while let Some(attribute) = chain.pop() {
            let target = if chain.is_empty() { dst } else { work };
            let name = self.mangle(attribute.attr.as_str());
            let index = self.near_name(&name)?;
            self.u().range = self.attribute_range(attribute, attribute.range);
            self.note_object(value, object);
            self.emit(Op::LoadAttr, 0, target.0, value.0, index);
            value = target;
        }
        Ok(())
    }

    fn subscript(&mut self, e: &'a ast::ExprSubscript, dst: Reg) -> Res {
        self.check_subscript(e);
        let object = self.operand_in(&e.value, dst)?;
        if let Expr::Slice(slice) = &*e.slice
            && slice.step.is_none()
            && self.constant(&e.slice)?.is_none()
        {
            let bounds = self.slice_bounds(slice)?;
            self.emit3(Op::GetSlice, dst, object, bounds);
            return Ok(());
        }
        let key = self.operand(&e.slice)?;
        self.emit3(Op::GetItem, dst, object, key);
        Ok(())
    }

    /// Start and stop of a slice in two adjacent temporaries.
    pub(super) fn slice_bounds(&mut self, e: &'a ast::ExprSlice) -> Res<Reg> {
        let first = self.temps(2);
        for (i, bound) in [&e.lower, &e.upper].into_iter().enumerate() {
            let dst = first.plus(i as u32);
            match bound {
                Some(bound) => self.expr(bound, dst)?,
                None => self.load_const(dst, Const::None),
            }
        }
        Ok(first)
    }

    fn slice(&mut self, e: &'a ast::ExprSlice, dst: Reg) -> Res {
        let count = if e.step.is_some() { 3 } else { 2 };
        let first = self.temps(count);
        for (i, bound) in [&e.lower, &e.upper, &e.step]
            .into_iter()
            .take(count as usize)
            .enumerate()
        {
            let dst = first.plus(i as u32);
            match bound {
                Some(bound) => self.expr(bound, dst)?,
                None => self.load_const(dst, Const::None),
            }
        }
        self.emit(Op::BuildSlice, 0, dst.0, first.0, count);
        Ok(())
    }

    // ---- warnings on what cannot work ----

    pub(super) fn check_compare(&mut self, e: &ast::ExprCompare) {
        let mut left = &*e.left;
        for (op, right) in e.ops.iter().zip(&e.comparators) {
            if let ast::CmpOp::Is | ast::CmpOp::IsNot = op
                && let Some(kind) = literal_kind(left).or_else(|| literal_kind(right))
            {
                let text = match op {
                    ast::CmpOp::Is => format!("\"is\" with '{kind}' literal. Did you mean \"==\"?"),
                    _ => format!("\"is not\" with '{kind}' literal. Did you mean \"!=\"?"),
                };
                self.warn(e.range, text);
            }
            left = right;
        }
    }

    fn check_subscript(&mut self, e: &ast::ExprSubscript) {
        if let Some(kind) = unsubscriptable(&e.value) {
            self.warn(
                e.range,
                format!("'{kind}' object is not subscriptable; perhaps you missed a comma?"),
            );
            return;
        }
        let container = match &*e.value {
            Expr::StringLiteral(_) | Expr::FString(_) => "str",
            Expr::BytesLiteral(_) => "bytes",
            Expr::List(_) | Expr::ListComp(_) => "list",
            Expr::Tuple(_) => "tuple",
            _ => return,
        };
        let index = match &*e.slice {
            Expr::NumberLiteral(n) if matches!(n.value, ast::Number::Int(_)) => return,
            Expr::BooleanLiteral(_) => return,
            other => match type_name(other) {
                Some(
                    kind @ ("str" | "bytes" | "float" | "complex" | "tuple" | "NoneType" | "ellipsis" | "list" | "dict"
                    | "set" | "generator" | "function"),
                ) => kind,
                _ => return,
            },
        };
        self.warn(
            e.range,
            format!("{container} indices must be integers or slices, not {index}; perhaps you missed a comma?"),
        );
    }

    /// `1()`, `"x"()` and so on.
    pub(super) fn check_callee(&mut self, callee: &Expr, range: TextRange) {
        let uncallable = match callee {
            Expr::Lambda(_) => None,
            other => type_name(other),
        };
        if let Some(kind) = uncallable {
            self.warn(
                range,
                format!("'{kind}' object is not callable; perhaps you missed a comma?"),
            );
        }
    }
}

fn unsubscriptable(e: &Expr) -> Option<&'static str> {
    match type_name(e) {
        Some("str" | "bytes" | "list" | "tuple" | "dict") => None,
        other => other,
    }
}

/// Type of a literal or display.
fn type_name(e: &Expr) -> Option<&'static str> {
    Some(match e {
        Expr::NumberLiteral(n) => match n.value {
            ast::Number::Int(_) => "int",
            ast::Number::Float(_) => "float",
            ast::Number::Complex { .. } => "complex",
        },
        Expr::StringLiteral(_) | Expr::FString(_) => "str",
        Expr::TString(_) => "string.templatelib.Template",
        Expr::BytesLiteral(_) => "bytes",
        Expr::BooleanLiteral(_) => "bool",
        Expr::NoneLiteral(_) => "NoneType",
        Expr::EllipsisLiteral(_) => "ellipsis",
        Expr::List(_) | Expr::ListComp(_) => "list",
        Expr::Tuple(_) => "tuple",
        Expr::Dict(_) | Expr::DictComp(_) => "dict",
        Expr::Set(_) | Expr::SetComp(_) => "set",
        Expr::Generator(_) => "generator",
        Expr::Lambda(_) => "function",
        _ => return None,
    })
}

/// Type of a literal for the warning on `is`.
fn literal_kind(e: &Expr) -> Option<&'static str> {
    match e {
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::BytesLiteral(_) => type_name(e),
        Expr::UnaryOp(u) if u.op == UnaryOp::USub && u.operand.is_number_literal_expr() => type_name(&u.operand),
        Expr::Tuple(t) if t.elts.iter().all(|e| e.is_literal_expr()) => Some("tuple"),
        _ => None,
    }
}

pub(super) fn rich(op: ast::CmpOp) -> Option<CmpOp> {
    Some(match op {
        ast::CmpOp::Eq => CmpOp::Eq,
        ast::CmpOp::NotEq => CmpOp::Ne,
        ast::CmpOp::Lt => CmpOp::Lt,
        ast::CmpOp::LtE => CmpOp::Le,
        ast::CmpOp::Gt => CmpOp::Gt,
        ast::CmpOp::GtE => CmpOp::Ge,
        _ => return None,
    })
}

pub(super) fn bin_op_number(op: Operator) -> BinOp {
    match op {
        Operator::Add => BinOp::Add,
        Operator::Sub => BinOp::Sub,
        Operator::Mult => BinOp::Mul,
        Operator::MatMult => BinOp::MatMul,
        Operator::Div => BinOp::TrueDiv,
        Operator::Mod => BinOp::Mod,
        Operator::Pow => BinOp::Pow,
        Operator::LShift => BinOp::LShift,
        Operator::RShift => BinOp::RShift,
        Operator::BitOr => BinOp::Or,
        Operator::BitXor => BinOp::Xor,
        Operator::BitAnd => BinOp::And,
        Operator::FloorDiv => BinOp::FloorDiv,
    }
}
