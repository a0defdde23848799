-- ServiceJourney, https://github.com/NeTEx-CEN/NeTEx (part 2)
SELECT
  $feed_id AS feed_id, line_ref AS route_id, day_type_ref AS service_id, id AS trip_id, destination AS trip_headsign,
  coalesce(public_code, short_name) AS trip_short_name,
  CASE direction_type WHEN 'outbound' THEN 0 WHEN 'inbound' THEN 1 WHEN 'clockwise' THEN 0 WHEN 'anticlockwise' THEN 1 END AS direction_id,
  block_ref AS block_id,
  CASE wheelchair_access WHEN 'true' THEN 1 WHEN 'false' THEN 2 WHEN 'unknown' THEN 0 END AS wheelchair_accessible
FROM source
