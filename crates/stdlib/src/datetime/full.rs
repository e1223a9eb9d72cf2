//! `datetime`.
//! Invariant: the date exists, the fields are in range, the zone is `None` or a `tzinfo`.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use lisle_runtime::intern;
use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::tuple::Tuple;

use super::calendar::{self, Local};
use super::clock::{self, Time, timespec_text};
use super::date::{Date, ctime, invalid_iso};
use super::delta::{self, TimeDelta};
use super::iso::{self, Clock};
use super::zone::{self, TzInfo};
use super::{Hash, check_clock, check_date, check_tzinfo, int_field, ordered, qualified};

#[pyclass(
    name = "datetime",
    late_end,
    module = "datetime",
    base = Date,
    basetype,
    doc = "datetime(year, month, day[, hour[, minute[, second[, microsecond[,tzinfo]]]]])\n\nThe year, month and day arguments are required. tzinfo may be None, or an\ninstance of a tzinfo subclass. The remaining arguments may be ints."
)]
pub struct DateTime {
    date: Date,
    pub clock: Opaque<[u32; 4]>,
    pub tzinfo: Value,
    fold: AtomicU8,
    hash: Hash,
}

/// All fields but the zone.
#[derive(Clone, Copy)]
pub struct Fields {
    pub date: (i64, i64, i64),
    pub clock: Clock,
    pub fold: i64,
}

impl DateTime {
    fn of(fields: Fields, tzinfo: Value) -> DateTime {
        let (year, month, day) = fields.date;
        DateTime {
            date: Date::of(year, month, day),
            clock: Opaque(fields.clock.map(|n| n as u32)),
            tzinfo,
            fold: AtomicU8::new(fields.fold as u8),
            hash: Hash::default(),
        }
    }

    fn fields(&self) -> Fields {
        Fields {
            date: self.date.fields(),
            clock: self.clock.0.map(i64::from),
            fold: self.fold.load(Relaxed).into(),
        }
    }

    /// Microseconds since the day before the first, as if the zone had no offset.
    fn total(&self) -> i64 {
        let [hour, minute, second, micro] = self.clock.0.map(i64::from);
        self.date.ordinal() * DAY + ((hour * 60 + minute) * 60 + second) * SECOND + micro
    }

    fn compared(&self, other: &DateTime) -> std::cmp::Ordering {
        (self.date.fields(), self.clock.0).cmp(&(other.date.fields(), other.clock.0))
    }
}

/// The fields of so many microseconds since the day before the first.
fn from_total(vm: &Vm, total: i64) -> Res<Fields> {
    let (day, rest) = (total.div_euclid(DAY), total.rem_euclid(DAY));
    if !(1..=calendar::MAX_ORDINAL).contains(&day) {
        return Err(vm.overflow_error("date value out of range"));
    }
    let seconds = rest / SECOND;
    Ok(Fields {
        date: calendar::from_ordinal(day),
        clock: [seconds / 3600, seconds / 60 % 60, seconds % 60, rest % SECOND],
        fold: 0,
    })
}

/// A datetime of a class, which for subclasses is called.
fn make(vm: &Vm, cls: &Py<Type>, fields: Fields, tzinfo: Value) -> Res<Value> {
    let (year, month, day) = fields.date;
    if cls.is(DateTime::ty()) {
        check_date(vm, year, month, day)?;
        check_clock(vm, fields.clock, fields.fold)?;
        return Ok(Py::new(DateTime::of(fields, tzinfo)).into_value());
    }
    let mut args: Vec<Value> = [year, month, day]
        .into_iter()
        .chain(fields.clock)
        .map(Value::int)
        .collect();
    args.push(tzinfo);
    let made = vm.call(cls.as_value(), &args)?;
    if fields.fold != 0
        && let Some(moment) = made.downcast::<DateTime>()
    {
        moment.fold.store(fields.fold as u8, Relaxed);
    }
    Ok(made)
}

/// Seconds and microseconds of a timestamp, rounded to the even microsecond or down to seconds.
pub fn split_timestamp(vm: &Vm, timestamp: &Value, micros: bool) -> Res<(i64, i64)> {
    if let Some(x) = lisle_runtime::types::float::view(timestamp) {
        if x.is_nan() {
            return Err(vm.value_error("Invalid value NaN (not a number)"));
        }
        let mut seconds = x.floor();
        let mut us = 0.0;
        if micros {
            let fraction = x.trunc();
            us = ((x - fraction) * 1e6).round_ties_even();
            seconds = fraction;
            if us >= 1e6 {
                us -= 1e6;
                seconds += 1.0;
            } else if us < 0.0 {
                us += 1e6;
                seconds -= 1.0;
            }
        }
        if !(-9.2e18..9.2e18).contains(&seconds) {
            return Err(vm.overflow_error("timestamp out of range for platform time_t"));
        }
        return Ok((seconds as i64, us as i64));
    }
    let number = vm.index(timestamp)?;
    match vm.int_value(&number).and_then(|number| number.to_i64()) {
        Some(seconds) => Ok((seconds, 0)),
        None => Err(vm.overflow_error("timestamp out of range for platform time_t")),
    }
}

/// The system's local or universal time, in years that dates have.
pub fn system_time(vm: &Vm, seconds: i64, utc: bool) -> Res<Local> {
    let local = calendar::system_time(seconds, utc);
    let Some(local) = local else {
        return Err(vm.overflow_error("timestamp out of range for platform time_t"));
    };
    let year = local.fields[0];
    if !(calendar::MIN_YEAR..=calendar::MAX_YEAR).contains(&year) {
        return Err(vm.value_error(format!("year {year} is out of range")));
    }
    Ok(local)
}

/// Seconds since the day before the first of these fields.
fn seconds_of([year, month, day, hour, minute, second]: [i64; 6]) -> i64 {
    calendar::ordinal(year, month, day) * 86_400 + (hour * 60 + minute) * 60 + second
}

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
const EPOCH: i64 = 719_163 * 86_400;
const MAX_FOLD: i64 = 24 * 3600;

/// Local seconds of universal ones, both since 1970.
fn local_seconds(vm: &Vm, seconds: i64) -> Res<i64> {
    Ok(seconds_of(system_time(vm, seconds, false)?.fields) - EPOCH)
}

fn from_timestamp(vm: &Vm, cls: &Py<Type>, timestamp: (i64, i64), utc: bool, tzinfo: &Value) -> Res<Value> {
    let (seconds, micros) = timestamp;
    let fields = system_time(vm, seconds, utc)?.fields;
    let mut fold = 0;
    if tzinfo.is_none() && !utc {
        // A transition in the last day may have repeated this time.
        let here = seconds_of(fields);
        if let Ok(before) = system_time(vm, seconds - MAX_FOLD, false) {
            let transition = here - seconds_of(before.fields) - MAX_FOLD;
            if transition < 0 {
                let probe = system_time(vm, seconds + transition, false)?;
                fold = i64::from(seconds_of(probe.fields) == here);
            }
        }
    }
    let [year, month, day, hour, minute, second] = fields;
    let fields = Fields {
        date: (year, month, day),
        clock: [hour, minute, second, micros],
        fold,
    };
    make(vm, cls, fields, tzinfo.clone())
}

/// The time of a zone, or the system's for `None`.
fn in_zone(vm: &Vm, cls: &Py<Type>, timestamp: (i64, i64), tzinfo: &Value) -> Res<Value> {
    if tzinfo.is_none() {
        return from_timestamp(vm, cls, timestamp, false, tzinfo);
    }
    let utc = from_timestamp(vm, cls, timestamp, true, tzinfo)?;
    vm.call_method(tzinfo, intern!("fromutc"), &[utc])
}

type This = Py<DateTime>;

fn offset(vm: &Vm, this: &This) -> Res<Option<i64>> {
    super::zone_offset(vm, &this.tzinfo, intern!("utcoffset"), this.as_value())
}

/// The datetime with the other `fold`, as a plain one.
fn folded(this: &This, fold: i64) -> Py<DateTime> {
    let fields = Fields { fold, ..this.fields() };
    Py::new(DateTime::of(fields, this.tzinfo.clone()))
}

/// Whether the offset depends on `fold`, so that the time is equal to none in another zone.
fn is_problematic(vm: &Vm, this: &This, own: Option<i64>) -> Res<bool> {
    let fold = i64::from(this.fold.load(Relaxed) == 0);
    Ok(offset(vm, &folded(this, fold))? != own)
}

/// Universal seconds since 1970 of a local time.
fn local_timestamp(vm: &Vm, this: &This, fold: i64) -> Res<i64> {
    let (year, month, day) = this.date.fields();
    let [hour, minute, second, _] = this.clock.0.map(i64::from);
    let t = seconds_of([year, month, day, hour, minute, second]) - EPOCH;
    let a = local_seconds(vm, t)? - t;
    let u1 = t - a;
    let t1 = local_seconds(vm, u1)?;
    let b = if t1 == t {
        let u2 = if fold == 0 { u1 - MAX_FOLD } else { u1 + MAX_FOLD };
        let b = local_seconds(vm, u2)? - u2;
        if a == b {
            return Ok(u1);
        }
        b
    } else {
        t1 - u1
    };
    let u2 = t - b;
    if local_seconds(vm, u2)? == t {
        return Ok(u2);
    }
    if t1 == t {
        return Ok(u1);
    }
    // In a gap.
    Ok(if fold == 0 { u1.max(u2) } else { u1.min(u2) })
}

/// The system's zone at that time.
fn local_zone(vm: &Vm, this: &This) -> Res<Value> {
    let seconds = match offset(vm, this)? {
        Some(offset) => (this.total() - offset).div_euclid(SECOND) - EPOCH,
        None => {
            let fold = i64::from(this.fold.load(Relaxed));
            let first = local_timestamp(vm, this, fold)?;
            let second = local_timestamp(vm, this, 1 - fold)?;
            if first != second && (second > first) == (fold == 1) {
                second
            } else {
                first
            }
        }
    };
    let local = system_time(vm, seconds, false)?;
    zone::fixed(
        vm,
        i128::from(local.offset * SECOND),
        Some(Value::from(local.zone.as_str())),
    )
}

/// `a + delta`, in the class of `a`.
fn shifted(vm: &Vm, this: &This, delta: i128) -> Res<Value> {
    let total = i64::try_from(i128::from(this.total()) + delta);
    let fields = from_total(vm, total.unwrap_or(i64::MAX))?;
    make(vm, this.class(), fields, this.tzinfo.clone())
}

fn deprecated(vm: &Vm, name: &str, instead: &str) -> Res<()> {
    let message = format!(
        "datetime.datetime.{name}() is deprecated and scheduled for removal in a future version. Use timezone-aware objects to represent datetimes in UTC: datetime.datetime.{instead}."
    );
    vm.warn(exceptions::DEPRECATION_WARNING.get(), &message, 1)
}

fn state(this: &This, with_fold: bool) -> [u8; 10] {
    let [high, low] = this.date.year.to_be_bytes();
    let [hour, minute, second, micro] = this.clock.0;
    let fold = if with_fold { this.fold.load(Relaxed) << 7 } else { 0 };
    let [_, a, b, c] = micro.to_be_bytes();
    let (month, day) = (this.date.month | fold, this.date.day);
    [high, low, month, day, hour as u8, minute as u8, second as u8, a, b, c]
}

#[pymethods]
impl DateTime {
    #[slot]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        if let [state, rest @ ..] = args.values
            && rest.len() <= 1
            && !args.has_keywords()
            && let Some(bytes) = super::state_bytes(vm, state, 10)?
            && (1..=12).contains(&(bytes[2] & 0x7F))
        {
            let tzinfo = rest.first().cloned().unwrap_or(Value::NONE);
            if !tzinfo.is_none() && tzinfo.downcast::<TzInfo>().is_none() {
                return Err(vm.type_error("bad tzinfo state arg"));
            }
            let micro = i64::from(bytes[7]) << 16 | i64::from(bytes[8]) << 8 | i64::from(bytes[9]);
            let fields = Fields {
                date: (
                    i64::from(bytes[0]) << 8 | i64::from(bytes[1]),
                    (bytes[2] & 0x7F).into(),
                    bytes[3].into(),
                ),
                clock: [bytes[4].into(), bytes[5].into(), bytes[6].into(), micro],
                fold: i64::from(bytes[2] >> 7),
            };
            return Ok(Py::with_class(cls, DateTime::of(fields, tzinfo)).into_value());
        }
        static SIG: Signature = signature!(
            class "function(year, month, day, hour=0, minute=0, second=0, microsecond=0, tzinfo=None, *, fold=0)"
        );
        let [year, month, day, hour, minute, second, micro, tzinfo, fold] = SIG.bind_array::<9>(vm, args)?;
        let number = |value: Option<&Value>| int_field(vm, value, 0);
        let fields = Fields {
            date: (number(year)?, number(month)?, number(day)?),
            clock: [number(hour)?, number(minute)?, number(second)?, number(micro)?],
            fold: number(fold)?,
        };
        check_date(vm, fields.date.0, fields.date.1, fields.date.2)?;
        check_clock(vm, fields.clock, fields.fold)?;
        let tzinfo = check_tzinfo(vm, tzinfo)?;
        Ok(Py::with_class(cls, DateTime::of(fields, tzinfo)).into_value())
    }

    #[classattr]
    fn min(_: &Vm) -> Value {
        let fields = Fields {
            date: (1, 1, 1),
            clock: [0; 4],
            fold: 0,
        };
        Py::new(DateTime::of(fields, Value::NONE)).into_value()
    }

    #[classattr]
    fn max(_: &Vm) -> Value {
        let fields = Fields {
            date: (9999, 12, 31),
            clock: [23, 59, 59, 999_999],
            fold: 0,
        };
        Py::new(DateTime::of(fields, Value::NONE)).into_value()
    }

    #[classattr]
    fn resolution(vm: &Vm) -> Res<Value> {
        delta::new(vm, 1)
    }

    #[getter]
    fn hour(_: &Vm, this: &This) -> i64 {
        this.clock.0[0].into()
    }

    #[getter]
    fn minute(_: &Vm, this: &This) -> i64 {
        this.clock.0[1].into()
    }

    #[getter]
    fn second(_: &Vm, this: &This) -> i64 {
        this.clock.0[2].into()
    }

    #[getter]
    fn microsecond(_: &Vm, this: &This) -> i64 {
        this.clock.0[3].into()
    }

    #[getter]
    fn tzinfo(_: &Vm, this: &This) -> Value {
        this.tzinfo.clone()
    }

    #[getter]
    fn fold(_: &Vm, this: &This) -> i64 {
        this.fold.load(Relaxed).into()
    }

    /// Returns new datetime object representing current time local to tz.
    ///
    ///   tz
    ///     Timezone object.
    ///
    /// If no tz is specified, uses local timezone.
    #[classmethod(sig = "($type, /, tz=None)")]
    fn now(vm: &Vm, cls: &Py<Type>, tz: Option<&Value>) -> Res<Value> {
        let tzinfo = check_tzinfo(vm, tz)?;
        in_zone(vm, cls, calendar::now(), &tzinfo)
    }

    /// Return a new datetime representing UTC day and time.
    #[classmethod(sig = "($type, /)")]
    fn utcnow(vm: &Vm, cls: &Py<Type>) -> Res<Value> {
        deprecated(vm, "utcnow", "now(datetime.UTC)")?;
        from_timestamp(vm, cls, calendar::now(), true, &Value::NONE)
    }

    /// Create a datetime from a POSIX timestamp, local to tz or to the system's zone.
    #[classmethod(sig = "($type, /, timestamp, tz=None)")]
    fn fromtimestamp(vm: &Vm, cls: &Py<Type>, timestamp: &Value, tz: Option<&Value>) -> Res<Value> {
        let tzinfo = check_tzinfo(vm, tz)?;
        in_zone(vm, cls, split_timestamp(vm, timestamp, true)?, &tzinfo)
    }

    /// Create a naive UTC datetime from a POSIX timestamp.
    #[classmethod(sig = "($type, timestamp, /)")]
    fn utcfromtimestamp(vm: &Vm, cls: &Py<Type>, timestamp: &Value) -> Res<Value> {
        deprecated(vm, "utcfromtimestamp", "fromtimestamp(timestamp, datetime.UTC)")?;
        from_timestamp(vm, cls, split_timestamp(vm, timestamp, true)?, true, &Value::NONE)
    }

    /// string, format -> new datetime parsed from a string (like time.strptime()).
    #[classmethod(sig = "($type, string, format, /)")]
    fn strptime(vm: &Vm, cls: &Value, string: &Value, format: &Value) -> Res<Value> {
        super::strptime(vm, cls, string, format, intern!("_strptime_datetime_datetime"))
    }

    /// date, time -> datetime with same date and time fields
    #[classmethod(sig = "($type, /, date, time, tzinfo=unchanged)")]
    fn combine(vm: &Vm, cls: &Py<Type>, date: &Py<Date>, time: &Py<Time>, tzinfo: Option<&Value>) -> Res<Value> {
        let tzinfo = match tzinfo {
            Some(_) => check_tzinfo(vm, tzinfo)?,
            None => time.tzinfo.clone(),
        };
        let fields = Fields {
            date: date.fields(),
            clock: time.fields(),
            fold: time.fold().into(),
        };
        make(vm, cls, fields, tzinfo)
    }

    /// Construct a datetime from a string in ISO 8601 format.
    #[classmethod(sig = "($type, string, /)")]
    fn fromisoformat(vm: &Vm, cls: &Py<Type>, string: &Value) -> Res<Value> {
        let Some(text) = string.downcast::<Str>() else {
            return Err(vm.type_error("fromisoformat: argument must be str"));
        };
        if text.len() < 7 {
            return Err(invalid_iso(vm, string));
        }
        let copied: Vec<u8>;
        let bytes = match text.as_ascii() {
            Some(text) => text.as_bytes(),
            None => {
                // The separator may be any character.
                let narrow = |code| u8::try_from(code).ok().filter(u8::is_ascii).unwrap_or(0xFF);
                copied = text.view().chars().map(narrow).collect();
                &copied
            }
        };
        let parsed = iso::separator(bytes).and_then(|at| {
            let at = at.min(bytes.len());
            let date = iso::date(&bytes[..at])?;
            let time = match bytes.get(at + 1..) {
                Some(rest) => Some(iso::time(rest)?),
                None => None,
            };
            Some((date, time))
        });
        let Some(((mut year, mut month, mut day), time)) = parsed else {
            return Err(invalid_iso(vm, string));
        };
        let mut clock = [0; 4];
        let mut tzinfo = Value::NONE;
        if let Some(time) = time {
            if time.beyond {
                return Err(vm.value_error("minute, second, and microsecond must be 0 when hour is 24"));
            }
            clock = time.clock;
            if let Some(offset) = time.offset {
                tzinfo = zone::fixed(vm, offset.into(), None)?;
            }
            if time.next_day && (1..=12).contains(&month) && day <= calendar::days_in_month(year, month) {
                day += 1;
                if day > calendar::days_in_month(year, month) {
                    day = 1;
                    month += 1;
                    if month > 12 {
                        month = 1;
                        year += 1;
                    }
                }
            }
        }
        let fields = Fields {
            date: (year, month, day),
            clock,
            fold: 0,
        };
        check_date(vm, year, month, day)?;
        check_clock(vm, clock, 0)?;
        make(vm, cls, fields, tzinfo)
    }

    /// Return date object with same year, month and day.
    #[pymethod(sig = "($self, /)")]
    fn date(_: &Vm, this: &This) -> Value {
        let (year, month, day) = this.date.fields();
        Py::new(Date::of(year, month, day)).into_value()
    }

    /// Return time object with same time but with tzinfo=None.
    #[pymethod(sig = "($self, /)")]
    fn time(vm: &Vm, this: &This) -> Res<Value> {
        let fields = this.fields();
        clock::make(vm, Time::ty(), fields.clock, Value::NONE, fields.fold)
    }

    /// Return time object with same time and tzinfo.
    #[pymethod(sig = "($self, /)")]
    fn timetz(vm: &Vm, this: &This) -> Res<Value> {
        let fields = this.fields();
        clock::make(vm, Time::ty(), fields.clock, this.tzinfo.clone(), fields.fold)
    }

    /// Return ctime() style string.
    #[pymethod(sig = "($self, /)")]
    fn ctime(_: &Vm, this: &This) -> String {
        let [hour, minute, second, _] = this.clock.0.map(i64::from);
        ctime(&this.date, [hour, minute, second])
    }

    /// Return time tuple, compatible with time.localtime().
    #[pymethod(sig = "($self, /)")]
    fn timetuple(vm: &Vm, this: &This) -> Res<Value> {
        let dst = match super::zone_offset(vm, &this.tzinfo, intern!("dst"), this.as_value())? {
            None => -1,
            Some(offset) => i64::from(offset != 0),
        };
        let (year, month, day) = this.date.fields();
        let [hour, minute, second, _] = this.clock.0.map(i64::from);
        Ok(super::struct_time([year, month, day, hour, minute, second], dst))
    }

    /// Return POSIX timestamp as float.
    #[pymethod(sig = "($self, /)")]
    fn timestamp(vm: &Vm, this: &This) -> Res<Value> {
        if this.tzinfo.is_none() {
            let seconds = local_timestamp(vm, this, this.fold.load(Relaxed).into())?;
            return Ok(Value::float(seconds as f64 + f64::from(this.clock.0[3]) / 1e6));
        }
        let offset = offset(vm, this)?;
        let Some(offset) = offset else {
            return Err(vm.type_error("can't subtract offset-naive and offset-aware datetimes"));
        };
        let total = this.total() - offset - EPOCH * SECOND;
        let delta = delta::new(vm, total.into())?;
        vm.call_method(&delta, intern!("total_seconds"), &[])
    }

    /// Return UTC time tuple, compatible with time.localtime().
    #[pymethod(sig = "($self, /)")]
    fn utctimetuple(vm: &Vm, this: &This) -> Res<Value> {
        let offset = offset(vm, this)?.unwrap_or(0);
        let fields = if offset == 0 {
            this.fields()
        } else {
            from_total(vm, this.total() - offset)?
        };
        let (year, month, day) = fields.date;
        let [hour, minute, second, _] = fields.clock;
        Ok(super::struct_time([year, month, day, hour, minute, second], 0))
    }

    /// [sep] -> string in ISO 8601 format, YYYY-MM-DDT[HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].
    ///
    /// sep is used to separate the year from the time, and defaults to 'T'.
    /// The optional argument timespec specifies the number of additional terms
    /// of the time to include. Valid options are 'auto', 'hours', 'minutes',
    /// 'seconds', 'milliseconds' and 'microseconds'.
    #[pymethod(sig = "($self, /, sep='T', timespec='auto')")]
    fn isoformat(vm: &Vm, this: &This, sep: Option<Char>, timespec: Option<&Py<Str>>) -> Res<Value> {
        let (year, month, day) = this.date.fields();
        let mut out = lisle_runtime::text::StrBuilder::new();
        out.push_str(&format!("{year:04}-{month:02}-{day:02}"));
        out.push(sep.map_or(u32::from('T'), |sep| sep.0));
        out.push_str(&timespec_text(vm, this.clock.0.map(i64::from), timespec)?);
        if let Some(offset) = offset(vm, this)? {
            out.push_str(&iso::format_offset(offset, ":"));
        }
        Ok(Str::from_buf(out.finish()).into_value())
    }

    /// Return self.tzinfo.utcoffset(self).
    #[pymethod(sig = "($self, /)")]
    fn utcoffset(vm: &Vm, this: &This) -> Res<Value> {
        super::offset_value(vm, offset(vm, this)?)
    }

    /// Return self.tzinfo.tzname(self).
    #[pymethod(sig = "($self, /)")]
    fn tzname(vm: &Vm, this: &This) -> Res<Value> {
        super::zone_name(vm, &this.tzinfo, this.as_value())
    }

    /// Return self.tzinfo.dst(self).
    #[pymethod(sig = "($self, /)")]
    fn dst(vm: &Vm, this: &This) -> Res<Value> {
        let offset = super::zone_offset(vm, &this.tzinfo, intern!("dst"), this.as_value())?;
        super::offset_value(vm, offset)
    }

    /// Return datetime with new specified fields.
    #[pymethod]
    fn replace(vm: &Vm, this: &This, args: Args<'_>) -> Res<Value> {
        static SIG: Signature = signature!(
            "replace(year=0, month=0, day=0, hour=0, minute=0, second=0, microsecond=0, tzinfo=None, *, fold=0)"
        );
        let [year, month, day, hour, minute, second, micro, tzinfo, fold] = SIG.bind_array::<9>(vm, args)?;
        let old = this.fields();
        let fields = Fields {
            date: (
                int_field(vm, year, old.date.0)?,
                int_field(vm, month, old.date.1)?,
                int_field(vm, day, old.date.2)?,
            ),
            clock: [
                int_field(vm, hour, old.clock[0])?,
                int_field(vm, minute, old.clock[1])?,
                int_field(vm, second, old.clock[2])?,
                int_field(vm, micro, old.clock[3])?,
            ],
            fold: int_field(vm, fold, old.fold)?,
        };
        let tzinfo = match tzinfo {
            Some(_) => check_tzinfo(vm, tzinfo)?,
            None => this.tzinfo.clone(),
        };
        check_clock(vm, fields.clock, fields.fold)?;
        make(vm, this.class(), fields, tzinfo)
    }

    /// The same as replace().
    #[pymethod]
    fn __replace__(vm: &Vm, this: &This, args: Args<'_>) -> Res<Value> {
        DateTime::replace(vm, this, args)
    }

    /// tz -> convert to local time in new timezone tz
    #[pymethod(sig = "($self, /, tz=None)")]
    fn astimezone(vm: &Vm, this: &This, tz: Option<&Value>) -> Res<Value> {
        if let Some(tz) = tz
            && tz.downcast::<TzInfo>().is_none()
        {
            let found = tz.ty().name();
            return Err(vm.type_error(format!(
                "tzinfo argument must be None or of a tzinfo subclass, not type '{found}'"
            )));
        }
        if tz.is_some_and(|tz| tz.is(&this.tzinfo)) {
            return Ok(this.to_value());
        }
        let offset = match offset(vm, this)? {
            Some(offset) => offset,
            None => {
                // Naive times are local.
                let naive = Py::new(DateTime::of(this.fields(), Value::NONE));
                let zone = local_zone(vm, &naive)?;
                super::zone_offset(vm, &zone, intern!("utcoffset"), this.as_value())?.unwrap_or(0)
            }
        };
        let fields = from_total(vm, this.total() - offset)?;
        let tz = match tz {
            Some(tz) => tz.clone(),
            None => {
                let utc = Py::new(DateTime::of(fields, zone::utc(vm)?));
                local_zone(vm, &utc)?
            }
        };
        let utc = make(vm, this.class(), fields, tz.clone())?;
        vm.call_method(&tz, intern!("fromutc"), &[utc])
    }

    #[pymethod(sig = "($self, proto, /)")]
    fn __reduce_ex__(_: &Vm, this: &This, proto: i64) -> Py<Tuple> {
        let mut args = vec![Bytes::new_value(state(this, proto > 3))];
        if !this.tzinfo.is_none() {
            args.push(this.tzinfo.clone());
        }
        Tuple::pair(this.class().to_value(), Tuple::new(args).into_value())
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &This) -> Py<Tuple> {
        DateTime::__reduce_ex__(vm, this, 2)
    }

    #[slot]
    fn __add__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        match (a.downcast::<DateTime>(), b.downcast::<TimeDelta>()) {
            (Some(moment), Some(delta)) => shifted(vm, moment, delta.total()),
            _ => match (b.downcast::<DateTime>(), a.downcast::<TimeDelta>()) {
                (Some(moment), Some(delta)) => shifted(vm, moment, delta.total()),
                _ => Ok(Value::NOT_IMPLEMENTED),
            },
        }
    }

    #[slot]
    fn __sub__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        let Some(moment) = a.downcast::<DateTime>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        if let Some(delta) = b.downcast::<TimeDelta>() {
            return shifted(vm, moment, -delta.total());
        }
        let Some(other) = b.downcast::<DateTime>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        let difference = moment.total() - other.total();
        if moment.tzinfo.is(&other.tzinfo) {
            return delta::new(vm, difference.into());
        }
        match (offset(vm, moment)?, offset(vm, other)?) {
            (mine, theirs) if mine == theirs => delta::new(vm, difference.into()),
            (Some(mine), Some(theirs)) => delta::new(vm, (difference - mine + theirs).into()),
            _ => Err(vm.type_error("can't subtract offset-naive and offset-aware datetimes")),
        }
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &This, other: &Value, op: CmpOp) -> Res<Value> {
        let Some(second) = other.downcast::<DateTime>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        if this.tzinfo.is(&second.tzinfo) {
            return Ok(ordered(this.compared(second), op));
        }
        let (mine, theirs) = (offset(vm, this)?, offset(vm, second)?);
        let equality = matches!(op, CmpOp::Eq | CmpOp::Ne);
        if equality && (is_problematic(vm, this, mine)? || is_problematic(vm, second, theirs)?) {
            return Ok(Value::from_bool(op == CmpOp::Ne));
        }
        match (mine, theirs) {
            (mine, theirs) if mine == theirs => Ok(ordered(this.compared(second), op)),
            (Some(mine), Some(theirs)) => Ok(ordered((this.total() - mine).cmp(&(second.total() - theirs)), op)),
            _ if equality => Ok(Value::from_bool(op == CmpOp::Ne)),
            _ => Err(vm.type_error("can't compare offset-naive and offset-aware datetimes")),
        }
    }

    #[slot]
    fn __hash__(vm: &Vm, this: &This) -> Res<i64> {
        if let Some(hash) = this.hash.get() {
            return Ok(hash);
        }
        let offset = if this.fold.load(Relaxed) == 0 {
            offset(vm, this)?
        } else {
            self::offset(vm, &folded(this, 0))?
        };
        let hash = match offset {
            None => vm.hash(&Bytes::new_value(state(this, false)))?,
            Some(offset) => vm.hash(&delta::new(vm, (this.total() - offset).into())?)?,
        };
        Ok(this.hash.keep(hash))
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &This) -> Res<String> {
        let (year, month, day) = this.date.fields();
        let [hour, minute, second, micro] = this.clock.0;
        let mut out = format!(
            "{}({year}, {month}, {day}, {hour}, {minute}",
            qualified(this.as_value())
        );
        if micro != 0 {
            out.push_str(&format!(", {second}, {micro}"));
        } else if second != 0 {
            out.push_str(&format!(", {second}"));
        }
        if this.fold.load(Relaxed) != 0 {
            out.push_str(", fold=1");
        }
        if !this.tzinfo.is_none() {
            out.push_str(&format!(", tzinfo={}", vm.repr(&this.tzinfo)?.to_string_lossy()));
        }
        out.push(')');
        Ok(out)
    }

    #[slot]
    fn __str__(vm: &Vm, this: &This) -> Res<Value> {
        if this.class().is(DateTime::ty()) {
            return DateTime::isoformat(vm, this, Some(Char(u32::from(' '))), None);
        }
        vm.call_method(this.as_value(), intern!("isoformat"), &[Value::from(" ")])
    }
}
