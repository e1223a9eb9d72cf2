//! Calls: binding arguments to parameters, pushing frames, classes.

use lisle_bytecode::CodeFlags;
use smallvec::SmallVec;

use super::{Exc, Res, Vm};
use crate::intern;
use crate::native::Args;
use crate::object::{Py, Value};
use crate::types::code::Code;
use crate::types::dict::Dict;
use crate::types::function::Function;
use crate::types::str::Str;
use crate::types::tuple::Tuple;

impl Vm {
    /// `f(*args)`.
    #[inline]
    pub fn call(&self, f: &Value, args: &[Value]) -> Res<Value> {
        self.call_args(f, Args::new(args))
    }

    /// `f` called with positional and keyword arguments.
    #[inline]
    pub fn call_args(&self, f: &Value, args: Args<'_>) -> Res<Value> {
        if let Some(function) = f.downcast_exact::<Function>() {
            return self.call_function(function, args);
        }
        // Callables that pass a call on may be nested as deep as a program likes.
        self.check_stack()?;
        match f.ty().slots().call {
            Some(call) => call(self, f, args),
            None => Err(self.not_callable(f)),
        }
    }

    fn not_callable(&self, f: &Value) -> Exc {
        let name = f.ty().name();
        let hint = if f.downcast_exact::<crate::types::module::Module>().is_some()
            && let Ok(Some(m)) = self.getattr_opt(f, intern!("__name__"))
            && let Some(m) = m.downcast::<Str>()
            && let Ok(Some(inner)) = self.getattr_opt(f, m)
            && self.is_callable(&inner)
        {
            let m = m.to_string_lossy();
            format!(". Did you mean: '{m}.{m}(...)'?")
        } else {
            String::new()
        };
        self.type_error(format!("'{name}' object is not callable{hint}"))
    }

    /// `f(first, *args, **kwargs)`.
    pub fn call_prepended(&self, f: &Value, first: &Value, args: Args<'_>) -> Res<Value> {
        if args.kwnames.is_none()
            && let Some(function) = f.downcast_exact::<Function>()
            && let Some(result) = self.call_exactly(function, first, args.values)
        {
            return result;
        }
        let mut values: SmallVec<[Value; 8]> = SmallVec::with_capacity(args.values.len() + 1);
        values.push(first.clone());
        values.extend(args.values.iter().cloned());
        self.call_args(
            f,
            Args {
                values: &values,
                kwnames: args.kwnames,
            },
        )
    }

    /// `f(*positional, **kwargs)` with the keywords of a dict.
    pub fn call_with_dict(&self, f: &Value, positional: &[Value], kwargs: &Py<Dict>) -> Res<Value> {
        if kwargs.is_empty() {
            return self.call(f, positional);
        }
        let mut values: SmallVec<[Value; 8]> = SmallVec::with_capacity(positional.len() + kwargs.len());
        values.extend(positional.iter().cloned());
        let mut names: SmallVec<[Value; 8]> = SmallVec::with_capacity(kwargs.len());
        let mut at = 0;
        while let Some((_, key, value)) = kwargs.next_entry(&mut at) {
            if key.downcast_exact::<Str>().is_none() && key.downcast::<Str>().is_none() {
                return Err(self.type_error("keywords must be strings"));
            }
            names.push(key);
            values.push(value);
        }
        let names = Tuple::from_slice_clone(&names);
        if names.is_empty() {
            return self.call(f, positional);
        }
        self.call_args(
            f,
            Args {
                values: &values,
                kwnames: Some(&names),
            },
        )
    }

    /// `function(first, *rest)` of a function that takes just so many; `None` for any other, and for those that make generators.
    fn call_exactly(&self, function: &Py<Function>, first: &Value, rest: &[Value]) -> Option<Res<Value>> {
        let code = function.code.get()?;
        if !code.simple_args || code.argcount as usize != rest.len() + 1 || code.makes_generator() {
            return None;
        }
        let guard = match self.enter_recursive("") {
            Ok(guard) => guard,
            Err(exc) => return Some(Err(exc)),
        };
        let base = self.frames.top.get();
        if let Err(exc) = self.check_room(base, &code) {
            return Some(Err(exc));
        }
        // SAFETY: as in `call_function`.
        unsafe {
            base.write(first.clone().into_bits());
            for (i, v) in rest.iter().enumerate() {
                base.add(i + 1).write(v.clone().into_bits());
            }
            let given = rest.len() + 1;
            std::ptr::write_bytes(base.add(given), 0, (code.nregs as usize).saturating_sub(given));
            self.push_record(self.entry_record(function, &code, 0));
        }
        let result = self.run();
        drop(guard);
        Some(result)
    }

    /// Calls a Python function from Rust.
    pub fn call_function(&self, function: &Py<Function>, args: Args<'_>) -> Res<Value> {
        let code = function
            .code
            .get()
            .ok_or_else(|| self.system_error("function without code"))?;
        if code.makes_generator()
            && args.kwnames.is_none()
            && let Some(made) = self.call_generator_function_with(function, &code, args.values)
        {
            return Ok(made);
        }
        let _guard = self.enter_recursive("")?;
        let base = self.frames.top.get();
        self.check_room(base, &code)?;
        // SAFETY: `check_room` found place for the frame's registers above `top`, which hold nothing.
        unsafe {
            std::ptr::write_bytes(base, 0, code.nregs as usize);
            if code.simple_args && args.kwnames.is_none() && args.values.len() == code.argcount as usize {
                for (i, v) in args.values.iter().enumerate() {
                    *base.add(i) = v.clone().into_bits();
                }
            } else {
                self.bind(function, &code, args, base)?;
            }
            self.push_record(self.entry_record(function, &code, 0));
        }
        self.run()
    }

    /// Runs module or class body code: `locals` is the mapping of names (globals when `None`).
    pub fn run_code(
        &self,
        code: &Py<Code>,
        globals: &Py<Dict>,
        locals: Option<&Value>,
        closure: Option<&Py<Tuple>>,
    ) -> Res<Value> {
        let function = Function::new(self, code.clone(), globals.clone(), closure.cloned());
        let _guard = self.enter_recursive("")?;
        let base = self.frames.top.get();
        self.check_room(base, code)?;
        // SAFETY: as in `call_function`.
        unsafe {
            std::ptr::write_bytes(base, 0, code.nregs as usize);
            let locals = match code.has(CodeFlags::OPTIMIZED) {
                // The code of a function has variables of its own.
                true => 0,
                false => locals.map_or(globals.as_value().bits(), Value::bits),
            };
            self.push_record(self.entry_record(&function, code, locals));
        }
        self.run()
    }

    /// Binds arguments to the parameters of `code`, into the zeroed registers at `base`.
    ///
    /// # Safety
    /// `base` has room for the code's registers, all zero. On an error they are zero again.
    pub(super) unsafe fn bind(&self, function: &Py<Function>, code: &Code, args: Args<'_>, base: *mut u64) -> Res<()> {
        // SAFETY: by contract.
        let result = unsafe { self.bind_into(function, code, args, base) };
        if result.is_err() {
            for i in 0..code.nregs as usize {
                // SAFETY: as above; what was bound is dropped.
                drop(unsafe { std::mem::take(&mut *base.add(i).cast::<Option<Value>>()) });
            }
        }
        result
    }

    unsafe fn bind_into(&self, function: &Py<Function>, code: &Code, args: Args<'_>, base: *mut u64) -> Res<()> {
        let argcount = code.argcount as usize;
        let total = argcount + code.kwonly as usize;
        let posonly = code.plain.posonlyargcount as usize;
        // SAFETY: parameters are registers of the frame.
        let reg = |i: usize| unsafe { &mut *base.add(i).cast::<Option<Value>>() };
        let positional = args.positional();
        let given = positional.len();
        for (i, v) in positional.iter().take(argcount).enumerate() {
            *reg(i) = Some(v.clone());
        }
        let varargs = code.has(CodeFlags::VARARGS);
        if varargs {
            let rest = positional.get(argcount..).unwrap_or_default();
            *reg(total) = Some(Tuple::from_slice_clone(rest).into_value());
        }
        let kwdict = code.has(CodeFlags::VARKEYWORDS).then(|| {
            let dict = Dict::with_capacity(args.keyword_count());
            *reg(total + varargs as usize) = Some(dict.to_value());
            dict
        });
        for (name, value) in args.keywords() {
            let found = (posonly..total)
                .find(|&i| code.varnames[i].is(name))
                // Names of parameters are interned: another interned one is another text.
                .or_else(|| (posonly..total).find(|&i| !name.is_interned() && code.varnames[i].text_eq(name)));
            match found {
                Some(i) => {
                    if reg(i).is_some() {
                        return Err(self.type_error(format!(
                            "{}() got multiple values for argument '{}'",
                            self.function_name(function),
                            name.to_string_lossy()
                        )));
                    }
                    *reg(i) = Some(value.clone());
                }
                None => match &kwdict {
                    Some(dict) => drop(dict.replace_str(name, value.clone())),
                    None => return Err(self.unexpected_keyword(function, code, args, name)),
                },
            }
        }
        if given > argcount && !varargs {
            return Err(self.too_many_positional(function, code, given, &reg));
        }
        if given < argcount {
            let defaults = function.defaults.get();
            let defaults = defaults.as_ref().map_or(&[][..], |d| d.as_slice());
            let first_default = argcount.saturating_sub(defaults.len());
            let mut missing = Vec::new();
            for i in given..argcount {
                if reg(i).is_none() {
                    if i >= first_default {
                        *reg(i) = Some(defaults[i - first_default].clone());
                    } else {
                        missing.push(code.varnames[i].to_string_lossy());
                    }
                }
            }
            if !missing.is_empty() {
                return Err(self.missing_arguments(function, "positional", &missing));
            }
        }
        if code.kwonly > 0 {
            let kwdefaults = function.kwdefaults.get();
            let mut missing = Vec::new();
            for i in argcount..total {
                if reg(i).is_none() {
                    match kwdefaults.as_ref().and_then(|d| d.get_str(&code.varnames[i])) {
                        Some(v) => *reg(i) = Some(v),
                        None => missing.push(code.varnames[i].to_string_lossy()),
                    }
                }
            }
            if !missing.is_empty() {
                return Err(self.missing_arguments(function, "keyword-only", &missing));
            }
        }
        Ok(())
    }

    fn function_name(&self, function: &Py<Function>) -> String {
        function
            .qualname
            .get()
            .map_or_else(String::new, |n| n.to_string_lossy())
    }

    fn missing_arguments(&self, function: &Py<Function>, kind: &str, names: &[String]) -> Exc {
        let quoted: Vec<String> = names.iter().map(|n| format!("'{n}'")).collect();
        let list = match quoted.as_slice() {
            [one] => one.clone(),
            [a, b] => format!("{a} and {b}"),
            [init @ .., last] => format!("{}, and {last}", init.join(", ")),
            [] => String::new(),
        };
        let plural = if names.len() == 1 { "" } else { "s" };
        let name = self.function_name(function);
        self.type_error(format!(
            "{name}() missing {} required {kind} argument{plural}: {list}",
            names.len()
        ))
    }

    fn too_many_positional(
        &self,
        function: &Py<Function>,
        code: &Code,
        given: usize,
        reg: &dyn Fn(usize) -> &'static mut Option<Value>,
    ) -> Exc {
        let argcount = code.argcount as usize;
        let defaults = function.defaults.get().map_or(0, |d| d.as_slice().len());
        let kwonly_given = (argcount..argcount + code.kwonly as usize)
            .filter(|&i| reg(i).is_some())
            .count();
        let (takes, plural) = if defaults > 0 {
            (
                format!("from {} to {argcount}", argcount - defaults.min(argcount)),
                true,
            )
        } else {
            (argcount.to_string(), argcount != 1)
        };
        let plural = if plural { "s" } else { "" };
        let mut sent = given.to_string();
        if kwonly_given > 0 {
            sent = format!(
                "{given} positional argument{} (and {kwonly_given} keyword-only argument{})",
                if given == 1 { "" } else { "s" },
                if kwonly_given == 1 { "" } else { "s" }
            );
        }
        let verb = if given == 1 && kwonly_given == 0 { "was" } else { "were" };
        let name = self.function_name(function);
        self.type_error(format!(
            "{name}() takes {takes} positional argument{plural} but {sent} {verb} given"
        ))
    }

    fn unexpected_keyword(&self, function: &Py<Function>, code: &Code, args: Args<'_>, name: &Py<Str>) -> Exc {
        let posonly = code.plain.posonlyargcount as usize;
        let passed: Vec<String> = code.varnames[..posonly]
            .iter()
            .filter(|p| args.keywords().any(|(k, _)| k.text_eq(p)))
            .map(|p| p.to_string_lossy())
            .collect();
        let function_name = self.function_name(function);
        if !passed.is_empty() {
            return self.type_error(format!(
                "{function_name}() got some positional-only arguments passed as keyword arguments: '{}'",
                passed.join(", ")
            ));
        }
        let total = (code.argcount + code.kwonly) as usize;
        let candidates: Vec<String> = code.varnames[posonly..total]
            .iter()
            .map(|n| n.to_string_lossy())
            .collect();
        let wrong = name.to_string_lossy();
        let hint =
            match crate::native::suggest::closest(&wrong, &candidates.iter().map(String::as_str).collect::<Vec<_>>()) {
                Some(best) => format!(". Did you mean '{best}'?"),
                None => String::new(),
            };
        self.type_error(format!(
            "{function_name}() got an unexpected keyword argument '{wrong}'{hint}"
        ))
    }

    /// `callee(*positional, **kwargs)`, optionally with a receiver before them.
    pub(super) fn call_ex(
        &self,
        callee: &Value,
        this: Option<&Value>,
        positional: &Value,
        kwargs: Option<&Value>,
    ) -> Res<Value> {
        let merged;
        let kwargs = match kwargs.map(|kwargs| (kwargs, kwargs.downcast::<Dict>())) {
            Some((kwargs, None)) => {
                merged = Dict::new_empty();
                self.dict_merge(merged.as_value(), kwargs, callee)?;
                Some(&merged)
            }
            Some((_, dict)) => dict,
            None => None,
        };
        let mut values: SmallVec<[Value; 8]> = this.into_iter().cloned().collect();
        let items: &[Value] = match positional.downcast_exact::<Tuple>() {
            Some(tuple) if this.is_none() => {
                self.check_arguments(tuple.len())?;
                tuple.as_slice()
            }
            _ => {
                if !self.unpack_positional(positional, &mut values)? {
                    self.collect_positional(callee, positional, &mut values)?;
                }
                &values
            }
        };
        match kwargs {
            None => self.call(callee, items),
            Some(kwargs) => self.call_with_dict(callee, items, kwargs),
        }
    }

    /// Appends the arguments of a call that an iterable gives.
    fn collect_positional(&self, callee: &Value, positional: &Value, values: &mut SmallVec<[Value; 8]>) -> Res<()> {
        if positional.ty().slots().iter.is_none() && positional.ty().slots().getitem.is_none() {
            return Err(self.type_error(format!(
                "{} argument after * must be an iterable, not {}",
                self.describe_callable(callee),
                positional.ty().name()
            )));
        }
        let items = self.collect(positional)?;
        self.check_arguments(items.len())?;
        values.extend(items);
        Ok(())
    }

    /// Fails without memory for a call with `count` arguments, which are copied on the way by what cannot fail.
    #[inline]
    pub(super) fn check_arguments(&self, count: usize) -> Res<()> {
        if crate::text::room_for(count.saturating_mul(4 * size_of::<Value>())) {
            Ok(())
        } else {
            Err(self.memory_error())
        }
    }

    /// The callable as messages name it: `f()`, with its module unless that is builtins.
    pub(super) fn describe_callable(&self, callee: &Value) -> String {
        let text = |v: Option<Value>| v.and_then(|v| v.downcast::<Str>().map(|s| s.to_string_lossy()));
        let name = self.getattr_opt(callee, intern!("__qualname__")).unwrap_or(None);
        let Some(name) = text(name) else {
            return self
                .str(callee)
                .map_or_else(|_| "object".to_string(), |s| s.to_string_lossy());
        };
        let module = text(self.getattr_opt(callee, intern!("__module__")).unwrap_or(None));
        match module {
            Some(module) if module != "builtins" => format!("{module}.{name}()"),
            _ => format!("{name}()"),
        }
    }
}
