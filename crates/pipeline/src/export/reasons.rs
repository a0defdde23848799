//! Reasons in the owner's language. English is what the journal says; Vietnamese is told anew from the rule and the contract.

use sectorlake_contract::{Constraints, Contract, Field, FieldType};

use crate::fixes::Reason;

/// A language that reasons are told in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// Vietnamese.
    Vi,
    /// English.
    #[default]
    En,
}

/// One reason, as a sentence that names the field.
pub(super) fn told(reason: &Reason, contract: Option<&Contract>, language: Language) -> String {
    let field = reason.field.as_deref();
    let known = field.and_then(|name| contract?.field(name));
    let what = match language {
        Language::En => reason.message.clone(),
        Language::Vi => vietnamese(reason, known, contract),
    };
    let title = known.and_then(|field| match language {
        Language::Vi => field.title.get("vi"),
        Language::En => field.title.get("en"),
    });
    match (field, title) {
        (Some(name), Some(title)) if title != name => format!("{title} ({name}): {what}"),
        (Some(name), _) => format!("{name}: {what}"),
        (None, _) => what,
    }
}

fn vietnamese(reason: &Reason, field: Option<&Field>, contract: Option<&Contract>) -> String {
    let value = reason.value.as_deref().map_or_else(String::new, |value| {
        let short: String = value.chars().take(120).collect();
        let more = if short.len() < value.len() { "…" } else { "" };
        format!(" \"{short}{more}\"")
    });
    match reason.rule.as_str() {
        "required" => "thiếu giá trị".to_owned(),
        "type" => format!("giá trị{value} không phải là {}", kind(field)),
        "pattern" | "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum"
        | "minLength" | "maxLength" | "enum" => {
            format!("giá trị{value} {}", beyond(&reason.rule, field))
        }
        "future" => format!("giá trị{value} nằm trong tương lai"),
        "foreignKey" => format!(
            "giá trị{value} không có trong {}",
            targets(reason, contract)
        ),
        "primaryKey" => format!("khóa{value} đã có ở một dòng khác"),
        "unique" => {
            format!("giá trị{value} đã có ở một dòng khác, mà mỗi giá trị chỉ được có một lần")
        }
        "record" => format!(
            "không đọc được dòng này; hãy điền lại các ô theo văn bản gốc ở cột _raw ({})",
            reason.message
        ),
        "mapping" => format!("không tính được giá trị từ dòng này ({})", reason.message),
        _ => reason.message.clone(),
    }
}

/// Which bound of its field a value breaks.
fn beyond(rule: &str, field: Option<&Field>) -> String {
    let limit = |get: fn(&Constraints) -> Option<String>| {
        field
            .and_then(|field| get(&field.constraints))
            .unwrap_or_default()
    };
    let plain = |value: &Option<serde_json::Value>| {
        let text = |value: &serde_json::Value| match value.as_str() {
            Some(text) => text.to_owned(),
            None => value.to_string(),
        };
        value.as_ref().map(text)
    };
    let bound = |of: for<'a> fn(&'a Constraints) -> &'a Option<serde_json::Value>| {
        let bound = field.and_then(|field| plain(of(&field.constraints)));
        bound.unwrap_or_default()
    };
    match rule {
        "pattern" => format!("không đúng mẫu {}", limit(|rules| rules.pattern.clone())),
        "minimum" => format!("nhỏ hơn mức tối thiểu {}", bound(|rules| &rules.minimum)),
        "maximum" => format!("lớn hơn mức tối đa {}", bound(|rules| &rules.maximum)),
        "exclusiveMinimum" => {
            format!("phải lớn hơn {}", bound(|rules| &rules.exclusive_minimum))
        }
        "exclusiveMaximum" => {
            format!("phải nhỏ hơn {}", bound(|rules| &rules.exclusive_maximum))
        }
        "minLength" => {
            let least = limit(|rules| rules.min_length.map(|it| it.to_string()));
            format!("quá ngắn, cần ít nhất {least} {}", units(field))
        }
        "maxLength" => {
            let most = limit(|rules| rules.max_length.map(|it| it.to_string()));
            format!("quá dài, nhiều nhất là {most} {}", units(field))
        }
        _ => {
            let values = limit(|rules| rules.enumeration.as_ref().map(|all| allowed(all)));
            format!("không thuộc các giá trị cho phép: {values}")
        }
    }
}

/// Allowed values named before the rest is only counted.
const SHOWN_MAX: usize = 8;

fn allowed(values: &[String]) -> String {
    let shown = values.iter().take(SHOWN_MAX).cloned().collect::<Vec<_>>();
    let shown = shown.join(", ");
    match values.len().saturating_sub(SHOWN_MAX) {
        0 => shown,
        more => format!("{shown} và {more} giá trị khác"),
    }
}

fn targets(reason: &Reason, contract: Option<&Contract>) -> String {
    let field = reason.field.as_deref().unwrap_or_default();
    let keys = contract.iter().flat_map(|contract| &contract.foreign_keys);
    let key = keys
        .into_iter()
        .find(|key| key.fields.iter().any(|name| name == field));
    let tables = key.iter().flat_map(|key| &key.targets);
    let names: Vec<String> = tables.map(|target| target.table.to_string()).collect();
    if names.is_empty() {
        "bảng được tham chiếu".to_owned()
    } else {
        names.join(" hoặc ")
    }
}

fn units(field: Option<&Field>) -> &'static str {
    match field.map(|field| &field.kind) {
        Some(FieldType::List | FieldType::Object) => "phần tử",
        _ => "ký tự",
    }
}

fn kind(field: Option<&Field>) -> String {
    let Some(field) = field else {
        return "kiểu dữ liệu của cột".to_owned();
    };
    let word = match &field.kind {
        FieldType::Integer => "số nguyên",
        FieldType::Number => "số (dùng dấu chấm thập phân)",
        FieldType::Decimal { .. } => "số thập phân đúng số chữ số",
        FieldType::Boolean { .. } => "giá trị đúng/sai",
        FieldType::Date => "ngày",
        FieldType::Datetime => "ngày giờ",
        FieldType::Time => "giờ trong ngày (HH:MM:SS)",
        FieldType::Year => "năm",
        FieldType::YearMonth => "tháng (YYYY-MM)",
        FieldType::GeoPoint => "tọa độ \"kinh độ, vĩ độ\"",
        FieldType::GeoJson => "hình GeoJSON",
        FieldType::List => "danh sách JSON",
        FieldType::Object => "đối tượng JSON",
        FieldType::String => "văn bản",
    };
    let format = field
        .format
        .as_deref()
        .filter(|it| !matches!(*it, "default" | "any"));
    match (&field.kind, format) {
        (FieldType::Date, None) => format!("{word} (YYYY-MM-DD)"),
        (FieldType::Date | FieldType::Datetime, Some(format)) => {
            format!("{word} theo dạng {format}")
        }
        _ => word.to_owned(),
    }
}
