//! The limiter's last sends, shared by all instances that use one account: a stream for each, named by a hash, because the
//! account is half of a credential.

use sha2::{Digest, Sha256};
use tieout_domain::ports::{LogError, PaceRule, SENDS_KEPT};

use crate::address::LogName;
use crate::beside::{keep_last, note, notes};
use crate::link::Link;
use crate::session::Turns;

pub(crate) async fn reserve(
    link: &Link,
    turns: &Turns,
    log: &LogName,
    account: &str,
    rule: PaceRule,
) -> Result<i64, LogError> {
    let digest = Sha256::digest(account.as_bytes());
    let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let stream = log.beside(&format!("pace-{name}"));
    // Within this process one at a time; other instances meet at the append.
    let turn = turns.at(&format!("reserving {stream}"));
    let _mine = turn.lock().await;
    loop {
        let kept = notes(link, &stream, SENDS_KEPT).await?;
        let head = kept.last().map(|found| found.revision);
        let mut sends = Vec::with_capacity(kept.len());
        for found in &kept {
            let at: i64 = serde_json::from_slice(&found.event.data).map_err(|error| {
                link.place.unusable(format!("a note of the limiter in {stream} cannot be read ({error}): delete that stream on the server"))
            })?;
            sends.push(at);
        }
        let at = rule(&sends);
        if head.is_none() {
            keep_last(link, turns, &stream, SENDS_KEPT).await?;
        }
        if note(link, turns, &stream, head, "Sent", at.to_string().into_bytes()).await? {
            return Ok(at);
        }
        // Another instance reserved first: its send counts too.
    }
}
