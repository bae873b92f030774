// LocalStreamService: consumers registered, tagged and forgotten.
#include <algorithm>

#include <fmt/format.h>

#include "engine/service/local_stream_service.h"
#include "engine/service/service_limits.h"
#include "engine/service/stream_rules.h"

namespace tidemill {
namespace {

WallTime whole_seconds(WallTime time) { return from_millis(to_millis(time) / 1000 * 1000); }

Result<ConsumerInfo*> consumer_of(StreamInfo& stream, const ConsumerRef& wanted) {
    ConsumerInfo* found = stream.find_consumer(wanted.name);
    if (found == nullptr || (wanted.created && *wanted.created != found->created))
        return fail(Errc::NotFound,
                    fmt::format("Consumer {} of stream {} not found.", wanted.name, wanted.stream));
    return found;
}

}  // namespace

Task<Result<ConsumerInfo>> LocalStreamService::register_consumer(
    std::string stream, std::string consumer, std::map<std::string, std::string> tags) {
    if (!is_stream_name(consumer))
        co_return fail(Errc::InvalidArgument,
                       fmt::format("A consumer's name has 1 to {} characters of a-z, A-Z, 0-9, "
                                   "'_', '.' and '-'; '{}' does not fit.",
                                   service_limits::kStreamNameMax, consumer.substr(0, 200)));
    CO_TRY(check_tags(tags));
    ConsumerInfo made;
    auto edit = [&](StreamInfo& now, Catalog::UidSource&) -> Status {
        if (now.find_consumer(consumer) != nullptr)
            return fail(Errc::AlreadyExists, fmt::format("Consumer {} of stream {} already exists.",
                                                         consumer, now.name));
        TRY(check_more_consumers(now));
        const auto later = now.gone_consumer + std::chrono::seconds(1);
        made.name = consumer;
        made.created = std::max(whole_seconds(home().clock().wall_now()), later);
        made.tags = tags;
        const auto at = std::ranges::lower_bound(now.consumers, consumer, {}, &ConsumerInfo::name);
        now.consumers.insert(at, made);
        return {};
    };
    CO_TRY(co_await catalog_.change(std::move(stream), std::move(edit), nullptr));
    co_return made;
}

Task<Status> LocalStreamService::deregister_consumer(ConsumerRef consumer) {
    auto edit = [&consumer](StreamInfo& now, Catalog::UidSource&) -> Status {
        ASSIGN(const ConsumerInfo* const found, consumer_of(now, consumer));
        now.gone_consumer = std::max(now.gone_consumer, found->created);
        std::erase_if(now.consumers,
                      [&](const ConsumerInfo& one) { return one.name == consumer.name; });
        return {};
    };
    CO_TRY(co_await catalog_.change(consumer.stream, std::move(edit), nullptr));
    co_return Status{};
}

Task<Status> LocalStreamService::edit_consumer_tags(ConsumerRef consumer,
                                                    std::map<std::string, std::string> set,
                                                    std::vector<std::string> remove) {
    CO_TRY(check_tags(set));
    auto edit = [&](StreamInfo& now, Catalog::UidSource&) -> Status {
        ASSIGN(ConsumerInfo* const found, consumer_of(now, consumer));
        return edit_tags_of(found->tags, set, remove);
    };
    CO_TRY(co_await catalog_.change(consumer.stream, std::move(edit), nullptr));
    co_return Status{};
}

Task<Status> LocalStreamService::set_consumer_policy(ConsumerRef consumer, std::string policy) {
    CO_TRY(check_policy(policy));
    auto edit = [&](StreamInfo& now, Catalog::UidSource&) -> Status {
        ASSIGN(ConsumerInfo* const found, consumer_of(now, consumer));
        found->policy = policy;
        return {};
    };
    CO_TRY(co_await catalog_.change(consumer.stream, std::move(edit), nullptr));
    co_return Status{};
}

}  // namespace tidemill
