-- attributions.txt, https://gtfs.org/documentation/schedule/reference/#attributionstxt
-- Fields of the key that a feed may leave empty are then the empty text.
SELECT
  $feed_id AS feed_id, coalesce(attribution_id, '') AS attribution_id, coalesce(agency_id, '') AS agency_id,
  coalesce(route_id, '') AS route_id, coalesce(trip_id, '') AS trip_id, organization_name, is_producer,
  is_operator, is_authority, attribution_url, attribution_email, attribution_phone
FROM source
