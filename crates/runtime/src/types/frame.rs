//! `types.FrameType`: a frame as Python code sees it, made when it is first asked for.
//!
//! Invariant: while the frame runs, registers are read through `live`: by its thread, or by others with the world stopped. When it is left,
//! the local variables move here. A value that is replaced in a running frame is kept until the frame is left, since an instruction
//! may be using it. The mapping of local variables is in `frame_locals`.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64};

use crate::native::{pyclass, pymethods};
use crate::object::{Native, Py, Slot, Value};
use crate::sync::Locked;
use crate::threads::stop_the_world;
use crate::types::cell::Cell;
use crate::types::code::Code;
use crate::types::dict::Dict;
use crate::types::frame_locals::FrameLocalsProxy;
use crate::types::function::Function;
use crate::vm::frames::FrameData;
use crate::vm::{Res, Vm};

crate::no_trace!(AtomicPtr<FrameData>);

/// A frame.
#[pyclass(name = "frame", no_new)]
pub struct Frame {
    pub code: Py<Code>,
    pub globals: Py<Dict>,
    pub builtins: Py<Dict>,
    /// The mapping of a module or class body.
    pub locals: Slot,
    pub func: Slot,
    /// The generator that the frame is of, borrowed: it takes itself out when it is freed. 0 for none.
    generator: AtomicU64,
    /// The caller's frame, once this one has finished; while it runs, the caller is found on the stack.
    pub back: Slot,
    /// The running record; null when the frame has finished or is a suspended generator's.
    live: AtomicPtr<FrameData>,
    /// Owner of the thread it runs on (its serial number).
    thread: AtomicU64,
    /// Level of the record on its thread's stack.
    level: AtomicU32,
    /// Code word of the last instruction, when not running.
    last: AtomicU32,
    /// Local variables of a finished frame, by register.
    values: Locked<Vec<Option<Value>>>,
    /// What was replaced while the frame ran.
    replaced: Locked<Vec<Value>>,
    pub trace: Slot,
    pub trace_lines: std::sync::atomic::AtomicBool,
    pub trace_opcodes: std::sync::atomic::AtomicBool,
    /// Where a suspended generator goes on, if a tracer has it jump; `u32::MAX` for nowhere else.
    pub pending_jump: AtomicU32,
    /// Further names that were put into `f_locals`: a dict.
    pub extra: Slot,
}

impl Frame {
    /// A frame object for a running record.
    pub fn new(vm: &Vm, f: &FrameData) -> Py<Frame> {
        let level = (0..vm.frames.depth.get())
            .rev()
            .find(|&i| std::ptr::eq(vm.frames.record(i), f))
            .unwrap_or(0);
        Frame::new_at(f, level, vm.thread.serial())
    }

    /// A frame object for the record number `level` of a thread.
    fn new_at(f: &FrameData, level: usize, thread: u64) -> Py<Frame> {
        crate::object::alloc_native_with(Frame::ty(), || Frame {
            code: f.code().to_object(),
            globals: f.globals().clone(),
            builtins: f.builtins().clone(),
            locals: Slot::from_option(f.locals().cloned()),
            func: Slot::from_option(f.func().cloned()),
            generator: AtomicU64::new(f.generator),
            back: Slot::empty(),
            live: AtomicPtr::new(std::ptr::from_ref(f).cast_mut()),
            thread: AtomicU64::new(thread),
            level: AtomicU32::new(level as u32),
            last: AtomicU32::new(f.pc()),
            values: Locked::new(Vec::new()),
            replaced: Locked::new(Vec::new()),
            trace: Slot::empty(),
            trace_lines: std::sync::atomic::AtomicBool::new(true),
            trace_opcodes: std::sync::atomic::AtomicBool::new(false),
            pending_jump: AtomicU32::new(u32::MAX),
            extra: Slot::empty(),
        })
    }

    /// The record, when the frame runs on the calling thread.
    pub fn record(&self, vm: &Vm) -> Option<&FrameData> {
        // The record first: the thread that it belongs to, or a later one, is visible then.
        let live = self.live.load(Acquire);
        if self.thread.load(Relaxed) != vm.thread.serial() {
            return None;
        }
        // SAFETY: `live` is reset when the record is left, by the thread that is calling.
        unsafe { live.as_ref() }
    }

    /// Calls `f` with the record of a running frame. Other threads are stopped meanwhile if it is one of theirs, so `f` runs no
    /// Python code.
    fn with_record<R>(&self, vm: &Vm, f: impl FnOnce(&FrameData) -> R) -> Option<R> {
        if let Some(record) = self.record(vm) {
            return Some(f(record));
        }
        if !self.is_running() {
            return None;
        }
        // SAFETY: the frame's thread does not run, so it cannot leave the record.
        stop_the_world(|| unsafe { self.live.load(Acquire).as_ref() }.map(f))
    }

    /// The generator that the frame is of, if it still lives.
    pub fn generator(&self) -> Option<Value> {
        loop {
            let bits = self.generator.load(Acquire);
            let header = std::ptr::NonNull::new(bits as *mut crate::memory::header::Header)?;
            // SAFETY: object memory stays an object block until the world was stopped, so the header can be touched; whether it
            // still is that of the generator shows in the second load.
            if unsafe { header.as_ref() }.try_incref() {
                // SAFETY: the count just taken is the value's.
                let value = unsafe { Value::from_bits(bits) };
                if self.generator.load(Acquire) == bits {
                    return Some(value);
                }
            } else if self.generator.load(Acquire) == bits {
                // It is being freed.
                return None;
            }
        }
    }

    /// The generator is freed or has ended.
    pub(crate) fn forget_generator(&self) {
        self.generator.store(0, Release);
    }

    /// Whether the frame is being executed.
    pub fn is_running(&self) -> bool {
        !self.live.load(Acquire).is_null()
    }

    /// A generator's frame goes on, on this record.
    pub(crate) fn resume(&self, vm: &Vm, f: &FrameData, level: usize) {
        self.thread.store(vm.thread.serial(), Relaxed);
        self.level.store(level as u32, Relaxed);
        self.live.store(std::ptr::from_ref(f).cast_mut(), Release);
        drop(self.back.take());
    }

    /// A generator's frame is suspended.
    pub(crate) fn suspend(&self, f: &FrameData) {
        self.last.store(f.pc(), Relaxed);
        self.live.store(std::ptr::null_mut(), Release);
    }
}

impl Py<Frame> {
    /// The frame is left: takes over the local variables.
    pub(crate) fn finish(&self, f: &mut FrameData) {
        let vm = Vm::current();
        let code = f.code();
        let n = code.nlocals as usize;
        let shared = self.header().refcount() > 1;
        self.last.store(f.pc(), Relaxed);
        if shared {
            let values: Vec<Option<Value>> = (0..n).map(|i| f.reg(i).clone()).collect();
            let old = self.values.with(self.header(), |v| std::mem::replace(v, values));
            drop(old);
            if self.back.is_empty() && f.generator == 0 {
                let level = self.level.load(Relaxed) as usize;
                if level > 0 {
                    // SAFETY: records below the depth are initialised.
                    let caller = unsafe { &*vm.frames.record(level - 1) };
                    self.back.set(vm.frame_object_of(caller).into_value());
                }
            }
        }
        self.live.store(std::ptr::null_mut(), Release);
        self.forget_generator();
        let replaced = self.replaced.with(self.header(), std::mem::take);
        drop(replaced);
    }

    /// The instruction's code word.
    pub fn pc(&self, vm: &Vm) -> u32 {
        self.with_record(vm, FrameData::pc)
            .unwrap_or_else(|| self.last.load(Relaxed))
            .saturating_sub(1)
    }

    /// The current line, 0 for none.
    pub fn line(&self, vm: &Vm) -> u32 {
        let pc = self.pc(vm);
        if pc == 0 {
            self.code.plain.first_line
        } else {
            self.code.location(pc).line
        }
    }

    /// The caller's frame.
    pub fn back_frame(&self, vm: &Vm) -> Option<Py<Frame>> {
        let back = self.with_record(vm, |f| {
            let level = self.level.load(Relaxed) as usize;
            if level == 0 {
                return None;
            }
            // SAFETY: records of one thread lie in a row, and those below a live one are initialised.
            let caller = unsafe { &*std::ptr::from_ref(f).sub(1) };
            Some(match caller.frame_object() {
                Some(frame) => frame,
                None => {
                    let frame = Frame::new_at(caller, level - 1, self.thread.load(Relaxed));
                    caller.frame_object.set(frame.clone().into_value().into_bits());
                    frame
                }
            })
        });
        match back {
            Some(back) => back,
            None => self.back.get().and_then(|v| v.try_into_py::<Frame>().ok()),
        }
    }

    /// What named register `i` holds: a value, or the cell of one.
    fn raw_local(&self, vm: &Vm, i: usize) -> Option<Value> {
        if let Some(found) = self.with_record(vm, |f| f.reg(i).clone()) {
            return found;
        }
        if let Some(generator) = self.generator()
            && let Some(registers) = crate::types::generator::suspended_registers(&generator, i + 1)
        {
            return registers.into_iter().nth(i).flatten();
        }
        self.values.with(self.header(), |v| v.get(i).cloned().flatten())
    }

    /// The cell of a free variable that a generator is yet to copy, since it has not begun.
    fn free_cell(&self, i: usize) -> Option<Value> {
        let n = i.checked_sub(self.code.first_free.into())?;
        let generator = self.generator()?;
        if !crate::types::generator::body_of(&generator)?.is_new() {
            return None;
        }
        let function = function_of(self)?;
        function.closure.as_ref()?.as_slice().get(n).cloned()
    }

    /// Local variable `i`.
    pub(crate) fn local(&self, vm: &Vm, i: usize) -> Option<Value> {
        let value = self.raw_local(vm, i).or_else(|| self.free_cell(i))?;
        match value.downcast_exact::<Cell>() {
            Some(cell) if self.code.is_cell(i) => cell.contents.get(),
            _ => Some(value),
        }
    }

    /// Sets local variable `i`.
    pub(crate) fn set_local(&self, vm: &Vm, i: usize, value: Value) {
        if self.code.is_cell(i)
            && let Some(held) = self.raw_local(vm, i)
            && let Some(cell) = held.downcast_exact::<Cell>()
        {
            cell.contents.set(value);
            return;
        }
        let mut value = Some(value);
        let old = self.with_record(vm, |f| {
            let bits = value.take().map_or(0, Value::into_bits);
            // SAFETY: a named register of a frame whose thread is this one, or is stopped.
            let old = unsafe { std::mem::replace(&mut *f.regs.add(i), bits) };
            // SAFETY: the register owned the reference.
            (old != 0).then(|| unsafe { Value::from_bits(old) })
        });
        if let Some(old) = old {
            if let Some(old) = old {
                self.replaced.with(self.header(), |kept| kept.push(old));
            }
            return;
        }
        let Some(mut value) = value else { return };
        if let Some(generator) = self.generator() {
            match crate::types::generator::set_suspended_register(&generator, i, value) {
                Ok(()) => return,
                Err(back) => value = back,
            }
        }
        let old = self.values.with(self.header(), |v| match v.get_mut(i) {
            Some(place) => place.replace(value),
            None => Some(value),
        });
        drop(old);
    }

    /// Names of the named registers, those of no use to programs left out.
    pub(crate) fn local_names(&self) -> impl Iterator<Item = (usize, &Py<crate::types::str::Str>)> {
        (0..self.code.nlocals as usize).filter_map(|i| Some((i, self.code.register_name(i)?)))
    }

    /// Local variables with their values.
    pub fn variables(&self, vm: &Vm) -> Vec<(Py<crate::types::str::Str>, Value)> {
        self.local_names()
            .filter_map(|(i, name)| Some((name.clone(), self.local(vm, i)?)))
            .collect()
    }

    /// `locals()`: the mapping of a module or class body, or a new dict of a function's variables.
    pub fn locals_mapping(&self, vm: &Vm) -> Value {
        if let Some(locals) = self.locals.get() {
            return locals;
        }
        let dict = Dict::new_empty();
        for (name, value) in self.variables(vm) {
            drop(dict.replace_str(&name, value));
        }
        if let Some(extra) = self.extra.get().and_then(|extra| extra.try_into_py::<Dict>().ok()) {
            for (key, value) in extra.snapshot() {
                // The keys are hashable: they are a dict's.
                let _ = dict.set(vm, &key, value);
            }
        }
        dict.into_value()
    }
}

#[pymethods]
impl Frame {
    #[getter]
    fn f_back(vm: &Vm, this: &Py<Frame>) -> Option<Value> {
        this.back_frame(vm).map(Py::into_value)
    }
    #[getter]
    fn f_code(_: &Vm, this: &Py<Frame>) -> Value {
        this.code.to_value()
    }
    #[getter]
    fn f_globals(_: &Vm, this: &Py<Frame>) -> Value {
        this.globals.to_value()
    }
    #[getter]
    fn f_builtins(_: &Vm, this: &Py<Frame>) -> Value {
        crate::types::mapped_builtins::MappedBuiltins::shown(&this.builtins)
    }
    #[getter]
    fn f_locals(vm: &Vm, this: &Py<Frame>) -> Value {
        // While a comprehension runs inside a module or class body, its variables are shown.
        let hidden = || (0..this.code.varnames.len()).any(|i| this.local(vm, i).is_some());
        match this.locals.get() {
            Some(locals) if !hidden() => locals,
            _ => FrameLocalsProxy::new_value(this),
        }
    }
    /// Return the generator or coroutine associated with this frame, or None.
    #[getter]
    fn f_generator(_: &Vm, this: &Py<Frame>) -> Option<Value> {
        this.generator()
    }
    #[getter]
    fn f_lasti(vm: &Vm, this: &Py<Frame>) -> i64 {
        i64::from(this.pc(vm)) * 2
    }
    #[getter]
    fn f_lineno(vm: &Vm, this: &Py<Frame>) -> Option<Value> {
        let line = this.line(vm);
        (line != 0).then(|| Value::int(line.into()))
    }
    #[setter]
    fn set_f_lineno(vm: &Vm, this: &Py<Frame>, value: Option<&Value>) -> Res<()> {
        match value {
            None => Err(vm.attribute_error("cannot delete attribute")),
            Some(line) => vm.jump_to_line(this, line),
        }
    }
    #[getter]
    fn f_trace(_: &Vm, this: &Py<Frame>) -> Option<Value> {
        this.trace.get()
    }
    #[setter]
    fn set_f_trace(_: &Vm, this: &Py<Frame>, value: Option<&Value>) -> Res<()> {
        drop(this.trace.swap(value.filter(|v| !v.is_none()).cloned()));
        Ok(())
    }
    #[getter]
    fn f_trace_lines(_: &Vm, this: &Py<Frame>) -> bool {
        this.trace_lines.load(Relaxed)
    }
    #[setter]
    fn set_f_trace_lines(vm: &Vm, this: &Py<Frame>, value: Option<&Value>) -> Res<()> {
        let on = value.map_or(Ok(false), |v| vm.truth(v))?;
        this.trace_lines.store(on, Relaxed);
        Ok(())
    }
    #[getter]
    fn f_trace_opcodes(_: &Vm, this: &Py<Frame>) -> bool {
        this.trace_opcodes.load(Relaxed)
    }
    #[setter]
    fn set_f_trace_opcodes(vm: &Vm, this: &Py<Frame>, value: Option<&Value>) -> Res<()> {
        let on = value.map_or(Ok(false), |v| vm.truth(v))?;
        this.trace_opcodes.store(on, Relaxed);
        Ok(())
    }

    /// Clear all references held by the frame.
    #[pymethod(sig = "($self, /)")]
    fn clear(vm: &Vm, this: &Py<Frame>) -> Res<()> {
        if this.is_running() {
            return Err(vm.runtime_error("cannot clear an executing frame"));
        }
        if let Some(generator) = this.generator()
            && let Some(body) = crate::types::generator::body_of(&generator)
        {
            match body.settled_state() {
                crate::types::generator::RUNNING => {
                    return Err(vm.runtime_error("cannot clear an executing frame"));
                }
                crate::types::generator::SUSPENDED => {
                    return Err(vm.runtime_error("cannot clear a suspended frame"));
                }
                _ => {}
            }
            if let Some(finalize) = generator.ty().slots().finalize {
                finalize(vm, &generator)?;
            }
            vm.close_generator(&generator)?;
        }
        let old = this.values.with(this.header(), std::mem::take);
        drop(old);
        drop(this.extra.take());
        Ok(())
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Frame>) -> String {
        format!(
            "<frame at {:#x}, file '{}', line {}, code {}>",
            this.as_ptr() as usize,
            this.code.filename.to_string_lossy(),
            this.line(vm),
            this.code.name.to_string_lossy()
        )
    }
}

/// The function a frame runs, if it runs one.
pub fn function_of(frame: &Py<Frame>) -> Option<Py<Function>> {
    frame.func.get().and_then(|v| v.try_into_py::<Function>().ok())
}
