// Attributes of steps, from the operand's shape where they follow from it.
#include <algorithm>
#include <numeric>

#include "harness/generator.hpp"

namespace gradsmith {

/// Sizes whose product is `count`: a shape to view a tensor as.
std::vector<double> Generator::factors(std::int64_t count) {
  if (count == 0) return {0};
  std::vector<double> sizes;
  for (int parts = static_cast<int>(choices_.between(0, 2)); parts > 0; --parts) {
    std::vector<std::int64_t> divisors;
    for (std::int64_t d = 1; d <= count; ++d)
      if (count % d == 0) divisors.push_back(d);
    const std::int64_t size = choices_.pick(divisors);
    sizes.push_back(static_cast<double>(size));
    count /= size;
  }
  if (count > 1 || sizes.empty() || choices_.chance(30)) sizes.push_back(static_cast<double>(count));
  if (choices_.chance(15)) choices_.pick(sizes) = -1;
  return sizes;
}

/// Attributes that follow from the operand's shape. Names are PyTorch's.
std::optional<double> Generator::integer_of(std::string_view op, std::string_view name, const Shape& shape) {
  const auto rank = static_cast<std::int64_t>(shape.size());
  const std::int64_t size = rank == 0 ? 1 : shape[dim_];
  const auto signed_dim = [&](std::int64_t dim, std::int64_t dims) {
    return static_cast<double>(choices_.chance(25) ? dim - std::max<std::int64_t>(dims, 1) : dim);
  };
  const auto any_dim = [&] { return rank == 0 ? 0 : choices_.between(0, rank - 1); };
  if (op == "unsqueeze" && name == "dim") return signed_dim(choices_.between(0, rank), rank + 1);
  if (name == "dim" || name == "dimension") return signed_dim(dim_, rank);
  if (name == "dim0" || name == "source") return signed_dim(any_dim(), rank);
  if (name == "dim1" && op == "diagonal") return signed_dim(dim_, rank);
  if (name == "dim1" || name == "destination") return signed_dim(any_dim(), rank);
  if (name == "dim2") return signed_dim(rank < 2 ? 0 : (dim_ + choices_.between(1, rank - 1)) % rank, rank);
  if (name == "start_dim") return signed_dim(start_ = any_dim(), rank);
  if (name == "end_dim") return signed_dim(rank == 0 ? 0 : choices_.between(start_, rank - 1), rank);
  if (name == "index")
    return static_cast<double>(size == 0 ? 0 : choices_.between(choices_.chance(20) ? -size : 0, size - 1));
  if (name == "start") return static_cast<double>(start_ = choices_.between(0, size));
  if (name == "end") return static_cast<double>(choices_.between(start_, size));
  if (name == "length")
    return static_cast<double>(choices_.between(size > start_ && !choices_.chance(5) ? 1 : 0, size - start_));
  if (name == "step") return static_cast<double>(choices_.between(1, 3));
  if (name == "split_size") return static_cast<double>(choices_.between(1, std::max<std::int64_t>(size, 1)));
  if (name == "chunks" || name == "sections") return static_cast<double>(choices_.between(1, 3));
  if (name == "size") return static_cast<double>(choices_.between(1, std::max<std::int64_t>(size, 1)));
  if (name == "offset" || name == "diagonal") return static_cast<double>(choices_.between(-1, 1));
  return std::nullopt;
}

std::optional<std::vector<double>> Generator::integers_of(std::string_view op, std::string_view name, const Shape& shape) {
  const auto rank = static_cast<std::int64_t>(shape.size());
  std::vector<double> dims(shape.size());
  std::iota(dims.begin(), dims.end(), 0);
  if (name == "size" && op == "expand") {
    std::vector<double> sizes;
    if (choices_.chance(rank == 0 ? 70 : 35)) sizes.push_back(static_cast<double>(choices_.between(1, 3)));
    for (const auto size : shape)
      sizes.push_back(size == 1 && choices_.chance(70) ? static_cast<double>(choices_.between(2, 3))
                      : choices_.chance(30)            ? -1
                                                       : static_cast<double>(size));
    return sizes;
  }
  if (name == "size" || name == "shape") return factors(element_count(shape));
  if (name == "normalized_shape") {
    const auto from = rank == 0 ? 0 : choices_.between(0, rank - 1);
    return std::vector<double>(shape.begin() + from, shape.end());
  }
  if (name == "dims" && op == "permute") {
    for (std::size_t i = dims.size(); i-- > 1;) std::swap(dims[i], dims[choices_.below(i + 1)]);
    for (auto& dim : dims)
      if (choices_.chance(15)) dim -= static_cast<double>(rank);
    return dims;
  }
  if (name == "dims" || name == "dim") {
    const auto dim = choices_.chance(25) ? dim_ - std::max<std::int64_t>(rank, 1) : dim_;
    if (choices_.chance(70) || rank < 2) return std::vector<double>{static_cast<double>(dim)};
    std::erase_if(dims, [&](double other) { return other != dim_ && choices_.chance(40); });
    return dims;
  }
  if (name == "shifts") return std::vector<double>{static_cast<double>(choices_.between(-2, 2))};
  if (name == "repeats") {
    std::vector<double> repeats(shape.size());
    for (auto& repeat : repeats) repeat = static_cast<double>(choices_.between(1, 2));
    return repeats;
  }
  return std::nullopt;
}

Argument Generator::attribute(const Op& op, const Param& param, const Shape& shape, bool wild) {
  static const std::vector<Argument> unusual = {-1.0, -0.5, 0.0, 1.5, 2.0};
  if (param.optional && choices_.chance(wild ? 20 : 35)) return param.preset;
  if (param.kind == Kind::integer) {
    if (const auto integer = integer_of(op.name, param.name, shape)) return *integer;
  } else if (param.kind == Kind::integers) {
    if (auto integers = integers_of(op.name, param.name, shape)) return *integers;
  } else if (param.kind == Kind::number && wild && choices_.chance(70)) {
    return choices_.pick(unusual);
  } else if (param.kind == Kind::text && wild && choices_.chance(50)) {
    return std::string("unknown");
  } else if (param.kind == Kind::boolean) {
    return choices_.chance(50);
  }
  if (!param.choices.empty()) return choices_.pick(param.choices);
  return param.preset;
}

}  // namespace gradsmith
