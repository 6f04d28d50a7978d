//! Executes directives.

use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use chrono::NaiveDateTime;

use super::syntax::{AssignOp, Call, Expr, List, Macro, Node, Scope};
use super::value::{Hash, MacroRef, Record, Value};
use super::{Rendering, TemplateError};

/// Why an evaluation did not yield a value.
#[derive(Debug)]
pub enum Trouble {
    /// An error of the template's author; forgiven unless [`Rendering::abort_on_error`].
    Failed(String),
    /// `<#stop>`: never forgiven.
    Stopped(String),
    /// The sink is broken.
    Sink(io::Error),
}

/// A shorthand for author's errors.
pub fn failed<T>(why: impl Into<String>) -> Result<T, Trouble> {
    Err(Trouble::Failed(why.into()))
}

/// What comes after a node.
pub enum Flow<'a> {
    Next,
    Break,
    Continue,
    Return(Value<'a>),
}

/// A loop variable and where its loop stands.
pub struct LoopVariable<'a> {
    pub name: &'a str,
    pub value: Value<'a>,
    pub index: usize,
    pub has_next: bool,
}

/// One macro call (or the template itself, at the bottom).
#[derive(Default)]
pub struct Frame<'a> {
    pub loops: Vec<LoopVariable<'a>>,
    pub locals: BTreeMap<String, Value<'a>>,
    /// The body given to the macro, and the frame it came from.
    nested: Option<(&'a Call, usize)>,
    /// Lists without loop variables, waiting for their `<#items>`.
    pending_items: Vec<Rc<Vec<Value<'a>>>>,
}

/// How deep macros may call each other.
const DEEPEST_CALL: usize = 60;

/// A template at work.
pub struct Interpreter<'a> {
    pub data: Box<dyn Hash<'a> + 'a>,
    pub now: NaiveDateTime,
    pub rendering: Rendering,
    sink: &'a mut dyn io::Write,
    captures: Vec<String>,
    pub variables: BTreeMap<String, Value<'a>>,
    /// The frames of the calls in hand; never empty, and `current` is always one of them.
    frames: Vec<Frame<'a>>,
    current: usize,
    /// Handed out should `current` ever be none of them, so that looking a variable up stays total.
    spare: Frame<'a>,
    attempts: usize,
}

impl<'a> Interpreter<'a> {
    /// Ready to run over `data`.
    pub fn new(
        data: Box<dyn Hash<'a> + 'a>,
        now: NaiveDateTime,
        rendering: Rendering,
        sink: &'a mut dyn io::Write,
    ) -> Self {
        Self {
            data,
            now,
            rendering,
            sink,
            captures: Vec::new(),
            variables: BTreeMap::new(),
            frames: vec![Frame::default()],
            current: 0,
            spare: Frame::default(),
            attempts: 0,
        }
    }

    /// Runs the whole template.
    pub fn run(mut self, root: &'a [Node]) -> Result<(), TemplateError> {
        self.define_macros(root);
        match self.nodes(root) {
            Ok(_) => Ok(()),
            Err(Trouble::Failed(why) | Trouble::Stopped(why)) => Err(TemplateError::Stopped(why)),
            Err(Trouble::Sink(error)) => Err(TemplateError::Sink(error)),
        }
    }

    /// Macros may be called before the place where they stand.
    fn define_macros(&mut self, nodes: &'a [Node]) {
        for node in nodes {
            if let Node::Macro(definition) = node {
                self.variables
                    .insert(definition.name.clone(), Value::Macro(MacroRef(definition)));
            }
        }
    }

    /// The frame variables are looked up in.
    pub fn frame(&mut self) -> &mut Frame<'a> {
        self.frames.get_mut(self.current).unwrap_or(&mut self.spare)
    }

    fn write(&mut self, text: &str) -> Result<(), Trouble> {
        match self.captures.last_mut() {
            Some(capture) => {
                capture.push_str(text);
                Ok(())
            }
            None => self.sink.write_all(text.as_bytes()).map_err(Trouble::Sink),
        }
    }

    /// Runs `nodes` and keeps what they print.
    pub fn capture(&mut self, nodes: &'a [Node]) -> Result<String, Trouble> {
        self.captures.push(String::new());
        let result = self.nodes(nodes);
        let text = self.captures.pop().unwrap_or_default();
        result.map(|_| text)
    }

    fn nodes(&mut self, nodes: &'a [Node]) -> Result<Flow<'a>, Trouble> {
        for node in nodes {
            match self.node(node) {
                Ok(Flow::Next) => {}
                Ok(flow) => return Ok(flow),
                // What fails prints nothing and the rest goes on, as behind FreeMarker's "ignore" handler.
                Err(Trouble::Failed(_)) if !self.rendering.abort_on_error && self.attempts == 0 => {}
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, node: &'a Node) -> Result<Flow<'a>, Trouble> {
        match node {
            Node::Text(text) => self.write(text)?,
            Node::Print(expression) => {
                let value = self.eval(expression)?;
                let text = self.printed(&value)?;
                self.write(&text)?;
            }
            Node::If(arms) => {
                for (condition, body) in arms {
                    let holds = match condition {
                        Some(condition) => self.eval_bool(condition)?,
                        None => true,
                    };
                    if holds {
                        return self.nodes(body);
                    }
                }
            }
            Node::List(list) => return self.list(list),
            Node::Items { names, body } => {
                let Some(items) = self.frame().pending_items.pop() else {
                    return failed("<#items> without a <#list seq> around it");
                };
                let flow = self.rounds(names, &items, body);
                self.frame().pending_items.push(items);
                return flow;
            }
            Node::Separator(body) => {
                if self.frame().loops.last().is_some_and(|round| round.has_next) {
                    return self.nodes(body);
                }
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
            Node::Assign { scope, assignments } => {
                for (name, op, expression) in assignments {
                    let right = self.eval(expression)?;
                    let value = match op {
                        AssignOp::Set => right,
                        AssignOp::With(op) => {
                            let left = self.lookup(name);
                            self.binary(*op, left, right)?
                        }
                    };
                    self.assign(*scope, name, value);
                }
            }
            Node::Capture { scope, name, body } => {
                let text = self.capture(body)?;
                self.assign(*scope, name, Value::owned(text));
            }
            Node::Macro(definition) => {
                self.variables
                    .insert(definition.name.clone(), Value::Macro(MacroRef(definition)));
            }
            Node::Call(call) => self.call_directive(call)?,
            Node::Nested(arguments) => self.nested(arguments)?,
            Node::Return(value) => {
                return Ok(Flow::Return(match value {
                    Some(value) => self.eval(value)?,
                    None => Value::Missing,
                }));
            }
            Node::Switch { on, cases } => return self.switch(on, cases),
            Node::Compress(body) => {
                let text = self.capture(body)?;
                self.write(&compressed(&text))?;
            }
            Node::Attempt { body, recover } => {
                self.attempts += 1;
                let result = self.capture(body);
                self.attempts -= 1;
                match result {
                    Ok(text) => self.write(&text)?,
                    Err(Trouble::Failed(_)) => return self.nodes(recover),
                    Err(trouble) => return Err(trouble),
                }
            }
            Node::Stop(why) => {
                let why = match why {
                    Some(why) => self.eval_text(why)?,
                    None => "<#stop>".to_owned(),
                };
                return Err(Trouble::Stopped(why));
            }
            Node::Nothing => {}
        }
        Ok(Flow::Next)
    }

    fn assign(&mut self, scope: Scope, name: &str, value: Value<'a>) {
        match scope {
            Scope::Local => {
                self.frame().locals.insert(name.to_owned(), value);
            }
            Scope::Template | Scope::Global => {
                self.variables.insert(name.to_owned(), value);
            }
        }
    }

    fn list(&mut self, list: &'a List) -> Result<Flow<'a>, Trouble> {
        let source = self.eval(&list.source)?;
        let items = match source {
            Value::List(items) => items,
            Value::Hash(hash) if list.names.len() == 2 => {
                let pair = |key: String| {
                    Value::hash(
                        Record::default()
                            .with("v", hash.get(&key))
                            .with("k", Value::owned(key)),
                    )
                };
                Rc::new(hash.keys().into_iter().map(pair).collect())
            }
            other => return failed(format!("<#list> wants a sequence and has a {}", other.kind())),
        };
        if items.is_empty() {
            return self.nodes(&list.otherwise);
        }
        if list.names.is_empty() {
            self.frame().pending_items.push(items);
            let flow = self.nodes(&list.body);
            self.frame().pending_items.pop();
            return flow;
        }
        self.rounds(&list.names, &items, &list.body)
    }

    fn rounds(
        &mut self,
        names: &'a [String],
        items: &Rc<Vec<Value<'a>>>,
        body: &'a [Node],
    ) -> Result<Flow<'a>, Trouble> {
        let last = items.len().saturating_sub(1);
        for (index, item) in items.iter().enumerate() {
            let before = self.frame().loops.len();
            let has_next = index < last;
            let mut add = |name: &'a str, value| {
                self.frame().loops.push(LoopVariable {
                    name,
                    value,
                    index,
                    has_next,
                });
            };
            match (names, item) {
                ([name], item) => add(name, item.clone()),
                ([key, value], Value::Hash(pair)) => {
                    add(key, pair.get("k"));
                    add(value, pair.get("v"));
                }
                _ => return failed("<#list> with two names wants a hash"),
            }
            let flow = self.nodes(body);
            self.frame().loops.truncate(before);
            match flow? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => break,
                Flow::Return(value) => return Ok(Flow::Return(value)),
            }
        }
        Ok(Flow::Next)
    }

    fn switch(&mut self, on: &'a Expr, cases: &'a [(Option<Expr>, Vec<Node>)]) -> Result<Flow<'a>, Trouble> {
        let on = self.eval(on)?;
        let mut start = None;
        for (index, (guard, _)) in cases.iter().enumerate() {
            if let Some(guard) = guard {
                let guard = self.eval(guard)?;
                if self.equal(&on, &guard)? {
                    start = Some(index);
                    break;
                }
            }
        }
        let start = start.or_else(|| cases.iter().position(|(guard, _)| guard.is_none()));
        // Without <#break>, a case falls through into the next one.
        for (_, body) in cases.iter().skip(start.unwrap_or(cases.len())) {
            match self.nodes(body)? {
                Flow::Next => {}
                Flow::Break => return Ok(Flow::Next),
                flow => return Ok(flow),
            }
        }
        Ok(Flow::Next)
    }

    fn call_directive(&mut self, call: &'a Call) -> Result<(), Trouble> {
        let Value::Macro(MacroRef(definition)) = self.eval(&call.callee)? else {
            return failed("what <@..> calls is no macro");
        };
        let mut positional = Vec::new();
        for argument in &call.positional {
            positional.push(self.eval(argument)?);
        }
        let mut named = BTreeMap::new();
        for (name, argument) in &call.named {
            named.insert(name.as_str(), self.eval(argument)?);
        }
        self.invoke(definition, positional, named, Some((call, self.current)))?;
        Ok(())
    }

    /// Calls a macro or function; what it returns is [`Value::Missing`] for a macro.
    pub fn invoke(
        &mut self,
        definition: &'a Macro,
        positional: Vec<Value<'a>>,
        mut named: BTreeMap<&str, Value<'a>>,
        nested: Option<(&'a Call, usize)>,
    ) -> Result<Value<'a>, Trouble> {
        if self.frames.len() >= DEEPEST_CALL {
            return failed(format!("macros call each other too deep at {}", definition.name));
        }
        let mut positional = positional.into_iter();
        let caller = self.current;
        self.frames.push(Frame {
            nested,
            ..Frame::default()
        });
        self.current = self.frames.len() - 1;
        let result = (|| {
            for (name, default) in &definition.parameters {
                let value = match (positional.next().or_else(|| named.remove(name.as_str())), default) {
                    (Some(Value::Missing) | None, Some(default)) => self.eval(default)?,
                    (Some(value), _) => value,
                    (None, None) => return failed(format!("{} wants a {name}", definition.name)),
                };
                self.frame().locals.insert(name.clone(), value);
            }
            if let Some(rest) = &definition.rest {
                let rest_values = Value::list(positional.collect());
                self.frame().locals.insert(rest.clone(), rest_values);
            }
            self.nodes(&definition.body)
        })();
        self.frames.pop();
        self.current = caller;
        Ok(match result? {
            Flow::Return(value) => value,
            _ => Value::Missing,
        })
    }

    fn nested(&mut self, arguments: &'a [Expr]) -> Result<(), Trouble> {
        let Some((call, caller)) = self.frame().nested else {
            return Ok(());
        };
        let Some(body) = &call.body else { return Ok(()) };
        let mut values = Vec::new();
        for argument in arguments {
            values.push(self.eval(argument)?);
        }
        let here = std::mem::replace(&mut self.current, caller);
        let before = self.frame().loops.len();
        for (name, value) in call.loop_names.iter().zip(values) {
            self.frame().loops.push(LoopVariable {
                name,
                value,
                index: 0,
                has_next: false,
            });
        }
        let result = self.nodes(body);
        self.frame().loops.truncate(before);
        self.current = here;
        result.map(|_| ())
    }
}

/// White space folded as `<#compress>` folds it: a run becomes one space, or one line break if it holds one.
fn compressed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run: Option<bool> = None;
    for c in text.chars() {
        if c.is_whitespace() {
            let breaks = c == '\n' || c == '\r';
            run = Some(run.unwrap_or(false) || breaks);
            continue;
        }
        match run.take() {
            Some(_) if out.is_empty() => {}
            Some(true) => out.push('\n'),
            Some(false) => out.push(' '),
            None => {}
        }
        out.push(c);
    }
    if run == Some(true) && !out.is_empty() {
        out.push('\n');
    }
    out
}
