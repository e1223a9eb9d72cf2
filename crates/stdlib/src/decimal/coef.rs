//! Coefficients: natural numbers whose decimal digits can be counted, shifted and cut off cheaply.
//!
//! Invariant: limbs in base 10**19, the least significant first, without zero limbs at the top; 0 has none.

use std::cmp::Ordering;

use lisle_runtime::native::{Res, Vm, huge, interruptible_work};
use num_bigint::BigUint;
use num_traits::ToPrimitive;
use smallvec::SmallVec;

use super::limbs::{self, BASE, POW10, WIDTH};

type Limbs = SmallVec<[u64; 4]>;

#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Coef {
    limbs: Limbs,
}

/// What was cut off, measured in units of the last digit that is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rest {
    Zero,
    BelowHalf,
    Half,
    AboveHalf,
}

impl From<u64> for Coef {
    fn from(n: u64) -> Coef {
        Coef::from_u128(n.into())
    }
}

impl Ord for Coef {
    fn cmp(&self, other: &Coef) -> Ordering {
        limbs::compare(&self.limbs, &other.limbs)
    }
}

impl PartialOrd for Coef {
    fn partial_cmp(&self, other: &Coef) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Room for so many limbs.
#[inline]
fn with_room(len: usize) -> Res<Limbs> {
    let mut limbs = Limbs::new();
    if len > limbs.inline_size() {
        self::limbs::check_room(len)?;
        if limbs.try_reserve_exact(len).is_err() {
            return Err(Vm::current().memory_error());
        }
    }
    Ok(limbs)
}

#[inline]
fn zeros(len: usize) -> Res<Limbs> {
    let mut limbs = with_room(len)?;
    limbs.resize(len, 0);
    Ok(limbs)
}

impl Coef {
    pub fn zero() -> Coef {
        Coef { limbs: Limbs::new() }
    }

    pub fn from_u128(n: u128) -> Coef {
        const WIDE: u128 = BASE as u128;
        let mut limbs = Limbs::new();
        if n < WIDE {
            if n != 0 {
                limbs.push(n as u64);
            }
            return Coef { limbs };
        }
        if n >> 64 < WIDE {
            let (high, low) = limbs::split(n);
            limbs.push(low);
            if high < BASE {
                limbs.push(high);
            } else {
                limbs.push(high - BASE);
                limbs.push(1);
            }
            return Coef { limbs };
        }
        limbs.push((n % WIDE) as u64);
        let high = n / WIDE;
        if high < WIDE {
            limbs.push(high as u64);
        } else {
            limbs.push((high % WIDE) as u64);
            limbs.push((high / WIDE) as u64);
        }
        Coef { limbs }
    }

    #[inline]
    fn trim(mut limbs: Limbs) -> Coef {
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        Coef { limbs }
    }

    fn from_vec(limbs: Vec<u64>) -> Coef {
        let mut limbs = limbs;
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        if limbs.len() <= 4 {
            return Coef {
                limbs: Limbs::from_slice(&limbs),
            };
        }
        Coef {
            limbs: Limbs::from_vec(limbs),
        }
    }

    #[inline(always)]
    pub fn is_zero(&self) -> bool {
        self.limbs.is_empty()
    }

    pub fn is_one(&self) -> bool {
        self.limbs.as_slice() == [1]
    }

    /// The number, if it is one limb.
    #[inline(always)]
    pub fn small(&self) -> Option<u64> {
        match self.limbs.as_slice() {
            [] => Some(0),
            [n] => Some(*n),
            _ => None,
        }
    }

    pub fn to_u128(&self) -> Option<u128> {
        let wide = u128::from(BASE);
        match self.limbs.as_slice() {
            [] => Some(0),
            [a] => Some((*a).into()),
            [a, b] => Some(u128::from(*a) + u128::from(*b) * wide),
            [a, b, c @ 0..=2] => u128::from(*c)
                .checked_mul(wide * wide)?
                .checked_add(u128::from(*a) + u128::from(*b) * wide),
            _ => None,
        }
    }

    /// The number, if it is at most two limbs.
    #[inline(always)]
    pub fn two_limbs(&self) -> Option<u128> {
        match self.limbs.as_slice() {
            [] => Some(0),
            [a] => Some((*a).into()),
            [a, b] => Some(u128::from(*a) + u128::from(*b) * u128::from(BASE)),
            _ => None,
        }
    }

    /// The number if it fits into 63 bits.
    pub fn to_i64(&self) -> Option<i64> {
        i64::try_from(self.to_u128()?).ok()
    }

    /// How many digits it is written with: 1 for 0.
    #[inline]
    pub fn digits(&self) -> i64 {
        match self.limbs.last() {
            None => 1,
            Some(top) => ((self.limbs.len() - 1) * WIDTH + limbs::width(*top)) as i64,
        }
    }

    /// Digit number `at`, counted from the last one.
    pub fn digit(&self, at: i64) -> u8 {
        let at = at as usize;
        match self.limbs.get(at / WIDTH) {
            Some(limb) => (limb / POW10[at % WIDTH] % 10) as u8,
            None => 0,
        }
    }

    #[inline]
    pub fn is_odd(&self) -> bool {
        self.limbs.first().is_some_and(|limb| limb & 1 == 1)
    }

    /// How many zeros are at the end; none of 0.
    pub fn trailing_zeros(&self) -> i64 {
        let mut count = 0;
        for limb in &self.limbs {
            if *limb == 0 {
                count += WIDTH as i64;
                continue;
            }
            let mut limb = *limb;
            while limb % 10 == 0 {
                limb /= 10;
                count += 1;
            }
            return count;
        }
        0
    }

    /// Whether it is 1 and zeros.
    pub fn is_power_of_ten(&self) -> bool {
        !self.is_zero() && self.trailing_zeros() == self.digits() - 1 && self.digit(self.digits() - 1) == 1
    }

    /// `10**n - 1`.
    pub fn nines(n: i64) -> Res<Coef> {
        let n = usize::try_from(n).unwrap_or(0);
        let mut limbs = with_room(n / WIDTH + 1)?;
        limbs.resize(n / WIDTH, BASE - 1);
        if n % WIDTH != 0 {
            limbs.push(POW10[n % WIDTH] - 1);
        }
        Ok(Coef { limbs })
    }

    /// `10**n`.
    pub fn power_of_ten(n: i64) -> Res<Coef> {
        Coef::from(1).shl(n)
    }

    pub fn add(&self, other: &Coef) -> Res<Coef> {
        if let ([a], [b]) = (self.limbs.as_slice(), other.limbs.as_slice()) {
            let mut limbs = Limbs::new();
            let (sum, wrapped) = a.overflowing_add(*b);
            if wrapped || sum >= BASE {
                limbs.push(sum.wrapping_sub(BASE));
                limbs.push(1);
            } else {
                limbs.push(sum);
            }
            return Ok(Coef { limbs });
        }
        let (long, short) = if self.limbs.len() >= other.limbs.len() {
            (self, other)
        } else {
            (other, self)
        };
        let mut limbs = with_room(long.limbs.len() + 1)?;
        limbs.extend_from_slice(&long.limbs);
        if limbs::add_into(&mut limbs, &short.limbs) {
            limbs.push(1);
        }
        Ok(Coef { limbs })
    }

    /// `self - other`, which is not the larger.
    pub fn sub(&self, other: &Coef) -> Res<Coef> {
        debug_assert!(self >= other, "differences are natural numbers");
        let mut limbs = with_room(self.limbs.len())?;
        limbs.extend_from_slice(&self.limbs);
        if other.limbs.len() <= limbs.len() {
            limbs::sub_from(&mut limbs, &other.limbs);
        }
        Ok(Coef::trim(limbs))
    }

    /// One more.
    pub fn increment(&mut self) -> Res<()> {
        if self.limbs.is_empty() {
            self.limbs.push(1);
        } else if limbs::add_into(&mut self.limbs, &[1]) {
            if self.limbs.try_reserve(1).is_err() {
                return Err(Vm::current().memory_error());
            }
            self.limbs.push(1);
        }
        Ok(())
    }

    pub fn mul(&self, other: &Coef) -> Res<Coef> {
        let (a, b) = (self.limbs.as_slice(), other.limbs.as_slice());
        if let ([a], [b]) = (a, b) {
            let (high, low) = limbs::split(u128::from(*a) * u128::from(*b));
            let mut limbs = Limbs::new();
            limbs.push(low);
            if high != 0 {
                limbs.push(high);
            }
            return Ok(Coef { limbs });
        }
        if a.is_empty() || b.is_empty() {
            return Ok(Coef::zero());
        }
        let mut out = zeros(a.len() + b.len())?;
        limbs::mul_into(&mut out, a, b)?;
        Ok(Coef::trim(out))
    }

    pub fn mul_small(&self, factor: u64) -> Res<Coef> {
        let mut limbs = with_room(self.limbs.len() + 1)?;
        limbs.extend_from_slice(&self.limbs);
        let carry = limbs::mul_small(&mut limbs, factor);
        limbs.push(carry);
        Ok(Coef::trim(limbs))
    }

    /// The quotient by what is not 0, rounded down.
    pub fn div_small(mut self, divisor: u64) -> Coef {
        limbs::div_small(&mut self.limbs, divisor);
        Coef::trim(self.limbs)
    }

    /// Quotient and remainder by what is not 0.
    pub fn div_rem(&self, other: &Coef) -> Res<(Coef, Coef)> {
        let (a, b) = (self.limbs.as_slice(), other.limbs.as_slice());
        if b.len() > 1
            && let (Some(a), Some(b)) = (self.to_u128(), other.to_u128())
            && b != 0
        {
            let q = a / b;
            return Ok((Coef::from_u128(q), Coef::from_u128(a - q * b)));
        }
        if limbs::compare(a, b).is_lt() {
            return Ok((Coef::zero(), self.clone()));
        }
        if let [divisor] = b {
            let mut limbs = with_room(a.len())?;
            limbs.extend_from_slice(a);
            let rest = limbs::div_small(&mut limbs, *divisor);
            return Ok((Coef::trim(limbs), Coef::from(rest)));
        }
        let mut rest = limbs::zeros(a.len() + 1)?;
        rest.truncate(a.len());
        rest.copy_from_slice(a);
        let mut quotient = zeros(a.len() - b.len() + 1)?;
        limbs::div_rem_into(&mut quotient, &mut rest, b)?;
        Ok((Coef::trim(quotient), Coef::from_vec(rest)))
    }

    /// Times `10**n`.
    pub fn shl(&self, n: i64) -> Res<Coef> {
        if n <= 0 || self.is_zero() {
            return Ok(self.clone());
        }
        let n = n as usize;
        let (whole, part) = (n / WIDTH, n % WIDTH);
        let len = self.limbs.len() + whole + 1;
        let mut limbs = with_room(len)?;
        limbs.resize(whole, 0);
        if part == 0 {
            limbs.extend_from_slice(&self.limbs);
            return Ok(Coef { limbs });
        }
        let factor = u128::from(POW10[part]);
        let mut carry = 0;
        for limb in &self.limbs {
            let (high, low) = limbs::split(u128::from(*limb) * factor + u128::from(carry));
            limbs.push(low);
            carry = high;
        }
        if carry != 0 {
            limbs.push(carry);
        }
        Ok(Coef { limbs })
    }

    /// Without the last `n` digits, and what these were.
    pub fn shr(&self, n: i64) -> Res<(Coef, Rest)> {
        if n <= 0 {
            return Ok((self.clone(), Rest::Zero));
        }
        if self.is_zero() {
            return Ok((Coef::zero(), Rest::Zero));
        }
        if n > self.digits() {
            return Ok((Coef::zero(), Rest::BelowHalf));
        }
        let n = n as usize;
        let (whole, part) = (n / WIDTH, n % WIDTH);
        let limb = |at: usize| self.limbs.get(at).copied().unwrap_or(0);
        // The limb whose digits are the first to go, with how many of them, and the limbs below it.
        let (first, unit, below) = if part == 0 {
            (limb(whole - 1), BASE, whole - 1)
        } else {
            (limb(whole) % POW10[part], POW10[part], whole)
        };
        let more = self.limbs[..below].iter().any(|limb| *limb != 0);
        let rest = match (first.cmp(&(unit / 2)), more) {
            (Ordering::Less, _) if first == 0 && !more => Rest::Zero,
            (Ordering::Less, _) => Rest::BelowHalf,
            (Ordering::Equal, false) => Rest::Half,
            _ => Rest::AboveHalf,
        };
        Ok((self.without_digits(whole, part)?, rest))
    }

    fn without_digits(&self, whole: usize, part: usize) -> Res<Coef> {
        let kept = self.limbs.get(whole..).unwrap_or(&[]);
        let mut limbs = with_room(kept.len())?;
        if part == 0 {
            limbs.extend_from_slice(kept);
            return Ok(Coef { limbs });
        }
        let (unit, factor) = (POW10[part], POW10[WIDTH - part]);
        for (at, limb) in kept.iter().enumerate() {
            let next = kept.get(at + 1).map_or(0, |next| next % unit);
            limbs.push(limb / unit + next * factor);
        }
        Ok(Coef::trim(limbs))
    }

    /// The quotient by `10**n`, rounded down.
    pub fn shr_floor(&self, n: i64) -> Res<Coef> {
        if n > self.digits() {
            return Ok(Coef::zero());
        }
        let n = n.max(0) as usize;
        self.without_digits(n / WIDTH, n % WIDTH)
    }

    /// The last `n` digits.
    pub fn last_digits(&self, n: i64) -> Res<Coef> {
        if n >= self.digits() {
            return Ok(self.clone());
        }
        let n = n.max(0) as usize;
        let (whole, part) = (n / WIDTH, n % WIDTH);
        let mut limbs = with_room(whole + 1)?;
        limbs.extend_from_slice(&self.limbs[..whole]);
        if part != 0 {
            limbs.push(self.limbs.get(whole).map_or(0, |limb| limb % POW10[part]));
        }
        Ok(Coef::trim(limbs))
    }

    /// The square root, rounded down.
    pub fn sqrt(&self) -> Res<Coef> {
        if let Some(n) = self.to_u128() {
            return Ok(Coef::from_u128(n.isqrt()));
        }
        // The first half of the digits of the root, rounded up, and one step of Newton's iteration, which does not go below the root.
        let quarter = (self.digits() / 4).max(1);
        let mut start = self.shr_floor(2 * quarter)?.sqrt()?;
        start.increment()?;
        let start = start.shl(quarter)?;
        let mut root = start.add(&self.div_rem(&start)?.0)?.div_small(2);
        while root.mul(&root)? > *self {
            root = root.sub(&Coef::from(1))?;
        }
        Ok(root)
    }

    /// The number with these digits, which are ASCII.
    pub fn from_digits(digits: &[u8]) -> Res<Coef> {
        let mut limbs = with_room(digits.len().div_ceil(WIDTH))?;
        for piece in digits.rchunks(WIDTH) {
            limbs.push(
                piece
                    .iter()
                    .fold(0, |limb, digit| limb * 10 + u64::from(digit.wrapping_sub(b'0'))),
            );
        }
        Ok(Coef::trim(limbs))
    }

    /// The digits in ASCII.
    pub fn to_digits(&self) -> Res<Vec<u8>> {
        let mut out = Vec::new();
        out.try_reserve_exact(self.digits() as usize)?;
        self.write_digits(&mut out);
        Ok(out)
    }

    /// Appends the digits; there is room for them, or they are few.
    pub fn write_digits(&self, out: &mut Vec<u8>) {
        let Some((top, rest)) = self.limbs.split_last() else {
            out.push(b'0');
            return;
        };
        let write = |out: &mut Vec<u8>, mut limb: u64, width: usize| {
            let mut digits = [b'0'; WIDTH];
            for place in digits[WIDTH - width..].iter_mut().rev() {
                *place = b'0' + (limb % 10) as u8;
                limb /= 10;
            }
            out.extend_from_slice(&digits[WIDTH - width..]);
        };
        write(out, *top, limbs::width(*top));
        for limb in rest.iter().rev() {
            write(out, *limb, WIDTH);
        }
    }

    pub fn from_biguint(vm: &Vm, n: &BigUint) -> Res<Coef> {
        if let Some(n) = n.to_u128() {
            return Ok(Coef::from_u128(n));
        }
        if n.bits() <= 1 << 13 {
            let mut words = n.to_u64_digits();
            let mut limbs = with_room(words.len() + words.len() / 32 + 1)?;
            while !words.is_empty() {
                let mut rest = 0u64;
                for word in words.iter_mut().rev() {
                    let t = u128::from(rest) << 64 | u128::from(*word);
                    (*word, rest) = limbs::split(t);
                }
                limbs.push(rest);
                while words.last() == Some(&0) {
                    words.pop();
                }
            }
            return Ok(Coef::trim(limbs));
        }
        let digits = interruptible_work(vm, |pause| huge::to_decimal(n, pause))?;
        Coef::from_digits(digits.as_bytes())
    }

    pub fn to_biguint(&self, vm: &Vm) -> Res<BigUint> {
        if let Some(n) = self.to_u128() {
            return Ok(n.into());
        }
        if self.limbs.len() <= 64 {
            let mut n = BigUint::default();
            for limb in self.limbs.iter().rev() {
                n = n * BASE + *limb;
            }
            return Ok(n);
        }
        let mut digits = self.to_digits()?;
        for digit in &mut digits {
            *digit -= b'0';
        }
        interruptible_work(vm, |pause| huge::from_digits(&digits, 10, pause))
    }

    /// The remainder by `2**61 - 1`.
    pub fn hash(&self) -> u64 {
        const MODULUS: u128 = (1 << 61) - 1;
        let mut rest = 0u128;
        for limb in self.limbs.iter().rev() {
            rest = (rest * u128::from(BASE) + u128::from(*limb)) % MODULUS;
        }
        rest as u64
    }

    /// Heap memory.
    pub fn heap_bytes(&self) -> usize {
        if self.limbs.spilled() {
            self.limbs.capacity() * 8
        } else {
            0
        }
    }

    /// Limbs that are not part of the object itself.
    pub fn heap_limbs(&self) -> usize {
        if self.limbs.len() > 4 { self.limbs.len() } else { 0 }
    }

    /// Whether all digits are 0 or 1.
    pub fn is_logical(&self) -> bool {
        (0..self.digits()).all(|at| self.digit(at) <= 1)
    }

    /// `digits` digits, each made from those of both numbers.
    pub fn combine(&self, other: &Coef, digits: i64, rule: impl Fn(u8, u8) -> u8) -> Res<Coef> {
        let mut out = Vec::new();
        limbs::check_room(digits as usize / WIDTH)?;
        out.try_reserve_exact(digits as usize)?;
        out.extend((0..digits).rev().map(|at| b'0' + rule(self.digit(at), other.digit(at))));
        Coef::from_digits(&out)
    }
}
