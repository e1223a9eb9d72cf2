//! Bytecode of Lisle: opcodes, instructions, code objects, disassembler. Plain data, no `unsafe`, knows nothing of the runtime.

#![forbid(unsafe_code)]

mod code;
mod dis;
mod instr;
pub mod opcode;

pub use code::{CodeFlags, CodeObject, Const, ExceptionEntry, Location, Text};
pub use dis::disassemble;
pub use instr::Instr;
pub use opcode::Op;
