//! Cuts a stream of bytes into lines, holding no more than the line in hand.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::BoxStream;

/// The chunks of a download; errors are already words without secrets.
pub(crate) type Chunks = BoxStream<'static, Result<Bytes, String>>;

/// A line and its number, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) number: u64,
    pub(crate) bytes: Bytes,
}

/// Reads lines from chunks. A line ends at `\n`; lines of white space only are dropped.
pub(crate) struct Splitter {
    chunks: Chunks,
    held: BytesMut,
    /// How much of `held` is known to hold no line end.
    searched: usize,
    number: u64,
    ended: bool,
    longest: usize,
    patience: Duration,
}

impl Splitter {
    /// Lines of at most `longest` bytes, from chunks that come at most `patience` apart.
    pub(crate) fn new(chunks: Chunks, longest: usize, patience: Duration) -> Self {
        Self {
            chunks,
            held: BytesMut::new(),
            searched: 0,
            number: 0,
            ended: false,
            longest,
            patience,
        }
    }

    /// The next line that is not blank; none at the end. After an error there is nothing more.
    pub(crate) async fn next(&mut self) -> Result<Option<Line>, String> {
        loop {
            let Some(bytes) = self.next_line().await? else {
                return Ok(None);
            };
            self.number += 1;
            if !bytes.iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(Line {
                    number: self.number,
                    bytes,
                }));
            }
        }
    }

    async fn next_line(&mut self) -> Result<Option<Bytes>, String> {
        loop {
            let unsearched = self.held.get(self.searched..).unwrap_or_default();
            if let Some(offset) = unsearched.iter().position(|byte| *byte == b'\n') {
                let mut line = self.held.split_to(self.searched + offset + 1);
                self.searched = 0;
                line.truncate(line.len() - 1);
                return Ok(Some(line.freeze()));
            }
            self.searched = self.held.len();
            if self.ended {
                self.searched = 0;
                let rest = std::mem::take(&mut self.held);
                return Ok((!rest.is_empty()).then(|| rest.freeze()));
            }
            if self.held.len() > self.longest {
                self.ended = true;
                self.held.clear();
                return Err(format!(
                    "line {} is longer than {} bytes",
                    self.number + 1,
                    self.longest
                ));
            }
            match tokio::time::timeout(self.patience, self.chunks.next()).await {
                Ok(Some(Ok(chunk))) => self.held.extend_from_slice(&chunk),
                Ok(Some(Err(error))) => return Err(self.broken(&error)),
                Ok(None) => self.ended = true,
                Err(_) => return Err(self.broken(&format!("nothing came for {} s", self.patience.as_secs()))),
            }
        }
    }

    /// What is left of a line in hand is no line: it was cut off.
    fn broken(&mut self, why: &str) -> String {
        self.ended = true;
        self.held.clear();
        self.searched = 0;
        format!("it broke off in line {}: {why}", self.number + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;
    use proptest::prelude::*;

    fn splitter(chunks: Vec<Result<Bytes, String>>, longest: usize) -> Splitter {
        Splitter::new(stream::iter(chunks).boxed(), longest, Duration::from_secs(1))
    }

    /// The lines, then the error if there was one.
    fn lines(chunks: Vec<Result<Bytes, String>>, longest: usize) -> (Vec<(u64, String)>, Option<String>) {
        let mut splitter = splitter(chunks, longest);
        let mut lines = Vec::new();
        let read = async {
            loop {
                match splitter.next().await {
                    Ok(Some(line)) => {
                        lines.push((line.number, String::from_utf8_lossy(&line.bytes).into_owned()))
                    }
                    Ok(None) => return None,
                    Err(error) => return Some(error),
                }
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let error = runtime.block_on(read);
        (lines, error)
    }

    fn chunk(text: &str) -> Result<Bytes, String> {
        Ok(Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn a_break_in_the_middle_ends_with_the_line_it_broke_in() {
        let (read, error) = lines(vec![chunk("a\nb"), Err("connection reset".into())], 100);
        assert_eq!(read, [(1, "a".to_owned())]);
        assert_eq!(error.unwrap(), "it broke off in line 2: connection reset");
    }

    #[test]
    fn a_line_without_end_is_given_up_before_it_fills_the_memory() {
        let (read, error) = lines(
            vec![
                chunk("ok\n"),
                chunk("xxxxxxxxxx"),
                chunk("xxxxxxxxxx"),
                chunk("x\n"),
            ],
            15,
        );
        assert_eq!(read, [(1, "ok".to_owned())]);
        assert_eq!(error.unwrap(), "line 2 is longer than 15 bytes");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_not_waited_out_for_ever() {
        let chunks = stream::iter([chunk("a\n")]).chain(stream::pending()).boxed();
        let mut splitter = Splitter::new(chunks, 100, Duration::from_secs(120));
        assert_eq!(splitter.next().await.unwrap().unwrap().number, 1);
        assert_eq!(
            splitter.next().await.unwrap_err(),
            "it broke off in line 2: nothing came for 120 s"
        );
        assert_eq!(splitter.next().await.unwrap(), None);
    }

    proptest! {
        #[test]
        fn lines_are_the_same_however_the_chunks_fall(text in "[ab\r\n ]{0,200}", cuts in prop::collection::vec(1usize..9, 0..60)) {
            let mut chunks = Vec::new();
            let mut rest = text.as_str();
            for cut in cuts {
                let (chunk_text, after) = rest.split_at(cut.min(rest.len()));
                chunks.push(chunk(chunk_text));
                rest = after;
            }
            chunks.push(chunk(rest));
            let expected: Vec<(u64, String)> = text
                .split('\n')
                .enumerate()
                .map(|(index, line)| (index as u64 + 1, line))
                .filter(|(_, line)| !line.trim().is_empty())
                .map(|(number, line)| (number, line.to_owned()))
                .collect();
            let (read, error) = lines(chunks, 10_000);
            prop_assert_eq!(error, None);
            prop_assert_eq!(read, expected);
        }
    }
}
