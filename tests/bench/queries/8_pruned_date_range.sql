-- Pruned date range: one week of thirteen months.
SELECT observed_property, count(*) AS hours, avg(result) AS mean, max(result) AS worst
FROM bench.observations
WHERE phenomenon_time >= TIMESTAMP '2024-06-10 00:00:00' AND phenomenon_time < TIMESTAMP '2024-06-17 00:00:00'
GROUP BY observed_property
ORDER BY observed_property
