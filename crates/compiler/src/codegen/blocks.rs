//! What encloses a statement: loops, protected regions, handlers; and the ways out of them.
//!
//! Invariant: while a block is on the stack its region is open; leaving code (`return`, `break`) closes the regions it
//! passes, so that what it runs on the way (`finally` bodies, `__exit__`) is not protected by what it has left.

use lisle_bytecode::{Const, Op};
use ruff_python_ast::Stmt;
use ruff_text_size::TextRange;

use super::{Codegen, Label, Reg};
use crate::errors::Res;

/// A row of the exception table, by instruction index.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    pub start: usize,
    pub end: usize,
    pub target: Label,
    pub depth: Reg,
}

const STAR_LEFT: &str = "'break', 'continue' and 'return' cannot appear in an 'except*' block";

/// Blocks that may nest in one function.
const MAX_BLOCKS: usize = 21;

#[derive(Clone, Copy)]
pub(super) enum BlockKind<'a> {
    Loop {
        brk: Label,
        cont: Label,
        /// The iterator that lives as long as the loop.
        iter: Option<Reg>,
    },
    /// A protected body with nothing to do when it is left.
    Try,
    /// An `except` body: the handled exception, and the name to unbind.
    Handler { exc: Reg, name: Option<&'a str> },
    /// In a `finally` body on the way out: the value to return, dropped if the body leaves by another way.
    Value(Reg),
    /// Inside `except*`, which cannot be left by a jump.
    Star,
    /// A body with a `finally` clause.
    Finally(&'a [Stmt]),
    /// A `with` body: registers of `__exit__` and its self.
    With {
        exit: Reg,
        is_async: bool,
        range: TextRange,
    },
}

#[derive(Clone, Copy)]
pub(super) struct Block<'a> {
    pub kind: BlockKind<'a>,
    open: Option<Open>,
}

#[derive(Clone, Copy)]
struct Open {
    start: usize,
    target: Label,
    depth: Reg,
    /// Whether an instruction was covered.
    used: bool,
}

impl<'a> Codegen<'a> {
    pub(super) fn push_block(&mut self, kind: BlockKind<'a>, handler: Option<(Label, Reg)>) {
        let start = self.unit().code.len();
        let open = handler.map(|(target, depth)| Open {
            start,
            target,
            depth,
            used: false,
        });
        self.u().blocks.push(Block { kind, open });
        if self.unit().blocks.len() > MAX_BLOCKS && self.unit().too_nested.is_none() {
            self.u().too_nested = Some(self.unit().range);
        }
    }

    /// Ends the innermost block; tells whether its handler can be reached.
    pub(super) fn pop_block(&mut self) -> bool {
        let mut block = self.u().blocks.pop().expect("a block is open");
        self.close(&mut block);
        block.open.is_some_and(|open| open.used)
    }

    fn close(&mut self, block: &mut Block<'a>) {
        let end = self.unit().code.len();
        if let Some(open) = &mut block.open
            && open.start < end
        {
            open.used = true;
            let region = Region {
                start: open.start,
                end,
                target: open.target,
                depth: open.depth,
            };
            self.u().regions.push(region);
        }
    }

    /// Protects the code that `body` emits; tells whether the handler can be reached.
    pub(super) fn protect(&mut self, target: Label, depth: Reg, body: impl FnOnce(&mut Self) -> Res) -> Res<bool> {
        self.push_block(BlockKind::Try, Some((target, depth)));
        body(self)?;
        Ok(self.pop_block())
    }

    /// Starts a handler: `bound` is what was bound where its region began.
    pub(super) fn place_handler(&mut self, label: Label, used: bool, bound: super::Bits) {
        self.place(label);
        let unit = self.u();
        unit.reachable = used;
        unit.bound = bound;
        unit.forget_deleted();
    }

    /// Leaves the blocks above `down_to`, innermost first. `restore` must follow once the leaving jump is emitted.
    /// `value` is a temporary to keep.
    pub(super) fn unwind(&mut self, down_to: usize, value: Option<Reg>) -> Res<Vec<Block<'a>>> {
        let mut left = Vec::new();
        while self.unit().blocks.len() > down_to {
            let mut block = self.u().blocks.pop().expect("counted");
            self.close(&mut block);
            left.push(block);
            match block.kind {
                BlockKind::Loop { iter, .. } => {
                    if let Some(iter) = iter {
                        self.emit1(Op::Clear, iter);
                    }
                }
                BlockKind::Try => {}
                BlockKind::Value(value) => self.emit1(Op::Clear, value),
                BlockKind::Star => {
                    return self.fail(self.unit().range, STAR_LEFT);
                }
                BlockKind::Handler { exc, name } => {
                    self.emit1(Op::PopExc, exc);
                    if let Some(name) = name {
                        self.unbind_name(name);
                    }
                }
                BlockKind::Finally(body) => {
                    let range = self.unit().range;
                    if let Some(value) = value {
                        self.push_block(BlockKind::Value(value), None);
                    }
                    self.stmts(body)?;
                    if value.is_some() {
                        self.pop_block();
                    }
                    (self.u().range, self.u().silent) = (range, true);
                }
                BlockKind::With { exit, is_async, range } => {
                    self.at(range, |this| this.call_exit(exit, is_async))?;
                    self.u().silent = true;
                }
            }
        }
        Ok(left)
    }

    pub(super) fn restore(&mut self, left: Vec<Block<'a>>) {
        let start = self.unit().code.len();
        for mut block in left.into_iter().rev() {
            if let Some(open) = &mut block.open {
                open.start = start;
            }
            self.u().blocks.push(block);
        }
    }

    /// Whether leaving all blocks runs code.
    pub(super) fn leaving_runs_code(&self) -> bool {
        let acts = |block: &Block| {
            !matches!(
                block.kind,
                BlockKind::Loop { .. } | BlockKind::Try | BlockKind::Value(_)
            )
        };
        self.unit().blocks.iter().any(acts)
    }

    /// `return` of a value in a register, or of a constant.
    pub(super) fn return_value(&mut self, value: Option<Reg>, constant: Const) -> Res {
        if !self.leaving_runs_code() {
            match value {
                Some(value) => self.return_register(value),
                None => self.return_const(constant),
            }
            self.u().reachable = false;
            return Ok(());
        }
        let bound = self.unit().bound.clone();
        if value.is_none() {
            // The statement's line comes before those of what it leaves.
            self.emit(Op::Nop, 0, 0, 0, 0);
        }
        let left = self.unwind(0, value.filter(|v| v.is_temp()))?;
        match value {
            Some(value) => self.return_register(value),
            None => self.return_const(constant),
        }
        (self.u().reachable, self.u().silent) = (false, false);
        self.restore(left);
        self.u().bound = bound;
        Ok(())
    }

    /// `break` (or `continue`).
    pub(super) fn leave_loop(&mut self, range: TextRange, is_break: bool) -> Res {
        let is_loop = |block: &Block| matches!(block.kind, BlockKind::Loop { .. });
        let inner = self.unit().blocks.iter().rev().take_while(|block| !is_loop(block));
        if inner.clone().any(|block| matches!(block.kind, BlockKind::Star)) {
            return self.fail(range, STAR_LEFT);
        }
        let Some(at) = self.unit().blocks.iter().rposition(is_loop) else {
            let text = if is_break {
                "'break' outside loop"
            } else {
                "'continue' not properly in loop"
            };
            return self.fail(range, text);
        };
        let BlockKind::Loop { brk, cont, iter } = self.unit().blocks[at].kind else {
            return Ok(());
        };
        if self.unit().blocks.len() > at + 1 {
            self.emit(Op::Nop, 0, 0, 0, 0);
        }
        let left = self.unwind(at + 1, None)?;
        if is_break {
            if let Some(iter) = iter {
                self.emit1(Op::Clear, iter);
            }
            self.jump(brk);
        } else if self.unit().labels[cont.0 as usize].is_some() {
            self.jump_back(cont);
        } else {
            self.jump(cont);
        }
        self.u().silent = false;
        self.restore(left);
        Ok(())
    }
}
