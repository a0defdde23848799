SELECT
  coalesce("stationCode", "refPointOfInterest", "refDevice", id) AS station_id,
  '{name}' AS observed_property,
  -- One instant, or the two of an interval with a slash between them.
  coalesce("{attribute}.observedAt", "dateObservedFrom", split_part("dateObserved", '/', 1)) AS phenomenon_time,
  coalesce("dateObservedTo", NULLIF(split_part("dateObserved", '/', 2), '')) AS phenomenon_time_end,
  {result} AS result,
  -- UN/CEFACT's codes in UCUM; else what the settings say, else the unit that the model itself has.
  coalesce(
    CASE "{attribute}.unitCode"
      WHEN 'GQ' THEN 'ug/m3' WHEN 'GP' THEN 'mg/m3' WHEN '59' THEN '[ppm]' WHEN '61' THEN '[ppb]' WHEN 'CEL' THEN 'Cel'
      WHEN 'P1' THEN '%' WHEN 'A97' THEN 'hPa' WHEN 'PAL' THEN 'Pa' WHEN 'MTS' THEN 'm/s' WHEN 'KMH' THEN 'km/h'
      WHEN 'MMT' THEN 'mm' WHEN 'DD' THEN 'deg' WHEN 'C62' THEN '1'
      ELSE "{attribute}.unitCode"
    END,
    NULLIF(split_part(split_part($units, '|{attribute}=', 2), '|', 1), ''),
    {unit}
  ) AS unit
FROM source
WHERE "{attribute}" IS NOT NULL
