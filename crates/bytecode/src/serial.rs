//! The binary form of code objects: what the packed library and the cache files of user modules hold.
//!
//! Invariants: [`deserialize`] answers damaged input with an error and never panics or allocates more than a small multiple of
//! the input; what it returns has passed [`crate::verify`]. Inline cache words are not stored. The form is bound to the opcode
//! table: [`FORMAT_ID`] changes with it, so code of another version is refused as a whole.
//!
//! Layout: magic, format id, string table (count, the ends of the texts as four bytes each, the texts), one code object. Integers are LEB128,
//! signed ones zigzag coded first. An instruction is its number (upper bit: a non-zero `k` follows), `a`, and either `b` and `c` or the
//! signed `wide`. A code object among the constants begins with its size, so that it can be left for later ([`PackedCode`]).

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use crate::locations::{unzigzag, write, zigzag};
use crate::opcode::Format;
use crate::{CodeFlags, CodeObject, Const, ExceptionEntry, Instr, Locations, Op, Text, VerifyError, verify};

const MAGIC: [u8; 4] = *b"LSLc";
/// Raised when the layout described above changes.
const LAYOUT: u32 = 2;
/// Code objects and tuples inside each other.
const MAX_DEPTH: u32 = 400;

const _: () = assert!(
    Op::ALL.len() <= 128,
    "the upper bit of an instruction's first byte says whether `k` follows"
);

/// Identifies the layout and the opcode table together.
pub const FORMAT_ID: u32 = format_id();

const fn format_id() -> u32 {
    // FNV-1a over everything that gives the words of the code their meaning.
    let mut hash = mix(0x811c_9dc5, LAYOUT as u8);
    let mut i = 0;
    while i < Op::ALL.len() {
        let op = Op::ALL[i];
        let name = op.name().as_bytes();
        let mut j = 0;
        while j < name.len() {
            hash = mix(hash, name[j]);
            j += 1;
        }
        hash = mix(mix(hash, op.format() as u8), op.cache_words() as u8);
        i += 1;
    }
    hash
}

const fn mix(hash: u32, byte: u8) -> u32 {
    (hash ^ byte as u32).wrapping_mul(0x0100_0193)
}

/// Why bytes are not a code object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// The bytes end too early.
    Truncated,
    /// Not of this format, or of another version.
    Version,
    /// The text says what is wrong.
    Malformed(&'static str),
    /// Decoded, but the code could harm an interpreter.
    Unsafe(VerifyError),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Truncated => f.write_str("code object data too short"),
            DecodeError::Version => f.write_str("code object data of another version"),
            DecodeError::Malformed(what) => write!(f, "bad code object data ({what})"),
            DecodeError::Unsafe(error) => write!(f, "bad code object data ({error})"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// The binary form of `code`.
pub fn serialize(code: &CodeObject) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.code(code);
    let mut out = Writer::default();
    out.bytes.extend(MAGIC);
    out.bytes.extend(FORMAT_ID.to_le_bytes());
    out.count(writer.strings.len());
    let mut end = 0u32;
    for s in &writer.strings {
        end += s.len() as u32;
        out.bytes.extend(end.to_le_bytes());
    }
    for s in &writer.strings {
        out.bytes.extend(s.as_bytes());
    }
    out.bytes.extend(writer.bytes);
    out.bytes
}

/// The code object in `bytes`, which must hold nothing else.
pub fn deserialize(bytes: &[u8]) -> Result<CodeObject, DecodeError> {
    let code = decode(bytes)?;
    verify(&code).map_err(DecodeError::Unsafe)?;
    Ok(code)
}

/// The code object in `bytes`, without the checks of [`crate::verify`]: for those who change it before they check it.
pub fn deserialize_unverified(bytes: &[u8]) -> Result<CodeObject, DecodeError> {
    decode(bytes)
}

/// The code object in `bytes`, without the checks of [`crate::verify`], and without reading the code objects among its constants: for
/// bytes that were verified when they were packed into the binary.
pub fn deserialize_packed(bytes: &'static [u8]) -> Result<CodeObject, DecodeError> {
    let reader = Reader::begin(bytes)?;
    let at = bytes.len() - reader.bytes.len();
    PackedCode { module: bytes, at }.load()
}

fn decode(bytes: &[u8]) -> Result<CodeObject, DecodeError> {
    let mut reader = Reader::begin(bytes)?;
    let code = reader.code(0)?;
    if !reader.bytes.is_empty() {
        return Err(DecodeError::Malformed("bytes left over"));
    }
    Ok(code)
}

/// A code object within the serial form of another.
#[derive(Clone, Copy)]
pub struct PackedCode {
    module: &'static [u8],
    at: usize,
}

/// What a function needs of its code before it is called.
pub struct Head {
    pub name: &'static str,
    pub qualname: &'static str,
    pub flags: CodeFlags,
}

impl PackedCode {
    fn reader(self) -> Decoded<Reader<'static>> {
        let mut reader = Reader::begin(self.module)?;
        reader.bytes = self.module.get(self.at..).ok_or(DecodeError::Truncated)?;
        reader.packed = Some(self.module);
        Ok(reader)
    }

    pub fn head(self) -> Result<Head, DecodeError> {
        let mut reader = self.reader()?;
        let (name, qualname, _) = (reader.string()?, reader.string()?, reader.string()?);
        reader.u32()?;
        let flags = CodeFlags(reader.u32()?);
        Ok(Head { name, qualname, flags })
    }

    /// The code object; those among its constants stay packed.
    pub fn load(self) -> Result<CodeObject, DecodeError> {
        self.reader()?.code(0)
    }
}

impl PartialEq for PackedCode {
    fn eq(&self, other: &PackedCode) -> bool {
        std::ptr::eq(self.module, other.module) && self.at == other.at
    }
}

impl fmt::Debug for PackedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<code at {}>", self.at)
    }
}

fn is_wide(op: Op) -> bool {
    matches!(
        op.format(),
        Format::DstName
            | Format::SrcName
            | Format::Name
            | Format::DstConst
            | Format::DstImm
            | Format::Jump
            | Format::SrcJump
    )
}

/// First byte of a constant.
mod tag {
    pub const NONE: u8 = 0;
    pub const TRUE: u8 = 1;
    pub const FALSE: u8 = 2;
    pub const ELLIPSIS: u8 = 3;
    pub const INT: u8 = 4;
    pub const BIG_POSITIVE: u8 = 5;
    pub const BIG_NEGATIVE: u8 = 6;
    pub const FLOAT: u8 = 7;
    pub const COMPLEX: u8 = 8;
    pub const STR: u8 = 9;
    pub const POINTS: u8 = 10;
    pub const BYTES: u8 = 11;
    pub const TUPLE: u8 = 12;
    pub const FROZEN_SET: u8 = 13;
    pub const SLICE: u8 = 14;
    pub const CODE: u8 = 15;
}

#[derive(Default)]
struct Writer<'a> {
    bytes: Vec<u8>,
    strings: Vec<&'a str>,
    index: HashMap<&'a str, usize>,
}

impl<'a> Writer<'a> {
    fn int(&mut self, x: u64) {
        write(&mut self.bytes, x);
    }

    fn count(&mut self, n: usize) {
        self.int(n as u64);
    }

    fn signed(&mut self, x: i64) {
        self.int(zigzag(x));
    }

    fn blob(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.bytes.extend(bytes);
    }

    fn string(&mut self, s: &'a str) {
        let next = self.strings.len();
        let index = *self.index.entry(s).or_insert(next);
        if index == next {
            self.strings.push(s);
        }
        self.count(index);
    }

    fn strings(&mut self, list: &'a [Box<str>]) {
        self.count(list.len());
        for s in list {
            self.string(s);
        }
    }

    fn code(&mut self, code: &'a CodeObject) {
        self.string(&code.name);
        self.string(&code.qualname);
        self.string(&code.filename);
        for x in [
            code.first_line,
            code.flags.0,
            code.argcount,
            code.posonlyargcount,
            code.kwonlyargcount,
            code.nregs,
        ] {
            self.int(x.into());
        }
        self.strings(&code.varnames);
        self.strings(&code.cellvars);
        self.strings(&code.freevars);
        self.strings(&code.names);
        self.count(code.consts.len());
        code.consts.iter().for_each(|c| self.constant(c));
        self.instructions(&code.code);
        self.blob(code.locations.bytes());
        self.count(code.exceptions.len());
        for e in &code.exceptions {
            for x in [e.start, e.end, e.target, e.depth.into()] {
                self.int(x.into());
            }
        }
    }

    fn instructions(&mut self, words: &[u64]) {
        let mut pc = 0;
        let mut count = 0;
        while let Some(&word) = words.get(pc) {
            count += 1;
            pc += 1 + Instr(word).op().cache_words();
        }
        self.count(count);
        pc = 0;
        while let Some(&word) = words.get(pc) {
            let i = Instr(word);
            let op = i.op();
            if i.k() == 0 {
                self.bytes.push(op as u8);
            } else {
                self.bytes.extend([op as u8 | 0x80, i.k()]);
            }
            self.int(i.a().into());
            if is_wide(op) {
                self.signed((i.w() as i32).into());
            } else {
                self.int(i.b().into());
                self.int(i.c().into());
            }
            pc += 1 + op.cache_words();
            if op == Op::CallKw {
                let names = words.get(pc - 1).copied().unwrap_or(0);
                self.int(names);
            }
        }
    }

    fn constant(&mut self, constant: &'a Const) {
        match constant {
            Const::None => self.bytes.push(tag::NONE),
            Const::True => self.bytes.push(tag::TRUE),
            Const::False => self.bytes.push(tag::FALSE),
            Const::Ellipsis => self.bytes.push(tag::ELLIPSIS),
            Const::Int(i) => {
                self.bytes.push(tag::INT);
                self.signed(*i);
            }
            Const::BigInt { negative, magnitude } => {
                self.bytes.push(if *negative {
                    tag::BIG_NEGATIVE
                } else {
                    tag::BIG_POSITIVE
                });
                self.blob(magnitude);
            }
            Const::Float(x) => {
                self.bytes.push(tag::FLOAT);
                self.bytes.extend(x.to_bits().to_le_bytes());
            }
            Const::Complex(re, im) => {
                self.bytes.push(tag::COMPLEX);
                self.bytes.extend(re.to_bits().to_le_bytes());
                self.bytes.extend(im.to_bits().to_le_bytes());
            }
            Const::Str(Text::Utf8(s)) => {
                self.bytes.push(tag::STR);
                self.string(s);
            }
            Const::Str(Text::Points(points)) => {
                self.bytes.push(tag::POINTS);
                self.count(points.len());
                points.iter().for_each(|&p| self.int(p.into()));
            }
            Const::Bytes(bytes) => {
                self.bytes.push(tag::BYTES);
                self.blob(bytes);
            }
            Const::Tuple(items) => self.sequence(tag::TUPLE, items),
            Const::FrozenSet(items) => self.sequence(tag::FROZEN_SET, items),
            Const::Slice(parts) => {
                self.bytes.push(tag::SLICE);
                parts.iter().for_each(|c| self.constant(c));
            }
            Const::Code(code) => {
                self.bytes.push(tag::CODE);
                let outer = std::mem::take(&mut self.bytes);
                self.code(code);
                let inner = std::mem::replace(&mut self.bytes, outer);
                self.blob(&inner);
            }
            // The runtime makes code values of the code objects that it has read before it writes them.
            Const::Packed(_) => self.bytes.push(tag::NONE),
        }
    }

    fn sequence(&mut self, tag: u8, items: &'a [Const]) {
        self.bytes.push(tag);
        self.count(items.len());
        items.iter().for_each(|c| self.constant(c));
    }
}

type Decoded<T> = Result<T, DecodeError>;

struct Reader<'a> {
    bytes: &'a [u8],
    /// Where the texts of the string table end, four bytes each, and the texts.
    ends: &'a [[u8; 4]],
    texts: &'a [u8],
    /// What is read, if it is packed into the binary: code objects among the constants are left as they are.
    packed: Option<&'static [u8]>,
}

impl<'a> Reader<'a> {
    /// A reader at the code object.
    fn begin(bytes: &'a [u8]) -> Decoded<Reader<'a>> {
        let mut reader = Reader {
            bytes,
            ends: &[],
            texts: &[],
            packed: None,
        };
        if reader.take(4)? != MAGIC || reader.take(4)? != FORMAT_ID.to_le_bytes() {
            return Err(DecodeError::Version);
        }
        let count = reader.count()?;
        let table = reader.take(count.checked_mul(4).ok_or(DecodeError::Truncated)?)?;
        reader.ends = table.as_chunks::<4>().0;
        let size = reader.ends.last().map_or(0, |end| u32::from_le_bytes(*end));
        reader.texts = reader.take(size as usize)?;
        Ok(reader)
    }

    fn take(&mut self, n: usize) -> Decoded<&'a [u8]> {
        let (head, rest) = self.bytes.split_at_checked(n).ok_or(DecodeError::Truncated)?;
        self.bytes = rest;
        Ok(head)
    }

    #[inline]
    fn byte(&mut self) -> Decoded<u8> {
        let (&first, rest) = self.bytes.split_first().ok_or(DecodeError::Truncated)?;
        self.bytes = rest;
        Ok(first)
    }

    #[inline]
    fn int(&mut self) -> Decoded<u64> {
        let first = self.byte()?;
        if first < 0x80 {
            Ok(first.into())
        } else {
            self.long_int(first)
        }
    }

    fn long_int(&mut self, first: u8) -> Decoded<u64> {
        let mut x = u64::from(first & 0x7f);
        let mut shift = 7;
        loop {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                return Err(DecodeError::Malformed("number too large"));
            }
            x |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(x);
            }
            shift += 7;
        }
    }

    fn u32(&mut self) -> Decoded<u32> {
        u32::try_from(self.int()?).map_err(|_| DecodeError::Malformed("number too large"))
    }

    fn u16(&mut self) -> Decoded<u16> {
        u16::try_from(self.int()?).map_err(|_| DecodeError::Malformed("number too large"))
    }

    fn signed(&mut self) -> Decoded<i64> {
        self.int().map(unzigzag)
    }

    /// A count of things that take at least one byte each.
    fn count(&mut self) -> Decoded<usize> {
        match usize::try_from(self.int()?) {
            Ok(n) if n <= self.bytes.len() => Ok(n),
            _ => Err(DecodeError::Truncated),
        }
    }

    fn blob(&mut self) -> Decoded<&'a [u8]> {
        let n = self.count()?;
        self.take(n)
    }

    fn string(&mut self) -> Decoded<&'a str> {
        const BAD: DecodeError = DecodeError::Malformed("no such text");
        let index = usize::try_from(self.int()?).map_err(|_| BAD)?;
        let end = |i: usize| self.ends.get(i).map(|end| u32::from_le_bytes(*end) as usize);
        let start = if index == 0 { 0 } else { end(index - 1).ok_or(BAD)? };
        let text = self.texts.get(start..end(index).ok_or(BAD)?).ok_or(BAD)?;
        std::str::from_utf8(text).map_err(|_| DecodeError::Malformed("text is not UTF-8"))
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Decoded<T>) -> Decoded<Vec<T>> {
        let n = self.count()?;
        // Items may be larger than the byte that they take at least: let the vector grow for long lists.
        let mut items = Vec::with_capacity(n.min(4096));
        for _ in 0..n {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn strings(&mut self) -> Decoded<Vec<Box<str>>> {
        self.list(|r| r.string().map(Box::from))
    }

    fn code(&mut self, depth: u32) -> Decoded<CodeObject> {
        if depth > MAX_DEPTH {
            return Err(DecodeError::Malformed("nested too deep"));
        }
        let name = self.string()?.into();
        let qualname = self.string()?.into();
        let filename = self.string()?.into();
        let first_line = self.u32()?;
        let flags = CodeFlags(self.u32()?);
        let argcount = self.u32()?;
        let posonlyargcount = self.u32()?;
        let kwonlyargcount = self.u32()?;
        let nregs = self.u32()?;
        Ok(CodeObject {
            name,
            qualname,
            filename,
            first_line,
            flags,
            argcount,
            posonlyargcount,
            kwonlyargcount,
            varnames: self.strings()?,
            cellvars: self.strings()?,
            freevars: self.strings()?,
            names: self.strings()?,
            consts: self.list(|r| r.constant(depth + 1))?,
            code: self.instructions()?,
            locations: self.locations()?,
            exceptions: self.list(|r| {
                Ok(ExceptionEntry {
                    start: r.u32()?,
                    end: r.u32()?,
                    target: r.u32()?,
                    depth: r.u16()?,
                })
            })?,
            nregs,
        })
    }

    fn instructions(&mut self) -> Decoded<Vec<u64>> {
        let n = self.count()?;
        let mut words = Vec::with_capacity(n.min(4096) * 3 / 2);
        for _ in 0..n {
            let first = self.byte()?;
            let op = *Op::ALL
                .get(usize::from(first & 0x7f))
                .ok_or(DecodeError::Malformed("no such instruction"))?;
            let k = if first & 0x80 != 0 { self.byte()? } else { 0 };
            let a = self.u16()?;
            let instr = if is_wide(op) {
                let wide = i32::try_from(self.signed()?).map_err(|_| DecodeError::Malformed("number too large"))?;
                Instr::wide(op, k, a, wide as u32)
            } else {
                Instr::abc(op, k, a, self.u16()?, self.u16()?)
            };
            words.push(instr.0);
            if op == Op::CallKw {
                words.push(0);
                words.push(Instr::ext(self.u32()?).0);
            } else {
                words.extend(std::iter::repeat_n(0, op.cache_words()));
            }
        }
        Ok(words)
    }

    fn locations(&mut self) -> Decoded<Locations> {
        let n = self.count()?;
        let bytes = match self.packed {
            None => Cow::Owned(self.take(n)?.to_vec()),
            Some(module) => {
                let at = module.len() - self.bytes.len();
                self.take(n)?;
                Cow::Borrowed(&module[at..at + n])
            }
        };
        Ok(Locations::unpacked(bytes))
    }

    fn float(&mut self) -> Decoded<f64> {
        let bytes = self.take(8)?.first_chunk().ok_or(DecodeError::Truncated)?;
        Ok(f64::from_bits(u64::from_le_bytes(*bytes)))
    }

    fn constant(&mut self, depth: u32) -> Decoded<Const> {
        if depth > MAX_DEPTH {
            return Err(DecodeError::Malformed("nested too deep"));
        }
        Ok(match self.byte()? {
            tag::NONE => Const::None,
            tag::TRUE => Const::True,
            tag::FALSE => Const::False,
            tag::ELLIPSIS => Const::Ellipsis,
            tag::INT => Const::Int(self.signed()?),
            sign @ (tag::BIG_POSITIVE | tag::BIG_NEGATIVE) => Const::BigInt {
                negative: sign == tag::BIG_NEGATIVE,
                magnitude: self.blob()?.into(),
            },
            tag::FLOAT => Const::Float(self.float()?),
            tag::COMPLEX => Const::Complex(self.float()?, self.float()?),
            tag::STR => Const::Str(Text::Utf8(self.string()?.into())),
            tag::POINTS => Const::Str(Text::Points(self.list(Self::point)?.into())),
            tag::BYTES => Const::Bytes(self.blob()?.into()),
            tag::TUPLE => Const::Tuple(self.list(|r| r.constant(depth + 1))?.into()),
            tag::FROZEN_SET => Const::FrozenSet(self.list(|r| r.constant(depth + 1))?.into()),
            tag::SLICE => {
                let mut part = || self.constant(depth + 1);
                Const::Slice(Box::new([part()?, part()?, part()?]))
            }
            tag::CODE => {
                let n = self.count()?;
                if let Some(module) = self.packed {
                    let at = module.len() - self.bytes.len();
                    self.take(n)?;
                    return Ok(Const::Packed(PackedCode { module, at }));
                }
                let rest = self.bytes.get(n..).ok_or(DecodeError::Truncated)?;
                let code = self.code(depth + 1)?;
                if self.bytes.len() != rest.len() {
                    return Err(DecodeError::Malformed("code object of another size"));
                }
                Const::Code(Box::new(code))
            }
            _ => return Err(DecodeError::Malformed("no such constant")),
        })
    }

    fn point(&mut self) -> Decoded<u32> {
        match self.u32()? {
            p if p <= 0x10_ffff => Ok(p),
            _ => Err(DecodeError::Malformed("no such character")),
        }
    }
}

#[cfg(test)]
mod tests;
