//! `sys.monitoring` (PEP 669): tools, the events they ask for, everywhere or in single code objects, and the places that they switched off.
//!
//! Invariant: tables change under their locks; whether anything is asked for at all is one atomic word, which threads look at when a
//! safepoint was asked to ([`crate::threads::poll::OBSERVE`]).
//! Code objects with events of their own are kept alive, so that their addresses stay theirs.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::Told;
use crate::object::{Native, Obj, Py, Slot, Value};
use crate::sync::Mutex;
use crate::threads::{self, poll};
use crate::types::code::Code;
use crate::types::object::Object;
use crate::vm::frames::FrameData;
use crate::vm::{Res, Vm};

/// The events, by their bit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Event {
    PyStart,
    PyResume,
    PyReturn,
    PyYield,
    Call,
    Line,
    Instruction,
    Jump,
    BranchLeft,
    BranchRight,
    StopIteration,
    Raise,
    ExceptionHandled,
    PyUnwind,
    PyThrow,
    Reraise,
    CReturn,
    CRaise,
}

/// The events' names, by their bit.
pub const NAMES: [&str; 19] = [
    "PY_START",
    "PY_RESUME",
    "PY_RETURN",
    "PY_YIELD",
    "CALL",
    "LINE",
    "INSTRUCTION",
    "JUMP",
    "BRANCH_LEFT",
    "BRANCH_RIGHT",
    "STOP_ITERATION",
    "RAISE",
    "EXCEPTION_HANDLED",
    "PY_UNWIND",
    "PY_THROW",
    "RERAISE",
    "C_RETURN",
    "C_RAISE",
    "BRANCH",
];

/// Events that can be asked for in a single code object, and switched off in a single place.
pub const LOCAL: u32 = (1 << Event::Raise as u32) - 1;
/// The old name of both branch events.
pub const BRANCH: u32 = 1 << 18;
const BRANCHES: u32 = 1 << Event::BranchLeft as u32 | 1 << Event::BranchRight as u32;
const NATIVE_ENDS: u32 = 1 << Event::CReturn as u32 | 1 << Event::CRaise as u32;

/// Identifiers of tools go from 0 to 5.
pub const TOOLS: usize = 6;

struct Tool {
    name: Slot,
    events: AtomicU32,
    callbacks: [Slot; 18],
}

static TABLE: [Tool; TOOLS] = [const {
    Tool {
        name: Slot::empty(),
        events: AtomicU32::new(0),
        callbacks: [const { Slot::empty() }; 18],
    }
}; TOOLS];

/// All events that any tool asks for anywhere.
static ASKED: AtomicU32 = AtomicU32::new(0);

#[derive(Default)]
struct Local {
    /// By address of the code object, which is kept alive: the events of each tool.
    codes: HashMap<usize, (Value, [u32; TOOLS])>,
    /// Places switched off: code object, offset or line, event, tool.
    disabled: HashSet<(usize, u32, u8, u8)>,
}

static LOCALS: Mutex<Option<Local>> = Mutex::new(None);

/// `sys.monitoring.DISABLE` and `MISSING`.
static MARKS: [Slot; 2] = [const { Slot::empty() }; 2];

fn mark(n: usize) -> Value {
    loop {
        if let Some(value) = MARKS[n].get() {
            return value;
        }
        let _ = MARKS[n].set_if_empty(crate::types::object::new_instance(Object::ty()));
    }
}

/// What a callback returns to be called no more for a place.
pub fn disable() -> Value {
    mark(0)
}

/// Stands for the first argument of a call that has none.
pub fn missing() -> Value {
    mark(1)
}

/// Whether any tool asks for jumps or branches.
pub(super) fn jumps_asked() -> bool {
    ASKED.load(Relaxed) & (BRANCHES | 1 << Event::Jump as u32) != 0
}

/// Whether any tool asks for anything.
pub(super) fn is_active() -> bool {
    ASKED.load(Relaxed) != 0
}

fn key(code: &Code) -> usize {
    std::ptr::from_ref(code) as usize
}

/// Events that each tool asks for in a code object.
fn events_in(code: &Code) -> [u32; TOOLS] {
    let mut events = std::array::from_fn(|tool| TABLE[tool].events.load(Relaxed));
    if let Some(locals) = LOCALS.lock().as_ref()
        && let Some((_, own)) = locals.codes.get(&key(code))
    {
        for (all, own) in events.iter_mut().zip(own) {
            *all |= own;
        }
    }
    events
}

/// Whether a tool asks for an event in a code object.
pub(super) fn wants(code: &Code, event: Event) -> bool {
    let bit = bit_of(event);
    ASKED.load(Relaxed) & bit != 0 && events_in(code).iter().any(|events| events & bit != 0)
}

/// The end of native calls comes with their beginning.
fn bit_of(event: Event) -> u32 {
    match event {
        Event::CReturn | Event::CRaise => 1 << Event::Call as u32,
        other => 1 << other as u32,
    }
}

/// Counts again what is asked for, and has every thread look.
fn changed(vm: &Vm) {
    let mut asked = TABLE.iter().fold(0, |all, tool| all | tool.events.load(Relaxed));
    if let Some(locals) = LOCALS.lock().as_ref() {
        asked |= locals
            .codes
            .values()
            .flat_map(|(_, own)| own)
            .fold(0, |all, events| all | events);
    }
    ASKED.store(asked, Relaxed);
    threads::for_each_thread(|thread| thread.set_poll(poll::OBSERVE));
    vm.refresh_watch();
}

fn check_tool(vm: &Vm, tool: i64) -> Res<usize> {
    usize::try_from(tool)
        .ok()
        .filter(|&tool| tool < TOOLS)
        .ok_or_else(|| vm.value_error(format!("invalid tool {tool} (must be between 0 and 5)")))
}

fn used_tool(vm: &Vm, tool: i64) -> Res<usize> {
    let n = check_tool(vm, tool)?;
    if TABLE[n].name.is_empty() {
        return Err(vm.value_error(format!("tool {tool} is not in use")));
    }
    Ok(n)
}

/// `use_tool_id`
pub fn use_tool(vm: &Vm, tool: i64, name: &Value) -> Res<()> {
    let n = check_tool(vm, tool)?;
    if TABLE[n].name.set_if_empty(name.clone()).is_err() {
        return Err(vm.value_error(format!("tool {tool} is already in use")));
    }
    Ok(())
}

/// `clear_tool_id`
pub fn clear_tool(vm: &Vm, tool: i64) -> Res<()> {
    let n = check_tool(vm, tool)?;
    if TABLE[n].name.is_empty() {
        return Ok(());
    }
    TABLE[n].events.store(0, Relaxed);
    let old: Vec<Option<Value>> = TABLE[n].callbacks.iter().map(Slot::take).collect();
    let mut codes = Vec::new();
    if let Some(locals) = LOCALS.lock().as_mut() {
        locals.disabled.retain(|place| usize::from(place.3) != n);
        locals.codes.retain(|_, (code, own)| {
            own[n] = 0;
            let keep = own.iter().any(|&events| events != 0);
            if !keep {
                codes.push(code.clone());
            }
            keep
        });
    }
    drop((old, codes));
    changed(vm);
    Ok(())
}

/// `free_tool_id`
pub fn free_tool(vm: &Vm, tool: i64) -> Res<()> {
    clear_tool(vm, tool)?;
    let n = check_tool(vm, tool)?;
    drop(TABLE[n].name.take());
    Ok(())
}

/// `get_tool`
pub fn tool_name(vm: &Vm, tool: i64) -> Res<Option<Value>> {
    Ok(TABLE[check_tool(vm, tool)?].name.get())
}

/// `register_callback`: the callback that was there.
pub fn register(vm: &Vm, tool: i64, event: i64, callback: Option<Value>) -> Res<Option<Value>> {
    let n = check_tool(vm, tool)?;
    if event <= 0 || event.count_ones() != 1 {
        return Err(vm.value_error("The callback can only be set for one event at a time"));
    }
    let bit = event.trailing_zeros() as usize;
    if bit >= NAMES.len() {
        return Err(vm.value_error(format!("invalid event {event}")));
    }
    if 1 << bit == BRANCH {
        let left = TABLE[n].callbacks[Event::BranchLeft as usize].swap(callback.clone());
        drop(TABLE[n].callbacks[Event::BranchRight as usize].swap(callback));
        return Ok(left);
    }
    Ok(TABLE[n].callbacks[bit].swap(callback))
}

/// `get_events`
pub fn events(vm: &Vm, tool: i64) -> Res<u32> {
    Ok(TABLE[check_tool(vm, tool)?].events.load(Relaxed))
}

fn checked_set(vm: &Vm, events: i64, allowed: u32, kind: &str) -> Res<u32> {
    let known = (1u32 << NAMES.len()) - 1;
    let set = u32::try_from(events)
        .ok()
        .filter(|set| set & !known == 0)
        .ok_or_else(|| vm.value_error(format!("invalid event set 0x{events:x}")))?;
    let mut set = if set & BRANCH != 0 {
        set & !BRANCH | BRANCHES
    } else {
        set
    };
    if set & NATIVE_ENDS != 0 {
        if set & NATIVE_ENDS != NATIVE_ENDS || set & 1 << Event::Call as u32 == 0 {
            return Err(vm.value_error("cannot set C_RETURN or C_RAISE events independently"));
        }
        set &= !NATIVE_ENDS;
    }
    if set & !allowed != 0 {
        return Err(vm.value_error(format!("invalid {kind}event set 0x{events:x}")));
    }
    Ok(set)
}

/// `set_events`
pub fn set_events(vm: &Vm, tool: i64, events: i64) -> Res<()> {
    let n = check_tool(vm, tool)?;
    let set = checked_set(vm, events, u32::MAX, "")?;
    used_tool(vm, tool)?;
    TABLE[n].events.store(set, Relaxed);
    changed(vm);
    Ok(())
}

/// `get_local_events`
pub fn local_events(vm: &Vm, tool: i64, code: &Py<Code>) -> Res<u32> {
    let n = check_tool(vm, tool)?;
    Ok(LOCALS
        .lock()
        .as_ref()
        .and_then(|locals| locals.codes.get(&key(code)))
        .map_or(0, |(_, own)| own[n]))
}

/// `set_local_events`
pub fn set_local_events(vm: &Vm, tool: i64, code: &Py<Code>, events: i64) -> Res<()> {
    let n = check_tool(vm, tool)?;
    let set = checked_set(vm, events, LOCAL, "local ")?;
    used_tool(vm, tool)?;
    let mut locals = LOCALS.lock();
    let entry = locals
        .get_or_insert_default()
        .codes
        .entry(key(code))
        .or_insert_with(|| (code.to_value(), [0; TOOLS]));
    entry.1[n] = set;
    drop(locals);
    changed(vm);
    Ok(())
}

/// `restart_events`
pub fn restart(vm: &Vm) {
    if let Some(locals) = LOCALS.lock().as_mut() {
        locals.disabled.clear();
    }
    changed(vm);
}

/// `_all_events`: the events of which any tool asks for, with the tools as a bit set.
pub fn all_events() -> Vec<(&'static str, u32)> {
    NAMES
        .iter()
        .enumerate()
        .filter_map(|(bit, name)| {
            let tools = (0..TOOLS)
                .filter(|&tool| TABLE[tool].events.load(Relaxed) & 1 << bit != 0)
                .fold(0, |set, tool| set | 1 << tool);
            (tools != 0).then_some((*name, tools))
        })
        .collect()
}

fn told_by(event: Event) -> Told {
    match event {
        Event::PyStart => Told::Start,
        Event::PyResume | Event::Line | Event::Instruction | Event::Jump | Event::BranchLeft | Event::BranchRight => {
            Told::Line
        }
        Event::PyYield => Told::Yield,
        Event::Call | Event::CReturn => Told::Call,
        _ => Told::Other,
    }
}

/// The code object of a frame.
fn code_object(f: &FrameData) -> Value {
    // SAFETY: code objects are only ever payloads of heap objects; the header lies before the payload, and the frame keeps it alive.
    unsafe {
        let object = std::ptr::from_ref(f.code()).byte_sub(std::mem::offset_of!(Obj<Code>, data));
        let held = std::mem::ManuallyDrop::new(Py::<Code>::from_raw(std::ptr::NonNull::new_unchecked(
            object.cast_mut().cast(),
        )));
        held.to_value()
    }
}

impl Vm {
    /// Tells the tools of an event at the frame's instruction.
    pub(super) fn monitor(&self, f: &FrameData, event: Event, args: &[Value]) -> Res<()> {
        if ASKED.load(Relaxed) & bit_of(event) == 0 {
            return Ok(());
        }
        self.monitor_at(f, event, f.pc().saturating_sub(1), args)
    }

    /// As [`Vm::monitor`], for the instruction at `pc`.
    pub(super) fn monitor_at(&self, f: &FrameData, event: Event, pc: u32, args: &[Value]) -> Res<()> {
        let offset = Value::int(i64::from(pc) * 2);
        self.monitor_with(f, event, pc, offset, args)
    }

    pub(super) fn monitor_line(&self, f: &FrameData, line: u32) -> Res<()> {
        if ASKED.load(Relaxed) & 1 << Event::Line as u32 == 0 {
            return Ok(());
        }
        self.monitor_with(f, Event::Line, line, Value::int(line.into()), &[])
    }

    fn monitor_with(&self, f: &FrameData, event: Event, place: u32, second: Value, rest: &[Value]) -> Res<()> {
        let bit = bit_of(event);
        let code = f.code();
        for (tool, events) in events_in(code).into_iter().enumerate() {
            if events & bit == 0 {
                continue;
            }
            let Some(callback) = TABLE[tool].callbacks[event as usize].get() else {
                continue;
            };
            let off = (key(code), place, event as u8, tool as u8);
            if LOCALS
                .lock()
                .as_ref()
                .is_some_and(|locals| locals.disabled.contains(&off))
            {
                continue;
            }
            let mut args = vec![code_object(f), second.clone()];
            args.extend_from_slice(rest);
            let answer = self.tell(told_by(event), &callback, &args)?;
            if !answer.is(&disable()) {
                continue;
            }
            if bit & LOCAL == 0 {
                drop(TABLE[tool].callbacks[event as usize].take());
                let name = NAMES[event as usize];
                return Err(self.value_error(format!("Cannot disable {name} events. Callback removed.")));
            }
            let other = [Event::BranchLeft, Event::BranchRight].map(|e| TABLE[tool].callbacks[e as usize].get());
            let shared = other.iter().flatten().all(|other| other.is(&callback));
            let mut locals = LOCALS.lock();
            let locals = locals.get_or_insert_default();
            // The address must stay the code object's.
            locals
                .codes
                .entry(off.0)
                .or_insert_with(|| (code_object(f), [0; TOOLS]));
            locals.disabled.insert(off);
            // One callback for both ways of a branch is called no more for either.
            if BRANCHES & bit != 0 && shared {
                let other = Event::BranchLeft as u8 + Event::BranchRight as u8 - event as u8;
                locals.disabled.insert((off.0, place, other, tool as u8));
            }
        }
        Ok(())
    }
}
