#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include <doctest/doctest.h>

#include "engine/catalog/memory_catalog_store.h"
#include "engine/catalog/sqlite_catalog_store.h"
#include "engine/reactor/call_on.h"

using namespace tidemill;

namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
    const Bytes bytes = as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

/// One implementation on a real reactor. `reopen` is a restart where data outlives one.
struct Store {
    std::unique_ptr<ReactorGroup> reactors;
    std::unique_ptr<CatalogStore> store;
    std::filesystem::path directory;
    bool is_durable = false;

    explicit Store(bool sqlite) : is_durable(sqlite) {
        directory = std::filesystem::temp_directory_path() / "tidemill-catalog-contract";
        std::filesystem::remove_all(directory);
        std::filesystem::create_directories(directory);
        ReactorConfig config;
        config.data_directory = directory.string();
        auto started = ReactorGroup::start(1, config);
        REQUIRE(started);
        reactors = std::move(*started);
        open();
    }
    ~Store() {
        store.reset();
        reactors->stop();
        std::filesystem::remove_all(directory);
    }
    void open() {
        store.reset();
        if (!is_durable) {
            store = std::make_unique<MemoryCatalogStore>(reactors->at(CoreId{0}));
            return;
        }
        auto opened = SqliteCatalogStore::open(directory / "catalog.db");
        REQUIRE_MESSAGE(opened, opened.error().to_string());
        store = std::move(*opened);
    }
    template <class Make>
    auto run(Make make) {
        return run_on(reactors->at(CoreId{0}), make);
    }
    Result<std::uint64_t> put(std::string key, std::string_view value,
                              std::optional<std::uint64_t> expected = std::nullopt) {
        return run([&] { return store->commit({{"space", key, bytes_of(value), expected}}); });
    }
    std::string get(std::string key) {
        const auto row = run([&] { return store->read("space", key); });
        REQUIRE(row);
        return *row ? std::string(as_text((*row)->value)) : "(none)";
    }
};

/// Whether any of the store's files holds `text`.
bool is_on_disk(const Store& s, std::string_view text) {
    for (const auto& entry : std::filesystem::directory_iterator(s.directory)) {
        std::ifstream in(entry.path(), std::ios::binary);
        const std::string content{std::istreambuf_iterator<char>(in), {}};
        if (content.find(text) != std::string::npos) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("a purge leaves nothing of deleted and replaced rows in the store, and all others") {
    for (const bool sqlite : {false, true}) {
        CAPTURE(sqlite);
        Store s(sqlite);
        const std::string large = "REPLACED" + std::string(100'000, 'x');
        REQUIRE(s.put("replaced", large));
        REQUIRE(s.put("kept", "KEPT"));
        const auto last = s.put("replaced", "new");
        REQUIRE(last);
        if (sqlite) CHECK(is_on_disk(s, "REPLACED"));
        REQUIRE(s.run([&] { return s.store->purge(); }));
        CHECK_FALSE(is_on_disk(s, "REPLACED"));
        CHECK(is_on_disk(s, "KEPT") == sqlite);
        CHECK(s.get("replaced") == "new");
        CHECK(*s.put("kept", "2") > *last);
        if (sqlite) s.open();
        CHECK(s.get("kept") == "2");
    }
}

TEST_CASE("catalog stores keep the contract") {
    for (const bool sqlite : {false, true}) {
        CAPTURE(sqlite);
        Store s(sqlite);

        CHECK(s.get("a") == "(none)");
        const auto first = s.put("a", "1", 0);
        REQUIRE(first);
        CHECK(s.get("a") == "1");

        // compare-and-set
        CHECK(s.put("a", "x", 0).error().code == Errc::ResourceInUse);
        CHECK(s.put("a", "x", *first + 1).error().code == Errc::ResourceInUse);
        CHECK(s.get("a") == "1");
        const auto second = s.put("a", "2", *first);
        REQUIRE(second);
        CHECK(*second > *first);

        // all or nothing
        const auto mixed = s.run([&] {
            return s.store->commit({{"space", "b", bytes_of("b"), std::nullopt},
                                    {"space", "a", bytes_of("x"), *first}});
        });
        CHECK(mixed.error().code == Errc::ResourceInUse);
        CHECK(s.get("b") == "(none)");
        CHECK(s.get("a") == "2");

        // scans are of one space and prefix, in order; empty values and odd bytes are kept
        const std::string odd("b\0z", 3);
        REQUIRE(s.put("bb", ""));
        REQUIRE(s.put(odd, "odd"));
        REQUIRE(s.put("c", "3"));
        const auto rows = s.run([&] { return s.store->scan("space", "b"); });
        REQUIRE(rows);
        REQUIRE(rows->size() == 2);
        CHECK((*rows)[0].key == odd);
        CHECK((*rows)[1].key == "bb");
        CHECK((*rows)[1].value.empty());

        // deleting
        REQUIRE(
            s.run([&] { return s.store->commit({{"space", "c", std::nullopt, std::nullopt}}); }));
        CHECK(s.get("c") == "(none)");

        // a watch at an older revision resumes at once, one at the newest at its deadline
        const auto now = std::chrono::steady_clock::now();
        const auto seen =
            s.run([&] { return s.store->watch(*first, now + std::chrono::hours(1)); });
        REQUIRE(seen);
        CHECK(*seen > *second);
        const auto same = s.run([&] { return s.store->watch(*seen, now); });
        REQUIRE(same);
        CHECK(*same == *seen);

        if (s.is_durable) {
            s.open();
            CHECK(s.get("a") == "2");
            CHECK(s.get("c") == "(none)");
            const auto after = s.put("d", "4");
            REQUIRE(after);
            CHECK(*after > *seen);
            CHECK_FALSE(SqliteCatalogStore::open(s.directory / "catalog.db"));
        }
    }
}
