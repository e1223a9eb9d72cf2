//! Substring search over code units in linear time.
//!
//! A plain scan goes first, since most needles fail at their first unit; once it has compared more
//! than a few times what it has passed, the two-way algorithm (Crochemore and Perrin, 1991) takes over.
//! Bytes do not come here: `memchr::memmem` serves them.

use super::view::Unit;

/// The first match of `needle`.
pub(super) fn find<U: Unit>(hay: &[U], needle: &[U]) -> Option<usize> {
    let Some((&first, rest)) = needle.split_first() else {
        return Some(0);
    };
    let last = hay.len().checked_sub(needle.len())?;
    let mut at = 0;
    let mut work = 0;
    while at <= last {
        at += U::position(&hay[at..=last], first)?;
        let same = rest.iter().zip(&hay[at + 1..]).take_while(|(a, b)| a == b).count();
        if same == rest.len() {
            return Some(at);
        }
        at += 1;
        work += same;
        if work > 64 + 4 * at {
            let end = hay.len();
            return two_way(end - at, needle.len(), |i| hay[at + i], |i| needle[i]).map(|i| at + i);
        }
    }
    None
}

/// The last match of `needle`.
pub(super) fn rfind<U: Unit>(hay: &[U], needle: &[U]) -> Option<usize> {
    let Some((&last, rest)) = needle.split_last() else {
        return Some(hay.len());
    };
    let mut end = hay.len();
    let mut work = 0;
    while end >= needle.len() {
        end = rest.len() + U::rposition(&hay[rest.len()..end], last)?;
        let same = rest
            .iter()
            .rev()
            .zip(hay[..end].iter().rev())
            .take_while(|(a, b)| a == b)
            .count();
        if same == rest.len() {
            return Some(end - rest.len());
        }
        work += same;
        if work > 64 + 4 * (hay.len() - end) {
            let n = needle.len();
            return two_way(end, n, |i| hay[end - 1 - i], |i| needle[n - 1 - i]).map(|i| end - i - n);
        }
    }
    None
}

/// The first match of a needle of `m` units in `n`, both read through functions so that the same code runs backwards.
fn two_way<U: Unit>(n: usize, m: usize, hay: impl Fn(usize) -> U, needle: impl Fn(usize) -> U) -> Option<usize> {
    let (cut_a, period_a) = maximal_suffix(m, |i, j| needle(i) < needle(j));
    let (cut_b, period_b) = maximal_suffix(m, |i, j| needle(i) > needle(j));
    let (cut, period) = if cut_a > cut_b {
        (cut_a, period_a)
    } else {
        (cut_b, period_b)
    };
    let mut at = 0;
    if cut + period <= m && (0..cut).all(|i| needle(i) == needle(i + period)) {
        // The needle repeats itself: what a full match of the right half proved is remembered across a shift.
        let mut known = 0;
        while at + m <= n {
            let right = (cut.max(known)..m).find(|&i| needle(i) != hay(at + i));
            if let Some(i) = right {
                at += i - cut + 1;
                known = 0;
            } else if (known..cut).rev().all(|i| needle(i) == hay(at + i)) {
                return Some(at);
            } else {
                at += period;
                known = m - period;
            }
        }
    } else {
        let shift = cut.max(m - cut) + 1;
        while at + m <= n {
            if let Some(i) = (cut..m).find(|&i| needle(i) != hay(at + i)) {
                at += i - cut + 1;
            } else if (0..cut).rev().all(|i| needle(i) == hay(at + i)) {
                return Some(at);
            } else {
                at += shift;
            }
        }
    }
    None
}

/// Where the largest suffix under the given order starts, and its period.
fn maximal_suffix(m: usize, before: impl Fn(usize, usize) -> bool) -> (usize, usize) {
    let (mut start, mut candidate, mut k, mut period) = (0, 1, 0, 1);
    while candidate + k < m {
        if before(candidate + k, start + k) {
            candidate += k + 1;
            k = 0;
            period = candidate - start;
        } else if before(start + k, candidate + k) {
            start = candidate;
            candidate += 1;
            k = 0;
            period = 1;
        } else if k + 1 == period {
            candidate += period;
            k = 0;
        } else {
            k += 1;
        }
    }
    (start, period)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slow(hay: &[u16], needle: &[u16]) -> Vec<usize> {
        (0..(hay.len() + 1).saturating_sub(needle.len()))
            .filter(|&i| hay[i..].starts_with(needle))
            .collect()
    }

    #[test]
    fn agrees_with_a_plain_scan() {
        let mut seed = 12345u32;
        let mut random = move |below: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) % below
        };
        for _ in 0..20_000 {
            let letters = 1 + random(3);
            let mut text =
                |below: u32| -> Vec<u16> { (0..random(below)).map(|_| 0xac00 + random(letters) as u16).collect() };
            let hay = text(60);
            let needle = text(9);
            let all = slow(&hay, &needle);
            assert_eq!(find(&hay, &needle), all.first().copied());
            assert_eq!(rfind(&hay, &needle), all.last().copied());
            if !needle.is_empty() {
                let (n, m) = (hay.len(), needle.len());
                assert_eq!(
                    two_way(n, m, |i| hay[i], |i| needle[i]),
                    all.first().copied(),
                    "{hay:?} {needle:?}"
                );
            }
        }
    }

    #[test]
    fn stays_linear() {
        let hay = vec![7u16; 400_000];
        let mut needle = vec![7u16; 200_000];
        needle[0] = 8;
        assert_eq!(rfind(&hay, &needle), None);
        needle[0] = 7;
        needle[199_999] = 8;
        assert_eq!(find(&hay, &needle), None);
        needle[100_000] = 8;
        assert_eq!(find(&hay, &needle), None);
        assert_eq!(rfind(&hay, &needle), None);
    }
}
