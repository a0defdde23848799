-- calendar.txt, https://gtfs.org/documentation/schedule/reference/#calendartxt
SELECT
  $feed_id AS feed_id, service_id, monday, tuesday, wednesday, thursday, friday, saturday, sunday, start_date,
  end_date
FROM source
