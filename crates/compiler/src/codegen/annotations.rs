//! Annotations (PEP 649): kept for `__annotate__` functions, evaluated when somebody asks.

use std::rc::Rc;

use lisle_bytecode::opcode::{CmpOp, Common};
use lisle_bytecode::{CodeFlags, CodeObject, Const, Op};
use ruff_python_ast::{self as ast, Expr, Stmt};
use ruff_text_size::{Ranged, TextRange};

use super::function::with;
use super::{Codegen, Reg};
use crate::errors::Res;
use crate::symtable::{Role, ScopeId, ScopeKind, annotation_order};
use crate::unparse::unparse;

/// The format up to which `__annotate__` functions answer themselves (VALUE_WITH_FAKE_GLOBALS).
const LAST_FORMAT: u32 = 2;

/// An annotation of a class or module.
#[derive(Clone)]
pub(super) struct Deferred<'a> {
    name: Rc<str>,
    annotation: &'a Expr,
    /// Number in `__conditional_annotations__`.
    conditional: Option<u32>,
}

impl<'a> Codegen<'a> {
    pub(super) fn ann_assign(&mut self, s: &'a ast::StmtAnnAssign) -> Res {
        let top = self.top();
        if let Some(value) = &s.value {
            if let Expr::Name(name) = &*s.target
                && let Some(reg) = self.store_register(&name.id)
            {
                self.expr(value, reg)?;
                self.mark_bound(reg);
            } else {
                let value = self.operand(value)?;
                self.store(&s.target, value)?;
            }
            self.set_top(top);
        }
        self.u().range = s.range;
        let kind = self.current_scope().kind;
        let evaluated = matches!(kind, ScopeKind::Module | ScopeKind::Class);
        match &*s.target {
            Expr::Name(name) if s.simple => {
                if evaluated {
                    self.annotate_name(&name.id, &s.annotation)?;
                }
            }
            Expr::Attribute(e) if s.value.is_none() => self.effect(&e.value)?,
            Expr::Subscript(e) if s.value.is_none() => {
                self.effect(&e.value)?;
                self.effect(&e.slice)?;
            }
            _ => {}
        }
        if !s.simple && evaluated && !self.table.future_annotations {
            self.effect(&s.annotation)?;
        }
        self.set_top(top);
        Ok(())
    }

    fn annotate_name(&mut self, name: &str, annotation: &'a Expr) -> Res {
        let name = self.mangle(name);
        if self.table.future_annotations {
            let value = self.temp();
            let text = unparse(annotation, self.source);
            self.load_str(value, &text);
            let mapping = self.temp();
            self.load_var("__annotations__", mapping)?;
            let key = self.temp();
            self.load_str(key, &name);
            self.emit3(Op::SetItem, mapping, key, value);
            return Ok(());
        }
        let module = self.current_scope().kind == ScopeKind::Module;
        let conditional = (module || self.unit().conditional_depth > 0).then(|| {
            let number = self.u().next_conditional;
            self.u().next_conditional += 1;
            number
        });
        if let Some(number) = conditional {
            let set = self.temp();
            match self.unit().cell_map.get("__conditional_annotations__").copied() {
                Some(cell) => self.emit2(Op::LoadDeref, set, cell),
                None => self.load_var("__conditional_annotations__", set)?,
            }
            let item = self.temp();
            self.load_const(item, Const::Int(number.into()));
            self.emit2(Op::SetAdd, set, item);
            self.emit1(Op::Clear, set);
        }
        self.u().deferred.push(Deferred {
            name,
            annotation,
            conditional,
        });
        Ok(())
    }

    /// What a module needs before its first statement.
    pub(super) fn module_prologue(&mut self, _body: &'a [Stmt]) -> Res {
        if self.current_scope().annotations_used && self.table.future_annotations {
            self.emit(Op::SetupAnnotations, 0, 0, 0, 0);
        }
        Ok(())
    }

    /// The module's `__annotate__`, stored before its first statement runs.
    pub(super) fn module_annotations(&mut self) -> Res {
        let reachable = std::mem::replace(&mut self.u().reachable, true);
        let from = self.unit().code.len();
        self.u().range = TextRange::default();
        if !self.unit().deferred.is_empty() {
            let top = self.top();
            let value = self.temp();
            self.emit(Op::BuildSet, 0, value.0, value.0, 0);
            self.store_var("__conditional_annotations__", value);
            self.deferred_annotate(value)?;
            self.store_var("__annotate__", value);
            self.set_top(top);
        }
        self.u().splice(from, 1);
        if self.unit().flags & CodeFlags::COROUTINE != 0 {
            let from = self.unit().code.len();
            self.emit(Op::ReturnGenerator, 0, 0, 0, 0);
            self.u().splice(from, 0);
        }
        self.u().reachable = reachable;
        Ok(())
    }

    pub(super) fn class_annotations(&mut self) -> Res {
        if self.unit().deferred.is_empty() {
            return Ok(());
        }
        let top = self.top();
        let value = self.temp();
        self.deferred_annotate(value)?;
        self.store_var("__annotate_func__", value);
        self.set_top(top);
        Ok(())
    }

    /// `dst` = the `__annotate__` function of the class or module.
    fn deferred_annotate(&mut self, dst: Reg) -> Res {
        let deferred = std::mem::take(&mut self.u().deferred);
        let Some(scope) = self.current_scope().annotation_scope else {
            return self.fail(self.unit().range, "annotations without a scope");
        };
        let items: Vec<_> = deferred
            .into_iter()
            .map(|d| (d.name, d.annotation, d.conditional))
            .collect();
        let line = self.unit().first_line;
        let code = self.annotate_code(scope, items, line)?;
        let first = Reg::temp(self.top());
        self.make_function(code, dst, first, 0)
    }

    /// The annotations of a function, if any, in a temporary; gives the bit for `MakeFunction`.
    pub(super) fn annotate_flag(&mut self, s: &'a ast::StmtFunctionDef, first_line: u32) -> Res<u8> {
        let mut items: Vec<(Rc<str>, &'a Expr, Option<u32>)> = annotation_order(&s.parameters)
            .into_iter()
            .map(|(name, annotation)| (self.mangle(name.as_str()), annotation, None))
            .collect();
        if let Some(returns) = &s.returns {
            items.push(("return".into(), returns, None));
        }
        if items.is_empty() {
            return Ok(0);
        }
        let dst = self.temp();
        let top = self.top();
        let Some(scope) = self.table.find(s, Role::Annotations) else {
            return self.fail(s.range, "annotations without a scope");
        };
        let code = self.annotate_code(scope, items, first_line)?;
        let first = Reg::temp(self.top());
        self.make_function(code, dst, first, 0)?;
        self.set_top(top);
        Ok(with::ANNOTATE)
    }

    fn annotate_code(
        &mut self,
        scope: ScopeId,
        items: Vec<(Rc<str>, &'a Expr, Option<u32>)>,
        first_line: u32,
    ) -> Res<CodeObject> {
        let range = items.first().map_or_else(TextRange::default, |item| item.1.range());
        let start = self.start_of(range);
        self.enter_function(scope, "__annotate__".into(), None, first_line, start);
        self.format_check();
        let map = self.temp();
        self.emit(Op::BuildMap, 0, map.0, map.0, 0);
        for (name, annotation, conditional) in items {
            let top = self.top();
            self.u().range = annotation.range();
            let skip = self.label();
            if let Some(number) = conditional {
                let item = self.temp();
                self.load_const(item, Const::Int(number.into()));
                let set = self.temp();
                self.load_var("__conditional_annotations__", set)?;
                self.emit3(Op::Contains, item, item, set);
                self.jump_truth(item, skip, false);
                self.set_top(top);
            }
            let key = self.temp();
            self.load_str(key, &name);
            let value = self.temp();
            if self.table.future_annotations {
                let text = unparse(annotation, self.source);
                self.load_str(value, &text);
            } else {
                self.maybe_starred(annotation, value)?;
            }
            self.emit3(Op::MapAdd, map, key, value);
            self.place(skip);
            self.set_top(top);
        }
        self.return_register(map);
        self.u().reachable = false;
        self.finish()
    }

    /// Formats beyond the known ones are for the caller to make up: NotImplementedError.
    pub(super) fn format_check(&mut self) {
        self.u().argcount = 1;
        self.u().posonly = 1;
        let known = self.label();
        let format = Reg(super::LOCAL);
        self.jump_op(Op::JumpCmpImm, CmpOp::Gt as u8 | 8, format.0, LAST_FORMAT, known);
        let top = self.top();
        let error = self.temp();
        self.emit(Op::LoadCommon, Common::NotImplementedError as u8, error.0, 0, 0);
        self.emit(Op::Raise, 1, error.0, 0, 0);
        self.u().reachable = false;
        self.set_top(top);
        self.place(known);
    }

    /// An annotation; `*Ts` stands for the one item of `Ts`.
    pub(super) fn maybe_starred(&mut self, e: &'a Expr, dst: Reg) -> Res {
        match e {
            Expr::Starred(starred) => {
                let top = self.top();
                let value = self.operand(&starred.value)?;
                self.emit(Op::UnpackSequence, 0, dst.0, value.0, 1);
                self.set_top(top);
                Ok(())
            }
            other => self.expr(other, dst),
        }
    }
}
