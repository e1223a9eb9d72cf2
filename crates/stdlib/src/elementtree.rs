//! The `_elementtree` module: elements, the builder of trees and the parser of `xml.etree.ElementTree`.
//!
//! Invariant: an element without children or attributes has no list and no dict; both are made at the first use and never given up but by
//! `clear`. Left out: text that is joined when somebody looks at it, as CPython keeps it; the builder joins it.

#![expect(non_snake_case, reason = "names that Python sees")]

mod builder;
mod element;
mod iter;
mod parser;

use lisle_runtime::native::*;
use lisle_runtime::types::exceptions;

use crate::exception::ExceptionClass;

/// `xml.etree.ElementTree.ParseError`.
pub static PARSE_ERROR: ExceptionClass =
    ExceptionClass::new("xml.etree.ElementTree", "ParseError", &exceptions::SYNTAX_ERROR);

/// What makes comments and processing instructions, as `_set_factories` left it.
pub static COMMENT_FACTORY: Slot = Slot::empty();
pub static PI_FACTORY: Slot = Slot::empty();

#[pymodule(
    name = "_elementtree",
    types(element::Element, builder::TreeBuilder, parser::XmlParser)
)]
pub mod module {
    use super::*;
    use lisle_runtime::types::tuple::Tuple;

    use super::element::Element;

    #[pyattr(name = "ParseError")]
    fn parse_error(vm: &Vm) -> Res<Value> {
        Ok(PARSE_ERROR.get(vm)?.to_value())
    }

    #[pyfunction]
    fn SubElement(vm: &Vm, args: Args<'_>) -> Res<Value> {
        let positional = args.positional();
        if positional.len() < 2 {
            let message = format!("SubElement() takes at least 2 arguments ({} given)", positional.len());
            return Err(vm.type_error(message));
        }
        let [parent, tag, rest @ ..] = positional else {
            return Err(vm.type_error("SubElement() takes at least 2 arguments"));
        };
        if rest.len() > 1 {
            let message = format!("SubElement() takes at most 3 arguments ({} given)", positional.len());
            return Err(vm.type_error(message));
        }
        let Some(parent) = parent.downcast::<Element>() else {
            let found = lisle_runtime::types::common::full_name(parent.ty());
            let message = format!("SubElement() argument 1 must be xml.etree.ElementTree.Element, not {found}");
            return Err(vm.type_error(message));
        };
        let attrib = element::given_attributes(vm, "SubElement() argument 3", rest.first(), args)?;
        let made = Element::make(tag.clone(), attrib);
        Element::add_child(vm, parent, made.as_value())?;
        Ok(made.into_value())
    }

    /// Change the factories used to create comments and processing instructions.
    ///
    /// For internal use only.
    #[pyfunction(sig = "(comment_factory, pi_factory, /)")]
    fn _set_factories(vm: &Vm, comment_factory: &Value, pi_factory: &Value) -> Res<Value> {
        for (factory, what) in [(comment_factory, "Comment"), (pi_factory, "PI")] {
            if !factory.is_none() && !vm.is_callable(factory) {
                let found = factory.ty().name();
                return Err(vm.type_error(format!("{what} factory must be callable, not {found}")));
            }
        }
        let new = |factory: &Value| Some(factory.clone()).filter(|factory| !factory.is_none());
        let comment = COMMENT_FACTORY.swap(new(comment_factory)).unwrap_or(Value::NONE);
        let pi = PI_FACTORY.swap(new(pi_factory)).unwrap_or(Value::NONE);
        Ok(Tuple::pair(comment, pi).into_value())
    }
}
