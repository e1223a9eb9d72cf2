//! `time`: a time of day.
//! Invariant: the fields are in range; the zone is `None` or a `tzinfo`.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use lisle_runtime::intern;
use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::tuple::Tuple;

use super::delta;
use super::format::{Shown, strftime};
use super::iso::{self, Clock};
use super::zone::{self, TzInfo};
use super::{Hash, check_clock, check_tzinfo, int_field, ordered, qualified};

#[pyclass(
    name = "time",
    late_end,
    module = "datetime",
    basetype,
    doc = "time([hour[, minute[, second[, microsecond[, tzinfo]]]]]) --> a time object\n\nAll arguments are optional. tzinfo may be None, or an instance of\na tzinfo subclass. The remaining arguments may be ints."
)]
pub struct Time {
    pub clock: Opaque<[u32; 4]>,
    pub tzinfo: Value,
    pub fold: AtomicU8,
    hash: Hash,
}

impl Time {
    pub fn of(clock: Clock, tzinfo: Value, fold: i64) -> Time {
        Time {
            clock: Opaque(clock.map(|n| n as u32)),
            tzinfo,
            fold: AtomicU8::new(fold as u8),
            hash: Hash::default(),
        }
    }

    pub fn fields(&self) -> Clock {
        self.clock.0.map(i64::from)
    }

    pub fn fold(&self) -> u8 {
        self.fold.load(Relaxed)
    }

    /// Microseconds since midnight.
    fn total(&self) -> i64 {
        let [hour, minute, second, micro] = self.fields();
        ((hour * 60 + minute) * 60 + second) * 1_000_000 + micro
    }
}

/// A time of a class, which for subclasses is called.
pub fn make(vm: &Vm, cls: &Py<Type>, clock: Clock, tzinfo: Value, fold: i64) -> Res<Value> {
    if cls.is(Time::ty()) {
        check_clock(vm, clock, fold)?;
        return Ok(Py::new(Time::of(clock, tzinfo, fold)).into_value());
    }
    let mut args = clock.map(Value::int).to_vec();
    args.push(tzinfo);
    let made = vm.call(cls.as_value(), &args)?;
    if fold != 0
        && let Some(time) = made.downcast::<Time>()
    {
        time.fold.store(fold as u8, Relaxed);
    }
    Ok(made)
}

type This = Py<Time>;

fn offset(vm: &Vm, this: &This) -> Res<Option<i64>> {
    super::zone_offset(vm, &this.tzinfo, intern!("utcoffset"), &Value::NONE)
}

/// The argument `timespec`, checked.
pub fn timespec_text(vm: &Vm, clock: Clock, timespec: Option<&Py<Str>>) -> Res<String> {
    let timespec = timespec.map_or_else(|| "auto".to_owned(), |text| text.to_string_lossy());
    iso::format_time(clock, &timespec).ok_or_else(|| vm.value_error("Unknown timespec value"))
}

#[pymethods]
impl Time {
    #[slot]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        if let [state, rest @ ..] = args.values
            && rest.len() <= 1
            && !args.has_keywords()
            && let Some(bytes) = super::state_bytes(vm, state, 6)?
            && bytes[0] & 0x7F < 24
        {
            let tzinfo = rest.first().cloned().unwrap_or(Value::NONE);
            if !tzinfo.is_none() && tzinfo.downcast::<TzInfo>().is_none() {
                return Err(vm.type_error("bad tzinfo state arg"));
            }
            let micro = i64::from(bytes[3]) << 16 | i64::from(bytes[4]) << 8 | i64::from(bytes[5]);
            let clock = [(bytes[0] & 0x7F).into(), bytes[1].into(), bytes[2].into(), micro];
            let fold = i64::from(bytes[0] >> 7);
            return Ok(Py::with_class(cls, Time::of(clock, tzinfo, fold)).into_value());
        }
        static SIG: Signature =
            signature!(class "function(hour=0, minute=0, second=0, microsecond=0, tzinfo=None, *, fold=0)");
        let [hour, minute, second, micro, tzinfo, fold] = SIG.bind_array::<6>(vm, args)?;
        let number = |value: Option<&Value>| int_field(vm, value, 0);
        let clock = [number(hour)?, number(minute)?, number(second)?, number(micro)?];
        let fold = number(fold)?;
        check_clock(vm, clock, fold)?;
        let tzinfo = check_tzinfo(vm, tzinfo)?;
        Ok(Py::with_class(cls, Time::of(clock, tzinfo, fold)).into_value())
    }

    #[classattr]
    fn min(_: &Vm) -> Value {
        Py::new(Time::of([0; 4], Value::NONE, 0)).into_value()
    }

    #[classattr]
    fn max(_: &Vm) -> Value {
        Py::new(Time::of([23, 59, 59, 999_999], Value::NONE, 0)).into_value()
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

    #[getter(name = "fold")]
    fn get_fold(_: &Vm, this: &This) -> i64 {
        this.fold().into()
    }

    /// Construct a time from a string in ISO 8601 format.
    #[classmethod(sig = "($type, string, /)")]
    fn fromisoformat(vm: &Vm, cls: &Py<Type>, string: &Value) -> Res<Value> {
        let Some(text) = string.downcast::<Str>() else {
            return Err(vm.type_error("fromisoformat: argument must be str"));
        };
        let ascii = text.as_ascii().map(|text| text.strip_prefix('T').unwrap_or(text));
        let Some(parsed) = ascii.and_then(|text| iso::time(text.as_bytes())) else {
            return Err(super::date::invalid_iso(vm, string));
        };
        if parsed.beyond {
            return Err(vm.value_error("minute, second, and microsecond must be 0 when hour is 24"));
        }
        let tzinfo = match parsed.offset {
            Some(offset) => zone::fixed(vm, offset.into(), None)?,
            None => Value::NONE,
        };
        check_clock(vm, parsed.clock, 0)?;
        make(vm, cls, parsed.clock, tzinfo, 0)
    }

    /// string, format -> new time parsed from a string (like time.strptime()).
    #[classmethod(sig = "($type, string, format, /)")]
    fn strptime(vm: &Vm, cls: &Value, string: &Value, format: &Value) -> Res<Value> {
        super::strptime(vm, cls, string, format, intern!("_strptime_datetime_time"))
    }

    /// Return the time formatted according to ISO.
    ///
    /// The full format is 'HH:MM:SS.mmmmmm+zz:zz'. By default, the fractional
    /// part is omitted if self.microsecond == 0.
    #[pymethod(sig = "($self, /, timespec='auto')")]
    fn isoformat(vm: &Vm, this: &This, timespec: Option<&Py<Str>>) -> Res<String> {
        let mut out = timespec_text(vm, this.fields(), timespec)?;
        if let Some(offset) = offset(vm, this)? {
            out.push_str(&iso::format_offset(offset, ":"));
        }
        Ok(out)
    }

    /// Format using strftime().
    ///
    /// The date part of the timestamp passed to underlying strftime should not be used.
    #[pymethod(sig = "($self, /, format)")]
    fn strftime(vm: &Vm, this: &This, format: &Py<Str>) -> Res<Value> {
        let [hour, minute, second, _] = this.fields();
        let tuple = Tuple::new([1900, 1, 1, hour, minute, second, 0, 1, -1].map(Value::int).to_vec());
        let shown = Shown {
            micro: this.clock.0[3],
            tzinfo: this.tzinfo.clone(),
            argument: Value::NONE,
            date: (1900, 1, 1),
        };
        strftime(vm, &shown, format, tuple.as_value())
    }

    /// Formats self with strftime.
    #[pymethod(sig = "($self, format, /)")]
    fn __format__(vm: &Vm, this: &Value, format: &Value) -> Res<Value> {
        super::format::format(vm, this, format)
    }

    /// Return self.tzinfo.utcoffset(self).
    #[pymethod(sig = "($self, /)")]
    fn utcoffset(vm: &Vm, this: &This) -> Res<Value> {
        super::offset_value(vm, offset(vm, this)?)
    }

    /// Return self.tzinfo.tzname(self).
    #[pymethod(sig = "($self, /)")]
    fn tzname(vm: &Vm, this: &This) -> Res<Value> {
        super::zone_name(vm, &this.tzinfo, &Value::NONE)
    }

    /// Return self.tzinfo.dst(self).
    #[pymethod(sig = "($self, /)")]
    fn dst(vm: &Vm, this: &This) -> Res<Value> {
        let offset = super::zone_offset(vm, &this.tzinfo, intern!("dst"), &Value::NONE)?;
        super::offset_value(vm, offset)
    }

    /// Return time with new specified fields.
    #[pymethod(
        sig = "($self, /, hour=unchanged, minute=unchanged, second=unchanged, microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)"
    )]
    fn replace(
        vm: &Vm,
        this: &This,
        hour: Option<&Value>,
        minute: Option<&Value>,
        second: Option<&Value>,
        microsecond: Option<&Value>,
        tzinfo: Option<&Value>,
        fold: Option<&Value>,
    ) -> Res<Value> {
        let [h, m, s, us] = this.fields();
        let clock = [
            int_field(vm, hour, h)?,
            int_field(vm, minute, m)?,
            int_field(vm, second, s)?,
            int_field(vm, microsecond, us)?,
        ];
        let fold = int_field(vm, fold, this.fold().into())?;
        let tzinfo = match tzinfo {
            Some(_) => check_tzinfo(vm, tzinfo)?,
            None => this.tzinfo.clone(),
        };
        check_clock(vm, clock, fold)?;
        make(vm, this.class(), clock, tzinfo, fold)
    }

    /// The same as replace().
    #[pymethod(
        sig = "($self, /, hour=unchanged, minute=unchanged, second=unchanged, microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)"
    )]
    fn __replace__(
        vm: &Vm,
        this: &This,
        hour: Option<&Value>,
        minute: Option<&Value>,
        second: Option<&Value>,
        microsecond: Option<&Value>,
        tzinfo: Option<&Value>,
        fold: Option<&Value>,
    ) -> Res<Value> {
        Time::replace(vm, this, hour, minute, second, microsecond, tzinfo, fold)
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
        Time::__reduce_ex__(vm, this, 2)
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &This, other: &Value, op: CmpOp) -> Res<Value> {
        let Some(second) = other.downcast::<Time>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        if this.tzinfo.is(&second.tzinfo) {
            return Ok(ordered(this.fields().cmp(&second.fields()), op));
        }
        let (mine, theirs) = (offset(vm, this)?, offset(vm, second)?);
        if mine == theirs {
            return Ok(ordered(this.fields().cmp(&second.fields()), op));
        }
        match (mine, theirs) {
            (Some(mine), Some(theirs)) => Ok(ordered((this.total() - mine).cmp(&(second.total() - theirs)), op)),
            _ if op == CmpOp::Eq => Ok(Value::FALSE),
            _ if op == CmpOp::Ne => Ok(Value::TRUE),
            _ => Err(vm.type_error("can't compare offset-naive and offset-aware times")),
        }
    }

    #[slot]
    fn __hash__(vm: &Vm, this: &This) -> Res<i64> {
        if let Some(hash) = this.hash.get() {
            return Ok(hash);
        }
        let offset = if this.fold() == 0 {
            offset(vm, this)?
        } else {
            // As of the same time without `fold`.
            let plain = make(vm, Time::ty(), this.fields(), this.tzinfo.clone(), 0)?;
            match plain.downcast::<Time>() {
                Some(plain) => self::offset(vm, plain)?,
                None => None,
            }
        };
        let hash = match offset {
            None => vm.hash(&Bytes::new_value(state(this, false)))?,
            Some(offset) => vm.hash(&delta::new(vm, (this.total() - offset).into())?)?,
        };
        Ok(this.hash.keep(hash))
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &This) -> Res<String> {
        let [hour, minute, second, micro] = this.clock.0;
        let mut out = format!("{}({hour}, {minute}", qualified(this.as_value()));
        if micro != 0 {
            out.push_str(&format!(", {second}, {micro}"));
        } else if second != 0 {
            out.push_str(&format!(", {second}"));
        }
        if !this.tzinfo.is_none() {
            out.push_str(&format!(", tzinfo={}", vm.repr(&this.tzinfo)?.to_string_lossy()));
        }
        if this.fold() != 0 {
            out.push_str(", fold=1");
        }
        out.push(')');
        Ok(out)
    }

    #[slot]
    fn __str__(vm: &Vm, this: &This) -> Res<Value> {
        vm.call_method(this.as_value(), intern!("isoformat"), &[])
    }
}

fn state(this: &This, with_fold: bool) -> [u8; 6] {
    let [hour, minute, second, micro] = this.clock.0;
    let fold = if with_fold { this.fold() << 7 } else { 0 };
    let [_, a, b, c] = micro.to_be_bytes();
    [hour as u8 | fold, minute as u8, second as u8, a, b, c]
}
