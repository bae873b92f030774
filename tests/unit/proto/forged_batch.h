#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "proto/batch_codec.h"

namespace tidemill {

/// A batch of `codec` with any payload under a checksum that matches: what a broken or hostile
/// producer may send.
inline std::vector<std::byte> forged_batch(Codec codec, std::uint32_t record_count,
                                           std::uint32_t says_bytes, Bytes payload) {
    RecordBatchHeader header{};
    header.magic = kRecordBatchMagic;
    header.record_count = record_count;
    header.codec = static_cast<std::uint8_t>(codec);
    header.batch_bytes =
        static_cast<std::uint32_t>(sizeof header + kRecordsLengthBytes + payload.size());
    std::vector<std::byte> bytes(header.batch_bytes);
    store_le(bytes.data(), header);
    store_le(bytes.data() + sizeof header, says_bytes);
    if (!payload.empty())
        std::memcpy(bytes.data() + sizeof header + kRecordsLengthBytes, payload.data(),
                    payload.size());
    reseal_record_batch(bytes);
    return bytes;
}

/// A batch that every check lets pass but the opening: no zstd frame.
inline std::vector<std::byte> unreadable_batch(std::uint32_t record_count) {
    return forged_batch(Codec::Zstd, record_count, record_count * 10,
                        as_bytes("these are no compressed records"));
}

/// Records of these data with key "key".
inline std::vector<std::byte> compressed_batch(const std::vector<std::string>& data,
                                               Compression compression) {
    RecordBatchBuilder builder;
    for (const auto& one : data)
        builder.add("key", as_bytes(one));
    std::vector<std::byte> to;
    const Bytes bytes = BatchCompressor(compression).compress(builder.finish(), to).bytes();
    return {bytes.begin(), bytes.end()};
}

}  // namespace tidemill
