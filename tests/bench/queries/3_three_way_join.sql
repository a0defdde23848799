-- Three-way join: which lines serve the north most.
SELECT t.route_id, count(*) AS calls, avg(p.stop_lat) AS latitude
FROM bench.stop_times s
JOIN bench.trips t ON s.trip_id = t.trip_id
JOIN bench.stops p ON s.stop_id = p.stop_id
WHERE p.stop_lat > 21.0
GROUP BY t.route_id
ORDER BY calls DESC, t.route_id
LIMIT 20
