//! Evaluates expressions.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::exec::{Interpreter, Trouble, failed};
use super::syntax::{Expr, Op, RangeKind};
use super::value::{MacroRef, Record, Value};
use super::{builtins, dates};

/// The longest range or repetition a template may ask for.
pub const LONGEST: i64 = 1_000_000;

impl<'a> Interpreter<'a> {
    /// The value of `expression`; [`Value::Missing`] for a name that is not there.
    pub fn eval(&mut self, expression: &'a Expr) -> Result<Value<'a>, Trouble> {
        Ok(match expression {
            Expr::Text(text) => Value::text(text),
            Expr::Interpolated(nodes) => Value::owned(self.capture(nodes)?),
            Expr::Number(number) => Value::Number(*number),
            Expr::Bool(flag) => Value::Bool(*flag),
            Expr::Name(name) => self.lookup(name),
            Expr::Special(name) => self.special(name)?,
            Expr::Field(target, name) => self.field(target, name)?,
            Expr::Index(target, index) => self.index(target, index)?,
            Expr::Call(callee, arguments) => self.call(callee, arguments)?,
            Expr::Builtin(target, builtin, arguments) => {
                builtins::apply(self, target, *builtin, arguments.as_deref())?
            }
            Expr::Formatted(target, format) => {
                let value = self.eval(target)?;
                builtins::formatted(&value, format)?
            }
            Expr::Exists(target) => Value::Bool(!matches!(self.forgiving(target)?, Value::Missing)),
            Expr::Default(target, fallback) => match (self.forgiving(target)?, fallback) {
                (Value::Missing, Some(fallback)) => self.eval(fallback)?,
                (Value::Missing, None) => Value::text(""),
                (value, _) => value,
            },
            Expr::Paren(inner) => self.eval(inner)?,
            Expr::Not(inner) => Value::Bool(!self.eval_bool(inner)?),
            Expr::Negate(inner) => match self.eval(inner)? {
                Value::Number(number) => Value::Number(-number),
                other => return failed(format!("- wants a number and has a {}", other.kind())),
            },
            Expr::Binary(Op::Or, left, right) => Value::Bool(self.eval_bool(left)? || self.eval_bool(right)?),
            Expr::Binary(Op::And, left, right) => {
                Value::Bool(self.eval_bool(left)? && self.eval_bool(right)?)
            }
            Expr::Binary(op, left, right) => {
                let left = self.eval(left)?;
                let right = self.eval(right)?;
                self.binary(*op, left, right)?
            }
            Expr::Range(from, to, kind) => self.range(from, to.as_deref(), *kind)?,
            Expr::List(items) => {
                let mut values = Vec::new();
                for item in items {
                    values.push(self.eval(item)?);
                }
                Value::list(values)
            }
            Expr::Hash(items) => {
                let mut record = Record::default();
                for (key, value) in items {
                    let key = self.eval_text(key)?;
                    record.set(key, self.eval(value)?);
                }
                Value::hash(record)
            }
            Expr::Lambda(..) => return failed("a lambda stands where no built-in takes one"),
        })
    }

    /// Like [`Self::eval`]; within parentheses a missing step on the way counts as missing, too.
    pub fn forgiving(&mut self, expression: &'a Expr) -> Result<Value<'a>, Trouble> {
        match expression {
            Expr::Paren(inner) => match self.eval(inner) {
                Err(Trouble::Failed(_)) => Ok(Value::Missing),
                other => other,
            },
            other => self.eval(other),
        }
    }

    /// The value of a condition.
    pub fn eval_bool(&mut self, expression: &'a Expr) -> Result<bool, Trouble> {
        match self.eval(expression)? {
            Value::Bool(flag) => Ok(flag),
            other => failed(format!("a condition wants a boolean and has a {}", other.kind())),
        }
    }

    /// The value as it would be printed, where a string is wanted.
    pub fn eval_text(&mut self, expression: &'a Expr) -> Result<String, Trouble> {
        let value = self.eval(expression)?;
        Ok(self.text_of(value)?.into_owned())
    }

    /// A value used as a string: text, numbers and dates are; the rest is an error.
    pub fn text_of(&self, value: Value<'a>) -> Result<Cow<'a, str>, Trouble> {
        match value {
            Value::Text(text) => Ok(text),
            Value::Number(number) => Ok(Cow::Owned(self.number_text(number))),
            Value::Date(at, date_only) => Ok(Cow::Owned(dates::default_text(at, date_only))),
            other => failed(format!("a string is wanted and there is a {}", other.kind())),
        }
    }

    /// What `${value}` prints. A missing value and a boolean print nothing (contract §4.2).
    pub fn printed<'v>(&self, value: &'v Value<'a>) -> Result<Cow<'v, str>, Trouble> {
        match value {
            Value::Missing | Value::Bool(_) => Ok(Cow::Borrowed("")),
            Value::Text(text) => Ok(Cow::Borrowed(text.as_ref())),
            Value::Number(number) => Ok(Cow::Owned(self.number_text(*number))),
            Value::Date(at, date_only) => Ok(Cow::Owned(dates::default_text(*at, *date_only))),
            other => failed(format!("a {} cannot be printed", other.kind())),
        }
    }

    fn number_text(&self, number: Decimal) -> String {
        if self.rendering.strict_numbers {
            builtins::number_format(number, "#,##0.###")
        } else {
            builtins::computer_number(number)
        }
    }

    /// A variable: loop variables, then the macro's locals, then the template's own, then the data.
    pub fn lookup(&mut self, name: &str) -> Value<'a> {
        let frame = self.frame();
        if let Some(round) = frame.loops.iter().rev().find(|round| round.name == name) {
            return round.value.clone();
        }
        if let Some(value) = frame.locals.get(name) {
            return value.clone();
        }
        if let Some(of) = name.strip_suffix("_has_next")
            && let Some(round) = frame.loops.iter().rev().find(|round| round.name == of)
        {
            return Value::Bool(round.has_next);
        }
        if let Some(of) = name.strip_suffix("_index")
            && let Some(round) = frame.loops.iter().rev().find(|round| round.name == of)
        {
            return Value::Number(Decimal::from(round.index));
        }
        match self.variables.get(name) {
            Some(value) => value.clone(),
            None => self.data.get(name),
        }
    }

    fn special(&mut self, name: &str) -> Result<Value<'a>, Trouble> {
        Ok(match name {
            "now" => Value::Date(self.now, false),
            "version" => Value::text("2.3.29"),
            "locale" => Value::text("en_US"),
            "output_encoding" | "url_escaping_charset" => Value::text("UTF-8"),
            other => return failed(format!("unknown special variable .{other}")),
        })
    }

    fn field(&mut self, target: &'a Expr, name: &str) -> Result<Value<'a>, Trouble> {
        match self.eval(target)? {
            Value::Hash(hash) => Ok(hash.get(name)),
            other => failed(format!(".{name} is asked of a {}", other.kind())),
        }
    }

    fn index(&mut self, target: &'a Expr, index: &'a Expr) -> Result<Value<'a>, Trouble> {
        let target = self.eval(target)?;
        if let Expr::Range(from, to, kind) = index {
            return self.slice(target, from, to.as_deref(), *kind);
        }
        let index = self.eval(index)?;
        match (target, index) {
            (Value::Hash(hash), Value::Text(key)) => Ok(hash.get(&key)),
            (Value::List(list), Value::Number(at)) => {
                let at = at.to_usize();
                Ok(at.and_then(|at| list.get(at)).cloned().unwrap_or(Value::Missing))
            }
            (Value::Text(text), Value::Number(at)) => match at.to_usize().and_then(|at| text.chars().nth(at))
            {
                Some(c) => Ok(Value::owned(c)),
                None => failed("the index is outside the string"),
            },
            (target, index) => failed(format!(
                "a {} cannot be indexed by a {}",
                target.kind(),
                index.kind()
            )),
        }
    }

    fn slice(
        &mut self,
        target: Value<'a>,
        from: &'a Expr,
        to: Option<&'a Expr>,
        kind: RangeKind,
    ) -> Result<Value<'a>, Trouble> {
        let size = match &target {
            Value::List(list) => list.len(),
            Value::Text(text) => text.chars().count(),
            other => return failed(format!("a {} cannot be cut", other.kind())),
        };
        let from = self.whole(from)?;
        let end = match to {
            None => i64::try_from(size).unwrap_or(i64::MAX),
            Some(to) => {
                let to = self.whole(to)?;
                match kind {
                    RangeKind::Inclusive => to + 1,
                    RangeKind::Exclusive => to,
                    RangeKind::Length => from
                        .saturating_add(to)
                        .min(i64::try_from(size).unwrap_or(i64::MAX)),
                }
            }
        };
        match (usize::try_from(from), usize::try_from(end)) {
            (Ok(from), Ok(end)) if from <= end && end <= size => Ok(match target {
                Value::List(list) => Value::list(list.iter().skip(from).take(end - from).cloned().collect()),
                Value::Text(text) => {
                    Value::owned(text.chars().skip(from).take(end - from).collect::<String>())
                }
                other => other,
            }),
            _ => failed("the range is outside of what it cuts"),
        }
    }

    /// A whole number.
    pub fn whole(&mut self, expression: &'a Expr) -> Result<i64, Trouble> {
        match self.eval(expression)? {
            Value::Number(number) => match number.to_i64().filter(|n| n.abs() <= LONGEST) {
                Some(number) => Ok(number),
                None => failed(format!("{number} is out of bounds here")),
            },
            other => failed(format!("a number is wanted and there is a {}", other.kind())),
        }
    }

    fn range(&mut self, from: &'a Expr, to: Option<&'a Expr>, kind: RangeKind) -> Result<Value<'a>, Trouble> {
        let from = self.whole(from)?;
        let Some(to) = to else {
            return failed("an endless range can only cut");
        };
        let to = self.whole(to)?;
        let numbers: Vec<i64> = match kind {
            RangeKind::Inclusive if from <= to => (from..=to).collect(),
            RangeKind::Inclusive => (to..=from).rev().collect(),
            RangeKind::Exclusive if from <= to => (from..to).collect(),
            RangeKind::Exclusive => (to + 1..=from).rev().collect(),
            RangeKind::Length if to >= 0 => (from..from.saturating_add(to)).collect(),
            RangeKind::Length => (from.saturating_add(to) + 1..=from).rev().collect(),
        };
        Ok(Value::list(numbers.into_iter().map(Value::integer).collect()))
    }

    fn call(&mut self, callee: &'a Expr, arguments: &'a [Expr]) -> Result<Value<'a>, Trouble> {
        let Value::Macro(MacroRef(function)) = self.eval(callee)? else {
            return failed("what is called is no function");
        };
        let mut values = Vec::new();
        for argument in arguments {
            values.push(self.eval(argument)?);
        }
        self.invoke(function, values, BTreeMap::new(), None)
    }

    /// Applies an operator to two values.
    pub fn binary(&self, op: Op, left: Value<'a>, right: Value<'a>) -> Result<Value<'a>, Trouble> {
        match op {
            Op::Equal => return Ok(Value::Bool(self.equal(&left, &right)?)),
            Op::Unequal => return Ok(Value::Bool(!self.equal(&left, &right)?)),
            Op::Less | Op::AtMost | Op::Greater | Op::AtLeast => {
                let order = match (&left, &right) {
                    (Value::Number(left), Value::Number(right)) => left.cmp(right),
                    (Value::Date(left, _), Value::Date(right, _)) => left.cmp(right),
                    _ => {
                        return failed(format!(
                            "a {} and a {} cannot be compared",
                            left.kind(),
                            right.kind()
                        ));
                    }
                };
                return Ok(Value::Bool(match op {
                    Op::Less => order == Ordering::Less,
                    Op::AtMost => order != Ordering::Greater,
                    Op::Greater => order == Ordering::Greater,
                    _ => order != Ordering::Less,
                }));
            }
            _ => {}
        }
        match (op, left, right) {
            (op, Value::Number(left), Value::Number(right)) => {
                let result = match op {
                    Op::Add => left.checked_add(right),
                    Op::Subtract => left.checked_sub(right),
                    Op::Multiply => left.checked_mul(right),
                    Op::Divide => left.checked_div(right),
                    Op::Remainder => left.trunc().checked_rem(right.trunc()),
                    _ => None,
                };
                result.map_or_else(
                    || failed("the arithmetic has no result"),
                    |number| Ok(Value::Number(number)),
                )
            }
            (Op::Add, Value::List(left), Value::List(right)) => {
                Ok(Value::list(left.iter().chain(right.iter()).cloned().collect()))
            }
            (Op::Add, Value::Hash(left), Value::Hash(right)) => {
                let mut sum = Record::default();
                for hash in [left, right] {
                    for key in hash.keys() {
                        let value = hash.get(&key);
                        sum.set(key, value);
                    }
                }
                Ok(Value::hash(sum))
            }
            (Op::Add, left, right) => {
                let mut text = self.text_of(left)?.into_owned();
                text.push_str(&self.text_of(right)?);
                Ok(Value::owned(text))
            }
            (_, left, right) => failed(format!(
                "no arithmetic on a {} and a {}",
                left.kind(),
                right.kind()
            )),
        }
    }

    /// `==`: only like can be compared with like.
    pub fn equal(&self, left: &Value<'a>, right: &Value<'a>) -> Result<bool, Trouble> {
        match (left, right) {
            (Value::Text(left), Value::Text(right)) => Ok(left == right),
            (Value::Number(left), Value::Number(right)) => Ok(left == right),
            (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
            (Value::Date(left, _), Value::Date(right, _)) => Ok(left == right),
            (left, right) => failed(format!(
                "a {} cannot be compared with a {}",
                left.kind(),
                right.kind()
            )),
        }
    }
}
