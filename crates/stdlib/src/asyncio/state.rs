//! What threads run: their loops, the tasks they are in, the tasks they have made.
//!
//! Invariant: a state belongs to one thread at a time, which alone changes it; the mutexes are for readers in other threads. Values leave a state before
//! they are dropped. A thread that ends gives its state to a later one, which finds its tasks, but nothing running.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use lisle_runtime::memory::roll::Roll;
use lisle_runtime::native::*;
use lisle_runtime::sync::Mutex;

#[derive(Default)]
struct State {
    running: Mutex<Option<Value>>,
    /// The tasks that run, with their loops: mostly one.
    entered: Mutex<Vec<(Value, Value)>>,
    /// Those that are not done.
    tasks: Roll,
    owned: AtomicBool,
}

static STATES: Mutex<Vec<&'static State>> = Mutex::new(Vec::new());

/// The thread's hold on its state.
struct Owner(&'static State);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.owned.store(false, Relaxed);
    }
}

thread_local! {
    static OWN: Owner = {
        // The state is the thread's until it ends.
        lisle_runtime::threads::end_thread_with_function();
        Owner(adopt())
    };
}

fn adopt() -> &'static State {
    let mut states = STATES.lock();
    if let Some(state) = states.iter().find(|state| !state.owned.swap(true, Relaxed)).copied() {
        drop(states);
        // Nothing runs in a thread that begins.
        let loop_before = state.running.lock().take();
        let entered = std::mem::take(&mut *state.entered.lock());
        drop((loop_before, entered));
        return state;
    }
    // As many as there were threads with loops at once.
    let state: &'static State = Box::leak(Box::default());
    state.owned.store(true, Relaxed);
    states.push(state);
    state
}

fn with<R>(f: impl FnOnce(&State) -> R) -> R {
    let mut f = Some(f);
    let done = OWN.try_with(|own| f.take().map(|f| f(own.0)));
    match (done, f) {
        (Ok(Some(result)), _) => result,
        // The thread ends: finalizers find nothing running.
        (_, Some(f)) => f(&State::default()),
        (_, None) => unreachable!("the function was called"),
    }
}

/// The loop that runs in this thread.
pub fn running() -> Option<Value> {
    with(|state| state.running.lock().clone())
}

pub fn set_running(event_loop: Option<Value>) {
    let old = with(|state| std::mem::replace(&mut *state.running.lock(), event_loop));
    drop(old);
}

/// The task of a loop that runs, in this thread or another.
pub fn current(event_loop: &Value) -> Option<Value> {
    let find = |state: &State| {
        let entered = state.entered.lock();
        let found = entered.iter().find(|(of, _)| of.is(event_loop));
        found.map(|(_, task)| task.clone())
    };
    if let Some(task) = with(find) {
        return Some(task);
    }
    let states = STATES.lock().clone();
    states.iter().find_map(|state| find(state))
}

pub fn enter(vm: &Vm, event_loop: &Value, task: &Value) -> Res<()> {
    let inside = with(|state| {
        let mut entered = state.entered.lock();
        let inside = entered
            .iter()
            .find(|(of, _)| of.is(event_loop))
            .map(|(_, task)| task.clone());
        if inside.is_none() {
            entered.push((event_loop.clone(), task.clone()));
        }
        inside
    });
    let Some(inside) = inside else { return Ok(()) };
    let (task, inside) = (vm.repr(task)?.to_string_lossy(), vm.repr(&inside)?.to_string_lossy());
    Err(vm.runtime_error(format!(
        "Cannot enter into task {task} while another task {inside} is being executed."
    )))
}

pub fn leave(vm: &Vm, event_loop: &Value, task: &Value) -> Res<()> {
    let left = with(|state| {
        let mut entered = state.entered.lock();
        let at = entered.iter().position(|(of, _)| of.is(event_loop));
        match at {
            Some(at) if entered[at].1.is(task) => Ok(entered.swap_remove(at)),
            Some(at) => Err(entered[at].1.clone()),
            None => Err(Value::NONE),
        }
    });
    let Err(inside) = left else { return Ok(()) };
    let (task, inside) = (vm.repr(task)?.to_string_lossy(), vm.repr(&inside)?.to_string_lossy());
    Err(vm.runtime_error(format!("Leaving task {task} does not match the current task {inside}.")))
}

/// Makes another task, or none, the current one of a loop; returns the one before.
pub fn swap(event_loop: &Value, task: Option<Value>) -> Option<Value> {
    let old = with(|state| {
        let mut entered = state.entered.lock();
        let at = entered.iter().position(|(of, _)| of.is(event_loop));
        match (at, task) {
            (Some(at), Some(task)) => Some(Err(std::mem::replace(&mut entered[at].1, task))),
            (Some(at), None) => Some(Ok(entered.swap_remove(at))),
            (None, Some(task)) => {
                entered.push((event_loop.clone(), task));
                None
            }
            (None, None) => None,
        }
    });
    // The loop's reference goes when nothing is locked.
    old.map(|old| match old {
        Ok((_, task)) | Err(task) => task,
    })
}

/// Where this thread lists the tasks that it makes.
pub fn tasks() -> &'static Roll {
    static NOBODYS: LazyLock<Roll> = LazyLock::new(Roll::default);
    let own = OWN.try_with(|own| own.0);
    // A thread that ends has no state.
    own.map_or_else(|_| &*NOBODYS, |state| &state.tasks)
}

/// All listed tasks of all threads.
pub fn registered() -> Vec<Value> {
    let states = STATES.lock().clone();
    states.into_iter().flat_map(|state| state.tasks.members()).collect()
}
