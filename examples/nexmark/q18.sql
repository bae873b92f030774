-- The last bid of each bidder for each auction.
SELECT STREAM auction, bidder, price, channel, url, dateTime, extra
FROM (
    SELECT STREAM *, ROW_NUMBER() OVER (PARTITION BY bidder, auction ORDER BY dateTime DESC) AS rank_number
    FROM bid)
WHERE rank_number <= 1;
