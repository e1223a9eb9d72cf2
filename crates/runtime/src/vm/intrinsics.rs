//! What the instructions do off the fast path: names, attributes, building, unpacking, matching.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use lisle_bytecode::opcode::{Common, Intrinsic1, Intrinsic2, Special};

use super::frames::FrameData;
use super::{Exc, Res, Vm};
use crate::intern;
use crate::object::attrs::Attrs;
use crate::object::{Native, Py, Type, TypeFlags, Value};
use crate::types::cell::Cell;
use crate::types::code::Code;
use crate::types::dict::Dict;
use crate::types::exceptions;
use crate::types::function::Function;
use crate::types::list::List;
use crate::types::mapped_builtins::MappedBuiltins;
use crate::types::native_function::NativeFunction;
use crate::types::set::Set;
use crate::types::str::Str;
use crate::types::super_::Super;
use crate::types::tuple::Tuple;

/// The name of the special method number `k`.
#[inline]
pub(super) fn special_name(k: u8) -> &'static Py<Str> {
    match Special::ALL[k as usize] {
        Special::Enter => intern!("__enter__"),
        Special::Exit => intern!("__exit__"),
        Special::AEnter => intern!("__aenter__"),
        Special::AExit => intern!("__aexit__"),
    }
}

/// Whether the value is common constant number `k`, of those that consume iterators: whatever the name in `builtins` stands for by now.
#[inline(always)]
pub(super) fn is_common(value: &Value, k: u8) -> bool {
    let is_function = |def: &'static crate::native::FnDef| {
        value
            .downcast_exact::<NativeFunction>()
            .is_some_and(|function| std::ptr::eq(function.def, def))
    };
    match k {
        k if k == Common::Tuple as u8 => value.is(Tuple::ty().as_value()),
        k if k == Common::List as u8 => value.is(List::ty().as_value()),
        k if k == Common::Set as u8 => value.is(Set::ty().as_value()),
        k if k == Common::All as u8 => is_function(&crate::builtins::functions::module::ALL_DEF),
        k if k == Common::Any as u8 => is_function(&crate::builtins::functions::module::ANY_DEF),
        _ => false,
    }
}

impl Vm {
    // ---- names ----

    #[cold]
    pub(super) fn unbound_local(&self, code: &Code, register: u16) -> Exc {
        let name = code
            .register_name(register as usize)
            .map_or_else(String::new, |n| n.to_string_lossy());
        self.new_exception(
            exceptions::UNBOUND_LOCAL_ERROR.get(),
            vec![Value::from(
                format!("cannot access local variable '{name}' where it is not associated with a value").as_str(),
            )],
        )
    }

    #[cold]
    pub(super) fn unbound_cell(&self, code: &Code, register: u16) -> Exc {
        if register < code.first_free {
            return self.unbound_local(code, register);
        }
        let name = code
            .register_name(register as usize)
            .map_or_else(String::new, |n| n.to_string_lossy());
        self.name_error(
            format!("cannot access free variable '{name}' where it is not associated with a value in enclosing scope"),
            &Str::from_str(&name),
        )
    }

    #[cold]
    #[inline(never)]
    pub(super) fn load_global_slow(
        &self,
        globals: &Py<Dict>,
        builtins: &Py<Dict>,
        name: &Py<Str>,
        first: &AtomicU64,
        second: &AtomicU64,
    ) -> Res<Value> {
        if globals.as_value().downcast_exact::<Dict>().is_none() {
            // A subclass may answer for keys that it does not hold.
            return match self.mapping_get(globals.as_value(), name)? {
                Some(value) => Ok(value),
                None => self
                    .builtin_in(builtins, name)?
                    .ok_or_else(|| self.name_error_for(name)),
            };
        }
        let version = globals.version();
        if let Some(value) = globals.get_name(self, name)? {
            if let Some(at) = globals.find_entry_for_cache(name)
                && globals.version() == version
            {
                first.store(u64::from(at) << 32 | u64::from(version), Relaxed);
            }
            return Ok(value);
        }
        if builtins.as_value().downcast_exact::<Dict>().is_none() {
            return self
                .builtin_in(builtins, name)?
                .ok_or_else(|| self.name_error_for(name));
        }
        let builtin_version = builtins.version();
        if let Some(value) = builtins.get_name(self, name)? {
            if let Some(at) = builtins.find_entry_for_cache(name)
                && builtins.version() == builtin_version
                && globals.version() == version
            {
                second.store(u64::from(at) << 32 | u64::from(builtin_version), Relaxed);
                first.store(u64::from(u32::MAX) << 32 | u64::from(version), Relaxed);
            }
            return Ok(value);
        }
        Err(self.name_error_for(name))
    }

    /// A global or builtin name.
    fn global(&self, f: &FrameData, name: &Py<Str>) -> Res<Value> {
        if let Some(value) = self.mapping_get(f.globals().as_value(), name)? {
            return Ok(value);
        }
        self.builtin_in(f.builtins(), name)?
            .ok_or_else(|| self.name_error_for(name))
    }

    /// A name in builtins, which may be any mapping; see [`MappedBuiltins`].
    pub(crate) fn builtin_in(&self, builtins: &Py<Dict>, name: &Py<Str>) -> Res<Option<Value>> {
        self.mapping_get(builtins.as_value(), name)
    }

    fn mapping_get(&self, mapping: &Value, name: &Py<Str>) -> Res<Option<Value>> {
        if let Some(dict) = mapping.downcast_exact::<Dict>() {
            return dict.get_name(self, name);
        }
        match self.getitem(mapping, name.as_value()) {
            Ok(value) => Ok(Some(value)),
            Err(exc) if exc.is_instance(exceptions::KEY_ERROR.get()) => Ok(None),
            Err(exc) => Err(exc),
        }
    }

    pub(super) fn load_name(&self, f: &FrameData, name: &Py<Str>) -> Res<Value> {
        if let Some(locals) = f.locals()
            && let Some(value) = self.mapping_get(locals, name)?
        {
            return Ok(value);
        }
        self.global(f, name)
    }

    pub(crate) fn store_name(&self, f: &FrameData, name: &Py<Str>, value: Value) -> Res<()> {
        match f.locals() {
            Some(locals) => match locals.downcast_exact::<Dict>() {
                Some(dict) => drop(dict.replace_str(name, value)),
                None => self.setitem(locals, name.as_value(), &value)?,
            },
            None => drop(f.globals().replace_str(name, value)),
        }
        Ok(())
    }

    pub(super) fn delete_name(&self, f: &FrameData, name: &Py<Str>) -> Res<()> {
        let Some(locals) = f.locals() else {
            return f
                .globals()
                .remove_str(name)
                .map(drop)
                .ok_or_else(|| self.name_error_for(name));
        };
        if let Some(dict) = locals.downcast_exact::<Dict>() {
            return dict.remove_str(name).map(drop).ok_or_else(|| self.name_error_for(name));
        }
        self.delitem(locals, name.as_value()).map_err(|exc| {
            if exc.is_instance(exceptions::KEY_ERROR.get()) {
                self.name_error_for(name)
            } else {
                exc
            }
        })
    }

    pub(super) fn load_mapping_or_global(&self, f: &FrameData, mapping: &Value, name: &Py<Str>) -> Res<Value> {
        match self.mapping_get(mapping, name)? {
            Some(value) => Ok(value),
            None => self.global(f, name),
        }
    }

    pub(super) fn load_mapping_or_deref(
        &self,
        code: &Code,
        mapping: &Value,
        cell: &Value,
        register: u16,
    ) -> Res<Value> {
        if let Some(name) = code.register_name(register as usize)
            && let Some(value) = self.mapping_get(mapping, name)?
        {
            return Ok(value);
        }
        match cell.downcast_exact::<Cell>().and_then(|c| c.contents.get()) {
            Some(value) => Ok(value),
            None => Err(self.unbound_cell(code, register)),
        }
    }

    /// The locals mapping of a frame; a snapshot in a function.
    pub fn frame_locals(&self, f: &FrameData) -> Res<Value> {
        match f.locals() {
            Some(locals) => {
                // While a comprehension runs inside a module or class body, its variables are what `locals()` shows.
                let code = f.code();
                let hidden = Dict::new_empty();
                for (i, name) in code.varnames.iter().enumerate() {
                    if let Some(value) = f.reg(i) {
                        drop(hidden.replace_str(name, value.clone()));
                    }
                }
                Ok(if hidden.is_empty() {
                    locals.clone()
                } else {
                    hidden.into_value()
                })
            }
            None => Ok(self.frame_object_of(f).locals_mapping(self)),
        }
    }

    /// What a new function takes from its globals: the builtins, which are `__builtins__` as a dict, a module's, or what stands for another
    /// mapping; and `__name__`.
    pub fn parts_of_globals(&self, globals: &Py<Dict>) -> (Py<Dict>, Option<Value>) {
        let (version, entries) = self.globals_seen.get();
        let [builtins, name] = entries.map(|entry| globals.entry_value(version, entry));
        if builtins.is_some() && name.is_some() {
            return (self.as_builtins(builtins), name);
        }
        let names = [intern!("__builtins__"), intern!("__name__")];
        // Only what lasts is worth it: the keys change with each function that a module makes.
        let version = globals.raw_version();
        if version != 0
            && let [Some(builtins), Some(name)] = names.map(|name| globals.find_entry_for_cache(name))
            && globals.raw_version() == version
        {
            self.globals_seen.set((version, [builtins, name]));
        }
        let [builtins, name] = names.map(|name| globals.get_str(name));
        (self.as_builtins(builtins), name)
    }

    fn as_builtins(&self, found: Option<Value>) -> Py<Dict> {
        match found {
            Some(v) => match v.try_into_py::<Dict>() {
                Ok(dict) => dict,
                Err(v) => match v.downcast::<crate::types::module::Module>() {
                    Some(module) => match Attrs::of(&v).and_then(|attrs| attrs.lasting_dict()) {
                        Some(dict) => dict.clone(),
                        None => module.dict(),
                    },
                    None => MappedBuiltins::over(v),
                },
            },
            None => self.running_builtins(),
        }
    }

    /// The builtins of the running frame.
    pub fn running_builtins(&self) -> Py<Dict> {
        match self.frames.current() {
            Some(f) => f.builtins().clone(),
            None => crate::interp::builtins(),
        }
    }

    pub(super) fn common_constant(&self, k: u8) -> Res<Value> {
        let builtin = |name: &str| {
            crate::interp::builtins()
                .get_str(&Str::intern(name))
                .ok_or_else(|| self.runtime_error(format!("lost builtins.{name}")))
        };
        Ok(match Common::ALL[k as usize] {
            Common::AssertionError => exceptions::ASSERTION_ERROR.get().to_value(),
            Common::NotImplementedError => exceptions::NOT_IMPLEMENTED_ERROR.get().to_value(),
            Common::StopAsyncIteration => exceptions::STOP_ASYNC_ITERATION.get().to_value(),
            Common::Tuple => Tuple::ty().to_value(),
            Common::List => List::ty().to_value(),
            Common::Set => Set::ty().to_value(),
            Common::BuildClass => {
                let name = intern!("__build_class__");
                let found = match self.frames.current() {
                    Some(f) => self.builtin_in(f.builtins(), name)?,
                    None => crate::interp::builtins().get_str(name),
                };
                found.ok_or_else(|| self.name_error("__build_class__ not found", name))?
            }
            Common::All => builtin("all")?,
            Common::Any => builtin("any")?,
        })
    }

    // ---- attributes ----

    pub(super) fn load_super(
        &self,
        global: &Value,
        class: &Value,
        this: &Value,
        name: &Py<Str>,
        method: bool,
        explicit: bool,
    ) -> Res<(Value, bool)> {
        if !global.is(Super::ty().as_value()) {
            let args = [class.clone(), this.clone()];
            let object = self.call(global, if explicit { &args } else { &[] })?;
            return Ok((self.getattr(&object, name)?, false));
        }
        let Some(cls) = class.downcast::<Type>() else {
            return Err(self.type_error(format!("super() argument 1 must be a type, not {}", class.ty().name())));
        };
        if name.is_text("__class__") {
            let object = Super::new_checked(self, cls, this)?;
            return Ok((self.getattr(&object, name)?, false));
        }
        // The start of the search: the class of the receiver, or the receiver itself when it is a subclass.
        let start = Super::check(self, cls, this)?;
        let Some(mro) = start.mro.get() else {
            let object = Super::new_checked(self, cls, this)?;
            return Ok((self.getattr(&object, name)?, false));
        };
        let mut after = false;
        for item in mro.as_slice() {
            if after
                && let Some(t) = item.downcast::<Type>()
                && let Some(found) = t.dict().get_str(name)
            {
                if method && found.ty().has_flag(TypeFlags::METHOD_DESCRIPTOR) && !this.is(start.as_value()) {
                    return Ok((found, true));
                }
                return match found.ty().slots().descr_get {
                    Some(get) => {
                        let obj = if this.is(start.as_value()) { None } else { Some(this) };
                        Ok((get(self, &found, obj, Some(start.as_value()))?, false))
                    }
                    None => Ok((found, false)),
                };
            }
            after |= item.is(class);
        }
        let object = Super::new_checked(self, cls, this)?;
        Ok((self.getattr(&object, name)?, false))
    }

    pub(super) fn load_special(&self, obj: &Value, k: u8) -> Res<(Value, bool)> {
        let special = Special::ALL[k as usize];
        let name = special_name(k);
        if let Some((function, with_self)) = self.lookup_special(obj, name)? {
            return Ok((function, with_self));
        }
        let ty = obj.ty().name();
        let has = |n: &'static Py<Str>| obj.ty().lookup(self, n).is_some();
        let message = match special {
            Special::Enter if has(intern!("__aenter__")) && has(intern!("__aexit__")) => format!(
                "'{ty}' object does not support the context manager protocol (missed __enter__ method) but it supports the asynchronous context manager protocol. Did you mean to use 'async with'?"
            ),
            Special::Enter => {
                format!("'{ty}' object does not support the context manager protocol (missed __enter__ method)")
            }
            Special::Exit if has(intern!("__aenter__")) && has(intern!("__aexit__")) => format!(
                "'{ty}' object does not support the context manager protocol (missed __exit__ method) but it supports the asynchronous context manager protocol. Did you mean to use 'async with'?"
            ),
            Special::Exit => {
                format!("'{ty}' object does not support the context manager protocol (missed __exit__ method)")
            }
            Special::AEnter if has(intern!("__enter__")) && has(intern!("__exit__")) => format!(
                "'{ty}' object does not support the asynchronous context manager protocol (missed __aenter__ method) but it supports the context manager protocol. Did you mean to use 'with'?"
            ),
            Special::AEnter => {
                format!(
                    "'{ty}' object does not support the asynchronous context manager protocol (missed __aenter__ method)"
                )
            }
            Special::AExit if has(intern!("__enter__")) && has(intern!("__exit__")) => format!(
                "'{ty}' object does not support the asynchronous context manager protocol (missed __aexit__ method) but it supports the context manager protocol. Did you mean to use 'with'?"
            ),
            Special::AExit => {
                format!(
                    "'{ty}' object does not support the asynchronous context manager protocol (missed __aexit__ method)"
                )
            }
        };
        Err(self.type_error(message))
    }

    pub(super) fn with_except(&self, exit: &Value, this: Option<&Value>, exc: &Value) -> Res<Value> {
        let traceback = exc
            .downcast::<exceptions::BaseException>()
            .and_then(|b| b.traceback.get())
            .unwrap_or(Value::NONE);
        let mut args = Vec::with_capacity(4);
        args.extend(this.cloned());
        args.extend([exc.ty().to_value(), exc.clone(), traceback]);
        self.call(exit, &args)
    }

    // ---- items ----

    pub(super) fn get_slice(&self, obj: &Value, start: &Value, stop: &Value) -> Res<Value> {
        if let (Some(from), Some(to)) = (plain_bound(start, 0), plain_bound(stop, isize::MAX)) {
            if let Some(list) = obj.downcast_exact::<List>() {
                return match list.slice_items((Some(from), Some(to), 1)) {
                    Some(items) => Ok(List::new(items).into_value()),
                    None => Err(self.memory_error()),
                };
            }
            if let Some(text) = obj.downcast_exact::<Str>()
                && let Some(bytes) = text.ascii_bytes()
            {
                let range = crate::types::slice::clamp_range(from, to, bytes.len());
                if range.len() == bytes.len() {
                    return Ok(obj.clone());
                }
                return match Str::try_from_view(crate::text::StrView::Ascii(&bytes[range])) {
                    Some(part) => Ok(part.into_value()),
                    None => Err(self.memory_error()),
                };
            }
            if let Some(tuple) = obj.downcast_exact::<Tuple>() {
                let range = crate::types::slice::clamp_range(from, to, tuple.len());
                if range.len() == tuple.len() {
                    return Ok(obj.clone());
                }
                return match Tuple::try_from_slice(&tuple[range]) {
                    Some(part) => Ok(part.into_value()),
                    None => Err(self.memory_error()),
                };
            }
        }
        let slice = crate::types::slice::Slice::new_value(start.clone(), stop.clone(), Value::NONE);
        self.getitem(obj, &slice)
    }

    pub(super) fn set_slice(&self, obj: &Value, start: &Value, stop: &Value, value: &Value) -> Res<()> {
        if let (Some(from), Some(to)) = (plain_bound(start, 0), plain_bound(stop, isize::MAX))
            && let Some(list) = obj.downcast_exact::<List>()
        {
            let items = if let Some(items) = value.downcast_exact::<List>() {
                // A list that nothing else refers to gives its items away.
                Some(if items.header().is_unique() {
                    items.take_all(self)?
                } else {
                    items.try_snapshot(self)?
                })
            } else {
                value.downcast_exact::<Tuple>().map(|tuple| tuple.as_slice().to_vec())
            };
            if let Some(items) = items {
                let plain = (Some(from), Some(to), 1);
                return list.assign_slice(self, plain, items).map(drop);
            }
        }
        let slice = crate::types::slice::Slice::new_value(start.clone(), stop.clone(), Value::NONE);
        self.setitem(obj, &slice, value)
    }

    // ---- building and unpacking ----

    pub(super) fn build_set(&self, items: impl IntoIterator<Item = Value>) -> Res<Value> {
        Ok(Set::of_items(self, items)?.into_value())
    }

    pub(super) fn build_string(&self, parts: &[Value]) -> Res<Value> {
        if let Some(text) = Str::join_ascii(b"", parts) {
            return Ok(text.into_value());
        }
        let mut builder = crate::text::StrBuilder::new();
        for part in parts {
            if let Some(s) = part.downcast::<Str>() {
                builder.push_view(s.view());
            }
        }
        Ok(Str::from_buf(builder.finish()).into_value())
    }

    pub(super) fn set_update(&self, set: &Value, items: &Value) -> Res<()> {
        let Some(set) = set.downcast_exact::<Set>() else {
            return Ok(());
        };
        set.update(self, items)
    }

    pub(super) fn list_extend(&self, list: &Value, items: &Value, starred: bool) -> Res<()> {
        let Some(list) = list.downcast_exact::<List>() else {
            return Ok(());
        };
        if starred && items.ty().slots().iter.is_none() && items.ty().slots().getitem.is_none() {
            return Err(self.type_error(format!("Value after * must be an iterable, not {}", items.ty().name())));
        }
        list.extend(self, items)
    }

    pub(super) fn dict_update(&self, dict: &Value, other: &Value) -> Res<()> {
        let Some(dict) = dict.downcast_exact::<Dict>() else {
            return Ok(());
        };
        if other.downcast::<Dict>().is_none() && self.getattr_opt(other, intern!("keys"))?.is_none() {
            return Err(self.type_error(format!("'{}' object is not a mapping", other.ty().name())));
        }
        dict.update_from(self, other)
    }

    pub(super) fn dict_merge(&self, dict: &Value, other: &Value, callee: &Value) -> Res<()> {
        let Some(dict) = dict.downcast_exact::<Dict>() else {
            return Ok(());
        };
        let pairs = match other.downcast::<Dict>() {
            Some(other) if other.is_empty() => return Ok(()),
            Some(other) if dict.is_empty() => return dict.update_dict(self, other),
            Some(other) => other.snapshot(),
            None => {
                let Some(keys) = self.getattr_opt(other, intern!("keys"))? else {
                    return Err(self.type_error(format!(
                        "{} argument after ** must be a mapping, not {}",
                        self.describe_callable(callee),
                        other.ty().name()
                    )));
                };
                let keys = self.call(&keys, &[])?;
                let mut pairs = Vec::new();
                for key in self.collect(&keys)? {
                    let value = self.getitem(other, &key)?;
                    pairs.push((key, value));
                }
                pairs
            }
        };
        for (key, value) in pairs {
            // That all are strings is for the call to check.
            if dict.get(self, &key)?.is_some() {
                return Err(self.type_error(format!(
                    "{} got multiple values for keyword argument '{}'",
                    self.describe_callable(callee),
                    self.str(&key)?.to_string_lossy()
                )));
            }
            dict.set(self, &key, value)?;
        }
        Ok(())
    }

    pub(super) fn unpack(&self, seq: &Value, n: usize) -> Res<Vec<Value>> {
        let exact = match seq.downcast_exact::<Tuple>() {
            Some(t) => Some(t.as_slice().to_vec()),
            None => seq.downcast_exact::<List>().map(|l| l.snapshot()),
        };
        if let Some(items) = exact {
            return match items.len() {
                got if got == n => Ok(items),
                got if got < n => {
                    Err(self.value_error(format!("not enough values to unpack (expected {n}, got {got})")))
                }
                got => Err(self.value_error(format!("too many values to unpack (expected {n}, got {got})"))),
            };
        }
        let iter = self.unpack_iter(seq)?;
        let mut items = Vec::with_capacity(n);
        while items.len() < n {
            match self.next(&iter)? {
                Some(item) => items.push(item),
                None => {
                    let got = items.len();
                    return Err(self.value_error(format!("not enough values to unpack (expected {n}, got {got})")));
                }
            }
        }
        if self.next(&iter)?.is_some() {
            if seq.downcast::<Dict>().is_some() || seq.downcast::<Tuple>().is_some() || seq.downcast::<List>().is_some()
            {
                let got = self.len(seq)?;
                return Err(self.value_error(format!("too many values to unpack (expected {n}, got {got})")));
            }
            return Err(self.value_error(format!("too many values to unpack (expected {n})")));
        }
        Ok(items)
    }

    fn unpack_iter(&self, seq: &Value) -> Res<Value> {
        let slots = seq.ty().slots();
        if slots.iter.is_none() && slots.getitem.is_none() {
            return Err(self.type_error(format!("cannot unpack non-iterable {} object", seq.ty().name())));
        }
        self.iter(seq)
    }

    pub(super) fn unpack_ex(&self, seq: &Value, before: usize, after: usize) -> Res<Vec<Value>> {
        let iter = self.unpack_iter(seq)?;
        let mut items = Vec::new();
        while let Some(item) = self.next(&iter)? {
            items.push(item);
        }
        let (got, need) = (items.len(), before + after);
        if got < need {
            return Err(self.value_error(format!(
                "not enough values to unpack (expected at least {need}, got {got})"
            )));
        }
        let tail = items.split_off(got - after);
        let middle = items.split_off(before);
        items.push(List::new(middle).into_value());
        items.extend(tail);
        Ok(items)
    }

    // ---- functions ----

    pub(super) fn make_function(&self, code: &Value, globals: &Py<Dict>, parts: [Option<Value>; 4]) -> Res<Value> {
        let Some(code) = code.downcast_exact::<Code>() else {
            return Err(self.system_error("bad function code"));
        };
        let [defaults, kwdefaults, annotate, closure] = parts;
        let closure = closure.and_then(|c| c.try_into_py::<Tuple>().ok());
        let function = Function::new(self, code.clone(), globals.clone(), closure);
        if let Some(d) = defaults.and_then(|d| d.try_into_py::<Tuple>().ok()) {
            function.defaults.set(d);
        }
        if let Some(d) = kwdefaults.and_then(|d| d.try_into_py::<Dict>().ok()) {
            function.kwdefaults.set(d);
        }
        match annotate {
            Some(a) if a.downcast_exact::<Dict>().is_some() => function.annotations.set(a),
            Some(a) => function.annotate.set(a),
            None => {}
        }
        Ok(function.into_value())
    }

    pub(super) fn setup_annotations(&self, f: &FrameData) -> Res<()> {
        let name = intern!("__annotations__");
        let Some(locals) = f.locals() else { return Ok(()) };
        if self.mapping_get(locals, name)?.is_none() {
            self.setitem(locals, name.as_value(), Dict::new_empty().as_value())?;
        }
        Ok(())
    }

    // ---- exceptions ----

    pub(super) fn exception_group_match(&self, exc: &Value, matcher: &Value) -> Res<(Value, Value)> {
        {
            let (matched, rest) = exceptions::groups::match_star(self, exc, matcher)?;
            if let Some(matched) = &matched {
                drop(self.handled.swap(Some(matched.clone())));
            }
            Ok((matched.unwrap_or(Value::NONE), rest.unwrap_or(Value::NONE)))
        }
    }

    pub(super) fn prep_reraise_star(&self, original: &Value, raised: &Value) -> Res<Value> {
        {
            let raised = self.collect(raised)?;
            Ok(exceptions::groups::after_star(self, original, &raised)?.map_or(Value::NONE, Exc::into_value))
        }
    }

    // ---- asynchronous ----

    pub(super) fn yield_from_iter(&self, value: &Value, in_coroutine: bool) -> Res<Value> {
        use crate::types::coroutine::{Coroutine, is_iterable_coroutine};
        use crate::types::generator::Generator;
        if value.downcast_exact::<Coroutine>().is_some() || is_iterable_coroutine(value) {
            if in_coroutine {
                return Ok(value.clone());
            }
            return Err(self.type_error("cannot 'yield from' a coroutine object in a non-coroutine generator"));
        }
        if value.downcast_exact::<Generator>().is_some() {
            return Ok(value.clone());
        }
        self.iter(value)
    }

    pub(super) fn awaitable(&self, value: &Value, kind: u8) -> Res<Value> {
        match crate::types::coroutine::get_awaitable(self, value) {
            Ok(Some(iter)) => match iter.downcast_exact::<crate::types::coroutine::Coroutine>() {
                Some(coroutine) if coroutine.body.delegate().is_some() => {
                    Err(self.runtime_error("coroutine is being awaited already"))
                }
                _ => Ok(iter),
            },
            Ok(None) => {
                let ty = value.ty().name();
                Err(self.type_error(match kind {
                    1 => format!(
                        "'async with' received an object from __aenter__ that does not implement __await__: {ty}"
                    ),
                    2 => format!(
                        "'async with' received an object from __aexit__ that does not implement __await__: {ty}"
                    ),
                    _ => format!("'{ty}' object can't be awaited"),
                }))
            }
            Err(exc) => Err(exc),
        }
    }

    pub(super) fn async_iter(&self, value: &Value) -> Res<Value> {
        let ty = value.ty().name();
        let Some(f) = value.ty().slots().aiter else {
            return Err(self.type_error(format!(
                "'async for' requires an object with __aiter__ method, got {ty}"
            )));
        };
        let iter = f(self, value)?;
        if iter.ty().slots().anext.is_none() {
            let got = iter.ty().name();
            return Err(self.type_error(format!(
                "'async for' received an object from __aiter__ that does not implement __anext__: {got}"
            )));
        }
        Ok(iter)
    }

    pub(super) fn async_next(&self, iter: &Value) -> Res<Value> {
        let Some(f) = iter.ty().slots().anext else {
            let ty = iter.ty().name();
            return Err(self.type_error(format!(
                "'async for' requires an iterator with __anext__ method, got {ty}"
            )));
        };
        let next = f(self, iter)?;
        match crate::types::coroutine::get_awaitable(self, &next) {
            Ok(Some(awaitable)) => Ok(awaitable),
            other => {
                let ty = next.ty().name();
                let error = self.type_error(format!("'async for' received an invalid object from __anext__: {ty}"));
                if let Err(cause) = other {
                    error.object().cause.set(cause.into_value());
                }
                Err(error)
            }
        }
    }

    pub(super) fn end_async_for(&self, exc: Value) -> Res<()> {
        let exc = Exc::from_value(exc);
        if exc.is_instance(exceptions::STOP_ASYNC_ITERATION.get()) {
            Ok(())
        } else {
            Err(exc)
        }
    }

    // ---- formatting ----

    pub(super) fn format_with(&self, value: &Value, spec: &Value) -> Res<Value> {
        match spec.downcast::<Str>() {
            Some(spec) => self.format(value, spec).map(Py::into_value),
            None => Err(self.type_error("format_spec must be a str")),
        }
    }

    pub(super) fn build_interpolation(&self, parts: [Value; 3], conversion: u8) -> Res<Value> {
        let conversion = match conversion {
            1 => Value::from("s"),
            2 => Value::from("r"),
            3 => Value::from("a"),
            _ => Value::NONE,
        };
        let [value, expression, spec] = parts;
        Ok(crate::types::template::Interpolation::new_value(
            value, expression, conversion, spec,
        ))
    }

    pub(super) fn build_template(&self, strings: Value, interpolations: Value) -> Res<Value> {
        Ok(crate::types::template::Template::new_value(strings, interpolations))
    }

    // ---- patterns ----

    /// str, bytes and bytearray match no sequence pattern.
    pub(super) fn is_text_like(&self, value: &Value) -> bool {
        value
            .ty()
            .has_flag(TypeFlags::STR_SUBCLASS.union(TypeFlags::BYTES_SUBCLASS))
            || value.downcast::<crate::types::bytearray::ByteArray>().is_some()
    }

    pub(super) fn match_keys(&self, subject: &Value, keys: &Value) -> Res<Value> {
        let Some(keys) = keys.downcast::<Tuple>() else {
            return Ok(Value::NONE);
        };
        let seen = Set::new_empty();
        let missing = crate::types::object::new_instance(crate::types::object::Object::ty());
        let get = self.getattr(subject, intern!("get"))?;
        let mut values = Vec::new();
        for key in keys.as_slice() {
            if !seen.add(self, key)? {
                let key = self.repr(key)?.to_string_lossy();
                return Err(self.value_error(format!("mapping pattern checks duplicate key ({key})")));
            }
            let value = self.call(&get, &[key.clone(), missing.clone()])?;
            if value.is(&missing) {
                return Ok(Value::NONE);
            }
            values.push(value);
        }
        Ok(Tuple::new(values).into_value())
    }

    pub(super) fn match_class(&self, subject: &Value, class: &Value, positional: usize, names: &Value) -> Res<Value> {
        let Some(cls) = class.downcast::<Type>() else {
            return Err(self.type_error("called match pattern must be a class"));
        };
        if !self.isinstance(subject, class)? {
            return Ok(Value::NONE);
        }
        let mut seen: Vec<Py<Str>> = Vec::new();
        let mut values = Vec::new();
        let take = |name: &Py<Str>, seen: &mut Vec<Py<Str>>| -> Res<Option<Value>> {
            if seen.iter().any(|s| s.text_eq(name)) {
                return Err(self.type_error(format!(
                    "{}() got multiple sub-patterns for attribute '{}'",
                    cls.name(),
                    name.to_string_lossy()
                )));
            }
            seen.push(name.clone());
            self.getattr_opt(subject, name)
        };
        if positional > 0 {
            let match_args = self.getattr_opt(class, intern!("__match_args__"))?;
            let own_match = match_args.is_none() && self.matches_itself(cls);
            let args: Vec<Value> = match &match_args {
                None => Vec::new(),
                Some(m) => match m.downcast_exact::<Tuple>() {
                    Some(t) => t.as_slice().to_vec(),
                    None => {
                        let (name, got) = (cls.name(), m.ty().name());
                        return Err(self.type_error(format!("{name}.__match_args__ must be a tuple (got {got})")));
                    }
                },
            };
            let allowed = if own_match { 1 } else { args.len() };
            if positional > allowed {
                let plural = if allowed == 1 { "" } else { "s" };
                let name = cls.name();
                return Err(self.type_error(format!(
                    "{name}() accepts {allowed} positional sub-pattern{plural} ({positional} given)"
                )));
            }
            if own_match {
                values.push(subject.clone());
            } else {
                for arg in &args[..positional] {
                    let Some(name) = arg.downcast::<Str>() else {
                        let got = arg.ty().name();
                        return Err(self.type_error(format!("__match_args__ elements must be strings (got {got})")));
                    };
                    match take(name, &mut seen)? {
                        Some(v) => values.push(v),
                        None => return Ok(Value::NONE),
                    }
                }
            }
        }
        if let Some(names) = names.downcast::<Tuple>() {
            for name in names.as_slice() {
                if let Some(n) = name.downcast::<Str>() {
                    match take(n, &mut seen)? {
                        Some(v) => values.push(v),
                        None => return Ok(Value::NONE),
                    }
                }
            }
        }
        Ok(Tuple::new(values).into_value())
    }

    /// Builtin classes whose single positional sub-pattern is the subject itself.
    fn matches_itself(&self, cls: &Py<Type>) -> bool {
        let flags = TypeFlags::INT_SUBCLASS
            .union(TypeFlags::STR_SUBCLASS)
            .union(TypeFlags::BYTES_SUBCLASS)
            .union(TypeFlags::LIST_SUBCLASS)
            .union(TypeFlags::TUPLE_SUBCLASS)
            .union(TypeFlags::DICT_SUBCLASS);
        cls.has_flag(flags)
            || cls.is_subclass(crate::types::float::Float::ty())
            || cls.is_subclass(Set::ty())
            || cls.is_subclass(crate::types::set::FrozenSet::ty())
            || cls.is_subclass(crate::types::bytearray::ByteArray::ty())
    }

    // ---- helpers of the compiler ----

    pub(super) fn intrinsic1(&self, k: u8, a: &Value) -> Res<Value> {
        use crate::types::type_params as tp;
        match Intrinsic1::ALL[k as usize] {
            Intrinsic1::Print => {
                let hook = crate::interp::sys_attr(self, intern!("displayhook"))
                    .ok_or_else(|| self.runtime_error("lost sys.displayhook"))?;
                self.call(&hook, std::slice::from_ref(a))
            }
            Intrinsic1::StopIterationError => Ok(a.clone()),
            Intrinsic1::TypeVar => tp::type_var(self, a, None, None),
            Intrinsic1::ParamSpec => tp::param_spec(self, a),
            Intrinsic1::TypeVarTuple => tp::type_var_tuple(self, a),
            Intrinsic1::SubscriptGeneric => tp::subscript_generic(self, a),
            Intrinsic1::TypeAlias => tp::type_alias(self, a),
        }
    }

    pub(super) fn intrinsic2(&self, k: u8, a: &Value, b: &Value) -> Res<Value> {
        use crate::types::type_params as tp;
        match Intrinsic2::ALL[k as usize] {
            Intrinsic2::TypeVarWithBound => tp::type_var(self, a, Some(b), None),
            Intrinsic2::TypeVarWithConstraints => tp::type_var(self, a, None, Some(b)),
            Intrinsic2::SetFunctionTypeParams => {
                if let Some(f) = a.downcast_exact::<Function>() {
                    f.type_params.set(b.clone());
                }
                Ok(a.clone())
            }
            Intrinsic2::SetTypeParamDefault => tp::set_default(self, a, b),
        }
    }
}

/// A bound of a slice that is left out or an immediate int.
#[inline]
fn plain_bound(value: &Value, default: isize) -> Option<isize> {
    if value.is_none() {
        return Some(default);
    }
    value.as_small_int().map(|n| n as isize)
}
