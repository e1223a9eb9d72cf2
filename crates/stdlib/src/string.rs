//! The `_string` module: the parsers of `str.format` templates, for `string.Formatter`.
//!
//! Invariant: the pieces are found at once, an error among them is raised in its turn, and its place is an atomic.

use lisle_runtime::native::*;
use lisle_runtime::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use lisle_runtime::text::FormatError;
use lisle_runtime::text::str_format::{FieldName, Key, Markup, MarkupParser, Step};
use lisle_runtime::types::tuple::Tuple;

fn raise(vm: &Vm, error: &FormatError) -> Exc {
    vm.value_error(&error.message)
}

fn part(text: &Py<Str>, range: std::ops::Range<usize>) -> Value {
    Str::from_buf(text.view().slice(range).to_buf()).into_value()
}

fn key_value(text: &Py<Str>, key: &Key) -> Value {
    match key {
        Key::Index(index) => Value::usize(*index),
        Key::Name(range) => part(text, range.clone()),
    }
}

/// Yields the pieces of a template.
#[pyclass(name = "formatteriterator", module = "builtins", no_new)]
pub struct FormatterIterator {
    /// How many pieces were given out.
    done: AtomicUsize,
    pieces: Vec<Value>,
    /// What is raised after them.
    error: Slot,
}

#[pymethods]
impl FormatterIterator {
    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<FormatterIterator>) -> Value {
        this.to_value()
    }

    #[slot]
    fn __next__(_vm: &Vm, this: &Py<FormatterIterator>) -> Res<Option<Value>> {
        let at = this.done.fetch_add(1, Relaxed);
        if let Some(piece) = this.pieces.get(at) {
            return Ok(Some(piece.clone()));
        }
        this.done.store(this.pieces.len(), Relaxed);
        match this.error.take() {
            Some(exc) => Err(Exc::from_value(exc)),
            None => Ok(None),
        }
    }
}

fn piece(text: &Py<Str>, markup: &Markup) -> Value {
    let literal = part(text, markup.literal.clone());
    let (name, spec, conversion) = match &markup.field {
        None => (Value::NONE, Value::NONE, Value::NONE),
        Some(field) => (
            part(text, field.name.clone()),
            part(text, field.spec.clone()),
            field.conversion.map_or(Value::NONE, |c| Str::from_char(c).into_value()),
        ),
    };
    Tuple::new(vec![literal, name, spec, conversion]).into_value()
}

/// Yields the steps of a field name.
#[pyclass(name = "fieldnameiterator", module = "builtins", no_new)]
pub struct FieldNameIterator {
    done: AtomicUsize,
    steps: Vec<Value>,
    error: Slot,
}

#[pymethods]
impl FieldNameIterator {
    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<FieldNameIterator>) -> Value {
        this.to_value()
    }

    #[slot]
    fn __next__(_vm: &Vm, this: &Py<FieldNameIterator>) -> Res<Option<Value>> {
        let at = this.done.fetch_add(1, Relaxed);
        if let Some(step) = this.steps.get(at) {
            return Ok(Some(step.clone()));
        }
        this.done.store(this.steps.len(), Relaxed);
        match this.error.take() {
            Some(exc) => Err(Exc::from_value(exc)),
            None => Ok(None),
        }
    }
}

#[pymodule(name = "_string", doc = "string helper module")]
pub mod module {
    use super::*;

    fn text_argument<'a>(vm: &Vm, object: &'a Value) -> Res<&'a Py<Str>> {
        object
            .downcast::<Str>()
            .ok_or_else(|| vm.type_error(format!("expected str, got {}", object.ty().name())))
    }

    /// split the argument as a field name
    #[pyfunction(sig = "(object, /)")]
    fn formatter_field_name_split(vm: &Vm, object: &Value) -> Res<(Value, Value)> {
        let text = text_argument(vm, object)?;
        let mut name = FieldName::new(text.view()).map_err(|error| raise(vm, &error))?;
        let first = key_value(text, &name.first);
        let mut steps = Vec::new();
        let error = loop {
            match name.next_step() {
                Ok(None) => break None,
                Ok(Some(Step::Attribute(range))) => {
                    steps.push(Tuple::pair(Value::TRUE, part(text, range)).into_value());
                }
                Ok(Some(Step::Item(key))) => {
                    steps.push(Tuple::pair(Value::FALSE, key_value(text, &key)).into_value());
                }
                Err(error) => break Some(raise(vm, &error).into_value()),
            }
        };
        let rest = FieldNameIterator {
            done: AtomicUsize::new(0),
            steps,
            error: Slot::from_option(error),
        };
        Ok((first, Py::new(rest).into_value()))
    }

    /// parse the argument as a format string
    #[pyfunction(sig = "(object, /)")]
    fn formatter_parser(vm: &Vm, object: &Value) -> Res<Value> {
        let text = text_argument(vm, object)?;
        let mut parser = MarkupParser::new(text.view());
        let mut pieces = Vec::new();
        let error = loop {
            match parser.next() {
                Ok(None) => break None,
                Ok(Some(markup)) => {
                    vm.native_safepoint()?;
                    pieces.try_reserve(1)?;
                    pieces.push(piece(text, &markup));
                }
                Err(error) => break Some(raise(vm, &error).into_value()),
            }
        };
        let iterator = FormatterIterator {
            done: AtomicUsize::new(0),
            pieces,
            error: Slot::from_option(error),
        };
        Ok(Py::new(iterator).into_value())
    }
}
