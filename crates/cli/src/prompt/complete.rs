//! What Tab offers: table names, columns of the tables a statement names, functions, keywords.

use std::collections::{BTreeMap, BTreeSet};

use super::command;

/// Keywords of the read-only SQL the lake answers.
const KEYWORDS: [&str; 78] = [
    "ALL",
    "AND",
    "ANY",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CROSS JOIN",
    "CUBE",
    "CURRENT ROW",
    "DATE",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "EXPLAIN ANALYZE",
    "EXTRACT",
    "FALSE",
    "FILTER",
    "FIRST",
    "FOLLOWING",
    "FROM",
    "FULL JOIN",
    "GROUP BY",
    "GROUPING SETS",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER JOIN",
    "INTERSECT",
    "INTERVAL",
    "IS NOT NULL",
    "IS NULL",
    "JOIN",
    "LAST",
    "LATERAL",
    "LEFT JOIN",
    "LIKE",
    "LIMIT",
    "NATURAL JOIN",
    "NOT",
    "NULL",
    "NULLS FIRST",
    "NULLS LAST",
    "OFFSET",
    "ON",
    "OR",
    "ORDER BY",
    "OVER",
    "PARTITION BY",
    "PRECEDING",
    "QUALIFY",
    "RANGE",
    "RECURSIVE",
    "RIGHT JOIN",
    "ROLLUP",
    "ROWS",
    "SELECT",
    "SHOW TABLES",
    "SIMILAR TO",
    "TABLE",
    "THEN",
    "TIMESTAMP",
    "TRUE",
    "UNBOUNDED",
    "UNION",
    "UNION ALL",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
];

/// Names a session knows.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// `schema.table` to its columns.
    pub(crate) tables: BTreeMap<String, Vec<String>>,
    /// Functions.
    pub(crate) functions: BTreeSet<String>,
}

impl Names {
    /// Where the word at the cursor starts (a byte of `line`), and what could stand there.
    pub(super) fn candidates(&self, line: &str, cursor: usize) -> (usize, Vec<String>) {
        let before = &line[..cursor];
        let start = before
            .char_indices()
            .rev()
            .take_while(|(_, c)| c.is_alphanumeric() || matches!(c, '_' | '.' | '\\' | '?'))
            .last()
            .map_or(cursor, |(at, _)| at);
        let word = &before[start..];
        if before.trim_start().starts_with('\\') {
            return (start, self.after_backslash(word));
        }
        let found = match word.rsplit_once('.') {
            Some((owner, column)) => self.after_dot(line, word, owner, column),
            None if word.is_empty() => Vec::new(),
            None => self.anything(line, word),
        };
        (start, found)
    }

    fn after_backslash(&self, word: &str) -> Vec<String> {
        if word.starts_with('\\') {
            let names = command::NAMES.iter().filter(|it| it.starts_with(word));
            names.map(|it| (*it).to_owned()).collect()
        } else {
            starting(self.tables.keys(), word)
        }
    }

    /// `schema.` offers its tables, `alias.` and `table.` their columns.
    fn after_dot(&self, line: &str, word: &str, owner: &str, column: &str) -> Vec<String> {
        let mut found = starting(self.tables.keys(), word);
        for (name, alias) in self.mentioned(line) {
            let table = name.rsplit('.').next().unwrap_or_default();
            if alias.as_deref() == Some(owner) || owner == name || owner == table {
                let columns = starting(self.tables[name].iter(), column);
                found.extend(columns.into_iter().map(|it| format!("{owner}.{it}")));
            }
        }
        found.sort();
        found.dedup();
        found
    }

    fn anything(&self, line: &str, word: &str) -> Vec<String> {
        let mut found = BTreeSet::new();
        let mentioned = self.mentioned(line);
        for (name, _) in &mentioned {
            found.extend(starting(self.tables[*name].iter(), word));
        }
        // A statement begins with its columns: until a table is named, any table's may be meant.
        if mentioned.is_empty() {
            found.extend(
                self.tables
                    .values()
                    .flat_map(|columns| starting(columns.iter(), word)),
            );
        }
        found.extend(starting(self.tables.keys(), word));
        let schemas = self.tables.keys().filter_map(|it| it.split_once('.'));
        let schemas: BTreeSet<String> = schemas.map(|(schema, _)| format!("{schema}.")).collect();
        found.extend(starting(schemas.iter(), word));
        found.extend(starting(self.functions.iter(), word));
        let small = word.chars().all(|c| !c.is_uppercase());
        for keyword in starting(KEYWORDS.iter(), word) {
            found.insert(if small {
                keyword.to_lowercase()
            } else {
                keyword
            });
        }
        found.into_iter().collect()
    }

    /// The tables a statement names, each with its alias.
    fn mentioned<'a>(&'a self, line: &str) -> Vec<(&'a str, Option<String>)> {
        let words: Vec<&str> = line
            .split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.')))
            .filter(|word| !word.is_empty())
            .collect();
        let mut found = Vec::new();
        for (index, word) in words.iter().enumerate() {
            let Some((name, _)) = self.tables.get_key_value(*word) else {
                continue;
            };
            let mut next = words[index + 1..].iter();
            let mut alias = next.next();
            if alias.is_some_and(|it| it.eq_ignore_ascii_case("as")) {
                alias = next.next();
            }
            let alias = alias.filter(|it| {
                !KEYWORDS
                    .iter()
                    .any(|keyword| keyword.split(' ').any(|part| part.eq_ignore_ascii_case(it)))
            });
            found.push((name.as_str(), alias.map(|it| (*it).to_owned())));
        }
        found
    }
}

/// The names that start with `word`, in any case.
fn starting<T: AsRef<str>>(names: impl Iterator<Item = T>, word: &str) -> Vec<String> {
    names
        .filter(|name| {
            name.as_ref()
                .get(..word.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(word))
        })
        .map(|name| name.as_ref().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let table = |name: &str, columns: &[&str]| {
            let columns = columns.iter().map(|it| (*it).to_owned()).collect();
            (name.to_owned(), columns)
        };
        Names {
            tables: BTreeMap::from([
                table("transport.stops", &["stop_id", "stop_name"]),
                table("transport.stop_times", &["trip_id", "stop_id"]),
                table("education.schools", &["school_id", "name"]),
            ]),
            functions: BTreeSet::from(["st_distance".to_owned(), "sum".to_owned()]),
        }
    }

    fn check(line: &str, expected: &[&str]) {
        let (start, found) = names().candidates(line, line.len());
        assert_eq!(found, expected, "{line}");
        assert!(line.is_char_boundary(start));
    }

    #[test]
    fn tab_offers_what_fits() {
        check("sel", &["select"]);
        check(
            "SELECT * FROM tran",
            &["transport.", "transport.stop_times", "transport.stops"],
        );
        check("select * from transport.stops", &["transport.stops"]);
        check(
            "select * from transport.stops s where s.stop_n",
            &["s.stop_name"],
        );
        check(
            "select * from transport.stops AS p join x where p.stop_i",
            &["p.stop_id"],
        );
        check(
            "select * from transport.stops where stop_",
            &["stop_id", "stop_name"],
        );
        check(
            "select * from transport.stops where stops.stop_i",
            &["stops.stop_id"],
        );
        check("select st", &["st_distance", "stop_id", "stop_name"]);
        check("select 'đường' GRO", &["GROUP BY", "GROUPING SETS"]);
        check("select ", &[]);
        check("\\d", &["\\d", "\\dn", "\\dt"]);
        check("\\d edu", &["education.schools"]);
    }

    #[test]
    fn columns_are_offered_before_the_from_clause_too() {
        let line = "select scho from education.schools";
        let (start, found) = names().candidates(line, "select scho".len());
        assert_eq!((start, found), (7, vec!["school_id".to_owned()]));
    }

    #[test]
    fn a_keyword_is_not_an_alias() {
        check("select * from transport.stops where where.s", &[]);
    }
}
