#include "engine/log/log_store.h"

#include "engine/reactor/signal.h"

namespace tidemill {
namespace {

struct AwaitedAppend : AppendOp {
    Signal ended;
    bool is_ended = false;
};

}  // namespace

Task<AppendResult> ShardWriter::append(RecordBatchView batch) {
    AwaitedAppend op;
    op.shard = shard();
    op.batch = batch;
    op.done = [](AppendOp& ended) noexcept {
        auto& self = static_cast<AwaitedAppend&>(ended);
        self.is_ended = true;
        self.ended.notify_all();
    };
    submit(op);
    while (!op.is_ended)
        co_await op.ended.wait_until(MonoTime::max());
    co_return std::move(op.result);
}

}  // namespace tidemill
