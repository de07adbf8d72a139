// The op table: every family once, in a fixed order that choices, reports and golden files depend on.
#include "harness/op.hpp"

#include <algorithm>
#include <unordered_map>

#include "harness/ops/family.hpp"
#include "harness/spelling.hpp"

namespace gradsmith {
const std::vector<const Op*>& all_ops() {
  static const std::vector<const Op*> table = [] {
    std::vector<const Op*> all;
    for (const auto& family :
         {ops::activations(), ops::arithmetic(), ops::unary(), ops::fills(), ops::views(), ops::reductions(),
          ops::products(), ops::casts(), extra_ops()})
      all.insert(all.end(), family.begin(), family.end());
    return all;
  }();
  return table;
}

const Op* find_op(std::string_view name) {
  static const auto index = [] {
    std::unordered_map<std::string_view, const Op*> by_name;
    for (const Op* op : all_ops()) by_name.emplace(op->name, op);
    return by_name;
  }();
  const auto found = index.find(name);
  return found == index.end() ? nullptr : found->second;
}

std::string nearest_op(std::string_view name) {
  const auto& all = all_ops();
  const auto nearest = std::min_element(all.begin(), all.end(), [&](const Op* a, const Op* b) {
    return edit_distance(name, a->name) < edit_distance(name, b->name);
  });
  return nearest == all.end() ? std::string() : std::string((*nearest)->name);
}

int param_index(const Op& op, std::string_view name) {
  for (std::size_t i = 0; i < op.params.size(); ++i)
    if (op.params[i].name == name) return static_cast<int>(i);
  return -1;
}

bool takes_tensor(Kind kind) {
  return kind == Kind::tensor || kind == Kind::tensor_or_number || kind == Kind::tensors;
}

}  // namespace gradsmith
