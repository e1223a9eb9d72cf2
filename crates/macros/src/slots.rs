//! Special methods: from the Python name to a field of the slot table, and the wrapper of each shape.
//! Invariant: the shapes here are the types of the fields of `object::slots::Slots`, or the generated code fails to compile.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `(vm, this) -> Value`
    Unary,
    /// `(vm, this) -> Option<Value>`
    Next,
    /// `(vm, this) -> R`, a Rust result that Python code never sees
    Plain(&'static str),
    /// `(vm, this, item) -> bool`
    Contains,
    /// `(vm, this, other) -> Value`
    Receiver1,
    /// `(vm, a, b) -> Value`, either operand is of the type
    Binary,
    /// `(vm, a, b, modulus) -> Value`
    Power,
    /// `(vm, this, key, Option<value>) -> ()`
    SetItem,
    GetAttr,
    SetAttr,
    DescrGet,
    DescrSet,
    RichCompare,
    /// `(vm, this, n) -> Value`
    Repeat,
    /// `(vm, this, flags) -> Buffer`
    Buffer,
    New,
    Init,
    Call,
}

/// Python name, field, shape.
const TABLE: &[(&str, &str, Shape)] = &[
    ("__repr__", "repr", Shape::Unary),
    ("__str__", "str", Shape::Unary),
    ("__iter__", "iter", Shape::Unary),
    ("__await__", "await_", Shape::Unary),
    ("__aiter__", "aiter", Shape::Unary),
    ("__anext__", "anext", Shape::Unary),
    ("__neg__", "neg", Shape::Unary),
    ("__pos__", "pos", Shape::Unary),
    ("__invert__", "invert", Shape::Unary),
    ("__abs__", "abs", Shape::Unary),
    ("__int__", "int", Shape::Unary),
    ("__float__", "float", Shape::Unary),
    ("__index__", "index", Shape::Unary),
    ("__next__", "next", Shape::Next),
    ("__bool__", "bool", Shape::Plain("bool")),
    ("__len__", "len", Shape::Plain("usize")),
    ("__hash__", "hash", Shape::Plain("i64")),
    ("__del__", "finalize", Shape::Plain("()")),
    ("__contains__", "contains", Shape::Contains),
    ("__getitem__", "getitem", Shape::Receiver1),
    ("__setitem__", "setitem", Shape::SetItem),
    ("__getattribute__", "getattro", Shape::GetAttr),
    ("__setattr__", "setattro", Shape::SetAttr),
    ("__get__", "descr_get", Shape::DescrGet),
    ("__set__", "descr_set", Shape::DescrSet),
    ("__richcompare__", "richcompare", Shape::RichCompare),
    ("__add__", "add", Shape::Binary),
    ("__sub__", "sub", Shape::Binary),
    ("__mul__", "mul", Shape::Binary),
    ("__matmul__", "matmul", Shape::Binary),
    ("__truediv__", "truediv", Shape::Binary),
    ("__floordiv__", "floordiv", Shape::Binary),
    ("__divmod__", "divmod", Shape::Binary),
    ("__mod__", "mod_", Shape::Binary),
    ("__lshift__", "lshift", Shape::Binary),
    ("__rshift__", "rshift", Shape::Binary),
    ("__and__", "and", Shape::Binary),
    ("__or__", "or", Shape::Binary),
    ("__xor__", "xor", Shape::Binary),
    ("__pow__", "pow", Shape::Power),
    ("__iadd__", "iadd", Shape::Receiver1),
    ("__isub__", "isub", Shape::Receiver1),
    ("__imul__", "imul", Shape::Receiver1),
    ("__imatmul__", "imatmul", Shape::Receiver1),
    ("__itruediv__", "itruediv", Shape::Receiver1),
    ("__ifloordiv__", "ifloordiv", Shape::Receiver1),
    ("__imod__", "imod", Shape::Receiver1),
    ("__ilshift__", "ilshift", Shape::Receiver1),
    ("__irshift__", "irshift", Shape::Receiver1),
    ("__iand__", "iand", Shape::Receiver1),
    ("__ior__", "ior", Shape::Receiver1),
    ("__ixor__", "ixor", Shape::Receiver1),
    ("__ipow__", "ipow", Shape::Receiver1),
    ("__concat__", "concat", Shape::Receiver1),
    ("__inplace_concat__", "inplace_concat", Shape::Receiver1),
    ("__repeat__", "repeat", Shape::Repeat),
    ("__inplace_repeat__", "inplace_repeat", Shape::Repeat),
    ("__buffer__", "buffer", Shape::Buffer),
    ("__new__", "new", Shape::New),
    ("__init__", "init", Shape::Init),
    ("__call__", "call", Shape::Call),
];

pub fn find(name: &str) -> Result<(&'static str, Shape), String> {
    if let Some((_, field, shape)) = TABLE.iter().find(|(python, ..)| *python == name) {
        return Ok((field, *shape));
    }
    Err(match name {
        "__delitem__" | "__delattr__" | "__delete__" => {
            format!("{name} is the setting slot called with `value: None`")
        }
        "__eq__" | "__ne__" | "__lt__" | "__le__" | "__gt__" | "__ge__" => {
            format!("{name} is part of `__richcompare__`")
        }
        "__radd__" | "__rsub__" | "__rmul__" | "__rtruediv__" | "__rfloordiv__" | "__rmod__" | "__rpow__"
        | "__rand__" | "__ror__" | "__rxor__" | "__rlshift__" | "__rrshift__" | "__rmatmul__" | "__rdivmod__" => {
            format!("{name}: the slot of the unreflected operator is called for both sides")
        }
        _ => format!("{name} is no slot: declare it with #[pymethod]"),
    })
}

/// The wrapper of every shape but `New`, `Init` and `Call`; `callee` is the typed function.
pub fn wrapper(field: &str, shape: Shape, callee: &TokenStream) -> TokenStream {
    let field = format_ident!("{field}");
    let value = quote!(::lisle_runtime::native::Value);
    let vm = quote!(vm: &::lisle_runtime::native::Vm);
    let this = quote!(unsafe { ::lisle_runtime::native::FromThis::from_this(this) });
    let convert = |call: TokenStream| quote!(::lisle_runtime::native::IntoRes::into_res(#call, vm));
    let name = quote!(&::lisle_runtime::native::Py<::lisle_runtime::native::Str>);
    let option = quote!(::core::option::Option);
    let (params, result, body) = match shape {
        Shape::Unary => (
            quote!(this: &#value),
            quote!(#value),
            convert(quote!(#callee(vm, #this))),
        ),
        Shape::Next => (
            quote!(this: &#value),
            quote!(#option<#value>),
            quote!(::lisle_runtime::native::into_next(#callee(vm, #this), vm)),
        ),
        Shape::Plain(ty) => {
            let ty: TokenStream = ty.parse().expect("a type of the table");
            (quote!(this: &#value), ty, quote!(#callee(vm, #this)))
        }
        Shape::Contains => (
            quote!(this: &#value, item: &#value),
            quote!(bool),
            quote!(#callee(vm, #this, item)),
        ),
        Shape::Receiver1 => (
            quote!(this: &#value, other: &#value),
            quote!(#value),
            convert(quote!(#callee(vm, #this, other))),
        ),
        Shape::Binary => (
            quote!(a: &#value, b: &#value),
            quote!(#value),
            convert(quote!(#callee(vm, a, b))),
        ),
        Shape::Power => (
            quote!(a: &#value, b: &#value, modulus: #option<&#value>),
            quote!(#value),
            convert(quote!(#callee(vm, a, b, modulus))),
        ),
        Shape::SetItem => (
            quote!(this: &#value, key: &#value, item: #option<&#value>),
            quote!(()),
            quote!(#callee(vm, #this, key, item)),
        ),
        Shape::GetAttr => (
            quote!(this: &#value, name: #name),
            quote!(#value),
            convert(quote!(#callee(vm, #this, name))),
        ),
        Shape::SetAttr => (
            quote!(this: &#value, name: #name, item: #option<&#value>),
            quote!(()),
            quote!(#callee(vm, #this, name, item)),
        ),
        Shape::DescrGet => (
            quote!(this: &#value, object: #option<&#value>, owner: #option<&#value>),
            quote!(#value),
            convert(quote!(#callee(vm, #this, object, owner))),
        ),
        Shape::DescrSet => (
            quote!(this: &#value, object: &#value, item: #option<&#value>),
            quote!(()),
            quote!(#callee(vm, #this, object, item)),
        ),
        Shape::RichCompare => (
            quote!(this: &#value, other: &#value, op: ::lisle_runtime::native::CmpOp),
            quote!(#value),
            convert(quote!(#callee(vm, #this, other, op))),
        ),
        Shape::Repeat => (
            quote!(this: &#value, n: isize),
            quote!(#value),
            convert(quote!(#callee(vm, #this, n))),
        ),
        Shape::Buffer => (
            quote!(this: &#value, flags: ::lisle_runtime::native::BufferFlags),
            quote!(::lisle_runtime::native::Buffer),
            quote!(#callee(vm, #this, flags)),
        ),
        Shape::New | Shape::Init | Shape::Call => unreachable!("these bind arguments"),
    };
    quote! {{
        #[allow(clippy::all)]
        fn slot(#vm, #params) -> ::lisle_runtime::native::Res<#result> { #body }
        def.slots.#field = #option::Some(slot);
    }}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_hints() {
        assert!(find("__mod__").is_ok_and(|(field, shape)| field == "mod_" && shape == Shape::Binary));
        assert!(find("__eq__").is_err_and(|message| message.contains("__richcompare__")));
        assert!(find("__reduce__").is_err_and(|message| message.contains("#[pymethod]")));
    }

    #[test]
    fn no_name_or_field_twice() {
        for (at, (name, field, _)) in TABLE.iter().enumerate() {
            assert!(
                TABLE[..at]
                    .iter()
                    .all(|(other, used, _)| other != name && used != field),
                "{name}"
            );
        }
    }
}
