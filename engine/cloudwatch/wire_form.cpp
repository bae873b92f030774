#include "engine/cloudwatch/wire_form.h"

#include <fmt/format.h>

#include "engine/aws/api.h"
#include "engine/aws/cbor_document.h"
#include "engine/aws/document_writer.h"
#include "engine/aws/json_document.h"
#include "engine/cloudwatch/gzip.h"
#include "engine/cloudwatch/query_form.h"

namespace tidemill::cloudwatch {
namespace {

using aws::ApiError;
using aws::ApiResult;
using aws::refuse;
using aws::Value;

constexpr std::string_view kTargetPrefix = "GraniteServiceVersion20100801.";
constexpr std::string_view kPathPrefix = "/service/GraniteServiceVersion20100801/operation/";
constexpr std::string_view kVersion = "2010-08-01";
constexpr std::string_view kXmlNamespace = "http://monitoring.amazonaws.com/doc/2010-08-01/";
constexpr std::size_t kOpenedBytes = 8 << 20;

bool is_form(const HttpRequest& request) {
    return request.header("Content-Type").starts_with("application/x-www-form-urlencoded");
}
bool is_gzip(const HttpRequest& request) { return request.header("Content-Encoding") == "gzip"; }

/// An error's code in the Query protocol, which has names of its own.
std::string query_code(std::string_view type) {
    constexpr std::pair<std::string_view, std::string_view> kNames[] = {
        {"MissingRequiredParameterException", "MissingParameter"},
        {"UnknownOperationException", "InvalidAction"},
        {"SerializationException", "MalformedInput"},
        {"UnrecognizedClientException", "InvalidClientTokenId"},
        {"InvalidSignatureException", "SignatureDoesNotMatch"}};
    for (const auto& [from, to] : kNames)
        if (type == from) return std::string(to);
    if (type.ends_with("Exception")) type.remove_suffix(9);
    return std::string(type);
}

std::string xml_escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '&')
            out += "&amp;";
        else if (c == '"')
            out += "&quot;";
        else if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t')
            out += c;
        else
            out += '?';
    }
    return out;
}

/// Which of the services an error's name is shared by.
std::string full_type(std::string_view type) {
    if (type == "SerializationException" || type == "UnknownOperationException")
        return fmt::format("com.amazon.coral.service#{}", type);
    return fmt::format("com.amazonaws.cloudwatch#{}", type);
}

}  // namespace

std::optional<WireForm> wire_form_of(const HttpRequest& request) {
    if (request.path.starts_with(kPathPrefix)) return WireForm::Cbor;
    if (request.header("X-Amz-Target").starts_with(kTargetPrefix)) return WireForm::Json;
    if (!is_form(request) || request.has_header("X-Amz-Target")) return std::nullopt;
    const bool is_signed_for_it =
        request.header("Authorization").find("/monitoring/aws4_request") != std::string_view::npos;
    if (is_signed_for_it || raw_parameter(request.body, "Version") == kVersion)
        return WireForm::Query;
    return std::nullopt;
}

std::string_view operation_named(const HttpRequest& request, WireForm form) {
    if (form == WireForm::Cbor) return request.path.substr(kPathPrefix.size());
    if (form == WireForm::Json) return *aws::target_operation(request, kTargetPrefix);
    // Of all its operations PutMetricData is the one whose requests clients compress.
    return is_gzip(request) ? "PutMetricData" : raw_parameter(request.body, "Action");
}

ApiResult<Value> document_of(const HttpRequest& request, WireForm form) {
    std::string_view body = request.body;
    std::string opened;
    if (is_gzip(request)) {
        auto plain = gunzip(body, kOpenedBytes);
        if (!plain)
            return refuse(
                "SerializationException",
                fmt::format("The body is not gzip, or holds more than {} bytes.", kOpenedBytes));
        opened = std::move(*plain);
        body = opened;
    } else if (const auto encoding = request.header("Content-Encoding");
               !encoding.empty() && encoding != "identity" && encoding != "aws-chunked") {
        return refuse("SerializationException", "The content encoding is not supported.");
    }
    std::optional<Value> document;
    switch (form) {
        case WireForm::Query:
            document = parse_query_form(body);
            break;
        case WireForm::Json:
            document = aws::parse_json(body);
            break;
        case WireForm::Cbor:
            document = aws::parse_cbor(body, aws::CborTimes::Seconds);
            break;
    }
    if (!document || document->map() == nullptr)
        return refuse("SerializationException", "The request could not be read.");
    return std::move(*document);
}

HttpResponse empty_answer(WireForm form, std::string_view operation, std::string_view id) {
    HttpResponse response;
    if (form == WireForm::Query) {
        response.content_type = "text/xml";
        response.body = fmt::format(
            "<{0}Response xmlns=\"{1}\">\n  <ResponseMetadata>\n    <RequestId>{2}</RequestId>\n  "
            "</ResponseMetadata>\n</{0}Response>\n",
            operation, kXmlNamespace, id);
    } else if (form == WireForm::Json) {
        response.content_type = "application/x-amz-json-1.0";
        response.body = "{}";
    } else {
        response.headers.emplace_back("smithy-protocol", "rpc-v2-cbor");
        response.content_type = "application/cbor";
        response.body = "\xbf\xff";
    }
    return response;
}

HttpResponse error_answer(WireForm form, const ApiError& error, std::string_view id) {
    HttpResponse response;
    response.status = error.status;
    const std::string code = query_code(error.type);
    if (form == WireForm::Query) {
        response.content_type = "text/xml";
        response.body = fmt::format(
            "<ErrorResponse xmlns=\"{}\">\n  <Error>\n    <Type>{}</Type>\n    <Code>{}</Code>\n"
            "    <Message>{}</Message>\n  </Error>\n  <RequestId>{}</RequestId>\n"
            "</ErrorResponse>\n",
            kXmlNamespace, error.status >= 500 ? "Receiver" : "Sender", code,
            xml_escaped(error.message), id);
        return response;
    }
    const bool is_json = form == WireForm::Json;
    aws::DocumentWriter out(response.body, is_json ? aws::Encoding::Json : aws::Encoding::Cbor);
    out.begin_object().member("__type", full_type(error.type));
    if (!error.message.empty()) out.member("message", error.message);
    out.end_object();
    response.content_type = is_json ? "application/x-amz-json-1.0" : "application/cbor";
    if (!is_json) response.headers.emplace_back("smithy-protocol", "rpc-v2-cbor");
    response.headers.emplace_back(
        "x-amzn-query-error",
        fmt::format("{};{}", code, error.status >= 500 ? "Receiver" : "Sender"));
    return response;
}

}  // namespace tidemill::cloudwatch
