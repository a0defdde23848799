-- Line, https://github.com/NeTEx-CEN/NeTEx (part 1). Modes by AllVehicleModesOfTransportEnumeration.
SELECT
  $feed_id AS feed_id, id AS route_id, coalesce(operator_ref, authority_ref) AS agency_id,
  coalesce(public_code, short_name, private_code) AS route_short_name, name AS route_long_name, description AS route_desc,
  CASE transport_mode WHEN 'tram' THEN 0 WHEN 'metro' THEN 1 WHEN 'rail' THEN 2 WHEN 'intercityRail' THEN 2 WHEN 'urbanRail' THEN 2
    WHEN 'bus' THEN 3 WHEN 'coach' THEN 200 WHEN 'trolleyBus' THEN 11 WHEN 'water' THEN 4 WHEN 'ferry' THEN 4 WHEN 'cableway' THEN 6
    WHEN 'telecabin' THEN 6 WHEN 'lift' THEN 1303 WHEN 'funicular' THEN 7 WHEN 'air' THEN 1100 WHEN 'taxi' THEN 1500
    WHEN 'selfDrive' THEN 1700 ELSE 1700 END AS route_type,
  url AS route_url, colour AS route_color, text_colour AS route_text_color
FROM source
