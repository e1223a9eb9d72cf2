//! `_ast`: classes of nodes, parsing to nodes, compiling nodes.
//!
//! Invariant: the builtin `compile` reaches this module through [`install`], since the runtime knows nothing of nodes.
//! Left out: the optimizer's view of a tree (`PyCF_OPTIMIZED_AST` gives the plain one).

mod build;
mod build_expr;
mod build_strings;
mod classes;
mod read;
mod read_expr;
mod read_stmt;
mod schema;

use lisle_compiler::{Mode, Options, compile_tree, signature, with_tree};
use lisle_runtime::builtins::compile::{AstHooks, issue_warnings, raise_with_warnings, set_ast_hooks, with_limits};
use lisle_runtime::intern;
use lisle_runtime::native::{Exc, Py, Res, Value, Vm, pymodule};
use lisle_runtime::types::code::Code;
use lisle_runtime::types::module::Module;

use classes::{Ast, Classes};
use schema::Kind;

/// Lets the builtin `compile` make and compile nodes.
pub fn install() {
    set_ast_hooks(&AstHooks {
        is_node: |value| value.downcast::<Ast>().is_some(),
        parse,
        check: |vm, value, mode| check_root(vm, value, mode).map(drop),
        compile,
    });
}

/// The root node of a source.
fn parse(vm: &Vm, source: &str, mode: Mode, options: &Options) -> Res<Value> {
    if mode == Mode::FuncType {
        return parse_signature(vm, source, options);
    }
    let classes = Classes::get(vm)?;
    let options = &with_limits(options);
    let made = with_tree(source, mode, options, |tree| {
        let mut builder = build::Builder {
            vm,
            classes,
            tree,
            literals: tree.literals(),
        };
        let root = build::root(&mut builder, mode)?;
        Ok::<_, Exc>((root, builder.literals.take_warnings()))
    });
    let (root, warnings) = made.map_err(|error| raise_with_warnings(vm, error, options))??;
    issue_warnings(vm, warnings, options)?;
    Ok(root)
}

/// `(int, str) -> bool`: a signature type comment.
fn parse_signature(vm: &Vm, source: &str, options: &Options) -> Res<Value> {
    let invalid = || vm.exception_with(&lisle_runtime::types::exceptions::SYNTAX_ERROR, "invalid syntax");
    let (args, returns) = signature(source).ok_or_else(invalid)?;
    let args = source[args].strip_suffix(')').unwrap_or_default().trim_end();
    if args.ends_with(',') {
        return Err(invalid());
    }
    // The argument types are those of a call: any number, one with a star, one with two.
    let call = parse(vm, &format!("f{args})"), Mode::Eval, options)?;
    let call = vm.getattr(&call, intern!("body"))?;
    let mut types = vm.collect(&vm.getattr(&call, intern!("args"))?)?;
    let classes = Classes::get(vm)?;
    let mut starred = false;
    for ty in &mut types {
        if starred || classes.kind_of(ty) == Some(Kind::GeneratorExp) {
            return Err(invalid());
        }
        if classes.kind_of(ty) == Some(Kind::Starred) {
            starred = true;
            *ty = vm.getattr(ty, intern!("value"))?;
        }
    }
    let keywords = vm.collect(&vm.getattr(&call, intern!("keywords"))?)?;
    if keywords.len() > 1 {
        return Err(invalid());
    }
    for keyword in keywords {
        if !vm.getattr(&keyword, intern!("arg"))?.is_none() {
            return Err(invalid());
        }
        types.push(vm.getattr(&keyword, intern!("value"))?);
    }
    let returns = parse(vm, source[returns].trim(), Mode::Eval, options)?;
    let returns = vm.getattr(&returns, intern!("body"))?;
    vm.call(
        classes.kind(Kind::FunctionType).class.as_value(),
        &[build::list(types), returns],
    )
}

/// An error unless the node is the root that the mode asks for.
fn check_root(vm: &Vm, value: &Value, mode: Mode) -> Res<Kind> {
    let classes = Classes::get(vm)?;
    let wanted = match mode {
        Mode::Exec => Kind::Module,
        Mode::Eval => Kind::Expression,
        Mode::Single => Kind::Interactive,
        Mode::FuncType => Kind::FunctionType,
    };
    if value.ty().is_subclass(&classes.kind(wanted).class) {
        return Ok(wanted);
    }
    Err(vm.type_error(format!(
        "expected {} node, got {}",
        read::kind_name(wanted),
        value.ty().name()
    )))
}

/// The code of a tree of nodes.
fn compile(vm: &Vm, value: &Value, mode: Mode, options: &Options) -> Res<Py<Code>> {
    check_root(vm, value, mode)?;
    let mut reader = read::Reader::new(vm)?;
    let program = reader.root(value)?;
    let read::Reader { source, regions, .. } = reader;
    let result = compile_tree(&program, &source, regions, mode, options);
    drop(program);
    let (plain, warnings) = result.map_err(|error| raise_with_warnings(vm, error, options))?;
    issue_warnings(vm, warnings, options)?;
    Code::new(vm, plain)
}

#[pymodule(name = "_ast")]
pub mod module {
    use super::*;

    #[pyattr(name = "PyCF_ONLY_AST")]
    const ONLY_AST: i32 = 0x400;
    #[pyattr(name = "PyCF_OPTIMIZED_AST")]
    const OPTIMIZED_AST: i32 = 0x8400;
    #[pyattr(name = "PyCF_TYPE_COMMENTS")]
    const TYPE_COMMENTS: i32 = 0x1000;
    #[pyattr(name = "PyCF_ALLOW_TOP_LEVEL_AWAIT")]
    const ALLOW_TOP_LEVEL_AWAIT: i32 = 0x2000;

    #[init]
    fn init(vm: &Vm, module: &Py<Module>) -> Res<()> {
        for (name, class) in Classes::get(vm)?.named() {
            module.set(name, class);
        }
        Ok(())
    }
}
