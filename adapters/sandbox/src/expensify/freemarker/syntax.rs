//! The tree of a parsed template.

use rust_decimal::Decimal;

use super::builtins::Builtin;

/// A piece of a template that is executed.
#[derive(Debug)]
pub enum Node {
    /// Text as it stands.
    Text(String),
    /// `${expr}`, with its source for messages.
    Print(Expr),
    /// `<#if>`, `<#elseif>`, `<#else>`: the first arm whose condition holds; none is `<#else>`.
    If(Vec<(Option<Expr>, Vec<Node>)>),
    /// `<#list>` and its kin.
    List(Box<List>),
    /// `<#items as x>` within `<#list seq>`.
    Items { names: Vec<String>, body: Vec<Node> },
    /// `<#sep>`: what stands between two rounds.
    Separator(Vec<Node>),
    /// `<#break>` and `<#continue>`.
    Break,
    /// See [`Node::Break`].
    Continue,
    /// `<#assign>`, `<#local>`, `<#global>` with values.
    Assign {
        scope: Scope,
        assignments: Vec<(String, AssignOp, Expr)>,
    },
    /// The same with a captured body.
    Capture {
        scope: Scope,
        name: String,
        body: Vec<Node>,
    },
    /// `<#macro>` or `<#function>`.
    Macro(Macro),
    /// `<@name ../>`.
    Call(Box<Call>),
    /// `<#nested ..>`.
    Nested(Vec<Expr>),
    /// `<#return>`, `<#return expr>`.
    Return(Option<Expr>),
    /// `<#switch>`.
    Switch {
        on: Expr,
        cases: Vec<(Option<Expr>, Vec<Node>)>,
    },
    /// `<#compress>`.
    Compress(Vec<Node>),
    /// `<#attempt>`, `<#recover>`.
    Attempt { body: Vec<Node>, recover: Vec<Node> },
    /// `<#stop "why">`.
    Stop(Option<Expr>),
    /// A tag that changes nothing here, such as `<#setting>` or a comment; kept because white space beside it is not.
    Nothing,
}

impl Node {
    /// White space between two of these, and nothing else, is not printed.
    pub fn prints_nothing(&self) -> bool {
        matches!(
            self,
            Node::Assign { .. } | Node::Capture { .. } | Node::Macro(_) | Node::Nothing
        )
    }
}

/// `<#list source as names>`.
#[derive(Debug)]
pub struct List {
    pub source: Expr,
    /// None: an `<#items>` inside names them. One: the element. Two: key and value.
    pub names: Vec<String>,
    pub body: Vec<Node>,
    pub otherwise: Vec<Node>,
}

/// Where an assignment goes.
#[derive(Clone, Copy, Debug)]
pub enum Scope {
    Template,
    Local,
    Global,
}

/// How an assignment changes its variable.
#[derive(Clone, Copy, Debug)]
pub enum AssignOp {
    Set,
    With(Op),
}

/// A macro or function.
#[derive(Debug)]
pub struct Macro {
    pub name: String,
    pub parameters: Vec<(String, Option<Expr>)>,
    /// The name of the parameter that takes the rest.
    pub rest: Option<String>,
    pub body: Vec<Node>,
}

/// `<@callee arguments; loop_names>body</@>`.
#[derive(Debug)]
pub struct Call {
    pub callee: Expr,
    pub positional: Vec<Expr>,
    pub named: Vec<(String, Expr)>,
    pub loop_names: Vec<String>,
    pub body: Option<Vec<Node>>,
}

/// An expression.
#[derive(Debug)]
pub enum Expr {
    Text(String),
    /// A string literal with interpolations in it.
    Interpolated(Vec<Node>),
    Number(Decimal),
    Bool(bool),
    Name(String),
    /// `.now`, `.version`, ...
    Special(String),
    Field(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
    Call(Box<Expr>, Vec<Expr>),
    Builtin(Box<Expr>, Builtin, Option<Vec<Expr>>),
    /// `?string.number` and the like.
    Formatted(Box<Expr>, String),
    Exists(Box<Expr>),
    Default(Box<Expr>, Option<Box<Expr>>),
    /// Parentheses matter: `(a.b)!""` forgives a missing `a`, `a.b!""` does not.
    Paren(Box<Expr>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Binary(Op, Box<Expr>, Box<Expr>),
    Range(Box<Expr>, Option<Box<Expr>>, RangeKind),
    List(Vec<Expr>),
    Hash(Vec<(Expr, Expr)>),
    /// Only as an argument of a built-in.
    Lambda(Vec<String>, Box<Expr>),
}

/// A binary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// `a..b`, `a..<b`, `a..*n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeKind {
    Inclusive,
    Exclusive,
    Length,
}
