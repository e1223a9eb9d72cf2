//! The code that stands between Python's calling convention and a typed Rust function.
//! Invariant: each Rust parameter after `vm` and the receiver belongs, in order, to one parameter of the signature.
//!
//! Signatures without parameters that can be named compile to a length check and direct reads of the argument slice;
//! all others go through `Signature::bind` with an array on the stack.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, FnArg, GenericArgument, Ident, LitStr, PathArguments, Result, Signature as RustSignature, Type,
};

use crate::attrs::{Options, doc_comment};
use crate::signature::{Kind, Sig, SigParam};

/// How the function is reached; this decides the receiver and the wording of arity errors.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Function,
    Method,
    ClassMethod,
    StaticMethod,
    New,
    Init,
    Call,
}

impl Role {
    /// What a signature of this role must start with.
    fn marker(self) -> Option<&'static str> {
        match self {
            Role::Method => Some("self"),
            Role::ClassMethod => Some("type"),
            _ => None,
        }
    }

    pub fn has_receiver(self) -> bool {
        !matches!(self, Role::Function | Role::StaticMethod)
    }
}

/// The options `sig` and `raw`, checked against the Rust function.
pub struct Typed {
    role: Role,
    sig: Sig,
    /// The function takes `Args` itself.
    raw: bool,
    params: Vec<Type>,
}

impl Typed {
    pub fn parse(role: Role, options: &mut Options, function: &RustSignature) -> Result<Typed> {
        let text = options.string("sig")?;
        let raw_flag = options.flag("raw")?;
        let params = value_params(function, role.has_receiver())?;
        let raw = raw_flag || text.is_none();
        if raw && !matches!(&params[..], [only] if is_named(only, "Args")) {
            let message = "without `sig = \"..\"` the function takes one parameter of type `Args` after the receiver";
            return Err(Error::new(options.span(), message));
        }
        let sig = match text {
            Some((text, span)) => {
                let mut sig = Sig::parse(&text).map_err(|message| Error::new(span, message))?;
                match (role.marker(), sig.receiver.as_deref(), role) {
                    (None, Some("module"), Role::Function) => {}
                    (Some(want), got, _) if got == Some(want) => {}
                    (None, None, _) => {}
                    (Some(want), _, _) => return Err(Error::new(span, format!("the signature starts with ${want}"))),
                    (None, Some(_), _) => return Err(Error::new(span, "no $ marker here")),
                }
                if role == Role::Function && sig.receiver.is_none() {
                    let separator = if sig.params.is_empty() { "" } else { ", " };
                    sig.text = format!("($module{separator}{}", &sig.text[1..]);
                }
                if !raw && sig.params.len() != params.len() {
                    let (declared, taken) = (sig.params.len(), params.len());
                    let message = format!("the signature has {declared} parameters, the function takes {taken}");
                    return Err(Error::new(span, message));
                }
                sig
            }
            None => Sig {
                text: String::new(),
                receiver: None,
                params: Vec::new(),
            },
        };
        Ok(Typed { role, sig, raw, params })
    }

    pub fn text(&self) -> Option<&str> {
        if self.sig.text.is_empty() {
            None
        } else {
            Some(&self.sig.text)
        }
    }

    /// The initializer of the `Signature` static. `name` and `full` are constant expressions: the name that most
    /// argument errors use, and the qualified one that the others use.
    pub fn signature(&self, name: &TokenStream, full: &TokenStream) -> TokenStream {
        let sig = &self.sig;
        let params = sig.params.iter().map(|param| {
            let (name, required) = (&param.name, param.required());
            let kind = kind_tokens(param.kind);
            quote!(::lisle_runtime::native::Param {
                name: #name, kind: ::lisle_runtime::native::ParamKind::#kind, required: #required
            })
        });
        let text = &sig.text;
        let pos_only = sig.count(|param| param.kind == Kind::PosOnly);
        let positional = sig.positional();
        let required = sig.required_positional();
        let named = sig.count(|param| !matches!(param.kind, Kind::VarArgs | Kind::VarKw));
        let required_kw = sig.count(|param| param.required() && param.kind == Kind::KwOnly);
        let var_args = sig.count(|param| param.kind == Kind::VarArgs) == 1;
        let var_kw = sig.count(|param| param.kind == Kind::VarKw) == 1;
        let style = self.style();
        quote!(::lisle_runtime::native::Signature {
            name: #name,
            full: #full,
            params: &[#(#params),*],
            text: #text,
            pos_only: #pos_only,
            positional: #positional,
            required: #required,
            required_kw: #required_kw,
            named: #named,
            var_args: #var_args,
            var_kw: #var_kw,
            style: ::lisle_runtime::native::Style::#style,
        })
    }

    /// Which of CPython's calling conventions a function of this signature has, since errors are worded by it.
    fn style(&self) -> TokenStream {
        let sig = &self.sig;
        let class = matches!(self.role, Role::New | Role::Init | Role::Call);
        if sig
            .params
            .iter()
            .any(|param| matches!(param.kind, Kind::PosOrKw | Kind::KwOnly))
        {
            quote!(Keywords)
        } else if class {
            quote!(Class)
        } else if sig.params.is_empty() {
            quote!(NoArgs)
        } else if self.single() {
            quote!(One)
        } else {
            quote!(Positional)
        }
    }

    /// One positional-only parameter without a default and nothing else, outside of a constructor.
    fn single(&self) -> bool {
        !matches!(self.role, Role::New | Role::Init | Role::Call)
            && matches!(&self.sig.params[..], [only] if only.kind == Kind::PosOnly && only.required())
    }

    /// A block that evaluates to the call's result. In scope: `vm`, `SIG`, `args` (without the receiver) and, for
    /// roles with a receiver, `receiver: &Value` or for `New` `receiver: &Py<Type>`. `owner` is the class of a constructor.
    pub fn call(&self, callee: &TokenStream, name: &TokenStream, owner: &TokenStream) -> Result<TokenStream> {
        let receiver = match self.role {
            Role::Function | Role::StaticMethod => None,
            Role::New => Some(quote!(receiver,)),
            // SAFETY (of the generated block): the descriptor or the slot dispatch has checked the receiver's type.
            _ => Some(quote!(unsafe {
                ::lisle_runtime::native::FromThis::from_this(receiver)
            },)),
        };
        if self.raw {
            return Ok(quote!({ #callee(vm, #receiver args) }));
        }
        let sig = &self.sig;
        let (setup, slots) = if sig.takes_keywords() {
            self.bind_general()
        } else {
            self.bind_direct(owner)
        };
        let mut slots = slots.into_iter();
        let mut values = Vec::new();
        for (at, (param, ty)) in sig.params.iter().zip(&self.params).enumerate() {
            values.push(match param.kind {
                Kind::VarArgs => quote!(SIG.rest(args)),
                Kind::VarKw => quote!(::lisle_runtime::native::KwArgs::new(&SIG, args)),
                _ => {
                    let slot = slots.next().expect("a slot for each parameter that is not variadic");
                    self.convert(at, param, ty, &slot, name)?
                }
            });
        }
        Ok(quote!({ #setup #callee(vm, #receiver #(#values),*) }))
    }

    /// No parameter can be named: check the count, then read the slice.
    fn bind_direct(&self, owner: &TokenStream) -> (TokenStream, Vec<TokenStream>) {
        let sig = &self.sig;
        let (max, min) = (sig.positional(), sig.required_positional());
        let open = sig.params.iter().any(|param| param.kind == Kind::VarArgs);
        let count = quote!(args.values.len());
        let outside = match (open, min == max) {
            (true, _) if min == 0 => quote!(false),
            (true, _) => quote!(#count < #min),
            (false, true) => quote!(#count != #min),
            (false, false) if min == 0 => quote!(#count > #max),
            (false, false) => quote!(#count < #min || #count > #max),
        };
        let keywords = match self.role {
            Role::New => quote!(let args = SIG.class_args(vm, args, || {
                ::lisle_runtime::native::new_ignores_keywords::<#owner>(receiver)
            })?;),
            Role::Init => quote!(let args = SIG.class_args(vm, args, || {
                ::lisle_runtime::native::init_ignores_keywords::<#owner>(receiver)
            })?;),
            _ => TokenStream::new(),
        };
        let setup = quote! {
            #keywords
            if args.kwnames.is_some() || #outside {
                return ::core::result::Result::Err(SIG.arity_error(vm, args));
            }
        };
        let slots = sig
            .params
            .iter()
            .filter(|param| param.kind != Kind::VarArgs)
            .enumerate();
        (setup, slots.map(|(at, _)| quote!(args.values.get(#at))).collect())
    }

    fn bind_general(&self) -> (TokenStream, Vec<TokenStream>) {
        let named = self
            .sig
            .count(|param| !matches!(param.kind, Kind::VarArgs | Kind::VarKw));
        let setup = quote! {
            let mut bound: [::core::option::Option<&::lisle_runtime::native::Value>; #named] =
                [::core::option::Option::None; #named];
            SIG.bind(vm, args, &mut bound)?;
        };
        (setup, (0..named).map(|at| quote!(bound[#at])).collect())
    }

    /// The expression of one Rust argument, from an `Option<&Value>`.
    fn convert(
        &self,
        at: usize,
        param: &SigParam,
        ty: &Type,
        slot: &TokenStream,
        name: &TokenStream,
    ) -> Result<TokenStream> {
        let param_name = &param.name;
        let position = at + 1;
        let label = match param.kind {
            _ if self.single() => quote!(Only),
            Kind::PosOnly => quote!(Position),
            _ => quote!(Name),
        };
        let optional = is_named(ty, "Option");
        let none_is_missing = optional && param.default.as_deref().is_none_or(|default| default == "None");
        let context = quote!(const { &::lisle_runtime::native::ArgCtx {
            func: #name,
            position: #position,
            name: #param_name,
            label: ::lisle_runtime::native::ArgLabel::#label,
            or_none: #none_is_missing,
        } });
        let target = if optional { inner_type(ty)? } else { ty };
        let convert = quote_spanned! {target.span().resolved_at(proc_macro2::Span::call_site())=>
            ::lisle_runtime::native::FromArg::from_arg(vm, value, #context)?
        };
        let guard = none_is_missing.then(|| quote!(if !::lisle_runtime::native::is_none(value)));
        if optional {
            return Ok(quote!(match #slot {
                ::core::option::Option::Some(value) #guard => ::core::option::Option::Some(#convert),
                _ => ::core::option::Option::None,
            }));
        }
        let missing = match &param.default {
            // Binding has made sure of it already; an error costs nothing more than a panic would.
            None => quote!(return ::core::result::Result::Err(SIG.arity_error(vm, args))),
            Some(default) => default_value(default, ty)?,
        };
        Ok(quote!(match #slot {
            ::core::option::Option::Some(value) => #convert,
            ::core::option::Option::None => #missing,
        }))
    }
}

/// `signature!`.
pub fn expand_signature(input: TokenStream) -> Result<TokenStream> {
    let (role, text) = (|input: syn::parse::ParseStream<'_>| {
        let class = input.peek(Ident);
        if class && input.parse::<Ident>()? != "class" {
            return Err(input.error("expected `class` or a signature"));
        }
        let role = if class { Role::Call } else { Role::Function };
        Ok((role, input.parse::<LitStr>()?))
    })
    .parse2(input)?;
    let (span, text) = (text.span(), text.value());
    let parenthesis = text
        .find('(')
        .ok_or_else(|| Error::new(span, "expected \"name(a, b)\""))?;
    let (full, parameters) = text.split_at(parenthesis);
    let name = full.rsplit('.').next().unwrap_or(full);
    let sig = Sig::parse(parameters).map_err(|message| Error::new(span, message))?;
    let typed = Typed {
        role,
        sig,
        raw: true,
        params: Vec::new(),
    };
    Ok(typed.signature(&quote!(#name), &quote!(#full)))
}

/// The Rust value of a default that is written as a literal.
fn default_value(text: &str, ty: &Type) -> Result<TokenStream> {
    let fail = || {
        let message =
            format!("the default {text} has no Rust literal: make the parameter an `Option` and handle `None`");
        Error::new(ty.span(), message)
    };
    let float = is_named(ty, "f64");
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    match text {
        "True" => return Ok(quote!(true)),
        "False" => return Ok(quote!(false)),
        "None" if matches!(ty, Type::Reference(_)) => {
            return Ok(quote!(const { &::lisle_runtime::native::Value::NONE }));
        }
        "sys.maxsize" => return Ok(quote!(isize::MAX as #ty)),
        _ => {}
    }
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(fail());
    }
    let literal: proc_macro2::Literal = digits.parse().map_err(|_| fail())?;
    let is_integer = digits.chars().all(|c| c.is_ascii_digit()) || digits.starts_with("0x");
    if float == is_integer {
        return Err(Error::new(
            ty.span(),
            format!("the default {text} does not fit this type"),
        ));
    }
    Ok(if negative { quote!(-#literal) } else { quote!(#literal) })
}

/// The types of the parameters after `vm` and the receiver.
fn value_params(function: &RustSignature, receiver: bool) -> Result<Vec<Type>> {
    let fixed = 1 + usize::from(receiver);
    let mut types = Vec::new();
    for input in &function.inputs {
        match input {
            FnArg::Typed(typed) => types.push((*typed.ty).clone()),
            FnArg::Receiver(this) => {
                return Err(Error::new_spanned(
                    this,
                    "natives take `vm: &Vm, this: &Py<Self>`, not `self`",
                ));
            }
        }
    }
    if types.len() < fixed {
        let want = if receiver { "`vm` and the receiver" } else { "`vm`" };
        return Err(Error::new_spanned(
            &function.ident,
            format!("natives take {want} first"),
        ));
    }
    Ok(types.split_off(fixed))
}

fn kind_tokens(kind: Kind) -> TokenStream {
    match kind {
        Kind::PosOnly => quote!(PosOnly),
        Kind::PosOrKw => quote!(PosOrKw),
        Kind::VarArgs => quote!(VarArgs),
        Kind::KwOnly => quote!(KwOnly),
        Kind::VarKw => quote!(VarKw),
    }
}

/// Whether the type is written as a path that ends in `name`.
pub fn is_named(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|segment| segment.ident == name))
}

/// `T` of `Option<T>`.
fn inner_type(ty: &Type) -> Result<&Type> {
    if let Type::Path(path) = ty
        && let Some(segment) = path.path.segments.last()
        && let PathArguments::AngleBracketed(arguments) = &segment.arguments
        && let Some(GenericArgument::Type(inner)) = arguments.args.first()
    {
        return Ok(inner);
    }
    Err(Error::new_spanned(ty, "expected `Option<T>`"))
}

/// The Python name: the option `name`, or the Rust function's.
pub fn python_name(options: &mut Options, ident: &Ident) -> Result<String> {
    Ok(match options.string("name")? {
        Some((name, _)) => name,
        None => ident.to_string().trim_start_matches("r#").to_owned(),
    })
}

/// The docstring: the option `doc`, or the doc comment.
pub fn docstring(options: &mut Options, attrs: &[Attribute]) -> Result<TokenStream> {
    let text = match options.string("doc")? {
        Some((text, _)) => Some(text),
        None => doc_comment(attrs),
    };
    Ok(option_tokens(text.as_deref()))
}

/// The option `known`: which of the functions it is that the instruction loop knows.
pub fn known(options: &mut Options) -> Result<TokenStream> {
    Ok(match options.path("known")? {
        Some(name) => quote!(#name),
        None => quote!(No),
    })
}

pub fn option_tokens(text: Option<&str>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}

/// A constant expression for `left.right`, both constant expressions of type `&'static str`.
pub fn join(left: &TokenStream, right: &TokenStream) -> TokenStream {
    quote! {{
        const LEFT: &str = #left;
        const RIGHT: &str = #right;
        const BYTES: [u8; LEFT.len() + 1 + RIGHT.len()] = ::lisle_runtime::native::join(LEFT, RIGHT);
        match ::core::str::from_utf8(&BYTES) {
            ::core::result::Result::Ok(joined) => joined,
            ::core::result::Result::Err(_) => LEFT,
        }
    }}
}

/// A `FnDef` static called `def`, together with its trampoline and signature.
pub struct Definition<'a> {
    pub typed: &'a Typed,
    pub def: Ident,
    pub visibility: TokenStream,
    pub callee: TokenStream,
    pub name: String,
    /// Constant expressions.
    pub qualname: TokenStream,
    pub full: TokenStream,
    pub module: TokenStream,
    pub doc: TokenStream,
    /// The variant of `Known`.
    pub known: TokenStream,
}

impl Definition<'_> {
    pub fn expand(&self) -> Result<TokenStream> {
        let Definition {
            typed,
            def,
            visibility,
            callee,
            name,
            qualname,
            full,
            module,
            doc,
            known,
        } = self;
        let name_tokens = quote!(#name);
        let signature = typed.signature(&name_tokens, full);
        let body = typed.call(callee, &name_tokens, &TokenStream::new())?;
        let split = typed.role.has_receiver().then(|| {
            quote! {
                let ::core::option::Option::Some((receiver, args)) = args.split_receiver() else {
                    return ::core::result::Result::Err(SIG.receiver_error(vm));
                };
            }
        });
        let kind = Ident::new(
            match typed.role {
                Role::Method => "Method",
                Role::ClassMethod => "ClassMethod",
                Role::StaticMethod => "StaticMethod",
                _ => "Function",
            },
            Span::call_site(),
        );
        Ok(quote! {
            #visibility static #def: ::lisle_runtime::native::FnDef = {
                static SIG: ::lisle_runtime::native::Signature = #signature;
                #[allow(unused_variables, clippy::all)]
                fn __lisle_call(
                    vm: &::lisle_runtime::native::Vm,
                    args: ::lisle_runtime::native::Args<'_>,
                ) -> ::lisle_runtime::native::Res<::lisle_runtime::native::Value> {
                    #split
                    ::lisle_runtime::native::IntoRes::into_res(#body, vm)
                }
                ::lisle_runtime::native::FnDef {
                    name: #name,
                    qualname: #qualname,
                    module: #module,
                    doc: #doc,
                    sig: &SIG,
                    func: __lisle_call,
                    kind: ::lisle_runtime::native::FnKind::#kind,
                    known: ::lisle_runtime::native::Known::#known,
                }
            };
        })
    }
}
