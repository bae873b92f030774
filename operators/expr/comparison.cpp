#include "operators/expr/comparison.h"

#include <functional>

namespace tidemill::sql {

namespace {

template <class Op>
void compare_integers(const KernelCall& call) {
    const auto *a = call.args[0]->slots(), *b = call.args[1]->slots();
    const auto am = call.args[0]->row_mask(), bm = call.args[1]->row_mask();
    auto* out = call.out.slots();
    call.rows.for_each([&](std::size_t i) { out[i] = Op()(a[i & am], b[i & bm]) ? 1 : 0; });
}

template <class Op>
void compare_doubles(const KernelCall& call) {
    const auto &a = *call.args[0], &b = *call.args[1];
    auto* out = call.out.slots();
    call.rows.for_each(
        [&](std::size_t i) { out[i] = Op()(a.double_at(i), b.double_at(i)) ? 1 : 0; });
}

template <class Op>
void compare_texts(const KernelCall& call) {
    const auto &a = *call.args[0], &b = *call.args[1];
    auto* out = call.out.slots();
    call.rows.for_each([&](std::size_t i) { out[i] = Op()(a.text_at(i), b.text_at(i)) ? 1 : 0; });
}

template <class Op>
Kernel kernel_for(Storage storage) {
    switch (storage) {
        case Storage::Double:
            return compare_doubles<Op>;
        case Storage::Text:
            return compare_texts<Op>;
        default:
            return compare_integers<Op>;
    }
}

}  // namespace

Kernel comparison_kernel(std::string_view op, Storage storage) {
    if (op == "=") return kernel_for<std::equal_to<>>(storage);
    if (op == "<>") return kernel_for<std::not_equal_to<>>(storage);
    if (op == "<") return kernel_for<std::less<>>(storage);
    if (op == "<=") return kernel_for<std::less_equal<>>(storage);
    if (op == ">") return kernel_for<std::greater<>>(storage);
    return kernel_for<std::greater_equal<>>(storage);
}

}  // namespace tidemill::sql
