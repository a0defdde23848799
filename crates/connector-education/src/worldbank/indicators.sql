-- https://datahelpdesk.worldbank.org/knowledgebase/articles/898581-api-basic-call-structures: one value a record. Units stand in the
-- settings, as |code=value|; a quarter is written 2015Q1 and a month 2015M06.
SELECT
  code AS indicator_code,
  coalesce(
    NULLIF(split_part(split_part($names, '|' || code || '=', 2), '|', 1), ''),
    json_get_str(indicator, 'value')
  ) AS indicator_name,
  -- ISO 3166-1 alpha-3; aggregates have none, but a code of the Bank's own.
  coalesce(NULLIF(countryiso3code, ''), json_get_str(country, 'id')) AS ref_area,
  json_get_str(country, 'value') AS ref_area_name,
  CASE
    WHEN "date" LIKE '____Q_' THEN substr("date", 1, 4) || '-' || substr("date", 5)
    WHEN "date" LIKE '____M__' THEN substr("date", 1, 4) || '-' || substr("date", 6)
    ELSE "date"
  END AS time_period,
  CASE WHEN "date" LIKE '____Q_' THEN 'Q' WHEN "date" LIKE '____M__' THEN 'M' ELSE 'A' END AS freq,
  '{}' AS dimensions,
  value AS obs_value,
  -- An indicator that the settings do not name is rejected: a value without its unit tells nothing.
  NULLIF(split_part(split_part($units, '|' || code || '=', 2), '|', 1), '') AS unit_measure,
  CASE WHEN value IS NULL THEN 'M' WHEN obs_status IN ('E', 'F', 'P') THEN obs_status ELSE 'A' END AS obs_status
FROM (SELECT *, json_get_str(indicator, 'id') AS code FROM source) AS records
