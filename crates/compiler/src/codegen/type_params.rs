//! Type parameters (PEP 695, 696) and `type` statements: functions around the definition that hold the parameters, and
//! lazily evaluated bounds, defaults and values.

use lisle_bytecode::opcode::{Intrinsic1, Intrinsic2};
use lisle_bytecode::{CodeFlags, CodeObject, Const, Op};
use ruff_python_ast::{self as ast, Expr, TypeParam, TypeParams};
use ruff_text_size::{Ranged, TextRange};

use super::function::with;
use super::{Codegen, Reg, str_const};
use crate::errors::Res;
use crate::symtable::{Role, ScopeId};

impl<'a> Codegen<'a> {
    /// `def f[T](...)`: a function that makes the parameters and then `f`; defaults are handed in.
    pub(super) fn generic_function(
        &mut self,
        s: &'a ast::StmtFunctionDef,
        params: &'a TypeParams,
        dst: Reg,
        first_line: u32,
    ) -> Res {
        let top = self.top();
        let range = self.unit().range;
        let base = self.temps(2);
        let k = self.default_values(&s.parameters)?;
        self.enter_type_params(params, s.name.as_str(), first_line)?;
        self.u().argcount = (k & with::DEFAULTS != 0) as u32 + (k & with::KWDEFAULTS != 0) as u32;
        self.u().range = range;
        let tuple = self.temp();
        self.type_param_tuple(params, tuple)?;
        let function = self.temp();
        let first = Reg::temp(self.top());
        for (bit, name) in [(with::DEFAULTS, ".defaults"), (with::KWDEFAULTS, ".kwdefaults")] {
            if k & bit != 0 {
                let copy = self.temp();
                self.load_var(name, copy)?;
            }
        }
        self.u().range = range;
        self.make_def(s, function, first, k, first_line)?;
        let set = Intrinsic2::SetFunctionTypeParams as u8;
        self.emit(Op::Intrinsic2, set, function.0, function.0, tuple.0);
        self.return_register(function);
        self.u().reachable = false;
        let code = self.finish()?;
        let args = (k & with::DEFAULTS != 0) as u32 + (k & with::KWDEFAULTS != 0) as u32;
        self.call_type_params(code, base, args, dst)?;
        self.set_top(top);
        Ok(())
    }

    pub(super) fn generic_class(
        &mut self,
        s: &'a ast::StmtClassDef,
        params: &'a TypeParams,
        dst: Reg,
        first_line: u32,
    ) -> Res {
        let top = self.top();
        let range = self.class_range(s);
        let base = self.temps(2);
        self.enter_type_params(params, s.name.as_str(), first_line)?;
        self.u().range = range;
        let value = self.temp();
        self.type_param_tuple(params, value)?;
        self.store_var(".type_params", value);
        self.load_var(".type_params", value)?;
        self.generic_base(value, value);
        self.store_var(".generic_base", value);
        let generic = self.temp();
        self.load_var(".generic_base", generic)?;
        let class = self.temp();
        // Decorators belong to the definition around this one.
        self.build_class(s, class, first_line, Some(generic))?;
        self.return_register(class);
        self.u().reachable = false;
        let code = self.finish()?;
        self.call_type_params(code, base, 0, dst)?;
        self.set_top(top);
        Ok(())
    }

    pub(super) fn type_alias(&mut self, s: &'a ast::StmtTypeAlias) -> Res {
        let top = self.top();
        let Expr::Name(name) = &*s.name else {
            return self.fail(s.name.range(), "invalid syntax");
        };
        let alias = self.temp();
        match &s.type_params {
            None => {
                let parts = self.temps(3);
                self.load_const(parts, str_const(&name.id));
                self.load_const(parts.plus(1), Const::None);
                self.alias_value(s, &name.id, parts.plus(2))?;
                self.finish_alias(parts, alias);
            }
            Some(params) => {
                let base = self.temps(2);
                let line = self.line(s.range);
                self.enter_type_params(params, &name.id, line)?;
                self.u().range = s.range;
                let parts = self.temps(3);
                self.load_const(parts, str_const(&name.id));
                self.type_param_tuple(params, parts.plus(1))?;
                self.alias_value(s, &name.id, parts.plus(2))?;
                self.finish_alias(parts, parts);
                self.return_register(parts);
                self.u().reachable = false;
                let code = self.finish()?;
                self.call_type_params(code, base, 0, alias)?;
            }
        }
        self.u().range = s.range;
        self.store_name(&name.id, alias, name.range)?;
        self.set_top(top);
        Ok(())
    }

    fn finish_alias(&mut self, parts: Reg, dst: Reg) {
        self.emit(Op::BuildTuple, 0, parts.0, parts.0, 3);
        self.emit(Op::Intrinsic1, Intrinsic1::TypeAlias as u8, dst.0, parts.0, 0);
    }

    fn alias_value(&mut self, s: &'a ast::StmtTypeAlias, name: &str, dst: Reg) -> Res {
        let Some(scope) = self.table.find(s, Role::TypeAlias) else {
            return self.fail(s.range, "type alias without a scope");
        };
        self.lazy(scope, name, &s.value, dst)
    }

    fn enter_type_params(&mut self, params: &'a TypeParams, name: &str, first_line: u32) -> Res {
        let Some(scope) = self.table.find(params, Role::TypeParams) else {
            return self.fail(params.range, "type parameters without a scope");
        };
        let title = format!("<generic parameters of {name}>");
        let start = self.start_of(params.range);
        self.enter_function(scope, title.as_str().into(), None, first_line, start);
        Ok(())
    }

    /// Calls the function that `code` makes; its arguments stand behind `base` already.
    fn call_type_params(&mut self, code: CodeObject, base: Reg, args: u32, dst: Reg) -> Res {
        let first = Reg::temp(self.top());
        self.make_function(code, base, first, 0)?;
        self.emit(Op::Call, 0, base.0, args, dst.0);
        Ok(())
    }

    /// Makes the parameters, binds their names and leaves the tuple of them in `dst`.
    fn type_param_tuple(&mut self, params: &'a TypeParams, dst: Reg) -> Res {
        let top = self.top();
        let first = Reg::temp(top);
        for param in params {
            let value = self.temp();
            self.type_param(param, value)?;
            let inner = self.top();
            let copy = self.temp();
            self.emit2(Op::Copy, copy, value);
            self.store_name(param.name().as_str(), copy, param.range())?;
            self.set_top(inner);
        }
        self.set_top(top);
        self.emit(Op::BuildTuple, 0, dst.0, first.0, params.len() as u32);
        Ok(())
    }

    fn type_param(&mut self, param: &'a TypeParam, dst: Reg) -> Res {
        let old = std::mem::replace(&mut self.u().range, param.range());
        let name = param.name().as_str();
        self.load_const(dst, str_const(name));
        let top = self.top();
        match param {
            TypeParam::TypeVar(var) => match &var.bound {
                Some(bound) => {
                    let evaluate = self.temp();
                    self.lazy_param(param, Role::Bound, name, bound, evaluate)?;
                    let k = if bound.is_tuple_expr() {
                        Intrinsic2::TypeVarWithConstraints
                    } else {
                        Intrinsic2::TypeVarWithBound
                    };
                    self.emit(Op::Intrinsic2, k as u8, dst.0, dst.0, evaluate.0);
                }
                None => self.emit(Op::Intrinsic1, Intrinsic1::TypeVar as u8, dst.0, dst.0, 0),
            },
            TypeParam::TypeVarTuple(_) => {
                self.emit(Op::Intrinsic1, Intrinsic1::TypeVarTuple as u8, dst.0, dst.0, 0);
            }
            TypeParam::ParamSpec(_) => {
                self.emit(Op::Intrinsic1, Intrinsic1::ParamSpec as u8, dst.0, dst.0, 0);
            }
        }
        if let Some(default) = param.default() {
            let evaluate = self.temp();
            self.lazy_param(param, Role::Default, name, default, evaluate)?;
            let k = Intrinsic2::SetTypeParamDefault as u8;
            self.emit(Op::Intrinsic2, k, dst.0, dst.0, evaluate.0);
        }
        self.set_top(top);
        self.u().range = old;
        Ok(())
    }

    fn lazy_param(&mut self, param: &'a TypeParam, role: Role, name: &str, value: &'a Expr, dst: Reg) -> Res {
        let Some(scope) = self.table.find(param, role) else {
            return self.fail(param.range(), "type parameter without a scope");
        };
        self.lazy(scope, name, value, dst)
    }

    /// `dst` = a function that evaluates `value` when it is called.
    fn lazy(&mut self, scope: ScopeId, name: &str, value: &'a Expr, dst: Reg) -> Res {
        let top = self.top();
        let line = self.line(value.range());
        let start: TextRange = self.start_of(value.range());
        self.enter_function(scope, name.into(), None, line, start);
        self.u().flags |= CodeFlags::OPTIMIZED;
        self.format_check();
        let result = self.temp();
        self.maybe_starred(value, result)?;
        self.return_register(result);
        self.u().reachable = false;
        let code = self.finish()?;
        // VALUE is the format that callers mean who give none.
        let defaults = self.temp();
        self.load_const(defaults, Const::Tuple([Const::Int(1)].into()));
        self.make_function(code, dst, defaults, with::DEFAULTS)?;
        self.set_top(top);
        Ok(())
    }
}
