// StartStreamEncryption, StopStreamEncryption. The broker has one master key; KeyId is the name
// that descriptions give it (docs/encryption.md).
#include "engine/kinesis/operations.h"

namespace tidemill::kinesis {
namespace {

ApiStatus check_type(const Call& call) {
    if (call.input.text_or("EncryptionType", "") == "KMS") return {};
    return invalid_argument("EncryptionType must be KMS.");
}

}  // namespace

Task<ApiStatus> start_stream_encryption(Call& call) {
    if (auto status = check_type(call); !status) co_return status;
    const auto found = find_stream(call);
    if (!found) co_return std::unexpected(found.error());
    const std::string name = (*found)->name;
    const auto changed =
        co_await call.service.start_encryption(name, std::string(call.input.text_or("KeyId", "")));
    if (changed) co_return ApiStatus{};
    if (changed.error().code == Errc::Unsupported)
        co_return refuse("KMSNotFoundException", changed.error().message);
    co_return stream_failure(call, name, changed.error());
}

Task<ApiStatus> stop_stream_encryption(Call& call) {
    if (auto status = check_type(call); !status) co_return status;
    const auto found = find_stream(call);
    if (!found) co_return std::unexpected(found.error());
    const std::string name = (*found)->name;
    const auto changed = co_await call.service.stop_encryption(name);
    if (!changed) co_return stream_failure(call, name, changed.error());
    co_return ApiStatus{};
}

}  // namespace tidemill::kinesis
