    -- All scores in one text, as in "Toán:   6.20   Ngữ văn:   7.00". Means of groups of subjects (KHTN, KHXH) are no subjects.
    SELECT candidate_number, split_part(one, ':', 1) AS subject, split_part(one, ':', 2) AS score
    FROM (
      SELECT
        lpad(trim("candidate"), 8, '0') AS candidate_number,
        -- A score ends before the next subject's name.
        unnest(string_to_array(regexp_replace(trim("scores"), '(:\s*\S+)\s+', '\1|', 'g'), '|')) AS one
      FROM source
    ) AS texts
