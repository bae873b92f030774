-- Sliding window of rows: the last two of each ticker
-- run: --rowtime TIME --rows ticks.csv
CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" (ticker_symbol VARCHAR(4), total DOUBLE);
CREATE OR REPLACE PUMP "STREAM_PUMP" AS INSERT INTO "DESTINATION_SQL_STREAM"
SELECT STREAM ticker_symbol, SUM(price) OVER (PARTITION BY ticker_symbol ROWS 1 PRECEDING) AS total
FROM "SOURCE_SQL_STREAM_001";
