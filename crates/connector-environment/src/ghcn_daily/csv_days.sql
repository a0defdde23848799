  -- readme-by_station.txt and readme-by_year.txt: station, day, element, value, three flags, hour of observation; no header.
  SELECT
    column_1 AS id,
    substr(column_2, 1, 4) || '-' || substr(column_2, 5, 2) || '-' || substr(column_2, 7, 2) AS "day",
    column_3 AS element,
    column_4 AS value,
    column_6 AS quality
  FROM source
