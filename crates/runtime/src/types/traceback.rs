//! `types.TracebackType`: one entry of a traceback.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use crate::native::{pyclass, pymethods};
use crate::object::{Py, Slot, Type, Value};
use crate::types::frame::Frame;
use crate::types::list::List;
use crate::types::str::Str;
use crate::vm::{Res, Vm};

/// A traceback entry.
#[pyclass(name = "traceback", module = "builtins", doc = "Create a new traceback object.")]
pub struct Traceback {
    pub next: Slot,
    pub frame: Py<Frame>,
    /// Code word of the instruction.
    pub pc: u32,
    /// What `tb_lasti` shows beyond `pc`, of an entry that was made by hand.
    odd: bool,
    /// The line; [`UNREAD`] until it is asked for.
    line: AtomicU32,
}

const UNREAD: u32 = u32::MAX;

impl Traceback {
    pub fn new_value(next: Option<Value>, frame: Py<Frame>, pc: u32) -> Value {
        Py::new(Traceback {
            next: Slot::from_option(next.filter(|n| !n.is_none())),
            frame,
            pc,
            odd: false,
            line: AtomicU32::new(UNREAD),
        })
        .into_value()
    }

    /// The line; 0 for none.
    pub fn line(&self) -> u32 {
        let line = self.line.load(Relaxed);
        if line != UNREAD {
            return line;
        }
        let line = self.frame.code.location(self.pc).line;
        self.line.store(line, Relaxed);
        line
    }
}

#[pymethods]
impl Traceback {
    #[slot(sig = "(tb_next, tb_frame, tb_lasti, tb_lineno)")]
    fn __new__(
        vm: &Vm,
        cls: &Py<Type>,
        tb_next: &Value,
        tb_frame: &Py<Frame>,
        tb_lasti: i64,
        tb_lineno: i64,
    ) -> Res<Value> {
        if !tb_next.is_none() && tb_next.downcast::<Traceback>().is_none() {
            return Err(vm.type_error(format!(
                "expected traceback object or None, got '{}'",
                tb_next.ty().name()
            )));
        }
        let traceback = Traceback {
            next: Slot::from_option(Some(tb_next.clone()).filter(|n| !n.is_none())),
            frame: tb_frame.clone(),
            pc: u32::try_from(tb_lasti / 2).unwrap_or(0),
            odd: tb_lasti % 2 != 0,
            line: AtomicU32::new(u32::try_from(tb_lineno).unwrap_or(0)),
        };
        Ok(Py::with_class(cls, traceback).into_value())
    }

    #[pymethod(sig = "($self, /)")]
    fn __dir__(_: &Vm, _this: &Py<Traceback>) -> Value {
        let names = ["tb_frame", "tb_next", "tb_lasti", "tb_lineno"];
        List::new(names.iter().map(|name| Str::intern(name).into_value()).collect()).into_value()
    }

    #[getter]
    fn tb_next(_: &Vm, this: &Py<Traceback>) -> Option<Value> {
        this.next.get()
    }

    #[setter]
    fn set_tb_next(vm: &Vm, this: &Py<Traceback>, value: Option<&Value>) -> Res<()> {
        let Some(value) = value else {
            return Err(vm.type_error("can't delete tb_next attribute"));
        };
        let mut at = Some(value.clone()).filter(|v| !v.is_none());
        while let Some(v) = at {
            let Some(tb) = v.downcast::<Traceback>() else {
                return Err(vm.type_error(format!("expected traceback object, got '{}'", v.ty().name())));
            };
            if v.is(this.as_value()) {
                return Err(vm.value_error("traceback loop detected"));
            }
            at = tb.next.get();
        }
        drop(this.next.swap(Some(value.clone()).filter(|v| !v.is_none())));
        Ok(())
    }

    #[getter(member)]
    fn tb_frame(_: &Vm, this: &Py<Traceback>) -> Value {
        this.frame.to_value()
    }

    #[getter(member)]
    fn tb_lasti(_: &Vm, this: &Py<Traceback>) -> i64 {
        i64::from(this.pc) * 2 + i64::from(this.odd)
    }

    #[getter]
    fn tb_lineno(_: &Vm, this: &Py<Traceback>) -> Option<Value> {
        match this.line() {
            0 => None,
            line => Some(Value::int(line.into())),
        }
    }
}
