-- DayTypeAssignment, DatedServiceJourney, https://github.com/NeTEx-CEN/NeTEx (parts 1 and 2)
SELECT $feed_id AS feed_id, day_type_ref AS service_id, replace("date", '-', '') AS "date", 1 AS exception_type
FROM source
