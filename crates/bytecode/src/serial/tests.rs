//! Round trips, and damage of every kind.

use super::*;
use crate::Location;

fn sample() -> CodeObject {
    let text = |s: &str| Const::Str(Text::Utf8(s.into()));
    let inner = CodeObject {
        name: "f".into(),
        qualname: "C.f".into(),
        filename: "a.py".into(),
        first_line: 3,
        flags: CodeFlags(CodeFlags::OPTIMIZED | CodeFlags::NEWLOCALS | CodeFlags::VARARGS),
        argcount: 1,
        posonlyargcount: 1,
        kwonlyargcount: 1,
        varnames: vec!["self".into(), "key".into(), "rest".into()],
        cellvars: vec!["self".into()],
        freevars: vec!["outer".into()],
        names: vec!["append".into(), "é中😀".into()],
        consts: vec![
            Const::Tuple([text("key")].into()),
            Const::BigInt {
                negative: true,
                magnitude: [1, 2, 3, 4, 5, 6, 7, 8, 9].into(),
            },
            Const::Str(Text::Points([0x61, 0xd800, 0x10_ffff].into())),
            Const::FrozenSet([Const::Int(i64::MIN), Const::Int(i64::MAX)].into()),
            Const::Slice(Box::new([Const::None, Const::Int(-1), Const::Ellipsis])),
            Const::Complex(-0.0, f64::INFINITY),
            Const::Bytes([0, 255].into()),
        ],
        code: vec![
            Instr::abc(Op::Resume, 0, 0, 0, 0).0,
            Instr::abc(Op::LoadMethod, 0, 4, 1, 0).0,
            0,
            0,
            Instr::wide(Op::LoadConst, 0, 6, 2).0,
            Instr::abc(Op::CallKw, 1, 4, 1, 4).0,
            0,
            Instr::ext(0).0,
            Instr::abc(Op::JumpCmpImm, 8, 4, -5i16 as u16, -8i16 as u16).0,
            Instr::wide(Op::ReturnConst, 0, 0, 1).0,
            Instr::abc(Op::PushExc, 0, 4, 0, 0).0,
            Instr::abc(Op::Reraise, 0, 5, 0, 0).0,
        ],
        locations: Locations::pack([
            (
                0,
                Location {
                    line: 3,
                    end_line: 3,
                    col: 0,
                    end_col: 0,
                },
            ),
            (
                1,
                Location {
                    line: 5,
                    end_line: 9,
                    col: 12,
                    end_col: 3,
                },
            ),
            (8, Location::default()),
        ]),
        exceptions: vec![ExceptionEntry {
            start: 1,
            end: 9,
            target: 10,
            depth: 4,
        }],
        nregs: 8,
    };
    CodeObject {
        name: "<module>".into(),
        qualname: "<module>".into(),
        filename: "a.py".into(),
        first_line: 1,
        flags: CodeFlags(0),
        argcount: 0,
        posonlyargcount: 0,
        kwonlyargcount: 0,
        varnames: vec![],
        cellvars: vec![],
        freevars: vec![],
        names: vec!["f".into()],
        consts: vec![
            Const::Code(Box::new(inner)),
            Const::None,
            Const::Float(-0.0),
            Const::True,
            Const::False,
        ],
        code: vec![
            Instr::abc(Op::Resume, 0, 0, 0, 0).0,
            Instr::abc(Op::MakeFunction, 0, 0, 0, 0).0,
            Instr::wide(Op::StoreName, 0, 0, 0).0,
            0,
            Instr::wide(Op::ReturnConst, 0, 0, 1).0,
        ],
        locations: Locations::pack([(0, Location::default())]),
        exceptions: vec![],
        nregs: 2,
    }
}

#[test]
fn a_round_trip_changes_nothing() {
    let code = sample();
    let bytes = serialize(&code);
    let back = deserialize(&bytes).expect("what was written can be read");
    assert_eq!(back, code);
    let Const::Float(zero) = back.consts[2] else {
        panic!("constant 2 is a float")
    };
    assert!(zero.is_sign_negative());
    assert_eq!(serialize(&back), bytes);
}

#[test]
fn packed_code_is_read_part_by_part() {
    let code = sample();
    let bytes: &'static [u8] = Vec::leak(serialize(&code));
    let outer = deserialize_packed(bytes).expect("what was written can be read");
    let (Const::Packed(inner), Const::Code(expected)) = (&outer.consts[0], &code.consts[0]) else {
        panic!("constant 0 is code")
    };
    let head = inner.head().expect("a head");
    assert_eq!((head.name, head.qualname, head.flags), ("f", "C.f", expected.flags));
    assert_eq!(inner.load().expect("a body"), **expected);
    assert_eq!(outer.code, code.code);
}

#[test]
fn every_prefix_is_refused() {
    let bytes = serialize(&sample());
    for n in 0..bytes.len() {
        assert!(deserialize(&bytes[..n]).is_err(), "prefix of {n} bytes");
    }
    let mut longer = bytes;
    longer.push(0);
    assert_eq!(deserialize(&longer), Err(DecodeError::Malformed("bytes left over")));
}

#[test]
fn another_version_is_refused() {
    let mut bytes = serialize(&sample());
    bytes[5] ^= 1;
    assert_eq!(deserialize(&bytes), Err(DecodeError::Version));
    assert_eq!(deserialize(b"xxxxyyyyzzzz"), Err(DecodeError::Version));
}

#[test]
fn damage_never_panics() {
    let bytes = serialize(&sample());
    for at in 8..bytes.len() {
        for flip in 1..=255u8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            if let Ok(code) = deserialize(&damaged) {
                // What passes is whole: it can be disassembled and written again.
                crate::disassemble(&code);
                serialize(&code);
            }
        }
    }
}

#[test]
fn random_bytes_never_panic() {
    let mut state = 1u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let valid = serialize(&sample());
    for _ in 0..20_000 {
        let mut bytes = valid.clone();
        for _ in 0..random() % 8 + 1 {
            let at = 8 + random() as usize % (bytes.len() - 8);
            match random() % 3 {
                0 => bytes[at] = random() as u8,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, random() as u8),
            }
        }
        let _ = deserialize(&bytes);
    }
}

#[test]
fn deep_nesting_is_refused() {
    let mut value = Const::None;
    for _ in 0..MAX_DEPTH + 10 {
        value = Const::Tuple(Box::new([value]));
    }
    let mut code = sample();
    code.consts.push(value);
    assert_eq!(
        deserialize(&serialize(&code)),
        Err(DecodeError::Malformed("nested too deep"))
    );
}

#[test]
fn a_huge_count_allocates_nothing() {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(FORMAT_ID.to_le_bytes());
    bytes.extend([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
    assert_eq!(deserialize(&bytes), Err(DecodeError::Truncated));
}

#[test]
fn code_that_could_harm_is_refused() {
    let refused = |change: &dyn Fn(&mut CodeObject)| {
        let mut code = sample();
        change(&mut code);
        match deserialize(&serialize(&code)) {
            Err(DecodeError::Unsafe(error)) => error.what,
            other => panic!("expected a refusal, got {other:?}"),
        }
    };
    assert_eq!(refused(&|c| c.nregs = 70_000), "bad register count");
    assert_eq!(refused(&|c| c.argcount = 1), "more parameters than variables");
    assert_eq!(
        refused(&|c| c.code[1] = Instr::abc(Op::MakeFunction, 0, 2, 0, 0).0),
        "no such register"
    );
    assert_eq!(
        refused(&|c| c.code[1] = Instr::abc(Op::MakeFunction, 0, 0, 1, 0).0),
        "function without code"
    );
    assert_eq!(
        refused(&|c| c.code[2] = Instr::wide(Op::StoreName, 0, 0, 7).0),
        "no such name"
    );
    assert_eq!(
        refused(&|c| c.code[4] = Instr::wide(Op::ReturnConst, 0, 0, 99).0),
        "no such constant"
    );
    assert_eq!(
        refused(&|c| c.code[4] = Instr::wide(Op::Jump, 0, 0, -2i32 as u32).0),
        "jump to no instruction"
    );
    assert_eq!(
        refused(&|c| c.code[4] = Instr::abc(Op::Nop, 0, 0, 0, 0).0),
        "execution runs over the end"
    );
    let row = ExceptionEntry {
        start: 0,
        end: 4,
        target: 3,
        depth: 0,
    };
    assert_eq!(refused(&|c| c.exceptions.push(row)), "bad exception table");
}
