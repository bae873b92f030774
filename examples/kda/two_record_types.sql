-- Two types of records in one stream, told apart and joined
-- run: --rowtime at
CREATE OR REPLACE STREAM "Order_Stream" ("order_id" INTEGER, "order_type" VARCHAR(10), "ticker" VARCHAR(4));
CREATE OR REPLACE PUMP "Order_Pump" AS INSERT INTO "Order_Stream"
SELECT STREAM "Oid", "Otype", "Oticker" FROM "SOURCE_SQL_STREAM_001" WHERE "RecordType" = 'Order';

CREATE OR REPLACE STREAM "Trade_Stream" ("trade_id" INTEGER, "order_id" INTEGER, "trade_price" DOUBLE);
CREATE OR REPLACE PUMP "Trade_Pump" AS INSERT INTO "Trade_Stream"
SELECT STREAM "Tid", "Toid", "Tprice" FROM "SOURCE_SQL_STREAM_001" WHERE "RecordType" = 'Trade';

CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" ("ticker" VARCHAR(4), "trade_price" DOUBLE);
CREATE OR REPLACE PUMP "Join_Pump" AS INSERT INTO "DESTINATION_SQL_STREAM"
SELECT STREAM "Order_Stream"."ticker", "Trade_Stream"."trade_price"
FROM "Order_Stream" OVER (RANGE INTERVAL '1' MINUTE PRECEDING)
JOIN "Trade_Stream" ON "Trade_Stream"."order_id" = "Order_Stream"."order_id";
