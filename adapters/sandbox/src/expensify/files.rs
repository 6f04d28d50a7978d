//! Rendered files: held once, in memory while small and on disk beyond, and given out in chunks.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use bytes::Bytes;
use futures::stream;

/// What a file may weigh in memory; beyond, it goes to disk.
const IN_MEMORY: usize = 4 << 20;

/// A chunk of a download.
const CHUNK: u64 = 64 << 10;

/// A rendered file.
#[derive(Clone, Debug)]
pub enum Content {
    /// Small.
    Memory(Bytes),
    /// Large: a file that has no name and goes with its last handle.
    Disk {
        /// The file.
        file: Arc<File>,
        /// Its length in bytes.
        length: u64,
    },
}

impl Content {
    /// The whole content; only for faults that must know it.
    pub fn whole(&self) -> io::Result<Bytes> {
        match self {
            Self::Memory(bytes) => Ok(bytes.clone()),
            Self::Disk { file, length } => {
                let mut all = vec![0; usize::try_from(*length).unwrap_or(usize::MAX)];
                file.read_exact_at(&mut all, 0)?;
                Ok(all.into())
            }
        }
    }

    /// A body that streams it; with `cut_at`, the connection breaks after that many bytes.
    pub fn body(self, cut_at: Option<u64>) -> Body {
        let chunks = stream::unfold((self, 0_u64), move |(content, offset)| async move {
            if cut_at.is_some_and(|cut| offset >= cut) {
                // What came before must be on its way, or the client would see no answer at all.
                tokio::task::yield_now().await;
                let broken = io::Error::new(io::ErrorKind::ConnectionReset, "cut on purpose");
                // An end after the error: the next offset lies behind every length.
                return (offset != u64::MAX).then(|| (Err(broken), (content, u64::MAX)));
            }
            let size = cut_at.map_or(CHUNK, |cut| CHUNK.min(cut - offset));
            match content.chunk(offset, size) {
                Ok(chunk) if chunk.is_empty() => None,
                Ok(chunk) => {
                    let next = offset + u64::try_from(chunk.len()).unwrap_or(CHUNK);
                    Some((Ok(chunk), (content, next)))
                }
                Err(error) => Some((Err(error), (content, u64::MAX))),
            }
        });
        Body::from_stream(chunks)
    }

    fn chunk(&self, offset: u64, size: u64) -> io::Result<Bytes> {
        match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                let end = start
                    .saturating_add(usize::try_from(size).unwrap_or(usize::MAX))
                    .min(bytes.len());
                Ok(bytes.slice(start..end))
            }
            Self::Disk { file, length } => {
                let size = size.min(length.saturating_sub(offset));
                let mut chunk = vec![0; usize::try_from(size).unwrap_or(0)];
                file.read_exact_at(&mut chunk, offset)?;
                Ok(chunk.into())
            }
        }
    }
}

/// Takes a file as it is rendered.
#[derive(Debug, Default)]
pub struct Spool {
    memory: Vec<u8>,
    disk: Option<(File, u64)>,
}

impl Spool {
    /// The finished file.
    pub fn finish(mut self) -> io::Result<Content> {
        match self.disk.is_some() {
            false => Ok(Content::Memory(self.memory.into())),
            true => {
                self.spill()?;
                match self.disk {
                    Some((file, length)) => Ok(Content::Disk {
                        file: Arc::new(file),
                        length,
                    }),
                    None => Ok(Content::Memory(Bytes::new())),
                }
            }
        }
    }

    fn spill(&mut self) -> io::Result<()> {
        let (mut file, length) = match self.disk.take() {
            Some(disk) => disk,
            None => (tempfile::tempfile()?, 0),
        };
        file.write_all(&self.memory)?;
        self.disk = Some((file, length + u64::try_from(self.memory.len()).unwrap_or(0)));
        self.memory.clear();
        Ok(())
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.memory.extend_from_slice(bytes);
        if self.memory.len() > IN_MEMORY {
            self.spill()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The files there are to download, by account, file system and name.
#[derive(Debug, Default)]
pub struct Files {
    kept: Mutex<BTreeMap<(String, String, String), Content>>,
}

impl Files {
    /// Keeps a file.
    pub fn keep(&self, account: &str, file_system: &str, name: &str, content: Content) {
        let key = (account.to_owned(), file_system.to_owned(), name.to_owned());
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, content);
    }

    /// A kept file.
    pub fn find(&self, account: &str, file_system: &str, name: &str) -> Option<Content> {
        let key = (account.to_owned(), file_system.to_owned(), name.to_owned());
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned()
    }
}
