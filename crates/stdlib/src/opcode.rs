//! `_opcode`: facts about the opcodes of CPython 3.14, which `opcode` and `dis` are built on. Lisle's own code has other instructions.
//!
//! Invariant: the numbers are those of `_opcode_metadata`. Left out: stack effects and executors, which have no counterpart here.

use lisle_bytecode::Op;
use lisle_runtime::native::{Res, Value, Vm, pymodule};
use lisle_runtime::types::code::{Code, instruction_name};
use lisle_runtime::types::list::List;
use lisle_runtime::types::tuple::Tuple;

/// The last opcode without an argument.
const HAVE_ARGUMENT: i64 = 43;
const LAST: i64 = 120;
const FIRST_INSTRUMENTED: i64 = 234;
const LAST_PSEUDO: i64 = 266;

const CONST: &[i64] = &[82];
/// DELETE_ATTR, DELETE_GLOBAL, DELETE_NAME, IMPORT_FROM, IMPORT_NAME, LOAD_ATTR, LOAD_FROM_DICT_OR_GLOBALS, LOAD_GLOBAL, LOAD_NAME,
/// LOAD_SUPER_ATTR, STORE_ATTR, STORE_GLOBAL, STORE_NAME, INSTRUMENTED_LOAD_SUPER_ATTR
const NAME: &[i64] = &[61, 64, 65, 72, 73, 80, 91, 92, 93, 96, 110, 115, 116, 249];
/// END_ASYNC_FOR, FOR_ITER, the jumps, SEND and the pseudo jumps
const JUMP: &[i64] = &[68, 70, 75, 76, 77, 100, 101, 102, 103, 106, 257, 258, 259, 260];
/// DELETE_DEREF, LOAD_DEREF, LOAD_FROM_DICT_OR_DEREF, MAKE_CELL, STORE_DEREF
const FREE: &[i64] = &[62, 83, 90, 97, 111];
/// DELETE_FAST, LOAD_FAST and its kin, STORE_FAST and its kin, LOAD_CLOSURE, STORE_FAST_MAYBE_NULL
const LOCAL: &[i64] = &[63, 84, 85, 86, 87, 88, 89, 112, 113, 114, 261, 266];
/// SETUP_CLEANUP, SETUP_FINALLY, SETUP_WITH
const EXC: &[i64] = &[263, 264, 265];

fn valid(opcode: i64) -> bool {
    // Number 3 is not in use.
    (0..=LAST).contains(&opcode) && opcode != 3 || (FIRST_INSTRUMENTED..=LAST_PSEUDO).contains(&opcode)
}

fn names(list: &[&str]) -> Value {
    List::new(list.iter().map(|&name| Value::from(name)).collect()).into_value()
}

#[pymodule(name = "_opcode", doc = "Opcode support module.")]
pub mod module {
    use super::*;

    /// CPython's adaptive instructions and their statistics have no counterpart here.
    #[pyattr]
    fn ENABLE_SPECIALIZATION(_: &Vm) -> Value {
        Value::FALSE
    }

    #[pyattr]
    fn ENABLE_SPECIALIZATION_FT(_: &Vm) -> Value {
        Value::FALSE
    }

    /// Compute the stack effect of the opcode.
    #[pyfunction(sig = "(opcode, oparg=None, /, *, jump=None)")]
    fn stack_effect(vm: &Vm, opcode: i32, _oparg: Option<&Value>, _jump: Option<&Value>) -> Res<i32> {
        if !valid(opcode.into()) {
            return Err(vm.value_error("invalid opcode or oparg"));
        }
        Err(vm.not_implemented_error("Lisle is a register machine: its instructions have no stack effects"))
    }

    /// Return True if opcode is valid, False otherwise.
    #[pyfunction(sig = "(opcode)")]
    fn is_valid(_: &Vm, opcode: i32) -> bool {
        valid(opcode.into())
    }

    /// Return True if the opcode uses its oparg, False otherwise.
    #[pyfunction(sig = "(opcode)")]
    fn has_arg(_: &Vm, opcode: i32) -> bool {
        let opcode = opcode.into();
        valid(opcode) && opcode > HAVE_ARGUMENT && !matches!(opcode, 234..=236 | 238 | 240 | 246 | 252 | 254 | 262)
    }

    /// Return True if the opcode accesses a constant, False otherwise.
    #[pyfunction(sig = "(opcode)")]
    fn has_const(_: &Vm, opcode: i32) -> bool {
        CONST.contains(&opcode.into())
    }

    /// Return True if the opcode accesses an attribute by name, False otherwise.
    #[pyfunction(sig = "(opcode)")]
    fn has_name(_: &Vm, opcode: i32) -> bool {
        NAME.contains(&opcode.into())
    }

    /// Return True if the opcode has a jump target, False otherwise.
    #[pyfunction(sig = "(opcode)")]
    fn has_jump(_: &Vm, opcode: i32) -> bool {
        JUMP.contains(&opcode.into())
    }

    /// Return True if the opcode accesses a free variable, False otherwise.
    ///
    /// Note that 'free' in this context refers to names in the current scope
    /// that are referenced by inner scopes or names in outer scopes that are
    /// referenced from this scope. It does not include references to global
    /// or builtin scopes.
    #[pyfunction(sig = "(opcode)")]
    fn has_free(_: &Vm, opcode: i32) -> bool {
        FREE.contains(&opcode.into())
    }

    /// Return True if the opcode accesses a local variable, False otherwise.
    #[pyfunction(sig = "(opcode)")]
    fn has_local(_: &Vm, opcode: i32) -> bool {
        LOCAL.contains(&opcode.into())
    }

    /// Return True if the opcode sets an exception handler, False otherwise.
    #[pyfunction(sig = "(opcode)")]
    fn has_exc(_: &Vm, opcode: i32) -> bool {
        EXC.contains(&opcode.into())
    }

    /// Return the specialization stats
    #[pyfunction(sig = "()")]
    fn get_specialization_stats(_: &Vm) {}

    /// Return a list of names of the unary intrinsics.
    #[pyfunction(sig = "()")]
    fn get_intrinsic1_descs(_: &Vm) -> Value {
        names(&[
            "INTRINSIC_1_INVALID",
            "INTRINSIC_PRINT",
            "INTRINSIC_IMPORT_STAR",
            "INTRINSIC_STOPITERATION_ERROR",
            "INTRINSIC_ASYNC_GEN_WRAP",
            "INTRINSIC_UNARY_POSITIVE",
            "INTRINSIC_LIST_TO_TUPLE",
            "INTRINSIC_TYPEVAR",
            "INTRINSIC_PARAMSPEC",
            "INTRINSIC_TYPEVARTUPLE",
            "INTRINSIC_SUBSCRIPT_GENERIC",
            "INTRINSIC_TYPEALIAS",
        ])
    }

    /// Return a list of names of the binary intrinsics.
    #[pyfunction(sig = "()")]
    fn get_intrinsic2_descs(_: &Vm) -> Value {
        names(&[
            "INTRINSIC_2_INVALID",
            "INTRINSIC_PREP_RERAISE_STAR",
            "INTRINSIC_TYPEVAR_WITH_BOUND",
            "INTRINSIC_TYPEVAR_WITH_CONSTRAINTS",
            "INTRINSIC_SET_FUNCTION_TYPE_PARAMS",
            "INTRINSIC_SET_TYPEPARAM_DEFAULT",
        ])
    }

    /// The names of Lisle's own instructions, by number.
    #[pyfunction(sig = "()")]
    fn get_native_names(_: &Vm) -> Value {
        let names = Op::ALL.iter().map(|op| Value::from(instruction_name(*op).as_str()));
        List::new(names.collect()).into_value()
    }

    /// Return a list of special method names.
    #[pyfunction(sig = "()")]
    fn get_special_method_names(_: &Vm) -> Value {
        names(&["__enter__", "__exit__", "__aenter__", "__aexit__"])
    }

    /// Return array of symbols of binary ops.
    ///
    /// Indexed by the BINARY_OP oparg value.
    #[pyfunction(sig = "()")]
    fn get_nb_ops(_: &Vm) -> Value {
        const OPS: [(&str, &str); 13] = [
            ("ADD", "+"),
            ("AND", "&"),
            ("FLOOR_DIVIDE", "//"),
            ("LSHIFT", "<<"),
            ("MATRIX_MULTIPLY", "@"),
            ("MULTIPLY", "*"),
            ("REMAINDER", "%"),
            ("OR", "|"),
            ("POWER", "**"),
            ("RSHIFT", ">>"),
            ("SUBTRACT", "-"),
            ("TRUE_DIVIDE", "/"),
            ("XOR", "^"),
        ];
        let pair = |name: String, symbol: String| {
            Tuple::pair(Value::from(name.as_str()), Value::from(symbol.as_str())).into_value()
        };
        let mut all: Vec<Value> = OPS
            .iter()
            .map(|(name, symbol)| pair(format!("NB_{name}"), (*symbol).to_owned()))
            .collect();
        all.extend(
            OPS.iter()
                .map(|(name, symbol)| pair(format!("NB_INPLACE_{name}"), format!("{symbol}="))),
        );
        all.push(pair("NB_SUBSCR".to_owned(), "[]".to_owned()));
        List::new(all).into_value()
    }

    /// Return the executor object at offset in code if exists, None otherwise.
    #[pyfunction(sig = "(*, code, offset)")]
    fn get_executor(vm: &Vm, code: &Value, _offset: i32) -> Res<()> {
        if code.downcast::<Code>().is_none() {
            return Err(vm.type_error(format!("expected a code object, not '{}'", code.ty().name())));
        }
        Err(vm.runtime_error("Executors are not available in this build"))
    }
}
