-- Collisions of the form STATS19; codes by the Department for Transport's "Road Safety Open Data Guide". -1 is missing or out of range.
-- The file counts the casualties, and tells the severity of the worst: how many were killed is known where nobody was.
SELECT
  coalesce(collision_index, accident_index) AS accident_id,
  CASE WHEN "date" LIKE '%/%' THEN parse_date("date", 'dmy') ELSE parse_date("date", 'iso') END AS accident_date,
  CASE WHEN "time" LIKE '__:__' THEN "time" || ':00' ELSE NULLIF("time", '') END AS accident_time,
  CASE coalesce(collision_severity, accident_severity) WHEN '1' THEN 'fatal' WHEN '2' THEN 'serious' WHEN '3' THEN 'slight' ELSE 'unknown' END
    AS severity,
  CASE WHEN coalesce(collision_severity, accident_severity) IN ('2', '3') THEN 0 END AS persons_killed,
  CASE coalesce(collision_severity, accident_severity) WHEN '3' THEN 0 END AS persons_seriously_injured,
  CASE coalesce(collision_severity, accident_severity) WHEN '3' THEN number_of_casualties END AS persons_slightly_injured,
  CASE WHEN coalesce(collision_severity, accident_severity) IN ('2', '3') THEN number_of_casualties END AS persons_injured,
  number_of_vehicles AS vehicles_involved,
  CASE first_road_class WHEN '1' THEN 'M' WHEN '2' THEN 'A' WHEN '3' THEN 'A' WHEN '4' THEN 'B' END
    || CASE WHEN first_road_number NOT IN ('0', '-1', '') THEN first_road_number END
    || CASE first_road_class WHEN '2' THEN '(M)' ELSE '' END AS road_name,
  CASE first_road_class WHEN '1' THEN 'Motorway' WHEN '2' THEN 'A(M)' WHEN '3' THEN 'A' WHEN '4' THEN 'B' WHEN '5' THEN 'C'
    WHEN '6' THEN 'Unclassified' END AS road_class,
  -- Miles an hour in the file.
  CASE WHEN speed_limit NOT IN ('-1', '99', '', 'NULL') THEN round(CAST(speed_limit AS DOUBLE) * 1.609344) END AS maximum_allowed_speed,
  CASE urban_or_rural_area WHEN '1' THEN true WHEN '2' THEN false END AS in_built_up_area,
  CASE light_conditions WHEN '1' THEN 'Daylight' WHEN '4' THEN 'Darkness - lights lit' WHEN '5' THEN 'Darkness - lights unlit'
    WHEN '6' THEN 'Darkness - no lighting' WHEN '7' THEN 'Darkness - lighting unknown' END AS light_conditions,
  CASE weather_conditions WHEN '1' THEN 'Fine no high winds' WHEN '2' THEN 'Raining no high winds' WHEN '3' THEN 'Snowing no high winds'
    WHEN '4' THEN 'Fine + high winds' WHEN '5' THEN 'Raining + high winds' WHEN '6' THEN 'Snowing + high winds' WHEN '7' THEN 'Fog or mist'
    WHEN '8' THEN 'Other' END AS weather_conditions,
  CASE road_surface_conditions WHEN '1' THEN 'Dry' WHEN '2' THEN 'Wet or damp' WHEN '3' THEN 'Snow' WHEN '4' THEN 'Frost or ice'
    WHEN '5' THEN 'Flood over 3cm. deep' WHEN '6' THEN 'Oil or diesel' WHEN '7' THEN 'Mud' END AS surface_conditions,
  CASE WHEN longitude NOT IN ('', 'NULL', '-1') THEN longitude || ', ' || latitude END AS location
FROM source
