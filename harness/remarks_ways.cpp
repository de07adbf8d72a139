#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/op.hpp"
#include "harness/print.hpp"
#include "harness/reduce_edit.hpp"
#include "harness/remarks_ask.hpp"
#include "harness/retype.hpp"

namespace gradsmith {
namespace {

class Ways {
 public:
  Ways(const Chain& chain, Ask& ask) : chain_(chain), shows_(ask) {}

  std::vector<std::string> operator()() {
    vary_dtype();
    vary_forms();
    vary_regions();
    drop_statements();
    return std::move(ways_);
  }

 private:
  bool shows(const Chain& variation) { return shows_(variation).value_or(false); }

  void vary_dtype() {
    std::vector<std::string_view> found;
    for (const DType dtype : {DType::f64, DType::f32, DType::bf16, DType::f16}) {
      const Chain other = in_type(chain_, dtype);
      if (other == chain_) continue;
      if (shows(other)) found.push_back(dtype_name(dtype));
    }
    if (!found.empty()) ways_.push_back(fmt::format("in {}", fmt::join(found, ", ")));
  }

  /// In-place steps out of place, and the other way round on a clone.
  void vary_forms() {
    for (std::size_t i = 0; i < chain_.statements.size(); ++i) {
      const auto* step = std::get_if<Step>(&chain_.statements[i]);
      if (!step) continue;
      Chain other = chain_;
      const Value fresh = reducing::new_value(other);
      Step& changing = std::get<Step>(other.statements[i]);
      if (step->inplace && step->op->pure) {
        reducing::substitute(other, i + 1, std::get<Ref>(step->args[0]).value, fresh);
        changing.inplace = false;
        changing.results = {fresh};
      } else if (!step->inplace && step->op->inplace && step->results.size() == 1) {
        Step clone{.op = find_op("clone"), .args = {step->args[0]}, .results = {fresh}};
        reducing::substitute(other, i + 1, step->results[0], fresh);
        changing.inplace = true;
        changing.args[0] = Ref{fresh};
        changing.results.clear();
        other.statements.insert(other.statements.begin() + static_cast<std::ptrdiff_t>(i), std::move(clone));
      } else {
        continue;
      }
      if (shows(other))
        ways_.push_back(fmt::format("with {} {}", step->op->name, step->inplace ? "out of place" : "in place"));
    }
  }

  /// All steps inside a region.
  void vary_regions() {
    const auto is_step = [](const Statement& statement) { return std::holds_alternative<Step>(statement); };
    if (!std::all_of(chain_.statements.begin(), chain_.statements.end(), [&](const Statement& statement) {
          return is_step(statement) || std::holds_alternative<Input>(statement);
        }))
      return;
    for (const auto kind : {RegionBegin::Kind::no_grad, RegionBegin::Kind::inference}) {
      Chain other = chain_;
      std::stable_partition(other.statements.begin(), other.statements.end(),
                            [&](const auto& s) { return !is_step(s); });
      const auto first = std::find_if(other.statements.begin(), other.statements.end(), is_step);
      other.statements.insert(first, RegionBegin{kind});
      other.statements.emplace_back(RegionEnd{});
      if (shows(other)) ways_.push_back(kind == RegionBegin::Kind::no_grad ? "under no_grad" : "under inference");
    }
  }

  /// Without a step: it only brings the fault out in this magnitude or form.
  void drop_statements() {
    for (std::size_t i = 0; i < chain_.statements.size(); ++i) {
      if (!std::holds_alternative<Step>(chain_.statements[i])) continue;
      std::vector<bool> drop(chain_.statements.size(), false);
      drop[i] = true;
      if (shows(reducing::without(chain_, drop)))
        ways_.push_back(fmt::format("without {}", print(chain_, chain_.statements[i])));
    }
  }

  const Chain& chain_;
  Ask& shows_;
  std::vector<std::string> ways_{};
};

}  // namespace

std::vector<std::string> other_ways(const Chain& chain, Ask& ask) { return Ways(chain, ask)(); }

}  // namespace gradsmith
