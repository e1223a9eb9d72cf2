//! Frames of this and other threads.
//!
//! Invariant: the stacks of other threads are looked at with the world stopped.

use lisle_runtime::intern;
use lisle_runtime::native::{Res, Value, Vm, pymodule};
use lisle_runtime::types::dict::Dict;

#[pymodule(name = "sys")]
pub mod module {
    use super::*;

    /// Return a frame object from the call stack.
    ///
    /// If optional integer depth is given, return the frame object that many
    /// calls below the top of the stack.  If that is deeper than the call
    /// stack, ValueError is raised.  The default for depth is zero, returning
    /// the frame at the top of the call stack.
    #[pyfunction(sig = "(depth=0, /)")]
    fn _getframe(vm: &Vm, depth: Option<i32>) -> Res<Value> {
        let depth = usize::try_from(depth.unwrap_or(0)).unwrap_or(0);
        match vm.frame_at(depth) {
            Some(frame) => {
                let frame = frame.into_value();
                super::super::audit(vm, "sys._getframe", std::slice::from_ref(&frame))?;
                Ok(frame)
            }
            None => Err(vm.value_error("call stack is not deep enough")),
        }
    }

    /// Return the name of the module for a calling frame.
    #[pyfunction(sig = "(depth=0)")]
    fn _getframemodulename(vm: &Vm, depth: Option<i32>) -> Res<Option<Value>> {
        let depth = depth.unwrap_or(0);
        crate::syscall::audit!(vm, "sys._getframemodulename", Value::int(depth.into()));
        let Some(frame) = vm.frame_at(usize::try_from(depth).unwrap_or(0)) else {
            return Ok(None);
        };
        Ok(match lisle_runtime::types::frame::function_of(&frame) {
            Some(function) => vm.getattr(function.as_value(), intern!("__module__")).ok(),
            None => frame.globals.get_str(intern!("__name__")),
        })
    }

    /// Return a dict mapping each thread's thread id to its current stack frame.
    #[pyfunction(sig = "()")]
    fn _current_frames(vm: &Vm) -> Res<Value> {
        super::super::audit(vm, "sys._current_frames", &[])?;
        let dict = Dict::new_empty();
        for (ident, frame) in vm.frames_of_all_threads() {
            if let Some(frame) = frame {
                let _ = dict.set(vm, &Value::usize(ident as usize), frame.into_value());
            }
        }
        Ok(dict.into_value())
    }

    /// Return a dict mapping each thread's identifier to its current raised exception.
    #[pyfunction(sig = "()")]
    fn _current_exceptions(vm: &Vm) -> Res<Value> {
        super::super::audit(vm, "sys._current_exceptions", &[])?;
        let dict = Dict::new_empty();
        for (ident, exc) in vm.exceptions_of_all_threads() {
            let _ = dict.set(vm, &Value::usize(ident as usize), exc.unwrap_or(Value::NONE));
        }
        Ok(dict.into_value())
    }
}
