//! Columns that say something about a person, by their names or their values: they are classified so, and none of their values is
//! quoted in a file that is kept in a repository.

use std::sync::LazyLock;

use regex::Regex;

use super::aliases::holds;
use crate::names::folded;
use crate::values::Profile;

/// Names of columns that say something about a person.
const PERSONAL: &[&str] = &[
    "ho ten",
    "ho va ten",
    "ho dem",
    "full name",
    "first name",
    "last name",
    "surname",
    "ngay sinh",
    "nam sinh",
    "birth date",
    "date of birth",
    "dob",
    "cccd",
    "cmnd",
    "so cccd",
    "so cmnd",
    "cmt",
    "can cuoc",
    "can cuoc cong dan",
    "dinh danh ca nhan",
    "identity card",
    "passport",
    "ho chieu",
    "so dien thoai",
    "dien thoai",
    "sdt",
    "phone",
    "email",
    "thu dien tu",
    "dia chi nha",
    "noi o",
    "thuong tru",
    "tam tru",
    "home address",
    "bien so",
    "bien so xe",
    "licence plate",
    "gioi tinh",
    "sex",
    "gender",
    "dan toc",
    "ton giao",
    "hieu truong",
    "nguoi lien he",
    "phu huynh",
    "hoc sinh ten",
    "ten hoc sinh",
    "so bao danh",
    "ma so thue ca nhan",
    "so tai khoan",
    "chu ho",
    "nguoi nop",
    "ho ten thi sinh",
    "ten thi sinh",
    "thi sinh",
    "can bo",
    "benh nhan",
    "patient",
    "nguoi dai dien",
    "so the bhyt",
    "bhyt",
    "ma so bhxh",
    "birthday",
    "birthdate",
    "mobile",
    "e mail",
    "so cmt",
];

/// Words that make a name speak of a thing that bears a person's name.
const OF_THINGS: &[&str] = &[
    "truong",
    "duong",
    "pho",
    "phuong",
    "xa",
    "quan",
    "huyen",
    "tinh",
    "school",
    "road",
    "street",
    "ward",
    "district",
    "tuyen",
    "tram",
    "cau",
    "cho",
    "cong vien",
];

/// Vietnamese family names, which stand first.
const FAMILY: &[&str] = &[
    "nguyen", "tran", "le", "pham", "hoang", "huynh", "phan", "vu", "vo", "dang", "bui", "do",
    "ho", "ngo", "duong", "ly", "dinh", "trinh", "doan", "luong", "mai", "truong", "dao", "cao",
    "lam", "ta", "ha", "tong",
];

/// Share of values of a kind from which on a column is one of them.
const MOST: f64 = 0.8;
/// Values that make a share at all.
const VALUES_MIN: usize = 2;

/// Forms of values, and what they are.
static FORMS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let forms = [
        (r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$", "addresses of e-mail"),
        (
            r"^(?:\+84|0)[ .-]?[35789](?:[ .-]?[0-9]){8}$",
            "numbers of mobile telephones",
        ),
        (
            r"^0(?:0[1-9]|[1-8][0-9]|9[0-6])[0-9]{9}$",
            "numbers of identity cards",
        ),
    ];
    let made = forms
        .into_iter()
        .filter_map(|(form, what)| Some((Regex::new(form).ok()?, what)));
    made.collect()
});

/// Whether a folded name speaks of a person.
pub(crate) fn is_personal(name: &str) -> bool {
    PERSONAL.iter().any(|known| holds(name, known))
}

/// Why a column is personal: by its folded name, or by what its values look like.
pub(super) fn why(name: &str, profile: &Profile) -> Option<String> {
    if is_personal(name) {
        return Some("its name says something about a person".to_owned());
    }
    let values: Vec<&str> = profile.some().collect();
    let is_most = |count: usize| count >= VALUES_MIN && count as f64 >= MOST * values.len() as f64;
    for (form, what) in FORMS.iter() {
        if is_most(values.iter().filter(|value| form.is_match(value)).count()) {
            return Some(format!("its values look like {what}"));
        }
    }
    let named_after = OF_THINGS.iter().any(|word| holds(name, word));
    let names = values.iter().filter(|value| is_name(value)).count();
    (!named_after && is_most(names)).then(|| "its values look like names of persons".to_owned())
}

/// Whether one value alone gives a person away: a name of a column must not be one.
pub(super) fn is_value(text: &str) -> bool {
    FORMS.iter().any(|(form, _)| form.is_match(text.trim()))
}

/// Whether a text that ought to be a column's name is a value that gives a person away.
pub(crate) fn gives_away(text: &str) -> bool {
    is_value(text) || is_name(text)
}

/// Whether a value is written as a Vietnamese person's name: a family name, then one to four others, all with capitals.
fn is_name(value: &str) -> bool {
    let words: Vec<&str> = value
        .split_whitespace()
        .take_while(|word| word.chars().all(char::is_alphabetic))
        .collect();
    let is_capital = |word: &&str| word.chars().next().is_some_and(char::is_uppercase);
    let first = words.first().map(|word| folded(word)).unwrap_or_default();
    (3..=5).contains(&words.len())
        && words.iter().all(is_capital)
        && FAMILY.contains(&first.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, values: &[&str]) -> Option<String> {
        let mut profile = Profile::default();
        values.iter().for_each(|value| profile.add(Some(value)));
        why(&folded(name), &profile)
    }

    #[test]
    fn names_stand_here_folded() {
        for name in PERSONAL.iter().chain(OF_THINGS).chain(FAMILY) {
            assert_eq!(folded(name), *name);
        }
    }

    #[test]
    fn columns_are_personal_by_name_or_by_value() {
        for (name, values) in [
            ("Họ và tên học sinh", &[][..]),
            ("Cột A", &["Nguyễn Văn An", "Trần Thị Bình", "Lê Minh Châu"]),
            ("lien_he", &["an@x.vn", "binh@y.com.vn"]),
            ("Liên lạc", &["0912345678", "+84 987 654 321"]),
            ("Số", &["031206001234", "001099012345"]),
        ] {
            assert!(of(name, values).is_some(), "{name}");
        }
        for (name, values) in [
            ("Tên trường", &["Nguyễn Thị Minh Khai", "Trần Văn Ơn"][..]),
            ("Quận", &["Lê Chân", "Ngô Quyền", "Hồng Bàng"]),
            ("Mã", &["031001", "031002"]),
            ("Số lượng", &["912345678", "987654321"]),
        ] {
            assert_eq!(of(name, values), None, "{name}");
        }
        assert!(is_value("an@x.vn") && !is_value("Số điện thoại"));
    }
}
