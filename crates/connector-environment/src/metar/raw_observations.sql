-- WMO No. 306, FM 15: a report a line, as in "METAR VVCI 251230Z 09005KT 9999 FEW020 28/24 Q1010 NOSIG". Trends (NOSIG, BECMG, TEMPO) and
-- remarks are no observations. The month is that of the day on which the reports were asked for, or of the settings; a later day of the
-- month is of the month before. A pattern has one group each: groups that did not take part are left out of what regexp_match gives.
SELECT station_id, property AS observed_property, phenomenon_time, result, unit, quality AS result_quality
FROM (
  SELECT station_id, phenomenon_time, one['property'] AS property, one['unit'] AS unit, one['quality'] AS quality, one['result'] AS result
  FROM (
    SELECT
      station_id,
      date_trunc('month', asked) - CASE WHEN CAST(day_time[1] AS INT) > date_part('day', asked) + 1 THEN INTERVAL '1 month' ELSE INTERVAL '0 month' END
        + CAST((CAST(day_time[1] AS INT) - 1) || ' days' AS INTERVAL) + CAST(day_time[2] || ' hours' AS INTERVAL) + CAST(day_time[3] || ' minutes' AS INTERVAL) AS phenomenon_time,
      unnest([
        {'property': 'temperature', 'unit': 'Cel', 'quality': CAST(NULL AS VARCHAR), 'result': CAST(replace(regexp_match(report, ' (M?[0-9]{2})/(?:M?[0-9]{2})?(?: |$)')[1], 'M', '-') AS DOUBLE)},
        {'property': 'dewpoint', 'unit': 'Cel', 'quality': CAST(NULL AS VARCHAR), 'result': CAST(replace(regexp_match(report, ' M?[0-9]{2}/(M?[0-9]{2})(?: |$)')[1], 'M', '-') AS DOUBLE)},
        {'property': 'winddirection', 'unit': 'deg', 'quality': CAST(NULL AS VARCHAR), 'result': CAST(regexp_match(report, ' ([0-9]{3})P?[0-9]{2,3}(?:GP?[0-9]{2,3})?(?:KT|MPS|KMH)')[1] AS DOUBLE)},
        {'property': 'windspeed', 'unit': CASE regexp_match(report, ' (?:[0-9]{3}|VRB)P?[0-9]{2,3}(?:GP?[0-9]{2,3})?(KT|MPS|KMH)')[1] WHEN 'MPS' THEN 'm/s' WHEN 'KMH' THEN 'km/h' ELSE '[kn_i]' END, 'quality': CAST(NULL AS VARCHAR), 'result': CAST(regexp_match(report, ' (?:[0-9]{3}|VRB)P?([0-9]{2,3})(?:GP?[0-9]{2,3})?(?:KT|MPS|KMH)')[1] AS DOUBLE)},
        {'property': 'windgust', 'unit': CASE regexp_match(report, ' (?:[0-9]{3}|VRB)P?[0-9]{2,3}(?:GP?[0-9]{2,3})?(KT|MPS|KMH)')[1] WHEN 'MPS' THEN 'm/s' WHEN 'KMH' THEN 'km/h' ELSE '[kn_i]' END, 'quality': CAST(NULL AS VARCHAR), 'result': CAST(regexp_match(report, ' (?:[0-9]{3}|VRB)P?[0-9]{2,3}GP?([0-9]{2,3})(?:KT|MPS|KMH)')[1] AS DOUBLE)},
        {'property': 'visibility', 'unit': CASE WHEN regexp_match(report, ' (CAVOK|[0-9]{4})(?:NDV)?(?: |$)')[1] IS NULL THEN '[mi_i]' ELSE 'm' END,
          'quality': CASE WHEN regexp_match(report, ' (CAVOK|[0-9]{4})(?:NDV)?(?: |$)')[1] IN ('9999', 'CAVOK') THEN 'at least' END,
          'result': CASE
            WHEN regexp_match(report, ' (CAVOK|[0-9]{4})(?:NDV)?(?: |$)')[1] IN ('9999', 'CAVOK') THEN 10000
            WHEN regexp_match(report, ' (CAVOK|[0-9]{4})(?:NDV)?(?: |$)')[1] IS NOT NULL THEN CAST(regexp_match(report, ' (CAVOK|[0-9]{4})(?:NDV)?(?: |$)')[1] AS DOUBLE)
            ELSE coalesce(CAST(regexp_match(report, ' ([0-9]+) [0-9]+/[0-9]+SM')[1] AS DOUBLE), 0) + CAST(regexp_match(report, ' M?([0-9]+)(?:/[0-9]+)?SM')[1] AS DOUBLE) / coalesce(CAST(regexp_match(report, '/([0-9]+)SM')[1] AS DOUBLE), 1)
          END},
        -- Q in hectopascals, A in hundredths of an inch of mercury.
        {'property': 'qnh', 'unit': 'hPa', 'quality': CAST(NULL AS VARCHAR),
          'result': coalesce(CAST(regexp_match(report, ' Q([0-9]{4})')[1] AS DOUBLE), round(CAST(regexp_match(report, ' A([0-9]{4})')[1] AS DOUBLE) * 0.3386389, 1))}
      ]) AS one
    FROM (
      SELECT
        regexp_match(line, '^(?:METAR |SPECI )?(?:COR )?([A-Z][A-Z0-9]{3}) ')[1] AS station_id,
        regexp_match(line, ' ([0-3][0-9])([0-2][0-9])([0-5][0-9])Z') AS day_time,
        regexp_replace(line, ' (?:NOSIG|BECMG|TEMPO|RMK)(?: .*)?$', '') AS report,
        CAST(coalesce(NULLIF($asked, ''), regexp_replace($part_key, '^.*#asked=', '')) AS TIMESTAMP) AS asked
      FROM (SELECT regexp_replace(trim(column_1), '[ =]+$', '') AS line FROM source) AS lines
    ) AS parsed
  ) AS reports
) AS readings
WHERE result IS NOT NULL
