//! "Did you mean ..." for a misspelt name.
//! Invariant: distances and limits are those by which CPython chooses, so the same suggestion comes out.

/// Cost of inserting, removing or replacing a character.
const MOVE: usize = 2;
/// Cost of changing a letter's case.
const CASE: usize = 1;
/// Longer words are not compared.
const MAX_LENGTH: usize = 40;
/// Among more candidates than this no suggestion is looked for.
const MAX_CANDIDATES: usize = 750;

/// The first of the candidates closest to `wanted`, if one is close enough.
pub fn closest<'a>(wanted: &str, candidates: &[&'a str]) -> Option<&'a str> {
    if candidates.len() >= MAX_CANDIDATES {
        return None;
    }
    let mut best: Option<(&str, usize)> = None;
    for &candidate in candidates {
        if candidate == wanted {
            continue;
        }
        // At most a third of the characters involved may need a change, and only an improvement counts.
        let mut limit = (wanted.len() + candidate.len() + 3) * MOVE / 6;
        if let Some((_, distance)) = best {
            let Some(better) = distance.checked_sub(1) else { break };
            limit = limit.min(better);
        }
        if let Some(distance) = distance(wanted.as_bytes(), candidate.as_bytes(), limit) {
            best = Some((candidate, distance));
        }
    }
    best.map(|(candidate, _)| candidate)
}

/// The weighted Levenshtein distance by the usual row of a table, `None` if it is above `limit`.
fn distance<'t>(mut a: &'t [u8], mut b: &'t [u8], limit: usize) -> Option<usize> {
    while let ([first, rest_a @ ..], [other, rest_b @ ..]) = (a, b)
        && first == other
    {
        (a, b) = (rest_a, rest_b);
    }
    while let ([rest_a @ .., last], [rest_b @ .., other]) = (a, b)
        && last == other
    {
        (a, b) = (rest_a, rest_b);
    }
    let within = |cost: usize| (cost <= limit).then_some(cost);
    if a.is_empty() || b.is_empty() {
        return within((a.len() + b.len()) * MOVE);
    }
    if a.len() > MAX_LENGTH || b.len() > MAX_LENGTH {
        return None;
    }
    if b.len() < a.len() {
        (a, b) = (b, a);
    }
    let mut row = [0; MAX_LENGTH];
    for (at, cost) in row.iter_mut().enumerate() {
        *cost = (at + 1) * MOVE;
    }
    let mut result = 0;
    for (at, &byte) in b.iter().enumerate() {
        let mut diagonal = at * MOVE;
        result = diagonal;
        let mut smallest = usize::MAX;
        for (cost, &other) in row.iter_mut().zip(a) {
            let replaced = diagonal + replace_cost(byte, other);
            diagonal = *cost;
            result = replaced.min(result.min(diagonal) + MOVE);
            *cost = result;
            smallest = smallest.min(result);
        }
        if smallest > limit {
            return None;
        }
    }
    within(result)
}

fn replace_cost(a: u8, b: u8) -> usize {
    if a == b {
        0
    } else if a.eq_ignore_ascii_case(&b) {
        CASE
    } else {
        MOVE
    }
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn chooses_as_cpython() {
        let names = ["encoding", "errors"];
        assert_eq!(closest("encodin", &names), Some("encoding"));
        assert_eq!(closest("Errors", &names), Some("errors"));
        assert_eq!(closest("x", &names), None);
        assert_eq!(closest("se", &["sep", "maxsplit"]), Some("sep"));
        assert_eq!(closest("flus", &["sep", "end", "file", "flush"]), Some("flush"));
        assert_eq!(closest("rel", &["a", "b", "rel_tol", "abs_tol"]), None);
        assert_eq!(closest("imagg", &["real", "imag"]), Some("imag"));
    }
}
