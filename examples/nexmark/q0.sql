-- Bids as they are: what everything else costs.
SELECT STREAM auction, bidder, price, dateTime, extra
FROM bid;
