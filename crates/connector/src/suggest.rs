//! "Did you mean": the nearest of some names.

/// How alike two names must be, by Jaro-Winkler, to be worth a question.
const ALIKE_MIN: f64 = 0.8;

/// The name most like `name`, if any is like it at all.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::jaro_winkler(&wanted, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(alike, _)| *alike >= ALIKE_MIN)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_of_some_names() {
        assert_eq!(nearest("pth", ["path", "format", "member"]), Some("path"));
        assert_eq!(
            nearest("Stops.TXT", ["trips.txt", "stops.txt"]),
            Some("stops.txt")
        );
        assert_eq!(nearest("xyz", ["path", "format"]), None);
        assert_eq!(nearest("xyz", []), None);
    }
}
