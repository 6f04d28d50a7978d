//! Contract qad §1.9, §7.2 to §7.5, §7.8: the read side.

use serde_json::{Value, json};
use tieout_sandbox::qad::sample;
use tieout_sandbox::qad::world::{DocumentKey, Master};

use crate::support::{Site, WORKSPACE, example_invoice, example_journal, with};

const ACCOUNTS: &str = "urn:browse:mfg:gp309";
const INVOICES: &str = "urn:browse:bebrowse:com.qad.erp.financials.supplierInvoices";
const JOURNALS: &str = "urn:browse:bebrowse:com.qad.erp.financials.journalEntries";

/// Every member of the contract's row is in ours.
#[track_caller]
fn holds(row: &Value, golden: &str) {
    let golden: Value = serde_json::from_str(golden).unwrap();
    for (key, value) in golden.as_object().unwrap() {
        assert_eq!(&row[key], value, "{key} of {row}");
    }
}

#[tokio::test]
async fn the_masters_read_as_the_contract_shows() {
    let site = Site::new().await;
    let rows = [
        (
            ACCOUNTS,
            "ac_mstr.ac_code,eq,6410,literal",
            r#"{"ac_mstr.ac_code":"6410","ac_mstr.ac_desc":"Travel - Air","ac_mstr.ac_type":"E","ac_mstr.ac_active":true}"#,
        ),
        (
            "urn:browse:mfg:gp059",
            "cc_mstr.cc_ctr,eq,1200,literal",
            r#"{"cc_mstr.cc_ctr":"1200","cc_mstr.cc_desc":"Sales East","cc_mstr.cc_active":true}"#,
        ),
        (
            "urn:browse:mfg:ad034",
            "Employee.EmployeeCode,eq,E1001,literal",
            r#"{"Employee.EmployeeCode":"E1001","BusinessRelation.BusinessRelationCode":"BR-E1001",
              "BusinessRelation.BusinessRelationName1":"Kim Lee","Address.AddressEMail":"kim@example.com"}"#,
        ),
        (
            "urn:browse:mfg:vd001",
            "Creditor.CreditorCode,eq,EMP-E1001,literal",
            r#"{"Creditor.CreditorCode":"EMP-E1001","BusinessRelation.BusinessRelationCode":"BR-E1001",
              "Creditor.CreditorIsActive":true}"#,
        ),
    ];
    for (id, filter, golden) in rows {
        let answer = site.browse(id, &[("filter", filter)]).await;
        assert_eq!(answer.json()["auxillaryData"], json!({"HasMoreParams": "false"}));
        let rows = answer.rows();
        assert_eq!(rows.len(), 1, "{id}");
        holds(&rows[0], golden);
    }
}

#[tokio::test]
async fn every_read_lists_its_masters() {
    let site = Site::new().await;
    let counts = [
        (ACCOUNTS, 7),
        ("urn:browse:mfg:gp059", 3),
        ("urn:browse:mfg:gp351", 2),
        ("urn:browse:mfg:gp344", 2),
        ("urn:browse:mfg:vd001", 4),
        ("urn:browse:mfg:ad034", 1),
        ("urn:browse:mfg:gl031", 4),
        ("urn:browse:mfg:gl008", 12),
        (INVOICES, 0),
        (JOURNALS, 0),
    ];
    for (id, count) in counts {
        assert_eq!(site.browse(id, &[]).await.rows().len(), count, "{id}");
    }
}

#[tokio::test]
async fn periods_and_account_analysis_are_shown() {
    let site = Site::new().await;
    let filters = [
        ("filter", "Period.PeriodYear,eq,2024,literal"),
        ("filter", "Period.PeriodStartDate,eq,2024-05-01,literal"),
    ];
    let rows = site.browse("urn:browse:mfg:gl008", &filters).await.rows();
    assert_eq!(
        rows,
        [json!({
            "Company.CompanyCode": "10USACO", "Period.PeriodYear": 2024, "Period.PeriodPeriod": 5,
            "Period.PeriodStartDate": "2024-05-01T00:00:00.000Z", "Period.PeriodEndDate": "2024-05-31T00:00:00.000Z",
            "Period.PeriodStatus": "OPEN", "Period.PeriodTypeCode": "NORMAL",
            "Period.PeriodIsPostingGLAllowed": true, "Period.PeriodIsPostingPurchAllowed": true,
        })]
    );
    let account = site
        .browse(ACCOUNTS, &[("filter", "ac_mstr.ac_code,eq,2160,literal")])
        .await
        .rows();
    holds(
        &account[0],
        r#"{"GL.GLTypeCode": "STANDARD", "GL.CostCentreUse": "FORBIDDEN", "ac_mstr.ac_curr": "EUR"}"#,
    );
}

#[tokio::test]
async fn without_page_or_page_action_there_are_no_rows() {
    let site = Site::new().await;
    for query in [
        vec![("browseId", ACCOUNTS)],
        vec![("browseId", ACCOUNTS), ("page", "1")],
        vec![("browseId", ACCOUNTS), ("pageAction", "first")],
        vec![("browseId", ACCOUNTS), ("page", "0"), ("pageAction", "first")],
    ] {
        let answer = site.get("/api/qracore/browses", &query).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.json(),
            json!({"data": [], "auxillaryData": {"HasMoreParams": "false"}})
        );
    }
}

#[tokio::test]
async fn filters_are_anded_and_a_wrong_one_empties_the_page() {
    let site = Site::new().await;
    let codes = |rows: Vec<Value>| -> Vec<String> {
        rows.iter()
            .map(|row| row["ac_mstr.ac_code"].as_str().unwrap().to_owned())
            .collect()
    };
    let active = ("filter", "ac_mstr.ac_active,eq,true,literal");
    let travel = ("filter", "ac_mstr.ac_desc,sw,TRAVEL,literal");
    assert_eq!(
        codes(site.browse(ACCOUNTS, &[travel]).await.rows()),
        ["6410", "6420", "6490"]
    );
    assert_eq!(
        codes(site.browse(ACCOUNTS, &[travel, active]).await.rows()),
        ["6410", "6420"]
    );
    for wrong in [
        "ac_mstr.ac_kode,eq,6410,literal",
        "ac_mstr.ac_code,eq,6410",
        "ac_mstr.ac_code,like,64,literal",
    ] {
        let answer = site.browse(ACCOUNTS, &[active, ("filter", wrong)]).await;
        assert_eq!((answer.status.as_u16(), answer.rows()), (200, vec![]), "{wrong}");
    }
}

#[tokio::test]
async fn pages_walk_through_everything_once() {
    let site = Site::new().await;
    site.handle.edit(|world| {
        let centres = &mut world.workspace_mut(WORKSPACE).unwrap().cost_centres;
        centres.extend((0..60).map(|number| Master::new(format!("X{number:03}"), "extra")));
    });
    let mut seen = Vec::new();
    for page in 1..=3 {
        let page_text = page.to_string();
        let query = [
            ("browseId", "urn:browse:mfg:gp059"),
            ("page", page_text.as_str()),
            ("pageAction", if page == 1 { "first" } else { "next" }),
            ("callId", "9f"),
        ];
        let answer = site.get("/api/qracore/browses", &query).await;
        let more = if page < 3 { "true" } else { "false" };
        assert_eq!(answer.json()["auxillaryData"]["HasMoreParams"], json!(more));
        seen.extend(
            answer
                .rows()
                .into_iter()
                .map(|row| row["cc_mstr.cc_ctr"].to_string()),
        );
    }
    assert_eq!(seen.len(), 63);
    seen.dedup();
    assert_eq!(seen.len(), 63);
}

#[tokio::test]
async fn a_full_last_page_promises_nothing() {
    let site = Site::new().await;
    let query = [
        ("browseId", "urn:browse:mfg:gp059"),
        ("page", "1"),
        ("pageSize", "3"),
        ("pageAction", "first"),
    ];
    let answer = site.get("/api/qracore/browses", &query).await;
    assert_eq!(
        (
            answer.rows().len(),
            &answer.json()["auxillaryData"]["HasMoreParams"]
        ),
        (3, &json!("false"))
    );
}

#[tokio::test]
async fn an_unknown_browse_is_an_error() {
    let site = Site::new().await;
    let answer = site.browse("urn:browse:mfg:zz999", &[]).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["errors"][0]["message"]),
        (400, &json!("Invalid URI"))
    );
    assert_eq!(site.handle.calls().count("browse:urn:browse:mfg:zz999"), 1);
}

#[tokio::test]
async fn an_invoice_is_found_by_supplier_and_reference_as_the_contract_shows() {
    let site = Site::new().await;
    site.handle.edit(|world| {
        world
            .workspace_mut(WORKSPACE)
            .unwrap()
            .ledger
            .number_after(2024, "SINV", 440)
    });
    site.invoice(example_invoice()).await.stored();
    let supplier = ("filter", "supplierInvoice.supplierCode,eq,EMP-E1001,literal");
    let filters = [
        supplier,
        ("filter", "supplierInvoice.reference,eq,EXP-R00AbC12,literal"),
    ];
    let rows = site.browse(INVOICES, &filters).await.rows();
    assert_eq!(rows.len(), 1);
    holds(
        &rows[0],
        r#"{"supplierInvoice.postingYear":2024,"supplierInvoice.daybookCode":"SINV","supplierInvoice.voucher":441,
            "supplierInvoice.originalCreditTC":212.50}"#,
    );
    holds(
        &rows[0],
        r#"{"supplierInvoice.reference":"EXP-R00AbC12","supplierInvoice.supplierCode":"EMP-E1001",
            "supplierInvoice.invoiceType":"INVOICE","supplierInvoice.currencyCode":"USD","supplierInvoice.totalTC":212.50,
            "supplierInvoice.originalDebitTC":0.00,"supplierInvoice.postingDate":"2024-05-31T00:00:00.000Z",
            "supplierInvoice.documentStatus":"POSTED"}"#,
    );
    let folded = [("filter", "supplierInvoice.reference,eq,exp-r00abc12,literal")];
    assert_eq!(
        site.browse(INVOICES, &folded).await.rows().len(),
        1,
        "OpenEdge compares without case"
    );
    let other = [("filter", "supplierInvoice.reference,eq,EXP-R00AbC13,literal")];
    assert_eq!(
        site.browse(INVOICES, &other).await.json(),
        json!({"data": [], "auxillaryData": {"HasMoreParams": "false"}})
    );
}

#[tokio::test]
async fn a_journal_is_found_by_its_origin_reference() {
    let site = Site::new().await;
    site.journal(example_journal()).await.stored();
    let filter = [("filter", "journalEntry.originReference,eq,EXP-R00ABC12,literal")];
    let rows = site.browse(JOURNALS, &filter).await.rows();
    holds(
        &rows[0],
        r#"{"journalEntry.voucher":1,"journalEntry.postingYear":2024,"journalEntry.daybookCode":"EXPJE",
            "journalEntry.currencyCode":"USD","journalEntry.totalTC":212.50,
            "journalEntry.postingDate":"2024-05-31T00:00:00.000Z"}"#,
    );
}

#[tokio::test]
async fn a_reversed_document_says_so() {
    let site = Site::new().await;
    site.invoice(example_invoice()).await.stored();
    let key = DocumentKey {
        year: 2024,
        daybook: "sinv".into(),
        voucher: 1,
    };
    assert!(site.handle.reverse(WORKSPACE, &key));
    assert!(!site.handle.reverse(WORKSPACE, &DocumentKey { voucher: 2, ..key }));
    let rows = site.browse(INVOICES, &[]).await.rows();
    assert_eq!(rows[0]["supplierInvoice.documentStatus"], json!("REVERSED"));
    let read = site.read_invoice("1").await.json();
    assert_eq!(
        read["data"]["supplierInvoices"][0]["documentStatus"],
        json!("REVERSED")
    );
}

#[tokio::test]
async fn twenty_thousand_documents_are_looked_up_by_index() {
    let site = Site::new().await;
    site.handle.edit(|world| {
        let ledger = &mut world.workspace_mut(WORKSPACE).unwrap().ledger;
        (0..20_000).for_each(|number| drop(ledger.store(sample::invoice(&format!("E{number:06}INV")))));
    });
    for number in (0..20_000).step_by(100) {
        let filter = format!("supplierInvoice.reference,eq,e{number:06}inv,literal");
        let rows = site.browse(INVOICES, &[("filter", filter.as_str())]).await.rows();
        assert_eq!(rows[0]["supplierInvoice.voucher"], json!(number + 1));
    }
}

#[tokio::test]
async fn amounts_are_filtered_as_numbers() {
    let site = Site::new().await;
    site.invoice(example_invoice()).await.stored();
    let small = with(
        with(example_invoice(), "/reference", json!("SMALL")),
        "/originalCreditTC",
        json!(32.5),
    );
    let line = example_invoice()["supplierInvoicePostingLines"][1].clone();
    site.invoice(with(small, "/supplierInvoicePostingLines", json!([line])))
        .await
        .stored();
    let found = |filter: &'static str| {
        let site = &site;
        async move { site.browse(INVOICES, &[("filter", filter)]).await.rows().len() }
    };
    assert_eq!(found("supplierInvoice.totalTC,gt,100,literal").await, 1);
    assert_eq!(
        found("supplierInvoice.totalTC,rg,32.50,literal,212.5,literal").await,
        2
    );
    assert_eq!(found("supplierInvoice.totalTC,eq,abc,literal").await, 0);
}
