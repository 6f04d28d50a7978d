//! All or nothing, and no defaults: every reason there is, and every reason at once.

use std::collections::BTreeSet;

use super::world::{Case, carded, orphan, owed, report, supplier, usd};
use crate::chart::{AccountType, AnalysisUse, ChartReading, DaybookUse, Limitation, MasterRead, PeriodState};
use crate::ids::{BusinessRelationCode, TransactionId};
use crate::money::{Currency, Hundredths};
use crate::report::tests::samples::transaction;
use crate::report::{Flag, MapOutcome, Personal, ReasonCode, SourceStatus};
use crate::time::SourceTime;

fn case() -> Case {
    report(vec![owed(5_000)])
}

fn line(change: impl FnOnce(&mut crate::report::LineFacts)) -> Case {
    case().with(|case| change(&mut case.payload.facts.lines[0]))
}

/// A report that the mapping refuses or holds for this reason. `None`: the mapping never says so.
fn met(code: ReasonCode) -> Option<Case> {
    use ReasonCode as R;
    Some(match code {
        R::UnmappedAccount => line(|line| line.category = "Unheard".into()),
        R::UnmappedCostCentre => line(|line| line.tag_gl = String::new()),
        R::UnknownAccount => {
            case().with(|case| case.masters.accounts.retain(|row| row.code.as_str() != "6410"))
        }
        R::InactiveAccount => case().with(|case| case.masters.account("6410").active = false),
        R::AccountNotPostable => {
            case().with(|case| case.masters.account("6410").kind = AccountType::Other("BANK".into()))
        }
        R::AccountCurrency => case().with(|case| {
            case.masters.account("6410").only_currency = Currency::new("EUR").ok();
        }),
        R::UnknownCostCentre => line(|line| line.tag_gl = "TX".into()),
        R::InactiveCostCentre => case().with(|case| case.masters.cost_centres[0].active = false),
        R::CostCentreForbidden => line(|line| line.category = "Fees".into()),
        R::UnmappedProject => {
            case().with(|case| case.masters.account("6410").project = AnalysisUse::Required)
        }
        R::UnmappedSubAccount => {
            case().with(|case| case.masters.account("6410").sub_account = AnalysisUse::Required)
        }
        R::ProjectForbidden => line(|line| line.category = "Tooling".into())
            .with(|case| case.masters.account("6410").project = AnalysisUse::Forbidden),
        R::SubAccountForbidden => line(|line| line.category = "Tooling".into())
            .with(|case| case.masters.account("6410").sub_account = AnalysisUse::Forbidden),
        R::CentreAndProject => line(|line| line.category = "Tooling".into())
            .with(|case| case.masters.account("6410").limitation = Limitation::ExactlyOne),
        R::BadSubAccount => line(|line| line.category = "Tooling".into())
            .with(|case| case.masters.sub_accounts[0].active = false),
        R::BadProject => {
            line(|line| line.category = "Tooling".into()).with(|case| case.masters.projects.clear())
        }
        R::NoSupplier => case().with(|case| case.masters.suppliers.clear()),
        R::AmbiguousSupplier => case().with(|case| {
            case.masters
                .suppliers
                .push(supplier("EMP-OTHER", "BR1001", Some("USD")))
        }),
        R::InactiveSupplier => case().with(|case| case.masters.suppliers[0].active = false),
        R::SupplierCurrency => {
            case().with(|case| case.masters.suppliers[0].currency = Currency::new("EUR").ok())
        }
        R::BadDaybook => case().ruled("invoice = \"EXPINV\"", ""),
        R::NoReimbursementClearing => case()
            .with(|case| case.payload.facts.status = SourceStatus::Reimbursed)
            .ruled("reimbursement = \"2155\"", ""),
        R::NoCardClearing => report(vec![carded(100)])
            .with(|case| case.payload.facts.lines[0].card_name = "Other".into())
            .ruled("bank = \"Chase\"", "")
            .ruled("cards_default = \"2160\"", ""),
        R::NoCreditAccount => report(vec![orphan(100)]),
        R::UnknownCurrency => case().with(|case| case.payload.facts.currency = "XQQ".into()),
        R::MissingConversion => line(|line| {
            line.currency = "EUR".into();
            line.converted_amount = Hundredths::Blank;
        }),
        R::AmountsDisagree => line(|line| line.converted_amount = Hundredths::Of(1)),
        R::TotalDisagrees => case().with(|case| case.payload.facts.total = Hundredths::Of(1)),
        R::LineCountDisagrees => case().with(|case| case.payload.facts.declared_lines = Some(2)),
        R::DuplicateLine => report(vec![owed(100), owed(100)])
            .with(|case| case.payload.facts.lines[1].transaction = transaction(1)),
        R::AmountRemainder => report(vec![owed(150)]).in_currency("JPY"),
        R::UnreadableAmount => line(|line| line.amount = Hundredths::from("fifty")),
        R::UnreadableDate => line(|line| line.created = SourceTime::new("yesterday")),
        R::UnreadableFlag => line(|line| line.reimbursable = Flag::Blank),
        R::UnknownStatus => {
            case().with(|case| case.payload.facts.status = SourceStatus::Other("Archived".into()))
        }
        R::UnmappedTax => line(|line| {
            line.has_tax = Flag::Yes;
            line.tax_amount = Hundredths::Of(100);
        }),
        R::TaxNotConvertible => line(|line| {
            line.currency = "EUR".into();
            line.has_tax = Flag::Yes;
            line.tax_amount = Hundredths::Of(100);
            line.tax_code = "VAT20".into();
        }),
        R::ClosedPeriod => case().with(|case| case.masters.periods[1].purchasing = PeriodState::Closed),
        R::NoPeriod => case().with(|case| case.masters.periods.clear()),
        R::ChartHeld => not_shown(case(), |reading| {
            reading.accounts = MasterRead::Failed("silent".into())
        }),
        R::Forgotten => case().with(|case| case.payload.personal = Personal::Forgotten),
        R::NoSubmitter => case().with(|case| case.personal().submitter = "somebody".into()),
        // Said by the claim on an expense, by QAD, and by the limits of a transport.
        R::ExpenseClaimed | R::RefusedByQad | R::TooLarge => return None,
    })
}

/// On the second day QAD shows something less.
fn not_shown(mut case: Case, change: impl FnOnce(&mut ChartReading)) -> Case {
    let mut reading = case.masters.reading();
    change(&mut reading);
    case.later = Some(reading);
    case
}

#[test]
fn every_reason_of_the_mapping_has_a_report_that_meets_it_and_only_it() {
    for code in ReasonCode::ALL {
        let Some(case) = met(*code) else { continue };
        let (reasons, held) = match case.outcome() {
            MapOutcome::Rejected { reasons, .. } => (reasons, false),
            MapOutcome::Held { reasons, .. } => (reasons, true),
            other => panic!("{code}: {other:?}"),
        };
        let codes: BTreeSet<ReasonCode> = reasons.iter().map(|reason| reason.code).collect();
        assert_eq!(codes, BTreeSet::from([*code]), "{reasons:?}");
        assert_eq!(
            held,
            matches!(code, ReasonCode::ClosedPeriod | ReasonCode::ChartHeld),
            "{code}"
        );
        for reason in reasons {
            assert!(!reason.message.is_empty() && !reason.remedy().is_empty());
            assert!(
                !reason.message.contains("kim@"),
                "a reason names no person: {}",
                reason.message
            );
        }
    }
}

#[test]
fn every_reason_is_said_at_once() {
    let mut strange = owed(100);
    strange.category = "Unheard".into();
    strange.tag_gl = "TX".into();
    let mut undated = owed(100);
    undated.created = SourceTime::new("yesterday");
    undated.reimbursable = Flag::Unreadable("maybe".into());
    let mut unconverted = owed(100);
    unconverted.currency = "EUR".into();
    unconverted.converted_amount = Hundredths::Blank;
    let case = report(vec![owed(5_000), strange, undated, unconverted, orphan(100)]).with(|case| {
        case.payload.facts.status = SourceStatus::Other("Archived".into());
        case.payload.facts.declared_lines = Some(9);
        case.masters.suppliers.clear();
        case.masters.periods.clear();
        case.masters.account("6410").active = false;
    });
    use ReasonCode as R;
    let codes: BTreeSet<R> = case.rejected().iter().map(|reason| reason.code).collect();
    let expected = BTreeSet::from([
        R::UnknownStatus,
        R::LineCountDisagrees,
        R::UnmappedAccount,
        R::UnknownCostCentre,
        R::InactiveAccount,
        R::UnreadableDate,
        R::UnreadableFlag,
        R::MissingConversion,
        R::NoCreditAccount,
        R::NoSupplier,
    ]);
    assert_eq!(&expected - &codes, BTreeSet::new(), "{:?}", case.rejected());
}

#[test]
fn a_reason_names_its_line() {
    let case = report(vec![owed(5_000), owed(100)])
        .with(|case| case.payload.facts.lines[1].category = "Unheard".into());
    let lines: Vec<Option<TransactionId>> = case.rejected().into_iter().map(|reason| reason.line).collect();
    assert_eq!(lines, [Some(transaction(2))]);
}

#[test]
fn one_line_that_fails_keeps_the_whole_report_from_posting() {
    let case = report(vec![owed(5_000), carded(100)])
        .with(|case| case.payload.facts.lines[1].category = "Unheard".into());
    case.rejected_for(ReasonCode::UnmappedAccount, "Unheard");
}

#[test]
fn a_line_that_fails_keeps_no_other_from_saying_what_its_document_lacks() {
    let case = report(vec![owed(5_000), owed(100)])
        .with(|case| case.payload.facts.lines[0].category = "Unheard".into())
        .ruled("invoice = \"EXPINV\"", "");
    let codes: Vec<ReasonCode> = case.rejected().iter().map(|reason| reason.code).collect();
    assert_eq!(codes, [ReasonCode::UnmappedAccount, ReasonCode::BadDaybook]);
}

#[test]
fn a_line_that_fails_stands_on_no_document_and_none_asks_for_its_daybook() {
    case()
        .with(|case| case.masters.account("6410").active = false)
        .ruled("invoice = \"EXPINV\"", "")
        .rejected_for(ReasonCode::InactiveAccount, "6410");
}

#[test]
fn what_is_wrong_outweighs_what_must_wait() {
    line(|line| line.category = "Unheard".into())
        .with(|case| case.masters.periods[1].purchasing = PeriodState::Closed)
        .rejected_for(ReasonCode::UnmappedAccount, "Unheard");
}

#[test]
fn a_missing_count_is_a_count_that_disagrees() {
    case()
        .with(|case| case.payload.facts.declared_lines = None)
        .rejected_for(ReasonCode::LineCountDisagrees, "the source sent no count");
    let fewer = case().with(|case| case.payload.facts.declared_lines = Some(0));
    fewer.rejected_for(
        ReasonCode::LineCountDisagrees,
        "the source says 0 expenses and sent 1",
    );
}

#[test]
fn an_account_that_takes_no_cost_centre_goes_without_and_one_that_does_never() {
    let fees = line(|line| {
        line.category = "Fees".into();
        line.tag_gl = String::new();
    });
    assert_eq!(fees.document().lines[0].coding.cost_centre, None);
    // Law 5: also where QAD would let it pass.
    line(|line| line.tag_gl = String::new())
        .with(|case| case.masters.account("6410").cost_centre = AnalysisUse::Optional)
        .rejected_for(ReasonCode::UnmappedCostCentre, "tag_gl_code");
}

#[test]
fn an_account_that_requires_a_project_or_a_sub_account_says_which_rules_give_none() {
    let wants =
        |want: fn(&mut crate::chart::Account)| case().with(move |case| want(case.masters.account("6410")));
    wants(|account| account.project = AnalysisUse::Required).rejected_for(
        ReasonCode::UnmappedProject,
        "account 6410 requires a project: no rule sets `project`",
    );
    wants(|account| account.sub_account = AnalysisUse::Required).rejected_for(
        ReasonCode::UnmappedSubAccount,
        "account 6410 requires a sub-account",
    );
}

#[test]
fn a_project_goes_where_the_account_takes_one_and_in_place_of_a_cost_centre_where_it_takes_only_one() {
    let with_project = |change: fn(&mut crate::chart::Account)| {
        case()
            .ruled(
                "set = { account = \"6410\" }",
                "set = { account = \"6410\", project = \"P-7\" }",
            )
            .with(move |case| change(case.masters.account("6410")))
    };
    with_project(|account| account.project = AnalysisUse::Forbidden).rejected_for(
        ReasonCode::ProjectForbidden,
        "account 6410 takes no project, and P-7 is set",
    );
    with_project(|account| {
        account.cost_centre = AnalysisUse::Optional;
        account.limitation = Limitation::ExactlyOne;
    })
    .rejected_for(ReasonCode::CentreAndProject, "not both");
    let untagged = |limitation| {
        with_project(|_| {}).with(move |case| {
            case.masters.account("6410").limitation = limitation;
            case.masters.account("6410").cost_centre = AnalysisUse::Optional;
            case.payload.facts.lines[0].tag_gl = String::new();
        })
    };
    for limitation in [Limitation::ExactlyOne, Limitation::AtLeastOne] {
        let coding = untagged(limitation).document().lines[0].coding.clone();
        assert_eq!(
            (coding.cost_centre, coding.project.is_some()),
            (None, true),
            "{limitation:?}"
        );
    }
    untagged(Limitation::None).rejected_for(ReasonCode::UnmappedCostCentre, "tag_gl_code");
    untagged(Limitation::AtLeastOne)
        .with(|case| case.payload.facts.lines[0].tag_gl = "a\u{7}b".into())
        .rejected_for(ReasonCode::UnmappedCostCentre, "tag_gl_code");
    // No chart says this of an account; said, it would not post a line that has neither.
    line(|line| line.tag_gl = String::new())
        .with(|case| {
            case.masters.account("6410").cost_centre = AnalysisUse::Forbidden;
            case.masters.account("6410").limitation = Limitation::AtLeastOne;
        })
        .rejected_for(
            ReasonCode::UnmappedCostCentre,
            "requires a cost centre or a project",
        );
    line(|line| line.tag_gl = String::new())
        .with(|case| {
            case.masters.account("6410").cost_centre = AnalysisUse::Optional;
            case.masters.account("6410").limitation = Limitation::ExactlyOne;
        })
        .rejected_for(ReasonCode::UnmappedCostCentre, "tag_gl_code");
}

#[test]
fn a_line_that_bears_a_project_or_sub_account_that_can_be_no_code_is_not_posted_without_one() {
    case()
        .ruled(
            "set = { account = \"6410\" }",
            "set = { account = \"6410\", project = { from = \"category_gl_code\" } }",
        )
        .with(|case| case.payload.facts.lines[0].category_gl = "a\u{7}b".into())
        .rejected_for(ReasonCode::BadProject, "takes `project` from category_gl_code");
    case()
        .ruled(
            "set = { account = \"6410\" }",
            "set = { account = \"6410\", sub_account = { from = \"category_gl_code\" } }",
        )
        .with(|case| case.payload.facts.lines[0].category_gl = "a\u{7}b".into())
        .rejected_for(
            ReasonCode::BadSubAccount,
            "takes `sub_account` from category_gl_code",
        );
}

#[test]
fn the_accounts_of_the_credit_side_and_of_tax_are_held_against_the_chart_too() {
    let inactive = |case: Case, code: &str| {
        case.with(|case| case.masters.account(code).active = false)
            .rejected_for(ReasonCode::InactiveAccount, code);
    };
    inactive(report(vec![carded(100)]), "2161");
    inactive(
        case().with(|case| case.payload.facts.status = SourceStatus::Reimbursed),
        "2155",
    );
    inactive(
        report(vec![orphan(100)]).with(|case| case.payload.facts.lines[0].category = "Hotel".into()),
        "1010",
    );
    let taxed = line(|line| {
        line.has_tax = Flag::Yes;
        line.tax_amount = Hundredths::Of(100);
        line.tax_code = "VAT20".into();
    });
    inactive(taxed, "1410");
}

// ── suppliers ────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn the_table_names_the_supplier_before_the_business_relation_does() {
    let lee = case().with(|case| case.personal().submitter = "Lee@Acme.example".into());
    assert_eq!(lee.document().supplier().unwrap().as_str(), "EMP-LEE");
    lee.with(|case| drop(case.masters.suppliers.pop())).rejected_for(
        ReasonCode::NoSupplier,
        "the table names supplier EMP-LEE, which QAD does not have",
    );
}

#[test]
fn a_set_that_goes_by_the_table_alone_does_not_look_further() {
    case()
        .ruled("match = \"business_relation\"", "match = \"table\"")
        .rejected_for(
            ReasonCode::NoSupplier,
            "the supplier table does not name the submitter",
        );
}

#[test]
fn of_several_suppliers_on_one_relation_the_one_in_the_reports_currency_serves() {
    let two = case().with(|case| {
        case.masters
            .suppliers
            .push(supplier("EMP-EUR", "BR1001", Some("EUR")))
    });
    assert_eq!(two.document().supplier().unwrap().as_str(), "EMP-E1001");
    assert_eq!(two.document().currency, usd());
    met(ReasonCode::AmbiguousSupplier)
        .unwrap()
        .rejected_for(ReasonCode::AmbiguousSupplier, "EMP-E1001, EMP-OTHER");
}

#[test]
fn an_employee_without_a_relation_or_unknown_to_qad_has_no_supplier() {
    let alone = case().with(|case| case.masters.employees[0].business_relation = None);
    alone.rejected_for(ReasonCode::NoSupplier, "has no supplier in QAD");
    let elsewhere =
        case().with(|case| case.masters.employees[0].business_relation = BusinessRelationCode::new("X").ok());
    elsewhere.rejected_for(ReasonCode::NoSupplier, "has no supplier in QAD");
}

#[test]
fn nobody_is_asked_for_a_supplier_when_nothing_is_owed() {
    let stranger = |case: &mut Case| case.masters.suppliers.clear();
    report(vec![carded(100)]).with(stranger).document();
    case()
        .with(|case| case.payload.facts.status = SourceStatus::Reimbursed)
        .with(stranger)
        .document();
}

#[test]
fn nobody_is_asked_for_a_supplier_when_nothing_is_owed_whatever_else_is_wrong() {
    let strange = |case: &mut Case| {
        case.payload.facts.lines[0].category = "Unheard".into();
        case.masters.suppliers.clear();
    };
    let on_card = report(vec![carded(100)]);
    let paid = case().with(|case| case.payload.facts.status = SourceStatus::Reimbursed);
    for nothing_owed in [on_card, paid] {
        nothing_owed
            .with(strange)
            .rejected_for(ReasonCode::UnmappedAccount, "Unheard");
    }
}

// ── daybooks ─────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_daybook_must_exist_be_active_and_take_the_document() {
    let book =
        |change: fn(&mut Case), words: &str| case().with(change).rejected_for(ReasonCode::BadDaybook, words);
    book(
        |case| drop(case.masters.daybooks.remove(0)),
        "QAD has no daybook EXPINV",
    );
    book(
        |case| case.masters.daybooks[0].active = false,
        "daybook EXPINV is inactive",
    );
    book(
        |case| case.masters.daybooks[0].accepts = DaybookUse::Journals,
        "does not take a supplier invoice",
    );
    case().ruled("invoice = \"EXPINV\"", "").rejected_for(
        ReasonCode::BadDaybook,
        "the rule set names no daybook for a supplier invoice",
    );
}

// ── what QAD did not show ────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_row_that_was_not_shown_holds_what_needs_it_and_nothing_else() {
    type Less = fn(&mut ChartReading);
    let gone: [(&str, Less); 6] = [
        ("account 6410", |reading| {
            if let MasterRead::Rows(rows) = &mut reading.accounts {
                rows.retain(|row| row.code.as_str() != "6410");
            }
        }),
        ("cost centre OH", |reading| {
            reading.cost_centres = MasterRead::Rows(vec![])
        }),
        ("daybook EXPINV", |reading| {
            if let MasterRead::Rows(rows) = &mut reading.daybooks {
                rows.remove(0);
            }
        }),
        ("suppliers or employees", |reading| {
            reading.suppliers = MasterRead::Failed("silent".into())
        }),
        ("suppliers or employees", |reading| {
            reading.employees = MasterRead::Rows(vec![])
        }),
        ("periods", |reading| {
            reading.periods = MasterRead::Failed("silent".into())
        }),
    ];
    for (words, less) in gone {
        not_shown(case(), less).held_for(ReasonCode::ChartHeld, words);
    }
    let tooling = || line(|line| line.category = "Tooling".into());
    not_shown(tooling(), |reading| reading.projects = MasterRead::Rows(vec![]))
        .held_for(ReasonCode::ChartHeld, "project P-7");
    not_shown(tooling(), |reading| {
        reading.sub_accounts = MasterRead::Rows(vec![])
    })
    .held_for(ReasonCode::ChartHeld, "sub-account 01");
    let lee = case().with(|case| case.personal().submitter = "lee@acme.example".into());
    not_shown(lee, |reading| reading.suppliers = MasterRead::Rows(vec![]))
        .held_for(ReasonCode::ChartHeld, "supplier EMP-LEE");
    // What does not need the missing row posts.
    not_shown(case(), |reading| reading.projects = MasterRead::Rows(vec![])).document();
}
