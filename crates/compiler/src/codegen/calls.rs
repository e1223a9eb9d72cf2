//! Calls: arguments go straight into the registers behind the callable.

use lisle_bytecode::opcode::Common;
use lisle_bytecode::{Const, Op, Text};
use ruff_python_ast::{self as ast, Arguments, Expr, Keyword};
use ruff_text_size::Ranged;

use super::names::Var;
use super::{Codegen, Reg};
use crate::errors::Res;
use crate::symtable::{Place, Role, ScopeId, ScopeKind};

/// Positional arguments that are passed in registers; more of them go through a list.
const MAX_ARGS: usize = 250;

impl<'a> Codegen<'a> {
    pub(super) fn call(&mut self, e: &'a ast::ExprCall, dst: Reg) -> Res {
        self.check_callee(&e.func, e.range());
        let spread = needs_spread(&e.arguments);
        let base = self.call_base(dst);
        if let Expr::Attribute(method) = &*e.func {
            let old = self.attribute_range(method, e.range());
            self.u().range = self.attribute_range(method, method.range);
            // The callable's register is on top while what it comes from is evaluated into it.
            self.set_top(base.index() + 1);
            if let Expr::Call(call) = &*method.value
                && let Some(parts) = self.super_call(call, base)?
            {
                let name = self.mangle(method.attr.as_str());
                let index = self.near_name(&name)?;
                let k = u8::from(!call.arguments.args.is_empty());
                self.emit(Op::LoadSuperMethod, k, base.0, parts.0, index);
            } else {
                let object = self.operand_in(&method.value, base)?;
                self.note_object(object, &method.value);
                let name = self.mangle(method.attr.as_str());
                let index = self.near_name(&name)?;
                self.emit(Op::LoadMethod, 0, base.0, object.0, index);
            }
            self.u().range = old;
            self.set_top(base.index());
            self.temps(2);
            if spread {
                return self.spread_call(base, 1, &e.arguments.args, &e.arguments.keywords, None, dst);
            }
            return self.finish_call(base, 1, 0, &e.arguments, dst);
        }
        self.set_top(base.index() + 1);
        self.expr(&e.func, base)?;
        self.temp();
        if let Some((common, generator)) = self.consumer(e) {
            return self.consuming_call(common, generator, base, dst);
        }
        if spread {
            return self.spread_call(base, 0, &e.arguments.args, &e.arguments.keywords, None, dst);
        }
        self.finish_call(base, 0, 0, &e.arguments, dst)
    }

    /// `any(... for ...)` and the like: where the callable in `base` is the builtin, the generator is resumed here, not from Rust. `any`, `all`
    /// and `tuple` as CPython 3.14 does it, `list` and `set` as 3.15.
    fn consuming_call(&mut self, common: Common, generator: &'a Expr, base: Reg, dst: Reg) -> Res {
        let range = self.unit().range;
        let iter = self.expr_temp(generator)?;
        self.u().range = range;
        let (general, done) = (self.label(), self.label());
        self.jump_op(Op::JumpIfNotCommon, common as u8, base.0, 0, general);
        self.emit1(Op::Clear, base);
        let (head, end) = (self.label(), self.label());
        let top = self.top();
        let item = self.temp();
        let decides = common == Common::Any;
        match common {
            Common::Any | Common::All => {
                let decided = self.label();
                self.place_loop(head);
                self.jump_op(Op::ForIter, 0, item.0, iter.0, end);
                self.jump_truth(item, decided, decides);
                self.jump_back(head);
                self.place(decided);
                self.emit1(Op::Clear, iter);
                self.load_const(dst, if decides { Const::True } else { Const::False });
                self.jump(done);
                self.place(end);
                self.load_const(dst, if decides { Const::False } else { Const::True });
            }
            _ => {
                let (build, add) = match common {
                    Common::Set => (Op::BuildSet, Op::SetAdd),
                    _ => (Op::BuildList, Op::ListAppend),
                };
                self.emit(build, 0, base.0, base.0, 0);
                self.place_loop(head);
                self.jump_op(Op::ForIter, 0, item.0, iter.0, end);
                self.emit2(add, base, item);
                self.jump_back(head);
                self.place(end);
                if common == Common::Tuple {
                    self.emit2(Op::ListToTuple, dst, base);
                } else {
                    self.move_to(dst, base);
                }
            }
        }
        self.jump(done);
        self.set_top(top);
        self.place(general);
        self.emit(Op::Call, 0, base.0, 1, dst.0);
        self.place(done);
        Ok(())
    }

    /// The builtin that a call names, if it takes a generator expression alone, and that.
    fn consumer(&self, e: &'a ast::ExprCall) -> Option<(Common, &'a Expr)> {
        let (Expr::Name(name), [argument @ Expr::Generator(generator)]) = (&*e.func, &*e.arguments.args) else {
            return None;
        };
        let scope = self.table.find(generator, Role::Comprehension)?;
        // One that awaits is an asynchronous generator.
        if !e.arguments.keywords.is_empty() || self.table.scope(scope).coroutine {
            return None;
        }
        let common = match name.id.as_str() {
            "all" => Common::All,
            "any" => Common::Any,
            "list" => Common::List,
            "set" => Common::Set,
            "tuple" => Common::Tuple,
            _ => return None,
        };
        Some((common, argument))
    }

    /// Registers for a callable and its self; `dst` itself if it is on top of the stack.
    pub(super) fn call_base(&mut self, dst: Reg) -> Reg {
        if dst.is_temp() && dst.index() + 1 == self.top() {
            self.temp();
            dst
        } else {
            self.temps(2)
        }
    }

    /// Arguments and the call itself; `given` arguments are in place already.
    pub(super) fn finish_call(&mut self, base: Reg, k: u8, given: u32, arguments: &'a Arguments, dst: Reg) -> Res {
        for arg in &arguments.args {
            self.expr_temp(arg)?;
        }
        let positional = arguments.args.len() as u32 + given;
        if arguments.keywords.is_empty() {
            self.emit(Op::Call, k, base.0, positional, dst.0);
            return Ok(());
        }
        let mut names = Vec::with_capacity(arguments.keywords.len());
        for keyword in &arguments.keywords {
            if let Some(name) = &keyword.arg {
                names.push(Const::Str(Text::Utf8(name.as_str().into())));
            }
            self.expr_temp(&keyword.value)?;
        }
        let count = positional + names.len() as u32;
        let index = self.const_index(Const::Tuple(names.into()));
        self.emit(Op::CallKw, k, base.0, count, dst.0);
        if self.unit().reachable
            && let Some(last) = self.u().code.last_mut()
        {
            last.ext = index;
        }
        Ok(())
    }

    /// A call with `*args`, `**kwargs` or very many arguments; `k` is that of the call, `extra` a last positional argument in a register.
    pub(super) fn spread_call(
        &mut self,
        base: Reg,
        k: u8,
        args: &'a [Expr],
        keywords: &'a [Keyword],
        extra: Option<Reg>,
        dst: Reg,
    ) -> Res {
        let positional = self.temp();
        match (args, extra) {
            ([Expr::Starred(only)], None) => self.expr(&only.value, positional)?,
            _ => self.positional_arguments(args, extra, positional)?,
        }
        if keywords.is_empty() {
            self.emit(Op::CallEx, k, base.0, 0, dst.0);
            return Ok(());
        }
        let map = self.temp();
        match keywords {
            // The call takes what it needs out of the mapping itself.
            [only] if only.arg.is_none() => self.expr(&only.value, map)?,
            _ => self.keyword_dict(keywords, map, base)?,
        }
        self.emit(Op::CallEx, k, base.0, 1, dst.0);
        Ok(())
    }

    /// The arguments of a call as a tuple, or as a list of its own.
    fn positional_arguments(&mut self, args: &'a [Expr], extra: Option<Reg>, dst: Reg) -> Res {
        if extra.is_none() && !args.iter().any(Expr::is_starred_expr) {
            return self.display(args, Op::BuildTuple, dst);
        }
        self.emit(Op::BuildList, 0, dst.0, dst.0, 0);
        for arg in args {
            let top = self.top();
            if let Expr::Starred(starred) = arg {
                let value = self.operand(&starred.value)?;
                self.emit(Op::ListExtend, 1, dst.0, value.0, 0);
            } else {
                let value = self.operand(arg)?;
                self.emit2(Op::ListAppend, dst, value);
            }
            self.set_top(top);
        }
        if let Some(extra) = extra {
            self.emit2(Op::ListAppend, dst, extra);
        }
        Ok(())
    }

    /// The keywords of a call as a dict.
    pub(super) fn keyword_dict(&mut self, keywords: &'a [Keyword], map: Reg, callable: Reg) -> Res {
        let mut rest = keywords;
        let mut started = false;
        while let Some(first) = rest.first() {
            let top = self.top();
            if first.arg.is_none() {
                if !started {
                    self.emit(Op::BuildMap, 0, map.0, map.0, 0);
                }
                let value = self.operand(&first.value)?;
                self.emit3(Op::DictMerge, map, value, callable);
                rest = &rest[1..];
            } else {
                let named = rest
                    .iter()
                    .take_while(|k| k.arg.is_some())
                    .count()
                    .min(super::expr::CHUNK / 2);
                let (group, after) = rest.split_at(named);
                let part = if started { self.temp() } else { map };
                let base = Reg::temp(self.top());
                for keyword in group {
                    if let Some(name) = &keyword.arg {
                        let key = self.temp();
                        self.load_str(key, name.as_str());
                    }
                    self.expr_temp(&keyword.value)?;
                }
                self.emit(Op::BuildMap, 0, part.0, base.0, named as u32);
                if started {
                    self.emit3(Op::DictMerge, map, part, callable);
                }
                rest = after;
            }
            started = true;
            self.set_top(top);
        }
        Ok(())
    }

    // ---- super() ----

    /// If `call` is `super()` or `super(type, object)` where `super` can only be the builtin: `super`, the class and the
    /// object in three adjacent temporaries.
    pub(super) fn super_call(&mut self, call: &'a ast::ExprCall, hint: Reg) -> Res<Option<Reg>> {
        let Expr::Name(name) = &*call.func else {
            return Ok(None);
        };
        if name.id.as_str() != "super" || !call.arguments.keywords.is_empty() {
            return Ok(None);
        }
        let scope = self.current_scope();
        let module = self.table.scope(ScopeId(0)).symbol("super");
        let shadowed = !matches!(self.lookup("super"), Var::Global)
            || module.is_some_and(|s| s.place != Place::GlobalImplicit)
            || scope.symbol("super").is_some_and(|s| s.place == Place::GlobalExplicit);
        if shadowed || !self.unit().comps.is_empty() {
            return Ok(None);
        }
        let args = &call.arguments.args;
        let zero = args.is_empty();
        if zero {
            let first = scope.params.first();
            let fits = scope.kind == ScopeKind::Function && first.is_some() && self.unit().argcount > 0;
            let class = scope.symbol("__class__").map(|s| s.place);
            if !fits || class != Some(Place::Free) {
                return Ok(None);
            }
        } else if args.len() != 2 || args.iter().any(Expr::is_starred_expr) {
            return Ok(None);
        }
        if hint.is_temp() && hint.index() + 1 == self.top() {
            self.set_top(hint.index());
        }
        let base = self.temps(3);
        let old = self.unit().range;
        self.u().range = call.range();
        let index = self.name_index("super");
        self.at(name.range, |this| this.emit(Op::LoadGlobal, 0, base.0, index, 0));
        if zero {
            self.load_var("__class__", base.plus(1))?;
            let first = scope.params[0].clone();
            self.load_var(&first, base.plus(2))?;
        } else {
            self.expr(&args[0], base.plus(1))?;
            self.expr(&args[1], base.plus(2))?;
        }
        self.u().range = old;
        Ok(Some(base))
    }
}

fn needs_spread(arguments: &Arguments) -> bool {
    arguments.args.iter().any(Expr::is_starred_expr)
        || arguments.keywords.iter().any(|k| k.arg.is_none())
        || arguments.args.len() + arguments.keywords.len() > MAX_ARGS
}
