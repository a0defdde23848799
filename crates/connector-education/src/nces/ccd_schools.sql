-- CCD, public elementary/secondary school universe survey: directory (file 029). Grades are PK, KG, 01 to 12, UG and AE.
SELECT
  lpad("NCESSCH", 12, '0') AS school_id,
  "SCH_NAME" AS name,
  CASE "LEVEL"
    WHEN 'Prekindergarten' THEN '["02"]'
    WHEN 'Elementary' THEN '["1"]'
    WHEN 'Middle' THEN '["2"]'
    WHEN 'High' THEN '["3"]'
    WHEN 'Secondary' THEN '["2","3"]'
  END AS isced_levels,
  "SCH_TYPE_TEXT" AS school_type,
  'public' AS sector,
  CASE "SY_STATUS_TEXT" WHEN 'Closed' THEN 'closed' WHEN 'Future' THEN 'proposed' WHEN 'Inactive' THEN 'closed' ELSE 'open' END AS status,
  NULLIF(concat_ws(', ', NULLIF("LSTREET1", ''), NULLIF("LCITY", ''), NULLIF("LSTATE" || ' ' || "LZIP", ' ')), '') AS address,
  NULLIF("LCITY", '') AS locality,
  'US' AS country,
  NULLIF("WEBSITE", '') AS website,
  NULLIF("PHONE", '') AS phone
FROM source
