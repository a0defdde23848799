//! Secrets that a source echoes are not kept: each byte of theirs becomes an asterisk.

use crate::forms;

/// Shorter secrets stand in a body by chance.
const SECRET_BYTES_MIN: usize = 4;

/// Veils bytes as they stream by.
#[derive(Debug, Default)]
pub(super) struct Veil {
    /// The longest first.
    secrets: Vec<Vec<u8>>,
    /// What may be the beginning of a secret.
    held: Vec<u8>,
}

impl Veil {
    pub(super) fn of(secrets: Vec<String>) -> Self {
        let mut secrets: Vec<Vec<u8>> = forms::all(&secrets)
            .into_iter()
            .map(String::into_bytes)
            .filter(|secret| secret.len() >= SECRET_BYTES_MIN)
            .collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self {
            secrets,
            held: Vec::new(),
        }
    }

    /// What can be given on, now that `bytes` have come.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Some(longest) = self.secrets.first().map(Vec::len) else {
            return bytes.to_vec();
        };
        self.held.extend_from_slice(bytes);
        // At each place the longest secret is looked for first, so all of it must be there.
        let settled = (self.held.len() + 1).saturating_sub(longest);
        self.give(settled)
    }

    /// What was still held.
    pub(super) fn end(&mut self) -> Vec<u8> {
        self.give(self.held.len())
    }

    /// Veils the secrets that begin before `settled`, and gives what comes before the rest.
    fn give(&mut self, settled: usize) -> Vec<u8> {
        let mut at = 0;
        while at < settled {
            let here = &self.held[at..];
            let found = self.secrets.iter().find(|secret| here.starts_with(secret));
            match found.map(Vec::len) {
                Some(length) => {
                    self.held[at..at + length].fill(b'*');
                    at += length;
                }
                None => at += 1,
            }
        }
        let rest = self.held.split_off(at);
        std::mem::replace(&mut self.held, rest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn veiled(bytes: &[u8], size: usize, secrets: &[&str]) -> String {
        let mut veil = Veil::of(secrets.iter().map(|&secret| secret.to_owned()).collect());
        let mut all = Vec::new();
        for piece in bytes.chunks(size) {
            all.extend(veil.push(piece));
        }
        all.extend(veil.end());
        String::from_utf8_lossy(&all).into_owned()
    }

    #[test]
    fn secrets_become_asterisks_of_the_same_length() {
        for size in 1..12 {
            assert_eq!(
                veiled(
                    b"key=s3cr3t&b=s3cr3t-long.",
                    size,
                    &["s3cr3t", "s3cr3t-long", "k"]
                ),
                "key=******&b=***********."
            );
            assert_eq!(veiled(b"as it came", size, &[]), "as it came");
        }
    }

    proptest! {
        #[test]
        fn no_secret_passes_however_the_bytes_are_cut(
            before in "[a-d]{0,30}", after in "[a-d]{0,30}", secret in "[a-d]{4,8}", size in 1usize..20
        ) {
            let bytes = format!("{before}{secret}{after}");
            let found = veiled(bytes.as_bytes(), size, &[&secret]);
            prop_assert_eq!(found.len(), bytes.len());
            prop_assert!(!found.contains(&secret));
        }
    }
}
