-- One column a reading, named after the sensor; P1 is PM10, P2 is PM2.5. Empty where a sensor is not there or did not answer.
SELECT
  $station_id AS station_id,
  CASE
    WHEN property LIKE '%\_P1' THEN 'pm10'
    WHEN property LIKE '%\_P2' THEN 'pm25'
    WHEN property LIKE '%\_pressure' THEN 'pressure'
    WHEN property IN ('Humidity', 'BME280_humidity') THEN 'relativehumidity'
    ELSE 'temperature'
  END AS observed_property,
  -- UTC, see the connector's reference page.
  parse_timestamp("Time", '%Y/%m/%d %H:%M:%S', 'UTC') AS phenomenon_time,
  CASE WHEN property LIKE '%\_pressure' THEN parse_number(value, '.', '') / 100 ELSE parse_number(value, '.', '') END AS result,
  CASE
    WHEN property LIKE '%\_P1' OR property LIKE '%\_P2' THEN 'ug/m3'
    -- Published in pascals.
    WHEN property LIKE '%\_pressure' THEN 'hPa'
    WHEN property IN ('Humidity', 'BME280_humidity') THEN '%'
    ELSE 'Cel'
  END AS unit,
  CASE
    WHEN property IN ('Temp', 'Humidity') THEN 'DHT22'
    WHEN property LIKE 'SDS%' THEN 'SDS011'
    ELSE split_part(property, '_', 1)
  END AS sensor_id
FROM source
WHERE value <> ''
  AND property IN ('SDS_P1', 'SDS_P2', 'PMS_P1', 'PMS_P2', 'HPM_P1', 'HPM_P2', 'Temp', 'Humidity', 'BMP_temperature',
    'BMP_pressure', 'BME280_temperature', 'BME280_humidity', 'BME280_pressure')
