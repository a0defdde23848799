-- translations.txt, https://gtfs.org/documentation/schedule/reference/#translationstxt
-- Fields of the key that a feed may leave empty are then the empty text.
SELECT
  $feed_id AS feed_id, table_name, field_name, language, translation, coalesce(record_id, '') AS record_id,
  coalesce(record_sub_id, '') AS record_sub_id, coalesce(field_value, '') AS field_value
FROM source
