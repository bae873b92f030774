// link: proto
#include <cstdint>
#include <string>
#include <vector>

#include "proto/batch_codec.h"
#include "proto/batch_packer.h"
#include "proto/wire_limits.h"

using namespace tidemill;

namespace {

// Any bytes, opened again and again by one reader, as readers do.
void walk(BatchOpener& opener, const RecordBatchView& view) {
    RecordCursor cursor = opener.open(view);
    std::size_t bytes = 0, records = 0;
    for (RecordView record; cursor.next(record); ++records)
        bytes += record.data.size() + record.partition_key.size() + record.attributes.size();
    if (records > view.record_count() || bytes > wire_limits::kRecordsBytesMax) __builtin_trap();
    if (view.header().codec == 0 && bytes > view.bytes().size()) __builtin_trap();
    if (cursor.status() && records != view.record_count()) __builtin_trap();
    if (opener.memory_bytes() > wire_limits::kBatchBytesMax) __builtin_trap();
}

// The input behind a header that lets it pass, as the payload of each codec: the first four bytes
// are the stated length, reduced so that most inputs get as far as the codec.
void walk_payload(BatchOpener& opener, Bytes payload) {
    if (payload.size() < 8) return;
    std::vector<std::byte> batch(sizeof(RecordBatchHeader) + payload.size());
    std::memcpy(batch.data() + sizeof(RecordBatchHeader), payload.data(), payload.size());
    RecordBatchHeader header{};
    header.magic = kRecordBatchMagic;
    header.batch_bytes = static_cast<std::uint32_t>(batch.size());
    const auto says = load_le<std::uint32_t>(payload.data());
    for (const std::uint32_t length : {says, says % 65'536}) {
        for (const Codec codec : {Codec::None, Codec::Lz4, Codec::Zstd}) {
            header.codec = static_cast<std::uint8_t>(codec);
            header.record_count = 1 + length % 64;
            store_le(batch.data(), header);
            store_le(batch.data() + sizeof header, length);
            reseal_record_batch(batch);
            if (const auto fresh = RecordBatchView::parse(batch)) walk(opener, *fresh);
            walk(opener, RecordBatchView::trusted(batch));
        }
        header.codec = 0;
        header.flags = kBatchPacked;
        header.arrival_span_ms = length;
        store_le(batch.data(), header);
        walk(opener, RecordBatchView::trusted(batch));
        header.flags = 0;
        header.arrival_span_ms = 0;
    }
}

// Whatever a producer may send packs to the same records, or is refused and leaves no trace.
void pack(Bytes data) {
    static BatchPacker packer;
    packer.clear();
    std::size_t records = 0;
    const auto add = [&](MutableBytes batch, std::int64_t arrival_ms) {
        stamp_record_batch(batch, ShardUid{1}, records, from_millis(arrival_ms), 1);
        const auto view = RecordBatchView::trusted(batch);
        if (packer.try_add(view)) records += view.record_count();
    };
    for (std::int64_t i = 0; i < 4; ++i) {
        RecordBatchBuilder builder;
        builder.add("k", data.first(std::min<std::size_t>(data.size(), 1000)));
        const Bytes built = builder.finish().bytes();
        std::vector<std::byte> batch(built.begin(), built.end());
        add(batch, i * 1000);
        if (!data.empty())
            std::memcpy(batch.data() + sizeof(RecordBatchHeader), data.data(),
                        std::min(data.size(), batch.size() - sizeof(RecordBatchHeader)));
        add(batch, i * 1000 + 1);
    }
    if (records < 4) __builtin_trap();
    const auto packed = packer.finish();
    const auto parsed = RecordBatchView::parse_stamped(packed.bytes());
    if (!parsed || !parsed->payload_is_intact() || parsed->record_count() != records)
        __builtin_trap();
    RecordCursor cursor(*parsed);
    std::size_t seen = 0;
    for (RecordView record; cursor.next(record);)
        ++seen;
    if (seen != records || !cursor.status()) __builtin_trap();
}

// Whatever is compressed opens to itself.
void round_trip(BatchOpener& opener, Bytes data) {
    static BatchCompressor lz4({Codec::Lz4, 0}), zstd({Codec::Zstd, 1});
    RecordBatchBuilder builder;
    for (std::size_t at = 0; at < data.size(); at += 1000)
        builder.add("k", data.subspan(at, std::min<std::size_t>(1000, data.size() - at)));
    if (builder.is_empty()) return;
    const auto plain = builder.finish();
    for (auto* compressor : {&lz4, &zstd}) {
        std::vector<std::byte> to;
        const auto packed = compressor->compress(plain, to);
        if (!RecordBatchView::parse(packed.bytes())) __builtin_trap();
        std::size_t at = 0;
        RecordCursor cursor = opener.open(packed);
        for (RecordView record; cursor.next(record); at += record.data.size())
            if (as_text(record.data) != as_text(data.subspan(at, record.data.size())))
                __builtin_trap();
        if (at != data.size() || !cursor.status()) __builtin_trap();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static BatchOpener opener;
    const Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
    if (const auto fresh = RecordBatchView::parse(bytes)) walk(opener, *fresh);
    if (const auto stamped = RecordBatchView::parse_stamped(bytes)) walk(opener, *stamped);
    // The checksums stop nearly every mutation; behind them the walk must hold on its own.
    if (size >= sizeof(RecordBatchHeader)) {
        walk(opener, RecordBatchView::trusted(bytes));
        walk_payload(opener, bytes.subspan(sizeof(RecordBatchHeader)));
    }
    round_trip(opener, bytes);
    pack(bytes);
    return 0;
}
