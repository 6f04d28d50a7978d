//! Built-ins on text.

use std::borrow::Cow;

use super::super::eval::LONGEST;
use super::super::exec::{Interpreter, Trouble, failed};
use super::super::syntax::Expr;
use super::super::value::Value;
use super::Builtin;

/// Applies a built-in on text.
pub fn apply<'a>(
    interpreter: &mut Interpreter<'a>,
    text: Cow<'a, str>,
    builtin: Builtin,
    arguments: &'a [Expr],
) -> Result<Value<'a>, Trouble> {
    use Builtin as B;
    let mut given = Vec::new();
    for argument in arguments {
        given.push(interpreter.eval_text(argument)?);
    }
    let first = given.first().map(String::as_str);
    let wanted = || first.map_or_else(|| failed("the built-in wants an argument"), Ok);
    Ok(match builtin {
        B::Length => Value::integer(i64::try_from(text.chars().count()).unwrap_or(i64::MAX)),
        B::Upper => Value::owned(text.to_uppercase()),
        B::Lower => Value::owned(text.to_lowercase()),
        B::CapFirst => Value::owned(first_letter(&text, |c| c.to_uppercase().collect())),
        B::UncapFirst => Value::owned(first_letter(&text, |c| c.to_lowercase().collect())),
        B::Capitalize => Value::owned(
            text.split(' ')
                .map(|word| first_letter(&word.to_lowercase(), |c| c.to_uppercase().collect()))
                .collect::<Vec<_>>()
                .join(" "),
        ),
        B::Trim => Value::owned(text.trim()),
        B::ChopLinebreak => Value::owned(
            text.strip_suffix("\r\n")
                .or_else(|| text.strip_suffix('\n'))
                .unwrap_or(&text),
        ),
        B::WordList => Value::list(text.split_whitespace().map(Value::owned).collect()),
        B::Contains => Value::Bool(text.contains(wanted()?)),
        B::StartsWith => Value::Bool(text.starts_with(wanted()?)),
        B::EndsWith => Value::Bool(text.ends_with(wanted()?)),
        B::IndexOf => position(&text, text.find(wanted()?)),
        B::LastIndexOf => position(&text, text.rfind(wanted()?)),
        B::RemoveBeginning => Value::owned(text.strip_prefix(wanted()?).unwrap_or(&text)),
        B::RemoveEnding => Value::owned(text.strip_suffix(wanted()?).unwrap_or(&text)),
        B::EnsureStartsWith if text.starts_with(wanted()?) => Value::Text(text),
        B::EnsureStartsWith => Value::owned(format!("{}{text}", wanted()?)),
        B::EnsureEndsWith if text.ends_with(wanted()?) => Value::Text(text),
        B::EnsureEndsWith => Value::owned(format!("{text}{}", wanted()?)),
        B::KeepBefore => Value::owned(
            text.split_once(wanted()?)
                .map_or(text.as_ref(), |(before, _)| before),
        ),
        B::KeepAfter => Value::owned(text.split_once(wanted()?).map_or("", |(_, after)| after)),
        B::KeepBeforeLast => Value::owned(
            text.rsplit_once(wanted()?)
                .map_or(text.as_ref(), |(before, _)| before),
        ),
        B::KeepAfterLast => Value::owned(text.rsplit_once(wanted()?).map_or("", |(_, after)| after)),
        B::Split => Value::list(text.split(wanted()?).map(Value::owned).collect()),
        B::Replace => replace(&text, &given)?,
        B::Substring => {
            let from = interpreter.whole(
                arguments
                    .first()
                    .map_or_else(|| failed("?substring wants a start"), Ok)?,
            )?;
            let to = match arguments.get(1) {
                Some(to) => interpreter.whole(to)?,
                None => LONGEST,
            };
            match (usize::try_from(from), usize::try_from(to - from)) {
                (Ok(from), Ok(count)) => {
                    Value::owned(text.chars().skip(from).take(count).collect::<String>())
                }
                _ => return failed("?substring is given a range that is none"),
            }
        }
        B::LeftPad | B::RightPad => {
            let width = interpreter.whole(
                arguments
                    .first()
                    .map_or_else(|| failed("the width is missing"), Ok)?,
            )?;
            let missing = usize::try_from(width)
                .unwrap_or(0)
                .saturating_sub(text.chars().count());
            let filler = given
                .get(1)
                .filter(|filler| !filler.is_empty())
                .map_or(" ", String::as_str);
            let padding: String = filler.chars().cycle().take(missing).collect();
            Value::owned(if builtin == B::LeftPad {
                padding + &text
            } else {
                text.into_owned() + &padding
            })
        }
        _ => return failed("this built-in does not work on a string"),
    })
}

fn first_letter(text: &str, change: impl Fn(char) -> String) -> String {
    let mut done = false;
    text.chars()
        .map(|c| {
            if done || c.is_whitespace() {
                c.to_string()
            } else {
                done = true;
                change(c)
            }
        })
        .collect()
}

fn position<'a>(text: &str, byte: Option<usize>) -> Value<'a> {
    let characters = byte
        .and_then(|byte| text.get(..byte))
        .map(|before| before.chars().count());
    Value::integer(
        characters
            .and_then(|count| i64::try_from(count).ok())
            .unwrap_or(-1),
    )
}

/// `?replace(from, to, flags)`: `i` and `f` are known; `r` (regular expressions) is known for the one pattern that
/// templates use it for, runs of white space or line breaks, and refused otherwise.
fn replace<'a>(text: &str, given: &[String]) -> Result<Value<'a>, Trouble> {
    let [from, to, flags @ ..] = given else {
        return failed("?replace wants two arguments");
    };
    let flags = flags.first().map_or("", String::as_str);
    if flags.contains('r') {
        let hit: fn(char) -> bool = match from.as_str() {
            r"\s+" | r"\s" => char::is_whitespace,
            r"[\r\n]+" | r"[\n\r]+" | r"\R+" => |c| matches!(c, '\r' | '\n'),
            other => {
                return failed(format!(
                    "the regular expression `{other}` is not known to this stand-in"
                ));
            }
        };
        let runs = from.ends_with('+');
        let mut out = String::with_capacity(text.len());
        let mut in_run = false;
        for c in text.chars() {
            if hit(c) {
                if !in_run || !runs {
                    out.push_str(to);
                }
                in_run = true;
            } else {
                in_run = false;
                out.push(c);
            }
        }
        return Ok(Value::owned(out));
    }
    if flags.contains('i') {
        return failed("?replace without case is not known to this stand-in");
    }
    let count = if flags.contains('f') { 1 } else { usize::MAX };
    Ok(Value::owned(text.replacen(from.as_str(), to, count)))
}
