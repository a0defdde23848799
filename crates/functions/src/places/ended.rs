//! Places that ended and became no one place: a level that was abolished, whose places within each went their own way.

use std::fmt::Write as _;

use chrono::NaiveDate;
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::{DataFusionError, Result};

use super::crosswalk::{Successor, merged};
use super::index::{Id, PlaceIndex, Unit};

/// Places that an error names.
const NAMED_MAX: usize = 5;

impl PlaceIndex {
    /// What a place of `from` became by `to`; where one on the way ended with no word of what it became, the places that those within it
    /// became, in shares that are not known.
    ///
    /// # Errors
    /// Where there is no such place, or it ended and nothing tells what it became.
    pub(crate) fn became(
        &self,
        code: &str,
        from: NaiveDate,
        to: Option<NaiveDate>,
    ) -> Result<Vec<Successor>> {
        self.version_on(code, Some(from))?;
        let mut reached = Vec::new();
        for place in self.successors(code, from, to) {
            match self.ended(&place.place_code, to) {
                None => reached.push(place),
                Some(last) => {
                    let within = self.ways_on(last, to);
                    if within.is_empty() {
                        return Err(self.untold(last, to));
                    }
                    reached.extend(within);
                }
            }
        }
        Ok(merged(reached.into_iter()))
    }

    /// The last version of a code that no version holds any more on a day (none: now). A code that the index does not have has not ended.
    pub(super) fn ended(&self, code: &str, on: Option<NaiveDate>) -> Option<Id> {
        let versions = self.versions(code);
        let ends_by = |unit: &Unit| {
            !unit.is_open()
                && unit
                    .row
                    .valid_to
                    .is_some_and(|to| on.is_none_or(|on| to <= on))
        };
        if versions.iter().any(|id| self.unit(*id).holds(on)) {
            return None;
        }
        let ended = versions.iter().filter(|id| ends_by(self.unit(**id)));
        ended.max_by_key(|id| self.unit(**id).row.valid_to).copied()
    }

    /// The places that those within an ended place became. What became nothing that is known is left out.
    fn ways_on(&self, ended: Id, to: Option<NaiveDate>) -> Vec<Successor> {
        let unit = self.unit(ended);
        let Some(last_day) = unit.row.valid_to.and_then(|end| end.pred_opt()) else {
            return Vec::new();
        };
        let within = self.children_on(&unit.row.place_code, last_day);
        let ways = within.flat_map(|child| {
            let code = &self.unit(child).row.place_code;
            self.successors(code, last_day, to)
        });
        let still = ways.filter(|place| self.ended(&place.place_code, to).is_none());
        let shareless = still.map(|place| Successor {
            weight: None,
            weight_kind: None,
            event: unit.row.valid_to_event.clone(),
            ..place
        });
        merged(shareless)
    }

    /// Why a place is not one place on a day, and what to do.
    pub(super) fn untold(&self, ended: Id, to: Option<NaiveDate>) -> DataFusionError {
        let unit = &self.unit(ended).row;
        let until = unit
            .valid_to
            .map_or_else(String::new, |to| format!(" on {to}"));
        let mut text = format!("the place {} ended{until}", self.in_words(ended));
        match unit.valid_to_event.as_deref() {
            Some("abolish") => text.push_str(": it was abolished, and no one place took it over"),
            Some(event) => {
                let _ = write!(text, " ({event})");
            }
            None => {}
        }
        let ways = self.ways_on(ended, to);
        if ways.is_empty() {
            text.push_str(
                ", and no crosswalk tells what it became: load common.place_crosswalk with it",
            );
            return exec_datafusion_err!("{text}");
        }
        let codes = ways.iter().take(NAMED_MAX).map(|place| {
            let version = self.version(&place.place_code, to);
            version.map_or_else(|| place.place_code.clone(), |id| self.named_by(id))
        });
        let _ = write!(
            text,
            "; what belonged to it went to {}",
            codes.collect::<Vec<_>>().join(", ")
        );
        if ways.len() > NAMED_MAX {
            let _ = write!(text, " and {} more", ways.len() - NAMED_MAX);
        }
        text.push_str(
            ": convert the places that belonged to it one by one (place_parent tells which did), or keep its own code with its dates",
        );
        exec_datafusion_err!("{text}")
    }

    /// The code, after an error of its own where it has no version on the day.
    pub(super) fn standing(&self, code: &str, on: NaiveDate) -> Result<()> {
        if let Some(ended) = self.ended(code, Some(on)) {
            return Err(self.untold(ended, Some(on)));
        }
        if self.version_on(code, Some(on)).is_err() {
            return exec_err!(
                "no place has the code {code:?} on {on}, and no crosswalk tells of another: load common.place_crosswalk with it"
            );
        }
        Ok(())
    }
}
