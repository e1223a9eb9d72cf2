//! The arithmetic functions of `_operator`.
//!
//! Invariant: each is the operator of its name, with that operator's errors.

use lisle_bytecode::opcode::BinOp;
use lisle_runtime::native::{Res, Value, Vm, pymodule};
use lisle_runtime::types::common::exact_index;

#[pymodule(name = "_operator")]
pub mod module {
    use super::*;

    /// Same as a.__index__()
    #[pyfunction(sig = "(a, /)")]
    fn index(vm: &Vm, a: &Value) -> Res<Value> {
        exact_index(vm, a)
    }

    /// Same as abs(a).
    #[pyfunction(sig = "(a, /)")]
    fn abs(vm: &Vm, a: &Value) -> Res<Value> {
        match a.ty().slots().abs {
            Some(abs) => abs(vm, a),
            None => Err(vm.type_error(format!("bad operand type for abs(): '{}'", a.ty().name()))),
        }
    }

    /// Same as -a.
    #[pyfunction(sig = "(a, /)")]
    fn neg(vm: &Vm, a: &Value) -> Res<Value> {
        vm.unary(a, |slots| slots.neg, "-")
    }

    /// Same as +a.
    #[pyfunction(sig = "(a, /)")]
    fn pos(vm: &Vm, a: &Value) -> Res<Value> {
        vm.unary(a, |slots| slots.pos, "+")
    }

    /// Same as ~a.
    #[pyfunction(sig = "(a, /)")]
    fn inv(vm: &Vm, a: &Value) -> Res<Value> {
        vm.unary(a, |slots| slots.invert, "~")
    }

    /// Same as ~a.
    #[pyfunction(sig = "(a, /)")]
    fn invert(vm: &Vm, a: &Value) -> Res<Value> {
        vm.unary(a, |slots| slots.invert, "~")
    }

    /// Same as a ** b.
    #[pyfunction(sig = "(a, b, /)")]
    fn pow(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.pow(a, b, None)
    }

    /// Same as a **= b.
    #[pyfunction(sig = "(a, b, /)")]
    fn ipow(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.inplace(BinOp::Pow, a, b)
    }

    /// Same as a + b.
    #[pyfunction(sig = "(a, b, /)")]
    fn add(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.binary(BinOp::Add, a, b)
    }

    /// Same as a += b.
    #[pyfunction(sig = "(a, b, /)")]
    fn iadd(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.inplace(BinOp::Add, a, b)
    }

    /// Same as a - b.
    #[pyfunction(sig = "(a, b, /)")]
    fn sub(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.binary(BinOp::Sub, a, b)
    }

    /// Same as a -= b.
    #[pyfunction(sig = "(a, b, /)")]
    fn isub(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.inplace(BinOp::Sub, a, b)
    }

    /// Same as a * b.
    #[pyfunction(sig = "(a, b, /)")]
    fn mul(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.binary(BinOp::Mul, a, b)
    }

    /// Same as a *= b.
    #[pyfunction(sig = "(a, b, /)")]
    fn imul(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.inplace(BinOp::Mul, a, b)
    }

    /// Same as a @ b.
    #[pyfunction(sig = "(a, b, /)")]
    fn matmul(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.binary(BinOp::MatMul, a, b)
    }

    /// Same as a @= b.
    #[pyfunction(sig = "(a, b, /)")]
    fn imatmul(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.inplace(BinOp::MatMul, a, b)
    }

    /// Same as a / b.
    #[pyfunction(sig = "(a, b, /)")]
    fn truediv(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.binary(BinOp::TrueDiv, a, b)
    }

    /// Same as a /= b.
    #[pyfunction(sig = "(a, b, /)")]
    fn itruediv(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.inplace(BinOp::TrueDiv, a, b)
    }

    /// Same as a // b.
    #[pyfunction(sig = "(a, b, /)")]
    fn floordiv(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.binary(BinOp::FloorDiv, a, b)
    }

    /// Same as a //= b.
    #[pyfunction(sig = "(a, b, /)")]
    fn ifloordiv(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.inplace(BinOp::FloorDiv, a, b)
    }

    /// Same as a % b.
    #[pyfunction(name = "mod", sig = "(a, b, /)")]
    fn mod_(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.binary(BinOp::Mod, a, b)
    }

    /// Same as a %= b.
    #[pyfunction(sig = "(a, b, /)")]
    fn imod(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.inplace(BinOp::Mod, a, b)
    }

    /// Same as a << b.
    #[pyfunction(sig = "(a, b, /)")]
    fn lshift(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.binary(BinOp::LShift, a, b)
    }

    /// Same as a <<= b.
    #[pyfunction(sig = "(a, b, /)")]
    fn ilshift(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.inplace(BinOp::LShift, a, b)
    }

    /// Same as a >> b.
    #[pyfunction(sig = "(a, b, /)")]
    fn rshift(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.binary(BinOp::RShift, a, b)
    }

    /// Same as a >>= b.
    #[pyfunction(sig = "(a, b, /)")]
    fn irshift(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.inplace(BinOp::RShift, a, b)
    }

    /// Same as a & b.
    #[pyfunction(sig = "(a, b, /)")]
    fn and_(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.binary(BinOp::And, a, b)
    }

    /// Same as a &= b.
    #[pyfunction(sig = "(a, b, /)")]
    fn iand(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.inplace(BinOp::And, a, b)
    }

    /// Same as a | b.
    #[pyfunction(sig = "(a, b, /)")]
    fn or_(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.binary(BinOp::Or, a, b)
    }

    /// Same as a |= b.
    #[pyfunction(sig = "(a, b, /)")]
    fn ior(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.inplace(BinOp::Or, a, b)
    }

    /// Same as a ^ b.
    #[pyfunction(sig = "(a, b, /)")]
    fn xor(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.binary(BinOp::Xor, a, b)
    }

    /// Same as a ^= b.
    #[pyfunction(sig = "(a, b, /)")]
    fn ixor(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        vm.inplace(BinOp::Xor, a, b)
    }
}
