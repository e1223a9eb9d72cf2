//! `sqlite3.Row`: a tuple of values that knows the names of its columns.
//! Invariant: neither values nor names change.

use lisle_runtime::native::*;
use lisle_runtime::types::slice::Slice;
use lisle_runtime::types::tuple::Tuple;

use super::cursor::Cursor;

#[pyclass(name = "Row", module = "sqlite3", basetype, sequence)]
pub struct Row {
    data: Py<Tuple>,
    /// `None`, or a tuple of tuples whose first items are the names.
    description: Value,
}

fn name_at(this: &Py<Row>, at: usize) -> Option<Value> {
    let columns = this.description.downcast::<Tuple>()?;
    columns.get(at)?.downcast::<Tuple>()?.first().cloned()
}

#[pymethods]
impl Row {
    #[slot]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        if args.has_keywords() {
            return Err(vm.type_error("Row() takes no keyword arguments"));
        }
        let values = args.check_positional(vm, "Row", 2, 2)?;
        let Some(cursor) = values[0].downcast::<Cursor>() else {
            let found = values[0].ty().name();
            return Err(vm.type_error(format!("Row() argument 1 must be sqlite3.Cursor, not {found}")));
        };
        let Some(data) = values[1].downcast::<Tuple>() else {
            let found = values[1].ty().name();
            return Err(vm.type_error(format!("Row() argument 2 must be tuple, not {found}")));
        };
        let row = Row {
            data: data.clone(),
            description: cursor.description(),
        };
        Ok(Py::with_class(cls, row).into_value())
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<Row>, key: &Value) -> Res<Value> {
        if let Some(name) = key.downcast::<Str>() {
            let wanted = name.to_string_lossy();
            for at in 0..this.data.len() {
                let name = name_at(this, at);
                let found = name.as_ref().and_then(|name| name.downcast::<Str>());
                if found.is_some_and(|name| name.to_string_lossy().eq_ignore_ascii_case(&wanted)) {
                    return Ok(this.data[at].clone());
                }
            }
            return Err(vm.index_error("No item with that key"));
        }
        if vm.int_value(key).is_some() || key.downcast::<Slice>().is_some() {
            return vm.getitem(this.data.as_value(), key);
        }
        Err(vm.index_error("Index must be int or string"))
    }

    #[slot]
    fn __len__(_: &Vm, this: &Py<Row>) -> Res<usize> {
        Ok(this.data.len())
    }

    #[slot]
    fn __iter__(vm: &Vm, this: &Py<Row>) -> Res<Value> {
        vm.iter(this.data.as_value())
    }

    #[slot]
    fn __hash__(vm: &Vm, this: &Py<Row>) -> Res<i64> {
        Ok(vm.hash(&this.description)? ^ vm.hash(this.data.as_value())?)
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<Row>, other: &Value, op: CmpOp) -> Res<Value> {
        if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let Some(other) = other.downcast::<Row>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        if vm.eq(&this.description, &other.description)? {
            return vm.rich_compare(this.data.as_value(), other.data.as_value(), op);
        }
        Ok(Value::from_bool(op == CmpOp::Ne))
    }

    /// Returns the keys of the row.
    #[pymethod(sig = "($self, /)")]
    fn keys(_: &Vm, this: &Py<Row>) -> Value {
        let names = (0..this.data.len()).filter_map(|at| name_at(this, at)).collect();
        lisle_runtime::types::list::List::new(names).into_value()
    }
}
