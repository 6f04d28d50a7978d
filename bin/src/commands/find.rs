//! Finding what a person means by a report: either form of its id, in whichever connection has it on record.

use tieout_domain::ids::ReportId;
use tieout_domain::journal::Streams;
use tieout_domain::ports::{Log as _, Revision};

use crate::config::ConnectionConfig;
use crate::installation::Installation;
use crate::out::Failure;

/// A report that the log has.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// Its connection.
    pub connection: &'a ConnectionConfig,
    /// Its id.
    pub report: ReportId,
}

/// The report that is meant, in the connection named or the only one that has it.
///
/// # Errors
/// Wrong usage where the text is no report id, there is no such connection, or several have the report and none was
/// named; for a person where none has it.
pub async fn report<'a>(
    installation: &'a Installation,
    text: &str,
    connection: Option<&str>,
) -> Result<Found<'a>, Failure> {
    let report: ReportId = text
        .parse()
        .map_err(|error: tieout_domain::ids::BadId| Failure::Usage(error.to_string()))?;
    let chosen = installation.config.chosen(connection)?;
    let mut having = Vec::new();
    for connection in &chosen {
        let stream = Streams(connection.id).report(report);
        if !installation
            .log
            .read_stream(&stream, Revision(0), 1)
            .await?
            .is_empty()
        {
            having.push(*connection);
        }
    }
    let names = |connections: &[&ConnectionConfig]| -> String {
        let names: Vec<&str> = connections.iter().map(|c| c.name.as_str()).collect();
        names.join(", ")
    };
    match having.as_slice() {
        [connection] => Ok(Found { connection, report }),
        [] => Err(Failure::Person(format!(
            "there is no report {report} (decimal {}) on record in {}: check the id (capital and small letters differ); a report is captured by the first `tieout sync` after its approval",
            report.decimal(),
            names(&chosen)
        ))),
        several => Err(Failure::Usage(format!(
            "report {report} is on record in more than one connection ({}): say which with --connection",
            names(several)
        ))),
    }
}
