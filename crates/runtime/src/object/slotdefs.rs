//! Special methods: how each name relates to a slot, in both directions.
//!
//! A native slot appears in its class as a slot wrapper (`int.__add__`); a special method in a Python class appears in
//! its slots as a trampoline that looks the name up. One row of [`TABLE`] declares both.

use lisle_bytecode::opcode::CmpOp;

use super::py::{Native, Py};
use super::slots::*;
use super::types::{Type, TypeFlags};
use super::value::Value;
use crate::intern;
use crate::native::Args;
use crate::types::descriptors::SlotWrapper;
use crate::types::dict::Dict;
use crate::types::exceptions::AttributeError;
use crate::types::object::Object;
use crate::types::str::Str;
use crate::vm::attributes::generic_getattr_opt;
use crate::vm::{Exc, Res, Vm};

/// One special method.
pub struct SlotDef {
    pub name: &'static str,
    /// `__text_signature__`.
    pub sig: &'static str,
    pub doc: &'static str,
    /// Whether the slots have the operation.
    pub present: fn(&Slots) -> bool,
    /// Whether two tables have the same operation in the slot.
    pub same: fn(&Slots, &Slots) -> bool,
    /// Copies the slot from the second table.
    pub copy: fn(&mut Slots, &Slots),
    /// Puts the trampoline in.
    pub trampoline: fn(&mut Slots),
    /// Empties the slot.
    pub remove: fn(&mut Slots),
    /// Calls the native slot for `name(self, args)`.
    pub call: fn(&Vm, &Slots, &Value, Args<'_>) -> Res<Value>,
}

fn arity(vm: &Vm, args: Args<'_>, n: usize) -> Res<()> {
    if args.has_keywords() {
        return Err(vm.type_error("wrapper takes no keyword arguments"));
    }
    if args.values.len() != n {
        let plural = if n == 1 { "" } else { "s" };
        return Err(vm.type_error(format!("expected {n} argument{plural}, got {}", args.values.len())));
    }
    Ok(())
}

fn arity_between(vm: &Vm, args: Args<'_>, low: usize, high: usize) -> Res<()> {
    if args.has_keywords() {
        return Err(vm.type_error("wrapper takes no keyword arguments"));
    }
    let n = args.values.len();
    if n < low {
        return Err(vm.type_error(format!(
            "expected at least {low} argument{}, got {n}",
            if low == 1 { "" } else { "s" }
        )));
    }
    if n > high {
        return Err(vm.type_error(format!(
            "expected at most {high} argument{}, got {n}",
            if high == 1 { "" } else { "s" }
        )));
    }
    Ok(())
}

/// The slot was there when the wrapper was made, and native slots do not go away.
macro_rules! native {
    ($slots:expr, $slot:ident, $vm:expr) => {
        match $slots.$slot {
            Some(f) => f,
            None => return Err($vm.type_error(concat!("slot ", stringify!($slot), " is missing"))),
        }
    };
}

macro_rules! row {
    ($name:expr, $sig:expr, $doc:expr, $slot:ident, $tramp:expr, |$vm:ident, $f:ident, $this:ident, $args:ident| $body:expr) => {
        SlotDef {
            name: $name,
            sig: $sig,
            doc: $doc,
            present: |s| s.$slot.is_some(),
            same: |a, b| a.$slot.map(|f| f as usize) == b.$slot.map(|f| f as usize),
            copy: |to, from| to.$slot = from.$slot,
            trampoline: |s| s.$slot = Some($tramp),
            remove: |s| s.$slot = None,
            call: |$vm, slots, $this, $args| {
                let $f = native!(slots, $slot, $vm);
                $body
            },
        }
    };
}

macro_rules! unary {
    ($name:literal, $doc:literal, $slot:ident) => {
        row!(
            $name,
            "($self, /)",
            $doc,
            $slot,
            |vm, this| vm.call_special(this, intern!($name), &[]),
            |vm, f, this, args| {
                arity(vm, args, 0)?;
                f(vm, this)
            }
        )
    };
}

macro_rules! binary {
    ($name:literal, $rname:literal, $sym:literal, $slot:ident) => {{
        // One function for both names: its address tells which side's operation is in Python.
        fn trampoline(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
            let own = |ty: &Py<Type>| {
                ty.slots()
                    .$slot
                    .is_some_and(|f| f as usize == trampoline as *const () as usize)
            };
            binary_trampoline(vm, a, b, own, intern!($name), intern!($rname))
        }
        [
            row!(
                $name,
                "($self, value, /)",
                concat!("Return self", $sym, "value."),
                $slot,
                trampoline,
                |vm, f, this, args| {
                    arity(vm, args, 1)?;
                    f(vm, this, &args.values[0])
                }
            ),
            row!(
                $rname,
                "($self, value, /)",
                concat!("Return value", $sym, "self."),
                $slot,
                trampoline,
                |vm, f, this, args| {
                    arity(vm, args, 1)?;
                    f(vm, &args.values[0], this)
                }
            ),
        ]
    }};
}

macro_rules! inplace {
    ($name:literal, $sym:literal, $slot:ident) => {
        row!(
            $name,
            "($self, value, /)",
            concat!("Return self", $sym, "value."),
            $slot,
            |vm, this, other| vm.call_special(this, intern!($name), &[other]),
            |vm, f, this, args| {
                arity(vm, args, 1)?;
                f(vm, this, &args.values[0])
            }
        )
    };
}

macro_rules! compare {
    ($name:literal, $sym:literal, $op:ident) => {
        row!(
            $name,
            "($self, value, /)",
            concat!("Return self", $sym, "value."),
            richcompare,
            compare_trampoline,
            |vm, f, this, args| {
                arity(vm, args, 1)?;
                f(vm, this, &args.values[0], CmpOp::$op)
            }
        )
    };
}

/// Rows that stand alone.
static SINGLE: &[SlotDef] = &[
    unary!("__repr__", "Return repr(self).", repr),
    unary!("__str__", "Return str(self).", str),
    unary!("__iter__", "Implement iter(self).", iter),
    unary!(
        "__await__",
        "Return an iterator to be used in await expression.",
        await_
    ),
    unary!(
        "__aiter__",
        "Return an awaitable, that resolves in asynchronous iterator.",
        aiter
    ),
    unary!("__anext__", "Return a value or raise StopAsyncIteration.", anext),
    unary!("__neg__", "-self", neg),
    unary!("__pos__", "+self", pos),
    unary!("__invert__", "~self", invert),
    unary!("__abs__", "abs(self)", abs),
    unary!("__int__", "int(self)", int),
    unary!("__float__", "float(self)", float),
    unary!(
        "__index__",
        "Return self converted to an integer, if self is suitable for use as an index into a list.",
        index
    ),
    row!(
        "__next__",
        "($self, /)",
        "Implement next(self).",
        next,
        next_trampoline,
        |vm, f, this, args| {
            arity(vm, args, 0)?;
            match f(vm, this)? {
                Some(value) => Ok(value),
                None => Err(vm.stop_iteration()),
            }
        }
    ),
    row!(
        "__bool__",
        "($self, /)",
        "True if self else False",
        bool,
        bool_trampoline,
        |vm, f, this, args| {
            arity(vm, args, 0)?;
            Ok(Value::from_bool(f(vm, this)?))
        }
    ),
    row!(
        "__len__",
        "($self, /)",
        "Return len(self).",
        len,
        len_trampoline,
        |vm, f, this, args| {
            arity(vm, args, 0)?;
            Ok(Value::usize(f(vm, this)?))
        }
    ),
    row!(
        "__hash__",
        "($self, /)",
        "Return hash(self).",
        hash,
        hash_trampoline,
        |vm, f, this, args| {
            arity(vm, args, 0)?;
            Ok(Value::int(f(vm, this)?))
        }
    ),
    row!(
        "__contains__",
        "($self, key, /)",
        "Return bool(key in self).",
        contains,
        contains_trampoline,
        |vm, f, this, args| {
            arity(vm, args, 1)?;
            Ok(Value::from_bool(f(vm, this, &args.values[0])?))
        }
    ),
    row!(
        "__getitem__",
        "($self, key, /)",
        "Return self[key].",
        getitem,
        |vm, this, key| vm.call_special(this, intern!("__getitem__"), &[key]),
        |vm, f, this, args| {
            arity(vm, args, 1)?;
            f(vm, this, &args.values[0])
        }
    ),
    row!(
        "__setitem__",
        "($self, key, value, /)",
        "Set self[key] to value.",
        setitem,
        setitem_trampoline,
        |vm, f, this, args| {
            arity(vm, args, 2)?;
            f(vm, this, &args.values[0], Some(&args.values[1]))?;
            Ok(Value::NONE)
        }
    ),
    row!(
        "__delitem__",
        "($self, key, /)",
        "Delete self[key].",
        setitem,
        setitem_trampoline,
        |vm, f, this, args| {
            arity(vm, args, 1)?;
            f(vm, this, &args.values[0], None)?;
            Ok(Value::NONE)
        }
    ),
    row!(
        "__getattribute__",
        "($self, name, /)",
        "Return getattr(self, name).",
        getattro,
        getattr_trampoline,
        |vm, f, this, args| {
            arity(vm, args, 1)?;
            f(vm, this, vm.attribute_name(&args.values[0])?)
        }
    ),
    row!(
        "__setattr__",
        "($self, name, value, /)",
        "Implement setattr(self, name, value).",
        setattro,
        setattr_trampoline,
        |vm, f, this, args| {
            arity(vm, args, 2)?;
            not_jumping(vm, this, f, "__setattr__")?;
            f(vm, this, vm.attribute_name(&args.values[0])?, Some(&args.values[1]))?;
            Ok(Value::NONE)
        }
    ),
    row!(
        "__delattr__",
        "($self, name, /)",
        "Implement delattr(self, name).",
        setattro,
        setattr_trampoline,
        |vm, f, this, args| {
            arity(vm, args, 1)?;
            not_jumping(vm, this, f, "__delattr__")?;
            f(vm, this, vm.attribute_name(&args.values[0])?, None)?;
            Ok(Value::NONE)
        }
    ),
    row!(
        "__get__",
        "($self, instance, owner=None, /)",
        "Return an attribute of instance, which is of type owner.",
        descr_get,
        descr_get_trampoline,
        |vm, f, this, args| {
            arity_between(vm, args, 1, 2)?;
            let obj = Some(&args.values[0]).filter(|v| !v.is_none());
            let owner = args.values.get(1).filter(|v| !v.is_none());
            if obj.is_none() && owner.is_none() {
                return Err(vm.type_error("__get__(None, None) is invalid"));
            }
            f(vm, this, obj, owner)
        }
    ),
    row!(
        "__set__",
        "($self, instance, value, /)",
        "Set an attribute of instance to value.",
        descr_set,
        descr_set_trampoline,
        |vm, f, this, args| {
            arity(vm, args, 2)?;
            f(vm, this, &args.values[0], Some(&args.values[1]))?;
            Ok(Value::NONE)
        }
    ),
    row!(
        "__delete__",
        "($self, instance, /)",
        "Delete an attribute of instance.",
        descr_set,
        descr_set_trampoline,
        |vm, f, this, args| {
            arity(vm, args, 1)?;
            f(vm, this, &args.values[0], None)?;
            Ok(Value::NONE)
        }
    ),
    compare!("__lt__", "<", Lt),
    compare!("__le__", "<=", Le),
    compare!("__eq__", "==", Eq),
    compare!("__ne__", "!=", Ne),
    compare!("__gt__", ">", Gt),
    compare!("__ge__", ">=", Ge),
    row!(
        "__del__",
        "($self, /)",
        "Called when the instance is about to be destroyed.",
        finalize,
        del_trampoline,
        |vm, f, this, args| {
            arity(vm, args, 0)?;
            f(vm, this)?;
            Ok(Value::NONE)
        }
    ),
    row!(
        "__pow__",
        "($self, value, mod=None, /)",
        "Return pow(self, value, mod).",
        pow,
        pow_trampoline,
        |vm, f, this, args| {
            arity_between(vm, args, 1, 2)?;
            f(vm, this, &args.values[0], args.values.get(1).filter(|m| !m.is_none()))
        }
    ),
    row!(
        "__rpow__",
        "($self, value, mod=None, /)",
        "Return pow(value, self, mod).",
        pow,
        pow_trampoline,
        |vm, f, this, args| {
            arity_between(vm, args, 1, 2)?;
            f(vm, &args.values[0], this, args.values.get(1).filter(|m| !m.is_none()))
        }
    ),
    inplace!("__iadd__", "+=", iadd),
    inplace!("__isub__", "-=", isub),
    inplace!("__imul__", "*=", imul),
    inplace!("__imatmul__", "@=", imatmul),
    inplace!("__itruediv__", "/=", itruediv),
    inplace!("__ifloordiv__", "//=", ifloordiv),
    inplace!("__imod__", "%=", imod),
    inplace!("__ilshift__", "<<=", ilshift),
    inplace!("__irshift__", ">>=", irshift),
    inplace!("__iand__", "&=", iand),
    inplace!("__ior__", "|=", ior),
    inplace!("__ixor__", "^=", ixor),
    inplace!("__ipow__", "**=", ipow),
    row!(
        "__buffer__",
        "($self, flags, /)",
        "Return a buffer object that exposes the underlying memory of the object.",
        buffer,
        crate::types::memoryview::python_buffer,
        |vm, f, this, args| {
            arity(vm, args, 1)?;
            crate::types::memoryview::buffer_method(vm, this, &args.values[0], f)
        }
    ),
    row!(
        "__init__",
        "($self, /, *args, **kwargs)",
        "Initialize self.  See help(type(self)) for accurate signature.",
        init,
        init_trampoline,
        |vm, f, this, args| {
            f(vm, this, args)?;
            Ok(Value::NONE)
        }
    ),
    row!(
        "__call__",
        "($self, /, *args, **kwargs)",
        "Call self as a function.",
        call,
        call_trampoline,
        |vm, f, this, args| f(vm, this, args)
    ),
];

static BINARY: &[[SlotDef; 2]] = &[
    binary!("__add__", "__radd__", "+", add),
    binary!("__sub__", "__rsub__", "-", sub),
    binary!("__mul__", "__rmul__", "*", mul),
    binary!("__matmul__", "__rmatmul__", "@", matmul),
    binary!("__truediv__", "__rtruediv__", "/", truediv),
    binary!("__floordiv__", "__rfloordiv__", "//", floordiv),
    binary!("__divmod__", "__rdivmod__", " divmod ", divmod),
    binary!("__mod__", "__rmod__", "%", mod_),
    binary!("__lshift__", "__rlshift__", "<<", lshift),
    binary!("__rshift__", "__rrshift__", ">>", rshift),
    binary!("__and__", "__rand__", "&", and),
    binary!("__or__", "__ror__", "|", or),
    binary!("__xor__", "__rxor__", "^", xor),
];

/// Sequence operations of native types, which stand behind the same names as the number slots; Python classes fill only those.
static SEQUENCE: &[SlotDef] = &[
    row!(
        "__add__",
        "($self, value, /)",
        "Return self+value.",
        concat,
        |vm, a, b| vm.call_special(a, intern!("__add__"), &[b]),
        |vm, f, this, args| {
            arity(vm, args, 1)?;
            f(vm, this, &args.values[0])
        }
    ),
    row!(
        "__mul__",
        "($self, value, /)",
        "Return self*value.",
        repeat,
        |vm, a, n| vm.call_special(a, intern!("__mul__"), &[&Value::int(n as i64)]),
        |vm, f, this, args| {
            arity(vm, args, 1)?;
            f(vm, this, repeat_count(vm, &args.values[0])?)
        }
    ),
    row!(
        "__rmul__",
        "($self, value, /)",
        "Return value*self.",
        repeat,
        |vm, a, n| vm.call_special(a, intern!("__mul__"), &[&Value::int(n as i64)]),
        |vm, f, this, args| {
            arity(vm, args, 1)?;
            f(vm, this, repeat_count(vm, &args.values[0])?)
        }
    ),
    row!(
        "__iadd__",
        "($self, value, /)",
        "Implement self+=value.",
        inplace_concat,
        |vm, a, b| vm.call_special(a, intern!("__iadd__"), &[b]),
        |vm, f, this, args| {
            arity(vm, args, 1)?;
            f(vm, this, &args.values[0])
        }
    ),
    row!(
        "__imul__",
        "($self, value, /)",
        "Implement self*=value.",
        inplace_repeat,
        |vm, a, n| vm.call_special(a, intern!("__imul__"), &[&Value::int(n as i64)]),
        |vm, f, this, args| {
            arity(vm, args, 1)?;
            f(vm, this, repeat_count(vm, &args.values[0])?)
        }
    ),
];

/// How often `__mul__` of a sequence repeats it.
fn repeat_count(vm: &Vm, value: &Value) -> Res<isize> {
    let index = vm.index(value)?;
    match vm.int_value(&index).and_then(|n| n.to_i64()) {
        Some(n) => Ok(n as isize),
        None => Err(vm.overflow_error("cannot fit 'int' into an index-sized integer")),
    }
}

fn number_rows() -> impl Iterator<Item = &'static SlotDef> {
    SINGLE.iter().chain(BINARY.iter().flatten())
}

fn rows() -> impl Iterator<Item = &'static SlotDef> {
    number_rows().chain(SEQUENCE)
}

/// Puts slot wrappers for the operations that a native type defines itself into its dict.
pub(super) fn add_wrappers(ty: &Py<Type>, slots: &Slots, dict: &Py<Dict>) {
    for def in rows() {
        if (def.present)(slots) {
            let _ = dict.set_default_str(&Str::intern(def.name), SlotWrapper::new_value(ty, def));
        }
    }
    if slots.new.is_some() {
        let _ = dict.set_default_str(intern!("__new__"), crate::types::native_function::tp_new(ty));
    }
}

/// Computes all operations of a Python class from its method resolution order.
pub fn compute_all(vm: &Vm, ty: &Py<Type>) {
    let mut slots = match extended(vm, ty) {
        Some(slots) => {
            debug_assert!(
                {
                    let looked_up = resolved(vm, ty);
                    rows().all(|def| (def.same)(&slots, &looked_up))
                },
                "looking every name up gives the same"
            );
            slots
        }
        None => resolved(vm, ty),
    };
    fill_new(vm, ty, &mut slots);
    ty.set_slots(slots);
}

/// All operations but `new`, by looking each special method up.
fn resolved(vm: &Vm, ty: &Py<Type>) -> Slots {
    let mut slots = Slots::default();
    for def in number_rows() {
        fill(vm, ty, def, &mut slots);
    }
    inherit_sequence(ty, &mut slots);
    slots
}

/// All operations but `new` of a class with one base: the base's, but for those that methods of the class itself have a part in.
/// `None` when that does not do.
fn extended(vm: &Vm, ty: &Py<Type>) -> Option<Slots> {
    let bases = ty.bases.get()?;
    let [base] = bases.as_slice() else { return None };
    let base = base.downcast::<Type>()?;
    let own: Vec<String> = ty
        .dict()
        .snapshot()
        .iter()
        .filter_map(|(name, _)| name.downcast::<Str>().filter(|name| name.is_dunder()))
        .map(|name| name.to_string_lossy())
        .collect();
    let is_own = |name: &str| {
        own.iter()
            .any(|own| own == name || (own == "__getattr__" && name == "__getattribute__"))
    };
    // Of `object`, whose operations all have names of their own, those that are there are looked up again.
    let of_object = base.base.is_empty();
    if !of_object && !base.has_flag(TypeFlags::HEAP) {
        return None;
    }
    let inherited = *base.slots();
    let mut slots = inherited;
    for def in number_rows() {
        if of_object || is_own(def.name) {
            (def.remove)(&mut slots);
        }
    }
    let left = slots;
    for def in number_rows() {
        // Names that share a slot with one that was emptied are looked up as well.
        if is_own(def.name) || !(def.same)(&inherited, &left) {
            fill(vm, ty, def, &mut slots);
        }
    }
    if SEQUENCE.iter().any(|def| is_own(def.name)) {
        SEQUENCE.iter().for_each(|def| (def.remove)(&mut slots));
        inherit_sequence(ty, &mut slots);
    }
    Some(slots)
}

/// The operations of `ty` and its subclasses after the special method `name` changed; the world is stopped.
pub(super) fn update(vm: &Vm, ty: &Py<Type>, name: &Py<Str>) {
    let text = name.to_string_lossy();
    let is_new = text == "__new__";
    let named = |d: &SlotDef| d.name == text || (d.name == "__getattribute__" && text == "__getattr__");
    // What is emptied has to be found again through every name that it has.
    let mut full = Slots::default();
    number_rows().for_each(|def| (def.trampoline)(&mut full));
    let mut left = full;
    number_rows()
        .filter(|d| named(d))
        .for_each(|def| (def.remove)(&mut left));
    let rows: Vec<&'static SlotDef> = number_rows().filter(|def| !(def.same)(&full, &left)).collect();
    if rows.is_empty() && !is_new {
        return;
    }
    ty.for_each_in_tree(&mut |class| {
        if class.has_flag(TypeFlags::HEAP) {
            let mut slots = *class.slots();
            rows.iter().for_each(|def| (def.remove)(&mut slots));
            rows.iter().for_each(|def| fill(vm, class, def, &mut slots));
            if is_new {
                fill_new(vm, class, &mut slots);
            }
            class.set_slots(slots);
        }
    });
}

/// One slot of a Python class: the native function if all its names resolve to wrappers of the same one, else the trampoline.
fn fill(vm: &Vm, ty: &Py<Type>, def: &'static SlotDef, slots: &mut Slots) {
    let name = Str::intern(def.name);
    let found = ty.lookup_uncached(&name);
    let getattr = def.name == "__getattribute__" && ty.lookup_uncached(intern!("__getattr__")).is_some();
    let _ = vm;
    let Some(value) = found else { return };
    if def.name == "__hash__" && value.is_none() {
        slots.hash = Some(hash_not_implemented);
        return;
    }
    if let Some(wrapper) = value.downcast_exact::<SlotWrapper>()
        && getattr
        && wrapper.owner.is(Object::ty())
    {
        slots.getattro = Some(getattr_hook);
        return;
    }
    if let Some(wrapper) = value.downcast_exact::<SlotWrapper>()
        && !getattr
        && wrapper.def.name == def.name
        && ty.is_subclass(&wrapper.owner)
    {
        let native = wrapper.owner.slots();
        if (def.present)(native) {
            if !(def.present)(slots) {
                (def.copy)(slots, native);
                return;
            }
            if (def.same)(slots, native) {
                return;
            }
        } else {
            // The wrapper stands for a sequence slot; see `inherit_sequence`.
            return;
        }
    }
    (def.trampoline)(slots);
}

/// Sequence slots come from the native base, unless a Python class on the way overrides the operator.
fn inherit_sequence(ty: &Py<Type>, slots: &mut Slots) {
    for def in SEQUENCE {
        if let Some(value) = ty.lookup_uncached(&Str::intern(def.name))
            && let Some(wrapper) = value.downcast_exact::<SlotWrapper>()
            && (def.present)(wrapper.owner.slots())
        {
            (def.copy)(slots, wrapper.owner.slots());
        }
    }
}

fn fill_new(vm: &Vm, ty: &Py<Type>, slots: &mut Slots) {
    let _ = vm;
    let Some((value, _)) = ty.lookup_where(intern!("__new__")) else {
        return;
    };
    // Payloads that add nothing to an object are all alike.
    let alike = |owner: &Py<Type>| {
        std::ptr::eq(owner.info, ty.info)
            || (owner.info.size == ty.info.size && ty.info.size == <Object as crate::object::Native>::info().size)
    };
    slots.new = match crate::types::native_function::tp_new_owner(&value) {
        Some(owner) if alike(&owner) && ty.is_subclass(&owner) => owner.slots().new,
        // A function, or another class's `__new__`, which checks what it is called for.
        _ => Some(new_trampoline),
    };
}

// ---- trampolines ----

/// The hash slot of types whose `__hash__` is None.
pub fn hash_not_implemented(vm: &Vm, this: &Value) -> Res<i64> {
    Err(vm.type_error(format!("unhashable type: '{}'", this.ty().name())))
}

/// `own` tells whether the operation of a type is this trampoline: otherwise it is native, and asked by whoever asked here.
fn binary_trampoline(
    vm: &Vm,
    a: &Value,
    b: &Value,
    own: impl Fn(&Py<Type>) -> bool,
    name: &'static Py<Str>,
    rname: &'static Py<Str>,
) -> Res<Value> {
    let (ta, tb) = (a.ty(), b.ty());
    let same_type = ta.as_ptr() == tb.as_ptr();
    let left = own(ta) && ta.lookup(vm, name).is_some();
    let mut right = !same_type && own(tb) && tb.lookup(vm, rname).is_some();
    if left {
        if right && tb.is_subclass(ta) && overrides(vm, ta, tb, rname) {
            let result = vm.call_special(b, rname, &[a])?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
            right = false;
        }
        let result = vm.call_special(a, name, &[b])?;
        if !result.is_not_implemented() || same_type {
            return Ok(result);
        }
    }
    if right {
        return vm.call_special(b, rname, &[a]);
    }
    Ok(Value::NOT_IMPLEMENTED)
}

fn overrides(vm: &Vm, base: &Py<Type>, derived: &Py<Type>, name: &Py<Str>) -> bool {
    match (base.lookup(vm, name), derived.lookup(vm, name)) {
        (Some(a), Some(b)) => !a.is(&b),
        (None, Some(_)) => true,
        _ => false,
    }
}

fn pow_trampoline(vm: &Vm, a: &Value, b: &Value, modulus: Option<&Value>) -> Res<Value> {
    match modulus {
        None => {
            let own = |ty: &Py<Type>| {
                ty.slots()
                    .pow
                    .is_some_and(|f| f as usize == pow_trampoline as *const () as usize)
            };
            binary_trampoline(vm, a, b, own, intern!("__pow__"), intern!("__rpow__"))
        }
        Some(m) => {
            if a.ty().lookup(vm, intern!("__pow__")).is_some() {
                return vm.call_special(a, intern!("__pow__"), &[b, m]);
            }
            Ok(Value::NOT_IMPLEMENTED)
        }
    }
}

fn compare_trampoline(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res<Value> {
    let name = match op {
        CmpOp::Lt => intern!("__lt__"),
        CmpOp::Le => intern!("__le__"),
        CmpOp::Eq => intern!("__eq__"),
        CmpOp::Ne => intern!("__ne__"),
        CmpOp::Gt => intern!("__gt__"),
        CmpOp::Ge => intern!("__ge__"),
    };
    // A descriptor that fails counts as a missing method.
    match vm.lookup_special(a, name) {
        Ok(Some((function, true))) => vm.call(&function, &[a.clone(), b.clone()]),
        Ok(Some((function, false))) => vm.call(&function, std::slice::from_ref(b)),
        Ok(None) | Err(_) => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn next_trampoline(vm: &Vm, this: &Value) -> Res<Option<Value>> {
    match vm.call_special(this, intern!("__next__"), &[]) {
        Ok(value) => Ok(Some(value)),
        Err(exc) if exc.is_stop_iteration_exact_none() => Ok(None),
        Err(exc) => Err(exc),
    }
}

fn bool_trampoline(vm: &Vm, this: &Value) -> Res<bool> {
    let result = vm.call_special(this, intern!("__bool__"), &[])?;
    if result.is_bool() {
        return Ok(result.is_true());
    }
    Err(vm.type_error(format!("__bool__ should return bool, returned {}", result.ty().name())))
}

fn len_trampoline(vm: &Vm, this: &Value) -> Res<usize> {
    let result = vm.call_special(this, intern!("__len__"), &[])?;
    vm.length_from(&result)
}

fn hash_trampoline(vm: &Vm, this: &Value) -> Res<i64> {
    let result = vm.call_special(this, intern!("__hash__"), &[])?;
    crate::types::int::hash_result(vm, &result)
}

fn contains_trampoline(vm: &Vm, this: &Value, item: &Value) -> Res<bool> {
    let found = this.ty().lookup(vm, intern!("__contains__"));
    match found {
        Some(f) if f.is_none() => Err(vm.type_error(format!("'{}' object is not a container", this.ty().name()))),
        Some(_) => {
            let result = vm.call_special(this, intern!("__contains__"), &[item])?;
            vm.truth(&result)
        }
        None => vm.contains_by_iteration(this, item),
    }
}

fn setitem_trampoline(vm: &Vm, this: &Value, key: &Value, value: Option<&Value>) -> Res<()> {
    match value {
        Some(value) => vm.call_special(this, intern!("__setitem__"), &[key, value])?,
        None => vm.call_special(this, intern!("__delitem__"), &[key])?,
    };
    Ok(())
}

fn getattr_trampoline(vm: &Vm, this: &Value, name: &Py<Str>) -> Res<Value> {
    let ty = this.ty();
    let first = match ty.lookup(vm, intern!("__getattribute__")) {
        Some(f) => match f.downcast_exact::<SlotWrapper>().and_then(|w| w.owner.slots().getattro) {
            Some(native) if native as usize != getattr_trampoline as *const () as usize => native(vm, this, name),
            _ => vm.call_special(this, intern!("__getattribute__"), &[name.as_value()]),
        },
        None => crate::vm::attributes::generic_getattr(vm, this, name),
    };
    let found = match first {
        Err(exc) if exc.is_attribute_error() && this.ty().lookup(vm, intern!("__getattr__")).is_some() => {
            drop(exc);
            vm.call_special(this, intern!("__getattr__"), &[name.as_value()])
        }
        other => other,
    };
    found.inspect_err(|exc| note_missing(exc, this, name))
}

/// Attributes of a class with a `__getattr__` and `object`'s `__getattribute__`: what is not there makes no error.
pub(super) fn getattr_hook(vm: &Vm, this: &Value, name: &Py<Str>) -> Res<Value> {
    let missing = match generic_getattr_opt(vm, this, name) {
        Ok(Some(value)) => return Ok(value),
        Ok(None) => None,
        Err(exc) if exc.is_attribute_error() => Some(exc),
        Err(exc) => return Err(exc),
    };
    if this.ty().lookup(vm, intern!("__getattr__")).is_none() {
        // Another thread took it away.
        return Err(missing.unwrap_or_else(|| vm.attribute_error_for(this, name)));
    }
    drop(missing);
    vm.call_special(this, intern!("__getattr__"), &[name.as_value()])
        .inspect_err(|exc| note_missing(exc, this, name))
}

/// Tells an `AttributeError` what was looked for, for suggestions.
fn note_missing(exc: &Exc, this: &Value, name: &Py<Str>) {
    if let Some(error) = exc.value().downcast::<AttributeError>()
        && error.name.is_empty()
        && error.obj.is_empty()
    {
        error.name.set(name.to_value());
        error.obj.set(this.clone());
    }
}

/// An error if a class between that of the receiver and the one whose native function is called has a native function of its own:
/// `object.__setattr__` must not work on classes.
fn not_jumping(vm: &Vm, this: &Value, f: SetAttrFn, what: &str) -> Res<()> {
    let python = setattr_trampoline as *const () as usize;
    let own = |class: &Py<Type>| class.slots().setattro.map_or(0, |f| f as usize);
    let ty = this.ty();
    if own(ty) == f as usize {
        return Ok(());
    }
    let mro = ty.mro.get();
    let classes = mro
        .iter()
        .flat_map(|mro| mro.iter())
        .filter_map(|c| c.downcast::<Type>());
    let defining = classes
        .rev()
        .find(|class| own(class) != python && own(class) == own(ty));
    let mut at = Some(defining.unwrap_or(ty).clone());
    while let Some(class) = at {
        if own(&class) == f as usize {
            break;
        }
        if own(&class) != python {
            let name = ty.name();
            return Err(vm.type_error(format!("can't apply this {what} to {name} object")));
        }
        at = class.base.get();
    }
    Ok(())
}

fn setattr_trampoline(vm: &Vm, this: &Value, name: &Py<Str>, value: Option<&Value>) -> Res<()> {
    match value {
        Some(value) => vm.call_special(this, intern!("__setattr__"), &[name.as_value(), value])?,
        None => vm.call_special(this, intern!("__delattr__"), &[name.as_value()])?,
    };
    Ok(())
}

fn descr_get_trampoline(vm: &Vm, this: &Value, obj: Option<&Value>, owner: Option<&Value>) -> Res<Value> {
    let none = Value::NONE;
    if this.ty().lookup(vm, intern!("__get__")).is_none() {
        return Ok(this.clone());
    }
    vm.call_special(
        this,
        intern!("__get__"),
        &[obj.unwrap_or(&none), owner.unwrap_or(&none)],
    )
}

fn descr_set_trampoline(vm: &Vm, this: &Value, obj: &Value, value: Option<&Value>) -> Res<()> {
    let (name, args): (_, &[&Value]) = match value {
        Some(value) => (intern!("__set__"), &[obj, value]),
        None => (intern!("__delete__"), &[obj]),
    };
    match vm.call_special_opt(this, name, args)? {
        Some(_) => Ok(()),
        None => Err(vm.new_attribute_error(name.to_string_lossy())),
    }
}

fn del_trampoline(vm: &Vm, this: &Value) -> Res<()> {
    vm.call_special(this, intern!("__del__"), &[]).map(drop)
}

fn init_trampoline(vm: &Vm, this: &Value, args: Args<'_>) -> Res<()> {
    let result = vm.call_special_args(this, intern!("__init__"), args)?;
    if result.is_none() {
        return Ok(());
    }
    Err(vm.type_error(format!("__init__() should return None, not '{}'", result.ty().name())))
}

fn call_trampoline(vm: &Vm, this: &Value, args: Args<'_>) -> Res<Value> {
    let _guard = vm.enter_recursive(" while calling a Python object")?;
    vm.call_special_args(this, intern!("__call__"), args)
}

fn new_trampoline(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
    let Some(f) = cls.lookup(vm, intern!("__new__")) else {
        return Err(vm.type_error(format!("cannot create '{}' instances", cls.name())));
    };
    let f = match f.ty().slots().descr_get {
        Some(get) => get(vm, &f, None, Some(cls.as_value()))?,
        None => f,
    };
    vm.call_prepended(&f, cls.as_value(), args)
}
