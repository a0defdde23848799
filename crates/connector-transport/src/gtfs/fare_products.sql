-- fare_products.txt, https://gtfs.org/documentation/schedule/reference/#fare_productstxt
-- Fields of the key that a feed may leave empty are then the empty text.
SELECT
  $feed_id AS feed_id, fare_product_id, fare_product_name, coalesce(rider_category_id, '') AS rider_category_id,
  coalesce(fare_media_id, '') AS fare_media_id, amount, currency
FROM source
