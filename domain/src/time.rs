//! Instants and dates: what Expensify sends, what a connection's time zone makes of it.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// A date or an instant as Expensify sent it, `yyyy-MM-dd` or `yyyy-MM-dd HH:mm:ss`; instants are taken as UTC
/// (contract expensify §2.3, §12). Kept as text, so that an unreadable one can be judged later and shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceTime(String);

impl SourceTime {
    /// Takes the text as it came, trimmed.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }
    /// The text as it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Nothing was sent.
    pub fn is_blank(&self) -> bool {
        self.0.is_empty()
    }
    /// The instant, if the text has a time of day.
    pub fn instant(&self) -> Option<DateTime<Utc>> {
        let text = self.0.get(..19)?;
        ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
            .map(|naive| naive.and_utc())
    }
    /// The calendar date in `zone`: of the instant where there is one, else the date as written.
    pub fn date_in(&self, zone: Tz) -> Option<NaiveDate> {
        self.instant()
            .map(|instant| local_date(instant, zone))
            .or_else(|| NaiveDate::parse_from_str(self.0.get(..10)?, "%Y-%m-%d").ok())
    }
}

/// The calendar date of an instant in a time zone: an approval at 22:00 on 31 January in New York belongs to January.
pub fn local_date(instant: DateTime<Utc>, zone: Tz) -> NaiveDate {
    instant.with_timezone(&zone).date_naive()
}

/// Time by a clock that never runs backwards while one machine is up, for the quarantine of law 4.
///
/// `epoch` names the boot; `millis` counts from it. Two readings of one epoch subtract exactly, whatever happened to
/// the wall clock between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steady {
    /// Which boot of which machine.
    pub epoch: String,
    /// Milliseconds since it.
    pub millis: u64,
}

/// An instant by both clocks: the wall's for people, the steady one for waiting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Wall clock, UTC.
    pub at: DateTime<Utc>,
    /// Steady clock.
    pub steady: Steady,
}

impl Moment {
    /// How long ago `earlier` was, in milliseconds, never more than can be proven: by the steady clock within one
    /// boot. Across boots a wall clock that was set ahead while the machine was down would prove what is not so: then
    /// it is no more than the time since this boot, which came after `earlier`, and nothing where the wall clock ran
    /// backwards.
    pub fn millis_since(&self, earlier: &Moment) -> u64 {
        if self.steady.epoch == earlier.steady.epoch {
            self.steady.millis.saturating_sub(earlier.steady.millis)
        } else {
            let by_the_wall = u64::try_from((self.at - earlier.at).num_milliseconds()).unwrap_or(0);
            by_the_wall.min(self.steady.millis)
        }
    }

    /// Was the wall clock set back over a reboot, so that `earlier` seems to lie ahead? Until the wall clock is past it
    /// again, nothing that passed since can be proven.
    pub fn was_set_back_since(&self, earlier: &Moment) -> bool {
        self.steady.epoch != earlier.steady.epoch && self.at < earlier.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, TimeZone};
    use proptest::prelude::*;

    #[test]
    fn a_month_end_approval_in_new_york_belongs_to_its_own_month() {
        let approved = SourceTime::new("2026-02-01 03:00:00");
        assert_eq!(
            approved.date_in(chrono_tz::America::New_York),
            NaiveDate::from_ymd_opt(2026, 1, 31)
        );
    }

    #[test]
    fn a_month_end_approval_in_auckland_belongs_to_the_next_month() {
        let approved = SourceTime::new("2026-01-31 12:30:00");
        assert_eq!(
            approved.date_in(chrono_tz::Pacific::Auckland),
            NaiveDate::from_ymd_opt(2026, 2, 1)
        );
    }

    #[test]
    fn a_date_without_a_time_of_day_is_that_date_everywhere() {
        assert_eq!(
            SourceTime::new("2026-10-31").date_in(chrono_tz::Pacific::Auckland),
            NaiveDate::from_ymd_opt(2026, 10, 31)
        );
        assert_eq!(SourceTime::new("31/10/2026").date_in(chrono_tz::UTC), None);
    }

    #[test]
    fn waiting_is_measured_by_the_steady_clock_within_one_boot() {
        let moment = |wall: i64, epoch: &str, millis| Moment {
            at: Utc.timestamp_opt(wall, 0).unwrap(),
            steady: Steady {
                epoch: epoch.into(),
                millis,
            },
        };
        assert_eq!(
            moment(0, "a", 9_000).millis_since(&moment(500, "a", 1_000)),
            8_000,
            "the wall clock stepped back"
        );
        assert_eq!(
            moment(900_000, "a", 9_000).millis_since(&moment(0, "a", 1_000)),
            8_000,
            "and forward"
        );
        assert_eq!(
            moment(60, "b", 90_000).millis_since(&moment(0, "a", 1_000)),
            60_000,
            "another machine that has long been up"
        );
        assert_eq!(
            moment(7_260, "b", 5).millis_since(&moment(0, "a", 1_000)),
            5,
            "the wall clock was set ahead while the machine was down: only the time since it came up is proven"
        );
        assert_eq!(
            moment(0, "b", 5).millis_since(&moment(60, "a", 1_000)),
            0,
            "nothing can be proven"
        );
    }

    /// The rule written another way: the local wall time is the instant plus the zone's offset at that instant.
    fn date_by_offset(instant: DateTime<Utc>, zone: Tz) -> NaiveDate {
        use chrono::Offset;
        let offset = instant.with_timezone(&zone).offset().fix().local_minus_utc();
        (instant.naive_utc() + chrono::Duration::seconds(i64::from(offset))).date()
    }

    proptest! {
        #[test]
        fn every_instant_around_month_ends_and_clock_changes_has_one_right_date(
            zone in prop::sample::select(vec![chrono_tz::America::New_York, chrono_tz::Pacific::Auckland]),
            // hours around month ends and both clock changes of both hemispheres in 2026
            anchor in prop::sample::select(vec![
                (2026, 1, 31), (2026, 3, 8), (2026, 11, 1), (2026, 4, 5), (2026, 9, 27), (2026, 10, 31), (2026, 12, 31),
            ]),
            minutes in -2_880i64..2_880,
        ) {
            let (year, month, day) = anchor;
            let instant = Utc.with_ymd_and_hms(year, month, day, 12, 0, 0).unwrap() + chrono::Duration::minutes(minutes);
            let text = instant.format("%Y-%m-%d %H:%M:%S").to_string();
            let date = SourceTime::new(&text).date_in(zone).unwrap();
            prop_assert_eq!(date, date_by_offset(instant, zone));
            prop_assert!((date.num_days_from_ce() - instant.date_naive().num_days_from_ce()).abs() <= 1);
        }
    }

    #[test]
    fn a_wall_clock_that_shows_the_same_after_a_reboot_was_not_set_back() {
        let moment = |epoch: &str, second: i64| Moment {
            at: DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap(),
            steady: Steady {
                epoch: epoch.into(),
                millis: 5_000,
            },
        };
        let earlier = moment("boot-1", 10);
        assert!(moment("boot-2", 9).was_set_back_since(&earlier));
        assert!(!moment("boot-2", 10).was_set_back_since(&earlier));
        assert!(
            !moment("boot-1", 9).was_set_back_since(&earlier),
            "within one boot the steady clock counts"
        );
    }
}
