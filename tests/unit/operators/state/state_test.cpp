#include <map>

#include <doctest/doctest.h>

#include "engine/base/random.h"
#include "operators/state/group_table.h"

using namespace tidemill;
using namespace tidemill::sql;

TEST_SUITE("operators/state") {
    TEST_CASE("a group table numbers keys as a map does, and a restored one goes on") {
        const Type types[] = {TypeKind::BigInt, Type::varchar(8)};
        GroupTable table(types);
        std::map<std::pair<std::int64_t, std::string>, std::uint32_t> twin;
        Random random(7);
        for (int round = 0; round < 20; ++round) {
            Column numbers(TypeKind::BigInt), texts(Type::varchar(8));
            std::vector<std::pair<std::int64_t, std::string>> keys;
            for (int i = 0; i < 500; ++i) {
                keys.emplace_back(static_cast<std::int64_t>(random.below(40)),
                                  std::to_string(random.below(50)));
                numbers.append_int(keys.back().first);
                texts.append_text(keys.back().second);
            }
            const Column* columns[] = {&numbers, &texts};
            std::vector<std::uint32_t> groups;
            table.find_or_add(columns, Selection::all(500), groups);
            for (std::size_t i = 0; i < 500; ++i)
                CHECK_EQ(groups[i],
                         twin.try_emplace(keys[i], static_cast<std::uint32_t>(twin.size()))
                             .first->second);
            StateWriter writer;
            table.snapshot(writer);
            const auto bytes = writer.take();
            GroupTable restored(types);
            StateReader reader(bytes);
            restored.restore(reader);
            REQUIRE(reader.status().has_value());
            REQUIRE(reader.is_done());
            table = std::move(restored);
        }
        CHECK_EQ(table.size(), twin.size());
    }

    TEST_CASE("a cut snapshot is an error, at every length") {
        Column column(Type::varchar(8));
        column.append_text("abc");
        column.append_null();
        StateWriter writer;
        writer.put_column(column);
        writer.put_int(7);
        const auto bytes = writer.take();
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            StateReader reader(Bytes(bytes).first(size));
            Column read(Type::varchar(8));
            reader.take_column(read);
            reader.take_int();
            CHECK_FALSE(reader.status().has_value());
        }
    }
}
