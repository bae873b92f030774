#include "console/repl/sql_rows.h"

#include "proto/native_table.h"

namespace tidemill::console {
namespace {

Status fill(sql::Column& column, const wire::SqlColumn& from, std::size_t rows) {
    const bool is_text = column.type().storage() == sql::Storage::Text;
    const std::size_t values = is_text ? (from.texts() == nullptr ? 0 : from.texts()->size())
                                       : (from.slots() == nullptr ? 0 : from.slots()->size());
    if (values != rows || (from.nulls() != nullptr && from.nulls()->size() != rows))
        return fail(Errc::Corrupt, "a column of the answer has another length than its rows");
    for (std::uint32_t row = 0; row < rows; ++row) {
        if (from.nulls() != nullptr && from.nulls()->Get(row) != 0)
            column.append_null();
        else if (is_text)
            column.append_text(from.texts()->Get(row)->string_view());
        else
            column.append_int(from.slots()->Get(row));
    }
    return {};
}

}  // namespace

Result<sql::Schema> schema_of(const wire::SqlStreamHead& head) {
    sql::Schema schema;
    if (head.fields() == nullptr) return schema;
    for (const auto* table : *head.fields()) {
        if (table->kind() > static_cast<std::uint8_t>(sql::TypeKind::Interval))
            return fail(Errc::Corrupt, "the answer has a column of a type that is not known here");
        sql::Field field;
        field.name = wire::text_of(table->name());
        field.type.kind = static_cast<sql::TypeKind>(table->kind());
        field.type.length = table->length();
        field.type.precision = table->precision();
        field.type.scale = std::min<std::uint8_t>(table->scale(), 18);
        schema.fields.push_back(std::move(field));
    }
    return schema;
}

Result<sql::RowBatch> rows_of(const sql::Schema& schema, const wire::SqlRows& rows) {
    const std::size_t count = rows.rowtime() == nullptr ? 0 : rows.rowtime()->size();
    if (count > sql::kBatchRows || rows.columns() == nullptr ||
        rows.columns()->size() != schema.size())
        return fail(Errc::Corrupt, "rows of the answer do not fit their stream");
    sql::RowBatch batch(schema);
    for (std::uint32_t i = 0; i < schema.size(); ++i)
        TRY(fill(batch.columns[i], *rows.columns()->Get(i), count));
    for (const std::int64_t rowtime : *rows.rowtime())
        batch.rowtime.append_int(rowtime);
    return batch;
}

}  // namespace tidemill::console
