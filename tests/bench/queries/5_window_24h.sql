-- 24-hour window mean: each station's worst day of PM2.5.
SELECT station_id, max(day_mean) AS worst
FROM (
  SELECT station_id, avg(value) OVER (
    PARTITION BY station_id ORDER BY observed_at ROWS BETWEEN 23 PRECEDING AND CURRENT ROW) AS day_mean
  FROM bench.observations
  WHERE parameter = 'pm25'
) AS days
GROUP BY station_id
ORDER BY station_id
