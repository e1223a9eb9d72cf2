//! `partial` and `Placeholder`.
//!
//! Invariant: function, arguments and keywords are one immutable object that `__setstate__` replaces as a whole; the keywords'
//! dict alone can be changed by who asks for it.

use std::sync::OnceLock;

use lisle_runtime::intern;
use lisle_runtime::native::{Args, Py, PySlot, Res, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::object::Native;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::generic_alias::GenericAlias;
use lisle_runtime::types::method::Method;
use lisle_runtime::types::native_function::joined;
use lisle_runtime::types::object::{object_getstate, qualified_name};
use lisle_runtime::types::str::Str;
use lisle_runtime::types::tuple::Tuple;

/// The class of `Placeholder`.
#[pyclass(
    name = "_PlaceholderType",
    module = "functools",
    gc = false,
    doc = "The type of the Placeholder singleton.\n\nUsed as a placeholder for partial arguments."
)]
pub struct Placeholder {}

static PLACEHOLDER: OnceLock<Py<Placeholder>> = OnceLock::new();

impl Placeholder {
    /// `functools.Placeholder`
    pub fn value() -> Value {
        PLACEHOLDER.get_or_init(|| Py::new(Placeholder {})).to_value()
    }

    fn is(value: &Value) -> bool {
        value.downcast_exact::<Placeholder>().is_some()
    }
}

#[pymethods]
impl Placeholder {
    #[slot]
    fn __new__(vm: &Vm, _cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        if !args.values.is_empty() {
            return Err(vm.type_error("_PlaceholderType takes no arguments"));
        }
        Ok(Placeholder::value())
    }

    #[slot]
    fn __repr__(_vm: &Vm, _this: &Py<Placeholder>) -> &'static str {
        "Placeholder"
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_vm: &Vm, _this: &Py<Placeholder>) -> &'static str {
        "Placeholder"
    }
}

/// What a partial calls.
#[pyclass(name = "_partial_state", module = "functools", no_new, no_methods)]
pub struct State {
    function: Value,
    args: Py<Tuple>,
    keywords: Py<Dict>,
    /// How many of `args` are `Placeholder`.
    placeholders: usize,
}

impl State {
    fn new(function: Value, args: Py<Tuple>, keywords: Py<Dict>) -> Py<State> {
        let placeholders = args.iter().filter(|arg| Placeholder::is(arg)).count();
        Py::new(State {
            function,
            args,
            keywords,
            placeholders,
        })
    }

    /// The arguments with their placeholders filled from `given`, and what is left of `given`.
    fn filled<'a>(&self, vm: &Vm, given: &'a [Value]) -> Res<(Vec<Value>, &'a [Value])> {
        if given.len() < self.placeholders {
            return Err(vm.type_error(format!(
                "missing positional arguments in 'partial' call; expected at least {}, got {}",
                self.placeholders,
                given.len()
            )));
        }
        let (fill, rest) = given.split_at(self.placeholders);
        let mut fill = fill.iter();
        let filled = self.args.iter().map(|arg| {
            let arg = if Placeholder::is(arg) { fill.next() } else { Some(arg) };
            arg.cloned().unwrap_or(Value::NONE)
        });
        Ok((filled.collect(), rest))
    }

    /// Calls the function with the keywords of both.
    fn call_with_keywords(&self, vm: &Vm, mut values: Vec<Value>, args: Args<'_>) -> Res<Value> {
        let own = self.keywords.snapshot();
        let mut names: Vec<Value> = Vec::with_capacity(own.len() + args.keyword_count());
        let mut keyword_values = Vec::with_capacity(own.len() + args.keyword_count());
        for (name, value) in own {
            let Some(text) = name.downcast::<Str>() else {
                return Err(vm.type_error("keywords must be strings"));
            };
            let given = args.keywords().find(|(given, _)| given.text_eq(text));
            keyword_values.push(given.map_or(value, |(_, value)| value.clone()));
            names.push(name);
        }
        let own = names.len();
        for (name, value) in args.keywords() {
            let taken = names[..own]
                .iter()
                .any(|own| own.downcast::<Str>().is_some_and(|own| own.text_eq(name)));
            if !taken {
                names.push(name.to_value());
                keyword_values.push(value.clone());
            }
        }
        values.append(&mut keyword_values);
        let names = Tuple::new(names);
        vm.call_args(&self.function, Args::with_names(&values, &names))
    }
}

/// A function with some arguments given.
#[pyclass(
    name = "partial",
    late_end,
    module = "functools",
    basetype,
    dict,
    weakref,
    doc = "Create a new function with partial application of the given arguments and keywords."
)]
pub struct Partial {
    state: PySlot<State>,
}

impl Partial {
    fn state(vm: &Vm, this: &Py<Partial>) -> Res<Py<State>> {
        this.state
            .get()
            .ok_or_else(|| vm.system_error("a partial without state"))
    }

    /// Whether the value is called as a partial, and has no attributes of its own: then its parts can be taken over.
    fn transparent<'a>(vm: &Vm, value: &'a Value) -> Res<Option<&'a Py<Partial>>> {
        let Some(partial) = value.downcast::<Partial>() else {
            return Ok(None);
        };
        let call = |ty: &Py<Type>| ty.slots().call.map(|f| f as usize);
        if call(partial.class()) != call(Partial::ty()) || !object_getstate(vm, value)?.is_none() {
            return Ok(None);
        }
        Ok(Some(partial))
    }
}

/// The arguments of a partial of a partial.
fn merged_args(inner: &State, args: &[Value]) -> Vec<Value> {
    let mut given = args.iter();
    let mut all: Vec<Value> = inner
        .args
        .iter()
        .map(|arg| {
            if Placeholder::is(arg) {
                given.next().unwrap_or(arg).clone()
            } else {
                arg.clone()
            }
        })
        .collect();
    all.extend(given.cloned());
    all
}

#[pymethods]
impl Partial {
    #[slot(sig = "(func, /, *args, **keywords)", raw)]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        let Some((function, rest)) = args.split_receiver() else {
            return Err(vm.type_error("type 'partial' takes at least one argument"));
        };
        let inner = Partial::transparent(vm, function)?;
        if !vm.is_callable(function) {
            return Err(vm.type_error("the first argument must be callable"));
        }
        let positional = rest.positional();
        if positional.last().is_some_and(Placeholder::is) {
            return Err(vm.type_error("trailing Placeholders are not allowed"));
        }
        let keywords = Dict::new_empty();
        let state = match inner {
            None => (function.clone(), positional.to_vec()),
            Some(inner) => {
                let inner = Partial::state(vm, inner)?;
                keywords.update_dict(vm, &inner.keywords)?;
                (inner.function.clone(), merged_args(&inner, positional))
            }
        };
        for (name, value) in rest.keywords() {
            if Placeholder::is(value) {
                return Err(vm.type_error("Placeholder cannot be passed as a keyword argument"));
            }
            keywords.set_str(name, value.clone());
        }
        let state = State::new(state.0, Tuple::new(state.1), keywords);
        let partial = Partial {
            state: PySlot::new(state),
        };
        Ok(Py::with_class(cls, partial).into_value())
    }

    #[slot(sig = "(*args, **kwargs)", raw)]
    fn __call__(vm: &Vm, this: &Py<Partial>, args: Args<'_>) -> Res<Value> {
        let state = Partial::state(vm, this)?;
        if state.placeholders == 0 && state.keywords.is_empty() {
            return joined(&state.args, args, |args| vm.call_args(&state.function, args));
        }
        let (mut values, rest) = if state.placeholders == 0 {
            (state.args.to_vec(), args.positional())
        } else {
            state.filled(vm, args.positional())?
        };
        values.extend_from_slice(rest);
        if state.keywords.is_empty() {
            values.extend_from_slice(&args.values[args.positional().len()..]);
            let kwnames = args.kwnames;
            return vm.call_args(
                &state.function,
                Args {
                    values: &values,
                    kwnames,
                },
            );
        }
        state.call_with_keywords(vm, values, args)
    }

    #[slot]
    fn __get__(_vm: &Vm, this: &Py<Partial>, obj: Option<&Value>, _owner: Option<&Value>) -> Res<Value> {
        match obj.filter(|obj| !obj.is_none()) {
            None => Ok(this.to_value()),
            Some(obj) => Ok(Method::new_value(this.to_value(), obj.clone())),
        }
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Partial>) -> Res<String> {
        let Some(_guard) = vm.repr_enter(this.as_value()) else {
            return Ok("...".to_owned());
        };
        let state = Partial::state(vm, this)?;
        let mut parts = vec![vm.repr(&state.function)?.to_string_lossy()];
        for arg in state.args.iter() {
            parts.push(vm.repr(arg)?.to_string_lossy());
        }
        for (name, value) in state.keywords.snapshot() {
            let (name, value) = (vm.str(&name)?, vm.repr(&value)?);
            parts.push(format!("{}={}", name.to_string_lossy(), value.to_string_lossy()));
        }
        Ok(format!("{}({})", qualified_name(this.class()), parts.join(", ")))
    }

    /// function object to use in future partial calls
    #[getter]
    fn func(vm: &Vm, this: &Py<Partial>) -> Res<Value> {
        Ok(Partial::state(vm, this)?.function.clone())
    }

    /// tuple of arguments to future partial calls
    #[getter]
    fn args(vm: &Vm, this: &Py<Partial>) -> Res<Value> {
        Ok(Partial::state(vm, this)?.args.to_value())
    }

    /// dictionary of keyword arguments to future partial calls
    #[getter]
    fn keywords(vm: &Vm, this: &Py<Partial>) -> Res<Value> {
        Ok(Partial::state(vm, this)?.keywords.to_value())
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<Partial>) -> Res<Value> {
        let state = Partial::state(vm, this)?;
        let dict = vm.getattr_opt(this.as_value(), intern!("__dict__"))?;
        let dict = dict
            .filter(|dict| dict.downcast::<Dict>().is_some_and(|dict| !dict.is_empty()))
            .unwrap_or(Value::NONE);
        let (function, args) = (state.function.clone(), state.args.to_value());
        let parts = Tuple::from_array([function.clone(), args, state.keywords.to_value(), dict]);
        let args = Tuple::from_array([function]).into_value();
        Ok(Tuple::from_array([this.class().to_value(), args, parts.into_value()]).into_value())
    }

    #[pymethod(sig = "($self, object, /)")]
    fn __setstate__(vm: &Vm, this: &Py<Partial>, object: &Value) -> Res<()> {
        let invalid = || vm.type_error("invalid partial state");
        let parts = object.downcast::<Tuple>().ok_or_else(invalid)?;
        let [function, args, keywords, dict] = parts.as_slice() else {
            return Err(invalid());
        };
        let Some(args) = args.downcast::<Tuple>().filter(|_| vm.is_callable(function)) else {
            return Err(invalid());
        };
        let keywords = match (keywords.downcast::<Dict>(), keywords.is_none()) {
            (Some(keywords), _) if keywords.is_exact() => keywords.clone(),
            (Some(keywords), _) => keywords.copy(vm)?,
            (None, true) => Dict::new_empty(),
            (None, false) => return Err(invalid()),
        };
        if args.last().is_some_and(Placeholder::is) {
            return Err(vm.type_error("trailing Placeholders are not allowed"));
        }
        let args = if args.class().is(Tuple::ty()) {
            args.clone()
        } else {
            Tuple::from_slice_clone(args)
        };
        let attributes = if dict.is_none() {
            Dict::new_empty().into_value()
        } else {
            dict.clone()
        };
        vm.setattr(this.as_value(), intern!("__dict__"), &attributes)?;
        this.state.set(State::new(function.clone(), args, keywords));
        Ok(())
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        Ok(GenericAlias::new_value(vm, cls.as_value(), object))
    }
}
