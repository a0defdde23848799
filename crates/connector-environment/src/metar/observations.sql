-- https://aviationweather.gov/data/api/: a report has its readings side by side. altim is the QNH in hPa; speeds are in knots.
SELECT station_id, property AS observed_property, phenomenon_time, result, unit, quality AS result_quality
FROM (
  SELECT station_id, phenomenon_time, one['property'] AS property, one['unit'] AS unit, one['quality'] AS quality, one['result'] AS result
  FROM (
    SELECT "icaoId" AS station_id, to_timestamp_seconds(CAST("obsTime" AS BIGINT)) AS phenomenon_time, unnest([
      {'property': 'temperature', 'unit': 'Cel', 'quality': CAST(NULL AS VARCHAR), 'result': try_parse_number(CAST(temp AS VARCHAR), '.', '')},
      {'property': 'dewpoint', 'unit': 'Cel', 'quality': CAST(NULL AS VARCHAR), 'result': try_parse_number(CAST(dewp AS VARCHAR), '.', '')},
      -- VRB where it has no one direction.
      {'property': 'winddirection', 'unit': 'deg', 'quality': CAST(NULL AS VARCHAR), 'result': try_parse_number(CAST(wdir AS VARCHAR), '.', '')},
      {'property': 'windspeed', 'unit': '[kn_i]', 'quality': CAST(NULL AS VARCHAR), 'result': try_parse_number(CAST(wspd AS VARCHAR), '.', '')},
      {'property': 'windgust', 'unit': '[kn_i]', 'quality': CAST(NULL AS VARCHAR), 'result': try_parse_number(CAST(wgst AS VARCHAR), '.', '')},
      -- Metres where the report is in metres; 9999 and CAVOK are ten kilometres or more.
      {'property': 'visibility', 'unit': CASE WHEN regexp_match("rawOb", ' (CAVOK|[0-9]{4})(?:NDV)?(?: |$)')[1] IS NOT NULL THEN 'm' ELSE '[mi_i]' END,
        'quality': CASE WHEN regexp_match("rawOb", ' (CAVOK|[0-9]{4})(?:NDV)?(?: |$)')[1] IN ('9999', 'CAVOK') OR (regexp_match("rawOb", ' (CAVOK|[0-9]{4})(?:NDV)?(?: |$)')[1] IS NULL AND CAST(visib AS VARCHAR) LIKE '%+') THEN 'at least' END,
        'result': CASE WHEN regexp_match("rawOb", ' (CAVOK|[0-9]{4})(?:NDV)?(?: |$)')[1] IN ('9999', 'CAVOK') THEN 10000 ELSE coalesce(CAST(regexp_match("rawOb", ' (CAVOK|[0-9]{4})(?:NDV)?(?: |$)')[1] AS DOUBLE), try_parse_number(replace(CAST(visib AS VARCHAR), '+', ''), '.', '')) END},
      {'property': 'qnh', 'unit': 'hPa', 'quality': CAST(NULL AS VARCHAR), 'result': try_parse_number(CAST(altim AS VARCHAR), '.', '')},
      {'property': 'sealevelpressure', 'unit': 'hPa', 'quality': CAST(NULL AS VARCHAR), 'result': try_parse_number(CAST(slp AS VARCHAR), '.', '')}
    ]) AS one
    FROM source
  ) AS reports
) AS readings
WHERE result IS NOT NULL
