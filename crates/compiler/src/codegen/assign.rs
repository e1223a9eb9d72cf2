//! Assignment: targets of every kind, augmented assignment, deletion.

use lisle_bytecode::Op;
use ruff_python_ast::{self as ast, Expr, ExprContext};
use ruff_text_size::{Ranged, TextRange};

use super::{Codegen, Reg};
use crate::errors::Res;

/// Targets that are assigned from as many values without a tuple being built.
const MAX_PARALLEL: usize = 16;

impl<'a> Codegen<'a> {
    pub(super) fn assign(&mut self, s: &'a ast::StmtAssign) -> Res {
        if let [target] = &*s.targets {
            return self.assign_one(target, &s.value);
        }
        let top = self.top();
        let value = self.operand(&s.value)?;
        let Some((last, rest)) = s.targets.split_last() else {
            return Ok(());
        };
        for target in rest {
            let top = self.top();
            let copy = self.second_use(value);
            self.store(target, copy)?;
            self.set_top(top);
        }
        self.store(last, value)?;
        self.set_top(top);
        Ok(())
    }

    fn assign_one(&mut self, target: &'a Expr, value: &'a Expr) -> Res {
        let top = self.top();
        if let Expr::Name(name) = target
            && let Some(reg) = self.store_register(&name.id)
            && name.id.as_str() != "__debug__"
        {
            self.expr(value, reg)?;
            self.mark_bound(reg);
            return Ok(());
        }
        if let (Some(targets), Some(values)) = (sequence(target), sequence(value))
            && targets.len() == values.len()
            && (1..=MAX_PARALLEL).contains(&targets.len())
            && !targets.iter().chain(values).any(Expr::is_starred_expr)
            && !matches!(value, Expr::List(_) | Expr::Set(_))
        {
            return self.assign_parallel(targets, values);
        }
        let value = self.operand(value)?;
        self.store(target, value)?;
        self.set_top(top);
        Ok(())
    }

    /// `a, b = x, y`: all values, then all targets from left to right.
    fn assign_parallel(&mut self, targets: &'a [Expr], values: &'a [Expr]) -> Res {
        let top = self.top();
        let mut regs = Vec::with_capacity(values.len());
        for (i, value) in values.iter().enumerate() {
            // A local may stay where it is unless an earlier target overwrites it.
            let borrowed = match value {
                Expr::Name(name) => targets[..i].iter().all(|t| !may_bind(t, &name.id)),
                _ => false,
            };
            let reg = if borrowed {
                self.operand(value)?
            } else {
                self.expr_temp(value)?
            };
            regs.push(reg);
        }
        for (target, reg) in targets.iter().zip(regs) {
            self.store(target, reg)?;
        }
        self.set_top(top);
        Ok(())
    }

    /// Stores `value` (a temporary is consumed) into a target.
    pub(super) fn store(&mut self, target: &'a Expr, value: Reg) -> Res {
        let top = self.top();
        let old = std::mem::replace(&mut self.u().range, target.range());
        match target {
            Expr::Name(e) => self.store_name(&e.id, value, e.range)?,
            Expr::Attribute(e) => {
                if e.attr.as_str() == "__debug__" {
                    return self.fail(e.range, "cannot assign to __debug__");
                }
                self.note_static_attribute(e);
                let object = self.operand(&e.value)?;
                let name = self.mangle(e.attr.as_str());
                let index = self.near_name(&name)?;
                self.u().range = self.attribute_range(e, e.range);
                self.emit(Op::StoreAttr, 0, object.0, index, value.0);
            }
            Expr::Subscript(e) => {
                let object = self.operand(&e.value)?;
                if let Expr::Slice(slice) = &*e.slice
                    && slice.step.is_none()
                    && self.constant(&e.slice)?.is_none()
                {
                    let bounds = self.slice_bounds(slice)?;
                    self.emit3(Op::SetSlice, object, bounds, value);
                } else {
                    let key = self.operand(&e.slice)?;
                    self.emit3(Op::SetItem, object, key, value);
                }
            }
            Expr::Tuple(e) => self.unpack(&e.elts, value, e.range)?,
            Expr::List(e) => self.unpack(&e.elts, value, e.range)?,
            Expr::Starred(e) => return self.fail(e.range, "starred assignment target must be in a list or tuple"),
            other => return self.fail(other.range(), "cannot assign to expression"),
        }
        self.u().range = old;
        self.set_top(top);
        Ok(())
    }

    fn unpack(&mut self, targets: &'a [Expr], value: Reg, range: TextRange) -> Res {
        let starred: Vec<usize> = (0..targets.len()).filter(|&i| targets[i].is_starred_expr()).collect();
        let count = targets.len() as u32;
        let first = Reg::temp(self.top());
        match *starred {
            [] => {
                if count > 0xffff {
                    return self.too_many("assignment targets");
                }
                if let Some(first) = self.adjacent_locals(targets) {
                    self.emit(Op::UnpackSequence, 0, first.0, value.0, count);
                    for i in 0..count {
                        self.mark_bound(first.plus(i));
                    }
                    return Ok(());
                }
                self.temps(count);
                self.emit(Op::UnpackSequence, 0, first.0, value.0, count);
            }
            [star] => {
                let (before, after) = (star as u32, count - star as u32 - 1);
                if before > 0xff || after > 0xff {
                    return self.fail(range, "too many expressions in star-unpacking assignment");
                }
                self.temps(count);
                self.emit(Op::UnpackEx, 0, first.0, value.0, before | after << 8);
            }
            [..] => return self.fail(range, "multiple starred expressions in assignment"),
        }
        for (i, target) in targets.iter().enumerate() {
            let target = match target {
                Expr::Starred(e) => &*e.value,
                other => other,
            };
            self.store(target, first.plus(i as u32))?;
        }
        Ok(())
    }

    /// The first of the registers of `targets`, if these are local variables that lie side by side.
    fn adjacent_locals(&mut self, targets: &'a [Expr]) -> Option<Reg> {
        let mut first = None;
        for (i, target) in targets.iter().enumerate() {
            let Expr::Name(e) = target else { return None };
            if e.id.as_str() == "__debug__" {
                return None;
            }
            let name = self.mangle(&e.id);
            let super::names::Var::Local { reg, .. } = self.lookup(&name) else {
                return None;
            };
            let expected = first.get_or_insert(reg).plus(i as u32);
            if !reg.is_local() || reg != expected {
                return None;
            }
        }
        first
    }

    /// `self.x = ...` in a method counts for `__static_attributes__` of its class.
    fn note_static_attribute(&mut self, e: &ast::ExprAttribute) {
        let Expr::Name(object) = &*e.value else { return };
        if object.id.as_str() != "self" || e.ctx == ExprContext::Load {
            return;
        }
        let table = self.table;
        let name = e.attr.as_str();
        for unit in self.units.iter_mut().rev() {
            if table.scope(unit.scope).kind == crate::symtable::ScopeKind::Class {
                if !unit.static_attributes.iter().any(|n| **n == *name) {
                    unit.static_attributes.push(name.into());
                }
                return;
            }
        }
    }

    // ---- augmented assignment ----

    pub(super) fn aug_assign(&mut self, s: &'a ast::StmtAugAssign) -> Res {
        let top = self.top();
        match &*s.target {
            Expr::Name(e) => match self.store_register(&e.id) {
                Some(reg) => {
                    let mangled = self.mangle(&e.id);
                    let reg = self.at(e.range, |this| this.checked(reg));
                    let stable = matches!(self.lookup(&mangled), super::names::Var::Local { stable: true, .. });
                    let left = if stable {
                        reg
                    } else {
                        let copy = self.temp();
                        self.emit2(Op::Copy, copy, reg);
                        copy
                    };
                    self.binary(s.op, true, reg, left, &s.value)?;
                }
                None => {
                    let value = self.temp();
                    self.at(e.range, |this| this.load_name(&e.id, value))?;
                    self.binary(s.op, true, value, value, &s.value)?;
                    self.at(e.range, |this| this.store_name(&e.id, value, e.range))?;
                }
            },
            Expr::Attribute(e) => {
                self.note_static_attribute(e);
                let object = self.operand(&e.value)?;
                let name = self.mangle(e.attr.as_str());
                let index = self.near_name(&name)?;
                let value = self.temp();
                self.at(e.range, |this| {
                    let object = this.second_use_in(object, value);
                    this.emit(Op::LoadAttr, 0, value.0, object.0, index);
                });
                self.binary(s.op, true, value, value, &s.value)?;
                self.at(e.range, |this| this.emit(Op::StoreAttr, 0, object.0, index, value.0));
            }
            Expr::Subscript(e) => {
                let object = self.operand(&e.value)?;
                let key = self.operand(&e.slice)?;
                let value = self.temp();
                self.at(e.range, |this| {
                    let object = this.second_use_in(object, value);
                    let key = this.second_use(key);
                    this.emit3(Op::GetItem, value, object, key);
                });
                self.set_top(value.index() + 1);
                self.binary(s.op, true, value, value, &s.value)?;
                self.at(e.range, |this| this.emit3(Op::SetItem, object, key, value));
            }
            other => {
                return self.fail(
                    other.range(),
                    format!(
                        "'{}' is an illegal expression for augmented assignment",
                        crate::errors::expr_name(other)
                    ),
                );
            }
        }
        self.set_top(top);
        Ok(())
    }

    /// As `second_use`, with the copy in `place`.
    fn second_use_in(&mut self, value: Reg, place: Reg) -> Reg {
        if !value.is_temp() {
            return value;
        }
        self.emit2(Op::Copy, place, value);
        place
    }

    // ---- deletion ----

    pub(super) fn delete(&mut self, target: &'a Expr) -> Res {
        let top = self.top();
        let old = std::mem::replace(&mut self.u().range, target.range());
        match target {
            Expr::Name(e) => self.delete_name(&e.id),
            Expr::Attribute(e) => {
                let object = self.operand(&e.value)?;
                let name = self.mangle(e.attr.as_str());
                let index = self.near_name(&name)?;
                self.emit(Op::DeleteAttr, 0, object.0, index, 0);
            }
            Expr::Subscript(e) => {
                let object = self.operand(&e.value)?;
                let key = self.operand(&e.slice)?;
                self.emit2(Op::DelItem, object, key);
            }
            Expr::Tuple(e) => e.elts.iter().try_for_each(|e| self.delete(e))?,
            Expr::List(e) => e.elts.iter().try_for_each(|e| self.delete(e))?,
            other => {
                return self.fail(
                    other.range(),
                    format!("cannot delete {}", crate::errors::expr_name(other)),
                );
            }
        }
        self.u().range = old;
        self.set_top(top);
        Ok(())
    }
}

fn sequence(e: &Expr) -> Option<&[Expr]> {
    match e {
        Expr::Tuple(t) => Some(&t.elts),
        Expr::List(l) => Some(&l.elts),
        _ => None,
    }
}

/// Whether storing into `target` may bind `name`.
fn may_bind(target: &Expr, name: &str) -> bool {
    match target {
        Expr::Name(e) => e.id.as_str() == name,
        Expr::Attribute(_) => false,
        Expr::Subscript(_) => false,
        Expr::Tuple(t) => t.elts.iter().any(|e| may_bind(e, name)),
        Expr::List(l) => l.elts.iter().any(|e| may_bind(e, name)),
        Expr::Starred(s) => may_bind(&s.value, name),
        _ => true,
    }
}
