//! Loading what is not in `sys.modules`: `importlib._bootstrap._find_and_load`, and a shorter way for the packed library.
//!
//! Invariant: the short way is taken only where the long one would find the same module in the library: the meta path is as it
//! was made, and no entry of `sys.path` before the library's can have the module. It takes the same lock, makes the same spec and
//! leaves the same traces as the long way.

use std::path::Path;

use super::bootstrap::{self, Importers};
use super::registry::{self, LibraryModule};
use super::trim::trim_importer_frames;
use crate::intern;
use crate::object::{Py, Value};
use crate::types::dict::Dict;
use crate::types::list::List;
use crate::types::module::Module;
use crate::types::str::Str;
use crate::vm::{Exc, Res, Vm};

/// Finds and loads the module with an absolute name that is not loaded.
pub(super) fn find_and_load(vm: &Vm, name: &Py<Str>) -> Res<Value> {
    super::timing::timed(name, || find_and_load_untimed(vm, name))
}

fn find_and_load_untimed(vm: &Vm, name: &Py<Str>) -> Res<Value> {
    crate::audit::audit(vm, "import", || {
        let attr = |attr| crate::interp::sys_attr(vm, attr).unwrap_or(Value::NONE);
        [
            name.to_value(),
            Value::NONE,
            attr(intern!("path")),
            attr(intern!("meta_path")),
            attr(intern!("path_hooks")),
        ]
    })?;
    let text = name.to_string_lossy();
    if crate::interp::modules().get_str(name).is_some_and(|m| m.is_none()) {
        let message = format!("import of {text} halted; None in sys.modules");
        return Err(vm.module_not_found_error(message, Some(name.to_value())));
    }
    let importers = bootstrap::importers();
    if !(crate::interp::is_verbose() && importers.is_some())
        && let Some(module) = natively(vm, importers, name, &text)?
    {
        return Ok(module);
    }
    let Some(importers) = importers else {
        // Before the importers are there, native modules are made directly.
        if let Some(def) = registry::find_native(&text) {
            let module = registry::make_native_module(vm, def)?.into_value();
            return Ok(crate::interp::modules().set_default_str(name, module));
        }
        // The frozen importer loads the part of the importers that deals with files.
        let bootstrap = crate::interp::modules().get_str(intern!("_frozen_importlib"));
        if let Some(bootstrap) = bootstrap.filter(|_| super::imp::is_always_frozen(&text)) {
            let import = vm.builtin(intern!("__import__"))?;
            return vm.call_method(&bootstrap, intern!("_find_and_load"), &[name.to_value(), import]);
        }
        return Err(vm.module_not_found_error(format!("No module named '{text}'"), Some(name.to_value())));
    };
    let import = importers.import.clone();
    vm.call(&importers.find_and_load, &[name.to_value(), import])
        .inspect_err(trim_importer_frames)
}

/// Waits until the thread that is loading the module has finished, unless that would be a deadlock.
pub(super) fn wait_until_initialized(vm: &Vm, name: &Py<Str>) -> Res<()> {
    match bootstrap::importers() {
        Some(importers) => vm.call(&importers.lock_unlock, &[name.to_value()]).map(drop),
        None => Ok(()),
    }
}

/// Loads the module from the packed library if that is where the importers would find it.
fn natively(vm: &Vm, importers: Option<&Importers>, name: &Py<Str>, text: &str) -> Res<Option<Value>> {
    let Some(module) = registry::library().and_then(|library| library.find(text)) else {
        return Ok(None);
    };
    if registry::is_native(text) || super::imp::is_always_frozen(text) {
        return Ok(None);
    }
    let parent = match text.rsplit_once('.') {
        None => {
            let first = |i| super::imp::is_before_path(text) || library_comes_first(vm, i, text);
            if importers.is_some_and(|i| !i.unchanged(vm) || !first(i)) {
                return Ok(None);
            }
            None
        }
        Some((parent_name, child)) => {
            let parent = vm.import_module(parent_name)?;
            // The parent may have loaded the module itself, or another thread may be loading it.
            if let Some(module) = crate::interp::modules().get_str(name).filter(|m| !m.is_none()) {
                wait_until_initialized(vm, name)?;
                return Ok(Some(module));
            }
            if importers.is_some_and(|i| !i.unchanged(vm)) || !is_library_package(&parent, parent_name) {
                return Ok(None);
            }
            Some((parent, Str::intern(child)))
        }
    };
    let Some(importers) = importers else {
        return load(vm, None, name, module, parent).map(Some);
    };
    let lock = vm.call(&importers.get_lock, &[name.to_value()])?;
    vm.call_method(&lock, intern!("acquire"), &[])?;
    let result = match crate::interp::modules().get_str(name).filter(|m| !m.is_none()) {
        Some(module) => Ok(module),
        None => load(vm, Some(importers), name, module, parent),
    };
    vm.call_method(&lock, intern!("release"), &[])?;
    result.map(Some)
}

/// Whether no entry of `sys.path` before the library's has a module of that name.
fn library_comes_first(vm: &Vm, importers: &Importers, name: &str) -> bool {
    let Some(root) = registry::library().map(|library| library.root()) else {
        return false;
    };
    let Some(path) = crate::interp::sys_attr(vm, intern!("path")) else {
        return false;
    };
    let Some(path) = path.downcast_exact::<List>() else {
        return false;
    };
    for entry in path.snapshot() {
        let Some(entry) = entry.downcast_exact::<Str>() else {
            return false;
        };
        if entry.is_text(root) {
            return true;
        }
        if !importers.has_file_finder(vm, entry) || folder_has(&entry.to_string_lossy(), name) {
            return false;
        }
    }
    false
}

/// Whether a folder has anything that a file finder may take for the module.
fn folder_has(folder: &str, name: &str) -> bool {
    let base = Path::new(folder);
    ["", ".py", ".pyc"]
        .iter()
        .any(|suffix| base.join(format!("{name}{suffix}")).symlink_metadata().is_ok())
}

/// Whether `parent` is a package whose modules come from the library alone.
fn is_library_package(parent: &Value, name: &str) -> bool {
    let Some(module) = parent.downcast_exact::<Module>() else {
        return false;
    };
    let Some(path) = module.dict().get_str(intern!("__path__")) else {
        return false;
    };
    let Some(path) = path.downcast_exact::<List>() else {
        return false;
    };
    let folder = registry::library_folder(name);
    match path.snapshot().as_slice() {
        [only] => only.downcast_exact::<Str>().is_some_and(|p| p.is_text(&folder)),
        _ => false,
    }
}

/// Makes and runs the module; the caller holds its lock.
fn load(
    vm: &Vm,
    importers: Option<&Importers>,
    name: &Py<Str>,
    found: LibraryModule,
    parent: Option<(Value, Py<Str>)>,
) -> Res<Value> {
    let spec = importers.map(|i| make_spec(vm, i, name, found)).transpose()?;
    let module = Module::new(found.name);
    let dict = module.dict();
    fill(&dict, importers, spec.as_ref(), found);
    let unfinished = match (&spec, &parent) {
        (Some(_), Some((package, child))) => Unfinished::announce(vm, package, child)?,
        _ => None,
    };
    let result = run(vm, name, found, &module, &dict);
    if let Some(spec) = &spec {
        vm.setattr(spec, intern!("_initializing"), &Value::FALSE)?;
    }
    if let Some(unfinished) = unfinished {
        unfinished.retract(vm)?;
    }
    let module = result?;
    if let Some((package, child)) = parent {
        vm.setattr(&package, &child, &module)?;
    }
    Ok(module)
}

fn run(vm: &Vm, name: &Py<Str>, found: LibraryModule, module: &Py<Module>, dict: &Py<Dict>) -> Res<Value> {
    let modules = crate::interp::modules();
    modules.set_str(name, module.to_value());
    let ran = registry::library_code(vm, found).and_then(|code| vm.run_code(&code, dict, None, None));
    // What is in `sys.modules` now counts: a module may replace itself. It moves to the end, for the order at exit.
    let current = modules.remove_str(name);
    ran?;
    match current {
        Some(current) => {
            modules.set_str(name, current.clone());
            Ok(current)
        }
        None => Err(vm.key_error(name.to_value())),
    }
}

fn make_spec(vm: &Vm, importers: &Importers, name: &Py<Str>, found: LibraryModule) -> Res<Value> {
    let spec = vm.call(&importers.module_spec, &[name.to_value(), importers.loader.clone()])?;
    let path = Value::from(registry::library_path(found).as_str());
    vm.setattr(&spec, intern!("origin"), &path)?;
    vm.setattr(&spec, intern!("_set_fileattr"), &Value::TRUE)?;
    vm.setattr(&spec, intern!("_initializing"), &Value::TRUE)?;
    if found.is_package {
        let folder = Value::from(registry::library_folder(found.name).as_str());
        let locations = List::new(vec![folder]).into_value();
        vm.setattr(&spec, intern!("submodule_search_locations"), &locations)?;
    }
    Ok(spec)
}

/// Sets the attributes that the importer gives a module.
fn fill(dict: &Py<Dict>, importers: Option<&Importers>, spec: Option<&Value>, found: LibraryModule) {
    let package = match (found.is_package, found.name.rsplit_once('.')) {
        (true, _) => found.name,
        (false, Some((package, _))) => package,
        (false, None) => "",
    };
    dict.set_str(intern!("__package__"), Str::intern(package).into_value());
    if let Some(importers) = importers {
        dict.set_str(intern!("__loader__"), importers.loader.clone());
    }
    if let Some(spec) = spec {
        dict.set_str(intern!("__spec__"), spec.clone());
    }
    let file = Value::from(registry::library_path(found).as_str());
    dict.set_str(intern!("__file__"), file);
    if found.is_package {
        let folder = Value::from(registry::library_folder(found.name).as_str());
        dict.set_str(intern!("__path__"), List::new(vec![folder]).into_value());
    }
    dict.set_str(intern!("__builtins__"), crate::interp::builtins().into_value());
}

/// The name of a module in its package's list of modules that are being loaded: errors about circular imports read it.
struct Unfinished {
    list: Value,
}

impl Unfinished {
    fn announce(vm: &Vm, package: &Value, child: &Py<Str>) -> Res<Option<Unfinished>> {
        let Some(spec) = vm.getattr_opt(package, intern!("__spec__"))? else {
            return Ok(None);
        };
        let Some(list) = vm.getattr_opt(&spec, intern!("_uninitialized_submodules"))? else {
            return Ok(None);
        };
        vm.call_method(&list, intern!("append"), &[child.to_value()])?;
        Ok(Some(Unfinished { list }))
    }

    fn retract(self, vm: &Vm) -> Result<(), Exc> {
        vm.call_method(&self.list, intern!("pop"), &[]).map(drop)
    }
}
