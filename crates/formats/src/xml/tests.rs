#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::testing::{All, block_on, options, part, read_bytes, spec};
use crate::{ReadOptions, guess};

const ANY: &str = "\"xml\"";
const ITEMS: &str = r#"{"name": "xml", "record_path": "r/items/item"}"#;

fn read(text: &str, format: &str, block: u64) -> All {
    read_bytes(text.as_bytes(), format, &options(block, 2, 3)).unwrap()
}

fn error(text: &str, format: &str) -> String {
    let error = read_bytes(text.as_bytes(), format, &options(7, 2, 3)).unwrap_err();
    error.to_string()
}

fn choices(text: &str, format: &str) -> String {
    block_on(async {
        let part = part("part", text).await;
        let format = spec(format);
        let opened = crate::open(&part, None, Some(&format), &options(9, 2, 3)).await;
        let opened = opened.unwrap();
        let choices = opened.choices().iter();
        let lines = choices.map(|it| format!("{} = {}: {}", it.what, it.value, it.why));
        lines.collect::<Vec<_>>().join("\n")
    })
}

const STATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE r [ <!ENTITY big "x"> ]>
<r xmlns="urn:a" xmlns:n="urn:b">
  <head><item id="0"/></head>
  <n:items>
    <item n:id="1" note='a > "b"'><name>Cầu &lt;Rào&gt; &#x1ED8;</name><place code="31"><lat>20.8</lat></place><tag>a</tag><tag k="v">b</tag></item>
    <item id="2"><!-- </item> --><name><![CDATA[<An & Dương>]]></name><place/><tag>c</tag><empty></empty></item>
    <item id="3"><name xsi:nil="true" xmlns:xsi="urn:x"/><place code="">text<lat> 1 </lat></place></item>
    <item/>
  </n:items>
</r>
"#;

#[test]
fn records_of_every_shape() {
    for block in (1..60).chain([10_000]) {
        let all = read(STATIONS, ITEMS, block);
        assert_eq!(all.broken, []);
        assert_eq!(
            all.columns,
            [
                "@id",
                "@note",
                "name",
                "place",
                "place.@code",
                "place.lat",
                "tag",
                "empty",
                "name.@nil",
                "_record"
            ]
        );
        let rows: Vec<String> = all
            .rows
            .values()
            .map(|row| {
                let cells = row[..9].iter().map(|cell| cell.as_deref().unwrap_or("∅"));
                cells.collect::<Vec<_>>().join("|")
            })
            .collect();
        insta::allow_duplicates! { insta::assert_snapshot!(rows.join("\n"), @r##"
1|a > "b"|Cầu <Rào> Ộ|∅|31|20.8|["a",{"#text":"b","@k":"v"}]|∅|∅
2|∅|<An & Dương>||∅|∅|["c"]||∅
3|∅|∅|text|| 1 |∅|∅|true
∅|∅|∅|∅|∅|∅|∅|∅|∅
"##); }
    }
    let all = read(STATIONS, ITEMS, 50);
    insta::assert_snapshot!(all.column("_record").join("\n"), @r##"
{"@id":"1","@note":"a > \"b\"","name":"Cầu <Rào> Ộ","place":{"@code":"31","lat":"20.8"},"tag":["a",{"#text":"b","@k":"v"}]}
{"@id":"2","empty":"","name":"<An & Dương>","place":"","tag":"c"}
{"@id":"3","name":null,"place":{"#text":"text","@code":"","lat":" 1 "}}
""
"##);
}

#[test]
fn paths_are_guessed() {
    insta::assert_snapshot!(choices(STATIONS, ANY), @r"
encoding = UTF-8: the document's first line declares it
record_path = r/items/item: of what is repeated in it there are 4
");
    let rows = "<t><meta/><meta/><row><c>1</c><c>2</c></row><row><c>3</c><c>4</c></row><row><c>5</c></row></t>";
    insta::assert_snapshot!(choices(rows, ANY), @"record_path = t/row: of what is repeated in it there are 3");
    assert_eq!(
        read(rows, ANY, 9).column("c"),
        [r#"["1","2"]"#, r#"["3","4"]"#, r#"["5"]"#]
    );
    insta::assert_snapshot!(choices("<a><b>1</b><c x='1'/></a>", ANY), @"record_path = a: no element is repeated, so the whole document is one record");
    assert_eq!(
        read("<a><b>1</b><c x='1'/></a>", ANY, 3).column("c.@x"),
        ["1"]
    );
    insta::assert_snapshot!(choices("<a><v>1</v><v>2</v></a>", ANY), @"record_path = a/v: of what is repeated in it there are 2");
    assert_eq!(
        read("<a><v>1</v><v>2</v></a>", ANY, 3).column("#text"),
        ["1", "2"]
    );
    let by_star = read(
        "<a><b><i>1</i></b><c><i>2</i></c></a>",
        r#"{"name": "xml", "record_path": "/a/*/i"}"#,
        3,
    );
    assert_eq!(by_star.column("#text"), ["1", "2"]);
}

#[test]
fn broken_records_lose_only_themselves() {
    let text = concat!(
        "<r><items><item><a>1</a></item>",
        "<item><a>2</b></item>",
        "<item><a>3 < 4</a></item>",
        "<item><a x=\"<y>5</a></item>",
        "<item><a>&big;</a></item>",
        "<item><a>&#xD800;</a></item>",
        "<item a='1' a='2'/>",
        "<item><a>8</a></item>",
        "<item><a>9</a>",
        "</items></r>"
    );
    for block in (1..60).chain([10_000]) {
        let all = read(text, ITEMS, block);
        assert_eq!(all.column("a"), ["1", "8"]);
        let reasons: Vec<_> = all
            .broken
            .iter()
            .map(|it| format!("{} at {:?}: {}\n  {}", it.row, it.byte, it.reason, it.raw))
            .collect();
        insta::allow_duplicates! { insta::assert_snapshot!(reasons.join("\n"), @r#"
2 at Some(31): it is no well-formed XML: ill-formed document: expected `</a>`, but `</b>` was found (byte 14 of the record)
  <item><a>2</b></item>
3 at Some(52): it is no well-formed XML: a `<` starts no tag; as text it is written `&lt;`
  <item><a>3 < 4</a></item>
4 at Some(77): it is no well-formed XML: syntax error: attribute value not closed: `"` not found before end of input (byte 27 of the record)
  <item><a x="<y>5</a></item>
5 at Some(104): it is no well-formed XML: it uses the entity `&big;`, which only a DTD can explain; DTDs are not followed
  <item><a>&big;</a></item>
6 at Some(129): it is no well-formed XML: invalid character reference: `55296` is not a valid codepoint
  <item><a>&#xD800;</a></item>
7 at Some(157): it is no well-formed XML: `item`: position 11: duplicated attribute, previous declaration at position 5
  <item a='1' a='2'/>
9 at Some(197): it is no well-formed XML: its end tag is missing
  <item><a>9</a>
"#); }
    }
}

#[test]
fn long_and_deep_records_are_broken() {
    let long = "x".repeat(300);
    let deep = format!("{}{}", "<d>".repeat(70), "</d>".repeat(70));
    let many = "<m/>".repeat(100_001);
    let text = format!("<r><i>1</i><i>{long}</i><i>{deep}</i><i>4</i></r>");
    let format = r#"{"name": "xml", "record_path": "r/i"}"#;
    for block in [1, 20, 1000] {
        let bounds = ReadOptions {
            record_bytes_max: 600,
            ..options(block, 2, 3)
        };
        let all = read_bytes(text.as_bytes(), format, &bounds).unwrap();
        assert_eq!(
            all.reasons(),
            [(
                3,
                "it is no well-formed XML: its elements nest more than 64 deep"
            )]
        );
        let bounds = ReadOptions {
            record_bytes_max: 50,
            ..options(block, 2, 3)
        };
        let all = read_bytes(text.as_bytes(), format, &bounds).unwrap();
        assert_eq!(all.column("#text"), ["1", "4"]);
        assert_eq!(all.reasons()[0], (2, "the record is longer than 50 bytes"));
    }
    let all = read_bytes(
        format!("<r><i>{many}</i></r>").as_bytes(),
        format,
        &ReadOptions::default(),
    )
    .unwrap();
    assert_eq!(
        all.reasons(),
        [(
            1,
            "it is no well-formed XML: it has more than 100000 elements and attributes"
        )]
    );
}

#[test]
fn structures_that_end_the_reading() {
    let cases = [
        "<r><items><item>1</item>\n<item>2",
        "<r><items>\n<item>1</item></items>",
        "<r><items><item>1</item></itmes></r>",
        "<r>\n<items></items></r><r/>",
        "404 not found",
        "<r>1 < 2</r>",
        "<r><items><item/></items></r",
        " ",
        "<r><itmes><item/></itmes></r>",
        "<r><items><thing/></items></r>",
    ];
    let said: Vec<String> = cases.iter().map(|text| error(text, ITEMS)).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
part: at byte 25: line 2: the document ends inside this record, before `</item>`
part: at byte 33: line 2: the document ends before `</r>`
part: at byte 31: line 1: `</itmes>` stands where `</items>` is expected
part: at byte 26: line 2: another element follows the document's root
part: at byte 0: line 1: text stands outside the document's root
part: at byte 6: line 1: a `<` starts no tag, or cuts one off
part: at byte 28: line 1: the document ends before `</r>`
part: at byte 1: line 1: there is no element in it
part has no list at `r/items/item`
part has no list at `r/items/item`
");
    assert_eq!(read("<r><items/></r>", ITEMS, 3).records(), 0);
    assert_eq!(read("<r><items>\n</items></r>", ITEMS, 3).records(), 0);
    assert_eq!(
        error("<r/>", r#"{"name": "xml", "record_path": "/"}"#),
        "part: format option `record_path`: it names no element"
    );
    let deep = format!("{}<a>", "<d>".repeat(300));
    assert!(error(&deep, ITEMS).ends_with("elements nest more than 256 deep"));
}

#[test]
fn entities_are_never_multiplied() {
    let laughs = "<!DOCTYPE r [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\"><!ENTITY c SYSTEM \"file:///etc/passwd\">]><r><i>&b;</i><i>&c;</i><i>ok</i></r>";
    let all = read(laughs, r#"{"name": "xml", "record_path": "r/i"}"#, 20);
    assert_eq!(all.column("#text"), ["ok"]);
    assert_eq!(all.broken.len(), 2);
}

#[test]
fn encodings_as_declared() {
    let text = "<?xml version=\"1.0\" encoding='windows-1252' ?><r><i>caf\u{e9}</i><i>x</i></r>";
    let bytes: Vec<u8> = text.chars().map(|it| it as u8).collect();
    let all = read_bytes(&bytes, ANY, &options(9, 2, 3)).unwrap();
    assert_eq!(all.column("#text"), ["café", "x"]);
    let utf16: Vec<u8> =
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-16\"?><r><i>Đồ</i><i>Sơn</i></r>"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
    assert_eq!(
        read_bytes(&utf16, ANY, &options(9, 2, 3))
            .unwrap()
            .column("#text"),
        ["Đồ", "Sơn"]
    );
    let unknown = "<?xml version=\"1.0\" encoding=\"utf-800\"?><r/>";
    assert_eq!(error(unknown, ANY), "part: there is no encoding `utf-800`");
}

#[test]
fn xml_is_told_from_web_pages() {
    for xml in [
        STATIONS,
        "\u{feff}\n<?xml version='1.0'?><rss>",
        "<Siri version=\"2.0\" xmlns=\"urn:s\">",
    ] {
        assert!(is_xml(xml.as_bytes(), false), "{xml}");
    }
    assert!(is_xml(b"<a>", true));
    for other in [
        "<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC>",
        "<!doctype html>",
        "<a>",
        "<html xmlns=\"urn:x\">",
        "a <b xmlns",
        "<",
    ] {
        assert!(!is_xml(other.as_bytes(), false), "{other}");
    }
    assert_eq!(
        guess("a", STATIONS.as_bytes()).map(|it| it.name()),
        Some("xml")
    );
}

/// A record's text and what must come out of it.
fn record() -> impl Strategy<Value = (String, Vec<String>)> {
    let value = "[a-c<&>\"'é \n]{0,6}";
    prop::collection::vec((value, "[a-c]", any::<bool>()), 0..4).prop_map(|fields| {
        let mut texts = Vec::new();
        let mut xml = String::from("<item>");
        for (value, comment, as_data) in fields {
            let escaped = value.replace('&', "&amp;").replace('<', "&lt;");
            match as_data {
                true => xml.push_str(&format!(
                    "<v><![CDATA[{value}]]></v><!-- </item> {comment} -->"
                )),
                false => xml.push_str(&format!(
                    "<v k=\"{}\">{escaped}</v>",
                    escaped.replace('"', "&quot;")
                )),
            }
            texts.push(value);
        }
        xml.push_str("</item>\n");
        (xml, texts)
    })
}

proptest! {
    #[test]
    fn records_come_back_as_they_were(records in prop::collection::vec(record(), 0..8), block in 1_u64..80) {
        let xml: String = records.iter().map(|(xml, _)| xml.as_str()).collect();
        let all = read(&format!("<r><items>{xml}</items></r>"), ITEMS, block);
        prop_assert_eq!(&all.broken, &vec![]);
        let found = all.column("_record").into_iter().map(|record| {
            let record: serde_json::Value = serde_json::from_str(record).unwrap();
            let list = match record.get("v") {
                None => Vec::new(),
                Some(serde_json::Value::Array(list)) => list.clone(),
                Some(one) => vec![one.clone()],
            };
            let text = |value: serde_json::Value| match value {
                serde_json::Value::String(text) => text,
                object => object.get("#text").and_then(|it| it.as_str()).unwrap_or_default().to_owned(),
            };
            list.into_iter().map(text).collect::<Vec<_>>()
        });
        // Of white space alone an element with attributes has no text.
        let blank = |texts: Vec<String>| texts.into_iter().map(|text| if text.trim().is_empty() { String::new() } else { text }).collect::<Vec<_>>();
        let found: Vec<_> = found.map(blank).collect();
        prop_assert_eq!(found, records.into_iter().map(|(_, texts)| blank(texts)).collect::<Vec<_>>());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), block in 1_u64..50, record in 1_usize..40) {
        let bounds = ReadOptions { record_bytes_max: record, ..options(block, 2, 3) };
        let odd: Vec<u8> = bytes.iter().flat_map(|byte| [&b"<i>"[..], b"</i>", b"<", b">", b"/", b"\"", b"&", b"r", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<r>", b"</r>", b" a=", b"\xff"][usize::from(byte % 16)]).copied().collect();
        for bytes in [&bytes, &odd] {
            for format in [ANY, r#"{"name": "xml", "record_path": "r/i"}"#] {
                drop(read_bytes(bytes, format, &bounds));
            }
        }
    }
}

#[test]
fn elements_are_rows() {
    let text = "<m><Series AREA='31'><Note>x</Note><Obs T='2023' V='1'/><Obs T='2024' V='2'/></Series><Series AREA='01'/><Series AREA='79'><Obs T='2024' V='3'/><wrong></Series></m>";
    let format = r#"{"name": "xml", "record_path": "m/Series", "unnest": "Obs"}"#;
    let all = read_bytes(text.as_bytes(), format, &ReadOptions::default()).unwrap();
    assert_eq!(
        all.columns,
        ["@AREA", "Note", "Obs.@T", "Obs.@V", "_record"]
    );
    assert_eq!(
        (all.column("@AREA"), all.column("Obs.@V")),
        (vec!["31", "31"], vec!["1", "2"])
    );
    assert_eq!((all.dropped.as_slice(), all.broken[0].row), (&[3][..], 4));
    let small = read_bytes(text.as_bytes(), format, &options(64, 2, 1)).unwrap();
    assert_eq!(small, all);
    let deep = r#"{"name": "xml", "record_path": "m/s", "unnest": "vs/v"}"#;
    let text = "<m><s id='1'><vs><v>1</v><v>2</v></vs><vs><v>3</v></vs></s></m>";
    let all = read_bytes(text.as_bytes(), deep, &ReadOptions::default()).unwrap();
    assert_eq!(all.column("vs.v"), ["1", "2", "3"]);
}
