//! Named tuples of native modules: `time.struct_time`, `os.stat_result`, `sys.version_info`.
//!
//! Invariant: an instance has a value for each field of its definition: the visible ones are the items of the tuple, the others
//! are attributes only.

use crate::memory::trace::Opaque;
use crate::native::{Args, GetSetDef, NativeMethods, pyclass, pymethods};
use crate::object::py::TypeCell;
use crate::object::types::{TypeDef, make_static_variant_with};
use crate::object::{Native, Py, Type, TypeFlags, Value};
use crate::types::dict::Dict;
use crate::types::exceptions::text;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// One class of named tuples; a `static` of the module that has it.
pub struct StructSeqDef {
    pub name: &'static str,
    pub module: &'static str,
    pub doc: &'static str,
    /// Name and docstring of each field. A visible field without a name has `""`.
    pub fields: &'static [(&'static str, &'static str)],
    /// How many fields are items of the tuple.
    pub visible: usize,
    /// Whether programs may make instances.
    pub constructible: bool,
    /// Fills in fields that a program left out of the constructor's arguments.
    complete: Option<fn(&mut [Value])>,
    /// Another constructor than that from a sequence: makes the values of the fields.
    construct: Option<fn(&Vm, Args<'_>) -> Res<Vec<Value>>>,
    cell: TypeCell,
}

impl StructSeqDef {
    pub const fn new(
        name: &'static str,
        module: &'static str,
        doc: &'static str,
        fields: &'static [(&'static str, &'static str)],
        visible: usize,
    ) -> StructSeqDef {
        StructSeqDef {
            name,
            module,
            doc,
            fields,
            visible,
            constructible: true,
            complete: None,
            construct: None,
            cell: TypeCell::new(),
        }
    }

    /// The definition with a function that completes what the constructor got: it sees one value a field.
    pub const fn with_completion(mut self, complete: fn(&mut [Value])) -> StructSeqDef {
        self.complete = Some(complete);
        self
    }

    /// The definition with a constructor of its own, which returns one value a field.
    pub const fn with_constructor(mut self, construct: fn(&Vm, Args<'_>) -> Res<Vec<Value>>) -> StructSeqDef {
        self.construct = Some(construct);
        self
    }

    /// As [`StructSeqDef::new`], all fields visible, for classes that programs cannot make instances of.
    pub const fn sealed(
        name: &'static str,
        module: &'static str,
        doc: &'static str,
        fields: &'static [(&'static str, &'static str)],
    ) -> StructSeqDef {
        let mut def = StructSeqDef::new(name, module, doc, fields, fields.len());
        def.constructible = false;
        def
    }

    /// The class.
    pub fn ty(&'static self) -> &'static Py<Type> {
        match self.cell.get() {
            Some(ty) => ty,
            None => self.make_type(),
        }
    }

    #[cold]
    fn make_type(&'static self) -> &'static Py<Type> {
        let mut def = TypeDef::default();
        StructSeq::define(&mut def);
        if !self.constructible {
            def.slots.new = None;
        }
        for (at, (name, doc)) in self.fields.iter().enumerate() {
            if name.is_empty() {
                continue;
            }
            let Some(get) = GETTERS.get(at) else { break };
            def.getsets.push(Box::leak(Box::new(GetSetDef {
                name,
                qualname: Box::leak(format!("{}.{name}", self.name).into_boxed_str()),
                doc: Some(*doc).filter(|doc| !doc.is_empty()),
                get: *get,
                set: None,
                member: true,
            })));
        }
        let mut flags = Tuple::FLAGS.0 & !TypeFlags::BASETYPE.0;
        flags |= TypeFlags::READY.0 | TypeFlags::GC.0;
        // As in CPython, the classes of `sys` alone cannot be changed.
        if self.module == "sys" {
            flags |= TypeFlags::IMMUTABLE.0;
        } else {
            flags &= !TypeFlags::IMMUTABLE.0;
        }
        if !self.constructible {
            flags |= TypeFlags::DISALLOW_INSTANTIATION.0;
        }
        let base = Tuple::ty();
        let ty = make_static_variant_with::<StructSeq>(
            &self.cell,
            self.name,
            self.module,
            Some(self.doc),
            base,
            TypeFlags(flags),
            Some(def),
        );
        DEFS.lock().push((ty.as_ptr() as usize, self));
        let dict = ty.dict();
        let set = |name: &str, value: Value| drop(dict.replace_str(&Str::intern(name), value));
        set("n_fields", Value::usize(self.fields.len()));
        set("n_sequence_fields", Value::usize(self.visible));
        let unnamed = self.fields.iter().filter(|(name, _)| name.is_empty()).count();
        set("n_unnamed_fields", Value::usize(unnamed));
        let names = self.fields[..self.visible].iter().filter(|(name, _)| !name.is_empty());
        let names = names.map(|(name, _)| Str::intern(name).into_value()).collect();
        set("__match_args__", Tuple::new(names).into_value());
        ty
    }

    /// An instance with these values, one a field (missing trailing ones are `None`).
    pub fn make(&'static self, mut values: Vec<Value>) -> Value {
        values.resize(self.fields.len(), Value::NONE);
        let hidden = values.split_off(self.visible.min(values.len()));
        Py::with_class(
            self.ty(),
            StructSeq {
                items: Tuple::payload(values),
                hidden: hidden.into_boxed_slice(),
                def: Opaque(self),
            },
        )
        .into_value()
    }

    /// The name in `repr` and errors: `time.struct_time`.
    fn qualified(&self) -> String {
        format!("{}.{}", self.module, self.name)
    }

    fn of(cls: &Py<Type>) -> Option<&'static StructSeqDef> {
        DEFS.lock()
            .iter()
            .find(|(ty, _)| *ty == cls.as_ptr() as usize)
            .map(|(_, def)| *def)
    }
}

/// The definition of each class, by address: `__new__` knows only its class.
static DEFS: crate::sync::Mutex<Vec<(usize, &'static StructSeqDef)>> = crate::sync::Mutex::new(Vec::new());

/// A named tuple.
#[pyclass(name = "structseq", base = Tuple)]
#[repr(C)]
pub struct StructSeq {
    items: Tuple,
    hidden: Box<[Value]>,
    def: Opaque<&'static StructSeqDef>,
}

impl StructSeq {
    fn field(&self, at: usize) -> Value {
        let visible = self.items.len();
        let value = if at < visible {
            self.items.get(at)
        } else {
            self.hidden.get(at - visible)
        };
        value.cloned().unwrap_or(Value::NONE)
    }

    /// All values, hidden ones too.
    fn values(&self) -> Vec<Value> {
        self.items.iter().chain(&self.hidden).cloned().collect()
    }
}

macro_rules! getters {
    ($($n:literal)*) => {
        &[$(|_, this| Ok(this.downcast::<StructSeq>().map_or(Value::NONE, |s| s.field($n)))),*]
    };
}

/// The getter of each field, by its number.
static GETTERS: &[fn(&Vm, &Value) -> Res<Value>] =
    getters!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);

#[pymethods]
impl StructSeq {
    #[slot]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        let Some(def) = StructSeqDef::of(cls) else {
            return Err(vm.type_error("cannot create 'structseq' instances"));
        };
        if let Some(construct) = def.construct {
            return Ok(def.make(construct(vm, args)?));
        }
        let sig = lisle_macros::signature!(class "structseq(sequence, dict=None)");
        let [sequence, given] = sig.bind_array::<2>(vm, args)?;
        let sequence = sequence.cloned().unwrap_or(Value::NONE);
        let mut values = match vm.collect(&sequence) {
            Ok(values) => values,
            Err(e) if e.is(&crate::types::exceptions::TYPE_ERROR) => {
                return Err(vm.type_error("constructor requires a sequence"));
            }
            Err(e) => return Err(e),
        };
        let (name, least, most, n) = (def.qualified(), def.visible, def.fields.len(), values.len());
        let wrong = |qualifier: &str, count: usize| {
            Err(vm.type_error(format!(
                "{name}() takes {qualifier} {count}-sequence ({n}-sequence given)"
            )))
        };
        if least == most && n != least {
            return wrong("a", least);
        }
        if n < least {
            return wrong("an at least", least);
        }
        if n > most {
            return wrong("an at most", most);
        }
        let dict = match given {
            None => None,
            Some(value) => match value.downcast::<Dict>() {
                Some(dict) => Some(dict),
                None => {
                    let message = format!("{name}() takes a dict as second arg, if any");
                    return Err(vm.type_error(message));
                }
            },
        };
        if let Some(dict) = dict {
            let mut found = 0;
            for (field, _) in &def.fields[n..] {
                let value = dict.get(vm, &Value::from(*field))?;
                found += usize::from(value.is_some());
                values.push(value.unwrap_or(Value::NONE));
            }
            if found < dict.len() {
                let message = format!("{name}() got duplicate or unexpected field name(s)");
                return Err(vm.type_error(message));
            }
        }
        values.resize(most, Value::NONE);
        if let Some(complete) = def.complete {
            complete(&mut values);
        }
        Ok(def.make(values))
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<StructSeq>) -> Res<Value> {
        let def = this.def.0;
        let Some(_guard) = vm.repr_enter(this.as_value()) else {
            return Ok(text::joined(&[&def.qualified(), &"(...)"]));
        };
        let mut out = text::join(&[&def.qualified(), &"("]);
        // As in CPython, an item without a name is shown with that of the next field that has one.
        let names = def.fields.iter().map(|(name, _)| *name).filter(|name| !name.is_empty());
        for (at, (item, name)) in this.items.iter().zip(names).enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            out = text::join(&[&out, &separator, &name, &"=", &vm.repr(item)?]);
        }
        Ok(text::joined(&[&out, &")"]))
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_: &Vm, this: &Py<StructSeq>) -> Value {
        let def = this.def.0;
        let dict = Dict::new_empty();
        for (at, (name, _)) in def.fields.iter().enumerate().skip(def.visible) {
            dict.set_str(&Str::intern(name), this.field(at));
        }
        let items = Tuple::from_slice_clone(&this.items).into_value();
        let args = Tuple::pair(items, dict.into_value()).into_value();
        Tuple::pair(this.class().to_value(), args).into_value()
    }

    /// Return a copy of the structure with new values for the specified fields.
    #[pymethod(sig = "($self, /, **changes)")]
    fn __replace__(vm: &Vm, this: &Py<StructSeq>, changes: crate::native::KwArgs<'_>) -> Res<Value> {
        let def = this.def.0;
        if def.fields.iter().any(|(name, _)| name.is_empty()) {
            let message = format!(
                "__replace__() is not supported for {} because it has unnamed field(s)",
                def.qualified()
            );
            return Err(vm.type_error(message));
        }
        let mut values = this.values();
        let mut unknown = Vec::new();
        for (name, value) in changes.iter() {
            match def.fields.iter().position(|(field, _)| name.is_text(field)) {
                Some(at) => values[at] = value.clone(),
                None => unknown.push(name.to_value()),
            }
        }
        if !unknown.is_empty() {
            let names = vm.repr(crate::types::list::List::new(unknown).as_value())?;
            return Err(vm.type_error(format!("Got unexpected field name(s): {}", names.to_string_lossy())));
        }
        Ok(def.make(values))
    }
}
