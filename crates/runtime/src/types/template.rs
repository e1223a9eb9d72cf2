//! Template strings: `string.templatelib.Template` and `Interpolation`.
//!
//! Invariant: a template has one string more than interpolations; they alternate, and never change.

use crate::intern;
use crate::native::{Args, pyclass, pymethods};
use crate::object::{Native, Py, Type, Value};
use crate::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use crate::types::common::class_getitem;
use crate::types::exceptions::text;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// `{value!conversion:format_spec}` of a template.
#[pyclass(name = "Interpolation", module = "string.templatelib", doc = "Interpolation object")]
pub struct Interpolation {
    value: Value,
    expression: Value,
    conversion: Value,
    format_spec: Value,
}

impl Interpolation {
    pub fn new_value(value: Value, expression: Value, conversion: Value, format_spec: Value) -> Value {
        Py::new(Interpolation {
            value,
            expression,
            conversion,
            format_spec,
        })
        .into_value()
    }
}

/// The conversion, checked.
fn conversion(vm: &Vm, given: Option<&Value>) -> Res<Value> {
    let Some(given) = given.filter(|given| !given.is_none()) else {
        return Ok(Value::NONE);
    };
    let Some(name) = given.downcast::<Str>() else {
        let found = given.ty().name();
        return Err(vm.type_error(format!(
            "Interpolation() argument 'conversion' must be str, not {found}"
        )));
    };
    if ["s", "r", "a"].iter().any(|known| name.is_text(known)) {
        return Ok(given.clone());
    }
    Err(vm.value_error("Interpolation() argument 'conversion' must be one of 's', 'a' or 'r'"))
}

#[pymethods]
impl Interpolation {
    #[slot(sig = "(value, expression='', conversion=None, format_spec='')")]
    fn __new__(
        vm: &Vm,
        _cls: &Py<Type>,
        value: Value,
        expression: Option<&Py<Str>>,
        conversion: Option<&Value>,
        format_spec: Option<&Py<Str>>,
    ) -> Res<Value> {
        let text = |given: Option<&Py<Str>>| given.cloned().unwrap_or_else(Str::empty).into_value();
        let conversion = self::conversion(vm, conversion)?;
        Ok(Interpolation::new_value(
            value,
            text(expression),
            conversion,
            text(format_spec),
        ))
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Interpolation>) -> Res<Value> {
        let (value, expression) = (vm.repr(&this.value)?, vm.repr(&this.expression)?);
        let (conversion, spec) = (vm.repr(&this.conversion)?, vm.repr(&this.format_spec)?);
        let parts = text::join(&[
            &"Interpolation(",
            &value,
            &", ",
            &expression,
            &", ",
            &conversion,
            &", ",
            &spec,
            &")",
        ]);
        Ok(parts.into_value())
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_: &Vm, this: &Py<Interpolation>) -> Value {
        let args = Tuple::from_array([
            this.value.clone(),
            this.expression.clone(),
            this.conversion.clone(),
            this.format_spec.clone(),
        ]);
        Tuple::pair(Interpolation::ty().to_value(), args.into_value()).into_value()
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        class_getitem(vm, cls, object)
    }

    #[classattr]
    fn __match_args__(_: &Vm) -> Value {
        let names = ["value", "expression", "conversion", "format_spec"];
        Tuple::new(names.iter().map(|name| Str::intern(name).into_value()).collect()).into_value()
    }

    /// Value
    #[getter]
    fn value(_: &Vm, this: &Py<Interpolation>) -> Value {
        this.value.clone()
    }
    /// Expression
    #[getter]
    fn expression(_: &Vm, this: &Py<Interpolation>) -> Value {
        this.expression.clone()
    }
    /// Conversion
    #[getter]
    fn conversion(_: &Vm, this: &Py<Interpolation>) -> Value {
        this.conversion.clone()
    }
    /// Format specifier
    #[getter]
    fn format_spec(_: &Vm, this: &Py<Interpolation>) -> Value {
        this.format_spec.clone()
    }
}

/// `t"..."`
#[pyclass(name = "Template", module = "string.templatelib", doc = "Template object")]
pub struct Template {
    strings: Py<Tuple>,
    interpolations: Py<Tuple>,
}

impl Template {
    /// Both are tuples.
    pub fn new_value(strings: Value, interpolations: Value) -> Value {
        let tuple = |value: Value| value.try_into_py::<Tuple>().unwrap_or_else(|_| Tuple::empty());
        Template::make(tuple(strings), tuple(interpolations))
    }

    fn make(strings: Py<Tuple>, interpolations: Py<Tuple>) -> Value {
        Py::new(Template {
            strings,
            interpolations,
        })
        .into_value()
    }

    /// The template of strings and interpolations in any order; neighbouring strings are joined.
    fn of_parts<'a>(parts: impl Iterator<Item = &'a Value>) -> Value {
        let (mut strings, mut interpolations) = (Vec::new(), Vec::new());
        let mut last = Str::empty();
        for part in parts {
            match part.downcast::<Str>() {
                Some(string) if last.is_empty() => last = string.clone(),
                Some(string) => last = text::join(&[&last, string]),
                None => {
                    strings.push(std::mem::replace(&mut last, Str::empty()).into_value());
                    interpolations.push(part.clone());
                }
            }
        }
        strings.push(last.into_value());
        Template::make(Tuple::new(strings), Tuple::new(interpolations))
    }

    /// Strings, empty ones too, and interpolations in order.
    fn parts(&self) -> impl Iterator<Item = &Value> {
        let rest = self.interpolations.as_slice();
        self.strings
            .as_slice()
            .iter()
            .enumerate()
            .flat_map(move |(at, string)| [Some(string), rest.get(at)].into_iter().flatten())
    }
}

#[pymethods]
impl Template {
    #[slot]
    fn __new__(vm: &Vm, _cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        if args.has_keywords() {
            return Err(vm.type_error("Template.__new__ only accepts *args arguments"));
        }
        for part in args.values {
            if part.downcast::<Str>().is_none() && part.downcast_exact::<Interpolation>().is_none() {
                let found = part.ty().name();
                return Err(vm.type_error(format!(
                    "Template.__new__ *args need to be of type 'str' or 'Interpolation', got {found}"
                )));
            }
        }
        Ok(Template::of_parts(args.values.iter()))
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Template>) -> Res<Value> {
        let (strings, rest) = (
            vm.repr(this.strings.as_value())?,
            vm.repr(this.interpolations.as_value())?,
        );
        let parts = text::join(&[&"Template(strings=", &strings, &", interpolations=", &rest, &")"]);
        Ok(parts.into_value())
    }

    #[slot]
    fn __iter__(_: &Vm, this: &Py<Template>) -> Value {
        Py::new(TemplateIter {
            template: this.clone(),
            at: AtomicUsize::new(0),
        })
        .into_value()
    }

    #[slot]
    fn __concat__(vm: &Vm, this: &Py<Template>, other: &Value) -> Res<Value> {
        match other.downcast_exact::<Template>() {
            Some(other) => Ok(Template::of_parts(this.parts().chain(other.parts()))),
            None => {
                let found = other.ty().name();
                Err(vm.type_error(format!(
                    "can only concatenate string.templatelib.Template (not \"{found}\") to string.templatelib.Template"
                )))
            }
        }
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<Template>) -> Res<Value> {
        let module = vm.import_module("string.templatelib")?;
        let unpickle = vm.getattr(&module, intern!("_template_unpickle"))?;
        let args = Tuple::pair(this.strings.to_value(), this.interpolations.to_value());
        Ok(Tuple::pair(unpickle, args.into_value()).into_value())
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        class_getitem(vm, cls, object)
    }

    /// Strings
    #[getter]
    fn strings(_: &Vm, this: &Py<Template>) -> Py<Tuple> {
        this.strings.clone()
    }
    /// Interpolations
    #[getter]
    fn interpolations(_: &Vm, this: &Py<Template>) -> Py<Tuple> {
        this.interpolations.clone()
    }
    /// Values of interpolations
    #[getter]
    fn values(_: &Vm, this: &Py<Template>) -> Py<Tuple> {
        let values = this.interpolations.as_slice().iter();
        let values = values.filter_map(|part| Some(part.downcast_exact::<Interpolation>()?.value.clone()));
        Tuple::new(values.collect())
    }
}

/// `iter(template)`: strings that are not empty, and interpolations.
#[pyclass(name = "TemplateIter", module = "string.templatelib", no_new)]
pub struct TemplateIter {
    template: Py<Template>,
    /// Counts strings and interpolations together.
    at: AtomicUsize,
}

#[pymethods]
impl TemplateIter {
    #[slot]
    fn __iter__(_: &Vm, this: &Py<TemplateIter>) -> Value {
        this.to_value()
    }

    #[slot]
    fn __next__(_: &Vm, this: &Py<TemplateIter>) -> Res<Option<Value>> {
        loop {
            let at = this.at.fetch_add(1, Relaxed);
            let (strings, rest) = (
                this.template.strings.as_slice(),
                this.template.interpolations.as_slice(),
            );
            let part = if at.is_multiple_of(2) {
                strings.get(at / 2)
            } else {
                rest.get(at / 2)
            };
            let Some(part) = part else {
                this.at.store(at, Relaxed);
                return Ok(None);
            };
            if part.downcast::<Str>().is_none_or(|string| !string.is_empty()) {
                return Ok(Some(part.clone()));
            }
        }
    }
}
