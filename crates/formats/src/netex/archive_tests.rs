//! Publications whose lines and what they share stand in documents of their own.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::testing::{self, All, block_on, part, read, spec};
use crate::{FormatError, ReadOptions, members};

/// As the Nordic profile and Switzerland have it: one document of calendars, stops and displays for all.
const SHARED: &str = r#"<PublicationDelivery xmlns="http://www.netex.org.uk/netex"><dataObjects><CompositeFrame><frames>
<SiteFrame><stopPlaces><StopPlace id="S1"><Name>Nhà hát</Name><quays><Quay id="Q1"><quays><Quay id="Q1a"/></quays></Quay></quays></StopPlace></stopPlaces></SiteFrame>
<ResourceFrame><FrameDefaults><DefaultLocale><TimeZone>Asia/Ho_Chi_Minh</TimeZone></DefaultLocale></FrameDefaults></ResourceFrame>
<ServiceFrame><routes><Route id="R1"><LineRef ref="L1"/><DirectionRef ref="in"/></Route></routes><directions><Direction id="in"><DirectionType>inbound</DirectionType></Direction></directions>
  <destinationDisplays><DestinationDisplay id="D1"><FrontText>Bến Bính</FrontText></DestinationDisplay></destinationDisplays>
  <scheduledStopPoints><ScheduledStopPoint id="P1"/><ScheduledStopPoint id="P2"><Name>Cầu Rào</Name></ScheduledStopPoint></scheduledStopPoints>
  <stopAssignments><PassengerStopAssignment><ScheduledStopPointRef ref="P1"/><QuayRef ref="Q1a"/></PassengerStopAssignment>
    <PassengerStopAssignment><ScheduledStopPointRef ref="P2"/><QuayRef ref="NSR:Quay:9"/></PassengerStopAssignment></stopAssignments></ServiceFrame>
<ServiceCalendarFrame><dayTypes><DayType id="week"><properties><PropertyOfDay><DaysOfWeek>Monday</DaysOfWeek></PropertyOfDay></properties></DayType></dayTypes>
  <operatingDays><OperatingDay id="OD1"><CalendarDate>2025-09-02</CalendarDate></OperatingDay></operatingDays>
  <operatingPeriods><OperatingPeriod id="O1"><FromDate>2025-09-01</FromDate><ToDate>2025-09-10</ToDate></OperatingPeriod></operatingPeriods></ServiceCalendarFrame>
</frames></CompositeFrame></dataObjects></PublicationDelivery>"#;
const LINE: &str = r#"<PublicationDelivery xmlns="http://www.netex.org.uk/netex"><dataObjects><CompositeFrame><frames>
<ResourceFrame><organisations><Operator id="O"><Name>Xe buýt</Name></Operator></organisations></ResourceFrame>
<ServiceFrame><journeyPatterns><JourneyPattern id="J1"><RouteRef ref="R1"/><DestinationDisplayRef ref="D1"/><pointsInSequence>
    <StopPointInJourneyPattern id="J1-1" order="1"><ScheduledStopPointRef ref="P1"/></StopPointInJourneyPattern>
    <StopPointInJourneyPattern id="J1-2" order="2"><ScheduledStopPointRef ref="P2"/></StopPointInJourneyPattern></pointsInSequence></JourneyPattern></journeyPatterns></ServiceFrame>
<ServiceCalendarFrame><operatingPeriods><OperatingPeriod id="O2"><FromOperatingDayRef ref="OD1"/><ToDate>2025-09-03</ToDate></OperatingPeriod></operatingPeriods>
  <dayTypeAssignments><DayTypeAssignment><OperatingPeriodRef ref="O1"/><DayTypeRef ref="week"/></DayTypeAssignment>
  <DayTypeAssignment><OperatingPeriodRef ref="O2"/><DayTypeRef ref="some"/></DayTypeAssignment>
  <DayTypeAssignment><OperatingPeriodRef ref="O9"/><DayTypeRef ref="odd"/></DayTypeAssignment></dayTypeAssignments></ServiceCalendarFrame>
<TimetableFrame><vehicleJourneys><ServiceJourney id="V1"><dayTypes><DayTypeRef ref="week"/></dayTypes><JourneyPatternRef ref="J1"/><passingTimes>
    <TimetabledPassingTime><DepartureTime>08:00:00</DepartureTime></TimetabledPassingTime><TimetabledPassingTime><ArrivalTime>08:10:00</ArrivalTime></TimetabledPassingTime></passingTimes></ServiceJourney>
  <DatedServiceJourney id="DV1"><ServiceJourneyRef ref="V1"/><OperatingDayRef ref="OD1"/></DatedServiceJourney></vehicleJourneys></TimetableFrame>
</frames></CompositeFrame></dataObjects></PublicationDelivery>"#;

fn archive() -> Vec<u8> {
    testing::archive(&[
        ("LIESMICH.txt", b"no document"),
        ("broken.xml", b"<PublicationDelivery><Frame>"),
        ("lines/1.xml", LINE.as_bytes()),
        ("_shared_data.xml", SHARED.as_bytes()),
    ])
}

/// Columns of all documents' rows, a row a line, and what is broken.
fn rows(objects: &str, columns: &[&str], options: &ReadOptions) -> Result<String, FormatError> {
    let format = spec(&format!(r#"{{"name": "netex", "objects": "{objects}"}}"#));
    block_on(async {
        let part = part("netex.zip", archive()).await;
        let mut said = Vec::new();
        for member in ["lines/1.xml", "_shared_data.xml"] {
            let all: All = read(&part, Some(member), Some(&format), options).await?;
            let columns: Vec<Vec<&str>> = columns.iter().map(|name| all.column(name)).collect();
            let row = |index: usize| {
                let cells: Vec<&str> = columns.iter().map(|column| column[index]).collect();
                cells.join(" | ")
            };
            said.extend((0..all.rows.len()).map(row));
            said.extend(all.broken.iter().map(|it| it.reason.clone()));
        }
        Ok(said.join("\n"))
    })
}

#[test]
fn documents_of_an_archive_know_one_another() {
    let options = ReadOptions::default();
    let rows = |objects: &str, columns: &[&str]| rows(objects, columns, &options).unwrap();
    let said = [
        rows("stops", &["id", "kind", "assigned_ref"]),
        rows(
            "service_journeys",
            &["id", "line_ref", "direction_type", "destination"],
        ),
        // A quay that stands nowhere is no stop: the point is.
        rows(
            "passing_times",
            &["journey_id", "stop_ref", "scheduled_stop_point_ref"],
        ),
        rows("day_type_dates", &["day_type_ref", "date"]),
        rows("operators", &["id", "time_zone"]),
    ];
    insta::assert_snapshot!(said.join("\n\n"), @"
S1 | StopPlace | 
Q1 | Quay | 
Q1a | Quay | 
P2 | ScheduledStopPoint | NSR:Quay:9

V1 | L1 | inbound | Bến Bính

V1 | Q1a | P1
V1 | P2 | P2

week | 2025-09-01
week | 2025-09-08
some | 2025-09-02
some | 2025-09-03
V1 | 2025-09-02
O9 stands in no part of this publication

O | Asia/Ho_Chi_Minh
");
}

#[test]
fn a_publication_that_says_more_than_is_held_is_read_document_by_document() {
    let options = ReadOptions {
        memory_bytes_max: 4000,
        ..ReadOptions::default()
    };
    let said = rows("passing_times", &["journey_id", "stop_ref"], &options).unwrap();
    assert_eq!(said, "V1 | P1\nV1 | P2");
    block_on(async {
        let part = part("netex.zip", archive()).await;
        let format = spec(r#"{"name": "netex", "objects": "passing_times"}"#);
        let opened = crate::open(&part, Some("lines/1.xml"), Some(&format), &options).await;
        let opened = opened.unwrap();
        let choice = &opened.choices()[0];
        assert_eq!(
            (choice.what, choice.value.as_str()),
            ("references", "within a document")
        );
    });
}

/// The same archive is not read anew for each of its members, and another one is.
#[test]
fn an_archive_is_looked_through_once() {
    let options = ReadOptions::default();
    let format = spec(r#"{"name": "netex", "objects": "passing_times"}"#);
    block_on(async {
        let first = part("netex.zip", archive()).await;
        let lone = part(
            "other.zip",
            testing::archive(&[("lines/1.xml", LINE.as_bytes())]),
        )
        .await;
        for (part, stops) in [
            (&first, ["Q1a", "P2"]),
            (&lone, ["P1", "P2"]),
            (&first, ["Q1a", "P2"]),
        ] {
            let names = members(part, &options).await.unwrap();
            assert!(!names.is_empty());
            let all = read(part, Some("lines/1.xml"), Some(&format), &options)
                .await
                .unwrap();
            assert_eq!(all.column("stop_ref"), stops);
        }
    });
}
