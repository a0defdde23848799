-- feed_info.txt, https://gtfs.org/documentation/schedule/reference/#feed_infotxt
SELECT
  $feed_id AS feed_id, feed_publisher_name, feed_publisher_url, feed_lang, default_lang, feed_start_date,
  feed_end_date, feed_version, feed_contact_email, feed_contact_url
FROM source
