-- 24-hour window mean: each station's worst day of PM2.5.
SELECT station_id, max(day_mean) AS worst
FROM (
  SELECT station_id, avg(result) OVER (
    PARTITION BY station_id ORDER BY phenomenon_time ROWS BETWEEN 23 PRECEDING AND CURRENT ROW) AS day_mean
  FROM bench.observations
  WHERE observed_property = 'pm25'
) AS days
GROUP BY station_id
ORDER BY station_id
