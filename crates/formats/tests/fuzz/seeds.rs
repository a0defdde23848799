//! What is mutated: the beginnings of real files, small files made here, and inputs that once failed.

use std::io::{Cursor, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, ListArray, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use arrow_avro::compression::CompressionCodec;
use arrow_avro::writer::WriterBuilder;
use arrow_avro::writer::format::AvroOcfFormat;
use parquet::arrow::ArrowWriter;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Bytes of a text that is real.
const TEXT_BYTES: usize = 6000;

fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data")
}

/// Inputs that failed before, by name.
pub(crate) fn found(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = data().join("fuzz").join(target);
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(String, Vec<u8>)> = entries
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    found.sort();
    found
}

fn whole(name: &str) -> Vec<u8> {
    std::fs::read(data().join(name)).unwrap()
}

fn head(name: &str) -> Vec<u8> {
    let mut bytes = whole(name);
    bytes.truncate(TEXT_BYTES);
    bytes
}

pub(crate) fn csv() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [
        "common/vn_gso_units_2025-01-04.csv",
        "education/vn_gso_schools_by_province.csv",
        "ugly/germany_research_funding_latin1.csv",
        "ugly/nasa_gistemp_cr_only.csv",
        "ugly/uk_co2_manufacturing.csv",
    ]
    .map(head)
    .into();
    all.push(b"id,name\n1,\"a \"\"b\"\"\nc\"\n2,x,y\n\n% note\n3\nTotal,3\n".to_vec());
    all
}

pub(crate) fn encodings() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [
        "ugly/nhs_utf16le.csv",
        "ugly/taiwan_attractions_big5.csv",
        "ugly/mexico_budget_latin1.csv",
    ]
    .map(head)
    .into();
    let text = "mã,tên\n1,Đường Nguyễn Huệ\n2,Phố cổ Hội An\n";
    all.push(text.as_bytes().to_vec());
    all.push(b"m\xB7,t\xAAn\n1,\xA7\xAD\xEAng Nguy\xD4n Hu\xD6\n".to_vec());
    all.push(b"ma\xF5,te\xE2n\n1,\xD1\xF6\xF4\xF8ng Nguye\xE3n Hue\xE4\n".to_vec());
    all.push(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
    all
}

pub(crate) fn json() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [
        "transport/gbfs/station_status.2.2.json",
        "transport/gbfs/station_information.3.0.json",
    ]
    .map(whole)
    .into();
    all.push(br#"{"results": [{"a": 1.10, "b": "x\"]"}, {"c": [1, {"d": "}"}]}, 5]}"#.to_vec());
    all.push(br#"[{"id": 1, "list": [{"v": 1}, 2]}, {"list": []}, {"list": null},]"#.to_vec());
    all.push(br#"[["NAME", "pop"], ["Hue", 1.5], [1, [2]]]"#.to_vec());
    all
}

pub(crate) fn ndjson() -> Vec<Vec<u8>> {
    vec![
        head("environment/hcmc_weather_observed.ndjson"),
        b"{\"a\": 1, \"list\": [1, {\"v\": 2}]}\n\n{\"a\": \r\n[2]\r{\"a\": \"\\ud83d\\ude00\"}"
            .to_vec(),
    ]
}

pub(crate) fn geojson() -> Vec<Vec<u8>> {
    vec![
        head("ugly/trailing_comma_carson.geojson"),
        head("education/hcmc_poi_schools_hospitals.geojson"),
        br#"{"type": "FeatureCollection", "features": [{"type": "Feature", "id": 7, "properties": {"a": 1}, "geometry": {"type": "Polygon", "coordinates": [[[1, 2], [3, 4], [5, 6], [1, 2]]]}}, {"type": "Feature", "properties": null, "geometry": {"type": "GeometryCollection", "geometries": []}}, ]}"#.to_vec(),
    ]
}

pub(crate) fn esri_json() -> Vec<Vec<u8>> {
    vec![
        head("common/arcgis_query_columbia.json"),
        head("common/arcgis_query_no_geometry.json"),
        br#"{"spatialReference": {"wkid": 102100}, "fields": [{"name": "d", "type": "esriFieldTypeDate"}, {"name": "k", "domain": {"codedValues": [{"code": 1, "name": "one"}]}}], "features": [{"attributes": {"d": 1428404675000, "k": 1}, "geometry": {"rings": [[[0, 0], [0, 9], [9, 9], [0, 0]], [[1, 1], [2, 1], [2, 2], [1, 1]]]}}, {"attributes": {"d": null}, "geometry": {"paths": [[[1, 2], [3, 4]]]}}]}"#.to_vec(),
    ]
}

pub(crate) fn sdmx_json() -> Vec<Vec<u8>> {
    vec![
        whole("common/ecb_exr_flat.sdmx.json"),
        whole("education/oecd_innovation_in_education.sdmx.json"),
        br#"{"data": {"structures": [{"dimensions": {"series": [{"id": "A", "keyPosition": 0, "values": [{"id": "a"}]}], "observation": [{"id": "T", "values": [{"value": "2024"}]}]}, "attributes": {"dimensionGroup": [{"id": "G", "values": [{"id": "g"}]}]}}], "dataSets": [{"dimensionGroupAttributes": {"0:": [0]}, "series": {"0": {"attributes": [], "observations": {"0": [1]}}}}]}}"#.to_vec(),
    ]
}

pub(crate) fn ngsi_ld() -> Vec<Vec<u8>> {
    vec![
        whole("environment/ngsi_ld/AirQualityObserved.example-normalized.jsonld"),
        whole("environment/ngsi_ld/WaterObserved.example.json"),
        br#"[{"id": "urn:ngsi-ld:A:1", "type": "A", "a": {"type": "Property", "value": 1, "unitCode": "GQ"}, "b": [{"value": 1, "datasetId": "x"}, {"value": 2}]}, {"id": "2", "a": {"type": "Number", "value": 3, "metadata": {"m": {"value": 4}}}}]"#.to_vec(),
    ]
}

pub(crate) fn gml() -> Vec<Vec<u8>> {
    vec![
        br#"<?xml version="1.0"?><FeatureCollection xmlns="http://www.opengis.net/wfs/2.0"><member><a id="1"><n>x</n><p><Polygon srsName="urn:ogc:def:crs:EPSG::4326"><exterior><LinearRing><posList>0 0 0 9 9 9 0 0</posList></LinearRing></exterior></Polygon></p></a></member><member><a id="2"><p><MultiCurve><curveMember><Curve><segments><LineStringSegment><pos>1 2</pos><pos>3 4</pos></LineStringSegment></segments></Curve></curveMember></MultiCurve></p></a></member></FeatureCollection>"#.to_vec(),
        br#"<FeatureCollection xmlns:gml="http://www.opengis.net/gml"><gml:featureMembers><a fid="1"><p><gml:Point><gml:coordinates>1,2</gml:coordinates></gml:Point></p></a></gml:featureMembers></FeatureCollection>"#.to_vec(),
    ]
}

pub(crate) fn xml() -> Vec<Vec<u8>> {
    vec![
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><!DOCTYPE r [<!ENTITY big \"x\">]><r xmlns:n=\"u\"><!-- <i> --><i n:id='1'><a>Cầu &lt; &#x1ED8;</a><b/><b x=\"y\">z</b></i><i id=\"2\"><![CDATA[<i>]]></i><i/></r>".as_bytes().to_vec(),
        b"<t><row><c>1</c><c>2</c></row><row><c>3</c></row></t>".to_vec(),
    ]
}

pub(crate) fn html() -> Vec<Vec<u8>> {
    vec![
        whole("ugly/rowcolspan.html"),
        head("ugly/undp_hdi_table.html"),
        b"<html><table><caption>A</caption><tr><th rowspan=2>a<th colspan=2>b<tr><th>c<th>d<tr><td>1<td>2<td><b>3</b></table>".to_vec(),
    ]
}

fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

const WORKBOOK: &[u8] = br#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>"#;
const RELATIONS: &[u8] = br#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
const SHEET: &[u8] = br#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row><row r="2"><c r="A2"><v>45000.5</v></c><c r="B2" t="e"><v>#N/A</v></c></row><row r="4"><c r="A4" t="b"><v>1</v></c></row></sheetData><mergeCells><mergeCell ref="A1:B1"/></mergeCells></worksheet>"#;
const STRINGS: &[u8] = br#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>a</t></si></sst>"#;

pub(crate) fn xlsx() -> Vec<Vec<u8>> {
    let made = zipped(&[
        ("xl/workbook.xml", WORKBOOK),
        ("xl/_rels/workbook.xml.rels", RELATIONS),
        ("xl/worksheets/sheet1.xml", SHEET),
        ("xl/sharedStrings.xml", STRINGS),
    ]);
    vec![
        made.clone(),
        made,
        whole("ugly/us_treasury_savings_bonds.xlsx"),
    ]
}

pub(crate) fn xls() -> Vec<Vec<u8>> {
    vec![whole("ugly/unicode_sheet_name.xls")]
}

pub(crate) fn ods() -> Vec<Vec<u8>> {
    let content = r#"<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet><table:table table:name="S"><table:table-row><table:table-cell office:value-type="string"><text:p>a</text:p></table:table-cell><table:table-cell><text:p>b</text:p></table:table-cell></table:table-row><table:table-row table:number-rows-repeated="3"><table:table-cell office:value-type="float" office:value="1.5" table:number-columns-repeated="2"/></table:table-row><table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="1024"/></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"#;
    let mime: &[u8] = b"application/vnd.oasis.opendocument.spreadsheet";
    let manifest: &[u8] = br#"<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>"#;
    vec![zipped(&[
        ("mimetype", mime),
        ("content.xml", content.as_bytes()),
        ("META-INF/manifest.xml", manifest),
    ])]
}

pub(crate) fn gtfs_realtime() -> Vec<Vec<u8>> {
    ["trip_updates", "vehicle_positions"]
        .map(|it| whole(&format!("transport/gtfs_rt_aomori_{it}.pb")))
        .into_iter()
        .chain([whole("transport/gtfs_rt_brest_alerts.pb")])
        .collect()
}

fn batch() -> RecordBatch {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(1..=20));
    let names: ArrayRef = Arc::new(
        (1..=20)
            .map(|row| (row % 3 != 0).then(|| format!("name {row}")))
            .collect::<StringArray>(),
    );
    let halves: ArrayRef = Arc::new(Float64Array::from_iter_values(
        (1..=20).map(|row| f64::from(row) / 2.0),
    ));
    let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(
        (1..=20).map(|row| (row % 4 != 0).then(|| vec![Some(row); (row % 3) as usize])),
    ));
    RecordBatch::try_from_iter_with_nullable([
        ("number", numbers, false),
        ("name", names, true),
        ("half", halves, false),
        ("list", lists, true),
    ])
    .unwrap()
}

pub(crate) fn avro() -> Vec<Vec<u8>> {
    let codecs = [
        None,
        None,
        Some(CompressionCodec::Snappy),
        Some(CompressionCodec::Deflate),
        Some(CompressionCodec::ZStandard),
    ];
    let file = |codec| {
        let batch = batch();
        let builder = WriterBuilder::new(batch.schema().as_ref().clone()).with_compression(codec);
        let mut writer = builder.build::<_, AvroOcfFormat>(Vec::new()).unwrap();
        writer.write(&batch).unwrap();
        writer.write(&batch.slice(3, 5)).unwrap();
        writer.finish().unwrap();
        writer.into_inner()
    };
    codecs.map(file).into()
}

pub(crate) fn parquet() -> Vec<Vec<u8>> {
    let batch = batch();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    vec![writer.into_inner().unwrap()]
}

pub(crate) fn archive() -> Vec<Vec<u8>> {
    let csv = head("common/vn_gso_units_2025-01-04.csv");
    vec![
        whole("transport/gtfs_frioul_ferry.zip"),
        zipped(&[
            ("a.csv", &csv),
            ("b/c.json", br#"[{"a": 1}]"#),
            ("d.xml", &xml()[0]),
        ]),
    ]
}

pub(crate) fn packing() -> Vec<Vec<u8>> {
    let text = head("common/vn_gso_units_2025-01-04.csv");
    let mut gzip = Vec::new();
    flate2::read::GzEncoder::new(text.as_slice(), flate2::Compression::default())
        .read_to_end(&mut gzip)
        .unwrap();
    let zeros = vec![b'0'; 300_000];
    let mut bomb = Vec::new();
    flate2::read::GzEncoder::new(zeros.as_slice(), flate2::Compression::best())
        .read_to_end(&mut bomb)
        .unwrap();
    vec![
        gzip,
        bomb,
        zstd::stream::encode_all(text.as_slice(), 3).unwrap(),
        zstd::stream::encode_all(&br#"[{"a": 1}, {"a": 2}]"#[..], 3).unwrap(),
    ]
}

pub(crate) fn guessed() -> Vec<Vec<u8>> {
    [
        csv(),
        json(),
        ndjson(),
        geojson(),
        esri_json(),
        sdmx_json(),
        ngsi_ld(),
        gml(),
        xml(),
        html(),
        xlsx(),
        ods(),
        gtfs_realtime(),
        avro(),
        parquet(),
        packing(),
    ]
    .into_iter()
    .filter_map(|mut seeds| (!seeds.is_empty()).then(|| seeds.swap_remove(0)))
    .collect()
}

pub(crate) fn siri() -> Vec<Vec<u8>> {
    let made = [
        "stop_monitoring.json",
        "vehicle_monitoring.xml",
        "situation_exchange.xml",
    ];
    let mut all: Vec<Vec<u8>> = made
        .map(|name| whole(&format!("../recordings/siri/{name}")))
        .into();
    all.push(head("transport/siri_et_norway_nsb.xml"));
    all
}

pub(crate) fn netex() -> Vec<Vec<u8>> {
    let zip = whole("transport/netex_marseille_par_abm.zip");
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    [
        "Arrets.xml",
        "Reseaux.xml",
        "Ligne_PABMAR_CAM1.xml",
        "Calendriers.xml",
    ]
    .map(|name| {
        let mut bytes = Vec::new();
        let mut member = archive.by_name(name).unwrap();
        member.read_to_end(&mut bytes).unwrap();
        bytes.truncate(3 * TEXT_BYTES);
        bytes
    })
    .into()
}
