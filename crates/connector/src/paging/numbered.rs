//! Pages that are found by counting: by offset, or by number.

use super::pager::Page;
use super::place::Place;
use super::{Paging, Style};
use crate::error::ConnectorError;

/// Pages without records, one after the other, behind which nothing more is looked for, whatever the source tells.
const GAP_PAGES_MAX: u64 = 10;

impl Page<'_> {
    /// The next offset or number, unless this page was the last.
    pub(super) fn numbered(
        &self,
        paging: &Paging,
        bytes: &[u8],
        records: Option<u64>,
    ) -> Result<Option<Place>, ConnectorError> {
        let is_last = match records {
            Some(0) => !self.is_gap(paging, bytes)?,
            _ => self.is_last(paging, bytes, records)?,
        };
        if is_last {
            return Ok(None);
        }
        let size = u64::from(paging.size.unwrap_or_default());
        let here = match self.at.place {
            Some(Place::Number(number)) => number,
            _ => paging.first(),
        };
        let step = match paging.style {
            Style::Page => 1,
            _ => records
                .filter(|records| *records > 0)
                .or(self.at.cap)
                .unwrap_or(size),
        };
        Ok(Some(Place::Number(here.saturating_add(step))))
    }

    /// Whether the source tells of records behind a page that has none: some cut their pages first, and then leave out what is
    /// hidden. Where it tells nothing, the page is the end.
    fn is_gap(&self, paging: &Paging, bytes: &[u8]) -> Result<bool, ConnectorError> {
        let is_looked_for = self.at.records > 0 && self.at.empty + 1 < GAP_PAGES_MAX;
        if let Some(more) = &paging.more
            && let Some(has_more) = self.flag(more, bytes)?
        {
            return Ok(has_more && is_looked_for);
        }
        if let Some(pages) = &paging.pages
            && let Some(pages) = self.number_at(pages, bytes)?
        {
            return Ok(self.at.page < pages && is_looked_for);
        }
        let Some(total) = self.total(paging, bytes)? else {
            return Ok(false);
        };
        if self.reached(paging) < total && is_looked_for {
            return Ok(true);
        }
        self.note_lack(paging, total);
        Ok(false)
    }

    /// Up to which record the pages go that were asked for, this one among them.
    fn reached(&self, paging: &Paging) -> u64 {
        let told = self.at.cap.or(paging.size.map(u64::from));
        let size = match told.unwrap_or(self.at.most) {
            // Nothing tells how far a page goes.
            0 => return u64::MAX,
            size => size,
        };
        match self.at.place {
            Some(Place::Number(offset)) if paging.style == Style::Offset => {
                offset.saturating_sub(paging.first()).saturating_add(size)
            }
            _ => self.at.page.saturating_mul(size),
        }
    }

    /// Tells whoever runs the pipeline that fewer records came than the source says it has.
    fn note_lack(&self, paging: &Paging, total: u64) {
        let came = self.at.records;
        // Who begins further on misses what stands before, and who asks for what is new may be told how much there is of all.
        let is_whole =
            self.pager.incremental.is_none() && paging.first.is_none_or(|first| first <= 1);
        if is_whole && came < total {
            self.http.note(format!(
                "{} says that it has {total} records, and gave {came}",
                self.first
            ));
        }
    }

    fn total(&self, paging: &Paging, bytes: &[u8]) -> Result<Option<u64>, ConnectorError> {
        match &paging.total {
            Some(total) => self.number_at(total, bytes),
            None => Ok(None),
        }
    }

    /// Whether a page with records is the last: by what the answer says, or by its length.
    fn is_last(
        &self,
        paging: &Paging,
        bytes: &[u8],
        records: Option<u64>,
    ) -> Result<bool, ConnectorError> {
        if let Some(more) = &paging.more
            && let Some(has_more) = self.flag(more, bytes)?
        {
            return Ok(!has_more);
        }
        if let Some(pages) = &paging.pages
            && let Some(pages) = self.number_at(pages, bytes)?
        {
            return Ok(self.at.page >= pages);
        }
        let size = paging.size.map(u64::from);
        if let Some(total) = self.total(paging, bytes)? {
            let here = records.or(size).unwrap_or_default();
            let before = match self.at.place {
                Some(Place::Number(offset)) if paging.style == Style::Offset => {
                    offset.saturating_sub(paging.first())
                }
                _ if records.is_none() => (self.at.page - 1).saturating_mul(here),
                _ => self.at.records,
            };
            return Ok(before.saturating_add(here) >= total);
        }
        let Some(records) = records else {
            return Err(self.error("cannot tell whether the source has more pages").with_help(
                "write `records` under `paging:` with the place of the list in an answer, or `total`, `pages` or `more`",
            ));
        };
        Ok(match self.at.cap.or(self.cap(paging, records)) {
            Some(cap) => records < cap,
            None => size.is_some_and(|size| records < size),
        })
    }

    /// A source may give fewer records a page than it was asked for, and then it gives a round number: asking on costs one
    /// request, and believing it would lose the rest.
    pub(super) fn cap(&self, paging: &Paging, records: u64) -> Option<u64> {
        let is_less = paging.size.is_some_and(|size| records < u64::from(size));
        (self.at.page == 1 && is_less && is_round(records)).then_some(records)
    }
}

/// Whether a source may have cut its page at this number.
fn is_round(records: u64) -> bool {
    records >= 50 && (records.is_multiple_of(50) || records.is_power_of_two())
}
