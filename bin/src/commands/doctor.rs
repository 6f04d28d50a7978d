//! `tieout doctor`: looks at everything, changes nothing.

mod finding;

use tieout_domain::ports::Ledger as _;

pub use self::finding::{Finding, status, words};
use crate::cli::ConnectionArg;
use crate::config::ConnectionConfig;
use crate::installation::Installation;
use crate::out::{Failure, Out};

/// What QAD's client finds of the connection's profile, workspace and metadata.
pub async fn ledger(installation: &Installation, config: &ConnectionConfig) -> Vec<Finding> {
    let qad = match installation.qad(config, None) {
        Ok(qad) => qad,
        Err(failure) => return vec![Finding::failed("qad", &failure)],
    };
    let mut findings: Vec<Finding> = qad.check().await.into_iter().map(Finding::ledger).collect();
    // A check that ended early may have ended because nobody answered. A login that was refused is remembered by the
    // client and not tried again, so this cannot lock the user.
    if findings
        .last()
        .is_some_and(|last| !last.ok && (last.name == "qad token" || last.name == "qad workspace"))
        && let Err(error) = qad.contract_hash().await
        && let Some(last) = findings.pop()
    {
        findings.push(last.unless_reached(&error));
    }
    findings
}

/// Runs the checks of each chosen connection.
pub async fn run(_: &Installation, _: &ConnectionArg, _: Out) -> Result<u8, Failure> {
    Err(Failure::Usage("being built".into()))
}
