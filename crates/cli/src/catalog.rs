//! What the lake tells about itself, as SQL over `meta.*`: the one place that knows those tables' columns.

use std::env;

use crate::args::RejectedArgs;

/// In which language a title is shown where there is room for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// Vietnamese.
    Vi,
    /// English.
    En,
}

impl Language {
    /// What the user's locale asks for; English where it names neither.
    pub(crate) fn of_user() -> Self {
        let set = |name: &str| env::var(name).ok().filter(|it| !it.is_empty());
        Self::of_locale(
            set("LC_ALL")
                .or_else(|| set("LC_MESSAGES"))
                .or_else(|| set("LANG"))
                .as_deref(),
        )
    }

    fn of_locale(locale: Option<&str>) -> Self {
        match locale {
            Some(name) if name.starts_with("vi") => Self::Vi,
            _ => Self::En,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Vi => "coalesce(title_vi, title_en)",
            Self::En => "coalesce(title_en, title_vi)",
        }
    }
}

/// A text as an SQL literal.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `schema.table` as two literals' condition; a name without a schema is looked for in all.
fn is_table(name: &str) -> String {
    match name.split_once('.') {
        Some((schema, table)) => format!(
            "table_schema = {} AND table_name = {}",
            literal(schema),
            literal(table)
        ),
        None => format!("table_name = {}", literal(name)),
    }
}

/// Who reads a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// A person: what fits a terminal, so a day, and how many. `describe` names them.
    Person,
    /// A program: the instant, and every name.
    Program,
}

/// The tables: rows, sources, when updated, title. `word` keeps those whose name contains it.
pub(crate) fn tables(word: Option<&str>, language: Language, reader: Audience) -> String {
    let (sources, updated) = match reader {
        Audience::Person => (
            "coalesce(cardinality(string_to_array(nullif(sources, ''), ', ')), 0) AS sources",
            "CAST(updated_at AS DATE)",
        ),
        Audience::Program => ("sources", "updated_at"),
    };
    let named = word.map_or_else(String::new, |word| {
        format!(
            "\nWHERE strpos(concat(table_schema, '.', table_name), {}) > 0",
            literal(word)
        )
    });
    format!(
        "SELECT concat(table_schema, '.', table_name) AS \"table\", row_count AS \"rows\", \
         {sources}, {updated} AS updated, {} AS title\n\
         FROM meta.tables{named}\nORDER BY 1",
        language.title()
    )
}

/// The schemas: how many tables and rows each holds.
pub(crate) fn schemas() -> String {
    "SELECT table_schema AS \"schema\", count(*) AS \"tables\", sum(row_count) AS \"rows\" FROM meta.tables WHERE table_type = 'BASE TABLE' GROUP BY table_schema ORDER BY 1".to_owned()
}

/// The snapshots, the newest first.
pub(crate) fn snapshots(reader: Audience) -> String {
    match reader {
        // Eight tables of one feed are told as their schema and how many.
        Audience::Person => {
            "WITH changes AS (\n\
               SELECT snapshot, published_at, pipeline, changed_tables, split_part(changed_tables, '.', 1) AS changed_schema,\n\
                 coalesce(cardinality(string_to_array(nullif(changed_tables, ''), ', ')), 0) AS changed_count\n\
               FROM meta.snapshots\n\
             )\n\
             SELECT snapshot, to_char(published_at, '%Y-%m-%d %H:%M') AS \"published (UTC)\", pipeline,\n\
               CASE WHEN changed_count < 2 THEN changed_tables\n\
                 WHEN regexp_like(changed_tables, concat('^', changed_schema, '\\.[^.]+(, ', changed_schema, '\\.[^.]+)*$')) THEN concat(changed_schema, ': ', changed_count, ' tables')\n\
                 ELSE concat(changed_count, ' tables') END AS changed\n\
             FROM changes ORDER BY snapshot DESC"
        }
        Audience::Program => {
            "SELECT snapshot, date_trunc('second', published_at) AS published, pipeline, run, changed_tables AS changed FROM meta.snapshots ORDER BY snapshot DESC"
        }
    }
    .to_owned()
}

/// What is known of one table: a row, or none where there is no such table.
pub(crate) fn table(name: &str) -> String {
    format!("SELECT * FROM meta.tables WHERE {}", is_table(name))
}

/// The names of all tables.
pub(crate) fn table_names() -> String {
    "SELECT concat(table_schema, '.', table_name) AS name FROM meta.tables".to_owned()
}

/// The pipelines that ever ran.
pub(crate) fn pipelines() -> String {
    "SELECT DISTINCT pipeline AS name FROM meta.runs".to_owned()
}

/// Which titles of its columns a table is described with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Titles {
    /// Every language's.
    All,
    /// One language's, where there is no room for all.
    In(Language),
}

/// The columns of one table, as people read them.
pub(crate) fn columns(name: &str, titles: Titles) -> String {
    let titles = match titles {
        Titles::All => {
            "coalesce(title_vi, '') AS title_vi, coalesce(title_en, '') AS title_en".to_owned()
        }
        Titles::In(language) => format!("coalesce({}, '') AS title", language.title()),
    };
    format!(
        "SELECT column_name AS \"column\", concat(coalesce(\"type\", lower(data_type)), \
         CASE \"interval\" WHEN 'start' THEN ', start of an interval' WHEN 'end' THEN ', end of an interval' WHEN 'period' THEN ', a whole period' ELSE '' END, \
         ', read in ' || time_zone) AS \"type\", \
         CASE WHEN is_key THEN 'key' WHEN NOT is_nullable THEN 'required' ELSE '' END AS \"constraint\", \
         coalesce(unit, '') AS unit, coalesce(classification, '') AS \"class\", {titles}\n\
         FROM meta.columns WHERE {} ORDER BY ordinal_position",
        is_table(name)
    )
}

/// Runs that are told to whoever named one that is none.
const RUNS_TOLD: u8 = 5;

/// Whether a run ever was (of the pipelines, where some are named).
pub(crate) fn run(run: &str, pipelines: &[String]) -> String {
    format!(
        "SELECT run FROM meta.runs WHERE run = {}{} LIMIT 1",
        literal(run),
        and_of("pipeline", pipelines)
    )
}

/// The latest runs that looked at rows.
pub(crate) fn latest_runs(pipelines: &[String]) -> String {
    format!(
        "SELECT run, pipeline FROM meta.runs WHERE outcome IN ('published', 'failed'){} ORDER BY run DESC LIMIT {RUNS_TOLD}",
        and_of("pipeline", pipelines)
    )
}

/// A further condition: that of the pipelines; none where all are meant.
fn and_of(column: &str, pipelines: &[String]) -> String {
    match pipelines {
        [] => String::new(),
        some => format!(" AND {}", is_of(column, some)),
    }
}

fn is_of(column: &str, pipelines: &[String]) -> String {
    let names: Vec<String> = pipelines.iter().map(|name| literal(name)).collect();
    format!("{column} IN ({})", names.join(", "))
}

/// The columns of one table with everything that is known of them.
pub(crate) fn columns_in_full(name: &str) -> String {
    format!(
        "SELECT * FROM meta.columns WHERE {} ORDER BY ordinal_position",
        is_table(name)
    )
}

/// Which profiles of a table are meant.
fn profiled(name: &str, run: Option<&str>) -> String {
    let runs = match run {
        Some(run) => format!("p.run = {}", literal(run)),
        None => format!(
            "p.run IN (SELECT max(q.run) FROM meta.profiles q JOIN meta.runs r ON r.run = q.run WHERE r.outcome = 'published' AND concat(q.table_schema, '.', q.table_name) = {} GROUP BY q.pipeline)",
            literal(name)
        ),
    };
    format!(
        "concat(p.table_schema, '.', p.table_name) = {} AND {runs}",
        literal(name)
    )
}

/// What stands in the columns of a table, for people.
pub(crate) fn profile(name: &str, run: Option<&str>) -> String {
    format!(
        "SELECT p.pipeline, p.column_name AS \"column\", coalesce(p.source_type, '') AS \"source\", p.\"rows\", p.nulls,\n\
           p.distinct_about AS \"distinct\", coalesce(p.min, '') AS min, coalesce(p.max, '') AS max, coalesce(CAST(round(p.mean, 3) AS VARCHAR), '') AS mean, coalesce(CAST(p.p50 AS VARCHAR), '') AS median,\n\
           concat_ws(', ', json_get_str(p.frequent, 0, 'value'), json_get_str(p.frequent, 1, 'value'), json_get_str(p.frequent, 2, 'value')) AS frequent\n\
         FROM meta.profiles p WHERE {} AND p.side = 'field' ORDER BY p.pipeline, p.position",
        profiled(name, run)
    )
}

/// The same, with all that is known.
pub(crate) fn profile_in_full(name: &str, run: Option<&str>) -> String {
    format!(
        "SELECT * FROM meta.profiles p WHERE {} ORDER BY p.pipeline, p.side, p.position",
        profiled(name, run)
    )
}

/// The tables that a view of several versions shows, by its name; none where it is no such view.
pub(crate) fn versions_behind(view: &str) -> String {
    format!(
        "SELECT concat(t.table_schema, '.', t.table_name) AS name FROM meta.tables t\n\
         JOIN meta.tables v ON v.table_type = 'VIEW' AND (t.version_of = v.version_of OR concat(t.table_schema, '.', t.table_name) = v.version_of)\n\
         WHERE t.table_type = 'BASE TABLE' AND concat(v.table_schema, '.', v.table_name) = {} ORDER BY 1",
        literal(view)
    )
}

/// Columns whose source mixes types.
pub(crate) fn mixed(name: &str, run: Option<&str>) -> String {
    format!(
        "SELECT p.pipeline, p.column_name AS \"column\", p.why FROM meta.profiles p WHERE {} AND p.side = 'field' AND p.why LIKE '% mixes %' ORDER BY p.pipeline, p.position",
        profiled(name, run)
    )
}

/// Samples of each reason in the summary of rejected rows.
const SAMPLES: u8 = 3;

/// The latest run of each pipeline that judged rows. Ids of runs are UUIDs of version 7: the largest is the latest. A run that changed
/// nothing, or failed before it came to a row, hides nothing of what the one before it rejected.
const LATEST_JUDGED: &str = "SELECT max(run) FROM (SELECT pipeline, run FROM meta.run_tables UNION ALL SELECT pipeline, run FROM meta.run_parts UNION ALL SELECT pipeline, run FROM meta.rejected_rows) GROUP BY pipeline";

/// The runs whose rejected rows are told by default, and the last published one of a pipeline beside a later one that failed.
pub(crate) fn judged_runs(pipelines: &[String]) -> String {
    let pipelines = and_of("r.pipeline", pipelines);
    format!(
        "SELECT r.pipeline, r.run, r.outcome, to_char(r.started_at, '%Y-%m-%d %H:%M') AS started, r.snapshot,\n\
           (SELECT max(s.run) FROM meta.snapshots s WHERE s.pipeline = r.pipeline) AS published\n\
         FROM meta.runs r WHERE r.run IN ({LATEST_JUDGED}){pipelines} ORDER BY r.pipeline"
    )
}

/// Which rejected rows are meant: of pipelines, of a run, by default of each pipeline's latest run that judged rows.
fn which(args: &RejectedArgs) -> String {
    let mut conditions = Vec::new();
    if !args.pipelines.is_empty() {
        conditions.push(is_of("r.pipeline", &args.pipelines));
    }
    if let Some(run) = &args.run {
        conditions.push(format!("r.run = {}", literal(run)));
    } else if !args.all_runs {
        conditions.push(format!("r.run IN ({LATEST_JUDGED})"));
    }
    if conditions.is_empty() {
        return String::new();
    }
    format!("WHERE {}", conditions.join(" AND "))
}

/// Why rows were rejected, how many, and samples with file and row.
pub(crate) fn rejected_summary(args: &RejectedArgs) -> String {
    format!(
        "WITH reasons AS (\n\
           SELECT r.pipeline, concat(r.table_schema, '.', r.table_name) AS \"table\", coalesce(r.field, '') AS field,\n\
             CASE WHEN r.severity = 'warn' THEN concat(r.rule, ', only marked') ELSE r.rule END AS rule, r.message, r.file, r.\"row\",\n\
             row_number() OVER (PARTITION BY r.pipeline, r.table_schema, r.table_name, r.field, r.rule, r.severity ORDER BY r.run DESC, r.file, r.\"row\") AS sample\n\
           FROM meta.rejected_rows r {}\n\
         )\n\
         SELECT pipeline, \"table\", field, rule, count(*) AS \"rows\",\n\
           array_to_string(array_agg(concat(file, ' row ', \"row\", ': ', message) ORDER BY sample) FILTER (WHERE sample <= {SAMPLES}), chr(10)) AS samples\n\
         FROM reasons GROUP BY pipeline, \"table\", field, rule\n\
         ORDER BY pipeline, \"table\", \"rows\" DESC, field, rule",
        which(args)
    )
}

/// Every broken rule of every rejected row: the list for the data's owner.
pub(crate) fn rejected_rows(args: &RejectedArgs) -> String {
    format!(
        "SELECT r.pipeline, r.run, concat(table_schema, '.', table_name) AS \"table\", file, \"row\", field, rule, severity, \"value\", message, record\n\
         FROM meta.rejected_rows r {}\n\
         ORDER BY r.pipeline, r.run, \"table\", file, \"row\", reason",
        which(args)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_sql() {
        assert_eq!(literal("o'clock"), "'o''clock'");
        assert!(table("x'; --").ends_with("table_name = 'x''; --'"));
        assert!(tables(Some("a'b"), Language::En, Audience::Person).contains("'a''b'"));
        let names = ["a", "b'"].map(str::to_owned);
        assert_eq!(and_of("pipeline", &names), " AND pipeline IN ('a', 'b''')");
        assert_eq!(and_of("pipeline", &[]), "");
    }

    #[test]
    fn the_locale_chooses_the_title() {
        for (locale, expected) in [
            (Some("vi_VN.UTF-8"), Language::Vi),
            (Some("en_GB.UTF-8"), Language::En),
            (Some("C"), Language::En),
            (None, Language::En),
        ] {
            assert_eq!(Language::of_locale(locale), expected, "{locale:?}");
        }
    }
}
