//! `date`, and what `isocalendar` returns.
//! Invariant: a date exists in the calendar.

use lisle_runtime::intern;
use lisle_runtime::native::*;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::tuple::Tuple;

use super::calendar;
use super::delta::{self, DAY, TimeDelta};
use super::format::{Shown, strftime};
use super::full::DateTime;
use super::{check_date, int_field, iso, ordered, qualified};

#[pyclass(
    name = "date",
    late_end,
    module = "datetime",
    basetype,
    gc = false,
    doc = "date(year, month, day) --> date object"
)]
pub struct Date {
    pub year: u16,
    pub month: u8,
    pub day: u8,
}

impl Date {
    pub fn of(year: i64, month: i64, day: i64) -> Date {
        Date {
            year: year as u16,
            month: month as u8,
            day: day as u8,
        }
    }

    pub fn fields(&self) -> (i64, i64, i64) {
        (self.year.into(), self.month.into(), self.day.into())
    }

    pub fn ordinal(&self) -> i64 {
        let (year, month, day) = self.fields();
        calendar::ordinal(year, month, day)
    }
}

/// A date of a class, which for subclasses is called.
pub fn make(vm: &Vm, cls: &Py<Type>, (year, month, day): (i64, i64, i64)) -> Res<Value> {
    if cls.is(Date::ty()) {
        check_date(vm, year, month, day)?;
        return Ok(Py::new(Date::of(year, month, day)).into_value());
    }
    vm.call(cls.as_value(), &[year, month, day].map(Value::int))
}

fn of_ordinal(vm: &Vm, cls: &Py<Type>, ordinal: i64) -> Res<Value> {
    make(vm, cls, calendar::from_ordinal(ordinal))
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 13] = [
    "", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

pub fn ctime(date: &Date, [hour, minute, second]: [i64; 3]) -> String {
    let weekday = DAYS[calendar::weekday(date.ordinal()).clamp(0, 6) as usize];
    let month = MONTHS[usize::from(date.month.min(12))];
    format!(
        "{weekday} {month} {:2} {hour:02}:{minute:02}:{second:02} {:04}",
        date.day, date.year
    )
}

/// "Invalid isoformat string"
pub fn invalid_iso(vm: &Vm, text: &Value) -> Exc {
    match vm.repr(text) {
        Ok(shown) => vm.value_error(format!("Invalid isoformat string: {}", shown.to_string_lossy())),
        Err(exc) => exc,
    }
}

/// Adds days to a date.
fn shifted(vm: &Vm, date: &Py<Date>, days: i64) -> Res<Value> {
    let ordinal = date.ordinal() + days;
    if !(1..=calendar::MAX_ORDINAL).contains(&ordinal) {
        return Err(vm.overflow_error("date value out of range"));
    }
    of_ordinal(vm, date.class(), ordinal)
}

type This = Py<Date>;

fn is_moment(value: &Value) -> bool {
    value.downcast::<DateTime>().is_some()
}

#[pymethods]
impl Date {
    #[slot]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        if let [state] = args.values
            && let Some(bytes) = super::state_bytes(vm, state, 4)?
            && (1..=12).contains(&bytes[2])
        {
            let date = Date::of(
                i64::from(bytes[0]) << 8 | i64::from(bytes[1]),
                bytes[2].into(),
                bytes[3].into(),
            );
            return Ok(Py::with_class(cls, date).into_value());
        }
        static SIG: Signature = signature!(class "function(year, month, day)");
        let [year, month, day] = SIG.bind_array::<3>(vm, args)?;
        let (year, month, day) = (
            int_field(vm, year, 0)?,
            int_field(vm, month, 0)?,
            int_field(vm, day, 0)?,
        );
        check_date(vm, year, month, day)?;
        Ok(Py::with_class(cls, Date::of(year, month, day)).into_value())
    }

    #[classattr]
    fn min(vm: &Vm) -> Res<Value> {
        make(vm, Date::ty(), (1, 1, 1))
    }

    #[classattr]
    fn max(vm: &Vm) -> Res<Value> {
        make(vm, Date::ty(), (9999, 12, 31))
    }

    #[classattr]
    fn resolution(vm: &Vm) -> Res<Value> {
        delta::new(vm, DAY)
    }

    #[getter]
    fn year(_: &Vm, this: &This) -> i64 {
        this.year.into()
    }

    #[getter]
    fn month(_: &Vm, this: &This) -> i64 {
        this.month.into()
    }

    #[getter]
    fn day(_: &Vm, this: &This) -> i64 {
        this.day.into()
    }

    /// Create a date from a POSIX timestamp.
    ///
    /// The timestamp is a number, e.g. created via time.time(), that is interpreted
    /// as local time.
    #[classmethod(sig = "($type, timestamp, /)")]
    fn fromtimestamp(vm: &Vm, cls: &Py<Type>, timestamp: &Value) -> Res<Value> {
        let (seconds, _) = super::full::split_timestamp(vm, timestamp, false)?;
        let local = super::full::system_time(vm, seconds, false)?;
        make(vm, cls, (local.fields[0], local.fields[1], local.fields[2]))
    }

    /// Current date or datetime:  same as self.__class__.fromtimestamp(time.time()).
    #[classmethod(sig = "($type, /)")]
    fn today(vm: &Vm, cls: &Value) -> Res<Value> {
        if cls.is(Date::ty().as_value()) {
            let (seconds, _) = calendar::now();
            let [year, month, day, ..] = super::full::system_time(vm, seconds, false)?.fields;
            return make(vm, Date::ty(), (year, month, day));
        }
        let time = vm.import_module("time")?;
        let now = vm.call_method(&time, intern!("time"), &[])?;
        vm.call_method(cls, intern!("fromtimestamp"), &[now])
    }

    /// int -> date corresponding to a proleptic Gregorian ordinal.
    #[classmethod(sig = "($type, ordinal, /)")]
    fn fromordinal(vm: &Vm, cls: &Py<Type>, ordinal: &Value) -> Res<Value> {
        let ordinal = int_field(vm, Some(ordinal), 0)?;
        if ordinal < 1 {
            return Err(vm.value_error("ordinal must be >= 1"));
        }
        if ordinal > calendar::MAX_ORDINAL {
            let (year, ..) = calendar::from_ordinal(ordinal);
            return Err(vm.value_error(format!("year must be in 1..9999, not {year}")));
        }
        of_ordinal(vm, cls, ordinal)
    }

    /// Construct a date from a string in ISO 8601 format.
    #[classmethod(sig = "($type, string, /)")]
    fn fromisoformat(vm: &Vm, cls: &Py<Type>, string: &Value) -> Res<Value> {
        let Some(text) = string.downcast::<Str>() else {
            return Err(vm.type_error("fromisoformat: argument must be str"));
        };
        let parsed = text.as_ascii().and_then(|text| iso::date(text.as_bytes()));
        match parsed {
            Some((year, month, day)) => {
                check_date(vm, year, month, day)?;
                make(vm, cls, (year, month, day))
            }
            None => Err(invalid_iso(vm, string)),
        }
    }

    /// Construct a date from the ISO year, week number and weekday.
    ///
    /// This is the inverse of the date.isocalendar() function
    #[classmethod(sig = "($type, /, year, week, day)")]
    fn fromisocalendar(vm: &Vm, cls: &Py<Type>, year: &Value, week: &Value, day: &Value) -> Res<Value> {
        let number = |value: &Value| -> Res<i64> {
            int_field(vm, Some(value), 0).map_err(|exc| {
                let overflow = exc.is(&lisle_runtime::types::exceptions::OVERFLOW_ERROR);
                if overflow {
                    vm.value_error("ISO calendar component out of range")
                } else {
                    exc
                }
            })
        };
        let ordinal = calendar::from_iso(number(year)?, number(week)?, number(day)?)
            .map_err(|message| vm.value_error(message))?;
        of_ordinal(vm, cls, ordinal)
    }

    /// string, format -> new date parsed from a string (like time.strptime()).
    #[classmethod(sig = "($type, string, format, /)")]
    fn strptime(vm: &Vm, cls: &Value, string: &Value, format: &Value) -> Res<Value> {
        super::strptime(vm, cls, string, format, intern!("_strptime_datetime_date"))
    }

    /// Return ctime() style string.
    #[pymethod(sig = "($self, /)")]
    fn ctime(_: &Vm, this: &This) -> String {
        ctime(this, [0; 3])
    }

    /// Format using strftime().
    #[pymethod(sig = "($self, /, format)")]
    fn strftime(vm: &Vm, this: &This, format: &Py<Str>) -> Res<Value> {
        let tuple = vm.call_method(this.as_value(), intern!("timetuple"), &[])?;
        let moment = this.as_value().downcast::<DateTime>();
        let shown = Shown {
            micro: moment.map_or(0, |moment| moment.clock.0[3]),
            tzinfo: moment.map_or(Value::NONE, |moment| moment.tzinfo.clone()),
            argument: this.to_value(),
            date: this.fields(),
        };
        strftime(vm, &shown, format, &tuple)
    }

    /// Formats self with strftime.
    #[pymethod(sig = "($self, format, /)")]
    fn __format__(vm: &Vm, this: &Value, format: &Value) -> Res<Value> {
        super::format::format(vm, this, format)
    }

    /// Return string in ISO 8601 format, YYYY-MM-DD.
    #[pymethod(sig = "($self, /)")]
    fn isoformat(_: &Vm, this: &This) -> String {
        format!("{:04}-{:02}-{:02}", this.year, this.month, this.day)
    }

    /// Return the day of the week represented by the date.
    ///
    /// Monday == 1 ... Sunday == 7
    #[pymethod(sig = "($self, /)")]
    fn isoweekday(_: &Vm, this: &This) -> i64 {
        calendar::weekday(this.ordinal()) + 1
    }

    /// Return the day of the week represented by the date.
    ///
    /// Monday == 0 ... Sunday == 6
    #[pymethod(sig = "($self, /)")]
    fn weekday(_: &Vm, this: &This) -> i64 {
        calendar::weekday(this.ordinal())
    }

    /// Return proleptic Gregorian ordinal.  January 1 of year 1 is day 1.
    #[pymethod(sig = "($self, /)")]
    fn toordinal(_: &Vm, this: &This) -> i64 {
        this.ordinal()
    }

    /// Return a named tuple containing ISO year, week number, and weekday.
    #[pymethod(sig = "($self, /)")]
    fn isocalendar(_: &Vm, this: &This) -> Res<Value> {
        let (year, week, day) = calendar::iso(this.ordinal());
        Ok(IsoCalendarDate::make([year, week, day]))
    }

    /// Return time tuple, compatible with time.localtime().
    #[pymethod(sig = "($self, /)")]
    fn timetuple(_: &Vm, this: &This) -> Res<Value> {
        let (year, month, day) = this.fields();
        Ok(super::struct_time([year, month, day, 0, 0, 0], -1))
    }

    /// Return date with new specified fields.
    #[pymethod(sig = "($self, /, year=unchanged, month=unchanged, day=unchanged)")]
    fn replace(vm: &Vm, this: &This, year: Option<&Value>, month: Option<&Value>, day: Option<&Value>) -> Res<Value> {
        let (y, m, d) = this.fields();
        let fields = (
            int_field(vm, year, y)?,
            int_field(vm, month, m)?,
            int_field(vm, day, d)?,
        );
        make(vm, this.class(), fields)
    }

    /// The same as replace().
    #[pymethod(sig = "($self, /, year=unchanged, month=unchanged, day=unchanged)")]
    fn __replace__(
        vm: &Vm,
        this: &This,
        year: Option<&Value>,
        month: Option<&Value>,
        day: Option<&Value>,
    ) -> Res<Value> {
        Date::replace(vm, this, year, month, day)
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_: &Vm, this: &This) -> Py<Tuple> {
        let [high, low] = this.year.to_be_bytes();
        let state = Bytes::new_value([high, low, this.month, this.day]);
        Tuple::pair(this.class().to_value(), Tuple::new(vec![state]).into_value())
    }

    #[slot]
    fn __add__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        if is_moment(a) || is_moment(b) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let (date, delta) = match (a.downcast::<Date>(), b.downcast::<TimeDelta>()) {
            (Some(date), Some(delta)) => (date, delta),
            _ => match (b.downcast::<Date>(), a.downcast::<TimeDelta>()) {
                (Some(date), Some(delta)) => (date, delta),
                _ => return Ok(Value::NOT_IMPLEMENTED),
            },
        };
        shifted(vm, date, delta.days.into())
    }

    #[slot]
    fn __sub__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        if is_moment(a) || is_moment(b) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let Some(date) = a.downcast::<Date>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        if let Some(other) = b.downcast::<Date>() {
            return delta::new(vm, i128::from(date.ordinal() - other.ordinal()) * DAY);
        }
        match b.downcast::<TimeDelta>() {
            Some(delta) => shifted(vm, date, -i64::from(delta.days)),
            None => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    #[slot]
    fn __richcompare__(_: &Vm, this: &This, other: &Value, op: CmpOp) -> Res<Value> {
        match other.downcast::<Date>() {
            Some(other) if !is_moment(other.as_value()) => Ok(ordered(this.fields().cmp(&other.fields()), op)),
            _ => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    #[slot]
    fn __hash__(vm: &Vm, this: &This) -> Res<i64> {
        let [high, low] = this.year.to_be_bytes();
        vm.hash(&Bytes::new_value([high, low, this.month, this.day]))
    }

    #[slot]
    fn __repr__(_: &Vm, this: &This) -> Res<String> {
        let class = qualified(this.as_value());
        Ok(format!("{class}({}, {}, {})", this.year, this.month, this.day))
    }

    #[slot]
    fn __str__(vm: &Vm, this: &This) -> Res<Value> {
        vm.call_method(this.as_value(), intern!("isoformat"), &[])
    }
}

/// What `isocalendar` returns.
#[pyclass(
    name = "IsoCalendarDate",
    module = "datetime",
    base = Tuple,
    doc = "The result of date.isocalendar() or datetime.isocalendar()\n\nThis object may be accessed either as a tuple of\n  ((year, week, weekday))\nor via the object attributes as named in the above tuple."
)]
#[repr(C)]
pub struct IsoCalendarDate {
    items: Tuple,
}

impl IsoCalendarDate {
    fn make(fields: [i64; 3]) -> Value {
        let items = Tuple::payload(fields.map(Value::int).to_vec());
        Py::with_class(IsoCalendarDate::ty(), IsoCalendarDate { items }).into_value()
    }

    fn item(&self, at: usize) -> Value {
        self.items.get(at).cloned().unwrap_or(Value::NONE)
    }
}

#[pymethods]
impl IsoCalendarDate {
    #[slot(sig = "(year, week, weekday)")]
    fn __new__(_: &Vm, _: &Py<Type>, year: i32, week: i32, weekday: i32) -> Res<Value> {
        Ok(IsoCalendarDate::make([year, week, weekday].map(i64::from)))
    }

    #[getter]
    fn year(_: &Vm, this: &Py<IsoCalendarDate>) -> Value {
        this.item(0)
    }

    #[getter]
    fn week(_: &Vm, this: &Py<IsoCalendarDate>) -> Value {
        this.item(1)
    }

    #[getter]
    fn weekday(_: &Vm, this: &Py<IsoCalendarDate>) -> Value {
        this.item(2)
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<IsoCalendarDate>) -> Res<String> {
        let [year, week, weekday] = [this.item(0), this.item(1), this.item(2)];
        let text = |value| vm.str(&value).map(|text| text.to_string_lossy());
        let (year, week, weekday) = (text(year)?, text(week)?, text(weekday)?);
        let class = qualified(this.as_value());
        Ok(format!("{class}(year={year}, week={week}, weekday={weekday})"))
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_: &Vm, this: &Py<IsoCalendarDate>) -> Py<Tuple> {
        let items = Tuple::from_slice_clone(&this.items).into_value();
        Tuple::pair(Tuple::ty().to_value(), Tuple::new(vec![items]).into_value())
    }
}
