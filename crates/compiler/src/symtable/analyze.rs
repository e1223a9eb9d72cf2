//! Second pass: resolves every name of every scope.
//!
//! A name that a *real* inner function uses makes its owner's variable a cell; a name that only an inlined comprehension
//! uses does not. So the pass hands two sets of free names upwards.

use std::collections::HashSet;
use std::rc::Rc;

use ruff_text_size::TextRange;

use super::{Place, Scope, ScopeId, ScopeKind, Symbol, Symtable, def};
use crate::errors::{Res, fault};

type Names = HashSet<Rc<str>>;

#[derive(Default)]
struct Free {
    /// Captured by closures.
    real: Names,
    /// Used by inlined comprehensions alone.
    inline: Names,
}

pub(super) fn analyze(table: &mut Symtable, root: ScopeId) -> Res {
    analyze_scope(table, root, None, None)?;
    Ok(())
}

/// `class`: the class whose names this scope can see.
fn analyze_scope(table: &mut Symtable, id: ScopeId, bound: Option<&Names>, class: Option<ScopeId>) -> Res<Free> {
    let scope = table.scope(id);
    let (kind, inlined, can_see_class) = (scope.kind, scope.inlined, scope.can_see_class);
    let mut local = Names::new();
    let mut visible = bound.cloned().unwrap_or_default();
    let names = scope.order.clone();
    for name in &names {
        let flags = table.scope(id).flags(name);
        if flags & def::NONLOCAL != 0 && flags & def::GLOBAL == 0 && binds_type_param(table, id, name) {
            let text = format!("nonlocal binding not allowed for type parameter '{name}'");
            return fault(declaration(table.scope(id), name), text);
        }
        // A name that the class binds may be one of the class or of a function around it: only the class and the globals are asked.
        let in_class = class.map_or(0, |class| table.scope(class).flags(name));
        let place = if flags & (def::GLOBAL | def::NONLOCAL | def::BOUND) == 0 && in_class & def::GLOBAL != 0 {
            Place::GlobalExplicit
        } else if flags & (def::GLOBAL | def::NONLOCAL | def::BOUND) == 0
            && in_class & def::BOUND != 0
            && in_class & def::NONLOCAL == 0
        {
            Place::GlobalImplicit
        } else {
            resolve(table.scope(id), name, flags, bound, &mut visible, &mut local)?
        };
        table.scope_mut(id).symbols.get_mut(name).expect("listed symbol").place = place;
    }
    // What the children see: a class hides its own names from them, but hands on what it sees.
    let child_bound = if kind == ScopeKind::Class {
        let mut seen = bound.cloned().unwrap_or_default();
        for name in ["__class__", "__classdict__", "__conditional_annotations__"] {
            seen.insert(name.into());
        }
        seen
    } else if table.scope(id).is_function_like() {
        visible.extend(local.iter().cloned());
        visible
    } else {
        Names::new()
    };
    let mut free = Free::default();
    for child in table.scope(id).children.clone() {
        let seen = match kind {
            _ if !table.scope(child).can_see_class => None,
            ScopeKind::Class => Some(id),
            _ => class,
        };
        let inner = analyze_scope(table, child, Some(&child_bound), seen)?;
        free.real.extend(inner.real);
        free.inline.extend(inner.inline);
    }
    let scope = table.scope_mut(id);
    if scope.is_function_like() {
        for name in &local {
            if free.real.remove(name) {
                scope.symbols.get_mut(name).expect("local symbol").place = Place::Cell;
            }
            free.inline.remove(name);
        }
    } else if kind == ScopeKind::Class {
        scope.needs_class_cell = free.real.remove("__class__");
        scope.needs_classdict = free.real.remove("__classdict__");
        free.real.remove("__conditional_annotations__");
        free.inline.remove("__class__");
    }
    // A free name of a comprehension that is inlined here is this code's own free name.
    if !inlined {
        free.real.extend(std::mem::take(&mut free.inline));
    }
    for name in free.real.iter().chain(&free.inline) {
        match scope.symbols.get_mut(name) {
            Some(symbol) => {
                let class_name = kind == ScopeKind::Class && symbol.flags & (def::BOUND | def::GLOBAL) != 0;
                let beside_class =
                    can_see_class && matches!(symbol.place, Place::GlobalImplicit | Place::GlobalExplicit);
                if class_name || beside_class {
                    symbol.free_through_class = true;
                }
            }
            None if kind != ScopeKind::Module => {
                scope.order.push(name.clone());
                let symbol = Symbol {
                    flags: 0,
                    place: Place::Free,
                    free_through_class: false,
                };
                scope.symbols.insert(name.clone(), symbol);
            }
            None => {}
        }
    }
    // An inlined comprehension's own free names are used in the parent's code, not captured; what its closures capture is.
    for name in &scope.order {
        if scope.symbols[name].place == Place::Free && scope.symbols[name].flags != 0 {
            if inlined {
                free.inline.insert(name.clone());
            } else {
                free.real.insert(name.clone());
            }
        }
    }
    Ok(free)
}

/// Where a scope declares `name` global or nonlocal.
fn declaration(scope: &Scope, name: &Rc<str>) -> TextRange {
    let found = scope.directives.iter().find(|(n, _)| n == name);
    found.map(|&(_, range)| range).unwrap_or_default()
}

/// Whether the nearest binding of `name` around a scope is a type parameter.
fn binds_type_param(table: &Symtable, id: ScopeId, name: &Rc<str>) -> bool {
    let mut parent = table.scope(id).parent;
    while let Some(id) = parent {
        let scope = table.scope(id);
        let flags = scope.flags(name);
        if scope.is_function_like() && flags & def::BOUND != 0 {
            return flags & def::TYPE_PARAM != 0;
        }
        parent = scope.parent;
    }
    false
}

fn resolve(
    scope: &Scope,
    name: &Rc<str>,
    flags: u32,
    bound: Option<&Names>,
    visible: &mut Names,
    local: &mut Names,
) -> Res<Place> {
    let position = || declaration(scope, name);
    if flags & def::GLOBAL != 0 {
        if flags & def::NONLOCAL != 0 {
            return fault(position(), format!("name '{name}' is nonlocal and global"));
        }
        visible.remove(name);
        return Ok(Place::GlobalExplicit);
    }
    if flags & def::NONLOCAL != 0 {
        let Some(bound) = bound.filter(|_| scope.kind != ScopeKind::Module) else {
            return fault(position(), "nonlocal declaration not allowed at module level");
        };
        if !bound.contains(name) {
            return fault(position(), format!("no binding for nonlocal '{name}' found"));
        }
        return Ok(Place::Free);
    }
    if flags & def::BOUND != 0 {
        local.insert(name.clone());
        return Ok(Place::Local);
    }
    if bound.is_some_and(|bound| bound.contains(name)) {
        return Ok(Place::Free);
    }
    Ok(Place::GlobalImplicit)
}
