#include "engine/server/certificate_keeper.h"

#include <fmt/chrono.h>

#include "engine/io/system_clock.h"
#include "engine/telemetry/log.h"

namespace tidemill {
namespace {

void report(const TlsFiles& files, const TlsContext& context, bool is_required) {
    const auto last = static_cast<std::time_t>(to_millis(context.expires()) / 1000);
    log::info("tls", {{"mode", is_required ? "required" : "on"},
                      {"certificate", files.certificate.string()},
                      {"sha256", context.fingerprint()},
                      {"expires", fmt::format("{:%Y-%m-%d}", fmt::gmtime(last))}});
    if (context.expires() < SystemClock().wall_now())
        log::warn("certificate_has_expired", {{"certificate", files.certificate.string()}});
}

}  // namespace

Status CertificateKeeper::load(const Config& config, HttpServer& http) {
    if (config.tls.mode == TlsMode::Off) return {};
    is_required_ = config.tls.mode == TlsMode::Required;
    files_ = {config.tls.certificate_file, config.tls.key_file};
    if (files_.certificate.empty()) {
        ASSIGN(files_,
               development_certificate(config.data_directory / "tls", SystemClock().wall_now()));
    }
    read_ = look_again({{files_.certificate}, {files_.key}});
    ASSIGN(const TlsContext context, TlsContext::load(files_.certificate, files_.key));
    http.set_tls(context, is_required_);
    report(files_, context, is_required_);
    return {};
}

void CertificateKeeper::reload(Reload what, HttpServer& http) {
    if (files_.certificate.empty()) return;
    // As they look before they are read: what changes meanwhile is seen the next time.
    auto look = look_again(read_);
    if (what == Reload::WhatChanged && look == read_) return;
    read_ = std::move(look);
    const auto context = TlsContext::load(files_.certificate, files_.key);
    if (!context) {
        log::error("certificate_not_loaded",
                   {{"error", context.error()}, {"meaning", "the one read before stays in force"}});
        return;
    }
    http.set_tls(*context, is_required_);
    report(files_, *context, is_required_);
}

}  // namespace tidemill
