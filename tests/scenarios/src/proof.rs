//! What a test holds a scene against: both ends, fetched from the stand-ins apart from the log, and the laws that hold
//! whatever happened on the way.

use std::collections::{BTreeMap, BTreeSet};

use tieout::commands::demo::ends;
use tieout::config::{Config, ConnectionConfig};
use tieout::installation::Installation;
use tieout::ports::SystemClock;
use tieout::views::Views;
use tieout_domain::ids::Reference;
use tieout_projections::month::Month;
use tieout_projections::tie_out::{Ends, TieOut, tie_out};
use tieout_projections::work_list::{Row, WorkListView};
use tieout_sandbox::expensify::world::ReportId;
use tieout_sandbox::month::{self, POLICIES, credentials};

use crate::Scene;

/// The label that the scene's installation sets.
pub const LABEL: &str = "tieout-larkfield";

impl Scene {
    /// The scene's installation, opened in this process.
    pub async fn installation(&self) -> Installation {
        let config = Config::read(&self.config).expect("the configuration");
        Installation::open_at(config, SystemClock::set_to(self.now()))
            .await
            .expect("the installation opens")
    }

    /// Its one connection.
    pub fn connection(&self) -> ConnectionConfig {
        let config = Config::read(&self.config).expect("the configuration");
        config.connection.into_iter().next().expect("a connection")
    }

    /// The work list, read from the log as it is now.
    pub async fn rows(&self) -> Vec<Row> {
        let installation = self.installation().await;
        let (views, view) = (Views::of(&installation), WorkListView::default());
        view.catch_up(installation.log.as_ref(), &views)
            .await
            .expect("the work list catches up");
        view.rows_of(&views, self.connection().id)
            .await
            .expect("the work list is read")
    }

    /// Law 6. A report approved before go-live is in scope where the poll's overlap showed it, and outside where not.
    pub async fn tie_out(&self) -> TieOut {
        let rows = self.rows().await;
        self.tie_out_without(&BTreeSet::new(), rows).await
    }

    /// Law 6 over these rows, at a moment when nothing can be said of some reports: they are left out at both ends and
    /// between them.
    pub async fn tie_out_without(&self, unsaid: &BTreeSet<ReportId>, mut rows: Vec<Row>) -> TieOut {
        let unsaid = |report: u64| unsaid.contains(&ReportId(report));
        rows.retain(|row| !unsaid(row.report_id.decimal()));
        let config = self.connection();
        let zone = config.qad.timezone;
        let policies = POLICIES.map(ToOwned::to_owned);
        let mut source = ends::source(&self.stand_ins.expensify.base_url(), &policies, zone)
            .await
            .expect("the source");
        let known: BTreeSet<_> = rows.iter().map(|row| row.report_id).collect();
        let first = Month::from(month::go_live());
        source.retain(|report| {
            let in_scope =
                known.contains(&report.report_id) || report.period.is_none_or(|period| period >= first);
            in_scope && !unsaid(report.report_id.decimal())
        });
        let ledger = ends::ledger(&self.stand_ins.qad.origin(), credentials::QAD_WORKSPACE)
            .await
            .expect("the ledger");
        // Certification posts in another workspace: what stands apart is only what nothing can be said of.
        let apart: BTreeSet<Reference> = ledger
            .iter()
            .filter_map(|row| row.reference.parse().ok())
            .filter(|reference: &Reference| unsaid(reference.report.decimal()))
            .collect();
        tie_out(&[Ends {
            connection: config.name.as_str(),
            zone,
            source: &source,
            ledger: &ledger,
            apart: &apart,
            rows: &rows,
        }])
    }

    /// Fails, naming every difference, unless source, log and ledger tie out.
    pub async fn must_tie_out(&self, when: &str) {
        let tied = self.tie_out().await;
        assert!(tied.ties(), "{when}: {:#?}", tied.differences);
    }

    /// The reports that bear our label at the source.
    pub fn marked(&self) -> BTreeSet<ReportId> {
        self.stand_ins.expensify.world().read(|world| {
            world
                .reports
                .values()
                .filter(|report| report.is_marked(LABEL))
                .map(|report| report.id)
                .collect()
        })
    }

    /// Laws 2, 3 and 10 as they can be seen from outside, at any moment: no document stands twice, and only what stands
    /// in the ledger is marked.
    pub fn nothing_is_wrong(&self, when: &str) {
        // First the labels, then the ledger: what is posted in between is no offence.
        let marked = self.marked();
        let mut bearers: BTreeMap<String, usize> = BTreeMap::new();
        for document in self.ledger() {
            *bearers.entry(document.reference.to_uppercase()).or_default() += 1;
        }
        let twice: Vec<_> = bearers.iter().filter(|(_, count)| **count > 1).collect();
        assert!(twice.is_empty(), "{when}: posted more than once: {twice:?}");
        let posted: BTreeSet<u64> = bearers
            .keys()
            .filter_map(|text| text.parse::<Reference>().ok())
            .map(|r| r.report.decimal())
            .collect();
        let early: Vec<_> = marked.iter().filter(|id| !posted.contains(&id.0)).collect();
        assert!(early.is_empty(), "{when}: marked and not posted: {early:?}");
    }

    /// A settled scene of plain reports: each of `reports` posted once and marked, nothing in doubt, and it ties out.
    pub async fn all_is_done(&self, reports: usize, last: &serde_json::Value, when: &str) {
        self.nothing_is_wrong(when);
        assert_eq!(last["stages"]["marked_exported"], reports, "{when}: {last:#}");
        assert_eq!(last["in_doubt"], 0, "{when}: {last:#}");
        assert_eq!(self.ledger().len(), reports, "{when}");
        assert_eq!(self.marked().len(), reports, "{when}");
        self.must_tie_out(when).await;
    }
}
