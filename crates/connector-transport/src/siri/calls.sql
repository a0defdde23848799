-- EstimatedVehicleJourney and MonitoredStopVisit of SIRI ET and SM, https://github.com/SIRI-CEN/SIRI
-- A call that was made has an actual time, one that will be has an expected one. Times of the call are with an offset.
SELECT
  $feed_id AS feed_id,
  coalesce(dated_vehicle_journey_ref || coalesce('/' || data_frame_ref, ''), item_identifier,
    coalesce(line_ref, '') || '/' || coalesce(vehicle_ref, '') || '/' || coalesce(destination_ref, '')) AS entity_id,
  coalesce(recorded_at_time, response_timestamp) AS "timestamp",
  dated_vehicle_journey_ref AS trip_id, line_ref AS route_id,
  CASE WHEN direction_ref IN ('0', '1') THEN direction_ref END AS direction_id,
  CASE WHEN data_frame_ref LIKE '____-__-__' THEN replace(data_frame_ref, '-', '') END AS start_date,
  CASE WHEN cancellation = 'true' THEN 'CANCELED' WHEN extra_journey = 'true' THEN 'ADDED' ELSE 'SCHEDULED' END AS trip_schedule_relationship,
  vehicle_ref AS vehicle_id,
  coalesce(TRY_CAST("order" AS BIGINT), TRY_CAST(visit_number AS BIGINT), -1) AS stop_sequence,
  coalesce(stop_point_ref, '') AS stop_id,
  CAST(date_part('epoch', CAST(coalesce(actual_arrival_time, expected_arrival_time) AS TIMESTAMP))
    - date_part('epoch', CAST(aimed_arrival_time AS TIMESTAMP)) AS BIGINT) AS arrival_delay,
  coalesce(actual_arrival_time, expected_arrival_time) AS arrival_time,
  CASE WHEN actual_arrival_time IS NOT NULL THEN 0 END AS arrival_uncertainty,
  aimed_arrival_time AS arrival_scheduled_time,
  CAST(date_part('epoch', CAST(coalesce(actual_departure_time, expected_departure_time) AS TIMESTAMP))
    - date_part('epoch', CAST(aimed_departure_time AS TIMESTAMP)) AS BIGINT) AS departure_delay,
  coalesce(actual_departure_time, expected_departure_time) AS departure_time,
  CASE WHEN actual_departure_time IS NOT NULL THEN 0 END AS departure_uncertainty,
  aimed_departure_time AS departure_scheduled_time,
  CASE WHEN call_cancellation = 'true' THEN 'SKIPPED' WHEN "call" IS NOT NULL THEN 'SCHEDULED' END AS schedule_relationship
FROM source
