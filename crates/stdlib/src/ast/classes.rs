//! The classes of nodes, made from the schema when they are first needed, and the behaviour they all have.
//!
//! Invariant: the classes are made once and live for ever; nodes are ordinary instances with their fields as attributes.

use std::sync::OnceLock;

use lisle_bytecode::opcode::BinOp;
use lisle_runtime::intern;
use lisle_runtime::native::{Args, Native, Py, Res, Str, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::generic_alias::GenericAlias;
use lisle_runtime::types::int::Int;
use lisle_runtime::types::list::List;
use lisle_runtime::types::object::Object;
use lisle_runtime::types::tuple::Tuple;
use lisle_runtime::vm::attributes::instance_dict;

use super::schema::{Count, KINDS, Kind, Row, SUMS, Sum, sum_doc};

/// A class with its fields' names.
pub struct Class {
    pub class: Py<Type>,
    pub fields: Vec<Py<Str>>,
}

/// All classes.
pub struct Classes {
    kinds: Vec<Class>,
    sums: Vec<Py<Type>>,
    /// The nodes without fields, one each.
    singletons: Vec<Option<Value>>,
}

static CLASSES: OnceLock<Classes> = OnceLock::new();

impl Classes {
    /// The classes, made if need be.
    pub fn get(vm: &Vm) -> Res<&'static Classes> {
        if let Some(classes) = CLASSES.get() {
            return Ok(classes);
        }
        let made = make(vm)?;
        Ok(CLASSES.get_or_init(|| made))
    }

    pub fn kind(&self, kind: Kind) -> &Class {
        &self.kinds[kind as usize]
    }

    pub fn sum(&self, sum: Sum) -> &Py<Type> {
        self.sums.get(sum as usize).unwrap_or(Ast::ty())
    }

    /// The node of a class without fields.
    pub fn singleton(&self, kind: Kind) -> Value {
        self.singletons[kind as usize].clone().unwrap_or(Value::NONE)
    }

    /// The kind whose class is the value's, or the nearest one above it.
    pub fn kind_of(&self, value: &Value) -> Option<Kind> {
        let ty = value.ty();
        let exact = self.kinds.iter().position(|class| class.class.is(ty));
        let found = exact.or_else(|| self.kinds.iter().position(|class| ty.is_subclass(&class.class)));
        found.map(|at| KINDS[at].kind)
    }

    /// Names and classes for the module.
    pub fn named(&self) -> Vec<(&'static str, Value)> {
        let sums = SUMS
            .iter()
            .zip(&self.sums)
            .map(|((_, name, _), class)| (*name, class.to_value()));
        let kinds = KINDS
            .iter()
            .zip(&self.kinds)
            .map(|(row, class)| (row.name, class.class.to_value()));
        std::iter::once(("AST", Ast::ty().to_value()))
            .chain(sums)
            .chain(kinds)
            .collect()
    }
}

const POSITIONS: [&str; 4] = ["lineno", "col_offset", "end_lineno", "end_col_offset"];

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> Value {
    Tuple::new(names.into_iter().map(|name| Str::intern(name).into_value()).collect()).into_value()
}

/// Makes a class. `attributes`: None to have the base's, else whether the end positions are optional.
fn make_class(
    vm: &Vm,
    name: &str,
    base: &Py<Type>,
    doc: &str,
    fields: &[(&str, Count, &str)],
    attributes: Option<Option<bool>>,
) -> Res<Py<Type>> {
    let namespace = Dict::new_empty();
    let set = |name: &str, value: Value| namespace.set_str(&Str::intern(name), value);
    let field_names = names(fields.iter().map(|(_, _, name)| *name));
    set("_fields", field_names.clone());
    set("__match_args__", field_names);
    set("__module__", Value::from("ast"));
    set("__doc__", Value::from(doc));
    for (_, _, name) in fields.iter().filter(|(_, count, _)| *count == Count::Optional) {
        set(name, Value::NONE);
    }
    match attributes {
        None => {}
        Some(None) => set("_attributes", names([])),
        Some(Some(optional_end)) => {
            set("_attributes", names(POSITIONS));
            if optional_end {
                set("end_lineno", Value::NONE);
                set("end_col_offset", Value::NONE);
            }
        }
    }
    let bases = Tuple::new(vec![base.to_value()]).into_value();
    let made = vm.call(
        Type::ty().as_value(),
        &[Value::from(name), bases, namespace.into_value()],
    )?;
    made.try_into_py::<Type>()
        .map_err(|_| vm.system_error("type() made no class"))
}

fn make(vm: &Vm) -> Res<Classes> {
    let base = Ast::ty();
    let mut sums = Vec::new();
    for (sum, name, located) in SUMS {
        sums.push(make_class(vm, name, base, &sum_doc(sum, name), &[], Some(located))?);
    }
    let mut kinds = Vec::new();
    for row in KINDS {
        let fields: Vec<_> = row.fields().collect();
        let alone = row.sum == Sum::Alone;
        let parent = sums.get(row.sum as usize).unwrap_or(base);
        let attributes = alone.then_some(row.located.then_some(true));
        let class = make_class(vm, row.name, parent, &row.signature(), &fields, attributes)?;
        kinds.push(Class {
            class,
            fields: fields.iter().map(|(_, _, name)| Str::intern(name)).collect(),
        });
    }
    let mut singletons = Vec::new();
    for (row, class) in KINDS.iter().zip(&kinds) {
        let simple = matches!(
            row.sum,
            Sum::ExprContext | Sum::BoolOp | Sum::Operator | Sum::UnaryOp | Sum::CmpOp
        );
        singletons.push(simple.then(|| Py::with_class(&class.class, Ast {}).into_value()));
    }
    let classes = Classes {
        kinds,
        sums,
        singletons,
    };
    for row in KINDS {
        set_field_types(vm, &classes, row)?;
    }
    Ok(classes)
}

/// `_field_types` and `__annotations__`.
fn set_field_types(vm: &Vm, classes: &Classes, row: &Row) -> Res<()> {
    let types = Dict::new_empty();
    for (ty, count, name) in row.fields() {
        let one = match ty {
            "identifier" | "string" => Str::ty().to_value(),
            "int" => Int::ty().to_value(),
            "constant" => Object::ty().to_value(),
            _ => match SUMS.iter().position(|(_, sum, _)| *sum == ty) {
                Some(at) => classes.sums[at].to_value(),
                None => match KINDS.iter().position(|row| row.name == ty) {
                    Some(at) => classes.kinds[at].class.to_value(),
                    None => Object::ty().to_value(),
                },
            },
        };
        let value = match count {
            Count::One => one,
            Count::Optional => vm.binary(BinOp::Or, &one, &Value::NONE)?,
            Count::Many => GenericAlias::new_value(vm, List::ty().as_value(), &one),
        };
        types.set_str(&Str::intern(name), value);
    }
    let class = classes.kind(row.kind).class.as_value();
    let types = types.into_value();
    vm.setattr(class, intern!("_field_types"), &types)?;
    // In the class's own namespace, where nodes find it too.
    let class = &classes.kind(row.kind).class;
    class.set_own(vm, intern!("__annotations__"), Some(types)).map(drop)
}

/// The base of all nodes.
#[pyclass(name = "AST", module = "ast", dict, weakref, basetype)]
pub struct Ast {}

/// A tuple or list of names in an attribute of the node's class; nothing if there is none.
fn name_list(vm: &Vm, this: &Value, attribute: &Py<Str>) -> Res<Vec<Value>> {
    match vm.getattr_opt(this, attribute)? {
        Some(list) => vm.collect(&list),
        None => Ok(Vec::new()),
    }
}

fn contains(vm: &Vm, names: &[Value], name: &Value) -> Res<bool> {
    for known in names {
        if vm.eq(known, name)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn deprecated(vm: &Vm, message: String) -> Res<()> {
    vm.warn(exceptions::DEPRECATION_WARNING.get(), &message, 1)
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

#[pymethods]
impl Ast {
    #[slot]
    fn __new__(_vm: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(cls, Ast {}).into_value())
    }

    #[classattr]
    fn _fields(_: &Vm) -> Value {
        names([])
    }

    #[classattr]
    fn _attributes(_: &Vm) -> Value {
        names([])
    }

    #[classattr]
    fn __match_args__(_: &Vm) -> Value {
        names([])
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Py<Ast>, args: Args<'_>) -> Res<()> {
        let this = this.as_value();
        let class = this.ty().short_name();
        let fields = name_list(vm, this.ty().as_value(), intern!("_fields"))?;
        let positional = args.positional();
        if positional.len() > fields.len() {
            return Err(vm.type_error(format!(
                "{class} constructor takes at most {} positional argument{}",
                fields.len(),
                plural(fields.len())
            )));
        }
        let mut missing: Vec<Value> = Vec::new();
        for (name, value) in fields.iter().zip(positional) {
            vm.setattr(this, vm.attribute_name(name)?, value)?;
        }
        missing.extend(fields.iter().skip(positional.len()).cloned());
        let mut attributes = None;
        for (name, value) in args.keywords() {
            let key = name.as_value();
            if contains(vm, &fields, key)? {
                let before = missing.len();
                let mut left = Vec::with_capacity(before);
                for field in missing {
                    if !vm.eq(&field, key)? {
                        left.push(field);
                    }
                }
                missing = left;
                if missing.len() == before {
                    let shown = vm.repr(key)?.to_string_lossy();
                    return Err(vm.type_error(format!("{class} got multiple values for argument {shown}")));
                }
            } else {
                if attributes.is_none() {
                    attributes = Some(name_list(vm, this.ty().as_value(), intern!("_attributes"))?);
                }
                if !contains(vm, attributes.as_deref().unwrap_or_default(), key)? {
                    let shown = vm.repr(key)?.to_string_lossy();
                    deprecated(
                        vm,
                        format!(
                            "{class}.__init__ got an unexpected keyword argument {shown}. Support for arbitrary keyword arguments is \
                             deprecated and will be removed in Python 3.15."
                        ),
                    )?;
                }
            }
            vm.setattr(this, name, value)?;
        }
        if missing.is_empty() {
            return Ok(());
        }
        let Some(types) = vm.getattr_opt(this.ty().as_value(), intern!("_field_types"))? else {
            return Ok(());
        };
        let types = match types.try_into_py::<Dict>() {
            Ok(types) => types,
            Err(_) => return Ok(()),
        };
        let classes = Classes::get(vm)?;
        for name in missing {
            let attribute = vm.attribute_name(&name)?.clone();
            let Some(ty) = types.get(vm, &name)? else {
                deprecated(
                    vm,
                    format!(
                        "Field {} is missing from {class}._field_types. This will become an error in Python 3.15.",
                        vm.repr(&name)?.to_string_lossy()
                    ),
                )?;
                continue;
            };
            if ty.downcast::<lisle_runtime::types::union_type::Union>().is_some() {
                // Optional: the class has None for it.
            } else if ty.downcast::<GenericAlias>().is_some() {
                vm.setattr(this, &attribute, List::new(Vec::new()).as_value())?;
            } else if ty.is(classes.sum(Sum::ExprContext).as_value()) {
                vm.setattr(this, &attribute, &classes.singleton(Kind::Load))?;
            } else {
                deprecated(
                    vm,
                    format!(
                        "{class}.__init__ missing 1 required positional argument: {}. This will become an error in Python 3.15.",
                        vm.repr(&name)?.to_string_lossy()
                    ),
                )?;
            }
        }
        Ok(())
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Ast>) -> Res<String> {
        show(vm, this.as_value(), 3)
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<Ast>) -> Res<Value> {
        let this = this.as_value();
        let class = this.ty().to_value();
        let Some(dict) = instance_dict(this).filter(|dict| !dict.is_empty()) else {
            return Ok(Tuple::pair(class, Tuple::empty().into_value()).into_value());
        };
        // What can be given by position is, so that nothing is missing for `__init__`.
        let rest = dict.copy(vm)?;
        let mut positional = Vec::new();
        for name in name_list(vm, this.ty().as_value(), intern!("_fields"))? {
            match rest.remove(vm, &name)? {
                Some(value) => positional.push(value),
                None => break,
            }
        }
        Ok(Tuple::from_array([class, Tuple::new(positional).into_value(), rest.into_value()]).into_value())
    }

    /// Return a copy of the AST node with new values for the specified fields.
    #[pymethod]
    fn __replace__(vm: &Vm, this: &Py<Ast>, args: Args<'_>) -> Res<Value> {
        let this = this.as_value();
        if !args.positional().is_empty() {
            return Err(vm.type_error("__replace__() takes no positional arguments"));
        }
        let class = this.ty().short_name();
        let fields = name_list(vm, this.ty().as_value(), intern!("_fields"))?;
        let attributes = name_list(vm, this.ty().as_value(), intern!("_attributes"))?;
        let state = match instance_dict(this) {
            Some(dict) => dict.copy(vm)?,
            None => Dict::new_empty(),
        };
        for (name, value) in args.keywords() {
            let key = name.as_value();
            if !contains(vm, &fields, key)? && !contains(vm, &attributes, key)? {
                let shown = vm.repr(key)?.to_string_lossy();
                return Err(vm.type_error(format!(
                    "{class}.__replace__ got an unexpected keyword argument {shown}."
                )));
            }
            state.set(vm, key, value.clone())?;
        }
        let mut missing = Vec::new();
        for name in &fields {
            let text = vm.attribute_name(name)?;
            if !state.contains(vm, name)? && vm.getattr_opt(this, text)?.is_none() {
                missing.push(vm.repr(name)?.to_string_lossy());
            }
        }
        if !missing.is_empty() {
            missing.sort();
            return Err(vm.type_error(format!(
                "{class}.__replace__ missing {} keyword argument{}: {}.",
                missing.len(),
                plural(missing.len()),
                missing.join(", ")
            )));
        }
        vm.call_with_dict(this.ty().as_value(), &[], &state)
    }
}

/// `Name(id='x', ctx=Load())`, at most `depth` levels of it.
fn show(vm: &Vm, node: &Value, depth: usize) -> Res<String> {
    let class = node.ty().short_name();
    let _guard = vm.enter_recursive(" in ast.AST.__repr__")?;
    let Some(_entered) = vm.repr_enter(node).filter(|_| depth > 0) else {
        return Ok(format!("{class}(...)"));
    };
    let mut parts = Vec::new();
    for name in name_list(vm, node.ty().as_value(), intern!("_fields"))? {
        let name = vm.attribute_name(&name)?;
        let value = vm.getattr(node, name)?;
        let shown = if let Some(list) = value.downcast::<List>() {
            show_list(vm, &list.snapshot(), depth, "[]")?
        } else if let Some(tuple) = value.downcast::<Tuple>() {
            show_list(vm, tuple.as_slice(), depth, "()")?
        } else {
            show_value(vm, &value, depth)?
        };
        parts.push(format!("{}={shown}", name.to_string_lossy()));
    }
    Ok(format!("{class}({})", parts.join(", ")))
}

fn show_value(vm: &Vm, value: &Value, depth: usize) -> Res<String> {
    if value.downcast::<Ast>().is_some() {
        return show(vm, value, depth.saturating_sub(1));
    }
    Ok(vm.repr(value)?.to_string_lossy())
}

/// The first and the last item.
fn show_list(vm: &Vm, items: &[Value], depth: usize, brackets: &str) -> Res<String> {
    let (open, close) = brackets.split_at(1);
    let inside = match items {
        [] => String::new(),
        [one] => show_value(vm, one, depth)?,
        [first, middle @ .., last] => {
            let dots = if middle.is_empty() { "" } else { "..., " };
            format!(
                "{}, {dots}{}",
                show_value(vm, first, depth)?,
                show_value(vm, last, depth)?
            )
        }
    };
    Ok(format!("{open}{inside}{close}"))
}
