//! Text that arrives HTML-escaped (contract expensify §4.2).

/// The five entities that contract §4.2 names.
const ENTITIES: [(&str, char); 5] = [
    ("&amp;", '&'),
    ("&lt;", '<'),
    ("&gt;", '>'),
    ("&quot;", '"'),
    ("&apos;", '\''),
];

/// Decodes them once: `&amp;lt;` becomes `&lt;` and stays so.
pub(super) fn decoded(text: String) -> String {
    if !text.contains('&') {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let at_sign = rest.get(before.len()..).unwrap_or_default();
        match ENTITIES
            .iter()
            .find_map(|(name, is)| at_sign.strip_prefix(name).map(|rest| (*is, rest)))
        {
            Some((is, after_entity)) => {
                plain.push(is);
                rest = after_entity;
            }
            None => {
                plain.push('&');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn entities_are_decoded_once_and_nothing_else_is_touched() {
        for (sent, meant) in [
            ("Bed, Bath &amp; Beyond", "Bed, Bath & Beyond"),
            ("&lt;b&gt;&quot;x&quot;&apos;", "<b>\"x\"'"),
            ("&amp;lt;", "&lt;"),
            ("&amp;amp;", "&amp;"),
            ("R&D && &nbsp; &#39; &amp", "R&D && &nbsp; &#39; &amp"),
            ("😀&amp;é", "😀&é"),
            ("&", "&"),
            ("", ""),
        ] {
            assert_eq!(decoded(sent.to_owned()), meant);
        }
    }

    proptest! {
        #[test]
        fn text_escaped_as_the_vendor_does_comes_back_whole(text in ".*") {
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&apos;");
            prop_assert_eq!(decoded(escaped), text);
        }
    }
}
