-- Pruned date range: one week of thirteen months.
SELECT parameter, count(*) AS hours, avg(value) AS mean, max(value) AS worst
FROM bench.observations
WHERE observed_at >= TIMESTAMP '2024-06-10 00:00:00' AND observed_at < TIMESTAMP '2024-06-17 00:00:00'
GROUP BY parameter
ORDER BY parameter
