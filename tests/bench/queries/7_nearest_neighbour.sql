-- Nearest neighbour: the stop next to each station, by great-circle distance.
SELECT station_id, stop_id, metres
FROM (
  SELECT station_id, stop_id, metres, row_number() OVER (PARTITION BY station_id ORDER BY metres, stop_id) AS place
  FROM (
    SELECT a.station_id, p.stop_id, 2 * 6371000 * asin(sqrt(
      power(sin(radians(p.stop_lat - a.latitude) / 2), 2)
      + cos(radians(a.latitude)) * cos(radians(p.stop_lat)) * power(sin(radians(p.stop_lon - a.longitude) / 2), 2))) AS metres
    FROM bench.stations a CROSS JOIN bench.stops p
  ) AS pairs
) AS ranked
WHERE place = 1
ORDER BY station_id
