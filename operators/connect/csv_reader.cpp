#include "operators/connect/csv_reader.h"

namespace tidemill::sql {

const std::vector<CsvField>& CsvLine::split(std::string_view line) {
    fields_.clear();
    opened_.clear();
    opened_.reserve(16);
    std::vector<std::pair<std::size_t, std::size_t>>
        in_opened;  // field -> text that had to be rewritten
    std::size_t at = 0;
    for (;;) {
        if (at < line.size() && line[at] == '"') {
            std::string text;
            bool is_rewritten = false;
            std::size_t begin = at + 1, end = begin;
            for (;;) {
                end = line.find('"', end);
                if (end == std::string_view::npos) {  // never closed: the rest of the line
                    end = line.size();
                    break;
                }
                if (end + 1 >= line.size() || line[end + 1] != '"') break;
                text += line.substr(begin, end + 1 - begin);
                is_rewritten = true;
                end += 2;
                begin = end;
            }
            if (is_rewritten) {
                opened_.push_back(text + std::string(line.substr(begin, end - begin)));
                in_opened.emplace_back(fields_.size(), opened_.size() - 1);
                fields_.push_back({{}, true});
            } else {
                fields_.push_back({line.substr(begin, end - begin), true});
            }
            at = line.find(delimiter_, end);
        } else {
            const auto end = line.find(delimiter_, at);
            fields_.push_back(
                {line.substr(at, end == std::string_view::npos ? end : end - at), false});
            at = end;
        }
        if (at == std::string_view::npos) break;
        at += delimiter_.size();
    }
    for (const auto& [field, text] : in_opened)
        fields_[field].text = opened_[text];
    return fields_;
}

}  // namespace tidemill::sql
