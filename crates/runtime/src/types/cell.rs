//! `types.CellType`: a variable shared between a function and the functions inside it.

use lisle_bytecode::opcode::CmpOp;

use crate::native::{pyclass, pymethods};
use crate::object::{Py, Slot, Value};
use crate::vm::{Res, Vm};

/// A cell.
#[pyclass(
    name = "cell",
    late_end,
    unhashable,
    doc = "Create a new cell object.\n\n  contents\n    the contents of the cell. If not specified, the cell will be empty,\n    and further attempts to access its cell_contents attribute will\n    raise a ValueError."
)]
pub struct Cell {
    pub contents: Slot,
}

impl Cell {
    pub fn new_value(contents: Option<Value>) -> Value {
        Py::new(Cell {
            contents: Slot::from_option(contents),
        })
        .into_value()
    }
}

#[pymethods]
impl Cell {
    #[slot(sig = "(contents=<unrepresentable>, /)")]
    fn __new__(_: &Vm, cls: &Py<crate::object::Type>, contents: Option<&Value>) -> Res<Value> {
        Ok(Py::with_class(
            cls,
            Cell {
                contents: Slot::from_option(contents.cloned()),
            },
        )
        .into_value())
    }

    #[getter]
    fn cell_contents(vm: &Vm, this: &Py<Cell>) -> Res<Value> {
        this.contents.get().ok_or_else(|| vm.value_error("cell is empty"))
    }

    #[setter]
    fn set_cell_contents(_: &Vm, this: &Py<Cell>, value: Option<&Value>) -> Res<()> {
        drop(this.contents.swap(value.cloned()));
        Ok(())
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<Cell>) -> String {
        match this.contents.get() {
            None => format!("<cell at {:#x}: empty>", this.as_ptr() as usize),
            Some(v) => {
                format!(
                    "<cell at {:#x}: {} object at {:#x}>",
                    this.as_ptr() as usize,
                    v.ty().name(),
                    v.bits()
                )
            }
        }
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<Cell>, other: &Value, op: CmpOp) -> Res<Value> {
        let Some(other) = other.downcast_exact::<Cell>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        match (this.contents.get(), other.contents.get()) {
            (Some(a), Some(b)) => vm.rich_compare(&a, &b, op),
            (a, b) => {
                let (a, b) = (a.is_some(), b.is_some());
                Ok(Value::from_bool(match op {
                    CmpOp::Lt => !a & b,
                    CmpOp::Le => a <= b,
                    CmpOp::Eq => a == b,
                    CmpOp::Ne => a != b,
                    CmpOp::Gt => a & !b,
                    CmpOp::Ge => a >= b,
                }))
            }
        }
    }
}
