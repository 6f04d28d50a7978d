//! A page of the guide as plain text. The pages use little of Markdown: headings, lists, blocks of four blanks, and words
//! between backticks.

/// Headings underlined; what else a page is made of reads well as it stands.
pub fn text(markdown: &str) -> String {
    let mut plain = String::with_capacity(markdown.len() + 256);
    for line in markdown.lines() {
        let (heading, rule) = match (line.strip_prefix("# "), line.strip_prefix("## ")) {
            (Some(heading), _) => (heading, '='),
            (_, Some(heading)) => (heading, '-'),
            _ => {
                plain.push_str(line);
                plain.push('\n');
                continue;
            }
        };
        plain.push_str(heading);
        plain.push('\n');
        plain.extend(std::iter::repeat_n(rule, heading.chars().count()));
        plain.push('\n');
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_underlined_and_the_rest_stays() {
        assert_eq!(
            text("# Où\n\nText with `code`.\n\n    # kept\n\n## Two\n"),
            "Où\n==\n\nText with `code`.\n\n    # kept\n\nTwo\n---\n"
        );
    }
}
