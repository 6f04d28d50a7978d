//! The page of `--html`: one file that needs nothing else and can do nothing. What comes from elsewhere is escaped, and
//! the page forbids itself scripts, connections and anything that is not in it.

mod chart;

use std::fmt;
use std::io::Write;

use super::Told;
use super::sheet::Target;
use super::told::{Changed, Moved, Outcome, Part, Sides, Total};
use crate::out::Failure;

/// Changed reports that the page shows.
const SHOWN: usize = 500;

const STYLE: &str = include_str!("html/style.css");

/// A page that is being written.
pub(super) struct Page {
    target: Target,
    /// The rows of the changed reports, as HTML.
    reports: String,
    seen: usize,
}

/// A text as it may stand in HTML, between tags and in quoted attributes.
struct Escaped<'a>(&'a str);
impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

impl Page {
    pub(super) fn begin(target: Target) -> Self {
        Self {
            target,
            reports: String::new(),
            seen: 0,
        }
    }

    pub(super) fn add(&mut self, changed: &Changed) {
        if self.seen < SHOWN {
            let approved = changed
                .approved
                .map_or_else(|| "no day that can be read".to_owned(), |day| day.to_string());
            self.reports.push_str(&format!(
                "<tr><td><code>{}</code><br><small>approved {approved}</small></td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                changed.report_id,
                Escaped(changed.change.words()),
                outcome(&changed.before, &changed.after),
                outcome(&changed.after, &changed.before),
            ));
        }
        self.seen = self.seen.saturating_add(1);
    }

    pub(super) fn finish(mut self, told: &Told) -> Result<(), Failure> {
        self.write(told)
            .map_err(|e| Failure::Outside(format!("the page cannot be written: {e}")))?;
        self.target.finish()
    }

    fn write(&mut self, told: &Told) -> std::io::Result<()> {
        let to = &mut self.target;
        let name = Escaped(&told.rules.name);
        let connection = Escaped(&told.connection);
        writeln!(
            to,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
             base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>Backtest of {name}, {connection}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>"
        )?;
        write!(to, "{}", head(told))?;
        write!(to, "{}", movements(told))?;
        write!(to, "{}", reports(&self.reports, self.seen))?;
        write!(to, "{}", proof(told))?;
        writeln!(to, "</main>\n</body>\n</html>")
    }
}

/// What a report comes to; the lines that the other side lacks stand out.
fn outcome(outcome: &Outcome, other: &Outcome) -> String {
    let part = |part: &Part| {
        let lines: String = part
            .lines
            .iter()
            .map(|(line, differs)| {
                let class = if *differs { " class=\"differs\"" } else { "" };
                format!("<li{class}>{}</li>", Escaped(line))
            })
            .collect();
        let lines = if lines.is_empty() {
            lines
        } else {
            format!("<ul>{lines}</ul>")
        };
        format!("<p>{}</p>{lines}", Escaped(&part.head))
    };
    outcome.beside(other).iter().map(part).collect()
}

fn head(told: &Told) -> String {
    let against = told
        .against
        .as_ref()
        .map_or_else(|| "no set in force".to_owned(), ToString::to_string);
    let counts = &told.counts;
    let tiles = [
        (counts.newly_mapped, "newly mapped"),
        (counts.newly_rejected, "newly rejected"),
        (counts.newly_held, "newly held or left out"),
        (counts.documents_changed, "documents change"),
        (counts.reasons_changed, "reasons change"),
        (counts.reports, "reports looked at"),
    ];
    let tiles: String = tiles
        .into_iter()
        .map(|(count, words)| {
            let class = if count == 0 { " class=\"none\"" } else { "" };
            format!("<div{class}><dt>{words}</dt><dd>{count}</dd></div>\n")
        })
        .collect();
    let forgotten = match counts.forgotten {
        0 => String::new(),
        n => format!(
            "<p class=\"note\">{n} of them are of people who were forgotten: nobody can judge them again, and they are \
             left as they are.</p>\n"
        ),
    };
    let nothing = if counts.nothing_changes() {
        "<p class=\"note\">Every report comes out as it did.</p>\n"
    } else {
        ""
    };
    format!(
        "<h1>Backtest of {}</h1>\n<p class=\"lead\">{}: rules <code>{:.12}</code> over {}, with the chart {}, beside {}. \
         Nothing was posted and nothing was changed.</p>\n<dl class=\"tiles\">\n{tiles}</dl>\n{forgotten}{nothing}",
        Escaped(&told.rules.name),
        Escaped(&told.connection),
        told.rules.hash,
        told.span,
        told.chart,
        Escaped(&against),
    )
}

fn movements(told: &Told) -> String {
    if told.movements.is_empty() {
        return "<h2>Movements</h2>\n<p class=\"note\">No amount moves.</p>\n".to_owned();
    }
    let mut text = String::from("<h2>Movements</h2>\n");
    text.push_str(&chart::charts(&told.movements));
    text.push_str(
        "<div class=\"wide\"><table class=\"money\">\n<thead><tr><th rowspan=\"2\">Code</th>\
         <th rowspan=\"2\">Cost centre</th><th rowspan=\"2\">Project</th><th colspan=\"2\">Before</th>\
         <th colspan=\"2\">After</th><th rowspan=\"2\">Net</th></tr>\n\
         <tr><th>Debit</th><th>Credit</th><th>Debit</th><th>Credit</th></tr></thead>\n",
    );
    for total in &told.totals {
        let rows: Vec<&Moved> = told
            .movements
            .iter()
            .filter(|row| {
                (row.currency.as_str(), row.year, row.period)
                    == (total.currency.as_str(), total.year, total.period)
            })
            .collect();
        if rows.is_empty() {
            continue;
        }
        text.push_str(&format!(
            "<tbody>\n<tr class=\"group\"><th colspan=\"8\">{} in {}/{}</th></tr>\n",
            Escaped(&total.currency),
            total.year,
            total.period
        ));
        for row in rows {
            text.push_str(&movement(row));
        }
        text.push_str(&sums(total));
        text.push_str("</tbody>\n");
    }
    text.push_str("</table></div>\n");
    text
}

/// Debit and credit of a side; a side of nothing is left blank, so that the eye finds what there is.
fn cells(sides: &Sides) -> String {
    let cell = |amount: rust_decimal::Decimal| {
        if amount.is_zero() {
            "<td></td>".to_owned()
        } else {
            format!("<td>{amount}</td>")
        }
    };
    format!("{}{}", cell(sides.debit), cell(sides.credit))
}

fn movement(row: &Moved) -> String {
    let code = match (&row.account, &row.supplier) {
        (Some(account), _) => {
            let sub = row
                .sub_account
                .as_ref()
                .map_or_else(String::new, |sub| format!(" / {}", Escaped(sub)));
            format!("{}{sub}", Escaped(account))
        }
        (None, Some(supplier)) => format!("owed to {}", Escaped(supplier)),
        (None, None) => String::new(),
    };
    let cell = |code: &Option<String>| Escaped(code.as_deref().unwrap_or("")).to_string();
    format!(
        "<tr><td>{code}</td><td>{}</td><td>{}</td>{}{}<td class=\"net\">{}</td></tr>\n",
        cell(&row.cost_centre),
        cell(&row.project),
        cells(&row.before),
        cells(&row.after),
        signed(row.net)
    )
}

fn signed(amount: rust_decimal::Decimal) -> String {
    if amount.is_sign_positive() && !amount.is_zero() {
        format!("+{amount}")
    } else {
        amount.to_string().replace('-', "\u{2212}")
    }
}

fn sums(total: &Total) -> String {
    let stays = if total.unmoved.debit.is_zero() && total.unmoved.credit.is_zero() {
        String::new()
    } else {
        format!(
            "<tr class=\"quiet\"><td colspan=\"3\">the same reports, where nothing moves</td>{}{}<td></td></tr>\n",
            cells(&total.unmoved),
            cells(&total.unmoved)
        )
    };
    format!(
        "{stays}<tr class=\"sum\"><td colspan=\"3\">together</td>{}{}<td></td></tr>\n",
        cells(&total.before),
        cells(&total.after)
    )
}

fn reports(rows: &str, seen: usize) -> String {
    if seen == 0 {
        return String::new();
    }
    let more = seen.saturating_sub(SHOWN);
    let more = if more > 0 {
        format!(
            "<p class=\"note\">These are the first {SHOWN}; {more} more are not on this page. \
             <code>--csv-reports</code> and <code>--json</code> have them all.</p>\n"
        )
    } else {
        String::new()
    };
    format!(
        "<h2>Reports that come out otherwise</h2>\n{more}<div class=\"wide\"><table class=\"reports\">\n<thead><tr>\
         <th>Report</th><th>Change</th><th>Before</th><th>After</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
    )
}

fn proof(told: &Told) -> String {
    let recorded = if told.recorded {
        "This backtest is on record; an approval signs the statement."
    } else {
        "This backtest is not on record: <code>--record</code> records one that an approval can sign."
    };
    format!(
        "<h2>What this rests on</h2>\n<dl class=\"hashes\">\n<dt>Rules</dt><dd><code>{}</code></dd>\n\
         <dt>Result</dt><dd><code>{}</code></dd>\n<dt>Statement</dt><dd><code>{}</code></dd>\n</dl>\n<p>{recorded}</p>\n\
         <p>The result is a hash over every changed report and every movement, in order. Whoever runs the backtest of these \
         rules over the same span and chart, on the log as it then stood, has the same one. The statement is the SHA-256 \
         of this text, each line ended:</p>\n<pre>{}</pre>\n\
         <p class=\"note\">Not judged again: which expenses another report carries, since when Tieout posts, and what people \
         decided. Texts of documents are not compared. Personal data is not on this page but for supplier codes.</p>\n",
        told.rules.hash,
        told.result,
        told.statement,
        Escaped(&told.signed),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_elsewhere_cannot_leave_its_place() {
        assert_eq!(
            Escaped("<script>alert(\"a\" & 'b')</script>").to_string(),
            "&lt;script&gt;alert(&quot;a&quot; &amp; &#39;b&#39;)&lt;/script&gt;"
        );
    }

    #[test]
    fn a_net_bears_its_sign() {
        let amount = |text: &str| signed(text.parse().unwrap());
        assert_eq!(
            [amount("5.00"), amount("-5.00"), amount("0.00")],
            ["+5.00", "\u{2212}5.00", "0.00"]
        );
    }
}
