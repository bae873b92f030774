#pragma once

#include <string_view>

#include "engine/aws/shape.h"
#include "engine/dynamodb/call.h"

namespace tidemill::dynamodb {

/// One operation of the API. To add one: its shape in shapes.cpp, a function in the file of its
/// family, a line in operations.cpp. It never suspends.
struct Operation {
    std::string_view name;
    const Shape* shape;
    ApiStatus (*run)(Call& call);
};

/// Null when there is none of that name.
const Operation* find_operation(std::string_view name);
/// True for an operation of DynamoDB that is not served.
bool is_known_operation(std::string_view name);

// write_operations.cpp
ApiStatus put_item(Call& call);
ApiStatus update_item(Call& call);
ApiStatus delete_item(Call& call);
// read_operations.cpp
ApiStatus get_item(Call& call);
ApiStatus query(Call& call);
ApiStatus scan(Call& call);
// batch_operations.cpp
ApiStatus batch_get_item(Call& call);
ApiStatus batch_write_item(Call& call);
// transactions.cpp
ApiStatus transact_write_items(Call& call);
ApiStatus transact_get_items(Call& call);
// table_operations.cpp
ApiStatus create_table(Call& call);
ApiStatus update_table(Call& call);
ApiStatus delete_table(Call& call);
ApiStatus describe_table(Call& call);
ApiStatus list_tables(Call& call);
// table_settings.cpp
ApiStatus describe_continuous_backups(Call& call);
ApiStatus update_continuous_backups(Call& call);
ApiStatus describe_time_to_live(Call& call);
ApiStatus update_time_to_live(Call& call);
ApiStatus tag_resource(Call& call);
ApiStatus untag_resource(Call& call);
ApiStatus list_tags_of_resource(Call& call);
ApiStatus describe_limits(Call& call);

}  // namespace tidemill::dynamodb
