//! Imports: what the import instructions do.

use crate::intern;
use crate::native::ModuleDef;
use crate::object::{Py, Value};
use crate::types::dict::Dict;
use crate::types::module::Module;
use crate::types::native_function::NativeFunction;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::frames::FrameData;
use crate::vm::{Res, Vm};

/// Makes the module of a native definition.
pub fn make_native_module(vm: &Vm, def: &'static ModuleDef) -> Res<Py<Module>> {
    let module = Module::new(def.name);
    for part in def.all() {
        for function in part.functions {
            let value = NativeFunction::new_value(function, None, Some(Str::intern(def.name).into_value()));
            module.set(function.name, value);
        }
        for ty in part.types {
            let ty = ty();
            module.set(&ty.name(), ty.to_value());
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

impl Vm {
    /// The module with the dotted name, imported if need be.
    pub fn import_module(&self, name: &str) -> Res<Value> {
        let key = Str::intern(name);
        if let Some(module) = crate::interp::modules().get_str(&key).filter(|m| !m.is_none()) {
            return Ok(module);
        }
        let globals = Dict::new_empty().into_value();
        let import = self.builtin(intern!("__import__"))?;
        let fromlist = Tuple::new(vec![Value::from("*")]).into_value();
        self.call(
            &import,
            &[key.into_value(), globals.clone(), globals, fromlist, Value::int(0)],
        )
    }

    /// `import name` and `from name import ...`.
    pub(crate) fn import_name(&self, f: &FrameData, name: &Py<Str>, level: &Value, fromlist: &Value) -> Res<Value> {
        let Some(import) = f.builtins().get_str(intern!("__import__")) else {
            return Err(self.import_error("__import__ not found", None, None));
        };
        let locals = f.locals().cloned().unwrap_or(Value::NONE);
        self.call(
            &import,
            &[
                name.to_value(),
                f.globals().to_value(),
                locals,
                fromlist.clone(),
                level.clone(),
            ],
        )
    }

    /// `from module import name`.
    pub(crate) fn import_from(&self, module: &Value, name: &Py<Str>) -> Res<Value> {
        if let Some(value) = self.getattr_opt(module, name)? {
            return Ok(value);
        }
        let package = self.getattr_opt(module, intern!("__name__"))?;
        let package = package.and_then(|p| p.downcast::<Str>().map(|s| s.to_string_lossy()));
        let attr = name.to_string_lossy();
        if let Some(package) = &package
            && let Some(found) = crate::interp::modules().get_str(&Str::from_str(&format!("{package}.{attr}")))
        {
            return Ok(found);
        }
        let file = self.getattr_opt(module, intern!("__file__"))?;
        let place = match &file {
            Some(f) if f.downcast::<Str>().is_some() => self.str(f)?.to_string_lossy(),
            _ => "unknown location".to_string(),
        };
        let package = package.unwrap_or_else(|| "<unknown module name>".into());
        let initializing = match self.getattr_opt(module, intern!("__spec__"))? {
            Some(spec) => self
                .getattr_opt(&spec, intern!("_initializing"))?
                .is_some_and(|v| v.is_true()),
            None => false,
        };
        let message = if initializing {
            format!(
                "cannot import name '{attr}' from partially initialized module '{package}' (most likely due to a circular import) ({place})"
            )
        } else {
            format!("cannot import name '{attr}' from '{package}' ({place})")
        };
        Err(self.import_error(message, Some(Value::from(package.as_str())), file))
    }

    /// `from module import *`.
    pub(crate) fn import_star(&self, f: &FrameData, module: &Value) -> Res<()> {
        let all = self.getattr_opt(module, intern!("__all__"))?;
        let skip_private = all.is_none();
        let names = match all {
            Some(all) => self.collect(&all)?,
            None => match self.getattr_opt(module, intern!("__dict__"))? {
                Some(dict) => self.collect(&dict)?,
                None => {
                    return Err(self.import_error("from-import-* object has no __dict__ and no __all__", None, None));
                }
            },
        };
        for name in names {
            let Some(n) = name.downcast::<Str>() else {
                let got = name.ty().name();
                return Err(self.type_error(format!("Item in __all__ must be str, not {got}")));
            };
            if skip_private && n.view().get(0) == Some(u32::from(b'_')) {
                continue;
            }
            let value = self.getattr(module, n)?;
            self.store_name(f, n, value)?;
        }
        Ok(())
    }
}
