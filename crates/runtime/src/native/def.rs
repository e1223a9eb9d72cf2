//! What a native item declares: functions, attributes with accessors, modules.
//! Invariant: all of it is plain `'static` data without references to objects, so declaring costs nothing before import.

use super::args::{Args, Signature};
use crate::object::types::TypeDef;
use crate::object::{Py, Type, Value};
use crate::types::module::Module;
use crate::vm::{Res, Vm};

/// A native function behind its calling convention. Methods get their receiver as `values[0]`.
///
/// Whoever calls the function of a `Method` has checked the receiver's type (the method descriptor does), and for a
/// `ClassMethod` that it is a type: the generated code casts it unchecked.
pub type NativeFn = fn(&Vm, Args<'_>) -> Res<Value>;

/// Makes an attribute of a module at import.
pub type AttrFn = fn(&Vm) -> Res<Value>;

/// A native type's type object.
pub type TypeFn = fn() -> &'static Py<Type>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FnKind {
    Function,
    Method,
    ClassMethod,
    StaticMethod,
}

/// The functions whose calls the instruction loop knows how to do in place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Known {
    /// Another one.
    No,
    Abs,
    /// Of list.
    Append,
    /// Of dict.
    Get,
    IsInstance,
    Len,
    Max,
    Min,
    Ord,
    /// Of list.
    Pop,
}

impl Known {
    pub(crate) const COUNT: usize = Known::Pop as usize + 1;
}

/// A function or method that is implemented in Rust.
pub struct FnDef {
    pub name: &'static str,
    /// `list.append` for methods.
    pub qualname: &'static str,
    /// Module of the function, or of the method's class.
    pub module: &'static str,
    pub doc: Option<&'static str>,
    pub sig: &'static Signature,
    pub func: NativeFn,
    pub kind: FnKind,
    pub known: Known,
}

impl FnDef {
    /// `__text_signature__`.
    pub fn text_signature(&self) -> Option<&'static str> {
        if self.sig.text.is_empty() {
            None
        } else {
            Some(self.sig.text)
        }
    }
}

/// An attribute of instances that is computed in Rust.
pub struct GetSetDef {
    pub name: &'static str,
    pub qualname: &'static str,
    pub doc: Option<&'static str>,
    pub get: fn(&Vm, &Value) -> Res<Value>,
    /// `None` for the value deletes; without a setter the attribute is read-only.
    pub set: Option<fn(&Vm, &Value, Option<&Value>) -> Res<()>>,
    /// Whether the descriptor is a `member_descriptor`, as for what CPython reads from the object's structure.
    pub member: bool,
}

/// A module that is implemented in Rust.
pub struct ModuleDef {
    pub name: &'static str,
    pub doc: Option<&'static str>,
    pub functions: &'static [&'static FnDef],
    pub attrs: &'static [(&'static str, AttrFn)],
    pub types: &'static [TypeFn],
    /// Further definitions of the same module, from other files.
    pub parts: &'static [&'static ModuleDef],
    /// Runs when everything else is in the module.
    pub init: Option<fn(&Vm, &Py<Module>) -> Res<()>>,
}

impl ModuleDef {
    /// This definition and its parts, depth first.
    pub fn all(&'static self) -> Vec<&'static ModuleDef> {
        let mut all = vec![self];
        for part in self.parts {
            all.extend(part.all());
        }
        all
    }
}

/// The methods, accessors and slots of a native class. Implemented by `#[pymethods]`.
pub trait NativeMethods {
    fn define(def: &mut TypeDef);
}
