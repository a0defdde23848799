//! The whole of GTFS Schedule by its default mappings: real feeds, and one that has every file.

use std::collections::BTreeMap;

use crate::harness::{Project, repository};
use crate::samples::{SMALL_FEED, bus, zip};

/// The files beyond the required ones: all columns of the standard, then the required ones alone.
const FILES: &[(&str, &str, &str)] = &[
    (
        "transfers.txt",
        "from_stop_id,to_stop_id,from_route_id,to_route_id,from_trip_id,to_trip_id,transfer_type,min_transfer_time\n\
         P0,P1,,,,,2,120\nP0,P1,R0,,,,0,\n,,,,T0,T1,4,\n",
        "from_stop_id,to_stop_id,transfer_type\nP0,P1,\nP1,P0,3\nP1,P2,1\n",
    ),
    (
        "feed_info.txt",
        "feed_publisher_name,feed_publisher_url,feed_lang,default_lang,feed_start_date,feed_end_date,feed_version,\
         feed_contact_email,feed_contact_url\n\
         Sở Xây dựng,https://bus.example,vi,en,20260101,20261231,7,gtfs@bus.example,https://bus.example/gtfs\n",
        "feed_publisher_name,feed_publisher_url,feed_lang\nSở Xây dựng,https://bus.example,vi\n",
    ),
    (
        "fare_attributes.txt",
        "fare_id,price,currency_type,payment_method,transfers,agency_id,transfer_duration\n\
         p,1.250000,USD,0,,A0,3600\nv,7000,VND,1,2,,\n",
        "fare_id,price,currency_type,payment_method,transfers\np,1.25,USD,0,0\nv,7000,VND,1,\n",
    ),
    (
        "fare_rules.txt",
        "fare_id,route_id,origin_id,destination_id,contains_id\np,R0,1,2,\np,,1,2,3\nv,R0,,,\n",
        "fare_id\np\nv\n",
    ),
    (
        "timeframes.txt",
        "timeframe_group_id,start_time,end_time,service_id\npeak,06:30:00,09:00:00,S0\nall,,,S0\n",
        "timeframe_group_id,service_id\nall,S0\n",
    ),
    (
        "rider_categories.txt",
        "rider_category_id,rider_category_name,is_default_fare_category,eligibility_url\n\
         adult,Người lớn,1,\nstudent,Sinh viên,,https://bus.example/sv\n",
        "rider_category_id,rider_category_name\nadult,Người lớn\n",
    ),
    (
        "fare_media.txt",
        "fare_media_id,fare_media_name,fare_media_type\ncard,Thẻ,2\ncash,,0\n",
        "fare_media_id,fare_media_type\ncard,2\n",
    ),
    (
        "fare_products.txt",
        "fare_product_id,fare_product_name,rider_category_id,fare_media_id,amount,currency\n\
         single,Vé lượt,adult,card,7000,VND\nsingle,Vé lượt,student,card,3500,VND\ntransfer,,,,-500,VND\n",
        "fare_product_id,amount,currency\nsingle,7000,VND\ntransfer,0.00,USD\n",
    ),
    (
        "fare_leg_rules.txt",
        "leg_group_id,network_id,from_area_id,to_area_id,from_timeframe_group_id,to_timeframe_group_id,fare_product_id,rule_priority\n\
         city,city,a,a,peak,,single,1\n,,,,,,single,\n",
        "fare_product_id\nsingle\n",
    ),
    (
        "fare_leg_join_rules.txt",
        "from_network_id,to_network_id,from_stop_id,to_stop_id\ncity,city,P0,P1\n",
        "from_network_id,to_network_id\ncity,city\n",
    ),
    (
        "fare_transfer_rules.txt",
        "from_leg_group_id,to_leg_group_id,transfer_count,duration_limit,duration_limit_type,fare_transfer_type,fare_product_id\n\
         city,city,-1,3600,1,0,transfer\n,city,,,,1,\n",
        "from_leg_group_id,to_leg_group_id,fare_transfer_type\ncity,out,0\n",
    ),
    (
        "areas.txt",
        "area_id,area_name\na,Trung tâm\nb,\n",
        "area_id\na\nb\n",
    ),
    (
        "stop_areas.txt",
        "area_id,stop_id\na,P0\nb,P0\n",
        "area_id,stop_id\na,P0\nb,P0\n",
    ),
    (
        "networks.txt",
        "network_id,network_name\ncity,Nội đô\n",
        "network_id\ncity\n",
    ),
    (
        "route_networks.txt",
        "network_id,route_id\ncity,R0\n",
        "network_id,route_id\ncity,R0\n",
    ),
    (
        "levels.txt",
        "level_id,level_index,level_name\nG,0,Tầng trệt\nM,0.5,\nB,-1,\n",
        "level_id,level_index\nG,0\n",
    ),
    (
        "pathways.txt",
        "pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional,length,traversal_time,stair_count,max_slope,\
         min_width,signposted_as,reversed_signposted_as\n\
         w,P0,P1,1,1,32.5,40,,0.083,0.9,Ra,Vào\ns,P0,P2,2,1,,,-24,,,,\n",
        "pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional\nw,P0,P1,1,0\n",
    ),
    (
        "translations.txt",
        "table_name,field_name,language,translation,record_id,record_sub_id,field_value\n\
         stops,stop_name,en,Pier 0,P0,,\nstop_times,stop_headsign,en,Out,T0,1,\nroutes,route_desc,en,Bus,,,Xe buýt\n",
        "table_name,field_name,language,translation\nfeed_info,feed_publisher_name,en,Construction\n",
    ),
    (
        "attributions.txt",
        "attribution_id,agency_id,route_id,trip_id,organization_name,is_producer,is_operator,is_authority,\
         attribution_url,attribution_email,attribution_phone\n\
         b,A0,,,Bongo,1,,,https://bongo.example,hi@bongo.example,+84225\n,,R0,,Bongo,,1,0,,,\n",
        "organization_name,is_producer\nBongo,1\n",
    ),
];

/// A feed of these files beside the required ones, loaded; every row of every file is in its table.
fn loads_whole(
    pick: impl Fn(&(&'static str, &'static str, &'static str)) -> &'static str,
) -> Project {
    let required = SMALL_FEED.members();
    let mut members: Vec<(&str, &[u8])> = required
        .iter()
        .map(|(name, text)| (*name, text.as_bytes()))
        .collect();
    members.extend(FILES.iter().map(|file| (file.0, pick(file).as_bytes())));
    let project = bus(zip(&members));
    let done = project.run(&["bus"]).ok();
    assert_eq!(
        project.number("SELECT count(*) FROM meta.rejected_rows"),
        0,
        "{:?}",
        project.sql("SELECT table_name, field, rule, value FROM meta.rejected_rows")
    );
    for file in FILES {
        let table = format!("transport.{}", file.0.trim_end_matches(".txt"));
        let rows = pick(file).lines().count() as i64 - 1;
        assert_eq!(project.count(&table), rows, "{table}\n{}", done.whole());
    }
    project
}

#[test]
fn every_file_of_the_standard_has_a_table() {
    let project = loads_whole(|file| file.1);
    let amounts = project.sql("SELECT amount FROM transport.fare_products ORDER BY amount");
    let amounts: Vec<String> = amounts
        .iter()
        .map(|row| row["amount"].to_string())
        .collect();
    assert_eq!(amounts.len(), 3);
    assert!(amounts[0].contains("-500"), "{amounts:?}");
    let all_day = project.sql(
        "SELECT start_time, end_time FROM transport.timeframes WHERE timeframe_group_id = 'all'",
    );
    assert_eq!(all_day[0]["start_time"], "00:00:00");
    assert_eq!(all_day[0]["end_time"], "24:00:00");
}

#[test]
fn columns_that_a_feed_leaves_out_are_empty() {
    let project = loads_whole(|file| file.2);
    let rule = project.sql("SELECT * FROM transport.fare_transfer_rules");
    assert_eq!(rule[0]["transfer_count"], 0);
    assert_eq!(rule[0]["fare_product_id"], "");
    let nothing = project.sql("SELECT count(feed_version) AS versions, count(feed_start_date) AS days FROM transport.feed_info");
    assert_eq!(nothing[0]["versions"], 0);
    assert_eq!(nothing[0]["days"], 0);
}

#[test]
fn keys_into_other_files_hold() {
    let files: BTreeMap<&str, &str> = FILES.iter().map(|file| (file.0, file.1)).collect();
    let broken = files["fare_rules.txt"].replace("v,R0", "w,R0");
    let required = SMALL_FEED.members();
    let mut members: Vec<(&str, &[u8])> = required
        .iter()
        .map(|(name, text)| (*name, text.as_bytes()))
        .collect();
    members.push((
        "fare_attributes.txt",
        files["fare_attributes.txt"].as_bytes(),
    ));
    members.push(("fare_rules.txt", broken.as_bytes()));
    let pipeline = format!(
        "{}on_reject: {{ max_rows: 1 }}\n",
        crate::samples::BUS_PIPELINE
    );
    let project = bus(zip(&members));
    project.file("pipelines/transport/bus.yaml", pipeline);
    project.run(&["bus"]).ok();
    assert_eq!(project.count("transport.fare_rules"), 2);
    let rejected = project.sql("SELECT rule, value FROM meta.rejected_rows");
    assert_eq!(rejected.len(), 1, "{rejected:?}");
}

#[test]
fn messages_of_the_moment_land_in_their_tables() {
    let project = Project::empty();
    let messages = [
        ("trip_updates", "gtfs_rt_aomori_trip_updates.pb", 35),
        (
            "vehicle_positions",
            "gtfs_rt_aomori_vehicle_positions.pb",
            37,
        ),
        ("alerts", "gtfs_rt_brest_alerts.pb", 14),
    ];
    for (entity, file, _) in messages {
        let bytes = std::fs::read(repository().join("tests/data/transport").join(file)).unwrap();
        let pipeline = format!(
            "source: {{ connector: gtfs_realtime, path: data/{file}, entities: [{entity}] }}\n"
        );
        project
            .file(&format!("data/{file}"), bytes)
            .file(&format!("pipelines/transport/{entity}.yaml"), pipeline);
    }
    project.sectorlake(&["run", "--all"]).ok();
    for (entity, _, rows) in messages {
        assert_eq!(
            project.count(&format!("transport.{entity}")),
            rows,
            "{entity}"
        );
    }
    assert_eq!(project.number("SELECT count(*) FROM meta.rejected_rows"), 0);
    let seen = project.sql("SELECT min(\"timestamp\") AS first FROM transport.vehicle_positions");
    assert_eq!(seen[0]["first"], "2022-10-22T04:09:14Z");
}
