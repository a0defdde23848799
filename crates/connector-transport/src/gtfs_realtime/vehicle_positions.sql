-- VehiclePosition, https://gtfs.org/documentation/realtime/reference/#message-vehicleposition
-- A vehicle without a time of its own was seen when the message was made. Of whole messages the specification lets the ids of entities
-- change from one to the next, so that a vehicle is known by its own id where it has one.
SELECT
  $feed_id AS feed_id, coalesce(vehicle_id, entity_id) AS entity_id, to_timestamp_seconds(coalesce("timestamp", header_timestamp)) AS "timestamp",
  trip_id, route_id, direction_id, start_date, start_time, trip_schedule_relationship, vehicle_id, vehicle_label,
  vehicle_license_plate, vehicle_wheelchair_accessible, latitude, longitude, bearing, odometer, speed,
  current_stop_sequence, stop_id, current_status, congestion_level, occupancy_status, occupancy_percentage,
  multi_carriage_details
FROM source
