//! `#[pymethods]`: collects the declared functions of an `impl` block into `NativeMethods::define`.
//! Invariant: the block itself stays as written, without the markers, so its functions can be called from Rust as well.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, Error, Ident, ImplItem, ImplItemFn, ItemImpl, Result, Type, parse_quote};

use crate::attrs::{Options, cfgs, take_marker};
use crate::function::{Definition, Role, Typed, docstring, join, known, python_name};
use crate::slots::{self, Shape};

const MARKERS: &[&str] = &[
    "pymethod",
    "classmethod",
    "staticmethod",
    "getter",
    "setter",
    "slot",
    "classattr",
];

struct Property {
    name: String,
    cfgs: Vec<Attribute>,
    doc: TokenStream,
    getter: Option<Ident>,
    setter: Option<Ident>,
    /// Shown as a member of the structure, as CPython does.
    member: bool,
}

pub fn expand(args: TokenStream, mut block: ItemImpl) -> Result<TokenStream> {
    let mut options = Options::parse(args)?;
    let part = options.path("part")?;
    let parts = options.paths("parts")?;
    options.finish()?;
    let ty = (*block.self_ty).clone();
    let mut body = TokenStream::new();
    let mut properties: Vec<Property> = Vec::new();
    let mut errors: Option<Error> = None;
    for item in &mut block.items {
        let ImplItem::Fn(function) = item else { continue };
        if let Err(error) = collect(&ty, function, &mut body, &mut properties) {
            match &mut errors {
                Some(all) => all.combine(error),
                None => errors = Some(error),
            }
        }
    }
    for property in &properties {
        match expand_property(&ty, property) {
            Ok(tokens) => body.extend(tokens),
            Err(error) => match &mut errors {
                Some(all) => all.combine(error),
                None => errors = Some(error),
            },
        }
    }
    if let Some(errors) = errors {
        let errors = errors.into_compile_error();
        return Ok(quote!(#block #errors));
    }
    let define = match part {
        Some(name) => quote! {
            impl #ty {
                pub(crate) fn #name(def: &mut ::lisle_runtime::native::TypeDef) { #body }
            }
        },
        None => quote! {
            #[automatically_derived]
            impl ::lisle_runtime::native::NativeMethods for #ty {
                fn define(def: &mut ::lisle_runtime::native::TypeDef) {
                    #body
                    #(<#ty>::#parts(def);)*
                }
            }
        },
    };
    Ok(quote!(#block #define))
}

fn collect(ty: &Type, function: &mut ImplItemFn, body: &mut TokenStream, properties: &mut Vec<Property>) -> Result<()> {
    let Some((which, marker)) = take_marker(&mut function.attrs, MARKERS)? else {
        return Ok(());
    };
    let mut options = Options::of_attribute(&marker)?;
    let cfgs = cfgs(&function.attrs);
    let ident = function.sig.ident.clone();
    let tokens = match MARKERS[which] {
        "pymethod" => method(ty, Role::Method, &mut options, function)?,
        "classmethod" => method(ty, Role::ClassMethod, &mut options, function)?,
        "staticmethod" => method(ty, Role::StaticMethod, &mut options, function)?,
        "slot" => slot(ty, &mut options, function)?,
        "classattr" => {
            let name = python_name(&mut options, &ident)?;
            quote! {
                fn attr(vm: &::lisle_runtime::native::Vm)
                    -> ::lisle_runtime::native::Res<::lisle_runtime::native::Value>
                {
                    ::lisle_runtime::native::IntoRes::into_res(<#ty>::#ident(vm), vm)
                }
                def.attr(#name, attr);
            }
        }
        accessor => {
            let getter = accessor == "getter";
            let name = match options.string("name")? {
                Some((name, _)) => name,
                None if getter => ident.to_string(),
                None => match ident.to_string().strip_prefix("set_") {
                    Some(name) => name.to_owned(),
                    None => return Err(Error::new_spanned(&ident, "call it `set_..`, or give `name = \"..\"`")),
                },
            };
            let doc = docstring(&mut options, &function.attrs)?;
            let member = getter && options.flag("member")?;
            options.finish()?;
            let at = match properties.iter().position(|property| property.name == name) {
                Some(at) => at,
                None => {
                    properties.push(Property {
                        name,
                        cfgs,
                        doc: doc.clone(),
                        getter: None,
                        setter: None,
                        member: false,
                    });
                    properties.len() - 1
                }
            };
            let property = &mut properties[at];
            let place = if getter {
                &mut property.getter
            } else {
                &mut property.setter
            };
            if place.replace(ident.clone()).is_some() {
                return Err(Error::new_spanned(ident, "this attribute has one already"));
            }
            if getter {
                property.doc = doc;
                property.member = member;
            }
            return Ok(());
        }
    };
    options.finish()?;
    if function.sig.inputs.len() > 7 {
        function.attrs.push(parse_quote!(#[allow(clippy::too_many_arguments)]));
    }
    body.extend(quote!(#(#cfgs)* { #tokens }));
    Ok(())
}

fn class_name(ty: &Type) -> TokenStream {
    quote!(<#ty as ::lisle_runtime::native::Native>::NAME)
}

fn method(ty: &Type, role: Role, options: &mut Options, function: &ImplItemFn) -> Result<TokenStream> {
    let ident = &function.sig.ident;
    let typed = Typed::parse(role, options, &function.sig)?;
    let name = python_name(options, ident)?;
    let qualname = join(&class_name(ty), &quote!(#name));
    let definition = Definition {
        typed: &typed,
        def: format_ident!("DEF"),
        visibility: TokenStream::new(),
        callee: quote!(<#ty>::#ident),
        full: qualname.clone(),
        qualname,
        module: quote!(<#ty as ::lisle_runtime::native::Native>::MODULE),
        doc: docstring(options, &function.attrs)?,
        known: known(options)?,
        name,
    };
    let definition = definition.expand()?;
    Ok(quote!(#definition def.method(&DEF);))
}

fn slot(ty: &Type, options: &mut Options, function: &ImplItemFn) -> Result<TokenStream> {
    let ident = &function.sig.ident;
    let python = ident.to_string();
    let (field, shape) = slots::find(&python).map_err(|message| Error::new_spanned(ident, message))?;
    let callee = quote!(<#ty>::#ident);
    // Of constructors that take their arguments as they are.
    let given = options.string("text")?;
    let (role, receiver, result) = match shape {
        Shape::New => (
            Role::New,
            quote!(receiver: &::lisle_runtime::native::Py<::lisle_runtime::native::Type>),
            None,
        ),
        Shape::Init => (
            Role::Init,
            quote!(receiver: &::lisle_runtime::native::Value),
            Some(quote!(())),
        ),
        Shape::Call => (Role::Call, quote!(receiver: &::lisle_runtime::native::Value), None),
        _ => return Ok(slots::wrapper(field, shape, &callee)),
    };
    let typed = Typed::parse(role, options, &function.sig)?;
    let name = class_name(ty);
    let signature = typed.signature(&name, &name);
    let body = typed.call(&callee, &name, &quote!(#ty))?;
    let body = match &result {
        Some(_) => body,
        None => quote!(::lisle_runtime::native::IntoRes::into_res(#body, vm)),
    };
    let result = result.unwrap_or_else(|| quote!(::lisle_runtime::native::Value));
    let own = given.map(|(text, _)| quote!(#text));
    let text = match (own.or_else(|| typed.text().map(|text| quote!(#text))), shape) {
        (Some(text), Shape::New | Shape::Init) => {
            Some(quote!(def.text_signature = ::core::option::Option::Some(#text);))
        }
        _ => None,
    };
    let field = Ident::new(field, Span::call_site());
    Ok(quote! {
        static SIG: ::lisle_runtime::native::Signature = #signature;
        #[allow(unused_variables, clippy::all)]
        fn slot(
            vm: &::lisle_runtime::native::Vm,
            #receiver,
            args: ::lisle_runtime::native::Args<'_>,
        ) -> ::lisle_runtime::native::Res<#result> {
            #body
        }
        def.slots.#field = ::core::option::Option::Some(slot);
        #text
    })
}

fn expand_property(ty: &Type, property: &Property) -> Result<TokenStream> {
    let Property {
        name,
        cfgs,
        doc,
        getter,
        setter,
        member,
    } = property;
    let Some(getter) = getter else {
        return Err(Error::new(
            Span::call_site(),
            format!("{name} has a setter but no getter"),
        ));
    };
    let this = quote!(unsafe { ::lisle_runtime::native::FromThis::from_this(this) });
    let setter = match setter {
        Some(setter) => quote! {{
            fn set(
                vm: &::lisle_runtime::native::Vm,
                this: &::lisle_runtime::native::Value,
                value: ::core::option::Option<&::lisle_runtime::native::Value>,
            ) -> ::lisle_runtime::native::Res<()> {
                <#ty>::#setter(vm, #this, value)
            }
            ::core::option::Option::Some(set)
        }},
        None => quote!(::core::option::Option::None),
    };
    let qualname = join(&class_name(ty), &quote!(#name));
    Ok(quote!(#(#cfgs)* {
        #[allow(clippy::all)]
        fn get(
            vm: &::lisle_runtime::native::Vm,
            this: &::lisle_runtime::native::Value,
        ) -> ::lisle_runtime::native::Res<::lisle_runtime::native::Value> {
            ::lisle_runtime::native::IntoRes::into_res(<#ty>::#getter(vm, #this), vm)
        }
        static DEF: ::lisle_runtime::native::GetSetDef = ::lisle_runtime::native::GetSetDef {
            name: #name,
            qualname: #qualname,
            doc: #doc,
            get,
            set: #setter,
            member: #member,
        };
        def.getset(&DEF);
    }))
}
