//! A file as a place in a log: relative, so that the log means the same in another checkout.

use std::path::{Component, Path};

/// A relative reference (RFC 3986) from a folder to a file, with forward slashes, percent-encoded.
pub(super) fn relative_uri(file: &Path, folder: &Path) -> String {
    // A name that leads nowhere any more is taken as it is written.
    let file = file.canonicalize().unwrap_or_else(|_| folder.join(file));
    let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) =
        (folder.components().collect(), file.components().collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from.iter().skip(common).map(|_| "..".to_owned());
    let down = to
        .iter()
        .skip(common)
        .map(|part| encoded(part.as_os_str().as_encoded_bytes()));
    let parts: Vec<String> = up.chain(down).collect();
    parts.join("/")
}

fn encoded(part: &[u8]) -> String {
    part.iter()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(*byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_relative_with_forward_slashes_and_encoded() {
        let folder = Path::new("/home/kim/repo");
        for (file, uri) in [
            ("rules.toml", "rules.toml"),
            ("/home/kim/repo/rules/acme us.toml", "rules/acme%20us.toml"),
            ("/home/kim/other/ä:b%.toml", "../other/%C3%A4%3Ab%25.toml"),
            ("/srv/rules.toml", "../../../srv/rules.toml"),
        ] {
            assert_eq!(relative_uri(Path::new(file), folder), uri, "{file}");
        }
    }
}
