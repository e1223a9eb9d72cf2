//! `_symtable`: the compiler's symbol table, for `symtable`.
//!
//! Invariant: entries are made whole and never change.

use lisle_compiler::{Mode, Options, ScopeInfo, symbol_table};
use lisle_runtime::builtins::compile::{path_text, raise_syntax_error, source_text};
use lisle_runtime::native::{Py, Res, Str, Value, Vm, pyclass, pymethods, pymodule};
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::list::List;

/// A scope.
#[pyclass(name = "symtable entry", module = "builtins", no_new)]
pub struct Entry {
    name: Py<Str>,
    kind: u8,
    line: u32,
    nested: bool,
    symbols: Py<Dict>,
    varnames: Py<List>,
    children: Py<List>,
}

fn entry(vm: &Vm, info: &ScopeInfo) -> Res<Py<Entry>> {
    let _guard = vm.enter_recursive(" during compilation")?;
    let symbols = Dict::new_empty();
    for (name, bits) in &info.symbols {
        symbols.set_str(&Str::intern(name), Value::int((*bits).into()));
    }
    let varnames = info.params.iter().map(|name| Str::intern(name).into_value()).collect();
    let children = info.children.iter().map(|child| entry(vm, child).map(Py::into_value));
    let children = children.collect::<Res<_>>()?;
    Ok(Py::new(Entry {
        name: Str::intern(&info.name),
        kind: info.kind,
        line: info.line,
        nested: info.nested,
        symbols,
        varnames: List::new(varnames),
        children: List::new(children),
    }))
}

#[pymethods]
impl Entry {
    #[getter]
    fn id(_: &Vm, this: &Py<Entry>) -> Value {
        this.as_value().id()
    }

    #[getter]
    fn name(_: &Vm, this: &Py<Entry>) -> Value {
        this.name.to_value()
    }

    #[getter]
    fn symbols(_: &Vm, this: &Py<Entry>) -> Value {
        this.symbols.to_value()
    }

    #[getter]
    fn varnames(_: &Vm, this: &Py<Entry>) -> Value {
        this.varnames.to_value()
    }

    #[getter]
    fn children(_: &Vm, this: &Py<Entry>) -> Value {
        this.children.to_value()
    }

    #[getter]
    fn nested(_: &Vm, this: &Py<Entry>) -> i64 {
        this.nested.into()
    }

    #[getter(name = "type")]
    fn kind(_: &Vm, this: &Py<Entry>) -> u8 {
        this.kind
    }

    #[getter]
    fn lineno(_: &Vm, this: &Py<Entry>) -> u32 {
        this.line
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<Entry>) -> String {
        let name = this.name.to_string_lossy();
        format!(
            "<symtable entry {name}({}), line {}>",
            this.as_value().bits(),
            this.line
        )
    }
}

#[pymodule(name = "_symtable")]
pub mod module {
    use super::*;

    /// Return symbol and scope dictionaries used internally by compiler.
    #[pyfunction(sig = "(source, filename, startstr, /)")]
    fn symtable(vm: &Vm, source: &Value, filename: &Value, startstr: &Py<Str>) -> Res<Value> {
        let filename = match filename.downcast::<Str>() {
            Some(name) => name.to_string_lossy(),
            None => match filename.downcast::<Bytes>() {
                Some(name) => String::from_utf8_lossy(name.as_slice()).into_owned(),
                None => path_text(vm, filename)?,
            },
        };
        let mode = match startstr.to_string_lossy().as_str() {
            "exec" => Mode::Exec,
            "eval" => Mode::Eval,
            "single" => Mode::Single,
            _ => return Err(vm.value_error("symtable() arg 3 must be 'exec' or 'eval' or 'single'")),
        };
        let text = source_text(vm, source, "symtable() arg 1", &filename)?;
        let options = Options {
            filename,
            ..Options::default()
        };
        let info = symbol_table(&text, mode, &options).map_err(|e| raise_syntax_error(vm, &options.filename, e))?;
        Ok(entry(vm, &info)?.into_value())
    }

    #[pyattr]
    const USE: i32 = 16;
    #[pyattr]
    const DEF_GLOBAL: i32 = 1;
    #[pyattr]
    const DEF_NONLOCAL: i32 = 8;
    #[pyattr]
    const DEF_LOCAL: i32 = 2;
    #[pyattr]
    const DEF_PARAM: i32 = 4;
    #[pyattr]
    const DEF_TYPE_PARAM: i32 = 1024;
    #[pyattr]
    const DEF_FREE_CLASS: i32 = 64;
    #[pyattr]
    const DEF_IMPORT: i32 = 128;
    #[pyattr]
    const DEF_BOUND: i32 = 1158;
    #[pyattr]
    const DEF_ANNOT: i32 = 256;
    #[pyattr]
    const DEF_COMP_ITER: i32 = 512;
    #[pyattr]
    const DEF_COMP_CELL: i32 = 2048;
    #[pyattr]
    const TYPE_FUNCTION: i32 = 0;
    #[pyattr]
    const TYPE_CLASS: i32 = 1;
    #[pyattr]
    const TYPE_MODULE: i32 = 2;
    #[pyattr]
    const TYPE_ANNOTATION: i32 = 3;
    #[pyattr]
    const TYPE_TYPE_ALIAS: i32 = 4;
    #[pyattr]
    const TYPE_TYPE_PARAMETERS: i32 = 5;
    #[pyattr]
    const TYPE_TYPE_VARIABLE: i32 = 6;
    #[pyattr]
    const LOCAL: i32 = 1;
    #[pyattr]
    const GLOBAL_EXPLICIT: i32 = 2;
    #[pyattr]
    const GLOBAL_IMPLICIT: i32 = 3;
    #[pyattr]
    const FREE: i32 = 4;
    #[pyattr]
    const CELL: i32 = 5;
    #[pyattr]
    const SCOPE_OFF: i32 = 12;
    #[pyattr]
    const SCOPE_MASK: i32 = 15;
}
