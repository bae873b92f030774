#include "engine/dynamodb/access.h"

#include <fmt/format.h>

#include "engine/aws/access.h"
#include "engine/dynamodb/call.h"

namespace tidemill::dynamodb {
namespace {

/// Asks for one table or index after the other; the first denial stands.
class Questions {
 public:
    Questions(const aws::Caller& caller, Clock& clock) : caller_(caller), clock_(clock) {}

    void ask(std::string_view action, std::string_view table, std::string_view index = "") {
        if (!status_) return;
        is_asked_ = true;
        ask_for(action, [&] {
            return fmt::format("arn:aws:dynamodb:{}:{}:table/{}{}{}", caller_.region,
                               caller_.account, table_name_of(table),
                               index.empty() ? "" : "/index/", index);
        });
    }
    /// The status of all; of an operation that names no table, on everything.
    ApiStatus answer(std::string_view action) {
        if (!is_asked_) ask_for(action, [] { return std::string("*"); });
        return std::move(status_);
    }

 private:
    template <class MakeArn>
    void ask_for(std::string_view action, MakeArn arn) {
        status_ =
            aws::authorize(caller_, "dynamodb", action, {.account = caller_.account}, clock_, arn);
    }

    const aws::Caller& caller_;
    Clock& clock_;
    ApiStatus status_;
    bool is_asked_ = false;
};

/// What each part of a transaction is by itself.
std::string_view action_of_part(std::string_view part) {
    if (part == "Put") return "PutItem";
    if (part == "Update") return "UpdateItem";
    if (part == "Delete") return "DeleteItem";
    if (part == "Get") return "GetItem";
    return "ConditionCheckItem";
}

}  // namespace

ApiStatus authorize(const aws::Caller& caller, std::string_view operation, const Value& input,
                    Clock& clock) {
    if (!caller.is_restricted()) return {};
    Questions questions(caller, clock);
    if (const auto table = input.text_or("TableName", ""); !table.empty())
        questions.ask(operation, table, input.text_or("IndexName", ""));
    if (const auto arn = input.text_or("ResourceArn", ""); !arn.empty())
        questions.ask(operation, arn);
    if (const Value* requests = input.find("RequestItems");
        requests != nullptr && requests->map() != nullptr)
        for (const auto& [table, of_table] : *requests->map())
            questions.ask(operation, table);
    if (const Value* parts = input.find("TransactItems");
        parts != nullptr && parts->list() != nullptr)
        for (const Value& part : *parts->list())
            if (part.map() != nullptr)
                for (const auto& [kind, item] : *part.map())
                    questions.ask(action_of_part(kind), item.text_or("TableName", ""));
    return questions.answer(operation);
}

}  // namespace tidemill::dynamodb
