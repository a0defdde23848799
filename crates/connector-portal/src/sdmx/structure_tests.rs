#![expect(clippy::unwrap_used, reason = "tests")]
use proptest::prelude::*;

use super::*;
use crate::testing::recording;

fn told(bytes: &[u8]) -> String {
    let found = Structures::parse(bytes).unwrap().unwrap();
    let flows = found.flows.iter().map(|flow| {
        let Maintained {
            agency,
            id,
            version,
        } = &flow.is;
        format!(
            "flow {agency},{id},{version} {:?} of {:?}",
            flow.name, flow.structure
        )
    });
    let structures = found.structures.iter().map(|it| {
        format!(
            "structure {}: {:?} / {:?}",
            it.is.id, it.dimensions, it.attributes
        )
    });
    flows.chain(structures).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_notation_tells_the_same() {
    let said = [
        told(&recording("sdmx/df_oos_structure.xml")),
        told(&recording("sdmx/apro_mk_cola_structure.xml")),
        told(&recording("sdmx/exr_structure.json")),
        told(&recording("discover/insee_dataflows.xml")),
    ];
    insta::assert_snapshot!(said.join("\n\n"), @r#"
flow UIS,DF_OOS,1.0 Some("Children & adolescents out of school") of Some("DSD_OOS")
structure DSD_OOS: ["FREQ", "REF_AREA", "SEX", "AGE"] / ["UNIT_MEASURE", "OBS_STATUS"]

structure DSD_apro_mk_cola: ["FREQ", "PRODMILK", "UNIT", "GEO"] / ["OBS_FLAG", "OBS_STATUS"]

flow ECB,EXR,1.0 Some("Exchange Rates") of Some("ECB_EXR1")
structure ECB_EXR1: ["FREQ", "CURRENCY", "CURRENCY_DENOM", "EXR_TYPE", "EXR_SUFFIX"] / ["TIME_FORMAT", "OBS_CONF"]

flow FR1,ACT-TRIM-ANC,1.0 Some("Activity by sex and age - Quarterly series") of Some("ACT-TRIM-ANC")
flow FR1,BPM6-CCAPITAL,1.0 Some("Monthly Balance of Payments - Capital account") of Some("BPM6-CCAPITAL")
"#);
}

#[test]
fn references_of_version_3_are_urns() {
    let text = r#"<mes:Structure xmlns:mes="http://www.sdmx.org/resources/sdmxml/schemas/v3_0/message"><mes:Structures><str:Dataflows>
        <str:Dataflow agencyID="ECB" id="EXR" version="1.0"><str:Structure>urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure=ECB:ECB_EXR1(1.0)</str:Structure></str:Dataflow>
        </str:Dataflows></mes:Structures></mes:Structure>"#;
    assert_eq!(
        told(text.as_bytes()),
        r#"flow ECB,EXR,1.0 None of Some("ECB_EXR1")"#
    );
}

#[test]
fn what_is_none_is_left_to_others() {
    let parse = |text: &str| Structures::parse(text.as_bytes());
    for other in [
        "",
        "a,b",
        "{\"data\": [1]}",
        "{\"data\": {\"dataSets\": []}}",
        "<rdf:RDF/>",
        r#"<mes:Error xmlns:mes="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"/>"#,
    ] {
        assert!(parse(other).unwrap().is_none(), "{other}");
    }
    let cut = r#"<mes:Structure xmlns:mes="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"><mes:Str"#;
    let error = parse(cut).unwrap_err();
    assert!(
        error.message.starts_with("is no whole structure message"),
        "{error}"
    );
}

proptest! {
    /// A message that was cut or changed is read, left or told.
    #[test]
    fn no_message_makes_it_panic(file in 0..3_usize, at in 0..6000_usize, cut in 0..6000_usize, byte: u8) {
        let file = ["df_oos_structure.xml", "apro_mk_cola_structure.xml", "exr_structure.json"][file];
        let mut bytes = recording(&format!("sdmx/{file}")).to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(cut);
        let _ = Structures::parse(&bytes);
    }
}
