-- https://waterservices.usgs.gov/docs/: WaterML 1.1 as JSON. A series holds lists of values, one for each instrument; -999999 is none.
-- Statistics of days other than the mean have a property of their own; a day is written without zone.
SELECT
  'USGS-' || json_get_str(info, 'siteCode', 0, 'value') AS station_id,
  CASE json_get_str(variable, 'variableCode', 0, 'value')
    WHEN '00060' THEN 'discharge'
    WHEN '00065' THEN 'waterlevel'
    WHEN '00010' THEN 'watertemperature'
    WHEN '00020' THEN 'temperature'
    WHEN '00045' THEN 'rainfall'
    WHEN '00095' THEN 'conductance'
    WHEN '00300' THEN 'dissolvedoxygen'
    WHEN '00400' THEN 'ph'
    WHEN '63680' THEN 'turbidity'
    ELSE 'usgs' || json_get_str(variable, 'variableCode', 0, 'value')
  END || CASE json_get_str(variable, 'options', 'option', 0, 'optionCode') WHEN '00001' THEN '_max' WHEN '00002' THEN '_min' WHEN '00006' THEN '_sum' WHEN '00008' THEN '_median' ELSE '' END AS observed_property,
  CASE WHEN is_day THEN substr(time, 1, 10) || 'T00:00:00Z' ELSE time END AS phenomenon_time,
  CASE WHEN is_day THEN parse_timestamp(substr(time, 1, 10), 'iso', 'UTC') + INTERVAL '1 day' END AS phenomenon_time_end,
  CASE WHEN CAST(value AS DOUBLE) <> json_get_float(variable, 'noDataValue') THEN value END AS result,
  CASE json_get_str(variable, 'unit', 'unitCode')
    WHEN 'ft3/s' THEN '[ft_i]3/s'
    WHEN 'ft^3/s' THEN '[ft_i]3/s'
    WHEN 'ft' THEN '[ft_i]'
    WHEN 'in' THEN '[in_i]'
    WHEN 'deg C' THEN 'Cel'
    WHEN 'degC' THEN 'Cel'
    WHEN 'deg F' THEN '[degF]'
    WHEN 'mg/l' THEN 'mg/L'
    WHEN 'uS/cm @25C' THEN 'uS/cm'
    WHEN 'std units' THEN '[pH]'
    WHEN 'FNU' THEN '{FNU}'
    WHEN '_FNU' THEN '{FNU}'
    WHEN 'lbs/day' THEN '[lb_av]/d'
    ELSE replace(json_get_str(variable, 'unit', 'unitCode'), ' ', '_')
  END AS unit,
  sensor AS sensor_id,
  qualifiers AS result_quality
FROM (
  SELECT
    info,
    variable,
    sensor,
    json_get_str(one, 'value') AS value,
    json_get_str(one, 'dateTime') AS time,
    json_get_str(one, 'dateTime') NOT LIKE '%T%:%-__:__' AND json_get_str(one, 'dateTime') NOT LIKE '%T%+__:__'
      AND json_get_str(one, 'dateTime') NOT LIKE '%Z' AS is_day,
    NULLIF(regexp_replace(json_get_json(one, 'qualifiers'), '[^A-Za-z0-9:,_~<>-]', '', 'g'), '') AS qualifiers
  FROM (
    SELECT info, variable, json_as_text(series, 'method', 0, 'methodID') AS sensor, unnest(json_get_array(series, 'value')) AS one
    FROM (SELECT "sourceInfo" AS info, variable, unnest(json_get_array("values")) AS series FROM source) AS lists
  ) AS elements
) AS readings
