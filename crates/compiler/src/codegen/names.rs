//! Variables: numbering of their registers, loads, stores and deletions.

use std::rc::Rc;

use lisle_bytecode::Op;
use ruff_text_size::TextRange;

use super::{CELL, Codegen, FREE, LOCAL, Reg, Unit};
use crate::errors::{Res, fault};
use crate::symtable::{Place, Scope, ScopeKind, def};

/// Where a name lives, seen from the code that is being compiled.
#[derive(Clone, Debug)]
pub(super) enum Var {
    /// A register; `stable`: no later part of an expression can rebind it.
    Local {
        reg: Reg,
        stable: bool,
    },
    /// Contents of a cell.
    Cell(Reg),
    /// A free variable in a class body: the class's namespace first.
    ClassFree(Reg),
    Global,
    Name,
    /// In an annotation scope of a class: the class's namespace (in the cell), then the cell or the globals.
    ClassDict {
        dict: Reg,
        cell: Option<Reg>,
    },
}

impl Unit<'_> {
    /// Gives registers to the variables of a scope.
    pub(super) fn number_variables(&mut self, scope: &Scope) {
        if scope.is_function_like() {
            for name in &scope.params {
                let index = self.varnames.len() as u32;
                self.var_map.insert(name.clone(), index);
                // The format of `__annotate__` cannot clash with a name of the program, so it may show without its dot.
                let shown = if &**name == ".format" {
                    "format".into()
                } else {
                    name.clone()
                };
                self.varnames.push(shown);
                self.bound.set(index);
            }
            for name in &scope.order {
                if scope.symbols[name].place == Place::Local && !self.var_map.contains_key(name) {
                    self.var_map.insert(name.clone(), self.varnames.len() as u32);
                    self.varnames.push(name.clone());
                }
            }
            for (name, &index) in &self.var_map {
                if scope.flags(name) & def::DELETED != 0 {
                    self.deleted.set(index);
                }
            }
            for name in scope.sorted(Place::Cell) {
                match self.var_map.get(&name) {
                    Some(&index) => {
                        self.cell_map.insert(name, Reg(LOCAL | index));
                    }
                    None => {
                        self.add_cell(name);
                    }
                }
            }
        } else if scope.kind == ScopeKind::Class {
            for (needed, name) in [
                (scope.needs_class_cell, "__class__"),
                (scope.needs_classdict, "__classdict__"),
                (scope.conditional_annotations, "__conditional_annotations__"),
            ] {
                if needed {
                    self.add_cell(name.into());
                }
            }
        }
        let mut frees = scope.sorted(Place::Free);
        frees.extend(
            scope
                .order
                .iter()
                .filter(|n| scope.symbols[*n].free_through_class)
                .cloned(),
        );
        frees.sort();
        frees.dedup();
        for name in frees {
            self.free_map.insert(name.clone(), self.frees.len() as u32);
            self.frees.push(name);
        }
    }

    fn add_cell(&mut self, name: Rc<str>) -> Reg {
        let reg = Reg(CELL | self.cells.len() as u32);
        self.cells.push(name.clone());
        self.cell_map.insert(name, reg);
        reg
    }

    /// A register for a variable of an inlined comprehension.
    pub(super) fn slot(&mut self, name: &Rc<str>, cell: bool) -> Reg {
        let kind = if cell { CELL } else { LOCAL };
        for (pooled, reg, used) in &mut self.pool {
            if pooled == name && reg.0 & super::KIND == kind && !*used {
                *used = true;
                return *reg;
            }
        }
        let mut shown = name.clone();
        let taken = |n: &Rc<str>| self.varnames.contains(n) || self.cells.contains(n) || self.free_map.contains_key(n);
        while taken(&shown) {
            shown = format!(".{shown}").into();
        }
        let reg = if cell {
            let reg = Reg(CELL | self.cells.len() as u32);
            self.cells.push(shown);
            reg
        } else {
            let reg = Reg(LOCAL | self.varnames.len() as u32);
            self.varnames.push(shown);
            reg
        };
        self.pool.push((name.clone(), reg, true));
        reg
    }

    pub(super) fn free_slot(&mut self, reg: Reg) {
        for (_, pooled, used) in &mut self.pool {
            if *pooled == reg {
                *used = false;
            }
        }
    }

    pub(super) fn free_reg(&self, name: &str) -> Option<Reg> {
        self.free_map.get(name).map(|&index| Reg(FREE | index))
    }
}

impl<'a> Codegen<'a> {
    /// Where `name` (already mangled) lives.
    pub(super) fn lookup(&self, name: &str) -> Var {
        let unit = self.unit();
        // Inlined comprehensions first, from the innermost out.
        for comp in unit.comps.iter().rev() {
            if let Some((_, reg)) = comp.slots.iter().find(|(n, _)| **n == *name) {
                return if reg.is_local() {
                    Var::Local {
                        reg: *reg,
                        stable: true,
                    }
                } else {
                    Var::Cell(*reg)
                };
            }
            let place = self.table.scope(comp.scope).symbol(name).map(|s| s.place);
            match place {
                Some(Place::GlobalExplicit) => return Var::Global,
                Some(Place::GlobalImplicit) => {
                    return match self.table.scope(unit.scope).kind {
                        ScopeKind::Module => Var::Name,
                        _ => Var::Global,
                    };
                }
                _ => {}
            }
        }
        let scope = self.table.scope(unit.scope);
        if !unit.comps.is_empty() && scope.kind == ScopeKind::Class {
            // The class does not exist yet while its body runs.
            if name == "__class__" {
                return Var::Global;
            }
            if let Some(&cell) = unit.cell_map.get(name) {
                return Var::Cell(cell);
            }
            if let Some(free) = unit.free_reg(name) {
                return Var::Cell(free);
            }
        }
        self.lookup_in_scope(scope, name)
    }

    fn lookup_in_scope(&self, scope: &Scope, name: &str) -> Var {
        let unit = self.unit();
        let symbol = scope.symbol(name);
        let place = symbol.map_or(Place::GlobalImplicit, |s| s.place);
        match place {
            Place::Local if scope.is_function_like() => match unit.var_map.get(name) {
                Some(&index) => Var::Local {
                    reg: Reg(LOCAL | index),
                    stable: scope.flags(name) & def::WALRUS == 0,
                },
                None => Var::Global,
            },
            Place::Local | Place::Cell if scope.kind == ScopeKind::Class => Var::Name,
            Place::Local => Var::Name,
            Place::Cell => match unit.cell_map.get(name) {
                Some(&reg) => Var::Cell(reg),
                None => Var::Global,
            },
            Place::Free => {
                let Some(reg) = unit.free_reg(name) else {
                    return Var::Global;
                };
                if scope.kind == ScopeKind::Class {
                    Var::ClassFree(reg)
                } else if scope.can_see_class
                    && !matches!(name, "__classdict__" | "__conditional_annotations__")
                    && !name.starts_with('.')
                {
                    self.class_dict(Some(reg))
                } else {
                    Var::Cell(reg)
                }
            }
            Place::GlobalExplicit => Var::Global,
            Place::GlobalImplicit | Place::Unresolved => {
                if scope.can_see_class && !name.starts_with('.') {
                    self.class_dict(None)
                } else if scope.is_function_like() {
                    Var::Global
                } else {
                    Var::Name
                }
            }
        }
    }

    fn class_dict(&self, cell: Option<Reg>) -> Var {
        match (self.unit().free_reg("__classdict__"), cell) {
            (Some(dict), cell) => Var::ClassDict { dict, cell },
            (None, Some(cell)) => Var::Cell(cell),
            (None, None) => Var::Global,
        }
    }

    /// A local register read as an operand: makes sure that it is bound.
    pub(super) fn checked(&mut self, reg: Reg) -> Reg {
        let unit = self.u();
        if reg.is_local() && unit.reachable && !unit.bound.get(reg.index()) {
            self.emit1(Op::CheckLocal, reg);
            self.u().bound.set(reg.index());
        }
        reg
    }

    pub(super) fn load_name(&mut self, name: &str, dst: Reg) -> Res {
        let name = self.mangle(name);
        self.load_var(&name, dst)
    }

    /// Loads a variable whose name is mangled already.
    pub(super) fn load_var(&mut self, name: &str, dst: Reg) -> Res {
        match self.lookup(name) {
            Var::Local { reg, .. } => {
                let reg = self.checked(reg);
                self.move_to(dst, reg);
            }
            Var::Cell(reg) => self.emit2(Op::LoadDeref, dst, reg),
            Var::ClassFree(reg) => {
                let top = self.top();
                let mapping = self.temp();
                self.emit1(Op::LoadLocals, mapping);
                self.emit3(Op::LoadFromMappingOrDeref, dst, mapping, reg);
                self.emit1(Op::Clear, mapping);
                self.set_top(top);
            }
            Var::ClassDict { dict, cell } => {
                let top = self.top();
                let mapping = self.temp();
                self.emit2(Op::LoadDeref, mapping, dict);
                match cell {
                    Some(cell) => self.emit3(Op::LoadFromMappingOrDeref, dst, mapping, cell),
                    None => {
                        let index = self.near_name(name)?;
                        self.emit(Op::LoadFromMappingOrGlobal, 0, dst.0, mapping.0, index);
                    }
                }
                self.emit1(Op::Clear, mapping);
                self.set_top(top);
            }
            Var::Global => {
                let index = self.name_index(name);
                self.emit(Op::LoadGlobal, 0, dst.0, index, 0);
            }
            Var::Name => {
                let index = self.name_index(name);
                self.emit(Op::LoadName, 0, dst.0, index, 0);
            }
        }
        Ok(())
    }

    /// Stores `src` (a temporary is consumed) under a name that is mangled here.
    pub(super) fn store_name(&mut self, name: &str, src: Reg, range: TextRange) -> Res {
        if name == "__debug__" {
            return fault(range, "cannot assign to __debug__");
        }
        let name = self.mangle(name);
        self.store_var(&name, src);
        Ok(())
    }

    pub(super) fn store_var(&mut self, name: &str, src: Reg) {
        match self.lookup(name) {
            Var::Local { reg, .. } => {
                self.move_to(reg, src);
                self.mark_bound(reg);
            }
            Var::Cell(reg) | Var::ClassFree(reg) | Var::ClassDict { cell: Some(reg), .. } => {
                self.emit2(Op::StoreDeref, reg, src);
            }
            Var::Global | Var::ClassDict { cell: None, .. } => {
                let index = self.name_index(name);
                self.emit(Op::StoreGlobal, 0, src.0, index, 0);
            }
            Var::Name => {
                let index = self.name_index(name);
                self.emit(Op::StoreName, 0, src.0, index, 0);
            }
        }
    }

    pub(super) fn mark_bound(&mut self, reg: Reg) {
        if reg.is_local() && self.unit().reachable {
            self.u().bound.set(reg.index());
        }
    }

    /// The local register that an assignment to `name` may be evaluated into directly.
    pub(super) fn store_register(&self, name: &str) -> Option<Reg> {
        match self.lookup(&self.mangle(name)) {
            Var::Local { reg, .. } => Some(reg),
            _ => None,
        }
    }

    pub(super) fn delete_name(&mut self, name: &str) {
        let name = self.mangle(name);
        match self.lookup(&name) {
            Var::Local { reg, .. } => {
                self.emit1(Op::DeleteLocal, reg);
                self.u().bound.clear(reg.index());
            }
            Var::Cell(reg) | Var::ClassFree(reg) | Var::ClassDict { cell: Some(reg), .. } => {
                self.emit1(Op::DeleteDeref, reg);
            }
            Var::Global | Var::ClassDict { cell: None, .. } => {
                let index = self.name_index(&name);
                self.emit(Op::DeleteGlobal, 0, 0, index, 0);
            }
            Var::Name => {
                let index = self.name_index(&name);
                self.emit(Op::DeleteName, 0, 0, index, 0);
            }
        }
    }

    /// Unbinds the name of an `except ... as` clause, bound or not.
    pub(super) fn unbind_name(&mut self, name: &str) {
        let mangled = self.mangle(name);
        if let Var::Local { reg, .. } = self.lookup(&mangled) {
            self.emit1(Op::Clear, reg);
            self.u().bound.clear(reg.index());
            return;
        }
        let top = self.top();
        let none = self.temp();
        self.load_const(none, lisle_bytecode::Const::None);
        self.store_var(&mangled, none);
        self.set_top(top);
        self.delete_name(name);
    }
}
