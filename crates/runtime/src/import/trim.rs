//! Takes the frames of the importer out of tracebacks.
//!
//! For an ImportError all of them go; for other errors only runs of them that end in `_call_with_frames_removed`, since the
//! others show where the importer itself failed.

use crate::native::Native;
use crate::object::Value;
use crate::types::exceptions::ImportError;
use crate::types::traceback::Traceback;
use crate::vm::Exc;

/// Trims the traceback of `exc`.
pub(super) fn trim_importer_frames(exc: &Exc) {
    let always = exc.is_instance(ImportError::ty());
    let Some(first) = exc.object().traceback.get() else {
        return;
    };
    let entries = entries(first);
    let mut kept: Vec<Value> = Vec::with_capacity(entries.len());
    // Where in `kept` the current run of importer frames began.
    let mut run = None;
    for entry in &entries {
        let Some(tb) = entry.downcast::<Traceback>() else {
            return;
        };
        let code = &tb.frame.code;
        let importer = code.filename.is_text("<frozen importlib._bootstrap>")
            || code.filename.is_text("<frozen importlib._bootstrap_external>")
            // The packed library's.
            || code.name.is_text("exec_module") && code.filename.to_string_lossy().ends_with("/_lisle_importer.py");
        if !importer {
            run = None;
        } else if run.is_none() {
            run = Some(kept.len());
        }
        match run {
            Some(start) if always || code.name.is_text("_call_with_frames_removed") => kept.truncate(start),
            _ => kept.push(entry.clone()),
        }
    }
    if kept.len() == entries.len() {
        return;
    }
    for (i, entry) in kept.iter().enumerate() {
        if let Some(tb) = entry.downcast::<Traceback>() {
            drop(tb.next.swap(kept.get(i + 1).cloned()));
        }
    }
    drop(exc.object().traceback.swap(kept.first().cloned()));
}

/// The entries of a traceback, outermost first.
fn entries(first: Value) -> Vec<Value> {
    let mut all = Vec::new();
    let mut at = Some(first);
    while let Some(entry) = at {
        let Some(tb) = entry.downcast::<Traceback>() else { break };
        at = tb.next.get();
        all.push(entry);
    }
    all
}
