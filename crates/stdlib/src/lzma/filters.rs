//! Filters of liblzma: from the dicts that programs write, and back.
//!
//! Invariant: a [`Chain`] owns the options that the C structures it hands out point to. No preset dictionaries.

use std::ffi::c_void;

use liblzma_sys as sys;
use lisle_runtime::intern;
use lisle_runtime::native::{Exc, Py, Res, Str, Value, Vm};
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions;
use num_bigint::BigInt;

use super::{ERROR, fault};

/// How many filters a chain may have.
const MAX_FILTERS: usize = 4;

/// Options of LZMA1 and LZMA2.
pub struct LzmaOptions(pub sys::lzma_options_lzma);

impl LzmaOptions {
    /// Those of a compression preset; `None` if there is no such preset.
    pub fn preset(preset: u32) -> Option<LzmaOptions> {
        // SAFETY: a structure of integers and pointers, for which zero bytes are valid; liblzma fills it.
        let mut options: sys::lzma_options_lzma = unsafe { std::mem::zeroed() };
        // SAFETY: the structure outlives the call.
        let failed = unsafe { sys::lzma_lzma_preset(&mut options, preset) };
        (failed == 0).then_some(LzmaOptions(options))
    }
}

/// As liblzma's `lzma_options_delta`.
#[repr(C)]
struct DeltaOptions {
    kind: u32,
    dist: u32,
    reserved: [u32; 4],
    reserved_ptr: [*mut c_void; 2],
}

enum Options {
    Lzma(Box<LzmaOptions>),
    Delta(Box<DeltaOptions>),
    Branch(Box<u32>),
}

/// A filter with its options.
pub struct Filter {
    id: u64,
    options: Options,
}

// SAFETY: the pointers in the options are null.
unsafe impl Send for Filter {}

/// An int that fits `unsigned long long`.
pub fn unsigned(vm: &Vm, value: &Value) -> Res<u64> {
    let int = vm.index(value)?;
    match vm.int_value(&int).map(|int| int.to_bigint()) {
        Some(int) if int.sign() == num_bigint::Sign::Minus => {
            Err(vm.overflow_error("can't convert negative value to unsigned int"))
        }
        Some(int) => u64::try_from(&int).map_err(|_| vm.overflow_error("int too big to convert")),
        None => Err(vm.type_error("an integer is required")),
    }
}

pub fn uint32(vm: &Vm, value: &Value) -> Res<u32> {
    u32::try_from(unsigned(vm, value)?).map_err(|_| vm.overflow_error("Value too large for uint32_t type"))
}

/// The ID of a filter.
pub fn filter_id(vm: &Vm, value: &Value) -> Res<u64> {
    unsigned(vm, value)
}

/// "Invalid compression preset"
pub fn invalid_preset(vm: &Vm, preset: u32) -> Exc {
    ERROR.error(vm, format!("Invalid compression preset: {preset}"))
}

impl Filter {
    /// The filter that a dict describes.
    pub fn parse(vm: &Vm, spec: &Value) -> Res<Filter> {
        if spec.ty().slots().getitem.is_none() {
            return Err(vm.type_error("Filter specifier must be a dict or dict-like object"));
        }
        let id = match vm.getitem(spec, intern!("id").as_value()) {
            Ok(id) => filter_id(vm, &id)?,
            Err(exc) if exc.is(&exceptions::KEY_ERROR) => {
                return Err(vm.value_error("Filter specifier must have an \"id\" entry"));
            }
            Err(exc) => return Err(exc),
        };
        let options = match id {
            sys::LZMA_FILTER_LZMA1 | sys::LZMA_FILTER_LZMA2 => lzma_options(vm, spec)?,
            sys::LZMA_FILTER_DELTA => {
                let fields = fields(vm, spec, &["id", "dist"], "delta")?;
                Options::Delta(Box::new(DeltaOptions {
                    kind: 0,
                    dist: fields[1].unwrap_or(1),
                    reserved: [0; 4],
                    reserved_ptr: [std::ptr::null_mut(); 2],
                }))
            }
            sys::LZMA_FILTER_X86
            | sys::LZMA_FILTER_POWERPC
            | sys::LZMA_FILTER_IA64
            | sys::LZMA_FILTER_ARM
            | sys::LZMA_FILTER_ARMTHUMB
            | sys::LZMA_FILTER_SPARC => {
                let fields = fields(vm, spec, &["id", "start_offset"], "BCJ")?;
                Options::Branch(Box::new(fields[1].unwrap_or(0)))
            }
            _ => return Err(vm.value_error(format!("Invalid filter ID: {id}"))),
        };
        Ok(Filter { id, options })
    }

    fn raw(&self) -> sys::lzma_filter {
        let options: *const c_void = match &self.options {
            Options::Lzma(options) => std::ptr::from_ref(&options.0).cast(),
            Options::Delta(options) => std::ptr::from_ref(&**options).cast(),
            Options::Branch(options) => std::ptr::from_ref(&**options).cast(),
        };
        sys::lzma_filter {
            id: self.id,
            options: options.cast_mut(),
        }
    }

    /// The encoded options.
    pub fn properties(&self) -> Result<Vec<u8>, sys::lzma_ret> {
        let raw = self.raw();
        let mut size = 0;
        // SAFETY: the filter's options live as long as `self`.
        let code = unsafe { sys::lzma_properties_size(&mut size, &raw) };
        if code != sys::LZMA_OK {
            return Err(code);
        }
        let mut out = vec![0; size as usize];
        // SAFETY: as above; liblzma writes `size` bytes.
        let code = unsafe { sys::lzma_properties_encode(&raw, out.as_mut_ptr()) };
        if code == sys::LZMA_OK { Ok(out) } else { Err(code) }
    }
}

/// The entries of a filter's dict, of which none but `names` are allowed; all but the ID are of 32 bits.
fn fields(vm: &Vm, spec: &Value, names: &[&str], what: &str) -> Res<Vec<Option<u32>>> {
    let invalid = || vm.value_error(format!("Invalid filter specifier for {what} filter"));
    let mut found = vec![None; names.len()];
    let keys = vm.call_method(spec, intern!("keys"), &[])?;
    for key in vm.collect(&keys)? {
        let known = key
            .downcast::<Str>()
            .and_then(|key| names.iter().position(|name| key.is_text(name)));
        let Some(at) = known else { return Err(invalid()) };
        if names[at] == "id" || names[at] == "preset" {
            continue;
        }
        let value = vm.getitem(spec, &key)?;
        found[at] = Some(uint32(vm, &value).map_err(|_| invalid())?);
    }
    Ok(found)
}

fn lzma_options(vm: &Vm, spec: &Value) -> Res<Options> {
    let preset = match vm.getitem(spec, intern!("preset").as_value()) {
        Ok(preset) => uint32(vm, &preset)?,
        Err(exc) if exc.is(&exceptions::KEY_ERROR) => sys::LZMA_PRESET_DEFAULT,
        Err(exc) => return Err(exc),
    };
    let mut options = LzmaOptions::preset(preset).ok_or_else(|| invalid_preset(vm, preset))?;
    let names = [
        "id",
        "preset",
        "dict_size",
        "lc",
        "lp",
        "pb",
        "mode",
        "nice_len",
        "mf",
        "depth",
    ];
    let found = fields(vm, spec, &names, "LZMA")?;
    let raw = &mut options.0;
    let places = [
        &mut raw.dict_size,
        &mut raw.lc,
        &mut raw.lp,
        &mut raw.pb,
        &mut raw.mode,
        &mut raw.nice_len,
        &mut raw.mf,
        &mut raw.depth,
    ];
    for (place, value) in places.into_iter().zip(&found[2..]) {
        if let Some(value) = value {
            *place = *value;
        }
    }
    Ok(Options::Lzma(Box::new(options)))
}

/// A chain of filters.
pub struct Chain(Vec<Filter>);

impl Chain {
    pub fn parse(vm: &Vm, specs: &Value) -> Res<Chain> {
        if specs.downcast::<Dict>().is_some() {
            return Err(vm.type_error("dict is not a sequence"));
        }
        let count = vm.len(specs)?;
        if count > MAX_FILTERS {
            return Err(vm.value_error(format!(
                "Too many filters - liblzma supports a maximum of {MAX_FILTERS}"
            )));
        }
        let mut chain = Vec::new();
        for at in 0..count {
            let spec = vm.getitem(specs, &Value::usize(at))?;
            chain.push(Filter::parse(vm, &spec)?);
        }
        Ok(Chain(chain))
    }

    /// The options, if the chain is one LZMA1 filter.
    pub fn single_lzma1(&self) -> Option<&LzmaOptions> {
        match self.0.as_slice() {
            [
                Filter {
                    id: sys::LZMA_FILTER_LZMA1,
                    options: Options::Lzma(options),
                },
            ] => Some(options),
            _ => None,
        }
    }

    /// Calls `f` with the chain as liblzma takes it.
    pub fn with_raw<R>(&self, f: impl FnOnce(*const sys::lzma_filter) -> R) -> R {
        let mut raw: Vec<sys::lzma_filter> = self.0.iter().map(Filter::raw).collect();
        raw.push(sys::lzma_filter {
            id: sys::LZMA_VLI_UNKNOWN,
            options: std::ptr::null_mut(),
        });
        f(raw.as_ptr())
    }
}

/// The dict that describes a filter whose options were encoded.
pub fn decode_properties(vm: &Vm, id: u64, encoded: &[u8]) -> Res<Value> {
    let mut raw = sys::lzma_filter {
        id,
        options: std::ptr::null_mut(),
    };
    // SAFETY: the bytes outlive the call; without an allocator the options are allocated by `malloc`.
    let code = unsafe { sys::lzma_properties_decode(&mut raw, std::ptr::null(), encoded.as_ptr(), encoded.len()) };
    if let Some(exc) = fault(vm, code) {
        return Err(exc);
    }
    let dict = Dict::new_empty();
    let field = |name: &'static str, value: u64| dict.set_str(&Str::intern(name), Value::bigint(BigInt::from(value)));
    field("id", id);
    let known = describe(&raw, field);
    // SAFETY: liblzma allocated it by `malloc`, or it is null.
    unsafe { libc::free(raw.options) };
    if !known {
        return Err(vm.value_error(format!("Invalid filter ID: {id}")));
    }
    Ok(Py::into_value(dict))
}

fn describe(raw: &sys::lzma_filter, field: impl Fn(&'static str, u64)) -> bool {
    match raw.id {
        sys::LZMA_FILTER_LZMA1 | sys::LZMA_FILTER_LZMA2 => {
            // SAFETY: for these IDs liblzma allocates this structure.
            let Some(options) = (unsafe { raw.options.cast::<sys::lzma_options_lzma>().as_ref() }) else {
                return true;
            };
            if raw.id == sys::LZMA_FILTER_LZMA1 {
                field("lc", options.lc.into());
                field("lp", options.lp.into());
                field("pb", options.pb.into());
            }
            field("dict_size", options.dict_size.into());
        }
        sys::LZMA_FILTER_DELTA => {
            // SAFETY: as above.
            if let Some(options) = unsafe { raw.options.cast::<DeltaOptions>().as_ref() } {
                field("dist", options.dist.into());
            }
        }
        sys::LZMA_FILTER_X86
        | sys::LZMA_FILTER_POWERPC
        | sys::LZMA_FILTER_IA64
        | sys::LZMA_FILTER_ARM
        | sys::LZMA_FILTER_ARMTHUMB
        | sys::LZMA_FILTER_SPARC => {
            // SAFETY: the options of these filters begin with the offset; null stands for the defaults.
            if let Some(offset) = unsafe { raw.options.cast::<u32>().as_ref() } {
                field("start_offset", (*offset).into());
            }
        }
        _ => return false,
    }
    true
}
