#include <doctest/doctest.h>

#include "engine/base/bytes.h"
#include "engine/base/crc32c.h"
#include "tests/unit/operators/exec/random_run.h"

// Snapshots whose bytes were changed and whose checksum was made to fit.
using namespace tidemill;
using namespace tidemill::sql;
using namespace tidemill::sql::random_run;

namespace {

constexpr const char* kApplication =
    "CREATE STREAM A (O VARCHAR(2), K BIGINT, T VARCHAR(8), N BIGINT, M BIGINT, S BIGINT);"
    "CREATE PUMP A AS INSERT INTO A SELECT STREAM ROW_OP, K, T, COUNT(DISTINCT V), COUNT(DISTINCT "
    "T) FILTER (WHERE V > 3), SUM(V) FROM S GROUP BY K, T HAVING COUNT(*) > 1 EMIT CHANGES WITH "
    "(state_limit = 60, state_ttl = '1 minute', state_full = evict);"
    "CREATE STREAM B (N BIGINT, K BIGINT, V BIGINT, T VARCHAR(8));"
    "CREATE PUMP B AS INSERT INTO B SELECT STREAM n, K, V, T FROM (SELECT *, ROW_NUMBER() OVER "
    "(PARTITION BY K ORDER BY T, V DESC) AS n FROM S) WHERE n <= 4 WITH (state_limit = 15);"
    "CREATE STREAM C (O VARCHAR(2), K BIGINT, T VARCHAR(8));"
    "CREATE PUMP C AS INSERT INTO C SELECT STREAM ROW_OP, K, T FROM (SELECT *, ROW_NUMBER() OVER "
    "(PARTITION BY T ORDER BY V) AS n FROM S) WHERE n <= 3 WITH (state_ttl = '30 seconds');"
    "CREATE STREAM F (O VARCHAR(2), K BIGINT, S BIGINT);"
    "CREATE PUMP F AS INSERT INTO F SELECT STREAM ROW_OP, K, S FROM (SELECT *, ROW_NUMBER() OVER "
    "(PARTITION BY MOD(K, 2) ORDER BY S DESC) AS n FROM (SELECT K, T, SUM(V) AS S FROM S GROUP BY "
    "K, T HAVING SUM(V) > 9 EMIT CHANGES)) WHERE n <= 3;"
    "CREATE STREAM G (T VARCHAR(8), N BIGINT);"
    "CREATE PUMP G AS INSERT INTO G SELECT STREAM T, COUNT(*) FROM S GROUP BY T EMIT PERIODIC "
    "INTERVAL '10' SECOND WITH (state_limit = 30, state_full = evict);"
    "CREATE STREAM H (N BIGINT, K BIGINT, L VARCHAR(8));"
    "CREATE PUMP H AS INSERT INTO H SELECT STREAM N, COUNT(DISTINCT K), MAX(T) FROM (SELECT K, T, "
    "COUNT(*) AS N FROM S GROUP BY K, T EMIT CHANGES) WHERE N < 9 GROUP BY N EMIT CHANGES WITH "
    "(state_limit = 12);"
    "CREATE STREAM E (M TIMESTAMP, T VARCHAR(8));"
    "CREATE PUMP E AS INSERT INTO E SELECT STREAM DISTINCT FLOOR(S.ROWTIME TO MINUTE), T FROM S;";

RowBatch batch_of(const std::vector<Row>& rows, std::size_t from, std::size_t to) {
    RowBatch batch(input_stream().schema);
    for (std::size_t i = from; i < to; ++i) {
        const auto& row = rows[i];
        row.key ? batch.columns[0].append_int(*row.key) : batch.columns[0].append_null();
        row.value ? batch.columns[1].append_int(*row.value) : batch.columns[1].append_null();
        row.text ? batch.columns[2].append_text(*row.text) : batch.columns[2].append_null();
        batch.columns[3].append_int(row.event);
        batch.rowtime.append_int(row.rowtime);
    }
    return batch;
}

}  // namespace

TEST_CASE("a changed snapshot is refused, or does no harm") {
    const auto input = input_stream();
    const auto make = [&] {
        auto compiled = Application::compile(kApplication, {&input, 1});
        REQUIRE_MESSAGE(compiled.has_value(), (compiled ? "" : compiled.error().to_string()));
        return std::move(*compiled);
    };
    Random random(7);
    const auto rows = random_rows(random, 400, 9, 20);
    const auto first = make();
    first->push_rows(StreamId(0), batch_of(rows, 0, 200));
    const auto good = first->snapshot();
    std::size_t refused = 0, taken = 0;
    for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
        CAPTURE(seed);
        Random dice(seed);
        auto bytes = good;
        bytes.resize(bytes.size() - sizeof(std::uint32_t));
        // Behind version and fingerprint.
        constexpr std::size_t kHead = 9;
        for (auto changes = 1 + dice.below(3); changes > 0; --changes) {
            const auto at = kHead + dice.below(bytes.size() - kHead);
            bytes[at] = static_cast<std::byte>(dice.below(256));
        }
        if (dice.below(10) == 0) bytes.resize(kHead + dice.below(bytes.size() - kHead));
        const auto checksum = crc32c(bytes);
        bytes.resize(bytes.size() + sizeof checksum);
        store_le(bytes.data() + bytes.size() - sizeof checksum, checksum);
        const auto application = make();
        if (!application->restore(bytes)) {
            ++refused;
            continue;
        }
        ++taken;
        application->push_rows(StreamId(0), batch_of(rows, 200, 400));
        application->finish();
        CHECK(application->snapshot().size() > 100);
    }
    CHECK(refused > 100);
    CHECK(taken > 100);
}
