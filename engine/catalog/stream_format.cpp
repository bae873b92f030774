#include "engine/catalog/stream_format.h"

#include <limits>

#include <fmt/format.h>

#include "engine/base/crc32c.h"

namespace tidemill {
namespace {

constexpr std::uint32_t kMagic = 0x31534d54;  // "TMS1"

// Field numbers. Even ones may be ignored by a reader that does not know them, odd ones may not.
enum Field : std::uint64_t {
    kUid = 1,
    kName = 3,
    kStatus = 5,
    kMode = 6,
    kCreated = 7,
    kRetentionHours = 9,
    kTag = 10,  // once a tag
    kShards = 11,
    kReshard = 21,
    kEncryption = 31,
    kMaxBytes = 12,  // left out when there is no bound
    // These are left out while they are as in a new stream, so that a program that does not know
    // them reads the rows of streams that do not use them.
    kConsumer = 13,  // once a consumer
    kPolicy = 15,
    kOwnerAccount = 17,
    kMaxRecordBytes = 14,
    kWarmThroughput = 16,
    kDistribution = 18,
    kShardMetrics = 20,
    kGoneConsumer = 22,
};

class Writer {
 public:
    void number(std::uint64_t value) {
        std::byte text[kVarintMax];
        std::byte* end = put_varint(text, value);
        out_.insert(out_.end(), text, end);
    }
    void raw(Bytes bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
    void text(std::string_view text) {
        number(text.size());
        raw(as_bytes(text));
    }
    void key(uint128 key) {
        std::byte bytes[16];
        store_le(bytes, key);
        raw(bytes);
    }
    void time(WallTime time) { number(static_cast<std::uint64_t>(to_millis(time))); }
    void field(std::uint64_t id, const Writer& content) {
        number(id);
        number(content.out_.size());
        raw(content.out_);
    }
    std::vector<std::byte>& bytes() { return out_; }

 private:
    std::vector<std::byte> out_;
};

/// Reads what Writer wrote; after the first misfit every read gives zeros and `is_good` is false.
class Reader {
 public:
    explicit Reader(Bytes bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}
    bool is_good() const { return good_; }
    bool is_at_end() const { return at_ == end_; }

    std::uint64_t number() {
        std::uint64_t value = 0;
        const std::byte* next = good_ ? get_varint(at_, end_, value) : nullptr;
        if (next == nullptr) return stop();
        at_ = next;
        return value;
    }
    template <class T>
    T number_as() {
        const std::uint64_t value = number();
        if (value > std::numeric_limits<T>::max()) stop();
        return static_cast<T>(value);
    }
    Bytes raw(std::uint64_t count) {
        if (!good_ || count > static_cast<std::uint64_t>(end_ - at_)) {
            stop();
            return {};
        }
        const Bytes bytes{at_, static_cast<std::size_t>(count)};
        at_ += count;
        return bytes;
    }
    std::string text() { return std::string(as_text(raw(number()))); }
    uint128 key() {
        const Bytes bytes = raw(16);
        return bytes.empty() ? uint128{0} : load_le<uint128>(bytes.data());
    }
    WallTime time() { return from_millis(static_cast<std::int64_t>(number())); }

 private:
    std::uint64_t stop() {
        good_ = false;
        return 0;
    }
    const std::byte* at_;
    const std::byte* end_;
    bool good_ = true;
};

enum ShardFlag : std::uint64_t { kHasParent = 1, kHasAdjacent = 2, kIsClosed = 4 };

void write_shard(Writer& to, const ShardInfo& shard) {
    to.number(shard.uid.value);
    to.number(shard.index);
    to.number((shard.parent ? kHasParent : 0u) | (shard.adjacent_parent ? kHasAdjacent : 0u) |
              (shard.closed ? kIsClosed : 0u));
    to.key(shard.range.first);
    to.key(shard.range.last);
    to.time(shard.created);
    if (shard.parent) to.number(*shard.parent);
    if (shard.adjacent_parent) to.number(*shard.adjacent_parent);
    if (shard.closed) {
        to.time(*shard.closed);
        to.number(shard.end_ordinal);
    }
}

ShardInfo read_shard(Reader& from) {
    ShardInfo shard;
    shard.uid = ShardUid{from.number_as<std::uint32_t>()};
    shard.index = from.number_as<std::uint32_t>();
    const std::uint64_t flags = from.number();
    shard.range.first = from.key();
    shard.range.last = from.key();
    shard.created = from.time();
    if (flags & kHasParent) shard.parent = from.number_as<std::uint32_t>();
    if (flags & kHasAdjacent) shard.adjacent_parent = from.number_as<std::uint32_t>();
    if (flags & kIsClosed) {
        shard.closed = from.time();
        shard.end_ordinal = from.number();
    }
    return shard;
}

void write_encryption(Writer& to, const StreamEncryption& encryption) {
    to.number(encryption.current);
    to.text(encryption.key_name);
    to.number(encryption.keys.size());
    for (const auto& key : encryption.keys) {
        to.number(key.id);
        to.time(key.created);
        to.text(key.master);
        to.text(as_text(key.wrapped));
        to.number(key.sealed_bytes);
    }
}

StreamEncryption read_encryption(Reader& from) {
    StreamEncryption encryption;
    encryption.current = from.number_as<std::uint16_t>();
    encryption.key_name = from.text();
    const std::uint64_t count = from.number();
    for (std::uint64_t i = 0; i < count && from.is_good(); ++i) {
        auto& key = encryption.keys.emplace_back();
        key.id = from.number_as<std::uint16_t>();
        key.created = from.time();
        key.master = from.text();
        const Bytes wrapped = from.raw(from.number());
        key.wrapped.assign(wrapped.begin(), wrapped.end());
        key.sealed_bytes = from.number();
    }
    return encryption;
}

void write_consumer(Writer& to, const ConsumerInfo& consumer) {
    to.text(consumer.name);
    to.time(consumer.created);
    to.text(consumer.policy);
    to.number(consumer.tags.size());
    for (const auto& [key, value] : consumer.tags) {
        to.text(key);
        to.text(value);
    }
}

ConsumerInfo read_consumer(Reader& from) {
    ConsumerInfo consumer;
    consumer.name = from.text();
    consumer.created = from.time();
    consumer.policy = from.text();
    const std::uint64_t tags = from.number();
    for (std::uint64_t i = 0; i < tags && from.is_good(); ++i) {
        std::string key = from.text();
        consumer.tags[std::move(key)] = from.text();
    }
    return consumer;
}

Reshard read_reshard(Reader& from) {
    Reshard reshard;
    const std::uint64_t closing = from.number();
    for (std::uint64_t i = 0; i < closing && from.is_good(); ++i)
        reshard.closing.push_back(from.number_as<std::uint32_t>());
    const std::uint64_t added = from.number();
    for (std::uint64_t i = 0; i < added && from.is_good(); ++i)
        reshard.added.push_back(read_shard(from));
    return reshard;
}

template <class Fill>
void put_field(Writer& to, Field id, Fill fill) {
    Writer content;
    fill(content);
    to.field(id, content);
}

/// What a new stream does not have.
void write_settings(Writer& out, const StreamInfo& stream) {
    const StreamInfo usual;
    if (stream.max_bytes != 0)
        put_field(out, kMaxBytes, [&](Writer& w) { w.number(stream.max_bytes); });
    if (stream.max_record_bytes != usual.max_record_bytes)
        put_field(out, kMaxRecordBytes, [&](Writer& w) { w.number(stream.max_record_bytes); });
    if (stream.warm_mib_per_second != 0)
        put_field(out, kWarmThroughput, [&](Writer& w) { w.number(stream.warm_mib_per_second); });
    if (stream.distribution != usual.distribution)
        put_field(out, kDistribution,
                  [&](Writer& w) { w.number(static_cast<std::uint64_t>(stream.distribution)); });
    if (stream.shard_metrics != 0)
        put_field(out, kShardMetrics, [&](Writer& w) { w.number(stream.shard_metrics); });
    if (!stream.owner_account.empty())
        put_field(out, kOwnerAccount, [&](Writer& w) { w.text(stream.owner_account); });
    if (!stream.policy.empty()) put_field(out, kPolicy, [&](Writer& w) { w.text(stream.policy); });
    if (stream.gone_consumer != usual.gone_consumer)
        put_field(out, kGoneConsumer, [&](Writer& w) { w.time(stream.gone_consumer); });
    for (const auto& consumer : stream.consumers)
        put_field(out, kConsumer, [&](Writer& w) { write_consumer(w, consumer); });
}

/// False when the field is not one of these.
bool read_setting(std::uint64_t id, Reader& field, StreamInfo& stream) {
    switch (id) {
        case kMaxBytes:
            stream.max_bytes = field.number();
            return true;
        case kMaxRecordBytes:
            stream.max_record_bytes = field.number_as<std::uint32_t>();
            return true;
        case kWarmThroughput:
            stream.warm_mib_per_second = field.number_as<std::uint32_t>();
            return true;
        case kDistribution:
            stream.distribution = static_cast<RecordDistribution>(field.number_as<std::uint8_t>());
            return true;
        case kShardMetrics:
            stream.shard_metrics = field.number_as<ShardMetrics>();
            return true;
        case kOwnerAccount:
            stream.owner_account = field.text();
            return true;
        case kPolicy:
            stream.policy = field.text();
            return true;
        case kGoneConsumer:
            stream.gone_consumer = field.time();
            return true;
        case kConsumer:
            stream.consumers.push_back(read_consumer(field));
            return true;
        default:
            return false;
    }
}

}  // namespace

std::vector<std::byte> encode_stream(const StreamInfo& stream) {
    Writer out;
    out.bytes().resize(4);
    store_le(out.bytes().data(), kMagic);
    put_field(out, kUid, [&](Writer& w) { w.number(stream.uid.value); });
    put_field(out, kName, [&](Writer& w) { w.text(stream.name); });
    put_field(out, kStatus,
              [&](Writer& w) { w.number(static_cast<std::uint64_t>(stream.status)); });
    put_field(out, kMode, [&](Writer& w) { w.number(static_cast<std::uint64_t>(stream.mode)); });
    put_field(out, kCreated, [&](Writer& w) { w.time(stream.created); });
    put_field(out, kRetentionHours,
              [&](Writer& w) { w.number(static_cast<std::uint64_t>(stream.retention.count())); });
    write_settings(out, stream);
    for (const auto& [key, value] : stream.tags)
        put_field(out, kTag, [&](Writer& w) {
            w.text(key);
            w.text(value);
        });
    put_field(out, kShards, [&](Writer& w) {
        w.number(stream.shards.size());
        for (const auto& shard : stream.shards)
            write_shard(w, shard);
    });
    if (!stream.encryption.keys.empty())
        put_field(out, kEncryption, [&](Writer& w) { write_encryption(w, stream.encryption); });
    if (stream.reshard)
        put_field(out, kReshard, [&](Writer& w) {
            w.number(stream.reshard->closing.size());
            for (const auto index : stream.reshard->closing)
                w.number(index);
            w.number(stream.reshard->added.size());
            for (const auto& shard : stream.reshard->added)
                write_shard(w, shard);
        });
    const std::uint32_t crc = crc32c(out.bytes());
    out.bytes().resize(out.bytes().size() + 4);
    store_le(out.bytes().data() + out.bytes().size() - 4, crc);
    return std::move(out.bytes());
}

Result<StreamInfo> decode_stream(Bytes bytes) {
    if (bytes.size() < 8 || load_le<std::uint32_t>(bytes.data()) != kMagic)
        return fail(Errc::Corrupt, "a catalog row that should hold a stream does not");
    const Bytes body = bytes.first(bytes.size() - 4);
    if (crc32c(body) != load_le<std::uint32_t>(bytes.data() + body.size()))
        return fail(Errc::Corrupt, "the checksum of a stream's catalog row does not match");
    StreamInfo stream;
    Reader in(body.subspan(4));
    while (in.is_good() && !in.is_at_end()) {
        const std::uint64_t id = in.number();
        Reader field(in.raw(in.number()));
        if (!in.is_good()) break;
        switch (id) {
            case kUid:
                stream.uid = StreamUid{field.number_as<std::uint32_t>()};
                break;
            case kName:
                stream.name = field.text();
                break;
            case kStatus:
                stream.status = static_cast<StreamStatus>(field.number());
                break;
            case kMode:
                stream.mode = static_cast<StreamMode>(field.number());
                break;
            case kCreated:
                stream.created = field.time();
                break;
            case kRetentionHours:
                stream.retention = std::chrono::hours{field.number_as<std::uint32_t>()};
                break;
            case kTag: {
                std::string key = field.text();
                stream.tags[std::move(key)] = field.text();
                break;
            }
            case kShards: {
                const std::uint64_t count = field.number();
                for (std::uint64_t i = 0; i < count && field.is_good(); ++i)
                    stream.shards.push_back(read_shard(field));
                break;
            }
            case kEncryption:
                stream.encryption = read_encryption(field);
                break;
            case kReshard:
                stream.reshard = read_reshard(field);
                break;
            default:
                if (read_setting(id, field, stream)) break;
                if (id % 2 != 0)
                    return fail(Errc::Unsupported,
                                fmt::format("stream {} has field {}, which a newer version wrote",
                                            stream.name, id));
                continue;
        }
        if (!field.is_good())
            return fail(Errc::Corrupt, "a field of a stream's catalog row is cut");
    }
    if (!in.is_good() || stream.name.empty() || stream.shards.empty())
        return fail(Errc::Corrupt, "a stream's catalog row is incomplete");
    if (stream.encryption.is_on() && stream.encryption.find(stream.encryption.current) == nullptr)
        return fail(Errc::Corrupt, fmt::format("stream {} is encrypted under key {}, which its "
                                               "catalog row does not hold",
                                               stream.name, stream.encryption.current));
    stream.index_open_shards();
    return stream;
}

}  // namespace tidemill
