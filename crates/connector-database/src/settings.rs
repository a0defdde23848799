//! The settings that all databases share: what is read, and how far each stream was read.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use sectorlake_connector::{ConnectorError, Reads, SettingsError};
use serde::Deserialize;

/// Which tables are read: `all`, a list of names, or names with their options.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum TablesSetting {
    /// `all`: every table that the user may see, a stream each. Views are read when they are named.
    All(All),
    /// Names: `stations`, `hr.staff`.
    Names(Vec<String>),
    /// Names with options: `measurements: { incremental: { column: updated_at, lookback: 2d } }`.
    Options(BTreeMap<String, Option<TableSetting>>),
}

/// The word `all`.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum All {
    /// Every table.
    All,
}

/// Options of a table.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TableSetting {
    /// Reads only what is new since the last run. Left out: the whole table in every run.
    #[serde(default)]
    pub(crate) incremental: Option<IncrementalSetting>,
}

/// A query: its SQL, or its SQL with options.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum QuerySetting {
    /// The SQL.
    Sql(String),
    /// The SQL with options.
    Options(QueryOptions),
}

/// A query with options.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueryOptions {
    /// One SELECT, in the database's own SQL.
    sql: String,
    /// Reads only what is new since the last run. Left out: all rows of the query in every run.
    #[serde(default)]
    incremental: Option<IncrementalSetting>,
}

/// Reading on where the last run stopped.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncrementalSetting {
    /// A column that grows with every new or changed row: `updated_at`, `id`. A number, a date or an instant, never NULL; an
    /// index on it keeps the source at ease.
    pub(crate) column: String,
    /// Where the first run begins. Left out: at the first row.
    #[serde(default)]
    pub(crate) start: Option<StartSetting>,
    /// How far behind the highest value the next run begins, for rows that are committed late: `2d`, `6h`, `15m`, `30s`; of a
    /// number, how many. Rows in it come again, so the table needs `load: merge`. Left out: nothing comes twice, and a row that is
    /// committed later than a higher one is missed.
    #[serde(default)]
    pub(crate) lookback: Option<StartSetting>,
}

/// A number or a text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum StartSetting {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

impl std::fmt::Display for StartSetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// How far back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookback {
    /// Of an instant or a date.
    Seconds(u64),
    /// Of a number.
    Units(u64),
}

/// What is read for one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) relation: Relation,
    pub(crate) incremental: Option<Incremental>,
    /// The keys that lead to its settings.
    pub(crate) at: Vec<String>,
}

impl Source {
    /// An error of the stream, with the keys that lead to what is to blame for it from all settings on.
    pub(crate) fn placed(&self, error: ConnectorError) -> ConnectorError {
        let setting = error.setting.as_ref().map(|keys| {
            let keys = keys.iter().cloned();
            self.at.iter().cloned().chain(keys).collect()
        });
        ConnectorError { setting, ..error }
    }

    /// From where on a run reads it.
    pub(crate) fn reads(&self) -> Reads {
        let lookback = self.incremental.as_ref().map(|it| it.lookback);
        match lookback {
            None => Reads::Whole,
            Some(None | Some(Lookback::Seconds(0) | Lookback::Units(0))) => Reads::On,
            Some(Some(_)) => Reads::Overlapping,
        }
    }
}

/// A table or a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Relation {
    /// A table or view, as the settings name it.
    Table(String),
    /// A SELECT.
    Query(String),
}

/// [`IncrementalSetting`], checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Incremental {
    pub(crate) column: String,
    pub(crate) start: Option<String>,
    pub(crate) lookback: Option<Lookback>,
}

/// What the settings want of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Whether every table is a stream.
    pub(crate) all_tables: bool,
    /// The streams that are named.
    pub(crate) sources: BTreeMap<String, Source>,
}

impl Wanted {
    /// What `tables:` and `queries:` say together.
    ///
    /// # Errors
    /// [`SettingsError`] when they name nothing, one name twice, or a lookback that is none.
    pub(crate) fn of(
        tables: Option<TablesSetting>,
        queries: BTreeMap<String, QuerySetting>,
    ) -> Result<Self, SettingsError> {
        let mut wanted = Self::default();
        match tables {
            None => {}
            Some(TablesSetting::All(All::All)) => wanted.all_tables = true,
            Some(TablesSetting::Names(names)) => {
                for (index, name) in names.into_iter().enumerate() {
                    let at = ["tables".to_owned(), index.to_string()];
                    wanted.add_table(name, TableSetting::default(), at)?;
                }
            }
            Some(TablesSetting::Options(options)) => {
                for (name, setting) in options {
                    let at = ["tables".to_owned(), name.clone()];
                    wanted.add_table(name, setting.unwrap_or_default(), at)?;
                }
            }
        }
        for (name, query) in queries {
            wanted.add_query(name, query)?;
        }
        if !wanted.all_tables && wanted.sources.is_empty() {
            return Err(SettingsError::new(
                Vec::new(),
                "neither `tables` nor `queries` names anything to read",
            )
            .with_help(
                "write `tables: all`, `tables: [stations]` or `queries: { open: SELECT … }`",
            ));
        }
        Ok(wanted)
    }

    fn add_table(
        &mut self,
        name: String,
        setting: TableSetting,
        at: [String; 2],
    ) -> Result<(), SettingsError> {
        let path = ["tables", &name];
        let incremental = setting
            .incremental
            .map(|it| it.checked(&path))
            .transpose()?;
        let source = Source {
            relation: Relation::Table(name.clone()),
            incremental,
            at: at.to_vec(),
        };
        match self.sources.insert(name.clone(), source) {
            None => Ok(()),
            Some(_) => Err(
                SettingsError::of_key("tables", format!("names {name:?} twice"))
                    .with_help("keep one of them"),
            ),
        }
    }

    fn add_query(&mut self, name: String, query: QuerySetting) -> Result<(), SettingsError> {
        let path = ["queries", &name];
        let (sql, incremental) = match query {
            QuerySetting::Sql(sql) => (sql, None),
            QuerySetting::Options(options) => (options.sql, options.incremental),
        };
        let sql = sql.trim().trim_end_matches(';').trim_end().to_owned();
        if sql.is_empty() {
            return Err(wrong(&path, "is empty", "write one SELECT"));
        }
        let incremental = incremental.map(|it| it.checked(&path)).transpose()?;
        let source = Source {
            relation: Relation::Query(sql),
            incremental,
            at: path.map(str::to_owned).to_vec(),
        };
        match self.sources.insert(name.clone(), source) {
            None => Ok(()),
            Some(_) => Err(wrong(
                &path,
                "has the name of a table",
                "give the query a name of its own",
            )),
        }
    }
}

impl IncrementalSetting {
    fn checked(self, path: &[&str]) -> Result<Incremental, SettingsError> {
        let lookback = match &self.lookback {
            None => None,
            Some(text) => Some(lookback(&text.to_string()).ok_or_else(|| {
                let path = [path, &["incremental", "lookback"]].concat();
                wrong(
                    &path,
                    &format!("{text} is no span"),
                    "write 2d, 6h, 15m or 30s; of a number, how many",
                )
            })?),
        };
        Ok(Incremental {
            column: self.column,
            start: self.start.map(|start| start.to_string()),
            lookback,
        })
    }
}

fn lookback(text: &str) -> Option<Lookback> {
    let text = text.trim();
    if let Ok(units) = text.parse() {
        return Some(Lookback::Units(units));
    }
    let (unit_at, unit) = text.char_indices().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    let count: u64 = text[..unit_at].trim().parse().ok()?;
    // The longest span that every database adds to an instant.
    let span = count
        .checked_mul(seconds)
        .filter(|&span| span <= 86_400 * 36_500)?;
    Some(Lookback::Seconds(span))
}

pub(crate) fn wrong(path: &[&str], message: &str, help: &str) -> SettingsError {
    let path = path.iter().map(|&step| step.to_owned()).collect();
    SettingsError::new(path, message).with_help(help)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use serde_json::json;

    use super::*;

    fn wanted(tables: serde_json::Value, queries: serde_json::Value) -> Result<Wanted, String> {
        let tables = serde_json::from_value(tables).unwrap();
        let queries = serde_json::from_value(queries).unwrap();
        Wanted::of(tables, queries)
            .map_err(|error| format!("{error} / {}", error.help.as_deref().unwrap_or_default()))
    }

    #[test]
    fn tables_are_all_a_list_or_a_map() {
        assert!(wanted(json!("all"), json!({})).unwrap().all_tables);
        let list = wanted(json!(["a", "b c"]), json!({"q": "SELECT 1;\n"})).unwrap();
        assert_eq!(list.sources.keys().collect::<Vec<_>>(), ["a", "b c", "q"]);
        assert_eq!(
            list.sources["q"].relation,
            Relation::Query("SELECT 1".to_owned())
        );
        let map = json!({"a": null, "b": {"incremental": {"column": "at", "start": 7, "lookback": "2d"}}});
        let map = wanted(map, json!({})).unwrap();
        assert_eq!(map.sources["a"].incremental, None);
        let expected = Incremental {
            column: "at".to_owned(),
            start: Some("7".to_owned()),
            lookback: Some(Lookback::Seconds(172_800)),
        };
        assert_eq!(map.sources["b"].incremental, Some(expected));
    }

    #[test]
    fn spans_have_a_unit_unless_they_are_of_numbers() {
        for (text, expected) in [
            ("30s", Some(Lookback::Seconds(30))),
            ("15m", Some(Lookback::Seconds(900))),
            ("6 h", Some(Lookback::Seconds(21_600))),
            ("1000", Some(Lookback::Units(1000))),
            ("0", Some(Lookback::Units(0))),
            ("2w", None),
            ("-1d", None),
            ("d", None),
            ("", None),
            ("99999999999d", None),
            ("2ngày", None),
        ] {
            assert_eq!(lookback(text), expected, "{text}");
        }
    }

    #[test]
    fn a_misspelt_key_is_told_at_its_place() {
        let mut registrations = crate::registrations().into_iter();
        let postgres = registrations.find(|it| it.name() == "postgres");
        let context = sectorlake_connector::MakeContext::new(".", "demo", |_| None);
        let said = |tables: serde_json::Value, queries: serde_json::Value| {
            let settings =
                json!({ "url": "postgres://a@h/d", "tables": tables, "queries": queries });
            let settings = settings.as_object().unwrap().clone();
            let error = postgres
                .as_ref()
                .unwrap()
                .make(settings, &context)
                .err()
                .unwrap();
            format!("{error} / {}", error.help.as_deref().unwrap_or_default())
        };
        let none = || json!({});
        let all = [
            said(
                json!({ "a": { "incremental": { "column": "at", "lookbak": "1h" } } }),
                none(),
            ),
            said(json!({ "a": { "incremental": { "colum": "at" } } }), none()),
            said(json!({ "a": { "incremental": "at" } }), none()),
            said(json!({ "a": "at" }), none()),
            said(json!("al"), none()),
            said(json!(7), none()),
            said(json!(["a"]), json!({ "q": { "sq": "SELECT 1" } })),
            said(
                json!(["a"]),
                json!({ "q": { "sql": "SELECT 1", "incremental": { "lookback": "1h" } } }),
            ),
        ];
        insta::assert_snapshot!(all.join("\n"));
    }

    #[test]
    fn what_names_nothing_or_twice_is_told() {
        let said = [
            wanted(json!(null), json!({})),
            wanted(json!([]), json!({})),
            wanted(json!(["a", "a"]), json!({})),
            wanted(json!(["a"]), json!({"a": "SELECT 1"})),
            wanted(json!(null), json!({"a": " ; "})),
            wanted(
                json!({"a": {"incremental": {"column": "at", "lookback": "soon"}}}),
                json!({}),
            ),
        ];
        let said: Vec<String> = said.into_iter().map(Result::unwrap_err).collect();
        insta::assert_snapshot!(said.join("\n"));
    }
}
