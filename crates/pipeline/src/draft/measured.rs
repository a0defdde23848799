//! Tables with a column for each thing that is measured or counted: each becomes a row of the shared table.

use sectorlake_contract::{Contract, Contracts};
use sectorlake_normalise::{DateOrder, Shape};

use super::aliases;
use super::columns::SourceColumn;
use super::mapping::{self, Line};
use super::score::{self, Match};
use crate::names::quoted;

/// Columns of known things that make a table one of these, at least.
const KINDS_MIN: usize = 2;

/// A kind of thing: its code in the shared table, the UCUM code of its usual unit, and names of columns, folded.
type Kind = (&'static str, &'static str, &'static [&'static str]);

/// What stations measure, in the names of OpenAQ and EEA.
const PROPERTIES: &[Kind] = &[
    ("pm25", "ug/m3", &["pm2 5", "pm25", "bui min"]),
    ("pm10", "ug/m3", &["pm10", "pm 10"]),
    ("pm1", "ug/m3", &["pm1", "pm1 0"]),
    ("no2", "ug/m3", &["no2"]),
    ("so2", "ug/m3", &["so2"]),
    ("o3", "ug/m3", &["o3", "ozone", "ozon"]),
    ("co", "ug/m3", &["co"]),
    (
        "temperature",
        "Cel",
        &["nhiet do", "temperature", "temp", "nhiet do khong khi"],
    ),
    (
        "relativehumidity",
        "%",
        &["do am", "humidity", "relative humidity", "do am tuong doi"],
    ),
    (
        "pressure",
        "hPa",
        &["ap suat", "khi ap", "pressure", "atmospheric pressure"],
    ),
    ("windspeed", "m/s", &["toc do gio", "wind speed"]),
    (
        "rainfall",
        "mm",
        &["luong mua", "mua", "rainfall", "precipitation"],
    ),
    ("waterlevel", "m", &["muc nuoc", "water level"]),
    ("discharge", "m3/s", &["luu luong nuoc", "discharge"]),
];

/// What counters count, in DATEX II's words.
const VEHICLES: &[Kind] = &[
    (
        "motorcycle",
        "",
        &["so xe may", "xe may", "motorcycles", "motorbikes"],
    ),
    (
        "car",
        "",
        &["so o to", "o to", "o to con", "xe con", "cars"],
    ),
    (
        "bus",
        "",
        &["xe buyt", "xe khach", "so xe buyt", "so xe khach", "buses"],
    ),
    (
        "lorry",
        "",
        &["xe tai", "so xe tai", "o to tai", "trucks", "lorries"],
    ),
    (
        "bicycle",
        "",
        &["xe dap", "so xe dap", "bicycles", "bikes", "cyclists"],
    ),
];

/// What candidates are examined in, in the short words of `education.exam_results`.
const SUBJECTS: &[Kind] = &[
    ("toan", "", &["toan", "mon toan", "diem toan"]),
    ("ngu_van", "", &["ngu van", "van", "diem van"]),
    (
        "ngoai_ngu",
        "",
        &["ngoai ngu", "tieng anh", "anh", "anh van"],
    ),
    ("vat_li", "", &["vat li", "vat ly", "ly", "li"]),
    ("hoa_hoc", "", &["hoa hoc", "hoa"]),
    ("sinh_hoc", "", &["sinh hoc", "sinh"]),
    ("lich_su", "", &["lich su", "su"]),
    ("dia_li", "", &["dia li", "dia ly", "dia"]),
    ("gdcd", "", &["gdcd", "giao duc cong dan"]),
    ("tin_hoc", "", &["tin hoc", "tin"]),
];

/// A shared table that such sources feed.
struct Form {
    table: &'static str,
    kinds: &'static [Kind],
    /// The fields of the kind, its value and its unit.
    kind: &'static str,
    value: &'static str,
    unit: Option<&'static str>,
    /// A field that a column must be for: when it was measured, or who was examined.
    anchor: &'static str,
    /// The field of the place, which the pipeline's name may stand for.
    place: Option<&'static str>,
}

const FORMS: [Form; 3] = [
    Form {
        table: "environment.observations",
        kinds: PROPERTIES,
        kind: "observed_property",
        value: "result",
        unit: Some("unit"),
        anchor: "phenomenon_time",
        place: Some("station_id"),
    },
    Form {
        table: "transport.traffic_counts",
        kinds: VEHICLES,
        kind: "vehicle_type",
        value: "vehicle_count",
        unit: None,
        anchor: "period_start",
        place: Some("site_id"),
    },
    Form {
        table: "education.exam_results",
        kinds: SUBJECTS,
        kind: "subject_code",
        value: "score",
        unit: None,
        anchor: "candidate_number",
        place: None,
    },
];

/// A source with a column for each kind.
pub(super) struct Measured<'a> {
    pub(super) contract: &'a Contract,
    /// Columns that stay.
    pub(super) keep: Vec<String>,
    /// How many columns become rows.
    pub(super) kinds: usize,
    pub(super) lines: Vec<Line>,
    /// Columns that no field takes.
    pub(super) rest: Vec<String>,
}

/// The source as rows of a shared table, where it has columns for two known kinds and one for the time; `name` is the pipeline's.
pub(super) fn find<'a>(
    contracts: &'a Contracts,
    columns: &[SourceColumn],
    name: &str,
) -> Option<Measured<'a>> {
    FORMS.iter().find_map(|form| {
        let contract = contracts.get(&form.table.parse().ok()?)?;
        of(form, contract, contracts, columns, name)
    })
}

fn of<'a>(
    form: &Form,
    contract: &'a Contract,
    contracts: &Contracts,
    columns: &[SourceColumn],
    name: &str,
) -> Option<Measured<'a>> {
    let (melt, keep): (Vec<&SourceColumn>, Vec<&SourceColumn>) = columns
        .iter()
        .partition(|column| form.kind_of(column).is_some());
    let keep: Vec<SourceColumn> = keep.into_iter().cloned().collect();
    let matches = score::table(contract, contracts, &keep, "").matches;
    let field_of = |name: &str| contract.fields.iter().position(|field| field.name == name);
    let anchor = field_of(form.anchor)?;
    let has_anchor = matches.iter().any(|found| found.field == anchor);
    if melt.len() < KINDS_MIN || !has_anchor {
        return None;
    }
    let lines = form.lines((contract, name), (&melt, &keep), &matches);
    Some(Measured {
        contract,
        kinds: melt.len(),
        rest: mapping::unmatched(&keep, |index| {
            let name = quoted(&keep[index].name);
            lines.iter().any(|line| line.sql.contains(&name))
        }),
        keep: keep.into_iter().map(|column| column.name).collect(),
        lines,
    })
}

impl Form {
    /// What a column measures or counts.
    fn kind_of(&self, column: &SourceColumn) -> Option<&'static Kind> {
        let mut kinds = self.kinds.iter();
        let is_number = column.is_mostly_number() || column.shape() == Shape::Empty;
        kinds.find(|(.., names)| is_number && names.contains(&column.folded.as_str()))
    }

    /// The lines of the mapping: those of the columns that stay, and of the kind, its value and its unit.
    fn lines(
        &self,
        (contract, name): (&Contract, &str),
        (melt, keep): (&[&SourceColumn], &[SourceColumn]),
        matches: &[Match],
    ) -> Vec<Line> {
        let mut lines = mapping::lines((contract, name), keep, matches);
        let mut put = |field: &str, sql: String, notes: Vec<String>| {
            let line = Line::new(sql, field, notes);
            match lines.iter_mut().find(|known| known.field == field) {
                Some(known) => *known = line,
                None => lines.push(line),
            }
        };
        put(self.kind, self.case(melt, |kind| kind.0), Vec::new());
        put(self.value, number(melt), Vec::new());
        if let Some(unit) = self.unit {
            let note = "not sure: the source does not say its units; these are usual ones";
            put(unit, self.case(melt, |kind| kind.1), vec![note.to_owned()]);
        }
        let is_matched = |name: &str| {
            let mut fields = matches.iter().map(|found| &contract.fields[found.field]);
            fields.any(|field| field.name == name)
        };
        if let Some(station) = self.place.filter(|name| !is_matched(name)) {
            let note = "not sure: no column names the place of measurement: the pipeline's name stands for it";
            put(station, format!("'{name}'"), vec![note.to_owned()]);
        }
        if self.anchor == "period_start" {
            counting(keep, &mut put);
        }
        lines
    }

    /// What is said of its kind by the name of the column that a value comes from.
    fn case(&self, melt: &[&SourceColumn], of: fn(&Kind) -> &'static str) -> String {
        let cases = melt.iter().filter_map(|column| {
            let word = column.name.replace('\'', "''");
            Some(format!(
                "WHEN '{word}' THEN '{}'",
                of(self.kind_of(column)?)
            ))
        });
        format!("CASE period {} END", cases.collect::<Vec<_>>().join(" "))
    }
}

/// The number in a cell of the columns that become rows.
fn number(melt: &[&SourceColumn]) -> String {
    let has_comma = melt
        .iter()
        .any(|column| column.shape() == Shape::NumberComma);
    match has_comma {
        true => "parse_number(value, ',', '.')".to_owned(),
        false => "value".to_owned(),
    }
}

/// When counting began and how long it lasted, from a day and an hour beside it.
fn counting(keep: &[SourceColumn], put: &mut impl FnMut(&str, String, Vec<String>)) {
    let named = |names: &'static [&'static str]| {
        move |column: &&SourceColumn| {
            names
                .iter()
                .any(|name| column.folded == *name || aliases::holds(&column.folded, name))
        }
    };
    let day = keep
        .iter()
        .find(|column| matches!(column.shape(), Shape::Date(_)));
    let hour = keep
        .iter()
        .filter(|column| matches!(column.shape(), Shape::Integer | Shape::Code | Shape::Time))
        .find(named(&["gio", "hour", "time"]));
    if let Some(day) = day {
        let text = match day.shape() {
            Shape::Date(DateOrder::Iso) => quoted(&day.name),
            shape => format!(
                "CAST({} AS VARCHAR)",
                mapping::date(shape, quoted(&day.name), &mut Vec::new())
            ),
        };
        let of_day = hour.map(|hour| match hour.shape() {
            Shape::Time => quoted(&hour.name),
            _ => format!("lpad(trim({}), 2, '0') || ':00:00'", quoted(&hour.name)),
        });
        let clock = of_day.unwrap_or_else(|| "'00:00:00'".to_owned());
        let note = "not sure: the day, and the hour where there is one, in local time";
        put(
            "period_start",
            format!("{text} || 'T' || {clock} || '+07:00'"),
            vec![note.to_owned()],
        );
    }
    let (length, unit) = if hour.is_some() {
        ("3600", "hour")
    } else {
        ("86400", "day")
    };
    let note = format!(
        "not sure: no column says how long counting lasted; a row for each {unit} is taken for it"
    );
    put("period_length", length.to_owned(), vec![note]);
}
