//! Statements, from nodes to the compiler's tree.

use lisle_compiler::nodes::{self, ExprContext, Identifier, Stmt, TextRange};
use lisle_runtime::intern;
use lisle_runtime::native::{Py, Res, Str, Value};

use super::read::{NO_INDEX, Node, Reader, kind_name};
use super::schema::{Kind, Sum};

impl Reader<'_> {
    /// Statements.
    pub fn suite(&mut self, items: &[Value]) -> Res<Vec<Stmt>> {
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            if item.is_none() {
                return Err(self.value_error("None disallowed in statement list"));
            }
            out.push(self.stmt(item)?);
        }
        Ok(out)
    }

    /// The statements of a field, which must not be empty.
    fn body(&mut self, node: Node<'_>, name: &Py<Str>) -> Res<Vec<Stmt>> {
        let items = self.some_items(node, name)?;
        self.suite(&items)
    }

    /// The statements of a field.
    fn suite_field(&mut self, node: Node<'_>, name: &Py<Str>) -> Res<Vec<Stmt>> {
        let items = self.items(node, name)?;
        self.suite(&items)
    }

    fn names(&mut self, node: Node<'_>, range: TextRange) -> Res<Vec<Identifier>> {
        let mut out = Vec::new();
        for item in self.some_items(node, intern!("names"))? {
            out.push(Identifier::new(self.name_text(&item)?, range));
        }
        Ok(out)
    }

    fn decorators(&mut self, node: Node<'_>) -> Res<Vec<nodes::Decorator>> {
        let mut out = Vec::new();
        for item in self.items(node, intern!("decorator_list"))? {
            let expression = self.expr(&item, ExprContext::Load)?;
            out.push(nodes::Decorator {
                range: nodes::Ranged::range(&expression),
                node_index: NO_INDEX,
                expression,
            });
        }
        Ok(out)
    }

    fn stmt(&mut self, value: &Value) -> Res<Stmt> {
        let kind = self.kind_of(value, Sum::Stmt)?;
        let _guard = self.vm.enter_recursive(" while traversing 'stmt' node")?;
        let node = Node { value, kind };
        let range = self.region_of(node, "")?;
        let node_index = NO_INDEX;
        Ok(match kind {
            Kind::FunctionDef | Kind::AsyncFunctionDef => {
                let name = self.identifier(node, intern!("name"), range)?;
                let decorators = self.decorators(node)?;
                let type_params = self.type_params(node)?;
                let args = self.required(node, intern!("args"))?;
                let parameters = self.parameters(&args)?;
                let returns = self.optional_expr(node, intern!("returns"))?;
                let body = self.body(node, intern!("body"))?;
                Stmt::FunctionDef(nodes::StmtFunctionDef {
                    node_index,
                    range,
                    is_async: kind == Kind::AsyncFunctionDef,
                    decorator_list: decorators.into_iter().collect(),
                    name,
                    type_params,
                    parameters: Box::new(parameters),
                    returns,
                    body: body.into_iter().collect(),
                })
            }
            Kind::ClassDef => {
                let name = self.identifier(node, intern!("name"), range)?;
                let decorators = self.decorators(node)?;
                let type_params = self.type_params(node)?;
                let bases = self.items(node, intern!("bases"))?;
                let arguments = self.call_arguments(node, &bases, range)?;
                let body = self.body(node, intern!("body"))?;
                Stmt::ClassDef(nodes::StmtClassDef {
                    node_index,
                    range,
                    decorator_list: decorators.into_iter().collect(),
                    name,
                    type_params,
                    arguments: (!arguments.is_empty()).then(|| Box::new(arguments)),
                    body: body.into_iter().collect(),
                })
            }
            Kind::Return => Stmt::Return(nodes::StmtReturn {
                node_index,
                range,
                value: self.optional_expr(node, intern!("value"))?,
            }),
            Kind::Delete => {
                let targets = self.some_items(node, intern!("targets"))?;
                Stmt::Delete(nodes::StmtDelete {
                    node_index,
                    range,
                    targets: self.exprs(&targets, ExprContext::Del)?,
                })
            }
            Kind::Assign => {
                let targets = self.some_items(node, intern!("targets"))?;
                Stmt::Assign(nodes::StmtAssign {
                    node_index,
                    range,
                    targets: self.exprs(&targets, ExprContext::Store)?,
                    value: self.expr_field(node, intern!("value"))?,
                })
            }
            Kind::TypeAlias => {
                let name = self.required(node, intern!("name"))?;
                let name = Box::new(self.expr(&name, ExprContext::Store)?);
                if !matches!(*name, nodes::Expr::Name(_)) {
                    return Err(self.vm.type_error("TypeAlias with non-Name name"));
                }
                Stmt::TypeAlias(nodes::StmtTypeAlias {
                    node_index,
                    range,
                    name,
                    type_params: self.type_params(node)?,
                    value: self.expr_field(node, intern!("value"))?,
                })
            }
            Kind::AugAssign => {
                let target = self.required(node, intern!("target"))?;
                Stmt::AugAssign(nodes::StmtAugAssign {
                    node_index,
                    range,
                    target: Box::new(self.expr(&target, ExprContext::Store)?),
                    op: self.operator(node)?,
                    value: self.expr_field(node, intern!("value"))?,
                })
            }
            Kind::AnnAssign => {
                let simple = self.number(node, intern!("simple"))? != 0;
                let target = self.required(node, intern!("target"))?;
                let target = self.expr(&target, ExprContext::Store)?;
                if simple && !matches!(target, nodes::Expr::Name(_)) {
                    return Err(self.vm.type_error("AnnAssign with simple non-Name target"));
                }
                Stmt::AnnAssign(nodes::StmtAnnAssign {
                    node_index,
                    range,
                    target: Box::new(target),
                    annotation: self.expr_field(node, intern!("annotation"))?,
                    value: self.optional_expr(node, intern!("value"))?,
                    simple,
                })
            }
            Kind::For | Kind::AsyncFor => {
                let target = self.required(node, intern!("target"))?;
                Stmt::For(nodes::StmtFor {
                    node_index,
                    range,
                    is_async: kind == Kind::AsyncFor,
                    target: Box::new(self.expr(&target, ExprContext::Store)?),
                    iter: self.expr_field(node, intern!("iter"))?,
                    body: self.body(node, intern!("body"))?.into_iter().collect(),
                    orelse: self.suite_field(node, intern!("orelse"))?.into_iter().collect(),
                })
            }
            Kind::While => Stmt::While(nodes::StmtWhile {
                node_index,
                range,
                test: self.expr_field(node, intern!("test"))?,
                body: self.body(node, intern!("body"))?.into_iter().collect(),
                orelse: self.suite_field(node, intern!("orelse"))?.into_iter().collect(),
            }),
            Kind::If => {
                let test = self.expr_field(node, intern!("test"))?;
                let body = self.body(node, intern!("body"))?;
                let orelse = self.suite_field(node, intern!("orelse"))?;
                let mut clauses = Vec::new();
                if !orelse.is_empty() {
                    clauses.push(nodes::ElifElseClause {
                        range,
                        node_index: NO_INDEX,
                        test: None,
                        body: orelse.into_iter().collect(),
                    });
                }
                Stmt::If(nodes::StmtIf {
                    node_index,
                    range,
                    test,
                    body: body.into_iter().collect(),
                    elif_else_clauses: clauses,
                })
            }
            Kind::With | Kind::AsyncWith => {
                let mut items = Vec::new();
                for item in self.some_items(node, intern!("items"))? {
                    let item = self.alone(&item, Kind::withitem)?;
                    let context_expr = self.required(item, intern!("context_expr"))?;
                    let context_expr = self.expr(&context_expr, ExprContext::Load)?;
                    let optional_vars = match self.optional(item, intern!("optional_vars"))? {
                        Some(vars) => Some(Box::new(self.expr(&vars, ExprContext::Store)?)),
                        None => None,
                    };
                    items.push(nodes::WithItem {
                        range: nodes::Ranged::range(&context_expr),
                        node_index: NO_INDEX,
                        context_expr,
                        optional_vars,
                    });
                }
                Stmt::With(nodes::StmtWith {
                    node_index,
                    range,
                    is_async: kind == Kind::AsyncWith,
                    items,
                    body: self.body(node, intern!("body"))?.into_iter().collect(),
                })
            }
            Kind::Match => {
                let subject = self.expr_field(node, intern!("subject"))?;
                let mut cases = Vec::new();
                for case in self.some_items(node, intern!("cases"))? {
                    let case = self.alone(&case, Kind::match_case)?;
                    let pattern = self.required(case, intern!("pattern"))?;
                    let pattern = self.pattern(&pattern, false)?;
                    let guard = self.optional_expr(case, intern!("guard"))?;
                    let body = self.body(case, intern!("body"))?;
                    cases.push(nodes::MatchCase {
                        range: nodes::Ranged::range(&pattern),
                        node_index: NO_INDEX,
                        pattern,
                        guard,
                        body: body.into_iter().collect(),
                    });
                }
                Stmt::Match(nodes::StmtMatch {
                    node_index,
                    range,
                    subject,
                    cases,
                })
            }
            Kind::Raise => {
                let exc = self.optional_expr(node, intern!("exc"))?;
                let cause = self.optional_expr(node, intern!("cause"))?;
                if exc.is_none() && cause.is_some() {
                    return Err(self.value_error("Raise with cause but no exception"));
                }
                Stmt::Raise(nodes::StmtRaise {
                    node_index,
                    range,
                    exc,
                    cause,
                })
            }
            Kind::Try | Kind::TryStar => self.try_statement(node, range)?,
            Kind::Assert => Stmt::Assert(nodes::StmtAssert {
                node_index,
                range,
                test: self.expr_field(node, intern!("test"))?,
                msg: self.optional_expr(node, intern!("msg"))?,
            }),
            Kind::Import => Stmt::Import(nodes::StmtImport {
                node_index,
                range,
                names: self.aliases(node)?,
                is_lazy: false,
            }),
            Kind::ImportFrom => {
                let level = match self.optional(node, intern!("level"))? {
                    Some(_) => self.number(node, intern!("level"))?,
                    None => 0,
                };
                let Ok(level) = u32::try_from(level) else {
                    return Err(self.value_error("Negative ImportFrom level"));
                };
                Stmt::ImportFrom(nodes::StmtImportFrom {
                    node_index,
                    range,
                    module: self.optional_identifier(node, intern!("module"), range)?,
                    names: self.aliases(node)?,
                    level,
                    is_lazy: false,
                })
            }
            Kind::Global => Stmt::Global(nodes::StmtGlobal {
                node_index,
                range,
                names: self.names(node, range)?,
            }),
            Kind::Nonlocal => Stmt::Nonlocal(nodes::StmtNonlocal {
                node_index,
                range,
                names: self.names(node, range)?,
            }),
            Kind::Expr => Stmt::Expr(nodes::StmtExpr {
                node_index,
                range,
                value: self.expr_field(node, intern!("value"))?,
            }),
            Kind::Break => Stmt::Break(nodes::StmtBreak { node_index, range }),
            Kind::Continue => Stmt::Continue(nodes::StmtContinue { node_index, range }),
            _ => Stmt::Pass(nodes::StmtPass { node_index, range }),
        })
    }

    fn try_statement(&mut self, node: Node<'_>, range: TextRange) -> Res<Stmt> {
        let body = self.body(node, intern!("body"))?;
        let handlers = self.items(node, intern!("handlers"))?;
        let orelse = self.suite_field(node, intern!("orelse"))?;
        let finalbody = self.suite_field(node, intern!("finalbody"))?;
        let name = kind_name(node.kind);
        if handlers.is_empty() && finalbody.is_empty() {
            return Err(self.value_error(format!("{name} has neither except handlers nor finalbody")));
        }
        if handlers.is_empty() && !orelse.is_empty() {
            return Err(self.value_error(format!("{name} has orelse but no except handlers")));
        }
        let mut out = Vec::new();
        for handler in &handlers {
            let kind = self.kind_of(handler, Sum::ExceptHandler)?;
            let handler = Node { value: handler, kind };
            let range = self.region_of(handler, "")?;
            let type_ = self.optional_expr(handler, intern!("type"))?;
            let name = self.optional_identifier(handler, intern!("name"), range)?;
            let body = self.body(handler, intern!("body"))?;
            out.push(nodes::ExceptHandler::ExceptHandler(nodes::ExceptHandlerExceptHandler {
                range,
                node_index: NO_INDEX,
                type_,
                name,
                body: body.into_iter().collect(),
            }));
        }
        Ok(Stmt::Try(nodes::StmtTry {
            node_index: NO_INDEX,
            range,
            body: body.into_iter().collect(),
            handlers: out,
            orelse: orelse.into_iter().collect(),
            finalbody: finalbody.into_iter().collect(),
            is_star: node.kind == Kind::TryStar,
        }))
    }

    fn aliases(&mut self, node: Node<'_>) -> Res<Vec<nodes::Alias>> {
        let mut out = Vec::new();
        for item in self.some_items(node, intern!("names"))? {
            let item = self.alone(&item, Kind::alias)?;
            let range = self.region_of(item, "")?;
            out.push(nodes::Alias {
                range,
                node_index: NO_INDEX,
                name: self.identifier(item, intern!("name"), range)?,
                asname: self.optional_identifier(item, intern!("asname"), range)?,
            });
        }
        Ok(out)
    }

    fn type_params(&mut self, node: Node<'_>) -> Res<Option<Box<nodes::TypeParams>>> {
        let items = self.items(node, intern!("type_params"))?;
        let mut params = Vec::new();
        for item in &items {
            let kind = self.kind_of(item, Sum::TypeParam)?;
            let item = Node { value: item, kind };
            let range = self.region_of(item, "")?;
            let name = self.identifier(item, intern!("name"), range)?;
            let node_index = NO_INDEX;
            let bound = match kind {
                Kind::TypeVar => self.optional_expr(item, intern!("bound"))?,
                _ => None,
            };
            let default = self.optional_expr(item, intern!("default_value"))?;
            params.push(match kind {
                Kind::TypeVar => nodes::TypeParam::TypeVar(nodes::TypeParamTypeVar {
                    node_index,
                    range,
                    name,
                    bound,
                    default,
                }),
                Kind::ParamSpec => nodes::TypeParam::ParamSpec(nodes::TypeParamParamSpec {
                    node_index,
                    range,
                    name,
                    default,
                }),
                _ => nodes::TypeParam::TypeVarTuple(nodes::TypeParamTypeVarTuple {
                    node_index,
                    range,
                    name,
                    default,
                }),
            });
        }
        let Some(first) = params.first() else { return Ok(None) };
        Ok(Some(Box::new(nodes::TypeParams {
            range: nodes::Ranged::range(first),
            node_index: NO_INDEX,
            type_params: params,
        })))
    }

    fn parameter(&mut self, value: &Value) -> Res<nodes::Parameter> {
        let node = self.alone(value, Kind::arg)?;
        let range = self.region_of(node, "")?;
        Ok(nodes::Parameter {
            range,
            node_index: NO_INDEX,
            name: self.identifier(node, intern!("arg"), range)?,
            annotation: self.optional_expr(node, intern!("annotation"))?,
        })
    }

    fn optional_parameter(&mut self, node: Node<'_>, name: &Py<Str>) -> Res<Option<Box<nodes::Parameter>>> {
        match self.optional(node, name)? {
            Some(value) => Ok(Some(Box::new(self.parameter(&value)?))),
            None => Ok(None),
        }
    }

    /// The `arguments` of a function.
    pub fn parameters(&mut self, value: &Value) -> Res<nodes::Parameters> {
        let node = self.alone(value, Kind::arguments)?;
        let posonly = self.items(node, intern!("posonlyargs"))?;
        let args = self.items(node, intern!("args"))?;
        let kwonly = self.items(node, intern!("kwonlyargs"))?;
        let defaults = self.items(node, intern!("defaults"))?;
        let kw_defaults = self.items(node, intern!("kw_defaults"))?;
        let split = posonly.len();
        let mut positional = Vec::new();
        for item in posonly.iter().chain(&args) {
            positional.push(with_default(self.parameter(item)?, None));
        }
        let vararg = self.optional_parameter(node, intern!("vararg"))?;
        let mut keyword_only = Vec::new();
        for item in &kwonly {
            keyword_only.push(with_default(self.parameter(item)?, None));
        }
        let kwarg = self.optional_parameter(node, intern!("kwarg"))?;
        let Some(without) = positional.len().checked_sub(defaults.len()) else {
            return Err(self.value_error("more positional defaults than args on arguments"));
        };
        if kw_defaults.len() != kwonly.len() {
            return Err(self.value_error("length of kwonlyargs is not the same as kw_defaults on arguments"));
        }
        for (parameter, default) in positional.iter_mut().skip(without).zip(&defaults) {
            parameter.default = Some(Box::new(self.expr(default, ExprContext::Load)?));
        }
        for (parameter, default) in keyword_only.iter_mut().zip(&kw_defaults) {
            if !default.is_none() {
                parameter.default = Some(Box::new(self.expr(default, ExprContext::Load)?));
            }
        }
        let args = positional.split_off(split);
        Ok(nodes::Parameters {
            range: TextRange::default(),
            node_index: NO_INDEX,
            posonlyargs: positional.into_iter().collect(),
            args: args.into_iter().collect(),
            vararg,
            kwonlyargs: keyword_only.into_iter().collect(),
            kwarg,
        })
    }
}

fn with_default(parameter: nodes::Parameter, default: Option<Box<nodes::Expr>>) -> nodes::ParameterWithDefault {
    nodes::ParameterWithDefault {
        range: parameter.range,
        node_index: NO_INDEX,
        parameter,
        default,
    }
}
