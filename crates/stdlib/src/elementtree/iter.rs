//! The iterator of `Element.iter` and `Element.itertext`.
//!
//! Invariant: the way down to where it stands is a list of elements with the place of the next child of each; what the tree looks like
//! is asked for at each step, so that it may change meanwhile.

use std::collections::TryReserveError;

use lisle_runtime::native::*;
use lisle_runtime::sync::Locked;

use super::element::{Element, Part};

#[derive(Trace)]
struct Step {
    parent: Value,
    next: usize,
}

#[derive(Trace)]
struct State {
    root: Option<Value>,
    parents: Vec<Step>,
}

#[pyclass(name = "_element_iterator", module = "_elementtree", no_new)]
pub struct ElementIter {
    state: Locked<State>,
    /// The tag that is looked for.
    tag: Slot,
    text: bool,
}

/// Where a step leads to.
enum To {
    /// Down to this element.
    Element(Value),
    /// Past the end of this one, which is not the first.
    Behind(Value),
    /// Past the end of what must not be named any more.
    Up(Value),
    End,
}

impl ElementIter {
    pub fn over(root: &Py<Element>, tag: Option<Value>, text: bool) -> Value {
        let state = State {
            root: Some(root.to_value()),
            parents: Vec::new(),
        };
        Py::new(ElementIter {
            state: Locked::new(state),
            tag: Slot::from_option(tag),
            text,
        })
        .into_value()
    }

    fn step(this: &Py<ElementIter>) -> Res<To> {
        // The child is looked up outside of the iterator's lock; it is gone for if another thread was faster.
        let (parent, at) = match this.state.with(this.header(), |state| match state.parents.last() {
            Some(step) => Ok((step.parent.clone(), step.next)),
            None => Err(state.root.take()),
        }) {
            Ok(place) => place,
            Err(Some(root)) => return ElementIter::enter(this, root),
            Err(None) => return Ok(To::End),
        };
        let child = parent
            .downcast::<Element>()
            .and_then(|parent| Element::child(parent, at));
        match child {
            Some(child) => {
                this.state.with(this.header(), |state| {
                    if let Some(step) = state.parents.last_mut() {
                        step.next += 1;
                    }
                });
                ElementIter::enter(this, child)
            }
            None => {
                let (popped, left) = this
                    .state
                    .with(this.header(), |state| (state.parents.pop(), state.parents.len()));
                Ok(match popped {
                    Some(step) if left > 0 => To::Behind(step.parent),
                    Some(step) => To::Up(step.parent),
                    None => To::End,
                })
            }
        }
    }

    fn enter(this: &Py<ElementIter>, element: Value) -> Res<To> {
        let step = Step {
            parent: element.clone(),
            next: 0,
        };
        // Elements may lie in themselves.
        let room = this.state.with(this.header(), |state| {
            state.parents.try_reserve(1)?;
            state.parents.push(step);
            Ok::<_, TryReserveError>(())
        });
        room?;
        Ok(To::Element(element))
    }
}

#[pymethods]
impl ElementIter {
    #[slot]
    fn __iter__(_: &Vm, this: &Py<ElementIter>) -> Res<Value> {
        Ok(this.to_value())
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<ElementIter>) -> Res<Option<Value>> {
        let mut steps = 0_u32;
        loop {
            let (element, part) = match ElementIter::step(this)? {
                To::End => return Ok(None),
                To::Up(element) => {
                    drop(element);
                    continue;
                }
                To::Element(element) => (element, Part::Text),
                To::Behind(element) => (element, Part::Tail),
            };
            if this.text {
                let found = element.downcast::<Element>().map(|e| Element::text_of(e, part));
                if let Some(text) = found
                    && !text.is_none()
                    && vm.truth(&text)?
                {
                    return Ok(Some(text));
                }
            } else if part == Part::Text {
                match (this.tag.get(), element.downcast::<Element>()) {
                    (Some(tag), Some(found)) => {
                        if vm.eq(&Element::tag_of(found), &tag)? {
                            return Ok(Some(element));
                        }
                    }
                    _ => return Ok(Some(element)),
                }
            }
            steps = steps.wrapping_add(1);
            if steps.is_multiple_of(1024) {
                vm.safepoint()?;
            }
        }
    }
}
