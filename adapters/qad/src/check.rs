//! What `tieout doctor` asks of QAD: reads only, each with what to do where it fails (contract qad §8.2).

use std::collections::BTreeSet;

use tieout_domain::chart::{ChartReading, DaybookUse, MasterRead, PeriodState};
use tieout_domain::ports::{Clock, LedgerError};

use crate::client::QadClient;
use crate::metadata::EntityMetadata;
use crate::profile::{FieldPath, Layout};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub name: String,
    /// As it should be?
    pub ok: bool,
    /// What was seen.
    pub detail: String,
    /// What to do; blank where it is as it should be.
    pub fix: String,
}

impl Check {
    fn good(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ok: true,
            detail: detail.into(),
            fix: String::new(),
        }
    }
    fn bad(name: impl Into<String>, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ok: false,
            detail: detail.into(),
            fix: fix.into(),
        }
    }
    fn of(name: impl Into<String>, ok: bool, detail: impl Into<String>, fix: &str) -> Self {
        let fix = if ok { String::new() } else { fix.to_owned() };
        Self {
            name: name.into(),
            ok,
            detail: detail.into(),
            fix,
        }
    }
}

/// Fields of the envelope, which every request carries whatever the profile says (contract qad §1.7).
const ENVELOPE: [&str; 4] = ["uri", "dataOperation", "concurrencyHash", "changeStatus"];

impl<C: Clock> QadClient<C> {
    /// Looks at everything that posting will need, and changes nothing. Stops early where nothing further could be
    /// asked.
    pub async fn check(&self) -> Vec<Check> {
        let mut checks = vec![Check::of(
            "encryption",
            self.wire().encrypted(),
            if self.wire().encrypted() {
                "the password travels encrypted, or not beyond this machine"
            } else {
                "the password travels in clear"
            },
            "use an https address for `url`",
        )];
        match self.log_in().await {
            Ok(()) => checks.push(Check::good("token", "QAD gave a token")),
            Err(error) => {
                checks.push(Check::bad(
                    "token",
                    error.to_string(),
                    "correct `url` and the credentials (`tieout credentials qad`)",
                ));
                return checks;
            }
        }
        match self.chart().await {
            Ok(reading) => {
                checks.push(Check::good(
                    "workspace",
                    format!("entity {} answers", self.wire().entity()),
                ));
                masters(&reading, &mut checks);
                daybooks(&reading, &mut checks);
                self.periods(&reading, &mut checks);
            }
            Err(error) => {
                let fix = "correct `workspace`, or ask the QAD administrator for the permission to browse";
                checks.push(Check::bad("workspace", error.to_string(), fix));
                return checks;
            }
        }
        for layout in self.profile().documents.layouts() {
            self.entity(&layout, &mut checks).await;
        }
        checks
    }

    fn periods(&self, reading: &ChartReading, checks: &mut Vec<Check>) {
        let MasterRead::Rows(periods) = &reading.periods else {
            return;
        };
        let today = self.clock().now().date_naive();
        let now: Vec<_> = periods
            .iter()
            .filter(|period| period.normal && period.contains(today))
            .collect();
        checks.push(match now.as_slice() {
            [period] => {
                let open = |state| {
                    if state == PeriodState::Open {
                        "open"
                    } else {
                        "closed"
                    }
                };
                let detail = format!(
                    "{today} lies in {period}: general ledger {}, purchasing {}",
                    open(period.general_ledger),
                    open(period.purchasing)
                );
                let ok = period.general_ledger == PeriodState::Open && period.purchasing == PeriodState::Open;
                Check::of(
                    "period of today",
                    ok,
                    detail,
                    "open it in QAD, or check the words and columns of `masters.periods`",
                )
            }
            [] => Check::bad(
                "period of today",
                format!("no normal period holds {today}"),
                "create it in QAD, or check `masters.periods`",
            ),
            several => {
                let names: Vec<String> = several.iter().map(ToString::to_string).collect();
                let detail = format!("{today} lies in {}", names.join(" and "));
                Check::bad(
                    "period of today",
                    detail,
                    "narrow `masters.periods` to one calendar with `filters`",
                )
            }
        });
    }

    async fn entity(&self, layout: &Layout<'_>, checks: &mut Vec<Check>) {
        let section = layout.section;
        let name = format!("{section} look-up");
        checks.push(match self.find_canary(layout).await {
            Ok(()) => Check::good(name, format!("finds its canary {}", layout.look_up.canary)),
            Err(error) => Check::bad(
                name,
                error.to_string(),
                format!("correct `{section}.look_up`: browse, columns, canary"),
            ),
        });
        let name = format!("{section} metadata");
        match self.metadata(layout).await {
            Ok(entity) => checks.extend(fit(layout, &entity)),
            Err(error) => {
                let fix = match error {
                    LedgerError::Denied { .. } => {
                        "ask the QAD administrator for the permission to read entity metadata"
                    }
                    _ => "correct the profile's `metadata` and `entity_uri`",
                };
                checks.push(Check::bad(name, error.to_string(), fix));
            }
        }
    }
}

fn masters(reading: &ChartReading, checks: &mut Vec<Check>) {
    macro_rules! master {
        ($field:ident) => {{
            let name = concat!("masters.", stringify!($field));
            checks.push(match &reading.$field {
                MasterRead::Rows(rows) => Check::good(name, format!("{} rows", rows.len())),
                MasterRead::Failed(why) => Check::bad(
                    name,
                    why.clone(),
                    format!("correct `{name}`: browse, columns, words, canary"),
                ),
            });
        }};
    }
    master!(accounts);
    master!(cost_centres);
    master!(sub_accounts);
    master!(projects);
    master!(suppliers);
    master!(employees);
    master!(daybooks);
    master!(periods);
}

fn daybooks(reading: &ChartReading, checks: &mut Vec<Check>) {
    let MasterRead::Rows(daybooks) = &reading.daybooks else {
        return;
    };
    for (accepts, what) in [
        (DaybookUse::SupplierInvoices, "supplier invoices"),
        (DaybookUse::CreditNotes, "credit notes"),
        (DaybookUse::Journals, "journal entries"),
    ] {
        let codes: Vec<&str> = daybooks
            .iter()
            .filter(|daybook| daybook.active && daybook.accepts == accepts)
            .map(|daybook| daybook.code.as_str())
            .collect();
        let detail = if codes.is_empty() {
            "none is active".to_owned()
        } else {
            codes.join(", ")
        };
        let fix = "create one in QAD, or check the words of `masters.daybooks`";
        checks.push(Check::of(
            format!("daybook for {what}"),
            !codes.is_empty(),
            detail,
            fix,
        ));
    }
}

/// Does the profile fit the entity: every field it names exists, every required one is sent, texts fit?
fn fit(layout: &Layout<'_>, entity: &EntityMetadata) -> Vec<Check> {
    let section = layout.section;
    let in_line = |path: &FieldPath| format!("{}.{path}", layout.lines);
    let header: Vec<String> = layout
        .sent_header()
        .into_iter()
        .filter(|path| *path != layout.lines)
        .map(ToString::to_string)
        .collect();
    let line: Vec<String> = layout.sent_line().into_iter().map(in_line).collect();
    let given = layout.given_header().into_iter().map(ToString::to_string);

    let envelope_in_line: BTreeSet<String> = ENVELOPE
        .iter()
        .map(|name| format!("{}.{name}", layout.lines))
        .collect();
    let unknown: Vec<String> = header
        .iter()
        .chain(&line)
        .cloned()
        .chain(given)
        .filter(|name| !entity.fields.contains_key(name) && !envelope_in_line.contains(name))
        .collect();
    let sent: BTreeSet<&str> = header
        .iter()
        .chain(&line)
        .map(String::as_str)
        .chain(ENVELOPE)
        .collect();
    let unsent: Vec<&str> = entity
        .fields
        .iter()
        .filter(|(name, field)| field.required && !sent.contains(name.as_str()))
        .map(|(name, _)| name.as_str())
        .collect();

    let limits = [
        (
            layout.shared.reference.to_string(),
            Some(20),
            "max_length.reference",
        ),
        (
            layout.shared.description.to_string(),
            layout.max_length.description,
            "max_length.description",
        ),
        (
            in_line(&layout.line.description),
            layout.max_length.line_description,
            "max_length.line_description",
        ),
    ];
    let long: Vec<String> = limits
        .iter()
        .filter_map(|(name, ours, key)| {
            let theirs = entity.fields.get(name).and_then(|field| field.max_length)?;
            ours.is_none_or(|ours| ours > theirs)
                .then(|| format!("{name} takes {theirs} characters (`{section}.{key}`)"))
        })
        .collect();
    let told = |list: &[String], good: &str| {
        if list.is_empty() {
            good.to_owned()
        } else {
            list.join(", ")
        }
    };
    let unsent: Vec<String> = unsent.into_iter().map(str::to_owned).collect();
    vec![
        Check::of(
            format!("{section} path"),
            entity.api_url.trim_end_matches('/').ends_with(layout.path),
            format!("QAD says {}", entity.api_url),
            &format!("set `{section}.path` to what QAD says"),
        ),
        Check::of(
            format!("{section} fields"),
            unknown.is_empty(),
            told(&unknown, "QAD knows every field the profile names"),
            "QAD does not know these, and would drop them without a word: correct their names",
        ),
        Check::of(
            format!("{section} required fields"),
            unsent.is_empty(),
            told(&unsent, "every field QAD requires is sent"),
            "QAD requires these and the profile sends none of them: name them, or give them a value in `constants`",
        ),
        Check::of(
            format!("{section} lengths"),
            long.is_empty(),
            told(&long, "texts are cut to what QAD takes"),
            "set these lengths; a reference is never cut and needs a field of 20 characters",
        ),
    ]
}
