//! Built-ins on sequences and hashes.

use std::cmp::Ordering;

use super::super::exec::{Interpreter, LoopVariable, Trouble, failed};
use super::super::syntax::Expr;
use super::super::value::Value;
use super::Builtin;

/// Applies a built-in on sequences and hashes.
pub fn apply<'a>(
    interpreter: &mut Interpreter<'a>,
    value: Value<'a>,
    builtin: Builtin,
    arguments: &'a [Expr],
) -> Result<Value<'a>, Trouble> {
    use Builtin as B;
    let list = match (value, builtin) {
        (Value::List(list), _) => list,
        (Value::Hash(hash), B::Size) => {
            return Ok(Value::integer(
                i64::try_from(hash.keys().len()).unwrap_or(i64::MAX),
            ));
        }
        (Value::Hash(hash), B::Keys) => {
            return Ok(Value::list(hash.keys().into_iter().map(Value::owned).collect()));
        }
        (Value::Hash(hash), B::Values) => {
            return Ok(Value::list(hash.keys().iter().map(|key| hash.get(key)).collect()));
        }
        (other, _) => return failed(format!("a sequence is wanted and there is a {}", other.kind())),
    };
    Ok(match builtin {
        B::Size => Value::integer(i64::try_from(list.len()).unwrap_or(i64::MAX)),
        B::First => list.first().cloned().unwrap_or(Value::Missing),
        B::Last => list.last().cloned().unwrap_or(Value::Missing),
        B::Reverse => Value::list(list.iter().rev().cloned().collect()),
        B::Join => {
            let texts = arguments
                .iter()
                .map(|argument| interpreter.eval_text(argument))
                .collect::<Result<Vec<_>, _>>()?;
            let separator = texts.first().map_or("", String::as_str);
            if list.is_empty() {
                return Ok(Value::owned(texts.get(1).cloned().unwrap_or_default()));
            }
            let mut joined = String::new();
            for (index, item) in list.iter().enumerate() {
                if index > 0 {
                    joined.push_str(separator);
                }
                joined.push_str(&interpreter.text_of(item.clone())?);
            }
            joined.push_str(texts.get(2).map_or("", String::as_str));
            Value::owned(joined)
        }
        B::Sort => sorted(list.iter().map(|item| (item.clone(), item.clone())).collect()),
        B::SortBy => {
            let Some(key) = arguments.first() else {
                return failed("?sort_by wants a name");
            };
            let key = interpreter.eval_text(key)?;
            sorted(
                list.iter()
                    .map(|item| match item {
                        Value::Hash(hash) => (hash.get(&key), item.clone()),
                        other => (Value::Missing, other.clone()),
                    })
                    .collect(),
            )
        }
        B::SeqContains | B::SeqIndexOf => {
            let Some(wanted) = arguments.first() else {
                return failed("what is sought is missing");
            };
            let wanted = interpreter.eval(wanted)?;
            // Elements of another kind are not found, and no error.
            let found = list
                .iter()
                .position(|item| interpreter.equal(item, &wanted).unwrap_or(false));
            if builtin == B::SeqContains {
                Value::Bool(found.is_some())
            } else {
                Value::integer(found.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1))
            }
        }
        B::Chunk => {
            let size = match arguments.first() {
                Some(size) => usize::try_from(interpreter.whole(size)?).unwrap_or(0),
                None => 0,
            };
            if size == 0 {
                return failed("?chunk wants a size above zero");
            }
            Value::list(
                list.chunks(size)
                    .map(|chunk| Value::list(chunk.to_vec()))
                    .collect(),
            )
        }
        B::Min | B::Max => {
            let Value::List(ordered) = sorted(list.iter().map(|item| (item.clone(), item.clone())).collect())
            else {
                return Ok(Value::Missing);
            };
            let end = if builtin == B::Min {
                ordered.first()
            } else {
                ordered.last()
            };
            end.cloned().unwrap_or(Value::Missing)
        }
        B::Map | B::Filter | B::TakeWhile | B::DropWhile => {
            return by_lambda(interpreter, &list, builtin, arguments);
        }
        B::Sequence => Value::List(list),
        _ => return failed("this built-in does not work on a sequence"),
    })
}

fn sorted<'a>(mut items: Vec<(Value<'a>, Value<'a>)>) -> Value<'a> {
    items.sort_by(|(left, _), (right, _)| match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.cmp(right),
        (Value::Text(left), Value::Text(right)) => left
            .to_lowercase()
            .cmp(&right.to_lowercase())
            .then_with(|| left.cmp(right)),
        (Value::Date(left, _), Value::Date(right, _)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        _ => Ordering::Equal,
    });
    Value::list(items.into_iter().map(|(_, item)| item).collect())
}

fn by_lambda<'a>(
    interpreter: &mut Interpreter<'a>,
    list: &[Value<'a>],
    builtin: Builtin,
    arguments: &'a [Expr],
) -> Result<Value<'a>, Trouble> {
    let Some(Expr::Lambda(names, body)) = arguments.first() else {
        return failed("a lambda is wanted: x -> ..");
    };
    let Some(name) = names.first() else {
        return failed("the lambda has no parameter");
    };
    let mut kept = Vec::new();
    let mut dropping = true;
    for item in list {
        let round = LoopVariable {
            name,
            value: item.clone(),
            index: 0,
            has_next: false,
        };
        interpreter.frame().loops.push(round);
        let result = interpreter.eval(body);
        interpreter.frame().loops.pop();
        let result = result?;
        if builtin == Builtin::Map {
            kept.push(result);
            continue;
        }
        let Value::Bool(holds) = result else {
            return failed("the lambda must yield a boolean");
        };
        match builtin {
            Builtin::TakeWhile if !holds => break,
            Builtin::DropWhile => {
                dropping &= holds;
                if !dropping {
                    kept.push(item.clone());
                }
            }
            _ if holds => kept.push(item.clone()),
            _ => {}
        }
    }
    Ok(Value::list(kept))
}
