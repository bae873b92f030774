#include "engine/dynamodb/table_door.h"

#include <fmt/format.h>

#include "engine/security/credential.h"
#include "proto/tables_generated.h"

namespace tidemill::dynamodb {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

Offset<flatbuffers::Vector<Offset<wire::TableKeyAttribute>>> write_key(FlatBufferBuilder& out,
                                                                       const KeySchema& key) {
    std::vector<Offset<wire::TableKeyAttribute>> attributes;
    for (const auto& attribute : key.attributes())
        attributes.push_back(
            wire::CreateTableKeyAttribute(out, out.CreateString(attribute.name),
                                          out.CreateString(kind_name(attribute.kind).data())));
    return out.CreateVector(attributes);
}

Offset<wire::TableState> write_state(FlatBufferBuilder& out, const Table& table) {
    const TableDefinition& definition = table.definition();
    std::vector<Offset<wire::TableIndex>> indexes;
    for (const auto& index : definition.indexes)
        indexes.push_back(wire::CreateTableIndex(out, out.CreateString(index.name),
                                                 write_key(out, index.key),
                                                 table.items_by(index).size()));
    return wire::CreateTableState(out, out.CreateString(definition.account),
                                  out.CreateString(definition.name), write_key(out, definition.key),
                                  out.CreateVector(indexes), table.items().size(), table.bytes(),
                                  to_millis(definition.created), definition.is_on_demand,
                                  definition.is_protected);
}

using Answer = Result<std::vector<std::byte>>;

Answer finished(FlatBufferBuilder& out, const std::vector<Offset<wire::TableState>>& states) {
    out.Finish(wire::CreateTableList(out, out.CreateVector(states)));
    const Bytes bytes = wire::finished_bytes(out);
    return std::vector<std::byte>(bytes.begin(), bytes.end());
}

Answer answer(Tables& tables, wire::TableKind kind, const std::string& account,
              const std::string& name) {
    FlatBufferBuilder out;
    if (kind == wire::TableKind::ListTables) {
        std::vector<Offset<wire::TableState>> states;
        for (const auto& [full_name, table] : tables.all())
            states.push_back(write_state(out, table));
        return finished(out, states);
    }
    const Table* table = tables.find(account, name);
    if (table == nullptr)
        return fail(Errc::NotFound,
                    fmt::format("there is no table {} of account {}", name, account));
    const auto state = write_state(out, *table);
    if (kind == wire::TableKind::DeleteTable) {
        if (table->definition().is_protected)
            return fail(Errc::InvalidArgument,
                        fmt::format("table {} is protected from deletion", name));
        tables.drop(*table);
    }
    return finished(out, {state});
}

}  // namespace

Task<Answer> TableDoor::serve(std::uint8_t kind, wire::TableBytes message) {
    CO_ASSIGN(const auto* request, message.read<wire::TableRequest>());
    std::string account = wire::text_of(request->account());
    if (account.empty()) account = kNoAccount;
    auto work = [kind = static_cast<wire::TableKind>(kind), account = std::move(account),
                 name = wire::text_of(request->name())](Tables& tables) {
        return answer(tables, kind, account, name);
    };
    CO_ASSIGN(Answer made, co_await tables_.run(std::move(work)));
    co_return made;
}

}  // namespace tidemill::dynamodb
