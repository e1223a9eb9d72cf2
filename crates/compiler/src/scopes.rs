//! The symbol table for others (`symtable`): plain data, with CPython's numbers.
//!
//! Invariant: comprehensions that are inlined have no scope of their own here: their names are those of the scope around them.

use ruff_python_ast::Mod;

use crate::errors::{Fault, Res, SyntaxError};
use crate::source::{LineIndex, normalize};
use crate::symtable::{Place, ScopeId, ScopeKind, Symbol, Symtable, build, def};
use crate::{Mode, Options, future, limits, parse};

/// A scope.
#[derive(Clone, Debug)]
pub struct ScopeInfo {
    pub name: String,
    /// 0 function, 1 class, 2 module, 3 annotation, 4 type alias, 5 type parameters, 6 type variable.
    pub kind: u8,
    pub line: u32,
    pub nested: bool,
    /// Names with `DEF_*`, `USE` and, from bit 12 on, where the name lives.
    pub symbols: Vec<(String, u32)>,
    /// Parameters.
    pub params: Vec<String>,
    pub children: Vec<ScopeInfo>,
}

impl Drop for ScopeInfo {
    /// Scopes are nested as deep as expressions are, so this is no recursion.
    fn drop(&mut self) {
        let mut inner = std::mem::take(&mut self.children);
        while let Some(mut scope) = inner.pop() {
            inner.append(&mut scope.children);
        }
    }
}

/// The scopes of a program.
pub fn symbol_table(source: &str, mode: Mode, options: &Options) -> Result<ScopeInfo, SyntaxError> {
    let source = normalize(source);
    let lines = LineIndex::new(&source);
    let result: Res<ScopeInfo> = limits::with_stack_for_source(&source, || {
        let (parsed, depth) = parse(&source, mode, options, &lines, &mut Vec::new())?;
        limits::with_stack_for_depth(depth, || {
            let table = match parsed.syntax() {
                Mod::Module(module) => {
                    let future = options.future_flags | future::future_flags(&module.body)?;
                    let annotations = future & lisle_bytecode::CodeFlags::FUTURE_ANNOTATIONS != 0;
                    build(module, &module.body, None, annotations)?
                }
                Mod::Expression(e) => build(e, &[], Some(&e.body), false)?,
            };
            Ok(info(&table, table.root(), &lines))
        })
    });
    result.map_err(|fault: Box<Fault>| fault.into_error(&source, &lines))
}

fn info(table: &Symtable, id: ScopeId, lines: &LineIndex) -> ScopeInfo {
    let scope = table.scope(id);
    let mut out = ScopeInfo {
        name: scope.name.to_string(),
        kind: match scope.kind {
            ScopeKind::Function => 0,
            ScopeKind::Class => 1,
            ScopeKind::Module => 2,
            ScopeKind::Annotation => 3,
            ScopeKind::TypeAlias => 4,
            ScopeKind::TypeParams => 5,
            ScopeKind::TypeVariable => 6,
        },
        line: if scope.kind == ScopeKind::Module {
            0
        } else {
            lines.line(scope.range.start())
        },
        nested: scope.nested,
        symbols: Vec::new(),
        params: scope.params.iter().map(ToString::to_string).collect(),
        children: Vec::new(),
    };
    for name in &scope.order {
        if let Some(symbol) = scope.symbol(name) {
            out.symbols.push((name.to_string(), bits(symbol)));
        }
    }
    add_children(table, id, lines, &mut out);
    out
}

fn add_children(table: &Symtable, id: ScopeId, lines: &LineIndex, out: &mut ScopeInfo) {
    for &child in &table.scope(id).children {
        let scope = table.scope(child);
        if !scope.inlined {
            out.children.push(info(table, child, lines));
            continue;
        }
        for name in &scope.order {
            let known = out.symbols.iter().any(|(known, _)| **known == **name);
            if let Some(symbol) = scope.symbol(name)
                && !known
            {
                out.symbols.push((name.to_string(), bits(symbol)));
            }
        }
        add_children(table, child, lines, out);
    }
}

/// CPython's bits.
fn bits(symbol: Symbol) -> u32 {
    const PAIRS: [(u32, u32); 9] = [
        (def::GLOBAL, 1),
        (def::LOCAL, 1 << 1),
        (def::PARAM, 1 << 2),
        (def::NONLOCAL, 1 << 3),
        (def::USE, 1 << 4),
        (def::IMPORT, 1 << 7),
        (def::ANNOT, 1 << 8),
        (def::COMP_ITER, 1 << 9),
        (def::TYPE_PARAM, 1 << 10),
    ];
    let mut bits = 0;
    for (own, theirs) in PAIRS {
        if symbol.flags & own != 0 {
            bits |= theirs;
        }
    }
    if symbol.free_through_class {
        bits |= 1 << 6;
    }
    let place = match symbol.place {
        Place::Unresolved => 0,
        Place::Local => 1,
        Place::GlobalExplicit => 2,
        Place::GlobalImplicit => 3,
        Place::Free => 4,
        Place::Cell => 5,
    };
    bits | place << 12
}
