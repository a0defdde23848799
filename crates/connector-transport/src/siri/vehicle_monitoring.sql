-- VehicleActivity of SIRI VM, https://github.com/SIRI-CEN/SIRI
-- Velocity is in the producer's unit, metres a second by default.
SELECT
  $feed_id AS feed_id, coalesce(vehicle_ref, item_identifier, dated_vehicle_journey_ref, monitoring_ref) AS entity_id,
  coalesce(recorded_at_time, response_timestamp) AS "timestamp",
  dated_vehicle_journey_ref AS trip_id, line_ref AS route_id,
  CASE WHEN direction_ref IN ('0', '1') THEN direction_ref END AS direction_id,
  CASE WHEN data_frame_ref LIKE '____-__-__' THEN replace(data_frame_ref, '-', '') END AS start_date,
  CASE WHEN cancellation = 'true' THEN 'CANCELED' WHEN extra_journey = 'true' THEN 'ADDED' END AS trip_schedule_relationship,
  vehicle_ref AS vehicle_id, latitude, longitude, bearing, velocity AS speed,
  coalesce(TRY_CAST("order" AS BIGINT), TRY_CAST(visit_number AS BIGINT)) AS current_stop_sequence, stop_point_ref AS stop_id,
  CASE vehicle_at_stop WHEN 'true' THEN 'STOPPED_AT' WHEN 'false' THEN 'IN_TRANSIT_TO' END AS current_status,
  CASE in_congestion WHEN 'true' THEN 'CONGESTION' WHEN 'false' THEN 'RUNNING_SMOOTHLY' END AS congestion_level,
  CASE occupancy WHEN 'empty' THEN 'EMPTY' WHEN 'manySeatsAvailable' THEN 'MANY_SEATS_AVAILABLE' WHEN 'seatsAvailable' THEN 'MANY_SEATS_AVAILABLE'
    WHEN 'fewSeatsAvailable' THEN 'FEW_SEATS_AVAILABLE' WHEN 'standingAvailable' THEN 'STANDING_ROOM_ONLY'
    WHEN 'standingRoomOnly' THEN 'STANDING_ROOM_ONLY' WHEN 'crushedStandingRoomOnly' THEN 'CRUSHED_STANDING_ROOM_ONLY' WHEN 'full' THEN 'FULL'
    WHEN 'notAcceptingPassengers' THEN 'NOT_ACCEPTING_PASSENGERS' END AS occupancy_status
FROM source
