  -- readme.txt, section III: a month a line. Days that a month does not have are -9999, as those without a value are.
  SELECT id, element, substr("month", 1, 4) || '-' || substr("month", 5, 2) || '-' || one['number'] AS "day", trim(one['value']) AS value, one['quality'] AS quality
  FROM (
    SELECT id, element, "month", unnest([
      {'number': '01', 'value': value_1, 'quality': quality_1},
      {'number': '02', 'value': value_2, 'quality': quality_2},
      {'number': '03', 'value': value_3, 'quality': quality_3},
      {'number': '04', 'value': value_4, 'quality': quality_4},
      {'number': '05', 'value': value_5, 'quality': quality_5},
      {'number': '06', 'value': value_6, 'quality': quality_6},
      {'number': '07', 'value': value_7, 'quality': quality_7},
      {'number': '08', 'value': value_8, 'quality': quality_8},
      {'number': '09', 'value': value_9, 'quality': quality_9},
      {'number': '10', 'value': value_10, 'quality': quality_10},
      {'number': '11', 'value': value_11, 'quality': quality_11},
      {'number': '12', 'value': value_12, 'quality': quality_12},
      {'number': '13', 'value': value_13, 'quality': quality_13},
      {'number': '14', 'value': value_14, 'quality': quality_14},
      {'number': '15', 'value': value_15, 'quality': quality_15},
      {'number': '16', 'value': value_16, 'quality': quality_16},
      {'number': '17', 'value': value_17, 'quality': quality_17},
      {'number': '18', 'value': value_18, 'quality': quality_18},
      {'number': '19', 'value': value_19, 'quality': quality_19},
      {'number': '20', 'value': value_20, 'quality': quality_20},
      {'number': '21', 'value': value_21, 'quality': quality_21},
      {'number': '22', 'value': value_22, 'quality': quality_22},
      {'number': '23', 'value': value_23, 'quality': quality_23},
      {'number': '24', 'value': value_24, 'quality': quality_24},
      {'number': '25', 'value': value_25, 'quality': quality_25},
      {'number': '26', 'value': value_26, 'quality': quality_26},
      {'number': '27', 'value': value_27, 'quality': quality_27},
      {'number': '28', 'value': value_28, 'quality': quality_28},
      {'number': '29', 'value': value_29, 'quality': quality_29},
      {'number': '30', 'value': value_30, 'quality': quality_30},
      {'number': '31', 'value': value_31, 'quality': quality_31}
    ]) AS one
    FROM source
  ) AS days
