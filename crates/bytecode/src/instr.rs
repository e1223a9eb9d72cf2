//! One instruction: a 64-bit word `op:8 | k:8 | a:16 | b:16 | c:16`, lowest bits first.
//!
//! `wide` is `b` and `c` together as 32 bits. Inline cache words follow the instruction in the code array.

use crate::opcode::Op;

/// A decoded view on one instruction word.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Instr(pub u64);

impl Instr {
    /// An instruction with three 16-bit operands.
    pub const fn abc(op: Op, k: u8, a: u16, b: u16, c: u16) -> Instr {
        Instr(op as u64 | (k as u64) << 8 | (a as u64) << 16 | (b as u64) << 32 | (c as u64) << 48)
    }

    /// An instruction with one 16-bit and one 32-bit operand.
    pub const fn wide(op: Op, k: u8, a: u16, wide: u32) -> Instr {
        Instr(op as u64 | (k as u64) << 8 | (a as u64) << 16 | (wide as u64) << 32)
    }

    /// An extension word, as it follows `CallKw`.
    pub const fn ext(value: u32) -> Instr {
        Instr(value as u64)
    }

    /// The number of the operation.
    #[inline(always)]
    pub const fn op_number(self) -> u8 {
        self.0 as u8
    }

    /// The operation.
    ///
    /// # Panics
    /// If the word is not an instruction: the compiler emits none such, and code from elsewhere is verified when it is loaded.
    #[inline]
    pub const fn op(self) -> Op {
        Op::ALL[self.0 as u8 as usize]
    }

    #[inline(always)]
    pub const fn k(self) -> u8 {
        (self.0 >> 8) as u8
    }

    #[inline(always)]
    pub const fn a(self) -> u16 {
        (self.0 >> 16) as u16
    }

    #[inline(always)]
    pub const fn b(self) -> u16 {
        (self.0 >> 32) as u16
    }

    #[inline(always)]
    pub const fn c(self) -> u16 {
        (self.0 >> 48) as u16
    }

    /// `b` and `c` together, unsigned.
    #[inline(always)]
    pub const fn w(self) -> u32 {
        (self.0 >> 32) as u32
    }
}
