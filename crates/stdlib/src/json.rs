//! The `_json` module: the fast paths of `json`.
//!
//! Invariant: nesting counts against the recursion limit, so no document overflows the native stack.
//! [`scan`] reads documents, [`write`] makes them, [`quote`] escapes strings.

mod quote;
mod scan;
mod write;

use lisle_runtime::native::pymodule;

#[pymodule(name = "_json", doc = "json speedups\n")]
pub mod module {
    use super::quote;
    use super::scan::{self, Scanner};
    use super::write::Encoder;
    use lisle_runtime::native::*;

    fn text_argument<'a>(vm: &Vm, value: &'a Value) -> Res<&'a Py<Str>> {
        value
            .downcast::<Str>()
            .ok_or_else(|| vm.type_error(format!("first argument must be a string, not {}", value.ty().name())))
    }

    /// encode_basestring_ascii(string) -> string
    ///
    /// Return an ASCII-only JSON representation of a Python string
    #[pyfunction(sig = "(object, /)")]
    pub fn encode_basestring_ascii(vm: &Vm, object: &Value) -> Res<Value> {
        quote::quoted(vm, text_argument(vm, object)?.view(), true)
    }

    /// encode_basestring(string) -> string
    ///
    /// Return a JSON representation of a Python string
    #[pyfunction(sig = "(object, /)")]
    pub fn encode_basestring(vm: &Vm, object: &Value) -> Res<Value> {
        quote::quoted(vm, text_argument(vm, object)?.view(), false)
    }

    #[pyattr(name = "make_scanner")]
    fn make_scanner(_vm: &Vm) -> Value {
        Scanner::ty().to_value()
    }

    #[pyattr(name = "make_encoder")]
    fn make_encoder(_vm: &Vm) -> Value {
        Encoder::ty().to_value()
    }

    /// scanstring(string, end, strict=True) -> (string, end)
    ///
    /// Scan the string s for a JSON string. End is the index of the
    /// character in s after the quote that started the JSON string.
    /// Unescapes all valid JSON string escape sequences and raises ValueError
    /// on attempt to decode an invalid string. If strict is False then literal
    /// control characters are allowed in the string.
    ///
    /// Returns a tuple of the decoded string and the index of the character in s
    /// after the end quote.
    #[pyfunction]
    fn scanstring(vm: &Vm, args: Args<'_>) -> Res<(Value, usize)> {
        args.no_keywords(vm, "_json.scanstring")?;
        let values = args.check_positional(vm, "scanstring", 2, 3)?;
        let end = vm.index_to_i64(&values[1]).map_err(|exc| {
            if exc.is(&lisle_runtime::types::exceptions::OVERFLOW_ERROR) {
                return vm.overflow_error("Python int too large to convert to C ssize_t");
            }
            exc
        })? as isize;
        let text = text_argument(vm, &values[0])?;
        let strict = match values.get(2) {
            Some(strict) => vm.truth(strict)?,
            None => true,
        };
        scan::scan_string(vm, text, end, strict)
    }
}
