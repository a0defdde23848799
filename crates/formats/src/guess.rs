//! Which format bytes are in: what they say themselves comes first, then the file's name.

use crate::avro;
use crate::encoding::looks_like_utf16;
use crate::gtfs_realtime::is_feed;
use crate::spec::{
    AvroFormat, CsvFormat, EsriJsonFormat, FormatSpec, GeojsonFormat, GmlFormat,
    GtfsRealtimeFormat, HtmlFormat, JsonFormat, NdjsonFormat, NgsiLdFormat, ParquetFormat,
    SdmxJsonFormat, WorkbookFormat, XmlFormat,
};
use crate::xml::is_xml;
use crate::{esri, gml, html, ngsi_ld, sdmx_json, workbook};

/// The format of a part, from its first bytes and its name; none for an archive, an old binary workbook, a web page or unknown bytes.
#[must_use]
pub fn guess(name: &str, head: &[u8]) -> Option<FormatSpec> {
    let extension = extension(name);
    if is_zip(head) {
        if workbook::is_ods(head) {
            return Some(FormatSpec::Ods(WorkbookFormat::default()));
        }
        let workbook = memchr::memmem::find(head, b"xl/").is_some()
            || matches!(extension.as_str(), "xlsx" | "xlsm" | "xls");
        return workbook.then(|| FormatSpec::Xlsx(WorkbookFormat::default()));
    }
    if workbook::is_ole(head) {
        return Some(FormatSpec::Xls(WorkbookFormat::default()));
    }
    if is_feed(head) {
        return Some(FormatSpec::GtfsRealtime(GtfsRealtimeFormat::default()));
    }
    if head.starts_with(avro::MAGIC) {
        return Some(FormatSpec::Avro(AvroFormat::default()));
    }
    if head.starts_with(b"PAR1") {
        return Some(FormatSpec::Parquet(ParquetFormat::default()));
    }
    let utf16 = looks_like_utf16(head);
    let text = head
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(head)
        .trim_ascii_start();
    match text.first() {
        Some(b'[') if ngsi_ld::is_entities(text) => {
            return Some(FormatSpec::NgsiLd(NgsiLdFormat::default()));
        }
        Some(b'[') => return Some(FormatSpec::Json(JsonFormat::default())),
        Some(b'{') => return Some(object(&extension, text)),
        Some(b'<') => return markup(&extension, head, text),
        _ => {}
    }
    if !utf16
        && head
            .iter()
            .take(512)
            .filter(|byte| is_binary(**byte))
            .count()
            > 8
    {
        return None;
    }
    match extension.as_str() {
        "json" => Some(FormatSpec::Json(JsonFormat::default())),
        "ndjson" | "jsonl" => Some(FormatSpec::Ndjson(NdjsonFormat::default())),
        "geojson" => Some(FormatSpec::Geojson(GeojsonFormat::default())),
        _ if head.is_empty() && !matches!(extension.as_str(), "csv" | "txt" | "tsv") => None,
        _ => Some(FormatSpec::Csv(CsvFormat::default())),
    }
}

/// Whether these are the first bytes of a zip archive, an empty one included.
pub(crate) fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

fn extension(name: &str) -> String {
    let file = name.rsplit(['/', '!']).next().unwrap_or(name);
    let file = file.split(['?', '#']).next().unwrap_or(file);
    let packed = [".gz", ".gzip", ".zst", ".zstd"];
    let packed = packed.iter().find(|end| {
        let start = file.len().saturating_sub(end.len());
        file.get(start..)
            .is_some_and(|found| found.eq_ignore_ascii_case(end))
    });
    let file = packed.map_or(file, |end| &file[..file.len() - end.len()]);
    file.rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase())
        .unwrap_or_default()
}

fn is_binary(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0C)
}

/// Text that starts with `<`: a page with a table, features, or any other XML.
fn markup(extension: &str, head: &[u8], text: &[u8]) -> Option<FormatSpec> {
    if html::is_page(text, matches!(extension, "html" | "htm" | "xls")) {
        return Some(FormatSpec::Html(HtmlFormat::default()));
    }
    is_xml(head, extension == "xml").then(|| match gml::is_features(text) {
        true => FormatSpec::Gml(GmlFormat::default()),
        false => FormatSpec::Xml(XmlFormat::default()),
    })
}

/// Text that starts with `{`: a feature collection, a value per line, or one document.
fn object(extension: &str, text: &[u8]) -> FormatSpec {
    let first_line = text
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or(text)
        .trim_ascii();
    let rest = &text[first_line.len().min(text.len())..].trim_ascii_start();
    let whole = serde_json::from_slice::<serde::de::IgnoredAny>(first_line).is_ok();
    if whole && (rest.starts_with(b"{") || matches!(extension, "ndjson" | "jsonl")) {
        return FormatSpec::Ndjson(NdjsonFormat::default());
    }
    let says_features =
        |window: &[u8]| memchr::memmem::find(window, b"\"FeatureCollection\"").is_some();
    if extension == "geojson" || says_features(&text[..text.len().min(4096)]) {
        return FormatSpec::Geojson(GeojsonFormat::default());
    }
    if matches!(extension, "ndjson" | "jsonl") {
        return FormatSpec::Ndjson(NdjsonFormat::default());
    }
    if esri::is_answer(text) {
        return FormatSpec::EsriJson(EsriJsonFormat::default());
    }
    if sdmx_json::is_message(text) {
        return FormatSpec::SdmxJson(SdmxJsonFormat::default());
    }
    if ngsi_ld::is_entities(text) {
        return FormatSpec::NgsiLd(NgsiLdFormat::default());
    }
    FormatSpec::Json(JsonFormat::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, head: &[u8], expected: Option<&str>) {
        assert_eq!(
            guess(name, head).map(|format| format.name()),
            expected,
            "{name}"
        );
    }

    #[test]
    fn content_comes_before_the_name() {
        check("a.csv", b"PK\x03\x04........xl/workbook.xml", Some("xlsx"));
        check(
            "a.xlsx",
            b"PK\x03\x04........[Content_Types].xml",
            Some("xlsx"),
        );
        check("gtfs.zip", b"PK\x03\x04........stops.txt", None);
        check("a.bin", b"PAR1", Some("parquet"));
        check("a.csv", b"\xEF\xBB\xBF [{\"a\": 1}]", Some("json"));
        check(
            "a",
            b"{\"type\": \"FeatureCollection\", \"features\": []}",
            Some("geojson"),
        );
        check(
            "a.geojson",
            b"{\n\"features\": [], \"type\"",
            Some("geojson"),
        );
        check("a", b"{\"a\": 1}\n{\"a\": 2}\n", Some("ndjson"));
        check("a.jsonl", b"{\"a\": 1}", Some("ndjson"));
        check("a.json", b"{\"a\": 1}", Some("json"));
        check("http://x/y.csv?a=b.json", b"a,b\n1,2\n", Some("csv"));
        check("stops.txt", b"stop_id\n", Some("csv"));
        check("a.csv", b"<!DOCTYPE html>", None);
        check(
            "a.csv",
            b" <!doctype HTML><p><TABLE border=1>",
            Some("html"),
        );
        check("a.xls", b"\xEF\xBB\xBF<table>", Some("html"));
        check(
            "a.ods",
            b"PK\x03\x04................mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
            Some("ods"),
        );
        check(
            "a.xls",
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0\0\0\0\0\0\0\0\0\0\0",
            Some("xls"),
        );
        check("a.csv", b"\xFF\xFEa\0,\0b\0\n\0c\0d\0e\0f\0", Some("csv"));
        check("a.dat", b"", None);
        check("a.xlsx", b"a,b\n1,2\n", Some("csv"));
        check("a.xls", b"a\tb\n1\t2\n", Some("csv"));
        check("a.parquet", b"a,b\n1,2\n", Some("csv"));
        check("a.csv", b"PAR1", Some("parquet"));
        check("a.txt", b"{\"a\": 1}", Some("json"));
        check(
            "a.txt",
            b"a\0,\0b\0\n\0c\0,\0d\0\n\0e\0,\0f\0\n\0",
            Some("csv"),
        );
        check("a.ndjson.gz", b"{\"a\": 1}", Some("ndjson"));
        check("a.csv", b"Obj\x01\x02", Some("avro"));
        check(
            "a.xls",
            b"<html><table><tr><td>1</td></tr></table>",
            Some("html"),
        );
    }
}
