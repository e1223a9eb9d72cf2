//! `SyntaxError` and its place in the source.
//!
//! Invariant: the fields are what the program or the compiler gave; their types are only looked at for `str`.

use super::{BaseException, Exception, no_keywords, object_members, text};
use crate::native::{Args, pyclass, pymethods};
use crate::object::{Py, Slot, Type, TypeFlags, Value};
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// Source that does not parse.
#[pyclass(
    name = "SyntaxError",
    base = Exception,
    basetype,
    dict,
    flags = TypeFlags::EXCEPTION_SUBCLASS,
    doc = "Invalid syntax."
)]
pub struct SyntaxError {
    pub base: Exception,
    pub msg: Slot,
    pub filename: Slot,
    pub lineno: Slot,
    pub offset: Slot,
    pub text: Slot,
    pub end_lineno: Slot,
    pub end_offset: Slot,
    pub print_file_and_line: Slot,
    pub metadata: Slot,
}

object_members!(SyntaxError, define_members:
    msg "msg" "exception msg";
    filename "filename" "exception filename";
    lineno "lineno" "exception lineno";
    offset "offset" "exception offset";
    text "text" "exception text";
    end_lineno "end_lineno" "exception end lineno";
    end_offset "end_offset" "exception end offset";
    print_file_and_line "print_file_and_line" "exception print_file_and_line";
    metadata "_metadata" "exception private metadata";
);

#[pymethods(parts(define_members))]
impl SyntaxError {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        let payload = SyntaxError {
            base: BaseException::payload_of(args).into(),
            msg: Slot::empty(),
            filename: Slot::empty(),
            lineno: Slot::empty(),
            offset: Slot::empty(),
            text: Slot::empty(),
            end_lineno: Slot::empty(),
            end_offset: Slot::empty(),
            print_file_and_line: Slot::empty(),
            metadata: Slot::empty(),
        };
        Ok(Py::with_class(cls, payload).into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Py<SyntaxError>, args: Args<'_>) -> Res<()> {
        no_keywords(vm, this.as_value(), args)?;
        this.base.store_args(args.values);
        if let Some(msg) = args.values.first() {
            this.msg.set(msg.clone());
        }
        let [_, info] = args.values else { return Ok(()) };
        let info = vm.collect(info)?;
        let n = info.len();
        if n < 4 {
            return Err(vm.type_error(format!("function takes at least 4 arguments ({n} given)")));
        }
        if n > 7 {
            return Err(vm.type_error(format!("function takes at most 7 arguments ({n} given)")));
        }
        if n == 5 {
            return Err(vm.type_error("end_offset must be provided when end_lineno is provided"));
        }
        let fields = [
            &this.filename,
            &this.lineno,
            &this.offset,
            &this.text,
            &this.end_lineno,
            &this.end_offset,
            &this.metadata,
        ];
        let mut info = info.into_iter();
        for field in fields {
            drop(field.swap(info.next()));
        }
        Ok(())
    }

    #[slot]
    fn __str__(vm: &Vm, this: &Py<SyntaxError>) -> Res<Value> {
        let msg = vm.str(&this.msg.get().unwrap_or(Value::NONE))?;
        let filename = this
            .filename
            .get()
            .and_then(|f| f.try_into_py::<Str>().ok())
            .map(|f| base_name(&f));
        let lineno = match this.lineno.get() {
            Some(line) if line.is_small_int() => Some(vm.str(&line)?),
            _ => None,
        };
        Ok(match (filename, lineno) {
            (Some(file), Some(line)) => text::joined(&[&msg, &" (", &file, &", line ", &line, &")"]),
            (Some(file), None) => text::joined(&[&msg, &" (", &file, &")"]),
            (None, Some(line)) => text::joined(&[&msg, &" (line ", &line, &")"]),
            (None, None) => msg.into_value(),
        })
    }
}

/// What follows the last slash.
fn base_name(path: &Py<Str>) -> Py<Str> {
    let view = path.view();
    let mut start = 0;
    for (at, code) in view.chars().enumerate() {
        if code == u32::from('/') {
            start = at + 1;
        }
    }
    if start == 0 {
        path.clone()
    } else {
        Str::from_view(view.slice(start..view.len()))
    }
}

/// Where an error was found; lines and columns count from 1.
#[derive(Clone, Debug, Default)]
pub struct SourcePlace {
    pub filename: Option<Value>,
    pub lineno: usize,
    pub offset: usize,
    pub text: Option<Value>,
    pub end_lineno: usize,
    pub end_offset: usize,
}

impl SyntaxError {
    /// The arguments of an exception with that message and place.
    pub fn arguments(message: &str, place: SourcePlace) -> Vec<Value> {
        let none = |value: Option<Value>| value.unwrap_or(Value::NONE);
        let info = vec![
            none(place.filename),
            Value::usize(place.lineno),
            Value::usize(place.offset),
            none(place.text),
            Value::usize(place.end_lineno),
            // -1 where an error has no end.
            Value::int(place.end_offset as i64),
        ];
        vec![Str::from_str(message).into_value(), Tuple::new(info).into_value()]
    }
}
