SELECT exam_code, exam_year, place_code AS ref_area, subject_code, score_band, count(*) AS candidates,
  round(avg(score), 2) AS mean_score, round(median(score), 2) AS median_score, 'A' AS obs_status
FROM (
  SELECT *, unnest(['_T', band || '-' || (band + 1)]) AS score_band
  FROM (
    SELECT *, CAST(least(floor(score), 9) AS INT) AS band
    FROM education.exam_results WHERE score IS NOT NULL AND place_code IS NOT NULL
  ) AS banded
) AS scores
GROUP BY exam_code, exam_year, place_code, subject_code, score_band
HAVING count(*) >= 5
