//! `_tokenize`: the tokens of a source for the module `tokenize`.
//!
//! Invariant: the lines are read when the first token is asked for; an iterator is exhausted once, whoever shares it.

use std::collections::VecDeque;
use std::sync::Arc;

use lisle_compiler::{Token, TokenClass};
use lisle_runtime::intern;
use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::{Py, Res, Slot, Str, Type, Value, Vm, pyclass, pymethods, pymodule};
use lisle_runtime::sync::Mutex;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::tuple::Tuple;

/// The number of an operator in `token.py`.
fn operator(text: &str) -> i64 {
    match text {
        "(" => 7,
        ")" => 8,
        "[" => 9,
        "]" => 10,
        ":" => 11,
        "," => 12,
        ";" => 13,
        "+" => 14,
        "-" => 15,
        "*" => 16,
        "/" => 17,
        "|" => 18,
        "&" => 19,
        "<" => 20,
        ">" => 21,
        "=" => 22,
        "." => 23,
        "%" => 24,
        "{" => 25,
        "}" => 26,
        "==" => 27,
        "!=" => 28,
        "<=" => 29,
        ">=" => 30,
        "~" => 31,
        "^" => 32,
        "<<" => 33,
        ">>" => 34,
        "**" => 35,
        "+=" => 36,
        "-=" => 37,
        "*=" => 38,
        "/=" => 39,
        "%=" => 40,
        "&=" => 41,
        "|=" => 42,
        "^=" => 43,
        "<<=" => 44,
        ">>=" => 45,
        "**=" => 46,
        "//" => 47,
        "//=" => 48,
        "@" => 49,
        "@=" => 50,
        "->" => 51,
        "..." => 52,
        ":=" => 53,
        "!" => 54,
        _ => 55,
    }
}

/// The number of the token in `token.py`.
fn number(token: &Token, extra: bool) -> i64 {
    match token.class {
        TokenClass::EndMarker => 0,
        TokenClass::Name => 1,
        TokenClass::Number => 2,
        TokenClass::String => 3,
        TokenClass::Newline => 4,
        TokenClass::Indent => 5,
        TokenClass::Dedent => 6,
        TokenClass::Operator if extra => 55,
        TokenClass::Operator => operator(&token.text),
        TokenClass::FStringStart => 59,
        TokenClass::FStringMiddle => 60,
        TokenClass::FStringEnd => 61,
        TokenClass::TStringStart => 62,
        TokenClass::TStringMiddle => 63,
        TokenClass::TStringEnd => 64,
        TokenClass::Comment => 65,
        TokenClass::BlankNewline => 66,
    }
}

/// An iterator over tokens.
#[pyclass(name = "TokenizerIter", module = "_tokenize")]
pub struct TokenizerIter {
    readline: Slot,
    encoding: Slot,
    extra_tokens: bool,
    tokens: Opaque<Mutex<VecDeque<Token>>>,
    /// The lines of the last token, which are often those of the next.
    lines: Opaque<Mutex<Option<(Arc<str>, Py<Str>)>>>,
}

/// All lines that `readline` gives, as text.
fn read_all(vm: &Vm, readline: &Value, encoding: Option<&Value>) -> Res<String> {
    let mut source = String::new();
    loop {
        let line = match vm.call(readline, &[]) {
            Ok(line) => line,
            Err(e) if e.is(&exceptions::STOP_ITERATION) => return Ok(source),
            Err(e) => return Err(e),
        };
        let line = match (line.downcast::<Bytes>(), encoding) {
            (Some(_), Some(encoding)) => {
                vm.call_method(&line, intern!("decode"), &[encoding.clone(), Value::from("replace")])?
            }
            (None, Some(_)) => return Err(vm.type_error("readline() returned a non-bytes object")),
            _ => line,
        };
        let Some(text) = line.downcast::<Str>() else {
            return Err(vm.type_error("readline() returned a non-string object"));
        };
        if text.is_empty() {
            return Ok(source);
        }
        source.push_str(&text.to_string_lossy());
    }
}

#[pymethods]
impl TokenizerIter {
    #[slot(sig = "(readline, /, *, encoding=None, extra_tokens=False)")]
    fn __new__(
        _: &Vm,
        cls: &Py<Type>,
        readline: &Value,
        encoding: Option<&Value>,
        extra_tokens: Option<bool>,
    ) -> Res<Value> {
        let iterator = TokenizerIter {
            readline: Slot::new(readline.clone()),
            encoding: Slot::from_option(encoding.filter(|e| !e.is_none()).cloned()),
            extra_tokens: extra_tokens.unwrap_or(false),
            tokens: Opaque(Mutex::new(VecDeque::new())),
            lines: Opaque(Mutex::new(None)),
        };
        Ok(Py::with_class(cls, iterator).into_value())
    }

    #[slot]
    fn __iter__(_: &Vm, this: &Py<TokenizerIter>) -> Value {
        this.to_value()
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<TokenizerIter>) -> Res<Option<Value>> {
        if let Some(readline) = this.readline.take() {
            let encoding = this.encoding.take();
            let source = read_all(vm, &readline, encoding.as_ref())?;
            let found = lisle_compiler::tokens(&source)
                .map_err(|e| lisle_runtime::builtins::compile::raise_syntax_error(vm, "<string>", e))?;
            this.tokens.lock().extend(found);
        }
        let extra = this.extra_tokens;
        loop {
            let Some(token) = this.tokens.lock().pop_front() else {
                return Ok(None);
            };
            if !extra && matches!(token.class, TokenClass::Comment | TokenClass::BlankNewline) {
                continue;
            }
            let pair = |(line, column): (u32, u32)| {
                Tuple::pair(Value::int(line.into()), Value::int(column.into())).into_value()
            };
            let known = this.lines.lock().take();
            let lines = match known {
                Some((lines, text)) if Arc::ptr_eq(&lines, &token.lines) => text,
                _ => Str::from_str(&token.lines),
            };
            let old = this.lines.lock().replace((token.lines.clone(), lines.clone()));
            drop(old);
            let values = [
                Value::int(number(&token, extra)),
                Value::from(token.text.as_str()),
                pair(token.start),
                pair(token.end),
                lines.into_value(),
            ];
            return Ok(Some(Tuple::from_array(values).into_value()));
        }
    }
}

#[pymodule(name = "_tokenize", types(TokenizerIter))]
pub mod module {
    use super::*;
}
