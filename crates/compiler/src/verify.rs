//! Checks that a code object is well formed: operands in range, jumps to instructions. For tests and for code from elsewhere.

use lisle_bytecode::opcode::Format;
use lisle_bytecode::{CodeObject, Const, Instr, Op};

/// Checks `code` and the code objects in it; gives the first problem.
pub fn verify(code: &CodeObject) -> Result<(), String> {
    let mut starts = vec![false; code.code.len() + 1];
    let mut pc = 0;
    while pc < code.code.len() {
        let number = Instr(code.code[pc]).op_number() as usize;
        let Some(op) = Op::ALL.get(number) else {
            return Err(format!("{}: {pc}: no operation {number}", code.qualname));
        };
        starts[pc] = true;
        pc += 1 + op.cache_words();
    }
    if pc != code.code.len() {
        return Err(format!("{}: the last instruction is cut off", code.qualname));
    }
    let mut pc = 0;
    let mut falls_off = true;
    while pc < code.code.len() {
        let instr = Instr(code.code[pc]);
        let next = pc + 1 + instr.op().cache_words();
        check(code, instr, next, &starts)
            .map_err(|e| format!("{}: {pc}: {}: {e}", code.qualname, instr.op().name()))?;
        falls_off = !matches!(
            instr.op(),
            Op::Return | Op::ReturnConst | Op::Raise | Op::Reraise | Op::Jump | Op::JumpBack
        );
        pc = next;
    }
    if falls_off {
        return Err(format!("{}: control falls off the end", code.qualname));
    }
    for e in &code.exceptions {
        let inside = (e.start < e.end) && (e.end as usize) <= code.code.len() && starts[e.target as usize];
        if !inside || u32::from(e.depth) > code.nregs {
            return Err(format!("{}: bad exception entry {e:?}", code.qualname));
        }
    }
    for value in &code.consts {
        if let Const::Code(inner) = value {
            verify(inner)?;
        }
    }
    Ok(())
}

fn check(code: &CodeObject, instr: Instr, next: usize, starts: &[bool]) -> Result<(), String> {
    let (a, b, c, w) = (instr.a(), instr.b(), instr.c(), instr.w());
    let reg = |r: u16| {
        if u32::from(r) < code.nregs {
            Ok(())
        } else {
            Err(format!("register {r} of {}", code.nregs))
        }
    };
    let name = |n: u32| {
        if (n as usize) < code.names.len() {
            Ok(())
        } else {
            Err(format!("name {n} of {}", code.names.len()))
        }
    };
    let constant = |k: u32| {
        if (k as usize) < code.consts.len() {
            Ok(())
        } else {
            Err(format!("constant {k} of {}", code.consts.len()))
        }
    };
    let jump = |offset: i64| {
        let target = next as i64 + offset;
        let good = usize::try_from(target).is_ok_and(|t| t < code.code.len() && starts[t]);
        if good { Ok(()) } else { Err(format!("jump to {target}")) }
    };
    let near = |c: u16| jump(i64::from(c as i16));
    let wide = |w: u32| jump(i64::from(w as i32));
    match instr.op().format() {
        Format::None | Format::Special => Ok(()),
        Format::Dst | Format::Src | Format::DstImm => reg(a),
        Format::DstSrc | Format::SrcSrc | Format::DstSrcImm => reg(a).and(reg(b)),
        Format::DstSrcSrc | Format::SrcSrcSrc => reg(a).and(reg(b)).and(reg(c)),
        Format::DstSrcName => reg(a).and(reg(b)).and(name(c.into())),
        Format::DstName | Format::SrcName => reg(a).and(name(w)),
        Format::Name => name(w),
        Format::ObjNameSrc => reg(a).and(name(b.into())).and(reg(c)),
        Format::ObjName => reg(a).and(name(b.into())),
        Format::DstConst => reg(a).and(constant(w)),
        Format::Jump => wide(w),
        Format::SrcJump => reg(a).and(wide(w)),
        Format::DstSrcJump => reg(a).and(reg(b)).and(near(c)),
        Format::CmpJump => reg(a).and(reg(b)).and(near(c)),
        Format::CmpImmJump => reg(a).and(near(c)),
        Format::Build => match c {
            0 => reg(a),
            _ => reg(a).and(reg(b)).and(reg(b.saturating_add(c - 1))),
        },
        Format::Unpack => reg(a).and(reg(b)),
        Format::Call => reg(a).and(reg(c)).and(reg(a.saturating_add(1).saturating_add(b))),
    }
}
