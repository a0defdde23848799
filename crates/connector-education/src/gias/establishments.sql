-- Glossary of Get Information about Schools. Dates are day first, places on the British National Grid (EPSG:27700).
SELECT
  "URN" AS school_id,
  "EstablishmentName" AS name,
  CASE "PhaseOfEducation (name)"
    WHEN 'Nursery' THEN '["02"]'
    WHEN 'Primary' THEN '["1"]'
    WHEN 'Middle deemed primary' THEN '["1","2"]'
    WHEN 'Middle deemed secondary' THEN '["1","2"]'
    WHEN 'Secondary' THEN '["2","3"]'
    WHEN 'All-through' THEN '["1","2","3"]'
    WHEN '16 plus' THEN '["3"]'
  END AS isced_levels,
  "TypeOfEstablishment (name)" AS school_type,
  CASE
    WHEN "EstablishmentTypeGroup (name)" = 'Independent schools' THEN 'private'
    WHEN "EstablishmentTypeGroup (name)" IN ('Academies', 'Free Schools', 'Local authority maintained schools', 'Colleges') THEN 'public'
  END AS sector,
  CASE "EstablishmentStatus (name)" WHEN 'Open' THEN 'open' WHEN 'Closed' THEN 'closed' WHEN 'Proposed to open' THEN 'proposed'
    WHEN 'Open, but proposed to close' THEN 'open' END AS status,
  parse_date(NULLIF("OpenDate", ''), 'dmy') AS open_date,
  parse_date(NULLIF("CloseDate", ''), 'dmy') AS close_date,
  NULLIF("NumberOfPupils", '') AS pupils,
  NULLIF("SchoolCapacity", '') AS capacity,
  concat_ws(', ', NULLIF("Street", ''), NULLIF("Town", ''), NULLIF("Postcode", '')) AS address,
  "LA (name)" AS locality,
  'GB' AS country,
  NULLIF("SchoolWebsite", '') AS website,
  NULLIF("TelephoneNum", '') AS phone,
  to_wgs84(CAST(NULLIF("Easting", '') AS DOUBLE), CAST(NULLIF("Northing", '') AS DOUBLE), 27700) AS location,
  CAST(parse_date(NULLIF("LastChangedDate", ''), 'dmy') AS VARCHAR) || 'T00:00:00Z' AS modified
FROM source
