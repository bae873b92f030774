-- Bids for every 123rd auction.
SELECT STREAM auction, price
FROM bid
WHERE MOD(auction, 123) = 0;
