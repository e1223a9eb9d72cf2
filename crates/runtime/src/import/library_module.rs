//! `_lisle_library`: the packed library for the Python side of its importer.

use crate::native::pymodule;

#[pymodule(name = "_lisle_library", doc = "Access to the packed standard library.")]
pub mod module {
    use crate::import::registry::{self, LibraryModule};
    use crate::native::{Py, Res, Str, Value, Vm};
    use crate::types::bytes::Bytes;
    use crate::types::list::List;
    use crate::types::tuple::Tuple;

    fn find_module(name: &Py<Str>) -> Option<LibraryModule> {
        registry::library()?.find(&name.to_string_lossy())
    }

    fn missing(vm: &Vm, name: &Py<Str>) -> crate::vm::Exc {
        let message = format!("no module {} in the library", name.to_string_lossy());
        vm.import_error(message, Some(name.to_value()), None)
    }

    /// The folder in which the library seems to lie.
    #[pyattr]
    fn ROOT(_vm: &Vm) -> Res<Value> {
        Ok(Value::from(registry::library().map_or("", |l| l.root())))
    }

    /// Whether the module is a package, and its path; None if there is no such module.
    #[pyfunction(sig = "(name, /)")]
    fn find(_vm: &Vm, name: &Py<Str>) -> Res<Value> {
        Ok(match find_module(name) {
            Some(found) => {
                let path = Value::from(registry::library_path(found).as_str());
                Tuple::pair(Value::from_bool(found.is_package), path).into_value()
            }
            None => Value::NONE,
        })
    }

    /// The code object of a module.
    #[pyfunction(sig = "(name, /)")]
    fn code(vm: &Vm, name: &Py<Str>) -> Res<Value> {
        match find_module(name) {
            Some(found) => registry::library_code(vm, found).map(Py::into_value),
            None => Err(missing(vm, name)),
        }
    }

    /// The source of a module, as text.
    #[pyfunction(sig = "(name, /)")]
    fn source(vm: &Vm, name: &Py<Str>) -> Res<Value> {
        let bytes = find_module(name).and_then(|found| registry::library()?.source(found.name));
        match bytes {
            Some(bytes) => Ok(Value::from(&*String::from_utf8_lossy(&bytes))),
            None => Err(missing(vm, name)),
        }
    }

    /// The bytes of a file, by its path below ROOT; None if there is no such file.
    #[pyfunction(sig = "(path, /)")]
    fn data(_vm: &Vm, path: &Py<Str>) -> Res<Value> {
        let bytes = registry::library().and_then(|library| library.data(&path.to_string_lossy()));
        Ok(bytes.map_or(Value::NONE, Bytes::new_value))
    }

    /// The paths below ROOT of all files.
    #[pyfunction(sig = "()")]
    fn files(_vm: &Vm) -> Res<Value> {
        let mut paths = Vec::new();
        if let Some(library) = registry::library() {
            let skip = library.root().len() + 1;
            let modules = library.modules().into_iter().map(registry::library_path);
            paths.extend(modules.map(|path| Value::from(&path[skip..])));
            paths.extend(library.files().into_iter().map(Value::from));
        }
        Ok(List::new(paths).into_value())
    }
}
