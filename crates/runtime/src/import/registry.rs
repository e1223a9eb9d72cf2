//! What upper crates bring in: native modules and the packed Python library.
//!
//! Invariant: both are set once, before the first import, and never change; so a name means the same to all threads.

use crate::import::{imp, library_module, marshal};
use crate::native::{Known, ModuleDef};
use crate::object::{Py, Value};
use crate::sync::{Mutex, OnceBox};
use crate::types::code::Code;
use crate::types::module::Module;
use crate::types::native_function::NativeFunction;
use crate::vm::{Res, Vm};

/// A module of the packed library.
#[derive(Clone, Copy)]
pub struct LibraryModule {
    pub name: &'static str,
    pub is_package: bool,
    /// The serialized code object, verified when it was packed; `None` if the source has to be compiled.
    pub code: Option<&'static [u8]>,
}

/// The packed library.
pub trait Library: Sync {
    /// The folder in which the files seem to lie; it is not on disk.
    fn root(&self) -> &'static str;
    fn find(&self, name: &str) -> Option<LibraryModule>;
    /// All modules, by name.
    fn modules(&self) -> Vec<LibraryModule>;
    /// The text of a module.
    fn source(&self, name: &str) -> Option<Vec<u8>>;
    /// The bytes of a file, by its path below the root.
    fn data(&self, path: &str) -> Option<Vec<u8>>;
    /// The paths below the root of the files that are no modules.
    fn files(&self) -> Vec<&'static str>;
}

static NATIVE: OnceBox<&'static [&'static ModuleDef]> = OnceBox::new();
static LIBRARY: OnceBox<&'static dyn Library> = OnceBox::new();

/// Native modules of this crate that are made like any other. `builtins` and `sys` are made at start.
static OWN: &[&ModuleDef] = &[&imp::module::DEF, &library_module::module::DEF, &marshal::module::DEF];

/// Names the native modules of the upper crates.
pub fn set_native_modules(modules: &'static [&'static ModuleDef]) {
    NATIVE.init(modules);
}

/// Names the packed library.
pub fn set_library(library: &'static dyn Library) {
    LIBRARY.init(library);
}

/// The packed library, if there is one.
pub fn library() -> Option<&'static dyn Library> {
    LIBRARY.get().copied()
}

fn definitions() -> impl Iterator<Item = &'static ModuleDef> {
    let upper = NATIVE.get().copied().unwrap_or_default();
    OWN.iter().chain(upper).copied()
}

/// The definition of a native module.
pub fn find_native(name: &str) -> Option<&'static ModuleDef> {
    definitions().find(|def| def.name == name)
}

/// Modules that are made at start, not by the importer.
const AT_START: [&str; 2] = ["builtins", "sys"];

/// Whether `name` is a native module.
pub fn is_native(name: &str) -> bool {
    AT_START.contains(&name) || find_native(name).is_some()
}

/// `sys.builtin_module_names`: sorted.
pub fn builtin_module_names() -> Vec<&'static str> {
    let mut names: Vec<_> = AT_START.into_iter().chain(definitions().map(|def| def.name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// `sys.stdlib_module_names`: every top-level module there is, sorted.
pub fn stdlib_module_names() -> Vec<&'static str> {
    let mut names = builtin_module_names();
    names.extend(["_frozen_importlib", "_frozen_importlib_external"]);
    if let Some(library) = library() {
        names.extend(library.modules().iter().map(|m| m.name).filter(|n| !n.contains('.')));
    }
    names.retain(|name| !name.starts_with("__") || matches!(*name, "__future__" | "__main__"));
    names.sort_unstable();
    names.dedup();
    names
}

/// The native modules that have been made.
static MADE: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

/// Whether this native module is made for the first time.
fn is_first(name: &'static str) -> bool {
    let mut made = MADE.lock();
    let first = !made.contains(&name);
    if first {
        made.push(name);
    }
    first
}

/// Makes the module of a native definition. It is not put into `sys.modules`.
pub fn make_native_module(vm: &Vm, def: &'static ModuleDef) -> Res<Py<Module>> {
    let module = Module::new(def.name);
    let first = is_first(def.name);
    for part in def.all() {
        for function in part.functions {
            let value = NativeFunction::new_value(function, None, Some(module.to_value()));
            // Calls of it count nothing. What is made again may go, and its module with it; but the loop relies on it of what it knows.
            if first || function.known != Known::No {
                value.make_immortal();
            }
            module.set(function.name, value);
        }
        for ty in part.types {
            let ty = ty();
            module.set(&ty.short_name(), ty.to_value());
        }
        for (name, make) in part.attrs {
            module.set(name, make(vm)?);
        }
        if let Some(doc) = part.doc {
            module.set("__doc__", Value::from(doc));
        }
        if let Some(init) = part.init {
            init(vm, &module)?;
        }
    }
    Ok(module)
}

/// The code of a module of the packed library.
pub fn library_code(vm: &Vm, module: LibraryModule) -> Res<Py<Code>> {
    let plain = match module.code {
        Some(bytes) => lisle_bytecode::deserialize_packed(bytes)
            .map_err(|e| vm.system_error(format!("packed module {}: {e}", module.name)))?,
        None => compile_source(vm, module)?,
    };
    Code::new(vm, plain)
}

fn compile_source(vm: &Vm, module: LibraryModule) -> Res<lisle_bytecode::CodeObject> {
    let bytes = library().and_then(|l| l.source(module.name)).unwrap_or_default();
    let failed = |what: String| vm.import_error(format!("packed module {}: {what}", module.name), None, None);
    let source = String::from_utf8(bytes).map_err(|e| failed(e.to_string()))?;
    let options = lisle_compiler::Options {
        filename: library_path(module),
        ..Default::default()
    };
    match lisle_compiler::compile(&source, lisle_compiler::Mode::Exec, &options) {
        Ok((code, _)) => Ok(code),
        Err(e) => Err(failed(format!("line {}: {}", e.line, e.message))),
    }
}

/// Where a module of the library seems to lie.
pub fn library_path(module: LibraryModule) -> String {
    let root = library().map_or("", |l| l.root());
    let tail = if module.is_package { "/__init__.py" } else { ".py" };
    format!("{root}/{}{tail}", module.name.replace('.', "/"))
}

/// The folder of a package of the library.
pub fn library_folder(name: &str) -> String {
    let root = library().map_or("", |l| l.root());
    format!("{root}/{}", name.replace('.', "/"))
}
