-- Alert, https://gtfs.org/documentation/realtime/reference/#message-alert
-- Of an alert's entities any field may be empty, so all together, as one text, are the key.
SELECT
  $feed_id AS feed_id, entity_id, to_timestamp_seconds(header_timestamp) AS "timestamp",
  coalesce(agency_id, '') || '/' || coalesce(CAST(route_type AS text), '') || '/' || coalesce(route_id, trip_route_id, '')
    || '/' || coalesce(CAST(direction_id AS text), CAST(trip_direction_id AS text), '') || '/' || coalesce(trip_id, '')
    || '/' || coalesce(stop_id, '') AS informed_entity,
  active_period, cause, effect, severity_level, header_text, header_text_translations, description_text,
  description_text_translations, url, url_translations, cause_detail, effect_detail, agency_id,
  coalesce(route_id, trip_route_id) AS route_id, route_type, coalesce(direction_id, trip_direction_id) AS direction_id,
  trip_id, trip_start_date, trip_start_time, stop_id
FROM source
