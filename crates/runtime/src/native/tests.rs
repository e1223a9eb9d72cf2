//! Binding, conversion and the macros, through functions that have the signatures of CPython's own; the expected
//! messages are what CPython 3.13 prints for the call in the comment beside.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use super::*;
use crate::types::tuple::Tuple;

/// Leaves the thread also when the test fails, so that the others do not wait for it.
struct Entered(&'static Vm);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.leave_thread();
    }
}

fn with_vm(f: impl FnOnce(&Vm)) {
    match Vm::try_current() {
        Some(vm) => f(vm),
        None => {
            let entered = Entered(Vm::enter_thread(false));
            crate::object::bootstrap();
            f(entered.0);
        }
    }
}

fn describe(vm: &Vm, exc: &Exc) -> String {
    let message = vm.str(exc.value()).map(|text| text.to_string_lossy());
    format!("{}: {}", exc.value().ty().name(), message.unwrap_or_default())
}

/// A call written as `1, 'text', None, key=2`.
fn parse_call(text: &str) -> (Vec<Value>, Option<Py<Tuple>>) {
    let mut values = Vec::new();
    let mut names = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let value = match part.split_once('=') {
            Some((name, value)) => {
                names.push(Str::intern(name).into_value());
                value
            }
            None => part,
        };
        values.push(if value == "None" {
            Value::NONE
        } else if let Some(text) = value.strip_prefix('\'') {
            Str::from_str(text.trim_end_matches('\'')).into_value()
        } else {
            Value::bigint(value.parse().expect("an int"))
        });
    }
    (
        values,
        if names.is_empty() {
            None
        } else {
            Some(Tuple::new(names))
        },
    )
}

fn shown(vm: &Vm, result: Res<Value>) -> String {
    match result {
        Ok(value) if value.is_none() => "None".to_owned(),
        Ok(value) => match (value.as_small_int(), value.downcast::<Str>()) {
            (Some(int), _) => int.to_string(),
            (_, Some(text)) => text.to_string_lossy(),
            _ => format!("<{}>", value.ty().name()),
        },
        Err(exc) => describe(vm, &exc),
    }
}

fn check(def: &FnDef, call: &str, expected: &str) {
    with_vm(|vm| {
        let (values, names) = parse_call(call);
        let args = Args {
            values: &values,
            kwnames: names.as_ref(),
        };
        assert_eq!(shown(vm, (def.func)(vm, args)), expected, "{}({call})", def.name);
    });
}

#[pyfunction(sig = "()")]
fn clear(_vm: &Vm) {}

/// Length.
#[pyfunction(sig = "(obj, /)")]
fn len(_vm: &Vm, obj: &Py<Str>) -> Res<i64> {
    Ok(obj.to_string_lossy().len() as i64)
}

#[pyfunction(sig = "(x, /)", module = "math")]
fn sqrt(_vm: &Vm, _x: f64) -> i64 {
    0
}

#[pyfunction(sig = "(index, object, /)")]
fn insert(_vm: &Vm, index: isize, _object: &Value) -> isize {
    index
}

#[pyfunction(sig = "(index=-1, /)")]
fn pop(_vm: &Vm, index: isize) -> isize {
    index
}

#[pyfunction(sig = "(obj, name, default=<unrepresentable>, /)")]
fn getattr(_vm: &Vm, _obj: &Value, _name: &Value, default: Option<&Value>) -> Value {
    default.map_or(Value::int(-1), Value::clone)
}

#[pyfunction(sig = "(encoding='utf-8', errors='strict')")]
fn encode(_vm: &Vm, encoding: Option<&Py<Str>>, errors: Option<&Py<Str>>) -> String {
    let text = |text: Option<&Py<Str>>| text.map_or("-".to_owned(), |text| text.to_string_lossy());
    format!("{} {}", text(encoding), text(errors))
}

#[pyfunction(sig = "(*, key=None, reverse=False)")]
fn sort(_vm: &Vm, key: Option<&Value>, reverse: bool) -> String {
    format!("{} {reverse}", key.is_some())
}

#[pyfunction(sig = "(depth)")]
fn set_depth(_vm: &Vm, depth: i32) -> i32 {
    depth
}

#[pyfunction(sig = "(source, filename, mode, flags=0, dont_inherit=False, optimize=-1, *, _feature_version=-1)")]
fn compile(
    _vm: &Vm,
    _source: &Value,
    _filename: &Value,
    _mode: &Value,
    flags: i32,
    dont_inherit: bool,
    optimize: i32,
    feature: i32,
) -> String {
    format!("{flags} {dont_inherit} {optimize} {feature}")
}

#[pyfunction(sig = "(length=1, byteorder='big', *, signed=False)")]
fn to_bytes(_vm: &Vm, length: isize, byteorder: Option<&Py<Str>>, signed: bool) -> String {
    format!("{length} {} {signed}", byteorder.is_some())
}

#[pyfunction(sig = "(old, new, /, count=-1)")]
fn replace(_vm: &Vm, _old: &Py<Str>, _new: &Py<Str>, count: isize) -> isize {
    count
}

#[pyfunction(sig = "(a, b, *, rel_tol=1e-09, abs_tol=0.0)")]
fn isclose(_vm: &Vm, _a: f64, _b: f64, _rel: f64, _abs: f64) -> bool {
    true
}

#[pyfunction(sig = "(iterable, /, start=0)")]
fn sum(_vm: &Vm, _iterable: &Value, start: i64) -> i64 {
    start
}

#[pyfunction(sig = "(*args, sep=' ', end='\\n', file=None, flush=False)")]
fn print(
    _vm: &Vm,
    args: &[Value],
    sep: Option<&Value>,
    end: Option<&Value>,
    file: Option<&Value>,
    flush: bool,
) -> String {
    format!(
        "{} {} {} {} {flush}",
        args.len(),
        sep.is_some(),
        end.is_some(),
        file.is_some()
    )
}

#[pyfunction(sig = "(*integers)", module = "math")]
fn gcd(_vm: &Vm, integers: &[Value]) -> usize {
    integers.len()
}

#[pyfunction(sig = "(other=(), /, **kwargs)")]
fn update(_vm: &Vm, other: Option<&Value>, kwargs: KwArgs<'_>) -> String {
    let names: Vec<String> = kwargs.iter().map(|(name, _)| name.to_string_lossy()).collect();
    format!("{} {}", other.is_some(), names.join(" "))
}

#[pyfunction(sig = "(func, /, *args, name=None, **kwargs)")]
fn partial(_vm: &Vm, _func: &Value, args: &[Value], name: Option<&Value>, kwargs: KwArgs<'_>) -> String {
    format!("{} {} {}", args.len(), name.is_some(), kwargs.iter().count())
}

#[pyfunction(sig = "(prompt='', /, *values)")]
fn gather(_vm: &Vm, _prompt: Option<&Value>, values: &[Value]) -> usize {
    values.len()
}

#[pyfunction]
fn range(vm: &Vm, args: Args<'_>) -> Res<usize> {
    args.no_keywords(vm, "range")?;
    Ok(args.check_positional(vm, "range", 1, 3)?.len())
}

/// Binds by hand.
#[pyfunction]
fn hypot(vm: &Vm, args: Args<'_>) -> Res<usize> {
    static SIG: Signature = signature!("math.hypot(x, y=0, *rest)");
    let [x, y] = SIG.bind_array(vm, args)?;
    Ok(SIG.rest(args).len() + usize::from(x.is_some()) + usize::from(y.is_some()))
}

#[pyfunction(sig = "(a, b, c, d, /)")]
fn narrow(_vm: &Vm, a: u8, b: u32, c: usize, d: i64) -> (i64, i64, usize, i64) {
    (a.into(), b.into(), c, d)
}

#[test]
fn functions_with_unnamed_parameters() {
    check(&CLEAR_DEF, "", "None");
    check(&CLEAR_DEF, "1", "TypeError: clear() takes no arguments (1 given)");
    check(&CLEAR_DEF, "x=1", "TypeError: clear() takes no keyword arguments");
    check(&LEN_DEF, "'four'", "4");
    check(&LEN_DEF, "", "TypeError: len() takes exactly one argument (0 given)");
    check(
        &LEN_DEF,
        "1, 2",
        "TypeError: len() takes exactly one argument (2 given)",
    );
    check(&LEN_DEF, "x=1", "TypeError: len() takes no keyword arguments");
    check(&LEN_DEF, "1", "TypeError: len() argument must be str, not int");
    check(&LEN_DEF, "None", "TypeError: len() argument must be str, not None");
    check(
        &SQRT_DEF,
        "",
        "TypeError: math.sqrt() takes exactly one argument (0 given)",
    );
    check(&SQRT_DEF, "1, x=2", "TypeError: math.sqrt() takes no keyword arguments");
    check(&SQRT_DEF, "'a'", "TypeError: must be real number, not str");
    check(&INSERT_DEF, "5, 6", "5");
    check(&INSERT_DEF, "1", "TypeError: insert expected 2 arguments, got 1");
    check(
        &INSERT_DEF,
        "1, 2, x=3",
        "TypeError: insert() takes no keyword arguments",
    );
    check(
        &INSERT_DEF,
        "'a', 1",
        "TypeError: 'str' object cannot be interpreted as an integer",
    );
    let big = "1267650600228229401496703205376, 1";
    check(
        &INSERT_DEF,
        big,
        "OverflowError: Python int too large to convert to C ssize_t",
    );
    check(&POP_DEF, "", "-1");
    check(&POP_DEF, "1, 2", "TypeError: pop expected at most 1 argument, got 2");
    check(&GETATTR_DEF, "1, 2", "-1");
    check(&GETATTR_DEF, "1, 2, None", "None");
    check(
        &GETATTR_DEF,
        "",
        "TypeError: getattr expected at least 2 arguments, got 0",
    );
    check(
        &GETATTR_DEF,
        "1, 2, 3, 4",
        "TypeError: getattr expected at most 3 arguments, got 4",
    );
    check(&GCD_DEF, "1, 2, 3", "3");
    check(&GCD_DEF, "x=1", "TypeError: math.gcd() takes no keyword arguments");
    check(&GATHER_DEF, "", "0");
    check(&GATHER_DEF, "1, 2, 3", "2");
    check(&RANGE_DEF, "1, 2", "2");
    check(&RANGE_DEF, "", "TypeError: range expected at least 1 argument, got 0");
    check(&RANGE_DEF, "x=1", "TypeError: range() takes no keyword arguments");
}

#[test]
fn functions_with_named_parameters() {
    check(&ENCODE_DEF, "", "- -");
    check(&ENCODE_DEF, "'a', errors='b'", "a b");
    check(&ENCODE_DEF, "errors='b', encoding='a'", "a b");
    check(
        &ENCODE_DEF,
        "1, 2, 3",
        "TypeError: encode() takes at most 2 arguments (3 given)",
    );
    check(
        &ENCODE_DEF,
        "1",
        "TypeError: encode() argument 'encoding' must be str, not int",
    );
    check(
        &ENCODE_DEF,
        "None",
        "TypeError: encode() argument 'encoding' must be str, not None",
    );
    check(
        &ENCODE_DEF,
        "'a', 1",
        "TypeError: encode() argument 'errors' must be str, not int",
    );
    let twice = "TypeError: argument for encode() given by name ('encoding') and position (1)";
    check(&ENCODE_DEF, "1, encoding=3", twice);
    check(
        &ENCODE_DEF,
        "x=3",
        "TypeError: encode() got an unexpected keyword argument 'x'",
    );
    let meant = "TypeError: encode() got an unexpected keyword argument 'encodin'. Did you mean 'encoding'?";
    check(&ENCODE_DEF, "encodin='utf-8'", meant);
    check(
        &ENCODE_DEF,
        "'a', 'b', errors='x'",
        "TypeError: encode() takes at most 2 arguments (3 given)",
    );
    check(
        &ENCODE_DEF,
        "a=1, b=2, c=3",
        "TypeError: encode() takes at most 2 keyword arguments (3 given)",
    );
    check(&SORT_DEF, "", "false false");
    check(&SORT_DEF, "reverse=1, key=None", "false true");
    check(&SORT_DEF, "1", "TypeError: sort() takes no positional arguments");
    check(
        &SORT_DEF,
        "x=1",
        "TypeError: sort() got an unexpected keyword argument 'x'",
    );
    check(
        &SORT_DEF,
        "key=1, reverse=2, x=3",
        "TypeError: sort() takes at most 2 keyword arguments (3 given)",
    );
    check(
        &SORT_DEF,
        "1, key=1, reverse=2",
        "TypeError: sort() takes at most 2 arguments (3 given)",
    );
    check(&SET_DEPTH_DEF, "depth=4", "4");
    check(
        &SET_DEPTH_DEF,
        "",
        "TypeError: set_depth() missing required argument 'depth' (pos 1)",
    );
    check(
        &SET_DEPTH_DEF,
        "1, 2",
        "TypeError: set_depth() takes at most 1 argument (2 given)",
    );
    check(
        &SET_DEPTH_DEF,
        "depth=1, x=2",
        "TypeError: set_depth() takes at most 1 keyword argument (2 given)",
    );
    check(
        &SET_DEPTH_DEF,
        "x=2",
        "TypeError: set_depth() missing required argument 'depth' (pos 1)",
    );
    check(
        &SET_DEPTH_DEF,
        "8589934592",
        "OverflowError: Python int too large to convert to C int",
    );
    check(&COMPILE_DEF, "1, 2, 3", "0 false -1 -1");
    check(
        &COMPILE_DEF,
        "1, 2, mode=3, optimize=2, _feature_version=9",
        "0 false 2 9",
    );
    check(
        &COMPILE_DEF,
        "1, 2",
        "TypeError: compile() missing required argument 'mode' (pos 3)",
    );
    check(
        &COMPILE_DEF,
        "1,2,3,4,5,6,7,8,9",
        "TypeError: compile() takes at most 7 arguments (9 given)",
    );
    let twice = "TypeError: argument for compile() given by name ('source') and position (1)";
    check(&COMPILE_DEF, "1, filename=2, mode=3, source=4", twice);
    check(&TO_BYTES_DEF, "", "1 false false");
    check(
        &TO_BYTES_DEF,
        "1, 2, 3",
        "TypeError: to_bytes() takes at most 2 positional arguments (3 given)",
    );
    check(
        &TO_BYTES_DEF,
        "1, 2",
        "TypeError: to_bytes() argument 'byteorder' must be str, not int",
    );
    check(&REPLACE_DEF, "'a', 'b'", "-1");
    check(&REPLACE_DEF, "'a', 'b', count=3", "3");
    check(
        &REPLACE_DEF,
        "1",
        "TypeError: replace() takes at least 2 positional arguments (1 given)",
    );
    check(
        &REPLACE_DEF,
        "1, 2",
        "TypeError: replace() argument 1 must be str, not int",
    );
    check(
        &REPLACE_DEF,
        "'a', 'b', count=1, x=1",
        "TypeError: replace() takes at most 3 arguments (4 given)",
    );
    check(
        &REPLACE_DEF,
        "old='a'",
        "TypeError: replace() takes at least 2 positional arguments (0 given)",
    );
    check(
        &ISCLOSE_DEF,
        "1",
        "TypeError: isclose() missing required argument 'b' (pos 2)",
    );
    check(
        &ISCLOSE_DEF,
        "1, 2, 3",
        "TypeError: isclose() takes exactly 2 positional arguments (3 given)",
    );
    check(
        &ISCLOSE_DEF,
        "1, 2, rel=2",
        "TypeError: isclose() got an unexpected keyword argument 'rel'",
    );
    check(&SUM_DEF, "1, start=4", "4");
    check(
        &SUM_DEF,
        "",
        "TypeError: sum() takes at least 1 positional argument (0 given)",
    );
    check(
        &SUM_DEF,
        "1, 2, 3",
        "TypeError: sum() takes at most 2 arguments (3 given)",
    );
    check(
        &SUM_DEF,
        "1, x=3",
        "TypeError: sum() got an unexpected keyword argument 'x'",
    );
}

#[test]
fn variadic_functions() {
    check(&PRINT_DEF, "", "0 false false false false");
    check(&PRINT_DEF, "1, 2, sep=None, flush=1", "2 true false false true");
    check(
        &PRINT_DEF,
        "x=1",
        "TypeError: print() got an unexpected keyword argument 'x'",
    );
    let meant = "TypeError: print() got an unexpected keyword argument 'flus'. Did you mean 'flush'?";
    check(&PRINT_DEF, "1, flus=1", meant);
    check(&UPDATE_DEF, "1, a=1, other=2", "true a other");
    check(
        &UPDATE_DEF,
        "1, 2",
        "TypeError: update expected at most 1 argument, got 2",
    );
    check(&PARTIAL_DEF, "1, 2, 3, name=4, func=5", "2 true 1");
}

#[test]
fn binding_by_hand() {
    check(&HYPOT_DEF, "1, 2, 3", "3");
    check(&HYPOT_DEF, "y=2, x=3", "2");
    check(
        &HYPOT_DEF,
        "y=2",
        "TypeError: hypot() missing required argument 'x' (pos 1)",
    );
}

#[test]
fn machine_ints() {
    check(&NARROW_DEF, "1, 2, 3, 4", "<tuple>");
    check(
        &NARROW_DEF,
        "256, 2, 3, 4",
        "OverflowError: unsigned byte integer is greater than maximum",
    );
    check(
        &NARROW_DEF,
        "-1, 2, 3, 4",
        "OverflowError: unsigned byte integer is less than minimum",
    );
    check(&NARROW_DEF, "1, -2, 3, 4", "ValueError: value must be positive");
    check(
        &NARROW_DEF,
        "1, 4294967296, 3, 4",
        "OverflowError: Python int too large to convert to C unsigned int",
    );
    let big = "1, 2, 3, 9223372036854775808";
    check(
        &NARROW_DEF,
        big,
        "OverflowError: Python int too large to convert to C long",
    );
}

#[test]
fn declarations() {
    assert_eq!(LEN_DEF.doc, Some("Length."));
    assert_eq!(LEN_DEF.text_signature(), Some("($module, obj, /)"));
    assert_eq!(CLEAR_DEF.text_signature(), Some("($module)"));
    assert_eq!(RANGE_DEF.text_signature(), None);
    assert_eq!(
        (SQRT_DEF.module, SQRT_DEF.sig.full, SQRT_DEF.qualname),
        ("math", "math.sqrt", "sqrt")
    );
}

/// A counter.
#[pyclass(name = "Counter", module = "tests", basetype, weakref)]
struct Counter {
    count: AtomicI64,
    seen: Vec<Value>,
}

#[pymethods(parts(define_more))]
impl Counter {
    #[slot(sig = "(start=0, /)")]
    fn __new__(_vm: &Vm, _cls: &Py<Type>, start: i64) -> Res<Py<Counter>> {
        Ok(Py::new(Counter {
            count: AtomicI64::new(start),
            seen: vec![Value::int(start)],
        }))
    }

    #[slot]
    fn __repr__(_vm: &Vm, this: &Py<Counter>) -> String {
        format!("Counter({})", this.count.load(Relaxed))
    }

    #[slot]
    fn __len__(_vm: &Vm, this: &Py<Counter>) -> Res<usize> {
        Ok(this.seen.len())
    }

    #[slot]
    fn __next__(_vm: &Vm, this: &Py<Counter>) -> Res<Option<i64>> {
        let before = this.count.fetch_sub(1, Relaxed);
        Ok(if before > 0 { Some(before) } else { None })
    }

    #[slot]
    fn __add__(_vm: &Vm, a: &Value, b: &Value) -> Value {
        match (a.downcast::<Counter>(), b.as_small_int()) {
            (Some(this), Some(n)) => Value::int(this.count.load(Relaxed) + n),
            _ => Value::NOT_IMPLEMENTED,
        }
    }

    #[slot(sig = "(by, /)")]
    fn __call__(_vm: &Vm, this: &Py<Counter>, by: i64) -> i64 {
        this.count.fetch_add(by, Relaxed) + by
    }

    /// Adds `by`.
    #[pymethod(sig = "($self, by=1, /)")]
    fn add(_vm: &Vm, this: &Py<Counter>, by: i64) -> i64 {
        this.count.fetch_add(by, Relaxed) + by
    }

    #[classmethod(sig = "($type, object, /)")]
    fn of(_vm: &Vm, cls: &Py<Type>, _object: &Value) -> String {
        cls.short_name()
    }

    #[staticmethod(sig = "(a, b)")]
    fn both(_vm: &Vm, a: i64, b: i64) -> i64 {
        a + b
    }

    #[classattr]
    fn limit(_vm: &Vm) -> i64 {
        9
    }
}

#[pymethods(part = define_more)]
impl Counter {
    /// The count.
    #[getter]
    fn count(_vm: &Vm, this: &Py<Counter>) -> i64 {
        this.count.load(Relaxed)
    }

    #[setter]
    fn set_count(vm: &Vm, this: &Py<Counter>, value: Option<&Value>) -> Res<()> {
        match value.and_then(Value::as_small_int) {
            Some(count) => this.count.store(count, Relaxed),
            None => return Err(vm.type_error("count must be an int")),
        }
        Ok(())
    }
}

/// Starts with its base's payload.
#[pyclass(module = "tests", base = Counter, no_methods)]
struct Derived {
    base: Counter,
    _extra: i64,
}

#[test]
fn classes() {
    with_vm(|vm| {
        let cls = Counter::ty();
        let mut def = TypeDef::default();
        Counter::define(&mut def);
        assert_eq!(def.text_signature, Some("(start=0, /)"));
        let new = def.slots.new.expect("declared");
        let (values, _) = parse_call("5");
        let made = new(vm, cls, Args::new(&values)).unwrap_or_else(|_| panic!("one int is fine"));
        let (names_values, names) = parse_call("x=1");
        let with_names = Args {
            values: &names_values,
            kwnames: names.as_ref(),
        };
        assert_eq!(
            shown(vm, new(vm, cls, with_names)),
            "TypeError: Counter() takes no keyword arguments"
        );
        let (many, _) = parse_call("1, 2");
        let message = "TypeError: Counter expected at most 1 argument, got 2";
        assert_eq!(shown(vm, new(vm, cls, Args::new(&many))), message);

        assert_eq!(shown(vm, def.slots.repr.expect("declared")(vm, &made)), "Counter(5)");
        assert_eq!(def.slots.len.expect("declared")(vm, &made).ok(), Some(1));
        let next = def.slots.next.expect("declared")(vm, &made).ok().flatten();
        assert_eq!(next.and_then(|value| value.as_small_int()), Some(5));
        assert_eq!(shown(vm, def.slots.add.expect("declared")(vm, &made, &values[0])), "9");
        assert_eq!(
            shown(vm, def.slots.call.expect("declared")(vm, &made, Args::new(&values))),
            "9"
        );
        let none = def.slots.call.expect("declared")(vm, &made, Args::NONE);
        assert_eq!(shown(vm, none), "TypeError: Counter expected 1 argument, got 0");

        let names: Vec<&str> = def.methods.iter().map(|method| method.qualname).collect();
        assert_eq!(names, ["Counter.add", "Counter.of", "Counter.both"]);
        let add = def.methods[0];
        assert_eq!(
            (add.doc, add.text_signature()),
            (Some("Adds `by`."), Some("($self, by=1, /)"))
        );
        let call = |values: &[Value]| shown(vm, (add.func)(vm, Args::new(values)));
        assert_eq!(call(std::slice::from_ref(&made)), "10");
        assert_eq!(
            call(&[made.clone(), Value::int(1), Value::int(1)]),
            "TypeError: add expected at most 1 argument, got 2"
        );
        assert_eq!(call(&[]), "TypeError: unbound method Counter.add() needs an argument");
        let of = def.methods[1].func;
        assert_eq!(shown(vm, of(vm, Args::new(&[cls.to_value(), Value::NONE]))), "Counter");
        let message = "TypeError: Counter.of() takes exactly one argument (0 given)";
        assert_eq!(shown(vm, of(vm, Args::new(&[cls.to_value()]))), message);
        assert_eq!(
            shown(vm, (def.methods[2].func)(vm, Args::new(&parse_call("3, 4").0))),
            "7"
        );

        let getset = def.getsets[0];
        assert_eq!((getset.name, getset.doc), ("count", Some("The count.")));
        let set = getset.set.expect("declared");
        assert!(set(vm, &made, Some(&Value::int(70))).is_ok() && set(vm, &made, None).is_err());
        assert_eq!(shown(vm, (getset.get)(vm, &made)), "70");
        assert_eq!(shown(vm, def.attrs[0].1(vm)), "9");
        assert_eq!(std::mem::offset_of!(Derived, base), 0);
    });
}

#[pymodule(name = "sample", doc = "A module.", types(super::Counter), parts(super::more::DEF))]
mod sample {
    use super::*;

    #[pyattr]
    const ANSWER: i64 = 42;

    #[pyattr]
    pub(super) use std::f64::consts::{E, PI};

    #[pyattr]
    fn NAME(_vm: &Vm) -> &'static str {
        "sample"
    }

    #[pyfunction(sig = "(a, b=1, /, *, c=None)")]
    fn call(_vm: &Vm, a: i64, b: i64, c: Option<i64>) -> i64 {
        a + b + c.unwrap_or(0)
    }

    #[cfg(any())]
    #[pyfunction(sig = "()")]
    fn elsewhere(_vm: &Vm) {}

    #[init]
    fn init(_vm: &Vm, _module: &Py<crate::types::module::Module>) -> Res<()> {
        Ok(())
    }
}

#[pymodule(name = "sample")]
mod more {
    use super::*;

    #[pyfunction(sig = "()")]
    fn further(_vm: &Vm) {}
}

#[test]
fn modules() {
    with_vm(|vm| {
        let def = &sample::DEF;
        assert_eq!((def.name, def.doc), ("sample", Some("A module.")));
        let names: Vec<&str> = def.attrs.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["ANSWER", "E", "PI", "NAME"]);
        assert_eq!(shown(vm, def.attrs[0].1(vm)), "42");
        assert_eq!(shown(vm, def.attrs[3].1(vm)), "sample");
        let functions: Vec<&str> = def
            .all()
            .iter()
            .flat_map(|def| def.functions)
            .map(|def| def.sig.full)
            .collect();
        assert_eq!(functions, ["sample.call", "sample.further"]);
        assert!(def.types[0]().is(Counter::ty()) && def.init.is_some());
    });
    check(sample::DEF.functions[0], "1, 2, c=3", "6");
    check(sample::DEF.functions[0], "1, c=None", "2");
    let message = "TypeError: call() takes at least 1 positional argument (0 given)";
    check(sample::DEF.functions[0], "c=2", message);
}

#[derive(Trace)]
enum Shape {
    Empty,
    One(Value),
    Many { items: Vec<Value>, count: i64 },
}

#[test]
fn derived_traversal_sees_every_field() {
    use crate::memory::header::Header;
    use crate::memory::trace::{Trace, Visitor};
    use std::ptr::NonNull;
    with_vm(|_| {
        let (a, b) = (Str::from_str("a").into_value(), Str::from_str("b").into_value());
        for (shape, expected) in [
            (Shape::Empty, 0),
            (Shape::One(a.clone()), 1),
            (
                Shape::Many {
                    items: vec![a.clone(), b.clone()],
                    count: 1,
                },
                2,
            ),
        ] {
            let mut seen = 0;
            let mut visit = |_: NonNull<Header>| seen += 1;
            shape.traverse(&mut Visitor::new(&mut visit));
            assert_eq!(seen, expected);
        }
    });
}
