#include "engine/native/output_queue.h"

#include <cstring>
#include <string>
#include <sys/socket.h>

#include <doctest/doctest.h>
#include <unistd.h>

using namespace tidemill;

namespace {

struct Pair {
    int ends[2];
    Pair() { REQUIRE_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0); }
    ~Pair() {
        ::close(ends[0]);
        ::close(ends[1]);
    }
    std::string read_some() {
        std::string text(100'000, 0);
        const auto got = ::recv(ends[1], text.data(), text.size(), MSG_DONTWAIT);
        text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return text;
    }
};

BufferSlice slice_of(std::string_view text) {
    Buffer buffer = Buffer::allocate(text.size() + 100);
    std::memcpy(buffer.data() + 50, text.data(), text.size());
    return {buffer, {buffer.data() + 50, text.size()}};
}

}  // namespace

TEST_SUITE("native output queue") {
    TEST_CASE("what is unshared half way through arrives whole, and its blocks are free") {
        Pair pair;
        OutputQueue queue;
        std::vector<BufferSlice> slices;
        std::string sent, received;
        const auto add = [&](std::size_t bytes) {
            std::string text;
            for (std::size_t i = 0; text.size() < bytes; ++i)
                text += std::to_string(slices.size() * 1000 + i) + ",";
            slices.push_back(slice_of(text));
            std::memcpy(queue.append(4), "head", 4);
            queue.append(slices.back());
            sent += "head" + text;
        };
        for (int round = 0; round < 3; ++round) {
            for (const std::size_t bytes : {200'000u, 5'000u, 10u, 900'000u})
                add(bytes);
            CHECK_FALSE(*queue.write_to(pair.ends[0]));
            add(50'000);  // behind what is being sent
            CHECK_GT(queue.unshare(), 0);
            CHECK_EQ(queue.unshare(), 0);
            for (const auto& slice : slices)
                CHECK(slice.buffer.is_sole_owner());
            received += pair.read_some();
            (void)*queue.write_to(pair.ends[0]);
        }
        while (received.size() < sent.size()) {
            received += pair.read_some();
            (void)*queue.write_to(pair.ends[0]);
        }
        CHECK(received == sent);
        CHECK(queue.is_empty());
    }

    TEST_CASE("small slices are copied at once") {
        OutputQueue queue;
        const auto small = slice_of(std::string(OutputQueue::kCopiedBelow - 1, 'x'));
        const auto large = slice_of(std::string(OutputQueue::kCopiedBelow, 'x'));
        queue.append(small);
        queue.append(large);
        CHECK(small.buffer.is_sole_owner());
        CHECK_FALSE(large.buffer.is_sole_owner());
        CHECK_EQ(queue.bytes(), 2 * OutputQueue::kCopiedBelow - 1);
    }
}
