//! The proleptic Gregorian calendar: days, months, weeks; local time of the system.
//!
//! Invariant: ordinals count days from 1 January of year 1, which is day 1.

use std::time::SystemTime;

pub const MIN_YEAR: i64 = 1;
pub const MAX_YEAR: i64 = 9999;
pub const MAX_ORDINAL: i64 = 3_652_059;

const BEFORE_MONTH: [i64; 13] = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

pub fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The days of a month from 1 to 12.
pub fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_before_year(year: i64) -> i64 {
    let y = year - 1;
    y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400)
}

/// The days of the year before a month.
pub fn days_before_month(year: i64, month: i64) -> i64 {
    BEFORE_MONTH[month.clamp(1, 12) as usize] + i64::from(month > 2 && is_leap(year))
}

pub fn ordinal(year: i64, month: i64, day: i64) -> i64 {
    days_before_year(year) + days_before_month(year, month) + day
}

/// Year, month and day of an ordinal.
pub fn from_ordinal(ordinal: i64) -> (i64, i64, i64) {
    let n = ordinal - 1;
    let (n400, n) = (n.div_euclid(146_097), n.rem_euclid(146_097));
    let (n100, n) = (n / 36_524, n % 36_524);
    let (n4, n) = (n / 1461, n % 1461);
    let (n1, n) = (n / 365, n % 365);
    let year = n400 * 400 + n100 * 100 + n4 * 4 + n1 + 1;
    if n1 == 4 || n100 == 4 {
        return (year - 1, 12, 31);
    }
    let mut month = (n + 50) >> 5;
    if days_before_month(year, month) > n {
        month -= 1;
    }
    (year, month, n - days_before_month(year, month) + 1)
}

/// Monday is 0.
pub fn weekday(ordinal: i64) -> i64 {
    (ordinal + 6) % 7
}

fn first_monday(year: i64) -> i64 {
    let first = ordinal(year, 1, 1);
    let weekday = weekday(first);
    first - weekday + if weekday > 3 { 7 } else { 0 }
}

/// ISO year, week and weekday.
pub fn iso(ordinal: i64) -> (i64, i64, i64) {
    let (mut year, _, _) = from_ordinal(ordinal);
    let mut start = first_monday(year);
    if ordinal < start {
        year -= 1;
        start = first_monday(year);
    } else if ordinal >= first_monday(year + 1) {
        year += 1;
        start = first_monday(year);
    }
    (year, (ordinal - start) / 7 + 1, (ordinal - start) % 7 + 1)
}

/// The ordinal of an ISO day, or what is wrong with it.
pub fn from_iso(year: i64, week: i64, day: i64) -> Result<i64, String> {
    if !(MIN_YEAR..=MAX_YEAR).contains(&year) {
        return Err(format!("year must be in {MIN_YEAR}..{MAX_YEAR}, not {year}"));
    }
    let long = {
        let first = ordinal(year, 1, 1) % 7;
        first == 4 || first == 3 && is_leap(year)
    };
    if !((1..53).contains(&week) || week == 53 && long) {
        return Err(format!("Invalid week: {week}"));
    }
    if !(1..8).contains(&day) {
        return Err(format!("Invalid weekday: {day} (range is [1, 7])"));
    }
    Ok(first_monday(year) + (week - 1) * 7 + day - 1)
}

/// A time of the system's zone.
pub struct Local {
    pub fields: [i64; 6],
    pub offset: i64,
    pub zone: String,
}

/// Seconds and microseconds since 1970.
pub fn now() -> (i64, i64) {
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => (since.as_secs() as i64, since.subsec_micros().into()),
        Err(before) => {
            let micros = -(before.duration().as_micros() as i64);
            (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000))
        }
    }
}

/// The local or universal time of seconds since 1970; `None` if the system has none.
pub fn system_time(seconds: i64, utc: bool) -> Option<Local> {
    // SAFETY: a structure of integers and a pointer, for which zero bytes are valid.
    let mut tm: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both outlive the call.
    let done = unsafe {
        if utc {
            libc::gmtime_r(&seconds, &mut tm)
        } else {
            libc::localtime_r(&seconds, &mut tm)
        }
    };
    if done.is_null() {
        return None;
    }
    let zone = if tm.tm_zone.is_null() {
        String::new()
    } else {
        // SAFETY: the system's names of zones end with zero and stay.
        unsafe { std::ffi::CStr::from_ptr(tm.tm_zone) }
            .to_string_lossy()
            .into_owned()
    };
    let fields = [
        i64::from(tm.tm_year) + 1900,
        i64::from(tm.tm_mon) + 1,
        tm.tm_mday.into(),
        tm.tm_hour.into(),
        tm.tm_min.into(),
        i64::from(tm.tm_sec).min(59),
    ];
    Some(Local {
        fields,
        offset: tm.tm_gmtoff,
        zone,
    })
}
