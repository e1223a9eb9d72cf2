//! `compile`, `exec`, `eval` and what stands behind them.

use lisle_compiler::{Mode, Options, SyntaxErrorKind};

use crate::intern;
use crate::object::{Py, Value};
use crate::types::bytearray::ByteArray;
use crate::types::bytes::Bytes;
use crate::types::code::Code;
use crate::types::dict::Dict;
use crate::types::exceptions::{self, SourcePlace, SyntaxError};
use crate::types::mapped_builtins::MappedBuiltins;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Exc, Res, Vm};

/// The exception for a failed compilation.
pub fn raise_syntax_error(vm: &Vm, filename: &str, error: lisle_compiler::SyntaxError) -> Exc {
    let class = match error.kind {
        SyntaxErrorKind::Syntax => &exceptions::SYNTAX_ERROR,
        SyntaxErrorKind::Incomplete => &exceptions::INCOMPLETE_INPUT_ERROR,
        SyntaxErrorKind::Indentation => &exceptions::INDENTATION_ERROR,
        SyntaxErrorKind::Tab => &exceptions::TAB_ERROR,
        SyntaxErrorKind::Recursion => return vm.recursion_error(error.message),
        SyntaxErrorKind::Memory => return vm.memory_error(),
        SyntaxErrorKind::Overflow => return vm.overflow_error(error.message),
        SyntaxErrorKind::Value => {
            return vm.new_exception(
                exceptions::SYNTAX_ERROR.get(),
                vec![Value::from(error.message.as_str())],
            );
        }
    };
    let place = SourcePlace {
        filename: Some(Value::from(filename)),
        lineno: error.line as usize,
        offset: error.col as usize,
        text: error.text.as_deref().map(Value::from),
        end_lineno: error.end_line as usize,
        end_offset: error.end_col as usize,
    };
    let exc = vm.syntax_error(class, &error.message, place);
    if let (Some(context), Some(raised)) = (error.context, exc.value().downcast::<SyntaxError>()) {
        let (line, col, source) = *context;
        let parts = [
            Value::int(line.into()),
            Value::int(col.into()),
            Value::from(source.as_str()),
        ];
        raised.metadata.set(Tuple::from_array(parts).into_value());
    }
    exc
}

/// The options with the limits of this process.
pub fn with_limits(options: &Options) -> Options {
    Options {
        int_max_str_digits: crate::types::int::max_str_digits() as usize,
        ..options.clone()
    }
}

/// Tells auditing hooks that a source is going to be compiled.
pub(super) fn audit(vm: &Vm, source: &str, options: &Options) -> Res<()> {
    crate::audit::audit(vm, "compile", || {
        [
            Bytes::new_value(source.as_bytes()),
            Value::from(options.filename.as_str()),
        ]
    })
}

/// Compiles source text to a code value, issuing the compiler's warnings.
pub fn compile_source(vm: &Vm, source: &str, mode: Mode, options: &Options) -> Res<Py<Code>> {
    audit(vm, source, options)?;
    let options = &with_limits(options);
    match lisle_compiler::compile(source, mode, options) {
        Ok((plain, warnings)) => {
            issue_warnings(vm, warnings, options)?;
            Code::new(vm, plain)
        }
        Err(error) => Err(raise_with_warnings(vm, error, options)),
    }
}

/// The exception for a failed compilation, once the warnings before it are issued; one of them may have become an error.
pub fn raise_with_warnings(vm: &Vm, mut error: lisle_compiler::SyntaxError, options: &Options) -> Exc {
    match issue_warnings(vm, std::mem::take(&mut error.warnings), options) {
        Ok(()) => raise_syntax_error(vm, &options.filename, error),
        Err(raised) => raised,
    }
}

/// Issues the compiler's warnings.
pub fn issue_warnings(vm: &Vm, warnings: Vec<lisle_compiler::Warning>, options: &Options) -> Res<()> {
    for warning in warnings {
        let category = match warning.category {
            lisle_compiler::WarningCategory::Syntax => exceptions::SYNTAX_WARNING.get(),
            lisle_compiler::WarningCategory::Deprecation => exceptions::DEPRECATION_WARNING.get(),
        };
        let warnings = vm.import_module("_warnings")?;
        let explicit = vm.getattr(&warnings, intern!("warn_explicit"))?;
        let issued = vm.call(
            &explicit,
            &[
                Value::from(warning.message.as_str()),
                category.to_value(),
                Value::from(options.filename.as_str()),
                Value::int(warning.line.into()),
            ],
        );
        match issued {
            Ok(_) => {}
            // A warning that a filter made an error says where, as errors do.
            Err(e) if e.is_instance(exceptions::SYNTAX_WARNING.get()) => {
                let place = SourcePlace {
                    filename: Some(Value::from(options.filename.as_str())),
                    lineno: warning.line as usize,
                    offset: warning.col as usize,
                    text: warning.text.as_deref().map(Value::from),
                    end_lineno: warning.end_line as usize,
                    end_offset: warning.end_col as usize,
                };
                return Err(vm.syntax_error(&exceptions::SYNTAX_ERROR, &warning.message, place));
            }
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// What `compile` knows of syntax trees; the library has them.
pub struct AstHooks {
    pub is_node: fn(&Value) -> bool,
    /// The tree of a source.
    pub parse: fn(&Vm, &str, Mode, &Options) -> Res<Value>,
    /// An error unless the tree is of the mode's kind.
    pub check: fn(&Vm, &Value, Mode) -> Res<()>,
    /// The code of a tree.
    pub compile: fn(&Vm, &Value, Mode, &Options) -> Res<Py<Code>>,
}

static AST_HOOKS: std::sync::OnceLock<&'static AstHooks> = std::sync::OnceLock::new();

/// Lets `compile` deal with syntax trees; once.
pub fn set_ast_hooks(hooks: &'static AstHooks) {
    let _ = AST_HOOKS.set(hooks);
}

/// The hooks, if the library has set them.
pub fn ast_hooks() -> Option<&'static AstHooks> {
    AST_HOOKS.get().copied()
}

/// The text of a path that is neither str nor bytes.
pub fn path_text(vm: &Vm, path: &Value) -> Res<String> {
    let refused = || {
        let got = path.ty().short_name();
        vm.type_error(format!("expected str, bytes or os.PathLike object, not {got}"))
    };
    let method = vm
        .getattr_opt(path.ty().as_value(), intern!("__fspath__"))?
        .filter(|method| !method.is_none())
        .ok_or_else(refused)?;
    let given = vm.call(&method, std::slice::from_ref(path))?;
    match (given.downcast::<Str>(), given.downcast::<Bytes>()) {
        (Some(text), _) => Ok(text.to_string_lossy()),
        (None, Some(bytes)) => Ok(String::from_utf8_lossy(bytes.as_slice()).into_owned()),
        (None, None) => Err(refused()),
    }
}

/// Source given as str or bytes, as text.
pub fn source_text(vm: &Vm, source: &Value, what: &str, filename: &str) -> Res<String> {
    if let Some(s) = source.downcast::<Str>() {
        return match s.view().to_utf8() {
            Some(text) => Ok(text.into_owned()),
            None => {
                let at = s
                    .view()
                    .chars()
                    .position(|c| (0xd800..0xe000).contains(&c))
                    .unwrap_or(0);
                Err(vm.unicode_encode_error("utf-8", source.clone(), at, at + 1, "surrogates not allowed"))
            }
        };
    }
    let bytes: Vec<u8> = if let Some(b) = source.downcast::<Bytes>() {
        b.as_slice().to_vec()
    } else if let Some(b) = source.downcast::<ByteArray>() {
        b.data.with(b.header(), |d| d.clone())
    } else if crate::types::buffer::is_bytes_like(source) {
        crate::types::buffer::get_bytes(vm, source)?.into_owned()
    } else {
        return Err(vm.type_error(format!(
            "{what} must be a string, bytes or code object, not {}",
            source.ty().name()
        )));
    };
    decode(vm, &bytes).map_err(|e| match e {
        Undecodable::Syntax(e) => raise_syntax_error(vm, filename, *e),
        Undecodable::Raised(e) => e,
    })
}

/// Why a source could not be decoded.
pub enum Undecodable {
    Syntax(Box<lisle_compiler::SyntaxError>),
    Raised(Exc),
}

/// Decodes a source; encodings that the compiler does not know are those of the module `codecs`.
pub fn decode(vm: &Vm, bytes: &[u8]) -> Result<String, Undecodable> {
    let error = match lisle_compiler::decode_source(bytes) {
        Ok(text) => return Ok(text),
        Err(error) => error,
    };
    if !error.message.starts_with("unknown encoding") {
        return Err(Undecodable::Syntax(Box::new(error)));
    }
    let cookie = lisle_compiler::encoding_cookie(bytes).unwrap_or_default();
    let decoded = vm.call_method(
        &Bytes::new_value(bytes),
        intern!("decode"),
        &[Value::from(cookie.as_str())],
    );
    match decoded {
        Ok(text) => match text.downcast::<Str>() {
            Some(text) => Ok(text.to_string_lossy()),
            None => Err(Undecodable::Syntax(Box::new(error))),
        },
        Err(e) if e.is_instance(exceptions::LOOKUP_ERROR.get()) => Err(Undecodable::Syntax(Box::new(error))),
        Err(e) if e.is_instance(exceptions::UNICODE_ERROR.get()) => {
            let text = vm
                .str(e.value())
                .map_or_else(|_| String::new(), |s| s.to_string_lossy());
            let message = Value::from(text.as_str());
            Err(Undecodable::Raised(
                vm.new_exception(exceptions::SYNTAX_ERROR.get(), vec![message]),
            ))
        }
        Err(e) => Err(Undecodable::Raised(e)),
    }
}

/// `exec` and `eval`: the code, and the globals and locals to run it with.
pub fn run(
    vm: &Vm,
    name: &str,
    mode: Mode,
    source: &Value,
    globals: Option<&Value>,
    locals: Option<&Value>,
    closure: Option<&Value>,
) -> Res<Value> {
    let frame = vm.frames.current();
    let globals = match globals.filter(|g| !g.is_none()) {
        Some(g) => g.clone().try_into_py::<Dict>().map_err(|g| {
            let got = g.ty().name();
            vm.type_error(format!("{name}() globals must be a dict, not {got}"))
        })?,
        None => match frame {
            Some(f) => f.globals().clone(),
            None => Dict::new_empty(),
        },
    };
    let explicit_globals = frame.is_none_or(|f| !f.globals().is(&globals));
    let locals = match locals.filter(|l| !l.is_none()) {
        Some(l) => {
            if l.ty().slots().getitem.is_none() {
                let got = l.ty().name();
                return Err(vm.type_error(format!("{name}() locals must be a mapping or None, not {got}")));
            }
            l.clone()
        }
        None if explicit_globals => globals.to_value(),
        None => match frame {
            Some(f) => vm.frame_locals(f)?,
            None => globals.to_value(),
        },
    };
    if globals.get_str(intern!("__builtins__")).is_none() {
        let builtins = MappedBuiltins::shown(&vm.running_builtins());
        let _ = globals.set_default_str(intern!("__builtins__"), builtins);
    }
    let code = match source.downcast::<Code>() {
        Some(code) => code.clone(),
        None => {
            let what = format!("{name}() arg 1");
            let text = source_text(vm, source, &what, "<string>")?;
            let text = if mode == Mode::Eval {
                text.trim_start_matches([' ', '\t']).to_string()
            } else {
                text
            };
            let flags = frame.map_or(0, |f| f.code().flags);
            let options = Options {
                filename: "<string>".into(),
                future_flags: flags & 0x1fe_0000,
                ..Options::default()
            };
            compile_source(vm, &text, mode, &options)?
        }
    };
    crate::audit::audit(vm, "exec", || [code.to_value()])?;
    let free = code.freevars.len();
    let cells = match closure.filter(|c| !c.is_none()) {
        None if free > 0 => {
            let what = if name == "exec" { "exec" } else { "eval" };
            return Err(vm.type_error(format!("code object passed to {what}() may not contain free variables")));
        }
        None => None,
        Some(_) if free == 0 => {
            return Err(vm.type_error("cannot use a closure with this code object"));
        }
        Some(c) => match c.clone().try_into_py::<crate::types::tuple::Tuple>() {
            Ok(t)
                if t.as_slice().len() == free
                    && t.as_slice()
                        .iter()
                        .all(|v| v.downcast_exact::<crate::types::cell::Cell>().is_some()) =>
            {
                Some(t)
            }
            _ => return Err(vm.type_error(format!("code object requires a closure of exactly length {free}"))),
        },
    };
    vm.run_code(&code, &globals, Some(&locals), cells.as_ref())
}
