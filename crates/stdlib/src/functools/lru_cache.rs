//! The callable that `lru_cache` makes.
//!
//! Invariant: results are in a dict whose order is that of their last use; finding a result and moving it to the end is one step, and
//! so are adding one and dropping the oldest. The function runs without any lock, so threads may compute the same result
//! at the same time; the first one stays.

use lisle_runtime::intern;
use lisle_runtime::native::{Args, Py, Res, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::object::Native;
use lisle_runtime::sync::atomic::{AtomicU64, Ordering::Relaxed};
use lisle_runtime::sync::free_threaded;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::int::Int;
use lisle_runtime::types::method::Method;
use lisle_runtime::types::object::Object;
use lisle_runtime::types::str::Str;
use lisle_runtime::types::tuple::Tuple;

/// How many results are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limit {
    None,
    Unlimited,
    Some(usize),
}

lisle_runtime::no_trace!(Limit);

/// A function whose results are kept.
#[pyclass(
    name = "_lru_cache_wrapper",
    late_end,
    module = "functools",
    basetype,
    dict,
    weakref,
    method_descriptor,
    doc = "Create a cached callable that wraps another function.\n\nuser_function:      the function being cached\n\nmaxsize:  0         for no caching\n          None      for unlimited cache size\n          n         for a bounded cache\n\ntyped:    False     cache f(3) and f(3.0) as identical calls\n          True      cache f(3) and f(3.0) as distinct calls\n\ncache_info_type:    namedtuple class with the fields:\n                        hits misses currsize maxsize"
)]
pub struct LruCache {
    function: Value,
    limit: Limit,
    typed: bool,
    info_type: Value,
    /// Stands between positional arguments and keywords in keys.
    mark: Value,
    results: Py<Dict>,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[inline(always)]
fn count(counter: &AtomicU64) {
    if free_threaded() {
        counter.fetch_add(1, Relaxed);
    } else {
        counter.store(counter.load(Relaxed) + 1, Relaxed);
    }
}

impl LruCache {
    /// The key of a call.
    #[inline]
    fn key(&self, args: Args<'_>) -> Value {
        if !self.typed && args.kwnames.is_none() {
            if let [only] = args.values
                && (only.is_small_int() || only.downcast_exact::<Str>().is_some() || only.has_type(Int::ty()))
            {
                return only.clone();
            }
            return Tuple::from_slice_clone(args.values).into_value();
        }
        let mut parts = args.positional().to_vec();
        if args.has_keywords() {
            parts.push(self.mark.clone());
            for (name, value) in args.keywords() {
                parts.extend([name.to_value(), value.clone()]);
            }
        }
        if self.typed {
            parts.extend(args.values.iter().map(|value| value.ty().to_value()));
        }
        Tuple::new(parts).into_value()
    }
}

#[pymethods]
impl LruCache {
    #[slot(sig = "(user_function, maxsize, typed, cache_info_type)")]
    fn __new__(
        vm: &Vm,
        cls: &Py<Type>,
        user_function: &Value,
        maxsize: &Value,
        typed: bool,
        cache_info_type: &Value,
    ) -> Res<Value> {
        if !vm.is_callable(user_function) {
            return Err(vm.type_error("the first argument must be callable"));
        }
        let limit = if maxsize.is_none() {
            Limit::Unlimited
        } else if maxsize.ty().slots().index.is_some() {
            match usize::try_from(vm.index_to_i64(maxsize)?) {
                Ok(limit @ 1..) => Limit::Some(limit),
                _ => Limit::None,
            }
        } else {
            return Err(vm.type_error("maxsize should be integer or None"));
        };
        let cache = LruCache {
            function: user_function.clone(),
            limit,
            typed,
            info_type: cache_info_type.clone(),
            mark: vm.call(Object::ty().as_value(), &[])?,
            results: Dict::new_empty(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        };
        Ok(Py::with_class(cls, cache).into_value())
    }

    #[slot(sig = "(*args, **kwargs)", raw)]
    fn __call__(vm: &Vm, this: &Py<LruCache>, args: Args<'_>) -> Res<Value> {
        if this.limit == Limit::None {
            count(&this.misses);
            return vm.call_args(&this.function, args);
        }
        let key = this.key(args);
        let hash = vm.hash(&key)?;
        let found = match this.limit {
            Limit::Some(_) => this.results.get_refreshed(vm, &key, hash)?,
            _ => this.results.get_hashed(vm, &key, hash)?,
        };
        if let Some(result) = found {
            count(&this.hits);
            return Ok(result);
        }
        count(&this.misses);
        let result = vm.call_args(&this.function, args)?;
        match this.limit {
            Limit::Some(limit) => drop(this.results.add_bounded(vm, &key, hash, &result, limit)?),
            _ => this.results.set_hashed(vm, &key, hash, result.clone())?,
        }
        Ok(result)
    }

    #[slot]
    fn __get__(_vm: &Vm, this: &Py<LruCache>, obj: Option<&Value>, _owner: Option<&Value>) -> Res<Value> {
        match obj.filter(|obj| !obj.is_none()) {
            None => Ok(this.to_value()),
            Some(obj) => Ok(Method::new_value(this.to_value(), obj.clone())),
        }
    }

    /// Report cache statistics
    #[pymethod(sig = "($self, /)")]
    fn cache_info(vm: &Vm, this: &Py<LruCache>) -> Res<Value> {
        let limit = match this.limit {
            Limit::None => Value::int(0),
            Limit::Unlimited => Value::NONE,
            Limit::Some(limit) => Value::usize(limit),
        };
        let number = |counter: &AtomicU64| Value::usize(counter.load(Relaxed) as usize);
        let size = Value::usize(this.results.len());
        vm.call(
            &this.info_type,
            &[number(&this.hits), number(&this.misses), limit, size],
        )
    }

    /// Clear the cache and cache statistics
    #[pymethod(sig = "($self, /)")]
    fn cache_clear(_vm: &Vm, this: &Py<LruCache>) -> Res<()> {
        this.hits.store(0, Relaxed);
        this.misses.store(0, Relaxed);
        this.results.clear_all();
        Ok(())
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<LruCache>) -> Res<Value> {
        vm.getattr(this.as_value(), intern!("__qualname__"))
    }

    #[pymethod(sig = "($self, /)")]
    fn __copy__(_vm: &Vm, this: &Py<LruCache>) -> Value {
        this.to_value()
    }

    #[pymethod(sig = "($self, memo, /)")]
    fn __deepcopy__(_vm: &Vm, this: &Py<LruCache>, _memo: &Value) -> Value {
        this.to_value()
    }
}
