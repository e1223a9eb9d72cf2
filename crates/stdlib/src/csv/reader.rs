//! `csv.reader`.
//!
//! Invariant: the parse of a record is a value of its own call.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use lisle_runtime::native::*;
use lisle_runtime::text::StrBuilder;
use lisle_runtime::types::list::List;

use super::ERROR;
use super::dialect::{self, Dialect};
use super::module::FIELD_LIMIT;

#[pyclass(
    name = "reader",
    module = "_csv",
    no_new,
    doc = "CSV reader\n\nReader objects are responsible for reading and parsing tabular data\nin CSV format.\n"
)]
pub struct Reader {
    lines: Value,
    dialect: Py<Dialect>,
    line_num: AtomicUsize,
}

impl Reader {
    pub fn make(lines: Value, dialect: Py<Dialect>) -> Value {
        Py::new(Reader {
            lines,
            dialect,
            line_num: AtomicUsize::new(0),
        })
        .into_value()
    }
}

#[pymethods]
impl Reader {
    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Reader>) -> Value {
        this.to_value()
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<Reader>) -> Res<Option<Value>> {
        let mut record = Record {
            vm,
            dialect: &this.dialect,
            fields: Vec::new(),
            field: StrBuilder::new(),
            unquoted: true,
            state: State::StartRecord,
            limit: FIELD_LIMIT.load(Relaxed),
        };
        loop {
            let Some(line) = vm.next(&this.lines)? else {
                if record.field.is_empty() && record.state != State::InQuotedField {
                    return Ok(None);
                }
                if this.dialect.strict {
                    return Err(ERROR.error(vm, "unexpected end of data"));
                }
                record.save()?;
                break;
            };
            let Some(text) = line.downcast::<Str>() else {
                let name = line.ty().name();
                return Err(ERROR.error(
                    vm,
                    format!("iterator should return strings, not {name} (the file should be opened in text mode)"),
                ));
            };
            this.line_num.fetch_add(1, Relaxed);
            for c in text.view().chars() {
                record.take(Some(c))?;
            }
            record.take(None)?;
            if record.state == State::StartRecord {
                break;
            }
        }
        Ok(Some(List::new(record.fields).into_value()))
    }

    #[getter]
    fn dialect(_vm: &Vm, this: &Py<Reader>) -> Value {
        this.dialect.to_value()
    }

    #[getter]
    fn line_num(_vm: &Vm, this: &Py<Reader>) -> usize {
        this.line_num.load(Relaxed)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    StartRecord,
    StartField,
    Escaped,
    InField,
    InQuotedField,
    EscapeInQuotedField,
    QuoteInQuotedField,
    EatLineBreak,
    AfterEscapedLineBreak,
}

/// A record that is being parsed.
struct Record<'a> {
    vm: &'a Vm,
    dialect: &'a Dialect,
    fields: Vec<Value>,
    field: StrBuilder,
    unquoted: bool,
    state: State,
    limit: i64,
}

fn is_break(c: u32) -> bool {
    matches!(c, 0x0a | 0x0d)
}

impl Record<'_> {
    fn save(&mut self) -> Res<()> {
        let quoting = self.dialect.quoting;
        let text = std::mem::take(&mut self.field).finish();
        let unquoted = std::mem::replace(&mut self.unquoted, true);
        if text.is_empty() && unquoted && matches!(quoting, dialect::NOTNULL | dialect::STRINGS) {
            self.fields.push(Value::NONE);
            return Ok(());
        }
        let number = unquoted && !text.is_empty() && matches!(quoting, dialect::NONNUMERIC | dialect::STRINGS);
        let text = Str::try_from_view(text.view()).ok_or_else(|| self.vm.memory_error())?;
        let field = if number {
            let float = lisle_runtime::types::float::Float::ty().as_value();
            self.vm.call(float, &[text.into_value()])?
        } else {
            text.into_value()
        };
        self.fields.push(field);
        Ok(())
    }

    fn add(&mut self, c: u32) -> Res<()> {
        if self.field.len() as i64 >= self.limit {
            let limit = self.limit;
            return Err(ERROR.error(self.vm, format!("field larger than field limit ({limit})")));
        }
        self.field.push(c);
        Ok(())
    }

    /// Ends a field at a line break or, for `None`, at the end of the line.
    fn end_line(&mut self, c: Option<u32>) -> Res<()> {
        self.save()?;
        self.state = if c.is_none() {
            State::StartRecord
        } else {
            State::EatLineBreak
        };
        Ok(())
    }

    /// Takes a character, or `None` for the end of the line.
    fn take(&mut self, c: Option<u32>) -> Res<()> {
        let dialect = self.dialect;
        let quotes = dialect.quoting != dialect::NONE;
        let is_quote = quotes && c.is_some() && c == dialect.quotechar;
        let is_escape = c.is_some() && c == dialect.escapechar;
        let ends = c.is_none_or(is_break);
        match self.state {
            State::StartRecord => {
                if c.is_none() {
                    return Ok(());
                }
                if ends {
                    self.state = State::EatLineBreak;
                    return Ok(());
                }
                self.state = State::StartField;
                return self.take(c);
            }
            State::StartField => {
                if ends {
                    return self.end_line(c);
                }
                match c {
                    _ if is_quote => {
                        self.unquoted = false;
                        self.state = State::InQuotedField;
                    }
                    _ if is_escape => self.state = State::Escaped,
                    Some(0x20) if dialect.skipinitialspace => {}
                    Some(c) if c == dialect.delimiter => self.save()?,
                    Some(c) => {
                        self.add(c)?;
                        self.state = State::InField;
                    }
                    None => {}
                }
            }
            State::Escaped => {
                self.add(c.unwrap_or(0x0a))?;
                self.state = if c.is_some_and(is_break) {
                    State::AfterEscapedLineBreak
                } else {
                    State::InField
                };
            }
            State::AfterEscapedLineBreak if c.is_none() => {}
            State::AfterEscapedLineBreak | State::InField => {
                if ends {
                    return self.end_line(c);
                }
                match c {
                    _ if is_escape => self.state = State::Escaped,
                    Some(c) if c == dialect.delimiter => {
                        self.save()?;
                        self.state = State::StartField;
                    }
                    Some(c) => self.add(c)?,
                    None => {}
                }
            }
            State::InQuotedField => match c {
                None => {}
                _ if is_escape => self.state = State::EscapeInQuotedField,
                _ if is_quote => {
                    self.state = if dialect.doublequote {
                        State::QuoteInQuotedField
                    } else {
                        State::InField
                    };
                }
                Some(c) => self.add(c)?,
            },
            State::EscapeInQuotedField => {
                self.add(c.unwrap_or(0x0a))?;
                self.state = State::InQuotedField;
            }
            State::QuoteInQuotedField => match c {
                Some(c) if is_quote => {
                    self.add(c)?;
                    self.state = State::InQuotedField;
                }
                Some(c) if c == dialect.delimiter => {
                    self.save()?;
                    self.state = State::StartField;
                }
                _ if ends => return self.end_line(c),
                Some(c) if !dialect.strict => {
                    self.add(c)?;
                    self.state = State::InField;
                }
                _ => {
                    let show = |c: u32| char::from_u32(c).unwrap_or('\u{fffd}');
                    let (delimiter, quote) = (show(dialect.delimiter), show(dialect.quotechar.unwrap_or(0x22)));
                    return Err(ERROR.error(self.vm, format!("'{delimiter}' expected after '{quote}'")));
                }
            },
            State::EatLineBreak => match c {
                None => self.state = State::StartRecord,
                Some(c) if is_break(c) => {}
                Some(_) => {
                    let message =
                        "new-line character seen in unquoted field - do you need to open the file with newline=''?";
                    return Err(ERROR.error(self.vm, message));
                }
            },
        }
        Ok(())
    }
}
