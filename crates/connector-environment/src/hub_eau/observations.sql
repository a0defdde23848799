-- https://hubeau.eaufrance.fr/page/api-hydrometrie: H is a level in millimetres, Q a flow in litres a second.
SELECT
  code_station AS station_id,
  CASE grandeur_hydro WHEN 'H' THEN 'waterlevel' WHEN 'Q' THEN 'discharge' END AS observed_property,
  date_obs AS phenomenon_time,
  resultat_obs AS result,
  CASE grandeur_hydro WHEN 'H' THEN 'mm' WHEN 'Q' THEN 'L/s' END AS unit,
  libelle_qualification_obs AS result_quality
FROM source
