//! `#[pyclass]`: the `Native` and `Trace` implementations of a payload.
//! Invariant: a payload with a base other than `Object` starts with the base's payload at offset 0, which is
//! checked by constants in the generated code, so that `&Py<Sub>` can be used as `&Py<Base>`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, ItemStruct, Result, parse_quote};

use crate::attrs::Options;
use crate::function::option_tokens;
use crate::trace;

/// Option, constant of `TypeFlags`.
const FLAGS: &[(&str, &str)] = &[
    ("basetype", "BASETYPE"),
    ("no_new", "DISALLOW_INSTANTIATION"),
    ("weakref", "WEAKREF"),
    ("dict", "NATIVE_DICT"),
    ("mapping", "MAPPING"),
    ("sequence", "SEQUENCE"),
    ("unhashable", "UNHASHABLE"),
    ("method_descriptor", "METHOD_DESCRIPTOR"),
];

pub fn expand(args: TokenStream, mut item: ItemStruct) -> Result<TokenStream> {
    let mut options = Options::parse(args)?;
    let ident = item.ident.clone();
    if !item.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &item.generics,
            "a native class has no generic parameters",
        ));
    }
    let name = options
        .string("name")?
        .map_or_else(|| ident.to_string(), |(name, _)| name);
    let module = options
        .string("module")?
        .map_or_else(|| "builtins".to_owned(), |(module, _)| module);
    let doc = option_tokens(options.string("doc")?.map(|(doc, _)| doc).as_deref());
    let base = options.path("base")?;
    let gc = options.value("gc")?;
    let traced = match gc {
        None => true,
        Some(syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Bool(value),
            ..
        })) => value.value,
        Some(other) => return Err(Error::new_spanned(other, "expected true or false")),
    };
    let no_methods = options.flag("no_methods")?;
    let late_end = options.flag("late_end")?;
    let mut flags = Vec::new();
    for (option, flag) in FLAGS {
        if options.flag(option)? {
            let flag = quote::format_ident!("{flag}");
            flags.push(quote!(::lisle_runtime::native::TypeFlags::#flag));
        }
    }
    if let Some(more) = options.value("flags")? {
        flags.push(quote!((#more)));
    }
    if traced {
        flags.push(quote!(::lisle_runtime::native::TypeFlags::GC));
    }
    options.finish()?;

    let base = base.filter(|base| base.segments.last().is_none_or(|segment| segment.ident != "Object"));
    let layout = base.as_ref().map(|base| {
        item.attrs.push(parse_quote!(#[repr(C)]));
        match item.fields.members().next() {
            None => quote!(assert!(::core::mem::size_of::<#base>() == 0, "the base's payload is missing");),
            Some(first) => quote! {
                const fn starts_with(_: fn(&#ident) -> &#base) {}
                starts_with(|payload| &payload.#first);
                assert!(::core::mem::offset_of!(#ident, #first) == 0);
            },
        }
    });
    let payload_base = base.as_ref().map(|base| {
        quote! {
            fn payload_base() -> ::core::option::Option<&'static ::lisle_runtime::native::PayloadInfo> {
                ::core::option::Option::Some(<#base as ::lisle_runtime::native::Native>::info())
            }
        }
    });
    let base = base.map_or_else(|| quote!(::lisle_runtime::native::Object), |base| quote!(#base));
    let trace = if traced {
        trace::for_struct(&ident, &item.generics, &item.fields)
    } else {
        trace::empty(&ident, &item.generics)
    };
    let methods = no_methods.then(|| {
        quote! {
            #[automatically_derived]
            impl ::lisle_runtime::native::NativeMethods for #ident {
                fn define(_def: &mut ::lisle_runtime::native::TypeDef) {}
            }
        }
    });
    Ok(quote! {
        #item
        #trace
        #methods
        const _: () = {
            // A larger alignment would move the payload away from where its base's is.
            assert!(::core::mem::align_of::<#ident>() <= 8);
            #layout
        };
        // SAFETY: the constants above have checked that the payload starts with its base's.
        #[automatically_derived]
        unsafe impl ::lisle_runtime::native::Native for #ident {
            const NAME: &'static str = #name;
            const MODULE: &'static str = #module;
            const DOC: ::core::option::Option<&'static str> = #doc;
            const FLAGS: ::lisle_runtime::native::TypeFlags = ::lisle_runtime::native::TypeFlags::NONE #(.union(#flags))*;
            const LATE_END: bool = #late_end;
            type Base = #base;
            fn type_cell() -> &'static ::lisle_runtime::native::TypeCell {
                static CELL: ::lisle_runtime::native::TypeCell = ::lisle_runtime::native::TypeCell::new();
                &CELL
            }
            #payload_base
        }
    })
}
