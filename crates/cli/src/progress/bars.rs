//! Progress bars on stderr: one for all pipelines, and a line per pipeline with what it does, how much, how fast.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use sectorlake_pipeline::{Event, Progress};

use crate::numbers::{bytes, grouped};

/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(120);
/// A pipeline's name is padded to the longest, but not beyond this.
const NAME_WIDTH_MAX: usize = 32;

const ALL: &str = "{bar:24} {pos} of {len} pipelines · {elapsed}";
const ALL_COLORED: &str = "{bar:24.cyan/dim} {pos} of {len} pipelines · {elapsed}";
const LINE: &str = "{spinner} {prefix}  {wide_msg}";
const LINE_COLORED: &str = "{spinner:.cyan} {prefix:.bold}  {wide_msg}";

/// The bars of a run. They vanish when dropped: what stays on the screen is the table at the end.
pub(crate) struct Bars {
    screen: MultiProgress,
    color: bool,
    name_width: usize,
    all: ProgressBar,
    /// Whether `all` is on the screen.
    several: bool,
    pipelines: Mutex<HashMap<String, Line>>,
}

/// One pipeline's line.
struct Line {
    bar: ProgressBar,
    rows: Rows,
}

/// Rows so far, and how fast they come.
#[derive(Default)]
struct Rows {
    since: Option<Instant>,
    by_table: HashMap<String, u64>,
}

impl Rows {
    /// Takes a table's rows so far; tells the speed over all of them.
    fn count(&mut self, table: &str, rows: u64, now: Instant) -> Option<u64> {
        let since = *self.since.get_or_insert(now);
        // Events of one table may overtake each other: the larger count is the later one.
        let known = self.by_table.entry(table.to_owned()).or_default();
        *known = rows.max(*known);
        let seconds = now.duration_since(since).as_secs_f64();
        let total: u64 = self.by_table.values().sum();
        (seconds >= 0.2).then(|| (total as f64 / seconds) as u64)
    }
}

impl Bars {
    /// Draws on `screen`, for these pipelines.
    pub(crate) fn new(screen: MultiProgress, color: bool, pipelines: &[String]) -> Self {
        let template = if color { ALL_COLORED } else { ALL };
        let all = ProgressBar::new(pipelines.len() as u64)
            .with_style(style(template).progress_chars("━╸─"));
        let several = pipelines.len() > 1;
        if several {
            screen.add(all.clone());
            all.enable_steady_tick(TICK);
        } else {
            all.set_draw_target(ProgressDrawTarget::hidden());
        }
        let longest = pipelines.iter().map(|it| it.chars().count()).max();
        Self {
            screen,
            color,
            name_width: longest.unwrap_or_default().min(NAME_WIDTH_MAX),
            all,
            several,
            pipelines: Mutex::default(),
        }
    }

    fn start(&self, pipeline: &str) -> Line {
        let template = if self.color { LINE_COLORED } else { LINE };
        let bar = ProgressBar::new_spinner().with_style(style(template));
        let bar = if self.several {
            self.screen.insert_before(&self.all, bar)
        } else {
            self.screen.add(bar)
        };
        bar.set_prefix(format!("{pipeline:width$}", width = self.name_width));
        bar.enable_steady_tick(TICK);
        Line {
            bar,
            rows: Rows::default(),
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        let lines = self
            .pipelines
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        for line in lines.values() {
            line.bar.finish_and_clear();
        }
        self.all.finish_and_clear();
    }
}

impl Progress for Bars {
    fn event(&self, pipeline: &str, event: &Event) {
        let mut lines = self
            .pipelines
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Event::Finished(_) = event {
            if let Some(line) = lines.remove(pipeline) {
                line.bar.finish_and_clear();
            }
            self.all.inc(1);
            return;
        }
        let line = lines
            .entry(pipeline.to_owned())
            .or_insert_with(|| self.start(pipeline));
        line.bar
            .set_message(message(&mut line.rows, event, Instant::now()));
    }
}

/// What a line says at an event.
fn message(rows: &mut Rows, event: &Event, now: Instant) -> String {
    match event {
        Event::Started { .. } => "starting".to_owned(),
        Event::Fetching {
            bytes: came,
            total: Some(total),
        } if total >= came => {
            format!("fetching {} of {}", bytes(*came), bytes(*total))
        }
        Event::Fetching { bytes: came, .. } => format!("fetching {}", bytes(*came)),
        Event::Fetched {
            parts: 1,
            bytes: came,
        } => format!("fetched 1 part, {}", bytes(*came)),
        Event::Fetched { parts, bytes: came } => format!("fetched {parts} parts, {}", bytes(*came)),
        Event::Loading {
            table, rows: count, ..
        } => {
            let table = table.to_string();
            let so_far = format!("{table}  {} rows", grouped(*count));
            match rows.count(&table, *count, now) {
                Some(speed) => format!("{so_far}  {} rows/s", grouped(speed)),
                None => so_far,
            }
        }
        Event::Loaded { table, loaded, .. } => format!("{table}  {} rows, done", grouped(*loaded)),
        Event::Publishing => "publishing".to_owned(),
        Event::Finished(_) => String::new(),
    }
}

/// The style of a template; ours are checked by the test below.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use sectorlake_pipeline::Outcome;

    use super::*;

    #[test]
    fn a_line_says_what_how_much_and_how_fast() {
        let mut rows = Rows::default();
        let start = Instant::now();
        let table = || "transport.stop_times".parse().unwrap();
        let loading = |rows| Event::Loading {
            table: table(),
            part: "a.zip!stop_times.txt".to_owned(),
            rows,
        };
        let mut at = |event, ms| message(&mut rows, &event, start + Duration::from_millis(ms));
        let fetching = |total| Event::Fetching {
            bytes: 2 << 20,
            total,
        };
        assert_eq!(at(fetching(None), 0), "fetching 2.0 MiB");
        assert_eq!(
            at(fetching(Some(4 << 20)), 0),
            "fetching 2.0 MiB of 4.0 MiB"
        );
        assert_eq!(
            at(
                Event::Fetched {
                    parts: 1,
                    bytes: 10
                },
                0
            ),
            "fetched 1 part, 10 B"
        );
        assert_eq!(at(loading(1000), 0), "transport.stop_times  1,000 rows");
        assert_eq!(
            at(loading(3000), 2000),
            "transport.stop_times  3,000 rows  1,500 rows/s"
        );
        assert_eq!(
            at(
                Event::Loaded {
                    table: table(),
                    loaded: 2999,
                    rejected: 1
                },
                3000
            ),
            "transport.stop_times  2,999 rows, done"
        );
    }

    #[test]
    fn every_template_is_sound() {
        for template in [ALL, ALL_COLORED, LINE, LINE_COLORED] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn a_line_lives_from_its_start_to_its_end() {
        check(&["bus", "ferry-line"], "bus       ");
        // Alone it has no bar of all below it.
        check(&["bus"], "bus");
    }

    fn check(pipelines: &[&str], prefixed: &str) {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let pipelines: Vec<String> = pipelines.iter().map(|it| (*it).to_owned()).collect();
        let bars = Bars::new(screen, false, &pipelines);
        bars.event(
            "bus",
            &Event::Started {
                run: "r".to_owned(),
            },
        );
        let prefix = |bars: &Bars| {
            bars.pipelines
                .lock()
                .unwrap()
                .get("bus")
                .map(|line| line.bar.prefix())
        };
        assert_eq!(prefix(&bars).as_deref(), Some(prefixed));
        bars.event("bus", &Event::Finished(Outcome::Unchanged));
        assert_eq!((prefix(&bars), bars.all.position()), (None, 1));
    }
}
