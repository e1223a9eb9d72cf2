//! `Element`.
//!
//! Invariant: the list of children holds elements only, and Python code never gets hold of it.

use lisle_runtime::intern;
use lisle_runtime::native::*;
use lisle_runtime::object::Obj;
use lisle_runtime::types::common::full_name;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::list::List;
use lisle_runtime::types::slice::Slice;

use super::iter::ElementIter;

/// An element. Empty slots stand for None, except for `tag`'s, which is set when the object is made.
#[pyclass(name = "Element", module = "xml.etree.ElementTree", basetype, weakref, sequence)]
pub struct Element {
    tag: Slot,
    text: Slot,
    tail: Slot,
    attrib: PySlot<Dict>,
    children: PySlot<List>,
}

/// Text before the children, or behind the element.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Text,
    Tail,
}

impl Element {
    fn payload(tag: Value, attrib: Option<Py<Dict>>) -> Element {
        Element {
            tag: Slot::new(tag),
            text: Slot::empty(),
            tail: Slot::empty(),
            attrib: attrib.map_or_else(PySlot::empty, PySlot::new),
            children: PySlot::empty(),
        }
    }

    /// A new element with these attributes.
    pub fn make(tag: Value, attrib: Option<Py<Dict>>) -> Py<Element> {
        Py::new(Element::payload(tag, attrib))
    }

    pub fn is_exact(value: &Value) -> Option<&Py<Element>> {
        value.downcast_exact::<Element>()
    }

    pub fn tag_of(this: &Py<Element>) -> Value {
        this.tag.get().unwrap_or(Value::NONE)
    }

    fn part(&self, part: Part) -> &Slot {
        match part {
            Part::Text => &self.text,
            Part::Tail => &self.tail,
        }
    }

    pub fn text_of(this: &Py<Element>, part: Part) -> Value {
        this.part(part).get().unwrap_or(Value::NONE)
    }

    pub fn set_text(this: &Py<Element>, part: Part, text: Value) {
        this.part(part).set(text);
    }

    /// The child at this place.
    #[inline]
    pub fn child(this: &Py<Element>, at: usize) -> Option<Value> {
        this.children.get()?.get(at)
    }

    fn count(this: &Py<Element>) -> usize {
        this.children.get().map_or(0, |children| children.len())
    }

    fn snapshot(this: &Py<Element>) -> Vec<Value> {
        this.children
            .get()
            .map_or_else(Vec::new, |children| children.snapshot())
    }

    fn own_children(this: &Py<Element>) -> Py<List> {
        loop {
            if let Some(children) = this.children.get() {
                return children;
            }
            this.children.set_if_empty(List::new(Vec::new()));
        }
    }

    /// Adds an element behind the others.
    #[inline]
    pub fn add_child(vm: &Vm, this: &Py<Element>, child: &Value) -> Res<()> {
        match this.children.get() {
            Some(children) => children.push(vm, child.clone()),
            None => Element::own_children(this).push(vm, child.clone()),
        }
    }

    fn own_attrib(this: &Py<Element>) -> Py<Dict> {
        loop {
            if let Some(attrib) = this.attrib.get() {
                return attrib;
            }
            this.attrib.set_if_empty(Dict::new_empty());
        }
    }

    /// The items of a sequence, if all of them are elements.
    fn elements(vm: &Vm, items: Vec<Value>) -> Res<Vec<Value>> {
        match items.iter().find(|item| item.downcast::<Element>().is_none()) {
            Some(other) => Err(no_element(vm, other)),
            None => Ok(items),
        }
    }

    /// The first child with this tag.
    fn find_tag(vm: &Vm, this: &Py<Element>, tag: &Value) -> Res<Option<Value>> {
        let mut at = 0;
        while let Some(child) = Element::child(this, at) {
            if has_tag(vm, &child, tag)? {
                return Ok(Some(child));
            }
            at += 1;
        }
        Ok(None)
    }

    /// A deep copy of a value, the usual ones without asking the module `copy`.
    fn deep(vm: &Vm, value: &Value, memo: &Value) -> Res<Value> {
        if value.is_none() || value.downcast_exact::<Str>().is_some() {
            return Ok(value.clone());
        }
        if let Some(element) = Element::is_exact(value) {
            return Element::deep_copy(vm, element, memo);
        }
        let copy = vm.import_module("copy")?;
        vm.call_method(&copy, intern!("deepcopy"), &[value.clone(), memo.clone()])
    }

    fn deep_copy(vm: &Vm, this: &Py<Element>, memo: &Value) -> Res<Value> {
        let _guard = vm.enter_recursive(" while copying an element")?;
        let Some(seen) = memo.downcast::<Dict>() else {
            let found = full_name(memo.ty());
            return Err(vm.type_error(format!("__deepcopy__() argument must be dict, not {found}")));
        };
        let tag = Element::deep(vm, &Element::tag_of(this), memo)?;
        let attrib = match this.attrib.get() {
            Some(attrib) if !attrib.is_empty() => deep_attributes(vm, &attrib, memo)?,
            _ => None,
        };
        let made = Element::make(tag, attrib);
        for part in [Part::Text, Part::Tail] {
            let text = Element::deep(vm, &Element::text_of(this, part), memo)?;
            if !text.is_none() {
                Element::set_text(&made, part, text);
            }
        }
        let mut at = 0;
        while let Some(child) = Element::child(this, at) {
            let child = Element::deep(vm, &child, memo)?;
            if child.downcast::<Element>().is_none() {
                return Err(no_element(vm, &child));
            }
            Element::add_child(vm, &made, &child)?;
            at += 1;
        }
        seen.set(vm, &this.as_value().id(), made.to_value())?;
        Ok(made.into_value())
    }

    /// What ElementPath has under this name.
    fn by_path(vm: &Vm, name: &Py<Str>, args: &[Value]) -> Res<Value> {
        let module = vm.import_module("xml.etree.ElementPath")?;
        vm.call_method(&module, name, args)
    }
}

fn no_element(vm: &Vm, other: &Value) -> Exc {
    vm.type_error(format!("expected an Element, not \"{}\"", full_name(other.ty())))
}

fn has_tag(vm: &Vm, child: &Value, tag: &Value) -> Res<bool> {
    match child.downcast::<Element>() {
        Some(child) => vm.eq(&Element::tag_of(child), tag),
        None => Ok(false),
    }
}

fn deep_attributes(vm: &Vm, attrib: &Py<Dict>, memo: &Value) -> Res<Option<Py<Dict>>> {
    let plain = |value: &Value| value.downcast_exact::<Str>().is_some();
    let entries = attrib.snapshot();
    if entries.iter().all(|(key, value)| plain(key) && plain(value)) {
        return attrib.copy(vm).map(Some);
    }
    let copied = Element::deep(vm, attrib.as_value(), memo)?;
    Ok(copied.try_into_py::<Dict>().ok())
}

/// The attributes that a call gives an element: a dict, and keywords, one of which may be another dict.
pub fn given_attributes(vm: &Vm, what: &str, dict: Option<&Value>, args: Args<'_>) -> Res<Option<Py<Dict>>> {
    let mut given = None;
    let mut skipped = false;
    if let Some(dict) = dict {
        let Some(dict) = dict.downcast::<Dict>() else {
            return Err(vm.type_error(format!("{what} must be dict, not {}", full_name(dict.ty()))));
        };
        given = Some(dict);
    } else if args.has_keywords()
        && let Some(value) = args.keyword("attrib")
    {
        let Some(dict) = value.downcast::<Dict>() else {
            return Err(vm.type_error(format!("attrib must be dict, not {}", value.ty().name())));
        };
        given = Some(dict);
        skipped = true;
    }
    let mut attrib = match given {
        Some(dict) if !dict.is_empty() => Some(dict.copy(vm)?),
        _ => None,
    };
    if args.has_keywords() {
        for (name, value) in args.keywords() {
            if !(skipped && name.is_text("attrib")) {
                attrib
                    .get_or_insert_with(Dict::new_empty)
                    .set(vm, name.as_value(), value.clone())?;
            }
        }
    }
    Ok(attrib)
}

/// Whether a path is more than the name of a tag.
fn is_path(path: &Value) -> bool {
    fn special(codes: impl Iterator<Item = u32>) -> bool {
        let mut outside = true;
        for code in codes {
            match char::from_u32(code) {
                Some('{') => outside = false,
                Some('}') => outside = true,
                Some('/' | '*' | '[' | '@' | '.') if outside => return true,
                _ => {}
            }
        }
        false
    }
    if let Some(text) = path.downcast_exact::<Str>().or_else(|| path.downcast::<Str>()) {
        let view = text.view();
        let mut start = view.chars();
        let first: [Option<u32>; 3] = [start.next(), start.next(), start.next()];
        let wild = matches!(
            first.map(|code| code.and_then(char::from_u32)),
            [Some('{'), Some('}'), _] | [Some('{'), Some('*'), Some('}')]
        );
        return wild || special(view.chars());
    }
    if let Some(bytes) = path.downcast::<lisle_runtime::types::bytes::Bytes>() {
        let bytes = bytes.as_slice();
        return bytes.starts_with(b"{}")
            || bytes.starts_with(b"{*}")
            || special(bytes.iter().map(|byte| u32::from(*byte)));
    }
    true
}

fn wants_path(path: &Value, namespaces: Option<&Value>) -> bool {
    namespaces.is_some_and(|namespaces| !namespaces.is_none()) || is_path(path)
}

fn none_or(value: Option<&Value>) -> Value {
    value.cloned().unwrap_or(Value::NONE)
}

fn index_of(vm: &Vm, key: &Value) -> Res<isize> {
    match key.as_small_int() {
        Some(index) => Ok(index as isize),
        None if key.ty().slots().index.is_some() => vm.index_to_isize(key),
        None => Err(vm.type_error("element indices must be integers")),
    }
}

fn out_of_range(vm: &Vm, what: &str) -> Exc {
    vm.index_error(format!("child {what}index out of range"))
}

/// A reference to the attribute's new value; deleting it is refused.
fn assigned<'a>(vm: &Vm, value: Option<&'a Value>) -> Res<&'a Value> {
    value.ok_or_else(|| vm.attribute_error("can't delete element attribute"))
}

#[pymethods]
impl Element {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(cls, Element::payload(Value::NONE, None)).into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Py<Element>, args: Args<'_>) -> Res<()> {
        let positional = args.positional();
        let (tag, dict) = match positional {
            [tag] => (tag, None),
            [tag, dict] => (tag, Some(dict)),
            [] => return Err(vm.type_error("Element() takes at least 1 argument (0 given)")),
            more => {
                let message = format!("Element() takes at most 2 arguments ({} given)", more.len());
                return Err(vm.type_error(message));
            }
        };
        let attrib = given_attributes(vm, "Element() argument 2", dict, args)?;
        this.tag.set(tag.clone());
        drop(this.attrib.swap(attrib));
        drop(this.text.swap(None));
        drop(this.tail.swap(None));
        Ok(())
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Element>) -> Res<Value> {
        let Some(_guard) = vm.repr_enter(this.as_value()) else {
            let name = full_name(this.class());
            return Err(vm.runtime_error(format!("reentrant call inside {name}.__repr__")));
        };
        let tag = vm.repr(&Element::tag_of(this))?;
        let mut text = lisle_runtime::text::StrBuilder::new();
        text.push_str("<Element ");
        text.push_view(tag.view());
        text.push_str(&format!(" at {:#x}>", this.as_value().bits()));
        Ok(Str::from_buf(text.finish()).into_value())
    }

    #[slot]
    fn __bool__(vm: &Vm, this: &Py<Element>) -> Res<bool> {
        let message = "Testing an element's truth value will always return True in future versions.  Use specific \
                       'len(elem)' or 'elem is not None' test instead.";
        vm.warn(exceptions::DEPRECATION_WARNING.get(), message, 1)?;
        Ok(Element::count(this) != 0)
    }

    #[slot]
    fn __len__(_: &Vm, this: &Py<Element>) -> Res<usize> {
        Ok(Element::count(this))
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<Element>, key: &Value) -> Res<Value> {
        if key.downcast_exact::<Slice>().is_some() {
            return match this.children.get() {
                Some(children) => vm.getitem(children.as_value(), key),
                None => vm.getitem(List::new(Vec::new()).as_value(), key),
            };
        }
        let index = index_of(vm, key)?;
        let child = this.children.get().and_then(|children| children.get_index(index));
        child.ok_or_else(|| out_of_range(vm, ""))
    }

    #[slot]
    fn __setitem__(vm: &Vm, this: &Py<Element>, key: &Value, value: Option<&Value>) -> Res<()> {
        if key.downcast_exact::<Slice>().is_some() {
            let children = Element::own_children(this);
            let Some(value) = value else {
                return vm.delitem(children.as_value(), key);
            };
            let items = match value.downcast::<Element>() {
                Some(element) => Element::snapshot(element),
                None => match vm.iter(value) {
                    Ok(iterator) => vm.collect(&iterator)?,
                    Err(exc) if exc.is(&exceptions::TYPE_ERROR) => {
                        return Err(vm.type_error("assignment expects an iterable"));
                    }
                    Err(exc) => return Err(exc),
                },
            };
            let items = List::new(Element::elements(vm, items)?).into_value();
            return vm.setitem(children.as_value(), key, &items);
        }
        let index = index_of(vm, key)?;
        let children = this.children.get();
        let fits = children.as_ref().is_some_and(|children| {
            let len = children.len() as isize;
            (-len..len).contains(&index)
        });
        let Some(children) = children.filter(|_| fits) else {
            return Err(out_of_range(vm, "assignment "));
        };
        let key = Value::int(index as i64);
        let done = match value {
            Some(value) if value.downcast::<Element>().is_none() => return Err(no_element(vm, value)),
            Some(value) => vm.setitem(children.as_value(), &key, value),
            None => vm.delitem(children.as_value(), &key),
        };
        // Another thread may have made it shorter meanwhile.
        done.map_err(|exc| match exc.is(&exceptions::INDEX_ERROR) {
            true => out_of_range(vm, "assignment "),
            false => exc,
        })
    }

    #[pymethod(sig = "($self, /)")]
    fn clear(_: &Vm, this: &Py<Element>) {
        drop(this.attrib.swap(None));
        drop(this.children.swap(None));
        drop(this.text.swap(None));
        drop(this.tail.swap(None));
    }

    #[pymethod(sig = "($self, /, key, default=None)")]
    fn get(vm: &Vm, this: &Py<Element>, key: &Value, default: Option<&Value>) -> Res<Value> {
        let found = match this.attrib.get() {
            Some(attrib) => attrib.get(vm, key)?,
            None => None,
        };
        Ok(found.unwrap_or_else(|| none_or(default)))
    }

    #[pymethod(sig = "($self, key, value, /)")]
    fn set(vm: &Vm, this: &Py<Element>, key: &Value, value: &Value) -> Res<()> {
        Element::own_attrib(this).set(vm, key, value.clone())
    }

    #[pymethod(sig = "($self, /, path, namespaces=None)")]
    fn find(vm: &Vm, this: &Py<Element>, path: &Value, namespaces: Option<&Value>) -> Res<Value> {
        if wants_path(path, namespaces) {
            let args = [this.to_value(), path.clone(), none_or(namespaces)];
            return Element::by_path(vm, intern!("find"), &args);
        }
        Ok(Element::find_tag(vm, this, path)?.unwrap_or(Value::NONE))
    }

    #[pymethod(sig = "($self, /, path, default=None, namespaces=None)")]
    fn findtext(
        vm: &Vm,
        this: &Py<Element>,
        path: &Value,
        default: Option<&Value>,
        namespaces: Option<&Value>,
    ) -> Res<Value> {
        if wants_path(path, namespaces) {
            let args = [this.to_value(), path.clone(), none_or(default), none_or(namespaces)];
            return Element::by_path(vm, intern!("findtext"), &args);
        }
        let found = Element::find_tag(vm, this, path)?;
        Ok(match found.as_ref().and_then(|found| found.downcast::<Element>()) {
            Some(found) => match Element::text_of(found, Part::Text) {
                text if text.is_none() => Str::empty().into_value(),
                text => text,
            },
            None => none_or(default),
        })
    }

    #[pymethod(sig = "($self, /, path, namespaces=None)")]
    fn findall(vm: &Vm, this: &Py<Element>, path: &Value, namespaces: Option<&Value>) -> Res<Value> {
        if wants_path(path, namespaces) {
            let args = [this.to_value(), path.clone(), none_or(namespaces)];
            return Element::by_path(vm, intern!("findall"), &args);
        }
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(child) = Element::child(this, at) {
            if has_tag(vm, &child, path)? {
                found.push(child);
            }
            at += 1;
        }
        Ok(List::new(found).into_value())
    }

    #[pymethod(sig = "($self, /, path, namespaces=None)")]
    fn iterfind(vm: &Vm, this: &Py<Element>, path: &Value, namespaces: Option<&Value>) -> Res<Value> {
        let args = [this.to_value(), path.clone(), none_or(namespaces)];
        Element::by_path(vm, intern!("iterfind"), &args)
    }

    #[pymethod(sig = "($self, subelement, /)")]
    fn append(vm: &Vm, this: &Py<Element>, subelement: &Py<Element>) -> Res<()> {
        Element::add_child(vm, this, subelement.as_value())
    }

    #[pymethod(sig = "($self, elements, /)")]
    fn extend(vm: &Vm, this: &Py<Element>, elements: &Value) -> Res<()> {
        let items = match elements.downcast::<Element>() {
            Some(element) => Element::snapshot(element),
            None => match vm.iter(elements) {
                Ok(iterator) => vm.collect(&iterator)?,
                Err(exc) if exc.is(&exceptions::TYPE_ERROR) => {
                    return Err(vm.type_error("'elements' must be an iterable"));
                }
                Err(exc) => return Err(exc),
            },
        };
        for item in items {
            if item.downcast::<Element>().is_none() {
                return Err(no_element(vm, &item));
            }
            Element::add_child(vm, this, &item)?;
        }
        Ok(())
    }

    #[pymethod(sig = "($self, index, subelement, /)")]
    fn insert(vm: &Vm, this: &Py<Element>, index: isize, subelement: &Py<Element>) -> Res<()> {
        let children = Element::own_children(this);
        let args = [Value::int(index as i64), subelement.to_value()];
        vm.call_method(children.as_value(), intern!("insert"), &args)?;
        Ok(())
    }

    #[pymethod(sig = "($self, subelement, /)")]
    fn remove(vm: &Vm, this: &Py<Element>, subelement: &Py<Element>) -> Res<()> {
        // Itself first, in one step: other threads may remove children meanwhile.
        let itself = this.children.get().and_then(|children| {
            children.with(|items| {
                let at = items.iter().position(|item| item.is(subelement.as_value()))?;
                Some(items.remove(at))
            })
        });
        if itself.is_some() {
            return Ok(());
        }
        let mut found = None;
        let mut at = 0;
        while let Some(child) = Element::child(this, at) {
            if child.is(subelement.as_value()) || vm.eq(&child, subelement.as_value())? {
                found = Some(child);
                break;
            }
            at += 1;
        }
        // Comparing may have changed the children.
        let (Some(found), Some(children)) = (found, this.children.get()) else {
            return Err(vm.value_error("Element.remove(x): element not found"));
        };
        let removed = children.with(|items| {
            let at = match items.get(at) {
                Some(item) if item.is(&found) => Some(at),
                _ => items.iter().position(|item| item.is(&found)),
            };
            at.map(|at| items.remove(at))
        });
        drop(removed);
        Ok(())
    }

    #[pymethod(sig = "($self, /, tag=None)")]
    fn iter(_: &Vm, this: &Py<Element>, tag: Option<&Value>) -> Value {
        let all = |tag: &&Value| {
            let text = tag.downcast::<Str>().is_some_and(|tag| tag.is_text("*"));
            let bytes = tag.downcast::<lisle_runtime::types::bytes::Bytes>();
            tag.is_none() || text || bytes.is_some_and(|tag| tag.as_slice() == b"*")
        };
        ElementIter::over(this, tag.filter(|tag| !all(tag)).cloned(), false)
    }

    #[pymethod(sig = "($self, /)")]
    fn itertext(_: &Vm, this: &Py<Element>) -> Value {
        ElementIter::over(this, None, true)
    }

    #[pymethod(sig = "($self, /)")]
    fn items(vm: &Vm, this: &Py<Element>) -> Res<Value> {
        match this.attrib.get() {
            Some(attrib) => {
                let items = vm.call_method(attrib.as_value(), intern!("items"), &[])?;
                Ok(List::new(vm.collect(&items)?).into_value())
            }
            None => Ok(List::new(Vec::new()).into_value()),
        }
    }

    #[pymethod(sig = "($self, /)")]
    fn keys(vm: &Vm, this: &Py<Element>) -> Res<Value> {
        match this.attrib.get() {
            Some(attrib) => Ok(List::new(vm.collect(attrib.as_value())?).into_value()),
            None => Ok(List::new(Vec::new()).into_value()),
        }
    }

    #[pymethod(sig = "($self, tag, attrib, /)")]
    fn makeelement(vm: &Vm, _: &Py<Element>, tag: &Value, attrib: &Py<Dict>) -> Res<Value> {
        Ok(Element::make(tag.clone(), Some(attrib.copy(vm)?)).into_value())
    }

    #[pymethod(sig = "($self, /)")]
    fn __copy__(vm: &Vm, this: &Py<Element>) -> Res<Value> {
        let attrib = this.attrib.get().map(|attrib| attrib.copy(vm)).transpose()?;
        let made = Element::make(Element::tag_of(this), attrib);
        for part in [Part::Text, Part::Tail] {
            drop(made.part(part).swap(this.part(part).get()));
        }
        let children = Element::snapshot(this);
        if !children.is_empty() {
            made.children.set(List::new(children));
        }
        Ok(made.into_value())
    }

    #[pymethod(sig = "($self, memo, /)")]
    fn __deepcopy__(vm: &Vm, this: &Py<Element>, memo: &Value) -> Res<Value> {
        Element::deep_copy(vm, this, memo)
    }

    #[pymethod(sig = "($self, /)")]
    fn __sizeof__(_: &Vm, this: &Py<Element>) -> usize {
        size_of::<Obj<Element>>() + Element::count(this) * size_of::<Value>()
    }

    #[pymethod(sig = "($self, /)")]
    fn __getstate__(vm: &Vm, this: &Py<Element>) -> Res<Value> {
        let attrib = this.attrib.get().unwrap_or_else(Dict::new_empty);
        let state = Dict::new_empty();
        for (name, value) in [
            ("tag", Element::tag_of(this)),
            ("_children", List::new(Element::snapshot(this)).into_value()),
            ("attrib", attrib.into_value()),
            ("text", Element::text_of(this, Part::Text)),
            ("tail", Element::text_of(this, Part::Tail)),
        ] {
            state.set(vm, &Value::from(name), value)?;
        }
        Ok(state.into_value())
    }

    #[pymethod(sig = "($self, state, /)")]
    fn __setstate__(vm: &Vm, this: &Py<Element>, state: &Value) -> Res<()> {
        let Some(state) = state.downcast_exact::<Dict>() else {
            let shown = vm.repr(state)?.to_string_lossy();
            return Err(vm.type_error(format!("Don't know how to unpickle \"{shown}\" as an Element")));
        };
        let (mut tag, mut text, mut tail, mut attrib, mut children) = (None, None, None, None, None);
        for (name, value) in state.snapshot() {
            let place = match name.downcast::<Str>().map(|name| name.to_string_lossy()).as_deref() {
                Some("tag") => &mut tag,
                Some("text") => &mut text,
                Some("tail") => &mut tail,
                Some("attrib") => &mut attrib,
                Some("_children") => &mut children,
                _ => {
                    let shown = vm.repr(&name)?.to_string_lossy();
                    let message = format!("this function got an unexpected keyword argument {shown}");
                    return Err(vm.type_error(message));
                }
            };
            *place = Some(value);
        }
        let Some(tag) = tag else {
            return Err(vm.type_error("tag may not be NULL"));
        };
        let items = match &children {
            Some(children) => match children.downcast::<List>() {
                Some(list) => Element::elements(vm, list.try_snapshot(vm)?)?,
                None => return Err(vm.type_error("'_children' is not a list")),
            },
            None => Vec::new(),
        };
        let attrib = match attrib.as_ref().filter(|attrib| !attrib.is_none()) {
            Some(attrib) => match attrib.downcast::<Dict>() {
                Some(dict) => Some(dict.clone()),
                None => {
                    let found = attrib.ty().name();
                    return Err(vm.type_error(format!("attrib must be dict, not {found}")));
                }
            },
            None => None,
        };
        this.tag.set(tag);
        drop(this.text.swap(text.filter(|text| !text.is_none())));
        drop(this.tail.swap(tail.filter(|tail| !tail.is_none())));
        drop(this.attrib.swap(attrib));
        let items = (!items.is_empty()).then(|| List::new(items));
        drop(this.children.swap(items));
        Ok(())
    }

    /// A string identifying what kind of data this element represents
    #[getter]
    fn tag(_: &Vm, this: &Py<Element>) -> Value {
        Element::tag_of(this)
    }

    #[setter(name = "tag")]
    fn set_tag(vm: &Vm, this: &Py<Element>, value: Option<&Value>) -> Res<()> {
        this.tag.set(assigned(vm, value)?.clone());
        Ok(())
    }

    /// A string of text directly after the start tag, or None
    #[getter]
    fn text(_: &Vm, this: &Py<Element>) -> Value {
        Element::text_of(this, Part::Text)
    }

    #[setter(name = "text")]
    fn set_text_attribute(vm: &Vm, this: &Py<Element>, value: Option<&Value>) -> Res<()> {
        this.text.set(assigned(vm, value)?.clone());
        Ok(())
    }

    /// A string of text directly after the end tag, or None
    #[getter]
    fn tail(_: &Vm, this: &Py<Element>) -> Value {
        Element::text_of(this, Part::Tail)
    }

    #[setter(name = "tail")]
    fn set_tail_attribute(vm: &Vm, this: &Py<Element>, value: Option<&Value>) -> Res<()> {
        this.tail.set(assigned(vm, value)?.clone());
        Ok(())
    }

    /// A dictionary containing the element's attributes
    #[getter]
    fn attrib(_: &Vm, this: &Py<Element>) -> Py<Dict> {
        Element::own_attrib(this)
    }

    #[setter(name = "attrib")]
    fn set_attrib(vm: &Vm, this: &Py<Element>, value: Option<&Value>) -> Res<()> {
        let value = assigned(vm, value)?;
        let Some(dict) = value.downcast::<Dict>() else {
            let found = value.ty().name();
            return Err(vm.type_error(format!("attrib must be dict, not {found}")));
        };
        drop(this.attrib.swap(Some(dict.clone())));
        Ok(())
    }
}
