//! `types.CodeType`: what the compiler made, with its constants as values and its inline caches.
//!
//! Invariant: instructions never change; cache words are written whole and mean the same to every thread.

use std::sync::atomic::{AtomicU32, AtomicU64};

use lisle_bytecode::{CodeFlags, CodeObject, Const, Location, Text};
use num_bigint::{BigInt, Sign};

use crate::native::{pyclass, pymethods};
use crate::object::{Py, Value};
use crate::text::StrBuilder;
use crate::types::bytes::Bytes;
use crate::types::set::FrozenSet;
use crate::types::slice::Slice;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// A code object.
#[pyclass(name = "code", no_new, weakref)]
pub struct Code {
    pub plain: crate::memory::trace::Opaque<CodeObject>,
    /// Instructions and cache words.
    pub words: Box<[AtomicU64]>,
    pub consts: Vec<Value>,
    /// Interned.
    pub names: Vec<Py<Str>>,
    pub varnames: Vec<Py<Str>>,
    pub cellvars: Vec<Py<Str>>,
    pub freevars: Vec<Py<Str>>,
    pub name: Py<Str>,
    pub qualname: Py<Str>,
    pub filename: Py<Str>,
    pub nlocals: u16,
    pub nregs: u32,
    pub argcount: u32,
    pub kwonly: u32,
    pub flags: u32,
    /// Set when a call of it can take the short path: positional parameters only.
    pub simple_args: bool,
    /// The count of arguments that a call on the shortest path has; `u32::MAX` when there is none.
    pub exact_args: u32,
    /// First register of the free variables.
    pub first_free: u16,
    /// Calls so far; for a later tier.
    pub calls: AtomicU32,
}

/// The text of a constant.
pub fn text_value(text: &Text) -> Py<Str> {
    match text {
        Text::Utf8(s) => Str::from_str(s),
        Text::Points(points) => {
            let mut builder = StrBuilder::new();
            points.iter().for_each(|&c| builder.push(c));
            Str::from_buf(builder.finish())
        }
    }
}

fn looks_like_name(s: &Py<Str>) -> bool {
    s.as_ascii()
        .is_some_and(|t| t.len() <= 40 && t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

fn const_value(vm: &Vm, constant: &Const) -> Res<Value> {
    Ok(match constant {
        Const::None => Value::NONE,
        Const::True => Value::TRUE,
        Const::False => Value::FALSE,
        Const::Ellipsis => Value::ELLIPSIS,
        Const::Int(i) => Value::int(*i),
        Const::BigInt { negative, magnitude } => Value::bigint(BigInt::from_bytes_le(
            if *negative { Sign::Minus } else { Sign::Plus },
            magnitude,
        )),
        Const::Float(x) => Value::float(*x),
        Const::Complex(re, im) => crate::types::complex::boxed(*re, *im),
        Const::Str(text) => {
            let s = text_value(text);
            if looks_like_name(&s) {
                s.intern_new().into_value()
            } else {
                s.into_value()
            }
        }
        Const::Bytes(b) => Bytes::new_value(b.clone()),
        Const::Tuple(items) => {
            let items = items.iter().map(|c| const_value(vm, c)).collect::<Res<Vec<_>>>()?;
            Tuple::new(items).into_value()
        }
        Const::FrozenSet(items) => {
            let items = items.iter().map(|c| const_value(vm, c)).collect::<Res<Vec<_>>>()?;
            FrozenSet::from_values(vm, items)?
        }
        Const::Slice(parts) => {
            let [a, b, c] = &**parts;
            Slice::new_value(const_value(vm, a)?, const_value(vm, b)?, const_value(vm, c)?)
        }
        Const::Code(inner) => Code::new(vm, (**inner).clone())?.into_value(),
    })
}

impl Code {
    /// The code value of what the compiler made.
    pub fn new(vm: &Vm, mut plain: CodeObject) -> Res<Py<Code>> {
        let consts = std::mem::take(&mut plain.consts);
        let consts = consts.iter().map(|c| const_value(vm, c)).collect::<Res<Vec<_>>>()?;
        let words = std::mem::take(&mut plain.code)
            .into_iter()
            .map(AtomicU64::new)
            .collect();
        let intern = |names: &[Box<str>]| names.iter().map(|n| Str::intern(n)).collect::<Vec<_>>();
        let nlocals = plain.nlocals();
        let flags = plain.flags.0;
        let simple = plain.kwonlyargcount == 0 && flags & (CodeFlags::VARARGS | CodeFlags::VARKEYWORDS) == 0;
        let (Ok(nlocals), Ok(nregs)) = (u16::try_from(nlocals), u16::try_from(plain.nregs)) else {
            return Err(vm.system_error("too many registers in a code object"));
        };
        Ok(Py::new(Code {
            words,
            consts,
            names: intern(&plain.names),
            varnames: intern(&plain.varnames),
            cellvars: intern(&plain.cellvars),
            freevars: intern(&plain.freevars),
            name: Str::intern(&plain.name),
            qualname: Str::intern(&plain.qualname),
            filename: Str::intern(&plain.filename),
            nlocals,
            nregs: u32::from(nregs),
            argcount: plain.argcount,
            kwonly: plain.kwonlyargcount,
            flags,
            simple_args: simple,
            exact_args: if simple { plain.argcount } else { u32::MAX },
            first_free: nlocals - plain.freevars.len() as u16,
            calls: AtomicU32::new(0),
            plain: crate::memory::trace::Opaque(plain),
        }))
    }

    pub fn has(&self, flags: u32) -> bool {
        self.flags & flags != 0
    }

    /// The source span of the instruction at word `pc`.
    pub fn location(&self, pc: u32) -> Location {
        self.plain.location(pc)
    }

    /// The name of named register `i`.
    pub fn register_name(&self, i: usize) -> Option<&Py<Str>> {
        if let Some(name) = self.varnames.get(i) {
            return Some(name);
        }
        let cells = self.cellvars.iter().filter(|c| !self.varnames.iter().any(|v| v.is(c)));
        cells.chain(&self.freevars).nth(i - self.varnames.len())
    }

    /// Whether named register `i` holds a cell.
    pub fn is_cell(&self, i: usize) -> bool {
        i >= self.varnames.len() || self.cellvars.iter().any(|c| c.is(&self.varnames[i]))
    }

    fn name_tuple(names: &[Py<Str>]) -> Value {
        Tuple::new(names.iter().map(|n| n.to_value()).collect()).into_value()
    }
}

#[pymethods(parts(define_methods))]
impl Code {
    #[getter(member)]
    fn co_name(_: &Vm, this: &Py<Code>) -> Value {
        this.name.to_value()
    }
    #[getter(member)]
    fn co_qualname(_: &Vm, this: &Py<Code>) -> Value {
        this.qualname.to_value()
    }
    #[getter(member)]
    fn co_filename(_: &Vm, this: &Py<Code>) -> Value {
        this.filename.to_value()
    }
    #[getter(member)]
    fn co_firstlineno(_: &Vm, this: &Py<Code>) -> i64 {
        this.plain.first_line.into()
    }
    #[getter(member)]
    fn co_flags(_: &Vm, this: &Py<Code>) -> i64 {
        this.flags.into()
    }
    #[getter(member)]
    fn co_argcount(_: &Vm, this: &Py<Code>) -> i64 {
        this.argcount.into()
    }
    #[getter(member)]
    fn co_posonlyargcount(_: &Vm, this: &Py<Code>) -> i64 {
        this.plain.posonlyargcount.into()
    }
    #[getter(member)]
    fn co_kwonlyargcount(_: &Vm, this: &Py<Code>) -> i64 {
        this.kwonly.into()
    }
    #[getter(member)]
    fn co_nlocals(_: &Vm, this: &Py<Code>) -> i64 {
        this.varnames.len() as i64
    }
    #[getter(member)]
    fn co_stacksize(_: &Vm, this: &Py<Code>) -> i64 {
        i64::from(this.nregs) - i64::from(this.nlocals)
    }
    #[getter(member)]
    fn co_names(_: &Vm, this: &Py<Code>) -> Value {
        Code::name_tuple(&this.names)
    }
    #[getter]
    fn co_varnames(_: &Vm, this: &Py<Code>) -> Value {
        Code::name_tuple(&this.varnames)
    }
    #[getter]
    fn co_cellvars(_: &Vm, this: &Py<Code>) -> Value {
        Code::name_tuple(&this.cellvars)
    }
    #[getter]
    fn co_freevars(_: &Vm, this: &Py<Code>) -> Value {
        Code::name_tuple(&this.freevars)
    }
    #[getter(member)]
    fn co_consts(_: &Vm, this: &Py<Code>) -> Value {
        Tuple::new(this.consts.clone()).into_value()
    }

    /// Return the line numbers of the code as an iterator of (start, end, line).
    #[pymethod(sig = "($self, /)")]
    fn co_lines(vm: &Vm, this: &Py<Code>) -> Res<Value> {
        let runs = &this.plain.locations;
        let end = this.words.len() as u32;
        let rows = runs.iter().enumerate().map(|(i, (start, location))| {
            let stop = runs.get(i + 1).map_or(end, |r| r.0);
            let line = if location.line == 0 {
                Value::NONE
            } else {
                Value::int(location.line.into())
            };
            Tuple::new(vec![
                Value::int((start * 2).into()),
                Value::int((stop * 2).into()),
                line,
            ])
            .into_value()
        });
        let tuple = Tuple::new(rows.collect()).into_value();
        vm.iter(&tuple)
    }

    /// Return the source positions of the code as an iterator of (line, end line, column, end column).
    #[pymethod(sig = "($self, /)")]
    fn co_positions(vm: &Vm, this: &Py<Code>) -> Res<Value> {
        let rows = (0..this.words.len() as u32).map(|pc| {
            let l = this.location(pc);
            let field = |x: u32| if l.line == 0 { Value::NONE } else { Value::int(x.into()) };
            Tuple::new(vec![field(l.line), field(l.end_line), field(l.col), field(l.end_col)]).into_value()
        });
        let tuple = Tuple::new(rows.collect()).into_value();
        vm.iter(&tuple)
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<Code>) -> String {
        format!(
            "<code object {} at {:#x}, file \"{}\", line {}>",
            this.name.to_string_lossy(),
            this.as_ptr() as usize,
            this.filename.to_string_lossy(),
            this.plain.first_line
        )
    }
}
