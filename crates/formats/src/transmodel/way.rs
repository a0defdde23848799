//! Ways through an element: `A/B` is the child B of the child A.

use crate::xml::tree::Element;

/// The first child of that name.
pub(crate) fn child<'a>(element: &'a Element, name: &str) -> Option<&'a Element> {
    element.children.iter().find(|child| child.name == name)
}

/// The first element at the end of a way.
pub(crate) fn at<'a>(element: &'a Element, way: &str) -> Option<&'a Element> {
    way.split('/').try_fold(element, child)
}

/// Every element at the end of a way.
pub(crate) fn all<'a>(element: &'a Element, way: &str) -> Vec<&'a Element> {
    way.split('/').fold(vec![element], |found, name| {
        let children = found.into_iter().flat_map(|element| &element.children);
        children.filter(|child| child.name == name).collect()
    })
}

/// The text at the end of a way, without blanks around it; none where it is blank.
pub(crate) fn text<'a>(element: &'a Element, way: &str) -> Option<&'a str> {
    let text = at(element, way)?.text.trim();
    (!text.is_empty()).then_some(text)
}

/// What the element at the end of a way refers to: its attribute `ref`.
pub(crate) fn reference<'a>(element: &'a Element, way: &str) -> Option<&'a str> {
    attribute(at(element, way)?, "ref")
}

/// An attribute that is not blank.
pub(crate) fn attribute<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    let mut attributes = element.attributes.iter();
    let value = attributes.find(|(known, _)| known == name)?.1.trim();
    (!value.is_empty()).then_some(value)
}
