#pragma once

#include <map>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/service/stream_service.h"

namespace tidemill {

/// [a-zA-Z0-9_.-]{1,128}
bool is_stream_name(std::string_view name);
/// Errors: InvalidArgument.
Status check_tags(const std::map<std::string, std::string>& tags);
/// Errors: InvalidArgument, LimitExceeded.
Status check_create(const CreateStream& request, const CatalogView& existing);

}  // namespace tidemill
