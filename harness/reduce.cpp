#include "harness/reduce.hpp"

#include <chrono>
#include <string>
#include <unordered_set>

#include "harness/print.hpp"
#include "harness/reduce_edit.hpp"

namespace gradsmith {
namespace {

/// a, b, ..., z, aa, ab, ..., zz, then x702, x703, ...: no keyword among them.
std::string input_name(int index) {
  if (index < 26) return std::string(1, static_cast<char>('a' + index));
  if (index < 26 + 26 * 26) {
    const int rest = index - 26;
    return {static_cast<char>('a' + rest / 26), static_cast<char>('a' + rest % 26)};
  }
  return "x" + std::to_string(index);
}

/// The best chain so far, the questions asked, and the limits.
class Search {
 public:
  Search(Chain start, const Interesting& interesting, const ReduceLimits& limits)
      : best_(std::move(start)), interesting_(interesting), limits_(limits) {}

  /// Runs one pass until it makes no progress. After a success it goes on where it stands instead of starting over.
  bool run(const Pass& pass) {
    bool progress = false;
    for (int cursor = 0;;) {
      std::optional<Chain> next;
      int seen = 0;
      pass.candidates(best_, [&](Chain&& candidate) {
        if (stopped_) return true;
        if (seen++ < cursor) return false;
        if (!ask(candidate)) return stopped_;
        next = std::move(candidate);
        return true;
      });
      if (!next) return progress;
      best_ = std::move(*next);
      cursor = seen - 1;
      progress = true;
    }
  }

  bool stopped() const { return stopped_; }
  Reduced result() const { return {best_, tries_, !stopped_}; }

 private:
  bool ask(const Chain& candidate) {
    if (!asked_.insert(print(candidate)).second) return false;
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - started_;
    if (tries_ >= limits_.tries || spent.count() > limits_.seconds) {
      stopped_ = true;
      return false;
    }
    ++tries_;
    return interesting_(candidate);
  }

  Chain best_;
  const Interesting& interesting_;
  ReduceLimits limits_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::unordered_set<std::string> asked_{};
  int tries_ = 0;
  bool stopped_ = false;
};

}  // namespace

const std::vector<Pass>& passes() {
  // Coarse before fine: what a later pass would simplify is best dropped whole.
  static const std::vector<Pass> all = [] {
    std::vector<Pass> list;
    for (const auto part : {reducing::structure_passes(), reducing::step_passes(), reducing::shape_passes(),
                            reducing::value_passes(), reducing::order_passes()})
      list.insert(list.end(), part.begin(), part.end());
    return list;
  }();
  return all;
}

Reduced reduce(const Chain& chain, const Interesting& interesting, const ReduceLimits& limits) {
  Chain start = canonical_names(chain);
  start.comments.clear();
  Search search(std::move(start), interesting, limits);
  for (bool progress = true; progress && !search.stopped();) {
    progress = false;
    for (const Pass& pass : passes()) progress |= search.run(pass);
  }
  return search.result();
}

Chain canonical_names(const Chain& chain) {
  Chain out{{}, chain.statements, chain.comments};
  std::vector<Value> renamed(chain.names.size(), dropped);
  int inputs = 0, results = 0;
  const auto define = [&](Value& value, bool input) {
    if (value == dropped) return;
    const Value fresh = static_cast<Value>(out.names.size());
    out.names.push_back(input ? input_name(inputs++) : "v" + std::to_string(++results));
    renamed[value] = fresh;
    value = fresh;
  };
  for (Statement& statement : out.statements) {
    reducing::for_each_use(statement, [&](Value& value) { value = renamed[value]; });
    if (auto* input = std::get_if<Input>(&statement)) define(input->name, true);
    if (auto* step = std::get_if<Step>(&statement))
      for (Value& value : step->results) define(value, false);
    if (auto* backward = std::get_if<Backward>(&statement))
      for (Value& value : backward->results) define(value, false);
  }
  return out;
}

bool simpler(const Chain& a, const Chain& b) { return reducing::measure(a) < reducing::measure(b); }

}  // namespace gradsmith
