//! Literals: strings (with their escapes and interpolations), numbers, sequences, hashes.

use rust_decimal::Decimal;

use super::super::syntax::Expr;
use super::super::{TemplateError, lexer, parser};
use super::{DEEPEST, Reader};

impl Reader<'_> {
    pub(super) fn list_literal(&mut self) -> Result<Expr, TemplateError> {
        let mut items = Vec::new();
        while !self.take("]") {
            items.push(self.expression()?);
            if !self.take(",") {
                self.expect("]")?;
                break;
            }
        }
        Ok(Expr::List(items))
    }

    pub(super) fn hash_literal(&mut self) -> Result<Expr, TemplateError> {
        let mut items = Vec::new();
        while !self.take("}") {
            let key = self.expression()?;
            if !self.take(":") {
                self.expect(",")?;
            }
            items.push((key, self.expression()?));
            if !self.take(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(Expr::Hash(items))
    }

    pub(super) fn number(&mut self) -> Result<Expr, TemplateError> {
        let rest = self.rest();
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let whole = digits(rest);
        let fraction = match rest.get(whole..).and_then(|after| after.strip_prefix('.')) {
            Some(after) if digits(after) > 0 => 1 + digits(after),
            _ => 0,
        };
        let text = rest.get(..whole + fraction).unwrap_or_default();
        self.position += text.len();
        match text.parse::<Decimal>() {
            Ok(number) => Ok(Expr::Number(number)),
            Err(_) => self.error(format!("`{text}` is too large a number")),
        }
    }

    pub(super) fn raw_literal(&mut self) -> Result<Expr, TemplateError> {
        let quote = self.rest().chars().nth(1).unwrap_or('"');
        let inner = self.rest().get(2..).unwrap_or_default();
        let Some(end) = inner.find(quote) else {
            return self.error("unclosed string");
        };
        self.position += 2 + end + 1;
        Ok(Expr::Text(inner.get(..end).unwrap_or_default().to_owned()))
    }

    pub(super) fn literal(&mut self) -> Result<Expr, TemplateError> {
        let rest = self.rest();
        let mut chars = rest.char_indices();
        let quote = chars.next().map_or('"', |(_, quote)| quote);
        let mut text = String::new();
        let mut interpolated = false;
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.position += at + c.len_utf8();
                if !interpolated {
                    return Ok(Expr::Text(text));
                }
                self.depth += 1;
                if self.depth > DEEPEST {
                    return self.error("nested too deep");
                }
                let nodes = parser::nodes(lexer::literal(&text)?)?;
                self.depth -= 1;
                return Ok(Expr::Interpolated(nodes));
            }
            if c != '\\' {
                interpolated |= c == '$' && rest.get(at + 1..).is_some_and(|after| after.starts_with('{'));
                text.push(c);
                continue;
            }
            let Some((_, escape)) = chars.next() else { break };
            match escape {
                'n' => text.push('\n'),
                'r' => text.push('\r'),
                't' => text.push('\t'),
                'f' => text.push('\u{c}'),
                'b' => text.push('\u{8}'),
                'g' => text.push('>'),
                'l' => text.push('<'),
                'a' => text.push('&'),
                '"' | '\'' | '\\' | '{' | '=' => text.push(escape),
                'x' => {
                    let digits: String = chars
                        .clone()
                        .map(|(_, c)| c)
                        .take_while(char::is_ascii_hexdigit)
                        .take(4)
                        .collect();
                    for _ in digits.chars() {
                        chars.next();
                    }
                    match u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32) {
                        Some(c) => text.push(c),
                        None => return self.error("`\\x` wants a hexadecimal character code"),
                    }
                }
                other => return self.error(format!("`\\{other}` is no escape")),
            }
        }
        self.error("unclosed string")
    }
}
