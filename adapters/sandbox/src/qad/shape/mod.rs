//! The shape of one installation: every name and nesting that the contract marks assumed, as data.
//!
//! QAD publishes no bodies for its financial documents (contract qad, opening), so each installation may differ in
//! paths, view URIs, browse ids, columns, field names and nesting. [`QadShape`] holds all of them; its default is the
//! contract's own examples (§7.2 to §7.8). Tests run the product against other shapes, and nothing in the stand-in
//! but this module spells such a name.
//!
//! A shape reads from JSON or any other serde format; what it leaves out has the default. The maps of fields and
//! columns replace the default maps whole: a name that is not listed does not exist at this installation.

mod browse;
mod document;
mod words;

pub use browse::{BrowseShape, Column, Read};
pub use document::{DocumentShape, HeaderField, KeyNames, LineField};
pub use words::Words;

use serde::{Deserialize, Serialize};

/// What one installation calls everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QadShape {
    /// The path of the browse engine below the base (§1.9, confirmed).
    pub browse_path: String,
    /// The path of the entity metadata below the base (§1.10, confirmed).
    pub metadata_path: String,
    /// The path under which all entities live (§1.7, confirmed); a document's own path stands in its shape.
    pub entity_path: String,
    /// Supplier invoices and credit notes (§7.6).
    pub supplier_invoice: DocumentShape,
    /// Journal entries (§7.7).
    pub journal_entry: DocumentShape,
    /// GL accounts (§7.2).
    pub accounts: BrowseShape,
    /// Cost centres (§7.3).
    pub cost_centres: BrowseShape,
    /// Sub-accounts (§1.9).
    pub sub_accounts: BrowseShape,
    /// Projects (§1.9).
    pub projects: BrowseShape,
    /// Suppliers (§7.5).
    pub suppliers: BrowseShape,
    /// Employees (§7.4).
    pub employees: BrowseShape,
    /// Financial daybooks (§1.9).
    pub daybooks: BrowseShape,
    /// GL periods of the workspace's entity (§1.9).
    pub periods: BrowseShape,
    /// Supplier invoices by reference (§7.8).
    pub invoice_lookup: BrowseShape,
    /// Journal entries by origin reference (§3).
    pub journal_lookup: BrowseShape,
    /// The words that stand in coded fields.
    pub words: Words,
    /// How the entity API writes a date (`strftime`); §1.7 confirms the default.
    pub entity_date_format: String,
    /// How browses write a date (`strftime`).
    pub browse_date_format: String,
    /// The names in an answer about metadata.
    pub metadata: MetadataNames,
    /// `errorSeverity` and `severity` of a warning that comes as a failure (§7.9, last caution).
    pub warning_severity: u8,
    /// HTTP status of a write that was stored; 200, sometimes 201 (§1.8).
    pub stored_status: u16,
    /// HTTP status of a write that was refused; 200 as well as 4xx (§1.8).
    pub refused_status: u16,
}

impl Default for QadShape {
    fn default() -> Self {
        Self {
            browse_path: "/api/qracore/browses".into(),
            metadata_path: "/api/qracore/entitymetadatas".into(),
            entity_path: "/api/erp".into(),
            supplier_invoice: DocumentShape::supplier_invoice(),
            journal_entry: DocumentShape::journal_entry(),
            accounts: BrowseShape::accounts(),
            cost_centres: BrowseShape::cost_centres(),
            sub_accounts: BrowseShape::sub_accounts(),
            projects: BrowseShape::projects(),
            suppliers: BrowseShape::suppliers(),
            employees: BrowseShape::employees(),
            daybooks: BrowseShape::daybooks(),
            periods: BrowseShape::periods(),
            invoice_lookup: BrowseShape::invoice_lookup(),
            journal_lookup: BrowseShape::journal_lookup(),
            words: Words::default(),
            entity_date_format: "%Y-%m-%dT00:00:00.000Z".into(),
            browse_date_format: "%Y-%m-%dT00:00:00.000Z".into(),
            metadata: MetadataNames::default(),
            warning_severity: 2,
            stored_status: 200,
            refused_status: 200,
        }
    }
}

impl QadShape {
    /// The browse behind a read.
    pub fn browse(&self, read: Read) -> &BrowseShape {
        match read {
            Read::Accounts => &self.accounts,
            Read::CostCentres => &self.cost_centres,
            Read::SubAccounts => &self.sub_accounts,
            Read::Projects => &self.projects,
            Read::Suppliers => &self.suppliers,
            Read::Employees => &self.employees,
            Read::Daybooks => &self.daybooks,
            Read::Periods => &self.periods,
            Read::InvoiceLookup => &self.invoice_lookup,
            Read::JournalLookup => &self.journal_lookup,
        }
    }

    /// The read that a browse id names, if this installation has it.
    pub fn read_named(&self, browse_id: &str) -> Option<Read> {
        Read::ALL
            .into_iter()
            .find(|read| self.browse(*read).id == browse_id)
    }
}

/// The names in an answer of the metadata service; only the frame of it is known (§1.10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetadataNames {
    /// Where the list of entities lies in the answer.
    pub root: String,
    /// The field's name; a line's field is written below the path of the lines.
    pub field_name: String,
    /// Whether the field must be sent.
    pub required: String,
    /// `character`, `date`, `decimal`, `integer` or `logical`.
    pub data_type: String,
    /// The longest text the field takes; absent when unlimited.
    pub max_length: String,
}

impl Default for MetadataNames {
    fn default() -> Self {
        Self {
            root: "data.entityMetadatas".into(),
            field_name: "fieldName".into(),
            required: "isRequired".into(),
            data_type: "dataType".into(),
            max_length: "maxLength".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_survives_a_round_trip_and_takes_defaults_for_what_it_leaves_out() {
        let shape = QadShape::default();
        let text = serde_json::to_string(&shape).unwrap();
        assert_eq!(serde_json::from_str::<QadShape>(&text).unwrap(), shape);
        let little: QadShape = serde_json::from_str(r#"{"browse_path": "/b"}"#).unwrap();
        assert_eq!(
            little,
            QadShape {
                browse_path: "/b".into(),
                ..QadShape::default()
            }
        );
    }

    #[test]
    fn every_browse_id_names_one_read() {
        let shape = QadShape::default();
        for read in Read::ALL {
            assert_eq!(shape.read_named(&shape.browse(read).id), Some(read));
        }
        assert_eq!(shape.read_named("urn:browse:mfg:zz999"), None);
    }

    #[test]
    fn a_name_that_does_not_exist_is_refused_rather_than_ignored() {
        assert!(serde_json::from_str::<QadShape>(r#"{"browse_pth": "/b"}"#).is_err());
    }
}
