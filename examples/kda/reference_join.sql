-- Reference data: the name of the company
-- run: --rowtime TIME --table CompanyName=companies.csv --rows ticks.csv
CREATE STREAM "DESTINATION_SQL_STREAM" (ticker_symbol VARCHAR(4), "Company" VARCHAR(20), price DOUBLE);
CREATE PUMP "STREAM_PUMP" AS INSERT INTO "DESTINATION_SQL_STREAM"
SELECT STREAM ticker_symbol, "c".company, price
FROM "SOURCE_SQL_STREAM_001"
LEFT JOIN "CompanyName" AS "c" ON "SOURCE_SQL_STREAM_001".ticker_symbol = "c".ticker;
