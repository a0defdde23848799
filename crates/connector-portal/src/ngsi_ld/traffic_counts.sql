-- https://github.com/smart-data-models/dataModel.Transportation/tree/master/TrafficFlowObserved
SELECT
  concat_ws('/', coalesce("refRoadSegment", id), "laneId") AS site_id,
  coalesce(name, description) AS site_name,
  CASE "laneDirection" WHEN 'forward' THEN 'aligned' WHEN 'backward' THEN 'opposite' ELSE 'allDirections' END AS direction,
  coalesce("vehicleType", 'anyVehicle') AS vehicle_type,
  coalesce("dateObservedFrom", split_part("dateObserved", '/', 1), "intensity.observedAt") AS period_start,
  -- Without its end a count is of an hour, as the model's `intensity` is.
  coalesce(
    CAST(date_part('epoch', to_timestamp(coalesce("dateObservedTo", NULLIF(split_part("dateObserved", '/', 2), ''))))
      - date_part('epoch', to_timestamp(coalesce("dateObservedFrom", split_part("dateObserved", '/', 1)))) AS BIGINT),
    3600
  ) AS period_length,
  intensity AS vehicle_count,
  "averageVehicleSpeed" AS average_vehicle_speed,
  -- A share of 1 in the model, of 100 here.
  CAST(occupancy AS DOUBLE) * 100 AS occupancy,
  CASE WHEN json_get_str(location, 'type') = 'Point'
    THEN json_get_float(location, 'coordinates', 0) || ',' || json_get_float(location, 'coordinates', 1) END AS location
FROM source
