// link: proto
#include <cstdint>

#include "proto/native_frame.h"
#include "proto/native_table.h"
#include "proto/record_batch.h"

using namespace tidemill;

namespace {

template <class T>
void read_table(const wire::TableBytes& bytes) {
    // Verified tables must be readable to their last field.
    if (const auto message = bytes.read<T>()) {
        flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(bytes.bytes().data()),
                                       bytes.bytes().size());
        if (!(*message)->Verify(verifier)) __builtin_trap();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
    std::size_t needed = 0;
    if (const auto frame = wire::parse_frame(bytes, 1 << 20, &needed); frame && *frame) {
        if ((*frame)->envelope.size() + (*frame)->attachment.size() + 16 != (*frame)->size())
            __builtin_trap();
        (void)RecordBatchView::parse((*frame)->attachment);
    }
    // The checksum stops nearly every mutation; behind it the messages must hold on their own.
    if (size < 16) return 0;
    const wire::TableBytes envelope(bytes.subspan(16));
    read_table<wire::HelloRequest>(envelope);
    read_table<wire::CreateStreamRequest>(envelope);
    read_table<wire::SaveCheckpointRequest>(envelope);
    read_table<wire::StreamReply>(envelope);
    return 0;
}
