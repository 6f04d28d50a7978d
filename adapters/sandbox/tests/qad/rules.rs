//! Contract qad §4, §7.9: each rule, broken once.

use serde_json::{Value, json};
use tieout_sandbox::qad::world::{
    Account, AnalysisUse, DaybookControl, Limitation, Mask, Module, PeriodStatus, PeriodType,
};

use crate::support::{Site, WORKSPACE, example_invoice, example_journal, with};

const FIRST: &str = "/supplierInvoicePostingLines/0";

async fn invoice_codes(pointer: &str, value: Value) -> Vec<String> {
    let site = Site::new().await;
    let codes = site
        .invoice(with(example_invoice(), pointer, value))
        .await
        .codes();
    assert!(site.documents().is_empty());
    codes
}

async fn journal_codes(pointer: &str, value: Value) -> Vec<String> {
    let site = Site::new().await;
    let codes = site
        .journal(with(example_journal(), pointer, value))
        .await
        .codes();
    assert!(site.documents().is_empty());
    codes
}

#[tokio::test]
async fn each_field_of_an_invoice_is_checked() {
    let line = |name: &str| format!("{FIRST}/{name}");
    let cases = [
        ("/supplierCode".to_owned(), json!(""), vec!["47"]),
        ("/reference".into(), json!("R".repeat(21)), vec!["47"]),
        ("/entityCode".into(), json!("10OTHER"), vec!["SIM-ENTITY"]),
        ("/supplierCode".into(), json!("NOBODY"), vec!["SIM-SUPPLIER"]),
        (
            "/supplierCode".into(),
            json!("EMP-E1009"),
            vec!["SIM-SUPPLIER-INACTIVE"],
        ),
        (
            "/supplierCode".into(),
            json!("EMP-E1002"),
            vec!["SIM-SUPPLIER-CURRENCY"],
        ),
        (
            "/currencyCode".into(),
            json!("XXX"),
            vec!["SIM-SUPPLIER-CURRENCY", "SIM-CURRENCY"],
        ),
        ("/invoiceType".into(), json!("PREPAYMENT"), vec!["SIM-TYPE"]),
        ("/voucher".into(), json!(441), vec!["SIM-VOUCHER"]),
        ("/isTaxable".into(), json!(true), vec!["SIM-TAX"]),
        ("/daybookCode".into(), json!("NONE"), vec!["SIM-DAYBOOK"]),
        (
            "/daybookCode".into(),
            json!("OLDINV"),
            vec!["SIM-DAYBOOK-INACTIVE"],
        ),
        ("/daybookCode".into(), json!("EXPJE"), vec!["SIM-DAYBOOK-TYPE"]),
        ("/daybookCode".into(), json!("SCN"), vec!["SIM-DAYBOOK-TYPE"]),
        (
            "/originalCreditTC".into(),
            json!("212.50"),
            vec!["SIM-FORMAT", "SIM-ZERO"],
        ),
        ("/originalCreditTC".into(), json!(212.49), vec!["SIM-TOTAL"]),
        ("/originalCreditTC".into(), json!(0), vec!["SIM-ZERO"]),
        ("/originalDebitTC".into(), json!(1), vec!["SIM-TOTAL-SIDE"]),
        (
            "/supplierInvoicePostingLines".into(),
            json!([]),
            vec!["SIM-LINES", "SIM-TOTAL"],
        ),
        (line("glAccountCode"), json!("9999"), vec!["SIM-ACCT"]),
        (line("glAccountCode"), json!(""), vec!["47"]),
        (line("glAccountCode"), json!("6490"), vec!["SIM-ACCT-INACTIVE"]),
        (
            line("glAccountCode"),
            json!("2100"),
            vec!["SIM-ACCT-TYPE", "SIM-CC-FORBIDDEN"],
        ),
        (
            line("glAccountCode"),
            json!("2160"),
            vec!["SIM-ACCT-CURRENCY", "SIM-CC-FORBIDDEN"],
        ),
        (line("costCenterCode"), json!(""), vec!["SIM-CC-REQUIRED"]),
        (line("costCenterCode"), json!("7777"), vec!["SIM-CC"]),
        (line("costCenterCode"), json!("1900"), vec!["SIM-CC-INACTIVE"]),
        (line("subAccountCode"), json!("99"), vec!["SIM-SUB"]),
        (line("subAccountCode"), json!("19"), vec!["SIM-SUB-INACTIVE"]),
        (line("projectCode"), json!("P1"), vec!["SIM-PROJECT"]),
        (line("projectCode"), json!("P900"), vec!["SIM-PROJECT-INACTIVE"]),
        (line("currencyCode"), json!("EUR"), vec!["SIM-LINE-CURRENCY"]),
        (line("creditTC"), json!(5), vec!["SIM-SIDE", "SIM-TOTAL"]),
        (line("debitTC"), json!(0), vec!["SIM-ZERO", "SIM-TOTAL"]),
        (line("debitTC"), json!(-180), vec!["SIM-SIGN", "SIM-TOTAL"]),
        (line("debitTC"), json!(180.001), vec!["SIM-DECIMALS", "SIM-TOTAL"]),
        ("/postingPeriod".into(), json!(4), vec!["SIM-PERIOD-DATE"]),
        ("/postingPeriod".into(), json!(13), vec!["SIM-PERIOD-UNKNOWN"]),
        ("/postingYear".into(), json!(2023), vec!["SIM-PERIOD-UNKNOWN"]),
        ("/postingDate".into(), json!("yesterday"), vec!["SIM-FORMAT"]),
    ];
    for (pointer, value, codes) in cases {
        assert_eq!(
            invoice_codes(&pointer, value.clone()).await,
            codes,
            "{pointer} = {value}"
        );
    }
}

#[tokio::test]
async fn each_field_of_a_journal_is_checked() {
    let cases = [
        ("/journalEntryLines/0/debitTC", json!(212.49), vec!["SIM-BALANCE"]),
        ("/journalEntryLines/0/currencyCode", json!(""), vec!["47"]),
        (
            "/journalEntryLines/0/currencyCode",
            json!("EUR"),
            vec!["SIM-BALANCE"],
        ),
        (
            "/journalEntryLines/1/costCenterCode",
            json!("1200"),
            vec!["SIM-CC-FORBIDDEN"],
        ),
        ("/daybookCode", json!("SINV"), vec!["SIM-DAYBOOK-TYPE"]),
        ("/description", json!("D".repeat(41)), vec!["47"]),
        ("/postingDate", Value::Null, vec!["47"]),
        ("/journalEntryLines", json!([]), vec!["SIM-LINES"]),
    ];
    for (pointer, value, codes) in cases {
        assert_eq!(
            journal_codes(pointer, value.clone()).await,
            codes,
            "{pointer} = {value}"
        );
    }
}

#[tokio::test]
async fn refusals_read_as_the_contract_shows() {
    let error = |answer: Value| answer["submitResult"]["errors"][0].clone();
    let site = Site::new().await;
    let account = with(
        example_invoice(),
        &format!("{FIRST}/glAccountCode"),
        json!("9999"),
    );
    assert_eq!(
        site.invoice(account).await.json(),
        json!({"submitResult": {"success": false, "errorSeverity": 1, "errors": [{"fieldName": "GlAccountCode",
            "message": "GL account 9999 does not exist.", "fieldValue": "9999", "code": "SIM-ACCT", "severity": 1}]}})
    );
    let unbalanced = with(example_journal(), "/journalEntryLines/0/debitTC", json!(1));
    assert_eq!(
        error(site.journal(unbalanced).await.json()),
        json!({"fieldName": "JournalEntryLines", "message": "Debit and credit totals differ.", "fieldValue": "",
            "code": "SIM-BALANCE", "severity": 1})
    );
    site.handle.edit(|world| {
        world
            .workspace_mut(WORKSPACE)
            .unwrap()
            .period_mut(2024, 5)
            .unwrap()
            .allow(None, false)
    });
    assert_eq!(
        error(site.invoice(example_invoice()).await.json()),
        json!({"fieldName": "PostingDate", "message": "Period 2024/05 is closed for postings.",
            "fieldValue": "2024-05-31", "code": "SIM-PERIOD", "severity": 1})
    );
}

#[tokio::test]
async fn every_reason_is_told_at_once() {
    let bad = with(
        example_invoice(),
        &format!("{FIRST}/glAccountCode"),
        json!("9999"),
    );
    let bad = with(
        with(bad, "/supplierCode", json!("NOBODY")),
        "/originalCreditTC",
        json!(1),
    );
    let site = Site::new().await;
    assert_eq!(
        site.invoice(bad).await.codes(),
        ["SIM-SUPPLIER", "SIM-ACCT", "SIM-TOTAL"]
    );
}

#[tokio::test]
async fn periods_are_open_by_module() {
    let site = Site::new().await;
    let may = |change: fn(&mut tieout_sandbox::qad::world::Period)| {
        site.handle.edit(|world| {
            change(
                world
                    .workspace_mut(WORKSPACE)
                    .unwrap()
                    .period_mut(2024, 5)
                    .unwrap(),
            )
        });
    };
    may(|period| period.allow(Some(Module::Purchasing), false));
    assert_eq!(site.invoice(example_invoice()).await.codes(), ["SIM-PERIOD"]);
    site.journal(example_journal()).await.stored();
    may(|period| period.allow(Some(Module::Gl), false));
    assert_eq!(site.journal(example_journal()).await.codes(), ["SIM-PERIOD"]);
    may(|period| period.allow(None, true));
    site.invoice(example_invoice()).await.stored();
    for status in [PeriodStatus::Locked, PeriodStatus::Reported, PeriodStatus::Frozen] {
        site.handle.edit(|world| {
            world
                .workspace_mut(WORKSPACE)
                .unwrap()
                .period_mut(2024, 5)
                .unwrap()
                .status = status;
        });
        assert_eq!(site.invoice(example_invoice()).await.codes(), ["SIM-PERIOD"]);
    }
    may(|period| {
        period.status = PeriodStatus::Open;
        period.kind = PeriodType::Correction;
    });
    assert_eq!(site.invoice(example_invoice()).await.codes(), ["SIM-PERIOD"]);
}

#[tokio::test]
async fn a_posting_date_that_is_left_out_moves_silently_past_a_closed_period() {
    let site = Site::new().await;
    site.handle.edit(|world| {
        world
            .workspace_mut(WORKSPACE)
            .unwrap()
            .period_mut(2024, 5)
            .unwrap()
            .allow(None, false)
    });
    let sent = ["/postingDate", "/postingYear", "/postingPeriod"]
        .into_iter()
        .fold(example_invoice(), |document, pointer| {
            with(document, pointer, Value::Null)
        });
    site.invoice(sent).await.stored();
    let stored = &site.documents()[0];
    assert_eq!(
        (
            stored.posting_date.to_string().as_str(),
            stored.year,
            stored.period
        ),
        ("2024-06-01", 2024, 6)
    );
}

#[tokio::test]
async fn year_and_period_follow_the_posting_date_when_left_out() {
    let site = Site::new().await;
    let sent = with(
        with(example_invoice(), "/postingYear", Value::Null),
        "/postingPeriod",
        Value::Null,
    );
    site.invoice(with(sent, "/postingDate", json!("2024-02-29")))
        .await
        .stored();
    assert_eq!((site.documents()[0].year, site.documents()[0].period), (2024, 2));
    let outside = with(
        with(example_invoice(), "/postingYear", Value::Null),
        "/postingDate",
        json!("2031-01-01"),
    );
    assert_eq!(site.invoice(outside).await.codes(), ["SIM-PERIOD-UNKNOWN"]);
}

#[tokio::test]
async fn a_credit_note_is_the_mirror_of_an_invoice() {
    let site = Site::new().await;
    let note = json!({"dataOperation": "C", "supplierCode": "EMP-E1001", "invoiceType": "CreditNote",
        "reference": "CN1", "invoiceDate": "2024-05-31", "daybookCode": "SCN", "currencyCode": "USD",
        "originalDebitTC": 12.5, "supplierInvoicePostingLines": [
            {"glAccountCode": "6410", "costCenterCode": "1200", "creditTC": 20},
            {"glAccountCode": "6430", "debitTC": 7.5}]});
    site.invoice(note.clone()).await.stored();
    assert_eq!(site.documents()[0].total().to_string(), "12.5");
    let wrong = with(
        with(note, "/originalDebitTC", json!(0)),
        "/originalCreditTC",
        json!(12.5),
    );
    assert_eq!(site.invoice(wrong).await.codes(), ["SIM-TOTAL-SIDE", "SIM-ZERO"]);
}

#[tokio::test]
async fn amounts_are_no_finer_than_their_currency() {
    let site = Site::new().await;
    let invoice = |supplier: &str, currency: &str, amount: Value| {
        json!({"dataOperation": "C", "supplierCode": supplier, "invoiceType": "INVOICE", "reference": "R",
            "invoiceDate": "2024-05-31", "daybookCode": "SINV", "currencyCode": currency, "originalCreditTC": amount,
            "supplierInvoicePostingLines": [{"glAccountCode": "6410", "costCenterCode": "1200", "debitTC": amount}]})
    };
    site.invoice(invoice("EMP-E1002", "JPY", json!(1200)))
        .await
        .stored();
    assert_eq!(
        site.invoice(invoice("EMP-E1002", "JPY", json!(1200.5)))
            .await
            .codes(),
        ["SIM-DECIMALS", "SIM-DECIMALS"]
    );
    site.invoice(invoice("EMP-E1003", "KWD", json!(1.125)))
        .await
        .stored();
    assert_eq!(
        site.invoice(invoice("EMP-E1003", "KWD", json!(1.1255)))
            .await
            .codes(),
        ["SIM-DECIMALS", "SIM-DECIMALS"]
    );
}

#[tokio::test]
async fn cents_add_up_exactly() {
    let site = Site::new().await;
    let lines: Vec<Value> = (0..1000)
        .map(|_| json!({"glAccountCode": "6410", "costCenterCode": "1200", "debitTC": 0.1}))
        .collect();
    let sent = with(example_invoice(), "/supplierInvoicePostingLines", json!(lines));
    site.invoice(with(sent, "/originalCreditTC", json!(100)))
        .await
        .stored();
}

#[tokio::test]
async fn masks_and_operational_daybooks_refuse() {
    let site = Site::new().await;
    site.handle.edit(|world| {
        let workspace = world.workspace_mut(WORKSPACE).unwrap();
        workspace.masks.push(Mask {
            account_from: "6410".into(),
            account_to: "6410".into(),
            cost_centre_from: "1300".into(),
            cost_centre_to: "1399".into(),
            allowed: true,
        });
        workspace.daybooks.get_mut("EXPJE").unwrap().control = DaybookControl::Operational;
    });
    assert_eq!(site.invoice(example_invoice()).await.codes(), ["SIM-MASK"]);
    assert_eq!(
        site.journal(example_journal()).await.codes(),
        ["SIM-DAYBOOK-CONTROL", "SIM-MASK"]
    );
}

#[tokio::test]
async fn what_an_accounts_analysis_does_not_allow_is_refused() {
    let sent = |change: fn(&mut Account), project: &'static str, sub_account: &'static str| async move {
        let site = Site::new().await;
        site.handle.edit(|world| {
            let workspace = world.workspace_mut(WORKSPACE).unwrap();
            change(workspace.accounts.get_mut("6410").unwrap());
        });
        let sent = with(example_invoice(), &format!("{FIRST}/projectCode"), json!(project));
        let sent = with(sent, &format!("{FIRST}/subAccountCode"), json!(sub_account));
        site.invoice(sent).await
    };
    sent(|_| {}, "", "").await.stored();
    let required = sent(|account| account.project = AnalysisUse::Required, "", "").await;
    assert_eq!(required.codes(), ["SIM-PROJECT-REQUIRED"]);
    let forbidden = sent(|account| account.project = AnalysisUse::Forbidden, "P100", "").await;
    assert_eq!(forbidden.codes(), ["SIM-PROJECT-FORBIDDEN"]);
    let required = sent(|account| account.sub_account = AnalysisUse::Required, "", "").await;
    assert_eq!(required.codes(), ["SIM-SUB-REQUIRED"]);
    let forbidden = sent(|account| account.sub_account = AnalysisUse::Forbidden, "", "10").await;
    assert_eq!(forbidden.codes(), ["SIM-SUB-FORBIDDEN"]);
    let excluding = |account: &mut Account| {
        account.cost_centre = AnalysisUse::Optional;
        account.limitation = Limitation::Excluding;
    };
    assert_eq!(sent(excluding, "P100", "").await.codes(), ["SIM-ANALYSIS-BOTH"]);
    sent(excluding, "", "").await.stored();
}
