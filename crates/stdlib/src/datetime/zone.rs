//! `tzinfo` and `timezone`.
//! Invariant: a `timezone` has one offset, of less than a day; that of UTC without a name is one object.

use std::sync::OnceLock;

use lisle_runtime::intern;
use lisle_runtime::native::*;
use lisle_runtime::types::tuple::Tuple;

use super::delta::{self, DAY, TimeDelta};
use super::full::DateTime;
use super::{iso, qualified};

#[pyclass(
    name = "tzinfo",
    module = "datetime",
    basetype,
    gc = false,
    doc = "Abstract base class for time zone info objects."
)]
pub struct TzInfo {}

fn must_override(vm: &Vm, name: &str) -> Exc {
    vm.not_implemented_error(format!("a tzinfo subclass must implement {name}()"))
}

#[pymethods]
impl TzInfo {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(cls, TzInfo {}).into_value())
    }

    /// datetime -> string name of time zone.
    #[pymethod(sig = "($self, dt, /)")]
    fn tzname(vm: &Vm, _: &Value, _dt: &Value) -> Res<Value> {
        Err(must_override(vm, "tzname"))
    }

    /// datetime -> timedelta showing offset from UTC, negative values indicating West of UTC
    #[pymethod(sig = "($self, dt, /)")]
    fn utcoffset(vm: &Vm, _: &Value, _dt: &Value) -> Res<Value> {
        Err(must_override(vm, "utcoffset"))
    }

    /// datetime -> DST offset as timedelta positive east of UTC.
    #[pymethod(sig = "($self, dt, /)")]
    fn dst(vm: &Vm, _: &Value, _dt: &Value) -> Res<Value> {
        Err(must_override(vm, "dst"))
    }

    /// datetime in UTC -> datetime in local time.
    #[pymethod(sig = "($self, dt, /)")]
    fn fromutc(vm: &Vm, this: &Value, dt: &Value) -> Res<Value> {
        let Some(moment) = dt.downcast::<DateTime>() else {
            return Err(vm.type_error("fromutc: argument must be a datetime"));
        };
        if !moment.tzinfo.is(this) {
            return Err(vm.value_error("fromutc: dt.tzinfo is not self"));
        }
        let call = |object: &Value, name: &'static Py<Str>| vm.call_method(object, name, &[]);
        let offset = call(dt, intern!("utcoffset"))?;
        if offset.is_none() {
            return Err(vm.value_error("fromutc: non-None utcoffset() result required"));
        }
        let mut dst = call(dt, intern!("dst"))?;
        if dst.is_none() {
            return Err(vm.value_error("fromutc: non-None dst() result required"));
        }
        use lisle_bytecode::opcode::BinOp;
        let delta = vm.binary(BinOp::Sub, &offset, &dst)?;
        let mut result = dt.clone();
        if vm.truth(&delta)? {
            result = vm.binary(BinOp::Add, &result, &delta)?;
            dst = call(&result, intern!("dst"))?;
            if dst.is_none() {
                return Err(vm.value_error("fromutc: tz.dst() gave inconsistent results; cannot convert"));
            }
        }
        vm.binary(BinOp::Add, &result, &dst)
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Value) -> Res<Value> {
        let args = match vm.getattr_opt(this, intern!("__getinitargs__"))? {
            Some(method) => vm.call(&method, &[])?,
            None => Tuple::empty().into_value(),
        };
        let state = vm.call_method(this, intern!("__getstate__"), &[])?;
        let class = vm.getattr(this, intern!("__class__"))?;
        Ok(Tuple::new(vec![class, args, state]).into_value())
    }
}

#[pyclass(
    name = "timezone",
    late_end,
    module = "datetime",
    base = TzInfo,
    doc = "Fixed offset from UTC implementation of tzinfo."
)]
pub struct TimeZone {
    base: TzInfo,
    offset: Value,
    name: Option<Value>,
}

impl TimeZone {
    /// Microseconds east of UTC.
    pub fn total(&self) -> i128 {
        self.offset.downcast::<TimeDelta>().map_or(0, |delta| delta.total())
    }
}

/// `timezone.utc`
pub fn utc(vm: &Vm) -> Res<Value> {
    static UTC: OnceLock<Value> = OnceLock::new();
    if let Some(utc) = UTC.get() {
        return Ok(utc.clone());
    }
    let zone = TimeZone {
        base: TzInfo {},
        offset: delta::new(vm, 0)?,
        name: None,
    };
    let zone = Py::new(zone).into_value();
    Ok(UTC.get_or_init(|| zone).clone())
}

/// A zone of that offset in microseconds.
pub fn fixed(vm: &Vm, total: i128, name: Option<Value>) -> Res<Value> {
    if total == 0 && name.is_none() {
        return utc(vm);
    }
    let offset = delta::new(vm, total)?;
    make(vm, TimeZone::ty(), offset, name)
}

fn make(vm: &Vm, cls: &Py<Type>, offset: Value, name: Option<Value>) -> Res<Value> {
    let total = offset.downcast::<TimeDelta>().map_or(0, |delta| delta.total());
    if total.abs() >= DAY {
        let shown = vm.repr(&offset)?.to_string_lossy();
        return Err(vm.value_error(format!(
            "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24), not {shown}"
        )));
    }
    if total == 0 && name.is_none() && cls.is(TimeZone::ty()) {
        return utc(vm);
    }
    Ok(Py::with_class(
        cls,
        TimeZone {
            base: TzInfo {},
            offset,
            name,
        },
    )
    .into_value())
}

fn name_of(total: i128) -> String {
    if total == 0 {
        return "UTC".to_owned();
    }
    format!("UTC{}", iso::format_offset(total as i64, ":"))
}

/// Refuses arguments that are neither a datetime nor `None`.
fn check_moment(vm: &Vm, dt: &Value, method: &str) -> Res<()> {
    if dt.is_none() || dt.downcast::<DateTime>().is_some() {
        return Ok(());
    }
    let found = dt.ty().name();
    Err(vm.type_error(format!(
        "{method}(dt) argument must be a datetime instance or None, not {found}"
    )))
}

type This = Py<TimeZone>;

#[pymethods]
impl TimeZone {
    #[slot(sig = "(offset, name=<unrepresentable>)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, offset: &Value, name: Option<&Value>) -> Res<Value> {
        if offset.downcast::<TimeDelta>().is_none() {
            let found = offset.ty().name();
            return Err(vm.type_error(format!("timezone() argument 1 must be datetime.timedelta, not {found}")));
        }
        if let Some(name) = name
            && name.downcast::<Str>().is_none()
        {
            let found = if name.is_none() {
                "None".to_owned()
            } else {
                name.ty().name()
            };
            return Err(vm.type_error(format!("timezone() argument 2 must be str, not {found}")));
        }
        make(vm, cls, offset.clone(), name.cloned())
    }

    #[classattr(name = "utc")]
    fn class_utc(vm: &Vm) -> Res<Value> {
        utc(vm)
    }

    #[classattr]
    fn min(vm: &Vm) -> Res<Value> {
        fixed(vm, -(23 * 60 + 59) * 60 * delta::SECOND, None)
    }

    #[classattr]
    fn max(vm: &Vm) -> Res<Value> {
        fixed(vm, (23 * 60 + 59) * 60 * delta::SECOND, None)
    }

    /// If name is specified when timezone is created, returns the name.  Otherwise returns offset as 'UTC(+|-)HH:MM'.
    #[pymethod(sig = "($self, dt, /)")]
    fn tzname(vm: &Vm, this: &This, dt: &Value) -> Res<Value> {
        check_moment(vm, dt, "tzname")?;
        Ok(match &this.name {
            Some(name) => name.clone(),
            None => Value::from(name_of(this.total()).as_str()),
        })
    }

    /// Return fixed offset.
    #[pymethod(sig = "($self, dt, /)")]
    fn utcoffset(vm: &Vm, this: &This, dt: &Value) -> Res<Value> {
        check_moment(vm, dt, "utcoffset")?;
        Ok(this.offset.clone())
    }

    /// Return None.
    #[pymethod(sig = "($self, dt, /)")]
    fn dst(vm: &Vm, _: &This, dt: &Value) -> Res<Value> {
        check_moment(vm, dt, "dst")?;
        Ok(Value::NONE)
    }

    /// datetime in UTC -> datetime in local time.
    #[pymethod(sig = "($self, dt, /)")]
    fn fromutc(vm: &Vm, this: &This, dt: &Value) -> Res<Value> {
        let Some(moment) = dt.downcast::<DateTime>() else {
            return Err(vm.type_error("fromutc: argument must be a datetime instance"));
        };
        if !moment.tzinfo.is(this.as_value()) {
            return Err(vm.value_error("fromutc: dt.tzinfo is not self"));
        }
        vm.binary(lisle_bytecode::opcode::BinOp::Add, dt, &this.offset)
    }

    /// pickle support
    #[pymethod(sig = "($self, /)")]
    fn __getinitargs__(_: &Vm, this: &This) -> Py<Tuple> {
        let mut args = vec![this.offset.clone()];
        args.extend(this.name.clone());
        Tuple::new(args)
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &This) -> Res<String> {
        if utc(vm)?.is(this.as_value()) {
            return Ok("datetime.timezone.utc".to_owned());
        }
        let class = qualified(this.as_value());
        let offset = vm.repr(&this.offset)?.to_string_lossy();
        Ok(match &this.name {
            Some(name) => format!("{class}({offset}, {})", vm.repr(name)?.to_string_lossy()),
            None => format!("{class}({offset})"),
        })
    }

    #[slot]
    fn __str__(vm: &Vm, this: &This) -> Res<Value> {
        TimeZone::tzname(vm, this, &Value::NONE)
    }

    #[slot]
    fn __hash__(vm: &Vm, this: &This) -> Res<i64> {
        vm.hash(&this.offset)
    }

    #[slot]
    fn __richcompare__(_: &Vm, this: &This, other: &Value, op: CmpOp) -> Res<Value> {
        match (other.downcast::<TimeZone>(), op) {
            (Some(other), CmpOp::Eq) => Ok(Value::from_bool(this.total() == other.total())),
            (Some(other), CmpOp::Ne) => Ok(Value::from_bool(this.total() != other.total())),
            _ => Ok(Value::NOT_IMPLEMENTED),
        }
    }
}
