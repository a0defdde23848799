//! Secrets that a source echoes are not kept: each byte of theirs becomes an asterisk.

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
        let mut secrets: Vec<Vec<u8>> = secrets
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
        for secret in &self.secrets {
            let mut from = 0;
            while let Some(at) = find(&self.held[from..], secret) {
                self.held[from + at..from + at + secret.len()].fill(b'*');
                from += at + secret.len();
            }
        }
        let kept = self.held.len().min(longest - 1);
        let tail = self.held.split_off(self.held.len() - kept);
        std::mem::replace(&mut self.held, tail)
    }

    /// What was still held.
    pub(super) fn end(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
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
