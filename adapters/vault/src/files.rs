//! Files that only their owner may read: opened with a check, replaced atomically, locked between processes.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The mode of every file this crate makes.
const PRIVATE: u32 = 0o600;

/// A file could not be used as it must be.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system refused.
    #[error("could not {action} {}: {source}", path.display())]
    Io {
        /// What was being done: `open`, `read`, `lock` and so on.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// The operating system's word.
        source: io::Error,
    },
    /// Someone besides the owner may touch the file, or its mode is otherwise not ours.
    #[error("{} has mode {mode:04o}, so that others may use it; it must be 0600 or 0400: run `chmod 600 {}`, and if others could read it, rotate what it holds", path.display(), path.display())]
    TooOpen {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The path leads to a folder, a device or the like.
    #[error("{} is not a regular file: correct the path", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// A file was to be made where one is already.
    #[error("{} exists already and is never overwritten: choose another path, or move it away", path.display())]
    AlreadyExists {
        /// The path.
        path: PathBuf,
    },
}

impl FileError {
    /// For `map_err`: the operating system's refusal, with what was being done to which file.
    pub(crate) fn doing(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }

    /// Whether the file is simply not there.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// Opens a file for reading, if it is a regular one and nobody but its owner may touch it.
pub(crate) fn open_private(path: &Path) -> Result<File, FileError> {
    open_checked(path, OpenOptions::new().read(true))
}

/// As [`open_private`], and for writing at its end.
pub(crate) fn open_private_to_append(path: &Path) -> Result<File, FileError> {
    open_checked(path, OpenOptions::new().read(true).append(true))
}

fn open_checked(path: &Path, options: &OpenOptions) -> Result<File, FileError> {
    // Asked before opening as well: opening a pipe would wait for a writer.
    let is_file = std::fs::metadata(path)
        .map_err(FileError::doing("open", path))?
        .is_file();
    if !is_file {
        return Err(FileError::NotAFile {
            path: path.to_owned(),
        });
    }
    let file = options.open(path).map_err(FileError::doing("open", path))?;
    // Judged through the handle, so that what was judged is what is read.
    let metadata = file.metadata().map_err(FileError::doing("look at", path))?;
    if !metadata.is_file() {
        return Err(FileError::NotAFile {
            path: path.to_owned(),
        });
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode != 0o600 && mode != 0o400 {
        return Err(FileError::TooOpen {
            path: path.to_owned(),
            mode,
        });
    }
    Ok(file)
}

/// Makes a new private file with this content, durably; never overwrites one.
pub(crate) fn create_new(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let mut file = open_new(path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => FileError::AlreadyExists {
            path: path.to_owned(),
        },
        _ => FileError::doing("create", path)(source),
    })?;
    let written = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        .map_err(FileError::doing("write", path));
    if written.is_err() {
        // Half a key or half a vault is worse than none. The first error is the one to report.
        let _ = std::fs::remove_file(path);
    }
    written?;
    sync_folder_of(path)
}

/// Replaces a file's content as one step: afterwards it is the old or the new one, whole, whatever dies meanwhile.
///
/// The caller holds the [`Lock`] of `path`, so that the temporary name beside it is nobody else's.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let temporary = beside(path, ".new");
    match std::fs::remove_file(&temporary) {
        // Left behind by a process that died here; it was never in use.
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(FileError::doing("remove", &temporary)(error)),
    }
    create_new(&temporary, content)?;
    std::fs::rename(&temporary, path).map_err(FileError::doing("replace", path))?;
    sync_folder_of(path)
}

/// Held by one process (and one handle in it) at a time; let go on drop, also when the process dies.
///
/// It lies on a file of its own beside the guarded one, because replacing the guarded file would replace the lock.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held for its drop")] File);

impl Lock {
    /// Waits for the lock that guards `path`. Whoever holds it does so for one write.
    pub(crate) fn of(path: &Path) -> Result<Self, FileError> {
        let path = beside(path, ".lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(PRIVATE)
            .open(&path)
            .map_err(FileError::doing("open", &path))?;
        loop {
            match file.lock() {
                Ok(()) => return Ok(Self(file)),
                // A signal arrived while we waited; it says nothing about the lock.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(FileError::doing("lock", &path)(error)),
            }
        }
    }
}

/// The path with every symbolic link followed, so that replacing the file replaces what the link leads to.
/// The file itself need not exist, its folder must.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, FileError> {
    match std::fs::canonicalize(path) {
        Ok(path) => Ok(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let name = path.file_name().ok_or_else(|| FileError::NotAFile {
                path: path.to_owned(),
            })?;
            let folder = std::fs::canonicalize(folder_of(path))
                .map_err(FileError::doing("find the folder of", path))?;
            Ok(folder.join(name))
        }
        Err(error) => Err(FileError::doing("open", path)(error)),
    }
}

fn open_new(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(PRIVATE)
        .open(path)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes a new or renamed entry of the folder durable.
fn sync_folder_of(path: &Path) -> Result<(), FileError> {
    let folder = folder_of(path);
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(FileError::doing("make durable", folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_replaced_file_is_private_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        create_new(&path, b"old").unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_dead_process_left_half_written_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        create_new(&path, b"old").unwrap();
        fs::write(folder.path().join("file.new"), b"half").unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn one_lock_at_a_time_and_it_ends_with_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let held = Lock::of(&path).unwrap();
        let other = File::open(folder.path().join("file.lock")).unwrap();
        assert!(other.try_lock().is_err());
        drop(held);
        assert!(other.try_lock().is_ok());
    }

    #[test]
    fn a_path_without_a_folder_is_in_this_one() {
        assert_eq!(folder_of(Path::new("tieout.vault")), Path::new("."));
    }
}
