//! A compact FreeMarker, enough to render the templates clients send (contract expensify §4.1).
//!
//! The vendor renders with the real engine (2.3.29 or later, by the built-ins seen in use), behind something that
//! forgives missing values (§4.2). This one parses once, walks the tree over data that is borrowed from the world, and
//! writes straight to its sink, so that a month of a large customer costs seconds. What it cannot do it refuses when it
//! parses: an unknown built-in or directive is an error, never an empty string. Text in the *data* is never evaluated.
//!
//! Deliberately absent: `?eval`, `?interpret`, `?new`, `?api`, `<#include>`, `<#import>`, square-bracket syntax,
//! auto-escaping, locales other than `en_US`.

mod builtins;
mod dates;
mod eval;
mod exec;
mod expression;
mod lexer;
mod parser;
mod syntax;
mod value;

use std::io;

use thiserror::Error;

pub use value::{Hash, Record, Value};

/// A template that parsed.
#[derive(Debug)]
pub struct Template {
    root: Vec<syntax::Node>,
}

/// How to render where the documentation and the observations leave room (contract §4.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rendering {
    /// `${1234}` prints `1,234`, as FreeMarker does by default; otherwise `1234`, as observed.
    pub strict_numbers: bool,
    /// An expression that fails (a missing nested value, a wrong type) aborts the job; otherwise its directive or
    /// interpolation prints nothing, which is what working clients live with.
    pub abort_on_error: bool,
}

/// Why a template was not rendered.
#[derive(Debug, Error)]
pub enum TemplateError {
    /// It is not FreeMarker, or uses what this interpreter lacks.
    #[error("Template parse error on line {line}: {why}")]
    Parse {
        /// The line of the template, from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// It stopped while it was rendered: `<#stop>`, or an error under [`Rendering::abort_on_error`].
    #[error("Template processing error: {0}")]
    Stopped(String),
    /// The rendered text could not be kept.
    #[error("the rendered file could not be written: {0}")]
    Sink(#[from] io::Error),
}

impl Template {
    /// Parses FreeMarker source.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let tokens = lexer::tokens(source)?;
        Ok(Self {
            root: parser::nodes(tokens)?,
        })
    }

    /// Renders over `data`, the template's global names, into `sink`; `now` is what `.now` shows.
    pub fn render<'a>(
        &'a self,
        data: impl Hash<'a> + 'a,
        now: chrono::NaiveDateTime,
        rendering: Rendering,
        sink: &'a mut dyn io::Write,
    ) -> Result<(), TemplateError> {
        exec::Interpreter::new(Box::new(data), now, rendering, sink).run(&self.root)
    }
}

#[cfg(test)]
mod tests;
