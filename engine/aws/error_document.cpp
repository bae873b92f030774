#include "engine/aws/error_document.h"

#include <fmt/format.h>

#include "engine/aws/document_writer.h"

namespace tidemill::aws {

std::string error_document(const ApiError& error, Encoding encoding) {
    std::string body;
    DocumentWriter out(body, encoding);
    out.begin_object().member("__type", error.type);
    // The one exception whose message begins with a capital.
    if (!error.message.empty())
        out.member(error.type == "SerializationException" ? "Message" : "message", error.message);
    out.end_object();
    return body;
}

HttpResponse xml_refusal(std::string_view type, std::string_view message, unsigned status) {
    HttpResponse response;
    response.status = status;
    response.body = fmt::format("<{0}>\n  <Message>{1}</Message>\n</{0}>\n", type, message);
    return response;
}

}  // namespace tidemill::aws
