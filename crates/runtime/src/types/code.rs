//! `types.CodeType`: what the compiler made, with its constants as values and its inline caches.
//!
//! Code of the packed library is read when something looks at it, function by function: of most functions of a module that is imported,
//! nothing but the name is ever needed.
//! Invariants: the body of a code object never changes once it is there; instructions never change; cache words are written whole and mean
//! the same to every thread. Frames exist only of code that has its body.

use std::ops::Deref;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64};

use lisle_bytecode::{CodeFlags, CodeObject, Const, Location, Locations, PackedCode, Text};
use num_bigint::{BigInt, Sign};

use crate::memory::trace::{Opaque, Trace, Visitor};
use crate::native::{pyclass, pymethods};
use crate::object::{Obj, Py, Value};
use crate::text::StrBuilder;
use crate::types::bytes::Bytes;
use crate::types::set::FrozenSet;
use crate::types::slice::Slice;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

pub use super::code_methods::instruction_name;

/// The column of a location that is a line alone.
pub const NO_COLUMN: u32 = u32::MAX;

/// A code object. Everything but the fields here is in its [`CodeBody`].
#[pyclass(name = "code", weakref)]
pub struct Code {
    pub name: Py<Str>,
    pub qualname: Py<Str>,
    pub flags: u32,
    /// The count of arguments that a call on the shortest path has; `u32::MAX` when there is none, and until the body was read.
    pub exact_args: AtomicU32,
    body: BodyCell,
    /// Where the body is read from.
    packed: Opaque<Option<PackedCode>>,
}

/// What it takes to run a code object.
pub struct CodeBody {
    /// The code object that this is the body of.
    pub(crate) owner: AtomicPtr<Code>,
    /// Without the parts that are here in another form.
    pub plain: CodeObject,
    /// Instructions and cache words.
    pub words: Box<[AtomicU64]>,
    pub consts: Box<[Value]>,
    /// Interned.
    pub names: Box<[Py<Str>]>,
    pub varnames: Box<[Py<Str>]>,
    pub cellvars: Box<[Py<Str>]>,
    pub freevars: Box<[Py<Str>]>,
    pub filename: Py<Str>,
    pub nlocals: u16,
    pub nregs: u32,
    pub argcount: u32,
    pub kwonly: u32,
    /// Whether a call of it can take the short path: positional parameters only.
    pub simple_args: bool,
    /// Whether there are plain parameters, then `*args`, `**kwargs` or both, no others, and a call makes no generator.
    pub takes_rest: bool,
    /// First register of the free variables.
    pub first_free: u16,
}

/// Holds the body of a code object, once it was read. Set once.
struct BodyCell(AtomicPtr<CodeBody>);

impl Trace for BodyCell {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        // SAFETY: null, or a body that lives as long as the cell.
        if let Some(body) = unsafe { self.0.load(Acquire).as_ref() } {
            body.consts.traverse(visit);
            for names in [&body.names, &body.varnames, &body.cellvars, &body.freevars] {
                names.traverse(visit);
            }
            body.filename.traverse(visit);
        }
    }
}

impl Drop for BodyCell {
    fn drop(&mut self) {
        let body = *self.0.get_mut();
        if !body.is_null() {
            // SAFETY: a box from `Code::set_body`, owned by this cell.
            drop(unsafe { Box::from_raw(body) });
        }
    }
}

impl Deref for Code {
    type Target = CodeBody;

    #[inline(always)]
    fn deref(&self) -> &CodeBody {
        // SAFETY: null, or a body that lives as long as the code object.
        match unsafe { self.body.0.load(Acquire).as_ref() } {
            Some(body) => body,
            None => self.read_body(),
        }
    }
}

impl CodeBody {
    /// Whether named register `i` holds a cell.
    pub fn is_cell(&self, i: usize) -> bool {
        i >= self.varnames.len() || self.cellvars.iter().any(|c| c.is(&self.varnames[i]))
    }

    /// The code object.
    pub fn code(&self) -> &Code {
        // SAFETY: set when the body is put into its code object, which owns it and does not move.
        unsafe { &*self.owner.load(std::sync::atomic::Ordering::Relaxed) }
    }
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

fn const_value(vm: &Vm, constant: Const) -> Res<Value> {
    Ok(match constant {
        Const::None => Value::NONE,
        Const::True => Value::TRUE,
        Const::False => Value::FALSE,
        Const::Ellipsis => Value::ELLIPSIS,
        Const::Int(i) => Value::int(i),
        Const::BigInt { negative, magnitude } => Value::bigint(BigInt::from_bytes_le(
            if negative { Sign::Minus } else { Sign::Plus },
            &magnitude,
        )),
        Const::Float(x) => Value::float(x),
        Const::Complex(re, im) => crate::types::complex::boxed(re, im),
        Const::Str(text) => {
            let s = text_value(&text);
            if looks_like_name(&s) {
                s.intern_new().into_value()
            } else {
                s.into_value()
            }
        }
        Const::Bytes(b) => Bytes::new_value(b),
        Const::Tuple(items) => Tuple::new(const_values(vm, items.into_vec())?).into_value(),
        Const::FrozenSet(items) => FrozenSet::from_values(vm, const_values(vm, items.into_vec())?)?,
        Const::Slice(parts) => {
            let [a, b, c] = *parts;
            Slice::new_value(const_value(vm, a)?, const_value(vm, b)?, const_value(vm, c)?)
        }
        Const::Code(inner) => Code::new(vm, *inner)?.into_value(),
        Const::Packed(packed) => Code::unread(vm, packed)?.into_value(),
    })
}

fn const_values(vm: &Vm, constants: impl IntoIterator<Item = Const>) -> Res<Vec<Value>> {
    constants
        .into_iter()
        .map(|constant| const_value(vm, constant))
        .collect()
}

/// A code object whose constants are being made.
struct Unfinished {
    plain: CodeObject,
    left: std::vec::IntoIter<Const>,
    consts: Vec<Value>,
}

impl Unfinished {
    fn new(mut plain: CodeObject) -> Unfinished {
        let left = std::mem::take(&mut plain.consts);
        Unfinished {
            plain,
            consts: Vec::with_capacity(left.len()),
            left: left.into_iter(),
        }
    }
}

/// The body that `plain` describes.
fn make_body(vm: &Vm, mut plain: CodeObject, consts: Vec<Value>) -> Res<CodeBody> {
    if crate::interp::no_debug_ranges() {
        plain.locations = Locations::pack(plain.locations.iter().map(|(start, mut location)| {
            if !location.is_silent() {
                (location.end_line, location.col, location.end_col) = (location.line, NO_COLUMN, NO_COLUMN);
            }
            (start, location)
        }));
    }
    let words = std::mem::take(&mut plain.code)
        .into_iter()
        .map(AtomicU64::new)
        .collect();
    let nlocals = plain.nlocals();
    let simple = plain.kwonlyargcount == 0 && !plain.flags.has(CodeFlags::VARARGS | CodeFlags::VARKEYWORDS);
    let generators = CodeFlags::GENERATOR | CodeFlags::COROUTINE | CodeFlags::ASYNC_GENERATOR;
    let takes_rest = plain.kwonlyargcount == 0 && !simple && !plain.flags.has(generators);
    let (Ok(nlocals), Ok(nregs)) = (u16::try_from(nlocals), u16::try_from(plain.nregs)) else {
        return Err(vm.system_error("too many registers in a code object"));
    };
    let intern = |names: &mut Vec<Box<str>>| {
        std::mem::take(names)
            .iter()
            .map(|n| Str::intern(n))
            .collect::<Box<[_]>>()
    };
    let freevars = intern(&mut plain.freevars);
    plain.exceptions.shrink_to_fit();
    Ok(CodeBody {
        owner: AtomicPtr::default(),
        words,
        consts: consts.into(),
        names: intern(&mut plain.names),
        varnames: intern(&mut plain.varnames),
        cellvars: intern(&mut plain.cellvars),
        filename: Str::intern(&std::mem::take(&mut plain.filename)),
        nlocals,
        nregs: u32::from(nregs),
        argcount: plain.argcount,
        kwonly: plain.kwonlyargcount,
        simple_args: simple,
        takes_rest,
        first_free: nlocals - freevars.len() as u16,
        freevars,
        plain,
    })
}

impl Code {
    /// The code value of what the compiler made.
    pub fn new(vm: &Vm, plain: CodeObject) -> Res<Py<Code>> {
        // Functions are nested as deep as expressions are, so this is no recursion.
        let mut outer: Vec<Unfinished> = Vec::new();
        let mut current = Unfinished::new(plain);
        loop {
            match current.left.next() {
                Some(Const::Code(inner)) => outer.push(std::mem::replace(&mut current, Unfinished::new(*inner))),
                Some(constant) => current.consts.push(const_value(vm, constant)?),
                None => {
                    let Unfinished { mut plain, consts, .. } = current;
                    let name = Str::intern(&std::mem::take(&mut plain.name));
                    let qualname = Str::intern(&std::mem::take(&mut plain.qualname));
                    let code = Code::with_body(name, qualname, make_body(vm, plain, consts)?);
                    match outer.pop() {
                        Some(unfinished) => current = unfinished,
                        None => return Ok(code),
                    }
                    current.consts.push(code.into_value());
                }
            }
        }
    }

    /// A code object with this body, whose flags are those of `plain`.
    pub(crate) fn with_body(name: Py<Str>, qualname: Py<Str>, body: CodeBody) -> Py<Code> {
        let code = Py::new(Code {
            name,
            qualname,
            flags: body.plain.flags.0,
            exact_args: AtomicU32::new(u32::MAX),
            body: BodyCell(AtomicPtr::default()),
            packed: Opaque(None),
        });
        code.set_body(body);
        code
    }

    /// The code value of what is packed into the binary. Its body is read when it is needed.
    fn unread(vm: &Vm, packed: PackedCode) -> Res<Py<Code>> {
        let head = packed
            .head()
            .map_err(|e| vm.system_error(format!("packed code: {e}")))?;
        let code = Py::new(Code {
            name: Str::intern(head.name),
            qualname: Str::intern(head.qualname),
            flags: head.flags.0,
            exact_args: AtomicU32::new(u32::MAX),
            body: BodyCell(AtomicPtr::default()),
            packed: Opaque(Some(packed)),
        });
        if crate::sync::parallel() {
            crate::memory::distributed::distribute(code.header());
        }
        Ok(code)
    }

    /// Whether it is a function of the packed library, as that has it.
    pub fn is_packed(&self) -> bool {
        self.packed.is_some()
    }

    /// Whether a call makes a generator, coroutine or asynchronous generator.
    #[inline(always)]
    pub(crate) fn makes_generator(&self) -> bool {
        self.flags & (CodeFlags::GENERATOR | CodeFlags::COROUTINE | CodeFlags::ASYNC_GENERATOR) != 0
    }

    /// Puts the body in, unless another thread was faster.
    fn set_body(&self, body: CodeBody) -> &CodeBody {
        body.owner.store(
            std::ptr::from_ref(self).cast_mut(),
            std::sync::atomic::Ordering::Relaxed,
        );
        let exact = if body.simple_args && !self.makes_generator() {
            body.argcount
        } else {
            u32::MAX
        };
        let body = Box::into_raw(Box::new(body));
        let set = self
            .body
            .0
            .compare_exchange(std::ptr::null_mut(), body, Release, Acquire);
        // SAFETY: the cell owns the body that is in it; one that was not put in is this thread's.
        match set {
            Ok(_) => {
                self.exact_args.store(exact, Release);
                unsafe { &*body }
            }
            Err(other) => unsafe {
                drop(Box::from_raw(body));
                &*other
            },
        }
    }

    #[cold]
    #[inline(never)]
    fn read_body(&self) -> &CodeBody {
        let vm = Vm::current();
        let packed = self.packed.expect("code without a body is packed code");
        let mut plain = packed.load().expect("the build wrote the library");
        let consts = const_values(vm, std::mem::take(&mut plain.consts));
        let Ok(body) = consts.and_then(|consts| make_body(vm, plain, consts)) else {
            unreachable!("the build made the constants of the library's code")
        };
        if crate::sync::parallel() {
            crate::memory::distributed::share_constants(&body.consts);
        }
        self.set_body(body)
    }

    /// The body of code that runs or ran.
    ///
    /// # Safety
    /// The body was read.
    #[inline(always)]
    pub(crate) unsafe fn body_unchecked(&self) -> &CodeBody {
        // SAFETY: by contract; it lives as long as the code object.
        unsafe { &*self.body.0.load(Acquire) }
    }

    /// The body, if it was read.
    pub(crate) fn body_so_far(&self) -> Option<&CodeBody> {
        // SAFETY: null, or a body that lives as long as the code object.
        unsafe { self.body.0.load(Acquire).as_ref() }
    }

    /// A reference to the code object that `self` is the payload of.
    pub(crate) fn to_object(&self) -> Py<Code> {
        (*self.borrowed_object()).clone()
    }

    /// The code object that `self` is the payload of, not counted: it stays as long as `self` is borrowed.
    #[inline]
    pub(crate) fn borrowed_object(&self) -> std::mem::ManuallyDrop<Py<Code>> {
        // SAFETY: code objects are only ever payloads of heap objects; the header lies before the payload.
        unsafe {
            let object = std::ptr::from_ref(self).byte_sub(std::mem::offset_of!(Obj<Code>, data));
            let object = std::ptr::NonNull::new_unchecked(object.cast_mut().cast());
            std::mem::ManuallyDrop::new(Py::<Code>::from_raw(object))
        }
    }

    /// The plain form without constants and instructions.
    pub fn to_plain(&self) -> CodeObject {
        let boxed = |names: &[Py<Str>]| names.iter().map(|name| name.to_string_lossy().into()).collect();
        CodeObject {
            name: self.name.to_string_lossy().into(),
            qualname: self.qualname.to_string_lossy().into(),
            filename: self.filename.to_string_lossy().into(),
            varnames: boxed(&self.varnames),
            cellvars: boxed(&self.cellvars),
            freevars: boxed(&self.freevars),
            names: boxed(&self.names),
            ..self.plain.clone()
        }
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
        cells.chain(self.freevars.iter()).nth(i - self.varnames.len())
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
        Tuple::new(this.consts.to_vec()).into_value()
    }

    /// Return the line numbers of the code as an iterator of (start, end, line).
    #[pymethod(sig = "($self, /)")]
    fn co_lines(vm: &Vm, this: &Py<Code>) -> Res<Value> {
        let end = this.words.len() as u32;
        // Neighbours on the same line are one entry.
        let mut starts: Vec<(u32, Location)> = Vec::new();
        for (start, location) in this.plain.locations.iter() {
            if starts.last().is_none_or(|(_, last)| last.line != location.line) {
                starts.push((start, location));
            }
        }
        let stops = starts.iter().skip(1).map(|run| run.0).chain([end]);
        let rows = starts.iter().zip(stops).map(|(&(start, location), stop)| {
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
        let mut runs = this.plain.locations.iter().peekable();
        let mut l = Location::default();
        let rows = (0..this.words.len() as u32).map(|pc| {
            if let Some((_, next)) = runs.next_if(|&(start, _)| start <= pc) {
                l = next;
            }
            if l.is_silent() {
                (l.end_line, l.col) = (l.line, NO_COLUMN);
            }
            let whole = l.col != NO_COLUMN;
            let field = |known: bool, x: u32| if known { Value::int(x.into()) } else { Value::NONE };
            let fields = [
                field(l.line != 0, l.line),
                field(l.line != 0, l.end_line),
                field(whole, l.col),
                field(whole, l.end_col),
            ];
            Tuple::new(fields.to_vec()).into_value()
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
