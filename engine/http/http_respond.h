#pragma once

#include "engine/http/http_core.h"
#include "engine/http/http_message.h"

namespace tidemill {

/// What every version of HTTP does with a request that has been read whole: finds its handler and
/// runs it. No handler: 404 or 405; an exception: 500. Answers browsers that ask what a page may
/// do. Ownership: both outlive the task.
Task<HttpResponse> respond(HttpCore& core, const HttpRequest& request);

}  // namespace tidemill
