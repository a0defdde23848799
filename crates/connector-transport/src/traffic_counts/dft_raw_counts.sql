-- Raw counts, https://roadtraffic.dft.gov.uk/about; hours are of the clock in Great Britain, 7 is from 07:00 to 08:00.
-- The sorts of heavy goods vehicles are parts of all of them, and are left out.
SELECT
  count_point_id AS site_id, road_name AS site_name,
  CASE upper(direction_of_travel) WHEN 'N' THEN 'northBound' WHEN 'S' THEN 'southBound' WHEN 'E' THEN 'eastBound' WHEN 'W' THEN 'westBound'
    WHEN 'C' THEN 'allDirections' ELSE direction_of_travel END AS direction,
  CASE lower(vehicle) WHEN 'pedal_cycles' THEN 'bicycle' WHEN 'two_wheeled_motor_vehicles' THEN 'motorcycle' WHEN 'cars_and_taxis' THEN 'car'
    WHEN 'buses_and_coaches' THEN 'bus' WHEN 'lgvs' THEN 'van' WHEN 'all_hgvs' THEN 'lorry' WHEN 'all_motor_vehicles' THEN 'anyVehicle' END
    AS vehicle_type,
  parse_timestamp(substr(count_date, 1, 10) || ' ' || lpad("hour", 2, '0') || ':00', '%Y-%m-%d %H:%M', 'Europe/London') AS period_start,
  3600 AS period_length, NULLIF(counted, '') AS vehicle_count, longitude || ', ' || latitude AS location
FROM source
WHERE lower(vehicle) IN ('pedal_cycles', 'two_wheeled_motor_vehicles', 'cars_and_taxis', 'buses_and_coaches', 'lgvs', 'all_hgvs',
  'all_motor_vehicles')
