-- People who opened an auction in the ten seconds in which they came.
SELECT STREAM p.id, p.name, p.window_start
FROM (SELECT STREAM id, name, window_start, window_end
      FROM TABLE(TUMBLE(TABLE person, DESCRIPTOR(ROWTIME), INTERVAL '10' SECOND))
      GROUP BY id, name, window_start, window_end) AS p
JOIN (SELECT STREAM seller, window_start, window_end
      FROM TABLE(TUMBLE(TABLE auction, DESCRIPTOR(ROWTIME), INTERVAL '10' SECOND))
      GROUP BY seller, window_start, window_end) AS a
ON p.id = a.seller AND p.window_start = a.window_start AND p.window_end = a.window_end;
