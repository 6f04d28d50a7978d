//! The built-ins (`x?name`), by what they work on.

mod escapes;
mod numbers;
mod sequences;
mod texts;

pub use numbers::{computer_number, number_format};

use super::dates;
use super::exec::{Interpreter, Trouble, failed};
use super::syntax::Expr;
use super::value::Value;

macro_rules! builtins {
    ($($variant:ident = $($name:literal)|+;)*) => {
        /// A built-in this interpreter has.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Builtin { $($variant,)* }

        impl Builtin {
            /// The built-in of that name.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($($name)|+ => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

builtins! {
    // what it is, whether it is there
    HasContent = "has_content" | "hasContent"; Exists = "exists"; IfExists = "if_exists" | "ifExists"; Default = "default";
    IsBoolean = "is_boolean" | "isBoolean"; IsNumber = "is_number" | "isNumber"; IsString = "is_string" | "isString";
    IsSequence = "is_sequence" | "isSequence" | "is_enumerable" | "isEnumerable" | "is_indexable" | "isIndexable" | "is_collection" | "isCollection";
    IsHash = "is_hash" | "isHash" | "is_hash_ex" | "isHashEx"; IsDate = "is_date" | "isDate" | "is_date_like" | "isDateLike" | "is_datetime";
    IsMacro = "is_macro" | "isMacro" | "is_directive" | "isDirective";
    // booleans and choices
    Then = "then"; Switch = "switch"; C = "c" | "cn"; String = "string"; Boolean = "boolean"; Number = "number";
    // loops
    Index = "index"; Counter = "counter"; HasNext = "has_next" | "hasNext"; IsFirst = "is_first" | "isFirst"; IsLast = "is_last" | "isLast";
    // escapes
    JsonString = "json_string" | "jsonString"; JsString = "js_string" | "jsString"; JavaString = "j_string" | "jString";
    Html = "html" | "web_safe" | "webSafe"; Xml = "xml" | "xhtml"; Rtf = "rtf"; Url = "url" | "url_path" | "urlPath"; Escaped = "no_esc" | "noEsc" | "esc";
    // texts
    Length = "length"; Upper = "upper_case" | "upperCase" | "upper_abc"; Lower = "lower_case" | "lowerCase"; CapFirst = "cap_first" | "capFirst"; UncapFirst = "uncap_first" | "uncapFirst";
    Capitalize = "capitalize"; Trim = "trim"; Replace = "replace"; Split = "split"; Contains = "contains"; StartsWith = "starts_with" | "startsWith";
    EndsWith = "ends_with" | "endsWith"; IndexOf = "index_of" | "indexOf"; LastIndexOf = "last_index_of" | "lastIndexOf"; Substring = "substring";
    LeftPad = "left_pad" | "leftPad"; RightPad = "right_pad" | "rightPad"; ChopLinebreak = "chop_linebreak" | "chopLinebreak"; WordList = "word_list" | "wordList";
    KeepBefore = "keep_before" | "keepBefore"; KeepAfter = "keep_after" | "keepAfter"; KeepBeforeLast = "keep_before_last" | "keepBeforeLast";
    KeepAfterLast = "keep_after_last" | "keepAfterLast"; RemoveBeginning = "remove_beginning" | "removeBeginning"; RemoveEnding = "remove_ending" | "removeEnding";
    EnsureStartsWith = "ensure_starts_with" | "ensureStartsWith"; EnsureEndsWith = "ensure_ends_with" | "ensureEndsWith";
    // dates
    Date = "date"; DateTime = "datetime" | "datetime_if_unknown"; Time = "time"; Iso = "iso_utc" | "isoUtc" | "iso";
    // numbers
    Abs = "abs"; Round = "round"; Floor = "floor"; Ceiling = "ceiling"; Whole = "int" | "long";
    // sequences and hashes
    Size = "size"; First = "first"; Last = "last"; Reverse = "reverse"; Join = "join"; Sort = "sort"; SortBy = "sort_by" | "sortBy"; Keys = "keys"; Values = "values";
    SeqContains = "seq_contains" | "seqContains"; SeqIndexOf = "seq_index_of" | "seqIndexOf"; Chunk = "chunk"; Min = "min"; Max = "max";
    Map = "map"; Filter = "filter"; TakeWhile = "take_while" | "takeWhile"; DropWhile = "drop_while" | "dropWhile"; Sequence = "sequence";
}

/// A built-in's operand and arguments.
type Arguments<'a> = Option<&'a [Expr]>;

/// Applies `builtin` to `target`.
pub fn apply<'a>(
    interpreter: &mut Interpreter<'a>,
    target: &'a Expr,
    builtin: Builtin,
    arguments: Arguments<'a>,
) -> Result<Value<'a>, Trouble> {
    use Builtin as B;
    match builtin {
        B::HasContent => return Ok(Value::Bool(interpreter.forgiving(target)?.has_content())),
        B::Exists => {
            return Ok(Value::Bool(!matches!(
                interpreter.forgiving(target)?,
                Value::Missing
            )));
        }
        B::IfExists => {
            return Ok(match interpreter.forgiving(target)? {
                Value::Missing => Value::text(""),
                value => value,
            });
        }
        B::Default => {
            let value = interpreter.forgiving(target)?;
            if !matches!(value, Value::Missing) {
                return Ok(value);
            }
            for fallback in arguments.unwrap_or_default() {
                let value = interpreter.eval(fallback)?;
                if !matches!(value, Value::Missing) {
                    return Ok(value);
                }
            }
            return Ok(Value::Missing);
        }
        B::Then => {
            let chosen = if interpreter.eval_bool(target)? { 0 } else { 1 };
            return match arguments.and_then(|arguments| arguments.get(chosen)) {
                Some(chosen) => interpreter.eval(chosen),
                None => failed("?then wants two arguments"),
            };
        }
        B::Index | B::Counter | B::HasNext | B::IsFirst | B::IsLast => {
            return loop_builtin(interpreter, target, builtin);
        }
        _ => {}
    }
    let value = interpreter.eval(target)?;
    match builtin {
        B::IsBoolean => Ok(Value::Bool(matches!(value, Value::Bool(_)))),
        B::IsNumber => Ok(Value::Bool(matches!(value, Value::Number(_)))),
        B::IsString => Ok(Value::Bool(matches!(value, Value::Text(_)))),
        B::IsSequence => Ok(Value::Bool(matches!(value, Value::List(_)))),
        B::IsHash => Ok(Value::Bool(matches!(value, Value::Hash(_)))),
        B::IsDate => Ok(Value::Bool(matches!(value, Value::Date(..)))),
        B::IsMacro => Ok(Value::Bool(matches!(value, Value::Macro(_)))),
        B::Switch => switch(interpreter, &value, arguments.unwrap_or_default()),
        B::C => match value {
            Value::Bool(flag) => Ok(Value::text(if flag { "true" } else { "false" })),
            Value::Number(number) => Ok(Value::owned(computer_number(number))),
            other => failed(format!(
                "?c wants a number or a boolean and has a {}",
                other.kind()
            )),
        },
        B::String => string(interpreter, value, arguments),
        B::Boolean => match value {
            Value::Bool(_) => Ok(value),
            Value::Text(text) if text == "true" => Ok(Value::Bool(true)),
            Value::Text(text) if text == "false" => Ok(Value::Bool(false)),
            other => failed(format!(
                "?boolean wants \"true\" or \"false\" and has a {}",
                other.kind()
            )),
        },
        B::Date | B::DateTime | B::Time => date(interpreter, value, builtin, arguments),
        B::Iso => match value {
            Value::Date(at, date_only) => Ok(Value::owned(
                dates::format(at, date_only, "iso").unwrap_or_default(),
            )),
            other => failed(format!("?iso_utc wants a date and has a {}", other.kind())),
        },
        B::Number | B::Abs | B::Round | B::Floor | B::Ceiling | B::Whole => numbers::apply(value, builtin),
        B::Size
        | B::First
        | B::Last
        | B::Reverse
        | B::Join
        | B::Sort
        | B::SortBy
        | B::Keys
        | B::Values
        | B::SeqContains
        | B::SeqIndexOf
        | B::Chunk
        | B::Min
        | B::Max
        | B::Map
        | B::Filter
        | B::TakeWhile
        | B::DropWhile
        | B::Sequence => sequences::apply(interpreter, value, builtin, arguments.unwrap_or_default()),
        B::JsonString | B::JsString | B::JavaString | B::Html | B::Xml | B::Rtf | B::Url | B::Escaped => {
            // Like all built-ins on strings, these take numbers and dates, too.
            Ok(Value::Text(escapes::apply(interpreter.text_of(value)?, builtin)))
        }
        _ => {
            let text = interpreter.text_of(value)?;
            texts::apply(interpreter, text, builtin, arguments.unwrap_or_default())
        }
    }
}

/// `?string.name`.
pub fn formatted<'a>(value: &Value<'a>, format: &str) -> Result<Value<'a>, Trouble> {
    match (value, format) {
        (Value::Number(number), "number") => Ok(Value::owned(number_format(*number, "#,##0.###"))),
        (Value::Number(number), "computer") => Ok(Value::owned(computer_number(*number))),
        (Value::Number(number), pattern) => Ok(Value::owned(number_format(*number, pattern))),
        (Value::Date(at, date_only), "iso" | "xs") => Ok(Value::owned(
            dates::format(*at, *date_only, "iso").unwrap_or_default(),
        )),
        (Value::Date(at, date_only), _) => Ok(Value::owned(dates::default_text(*at, *date_only))),
        (other, _) => failed(format!(
            "?string.{format} wants a number or a date and has a {}",
            other.kind()
        )),
    }
}

fn loop_builtin<'a>(
    interpreter: &mut Interpreter<'a>,
    target: &'a Expr,
    builtin: Builtin,
) -> Result<Value<'a>, Trouble> {
    let Expr::Name(name) = target else {
        return failed("a loop variable is wanted");
    };
    let Some(round) = interpreter
        .frame()
        .loops
        .iter()
        .rev()
        .find(|round| round.name == name)
    else {
        return failed(format!("{name} is no loop variable"));
    };
    let index = i64::try_from(round.index).unwrap_or(i64::MAX);
    Ok(match builtin {
        Builtin::Index => Value::integer(index),
        Builtin::Counter => Value::integer(index + 1),
        Builtin::HasNext => Value::Bool(round.has_next),
        Builtin::IsFirst => Value::Bool(index == 0),
        _ => Value::Bool(!round.has_next),
    })
}

fn switch<'a>(
    interpreter: &mut Interpreter<'a>,
    on: &Value<'a>,
    arguments: &'a [Expr],
) -> Result<Value<'a>, Trouble> {
    for pair in arguments.chunks(2) {
        match pair {
            [case, result] => {
                let case = interpreter.eval(case)?;
                if interpreter.equal(on, &case)? {
                    return interpreter.eval(result);
                }
            }
            [default] => return interpreter.eval(default),
            _ => {}
        }
    }
    failed("?switch met no case and has no default")
}

fn string<'a>(
    interpreter: &mut Interpreter<'a>,
    value: Value<'a>,
    arguments: Arguments<'a>,
) -> Result<Value<'a>, Trouble> {
    match (value, arguments.unwrap_or_default()) {
        (Value::Bool(flag), [yes, no]) => interpreter.eval(if flag { yes } else { no }),
        (Value::Bool(flag), []) => Ok(Value::text(if flag { "true" } else { "false" })),
        (Value::Number(number), [pattern]) => {
            let pattern = interpreter.eval_text(pattern)?;
            formatted(&Value::Number(number), &pattern)
        }
        (Value::Date(at, date_only), [pattern]) => {
            let pattern = interpreter.eval_text(pattern)?;
            match dates::format(at, date_only, &pattern) {
                Some(text) => Ok(Value::owned(text)),
                None => failed(format!("`{pattern}` is no date pattern")),
            }
        }
        (value, []) => Ok(Value::Text(interpreter.text_of(value)?)),
        (value, _) => failed(format!(
            "?string does not take these arguments on a {}",
            value.kind()
        )),
    }
}

fn date<'a>(
    interpreter: &mut Interpreter<'a>,
    value: Value<'a>,
    builtin: Builtin,
    arguments: Arguments<'a>,
) -> Result<Value<'a>, Trouble> {
    let date_only = builtin == Builtin::Date;
    match value {
        Value::Date(at, _) => Ok(Value::Date(at, date_only)),
        Value::Text(text) => {
            let pattern = match arguments.and_then(<[Expr]>::first) {
                Some(pattern) => Some(interpreter.eval_text(pattern)?),
                None => None,
            };
            match dates::parse(&text, pattern.as_deref()) {
                Some(at) => Ok(Value::Date(at, date_only)),
                None => failed("the text is no date of that pattern"),
            }
        }
        other => failed(format!("a date is wanted and there is a {}", other.kind())),
    }
}
