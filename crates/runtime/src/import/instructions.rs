//! What the instructions `ImportName`, `ImportFrom` and `ImportStar` do.

use super::level::{__IMPORT___DEF, import_module_level};
use super::shadowing;
use crate::intern;
use crate::object::{Py, Value};
use crate::types::module::Module;
use crate::types::native_function::NativeFunction;
use crate::types::str::Str;
use crate::vm::frames::FrameData;
use crate::vm::{Exc, Res, Vm};

impl Vm {
    /// `import name` and `from name import ...`.
    pub(crate) fn import_name(&self, f: &FrameData, name: &Py<Str>, level: &Value, fromlist: &Value) -> Res<Value> {
        let Some(import) = self.builtin_in(f.builtins(), intern!("__import__"))? else {
            return Err(self.import_error("__import__ not found", None, None));
        };
        let original = import
            .downcast_exact::<NativeFunction>()
            .is_some_and(|function| std::ptr::eq(function.def, &__IMPORT___DEF));
        if original && let Some(level) = level.as_small_int() {
            return import_module_level(self, name, Some(f.globals().as_value()), fromlist, level);
        }
        let locals = f.locals().cloned().unwrap_or(Value::NONE);
        let args = [
            name.to_value(),
            f.globals().to_value(),
            locals,
            fromlist.clone(),
            level.clone(),
        ];
        self.call(&import, &args)
    }

    /// `from module import name`.
    pub(crate) fn import_from(&self, module: &Value, name: &Py<Str>) -> Res<Value> {
        if let Some(value) = self.getattr_opt(module, name)? {
            return Ok(value);
        }
        // A submodule that is being imported further out is no attribute of its package yet.
        let package = self.getattr_opt(module, intern!("__name__"))?;
        let package = package.filter(|p| p.downcast::<Str>().is_some());
        if let Some(package) = &package {
            let full = format!("{}.{}", self.str(package)?.to_string_lossy(), name.to_string_lossy());
            if let Some(found) = crate::interp::modules().get_str(&Str::from_str(&full)) {
                return Ok(found);
            }
        }
        Err(self.cannot_import(module, package, name)?)
    }

    /// The error of a name that a module does not have.
    #[cold]
    fn cannot_import(&self, module: &Value, package: Option<Value>, name: &Py<Str>) -> Res<Exc> {
        let attr = name.to_string_lossy();
        let package = package.unwrap_or_else(|| Value::from("<unknown module name>"));
        let package_name = self.repr(&package)?.to_string_lossy();
        let spec = self.getattr_opt(module, intern!("__spec__"))?;
        let file = self.origin_of(module, spec.as_ref())?;
        let Some(origin) = &file else {
            let message = format!("cannot import name '{attr}' from {package_name} (unknown location)");
            return Ok(self.import_from_error(message, package, None, name));
        };
        let origin = self.str(origin)?.to_string_lossy();
        let initializing = match &spec {
            Some(spec) => super::level::is_initializing(self, spec)?,
            None => false,
        };
        let problem = "consider renaming";
        let (shadows, library) = shadowing::find(self, &package, Some(&origin))?;
        let message = if library {
            format!(
                "cannot import name '{attr}' from {package_name} ({problem} '{origin}' since it has the same name as the standard library module named {package_name} and prevents importing that standard library module)"
            )
        } else if initializing && shadows {
            format!(
                "cannot import name '{attr}' from {package_name} ({problem} '{origin}' if it has the same name as a library you intended to import)"
            )
        } else if initializing {
            format!(
                "cannot import name '{attr}' from partially initialized module {package_name} (most likely due to a circular import) ({origin})"
            )
        } else {
            format!("cannot import name '{attr}' from {package_name} ({origin})")
        };
        Ok(self.import_from_error(message, package, file, name))
    }

    fn import_from_error(&self, message: String, package: Value, path: Option<Value>, name: &Py<Str>) -> Exc {
        let exc = self.import_error(message, Some(package), path);
        // `name_from` has no keyword that older code would trip over: it is set afterwards.
        match self.setattr(exc.value(), intern!("name_from"), name.as_value()) {
            Ok(()) => exc,
            Err(other) => other,
        }
    }

    /// The file of a module: what its spec says, else its `__file__`; `None` if neither is text.
    fn origin_of(&self, module: &Value, spec: Option<&Value>) -> Res<Option<Value>> {
        if let Some(spec) = spec
            && let Some(origin) = shadowing::file_of_spec(self, spec)?
        {
            return Ok(Some(origin));
        }
        let file = self.getattr_opt(module, intern!("__file__"))?;
        Ok(file.filter(|f| f.downcast::<Str>().is_some()))
    }

    /// `from module import *`.
    pub(crate) fn import_star(&self, f: &FrameData, module: &Value) -> Res<()> {
        let all = self.getattr_opt(module, intern!("__all__"))?;
        let skip_private = all.is_none();
        let names = match all {
            Some(all) => self.collect(&all)?,
            None => match self.getattr_opt(module, intern!("__dict__"))? {
                Some(dict) => {
                    let keys = self.call_method(&dict, intern!("keys"), &[])?;
                    self.collect(&keys)?
                }
                None => {
                    return Err(self.import_error("from-import-* object has no __dict__ and no __all__", None, None));
                }
            },
        };
        for name in names {
            let Some(n) = name.downcast::<Str>() else {
                return Err(self.bad_star_name(module, &name, skip_private)?);
            };
            if skip_private && n.view().get(0) == Some(u32::from(b'_')) {
                continue;
            }
            let value = self.getattr(module, n)?;
            self.store_name(f, n, value)?;
        }
        Ok(())
    }

    #[cold]
    fn bad_star_name(&self, module: &Value, name: &Value, skip_private: bool) -> Res<Exc> {
        let Some(package) = module
            .downcast::<Module>()
            .and_then(|m| m.dict().get_str(intern!("__name__")))
        else {
            return Ok(self.type_error("module has no __name__"));
        };
        if package.downcast::<Str>().is_none() {
            let got = package.ty().name();
            return Ok(self.type_error(format!("module __name__ must be a string, not {got}")));
        }
        let (what, place) = if skip_private {
            ("Key", "__dict__")
        } else {
            ("Item", "__all__")
        };
        let package = self.str(&package)?.to_string_lossy();
        let got = name.ty().name();
        Ok(self.type_error(format!("{what} in {package}.{place} must be str, not {got}")))
    }
}
