//! `time`: dates: between seconds, `struct_time` and text, by way of the C library.
//!
//! Invariant: a `tm` that came from a program has been checked field by field before the C library sees it.

use std::ffi::CString;

use lisle_runtime::native::{Py, Res, Str, Value, Vm, pymodule};
use lisle_runtime::text::{StrBuilder, StrView};
use lisle_runtime::types::module::Module;
use lisle_runtime::types::struct_seq::StructSeqDef;
use lisle_runtime::types::tuple::Tuple;

use super::clock_ns;
use crate::posix::path::fs_decode_c;
use crate::syscall::{c, int_arg, zeroed};
use crate::timeout::float_of;

static STRUCT_TIME: StructSeqDef = StructSeqDef::new(
    "struct_time",
    "time",
    "The time value as returned by gmtime(), localtime(), and strptime(), and\naccepted by asctime(), mktime() and strftime().  May be considered as a\nsequence of 9 integers.\n\nNote that several fields' values are not the same as those defined by\nthe C language standard for struct tm.  For example, the value of the\nfield tm_year is the actual year, not year - 1900.  See individual\nfields' descriptions for details.",
    &[
        ("tm_year", "year, for example, 1993"),
        ("tm_mon", "month of year, range [1, 12]"),
        ("tm_mday", "day of month, range [1, 31]"),
        ("tm_hour", "hours, range [0, 23]"),
        ("tm_min", "minutes, range [0, 59]"),
        ("tm_sec", "seconds, range [0, 61])"),
        ("tm_wday", "day of week, range [0, 6], Monday is 0"),
        ("tm_yday", "day of year, range [1, 366]"),
        ("tm_isdst", "1 if summer time is in effect, 0 if not, and -1 if unknown"),
        ("tm_zone", "abbreviation of timezone name"),
        ("tm_gmtoff", "offset from UTC in seconds"),
    ],
    9,
);

unsafe extern "C" {
    fn tzset();
}

/// Whole seconds since the Epoch, rounded down.
fn seconds_of(vm: &Vm, when: Option<&Value>) -> Res<libc::time_t> {
    let Some(when) = when.filter(|w| !w.is_none()) else {
        return Ok(clock_ns(libc::CLOCK_REALTIME).div_euclid(1_000_000_000));
    };
    let out_of_range = || vm.overflow_error("timestamp out of range for platform time_t");
    if let Some(x) = float_of(vm, when)? {
        if x.is_nan() {
            return Err(vm.value_error("Invalid value NaN (not a number)"));
        }
        let x = x.floor();
        if !(-9.223_372_036_854_775e18..9.223_372_036_854_775e18).contains(&x) {
            return Err(out_of_range());
        }
        return Ok(x as i64);
    }
    let n = vm.index(when)?;
    vm.int_value(&n).and_then(|n| n.to_i64()).ok_or_else(out_of_range)
}

/// `struct_time` of nine fields, without a zone.
pub fn struct_time(fields: [i64; 9]) -> Value {
    STRUCT_TIME.make(fields.map(Value::int).to_vec())
}

fn broken_down(vm: &Vm, when: Option<&Value>, utc: bool) -> Res<libc::tm> {
    let t = seconds_of(vm, when)?;
    // SAFETY: plain data.
    let mut tm: libc::tm = unsafe { zeroed() };
    let done = if utc {
        c!(gmtime_r(&t, &mut tm))
    } else {
        c!(localtime_r(&t, &mut tm))
    };
    if done.is_null() {
        return Err(vm.os_error(libc::EOVERFLOW, None));
    }
    Ok(tm)
}

fn as_value(vm: &Vm, tm: &libc::tm, utc: bool) -> Res<Value> {
    let fields = [
        i64::from(tm.tm_year) + 1900,
        i64::from(tm.tm_mon) + 1,
        tm.tm_mday.into(),
        tm.tm_hour.into(),
        tm.tm_min.into(),
        tm.tm_sec.into(),
        i64::from((tm.tm_wday + 6) % 7),
        i64::from(tm.tm_yday) + 1,
        tm.tm_isdst.into(),
    ];
    let mut values: Vec<Value> = fields.into_iter().map(Value::int).collect();
    values.push(if utc { Value::from("UTC") } else { zone_name(vm, tm)? });
    values.push(Value::int(tm.tm_gmtoff));
    Ok(STRUCT_TIME.make(values))
}

fn zone_name(vm: &Vm, tm: &libc::tm) -> Res<Value> {
    if tm.tm_zone.is_null() {
        return Ok(Value::from(""));
    }
    // SAFETY: the C library's names of zones live on.
    fs_decode_c(vm, unsafe { std::ffi::CStr::from_ptr(tm.tm_zone) })
}

/// What a program gave, with text of its zone that the C library may point to.
struct Given {
    tm: libc::tm,
    zone: Option<CString>,
}

impl Given {
    /// The structure, complete while `self` lives.
    fn tm(&self) -> libc::tm {
        let mut tm = self.tm;
        tm.tm_zone = self.zone.as_ref().map_or(std::ptr::null(), |zone| zone.as_ptr());
        tm
    }
}

/// The fields of a tuple, as they are.
fn unchecked(vm: &Vm, name: &str, value: &Value) -> Res<Given> {
    let Some(tuple) = value.downcast::<Tuple>() else {
        return Err(vm.type_error("Tuple or struct_time argument required"));
    };
    let [y, mo, d, h, mi, s, wd, yd, dst] = tuple.as_slice() else {
        return Err(vm.type_error(format!("{name}(): illegal time tuple argument")));
    };
    let int = |v: &Value| -> Res<i32> {
        let n = vm.index(v)?;
        match vm.int_value(&n).and_then(|n| n.to_i64()) {
            Some(n) => i32::try_from(n).map_err(|_| {
                vm.overflow_error(if n < 0 {
                    "signed integer is less than minimum"
                } else {
                    "signed integer is greater than maximum"
                })
            }),
            None => int_arg(vm, v),
        }
    };
    // SAFETY: plain data.
    let mut tm: libc::tm = unsafe { zeroed() };
    let (year, month) = (int(y)?, int(mo)?);
    (tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec) = (int(d)?, int(h)?, int(mi)?, int(s)?);
    let (wday, yday) = (int(wd)?, int(yd)?);
    tm.tm_isdst = int(dst)?;
    tm.tm_year = year
        .checked_sub(1900)
        .ok_or_else(|| vm.overflow_error("year out of range"))?;
    tm.tm_mon = month.wrapping_sub(1);
    tm.tm_wday = wday.wrapping_add(1) % 7;
    tm.tm_yday = yday.wrapping_sub(1);
    let mut zone = None;
    if value.ty().is(STRUCT_TIME.ty()) {
        let text = vm.getattr(value, lisle_runtime::intern!("tm_zone"))?;
        if let Some(text) = text.downcast::<Str>() {
            zone = CString::new(text.to_string_lossy()).ok();
        }
        let offset = vm.getattr(value, lisle_runtime::intern!("tm_gmtoff"))?;
        if !offset.is_none() {
            tm.tm_gmtoff = vm.index_to_i64(&offset)?;
        }
    }
    Ok(Given { tm, zone })
}

/// The fields of a tuple; those that are out of range are errors, but for some zeros that are let through.
fn checked(vm: &Vm, name: &str, value: &Value) -> Res<Given> {
    let mut given = unchecked(vm, name, value)?;
    let tm = &mut given.tm;
    for (field, zero) in [(&mut tm.tm_mon, -1), (&mut tm.tm_mday, 0), (&mut tm.tm_yday, -1)] {
        if *field == zero {
            *field += 1;
        }
    }
    let ranges = [
        (tm.tm_mon, 0, 11, "month"),
        (tm.tm_mday, 1, 31, "day of month"),
        (tm.tm_hour, 0, 23, "hour"),
        (tm.tm_min, 0, 59, "minute"),
        (tm.tm_sec, 0, 61, "seconds"),
        (tm.tm_wday, 0, 6, "day of week"),
        (tm.tm_yday, 0, 365, "day of year"),
    ];
    for (value, min, max, what) in ranges {
        if !(min..=max).contains(&value) {
            return Err(vm.value_error(format!("{what} out of range")));
        }
    }
    Ok(given)
}

/// As C's `asctime`, for any year.
fn shown(tm: &libc::tm) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let name = |names: &[&'static str], at: i32| {
        let at = usize::try_from(at).unwrap_or(0);
        names.get(at).copied().unwrap_or("???")
    };
    format!(
        "{} {}{:3} {:02}:{:02}:{:02} {}",
        name(&DAYS, tm.tm_wday),
        name(&MONTHS, tm.tm_mon),
        tm.tm_mday,
        tm.tm_hour,
        tm.tm_min,
        tm.tm_sec,
        i64::from(tm.tm_year) + 1900
    )
}

/// `strftime` for a stretch of ASCII without null bytes.
fn formatted(format: &CString, tm: &libc::tm) -> Vec<u8> {
    let mut buffer = vec![0u8; 256];
    loop {
        let n = c!(strftime(buffer.as_mut_ptr().cast(), buffer.len(), format.as_ptr(), tm));
        // Nothing is also what some formats give.
        if n > 0 || buffer.len() >= 256 * (format.as_bytes().len() + 1) {
            buffer.truncate(n);
            return buffer;
        }
        buffer.resize(buffer.len() * 4, 0);
    }
}

/// Name, offset, daylight saving name and offset of the local zone; sets what `time` shows of it.
fn set_zone(vm: &Vm, module: &Py<Module>) -> Res<()> {
    const YEAR: i64 = (365 * 24 + 6) * 3600;
    let now = clock_ns(libc::CLOCK_REALTIME) / 1_000_000_000;
    let zone_at = |t: libc::time_t| -> Res<(i64, Value)> {
        // SAFETY: plain data.
        let mut tm: libc::tm = unsafe { zeroed() };
        c!(localtime_r(&t, &mut tm));
        Ok((-tm.tm_gmtoff, zone_name(vm, &tm)?))
    };
    let january = now / YEAR * YEAR;
    let (winter, summer) = (zone_at(january)?, zone_at(january + YEAR / 2)?);
    // In the south it is the other way round.
    let (standard, saving) = if winter.0 < summer.0 {
        (summer, winter)
    } else {
        (winter, summer)
    };
    module.set("timezone", Value::int(standard.0));
    module.set("altzone", Value::int(saving.0));
    module.set("daylight", Value::int((standard.0 != saving.0).into()));
    module.set("tzname", Tuple::pair(standard.1, saving.1).into_value());
    Ok(())
}

#[pymodule(name = "time")]
pub mod module {
    use super::*;

    #[pyattr]
    fn struct_time(_vm: &Vm) -> Value {
        STRUCT_TIME.ty().to_value()
    }

    #[pyattr]
    const _STRUCT_TM_ITEMS: i64 = 11;

    /// gmtime([seconds]) -> (tm_year, tm_mon, tm_mday, tm_hour, tm_min,
    ///                        tm_sec, tm_wday, tm_yday, tm_isdst)
    ///
    /// Convert seconds since the Epoch to a time tuple expressing UTC (a.k.a.
    /// GMT).  When 'seconds' is not passed in, convert the current time instead.
    #[pyfunction(sig = "(seconds=None, /)")]
    fn gmtime(vm: &Vm, seconds: Option<&Value>) -> Res<Value> {
        as_value(vm, &broken_down(vm, seconds, true)?, true)
    }

    /// localtime([seconds]) -> (tm_year,tm_mon,tm_mday,tm_hour,tm_min,
    ///                           tm_sec,tm_wday,tm_yday,tm_isdst)
    ///
    /// Convert seconds since the Epoch to a time tuple expressing local time.
    /// When 'seconds' is not passed in, convert the current time instead.
    #[pyfunction(sig = "(seconds=None, /)")]
    fn localtime(vm: &Vm, seconds: Option<&Value>) -> Res<Value> {
        as_value(vm, &broken_down(vm, seconds, false)?, false)
    }

    /// asctime([tuple]) -> string
    ///
    /// Convert a time tuple to a string, e.g. 'Sat Jun 06 16:26:11 1998'.
    /// When the time tuple is not present, current time as returned by localtime()
    /// is used.
    #[pyfunction(sig = "(tuple=<unrepresentable>, /)")]
    fn asctime(vm: &Vm, tuple: Option<&Value>) -> Res<String> {
        Ok(match tuple {
            Some(tuple) => shown(&checked(vm, "asctime", tuple)?.tm),
            None => shown(&broken_down(vm, None, false)?),
        })
    }

    /// ctime(seconds) -> string
    ///
    /// Convert a time in seconds since the Epoch to a string in local time.
    /// This is equivalent to asctime(localtime(seconds)). When the time tuple is
    /// not present, current time as returned by localtime() is used.
    #[pyfunction(sig = "(seconds=None, /)")]
    fn ctime(vm: &Vm, seconds: Option<&Value>) -> Res<String> {
        Ok(shown(&broken_down(vm, seconds, false)?))
    }

    /// mktime(tuple) -> floating-point number
    ///
    /// Convert a time tuple in local time to seconds since the Epoch.
    /// Note that mktime(gmtime(0)) will not generally return zero for most
    /// time zones; instead the returned value will either be equal to that
    /// of the timezone or altzone attributes on the time module.
    #[pyfunction(sig = "(tuple, /)")]
    fn mktime(vm: &Vm, tuple: &Value) -> Res<f64> {
        let mut tm = unchecked(vm, "mktime", tuple)?.tm;
        // Stays as it is if nothing was converted.
        tm.tm_wday = -1;
        let t = c!(mktime(&mut tm));
        if t == -1 && tm.tm_wday == -1 {
            return Err(vm.overflow_error("mktime argument out of range"));
        }
        Ok(t as f64)
    }

    /// strftime(format[, tuple]) -> string
    ///
    /// Convert a time tuple to a string according to a format specification.
    /// See the library reference manual for formatting codes. When the time tuple
    /// is not present, current time as returned by localtime() is used.
    ///
    /// Commonly used format codes:
    ///
    /// %Y  Year with century as a decimal number.
    /// %m  Month as a decimal number [01,12].
    /// %d  Day of the month as a decimal number [01,31].
    /// %H  Hour (24-hour clock) as a decimal number [00,23].
    /// %M  Minute as a decimal number [00,59].
    /// %S  Second as a decimal number [00,61].
    /// %z  Time zone offset from UTC.
    /// %a  Locale's abbreviated weekday name.
    /// %A  Locale's full weekday name.
    /// %b  Locale's abbreviated month name.
    /// %B  Locale's full month name.
    /// %c  Locale's appropriate date and time representation.
    /// %I  Hour (12-hour clock) as a decimal number [01,12].
    /// %p  Locale's equivalent of either AM or PM.
    ///
    /// Other codes may be available on your platform.  See documentation for
    /// the C library strftime function.
    #[pyfunction(sig = "(format, tuple=<unrepresentable>, /)")]
    fn strftime(vm: &Vm, format: &Py<Str>, tuple: Option<&Value>) -> Res<Value> {
        let given = match tuple {
            Some(tuple) => {
                let mut given = checked(vm, "strftime", tuple)?;
                given.tm.tm_isdst = given.tm.tm_isdst.clamp(-1, 1);
                given
            }
            None => {
                let tm = broken_down(vm, None, false)?;
                let zone = match zone_name(vm, &tm)?.downcast::<Str>() {
                    Some(name) => CString::new(name.to_string_lossy()).ok(),
                    None => None,
                };
                Given { tm, zone }
            }
        };
        let tm = given.tm();
        let mut out = StrBuilder::with_capacity(format.len() * 4);
        // What the C library might read in another encoding is passed by it.
        let mut ascii: Vec<u8> = Vec::new();
        let flush = |ascii: &mut Vec<u8>, out: &mut StrBuilder| -> Res<()> {
            if let Ok(part) = CString::new(std::mem::take(ascii))
                && !part.as_bytes().is_empty()
            {
                let made = formatted(&part, &tm);
                let text = crate::posix::path::fs_decode(vm, &made)?;
                match text.downcast::<Str>() {
                    Some(text) => out.push_view(text.view()),
                    None => out.push_view(StrView::Ascii(b"")),
                }
            }
            Ok(())
        };
        for c in format.view().chars() {
            match u8::try_from(c) {
                Ok(byte @ 1..=0x7f) => ascii.push(byte),
                _ => {
                    flush(&mut ascii, &mut out)?;
                    out.push(c);
                }
            }
        }
        flush(&mut ascii, &mut out)?;
        Ok(Str::from_buf(out.finish()).into_value())
    }

    /// strptime(string, format) -> struct_time
    ///
    /// Parse a string to a time tuple according to a format specification.
    /// See the library reference manual for formatting codes (same as
    /// strftime()).
    #[pyfunction(sig = "(*args)")]
    fn strptime(vm: &Vm, args: &[Value]) -> Res<Value> {
        let module = vm.import_module("_strptime")?;
        let parse = vm.getattr(&module, lisle_runtime::intern!("_strptime_time"))?;
        vm.call(&parse, args)
    }

    /// tzset()
    ///
    /// Initialize, or reinitialize, the local timezone to the value stored in
    /// os.environ['TZ']. The TZ environment variable should be specified in
    /// standard Unix timezone format as documented in the tzset man page
    /// (eg. 'US/Eastern', 'Europe/Amsterdam'). Unknown timezones will silently
    /// fall back to UTC. If the TZ environment variable is not set, the local
    /// timezone is set to the systems best guess of wallclock time.
    /// Changing the TZ environment variable without calling tzset *may* change
    /// the local timezone used by methods such as localtime, but this behaviour
    /// should not be relied on.
    #[pyfunction(name = "tzset", sig = "()")]
    fn tz_set(vm: &Vm) -> Res<()> {
        // SAFETY: reads the environment, which is changed through the Rust library alone.
        unsafe { tzset() };
        let module = vm.import_module("time")?;
        match module.downcast::<Module>() {
            Some(module) => set_zone(vm, module),
            None => Ok(()),
        }
    }

    #[init]
    fn init(vm: &Vm, module: &Py<Module>) -> Res<()> {
        // SAFETY: as in `tzset`.
        unsafe { tzset() };
        set_zone(vm, module)
    }
}
