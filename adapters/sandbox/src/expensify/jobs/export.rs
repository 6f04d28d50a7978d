//! The export: filters, renders, marks (contract §2).

use std::io::Write;

use serde_json::Value;

use super::super::State;
use super::super::files::{Content, Spool};
use super::super::freemarker::{Template, TemplateError};
use super::super::model::{Globals, Look, ReportView};
use super::super::reply::{Refusal, Reply};
use super::super::request::Call;
use super::super::world::{Account, Action, Marking, Report, ReportId, World};
use super::selection::Selection;

const EXTENSIONS: [&str; 7] = ["csv", "xls", "xlsx", "txt", "pdf", "json", "xml"];

/// Runs an export. The name is answered when the file is there; `onFinish` is done by then.
pub fn run(state: &State, call: &Call, account: &Account) -> Result<Reply, Refusal> {
    let random_name = |mode: &Value| mode.as_str() == Some("returnRandomFileName");
    let modes = call
        .job
        .pointer("/onReceive/immediateResponse")
        .and_then(Value::as_array);
    if !modes.is_some_and(|modes| modes.iter().any(random_name)) {
        // The real one blocks for a while first.
        return Err(Refusal {
            code: 500,
            message: None,
        });
    }
    if call.text("/inputSettings/type") != "combinedReportData" {
        return Err(Refusal::new(410, "Argument 'type' is missing or malformed"));
    }
    let extension = call.given("/outputSettings/fileExtension").unwrap_or("csv");
    if !EXTENSIONS.contains(&extension) {
        return Err(Refusal::new(410, "'fileExtension' is missing or malformed"));
    }
    let Some(source) = call.fields.get("template").filter(|source| !source.is_empty()) else {
        return Err(Refusal::new(500, "No Template Submitted"));
    };
    let now = state.clock.now();
    let input = call.job.get("inputSettings").unwrap_or(&Value::Null);
    let selection = Selection::of_export(input, now.date_naive())?;
    selection.permitted(account)?;

    let basename = call.given("/outputSettings/fileBasename").unwrap_or("export");
    let mut outcome = state.world.read(|world| {
        let reports = selection.of(world, account, state.quirks.approved_after_is_inclusive);
        let ids: Vec<ReportId> = reports.iter().map(|report| report.id).collect();
        let files = match extension {
            // Expensify lays these out itself, a file for each report.
            "pdf" => reports
                .iter()
                .map(|report| Content::Memory(page(report).into()))
                .collect(),
            _ => vec![render(state, world, &reports, account, source)?],
        };
        Ok((ids, files))
    })?;
    let names: Vec<String> = outcome
        .1
        .drain(..)
        .map(|content| {
            let name = format!("{basename}{}.{extension}", state.next_uuid());
            state.files.keep(
                call.text("/credentials/partnerUserID"),
                "integrationServer",
                &name,
                content,
            );
            name
        })
        .collect();
    let labels: Vec<String> = call.marking_labels().map(str::to_owned).collect();
    if !labels.is_empty() {
        mark(state, account, &outcome.0, &labels);
    }
    Ok(Reply::FileName(names.join(",")))
}

fn render(
    state: &State,
    world: &World,
    reports: &[&Report],
    account: &Account,
    source: &str,
) -> Result<Content, Refusal> {
    let refuse = |error: TemplateError| Refusal::new(500, error.to_string());
    let template = Template::parse(source).map_err(refuse)?;
    let quirks = state.quirks;
    let look = Look {
        escape_html: quirks.html_escaped_text,
        cards: account.domain_admin,
        archived: quirks.closed_is_archived,
        blanks_are_missing: quirks.blanks_are_missing,
    };
    let mut spool = Spool::default();
    let per_pass = quirks
        .reports_per_pass
        .filter(|size| *size > 0)
        .unwrap_or(usize::MAX);
    // Even without reports there is one pass.
    let passes = reports.len().div_ceil(per_pass).max(1);
    for pass in 0..passes {
        let some = reports.iter().skip(pass.saturating_mul(per_pass)).take(per_pass);
        let globals = Globals {
            reports: some.map(|report| ReportView::new(report, world, look)).collect(),
            add_header: pass == 0,
        };
        let now = state.clock.now().naive_utc();
        template
            .render(globals, now, quirks.rendering, &mut spool)
            .map_err(refuse)?;
    }
    spool
        .flush()
        .and_then(|()| spool.finish())
        .map_err(|error| Refusal::new(500, error.to_string()))
}

/// `markAsExported`: every exported report gets the label, at the end of the job, whether or not anyone downloads.
fn mark(state: &State, account: &Account, ids: &[ReportId], labels: &[String]) {
    let now = state.clock.now();
    state.world.edit(|world| {
        for id in ids {
            let Some(report) = world.reports.get_mut(id) else {
                continue;
            };
            for label in labels {
                report.markings.push(Marking {
                    label: label.clone(),
                    at: now,
                });
                // Marking is visible in the report's history.
                report.actions.push(Action {
                    action: "EXPORTED".to_owned(),
                    account_email: account.email.clone(),
                    created: now,
                    message: format!("marked as exported: {label}"),
                });
            }
        }
    });
}

fn page(report: &Report) -> String {
    format!("%PDF-1.4\n% stand-in for report {}\n%%EOF\n", report.id)
}
