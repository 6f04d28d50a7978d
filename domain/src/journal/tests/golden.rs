//! Every event ever written is read for ever: one file of each type in `domain/tests/golden/events/v1`.
//!
//! `UPDATE_GOLDEN=1` writes what is missing and what changed; a file that changed is a schema that changed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::chart::{
    Account, AccountType, AnalysisUse, Chart, ChartEvent, ChartReading, CostCentre, Daybook, DaybookUse,
    Employee, Limitation, Master, MasterHeld, MasterRead, Period, PeriodState, Project, SubAccount, Supplier,
    compare,
};
use crate::ids::{
    AccountCode, BusinessRelationCode, CostCentreCode, DaybookCode, Email, EmployeeCode, ProjectCode,
    SubAccountCode, SupplierCode,
};
use crate::ids::{ReportId, TransactionId, Voucher, Workspace};
use crate::journal::StoredEvent;
use crate::money::Currency;
use crate::operators::tests::{key, name, user};
use crate::operators::{OperatorEvent, OsUser, Proof, Signature};
use crate::ports::SourceCalls;
use crate::posting::{DocumentKey, Sighting};
use crate::report::ReportEvent;
use crate::report::tests::samples::{day, every_shape, i1};
use crate::rules::RuleSetVersion;
use crate::workflow::{
    ControlTotal, ExpenseEvent, HeldAgainst, LedgerEvent, LogEvent, PollEvent, ProfileEvent, RulesEvent,
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/events/v1")
}

fn stored<E: StoredEvent>(event: &E) -> Value {
    let facts: Value = serde_json::from_str(&event.facts().unwrap()).unwrap();
    let personal: Value = event
        .personal()
        .unwrap()
        .map_or(Value::Null, |text| serde_json::from_str(&text).unwrap());
    json!({ "kind": event.kind(), "schema": event.schema(), "facts": facts, "personal": personal })
}

fn restored<E: StoredEvent>(golden: &Value) -> E {
    let personal = golden["personal"]
        .is_object()
        .then(|| golden["personal"].to_string());
    let schema = u16::try_from(golden["schema"].as_u64().unwrap()).unwrap();
    E::restore(
        golden["kind"].as_str().unwrap(),
        schema,
        &golden["facts"].to_string(),
        personal.as_deref(),
    )
    .unwrap()
}

fn text(value: &Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(value).unwrap())
}

/// Reads the file of one event and writes it again.
fn check<E: StoredEvent + PartialEq + std::fmt::Debug>(name: &str, event: &E) {
    let path = folder().join(format!("{name}.json"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(&path, text(&stored(event))).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let read: E = restored(&serde_json::from_str(&golden).unwrap());
    assert_eq!(&read, event, "{name}: what is read is not what was written");
    assert_eq!(
        text(&stored(&read)),
        golden,
        "{name}: what is written is not what was read"
    );
}

/// The types of a family of events, and a `match` that no longer compiles when one is added and not listed.
macro_rules! types {
    ($name:ident, $family:ident { $($pattern:pat => $type:literal),* $(,)? }) => {
        const $name: &[&str] = &[$($type),*];
        const _: fn(&$family) -> &'static str = |event| {
            #[allow(unused_imports, reason = "the patterns name their variants shortly")]
            use $family::*;
            match event { $($pattern => $type),* }
        };
    };
}

types!(REPORT_EVENTS, ReportEvent {
    Discovered { .. } => "Discovered",
    Revised { .. } => "Revised",
    Withdrawn => "Withdrawn",
    Mapped(_) => "Mapped",
    Rejected { .. } => "Rejected",
    Held { .. } => "Held",
    PostingStarted { .. } => "PostingStarted",
    DocumentPosted { .. } => "DocumentPosted",
    DocumentRefused { .. } => "DocumentRefused",
    PostingInDoubt { .. } => "PostingInDoubt",
    PostingFailed { .. } => "PostingFailed",
    Posted => "Posted",
    MarkingStarted { .. } => "MarkingStarted",
    MarkedExported { .. } => "MarkedExported",
    Rewound { .. } => "Rewound",
    Excluded(_) => "Excluded",
    DocumentReversed { .. } => "DocumentReversed",
    SourceDrifted { .. } => "SourceDrifted",
    SourceGone => "SourceGone",
    DocumentDrifted { .. } => "DocumentDrifted",
    PaidAtSource => "PaidAtSource",
    CaseClosed { .. } => "CaseClosed",
});

types!(CHART_EVENTS, ChartEvent {
    ChartChanged(_) => "ChartChanged",
    ChartHeld { .. } => "ChartHeld",
    ChartReleased => "ChartReleased",
});

types!(POLL_EVENTS, PollEvent {
    PollCompleted { .. } => "PollCompleted",
    PollFailed { .. } => "PollFailed",
    MarkingAsked { .. } => "MarkingAsked",
    RecheckCompleted { .. } => "RecheckCompleted",
    RecheckFailed { .. } => "RecheckFailed",
});

types!(RULES_EVENTS, RulesEvent {
    RuleSetProposed { .. } => "RuleSetProposed",
    RuleSetBacktested { .. } => "RuleSetBacktested",
    RuleSetApproved { .. } => "RuleSetApproved",
    RuleSetDeclined { .. } => "RuleSetDeclined",
    ActivationOrdered { .. } => "ActivationOrdered",
    ActivationRefused { .. } => "ActivationRefused",
    RuleSetActivated { .. } => "RuleSetActivated",
    RuleSetRetired { .. } => "RuleSetRetired",
    ApprovalModeChosen { .. } => "ApprovalModeChosen",
});

types!(PROFILE_EVENTS, ProfileEvent {
    ProfileVerified { .. } => "ProfileVerified",
});

types!(EXPENSE_EVENTS, ExpenseEvent {
    ExpenseClaimed { .. } => "ExpenseClaimed",
    ExpenseReleased { .. } => "ExpenseReleased",
});

types!(LEDGER_EVENTS, LedgerEvent {
    RecoveryOpened { .. } => "RecoveryOpened",
    LedgerDocumentExplained { .. } => "LedgerDocumentExplained",
    RecoveryClosed { .. } => "RecoveryClosed",
});

types!(LOG_EVENTS, LogEvent {
    LogMoved { .. } => "LogMoved",
});

types!(OPERATOR_EVENTS, OperatorEvent {
    OperatorEnrolled { .. } => "OperatorEnrolled",
    OperatorKeyReplaced { .. } => "OperatorKeyReplaced",
    OperatorRetired { .. } => "OperatorRetired",
});

fn operator_events() -> Vec<(&'static str, OperatorEvent)> {
    let enrolled = OperatorEvent::OperatorEnrolled {
        name: name("kim"),
        os_user: user("kim", 1000),
        public_key: key(1),
        fingerprint: key(1).fingerprint(),
    };
    let replaced = OperatorEvent::OperatorKeyReplaced {
        name: name("kim"),
        // A machine that has a name neither for the user nor for itself.
        os_user: OsUser {
            uid: 10_001,
            name: None,
            host: None,
        },
        public_key: key(2),
        fingerprint: key(2).fingerprint(),
        replaced: key(1).fingerprint(),
        why: "the passphrase is lost".into(),
        proof: None,
    };
    let retired = OperatorEvent::OperatorRetired {
        name: name("kim"),
        os_user: user("lee", 1001),
        why: "left the company".into(),
        proof: None,
    };
    let vouched = |event: &OperatorEvent, enrolled_by| {
        let statement = event.statement().unwrap();
        let sign = |_: &[u8]| Signature::from_bytes([0xEF; 64]);
        let proof = Proof::over(
            &statement,
            name("Lee"),
            user("lee", 1001),
            enrolled_by,
            key(3),
            sign,
        );
        event.clone().vouched_by(proof)
    };
    vec![
        (
            "OperatorKeyReplaced.vouched",
            vouched(&replaced, Some(user("root", 0))),
        ),
        ("OperatorRetired.vouched", vouched(&retired, None)),
        ("OperatorEnrolled", enrolled),
        ("OperatorKeyReplaced", replaced),
        ("OperatorRetired", retired),
    ]
}

fn log_events() -> Vec<(&'static str, LogEvent)> {
    let moved = LogEvent::LogMoved {
        from: "/srv/tieout/tieout.db".into(),
        to: "esdb://n1:2113,n2:2113,n3:2113?tls=true".into(),
        events: 5_230,
        streams: 812,
        sha256: "ef".repeat(32),
    };
    vec![("LogMoved", moved)]
}

fn ledger_events() -> Vec<(&'static str, LedgerEvent)> {
    let key = |voucher| DocumentKey {
        year: 2026,
        daybook: DaybookCode::new("EXPINV").unwrap(),
        voucher: Voucher(voucher),
    };
    let sighting = |reference: &str, voucher, reversed| Sighting {
        reference: reference.parse().unwrap(),
        key: key(voucher),
        reversed,
    };
    let opened = LedgerEvent::RecoveryOpened {
        unexplained: vec![
            sighting("E00000MVZBSUC4I1", 2, true),
            sighting("E00000MVZBSUC4I2", 7, false),
        ],
    };
    let explained = LedgerEvent::LedgerDocumentExplained {
        reference: "E00000MVZBSUC4I2".parse().unwrap(),
        key: key(7),
        why: "reposted on 4 November, before the backup was restored".into(),
    };
    vec![
        ("RecoveryOpened", opened),
        ("LedgerDocumentExplained", explained),
        ("RecoveryClosed", LedgerEvent::RecoveryClosed { documents: 41 }),
    ]
}

fn poll_events() -> Vec<(&'static str, PollEvent)> {
    let calls = SourceCalls {
        exports: 1,
        downloads: 1,
        marks: 0,
        policies: 0,
        retries: 2,
        throttled: vec![1_250, 0],
    };
    let total = ControlTotal {
        reports: 2,
        lines: 5,
        total_hundredths: 51_500,
        unreadable: 1,
    };
    let report: ReportId = "R009WqAY45L1".parse().unwrap();
    vec![
        (
            "PollCompleted",
            PollEvent::PollCompleted {
                windows: vec![
                    (day("2026-11-01"), Some(day("2027-10-30"))),
                    (day("2027-10-28"), None),
                ],
                totals: [("USD".to_owned(), total.clone())].into(),
                calls: calls.clone(),
                listed_at: "2027-11-02T06:00:00Z".parse().unwrap(),
                named: Vec::new(),
            },
        ),
        (
            "PollCompleted.named",
            PollEvent::PollCompleted {
                windows: vec![(day("2026-11-01"), None)],
                totals: [("USD".to_owned(), total.clone())].into(),
                calls: calls.clone(),
                listed_at: "2027-11-02T06:00:00Z".parse().unwrap(),
                named: vec![report],
            },
        ),
        (
            "RecheckCompleted",
            PollEvent::RecheckCompleted {
                windows: vec![(day("2026-11-01"), None)],
                totals: [("USD".to_owned(), total.clone())].into(),
                held: HeldAgainst {
                    reports: 2,
                    documents: 3,
                    read_back: 2,
                    unread: Vec::new(),
                    raised: 1,
                    closed: 1,
                },
                calls: calls.clone(),
                ended_at: "2027-11-02T06:00:00Z".parse().unwrap(),
            },
        ),
        (
            "RecheckFailed",
            PollEvent::RecheckFailed {
                why: vec!["no usable answer from QAD".into()],
                totals: [("USD".to_owned(), total.clone())].into(),
                held: HeldAgainst {
                    reports: 2,
                    unread: vec![(i1(), "503".into())],
                    ..HeldAgainst::default()
                },
                calls: calls.clone(),
            },
        ),
        (
            "PollFailed",
            PollEvent::PollFailed {
                why: "the download is not whole".into(),
                unreadable: vec![(3, "{\"reportID\"".into(), "it ends in a string".into())],
                totals: [("USD".to_owned(), total)].into(),
                calls: calls.clone(),
            },
        ),
        (
            "MarkingAsked",
            PollEvent::MarkingAsked {
                printed: 99,
                not_printed: vec![report],
                failures: vec!["the answer was lost".into()],
                calls,
            },
        ),
    ]
}

fn rules_events() -> Vec<(&'static str, RulesEvent)> {
    let version = RuleSetVersion {
        number: 2,
        hash: "ab".repeat(32),
    };
    let content = "[posting]\ndate = \"approved\"\n".to_owned();
    let replay = true;
    let mut events = vec![(
        "RuleSetActivated",
        RulesEvent::RuleSetActivated {
            version,
            content,
            replay,
        },
    )];
    events.extend(crate::rules::life_samples());
    events
}

fn profile_events() -> Vec<(&'static str, ProfileEvent)> {
    let key = DocumentKey {
        year: 2026,
        daybook: crate::ids::DaybookCode::new("EXPINV").unwrap(),
        voucher: Voucher(2),
    };
    let event = ProfileEvent::ProfileVerified {
        contract_hash: "cd".repeat(32),
        workspace: Workspace::new("10USA_10USATEST").unwrap(),
        evidence: vec![("E00000MVZBSUC4I1".parse().unwrap(), key)],
    };
    vec![("ProfileVerified", event)]
}

fn expense_events() -> Vec<(&'static str, ExpenseEvent)> {
    let transaction = TransactionId::new("4056343049275634494").unwrap();
    let report: ReportId = "R009WqAY45L1".parse().unwrap();
    let claimed = ExpenseEvent::ExpenseClaimed {
        transaction: transaction.clone(),
        report,
    };
    let released = ExpenseEvent::ExpenseReleased {
        transaction,
        report,
        ledger_reference: "2026/EXPINV/4800".into(),
    };
    vec![("ExpenseClaimed", claimed), ("ExpenseReleased", released)]
}

#[test]
fn every_event_beside_the_reports_ever_written_is_read_and_written_again_alike() {
    for (name, event) in poll_events() {
        check(name, &event);
    }
    for (name, event) in rules_events() {
        check(name, &event);
    }
    for (name, event) in profile_events() {
        check(name, &event);
    }
    for (name, event) in expense_events() {
        check(name, &event);
    }
    for (name, event) in ledger_events() {
        check(name, &event);
    }
    for (name, event) in log_events() {
        check(name, &event);
    }
    for (name, event) in operator_events() {
        check(name, &event);
    }
}

/// One row of each master, in every shape a row has.
fn chart_events() -> Vec<(&'static str, ChartEvent)> {
    let relation = || BusinessRelationCode::new("BR1001").unwrap();
    let account = |code: &str, kind, cost_centre, only_currency| Account {
        code: AccountCode::new(code).unwrap(),
        description: "Travel".into(),
        active: true,
        kind,
        cost_centre,
        project: AnalysisUse::Optional,
        sub_account: AnalysisUse::Optional,
        limitation: Limitation::None,
        only_currency,
    };
    let control = AccountType::Other("SUPPLIERCONTROL".into());
    let daybook = |code: &str, accepts| Daybook {
        code: DaybookCode::new(code).unwrap(),
        accepts,
        active: true,
    };
    let reading = ChartReading {
        accounts: MasterRead::Rows(vec![
            account("6410", AccountType::Standard, AnalysisUse::Required, None),
            account(
                "1410",
                AccountType::Standard,
                AnalysisUse::Forbidden,
                Currency::new("EUR").ok(),
            ),
            account("2100", control, AnalysisUse::Optional, None),
        ]),
        cost_centres: MasterRead::Rows(vec![CostCentre {
            code: CostCentreCode::new("OH").unwrap(),
            description: "Ohio".into(),
            active: false,
        }]),
        sub_accounts: MasterRead::Rows(vec![SubAccount {
            code: SubAccountCode::new("01").unwrap(),
            description: "Plant 1".into(),
            active: true,
        }]),
        projects: MasterRead::Rows(vec![Project {
            code: ProjectCode::new("P-7").unwrap(),
            description: "Retooling".into(),
            active: true,
        }]),
        suppliers: MasterRead::Rows(vec![Supplier {
            code: SupplierCode::new("EMP-E1001").unwrap(),
            business_relation: Some(relation()),
            currency: Currency::new("USD").ok(),
            active: true,
        }]),
        employees: MasterRead::Rows(vec![Employee {
            code: EmployeeCode::new("E1001").unwrap(),
            business_relation: Some(relation()),
            email: Email::new("kim@acme.example").ok(),
        }]),
        daybooks: MasterRead::Rows(vec![
            daybook("EXPINV", DaybookUse::SupplierInvoices),
            daybook("EXPCN", DaybookUse::CreditNotes),
            daybook("EXPJE", DaybookUse::Journals),
            daybook("BANK", DaybookUse::Other("BANKENTRIES".into())),
        ]),
        periods: MasterRead::Rows(vec![Period {
            year: 2026,
            number: 11,
            start: day("2026-11-01"),
            end: day("2026-11-30"),
            general_ledger: PeriodState::Open,
            purchasing: PeriodState::Closed,
            normal: true,
        }]),
    };
    let changed = compare(&Chart::default(), &reading).remove(0);
    let held = ChartEvent::ChartHeld {
        held: vec![MasterHeld {
            master: Master::Accounts,
            why: "1 of 3 rows known before were not shown: 2100".into(),
        }],
        missing: [
            (Master::Accounts, vec!["2100".into()]),
            (Master::Periods, vec!["2026/11".into()]),
        ]
        .into(),
    };
    let mut analysed = Chart::default();
    analysed = analysed.evolve(&changed);
    let joined = ChartReading {
        accounts: MasterRead::Rows(vec![Account {
            project: AnalysisUse::Optional,
            limitation: Limitation::ExactlyOne,
            sub_account: AnalysisUse::Required,
            ..account("6410", AccountType::Standard, AnalysisUse::Optional, None)
        }]),
        ..reading.clone()
    };
    let analysed = compare(&analysed, &joined).remove(0);
    vec![
        ("ChartChanged", changed),
        ("ChartChanged.analysed", analysed),
        ("ChartHeld", held),
        ("ChartReleased", ChartEvent::ChartReleased),
    ]
}

#[test]
fn every_report_event_ever_written_is_read_and_written_again_alike() {
    for (name, event) in every_shape() {
        check(name, &event);
    }
}

#[test]
fn every_chart_event_ever_written_is_read_and_written_again_alike() {
    for (name, event) in chart_events() {
        check(name, &event);
    }
}

#[test]
fn no_event_type_is_without_a_golden_file_and_no_golden_file_is_without_its_test() {
    let named: BTreeSet<&str> = every_shape()
        .iter()
        .map(|(name, _)| *name)
        .chain(chart_events().iter().map(|(name, _)| *name))
        .chain(poll_events().iter().map(|(name, _)| *name))
        .chain(rules_events().iter().map(|(name, _)| *name))
        .chain(profile_events().iter().map(|(name, _)| *name))
        .chain(expense_events().iter().map(|(name, _)| *name))
        .chain(ledger_events().iter().map(|(name, _)| *name))
        .chain(log_events().iter().map(|(name, _)| *name))
        .chain(operator_events().iter().map(|(name, _)| *name))
        .collect();
    let beside = [
        POLL_EVENTS,
        RULES_EVENTS,
        PROFILE_EVENTS,
        EXPENSE_EVENTS,
        LEDGER_EVENTS,
        LOG_EVENTS,
        OPERATOR_EVENTS,
    ]
    .concat();
    assert_eq!(REPORT_EVENTS.len(), 22);
    for kind in REPORT_EVENTS.iter().chain(CHART_EVENTS).chain(&beside) {
        assert!(
            folder().join(format!("{kind}.json")).is_file(),
            "no golden file of {kind}: UPDATE_GOLDEN=1 writes it"
        );
        assert!(named.contains(kind), "no test reads the golden file of {kind}");
    }
    let files: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected: BTreeSet<String> = named.iter().map(|name| format!("{name}.json")).collect();
    assert_eq!(files, expected, "a file that no test reads proves nothing");
}

#[test]
fn what_stands_in_a_golden_file_without_its_person_is_read_too() {
    for (name, event) in every_shape() {
        let mut golden = stored(&event);
        golden["personal"] = Value::Null;
        let read: ReportEvent = restored(&golden);
        assert_eq!(read.personal().unwrap(), None, "{name}");
        assert_eq!(read.facts().unwrap(), event.facts().unwrap(), "{name}");
    }
}
