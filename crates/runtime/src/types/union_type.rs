//! `typing.Union`: `int | str`.
//!
//! Invariant: the members are flat (no union among them), unique, and at least two. Order counts for display only.

use lisle_bytecode::opcode::CmpOp;

use crate::intern;
use crate::native::{pyclass, pymethods};
use crate::object::{Native, Py, PySlot, Type, Value};
use crate::types::exceptions::text;
use crate::types::generic_alias::{GenericAlias, find_parameters, show_argument, substitute};
use crate::types::singletons::NoneType;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::types::type_params::TypeAliasType;
use crate::vm::{Res, Vm};

/// A union of types.
#[pyclass(
    name = "Union",
    late_end,
    module = "typing",
    no_new,
    weakref,
    doc = "Represent a union type\n\nE.g. for int | str"
)]
pub struct Union {
    pub args: Py<Tuple>,
    parameters: PySlot<Tuple>,
}

/// Whether `|` makes a union of the value.
fn is_member(value: &Value) -> bool {
    value.is_none()
        || value.downcast::<Type>().is_some()
        || value.downcast::<GenericAlias>().is_some()
        || value.downcast::<Union>().is_some()
        || value.downcast_exact::<TypeAliasType>().is_some()
}

/// The members of a union in the making.
#[derive(Default)]
struct Members {
    hashed: Vec<(Option<i64>, Value)>,
}

impl Members {
    fn add(&mut self, vm: &Vm, value: &Value) -> Res<()> {
        if value.is_none() {
            return self.add_one(vm, NoneType::ty().as_value());
        }
        if let Some(union) = value.downcast::<Union>() {
            for member in union.args.as_slice() {
                self.add_one(vm, member)?;
            }
            return Ok(());
        }
        self.add_one(vm, value)
    }

    fn add_one(&mut self, vm: &Vm, value: &Value) -> Res<()> {
        // What cannot be hashed is only compared.
        let hash = vm.hash(value).ok();
        for (known_hash, known) in &self.hashed {
            if *known_hash == hash && vm.eq(known, value)? {
                return Ok(());
            }
        }
        self.hashed.push((hash, value.clone()));
        Ok(())
    }

    fn finish(self, vm: &Vm) -> Res<Value> {
        let mut members: Vec<Value> = self.hashed.into_iter().map(|(_, value)| value).collect();
        match members.len() {
            0 => Err(vm.type_error("Cannot take a Union of no types.")),
            1 => Ok(members.remove(0)),
            _ => Ok(Py::new(Union {
                args: Tuple::new(members),
                parameters: PySlot::empty(),
            })
            .into_value()),
        }
    }
}

/// `a | b` for types; `NotImplemented` if one of them is something else.
pub fn or(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
    if !is_member(a) || !is_member(b) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let mut members = Members::default();
    members.add(vm, a)?;
    members.add(vm, b)?;
    members.finish(vm)
}

/// The union of the values, whatever they are: `Union[args]` once `typing` has looked at them.
pub fn from_members(vm: &Vm, values: &[Value]) -> Res<Value> {
    let mut members = Members::default();
    for value in values {
        members.add(vm, value)?;
    }
    members.finish(vm)
}

/// `a | b` where one of them is a type parameter or an alias: the other may be whatever `Union[...]` takes.
pub fn union_of(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
    let mut members = Members::default();
    for member in [a, b] {
        members.add(vm, &checked(vm, member)?)?;
    }
    members.finish(vm)
}

/// What may stand in `Union[...]`: types are; strings are forward references, which `typing` makes of them.
fn checked(vm: &Vm, value: &Value) -> Res<Value> {
    if is_member(value) {
        return Ok(value.clone());
    }
    let typing = vm.import_module("typing")?;
    let check = vm.getattr(&typing, intern!("_type_check"))?;
    vm.call(
        &check,
        &[
            value.clone(),
            Str::from_str("Union[arg, ...]: each arg must be a type.").into_value(),
        ],
    )
}

#[pymethods]
impl Union {
    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Union>) -> Res<Value> {
        let mut out = Str::empty();
        for (at, member) in this.args.as_slice().iter().enumerate() {
            let separator = if at == 0 { "" } else { " | " };
            out = text::join(&[&out, &separator, &show_argument(vm, member)?]);
        }
        Ok(out.into_value())
    }

    #[slot]
    fn __hash__(vm: &Vm, this: &Py<Union>) -> Res<i64> {
        // Independent of the order, as that of a frozenset.
        let mut hash: u64 = 0x345_678 ^ this.args.as_slice().len() as u64;
        for member in this.args.as_slice() {
            let own = vm.hash(member)? as u64;
            hash ^= (own ^ own << 16 ^ 89_869_747).wrapping_mul(3_644_798_167);
        }
        let hash = hash as i64;
        Ok(if hash == -1 { -2 } else { hash })
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<Union>, other: &Value, op: CmpOp) -> Res<Value> {
        let Some(other) = other.downcast::<Union>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let (a, b) = (this.args.as_slice(), other.args.as_slice());
        let mut equal = a.len() == b.len();
        if equal {
            for member in a {
                let mut found = false;
                for candidate in b {
                    if vm.eq(member, candidate)? {
                        found = true;
                        break;
                    }
                }
                if !found {
                    equal = false;
                    break;
                }
            }
        }
        Ok(Value::from_bool(equal == (op == CmpOp::Eq)))
    }

    #[slot]
    fn __or__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        or(vm, a, b)
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<Union>, item: &Value) -> Res<Value> {
        let parameters = Union::__parameters__(vm, this)?;
        let members = substitute(vm, this.as_value(), this.args.as_slice(), parameters.as_slice(), item)?;
        let mut union = Members::default();
        for member in &members {
            union.add(vm, &checked(vm, member)?)?;
        }
        union.finish(vm)
    }

    #[slot]
    fn __getattribute__(vm: &Vm, this: &Py<Union>, name: &Py<Str>) -> Res<Value> {
        // The class's own descriptors hide `__module__`, which `typing` asks unions for.
        if name.is_text("__module__") {
            return vm.getattr(Union::ty().as_value(), name);
        }
        crate::vm::attributes::generic_getattr(vm, this.as_value(), name)
    }

    #[pymethod(sig = "($self, object, /)")]
    fn __mro_entries__(vm: &Vm, this: &Py<Union>, _object: &Value) -> Res<Value> {
        let shown = vm.repr(this.as_value())?.to_string_lossy();
        Err(vm.type_error(format!("Cannot subclass {shown}")))
    }

    #[pymethod(sig = "($self, object, /)")]
    fn __instancecheck__(vm: &Vm, this: &Py<Union>, object: &Value) -> Res<bool> {
        for member in this.args.as_slice() {
            if vm.isinstance(object, member)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    #[pymethod(sig = "($self, object, /)")]
    fn __subclasscheck__(vm: &Vm, this: &Py<Union>, object: &Value) -> Res<bool> {
        for member in this.args.as_slice() {
            if vm.issubclass(object, member)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, _cls: &Py<Type>, object: &Value) -> Res<Value> {
        let mut union = Members::default();
        match object.downcast::<Tuple>() {
            Some(members) => {
                for member in members.as_slice() {
                    union.add(vm, &checked(vm, member)?)?;
                }
            }
            None => union.add(vm, &checked(vm, object)?)?,
        }
        union.finish(vm)
    }

    #[getter]
    fn __args__(_: &Vm, this: &Py<Union>) -> Py<Tuple> {
        this.args.clone()
    }
    /// Always the class
    #[getter]
    fn __origin__(_: &Vm, _this: &Py<Union>) -> Value {
        Union::ty().to_value()
    }
    /// Name of the type
    #[getter]
    fn __name__(_: &Vm, _this: &Py<Union>) -> Py<Str> {
        Str::intern("Union")
    }
    /// Qualified name of the type
    #[getter]
    fn __qualname__(_: &Vm, _this: &Py<Union>) -> Py<Str> {
        Str::intern("Union")
    }
    /// Type variables in the types.UnionType.
    #[getter]
    fn __parameters__(vm: &Vm, this: &Py<Union>) -> Res<Py<Tuple>> {
        if let Some(known) = this.parameters.get() {
            return Ok(known);
        }
        let found = Tuple::new(find_parameters(vm, this.args.as_slice())?);
        this.parameters.set(found.clone());
        Ok(found)
    }
}
