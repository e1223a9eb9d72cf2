//! Classes: the body's code and the call that builds the class.

use lisle_bytecode::opcode::{Common, Intrinsic1};
use lisle_bytecode::{CodeObject, Const, Op};
use ruff_python_ast::{self as ast, Expr};
use ruff_text_size::Ranged;

use super::function::name_tuple;
use super::{Codegen, Reg};
use crate::errors::Res;
use crate::symtable::Role;

impl<'a> Codegen<'a> {
    pub(super) fn class_def(&mut self, s: &'a ast::StmtClassDef) -> Res {
        let top = self.top();
        let range = self.without_decorators(&s.decorator_list, s.range);
        let first_line = self.line(s.decorator_list.first().map_or(s.range, |first| first.range));
        let decorators = self.decorators(&s.decorator_list)?;
        let class = self.temp();
        self.u().range = range;
        match &s.type_params {
            Some(params) => self.generic_class(s, params, class, first_line)?,
            None => self.build_class(s, class, first_line, None)?,
        }
        self.apply_decorators(&s.decorator_list, &decorators, class);
        let value = decorators.first().copied().unwrap_or(class);
        self.u().range = range;
        self.store_name(s.name.as_str(), value, s.name.range)?;
        self.set_top(top);
        Ok(())
    }

    /// `__build_class__(body, name, *bases, **keywords)`; `generic` is a last base in a register.
    pub(super) fn build_class(
        &mut self,
        s: &'a ast::StmtClassDef,
        dst: Reg,
        first_line: u32,
        generic: Option<Reg>,
    ) -> Res {
        let top = self.top();
        let base = self.call_base(dst);
        self.emit(Op::LoadCommon, Common::BuildClass as u8, base.0, 0, 0);
        let function = self.temp();
        let code = self.class_code(s, first_line)?;
        let first = Reg::temp(self.top());
        self.make_function(code, function, first, 0)?;
        self.set_top(function.index() + 1);
        let name = self.temp();
        self.load_str(name, s.name.as_str());
        let plain = s.arguments.as_deref().is_none_or(|arguments| {
            arguments.keywords.iter().all(|k| k.arg.is_some())
                && !arguments.args.iter().any(Expr::is_starred_expr)
                && arguments.args.len() + arguments.keywords.len() < 200
        });
        match &s.arguments {
            None => {
                let mut count = 2;
                if let Some(generic) = generic {
                    let arg = self.temp();
                    self.move_to(arg, generic);
                    count += 1;
                }
                self.emit(Op::Call, 0, base.0, count, dst.0);
            }
            Some(arguments) if plain && generic.is_none() => {
                self.finish_call(base, 0, 2, arguments, dst)?;
            }
            Some(arguments) => {
                // Function, name and bases as one list.
                let list = self.temp();
                self.emit(Op::BuildList, 0, list.0, function.0, 2);
                for arg in &arguments.args {
                    let top = self.top();
                    let (op, value) = match arg {
                        Expr::Starred(e) => (Op::ListExtend, self.operand(&e.value)?),
                        other => (Op::ListAppend, self.operand(other)?),
                    };
                    self.emit(op, u8::from(op == Op::ListExtend), list.0, value.0, 0);
                    self.set_top(top);
                }
                if let Some(generic) = generic {
                    let copy = self.temp();
                    self.move_to(copy, generic);
                    self.emit2(Op::ListAppend, list, copy);
                }
                self.emit2(Op::ListToTuple, function, list);
                self.set_top(function.index() + 1);
                let mut keywords = 0;
                if !arguments.keywords.is_empty() {
                    let map = self.temp();
                    self.keyword_dict(&arguments.keywords, map, base)?;
                    keywords = 1;
                }
                self.emit(Op::CallEx, 0, base.0, keywords, dst.0);
            }
        }
        self.set_top(top);
        Ok(())
    }

    fn class_code(&mut self, s: &'a ast::StmtClassDef, first_line: u32) -> Res<CodeObject> {
        let Some(scope_id) = self.table.find(s, Role::Class) else {
            return self.fail(s.range, "class without a scope");
        };
        let scope = self.table.scope(scope_id);
        let qualname = self.class_qualname(s.name.as_str());
        let start = self.start_of(s.decorator_list.first().map_or(s.range, |first| first.range));
        let future = self.future;
        self.push_unit(scope_id, s.name.as_str().into(), qualname.clone(), first_line);
        self.u().range = start;
        self.u().flags = future;
        self.prologue();
        let value = self.temp();
        self.load_var("__name__", value)?;
        self.store_var("__module__", value);
        self.load_str(value, &qualname);
        self.store_var("__qualname__", value);
        self.load_const(value, Const::Int(first_line.into()));
        self.store_var("__firstlineno__", value);
        if s.type_params.is_some() {
            if let Some(free) = self.unit().free_reg(".type_params") {
                self.emit2(Op::LoadDeref, value, free);
            }
            self.store_var("__type_params__", value);
        }
        if scope.needs_classdict
            && let Some(&cell) = self.unit().cell_map.get("__classdict__")
        {
            self.emit1(Op::LoadLocals, value);
            self.emit2(Op::StoreDeref, cell, value);
        }
        if scope.conditional_annotations
            && let Some(&cell) = self.unit().cell_map.get("__conditional_annotations__")
        {
            self.emit(Op::BuildSet, 0, value.0, value.0, 0);
            self.emit2(Op::StoreDeref, cell, value);
        }
        if scope.annotations_used && self.table.future_annotations {
            self.emit(Op::SetupAnnotations, 0, 0, 0, 0);
        }
        self.set_top(0);
        let body = self.docstring_of_body(&s.body)?;
        self.stmts(body)?;
        self.class_annotations()?;
        self.u().silent = true;
        self.class_epilogue()?;
        self.finish()
    }

    /// `__static_attributes__` and the cells that `__build_class__` fills or reads.
    fn class_epilogue(&mut self) -> Res {
        let value = self.temp();
        let mut attributes = std::mem::take(&mut self.u().static_attributes);
        attributes.sort();
        self.load_const(value, name_tuple(attributes.iter().map(|n| &**n)));
        self.store_var("__static_attributes__", value);
        if let Some(&cell) = self.unit().cell_map.get("__classdict__") {
            self.emit2(Op::Copy, value, cell);
            self.store_var("__classdictcell__", value);
        }
        match self.unit().cell_map.get("__class__").copied() {
            Some(cell) => {
                self.emit2(Op::Copy, value, cell);
                self.store_var("__classcell__", value);
                self.emit2(Op::Copy, value, cell);
                self.return_register(value);
                self.u().reachable = false;
            }
            None => self.return_none(),
        }
        Ok(())
    }

    fn class_qualname(&self, name: &str) -> String {
        let mangled = self.mangle(name);
        let global = self
            .current_scope()
            .symbol(&mangled)
            .is_some_and(|s| s.place == crate::symtable::Place::GlobalExplicit);
        if global {
            name.to_string()
        } else {
            self.qualname_for(name)
        }
    }

    pub(super) fn generic_base(&mut self, params: Reg, dst: Reg) {
        self.emit(Op::Intrinsic1, Intrinsic1::SubscriptGeneric as u8, dst.0, params.0, 0);
    }

    pub(super) fn class_range(&self, s: &ast::StmtClassDef) -> ruff_text_size::TextRange {
        self.without_decorators(&s.decorator_list, s.range())
    }
}
