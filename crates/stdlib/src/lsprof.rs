//! `_lsprof`: the profiler behind `cProfile`, on the events of `sys.monitoring`.
//!
//! Invariant: times are whole ticks, nanoseconds unless there is a timer of the program's. What is called is known by a key, the address of
//! its code object or descriptor, which the entry keeps alive. Only calls of the thread that enabled the profiler are counted.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use lisle_runtime::intern;
use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::sync::Locked;
use lisle_runtime::types::code::Code;
use lisle_runtime::types::float;
use lisle_runtime::types::list::List;
use lisle_runtime::types::module::Module;
use lisle_runtime::types::native_function::{MethodDescriptor, NativeFunction};
use lisle_runtime::types::struct_seq::StructSeqDef;
use lisle_runtime::vm::observe::monitoring;

/// `sys.monitoring.PROFILER_ID`.
const TOOL: i64 = 2;
/// Ticks of a unit of a timer that returns floats.
const FLOAT_TICKS: f64 = 4_294_967_296.0;

const DETAILS: [(&str, &str); 5] = [
    ("code", "code object or built-in function name"),
    ("callcount", "how many times this was called"),
    ("reccallcount", "how many times called recursively"),
    ("totaltime", "total time in this entry"),
    ("inlinetime", "inline time in this entry (not in subcalls)"),
];

static ENTRY: StructSeqDef = StructSeqDef::new(
    "profiler_entry",
    "_lsprof",
    "",
    &[
        DETAILS[0],
        DETAILS[1],
        DETAILS[2],
        DETAILS[3],
        DETAILS[4],
        ("calls", "details of the calls"),
    ],
    6,
);

static SUBENTRY: StructSeqDef = StructSeqDef::new(
    "profiler_subentry",
    "_lsprof",
    "",
    &[
        ("code", "called code object or built-in function name"),
        ("callcount", "how many times this is called"),
        ("reccallcount", "how many times this is called recursively"),
        ("totaltime", "total time spent in this call"),
        ("inlinetime", "inline time (not in further subcalls)"),
    ],
    5,
);

/// What is known of a function, or of a function called by another.
#[derive(Clone, Default)]
struct Counts {
    total: i64,
    inline: i64,
    calls: i64,
    recursive: i64,
    level: i64,
}

impl Counts {
    fn end(&mut self, total: i64, inline: i64) {
        self.level -= 1;
        if self.level == 0 {
            self.total += total;
        } else {
            self.recursive += 1;
        }
        self.inline += inline;
        self.calls += 1;
    }

    /// The fields that follow `code`.
    fn values(&self, unit: f64) -> [Value; 4] {
        [
            Value::int(self.calls),
            Value::int(self.recursive),
            Value::float(self.total as f64 * unit),
            Value::float(self.inline as f64 * unit),
        ]
    }
}

struct Entry {
    /// The code object, or the text that stands for native code.
    shown: Value,
    counts: Counts,
    /// By the key of what is called.
    callees: HashMap<u64, Counts>,
}

/// A call that has not ended.
struct Call {
    key: u64,
    begin: i64,
    /// What of it calls within took.
    within: i64,
}

#[derive(Default)]
struct State {
    entries: HashMap<u64, Entry>,
    order: Vec<u64>,
    calls: Vec<Call>,
}

impl State {
    fn begin(&mut self, key: u64, subcalls: bool) {
        let caller = self.calls.last().map(|call| call.key);
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.counts.level += 1;
        }
        if subcalls && let Some(caller) = caller.and_then(|caller| self.entries.get_mut(&caller)) {
            caller.callees.entry(key).or_default().level += 1;
        }
        self.calls.push(Call {
            key,
            begin: 0,
            within: 0,
        });
    }

    /// Ends the innermost call as one of `key`.
    fn end(&mut self, key: u64, now: i64, subcalls: bool) {
        let Some(call) = self.calls.pop() else { return };
        let Some(entry) = self.entries.get_mut(&key) else {
            return;
        };
        let total = now - call.begin;
        let inline = total - call.within;
        entry.counts.end(total, inline);
        let Some(caller) = self.calls.last_mut() else { return };
        caller.within += total;
        if subcalls
            && let Some(caller) = self.entries.get_mut(&caller.key)
            && let Some(counts) = caller.callees.get_mut(&key)
        {
            counts.end(total, inline);
        }
    }
}

#[pyclass(
    name = "Profiler",
    module = "_lsprof",
    basetype,
    doc = "Build a profiler object using the specified timer function.\n\nThe default timer is a fast built-in one based on real time.\nFor custom timer functions returning integers, 'timeunit' can\nbe a float specifying a scale (that is, how long each integer unit\nis, in seconds)."
)]
pub struct Profiler {
    timer: Slot,
    timeunit: Slot,
    subcalls: AtomicBool,
    builtins: AtomicBool,
    in_timer: AtomicBool,
    /// The context of the thread that enabled it; 0 while it is not enabled.
    thread: AtomicUsize,
    begin: Opaque<Instant>,
    state: Locked<Opaque<State>>,
}

type This = Py<Profiler>;

fn thread_of(vm: &Vm) -> usize {
    std::ptr::from_ref(vm) as usize
}

impl Profiler {
    fn timeunit(&self) -> f64 {
        self.timeunit.get().and_then(|unit| float::view(&unit)).unwrap_or(0.0)
    }

    /// Seconds of a tick.
    fn unit(&self) -> f64 {
        match (self.timer.is_empty(), self.timeunit()) {
            (true, _) => 1e-9,
            (false, unit) if unit > 0.0 => unit,
            _ => 1.0 / FLOAT_TICKS,
        }
    }

    /// The time in ticks; what a timer raises is reported.
    fn now(vm: &Vm, this: &This) -> i64 {
        let Some(timer) = this.timer.get() else {
            return i64::try_from(this.begin.0.elapsed().as_nanos()).unwrap_or(i64::MAX);
        };
        this.in_timer.store(true, Relaxed);
        let result = vm.call(&timer, &[]);
        this.in_timer.store(false, Relaxed);
        let ticks = result.and_then(|time| {
            if this.timeunit() > 0.0 {
                return vm.index_to_i64(&time);
            }
            let seconds = match float::view(&time) {
                Some(seconds) => seconds,
                None => vm.index_to_i64(&time)? as f64,
            };
            Ok((seconds * FLOAT_TICKS) as i64)
        });
        ticks.unwrap_or_else(|exc| {
            vm.unraisable(exc, Some("Exception ignored while calling _lsprof timer"), Some(&timer));
            0
        })
    }

    fn enter(vm: &Vm, this: &This, key: u64, shown: impl FnOnce() -> Res<Value>) -> Res<()> {
        if !this
            .state
            .with(this.header(), |state| state.0.entries.contains_key(&key))
        {
            let shown = shown()?;
            let left_over = this.state.with(this.header(), |state| {
                if state.0.entries.contains_key(&key) {
                    return Some(shown);
                }
                let entry = Entry {
                    shown,
                    counts: Counts::default(),
                    callees: HashMap::new(),
                };
                state.0.entries.insert(key, entry);
                state.0.order.push(key);
                None
            });
            drop(left_over);
        }
        let subcalls = this.subcalls.load(Relaxed);
        this.state.with(this.header(), |state| state.0.begin(key, subcalls));
        let now = Profiler::now(vm, this);
        this.state.with(this.header(), |state| {
            if let Some(call) = state.0.calls.last_mut() {
                call.begin = now;
            }
        });
        Ok(())
    }

    fn leave(vm: &Vm, this: &This, key: u64) {
        if this.state.with(this.header(), |state| state.0.calls.is_empty()) {
            return;
        }
        let now = Profiler::now(vm, this);
        let subcalls = this.subcalls.load(Relaxed);
        this.state.with(this.header(), |state| state.0.end(key, now, subcalls));
    }

    fn counts_here(&self, vm: &Vm) -> bool {
        self.thread.load(Relaxed) == thread_of(vm)
    }
}

/// Key and text of a native function; `None` for what has no name to be profiled by.
fn native(vm: &Vm, callable: &Value) -> Res<Option<(u64, Value)>> {
    if callable.downcast_exact::<MethodDescriptor>().is_some() {
        return Ok(Some((callable.bits(), vm.repr(callable)?.into_value())));
    }
    let Some(function) = callable.downcast_exact::<NativeFunction>() else {
        return Ok(None);
    };
    let name = vm.getattr(callable, intern!("__name__"))?;
    let receiver = vm.getattr(callable, intern!("__self__"))?;
    if !receiver.is_none() && receiver.downcast::<Module>().is_none() {
        // Bound methods are known by the method of the class.
        if let Some(text) = name.downcast::<Str>() {
            let method = receiver.ty().lookup(vm, text);
            if let Some(method) = method.filter(|method| method.downcast_exact::<MethodDescriptor>().is_some()) {
                return Ok(Some((method.bits(), vm.repr(&method)?.into_value())));
            }
        }
    }
    let module = vm.getattr(callable, intern!("__module__"))?;
    let name = vm.str(&name)?.to_string_lossy();
    let shown = if module.is_none() {
        format!("<built-in method {name}>")
    } else {
        format!("<built-in method {}.{name}>", vm.str(&module)?.to_string_lossy())
    };
    let key = std::ptr::from_ref(function.def) as u64;
    Ok(Some((key, Value::from(shown.as_str()))))
}

/// The events that are listened to, and with which method.
const EVENTS: [(&str, &str); 9] = [
    ("PY_START", "_pystart_callback"),
    ("PY_RESUME", "_pystart_callback"),
    ("PY_THROW", "_pystart_callback"),
    ("PY_RETURN", "_pyreturn_callback"),
    ("PY_YIELD", "_pyreturn_callback"),
    ("PY_UNWIND", "_pyreturn_callback"),
    ("CALL", "_ccall_callback"),
    ("C_RETURN", "_creturn_callback"),
    ("C_RAISE", "_creturn_callback"),
];

fn event_bit(name: &str) -> i64 {
    let at = monitoring::NAMES.iter().position(|known| *known == name);
    at.map_or(0, |at| 1 << at)
}

fn flag(vm: &Vm, value: Option<&Value>) -> Res<bool> {
    value.map_or(Ok(true), |value| vm.truth(value))
}

#[pymethods]
impl Profiler {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        let profiler = Profiler {
            timer: Slot::empty(),
            timeunit: Slot::empty(),
            subcalls: AtomicBool::new(true),
            builtins: AtomicBool::new(true),
            in_timer: AtomicBool::new(false),
            thread: AtomicUsize::new(0),
            begin: Opaque(Instant::now()),
            state: Locked::new(Opaque(State::default())),
        };
        Ok(Py::with_class(cls, profiler).into_value())
    }

    #[slot(sig = "(timer=None, timeunit=0.0, subcalls=True, builtins=True)")]
    fn __init__(
        vm: &Vm,
        this: &This,
        timer: Option<&Value>,
        timeunit: Option<f64>,
        subcalls: Option<&Value>,
        builtins: Option<&Value>,
    ) -> Res<()> {
        this.subcalls.store(flag(vm, subcalls)?, Relaxed);
        this.builtins.store(flag(vm, builtins)?, Relaxed);
        drop(this.timer.swap(timer.filter(|timer| !timer.is_none()).cloned()));
        drop(this.timeunit.swap(timeunit.map(Value::float)));
        Ok(())
    }

    /// Start collecting profiling information.
    ///
    ///   subcalls
    ///     If True, also records for each function
    ///     statistics separated according to its current caller.
    ///   builtins
    ///     If True, records the time spent in
    ///     built-in functions separately from their caller.
    #[pymethod(sig = "($self, /, subcalls=True, builtins=True)")]
    fn enable(vm: &Vm, this: &This, subcalls: Option<&Value>, builtins: Option<&Value>) -> Res<()> {
        let (subcalls, builtins) = (flag(vm, subcalls)?, flag(vm, builtins)?);
        if monitoring::tool_name(vm, TOOL)?.is_some() {
            return Err(vm.value_error("Another profiling tool is already active"));
        }
        this.subcalls.store(subcalls, Relaxed);
        this.builtins.store(builtins, Relaxed);
        monitoring::use_tool(vm, TOOL, &Value::from("cProfile"))?;
        this.thread.store(thread_of(vm), Relaxed);
        let mut events = 0;
        for (event, method) in EVENTS {
            let bit = event_bit(event);
            let callback = vm.getattr(this.as_value(), &Str::intern(method))?;
            drop(monitoring::register(vm, TOOL, bit, Some(callback))?);
            events |= bit;
        }
        monitoring::set_events(vm, TOOL, events)
    }

    /// Stop collecting profiling information.
    #[pymethod(sig = "($self, /)")]
    fn disable(vm: &Vm, this: &This) -> Res<()> {
        if this.in_timer.load(Relaxed) {
            return Err(vm.runtime_error("cannot disable profiler in external timer"));
        }
        if this.thread.swap(0, Relaxed) != 0 {
            monitoring::free_tool(vm, TOOL)?;
        }
        // What has not ended ends now.
        while let Some(key) = this
            .state
            .with(this.header(), |state| state.0.calls.last().map(|call| call.key))
        {
            Profiler::leave(vm, this, key);
        }
        Ok(())
    }

    /// Clear all profiling information collected so far.
    #[pymethod(sig = "($self, /)")]
    fn clear(vm: &Vm, this: &This) -> Res<()> {
        if this.in_timer.load(Relaxed) {
            return Err(vm.runtime_error("cannot clear profiler in external timer"));
        }
        let old = this.state.with(this.header(), |state| std::mem::take(&mut state.0));
        drop(old);
        Ok(())
    }

    /// list of profiler_entry objects.
    ///
    /// getstats() -> list of profiler_entry objects
    ///
    /// Return all information collected by the profiler.
    /// Each profiler_entry is a tuple-like object with the
    /// following attributes:
    ///
    ///     code          code object
    ///     callcount     how many times this was called
    ///     reccallcount  how many times called recursively
    ///     totaltime     total time in this entry
    ///     inlinetime    inline time in this entry (not in subcalls)
    ///     calls         details of the calls
    ///
    /// The calls attribute is either None or a list of
    /// profiler_subentry objects.
    #[pymethod(sig = "($self, /)")]
    fn getstats(_: &Vm, this: &This) -> Value {
        type Callee = (Value, Counts);
        let entries: Vec<(Value, Counts, Vec<Callee>)> = this.state.with(this.header(), |state| {
            let State { entries, order, .. } = &state.0;
            let known = order.iter().filter_map(|key| entries.get(key));
            known
                .filter(|entry| entry.counts.calls > 0)
                .map(|entry| {
                    let mut callees: Vec<(u64, &Counts)> =
                        entry.callees.iter().map(|(key, counts)| (*key, counts)).collect();
                    callees.sort_by_key(|(key, _)| order.iter().position(|known| known == key));
                    let callees = callees.into_iter().filter_map(|(key, counts)| {
                        let shown = entries.get(&key)?.shown.clone();
                        (counts.calls > 0).then(|| (shown, counts.clone()))
                    });
                    (entry.shown.clone(), entry.counts.clone(), callees.collect())
                })
                .collect()
        });
        let unit = this.unit();
        let made = entries.into_iter().map(|(shown, counts, callees)| {
            let callees: Vec<Value> = callees
                .into_iter()
                .map(|(shown, counts)| {
                    let [calls, recursive, total, inline] = counts.values(unit);
                    SUBENTRY.make(vec![shown, calls, recursive, total, inline])
                })
                .collect();
            let callees = if callees.is_empty() {
                Value::NONE
            } else {
                List::new(callees).into_value()
            };
            let [calls, recursive, total, inline] = counts.values(unit);
            ENTRY.make(vec![shown, calls, recursive, total, inline, callees])
        });
        List::new(made.collect()).into_value()
    }

    #[pymethod]
    fn _pystart_callback(vm: &Vm, this: &This, args: Args<'_>) -> Res<()> {
        let Some(code) = args
            .positional()
            .first()
            .filter(|code| code.downcast::<Code>().is_some())
        else {
            return Ok(());
        };
        if this.counts_here(vm) {
            Profiler::enter(vm, this, code.bits(), || Ok(code.clone()))?;
        }
        Ok(())
    }

    #[pymethod]
    fn _pyreturn_callback(vm: &Vm, this: &This, args: Args<'_>) -> Res<()> {
        if let Some(code) = args.positional().first()
            && this.counts_here(vm)
        {
            Profiler::leave(vm, this, code.bits());
        }
        Ok(())
    }

    #[pymethod]
    fn _ccall_callback(vm: &Vm, this: &This, args: Args<'_>) -> Res<()> {
        if let Some(callable) = args.positional().get(2)
            && this.builtins.load(Relaxed)
            && this.counts_here(vm)
            && let Some((key, shown)) = native(vm, callable)?
        {
            Profiler::enter(vm, this, key, || Ok(shown))?;
        }
        Ok(())
    }

    #[pymethod]
    fn _creturn_callback(vm: &Vm, this: &This, args: Args<'_>) -> Res<()> {
        if let Some(callable) = args.positional().get(2)
            && this.builtins.load(Relaxed)
            && this.counts_here(vm)
            && let Some((key, _)) = native(vm, callable)?
        {
            Profiler::leave(vm, this, key);
        }
        Ok(())
    }
}

#[pymodule(name = "_lsprof", doc = "Fast profiler", types(Profiler))]
pub mod module {
    use super::*;

    #[pyattr(name = "profiler_entry")]
    fn entry(_: &Vm) -> Value {
        ENTRY.ty().to_value()
    }

    #[pyattr(name = "profiler_subentry")]
    fn subentry(_: &Vm) -> Value {
        SUBENTRY.ty().to_value()
    }
}
