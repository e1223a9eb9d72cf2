//! `UnicodeEncodeError`, `UnicodeDecodeError` and `UnicodeTranslateError`.
//!
//! Invariant: `start` and `end` are what was given; they may lie outside of the object, which `str` and the codecs must allow for.

use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;

use super::{BaseException, UnicodeError, no_keywords, object_members, text};
use crate::native::{Args, GetSetDef, pyclass, pymethods};
use crate::object::types::TypeDef;
use crate::object::{Native, Py, Slot, Type, TypeFlags, Value};
use crate::types::bytes::Bytes;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// "a character" or "characters a-b".
fn place(start: i64, end: i64) -> String {
    format!("in position {start}-{}: ", end.wrapping_sub(1))
}

/// `\xe9`, `\u20ac`, `\U0001f600`.
fn escaped(code: u32) -> String {
    match code {
        0..=0xff => format!("\\x{code:02x}"),
        0x100..=0xffff => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    }
}

/// The one unit that `start..end` denotes, if it is one and lies in the object.
fn single(start: i64, end: i64, len: usize) -> Option<usize> {
    let at = usize::try_from(start).ok()?;
    (at < len && end == start + 1).then_some(at)
}

fn show(vm: &Vm, slot: &Slot) -> Res<Py<Str>> {
    vm.str(&slot.get().unwrap_or(Value::NONE))
}

fn str_argument(vm: &Vm, values: &[Value], at: usize) -> Res<Value> {
    if values[at].downcast::<Str>().is_some() {
        return Ok(values[at].clone());
    }
    let found = if values[at].is_none() {
        "None".to_owned()
    } else {
        values[at].ty().name()
    };
    Err(vm.type_error(format!("argument {} must be str, not {found}", at + 1)))
}

fn counted<'a>(vm: &Vm, args: Args<'a>, n: usize) -> Res<&'a [Value]> {
    let given = args.values.len();
    if given != n {
        return Err(vm.type_error(format!("function takes exactly {n} arguments ({given} given)")));
    }
    Ok(args.values)
}

/// Bytes of any object that has some.
fn to_bytes(vm: &Vm, value: &Value) -> Res<Value> {
    if value.downcast::<Bytes>().is_some() {
        return Ok(value.clone());
    }
    if value.is_none() || value.ty().slots().index.is_some() || value.downcast::<Str>().is_some() {
        return Err(vm.type_error(format!("a bytes-like object is required, not '{}'", value.ty().name())));
    }
    vm.call(Bytes::ty().as_value(), std::slice::from_ref(value))
}

/// Attributes `start` and `end`.
macro_rules! positions {
    ($payload:ident) => {
        impl $payload {
            pub(crate) fn define_positions(def: &mut TypeDef) {
                positions!(@one $payload def start "start" "exception start");
                positions!(@one $payload def end "end" "exception end");
            }
        }
    };
    (@one $payload:ident $def:ident $field:ident $name:literal $doc:literal) => {{
        fn get(_: &Vm, this: &Value) -> Res<Value> {
            Ok(this.downcast::<$payload>().map_or(Value::NONE, |this| Value::int(this.$field.load(Relaxed))))
        }
        fn set(vm: &Vm, this: &Value, value: Option<&Value>) -> Res<()> {
            let Some(value) = value else { return Err(vm.type_error("can't delete numeric/char attribute")) };
            if vm.int_value(value).is_none() {
                return Err(vm.type_error("an integer is required"));
            }
            let position = vm.index_to_i64(value)?;
            if let Some(this) = this.downcast::<$payload>() {
                this.$field.store(position, Relaxed);
            }
            Ok(())
        }
        static DEF: GetSetDef = GetSetDef { name: $name, qualname: $name, doc: Some($doc), get, set: Some(set), member: true };
        $def.getset(&DEF);
    }};
}

/// A string that an encoding cannot express.
#[pyclass(
    name = "UnicodeEncodeError",
    base = UnicodeError,
    basetype,
    dict,
    flags = TypeFlags::EXCEPTION_SUBCLASS,
    doc = "Unicode encoding error."
)]
pub struct UnicodeEncodeError {
    pub base: UnicodeError,
    pub encoding: Slot,
    pub object: Slot,
    pub start: AtomicI64,
    pub end: AtomicI64,
    pub reason: Slot,
}

object_members!(UnicodeEncodeError, define_members:
    encoding "encoding" "exception encoding";
    object "object" "exception object";
    reason "reason" "exception reason";
);
positions!(UnicodeEncodeError);

impl UnicodeEncodeError {
    /// A new exception. `start..end` counts characters.
    pub fn new(encoding: &str, object: Value, start: usize, end: usize, reason: &str) -> Py<UnicodeEncodeError> {
        let encoding = Str::from_str(encoding).into_value();
        let reason = Str::from_str(reason).into_value();
        let args = vec![
            encoding.clone(),
            object.clone(),
            Value::usize(start),
            Value::usize(end),
            reason.clone(),
        ];
        Py::new(UnicodeEncodeError {
            base: BaseException::payload(Tuple::new(args)).into(),
            encoding: Slot::new(encoding),
            object: Slot::new(object),
            start: AtomicI64::new(start as i64),
            end: AtomicI64::new(end as i64),
            reason: Slot::new(reason),
        })
    }
}

#[pymethods(parts(define_members, define_positions))]
impl UnicodeEncodeError {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        let payload = UnicodeEncodeError {
            base: BaseException::payload_of(args).into(),
            encoding: Slot::empty(),
            object: Slot::empty(),
            start: AtomicI64::new(0),
            end: AtomicI64::new(0),
            reason: Slot::empty(),
        };
        Ok(Py::with_class(cls, payload).into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Py<UnicodeEncodeError>, args: Args<'_>) -> Res<()> {
        no_keywords(vm, this.as_value(), args)?;
        this.base.store_args(args.values);
        let values = counted(vm, args, 5)?;
        let (encoding, object) = (str_argument(vm, values, 0)?, str_argument(vm, values, 1)?);
        let (start, end) = (vm.index_to_i64(&values[2])?, vm.index_to_i64(&values[3])?);
        this.reason.set(str_argument(vm, values, 4)?);
        this.encoding.set(encoding);
        this.object.set(object);
        this.start.store(start, Relaxed);
        this.end.store(end, Relaxed);
        Ok(())
    }

    #[slot]
    fn __str__(vm: &Vm, this: &Py<UnicodeEncodeError>) -> Res<Value> {
        let Some(object) = this.object.get() else {
            return Ok(Str::empty().into_value());
        };
        let (encoding, reason) = (show(vm, &this.encoding)?, show(vm, &this.reason)?);
        let (start, end) = (this.start.load(Relaxed), this.end.load(Relaxed));
        let bad = object
            .downcast::<Str>()
            .and_then(|s| s.view().get(single(start, end, s.len())?));
        let what = match bad {
            Some(code) => format!(
                "' codec can't encode character '{}' in position {start}: ",
                escaped(code)
            ),
            None => format!("' codec can't encode characters {}", place(start, end)),
        };
        Ok(text::joined(&[&"'", &encoding, &what, &reason]))
    }
}

/// Bytes that an encoding does not allow.
#[pyclass(
    name = "UnicodeDecodeError",
    base = UnicodeError,
    basetype,
    dict,
    flags = TypeFlags::EXCEPTION_SUBCLASS,
    doc = "Unicode decoding error."
)]
pub struct UnicodeDecodeError {
    pub base: UnicodeError,
    pub encoding: Slot,
    pub object: Slot,
    pub start: AtomicI64,
    pub end: AtomicI64,
    pub reason: Slot,
}

object_members!(UnicodeDecodeError, define_members:
    encoding "encoding" "exception encoding";
    object "object" "exception object";
    reason "reason" "exception reason";
);
positions!(UnicodeDecodeError);

impl UnicodeDecodeError {
    /// A new exception; `object` is a `bytes`. `start..end` counts bytes.
    pub fn new(encoding: &str, object: Value, start: usize, end: usize, reason: &str) -> Py<UnicodeDecodeError> {
        let encoding = Str::from_str(encoding).into_value();
        let reason = Str::from_str(reason).into_value();
        let args = vec![
            encoding.clone(),
            object.clone(),
            Value::usize(start),
            Value::usize(end),
            reason.clone(),
        ];
        Py::new(UnicodeDecodeError {
            base: BaseException::payload(Tuple::new(args)).into(),
            encoding: Slot::new(encoding),
            object: Slot::new(object),
            start: AtomicI64::new(start as i64),
            end: AtomicI64::new(end as i64),
            reason: Slot::new(reason),
        })
    }
}

#[pymethods(parts(define_members, define_positions))]
impl UnicodeDecodeError {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        let payload = UnicodeDecodeError {
            base: BaseException::payload_of(args).into(),
            encoding: Slot::empty(),
            object: Slot::empty(),
            start: AtomicI64::new(0),
            end: AtomicI64::new(0),
            reason: Slot::empty(),
        };
        Ok(Py::with_class(cls, payload).into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Py<UnicodeDecodeError>, args: Args<'_>) -> Res<()> {
        no_keywords(vm, this.as_value(), args)?;
        this.base.store_args(args.values);
        let values = counted(vm, args, 5)?;
        let encoding = str_argument(vm, values, 0)?;
        let (start, end) = (vm.index_to_i64(&values[2])?, vm.index_to_i64(&values[3])?);
        let reason = str_argument(vm, values, 4)?;
        let object = to_bytes(vm, &values[1])?;
        this.encoding.set(encoding);
        this.object.set(object);
        this.reason.set(reason);
        this.start.store(start, Relaxed);
        this.end.store(end, Relaxed);
        Ok(())
    }

    #[slot]
    fn __str__(vm: &Vm, this: &Py<UnicodeDecodeError>) -> Res<Value> {
        let Some(object) = this.object.get() else {
            return Ok(Str::empty().into_value());
        };
        let (encoding, reason) = (show(vm, &this.encoding)?, show(vm, &this.reason)?);
        let (start, end) = (this.start.load(Relaxed), this.end.load(Relaxed));
        let bad = object.downcast::<Bytes>().and_then(|b| {
            let bytes = b.as_slice();
            bytes.get(single(start, end, bytes.len())?).copied()
        });
        let what = match bad {
            Some(byte) => format!("' codec can't decode byte 0x{byte:02x} in position {start}: "),
            None => format!("' codec can't decode bytes {}", place(start, end)),
        };
        Ok(text::joined(&[&"'", &encoding, &what, &reason]))
    }
}

/// A string that `str.translate` and the like cannot translate.
#[pyclass(
    name = "UnicodeTranslateError",
    base = UnicodeError,
    basetype,
    dict,
    flags = TypeFlags::EXCEPTION_SUBCLASS,
    doc = "Unicode translation error."
)]
pub struct UnicodeTranslateError {
    pub base: UnicodeError,
    pub encoding: Slot,
    pub object: Slot,
    pub start: AtomicI64,
    pub end: AtomicI64,
    pub reason: Slot,
}

object_members!(UnicodeTranslateError, define_members:
    encoding "encoding" "exception encoding";
    object "object" "exception object";
    reason "reason" "exception reason";
);
positions!(UnicodeTranslateError);

#[pymethods(parts(define_members, define_positions))]
impl UnicodeTranslateError {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        let payload = UnicodeTranslateError {
            base: BaseException::payload_of(args).into(),
            encoding: Slot::empty(),
            object: Slot::empty(),
            start: AtomicI64::new(0),
            end: AtomicI64::new(0),
            reason: Slot::empty(),
        };
        Ok(Py::with_class(cls, payload).into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Py<UnicodeTranslateError>, args: Args<'_>) -> Res<()> {
        no_keywords(vm, this.as_value(), args)?;
        this.base.store_args(args.values);
        let values = counted(vm, args, 4)?;
        let object = str_argument(vm, values, 0)?;
        let (start, end) = (vm.index_to_i64(&values[1])?, vm.index_to_i64(&values[2])?);
        this.reason.set(str_argument(vm, values, 3)?);
        this.object.set(object);
        this.start.store(start, Relaxed);
        this.end.store(end, Relaxed);
        Ok(())
    }

    #[slot]
    fn __str__(vm: &Vm, this: &Py<UnicodeTranslateError>) -> Res<Value> {
        let Some(object) = this.object.get() else {
            return Ok(Str::empty().into_value());
        };
        let reason = show(vm, &this.reason)?;
        let (start, end) = (this.start.load(Relaxed), this.end.load(Relaxed));
        let bad = object
            .downcast::<Str>()
            .and_then(|s| s.view().get(single(start, end, s.len())?));
        let what = match bad {
            Some(code) => format!("can't translate character '{}' in position {start}: ", escaped(code)),
            None => format!("can't translate characters {}", place(start, end)),
        };
        Ok(text::joined(&[&what, &reason]))
    }
}
