//! The one table of opcodes. It feeds the encoder, the decoder, the disassembler and the interpreter's match.
//!
//! Invariant: a row here is the only declaration of an opcode; numbers are positions in the table.
//!
//! Conventions of the register machine:
//! - `R[x]` is a register of the frame. Registers `0..nlocals` are *named*: parameters and locals, then cells, then
//!   free variables (see [`crate::CodeObject`]). Registers from `nlocals` up are *temporaries*.
//! - An operand that is a **temporary is consumed** by the instruction that reads it (it is moved out, or dropped
//!   afterwards), an operand that is a named register is borrowed. Rows say `keep` where a temporary is *not* consumed.
//!   Hence a temporary is written once and read once, and never holds a live object after its use.
//! - A destination may be any register; what it held is dropped *after* the operands were read, so `dst` may equal an operand.
//! - Named registers that are read as operands are known to be bound: the compiler emits `CheckLocal` where it cannot prove it.
//! - `N[x]` is `names[x]`, `K[x]` is `consts[x]`. Jump offsets are counted in code words from the word after the
//!   instruction and its cache words.
//! - `locals` of `LoadName` and the like is the mapping of the frame (module or class body).

/// How the fields of an instruction are to be read; used by the disassembler and the verifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// No operand.
    None,
    /// `a`: destination register.
    Dst,
    /// `a`: source register.
    Src,
    /// `a`: destination, `b`: source.
    DstSrc,
    /// `a`: destination, `b`, `c`: sources.
    DstSrcSrc,
    /// `a`: destination, `b`: source, `c`: signed immediate.
    DstSrcImm,
    /// `a`: destination, `b`: source, `c`: name index.
    DstSrcName,
    /// `a`: destination, `wide`: name index.
    DstName,
    /// `a`: source, `wide`: name index.
    SrcName,
    /// `wide`: name index.
    Name,
    /// `a`: object, `b`: name index, `c`: value.
    ObjNameSrc,
    /// `a`: object, `b`: name index.
    ObjName,
    /// `a`, `b`, `c`: sources.
    SrcSrcSrc,
    /// `a`, `b`: sources.
    SrcSrc,
    /// `a`: destination, `wide`: constant index.
    DstConst,
    /// `a`: destination, `wide`: signed immediate.
    DstImm,
    /// `wide`: signed jump offset.
    Jump,
    /// `a`: source, `wide`: signed jump offset.
    SrcJump,
    /// `a`: destination, `b`: source, `c`: signed jump offset.
    DstSrcJump,
    /// `k`: comparison, `a`, `b`: sources, `c`: signed jump offset.
    CmpJump,
    /// `k`: comparison, `a`: source, `b`: signed immediate, `c`: signed jump offset.
    CmpImmJump,
    /// `a`: destination, `b`: first register, `c`: count.
    Build,
    /// `a`: first destination, `b`: source, `c`: count.
    Unpack,
    /// `a`: base register, `b`: count of arguments, `c`: destination.
    Call,
    /// Operands explained by the row alone.
    Special,
}

macro_rules! opcodes {
    ($( $(#[doc = $doc:literal])+ $name:ident, $format:ident, $cache:literal; )+) => {
        /// An operation of the register machine.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum Op { $( $(#[doc = $doc])+ $name, )+ }

        impl Op {
            /// All operations in the order of their numbers.
            pub const ALL: &'static [Op] = &[ $( Op::$name, )+ ];
            /// The name, as the disassembler prints it.
            pub const fn name(self) -> &'static str { match self { $( Op::$name => stringify!($name), )+ } }
            /// How the operands are to be read.
            pub const fn format(self) -> Format { match self { $( Op::$name => Format::$format, )+ } }
            /// How many inline cache words follow the instruction.
            pub const fn cache_words(self) -> usize { match self { $( Op::$name => $cache, )+ } }
            /// What the operation does.
            pub const fn doc(self) -> &'static str { match self { $( Op::$name => concat!($($doc, "\n"),+), )+ } }
        }
    };
}

opcodes! {
    /// Does nothing.
    Nop, None, 0;
    /// Safepoint and start of a frame; the first instruction of each code object (after `ReturnGenerator`, when there is one).
    Resume, None, 0;

    // ---- moves and constants ----
    /// `R[a] = move R[b]` (b a temporary) or a copy (b named).
    Move, DstSrc, 0;
    /// `R[a] = R[b]`; keep.
    Copy, DstSrc, 0;
    /// `R[a] = K[wide]`.
    LoadConst, DstConst, 0;
    /// `R[a] = int(wide)`.
    LoadInt, DstImm, 0;
    /// Drops `R[a]` and leaves it unbound.
    Clear, Dst, 0;
    /// Raises UnboundLocalError (NameError "cannot access free variable" has its own op) if `R[a]` is unbound.
    CheckLocal, Src, 0;
    /// `del` of a named register: raises UnboundLocalError if unbound, else clears.
    DeleteLocal, Src, 0;
    /// `R[a] = common constant number k`: see [`Common`].
    LoadCommon, Dst, 0;

    // ---- names ----
    /// `R[a] = globals[N] or builtins[N]`, NameError otherwise.
    LoadGlobal, DstName, 2;
    /// `globals[N] = R[a]`.
    StoreGlobal, SrcName, 1;
    /// `del globals[N]`.
    DeleteGlobal, Name, 0;
    /// `R[a] = locals[N]`, else globals, else builtins.
    LoadName, DstName, 2;
    /// `locals[N] = R[a]`.
    StoreName, SrcName, 1;
    /// `del locals[N]`.
    DeleteName, Name, 0;
    /// `R[a] = R[b] (a mapping, keep)[N[c]]`, else globals, else builtins (annotation scopes in classes).
    LoadFromMappingOrGlobal, DstSrcName, 0;
    /// `R[a] = R[b] (a mapping, keep)[name of the cell c]`, else the contents of cell `R[c]`.
    LoadFromMappingOrDeref, DstSrcSrc, 0;
    /// `R[a] = the frame's locals mapping` (creating a snapshot in a function).
    LoadLocals, Dst, 0;

    // ---- cells ----
    /// `R[a] = new cell holding what R[a] held` (or an empty one).
    MakeCell, Src, 0;
    /// `R[a], R[a+1], ... = the cells of the running function's closure`, `wide` of them.
    CopyFreeVars, DstImm, 0;
    /// `R[a] = contents of cell R[b]`; NameError/UnboundLocalError when empty.
    LoadDeref, DstSrc, 0;
    /// Contents of cell `R[a]` = `R[b]`.
    StoreDeref, SrcSrc, 0;
    /// Empties cell `R[a]`; NameError when it is empty.
    DeleteDeref, Src, 0;

    // ---- attributes and items ----
    /// `R[a] = R[b].N[c]`.
    LoadAttr, DstSrcName, 2;
    /// For `R[b].N[c](...)`: `R[a], R[a+1] = function, self` or `bound or other object, unbound`.
    LoadMethod, DstSrcName, 2;
    /// `R[a].N[b] = R[c]`.
    StoreAttr, ObjNameSrc, 1;
    /// `del R[a].N[b]`.
    DeleteAttr, ObjName, 0;
    /// `super(...).N[c]` with `R[b] = super's global, R[b+1] = __class__, R[b+2] = self`; result in `R[a]`.
    LoadSuperAttr, DstSrcName, 1;
    /// As `LoadSuperAttr`, but leaves `R[a], R[a+1]` as `LoadMethod` does.
    LoadSuperMethod, DstSrcName, 1;
    /// `R[a] = R[b][R[c]]`.
    GetItem, DstSrcSrc, 0;
    /// `R[a][R[b]] = R[c]`.
    SetItem, SrcSrcSrc, 0;
    /// `del R[a][R[b]]`.
    DelItem, SrcSrc, 0;
    /// `R[a] = R[b][R[c]:R[c+1]]`.
    GetSlice, DstSrcSrc, 0;
    /// `R[a][R[b]:R[b+1]] = R[c]`.
    SetSlice, SrcSrcSrc, 0;

    // ---- operators ----
    /// `R[a] = R[b] <k> R[c]`, `k` a [`BinOp`] with [`INPLACE`] set for augmented assignment. Add, Sub and Mul have rows of their own.
    Binary, DstSrcSrc, 0;
    /// `R[a] = R[b] + R[c]`; `k` = [`INPLACE`] or 0.
    Add, DstSrcSrc, 0;
    /// `R[a] = R[b] - R[c]`.
    Sub, DstSrcSrc, 0;
    /// `R[a] = R[b] * R[c]`.
    Mul, DstSrcSrc, 0;
    /// `R[a] = R[b] + int(c)` (c signed 16 bits); `k` = [`INPLACE`] or 0.
    AddImm, DstSrcImm, 0;
    /// `R[a] = R[b] - int(c)`.
    SubImm, DstSrcImm, 0;
    /// `R[a] = R[b] <k> int(c)`, any [`BinOp`].
    BinaryImm, DstSrcImm, 0;
    /// `R[a] = -R[b]`.
    Neg, DstSrc, 0;
    /// `R[a] = +R[b]`.
    Pos, DstSrc, 0;
    /// `R[a] = ~R[b]`.
    Invert, DstSrc, 0;
    /// `R[a] = not R[b]`.
    Not, DstSrc, 0;
    /// `R[a] = R[b] <k> R[c]`, `k` a [`CmpOp`].
    Compare, DstSrcSrc, 0;
    /// `R[a] = R[b] is R[c]`, negated when `k` is 1.
    Is, DstSrcSrc, 0;
    /// `R[a] = R[b] in R[c]`, negated when `k` is 1.
    Contains, DstSrcSrc, 0;
    /// `R[a] = bool(R[b])`.
    ToBool, DstSrc, 0;

    // ---- jumps ----
    /// Forward jump. `k` = 1: from the end of a block, where no statement says so.
    Jump, Jump, 0;
    /// Backward jump: a safepoint. `k` as in `Jump`.
    JumpBack, Jump, 0;
    /// Jumps if `R[a]` is true. `k` = 1: keep.
    JumpIfTrue, SrcJump, 0;
    /// Jumps if `R[a]` is false. `k` = 1: keep.
    JumpIfFalse, SrcJump, 0;
    /// Jumps if `R[a] is None`. `k` = 1: keep.
    JumpIfNone, SrcJump, 0;
    /// Jumps if `R[a] is not None`. `k` = 1: keep.
    JumpIfNotNone, SrcJump, 0;
    /// Jumps if `R[a] <k & 7> R[b]` is true (or false when `k & 8`).
    JumpCmp, CmpJump, 0;
    /// Jumps if `R[a] <k & 7> int(b)` is true (or false when `k & 8`).
    JumpCmpImm, CmpImmJump, 0;
    /// Jumps if `R[a]` is unbound (keep).
    JumpIfUnbound, SrcJump, 0;
    /// Jumps if `R[a]` (keep) is not common constant number k: see [`Common`], from `Tuple` on.
    JumpIfNotCommon, SrcJump, 0;

    // ---- iteration ----
    /// `R[a] = iter(R[b])`.
    GetIter, DstSrc, 0;
    /// `R[a] = next(R[b])` (keep b), or on exhaustion clears `R[b]` and jumps by `c`. A jump too far uses a `Jump` at its target.
    ForIter, DstSrcJump, 0;
    /// `R[a] = iter(R[b])` for `yield from`: a coroutine is allowed only in a coroutine.
    GetYieldFromIter, DstSrc, 0;
    /// `R[a] = awaitable iterator of R[b]`; `k`: 0 plain, 1 from `__aenter__`, 2 from `__aexit__` (messages differ).
    GetAwaitable, DstSrc, 0;
    /// `R[a] = R[b].__aiter__()`.
    GetAIter, DstSrc, 0;
    /// `R[a] = awaitable of R[b].__anext__()` (keep b).
    GetANext, DstSrc, 0;
    /// At the handler of an `async for`: exception in `R[a]`, iterator in `R[b]`: StopAsyncIteration clears both and falls
    /// through, anything else is raised again.
    EndAsyncFor, SrcSrc, 0;

    // ---- building and unpacking ----
    /// `R[a] = (R[b], ..., R[b+c-1])`; the registers are temporaries and consumed.
    BuildTuple, Build, 0;
    /// `R[a] = [R[b], ...]`.
    BuildList, Build, 0;
    /// `R[a] = {R[b], ...}`.
    BuildSet, Build, 0;
    /// `R[a] = {R[b]: R[b+1], ...}`, `c` pairs.
    BuildMap, Build, 0;
    /// `R[a] = ''.join(R[b..b+c])`, all str.
    BuildString, Build, 0;
    /// `R[a] = slice(R[b], R[b+1], R[b+2])` (`c` is 2 or 3).
    BuildSlice, Build, 0;
    /// `R[a].append(R[b])`; keep a.
    ListAppend, SrcSrc, 0;
    /// `R[a].add(R[b])`; keep a.
    SetAdd, SrcSrc, 0;
    /// `R[a][R[b]] = R[c]`, a is a dict; keep a.
    MapAdd, SrcSrcSrc, 0;
    /// `R[a].extend(R[b])`; keep a. TypeError "Value after * must be an iterable, not X" when `k` is 1.
    ListExtend, SrcSrc, 0;
    /// `R[a].update(R[b])`, a is a set; keep a.
    SetUpdate, SrcSrc, 0;
    /// `R[a].update(R[b])` for `{**x}`: TypeError "'X' object is not a mapping"; keep a.
    DictUpdate, SrcSrc, 0;
    /// As `DictUpdate` for call keywords: duplicates raise TypeError naming the callable `R[c]` (keep a and c).
    DictMerge, SrcSrcSrc, 0;
    /// `R[a] = tuple(R[b])`, b a list.
    ListToTuple, DstSrc, 0;
    /// `R[a], ..., R[a+c-1] = R[b]`, exactly `c` items.
    UnpackSequence, Unpack, 0;
    /// `R[a], ... = R[b]` with a starred target: `c & 0xff` before, `c >> 8` after it.
    UnpackEx, Unpack, 0;

    // ---- calls ----
    /// `R[c] = R[a](R[a+1] if k is 1, R[a+2], ..., R[a+1+b])`; all of them consumed. `k` = 1: `R[a]`, `R[a+1]` were set as by
    /// `LoadMethod` (self, or unbound when there is none); `k` = 0: there is no self and `R[a+1]` holds nothing. So for all calls.
    Call, Call, 1;
    /// As `Call`; the last `len(names)` of the `b` arguments are keywords; the cache word before is followed by one word
    /// (see [`crate::Instr::ext`]) that holds the constant index of the names tuple.
    CallKw, Call, 2;
    /// `R[c] = R[a](*R[a+2], **R[a+3])`, `R[a+1]` and `k` as in `Call`; `b` is 1 when there are keywords. Positional is a tuple
    /// or any iterable, keywords a dict.
    CallEx, Call, 0;
    /// Returns `R[a]`. No register from `R[b]` on holds anything.
    Return, SrcSrc, 0;
    /// Returns `K[wide]`. No register from `R[a]` on holds anything. `k` = 1: at the end of the code, where no statement says so.
    ReturnConst, DstConst, 0;

    // ---- functions, classes, modules ----
    /// `R[a] = function of code K[b]`; `k` says which of these follow from `R[c]` on, in this order:
    /// 1 defaults tuple, 2 keyword defaults dict, 4 annotate function, 8 closure tuple; 16 (never with 4): the annotations
    /// dict, in the place of the annotate function (`from __future__ import annotations`).
    MakeFunction, Special, 0;
    /// `R[a] = __import__(N[b], globals, locals, fromlist=R[c+1], level=R[c])`.
    ImportName, Special, 0;
    /// `R[a] = from R[b] import N[c]`; keep b.
    ImportFrom, DstSrcName, 0;
    /// `from R[a] import *` into the frame's locals.
    ImportStar, Src, 0;

    // ---- exceptions ----
    /// `raise` with `k`: 0 nothing (re-raise), 1 `R[a]`, 2 `R[a] from R[b]`.
    Raise, SrcSrc, 0;
    /// First of a handler. `R[a] = what sys.exception() was; R[a+1] = the caught exception`, which becomes sys.exception().
    PushExc, Dst, 0;
    /// Leaves a handler: sys.exception() becomes `R[a]`, `R[a]` and `R[a+1]` are cleared.
    PopExc, Dst, 0;
    /// `R[a] = isinstance(R[b], R[c])` for `except`: keep b; TypeError "catching classes that do not inherit from BaseException is not allowed".
    CheckExcMatch, DstSrcSrc, 0;
    /// For `except*`: `R[a+1], R[a] = matching part or None, rest or None` of the exception `R[b]` against the type `R[c]`; keep b
    /// (`a` may be `b`). `R[b]` may be None: both are None then. A matching part becomes what `sys.exception()` gives.
    CheckEgMatch, DstSrcSrc, 0;
    /// Raises `R[a]` again, keeping its traceback. `k` = 1: a frame that is left by it shows where it was raised first.
    Reraise, Src, 0;
    /// `R[a] = exception to raise after except*` from the original `R[b]` and the list `R[c]` of what was raised or left, or None.
    PrepReraiseStar, DstSrcSrc, 0;
    /// `R[a] = bool(R[b](type(e), e, e.__traceback__))`-result for `with`: `R[b], R[b+1]` = exit method and self (keep), `R[c]` = exception (keep).
    WithExceptStart, DstSrcSrc, 0;
    /// `R[a], R[a+1] = special method number k of R[b]` (see [`Special`]): function and self, or bound and unbound; keep b.
    LoadSpecial, DstSrc, 0;
    /// If `__enter__` and `__exit__` of `R[b]` (keep) are native methods that were looked up lately: `R[a], R[a+1] = exit, R[b]`,
    /// `R[a+2] = R[b].__enter__()`, jumps. Else does nothing.
    EnterNative, DstSrcJump, 0;
    /// If `R[a]` (keep) is a native method of `R[a+1]` (keep): calls it with that and three times None, drops the result, clears both, jumps.
    /// Else does nothing. The three registers behind are free.
    ExitNative, SrcJump, 0;

    // ---- generators and coroutines ----
    /// Creates the generator, coroutine or async generator of this frame and returns it to the caller; execution goes on at the next instruction when it is resumed.
    ReturnGenerator, None, 0;
    /// Yields `R[b]`; what is sent in arrives in `R[a]`. `k` = 1: inside `await` or `yield from`.
    Yield, DstSrc, 0;
    /// `R[a] = R[b].send(R[a])` (keep b): falls through with what was yielded in `R[a]`; when the iterator returns: clears
    /// `R[b]`, `R[a]` = its value and jumps by `c`.
    Send, DstSrcJump, 0;
    /// Handler of a `Yield` inside `yield from`: exception thrown in is in `R[a]`: delegates `throw`/`close` was done by the
    /// runtime; a StopIteration gives its value to `R[b]`, anything else is raised again.
    CleanupThrow, SrcSrc, 0;
    /// `R[a] = R[b]` wrapped as a value yielded by an async generator.
    AsyncGenWrap, DstSrc, 0;

    // ---- formatting ----
    /// `R[a] = convert(R[b])`: `k` = 1 str, 2 repr, 3 ascii.
    Convert, DstSrc, 0;
    /// `R[a] = format(R[b], '')`.
    FormatSimple, DstSrc, 0;
    /// `R[a] = format(R[b], R[c])`.
    FormatSpec, DstSrcSrc, 0;
    /// `R[a] = Interpolation(value=R[b], expression=R[b+1], format_spec=R[b+2])`, conversion `k` as in `Convert`.
    BuildInterpolation, DstSrc, 0;
    /// `R[a] = Template(strings=R[b] (tuple), interpolations=R[c] (tuple))`.
    BuildTemplate, DstSrcSrc, 0;

    // ---- pattern matching ----
    /// `R[a] = len(R[b])`; keep b.
    GetLen, DstSrc, 0;
    /// `R[a] = R[b] is a mapping`; keep b.
    MatchMapping, DstSrc, 0;
    /// `R[a] = R[b] is a sequence`; keep b.
    MatchSequence, DstSrc, 0;
    /// `R[a] = tuple of R[b]'s values for the keys tuple R[c]`, or None; keep b and c.
    MatchKeys, DstSrcSrc, 0;
    /// `R[a] = tuple of attributes of R[b] for the class R[c]`, or None; `R[c+1]` = tuple of keyword names, `k` = number of positional sub-patterns; keep b.
    MatchClass, DstSrcSrc, 0;

    // ---- rarely used helpers of the compiler ----
    /// `R[a] = intrinsic k (see Intrinsic1) of R[b]`.
    Intrinsic1, DstSrc, 0;
    /// `R[a] = intrinsic k (see Intrinsic2) of R[b], R[c]`.
    Intrinsic2, DstSrcSrc, 0;
    /// Creates `__annotations__` in the frame's locals if it is missing.
    SetupAnnotations, None, 0;
}

/// `k` flag of the arithmetic rows: augmented assignment.
pub const INPLACE: u8 = 0x80;

/// Binary operators, in the order of their `k`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum BinOp {
    Add,
    Sub,
    Mul,
    MatMul,
    TrueDiv,
    FloorDiv,
    Mod,
    Pow,
    LShift,
    RShift,
    And,
    Or,
    Xor,
}

impl BinOp {
    /// All operators in the order of their numbers.
    pub const ALL: [BinOp; 13] = [
        BinOp::Add,
        BinOp::Sub,
        BinOp::Mul,
        BinOp::MatMul,
        BinOp::TrueDiv,
        BinOp::FloorDiv,
        BinOp::Mod,
        BinOp::Pow,
        BinOp::LShift,
        BinOp::RShift,
        BinOp::And,
        BinOp::Or,
        BinOp::Xor,
    ];

    /// The operator as written in source.
    pub const fn symbol(self) -> &'static str {
        match self {
            BinOp::Add => "+",
            BinOp::Sub => "-",
            BinOp::Mul => "*",
            BinOp::MatMul => "@",
            BinOp::TrueDiv => "/",
            BinOp::FloorDiv => "//",
            BinOp::Mod => "%",
            BinOp::Pow => "**",
            BinOp::LShift => "<<",
            BinOp::RShift => ">>",
            BinOp::And => "&",
            BinOp::Or => "|",
            BinOp::Xor => "^",
        }
    }
}

/// Rich comparisons, in the order of their `k`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum CmpOp {
    Lt,
    Le,
    Eq,
    Ne,
    Gt,
    Ge,
}

impl CmpOp {
    /// All comparisons in the order of their numbers.
    pub const ALL: [CmpOp; 6] = [CmpOp::Lt, CmpOp::Le, CmpOp::Eq, CmpOp::Ne, CmpOp::Gt, CmpOp::Ge];

    /// The operator as written in source.
    pub const fn symbol(self) -> &'static str {
        match self {
            CmpOp::Lt => "<",
            CmpOp::Le => "<=",
            CmpOp::Eq => "==",
            CmpOp::Ne => "!=",
            CmpOp::Gt => ">",
            CmpOp::Ge => ">=",
        }
    }

    /// The comparison with its operands exchanged.
    pub const fn swapped(self) -> CmpOp {
        match self {
            CmpOp::Lt => CmpOp::Gt,
            CmpOp::Le => CmpOp::Ge,
            CmpOp::Eq => CmpOp::Eq,
            CmpOp::Ne => CmpOp::Ne,
            CmpOp::Gt => CmpOp::Lt,
            CmpOp::Ge => CmpOp::Le,
        }
    }
}

/// Operand `k` of `LoadCommon` and `JumpIfNotCommon`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Common {
    AssertionError,
    NotImplementedError,
    BuildClass,
    StopAsyncIteration,
    Tuple,
    List,
    Set,
    All,
    Any,
}

impl Common {
    /// All of them in the order of their numbers.
    pub const ALL: [Common; 9] = [
        Common::AssertionError,
        Common::NotImplementedError,
        Common::BuildClass,
        Common::StopAsyncIteration,
        Common::Tuple,
        Common::List,
        Common::Set,
        Common::All,
        Common::Any,
    ];
}

/// Operand `k` of `LoadSpecial`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Special {
    Enter,
    Exit,
    AEnter,
    AExit,
}

/// Operand `k` of `Intrinsic1`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Intrinsic1 {
    /// `sys.displayhook(R[b])` of an interactive statement.
    Print,
    /// A StopIteration that escapes a generator (StopAsyncIteration, an async one) becomes RuntimeError: result is what to raise.
    StopIterationError,
    /// `TypeVar(name)`.
    TypeVar,
    /// `ParamSpec(name)`.
    ParamSpec,
    /// `TypeVarTuple(name)`.
    TypeVarTuple,
    /// `Generic[params tuple]`, unpacking TypeVarTuples.
    SubscriptGeneric,
    /// `TypeAliasType(name, type params or None, lazily computed value)` from a tuple of the three.
    TypeAlias,
}

impl Intrinsic1 {
    /// All of them in the order of their numbers.
    pub const ALL: [Intrinsic1; 7] = [
        Intrinsic1::Print,
        Intrinsic1::StopIterationError,
        Intrinsic1::TypeVar,
        Intrinsic1::ParamSpec,
        Intrinsic1::TypeVarTuple,
        Intrinsic1::SubscriptGeneric,
        Intrinsic1::TypeAlias,
    ];
}

/// Operand `k` of `Intrinsic2`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Intrinsic2 {
    /// `TypeVar(name, evaluate_bound)` with a lazily evaluated bound.
    TypeVarWithBound,
    /// `TypeVar(name, evaluate_constraints)`.
    TypeVarWithConstraints,
    /// Sets `R[b].__type_params__ = R[c]`; result is `R[b]`.
    SetFunctionTypeParams,
    /// Sets the lazily evaluated default `R[c]` of the type parameter `R[b]`; result is `R[b]`.
    SetTypeParamDefault,
}

impl Intrinsic2 {
    /// All of them in the order of their numbers.
    pub const ALL: [Intrinsic2; 4] = [
        Intrinsic2::TypeVarWithBound,
        Intrinsic2::TypeVarWithConstraints,
        Intrinsic2::SetFunctionTypeParams,
        Intrinsic2::SetTypeParamDefault,
    ];
}

impl Special {
    /// All of them in the order of their numbers.
    pub const ALL: [Special; 4] = [Special::Enter, Special::Exit, Special::AEnter, Special::AExit];
}
