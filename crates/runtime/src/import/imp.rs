//! `_imp`: what `importlib` needs of the runtime.
//!
//! Left out: extension modules. There are no suffixes for them, and loading one is an ImportError that says so.

use crate::native::pymodule;

/// Modules that the frozen importer serves, with the names of the library's modules that they are, and what CPython calls their origin.
const FROZEN: [(&str, &str, Option<&str>); 14] = [
    (
        "_frozen_importlib",
        "importlib._bootstrap",
        Some("importlib._bootstrap"),
    ),
    (
        "_frozen_importlib_external",
        "importlib._bootstrap_external",
        Some("importlib._bootstrap_external"),
    ),
    ("zipimport", "zipimport", Some("zipimport")),
    ("__hello__", "__hello__", Some("__hello__")),
    ("__hello_alias__", "__hello__", Some("__hello__")),
    ("__hello_only__", "__hello__", None),
    ("__phello__", "__phello__", Some("__phello__")),
    ("__phello__.__init__", "__phello__", Some("<__phello__")),
    ("__phello_alias__", "__hello__", Some("__hello__")),
    ("__phello_alias__.spam", "__hello__", Some("__hello__")),
    ("__phello__.ham", "__phello__.ham", Some("__phello__.ham")),
    ("__phello__.ham.__init__", "__phello__.ham", Some("<__phello__.ham")),
    (
        "__phello__.ham.eggs",
        "__phello__.ham.eggs",
        Some("__phello__.ham.eggs"),
    ),
    ("__phello__.spam", "__phello__.spam", Some("__phello__.spam")),
];

/// How many of them importing itself needs.
const ESSENTIAL: usize = 3;

/// Modules that are frozen in CPython as well, so that no file on the path takes their places. Here they are the library's.
const BEFORE_PATH: [&str; 14] = [
    "_collections_abc",
    "_sitebuiltins",
    "abc",
    "codecs",
    "genericpath",
    "importlib.machinery",
    "importlib.util",
    "io",
    "ntpath",
    "os",
    "posixpath",
    "runpy",
    "site",
    "stat",
];

/// Whether the frozen importer serves `name`.
pub(super) fn is_always_frozen(name: &str) -> bool {
    FROZEN.iter().any(|(frozen, ..)| *frozen == name)
}

/// Whether the library's module of that name comes before any on the path.
pub(super) fn is_before_path(name: &str) -> bool {
    BEFORE_PATH.contains(&name)
}

#[pymodule(
    name = "_imp",
    doc = "(Extremely) low-level import machinery bits as used by importlib."
)]
pub mod module {
    use super::{ESSENTIAL, FROZEN};
    use crate::import::registry::{self, LibraryModule};
    use crate::intern;
    use crate::native::{Py, Res, Str, Value, Vm};
    use crate::threads::{AcquireResult, RawRLock};
    use crate::types::bytes::Bytes;
    use crate::types::code::Code;
    use crate::types::list::List;
    use crate::types::number_text::bytes_like;
    use crate::types::tuple::Tuple;
    use siphasher::sip::SipHasher13;
    use std::hash::Hasher;
    use std::sync::atomic::{AtomicI64, Ordering};

    /// The global import lock: importlib holds it for short stretches while it looks at its tables.
    static LOCK: RawRLock = RawRLock::new();

    /// `--check-hash-based-pycs`.
    #[pyattr]
    fn check_hash_based_pycs(_vm: &Vm) -> Res<Value> {
        Ok(Value::from("default"))
    }

    /// The magic number of cache files: it changes with the form of code objects and with the compiler, and ends like CPython's.
    #[pyattr]
    fn pyc_magic_number_token(_vm: &Vm) -> Res<Value> {
        let id = lisle_bytecode::FORMAT_ID ^ lisle_compiler::COMPILER_ID;
        let low = (id ^ id >> 16) & 0xffff;
        Ok(Value::int(i64::from(low | 0x0d << 16 | 0x0a << 24)))
    }

    /// Return True if the import lock is currently held, else False.
    ///
    /// On platforms without threads, return False.
    #[pyfunction(sig = "()")]
    fn lock_held(_vm: &Vm) -> Res<bool> {
        Ok(LOCK.is_locked())
    }

    /// Acquires the interpreter's import lock for the current thread.
    ///
    /// This lock should be used by import hooks to ensure thread-safety when importing
    /// modules. On platforms without threads, this function does nothing.
    #[pyfunction(sig = "()")]
    fn acquire_lock(_vm: &Vm) -> Res<()> {
        while LOCK.acquire(None, false) != AcquireResult::Acquired {}
        Ok(())
    }

    /// Release the interpreter's import lock.
    ///
    /// On platforms without threads, this function does nothing.
    #[pyfunction(sig = "()")]
    fn release_lock(vm: &Vm) -> Res<()> {
        if LOCK.release() {
            Ok(())
        } else {
            Err(vm.runtime_error("not holding the import lock"))
        }
    }

    /// Before a fork: no other thread is inside the import system's tables.
    pub fn lock_for_fork() {
        while LOCK.acquire(None, false) != AcquireResult::Acquired {}
    }

    /// The counterpart of [`lock_for_fork`], in parent and child.
    pub fn unlock_after_fork() {
        LOCK.release();
    }

    /// Returns the list of file suffixes used to identify extension modules.
    #[pyfunction(sig = "()")]
    fn extension_suffixes(_vm: &Vm) -> Res<Value> {
        Ok(List::new(Vec::new()).into_value())
    }

    /// Returns True if the module name corresponds to a built-in module.
    #[pyfunction(sig = "(name, /)")]
    fn is_builtin(_vm: &Vm, name: &Py<Str>) -> Res<i64> {
        let name = name.to_string_lossy();
        // -1: built in, but cannot be made a second time.
        Ok(match name.as_str() {
            "builtins" | "sys" => -1,
            name => registry::find_native(name).is_some().into(),
        })
    }

    /// Create an extension module.
    #[pyfunction(sig = "(spec, /)")]
    fn create_builtin(vm: &Vm, spec: &Value) -> Res<Value> {
        let name = vm.getattr(spec, intern!("name"))?;
        let Some(name) = name.downcast::<Str>() else {
            let got = name.ty().name();
            return Err(vm.type_error(format!("name must be string, not {got}")));
        };
        if let Some(module) = crate::interp::modules().get_str(name).filter(|m| !m.is_none()) {
            return Ok(module);
        }
        match registry::find_native(&name.to_string_lossy()) {
            Some(def) => registry::make_native_module(vm, def).map(Py::into_value),
            None => Ok(Value::NONE),
        }
    }

    /// Initialize a built-in module.
    #[pyfunction(sig = "(mod, /)")]
    fn exec_builtin(_vm: &Vm, module: &Value) -> Res<i64> {
        let _ = module;
        Ok(0)
    }

    /// Create an extension module.
    #[pyfunction(sig = "(spec, file=None, /)")]
    fn create_dynamic(vm: &Vm, spec: &Value, file: Option<&Value>) -> Res<Value> {
        let _ = file;
        let name = vm.getattr(spec, intern!("name"))?;
        let origin = vm.getattr(spec, intern!("origin"))?;
        let text = vm.str(&name)?.to_string_lossy();
        let message = format!("Lisle cannot load C extension modules such as {text}");
        Err(vm.import_error(message, Some(name), Some(origin)))
    }

    /// Initialize an extension module.
    #[pyfunction(sig = "(mod, /)")]
    fn exec_dynamic(_vm: &Vm, module: &Value) -> Res<i64> {
        let _ = module;
        Ok(0)
    }

    /// Tests' choice whether there are frozen modules that are not essential: below 0 there are not.
    static OVERRIDE: AtomicI64 = AtomicI64::new(0);

    /// A frozen module: what it is in the library, whether it is a package, and its origin.
    struct Frozen {
        module: LibraryModule,
        is_package: bool,
        origin: Option<&'static str>,
    }

    fn frozen(name: &str) -> Option<Frozen> {
        let number = FROZEN.iter().position(|(frozen, ..)| *frozen == name)?;
        let (_, module, origin) = FROZEN[number];
        if number >= ESSENTIAL && OVERRIDE.load(Ordering::Relaxed) < 0 {
            return None;
        }
        let module = registry::library()?.find(module)?;
        Some(Frozen {
            module,
            is_package: module.is_package && !name.ends_with(".__init__") || name == "__phello_alias__",
            origin,
        })
    }

    fn frozen_or_error(vm: &Vm, name: &Py<Str>) -> Res<Frozen> {
        match frozen(&name.to_string_lossy()) {
            Some(found) => Ok(found),
            None => {
                let shown = vm.repr(name.as_value())?.to_string_lossy();
                let message = format!("No such frozen object named {shown}");
                Err(vm.import_error(message, Some(name.to_value()), None))
            }
        }
    }

    /// Return info about the corresponding frozen module (if there is one) or None.
    ///
    /// The returned info (a 2-tuple):
    ///
    ///  * data         the raw marshalled bytes
    ///  * is_package   whether or not it is a package
    ///  * origname     the originally frozen module's name, or None if not
    ///                 a stdlib module (this will usually be the same as
    ///                 the module's current name)
    #[pyfunction(sig = "(name, /, *, withdata=False)")]
    fn find_frozen(_vm: &Vm, name: &Py<Str>, withdata: bool) -> Res<Value> {
        let Some(found) = frozen(&name.to_string_lossy()) else {
            return Ok(Value::NONE);
        };
        let data = if withdata {
            found.module.code.map_or(Value::NONE, Bytes::new_value)
        } else {
            Value::NONE
        };
        let origin = found.origin.map_or(Value::NONE, Value::from);
        let fields = [data, Value::from_bool(found.is_package), origin];
        Ok(Tuple::from_array(fields).into_value())
    }

    /// Create a code object for a frozen module.
    #[pyfunction(sig = "(name, data=None, /)")]
    fn get_frozen_object(vm: &Vm, name: &Py<Str>, data: Option<&Value>) -> Res<Value> {
        if let Some(data) = data {
            let bytes = bytes_like(vm, data)?;
            let code = bytes.and_then(|b| lisle_bytecode::deserialize(&b).ok());
            return match code {
                Some(code) => Code::new(vm, code).map(Py::into_value),
                None => {
                    let shown = vm.repr(name.as_value())?.to_string_lossy();
                    let message = format!("Frozen object named {shown} is invalid");
                    Err(vm.import_error(message, Some(name.to_value()), None))
                }
            };
        }
        let found = frozen_or_error(vm, name)?;
        registry::library_code(vm, found.module).map(Py::into_value)
    }

    /// Returns True if the module name is of a frozen package.
    #[pyfunction(sig = "(name, /)")]
    fn is_frozen_package(vm: &Vm, name: &Py<Str>) -> Res<bool> {
        frozen_or_error(vm, name).map(|found| found.is_package)
    }

    /// Returns True if the module name corresponds to a frozen module.
    #[pyfunction(sig = "(name, /)")]
    fn is_frozen(_vm: &Vm, name: &Py<Str>) -> Res<bool> {
        Ok(frozen(&name.to_string_lossy()).is_some())
    }

    /// Initializes a frozen module.
    #[pyfunction(sig = "(name, /)")]
    fn init_frozen(vm: &Vm, name: &Py<Str>) -> Res<Value> {
        let text = name.to_string_lossy();
        match frozen(&text) {
            Some(found) => crate::import::bootstrap::frozen_module(vm, &text, found.module.name, found.origin),
            None => Ok(Value::NONE),
        }
    }

    /// Returns the list of available frozen modules.
    #[pyfunction(sig = "()")]
    fn _frozen_module_names(_vm: &Vm) -> Res<Value> {
        Ok(List::new(FROZEN.iter().map(|(name, ..)| Value::from(*name)).collect()).into_value())
    }

    /// (internal-only) Override PyConfig.use_frozen_modules.
    ///
    /// (-1: "off", 1: "on", 0: no override)
    /// See frozen_modules() in Lib/test/support/import_helper.py.
    #[pyfunction(sig = "(override, /)")]
    fn _override_frozen_modules_for_tests(_vm: &Vm, value: i64) -> Res<()> {
        OVERRIDE.store(value, Ordering::Relaxed);
        Ok(())
    }

    /// Whether the library's module of that name comes before any on the path, as CPython's frozen one.
    #[pyfunction(sig = "(name, /)")]
    fn _is_before_path(_vm: &Vm, name: &Py<Str>) -> bool {
        super::is_before_path(&name.to_string_lossy())
    }

    /// (internal-only) Override PyInterpreterConfig.check_multi_interp_extensions.
    ///
    /// (-1: "never", 1: "always", 0: no override)
    #[pyfunction(sig = "(override, /)")]
    fn _override_multi_interp_extensions_check(_vm: &Vm, value: i64) -> Res<i64> {
        let _ = value;
        Ok(0)
    }

    /// Changes code.co_filename to specify the passed-in file path. Here the changed code object is the result, since code
    /// objects never change.
    #[pyfunction(sig = "(code, path, /)")]
    fn _fix_co_filename(vm: &Vm, code: &Py<Code>, path: &Py<Str>) -> Res<Value> {
        if code.filename.text_eq(path) {
            return Ok(code.to_value());
        }
        let mut plain = crate::import::code_data::plain(vm, code)?;
        let old = plain.filename.clone();
        crate::import::code_data::rename(&mut plain, &old, &path.to_string_lossy());
        Code::new(vm, plain).map(Py::into_value)
    }

    #[pyfunction(sig = "(key, source)")]
    fn source_hash(vm: &Vm, key: i64, source: &Value) -> Res<Value> {
        let Some(bytes) = bytes_like(vm, source)? else {
            let got = source.ty().name();
            return Err(vm.type_error(format!("a bytes-like object is required, not '{got}'")));
        };
        let mut hasher = SipHasher13::new_with_keys(key as u64, 0);
        hasher.write(&bytes);
        Ok(Bytes::new_value(hasher.finish().to_le_bytes()))
    }
}
