//! Descriptors of native classes: slot wrappers (`int.__add__`), computed attributes (`int.real`) and `__slots__` members.
//!
//! Invariant: what is reached through a descriptor gets only receivers whose class derives from the owner and has its payload, so the
//! native code behind may cast without a check. Left out: methods (`native_function`).

use crate::intern;
use crate::memory::header::Header;
use crate::native::{Args, GetSetDef, pyclass, pymethods};
use crate::object::slotdefs::SlotDef;
use crate::object::{Native, Py, Slot, Type, Value};
use crate::types::exceptions::text;
use crate::types::object::Object;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Exc, Res, Vm};
use lisle_bytecode::opcode::CmpOp;

crate::no_trace!(&'static SlotDef, &'static GetSetDef, &'static crate::native::FnDef);

/// Whether native code of `owner` can work on the value.
#[inline]
pub(crate) fn accepts(owner: &Py<Type>, value: &Value) -> bool {
    let ty = value.ty();
    if owner.is(Object::ty()) {
        return true;
    }
    // Classes without a payload of their own work on any.
    ty.is(owner) || (ty.is_subclass(owner) && (ty.has_payload(owner.info) || owner.info.size == Object::info().size))
}

/// "descriptor 'x' for 'C' objects doesn't apply to a 'D' object"
#[cold]
pub(crate) fn does_not_apply(vm: &Vm, name: &str, owner: &Py<Type>, value: &Value) -> Exc {
    let (owner, found) = (owner.name(), value.ty().name());
    vm.type_error(format!(
        "descriptor '{name}' for '{owner}' objects doesn't apply to a '{found}' object"
    ))
}

/// `(getattr, (obj, name))`: how attributes of classes and instances are pickled.
pub(crate) fn reduce_as_attribute(vm: &Vm, obj: Value, name: Value) -> Res<Value> {
    let getattr = vm.frame_builtin(intern!("getattr"))?;
    Ok(Tuple::new(vec![getattr, Tuple::new(vec![obj, name]).into_value()]).into_value())
}

/// `C.name`, by the class's qualified name.
pub(crate) fn qualified(owner: &Py<Type>, name: &str) -> Value {
    match owner.qualname.get() {
        Some(class) => text::joined(&[&class, &".", &name]),
        None => Str::from_str(name).into_value(),
    }
}

/// The address in `repr`.
pub(crate) fn address(value: &Value) -> u64 {
    value.bits()
}

/// A hash of two addresses.
pub(crate) fn address_hash(a: u64, b: u64) -> i64 {
    let mix = a.rotate_right(4) ^ b.rotate_right(4).rotate_left(1);
    if mix as i64 == -1 { -2 } else { mix as i64 }
}

/// A native operation as an attribute of its class.
#[pyclass(name = "wrapper_descriptor", no_new, method_descriptor)]
pub struct SlotWrapper {
    pub(crate) owner: Py<Type>,
    pub(crate) def: &'static SlotDef,
}

impl SlotWrapper {
    /// `owner.__name__` for the operation.
    pub fn new_value(owner: &Py<Type>, def: &'static SlotDef) -> Value {
        Py::new(SlotWrapper {
            owner: owner.clone(),
            def,
        })
        .into_value()
    }
}

/// Keywords are only for the operations that take any arguments.
fn check_keywords(vm: &Vm, def: &SlotDef, args: Args<'_>) -> Res<()> {
    if args.has_keywords() && !matches!(def.name, "__init__" | "__call__") {
        return Err(vm.type_error(format!("wrapper {}() takes no keyword arguments", def.name)));
    }
    Ok(())
}

#[pymethods]
impl SlotWrapper {
    #[slot]
    fn __call__(vm: &Vm, this: &Py<SlotWrapper>, args: Args<'_>) -> Res<Value> {
        let (name, owner) = (this.def.name, &this.owner);
        let Some((receiver, rest)) = args.split_receiver() else {
            return Err(vm.type_error(format!(
                "descriptor '{name}' of '{}' object needs an argument",
                owner.name()
            )));
        };
        if !accepts(owner, receiver) {
            let (owner, found) = (owner.name(), receiver.ty().name());
            return Err(vm.type_error(format!(
                "descriptor '{name}' requires a '{owner}' object but received a '{found}'"
            )));
        }
        check_keywords(vm, this.def, rest)?;
        (this.def.call)(vm, owner.slots(), receiver, rest)
    }

    #[slot]
    fn __get__(vm: &Vm, this: &Py<SlotWrapper>, obj: Option<&Value>, _owner: Option<&Value>) -> Res<Value> {
        let Some(obj) = obj else { return Ok(this.to_value()) };
        if !accepts(&this.owner, obj) {
            return Err(does_not_apply(vm, this.def.name, &this.owner, obj));
        }
        Ok(Py::new(MethodWrapper {
            wrapper: this.clone(),
            receiver: obj.clone(),
        })
        .into_value())
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<SlotWrapper>) -> String {
        format!("<slot wrapper '{}' of '{}' objects>", this.def.name, this.owner.name())
    }

    #[getter(member)]
    fn __objclass__(_: &Vm, this: &Py<SlotWrapper>) -> Value {
        this.owner.to_value()
    }
    #[getter(member)]
    fn __name__(_: &Vm, this: &Py<SlotWrapper>) -> Py<Str> {
        Str::intern(this.def.name)
    }
    #[getter]
    fn __qualname__(_: &Vm, this: &Py<SlotWrapper>) -> Value {
        qualified(&this.owner, this.def.name)
    }
    #[getter]
    fn __doc__(_: &Vm, this: &Py<SlotWrapper>) -> &'static str {
        this.def.doc
    }
    #[getter]
    fn __text_signature__(_: &Vm, this: &Py<SlotWrapper>) -> &'static str {
        this.def.sig
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<SlotWrapper>) -> Res<Value> {
        reduce_as_attribute(vm, this.owner.to_value(), Str::intern(this.def.name).into_value())
    }
}

/// A slot wrapper bound to an object: `(1).__add__`.
#[pyclass(name = "method-wrapper", no_new)]
pub struct MethodWrapper {
    wrapper: Py<SlotWrapper>,
    receiver: Value,
}

#[pymethods]
impl MethodWrapper {
    #[slot]
    fn __call__(vm: &Vm, this: &Py<MethodWrapper>, args: Args<'_>) -> Res<Value> {
        let def = this.wrapper.def;
        check_keywords(vm, def, args)?;
        (def.call)(vm, this.wrapper.owner.slots(), &this.receiver, args)
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<MethodWrapper>) -> String {
        let (name, class) = (this.wrapper.def.name, this.receiver.ty().name());
        format!(
            "<method-wrapper '{name}' of {class} object at {:#x}>",
            address(&this.receiver)
        )
    }

    #[slot]
    fn __hash__(_: &Vm, this: &Py<MethodWrapper>) -> Res<i64> {
        Ok(address_hash(this.receiver.bits(), this.wrapper.as_value().bits()))
    }

    #[slot]
    fn __richcompare__(_: &Vm, this: &Py<MethodWrapper>, other: &Value, op: CmpOp) -> Value {
        let Some(other) = other.downcast_exact::<MethodWrapper>() else {
            return Value::NOT_IMPLEMENTED;
        };
        let equal = this.wrapper.is(&other.wrapper) && this.receiver.is(&other.receiver);
        match op {
            CmpOp::Eq => Value::from_bool(equal),
            CmpOp::Ne => Value::from_bool(!equal),
            _ => Value::NOT_IMPLEMENTED,
        }
    }

    #[getter(member)]
    fn __self__(_: &Vm, this: &Py<MethodWrapper>) -> Value {
        this.receiver.clone()
    }
    #[getter]
    fn __objclass__(_: &Vm, this: &Py<MethodWrapper>) -> Value {
        this.wrapper.owner.to_value()
    }
    #[getter]
    fn __name__(_: &Vm, this: &Py<MethodWrapper>) -> Py<Str> {
        Str::intern(this.wrapper.def.name)
    }
    #[getter]
    fn __qualname__(_: &Vm, this: &Py<MethodWrapper>) -> Value {
        qualified(&this.wrapper.owner, this.wrapper.def.name)
    }
    #[getter]
    fn __doc__(_: &Vm, this: &Py<MethodWrapper>) -> &'static str {
        this.wrapper.def.doc
    }
    #[getter]
    fn __text_signature__(_: &Vm, this: &Py<MethodWrapper>) -> &'static str {
        this.wrapper.def.sig
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<MethodWrapper>) -> Res<Value> {
        reduce_as_attribute(
            vm,
            this.receiver.clone(),
            Str::intern(this.wrapper.def.name).into_value(),
        )
    }
}

/// An attribute that native code computes.
#[pyclass(name = "getset_descriptor", no_new)]
pub struct GetSet {
    pub(crate) owner: Py<Type>,
    pub(crate) def: &'static GetSetDef,
}

/// The descriptor of `owner`'s attribute.
pub fn getset(owner: &Py<Type>, def: &'static GetSetDef) -> Value {
    if def.member {
        return Py::new(Member {
            owner: owner.clone(),
            name: Str::intern(def.name),
            place: Place::Native(def),
        })
        .into_value();
    }
    Py::new(GetSet {
        owner: owner.clone(),
        def,
    })
    .into_value()
}

#[pymethods]
impl GetSet {
    #[slot]
    fn __get__(vm: &Vm, this: &Py<GetSet>, obj: Option<&Value>, _owner: Option<&Value>) -> Res<Value> {
        let Some(obj) = obj else { return Ok(this.to_value()) };
        if !accepts(&this.owner, obj) {
            return Err(does_not_apply(vm, this.def.name, &this.owner, obj));
        }
        (this.def.get)(vm, obj)
    }

    #[slot]
    fn __set__(vm: &Vm, this: &Py<GetSet>, obj: &Value, value: Option<&Value>) -> Res<()> {
        if !accepts(&this.owner, obj) {
            return Err(does_not_apply(vm, this.def.name, &this.owner, obj));
        }
        match this.def.set {
            Some(set) => set(vm, obj, value),
            None => {
                let (name, owner) = (this.def.name, this.owner.name());
                Err(vm.attribute_error(format!("attribute '{name}' of '{owner}' objects is not writable")))
            }
        }
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<GetSet>) -> String {
        format!("<attribute '{}' of '{}' objects>", this.def.name, this.owner.name())
    }

    #[getter(member)]
    fn __objclass__(_: &Vm, this: &Py<GetSet>) -> Value {
        this.owner.to_value()
    }
    #[getter(member)]
    fn __name__(_: &Vm, this: &Py<GetSet>) -> Py<Str> {
        Str::intern(this.def.name)
    }
    #[getter]
    fn __qualname__(_: &Vm, this: &Py<GetSet>) -> Value {
        qualified(&this.owner, this.def.name)
    }
    #[getter]
    fn __doc__(_: &Vm, this: &Py<GetSet>) -> Option<&'static str> {
        this.def.doc
    }
}

/// Where a member is.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// Which of the `__slots__` members of the owner and its bases.
    Slot(usize),
    /// In a native structure.
    Native(&'static GetSetDef),
}

crate::no_trace!(Place);

/// A member that `__slots__` declares, or one of a native structure.
#[pyclass(name = "member_descriptor", no_new)]
pub struct Member {
    pub(crate) owner: Py<Type>,
    pub(crate) name: Py<Str>,
    pub(crate) place: Place,
}

/// The descriptor of member number `index`, counted from the first member of all bases.
pub fn member(owner: &Py<Type>, name: &Py<Str>, index: usize) -> Value {
    Py::new(Member {
        owner: owner.clone(),
        name: name.clone(),
        place: Place::Slot(index),
    })
    .into_value()
}

/// Which of the members of its instances the descriptor `descriptor`, found in `class`, stands for.
pub fn member_index(class: &Py<Type>, descriptor: &Value) -> Option<usize> {
    let member = descriptor.downcast_exact::<Member>()?;
    match member.place {
        Place::Slot(index) if member.owner.is(class) && index < class.members() => Some(index),
        _ => None,
    }
}

/// A new instance of a class whose payload adds nothing, with these members, by [`member_index`]; `None` where that is not so.
pub fn new_with_members<const N: usize>(class: &Py<Type>, members: [(usize, Value); N]) -> Option<Value> {
    if !std::ptr::eq(class.info, Object::info()) || members.iter().any(|(index, _)| *index >= class.members()) {
        return None;
    }
    let object = Py::with_class(class, Object {});
    for (index, value) in members {
        let at = class.members_offset() + index * 8;
        let header: *const Header = object.header();
        // SAFETY: the members lie within the object (see `object::alloc_with_class`), and nobody else has it yet.
        let slot = unsafe { &*header.byte_add(at).cast::<Slot>() };
        let nothing = slot.replace_alone(value);
        debug_assert!(nothing == 0, "the members of a new object are unbound");
    }
    Some(object.into_value())
}

impl Member {
    /// Where the member lies in `obj`; `None` if the object has no such member.
    #[inline]
    pub(crate) fn slot<'a>(&self, obj: &'a Value) -> Option<&'a Slot> {
        let Place::Slot(index) = self.place else { return None };
        let ty = obj.ty();
        let fits = ty.is(&self.owner) || ty.is_subclass(&self.owner);
        if !fits || ty.members() <= index || !std::ptr::eq(ty.info, self.owner.info) {
            return None;
        }
        let header = obj.heap_header()?;
        // SAFETY: the object's class has the owner's payload and more members than `index`, so the slot lies in the object (see
        // `object::alloc_with_class`); it lives as long as the borrow of `obj`.
        Some(unsafe { header.byte_add(ty.members_offset() + index * 8).cast::<Slot>().as_ref() })
    }

    /// How many words into `obj` its member lies.
    pub(crate) fn number(obj: &Value, slot: &Slot) -> usize {
        (std::ptr::from_ref(slot) as usize - obj.bits() as usize) / 8
    }

    /// The member that lies `number` words into `obj`.
    ///
    /// # Safety
    /// [`Member::number`] was that for an object of the same class, which has not changed since.
    #[inline(always)]
    pub(crate) unsafe fn slot_at(obj: &Value, number: usize) -> &Slot {
        // SAFETY: by contract; the slot lives as long as the object.
        unsafe { &*(obj.bits() as *const Slot).add(number) }
    }
}

#[pymethods]
impl Member {
    #[slot]
    fn __get__(vm: &Vm, this: &Py<Member>, obj: Option<&Value>, _owner: Option<&Value>) -> Res<Value> {
        let Some(obj) = obj else { return Ok(this.to_value()) };
        if let Place::Native(def) = this.place
            && accepts(&this.owner, obj)
        {
            return (def.get)(vm, obj);
        }
        match this.slot(obj) {
            Some(slot) => slot.get().ok_or_else(|| {
                let class = crate::types::common::full_name(obj.ty());
                let message = format!("'{class}' object has no attribute '{}'", this.name.to_string_lossy());
                vm.attribute_error_with(message, obj, &this.name)
            }),
            None => Err(does_not_apply(vm, &this.name.to_string_lossy(), &this.owner, obj)),
        }
    }

    #[slot]
    fn __set__(vm: &Vm, this: &Py<Member>, obj: &Value, value: Option<&Value>) -> Res<()> {
        if let Place::Native(def) = this.place
            && accepts(&this.owner, obj)
        {
            return match def.set {
                Some(set) => set(vm, obj, value),
                None => Err(vm.attribute_error("readonly attribute")),
            };
        }
        let Some(slot) = this.slot(obj) else {
            return Err(does_not_apply(vm, &this.name.to_string_lossy(), &this.owner, obj));
        };
        let old = slot.swap(value.cloned());
        if value.is_none() && old.is_none() {
            return Err(vm.attribute_error_with(this.name.to_string_lossy(), obj, &this.name));
        }
        drop(old);
        Ok(())
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<Member>) -> Value {
        text::joined(&[&"<member '", &this.name, &"' of '", &this.owner.name(), &"' objects>"])
    }

    #[getter(member)]
    fn __objclass__(_: &Vm, this: &Py<Member>) -> Value {
        this.owner.to_value()
    }
    #[getter(member)]
    fn __name__(_: &Vm, this: &Py<Member>) -> Py<Str> {
        this.name.clone()
    }
    #[getter]
    fn __qualname__(_: &Vm, this: &Py<Member>) -> Value {
        match this.owner.qualname.get() {
            Some(class) => text::joined(&[&class, &".", &this.name]),
            None => this.name.to_value(),
        }
    }
    #[getter]
    fn __doc__(_: &Vm, this: &Py<Member>) -> Option<&'static str> {
        match this.place {
            Place::Slot(_) => None,
            Place::Native(def) => def.doc,
        }
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<Member>) -> Res<Value> {
        reduce_as_attribute(vm, this.owner.to_value(), this.name.to_value())
    }
}
