//! The table of operations of a type: what the interpreter calls for `len(x)`, `x + y`, `x.name`...
//!
//! Invariant: an entry is what `special method lookup` on the type would find: native types fill it in directly, Python classes
//! get trampolines (see [`super::slotdefs`]) whenever their attributes change. Written while the type is private to its creator, or
//! with the world stopped.

use lisle_bytecode::opcode::CmpOp;

use super::py::Py;
use super::types::Type;
use super::value::Value;
use crate::native::Args;
use crate::types::buffer::{Buffer, BufferFlags};
use crate::types::str::Str;
use crate::vm::{Res, Vm};

pub type UnaryFn = fn(&Vm, &Value) -> Res<Value>;
pub type BinaryFn = fn(&Vm, &Value, &Value) -> Res<Value>;
pub type PowFn = fn(&Vm, &Value, &Value, Option<&Value>) -> Res<Value>;
pub type NextFn = fn(&Vm, &Value) -> Res<Option<Value>>;
pub type BoolFn = fn(&Vm, &Value) -> Res<bool>;
pub type LenFn = fn(&Vm, &Value) -> Res<usize>;
pub type HashFn = fn(&Vm, &Value) -> Res<i64>;
pub type ContainsFn = fn(&Vm, &Value, &Value) -> Res<bool>;
pub type SetItemFn = fn(&Vm, &Value, &Value, Option<&Value>) -> Res<()>;
pub type GetAttrFn = fn(&Vm, &Value, &Py<Str>) -> Res<Value>;
pub type SetAttrFn = fn(&Vm, &Value, &Py<Str>, Option<&Value>) -> Res<()>;
pub type DescrGetFn = fn(&Vm, &Value, Option<&Value>, Option<&Value>) -> Res<Value>;
pub type DescrSetFn = fn(&Vm, &Value, &Value, Option<&Value>) -> Res<()>;
pub type CompareFn = fn(&Vm, &Value, &Value, CmpOp) -> Res<Value>;
pub type RepeatFn = fn(&Vm, &Value, isize) -> Res<Value>;
pub type FinalizeFn = fn(&Vm, &Value) -> Res<()>;
pub type NewFn = fn(&Vm, &Py<Type>, Args<'_>) -> Res<Value>;
pub type InitFn = fn(&Vm, &Value, Args<'_>) -> Res<()>;
/// The buffer of an object; see [`crate::types::buffer`].
pub type BufferFn = fn(&Vm, &Value, BufferFlags) -> Res<Buffer>;
pub type CallFn = fn(&Vm, &Value, Args<'_>) -> Res<Value>;

macro_rules! slots {
    ($( $name:ident: $ty:ty, )+) => {
        /// See the module.
        #[derive(Clone, Copy, Default)]
        pub struct Slots { $( pub $name: Option<$ty>, )+ }

        impl Slots {
            /// Takes over each entry that is missing here from `base`.
            pub fn inherit(&mut self, base: &Slots) {
                $( if self.$name.is_none() { self.$name = base.$name; } )+
            }
        }
    };
}

slots! {
    repr: UnaryFn, str: UnaryFn, iter: UnaryFn, await_: UnaryFn, aiter: UnaryFn, anext: UnaryFn,
    neg: UnaryFn, pos: UnaryFn, invert: UnaryFn, abs: UnaryFn, int: UnaryFn, float: UnaryFn, index: UnaryFn,
    next: NextFn, bool: BoolFn, len: LenFn, hash: HashFn, contains: ContainsFn,
    getitem: BinaryFn, setitem: SetItemFn, getattro: GetAttrFn, setattro: SetAttrFn,
    descr_get: DescrGetFn, descr_set: DescrSetFn, richcompare: CompareFn, finalize: FinalizeFn,
    add: BinaryFn, sub: BinaryFn, mul: BinaryFn, matmul: BinaryFn, truediv: BinaryFn, floordiv: BinaryFn,
    divmod: BinaryFn, mod_: BinaryFn, lshift: BinaryFn, rshift: BinaryFn, and: BinaryFn, or: BinaryFn, xor: BinaryFn,
    pow: PowFn,
    iadd: BinaryFn, isub: BinaryFn, imul: BinaryFn, imatmul: BinaryFn, itruediv: BinaryFn, ifloordiv: BinaryFn,
    imod: BinaryFn, ilshift: BinaryFn, irshift: BinaryFn, iand: BinaryFn, ior: BinaryFn, ixor: BinaryFn, ipow: BinaryFn,
    concat: BinaryFn, repeat: RepeatFn, inplace_concat: BinaryFn, inplace_repeat: RepeatFn,
    buffer: BufferFn,
    new: NewFn, init: InitFn, call: CallFn,
}
