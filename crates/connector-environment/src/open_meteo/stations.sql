-- https://open-meteo.com/en/docs: an answer is about the cell of the model's grid that the place lies in. Its id is in the part's key,
-- its name in the settings, as |id=name|.
SELECT
  station_id,
  split_part(split_part($names, '|' || station_id || '=', 2), '|', 1) AS name,
  'Model' AS facility_type,
  latitude,
  longitude,
  elevation,
  timezone AS time_zone,
  false AS is_mobile,
  false AS is_monitor,
  'Open-Meteo' AS provider,
  longitude || ',' || latitude AS location
FROM (SELECT *, regexp_replace($part_key, '^.*#location=', '') AS station_id FROM source) AS places
