#include "console/commands/labelled_windows.h"

#include <algorithm>
#include <filesystem>

#include <simdjson.h>

namespace tidemill::console {
namespace {

// "2014-10-30T15:30:00.000Z" and "2014-10-30 15:30:00.000000" name the same second.
std::string to_the_second(std::string_view time) {
    std::string text(time.substr(0, 19));
    if (text.size() > 10 && text[10] == 'T') text[10] = ' ';
    return text;
}

}  // namespace

Result<std::vector<LabelledWindow>> find_labelled_windows(const std::string& series) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    const fs::path path = fs::weakly_canonical(series, ignored);
    const fs::path labels =
        path.parent_path().parent_path().parent_path() / "labels" / "combined_windows.json";
    std::vector<LabelledWindow> windows;
    if (!fs::exists(labels, ignored)) return windows;
    const std::string key = (path.parent_path().filename() / path.filename()).generic_string();
    try {
        simdjson::dom::parser parser;
        const simdjson::dom::element document = parser.load(labels.string());
        simdjson::dom::array entries;
        if (document[key].get(entries) != simdjson::SUCCESS) return windows;
        for (const simdjson::dom::array pair : entries)
            windows.push_back({to_the_second(pair.at(0)), to_the_second(pair.at(1))});
    } catch (const simdjson::simdjson_error& error) {
        return fail(Errc::Corrupt, labels.string() + " is no label file: " + error.what());
    }
    return windows;
}

Verdict judge(const std::vector<TimedScore>& scores, const std::vector<LabelledWindow>& windows) {
    Verdict verdict;
    const std::size_t first = scores.size() * 15 / 100;
    std::vector<double> judged;
    for (std::size_t i = first; i < scores.size(); ++i)
        judged.push_back(scores[i].score);
    std::ranges::sort(judged, std::greater<>());
    verdict.judged = judged.size();
    verdict.top_percent = judged.size() / 100;
    for (const auto& window : windows) {
        WindowVerdict row;
        row.window = window;
        bool found = false;
        for (std::size_t i = first; i < scores.size(); ++i) {
            const auto time = to_the_second(scores[i].time);
            if (time < window.begin || time > window.end) continue;
            if (!found || scores[i].score > row.peak_score) {
                row.peak_score = scores[i].score;
                row.peak_time = time;
                found = true;
            }
        }
        if (found) {
            row.rank = static_cast<std::size_t>(
                           std::ranges::lower_bound(judged, row.peak_score, std::greater<>()) -
                           judged.begin()) +
                       1;
            row.is_in_top_percent = row.rank <= verdict.top_percent;
        }
        verdict.windows.push_back(row);
    }
    return verdict;
}

}  // namespace tidemill::console
