-- The Center's cache files: a report has its readings side by side. The altimeter is in inches of mercury; speeds are in knots.
SELECT station_id, property AS observed_property, phenomenon_time, result, unit, quality AS result_quality
FROM (
  SELECT station_id, phenomenon_time, one['property'] AS property, one['unit'] AS unit, one['quality'] AS quality, one['result'] AS result
  FROM (
    SELECT station_id, observation_time AS phenomenon_time, unnest([
      {'property': 'temperature', 'unit': 'Cel', 'quality': CAST(NULL AS VARCHAR), 'result': try_parse_number(CAST(temp_c AS VARCHAR), '.', '')},
      {'property': 'dewpoint', 'unit': 'Cel', 'quality': CAST(NULL AS VARCHAR), 'result': try_parse_number(CAST(dewpoint_c AS VARCHAR), '.', '')},
      {'property': 'winddirection', 'unit': 'deg', 'quality': CAST(NULL AS VARCHAR), 'result': try_parse_number(CAST(wind_dir_degrees AS VARCHAR), '.', '')},
      {'property': 'windspeed', 'unit': '[kn_i]', 'quality': CAST(NULL AS VARCHAR), 'result': try_parse_number(CAST(wind_speed_kt AS VARCHAR), '.', '')},
      {'property': 'windgust', 'unit': '[kn_i]', 'quality': CAST(NULL AS VARCHAR), 'result': try_parse_number(CAST(wind_gust_kt AS VARCHAR), '.', '')},
      -- Metres where the report is in metres; 9999 and CAVOK are ten kilometres or more.
      {'property': 'visibility', 'unit': CASE WHEN regexp_match(raw_text, ' (CAVOK|[0-9]{4})(?:NDV)?(?: |$)')[1] IS NOT NULL THEN 'm' ELSE '[mi_i]' END,
        'quality': CASE WHEN regexp_match(raw_text, ' (CAVOK|[0-9]{4})(?:NDV)?(?: |$)')[1] IN ('9999', 'CAVOK') OR (regexp_match(raw_text, ' (CAVOK|[0-9]{4})(?:NDV)?(?: |$)')[1] IS NULL AND CAST(visibility_statute_mi AS VARCHAR) LIKE '%+') THEN 'at least' END,
        'result': CASE WHEN regexp_match(raw_text, ' (CAVOK|[0-9]{4})(?:NDV)?(?: |$)')[1] IN ('9999', 'CAVOK') THEN 10000 ELSE coalesce(CAST(regexp_match(raw_text, ' (CAVOK|[0-9]{4})(?:NDV)?(?: |$)')[1] AS DOUBLE), try_parse_number(replace(CAST(visibility_statute_mi AS VARCHAR), '+', ''), '.', '')) END},
      -- Unless the report has the QNH in whole hectopascals.
      {'property': 'qnh', 'unit': 'hPa', 'quality': CAST(NULL AS VARCHAR),
        'result': coalesce(CAST(regexp_match(raw_text, ' Q([0-9]{4})')[1] AS DOUBLE), round(try_parse_number(CAST(altim_in_hg AS VARCHAR), '.', '') * 33.86389, 1))},
      {'property': 'sealevelpressure', 'unit': 'hPa', 'quality': CAST(NULL AS VARCHAR), 'result': try_parse_number(CAST(sea_level_pressure_mb AS VARCHAR), '.', '')}
    ]) AS one
    FROM source
  ) AS reports
) AS readings
WHERE result IS NOT NULL
