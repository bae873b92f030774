-- Bids of each bidder as long as they follow each other within ten seconds.
SELECT STREAM bidder, COUNT(*) AS bid_count, window_start AS starttime, window_end AS endtime
FROM TABLE(SESSION(TABLE bid PARTITION BY bidder, DESCRIPTOR(ROWTIME), INTERVAL '10' SECOND))
GROUP BY bidder, window_start, window_end;
