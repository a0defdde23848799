#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::HashMap;

use bytes::Bytes;
use encoding_rs::WINDOWS_1258;
use futures::{StreamExt, TryStreamExt, stream};
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::*;
use crate::testing::block_on;

/// The accented letters of Vietnamese, small.
const SMALL: &str = "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ";

/// Both as glibc's `iconv -t TCVN` writes them.
const TCVN_SMALL: &str = "b5b8b6b7b9a8bbbebcbdc6a9c7cac8c9cbaeccd0cecfd1aad2d5d3d4d6d7ddd8dcdedfe3e1e2e4abe5e8e6e7e9aceaedebeceeeff3f1f2f4adf5f8f6f7f9fafdfbfcfe";
const TCVN_CAPITAL: &str = "8083818284a1afc0babf85a2c1c4c2c386a7878a88898ba3c5dacdd98c8d908e8f919295939496a4dbffe0f097a5989b999a9c9d019e9f02a604110506121316141517";

/// `SMALL` as glibc's `iconv -t CP1258` writes it: with letters that windows-1258 has whole, and marks after the others.
const WINDOWS_1258_SMALL: &str = "e0e161d261de61f2e3e3cce3ece3d2e3dee3f2e2e2cce2ece2d2e2dee2f2f0e8e965d265de65f2eaeacceaecead2eadeeaf269cced69d269de69f26fccf36fd26fde6ff2f4f4ccf4ecf4d2f4def4f2f5f5ccf5ecf5d2f5def5f2f9fa75d275de75f2fdfdccfdecfdd2fddefdf279cc79ec79d279de79f2";

/// `SMALL` in VNI, shown as windows-1252 shows it, as VNI's own tables do.
const VNI_SMALL: &str = "aø aù aû aõ aï aê aè aé aú aü aë aâ aà aá aå aã aä ñ eø eù eû eõ eï eâ eà eá eå eã eä ì í æ ó ò oø où oû oõ oï oâ oà oá oå oã oä ô ôø ôù ôû ôõ ôï uø uù uû uõ uï ö öø öù öû öõ öï yø yù yû yõ î";

fn capitals() -> String {
    SMALL.to_uppercase()
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
        .collect()
}

/// Decodes chunks that end after each of `cuts`.
fn decode(label: Option<&str>, bytes: &[u8], cuts: &[usize]) -> Vec<u8> {
    let encoding = match label {
        Some(label) => TextEncoding::find("part", Some(label), bytes).unwrap(),
        None => TextEncoding::detect("part", None, bytes, true).unwrap().0,
    };
    let mut chunks = Vec::new();
    let mut start = 0;
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.push(bytes.len());
    cuts.sort_unstable();
    for cut in cuts {
        chunks.push(Ok(Bytes::copy_from_slice(&bytes[start..cut])));
        start = cut;
    }
    block_on(async {
        let text = encoding.text(stream::iter(chunks).boxed(), 3);
        let all: Vec<Bytes> = text.try_collect().await.unwrap();
        all.concat()
    })
}

fn check(label: Option<&str>, bytes: &[u8], cuts: &[usize], expected: &str) {
    let text = String::from_utf8(decode(label, bytes, cuts)).unwrap();
    assert_eq!(text, expected, "{label:?}");
}

/// The bytes of each letter, from the listings above.
fn codes(label: &str) -> HashMap<char, Vec<u8>> {
    let mut codes = HashMap::new();
    match label {
        "tcvn-5712" | "tcvn3" => {
            codes.extend(
                SMALL
                    .chars()
                    .zip(hex(TCVN_SMALL).into_iter().map(|byte| vec![byte])),
            );
            // In TCVN3 a capital with a tone has the code of its small letter.
            let capital = match label {
                "tcvn3" => hex(TCVN_SMALL),
                _ => hex(TCVN_CAPITAL),
            };
            codes.extend(
                capitals()
                    .chars()
                    .zip(capital.into_iter().map(|byte| vec![byte])),
            );
            let own = "ĂÂĐÊÔƠƯ".chars().zip((0xA1..).map(|byte| vec![byte]));
            codes.extend("ĂÂÊÔƠƯĐ".chars().zip(own.map(|(_, bytes)| bytes)));
        }
        "vni" => {
            let bytes = |letter: &str| letter.chars().map(|letter| letter as u8).collect();
            codes.extend(SMALL.chars().zip(VNI_SMALL.split(' ').map(bytes)));
            let capital = VNI_SMALL.to_uppercase();
            codes.extend(capitals().chars().zip(capital.split(' ').map(bytes)));
        }
        _ => {
            for letter in SMALL.chars().chain(capitals().chars()) {
                codes.insert(letter, windows_1258(letter));
            }
        }
    }
    codes
}

/// The letter without its tone, then the tone.
fn windows_1258(letter: char) -> Vec<u8> {
    let is_tone = |mark: &char| "\u{300}\u{301}\u{303}\u{309}\u{323}".contains(*mark);
    let parts: Vec<char> = std::iter::once(letter).nfd().collect();
    let letter: String = parts
        .iter()
        .copied()
        .filter(|mark| !is_tone(mark))
        .nfc()
        .collect();
    let tone: String = parts.iter().filter(|mark| is_tone(mark)).collect();
    let (bytes, _, unknown) = WINDOWS_1258.encode(&letter);
    assert!(!unknown, "{letter}");
    let (mark, _, unknown) = WINDOWS_1258.encode(&tone);
    assert!(!unknown, "{tone:?}");
    [bytes, mark].concat()
}

fn encode(label: &str, text: &str) -> Vec<u8> {
    let bytes = |units: Vec<[u8; 2]>| units.concat();
    match label {
        "utf-8" => text.as_bytes().to_vec(),
        "utf-16le" => bytes(text.encode_utf16().map(u16::to_le_bytes).collect()),
        "utf-16be" => bytes(text.encode_utf16().map(u16::to_be_bytes).collect()),
        _ => {
            let codes = codes(label);
            let code = |letter: char| match codes.get(&letter) {
                Some(code) => code.clone(),
                None => vec![u8::try_from(letter).unwrap()],
            };
            text.chars().flat_map(code).collect()
        }
    }
}

/// All 134 letters, each where a reader would meet it: in a small word and in a word of capitals.
fn all_letters() -> String {
    let words = SMALL
        .chars()
        .map(|letter| format!("th{letter}nh,TH{}NH\n", letter.to_uppercase()));
    words.collect()
}

#[test]
fn all_134_letters_in_each_encoding() {
    let expected = all_letters();
    assert_eq!(
        expected.chars().filter(|letter| !letter.is_ascii()).count(),
        134
    );
    for label in [
        "utf-8",
        "utf-16le",
        "utf-16be",
        "windows-1258",
        "tcvn-5712",
        "tcvn3",
        "vni",
    ] {
        check(Some(label), &encode(label, &expected), &[], &expected);
    }
    let marked = |mark: &[u8], label: &str| [mark, &encode(label, &expected)].concat();
    check(None, &marked(b"\xEF\xBB\xBF", "utf-8"), &[1, 2], &expected);
    check(None, &marked(b"\xFF\xFE", "utf-16le"), &[1, 5], &expected);
    check(None, &marked(b"\xFE\xFF", "utf-16be"), &[1, 5], &expected);
    check(None, &encode("utf-16le", &expected), &[3], &expected);
    check(None, &encode("utf-16be", &expected), &[3], &expected);
    // UTF-8 stays as it was published.
    let apart: String = expected.nfd().collect();
    check(None, apart.as_bytes(), &[], &apart);
    assert_eq!(apart.nfc().collect::<String>(), expected);
}

#[test]
fn letters_as_other_tools_write_them() {
    for (label, bytes, expected) in [
        ("tcvn-5712", hex(TCVN_SMALL), SMALL.to_owned()),
        ("TCVN_5712:1993", hex(TCVN_CAPITAL), capitals()),
        ("ABC", hex(TCVN_SMALL), SMALL.to_owned()),
        ("tcvn3-h", hex(TCVN_SMALL), capitals()),
        ("windows-1258", hex(WINDOWS_1258_SMALL), SMALL.to_owned()),
    ] {
        check(Some(label), &bytes, &[1, 50], &expected);
    }
    // From the pages of published converters.
    let published = "B¶o Th¾ng, M\u{AD}êng Kh\u{AD}¬ng, B¸t X¸t";
    let bytes: Vec<u8> = published.chars().map(|letter| letter as u8).collect();
    check(
        Some("tcvn3"),
        &bytes,
        &[],
        "Bảo Thắng, Mường Khương, Bát Xát",
    );
    let published = "Xin chaøo caùc baïn";
    let bytes: Vec<u8> = published.chars().map(|letter| letter as u8).collect();
    check(Some("vni-win"), &bytes, &[9], "Xin chào các bạn");
}

#[test]
fn capitals_of_tcvn3() {
    let tcvn3 = |text: &str| encode("tcvn3", text);
    for (text, expected) in [
        ("ỦY BAN NHÂN DÂN", "ỦY BAN NHÂN DÂN"),
        ("HÀ NỘI", "HÀ NỘI"),
        ("TỈNH HÀ NAM", "TỈNH HÀ NAM"),
        ("Hà Nội", "Hà Nội"),
        ("UBND Hà Nội", "UBND Hà Nội"),
        ("THÀNH PHỐ Huế", "THÀNH PHỐ Huế"),
        // One capital before a letter may begin a name: nothing tells.
        ("HÀ", "Hà"),
        ("Ý", "ý"),
        ("Đà Nẵng,PHÓ", "Đà Nẵng,PHÓ"),
    ] {
        check(Some("tcvn3"), &tcvn3(text), &[2], expected);
    }
    check(Some("tcvn3"), b"\x93\xAE\x94", &[], "“đ”");
}

#[test]
fn odd_marks() {
    for (label, bytes, expected) in [
        ("windows-1258", &b"n\xDE"[..], "ñ"),
        ("windows-1258", b"a\xCC\xF2", "ạ\u{300}"),
        ("windows-1258", b"\xCC1\xCC", "\u{300}1\u{300}"),
        ("windows-1258", b"\xF2\xF2", "\u{323}\u{323}"),
        ("tcvn-5712", b"a\xB0", "à"),
        ("vni", b"n\xF5 a\xF9\xF9", "nõ áù"),
        ("vni", b"A\xF9a\xD9", "Áá"),
        ("windows-1252", b"caf\xE9 \x80", "café €"),
        ("utf-16le", b"\x3D\xD8\x00\xDE", "😀"),
    ] {
        check(Some(label), bytes, &[1], expected);
    }
    let many = [b"a".as_slice(), &[0xCC; 5000]].concat();
    assert_eq!(decode(Some("windows-1258"), &many, &[]).len(), 2 + 2 * 4999);
    assert_eq!(
        decode(Some("utf-16le"), b"\x00\xDCa\0\x3D", &[]),
        b"\xFFa\xFF"
    );
    assert_eq!(decode(Some("windows-1253"), b"\xD2", &[]), [MALFORMED]);
}

#[test]
fn encodings_are_told_by_their_bytes() {
    let found = |bytes: &[u8]| {
        let (encoding, choice) = TextEncoding::detect("part", None, bytes, true).unwrap();
        let choice = choice.unwrap();
        assert_eq!(choice.value, encoding.name().to_lowercase());
        format!("{}: {}", choice.value, choice.why)
    };
    let french =
        "nom;département\nOrléans;Loiret\nNîmes;Gard\nBéziers;Hérault\nMâcon;Saône-et-Loire\n";
    let latin: Vec<u8> = french.chars().map(|letter| letter as u8).collect();
    let (big5, _, _) = encoding_rs::BIG5.encode("編號,景點名稱,地址\n1,日月潭國家風景區,南投縣魚池鄉中山路\n2,阿里山森林遊樂區,嘉義縣阿里山鄉\n");
    let vietnamese =
        "mã,tên\n1,Thành phố Hồ Chí Minh\n2,Hải Phòng\n3,Đà Nẵng\n4,Cần Thơ\n5,Thừa Thiên Huế\n";
    let page = [
        found(b"a,b\n1,2\n"),
        found("a,é\n".as_bytes()),
        found(b"\xEF\xBB\xBFa,b\n"),
        found(b"id,name\n1,Nguy\xE9n\n"),
        found("é,è,à\n1,\u{FFFD},3\n".as_bytes()),
        found(&[french.as_bytes(), b"\xE9,\xE8,\xE0\n"].concat()),
        found(&encode("utf-16be", "a,b\n1,2\n")),
        found(&latin),
        found(&big5),
        found(&encode("windows-1258", vietnamese)),
        found(&encode("tcvn3", vietnamese)),
        found(&encode("vni", vietnamese)),
    ];
    insta::assert_snapshot!(page.join("\n"));
}

#[test]
fn labels() {
    for label in [
        "utf-8",
        "UTF8",
        "latin1",
        "ISO-8859-1",
        "windows-1258",
        "cp1258",
        "big5",
        "TCVN3",
        "tcvn-5712",
        "abc",
        "VNI",
        "vni-win",
        ".VnTimeH",
    ] {
        let encoding = TextEncoding::find("part", Some(label), b"").unwrap();
        // The name that is shown is a label too.
        let again = TextEncoding::find("part", Some(&encoding.name().to_lowercase()), b"").unwrap();
        assert_eq!(again.name(), encoding.name(), "{label}");
    }
    assert!(TextEncoding::find("part", Some("utf8000"), b"").is_err());
    assert_eq!(vietnamese::tcvn_5712().single.iter().flatten().count(), 256);
}

/// Words as people write them: small, with a capital first, or all capitals.
fn word() -> impl Strategy<Value = String> {
    let letter = prop::sample::select(
        format!("{SMALL}bcghklmnpqrstvx")
            .chars()
            .collect::<Vec<_>>(),
    );
    (prop::collection::vec(letter, 1..7), 0..3).prop_map(|(letters, case)| {
        let word: String = letters.into_iter().collect();
        match case {
            0 => word,
            1 => format!("T{word}"),
            _ => format!("TR{}", word.to_uppercase()),
        }
    })
}

fn text() -> impl Strategy<Value = String> {
    let separator = prop::sample::select(vec![",", ";", "\n", "\",\"", "1", "-"]);
    prop::collection::vec((word(), separator), 0..60).prop_map(|words| {
        words
            .into_iter()
            .map(|(word, after)| word + after)
            .collect()
    })
}

/// Any letters in any case, side by side.
fn letters() -> impl Strategy<Value = String> {
    let any = format!("{SMALL}{}abz,\n ;\"09", capitals());
    prop::collection::vec(
        prop::sample::select(any.chars().collect::<Vec<_>>()),
        0..300,
    )
    .prop_map(|letters| letters.into_iter().collect())
}

proptest! {
    #[test]
    fn letters_come_back(text in letters(), cuts in prop::collection::vec(any::<usize>(), 0..8)) {
        for label in ["utf-8", "utf-16le", "utf-16be", "windows-1258", "tcvn-5712", "vni"] {
            // A blank first: what TCVN 5712 has for `ỵỐ` is the mark of UTF-16.
            let text = format!(" {text}");
            check(Some(label), &encode(label, &text), &cuts, &text);
        }
    }

    #[test]
    fn words_come_back_from_tcvn3(text in text(), cuts in prop::collection::vec(any::<usize>(), 0..8)) {
        check(Some("tcvn3"), &encode("tcvn3", &text), &cuts, &text);
    }

    #[test]
    fn any_bytes_in_any_chunks(bytes in prop::collection::vec(any::<u8>(), 0..400), cuts in prop::collection::vec(any::<usize>(), 0..8)) {
        for label in ["utf-16le", "windows-1258", "tcvn-5712", "tcvn3", "tcvn3-h", "vni", "windows-1252", "big5", "shift_jis", "gb18030", "iso-2022-jp"] {
            let is_same = decode(Some(label), &bytes, &cuts) == decode(Some(label), &bytes, &[]);
            prop_assert!(is_same, "{}", label);
        }
    }
}
