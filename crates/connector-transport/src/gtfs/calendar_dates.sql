-- calendar_dates.txt, https://gtfs.org/documentation/schedule/reference/#calendar_datestxt
SELECT
  $feed_id AS feed_id, service_id, "date", exception_type
FROM source
