//! Modules of a program that may hide a module of the library or of a package: what errors about missing names say of them.

use crate::intern;
use crate::object::{Py, Slot, Value};
use crate::types::module::Module;
use crate::types::set::{FrozenSet, Set};
use crate::types::str::Str;
use crate::vm::{Exc, Res, Vm};

/// What the program put first on the path when it began, which later changes of `sys.path` leave alone.
static PROGRAM_FOLDER: Slot = Slot::empty();

/// Tells of the path entry that the program begins with.
pub fn set_program_folder(entry: Value) {
    drop(PROGRAM_FOLDER.swap(Some(entry)));
}

/// Whether a file lies where the program's own modules do, so that it comes before others of the same name.
fn is_own(origin: &str) -> bool {
    let Some(first) = PROGRAM_FOLDER.get() else {
        return false;
    };
    let Some(first) = first.downcast::<Str>().map(|first| first.to_string_lossy()) else {
        return false;
    };
    let Some((mut folder, file)) = origin.rsplit_once('/') else {
        return false;
    };
    if file == "__init__.py" {
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
    match first.as_str() {
        "" => std::env::current_dir().is_ok_and(|here| here.to_str() == Some(folder)),
        first => first == folder,
    }
}

/// Whether a module's file may hide another module, and whether that is one of the library.
pub(super) fn find(vm: &Vm, name: &Value, origin: Option<&str>) -> Res<(bool, bool)> {
    if !origin.is_some_and(is_own) {
        return Ok((false, false));
    }
    let names = crate::interp::sys_attr(vm, intern!("stdlib_module_names"));
    let names = names.filter(|names| names.downcast::<FrozenSet>().is_some() || names.downcast::<Set>().is_some());
    let known = match names {
        Some(names) => vm.contains(&names, name)?,
        None => false,
    };
    Ok((true, known))
}

/// The file that a spec says its module came from.
pub(super) fn file_of_spec(vm: &Vm, spec: &Value) -> Res<Option<Value>> {
    let Some(located) = vm.getattr_opt(spec, intern!("has_location"))? else {
        return Ok(None);
    };
    if !vm.truth(&located)? {
        return Ok(None);
    }
    let origin = vm.getattr_opt(spec, intern!("origin"))?;
    Ok(origin.filter(|origin| origin.downcast::<Str>().is_some()))
}

/// The error of an attribute that a module does not have.
#[cold]
pub fn missing_attribute(vm: &Vm, module: &Py<Module>, name: &Py<Str>) -> Exc {
    match message(vm, module, name) {
        Ok(message) => vm.attribute_error_with(message, module.as_value(), name),
        Err(exc) => exc,
    }
}

fn message(vm: &Vm, this: &Py<Module>, name: &Py<Str>) -> Res<String> {
    let attr = name.to_string_lossy();
    let dict = this.dict();
    let named = dict
        .get_str(intern!("__name__"))
        .filter(|n| n.downcast::<Str>().is_some());
    let Some(named) = named else {
        return Ok(format!("module has no attribute '{attr}'"));
    };
    let module = vm.str(&named)?.to_string_lossy();
    let plain = format!("module '{module}' has no attribute '{attr}'");
    let Some(spec) = dict.get_str(intern!("__spec__")).filter(|spec| !spec.is_none()) else {
        return Ok(plain);
    };
    let origin = match file_of_spec(vm, &spec)? {
        Some(origin) => Some(vm.str(&origin)?.to_string_lossy()),
        None => None,
    };
    let (shadows, library) = find(vm, &named, origin.as_deref())?;
    let from = origin.unwrap_or_default();
    if library {
        return Ok(format!(
            "{plain} (consider renaming '{from}' since it has the same name as the standard library module named \
             '{module}' and prevents importing that standard library module)"
        ));
    }
    if super::level::is_initializing(vm, &spec)? {
        return Ok(match (shadows, from.is_empty()) {
            (true, _) => format!(
                "{plain} (consider renaming '{from}' if it has the same name as a library you intended to import)"
            ),
            (_, false) => format!(
                "partially initialized module '{module}' from '{from}' has no attribute '{attr}' (most likely due to a \
                 circular import)"
            ),
            _ => format!(
                "partially initialized module '{module}' has no attribute '{attr}' (most likely due to a circular import)"
            ),
        });
    }
    if let Some(list) = vm.getattr_opt(&spec, intern!("_uninitialized_submodules"))?
        && vm.contains(&list, name.as_value())?
    {
        return Ok(format!(
            "cannot access submodule '{attr}' of module '{module}' (most likely due to a circular import)"
        ));
    }
    Ok(plain)
}
