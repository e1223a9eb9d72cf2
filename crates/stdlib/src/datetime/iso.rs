//! Reading and writing the formats of ISO 8601.
//! Invariant: text that is not ASCII digits and signs is refused without being cut within a character.

use super::calendar::{from_iso, from_ordinal};

/// Hour, minute, second, microsecond.
pub type Clock = [i64; 4];

/// What was read of a time.
pub struct ParsedTime {
    pub clock: Clock,
    /// Microseconds east of UTC.
    pub offset: Option<i64>,
    pub next_day: bool,
    /// 24 hours, but not exactly.
    pub beyond: bool,
}

fn digits(text: &[u8]) -> Option<i64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(text.iter().fold(0, |n, digit| n * 10 + i64::from(digit - b'0')))
}

/// Where the date ends.
pub fn separator(text: &[u8]) -> Option<usize> {
    let len = text.len();
    if len == 7 {
        return Some(7);
    }
    let digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    if text.get(4) == Some(&b'-') {
        if text.get(5) != Some(&b'W') {
            return Some(10);
        }
        if len < 8 {
            return None;
        }
        if len > 8 && text[8] == b'-' {
            if len == 9 {
                return None;
            }
            return Some(if len > 10 && digit(10) { 8 } else { 10 });
        }
        return Some(8);
    }
    if text.get(4) != Some(&b'W') {
        return Some(8);
    }
    let mut at = 7;
    while digit(at) {
        at += 1;
    }
    Some(match at {
        ..9 => at,
        _ if at % 2 == 0 => 7,
        _ => 8,
    })
}

/// A date in any of the formats; the fields may still be out of range.
pub fn date(text: &[u8]) -> Option<(i64, i64, i64)> {
    if !matches!(text.len(), 7 | 8 | 10) {
        return None;
    }
    let year = digits(&text[..4])?;
    let dashed = text[4] == b'-';
    let mut at = 4 + usize::from(dashed);
    if text.get(at) == Some(&b'W') {
        at += 1;
        let week = digits(text.get(at..at + 2)?)?;
        at += 2;
        let mut day = 1;
        if text.len() > at {
            if (text[at] == b'-') != dashed {
                return None;
            }
            at += usize::from(dashed);
            day = digits(text.get(at..)?).filter(|_| text.len() == at + 1)?;
        }
        return from_iso(year, week, day).ok().map(from_ordinal);
    }
    let month = digits(text.get(at..at + 2)?)?;
    at += 2;
    if (text.get(at) == Some(&b'-')) != dashed {
        return None;
    }
    at += usize::from(dashed);
    let day = digits(text.get(at..)?).filter(|_| text.len() == at + 2)?;
    Some((year, month, day))
}

fn clock(text: &[u8]) -> Option<Clock> {
    let mut found = [0; 4];
    let mut at = 0;
    let mut separated = false;
    for (n, place) in found.iter_mut().take(3).enumerate() {
        *place = digits(text.get(at..at + 2)?)?;
        at += 2;
        let next = text.get(at);
        if n == 0 {
            separated = next == Some(&b':');
        }
        match next {
            None => break,
            _ if n >= 2 => break,
            Some(b':') if separated => at += 1,
            Some(_) if separated => return None,
            Some(_) => {}
        }
    }
    if at < text.len() {
        if !matches!(text[at], b'.' | b',') {
            return None;
        }
        let fraction = &text[at + 1..];
        if !fraction.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let used = &fraction[..fraction.len().min(6)];
        found[3] = digits(used)? * 10_i64.pow(6 - used.len() as u32);
    }
    Some(found)
}

/// A time, with or without an offset.
pub fn time(text: &[u8]) -> Option<ParsedTime> {
    if text.len() < 2 {
        return None;
    }
    let sign = |c: u8| text.iter().position(|b| *b == c);
    let zone = sign(b'-').or_else(|| sign(b'+')).or_else(|| sign(b'Z'));
    let mut clock = clock(&text[..zone.unwrap_or(text.len())])?;
    let mut next_day = false;
    let mut beyond = false;
    if clock[0] == 24 {
        if clock[1..] == [0, 0, 0] {
            clock[0] = 0;
            next_day = true;
        } else {
            beyond = true;
        }
    }
    let offset = match zone {
        None => None,
        Some(at) if text[at] == b'Z' => {
            if at + 1 != text.len() {
                return None;
            }
            Some(0)
        }
        Some(at) => {
            let rest = &text[at + 1..];
            if matches!(rest.len(), 0 | 1 | 3) {
                return None;
            }
            let [hours, minutes, seconds, micros] = self::clock(rest)?;
            let size = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros;
            Some(if text[at] == b'-' { -size } else { size })
        }
    };
    Some(ParsedTime {
        clock,
        offset,
        next_day,
        beyond,
    })
}

/// `HH:MM:SS` and so on; `None` if there is no such `timespec`.
pub fn format_time([hour, minute, second, micro]: Clock, timespec: &str) -> Option<String> {
    Some(match timespec {
        "auto" if micro == 0 => format!("{hour:02}:{minute:02}:{second:02}"),
        "auto" | "microseconds" => format!("{hour:02}:{minute:02}:{second:02}.{micro:06}"),
        "milliseconds" => format!("{hour:02}:{minute:02}:{second:02}.{:03}", micro / 1000),
        "seconds" => format!("{hour:02}:{minute:02}:{second:02}"),
        "minutes" => format!("{hour:02}:{minute:02}"),
        "hours" => format!("{hour:02}"),
        _ => return None,
    })
}

/// `+HH:MM`, with seconds and microseconds where there are some.
pub fn format_offset(offset: i64, colon: &str) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let size = offset.abs();
    let (seconds, micros) = (size / 1_000_000, size % 1_000_000);
    let mut out = format!("{sign}{:02}{colon}{:02}", seconds / 3600, seconds / 60 % 60);
    if seconds % 60 != 0 || micros != 0 {
        out.push_str(&format!("{colon}{:02}", seconds % 60));
    }
    if micros != 0 {
        out.push_str(&format!(".{micros:06}"));
    }
    out
}
