//! A real publication of the French profile, and documents made after the standard.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::testing::{All, block_on, part, read, read_bytes, spec};
use crate::{ReadOptions, members};

const STOPS: &str = r#"{"name": "netex", "objects": "stops"}"#;
const LINES: &str = r#"{"name": "netex", "objects": "lines"}"#;
const OPERATORS: &str = r#"{"name": "netex", "objects": "operators"}"#;
const JOURNEYS: &str = r#"{"name": "netex", "objects": "service_journeys"}"#;
const TIMES: &str = r#"{"name": "netex", "objects": "passing_times"}"#;
const DATES: &str = r#"{"name": "netex", "objects": "day_type_dates"}"#;

/// All rows of a real publication, over its members.
fn real(format: &str) -> Vec<All> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/data/transport/netex_marseille_par_abm.zip"
    );
    block_on(async {
        let part = part("netex.zip", std::fs::read(path).unwrap()).await;
        let options = ReadOptions::default();
        let mut all = Vec::new();
        for member in members(&part, &options).await.unwrap() {
            let format = spec(format);
            all.push(
                read(&part, Some(&member.name), Some(&format), &options)
                    .await
                    .unwrap(),
            );
        }
        all
    })
}

fn count(all: &[All]) -> (usize, usize) {
    let rows = all.iter().map(|all| all.rows.len()).sum();
    (rows, all.iter().map(|all| all.broken.len()).sum())
}

fn column(all: &[All], name: &str) -> Vec<String> {
    let columns = all.iter().flat_map(|all| all.column(name));
    columns.map(str::to_owned).collect()
}

#[test]
fn a_real_publication() {
    let stops = real(STOPS);
    assert_eq!(count(&stops), (14, 0));
    assert!(column(&stops, "longitude").iter().all(|it| !it.is_empty()));
    assert_eq!(
        column(&stops, "kind")
            .iter()
            .filter(|it| *it == "Quay")
            .count(),
        7
    );
    let parents = column(&stops, "parent_ref");
    assert_eq!(
        parents
            .iter()
            .filter(|it| it.contains(":StopPlace:"))
            .count(),
        7
    );
    assert_eq!(count(&real(LINES)), (23, 0));
    let operators = real(OPERATORS);
    assert_eq!(column(&operators, "time_zone"), ["Europe/Paris"; 2]);
    let journeys = real(JOURNEYS);
    assert_eq!(count(&journeys), (2977, 0));
    let lines = column(&journeys, "line_ref");
    assert!(
        lines.iter().all(|line| line.contains(":Line:")),
        "{lines:?}"
    );
    assert!(
        column(&journeys, "destination")
            .iter()
            .all(|it| it.starts_with("Gare"))
    );
    let times = real(TIMES);
    assert_eq!(count(&times), (5954, 0));
    assert!(
        column(&times, "stop_ref")
            .iter()
            .all(|it| it.contains(":Quay:"))
    );
    let dates = real(DATES);
    assert_eq!(count(&dates), (2977, 0));
    assert_eq!(column(&dates, "date").iter().min().unwrap(), "2024-07-04");
}

/// As the Nordic profile and EPIP have it: nested quays, calls by reference, periods and operating days.
const NORDIC: &str = r#"<PublicationDelivery xmlns="http://www.netex.org.uk/netex"><dataObjects><CompositeFrame><frames>
<SiteFrame><stopPlaces>
  <StopPlace id="S1"><Name lang="no">Nhà hát</Name><Centroid><Location><Longitude>106.68</Longitude><Latitude>20.86</Latitude></Location></Centroid>
    <AccessibilityAssessment><limitations><AccessibilityLimitation><WheelchairAccess>true</WheelchairAccess></AccessibilityLimitation></limitations></AccessibilityAssessment>
    <quays><Quay id="Q1"><PublicCode>A</PublicCode><Centroid><Location><pos srsName="EPSG:2154">1 2</pos></Location></Centroid></Quay><Quay id="Q2"/></quays>
    <entrances><StopPlaceEntrance id="E1"><Name>Gate</Name></StopPlaceEntrance></entrances></StopPlace>
</stopPlaces></SiteFrame>
<ServiceCalendarFrame><dayTypes>
  <DayType id="week"><properties><PropertyOfDay><DaysOfWeek>Monday Tuesday</DaysOfWeek></PropertyOfDay><PropertyOfDay><DaysOfWeek>Wednesday</DaysOfWeek></PropertyOfDay></properties></DayType>
  <DayType id="holiday"/><DayType id="bits"/><DayType id="odd"/></dayTypes>
  <operatingDays><OperatingDay id="OD1"><CalendarDate>2025-09-02</CalendarDate></OperatingDay></operatingDays>
  <operatingPeriods><OperatingPeriod id="P1"><FromDate>2025-09-01T00:00:00</FromDate><ToDate>2025-09-10T00:00:00</ToDate></OperatingPeriod>
    <UicOperatingPeriod id="U1"><FromDate>2025-12-30</FromDate><ToDate>2026-01-02</ToDate><ValidDayBits>1001</ValidDayBits></UicOperatingPeriod></operatingPeriods>
  <dayTypeAssignments>
    <DayTypeAssignment order="1"><OperatingPeriodRef ref="P1"/><DayTypeRef ref="week"/></DayTypeAssignment>
    <DayTypeAssignment order="2"><OperatingDayRef ref="OD1"/><DayTypeRef ref="week"/><isAvailable>false</isAvailable></DayTypeAssignment>
    <DayTypeAssignment order="3"><OperatingDayRef ref="OD1"/><DayTypeRef ref="holiday"/></DayTypeAssignment>
    <DayTypeAssignment order="4"><OperatingPeriodRef ref="U1"/><DayTypeRef ref="bits"/></DayTypeAssignment>
    <DayTypeAssignment order="5"><OperatingPeriodRef ref="P9"/><DayTypeRef ref="odd"/></DayTypeAssignment></dayTypeAssignments></ServiceCalendarFrame>
<ServiceFrame><lines><Line id="L1"><Name>Cầu Rào - Bến Bính</Name><TransportMode>bus</TransportMode><TransportSubmode><BusSubmode>localBus</BusSubmode></TransportSubmode>
    <PublicCode>02</PublicCode><OperatorRef ref="O1"/><Presentation><Colour>FF0000</Colour></Presentation></Line></lines>
  <routes><Route id="R1"><LineRef ref="L1"/><DirectionType>inbound</DirectionType></Route></routes>
  <destinationDisplays><DestinationDisplay id="D1"><FrontText>Bến Bính</FrontText></DestinationDisplay></destinationDisplays>
  <scheduledStopPoints><ScheduledStopPoint id="P1"/><ScheduledStopPoint id="P2"><Name>Cầu Rào</Name></ScheduledStopPoint></scheduledStopPoints>
  <stopAssignments><PassengerStopAssignment order="1"><ScheduledStopPointRef ref="P1"/><QuayRef ref="Q1"/></PassengerStopAssignment></stopAssignments>
  <journeyPatterns><JourneyPattern id="J1"><RouteRef ref="R1"/><pointsInSequence>
    <StopPointInJourneyPattern id="J1-1" order="1"><ScheduledStopPointRef ref="P2"/><ForAlighting>false</ForAlighting><DestinationDisplayRef ref="D1"/></StopPointInJourneyPattern>
    <StopPointInJourneyPattern id="J1-2" order="5"><ScheduledStopPointRef ref="P1"/><RequestStop>true</RequestStop></StopPointInJourneyPattern>
    </pointsInSequence></JourneyPattern></journeyPatterns></ServiceFrame>
<TimetableFrame><vehicleJourneys>
  <ServiceJourney id="V1"><dayTypes><DayTypeRef ref="week"/><DayTypeRef ref="holiday"/></dayTypes><JourneyPatternRef ref="J1"/><passingTimes>
    <TimetabledPassingTime><StopPointInJourneyPatternRef ref="J1-2"/><ArrivalTime>00:10:00</ArrivalTime><ArrivalDayOffset>1</ArrivalDayOffset></TimetabledPassingTime>
    <TimetabledPassingTime><StopPointInJourneyPatternRef ref="J1-1"/><DepartureTime>23:50:00+07:00</DepartureTime></TimetabledPassingTime></passingTimes></ServiceJourney>
  <ServiceJourney id="V2"><LineRef ref="L1"/><calls><Call order="3"><ScheduledStopPointRef ref="P1"/><Arrival><Time>08:00:00</Time></Arrival></Call></calls></ServiceJourney>
  <ServiceJourney id="V3"><passingTimes><TimetabledPassingTime><ArrivalTime>noon</ArrivalTime></TimetabledPassingTime></passingTimes></ServiceJourney>
  <ServiceJourney><LineRef ref="L1"/></ServiceJourney>
  <DatedServiceJourney id="DV2"><ServiceJourneyRef ref="V2"/><OperatingDayRef ref="OD1"/></DatedServiceJourney>
</vehicleJourneys></TimetableFrame></frames></CompositeFrame></dataObjects></PublicationDelivery>"#;

fn rows(format: &str, columns: &[&str]) -> String {
    let all = read_bytes(NORDIC.as_bytes(), format, &ReadOptions::default()).unwrap();
    let columns: Vec<Vec<&str>> = columns.iter().map(|name| all.column(name)).collect();
    let row = |index: usize| {
        let cells: Vec<&str> = columns.iter().map(|column| column[index]).collect();
        cells.join(" | ")
    };
    let rows = (0..all.rows.len()).map(row);
    let broken = all
        .reasons()
        .into_iter()
        .map(|(row, reason)| format!("{row}: {reason}"));
    rows.chain(broken).collect::<Vec<_>>().join("\n")
}

#[test]
fn stops_of_all_kinds() {
    let columns = [
        "id",
        "kind",
        "name",
        "parent_ref",
        "longitude",
        "x",
        "srs_name",
        "public_code",
        "wheelchair_access",
    ];
    insta::assert_snapshot!(rows(STOPS, &columns));
    insta::assert_snapshot!(rows(
        LINES,
        &[
            "id",
            "name",
            "public_code",
            "transport_submode",
            "operator_ref",
            "colour"
        ]
    ));
}

#[test]
fn journeys_with_what_they_refer_to() {
    let columns = ["id", "day_type_ref", "line_ref", "direction_type"];
    insta::assert_snapshot!(rows(JOURNEYS, &columns));
    let columns = [
        "journey_id",
        "stop_ref",
        "order",
        "arrival_time",
        "departure_time",
        "for_alighting",
        "request_stop",
    ];
    insta::assert_snapshot!(rows(TIMES, &columns));
}

#[test]
fn dates_of_day_types() {
    insta::assert_snapshot!(rows(DATES, &["day_type_ref", "date"]));
}

#[test]
fn a_document_of_stop_points_alone_says_what_they_are_assigned_to() {
    let text = "<PublicationDelivery><ScheduledStopPoint id='P1'/><PassengerStopAssignment>\
        <ScheduledStopPointRef ref='P1'/><QuayRef ref='Q1'/></PassengerStopAssignment></PublicationDelivery>";
    let all = read_bytes(text.as_bytes(), STOPS, &ReadOptions::default()).unwrap();
    assert_eq!(
        (all.column("id"), all.column("assigned_ref")),
        (vec!["P1"], vec!["Q1"])
    );
}

#[test]
fn references_are_bounded() {
    let mut text = "<PublicationDelivery>".to_owned();
    for index in 0..2000 {
        text.push_str(&format!(
            "<PassengerStopAssignment><ScheduledStopPointRef ref='p{index}'/><QuayRef ref='q{index}'/></PassengerStopAssignment>"
        ));
    }
    text.push_str("</PublicationDelivery>");
    let options = ReadOptions {
        memory_bytes_max: 100_000,
        ..ReadOptions::default()
    };
    let error = read_bytes(text.as_bytes(), TIMES, &options).unwrap_err();
    assert!(
        error.to_string().contains("refer to so many others"),
        "{error}"
    );
}
