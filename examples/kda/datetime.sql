-- Dates and times read, moved and written
-- run: --rowtime TIME
CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" (event_timestamp TIMESTAMP, five_minutes_before TIMESTAMP,
  event_unix BIGINT, event_text VARCHAR(32), event_second BIGINT);
CREATE OR REPLACE PUMP "STREAM_PUMP" AS INSERT INTO "DESTINATION_SQL_STREAM"
SELECT STREAM TO_TIMESTAMP(event_ms), TO_TIMESTAMP(event_ms) - INTERVAL '5' MINUTE,
  UNIX_TIMESTAMP(TO_TIMESTAMP(event_ms)), TIMESTAMP_TO_CHAR('yyyy-MM-dd''T''HH:mm', TO_TIMESTAMP(event_ms)),
  EXTRACT(SECOND FROM CHAR_TO_TIMESTAMP('dd/MMM/yyyy HH:mm:ss', text_time))
FROM "SOURCE_SQL_STREAM_001";
