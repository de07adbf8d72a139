#include "harness/actuals.hpp"

#include <numeric>

namespace gradsmith {

std::vector<std::int64_t> Actuals::dims(std::size_t i) const {
  std::vector<std::int64_t> list;
  if (args_.is_number(i)) list = {wrap(args_.integer(i))};
  else if (!args_.is_none(i))
    for (const double d : args_.list(i)) list.push_back(wrap(static_cast<std::int64_t>(d)));
  if (rank(0) == 0) return batched_ ? std::vector<std::int64_t>{} : list;
  if (list.empty()) {
    list.resize(static_cast<std::size_t>(rank(0)));
    std::iota(list.begin(), list.end(), std::int64_t{0});
  }
  return list;
}

std::vector<std::int64_t> Actuals::sizes(std::size_t i) const {
  std::vector<std::int64_t> list = integers(i);
  if (batched_) list.push_back(tensors_[0].size(-1));
  return list;
}

}  // namespace gradsmith
