//! The trail as text: aligned, without colours, for a terminal, a pipe or a printer.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};

use super::say::excluded;
use super::{Trail, TrailCapture, TrailField, TrailMapping, TrailMove, TrailReason, TrailStep};
use crate::text::{paragraph, shown, table};
use crate::work_list::ListedCase;

const FORGOTTEN: &str = "(forgotten: this person's data was removed)";

/// Writes a trail in so many columns. Texts of people stand as they came, but for control characters and marks that turn
/// the direction of text, which are written out.
pub fn render(trail: &Trail, out: &mut impl fmt::Write, columns: usize) -> fmt::Result {
    head(trail, out, columns)?;
    let mut moves = trail.moved.iter().peekable();
    for step in &trail.steps {
        while let Some(moved) = moves.next_if(|moved| moved.leaf < step.leaf) {
            one_move(moved, out, columns)?;
        }
        writeln!(out)?;
        one_step(step, out, columns)?;
    }
    moves.try_for_each(|moved| one_move(moved, out, columns))
}

/// That the log was moved, between the steps that stood in it by then and those that came after.
fn one_move(moved: &TrailMove, out: &mut impl fmt::Write, columns: usize) -> fmt::Result {
    let TrailMove {
        leaf,
        at,
        from,
        to,
        who,
        events: _,
        sha256,
    } = moved;
    writeln!(out)?;
    paragraph(
        out,
        "     moved: ",
        &format!(
            "everything before leaf {leaf} was copied from {from} to {to}, verified event by event, by {who}, {}; sha256 {sha256}",
            instant(*at)
        ),
        columns,
    )
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

fn or_forgotten(text: Option<&String>) -> &str {
    text.map_or(FORGOTTEN, String::as_str)
}

fn head(trail: &Trail, out: &mut impl fmt::Write, columns: usize) -> fmt::Result {
    let counts = trail.bucket.as_str();
    paragraph(
        out,
        "",
        &format!(
            "Report {} of {}: {} (counts as {counts})",
            trail.report_id, trail.connection, trail.state
        ),
        columns,
    )?;
    if let Some(report) = &trail.report {
        let total = report.total.map_or_else(
            || "cannot be read".to_owned(),
            |total| format!("{total} {}", report.currency),
        );
        let rows = [
            row(&["submitter", or_forgotten(report.submitter.as_ref())]),
            row(&["title", or_forgotten(report.title.as_ref())]),
            row(&["policy", &report.policy]),
            row(&["total", &total]),
            row(&["submitted", &report.submitted]),
            row(&["approved", &report.approved]),
        ];
        table(out, 2, &rows, columns)?;
    }
    if !trail.documents.is_empty() {
        writeln!(out, "\nDocuments")?;
        let document = |document: &super::TrailDocument| {
            let (kind, reference) = (document.kind.to_string(), document.reference.to_string());
            let state = document.state.replace('_', " ");
            let place = document
                .voucher
                .as_deref()
                .map_or_else(String::new, |voucher| format!("voucher {voucher}, "));
            let what = format!(
                "{place}dated {}, {} {}",
                document.posting_date, document.amount, document.currency
            );
            row(&[&kind, &reference, &state, &what])
        };
        let rows: Vec<_> = trail.documents.iter().map(document).collect();
        table(out, 2, &rows, columns)?;
    }
    if !trail.reasons.is_empty() {
        writeln!(out, "\nWhy it does not post")?;
        reasons(&trail.reasons, out, columns)?;
    }
    if let Some(why) = &trail.excluded {
        writeln!(out)?;
        paragraph(out, "", &excluded(why), columns)?;
    }
    if !trail.cases.is_empty() {
        writeln!(out, "\nOpen cases")?;
        for listed in &trail.cases {
            one_case(listed, out, columns)?;
        }
    }
    Ok(())
}

/// A case: what it is, then of each field what was posted and what is shown now, then what to do.
fn one_case(listed: &ListedCase, out: &mut impl fmt::Write, columns: usize) -> fmt::Result {
    let case = &listed.case;
    paragraph(
        out,
        "  ",
        &format!("{}  {}", instant(case.since), case.message),
        columns,
    )?;
    for value in &case.values {
        let both = format!("posted {}, now {}", value.posted, value.shows);
        paragraph(out, &format!("      {}: ", shown(&value.field)), &both, columns)?;
    }
    paragraph(out, "      ", &listed.remedy, columns)
}

fn one_step(step: &TrailStep, out: &mut impl fmt::Write, columns: usize) -> fmt::Result {
    let number = step.step.to_string();
    paragraph(
        out,
        &format!("{number:>3}  "),
        &format!("{} {}", instant(step.recorded_at), step.event),
        columns,
    )?;
    paragraph(out, "     ", &step.says, columns)?;
    if let Some(why) = &step.not_allowed {
        paragraph(
            out,
            "     ",
            &format!("NOT ALLOWED HERE, it changed nothing: {why}. Run `tieout log verify`."),
            columns,
        )?;
    }
    let rows = [
        row(&["effective", &instant(step.effective_at)]),
        row(&["by", &step.actor.to_string()]),
        row(&["because of", &step.cause.to_string()]),
        row(&["written by", &step.build]),
        row(&["log", &format!("leaf {}, event {}", step.leaf, step.id)]),
    ];
    table(out, 5, &rows, columns)?;
    if let Some(capture) = &step.captured {
        captured(capture, out, columns)?;
    }
    if let Some(mapping) = &step.mapping {
        mapped(mapping, out, columns)?;
    }
    reasons(&step.reasons, out, columns)?;
    for message in &step.messages {
        let field = if message.field.is_empty() {
            String::new()
        } else {
            format!("{}: ", message.field)
        };
        let code = if message.code.is_empty() {
            String::new()
        } else {
            format!(" [{}]", message.code)
        };
        paragraph(
            out,
            "     QAD says: ",
            &format!("{field}{}{code}", message.message),
            columns,
        )?;
    }
    Ok(())
}

fn captured(capture: &TrailCapture, out: &mut impl fmt::Write, columns: usize) -> fmt::Result {
    let hashes = [
        row(&["payload", &capture.payload_hash]),
        row(&["material", &capture.material_hash]),
    ];
    table(out, 5, &hashes, columns)?;
    for line in &capture.lines {
        let amount = format!("{} hundredths {}", line.hundredths, line.currency);
        let what = format!(
            "{}, {amount}, category {}, tag {}",
            line.date,
            or_none(&line.category),
            or_none(&line.tag)
        );
        paragraph(
            out,
            &format!("     expense {}  ", shown(line.transaction.as_str())),
            &what,
            columns,
        )?;
        paragraph(
            out,
            "         ",
            &format!("merchant: {}", or_forgotten(line.merchant.as_ref())),
            columns,
        )?;
        if line
            .comment
            .as_ref()
            .is_none_or(|comment| !comment.trim().is_empty())
        {
            paragraph(
                out,
                "         ",
                &format!("comment: {}", or_forgotten(line.comment.as_ref())),
                columns,
            )?;
        }
    }
    Ok(())
}

fn or_none(text: &str) -> &str {
    if text.trim().is_empty() { "(none)" } else { text }
}

fn mapped(mapping: &TrailMapping, out: &mut impl fmt::Write, columns: usize) -> fmt::Result {
    for header in &mapping.headers {
        let reference = header
            .reference
            .map_or_else(String::new, |reference| format!(" {reference}"));
        paragraph(out, "     ", &format!("{}{reference}", header.kind), columns)?;
        paragraph(
            out,
            "       ",
            &format!("text: {}", or_forgotten(header.text.as_ref())),
            columns,
        )?;
        ways(&header.fields, out, columns)?;
    }
    for line in &mapping.lines {
        let on = line
            .document
            .map_or_else(|| "nothing to post".to_owned(), |kind| format!("on the {kind}"));
        let foreign = line.original.as_ref().map_or_else(String::new, |original| {
            let rate = if original.rate.trim().is_empty() {
                String::new()
            } else {
                format!(" at {}", original.rate)
            };
            format!(", from {} {}{rate}", original.amount, original.currency)
        });
        paragraph(
            out,
            &format!("     expense {}  ", shown(line.transaction.as_str())),
            &format!("{}{foreign}, {on}", line.amount),
            columns,
        )?;
        paragraph(
            out,
            "       ",
            &format!("merchant: {}", or_forgotten(line.merchant.as_ref())),
            columns,
        )?;
        ways(&line.fields, out, columns)?;
        for posted in &line.posted {
            let coding = &posted.coding;
            let mut codes = vec![format!("account {}", coding.account)];
            codes.extend(
                coding
                    .sub_account
                    .as_ref()
                    .map(|code| format!("sub-account {code}")),
            );
            codes.extend(
                coding
                    .cost_centre
                    .as_ref()
                    .map(|code| format!("cost centre {code}")),
            );
            codes.extend(coding.project.as_ref().map(|code| format!("project {code}")));
            let tax = if posted.tax { " (tax)" } else { "" };
            paragraph(
                out,
                "       posted: ",
                &format!("{} {}{tax} on {}", posted.side, posted.amount, codes.join(", ")),
                columns,
            )?;
            paragraph(
                out,
                "               ",
                &format!("text: {}", or_forgotten(posted.text.as_ref())),
                columns,
            )?;
        }
    }
    if let Some(approver) = &mapping.approved_by_submitter {
        paragraph(
            out,
            "     note: ",
            &format!(
                "the submitter approved the rule set it was mapped under, as {approver}: somebody else should look at it"
            ),
            columns,
        )?;
    }
    for note in &mapping.notes {
        paragraph(out, "     note: ", note, columns)?;
    }
    Ok(())
}

/// The ways of fields, source to posted: `source  by rule  = field value  (chart)`.
fn ways(fields: &[TrailField], out: &mut impl fmt::Write, columns: usize) -> fmt::Result {
    let way = |field: &TrailField| {
        let why = &field.why;
        let chart = field
            .chart
            .as_ref()
            .map_or_else(String::new, |chart| format!(", in {chart}"));
        row(&[
            &why.field,
            &why.value,
            &format!("from {}, by {}{chart}", why.source, why.rule),
        ])
    };
    let rows: Vec<_> = fields.iter().map(way).collect();
    table(out, 7, &rows, columns)
}

fn reasons(reasons: &[TrailReason], out: &mut impl fmt::Write, columns: usize) -> fmt::Result {
    for TrailReason {
        reason,
        remedy,
        fixer,
    } in reasons
    {
        let line = reason
            .line
            .as_ref()
            .map_or_else(String::new, |line| format!(" (expense {line})"));
        paragraph(
            out,
            "     - ",
            &format!("{}: {}{line}", reason.code, reason.message),
            columns,
        )?;
        paragraph(out, "         ", &format!("{remedy} ({fixer})"), columns)?;
    }
    Ok(())
}
