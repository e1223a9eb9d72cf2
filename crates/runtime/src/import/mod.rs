//! Imports: the instructions, `__import__`, the packed library, `_imp` and `marshal`.
//!
//! Invariant: importing means what `importlib._bootstrap` says. Native code takes over only where its outcome is the same: for
//! modules that are loaded already, and for modules of the packed library while nobody has changed the importers.

pub mod bootstrap;
pub mod code_data;
pub mod imp;
mod instructions;
mod level;
mod library_module;
mod load;
pub mod marshal;
pub mod registry;
pub mod shadowing;
pub mod timing;
mod trim;

pub use bootstrap::init;
pub use level::{__IMPORT___DEF, import_module_level};
pub use registry::{
    Library, LibraryModule, builtin_module_names, make_native_module, set_library, set_native_modules,
    stdlib_module_names,
};

use crate::object::Value;
use crate::types::str::Str;
use crate::vm::{Res, Vm};

impl Vm {
    /// The module with the dotted name, imported if need be.
    pub fn import_module(&self, name: &str) -> Res<Value> {
        let key = Str::intern(name);
        match level::loaded(self, &key)? {
            Some(module) => Ok(module),
            None => load::find_and_load(self, &key),
        }
    }
}
