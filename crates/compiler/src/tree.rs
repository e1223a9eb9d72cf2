//! Syntax trees for others: a parsed source to be looked at, and compiling a tree that somebody made.
//!
//! Invariant: a tree lives inside [`with_tree`], where there is stack enough to walk and to drop it.

use lisle_bytecode::{CodeObject, Location, Text};
use ruff_text_size::TextRange;

use crate::codegen::Codegen;
use crate::errors::{Res, SyntaxError, Warning};
use crate::source::{LineIndex, Region, normalize};
use crate::symtable::Symtable;
use crate::type_comments::TypeComments;
use crate::{Mode, Options, finished, fold, generate, limits, parse, symtable, type_comments};

/// The parser's nodes.
pub mod nodes {
    pub use ruff_python_ast::*;
    pub use ruff_text_size::{Ranged, TextRange, TextSize};
}

use nodes::Mod;

/// A parsed source.
pub struct Tree<'a> {
    source: &'a str,
    program: &'a Mod,
    lines: &'a LineIndex,
    table: Symtable,
    warnings: Vec<Warning>,
    type_comments: TypeComments<'a>,
}

impl<'a> Tree<'a> {
    /// The tree.
    pub fn program(&self) -> &'a Mod {
        self.program
    }

    /// The text that the nodes' ranges refer to.
    pub fn source(&self) -> &'a str {
        self.source
    }

    /// Lines from 1, columns in bytes from 0.
    pub fn location(&self, range: TextRange) -> Location {
        self.lines.location(range)
    }

    /// The annotation in a comment of the statement or parameter that begins there.
    pub fn type_comment(&self, start: nodes::TextSize) -> Option<&'a str> {
        self.type_comments.of.get(&start).copied()
    }

    /// The lines of comments `# type: ignore`, with what follows the word.
    pub fn type_ignores(&self) -> &[(u32, &'a str)] {
        &self.type_comments.ignores
    }

    /// The values of literals.
    pub fn literals(&'a self) -> Literals<'a> {
        let mut codegen = Codegen::new(self.source, self.lines, &self.table, "");
        codegen.warnings = self.warnings.clone();
        Literals { codegen }
    }
}

/// The values of literals, lone surrogates included, and the warnings about their escapes.
pub struct Literals<'a> {
    codegen: Codegen<'a>,
}

impl Literals<'_> {
    /// The value of one string literal.
    pub fn string(&mut self, part: &nodes::StringLiteral) -> Text {
        let plain = Text::Utf8((&*part.value).into());
        self.codegen.string_part(part).unwrap_or(plain)
    }

    /// The value of a piece of an f-string or t-string.
    pub fn piece(&mut self, piece: &nodes::InterpolatedStringLiteralElement, raw: bool) -> Text {
        let plain = Text::Utf8((&*piece.value).into());
        let found = self.codegen.text_of(&piece.value, piece.range, raw, true);
        found.unwrap_or(plain)
    }

    /// The text that `{x=}` shows before the value.
    pub fn debug_text(text: &nodes::DebugText) -> String {
        crate::codegen::strings::debug_text(text.as_str())
    }

    /// The value of a bytes literal.
    pub fn bytes(&mut self, e: &nodes::ExprBytesLiteral) -> Box<[u8]> {
        self.codegen.bytes_literal(e).unwrap_or_default()
    }

    /// The warnings since the start.
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.codegen.warnings)
    }

    /// The value of an int that does not fit an `i64`, from its text.
    pub fn big_int(text: &str) -> lisle_bytecode::Const {
        fold::parse_int(text)
    }
}

/// Parses `source` and calls `f` with the tree.
pub fn with_tree<R>(
    source: &str,
    mode: Mode,
    options: &Options,
    f: impl FnOnce(&Tree<'_>) -> R,
) -> Result<R, SyntaxError> {
    let source = normalize(source);
    let lines = LineIndex::new(&source);
    let mut early = Vec::new();
    let result: Res<R> = limits::with_stack_for_source(&source, || {
        let (parsed, depth) = parse(&source, mode, options, &lines, &mut early)?;
        let empty = nodes::ModModule {
            node_index: nodes::AtomicNodeIndex::NONE,
            range: TextRange::default(),
            body: Default::default(),
        };
        let table = symtable::build(&empty, &empty.body, None, false)?;
        let type_comments = if options.type_comments {
            type_comments::find(&parsed, &source, &lines)?
        } else {
            TypeComments::default()
        };
        let tree = Tree {
            source: &source,
            program: parsed.syntax(),
            lines: &lines,
            table,
            warnings: std::mem::take(&mut early),
            type_comments,
        };
        Ok(limits::with_stack_for_depth(depth, || f(&tree)))
    });
    finished(result, early, &source, &lines).map(|(made, _)| made)
}

/// Compiles a tree that was not parsed. Each node has a range of its own, one of the `regions`, which are in ascending order; `source` holds
/// the text of those literals that have no exact value in the tree, at their ranges.
pub fn compile_tree(
    program: &Mod,
    source: &str,
    regions: Vec<Region>,
    mode: Mode,
    options: &Options,
) -> Result<(CodeObject, Vec<Warning>), SyntaxError> {
    let lines = LineIndex::of_regions(regions);
    let depth = limits::depth(program);
    let mut warnings = Vec::new();
    let result = limits::or_no_memory(|| {
        limits::check_depth(depth)?;
        limits::with_stack_for_depth(depth, || {
            generate(program, source, mode, options, &lines, &mut warnings)
        })
    });
    finished(result, warnings, source, &lines)
}
