-- Bids with a value from a reference table of 10,000 keys.
SELECT STREAM b.auction, b.bidder, b.price, b.dateTime, s.value
FROM bid AS b JOIN side_input AS s ON MOD(b.auction, 10000) = s.key;
