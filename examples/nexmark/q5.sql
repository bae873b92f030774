-- Hot items: every two seconds the auctions with the most bids in the last ten.
CREATE STREAM counts (auction BIGINT, bids BIGINT, starttime TIMESTAMP, endtime TIMESTAMP);
CREATE PUMP count_bids AS INSERT INTO counts
SELECT STREAM auction, COUNT(*), window_start, window_end
FROM TABLE(HOP(TABLE bid, DESCRIPTOR(ROWTIME), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
GROUP BY auction, window_start, window_end;
SELECT STREAM c.auction, c.bids
FROM counts AS c
JOIN (SELECT STREAM MAX(bids) AS most FROM counts GROUP BY counts.ROWTIME) AS m
ON c.ROWTIME = m.ROWTIME AND c.bids >= m.most;
