-- rider_categories.txt, https://gtfs.org/documentation/schedule/reference/#rider_categoriestxt
SELECT
  $feed_id AS feed_id, rider_category_id, rider_category_name, is_default_fare_category, eligibility_url
FROM source
