-- https://api.waterdata.usgs.gov/ogcapi/v0/collections: continuous and daily. Statistics of days other than the mean have a property of
-- their own; a day is written without a time.
SELECT
  monitoring_location_id AS station_id,
  CASE parameter_code
    WHEN '00060' THEN 'discharge'
    WHEN '00065' THEN 'waterlevel'
    WHEN '00010' THEN 'watertemperature'
    WHEN '00020' THEN 'temperature'
    WHEN '00045' THEN 'rainfall'
    WHEN '00095' THEN 'conductance'
    WHEN '00300' THEN 'dissolvedoxygen'
    WHEN '00400' THEN 'ph'
    WHEN '63680' THEN 'turbidity'
    ELSE 'usgs' || parameter_code
  END || CASE statistic_id WHEN '00001' THEN '_max' WHEN '00002' THEN '_min' WHEN '00006' THEN '_sum' WHEN '00008' THEN '_median' ELSE '' END AS observed_property,
  CASE WHEN length("time") = 10 THEN "time" || 'T00:00:00Z' ELSE "time" END AS phenomenon_time,
  CASE WHEN length("time") = 10 THEN parse_timestamp("time", 'iso', 'UTC') + INTERVAL '1 day' END AS phenomenon_time_end,
  value AS result,
  CASE unit_of_measure
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
    ELSE replace(unit_of_measure, ' ', '_')
  END AS unit,
  time_series_id AS sensor_id,
  concat_ws(' ', approval_status, qualifier) AS result_quality
FROM source
