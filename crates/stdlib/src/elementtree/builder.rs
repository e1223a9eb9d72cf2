//! `TreeBuilder`: makes a tree of starts, texts and ends.
//!
//! Invariant: text that came since the last tag is held back, as it came; it is joined and given to its element at the next tag.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use lisle_bytecode::opcode::BinOp;
use lisle_runtime::intern;
use lisle_runtime::native::*;
use lisle_runtime::sync::Locked;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::list::List;
use lisle_runtime::types::tuple::Tuple;

use super::element::{Element, Part};
use super::{COMMENT_FACTORY, PARSE_ERROR, PI_FACTORY};

/// Text that is held back: what the parser gives, or, once a program gave some, all of it as objects.
#[derive(Default, Trace)]
struct Held {
    text: String,
    values: Vec<Value>,
}

/// The events that can be reported.
pub const EVENTS: [&str; 6] = ["start", "end", "start-ns", "end-ns", "comment", "pi"];
const START: usize = 0;
const END: usize = 1;
pub const START_NS: usize = 2;
pub const END_NS: usize = 3;
const COMMENT: usize = 4;
const PI: usize = 5;

#[pyclass(name = "TreeBuilder", module = "xml.etree.ElementTree", basetype)]
pub struct TreeBuilder {
    root: Slot,
    /// The innermost open element.
    this: Slot,
    /// What was begun or ended last.
    last: Slot,
    /// What text belongs behind; none if it belongs into the last element.
    tail_of: Slot,
    held: Locked<Held>,
    stack: Locked<Vec<Option<Value>>>,
    factory: Slot,
    comment_factory: Slot,
    pi_factory: Slot,
    insert_comments: AtomicBool,
    insert_pis: AtomicBool,
    /// Where events go to, and what each kind is called there, if it is reported.
    report: Slot,
    names: Box<[Slot]>,
}

type This = Py<TreeBuilder>;

impl TreeBuilder {
    fn payload() -> TreeBuilder {
        TreeBuilder {
            root: Slot::empty(),
            this: Slot::empty(),
            last: Slot::empty(),
            tail_of: Slot::empty(),
            held: Locked::new(Held::default()),
            stack: Locked::new(Vec::new()),
            factory: Slot::empty(),
            comment_factory: Slot::empty(),
            pi_factory: Slot::empty(),
            insert_comments: AtomicBool::new(false),
            insert_pis: AtomicBool::new(false),
            report: Slot::empty(),
            names: EVENTS.iter().map(|_| Slot::empty()).collect(),
        }
    }

    /// A builder with the usual factories.
    pub fn make() -> This {
        let made = TreeBuilder::payload();
        drop(made.comment_factory.swap(COMMENT_FACTORY.get()));
        drop(made.pi_factory.swap(PI_FACTORY.get()));
        Py::new(made)
    }

    /// Sets where events are reported, and which.
    pub fn set_events(this: &This, report: Value, names: [Option<Value>; 6]) {
        drop(this.report.swap(Some(report)));
        for (slot, name) in this.names.iter().zip(names) {
            drop(slot.swap(name));
        }
    }

    pub fn event(vm: &Vm, this: &This, kind: usize, what: &Value) -> Res<()> {
        if let Some(name) = this.names[kind].get()
            && let Some(report) = this.report.get()
        {
            let event = Tuple::pair(name, what.clone()).into_value();
            vm.call(&report, &[event])?;
        }
        Ok(())
    }

    /// Takes text in.
    pub fn add_text(this: &This, text: &str) {
        if this.last.is_empty() {
            return;
        }
        this.held.with(this.header(), |held| {
            if held.values.is_empty() {
                held.text.push_str(text);
            } else {
                held.values.push(Value::from(text));
            }
        });
    }

    fn add_value(this: &This, text: &Value) {
        if this.last.is_empty() {
            return;
        }
        this.held.with(this.header(), |held| {
            if !held.text.is_empty() {
                let text = std::mem::take(&mut held.text);
                held.values.push(Value::from(text.as_str()));
            }
            held.values.push(text.clone());
        });
    }

    /// Gives the text that was held back to its element.
    fn flush(vm: &Vm, this: &This) -> Res<()> {
        let (text, mut values) = this.held.with(this.header(), |held| {
            let text = (!held.text.is_empty()).then(|| Value::from(held.text.as_str()));
            held.text.clear();
            (text, std::mem::take(&mut held.values))
        });
        let text = match text {
            Some(text) => text,
            None if values.is_empty() => return Ok(()),
            None if values.len() == 1 => values.remove(0),
            None => join(vm, values)?,
        };
        let (element, part) = match this.tail_of.get() {
            Some(element) => (element, Part::Tail),
            None => (this.last.get().unwrap_or(Value::NONE), Part::Text),
        };
        if let Some(element) = Element::is_exact(&element)
            && Element::text_of(element, part).is_none()
        {
            Element::set_text(element, part, text);
            return Ok(());
        }
        let name = match part {
            Part::Text => intern!("text"),
            Part::Tail => intern!("tail"),
        };
        let before = vm.getattr(&element, name)?;
        let text = join(vm, vec![text])?;
        let text = match before.is_none() {
            true => text,
            false => vm.binary(BinOp::Add, &before, &text)?,
        };
        vm.setattr(&element, name, &text)
    }

    fn add_to(vm: &Vm, parent: &Value, child: &Value) -> Res<()> {
        match (Element::is_exact(parent), child.downcast::<Element>()) {
            (Some(parent), Some(_)) => Element::add_child(vm, parent, child),
            _ => vm
                .call_method(parent, intern!("append"), std::slice::from_ref(child))
                .map(|_| ()),
        }
    }

    /// Begins an element. Without attributes there is no dict for them, unless a factory wants one.
    pub fn begin(vm: &Vm, this: &This, tag: &Value, attrib: Option<Py<Dict>>) -> Res<Value> {
        TreeBuilder::flush(vm, this)?;
        let node = match this.factory.get() {
            None => Element::make(tag.clone(), attrib).into_value(),
            Some(factory) => {
                let attrib = attrib.unwrap_or_else(Dict::new_empty).into_value();
                vm.call(&factory, &[tag.clone(), attrib])?
            }
        };
        drop(this.tail_of.swap(None));
        match this.this.get() {
            Some(parent) => TreeBuilder::add_to(vm, &parent, &node)?,
            None => {
                if this.root.set_if_empty(node.clone()).is_err() {
                    return Err(PARSE_ERROR.error(vm, "multiple elements on top level"));
                }
            }
        }
        let outer = this.this.swap(Some(node.clone()));
        this.stack.with(this.header(), |stack| stack.push(outer));
        drop(this.last.swap(Some(node.clone())));
        TreeBuilder::event(vm, this, START, &node)?;
        Ok(node)
    }

    pub fn finish(vm: &Vm, this: &This) -> Res<Value> {
        TreeBuilder::flush(vm, this)?;
        let Some(outer) = this.stack.with(this.header(), Vec::pop) else {
            return Err(vm.index_error("pop from empty stack"));
        };
        let ended = this.this.swap(outer).unwrap_or(Value::NONE);
        drop(this.last.swap(Some(ended.clone())));
        drop(this.tail_of.swap(Some(ended.clone())));
        TreeBuilder::event(vm, this, END, &ended)?;
        Ok(ended)
    }

    /// Makes a comment or an instruction, and puts it into the tree if that is wanted.
    fn single(vm: &Vm, this: &This, kind: usize, args: &[Value]) -> Res<Value> {
        TreeBuilder::flush(vm, this)?;
        let (factory, insert) = match kind {
            COMMENT => (&this.comment_factory, &this.insert_comments),
            _ => (&this.pi_factory, &this.insert_pis),
        };
        let node = match (factory.get(), args) {
            (Some(factory), args) => {
                let node = vm.call(&factory, args)?;
                if insert.load(Relaxed)
                    && let Some(parent) = this.this.get()
                {
                    TreeBuilder::add_to(vm, &parent, &node)?;
                    drop(this.tail_of.swap(Some(node.clone())));
                }
                node
            }
            (None, [text]) => text.clone(),
            (None, args) => Tuple::from_slice_clone(args).into_value(),
        };
        TreeBuilder::event(vm, this, kind, &node)?;
        Ok(node)
    }

    pub fn comment_of(vm: &Vm, this: &This, text: &Value) -> Res<Value> {
        TreeBuilder::single(vm, this, COMMENT, std::slice::from_ref(text))
    }

    pub fn instruction_of(vm: &Vm, this: &This, target: &Value, data: &Value) -> Res<Value> {
        TreeBuilder::single(vm, this, PI, &[target.clone(), data.clone()])
    }

    /// Whether somebody sees processing instructions.
    pub fn wants_instructions(this: &This) -> bool {
        !this.names[PI].is_empty() || this.insert_pis.load(Relaxed)
    }

    /// The tree.
    pub fn root_of(this: &This) -> Value {
        this.root.get().unwrap_or(Value::NONE)
    }
}

fn join(vm: &Vm, values: Vec<Value>) -> Res<Value> {
    let list = List::new(values).into_value();
    vm.call_method(Str::empty().as_value(), intern!("join"), &[list])
}

#[pymethods]
impl TreeBuilder {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(cls, TreeBuilder::payload()).into_value())
    }

    #[slot(
        sig = "(element_factory=None, *, comment_factory=None, pi_factory=None, insert_comments=False, insert_pis=False)"
    )]
    fn __init__(
        _: &Vm,
        this: &This,
        element_factory: Option<&Value>,
        comment_factory: Option<&Value>,
        pi_factory: Option<&Value>,
        insert_comments: Option<bool>,
        insert_pis: Option<bool>,
    ) -> Res<()> {
        let given = |factory: Option<&Value>| factory.filter(|factory| !factory.is_none()).cloned();
        drop(this.factory.swap(given(element_factory)));
        let comment_factory = given(comment_factory).or_else(|| COMMENT_FACTORY.get());
        let pi_factory = given(pi_factory).or_else(|| PI_FACTORY.get());
        let insert = insert_comments.unwrap_or(false) && comment_factory.is_some();
        this.insert_comments.store(insert, Relaxed);
        this.insert_pis
            .store(insert_pis.unwrap_or(false) && pi_factory.is_some(), Relaxed);
        drop(this.comment_factory.swap(comment_factory));
        drop(this.pi_factory.swap(pi_factory));
        Ok(())
    }

    #[pymethod(sig = "($self, data, /)")]
    fn data(_: &Vm, this: &This, data: &Value) {
        TreeBuilder::add_value(this, data);
    }

    #[pymethod(sig = "($self, tag, attrs, /)")]
    fn start(vm: &Vm, this: &This, tag: &Value, attrs: &Py<Dict>) -> Res<Value> {
        TreeBuilder::begin(vm, this, tag, Some(attrs.clone()))
    }

    #[pymethod(sig = "($self, tag, /)")]
    fn end(vm: &Vm, this: &This, _tag: &Value) -> Res<Value> {
        TreeBuilder::finish(vm, this)
    }

    #[pymethod(sig = "($self, text, /)")]
    fn comment(vm: &Vm, this: &This, text: &Value) -> Res<Value> {
        TreeBuilder::comment_of(vm, this, text)
    }

    #[pymethod(sig = "($self, target, text=None, /)")]
    fn pi(vm: &Vm, this: &This, target: &Value, text: Option<&Value>) -> Res<Value> {
        TreeBuilder::instruction_of(vm, this, target, text.unwrap_or(&Value::NONE))
    }

    #[pymethod(sig = "($self, /)")]
    fn close(_: &Vm, this: &This) -> Value {
        TreeBuilder::root_of(this)
    }
}
