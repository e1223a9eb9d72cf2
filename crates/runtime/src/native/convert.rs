//! From Rust results to Python values.
//! Invariant: converting runs no Python code; it may allocate.

use num_bigint::BigInt;

use crate::object::{Py, Value};
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// A Rust value that has a Python one.
pub trait IntoValue {
    fn into_value(self, vm: &Vm) -> Res<Value>;
}

impl IntoValue for Value {
    #[inline(always)]
    fn into_value(self, _: &Vm) -> Res<Value> {
        Ok(self)
    }
}

impl IntoValue for &Value {
    #[inline(always)]
    fn into_value(self, _: &Vm) -> Res<Value> {
        Ok(self.clone())
    }
}

impl<T> IntoValue for Py<T> {
    #[inline(always)]
    fn into_value(self, _: &Vm) -> Res<Value> {
        Ok(Py::into_value(self))
    }
}

impl<T> IntoValue for &Py<T> {
    #[inline(always)]
    fn into_value(self, _: &Vm) -> Res<Value> {
        Ok(self.to_value())
    }
}

/// `None` becomes Python's.
impl<T: IntoValue> IntoValue for Option<T> {
    #[inline]
    fn into_value(self, vm: &Vm) -> Res<Value> {
        match self {
            Some(value) => value.into_value(vm),
            None => Ok(Value::NONE),
        }
    }
}

impl IntoValue for () {
    #[inline(always)]
    fn into_value(self, _: &Vm) -> Res<Value> {
        Ok(Value::NONE)
    }
}

impl IntoValue for bool {
    #[inline(always)]
    fn into_value(self, _: &Vm) -> Res<Value> {
        Ok(Value::from_bool(self))
    }
}

impl IntoValue for f64 {
    #[inline(always)]
    fn into_value(self, _: &Vm) -> Res<Value> {
        Ok(Value::float(self))
    }
}

macro_rules! small {
    ($($t:ty),+) => { $(
        impl IntoValue for $t {
            #[inline(always)]
            fn into_value(self, _: &Vm) -> Res<Value> {
                Ok(Value::int(self.into()))
            }
        }
    )+ };
}

small!(u8, i8, u16, i16, u32, i32, i64);

macro_rules! wide {
    ($($t:ty),+) => { $(
        impl IntoValue for $t {
            #[inline]
            fn into_value(self, _: &Vm) -> Res<Value> {
                Ok(match i64::try_from(self) {
                    Ok(small) => Value::int(small),
                    Err(_) => Value::bigint(BigInt::from(self)),
                })
            }
        }
    )+ };
}

wide!(u64, usize, isize, i128, u128);

impl IntoValue for BigInt {
    fn into_value(self, _: &Vm) -> Res<Value> {
        Ok(Value::bigint(self))
    }
}

impl IntoValue for &str {
    fn into_value(self, _: &Vm) -> Res<Value> {
        Ok(Str::from_str(self).into_value())
    }
}

impl IntoValue for String {
    fn into_value(self, _: &Vm) -> Res<Value> {
        Ok(Str::from_str(&self).into_value())
    }
}

macro_rules! tuples {
    ($($name:ident)+) => {
        impl<$($name: IntoValue),+> IntoValue for ($($name,)+) {
            #[expect(non_snake_case, reason = "one binding per type parameter")]
            fn into_value(self, vm: &Vm) -> Res<Value> {
                let ($($name,)+) = self;
                Ok(Tuple::new(vec![$($name.into_value(vm)?),+]).into_value())
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);

/// What a native function may return: a value with a Python counterpart, or a `Res` of one.
pub trait IntoRes {
    fn into_res(self, vm: &Vm) -> Res<Value>;
}

impl<T: IntoValue> IntoRes for T {
    #[inline(always)]
    fn into_res(self, vm: &Vm) -> Res<Value> {
        self.into_value(vm)
    }
}

impl<T: IntoValue> IntoRes for Res<T> {
    #[inline(always)]
    fn into_res(self, vm: &Vm) -> Res<Value> {
        self?.into_value(vm)
    }
}

/// The result of a `__next__`.
#[inline(always)]
pub fn into_next<T: IntoValue>(next: Res<Option<T>>, vm: &Vm) -> Res<Option<Value>> {
    match next? {
        Some(value) => value.into_value(vm).map(Some),
        None => Ok(None),
    }
}
