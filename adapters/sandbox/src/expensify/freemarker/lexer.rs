//! From source to tokens, with FreeMarker's white-space stripping: a line that holds tags and otherwise only white
//! space leaves nothing behind.

use super::TemplateError;

/// A token of the template's outer layer; the inside of tags and interpolations is still source.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    Text(String),
    /// `${..}`.
    Print {
        source: String,
        line: usize,
    },
    /// `<#name arguments>`.
    Open {
        name: String,
        arguments: String,
        line: usize,
    },
    /// `</#name>`.
    Close {
        name: String,
        line: usize,
    },
    /// `<@callee arguments>`; empty is `<@ ../>`.
    Call {
        source: String,
        empty: bool,
        line: usize,
    },
    /// `</@..>`.
    CallEnd {
        line: usize,
    },
    Comment,
}

/// Splits a template into tokens.
pub fn tokens(source: &str) -> Result<Vec<Token>, TemplateError> {
    let mut lexer = Lexer {
        source,
        position: 0,
        tokens: Vec::new(),
    };
    lexer.run()?;
    Ok(strip_white_space(lexer.tokens))
}

/// Splits the inside of a string literal, where only interpolations count.
pub fn literal(source: &str) -> Result<Vec<Token>, TemplateError> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        push_text(&mut tokens, before);
        let inner = from.get(2..).unwrap_or_default();
        let end = end_of_interpolation(inner).ok_or_else(|| TemplateError::Parse {
            line: 1,
            why: format!("unclosed ${{ in \"{source}\""),
        })?;
        let (expression, after) = inner.split_at(end);
        tokens.push(Token::Print {
            source: expression.to_owned(),
            line: 1,
        });
        rest = after.get(1..).unwrap_or_default();
    }
    push_text(&mut tokens, rest);
    Ok(tokens)
}

fn push_text(tokens: &mut Vec<Token>, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(Token::Text(last)) = tokens.last_mut() {
        last.push_str(text);
    } else {
        tokens.push(Token::Text(text.to_owned()));
    }
}

struct Lexer<'s> {
    source: &'s str,
    position: usize,
    tokens: Vec<Token>,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.position..).unwrap_or_default()
    }

    fn line(&self) -> usize {
        let before = self.source.get(..self.position).unwrap_or_default();
        before.bytes().filter(|byte| *byte == b'\n').count() + 1
    }

    fn error<T>(&self, why: impl Into<String>) -> Result<T, TemplateError> {
        Err(TemplateError::Parse {
            line: self.line(),
            why: why.into(),
        })
    }

    fn run(&mut self) -> Result<(), TemplateError> {
        const STARTS: [&str; 6] = ["${", "<#", "</#", "<@", "</@", "#{"];
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                return Ok(());
            }
            let next = STARTS
                .iter()
                .filter_map(|start| rest.find(start))
                .min()
                .unwrap_or(rest.len());
            let (text, found) = rest.split_at(next);
            push_text(&mut self.tokens, text);
            self.position += next;
            if found.starts_with("${") || found.starts_with("#{") {
                self.interpolation()?;
            } else if found.starts_with("<#--") {
                self.comment()?;
            } else if found.starts_with("<#") {
                self.open()?;
            } else if found.starts_with("</#") {
                let name = self.closing(3)?;
                self.tokens.push(Token::Close {
                    name,
                    line: self.line(),
                });
            } else if found.starts_with("<@") {
                self.call()?;
            } else if found.starts_with("</@") {
                self.closing(3)?;
                self.tokens.push(Token::CallEnd { line: self.line() });
            }
        }
    }

    fn interpolation(&mut self) -> Result<(), TemplateError> {
        let line = self.line();
        let inner = self.rest().get(2..).unwrap_or_default();
        let Some(end) = end_of_interpolation(inner) else {
            return self.error("unclosed interpolation: } is missing");
        };
        let source = inner.get(..end).unwrap_or_default().to_owned();
        self.tokens.push(Token::Print { source, line });
        self.position += 2 + end + 1;
        Ok(())
    }

    fn comment(&mut self) -> Result<(), TemplateError> {
        let Some(end) = self.rest().find("-->") else {
            return self.error("unclosed comment: --> is missing");
        };
        self.tokens.push(Token::Comment);
        self.position += end + 3;
        Ok(())
    }

    /// The inside of a tag whose opening is `skip` bytes long; moves behind its `>`.
    fn tag(&mut self, skip: usize) -> Result<(String, bool), TemplateError> {
        let inner = self.rest().get(skip..).unwrap_or_default();
        let Some(end) = end_of_tag(inner) else {
            return self.error("unclosed tag: > is missing");
        };
        let inside = inner.get(..end).unwrap_or_default();
        let closed = inside.ends_with('/');
        let inside = inside.strip_suffix('/').unwrap_or(inside).to_owned();
        self.position += skip + end + 1;
        Ok((inside, closed))
    }

    fn open(&mut self) -> Result<(), TemplateError> {
        let line = self.line();
        let (inside, _) = self.tag(2)?;
        let name_end = inside
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(inside.len());
        let (name, arguments) = inside.split_at(name_end);
        if name == "noparse" {
            let Some(end) = self.rest().find("</#noparse>") else {
                return self.error("unclosed <#noparse>");
            };
            let text = self.rest().get(..end).unwrap_or_default().to_owned();
            push_text(&mut self.tokens, &text);
            self.position += end + "</#noparse>".len();
            return Ok(());
        }
        self.tokens.push(Token::Open {
            name: name.to_owned(),
            arguments: arguments.to_owned(),
            line,
        });
        Ok(())
    }

    fn call(&mut self) -> Result<(), TemplateError> {
        let line = self.line();
        let (source, empty) = self.tag(2)?;
        self.tokens.push(Token::Call { source, empty, line });
        Ok(())
    }

    fn closing(&mut self, skip: usize) -> Result<String, TemplateError> {
        let (inside, _) = self.tag(skip)?;
        Ok(inside.trim().to_owned())
    }
}

/// Where the `}` of an interpolation is.
fn end_of_interpolation(inner: &str) -> Option<usize> {
    scan(inner, |byte, depth| byte == b'}' && depth == 0)
}

/// Where the `>` of a tag is: the first one outside strings and brackets. (So `<#if a > b>` ends early, as in FreeMarker.)
fn end_of_tag(inner: &str) -> Option<usize> {
    scan(inner, |byte, depth| byte == b'>' && depth == 0)
}

fn scan(source: &str, is_end: impl Fn(u8, usize) -> bool) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    let mut raw = false;
    let mut previous = b' ';
    for (at, byte) in source.bytes().enumerate() {
        if let Some(open) = quote {
            if escaped {
                escaped = false;
            } else if byte == b'\\' && !raw {
                escaped = true;
            } else if byte == open {
                quote = None;
            }
            continue;
        }
        if is_end(byte, depth) {
            return Some(at);
        }
        match byte {
            b'"' | b'\'' => {
                quote = Some(byte);
                raw = previous == b'r';
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        previous = byte;
    }
    None
}

/// Applies the stripping of lines that hold only tags, and `<#t>`, `<#lt>`, `<#rt>`, `<#nt>`.
fn strip_white_space(tokens: Vec<Token>) -> Vec<Token> {
    let mut stripped = Vec::with_capacity(tokens.len());
    let mut line = Vec::new();
    for token in tokens {
        let Token::Text(text) = token else {
            line.push(token);
            continue;
        };
        for piece in text.split_inclusive('\n') {
            line.push(Token::Text(piece.to_owned()));
            if piece.ends_with('\n') {
                finish_line(&mut line, &mut stripped);
            }
        }
    }
    finish_line(&mut line, &mut stripped);
    stripped
}

fn finish_line(line: &mut Vec<Token>, into: &mut Vec<Token>) {
    let trims = |names: &[&str]| {
        line.iter()
            .any(|token| matches!(token, Token::Open { name, .. } if names.contains(&name.as_str())))
    };
    let has_tag = line
        .iter()
        .any(|token| !matches!(token, Token::Text(_) | Token::Print { .. }));
    let only_tags = has_tag
        && line.iter().all(|token| match token {
            Token::Text(text) => text.trim().is_empty(),
            Token::Print { .. } => false,
            _ => true,
        });
    let (left, right) = if trims(&["nt"]) {
        (false, false)
    } else if trims(&["t"]) {
        (true, true)
    } else if trims(&["lt", "rt"]) {
        (trims(&["lt"]), trims(&["rt"]))
    } else {
        (only_tags, only_tags)
    };
    // White space at an edge reaches over tags to the first thing printed.
    if left {
        for token in line.iter_mut() {
            match token {
                Token::Text(text) => {
                    *text = text.trim_start().to_owned();
                    if !text.is_empty() {
                        break;
                    }
                }
                Token::Print { .. } => break,
                _ => {}
            }
        }
    }
    if right {
        for token in line.iter_mut().rev() {
            match token {
                Token::Text(text) => {
                    *text = text.trim_end().to_owned();
                    if !text.is_empty() {
                        break;
                    }
                }
                Token::Print { .. } => break,
                _ => {}
            }
        }
    }
    for token in line.drain(..) {
        match token {
            Token::Text(text) => push_text(into, &text),
            Token::Open { name, .. } if matches!(name.as_str(), "t" | "lt" | "rt" | "nt") => {}
            other => into.push(other),
        }
    }
}
