//! The abstract grammar: one row a class, from which the classes, their docstrings and the checks of fields are made.
//!
//! Invariant: [`Kind`] numbers the rows of [`KINDS`]; the fields of a row are what builders give and readers expect, in that order.

/// What a class is a kind of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Sum {
    Mod,
    Stmt,
    Expr,
    ExprContext,
    BoolOp,
    Operator,
    UnaryOp,
    CmpOp,
    ExceptHandler,
    Pattern,
    TypeIgnore,
    TypeParam,
    /// A class of its own, directly under `AST`.
    Alone,
}

/// Name, and whether there are positions; `Some(false)`: all four of them are required.
pub const SUMS: [(Sum, &str, Option<bool>); 12] = [
    (Sum::Mod, "mod", None),
    (Sum::Stmt, "stmt", Some(true)),
    (Sum::Expr, "expr", Some(true)),
    (Sum::ExprContext, "expr_context", None),
    (Sum::BoolOp, "boolop", None),
    (Sum::Operator, "operator", None),
    (Sum::UnaryOp, "unaryop", None),
    (Sum::CmpOp, "cmpop", None),
    (Sum::ExceptHandler, "excepthandler", Some(true)),
    (Sum::Pattern, "pattern", Some(false)),
    (Sum::TypeIgnore, "type_ignore", None),
    (Sum::TypeParam, "type_param", Some(false)),
];

/// A class of nodes.
pub struct Row {
    pub kind: Kind,
    pub name: &'static str,
    pub sum: Sum,
    /// `type name`, with `?` or `*` behind the type, separated by commas.
    pub fields: &'static str,
    /// For classes alone: whether there are positions.
    pub located: bool,
}

macro_rules! kinds {
    ($($name:ident $sum:ident $fields:literal $($located:ident)?;)+) => {
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        #[expect(non_camel_case_types, reason = "the names Python sees")]
        pub enum Kind { $($name,)+ }

        pub const KINDS: &[Row] = &[ $( Row {
            kind: Kind::$name,
            name: stringify!($name),
            sum: Sum::$sum,
            fields: $fields,
            located: kinds!(@located $($located)?),
        }, )+ ];
    };
    (@located located) => { true };
    (@located) => { false };
}

kinds! {
    Module Mod "stmt* body, type_ignore* type_ignores";
    Interactive Mod "stmt* body";
    Expression Mod "expr body";
    FunctionType Mod "expr* argtypes, expr returns";
    FunctionDef Stmt "identifier name, arguments args, stmt* body, expr* decorator_list, expr? returns, string? type_comment, type_param* type_params";
    AsyncFunctionDef Stmt "identifier name, arguments args, stmt* body, expr* decorator_list, expr? returns, string? type_comment, type_param* type_params";
    ClassDef Stmt "identifier name, expr* bases, keyword* keywords, stmt* body, expr* decorator_list, type_param* type_params";
    Return Stmt "expr? value";
    Delete Stmt "expr* targets";
    Assign Stmt "expr* targets, expr value, string? type_comment";
    TypeAlias Stmt "expr name, type_param* type_params, expr value";
    AugAssign Stmt "expr target, operator op, expr value";
    AnnAssign Stmt "expr target, expr annotation, expr? value, int simple";
    For Stmt "expr target, expr iter, stmt* body, stmt* orelse, string? type_comment";
    AsyncFor Stmt "expr target, expr iter, stmt* body, stmt* orelse, string? type_comment";
    While Stmt "expr test, stmt* body, stmt* orelse";
    If Stmt "expr test, stmt* body, stmt* orelse";
    With Stmt "withitem* items, stmt* body, string? type_comment";
    AsyncWith Stmt "withitem* items, stmt* body, string? type_comment";
    Match Stmt "expr subject, match_case* cases";
    Raise Stmt "expr? exc, expr? cause";
    Try Stmt "stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody";
    TryStar Stmt "stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody";
    Assert Stmt "expr test, expr? msg";
    Import Stmt "alias* names";
    ImportFrom Stmt "identifier? module, alias* names, int? level";
    Global Stmt "identifier* names";
    Nonlocal Stmt "identifier* names";
    Expr Stmt "expr value";
    Pass Stmt "";
    Break Stmt "";
    Continue Stmt "";
    BoolOp Expr "boolop op, expr* values";
    NamedExpr Expr "expr target, expr value";
    BinOp Expr "expr left, operator op, expr right";
    UnaryOp Expr "unaryop op, expr operand";
    Lambda Expr "arguments args, expr body";
    IfExp Expr "expr test, expr body, expr orelse";
    Dict Expr "expr* keys, expr* values";
    Set Expr "expr* elts";
    ListComp Expr "expr elt, comprehension* generators";
    SetComp Expr "expr elt, comprehension* generators";
    DictComp Expr "expr key, expr value, comprehension* generators";
    GeneratorExp Expr "expr elt, comprehension* generators";
    Await Expr "expr value";
    Yield Expr "expr? value";
    YieldFrom Expr "expr value";
    Compare Expr "expr left, cmpop* ops, expr* comparators";
    Call Expr "expr func, expr* args, keyword* keywords";
    FormattedValue Expr "expr value, int conversion, expr? format_spec";
    Interpolation Expr "expr value, constant str, int conversion, expr? format_spec";
    JoinedStr Expr "expr* values";
    TemplateStr Expr "expr* values";
    Constant Expr "constant value, string? kind";
    Attribute Expr "expr value, identifier attr, expr_context ctx";
    Subscript Expr "expr value, expr slice, expr_context ctx";
    Starred Expr "expr value, expr_context ctx";
    Name Expr "identifier id, expr_context ctx";
    List Expr "expr* elts, expr_context ctx";
    Tuple Expr "expr* elts, expr_context ctx";
    Slice Expr "expr? lower, expr? upper, expr? step";
    Load ExprContext "";
    Store ExprContext "";
    Del ExprContext "";
    And BoolOp "";
    Or BoolOp "";
    Add Operator "";
    Sub Operator "";
    Mult Operator "";
    MatMult Operator "";
    Div Operator "";
    Mod Operator "";
    Pow Operator "";
    LShift Operator "";
    RShift Operator "";
    BitOr Operator "";
    BitXor Operator "";
    BitAnd Operator "";
    FloorDiv Operator "";
    Invert UnaryOp "";
    Not UnaryOp "";
    UAdd UnaryOp "";
    USub UnaryOp "";
    Eq CmpOp "";
    NotEq CmpOp "";
    Lt CmpOp "";
    LtE CmpOp "";
    Gt CmpOp "";
    GtE CmpOp "";
    Is CmpOp "";
    IsNot CmpOp "";
    In CmpOp "";
    NotIn CmpOp "";
    comprehension Alone "expr target, expr iter, expr* ifs, int is_async";
    ExceptHandler ExceptHandler "expr? type, identifier? name, stmt* body";
    arguments Alone "arg* posonlyargs, arg* args, arg? vararg, arg* kwonlyargs, expr* kw_defaults, arg? kwarg, expr* defaults";
    arg Alone "identifier arg, expr? annotation, string? type_comment" located;
    keyword Alone "identifier? arg, expr value" located;
    alias Alone "identifier name, identifier? asname" located;
    withitem Alone "expr context_expr, expr? optional_vars";
    match_case Alone "pattern pattern, expr? guard, stmt* body";
    MatchValue Pattern "expr value";
    MatchSingleton Pattern "constant value";
    MatchSequence Pattern "pattern* patterns";
    MatchMapping Pattern "expr* keys, pattern* patterns, identifier? rest";
    MatchClass Pattern "expr cls, pattern* patterns, identifier* kwd_attrs, pattern* kwd_patterns";
    MatchStar Pattern "identifier? name";
    MatchAs Pattern "pattern? pattern, identifier? name";
    MatchOr Pattern "pattern* patterns";
    TypeIgnore TypeIgnore "int lineno, string tag";
    TypeVar TypeParam "identifier name, expr? bound, expr? default_value";
    ParamSpec TypeParam "identifier name, expr? default_value";
    TypeVarTuple TypeParam "identifier name, expr? default_value";
}

/// How often a field's value is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Count {
    One,
    Optional,
    Many,
}

impl Row {
    /// Type, count and name of each field.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, Count, &'static str)> {
        self.fields.split(", ").filter_map(|field| {
            let (ty, name) = field.split_once(' ')?;
            Some(match ty.as_bytes().last() {
                Some(b'?') => (&ty[..ty.len() - 1], Count::Optional, name),
                Some(b'*') => (&ty[..ty.len() - 1], Count::Many, name),
                _ => (ty, Count::One, name),
            })
        })
    }

    /// The docstring.
    pub fn signature(&self) -> String {
        if self.fields.is_empty() {
            self.name.to_owned()
        } else {
            format!("{}({})", self.name, self.fields)
        }
    }
}

/// The docstring of a sum.
pub fn sum_doc(sum: Sum, name: &str) -> String {
    let rows: Vec<&Row> = KINDS.iter().filter(|row| row.sum == sum).collect();
    let simple = rows.iter().all(|row| row.fields.is_empty());
    let signatures: Vec<String> = rows.iter().map(|row| row.signature()).collect();
    let separator = if simple {
        " | ".to_owned()
    } else {
        format!("\n{}| ", " ".repeat(name.len() + 1))
    };
    format!("{name} = {}", signatures.join(&separator))
}
