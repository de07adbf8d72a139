#include "harness/chain.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace gradsmith {
namespace {

bool same_number(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) || (std::isnan(a) && std::isnan(b));
}
bool same_numbers(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_number);
}

/// Compares statements of two chains, tensors by name.
class Comparison {
 public:
  Comparison(const Chain& a, const Chain& b) : a_(a), b_(b) {}

  bool same(const Statement& a, const Statement& b) const {
    return std::visit(
        [this](const auto& x, const auto& y) {
          if constexpr (std::is_same_v<decltype(x), decltype(y)>)
            return same(x, y);
          else
            return false;
        },
        a, b);
  }

 private:
  bool same(Value a, Value b) const {
    if (a == dropped || b == dropped) return a == b;
    return a_.names[static_cast<std::size_t>(a)] == b_.names[static_cast<std::size_t>(b)];
  }
  bool same(const std::vector<Value>& a, const std::vector<Value>& b) const {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [this](Value x, Value y) { return same(x, y); });
  }
  bool same(const Argument& a, const Argument& b) const {
    if (const auto* x = std::get_if<Ref>(&a), *y = std::get_if<Ref>(&b); x && y) return same(x->value, y->value);
    if (const auto* x = std::get_if<std::vector<Ref>>(&a), *y = std::get_if<std::vector<Ref>>(&b); x && y)
      return std::equal(x->begin(), x->end(), y->begin(), y->end(),
                        [this](Ref r, Ref s) { return same(r.value, s.value); });
    return same_argument(a, b);
  }
  bool same(const Input& a, const Input& b) const {
    return same(a.name, b.name) && a.dtype == b.dtype && a.shape == b.shape && a.requires_grad == b.requires_grad &&
           a.strides == b.strides && a.offset == b.offset && same_spec(a.values, b.values);
  }
  bool same(const Step& a, const Step& b) const {
    return a.op == b.op && a.inplace == b.inplace && same(a.results, b.results) &&
           std::equal(a.args.begin(), a.args.end(), b.args.begin(), b.args.end(),
                      [this](const Argument& x, const Argument& y) { return same(x, y); });
  }
  bool same(const Backward& a, const Backward& b) const {
    return same(a.roots, b.roots) && a.wrt.has_value() == b.wrt.has_value() && (!a.wrt || same(*a.wrt, *b.wrt)) &&
           a.cotangent.has_value() == b.cotangent.has_value() &&
           (!a.cotangent || same_spec(*a.cotangent, *b.cotangent)) && a.retain_graph == b.retain_graph &&
           a.create_graph == b.create_graph && a.may_fail == b.may_fail && same(a.results, b.results);
  }
  bool same(const RegionBegin& a, const RegionBegin& b) const { return a == b; }
  bool same(const RegionEnd&, const RegionEnd&) const { return true; }

  const Chain& a_;
  const Chain& b_;
};

}  // namespace

bool same_argument(const Argument& a, const Argument& b) {
  if (const auto* x = std::get_if<double>(&a), *y = std::get_if<double>(&b); x && y) return same_number(*x, *y);
  if (const auto* x = std::get_if<std::vector<double>>(&a), *y = std::get_if<std::vector<double>>(&b); x && y)
    return same_numbers(*x, *y);
  return a == b;
}

bool same_spec(const Spec& a, const Spec& b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Spec::Kind::list:
      return same_numbers(a.list, b.list);
    case Spec::Kind::uniform:
      return a.seed == b.seed && same_number(a.lo, b.lo) && same_number(a.hi, b.hi);
    case Spec::Kind::normal:
    case Spec::Kind::edges:
      return a.seed == b.seed;
  }
  return false;
}

bool operator==(const Chain& a, const Chain& b) {
  const Comparison comparison(a, b);
  return std::equal(a.statements.begin(), a.statements.end(), b.statements.begin(), b.statements.end(),
                    [&](const Statement& x, const Statement& y) { return comparison.same(x, y); });
}

std::optional<std::string> header(const Chain& chain, std::string_view key) {
  for (const std::string_view comment : chain.comments) {
    if (!comment.starts_with(key) || comment.size() <= key.size() || comment[key.size()] != ':') continue;
    const auto from = comment.find_first_not_of(" \t", key.size() + 1);
    if (from == std::string_view::npos) return std::string();
    return std::string(comment.substr(from, comment.find_last_not_of(" \t") - from + 1));
  }
  return std::nullopt;
}

bool has_backward(const Chain& chain) {
  return std::any_of(chain.statements.begin(), chain.statements.end(),
                     [](const Statement& statement) { return std::holds_alternative<Backward>(statement); });
}

int step_count(const Chain& chain) {
  return static_cast<int>(
      std::count_if(chain.statements.begin(), chain.statements.end(),
                    [](const Statement& statement) { return std::holds_alternative<Step>(statement); }));
}

}  // namespace gradsmith
