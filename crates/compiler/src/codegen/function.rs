//! Functions and lambdas: defaults, closures, decorators, bodies.

use std::rc::Rc;

use lisle_bytecode::{CodeFlags, CodeObject, Const, Op, Text};
use ruff_python_ast::{self as ast, Decorator, Expr, Parameters};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::{Codegen, Reg};
use crate::errors::Res;
use crate::fold;
use crate::symtable::{Place, Role, ScopeId, ScopeKind};

/// Bits of `MakeFunction`'s `k`.
pub(super) mod with {
    pub(in super::super) const DEFAULTS: u8 = 1;
    pub(in super::super) const KWDEFAULTS: u8 = 2;
    pub(in super::super) const ANNOTATE: u8 = 4;
    pub(in super::super) const CLOSURE: u8 = 8;
}

impl<'a> Codegen<'a> {
    pub(super) fn function_def(&mut self, s: &'a ast::StmtFunctionDef) -> Res {
        let top = self.top();
        let range = self.without_decorators(&s.decorator_list, s.range);
        let first_line = self.line(s.decorator_list.first().map_or(s.range, |first| first.range));
        let decorators = self.decorators(&s.decorator_list)?;
        let function = self.temp();
        self.u().range = range;
        match &s.type_params {
            Some(params) => self.generic_function(s, params, function, first_line)?,
            None => self.plain_function(s, function, first_line)?,
        }
        self.apply_decorators(&s.decorator_list, &decorators, function);
        let value = decorators.first().copied().unwrap_or(function);
        self.u().range = range;
        self.store_name(s.name.as_str(), value, s.name.range)?;
        self.set_top(top);
        Ok(())
    }

    /// The statement without its decorators.
    pub(super) fn without_decorators(&self, decorators: &[Decorator], range: TextRange) -> TextRange {
        let Some(last) = decorators.last().filter(|_| !self.lines.is_made_up()) else {
            return range;
        };
        let mut at = last.range.end().to_usize();
        let end = range.end().to_usize();
        // Blanks and comments stand between the decorators and the keyword.
        let bytes = self.source.as_bytes();
        while at < end {
            match bytes[at] {
                b'#' => {
                    while at < end && bytes[at] != b'\n' {
                        at += 1;
                    }
                }
                b' ' | b'\t' | b'\n' | b'\x0c' | b'\\' => at += 1,
                _ => break,
            }
        }
        TextRange::new(TextSize::new(at as u32), range.end())
    }

    /// Evaluates decorators: each leaves room for its argument right where the next one starts.
    pub(super) fn decorators(&mut self, list: &'a [Decorator]) -> Res<Vec<Reg>> {
        let mut regs = Vec::with_capacity(list.len());
        for decorator in list {
            regs.push(self.expr_temp(&decorator.expression)?);
            self.temp();
        }
        Ok(regs)
    }

    pub(super) fn apply_decorators(&mut self, list: &[Decorator], regs: &[Reg], _value: Reg) {
        for (decorator, &reg) in list.iter().zip(regs).rev() {
            self.u().range = decorator.expression.range();
            self.emit(Op::Call, 0, reg.0, 1, reg.0);
        }
    }

    fn plain_function(&mut self, s: &'a ast::StmtFunctionDef, dst: Reg, first_line: u32) -> Res {
        let top = self.top();
        let first = Reg::temp(top);
        let k = self.default_values(&s.parameters)?;
        self.make_def(s, dst, first, k, first_line)?;
        self.set_top(top);
        Ok(())
    }

    /// Makes the function of a `def` whose defaults (as `k` says) stand from `first` on, top of the stack.
    pub(super) fn make_def(
        &mut self,
        s: &'a ast::StmtFunctionDef,
        dst: Reg,
        first: Reg,
        mut k: u8,
        first_line: u32,
    ) -> Res {
        k |= self.annotate_flag(s, first_line)?;
        let code = self.def_code(s, first_line)?;
        self.make_function(code, dst, first, k)
    }

    fn def_code(&mut self, s: &'a ast::StmtFunctionDef, first_line: u32) -> Res<CodeObject> {
        let Some(scope) = self.table.find(s, Role::Function) else {
            return self.fail(s.range, "function without a scope");
        };
        let name: Rc<str> = s.name.as_str().into();
        let start = self.start_of(s.decorator_list.first().map_or(s.range, |first| first.range));
        self.enter_function(scope, name, Some(&s.parameters), first_line, start);
        let (doc, body) = self.take_docstring(&s.body)?;
        if let Some(doc) = doc {
            // The docstring is the first constant.
            self.u().consts.insert(0, doc.clone());
            self.u().const_map.clear();
            self.u().flags |= CodeFlags::HAS_DOCSTRING;
        }
        self.stmts(body)?;
        let last = s.body.last().map_or(s.range, Ranged::range);
        self.u().range = last;
        self.return_none();
        self.finish()
    }

    pub(super) fn lambda(&mut self, e: &'a ast::ExprLambda, dst: Reg) -> Res {
        let first = Reg::temp(self.top());
        let k = match &e.parameters {
            Some(params) => self.default_values(params)?,
            None => 0,
        };
        let Some(scope) = self.table.find(e, Role::Lambda) else {
            return self.fail(e.range, "lambda without a scope");
        };
        let line = self.line(e.range);
        let start = self.start_of(e.range);
        self.enter_function(scope, "<lambda>".into(), e.parameters.as_deref(), line, start);
        let value = self.operand(&e.body)?;
        self.u().range = e.body.range();
        self.return_register(value);
        self.u().reachable = false;
        let code = self.finish()?;
        self.make_function(code, dst, first, k)
    }

    /// Defaults in temporaries on top of the stack; gives the bits that say which are there.
    pub(super) fn default_values(&mut self, params: &'a Parameters) -> Res<u8> {
        let mut k = 0;
        let defaults: Vec<&'a Expr> = params
            .posonlyargs
            .iter()
            .chain(&params.args)
            .filter_map(|p| p.default.as_deref())
            .collect();
        if !defaults.is_empty() {
            k |= with::DEFAULTS;
            let dst = self.temp();
            let top = self.top();
            let mut constants = Vec::with_capacity(defaults.len());
            for default in &defaults {
                match fold::constant(default, self)? {
                    Some(value) => constants.push(value),
                    None => break,
                }
            }
            if constants.len() == defaults.len() {
                self.load_const(dst, Const::Tuple(constants.into()));
            } else {
                let first = Reg::temp(top);
                for default in &defaults {
                    self.expr_temp(default)?;
                }
                self.emit(Op::BuildTuple, 0, dst.0, first.0, defaults.len() as u32);
            }
            self.set_top(top);
        }
        if params.kwonlyargs.iter().any(|p| p.default.is_some()) {
            k |= with::KWDEFAULTS;
            let dst = self.temp();
            let top = self.top();
            let first = Reg::temp(top);
            let mut count = 0;
            for param in &params.kwonlyargs {
                if let Some(default) = &param.default {
                    let key = self.temp();
                    let name = self.mangle(param.parameter.name.as_str());
                    self.load_str(key, &name);
                    self.expr_temp(default)?;
                    count += 1;
                }
            }
            self.emit(Op::BuildMap, 0, dst.0, first.0, count);
            self.set_top(top);
        }
        Ok(k)
    }

    /// Starts a function's code object: counts, flags, prologue.
    pub(super) fn enter_function(
        &mut self,
        scope_id: ScopeId,
        name: Rc<str>,
        params: Option<&Parameters>,
        first_line: u32,
        range: TextRange,
    ) {
        let qualname = self.qualname_of(&name);
        let in_class = self.current_scope().kind == ScopeKind::Class;
        let scope = self.table.scope(scope_id);
        let future = self.future;
        self.push_unit(scope_id, name, qualname, first_line);
        let unit = self.u();
        unit.range = range;
        unit.flags = future | CodeFlags::OPTIMIZED | CodeFlags::NEWLOCALS;
        if scope.nested {
            unit.flags |= CodeFlags::NESTED;
        }
        if in_class && params.is_some() && scope.comp.is_none() {
            unit.flags |= CodeFlags::METHOD;
        }
        unit.flags |= match (scope.generator, scope.coroutine) {
            (true, true) => CodeFlags::ASYNC_GENERATOR,
            (true, false) => CodeFlags::GENERATOR,
            (false, true) => CodeFlags::COROUTINE,
            (false, false) => 0,
        };
        match params {
            Some(params) => {
                unit.posonly = params.posonlyargs.len() as u32;
                unit.argcount = unit.posonly + params.args.len() as u32;
                unit.kwonly = params.kwonlyargs.len() as u32;
                if params.vararg.is_some() {
                    unit.flags |= CodeFlags::VARARGS;
                }
                if params.kwarg.is_some() {
                    unit.flags |= CodeFlags::VARKEYWORDS;
                }
            }
            None => unit.argcount = scope.params.len() as u32,
        }
        self.prologue();
    }

    /// `Resume`, closure and cells.
    pub(super) fn prologue(&mut self) {
        if self.is_generator_like() {
            self.emit(Op::ReturnGenerator, 0, 0, 0, 0);
        }
        self.emit(Op::Resume, 0, 0, 0, 0);
        let frees = self.unit().frees.len() as u32;
        if frees > 0 {
            self.emit(Op::CopyFreeVars, 0, super::FREE, frees, 0);
        }
        let mut cells: Vec<Reg> = self.unit().cell_map.values().copied().collect();
        cells.sort_by_key(|reg| reg.0);
        for cell in cells {
            self.emit1(Op::MakeCell, cell);
        }
    }

    fn qualname_of(&self, name: &str) -> String {
        let parent = self.current_scope();
        let mangled = self.mangle(name);
        if parent
            .symbol(&mangled)
            .is_some_and(|s| s.place == Place::GlobalExplicit)
        {
            return name.to_string();
        }
        self.qualname_for(name)
    }

    /// `dst` = a function of `code`; what `k` names stands from `first` on, the closure is added.
    pub(super) fn make_function(&mut self, code: CodeObject, dst: Reg, first: Reg, mut k: u8) -> Res {
        let frees: Vec<Rc<str>> = code.freevars.iter().map(|n| Rc::from(&**n)).collect();
        if !frees.is_empty() {
            k |= with::CLOSURE;
            let tuple = self.temp();
            let top = self.top();
            let cells = Reg::temp(top);
            for name in &frees {
                let cell = self.cell_of(name);
                let copy = self.temp();
                match cell {
                    Some(cell) => self.emit2(Op::Copy, copy, cell),
                    None => return self.fail(self.unit().range, format!("no cell for '{name}'")),
                }
            }
            self.emit(Op::BuildTuple, 0, tuple.0, cells.0, frees.len() as u32);
            self.set_top(top);
        }
        let index = self.const_index(Const::Code(Box::new(code)));
        if index > 0xffff {
            return self.too_many("constants");
        }
        self.emit(Op::MakeFunction, k, dst.0, index, first.0);
        Ok(())
    }

    /// The register that holds the cell of a variable.
    fn cell_of(&self, name: &str) -> Option<Reg> {
        let unit = self.unit();
        for comp in unit.comps.iter().rev() {
            if let Some((_, reg)) = comp.slots.iter().find(|(n, reg)| **n == *name && !reg.is_local()) {
                return Some(*reg);
            }
        }
        unit.cell_map.get(name).copied().or_else(|| unit.free_reg(name))
    }
}

/// A constant tuple of names.
pub(super) fn name_tuple<'n>(names: impl Iterator<Item = &'n str>) -> Const {
    Const::Tuple(names.map(|n| Const::Str(Text::Utf8(n.into()))).collect())
}
