-- TimetabledPassingTime, Call, https://github.com/NeTEx-CEN/NeTEx (part 2). Where one of the two times is told, the vehicle does not wait.
SELECT
  $feed_id AS feed_id, journey_id AS trip_id, coalesce(arrival_time, departure_time) AS arrival_time,
  coalesce(departure_time, arrival_time) AS departure_time, stop_ref AS stop_id, "order" AS stop_sequence,
  CASE WHEN for_boarding = 'false' THEN 1 WHEN request_stop = 'true' THEN 3 WHEN for_boarding = 'true' THEN 0 END AS pickup_type,
  CASE WHEN for_alighting = 'false' THEN 1 WHEN request_stop = 'true' THEN 3 WHEN for_alighting = 'true' THEN 0 END AS drop_off_type
FROM source
