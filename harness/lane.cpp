#include "harness/lane.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <functional>

#include "harness/compare.hpp"
#include "harness/device.hpp"
#include "harness/execute.hpp"
#include "harness/exits.hpp"
#include "harness/guard.hpp"

extern "C" __attribute__((weak)) std::size_t __sanitizer_get_current_allocated_bytes();

namespace gradsmith {

namespace {

std::optional<LaneRemark> moved(const std::string& what, const std::vector<std::optional<Array>>& first,
                            const std::vector<std::optional<Array>>& again, const Chain& chain) {
  for (std::size_t v = 0; v < first.size(); ++v) {
    const auto remark = [&](const std::string& words) {
      return LaneRemark{Lane::determinism, FindingKind::nondeterminism, what,
                        fmt::format("{} {}{}", what, chain.names[v], words)};
    };
    if (first[v].has_value() != again[v].has_value()) return remark(" is there in one run only");
    if (!first[v]) continue;
    if (const auto at = first_bit_difference(first[v]->data, again[v]->data); at >= 0)
      return remark(fmt::format("[{0}] was {1:.17g}, then {2:.17g}", at, first[v]->data[static_cast<std::size_t>(at)],
                                again[v]->data[static_cast<std::size_t>(at)]));
  }
  return std::nullopt;
}

std::optional<LaneRemark> run_again(const Chain& chain, const std::vector<Value>& roots, const Outcome& first) {
  const Outcome again = execute(chain, roots);
  const auto same_phase = [&] { return first.refusal->phase == again.refusal->phase; };
  if (first.refusal.has_value() != again.refusal.has_value() ||
      (first.refusal && (!same_phase() || first.refusal->message != again.refusal->message))) {
    const auto words = [](const std::optional<Refusal>& refusal) {
      return refusal ? fmt::format("\"{}\" at {}", refusal->message.substr(0, refusal->message.find('\n')),
                                   phase_name(refusal->phase))
                     : std::string("no error");
    };
    return LaneRemark{Lane::determinism, FindingKind::nondeterminism, "error",
                      fmt::format("the first run gave {}, the second {}", words(first.refusal), words(again.refusal))};
  }
  if (auto remark = moved("value", first.values, again.values, chain)) return remark;
  return moved("gradient", first.gradients, again.gradients, chain);
}

/// Bytes of the heap that are handed out: storages, tensors and nodes alike. A sanitizer has a malloc of its own.
std::size_t heap_in_use() {
  return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes() : ::mallinfo2().uordblks;
}

void check_heap_tells(bool on) {
  if (!on) return;
  const std::size_t before = heap_in_use();
  constexpr std::size_t size = 10'000;
  void* volatile block = std::malloc(size);  // volatile: a compiler may leave out memory that nobody looks at
  const bool tells = heap_in_use() >= before + size;
  std::free(block);
  if (!tells)
    throw EnvironmentError{"lane leak: this program's malloc does not say how much of it is in use"};
}

/// Bytes that every one of several runs leaves behind, at least; 0 if one leaves none. malloc's own
/// caches hold up to 7 blocks of each size and count as in use, so that a fresh process may grow for some runs.
std::size_t growth(const std::function<void()>& run) {
  constexpr int rounds = 24;
  std::size_t least = ~std::size_t{0};
  for (int round = 0; round < rounds; ++round) {
    const std::size_t before = heap_in_use();
    run();
    const std::size_t after = heap_in_use();
    if (after <= before) return 0;
    least = std::min(least, after - before);
  }
  return least;
}

std::optional<LaneRemark> keeps_growing(const Chain& chain, const std::vector<Value>& roots, const Outcome&) {
  const std::size_t bytes = growth([&] { execute(chain, roots); });
  if (bytes == 0) return std::nullopt;
  const bool cycle = growth([&] { execute_severed(chain, roots); }) == 0;
  if (growth([&] { execute(chain, roots); }) == 0) return std::nullopt;  // caches that filled slowly in a fresh process
  return LaneRemark{.lane = Lane::leak,
                    .kind = FindingKind::leak,
                    .detail = cycle ? "cycle" : "heap",
                    .words = fmt::format("every run leaves {} bytes or more on the heap{}", bytes,
                                         cycle ? ", in a cycle through the history of a tensor" : ""),
                    .has_culprit = !cycle};
}

}  // namespace

const std::array<LaneEntry, lane_kinds>& lane_table() {
  static constexpr std::array<LaneEntry, lane_kinds> table{{
      {Lane::guard, "guard", "reads and writes outside a tensor, use after free, reads of uninitialised memory", use_guard,
       nullptr},
      {Lane::determinism, "determinism", "values, gradients or errors that differ from run to run", nullptr, run_again},
      {Lane::leak, "leak", "memory that a chain does not give back", check_heap_tells, keeps_growing},
      {Lane::tf32, "tf32", "a device's numbers with TF32 and sums in reduced precision on", allow_reduced_precision,
       nullptr},
  }};
  return table;
}

std::string_view lane_name(Lane lane) { return lane_table()[static_cast<std::size_t>(lane)].name; }

void install(const LaneSet& lanes) {
  for (const LaneEntry& entry : lane_table())
    if (entry.install) entry.install(lanes[static_cast<std::size_t>(entry.lane)]);
}

std::vector<LaneRemark> remarks_on(const Chain& chain, const std::vector<Value>& roots, const Outcome& first,
                               const LaneSet& lanes) {
  std::vector<LaneRemark> remarks;
  for (const LaneEntry& entry : lane_table())
    if (lanes[static_cast<std::size_t>(entry.lane)] && entry.check)
      if (auto remark = entry.check(chain, roots, first)) remarks.push_back(std::move(*remark));
  return remarks;
}

LaneSet lanes_of(const std::vector<std::string>& names, std::string_view where) {
  LaneSet lanes{};
  for (const std::string& name : names) {
    const auto& table = lane_table();
    const auto at = std::find_if(table.begin(), table.end(), [&](const LaneEntry& entry) { return entry.name == name; });
    if (at == table.end()) {
      std::vector<std::string_view> known;
      for (const LaneEntry& entry : table) known.push_back(entry.name);
      throw UsageError{fmt::format("{}: unknown lane \"{}\"; expected {}", where, name, fmt::join(known, ", "))};
    }
    lanes[static_cast<std::size_t>(at->lane)] = true;
  }
  return lanes;
}

LaneSet lanes_in(std::string_view text, std::string_view where) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(", ", at), text.size());
    if (end > at) names.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lanes_of(names, where);
}

LaneSet with_lanes_of(const Chain& chain, LaneSet lanes, std::string_view where) {
  const LaneSet own = lanes_in(header(chain, "lane").value_or(""), where);
  for (std::size_t i = 0; i < lane_kinds; ++i) lanes[i] = lanes[i] || own[i];
  return lanes;
}

std::string lane_list(const LaneSet& lanes) {
  std::vector<std::string_view> names;
  for (const LaneEntry& entry : lane_table())
    if (lanes[static_cast<std::size_t>(entry.lane)]) names.push_back(entry.name);
  return fmt::format("{}", fmt::join(names, ","));
}

}  // namespace gradsmith
