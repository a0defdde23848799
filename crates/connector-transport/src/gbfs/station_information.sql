-- station_information.json, https://gbfs.org/documentation/reference/#station_informationjson
-- A name is a text in 2.x, and in 3.x a list of texts by language.
SELECT
  $system_id AS system_id, station_id,
  coalesce(
    CASE WHEN json_get_str(name, 0, 'language') = $language THEN json_get_str(name, 0, 'text') END,
    CASE WHEN json_get_str(name, 1, 'language') = $language THEN json_get_str(name, 1, 'text') END,
    CASE WHEN json_get_str(name, 2, 'language') = $language THEN json_get_str(name, 2, 'text') END,
    json_get_str(name, 0, 'text'), name) AS name,
  coalesce(
    CASE WHEN json_get_str(short_name, 0, 'language') = $language THEN json_get_str(short_name, 0, 'text') END,
    CASE WHEN json_get_str(short_name, 1, 'language') = $language THEN json_get_str(short_name, 1, 'text') END,
    CASE WHEN json_get_str(short_name, 2, 'language') = $language THEN json_get_str(short_name, 2, 'text') END,
    json_get_str(short_name, 0, 'text'), short_name) AS short_name,
  lat AS latitude, lon AS longitude, address, cross_street, region_id, post_code, station_opening_hours, rental_methods,
  is_virtual_station, station_area, parking_type, parking_hoop, contact_phone, capacity, vehicle_types_capacity,
  vehicle_docks_capacity, is_valet_station, is_charging_station, rental_uris
FROM source
