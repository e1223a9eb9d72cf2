//! Starting the import system: `_imp`, `importlib._bootstrap`, `importlib._bootstrap_external`, the library's importer.
//!
//! Invariant: [`importers`] is set once, when all of them work; before that only native modules and the packed library can be imported.

use super::registry::{self, library_code, make_native_module};
use super::{__IMPORT___DEF, imp};
use crate::intern;
use crate::object::{Py, Value};
use crate::sync::OnceBox;
use crate::types::dict::Dict;
use crate::types::list::List;
use crate::types::module::Module;
use crate::types::native_function::NativeFunction;
use crate::types::str::Str;
use crate::vm::{Res, Vm};

/// What the native side of importing uses of the Python side.
pub(super) struct Importers {
    pub find_and_load: Value,
    pub lock_unlock: Value,
    pub get_lock: Value,
    pub module_spec: Value,
    /// The loader of the library's modules.
    pub loader: Value,
    /// The original `__import__`.
    pub import: Value,
    /// `sys.meta_path` as it was made.
    meta_path: Vec<Value>,
    file_finder: Value,
}

static IMPORTERS: OnceBox<Importers> = OnceBox::new();

/// The Python side, once it works.
pub(super) fn importers() -> Option<&'static Importers> {
    IMPORTERS.get()
}

impl Importers {
    /// Whether `sys.meta_path` is as it was made.
    pub fn unchanged(&self, vm: &Vm) -> bool {
        let Some(path) = crate::interp::sys_attr(vm, intern!("meta_path")) else {
            return false;
        };
        let Some(path) = path.downcast_exact::<List>() else {
            return false;
        };
        let now = path.snapshot();
        now.len() == self.meta_path.len() && now.iter().zip(&self.meta_path).all(|(a, b)| a.is(b))
    }

    /// Whether an ordinary file finder serves `entry` of `sys.path`.
    pub fn has_file_finder(&self, vm: &Vm, entry: &Py<Str>) -> bool {
        let Some(cache) = crate::interp::sys_attr(vm, intern!("path_importer_cache")) else {
            return false;
        };
        let Some(cache) = cache.downcast_exact::<Dict>() else {
            return false;
        };
        // The empty entry is the working folder, under whose name its finder is found.
        let finder = if entry.is_empty() {
            let here = std::env::current_dir().ok();
            here.and_then(|here| cache.get_str(&Str::from_str(here.to_str()?)))
        } else {
            cache.get_str(entry)
        };
        finder.is_some_and(|f| f.ty().as_value().is(&self.file_finder))
    }
}

/// Makes the import system work. `sys` and `builtins` are in `sys.modules`.
///
/// On an error native modules and the packed library can be imported nevertheless.
pub fn init(vm: &Vm) -> Res<()> {
    let modules = crate::interp::modules();
    let import = NativeFunction::new_value(&__IMPORT___DEF, None, modules.get_str(intern!("builtins")));
    crate::interp::builtins().set_str(intern!("__import__"), import.clone());
    prepare_sys();
    let imp = make_native_module(vm, &imp::module::DEF)?.into_value();
    modules.set_str(intern!("_imp"), imp.clone());
    // Without these there is no importer; what needs none can be imported nevertheless.
    let needed = ["_io", "_thread", "_warnings", "_weakref", "marshal", "posix"];
    let Some(sys) = modules.get_str(intern!("sys")) else {
        return Ok(());
    };
    if !needed.iter().all(|name| registry::is_native(name)) {
        return Ok(());
    }
    let bootstrap = frozen_module(
        vm,
        "_frozen_importlib",
        "importlib._bootstrap",
        Some("importlib._bootstrap"),
    )?;
    let get = |name: &'static str| vm.getattr(&bootstrap, &Str::intern(name));
    vm.call(&get("_install")?, &[sys.clone(), imp])?;
    vm.call(&get("_install_external_importers")?, &[])?;
    let library = frozen_module(vm, "_lisle_importer", "_lisle_importer", None)?;
    vm.call(&vm.getattr(&library, intern!("install"))?, &[])?;
    let external = get("_bootstrap_external")?;
    let Some(meta_path) = crate::interp::sys_attr(vm, intern!("meta_path")) else {
        return Err(vm.runtime_error("lost sys.meta_path"));
    };
    IMPORTERS.init(Importers {
        find_and_load: get("_find_and_load")?,
        lock_unlock: get("_lock_unlock_module")?,
        get_lock: get("_get_module_lock")?,
        module_spec: get("ModuleSpec")?,
        loader: vm.getattr(&library, intern!("LOADER"))?,
        import,
        meta_path: vm.collect(&meta_path)?,
        file_finder: vm.getattr(&external, intern!("FileFinder"))?,
    });
    Ok(())
}

/// Gives `sys` what importing needs, where it is not there yet.
fn prepare_sys() {
    let sys = crate::interp::sys_dict();
    let names = |list: Vec<&'static str>| list.into_iter().map(Value::from).collect::<Vec<_>>();
    let default = |name: &Py<Str>, value: Value| drop(sys.set_default_str(name, value));
    default(intern!("meta_path"), List::new(Vec::new()).into_value());
    default(intern!("path_hooks"), List::new(Vec::new()).into_value());
    default(intern!("path_importer_cache"), Dict::new_empty().into_value());
    let path = registry::library().map(|l| Value::from(l.root()));
    default(intern!("path"), List::new(path.into_iter().collect()).into_value());
    let builtin = crate::types::tuple::Tuple::new(names(registry::builtin_module_names()));
    default(intern!("builtin_module_names"), builtin.into_value());
    if let Ok(names) = crate::types::set::FrozenSet::from_values(Vm::current(), names(registry::stdlib_module_names()))
    {
        default(intern!("stdlib_module_names"), names);
    }
}

/// Makes and runs a module of the library before there are importers.
pub(super) fn frozen_module(vm: &Vm, name: &str, library_name: &str, origin: Option<&str>) -> Res<Value> {
    let Some(found) = registry::library().and_then(|library| library.find(library_name)) else {
        return Err(vm.import_error(format!("no packed module {library_name}"), None, None));
    };
    let key = Str::intern(name);
    let module = Module::new(name);
    let dict = module.dict();
    dict.set_str(intern!("__builtins__"), crate::interp::builtins().into_value());
    // The importer asks what the module was made from, and takes this away again.
    if let Some(origin) = origin {
        dict.set_str(intern!("__origname__"), Value::from(origin));
    }
    crate::interp::modules().set_str(&key, module.to_value());
    let code = library_code(vm, found)?;
    vm.run_code(&code, &dict, None, None)?;
    Ok(module.into_value())
}
