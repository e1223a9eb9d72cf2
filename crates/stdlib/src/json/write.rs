//! Writing JSON: `make_encoder`.
//!
//! Invariant: nothing is borrowed from a list or dict while its items are written, since `default` and others run Python code:
//! dicts are copied, items of lists are fetched one by one.

use lisle_runtime::intern;
use lisle_runtime::native::*;
use lisle_runtime::text::StrBuilder;
use lisle_runtime::types::common::full_name;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::float::Float;
use lisle_runtime::types::int::Int;
use lisle_runtime::types::list::List;
use lisle_runtime::types::native_function::NativeFunction;
use lisle_runtime::types::number_text::decimal_digits;
use lisle_runtime::types::tuple::Tuple;

use super::module;
use super::quote::push_quoted;

/// How strings are written.
enum Quoting {
    Ascii,
    Any,
    Call(Value),
}

#[pyclass(
    name = "Encoder",
    module = "_json",
    basetype,
    doc = "Encoder(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)"
)]
pub struct Encoder {
    /// A dict, or `None`.
    markers: Value,
    default: Value,
    encoder: Value,
    /// `None` or the text of one level.
    indent: Value,
    key_separator: Py<Str>,
    item_separator: Py<Str>,
    sort_keys: bool,
    skipkeys: bool,
    allow_nan: bool,
}

impl Encoder {
    fn quoting(&self) -> Quoting {
        let def = self.encoder.downcast::<NativeFunction>().map(|function| function.def);
        match def {
            Some(def) if std::ptr::eq(def, &module::ENCODE_BASESTRING_ASCII_DEF) => Quoting::Ascii,
            Some(def) if std::ptr::eq(def, &module::ENCODE_BASESTRING_DEF) => Quoting::Any,
            _ => Quoting::Call(self.encoder.clone()),
        }
    }
}

#[pymethods]
impl Encoder {
    #[slot(sig = "(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)")]
    fn __new__(
        vm: &Vm,
        cls: &Py<Type>,
        markers: &Value,
        default: &Value,
        encoder: &Value,
        indent: &Value,
        key_separator: &Py<Str>,
        item_separator: &Py<Str>,
        sort_keys: bool,
        skipkeys: bool,
        allow_nan: bool,
    ) -> Res<Value> {
        if !markers.is_none() && markers.downcast::<Dict>().is_none() {
            let name = markers.ty().name();
            return Err(vm.type_error(format!("make_encoder() argument 1 must be dict or None, not {name}")));
        }
        let this = Encoder {
            markers: markers.clone(),
            default: default.clone(),
            encoder: encoder.clone(),
            indent: indent.clone(),
            key_separator: key_separator.clone(),
            item_separator: item_separator.clone(),
            sort_keys,
            skipkeys,
            allow_nan,
        };
        Ok(Py::with_class(cls, this).into_value())
    }

    #[slot(sig = "(obj, _current_indent_level)")]
    fn __call__(vm: &Vm, this: &Py<Encoder>, obj: &Value, _current_indent_level: isize) -> Res<Value> {
        let mut write = Write {
            vm,
            encoder: this,
            quoting: this.quoting(),
            out: StrBuilder::new(),
        };
        write.value(obj, usize::try_from(_current_indent_level).unwrap_or(0))?;
        let text = Str::try_from_view(write.out.finish().view()).ok_or_else(|| vm.memory_error())?;
        Ok(Tuple::new(vec![text.into_value()]).into_value())
    }

    /// markers
    #[getter]
    fn markers(_vm: &Vm, this: &Py<Encoder>) -> Value {
        this.markers.clone()
    }

    /// default
    #[getter]
    fn default(_vm: &Vm, this: &Py<Encoder>) -> Value {
        this.default.clone()
    }

    /// encoder
    #[getter]
    fn encoder(_vm: &Vm, this: &Py<Encoder>) -> Value {
        this.encoder.clone()
    }

    /// indent
    #[getter]
    fn indent(_vm: &Vm, this: &Py<Encoder>) -> Value {
        this.indent.clone()
    }

    /// key_separator
    #[getter]
    fn key_separator(_vm: &Vm, this: &Py<Encoder>) -> Value {
        this.key_separator.to_value()
    }

    /// item_separator
    #[getter]
    fn item_separator(_vm: &Vm, this: &Py<Encoder>) -> Value {
        this.item_separator.to_value()
    }

    /// sort_keys
    #[getter]
    fn sort_keys(_vm: &Vm, this: &Py<Encoder>) -> bool {
        this.sort_keys
    }

    /// skipkeys
    #[getter]
    fn skipkeys(_vm: &Vm, this: &Py<Encoder>) -> bool {
        this.skipkeys
    }
}

/// One document on its way.
struct Write<'a> {
    vm: &'a Vm,
    encoder: &'a Encoder,
    quoting: Quoting,
    out: StrBuilder,
}

impl Write<'_> {
    /// Says in a note what was being written when an error came up.
    fn note(&self, exc: Exc, what: &str) -> Exc {
        let note = Value::from(format!("when serializing {what}").as_str());
        match self.vm.call_method(exc.value(), intern!("add_note"), &[note]) {
            Ok(_) => exc,
            Err(other) => other,
        }
    }

    /// Notes that an object is being written; an error if it is already. What is returned is handed to [`Write::leave`].
    fn enter(&self, object: &Value) -> Res<Option<Value>> {
        let Some(markers) = self.encoder.markers.downcast::<Dict>() else {
            return Ok(None);
        };
        let id = object.id();
        if markers.contains(self.vm, &id)? {
            return Err(self.vm.value_error("Circular reference detected"));
        }
        markers.set(self.vm, &id, object.clone())?;
        Ok(Some(id))
    }

    fn leave(&self, id: Option<Value>) -> Res<()> {
        if let (Some(id), Some(markers)) = (id, self.encoder.markers.downcast::<Dict>()) {
            drop(markers.remove(self.vm, &id)?);
        }
        Ok(())
    }

    fn string(&mut self, text: &Py<Str>) -> Res<()> {
        match &self.quoting {
            Quoting::Ascii => push_quoted(&mut self.out, text.view(), true),
            Quoting::Any => push_quoted(&mut self.out, text.view(), false),
            Quoting::Call(function) => {
                let quoted = self.vm.call(function, &[text.to_value()])?;
                match quoted.downcast::<Str>() {
                    Some(quoted) => self.out.push_view(quoted.view()),
                    None => {
                        let name = quoted.ty().name();
                        return Err(self
                            .vm
                            .type_error(format!("encoder() must return a string, not {name}")));
                    }
                }
            }
        }
        Ok(())
    }

    /// The text of a float.
    fn float(&self, value: &Value) -> Res<String> {
        let number = lisle_runtime::types::float::view(value).unwrap_or(f64::NAN);
        if number.is_finite() {
            return Ok(float_repr(number));
        }
        if !self.encoder.allow_nan {
            let shown = self.vm.repr(value)?.to_string_lossy();
            return Err(self
                .vm
                .value_error(format!("Out of range float values are not JSON compliant: {shown}")));
        }
        Ok(if number.is_nan() {
            "NaN".into()
        } else if number > 0.0 {
            "Infinity".into()
        } else {
            "-Infinity".into()
        })
    }

    fn push_int(&mut self, n: i64) {
        self.out.push_ascii(decimal_digits(n, &mut [0; 20]));
    }

    /// The text of an int, whatever its class has as `__repr__`.
    fn int(&self, value: &Value) -> Res<Py<Str>> {
        match value.as_small_int() {
            Some(small) => Ok(Str::from_str(&small.to_string())),
            None => self.vm.repr(&lisle_runtime::types::int::exact(value)),
        }
    }

    fn newline(&mut self, level: usize) -> Res<()> {
        if let Some(indent) = self.encoder.indent.downcast::<Str>() {
            self.out.push(0x0a);
            // The program may begin at any level.
            if !self.out.try_reserve(level.saturating_mul(indent.len())) {
                return Err(self.vm.memory_error());
            }
            for _ in 0..if indent.is_empty() { 0 } else { level } {
                self.out.push_view(indent.view());
            }
        }
        Ok(())
    }

    fn value(&mut self, value: &Value, level: usize) -> Res<()> {
        let vm = self.vm;
        if value.is_none() {
            self.out.push_str("null");
        } else if value.is_bool() {
            self.out.push_str(if value.is_true() { "true" } else { "false" });
        } else if let Some(text) = value.downcast::<Str>() {
            self.string(text)?;
        } else if let Some(small) = value.as_small_int() {
            self.push_int(small);
        } else if value.downcast::<Int>().is_some() {
            let text = self.int(value)?;
            self.out.push_view(text.view());
        } else if value.as_exact_float().is_some() || value.downcast::<Float>().is_some() {
            let text = self.float(value)?;
            self.out.push_str(&text);
        } else if value.downcast::<List>().is_some() || value.downcast::<Tuple>().is_some() {
            let _guard = vm.enter_recursive(" while encoding a JSON object")?;
            self.list(value, level)?;
        } else if value.downcast::<Dict>().is_some() {
            let _guard = vm.enter_recursive(" while encoding a JSON object")?;
            self.dict(value, level)?;
        } else {
            let id = self.enter(value)?;
            let other = vm.call(&self.encoder.default, std::slice::from_ref(value))?;
            let _guard = vm.enter_recursive(" while encoding a JSON object")?;
            if let Err(exc) = self.value(&other, level) {
                return Err(self.note(exc, &format!("{} object", full_name(value.ty()))));
            }
            self.leave(id)?;
        }
        Ok(())
    }

    /// Writes a list as it is while it is written, which `default` may change; other sequences as they are now.
    fn list(&mut self, list: &Value, level: usize) -> Res<()> {
        let live = list.downcast_exact::<List>();
        let get = |items: &[Value], at: usize| match live {
            Some(list) => list.get(at),
            None => items.get(at).cloned(),
        };
        let items: Vec<Value> = match (live, list.downcast_exact::<Tuple>()) {
            (Some(_), _) => Vec::new(),
            (_, Some(tuple)) => tuple.as_slice().to_vec(),
            _ => self.vm.collect(list)?,
        };
        let Some(mut item) = get(&items, 0) else {
            self.out.push_str("[]");
            return Ok(());
        };
        let id = self.enter(list)?;
        self.out.push_str("[");
        self.newline(level + 1)?;
        let mut at = 0;
        loop {
            if let Err(exc) = self.value(&item, level + 1) {
                return Err(self.note(exc, &format!("{} item {at}", full_name(list.ty()))));
            }
            at += 1;
            match get(&items, at) {
                Some(next) => item = next,
                None => break,
            }
            self.out.push_view(self.encoder.item_separator.view());
            self.newline(level + 1)?;
        }
        self.leave(id)?;
        self.newline(level)?;
        self.out.push_str("]");
        Ok(())
    }

    fn dict(&mut self, dict: &Value, level: usize) -> Res<()> {
        let vm = self.vm;
        if vm.len(dict)? == 0 {
            self.out.push_str("{}");
            return Ok(());
        }
        let id = self.enter(dict)?;
        let mut items: Vec<(Value, Value)> = match dict.downcast_exact::<Dict>() {
            Some(exact) if !self.encoder.sort_keys => exact.snapshot(),
            _ => {
                let items = vm.call_method(dict, intern!("items"), &[])?;
                let mut items = vm.collect(&items)?;
                if self.encoder.sort_keys {
                    let list = List::new(items);
                    vm.call_method(list.as_value(), intern!("sort"), &[])?;
                    items = list.snapshot();
                }
                let pair = |item: &Value| match item.downcast::<Tuple>().map(|pair| pair.as_slice()) {
                    Some([key, value]) => Ok((key.clone(), value.clone())),
                    _ => Err(vm.value_error("items must return 2-tuples")),
                };
                items.iter().map(pair).collect::<Res<_>>()?
            }
        };
        self.out.push_str("{");
        let mut first = true;
        for (key, value) in items.drain(..) {
            let text = if let Some(text) = key.downcast::<Str>() {
                text.clone()
            } else if key.as_exact_float().is_some() || key.downcast::<Float>().is_some() {
                Str::from_str(&self.float(&key)?)
            } else if key.is_none() {
                Str::from_str("null")
            } else if key.is_bool() {
                Str::from_str(if key.is_true() { "true" } else { "false" })
            } else if key.is_small_int() || key.downcast::<Int>().is_some() {
                self.int(&key)?
            } else if self.encoder.skipkeys {
                continue;
            } else {
                let name = key.ty().name();
                return Err(vm.type_error(format!("keys must be str, int, float, bool or None, not {name}")));
            };
            if !first {
                self.out.push_view(self.encoder.item_separator.view());
            }
            first = false;
            self.newline(level + 1)?;
            self.string(&text)?;
            self.out.push_view(self.encoder.key_separator.view());
            if let Err(exc) = self.value(&value, level + 1) {
                let shown = vm.repr(&key)?.to_string_lossy();
                return Err(self.note(exc, &format!("{} item {shown}", full_name(dict.ty()))));
            }
        }
        self.leave(id)?;
        if !first {
            self.newline(level)?;
        }
        self.out.push_str("}");
        Ok(())
    }
}
