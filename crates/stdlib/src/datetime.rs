//! The `_datetime` module: dates, times, durations, time zones.
//!
//! Invariant: all values are immutable but for `fold`, which is set while an object is made. Methods of time zones may be anything; what they return is
//! checked. Left out: `datetime_CAPI`; `strptime` goes through the library's `_strptime`.

mod calendar;
mod clock;
mod date;
mod delta;
mod format;
mod full;
mod iso;
mod zone;

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use lisle_runtime::intern;
use lisle_runtime::native::*;

use crate::order::ordered;
use delta::TimeDelta;
use zone::TzInfo;

/// The name of an object's class as `repr` shows it: without the module for classes of programs.
fn qualified(object: &Value) -> String {
    object.ty().name()
}

/// A hash, once it was computed.
#[derive(Trace)]
pub struct Hash(AtomicI64);

impl Default for Hash {
    fn default() -> Hash {
        Hash(AtomicI64::new(-1))
    }
}

impl Hash {
    fn get(&self) -> Option<i64> {
        // No hash is -1.
        Some(self.0.load(Relaxed)).filter(|hash| *hash != -1)
    }

    fn keep(&self, hash: i64) -> i64 {
        self.0.store(hash, Relaxed);
        hash
    }
}

/// Refuses what is neither `None` nor a `tzinfo`.
fn check_tzinfo(vm: &Vm, value: Option<&Value>) -> Res<Value> {
    match value {
        None => Ok(Value::NONE),
        Some(value) if value.is_none() || value.downcast::<TzInfo>().is_some() => Ok(value.clone()),
        Some(value) => {
            let found = value.ty().name();
            Err(vm.type_error(format!(
                "tzinfo argument must be None or of a tzinfo subclass, not type '{found}'"
            )))
        }
    }
}

/// What `tzinfo.utcoffset` or `dst` says, in microseconds.
fn zone_offset(vm: &Vm, tzinfo: &Value, method: &'static Py<Str>, argument: &Value) -> Res<Option<i64>> {
    if tzinfo.is_none() {
        return Ok(None);
    }
    if let Some(zone) = tzinfo.downcast_exact::<zone::TimeZone>() {
        // The method is the class's own.
        return Ok(method.is_text("utcoffset").then(|| zone.total() as i64));
    }
    let offset = vm.call_method(tzinfo, method, std::slice::from_ref(argument))?;
    if offset.is_none() {
        return Ok(None);
    }
    let Some(delta) = offset.downcast::<TimeDelta>() else {
        let (name, found) = (method.to_string_lossy(), offset.ty().name());
        return Err(vm.type_error(format!(
            "tzinfo.{name}() must return None or a timedelta, not '{found}'"
        )));
    };
    let total = delta.total();
    if total.abs() >= delta::DAY {
        let shown = vm.repr(&offset)?.to_string_lossy();
        return Err(vm.value_error(format!(
            "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24), not {shown}"
        )));
    }
    Ok(Some(total as i64))
}

/// An offset as a timedelta or `None`.
fn offset_value(vm: &Vm, offset: Option<i64>) -> Res<Value> {
    offset.map_or(Ok(Value::NONE), |offset| delta::new(vm, offset.into()))
}

fn zone_name(vm: &Vm, tzinfo: &Value, argument: &Value) -> Res<Value> {
    if tzinfo.is_none() {
        return Ok(Value::NONE);
    }
    let name = vm.call_method(tzinfo, intern!("tzname"), std::slice::from_ref(argument))?;
    if name.is_none() || name.downcast::<Str>().is_some() {
        return Ok(name);
    }
    let found = name.ty().name();
    Err(vm.type_error(format!("tzinfo.tzname() must return None or a string, not '{found}'")))
}

/// `cls.strptime(..)` by the function of `_strptime`.
fn strptime(vm: &Vm, cls: &Value, text: &Value, format: &Value, function: &'static Py<Str>) -> Res<Value> {
    let module = vm.import_module("_strptime")?;
    vm.call_method(&module, function, &[cls.clone(), text.clone(), format.clone()])
}

/// `time.struct_time` of these fields.
fn struct_time([year, month, day, hour, minute, second]: [i64; 6], dst: i64) -> Value {
    let ordinal = calendar::ordinal(year, month, day);
    let weekday = calendar::weekday(ordinal);
    let day_of_year = calendar::days_before_month(year, month) + day;
    let fields = [year, month, day, hour, minute, second, weekday, day_of_year, dst];
    crate::time::struct_time(fields)
}

/// The value of a field, checked against its range.
fn field(vm: &Vm, value: i64, low: i64, high: i64, name: &str) -> Res<i64> {
    if (low..=high).contains(&value) {
        return Ok(value);
    }
    Err(vm.value_error(format!("{name} must be in {low}..{high}, not {value}")))
}

fn check_date(vm: &Vm, year: i64, month: i64, day: i64) -> Res<()> {
    field(vm, year, calendar::MIN_YEAR, calendar::MAX_YEAR, "year")?;
    field(vm, month, 1, 12, "month")?;
    let last = calendar::days_in_month(year, month);
    if !(1..=last).contains(&day) {
        return Err(vm.value_error(format!(
            "day {day} must be in range 1..{last} for month {month} in year {year}"
        )));
    }
    Ok(())
}

fn check_clock(vm: &Vm, [hour, minute, second, micro]: iso::Clock, fold: i64) -> Res<()> {
    field(vm, hour, 0, 23, "hour")?;
    field(vm, minute, 0, 59, "minute")?;
    field(vm, second, 0, 59, "second")?;
    field(vm, micro, 0, 999_999, "microsecond")?;
    if fold != 0 && fold != 1 {
        return Err(vm.value_error(format!("fold must be either 0 or 1, not {fold}")));
    }
    Ok(())
}

/// A field of an argument: an int, not a float.
fn int_field(vm: &Vm, value: Option<&Value>, default: i64) -> Res<i64> {
    let Some(value) = value else { return Ok(default) };
    let number = vm.index(value)?;
    match vm.int_value(&number).and_then(|number| number.to_i64()) {
        Some(n) if i32::try_from(n).is_ok() => Ok(n),
        Some(n) if n < 0 => Err(vm.overflow_error("signed integer is less than minimum")),
        Some(_) => Err(vm.overflow_error("signed integer is greater than maximum")),
        None => Err(vm.overflow_error("Python int too large to convert to C int")),
    }
}

/// The bytes of a pickled state: `bytes`, or the text that Python 2 made of them.
fn state_bytes(vm: &Vm, value: &Value, len: usize) -> Res<Option<Vec<u8>>> {
    use lisle_runtime::types::bytes::Bytes;
    if let Some(bytes) = value.downcast::<Bytes>() {
        return Ok((bytes.len() == len).then(|| bytes.as_slice().to_vec()));
    }
    let Some(text) = value.downcast::<Str>().filter(|text| text.len() == len) else {
        return Ok(None);
    };
    let bytes: Option<Vec<u8>> = text.view().chars().map(|code| u8::try_from(code).ok()).collect();
    match bytes {
        Some(bytes) => Ok(Some(bytes)),
        None => Err(vm.value_error(
            "Failed to encode latin1 string when unpickling a datetime object. pickle.load(data, encoding='latin1') is assumed.",
        )),
    }
}

#[pymodule(
    name = "_datetime",
    doc = "Fast implementation of the datetime module.",
    types(
        delta::TimeDelta,
        date::Date,
        clock::Time,
        full::DateTime,
        zone::TzInfo,
        zone::TimeZone
    )
)]
pub mod module {
    use super::*;
    #[pyattr]
    const MINYEAR: i64 = calendar::MIN_YEAR;
    #[pyattr]
    const MAXYEAR: i64 = calendar::MAX_YEAR;

    #[pyattr(name = "UTC")]
    fn utc(vm: &Vm) -> Res<Value> {
        zone::utc(vm)
    }
}
