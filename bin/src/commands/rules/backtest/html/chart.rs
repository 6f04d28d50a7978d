//! Bars of net movement by account: more debit to the right of zero, more credit to the left, a picture a currency.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::super::told::Moved;
use super::{Escaped, signed};

/// Accounts that a picture shows, the largest movements first.
const BARS: usize = 20;

// Of the picture, in its own units.
const WIDTH: u32 = 760;
const LABEL: u32 = 170;
const HALF: u32 = 225;
const ZERO: u32 = LABEL + HALF;
const ROW: u32 = 28;
const BAR: u32 = 16;

/// All of them, in the order of their currencies.
pub(super) fn charts(movements: &[Moved]) -> String {
    let mut by_currency: BTreeMap<&str, BTreeMap<&str, Decimal>> = BTreeMap::new();
    for row in movements {
        let account = row.account.as_deref().unwrap_or("owed to suppliers");
        let net = by_currency
            .entry(row.currency.as_str())
            .or_default()
            .entry(account)
            .or_default();
        *net += row.net;
    }
    by_currency
        .into_iter()
        .map(|(currency, nets)| chart(currency, nets))
        .collect()
}

fn chart(currency: &str, nets: BTreeMap<&str, Decimal>) -> String {
    let mut nets: Vec<(&str, Decimal)> = nets.into_iter().filter(|(_, net)| !net.is_zero()).collect();
    nets.sort_by(|(one, a), (other, b)| b.abs().cmp(&a.abs()).then(one.cmp(other)));
    let Some(most) = nets.first().map(|(_, net)| net.abs()) else {
        return format!(
            "<p class=\"note\">{}: what moves stays on its account.</p>\n",
            Escaped(currency)
        );
    };
    let more = nets.len().saturating_sub(BARS);
    nets.truncate(BARS);
    let bars: String = nets
        .iter()
        .zip(0u32..)
        .map(|((account, net), at)| bar(account, *net, most, at))
        .collect();
    let height = (nets.len() as u32).saturating_mul(ROW).saturating_add(ROW);
    let currency = Escaped(currency);
    let more = if more > 0 {
        format!(" The {BARS} largest of them; the table has {more} more.")
    } else {
        String::new()
    };
    format!(
        "<figure>\n<figcaption>Net movement by account, in {currency}: more debit to the right, more credit to the \
         left.{more}</figcaption>\n<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Net movement by account, in {currency}; the table below has the same amounts\">\n\
         <text class=\"side\" x=\"{left}\" y=\"14\" text-anchor=\"end\">credit</text>\n\
         <text class=\"side\" x=\"{right}\" y=\"14\">debit</text>\n{bars}\
         <line class=\"zero\" x1=\"{ZERO}\" y1=\"20\" x2=\"{ZERO}\" y2=\"{height}\"/>\n</svg>\n</figure>\n",
        left = ZERO.saturating_sub(8),
        right = ZERO.saturating_add(8),
    )
}

fn bar(account: &str, net: Decimal, most: Decimal, at: u32) -> String {
    let top = at.saturating_mul(ROW).saturating_add(ROW);
    // A bar of nothing would look like no movement: the least is a unit wide.
    let width = (net.abs() * Decimal::from(HALF))
        .checked_div(most)
        .unwrap_or_default()
        .round_dp(1)
        .max(Decimal::ONE);
    let (class, left) = if net.is_sign_negative() {
        ("credit", Decimal::from(ZERO) - width)
    } else {
        ("debit", Decimal::from(ZERO))
    };
    let middle = top.saturating_add(BAR / 2);
    let label = Escaped(account);
    let amount = signed(net);
    format!(
        "<g><title>{label}: {amount}</title><text x=\"{x}\" y=\"{middle}\" text-anchor=\"end\" \
         dominant-baseline=\"central\">{shown}</text><rect class=\"{class}\" x=\"{left}\" y=\"{top}\" width=\"{width}\" \
         height=\"{BAR}\" rx=\"2\"/><text class=\"amount\" x=\"{WIDTH}\" y=\"{middle}\" text-anchor=\"end\" \
         dominant-baseline=\"central\">{amount}</text></g>\n",
        x = LABEL.saturating_sub(10),
        shown = Escaped(&shortened(account)),
    )
}

/// As many characters as have room; the title has them all.
fn shortened(account: &str) -> String {
    const MOST: usize = 20;
    if account.chars().count() <= MOST {
        return account.to_owned();
    }
    let beginning: String = account.chars().take(MOST - 1).collect();
    format!("{beginning}…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::rules::backtest::told::Sides;

    fn moved(account: Option<&str>, net: i64) -> Moved {
        let zero = Sides {
            debit: Decimal::ZERO,
            credit: Decimal::ZERO,
        };
        Moved {
            currency: "USD".into(),
            year: 2026,
            period: 11,
            account: account.map(str::to_owned),
            sub_account: None,
            cost_centre: None,
            project: None,
            supplier: account.is_none().then(|| "EMP-1".to_owned()),
            before: zero,
            after: zero,
            net: Decimal::new(net, 2),
        }
    }

    #[test]
    fn the_largest_movement_fills_its_half_and_the_others_are_in_proportion_to_it() {
        let picture = charts(&[
            moved(Some("6410"), 10_000),
            moved(Some("6410"), 10_000),
            moved(Some("1010"), -10_000),
            moved(None, -10_000),
        ]);
        let rect = |class: &str, x: &str, width: &str| {
            picture.contains(&format!("class=\"{class}\" x=\"{x}\""))
                && picture.contains(&format!("width=\"{width}\""))
        };
        assert!(rect("debit", "395", "225"), "{picture}");
        assert!(rect("credit", "282.5", "112.5"), "{picture}");
        assert!(picture.contains("owed to suppliers") && !picture.contains("EMP-1"));
        assert!(picture.find("6410") < picture.find("1010"), "the largest first");
    }

    #[test]
    fn an_account_is_escaped_wherever_it_stands() {
        let picture = charts(&[moved(Some("<b>&\"6410\""), 100)]);
        assert!(!picture.contains("<b>"), "{picture}");
    }

    #[test]
    fn movements_within_an_account_have_no_bar() {
        let picture = charts(&[moved(Some("6410"), 100), moved(Some("6410"), -100)]);
        assert!(!picture.contains("<svg"), "{picture}");
    }
}
