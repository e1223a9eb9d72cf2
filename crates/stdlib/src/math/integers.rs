//! The integer functions of math: comb, perm, factorial, gcd, lcm, isqrt.
//!
//! Invariant: arguments go through `__index__`, so floats are refused; products are built from halves of about the same size, so
//! that large ones cost as much as one multiplication of their size times its logarithm.

use lisle_runtime::native::pymodule;

/// The product of `from..=to`, every `step`th number.
fn range_product(from: u64, to: u64, step: u64) -> num_bigint::BigUint {
    use num_bigint::BigUint;
    if from > to {
        return BigUint::from(1u32);
    }
    let count = (to - from) / step + 1;
    let bits = u64::from(64 - to.leading_zeros());
    if count.saturating_mul(bits) <= 64 {
        return BigUint::from((0..count).fold(1u64, |product, i| product * (from + i * step)));
    }
    if count == 1 {
        return BigUint::from(from);
    }
    let middle = from + (count / 2) * step;
    range_product(from, middle - step, step) * range_product(middle, to, step)
}

/// `n!`: the odd parts of all factors multiplied, then one shift.
fn factorial(n: u64) -> num_bigint::BigUint {
    let mut inner = num_bigint::BigUint::from(1u32);
    let mut outer = inner.clone();
    let mut lower = 3;
    for level in (0..64 - n.leading_zeros()).rev() {
        let limit = n >> level;
        if limit <= 2 {
            continue;
        }
        // The odd numbers that come in at this level; those below are in `inner` already.
        let upper = (limit + 1) | 1;
        inner *= range_product(lower, upper - 2, 2);
        outer *= &inner;
        lower = upper;
    }
    outer << (n - u64::from(n.count_ones()))
}

/// The binomial coefficient of any `n` and `k <= n - k`.
fn binomial(n: &num_bigint::BigInt, k: u64) -> num_bigint::BigInt {
    use num_bigint::BigInt;
    if k == 0 {
        return BigInt::from(1);
    }
    if k <= 20 {
        let mut result = n.clone();
        for i in 1..k {
            result *= n - i;
            result /= i + 1;
        }
        return result;
    }
    let half = k / 2;
    binomial(n, half) * binomial(&(n - half), k - half) / binomial(&BigInt::from(k), half)
}

#[pymodule(name = "math")]
pub mod module {
    use super::{binomial, factorial as factorial_of, range_product};
    use lisle_runtime::native::*;
    use num_bigint::BigInt;
    use num_integer::Integer;
    use num_traits::{Signed, ToPrimitive};

    fn integer(vm: &Vm, value: &Value) -> Res<Value> {
        vm.index(value)
    }

    fn number(value: &Value) -> IntRef<'_> {
        int_view(value).unwrap_or(IntRef::Small(0))
    }

    /// Number of ways to choose k items from n items without repetition and without order.
    ///
    /// Evaluates to n! / (k! * (n - k)!) when k <= n and evaluates
    /// to zero when k > n.
    ///
    /// Also called the binomial coefficient because it is equivalent
    /// to the coefficient of k-th term in polynomial expansion of the
    /// expression (1 + x)**n.
    ///
    /// Raises TypeError if either of the arguments are not integers.
    /// Raises ValueError if either of the arguments are negative.
    #[pyfunction(sig = "(n, k, /)")]
    fn comb(vm: &Vm, n: &Value, k: &Value) -> Res<Value> {
        let (n, k) = (integer(vm, n)?, integer(vm, k)?);
        let (n, k) = (number(&n), number(&k));
        if n.is_negative() {
            return Err(vm.value_error("n must be a non-negative integer"));
        }
        if k.is_negative() {
            return Err(vm.value_error("k must be a non-negative integer"));
        }
        let (n, k) = (n.as_bigint(), k.as_bigint());
        let other = &*n - &*k;
        if other.is_negative() {
            return Ok(Value::int(0));
        }
        let least = if other < *k { other } else { k.into_owned() };
        let Some(k) = least.to_i64() else {
            return Err(vm.overflow_error(format!("min(n - k, k) must not exceed {}", i64::MAX)));
        };
        if let Some(small) = n.to_u64().and_then(|n| small_binomial(n, k as u64)) {
            return Ok(Value::bigint(BigInt::from(small)));
        }
        // Each factor adds at most the bits of n.
        check_int_bits(
            vm,
            (n.bits()).saturating_mul(k as u64).min(n.to_u64().unwrap_or(u64::MAX)),
        )?;
        Ok(Value::bigint(binomial(&n, k as u64)))
    }

    fn small_binomial(n: u64, k: u64) -> Option<u64> {
        let mut result = 1u64;
        for i in 0..k {
            result = u64::try_from(u128::from(result).checked_mul(u128::from(n - i))? / u128::from(i + 1)).ok()?;
        }
        Some(result)
    }

    /// Number of ways to choose k items from n items without repetition and with order.
    ///
    /// Evaluates to n! / (n - k)! when k <= n and evaluates
    /// to zero when k > n.
    ///
    /// If k is not specified or is None, then k defaults to n
    /// and the function returns n!.
    ///
    /// Raises TypeError if either of the arguments are not integers.
    /// Raises ValueError if either of the arguments are negative.
    #[pyfunction(sig = "(n, k=None, /)")]
    fn perm(vm: &Vm, n: &Value, k: Option<&Value>) -> Res<Value> {
        let Some(k) = k else { return factorial(vm, n) };
        let (n, k) = (integer(vm, n)?, integer(vm, k)?);
        let (n, k) = (number(&n), number(&k));
        if n.is_negative() {
            return Err(vm.value_error("n must be a non-negative integer"));
        }
        if k.is_negative() {
            return Err(vm.value_error("k must be a non-negative integer"));
        }
        if n.order(&k).is_lt() {
            return Ok(Value::int(0));
        }
        let Some(k) = k.to_i64() else {
            return Err(vm.overflow_error(format!("k must not exceed {}", i64::MAX)));
        };
        let k = k as u64;
        check_int_bits(vm, n.bits().saturating_mul(k))?;
        if let Some(n) = n.to_u64() {
            return Ok(Value::bigint(if k == 0 {
                BigInt::from(1)
            } else {
                range_product(n - k + 1, n, 1).into()
            }));
        }
        let n = n.as_bigint();
        Ok(Value::bigint(falling(&n, k)))
    }

    /// `n * (n - 1) * ...`, `k` factors.
    fn falling(n: &BigInt, k: u64) -> BigInt {
        match k {
            0 => BigInt::from(1),
            1 => n.clone(),
            _ => falling(n, k / 2) * falling(&(n - k / 2), k - k / 2),
        }
    }

    /// Find n!.
    ///
    /// Raise a ValueError if x is negative or non-integral.
    #[pyfunction(sig = "(n, /)")]
    fn factorial(vm: &Vm, n: &Value) -> Res<Value> {
        let n = integer(vm, n)?;
        let n = number(&n);
        if n.is_negative() {
            return Err(vm.value_error("factorial() not defined for negative values"));
        }
        let Some(n) = n.to_i64() else {
            return Err(vm.overflow_error(format!("factorial() argument should not exceed {}", i64::MAX)));
        };
        let n = n as u64;
        if n <= 20 {
            return Ok(Value::int((1..=n as i64).product()));
        }
        check_int_bits(vm, n.saturating_mul(u64::from(64 - n.leading_zeros())))?;
        Ok(Value::bigint(factorial_of(n).into()))
    }

    fn fold(vm: &Vm, values: &[Value], start: i64, step: fn(&Value, &Value) -> Value) -> Res<Value> {
        let mut result = Value::int(start);
        for (at, value) in values.iter().enumerate() {
            let value = integer(vm, value)?;
            result = if at == 0 {
                absolute(&value)
            } else {
                step(&result, &value)
            };
        }
        Ok(result)
    }

    fn absolute(value: &Value) -> Value {
        match number(value) {
            IntRef::Small(i) => Value::bigint(BigInt::from(i.unsigned_abs())),
            IntRef::Big(n) => Value::bigint(n.abs()),
        }
    }

    fn gcd_of(a: &Value, b: &Value) -> Value {
        match (number(a), number(b)) {
            (IntRef::Small(a), IntRef::Small(b)) => {
                Value::bigint(BigInt::from(a.unsigned_abs().gcd(&b.unsigned_abs())))
            }
            (a, b) => {
                // One division brings numbers of different size together; the binary algorithm works on both at full length.
                let (a, b) = (a.as_bigint().abs(), b.as_bigint().abs());
                let (mut large, mut small) = if a < b { (b, a) } else { (a, b) };
                while small.to_u64().is_none() {
                    if large.bits() > small.bits() + 64 {
                        large %= &small;
                        std::mem::swap(&mut large, &mut small);
                    } else {
                        return Value::bigint(large.gcd(&small));
                    }
                }
                let word = small.to_u64().unwrap_or(0);
                if word == 0 {
                    return Value::bigint(large);
                }
                let rest = (&large % word).to_u64().unwrap_or(0);
                Value::bigint(BigInt::from(word.gcd(&rest)))
            }
        }
    }

    fn lcm_of(a: &Value, b: &Value) -> Value {
        let divisor = gcd_of(a, b);
        if number(&divisor).is_zero() {
            return Value::int(0);
        }
        let quotient = number(a).as_bigint().into_owned() / &*number(&divisor).as_bigint();
        Value::bigint((quotient * &*number(b).as_bigint()).abs())
    }

    /// Greatest Common Divisor.
    #[pyfunction(sig = "(*integers)")]
    fn gcd(vm: &Vm, integers: &[Value]) -> Res<Value> {
        fold(vm, integers, 0, gcd_of)
    }

    /// Least Common Multiple.
    #[pyfunction(sig = "(*integers)")]
    fn lcm(vm: &Vm, integers: &[Value]) -> Res<Value> {
        fold(vm, integers, 1, lcm_of)
    }

    /// Return the integer part of the square root of the input.
    #[pyfunction(sig = "(n, /)")]
    fn isqrt(vm: &Vm, n: &Value) -> Res<Value> {
        let n = integer(vm, n)?;
        let n = number(&n);
        if n.is_negative() {
            return Err(vm.value_error("isqrt() argument must be nonnegative"));
        }
        Ok(match n {
            IntRef::Small(i) => Value::int(i.isqrt()),
            IntRef::Big(n) => Value::bigint(n.sqrt()),
        })
    }
}
