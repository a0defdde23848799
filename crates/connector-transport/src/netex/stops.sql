-- StopPlace, Quay, StopPlaceEntrance, ScheduledStopPoint, https://github.com/NeTEx-CEN/NeTEx (part 1)
-- A position without degrees is in the reference system that it names; EPSG:4326 has the latitude first.
SELECT
  $feed_id AS feed_id, id AS stop_id, coalesce(public_code, private_code) AS stop_code,
  coalesce(name, short_name, public_code) AS stop_name, description AS stop_desc,
  CASE WHEN latitude IS NOT NULL THEN latitude WHEN srs_name LIKE '%4326' THEN x
    WHEN srs_name IS NOT NULL AND x IS NOT NULL AND y IS NOT NULL
      THEN CAST(ST_Y(to_wgs84(CAST(x AS DOUBLE), CAST(y AS DOUBLE), regexp_replace(srs_name, '^.*[^0-9]', ''))) AS text) END AS stop_lat,
  CASE WHEN longitude IS NOT NULL THEN longitude WHEN srs_name LIKE '%4326' THEN y
    WHEN srs_name IS NOT NULL AND x IS NOT NULL AND y IS NOT NULL
      THEN CAST(ST_X(to_wgs84(CAST(x AS DOUBLE), CAST(y AS DOUBLE), regexp_replace(srs_name, '^.*[^0-9]', ''))) AS text) END AS stop_lon,
  url AS stop_url,
  CASE kind WHEN 'StopPlace' THEN 1 WHEN 'StopPlaceEntrance' THEN 2 ELSE 0 END AS location_type,
  CASE WHEN kind <> 'StopPlace' THEN parent_ref END AS parent_station,
  CASE wheelchair_access WHEN 'true' THEN 1 WHEN 'false' THEN 2 WHEN 'unknown' THEN 0 WHEN 'partial' THEN 1 END AS wheelchair_boarding,
  CASE WHEN kind = 'Quay' THEN public_code END AS platform_code
FROM source
