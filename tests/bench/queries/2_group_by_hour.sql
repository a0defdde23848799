-- Group by hour: calls of every hour of the service day, past midnight too.
SELECT substr(arrival_time, 1, 2) AS hour, count(*) AS calls, avg(shape_dist_traveled) AS metres
FROM bench.stop_times
GROUP BY substr(arrival_time, 1, 2)
ORDER BY hour
