//! Contexts, dictionaries and frames of the zstd library.
//!
//! Invariant: a context owns what it refers to (dictionaries, digested or not), and frees itself before it.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Arc;

use lisle_runtime::memory::room::{self, NoMemory};
use zstd_sys as sys;

use crate::incremental::{Decoder, Step};

// The parameters of these are enumerations of C, to which any int may be passed.
unsafe extern "C" {
    #[link_name = "ZSTD_CCtx_setParameter"]
    fn set_compress_parameter(context: *mut c_void, parameter: c_int, value: c_int) -> usize;
    #[link_name = "ZSTD_DCtx_setParameter"]
    fn set_decompress_parameter(context: *mut c_void, parameter: c_int, value: c_int) -> usize;
    #[link_name = "ZSTD_cParam_getBounds"]
    fn compress_bounds(parameter: c_int) -> sys::ZSTD_bounds;
    #[link_name = "ZSTD_dParam_getBounds"]
    fn decompress_bounds(parameter: c_int) -> sys::ZSTD_bounds;
}

fn check(code: usize) -> Result<usize, usize> {
    // SAFETY: no memory is involved.
    if unsafe { sys::ZSTD_isError(code) } == 0 {
        Ok(code)
    } else {
        Err(code)
    }
}

fn text(name: *const c_char) -> String {
    // SAFETY: the library's names are static and end with zero.
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}

pub fn error_name(code: usize) -> String {
    // SAFETY: no memory is involved.
    text(unsafe { sys::ZSTD_getErrorName(code) })
}

pub fn version() -> String {
    // SAFETY: no memory is involved.
    text(unsafe { sys::ZSTD_versionString() })
}

/// Levels that compression may have.
pub fn level_bounds() -> (i32, i32) {
    // SAFETY: no memory is involved.
    unsafe { (sys::ZSTD_minCLevel(), sys::ZSTD_maxCLevel()) }
}

const COMPRESS_PARAMETERS: [(i32, &str, &str); 18] = [
    (100, "ZSTD_c_compressionLevel", "compression_level"),
    (101, "ZSTD_c_windowLog", "window_log"),
    (102, "ZSTD_c_hashLog", "hash_log"),
    (103, "ZSTD_c_chainLog", "chain_log"),
    (104, "ZSTD_c_searchLog", "search_log"),
    (105, "ZSTD_c_minMatch", "min_match"),
    (106, "ZSTD_c_targetLength", "target_length"),
    (107, "ZSTD_c_strategy", "strategy"),
    (
        160,
        "ZSTD_c_enableLongDistanceMatching",
        "enable_long_distance_matching",
    ),
    (161, "ZSTD_c_ldmHashLog", "ldm_hash_log"),
    (162, "ZSTD_c_ldmMinMatch", "ldm_min_match"),
    (163, "ZSTD_c_ldmBucketSizeLog", "ldm_bucket_size_log"),
    (164, "ZSTD_c_ldmHashRateLog", "ldm_hash_rate_log"),
    (200, "ZSTD_c_contentSizeFlag", "content_size_flag"),
    (201, "ZSTD_c_checksumFlag", "checksum_flag"),
    (202, "ZSTD_c_dictIDFlag", "dict_id_flag"),
    (400, "ZSTD_c_nbWorkers", "nb_workers"),
    (401, "ZSTD_c_jobSize", "job_size"),
];

const OVERLAP_LOG: (i32, &str, &str) = (402, "ZSTD_c_overlapLog", "overlap_log");
const WINDOW_LOG_MAX: (i32, &str, &str) = (100, "ZSTD_d_windowLogMax", "window_log_max");

const STRATEGIES: [&str; 9] = [
    "ZSTD_fast",
    "ZSTD_dfast",
    "ZSTD_greedy",
    "ZSTD_lazy",
    "ZSTD_lazy2",
    "ZSTD_btlazy2",
    "ZSTD_btopt",
    "ZSTD_btultra",
    "ZSTD_btultra2",
];

/// The module's numbers.
pub fn constants() -> Vec<(&'static str, i64)> {
    let mut all: Vec<(&str, i64)> = COMPRESS_PARAMETERS
        .iter()
        .chain([&OVERLAP_LOG, &WINDOW_LOG_MAX])
        .map(|(key, constant, _)| (*constant, i64::from(*key)))
        .collect();
    all.extend(STRATEGIES.iter().zip(1..).map(|(name, number)| (*name, number)));
    // SAFETY: no memory is involved.
    unsafe {
        all.push(("zstd_version_number", sys::ZSTD_versionNumber().into()));
        all.push(("ZSTD_CLEVEL_DEFAULT", sys::ZSTD_defaultCLevel().into()));
        all.push(("ZSTD_DStreamOutSize", sys::ZSTD_DStreamOutSize() as i64));
    }
    all
}

/// What programs call a parameter; empty if it is unknown.
pub fn parameter_name(key: i32, compress: bool) -> &'static str {
    let mut known: Vec<&(i32, &str, &'static str)> = Vec::new();
    if compress {
        known.extend(&COMPRESS_PARAMETERS);
        known.push(&OVERLAP_LOG);
    } else {
        known.push(&WINDOW_LOG_MAX);
    }
    known.iter().find(|(k, ..)| *k == key).map_or("", |(.., name)| name)
}

pub fn bounds(parameter: i32, compress: bool) -> Result<(i32, i32), usize> {
    // SAFETY: no memory is involved.
    let bounds = unsafe {
        if compress {
            compress_bounds(parameter)
        } else {
            decompress_bounds(parameter)
        }
    };
    check(bounds.error)?;
    Ok((bounds.lowerBound, bounds.upperBound))
}

pub fn frame_size(frame: &[u8]) -> Result<usize, usize> {
    // SAFETY: the slice outlives the call.
    check(unsafe { sys::ZSTD_findFrameCompressedSize(frame.as_ptr().cast(), frame.len()) })
}

/// The size of a frame's content, if it is known, and the ID of its dictionary.
pub fn frame_info(frame: &[u8]) -> Option<(Option<u64>, u32)> {
    const UNKNOWN: u64 = u64::MAX;
    const ERROR: u64 = u64::MAX - 1;
    // SAFETY: the slice outlives the calls.
    let (size, id) = unsafe {
        (
            sys::ZSTD_getFrameContentSize(frame.as_ptr().cast(), frame.len()),
            sys::ZSTD_getDictID_fromFrame(frame.as_ptr().cast(), frame.len()),
        )
    };
    match size {
        ERROR => None,
        UNKNOWN => Some((None, id)),
        size => Some((Some(size), id)),
    }
}

/// Memory that cannot be had is the library's own error, of code 64.
pub const NO_MEMORY: usize = 0_usize.wrapping_sub(64);

fn no_memory(_: NoMemory) -> usize {
    NO_MEMORY
}

fn sized(size: usize, make: impl FnOnce(*mut c_void) -> usize) -> Result<Vec<u8>, usize> {
    let mut out = room::zeroed(size).map_err(no_memory)?;
    let made = check(make(out.as_mut_ptr().cast()))?;
    out.truncate(made);
    Ok(out)
}

pub fn train(samples: &[u8], sizes: &[usize], size: usize) -> Result<Vec<u8>, usize> {
    // SAFETY: the sizes add up to the samples' length, and `size` bytes can be written.
    sized(size, |out| unsafe {
        sys::ZDICT_trainFromBuffer(out, size, samples.as_ptr().cast(), sizes.as_ptr(), sizes.len() as u32)
    })
}

pub fn finalize(content: &[u8], samples: &[u8], sizes: &[usize], size: usize, level: i32) -> Result<Vec<u8>, usize> {
    let parameters = sys::ZDICT_params_t {
        compressionLevel: level,
        notificationLevel: 0,
        dictID: 0,
    };
    // SAFETY: as above.
    sized(size, |out| unsafe {
        sys::ZDICT_finalizeDictionary(
            out,
            size,
            content.as_ptr().cast(),
            content.len(),
            samples.as_ptr().cast(),
            sizes.as_ptr(),
            sizes.len() as u32,
            parameters,
        )
    })
}

/// The content of a dictionary and its ID; 0 for raw content.
pub struct Dictionary {
    pub content: Vec<u8>,
    pub id: u32,
}

impl Dictionary {
    pub fn new(content: Vec<u8>) -> Dictionary {
        // SAFETY: the slice outlives the call.
        let id = unsafe { sys::ZSTD_getDictID_fromDict(content.as_ptr().cast(), content.len()) };
        Dictionary { content, id }
    }
}

/// How a dictionary is loaded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum DictKind {
    Digested,
    Undigested,
    Prefix,
}

pub enum Fault {
    Memory,
    Code(usize),
}

/// A context that compresses.
pub struct CompressContext {
    context: *mut sys::ZSTD_CCtx,
    digested: *mut sys::ZSTD_CDict,
    dictionary: Option<Arc<Dictionary>>,
    level: i32,
    pub last_mode: i32,
}

// SAFETY: the library's contexts are not bound to a thread.
unsafe impl Send for CompressContext {}

impl Drop for CompressContext {
    fn drop(&mut self) {
        // SAFETY: both are owned; the library takes null.
        unsafe {
            sys::ZSTD_freeCCtx(self.context);
            sys::ZSTD_freeCDict(self.digested);
        }
    }
}

impl CompressContext {
    pub fn new() -> Option<CompressContext> {
        // SAFETY: no memory is involved.
        let context = unsafe { sys::ZSTD_createCCtx() };
        (!context.is_null()).then_some(CompressContext {
            context,
            digested: std::ptr::null_mut(),
            dictionary: None,
            level: 0,
            last_mode: 2,
        })
    }

    pub fn set(&mut self, parameter: i32, value: i32) -> Result<(), usize> {
        if parameter == 100 {
            self.level = value;
        }
        // SAFETY: the context is owned.
        check(unsafe { set_compress_parameter(self.context.cast(), parameter, value) }).map(|_| ())
    }

    pub fn load(&mut self, dictionary: Arc<Dictionary>, kind: DictKind) -> Result<(), Fault> {
        let content = &dictionary.content;
        let (start, len) = (content.as_ptr().cast(), content.len());
        // SAFETY: the content is kept as long as the context, and so is the digested dictionary.
        let code = unsafe {
            match kind {
                DictKind::Digested => {
                    self.digested = sys::ZSTD_createCDict(start, len, self.level);
                    if self.digested.is_null() {
                        return Err(Fault::Memory);
                    }
                    sys::ZSTD_CCtx_refCDict(self.context, self.digested)
                }
                DictKind::Undigested => sys::ZSTD_CCtx_loadDictionary(self.context, start, len),
                DictKind::Prefix => sys::ZSTD_CCtx_refPrefix(self.context, start, len),
            }
        };
        self.dictionary = Some(dictionary);
        check(code).map(|_| ()).map_err(Fault::Code)
    }

    pub fn pledge(&mut self, size: u64) -> Result<(), usize> {
        // SAFETY: the context is owned.
        check(unsafe { sys::ZSTD_CCtx_setPledgedSrcSize(self.context, size) }).map(|_| ())
    }

    /// Compresses the data, and flushes as `mode` says: 0 not at all, 1 a block, 2 the frame.
    pub fn run(&mut self, data: &[u8], mode: i32) -> Result<Vec<u8>, usize> {
        let directive = match mode {
            0 => sys::ZSTD_EndDirective::ZSTD_e_continue,
            1 => sys::ZSTD_EndDirective::ZSTD_e_flush,
            _ => sys::ZSTD_EndDirective::ZSTD_e_end,
        };
        let mut input = sys::ZSTD_inBuffer {
            src: data.as_ptr().cast(),
            size: data.len(),
            pos: 0,
        };
        let mut out = Vec::new();
        loop {
            let have = out.len();
            room::grow(&mut out, have.clamp(16 * 1024, 1 << 24)).map_err(no_memory)?;
            let mut output = sys::ZSTD_outBuffer {
                dst: out[have..].as_mut_ptr().cast(),
                size: out.len() - have,
                pos: 0,
            };
            // SAFETY: both buffers outlive the call.
            let left = unsafe { sys::ZSTD_compressStream2(self.context, &mut output, &mut input, directive) };
            let (written, room) = (output.pos, output.size);
            out.truncate(have + written);
            match check(left) {
                Err(code) => {
                    self.last_mode = 2;
                    // SAFETY: the context is owned.
                    unsafe { sys::ZSTD_CCtx_reset(self.context, sys::ZSTD_ResetDirective::ZSTD_reset_session_only) };
                    return Err(code);
                }
                Ok(left) if input.pos == input.size && if mode == 0 { written < room } else { left == 0 } => {
                    self.last_mode = mode;
                    return Ok(out);
                }
                Ok(_) => {}
            }
        }
    }
}

/// A context that decompresses one frame.
pub struct DecompressContext {
    context: *mut sys::ZSTD_DCtx,
    digested: *mut sys::ZSTD_DDict,
    dictionary: Option<Arc<Dictionary>>,
}

// SAFETY: as above.
unsafe impl Send for DecompressContext {}

impl Drop for DecompressContext {
    fn drop(&mut self) {
        // SAFETY: both are owned; the library takes null.
        unsafe {
            sys::ZSTD_freeDCtx(self.context);
            sys::ZSTD_freeDDict(self.digested);
        }
    }
}

impl DecompressContext {
    pub fn new() -> Option<DecompressContext> {
        // SAFETY: no memory is involved.
        let context = unsafe { sys::ZSTD_createDCtx() };
        (!context.is_null()).then_some(DecompressContext {
            context,
            digested: std::ptr::null_mut(),
            dictionary: None,
        })
    }

    pub fn set(&mut self, parameter: i32, value: i32) -> Result<(), usize> {
        // SAFETY: the context is owned.
        check(unsafe { set_decompress_parameter(self.context.cast(), parameter, value) }).map(|_| ())
    }

    pub fn load(&mut self, dictionary: Arc<Dictionary>, kind: DictKind) -> Result<(), Fault> {
        let content = &dictionary.content;
        let (start, len) = (content.as_ptr().cast(), content.len());
        // SAFETY: the content is kept as long as the context, and so is the digested dictionary.
        let code = unsafe {
            match kind {
                DictKind::Digested => {
                    self.digested = sys::ZSTD_createDDict(start, len);
                    if self.digested.is_null() {
                        return Err(Fault::Memory);
                    }
                    sys::ZSTD_DCtx_refDDict(self.context, self.digested)
                }
                DictKind::Undigested => sys::ZSTD_DCtx_loadDictionary(self.context, start, len),
                DictKind::Prefix => sys::ZSTD_DCtx_refPrefix(self.context, start, len),
            }
        };
        self.dictionary = Some(dictionary);
        check(code).map(|_| ()).map_err(Fault::Code)
    }
}

impl Decoder for DecompressContext {
    type Error = usize;

    fn no_memory(fault: NoMemory) -> usize {
        no_memory(fault)
    }

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, usize> {
        let mut source = sys::ZSTD_inBuffer {
            src: input.as_ptr().cast(),
            size: input.len(),
            pos: 0,
        };
        let mut target = sys::ZSTD_outBuffer {
            dst: out.as_mut_ptr().cast(),
            size: out.len(),
            pos: 0,
        };
        // SAFETY: both buffers outlive the call.
        let left = check(unsafe { sys::ZSTD_decompressStream(self.context, &mut target, &mut source) });
        match left {
            Ok(left) => Ok(Step {
                consumed: source.pos,
                produced: target.pos,
                end: left == 0,
            }),
            Err(code) => {
                // SAFETY: the context is owned.
                unsafe { sys::ZSTD_DCtx_reset(self.context, sys::ZSTD_ResetDirective::ZSTD_reset_session_only) };
                Err(code)
            }
        }
    }
}
