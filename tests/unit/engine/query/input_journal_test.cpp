#include "engine/query/input_journal.h"

#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "engine/reactor/call_on.h"
#include "tests/contract/temporary_directory.h"

using namespace tidemill;
using namespace tidemill::query;

namespace {

struct JournalFixture {
    // Files are written by a thread, so the clock is a real one.
    JournalFixture() {
        ReactorConfig config;
        config.data_directory = directory.path();
        cores = *ReactorGroup::start(1, config);
        limits.journal_directory = (std::filesystem::path(directory.path()) / "sql").string();
    }
    ~JournalFixture() { cores->stop(); }

    /// Adds the entries to a journal that goes on behind `first`, and ends it.
    std::vector<JournalEntry> begin(std::uint64_t first, const std::vector<JournalEntry>& more,
                                    bool rotates = false) {
        auto& core = cores->at(CoreId{0});
        const auto found = run_on(core, [&]() -> Task<Result<std::vector<JournalEntry>>> {
            InputJournal journal(core, limits, "app");
            auto entries = co_await journal.open(first);
            for (const auto& entry : more) {
                journal.add(entry);
                if (rotates) journal.rotate();
            }
            if (entries && !co_await journal.wait_durable()) entries = fail(Errc::Internal, "");
            co_await journal.stop();
            co_return entries;
        });
        if (!found) throw found.error();
        return *found;
    }
    std::filesystem::path file(std::uint64_t number) const {
        return std::filesystem::path(limits.journal_directory) /
               ("app." + std::to_string(number) + ".journal");
    }

    test::TemporaryDirectory directory;
    std::unique_ptr<ReactorGroup> cores;
    QueryLimits limits;
};

JournalEntry slice(Ordinal from, Ordinal to) {
    return {.kind = JournalEntry::Kind::Slice,
            .input = 1,
            .shard = ShardUid{7},
            .from = from,
            .to = to,
            .now = 123456};
}

const std::vector<JournalEntry> kEntries = {
    slice(0, 5),
    {.kind = JournalEntry::Kind::Bound, .input = 0, .bound = -77, .now = 99},
    slice(5, UINT64_MAX / 2)};

}  // namespace

TEST_SUITE("input journal") {
    TEST_CASE_FIXTURE(JournalFixture, "entries come back in order, over files and lives") {
        CHECK(begin(1, kEntries).empty());
        CHECK_EQ(begin(1, kEntries, true), kEntries);
        auto twice = kEntries;
        twice.insert(twice.end(), kEntries.begin(), kEntries.end());
        CHECK_EQ(begin(1, {}), twice);
        // A checkpoint that names a later file makes the others superfluous.
        CHECK_EQ(begin(3, {}), std::vector{kEntries[1], kEntries[2]});
        CHECK_FALSE(std::filesystem::exists(file(1)));
        InputJournal::remove(limits, "app");
        CHECK(std::filesystem::is_empty(limits.journal_directory));
    }
    TEST_CASE_FIXTURE(JournalFixture, "a cut or damaged end counts as not there") {
        begin(1, kEntries);
        const auto size = std::filesystem::file_size(file(1));
        for (std::uintmax_t cut = size - 1; cut > size - size / 3; --cut) {
            std::filesystem::resize_file(file(1), cut);
            CHECK_EQ(begin(1, {}), std::vector{kEntries[0], kEntries[1]});
        }
        {
            std::fstream out(file(1), std::ios::binary | std::ios::in | std::ios::out);
            out.seekp(10);
            out.put('x');
        }
        CHECK(begin(1, {}).empty());
    }
    TEST_CASE_FIXTURE(JournalFixture, "a file behind a damaged one is refused") {
        begin(1, kEntries);
        begin(1, kEntries);
        std::filesystem::resize_file(file(1), 60);
        try {
            begin(1, {});
            FAIL("a journal with a hole was read");
        } catch (const Error& error) {
            CHECK_EQ(error.code, Errc::Corrupt);
        }
    }
}
