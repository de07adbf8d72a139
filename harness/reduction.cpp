#include "harness/reduction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "harness/blame.hpp"
#include "harness/evidence.hpp"
#include "harness/parse.hpp"
#include "harness/print.hpp"
#include "harness/reduce.hpp"
#include "harness/remarks.hpp"
#include "harness/signature_apart.hpp"

namespace gradsmith {

namespace {

constexpr double hang_candidate = 4;  // seconds: candidates of a hang are waited for more briefly than a case of a run
constexpr double remark_limit = 20;  // seconds for the remarks
constexpr double grace = 25;          // seconds beyond the limits: one candidate may be slow when time runs out
constexpr int repeats = 20;           // verdicts on the smallest chain
constexpr int crashes = 5, hangs = 2;  // the same where each takes a process, and a wait

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

bool kills(FindingKind kind) { return kind == FindingKind::crash || kind == FindingKind::hang; }

/// A bug under reduction: how a chain is asked whether it shows it.
class Bug {
 public:
  Bug(const Signature& signature, Plan plan) : signature_(signature), plan_(plan) {
    if (signature.kind == FindingKind::nondeterminism) plan_.executions = many_executions;
    if (kills(signature.kind))
      initialize_libtorch();  // for the processes forked below; a device does not survive a fork
    else
      prepare(plan_);
  }

  /// In one of the attempts that are allowed.
  template <class Same>
  bool shown_by(const Chain& chain, Same same) const {
    for (int i = 0; i < attempts_; ++i)
      if (shown_once(chain, same)) return true;
    return false;
  }
  /// It does not show each time: from now on a chain has several attempts.
  void be_patient() { attempts_ = repeats; }

  template <class Same>
  bool shown_once(const Chain& chain, Same same) const {
    if (kills(signature_.kind)) {
      const auto seen = signature_apart(chain, plan_, signature_.kind == FindingKind::hang ? hang_candidate : 20);
      return seen && same(signature_, *seen);
    }
    const Verdict verdict = judge(chain, plan_);
    return verdict.status == Status::finding && same(signature_, verdict.signature);
  }
  Verdict verdict_on(const Chain& chain) const { return judge(chain, plan_); }

 private:
  Signature signature_;
  Plan plan_;
  int attempts_ = 1;
};

/// Runs in the reducing process. Frames: 'B' best chain so far, 'H' headline, 'E' evidence, 'S' signature, 'R' verdicts
/// repeated and how many alike, 'C' complete, 'I' incomplete.
void reduce_and_tell(const Chain& chain, const Signature& signature, const Plan& plan, const Child::Send& send) {
  Bug bug(signature, plan);
  const bool kill = kills(signature.kind);
  if (!bug.shown_by(chain, same_bug)) {
    if (signature.kind == FindingKind::hang) return;
    bug.be_patient();
    if (!bug.shown_by(chain, same_bug)) return;
  }
  send("B" + print(chain));
  const ReduceLimits limits{.tries = kill ? 500 : 20000, .seconds = Reduction::limit};
  const Reduced reduced = reduce(
      chain,
      [&](const Chain& candidate) {
        if (!bug.shown_by(candidate, same_bug)) return false;
        send("B" + print(candidate));
        return true;
      },
      limits);
  send("B" + print(reduced.chain));
  if (!kill) {
    const Verdict verdict = bug.verdict_on(reduced.chain);
    send("H" + headline(verdict));
    send("E" + evidence(verdict));
    if (verdict.status == Status::finding) send("S" + verdict.signature.text());
  }
  const int times = signature.kind == FindingKind::hang ? hangs : kill ? crashes : repeats;
  int alike = 0;
  for (int i = 0; i < times; ++i) alike += bug.shown_once(reduced.chain, same_bug);
  send(fmt::format("R{} {}", alike, times));
  if (!kill) {
    const auto fault = [&](const Chain& candidate) { return bug.shown_by(candidate, same_fault); };
    send("B" + print(remark_on(reduced.chain, fault, {.tries = 4000, .seconds = remark_limit}).chain));
  }
  send(reduced.complete ? "C" : "I");
}

}  // namespace

std::string ReductionResult::words() const {
  if (!reproduced) return "not reduced: it did not show again in a process of its own, which is nondeterminism";
  return fmt::format("{} {:.1f} s", complete ? "complete in" : "cut short after", seconds);
}

std::string ReductionResult::repeat_words() const {
  if (repeats == 0) return "not tried";
  return fmt::format("{} of {} times{}", repeated, repeats,
                     repeated < repeats ? ": nondeterminism, whatever the kind above says" : "");
}

Reduction::Reduction(const Chain& chain, const Signature& signature, const Plan& plan) : started_(now()) {
  result_.chain = chain;
  child_.emplace([=](const Child::Send& send) { reduce_and_tell(chain, signature, plan, send); });
}

double Reduction::elapsed() const { return now() - started_; }

void Reduction::take(std::string_view frame) {
  const std::string_view body = frame.substr(1);
  switch (frame[0]) {
    case 'B':
      result_.reproduced = true;
      if (auto parsed = parse(body); std::holds_alternative<Chain>(parsed))
        result_.chain = std::get<Chain>(std::move(parsed));
      break;
    case 'H':
      result_.headline = body;
      break;
    case 'E':
      result_.evidence = body;
      break;
    case 'S':
      result_.signature = body;
      break;
    case 'R':
      std::sscanf(std::string(body).c_str(), "%d %d", &result_.repeated, &result_.repeats);
      break;
    case 'C':
      result_.complete = true;
      break;
    default:
      break;
  }
}

bool Reduction::poll() {
  if (!child_) return true;
  const bool open = child_->receive([this](std::string_view frame) { take(frame); });
  if (open && elapsed() > limit + remark_limit + grace) {
    stop();
    return true;
  }
  if (open) return false;
  child_->wait();
  child_.reset();
  result_.seconds = elapsed();
  return true;
}

void Reduction::stop() {
  if (!child_) return;
  child_->receive([this](std::string_view frame) { take(frame); });
  child_->kill();
  child_->wait();
  child_.reset();
  result_.seconds = elapsed();
}

}  // namespace gradsmith
