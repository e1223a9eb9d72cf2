//! Arithmetic of natural numbers in base 10**19: slices of limbs, the least significant first.
//!
//! Invariant: every limb is less than [`BASE`]; results may have zero limbs at the top, which the caller cuts off.
//! Products are made by the school's method, by Karatsuba's from some dozens of limbs on, and by a number-theoretic transform beyond; quotients by
//! Knuth's algorithm D, and by a reciprocal from Newton's iteration where both numbers are long.

use lisle_runtime::native::{Res, Vm};

pub const BASE: u64 = 10_000_000_000_000_000_000;
/// Decimal digits of a limb.
pub const WIDTH: usize = 19;
/// Limbs from which on a product is worth a pause for signals.
const LONG: usize = 4096;
const KARATSUBA: usize = 40;
const TRANSFORM: usize = 600;
const NEWTON: usize = 120;

/// `10**n` for `n` up to 19.
pub const POW10: [u64; WIDTH + 1] = {
    let mut table = [1; WIDTH + 1];
    let mut n = 1;
    while n <= WIDTH {
        table[n] = table[n - 1] * 10;
        n += 1;
    }
    table
};

/// `(2**128 - 1) / BASE - 2**64`: [`BASE`] has its highest bit set.
const RECIPROCAL: u64 = (u128::MAX / BASE as u128 - (1 << 64)) as u64;

/// `(2**128 - 1) / divisor - 2**64` for a divisor whose highest bit is set.
fn reciprocal_word(divisor: u64) -> u64 {
    (u128::MAX / u128::from(divisor)).wrapping_sub(1 << 64) as u64
}

/// Quotient and remainder of what is less than `divisor * 2**64`, by a divisor whose highest bit is set.
#[inline(always)]
fn divide_word(t: u128, divisor: u64, reciprocal: u64) -> (u64, u64) {
    let q = (u128::from(reciprocal) * (t >> 64)).wrapping_add(t);
    let mut high = ((q >> 64) as u64).wrapping_add(1);
    let mut rest = (t as u64).wrapping_sub(high.wrapping_mul(divisor));
    if rest > q as u64 {
        high = high.wrapping_sub(1);
        rest = rest.wrapping_add(divisor);
    }
    if rest >= divisor {
        high += 1;
        rest -= divisor;
    }
    (high, rest)
}

/// Quotient and remainder by [`BASE`] of what is less than `BASE * 2**64` (Möller and Granlund, "Improved division by invariant integers").
#[inline(always)]
pub fn split(t: u128) -> (u64, u64) {
    divide_word(t, BASE, RECIPROCAL)
}

/// Decimal digits of `n`; 0 has none.
#[inline(always)]
pub fn width(n: u64) -> usize {
    if n == 0 { 0 } else { n.ilog10() as usize + 1 }
}

/// Without zero limbs at the top.
pub fn trimmed(mut a: &[u64]) -> &[u64] {
    while let [rest @ .., 0] = a {
        a = rest;
    }
    a
}

/// The order of two numbers without zero limbs at the top.
pub fn compare(a: &[u64], b: &[u64]) -> std::cmp::Ordering {
    a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

/// `a += b`, which must fit, but for the carry that is returned.
#[inline]
pub fn add_into(a: &mut [u64], b: &[u64]) -> bool {
    let (low, high) = a.split_at_mut(b.len());
    let mut carry = false;
    for (x, y) in low.iter_mut().zip(b) {
        // BASE + BASE does not fit into 64 bits.
        let (sum, wrapped) = x.overflowing_add(*y + u64::from(carry));
        carry = wrapped || sum >= BASE;
        *x = if carry { sum.wrapping_sub(BASE) } else { sum };
    }
    for x in high {
        if !carry {
            return false;
        }
        carry = *x == BASE - 1;
        *x = if carry { 0 } else { *x + 1 };
    }
    carry
}

/// `a -= b`; returns whether `b` was the larger, and then the result is `BASE**len` too much.
#[inline]
pub fn sub_from(a: &mut [u64], b: &[u64]) -> bool {
    let (low, high) = a.split_at_mut(b.len());
    let mut borrow = false;
    for (x, y) in low.iter_mut().zip(b) {
        let (difference, wrapped) = x.overflowing_sub(*y + u64::from(borrow));
        borrow = wrapped;
        *x = if wrapped {
            difference.wrapping_add(BASE)
        } else {
            difference
        };
    }
    for x in high {
        if !borrow {
            return false;
        }
        borrow = *x == 0;
        *x = if borrow { BASE - 1 } else { *x - 1 };
    }
    borrow
}

/// `a *= factor`; the limb that is carried out.
pub fn mul_small(a: &mut [u64], factor: u64) -> u64 {
    let mut carry = 0;
    for x in a {
        let (high, low) = split(u128::from(*x) * u128::from(factor) + u128::from(carry));
        *x = low;
        carry = high;
    }
    carry
}

/// `a /= divisor`, which is not 0; the remainder.
pub fn div_small(a: &mut [u64], divisor: u64) -> u64 {
    let mut rest = 0;
    if a.len() > 2 {
        let shift = divisor.leading_zeros();
        let divisor = divisor << shift;
        let reciprocal = reciprocal_word(divisor);
        for x in a.iter_mut().rev() {
            let t = (u128::from(rest) * u128::from(BASE) + u128::from(*x)) << shift;
            (*x, rest) = divide_word(t, divisor, reciprocal);
            rest >>= shift;
        }
        return rest;
    }
    for x in a.iter_mut().rev() {
        if rest == 0 {
            (*x, rest) = (*x / divisor, *x % divisor);
            continue;
        }
        let t = u128::from(rest) * u128::from(BASE) + u128::from(*x);
        *x = (t / u128::from(divisor)) as u64;
        rest = (t - u128::from(*x) * u128::from(divisor)) as u64;
    }
    rest
}

/// `out += a * b`; `out` has room for the result.
fn mul_school(out: &mut [u64], a: &[u64], b: &[u64]) {
    for (at, x) in a.iter().enumerate() {
        if *x == 0 {
            continue;
        }
        let mut carry = 0;
        let (low, high) = out[at..].split_at_mut(b.len());
        for (place, y) in low.iter_mut().zip(b) {
            let (over, rest) = split(u128::from(*x) * u128::from(*y) + u128::from(*place) + u128::from(carry));
            *place = rest;
            carry = over;
        }
        if let Some(place) = high.first_mut() {
            // Nothing was written there but carries of this row's predecessors, and products fit.
            let sum = *place + carry;
            *place = sum;
        }
    }
}

/// `a * b` into `out`, which is zero and has `a.len() + b.len()` limbs.
pub fn mul_into(out: &mut [u64], a: &[u64], b: &[u64]) -> Res<()> {
    let (a, b) = if a.len() < b.len() { (b, a) } else { (a, b) };
    if b.len() < KARATSUBA {
        mul_school(out, a, b);
        return Ok(());
    }
    if b.len() >= LONG {
        Vm::current().safepoint()?;
    }
    if b.len() * 2 < a.len() {
        // Pieces as long as the shorter factor.
        for (at, piece) in a.chunks(b.len()).enumerate() {
            let mut product = zeros(piece.len() + b.len())?;
            mul_into(&mut product, piece, b)?;
            add_into(&mut out[at * b.len()..], &product);
        }
        return Ok(());
    }
    if b.len() >= TRANSFORM && transform::fits(a.len() + b.len()) {
        return transform::mul(out, a, b);
    }
    let half = a.len().div_ceil(2);
    if b.len() <= half {
        let (low, high) = a.split_at(half);
        mul_into(&mut out[..half + b.len()], low, b)?;
        let mut product = zeros(high.len() + b.len())?;
        mul_into(&mut product, high, b)?;
        add_into(&mut out[half..], &product);
        return Ok(());
    }
    let ((a0, a1), (b0, b1)) = (a.split_at(half), b.split_at(half));
    let mut sums = zeros(2 * half + 2)?;
    let (sa, sb) = sums.split_at_mut(half + 1);
    sa[..half].copy_from_slice(a0);
    sb[..half].copy_from_slice(b0);
    add_into(sa, a1);
    add_into(sb, b1);
    let mut middle = zeros(2 * half + 2)?;
    mul_into(&mut middle, sa, sb)?;
    mul_into(&mut out[..2 * half], a0, b0)?;
    mul_into(&mut out[2 * half..], a1, b1)?;
    sub_from(&mut middle, &out[..2 * half]);
    sub_from(&mut middle, &out[2 * half..]);
    add_into(&mut out[half..], trimmed(&middle));
    Ok(())
}

/// So many zero limbs, if there is memory for them.
pub fn zeros(len: usize) -> Res<Vec<u64>> {
    let mut limbs = Vec::new();
    check_room(len)?;
    limbs.try_reserve_exact(len)?;
    limbs.resize(len, 0);
    Ok(limbs)
}

/// Refuses what no machine of this size holds.
#[inline]
pub fn check_room(limbs: usize) -> Res<()> {
    if limbs < 1 << 20 {
        return Ok(());
    }
    lisle_runtime::native::check_int_bits(Vm::current(), (limbs as u64).saturating_mul(64))
}

/// Quotient into `quotient` (zero, with `a.len() - b.len() + 1` limbs) and remainder into `a`. `b` has at least two limbs, the top one is not 0,
/// and `a` is at least as long.
pub fn div_rem_into(quotient: &mut [u64], a: &mut Vec<u64>, b: &[u64]) -> Res<()> {
    if b.len() >= NEWTON && a.len() - b.len() >= NEWTON {
        return div_newton(quotient, a, b);
    }
    div_school(quotient, a, b)
}

/// Knuth, The Art of Computer Programming 4.3.1, algorithm D.
fn div_school(quotient: &mut [u64], a: &mut Vec<u64>, b: &[u64]) -> Res<()> {
    let factor = BASE / (b[b.len() - 1] + 1);
    let mut scaled = zeros(b.len())?;
    scaled.copy_from_slice(b);
    mul_small(&mut scaled, factor);
    let over = mul_small(a, factor);
    a.push(over);
    let n = scaled.len();
    let (top, next) = (scaled[n - 1], scaled[n - 2]);
    for at in (0..a.len() - n).rev() {
        if at % LONG == 0 && n >= LONG {
            Vm::current().safepoint()?;
        }
        let ahead = u128::from(a[at + n]) * u128::from(BASE) + u128::from(a[at + n - 1]);
        let mut guess = ahead / u128::from(top);
        let mut rest = ahead - guess * u128::from(top);
        while guess >= u128::from(BASE)
            || guess * u128::from(next) > rest * u128::from(BASE) + u128::from(a[at + n - 2])
        {
            guess -= 1;
            rest += u128::from(top);
            if rest >= u128::from(BASE) {
                break;
            }
        }
        let mut guess = guess as u64;
        if guess == 0 {
            continue;
        }
        let window = &mut a[at..=at + n];
        let (mut carry, mut borrow) = (0, false);
        for (x, y) in window.iter_mut().zip(&scaled) {
            let (high, low) = split(u128::from(guess) * u128::from(*y) + u128::from(carry));
            carry = high;
            let (difference, wrapped) = x.overflowing_sub(low + u64::from(borrow));
            borrow = wrapped;
            *x = if wrapped {
                difference.wrapping_add(BASE)
            } else {
                difference
            };
        }
        let (difference, wrapped) = window[n].overflowing_sub(carry + u64::from(borrow));
        window[n] = if wrapped {
            difference.wrapping_add(BASE)
        } else {
            difference
        };
        if wrapped {
            guess -= 1;
            add_into(window, &scaled);
        }
        if let Some(place) = quotient.get_mut(at) {
            *place = guess;
        }
    }
    div_small(a, factor);
    Ok(())
}

/// `BASE**(2n) / b` to within a few units, for `b` of `n` limbs whose top one is at least `BASE / 2`.
fn reciprocal(b: &[u64]) -> Res<Vec<u64>> {
    let n = b.len();
    if n < NEWTON {
        let mut one = zeros(2 * n + 1)?;
        one[2 * n] = 1;
        let mut quotient = zeros(n + 2)?;
        div_school(&mut quotient, &mut one, b)?;
        return Ok(quotient);
    }
    let h = n / 2 + 2;
    let half = reciprocal(&b[n - h..])?;
    // r = half * BASE**(n - h); r + r * (BASE**(2n) - b * r) / BASE**(2n), with what is common left out.
    let half = trimmed(&half);
    let mut product = zeros(n + half.len())?;
    mul_into(&mut product, b, half)?;
    // b * half is about BASE**(n + h).
    let mut one = zeros(n + half.len() + 1)?;
    one[n + h] = 1;
    let negative = compare(trimmed(&one), trimmed(&product)).is_lt();
    let error = if negative {
        sub_from(&mut product, trimmed(&one));
        product
    } else {
        sub_from(&mut one, trimmed(&product));
        one
    };
    let error = trimmed(&error);
    let mut correction = zeros(error.len() + half.len())?;
    mul_into(&mut correction, error, half)?;
    // In units of BASE**(n - h) / BASE**(n + h).
    let mut result = zeros(n + 2)?;
    let room = result.len() - (n - h);
    let kept = half.len().min(room);
    result[n - h..n - h + kept].copy_from_slice(&half[..kept]);
    let correction = trimmed(correction.get(2 * h..).unwrap_or(&[]));
    if negative {
        sub_from(&mut result, correction);
    } else {
        add_into(&mut result, correction);
    }
    Ok(result)
}

fn div_newton(quotient: &mut [u64], a: &mut Vec<u64>, b: &[u64]) -> Res<()> {
    let n = b.len();
    let factor = BASE / (b[n - 1] + 1);
    let mut scaled = zeros(n)?;
    scaled.copy_from_slice(b);
    mul_small(&mut scaled, factor);
    let over = mul_small(a, factor);
    a.push(over);
    let inverse = reciprocal(&scaled)?;
    let inverse = trimmed(&inverse);
    let blocks = a.len().div_ceil(n);
    for block in (0..blocks.saturating_sub(1)).rev() {
        // The number above `block * n` is less than b * BASE**n.
        let from = block * n;
        let until = (from + 2 * n).min(a.len());
        let ahead = trimmed(&a[from + n..until]).to_vec();
        let part = trimmed(&a[from..until]).to_vec();
        if compare(&part, &scaled).is_lt() {
            continue;
        }
        let guess = if ahead.is_empty() {
            vec![1]
        } else {
            // The whole window times the inverse, without what cannot matter.
            let mut product = zeros(part.len() + inverse.len())?;
            mul_into(&mut product, &part, inverse)?;
            product.get(2 * n..).unwrap_or(&[]).to_vec()
        };
        let mut guess = trimmed(&guess).to_vec();
        guess.resize(guess.len() + 1, 0);
        let mut product = zeros(guess.len() + n)?;
        mul_into(&mut product, &guess, &scaled)?;
        let mut rest = zeros(part.len().max(product.len()) + 1)?;
        rest[..part.len()].copy_from_slice(&part);
        let mut negative = sub_from(&mut rest, &product);
        while negative {
            sub_from(&mut guess, &[1]);
            negative = !add_into(&mut rest, &scaled);
        }
        while !compare(trimmed(&rest), &scaled).is_lt() {
            sub_from(&mut rest, &scaled);
            add_into(&mut guess, &[1]);
        }
        let rest = trimmed(&rest);
        a[from..until].fill(0);
        a[from..from + rest.len()].copy_from_slice(rest);
        let guess = trimmed(&guess);
        if let Some(place) = quotient.get_mut(from..from + guess.len()) {
            place.copy_from_slice(guess);
        }
    }
    div_small(a, factor);
    Ok(())
}

/// Products by convolution modulo 2**64 - 2**32 + 1.
mod transform {
    use super::{BASE, Res, Vm, WIDTH};

    const P: u64 = 0xffff_ffff_0000_0001;
    /// Digits of a term of the convolution: 2**22 products of two of them are less than `P`.
    const DIGITS: usize = 6;
    const TERM: u64 = 1_000_000;
    const MOST: usize = 1 << 22;
    const GENERATOR: u64 = 7;

    fn terms(limbs: usize) -> usize {
        (limbs * WIDTH).div_ceil(DIGITS) + 1
    }

    pub fn fits(limbs: usize) -> bool {
        terms(limbs).next_power_of_two() <= MOST
    }

    #[inline(always)]
    fn reduce(t: u128) -> u64 {
        // 2**64 = 2**32 - 1 and 2**96 = -1.
        let (low, high) = (t as u64, (t >> 64) as u64);
        let (top, middle) = (high >> 32, high & 0xffff_ffff);
        let (mut sum, borrow) = low.overflowing_sub(top);
        if borrow {
            sum = sum.wrapping_sub(0xffff_ffff);
        }
        let (sum, carry) = sum.overflowing_add(middle * 0xffff_ffff);
        let sum = if carry { sum.wrapping_add(0xffff_ffff) } else { sum };
        if sum >= P { sum - P } else { sum }
    }

    #[inline(always)]
    fn times(a: u64, b: u64) -> u64 {
        reduce(u128::from(a) * u128::from(b))
    }

    #[inline(always)]
    fn plus(a: u64, b: u64) -> u64 {
        let (sum, carry) = a.overflowing_add(b);
        if carry || sum >= P { sum.wrapping_sub(P) } else { sum }
    }

    #[inline(always)]
    fn minus(a: u64, b: u64) -> u64 {
        let (difference, borrow) = a.overflowing_sub(b);
        if borrow { difference.wrapping_add(P) } else { difference }
    }

    fn power(mut base: u64, mut exponent: u64) -> u64 {
        let mut result = 1;
        while exponent != 0 {
            if exponent & 1 == 1 {
                result = times(result, base);
            }
            base = times(base, base);
            exponent >>= 1;
        }
        result
    }

    /// Powers of a root of unity of order `n`: the first half of them.
    fn roots(n: usize, inverse: bool) -> Res<Vec<u64>> {
        let mut root = power(GENERATOR, (P - 1) / n as u64);
        if inverse {
            root = power(root, P - 2);
        }
        let mut table = super::zeros(n / 2)?;
        let mut current = 1;
        for place in &mut table {
            *place = current;
            current = times(current, root);
        }
        Ok(table)
    }

    /// Decimation in frequency: the result is in bit-reversed order.
    fn forward(data: &mut [u64], roots: &[u64]) -> Res<()> {
        let mut length = data.len();
        while length > 1 {
            Vm::current().safepoint()?;
            let (half, step) = (length / 2, data.len() / length);
            for block in data.chunks_exact_mut(length) {
                let (low, high) = block.split_at_mut(half);
                for ((x, y), root) in low.iter_mut().zip(high).zip(roots.iter().step_by(step)) {
                    let (a, b) = (*x, *y);
                    *x = plus(a, b);
                    *y = times(minus(a, b), *root);
                }
            }
            length = half;
        }
        Ok(())
    }

    /// Decimation in time, from bit-reversed order.
    fn backward(data: &mut [u64], roots: &[u64]) -> Res<()> {
        let mut length = 2;
        while length <= data.len() {
            Vm::current().safepoint()?;
            let (half, step) = (length / 2, data.len() / length);
            for block in data.chunks_exact_mut(length) {
                let (low, high) = block.split_at_mut(half);
                for ((x, y), root) in low.iter_mut().zip(high).zip(roots.iter().step_by(step)) {
                    let (a, b) = (*x, times(*y, *root));
                    *x = plus(a, b);
                    *y = minus(a, b);
                }
            }
            length *= 2;
        }
        Ok(())
    }

    fn unpack(limbs: &[u64], n: usize) -> Res<Vec<u64>> {
        let mut data = super::zeros(n)?;
        // What was read of the limbs and not yet given out: less than a term times a limb.
        let (mut held, mut weight) = (0u128, 1u128);
        let mut at = 0;
        for limb in limbs {
            held += u128::from(*limb) * weight;
            weight *= u128::from(BASE);
            while weight >= u128::from(TERM) {
                data[at] = (held % u128::from(TERM)) as u64;
                held /= u128::from(TERM);
                weight /= u128::from(TERM);
                at += 1;
            }
        }
        if held != 0 {
            data[at] = held as u64;
        }
        Ok(data)
    }

    pub fn mul(out: &mut [u64], a: &[u64], b: &[u64]) -> Res<()> {
        let n = terms(a.len() + b.len()).next_power_of_two();
        let table = roots(n, false)?;
        let mut first = unpack(a, n)?;
        forward(&mut first, &table)?;
        if a == b {
            for x in &mut first {
                *x = times(*x, *x);
            }
        } else {
            let mut second = unpack(b, n)?;
            forward(&mut second, &table)?;
            for (x, y) in first.iter_mut().zip(second) {
                *x = times(*x, y);
            }
        }
        drop(table);
        backward(&mut first, &roots(n, true)?)?;
        let scale = power(n as u64, P - 2);
        let (mut held, mut weight, mut carry) = (0u128, 1u128, 0u64);
        let mut at = 0;
        for term in first {
            let sum = u128::from(times(term, scale)) + u128::from(carry);
            carry = (sum / u128::from(TERM)) as u64;
            held += (sum % u128::from(TERM)) * weight;
            weight *= u128::from(TERM);
            if weight >= u128::from(BASE) {
                let (high, low) = super::split(held);
                if at < out.len() {
                    out[at] = low;
                }
                at += 1;
                held = u128::from(high);
                weight /= u128::from(BASE);
            }
        }
        if at < out.len() {
            out[at] = held as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;

    fn big(limbs: &[u64]) -> BigUint {
        let mut n = BigUint::default();
        for limb in limbs.iter().rev() {
            n = n * BASE + *limb;
        }
        n
    }

    fn numbers(len: usize, seed: u64) -> Vec<u64> {
        let mut state = seed | 1;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            match (state >> 33) % 11 {
                0 => 0,
                1 => BASE - 1,
                _ => (state ^ (state << 29)) % BASE,
            }
        };
        let mut limbs: Vec<u64> = (0..len).map(|_| next()).collect();
        limbs[len - 1] = limbs[len - 1].max(1);
        limbs
    }

    #[test]
    fn splits_like_a_division() {
        let most = u128::from(BASE) * (1 << 64) - 1;
        for t in [
            0,
            1,
            u128::from(BASE),
            u128::from(BASE) - 1,
            most,
            most - 1,
            u128::from(u64::MAX),
            1 << 64,
            12_345 << 70,
        ] {
            let (q, r) = split(t);
            assert_eq!(
                (u128::from(q), u128::from(r)),
                (t / u128::from(BASE), t % u128::from(BASE))
            );
        }
    }

    #[test]
    fn products_by_every_method() {
        for (n, m) in [
            (1, 1),
            (3, 2),
            (39, 39),
            (41, 40),
            (90, 41),
            (100, 99),
            (300, 50),
            (601, 600),
            (700, 640),
        ] {
            let (a, b) = (numbers(n, n as u64), numbers(m, 77 + m as u64));
            if m >= TRANSFORM {
                // Pauses need an interpreter; the parts below it are the same.
                continue;
            }
            let mut out = vec![0; n + m];
            assert!(mul_into(&mut out, &a, &b).is_ok());
            assert_eq!(big(&out), big(&a) * big(&b), "{n} by {m}");
        }
    }

    #[test]
    fn quotients_by_every_method() {
        for (n, m) in [
            (2, 2),
            (5, 2),
            (9, 4),
            (80, 79),
            (200, 60),
            (300, 130),
            (500, 121),
            (241, 120),
            (1000, 130),
        ] {
            for seed in 0..5 {
                let (a, b) = (numbers(n, 5 + n as u64 + seed), numbers(m, 99 + m as u64 + seed));
                let mut rest = a.clone();
                let mut quotient = vec![0; n - m + 1];
                assert!(div_rem_into(&mut quotient, &mut rest, &b).is_ok());
                assert_eq!(big(&quotient), big(&a) / big(&b), "{n} by {m}");
                assert_eq!(big(&rest), big(&a) % big(&b), "{n} by {m}");
            }
        }
    }
}
