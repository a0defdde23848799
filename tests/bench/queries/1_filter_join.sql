-- Filter with join: first stops of one line's trips, by where they go.
SELECT t.trip_headsign, count(*) AS calls, min(s.arrival_time) AS first_call
FROM bench.stop_times s JOIN bench.trips t ON s.trip_id = t.trip_id
WHERE t.route_id = 'R042' AND s.stop_sequence <= 5
GROUP BY t.trip_headsign
ORDER BY t.trip_headsign
