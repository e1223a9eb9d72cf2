//! `csv.Dialect`: how fields are separated and quoted.
//!
//! Invariant: the characters of a dialect differ from each other and occur in no line terminator.

use lisle_runtime::native::*;
use lisle_runtime::types::dict::Dict;

use super::ERROR;

pub const MINIMAL: i64 = 0;
pub const ALL: i64 = 1;
pub const NONNUMERIC: i64 = 2;
pub const NONE: i64 = 3;
pub const STRINGS: i64 = 4;
pub const NOTNULL: i64 = 5;

static DIALECTS: PySlot<Dict> = PySlot::empty();

/// The registered dialects by name.
pub fn registry() -> Py<Dict> {
    match DIALECTS.get() {
        Some(dict) => dict,
        None => {
            let _ = DIALECTS.raw().set_if_empty(Dict::new_empty().into_value());
            DIALECTS.get().unwrap_or_else(Dict::new_empty)
        }
    }
}

/// The registered dialect of that name.
pub fn find(vm: &Vm, name: &Value) -> Res<Value> {
    match registry().get(vm, name)? {
        Some(found) => Ok(found),
        None => Err(ERROR.error(vm, "unknown dialect")),
    }
}

#[pyclass(
    name = "Dialect",
    module = "_csv",
    basetype,
    doc = "CSV dialect\n\nThe Dialect type records CSV parsing and generation options.\n"
)]
pub struct Dialect {
    pub delimiter: u32,
    pub escapechar: Option<u32>,
    pub quotechar: Option<u32>,
    pub lineterminator: Py<Str>,
    pub quoting: i64,
    pub doublequote: bool,
    pub skipinitialspace: bool,
    pub strict: bool,
}

/// The options, in the order of the constructor's parameters.
const NAMES: [&str; 8] = [
    "delimiter",
    "doublequote",
    "escapechar",
    "lineterminator",
    "quotechar",
    "quoting",
    "skipinitialspace",
    "strict",
];

fn char_option(vm: &Vm, name: &str, value: Option<&Value>, default: Option<u32>, or_none: bool) -> Res<Option<u32>> {
    let Some(value) = value else { return Ok(default) };
    if value.is_none() && or_none {
        return Ok(None);
    }
    let Some(text) = value.downcast::<Str>() else {
        let or_none = if or_none { " or None" } else { "" };
        let found = value.ty().name();
        return Err(vm.type_error(format!("\"{name}\" must be string{or_none}, not {found}")));
    };
    match (text.len(), text.view().get(0)) {
        (1, Some(c)) => Ok(Some(c)),
        _ => Err(vm.type_error(format!("\"{name}\" must be a 1-character string"))),
    }
}

/// The dialect of a call: the one that is given by object or name, changed by the keywords.
pub fn make(vm: &Vm, dialect: Option<&Value>, args: Args<'_>) -> Res<Py<Dialect>> {
    let keywords: Vec<_> = args.keywords().filter(|(name, _)| !name.is_text("dialect")).collect();
    let dialect = by_name(vm, dialect.or_else(|| args.keyword("dialect")))?;
    if keywords.is_empty()
        && let Some(same) = dialect.as_ref().and_then(|d| d.downcast_exact::<Dialect>())
    {
        return Ok(same.clone());
    }
    new_dialect(vm, Dialect::ty(), dialect.as_ref(), &keywords)
}

/// The dialect that an argument stands for.
fn by_name(vm: &Vm, dialect: Option<&Value>) -> Res<Option<Value>> {
    match dialect.filter(|d| !d.is_none()) {
        Some(name) if name.downcast::<Str>().is_some() => Ok(Some(find(vm, name)?)),
        other => Ok(other.cloned()),
    }
}

fn new_dialect(vm: &Vm, cls: &Py<Type>, dialect: Option<&Value>, keywords: &[(&Py<Str>, &Value)]) -> Res<Py<Dialect>> {
    let mut given: [Option<Value>; 8] = Default::default();
    for (name, value) in keywords {
        match NAMES.iter().position(|known| name.is_text(known)) {
            Some(at) => given[at] = Some((*value).clone()),
            None => {
                let name = name.to_string_lossy();
                return Err(vm.type_error(format!("this function got an unexpected keyword argument '{name}'")));
            }
        }
    }
    if let Some(dialect) = dialect {
        for (slot, name) in given.iter_mut().zip(NAMES) {
            if slot.is_none() {
                *slot = vm.getattr_opt(dialect, &Str::intern(name))?;
            }
        }
    }
    let [
        delimiter,
        doublequote,
        escapechar,
        lineterminator,
        quotechar,
        quoting,
        skipinitialspace,
        strict,
    ] = &given;
    let truth = |value: &Option<Value>, default: bool| value.as_ref().map_or(Ok(default), |value| vm.truth(value));
    let delimiter = char_option(vm, NAMES[0], delimiter.as_ref(), Some(u32::from(b',')), false)?;
    let doublequote = truth(doublequote, true)?;
    let escape = char_option(vm, NAMES[2], escapechar.as_ref(), None, true)?;
    let lineterminator = match lineterminator {
        None => Str::from_str("\r\n"),
        Some(none) if none.is_none() => return Err(vm.type_error("lineterminator must be set")),
        Some(text) => match text.downcast::<Str>() {
            Some(text) => text.clone(),
            None => return Err(vm.type_error("\"lineterminator\" must be a string")),
        },
    };
    let quote = char_option(vm, NAMES[4], quotechar.as_ref(), Some(u32::from(b'"')), true)?;
    let mut how = match quoting {
        None => MINIMAL,
        Some(value) => {
            if value.downcast_exact::<lisle_runtime::types::int::Int>().is_none() && !value.is_small_int() {
                return Err(vm.type_error("\"quoting\" must be an integer"));
            }
            vm.index_to_i64(value)?
        }
    };
    let skipinitialspace = truth(skipinitialspace, false)?;
    let strict = truth(strict, false)?;
    if !(MINIMAL..=NOTNULL).contains(&how) {
        return Err(vm.type_error("bad \"quoting\" value"));
    }
    let Some(delimiter) = delimiter else {
        return Err(vm.type_error("\"delimiter\" must be string, not NoneType"));
    };
    if quote.is_none() && quoting.is_none() {
        how = NONE;
    }
    if how != NONE && quote.is_none() {
        return Err(vm.type_error("quotechar must be set if quoting enabled"));
    }
    let checked = Dialect {
        delimiter,
        escapechar: escape,
        quotechar: quote,
        lineterminator,
        quoting: how,
        doublequote,
        skipinitialspace,
        strict,
    };
    match checked.clash() {
        Some(what) => Err(vm.value_error(format!("bad {what} value"))),
        None => Ok(Py::with_class(cls, checked)),
    }
}

impl Dialect {
    /// Which characters cannot be what they are meant to be.
    fn clash(&self) -> Option<&'static str> {
        let (delimiter, escape, quote) = (Some(self.delimiter), self.escapechar, self.quotechar);
        let space = |c: Option<u32>| self.skipinitialspace && c == Some(0x20);
        let breaks = |c: Option<u32>| matches!(c, Some(0x0a | 0x0d));
        let same = |a: Option<u32>, b: Option<u32>| a.is_some() && a == b;
        let ends = |c: Option<u32>| c.is_some_and(|c| self.lineterminator.view().chars().any(|end| end == c));
        let clashes = [
            (breaks(delimiter), "delimiter"),
            (breaks(escape) || space(escape), "escapechar"),
            (breaks(quote) || space(quote), "quotechar"),
            (same(delimiter, escape), "delimiter or escapechar"),
            (same(delimiter, quote), "delimiter or quotechar"),
            (same(escape, quote), "escapechar or quotechar"),
            (ends(delimiter), "delimiter or lineterminator"),
            (ends(escape), "escapechar or lineterminator"),
            (ends(quote), "quotechar or lineterminator"),
        ];
        clashes.into_iter().find_map(|(clash, what)| clash.then_some(what))
    }
}

fn no_pickle(vm: &Vm, this: &Py<Dialect>) -> Exc {
    vm.type_error(format!("cannot pickle '{}' instances", this.class().short_name()))
}

fn char_value(c: Option<u32>) -> Value {
    c.map_or(Value::NONE, |c| Str::from_char(c).into_value())
}

#[pymethods]
impl Dialect {
    #[slot]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        let positional = args.check_positional(vm, "Dialect", 0, 9)?;
        let mut keywords: Vec<_> = args.keywords().filter(|(name, _)| !name.is_text("dialect")).collect();
        let names: Vec<_> = NAMES.iter().map(|name| Str::intern(name)).collect();
        keywords.extend(names.iter().zip(positional.iter().skip(1)));
        let dialect = by_name(vm, positional.first().or_else(|| args.keyword("dialect")))?;
        if cls.is(Dialect::ty())
            && keywords.is_empty()
            && let Some(same) = dialect.as_ref().and_then(|d| d.downcast_exact::<Dialect>())
        {
            return Ok(same.to_value());
        }
        Ok(new_dialect(vm, cls, dialect.as_ref(), &keywords)?.into_value())
    }

    #[slot]
    fn __init__(_vm: &Vm, _this: &Py<Dialect>, _args: Args<'_>) -> Res<()> {
        Ok(())
    }

    /// raises an exception to avoid pickling
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<Dialect>) -> Res<Value> {
        Err(no_pickle(vm, this))
    }

    /// raises an exception to avoid pickling
    #[pymethod(sig = "($self, protocol=None, /)")]
    fn __reduce_ex__(vm: &Vm, this: &Py<Dialect>, protocol: Option<&Value>) -> Res<Value> {
        let _ = protocol;
        Err(no_pickle(vm, this))
    }

    #[getter]
    fn delimiter(_vm: &Vm, this: &Py<Dialect>) -> Value {
        char_value(Some(this.delimiter))
    }
    #[getter]
    fn escapechar(_vm: &Vm, this: &Py<Dialect>) -> Value {
        char_value(this.escapechar)
    }
    #[getter]
    fn lineterminator(_vm: &Vm, this: &Py<Dialect>) -> Value {
        this.lineterminator.to_value()
    }
    #[getter]
    fn quotechar(_vm: &Vm, this: &Py<Dialect>) -> Value {
        char_value(this.quotechar)
    }
    #[getter]
    fn quoting(_vm: &Vm, this: &Py<Dialect>) -> i64 {
        this.quoting
    }
    #[getter]
    fn doublequote(_vm: &Vm, this: &Py<Dialect>) -> bool {
        this.doublequote
    }
    #[getter]
    fn skipinitialspace(_vm: &Vm, this: &Py<Dialect>) -> bool {
        this.skipinitialspace
    }
    #[getter]
    fn strict(_vm: &Vm, this: &Py<Dialect>) -> bool {
        this.strict
    }
}
