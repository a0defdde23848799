//! SIRI: what public transit says of the moment, as XML or as the JSON of SIRI Lite.
//!
//! Reference: CEN EN 15531 (SIRI 2.0 and 2.1), <https://github.com/SIRI-CEN/SIRI>; SIRI Lite as the French profile has it,
//! <https://normes.transport.data.gouv.fr>. Columns are named as the elements are, in small letters: `DatedVehicleJourneyRef` is
//! `dated_vehicle_journey_ref`. An estimated journey or a stop visit gives a row per call, a situation a row per thing that it affects;
//! without any, one row.

mod journeys;
mod situations;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use crate::content::Content;
use crate::error::FormatError;
use crate::part::{Source, Streams};
use crate::spec::{SiriFormat, SiriService};
use crate::transmodel::{Cell, Document, Entity, cell, text};
use crate::xml::tree::Element;
use journeys::Journeys;

/// A document of SIRI.
#[derive(Debug)]
pub(crate) struct Siri {
    document: Document,
    delivery: Delivery,
}

pub(crate) async fn open(content: Content, format: &SiriFormat) -> Result<Siri, FormatError> {
    let delivery = Delivery {
        service: format.service,
        header: Header::default(),
    };
    let marks = ["Delivery"];
    Ok(Siri {
        document: Document::open(content, &delivery, "SIRI", &marks).await?,
        delivery,
    })
}

impl Source for Siri {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.document.schema)
    }

    fn partitions(&self) -> usize {
        1
    }

    fn read(&self, projection: &[usize]) -> Streams {
        self.document.read(self.delivery.clone(), projection)
    }
}

/// What stands before the records and speaks for all of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Header {
    response_timestamp: Cell,
    producer_ref: Cell,
    /// Of the frame that the records stand in.
    recorded_at_time: Cell,
}

/// Columns of every service.
const HEADER: [&str; 2] = ["response_timestamp", "producer_ref"];

impl Header {
    /// Takes what an element says; whether it is one of those that speak for others.
    ///
    /// # Errors
    /// What the service says is wrong.
    fn take(&mut self, element: &Element) -> Result<bool, String> {
        let said = text_of(element);
        match element.name.as_str() {
            "ResponseTimestamp" => self.response_timestamp = cell(said),
            "ProducerRef" => self.producer_ref = cell(said),
            "RecordedAtTime" => self.recorded_at_time = cell(said),
            "ErrorCondition" => return Err(condition(element)),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn cells(&self) -> [Cell; 2] {
        [self.response_timestamp.clone(), self.producer_ref.clone()]
    }
}

fn text_of(element: &Element) -> Option<&str> {
    let text = element.text.trim();
    (!text.is_empty()).then_some(text)
}

/// A service that could not answer says so where its records would be.
fn condition(element: &Element) -> String {
    let kinds = element.children.iter().map(|kind| {
        let text = text(kind, "ErrorText").or_else(|| text_of(kind));
        match text {
            Some(text) => format!("{}: {text}", kind.name),
            None => kind.name.clone(),
        }
    });
    format!(
        "the service gives an error in place of records: {}",
        kinds.collect::<Vec<_>>().join("; ")
    )
}

/// The records of one service.
#[derive(Debug, Clone)]
struct Delivery {
    service: SiriService,
    header: Header,
}

impl Entity for Delivery {
    fn columns(&self) -> Vec<&'static str> {
        let own = match self.service {
            SiriService::EstimatedTimetable | SiriService::StopMonitoring => {
                Journeys::columns_of_calls()
            }
            SiriService::VehicleMonitoring => Journeys::columns_of_vehicles(),
            SiriService::SituationExchange => situations::columns(),
        };
        HEADER.into_iter().chain(own).collect()
    }

    fn names(&self) -> &'static [&'static str] {
        macro_rules! and_header {
            ($name:literal) => {
                &[
                    $name,
                    "ResponseTimestamp",
                    "ProducerRef",
                    "RecordedAtTime",
                    "ErrorCondition",
                ]
            };
        }
        match self.service {
            SiriService::EstimatedTimetable => and_header!("EstimatedVehicleJourney"),
            SiriService::StopMonitoring => and_header!("MonitoredStopVisit"),
            SiriService::VehicleMonitoring => and_header!("VehicleActivity"),
            SiriService::SituationExchange => and_header!("PtSituationElement"),
        }
    }

    fn rows<'a>(&mut self, element: &'a Element) -> Result<Vec<(Vec<Cell>, &'a Element)>, String> {
        if self.header.take(element)? {
            return Ok(Vec::new());
        }
        let own = match self.service {
            SiriService::EstimatedTimetable | SiriService::StopMonitoring => {
                Journeys::calls(element, &self.header)
            }
            SiriService::VehicleMonitoring => vec![Journeys::vehicle(element, &self.header)],
            SiriService::SituationExchange => situations::rows(element)?,
        };
        let header = self.header.cells();
        let with_header = |(cells, element): (Vec<Cell>, &'a Element)| {
            (header.iter().cloned().chain(cells).collect(), element)
        };
        Ok(own.into_iter().map(with_header).collect())
    }
}
