//! Code objects as the compiler makes them: plain data that the runtime turns into its own code values.
//!
//! Register layout of a frame: `varnames` (parameters first, in CPython's order: positional, keyword-only, `*args`,
//! `**kwargs`), then the `cellvars` that are not parameters, then the `freevars`, then the temporaries up to `nregs`.
//! A cell variable that is a parameter lives in its parameter's register (`MakeCell` wraps it at entry).
//! The variables of inlined comprehensions are `varnames` (or `cellvars`, made by `MakeCell` where the comprehension
//! starts); one whose name the code object already uses for another variable gets a name that starts with a dot.

use crate::{Locations, PackedCode};

/// Text that may hold lone surrogates: code points in one of the two forms.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Text {
    /// Ordinary text.
    Utf8(Box<str>),
    /// Text with lone surrogates, as code points.
    Points(Box<[u32]>),
}

/// A constant. Equal constants of one code object share a slot; `0`, `0.0`, `-0.0` and `False` differ.
#[derive(Clone, PartialEq, Debug)]
pub enum Const {
    None,
    True,
    False,
    Ellipsis,
    Int(i64),
    /// Decimal or other literal digits: value as little-endian bytes of the magnitude (never negative in source, folded ones may be).
    BigInt {
        negative: bool,
        magnitude: Box<[u8]>,
    },
    Float(f64),
    Complex(f64, f64),
    Str(Text),
    Bytes(Box<[u8]>),
    Tuple(Box<[Const]>),
    FrozenSet(Box<[Const]>),
    Slice(Box<[Const; 3]>),
    Code(Box<CodeObject>),
    /// A code object of the packed library that is still in its serial form.
    Packed(PackedCode),
}

/// Bits of `co_flags`, with CPython's values.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct CodeFlags(pub u32);

impl CodeFlags {
    pub const OPTIMIZED: u32 = 0x1;
    pub const NEWLOCALS: u32 = 0x2;
    pub const VARARGS: u32 = 0x4;
    pub const VARKEYWORDS: u32 = 0x8;
    pub const NESTED: u32 = 0x10;
    pub const GENERATOR: u32 = 0x20;
    pub const COROUTINE: u32 = 0x80;
    pub const ITERABLE_COROUTINE: u32 = 0x100;
    pub const ASYNC_GENERATOR: u32 = 0x200;
    pub const FUTURE_BARRY_AS_BDFL: u32 = 0x40_0000;
    pub const FUTURE_ANNOTATIONS: u32 = 0x100_0000;
    pub const HAS_DOCSTRING: u32 = 0x400_0000;
    pub const METHOD: u32 = 0x800_0000;

    /// Whether any bit of `bits` is set.
    pub const fn has(self, bits: u32) -> bool {
        self.0 & bits != 0
    }
}

/// A source span: lines from 1, columns in UTF-8 bytes from 0, end exclusive. `line` 0: no position (artificial code).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Location {
    pub line: u32,
    pub end_line: u32,
    pub col: u32,
    pub end_col: u32,
}

impl Location {
    /// The same place, marked as that of code which belongs to no statement: it has no end.
    #[must_use]
    pub fn silent(self) -> Location {
        Location {
            line: self.line,
            ..Location::default()
        }
    }

    /// Whether tracers are to see no line here.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.end_line == 0
    }
}

/// One row of the exception table, by code word: an exception raised in `start..end` goes to `target`.
/// Rows do not overlap except by nesting; the first row that covers a word is the innermost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExceptionEntry {
    pub start: u32,
    pub end: u32,
    pub target: u32,
    /// Temporaries from this register up are cleared before the handler runs.
    pub depth: u16,
}

/// What the compiler makes of a module, a function, a class body or a lambda.
#[derive(Clone, PartialEq, Debug)]
pub struct CodeObject {
    pub name: Box<str>,
    pub qualname: Box<str>,
    pub filename: Box<str>,
    pub first_line: u32,
    pub flags: CodeFlags,
    /// Positional parameters, the positional-only among them included.
    pub argcount: u32,
    pub posonlyargcount: u32,
    pub kwonlyargcount: u32,
    pub varnames: Vec<Box<str>>,
    pub cellvars: Vec<Box<str>>,
    pub freevars: Vec<Box<str>>,
    pub names: Vec<Box<str>>,
    pub consts: Vec<Const>,
    /// Instructions and zeroed inline cache words.
    pub code: Vec<u64>,
    pub locations: Locations,
    /// Innermost first.
    pub exceptions: Vec<ExceptionEntry>,
    /// Count of registers, the named ones included.
    pub nregs: u32,
}

impl CodeObject {
    /// Count of named registers.
    pub fn nlocals(&self) -> usize {
        self.varnames.len() + self.own_cells().count() + self.freevars.len()
    }

    /// The cell variables that have a register of their own: those that are not parameters.
    pub fn own_cells(&self) -> impl Iterator<Item = &str> {
        let params = &self.varnames[..self.total_args().min(self.varnames.len())];
        self.cellvars
            .iter()
            .map(|c| &**c)
            .filter(move |c| !params.iter().any(|p| **p == **c))
    }

    /// Count of parameters, `*args` and `**kwargs` included.
    pub fn total_args(&self) -> usize {
        (self.argcount + self.kwonlyargcount) as usize
            + self.flags.has(CodeFlags::VARARGS) as usize
            + self.flags.has(CodeFlags::VARKEYWORDS) as usize
    }

    /// The location of the instruction at code word `pc`.
    pub fn location(&self, pc: u32) -> Location {
        self.locations.at(pc)
    }

    /// The innermost handler that covers code word `pc`.
    pub fn handler(&self, pc: u32) -> Option<ExceptionEntry> {
        self.exceptions.iter().find(|e| e.start <= pc && pc < e.end).copied()
    }
}
