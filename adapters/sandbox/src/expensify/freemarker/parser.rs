//! From tokens to the tree of directives.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::TemplateError;
use super::expression::Reader;
use super::lexer::Token;
use super::syntax::{AssignOp, Call, Expr, List, Macro, Node, Op, Scope};

/// How deep directives may nest.
const DEEPEST: usize = 100;

/// Parses the tokens of a whole template (or string literal).
pub fn nodes(tokens: Vec<Token>) -> Result<Vec<Node>, TemplateError> {
    let mut parser = Parser {
        tokens: tokens.into_iter().peekable(),
        depth: 0,
        line: 1,
    };
    let (mut nodes, end) = parser.block(&[])?;
    if let End::Tag(name, ..) = end {
        return parser.error(format!("<{name}> without its beginning"));
    }
    drop_sandwiched_space(&mut nodes, true);
    Ok(nodes)
}

/// What ended a block.
enum End {
    /// The end of the template.
    Source,
    /// The tag: `/#list`, `#else`, `/@`; with its arguments.
    Tag(String, String),
}

struct Parser {
    tokens: Peekable<IntoIter<Token>>,
    depth: usize,
    line: usize,
}

impl Parser {
    fn error<T>(&self, why: impl Into<String>) -> Result<T, TemplateError> {
        Err(TemplateError::Parse {
            line: self.line,
            why: why.into(),
        })
    }

    /// Nodes up to one of `stops` (consumed).
    fn block(&mut self, stops: &[&str]) -> Result<(Vec<Node>, End), TemplateError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.error("nested too deep");
        }
        let mut nodes = Vec::new();
        let end = loop {
            let Some(token) = self.tokens.next() else {
                break End::Source;
            };
            match token {
                Token::Text(text) => nodes.push(Node::Text(text)),
                Token::Comment => nodes.push(Node::Nothing),
                Token::Print { source, line } => {
                    self.line = line;
                    // `#{n; m2}` of old gives a format behind a semicolon; nobody sends it.
                    nodes.push(Node::Print(Reader::whole(&source, line)?));
                }
                Token::Open {
                    name,
                    arguments,
                    line,
                } => {
                    self.line = line;
                    let tag = format!("#{name}");
                    if stops.contains(&tag.as_str()) {
                        break End::Tag(tag, arguments);
                    }
                    nodes.push(self.directive(&name, &arguments, line)?);
                }
                Token::Close { name, line } => {
                    self.line = line;
                    let tag = format!("/#{name}");
                    if stops.contains(&tag.as_str()) {
                        break End::Tag(tag, String::new());
                    }
                    // These close nothing that is kept.
                    if !matches!(
                        name.as_str(),
                        "escape" | "noescape" | "outputformat" | "autoesc" | "noautoesc"
                    ) {
                        return self.error(format!("unexpected </#{name}>"));
                    }
                }
                Token::Call { source, empty, line } => {
                    self.line = line;
                    nodes.push(self.call(&source, empty, line)?);
                }
                Token::CallEnd { line } => {
                    self.line = line;
                    if stops.contains(&"/@") {
                        break End::Tag("/@".to_owned(), String::new());
                    }
                    return self.error("unexpected </@>");
                }
            }
        };
        self.depth -= 1;
        if let End::Source = end
            && let Some(missing) = stops.last()
        {
            return self.error(format!("<{missing}> is missing"));
        }
        drop_sandwiched_space(&mut nodes, false);
        Ok((nodes, end))
    }

    fn body(&mut self, stop: &str) -> Result<Vec<Node>, TemplateError> {
        Ok(self.block(&[stop])?.0)
    }

    fn directive(&mut self, name: &str, arguments: &str, line: usize) -> Result<Node, TemplateError> {
        let mut reader = Reader::new(arguments, line);
        match name {
            "if" => self.conditional(arguments, line),
            "list" | "foreach" => self.list(name, arguments, line),
            "items" => {
                if !reader.take_word("as") {
                    return reader.error("`as` is missing");
                }
                let names = names(&mut reader)?;
                Ok(Node::Items {
                    names,
                    body: self.body("/#items")?,
                })
            }
            "sep" => self.separator(),
            "break" => Ok(Node::Break),
            "continue" => Ok(Node::Continue),
            "assign" => self.assign(Scope::Template, reader, "/#assign"),
            "local" => self.assign(Scope::Local, reader, "/#local"),
            "global" => self.assign(Scope::Global, reader, "/#global"),
            "macro" | "function" => self.macro_definition(name, reader),
            "nested" => Ok(Node::Nested(comma_list(&mut reader)?)),
            "return" => Ok(Node::Return(if reader.at_end() {
                None
            } else {
                Some(Reader::whole(arguments, line)?)
            })),
            "switch" => self.switch(Reader::whole(arguments, line)?),
            "compress" => Ok(Node::Compress(self.body("/#compress")?)),
            "attempt" => {
                let (body, end) = self.block(&["#recover", "/#attempt"])?;
                let recover = match end {
                    End::Tag(tag, _) if tag == "#recover" => self.block(&["/#attempt", "/#recover"])?.0,
                    _ => return self.error("<#recover> is missing"),
                };
                Ok(Node::Attempt { body, recover })
            }
            "stop" => Ok(Node::Stop(if reader.at_end() {
                None
            } else {
                Some(Reader::whole(arguments, line)?)
            })),
            "ftl" | "setting" | "flush" => Ok(Node::Nothing),
            other => self.error(format!("Unknown directive: #{other}")),
        }
    }

    fn conditional(&mut self, condition: &str, line: usize) -> Result<Node, TemplateError> {
        let mut arms = Vec::new();
        let mut condition = Some(Reader::whole(condition, line)?);
        loop {
            let stops: &[&str] = match condition {
                Some(_) => &["#elseif", "#elseIf", "#else", "/#if"],
                None => &["/#if"],
            };
            let (body, end) = self.block(stops)?;
            arms.push((condition.take(), body));
            match end {
                End::Tag(tag, arguments) if tag.eq_ignore_ascii_case("#elseif") => {
                    condition = Some(Reader::whole(&arguments, self.line)?);
                }
                End::Tag(tag, _) if tag == "#else" => {}
                _ => return Ok(Node::If(arms)),
            }
        }
    }

    fn list(&mut self, name: &str, arguments: &str, line: usize) -> Result<Node, TemplateError> {
        let mut reader = Reader::new(arguments, line);
        let (source, loop_names) = if name == "foreach" {
            let item = reader.name()?;
            if !reader.take_word("in") {
                return reader.error("`in` is missing");
            }
            (reader.expression()?, vec![item])
        } else {
            let source = reader.expression()?;
            (
                source,
                if reader.take_word("as") {
                    names(&mut reader)?
                } else {
                    Vec::new()
                },
            )
        };
        reader.end()?;
        let close = format!("/#{name}");
        let (body, end) = self.block(&["#else", &close])?;
        let otherwise = match end {
            End::Tag(tag, _) if tag == "#else" => self.body(&close)?,
            _ => Vec::new(),
        };
        Ok(Node::List(Box::new(List {
            source,
            names: loop_names,
            body,
            otherwise,
        })))
    }

    /// `<#sep>` may be closed by `</#sep>`, or by the end of what it stands in.
    fn separator(&mut self) -> Result<Node, TemplateError> {
        let mut nodes = Vec::new();
        loop {
            match self.tokens.peek() {
                None => return self.error("</#sep> or </#list> is missing"),
                Some(Token::Close { name, .. }) if name == "sep" => {
                    self.tokens.next();
                    return Ok(Node::Separator(nodes));
                }
                Some(Token::Close { name, .. }) if matches!(name.as_str(), "list" | "items" | "foreach") => {
                    return Ok(Node::Separator(nodes));
                }
                Some(Token::Open { name, .. }) if name == "else" => return Ok(Node::Separator(nodes)),
                Some(_) => {}
            }
            match self.tokens.next() {
                None => return self.error("</#sep> or </#list> is missing"),
                Some(Token::Text(text)) => nodes.push(Node::Text(text)),
                Some(Token::Comment) => nodes.push(Node::Nothing),
                Some(Token::Print { source, line }) => nodes.push(Node::Print(Reader::whole(&source, line)?)),
                Some(Token::Open {
                    name,
                    arguments,
                    line,
                }) => {
                    self.line = line;
                    nodes.push(self.directive(&name, &arguments, line)?);
                }
                Some(Token::Call { source, empty, line }) => nodes.push(self.call(&source, empty, line)?),
                Some(Token::Close { name, .. }) => return self.error(format!("unexpected </#{name}>")),
                Some(Token::CallEnd { .. }) => return self.error("unexpected </@>"),
            }
        }
    }

    fn assign(&mut self, scope: Scope, mut reader: Reader<'_>, close: &str) -> Result<Node, TemplateError> {
        let mut assignments = Vec::new();
        loop {
            let name = reader.name_or_literal()?;
            let op = if reader.take("+=") {
                AssignOp::With(Op::Add)
            } else if reader.take("-=") {
                AssignOp::With(Op::Subtract)
            } else if reader.take("*=") {
                AssignOp::With(Op::Multiply)
            } else if reader.take("/=") {
                AssignOp::With(Op::Divide)
            } else if reader.take("%=") {
                AssignOp::With(Op::Remainder)
            } else if reader.take("++") {
                assignments.push((name, AssignOp::With(Op::Add), Expr::Number(1.into())));
                if reader.at_end() {
                    break;
                }
                continue;
            } else if reader.take("--") {
                assignments.push((name, AssignOp::With(Op::Subtract), Expr::Number(1.into())));
                if reader.at_end() {
                    break;
                }
                continue;
            } else if reader.take("=") {
                AssignOp::Set
            } else if assignments.is_empty() && reader.at_end() {
                return Ok(Node::Capture {
                    scope,
                    name,
                    body: self.body(close)?,
                });
            } else {
                return reader.error("`=` is missing");
            };
            let value = reader.expression()?;
            assignments.push((name, op, value));
            reader.take(",");
            if reader.at_end() {
                break;
            }
        }
        Ok(Node::Assign { scope, assignments })
    }

    fn macro_definition(&mut self, kind: &str, mut reader: Reader<'_>) -> Result<Node, TemplateError> {
        let name = reader.name_or_literal()?;
        let bracketed = reader.take("(");
        let mut parameters = Vec::new();
        let mut rest = None;
        while !reader.at_end() && !reader.take(")") {
            let parameter = reader.name()?;
            if reader.take("...") {
                rest = Some(parameter);
            } else {
                let default = if reader.take("=") {
                    Some(reader.expression()?)
                } else {
                    None
                };
                parameters.push((parameter, default));
            }
            reader.take(",");
        }
        if !bracketed {
            reader.end()?;
        }
        let body = self.body(&format!("/#{kind}"))?;
        Ok(Node::Macro(Macro {
            name,
            parameters,
            rest,
            body,
        }))
    }

    fn switch(&mut self, on: Expr) -> Result<Node, TemplateError> {
        let stops = ["#case", "#default", "/#switch"];
        let mut cases = Vec::new();
        let (_, mut end) = self.block(&stops)?;
        loop {
            let guard = match &end {
                End::Tag(tag, arguments) if tag == "#case" => Some(Reader::whole(arguments, self.line)?),
                End::Tag(tag, _) if tag == "#default" => None,
                _ => return Ok(Node::Switch { on, cases }),
            };
            let (body, next) = self.block(&stops)?;
            cases.push((guard, body));
            end = next;
        }
    }

    fn call(&mut self, source: &str, empty: bool, line: usize) -> Result<Node, TemplateError> {
        let mut reader = Reader::new(source, line);
        // `m a.b` is a call of `m` and not of `m a`: the callee is a name with dots.
        let mut callee = Expr::Name(reader.name()?);
        while reader.take(".") {
            callee = Expr::Field(Box::new(callee), reader.name()?);
        }
        let mut call = Call {
            callee,
            positional: Vec::new(),
            named: Vec::new(),
            loop_names: Vec::new(),
            body: None,
        };
        while !reader.at_end() {
            if reader.take(";") {
                call.loop_names = names(&mut reader)?;
                reader.end()?;
                break;
            }
            match reader.expression()? {
                Expr::Binary(Op::Equal, name, value) => match *name {
                    Expr::Name(name) => call.named.push((name, *value)),
                    _ => return reader.error("a parameter's name is missing"),
                },
                positional => call.positional.push(positional),
            }
            reader.take(",");
        }
        if !empty {
            call.body = Some(self.body("/@")?);
        }
        Ok(Node::Call(Box::new(call)))
    }
}

fn names(reader: &mut Reader<'_>) -> Result<Vec<String>, TemplateError> {
    let mut names = vec![reader.name()?];
    while reader.take(",") {
        names.push(reader.name()?);
    }
    Ok(names)
}

fn comma_list(reader: &mut Reader<'_>) -> Result<Vec<Expr>, TemplateError> {
    let mut list = Vec::new();
    while !reader.at_end() {
        list.push(reader.expression()?);
        reader.take(",");
    }
    Ok(list)
}

/// White space that stands only between definitions is not printed.
fn drop_sandwiched_space(nodes: &mut Vec<Node>, top_level: bool) {
    let quiet = |index: Option<usize>, nodes: &[Node]| match index.and_then(|index| nodes.get(index)) {
        Some(node) => node.prints_nothing(),
        None => top_level,
    };
    let dropped: Vec<bool> = nodes
        .iter()
        .enumerate()
        .map(|(index, node)| {
            matches!(node, Node::Text(text) if text.trim().is_empty())
                && quiet(index.checked_sub(1), nodes)
                && quiet(Some(index + 1), nodes)
        })
        .collect();
    let mut dropped = dropped.into_iter();
    nodes.retain(|_| !dropped.next().unwrap_or(false));
}
