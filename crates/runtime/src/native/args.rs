//! Calls from Python into native code: arguments as they arrive, binding them to a signature, converting each.
//!
//! Invariant: [`Args::kwnames`] is never an empty tuple, its names are `str` and distinct; the caller sees to that.
//! The wording of an error follows the calling convention that CPython's own function of the same signature has
//! ([`Style`]), since that is what decides between "f() takes exactly one argument", "f expected 1 argument" and others.

use num_bigint::BigInt;

use super::suggest::closest;
use crate::object::{Native, Py, Type, Value};
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Exc, Res, Vm};

/// The arguments of a call.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    /// Positional values, then the values of keywords.
    pub values: &'a [Value],
    /// The names of the last values; `None` without keywords.
    pub kwnames: Option<&'a Py<Tuple>>,
}

impl<'a> Args<'a> {
    pub const NONE: Args<'static> = Args {
        values: &[],
        kwnames: None,
    };

    /// Arguments without keywords.
    #[inline(always)]
    pub fn new(values: &'a [Value]) -> Args<'a> {
        Args { values, kwnames: None }
    }

    /// Arguments of which the last have these names, if there are any.
    #[inline(always)]
    pub fn with_names(values: &'a [Value], kwnames: &'a Py<Tuple>) -> Args<'a> {
        Args {
            values,
            kwnames: if kwnames.is_empty() { None } else { Some(kwnames) },
        }
    }

    #[inline(always)]
    pub fn has_keywords(&self) -> bool {
        self.kwnames.is_some()
    }

    #[inline]
    pub fn keyword_count(&self) -> usize {
        self.kwnames.map_or(0, |names| names.len())
    }

    #[inline]
    pub fn positional(&self) -> &'a [Value] {
        let values = self.values;
        match self.kwnames {
            None => values,
            Some(names) => &values[..values.len().saturating_sub(names.len())],
        }
    }

    /// Names and values of the keyword arguments, in the order of the call.
    pub fn keywords(&self) -> impl Iterator<Item = (&'a Py<Str>, &'a Value)> + use<'a> {
        let names: &'a [Value] = match self.kwnames {
            Some(names) => names.as_slice(),
            None => &[],
        };
        let values = &self.values[self.positional().len()..];
        names
            .iter()
            .zip(values)
            .filter_map(|(name, value)| Some((name.downcast::<Str>()?, value)))
    }

    /// The value of one keyword.
    pub fn keyword(&self, name: &str) -> Option<&'a Value> {
        self.keywords()
            .find(|(given, _)| is_name(given, name))
            .map(|(_, value)| value)
    }

    /// The receiver of a method and the rest.
    #[inline(always)]
    pub fn split_receiver(self) -> Option<(&'a Value, Args<'a>)> {
        if self.positional().is_empty() {
            return None;
        }
        let (receiver, values) = self.values.split_first()?;
        Some((receiver, Args { values, ..self }))
    }

    /// For functions that bind by hand: an error if keywords were given. `name` is that of the error: `range`, `math.gcd`.
    #[inline]
    pub fn no_keywords(&self, vm: &Vm, name: &str) -> Res<&'a [Value]> {
        if self.kwnames.is_some() {
            return Err(vm.type_error(format!("{name}() takes no keyword arguments")));
        }
        Ok(self.values)
    }

    /// For functions that bind by hand: an error unless `min <= n <= max` positional arguments were given.
    #[inline]
    pub fn check_positional(&self, vm: &Vm, name: &str, min: usize, max: usize) -> Res<&'a [Value]> {
        let positional = self.positional();
        if (min..=max).contains(&positional.len()) {
            return Ok(positional);
        }
        Err(expected(vm, name, min, max, positional.len()))
    }
}

/// "pop expected at most 1 argument, got 2"
#[cold]
fn expected(vm: &Vm, name: &str, min: usize, max: usize, given: usize) -> Exc {
    let (qualifier, count) = match given < min {
        _ if min == max => ("", min),
        true => ("at least ", min),
        false => ("at most ", max),
    };
    vm.type_error(format!(
        "{name} expected {qualifier}{count} argument{}, got {given}",
        plural(count)
    ))
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

fn is_name(given: &Py<Str>, name: &str) -> bool {
    given.is_text(name)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParamKind {
    PosOnly,
    PosOrKw,
    VarArgs,
    KwOnly,
    VarKw,
}

#[derive(Debug)]
pub struct Param {
    pub name: &'static str,
    pub kind: ParamKind,
    pub required: bool,
}

/// Which calling convention CPython's function of this signature has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// No parameters.
    NoArgs,
    /// One required positional-only parameter.
    One,
    /// Other parameters that cannot be named.
    Positional,
    /// As `Positional`, of a constructor or an instance that is called: keywords and counts are checked by the class's name.
    Class,
    /// Some parameter can be named.
    Keywords,
}

/// The parameters of a native function; made by the macros from the signature text.
#[derive(Debug)]
pub struct Signature {
    /// The name in most errors: `append`; for constructors the class's name.
    pub name: &'static str,
    /// The name in errors of functions with at most one parameter: `list.append`, `math.sqrt`, `len`.
    pub full: &'static str,
    pub params: &'static [Param],
    /// `__text_signature__`, empty for none.
    pub text: &'static str,
    /// How many parameters are positional-only.
    pub pos_only: usize,
    /// How many can be given by position.
    pub positional: usize,
    /// How many of these have no default.
    pub required: usize,
    /// How many keyword-only parameters have no default.
    pub required_kw: usize,
    /// How many parameters are not variadic.
    pub named: usize,
    pub var_args: bool,
    pub var_kw: bool,
    pub style: Style,
}

impl Signature {
    /// The arguments by parameter, for functions that convert them by hand; `N` is [`Signature::named`].
    pub fn bind_array<'a, const N: usize>(&self, vm: &Vm, args: Args<'a>) -> Res<[Option<&'a Value>; N]> {
        let mut bound = [None; N];
        self.bind(vm, args, &mut bound)?;
        Ok(bound)
    }

    /// Puts each argument where its parameter is in `bound`, which has [`Signature::named`] places. Required ones are filled.
    #[inline]
    pub fn bind<'a>(&self, vm: &Vm, args: Args<'a>, bound: &mut [Option<&'a Value>]) -> Res<()> {
        let given = args.values.len();
        let fits = given >= self.required && (given <= self.positional || self.var_args);
        if args.kwnames.is_none() && fits && self.required_kw == 0 {
            for (place, value) in bound.iter_mut().zip(&args.values[..given.min(self.positional)]) {
                *place = Some(value);
            }
            return Ok(());
        }
        self.bind_slow(vm, args, bound)
    }

    #[inline(never)]
    fn bind_slow<'a>(&self, vm: &Vm, args: Args<'a>, bound: &mut [Option<&'a Value>]) -> Res<()> {
        let positional = args.positional();
        let given = positional.len();
        let keywords = args.keyword_count();
        if self.style == Style::Keywords {
            self.check_counts(vm, given, keywords)?;
        } else {
            // Nothing but `**kwargs` takes keywords here.
            let max = if self.var_args { usize::MAX } else { self.positional };
            args.check_positional(vm, self.name, self.required, max)?;
        }
        let filled = given.min(self.positional);
        for (place, value) in bound.iter_mut().zip(&positional[..filled]) {
            *place = Some(value);
        }
        let mut left = keywords;
        #[expect(clippy::needless_range_loop, reason = "the index names the parameter too")]
        for at in filled.max(self.pos_only)..self.named {
            let param = self.named_param(at);
            let value = if left == 0 { None } else { args.keyword(param.name) };
            if value.is_some() {
                left -= 1;
                bound[at] = value;
            } else if param.required {
                let (called, param) = (self.called(), param.name);
                return Err(vm.type_error(format!("{called} missing required argument '{param}' (pos {})", at + 1)));
            }
        }
        if left != 0 && !self.var_kw {
            return Err(self.keyword_error(vm, args, filled));
        }
        if left != 0 && self.pos_only < filled {
            self.check_named_twice(vm, args, filled)?;
        }
        Ok(())
    }

    /// Parameter number `at`, not counting variadic ones.
    fn named_param(&self, at: usize) -> &'static Param {
        &self.params[if at < self.positional {
            at
        } else {
            at + usize::from(self.var_args)
        }]
    }

    /// How messages call the function; CPython has no name for some.
    #[cold]
    fn called(&self) -> String {
        match self.name {
            "function" => self.name.to_owned(),
            name => format!("{name}()"),
        }
    }

    fn check_counts(&self, vm: &Vm, given: usize, keywords: usize) -> Res<()> {
        let (min, max, total) = (self.required, self.positional, self.named);
        if !self.var_args && !self.var_kw && given + keywords > total {
            let kind = if given == 0 { "keyword " } else { "" };
            let (s, count) = (plural(total), given + keywords);
            return Err(vm.type_error(format!(
                "{} takes at most {total} {kind}argument{s} ({count} given)",
                self.called()
            )));
        }
        if !self.var_args && given > max {
            return Err(vm.type_error(if max == 0 {
                format!("{} takes no positional arguments", self.called())
            } else {
                let qualifier = if min < max { "at most" } else { "exactly" };
                format!(
                    "{} takes {qualifier} {max} positional argument{} ({given} given)",
                    self.called(),
                    plural(max)
                )
            }));
        }
        let min = min.min(self.pos_only);
        if given < min {
            let qualifier = if min < max { "at least" } else { "exactly" };
            let s = plural(min);
            return Err(vm.type_error(format!(
                "{} takes {qualifier} {min} positional argument{s} ({given} given)",
                self.called()
            )));
        }
        Ok(())
    }

    fn check_named_twice(&self, vm: &Vm, args: Args<'_>, filled: usize) -> Res<()> {
        for at in self.pos_only..filled {
            let param = self.named_param(at).name;
            if args.keyword(param).is_some() {
                let called = self.called();
                let position = at + 1;
                let message = format!("argument for {called} given by name ('{param}') and position ({position})");
                return Err(vm.type_error(message));
            }
        }
        Ok(())
    }

    /// Some keyword belongs to no parameter that is still free.
    #[cold]
    fn keyword_error(&self, vm: &Vm, args: Args<'_>, filled: usize) -> Exc {
        if let Err(exc) = self.check_named_twice(vm, args, filled) {
            return exc;
        }
        let names: Vec<&str> = (self.pos_only..self.named)
            .map(|at| self.named_param(at).name)
            .collect();
        let unexpected = args
            .keywords()
            .find(|(given, _)| !names.iter().any(|name| is_name(given, name)));
        let Some((unexpected, _)) = unexpected else {
            return vm.type_error("keywords must be strings");
        };
        let unexpected = unexpected.to_string_lossy();
        let mut message = format!("{} got an unexpected keyword argument '{unexpected}'", self.called());
        if let Some(meant) = closest(&unexpected, &names) {
            message.push_str(&format!(". Did you mean '{meant}'?"));
        }
        vm.type_error(message)
    }

    /// Why `args` do not fit a signature without parameters that can be named.
    #[cold]
    #[inline(never)]
    pub fn arity_error(&self, vm: &Vm, args: Args<'_>) -> Exc {
        let full = self.full;
        if args.has_keywords() {
            let name = if self.style == Style::Class { self.name } else { full };
            return vm.type_error(format!("{name}() takes no keyword arguments"));
        }
        let given = args.values.len();
        match self.style {
            Style::NoArgs => vm.type_error(format!("{full}() takes no arguments ({given} given)")),
            Style::One => vm.type_error(format!("{full}() takes exactly one argument ({given} given)")),
            _ => {
                let max = if self.var_args { usize::MAX } else { self.positional };
                expected(vm, self.name, self.required, max, given)
            }
        }
    }

    /// A method was called without its receiver.
    #[cold]
    pub fn receiver_error(&self, vm: &Vm) -> Exc {
        vm.type_error(format!("unbound method {}() needs an argument", self.full))
    }

    /// What `*args` takes.
    #[inline]
    pub fn rest<'a>(&self, args: Args<'a>) -> &'a [Value] {
        args.positional().get(self.positional..).unwrap_or_default()
    }

    /// The arguments of a constructor that takes no keywords. Those of a subclass that overrides its other half
    /// (`__init__` for `__new__` and the other way round) are that one's business: `ignores` says whether it is so.
    #[inline]
    pub fn class_args<'a>(&self, vm: &Vm, args: Args<'a>, ignores: impl FnOnce() -> bool) -> Res<Args<'a>> {
        if args.kwnames.is_none() {
            return Ok(args);
        }
        if ignores() {
            return Ok(Args::new(args.positional()));
        }
        Err(self.arity_error(vm, args))
    }
}

/// Whether `T.__new__` leaves keywords to the `__init__` of its subclass `cls`.
pub fn new_ignores_keywords<T: Native>(cls: &Py<Type>) -> bool {
    let own = T::ty();
    !cls.is(own) && cls.slots().init.map(|f| f as usize) != own.slots().init.map(|f| f as usize)
}

/// Whether `T.__init__` leaves keywords to the `__new__` of the subclass that `this` is an instance of.
pub fn init_ignores_keywords<T: Native>(this: &Value) -> bool {
    let (cls, own) = (this.ty(), T::ty());
    !cls.is(own) && cls.slots().new.map(|f| f as usize) != own.slots().new.map(|f| f as usize)
}

/// What `**kwargs` takes: the keywords that belong to no other parameter.
#[derive(Clone, Copy)]
pub struct KwArgs<'a> {
    args: Args<'a>,
    sig: &'static Signature,
}

impl<'a> KwArgs<'a> {
    #[inline(always)]
    pub fn new(sig: &'static Signature, args: Args<'a>) -> KwArgs<'a> {
        KwArgs { args, sig }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'a Py<Str>, &'a Value)> + use<'a> {
        let sig = self.sig;
        let named = sig.named;
        self.args
            .keywords()
            .filter(move |(given, _)| !(sig.pos_only..named).any(|at| is_name(given, sig.named_param(at).name)))
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.args.kwnames.is_none() || self.iter().next().is_none()
    }
}

/// How an error calls the argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArgLabel {
    /// "argument"
    Only,
    /// "argument 2"
    Position,
    /// "argument 'name'"
    Name,
}

/// Which argument of which function is converted.
#[derive(Debug)]
pub struct ArgCtx {
    pub func: &'static str,
    /// From 1.
    pub position: usize,
    pub name: &'static str,
    pub label: ArgLabel,
    /// `None` is fine as well.
    pub or_none: bool,
}

impl ArgCtx {
    /// "replace() argument 1 must be str, not int"
    #[cold]
    #[inline(never)]
    pub fn wrong_type(&self, vm: &Vm, expected: &str, value: &Value) -> Exc {
        let label = match self.label {
            ArgLabel::Only => "argument".to_owned(),
            ArgLabel::Position => format!("argument {}", self.position),
            ArgLabel::Name => format!("argument '{}'", self.name),
        };
        let or_none = if self.or_none { " or None" } else { "" };
        let found = if value.is_none() {
            "None".to_owned()
        } else {
            value.ty().name()
        };
        vm.type_error(format!(
            "{}() {label} must be {expected}{or_none}, not {found}",
            self.func
        ))
    }
}

/// How a `T` is called in "must be T, not ..".
fn native_name<T: Native>() -> String {
    if T::MODULE == "builtins" {
        T::NAME.to_owned()
    } else {
        format!("{}.{}", T::MODULE, T::NAME)
    }
}

/// A Rust type that an argument can be converted to.
pub trait FromArg<'a>: Sized {
    fn from_arg(vm: &Vm, value: &'a Value, ctx: &ArgCtx) -> Res<Self>;
}

impl<'a> FromArg<'a> for &'a Value {
    #[inline(always)]
    fn from_arg(_: &Vm, value: &'a Value, _: &ArgCtx) -> Res<Self> {
        Ok(value)
    }
}

impl<'a> FromArg<'a> for Value {
    #[inline(always)]
    fn from_arg(_: &Vm, value: &'a Value, _: &ArgCtx) -> Res<Self> {
        Ok(value.clone())
    }
}

impl<'a, T: Native> FromArg<'a> for &'a Py<T> {
    #[inline]
    fn from_arg(vm: &Vm, value: &'a Value, ctx: &ArgCtx) -> Res<Self> {
        match value.downcast::<T>() {
            Some(object) => Ok(object),
            None => Err(ctx.wrong_type(vm, &native_name::<T>(), value)),
        }
    }
}

impl<'a, T: Native> FromArg<'a> for Py<T> {
    #[inline]
    fn from_arg(vm: &Vm, value: &'a Value, ctx: &ArgCtx) -> Res<Self> {
        <&Py<T>>::from_arg(vm, value, ctx).cloned()
    }
}

/// Truth.
impl<'a> FromArg<'a> for bool {
    #[inline]
    fn from_arg(vm: &Vm, value: &'a Value, _: &ArgCtx) -> Res<Self> {
        vm.truth(value)
    }
}

impl<'a> FromArg<'a> for f64 {
    #[inline]
    fn from_arg(vm: &Vm, value: &'a Value, _: &ArgCtx) -> Res<Self> {
        match value.as_exact_float() {
            Some(number) => Ok(number),
            None => vm.to_f64(value),
        }
    }
}

fn single_char(text: &Py<Str>) -> Option<u32> {
    if text.len() == 1 { text.view().get(0) } else { None }
}

/// A `str` of one character. A surrogate is no `char`, so this is its code point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Char(pub u32);

impl<'a> FromArg<'a> for Char {
    fn from_arg(vm: &Vm, value: &'a Value, ctx: &ArgCtx) -> Res<Self> {
        match value.downcast::<Str>().and_then(single_char) {
            Some(code) => Ok(Char(code)),
            None => Err(ctx.wrong_type(vm, "a unicode character", value)),
        }
    }
}

/// An int of any size, by `__index__`.
impl<'a> FromArg<'a> for BigInt {
    fn from_arg(vm: &Vm, value: &'a Value, _: &ArgCtx) -> Res<Self> {
        index_bigint(vm, value)
    }
}

fn index_bigint(vm: &Vm, value: &Value) -> Res<BigInt> {
    let index = vm.index(value)?;
    Ok(vm.int_value(&index).map(|int| int.to_bigint()).unwrap_or_default())
}

/// Ints that fit a machine type; `$c` is what CPython calls it.
macro_rules! signed {
    ($($rust:ty: $c:literal),+) => { $(
        impl<'a> FromArg<'a> for $rust {
            #[inline]
            fn from_arg(vm: &Vm, value: &'a Value, _: &ArgCtx) -> Res<Self> {
                if let Some(small) = value.as_small_int() && let Ok(int) = <$rust>::try_from(small) {
                    return Ok(int);
                }
                <$rust>::try_from(&index_bigint(vm, value)?).map_err(|_| too_large(vm, $c))
            }
        }
    )+ };
}

signed!(i8: "char", i16: "short", i32: "int", i64: "long", isize: "ssize_t");

macro_rules! unsigned {
    ($($rust:ty: $c:literal),+) => { $(
        impl<'a> FromArg<'a> for $rust {
            #[inline]
            fn from_arg(vm: &Vm, value: &'a Value, _: &ArgCtx) -> Res<Self> {
                if let Some(small) = value.as_small_int() && let Ok(int) = <$rust>::try_from(small) {
                    return Ok(int);
                }
                let int = index_bigint(vm, value)?;
                <$rust>::try_from(&int).map_err(|_| match int.sign() {
                    num_bigint::Sign::Minus => vm.value_error("value must be positive"),
                    _ => too_large(vm, $c),
                })
            }
        }
    )+ };
}

unsigned!(u16: "unsigned short", u32: "unsigned int", u64: "unsigned long", usize: "size_t");

impl<'a> FromArg<'a> for u8 {
    #[inline]
    fn from_arg(vm: &Vm, value: &'a Value, _: &ArgCtx) -> Res<Self> {
        if let Some(small) = value.as_small_int()
            && let Ok(int) = u8::try_from(small)
        {
            return Ok(int);
        }
        let int = index_bigint(vm, value)?;
        u8::try_from(&int).map_err(|_| {
            vm.overflow_error(match int.sign() {
                num_bigint::Sign::Minus => "unsigned byte integer is less than minimum",
                _ => "unsigned byte integer is greater than maximum",
            })
        })
    }
}

#[cold]
fn too_large(vm: &Vm, c_type: &str) -> Exc {
    vm.overflow_error(format!("Python int too large to convert to C {c_type}"))
}

/// A receiver, cast without a check.
///
/// # Safety
/// Implementors are views of the value itself.
pub unsafe trait FromThis<'a> {
    /// # Safety
    /// The value's type has been checked: its payload is what `Self` points to.
    unsafe fn from_this(value: &'a Value) -> Self;
}

// SAFETY: the value itself.
unsafe impl<'a> FromThis<'a> for &'a Value {
    #[inline(always)]
    unsafe fn from_this(value: &'a Value) -> Self {
        value
    }
}

// SAFETY: `Py<T>` is the same word as the value.
unsafe impl<'a, T: Native> FromThis<'a> for &'a Py<T> {
    #[inline(always)]
    unsafe fn from_this(value: &'a Value) -> Self {
        // SAFETY: passed on.
        unsafe { value.downcast_unchecked() }
    }
}
