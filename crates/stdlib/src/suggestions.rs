//! `_suggestions`: "Did you mean ..." for `traceback`.
//!
//! Invariant: none of its own; the choice is `native::suggest`'s.

use lisle_runtime::native::suggest::closest;
use lisle_runtime::native::{Py, Res, Str, Value, Vm, pymodule};
use lisle_runtime::types::list::List;

#[pymodule(name = "_suggestions")]
pub mod module {
    use super::*;

    /// Returns the candidate in candidates that's closest to item
    #[pyfunction(sig = "(candidates, item, /)")]
    fn _generate_suggestions(vm: &Vm, candidates: &Value, item: &Py<Str>) -> Res<Option<Value>> {
        let Some(list) = candidates.downcast::<List>() else {
            return Err(vm.type_error("candidates must be a list"));
        };
        let mut texts = Vec::new();
        for candidate in list.snapshot() {
            match candidate.downcast::<Str>() {
                Some(text) => texts.push(text.to_string_lossy()),
                None => return Err(vm.type_error("all elements in 'candidates' must be strings")),
            }
        }
        let names: Vec<&str> = texts.iter().map(String::as_str).collect();
        Ok(closest(&item.to_string_lossy(), &names).map(Value::from))
    }
}
