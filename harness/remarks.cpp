#include "harness/remarks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "harness/expect.hpp"
#include "harness/op.hpp"
#include "harness/reduce_edit.hpp"
#include "harness/remarks_ask.hpp"
#include "harness/remarks_words.hpp"
#include "harness/values.hpp"

namespace gradsmith {
namespace {

/// Some fifty tame numbers, those that tests and defects like first.
const std::vector<double>& numbers() {
  static const std::vector<double> all = [] {
    std::vector<double> out{0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 0.25, -0.25, 1.5, -1.5, 4, -4, 6, -6, 0.1, -0.1, 8, -8};
    for (std::uint64_t i = 0; out.size() < 50; ++i) {
      const double unit = static_cast<double>(mix_bits(7, 0, i) >> 40) * 0x1p-24;  // in [0, 1)
      out.push_back((i % 2 == 0 ? 4 : 16) * (2 * unit - 1));
    }
    return out;
  }();
  return all;
}

/// Some fifty shapes, without empty ones: an empty tensor shows no number.
const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all = [] {
    std::vector<Shape> out{{}};
    for (const std::int64_t n : {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 24, 33}) out.push_back({n});
    for (const std::int64_t n : {1, 2, 3, 4, 9})
      for (const std::int64_t m : {1, 2, 3, 9}) out.push_back({n, m});
    for (const std::int64_t n : {1, 2, 3})
      for (const std::int64_t m : {1, 2})
        for (const std::int64_t k : {1, 3}) out.push_back({n, m, k});
    out.push_back({1, 1, 1, 1});
    out.push_back({2, 1, 2, 2});
    return out;
  }();
  return all;
}

Spec filled(std::size_t count, double value) {
  return {.kind = Spec::Kind::list, .list = std::vector<double>(count, value)};
}

class Inquiry {
 public:
  Inquiry(const Chain& chain, Ask& ask) : chain_(chain), shows_(ask), beside_(chain.statements.size()) {
    chain_.remarks.clear();
  }

  Chain operator()() {
    for (std::size_t i = 0; i < chain_.statements.size(); ++i) {
      if (std::holds_alternative<Input>(chain_.statements[i])) {
        vary_values(i);
        vary_shape(i);
        vary_requires_grad(i);
      } else if (std::holds_alternative<Step>(chain_.statements[i])) {
        vary_attributes(i);
      } else if (std::holds_alternative<Backward>(chain_.statements[i])) {
        vary_cotangent(i);
      }
    }
    if (!has_backward(chain_)) vary_implied_cotangent();
    return with_remarks();
  }

 private:
  template <class Kind, class Change>
  Chain changed(std::size_t i, Change change) const {
    Chain out = chain_;
    change(std::get<Kind>(out.statements[i]));
    return out;
  }

  void remark(std::size_t i, const std::string& words) {
    if (!words.empty() && !shows_.stopped()) beside_[i].push_back(words);
  }

  /// Words on what a number may be (a `whole` one?); `with` gives the chain with another number in its place.
  std::string vary_number(double now, bool whole, const std::function<Chain(double)>& with) {
    std::vector<Tried<double>> tried{{now, true}};
    const auto attempt = [&](double number) {
      if (whole) number = std::trunc(number);
      const auto known =
          std::any_of(tried.begin(), tried.end(), [&](const auto& other) { return other.what == number; });
      if (known) return;
      if (const auto answer = shows_(with(number))) tried.push_back({number, *answer});
    };
    for (const double number : numbers()) attempt(number);
    for (int halvings = 0; halvings < 24; ++halvings) {
      const auto bounds = turn(tried);
      if (!bounds) break;
      const double middle = bounds->first / 2 + bounds->second / 2;
      if (middle == bounds->first || middle == bounds->second) break;
      const std::size_t before = tried.size();
      attempt(middle);
      if (tried.size() == before) break;
    }
    return number_words(tried);
  }

  void vary_values(std::size_t i) {
    const Input& input = std::get<Input>(chain_.statements[i]);
    const std::vector<double> now = reducing::element_values(input);
    if (now.empty() || now.size() > 64) return;
    const auto with = [&](std::vector<double> list) {
      return changed<Input>(i,
                            [&](Input& other) { other.values = {.kind = Spec::Kind::list, .list = std::move(list)}; });
    };
    // Elements that share a cell change together.
    const std::vector<std::int64_t> cells = storage_positions(input_layout(input));
    std::map<std::string, std::vector<std::size_t>> elements;  // by words
    std::vector<std::int64_t> seen;
    for (std::size_t k = 0; k < now.size() && elements.size() <= 2; ++k) {
      if (std::find(seen.begin(), seen.end(), cells[k]) != seen.end()) continue;
      seen.push_back(cells[k]);
      elements[vary_number(now[k], !is_floating(input.dtype), [&](double number) {
        std::vector<double> list = now;
        for (std::size_t m = 0; m < list.size(); ++m)
          if (cells[m] == cells[k]) list[m] = number;
        return with(std::move(list));
      })].push_back(k);
    }
    if (elements.size() > 2) return;  // each element has a story of its own: no simple remark
    if (elements.size() == 1) {
      const std::string& words = elements.begin()->first;
      // Each element may be anything by itself: may they all, at once?
      if (words != "any value" || seen.size() == 1 || all_shown(i)) remark(i, words);
      return;
    }
    std::vector<std::pair<std::vector<std::size_t>, std::string>> in_order;
    for (const auto& [words, list] : elements)
      if (!words.empty()) in_order.emplace_back(list, words);
    std::sort(in_order.begin(), in_order.end());
    for (const auto& [list, words] : in_order) remark(i, fmt::format("[{}]: {}", fmt::join(list, ", "), words));
  }

  /// Ten fillings at random.
  bool all_shown(std::size_t i) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      const auto answer = shows_(changed<Input>(
          i, [&](Input& other) { other.values = {.kind = Spec::Kind::uniform, .seed = seed, .lo = -4, .hi = 4}; }));
      if (answer && !*answer) return false;
    }
    return true;
  }

  /// All contiguous inputs of one shape change together.
  void vary_shape(std::size_t i) {
    const Shape now = std::get<Input>(chain_.statements[i]).shape;
    std::vector<std::string> alike;
    for (std::size_t k = 0; k < chain_.statements.size(); ++k) {
      const auto* input = std::get_if<Input>(&chain_.statements[k]);
      if (!input || input->shape != now) continue;
      if (k < i || input->strides) return;  // told already; or a layout that has no meaning in another shape
      if (k > i) alike.push_back(chain_.names[static_cast<std::size_t>(input->name)]);
    }
    std::vector<Tried<Shape>> tried{{now, true}};
    for (const Shape& shape : shapes()) {
      if (shape == now) continue;
      Chain other = chain_;
      for (Statement& statement : other.statements)
        if (auto* input = std::get_if<Input>(&statement); input && input->shape == now) resize(*input, shape);
      if (!reducing::mend(other)) continue;
      if (const auto answer = shows_(other)) tried.push_back({shape, *answer});
    }
    const std::string words = shape_words(tried);
    if (!words.empty()) remark(i, alike.empty() ? words : fmt::format("{}, {} alike", words, fmt::join(alike, ", ")));
  }

  /// Lists repeat themselves as far as needed; generators go on.
  static void resize(Input& input, const Shape& shape) {
    if (input.values.kind == Spec::Kind::list) {
      const std::vector<double> list = input.values.list;
      input.values = filled(static_cast<std::size_t>(element_count(shape)), 0);
      for (std::size_t k = 0; k < input.values.list.size() && !list.empty(); ++k)
        input.values.list[k] = list[k % list.size()];
    }
    input.shape = shape;
  }

  void vary_requires_grad(std::size_t i) {
    const auto answer = shows_(changed<Input>(i, [](Input& other) { other.requires_grad = !other.requires_grad; }));
    if (answer && *answer) remark(i, "requires_grad or not");
  }

  void vary_attributes(std::size_t i) {
    const Step& step = std::get<Step>(chain_.statements[i]);
    for (std::size_t k = 0; k < step.args.size(); ++k) {
      const Param& param = step.op->params[k];
      const auto with = [&](Argument other) {
        return changed<Step>(i, [&](Step& changing) { changing.args[k] = std::move(other); });
      };
      std::string words;
      if (const auto* number = std::get_if<double>(&step.args[k])) {
        words = vary_number(*number, param.kind == Kind::integer, with);
      } else if (!std::holds_alternative<Ref>(step.args[k]) &&
                 !std::holds_alternative<std::vector<Ref>>(step.args[k])) {
        words = vary_choice(param, step.args[k], with);
      }
      if (!words.empty()) remark(i, fmt::format("{}: {}", param.name, words));
    }
  }

  std::string vary_choice(const Param& param, const Argument& now, const std::function<Chain(Argument)>& with) {
    std::vector<Argument> choices = param.choices;
    if (param.kind == Kind::boolean) choices = {false, true};
    if (param.optional) choices.push_back(param.preset);
    int others = 0;
    for (const Argument& choice : choices) {
      if (same_argument(choice, now)) continue;
      const auto answer = shows_(with(choice));
      if (answer && !*answer) return {};
      others += answer.has_value();
    }
    return others > 0 ? "any value" : "";
  }

  void vary_cotangent(std::size_t i) {
    const Backward& backward = std::get<Backward>(chain_.statements[i]);
    if (!backward.cotangent) return;
    remark(i, cotangent_words(chain_, i));
  }

  /// The same for the `backward` at the end that the chain does not spell out.
  void vary_implied_cotangent() {
    const auto typed = type_chain(chain_);
    std::vector<Value> roots;
    if (!std::holds_alternative<Typed>(typed)) return;
    expect(chain_, std::get<Typed>(typed), &roots);
    if (roots.empty()) return;
    Chain spelled = chain_;
    spelled.statements.emplace_back(Backward{.roots = roots, .cotangent = Spec{}});
    const auto answer = shows_(spelled);
    if (!answer || !*answer) return;
    const std::string words = cotangent_words(spelled, chain_.statements.size());
    if (!shows_.stopped()) last_ = words;
  }

  std::string cotangent_words(const Chain& chain, std::size_t i) {
    const auto typed = type_chain(chain);
    if (!std::holds_alternative<Typed>(typed)) return {};
    std::size_t count = 0;
    for (const Value root : std::get<Backward>(chain.statements[i]).roots)
      count += static_cast<std::size_t>(element_count(std::get<Typed>(typed).values[root].layout.shape));
    std::vector<Tried<double>> tried;
    for (const double number : numbers()) {
      Chain other = chain;
      std::get<Backward>(other.statements[i]).cotangent = filled(count, number);
      if (const auto answer = shows_(other)) tried.push_back({number, *answer});
    }
    const std::string words = number_words(tried);
    return words.empty() ? words : "cotangent: " + words;
  }

  Chain with_remarks() {
    for (std::size_t i = 0; i < beside_.size(); ++i)
      if (!beside_[i].empty()) chain_.remarks.push_back({i, fmt::format("{}", fmt::join(beside_[i], "; ")), true});
    if (!last_.empty()) chain_.remarks.push_back({beside_.size(), last_});
    return std::move(chain_);
  }

  Chain chain_;
  Ask& shows_;
  std::vector<std::vector<std::string>> beside_;
  std::string last_{};
};

}  // namespace

Remarked remark_on(const Chain& chain, const Interesting& interesting, const ReduceLimits& limits) {
  Ask ask(interesting, limits);
  Remarked out{.chain = Inquiry(chain, ask)()};
  const auto ways = other_ways(out.chain, ask);
  if (!ways.empty())
    out.chain.remarks.push_back({chain.statements.size(), fmt::format("also shows: {}", fmt::join(ways, "; "))});
  out.tries = ask.tries();
  out.complete = !ask.stopped();
  return out;
}

}  // namespace gradsmith
