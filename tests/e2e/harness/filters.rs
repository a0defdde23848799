//! What differs from one run to the next, masked in snapshots.

use insta::Settings;

/// Pattern → what stands for it. Earlier ones come first.
const FILTERS: [(&str, &str); 13] = [
    (
        r"(file://)?(/private)?/[^\s:`'\x22)]*/sectorlake-test-[A-Za-z0-9]+",
        "[DIR]",
    ),
    (
        r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
        "[RUN]",
    ),
    (r"\b[0-9a-f]{64}\b", "[HASH]"),
    (
        r"\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})?",
        "[TIME]",
    ),
    (r"\b\d{4}-\d{2}-\d{2} \d{2}:\d{2} UTC\b", "[MINUTE]"),
    (r"\bon \S+ since\b", "on [HOST] since"),
    (r"\bpid \d+\b", "pid [PID]"),
    (r"\b\d+(\.\d+)? ?(ns|µs|ms|s|min)\b", "[DURATION]"),
    (r"\b[\d,. ]+ rows/s\b", "[RATE]"),
    (r"\b[\d,.]+ ?(B|KB|kB|KiB|MB|MiB|GiB)\b", "[BYTES]"),
    // As many as there are cores.
    (r"in \d+ files?", "in [N] files"),
    // A full disk and a file that may not grow: which of them can be made depends on the machine.
    (
        r"(No space left on device|File too large|StorageFull|FileTooLarge)( \(os error \d+\))?",
        "[NO SPACE]",
    ),
    (r"#\d+(\$[0-9a-f]+)?", "#[N]"),
];

/// The filters, bound around an assertion.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings::clone_current();
    for (pattern, mask) in FILTERS {
        settings.add_filter(pattern, mask);
    }
    settings.set_prepend_module_to_snapshot(true);
    settings.set_omit_expression(true);
    settings
}
