-- A row a score; `rows` has the candidate's number, the subject's name and the score. An empty score: the subject was not chosen.
SELECT
  $exam AS exam_code,
  $year AS exam_year,
  candidate_number,
  subject_code,
  -- Absent ("Vắng") or void: a row without a score.
  try_parse_number(replace(score, ',', '.'), '.', '') AS score,
  NULLIF(split_part(split_part($councils, '|' || substr(candidate_number, 1, 2) || '=', 2), '|', 1), '') AS place_code
FROM (
  SELECT
    candidate_number,
    coalesce(NULLIF(split_part(split_part($subjects, '|' || subject || '=', 2), '|', 1), ''),
    CASE lower(regexp_replace(vn_unaccent(subject), '[^A-Za-z0-9]', '', 'g'))
      WHEN 'toan' THEN 'toan'
      WHEN 'van' THEN 'ngu_van'
      WHEN 'nguvan' THEN 'ngu_van'
      WHEN 'ngoaingu' THEN 'ngoai_ngu'
      WHEN 'anh' THEN 'ngoai_ngu'
      WHEN 'tienganh' THEN 'ngoai_ngu'
      WHEN 'tiengnga' THEN 'ngoai_ngu'
      WHEN 'tiengphap' THEN 'ngoai_ngu'
      WHEN 'tiengtrung' THEN 'ngoai_ngu'
      WHEN 'tiengtrungquoc' THEN 'ngoai_ngu'
      WHEN 'tiengduc' THEN 'ngoai_ngu'
      WHEN 'tiengnhat' THEN 'ngoai_ngu'
      WHEN 'tienghan' THEN 'ngoai_ngu'
      WHEN 'ly' THEN 'vat_li'
      WHEN 'vatly' THEN 'vat_li'
      WHEN 'vatli' THEN 'vat_li'
      WHEN 'hoa' THEN 'hoa_hoc'
      WHEN 'hoahoc' THEN 'hoa_hoc'
      WHEN 'sinh' THEN 'sinh_hoc'
      WHEN 'sinhhoc' THEN 'sinh_hoc'
      WHEN 'su' THEN 'lich_su'
      WHEN 'lichsu' THEN 'lich_su'
      WHEN 'dia' THEN 'dia_li'
      WHEN 'dialy' THEN 'dia_li'
      WHEN 'diali' THEN 'dia_li'
      WHEN 'gdcd' THEN 'gdcd'
      WHEN 'giaoduccongdan' THEN 'gdcd'
      WHEN 'tin' THEN 'tin_hoc'
      WHEN 'tinhoc' THEN 'tin_hoc'
      WHEN 'gdktpl' THEN 'gdktpl'
      WHEN 'giaoduckinhtevaphapluat' THEN 'gdktpl'
      WHEN 'congnghe' THEN 'cong_nghe'
      WHEN 'congnghecongnghiep' THEN 'cong_nghe_cong_nghiep'
      WHEN 'congnghenongnghiep' THEN 'cong_nghe_nong_nghiep'
    END) AS subject_code,
    trim(score) AS score
  FROM (
{rows}  ) AS answers
) AS scores
WHERE subject_code IS NOT NULL AND score <> ''
