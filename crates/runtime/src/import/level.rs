//! `__import__`: from a name as written, with its level, to the module that the statement binds.

use super::load::find_and_load;
use crate::intern;
use crate::native::pyfunction;
use crate::object::{Py, Value};
use crate::types::dict::Dict;
use crate::types::exceptions;
use crate::types::module::Module;
use crate::types::str::Str;
use crate::vm::{Exc, Res, Vm};

/// Import a module.
///
/// Because this function is meant for use by the Python
/// interpreter and not for general use, it is better to use
/// importlib.import_module() to programmatically import a module.
///
/// The globals argument is only used to determine the context;
/// they are not modified.  The locals argument is unused.  The fromlist
/// should be a list of names to emulate ``from name import ...``, or an
/// empty list to emulate ``import name``.
/// When importing a module from a package, note that __import__('A.B', ...)
/// returns package A when fromlist is empty, but its submodule B when
/// fromlist is not empty.  The level argument is used to determine whether to
/// perform absolute or relative imports: 0 is absolute, while a positive number
/// is the number of parent directories to search relative to the current module.
#[pyfunction(sig = "(name, globals=None, locals=None, fromlist=(), level=0)")]
pub fn __import__(
    vm: &Vm,
    name: &Value,
    globals: Option<&Value>,
    locals: Option<&Value>,
    fromlist: Option<&Value>,
    level: i32,
) -> Res<Value> {
    let _ = locals;
    let Some(name) = name.downcast::<Str>() else {
        return Err(vm.type_error("module name must be a string"));
    };
    import_module_level(vm, name, globals, fromlist.unwrap_or(&Value::NONE), level.into())
}

/// The module of an import statement: `globals` say where a relative one starts.
pub fn import_module_level(
    vm: &Vm,
    name: &Py<Str>,
    globals: Option<&Value>,
    fromlist: &Value,
    level: i64,
) -> Res<Value> {
    if level < 0 {
        return Err(vm.value_error("level must be >= 0"));
    }
    let resolved;
    let full = if level > 0 {
        resolved = resolve_name(vm, name, globals, level)?;
        &resolved
    } else {
        if name.is_empty() {
            return Err(vm.value_error("Empty module name"));
        }
        name
    };
    let module = match loaded(vm, full)? {
        Some(module) => {
            super::timing::cached(full);
            module
        }
        None => find_and_load(vm, full)?,
    };
    if !fromlist.is_none() && vm.truth(fromlist)? {
        if vm.getattr_opt(&module, intern!("__path__"))?.is_some() {
            handle_fromlist(vm, &module, fromlist, false)?;
        }
        return Ok(module);
    }
    if name.is_empty() {
        return Ok(module);
    }
    let text = name.to_string_lossy();
    let Some((front, _)) = text.split_once('.') else {
        return Ok(module);
    };
    if level == 0 {
        return vm.import_module(front);
    }
    let full = full.to_string_lossy();
    let top = full.get(..full.len() - (text.len() - front.len())).unwrap_or_default();
    match crate::interp::modules().get_str(&Str::from_str(top)) {
        Some(module) => Ok(module),
        None => Err(vm.key_error(Value::from(format!("'{top}' not in sys.modules as expected").as_str()))),
    }
}

/// The module if it is in `sys.modules`, after whoever is loading it has finished.
pub(super) fn loaded(vm: &Vm, name: &Py<Str>) -> Res<Option<Value>> {
    let modules = crate::interp::modules();
    let Some(module) = modules.get_str(name).filter(|m| !m.is_none()) else {
        return Ok(None);
    };
    let spec = match module.downcast_exact::<Module>() {
        Some(m) => m.dict().get_str(intern!("__spec__")),
        None => vm.getattr_opt(&module, intern!("__spec__"))?,
    };
    let Some(spec) = spec.filter(|s| !s.is_none()) else {
        return Ok(Some(module));
    };
    if is_initializing(vm, &spec)? {
        super::load::wait_until_initialized(vm, name)?;
        // The load may have failed in the meantime; then this import is to try by itself.
        if !modules.get_str(name).is_some_and(|now| now.is(&module)) {
            return Ok(None);
        }
    }
    Ok(Some(module))
}

/// Whether the module of `spec` is being loaded.
pub(super) fn is_initializing(vm: &Vm, spec: &Value) -> Res<bool> {
    match vm.getattr_opt(spec, intern!("_initializing"))? {
        Some(value) => vm.truth(&value),
        None => Ok(false),
    }
}

/// Imports the submodules among the names of a `from package import ...`.
fn handle_fromlist(vm: &Vm, module: &Value, fromlist: &Value, recursive: bool) -> Res<()> {
    for item in vm.collect(fromlist)? {
        let Some(name) = item.downcast::<Str>() else {
            return Err(bad_item(vm, module, &item, recursive)?);
        };
        if name.is_text("*") {
            if !recursive && let Some(all) = vm.getattr_opt(module, intern!("__all__"))? {
                handle_fromlist(vm, module, &all, true)?;
            }
        } else if vm.getattr_opt(module, name)?.is_none() {
            let package = vm.getattr(module, intern!("__name__"))?;
            let package = vm.str(&package)?.to_string_lossy();
            let full = Str::from_str(&format!("{package}.{}", name.to_string_lossy()));
            if let Err(exc) = import_quietly(vm, &full)
                && !is_missing(vm, &exc, &full)?
            {
                return Err(exc);
            }
        }
    }
    Ok(())
}

fn import_quietly(vm: &Vm, full: &Py<Str>) -> Res<()> {
    if loaded(vm, full)?.is_none() {
        find_and_load(vm, full)?;
    }
    Ok(())
}

/// Whether `exc` says no more than that the module `full` does not exist: the name may become an attribute yet.
fn is_missing(vm: &Vm, exc: &Exc, full: &Py<Str>) -> Res<bool> {
    if !exc.is(&exceptions::MODULE_NOT_FOUND_ERROR) {
        return Ok(false);
    }
    let name = vm.getattr_opt(exc.value(), intern!("name"))?;
    let same = name.is_some_and(|n| n.downcast::<Str>().is_some_and(|n| n.text_eq(full)));
    let blocked = crate::interp::modules().get_str(full).is_some_and(|m| m.is_none());
    Ok(same && !blocked)
}

#[cold]
fn bad_item(vm: &Vm, module: &Value, item: &Value, recursive: bool) -> Res<Exc> {
    let place = if recursive {
        let name = vm.getattr(module, intern!("__name__"))?;
        format!("{}.__all__", vm.str(&name)?.to_string_lossy())
    } else {
        "``from list''".to_string()
    };
    Ok(vm.type_error(format!("Item in {place} must be str, not {}", item.ty().name())))
}

/// The absolute name of a relative import.
fn resolve_name(vm: &Vm, name: &Py<Str>, globals: Option<&Value>, level: i64) -> Res<Py<Str>> {
    let Some(globals) = globals else {
        return Err(vm.key_error(Value::from("'__name__' not in globals")));
    };
    let Some(globals) = globals.downcast::<Dict>() else {
        return Err(vm.type_error("globals must be a dict"));
    };
    let package = package_of(vm, globals)?;
    if package.is_empty() {
        return Err(no_parent(vm));
    }
    let mut base = package.as_str();
    for _ in 1..level {
        match base.rsplit_once('.') {
            Some((parent, _)) => base = parent,
            None => {
                return Err(vm.import_error("attempted relative import beyond top-level package", None, None));
            }
        }
    }
    Ok(if name.is_empty() {
        Str::intern(base)
    } else {
        Str::intern(&format!("{base}.{}", name.to_string_lossy()))
    })
}

fn no_parent(vm: &Vm) -> Exc {
    vm.import_error("attempted relative import with no known parent package", None, None)
}

/// The package in which code with these globals lies.
fn package_of(vm: &Vm, globals: &Py<Dict>) -> Res<String> {
    let package = globals.get_str(intern!("__package__")).filter(|p| !p.is_none());
    let spec = globals.get_str(intern!("__spec__")).filter(|s| !s.is_none());
    let parent = |spec: &Value| vm.getattr(spec, intern!("parent"));
    if let Some(package) = package {
        let Some(text) = package.downcast::<Str>() else {
            return Err(vm.type_error("package must be a string"));
        };
        if let Some(spec) = &spec {
            let parent = parent(spec)?;
            if !vm.eq(&package, &parent)? {
                let (a, b) = (
                    vm.repr(&package)?.to_string_lossy(),
                    vm.repr(&parent)?.to_string_lossy(),
                );
                let message = format!("__package__ != __spec__.parent ({a} != {b})");
                vm.warn(exceptions::DEPRECATION_WARNING.get(), &message, 1)?;
            }
        }
        return Ok(text.to_string_lossy());
    }
    if let Some(spec) = &spec {
        return match parent(spec)?.downcast::<Str>() {
            Some(text) => Ok(text.to_string_lossy()),
            None => Err(vm.type_error("__spec__.parent must be a string")),
        };
    }
    let message = "can't resolve package from __spec__ or __package__, falling back on __name__ and __path__";
    vm.warn(exceptions::IMPORT_WARNING.get(), message, 1)?;
    let Some(name) = globals.get_str(intern!("__name__")) else {
        return Err(vm.key_error(Value::from("'__name__' not in globals")));
    };
    let Some(name) = name.downcast::<Str>() else {
        return Err(vm.type_error("__name__ must be a string"));
    };
    let name = name.to_string_lossy();
    if globals.get_str(intern!("__path__")).is_some() {
        return Ok(name);
    }
    match name.rsplit_once('.') {
        Some((package, _)) => Ok(package.to_string()),
        None => Err(no_parent(vm)),
    }
}
