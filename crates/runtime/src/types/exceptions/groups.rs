//! `BaseExceptionGroup` and `ExceptionGroup`, and what `except*` does with them.
//!
//! Invariant: message and members never change. A group made by splitting has the original's traceback, context, cause and notes.

use super::{BaseException, EXCEPTION, EXCEPTION_GROUP, ExcType, no_keywords, text};
use crate::intern;
use crate::native::{Args, pyclass, pymethods};
use crate::object::types::make_static_variant;
use crate::object::{Native, Py, Type, TypeFlags, Value};
use crate::types::dict::Dict;
use crate::types::list::List;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Exc, Res, Vm};

/// Several exceptions at once.
#[pyclass(
    name = "BaseExceptionGroup",
    base = BaseException,
    basetype,
    dict,
    flags = TypeFlags::EXCEPTION_SUBCLASS,
    doc = "A combination of multiple unrelated exceptions."
)]
pub struct BaseExceptionGroup {
    pub base: BaseException,
    pub message: Py<Str>,
    pub exceptions: Py<Tuple>,
}

/// `ExceptionGroup` derives from `Exception` as well.
pub(super) fn make_exception_group(this: &'static ExcType) -> &'static Py<Type> {
    let group = BaseExceptionGroup::ty();
    let ty = make_static_variant::<BaseExceptionGroup>(&this.cell, this.name, "builtins", this.doc(), group);
    let exception = EXCEPTION.get();
    ty.unlink_from_bases();
    ty.bases.set(Tuple::new(vec![group.to_value(), exception.to_value()]));
    let mut order = vec![ty.to_value(), group.to_value()];
    if let Some(rest) = exception.mro.get() {
        order.extend_from_slice(rest.as_slice());
    }
    ty.mro.set(Tuple::new(order));
    ty.link_to_bases();
    ty.set_flag(TypeFlags::WEAKREF);
    ty
}

fn is_exception(value: &Value) -> bool {
    value.ty().is_subclass(EXCEPTION.get())
}

fn as_group(value: &Value) -> Option<&Py<BaseExceptionGroup>> {
    value.downcast::<BaseExceptionGroup>()
}

/// Which exceptions of a group are meant.
enum Matcher<'a> {
    Types(Vec<&'a Py<Type>>),
    Predicate(&'a Value),
    /// These objects, by address.
    Leaves(Vec<u64>),
}

impl<'a> Matcher<'a> {
    fn from_value(vm: &Vm, value: &'a Value) -> Res<Matcher<'a>> {
        let class = |v: &'a Value| v.downcast::<Type>().filter(|ty| ty.is_subclass(BaseException::ty()));
        if let Some(ty) = class(value) {
            return Ok(Matcher::Types(vec![ty]));
        }
        if let Some(tuple) = value.downcast_exact::<Tuple>() {
            let types: Vec<_> = tuple.as_slice().iter().filter_map(class).collect();
            if types.len() == tuple.as_slice().len() {
                return Ok(Matcher::Types(types));
            }
        } else if value.downcast::<Type>().is_none() && vm.is_callable(value) {
            return Ok(Matcher::Predicate(value));
        }
        let wanted = "expected an exception type, a tuple of exception types, or a callable (other than a class)";
        Err(vm.type_error(wanted))
    }

    fn matches(&self, vm: &Vm, exc: &Value) -> Res<bool> {
        match self {
            Matcher::Types(types) => Ok(types.iter().any(|ty| exc.ty().is_subclass(ty))),
            Matcher::Predicate(f) => {
                let result = vm.call(f, std::slice::from_ref(exc))?;
                vm.truth(&result)
            }
            Matcher::Leaves(leaves) => Ok(as_group(exc).is_none() && leaves.contains(&exc.bits())),
        }
    }
}

/// What matches, and what is left.
struct Split {
    matching: Option<Value>,
    rest: Option<Value>,
}

fn split(vm: &Vm, exc: &Value, matcher: &Matcher<'_>, want_rest: bool) -> Res<Split> {
    if matcher.matches(vm, exc)? {
        return Ok(Split {
            matching: Some(exc.clone()),
            rest: None,
        });
    }
    let Some(group) = as_group(exc) else {
        return Ok(Split {
            matching: None,
            rest: want_rest.then(|| exc.clone()),
        });
    };
    let _guard = vm.enter_recursive(" in exceptiongroup_split_recursive")?;
    let (mut matching, mut rest) = (Vec::new(), Vec::new());
    for member in group.exceptions.as_slice() {
        let part = split(vm, member, matcher, want_rest)?;
        matching.extend(part.matching);
        rest.extend(part.rest);
    }
    Ok(Split {
        matching: subset(vm, exc, group, matching)?,
        rest: subset(vm, exc, group, rest)?,
    })
}

/// A group like `orig` of other members; `None` without members.
fn subset(vm: &Vm, orig: &Value, group: &Py<BaseExceptionGroup>, members: Vec<Value>) -> Res<Option<Value>> {
    if members.is_empty() {
        return Ok(None);
    }
    let derived = vm.call_method(orig, intern!("derive"), &[List::new(members).into_value()])?;
    let Some(new) = as_group(&derived) else {
        return Err(vm.type_error("derive must return an instance of BaseExceptionGroup"));
    };
    drop(new.base.traceback.swap(group.base.traceback.get()));
    drop(new.base.context.swap(group.base.context.get()));
    drop(new.base.cause.swap(group.base.cause.get()));
    new.base
        .suppress_context
        .store(true, std::sync::atomic::Ordering::Relaxed);
    if let Some(notes) = vm.getattr_opt(orig, intern!("__notes__"))?
        && is_sequence(&notes)
    {
        let copy = List::new(vm.collect(&notes)?).into_value();
        vm.setattr(&derived, intern!("__notes__"), &copy)?;
    }
    Ok(Some(derived))
}

fn is_sequence(value: &Value) -> bool {
    value.ty().slots().getitem.is_some() && value.downcast::<Dict>().is_none()
}

#[pymethods]
impl BaseExceptionGroup {
    #[slot]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        let [message, exceptions] = args.positional() else {
            let given = args.positional().len();
            return Err(vm.type_error(format!(
                "BaseExceptionGroup.__new__() takes exactly 2 arguments ({given} given)"
            )));
        };
        let Some(message) = message.downcast::<Str>() else {
            let found = if message.is_none() {
                "None".to_owned()
            } else {
                message.ty().name()
            };
            return Err(vm.type_error(format!(
                "BaseExceptionGroup.__new__() argument 1 must be str, not {found}"
            )));
        };
        if !is_sequence(exceptions) {
            return Err(vm.type_error("second argument (exceptions) must be a sequence"));
        }
        let members = vm.collect(exceptions)?;
        if members.is_empty() {
            return Err(vm.value_error("second argument (exceptions) must be a non-empty sequence"));
        }
        if let Some(at) = members.iter().position(|m| m.downcast::<BaseException>().is_none()) {
            return Err(vm.value_error(format!("Item {at} of second argument (exceptions) is not an exception")));
        }
        let base_inside = !members.iter().all(is_exception);
        let mut cls = cls;
        if cls.is(BaseExceptionGroup::ty()) {
            if !base_inside {
                cls = EXCEPTION_GROUP.get();
            }
        } else if base_inside && cls.is(EXCEPTION_GROUP.get()) {
            return Err(vm.type_error("Cannot nest BaseExceptions in an ExceptionGroup"));
        } else if base_inside && cls.is_subclass(EXCEPTION.get()) {
            return Err(vm.type_error(format!("Cannot nest BaseExceptions in '{}'", cls.name())));
        }
        let payload = BaseExceptionGroup {
            base: BaseException::payload_of(args),
            message: message.clone(),
            exceptions: Tuple::new(members),
        };
        Ok(Py::with_class(cls, payload).into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Py<BaseExceptionGroup>, args: Args<'_>) -> Res<()> {
        no_keywords(vm, this.as_value(), args)?;
        this.base.store_args(args.values);
        Ok(())
    }

    #[slot]
    fn __str__(_: &Vm, this: &Py<BaseExceptionGroup>) -> Value {
        let n = this.exceptions.as_slice().len();
        let plural = if n == 1 { "" } else { "s" };
        text::joined(&[&this.message, &format!(" ({n} sub-exception{plural})")])
    }

    /// exception message
    #[getter]
    fn message(_: &Vm, this: &Py<BaseExceptionGroup>) -> Py<Str> {
        this.message.clone()
    }
    #[setter]
    fn set_message(vm: &Vm, _: &Py<BaseExceptionGroup>, _value: Option<&Value>) -> Res<()> {
        Err(vm.attribute_error("readonly attribute"))
    }

    /// nested exceptions
    #[getter]
    fn exceptions(_: &Vm, this: &Py<BaseExceptionGroup>) -> Py<Tuple> {
        this.exceptions.clone()
    }
    #[setter]
    fn set_exceptions(vm: &Vm, _: &Py<BaseExceptionGroup>, _value: Option<&Value>) -> Res<()> {
        Err(vm.attribute_error("readonly attribute"))
    }

    #[pymethod(sig = "($self, object, /)")]
    fn derive(vm: &Vm, this: &Py<BaseExceptionGroup>, object: &Value) -> Res<Value> {
        vm.call(
            BaseExceptionGroup::ty().as_value(),
            &[this.message.to_value(), object.clone()],
        )
    }

    #[pymethod(sig = "($self, object, /)")]
    fn split(vm: &Vm, this: &Py<BaseExceptionGroup>, object: &Value) -> Res<Value> {
        let matcher = Matcher::from_value(vm, object)?;
        let parts = split(vm, this.as_value(), &matcher, true)?;
        let none = |part: Option<Value>| part.unwrap_or(Value::NONE);
        Ok(Tuple::new(vec![none(parts.matching), none(parts.rest)]).into_value())
    }

    #[pymethod(sig = "($self, object, /)")]
    fn subgroup(vm: &Vm, this: &Py<BaseExceptionGroup>, object: &Value) -> Res<Option<Value>> {
        let matcher = Matcher::from_value(vm, object)?;
        Ok(split(vm, this.as_value(), &matcher, false)?.matching)
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        Ok(crate::types::generic_alias::GenericAlias::new_value(
            vm,
            cls.as_value(),
            object,
        ))
    }
}

/// `ExceptionGroup(message, exceptions)`.
pub fn new_group(vm: &Vm, message: &str, exceptions: Vec<Value>) -> Res<Value> {
    let message = Str::from_str(message).into_value();
    vm.call(
        EXCEPTION_GROUP.get().as_value(),
        &[message, List::new(exceptions).into_value()],
    )
}

/// `except* types`: what of `exc` matches, as a group, and what is left; `None` for nothing.
pub fn match_star(vm: &Vm, exc: &Value, types: &Value) -> Res<(Option<Value>, Option<Value>)> {
    if exc.is_none() {
        return Ok((None, None));
    }
    check_star_types(vm, types)?;
    let matches = match types.downcast::<Tuple>() {
        Some(tuple) => tuple.as_slice().iter().any(|ty| is_instance_of(exc, ty)),
        None => is_instance_of(exc, types),
    };
    if matches {
        if as_group(exc).is_some() {
            return Ok((Some(exc.clone()), None));
        }
        let group = new_group(vm, "", vec![exc.clone()])?;
        if let (Some(group), Some(exc)) = (as_group(&group), exc.downcast::<BaseException>()) {
            drop(group.base.traceback.swap(exc.traceback.get()));
        }
        return Ok((Some(group), None));
    }
    if as_group(exc).is_none() {
        return Ok((None, Some(exc.clone())));
    }
    let pair = vm.call_method(exc, intern!("split"), std::slice::from_ref(types))?;
    let class = exc.ty().name();
    let Some(pair) = pair.downcast::<Tuple>() else {
        return Err(vm.type_error(format!("{class}.split must return a tuple, not {}", pair.ty().name())));
    };
    let [matching, rest, ..] = pair.as_slice() else {
        let size = pair.as_slice().len();
        return Err(vm.type_error(format!("{class}.split must return a 2-tuple, got tuple of size {size}")));
    };
    let some = |v: &Value| Some(v.clone()).filter(|v| !v.is_none());
    Ok((some(matching), some(rest)))
}

/// What `except*` may name: exception classes that are no groups.
fn check_star_types(vm: &Vm, types: &Value) -> Res<()> {
    let one = std::slice::from_ref(types);
    let all = types.downcast::<Tuple>().map_or(one, |tuple| tuple.as_slice());
    for class in all {
        let class = class.downcast::<Type>();
        let Some(class) = class.filter(|class| class.is_subclass(BaseException::ty())) else {
            return Err(vm.type_error("catching classes that do not inherit from BaseException is not allowed"));
        };
        if class.is_subclass(BaseExceptionGroup::ty()) {
            return Err(vm.type_error("catching ExceptionGroup with except* is not allowed. Use except instead."));
        }
    }
    Ok(())
}

fn is_instance_of(exc: &Value, class: &Value) -> bool {
    class.downcast::<Type>().is_some_and(|ty| exc.ty().is_subclass(ty))
}

/// What the `except*` clauses for `orig` leave to be raised: `raised` are the exceptions that they raised or did not match. `None` for nothing.
pub fn after_star(vm: &Vm, orig: &Value, raised: &[Value]) -> Res<Option<Exc>> {
    let mut left = raised.iter().filter(|e| !e.is_none()).peekable();
    if left.peek().is_none() {
        return Ok(None);
    }
    if as_group(orig).is_none() {
        return left
            .next()
            .map(|exc| vm.exception_from_class_or_instance(exc))
            .transpose();
    }
    let (mut new, mut again) = (Vec::new(), Vec::new());
    for exc in left {
        if same_metadata(vm, exc, orig)? {
            again.push(exc.clone());
        } else {
            new.push(exc.clone());
        }
    }
    let mut leaves = Vec::new();
    for exc in &again {
        collect_leaves(vm, exc, &mut leaves)?;
    }
    if !leaves.is_empty() {
        new.extend(split(vm, orig, &Matcher::Leaves(leaves), false)?.matching);
    }
    match new.len() {
        0 => Ok(None),
        1 => Ok(Some(vm.exception_from_class_or_instance(&new[0])?)),
        _ => Ok(Some(vm.exception_from_class_or_instance(&new_group(vm, "", new)?)?)),
    }
}

fn collect_leaves(vm: &Vm, exc: &Value, out: &mut Vec<u64>) -> Res<()> {
    let Some(group) = as_group(exc) else {
        out.push(exc.bits());
        return Ok(());
    };
    let _guard = vm.enter_recursive(" in collect_exception_group_leaf_ids")?;
    for member in group.exceptions.as_slice() {
        collect_leaves(vm, member, out)?;
    }
    Ok(())
}

/// Whether `exc` is a part of the group `orig` rather than a new one.
fn same_metadata(vm: &Vm, exc: &Value, orig: &Value) -> Res<bool> {
    let (Some(a), Some(b)) = (as_group(exc), as_group(orig)) else {
        return Ok(false);
    };
    let notes = intern!("__notes__");
    let bits = |notes: Option<Value>| notes.map(|n| n.bits());
    if bits(vm.getattr_opt(exc, notes)?) != bits(vm.getattr_opt(orig, notes)?) {
        return Ok(false);
    }
    let same = |x: &crate::object::Slot, y: &crate::object::Slot| x.peek_bits() == y.peek_bits();
    Ok(same(&a.base.traceback, &b.base.traceback)
        && same(&a.base.context, &b.base.context)
        && same(&a.base.cause, &b.base.cause))
}
