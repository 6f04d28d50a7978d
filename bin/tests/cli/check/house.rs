//! An installation whose log has a chart, though no QAD was ever asked for it.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tieout::installation::{BUILD, Installation};
use tieout::ports::SystemEntropy;
use tieout_domain::chart::{
    Account, AccountType, AnalysisUse, ChartDelta, ChartEvent, CostCentre, Daybook, DaybookUse, Limitation,
};
use tieout_domain::ids::{AccountCode, CostCentreCode, DaybookCode, PersonName};
use tieout_domain::journal::{Cause, Draft, Journal, Stamp, Streams};
use tieout_domain::ports::{Clock as _, Expected};
use tieout_domain::workflow::person;

use crate::program::{self, Run};

/// The program without anything of our own surroundings.
pub fn tieout(folder: &Path, args: &[&str]) -> Run {
    crate::program::tieout(folder, args, &[], "")
}

/// An installation with one connection, `acme`.
pub struct House(TempDir);
impl House {
    pub fn new() -> Self {
        Self(program::installed())
    }

    /// With a chart in its log: 6410 may have a cost centre, 6413 requires one, 6414 takes none, 1120 is a bank.
    pub async fn with_chart() -> Self {
        let house = Self::new();
        let account = |code: &str, cost_centre, kind| Account {
            code: AccountCode::new(code).unwrap(),
            description: String::new(),
            active: true,
            kind,
            cost_centre,
            project: AnalysisUse::Optional,
            sub_account: AnalysisUse::Optional,
            limitation: Limitation::None,
            only_currency: None,
        };
        let delta = ChartDelta {
            accounts: vec![
                account("6410", AnalysisUse::Optional, AccountType::Standard),
                account("6413", AnalysisUse::Required, AccountType::Standard),
                account("6414", AnalysisUse::Forbidden, AccountType::Standard),
                account("1120", AnalysisUse::Optional, AccountType::Other("BANK".into())),
            ],
            cost_centres: vec![CostCentre {
                code: CostCentreCode::new("1100").unwrap(),
                description: String::new(),
                active: true,
            }],
            daybooks: vec![Daybook {
                code: DaybookCode::new("EXPINV").unwrap(),
                accepts: DaybookUse::SupplierInvoices,
                active: true,
            }],
            ..ChartDelta::default()
        };
        let config = house.0.path().join("tieout.toml");
        let installation = Installation::open(&config).await.unwrap();
        let stamp = Stamp {
            actor: person(PersonName::new("tester").unwrap()),
            cause: Cause::Command { name: "sync".into() },
        };
        let draft = Draft {
            event: ChartEvent::ChartChanged(Box::new(delta)),
            effective_at: installation.clock.now(),
            subject: None,
        };
        let stream = Streams(installation.config.connection[0].id).chart();
        Journal::new(
            installation.log.as_ref(),
            &installation.clock,
            &SystemEntropy,
            installation.people(),
            BUILD,
        )
        .append(&stream, Expected::NoStream, &stamp, vec![draft])
        .await
        .unwrap();
        house
    }

    /// A file beside the connection's own, with a blank in its name.
    pub fn draft(&self, rules: &str) {
        fs::write(self.0.path().join("rules/my rules.toml"), rules).unwrap();
    }

    pub fn tieout(&self, args: &[&str]) -> Run {
        tieout(self.0.path(), args)
    }
}
