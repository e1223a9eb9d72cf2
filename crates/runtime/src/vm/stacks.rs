//! Looking at stacks: of the calling thread, and of the others with the world stopped.

use super::Vm;
use super::frames::FrameData;
use crate::object::{Py, Value};
use crate::threads::registry::{for_each_thread_from_newest, try_for_each_thread};
use crate::threads::{ThreadState, for_each_thread, poll, stop_the_world};
use crate::types::frame::Frame;
use crate::types::str::Str;

impl Vm {
    /// How many Python frames the thread has.
    pub fn python_depth(&self) -> usize {
        self.frames.depth.get()
    }

    /// The frame `depth` calls below the innermost.
    pub fn frame_at(&self, depth: usize) -> Option<Py<Frame>> {
        self.frames.nth(depth).map(|f| self.frame_object_of(f))
    }

    /// Calls `visit` with file, line and name of each frame from the innermost out, until it says false. It allocates nothing and
    /// takes no lock, so that a signal handler can ask for the frames of its own thread.
    pub fn visit_frames(&self, visit: &mut dyn FnMut(&Str, u32, &Str) -> bool) {
        let mut level = 0;
        while let Some(frame) = self.frames.nth(level) {
            let code = frame.code();
            let line = match frame.pc().saturating_sub(1) {
                0 => code.plain.first_line,
                pc => code.location(pc).line,
            };
            if !visit(&code.filename, line, &code.name) {
                return;
            }
            level += 1;
        }
    }

    /// The identifier and innermost frame of every thread.
    pub fn frames_of_all_threads(&self) -> Vec<(u64, Option<Py<Frame>>)> {
        of_all_threads(|vm| vm.frames.current().map(|f: &FrameData| vm.frame_object_of(f)))
    }

    /// Has the thread with an identifier raise an exception, a class or an instance, at its next safepoint; `None` takes back what it has not
    /// raised yet. False if there is no such thread.
    pub fn raise_in_thread(&self, ident: u64, exception: Option<Value>) -> bool {
        let mut old = None;
        let mut found = false;
        visit_stopped_threads(|vm| {
            if vm.thread.ident() == ident && !found {
                found = true;
                let set = exception.is_some();
                old = vm.async_exc.swap(exception.clone());
                if set {
                    vm.thread.set_poll(poll::ASYNC_EXC);
                }
            }
        });
        drop(old);
        found
    }

    /// The identifier of every thread and the exception that it handles.
    pub fn exceptions_of_all_threads(&self) -> Vec<(u64, Option<Value>)> {
        of_all_threads(|vm| vm.handled.get())
    }
}

/// Calls `visit` with each thread's context, the newest thread first, while the world is stopped; the caller is attached.
pub fn visit_stopped_threads(mut visit: impl FnMut(&Vm)) {
    stop_the_world(|| {
        for_each_thread_from_newest(|thread: &ThreadState| {
            // SAFETY: the context is the thread's `Vm`, or null before it has one; no other thread runs.
            if let Some(vm) = unsafe { thread.context().cast::<Vm>().as_ref() } {
                visit(vm);
            }
        });
    });
}

/// As [`visit_stopped_threads`], for a signal handler: with the GIL held no other thread runs. False, with nothing visited, if it
/// is not, or if the list of threads is in use.
pub fn visit_threads_from_handler(mut visit: impl FnMut(&Vm)) -> bool {
    let attached = Vm::try_current().is_some_and(|vm| vm.thread.is_attached());
    if crate::sync::free_threaded() || !attached {
        return false;
    }
    try_for_each_thread(|thread: &ThreadState| {
        // SAFETY: as above; the caller holds the GIL.
        if let Some(vm) = unsafe { thread.context().cast::<Vm>().as_ref() } {
            visit(vm);
        }
    })
}

fn of_all_threads<T>(f: impl Fn(&Vm) -> T) -> Vec<(u64, T)> {
    stop_the_world(|| {
        let mut all = Vec::new();
        for_each_thread(|thread: &ThreadState| {
            // SAFETY: the context is the thread's `Vm`, or null before it has one; no other thread runs.
            if let Some(vm) = unsafe { thread.context().cast::<Vm>().as_ref() } {
                all.push((thread.ident(), f(vm)));
            }
        });
        all
    })
}
