//! Escapes: what makes text safe inside JSON, JavaScript, HTML, XML.

use std::borrow::Cow;
use std::fmt::Write;

use super::Builtin;

/// Applies an escape; text that needs none is not copied.
pub fn apply(text: Cow<'_, str>, builtin: Builtin) -> Cow<'_, str> {
    match builtin {
        Builtin::JsonString => script(text, true),
        Builtin::JsString => script(text, false),
        Builtin::JavaString => mapped(text, |c| match c {
            '"' => Some("\\\""),
            '\\' => Some("\\\\"),
            '\n' => Some("\\n"),
            '\r' => Some("\\r"),
            '\t' => Some("\\t"),
            _ => None,
        }),
        Builtin::Html => mapped(text, |c| match c {
            '<' => Some("&lt;"),
            '>' => Some("&gt;"),
            '&' => Some("&amp;"),
            '"' => Some("&quot;"),
            '\'' => Some("&#39;"),
            _ => None,
        }),
        Builtin::Xml => mapped(text, |c| match c {
            '<' => Some("&lt;"),
            '>' => Some("&gt;"),
            '&' => Some("&amp;"),
            '"' => Some("&quot;"),
            '\'' => Some("&apos;"),
            _ => None,
        }),
        Builtin::Rtf => mapped(text, |c| match c {
            '\\' => Some("\\\\"),
            '{' => Some("\\{"),
            '}' => Some("\\}"),
            _ => None,
        }),
        Builtin::Url => url(text),
        _ => text,
    }
}

fn mapped(text: Cow<'_, str>, escape: fn(char) -> Option<&'static str>) -> Cow<'_, str> {
    if !text.chars().any(|c| escape(c).is_some()) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match escape(c) {
            Some(escaped) => out.push_str(escaped),
            None => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn url(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'_' | b'-' | b'.' | b'~' | b'!' | b'*' | b'\'' | b'(' | b')'
            )
        {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    Cow::Owned(out)
}

/// `?json_string` and `?js_string`, by the rules of FreeMarker's own encoder: besides quotes, backslashes and control
/// characters it defuses `</`, `]]>`, `-->`, `<!`, `<?`. `?js_string` makes `\'` and `\>`, which JSON does not know.
fn script(text: Cow<'_, str>, json: bool) -> Cow<'_, str> {
    let harmless =
        |c: char| (c > '>' && c < '\u{7f}' && c != '\\') || c == ' ' || ('\u{a0}'..'\u{2028}').contains(&c);
    if text
        .chars()
        .all(|c| harmless(c) || c.is_ascii_alphanumeric() || matches!(c, ',' | '.' | ':' | '-' | '+'))
    {
        return text;
    }
    let mut out = String::with_capacity(text.len() + text.len() / 8 + 8);
    let mut before: [Option<char>; 2] = [None, None];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let [previous, last] = before;
        before = [last, Some(c)];
        match c {
            c if harmless(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '"' => out.push_str("\\\""),
            '\'' if !json => out.push_str("\\'"),
            '\\' => out.push_str("\\\\"),
            '/' if matches!(last, None | Some('<')) => out.push_str("\\/"),
            '>' => {
                let dangerous = match (previous, last) {
                    (_, None) => true,
                    (None, Some(']' | '-')) => true,
                    (Some(a), Some(b)) => a == b && matches!(b, ']' | '-'),
                    _ => false,
                };
                match (dangerous, json) {
                    (false, _) => out.push('>'),
                    (true, true) => out.push_str("\\u003E"),
                    (true, false) => out.push_str("\\>"),
                }
            }
            '<' => match (matches!(chars.peek(), None | Some('!' | '?')), json) {
                (false, _) => out.push('<'),
                (true, true) => out.push_str("\\u003C"),
                (true, false) => out.push_str("\\x3C"),
            },
            c if c < ' ' || ('\u{7f}'..='\u{9f}').contains(&c) || matches!(c, '\u{2028}' | '\u{2029}') => {
                let code = u32::from(c);
                // Writing to a String cannot fail.
                let _ = if json || code > 0xff {
                    write!(out, "\\u{code:04X}")
                } else {
                    write!(out, "\\x{code:02X}")
                };
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_strings_are_those_of_the_real_engine() {
        let check = |text: &str, expected: &str| assert_eq!(script(text.into(), true), expected, "{text:?}");
        check("plain text, 12.5", "plain text, 12.5");
        check("a\"b\\c\nd\te", "a\\\"b\\\\c\\nd\\te");
        check("</script>", "<\\/script>");
        check("]]> --> <!-- <?", "]]\\u003E --\\u003E \\u003C!-- \\u003C?");
        check("it's > 3", "it's > 3");
        check("\u{1}\u{85}\u{2028}", "\\u0001\\u0085\\u2028");
        check("שלום 🚀", "שלום 🚀");
    }

    #[test]
    fn js_strings_are_not_json() {
        assert_eq!(script("it's ]]>".into(), false), "it\\'s ]]\\>");
    }
}
