//! Comprehensions and generator expressions.
//!
//! List, set and dict comprehensions run in the code around them (PEP 709); their variables have registers of their own.

use lisle_bytecode::{CodeFlags, Const, Op};
use ruff_python_ast::{Comprehension, Expr};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::{Codegen, CompFrame, Reg};
use crate::errors::Res;
use crate::symtable::{CompKind, Place, Role, ScopeId};

/// A comprehension's parts.
#[derive(Clone, Copy)]
struct Parts<'a> {
    kind: CompKind,
    generators: &'a [Comprehension],
    key: Option<&'a Expr>,
    elt: &'a Expr,
    range: TextRange,
}

impl<'a> Codegen<'a> {
    pub(super) fn comprehension(&mut self, e: &'a Expr, dst: Reg) -> Res {
        let table = self.table;
        let (parts, scope) = match e {
            Expr::ListComp(c) => (
                Parts {
                    kind: CompKind::List,
                    generators: &c.generators,
                    key: None,
                    elt: &c.elt,
                    range: c.range,
                },
                table.find(c, Role::Comprehension),
            ),
            Expr::SetComp(c) => (
                Parts {
                    kind: CompKind::Set,
                    generators: &c.generators,
                    key: None,
                    elt: &c.elt,
                    range: c.range,
                },
                table.find(c, Role::Comprehension),
            ),
            Expr::DictComp(c) => {
                let Some(key) = &c.key else {
                    let stars = TextRange::at(c.range.start() + TextSize::new(1), TextSize::new(2));
                    return self.fail(stars, "dict unpacking cannot be used in dict comprehension");
                };
                let parts = Parts {
                    kind: CompKind::Dict,
                    generators: &c.generators,
                    key: Some(key),
                    elt: &c.value,
                    range: c.range,
                };
                (parts, table.find(c, Role::Comprehension))
            }
            Expr::Generator(c) => (
                Parts {
                    kind: CompKind::Generator,
                    generators: &c.generators,
                    key: None,
                    elt: &c.elt,
                    range: c.range,
                },
                table.find(c, Role::Comprehension),
            ),
            other => return self.fail(other.range(), "not a comprehension"),
        };
        if let Expr::Starred(starred) = parts.elt {
            return self.fail(starred.range, "iterable unpacking cannot be used in comprehension");
        }
        let Some(scope_id) = scope else {
            return self.fail(parts.range, "comprehension without a scope");
        };
        let scope = table.scope(scope_id);
        if scope.coroutine && parts.kind != CompKind::Generator {
            let inside = table.scope(self.unit().scope);
            let allowed =
                inside.coroutine || (self.top_level_await && inside.kind == crate::symtable::ScopeKind::Module);
            if !allowed {
                return self.fail(
                    parts.range,
                    "asynchronous comprehension outside of an asynchronous function",
                );
            }
            self.require_async(
                parts.range,
                "asynchronous comprehension outside of an asynchronous function",
            )?;
        }
        if scope.inlined {
            self.inline_comprehension(parts, scope_id, dst)
        } else {
            self.comprehension_function(parts, scope_id, dst)
        }
    }

    fn inline_comprehension(&mut self, parts: Parts<'a>, scope_id: ScopeId, dst: Reg) -> Res {
        let work = self.work(dst);
        let iter = self.temp();
        self.outer_iterator(&parts.generators[0], iter)?;
        self.set_top(iter.index() + 1);
        self.u().range = parts.range;
        let build = match parts.kind {
            CompKind::Set => Op::BuildSet,
            CompKind::Dict => Op::BuildMap,
            _ => Op::BuildList,
        };
        self.emit(build, 0, work.0, work.0, 0);
        self.enter_comprehension(scope_id);
        self.comp_loop(parts, 0, Some(iter), work)?;
        self.leave_comprehension();
        self.move_to(dst, work);
        Ok(())
    }

    /// Registers for the variables of an inlined comprehension.
    fn enter_comprehension(&mut self, scope_id: ScopeId) {
        let scope = self.table.scope(scope_id);
        let mut slots = Vec::new();
        for name in &scope.order {
            let place = scope.symbols[name].place;
            if !matches!(place, Place::Local | Place::Cell) {
                continue;
            }
            let cell = place == Place::Cell;
            let reg = self.u().slot(name, cell);
            if cell {
                self.emit1(Op::Clear, reg);
                self.emit1(Op::MakeCell, reg);
            } else {
                self.u().bound.clear(reg.index());
            }
            slots.push((name.clone(), reg));
        }
        self.u().comps.push(CompFrame { scope: scope_id, slots });
    }

    fn leave_comprehension(&mut self) {
        let Some(frame) = self.u().comps.pop() else { return };
        for (_, reg) in frame.slots {
            self.emit1(Op::Clear, reg);
            if reg.is_local() {
                self.u().bound.clear(reg.index());
            }
            self.u().free_slot(reg);
        }
    }

    /// The iterator over the outermost iterable, which is evaluated outside of the comprehension's scope.
    fn outer_iterator(&mut self, generator: &'a Comprehension, iter: Reg) -> Res {
        let source = self.operand_in(&generator.iter, iter)?;
        self.u().range = generator.iter.range();
        let op = if generator.is_async { Op::GetAIter } else { Op::GetIter };
        self.emit2(op, iter, source);
        Ok(())
    }

    /// One `for` clause and all that is inside it.
    fn comp_loop(&mut self, parts: Parts<'a>, index: usize, given: Option<Reg>, acc: Reg) -> Res {
        let Some(generator) = parts.generators.get(index) else {
            return self.comp_element(parts, acc);
        };
        let top = self.top();
        let iter = match given {
            Some(iter) => iter,
            None => {
                let iter = self.temp();
                self.outer_iterator(generator, iter)?;
                self.set_top(iter.index() + 1);
                iter
            }
        };
        let (head, end) = (self.label(), self.label());
        self.u().range = generator.iter.range();
        self.place_loop(head);
        let bound = self.unit().bound.clone();
        let used = if generator.is_async {
            self.async_next(&generator.target, iter, end)?
        } else {
            self.for_iter(&generator.target, iter, end)?;
            false
        };
        for condition in &generator.ifs {
            let skip = self.label();
            self.jump_if(condition, skip, true)?;
            self.jump_back(head);
            self.place(skip);
        }
        self.comp_loop(parts, index + 1, None, acc)?;
        self.u().range = generator.iter.range();
        self.jump_back(head);
        if generator.is_async {
            self.async_end(iter, end, used, bound);
        } else {
            self.place(end);
        }
        self.set_top(top);
        Ok(())
    }

    fn comp_element(&mut self, parts: Parts<'a>, acc: Reg) -> Res {
        let top = self.top();
        self.u().range = parts.elt.range();
        match parts.kind {
            CompKind::List => {
                let value = self.operand(parts.elt)?;
                self.emit2(Op::ListAppend, acc, value);
            }
            CompKind::Set => {
                let value = self.operand(parts.elt)?;
                self.emit2(Op::SetAdd, acc, value);
            }
            CompKind::Dict => {
                if let Some(key) = parts.key {
                    let key = self.operand(key)?;
                    let value = self.operand(parts.elt)?;
                    self.emit3(Op::MapAdd, acc, key, value);
                }
            }
            CompKind::Generator => {
                let work = self.temp();
                let value = self.operand_in(parts.elt, work)?;
                self.yield_value(work, value);
                self.emit1(Op::Clear, work);
            }
        }
        self.set_top(top);
        Ok(())
    }

    /// A generator expression, or a comprehension in an annotation scope of a class: a function called at once.
    fn comprehension_function(&mut self, parts: Parts<'a>, scope_id: ScopeId, dst: Reg) -> Res {
        let range = parts.range;
        let name = match parts.kind {
            CompKind::List => "<listcomp>",
            CompKind::Set => "<setcomp>",
            CompKind::Dict => "<dictcomp>",
            CompKind::Generator => "<genexpr>",
        };
        let line = self.line(range);
        let start = self.start_of(range);
        let base = self.call_base(dst);
        self.enter_function(scope_id, name.into(), None, line, start);
        self.u().argcount = 1;
        if parts.kind == CompKind::Generator {
            let iter = self.temp();
            self.load_var(".0", iter)?;
            self.comp_loop(parts, 0, Some(iter), iter)?;
            self.u().range = range;
            self.return_const(Const::None);
        } else {
            let acc = self.temp();
            let build = match parts.kind {
                CompKind::Set => Op::BuildSet,
                CompKind::Dict => Op::BuildMap,
                _ => Op::BuildList,
            };
            self.emit(build, 0, acc.0, acc.0, 0);
            let iter = self.temp();
            self.load_var(".0", iter)?;
            self.comp_loop(parts, 0, Some(iter), acc)?;
            self.return_register(acc);
            self.u().reachable = false;
        }
        let coroutine = self.unit().flags & CodeFlags::COROUTINE != 0;
        let code = self.finish()?;
        self.u().range = range;
        let first = Reg::temp(self.top());
        self.make_function(code, base, first, 0)?;
        self.set_top(base.index() + 2);
        let iter = self.temp();
        self.outer_iterator(&parts.generators[0], iter)?;
        self.u().range = range;
        self.emit(Op::Call, 0, base.0, 1, dst.0);
        if coroutine {
            let work = self.work(dst);
            let awaitable = self.temp();
            self.await_value(work, awaitable, dst, 0);
            self.move_to(dst, work);
        }
        Ok(())
    }
}
