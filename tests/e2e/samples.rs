//! Small made inputs: a register of clinics, a bus feed.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::harness::Project;

/// A contract that breaks in many ways: required, key, enum, range, pattern, date.
pub(crate) const CLINICS_CONTRACT: &str = r#"{
  "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
  "title": "Clinics",
  "fields": [
    { "name": "clinic_id", "type": "string", "title": "Clinic id", "constraints": { "required": true, "pattern": "C[0-9]+" } },
    { "name": "name", "type": "string", "title": "Name", "constraints": { "required": true } },
    { "name": "level", "type": "string", "title": "Level", "constraints": { "enum": ["commune", "district", "province"] } },
    { "name": "beds", "type": "integer", "title": "Beds", "constraints": { "minimum": 0, "maximum": 5000 } },
    { "name": "opened", "type": "date", "title": "Opened" }
  ],
  "missingValues": [""],
  "primaryKey": ["clinic_id"],
  "sectorlake": { "version": "1.0.0", "title": { "vi": "Cơ sở y tế", "en": "Clinics" } }
}
"#;

/// Where [`CLINICS_CONTRACT`] stands.
pub(crate) const CLINICS_CONTRACT_FILE: &str = "schemas/health/clinics.json";

/// A pipeline of [`CLINICS`].
pub(crate) const CLINICS_PIPELINE: &str = "\
source:
  connector: file
  path: data/clinics.csv
  format: csv
tables:
  health.clinics:
    load: replace
    map: |
      SELECT id AS clinic_id, name, level, beds, opened FROM source
";

/// Where [`CLINICS_PIPELINE`] stands.
pub(crate) const CLINICS_PIPELINE_FILE: &str = "pipelines/health/clinics.yaml";

/// Twelve good rows.
pub(crate) const CLINICS: &str = "\
id,name,level,beds,opened
C1,Trạm y tế Hồng Bàng,commune,4,1998-03-01
C2,Trạm y tế Lê Chân,commune,6,2001-05-11
C3,Trạm y tế Ngô Quyền,commune,5,1987-09-02
C4,Trạm y tế Kiến An,commune,4,1990-01-15
C5,Trạm y tế Hải An,commune,8,2003-12-31
C6,\"Bệnh viện, cơ sở Đồ Sơn\",district,120,1975-04-30
C7,Bệnh viện An Dương,district,150,1978-08-19
C8,Bệnh viện Thủy Nguyên,district,210,1969-06-01
C9,Bệnh viện Vĩnh Bảo,district,180,1972-02-29
C10,Bệnh viện Việt Tiệp,province,1500,1905-01-01
C11,Bệnh viện Phụ sản,province,700,1978-01-01
C12,Bệnh viện Trẻ em,province,,2003-10-10
";

/// A project with the clinics, and this as their file.
pub(crate) fn clinics(csv: impl AsRef<[u8]>) -> Project {
    let project = Project::empty();
    project
        .file(CLINICS_CONTRACT_FILE, CLINICS_CONTRACT)
        .file(CLINICS_PIPELINE_FILE, CLINICS_PIPELINE)
        .file("data/clinics.csv", csv);
    project
}

/// A pipeline of `data/gtfs.zip`, every table by its default mapping.
pub(crate) const BUS_PIPELINE: &str = "\
source:
  connector: gtfs
  path: data/gtfs.zip
";

/// A project with a bus feed, and this as its file.
pub(crate) fn bus(zip: impl AsRef<[u8]>) -> Project {
    let project = Project::empty();
    project
        .file("pipelines/transport/bus.yaml", BUS_PIPELINE)
        .file("data/gtfs.zip", zip);
    project
}

/// An archive of these members.
pub(crate) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        archive
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A whole feed. `version` is told by every table: each has so many more rows, and the agency is named after it.
pub(crate) struct Feed {
    /// Which edition of the feed.
    pub(crate) version: usize,
    /// Trips of the first edition.
    pub(crate) trips: usize,
    /// Stops each trip calls at.
    pub(crate) calls: usize,
}

impl Feed {
    /// Rows that each table has of it.
    pub(crate) fn counts(&self) -> [(&'static str, usize); 6] {
        [
            ("transport.agency", 1 + self.version),
            ("transport.routes", 1 + self.version),
            ("transport.calendar", 1 + self.version),
            ("transport.stops", self.calls + self.version),
            ("transport.trips", self.trips + self.version),
            (
                "transport.stop_times",
                (self.trips + self.version) * self.calls,
            ),
        ]
    }

    /// The members, by file name.
    pub(crate) fn members(&self) -> Vec<(&'static str, String)> {
        let version = self.version;
        let mut agency = String::from("agency_id,agency_name,agency_url,agency_timezone\n");
        let mut routes = String::from("route_id,agency_id,route_short_name,route_type\n");
        let mut calendar = String::from(
            "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n",
        );
        for n in 0..=version {
            writeln!(
                agency,
                "A{n},Edition {version},https://bus.example/,Asia/Ho_Chi_Minh"
            )
            .unwrap();
            writeln!(routes, "R{n},A0,{n},3").unwrap();
            writeln!(calendar, "S{n},1,1,1,1,1,0,0,20260101,20261231").unwrap();
        }
        let mut stops = String::from("stop_id,stop_name,stop_lat,stop_lon\n");
        for n in 0..self.calls + version {
            writeln!(
                stops,
                "P{n},Bến {n},{:.5},{:.5}",
                20.8 + n as f64 / 1000.0,
                106.7 + n as f64 / 1000.0
            )
            .unwrap();
        }
        let mut trips = String::from("route_id,service_id,trip_id,trip_headsign\n");
        let mut stop_times =
            String::from("trip_id,arrival_time,departure_time,stop_id,stop_sequence\n");
        for trip in 0..self.trips + version {
            writeln!(trips, "R0,S0,T{trip},\"Kiến An, bến {trip}\"").unwrap();
            for call in 0..self.calls {
                let (hour, minute) = (5 + trip % 20, call % 60);
                let time = format!("{hour:02}:{minute:02}:00");
                writeln!(stop_times, "T{trip},{time},{time},P{call},{}", call + 1).unwrap();
            }
        }
        vec![
            ("agency.txt", agency),
            ("routes.txt", routes),
            ("calendar.txt", calendar),
            ("stops.txt", stops),
            ("trips.txt", trips),
            ("stop_times.txt", stop_times),
        ]
    }

    /// The archive.
    pub(crate) fn zip(&self) -> Vec<u8> {
        let members = self.members();
        zip(&members
            .iter()
            .map(|(name, text)| (*name, text.as_bytes()))
            .collect::<Vec<_>>())
    }
}

/// A small feed.
pub(crate) const SMALL_FEED: Feed = Feed {
    version: 0,
    trips: 6,
    calls: 5,
};
