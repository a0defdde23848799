-- https://maps.giga.global/docs/explore-api: schools_location. Levels are words, and combined with "and", "/" or commas.
SELECT
  giga_id_school AS school_id,
  school_name AS name,
  NULLIF('[' || concat_ws(',',
    CASE WHEN lower(education_level) LIKE '%pre%' THEN '"02"' END,
    CASE WHEN regexp_like(lower(education_level), '(^|[^e] ?-?)primary') AND NOT lower(education_level) IN ('pre-primary', 'preprimary', 'pre primary') THEN '"1"' END,
    CASE WHEN lower(education_level) LIKE '%secondary%' AND lower(education_level) NOT LIKE '%upper secondary%' THEN '"2"' END,
    CASE WHEN lower(education_level) LIKE '%secondary%' AND lower(education_level) NOT LIKE '%lower secondary%' THEN '"3"' END
  ) || ']', '[]') AS isced_levels,
  'school' AS school_type,
  concat_ws(', ', NULLIF(admin2, ''), NULLIF(admin1, '')) AS locality,
  NULLIF(split_part(split_part($countries, '|' || upper(country_iso3_code) || '=', 2), '|', 1), '') AS country,
  longitude || ',' || latitude AS location
FROM source
