-- PtSituationElement of SIRI SX, https://github.com/SIRI-CEN/SIRI; causes and effects by the nearest of GTFS Realtime, the source's own
-- words beside them.
SELECT
  $feed_id AS feed_id, situation_number AS entity_id,
  coalesce(versioned_at_time, creation_time, response_timestamp) AS "timestamp",
  coalesce(operator_ref, '') || '//' || coalesce(line_ref, '') || '/' || coalesce(direction_ref, '') || '/'
    || coalesce(vehicle_journey_ref, '') || '/' || coalesce(stop_point_ref, stop_place_ref, '') AS informed_entity,
  validity_period AS active_period,
  CASE WHEN cause IS NULL THEN NULL
    WHEN cause LIKE '%onstruction%' OR cause LIKE '%oadworks%' THEN 'CONSTRUCTION'
    WHEN cause LIKE '%aintenance%' OR cause LIKE '%epair%' THEN 'MAINTENANCE'
    WHEN cause LIKE '%ccident%' OR cause LIKE '%ollision%' THEN 'ACCIDENT'
    WHEN cause LIKE '%ndustrialAction%' OR cause LIKE '%trike%' THEN 'STRIKE'
    WHEN cause LIKE '%emonstration%' THEN 'DEMONSTRATION'
    WHEN cause LIKE '%eather%' OR regexp_like(cause, '^(fog|hail|sleet|ice|frozen|roughSea|avalanches|fallenLeaves|waterlogged)$')
      OR regexp_like(cause, '(Snow|Rain|Wind|[sS]torm|[bB]lizzard|[fF]lood|Tide|tidal|Temperatures|WaterLevel)') THEN 'WEATHER'
    WHEN cause LIKE '%olice%' THEN 'POLICE_ACTIVITY'
    WHEN cause LIKE '%edical%' OR cause LIKE '%llness%' THEN 'MEDICAL_EMERGENCY'
    WHEN cause LIKE '%oliday%' THEN 'HOLIDAY'
    WHEN cause LIKE '%pecialEvent%' THEN 'SPECIAL_EVENT'
    WHEN cause LIKE '%echnical%' OR cause LIKE '%ailure%' OR cause LIKE '%efect%' THEN 'TECHNICAL_PROBLEM'
    WHEN cause = 'unknown' THEN 'UNKNOWN_CAUSE' ELSE 'OTHER_CAUSE' END AS cause,
  cause AS cause_detail,
  CASE "condition" WHEN 'diverted' THEN 'DETOUR' WHEN 'cancelled' THEN 'NO_SERVICE' WHEN 'noService' THEN 'NO_SERVICE'
    WHEN 'disrupted' THEN 'MODIFIED_SERVICE' WHEN 'altered' THEN 'MODIFIED_SERVICE' WHEN 'delayed' THEN 'SIGNIFICANT_DELAYS'
    WHEN 'additionalService' THEN 'ADDITIONAL_SERVICE' WHEN 'stopMoved' THEN 'STOP_MOVED' WHEN 'stopCancelled' THEN 'NO_SERVICE'
    WHEN 'normalService' THEN 'NO_EFFECT' WHEN 'unknown' THEN 'UNKNOWN_EFFECT' ELSE CASE WHEN "condition" IS NOT NULL THEN 'OTHER_EFFECT' END END
    AS effect,
  "condition" AS effect_detail,
  CASE severity WHEN 'noImpact' THEN 'INFO' WHEN 'verySlight' THEN 'INFO' WHEN 'slight' THEN 'INFO' WHEN 'normal' THEN 'WARNING'
    WHEN 'severe' THEN 'SEVERE' WHEN 'verySevere' THEN 'SEVERE' ELSE CASE WHEN severity IS NOT NULL THEN 'UNKNOWN_SEVERITY' END END
    AS severity_level,
  summary AS header_text, summary_translations AS header_text_translations, description AS description_text,
  description_translations AS description_text_translations, info_link AS url,
  operator_ref AS agency_id, line_ref AS route_id, CASE WHEN direction_ref IN ('0', '1') THEN direction_ref END AS direction_id,
  vehicle_journey_ref AS trip_id,
  CASE WHEN data_frame_ref LIKE '____-__-__' THEN replace(data_frame_ref, '-', '') END AS trip_start_date,
  coalesce(stop_point_ref, stop_place_ref) AS stop_id
FROM source
