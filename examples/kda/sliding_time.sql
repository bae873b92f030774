-- Sliding window: averages over the last minute, a row for each row
-- run: --rowtime TIME --rows ticks.csv
CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" (ticker_symbol VARCHAR(4), lowest DOUBLE, ticks INTEGER);
CREATE OR REPLACE PUMP "STREAM_PUMP" AS INSERT INTO "DESTINATION_SQL_STREAM"
SELECT STREAM ticker_symbol, MIN(price) OVER W1 AS lowest, COUNT(*) OVER W1 AS ticks
FROM "SOURCE_SQL_STREAM_001"
WINDOW W1 AS (PARTITION BY ticker_symbol RANGE INTERVAL '1' MINUTE PRECEDING);
