#include "properties/torch_chains.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "harness/evidence.hpp"
#include "harness/files.hpp"
#include "harness/known.hpp"
#include "harness/print.hpp"
#include "harness/reduce.hpp"

namespace gradsmith {
namespace {

constexpr ReduceLimits quick{.tries = 5000, .seconds = 20};

/// Before any property runs: one LibTorch, and the same cases in every run unless the user says otherwise.
class Ready : public testing::Environment {
 public:
  void SetUp() override {
    initialize_libtorch();
    setenv("RC_PARAMS", "seed=1 max_size=80 max_success=500", 0);
  }
};
const auto* const ready = testing::AddGlobalTestEnvironment(new Ready);

/// The known issues, learnt once, by the signatures that all witnesses together give them.
const KnownTable& known_issues() {
  static const KnownTable table = learn_known(GRADSMITH_SOURCE_DIR "/corpus", {});
  return table;
}

std::filesystem::path findings_folder() {
  if (const char* folder = std::getenv("GRADSMITH_FINDINGS")) return folder;
  return std::filesystem::temp_directory_path() / ("gradsmith-findings-" + std::to_string(getuid()));
}

}  // namespace

std::vector<const Op*> ops_where(const std::function<bool(const Op&)>& keep) {
  std::vector<const Op*> out;
  for (const Op* op : all_ops())
    if (std::find(extra_ops().begin(), extra_ops().end(), op) == extra_ops().end() && keep(*op)) out.push_back(op);
  return out;
}

Knobs knobs_of(unsigned refused, unsigned inplace) {
  Knobs knobs;
  knobs.refused = refused;
  knobs.inplace = inplace;
  knobs.ops = ops_where([](const Op&) { return true; });
  return knobs;
}

Plan only(Witness witness) {
  Plan plan{.witnesses = {}};
  plan.witnesses[static_cast<std::size_t>(witness)] = true;
  return plan;
}

Chain drawn_chain(const Knobs& knobs) {
  Choices choices(*rc::gen::noShrink(rc::gen::arbitrary<std::uint64_t>()).as("seed of the chain"));
  return generate(choices, knobs);
}

void fail_with(const Chain& chain, const std::string& title, const std::string& words,
               const std::function<bool(const Chain&)>& shows) {
  const Chain reduced = shows(chain) ? reduce(chain, shows, quick).chain : chain;
  const auto file = findings_folder() / (title + ".chain");
  make_folder(findings_folder());
  write_atomically(file, print(reduced));
  RC_FAIL(title + ": " + words + "\n" + print(reduced) + "stored as " + file.string());
  std::abort();  // RC_FAIL throws
}

void require_agreement(const Chain& chain, const Plan& plan) {
  const Verdict verdict = judge(chain, plan);
  if (verdict.status == Status::discard) RC_FAIL("not a chain: " + verdict.reason + "\n" + print(chain));
  if (verdict.status != Status::finding || known_issues().issues.contains(verdict.signature.text())) {
    return;
  }
  fail_with(chain, verdict.signature.text(), headline(verdict), [&](const Chain& smaller) {
    const Verdict again = judge(smaller, plan);
    return again.status == Status::finding && again.signature == verdict.signature;
  });
}

void check_drawn(const Knobs& knobs, const Plan& plan, int chains) {
  Choices choices(*rc::gen::noShrink(rc::gen::arbitrary<std::uint64_t>()).as("seed of the chains"));
  for (; chains > 0; --chains) require_agreement(generate(choices, knobs), plan);
}

}  // namespace gradsmith
