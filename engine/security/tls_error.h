#pragma once

#include <string>

namespace tidemill {

/// What OpenSSL last complained of on this thread; forgets it.
std::string tls_error();

}  // namespace tidemill
