//! Tables of numbers of the system that a module shows under their names.

use lisle_runtime::native::{Py, Str, Value};
use lisle_runtime::types::module::Module;

/// Declares `CONSTANTS`: names of the C library (with a `cfg` where not every system has one), and after `;` those that it does not
/// know, with their values.
macro_rules! constants {
    ($($(#[$when:meta])* $name:ident)* $(; $($own:ident = $value:expr),* $(,)?)?) => {
        #[allow(clippy::unnecessary_cast, reason = "the C library has them in several types")]
        pub(crate) const CONSTANTS: &[(&str, i64)] = &[
            $($(#[$when])* (stringify!($name), ::libc::$name as i64),)*
            $($((stringify!($own), $value),)*)?
        ];
    };
}
pub(crate) use constants;

/// Puts the constants into the module.
pub fn add(module: &Py<Module>, constants: &[(&str, i64)]) {
    let dict = module.dict();
    for (name, value) in constants {
        dict.set_str(&Str::intern(name), Value::int(*value));
    }
}
