//! What was probably meant.

/// Names less alike than this are not worth a guess (0 to 1).
const ALIKE: f64 = 0.75;

/// The candidate that reads most alike, if any is near enough. The last part of a dotted name counts as the name too.
pub(crate) fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let likeness = |candidate: &str| {
        let whole = strsim::jaro_winkler(name, candidate);
        let last = candidate.rsplit('.').next().unwrap_or(candidate);
        if name.contains('.') {
            whole
        } else {
            whole.max(strsim::jaro_winkler(name, last))
        }
    };
    candidates
        .iter()
        .map(|candidate| (likeness(candidate), *candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn guesses_are_near() {
        let known = ["transport.stops", "transport.trips", "education.schools"];
        assert_eq!(nearest("transport.stop", &known), Some("transport.stops"));
        assert_eq!(nearest("shools", &known), Some("education.schools"));
        assert_eq!(nearest("xyz", &known), None);
        assert_eq!(nearest("x", &[]), None);
    }
}
