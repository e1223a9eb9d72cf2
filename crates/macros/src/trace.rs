//! `#[derive(Trace)]`: traversal of every field, for structs and enums.
//! Invariant: no field is ever skipped; a type that holds no references implements `Trace` with empty bodies.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, Generics, Ident, Member, Result, Type, parse_quote};

pub fn expand(item: &DeriveInput) -> Result<TokenStream> {
    match &item.data {
        Data::Struct(data) => Ok(for_struct(&item.ident, &item.generics, &data.fields)),
        Data::Enum(data) => {
            let mut traverse = TokenStream::new();
            let mut clear = TokenStream::new();
            let mut clear_mut = TokenStream::new();
            for variant in &data.variants {
                let name = &variant.ident;
                let members: Vec<Member> = variant.fields.members().collect();
                let locals: Vec<Ident> = (0..members.len()).map(|at| format_ident!("field{at}")).collect();
                let types: Vec<&Type> = variant.fields.iter().map(|field| &field.ty).collect();
                let pattern = quote!(Self::#name { #(#members: #locals),* });
                let visits = locals
                    .iter()
                    .zip(&types)
                    .map(|(local, ty)| traverse_call(ty, &quote!(#local)));
                traverse.extend(quote!(#pattern => { #(#visits)* }));
                let clears = locals
                    .iter()
                    .zip(&types)
                    .map(|(local, ty)| clear_call(ty, &quote!(#local)));
                clear.extend(quote!(#pattern => { #(#clears)* }));
                let clears = locals
                    .iter()
                    .zip(&types)
                    .map(|(local, ty)| clear_mut_call(ty, &quote!(#local)));
                clear_mut.extend(quote!(#pattern => { #(#clears)* }));
            }
            if data.variants.is_empty() {
                return Ok(implement(
                    &item.ident,
                    &item.generics,
                    quote!(match *self {}),
                    quote!(match *self {}),
                    quote!(match *self {}),
                ));
            }
            let traverse = quote!(match self { #traverse });
            let clear = quote!(match self { #clear });
            let clear_mut = quote!(match self { #clear_mut });
            Ok(implement(&item.ident, &item.generics, traverse, clear, clear_mut))
        }
        Data::Union(_) => Err(Error::new_spanned(item, "a union cannot be traced")),
    }
}

pub fn for_struct(name: &Ident, generics: &Generics, fields: &Fields) -> TokenStream {
    let members: Vec<Member> = fields.members().collect();
    let visits = members
        .iter()
        .zip(fields)
        .map(|(member, field)| traverse_call(&field.ty, &quote!(&self.#member)));
    let clears = members
        .iter()
        .zip(fields)
        .map(|(member, field)| clear_call(&field.ty, &quote!(&self.#member)));
    let clears_mut = members
        .iter()
        .zip(fields)
        .map(|(member, field)| clear_mut_call(&field.ty, &quote!(&mut self.#member)));
    let clears_mut = quote!(#(#clears_mut)*);
    implement(name, generics, quote!(#(#visits)*), quote!(#(#clears)*), clears_mut)
}

/// For payloads declared to hold no references.
pub fn empty(name: &Ident, generics: &Generics) -> TokenStream {
    let nothing = TokenStream::new;
    implement(name, generics, nothing(), nothing(), nothing())
}

/// Where errors about the type are shown; names are those of the generated code, also when the type comes from another macro.
fn span_of(ty: &Type) -> Span {
    ty.span().resolved_at(Span::call_site())
}

fn traverse_call(ty: &Type, place: &TokenStream) -> TokenStream {
    quote_spanned!(span_of(ty)=> <#ty as ::lisle_runtime::memory::trace::Trace>::traverse(#place, visitor);)
}

fn clear_call(ty: &Type, place: &TokenStream) -> TokenStream {
    quote_spanned!(span_of(ty)=> <#ty as ::lisle_runtime::memory::trace::Trace>::clear(#place, out);)
}

fn clear_mut_call(ty: &Type, place: &TokenStream) -> TokenStream {
    quote_spanned!(span_of(ty)=> <#ty as ::lisle_runtime::memory::trace::Trace>::clear_mut(#place, out);)
}

fn implement(
    name: &Ident,
    generics: &Generics,
    traverse: TokenStream,
    clear: TokenStream,
    clear_mut: TokenStream,
) -> TokenStream {
    let mut generics = generics.clone();
    for param in generics.type_params_mut() {
        param.bounds.push(parse_quote!(::lisle_runtime::memory::trace::Trace));
    }
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics ::lisle_runtime::memory::trace::Trace for #name #type_generics #where_clause {
            #[allow(unused_variables)]
            fn traverse(&self, visitor: &mut ::lisle_runtime::memory::trace::Visitor<'_>) { #traverse }
            #[allow(unused_variables)]
            fn clear(&self, out: &mut ::std::vec::Vec<::lisle_runtime::object::Value>) { #clear }
            #[allow(unused_variables)]
            fn clear_mut(&mut self, out: &mut ::std::vec::Vec<::lisle_runtime::object::Value>) { #clear_mut }
        }
    }
}
