//! What a profile must hold beyond its syntax, so that it fails when it is read and not in the middle of a month.

use super::layout::Layout;
use super::masters::{Master, Optional};
use super::names::FieldPath;
use super::{Profile, ProfileError};

/// Length of the longest reference of ours (design §1).
const REFERENCE_LENGTH: usize = 20;

pub(super) fn validate(profile: &Profile) -> Result<(), ProfileError> {
    waits(profile)?;
    masters(profile)?;
    for layout in profile.documents.layouts() {
        document(&layout)?;
    }
    Ok(())
}

fn unfit(key: impl Into<String>, what: impl Into<String>) -> ProfileError {
    ProfileError::Unfit {
        key: key.into(),
        what: what.into(),
    }
}

fn waits(profile: &Profile) -> Result<(), ProfileError> {
    let waits = &profile.waits;
    if waits.quarantine.0 <= waits.read_timeout.0 + waits.connect_timeout.0 {
        return Err(unfit(
            "waits.quarantine",
            "is not longer than connect_timeout and read_timeout together: a request that was given up could arrive after it; raise it",
        ));
    }
    if waits.read_timeout.0.is_zero() || waits.connect_timeout.0.is_zero() {
        return Err(unfit(
            "waits.read_timeout",
            "or `waits.connect_timeout` is zero: give each at least a second",
        ));
    }
    if waits.resolve_delays.is_empty() {
        return Err(unfit(
            "waits.resolve_delays",
            "is empty: name at least one delay, e.g. [\"1m\"]",
        ));
    }
    if profile.transport.max_pages == 0 || profile.transport.max_answer_bytes == 0 {
        return Err(unfit(
            "transport.max_pages",
            "or `transport.max_answer_bytes` is zero: nothing could be read",
        ));
    }
    Ok(())
}

fn masters(profile: &Profile) -> Result<(), ProfileError> {
    let masters = &profile.masters;
    master("accounts", &masters.accounts)?;
    master("cost_centres", &masters.cost_centres)?;
    optional("sub_accounts", &masters.sub_accounts)?;
    optional("projects", &masters.projects)?;
    optional("suppliers", &masters.suppliers)?;
    optional("employees", &masters.employees)?;
    master("daybooks", &masters.daybooks)?;
    master("periods", &masters.periods)?;

    let columns = &masters.periods.columns;
    if columns.status.is_none() && (columns.general_ledger.is_none() || columns.purchasing.is_none()) {
        return Err(unfit(
            "masters.periods.columns",
            "names neither `status` nor both of `general_ledger` and `purchasing`: without one of them no period could be known to be open",
        ));
    }
    let year_and_number = masters
        .periods
        .canary
        .split_once('/')
        .map(|(year, number)| (year.parse::<i32>(), number.parse::<u32>()));
    if !matches!(year_and_number, Some((Ok(_), Ok(_)))) {
        return Err(unfit(
            "masters.periods.canary",
            "is not a year and a number: write e.g. \"2026/01\"",
        ));
    }
    Ok(())
}

fn optional<C, W>(name: &str, used: &Optional<Master<C, W>>) -> Result<(), ProfileError> {
    match used {
        Optional::Used(used) => master(name, used),
        Optional::Unused => Ok(()),
    }
}

fn master<C, W>(name: &str, master: &Master<C, W>) -> Result<(), ProfileError> {
    let key = format!("masters.{name}");
    browse(&key, &master.browse_id, &master.canary, master.page_size)?;
    for filter in &master.filters {
        let parts = filter.split(',').count();
        if parts != 4 && parts != 6 {
            return Err(unfit(
                format!("{key}.filters"),
                format!(
                    "has `{filter}`, which QAD would answer with an empty page: write `column,operator,value,literal`"
                ),
            ));
        }
    }
    Ok(())
}

fn browse(key: &str, browse_id: &str, canary: &str, page_size: u32) -> Result<(), ProfileError> {
    if !browse_id.starts_with("urn:") {
        return Err(unfit(
            format!("{key}.browse_id"),
            format!("is `{browse_id}`: write the browse's URN, e.g. `urn:browse:mfg:gp309`"),
        ));
    }
    if canary.trim().is_empty() || canary.starts_with('<') {
        return Err(unfit(
            format!("{key}.canary"),
            "is not filled in: name one that QAD is known to show, or an empty answer could never be believed",
        ));
    }
    if canary.contains(',') {
        return Err(unfit(
            format!("{key}.canary"),
            "holds a comma, which QAD's filters cannot carry: choose another",
        ));
    }
    if page_size == 0 {
        return Err(unfit(format!("{key}.page_size"), "is zero: write e.g. 200"));
    }
    Ok(())
}

fn document(layout: &Layout<'_>) -> Result<(), ProfileError> {
    let key = layout.section;
    if !layout.path.starts_with('/') {
        return Err(unfit(
            format!("{key}.path"),
            format!(
                "is `{}`: it begins with `/`, e.g. `/api/erp/supplierInvoices`",
                layout.path
            ),
        ));
    }
    for (name, uri) in [("view_uri", layout.view_uri), ("entity_uri", layout.entity_uri)] {
        if !uri.starts_with("urn:") {
            return Err(unfit(
                format!("{key}.{name}"),
                format!("is `{uri}`: write the URN of the entity, `urn:be:…`"),
            ));
        }
    }
    browse(
        &format!("{key}.look_up"),
        &layout.look_up.browse_id,
        &layout.look_up.canary,
        layout.look_up.page_size,
    )?;
    if let Some(length) = layout
        .max_length
        .reference
        .filter(|length| *length < REFERENCE_LENGTH)
    {
        return Err(unfit(
            format!("{key}.max_length.reference"),
            format!(
                "is {length}: a reference has up to {REFERENCE_LENGTH} characters and is never cut; choose another field for it"
            ),
        ));
    }
    if layout.shared.currency.is_none() && layout.line.currency.is_none() {
        return Err(unfit(
            format!("{key}.line.currency"),
            "is missing, and so is `header.currency`: name where the currency lies",
        ));
    }
    let envelope = ["uri", "dataOperation", "concurrencyHash", "changeStatus"].map(FieldPath::new);
    let mut header: Vec<&FieldPath> = envelope.iter().flatten().collect();
    header.extend(layout.sent_header());
    header.extend(layout.given_header());
    apart(&format!("{key}.header"), &header)?;
    apart(&format!("{key}.line"), &layout.sent_line())
}

/// No two fields at one place, and none inside another: one of them would be lost without a word.
fn apart(key: &str, paths: &[&FieldPath]) -> Result<(), ProfileError> {
    for (index, one) in paths.iter().enumerate() {
        let clash = paths
            .iter()
            .enumerate()
            .find(|(other, path)| *other != index && path.is_within(one));
        if let Some((_, other)) = clash {
            return Err(unfit(
                key,
                format!("puts `{other}` where `{one}` already lies: each field needs a place of its own"),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::profile::{Canaries, Profile, TEMPLATE};

    fn refusal(from: &str, to: &str) -> String {
        let text = Canaries::sample().fill(TEMPLATE);
        assert!(text.contains(from), "the template has no `{from}`");
        Profile::parse(&text.replacen(from, to, 1))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn each_unfit_value_is_named_with_its_remedy() {
        for (from, to, key, remedy) in [
            (
                "quarantine = \"15m\"",
                "quarantine = \"30s\"",
                "waits.quarantine",
                "raise it",
            ),
            (
                "resolve_delays = [",
                "resolve_delays = [] # [",
                "waits.resolve_delays",
                "at least one",
            ),
            (
                "urn:browse:mfg:gp309",
                "gp309",
                "masters.accounts.browse_id",
                "URN",
            ),
            (
                "canary = \"6410\"",
                "canary = \" \"",
                "masters.accounts.canary",
                "known to show",
            ),
            (
                "canary = \"6410\"",
                "canary = \"64,10\"",
                "masters.accounts.canary",
                "another",
            ),
            (
                "canary = \"2024/01\"",
                "canary = \"January\"",
                "masters.periods.canary",
                "2026/01",
            ),
            (
                "path = \"/api/erp/supplierInvoices\"",
                "path = \"api\"",
                "documents.supplier_invoice.path",
                "begins with",
            ),
            (
                "reference = 20",
                "reference = 12",
                "documents.supplier_invoice.max_length.reference",
                "never cut",
            ),
            (
                "supplier = \"supplierCode\"",
                "supplier = \"reference\"",
                "documents.supplier_invoice.header",
                "its own",
            ),
            (
                "supplier = \"supplierCode\"",
                "supplier = \"reference.code\"",
                "documents.supplier_invoice.header",
                "its own",
            ),
            (
                "supplier = \"supplierCode\"",
                "supplier = \"uri\"",
                "documents.supplier_invoice.header",
                "its own",
            ),
        ] {
            let said = refusal(from, to);
            assert!(
                said.contains(&format!("`{key}`")) && said.contains(remedy),
                "{key}: {said}"
            );
        }
    }

    #[test]
    fn an_unknown_or_missing_key_is_shown_with_its_line() {
        let unknown = refusal(
            "browse_id = \"urn:browse:mfg:gp309\"",
            "browse = \"urn:browse:mfg:gp309\"",
        );
        assert!(unknown.contains("unknown field `browse`"), "{unknown}");
        let missing = refusal("supplier = \"supplierCode\"", "");
        assert!(missing.contains("missing field `supplier`"), "{missing}");
    }

    #[test]
    fn another_version_is_refused_before_anything_else() {
        let said = Profile::parse("profile_version = 2\nsomething = \"else\"")
            .unwrap_err()
            .to_string();
        assert!(
            said.contains("version 2") || said.contains("profile_version 2"),
            "{said}"
        );
    }

    #[test]
    fn a_master_that_a_site_does_not_use_stands_alone() {
        let text = Canaries::sample().fill(TEMPLATE);
        let (before, rest) = text.split_once("[masters.projects]").unwrap();
        let (_, after) = rest.split_once("[masters.suppliers]").unwrap();
        let profile = Profile::parse(&format!(
            "{before}[masters.projects]\nunused = true\n[masters.suppliers]{after}"
        ))
        .unwrap();
        assert_eq!(profile.masters.projects, crate::profile::Optional::Unused);
        let said =
            Profile::parse(&text.replacen("[masters.projects]\n", "[masters.projects]\nunused = true\n", 1))
                .unwrap_err();
        assert!(said.to_string().contains("stands alone"), "{said}");
    }
}
