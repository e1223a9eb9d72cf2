//! `co_code`: what `dis` and those who look for names and imports in code can read.
//!
//! Each of Lisle's code words is shown as one instruction of CPython 3.14: the one that does the same, where there is one, else NOP. Places agree
//! with `co_lines`, `co_positions` and `f_lasti`; the stack is not that of a program for CPython. Words that belong to the instruction before are
//! CACHE; the second byte of the first of them holds the upper byte of a large operand.
//! Invariant: operands that stand for names, constants and jumps lie inside of the code object's.

use lisle_bytecode::opcode::BinOp;
use lisle_bytecode::{Instr, Op};

const NOP: u8 = 27;

/// CPython's instruction and operand for an instruction, and how many words from the one behind it a jump leads.
fn shown(op: Op, instr: Instr) -> (u8, u32) {
    let name = |shift: u32, index: u16| u32::from(index) << shift;
    match op {
        Op::Resume => (128, 0),
        Op::LoadConst => (82, instr.w()),
        Op::LoadInt => (94, instr.w()),
        Op::LoadGlobal => (92, instr.w() << 1),
        Op::StoreGlobal => (115, instr.w()),
        Op::DeleteGlobal => (64, instr.w()),
        Op::LoadName => (93, instr.w()),
        Op::StoreName => (116, instr.w()),
        Op::DeleteName => (65, instr.w()),
        Op::LoadAttr => (80, name(1, instr.c())),
        Op::LoadMethod => (80, name(1, instr.c()) | 1),
        Op::StoreAttr => (110, instr.b().into()),
        Op::DeleteAttr => (61, instr.b().into()),
        Op::LoadSuperAttr => (96, name(2, instr.c())),
        Op::LoadSuperMethod => (96, name(2, instr.c()) | 1),
        Op::ImportName => (73, instr.b().into()),
        Op::ImportFrom => (72, instr.c().into()),
        Op::SetItem => (38, 0),
        Op::DelItem => (8, 0),
        Op::Add | Op::AddImm => (44, 0),
        Op::Sub | Op::SubImm => (44, 10),
        Op::Mul => (44, 5),
        Op::Binary | Op::BinaryImm => (44, binary(instr.k())),
        Op::GetItem => (44, 26),
        Op::Neg => (41, 0),
        Op::Invert => (40, 0),
        Op::Not => (42, 0),
        Op::Is => (74, u32::from(instr.k() & 1)),
        Op::Contains => (57, u32::from(instr.k() & 1)),
        Op::GetIter => (16, 0),
        Op::Jump => (77, instr.w()),
        Op::JumpBack => (75, instr.w().wrapping_neg()),
        Op::JumpIfTrue => (103, instr.w()),
        Op::JumpIfFalse => (100, instr.w()),
        Op::JumpIfNone => (101, instr.w()),
        Op::JumpIfNotNone => (102, instr.w()),
        // Backward ones have no like: what does not fit is a NOP.
        Op::ForIter => (70, i32::from(instr.c() as i16) as u32),
        Op::BuildTuple => (51, instr.c().into()),
        Op::BuildList => (46, instr.c().into()),
        Op::BuildSet => (48, instr.c().into()),
        Op::BuildMap => (47, instr.c().into()),
        Op::Call => (52, instr.b().into()),
        Op::CallKw => (55, instr.b().into()),
        Op::CallEx => (4, 0),
        Op::Return | Op::ReturnConst => (35, 0),
        Op::Raise => (104, instr.k().into()),
        Op::Reraise => (105, 0),
        Op::PushExc => (32, 0),
        Op::PopExc => (29, 0),
        Op::CheckExcMatch => (6, 0),
        Op::ReturnGenerator => (34, 0),
        Op::Yield => (120, 0),
        Op::FormatSimple => (12, 0),
        Op::FormatSpec => (13, 0),
        _ => (NOP, 0),
    }
}

/// CPython's number of an operator.
fn binary(k: u8) -> u32 {
    let Some(op) = BinOp::ALL.get(usize::from(k & !lisle_bytecode::opcode::INPLACE)) else {
        return 0;
    };
    let number = match op {
        BinOp::Add => 0,
        BinOp::And => 1,
        BinOp::FloorDiv => 2,
        BinOp::LShift => 3,
        BinOp::MatMul => 4,
        BinOp::Mul => 5,
        BinOp::Mod => 6,
        BinOp::Or => 7,
        BinOp::Pow => 8,
        BinOp::RShift => 9,
        BinOp::Sub => 10,
        BinOp::TrueDiv => 11,
        BinOp::Xor => 12,
    };
    number
        + if k & lisle_bytecode::opcode::INPLACE == 0 {
            0
        } else {
            13
        }
}

/// Two bytes for each of `size` words, of the instructions and their places.
pub(super) fn code_bytes(instructions: impl Iterator<Item = (usize, Instr)>, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size * 2];
    for (at, instr) in instructions {
        let Some(op) = Op::ALL.get(instr.op_number() as usize).copied() else {
            continue;
        };
        let (mut number, mut operand) = shown(op, instr);
        let caches = op.cache_words();
        if operand > if caches > 0 { 0xffff } else { 0xff } {
            (number, operand) = (NOP, 0);
        }
        bytes[at * 2] = number;
        bytes[at * 2 + 1] = operand as u8;
        if operand > 0xff {
            bytes[at * 2 + 3] = (operand >> 8) as u8;
        }
    }
    bytes
}
