//! `csv.writer`.
//!
//! Invariant: a record is complete before the file's `write` is called, once for each.

use lisle_runtime::native::*;
use lisle_runtime::text::StrBuilder;
use lisle_runtime::types::exceptions;

use super::ERROR;
use super::dialect::{self, Dialect};

#[pyclass(
    name = "writer",
    module = "_csv",
    no_new,
    doc = "CSV writer\n\nWriter objects are responsible for generating tabular data\nin CSV format from sequence input.\n"
)]
pub struct Writer {
    write: Value,
    dialect: Py<Dialect>,
}

impl Writer {
    pub fn make(write: Value, dialect: Py<Dialect>) -> Value {
        Py::new(Writer { write, dialect }).into_value()
    }
}

/// A record on its way.
struct Record<'a> {
    vm: &'a Vm,
    dialect: &'a Dialect,
    out: StrBuilder,
    fields: usize,
}

impl Record<'_> {
    /// Whether a character must be quoted or escaped.
    fn is_special(&self, c: u32) -> bool {
        let dialect = self.dialect;
        c == dialect.delimiter
            || Some(c) == dialect.escapechar
            || Some(c) == dialect.quotechar
            || matches!(c, 0x0a | 0x0d)
            || dialect.lineterminator.view().chars().any(|end| end == c)
    }

    /// Appends a field; `None` for one of `None`.
    fn add(&mut self, field: Option<&Py<Str>>, mut quoted: bool) -> Res<()> {
        let dialect = self.dialect;
        let empty = field.is_none_or(|text| text.is_empty());
        if empty && dialect.delimiter == 0x20 && dialect.skipinitialspace {
            let never = field.is_none() && matches!(dialect.quoting, dialect::STRINGS | dialect::NOTNULL);
            if dialect.quoting == dialect::NONE || never {
                return Err(ERROR.error(
                    self.vm,
                    "empty field must be quoted if delimiter is a space and skipinitialspace is true",
                ));
            }
            quoted = true;
        }
        if self.fields > 0 {
            self.out.push(dialect.delimiter);
        }
        self.fields += 1;
        let mut body = StrBuilder::new();
        if !body.try_reserve(field.map_or(0, |text| text.len())) {
            return Err(self.vm.memory_error());
        }
        for c in field.into_iter().flat_map(|text| text.view().chars()) {
            if self.is_special(c) {
                let is_quote = Some(c) == dialect.quotechar;
                let escaped = dialect.quoting == dialect::NONE
                    || is_quote && !dialect.doublequote
                    || !is_quote && Some(c) == dialect.escapechar;
                if escaped {
                    match dialect.escapechar {
                        Some(mark) => body.push(mark),
                        None => return Err(ERROR.error(self.vm, "need to escape, but no escapechar set")),
                    }
                } else {
                    quoted = true;
                    if is_quote {
                        body.push(c);
                    }
                }
            }
            body.push(c);
        }
        let quote = dialect.quotechar.filter(|_| quoted);
        if !self.out.try_reserve(body.len() + 3) {
            return Err(self.vm.memory_error());
        }
        if let Some(quote) = quote {
            self.out.push(quote);
        }
        self.out.push_view(body.view());
        if let Some(quote) = quote {
            self.out.push(quote);
        }
        Ok(())
    }
}

fn is_number(value: &Value) -> bool {
    let slots = value.ty().slots();
    slots.index.is_some() || slots.int.is_some() || slots.float.is_some()
}

fn write_row(vm: &Vm, this: &Py<Writer>, row: &Value) -> Res<Value> {
    let dialect = &this.dialect;
    let items = vm.iter(row).map_err(|exc| {
        if exc.is(&exceptions::TYPE_ERROR) {
            let name = row.ty().name();
            return ERROR.error(vm, format!("iterable expected, not {name}"));
        }
        exc
    })?;
    let mut record = Record {
        vm,
        dialect,
        out: StrBuilder::new(),
        fields: 0,
    };
    let mut null = false;
    while let Some(field) = vm.next(&items)? {
        let quoted = match dialect.quoting {
            dialect::NONNUMERIC => !is_number(&field),
            dialect::ALL => true,
            dialect::STRINGS => field.downcast::<Str>().is_some(),
            dialect::NOTNULL => !field.is_none(),
            _ => false,
        };
        null = field.is_none();
        if null {
            record.add(None, quoted)?;
        } else if let Some(text) = field.downcast::<Str>() {
            record.add(Some(text), quoted)?;
        } else {
            let text = vm.str(&field)?;
            record.add(Some(&text), quoted)?;
        }
    }
    if record.fields > 0 && record.out.is_empty() {
        if dialect.quoting == dialect::NONE || null && matches!(dialect.quoting, dialect::STRINGS | dialect::NOTNULL) {
            return Err(ERROR.error(vm, "single empty field record must be quoted"));
        }
        record.fields -= 1;
        record.add(None, true)?;
    }
    record.out.push_view(dialect.lineterminator.view());
    let line = Str::try_from_view(record.out.finish().view()).ok_or_else(|| vm.memory_error())?;
    vm.call(&this.write, &[line.into_value()])
}

#[pymethods]
impl Writer {
    /// writerow(iterable)
    ///
    /// Construct and write a CSV record from an iterable of fields.  Non-string
    /// elements will be converted to string.
    #[pymethod(sig = "($self, object, /)")]
    fn writerow(vm: &Vm, this: &Py<Writer>, object: &Value) -> Res<Value> {
        write_row(vm, this, object)
    }

    /// writerows(iterable of iterables)
    ///
    /// Construct and write a series of iterables to a csv file.  Non-string
    /// elements will be converted to string.
    #[pymethod(sig = "($self, object, /)")]
    fn writerows(vm: &Vm, this: &Py<Writer>, object: &Value) -> Res<()> {
        vm.for_each(object, |row| write_row(vm, this, &row).map(drop))
    }

    #[getter]
    fn dialect(_vm: &Vm, this: &Py<Writer>) -> Value {
        this.dialect.to_value()
    }
}
