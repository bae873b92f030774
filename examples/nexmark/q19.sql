-- The ten highest bids for each auction, with their ranks.
SELECT STREAM *
FROM (
    SELECT STREAM *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) AS rank_number
    FROM bid)
WHERE rank_number <= 10;
