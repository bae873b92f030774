#include "engine/kinesis/error_map.h"

#include <doctest/doctest.h>

using namespace tidemill;
using namespace tidemill::kinesis;

TEST_CASE("every error of the engine has a name in the API, and only transient ones are 5xx") {
    std::size_t count = 0;
    const ErrcInfo* all = all_errors(count);
    for (std::size_t i = 0; i < count; ++i) {
        const ApiError error = to_api_error(Error(all[i].code, "text"));
        CHECK(error.type.ends_with("Exception"));
        CHECK(error.message == "text");
        if (all[i].code == Errc::NotFound) CHECK(error.type == "ResourceNotFoundException");
        if (all[i].code == Errc::InvalidArgument || all[i].code == Errc::Validation)
            CHECK(error.status == 400);
    }
}
