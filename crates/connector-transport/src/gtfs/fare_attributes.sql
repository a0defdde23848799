-- fare_attributes.txt, https://gtfs.org/documentation/schedule/reference/#fare_attributestxt
-- transfers: empty stays empty, which the standard reads as without limit.
SELECT
  $feed_id AS feed_id, fare_id, price, currency_type, payment_method, transfers, agency_id, transfer_duration
FROM source
