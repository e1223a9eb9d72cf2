//! `gc`: the cycle collector (`memory::collector`) as Python sees it.
//!
//! Invariant: none of its own. Left out: the collector's chatter (`DEBUG_STATS` and its like are remembered and print nothing).

use std::sync::atomic::{AtomicI32, Ordering::Relaxed};

use lisle_runtime::intern;
use lisle_runtime::memory::collector;
use lisle_runtime::native::{Args, Py, Res, Type, TypeFlags, Value, Vm, pyclass, pymethods, pymodule};
use lisle_runtime::object::Native;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::list::List;
use lisle_runtime::types::mappingproxy;
use lisle_runtime::types::tuple::Tuple;

/// What a program gets of the dict of a class: a copy, which `get_referrers` takes for the dict itself.
#[pyclass(
    name = "class_dict",
    module = "gc",
    base = Dict,
    no_new,
    unhashable,
    doc = "A copy of the dict of a class, as get_referrers() and get_referents() give it."
)]
struct ClassDict {
    dict: Dict,
    original: Value,
}

#[pymethods]
impl ClassDict {
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<ClassDict>) -> Res<Value> {
        let items = this.as_base().copy(vm)?.into_value();
        let args = Tuple::new(vec![items]).into_value();
        Ok(Tuple::new(vec![Dict::ty().to_value(), args]).into_value())
    }
}

/// What a program gets of a value that was found by looking through memory.
fn shown(vm: &Vm, value: Value) -> Res<Value> {
    if !mappingproxy::is_of_class(&value) {
        return Ok(value);
    }
    let copy = Py::new(ClassDict {
        dict: Dict::empty_payload(),
        original: value,
    });
    copy.as_base().update_from(vm, &copy.original)?;
    Ok(copy.into_value())
}

const SAVE_ALL: i32 = 1 << 5;

static DEBUG: AtomicI32 = AtomicI32::new(0);

#[pymodule(
    name = "gc",
    doc = "This module provides access to the garbage collector for reference cycles.\n\nenable() -- Enable automatic garbage collection.\ndisable() -- Disable automatic garbage collection.\nisenabled() -- Returns true if automatic collection is enabled.\ncollect() -- Do a full collection right now.\nget_count() -- Return the current collection counts.\nget_stats() -- Return list of dictionaries containing per-generation stats.\nset_debug() -- Set debugging flags.\nget_debug() -- Get debugging flags.\nset_threshold() -- Set the collection thresholds.\nget_threshold() -- Return the current collection thresholds.\nget_objects() -- Return a list of all objects tracked by the collector.\nis_tracked() -- Returns true if a given object is tracked.\nis_finalized() -- Returns true if a given object has been already finalized.\nget_referrers() -- Return the list of objects that refer to an object.\nget_referents() -- Return the list of objects that an object refers to.\nfreeze() -- Freeze all tracked objects and ignore them for future collections.\nunfreeze() -- Unfreeze all objects in the permanent generation.\nget_freeze_count() -- Return the number of objects in the permanent generation.\n"
)]
pub mod module {
    use super::*;

    /// Enable automatic garbage collection.
    #[pyfunction(sig = "()")]
    fn enable(_: &Vm) {
        collector::set_enabled(true);
    }

    /// Disable automatic garbage collection.
    #[pyfunction(sig = "()")]
    fn disable(_: &Vm) {
        collector::set_enabled(false);
    }

    /// Returns true if automatic garbage collection is enabled.
    #[pyfunction(sig = "()")]
    fn isenabled(_: &Vm) -> bool {
        collector::is_enabled()
    }

    /// Run the garbage collector.
    ///
    /// With no arguments, run a full collection.  The optional argument
    /// may be an integer specifying which generation to collect.  A ValueError
    /// is raised if the generation number is invalid.
    ///
    /// The number of unreachable objects is returned.
    #[pyfunction(sig = "(generation=2)")]
    fn collect(vm: &Vm, generation: Option<i32>) -> Res<usize> {
        match usize::try_from(generation.unwrap_or(2)) {
            Ok(generation @ 0..=2) => Ok(collector::collect(vm, generation)),
            _ => Err(vm.value_error("invalid generation")),
        }
    }

    /// Set the garbage collection debugging flags.
    ///
    ///   flags
    ///     An integer that can have the following bits turned on:
    ///       DEBUG_STATS - Print statistics during collection.
    ///       DEBUG_COLLECTABLE - Print collectable objects found.
    ///       DEBUG_UNCOLLECTABLE - Print unreachable but uncollectable objects
    ///         found.
    ///       DEBUG_SAVEALL - Save objects to gc.garbage rather than freeing them.
    ///       DEBUG_LEAK - Debug leaking programs (everything but STATS).
    ///
    /// Debugging information is written to sys.stderr.
    #[pyfunction(sig = "(flags, /)")]
    fn set_debug(_: &Vm, flags: i32) {
        DEBUG.store(flags, Relaxed);
        collector::set_save_all(flags & SAVE_ALL != 0);
    }

    /// Get the garbage collection debugging flags.
    #[pyfunction(sig = "()")]
    fn get_debug(_: &Vm) -> i32 {
        DEBUG.load(Relaxed)
    }

    /// set_threshold(threshold0, [threshold1, [threshold2]])
    /// Set the collection thresholds (the collection frequency).
    ///
    /// Setting 'threshold0' to zero disables collection.
    #[pyfunction]
    fn set_threshold(vm: &Vm, args: Args<'_>) -> Res<()> {
        args.no_keywords(vm, "gc.set_threshold")?;
        let values = args.check_positional(vm, "gc.set_threshold", 1, 3)?;
        let mut numbers = Vec::new();
        for value in values {
            let number = i32::try_from(vm.index_to_i64(value)?);
            numbers.push(number.map_err(|_| vm.overflow_error("Python int too large to convert to C int"))?);
        }
        for (i, number) in numbers.into_iter().enumerate() {
            collector::set_threshold(i, number as isize);
        }
        Ok(())
    }

    /// Return the current collection thresholds.
    #[pyfunction(sig = "()")]
    fn get_threshold(_: &Vm) -> Value {
        let thresholds = collector::thresholds().map(|n| Value::int(n as i64));
        Tuple::from_array(thresholds).into_value()
    }

    /// Return a three-tuple of the current collection counts.
    #[pyfunction(sig = "()")]
    fn get_count(_: &Vm) -> Value {
        Tuple::from_array(collector::counts().map(Value::usize)).into_value()
    }

    /// Return the list of objects that directly refer to any of 'objs'.
    #[pyfunction]
    fn get_referrers(vm: &Vm, args: Args<'_>) -> Res<Value> {
        let targets = args.no_keywords(vm, "gc.get_referrers")?;
        crate::syscall::audit!(vm, "gc.get_referrers", Tuple::from_slice_clone(targets).into_value());
        let mut targets = targets.to_vec();
        for target in &mut targets {
            let original = target.downcast_exact::<ClassDict>().map(|copy| copy.original.clone());
            *target = original.unwrap_or_else(|| target.clone());
        }
        let referrers = collector::referrers(&targets).into_iter();
        // A copy refers to the dict behind it for `get_referrers` alone.
        let referrers = referrers.filter(|found| found.downcast_exact::<ClassDict>().is_none());
        let shown = referrers.map(|found| shown(vm, found)).collect::<Res<Vec<_>>>()?;
        Ok(List::new(shown).into_value())
    }

    /// Return the list of objects that are directly referred to by 'objs'.
    #[pyfunction]
    fn get_referents(vm: &Vm, args: Args<'_>) -> Res<Value> {
        let values = args.no_keywords(vm, "gc.get_referents")?;
        crate::syscall::audit!(vm, "gc.get_referents", Tuple::from_slice_clone(values).into_value());
        let referents = values.iter().flat_map(collector::referents);
        let shown = referents.map(|found| shown(vm, found)).collect::<Res<Vec<_>>>()?;
        Ok(List::new(shown).into_value())
    }

    /// Return a list of objects tracked by the collector (excluding the list returned).
    ///
    ///   generation
    ///     Generation to extract the objects from.
    ///
    /// If generation is not None, return only the objects tracked by the collector
    /// that are in that generation.
    #[pyfunction(sig = "(generation=None)")]
    fn get_objects(vm: &Vm, generation: Option<&Value>) -> Res<Value> {
        crate::syscall::audit!(
            vm,
            "gc.get_objects",
            generation
                .filter(|generation| !generation.is_none())
                .cloned()
                .unwrap_or(Value::int(-1))
        );
        let generation = match generation.filter(|generation| !generation.is_none()) {
            None => None,
            Some(generation) => match vm.index_to_isize(generation)? {
                number @ 0..=2 => Some(number as usize),
                number if number < 0 => return Err(vm.value_error("generation parameter cannot be negative")),
                _ => {
                    let message = "generation parameter must be less than the number of available generations (3)";
                    return Err(vm.value_error(message));
                }
            },
        };
        let mut objects = collector::objects(generation);
        objects.retain(|object| !mappingproxy::is_of_class(object));
        Ok(List::new(objects).into_value())
    }

    /// Return a list of dictionaries containing per-generation statistics.
    #[pyfunction(sig = "()")]
    fn get_stats(_: &Vm) -> Value {
        let entries = (0..3).map(|generation| {
            let [collections, collected, uncollectable] = collector::stats(generation);
            let entry = Dict::new_empty();
            entry.set_str(intern!("collections"), Value::usize(collections as usize));
            entry.set_str(intern!("collected"), Value::usize(collected as usize));
            entry.set_str(intern!("uncollectable"), Value::usize(uncollectable as usize));
            entry.into_value()
        });
        List::new(entries.collect()).into_value()
    }

    /// Returns true if the object is tracked by the garbage collector.
    ///
    /// Simple atomic objects will return false.
    #[pyfunction(sig = "(obj, /)")]
    fn is_tracked(_: &Vm, obj: &Value) -> bool {
        match obj.downcast::<Type>() {
            // Classes that are never freed count as untracked, as in CPython, but for those that are no static ones there.
            Some(class) if !class.has_flag(TypeFlags::HEAP) => class.has_flag(TypeFlags::LIKE_HEAP),
            _ => collector::is_tracked(obj),
        }
    }

    /// Returns true if the object has been already finalized by the GC.
    #[pyfunction(sig = "(obj, /)")]
    fn is_finalized(_: &Vm, obj: &Value) -> bool {
        collector::is_finalized(obj)
    }

    /// Freeze all current tracked objects and ignore them for future collections.
    ///
    /// This can be used before a POSIX fork() call to make the gc copy-on-write friendly.
    /// Note: collection before a POSIX fork() call may free pages for future allocation
    /// which can cause copy-on-write.
    #[pyfunction(sig = "()")]
    fn freeze(_: &Vm) {
        collector::set_frozen(true);
    }

    /// Unfreeze all objects in the permanent generation.
    ///
    /// Put all objects in the permanent generation back into oldest generation.
    #[pyfunction(sig = "()")]
    fn unfreeze(_: &Vm) {
        collector::set_frozen(false);
    }

    /// Return the number of objects in the permanent generation.
    #[pyfunction(sig = "()")]
    fn get_freeze_count(_: &Vm) -> usize {
        collector::frozen_count()
    }

    #[pyattr]
    fn garbage(_: &Vm) -> Value {
        collector::garbage().into_value()
    }

    #[pyattr]
    fn callbacks(_: &Vm) -> Value {
        collector::callbacks().into_value()
    }

    #[pyattr]
    const DEBUG_STATS: i32 = 1;
    #[pyattr]
    const DEBUG_COLLECTABLE: i32 = 2;
    #[pyattr]
    const DEBUG_UNCOLLECTABLE: i32 = 4;
    #[pyattr]
    const DEBUG_SAVEALL: i32 = SAVE_ALL;
    #[pyattr]
    const DEBUG_LEAK: i32 = 2 | 4 | SAVE_ALL;
}
