    -- A column a subject, read row a score. Numbers get back the zeros that spreadsheets take.
    SELECT lpad(trim("candidate"), 8, '0') AS candidate_number, subject, score FROM source
