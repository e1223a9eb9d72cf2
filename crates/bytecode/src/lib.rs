//! Bytecode of Lisle: opcodes, instructions, code objects, disassembler. Plain data, no `unsafe`, knows nothing of the runtime.

#![forbid(unsafe_code)]

mod code;
mod dis;
mod flow;
mod instr;
mod locations;
pub mod opcode;
mod serial;
mod verify;

pub use code::{CodeFlags, CodeObject, Const, ExceptionEntry, Location, Text};
pub use dis::{Line, disassemble, listing};
pub use flow::{Effect, effect};
pub use instr::Instr;
pub use locations::Locations;
pub use opcode::Op;
pub use serial::{
    DecodeError, FORMAT_ID, Head, PackedCode, deserialize, deserialize_packed, deserialize_unverified, serialize,
};
pub use verify::{VerifyError, verify};
