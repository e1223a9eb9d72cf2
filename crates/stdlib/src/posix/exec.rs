//! `posix`: executing a program in this process.

use std::ffi::{CStr, CString};

use lisle_runtime::intern;
use lisle_runtime::native::{Res, Value, Vm, pymodule};
use lisle_runtime::types::list::List;

use super::path::{FilePath, PathOrFd, fs_encode, list_or_tuple};
use crate::syscall::{Errno, OrRaise, Sys, audit, c};

/// Strings for `execve` and its like, with the array of pointers that it wants.
pub struct Strings {
    pointers: Vec<*const libc::c_char>,
    /// What the pointers point to.
    owned: Vec<CString>,
}

impl Strings {
    pub fn new(owned: Vec<CString>) -> Strings {
        let pointers = owned
            .iter()
            .map(|text| text.as_ptr())
            .chain([std::ptr::null()])
            .collect();
        Strings { pointers, owned }
    }

    /// Terminated by a null pointer.
    pub fn as_ptr(&self) -> *const *const libc::c_char {
        self.pointers.as_ptr()
    }

    fn first(&self) -> &CStr {
        self.owned.first().map_or(c"", |text| text)
    }
}

/// The arguments of a program.
pub fn arguments(vm: &Vm, items: &[Value]) -> Res<Strings> {
    let items = items.iter().map(|item| fs_encode(vm, item)).collect::<Res<_>>()?;
    Ok(Strings::new(items))
}

/// The environment of a program, from a mapping.
pub fn environment(vm: &Vm, env: &Value) -> Res<Strings> {
    let list_of = |name, what: &str| {
        let items = vm.call_method(env, name, &[])?;
        match items.downcast::<List>() {
            Some(list) => Ok(list.snapshot()),
            None => vm.collect(&items).map_err(|e| {
                if e.is(&lisle_runtime::types::exceptions::TYPE_ERROR) {
                    return vm.type_error(format!("env.{what}() is not a list"));
                }
                e
            }),
        }
    };
    let keys = list_of(intern!("keys"), "keys")?;
    let values = list_of(intern!("values"), "values")?;
    let mut entries = Vec::with_capacity(keys.len());
    for (key, value) in keys.iter().zip(&values) {
        let (key, value) = (fs_encode(vm, key)?, fs_encode(vm, value)?);
        // A leading '=' is part of the name, as some systems have it.
        if key.as_bytes().is_empty() || key.as_bytes()[1..].contains(&b'=') {
            return Err(vm.value_error("illegal environment variable name"));
        }
        let mut entry = key.into_bytes();
        entry.push(b'=');
        entry.extend_from_slice(value.as_bytes());
        entries.push(CString::new(entry).unwrap_or_default());
    }
    Ok(Strings::new(entries))
}

/// Replaces the program; returns only if that failed.
fn execute(vm: &Vm, path: &PathOrFd, argv: &Strings, env: Option<&Strings>) -> Sys<()> {
    vm.detached(|| {
        let (argv, env) = (argv.as_ptr(), env.map_or(std::ptr::null(), Strings::as_ptr));
        match path {
            PathOrFd::Fd(fd, _) => c!(fexecve(*fd, argv, env)),
            PathOrFd::Path(path) if env.is_null() => c!(execv(path.as_ptr(), argv)),
            PathOrFd::Path(path) => c!(execve(path.as_ptr(), argv, env)),
        };
        Err(Errno::last())
    })
}

#[pymodule(name = "posix")]
pub mod module {
    use super::*;

    /// Execute an executable path with arguments, replacing current process.
    ///
    ///   path
    ///     Path of executable file.
    ///   argv
    ///     Tuple or list of strings.
    #[pyfunction(sig = "(path, argv, /)")]
    fn execv(vm: &Vm, path: FilePath, argv: &Value) -> Res<()> {
        let Some(items) = list_or_tuple(argv) else {
            return Err(vm.type_error("execv() arg 2 must be a tuple or list"));
        };
        if items.is_empty() {
            return Err(vm.value_error("execv() arg 2 must not be empty"));
        }
        let given = argv;
        let argv = arguments(vm, &items)?;
        audit!(vm, "os.exec", path.object.clone(), given.clone(), Value::NONE);
        if argv.first().is_empty() {
            return Err(vm.value_error("execv() arg 2 first element cannot be empty"));
        }
        execute(vm, &PathOrFd::Path(path), &argv, None).or_raise(vm)
    }

    /// Execute an executable path with arguments, replacing current process.
    ///
    ///   path
    ///     Path of executable file.
    ///   argv
    ///     Tuple or list of strings.
    ///   env
    ///     Dictionary of strings mapping to strings.
    #[pyfunction(sig = "(path, argv, env)")]
    fn execve(vm: &Vm, path: PathOrFd, argv: &Value, env: &Value) -> Res<()> {
        let Some(items) = list_or_tuple(argv) else {
            return Err(vm.type_error("execve: argv must be a tuple or list"));
        };
        if items.is_empty() {
            return Err(vm.value_error("execve: argv must not be empty"));
        }
        if env.ty().slots().getitem.is_none() {
            return Err(vm.type_error("execve: environment must be a mapping object"));
        }
        let given = argv;
        let argv = arguments(vm, &items)?;
        if argv.first().is_empty() {
            return Err(vm.value_error("execve: argv first element cannot be empty"));
        }
        audit!(vm, "os.exec", path.object().clone(), given.clone(), env.clone());
        let env = environment(vm, env)?;
        execute(vm, &path, &argv, Some(&env)).or_raise_for(vm, path.object())
    }
}
