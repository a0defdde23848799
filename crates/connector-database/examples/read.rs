//! Reads a table of a database into raw parts and throws them away: what fetching costs without storing, mapping and checking.
//!
//! `read CONNECTOR SETTINGS STREAM`, the settings as JSON. Prints the parts, their bytes, and the seconds they took.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use chrono::DateTime;
use futures::TryStreamExt;
use sectorlake_connector::{Http, Io, Limits, MakeContext, Registry, Slice, TimerPace};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [connector, settings, stream] = arguments.as_slice() else {
        return Err("usage: read CONNECTOR SETTINGS STREAM".into());
    };
    let registry = Registry::new(sectorlake_connector_database::registrations());
    let context = MakeContext::new(".", "read", |name| std::env::var(name).ok());
    let registration = registry
        .get(connector)
        .ok_or("there is no such connector")?;
    let source = registration.make(serde_json::from_str(settings)?, &context)?;
    let began = DateTime::UNIX_EPOCH;
    let http = Http::new(
        Limits::default(),
        Arc::new(TimerPace::new(move || began, 1)),
    )?;
    let io = Io::new(http, began);
    let started = Instant::now();
    let (mut parts, mut bytes, mut cursor) = (0, 0, None);
    while let Some(fetched) = source
        .fetch(Slice::whole(stream), cursor.as_ref(), &io)
        .await?
    {
        if let Some(part) = fetched.part {
            parts += 1;
            bytes += part
                .body
                .try_fold(0, |sum, chunk| async move { Ok(sum + chunk.len()) })
                .await?;
        }
        cursor = fetched.next;
        if cursor.is_none() {
            break;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    #[expect(clippy::print_stdout, reason = "it is what the program is for")]
    {
        println!("{parts}\n{bytes}\n{seconds}");
    }
    Ok(())
}
