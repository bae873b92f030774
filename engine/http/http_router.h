#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/http/http_message.h"

namespace tidemill {

/// Which handler serves which method and path. Filled before the server starts, read only
/// afterwards.
class HttpRouter {
 public:
    /// `method` "" stands for any. A prefix that ends in '/' covers everything below it, any other
    /// only itself. Ownership: the handler outlives the server.
    void mount(std::string method, std::string prefix, HttpHandler& handler);

    /// The handler with the longest matching prefix; a route for the very method goes before one
    /// for any. Null: 404.
    HttpHandler* find(std::string_view method, std::string_view path) const;
    /// True when another method would find a handler: 405 instead of 404.
    bool knows_path(std::string_view path) const;

 private:
    struct Route {
        std::string method, prefix;
        HttpHandler* handler;
        bool covers(std::string_view path) const;
    };
    std::vector<Route> routes_;  // longest prefix first, a named method before ""
};

}  // namespace tidemill
