//! The codec registry: search functions, the codecs they found, error handlers. Behind the functions of `_codecs`.
//!
//! Invariant: no Python code runs while the list of search functions is locked. The package `encodings`, which registers
//! the first search function, is imported at the first lookup.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::handlers;
use crate::intern;
use crate::object::{Py, PySlot, Value};
use crate::sync::Mutex;
use crate::text::codec::Errors;
use crate::types::dict::Dict;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

static SEARCH: Mutex<Vec<Value>> = Mutex::new(Vec::new());
static CACHE: PySlot<Dict> = PySlot::empty();
static HANDLERS: PySlot<Dict> = PySlot::empty();
static READY: AtomicBool = AtomicBool::new(false);

/// The name that search functions get: lower case, with one underscore for each run of what is no letter, digit or dot.
pub fn normalized(encoding: &str) -> String {
    let mut name = String::with_capacity(encoding.len());
    let mut gap = false;
    for c in encoding.chars() {
        if c.is_ascii_alphanumeric() || c == '.' {
            if gap && !name.is_empty() {
                name.push('_');
            }
            gap = false;
            name.push(c.to_ascii_lowercase());
        } else {
            gap = true;
        }
    }
    name
}

fn dict_of(slot: &PySlot<Dict>) -> Py<Dict> {
    match slot.get() {
        Some(dict) => dict,
        None => {
            let _ = slot.raw().set_if_empty(Dict::new_empty().into_value());
            slot.get().unwrap_or_else(Dict::new_empty)
        }
    }
}

/// Adds a search function.
pub fn register(vm: &Vm, function: &Value) -> Res<()> {
    if function.ty().slots().call.is_none() {
        return Err(vm.type_error("argument must be callable"));
    }
    SEARCH.lock().push(function.clone());
    Ok(())
}

/// Removes a search function and forgets the codecs that were found.
pub fn unregister(function: &Value) {
    let mut functions = SEARCH.lock();
    let found = functions.iter().position(|f| f.is(function));
    let removed = found.map(|at| functions.remove(at));
    drop(functions);
    if removed.is_some() {
        dict_of(&CACHE).clear_all();
    }
}

/// The `CodecInfo` of an encoding.
pub fn lookup(vm: &Vm, encoding: &str) -> Res<Value> {
    if !READY.load(Relaxed) {
        vm.import_module("encodings")?;
        READY.store(true, Relaxed);
    }
    let name = Str::from_str(&normalized(encoding));
    let cache = dict_of(&CACHE);
    if let Some(found) = cache.get_str(&name) {
        return Ok(found);
    }
    let functions = SEARCH.lock().clone();
    if functions.is_empty() {
        return Err(vm.lookup_error("no codec search functions registered: can't find encoding"));
    }
    for function in &functions {
        let found = vm.call(function, &[name.to_value()])?;
        if found.is_none() {
            continue;
        }
        if found.downcast::<Tuple>().is_none_or(|tuple| tuple.len() != 4) {
            return Err(vm.type_error("codec search functions must return 4-tuples"));
        }
        cache.set_str(&name.intern_new(), found.clone());
        return Ok(found);
    }
    Err(vm.lookup_error(format!("unknown encoding: {encoding}")))
}

/// Calls the encoder or decoder of a `CodecInfo`: the first item of what it returns. An error gets a note that names the codec.
pub fn run_codec(
    vm: &Vm,
    info: &Value,
    encode: bool,
    object: &Value,
    encoding: &str,
    errors: Option<&str>,
) -> Res<Value> {
    let function = info
        .downcast::<Tuple>()
        .and_then(|tuple| tuple.as_slice().get(usize::from(!encode)).cloned());
    let Some(function) = function else {
        return Err(vm.type_error("codec search functions must return 4-tuples"));
    };
    let mut args = vec![object.clone()];
    args.extend(errors.map(Value::from));
    let answer = vm.call(&function, &args).map_err(|exc| {
        let way = if encode { "encoding" } else { "decoding" };
        let note = Value::from(format!("{way} with '{encoding}' codec failed").as_str());
        match vm.call_method(exc.value(), intern!("add_note"), &[note]) {
            Ok(_) => exc,
            Err(other) => other,
        }
    })?;
    match answer.downcast::<Tuple>().map(|tuple| tuple.as_slice()) {
        Some([result, _]) => Ok(result.clone()),
        _ => Err(vm.type_error(if encode {
            "encoder must return a tuple (object, integer)"
        } else {
            "decoder must return a tuple (object,integer)"
        })),
    }
}

/// Registers an error handler.
pub fn register_error(vm: &Vm, name: &Py<Str>, handler: &Value) -> Res<()> {
    if handler.ty().slots().call.is_none() {
        return Err(vm.type_error("handler must be callable"));
    }
    dict_of(&HANDLERS).set_str(name, handler.clone());
    Ok(())
}

/// Removes an error handler; says whether it was there.
pub fn unregister_error(vm: &Vm, name: &Py<Str>) -> Res<bool> {
    if Errors::from_name(&name.to_string_lossy()).is_some() {
        let name = name.to_string_lossy();
        return Err(vm.value_error(format!("cannot un-register built-in error handler '{name}'")));
    }
    Ok(dict_of(&HANDLERS).remove_str(name).is_some())
}

/// The error handler of that name.
pub fn lookup_error(vm: &Vm, name: &str) -> Res<Value> {
    if let Some(found) = registered_error(name) {
        return Ok(found);
    }
    match handlers::builtin(name) {
        Some(handler) => Ok(handler),
        None => Err(vm.lookup_error(format!("unknown error handler name '{name}'"))),
    }
}

fn registered_error(name: &str) -> Option<Value> {
    HANDLERS.get()?.get_str(&Str::from_str(name))
}
