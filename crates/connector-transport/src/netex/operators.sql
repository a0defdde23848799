-- Operator, Authority, https://github.com/NeTEx-CEN/NeTEx (part 1)
SELECT
  $feed_id AS feed_id, id AS agency_id, coalesce(name, short_name) AS agency_name,
  coalesce(url, NULLIF($agency_url, '')) AS agency_url, time_zone AS agency_timezone, phone AS agency_phone, email AS agency_email
FROM source
WHERE url IS NOT NULL OR $agency_url <> ''
