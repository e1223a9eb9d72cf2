//! The `pyexpat` module: a parser of XML with expat's events, errors and limits.
//!
//! Invariant: the parser's state is taken for one event at a time and given back before a handler is called, so that handlers may use the
//! parser, and threads that share one get its events in some order. Left out: validation, which expat does not do either.

#![expect(non_snake_case, reason = "names that Python sees")]

mod dtd;
pub mod fault;
pub mod lex;
pub mod machine;
pub mod parser;
mod text;

use lisle_runtime::native::*;
use lisle_runtime::types::exceptions;

use crate::exception::ExceptionClass;

/// `xml.parsers.expat.ExpatError`.
pub static ERROR: ExceptionClass = ExceptionClass::new("xml.parsers.expat", "ExpatError", &exceptions::EXCEPTION);

#[pymodule(name = "pyexpat", doc = "Python wrapper for Expat parser.")]
pub mod module {
    use super::*;
    use lisle_runtime::intern;
    use lisle_runtime::types::dict::Dict;
    use lisle_runtime::types::list::List;
    use lisle_runtime::types::module::Module;
    use lisle_runtime::types::tuple::Tuple;

    #[pyattr(name = "XML_PARAM_ENTITY_PARSING_NEVER")]
    const NEVER: i64 = 0;
    #[pyattr(name = "XML_PARAM_ENTITY_PARSING_UNLESS_STANDALONE")]
    const UNLESS_STANDALONE: i64 = 1;
    #[pyattr(name = "XML_PARAM_ENTITY_PARSING_ALWAYS")]
    const ALWAYS: i64 = 2;
    #[pyattr]
    const EXPAT_VERSION: &str = "expat_2.6.3";
    #[pyattr(name = "native_encoding")]
    const NATIVE_ENCODING: &str = "UTF-8";

    const MODEL: [(&str, i64); 10] = [
        ("XML_CTYPE_EMPTY", 1),
        ("XML_CTYPE_ANY", 2),
        ("XML_CTYPE_MIXED", 3),
        ("XML_CTYPE_NAME", 4),
        ("XML_CTYPE_CHOICE", 5),
        ("XML_CTYPE_SEQ", 6),
        ("XML_CQUANT_NONE", 0),
        ("XML_CQUANT_OPT", 1),
        ("XML_CQUANT_REP", 2),
        ("XML_CQUANT_PLUS", 3),
    ];

    const FEATURES: [(&str, i64); 8] = [
        ("sizeof(XML_Char)", 1),
        ("sizeof(XML_LChar)", 1),
        ("XML_DTD", 0),
        ("XML_CONTEXT_BYTES", 1024),
        ("XML_NS", 0),
        ("XML_BLAP_MAX_AMP", 100),
        ("XML_BLAP_ACT_THRES", 8 << 20),
        ("XML_GE", 0),
    ];

    #[init]
    fn init(vm: &Vm, module: &Py<Module>) -> Res<()> {
        let class = ERROR.get(vm)?.to_value();
        module.set("XMLParserType", parser::XmlParser::ty().to_value());
        module.set("error", class.clone());
        module.set("ExpatError", class);
        let version = [2, 6, 3].map(Value::int);
        module.set("version_info", Tuple::from_array(version).into_value());
        let features = FEATURES.map(|(name, n)| Tuple::pair(Value::from(name), Value::int(n)).into_value());
        module.set("features", List::new(features.to_vec()).into_value());

        let errors = Module::new("pyexpat.errors");
        errors.set("__doc__", Value::from("Constants used to describe error conditions."));
        let (codes, messages) = (Dict::new_empty(), Dict::new_empty());
        for (at, (name, message)) in fault::MESSAGES.iter().enumerate() {
            let code = Value::usize(at + 1);
            errors.set(name, Value::from(*message));
            codes.set(vm, &Value::from(*message), code.clone())?;
            messages.set(vm, &code, Value::from(*message))?;
        }
        errors.set("codes", codes.into_value());
        errors.set("messages", messages.into_value());
        let model = Module::new("pyexpat.model");
        model.set(
            "__doc__",
            Value::from("Constants used to interpret content model information."),
        );
        for (name, value) in MODEL {
            model.set(name, Value::int(value));
        }
        let sys = vm.import_module("sys")?;
        let modules = vm.getattr(&sys, intern!("modules"))?;
        vm.setitem(&modules, intern!("pyexpat.errors").as_value(), errors.as_value())?;
        vm.setitem(&modules, intern!("pyexpat.model").as_value(), model.as_value())?;
        module.set("errors", errors.into_value());
        module.set("model", model.into_value());
        Ok(())
    }

    /// Return a new XML parser object.
    #[pyfunction(sig = "(encoding=None, namespace_separator=None, intern=dict)")]
    fn ParserCreate(
        vm: &Vm,
        encoding: Option<&Value>,
        namespace_separator: Option<&Value>,
        intern: Option<&Value>,
    ) -> Res<Value> {
        let text = |value: Option<&Value>, name: &str| -> Res<Option<String>> {
            match value.filter(|value| !value.is_none()) {
                None => Ok(None),
                Some(value) => match value.downcast::<Str>() {
                    Some(text) => Ok(Some(text.to_string_lossy())),
                    None => {
                        let found = value.ty().name();
                        Err(vm.type_error(format!(
                            "ParserCreate() argument '{name}' must be str or None, not {found}"
                        )))
                    }
                },
            }
        };
        let encoding = text(encoding, "encoding")?;
        let separator = text(namespace_separator, "namespace_separator")?;
        let namespaces = match separator {
            None => None,
            Some(text) => {
                let mut chars = text.chars();
                let first = chars.next();
                if chars.next().is_some() {
                    return Err(vm.value_error("namespace_separator must be at most one character, omitted, or None"));
                }
                Some(first)
            }
        };
        let intern = match intern {
            None => Some(Dict::new_empty()),
            Some(value) if value.is_none() => None,
            Some(value) => match value.downcast::<Dict>() {
                Some(dict) => Some(dict.clone()),
                None => return Err(vm.type_error("intern must be a dictionary")),
            },
        };
        Ok(parser::XmlParser::create(
            machine::Machine::new(encoding, namespaces),
            intern,
        ))
    }

    /// Returns string error for given number.
    #[pyfunction(sig = "(code, /)")]
    fn ErrorString(_: &Vm, code: i64) -> Option<&'static str> {
        u32::try_from(code).ok().and_then(fault::message)
    }
}
