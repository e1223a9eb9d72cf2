//! `#[handler]`: functions that execute one kind of instruction.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{FnArg, GenericParam, ItemFn, Pat, Result, parse_quote, spanned::Spanned};

/// Takes the state that a handler is written with apart: each part becomes a parameter, so that all of them are passed in processor registers.
pub fn expand(apart: bool, mut item: ItemFn) -> Result<TokenStream> {
    let (state, ty) = match item.sig.inputs.first() {
        Some(FnArg::Typed(argument)) if item.sig.inputs.len() == 1 => match &*argument.pat {
            Pat::Ident(name) => (name.ident.clone(), argument.ty.clone()),
            other => return Err(syn::Error::new(other.span(), "a handler's parameter is a name")),
        },
        _ => return Err(syn::Error::new(item.sig.span(), "a handler takes the state alone")),
    };
    item.sig.inputs = parse_quote! {
        vm: &crate::vm::Vm,
        i: crate::vm::interp::Ip,
        regs: crate::vm::interp::Regs,
        frame: *mut crate::vm::frames::FrameData,
        table: &crate::vm::interp::state::Table
    };
    let mut handler = item.clone();
    item.block.stmts.insert(
        0,
        parse_quote! { let #state: #ty = crate::vm::interp::state::State { vm, i, regs, frame, table }; },
    );
    if !apart {
        return Ok(quote! { #[inline(never)] #item });
    }
    item.sig.ident = format_ident!("{}_apart", item.sig.ident);
    item.vis = syn::Visibility::Inherited;
    let body = &item.sig.ident;
    let generics: Vec<_> = item.sig.generics.params.iter().map(name_of).collect();
    *handler.block = parse_quote! {{
        match #body::<#(#generics),*>(vm, i, regs, frame, table) {
            crate::vm::interp::state::Exit::GoOn => crate::vm::interp::state::State::<true>::innermost(vm).next(),
            exit => exit,
        }
    }};
    Ok(quote! { #[inline(never)] #handler #[inline(never)] #item })
}

fn name_of(parameter: &GenericParam) -> TokenStream {
    match parameter {
        GenericParam::Const(parameter) => {
            let name = &parameter.ident;
            quote! { #name }
        }
        GenericParam::Type(parameter) => {
            let name = &parameter.ident;
            quote! { #name }
        }
        GenericParam::Lifetime(_) => quote! {},
    }
}
