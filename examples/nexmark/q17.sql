-- Of each auction and day: bids in all and in three bands of price, and what the prices were.
SELECT STREAM
    auction,
    TIMESTAMP_TO_CHAR('yyyy-MM-dd', FLOOR(dateTime TO DAY)) AS bid_day,
    COUNT(*) AS total_bids,
    COUNT(*) FILTER (WHERE price < 10000) AS rank1_bids,
    COUNT(*) FILTER (WHERE price >= 10000 AND price < 1000000) AS rank2_bids,
    COUNT(*) FILTER (WHERE price >= 1000000) AS rank3_bids,
    MIN(price) AS min_price,
    MAX(price) AS max_price,
    AVG(price) AS avg_price,
    SUM(price) AS sum_price
FROM bid
GROUP BY auction, FLOOR(dateTime TO DAY)
EMIT CHANGES;
