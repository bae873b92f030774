#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "engine/http/http_limits.h"
#include "engine/io/task.h"

namespace tidemill {

/// One request. Ownership: everything views the connection's memory and lives until the handler's
/// task ends.
struct HttpRequest {
    std::string_view method;  ///< "GET", "POST", ...
    std::string_view path;    ///< as sent, still percent-encoded
    std::string_view query;   ///< after the '?', empty without
    std::vector<std::pair<std::string_view, std::string_view>> headers;
    std::string_view body;   ///< kBodyPadding more bytes may be read behind it
    std::string_view peer;   ///< "127.0.0.1:40000"
    bool is_secure = false;  ///< came over TLS

    /// The first header of that name (in any case); empty when absent. Of an HTTP/2 request
    /// ":authority" is among the headers, and answers for "Host" when there is none.
    std::string_view header(std::string_view name) const;
    bool has_header(std::string_view name) const;
};

/// Takes the pieces of a response that is not known as a whole. Core: the connection's.
class HttpBodyWriter {
 public:
    /// Sends a piece (chunked in HTTP/1.1). Errors: Cancelled when the peer or the server is going:
    /// end the body then.
    virtual Task<Status> write(Bytes piece) = 0;
    virtual bool is_stopping() const = 0;

 protected:
    ~HttpBodyWriter() = default;
};

struct HttpResponse {
    unsigned status = 200;
    std::string content_type;  ///< no header when empty
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    /// When set, called after the head has been sent, instead of `body`.
    std::move_only_function<Task<void>(HttpBodyWriter&)> stream;
    bool closes = false;  ///< ends the connection

    static HttpResponse text(unsigned status, std::string body);
};

/// What serves some paths. Mounted on an HttpRouter. Core: any; called on the connection's.
class HttpHandler {
 public:
    virtual ~HttpHandler() = default;
    /// Exceptions become 500. Ownership: `request` lives until the task ends.
    virtual Task<HttpResponse> handle(const HttpRequest& request) = 0;
};

std::string_view http_reason(unsigned status);

}  // namespace tidemill
