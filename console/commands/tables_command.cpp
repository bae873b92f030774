// tables list, tables describe, tables delete: what KCL applications keep beside streams.
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "console/commands/broker_options.h"
#include "console/repl/text_table.h"
#include "producer/broker_connection.h"
#include "proto/tables_generated.h"

namespace tidemill::console {
namespace {

struct Options : BrokerOptions {
    std::string account, name;
};

/// "leaseKey (S), at (N)".
template <class Keys>
std::string keys_text(const Keys* keys) {
    std::string text;
    if (keys != nullptr)
        for (const auto* key : *keys)
            text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", wire::text_of(key->name()),
                                wire::text_of(key->type()));
    return text;
}

template <class Keys>
std::string keys_json(const Keys* keys) {
    std::string text;
    if (keys != nullptr)
        for (const auto* key : *keys)
            text += fmt::format(R"({}{{"name":{},"type":{}}})", text.empty() ? "" : ",",
                                json_string(wire::text_of(key->name())),
                                json_string(wire::text_of(key->type())));
    return "[" + text + "]";
}

std::string table_json(const wire::TableState& table) {
    std::string indexes;
    if (table.indexes() != nullptr)
        for (const auto* index : *table.indexes())
            indexes +=
                fmt::format(R"({}{{"name":{},"keys":{},"items":{}}})", indexes.empty() ? "" : ",",
                            json_string(wire::text_of(index->name())), keys_json(index->keys()),
                            index->items());
    return fmt::format(
        R"({{"account":{},"name":{},"keys":{},"indexes":[{}],"items":{},"bytes":{},"created_ms":{},"on_demand":{},"protected":{}}})",
        json_string(wire::text_of(table.account())), json_string(wire::text_of(table.name())),
        keys_json(table.keys()), indexes, table.items(), table.bytes(), table.created_ms(),
        table.is_on_demand(), table.is_protected());
}

void print_people(const wire::TableState& table) {
    std::printf("%s of account %s\n  keys: %s\n", wire::text_of(table.name()).c_str(),
                wire::text_of(table.account()).c_str(), keys_text(table.keys()).c_str());
    if (table.indexes() != nullptr)
        for (const auto* index : *table.indexes())
            std::printf("  index %s: %s, %s items\n", wire::text_of(index->name()).c_str(),
                        keys_text(index->keys()).c_str(), std::to_string(index->items()).c_str());
    std::printf("  %s items, %s%s\n", std::to_string(table.items()).c_str(),
                short_bytes(static_cast<double>(table.bytes())).c_str(),
                table.is_protected() ? ", protected from deletion" : "");
}

void print_list(const wire::TableList& list) {
    TextTable text({"table", "account", "items", "bytes", "keys"});
    if (list.tables() != nullptr)
        for (const auto* table : *list.tables())
            text.add({wire::text_of(table->name()), wire::text_of(table->account()),
                      std::to_string(table->items()), std::to_string(table->bytes()),
                      keys_text(table->keys())});
    std::printf("%s", text.is_empty() ? "The broker has no tables.\n" : text.to_string().c_str());
}

/// One table a line, or all of them as one document.
template <class Tables>
void print_json(const Tables* tables, bool is_document) {
    std::string all;
    if (tables != nullptr)
        for (const auto* table : *tables)
            all += (all.empty() ? "" : is_document ? "," : "\n") + table_json(*table);
    if (is_document) all = "[" + all + "]";
    if (!all.empty()) std::printf("%s\n", all.c_str());
}

int ask(const Options& options, wire::TableKind kind) {
    const auto endpoint = client::Endpoint::parse(options.connect);
    if (!endpoint) return report(endpoint.error().message);
    client::BrokerConnection connection(*endpoint);
    flatbuffers::FlatBufferBuilder builder;
    const auto account = builder.CreateString(options.account);
    const auto name = builder.CreateString(options.name);
    builder.Finish(wire::CreateTableRequest(builder, account, name));
    const auto reply =
        connection.call(static_cast<wire::Kind>(kind), wire::finished_bytes(builder));
    if (!reply) return report(client::failure_of(reply.error()));
    const auto list = reply->message.read<wire::TableList>();
    if (!list) return report(list.error().message);
    const bool is_list = kind == wire::TableKind::ListTables;
    const auto* tables = (*list)->tables();
    if (const auto format = options.output(); format != OutputFormat::Human) {
        print_json(tables, is_list && format == OutputFormat::Json);
    } else if (is_list) {
        print_list(**list);
    } else if (tables != nullptr) {
        for (const auto* table : *tables) {
            if (kind == wire::TableKind::DeleteTable)
                std::printf("deleted table %s with %s items\n",
                            wire::text_of(table->name()).c_str(),
                            std::to_string(table->items()).c_str());
            else
                print_people(*table);
        }
    }
    return kExitOk;
}

void add_part(CLI::App& tables, Run& run, const char* word, const char* help,
              wire::TableKind kind) {
    auto options = std::make_shared<Options>();
    auto* command = tables.add_subcommand(word, help);
    if (kind != wire::TableKind::ListTables) {
        command->add_option("name", options->name, "The table")->required();
        command->add_option("--account", options->account,
                            "Whose it is (default: that of callers without a known key)");
    }
    options->add_to(*command);
    command->callback(
        [&run, options, kind] { run = [options, kind] { return ask(*options, kind); }; });
}

}  // namespace

void add_tables_command(CLI::App& app, Run& run) {
    auto* tables = app.add_subcommand(
        "tables", "The tables that KCL applications keep their leases in (docs/kcl.md)");
    tables->require_subcommand(1);
    add_part(*tables, run, "list", "All tables", wire::TableKind::ListTables);
    add_part(*tables, run, "describe", "One table", wire::TableKind::DescribeTable);
    add_part(*tables, run, "delete", "Delete a table with all its items",
             wire::TableKind::DeleteTable);
}

}  // namespace tidemill::console
