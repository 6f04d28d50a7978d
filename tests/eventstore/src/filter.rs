//! Filters of `$all`: by stream name or event type, prefixes or a regular expression.

use regex::Regex;
use tonic::Status;

use crate::event::Event;
use crate::wire::event_store::client::streams::read_req::options::{FilterOptions, filter_options};

/// How many events the server considers a page, and between two checkpoints, when the reader names no window.
const PAGE: u64 = 32;

pub(crate) struct Filter {
    by_stream: bool,
    test: Test,
    /// How many events may go by, shown or not, before a subscriber is told where the log stands.
    pub(crate) checkpoint_interval: u64,
}

enum Test {
    Prefixes(Vec<String>),
    Pattern(Regex),
}

impl Filter {
    pub(crate) fn new(options: FilterOptions) -> Result<Self, Status> {
        let (by_stream, expression) = match options.filter {
            Some(filter_options::Filter::StreamIdentifier(expression)) => (true, expression),
            Some(filter_options::Filter::EventType(expression)) => (false, expression),
            None => return Err(Status::invalid_argument("a filter needs an expression")),
        };
        let window = match options.window {
            Some(filter_options::Window::Max(max)) => u64::from(max),
            Some(filter_options::Window::Count(_)) => PAGE,
            None => return Err(Status::invalid_argument("'None' is not a valid WindowOneofCase")),
        };
        let test = if expression.regex.is_empty() {
            Test::Prefixes(expression.prefix)
        } else {
            let pattern =
                Regex::new(&expression.regex).map_err(|error| Status::unknown(error.to_string()))?;
            Test::Pattern(pattern)
        };
        let multiplier = u64::from(options.checkpoint_interval_multiplier.max(1));
        Ok(Self {
            by_stream,
            test,
            checkpoint_interval: (window * multiplier).max(1),
        })
    }

    pub(crate) fn shows(&self, event: &Event) -> bool {
        let name: &str = if self.by_stream {
            &event.stream
        } else {
            &event.kind
        };
        match &self.test {
            Test::Prefixes(prefixes) => prefixes.iter().any(|prefix| name.starts_with(prefix.as_str())),
            Test::Pattern(pattern) => pattern.is_match(name),
        }
    }
}
