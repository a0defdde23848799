//! GML: features of a Web Feature Service, read as XML whose shapes are geometries.
//!
//! Reference: OGC 07-036r1 (GML 3.2.2), <https://docs.ogc.org/is/07-036r1/07-036r1.html>; of 3.1 and 2 what differs in the simple
//! features profile (OGC 10-100r3) is read as well. A property that holds a shape becomes a column of well-known binary; which of two
//! numbers is the longitude follows from the reference system's name, unless the format says.

mod axes;
mod north_first;
mod shape;

#[cfg(test)]
mod tests;

use crate::geometry::written;
use crate::spec::AxisOrder;
use crate::xml::tree::Element;
pub(crate) use axes::{code, first_name};

/// The column of a feature's first shape.
pub(crate) const GEOMETRY: &str = "geometry";
/// Elements around features, wherever they stand.
pub(crate) const MEMBERS: &[&str] = &["member", "featureMember"];
/// The element of older services that holds all features.
pub(crate) const ALL_MEMBERS: &[u8] = b"featureMembers";
/// What stands around all features, and what says that there are none.
const COLLECTIONS: [&[u8]; 2] = [b"FeatureCollection", b"featureMember"];

/// How the shapes of a part are read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shapes {
    /// None: by the name of the reference system.
    pub(crate) order: Option<AxisOrder>,
}

/// Whether the text begins as features do.
pub(crate) fn is_features(head: &[u8]) -> bool {
    let says = |text: &[u8]| memchr::memmem::find(head, text).is_some();
    COLLECTIONS.iter().any(|it| says(it)) && (says(b"opengis.net/gml") || says(b"opengis.net/wfs"))
}

impl Shapes {
    /// The feature that a record holds, with each shape in place of the elements that it is made of.
    ///
    /// # Errors
    /// What is wrong with a shape, as a sentence.
    pub(crate) fn place(self, mut record: Element) -> Result<Element, String> {
        let is_wrapper = MEMBERS.contains(&record.name.as_str());
        let mut feature = match is_wrapper && record.children.len() == 1 {
            true => record.children.remove(0),
            false => record,
        };
        // The extent follows from the shape.
        feature.children.retain(|child| child.name != "boundedBy");
        self.replace(&mut feature, "")?;
        Ok(feature)
    }

    fn replace(self, element: &mut Element, inherited: &str) -> Result<(), String> {
        let name = shape::reference(element).unwrap_or(inherited).to_owned();
        for child in &mut element.children {
            if let [inner] = child.children.as_slice()
                && shape::is_shape(&inner.name)
            {
                let wrong =
                    |reason: String| format!("its `{}` is no geometry: {reason}", child.name);
                let swaps = |reference: &str| match self.order {
                    Some(order) => order == AxisOrder::Yx,
                    None => axes::is_north_first(reference),
                };
                let geometry = shape::read(inner, &name, &swaps).map_err(wrong)?;
                let binary = geometry.as_ref().map(written).transpose()?;
                child.children.clear();
                child.attributes.clear();
                child.text.clear();
                child.shape = Some(binary.unwrap_or_default());
                continue;
            }
            self.replace(child, &name)?;
        }
        Ok(())
    }
}

/// What a server says instead of features: the texts of an exception report, under whatever status.
pub(crate) fn refused(head: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(head).ok()?;
    let says = ["ExceptionReport", "ServiceException"]
        .iter()
        .any(|it| text.contains(it));
    let start = text
        .find("ExceptionReport")
        .and_then(|at| text[..at].rfind('<'))?;
    let element = Element::parse(&text[start..]).ok().filter(|_| says)?;
    let mut said = Vec::new();
    texts(&element, &mut said);
    let told = (!said.is_empty()).then(|| said.join("; "));
    Some(told.unwrap_or_else(|| "an exception without a text".to_owned()))
}

fn texts(element: &Element, said: &mut Vec<String>) {
    let attributes = element.attributes.iter();
    let codes = attributes.filter(|(name, _)| name == "exceptionCode" || name == "code");
    said.extend(codes.map(|(_, code)| code.clone()));
    let text = element
        .text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    said.extend((!text.is_empty()).then_some(text));
    element.children.iter().for_each(|child| texts(child, said));
}
