-- https://sdmx.org/?page_id=4345 (cross-domain concepts): one observation a record.
SELECT
  {indicator} AS indicator_code,
  {name} AS indicator_name,
  "{area}" AS ref_area,
  {area_name} AS ref_area_name,
  "TIME_PERIOD" AS time_period,
  CASE WHEN "{freq}" IN ('A', 'S', 'Q', 'M', 'W', 'D', 'H') THEN "{freq}" END AS freq,
  {dimensions} AS dimensions,
  -- SDMX-CSV leaves a missing value empty, or writes NaN.
  NULLIF(NULLIF("OBS_VALUE", ''), 'NaN') AS obs_value,
  {unit} AS unit_measure,
  CASE
    WHEN "OBS_STATUS" IN ('A', 'B', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'S', 'U', 'V', 'W') THEN "OBS_STATUS"
    WHEN NULLIF(NULLIF("OBS_VALUE", ''), 'NaN') IS NULL THEN 'M'
  END AS obs_status,
  NULLIF("COMMENT_OBS", '') AS comment_obs
FROM source
