// What `gradsmith_planted` and the tests link besides the product's ops.
#include "properties/planted.hpp"

#include "harness/judge.hpp"
#include "harness/op.hpp"
#include "properties/planted_ops.hpp"

namespace gradsmith {

const std::vector<const Op*>& extra_ops() {
  static const std::vector<const Op*> table = [] {
    std::vector<const Op*> all;
    for (const auto& family : {plant::gradients(), plant::values(), plant::writes(), plant::costs(), plant::modes(),
                               plant::for_lanes(), deep_ops(), deadly_ops(), plant::for_sanitizers(), plant::for_types(),
                               plant::for_mixed(), plant::right()})
      all.insert(all.end(), family.begin(), family.end());
    return all;
  }();
  return table;
}

const std::vector<std::string_view>& controls() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> out;
    for (const Op* op : plant::right()) out.push_back(op->name);
    return out;
  }();
  return names;
}

Knobs among(std::vector<std::string_view> names, const std::vector<std::string_view>& honest) {
  static const bool ready = [] {
    initialize_libtorch();
    return true;
  }();
  (void)ready;
  names.insert(names.end(), honest.begin(), honest.end());
  Knobs knobs;
  for (const auto name : names) knobs.ops.push_back(find_op(name));
  return knobs;
}

}  // namespace gradsmith
