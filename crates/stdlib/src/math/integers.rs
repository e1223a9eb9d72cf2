//! The integer functions of math: comb, perm, factorial, gcd, lcm, isqrt.
//!
//! Invariant: arguments go through `__index__`, so floats are refused; products are built from halves of about the same size, so
//! that large ones cost as much as one multiplication of their size times its logarithm.

use lisle_runtime::native::huge::{self, Pause, Stop};
use lisle_runtime::native::pymodule;
use num_bigint::{BigInt, BigUint};

/// The product of `from..=to`, every `step`th number.
fn range_product(from: u64, to: u64, step: u64, pause: &mut Pause<'_>) -> Result<BigUint, Stop> {
    if from > to {
        return Ok(BigUint::from(1u32));
    }
    let count = (to - from) / step + 1;
    let bits = u64::from(64 - to.leading_zeros());
    if count.saturating_mul(bits) <= 64 {
        return Ok(BigUint::from(
            (0..count).fold(1u64, |product, i| product * (from + i * step)),
        ));
    }
    if count == 1 {
        return Ok(BigUint::from(from));
    }
    if count > 512 {
        pause()?;
    }
    let middle = from + (count / 2) * step;
    let lower = range_product(from, middle - step, step, pause)?;
    huge::mul(&lower, &range_product(middle, to, step, pause)?, pause)
}

/// `n!`: the odd parts of all factors multiplied, then one shift.
fn factorial(n: u64, pause: &mut Pause<'_>) -> Result<BigUint, Stop> {
    let mut inner = BigUint::from(1u32);
    let mut outer = inner.clone();
    let mut lower = 3;
    for level in (0..64 - n.leading_zeros()).rev() {
        let limit = n >> level;
        if limit <= 2 {
            continue;
        }
        // The odd numbers that come in at this level; those below are in `inner` already.
        let upper = (limit + 1) | 1;
        inner = huge::mul(&inner, &range_product(lower, upper - 2, 2, pause)?, pause)?;
        outer = huge::mul(&outer, &inner, pause)?;
        lower = upper;
    }
    Ok(outer << (n - u64::from(n.count_ones())))
}

/// The binomial coefficient of any `n` and `k <= n - k`.
fn binomial(n: &BigUint, k: u64, pause: &mut Pause<'_>) -> Result<BigUint, Stop> {
    if k == 0 {
        return Ok(BigUint::from(1u32));
    }
    if k <= 20 {
        let mut result = n.clone();
        for i in 1..k {
            result *= n - i;
            result /= i + 1;
        }
        return Ok(result);
    }
    pause()?;
    let half = k / 2;
    let (upper, lower) = (binomial(n, half, pause)?, binomial(&(n - half), k - half, pause)?);
    let product = huge::mul(&upper, &lower, pause)?;
    let repeated = binomial(&BigUint::from(k), half, pause)?;
    Ok(huge::div_rem(&product, &repeated, pause)?.0)
}

/// `n * (n - 1) * ...`, `k` factors.
fn falling(n: &BigUint, k: u64, pause: &mut Pause<'_>) -> Result<BigUint, Stop> {
    match k {
        0 => Ok(BigUint::from(1u32)),
        1 => Ok(n.clone()),
        _ => {
            pause()?;
            let upper = falling(n, k / 2, pause)?;
            huge::mul(&upper, &falling(&(n - k / 2), k - k / 2, pause)?, pause)
        }
    }
}

/// The greatest common divisor of two magnitudes.
fn gcd_of_large(a: &BigInt, b: &BigInt, pause: &mut Pause<'_>) -> Result<BigUint, Stop> {
    use num_integer::Integer;
    use num_traits::ToPrimitive;
    let (a, b) = (a.magnitude().clone(), b.magnitude().clone());
    let (mut large, mut small) = if a < b { (b, a) } else { (a, b) };
    // One division brings numbers of different size together; the binary algorithm works on both at full length, which takes too
    // long at once for those that are huge.
    while small.to_u64().is_none() {
        if large.bits() > small.bits() + 64 || huge::is_huge(small.bits() / 4) {
            large = huge::div_rem(&large, &small, pause)?.1;
            pause()?;
            std::mem::swap(&mut large, &mut small);
        } else {
            return Ok(large.gcd(&small));
        }
    }
    let word = small.to_u64().unwrap_or(0);
    if word == 0 {
        return Ok(large);
    }
    let rest = (&large % word).to_u64().unwrap_or(0);
    Ok(BigUint::from(word.gcd(&rest)))
}

#[pymodule(name = "math")]
pub mod module {
    use super::{binomial, factorial as factorial_of, falling, gcd_of_large, range_product};
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
        let result = interruptible_work(vm, |pause| binomial(n.magnitude(), k as u64, pause))?;
        Ok(Value::bigint(result.into()))
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
            if k == 0 {
                return Ok(Value::int(1));
            }
            let product = interruptible_work(vm, |pause| range_product(n - k + 1, n, 1, pause))?;
            return Ok(Value::bigint(product.into()));
        }
        let n = n.as_bigint();
        let product = interruptible_work(vm, |pause| falling(n.magnitude(), k, pause))?;
        Ok(Value::bigint(product.into()))
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
        let result = interruptible_work(vm, |pause| factorial_of(n, pause))?;
        Ok(Value::bigint(result.into()))
    }

    fn fold(vm: &Vm, values: &[Value], start: i64, step: fn(&Vm, &Value, &Value) -> Res<Value>) -> Res<Value> {
        let mut result = Value::int(start);
        for (at, value) in values.iter().enumerate() {
            let value = integer(vm, value)?;
            result = if at == 0 {
                absolute(&value)
            } else {
                step(vm, &result, &value)?
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

    fn gcd_of(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        Ok(match (number(a), number(b)) {
            (IntRef::Small(a), IntRef::Small(b)) => {
                Value::bigint(BigInt::from(a.unsigned_abs().gcd(&b.unsigned_abs())))
            }
            (a, b) => {
                let (a, b) = (a.as_bigint(), b.as_bigint());
                Value::bigint(interruptible_work(vm, |pause| gcd_of_large(&a, &b, pause))?.into())
            }
        })
    }

    fn lcm_of(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        let divisor = gcd_of(vm, a, b)?;
        if number(&divisor).is_zero() {
            return Ok(Value::int(0));
        }
        let (quotient, _) = div_mod_big(vm, &number(a).as_bigint(), &number(&divisor).as_bigint())?;
        Ok(Value::bigint(mul_big(vm, &quotient, &number(b).as_bigint())?.abs()))
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
            IntRef::Big(n) => Value::bigint(interruptible_work(vm, |pause| huge::sqrt(n.magnitude(), pause))?.into()),
        })
    }
}
