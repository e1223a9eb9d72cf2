//! `types.FrameType`: a frame as Python code sees it, made when it is first asked for.
//!
//! Invariant: while the frame runs, its thread alone reads registers through `live`; when it is left, the local variables move here.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64};

use crate::native::{pyclass, pymethods};
use crate::object::{Py, Slot, Value};
use crate::sync::Locked;
use crate::types::cell::Cell;
use crate::types::code::Code;
use crate::types::dict::Dict;
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
    pub trace: Slot,
    pub trace_lines: std::sync::atomic::AtomicBool,
    pub trace_opcodes: std::sync::atomic::AtomicBool,
    /// `f_locals` mapping handed out for an optimized frame: extra names that are no variables.
    pub extra: Slot,
}

impl Frame {
    /// A frame object for a running record.
    pub fn new(vm: &Vm, f: &FrameData) -> Py<Frame> {
        let code: &Code = f.code();
        // SAFETY: code objects are only ever payloads of heap objects; the header lies before the payload.
        let code = unsafe {
            let object = std::ptr::from_ref(code).byte_sub(std::mem::offset_of!(crate::object::Obj<Code>, data));
            (*std::mem::ManuallyDrop::new(Py::<Code>::from_raw(std::ptr::NonNull::new_unchecked(
                object.cast_mut().cast(),
            ))))
            .clone()
        };
        let level = (0..vm.frames.depth.get())
            .rev()
            .find(|&i| std::ptr::eq(vm.frames.record(i), f))
            .unwrap_or(0);
        Py::new(Frame {
            code,
            globals: f.globals().clone(),
            builtins: f.builtins().clone(),
            locals: Slot::from_option(f.locals().cloned()),
            func: Slot::from_option(f.func().cloned()),
            back: Slot::empty(),
            live: AtomicPtr::new(std::ptr::from_ref(f).cast_mut()),
            thread: AtomicU64::new(vm.thread.serial()),
            level: AtomicU32::new(level as u32),
            last: AtomicU32::new(f.pc),
            values: Locked::new(Vec::new()),
            trace: Slot::empty(),
            trace_lines: std::sync::atomic::AtomicBool::new(true),
            trace_opcodes: std::sync::atomic::AtomicBool::new(false),
            extra: Slot::empty(),
        })
    }

    /// The record, when the frame runs on the calling thread.
    pub fn record(&self, vm: &Vm) -> Option<&FrameData> {
        if self.thread.load(Relaxed) != vm.thread.serial() {
            return None;
        }
        // SAFETY: `live` is reset when the record is left, by the thread that is calling.
        unsafe { self.live.load(Acquire).as_ref() }
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
        self.last.store(f.pc, Relaxed);
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
        self.last.store(f.pc, Relaxed);
        self.live.store(std::ptr::null_mut(), Release);
        if shared {
            let values: Vec<Option<Value>> = (0..n).map(|i| f.reg(i).clone()).collect();
            let old = self.values.with(self.header(), |v| std::mem::replace(v, values));
            drop(old);
            if self.back.is_empty() {
                let level = self.level.load(Relaxed) as usize;
                if level > 0 {
                    // SAFETY: records below the depth are initialised.
                    let caller = unsafe { &*vm.frames.record(level - 1) };
                    self.back.set(vm.frame_object_of(caller).into_value());
                }
            }
        }
    }

    /// The instruction's code word.
    pub fn pc(&self, vm: &Vm) -> u32 {
        match self.record(vm) {
            Some(f) => f.pc.saturating_sub(1),
            None => self.last.load(Relaxed).saturating_sub(1),
        }
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
        if self.record(vm).is_some() {
            let level = self.level.load(Relaxed) as usize;
            if level == 0 {
                return None;
            }
            // SAFETY: records below the depth are initialised.
            let caller = unsafe { &*vm.frames.record(level - 1) };
            return Some(vm.frame_object_of(caller));
        }
        self.back.get().and_then(|v| v.try_into_py::<Frame>().ok())
    }

    /// Local variables with their values.
    pub fn variables(&self, vm: &Vm) -> Vec<(Py<crate::types::str::Str>, Value)> {
        let code = &self.code;
        let n = code.nlocals as usize;
        let raw: Vec<Option<Value>> = match self.record(vm) {
            Some(f) => (0..n).map(|i| f.reg(i).clone()).collect(),
            None => match self.generator_registers(n) {
                Some(values) => values,
                None => self.values.with(self.header(), |v| v.clone()),
            },
        };
        let mut out = Vec::new();
        for (i, value) in raw.into_iter().enumerate() {
            let Some(value) = value else { continue };
            let value = match value.downcast_exact::<Cell>() {
                Some(cell) if code.is_cell(i) => cell.contents.get(),
                _ => Some(value),
            };
            if let (Some(value), Some(name)) = (value, code.register_name(i)) {
                out.push((name.clone(), value));
            }
        }
        out
    }

    fn generator_registers(&self, n: usize) -> Option<Vec<Option<Value>>> {
        let generator = self.func.get()?;
        crate::types::generator::suspended_registers(&generator, n)
    }

    /// `f_locals`.
    pub fn locals_mapping(&self, vm: &Vm) -> Value {
        if let Some(locals) = self.locals.get() {
            return locals;
        }
        let dict = Dict::new_empty();
        for (name, value) in self.variables(vm) {
            drop(dict.replace_str(&name, value));
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
        this.builtins.to_value()
    }
    #[getter]
    fn f_locals(vm: &Vm, this: &Py<Frame>) -> Value {
        this.locals_mapping(vm)
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
        let old = this.values.with(this.header(), std::mem::take);
        drop(old);
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
