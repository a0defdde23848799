//! Words before or after a name that say what kind of place or school it is. This is data: a country more is lines more.

/// What a type word stands for: the official types it can mean, in plain letters.
pub(crate) type Meaning = &'static [&'static str];

/// Whether the type stands before the name or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

/// A written form of a type, in plain letters, in a country (ISO 3166-1; empty: in any).
#[derive(Debug, Clone, Copy)]
pub(crate) struct TypeWord {
    pub(crate) country: &'static str,
    pub(crate) written: &'static str,
    pub(crate) side: Side,
    pub(crate) means: Meaning,
}

const fn before(country: &'static str, written: &'static str, means: Meaning) -> TypeWord {
    TypeWord {
        country,
        written,
        side: Side::Before,
        means,
    }
}

const fn after(country: &'static str, written: &'static str, means: Meaning) -> TypeWord {
    TypeWord {
        country,
        written,
        side: Side::After,
        means,
    }
}

/// Longer forms stand before shorter ones that they begin with.
pub(crate) const PLACE_TYPES: &[TypeWord] = &[
    before("VN", "thanh pho truc thuoc trung uong", &["thanh pho"]),
    before("VN", "thanh pho", &["thanh pho"]),
    before("VN", "dac khu", &["dac khu"]),
    before("VN", "thi tran", &["thi tran"]),
    before("VN", "thi xa", &["thi xa"]),
    before("VN", "phuong", &["phuong"]),
    before("VN", "huyen", &["huyen"]),
    before("VN", "quan", &["quan"]),
    before("VN", "tinh", &["tinh"]),
    before("VN", "xa", &["xa"]),
    before("VN", "tp", &["thanh pho"]),
    before("VN", "t p", &["thanh pho"]),
    before("VN", "dk", &["dac khu"]),
    before("VN", "tt", &["thi tran"]),
    before("VN", "t t", &["thi tran"]),
    before("VN", "tx", &["thi xa"]),
    before("VN", "t x", &["thi xa"]),
    before("VN", "p", &["phuong"]),
    before("VN", "h", &["huyen"]),
    before("VN", "q", &["quan"]),
    before("VN", "t", &["tinh"]),
    before("VN", "x", &["xa"]),
    after("VN", "province", &["tinh"]),
    after("VN", "city", &["thanh pho"]),
    after("VN", "urban district", &["quan"]),
    after("VN", "rural district", &["huyen"]),
    after("VN", "district", &["quan", "huyen"]),
    after("VN", "town", &["thi xa", "thi tran"]),
    after("VN", "township", &["thi tran"]),
    after("VN", "ward", &["phuong"]),
    after("VN", "commune", &["xa"]),
    after("VN", "special zone", &["dac khu"]),
    before("ID", "provinsi", &["provinsi"]),
    before("ID", "kabupaten", &["kabupaten"]),
    before("ID", "kecamatan", &["kecamatan"]),
    before("ID", "kelurahan", &["kelurahan"]),
    before("ID", "kota", &["kota"]),
    before("ID", "desa", &["desa"]),
    before("ID", "kab", &["kabupaten"]),
    before("PH", "province of", &["province"]),
    before("PH", "city of", &["city"]),
    before("PH", "municipality of", &["municipality"]),
    before("PH", "barangay", &["barangay"]),
    before("PH", "brgy", &["barangay"]),
    before("TH", "changwat", &["changwat"]),
    before("TH", "amphoe", &["amphoe"]),
    before("TH", "khet", &["khet"]),
    before("TH", "khwaeng", &["khwaeng"]),
    before("TH", "tambon", &["tambon"]),
    after("", "province", &["province"]),
    after("", "city", &["city"]),
    after("", "district", &["district"]),
];

/// Short names in use beside the official one, in plain letters with whatever type they bear, and the name without its type. None may be the
/// name of another place: Sài Gòn is a ward since 2025.
pub(crate) const PLACE_ALIASES: &[(&str, &str)] = &[
    ("tphcm", "ho chi minh"),
    ("hcmc", "ho chi minh"),
    ("tt hue", "thua thien hue"),
    ("tth", "thua thien hue"),
    ("br vt", "ba ria vung tau"),
    ("bac can", "bac kan"),
    ("tinh bac can", "tinh bac kan"),
    ("dac lac", "dak lak"),
    ("tinh dac lac", "tinh dak lak"),
    ("dac nong", "dak nong"),
    ("tinh dac nong", "tinh dak nong"),
];

/// An abbreviation in the name of a school, and what it stands for. Longer ones first.
pub(crate) const SCHOOL_WORDS: &[(&str, &str)] = &[
    ("gdnn gdtx", "giao duc nghe nghiep giao duc thuong xuyen"),
    ("pt dtnt", "pho thong dan toc noi tru"),
    ("pt dtbt", "pho thong dan toc ban tru"),
    ("ptdtnt", "pho thong dan toc noi tru"),
    ("ptdtbt", "pho thong dan toc ban tru"),
    ("dtnt", "dan toc noi tru"),
    ("dtbt", "dan toc ban tru"),
    ("gdtx", "giao duc thuong xuyen"),
    ("gdnn", "giao duc nghe nghiep"),
    ("thpt", "trung hoc pho thong"),
    ("thcs", "trung hoc co so"),
    ("ptth", "trung hoc pho thong"),
    ("ptcs", "pho thong co so"),
    ("mn", "mam non"),
    ("mg", "mau giao"),
    ("th", "tieu hoc"),
    ("pt", "pho thong"),
    ("cd", "cao dang"),
    ("dh", "dai hoc"),
    ("tt", "trung tam"),
    ("hs", "hoc sinh"),
    ("qt", "quoc te"),
    ("clc", "chat luong cao"),
];

/// Words that a school's name has or lacks without being another school.
pub(crate) const SCHOOL_FILLERS: &[&str] = &["truong", "va", "school"];

/// The levels of schools in full words; schools of different levels are different schools. Longer ones first.
pub(crate) const SCHOOL_LEVELS: &[(&str, &str)] = &[
    ("trung hoc pho thong", "upper secondary"),
    ("trung hoc co so", "lower secondary"),
    ("pho thong co so", "primary and lower secondary"),
    ("tieu hoc", "primary"),
    ("mam non", "preschool"),
    ("mau giao", "preschool"),
    ("nha tre", "preschool"),
    ("cao dang", "college"),
    ("dai hoc", "university"),
    ("upper secondary", "upper secondary"),
    ("lower secondary", "lower secondary"),
    ("high", "upper secondary"),
    ("primary", "primary"),
    ("kindergarten", "preschool"),
];

/// A name's plain form parted into type and rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Typed<'a> {
    pub(crate) means: Meaning,
    pub(crate) rest: &'a str,
    /// Words of the type before the rest.
    pub(crate) words_before: usize,
    /// Words of the type after the rest.
    pub(crate) words_after: usize,
}

/// The type that `plain` begins or ends with, if something is left of the name without it. `country`: one alone, else all.
pub(crate) fn typed<'a>(plain: &'a str, country: Option<&str>) -> Option<Typed<'a>> {
    let of_country = |word: &&TypeWord| {
        country.is_none_or(|country| word.country == country || word.country.is_empty())
    };
    PLACE_TYPES
        .iter()
        .filter(of_country)
        .find_map(|word| word.of(plain))
}

/// Whether plain letters are a type word that stands before names.
pub(crate) fn is_type(plain: &str) -> bool {
    let before = |word: &&TypeWord| word.side == Side::Before;
    PLACE_TYPES
        .iter()
        .filter(before)
        .any(|word| word.written == plain)
}

impl TypeWord {
    fn of(self, plain: &str) -> Option<Typed<'_>> {
        let rest = match self.side {
            Side::Before => plain.strip_prefix(self.written)?.strip_prefix(' ')?,
            Side::After => plain.strip_suffix(self.written)?.strip_suffix(' ')?,
        };
        let words = self.written.split(' ').count();
        let (words_before, words_after) = match self.side {
            Side::Before => (words, 0),
            Side::After => (0, words),
        };
        Some(Typed {
            means: self.means,
            rest,
            words_before,
            words_after,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_come_off_at_either_end() {
        let rest = |plain, country| typed(plain, country).map(|typed| (typed.means, typed.rest));
        let city: Meaning = &["thanh pho"];
        assert_eq!(rest("tp hue", Some("VN")), Some((city, "hue")));
        assert_eq!(rest("thanh pho hue", None), Some((city, "hue")));
        assert_eq!(
            rest("ho chi minh city", Some("VN")),
            Some((city, "ho chi minh"))
        );
        assert_eq!(rest("kota bandung", Some("VN")), None);
        // What is left must be a name.
        assert_eq!(rest("phuong", Some("VN")), None);
        assert_eq!(rest("xa", Some("VN")), None);
    }

    #[test]
    fn no_form_hides_a_longer_one() {
        for (at, word) in PLACE_TYPES.iter().enumerate() {
            let hider = PLACE_TYPES[..at].iter().find(|earlier| {
                earlier.country == word.country
                    && earlier.side == word.side
                    && (word
                        .written
                        .strip_prefix(earlier.written)
                        .is_some_and(|rest| earlier.side == Side::Before && rest.starts_with(' ')))
            });
            assert!(hider.is_none(), "{} is never reached", word.written);
        }
        for words in [SCHOOL_WORDS, SCHOOL_LEVELS] {
            for (at, (word, _)) in words.iter().enumerate() {
                let hider = words[..at].iter().find(|(earlier, _)| {
                    word.strip_prefix(earlier)
                        .is_some_and(|rest| rest.starts_with(' '))
                });
                assert!(hider.is_none(), "{word} is never reached");
            }
        }
    }
}
