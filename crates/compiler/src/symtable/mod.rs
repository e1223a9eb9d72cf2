//! Symbol table: for every scope of a program, where each of its names lives.
//!
//! Two passes: `build` walks the AST and records definitions and uses; `analyze` resolves them. The code generator finds
//! the scope of a node through the node's address and a `Role`, so the AST must not move between the passes.

mod analyze;
mod build;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use ruff_text_size::TextRange;

pub(crate) use build::{annotation_order, build};

/// Index of a scope.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct ScopeId(pub u32);

/// Which of a node's scopes is meant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Role {
    Module,
    Function,
    Lambda,
    Class,
    Comprehension,
    TypeParams,
    TypeAlias,
    Bound,
    Default,
    /// The `__annotate__` of a function.
    Annotations,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ScopeKind {
    Module,
    Class,
    Function,
    /// `__annotate__` functions.
    Annotation,
    TypeParams,
    TypeAlias,
    /// Bound, constraints or default of a type parameter.
    TypeVariable,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CompKind {
    List,
    Set,
    Dict,
    Generator,
}

impl CompKind {
    pub(crate) fn text(self) -> &'static str {
        match self {
            CompKind::List => "list comprehension",
            CompKind::Set => "set comprehension",
            CompKind::Dict => "dict comprehension",
            CompKind::Generator => "generator expression",
        }
    }
}

/// What a scope says of a name.
pub(crate) mod def {
    pub(crate) const GLOBAL: u32 = 1;
    pub(crate) const LOCAL: u32 = 2;
    pub(crate) const PARAM: u32 = 4;
    pub(crate) const NONLOCAL: u32 = 8;
    pub(crate) const USE: u32 = 16;
    pub(crate) const IMPORT: u32 = 32;
    pub(crate) const ANNOT: u32 = 64;
    pub(crate) const COMP_ITER: u32 = 128;
    pub(crate) const TYPE_PARAM: u32 = 256;
    /// Bound by a walrus of this scope or of an inlined comprehension in it.
    pub(crate) const WALRUS: u32 = 512;
    /// Deleted somewhere (`del`, end of an `except ... as` clause).
    pub(crate) const DELETED: u32 = 1024;
    pub(crate) const BOUND: u32 = LOCAL | PARAM | IMPORT | TYPE_PARAM;
}

/// Where a name lives, seen from one scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    Unresolved,
    Local,
    Cell,
    /// In an enclosing function; for an inlined comprehension: in the scope it is inlined into, or beyond.
    Free,
    GlobalExplicit,
    GlobalImplicit,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Symbol {
    pub flags: u32,
    pub place: Place,
    /// Free in an inner scope although a class binds it itself.
    pub free_through_class: bool,
}

pub(crate) struct Scope {
    pub kind: ScopeKind,
    /// What it is called, and where it is written.
    pub name: Rc<str>,
    pub range: TextRange,
    /// What a lazily evaluated scope is, for messages.
    pub what: &'static str,
    pub parent: Option<ScopeId>,
    pub children: Vec<ScopeId>,
    pub order: Vec<Rc<str>>,
    pub symbols: HashMap<Rc<str>, Symbol>,
    /// Parameters in the order of their registers.
    pub params: Vec<Rc<str>>,
    /// The class whose private names are mangled here.
    pub private: Option<Rc<str>>,
    /// The only names that are mangled here, if not all are: the type parameters of a class, around its body.
    pub mangled_names: Option<Rc<HashSet<Rc<str>>>>,
    pub nested: bool,
    pub generator: bool,
    pub coroutine: bool,
    pub comp: Option<CompKind>,
    pub inlined: bool,
    pub can_see_class: bool,
    pub needs_class_cell: bool,
    pub needs_classdict: bool,
    pub conditional_annotations: bool,
    pub annotations_used: bool,
    pub annotation_scope: Option<ScopeId>,
    /// `return` with a value: its position (an error in an async generator).
    pub returns_value: Option<TextRange>,
    comp_target: bool,
    comp_iter: u32,
    in_conditional: bool,
    directives: Vec<(Rc<str>, TextRange)>,
}

impl Scope {
    /// `name` as this scope knows it.
    pub(crate) fn mangle(&self, private: Option<&str>, name: &str) -> Rc<str> {
        match &self.mangled_names {
            Some(names) if !names.contains(name) => name.into(),
            _ => mangle(private, name),
        }
    }

    pub(crate) fn is_function_like(&self) -> bool {
        !matches!(self.kind, ScopeKind::Module | ScopeKind::Class)
    }

    pub(crate) fn symbol(&self, name: &str) -> Option<Symbol> {
        self.symbols.get(name).copied()
    }

    pub(crate) fn flags(&self, name: &str) -> u32 {
        self.symbols.get(name).map_or(0, |s| s.flags)
    }

    /// Names of the given place, sorted.
    pub(crate) fn sorted(&self, place: Place) -> Vec<Rc<str>> {
        let mut names: Vec<Rc<str>> = self
            .order
            .iter()
            .filter(|n| self.symbols[*n].place == place)
            .cloned()
            .collect();
        names.sort();
        names
    }
}

pub(crate) struct Symtable {
    scopes: Vec<Scope>,
    by_node: HashMap<(usize, Role), ScopeId>,
    pub future_annotations: bool,
}

impl Symtable {
    pub(crate) fn scope(&self, id: ScopeId) -> &Scope {
        &self.scopes[id.0 as usize]
    }

    /// The scope of the whole program.
    pub(crate) fn root(&self) -> ScopeId {
        ScopeId(0)
    }

    fn scope_mut(&mut self, id: ScopeId) -> &mut Scope {
        &mut self.scopes[id.0 as usize]
    }

    /// The scope that the first pass made for a node.
    pub(crate) fn find<T>(&self, node: &T, role: Role) -> Option<ScopeId> {
        self.by_node.get(&(address(node), role)).copied()
    }
}

pub(crate) fn address<T>(node: &T) -> usize {
    std::ptr::from_ref(node) as usize
}

/// `__name` inside a class becomes `_Class__name`.
fn mangle(private: Option<&str>, name: &str) -> Rc<str> {
    if let Some(class) = private
        && name.starts_with("__")
        && !name.ends_with("__")
        && !name.contains('.')
    {
        let class = class.trim_start_matches('_');
        if !class.is_empty() {
            return format!("_{class}{name}").into();
        }
    }
    name.into()
}
