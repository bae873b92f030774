#include "engine/aws/error_document.h"

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

}  // namespace tidemill::aws
