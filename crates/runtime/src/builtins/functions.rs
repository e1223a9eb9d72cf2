//! The module `builtins`.

use lisle_bytecode::opcode::CmpOp;

use crate::native::{KwArgs, pymodule};
use crate::object::{Native, Py, Type, Value};
use crate::text::StrBuilder;
use crate::types::dict::Dict;
use crate::types::exceptions;
use crate::types::function::Function;
use crate::types::list::List;
use crate::types::module::Module;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};
use crate::{intern, native::Args};

/// What `print` writes to a plain stream. The pieces are written at once, but for those that objects of the program are asked for.
fn print_natively(
    vm: &Vm,
    file: &Value,
    write: crate::interp::TextWriter,
    args: &[Value],
    sep: &Value,
    end: &Value,
) -> Res<()> {
    let (Some(sep), Some(end)) = (sep.downcast::<Str>(), end.downcast::<Str>()) else {
        return Ok(());
    };
    if let ([only], true) = (args, end.is_empty()) {
        return write(vm, file, &vm.str(only)?);
    }
    let mut line = StrBuilder::new();
    for (i, arg) in args.iter().enumerate() {
        if i > 0 {
            line.push_view(sep.view());
        }
        if let Some(text) = arg.downcast_exact::<Str>() {
            line.push_view(text.view());
            continue;
        }
        // Making the text may run code that prints, or fail.
        let quiet = arg.is_small_int() || arg.is_none() || arg.is_bool() || arg.as_exact_float().is_some();
        if !quiet && !line.is_empty() {
            let before = Str::from_buf(std::mem::take(&mut line).finish());
            write(vm, file, &before)?;
        }
        line.push_view(vm.str(arg)?.view());
    }
    line.push_view(end.view());
    if line.is_empty() {
        return Ok(());
    }
    write(vm, file, &Str::from_buf(line.finish()))
}

/// `min` and `max`.
fn extreme(vm: &Vm, name: &str, op: CmpOp, args: &[Value], kwargs: KwArgs<'_>) -> Res<Value> {
    let (mut key, mut default) = (None, None);
    for (k, v) in kwargs.iter() {
        if k.is_text("key") {
            key = Some(v.clone()).filter(|v| !v.is_none());
        } else if k.is_text("default") {
            default = Some(v.clone());
        } else {
            return Err(vm.type_error(format!(
                "{name}() got an unexpected keyword argument '{}'",
                k.to_string_lossy()
            )));
        }
    }
    let many;
    let iterable = match args {
        [] => return Err(vm.type_error(format!("{name} expected at least 1 argument, got 0"))),
        [one] => one,
        _ if default.is_some() => {
            return Err(vm.type_error(format!(
                "Cannot specify a default for {name}() with multiple positional arguments"
            )));
        }
        [first, rest @ ..] if key.is_none() => {
            let mut best = first;
            for item in rest {
                if vm.ordered(item, best, op)? {
                    best = item;
                }
            }
            return Ok(best.clone());
        }
        _ => {
            many = Tuple::new(args.to_vec()).into_value();
            &many
        }
    };
    let mut each = vm.each(iterable)?;
    let mut best: Option<(Value, Value)> = None;
    if key.is_none() {
        let mut best: Option<Value> = None;
        while let Some(item) = each.next(vm)? {
            if match &best {
                None => true,
                Some(top) => vm.ordered(&item, top, op)?,
            } {
                best = Some(item);
            }
        }
        return match best.or(default) {
            Some(item) => Ok(item),
            None => Err(vm.value_error(format!("{name}() iterable argument is empty"))),
        };
    }
    while let Some(item) = each.next(vm)? {
        let rank = match &key {
            Some(key) => vm.call(key, std::slice::from_ref(&item))?,
            None => item.clone(),
        };
        if match &best {
            None => true,
            Some((_, top)) => vm.ordered(&rank, top, op)?,
        } {
            best = Some((item, rank));
        }
    }
    match (best, default) {
        (Some((item, _)), _) => Ok(item),
        (None, Some(default)) => Ok(default),
        (None, None) => Err(vm.value_error(format!("{name}() iterable argument is empty"))),
    }
}

/// `__build_class__(func, name, *bases, metaclass=None, **kwds)`.
fn build_class(vm: &Vm, args: &[Value], kwargs: KwArgs<'_>) -> Res<Value> {
    let [func, name, bases @ ..] = args else {
        return Err(vm.type_error("__build_class__: not enough arguments"));
    };
    let Some(function) = func.downcast_exact::<Function>() else {
        return Err(vm.type_error("__build_class__: func must be a function"));
    };
    if name.downcast::<Str>().is_none() {
        return Err(vm.type_error("__build_class__: name is not a string"));
    }
    let original = Tuple::new(bases.to_vec());
    let mut resolved: Vec<Value> = Vec::with_capacity(bases.len());
    let mut changed = false;
    for base in bases {
        if base.downcast::<Type>().is_some() {
            resolved.push(base.clone());
            continue;
        }
        match vm.getattr_opt(base, intern!("__mro_entries__"))? {
            None => resolved.push(base.clone()),
            Some(f) => {
                let entries = vm.call(&f, &[original.to_value()])?;
                let Some(entries) = entries.downcast::<Tuple>() else {
                    return Err(vm.type_error("__mro_entries__ must return a tuple"));
                };
                resolved.extend_from_slice(entries.as_slice());
                changed = true;
            }
        }
    }
    let mut metaclass = None;
    let mut names = Vec::new();
    let mut values = Vec::new();
    for (k, v) in kwargs.iter() {
        if k.is_text("metaclass") {
            metaclass = Some(v.clone());
        } else {
            names.push(k.to_value());
            values.push(v.clone());
        }
    }
    let names = Tuple::new(names);
    let meta = match metaclass {
        Some(m) => m,
        None => match resolved.first() {
            Some(base) => base.ty().to_value(),
            None => Type::ty().to_value(),
        },
    };
    let meta = match meta.downcast::<Type>() {
        Some(m) => crate::types::type_::calculate_metaclass(vm, m, &resolved)?.into_value(),
        None => meta,
    };
    let with_keywords = |first: &[Value]| -> (Vec<Value>, bool) {
        (first.iter().chain(&values).cloned().collect(), !values.is_empty())
    };
    let bases_value = Tuple::new(resolved).into_value();
    let namespace = match vm.getattr_opt(&meta, intern!("__prepare__"))? {
        None => Dict::new_empty().into_value(),
        Some(prepare) => {
            let (all, has) = with_keywords(&[name.clone(), bases_value.clone()]);
            vm.call_args(
                &prepare,
                Args {
                    values: &all,
                    kwnames: has.then_some(&names),
                },
            )?
        }
    };
    if namespace.downcast::<Dict>().is_none() && namespace.ty().slots().getitem.is_none() {
        let meta_name = meta
            .downcast::<Type>()
            .map_or_else(|| "<metaclass>".into(), |m| m.name());
        let got = namespace.ty().name();
        return Err(vm.type_error(format!("{meta_name}.__prepare__() must return a mapping, not {got}")));
    }
    let code = function
        .code
        .get()
        .ok_or_else(|| vm.system_error("function without code"))?;
    let cell = vm.run_code(&code, &function.globals, Some(&namespace), function.closure.as_ref())?;
    if changed {
        vm.setitem(&namespace, intern!("__orig_bases__").as_value(), original.as_value())?;
    }
    let (all, has) = with_keywords(&[name.clone(), bases_value, namespace]);
    let class = vm.call_args(
        &meta,
        Args {
            values: &all,
            kwnames: has.then_some(&names),
        },
    )?;
    if let (Some(cell), Some(_)) = (
        cell.downcast_exact::<crate::types::cell::Cell>(),
        class.downcast::<Type>(),
    ) {
        let text = vm.str(name)?.to_string_lossy();
        match cell.contents.get() {
            None => {
                return Err(vm.runtime_error(format!(
                    "__class__ not set defining '{text}' as {}. Was __classcell__ propagated to type.__new__?",
                    vm.repr(&class)?.to_string_lossy()
                )));
            }
            Some(c) if !c.is(&class) => {
                return Err(vm.type_error(format!(
                    "__class__ set to {} defining '{text}' as {}",
                    vm.repr(&c)?.to_string_lossy(),
                    vm.repr(&class)?.to_string_lossy()
                )));
            }
            Some(_) => {}
        }
    }
    Ok(class)
}

/// `sum(iterable, start)`.
fn sum_of(vm: &Vm, iterable: &Value, start: Value) -> Res<Value> {
    let mut each = vm.each(iterable)?;
    let mut total = start;
    // Floats are added with Neumaier's compensation, as CPython does.
    let mut float: Option<(f64, f64)> = None;
    while let Some(item) = each.next(vm)? {
        if let (Some(x), Some(y)) = (total.as_small_int(), item.as_small_int()) {
            // Neither has more than 63 bits.
            total = Value::int(x + y);
            continue;
        }
        if let Some((sum, c)) = float {
            let x = match item.as_exact_float() {
                Some(x) => Some(x),
                None => item.as_small_int().map(|i| i as f64),
            };
            if let Some(x) = x {
                let t = sum + x;
                let c = if sum.abs() >= x.abs() {
                    c + ((sum - t) + x)
                } else {
                    c + ((x - t) + sum)
                };
                float = Some((t, c));
                continue;
            }
            total = Value::float(if c != 0.0 && c.is_finite() { sum + c } else { sum });
            float = None;
        } else if let Some(x) = total.as_exact_float() {
            let first = item.as_exact_float().or_else(|| item.as_small_int().map(|i| i as f64));
            if let Some(y) = first {
                let t = x + y;
                let c = if x.abs() >= y.abs() { (x - t) + y } else { (y - t) + x };
                float = Some((t, c));
                continue;
            }
        }
        total = vm.binary(lisle_bytecode::opcode::BinOp::Add, &total, &item)?;
    }
    if let Some((sum, c)) = float {
        total = Value::float(if c != 0.0 && c.is_finite() { sum + c } else { sum });
    }
    Ok(total)
}

#[pymodule(
    name = "builtins",
    doc = "Built-in functions, types, exceptions, and other objects.\n\nThis module provides direct access to all 'built-in'\nidentifiers of Python; for example, builtins.len is\nthe full name for the built-in function len().\n\nThis module is not normally accessed explicitly by most\napplications, but can be useful in modules that provide\nobjects with the same name as a builtin and need the\nbuilt-in of that name."
)]
pub mod module {
    use super::*;
    use crate::builtins::compile;
    use crate::text;
    use lisle_compiler::{Mode, Options};

    #[pyfunction(sig = "(func, name, /, *bases, **kwds)")]
    fn __build_class__(vm: &Vm, func: &Value, name: &Value, bases: &[Value], kwds: KwArgs<'_>) -> Res<Value> {
        let mut all = vec![func.clone(), name.clone()];
        all.extend_from_slice(bases);
        build_class(vm, &all, kwds)
    }

    /// Return the absolute value of the argument.
    #[pyfunction(sig = "(x, /)", known = Abs)]
    fn abs(vm: &Vm, x: &Value) -> Res<Value> {
        if let Some(x) = x.as_small_int() {
            return Ok(Value::int(x.abs()));
        }
        match x.ty().slots().abs {
            Some(f) => f(vm, x),
            None => Err(vm.type_error(format!("bad operand type for abs(): '{}'", x.ty().name()))),
        }
    }

    /// Return True if bool(x) is True for all values x in the iterable.
    ///
    /// If the iterable is empty, return True.
    #[pyfunction(sig = "(iterable, /)")]
    pub(crate) fn all(vm: &Vm, iterable: &Value) -> Res<bool> {
        let mut each = vm.each(iterable)?;
        while let Some(item) = each.next(vm)? {
            if !vm.truth(&item)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Return True if bool(x) is True for any x in the iterable.
    ///
    /// If the iterable is empty, return False.
    #[pyfunction(sig = "(iterable, /)")]
    pub(crate) fn any(vm: &Vm, iterable: &Value) -> Res<bool> {
        let mut each = vm.each(iterable)?;
        while let Some(item) = each.next(vm)? {
            if vm.truth(&item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Return an ASCII-only representation of an object.
    #[pyfunction(sig = "(obj, /)")]
    fn ascii(vm: &Vm, obj: &Value) -> Res<Py<Str>> {
        vm.ascii(obj)
    }

    fn in_base(vm: &Vm, number: &Value, base: u32, prefix: &str) -> Res<Value> {
        let index = vm.index(number)?;
        let Some(i) = vm.int_value(&index) else {
            return Err(vm.type_error("an integer is required"));
        };
        let i = i.to_bigint();
        // Of the digits there are some copies on the way.
        let digits = usize::try_from(i.bits() / u64::from(base.ilog2())).unwrap_or(usize::MAX);
        if !crate::text::room_for(digits.saturating_mul(5)) {
            return Err(vm.memory_error());
        }
        let digits = i.to_str_radix(base);
        let text = match digits.strip_prefix('-') {
            Some(rest) => format!("-{prefix}{rest}"),
            None => format!("{prefix}{digits}"),
        };
        Ok(Value::from(text.as_str()))
    }

    /// Return the binary representation of an integer.
    #[pyfunction(sig = "(number, /)")]
    fn bin(vm: &Vm, number: &Value) -> Res<Value> {
        in_base(vm, number, 2, "0b")
    }

    /// Return the octal representation of an integer.
    #[pyfunction(sig = "(number, /)")]
    fn oct(vm: &Vm, number: &Value) -> Res<Value> {
        in_base(vm, number, 8, "0o")
    }

    /// Return the hexadecimal representation of an integer.
    #[pyfunction(sig = "(number, /)")]
    fn hex(vm: &Vm, number: &Value) -> Res<Value> {
        in_base(vm, number, 16, "0x")
    }

    /// Return whether the object is callable (i.e., some kind of function).
    #[pyfunction(sig = "(obj, /)")]
    fn callable(vm: &Vm, obj: &Value) -> bool {
        vm.is_callable(obj)
    }

    /// Return a Unicode string of one character with ordinal i; 0 <= i <= 0x10ffff.
    #[pyfunction(sig = "(i, /)")]
    fn chr(vm: &Vm, i: &Value) -> Res<Value> {
        let n = vm.index_clamped(i)?;
        match u32::try_from(n) {
            Ok(c) if c <= 0x10ffff => Ok(Str::from_char(c).into_value()),
            _ => Err(vm.value_error("chr() arg not in range(0x110000)")),
        }
    }

    /// Return the ordinal value of a character.
    #[pyfunction(sig = "(character, /)", known = Ord)]
    fn ord(vm: &Vm, character: &Value) -> Res<Value> {
        let len = if let Some(s) = character.downcast::<Str>() {
            match (s.len(), s.view().get(0)) {
                (1, Some(c)) => return Ok(Value::int(c.into())),
                (n, _) => n,
            }
        } else if let Some(b) = character.downcast::<crate::types::bytes::Bytes>() {
            match b.as_slice() {
                [c] => return Ok(Value::int((*c).into())),
                more => more.len(),
            }
        } else if let Some(b) = character.downcast::<crate::types::bytearray::ByteArray>() {
            let data = b.data.with(b.header(), |d| d.clone());
            match data.as_slice() {
                [c] => return Ok(Value::int((*c).into())),
                more => more.len(),
            }
        } else {
            let got = character.ty().name();
            return Err(vm.type_error(format!("ord() expected string of length 1, but {got} found")));
        };
        Err(vm.type_error(format!("ord() expected a character, but string of length {len} found")))
    }

    /// Compile source into a code object that can be executed by exec() or eval().
    ///
    /// The source code may represent a Python module, statement or expression.
    #[pyfunction(sig = "(source, filename, mode, flags=0, dont_inherit=False, optimize=-1, *, _feature_version=-1)")]
    fn compile(
        vm: &Vm,
        source: &Value,
        filename: &Value,
        mode: &Py<Str>,
        flags: i64,
        dont_inherit: bool,
        optimize: i64,
        _feature_version: i64,
    ) -> Res<Value> {
        // It counts for trees alone.
        let feature_version = u8::try_from(_feature_version).ok().filter(|_| flags & 0x400 != 0);
        let filename = match filename.downcast::<Str>() {
            Some(s) => s.to_string_lossy(),
            None => match filename.downcast::<crate::types::bytes::Bytes>() {
                Some(b) => String::from_utf8_lossy(b.as_slice()).into_owned(),
                None => compile::path_text(vm, filename)?,
            },
        };
        let inherited = if dont_inherit {
            0
        } else {
            vm.frames.current().map_or(0, |f| f.code().flags)
        };
        if !(-1..=2).contains(&optimize) {
            return Err(vm.value_error("compile(): invalid optimize value"));
        }
        const ONLY_AST: i64 = 0x400;
        const OPTIMIZED: i64 = 0x8000;
        const TYPE_COMMENTS: i64 = 0x1000;
        const TOP_LEVEL_AWAIT: i64 = 0x2000;
        const INCOMPLETE: i64 = 0x4000;
        /// Of the feature nested_scopes, which is no feature any more.
        const NESTED: i64 = 0x10;
        if flags
            & !(0x1fe_0000
                | NESTED
                | ONLY_AST
                | TOP_LEVEL_AWAIT
                | INCOMPLETE
                | 0x200
                | TYPE_COMMENTS
                | OPTIMIZED
                | 0x100)
            != 0
        {
            return Err(vm.value_error("compile(): unrecognised flags"));
        }
        let compiler_mode = match mode.to_string_lossy().as_str() {
            "exec" => Mode::Exec,
            "eval" => Mode::Eval,
            "single" => Mode::Single,
            "func_type" if flags & ONLY_AST != 0 => Mode::FuncType,
            "func_type" => return Err(vm.value_error("compile() mode 'func_type' requires flag PyCF_ONLY_AST")),
            _ if flags & ONLY_AST != 0 => {
                return Err(vm.value_error("compile() mode must be 'exec', 'eval', 'single' or 'func_type'"));
            }
            _ => return Err(vm.value_error("compile() mode must be 'exec', 'eval' or 'single'")),
        };
        if let Some(code) = source.downcast::<crate::types::code::Code>() {
            return Ok(code.to_value());
        }
        let options = Options {
            filename,
            optimize: if optimize < 0 {
                crate::interp::optimize()
            } else {
                optimize as u8
            },
            future_flags: (inherited | flags as u32) & 0x1fe_0000,
            dont_imply_dedent: flags & 0x200 != 0,
            allow_top_level_await: flags & TOP_LEVEL_AWAIT != 0,
            allow_incomplete_input: flags & INCOMPLETE != 0,
            feature_version,
            type_comments: flags & TYPE_COMMENTS != 0,
            int_max_str_digits: 0,
        };
        let hooks = compile::ast_hooks();
        if let Some(hooks) = hooks
            && (hooks.is_node)(source)
        {
            if flags & ONLY_AST != 0 {
                // The tree itself, whatever it is; only the optimizer would look at it.
                if flags & OPTIMIZED != 0 {
                    (hooks.check)(vm, source, compiler_mode)?;
                }
                return Ok(source.clone());
            }
            return (hooks.compile)(vm, source, compiler_mode, &options).map(Py::into_value);
        }
        let text = compile::source_text(vm, source, "compile() arg 1", &options.filename)?;
        if flags & ONLY_AST != 0 {
            compile::audit(vm, &text, &options)?;
            return match hooks {
                Some(hooks) => (hooks.parse)(vm, &text, compiler_mode, &options),
                None => Err(vm.not_implemented_error("compile() to an abstract syntax tree")),
            };
        }
        compile::compile_source(vm, &text, compiler_mode, &options).map(Py::into_value)
    }

    /// Evaluate the given source in the context of globals and locals.
    #[pyfunction(sig = "(source, /, globals=None, locals=None)")]
    fn eval(vm: &Vm, source: &Value, globals: Option<&Value>, locals: Option<&Value>) -> Res<Value> {
        compile::run(vm, "eval", Mode::Eval, source, globals, locals, None)
    }

    /// Execute the given source in the context of globals and locals.
    #[pyfunction(sig = "(source, /, globals=None, locals=None, *, closure=None)")]
    fn exec(
        vm: &Vm,
        source: &Value,
        globals: Option<&Value>,
        locals: Option<&Value>,
        closure: Option<&Value>,
    ) -> Res<()> {
        compile::run(vm, "exec", Mode::Exec, source, globals, locals, closure).map(drop)
    }

    /// Deletes the named attribute from the given object.
    ///
    /// delattr(x, 'y') is equivalent to ``del x.y``
    #[pyfunction(sig = "(obj, name, /)")]
    fn delattr(vm: &Vm, obj: &Value, name: &Value) -> Res<()> {
        vm.delattr(obj, vm.attribute_name(name)?)
    }

    /// dir([object]) -> list of strings
    #[pyfunction(sig = "(object=<unrepresentable>, /)")]
    fn dir(vm: &Vm, object: Option<&Value>) -> Res<Value> {
        let names = match object {
            None => match vm.frames.current() {
                Some(f) => {
                    let locals = vm.frame_locals(f)?;
                    let keys = vm.call_method(&locals, intern!("keys"), &[])?;
                    vm.collect(&keys)?
                }
                None => return Err(vm.system_error("frame does not exist")),
            },
            Some(object) => {
                let names = vm.call_special(object, intern!("__dir__"), &[])?;
                vm.collect(&names)?
            }
        };
        let list = List::new(names);
        crate::types::list_sort::sort_list(vm, &list, None, false)?;
        Ok(list.into_value())
    }

    /// Return the tuple (x//y, x%y).  Invariant: div*y + mod == x.
    #[pyfunction(sig = "(x, y, /)")]
    fn divmod(vm: &Vm, x: &Value, y: &Value) -> Res<Value> {
        vm.divmod(x, y)
    }

    /// Return type(value).__format__(value, format_spec)
    #[pyfunction(sig = "(value, format_spec='', /)")]
    fn format(vm: &Vm, value: &Value, format_spec: Option<&Py<Str>>) -> Res<Py<Str>> {
        match format_spec {
            Some(spec) => vm.format(value, spec),
            None => vm.format(value, &Str::empty()),
        }
    }

    /// getattr(object, name[, default]) -> value
    #[pyfunction(sig = "(object, name, default=<unrepresentable>, /)")]
    fn getattr(vm: &Vm, object: &Value, name: &Value, default: Option<&Value>) -> Res<Value> {
        let name = vm.attribute_name(name)?;
        match default {
            None => vm.getattr(object, name),
            Some(default) => Ok(vm.getattr_opt(object, name)?.unwrap_or_else(|| default.clone())),
        }
    }

    /// Return whether the object has an attribute with the given name.
    #[pyfunction(sig = "(obj, name, /)")]
    fn hasattr(vm: &Vm, obj: &Value, name: &Value) -> Res<bool> {
        Ok(vm.getattr_opt(obj, vm.attribute_name(name)?)?.is_some())
    }

    /// Sets the named attribute on the given object to the specified value.
    ///
    /// setattr(x, 'y', v) is equivalent to ``x.y = v``
    #[pyfunction(sig = "(obj, name, value, /)")]
    fn setattr(vm: &Vm, obj: &Value, name: &Value, value: &Value) -> Res<()> {
        vm.setattr(obj, vm.attribute_name(name)?, value)
    }

    /// Return the dictionary containing the current scope's global variables.
    #[pyfunction(sig = "()")]
    fn globals(vm: &Vm) -> Res<Value> {
        match vm.frames.current() {
            Some(f) => Ok(f.globals().to_value()),
            None => Ok(Value::NONE),
        }
    }

    /// Return a dictionary containing the current scope's local variables.
    #[pyfunction(sig = "()")]
    fn locals(vm: &Vm) -> Res<Value> {
        match vm.frames.current() {
            Some(f) => vm.frame_locals(f),
            None => Err(vm.system_error("frame does not exist")),
        }
    }

    /// vars([object]) -> dictionary
    #[pyfunction(sig = "(object=<unrepresentable>, /)")]
    fn vars(vm: &Vm, object: Option<&Value>) -> Res<Value> {
        match object {
            None => locals(vm),
            Some(object) => match vm.getattr_opt(object, intern!("__dict__"))? {
                Some(dict) => Ok(dict),
                None => Err(vm.type_error("vars() argument must have __dict__ attribute")),
            },
        }
    }

    /// Return the hash value for the given object.
    #[pyfunction(sig = "(obj, /)")]
    fn hash(vm: &Vm, obj: &Value) -> Res<i64> {
        vm.hash(obj)
    }

    /// Return the identity of an object.
    #[pyfunction(sig = "(obj, /)")]
    fn id(vm: &Vm, obj: &Value) -> Res<Value> {
        let id = obj.id();
        crate::audit::audit(vm, "builtins.id", || [id.clone()])?;
        Ok(id)
    }

    /// Read a string from standard input.  The trailing newline is stripped.
    #[pyfunction(sig = "(prompt='', /)")]
    fn input(vm: &Vm, prompt: Option<&Value>) -> Res<Value> {
        let get = |name: &str| {
            crate::interp::sys_attr(vm, &Str::intern(name))
                .filter(|f| !f.is_none())
                .ok_or_else(|| vm.runtime_error(format!("input(): lost sys.{name}")))
        };
        let (stdin, stdout, stderr) = (get("stdin")?, get("stdout")?, get("stderr")?);
        crate::audit::audit(vm, "builtins.input", || [prompt.cloned().unwrap_or(Value::NONE)])?;
        // What goes wrong there shows elsewhere.
        drop(vm.call_method(&stderr, intern!("flush"), &[]));
        if let Some(prompt) = prompt {
            let text = vm.str(prompt)?.into_value();
            vm.call_method(&stdout, intern!("write"), &[text])?;
        }
        drop(vm.call_method(&stdout, intern!("flush"), &[]));
        let mut line = vm.call_method(&stdin, intern!("readline"), &[])?;
        let Some(s) = line.downcast::<Str>() else {
            return Err(vm.type_error("object.readline() returned non-string"));
        };
        if s.is_empty() {
            return Err(vm.eof_error("EOF when reading a line"));
        }
        let n = s.len();
        if s.view().get(n - 1) == Some(10) {
            let chars: Vec<u32> = s.view().chars().take(n - 1).collect();
            let mut builder = text::StrBuilder::new();
            chars.into_iter().for_each(|c| builder.push(c));
            line = Str::from_buf(builder.finish()).into_value();
        }
        crate::audit::audit(vm, "builtins.input/result", || [line.clone()])?;
        Ok(line)
    }

    /// Call sys.breakpointhook(*args, **kws).
    ///
    /// sys.breakpointhook() must accept whatever arguments are passed.
    ///
    /// By default, this drops you into the pdb debugger.
    #[pyfunction(sig = "(*args, **kws)")]
    fn breakpoint(vm: &Vm, args: &[Value], kws: KwArgs<'_>) -> Res<Value> {
        let Some(hook) = crate::interp::sys_attr(vm, intern!("breakpointhook")) else {
            return Err(vm.runtime_error("lost sys.breakpointhook"));
        };
        crate::audit::audit(vm, "builtins.breakpoint", || [hook.clone()])?;
        let (mut values, mut names) = (args.to_vec(), Vec::new());
        for (name, value) in kws.iter() {
            names.push(name.to_value());
            values.push(value.clone());
        }
        let names = Tuple::new(names);
        vm.call_args(&hook, Args::with_names(&values, &names))
    }

    /// Return whether an object is an instance of a class or of a subclass thereof.
    #[pyfunction(sig = "(obj, class_or_tuple, /)", known = IsInstance)]
    fn isinstance(vm: &Vm, obj: &Value, class_or_tuple: &Value) -> Res<bool> {
        vm.isinstance(obj, class_or_tuple)
    }

    /// Return whether 'cls' is derived from another class or is the same class.
    #[pyfunction(sig = "(cls, class_or_tuple, /)")]
    fn issubclass(vm: &Vm, cls: &Value, class_or_tuple: &Value) -> Res<bool> {
        vm.issubclass(cls, class_or_tuple)
    }

    /// iter(iterable) -> iterator
    /// iter(callable, sentinel) -> iterator
    #[pyfunction(sig = "(object, sentinel=<unrepresentable>, /)")]
    fn iter(vm: &Vm, object: &Value, sentinel: Option<&Value>) -> Res<Value> {
        match sentinel {
            None => vm.iter(object),
            Some(sentinel) => {
                if !vm.is_callable(object) {
                    return Err(vm.type_error("iter(v, w): v must be callable"));
                }
                Ok(crate::types::seq_iter::CallableIter::new_value(object, sentinel))
            }
        }
    }

    /// aiter(async_iterable) -> async_iterator
    #[pyfunction(sig = "(async_iterable, /)")]
    fn aiter(vm: &Vm, async_iterable: &Value) -> Res<Value> {
        let ty = async_iterable.ty().name();
        let Some(f) = async_iterable.ty().slots().aiter else {
            return Err(vm.type_error(format!("'{ty}' object is not an async iterable")));
        };
        let iter = f(vm, async_iterable)?;
        if iter.ty().slots().anext.is_none() {
            let got = iter.ty().name();
            return Err(vm.type_error(format!("aiter() returned not an async iterator of type '{got}'")));
        }
        Ok(iter)
    }

    /// Return the next item from the async iterator.
    ///
    /// If default is given and the async iterator is exhausted,
    /// it is returned instead of raising StopAsyncIteration.
    #[pyfunction(sig = "(async_iterator, default=<unrepresentable>, /)")]
    fn anext(vm: &Vm, async_iterator: &Value, default: Option<&Value>) -> Res<Value> {
        let Some(f) = async_iterator.ty().slots().anext else {
            let ty = async_iterator.ty().name();
            return Err(vm.type_error(format!("'{ty}' object is not an async iterator")));
        };
        let awaitable = f(vm, async_iterator)?;
        Ok(match default {
            Some(default) => crate::types::async_generator::AnextAwaitable::new_value(awaitable, default.clone()),
            None => awaitable,
        })
    }

    /// Return the number of items in a container.
    #[pyfunction(sig = "(obj, /)", known = Len)]
    fn len(vm: &Vm, obj: &Value) -> Res<usize> {
        if let Some(list) = obj.downcast_exact::<List>() {
            return Ok(list.len());
        }
        vm.len(obj)
    }

    /// max(iterable, *[, default=obj, key=func]) -> value
    /// max(arg1, arg2, *args, *[, key=func]) -> value
    #[pyfunction(sig = "(*args, **kwargs)", known = Max)]
    fn max(vm: &Vm, args: &[Value], kwargs: KwArgs<'_>) -> Res<Value> {
        if let [a, b] = args
            && let (Some(x), Some(y)) = (a.as_small_int(), b.as_small_int())
            && kwargs.is_empty()
        {
            return Ok(Value::int(x.max(y)));
        }
        extreme(vm, "max", CmpOp::Gt, args, kwargs)
    }

    /// min(iterable, *[, default=obj, key=func]) -> value
    /// min(arg1, arg2, *args, *[, key=func]) -> value
    #[pyfunction(sig = "(*args, **kwargs)", known = Min)]
    fn min(vm: &Vm, args: &[Value], kwargs: KwArgs<'_>) -> Res<Value> {
        if let [a, b] = args
            && let (Some(x), Some(y)) = (a.as_small_int(), b.as_small_int())
            && kwargs.is_empty()
        {
            return Ok(Value::int(x.min(y)));
        }
        extreme(vm, "min", CmpOp::Lt, args, kwargs)
    }

    /// next(iterator[, default])
    #[pyfunction(sig = "(iterator, default=<unrepresentable>, /)")]
    fn next(vm: &Vm, iterator: &Value, default: Option<&Value>) -> Res<Value> {
        let result = vm.next_or_end(iterator);
        match (result, default) {
            (Ok(Some(value)), _) => Ok(value),
            (Ok(None), Some(default)) => Ok(default.clone()),
            (Ok(None), None) => Err(vm.stop_iteration()),
            (Err(exc), Some(default)) if exc.is_instance(exceptions::STOP_ITERATION.get()) => Ok(default.clone()),
            (Err(exc), _) => Err(exc),
        }
    }

    /// Equivalent to base**exp with 2 arguments or base**exp % mod with 3 arguments.
    #[pyfunction(sig = "(base, exp, mod=None)")]
    fn pow(vm: &Vm, base: &Value, exp: &Value, r#mod: Option<&Value>) -> Res<Value> {
        vm.pow(base, exp, r#mod)
    }

    /// Prints the values to a stream, or to sys.stdout by default.
    ///
    /// sep
    ///   string inserted between values, default a space.
    /// end
    ///   string appended after the last value, default a newline.
    /// file
    ///   a file-like object (stream); defaults to the current sys.stdout.
    /// flush
    ///   whether to forcibly flush the stream.
    #[pyfunction(sig = "(*args, sep=' ', end='\\n', file=None, flush=False)")]
    fn print(
        vm: &Vm,
        args: &[Value],
        sep: Option<&Value>,
        end: Option<&Value>,
        file: Option<&Value>,
        flush: bool,
    ) -> Res<()> {
        let text_arg = |name: &str, v: Option<&Value>, default: &str| -> Res<Value> {
            match v.filter(|v| !v.is_none()) {
                None => Ok(Value::from(default)),
                Some(v) if v.downcast::<Str>().is_some() => Ok(v.clone()),
                Some(v) => Err(vm.type_error(format!("{name} must be None or a string, not {}", v.ty().name()))),
            }
        };
        let sep = text_arg("sep", sep, " ")?;
        let end = text_arg("end", end, "\n")?;
        let file = match file {
            Some(f) => f.clone(),
            None => match crate::interp::sys_attr(vm, intern!("stdout")) {
                Some(f) if f.is_none() => return Ok(()),
                Some(f) => f,
                None if crate::interp::sys_attr(vm, intern!("modules")).is_some() => {
                    return Err(vm.runtime_error("lost sys.stdout"));
                }
                None => {
                    // Before there is a `sys` module: straight to the file descriptor.
                    let mut line = String::new();
                    for (i, arg) in args.iter().enumerate() {
                        line.push_str(if i > 0 { " " } else { "" });
                        line.push_str(&vm.str(arg)?.to_string_lossy());
                    }
                    line.push('\n');
                    let mut out = std::io::stdout();
                    std::io::Write::write_all(&mut out, line.as_bytes()).map_err(|e| vm.os_error_from(&e))?;
                    return Ok(());
                }
            },
        };
        match crate::interp::text_writer(vm, &file) {
            Some(write) => print_natively(vm, &file, write, args, &sep, &end)?,
            None => {
                let write = vm.getattr(&file, intern!("write"))?;
                for (i, arg) in args.iter().enumerate() {
                    if i > 0 {
                        vm.call(&write, std::slice::from_ref(&sep))?;
                    }
                    let text = vm.str(arg)?.into_value();
                    vm.call(&write, &[text])?;
                }
                vm.call(&write, &[end])?;
            }
        }
        if flush {
            vm.call_method(&file, intern!("flush"), &[])?;
        }
        Ok(())
    }

    /// Return the canonical string representation of the object.
    #[pyfunction(sig = "(obj, /)")]
    fn repr(vm: &Vm, obj: &Value) -> Res<Py<Str>> {
        vm.repr(obj)
    }

    /// Round a number to a given precision in decimal digits.
    #[pyfunction(sig = "(number, ndigits=None)")]
    fn round(vm: &Vm, number: &Value, ndigits: Option<&Value>) -> Res<Value> {
        let args: &[&Value] = match &ndigits {
            Some(n) => &[n],
            None => &[],
        };
        match vm.call_special_opt(number, intern!("__round__"), args)? {
            Some(result) => Ok(result),
            None => Err(vm.type_error(format!("type {} doesn't define __round__ method", number.ty().name()))),
        }
    }

    /// Return a new list containing all items from the iterable in ascending order.
    ///
    /// A custom key function can be supplied to customize the sort order, and the
    /// reverse flag can be set to request the result in descending order.
    #[pyfunction(sig = "(iterable, /, *, key=None, reverse=False)")]
    fn sorted(vm: &Vm, iterable: &Value, key: Option<&Value>, reverse: bool) -> Res<Value> {
        let list = List::new(vm.collect(iterable)?);
        crate::types::list_sort::sort_list(vm, &list, key, reverse)?;
        Ok(list.into_value())
    }

    /// Return the sum of a 'start' value (default: 0) plus an iterable of numbers
    #[pyfunction(sig = "(iterable, /, start=0)")]
    fn sum(vm: &Vm, iterable: &Value, start: Option<&Value>) -> Res<Value> {
        let start = match start {
            None => Value::int(0),
            Some(s) if s.downcast::<Str>().is_some() => {
                return Err(vm.type_error("sum() can't sum strings [use ''.join(seq) instead]"));
            }
            Some(s) if s.downcast::<crate::types::bytes::Bytes>().is_some() => {
                return Err(vm.type_error("sum() can't sum bytes [use b''.join(seq) instead]"));
            }
            Some(s) if s.downcast::<crate::types::bytearray::ByteArray>().is_some() => {
                return Err(vm.type_error("sum() can't sum bytearray [use b''.join(seq) instead]"));
            }
            Some(s) => s.clone(),
        };
        sum_of(vm, iterable, start)
    }

    #[init]
    fn init(_vm: &Vm, module: &Py<Module>) -> Res<()> {
        use crate::types as t;
        let types: &[(&str, &Py<Type>)] = &[
            ("object", t::object::Object::ty()),
            ("type", Type::ty()),
            ("int", t::int::Int::ty()),
            ("bool", t::int::Bool::ty()),
            ("float", t::float::Float::ty()),
            ("complex", t::complex::Complex::ty()),
            ("str", Str::ty()),
            ("bytes", t::bytes::Bytes::ty()),
            ("memoryview", t::memoryview::MemoryView::ty()),
            ("bytearray", t::bytearray::ByteArray::ty()),
            ("list", List::ty()),
            ("tuple", Tuple::ty()),
            ("dict", Dict::ty()),
            ("set", t::set::Set::ty()),
            ("frozenset", t::set::FrozenSet::ty()),
            ("slice", t::slice::Slice::ty()),
            ("range", t::range::Range::ty()),
            ("enumerate", t::iter_tools::Enumerate::ty()),
            ("zip", t::iter_tools::Zip::ty()),
            ("map", t::iter_tools::Map::ty()),
            ("filter", t::iter_tools::Filter::ty()),
            ("reversed", t::seq_iter::Reversed::ty()),
            ("property", t::property::Property::ty()),
            ("classmethod", t::classmethod::ClassMethod::ty()),
            ("staticmethod", t::classmethod::StaticMethod::ty()),
            ("super", t::super_::Super::ty()),
        ];
        for (name, ty) in types {
            module.set(name, ty.to_value());
        }
        for (name, class) in exceptions::ALL {
            module.set(name, class.get().to_value());
        }
        for alias in ["EnvironmentError", "IOError"] {
            module.set(alias, exceptions::OS_ERROR.get().to_value());
        }
        for (name, value) in [
            ("None", Value::NONE),
            ("True", Value::TRUE),
            ("False", Value::FALSE),
            ("Ellipsis", Value::ELLIPSIS),
            ("NotImplemented", Value::NOT_IMPLEMENTED),
            ("__debug__", Value::from_bool(crate::interp::optimize() == 0)),
        ] {
            module.set(name, value);
        }
        Ok(())
    }
}
