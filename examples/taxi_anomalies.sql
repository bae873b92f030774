-- Finds the unusual days in a series of taxi rides (timestamp, value; one row each half hour).
--   tidemill sql --local -f examples/taxi_anomalies.sql --bind SOURCE_SQL_STREAM_001=nyc_taxi.csv
--     --rowtime timestamp --print DESTINATION_SQL_STREAM --format csv
CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" (
    "timestamp" TIMESTAMP,
    "value" BIGINT,
    ANOMALY_SCORE DOUBLE
);
CREATE OR REPLACE PUMP "SCORES" AS
    INSERT INTO "DESTINATION_SQL_STREAM"
    SELECT STREAM "timestamp", "value", ANOMALY_SCORE
    FROM TABLE(RANDOM_CUT_FOREST(
        CURSOR(SELECT STREAM "timestamp", "value" FROM "SOURCE_SQL_STREAM_001")));
