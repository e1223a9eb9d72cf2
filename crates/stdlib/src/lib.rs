//! The standard library: native modules, one file each, and the packed Python files.
//!
//! Invariant: modules know of the runtime only its binding API (`lisle_runtime::native`) and the types they make; a module is
//! one file and one line in [`MODULES`].

mod abc;
mod array;
mod ast;
mod asyncio;
pub mod atexit;
mod binascii;
mod bisect;
mod bz2;
mod cli;
mod cmath;
mod codecs;
mod collections;
mod constants;
mod contextvars;
mod csv;
mod ctypes;
mod datetime;
mod decimal;
mod elementtree;
mod errno;
mod exception;
mod exclusive;
mod expat;
mod faulthandler;
mod fcntl;
mod functools;
mod futures;
mod gc;
mod grp;
mod hashes;
mod heapq;
mod incremental;
mod io;
mod itertools;
mod json;
mod locale;
mod lsprof;
mod lzma;
mod math;
mod mmap;
mod multibyte;
mod multiprocessing;
mod opcode;
mod operator;
mod order;
pub mod packed;
mod pickle;
mod posix;
mod posixshmem;
mod posixsubprocess;
mod pwd;
mod queue;
mod random;
mod resource;
mod select;
mod signal;
mod sigset;
mod socket;
mod sqlite;
mod sre;
mod ssl;
mod stat;
mod string;
mod struct_;
mod suggestions;
mod symtable;
mod sys;
mod syscall;
mod sysconfig;
mod syslog;
mod termios;
mod thread;
mod time;
mod timeout;
mod tokenize;
mod tracemalloc;
mod types;
mod typing;
mod unicodedata;
mod warnings;
mod weakref;
mod zlib;
mod zstd;

pub use cli::run_command_line;
use lisle_runtime::native::ModuleDef;

/// Every native module of this crate.
pub static MODULES: &[&ModuleDef] = &[
    &abc::module::DEF,
    &array::module::DEF,
    &ast::module::DEF,
    &asyncio::module::DEF,
    &atexit::module::DEF,
    &binascii::module::DEF,
    &bisect::module::DEF,
    &bz2::module::DEF,
    &cli::module::DEF,
    &cmath::module::DEF,
    &codecs::module::DEF,
    &collections::module::DEF,
    &contextvars::module::DEF,
    &csv::module::DEF,
    &ctypes::module::DEF,
    &datetime::module::DEF,
    &decimal::module::DEF,
    &elementtree::module::DEF,
    &errno::module::DEF,
    &expat::module::DEF,
    &faulthandler::module::DEF,
    &fcntl::module::DEF,
    &functools::module::DEF,
    &futures::module::DEF,
    &gc::module::DEF,
    &grp::module::DEF,
    &hashes::blake2_module::DEF,
    &hashes::md5::module::DEF,
    &hashes::openssl_module::DEF,
    &hashes::sha1::module::DEF,
    &hashes::sha2::module::DEF,
    &hashes::sha3::module::DEF,
    &heapq::module::DEF,
    &io::module::DEF,
    &itertools::module::DEF,
    &json::module::DEF,
    &locale::module::DEF,
    &lsprof::module::DEF,
    &lzma::module::DEF,
    &math::module::DEF,
    &mmap::module::DEF,
    &multibyte::cn::DEF,
    &multibyte::hk::DEF,
    &multibyte::iso2022::DEF,
    &multibyte::jp::DEF,
    &multibyte::kr::DEF,
    &multibyte::module::DEF,
    &multibyte::tw::DEF,
    &multiprocessing::module::DEF,
    &opcode::module::DEF,
    &operator::module::DEF,
    &pickle::module::DEF,
    &posix::module::DEF,
    &posixshmem::module::DEF,
    &posixsubprocess::module::DEF,
    &pwd::module::DEF,
    &queue::module::DEF,
    &random::module::DEF,
    &resource::module::DEF,
    &select::module::DEF,
    &signal::module::DEF,
    &socket::module::DEF,
    &sqlite::module::DEF,
    &sre::module::DEF,
    &ssl::module::DEF,
    &stat::module::DEF,
    &string::module::DEF,
    &struct_::module::DEF,
    &suggestions::module::DEF,
    &symtable::module::DEF,
    &sysconfig::module::DEF,
    &syslog::module::DEF,
    &termios::module::DEF,
    &thread::module::DEF,
    &time::module::DEF,
    &tokenize::module::DEF,
    &tracemalloc::module::DEF,
    &types::module::DEF,
    &typing::module::DEF,
    &unicodedata::module::DEF,
    &warnings::module::DEF,
    &weakref::module::DEF,
    &zlib::module::DEF,
    &zstd::module::DEF,
];

/// What the interpreter does with signals from the start.
pub(crate) use signal::install_defaults as install_signal_handlers;
