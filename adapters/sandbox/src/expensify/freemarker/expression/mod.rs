//! From the inside of a tag or interpolation to an expression.

mod literals;

use super::TemplateError;
use super::builtins::Builtin;
use super::syntax::{Expr, Op, RangeKind};

/// Words that end an expression, because the directive around it wants them.
const RESERVED: [&str; 6] = ["as", "in", "using", "gt", "gte", "lt"];

/// How deep expressions may nest: a template comes over the wire and must not exhaust the stack.
const DEEPEST: usize = 64;

/// A cursor over expression source.
pub struct Reader<'s> {
    source: &'s str,
    position: usize,
    line: usize,
    depth: usize,
}

impl<'s> Reader<'s> {
    /// Reads `source`, which begins on `line` of the template.
    pub fn new(source: &'s str, line: usize) -> Self {
        Self {
            source,
            position: 0,
            line,
            depth: 0,
        }
    }

    /// Reads one expression that takes up all of `source`.
    pub fn whole(source: &'s str, line: usize) -> Result<Expr, TemplateError> {
        let mut reader = Self::new(source, line);
        let expression = reader.expression()?;
        reader.end()?;
        Ok(expression)
    }

    /// An error at this place.
    pub fn error<T>(&self, why: impl Into<String>) -> Result<T, TemplateError> {
        Err(TemplateError::Parse {
            line: self.line,
            why: format!("{} in `{}`", why.into(), self.source.trim()),
        })
    }

    /// Whether only white space is left.
    pub fn at_end(&mut self) -> bool {
        self.skip_space();
        self.rest().is_empty()
    }

    /// Refuses anything left over.
    pub fn end(&mut self) -> Result<(), TemplateError> {
        if self.at_end() {
            Ok(())
        } else {
            self.error(format!("unexpected `{}`", self.rest().trim()))
        }
    }

    /// Takes `symbol` if it is next.
    pub fn take(&mut self, symbol: &str) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(symbol);
        if found {
            self.position += symbol.len();
        }
        found
    }

    /// Takes the word `word` if it is next.
    pub fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek_word() == word;
        if found {
            self.position += word.len();
        }
        found
    }

    /// Takes a name.
    pub fn name(&mut self) -> Result<String, TemplateError> {
        let word = self.peek_word().to_owned();
        if word.is_empty() || word.starts_with(|c: char| c.is_ascii_digit()) {
            return self.error("a name is missing");
        }
        self.position += word.len();
        Ok(word)
    }

    /// A name, or a string literal in its place.
    pub fn name_or_literal(&mut self) -> Result<String, TemplateError> {
        self.skip_space();
        match self.rest().bytes().next() {
            Some(b'"' | b'\'') => match self.literal()? {
                Expr::Text(text) => Ok(text),
                _ => self.error("a plain name is missing"),
            },
            _ => self.name(),
        }
    }

    /// An expression, as far as it reaches.
    pub fn expression(&mut self) -> Result<Expr, TemplateError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.error("nested too deep");
        }
        let expression = self.or();
        self.depth -= 1;
        expression
    }

    fn rest(&self) -> &'s str {
        self.source.get(self.position..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.position += rest.len() - trimmed.len();
            match trimmed.starts_with("<#--").then(|| trimmed.find("-->")).flatten() {
                Some(end) => self.position += end + 3,
                None => return,
            }
        }
    }

    fn peek_word(&mut self) -> &'s str {
        self.skip_space();
        let rest = self.rest();
        let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    fn or(&mut self) -> Result<Expr, TemplateError> {
        let mut left = self.and()?;
        while self.take("||") {
            left = binary(Op::Or, left, self.and()?);
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, TemplateError> {
        let mut left = self.equality()?;
        while self.take("&&") || self.take("&amp;&amp;") {
            left = binary(Op::And, left, self.equality()?);
        }
        Ok(left)
    }

    fn equality(&mut self) -> Result<Expr, TemplateError> {
        let left = self.relation()?;
        if self.take("!=") {
            return Ok(binary(Op::Unequal, left, self.relation()?));
        }
        if self.take("==") || self.take("=") {
            return Ok(binary(Op::Equal, left, self.relation()?));
        }
        Ok(left)
    }

    fn relation(&mut self) -> Result<Expr, TemplateError> {
        let left = self.range()?;
        let op = if self.take_word("gte") || self.take(">=") {
            Op::AtLeast
        } else if self.take_word("gt") || self.take(">") {
            Op::Greater
        } else if self.take_word("lte") || self.take("<=") {
            Op::AtMost
        } else if self.take_word("lt") || self.take("<") {
            Op::Less
        } else {
            return Ok(left);
        };
        Ok(binary(op, left, self.range()?))
    }

    fn range(&mut self) -> Result<Expr, TemplateError> {
        let left = self.sum()?;
        let kind = if self.take("..<") || self.take("..!") {
            RangeKind::Exclusive
        } else if self.take("..*") {
            RangeKind::Length
        } else if self.take("..") {
            RangeKind::Inclusive
        } else {
            return Ok(left);
        };
        let right = if self.begins_expression() {
            Some(Box::new(self.sum()?))
        } else {
            None
        };
        if right.is_none() && kind != RangeKind::Inclusive {
            return self.error("a range needs its end");
        }
        Ok(Expr::Range(Box::new(left), right, kind))
    }

    fn sum(&mut self) -> Result<Expr, TemplateError> {
        let mut left = self.product()?;
        loop {
            // `->` is a lambda and `+=` an assignment: neither belongs to a sum.
            self.skip_space();
            if self.rest().starts_with("->") {
                return Ok(left);
            }
            let op = if self.take("+") {
                Op::Add
            } else if self.take("-") {
                Op::Subtract
            } else {
                return Ok(left);
            };
            left = binary(op, left, self.product()?);
        }
    }

    fn product(&mut self) -> Result<Expr, TemplateError> {
        let mut left = self.unary()?;
        loop {
            let op = if self.take("*") {
                Op::Multiply
            } else if self.take("/") {
                Op::Divide
            } else if self.take("%") {
                Op::Remainder
            } else {
                return Ok(left);
            };
            left = binary(op, left, self.unary()?);
        }
    }

    fn unary(&mut self) -> Result<Expr, TemplateError> {
        if self.take("!") {
            return Ok(Expr::Not(Box::new(self.nested(Self::unary)?)));
        }
        if self.take("-") {
            return Ok(Expr::Negate(Box::new(self.nested(Self::unary)?)));
        }
        if self.take("+") {
            return self.nested(Self::unary);
        }
        self.postfix()
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Expr, TemplateError>) -> Result<Expr, TemplateError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.error("nested too deep");
        }
        let expression = read(self);
        self.depth -= 1;
        expression
    }

    fn postfix(&mut self) -> Result<Expr, TemplateError> {
        let mut left = self.primary()?;
        loop {
            self.skip_space();
            let rest = self.rest();
            if rest.starts_with("..") || rest.starts_with("!=") {
                return Ok(left);
            } else if self.take("??") {
                left = Expr::Exists(Box::new(left));
            } else if self.take("?") {
                left = self.builtin(left)?;
            } else if self.take(".") {
                let name = self.name()?;
                left = Expr::Field(Box::new(left), name);
            } else if self.take("[") {
                let index = self.expression()?;
                self.expect("]")?;
                left = Expr::Index(Box::new(left), Box::new(index));
            } else if self.take("(") {
                left = Expr::Call(Box::new(left), self.arguments()?);
            } else if self.take("!") {
                // The right side binds weakly: `a!1 + b` is `a!(1 + b)`, a known oddity of FreeMarker.
                let fallback = if self.begins_expression() {
                    Some(Box::new(self.expression()?))
                } else {
                    None
                };
                left = Expr::Default(Box::new(left), fallback);
            } else {
                return Ok(left);
            }
        }
    }

    fn builtin(&mut self, left: Expr) -> Result<Expr, TemplateError> {
        let name = self.name()?;
        let Some(builtin) = Builtin::named(&name) else {
            return self.error(format!("Unknown built-in: \"{name}\""));
        };
        if builtin == Builtin::String && self.rest().starts_with('.') && !self.rest().starts_with("..") {
            self.position += 1;
            let format = self.name()?;
            return Ok(Expr::Formatted(Box::new(left), format));
        }
        let arguments = if self.take("(") {
            Some(self.arguments()?)
        } else {
            None
        };
        Ok(Expr::Builtin(Box::new(left), builtin, arguments))
    }

    fn arguments(&mut self) -> Result<Vec<Expr>, TemplateError> {
        let mut arguments = Vec::new();
        if self.take(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.argument()?);
            if self.take(")") {
                return Ok(arguments);
            }
            self.expect(",")?;
        }
    }

    /// An expression or a lambda.
    fn argument(&mut self) -> Result<Expr, TemplateError> {
        let start = self.position;
        if let Some(names) = self.lambda_names() {
            return Ok(Expr::Lambda(names, Box::new(self.expression()?)));
        }
        self.position = start;
        self.expression()
    }

    fn lambda_names(&mut self) -> Option<Vec<String>> {
        let names = if self.take("(") {
            let mut names = vec![self.name().ok()?];
            while self.take(",") {
                names.push(self.name().ok()?);
            }
            self.take(")").then_some(names)?
        } else {
            vec![self.name().ok()?]
        };
        self.take("->").then_some(names)
    }

    fn expect(&mut self, symbol: &str) -> Result<(), TemplateError> {
        if self.take(symbol) {
            Ok(())
        } else {
            self.error(format!("`{symbol}` is missing"))
        }
    }

    fn begins_expression(&mut self) -> bool {
        let word = self.peek_word();
        if RESERVED.contains(&word) || word == "lte" {
            return false;
        }
        let rest = self.rest();
        // `.` alone would be a special variable, `..` the range that follows.
        rest.starts_with(|c: char| is_name(c) || matches!(c, '"' | '\'' | '(' | '[' | '{' | '-'))
    }

    fn primary(&mut self) -> Result<Expr, TemplateError> {
        self.skip_space();
        let rest = self.rest();
        match rest.chars().next() {
            None => self.error("an expression is missing"),
            Some('"' | '\'') => self.literal(),
            Some('r') if rest.starts_with("r\"") || rest.starts_with("r'") => self.raw_literal(),
            Some('(') => {
                self.position += 1;
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(Expr::Paren(Box::new(inner)))
            }
            Some('[') => {
                self.position += 1;
                self.list_literal()
            }
            Some('{') => {
                self.position += 1;
                self.hash_literal()
            }
            Some('.') => {
                self.position += 1;
                Ok(Expr::Special(self.name()?))
            }
            Some(digit) if digit.is_ascii_digit() => self.number(),
            Some(_) => Ok(match self.name()? {
                word if word == "true" => Expr::Bool(true),
                word if word == "false" => Expr::Bool(false),
                word if RESERVED.contains(&word.as_str()) => {
                    return self.error(format!("unexpected `{word}`"));
                }
                word => Expr::Name(word),
            }),
        }
    }
}

fn binary(op: Op, left: Expr, right: Expr) -> Expr {
    Expr::Binary(op, Box::new(left), Box::new(right))
}

/// FreeMarker names: letters, digits, `_`, `$`, `@`.
fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '@')
}
