//! Source text to bytecode: parser (the crate ruff_python_parser), symbol table, code generator.
//!
//! Knows `lisle-bytecode` alone, nothing of the runtime. What a program can do wrong ends in a `SyntaxError` value.

#![forbid(unsafe_code)]

mod codegen;
mod diagnose;
mod errors;
mod features;
mod finally;
mod fold;
mod future;
mod limits;
mod scopes;
mod source;
mod symtable;
#[cfg(test)]
mod tests;
mod tokens;
mod tree;
mod type_comments;
mod unparse;
mod verify;

use lisle_bytecode::{CodeFlags, CodeObject};
use ruff_python_ast::{Mod, PythonVersion};
use ruff_python_parser::{ParseOptions, Parsed, parse_unchecked};
use ruff_text_size::TextSize;

pub use errors::{SyntaxError, SyntaxErrorKind, Warning, WarningCategory};
pub use scopes::{ScopeInfo, symbol_table};
pub use source::{Region, decode_source, encoding_cookie};
pub use tree::{Literals, Tree, compile_tree, nodes, with_tree};
pub use type_comments::signature;
pub use verify::verify;

use codegen::Codegen;
use errors::Res;
use source::LineIndex;

/// Changes with the compiler: code that another one made is not its own.
pub const COMPILER_ID: u32 = match u32::from_str_radix(env!("LISLE_COMPILER_ID"), 16) {
    Ok(id) => id,
    Err(_) => panic!("the build script writes a number"),
};

/// What a source is compiled as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Statements of a module.
    Exec,
    /// One expression.
    Eval,
    /// One interactive statement, whose values are printed.
    Single,
    /// A signature type comment.
    FuncType,
}

/// How a source is compiled.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub filename: String,
    /// As `-O`: 1 drops assertions, 2 docstrings as well.
    pub optimize: u8,
    /// Future features inherited from the caller, as bits of `co_flags`.
    pub future_flags: u32,
    /// Incomplete blocks at the end of the source are errors (`PyCF_DONT_IMPLY_DEDENT`).
    pub dont_imply_dedent: bool,
    pub allow_top_level_await: bool,
    /// Source that could go on gives `SyntaxErrorKind::Incomplete`.
    pub allow_incomplete_input: bool,
    /// The minor version of Python whose syntax is to be accepted.
    pub feature_version: Option<u8>,
    /// Trees show comments that are annotations, which must stand where they belong.
    pub type_comments: bool,
    /// How many digits an int may have; 0 for any.
    pub int_max_str_digits: usize,
}

/// Compiles `source`.
pub fn compile(source: &str, mode: Mode, options: &Options) -> Result<(CodeObject, Vec<Warning>), SyntaxError> {
    let source = source::normalize(source);
    let lines = LineIndex::new(&source);
    let mut warnings = Vec::new();
    let result = limits::with_stack_for_source(&source, || {
        compile_normalized(&source, mode, options, &lines, &mut warnings)
    });
    finished(result, warnings, &source, &lines)
}

/// What was made with its warnings, or the error with those before it.
fn finished<T>(
    result: Res<T>,
    warnings: Vec<Warning>,
    source: &str,
    lines: &LineIndex,
) -> Result<(T, Vec<Warning>), SyntaxError> {
    match result {
        Ok(made) => Ok((made, warnings)),
        Err(fault) => Err(SyntaxError {
            warnings,
            context: limits::with_stack_for_source(source, || Ok(diagnose::context(&fault, source, lines)))
                .unwrap_or_default(),
            ..fault.into_error(source, lines)
        }),
    }
}

fn compile_normalized(
    source: &str,
    mode: Mode,
    options: &Options,
    lines: &LineIndex,
    warnings: &mut Vec<Warning>,
) -> Res<CodeObject> {
    let (parsed, depth) = parse(source, mode, options, lines, warnings)?;
    limits::with_stack_for_depth(depth, || {
        generate(parsed.syntax(), source, mode, options, lines, warnings)
    })
}

/// The tree of a source, and how deep it is; adds the warnings of the parser.
fn parse(
    source: &str,
    mode: Mode,
    options: &Options,
    lines: &LineIndex,
    warnings: &mut Vec<Warning>,
) -> Res<(Parsed<Mod>, u32)> {
    if source.contains('\0') {
        return errors::fault_of(
            SyntaxErrorKind::Syntax,
            None,
            "source code string cannot contain null bytes",
        );
    }
    if u32::try_from(source.len()).is_err() {
        return errors::fault_of(SyntaxErrorKind::Overflow, None, "source code is too large");
    }
    let parser_mode = match mode {
        Mode::Exec | Mode::Single => ruff_python_parser::Mode::Module,
        Mode::Eval | Mode::FuncType => ruff_python_parser::Mode::Expression,
    };
    tokens::check_not_blank(source, mode)?;
    let parse_options = ParseOptions::from(parser_mode).with_target_version(PythonVersion::PY314);
    let spelled = diagnose::flufl(source, lines, options)?;
    let parsed = parse_unchecked(&spelled, parse_options);
    limits::check_tokens(parsed.tokens())?;
    // Where there is an error, the parser has read as far as that.
    let end = parsed.errors().first().map(|error| error.location.start());
    warnings.extend(tokens::warnings(
        &parsed,
        source,
        lines,
        end.unwrap_or(TextSize::of(source)),
    ));
    diagnose::check(&parsed, source, lines, mode, options)?;
    tokens::check_numbers(&parsed, source, options.int_max_str_digits)?;
    if let Some(minor) = options.feature_version {
        features::check(parsed.syntax(), source, minor)?;
    }
    if mode == Mode::Single {
        if let Mod::Module(module) = parsed.syntax()
            && module.body.is_empty()
        {
            // Nothing is no statement, as it is no expression.
            let as_expression = ParseOptions::from(ruff_python_parser::Mode::Expression);
            diagnose::check(
                &parse_unchecked(&spelled, as_expression),
                source,
                lines,
                Mode::Eval,
                options,
            )?;
        }
        tokens::check_single(&parsed)?;
        tokens::check_end(&parsed, source, options)?;
    }
    let depth = limits::depth(parsed.syntax());
    limits::check_depth(depth)?;
    Ok((parsed, depth))
}

fn generate(
    program: &Mod,
    source: &str,
    mode: Mode,
    options: &Options,
    lines: &LineIndex,
    warnings: &mut Vec<Warning>,
) -> Res<CodeObject> {
    let mut flags = options.future_flags & errors::FUTURE_MASK;
    if let Mod::Module(module) = program {
        flags |= future::future_flags(&module.body)?;
    }
    warnings.extend(finally::warnings(program, source, lines));
    let annotations = flags & CodeFlags::FUTURE_ANNOTATIONS != 0;
    let table = match program {
        Mod::Module(module) => symtable::build(module, &module.body, None, annotations)?,
        Mod::Expression(e) => symtable::build(e, &[], Some(&e.body), annotations)?,
    };
    let mut codegen = Codegen::new(source, lines, &table, &options.filename);
    codegen.optimize = options.optimize;
    codegen.future = flags;
    codegen.interactive = mode == Mode::Single;
    codegen.top_level_await = options.allow_top_level_await;
    let code = match program {
        Mod::Module(module) => codegen.module(&module.body),
        Mod::Expression(e) => codegen.expression(&e.body),
    };
    warnings.append(&mut codegen.warnings);
    code
}
