#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use crate::ReadOptions;
use crate::testing::{All, block_on, options, part, read, read_bytes, spec};

const SPACES: &str = r#"xmlns:wfs="http://www.opengis.net/wfs/2.0" xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:app="http://example.org""#;

fn collection(members: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><wfs:FeatureCollection {SPACES} numberMatched="2" numberReturned="2"><wfs:boundedBy><gml:Envelope srsName="EPSG:4326"><gml:lowerCorner>0 0</gml:lowerCorner></gml:Envelope></wfs:boundedBy>{members}</wfs:FeatureCollection>"#
    )
}

fn features(text: &str) -> All {
    let all = read_bytes(text.as_bytes(), r#""gml""#, &ReadOptions::default()).unwrap();
    let small = read_bytes(text.as_bytes(), r#""gml""#, &options(64, 2, 2)).unwrap();
    assert_eq!(small, all);
    all
}

/// A shape as hexadecimal WKB: that of a GeoJSON geometry.
fn hex(geojson: &str) -> String {
    let binary = crate::geometry_to_wkb(geojson).unwrap();
    binary.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The one shape that a GML element is read as.
fn shape(element: &str, format: &str) -> Result<String, String> {
    let member = format!(
        r#"<wfs:member><app:road gml:id="r.1"><app:at>{element}</app:at></app:road></wfs:member>"#
    );
    let all = read_bytes(
        collection(&member).as_bytes(),
        format,
        &ReadOptions::default(),
    )
    .unwrap();
    match all.broken.first() {
        Some(broken) => Err(broken.reason.clone()),
        None => Ok(all.column("geometry")[0].to_owned()),
    }
}

#[test]
fn features_of_version_2() {
    let all = features(&collection(
        r#"<wfs:member><app:road gml:id="r.1"><gml:boundedBy><gml:Envelope/></gml:boundedBy><app:name>Lạch Tray</app:name><app:lanes xsi:nil="true" xmlns:xsi="x"/><app:line><gml:LineString srsName="urn:ogc:def:crs:EPSG::4326"><gml:posList>20.8 106.6 20.9 106.7</gml:posList></gml:LineString></app:line><app:stop><gml:Point srsName="EPSG:4326"><gml:pos>106.6 20.8</gml:pos></gml:Point></app:stop></app:road></wfs:member>
        <wfs:member><app:road gml:id="r.2"><app:name>Cầu Đất</app:name><app:lanes>4</app:lanes></app:road></wfs:member>"#,
    ));
    assert_eq!(
        all.columns,
        [
            "id",
            "name",
            "lanes",
            "lanes.@nil",
            "geometry",
            "stop",
            "_record"
        ]
    );
    assert_eq!(all.column("id"), ["r.1", "r.2"]);
    assert_eq!(
        (all.column("name"), all.column("lanes")),
        (vec!["Lạch Tray", "Cầu Đất"], vec!["", "4"])
    );
    assert_eq!(
        all.column("geometry"),
        [
            hex(r#"{"type": "LineString", "coordinates": [[106.6, 20.8], [106.7, 20.9]]}"#)
                .as_str(),
            ""
        ]
    );
    assert_eq!(
        all.column("stop")[0],
        hex(r#"{"type": "Point", "coordinates": [106.6, 20.8]}"#)
    );
}

#[test]
fn features_of_older_versions_and_none() {
    let old = r#"<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml"><gml:featureMembers><a fid="a.1"><n>1</n><g><gml:Point srsName="http://www.opengis.net/gml/srs/epsg.xml#4326"><gml:coordinates>106.6,20.8</gml:coordinates></gml:Point></g></a><a fid="a.2"><n>2</n></a></gml:featureMembers></wfs:FeatureCollection>"#;
    let all = features(old);
    assert_eq!(
        (all.column("id"), all.column("n")),
        (vec!["a.1", "a.2"], vec!["1", "2"])
    );
    assert_eq!(
        all.column("geometry")[0],
        hex(r#"{"type": "Point", "coordinates": [106.6, 20.8]}"#)
    );
    let single = old
        .replace("featureMembers><a", "featureMember><a")
        .replace("</a></gml:featureMembers>", "</a></gml:featureMember>")
        .replace("</a><a", "</a></gml:featureMember><gml:featureMember><a");
    assert_eq!(features(&single).rows, all.rows);
    assert_eq!(features(&collection("")).rows.len(), 0);
}

#[test]
fn it_is_recognised() {
    let text = collection(r#"<wfs:member><app:a gml:id="1"><app:n>1</app:n></app:a></wfs:member>"#);
    let all = block_on(async {
        read(
            &part("answer", text).await,
            None,
            None,
            &ReadOptions::default(),
        )
        .await
    });
    assert_eq!(all.unwrap().column("id"), ["1"]);
}

#[test]
fn shapes() {
    let gml = r#""gml""#;
    let polygon = r#"<gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>0 0 0 9 9 9 9 0 0 0</gml:posList></gml:LinearRing></gml:exterior><gml:interior><gml:LinearRing><gml:posList>1 1 2 1 2 2 1 1</gml:posList></gml:LinearRing></gml:interior></gml:Polygon>"#;
    let rings = "[[[0, 0], [0, 9], [9, 9], [9, 0], [0, 0]], [[1, 1], [2, 1], [2, 2], [1, 1]]]";
    assert_eq!(
        shape(polygon, gml).unwrap(),
        hex(&format!(r#"{{"type": "Polygon", "coordinates": {rings}}}"#))
    );
    let patches = polygon.replace("gml:Polygon>", "gml:PolygonPatch>");
    let surface = format!(
        "<gml:MultiSurface><gml:surfaceMember><gml:Surface><gml:patches>{patches}</gml:patches></gml:Surface></gml:surfaceMember></gml:MultiSurface>"
    );
    assert_eq!(
        shape(&surface, gml).unwrap(),
        hex(&format!(
            r#"{{"type": "MultiPolygon", "coordinates": [{rings}]}}"#
        ))
    );
    let curve = r#"<gml:MultiCurve><gml:curveMember><gml:Curve><gml:segments><gml:LineStringSegment><gml:posList srsDimension="3">1 2 9 3 4 9</gml:posList></gml:LineStringSegment><gml:LineStringSegment><gml:pos>3 4</gml:pos><gml:pos>5 6</gml:pos></gml:LineStringSegment></gml:segments></gml:Curve></gml:curveMember></gml:MultiCurve>"#;
    assert_eq!(
        shape(curve, gml).unwrap(),
        hex(r#"{"type": "MultiLineString", "coordinates": [[[1, 2], [3, 4], [5, 6]]]}"#)
    );
    let points = r#"<gml:MultiPoint><gml:pointMembers><gml:Point><gml:pos>1 2</gml:pos></gml:Point><gml:Point><gml:coord><gml:X>3</gml:X><gml:Y>4</gml:Y></gml:coord></gml:Point></gml:pointMembers></gml:MultiPoint>"#;
    assert_eq!(
        shape(points, gml).unwrap(),
        hex(r#"{"type": "MultiPoint", "coordinates": [[1, 2], [3, 4]]}"#)
    );
    let old =
        r#"<gml:Point><gml:coordinates cs=";" decimal=",">1,5;2,5</gml:coordinates></gml:Point>"#;
    assert_eq!(
        shape(old, gml).unwrap(),
        hex(r#"{"type": "Point", "coordinates": [1.5, 2.5]}"#)
    );
    assert_eq!(shape("<gml:Point/>", gml).unwrap(), "");
    for (wrong, why) in [
        (
            "<gml:Point><gml:pos>1 x</gml:pos></gml:Point>",
            "its `at` is no geometry: `x` is no number",
        ),
        (
            "<gml:LineString><gml:posList>1 2 3</gml:posList></gml:LineString>",
            "its `at` is no geometry: 3 numbers are no list of places of 2",
        ),
        (
            "<gml:Curve><gml:segments><gml:Arc/></gml:segments></gml:Curve>",
            "its `at` is no geometry: `Arc` is no straight line: arcs and splines are not read",
        ),
    ] {
        assert_eq!(shape(wrong, gml).unwrap_err(), why);
    }
}

#[test]
fn axes_follow_the_name_of_the_reference_system() {
    let point = |name: &str, format: &str| {
        shape(
            &format!(r#"<gml:Point srsName="{name}"><gml:pos>1 2</gml:pos></gml:Point>"#),
            format,
        )
        .unwrap()
    };
    let (kept, swapped) = (
        hex(r#"{"type": "Point", "coordinates": [1, 2]}"#),
        hex(r#"{"type": "Point", "coordinates": [2, 1]}"#),
    );
    let gml = r#""gml""#;
    for name in [
        "urn:ogc:def:crs:EPSG::4326",
        "urn:ogc:def:crs:EPSG:6.9:4258",
        "http://www.opengis.net/def/crs/EPSG/0/4326",
        // Poland, Finland's 26th zone, Japan, the North Pole (both axes point south), latitude with height.
        "urn:ogc:def:crs:EPSG::2180",
        "urn:ogc:def:crs:EPSG::3880",
        "urn:ogc:def:crs:EPSG::6677",
        "urn:ogc:def:crs:EPSG::32661",
        "urn:ogc:def:crs:EPSG::4979",
        // With heights above a sea level: as one code, and as both.
        "urn:ogc:def:crs:EPSG::9505",
        "urn:ogc:def:crs,crs:EPSG::4258,crs:EPSG::5773",
        "http://www.opengis.net/def/crs-compound?1=http://www.opengis.net/def/crs/EPSG/0/4326&amp;2=http://www.opengis.net/def/crs/EPSG/0/5773",
    ] {
        assert_eq!(point(name, gml), swapped, "{name}");
    }
    for name in [
        "EPSG:4326",
        "urn:ogc:def:crs:OGC:1.3:CRS84",
        "urn:ogc:def:crs:EPSG::3857",
        "http://www.opengis.net/gml/srs/epsg.xml#4326",
        "urn:ogc:def:crs:EPSG::32648",
        // Vietnam: UTM and the zones of its provinces.
        "urn:ogc:def:crs:EPSG::3405",
        "urn:ogc:def:crs:EPSG::9205",
        // Geocentric; easting first; one that the register lacks.
        "urn:ogc:def:crs:EPSG::4978",
        "urn:ogc:def:crs:EPSG::7035",
        "urn:ogc:def:crs:EPSG::3031",
        "urn:ogc:def:crs:EPSG::99999",
        "urn:ogc:def:crs,crs:EPSG::25832,crs:EPSG::5783",
        "",
    ] {
        assert_eq!(point(name, gml), kept, "{name}");
    }
    assert_eq!(
        point("EPSG:4326", r#"{"name": "gml", "axis_order": "yx"}"#),
        swapped
    );
    assert_eq!(
        point(
            "urn:ogc:def:crs:EPSG::4326",
            r#"{"name": "gml", "axis_order": "xy"}"#
        ),
        kept
    );
    // What a collection of shapes names holds for each of them.
    let within = r#"<gml:MultiPoint srsName="urn:ogc:def:crs:EPSG::4326"><gml:pointMember><gml:Point><gml:pos>1 2</gml:pos></gml:Point></gml:pointMember></gml:MultiPoint>"#;
    assert_eq!(
        shape(within, gml).unwrap(),
        hex(r#"{"type": "MultiPoint", "coordinates": [[2, 1]]}"#)
    );
}

/// PROJ is asked for the axes of every code; where Python lacks pyproj there is nobody to ask.
#[test]
fn the_table_says_what_proj_says() {
    let python = std::env::var("PYTHON3").unwrap_or_else(|_| "python3".to_owned());
    let run = |args: &[&str]| std::process::Command::new(&python).args(args).output();
    if !run(&["-c", "import pyproj"]).is_ok_and(|done| done.status.success()) {
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/gml/epsg_axes.py");
    let said = run(&[script, "--check"]).unwrap();
    assert!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stdout)
    );
}

#[test]
fn what_the_server_refuses_and_other_systems_are_told() {
    let report = r#"<?xml version="1.0"?><ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows/1.1" version="2.0.0"><ows:Exception exceptionCode="InvalidParameterValue" locator="typeName"><ows:ExceptionText>Feature type x unknown</ows:ExceptionText></ows:Exception></ows:ExceptionReport>"#;
    let error = read_bytes(report.as_bytes(), r#""gml""#, &ReadOptions::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the server answered: InvalidParameterValue; Feature type x unknown"),
        "{error}"
    );
    let text = collection(r#"<wfs:member><app:a><app:g><gml:Point srsName="urn:ogc:def:crs:EPSG::9205"><gml:pos>1 2</gml:pos></gml:Point></app:g></app:a></wfs:member>"#).replace("EPSG:4326", "urn:ogc:def:crs:EPSG::9205");
    block_on(async {
        let part = part("part", text).await;
        let opened = crate::open(
            &part,
            None,
            Some(&spec(r#""gml""#)),
            &ReadOptions::default(),
        )
        .await
        .unwrap();
        assert!(
            opened
                .choices()
                .iter()
                .any(|choice| choice.what == "spatial reference" && choice.value.ends_with("9205"))
        );
    });
}

proptest! {
    #[test]
    fn lines_come_back(places in prop::collection::vec((-180_i32..180, -90_i32..90), 2..9)) {
        let list: Vec<String> = places.iter().map(|(x, y)| format!("{y} {x}")).collect();
        let found = shape(&format!(r#"<gml:LineString srsName="urn:ogc:def:crs:EPSG::4326"><gml:posList>{}</gml:posList></gml:LineString>"#, list.join("\n ")), r#""gml""#).unwrap();
        let expected = serde_json::json!({ "type": "LineString", "coordinates": places.iter().map(|(x, y)| [x, y]).collect::<Vec<_>>() });
        prop_assert_eq!(found, hex(&expected.to_string()));
    }
}
