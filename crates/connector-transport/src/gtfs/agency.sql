-- agency.txt, https://gtfs.org/documentation/schedule/reference/#agencytxt
-- A feed of one agency may leave its id out; it is then the empty text.
SELECT
  $feed_id AS feed_id, coalesce(agency_id, '') AS agency_id, agency_name, agency_url, agency_timezone,
  agency_lang, agency_phone, agency_fare_url, agency_email, cemv_support
FROM source
