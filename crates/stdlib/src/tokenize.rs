//! `_tokenize`: the tokens of a source for the module `tokenize`.
//!
//! Invariant: a line is read when a token of it is asked for; who asks takes the lexer out while a line is read, so that nobody else meets it halfway.

mod lexer;

use lexer::{Fault, Kind, Lexer, Stop, Token};
use lisle_runtime::intern;
use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::{Exc, Py, Res, Slot, Str, Type, Value, Vm, pyclass, pymethods, pymodule};
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
fn number(kind: Kind, text: &str, extra: bool) -> i64 {
    match kind {
        Kind::EndMarker => 0,
        Kind::Name => 1,
        Kind::Number => 2,
        Kind::String => 3,
        Kind::Newline => 4,
        Kind::Indent => 5,
        Kind::Dedent => 6,
        Kind::Operator if extra => 55,
        Kind::Operator => operator(text),
        Kind::StringStart('f') => 59,
        Kind::StringMiddle('f') => 60,
        Kind::StringEnd('f') => 61,
        Kind::StringStart(_) => 62,
        Kind::StringMiddle(_) => 63,
        Kind::StringEnd(_) => 64,
        Kind::Comment => 65,
        Kind::BlankNewline => 66,
    }
}

/// The lexer, and what the last token showed of its lines.
struct State {
    lexer: Lexer,
    /// The number and the text of the last token's lines.
    shown: (u32, Value),
}

/// An iterator over tokens.
#[pyclass(name = "TokenizerIter", module = "_tokenize")]
pub struct TokenizerIter {
    readline: Slot,
    encoding: Slot,
    extra_tokens: bool,
    /// None at the end, after a fault, and while a token is made.
    state: Opaque<Mutex<Option<Box<State>>>>,
}

/// The next line that `readline` gives, as text.
fn read_line(vm: &Vm, readline: &Value, encoding: Option<&Value>) -> Res<Option<String>> {
    let line = match vm.call(readline, &[]) {
        Ok(line) => line,
        Err(e) if e.is(&exceptions::STOP_ITERATION) => return Ok(None),
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
    Ok(Some(text.to_string_lossy()).filter(|text| !text.is_empty()))
}

impl State {
    /// The exception for a fault.
    fn raise(&self, vm: &Vm, fault: Fault) -> Exc {
        let lexer = &self.lexer;
        let behind = lexer.column() + 1;
        let (class, message, column, end) = match fault {
            Fault::Unfinished => {
                let message = Value::from("unexpected EOF in multi-line statement");
                let exc = vm.new_exception(exceptions::SYNTAX_ERROR.get(), vec![message]);
                for (name, number) in [("lineno", i64::from(lexer.line)), ("offset", 0)] {
                    if let Err(other) = vm.setattr(exc.value(), &Str::intern(name), &Value::int(number)) {
                        return other;
                    }
                }
                return exc;
            }
            Fault::Syntax(message, column, end) => (&exceptions::SYNTAX_ERROR, message, column, end),
            Fault::Dedent => (
                &exceptions::INDENTATION_ERROR,
                "unindent does not match any outer indentation level".into(),
                behind,
                0,
            ),
            Fault::TooDeep => (
                &exceptions::INDENTATION_ERROR,
                "too many levels of indentation".into(),
                behind,
                0,
            ),
            Fault::Tabs => (
                &exceptions::TAB_ERROR,
                "inconsistent use of tabs and spaces in indentation".into(),
                behind,
                0,
            ),
            Fault::Continuation => (
                &exceptions::SYNTAX_ERROR,
                "unexpected character after line continuation character".into(),
                lexer.column(),
                0,
            ),
        };
        let text = lexer.lines_from(lexer.line_start);
        let text = text.lines().next().unwrap_or_default();
        let known = |n: usize, value: usize| if n == 0 { Value::NONE } else { Value::usize(value) };
        let place = Tuple::new(vec![
            Value::from("<string>"),
            Value::usize(lexer.line as usize),
            Value::usize(column),
            Value::from(text),
            known(end, lexer.line as usize),
            known(end, end),
        ]);
        vm.new_exception(class.get(), vec![Value::from(message.as_str()), place.into_value()])
    }

    /// The token as `tokenize` has it.
    fn show(&mut self, token: Token, extra: bool) -> Value {
        let lexer = &self.lexer;
        let kind = token.kind;
        let in_string = matches!(
            kind,
            Kind::String | Kind::StringStart(_) | Kind::StringMiddle(_) | Kind::StringEnd(_)
        );
        let trailing = kind == Kind::EndMarker || (kind == Kind::Dedent && lexer.at_end);
        let mut text = token.span.map_or(String::new(), |(start, end)| lexer.slice(start, end));
        let line_start = if in_string {
            lexer.string_line_start
        } else {
            lexer.line_start
        };
        let (mut line, mut end_line) = (lexer.line, lexer.line);
        if in_string {
            line = lexer.string_line;
        }
        let lines = if extra && trailing {
            Value::from("")
        } else if lexer.line != self.shown.0 {
            Value::from(lexer.lines_from(line_start).as_str())
        } else {
            self.shown.1.clone()
        };
        let shown_as = if kind == Kind::Indent { lexer.line } else { line };
        self.shown = (shown_as, lines.clone());
        let column = |at: usize, start: usize| (at as i64) - (start as i64);
        let (mut begin, mut end) = match token.span {
            Some((start, end)) => (column(start, line_start), column(end, lexer.line_start)),
            None => (-1, -1),
        };
        if extra {
            if trailing {
                line += 1;
                end_line = line;
                (begin, end) = (0, 0);
            } else if kind == Kind::Newline {
                let carriage = token.span.is_some_and(|(start, _)| lexer.char_at(start) == Some('\r'));
                text = match (lexer.implicit_newline, carriage) {
                    (true, _) => String::new(),
                    (_, true) => "\r\n".into(),
                    _ => "\n".into(),
                };
                end += 1;
            } else if kind == Kind::BlankNewline && lexer.implicit_newline {
                text.clear();
            }
        }
        let pair = |line: u32, column: i64| Tuple::pair(Value::int(line.into()), Value::int(column)).into_value();
        let values = [
            Value::int(number(kind, &text, extra)),
            Value::from(text.as_str()),
            pair(line, begin),
            pair(end_line, end),
            lines,
        ];
        Tuple::from_array(values).into_value()
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
        let extra = extra_tokens.unwrap_or(false);
        let state = State {
            lexer: Lexer::new(extra),
            shown: (0, Value::from("")),
        };
        let iterator = TokenizerIter {
            readline: Slot::new(readline.clone()),
            encoding: Slot::from_option(encoding.filter(|e| !e.is_none()).cloned()),
            extra_tokens: extra,
            state: Opaque(Mutex::new(Some(Box::new(state)))),
        };
        Ok(Py::with_class(cls, iterator).into_value())
    }

    #[slot]
    fn __iter__(_: &Vm, this: &Py<TokenizerIter>) -> Value {
        this.to_value()
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<TokenizerIter>) -> Res<Option<Value>> {
        let Some(mut state) = this.state.lock().take() else {
            return Ok(None);
        };
        let (readline, encoding) = (this.readline.get(), this.encoding.get());
        let mut lines = || match &readline {
            Some(readline) => read_line(vm, readline, encoding.as_ref()),
            None => Ok(None),
        };
        match state.lexer.next(&mut lines) {
            Ok(token) => {
                let shown = state.show(token, this.extra_tokens);
                if token.kind != Kind::EndMarker {
                    *this.state.lock() = Some(state);
                }
                Ok(Some(shown))
            }
            Err(Stop::Raised(exc)) => Err(exc),
            Err(Stop::Fault(fault)) => Err(state.raise(vm, fault)),
        }
    }
}

#[pymodule(name = "_tokenize", types(TokenizerIter))]
pub mod module {
    use super::*;
}
