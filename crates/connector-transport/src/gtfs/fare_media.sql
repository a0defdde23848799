-- fare_media.txt, https://gtfs.org/documentation/schedule/reference/#fare_mediatxt
SELECT
  $feed_id AS feed_id, fare_media_id, fare_media_name, fare_media_type
FROM source
