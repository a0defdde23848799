-- The busiest stops of Cairns on a Monday, by hour of the service day
SELECT s.stop_name, gtfs_seconds(t.departure_time) / 3600 AS hour, count(*) AS departures, count(DISTINCT r.route_short_name) AS lines
FROM transport.stop_times t
JOIN transport.trips p ON p.feed_id = t.feed_id AND p.trip_id = t.trip_id
JOIN transport.routes r ON r.feed_id = p.feed_id AND r.route_id = p.route_id
JOIN transport.calendar c ON c.feed_id = p.feed_id AND c.service_id = p.service_id
JOIN transport.stops s ON s.feed_id = t.feed_id AND s.stop_id = t.stop_id
WHERE t.feed_id = 'cairns-bus' AND c.monday = 1 AND t.departure_time IS NOT NULL
GROUP BY s.stop_name, gtfs_seconds(t.departure_time) / 3600
ORDER BY departures DESC, s.stop_name, hour
LIMIT 10
