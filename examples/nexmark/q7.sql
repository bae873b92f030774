-- The highest bids of each ten seconds.
SELECT STREAM b.auction, b.price, b.bidder, b.dateTime, b.extra
FROM TABLE(TUMBLE(TABLE (SELECT STREAM auction, price, bidder, dateTime, extra FROM bid),
                  DESCRIPTOR(ROWTIME), INTERVAL '10' SECOND)) AS b
JOIN (SELECT STREAM MAX(price) AS maxprice, window_end
      FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ROWTIME), INTERVAL '10' SECOND))
      GROUP BY window_start, window_end) AS w
ON b.price = w.maxprice AND b.window_end = w.window_end;
