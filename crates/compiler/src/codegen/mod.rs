//! Code generator: AST and symbol table to register bytecode.
//!
//! One `Unit` per code object. Temporaries are a stack (`top`): an expression leaves nothing above its result. Code after
//! a jump, `return` or `raise` is not emitted (`reachable`), though it is still walked for its errors.

mod annotations;
mod assemble;
mod assign;
mod blocks;
mod calls;
mod class;
mod comprehension;
mod conditions;
mod expr;
mod function;
mod generators;
mod literals;
mod loops;
mod names;
mod pattern;
mod stmt;
pub(crate) mod strings;
mod try_;
mod type_params;
mod with;

use std::collections::HashMap;
use std::rc::Rc;

use lisle_bytecode::{CodeFlags, CodeObject, Const, Op, Text};
use ruff_python_ast::{Expr, Stmt};
use ruff_text_size::{Ranged, TextRange, TextSize};

use crate::errors::{End, Fault, Res, SyntaxErrorKind, Warning, WarningCategory, fault};
use crate::source::LineIndex;
use crate::symtable::{Scope, ScopeId, ScopeKind, Symtable};
use blocks::{Block, Region};

/// What the whole compilation shares.
pub(crate) struct Codegen<'a> {
    pub source: &'a str,
    pub lines: &'a LineIndex,
    pub table: &'a Symtable,
    pub filename: &'a str,
    pub optimize: u8,
    /// Future flags for `co_flags`.
    pub future: u32,
    pub interactive: bool,
    pub top_level_await: bool,
    pub warnings: Vec<Warning>,
    /// Formats of f-strings around the place.
    spec_depth: u32,
    units: Vec<Unit<'a>>,
}

/// A register: its kind in the upper bits, so that the registers of all kinds can be numbered before their counts are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Reg(u32);

const KIND: u32 = 3 << 28;
const LOCAL: u32 = 0;
const CELL: u32 = 1 << 28;
const FREE: u32 = 2 << 28;
const TEMP: u32 = 3 << 28;

impl Reg {
    fn temp(index: u32) -> Reg {
        Reg(TEMP | index)
    }

    fn is_temp(self) -> bool {
        self.0 & KIND == TEMP
    }

    fn is_local(self) -> bool {
        self.0 & KIND == LOCAL
    }

    fn index(self) -> u32 {
        self.0 & !KIND
    }

    /// The register `n` further.
    fn plus(self, n: u32) -> Reg {
        Reg(self.0 + n)
    }
}

/// A jump target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Label(u32);

/// Instruction with operands still to be resolved.
#[derive(Clone, Copy, Debug)]
struct Ins {
    op: Op,
    k: u8,
    a: u32,
    b: u32,
    c: u32,
    target: Option<Label>,
    range: TextRange,
    /// Belongs to no statement: tracers see no line here.
    silent: bool,
    ext: u32,
}

/// A set of local registers.
#[derive(Clone, Default, Debug)]
struct Bits(Vec<u64>);

impl Bits {
    fn get(&self, i: u32) -> bool {
        self.0.get(i as usize / 64).is_some_and(|w| w >> (i % 64) & 1 == 1)
    }

    fn set(&mut self, i: u32) {
        let word = i as usize / 64;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (i % 64);
    }

    fn clear(&mut self, i: u32) {
        if let Some(word) = self.0.get_mut(i as usize / 64) {
            *word &= !(1 << (i % 64));
        }
    }

    fn intersect(&mut self, other: &Bits) {
        self.0.truncate(other.0.len());
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine &= theirs;
        }
    }
}

/// An inlined comprehension that is being compiled: the registers of its variables.
struct CompFrame {
    scope: ScopeId,
    slots: Vec<(Rc<str>, Reg)>,
}

#[derive(PartialEq, Eq, Hash)]
enum ConstKey {
    Int(i64),
    Float(u64),
    Text(Text),
    Other(String),
}

/// A code object in the making.
struct Unit<'a> {
    scope: ScopeId,
    comps: Vec<CompFrame>,
    name: Rc<str>,
    qualname: String,
    private: Option<Rc<str>>,
    flags: u32,
    first_line: u32,
    argcount: u32,
    posonly: u32,
    kwonly: u32,
    code: Vec<Ins>,
    labels: Vec<Option<usize>>,
    label_bound: Vec<Option<Bits>>,
    reachable: bool,
    bound: Bits,
    /// Locals that some statement unbinds.
    deleted: Bits,
    consts: Vec<Const>,
    const_map: HashMap<ConstKey, u32>,
    names: Vec<Rc<str>>,
    name_map: HashMap<Rc<str>, u32>,
    varnames: Vec<Rc<str>>,
    var_map: HashMap<Rc<str>, u32>,
    /// Registers for comprehension variables: name, register, in use.
    pool: Vec<(Rc<str>, Reg, bool)>,
    cells: Vec<Rc<str>>,
    cell_map: HashMap<Rc<str>, Reg>,
    frees: Vec<Rc<str>>,
    free_map: HashMap<Rc<str>, u32>,
    top: u32,
    max_top: u32,
    blocks: Vec<Block<'a>>,
    regions: Vec<Region>,
    range: TextRange,
    /// As in [`Ins`], for what is emitted now.
    silent: bool,
    /// `self.x = ...` of a class's methods.
    static_attributes: Vec<Rc<str>>,
    /// Annotations of a class or module, for its `__annotate__`: target, annotation, number if conditional.
    deferred: Vec<annotations::Deferred<'a>>,
    next_conditional: u32,
    /// How deep in statements that may not be executed.
    conditional_depth: u32,
    /// Where blocks nest too deep, if they do.
    too_nested: Option<TextRange>,
}

impl<'a> Codegen<'a> {
    pub(crate) fn new(source: &'a str, lines: &'a LineIndex, table: &'a Symtable, filename: &'a str) -> Codegen<'a> {
        Codegen {
            source,
            lines,
            table,
            filename,
            optimize: 0,
            future: 0,
            interactive: false,
            top_level_await: false,
            warnings: Vec::new(),
            spec_depth: 0,
            units: Vec::new(),
        }
    }

    /// Compiles a module, or an interactive statement.
    pub(crate) fn module(&mut self, body: &'a [Stmt]) -> Res<CodeObject> {
        self.enter_module();
        self.module_prologue(body)?;
        let rest = if self.interactive {
            body
        } else {
            self.docstring_of_body(body)?
        };
        self.stmts(rest)?;
        self.module_annotations()?;
        self.return_none();
        self.finish()
    }

    /// Compiles an expression for `eval`.
    pub(crate) fn expression(&mut self, body: &'a Expr) -> Res<CodeObject> {
        self.enter_module();
        self.u().range = ruff_text_size::Ranged::range(body);
        let value = self.operand(body)?;
        self.return_register(value);
        self.u().reachable = false;
        self.finish()
    }

    fn enter_module(&mut self) {
        self.push_unit(ScopeId(0), "<module>".into(), "<module>".into(), 1);
        let range = TextRange::empty(TextSize::new(0));
        self.u().range = range;
        self.emit(Op::Resume, 0, 0, 0, 0);
        self.u().flags = self.future;
    }

    // ---- units ----

    fn u(&mut self) -> &mut Unit<'a> {
        self.units.last_mut().expect("a code object is being compiled")
    }

    fn unit(&self) -> &Unit<'a> {
        self.units.last().expect("a code object is being compiled")
    }

    /// Starts the code object of `scope`: registers for its parameters, locals, cells and free variables.
    fn push_unit(&mut self, scope_id: ScopeId, name: Rc<str>, qualname: String, first_line: u32) {
        let table = self.table;
        let scope = table.scope(scope_id);
        let mut unit = Unit {
            scope: scope_id,
            comps: Vec::new(),
            name,
            qualname,
            private: scope.private.clone(),
            flags: 0,
            first_line,
            argcount: 0,
            posonly: 0,
            kwonly: 0,
            code: Vec::new(),
            labels: Vec::new(),
            label_bound: Vec::new(),
            reachable: true,
            bound: Bits::default(),
            deleted: Bits::default(),
            consts: Vec::new(),
            const_map: HashMap::new(),
            names: Vec::new(),
            name_map: HashMap::new(),
            varnames: Vec::new(),
            var_map: HashMap::new(),
            pool: Vec::new(),
            cells: Vec::new(),
            cell_map: HashMap::new(),
            frees: Vec::new(),
            free_map: HashMap::new(),
            top: 0,
            max_top: 0,
            blocks: Vec::new(),
            regions: Vec::new(),
            range: TextRange::default(),
            silent: false,
            static_attributes: Vec::new(),
            deferred: Vec::new(),
            next_conditional: 0,
            conditional_depth: 0,
            too_nested: None,
        };
        unit.number_variables(scope);
        self.units.push(unit);
    }

    fn pop_unit(&mut self) -> Unit<'a> {
        self.units.pop().expect("a code object is being compiled")
    }

    /// Qualified name of something defined in the current unit.
    fn qualname_for(&self, name: &str) -> String {
        let unit = self.unit();
        let mut owner = unit;
        // Type parameter scopes do not show.
        let mut depth = self.units.len() - 1;
        while self.table.scope(owner.scope).kind == ScopeKind::TypeParams && depth > 0 {
            depth -= 1;
            owner = &self.units[depth];
        }
        let scope = self.table.scope(owner.scope);
        match scope.kind {
            ScopeKind::Module => name.to_string(),
            ScopeKind::Class => format!("{}.{name}", owner.qualname),
            _ => format!("{}.<locals>.{name}", owner.qualname),
        }
    }

    fn current_scope(&self) -> &'a Scope {
        self.table.scope(self.unit().scope)
    }

    fn line(&self, range: TextRange) -> u32 {
        self.lines.line(range.start())
    }

    // ---- emitting ----

    fn emit(&mut self, op: Op, k: u8, a: u32, b: u32, c: u32) {
        let unit = self.u();
        if !unit.reachable {
            return;
        }
        let (range, silent) = (unit.range, unit.silent);
        unit.code.push(Ins {
            op,
            k,
            a,
            b,
            c,
            target: None,
            range,
            silent,
            ext: 0,
        });
    }

    fn emit1(&mut self, op: Op, a: Reg) {
        self.emit(op, 0, a.0, 0, 0);
    }

    fn emit2(&mut self, op: Op, a: Reg, b: Reg) {
        self.emit(op, 0, a.0, b.0, 0);
    }

    fn emit3(&mut self, op: Op, a: Reg, b: Reg, c: Reg) {
        self.emit(op, 0, a.0, b.0, c.0);
    }

    fn jump_op(&mut self, op: Op, k: u8, a: u32, b: u32, target: Label) {
        let unit = self.u();
        if !unit.reachable {
            return;
        }
        self.emit(op, k, a, b, 0);
        let unit = self.u();
        unit.code.last_mut().expect("just emitted").target = Some(target);
        let bound = &mut unit.label_bound[target.0 as usize];
        match bound {
            Some(bound) => bound.intersect(&unit.bound),
            None => *bound = Some(unit.bound.clone()),
        }
    }

    fn jump(&mut self, target: Label) {
        self.jump_op(Op::Jump, 0, 0, 0, target);
        self.u().reachable = false;
    }

    fn jump_back(&mut self, target: Label) {
        self.jump_op(Op::JumpBack, 0, 0, 0, target);
        self.u().reachable = false;
    }

    /// A jump from the end of a block, which tracers do not see: it has no line of its own.
    fn jump_silently(&mut self, op: Op, target: Label) {
        self.jump_op(op, 1, 0, 0, target);
        self.u().reachable = false;
    }

    /// A jump over handlers that stand between two statements, which nobody is told of.
    fn jump_over(&mut self, target: Label) {
        self.jump_op(Op::Jump, 3, 0, 0, target);
        self.u().reachable = false;
    }

    fn label(&mut self) -> Label {
        let unit = self.u();
        unit.labels.push(None);
        unit.label_bound.push(None);
        Label(unit.labels.len() as u32 - 1)
    }

    /// The target of forward jumps is here.
    fn place(&mut self, label: Label) {
        let unit = self.u();
        unit.labels[label.0 as usize] = Some(unit.code.len());
        if let Some(bound) = unit.label_bound[label.0 as usize].take() {
            if unit.reachable {
                unit.bound.intersect(&bound);
            } else {
                unit.bound = bound;
            }
            unit.reachable = true;
        }
    }

    /// The target of backward jumps is here: what the loop may unbind is taken for unbound.
    fn place_loop(&mut self, label: Label) {
        let unit = self.u();
        unit.labels[label.0 as usize] = Some(unit.code.len());
        unit.forget_deleted();
    }

    // ---- temporaries ----

    fn temp(&mut self) -> Reg {
        self.temps(1)
    }

    /// `n` adjacent temporaries; the first is returned.
    fn temps(&mut self, n: u32) -> Reg {
        let unit = self.u();
        let first = unit.top;
        unit.top += n;
        unit.max_top = unit.max_top.max(unit.top);
        Reg::temp(first)
    }

    fn top(&self) -> u32 {
        self.unit().top
    }

    fn set_top(&mut self, top: u32) {
        self.u().top = top;
    }

    /// `dst` if it is a temporary, else a new one: a place for intermediate results.
    fn work(&mut self, dst: Reg) -> Reg {
        if dst.is_temp() { dst } else { self.temp() }
    }

    fn move_to(&mut self, dst: Reg, src: Reg) {
        if dst != src {
            self.emit2(if src.is_temp() { Op::Move } else { Op::Copy }, dst, src);
        }
    }

    /// Drops a value that nobody wants.
    fn discard(&mut self, value: Reg) {
        if value.is_temp() {
            self.emit1(Op::Clear, value);
        }
    }

    // ---- constants and names ----

    fn const_index(&mut self, value: Const) -> u32 {
        let key = match &value {
            Const::Int(i) => ConstKey::Int(*i),
            Const::Float(f) => ConstKey::Float(f.to_bits()),
            Const::Str(text) => ConstKey::Text(text.clone()),
            Const::Code(_) => {
                let unit = self.u();
                unit.consts.push(value);
                return unit.consts.len() as u32 - 1;
            }
            other => ConstKey::Other(format!("{other:?}")),
        };
        let unit = self.u();
        if let Some(&index) = unit.const_map.get(&key) {
            return index;
        }
        let index = unit.consts.len() as u32;
        unit.consts.push(value);
        unit.const_map.insert(key, index);
        index
    }

    fn load_const(&mut self, dst: Reg, value: Const) {
        if let Const::Int(i) = value
            && let Ok(small) = i32::try_from(i)
        {
            self.emit(Op::LoadInt, 0, dst.0, small as u32, 0);
            return;
        }
        let index = self.const_index(value);
        self.emit(Op::LoadConst, 0, dst.0, index, 0);
    }

    fn load_str(&mut self, dst: Reg, text: &str) {
        self.load_const(dst, str_const(text));
    }

    fn name_index(&mut self, name: &str) -> u32 {
        let unit = self.u();
        if let Some(&index) = unit.name_map.get(name) {
            return index;
        }
        let index = unit.names.len() as u32;
        let name: Rc<str> = name.into();
        unit.names.push(name.clone());
        unit.name_map.insert(name, index);
        index
    }

    /// A name index for a field of 16 bits.
    fn near_name(&mut self, name: &str) -> Res<u32> {
        let index = self.name_index(name);
        if index > 0xffff {
            return self.too_many("names");
        }
        Ok(index)
    }

    fn too_many<T>(&mut self, what: &str) -> Res<T> {
        let range = self.unit().range;
        Err(Box::new(Fault {
            kind: SyntaxErrorKind::Overflow,
            message: format!("too many {what} in one code object"),
            range: Some(range),
            end: End::Range,
        }))
    }

    fn mangle(&self, name: &str) -> Rc<str> {
        let unit = self.unit();
        self.table.scope(unit.scope).mangle(unit.private.as_deref(), name)
    }

    // ---- leaving ----

    fn return_const(&mut self, value: Const) {
        let index = self.const_index(value);
        let free = self.first_free();
        self.emit(Op::ReturnConst, 0, free.0, index, 0);
        self.u().reachable = false;
    }

    /// The return that no statement says, at the end.
    fn return_none(&mut self) {
        let index = self.const_index(Const::None);
        let free = self.first_free();
        self.emit(Op::ReturnConst, 1, free.0, index, 0);
        self.u().reachable = false;
    }

    /// Returns the value of a register.
    fn return_register(&mut self, value: Reg) {
        let free = self.first_free();
        self.emit2(Op::Return, value, free);
    }

    /// The register above all that are in use.
    fn first_free(&self) -> Reg {
        Reg::temp(self.unit().top)
    }

    fn warn(&mut self, range: TextRange, message: String) {
        self.warn_as(WarningCategory::Syntax, range, message);
    }

    fn warn_as(&mut self, category: WarningCategory, range: TextRange, message: String) {
        let warning = Warning::new(category, self.source, self.lines, range, message);
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    fn fail<T>(&self, range: TextRange, message: impl Into<String>) -> Res<T> {
        fault(range, message)
    }

    /// Runs `body` with the position `range`.
    fn at<T>(&mut self, range: TextRange, body: impl FnOnce(&mut Self) -> T) -> T {
        let old = std::mem::replace(&mut self.u().range, range);
        let silent = std::mem::replace(&mut self.u().silent, false);
        let depth = self.units.len();
        let result = body(self);
        if self.units.len() == depth {
            (self.u().range, self.u().silent) = (old, silent);
        }
        result
    }

    /// Runs `body`, whose code belongs to no statement.
    fn silently<T>(&mut self, body: impl FnOnce(&mut Self) -> T) -> T {
        let old = std::mem::replace(&mut self.u().silent, true);
        let result = body(self);
        self.u().silent = old;
        result
    }

    /// A constant condition is not evaluated, but its line is one that runs.
    fn note_constant(&mut self, test: &Expr) -> Res {
        if self.is_true(test)?.is_some() {
            self.at(test.range(), |this| this.emit(Op::Nop, 0, 0, 0, 0));
        }
        Ok(())
    }

    /// The place of `whole`, an attribute or a call of it: an attribute on a later line than its object is where its name is.
    fn attribute_range(&self, e: &ruff_python_ast::ExprAttribute, whole: TextRange) -> TextRange {
        let name = e.attr.range();
        if self.lines.is_made_up() || self.lines.line(e.range.start()) == self.lines.line(name.end()) {
            return whole;
        }
        TextRange::new(name.start(), whole.end())
    }

    /// A local takes no instruction, but its line is one that runs when that of its attribute is another.
    fn note_object(&mut self, value: Reg, object: &Expr) {
        if !self.lines.is_made_up() && value.is_local() && self.unit().range.start() > object.range().end() {
            self.at(object.range(), |this| this.emit(Op::Nop, 0, 0, 0, 0));
        }
    }

    fn is_generator_like(&self) -> bool {
        self.unit().flags & (CodeFlags::GENERATOR | CodeFlags::COROUTINE | CodeFlags::ASYNC_GENERATOR) != 0
    }
}

impl Unit<'_> {
    fn forget_deleted(&mut self) {
        for (bound, deleted) in self.bound.0.iter_mut().zip(&self.deleted.0) {
            *bound &= !deleted;
        }
    }
}

fn str_const(text: &str) -> Const {
    Const::Str(Text::Utf8(text.into()))
}
