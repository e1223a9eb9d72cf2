//! Auditing events (`sys.audit`): what the runtime itself tells of, once somebody listens.
//!
//! Invariant: the hooks are the library's; until the first one is added an event costs one load.

use std::sync::OnceLock;

use crate::object::Value;
use crate::vm::{Res, Vm};

/// What calls the hooks.
pub type Auditor = fn(&Vm, &str, &[Value]) -> Res<()>;

static AUDITOR: OnceLock<Auditor> = OnceLock::new();

/// From now on events are told of.
pub fn listen(auditor: Auditor) {
    let _ = AUDITOR.set(auditor);
}

/// Raises an event; its arguments are made only if somebody listens.
#[inline]
pub fn audit<const N: usize>(vm: &Vm, event: &str, args: impl FnOnce() -> [Value; N]) -> Res<()> {
    match AUDITOR.get() {
        Some(auditor) => auditor(vm, event, &args()),
        None => Ok(()),
    }
}
