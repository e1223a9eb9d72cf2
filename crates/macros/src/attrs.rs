//! Reading the options of an attribute: `flag`, `key = value` and `key(item, ..)`.
//! Invariant: an option that the caller did not take is an error, so a misspelt one cannot pass silently.

use proc_macro2::{Span, TokenStream};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Expr, ExprLit, Lit, Meta, Path, Result, Token};

pub struct Options {
    span: Span,
    metas: Vec<Meta>,
}

/// The expression without the invisible brackets around what a `macro_rules!` macro has put in.
fn ungrouped(mut expr: Expr) -> Expr {
    while let Expr::Group(group) = expr {
        expr = *group.expr;
    }
    expr
}

impl Options {
    pub fn parse(tokens: TokenStream) -> Result<Self> {
        let metas = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(tokens)?;
        Ok(Options {
            span: Span::call_site(),
            metas: metas.into_iter().collect(),
        })
    }

    /// The options of `#[name]` or `#[name(..)]`.
    pub fn of_attribute(attribute: &Attribute) -> Result<Self> {
        let mut options = match &attribute.meta {
            Meta::Path(_) => Options {
                span: Span::call_site(),
                metas: Vec::new(),
            },
            Meta::List(list) => Options::parse(list.tokens.clone())?,
            Meta::NameValue(pair) => return Err(Error::new_spanned(pair, "expected `#[name(..)]`")),
        };
        options.span = attribute.pound_token.span;
        Ok(options)
    }

    fn take(&mut self, key: &str) -> Option<Meta> {
        let at = self.metas.iter().position(|meta| meta.path().is_ident(key))?;
        Some(self.metas.remove(at))
    }

    pub fn flag(&mut self, key: &str) -> Result<bool> {
        match self.take(key) {
            None => Ok(false),
            Some(Meta::Path(_)) => Ok(true),
            Some(Meta::NameValue(pair)) => match pair.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Bool(value), ..
                }) => Ok(value.value),
                other => Err(Error::new_spanned(other, "expected true or false")),
            },
            Some(other) => Err(Error::new_spanned(other, "expected a flag")),
        }
    }

    pub fn value(&mut self, key: &str) -> Result<Option<Expr>> {
        match self.take(key) {
            None => Ok(None),
            Some(Meta::NameValue(pair)) => Ok(Some(ungrouped(pair.value))),
            Some(other) => Err(Error::new_spanned(other, format!("expected `{key} = ..`"))),
        }
    }

    pub fn string(&mut self, key: &str) -> Result<Option<(String, Span)>> {
        match self.value(key)? {
            None => Ok(None),
            Some(Expr::Lit(ExprLit {
                lit: Lit::Str(text), ..
            })) => Ok(Some((text.value(), text.span()))),
            Some(other) => Err(Error::new_spanned(other, format!("expected `{key} = \"..\"`"))),
        }
    }

    pub fn path(&mut self, key: &str) -> Result<Option<Path>> {
        match self.value(key)? {
            None => Ok(None),
            Some(Expr::Path(path)) => Ok(Some(path.path)),
            Some(other) => Err(Error::new_spanned(other, format!("expected `{key} = Name`"))),
        }
    }

    pub fn paths(&mut self, key: &str) -> Result<Vec<Path>> {
        match self.take(key) {
            None => Ok(Vec::new()),
            Some(Meta::List(list)) => {
                let paths = list.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)?;
                Ok(paths.into_iter().collect())
            }
            Some(other) => Err(Error::new_spanned(other, format!("expected `{key}(..)`"))),
        }
    }

    /// A bare string, as in `#[getter("__name__")]`, is not accepted; this reports all that is left.
    pub fn finish(self) -> Result<()> {
        match self.metas.first() {
            None => Ok(()),
            Some(meta) => Err(Error::new_spanned(meta, "unknown option here")),
        }
    }

    pub fn span(&self) -> Span {
        self.span
    }
}

/// Removes the first attribute called one of `names` and returns its index in `names`. Two of them are an error.
pub fn take_marker(attrs: &mut Vec<Attribute>, names: &[&str]) -> Result<Option<(usize, Attribute)>> {
    let mut found: Option<(usize, Attribute)> = None;
    let mut at = 0;
    while at < attrs.len() {
        match names.iter().position(|name| attrs[at].path().is_ident(name)) {
            Some(which) => {
                let attribute = attrs.remove(at);
                if found.is_some() {
                    return Err(Error::new_spanned(attribute, "an item has one role only"));
                }
                found = Some((which, attribute));
            }
            None => at += 1,
        }
    }
    Ok(found)
}

/// The lines of the doc comment, without the space after `///`; `None` without a comment.
pub fn doc_comment(attrs: &[Attribute]) -> Option<String> {
    let mut lines = Vec::new();
    for attribute in attrs {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(ExprLit {
                lit: Lit::Str(text), ..
            }) = &pair.value
        {
            let line = text.value();
            lines.push(line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned());
        }
    }
    if lines.is_empty() {
        None
    } else {
        Some(lines.join("\n").trim().to_owned())
    }
}

/// The `#[cfg(..)]` attributes, to repeat on what is generated for the item.
pub fn cfgs(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .cloned()
        .collect()
}
