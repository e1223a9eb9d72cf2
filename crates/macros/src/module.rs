//! `#[pymodule]` and `#[pyfunction]`.
//! Invariant: the order of functions and attributes in the `DEF` is the order of the source, which is the order of
//! the module's `__dict__`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, Error, Ident, Item, ItemFn, ItemMod, Result, UseTree, parse_quote};

use crate::attrs::{Options, cfgs, take_marker};
use crate::function::{Definition, Role, Typed, docstring, join, known, option_tokens, python_name};

/// `#[pyfunction]` outside of a `#[pymodule]`; its module is the option `module`, or `builtins`.
pub fn expand_function(args: TokenStream, mut item: ItemFn) -> Result<TokenStream> {
    let mut options = Options::parse(args)?;
    let module = options
        .string("module")?
        .map_or_else(|| "builtins".to_owned(), |(module, _)| module);
    let definition = function(&mut options, &mut item, &module)?.1;
    options.finish()?;
    Ok(quote!(#item #definition))
}

/// The name of the `FnDef` static, and its definition.
fn function(options: &mut Options, item: &mut ItemFn, module: &str) -> Result<(Ident, TokenStream)> {
    let ident = item.sig.ident.clone();
    let typed = Typed::parse(Role::Function, options, &item.sig)?;
    let name = python_name(options, &ident)?;
    let def = format_ident!("{}_DEF", ident.to_string().trim_start_matches("r#").to_uppercase());
    let full = if module == "builtins" {
        quote!(#name)
    } else {
        join(&quote!(#module), &quote!(#name))
    };
    let visibility = &item.vis;
    let definition = Definition {
        typed: &typed,
        def: def.clone(),
        visibility: quote!(#[allow(non_upper_case_globals)] #visibility),
        callee: quote!(self::#ident),
        qualname: quote!(#name),
        full,
        module: quote!(#module),
        doc: docstring(options, &item.attrs)?,
        known: known(options)?,
        name,
    };
    let definition = definition.expand()?;
    let cfgs = cfgs(&item.attrs);
    if item.sig.inputs.len() > 7 {
        item.attrs.push(parse_quote!(#[allow(clippy::too_many_arguments)]));
    }
    Ok((def, quote!(#(#cfgs)* #definition)))
}

#[derive(Default)]
struct Contents {
    functions: Vec<TokenStream>,
    attrs: Vec<TokenStream>,
    init: Option<Ident>,
    extra: TokenStream,
}

pub fn expand(args: TokenStream, mut item: ItemMod) -> Result<TokenStream> {
    let mut options = Options::parse(args)?;
    let Some((name, _)) = options.string("name")? else {
        return Err(Error::new(Span::call_site(), "expected `name = \"..\"`"));
    };
    let doc = option_tokens(options.string("doc")?.map(|(doc, _)| doc).as_deref());
    let types = options.paths("types")?;
    let parts = options.paths("parts")?;
    options.finish()?;
    let Some((_, items)) = &mut item.content else {
        return Err(Error::new_spanned(&item, "the module's body stands here, in braces"));
    };
    let mut contents = Contents::default();
    let mut errors: Option<Error> = None;
    for item in items.iter_mut() {
        if let Err(error) = collect(&name, item, &mut contents) {
            match &mut errors {
                Some(all) => all.combine(error),
                None => errors = Some(error),
            }
        }
    }
    let Contents {
        functions,
        attrs,
        init,
        extra,
    } = contents;
    let init = match init {
        Some(init) => quote!(::core::option::Option::Some(#init)),
        None => quote!(::core::option::Option::None),
    };
    let errors = errors.map(Error::into_compile_error);
    let generated = quote! {
        #errors
        #extra
        /// What the import system makes the module of.
        pub static DEF: ::lisle_runtime::native::ModuleDef = ::lisle_runtime::native::ModuleDef {
            name: #name,
            doc: #doc,
            functions: &[#(#functions),*],
            attrs: &[#(#attrs),*],
            types: &[#(<#types as ::lisle_runtime::native::Native>::ty),*],
            parts: &[#(&#parts),*],
            init: #init,
        };
    };
    items.push(Item::Verbatim(generated));
    Ok(quote!(#item))
}

fn collect(module: &str, item: &mut Item, contents: &mut Contents) -> Result<()> {
    match item {
        Item::Fn(item) => {
            let Some((which, marker)) = take_marker(&mut item.attrs, &["pyfunction", "pyattr", "init"])? else {
                return Ok(());
            };
            let mut options = Options::of_attribute(&marker)?;
            let cfgs = cfgs(&item.attrs);
            match which {
                0 => {
                    let (def, definition) = function(&mut options, item, module)?;
                    contents.functions.push(quote!(#(#cfgs)* &#def));
                    contents.extra.extend(definition);
                }
                1 => {
                    let ident = &item.sig.ident;
                    let name = python_name(&mut options, ident)?;
                    if name.chars().any(char::is_uppercase) {
                        item.attrs.push(parse_quote!(#[allow(non_snake_case)]));
                    }
                    let ident = &item.sig.ident;
                    contents.attrs.push(attr(&cfgs, &name, quote!(#ident(vm))));
                }
                _ => {
                    if contents.init.replace(item.sig.ident.clone()).is_some() {
                        return Err(Error::new_spanned(&item.sig.ident, "a module has one #[init]"));
                    }
                }
            }
            options.finish()
        }
        Item::Const(item) => {
            let Some((_, marker)) = take_marker(&mut item.attrs, &["pyattr"])? else {
                return Ok(());
            };
            let mut options = Options::of_attribute(&marker)?;
            let name = python_name(&mut options, &item.ident)?;
            let ident = &item.ident;
            contents.attrs.push(attr(&cfgs(&item.attrs), &name, quote!(#ident)));
            options.finish()
        }
        Item::Use(item) => {
            let Some((_, marker)) = take_marker(&mut item.attrs, &["pyattr"])? else {
                return Ok(());
            };
            Options::of_attribute(&marker)?.finish()?;
            let cfgs = cfgs(&item.attrs);
            let mut names = Vec::new();
            leaves(&item.tree, &mut names)?;
            for name in names {
                contents.attrs.push(attr(&cfgs, &name.to_string(), quote!(#name)));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn attr(cfgs: &[Attribute], name: &str, value: TokenStream) -> TokenStream {
    quote!(#(#cfgs)* {
        fn __lisle_attr(
            vm: &::lisle_runtime::native::Vm,
        ) -> ::lisle_runtime::native::Res<::lisle_runtime::native::Value> {
            ::lisle_runtime::native::IntoRes::into_res(#value, vm)
        }
        (#name, __lisle_attr as ::lisle_runtime::native::AttrFn)
    })
}

/// The names that a `use` brings into scope.
fn leaves(tree: &UseTree, names: &mut Vec<Ident>) -> Result<()> {
    match tree {
        UseTree::Path(path) => leaves(&path.tree, names),
        UseTree::Name(name) => {
            names.push(name.ident.clone());
            Ok(())
        }
        UseTree::Rename(rename) => {
            names.push(rename.rename.clone());
            Ok(())
        }
        UseTree::Group(group) => group.items.iter().try_for_each(|tree| leaves(tree, names)),
        UseTree::Glob(glob) => Err(Error::new_spanned(glob, "name each constant")),
    }
}
