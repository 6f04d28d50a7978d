//! What a terminal asks of words: how wide it is, and what must not reach it as it came.

/// How many columns the terminal on standard output has; `None` where it is a file or a pipe, in which nothing needs to
/// be broken into lines.
pub fn columns() -> Option<u16> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(terminal_size::Width(columns), _)| columns)
}

/// A text from elsewhere as it may stand on a terminal: characters that move the cursor, colour the screen or turn the
/// direction of what follows are written out, e.g. `\u{1b}`; all others stay.
pub fn safe(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, c| {
            if disturbs(c) {
                out.extend(c.escape_default());
            } else {
                out.push(c);
            }
            out
        })
}

fn disturbs(c: char) -> bool {
    let turns_direction = matches!(
        c,
        '\u{200E}' | '\u{200F}' | '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    );
    c.is_control() || turns_direction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_play_with_a_terminal_is_written_out_and_all_else_stays() {
        assert_eq!(safe("a\u{1b}[2Jb\nc\u{202e}d"), "a\\u{1b}[2Jb\\nc\\u{202e}d");
        assert_eq!(safe("Zoë 漢字 שלום </b>"), "Zoë 漢字 שלום </b>");
    }
}
