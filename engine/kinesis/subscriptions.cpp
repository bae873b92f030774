#include "engine/kinesis/subscriptions.h"

#include "engine/reactor/call_on.h"

namespace tidemill::kinesis {

Subscriptions::Subscriptions(std::vector<Reactor*> reactors)
    : reactors_(std::move(reactors)), cores_(reactors_.size()) {}

SubscriptionStats& Subscriptions::stats() { return cores_[Reactor::current().id().value].stats; }

Task<std::shared_ptr<SubscriptionClaim>> Subscriptions::claim(SubscriptionKey key) {
    auto made = std::make_shared<SubscriptionClaim>();
    made->key = key;
    const std::uint32_t core = Reactor::current().id().value;
    const std::weak_ptr<SubscriptionClaim> weak = made;
    auto enter = [this, key = std::move(key), core, weak]() -> Task<std::uint64_t> {
        const MonoTime now = home().clock().mono_now();
        if (const auto found = entries_.find(key); found != entries_.end()) {
            if (now - found->second.begun < kTakeoverAge) co_return 0;
            reactors_[found->second.core]->post([this, old = found->second.claim] {
                const auto claim = old.lock();
                if (claim == nullptr) return;
                claim->is_lost = true;
                ++stats().taken_over;
            });
        }
        entries_.insert_or_assign(key, Entry{++last_id_, now, core, weak});
        co_return last_id_;
    };
    made->id = co_await call_on(home(), std::move(enter));
    if (made->id == 0) {
        ++stats().refused;
        co_return nullptr;
    }
    ++stats().begun;
    ++stats().active;
    co_return made;
}

void Subscriptions::release(const SubscriptionClaim& claim) {
    --stats().active;
    home().post([this, key = claim.key, id = claim.id] {
        const auto found = entries_.find(key);
        if (found != entries_.end() && found->second.id == id) entries_.erase(found);
    });
}

}  // namespace tidemill::kinesis
