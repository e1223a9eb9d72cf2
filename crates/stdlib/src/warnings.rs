//! `_warnings`: deciding what becomes of a warning; `warnings` has the rest, and everything here that it can replace is looked up there.
//!
//! Invariant: registries and filters are changed with the module's lock held, a reentrant one that `warnings` takes too
//! (`_acquire_lock`); Python code may run under it, as in CPython.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use lisle_runtime::intern;
use lisle_runtime::interp;
use lisle_runtime::native::{Exc, Py, PySlot, Res, Str, Type, Value, Vm, pymodule};
use lisle_runtime::threads::{AcquireResult, RawRLock};
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions::{self, ExcType};
use lisle_runtime::types::list::List;
use lisle_runtime::types::tuple::Tuple;

use crate::contextvars::ContextVar;

static LOCK: RawRLock = RawRLock::new();
/// Grows when filters change; registries of an older version are stale.
static VERSION: AtomicI64 = AtomicI64::new(1);
/// The filters to be used while `warnings` is not there.
static FILTERS: PySlot<List> = PySlot::empty();
static ONCE: PySlot<Dict> = PySlot::empty();
static CONTEXT: PySlot<ContextVar> = PySlot::empty();

fn filters() -> Py<List> {
    FILTERS.get().unwrap_or_else(|| {
        let entry = |action: &str, class: &'static ExcType, module: Option<&str>| {
            let module = module.map_or(Value::NONE, Value::from);
            let fields = [
                Value::from(action),
                Value::NONE,
                class.get().to_value(),
                module,
                Value::int(0),
            ];
            Tuple::from_array(fields).into_value()
        };
        let list = List::new(vec![
            entry("default", &exceptions::DEPRECATION_WARNING, Some("__main__")),
            entry("ignore", &exceptions::DEPRECATION_WARNING, None),
            entry("ignore", &exceptions::PENDING_DEPRECATION_WARNING, None),
            entry("ignore", &exceptions::IMPORT_WARNING, None),
            entry("ignore", &exceptions::RESOURCE_WARNING, None),
        ]);
        FILTERS.set(list.clone());
        list
    })
}

fn once_registry() -> Py<Dict> {
    ONCE.get().unwrap_or_else(|| {
        let dict = Dict::new_empty();
        ONCE.set(dict.clone());
        dict
    })
}

fn context_var() -> Py<ContextVar> {
    CONTEXT.get().unwrap_or_else(|| {
        let var = ContextVar::new("warnings_context");
        CONTEXT.set(var.clone());
        var
    })
}

/// The lock, held until dropped.
struct Held;

impl Held {
    fn take(vm: &Vm) -> Res<Held> {
        loop {
            match LOCK.acquire(None, true) {
                AcquireResult::Acquired => return Ok(Held),
                _ => vm.safepoint()?,
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        LOCK.release();
    }
}

/// `warnings.<name>`, if the module is there; with `import` it is imported first.
fn from_warnings(vm: &Vm, name: &Py<Str>, import: bool) -> Res<Option<Value>> {
    let module = if import {
        match vm.import_module("warnings") {
            Ok(module) => module,
            Err(exc) if exc.is(&exceptions::IMPORT_ERROR) => return Ok(None),
            Err(exc) => return Err(exc),
        }
    } else {
        match interp::modules().get_str(intern!("warnings")) {
            Some(module) => module,
            None => return Ok(None),
        }
    };
    vm.getattr_opt(&module, name)
}

/// Whether `pattern` (None, a str, or something with `match`) fits.
fn fits(vm: &Vm, pattern: &Value, text: &Value) -> Res<bool> {
    if pattern.is_none() {
        return Ok(true);
    }
    if pattern.downcast_exact::<Str>().is_some() {
        return vm.eq(pattern, text);
    }
    let result = vm.call_method(pattern, intern!("match"), std::slice::from_ref(text))?;
    vm.truth(&result)
}

/// What is warned of.
struct Warning<'a> {
    category: &'a Value,
    text: &'a Value,
    line: i64,
    module: &'a Value,
}

/// The action of the first filter in `list` that fits, and the filter.
fn search(vm: &Vm, warning: &Warning<'_>, list: &Py<List>, name: &str) -> Res<Option<(Py<Str>, Value)>> {
    let mut at = 0;
    while let Some(item) = list.get(at) {
        let Some([action, message, category, module, line]) = item
            .downcast::<Tuple>()
            .and_then(|tuple| tuple.as_slice().as_array::<5>())
        else {
            return Err(vm.value_error(format!("warnings.{name} item {at} isn't a 5-tuple")));
        };
        at += 1;
        let Some(action) = action.downcast::<Str>() else {
            return Err(vm.type_error(format!("action must be a string, not '{}'", action.ty().name())));
        };
        if !fits(vm, message, warning.text)? || !fits(vm, module, warning.module)? {
            continue;
        }
        if !vm.issubclass(warning.category, category)? {
            continue;
        }
        let line = vm.index_to_i64(line)?;
        if line == 0 || line == warning.line {
            return Ok(Some((action.clone(), item.clone())));
        }
    }
    Ok(None)
}

/// Whether `sys.flags.context_aware_warnings` is set.
fn context_aware(vm: &Vm) -> Res<bool> {
    let Some(flags) = interp::sys_attr(vm, intern!("flags")) else {
        return Ok(false);
    };
    match vm.getattr_opt(&flags, intern!("context_aware_warnings"))? {
        Some(flag) => vm.truth(&flag),
        None => Ok(false),
    }
}

/// What to do, and the filter that says so (None for the default action).
fn action_for(vm: &Vm, warning: &Warning<'_>) -> Res<(Py<Str>, Value)> {
    let mut global = true;
    if context_aware(vm)?
        && let Some(context) = ContextVar::value(vm, &context_var())?
        && !context.is_none()
    {
        let list = vm.getattr(&context, intern!("_filters"))?;
        let Some(list) = list.downcast::<List>() else {
            return Err(vm.value_error("_filters of warnings._warnings_context must be a list"));
        };
        if let Some(found) = search(vm, warning, list, "_warnings_context")? {
            return Ok(found);
        }
        global = false;
    }
    if global {
        let list = match from_warnings(vm, intern!("filters"), false)? {
            Some(list) => list,
            None => filters().into_value(),
        };
        let Some(list) = list.downcast::<List>() else {
            return Err(vm.value_error("warnings.filters must be a list"));
        };
        // For when the module's name is deleted.
        FILTERS.set(list.clone());
        if let Some(found) = search(vm, warning, list, "filters")? {
            return Ok(found);
        }
    }
    let action = from_warnings(vm, intern!("defaultaction"), false)?;
    let action = action.unwrap_or_else(|| intern!("default").to_value());
    match action.try_into_py::<Str>() {
        Ok(action) => Ok((action, Value::NONE)),
        Err(other) => Err(vm.type_error(format!(
            "warnings.defaultaction must be a string, not '{}'",
            other.ty().name()
        ))),
    }
}

/// Whether the registry has the key; with `set` it is entered otherwise. A stale registry is emptied.
fn already_warned(vm: &Vm, registry: &Py<Dict>, key: &Value, set: bool) -> Res<bool> {
    let version = VERSION.load(Relaxed);
    let known = registry.get_str(intern!("version")).and_then(|v| v.as_small_int());
    if known == Some(version) {
        if let Some(warned) = registry.get(vm, key)?
            && vm.truth(&warned)?
        {
            return Ok(true);
        }
    } else {
        registry.clear_all();
        registry.set_str(intern!("version"), Value::int(version));
    }
    if set {
        registry.set(vm, key, Value::TRUE)?;
    }
    Ok(false)
}

/// The file's name without ".py".
fn module_of(filename: &Py<Str>) -> Value {
    let name = filename.to_string_lossy();
    if name.is_empty() {
        return Value::from("<unknown>");
    }
    match name.strip_suffix(".py") {
        Some(stem) => Value::from(stem),
        None => filename.to_value(),
    }
}

/// Where a warning is issued.
struct Place {
    filename: Py<Str>,
    line: i64,
    module: Option<Value>,
    registry: Option<Py<Dict>>,
    /// The line's text, when a loader gave it.
    source_line: Option<Value>,
}

fn issue(vm: &Vm, category: &Value, message: &Value, place: Place, source: Option<&Value>) -> Res<()> {
    if place.module.as_ref().is_some_and(Value::is_none) {
        return Ok(());
    }
    let module = place.module.clone().unwrap_or_else(|| module_of(&place.filename));
    let (text, message, category) = if vm.isinstance(message, exceptions::WARNING.get().as_value())? {
        let text = vm.str(message)?.into_value();
        (text, message.clone(), message.ty().to_value())
    } else {
        let made = vm.call(category, std::slice::from_ref(message))?;
        (message.clone(), made, category.clone())
    };
    let line = Value::int(place.line);
    let key = Tuple::from_array([text.clone(), category.clone(), line.clone()]).into_value();
    {
        let _held = Held::take(vm)?;
        if let Some(registry) = &place.registry
            && already_warned(vm, registry, &key, false)?
        {
            return Ok(());
        }
        let warning = Warning {
            category: &category,
            text: &text,
            line: place.line,
            module: &module,
        };
        let (action, item) = action_for(vm, &warning)?;
        let action_text = action.to_string_lossy();
        match action_text.as_str() {
            "error" => return Err(raise(vm, &category, message)),
            "ignore" => return Ok(()),
            _ => {}
        }
        if !matches!(action_text.as_str(), "always" | "all") {
            if let Some(registry) = &place.registry {
                registry.set(vm, &key, Value::TRUE)?;
            }
            let pair = Tuple::pair(text.clone(), category.clone()).into_value();
            let seen = match action_text.as_str() {
                "once" => {
                    let registry = match &place.registry {
                        Some(registry) => registry.clone(),
                        None => once_dict(vm)?,
                    };
                    already_warned(vm, &registry, &pair, true)?
                }
                "module" => match &place.registry {
                    Some(registry) => already_warned(vm, registry, &pair, true)?,
                    None => false,
                },
                "default" => false,
                _ => {
                    let (action, item) = (vm.repr(action.as_value())?, vm.repr(&item)?);
                    return Err(vm.runtime_error(format!(
                        "Unrecognized action ({}) in warnings.filters:\n {}",
                        action.to_string_lossy(),
                        item.to_string_lossy()
                    )));
                }
            };
            if seen {
                return Ok(());
            }
        }
    }
    show(vm, &category, &text, message, &place, line, source)
}

fn raise(vm: &Vm, category: &Value, message: Value) -> Exc {
    match Exc::try_from_value(message) {
        Ok(exc) => exc,
        Err(message) => match category.downcast::<Type>() {
            Some(class) => vm.new_exception(class, vec![message]),
            None => vm.type_error("exceptions must derive from BaseException"),
        },
    }
}

/// `warnings.onceregistry`.
fn once_dict(vm: &Vm) -> Res<Py<Dict>> {
    match from_warnings(vm, intern!("onceregistry"), false)? {
        None => Ok(once_registry()),
        Some(registry) => registry.try_into_py::<Dict>().map_err(|other| {
            vm.type_error(format!(
                "warnings.onceregistry must be a dict, not '{}'",
                other.ty().name()
            ))
        }),
    }
}

fn show(
    vm: &Vm,
    category: &Value,
    text: &Value,
    message: Value,
    place: &Place,
    line: Value,
    source: Option<&Value>,
) -> Res<()> {
    // Only the Python implementation can tell where the source was allocated.
    let Some(show) = from_warnings(vm, intern!("_showwarnmsg"), source.is_some())? else {
        return show_plainly(vm, category, text, place);
    };
    if place.filename.to_string_lossy().starts_with('<') {
        // The line is shown, also where the program is in no file.
        crate::cli::register_text(vm)?;
    }
    if !vm.is_callable(&show) {
        return Err(vm.type_error("warnings._showwarnmsg() must be set to a callable"));
    }
    let Some(class) = from_warnings(vm, intern!("WarningMessage"), false)? else {
        return Err(vm.runtime_error("unable to get warnings.WarningMessage"));
    };
    let fields = [
        message,
        category.clone(),
        place.filename.to_value(),
        line,
        Value::NONE,
        Value::NONE,
        source.cloned().unwrap_or(Value::NONE),
    ];
    let shown = vm.call(&class, &fields)?;
    vm.call(&show, &[shown]).map(drop)
}

/// Writes to `sys.stderr` while there is no `warnings`.
fn show_plainly(vm: &Vm, category: &Value, text: &Value, place: &Place) -> Res<()> {
    let stderr = match interp::sys_attr(vm, intern!("stderr")) {
        Some(stderr) if !stderr.is_none() => stderr,
        _ => return Ok(()),
    };
    let name = vm.getattr(category, intern!("__name__"))?;
    let filename = place.filename.to_string_lossy();
    let mut out = format!(
        "{filename}:{}: {}: {}\n",
        place.line,
        vm.str(&name)?.to_string_lossy(),
        vm.str(text)?.to_string_lossy()
    );
    let line = match &place.source_line {
        Some(line) => Some(vm.str(line)?.to_string_lossy()),
        None => {
            let number = usize::try_from(place.line).ok().and_then(|n| n.checked_sub(1));
            let content = vm.detached(|| std::fs::read(&filename).ok());
            content
                .zip(number)
                .and_then(|(content, n)| String::from_utf8_lossy(&content).lines().nth(n).map(str::to_owned))
        }
    };
    if let Some(line) = line {
        out.push_str(&format!("  {}\n", line.trim()));
    }
    vm.call_method(&stderr, intern!("write"), &[Value::from(out.as_str())])
        .map(drop)
}

/// Whether the frame of this file belongs to the import machinery.
fn is_internal(filename: &str) -> bool {
    (filename.contains("importlib") && filename.contains("_bootstrap")) || filename.ends_with("_lisle_importer.py")
}

/// The frame that the warning is about, as place.
fn caller(vm: &Vm, stacklevel: isize, prefixes: &[String]) -> Res<Place> {
    let mut n = 0;
    let mut left = stacklevel;
    let name = |n: usize| vm.frame_nth(n).map(|frame| frame.code.filename.to_string_lossy());
    let skips = left > 0 && name(0).is_some_and(|name| !is_internal(&name));
    let mut missing = name(0).is_none();
    while !missing {
        left -= 1;
        if left <= 0 {
            break;
        }
        loop {
            n += 1;
            match name(n) {
                None => {
                    missing = true;
                    break;
                }
                Some(name) if skips && (is_internal(&name) || prefixes.iter().any(|p| name.starts_with(p))) => {}
                Some(_) => break,
            }
        }
    }
    let frame = if missing { None } else { vm.frame_nth(n) };
    let (globals, filename, line) = match frame {
        Some(frame) => (frame.globals.clone(), frame.code.filename.clone(), frame.line(vm)),
        None => (interp::sys_dict(), Str::intern("<sys>"), 0),
    };
    let key = intern!("__warningregistry__");
    let registry = match globals.get_str(key) {
        Some(found) => found,
        None => globals.set_default_str(key, Dict::new_empty().into_value()),
    };
    let registry = if registry.is_none() {
        None
    } else {
        match registry.try_into_py::<Dict>() {
            Ok(registry) => Some(registry),
            Err(_) => return Err(vm.type_error("'registry' must be a dict or None")),
        }
    };
    let module = globals
        .get_str(intern!("__name__"))
        .filter(|name| name.is_none() || name.downcast::<Str>().is_some());
    Ok(Place {
        filename,
        line: line.into(),
        module: Some(module.unwrap_or_else(|| Value::from("<string>"))),
        registry,
        source_line: None,
    })
}

/// The line that the module's loader gives.
fn loader_line(vm: &Vm, globals: &Value, line: i64) -> Res<Option<Value>> {
    let external = vm.import_module("_frozen_importlib_external")?;
    let bless = vm.getattr(&external, intern!("_bless_my_loader"))?;
    let loader = vm.call(&bless, std::slice::from_ref(globals))?;
    let name = globals.downcast::<Dict>().and_then(|g| g.get_str(intern!("__name__")));
    let Some(name) = name.filter(|_| !loader.is_none()) else {
        return Ok(None);
    };
    let Some(get_source) = vm.getattr_opt(&loader, intern!("get_source"))? else {
        return Ok(None);
    };
    let source = vm.call(&get_source, &[name])?;
    if source.is_none() {
        return Ok(None);
    }
    let lines = vm.call_method(&source, intern!("splitlines"), &[])?;
    let at = usize::try_from(line - 1).ok();
    Ok(lines.downcast::<List>().zip(at).and_then(|(lines, at)| lines.get(at)))
}

#[pymodule(
    name = "_warnings",
    doc = "_warnings provides basic warning filtering support.\nIt is a helper module to speed up interpreter start-up."
)]
pub mod module {
    use super::*;

    /// Issue a warning, or maybe ignore it or raise an exception.
    ///
    ///   message
    ///     Text of the warning message.
    ///   category
    ///     The Warning category subclass. Defaults to UserWarning.
    ///   stacklevel
    ///     How far up the call stack to make this warning appear. A value of 2 for
    ///     example attributes the warning to the caller of the code calling warn().
    ///   source
    ///     If supplied, the destroyed object which emitted a ResourceWarning
    ///   skip_file_prefixes
    ///     An optional tuple of module filename prefixes indicating frames to skip
    ///     during stacklevel computations for stack frame attribution.
    #[pyfunction(sig = "(message, category=None, stacklevel=1, source=None, *, skip_file_prefixes=<unrepresentable>)")]
    fn warn(
        vm: &Vm,
        message: &Value,
        category: Option<&Value>,
        stacklevel: Option<isize>,
        source: Option<&Value>,
        skip_file_prefixes: Option<&Py<Tuple>>,
    ) -> Res<()> {
        let mut stacklevel = stacklevel.unwrap_or(1);
        let mut prefixes = Vec::new();
        for prefix in skip_file_prefixes.map_or(&[][..], |tuple| tuple.as_slice()) {
            let Some(prefix) = prefix.downcast::<Str>() else {
                return Err(vm.type_error(format!("Found non-str '{}' in skip_file_prefixes.", prefix.ty().name())));
            };
            prefixes.push(prefix.to_string_lossy());
        }
        if !prefixes.is_empty() {
            stacklevel = stacklevel.max(2);
        }
        let warning = exceptions::WARNING.get().as_value();
        let category = if vm.isinstance(message, warning)? {
            message.ty().to_value()
        } else {
            let category = category.filter(|category| !category.is_none());
            category.map_or_else(|| exceptions::USER_WARNING.get().to_value(), Value::clone)
        };
        if category.downcast::<Type>().is_none() || !vm.issubclass(&category, warning)? {
            return Err(vm.type_error(format!(
                "category must be a Warning subclass, not '{}'",
                category.ty().name()
            )));
        }
        let place = caller(vm, stacklevel, &prefixes)?;
        issue(vm, &category, message, place, source.filter(|source| !source.is_none()))
    }

    /// Issue a warning, or maybe ignore it or raise an exception.
    #[pyfunction(
        sig = "(message, category, filename, lineno, module=<unrepresentable>, registry=None, module_globals=None, source=None)"
    )]
    fn warn_explicit(
        vm: &Vm,
        message: &Value,
        category: &Value,
        filename: &Py<Str>,
        lineno: i32,
        module: Option<&Value>,
        registry: Option<&Value>,
        module_globals: Option<&Value>,
        source: Option<&Value>,
    ) -> Res<()> {
        let mut source_line = None;
        if let Some(globals) = module_globals.filter(|globals| !globals.is_none()) {
            if globals.downcast::<Dict>().is_none() {
                return Err(vm.type_error(format!("module_globals must be a dict, not '{}'", globals.ty().name())));
            }
            source_line = loader_line(vm, globals, lineno.into())?;
        }
        let registry = match registry.filter(|registry| !registry.is_none()) {
            None => None,
            Some(registry) => match registry.downcast::<Dict>() {
                Some(registry) => Some(registry.clone()),
                None => return Err(vm.type_error("'registry' must be a dict or None")),
            },
        };
        let place = Place {
            filename: filename.clone(),
            line: lineno.into(),
            module: module.cloned(),
            registry,
            source_line,
        };
        issue(vm, category, message, place, source.filter(|source| !source.is_none()))
    }

    #[pyfunction(sig = "()")]
    fn _filters_mutated_lock_held(vm: &Vm) -> Res<()> {
        if !LOCK.is_owned() {
            return Err(vm.runtime_error("warnings._filters_mutated_lock_held() called without holding the lock"));
        }
        VERSION.fetch_add(1, Relaxed);
        Ok(())
    }

    #[pyfunction(sig = "()")]
    fn _acquire_lock(vm: &Vm) -> Res<()> {
        std::mem::forget(Held::take(vm)?);
        Ok(())
    }

    #[pyfunction(sig = "()")]
    fn _release_lock(vm: &Vm) -> Res<()> {
        if LOCK.is_owned() {
            LOCK.release();
            return Ok(());
        }
        Err(vm.runtime_error("cannot release un-acquired lock"))
    }

    #[pyattr(name = "filters")]
    fn filter_list(_: &Vm) -> Value {
        filters().into_value()
    }

    #[pyattr]
    fn _onceregistry(_: &Vm) -> Value {
        once_registry().into_value()
    }

    #[pyattr]
    fn _defaultaction(_: &Vm) -> &'static str {
        "default"
    }

    #[pyattr]
    fn _warnings_context(_: &Vm) -> Value {
        context_var().into_value()
    }
}
