#include "engine/io/posix_file.h"

#include <cerrno>
#include <deque>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>

#include "engine/io/buffer.h"
#include "engine/reactor/test_reactor.h"

using namespace tidemill;

namespace {

/// Answers each request with the next result of a script and notes what was asked.
class ScriptedQueue final : public IoQueue {
 public:
    struct Asked {
        IoRequest::Kind kind;
        std::uint64_t offset;
        std::size_t length;
        bool is_durable;
        bool operator==(const Asked&) const = default;
    };

    ScriptedQueue(boost::asio::io_context& context, std::deque<int> results)
        : context_(context), results_(std::move(results)) {}

    void start(IoRequest& request) override {
        asked.push_back({request.kind, request.offset, request.length, request.is_durable});
        REQUIRE_FALSE(results_.empty());
        request.result = results_.front();
        results_.pop_front();
        request.waiter.resume_soon(context_);
    }
    void submit() override {}
    std::size_t reap() override { return 0; }
    bool before_sleep() override { return true; }
    void after_sleep() override {}
    std::size_t in_flight() const override { return 0; }
    std::string description() const override { return "scripted"; }

    std::vector<Asked> asked;

 private:
    boost::asio::io_context& context_;
    std::deque<int> results_;
};

using Kind = IoRequest::Kind;
using Asked = ScriptedQueue::Asked;

struct Fixture {
    Fixture(std::deque<int> results, bool is_direct, std::uint64_t size = 0)
        : queue(reactor.context(), std::move(results)),
          file(queue, ::open("/dev/null", O_RDONLY | O_CLOEXEC), "f", size, is_direct) {}

    TestReactor reactor;
    ScriptedQueue queue;
    PosixFile file;
    Buffer bytes = Buffer::allocate(16_KiB);
};

}  // namespace

TEST_SUITE("engine/io/posix_file") {
    TEST_CASE("a short write goes on where it stopped; an interrupted one starts again") {
        Fixture f({-EINTR, 5000, -EAGAIN, 11384}, false);
        const auto status = f.reactor.run(f.file.write(100, f.bytes.bytes(), Persistence::Durable));
        CHECK(status.has_value());
        CHECK(f.queue.asked == std::vector<Asked>{{Kind::Write, 100, 16384, true},
                                                  {Kind::Write, 100, 16384, true},
                                                  {Kind::Write, 5100, 11384, true},
                                                  {Kind::Write, 5100, 11384, true}});
        CHECK(f.file.size() == 16484);
    }

    TEST_CASE("where RWF_DSYNC is refused a durable write is a write and a sync") {
        Fixture f({-EOPNOTSUPP, 5000, 11384, 0, 16384, -EIO}, false);
        CHECK(f.reactor.run(f.file.write(0, f.bytes.bytes(), Persistence::Durable)).has_value());
        CHECK(f.queue.asked == std::vector<Asked>{{Kind::Write, 0, 16384, true},
                                                  {Kind::Write, 0, 16384, false},
                                                  {Kind::Write, 5000, 11384, false},
                                                  {Kind::Sync, 0, 0, false}});
        // Asked once; a sync that fails is a write that failed.
        f.queue.asked.clear();
        CHECK_FALSE(
            f.reactor.run(f.file.write(0, f.bytes.bytes(), Persistence::Durable)).has_value());
        CHECK(f.queue.asked ==
              std::vector<Asked>{{Kind::Write, 0, 16384, false}, {Kind::Sync, 0, 0, false}});
    }

    TEST_CASE("a short direct write goes on at a block") {
        Fixture f({8704, 8192}, true);
        const auto status = f.reactor.run(f.file.write(0, f.bytes.bytes(), Persistence::Cached));
        CHECK(status.has_value());
        CHECK(f.queue.asked ==
              std::vector<Asked>{{Kind::Write, 0, 16384, false}, {Kind::Write, 8192, 8192, false}});
    }

    TEST_CASE("a full disk is NoSpace, any other errno IoFailed with the errno and the file") {
        for (const int reason : {ENOSPC, EDQUOT, EIO}) {
            Fixture f({-reason}, false);
            const auto status =
                f.reactor.run(f.file.write(0, f.bytes.bytes(), Persistence::Durable));
            REQUIRE_FALSE(status.has_value());
            CHECK(status.error().code == (reason == EIO ? Errc::IoFailed : Errc::NoSpace));
            CHECK(status.error().sys_errno == reason);
            CHECK(status.error().message.find("write f at offset 0") != std::string::npos);
        }
    }

    TEST_CASE("a write that moves nothing fails instead of spinning") {
        Fixture f({0}, false);
        CHECK_FALSE(f.reactor.run(f.file.write(0, f.bytes.bytes(), Persistence::Cached)));
    }

    TEST_CASE("a short read goes on until the end of the file") {
        Fixture f({4096, -EINTR, 100, 0}, false);
        const auto count = f.reactor.run(f.file.read(0, f.bytes.bytes()));
        REQUIRE(count.has_value());
        CHECK(*count == 4196);
        CHECK(f.queue.asked.back() == Asked{Kind::Read, 4196, 12188, false});
    }

    TEST_CASE("a direct read does not go on from within a block") {
        Fixture f({4196}, true);
        const auto count = f.reactor.run(f.file.read(0, f.bytes.bytes()));
        REQUIRE(count.has_value());
        CHECK(*count == 4196);
        CHECK(f.queue.asked.size() == 1);
    }

    TEST_CASE("a failed sync is never tried again") {
        for (const int reason : {EINTR, EIO}) {
            Fixture f({-reason}, false);
            CHECK_FALSE(f.reactor.run(f.file.sync()).has_value());
            CHECK(f.queue.asked.size() == 1);
        }
    }

    TEST_CASE("where holes cannot be punched, zeros are written") {
        Fixture f({-EOPNOTSUPP, 8192}, false, 12_KiB);
        CHECK(f.reactor.run(f.file.punch(4_KiB, 1_MiB)).has_value());
        CHECK(f.queue.asked == std::vector<Asked>{{Kind::Punch, 4096, 8192, false},
                                                  {Kind::Write, 4096, 8192, false}});
    }
}
