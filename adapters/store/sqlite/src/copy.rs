//! A copy of the file, taken in one snapshot while the original is being written.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use rusqlite::Connection;

use crate::file;
use crate::trouble::{Place, Trouble};
use crate::verify::{self, Verified};

/// `VACUUM INTO` writes one consistent state, densely; it appears at `target` only when complete and checked.
pub(crate) fn copy(connection: &Connection, target: &Path) -> Result<Verified, Trouble> {
    let place = Place::of(target);
    if target.exists() {
        return Err(taken(&place).into());
    }
    let draft = file::draft_beside(target);
    let made = write_and_check(connection, &draft, &place).and_then(|verified| {
        file::settle(&draft, target)
            .map(|()| verified)
            .map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => taken(&place).into(),
                _ => place
                    .unusable(format!(
                        "the copy cannot be put there ({error}); choose another folder"
                    ))
                    .into(),
            })
    });
    let _ = fs::remove_file(&draft);
    // The names in errors are the copy's, not the log's.
    made.map_err(|trouble| Trouble::Said(place.error(trouble)))
}

fn write_and_check(connection: &Connection, draft: &Path, place: &Place) -> Result<Verified, Trouble> {
    let Some(name) = draft.to_str() else {
        return Err(place
            .unusable("the path of a copy must be Unicode text; choose another")
            .into());
    };
    let unreachable = |e: std::io::Error| {
        place.unusable(format!(
            "it cannot be made ({e}); correct the path, or the permissions of its folder"
        ))
    };
    file::make_private(draft).map_err(unreachable)?;
    // Reading connections refuse to write anything, a copy included; ours is only lent for this.
    connection.pragma_update(None, "query_only", false)?;
    let copied = connection.execute("VACUUM INTO ?1", [name]);
    connection.pragma_update(None, "query_only", true)?;
    copied?;
    let copy = Connection::open_with_flags(draft, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    verify::verify(&copy, place)
}

fn taken(place: &Place) -> tieout_domain::ports::LogError {
    place.unusable("there is a file already, and a copy replaces nothing; choose another name")
}
