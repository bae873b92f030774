#include "operators/connect/record_decoder.h"

#include "operators/connect/row_decoder.h"

namespace tidemill::sql {
namespace {

std::string_view trim(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

class RowByRowDecoder final : public RecordDecoder {
 public:
    RowByRowDecoder(RecordFormat format, std::unique_ptr<RowDecoder> rows)
        : format_(format), rows_(std::move(rows)) {}

    void decode(std::string_view record, const RecordMetadata& metadata, RowBatch& rows,
                RejectedRows& rejected) override {
        auto rest = trim(record);
        const bool is_array =
            format_ == RecordFormat::Json && rest.starts_with('[') && rest.ends_with(']');
        if (is_array) rest = rest.substr(1, rest.size() - 2);
        RejectedRow bad;
        while (const auto row = take_row(format_, rest)) {
            if (!rows_->decode(*row, metadata, rows, bad)) {
                bad.data_rowtime = metadata.rowtime;
                rejected.push_back(std::move(bad));
                bad = {};
            }
            if (is_array) {
                rest = trim(rest);
                if (rest.starts_with(',')) rest.remove_prefix(1);
            }
        }
    }

 private:
    RecordFormat format_;
    std::unique_ptr<RowDecoder> rows_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_record_decoder(RecordFormat format, const Schema& schema) {
    return make_row_by_row_decoder(format, make_row_decoder({format, ",", {}, false}, schema));
}

std::unique_ptr<RecordDecoder> make_row_by_row_decoder(RecordFormat format,
                                                       std::unique_ptr<RowDecoder> rows) {
    return std::make_unique<RowByRowDecoder>(format, std::move(rows));
}

std::vector<Field> record_metadata_fields() {
    const auto hidden = [](std::string_view name, Type type) {
        return Field{std::string(name), type, true, true};
    };
    return {hidden(kArrivalTime, TypeKind::Timestamp), hidden("PARTITION_KEY", Type::varchar(1024)),
            hidden("SEQUENCE_NUMBER", Type::varchar(64)), hidden("SHARD_ID", Type::varchar(64))};
}

}  // namespace tidemill::sql
