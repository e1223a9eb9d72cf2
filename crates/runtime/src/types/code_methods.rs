//! What Python code sees of code objects beyond plain fields: comparison, positions, branches, `replace`.
//!
//! A word of code counts as two bytes, so that `co_code`, `f_lasti`, `co_lines` and `co_positions` agree with each other. Left out: making code
//! from other instructions than the interpreter's own. `co_exceptiontable` holds them whole, with the handlers and positions, so that a
//! code object can be made again of its attributes, in another process too; what is made has passed the verifier.

use lisle_bytecode::opcode::{CmpOp, Format};
use lisle_bytecode::{CodeFlags, CodeObject, Instr, Location, Op, listing};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicPtr, AtomicU64};

use super::bytes::Bytes;
use super::code::{Code, NO_COLUMN};
use super::exceptions;
use super::list::List;
use super::tuple::Tuple;
use crate::import::code_data::{constant, plain, without_constants};
use crate::intern;
use crate::native::{Args, KwArgs, pymethods};
use crate::object::{Native, Py, Type, Value};
use crate::types::code::CodeBody;
use crate::types::int::Int;
use crate::types::str::Str;
use crate::vm::{Res, Vm};

impl Code {
    /// The places of the instructions, cache words left out.
    fn instructions(&self) -> impl Iterator<Item = (usize, Instr)> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let word = Instr(self.words.get(at)?.load(Relaxed));
            let here = at;
            let number = word.op_number() as usize;
            at += 1 + Op::ALL.get(number).map_or(0, |op| op.cache_words());
            Some((here, word))
        })
    }

    /// Two bytes a word: the operation and part of its operand; cache words are zero.
    fn code_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.words.len() * 2];
        for (at, instr) in self.instructions() {
            bytes[at * 2] = instr.op_number();
            bytes[at * 2 + 1] = instr.a() as u8;
        }
        bytes
    }

    /// The places as CPython encodes them (Objects/locations.md): entries of up to eight words each.
    fn line_table(&self) -> Vec<u8> {
        const NONE: u8 = 15;
        const LONG: u8 = 14;
        const LINE_ONLY: u8 = 13;
        let mut table = Vec::new();
        let mut line = i64::from(self.plain.first_line);
        let runs: Vec<(u32, Location)> = self.plain.locations.iter().collect();
        let size = self.words.len() as u32;
        let first = runs.first().map_or(size, |run| run.0);
        let whole = std::iter::once((0, Location::default())).chain(runs.iter().copied());
        let ends = std::iter::once(first)
            .chain(runs.iter().skip(1).map(|run| run.0))
            .chain([size]);
        for ((start, place), end) in whole.zip(ends) {
            let mut left = end.saturating_sub(start);
            while left > 0 {
                let words = left.min(8);
                left -= words;
                let form = match place {
                    Location { line: 0, .. } => NONE,
                    Location { col: NO_COLUMN, .. } | Location { end_line: 0, .. } => LINE_ONLY,
                    _ => LONG,
                };
                table.push(0x80 | form << 3 | (words - 1) as u8);
                if form == NONE {
                    continue;
                }
                let step = i64::from(place.line) - line;
                line += step;
                varint(&mut table, step.unsigned_abs() << 1 | u64::from(step < 0));
                if form == LONG {
                    varint(&mut table, place.end_line.saturating_sub(place.line).into());
                    varint(&mut table, u64::from(place.col) + 1);
                    varint(&mut table, u64::from(place.end_col) + 1);
                }
            }
        }
        table
    }

    /// The words with empty caches.
    fn fresh_words(&self) -> Box<[AtomicU64]> {
        let mut words: Vec<u64> = vec![0; self.words.len()];
        for (at, instr) in self.instructions() {
            words[at] = instr.0;
            if instr.op_number() == Op::CallKw as u8
                && let Some(names) = self.words.get(at + 2)
            {
                // The second cache word is an operand.
                words[at + 2] = names.load(Relaxed);
            }
        }
        words.into_iter().map(AtomicU64::new).collect()
    }

    fn same_code(&self, other: &Code) -> bool {
        let fresh = |code: &Code| -> Vec<u64> { code.fresh_words().iter().map(|word| word.load(Relaxed)).collect() };
        self.words.len() == other.words.len() && fresh(self) == fresh(other)
    }
}

/// Six bits a byte, the lowest first; bit 6 says that more follow.
fn varint(table: &mut Vec<u8>, mut value: u64) {
    while value >= 64 {
        table.push(value as u8 & 63 | 64);
        value >>= 6;
    }
    table.push(value as u8);
}

fn names_of(vm: &Vm, given: Option<&Py<Tuple>>, old: &[Py<Str>], what: &str) -> Res<Vec<Py<Str>>> {
    let Some(given) = given else {
        return Ok(old.to_vec());
    };
    let names = given.as_slice().iter().map(|name| match name.downcast::<Str>() {
        Some(name) => Ok(name.clone().intern_new()),
        None => {
            let found = name.ty().name();
            Err(vm.type_error(format!("name tuples must contain only strings, not '{found}'")))
        }
    });
    let names = names.collect::<Res<Vec<_>>>()?;
    if names.len() != old.len() {
        return Err(vm.value_error(format!("code: {what} must have {} items", old.len())));
    }
    Ok(names)
}

fn count(vm: &Vm, given: Option<i64>, old: u32, what: &str) -> Res<u32> {
    match given {
        None => Ok(old),
        Some(given) => u32::try_from(given).map_err(|_| vm.value_error(format!("code: {what} must not be negative"))),
    }
}

/// Whether the constant can stand in for another: instructions rely on the kind of tuples and code objects.
fn replaceable(old: &Value, new: &Value) -> bool {
    match (old.downcast_exact::<Code>(), new.downcast_exact::<Code>()) {
        (Some(old), Some(new)) => old.freevars.len() == new.freevars.len(),
        (None, None) => match (old.downcast_exact::<Tuple>(), new.downcast_exact::<Tuple>()) {
            (Some(old), Some(new)) => old.len() == new.len(),
            (old, _) => old.is_none(),
        },
        _ => false,
    }
}

/// Whether two constants are the same to the compiler, which tells them apart by type and by the sign of a zero.
fn same_constant(vm: &Vm, a: &Value, b: &Value) -> Res<bool> {
    if !a.ty().is(b.ty()) || !vm.eq(a, b)? {
        return Ok(false);
    }
    // Only some kinds of constants can have zeros in them.
    let zeros = ![Str::ty(), Int::ty(), Bytes::ty(), Code::ty()]
        .iter()
        .any(|ty| a.ty().is(ty));
    Ok(!zeros || vm.repr(a)?.text_eq(&*vm.repr(b)?))
}

fn texts(vm: &Vm, names: &Py<Tuple>) -> Res<Vec<Box<str>>> {
    let text = |name: &Value| match name.downcast::<Str>() {
        Some(name) => Ok(name.to_string_lossy().into()),
        None => {
            let found = name.ty().name();
            Err(vm.type_error(format!("name tuples must contain only strings, not '{found}'")))
        }
    };
    names.as_slice().iter().map(text).collect()
}

/// What instructions rely on: the parameters, and which of the named registers hold cells.
/// `None` if the counts are out of all bounds.
fn layout(code: &CodeObject) -> Option<(usize, Vec<bool>, usize, usize)> {
    let most = u32::from(u16::MAX);
    if code.argcount > most || code.kwonlyargcount > most {
        return None;
    }
    let is_cell = |name: &str| code.cellvars.iter().any(|cell| **cell == *name);
    Some((
        code.total_args(),
        code.varnames.iter().map(|name| is_cell(name)).collect(),
        code.own_cells().count(),
        code.freevars.len(),
    ))
}

/// `LoadGlobal` as LOAD_GLOBAL.
pub fn instruction_name(op: Op) -> String {
    let mut name = String::new();
    for c in op.name().chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_uppercase());
    }
    name
}

#[pymethods(part = define_methods)]
impl Code {
    #[slot(
        sig = "(argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize, flags, codestring, constants, names, varnames, filename, name, qualname, firstlineno, linetable, exceptiontable, freevars=(), cellvars=(), /)"
    )]
    fn __new__(
        vm: &Vm,
        _cls: &Py<Type>,
        argcount: i64,
        posonlyargcount: i64,
        kwonlyargcount: i64,
        nlocals: i64,
        stacksize: i64,
        flags: i64,
        codestring: &Py<Bytes>,
        constants: &Py<Tuple>,
        names: &Py<Tuple>,
        varnames: &Py<Tuple>,
        filename: &Py<Str>,
        name: &Py<Str>,
        qualname: &Py<Str>,
        firstlineno: i64,
        _linetable: &Py<Bytes>,
        exceptiontable: &Py<Bytes>,
        freevars: Option<&Py<Tuple>>,
        cellvars: Option<&Py<Tuple>>,
    ) -> Res<Value> {
        crate::audit::audit(vm, "code.__new__", || {
            let numbers = [argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize, flags].map(Value::int);
            let [a, b, c, d, e, f] = numbers;
            [
                codestring.to_value(),
                filename.to_value(),
                name.to_value(),
                a,
                b,
                c,
                d,
                e,
                f,
            ]
        })?;
        let mut plain = lisle_bytecode::deserialize_unverified(exceptiontable.as_slice())
            .map_err(|error| vm.value_error(format!("code: exceptiontable is not that of a code object: {error}")))?;
        let instructions_layout = layout(&plain);
        plain.argcount = count(vm, Some(argcount), 0, "argcount")?;
        plain.posonlyargcount = count(vm, Some(posonlyargcount), 0, "posonlyargcount")?;
        plain.kwonlyargcount = count(vm, Some(kwonlyargcount), 0, "kwonlyargcount")?;
        plain.flags = CodeFlags(count(vm, Some(flags), 0, "flags")?);
        plain.first_line = count(vm, Some(firstlineno), 0, "firstlineno")?;
        plain.names = texts(vm, names)?;
        plain.varnames = texts(vm, varnames)?;
        plain.freevars = freevars.map_or(Ok(Vec::new()), |names| texts(vm, names))?;
        plain.cellvars = cellvars.map_or(Ok(Vec::new()), |names| texts(vm, names))?;
        plain.filename = filename.to_string_lossy().into();
        plain.name = name.to_string_lossy().into();
        plain.qualname = qualname.to_string_lossy().into();
        if nlocals != plain.varnames.len() as i64 {
            return Err(vm.value_error("code: co_nlocals != len(co_varnames)"));
        }
        let new_layout = layout(&plain);
        if new_layout.is_none() || new_layout != instructions_layout {
            return Err(vm.value_error("code: varnames, cellvars and freevars do not fit the instructions"));
        }
        let constants = constants.as_slice().iter().map(|value| constant(vm, value));
        plain.consts = constants.collect::<Res<_>>()?;
        lisle_bytecode::verify(&plain).map_err(|error| vm.value_error(format!("code: {error}")))?;
        let code = Code::new(vm, plain)?;
        if code.code_bytes() != codestring.as_slice() {
            return Err(vm.value_error("code: codestring and exceptiontable are not of the same code object"));
        }
        Ok(code.into_value())
    }

    #[slot]
    fn __hash__(vm: &Vm, this: &Py<Code>) -> Res<i64> {
        let counts = [this.argcount, this.kwonly, this.flags, this.plain.first_line];
        let mut hash = this.name.hash();
        for count in counts {
            hash = hash.wrapping_mul(1_000_003) ^ i64::from(count);
        }
        for constant in &*this.consts {
            hash = hash.wrapping_mul(1_000_003) ^ vm.hash(constant)?;
        }
        for name in this.names.iter().chain(&this.varnames) {
            hash = hash.wrapping_mul(1_000_003) ^ name.hash();
        }
        Ok(if hash == -1 { -2 } else { hash })
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<Code>, other: &Value, op: CmpOp) -> Res<Value> {
        let Some(other) = other.downcast_exact::<Code>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let names = |code: &Code| {
            let all = [&code.names, &code.varnames, &code.cellvars, &code.freevars];
            all.into_iter()
                .flatten()
                .map(|name| name.as_value().bits())
                .collect::<Vec<_>>()
        };
        let mut same = this.is(other)
            || this.name.text_eq(&other.name)
                && this.argcount == other.argcount
                && this.plain.posonlyargcount == other.plain.posonlyargcount
                && this.kwonly == other.kwonly
                && this.flags == other.flags
                && this.plain.first_line == other.plain.first_line
                && names(this) == names(other)
                && this.consts.len() == other.consts.len()
                && this.plain.locations == other.plain.locations
                && this.plain.exceptions == other.plain.exceptions
                && this.same_code(other);
        if same && !this.is(other) {
            for (a, b) in this.consts.iter().zip(other.consts.iter()) {
                if !same_constant(vm, a, b)? {
                    same = false;
                    break;
                }
            }
        }
        Ok(Value::from_bool(same == (op == CmpOp::Eq)))
    }

    #[getter]
    fn co_code(_: &Vm, this: &Py<Code>) -> Value {
        Bytes::new_value(this.code_bytes())
    }

    #[getter]
    fn _co_code_adaptive(_: &Vm, this: &Py<Code>) -> Value {
        Bytes::new_value(this.code_bytes())
    }

    /// In CPython's form; not the interpreter's own table.
    #[getter(member)]
    fn co_linetable(_: &Vm, this: &Py<Code>) -> Value {
        Bytes::new_value(this.line_table())
    }

    /// More than CPython's: what the constructor needs besides the other attributes.
    #[getter(member)]
    fn co_exceptiontable(_: &Vm, this: &Py<Code>) -> Value {
        Bytes::new_value(without_constants(this))
    }

    /// The handlers as `dis` reads them: rows of start, size, target and depth, six bits a byte, the highest first.
    #[pymethod(sig = "($self, /)")]
    fn _handlers(_: &Vm, this: &Py<Code>) -> Value {
        let mut table = Vec::new();
        for row in &this.plain.exceptions {
            for number in [
                row.start,
                row.end.saturating_sub(row.start),
                row.target,
                u32::from(row.depth) << 1,
            ] {
                let digits = (32 - number.leading_zeros()).div_ceil(6).max(1);
                for digit in (0..digits).rev() {
                    let more = if digit > 0 { 64 } else { 0 };
                    table.push((number >> (digit * 6)) as u8 & 63 | more);
                }
            }
        }
        Bytes::new_value(table)
    }

    /// The instructions for `dis`: offset, name, argument, its value, how it is shown, where it jumps to.
    #[pymethod(sig = "($self, /)")]
    fn _instructions(vm: &Vm, this: &Py<Code>) -> Res<Value> {
        let plain = plain(vm, this)?;
        let mut rows = Vec::new();
        for line in listing(&plain) {
            let arg = line.arg as usize;
            let value = match line.op.format() {
                Format::DstName
                | Format::SrcName
                | Format::Name
                | Format::DstSrcName
                | Format::ObjNameSrc
                | Format::ObjName => this.names.get(arg).map(Py::to_value),
                Format::Special if line.op == Op::ImportName => this.names.get(arg).map(Py::to_value),
                Format::DstConst => this.consts.get(arg).cloned(),
                _ => None,
            };
            let row = vec![
                Value::int(i64::from(line.pc) * 2),
                Value::from(instruction_name(line.op).as_str()),
                Value::usize(arg),
                value.unwrap_or_else(|| Value::usize(arg)),
                Value::from(line.operands.as_str()),
                line.target
                    .map_or(Value::NONE, |target| Value::int(i64::from(target) * 2)),
            ];
            rows.push(Tuple::new(row).into_value());
        }
        Ok(List::new(rows).into_value())
    }

    #[getter]
    fn co_lnotab(vm: &Vm, this: &Py<Code>) -> Res<Value> {
        let message = "co_lnotab is deprecated, use co_lines instead.";
        vm.warn(exceptions::DEPRECATION_WARNING.get(), message, 1)?;
        let mut table = Vec::new();
        let (mut at, mut line) = (0i64, i64::from(this.plain.first_line));
        for (start, location) in this.plain.locations.iter() {
            if location.line == 0 {
                continue;
            }
            let (mut bytes, mut lines) = (i64::from(start) * 2 - at, i64::from(location.line) - line);
            while bytes > 255 {
                table.extend([255, 0]);
                bytes -= 255;
            }
            while !(-128..=127).contains(&lines) {
                let step = lines.clamp(-128, 127);
                table.extend([bytes as u8, step as u8]);
                bytes = 0;
                lines -= step;
            }
            if lines != 0 || bytes != 0 {
                table.extend([bytes as u8, lines as u8]);
            }
            at = i64::from(start) * 2;
            line = i64::from(location.line);
        }
        Ok(Bytes::new_value(table))
    }

    /// Return the conditional branches as an iterator of (instruction, where it goes on, where it jumps to).
    #[pymethod(sig = "($self, /)")]
    fn co_branches(vm: &Vm, this: &Py<Code>) -> Res<Value> {
        let mut rows = Vec::new();
        for (at, instr) in this.instructions() {
            let Some(op) = Op::ALL.get(instr.op_number() as usize) else {
                continue;
            };
            let offset = match op.format() {
                Format::SrcJump => i64::from(instr.w() as i32),
                Format::DstSrcJump if *op == Op::ForIter => i64::from(instr.c() as i16),
                Format::CmpJump | Format::CmpImmJump => i64::from(instr.c() as i16),
                _ => continue,
            };
            let next = (at + 1 + op.cache_words()) as i64;
            let row = [at as i64 * 2, next * 2, (next + offset) * 2];
            rows.push(Tuple::new(row.into_iter().map(Value::int).collect()).into_value());
        }
        vm.iter(Tuple::new(rows).as_value())
    }

    /// The name of the variable in a register, for tools that look at instructions.
    #[pymethod(sig = "($self, oparg, /)")]
    fn _varname_from_oparg(vm: &Vm, this: &Py<Code>, oparg: usize) -> Res<Value> {
        match this.register_name(oparg) {
            Some(name) if oparg < this.nlocals as usize => Ok(name.to_value()),
            _ => Err(vm.index_error("tuple index out of range")),
        }
    }

    #[pymethod(sig = "($self, /)")]
    fn __sizeof__(_: &Vm, this: &Py<Code>) -> usize {
        size_of::<crate::object::Obj<Code>>() + this.words.len() * 8 + this.consts.len() * 8
    }

    /// The same as replace().
    #[pymethod(sig = "($self, /, **changes)")]
    fn __replace__(vm: &Vm, this: &Py<Code>, changes: KwArgs<'_>) -> Res<Value> {
        let replace = vm.getattr(this.as_value(), intern!("replace"))?;
        let (names, values): (Vec<Value>, Vec<Value>) = changes
            .iter()
            .map(|(name, value)| (name.to_value(), value.clone()))
            .unzip();
        vm.call_args(&replace, Args::with_names(&values, &Tuple::new(names)))
    }

    /// Return a copy of the code object with new values for the specified fields.
    #[pymethod(
        sig = "($self, /, *, co_argcount=<unrepresentable>, co_posonlyargcount=<unrepresentable>, co_kwonlyargcount=<unrepresentable>, co_nlocals=<unrepresentable>, co_stacksize=<unrepresentable>, co_flags=<unrepresentable>, co_firstlineno=<unrepresentable>, co_code=<unrepresentable>, co_consts=<unrepresentable>, co_names=<unrepresentable>, co_varnames=<unrepresentable>, co_freevars=<unrepresentable>, co_cellvars=<unrepresentable>, co_filename=<unrepresentable>, co_name=<unrepresentable>, co_qualname=<unrepresentable>, co_linetable=<unrepresentable>, co_exceptiontable=<unrepresentable>)"
    )]
    fn replace(
        vm: &Vm,
        this: &Py<Code>,
        co_argcount: Option<i64>,
        co_posonlyargcount: Option<i64>,
        co_kwonlyargcount: Option<i64>,
        co_nlocals: Option<i64>,
        co_stacksize: Option<i64>,
        co_flags: Option<i64>,
        co_firstlineno: Option<i64>,
        co_code: Option<&Py<Bytes>>,
        co_consts: Option<&Py<Tuple>>,
        co_names: Option<&Py<Tuple>>,
        co_varnames: Option<&Py<Tuple>>,
        co_freevars: Option<&Py<Tuple>>,
        co_cellvars: Option<&Py<Tuple>>,
        co_filename: Option<&Py<Str>>,
        co_name: Option<&Py<Str>>,
        co_qualname: Option<&Py<Str>>,
        co_linetable: Option<&Py<Bytes>>,
        co_exceptiontable: Option<&Py<Bytes>>,
    ) -> Res<Value> {
        let _ = (co_linetable, co_exceptiontable, co_stacksize);
        let mut plain = this.plain.clone();
        plain.argcount = count(vm, co_argcount, this.argcount, "argcount")?;
        plain.posonlyargcount = count(vm, co_posonlyargcount, plain.posonlyargcount, "posonlyargcount")?;
        plain.kwonlyargcount = count(vm, co_kwonlyargcount, this.kwonly, "kwonlyargcount")?;
        plain.first_line = count(vm, co_firstlineno, plain.first_line, "firstlineno")?;
        plain.flags = CodeFlags(count(vm, co_flags, this.flags, "flags")?);
        if plain.posonlyargcount > plain.argcount || plain.total_args() != this.plain.total_args() {
            return Err(vm.value_error("code: the count of parameters cannot be changed"));
        }
        if co_code.is_some_and(|code| code.as_slice() != this.code_bytes()) {
            return Err(vm.value_error("code: instructions cannot be replaced"));
        }
        if co_nlocals.is_some_and(|n| n != this.varnames.len() as i64) {
            return Err(vm.value_error("code: co_nlocals != len(co_varnames)"));
        }
        let varnames = names_of(vm, co_varnames, &this.varnames, "varnames")?;
        let cellvars = names_of(vm, co_cellvars, &this.cellvars, "cellvars")?;
        let freevars = names_of(vm, co_freevars, &this.freevars, "freevars")?;
        let params = plain.total_args();
        let own_cells = cellvars
            .iter()
            .filter(|cell| !varnames[..params.min(varnames.len())].iter().any(|name| name.is(cell)));
        if varnames.len() + own_cells.count() + freevars.len() != this.nlocals as usize {
            return Err(vm.value_error("code: varnames, cellvars and freevars do not fit the instructions"));
        }
        let consts = match co_consts {
            None => this.consts.to_vec(),
            Some(given) => {
                let given = given.as_slice();
                let fits = given.len() >= this.consts.len()
                    && this.consts.iter().zip(given).all(|(old, new)| replaceable(old, new));
                if !fits {
                    return Err(vm.value_error("code: co_consts do not fit the instructions"));
                }
                given.to_vec()
            }
        };
        let simple = plain.kwonlyargcount == 0 && !plain.flags.has(CodeFlags::VARARGS | CodeFlags::VARKEYWORDS);
        let body = CodeBody {
            owner: AtomicPtr::default(),
            words: this.fresh_words(),
            consts: consts.into(),
            names: names_of(vm, co_names, &this.names, "names")?.into(),
            varnames: varnames.into(),
            cellvars: cellvars.into(),
            freevars: freevars.into(),
            filename: co_filename.unwrap_or(&this.filename).clone(),
            nlocals: this.nlocals,
            nregs: this.nregs,
            argcount: plain.argcount,
            kwonly: plain.kwonlyargcount,
            simple_args: simple,
            takes_rest: false,
            first_free: this.first_free,
            plain,
        };
        if (0..this.nlocals as usize).any(|i| body.is_cell(i) != this.is_cell(i)) {
            return Err(vm.value_error("code: varnames, cellvars and freevars do not fit the instructions"));
        }
        let name = co_name.map_or_else(|| this.name.clone(), |name| name.clone().intern_new());
        let qualname = co_qualname.map_or_else(|| this.qualname.clone(), |name| name.clone().intern_new());
        Ok(Code::with_body(name, qualname, body).into_value())
    }
}
