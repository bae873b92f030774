#include "engine/crypto/batch_cipher.h"

#include <cstddef>
#include <cstring>

#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/base/crc32c.h"

namespace tidemill {
namespace {

constexpr std::size_t kHeaderBytes = sizeof(RecordBatchHeader);
constexpr std::size_t kProducerHalf = offsetof(RecordBatchHeader, payload_crc);
constexpr std::size_t kStampedPart = offsetof(RecordBatchHeader, header_crc);
constexpr const char* kPurpose = "tidemill batch 1";

/// The sealed batch's header as far as the producer fills it, and the shard it was appended to.
struct Associated {
    std::byte bytes[kProducerHalf + sizeof(std::uint32_t)];

    Associated(const RecordBatchHeader& header, ShardUid shard) {
        std::memcpy(bytes, &header, kProducerHalf);
        store_le(bytes + kProducerHalf, shard.value);
    }
};

}  // namespace

BatchSealer::BatchSealer(std::uint16_t key_id, const Secret& data_key)
    : key_id_(key_id), sealer_(data_key, kPurpose) {}

RecordBatchView BatchSealer::seal(const RecordBatchView& plain, ShardUid shard,
                                  std::vector<std::byte>& space) {
    const std::size_t size = plain.bytes().size() + kBatchSealBytes;
    if (space.size() < size) space.resize(size);
    RecordBatchHeader header = plain.header();
    std::byte producer_crc[sizeof header.payload_crc];
    store_le(producer_crc, header.payload_crc);
    header.batch_bytes = static_cast<std::uint32_t>(size);
    header.key_id = key_id_;
    const Associated associated(header, shard);
    const MutableBytes batch = MutableBytes(space).first(size);
    sealer_.seal(associated.bytes, plain.bytes().subspan(kHeaderBytes), producer_crc,
                 batch.data() + kHeaderBytes);
    store_le(batch.data(), header);
    reseal_record_batch(batch);
    return RecordBatchView::trusted(batch);
}

BatchUnsealer::BatchUnsealer(const Secret& data_key) : unsealer_(data_key, kPurpose) {}

Result<std::size_t> BatchUnsealer::plain_bytes(Bytes stamped) {
    if (stamped.size() < kHeaderBytes + kBatchSealBytes)
        return fail(Errc::Corrupt, fmt::format("a sealed batch of {} bytes", stamped.size()));
    return stamped.size() - kBatchSealBytes;
}

Status BatchUnsealer::unseal(Bytes stamped, ShardUid shard, MutableBytes to) {
    ASSIGN(const std::size_t size, plain_bytes(stamped));
    TM_CHECK(to.size() == size);
    auto header = load_le<RecordBatchHeader>(stamped.data());
    std::byte producer_crc[sizeof header.payload_crc];
    const Associated associated(header, shard);
    const bool is_genuine = header.batch_bytes == stamped.size() &&
                            unsealer_.unseal(associated.bytes, stamped.subspan(kHeaderBytes),
                                             to.subspan(kHeaderBytes), producer_crc);
    if (!is_genuine)
        return fail(Errc::Corrupt,
                    fmt::format("record {} of shard {}: the batch does not open under data key {}: "
                                "it was altered, or sealed for another place",
                                header.first_ordinal, shard, header.key_id));
    header.batch_bytes = static_cast<std::uint32_t>(size);
    header.key_id = 0;
    header.payload_crc = load_le<std::uint32_t>(producer_crc);
    store_le(to.data(), header);
    header.header_crc = crc32c(Bytes(to).first(kStampedPart));
    store_le(to.data(), header);
    return {};
}

}  // namespace tidemill
