//! Attributes that declare Python modules, classes and functions in Rust.
//!
//! Invariant: everything Python sees of a native item (name, signature, docstring) is written once, at the item;
//! the signature text is parsed here, at compile time, and the same text is what `inspect` reads.
//! The generated code names the runtime by absolute paths (`::lisle_runtime::...`), so this crate knows nothing of it.
//! Left out: optional groups such as `range([start,] stop)`; such functions take `Args` and bind by hand.
//!
//! - [`macro@pyclass`], [`macro@pymethods`]: a native class; [`macro@Trace`]: what the collector sees of a payload.
//! - [`macro@pymodule`], [`macro@pyfunction`]: a native module and its functions; [`signature!`]: binding by hand.

mod attrs;
mod class;
mod function;
mod handler;
mod methods;
mod module;
mod signature;
mod slots;
mod trace;

use proc_macro::TokenStream;
use syn::{DeriveInput, ItemFn, ItemImpl, ItemMod, ItemStruct, parse_macro_input};

/// Declares the payload of a native class.
///
/// ```ignore
/// #[pyclass(name = "list", module = "builtins", basetype, sequence, unhashable)]
/// pub struct List { items: Items }
/// ```
///
/// Options: `name = "..."` (default: the Rust name), `module = "..."` (default: `builtins`), `doc = "..."`,
/// `base = Type` (default: `Object`; the payload's first field must then be the base's payload, unless that is empty),
/// `gc = false` (holds no references: nothing is traversed), `no_methods` (there is no `#[pymethods]` block),
/// `flags = TypeFlags::INT_SUBCLASS` (further bits), and the flags `basetype`, `no_new`, `weakref`, `dict`, `mapping`,
/// `sequence`, `unhashable`, `method_descriptor`.
/// Implements `Native` and `Trace`.
#[proc_macro_attribute]
pub fn pyclass(args: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemStruct);
    class::expand(args.into(), item)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// For the instruction loop of the runtime alone: `fn name(s: State<'_>) -> Exit` becomes a function of the state's parts.
///
/// `#[handler(apart)]`, of `fn name(s: Apart<'_>) -> Exit`: the body is a function of its own, so that what it needs of the stack is free again
/// when the handler hands over to the next one.
#[proc_macro_attribute]
pub fn handler(args: TokenStream, item: TokenStream) -> TokenStream {
    let apart = args.to_string() == "apart";
    let item = parse_macro_input!(item as ItemFn);
    handler::expand(apart, item)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Declares the methods, getters and special methods of a native class.
///
/// Within the block: `#[pymethod(sig = "($self, object, /)")]`, `#[classmethod(sig = ..)]`, `#[staticmethod(sig = ..)]`,
/// `#[getter]`, `#[setter]`, `#[classattr]` (on a `fn(vm: &Vm) -> ..`) and `#[slot]`. A class may have further blocks: `#[pymethods(part = define_search)]`
/// generates the function `define_search`, and the main block names it: `#[pymethods(parts(define_search))]`.
#[proc_macro_attribute]
pub fn pymethods(args: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemImpl);
    methods::expand(args.into(), item)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Declares a native function outside of a `#[pymodule]`: beside `fn name` there is then `static NAME_DEF: FnDef`.
#[proc_macro_attribute]
pub fn pyfunction(args: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemFn);
    module::expand_function(args.into(), item)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Declares a native module: the annotated `mod` gets a `pub static DEF: ModuleDef`.
///
/// ```ignore
/// #[pymodule(name = "_thread", doc = "...", types(Lock, RLock))]
/// mod module {
///     #[pyfunction(sig = "(size=0, /)")]
///     fn stack_size(vm: &Vm, size: i64) -> Res<i64> { .. }
///     #[pyattr]
///     const TIMEOUT_MAX: f64 = 9223372036.0;
///     #[init]
///     fn init(vm: &Vm, module: &Py<Module>) -> Res<()> { .. }
/// }
/// ```
///
/// `#[pyattr]` stands on a `fn(vm: &Vm) -> ..` (evaluated at import), on a `const`, or on a `use` of constants.
/// `parts(path, ..)` merges the `DEF`s of other modules, for a module spread over several files.
#[proc_macro_attribute]
pub fn pymodule(args: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemMod);
    module::expand(args.into(), item)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// A constant `Signature`, for natives that take `Args` and bind by hand: `signature!("math.hypot(*coordinates)")`.
/// After `class`, as in `signature!(class "int(x, /, base=10)")`, errors are worded as a constructor's.
#[proc_macro]
pub fn signature(input: TokenStream) -> TokenStream {
    function::expand_signature(input.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Derives `Trace` by visiting every field; a field whose type is no `Trace` does not compile.
#[proc_macro_derive(Trace)]
pub fn derive_trace(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    trace::expand(&item)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
