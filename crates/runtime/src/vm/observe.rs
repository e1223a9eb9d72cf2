//! Tracing, profiling and monitoring: what the loop with a hook tells those who listen.
//!
//! The loop with a hook calls [`Vm::observe`] before each instruction; unwinding calls [`Vm::observe_raise`], [`Vm::observe_handler`] and
//! [`Vm::observe_unwind`]. From there `sys.settrace`, `sys.setprofile` and `sys.monitoring` ([`monitoring`]) are served.
//!
//! Invariants: a thread runs the loop with a hook while [`Observers::watched`] is set and no callback of its own runs; its poll word has
//! OBSERVE as long, so that loops entered before change over at their next safepoint. What a callback does is not observed.
//! Jumps are told of at the instruction that they lead to. What ends a loop over an iterator that is no
//! generator is not told of.

mod jump;
pub mod monitoring;

use std::cell::{Cell, RefCell};

use lisle_bytecode::Op;

use super::frames::FrameData;
use super::interp::Ip;
use super::{Exc, Res, Vm};
use crate::memory::watch;
use crate::object::{Py, Slot, Value};
use crate::threads::{self, poll};
use crate::types::async_generator::{AsyncGenASend, AsyncGenAThrow};
use crate::types::code::Code;
use crate::types::coroutine::Coroutine;
use crate::types::frame::Frame;
use crate::types::generator::Generator;
use crate::types::list::List;
use crate::types::method::Method;
use crate::types::native_function::{MethodDescriptor, NativeFunction};
use crate::types::tuple::Tuple;
use monitoring::Event;
use std::sync::atomic::Ordering::Relaxed;

/// What a thread knows of one of its frames while it is watched.
#[derive(Clone, Copy)]
struct Level {
    code: *const Code,
    /// The line of the last line event, and the last instruction.
    line: u32,
    last: u32,
    /// The last instruction that belongs to a statement.
    shown: u32,
    /// The last instruction, if it is a jump to be told of when it is known where it leads.
    jump: Option<Jump>,
    /// The last instruction, if it waits for what another generator returns.
    sent: Option<Sent>,
}

/// Where a frame goes on when a generator has returned.
#[derive(Clone, Copy)]
struct Sent {
    at: u32,
    /// The register that gets the value; none in loops.
    register: Option<u16>,
    to: u32,
    /// Whether it is a generator or coroutine itself, not what wraps one.
    own: bool,
}

/// A jump: where it is, and, unless it is unconditional, which instruction follows it otherwise.
#[derive(Clone, Copy)]
struct Jump {
    at: u32,
    otherwise: Option<u32>,
}

/// What a callback is being told of, as far as jumps to other lines depend on it.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Told {
    #[default]
    Nothing,
    /// A frame begins.
    Start,
    /// A place between two instructions of a frame.
    Line,
    Yield,
    Call,
    Other,
}

/// A native call whose end is to be told.
struct NativeCall {
    depth: usize,
    offset: u32,
    callable: Value,
    first: Option<Value>,
}

/// Who listens to a thread, and what they were told.
#[derive(Default)]
pub struct Observers {
    /// `sys.settrace`, `sys.setprofile`.
    trace: Slot,
    profile: Slot,
    /// Whether anybody listens.
    watched: Cell<bool>,
    /// Whether frames are to know their place at each instruction, for allocations that are watched.
    places: Cell<bool>,
    /// How many callbacks run.
    inside: Cell<u32>,
    /// What the innermost of them is told, and of which frame, by number.
    telling: Cell<(Told, usize)>,
    /// What a generator has returned.
    returned: Slot,
    /// Whether a callback had the frame go on elsewhere.
    jumped: Cell<bool>,
    levels: RefCell<Vec<Option<Level>>>,
    native_calls: RefCell<Vec<NativeCall>>,
}

impl Observers {
    /// The slots to be emptied when the thread ends.
    pub(super) fn slots(&self) -> [&Slot; 3] {
        [&self.trace, &self.profile, &self.returned]
    }
}

/// Restores the count of running callbacks, also when one of them raises.
struct Inside<'a>(&'a Cell<u32>, u32);

impl<'a> Inside<'a> {
    fn enter(count: &'a Cell<u32>, value: u32) -> Inside<'a> {
        Inside(count, count.replace(value))
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.set(self.1);
    }
}

impl Vm {
    /// `sys.gettrace()`.
    pub fn trace_function(&self) -> Option<Value> {
        self.observers.trace.get()
    }

    /// `sys.getprofile()`.
    pub fn profile_function(&self) -> Option<Value> {
        self.observers.profile.get()
    }

    /// `sys.settrace(function)`.
    pub fn set_trace_function(&self, function: Option<Value>) {
        drop(self.observers.trace.swap(function));
        self.refresh_watch();
    }

    /// `sys.setprofile(function)`.
    pub fn set_profile_function(&self, function: Option<Value>) {
        drop(self.observers.profile.swap(function));
        self.refresh_watch();
    }

    /// Has every thread look again at who listens: at once the calling one, the others at their next safepoint.
    pub fn refresh_watch_everywhere(&self) {
        threads::stop_the_world(|| threads::for_each_thread(|thread| thread.set_poll(poll::OBSERVE)));
        self.refresh_watch();
    }

    /// Sets the functions of every thread: they take effect at each thread's next safepoint.
    pub fn set_for_all_threads(&self, function: Option<&Value>, profile: bool) {
        let mut old = Vec::new();
        threads::stop_the_world(|| {
            threads::for_each_thread(|thread| {
                // SAFETY: the context of a registered thread is its `Vm`, which lives until the thread is unregistered; the world is stopped.
                let Some(vm) = (unsafe { thread.context().cast::<Vm>().as_ref() }) else {
                    return;
                };
                let slot = if profile {
                    &vm.observers.profile
                } else {
                    &vm.observers.trace
                };
                old.push(slot.swap(function.cloned()));
                thread.set_poll(poll::OBSERVE);
            });
        });
        drop(old);
        self.refresh_watch();
    }

    /// Whether the loop with a hook is the one to run.
    #[inline(always)]
    pub(crate) fn wants_hook(&self) -> bool {
        self.observers.watched.get() && self.observers.inside.get() == 0
    }

    /// Whether somebody is told of the calls and lines of this thread.
    #[inline]
    pub fn tells_of_calls(&self) -> bool {
        self.wants_hook()
    }

    /// Whether the loop with a hook is the one to run, be it only so that frames know their place.
    #[inline(always)]
    pub(super) fn wants_hooked_loop(&self) -> bool {
        self.observers.places.get() || self.wants_hook()
    }

    /// Looks again at who listens: when the thread starts, when listeners change, and when a safepoint was asked to.
    pub fn refresh_watch(&self) {
        let o = &self.observers;
        let watched = !o.trace.is_empty() || !o.profile.is_empty() || monitoring::is_active();
        let places = watch::is_on();
        o.places.set(places);
        crate::memory::alloc::set_watched(places);
        if watched || places {
            self.thread.set_poll(poll::OBSERVE);
        } else {
            self.thread.clear_poll(poll::OBSERVE);
        }
        if watched == o.watched.replace(watched) {
            return;
        }
        drop(o.native_calls.take());
        let mut levels = o.levels.borrow_mut();
        levels.clear();
        if watched {
            // Frames that run already were not called under observation: no call is told of them.
            for n in (0..self.frames.depth.get()).rev() {
                levels.push(self.frames.nth(n).map(|f| {
                    let last = f.pc().saturating_sub(1);
                    Level {
                        code: std::ptr::from_ref(f.code()),
                        line: f.code().location(last).line,
                        last,
                        shown: last,
                        jump: None,
                        sent: None,
                    }
                }));
            }
        }
    }

    /// Calls `f` with observation on, also from within a callback: `sys.call_tracing`.
    pub fn with_observation<R>(&self, f: impl FnOnce() -> R) -> R {
        let _inside = Inside::enter(&self.observers.inside, 0);
        f()
    }

    /// Calls `f` with observation off, as in a callback.
    pub fn without_observation<R>(&self, f: impl FnOnce() -> R) -> R {
        let o = &self.observers;
        let _inside = Inside::enter(&o.inside, o.inside.get() + 1);
        f()
    }

    /// Runs a callback.
    fn tell(&self, told: Told, function: &Value, args: &[Value]) -> Res<Value> {
        let o = &self.observers;
        let before = o.telling.replace((told, self.frames.depth.get()));
        let result = {
            let _inside = Inside::enter(&o.inside, o.inside.get() + 1);
            self.call(function, args)
        };
        o.telling.set(before);
        if result.is_err() {
            o.jumped.set(false);
        }
        result
    }

    /// The entry of the innermost frame, forgotten if another frame has taken its place.
    fn level(&self, depth: usize, code: *const Code) -> Option<Level> {
        let mut levels = self.observers.levels.borrow_mut();
        levels.resize(depth, None);
        levels[depth - 1].filter(|level| std::ptr::eq(level.code, code))
    }

    fn set_level(&self, depth: usize, level: Level) {
        if let Some(place) = self.observers.levels.borrow_mut().get_mut(depth - 1) {
            *place = Some(level);
        }
    }

    fn leave_level(&self, depth: usize) {
        self.observers.levels.borrow_mut().truncate(depth - 1);
        drop(self.forget_native_calls(depth));
    }

    /// Before the instruction at `pc` of the innermost frame. True if the frame is to go on elsewhere.
    #[cold]
    #[inline(never)]
    pub(super) fn observe(&self, frame: *mut FrameData, pc: *const u64) -> Res<bool> {
        if self.observers.places.get() {
            // SAFETY: the innermost record, and an instruction of its code: the next word is one past it at most.
            unsafe { (*frame).at.set(pc.add(1)) };
        }
        if !self.wants_hook() {
            return Ok(false);
        }
        let jumped = &self.observers.jumped;
        // SAFETY: the innermost record; `pc` is an instruction of its code, so the next word is one past it at most.
        let (f, i) = unsafe {
            (*frame).at.set(pc.add(1));
            (&*frame, Ip::new(pc))
        };
        let op = i.op();
        if op == Op::ReturnGenerator {
            return Ok(false);
        }
        let depth = self.frames.depth.get();
        self.native_returned(f, depth)?;
        let index = f.pc() - 1;
        let place = f.code().location(index);
        let line = place.line;
        let known = self.level(depth, f.code());
        let mut level = known.unwrap_or(Level {
            code: std::ptr::from_ref(f.code()),
            line: 0,
            last: 0,
            shown: index,
            jump: None,
            sent: None,
        });
        let prologue = matches!(op, Op::Resume | Op::CopyFreeVars | Op::MakeCell);
        if known.is_none() {
            if !prologue {
                // A generator goes on in the middle of a line.
                level.line = line;
            }
            level.last = index;
            self.set_level(depth, level);
            self.frame_entered(f, prologue)?;
            if !prologue {
                self.jump_when_resumed(frame, depth);
            }
            if jumped.take() {
                return Ok(true);
            }
        }
        if prologue {
            return Ok(false);
        }
        if let Some(jump) = level.jump.take() {
            self.jumped(f, jump, index)?;
        }
        if let Some(sent) = level.sent.take().filter(|sent| sent.to == index) {
            self.returned_to(f, sent)?;
        }
        // Jumps and returns that no statement says have no line of their own.
        let silent = place.is_silent() || matches!(op, Op::Jump | Op::JumpBack | Op::ReturnConst) && i.k() & 1 == 1;
        let new_line = line != 0 && !silent && (line != level.line || index < level.last);
        if !silent {
            level.shown = index;
        } else if matches!(op, Op::Return | Op::ReturnConst) {
            // The frame shows the line that it comes from.
            f.set_pc(level.shown + 1);
        }
        level.last = index;
        if new_line {
            level.line = line;
        }
        let told = op != Op::Jump || i.k() & 2 == 0;
        level.jump = (told && monitoring::jumps_asked())
            .then(|| jump_of(op, index))
            .flatten();
        level.sent = match op {
            Op::Send | Op::ForIter => {
                drop(self.observers.returned.take());
                sent_to(f, i, index)
            }
            _ => None,
        };
        self.set_level(depth, level);
        if new_line {
            self.line_reached(f, line)?;
        }
        if jumped.take() {
            return Ok(true);
        }
        self.trace_opcode(f)?;
        self.monitor(f, Event::Instruction, &[])?;
        if jumped.take() {
            return Ok(true);
        }
        match op {
            Op::Call | Op::CallKw | Op::CallEx => self.call_seen(f, i, op, depth),
            Op::LoadSuperAttr | Op::LoadSuperMethod => self.super_seen(f, i, depth),
            Op::Return => {
                let value = f.reg(i.a() as usize).clone();
                self.frame_returns(f, Event::PyReturn, value, depth)
            }
            Op::ReturnConst => {
                let value = f.code().consts.get(i.w() as usize).cloned();
                self.frame_returns(f, Event::PyReturn, value, depth)
            }
            Op::Yield => {
                let value = f.reg(i.b() as usize).clone();
                self.frame_returns(f, Event::PyYield, value, depth)
            }
            _ => Ok(()),
        }?;
        jumped.set(false);
        Ok(false)
    }

    /// A jump led to `index`.
    fn jumped(&self, f: &FrameData, jump: Jump, index: u32) -> Res<()> {
        let event = match jump.otherwise {
            None => Event::Jump,
            Some(next) if next == index => Event::BranchLeft,
            Some(_) => Event::BranchRight,
        };
        self.monitor_at(f, event, jump.at, &[Value::int(i64::from(index) * 2)])
    }

    /// A generator that the frame waited for has returned: as CPython has it, a StopIteration that nobody raises.
    #[cold]
    fn returned_to(&self, f: &FrameData, sent: Sent) -> Res<()> {
        let asked = |event| monitoring::wants(f.code(), event);
        if self.observers.trace.is_empty() && !asked(Event::StopIteration) && !asked(Event::Raise) {
            return Ok(());
        }
        // It belongs to the instruction that waited.
        let at = f.at.get();
        f.set_pc(sent.at + 1);
        let result = self.returned_with(f, sent);
        f.at.set(at);
        result
    }

    fn returned_with(&self, f: &FrameData, sent: Sent) -> Res<()> {
        let returned = self.observers.returned.take();
        let value = match sent.register {
            Some(register) => f.reg(register.into()).clone().unwrap_or(Value::NONE),
            None => match returned {
                Some(value) => value,
                // The generator had ended before.
                None => return Ok(()),
            },
        };
        // Tracers hear of the end of a loop when there is a value.
        let traced = sent.register.is_some() || !value.is_none();
        let stop = self.stop_iteration_with(value).into_value();
        if traced {
            self.trace_local(Told::Other, f, "exception", || {
                Tuple::new(vec![stop.ty().to_value(), stop.clone(), Value::NONE]).into_value()
            })?;
        }
        let event = match sent.own {
            true => Event::StopIteration,
            false => Event::Raise,
        };
        self.monitor_at(f, event, sent.at, &[stop])
    }

    /// A frame begins or goes on.
    fn frame_entered(&self, f: &FrameData, starts: bool) -> Res<()> {
        let event = if starts { Event::PyStart } else { Event::PyResume };
        self.monitor(f, event, &[])?;
        if let Some(profile) = self.observers.profile.get() {
            self.profile_event(f, &profile, "call", Value::NONE)?;
        }
        if let Some(trace) = self.observers.trace.get() {
            let frame = self.frame_object_of(f);
            self.trace_call(
                if starts { Told::Start } else { Told::Line },
                &frame,
                &trace,
                "call",
                Value::NONE,
            )?;
        }
        Ok(())
    }

    /// A frame is left or suspended with a value.
    fn frame_returns(&self, f: &FrameData, event: Event, value: Option<Value>, depth: usize) -> Res<()> {
        let value = value.unwrap_or(Value::NONE);
        let told = if event == Event::PyYield {
            Told::Yield
        } else {
            Told::Other
        };
        self.trace_local(told, f, "return", || value.clone())?;
        if let Some(profile) = self.observers.profile.get() {
            self.profile_event(f, &profile, "return", value.clone())?;
        }
        if f.generator != 0 && event == Event::PyReturn {
            drop(self.observers.returned.swap(Some(value.clone())));
        }
        self.monitor(f, event, &[value])?;
        self.leave_level(depth);
        Ok(())
    }

    fn line_reached(&self, f: &FrameData, line: u32) -> Res<()> {
        if let Some(frame) = f.frame_object()
            && frame.trace_lines.load(Relaxed)
        {
            self.trace_local(Told::Line, f, "line", || Value::NONE)?;
        }
        self.monitor_line(f, line)
    }

    fn trace_opcode(&self, f: &FrameData) -> Res<()> {
        if let Some(frame) = f.frame_object()
            && frame.trace_opcodes.load(Relaxed)
        {
            return self.trace_local(Told::Line, f, "opcode", || Value::NONE);
        }
        Ok(())
    }

    /// Tells the frame's own trace function, if the thread is traced.
    fn trace_local(&self, told: Told, f: &FrameData, event: &str, arg: impl FnOnce() -> Value) -> Res<()> {
        if self.observers.trace.is_empty() {
            return Ok(());
        }
        let Some(frame) = f.frame_object() else { return Ok(()) };
        let Some(local) = frame.trace.get() else { return Ok(()) };
        self.trace_call(told, &frame, &local, event, arg())
    }

    /// Calls a trace function. What it returns traces the frame from now on; what it raises ends tracing.
    fn trace_call(&self, told: Told, frame: &Py<Frame>, function: &Value, event: &str, arg: Value) -> Res<()> {
        match self.tell(told, function, &[frame.to_value(), Value::from(event), arg]) {
            Ok(local) => {
                if !local.is_none() {
                    frame.trace.set(local);
                }
                Ok(())
            }
            Err(exc) => {
                self.set_trace_function(None);
                drop(frame.trace.take());
                Err(exc)
            }
        }
    }

    fn profile_event(&self, f: &FrameData, function: &Value, event: &str, arg: Value) -> Res<()> {
        let frame = self.frame_object_of(f).into_value();
        match self.tell(Told::Other, function, &[frame, Value::from(event), arg]) {
            Ok(_) => Ok(()),
            Err(exc) => {
                self.set_profile_function(None);
                Err(exc)
            }
        }
    }

    /// A call is about to be made.
    fn call_seen(&self, f: &FrameData, i: Ip, op: Op, depth: usize) -> Res<()> {
        let a = i.a() as usize;
        let profiled = !self.observers.profile.is_empty();
        if !profiled && !monitoring::wants(f.code(), Event::Call) {
            return Ok(());
        }
        let Some(mut callee) = f.reg(a).clone() else {
            return Ok(());
        };
        let mut receiver = if i.k() != 0 { f.reg(a + 1).clone() } else { None };
        if op == Op::CallEx {
            // It is told of as the bound method that CPython has here.
            if let Some(this) = receiver.take()
                && let Some(get) = callee.ty().slots().descr_get
            {
                callee = get(self, &callee, Some(&this), None)?;
            }
        } else if let Some(method) = callee.downcast_exact::<Method>() {
            receiver = Some(method.receiver.clone());
            let function = method.function.clone();
            callee = function;
        }
        let first = receiver.clone().or_else(|| {
            let arg = f.reg(a + 2).clone();
            match op {
                Op::CallEx => {
                    let arg = arg?;
                    match arg.downcast::<List>() {
                        Some(list) => list.get(0),
                        None => arg.downcast::<Tuple>()?.as_slice().first().cloned(),
                    }
                }
                _ => arg.filter(|_| i.b() > 0),
            }
        });
        let offset = f.pc() - 1;
        let missing = || first.clone().unwrap_or_else(monitoring::missing);
        self.monitor(f, Event::Call, &[callee.clone(), missing()])?;
        let native = callee.downcast_exact::<NativeFunction>().is_some();
        let descriptor = callee.downcast_exact::<MethodDescriptor>().is_some();
        // Calls of classes and of objects with `__call__` are native code too, but have no name of their own to profile.
        if profiled && (native || descriptor) {
            let bound = match (descriptor, &first, callee.ty().slots().descr_get) {
                (true, Some(this), Some(get)) => {
                    get(self, &callee, Some(this), None).unwrap_or_else(|_| callee.clone())
                }
                _ => callee.clone(),
            };
            if let Some(profile) = self.observers.profile.get() {
                self.profile_event(f, &profile, "c_call", bound.clone())?;
            }
            self.observers.native_calls.borrow_mut().push(NativeCall {
                depth,
                offset,
                callable: bound,
                first,
            });
        } else if callee.downcast_exact::<crate::types::function::Function>().is_none()
            && monitoring::wants(f.code(), Event::Call)
        {
            self.observers.native_calls.borrow_mut().push(NativeCall {
                depth,
                offset,
                callable: callee,
                first,
            });
        }
        Ok(())
    }

    /// `super` is about to be called, by an instruction that also looks up an attribute.
    fn super_seen(&self, f: &FrameData, i: Ip, depth: usize) -> Res<()> {
        if !monitoring::wants(f.code(), Event::Call) {
            return Ok(());
        }
        let b = usize::from(i.b());
        let Some(callable) = f.reg(b).clone() else {
            return Ok(());
        };
        let first = f.reg(b + 1).clone().filter(|_| i.k() != 0);
        let told = first.clone().unwrap_or_else(monitoring::missing);
        let offset = f.pc() - 1;
        self.monitor(f, Event::Call, &[callable.clone(), told])?;
        self.observers.native_calls.borrow_mut().push(NativeCall {
            depth,
            offset,
            callable,
            first,
        });
        Ok(())
    }

    /// The native call of the frame that was under way, if there was one.
    fn take_native_call(&self, depth: usize) -> Option<NativeCall> {
        drop(self.forget_native_calls(depth + 1));
        self.observers
            .native_calls
            .borrow_mut()
            .pop_if(|call| call.depth == depth)
    }

    /// Takes out the calls of frames at `depth` and further in. To be dropped with nothing borrowed: a finalizer may be observed.
    #[must_use]
    fn forget_native_calls(&self, depth: usize) -> Vec<NativeCall> {
        let mut calls = self.observers.native_calls.borrow_mut();
        let keep = calls.iter().rposition(|call| call.depth < depth).map_or(0, |i| i + 1);
        if keep == calls.len() {
            Vec::new()
        } else {
            calls.split_off(keep)
        }
    }

    fn native_returned(&self, f: &FrameData, depth: usize) -> Res<()> {
        match self.take_native_call(depth) {
            Some(call) => self.native_ended(f, call, "c_return", Event::CReturn),
            None => Ok(()),
        }
    }

    fn native_ended(&self, f: &FrameData, call: NativeCall, name: &str, event: Event) -> Res<()> {
        let counted = call.callable.downcast_exact::<NativeFunction>().is_some();
        if counted && let Some(profile) = self.observers.profile.get() {
            self.profile_event(f, &profile, name, call.callable.clone())?;
        }
        if monitoring::wants(f.code(), event) {
            let first = call.first.unwrap_or_else(monitoring::missing);
            return self.monitor_at(f, event, call.offset, &[call.callable, first]);
        }
        Ok(())
    }

    /// An exception was raised in a frame, or came into it from one that it left. `again`: by a statement that raises what is being handled.
    #[cold]
    pub(super) fn observe_raise(&self, f: &FrameData, exc: Exc, again: bool) -> Exc {
        if !self.wants_hook() {
            return exc;
        }
        let depth = self.frames.depth.get();
        // A frame that raises in its first instruction (`throw` into a generator) has not been seen yet.
        let last = f.pc().saturating_sub(1);
        let line = f.code().location(last).line;
        let code = std::ptr::from_ref(f.code());
        let known = self.level(depth, code);
        if let Some(level) = known {
            // The jump that raised led nowhere.
            let level = Level {
                jump: None,
                sent: None,
                ..level
            };
            self.set_level(depth, level);
        }
        let thrown = known.is_none();
        if thrown {
            self.set_level(
                depth,
                Level {
                    code,
                    line,
                    last,
                    shown: last,
                    jump: None,
                    sent: None,
                },
            );
        }
        let result = (|| {
            if thrown {
                self.monitor(f, Event::PyThrow, &[exc.value().clone()])?;
                if let Some(profile) = self.observers.profile.get() {
                    self.profile_event(f, &profile, "call", Value::NONE)?;
                }
                if let Some(trace) = self.observers.trace.get() {
                    let frame = self.frame_object_of(f);
                    self.trace_call(Told::Other, &frame, &trace, "call", Value::NONE)?;
                }
            }
            if let Some(call) = self.take_native_call(depth) {
                self.native_ended(f, call, "c_exception", Event::CRaise)?;
            }
            if again {
                return self.monitor(f, Event::Reraise, &[exc.value().clone()]);
            }
            self.trace_local(Told::Other, f, "exception", || {
                let value = exc.value().clone();
                let traceback = exc.object().traceback.get().unwrap_or(Value::NONE);
                Tuple::new(vec![value.ty().to_value(), value, traceback]).into_value()
            })?;
            self.monitor(f, Event::Raise, &[exc.value().clone()])
        })();
        match result {
            Ok(()) => exc,
            Err(other) => other,
        }
    }

    /// A handler was found in the frame.
    #[cold]
    pub(super) fn observe_handler(&self, f: &FrameData, exc: &Value) -> Res<()> {
        if !self.wants_hook() {
            return Ok(());
        }
        self.monitor(f, Event::ExceptionHandled, std::slice::from_ref(exc))?;
        let depth = self.frames.depth.get();
        if monitoring::wants(f.code(), Event::Line)
            && let Some(level) = self.level(depth, f.code())
        {
            // A handler is a line of its own to tools, though not to tracers.
            self.set_level(depth, Level { line: 0, ..level });
        }
        Ok(())
    }

    /// A frame is left by an exception.
    #[cold]
    pub(super) fn observe_unwind(&self, f: &FrameData, exc: Exc) -> Exc {
        if !self.wants_hook() {
            return exc;
        }
        let depth = self.frames.depth.get();
        let result = (|| {
            self.trace_local(Told::Other, f, "return", || Value::NONE)?;
            if let Some(profile) = self.observers.profile.get() {
                self.profile_event(f, &profile, "return", Value::NONE)?;
            }
            self.monitor(f, Event::PyUnwind, &[exc.value().clone()])
        })();
        self.leave_level(depth);
        match result {
            Ok(()) => exc,
            Err(other) => other,
        }
    }

    /// An observed frame that is left by an instruction of no statement shows the statement that it comes from.
    #[cold]
    pub(super) fn show_statement(&self, f: &FrameData) {
        if self.is_watched()
            && let Some(level) = self.level(self.frames.depth.get(), f.code())
        {
            f.set_pc(level.shown + 1);
        }
    }

    /// Whether there is something to do before each instruction.
    #[inline(always)]
    pub(super) fn is_observed(&self) -> bool {
        self.is_watched() || self.observers.places.get()
    }

    /// Whether unwinding has anybody to tell.
    #[inline(always)]
    pub(super) fn is_watched(&self) -> bool {
        self.observers.watched.get()
    }
}

fn sent_to(f: &FrameData, i: Ip, at: u32) -> Option<Sent> {
    let iterator = f.reg(i.b().into()).as_ref()?;
    let own = iterator.downcast_exact::<Generator>().is_some() || iterator.downcast_exact::<Coroutine>().is_some();
    let sends = i.op() == Op::Send;
    let wrapper = || {
        iterator.downcast_exact::<AsyncGenASend>().is_some() || iterator.downcast_exact::<AsyncGenAThrow>().is_some()
    };
    let next = at + 1 + i.op().cache_words() as u32;
    (own || sends && wrapper()).then(|| Sent {
        at,
        register: sends.then_some(i.a()),
        to: next.wrapping_add_signed((i.c() as i16).into()),
        own,
    })
}

fn jump_of(op: Op, at: u32) -> Option<Jump> {
    let otherwise = match op {
        Op::Jump | Op::JumpBack => None,
        Op::JumpIfTrue
        | Op::JumpIfFalse
        | Op::JumpIfNone
        | Op::JumpIfNotNone
        | Op::JumpCmp
        | Op::JumpCmpImm
        | Op::ForIter => Some(at + 1 + op.cache_words() as u32),
        _ => return None,
    };
    Some(Jump { at, otherwise })
}
