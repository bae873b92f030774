-- Bids of each bidder in ten seconds of the clock: ROWTIME is when a bid arrives.
SELECT STREAM bidder, COUNT(*) AS bid_count
FROM bid
GROUP BY bidder, STEP(bid.ROWTIME BY INTERVAL '10' SECOND);
