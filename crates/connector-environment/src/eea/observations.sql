-- Documentation of the Air Quality Download Service: the country stands before the sampling point's id; pollutants are codes of
-- https://dd.eionet.europa.eu/vocabulary/aq/pollutant; a validity of 0 or less marks what is not valid.
SELECT
  split_part("Samplingpoint", '/', 2) AS station_id,
  CASE CAST("Pollutant" AS INT)
    WHEN 1 THEN 'so2'
    WHEN 5 THEN 'pm10'
    WHEN 7 THEN 'o3'
    WHEN 8 THEN 'no2'
    WHEN 9 THEN 'nox'
    WHEN 10 THEN 'co'
    WHEN 20 THEN 'c6h6'
    WHEN 38 THEN 'no'
    WHEN 6001 THEN 'pm25'
    ELSE 'eea' || "Pollutant"
  END || CASE "AggType" WHEN 'day' THEN '_day' ELSE '' END AS observed_property,
  -- UTC+1, all year.
  CAST("Start" AS TIMESTAMP) - INTERVAL '1 hour' AS phenomenon_time,
  CAST("End" AS TIMESTAMP) - INTERVAL '1 hour' AS phenomenon_time_end,
  CASE WHEN "Validity" > 0 THEN "Value" END AS result,
  CASE "Unit" WHEN 'ug.m-3' THEN 'ug/m3' WHEN 'mg.m-3' THEN 'mg/m3' WHEN 'ng.m-3' THEN 'ng/m3' ELSE "Unit" END AS unit,
  split_part("Samplingpoint", '/', 2) AS sensor_id,
  'validity ' || "Validity" || ', verification ' || "Verification" AS result_quality
FROM source
