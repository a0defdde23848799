-- https://api.uis.unesco.org/api/public/documentation/: one value a record. Units and names stand in the settings, as |code=value|.
SELECT
  "indicatorId" AS indicator_code,
  NULLIF(split_part(split_part($names, '|' || "indicatorId" || '=', 2), '|', 1), '') AS indicator_name,
  -- ISO 3166-1 alpha-3, or a region's name.
  "geoUnit" AS ref_area,
  "year" AS time_period,
  'A' AS freq,
  '{}' AS dimensions,
  value AS obs_value,
  -- An indicator that the settings do not name is rejected: a value without its unit tells nothing.
  NULLIF(split_part(split_part($units, '|' || "indicatorId" || '=', 2), '|', 1), '') AS unit_measure,
  -- Magnitude NIL: nil or negligible; NA: not applicable. Qualifiers are national and the institute's own estimates.
  CASE
    WHEN magnitude = 'NIL' THEN 'N'
    WHEN magnitude = 'NA' OR value IS NULL THEN 'M'
    WHEN qualifier LIKE '%EST' THEN 'E'
    ELSE 'A'
  END AS obs_status,
  NULLIF(concat_ws(' ', magnitude, qualifier), '') AS comment_obs
FROM source
