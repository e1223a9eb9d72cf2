//! `FrameLocalsProxy` (PEP 667): the local variables of a function's frame as a mapping that writes through.
//!
//! Invariant: it holds nothing but the frame; each operation looks at the variables anew. Names that are no variables of the function
//! live in a dict of the frame's. Variables cannot be deleted.

use super::dict::Dict;
use super::frame::Frame;
use super::list::List;
use crate::intern;
use crate::native::{Args, CmpOp, pyclass, pymethods};
use crate::object::{Py, Type, Value};
use crate::text::StrBuilder;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// See the module.
#[pyclass(name = "FrameLocalsProxy", mapping, unhashable)]
pub struct FrameLocalsProxy {
    frame: Py<Frame>,
}

/// Where a key's value is.
enum Place {
    Variable(usize),
    Extra,
}

impl FrameLocalsProxy {
    pub fn new_value(frame: &Py<Frame>) -> Value {
        Py::new(FrameLocalsProxy { frame: frame.clone() }).into_value()
    }

    fn extra(&self) -> Option<Py<Dict>> {
        self.frame.extra.get()?.try_into_py::<Dict>().ok()
    }

    fn extra_or_new(&self) -> Py<Dict> {
        if let Some(extra) = self.extra() {
            return extra;
        }
        // The first to come is kept.
        let _ = self.frame.extra.set_if_empty(Dict::new_empty().into_value());
        self.extra().unwrap_or_else(Dict::new_empty)
    }

    fn place(&self, vm: &Vm, key: &Value) -> Res<Place> {
        if let Some(name) = key.downcast_exact::<Str>() {
            let found = self.frame.local_names().find(|(_, known)| known.text_eq(name));
            return Ok(found.map_or(Place::Extra, |(i, _)| Place::Variable(i)));
        }
        // Any object may equal a name.
        let hash = vm.hash(key)?;
        for (i, name) in self.frame.local_names() {
            if name.hash() == hash && vm.eq(name.as_value(), key)? {
                return Ok(Place::Variable(i));
            }
        }
        Ok(Place::Extra)
    }

    fn find(&self, vm: &Vm, key: &Value) -> Res<Option<Value>> {
        match self.place(vm, key)? {
            Place::Variable(i) => Ok(self.frame.local(vm, i)),
            Place::Extra => match self.extra() {
                Some(extra) => Py::<Dict>::get(&extra, vm, key),
                None => Ok(None),
            },
        }
    }

    fn store(&self, vm: &Vm, key: &Value, value: Value) -> Res<()> {
        match self.place(vm, key)? {
            Place::Variable(i) => {
                self.frame.set_local(vm, i, value);
                Ok(())
            }
            Place::Extra => self.extra_or_new().set(vm, key, value),
        }
    }

    fn snapshot(&self, vm: &Vm) -> Vec<(Value, Value)> {
        let mut pairs: Vec<(Value, Value)> = self
            .frame
            .variables(vm)
            .into_iter()
            .map(|(name, value)| (name.into_value(), value))
            .collect();
        if let Some(extra) = self.extra() {
            pairs.extend(extra.snapshot());
        }
        pairs
    }

    fn to_dict(&self, vm: &Vm) -> Res<Py<Dict>> {
        let dict = Dict::new_empty();
        for (key, value) in self.snapshot(vm) {
            dict.set(vm, &key, value)?;
        }
        Ok(dict)
    }

    fn merge(&self, vm: &Vm, other: &Value) -> Res<()> {
        let pairs = Dict::new_empty();
        pairs.update_from_args(vm, "update", Args::new(std::slice::from_ref(other)))?;
        for (key, value) in pairs.snapshot() {
            self.store(vm, &key, value)?;
        }
        Ok(())
    }
}

fn cannot_remove(vm: &Vm) -> crate::vm::Exc {
    vm.value_error("cannot remove local variables from FrameLocalsProxy")
}

fn as_dict(vm: &Vm, value: &Value) -> Res<Option<Value>> {
    match value.downcast_exact::<FrameLocalsProxy>() {
        Some(proxy) => Ok(Some(proxy.to_dict(vm)?.into_value())),
        None => Ok(value.downcast::<Dict>().map(Py::to_value)),
    }
}

#[pymethods]
impl FrameLocalsProxy {
    #[slot]
    fn __new__(vm: &Vm, _cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        if args.has_keywords() {
            return Err(vm.type_error("FrameLocalsProxy takes no keyword arguments"));
        }
        let [frame] = args.values else {
            let given = args.values.len();
            return Err(vm.type_error(format!("FrameLocalsProxy expected 1 argument, got {given}")));
        };
        match frame.downcast_exact::<Frame>() {
            Some(frame) => Ok(FrameLocalsProxy::new_value(frame)),
            None => {
                let found = frame.ty().name();
                Err(vm.type_error(format!("expect frame, not {found}")))
            }
        }
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<FrameLocalsProxy>) -> Res<Value> {
        let Some(_guard) = vm.repr_enter(this.as_value()) else {
            let mut text = StrBuilder::new();
            text.push_str("{...}");
            return super::common::finish_text(vm, text);
        };
        let dict = this.to_dict(vm)?;
        Ok(vm.repr(dict.as_value())?.into_value())
    }

    #[slot]
    fn __len__(vm: &Vm, this: &Py<FrameLocalsProxy>) -> Res<usize> {
        Ok(this.snapshot(vm).len())
    }

    #[slot]
    fn __contains__(vm: &Vm, this: &Py<FrameLocalsProxy>, key: &Value) -> Res<bool> {
        Ok(this.find(vm, key)?.is_some())
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<FrameLocalsProxy>, key: &Value) -> Res<Value> {
        match this.find(vm, key)? {
            Some(value) => Ok(value),
            None => {
                let shown = vm.repr(key)?.to_string_lossy();
                let class = super::exceptions::KEY_ERROR.get();
                let message = format!("local variable '{shown}' is not defined");
                Err(vm.new_exception(class, vec![Value::from(message.as_str())]))
            }
        }
    }

    #[slot]
    fn __setitem__(vm: &Vm, this: &Py<FrameLocalsProxy>, key: &Value, value: Option<&Value>) -> Res<()> {
        match value {
            Some(value) => this.store(vm, key, value.clone()),
            None => match this.place(vm, key)? {
                Place::Variable(_) => Err(cannot_remove(vm)),
                Place::Extra => {
                    let removed = match this.extra() {
                        Some(extra) => extra.remove(vm, key)?,
                        None => None,
                    };
                    removed.map(drop).ok_or_else(|| vm.key_error(key.clone()))
                }
            },
        }
    }

    #[slot]
    fn __iter__(vm: &Vm, this: &Py<FrameLocalsProxy>) -> Res<Value> {
        vm.iter(&FrameLocalsProxy::keys(vm, this))
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<FrameLocalsProxy>, other: &Value, op: CmpOp) -> Res<Value> {
        let same = match other.downcast_exact::<FrameLocalsProxy>() {
            Some(other) => this.frame.is(&other.frame),
            None => match as_dict(vm, other)? {
                Some(other) => vm.compare_bool(this.to_dict(vm)?.as_value(), &other, CmpOp::Eq)?,
                None => return Ok(Value::NOT_IMPLEMENTED),
            },
        };
        match op {
            CmpOp::Eq => Ok(Value::from_bool(same)),
            CmpOp::Ne => Ok(Value::from_bool(!same)),
            _ => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    #[slot]
    fn __or__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        let (Some(left), Some(right)) = (as_dict(vm, a)?, as_dict(vm, b)?) else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        let merged = Dict::new_empty();
        for part in [left, right] {
            merged.update_from_args(vm, "update", Args::new(&[part]))?;
        }
        Ok(merged.into_value())
    }

    #[slot]
    fn __ior__(vm: &Vm, this: &Py<FrameLocalsProxy>, other: &Value) -> Res<Value> {
        if as_dict(vm, other)?.is_none() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        this.merge(vm, other)?;
        Ok(this.to_value())
    }

    #[pymethod(sig = "($self, /)")]
    fn __reversed__(vm: &Vm, this: &Py<FrameLocalsProxy>) -> Res<Value> {
        let mut keys: Vec<Value> = this.snapshot(vm).into_iter().map(|(key, _)| key).collect();
        keys.reverse();
        Ok(List::new(keys).into_value())
    }

    #[pymethod(sig = "($self, /)")]
    fn keys(vm: &Vm, this: &Py<FrameLocalsProxy>) -> Value {
        List::new(this.snapshot(vm).into_iter().map(|(key, _)| key).collect()).into_value()
    }

    #[pymethod(sig = "($self, /)")]
    fn values(vm: &Vm, this: &Py<FrameLocalsProxy>) -> Value {
        List::new(this.snapshot(vm).into_iter().map(|(_, value)| value).collect()).into_value()
    }

    #[pymethod(sig = "($self, /)")]
    fn items(vm: &Vm, this: &Py<FrameLocalsProxy>) -> Value {
        let pairs = this.snapshot(vm).into_iter();
        List::new(pairs.map(|(key, value)| Tuple::pair(key, value).into_value()).collect()).into_value()
    }

    #[pymethod(sig = "($self, key, default=None, /)")]
    fn get(vm: &Vm, this: &Py<FrameLocalsProxy>, key: &Value, default: Option<&Value>) -> Res<Value> {
        Ok(this
            .find(vm, key)?
            .unwrap_or_else(|| default.cloned().unwrap_or(Value::NONE)))
    }

    #[pymethod(sig = "($self, key, default=None, /)")]
    fn setdefault(vm: &Vm, this: &Py<FrameLocalsProxy>, key: &Value, default: Option<&Value>) -> Res<Value> {
        if let Some(value) = this.find(vm, key)? {
            return Ok(value);
        }
        let value = default.cloned().unwrap_or(Value::NONE);
        this.store(vm, key, value.clone())?;
        Ok(value)
    }

    #[pymethod(sig = "($self, key, default=<unrepresentable>, /)")]
    fn pop(vm: &Vm, this: &Py<FrameLocalsProxy>, key: &Value, default: Option<&Value>) -> Res<Value> {
        if let Place::Variable(_) = this.place(vm, key)? {
            return Err(cannot_remove(vm));
        }
        let removed = match this.extra() {
            Some(extra) => extra.remove(vm, key)?,
            None => None,
        };
        match (removed, default) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => Ok(default.clone()),
            (None, None) => Err(vm.key_error(key.clone())),
        }
    }

    #[pymethod(sig = "($self, other, /)")]
    fn update(vm: &Vm, this: &Py<FrameLocalsProxy>, other: &Value) -> Res<()> {
        let mapping = vm.getattr_opt(other, intern!("keys"))?.is_some() || other.downcast::<List>().is_some();
        if !mapping && other.ty().slots().iter.is_none() {
            return Err(vm.type_error("update() argument must be dict or another FrameLocalsProxy"));
        }
        this.merge(vm, other)
    }

    #[pymethod(sig = "($self, /)")]
    fn copy(vm: &Vm, this: &Py<FrameLocalsProxy>) -> Res<Value> {
        this.to_dict(vm).map(Py::into_value)
    }
}
