-- TripUpdate, https://gtfs.org/documentation/realtime/reference/#message-tripupdate
-- stop_sequence and stop_id are part of the key, and an update may give either. Of whole messages the specification lets the ids of
-- entities change from one to the next, so that a trip is known by its own id, service day and start where it has one.
SELECT
  $feed_id AS feed_id,
  coalesce(trip_id || coalesce('/' || start_date, '') || coalesce('/' || start_time, ''), entity_id) AS entity_id,
  to_timestamp_seconds(coalesce("timestamp", header_timestamp)) AS "timestamp",
  trip_id, route_id, direction_id, start_date, start_time, trip_schedule_relationship, vehicle_id, vehicle_label,
  vehicle_license_plate, vehicle_wheelchair_accessible, delay, trip_properties,
  coalesce(stop_sequence, -1) AS stop_sequence, coalesce(stop_id, '') AS stop_id, arrival_delay,
  to_timestamp_seconds(arrival_time) AS arrival_time, arrival_uncertainty,
  to_timestamp_seconds(arrival_scheduled_time) AS arrival_scheduled_time, departure_delay,
  to_timestamp_seconds(departure_time) AS departure_time, departure_uncertainty,
  to_timestamp_seconds(departure_scheduled_time) AS departure_scheduled_time, departure_occupancy_status,
  schedule_relationship, stop_time_properties
FROM source
