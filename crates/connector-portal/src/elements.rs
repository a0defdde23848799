//! XML that services describe themselves in, visited element by element. Names are taken without their prefixes: services choose their own.

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};

/// Elements that nest, at most.
const DEPTH_MAX: usize = 64;

/// Visits each element's way from the root, with its attributes and its text: what stands inside comes before what stands around it.
///
/// # Errors
/// Why the text is no XML that can be followed, as a sentence.
pub(crate) fn walk(
    text: &str,
    mut visit: impl FnMut(&[String], &[(String, String)], &str),
) -> Result<(), String> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<(Vec<(String, String)>, String)> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(tag) | Event::Empty(tag) if names.len() >= DEPTH_MAX => {
                return Err(format!("elements nest too deep at {:?}", tag.local_name()));
            }
            Event::Start(tag) => {
                names.push(tag.local_name().into_inner().to_owned());
                open.push((attributes(&tag), String::new()));
            }
            Event::Empty(tag) => {
                names.push(tag.local_name().into_inner().to_owned());
                visit(&names, &attributes(&tag), "");
                names.pop();
            }
            Event::Text(text) => {
                if let Some((_, said)) = open.last_mut() {
                    said.push_str(&text.xml10_content());
                }
            }
            Event::GeneralRef(reference) => {
                let letter = reference.resolve_char_ref();
                let letter = letter.map_err(|error| error.to_string())?;
                let name = reference.xml10_content();
                if let Some((_, said)) = open.last_mut() {
                    match letter {
                        Some(letter) => said.push(letter),
                        None => said.push_str(resolve_xml_entity(&name).unwrap_or_default()),
                    }
                }
            }
            Event::CData(text) => {
                if let Some((_, said)) = open.last_mut() {
                    said.push_str(&text.xml10_content());
                }
            }
            Event::End(_) => {
                if let Some((attributes, said)) = open.pop() {
                    visit(&names, &attributes, said.trim());
                }
                names.pop();
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn attributes(tag: &quick_xml::events::BytesStart<'_>) -> Vec<(String, String)> {
    let all = tag.attributes().flatten();
    all.map(|it| {
        let name = it.key.local_name().into_inner().to_owned();
        let value = it.normalized_value(XmlVersion::Implicit1_0);
        (
            name,
            value.map(std::borrow::Cow::into_owned).unwrap_or_default(),
        )
    })
    .collect()
}
