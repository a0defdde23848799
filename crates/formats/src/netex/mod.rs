//! NeTEx: stops and timetables of public transit, exchanged as XML.
//!
//! Reference: CEN/TS 16614 (NeTEx 1.x), <https://github.com/NeTEx-CEN/NeTEx>; profiles of Europe (EPIP), France and the Nordic countries.
//! Objects refer to one another, and a mapping of rows cannot follow that: what the rows of one kind need of other objects is gathered
//! when a document is opened, within a bound, and put into their columns: from the document itself, and from the others of the archive
//! that it came in. What stands in neither is left as the reference it is. Columns are named as the elements are, in small letters.

mod calendar;
pub(crate) mod elsewhere;
mod journeys;
mod lines;
mod references;
mod stops;

#[cfg(test)]
mod archive_tests;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use crate::choice::Choice;
use crate::content::Content;
use crate::error::FormatError;
use crate::part::{Source, Streams};
use crate::spec::{NetexFormat, NetexObjects};
use crate::transmodel::{Cell, Document, Entity, text};
use crate::xml::tree::Element;
use elsewhere::Around;
use references::References;

/// What a document holds near its beginning.
const MARKS: [&str; 2] = ["PublicationDelivery", "Frame"];

/// A document of NeTEx.
#[derive(Debug)]
pub(crate) struct Netex {
    document: Document,
    objects: Objects,
    choices: Vec<Choice>,
}

pub(crate) async fn open(content: Content, format: &NetexFormat) -> Result<Netex, FormatError> {
    let mut objects = Objects {
        kind: format.objects,
        known: Arc::new(References::default()),
        made: Vec::new(),
    };
    let document = Document::open(content, &objects, "NeTEx", &MARKS).await?;
    let mut choices = Vec::new();
    // Lines refer to who runs them, which is a key to other rows and no column of theirs.
    let around = match format.objects {
        NetexObjects::Lines => Around::Alone,
        _ => elsewhere::around(&document.content).await?,
    };
    let elsewhere = match around {
        Around::Alone => None,
        Around::Known(known) => Some(known),
        Around::TooMuch => {
            let why = "the archive's documents say more than fits the memory bound, so that each is read alone";
            choices.push(Choice::new("references", "within a document", why));
            None
        }
    };
    let known = references::gather(&document, format.objects, elsewhere).await?;
    objects.known = Arc::new(known);
    Ok(Netex {
        document,
        objects,
        choices,
    })
}

impl Source for Netex {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.document.schema)
    }

    fn choices(&self) -> &[Choice] {
        &self.choices
    }

    fn partitions(&self) -> usize {
        1
    }

    fn read(&self, projection: &[usize]) -> Streams {
        self.document.read(self.objects.clone(), projection)
    }
}

/// Objects of one kind.
#[derive(Debug, Clone)]
struct Objects {
    kind: NetexObjects,
    known: Arc<References>,
    /// Day types whose dates are given already.
    made: Vec<bool>,
}

impl Entity for Objects {
    fn columns(&self) -> Vec<&'static str> {
        match self.kind {
            NetexObjects::Stops => stops::columns(),
            NetexObjects::Lines => lines::columns_of_lines(),
            NetexObjects::Operators => lines::columns_of_operators(),
            NetexObjects::ServiceJourneys => journeys::columns_of_trips(),
            NetexObjects::PassingTimes => journeys::columns_of_times(),
            NetexObjects::DayTypeDates => calendar::COLUMNS.to_vec(),
        }
    }

    fn names(&self) -> &'static [&'static str] {
        match self.kind {
            NetexObjects::Stops => &["StopPlace", "Quay", "ScheduledStopPoint"],
            NetexObjects::Lines => &["Line", "FlexibleLine"],
            NetexObjects::Operators => &["Operator", "Authority"],
            NetexObjects::ServiceJourneys | NetexObjects::PassingTimes => &["ServiceJourney"],
            NetexObjects::DayTypeDates => &["DayTypeAssignment", "DatedServiceJourney"],
        }
    }

    fn rows<'a>(&mut self, element: &'a Element) -> Result<Vec<(Vec<Cell>, &'a Element)>, String> {
        let known = &self.known;
        match self.kind {
            NetexObjects::Stops => Ok(stops::rows(element, known)),
            NetexObjects::Lines => Ok(vec![(lines::line(element), element)]),
            NetexObjects::Operators => Ok(vec![(lines::operator(element, known), element)]),
            NetexObjects::ServiceJourneys => journeys::trips(element, known),
            NetexObjects::PassingTimes => journeys::times(element, known),
            NetexObjects::DayTypeDates => calendar::dates(element, known, &mut self.made),
        }
    }
}

/// The id of an object.
fn id(element: &Element) -> Option<&str> {
    crate::transmodel::attribute(element, "id")
}

/// Whether a text says yes, or no.
fn flag(element: &Element, way: &str) -> Option<bool> {
    match text(element, way)? {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}
