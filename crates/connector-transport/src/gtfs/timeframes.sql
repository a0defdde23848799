-- timeframes.txt, https://gtfs.org/documentation/schedule/reference/#timeframestxt
-- Empty times are the start and the end of the day.
SELECT
  $feed_id AS feed_id, timeframe_group_id, coalesce(nullif(start_time, ''), '00:00:00') AS start_time,
  coalesce(nullif(end_time, ''), '24:00:00') AS end_time, service_id
FROM source
