//! From nodes that Python code made to a tree for the compiler, checked as CPython checks them.
//!
//! Invariant: each node gets a region of its own, which stands for its position; the text of literals that the tree cannot hold exactly is
//! written into its region. See `lisle_compiler::compile_tree`.
//! Left out: type comments and type ignores.

use lisle_bytecode::Location;
use lisle_compiler::Region;
use lisle_compiler::nodes::{self, AtomicNodeIndex, ExprContext, Identifier, Mod, TextRange, TextSize};
use lisle_runtime::intern;
use lisle_runtime::native::{Exc, Py, Res, Str, Value, Vm};
use lisle_runtime::types::list::List;

use super::classes::Classes;
use super::schema::{KINDS, Kind, SUMS, Sum};

#[expect(clippy::declare_interior_mutable_const, reason = "a value to copy, never a place")]
pub const NO_INDEX: AtomicNodeIndex = AtomicNodeIndex::NONE;

/// Reads nodes.
pub struct Reader<'v> {
    pub vm: &'v Vm,
    pub classes: &'static Classes,
    pub source: String,
    pub regions: Vec<Region>,
}

/// What a node's class is called.
pub fn kind_name(kind: Kind) -> &'static str {
    KINDS[kind as usize].name
}

fn sum_name(sum: Sum) -> &'static str {
    SUMS.get(sum as usize).map_or("AST", |(_, name, _)| name)
}

/// A node that is being read.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    pub value: &'a Value,
    pub kind: Kind,
}

impl<'v> Reader<'v> {
    pub fn new(vm: &'v Vm) -> Res<Reader<'v>> {
        let mut reader = Reader {
            vm,
            classes: Classes::get(vm)?,
            source: String::new(),
            regions: Vec::new(),
        };
        // What belongs to no node is on the first line.
        reader.region(
            Location {
                line: 1,
                end_line: 1,
                col: 0,
                end_col: 0,
            },
            "",
        );
        Ok(reader)
    }

    /// A new region, with some text in it.
    pub fn region(&mut self, location: Location, text: &str) -> TextRange {
        let start = self.source.len() as u32;
        self.source.push_str(if text.is_empty() { " " } else { text });
        let end = self.source.len() as u32;
        self.source.push(' ');
        self.regions.push(Region { start, end, location });
        TextRange::new(TextSize::new(start), TextSize::new(end))
    }

    /// As [`Reader::region`], at the node's own position.
    pub fn region_of(&mut self, node: Node<'_>, text: &str) -> Res<TextRange> {
        let location = self.location(node)?;
        Ok(self.region(location, text))
    }

    pub fn value_error(&self, message: impl Into<String>) -> Exc {
        self.vm.value_error(message)
    }

    /// The kind of a node that must belong to `sum`.
    pub fn kind_of(&self, value: &Value, sum: Sum) -> Res<Kind> {
        if let Some(kind) = self.classes.kind_of(value)
            && KINDS[kind as usize].sum == sum
        {
            return Ok(kind);
        }
        // Positions are looked for first, in any object.
        let located = SUMS.get(sum as usize).is_some_and(|(_, _, located)| located.is_some());
        if located && self.vm.getattr_opt(value, intern!("lineno"))?.is_none() {
            return Err(self
                .vm
                .type_error(format!("required field \"lineno\" missing from {}", sum_name(sum))));
        }
        let shown = self.vm.repr(value)?.to_string_lossy();
        Err(self
            .vm
            .type_error(format!("expected some sort of {}, but got {shown}", sum_name(sum))))
    }

    /// A node of a class alone.
    pub fn alone<'a>(&self, value: &'a Value, kind: Kind) -> Res<Node<'a>> {
        if self.classes.kind_of(value) == Some(kind) {
            return Ok(Node { value, kind });
        }
        let shown = self.vm.repr(value)?.to_string_lossy();
        Err(self
            .vm
            .type_error(format!("expected some sort of {}, but got {shown}", kind_name(kind))))
    }

    /// A field that must be there, but may be None.
    pub fn field(&self, node: Node<'_>, name: &Py<Str>) -> Res<Value> {
        match self.vm.getattr_opt(node.value, name)? {
            Some(value) => Ok(value),
            None => Err(self.vm.type_error(format!(
                "required field \"{}\" missing from {}",
                name.to_string_lossy(),
                kind_name(node.kind)
            ))),
        }
    }

    /// A field that must not be None.
    pub fn required(&self, node: Node<'_>, name: &Py<Str>) -> Res<Value> {
        let value = self.field(node, name)?;
        if value.is_none() {
            return Err(self.value_error(format!(
                "field '{}' is required for {}",
                name.to_string_lossy(),
                kind_name(node.kind)
            )));
        }
        Ok(value)
    }

    /// A field that may be missing or None.
    pub fn optional(&self, node: Node<'_>, name: &Py<Str>) -> Res<Option<Value>> {
        Ok(self.vm.getattr_opt(node.value, name)?.filter(|value| !value.is_none()))
    }

    /// The items of a field that is a list; missing is empty.
    pub fn items(&self, node: Node<'_>, name: &Py<Str>) -> Res<Vec<Value>> {
        let Some(value) = self.vm.getattr_opt(node.value, name)? else {
            return Ok(Vec::new());
        };
        match value.downcast::<List>() {
            Some(list) => Ok(list.snapshot()),
            None => Err(self.vm.type_error(format!(
                "{} field \"{}\" must be a list, not a {}",
                kind_name(node.kind),
                name.to_string_lossy(),
                value.ty().name()
            ))),
        }
    }

    /// The items of a list that must not be empty.
    pub fn some_items(&self, node: Node<'_>, name: &Py<Str>) -> Res<Vec<Value>> {
        let items = self.items(node, name)?;
        if items.is_empty() {
            return Err(self.value_error(format!("empty {} on {}", name.to_string_lossy(), kind_name(node.kind))));
        }
        Ok(items)
    }

    fn int(&self, value: &Value) -> Res<i64> {
        if let Some(int) = self.vm.int_value(value).and_then(|int| int.to_i64()) {
            return Ok(int);
        }
        let shown = self.vm.repr(value)?.to_string_lossy();
        Err(self.value_error(format!("invalid integer value: {shown}")))
    }

    /// An int field.
    pub fn number(&self, node: Node<'_>, name: &Py<Str>) -> Res<i64> {
        self.int(&self.field(node, name)?)
    }

    fn position(&self, node: Node<'_>, name: &Py<Str>) -> Res<i64> {
        match self.vm.getattr_opt(node.value, name)? {
            Some(value) => self.int(&value),
            None => {
                let sum = KINDS[node.kind as usize].sum;
                let class = if sum == Sum::Alone {
                    kind_name(node.kind)
                } else {
                    sum_name(sum)
                };
                let name = name.to_string_lossy();
                Err(self
                    .vm
                    .type_error(format!("required field \"{name}\" missing from {class}")))
            }
        }
    }

    /// Where the node says it lies.
    pub fn location(&self, node: Node<'_>) -> Res<Location> {
        let line = self.position(node, intern!("lineno"))?;
        let col = self.position(node, intern!("col_offset"))?;
        let end = |name: &Py<Str>, default: i64| match self.optional(node, name)? {
            Some(value) => self.int(&value),
            None => Ok(default),
        };
        let end_line = end(intern!("end_lineno"), line)?;
        let end_col = end(intern!("end_col_offset"), col)?;
        if line > end_line {
            return Err(self.value_error(format!("AST node line range ({line}, {end_line}) is not valid")));
        }
        if line < 0 && end_line != line || col < 0 && col != end_col {
            return Err(self.value_error(format!(
                "AST node column range ({col}, {end_col}) for line range ({line}, {end_line}) is not valid"
            )));
        }
        if line == end_line && col > end_col {
            return Err(self.value_error(format!("line {line}, column {col}-{end_col} is not a valid range")));
        }
        let fit = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
        Ok(Location {
            line: fit(line),
            end_line: fit(end_line),
            col: fit(col),
            end_col: fit(end_col),
        })
    }

    fn text(&self, value: &Value) -> Res<String> {
        match value.downcast::<Str>() {
            Some(text) => Ok(text.to_string_lossy()),
            None => Err(self.vm.type_error("AST identifier must be of type str")),
        }
    }

    fn check_name(&self, text: &str) -> Res<()> {
        if matches!(text, "None" | "True" | "False") {
            return Err(self.value_error(format!("identifier field can't represent '{text}' constant")));
        }
        Ok(())
    }

    /// The text of a name; constants are none.
    pub fn name_text(&self, value: &Value) -> Res<String> {
        let text = self.text(value)?;
        self.check_name(&text)?;
        Ok(text)
    }

    /// An identifier field.
    pub fn identifier(&self, node: Node<'_>, name: &Py<Str>, range: TextRange) -> Res<Identifier> {
        let text = self.name_text(&self.required(node, name)?)?;
        Ok(Identifier::new(text, range))
    }

    /// An identifier field that may be None.
    pub fn optional_identifier(&self, node: Node<'_>, name: &Py<Str>, range: TextRange) -> Res<Option<Identifier>> {
        match self.optional(node, name)? {
            Some(value) => Ok(Some(Identifier::new(self.name_text(&value)?, range))),
            None => Ok(None),
        }
    }

    /// The program that a root node stands for.
    pub fn root(&mut self, value: &Value) -> Res<Mod> {
        let kind = self.kind_of(value, Sum::Mod)?;
        let node = Node { value, kind };
        let range = TextRange::new(TextSize::new(0), TextSize::new(1));
        match kind {
            Kind::Expression => {
                let body = self.required(node, intern!("body"))?;
                Ok(Mod::Expression(nodes::ModExpression {
                    node_index: NO_INDEX,
                    range,
                    body: Box::new(self.expr(&body, ExprContext::Load)?),
                }))
            }
            _ => {
                let body = self.items(node, intern!("body"))?;
                Ok(Mod::Module(nodes::ModModule {
                    node_index: NO_INDEX,
                    range,
                    body: self.suite(&body)?.into_iter().collect(),
                }))
            }
        }
    }
}
