//! Looking at stacks: of the calling thread, and of the others with the world stopped.

use super::Vm;
use super::frames::FrameData;
use crate::object::{Py, Value};
use crate::threads::{ThreadState, for_each_thread, stop_the_world};
use crate::types::frame::Frame;

impl Vm {
    /// How many Python frames the thread has.
    pub fn python_depth(&self) -> usize {
        self.frames.depth.get()
    }

    /// The frame `depth` calls below the innermost.
    pub fn frame_at(&self, depth: usize) -> Option<Py<Frame>> {
        self.frames.nth(depth).map(|f| self.frame_object_of(f))
    }

    /// The identifier and innermost frame of every thread.
    pub fn frames_of_all_threads(&self) -> Vec<(u64, Option<Py<Frame>>)> {
        of_all_threads(|vm| vm.frames.current().map(|f: &FrameData| vm.frame_object_of(f)))
    }

    /// The identifier of every thread and the exception that it handles.
    pub fn exceptions_of_all_threads(&self) -> Vec<(u64, Option<Value>)> {
        of_all_threads(|vm| vm.handled.get())
    }
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
